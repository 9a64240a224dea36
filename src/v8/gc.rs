//! GC callbacks. Within them V8 forbids JavaScript and allocation on its heap; we also take no lock and allocate
//! nothing. They can nest: V8 may run a scavenge within a mark-compact.

use std::{cell::UnsafeCell, ffi::c_int, ffi::c_void, time::Instant};

use super::{
    Isolate,
    symbols::{IsolatePtr, SYMBOLS},
};
use crate::measure::{GcKind, GcReading, Millis};

/// Every bit of `v8::GCType`.
const ALL_KINDS: c_int = 31;
/// Deeper nesting than this is counted but not timed.
const MAX_DEPTH: usize = 8;

/// Receives the readings, within the GC callback: it must not allocate on V8's heap, call JavaScript or block.
pub trait GcObserver: 'static {
    /// One garbage collection has ended. `spent` is what our callbacks took of it.
    fn collected(&self, reading: GcReading, spent: Millis);
}

/// The installed callbacks; dropping them uninstalls.
pub struct GcCallbacks {
    isolate: Isolate,
    /// Shared with V8 as the callbacks' data; freed in `drop`, after V8 has forgotten it.
    data: *mut Data,
}

struct Data {
    observer: Box<dyn GcObserver>,
    old_space: Option<usize>,
    new_space: Option<usize>,
    stack: UnsafeCell<Stack>,
}

struct Stack {
    depth: usize,
    started: [Option<Instant>; MAX_DEPTH],
    spent: [Millis; MAX_DEPTH],
}

impl GcCallbacks {
    /// Installs callbacks on the isolate of this thread; `None` where V8 does not offer them.
    pub fn install(isolate: Isolate, observer: Box<dyn GcObserver>) -> Option<Self> {
        let s = &*SYMBOLS;
        let (add_prologue, add_epilogue) = (s.add_gc_prologue?, s.add_gc_epilogue?);
        if s.remove_gc_prologue.is_none() || s.remove_gc_epilogue.is_none() {
            return None;
        }
        let index_of = |name| {
            (0..isolate.space_count()).find(|&index| isolate.space(index).is_some_and(|s| s.name == name))
        };
        let (old_space, new_space) = (index_of("old_space"), index_of("new_space"));
        let stack = Stack { depth: 0, started: [None; MAX_DEPTH], spent: [Millis::ZERO; MAX_DEPTH] };
        let data =
            Box::into_raw(Box::new(Data { observer, old_space, new_space, stack: UnsafeCell::new(stack) }));
        // SAFETY: this thread's isolate; `data` lives until `drop` has removed the callback.
        unsafe { add_prologue(isolate.as_ptr(), prologue, data.cast(), ALL_KINDS) };
        // SAFETY: as above.
        unsafe { add_epilogue(isolate.as_ptr(), epilogue, data.cast(), ALL_KINDS) };
        Some(Self { isolate, data })
    }
}

impl Drop for GcCallbacks {
    fn drop(&mut self) {
        if let (Some(remove_prologue), Some(remove_epilogue)) =
            (SYMBOLS.remove_gc_prologue, SYMBOLS.remove_gc_epilogue)
        {
            // SAFETY: the same isolate, callback and data as at installation; an `Isolate` never leaves its thread,
            // and neither does this guard.
            unsafe { remove_prologue(self.isolate.as_ptr(), prologue, self.data.cast()) };
            // SAFETY: as above.
            unsafe { remove_epilogue(self.isolate.as_ptr(), epilogue, self.data.cast()) };
            // SAFETY: made by `Box::into_raw`, and V8 holds it no longer.
            drop(unsafe { Box::from_raw(self.data) });
        }
    }
}

unsafe extern "C" fn prologue(_: IsolatePtr, _: c_int, _: c_int, data: *mut c_void) {
    let entered = Instant::now();
    // SAFETY: V8 passes the data of the installation, which outlives the callbacks.
    let data = unsafe { &*data.cast::<Data>() };
    // SAFETY: callbacks run on the isolate's thread only, and no reference outlives one of them.
    let stack = unsafe { &mut *data.stack.get() };
    if let (Some(started), Some(spent)) =
        (stack.started.get_mut(stack.depth), stack.spent.get_mut(stack.depth))
    {
        *spent = elapsed(entered);
        *started = Some(Instant::now());
    }
    stack.depth += 1;
}

unsafe extern "C" fn epilogue(isolate: IsolatePtr, kind: c_int, _: c_int, data: *mut c_void) {
    let ended = Instant::now();
    // SAFETY: V8 passes the data of the installation, which outlives the callbacks.
    let data = unsafe { &*data.cast::<Data>() };
    let (started, spent) = {
        // SAFETY: callbacks run on the isolate's thread only, and no reference outlives one of them.
        let stack = unsafe { &mut *data.stack.get() };
        // Callbacks installed from within a GC see its end without its beginning.
        let Some(depth) = stack.depth.checked_sub(1) else { return };
        stack.depth = depth;
        let started = stack.started.get_mut(depth).and_then(Option::take);
        (started, stack.spent.get(depth).copied().unwrap_or_default())
    };
    let (Some(started), Some(kind), Some(isolate)) =
        (started, GcKind::from_v8(kind), Isolate::of_callback(isolate))
    else {
        return;
    };
    let Some(statistics) = isolate.statistics() else { return };
    let (_, old_space) = data.old_space.and_then(|index| isolate.space_sizes(index)).unwrap_or_default();
    let (new_space, _) = data.new_space.and_then(|index| isolate.space_sizes(index)).unwrap_or_default();
    let pause = Millis::from_nanos(nanos(ended.duration_since(started)));
    let mut spent = spent;
    spent += elapsed(ended);
    data.observer.collected(GcReading { kind, pause, old_space, new_space, statistics }, spent);
}

fn elapsed(since: Instant) -> Millis {
    Millis::from_nanos(nanos(since.elapsed()))
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
