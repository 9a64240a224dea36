use crate::measure::{Bytes, Millis};

/// How eagerly major GCs are helped along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Nothing is suspected: now and then, while the heap grows.
    Slow,
    /// Something rises: as often as the budget allows.
    Fast,
}

impl Pace {
    /// The part of one core that helped majors may take.
    const fn share(self) -> f64 {
        match self {
            Self::Slow => 0.003,
            Self::Fast => 0.03,
        }
    }
}

/// A suggested major GC costs about this (measured: 12 to 25 ms on a heap of 13 MB, marking in the background included)...
const COST_PER_MIB: Millis = Millis::from_millis(1.75);
/// ... and never less than this.
const MIN_COST: Millis = Millis::from_millis(4.0);
/// Majors closer together than this say nothing new.
const MIN_GAP: Millis = Millis::from_millis(3_000.0);
/// The budget saved up in quiet times pays for this many majors.
const SAVED_MAJORS: f64 = 2.0;

/// The CPU time that helped major GCs may take: a bucket that fills at the pace's share of one core.
#[derive(Clone, Debug, Default)]
pub struct GcBudget {
    /// None until the first question: a process that starts has one major to spare.
    saved: Option<Millis>,
    filled: Millis,
    spent: Millis,
    helped: u32,
}

impl GcBudget {
    /// Whether a major may be helped along now; if so, it is paid for.
    ///
    /// `used` is the heap after the last major, `last_major` when it was, `grown` what old space has gained since; None
    /// where a reading is wanted all the same.
    pub fn may_help(
        &mut self,
        now: Millis,
        pace: Pace,
        used: Bytes,
        grown: Option<Bytes>,
        last_major: Option<Millis>,
    ) -> bool {
        let cost = cost(used);
        let saved = match self.saved {
            None => cost.get(),
            Some(saved) => saved.get() + now.since(self.filled).get().max(0.0) * pace.share(),
        };
        let saved = Millis::from_millis(saved.min(cost.get() * SAVED_MAJORS));
        self.saved = Some(saved);
        self.filled = now;
        let is_fresh = last_major.is_some_and(|last| now.since(last) < MIN_GAP);
        let is_idle = grown.is_some_and(|grown| grown < worthwhile(pace, used));
        if is_fresh || is_idle || saved < cost {
            return false;
        }
        self.saved = Some(saved.since(cost));
        self.spent += cost;
        self.helped += 1;
        true
    }

    /// How many majors were helped along, and what they cost by estimate.
    pub const fn spent(&self) -> (u32, Millis) {
        (self.helped, self.spent)
    }
}

fn cost(used: Bytes) -> Millis {
    let marking = used.as_f64() / Bytes::from_mib(1).as_f64() * COST_PER_MIB.get();
    Millis::from_millis(marking.max(MIN_COST.get()))
}

/// An idle process is left alone; a suspected one is also read when it grows no more.
fn worthwhile(pace: Pace, used: Bytes) -> Bytes {
    match pace {
        Pace::Slow => Bytes::from_bytes((used.get() / 32).max(Bytes::from_kib(512).get())),
        Pace::Fast => Bytes::from_kib(64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a growing heap of `mib` is helped in `secs`, asked every second.
    fn helped(mib: u64, pace: Pace, secs: u32) -> u32 {
        let mut budget = GcBudget::default();
        let mut last = None;
        for sec in 0..secs {
            let now = Millis::from_secs(f64::from(sec));
            if budget.may_help(now, pace, Bytes::from_mib(mib), Some(Bytes::from_mib(mib)), last) {
                last = Some(now);
            }
        }
        budget.spent().0
    }

    #[test]
    fn the_pace_follows_the_size_of_the_heap() {
        assert_eq!(helped(20, Pace::Fast, 600), 200);
        assert_eq!(helped(20, Pace::Slow, 600), 52);
        assert_eq!(helped(1024, Pace::Fast, 600), 11);
        assert_eq!(helped(1, Pace::Fast, 600), 200);
    }

    #[test]
    fn an_idle_process_is_left_alone() {
        let mut budget = GcBudget::default();
        for sec in 0..600 {
            let now = Millis::from_secs(f64::from(sec));
            assert!(!budget.may_help(now, Pace::Fast, Bytes::from_mib(20), Some(Bytes::ZERO), None));
        }
    }

    #[test]
    fn what_does_not_grow_is_read_where_that_is_asked() {
        let mut budget = GcBudget::default();
        assert!(budget.may_help(Millis::from_secs(1.0), Pace::Slow, Bytes::from_mib(20), None, None));
    }
}
