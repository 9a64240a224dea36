use serde::{Deserialize, Serialize};

use super::{Page, Text, size};
use crate::{
    detect::LeakSite,
    measure::{Bytes, GcEvent, Millis},
};

/// What was known when a heap came near its limit: a file of kilobytes, written before anything larger is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeapLimitReport {
    /// The version of leakguard that wrote it. First of all fields: by it the file is known.
    pub leakguard: String,
    /// The version of this shape.
    pub version: u32,
    /// When, as an ISO date with the local offset.
    pub time: String,
    /// The process.
    pub pid: u32,
    /// Node's thread id: 0 on the main thread.
    pub thread_id: u32,
    /// What V8 lets the old generation have.
    pub limit: Bytes,
    /// What it was in the beginning.
    pub initial_limit: Bytes,
    /// By how much it is raised for a moment, to have room for what follows.
    pub raised_by: Bytes,
    /// In use in V8's heap.
    pub used: Bytes,
    /// Memory outside of it that its objects keep alive.
    pub external: Bytes,
    /// Native contexts alive, and those that are detached.
    pub contexts: (u64, u64),
    /// The container's limit and usage, where it has one.
    pub container: Option<(Bytes, Bytes)>,
    /// The latest major GCs, oldest first.
    pub history: Vec<MajorGc>,
    /// Who allocated what is alive, most first; empty where that was not known at the moment.
    pub sites: Vec<LeakSite>,
    /// The snapshot that is written next, beside this file; it is there if there was room and time for it.
    pub snapshot: String,
}

/// A major GC.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MajorGc {
    /// When it ended, in milliseconds since the Unix epoch.
    pub time: Millis,
    /// The heap in use afterwards.
    pub used: Bytes,
    /// External memory afterwards.
    pub external: Bytes,
    /// How long JavaScript was stopped.
    pub pause_ms: Millis,
}

impl From<&GcEvent> for MajorGc {
    fn from(event: &GcEvent) -> Self {
        let statistics = event.reading.statistics;
        Self {
            time: event.time,
            used: statistics.used,
            external: statistics.external,
            pause_ms: event.reading.pause,
        }
    }
}

/// How a file of this kind begins.
pub const BEGINNING: &str = "{\"leakguard\":";

/// One screen about it.
pub fn heap_limit(report: &HeapLimitReport, has_snapshot: bool, page: Page) -> String {
    let mut text = Text::new(page);
    let thread = match report.thread_id {
        0 => String::new(),
        id => format!(", worker {id}"),
    };
    text.line(&format!("The heap of process {}{thread} was near its limit at {}.", report.pid, report.time));
    text.line("");
    text.field("heap", &format!("{} in use, {} allowed", report.used, report.limit));
    text.field("raised by", &format!("{}, for this report and a snapshot", report.raised_by));
    text.field("external", &report.external.to_string());
    text.field("contexts", &format!("{}, {} of them detached", report.contexts.0, report.contexts.1));
    if let Some((limit, usage)) = report.container {
        text.field("container", &format!("{usage} in use, {limit} allowed"));
    }
    let snapshot = if has_snapshot { "is there" } else { "is not there" };
    text.field("snapshot", &format!("{} {snapshot}", report.snapshot));
    text.table("Who allocated what is alive", &["live", "grown by", "samples"], &report.sites, |site| {
        let numbers = [site.live_bytes.get(), site.growth_bytes.get()].map(size);
        let place =
            format!("{} ({}:{})", site.frame.function_name, site.frame.script_name, site.frame.line_number);
        (numbers.into_iter().chain([site.samples.to_string()]).collect(), place)
    });
    if let (Some(first), Some(last)) = (report.history.first(), report.history.last()) {
        text.title("After major GCs");
        let seconds = last.time.since(first.time).get() / 1e3;
        let grown = Bytes::from_bytes(last.used.get().abs_diff(first.used.get()));
        let direction = if last.used >= first.used { "grew" } else { "shrank" };
        text.line(&format!(
            "  {} of them in {seconds:.0} s; the heap {direction} by {grown}, from {} to {}",
            report.history.len(),
            first.used,
            last.used
        ));
    }
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> HeapLimitReport {
        let major = |time, used| MajorGc {
            time: Millis::from_millis(time),
            used: Bytes::from_mib(used),
            external: Bytes::ZERO,
            pause_ms: Millis::from_millis(2.0),
        };
        HeapLimitReport {
            leakguard: "1.2.3".into(),
            version: 1,
            time: "2026-03-04T05:06:07+00:00".into(),
            pid: 4711,
            thread_id: 0,
            limit: Bytes::from_mib(100),
            initial_limit: Bytes::from_mib(100),
            raised_by: Bytes::from_mib(31),
            used: Bytes::from_mib(99),
            external: Bytes::from_mib(1),
            contexts: (1, 0),
            container: None,
            history: vec![major(1_000.0, 50), major(11_000.0, 99)],
            sites: Vec::new(),
            snapshot: "Heap.heapsnapshot".into(),
        }
    }

    #[test]
    fn it_is_known_by_its_beginning_and_read_as_it_was_written() {
        let text = serde_json::to_string(&report()).expect("plain data");
        assert!(text.starts_with(BEGINNING), "{text}");
        assert_eq!(serde_json::from_str::<HeapLimitReport>(&text).expect("the same"), report());
    }

    #[test]
    fn one_screen_says_what_grew() {
        let text = heap_limit(&report(), false, Page { width: 100, colour: false, full: false });
        assert!(text.contains("99.0 MiB in use, 100.0 MiB allowed"), "{text}");
        assert!(
            text.contains("2 of them in 10 s; the heap grew by 49.0 MiB, from 50.0 MiB to 99.0 MiB"),
            "{text}"
        );
        assert!(text.contains("Heap.heapsnapshot is not there"), "{text}");
    }
}
