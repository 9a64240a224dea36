use std::collections::VecDeque;

use super::{Bytes, HeapStatistics, Millis};

/// The kinds of garbage collection that V8 tells apart (`v8::GCType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GcKind {
    /// Young generation, copying.
    Scavenge,
    /// Young generation, marking.
    MinorMarkSweep,
    /// The whole heap; what is left afterwards is alive.
    MarkCompact,
    /// A step that starts incremental marking.
    Incremental,
    /// Weak callbacks run after a collection.
    WeakCallbacks,
}

impl GcKind {
    /// Every kind with V8's bit for it and the name that JavaScript sees.
    const TABLE: [(Self, i32, &'static str); 5] = [
        (Self::Scavenge, 1, "scavenge"),
        (Self::MinorMarkSweep, 2, "minor-mark-sweep"),
        (Self::MarkCompact, 4, "mark-compact"),
        (Self::Incremental, 8, "incremental"),
        (Self::WeakCallbacks, 16, "weak-callbacks"),
    ];

    /// From V8's bit.
    pub fn from_v8(bit: i32) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.1 == bit).map(|row| row.0)
    }

    /// From the name that JavaScript sees.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.2 == name).map(|row| row.0)
    }

    /// The name that JavaScript sees.
    pub fn name(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}

/// What was read at the end of one garbage collection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GcReading {
    /// What kind it was.
    pub kind: GcKind,
    /// How long it stopped JavaScript.
    pub pause: Millis,
    /// Used in old space afterwards.
    pub old_space: Bytes,
    /// Committed for new space, both of its halves; zero where it is not known.
    pub new_space: Bytes,
    /// The heap afterwards.
    pub statistics: HeapStatistics,
}

/// A garbage collection in the history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GcEvent {
    /// When it ended.
    pub time: Millis,
    /// What was read then.
    pub reading: GcReading,
}

/// The latest events, oldest first; a new one pushes out the oldest when the ring is full.
#[derive(Debug)]
pub struct GcRing {
    events: VecDeque<GcEvent>,
    capacity: usize,
    total: u64,
}

impl GcRing {
    /// An empty ring whose memory is all taken now: pushing never allocates.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { events: VecDeque::with_capacity(capacity), capacity, total: 0 }
    }

    /// Adds the newest event.
    pub fn push(&mut self, event: GcEvent) {
        if self.events.len() == self.capacity {
            self.events.pop_front();
        }
        self.events.push_back(event);
        self.total += 1;
    }

    /// How many events were ever pushed.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The events kept, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &GcEvent> {
        self.events.iter()
    }

    /// The events pushed since `total()` was `seen`, as far as they are still kept, oldest first.
    pub fn since(&self, seen: u64) -> impl Iterator<Item = &GcEvent> {
        let new = usize::try_from(self.total.saturating_sub(seen)).unwrap_or(usize::MAX);
        self.events.iter().skip(self.events.len().saturating_sub(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: f64) -> GcEvent {
        let reading = GcReading {
            kind: GcKind::MarkCompact,
            pause: Millis::ZERO,
            old_space: Bytes::ZERO,
            new_space: Bytes::ZERO,
            statistics: HeapStatistics::default(),
        };
        GcEvent { time: Millis::from_millis(time), reading }
    }

    fn times<'a>(events: impl Iterator<Item = &'a GcEvent>) -> Vec<f64> {
        events.map(|event| event.time.get()).collect()
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut ring = GcRing::with_capacity(3);
        for time in 1..=5 {
            ring.push(event(f64::from(time)));
        }
        assert_eq!(times(ring.iter()), [3.0, 4.0, 5.0]);
        assert_eq!(times(ring.since(4)), [5.0]);
        assert_eq!(times(ring.since(0)), [3.0, 4.0, 5.0]);
        assert_eq!(times(ring.since(5)), Vec::<f64>::new());
    }

    #[test]
    fn names_and_bits_lead_to_the_same_kind() {
        for (kind, bit, name) in GcKind::TABLE {
            assert_eq!(GcKind::from_v8(bit), Some(kind));
            assert_eq!(GcKind::from_name(name), Some(kind));
            assert_eq!(kind.name(), name);
        }
        assert_eq!(GcKind::from_v8(3), None);
    }
}
