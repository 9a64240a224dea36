//! The lock of what all isolates of a process share of their C++ objects (`cppgc::internal::PersistentRegionLock`).
//!
//! An isolate keeps it from the time that it marks them until its major GC is over. A child that is forked meanwhile by the
//! thread of another isolate would wait for it for ever: 9 of some 90 children did beside three Workers that allocate.

use std::{ffi::c_void, ptr};

use super::symbols::SYMBOLS;

/// The lock, held until it is dropped. A forked child has to drop its copy.
#[derive(Debug)]
#[must_use]
pub struct RegionLock {
    unlock: unsafe extern "C" fn(*mut c_void),
}

impl RegionLock {
    /// Waits for it, as every major GC does. Not within a GC of this thread. None where V8 does not let us.
    pub fn take() -> Option<Self> {
        let (lock, unlock) = (SYMBOLS.lock_region?, SYMBOLS.unlock_region?);
        // SAFETY: the constructor of a class without members; this thread does not have the lock.
        unsafe { lock(ptr::from_mut(&mut 0_u64).cast()) };
        Some(Self { unlock })
    }
}

impl Drop for RegionLock {
    fn drop(&mut self) {
        // SAFETY: the destructor of a class without members, whose constructor has taken the lock.
        unsafe { (self.unlock)(ptr::from_mut(&mut 0_u64).cast()) };
    }
}
