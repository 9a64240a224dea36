//! Who allocates: from V8's sampling profile to allocation sites.
#![forbid(unsafe_code)]

mod heapprofile;
mod inlining;
mod ledger;
mod merge;
mod pprof;
mod profile;
mod site;
mod stack;
#[cfg(test)]
mod testing;

pub use heapprofile::encode as encode_heapprofile;
pub use inlining::Inlined;
pub use ledger::{Ledger, SiteGrowth};
pub use pprof::{PprofMeta, encode as encode_pprof};
pub use profile::{Frame, Profile, ProfileNode, Sample};
pub use site::AllocationSite;
pub use stack::{Origin, Stack};
