//! V8 samples physical frames. Once it has inlined a function into its caller, what the function allocates is sampled as the
//! caller's, and the function to blame vanishes from the profile within seconds of a server's start. What was seen before
//! tells who it was: the survivors that callee and caller allocated while they were still apart.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Frame, Stack};
use crate::measure::Bytes;

/// More functions than this are not remembered.
const MAX_FUNCTIONS: usize = 4096;

/// When a sample was taken: the run of the profiler, and the ordinal in it.
pub(super) type Birth = (u32, u64);

/// Who allocated what survived, by caller. Only grows, up to its bound; deaths do not change it.
#[derive(Debug, Default)]
pub(super) struct Callees {
    callers: FxHashMap<Arc<Frame>, Caller>,
    /// Anonymous functions and the named ones they were called by, within which they seem to be written.
    enclosing: FxHashMap<Arc<Frame>, Arc<Frame>>,
}

#[derive(Debug, Default)]
struct Caller {
    /// Survivors that the function itself allocated, or callees that are inlined by now.
    own: Bytes,
    /// `own` when a callee was last seen apart.
    own_then: Bytes,
    /// The latest birth of a callee's survivor.
    last_apart: Birth,
    callees: FxHashMap<Arc<Frame>, Callee>,
}

/// The survivors that a callee allocated while it was apart.
#[derive(Debug)]
struct Callee {
    /// Of the first of them.
    stack: Arc<Stack>,
    bytes: Bytes,
    samples: u32,
}

impl Callee {
    /// How far these samples can be believed, 0..1: one of them may have been in flight, which is no survivor.
    fn trust(&self) -> f64 {
        f64::from(self.samples) / f64::from(self.samples + 2)
    }
}

/// A callee's part in what is sampled as its caller's.
#[derive(Clone, Debug, PartialEq)]
pub struct Inlined {
    /// The callee.
    pub site: Arc<Frame>,
    /// A stack of it while it was still apart.
    pub stack: Arc<Stack>,
    /// Its part, 0..1.
    pub share: f64,
}

impl Callees {
    /// The function to blame for what a stack allocates: that of the stack itself, but for an anonymous callback the named
    /// function of the same script that it is written in, as far as that was ever seen to call it.
    pub(super) fn site_of(&mut self, stack: &Stack) -> Option<Arc<Frame>> {
        let site = stack.site()?;
        if !site.function_name.is_empty() {
            return Some(Arc::clone(site));
        }
        let caller = stack.caller_of_site().filter(|caller| {
            !caller.function_name.is_empty() && caller.script_id == site.script_id && caller.line <= site.line
        });
        if let Some(caller) = caller {
            if self.enclosing.len() < MAX_FUNCTIONS {
                self.enclosing.insert(Arc::clone(site), Arc::clone(caller));
            }
            return Some(Arc::clone(caller));
        }
        Some(Arc::clone(self.enclosing.get(site).unwrap_or(site)))
    }

    /// Notes a sample that has survived. Of samples with the same caller, the older come first.
    pub(super) fn note(&mut self, stack: &Arc<Stack>, site: &Arc<Frame>, bytes: Bytes, born: Birth) {
        if let Some(own) = self.caller(site) {
            own.own += bytes;
        }
        let Some(caller) = stack.caller_of(site).and_then(|caller| self.caller(caller)) else { return };
        let callee = caller.callees.entry(Arc::clone(site)).or_insert_with(|| Callee {
            stack: Arc::clone(stack),
            bytes: Bytes::ZERO,
            samples: 0,
        });
        callee.bytes += bytes;
        callee.samples += 1;
        caller.own_then = caller.own;
        caller.last_apart = caller.last_apart.max(born);
    }

    /// What is born at the caller after this may belong to inlined callees.
    pub(super) fn last_apart(&self, caller: &Arc<Frame>) -> Option<Birth> {
        self.callers.get(caller).filter(|caller| !caller.callees.is_empty()).map(|caller| caller.last_apart)
    }

    /// How to divide what is born at the caller after `last_apart`; the rest is its own.
    pub(super) fn shares(&self, caller: &Arc<Frame>) -> Vec<Inlined> {
        let Some(caller) = self.callers.get(caller) else { return Vec::new() };
        let apart: Bytes = caller.callees.values().map(|callee| callee.bytes).sum();
        let total = apart.as_f64() + caller.own_then.as_f64();
        caller
            .callees
            .iter()
            .map(|(site, callee)| Inlined {
                site: Arc::clone(site),
                stack: Arc::clone(&callee.stack),
                share: callee.bytes.as_f64() / total.max(1.0) * callee.trust(),
            })
            .collect()
    }

    fn caller(&mut self, frame: &Arc<Frame>) -> Option<&mut Caller> {
        if self.callers.len() >= MAX_FUNCTIONS && !self.callers.contains_key(frame) {
            return None;
        }
        Some(self.callers.entry(Arc::clone(frame)).or_default())
    }
}
