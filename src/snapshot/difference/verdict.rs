use super::{bounds::Bounds, record::Verdict, turnover::Turnover};

/// So many members must be told from each other for their coming and going to say something.
const IDENTIFIABLE: f64 = 0.3;
/// This part of the oldest must still be there, and of those that have outlived one interval.
const STAYING: f64 = 0.9;
/// With two snapshots, this part of all.
const STAYING_ALL: f64 = 0.5;
/// This part of what came between the first two snapshots must still be there in the third.
const AGED: f64 = 0.5;
/// Later growth per unit of work, over earlier.
const LINEAR: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// How the members of something that grows came and went. Thresholds from 35 servers, 19 of them leaky.
pub(super) struct Course<'a> {
    pub(super) populations: &'a [u64],
    pub(super) work: &'a [f64],
    /// From each snapshot to the next.
    pub(super) steps: &'a [Turnover],
    /// From the first to the last.
    pub(super) whole: &'a Turnover,
    /// What it says itself.
    pub(super) bounds: Bounds,
}

impl Course<'_> {
    pub(super) fn is_identifiable(&self) -> bool {
        self.steps.iter().chain([self.whole]).all(|turnover| turnover.identifiable >= IDENTIFIABLE)
    }

    pub(super) fn verdict(&self) -> Verdict {
        let is_suspect = match (self.is_identifiable(), self.steps) {
            (true, [_]) => self.oldest_stay() && self.whole.survival >= Some(STAYING_ALL),
            (true, _) => self.oldest_stay() && self.survivors_stay() && self.newer_stay(),
            // Two snapshots do not show whether growth goes on.
            (false, [_]) => false,
            (false, _) => self.is_linear(),
        };
        match (is_suspect, self.bounds) {
            (false, _) => Verdict::Healthy,
            (true, Bounds { capacity: Some(_), .. }) => Verdict::Filling,
            (true, Bounds { due_in: Some(_), .. }) => Verdict::Expiring,
            (true, _) if self.is_identifiable() => Verdict::Confirmed,
            (true, _) => Verdict::Probable,
        }
    }

    fn oldest_stay(&self) -> bool {
        self.whole.oldest.is_some_and(|part| part >= STAYING)
    }

    /// Those that were still there in the second snapshot are so in the last.
    fn survivors_stay(&self) -> bool {
        let pairs = self.steps[0].survived.iter().zip(&self.whole.survived);
        let survivors: Vec<bool> = pairs.filter(|(then, _)| **then).map(|(_, later)| *later).collect();
        let staying = survivors.iter().filter(|&&stays| stays).count();
        !survivors.is_empty() && staying as f64 >= survivors.len() as f64 * STAYING
    }

    /// What came after the first snapshot stays, too.
    fn newer_stay(&self) -> bool {
        let count = |step: usize| self.steps[step].survival.unwrap_or(0.0) * self.populations[step] as f64;
        let gained = self.populations[1].saturating_sub(self.populations[0]) as f64;
        count(1) - count(0) >= gained * AGED
    }

    fn is_linear(&self) -> bool {
        let rate = |step: usize| {
            let gained = self.populations[step + 1] as f64 - self.populations[step] as f64;
            gained / (self.work[step + 1] - self.work[step])
        };
        LINEAR.contains(&(rate(self.steps.len() - 1) / rate(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Members that stay as far as `stays` says.
    fn turnover(count: usize, identifiable: f64, stays: impl Fn(usize) -> bool) -> Turnover {
        let survived: Vec<bool> = (0..count).map(stays).collect();
        let part =
            |members: &[bool]| members.iter().filter(|&&stays| stays).count() as f64 / members.len() as f64;
        Turnover {
            identifiable,
            survival: Some(part(&survived)),
            oldest: Some(part(&survived[..count / 10])),
            survived,
        }
    }

    fn verdict(populations: &[u64], steps: &[Turnover], whole: &Turnover, bounds: Option<Bounds>) -> Verdict {
        let work: Vec<f64> = (0..populations.len()).map(|n| n as f64).collect();
        let bounds = bounds.unwrap_or_default();
        Course { populations, work: &work, steps, whole, bounds }.verdict()
    }

    #[test]
    fn what_stays_is_a_leak() {
        let all = |count| turnover(count, 1.0, |_| true);
        let populations = [100, 200, 300];
        assert_eq!(verdict(&populations, &[all(100), all(200)], &all(100), None), Verdict::Confirmed);
        assert_eq!(verdict(&populations[..2], &[all(100)], &all(100), None), Verdict::Confirmed);
        // A few are cleaned up.
        let most = |count| turnover(count, 1.0, |member| member % 5 != 4 || member < 10);
        assert_eq!(verdict(&populations, &[most(100), most(200)], &most(100), None), Verdict::Confirmed);
    }

    #[test]
    fn what_comes_and_goes_is_none() {
        let queue = |count: usize| turnover(count, 1.0, |member| member > count / 2);
        assert_eq!(verdict(&[100, 200, 300], &[queue(100), queue(200)], &queue(100), None), Verdict::Healthy);
        // A few old ones stay, as configuration does, while the rest is turned over.
        let pinned = |count| turnover(count, 1.0, |member| member < 10);
        assert_eq!(
            verdict(&[100, 200, 300], &[pinned(100), pinned(200)], &pinned(100), None),
            Verdict::Healthy
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_probable_if_it_grows_with_the_work() {
        let alike = |count| turnover(count, 0.0, |_| false);
        let steps = [alike(100), alike(200)];
        assert_eq!(verdict(&[100, 200, 300], &steps, &alike(100), None), Verdict::Probable);
        assert_eq!(verdict(&[100, 900, 1000], &steps, &alike(100), None), Verdict::Healthy);
        assert_eq!(verdict(&[100, 200], &steps[..1], &alike(100), None), Verdict::Healthy);
    }

    #[test]
    fn what_is_below_its_own_bounds_is_no_suspect() {
        let all = |count| turnover(count, 1.0, |_| true);
        let steps = [all(100), all(200)];
        let bounded = |bounds| verdict(&[100, 200, 300], &steps, &all(100), Some(bounds));
        assert_eq!(bounded(Bounds { capacity: Some(300), due_in: None }), Verdict::Filling);
        assert_eq!(bounded(Bounds { capacity: None, due_in: Some(5.0) }), Verdict::Expiring);
        assert_eq!(bounded(Bounds::default()), Verdict::Confirmed);
    }
}
