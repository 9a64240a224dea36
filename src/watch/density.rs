use crate::measure::{Bytes, Millis};

/// What taking a sample costs (a stack walk; measured as the slope from 512 to 32 KiB in allocation-heavy code).
const COST_PER_SAMPLE: Millis = Millis::from_millis(0.01);
/// Dense sampling may take this part of one core...
const SHARE: f64 = 0.005;
/// ... and is never denser than this.
const DENSEST: Bytes = Bytes::from_kib(32);
/// For so long sampling is dense when work begins.
const OPENING: Millis = Millis::from_millis(20e3);
/// For so long after that a still denser interval may be chosen.
const SETTLING: Millis = Millis::from_millis(5e3);
/// For so long dense sampling goes on while the heap rises.
const LONGEST: Millis = Millis::from_millis(5.0 * 60e3);

/// Chooses the sampling interval.
///
/// Each change makes V8 begin anew and costs the survivors' history, so there are few: sampling is dense when work begins, as
/// V8 has not inlined the functions yet, and their names are to be had only then; it stays so while the heap rises; and it
/// becomes so again when the heap is suspect and the samples do not tell. All of it only where it is cheap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Density {
    /// Dense since, and at which interval.
    dense: Option<(Millis, Bytes)>,
    opened: bool,
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
    /// Whether it is suspect and the samples do not tell.
    pub(super) wants_more: bool,
}

impl Density {
    pub(super) fn choose(&mut self, moment: &Moment) -> Bytes {
        let affordable = affordable(moment.allocated, moment.elapsed);
        if let Some((since, interval)) = self.dense {
            let age = moment.now.since(since);
            // A process that starts allocates more than it does later; the profile so far is not worth much.
            if age < SETTLING && affordable * 2 <= interval.get() && interval > DENSEST {
                let interval = Bytes::from_bytes(affordable).max(DENSEST);
                self.dense = Some((since, interval));
                return interval;
            }
            let wanted = age < OPENING || (age < LONGEST && (moment.rises || moment.wants_more));
            // A burst is borne; a load that has become much heavier is not.
            if wanted && affordable <= interval.get() * 4 {
                return interval;
            }
            self.dense = None;
            return moment.normal;
        }
        let begins = !self.opened && moment.allocated > Bytes::ZERO;
        let interval = Bytes::from_bytes(affordable).max(DENSEST);
        if (begins || moment.wants_more) && interval.get() <= moment.normal.get() / 2 {
            self.opened = true;
            self.dense = Some((moment.now, interval));
            return interval;
        }
        moment.normal
    }
}

/// The interval, in bytes, at which sampling takes its share of the time.
fn affordable(allocated: Bytes, elapsed: Millis) -> u64 {
    (allocated.as_f64() / elapsed.get().max(1.0) * COST_PER_SAMPLE.get() / SHARE) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: Bytes = Bytes::from_kib(512);

    fn at(secs: f64, mib: u64) -> Moment {
        let allocated = Bytes::from_mib(mib);
        let elapsed = Millis::from_secs(1.0);
        Moment {
            now: Millis::from_secs(secs),
            normal: NORMAL,
            allocated,
            elapsed,
            rises: false,
            wants_more: false,
        }
    }

    #[test]
    fn sampling_is_dense_for_a_while_when_work_begins() {
        let mut density = Density::default();
        assert_eq!(density.choose(&at(0.0, 0)), NORMAL);
        assert_eq!(density.choose(&at(60.0, 1)), DENSEST);
        assert_eq!(density.choose(&at(70.0, 1)), DENSEST);
        assert_eq!(density.choose(&at(81.0, 1)), NORMAL);
        assert_eq!(density.choose(&at(90.0, 1)), NORMAL);
    }

    #[test]
    fn it_stays_dense_while_the_heap_rises_but_not_for_ever() {
        let mut density = Density::default();
        assert_eq!(density.choose(&at(0.0, 1)), DENSEST);
        assert_eq!(density.choose(&Moment { rises: true, ..at(60.0, 1) }), DENSEST);
        assert_eq!(density.choose(&Moment { rises: true, ..at(301.0, 1) }), NORMAL);
    }

    #[test]
    fn the_start_of_a_process_does_not_set_the_interval_for_long() {
        let mut density = Density::default();
        assert_eq!(density.choose(&at(0.0, 100)), Bytes::from_bytes(209_715));
        assert_eq!(density.choose(&at(1.0, 10)), DENSEST);
        assert_eq!(density.choose(&at(6.0, 20)), DENSEST);
    }

    #[test]
    fn it_is_not_where_that_is_dear() {
        let mut density = Density::default();
        assert_eq!(density.choose(&at(0.0, 1_000)), NORMAL);
        assert_eq!(density.choose(&at(1.0, 100)), Bytes::from_bytes(209_715));
        assert_eq!(density.choose(&at(2.0, 2_000)), NORMAL);
    }

    #[test]
    fn a_suspicion_without_samples_asks_for_more() {
        let mut density = Density { dense: None, opened: true };
        assert_eq!(density.choose(&at(0.0, 1)), NORMAL);
        assert_eq!(density.choose(&Moment { wants_more: true, ..at(1.0, 1) }), DENSEST);
    }
}
