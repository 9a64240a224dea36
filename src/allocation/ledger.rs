use std::{collections::VecDeque, sync::Arc};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Frame, Profile, Sample, Stack,
    inlining::{Birth, Callees, Inlined},
    stack::StackTable,
};
use crate::measure::{Bytes, Millis};

/// Of more cohorts than this, neighbours are joined: the horizon grows, the detail shrinks.
const MAX_COHORTS: usize = 64;
/// So many of the newest are left as they are.
const FINE_COHORTS: usize = 8;

/// The live samples by age. Fed with a profile after each major GC, it knows which cohort of objects, born
/// between two such readings, still lives.
///
/// A sample is *aged* once it was found alive again with a major GC in between, so that requests in flight and garbage
/// not yet collected are not taken for survivors.
#[derive(Debug, Default)]
pub struct Ledger {
    stacks: StackTable,
    live: FxHashMap<u64, Live>,
    cohorts: VecDeque<Cohort>,
    /// Outlives the run of the profiler.
    callees: Callees,
    /// Counts the runs of the profiler.
    run: u32,
    /// The highest ordinal seen.
    newest: u64,
}

#[derive(Debug)]
struct Live {
    site: Arc<Frame>,
    stack: Arc<Stack>,
    bytes: Bytes,
    /// The latest major GC when it was first seen.
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
    /// The part of `growth_bytes` that may belong to functions inlined into this one...
    pub inlined_bytes: Bytes,
    /// ... the samples behind it...
    pub inlined_samples: u32,
    /// ... and whose it probably is; the rest is the site's own.
    pub inlined: Vec<Inlined>,
}

impl Ledger {
    /// Takes in a profile that was read now; the latest major GC was at `major`. Returns false, and starts anew, if the
    /// profile cannot be of the same run of the profiler.
    pub fn observe(&mut self, major: Millis, profile: &Profile) -> bool {
        let samples = settled_samples(profile);
        let same_run = self.is_same_run(&samples);
        if !same_run {
            self.restart();
        }
        let alive: FxHashSet<u64> = samples.iter().map(|sample| sample.ordinal).collect();
        let newest = self.newest;
        let new: Vec<Sample> = samples.into_iter().filter(|sample| sample.ordinal > newest).collect();
        let new_nodes: FxHashSet<u32> = new.iter().map(|sample| sample.node_id).collect();
        let stacks = self.stacks.stacks_of(profile, |id| new_nodes.contains(&id));

        self.live.retain(|ordinal, _| alive.contains(ordinal));
        self.age(major);
        for sample in new {
            self.newest = self.newest.max(sample.ordinal);
            let Some(stack) = stacks.get(&sample.node_id) else { continue };
            let Some(site) = self.callees.site_of(stack) else { continue };
            let (stack, bytes) = (Arc::clone(stack), sample.live_bytes);
            self.live.insert(sample.ordinal, Live { site, stack, bytes, born: major, aged: false });
        }
        self.cohorts.push_back(Cohort { born: major, aged: FxHashMap::default() });
        self.merge_cohorts();
        self.stacks.prune();
        same_run
    }

    /// What was there before the major GC and is alive is aged.
    fn age(&mut self, major: Millis) {
        let mut aging: Vec<(&u64, &mut Live)> =
            self.live.iter_mut().filter(|(_, live)| !live.aged && live.born < major).collect();
        aging.sort_unstable_by_key(|(ordinal, _)| **ordinal);
        for (&ordinal, live) in aging {
            live.aged = true;
            self.callees.note(&live.stack, &live.site, live.bytes, (self.run, ordinal));
            if let Some(cohort) = self.cohorts.iter_mut().rev().find(|cohort| cohort.born <= live.born) {
                *cohort.aged.entry(Arc::clone(&live.site)).or_default() += live.bytes;
            }
        }
    }

    /// Forgets the samples: the profiler begins anew.
    pub fn restart(&mut self) {
        *self = Self { callees: std::mem::take(&mut self.callees), run: self.run + 1, ..Self::default() };
    }

    /// When the first profile was taken in.
    pub fn start(&self) -> Option<Millis> {
        self.cohorts.front().map(|cohort| cohort.born)
    }

    /// The sites by growth after the reading at `since`, biggest first.
    pub fn growth(&self, since: Millis, now: Millis) -> Vec<SiteGrowth> {
        let span = now.since(since).get().max(1.0);
        let in_first_half = |born: Millis| born > since && born.since(since).get() < span / 2.0;
        let mut sites: FxHashMap<&Arc<Frame>, Tally<'_>> = FxHashMap::default();
        for (&ordinal, live) in &self.live {
            let birth: Birth = (self.run, ordinal);
            let tally = sites.entry(&live.site).or_default();
            tally.live += live.bytes;
            *tally.stacks.entry(&live.stack).or_default() += live.bytes;
            if live.aged && live.born > since {
                tally.growth += live.bytes;
                // A birth time at the very end of the window belongs to its last third.
                let third = (live.born.since(since).get() / span * 3.0) as usize;
                tally.thirds[third.min(2)] += 1;
                if in_first_half(live.born) {
                    tally.survivors += live.bytes;
                }
                if self.callees.last_apart(&live.site).is_some_and(|apart| birth > apart) {
                    tally.inlined_bytes += live.bytes;
                    tally.inlined_samples += 1;
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
            sites.into_iter().filter_map(|(site, tally)| tally.into_growth(site, &self.callees)).collect();
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
    fn is_same_run(&self, samples: &[Sample]) -> bool {
        samples.iter().all(|sample| match self.live.get(&sample.ordinal) {
            Some(live) => live.bytes == sample.live_bytes,
            None => sample.ordinal > self.newest,
        })
    }

    /// Joins two neighbours when there are too many cohorts: those that span the least time together, but none of the
    /// newest.
    fn merge_cohorts(&mut self) {
        let Some(last) =
            self.cohorts.len().checked_sub(FINE_COHORTS).filter(|_| self.cohorts.len() > MAX_COHORTS)
        else {
            return;
        };
        let span = |index: usize| self.cohorts[index + 2].born.since(self.cohorts[index].born).get();
        let Some(index) = (0..last).min_by(|&a, &b| span(a).total_cmp(&span(b))) else { return };
        let Some(second) = self.cohorts.remove(index + 1) else { return };
        let first = &mut self.cohorts[index];
        for (site, bytes) in second.aged {
            *first.aged.entry(site).or_default() += bytes;
        }
        for live in self.live.values_mut().filter(|live| live.born == second.born) {
            live.born = first.born;
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
    inlined_bytes: Bytes,
    inlined_samples: u32,
    stacks: FxHashMap<&'a Arc<Stack>, Bytes>,
}

impl Tally<'_> {
    fn into_growth(self, site: &Arc<Frame>, callees: &Callees) -> Option<SiteGrowth> {
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
            inlined_bytes: self.inlined_bytes,
            inlined_samples: self.inlined_samples,
            inlined: if self.inlined_samples > 0 { callees.shares(site) } else { Vec::new() },
        })
    }
}

/// The samples whose stacks are in the tree. V8 samples what it allocates itself while it puts the tree together; from the first
/// sample that came too late for the tree, all are left to the next reading.
fn settled_samples(profile: &Profile) -> Vec<Sample> {
    let nodes: FxHashSet<u32> = profile.nodes.iter().map(|node| node.id).collect();
    let is_late = |sample: &&Sample| !nodes.contains(&sample.node_id);
    let late = profile.samples.iter().filter(is_late).map(|sample| sample.ordinal).min();
    let is_settled = |sample: &&Sample| late.is_none_or(|late| sample.ordinal < late);
    profile.samples.iter().filter(is_settled).copied().collect()
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
        let sample =
            |node_id, ordinal| Sample { node_id, ordinal, live_bytes: Bytes::from_bytes(1_000), count: 10 };
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
        // Not the two that were there at the start, and not the two of the last reading, which are not aged yet.
        assert_eq!((keep.samples, keep.growth_bytes.get()), (16, 16_000));
        assert_eq!(keep.live_bytes.get(), 20_000);
        assert_eq!(keep.survival, Some(1.0));
        assert_eq!(keep.thirds, [4, 6, 6]);
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

    /// The growth at `work` when `keep` is seen within it until `apart` readings are over; then it is inlined, and `work` seems to
    /// allocate in its stead. One survivor a reading, twenty readings.
    fn growth_at_work_when_keep_is_inlined(apart: u64) -> SiteGrowth {
        let mut nested = profile(&[], &[]);
        nested.nodes[1].caller = Some(2);
        nested.nodes.swap(1, 2);
        nested.nodes[1].caller = Some(0);
        nested.nodes[2].caller = Some(1);
        let mut ledger = Ledger::default();
        for step in 1..=20_u64 {
            let (keep, work): (Vec<u64>, Vec<u64>) = (1..=step).partition(|&ordinal| ordinal <= apart);
            ledger.observe(
                secs(step as u32 * 5),
                &Profile { nodes: nested.nodes.clone(), ..profile(&keep, &work) },
            );
        }
        let growth = ledger.growth(secs(5), secs(100));
        of(&growth, "work").clone()
    }

    #[test]
    fn what_an_inlined_function_allocates_is_given_back_to_it() {
        let work = growth_at_work_when_keep_is_inlined(10);
        assert_eq!((work.samples, work.inlined_samples), (9, 9));
        assert_eq!(work.inlined.len(), 1);
        assert_eq!(work.inlined[0].site.function_name, "keep");
        assert_eq!((work.inlined[0].share * 100.0).round(), 83.0);
    }

    #[test]
    fn a_single_survivor_is_not_believed_to_be_all() {
        let work = growth_at_work_when_keep_is_inlined(1);
        assert_eq!(work.samples, 18);
        assert_eq!((work.inlined[0].share * 100.0).round(), 33.0);
    }

    #[test]
    fn what_was_there_before_the_window_is_not_growth() {
        let mut ledger = Ledger::default();
        for (step, alive) in [(0, vec![1]), (1, vec![1, 2]), (2, vec![1, 2, 3]), (3, vec![1, 2, 3])] {
            ledger.observe(secs(step), &profile(&alive, &[]));
        }
        assert_eq!(ledger.growth(secs(1), secs(3))[0].samples, 1);
        assert_eq!(ledger.growth(secs(0), secs(3))[0].samples, 2);
    }

    #[test]
    fn what_v8_allocates_by_itself_does_not_look_like_another_run() {
        let mut ledger = Ledger::default();
        let mut profile = profile(&[1], &[2]);
        // The root has no JavaScript on its stack.
        profile.samples[0].node_id = 1;
        assert!(ledger.observe(secs(0), &profile));
        assert!(ledger.observe(secs(1), &profile));
        assert_eq!(ledger.len(), 2);
    }

    #[test]
    fn only_who_outlives_a_major_gc_is_aged() {
        let mut ledger = Ledger::default();
        ledger.observe(secs(0), &profile(&[], &[]));
        for _ in 0..3 {
            ledger.observe(secs(1), &profile(&[1], &[]));
        }
        assert_eq!(ledger.growth(secs(0), secs(2))[0].samples, 0);
        ledger.observe(secs(2), &profile(&[1], &[]));
        assert_eq!(ledger.growth(secs(0), secs(2))[0].samples, 1);
    }

    #[test]
    fn what_reading_the_profile_allocates_does_not_look_like_another_run() {
        let mut ledger = Ledger::default();
        let mut reading = profile(&[1, 2, 3], &[]);
        // Sampled after the tree was put together; number 3 is another object with a stack known before.
        reading.samples[1].node_id = 99;
        assert!(ledger.observe(secs(0), &reading));
        assert_eq!(ledger.len(), 1);
        assert!(ledger.observe(secs(1), &profile(&[1, 2, 3], &[])));
        assert_eq!(ledger.len(), 3);
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
        // Without the first cohort, which is one of at least 32.
        assert!(growth[0].samples >= 999 - 2 * 999 / 32, "{}", growth[0].samples);
        assert!(growth[0].survival.unwrap() > 0.8);
    }
}
