use napi_derive::napi;

use crate::measure::{Bytes, GcEvent, GcKind, GcReading, HeapStatistics, Millis};

/// A garbage collection. Sizes in bytes, times in milliseconds.
#[napi(object)]
pub struct NativeGcEvent {
    /// When it ended, since the Unix epoch.
    pub time: f64,
    /// `scavenge`, `minor-mark-sweep`, `mark-compact`, `incremental` or `weak-callbacks`.
    pub kind: String,
    /// Used heap afterwards.
    pub used: f64,
    /// Used in old space afterwards.
    pub old_space: f64,
    /// External memory afterwards.
    pub external: f64,
    /// V8's own malloc use afterwards.
    pub malloced: f64,
    /// Native contexts alive.
    pub contexts: f64,
    /// The heap limit.
    pub limit: f64,
    /// How long JavaScript was stopped.
    pub pause_ms: f64,
}

impl From<&GcEvent> for NativeGcEvent {
    fn from(event: &GcEvent) -> Self {
        let statistics = event.reading.statistics;
        Self {
            time: event.time.get(),
            kind: event.reading.kind.name().to_owned(),
            used: statistics.used.as_f64(),
            old_space: event.reading.old_space.as_f64(),
            external: statistics.external.as_f64(),
            malloced: statistics.malloced.as_f64(),
            contexts: statistics.native_contexts as f64,
            limit: statistics.heap_size_limit.as_f64(),
            pause_ms: event.reading.pause.get(),
        }
    }
}

impl NativeGcEvent {
    /// As the measuring stage knows it; none for an unknown kind.
    pub(super) fn to_event(&self) -> Option<GcEvent> {
        let bytes = |size: f64| Bytes::from_bytes(size as u64);
        let statistics = HeapStatistics {
            used: bytes(self.used),
            external: bytes(self.external),
            malloced: bytes(self.malloced),
            native_contexts: self.contexts as u64,
            heap_size_limit: bytes(self.limit),
            ..HeapStatistics::default()
        };
        let reading = GcReading {
            kind: GcKind::from_name(&self.kind)?,
            pause: Millis::from_millis(self.pause_ms),
            old_space: bytes(self.old_space),
            new_space: Bytes::ZERO,
            statistics,
        };
        Some(GcEvent { time: Millis::from_millis(self.time), reading })
    }
}
