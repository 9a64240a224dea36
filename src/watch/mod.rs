//! One isolate under watch: the stages put together, and torn down in order.
//!
//! Everything here belongs to the isolate's thread; other threads reach it through its mailbox only.
#![forbid(unsafe_code)]

mod density;
mod examiner;
mod history;
mod isolate_watch;
mod mailbox;
mod malloc_monitor;
mod near_heap_limit;
mod sampler;

pub use density::Density;
pub use examiner::Spent;
pub use history::{History, now};
pub use isolate_watch::{Config, IsolateWatch, SamplingConfig, Status};
pub use mailbox::{Letter, Mailbox};
pub use malloc_monitor::MallocMonitor;
pub use near_heap_limit::act_near_heap_limit;
pub use sampler::{Sampler, SamplerState};
