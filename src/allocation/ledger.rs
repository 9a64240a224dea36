use std::{collections::VecDeque, sync::Arc};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Frame, Profile, Stack, stack::StackTable};
use crate::measure::{Bytes, Millis};

/// More cohorts than this are joined two by two: the horizon grows, the detail shrinks.
const MAX_COHORTS: usize = 64;

/// The live samples by age. Fed with a profile after each major GC, it knows which cohort of objects, born
/// between two such readings, still lives.
///
/// A sample is *aged* once it was found alive by two readings: a major GC lies between them, so that requests in
/// flight and garbage not yet collected are not taken for survivors.
#[derive(Debug, Default)]
pub struct Ledger {
    stacks: StackTable,
    live: FxHashMap<u64, Live>,
    cohorts: VecDeque<Cohort>,
    /// The highest ordinal seen.
    newest: u64,
}

#[derive(Debug)]
struct Live {
    stack: Arc<Stack>,
    bytes: Bytes,
    born: Millis,
    aged: bool,
}

/// The samples first seen by one reading, or by several that were merged.
#[derive(Debug)]
struct Cohort {
    born: Millis,
    /// What of it was aged, by site; deaths do not change it.
    aged: FxHashMap<Arc<Frame>, Bytes>,
}

/// What the ledger knows of an allocation site since some time.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteGrowth {
    /// The function.
    pub site: Arc<Frame>,
    /// The heaviest of the allocating stacks.
    pub stack: Arc<Stack>,
    /// Everything alive.
    pub live_bytes: Bytes,
    /// Aged bytes alive that were born in the window.
    pub growth_bytes: Bytes,
    /// The number of samples behind `growth_bytes`.
    pub samples: u32,
    /// How `samples` spread over the thirds of the window, by birth.
    pub thirds: [u32; 3],
    /// The part of the bytes aged in the first half of the window that is still alive, 0..1; none if nothing was.
    pub survival: Option<f64>,
}

impl Ledger {
    /// Takes in a profile that was read after a major GC. Returns false, and starts anew, if the profile cannot be
    /// of the same run of the profiler.
    pub fn observe(&mut self, time: Millis, profile: &Profile) -> bool {
        let same_run = self.is_same_run(profile);
        if !same_run {
            *self = Self::default();
        }
        let newest = self.newest;
        let is_new = |ordinal: u64| ordinal > newest;
        let new_nodes: FxHashSet<u32> =
            profile.samples.iter().filter(|s| is_new(s.ordinal)).map(|s| s.node_id).collect();
        let stacks = self.stacks.stacks_of(profile, |id| new_nodes.contains(&id));

        let alive: FxHashSet<u64> = profile.samples.iter().map(|sample| sample.ordinal).collect();
        self.live.retain(|ordinal, _| alive.contains(ordinal));
        for live in self.live.values_mut().filter(|live| !live.aged) {
            live.aged = true;
            if let (Some(site), Some(cohort)) =
                (live.stack.site(), self.cohorts.iter_mut().rev().find(|cohort| cohort.born <= live.born))
            {
                *cohort.aged.entry(Arc::clone(site)).or_default() += live.bytes;
            }
        }
        for sample in profile.samples.iter().filter(|s| is_new(s.ordinal)) {
            if let Some(stack) = stacks.get(&sample.node_id) {
                let (stack, bytes) = (Arc::clone(stack), sample.live_bytes());
                self.live.insert(sample.ordinal, Live { stack, bytes, born: time, aged: false });
            }
            self.newest = self.newest.max(sample.ordinal);
        }
        self.cohorts.push_back(Cohort { born: time, aged: FxHashMap::default() });
        self.merge_cohorts();
        self.stacks.prune();
        same_run
    }

    /// When the first profile was taken in.
    pub fn start(&self) -> Option<Millis> {
        self.cohorts.front().map(|cohort| cohort.born)
    }

    /// The sites by growth since `since`, biggest first.
    pub fn growth(&self, since: Millis, now: Millis) -> Vec<SiteGrowth> {
        let span = now.since(since).get().max(1.0);
        let in_first_half = |born: Millis| born >= since && born.since(since).get() < span / 2.0;
        let mut sites: FxHashMap<&Arc<Frame>, Tally<'_>> = FxHashMap::default();
        for live in self.live.values() {
            let Some(site) = live.stack.site() else { continue };
            let tally = sites.entry(site).or_default();
            tally.live += live.bytes;
            *tally.stacks.entry(&live.stack).or_default() += live.bytes;
            if live.aged && live.born >= since {
                tally.growth += live.bytes;
                // A birth time at the very end of the window belongs to its last third.
                let third = (live.born.since(since).get() / span * 3.0) as usize;
                tally.thirds[third.min(2)] += 1;
                if in_first_half(live.born) {
                    tally.survivors += live.bytes;
                }
            }
        }
        for cohort in self.cohorts.iter().filter(|cohort| in_first_half(cohort.born)) {
            for (site, &bytes) in &cohort.aged {
                if let Some(tally) = sites.get_mut(site) {
                    tally.aged += bytes;
                }
            }
        }
        let mut growth: Vec<SiteGrowth> =
            sites.into_iter().filter_map(|(site, tally)| tally.into_growth(site)).collect();
        growth.sort_by(|a, b| {
            (b.growth_bytes, b.live_bytes, &b.site.script_name, b.site.line).cmp(&(
                a.growth_bytes,
                a.live_bytes,
                &a.site.script_name,
                a.site.line,
            ))
        });
        growth
    }

    /// The number of live samples.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether no sample is alive.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// A profiler that was restarted from outside counts its ordinals from the start again: then samples that we
    /// know have changed their size, or all known ones are gone while smaller ordinals came.
    fn is_same_run(&self, profile: &Profile) -> bool {
        profile.samples.iter().all(|sample| match self.live.get(&sample.ordinal) {
            Some(live) => live.bytes == sample.live_bytes(),
            None => sample.ordinal > self.newest,
        })
    }

    /// Joins neighbours two by two when there are too many cohorts.
    fn merge_cohorts(&mut self) {
        if self.cohorts.len() <= MAX_COHORTS {
            return;
        }
        let mut cohorts = std::mem::take(&mut self.cohorts).into_iter();
        while let Some(mut first) = cohorts.next() {
            for (site, bytes) in cohorts.next().map(|second| second.aged).into_iter().flatten() {
                *first.aged.entry(site).or_default() += bytes;
            }
            self.cohorts.push_back(first);
        }
        for live in self.live.values_mut() {
            let older = self.cohorts.partition_point(|cohort| cohort.born <= live.born);
            if let Some(cohort) = older.checked_sub(1).and_then(|index| self.cohorts.get(index)) {
                live.born = cohort.born;
            }
        }
    }
}

#[derive(Default)]
struct Tally<'a> {
    live: Bytes,
    growth: Bytes,
    thirds: [u32; 3],
    /// Aged in the first half of the window, and alive.
    survivors: Bytes,
    /// Aged in the first half of the window.
    aged: Bytes,
    stacks: FxHashMap<&'a Arc<Stack>, Bytes>,
}

impl Tally<'_> {
    fn into_growth(self, site: &Arc<Frame>) -> Option<SiteGrowth> {
        let stack = self.stacks.iter().max_by_key(|&(_, bytes)| *bytes)?.0;
        Some(SiteGrowth {
            site: Arc::clone(site),
            stack: Arc::clone(stack),
            live_bytes: self.live,
            growth_bytes: self.growth,
            samples: self.thirds.iter().sum(),
            thirds: self.thirds,
            survival: (self.aged > Bytes::ZERO)
                .then(|| (self.survivors.as_f64() / self.aged.as_f64()).min(1.0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocation::{ProfileNode, Sample};

    /// A profile in which `keep` (node 2) and `work` (node 3) allocated the samples with these ordinals.
    fn profile(keep: &[u64], work: &[u64]) -> Profile {
        let node = |id, caller, name: &str| ProfileNode {
            id,
            caller,
            frame: Frame {
                function_name: name.into(),
                script_name: if name.is_empty() { "" } else { "/app.js" }.into(),
                script_id: 7,
                line: id,
                column: 1,
            },
        };
        let sample = |node_id, ordinal| Sample { node_id, ordinal, size: Bytes::from_bytes(100), count: 10 };
        Profile {
            nodes: vec![node(1, None, ""), node(2, Some(0), "keep"), node(3, Some(0), "work")],
            samples: keep.iter().map(|&o| sample(2, o)).chain(work.iter().map(|&o| sample(3, o))).collect(),
        }
    }

    fn secs(secs: u32) -> Millis {
        Millis::from_secs(f64::from(secs))
    }

    fn of<'a>(growth: &'a [SiteGrowth], name: &str) -> &'a SiteGrowth {
        growth.iter().find(|site| site.site.function_name == name).unwrap()
    }

    #[test]
    fn survivors_are_told_from_what_passes_through() {
        let mut ledger = Ledger::default();
        // Every reading finds two more of `keep`, and of `work` only what is in flight.
        for step in 0..10_u32 {
            let now = u64::from(step) * 10;
            let kept: Vec<u64> = (0..=u64::from(step)).flat_map(|s| [s * 10 + 1, s * 10 + 2]).collect();
            assert!(ledger.observe(secs(step * 5), &profile(&kept, &[now + 3, now + 4, now + 5])));
        }
        let growth = ledger.growth(secs(0), secs(45));
        assert_eq!(growth[0].site.function_name, "keep");
        let keep = of(&growth, "keep");
        // The two of the last reading are not aged yet.
        assert_eq!((keep.samples, keep.growth_bytes.get()), (18, 18_000));
        assert_eq!(keep.live_bytes.get(), 20_000);
        assert_eq!(keep.survival, Some(1.0));
        assert_eq!(keep.thirds, [6, 6, 6]);
        let work = of(&growth, "work");
        assert_eq!((work.samples, work.survival), (0, None));
    }

    #[test]
    fn a_cohort_that_dies_late_is_no_survivor() {
        let mut ledger = Ledger::default();
        // Entries live for three readings, as with a TTL.
        for step in 0..10_u64 {
            let alive: Vec<u64> = (step.saturating_sub(2)..=step).map(|s| s + 1).collect();
            ledger.observe(secs(step as u32 * 5), &profile(&alive, &[]));
        }
        let growth = ledger.growth(secs(0), secs(45));
        assert_eq!(of(&growth, "keep").survival, Some(0.0));
    }

    #[test]
    fn what_was_there_before_the_window_is_not_growth() {
        let mut ledger = Ledger::default();
        for (step, alive) in [(0, vec![1]), (1, vec![1, 2]), (2, vec![1, 2, 3]), (3, vec![1, 2, 3])] {
            ledger.observe(secs(step), &profile(&alive, &[]));
        }
        assert_eq!(ledger.growth(secs(1), secs(3))[0].samples, 2);
        assert_eq!(ledger.growth(secs(0), secs(3))[0].samples, 3);
    }

    #[test]
    fn another_run_of_the_profiler_starts_anew() {
        let mut ledger = Ledger::default();
        assert!(ledger.observe(secs(0), &profile(&[100, 101], &[])));
        assert!(ledger.observe(secs(1), &profile(&[100, 102], &[])));
        assert!(!ledger.observe(secs(2), &profile(&[1], &[])));
        assert_eq!(ledger.len(), 1);
    }

    #[test]
    fn memory_is_bounded_and_old_cohorts_stay_known() {
        let mut ledger = Ledger::default();
        for step in 0..1_000_u64 {
            let alive: Vec<u64> = (1..=step + 1).collect();
            ledger.observe(secs(step as u32), &profile(&alive, &[]));
            assert!(ledger.cohorts.len() <= MAX_COHORTS);
        }
        let growth = ledger.growth(secs(0), secs(999));
        assert_eq!(growth[0].samples, 999);
        assert!(growth[0].survival.unwrap() > 0.8);
    }
}
