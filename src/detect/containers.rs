//! What the containers that grow say of a rise.

use super::{LeakKind, leak::LeakRetainer};
use crate::{
    measure::{Bytes, Millis},
    snapshot::{Container, Difference, Verdict},
};

/// Containers that explain a smaller part of the growth do not explain it.
const LEAST_PART: f64 = 0.2;
/// So many are told.
const MOST: usize = 5;
/// What nothing is due of before is not waited for.
const LONGEST_WAIT: f64 = 3_600.0;
/// After something is due it takes a while until it is removed.
const GRACE: f64 = 1.2;

/// Of what cannot be told apart only growth with the work speaks for a leak: later growth over earlier has to be this. A warm-up that ended in
/// the middle of the last interval (154, 332, then 400 compiled functions) passed with the .5 that suffices for snapshots in general.
const SLOWING_DOWN: f64 = 0.7;

/// What cannot be told apart has to grow for so many seconds: a warm-up grows with the work for half a minute, too...
const LONG: f64 = 45.0;
/// ... unless memory ends in less than this.
const SOON: Millis = Millis::from_millis(5.0 * 60e3);

/// What snapshots say of a rise.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// These keep what grows. Certain: their members were seen to stay; otherwise they only grow with the work.
    Kept { retainers: Vec<LeakRetainer>, is_certain: bool },
    /// Nothing has to be gone before so many seconds are over.
    TooEarly { seconds: f64, reason: String },
    /// What grows is no leak, as far as can be seen.
    Harmless(String),
    /// Nothing explains the growth.
    Nothing,
}

/// Judges by the containers. `rate`: what the rise gains in a millisecond; `room`: what memory is left for it.
pub(super) fn weigh_containers(difference: &Difference, kind: LeakKind, rate: f64, room: Bytes) -> Finding {
    let sizes = difference.snapshots.first().zip(difference.snapshots.last());
    let growth = sizes.map_or(0, |(first, last)| last.total_size.saturating_sub(first.total_size));
    let explains = |container: &&Container| container.growth as f64 >= growth as f64 * LEAST_PART;
    // A cache whose capacity is beyond what memory there is leaks all the same, and so does what is due too late.
    let outgrows = |container: &&Container| match (container.verdict, container.capacity, container.due_in) {
        (Verdict::Filling, Some(capacity), _) => projected(container, capacity) > room.as_f64(),
        (Verdict::Expiring, _, Some(seconds)) => rate * seconds * 1e3 > room.as_f64(),
        _ => false,
    };
    let told = |container: &Container| format!("{}: {}", container.path, container.reason);
    let others = difference.others.iter().filter(explains);
    let suspects = difference.suspects.iter().filter(explains);
    let (slow, mut kept): (Vec<&Container>, Vec<&Container>) =
        suspects.partition(|container| slows_down(container, difference));
    kept.extend(others.clone().filter(outgrows));
    if !kept.is_empty() {
        // Certain ones first, in the order of their rank otherwise.
        kept.sort_by_key(|container| container.verdict == Verdict::Probable);
        let is_certain = kept.iter().any(|container| container.verdict != Verdict::Probable);
        let span = sizes.map_or(0.0, |(first, last)| last.work - first.work);
        if kind == LeakKind::Heap && !is_certain && span < LONG && room.as_f64() > rate * SOON.get() {
            let reason = format!("{}, but for {span:.0} s only", told(kept[0]));
            return Finding::TooEarly { seconds: LONG - span, reason };
        }
        return Finding::Kept {
            retainers: kept.into_iter().take(MOST).map(LeakRetainer::from).collect(),
            is_certain,
        };
    }
    if let Some(container) = slow.first() {
        return Finding::Harmless(format!("{}, and it slows down", told(container)));
    }
    let expiring = others.clone().filter(|container| container.verdict == Verdict::Expiring);
    let latest =
        expiring.max_by(|one, other| one.due_in.unwrap_or(0.0).total_cmp(&other.due_in.unwrap_or(0.0)));
    if let Some((container, seconds)) = latest.and_then(|container| container.due_in.map(|s| (container, s)))
    {
        let seconds = (seconds * GRACE).min(LONGEST_WAIT);
        return Finding::TooEarly { seconds, reason: told(container) };
    }
    match others.clone().next() {
        Some(largest) => Finding::Harmless(told(largest)),
        None if kind == LeakKind::Heap && growth == 0 => {
            Finding::Harmless("the snapshots do not grow".into())
        }
        None => Finding::Nothing,
    }
}

/// Whether one whose members cannot be told apart grew less than before at last.
fn slows_down(container: &Container, difference: &Difference) -> bool {
    let rates: Vec<f64> = container
        .populations
        .windows(2)
        .zip(difference.snapshots.windows(2))
        .map(|(members, totals)| (members[1] as f64 - members[0] as f64) / (totals[1].work - totals[0].work))
        .collect();
    let [first, .., last] = rates[..] else { return false };
    container.verdict == Verdict::Probable && last < first * SLOWING_DOWN
}

/// What a container still gains until it has so many members, in bytes.
fn projected(container: &Container, capacity: u64) -> f64 {
    let population = container.populations.last().copied().unwrap_or(0).max(1);
    let bytes = container.bytes.last().copied().unwrap_or(0);
    bytes as f64 / population as f64 * capacity.saturating_sub(population) as f64
}

/// A sentence of the one that keeps most.
pub(super) fn sentence(retainer: &LeakRetainer) -> String {
    format!("{} keeps it: {}.", retainer.path, retainer.reason)
}

impl From<&Container> for LeakRetainer {
    fn from(container: &Container) -> Self {
        let ends = container.populations.first().zip(container.populations.last());
        Self {
            path: container.path.clone(),
            class_name: container.class_name.clone(),
            count: ends.map_or(0, |(_, last)| *last),
            count_growth: ends.map_or(0, |(first, last)| last.saturating_sub(*first)),
            retained_growth: Bytes::from_bytes(container.growth),
            reason: container.reason.clone(),
        }
    }
}
