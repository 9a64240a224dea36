use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    measure::{GcEvent, GcKind, GcReading, GcRing, Millis},
    v8::GcObserver,
};

/// Major GCs kept for `history()`.
const MAJORS: usize = 512;
/// Events of all kinds kept until the next batch for the diagnostics channel.
const RECENT: usize = 1024;

/// The GC events of an isolate. Filled from within GC callbacks: all memory is taken at the start.
#[derive(Debug)]
pub struct History {
    majors: RefCell<GcRing>,
    recent: RefCell<GcRing>,
    spent: Cell<Millis>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            majors: RefCell::new(GcRing::with_capacity(MAJORS)),
            recent: RefCell::new(GcRing::with_capacity(RECENT)),
            spent: Cell::new(Millis::ZERO),
        }
    }
}

impl History {
    /// Adds an event.
    pub fn record(&self, event: GcEvent) {
        // A ring is borrowed elsewhere only while it is copied, which runs no JavaScript and hence no GC.
        if event.reading.kind == GcKind::MarkCompact
            && let Ok(mut majors) = self.majors.try_borrow_mut()
        {
            majors.push(event);
        }
        if let Ok(mut recent) = self.recent.try_borrow_mut() {
            recent.push(event);
        }
    }

    /// The major GCs kept, oldest first.
    pub fn majors(&self) -> Vec<GcEvent> {
        self.majors.borrow().iter().copied().collect()
    }

    /// How many major GCs there were.
    pub fn major_count(&self) -> u64 {
        self.majors.borrow().total()
    }

    /// The latest major GC.
    pub fn latest_major(&self) -> Option<GcEvent> {
        self.majors.borrow().iter().last().copied()
    }

    /// The latest event of any kind.
    pub fn latest(&self) -> Option<GcEvent> {
        self.recent.borrow().iter().last().copied()
    }

    /// How many events of any kind there were.
    pub fn count(&self) -> u64 {
        self.recent.borrow().total()
    }

    /// The events since `count()` was `seen`, oldest first.
    pub fn since(&self, seen: u64) -> Vec<GcEvent> {
        self.recent.borrow().since(seen).copied().collect()
    }

    /// What our GC callbacks took in all.
    pub fn spent(&self) -> Millis {
        self.spent.get()
    }
}

/// Records what V8 reports.
pub(super) struct Recorder(pub(super) Rc<History>);

impl GcObserver for Recorder {
    fn collected(&self, reading: GcReading, spent: Millis) {
        self.0.record(GcEvent { time: now(), reading });
        let mut total = self.0.spent.get();
        total += spent;
        self.0.spent.set(total);
    }
}

/// The present, since the Unix epoch, by a clock that never jumps: that of the system sets it once.
pub fn now() -> Millis {
    static START: LazyLock<(Duration, Instant)> =
        LazyLock::new(|| (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now()));
    let (since_epoch, started) = *START;
    Millis::from_secs((since_epoch + started.elapsed()).as_secs_f64())
}
