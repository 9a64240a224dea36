use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::blame::{Blamed, blame};
use crate::{
    allocation::{Frame, SiteGrowth, Stack},
    measure::{Bytes, Millis},
};

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeakKind {
    /// Objects on the JavaScript heap.
    Heap,
    /// Memory that JavaScript objects keep alive outside of the heap: Buffers, ArrayBuffers.
    External,
    /// Memory of `malloc` that belongs to neither.
    Native,
    /// Contexts (`vm.createContext()`, and what keeps them).
    Contexts,
}

impl LeakKind {
    /// The name that JavaScript sees.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::External => "external",
            Self::Native => "native",
            Self::Contexts => "contexts",
        }
    }
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Readings after major GCs keep rising.
    Trend,
    /// Objects sampled early in the rise still live.
    Cohort,
    /// Snapshots show who keeps what grows.
    Snapshot,
}

/// A frame as JavaScript sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackFrame {
    /// V8's bare function name, or `(anonymous)`.
    pub function_name: String,
    /// File path or URL.
    pub script_name: String,
    /// Where the function begins, from 1.
    pub line_number: u32,
    /// Where the function begins, from 1.
    pub column_number: u32,
}

impl From<&Frame> for StackFrame {
    fn from(frame: &Frame) -> Self {
        Self {
            function_name: frame.display_name().to_owned(),
            script_name: frame.script_name.clone(),
            line_number: frame.line,
            column_number: frame.column,
        }
    }
}

impl StackFrame {
    /// All frames of a stack, innermost first.
    pub fn of_stack(stack: &Stack) -> Vec<Self> {
        stack.frames().iter().map(|frame| Self::from(&**frame)).collect()
    }
}

/// A function that allocates what leaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeakSite {
    /// The function.
    #[serde(flatten)]
    pub frame: StackFrame,
    /// What it allocated that is alive.
    pub live_bytes: Bytes,
    /// What of it was born during the rise.
    pub growth_bytes: Bytes,
    /// The number of samples behind `growth_bytes`: its relative error is about 1 / sqrt(samples).
    pub samples: u32,
    /// The heaviest stack, innermost frame first.
    pub stack: Vec<StackFrame>,
}

impl From<&Blamed> for LeakSite {
    fn from(blamed: &Blamed) -> Self {
        Self {
            frame: StackFrame::from(&*blamed.site),
            live_bytes: blamed.live_bytes,
            growth_bytes: blamed.growth_bytes,
            samples: blamed.samples,
            stack: StackFrame::of_stack(&blamed.stack),
        }
    }
}

/// The functions to name for the growth of these sites, biggest first.
pub fn named_sites(sites: &[SiteGrowth]) -> Vec<LeakSite> {
    blame(sites).iter().map(LeakSite::from).collect()
}

/// What keeps what leaks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeakRetainer {
    /// The way to it from the module, function or root that it hangs on, in words.
    pub path: String,
    /// The class of most of its newest members.
    pub class_name: String,
    /// How many members it has.
    pub count: u64,
    /// How many of them came between the first snapshot and the last.
    pub count_growth: u64,
    /// By how much what they keep has grown in that time.
    pub retained_growth: Bytes,
    /// How its members came and went, in a phrase.
    pub reason: String,
}

/// A confirmed leak.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leak {
    /// Unique in the process.
    pub id: String,
    /// What grows.
    pub kind: LeakKind,
    /// Node's id of the thread whose isolate leaks; 0 is the main thread.
    pub thread_id: u32,
    /// When the rise began.
    pub start: Millis,
    /// The latest reading.
    pub end: Millis,
    /// Bytes from `start` to `end`; for contexts, their number.
    pub growth: u64,
    /// A sentence.
    pub reason: String,
    /// Bytes (contexts) an hour, at the present rate.
    pub bytes_per_hour: u64,
    /// 0..1.
    pub confidence: f64,
    /// When the heap's or the container's limit is reached at this rate; none where there is none.
    pub limit_in_ms: Option<f64>,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// Who allocates it, biggest growth first; empty where the kind has no sites.
    pub sites: Vec<LeakSite>,
    /// Who keeps it, the likeliest first; empty where no snapshots were taken.
    pub retainers: Vec<LeakRetainer>,
    /// The snapshots that it rests on, where they are kept.
    pub snapshots: Vec<PathBuf>,
}
