//! From readings to a verdict: suspect on the trend after major GCs, confirm by who survives, take back on a
//! plateau. No clock and no I/O: the same readings always give the same verdicts.
#![forbid(unsafe_code)]

mod blame;
mod budget;
mod channel;
mod containers;
mod describe;
mod detector;
mod evidence;
mod examination;
mod inquiry;
mod leak;
mod other_sites;
mod trend;

pub use budget::{GcBudget, Pace};
pub use channel::ChannelState;
pub use detector::{Detector, Growth, Inspection, Transition, Verdict};
pub use inquiry::{InquiryLimits, Step};
pub use leak::{Evidence, Leak, LeakKind, LeakRetainer, LeakSite, StackFrame, named_sites};

use crate::measure::{Bytes, Millis};

/// What the detector looks at: one reading after a major GC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When the GC ended.
    pub time: Millis,
    /// Used heap.
    pub used: Bytes,
    /// External memory.
    pub external: Bytes,
    /// `malloc`'s memory less external memory; none where it is not known.
    pub native: Option<Bytes>,
    /// Native contexts alive.
    pub contexts: u64,
    /// What is left until the heap limit.
    pub heap_room: Bytes,
    /// What is left until the container's limit; none where there is no limit.
    pub container_room: Option<Bytes>,
}
