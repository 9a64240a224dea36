//! Readings of memory, as plain records: what V8, the process and the container say of themselves.

mod cgroup;
mod gc;
mod headroom;
mod heap;
mod process;
mod units;

pub use cgroup::{Cgroup, CgroupMemory, CgroupVersion};
pub use gc::{GcEvent, GcKind, GcReading, GcRing};
pub use headroom::Headroom;
pub use heap::{HeapSpace, HeapStatistics};
pub use process::{pss, rss};
pub use units::{Bytes, Millis, grouped};
