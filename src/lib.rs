//! leakguard finds memory leaks inside the Node.js process that has them. This page is the contents: the way of
//! the data, and the terms.
//!
//! ```text
//! V8 --> measure --> detect --> capture --> snapshot --> report
//!  |                  ^  ^                     |
//!  +--> allocation ---+  +--- what has grown --+
//! ```
//!
//! | module | purpose |
//! |---|---|
//! | [`v8`] | the only place that knows V8's symbols, layouts and vtables |
//! | [`measure`] | readings: heap, external, PSS, control group; the ring of GC events |
//! | [`allocation`] | sampling profile -> allocation sites, cohorts by age; exports |
//! | [`native`] | what the C allocator says of itself |
//! | [`detect`] | readings -> suspect -> confirmed -> resolved; no clock, no I/O |
//! | [`capture`] | when, where and how a snapshot is written |
//! | [`snapshot`] | a snapshot's file -> who keeps whom, how much, and where it hangs |
//! | [`report`] | what people read of it |
//! | [`watch`] | one isolate with all of these, armed and torn down in order |
//! | `node` | the face towards JavaScript: converts and delegates |
//!
//! # Terms
//! - *snapshot*: a V8 heap snapshot, nothing else. A reading of statistics is a *measurement* or *reading*.
//! - *major GC*: a mark-compact; what is left afterwards is alive.
//! - *allocation site*: the innermost function of the application on an allocating stack.
//! - *cohort*: the sampled objects that were first seen by the same reading of the profile.
//! - *route*: native, or the fallback through `node:v8`, `node:inspector` and `perf_hooks`.

pub mod allocation;
pub mod capture;
pub mod detect;
pub mod measure;
pub mod native;
mod node;
pub mod report;
pub mod snapshot;
pub mod v8;
pub mod watch;
