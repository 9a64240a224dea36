//! Asks a process from outside for its snapshots: `leakguard dump`.
//!
//! A signal ends a process that does not handle it. So it goes only to one that is proven to have leakguard armed, through a
//! pidfd, which cannot come to mean another process; every doubt is a [`Refusal`]. `proof` has the order, `status` and `maps` read
//! what the kernel says, `beacon_file` what the process says of itself, `diagnosis` finds words for what is missing, `follow`
//! waits for the files, and `list` finds who is armed.
#![forbid(unsafe_code)]

mod beacon_file;
mod diagnosis;
mod follow;
mod list;
mod maps;
mod proof;
mod refusal;
mod status;
mod view;

pub use super::beacon::{Identity, RecordError, Stage, Thread, Written};
pub use follow::{Dump, Failure, Found, ThreadDump, dump};
pub use list::{ArmedProcess, Listing, armed_processes};
pub use refusal::Refusal;
pub(super) use status::start_time;
