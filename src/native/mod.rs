//! Memory outside of V8: what the C allocator says of itself.
#![allow(unsafe_code, reason = "calls the C allocator")]

mod malloc;

pub use malloc::{MallocAccounting, give_back};
