use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use crate::{capture::Helper, native::MallocAccounting};

/// A call slower than this holds the allocator's locks for too long: it was the last one.
const SLOW: Duration = Duration::from_millis(5);

/// Reads malloc's accounting on the helper thread, and never again once that was slow.
#[derive(Debug)]
pub struct MallocMonitor {
    helper: Arc<Helper>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    read: Condvar,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<MallocAccounting>,
    under_way: bool,
    off: Option<&'static str>,
}

impl MallocMonitor {
    /// A monitor that has read nothing yet.
    pub fn new(helper: Arc<Helper>) -> Self {
        Self { helper, shared: Arc::default() }
    }

    /// Has it read anew, unless it is off or at it already.
    pub fn request(&self) {
        {
            let mut state = self.shared.state.lock();
            if state.under_way || state.off.is_some() {
                return;
            }
            state.under_way = true;
        }
        let shared = Arc::clone(&self.shared);
        self.helper.post(Box::new(move || {
            let started = Instant::now();
            let reading = MallocAccounting::read();
            let took = started.elapsed();
            let mut state = shared.state.lock();
            state.under_way = false;
            state.latest = reading;
            if reading.is_none() {
                state.off = Some("the C library offers no mallinfo2");
            } else if took > SLOW {
                state.off = Some("mallinfo2 took more than 5 ms: malloc holds too many free chunks");
            }
            shared.read.notify_all();
        }));
    }

    /// The latest reading; none once the monitor is off.
    pub fn latest(&self) -> Option<MallocAccounting> {
        let state = self.shared.state.lock();
        state.latest.filter(|_| state.off.is_none())
    }

    /// A reading made now, waiting for at most `patience`; otherwise the latest.
    pub fn read(&self, patience: Duration) -> Option<MallocAccounting> {
        self.request();
        let mut state = self.shared.state.lock();
        self.shared.read.wait_while_for(&mut state, |state| state.under_way, patience);
        state.latest
    }

    /// Why it is off, if it is.
    pub fn off(&self) -> Option<&'static str> {
        self.shared.state.lock().off
    }
}
