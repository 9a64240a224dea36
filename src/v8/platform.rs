//! Node's platform (src/node_platform.h): the worker threads that V8 gives its tasks to, parked for the moment of a fork.
//!
//! A forked child has none of these threads, and V8 hangs in it where one of them was waiting for work. While each of them
//! runs a task of ours that waits on a lock of ours, none does. Node waits for its workers when an event loop ends, so
//! that a parking never lasts longer than [`LONGEST`], and ends at once by [`release_all`].

use std::{
    ffi::c_void,
    ptr::NonNull,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{
    Isolate,
    symbols::SYMBOLS,
    vtable::{Vtable, nothing},
};

/// The longest time that workers are kept. Of 518 parkings under load the slowest took 848 ms until all were parked.
const LONGEST: Duration = Duration::from_millis(900);
/// `v8::TaskPriority::kUserBlocking`: ahead of what waits.
const USER_BLOCKING: u8 = 2;

/// The parking under way, if there is one: captures take turns.
static PARKED: Mutex<Weak<Lot>> = Mutex::new(Weak::new());

/// The platform of an isolate, which is the process's. To be used on threads with an isolate, whose environments Node ends before it.
#[derive(Clone, Copy, Debug)]
pub struct Platform(NonNull<c_void>);

// SAFETY: tasks may be posted from any thread: the platform locks its queue.
unsafe impl Send for Platform {}
// SAFETY: as above.
unsafe impl Sync for Platform {}

impl Platform {
    /// The platform that runs the tasks of this isolate. A context of Node's must be entered and a handle scope open, as in calls
    /// through Node-API.
    pub fn of(isolate: Isolate) -> Option<Self> {
        let s = &*SYMBOLS;
        let (current_context, environment, platform) =
            (s.current_context?, s.node_environment?, s.node_platform?);
        // SAFETY: the isolate of this thread; the handle lands in the scope that is open (see above).
        let context = unsafe { current_context(isolate.as_ptr()) };
        if context.is_null() {
            return None;
        }
        // SAFETY: a context of this thread; Node answers null for those that are not its own.
        let environment = unsafe { environment(context) };
        if environment.is_null() {
            return None;
        }
        // SAFETY: a live environment.
        NonNull::new(unsafe { platform(environment) }).map(Self)
    }

    /// Has all workers park. Returns before they do: [`Parking::wait`] tells. None where the platform takes no tasks. On a thread with
    /// an isolate.
    pub fn park(&self) -> Option<Parking> {
        let count = SYMBOLS.worker_threads?;
        // SAFETY: a live platform.
        let threads = unsafe { count(self.0.as_ptr()) };
        // The thread that keeps the delayed tasks is counted as well, and runs none.
        let workers = usize::try_from(threads).ok()?.checked_sub(1)?;
        let lot = Arc::new(Lot {
            state: Mutex::default(),
            changed: Condvar::new(),
            workers,
            since: Instant::now(),
        });
        *PARKED.lock() = Arc::downgrade(&lot);
        for _ in 0..workers {
            self.post(Box::new(Task { vtable: TASK.functions(), lot: Arc::clone(&lot) }))?;
        }
        Some(Parking(lot))
    }

    /// Gives the task to the platform, which deletes it in the end.
    fn post(&self, task: Box<Task>) -> Option<()> {
        // A `unique_ptr` is passed by the address of its slot, and moved out of it.
        let mut slot = Box::into_raw(task).cast::<c_void>();
        if let Some(post) = SYMBOLS.post_on_worker_thread {
            // `v8::SourceLocation` of four words at most, whose zeros say "unknown".
            let location = [0_u64; 8];
            // SAFETY: a live platform; the task has the vtable V8 expects; the location is only read.
            unsafe { post(self.0.as_ptr(), USER_BLOCKING, &raw mut slot, location.as_ptr().cast()) };
        } else if let Some(call) = SYMBOLS.call_on_worker_thread {
            // SAFETY: as above.
            unsafe { call(self.0.as_ptr(), &raw mut slot) };
        } else {
            // SAFETY: nobody has taken it.
            drop(unsafe { Box::from_raw(slot.cast::<Task>()) });
            return None;
        }
        Some(())
    }
}

/// Workers on their way to be parked, or parked. Dropping it releases them.
#[derive(Debug)]
pub struct Parking(Arc<Lot>);

impl Parking {
    /// Waits until all are parked; false where that took too long, or they had to be released. On a thread of ours.
    pub fn wait(&self) -> bool {
        let mut state = self.0.state.lock();
        while !state.released && state.parked < self.0.workers {
            if self.0.changed.wait_until(&mut state, self.0.end()).timed_out() {
                return false;
            }
        }
        !state.released
    }

    /// Keeps them parked while `run` runs; does not run it if they are not.
    pub fn hold<T>(&self, run: impl FnOnce() -> T) -> Option<T> {
        let state = self.0.state.lock();
        // Those that wake up now wait for the lock.
        (!state.released && state.parked == self.0.workers && Instant::now() < self.0.end()).then(run)
    }
}

impl Drop for Parking {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Releases all workers, now: the environment begins to exit.
pub fn release_all() {
    if let Some(lot) = PARKED.lock().upgrade() {
        lot.release();
    }
}

/// Where workers wait.
#[derive(Debug)]
struct Lot {
    state: Mutex<LotState>,
    changed: Condvar,
    workers: usize,
    since: Instant,
}

#[derive(Debug, Default)]
struct LotState {
    parked: usize,
    released: bool,
}

impl Lot {
    fn end(&self) -> Instant {
        self.since + LONGEST
    }

    fn release(&self) {
        self.state.lock().released = true;
        self.changed.notify_all();
    }

    /// What a worker does: waits.
    fn stay(&self) {
        let mut state = self.state.lock();
        if state.released || Instant::now() >= self.end() {
            return;
        }
        state.parked += 1;
        self.changed.notify_all();
        while !state.released && !self.changed.wait_until(&mut state, self.end()).timed_out() {}
        state.parked -= 1;
        state.released = true;
        self.changed.notify_all();
    }
}

/// A `v8::Task`: a vtable pointer, and behind it what is ours.
#[repr(C)]
struct Task {
    vtable: *const TaskFunctions,
    lot: Arc<Lot>,
}

/// The virtual functions of `v8::Task`.
#[repr(C)]
struct TaskFunctions {
    destroy: unsafe extern "C" fn(*mut c_void),
    destroy_and_free: unsafe extern "C" fn(*mut c_void),
    run: unsafe extern "C" fn(*mut c_void),
}

static TASK: Vtable<TaskFunctions> =
    Vtable::new(TaskFunctions { destroy: nothing, destroy_and_free: free_task, run: run_task });

unsafe extern "C" fn free_task(task: *mut c_void) {
    // SAFETY: made by `park`; the platform deletes each task once.
    drop(unsafe { Box::from_raw(task.cast::<Task>()) });
}

unsafe extern "C" fn run_task(task: *mut c_void) {
    // SAFETY: made by `park`, and not deleted while it runs.
    unsafe { &*task.cast::<Task>() }.lot.stay();
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn lot(workers: usize) -> Arc<Lot> {
        Arc::new(Lot { state: Mutex::default(), changed: Condvar::new(), workers, since: Instant::now() })
    }

    fn worker(lot: &Arc<Lot>) -> thread::JoinHandle<()> {
        let lot = Arc::clone(lot);
        thread::spawn(move || lot.stay())
    }

    #[test]
    fn what_is_to_happen_while_all_are_parked_happens_then() {
        let lot = lot(2);
        let parking = Parking(Arc::clone(&lot));
        assert_eq!(parking.hold(|| ()), None, "nobody is parked");
        let workers = [worker(&lot), worker(&lot)];
        assert!(parking.wait());
        assert_eq!(parking.hold(|| lot.workers), Some(2));
        drop(parking);
        for worker in workers {
            worker.join().expect("released");
        }
    }

    #[test]
    fn workers_release_themselves_and_what_comes_after_is_refused() {
        let lot = lot(1);
        let parking = Parking(Arc::clone(&lot));
        let worker = worker(&lot);
        assert!(parking.wait());
        // It waits for nobody to release it.
        worker.join().expect("released by time");
        assert_eq!(parking.hold(|| ()), None);
        assert!(!parking.wait());
    }

    #[test]
    fn a_worker_that_does_not_come_is_not_waited_for_for_ever() {
        let parking = Parking(lot(1));
        assert!(!parking.wait());
    }

    #[test]
    fn a_task_that_runs_after_the_release_does_not_wait() {
        let lot = lot(1);
        drop(Parking(Arc::clone(&lot)));
        lot.stay();
        assert_eq!(lot.state.lock().parked, 0);
    }
}
