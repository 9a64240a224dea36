//! The only place that knows V8's symbols, layouts and vtables.
//!
//! Everything outside sees safe types: an [`Isolate`] can only be had on the thread that runs it and cannot
//! leave that thread. Each ability of V8 is a [`Feature`]; [`refusal`] says whether it may be used natively in
//! this process, by symbol and by tested version, and the `agrees` checks compare what we read with what
//! JavaScript reports.
#![allow(unsafe_code, reason = "calls V8's C++ functions by their addresses")]

mod feature;
mod gc;
mod isolate;
mod near_heap_limit;
mod platform;
mod region_lock;
mod sampling;
mod snapshot;
mod statistics;
mod symbols;
mod vtable;

pub use feature::{Feature, Refusal, refusal, version};
pub use gc::{GcCallbacks, GcObserver};
pub use isolate::{Isolate, RemoteIsolate};
pub use near_heap_limit::{Answer, NearHeapLimit, OnNear, give_way_at_heap_limit};
pub use platform::{Parking, Platform, release_all};
pub use region_lock::RegionLock;
pub use sampling::{LocalString, SamplingError, SamplingProfiler};
pub use snapshot::{HeapSnapshot, Numerics, SnapshotError, forget_ids};
