use crate::measure::{Bytes, Millis};

/// When work begins, so much of what is allocated is sampled densely: about 2,000 samples, 20 ms of CPU in all. An Express server
/// has then answered some thousand requests, and V8 begins to inline.
const OPENING: Bytes = Bytes::from_mib(64);
/// The interval for that.
const OPENING_INTERVAL: Bytes = Bytes::from_kib(32);
/// For so long a major GC is awaited afterwards.
const CLOSING: Millis = Millis::from_millis(15e3);
/// It is not begun where more than this is allocated a second.
const OPENING_RATE: Bytes = Bytes::from_mib(100);
/// Less than this between two ticks is no work; work after so many such ticks is a new beginning.
const IDLE: Bytes = Bytes::from_mib(1);
const IDLE_TICKS: u32 = 10;
/// While the heap rises, sampling is so many times denser...
const DENSER: u64 = 16;
/// ... and for so long after it was seen to rise: one reading that does not rise must not cost the survivors' history...
const CALM: Millis = Millis::from_millis(30e3);
/// ... but for at most this long at a time, and then not for as long.
const LONGEST: Millis = Millis::from_millis(15.0 * 60e3);
/// What taking a sample costs (a stack walk; measured as the slope from 512 to 32 KiB in allocation-heavy code)...
const COST_PER_SAMPLE: Millis = Millis::from_millis(0.01);
/// ... and the part of one core that this may take.
const SHARE: f64 = 0.01;

/// Chooses the sampling interval.
///
/// Each change makes V8 begin anew and costs the survivors' history, so there are few: sampling is dense when work begins, as
/// V8 has not inlined the functions yet, and their names are to be had only then; and it is denser than at rest while the heap
/// rises.
#[derive(Clone, Copy, Debug)]
pub struct Density {
    phase: Phase,
    idle_ticks: u32,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Work has not begun.
    Idle,
    /// It has; so much is left to be sampled densely.
    Opening(Bytes),
    /// It was; since then a major GC is awaited, which tells the survivors apart.
    Closing(Millis),
    Normal,
    /// The heap rises.
    Dense {
        since: Millis,
        /// When it was seen to rise last.
        seen: Millis,
        interval: Bytes,
    },
    /// It was dense for as long as it may be, until then, and rests.
    Resting(Millis),
}

/// What the choice rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Millis,
    /// The interval that the user wants.
    pub(super) normal: Bytes,
    /// What was allocated since the last tick...
    pub(super) allocated: Bytes,
    /// ... in this time.
    pub(super) elapsed: Millis,
    /// Whether the heap rises.
    pub(super) rises: bool,
    /// When the latest major GC was.
    pub(super) last_major: Option<Millis>,
}

impl Default for Density {
    fn default() -> Self {
        Self { phase: Phase::Idle, idle_ticks: 0 }
    }
}

impl Density {
    /// Since when a major GC is awaited.
    pub(super) const fn closing_since(&self) -> Option<Millis> {
        match self.phase {
            Phase::Closing(since) => Some(since),
            _ => None,
        }
    }

    pub(super) fn choose(&mut self, moment: &Moment) -> Bytes {
        self.idle_ticks = if moment.allocated < IDLE { self.idle_ticks + 1 } else { 0 };
        self.phase = self.next(moment);
        match self.phase {
            Phase::Opening(_) | Phase::Closing(_) => OPENING_INTERVAL.min(moment.normal),
            Phase::Dense { interval, .. } => interval,
            Phase::Idle | Phase::Normal | Phase::Resting(_) => moment.normal,
        }
    }

    fn next(&self, moment: &Moment) -> Phase {
        let rate = moment.allocated.as_f64() / moment.elapsed.get().max(1.0);
        match self.phase {
            Phase::Idle if moment.allocated >= IDLE && rate * 1e3 < OPENING_RATE.as_f64() => {
                Phase::Opening(OPENING)
            }
            Phase::Opening(left) if moment.allocated < left => {
                Phase::Opening(left.saturating_sub(moment.allocated))
            }
            Phase::Opening(_) => Phase::Closing(moment.now),
            Phase::Closing(since)
                if moment.now.since(since) < CLOSING
                    && moment.last_major.is_none_or(|major| major < since) =>
            {
                self.phase
            }
            Phase::Dense { since, .. } if moment.now.since(since) >= LONGEST => Phase::Resting(moment.now),
            Phase::Dense { since, interval, .. } if moment.rises => {
                Phase::Dense { since, seen: moment.now, interval }
            }
            Phase::Dense { seen, .. } if moment.now.since(seen) < CALM => self.phase,
            Phase::Resting(since) if moment.now.since(since) < LONGEST => self.phase,
            Phase::Idle => Phase::Idle,
            _ if moment.rises => {
                let affordable = Bytes::from_bytes((rate * COST_PER_SAMPLE.get() / SHARE) as u64);
                let interval = Bytes::from_bytes(moment.normal.get() / DENSER).max(affordable);
                if interval.get() <= moment.normal.get() / 2 {
                    Phase::Dense { since: moment.now, seen: moment.now, interval }
                } else {
                    Phase::Normal
                }
            }
            _ if self.idle_ticks >= IDLE_TICKS => Phase::Idle,
            _ => Phase::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: Bytes = Bytes::from_kib(512);
    const DENSE: Bytes = Bytes::from_kib(32);

    fn at(secs: u32, mib: u64) -> Moment {
        Moment {
            now: Millis::from_secs(f64::from(secs)),
            normal: NORMAL,
            allocated: Bytes::from_mib(mib),
            elapsed: Millis::from_secs(1.0),
            rises: false,
            last_major: None,
        }
    }

    /// The intervals chosen in kibibytes, a tick a second.
    fn course(density: &mut Density, moments: impl IntoIterator<Item = Moment>) -> Vec<u64> {
        moments.into_iter().map(|moment| density.choose(&moment).get() / 1024).collect()
    }

    #[test]
    fn a_beginning_is_sampled_densely_and_so_is_the_next_after_a_rest() {
        let mut density = Density::default();
        let mibs = [0, 0, 20, 40, 40, 40, 40, 40];
        // It ends with the first major GC after so much.
        let last_major = |sec| Some(Millis::from_secs(if sec < 7 { 1.0 } else { 6.5 }));
        let busy =
            mibs.iter().zip(0..).map(|(&mib, sec)| Moment { last_major: last_major(sec), ..at(sec, mib) });
        assert_eq!(course(&mut density, busy), [512, 512, 32, 32, 32, 32, 32, 512]);
        let rest = (10..21).map(|sec| at(sec, 0)).chain([at(21, 20)]);
        assert_eq!(course(&mut density, rest).last(), Some(&32));
    }

    #[test]
    fn a_major_gc_is_not_awaited_for_ever() {
        let mut density = Density::default();
        let intervals = course(&mut density, (0..20).map(|sec| at(sec, 50)));
        assert_eq!(intervals.iter().position(|&interval| interval == 512), Some(17));
    }

    #[test]
    fn it_is_denser_while_the_heap_rises_but_not_for_ever() {
        let mut density = Density { phase: Phase::Normal, idle_ticks: 0 };
        assert_eq!(density.choose(&Moment { rises: true, ..at(0, 10) }), DENSE);
        assert_eq!(density.choose(&Moment { rises: true, ..at(60, 10) }), DENSE);
        assert_eq!(density.choose(&at(61, 10)), DENSE);
        assert_eq!(density.choose(&Moment { rises: true, ..at(80, 10) }), DENSE);
        assert_eq!(density.choose(&at(109, 10)), DENSE);
        assert_eq!(density.choose(&at(110, 10)), NORMAL);
        let rising = (200..3_800).map(|sec| Moment { rises: true, ..at(sec, 10) });
        let dense = course(&mut density, rising).iter().filter(|&&interval| interval == 32).count();
        assert_eq!(dense, 1_800);
    }

    #[test]
    fn it_is_not_where_that_is_dear() {
        let mut density = Density::default();
        assert_eq!(course(&mut density, (0..9).map(|sec| at(sec, 1_000))), [512; 9]);
        density.phase = Phase::Normal;
        assert_eq!(density.choose(&Moment { rises: true, ..at(10, 1_000) }), NORMAL);
        assert_eq!(density.choose(&Moment { rises: true, ..at(11, 200) }), Bytes::from_bytes(209_715));
    }
}
