use std::{ffi::c_void, marker::PhantomData, ptr::NonNull};

use super::symbols::{InterruptCallback, IsolatePtr, SYMBOLS};

/// `v8::MemoryPressureLevel::kModerate`.
const PRESSURE_MODERATE: i32 = 1;

/// The isolate that runs on the current thread.
///
/// It cannot be sent to another thread, which is what makes its methods safe: a Node thread keeps its isolate
/// for as long as addon code can run on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isolate {
    pointer: NonNull<c_void>,
    not_send: PhantomData<*mut ()>,
}

impl Isolate {
    /// The isolate of this thread, where there is one and V8 lets itself be asked.
    pub fn current() -> Option<Self> {
        let try_current = SYMBOLS.try_current?;
        // SAFETY: reads a thread-local of V8's and returns null on threads without an isolate.
        let pointer = unsafe { try_current() };
        NonNull::new(pointer).map(Self::from_non_null)
    }

    /// The isolate a V8 callback was called with, provided it is this thread's.
    pub(super) fn of_callback(pointer: IsolatePtr) -> Option<Self> {
        Self::current().filter(|isolate| isolate.as_ptr() == pointer)
    }

    const fn from_non_null(pointer: NonNull<c_void>) -> Self {
        Self { pointer, not_send: PhantomData }
    }

    pub(super) const fn as_ptr(self) -> IsolatePtr {
        self.pointer.as_ptr()
    }

    /// Suggests to V8 that it start incremental marking: a major GC follows, spread over the next work, without
    /// the pause of a forced one. Returns whether V8 could be asked.
    pub fn suggest_major_gc(self) -> bool {
        let Some(notify) = SYMBOLS.memory_pressure else {
            return false;
        };
        // SAFETY: `self` is the isolate of this thread. V8 resets the level by itself once it has acted on it
        // (`Heap::CheckMemoryPressure`), so that each call counts anew.
        unsafe { notify(self.as_ptr(), PRESSURE_MODERATE) };
        true
    }

    /// A handle for other threads.
    pub const fn remote(self) -> RemoteIsolate {
        RemoteIsolate(self.pointer)
    }
}

/// An isolate as another thread may hold it: good for nothing but asking for an interrupt.
#[derive(Debug)]
pub struct RemoteIsolate(NonNull<c_void>);

// SAFETY: the pointer is only ever handed to `RequestInterrupt`, which V8 documents as callable from any thread.
unsafe impl Send for RemoteIsolate {}
// SAFETY: as above; `RequestInterrupt` takes V8's own lock.
unsafe impl Sync for RemoteIsolate {}

impl RemoteIsolate {
    /// Has V8 call `run` on the isolate's thread at its next stack check, also within an endless loop. `run` must
    /// not re-enter JavaScript. If the isolate ends first, `run` is dropped with V8's queue and leaks.
    ///
    /// # Safety
    /// The isolate must not have been disposed of; the caller holds a lock that its teardown also takes.
    pub unsafe fn request_interrupt(&self, run: Box<dyn FnOnce(Isolate) + Send>) -> bool {
        let Some(request) = SYMBOLS.request_interrupt else {
            return false;
        };
        let data = Box::into_raw(Box::new(run)).cast::<c_void>();
        // SAFETY: the isolate lives (the caller's duty), and `interrupted` takes back exactly this data, once.
        unsafe { request(self.0.as_ptr(), interrupted as InterruptCallback, data) };
        true
    }
}

/// V8 calls this between two JavaScript instructions; JavaScript must not be entered.
unsafe extern "C" fn interrupted(isolate: IsolatePtr, data: *mut c_void) {
    // SAFETY: `data` comes from `request_interrupt`, and V8 delivers each request once.
    let run = unsafe { Box::from_raw(data.cast::<Box<dyn FnOnce(Isolate) + Send>>()) };
    if let Some(isolate) = Isolate::of_callback(isolate) {
        // A panic must not unwind into V8.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(isolate)));
    }
}
