//! A snapshot that a forked child takes, while this process goes on: copy-on-write gives the child the heap as it was.
//!
//! V8's workers are parked, all private memory is let through, and all signals wait while it forks.
#![allow(unsafe_code, reason = "forks")]

mod child;
mod compare;
mod maps;
mod task;
mod watchdog;

use std::{io, mem::MaybeUninit, ptr, sync::Arc};

pub(super) use compare::Comparing;
use maps::LetThrough;
pub(super) use maps::{Range, kept_from_children};
pub(super) use task::Task;
pub(super) use watchdog::{Child, ChildError};

use super::progress::Progress;
use crate::{
    measure::Bytes,
    v8::{Isolate, RegionLock},
};

/// What a child is to do.
#[derive(Debug)]
pub(super) struct Order {
    /// With the snapshot, one after the other.
    pub(super) tasks: Vec<Task>,
    /// The most memory that the child may take beyond what it is born with.
    pub(super) memory: Bytes,
    /// Whether the isolate's thread is the main thread, whose end the kernel tells the child.
    pub(super) is_main_thread: bool,
    /// How far it is.
    pub(super) progress: Arc<Progress>,
}

/// Forks, on the isolate's thread, while V8's workers are parked and no other isolate has `lock`. `kept` is what [`kept_from_children`] found a moment
/// ago. Returns in the parent only.
pub(super) fn fork(isolate: Isolate, order: &Order, kept: &[Range], lock: RegionLock) -> io::Result<Child> {
    let open = LetThrough::open(kept)?;
    let signals = SignalsBlocked::now();
    // SAFETY: always succeeds.
    let parent = unsafe { libc::getpid() };
    // SAFETY: the child does what child.rs says, and leaves by `_exit`. `fork` rather than `_fork`: glibc's malloc and others
    // have handlers that make their locks usable in the child.
    let pid = unsafe { libc::fork() };
    match pid {
        0 => {
            drop(lock);
            child::run(isolate, order, parent)
        }
        -1 => Err(io::Error::last_os_error()),
        pid => {
            drop(open);
            drop(signals);
            Ok(Child::new(pid))
        }
    }
}

/// No signal reaches this thread while it lives: a handler of the host must not run in the child.
struct SignalsBlocked(libc::sigset_t);

impl SignalsBlocked {
    fn now() -> Self {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: fills the whole set.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: the set is filled.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: filled by the call, which cannot fail with these arguments.
        Self(unsafe { before.assume_init() })
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: what was in force before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}
