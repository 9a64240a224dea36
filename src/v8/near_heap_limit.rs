//! V8's call before it gives up for want of heap (include/v8-isolate.h, `NearHeapLimitCallback`).
//!
//! V8 calls only the newest callback, and ends the process if that raises nothing. Node's own ends a Worker in an orderly way:
//! ours has to get out of its way, having raised the limit a little, so that Node's is called the next time.

use std::{
    cell::{Cell, RefCell},
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{Isolate, symbols::SYMBOLS};
use crate::measure::Bytes;

/// What becomes of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The limit is so much, and we want to be called again.
    Stay(Bytes),
    /// The limit is so much, and whoever was there before us is called from now on.
    StepAside(Bytes),
}

/// What is done when the limit is near: on the isolate's thread, perhaps within a GC, where JavaScript must not run. Is told
/// the limit and what it was in the beginning.
pub type OnNear = Box<dyn FnMut(Isolate, Bytes, Bytes) -> Answer>;

/// Whether this process is a forked child, whose memory is bounded otherwise.
static GIVES_WAY: AtomicBool = AtomicBool::new(false);

/// Has the limit give way, in a forked child: what happens at the limit is its parent's affair.
pub fn give_way_at_heap_limit() {
    GIVES_WAY.store(true, Ordering::Relaxed);
}

thread_local! {
    /// V8 ends a process that installs a callback twice in an isolate.
    static INSTALLED: Cell<bool> = const { Cell::new(false) };
}

/// The installed callback; dropping it uninstalls.
pub struct NearHeapLimit {
    isolate: Isolate,
    /// Shared with V8 as the callback's data; freed in `drop`, after V8 has forgotten it.
    data: *mut Data,
}

struct Data {
    on_near: RefCell<OnNear>,
    is_installed: Cell<bool>,
}

impl NearHeapLimit {
    /// Installs the callback in the isolate of this thread; none where V8 does not offer it, or one of ours is there.
    pub fn install(isolate: Isolate, on_near: OnNear) -> Option<Self> {
        let add = SYMBOLS.add_near_heap_limit.filter(|_| SYMBOLS.remove_near_heap_limit.is_some())?;
        if INSTALLED.replace(true) {
            return None;
        }
        let data = Data { on_near: RefCell::new(on_near), is_installed: Cell::new(true) };
        let data = Box::into_raw(Box::new(data));
        // SAFETY: this thread's isolate; `data` lives until `drop` has removed the callback.
        unsafe { add(isolate.as_ptr(), near, data.cast()) };
        Some(Self { isolate, data })
    }
}

impl Drop for NearHeapLimit {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw`; V8 uses it only within a call, which is not where we are.
        let data = unsafe { Box::from_raw(self.data) };
        remove(self.isolate, &data);
    }
}

/// V8 ends a process that removes what is not there.
fn remove(isolate: Isolate, data: &Data) {
    if let Some(remove) = SYMBOLS.remove_near_heap_limit.filter(|_| data.is_installed.replace(false)) {
        INSTALLED.set(false);
        // SAFETY: the same isolate and callback as at installation; 0 leaves the limit as it is.
        unsafe { remove(isolate.as_ptr(), near, 0) };
    }
}

unsafe extern "C" fn near(data: *mut c_void, current: usize, initial: usize) -> usize {
    // SAFETY: V8 passes the data of the installation, which outlives the callback.
    let data = unsafe { &*data.cast::<Data>() };
    if GIVES_WAY.load(Ordering::Relaxed) {
        return current.saturating_mul(2);
    }
    let Some(isolate) = Isolate::current() else { return current };
    let bytes = |size: usize| Bytes::from_bytes(size as u64);
    // A panic must not unwind into V8; a call within a call has nothing to say.
    let answer = catch_unwind(AssertUnwindSafe(|| {
        data.on_near.try_borrow_mut().map(|mut on_near| on_near(isolate, bytes(current), bytes(initial)))
    }));
    match answer {
        Ok(Ok(Answer::Stay(limit))) => limit.get() as usize,
        Ok(Ok(Answer::StepAside(limit))) => {
            remove(isolate, data);
            limit.get() as usize
        }
        Ok(Err(_)) => current,
        Err(_) => {
            remove(isolate, data);
            current
        }
    }
}
