use std::{ffi::c_void, marker::PhantomData, ptr::NonNull};

use super::symbols::{InterruptCallback, IsolatePtr, SYMBOLS};
use crate::measure::Bytes;

/// V8 starts incremental marking when the external memory has grown by more than this since the last major GC
/// (`kExternalAllocationSoftLimit`).
const SOFT_LIMIT: Bytes = Bytes::from_mib(64);
/// It collects at once, with a pause, where the external memory exceeds half of old space. That is a bit less than half of the
/// heap's limit; we stay below this part of it.
const HARD_LIMIT: f64 = 1.0 / 3.0;

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

    /// Whether `suggest_major_gc` can work without making V8 collect at once.
    pub fn takes_suggestions(self) -> bool {
        self.statistics().is_some_and(|statistics| {
            let limit = statistics.heap_size_limit.as_f64() * HARD_LIMIT;
            statistics.external.as_f64() + SOFT_LIMIT.as_f64() < limit
        })
    }

    /// Has V8 start incremental marking: a major GC follows, spread over the next work, without the pause of a forced one.
    ///
    /// For a moment external memory seems to have grown, which V8 answers with an ordinary major GC. A notification of moderate
    /// memory pressure makes it shrink new space and drop maps as well, and the code compiled for them: 110 ms of CPU
    /// instead of 20 for a small server (`benches/README.md`).
    pub fn suggest_major_gc(self) {
        let Some(adjust) = SYMBOLS.adjust_external_memory.filter(|_| self.takes_suggestions()) else {
            return;
        };
        let step = SOFT_LIMIT.get() as i64 + 1;
        for change in [step, -step] {
            // SAFETY: `self` is the isolate of this thread; what is added is taken away at once.
            unsafe { adjust(self.as_ptr(), change) };
        }
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
