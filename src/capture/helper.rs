use std::{
    collections::VecDeque,
    io::Write,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use parking_lot::Mutex;

use super::{
    member,
    signal::{self, Doorbell},
};

/// Work for the helper thread.
pub type Job = Box<dyn FnOnce() + Send>;

/// What waits for the helper thread.
static JOBS: Mutex<VecDeque<Job>> = Mutex::new(VecDeque::new());
/// The running helper, if any isolate holds one.
static RUNNING: Mutex<Weak<Helper>> = Mutex::new(Weak::new());

/// A thread for what must not happen on a JavaScript thread: passing on signals, `mallinfo2`, `malloc_trim`,
/// writing to a stderr that may block. One for the process, ended when the last holder drops it.
#[derive(Debug)]
pub struct Helper {
    ended: Arc<AtomicBool>,
}

impl Helper {
    /// The helper of this process, started if there is none.
    pub fn hold() -> std::io::Result<Arc<Self>> {
        let mut running = RUNNING.lock();
        if let Some(helper) = running.upgrade() {
            return Ok(helper);
        }
        let doorbell = Doorbell::of_process()?;
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        thread::Builder::new().name("leakguard".into()).stack_size(256 << 10).spawn(move || {
            signal::block_all();
            serve(doorbell, &seen);
        })?;
        let helper = Arc::new(Self { ended });
        *running = Arc::downgrade(&helper);
        Ok(helper)
    }

    /// Has the thread do `job` when it gets to it.
    pub fn post(&self, job: Job) {
        JOBS.lock().push_back(job);
        if let Ok(doorbell) = Doorbell::of_process() {
            doorbell.ring();
        }
    }

    /// Has the thread write a line to stderr.
    pub fn say(&self, line: String) {
        self.post(Box::new(move || {
            // Nobody reads our stderr: nothing to be done about it.
            let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
        }));
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Ok(doorbell) = Doorbell::of_process() {
            doorbell.ring();
        }
    }
}

fn serve(doorbell: Doorbell, ended: &AtomicBool) {
    while doorbell.wait() {
        if signal::take_received() > 0 {
            member::request_all();
        }
        while let Some(job) = { JOBS.lock().pop_front() } {
            // A job that panics must not take the thread with it.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
        if ended.load(Ordering::Acquire) {
            break;
        }
    }
    // A helper started since may wait for the ring that ended this one.
    doorbell.ring();
}
