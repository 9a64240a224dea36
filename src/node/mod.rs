//! The face towards JavaScript: converts and delegates, computes nothing.
//!
//! What happens seldom goes over as JSON text, which the shim parses: plain objects, whatever the thread they come
//! from. What is asked for often goes over as numbers.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "napi's macros want public items and generate undocumented ones"
)]
#![cfg_attr(test, allow(dead_code, reason = "without Node nobody registers the exports"))]

mod analysis;
mod dump;
mod gc_event;
mod json;
mod probe;
mod strings;
mod watch;
