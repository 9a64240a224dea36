use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;

use super::{
    CaptureError, Captured, Compression, FileName, Helper,
    in_process::{self, Turn},
};
use crate::{
    measure::Millis,
    native::give_back,
    v8::{Isolate, RemoteIsolate},
};

/// How snapshots of an isolate are to be written.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder for files without one of their own; absolute.
    pub dir: PathBuf,
    /// How to pack them.
    pub compression: Compression,
    /// Least time between two snapshots by signal.
    pub min_interval: Millis,
}

/// What became of a request by signal.
pub type Outcome = Result<Captured, CaptureError>;

/// An isolate that is dumped when the signal comes.
pub struct Member {
    thread_id: u32,
    /// `None` where V8 cannot be interrupted or the snapshot is not ours to take: the event loop alone serves.
    isolate: Option<RemoteIsolate>,
    /// Calls the isolate's event loop from any thread.
    wake: Box<dyn Fn() + Send + Sync>,
    helper: Arc<Helper>,
    settings: Mutex<Settings>,
    requested: AtomicBool,
    last: Mutex<Option<Instant>>,
    /// Held while JavaScript writes in our stead.
    turn: Mutex<Option<Turn>>,
    /// Tells JavaScript what became of a request.
    deliver: Box<dyn Fn(Outcome) + Send + Sync>,
}

static MEMBERS: Mutex<Vec<Arc<Member>>> = Mutex::new(Vec::new());

/// Asks every member for a snapshot.
pub(super) fn request_all() {
    for member in MEMBERS.lock().iter() {
        member.requested.store(true, Ordering::Release);
        member.knock();
    }
}

/// What is left to do after a snapshot, on the helper thread: gives memory back, and reminds the members that still owe a snapshot
/// because this one was being written.
pub fn tidy_up() {
    give_back();
    for member in MEMBERS.lock().iter().filter(|member| member.requested.load(Ordering::Acquire)) {
        member.knock();
    }
}

impl Member {
    /// Enlists this thread's isolate.
    pub fn join(
        thread_id: u32,
        isolate: Option<RemoteIsolate>,
        wake: Box<dyn Fn() + Send + Sync>,
        deliver: Box<dyn Fn(Outcome) + Send + Sync>,
        helper: Arc<Helper>,
        settings: Settings,
    ) -> Arc<Self> {
        let member = Arc::new(Self {
            thread_id,
            isolate,
            wake,
            helper,
            settings: Mutex::new(settings),
            requested: AtomicBool::new(false),
            last: Mutex::new(None),
            turn: Mutex::new(None),
            deliver,
        });
        MEMBERS.lock().push(Arc::clone(&member));
        member
    }

    /// Strikes the isolate off. Must happen on its thread before it is disposed of.
    pub fn leave(self: &Arc<Self>) {
        MEMBERS.lock().retain(|member| !Arc::ptr_eq(member, self));
        self.requested.store(false, Ordering::Release);
        drop(self.turn.lock().take());
    }

    /// Replaces the settings.
    pub fn set(&self, settings: Settings) {
        *self.settings.lock() = settings;
    }

    /// Called under the lock of `MEMBERS`, which `leave` also takes.
    #[allow(unsafe_code, reason = "interrupts reach into a live isolate")]
    fn knock(self: &Arc<Self>) {
        if let Some(isolate) = &self.isolate {
            let member = Arc::clone(self);
            // SAFETY: members strike themselves off before their isolate is disposed of, and both that and this
            // happen under the lock of `MEMBERS`.
            unsafe { isolate.request_interrupt(Box::new(move |isolate| member.serve(isolate))) };
        }
        (self.wake)();
    }

    /// Takes the request, if there is one, for JavaScript to serve: it then has to `settle` it.
    pub fn claim(&self) -> bool {
        let Some(turn) = self.take_turn() else { return false };
        let min_interval = self.settings.lock().min_interval;
        if let Err(error) = self.check_interval(min_interval) {
            drop(turn);
            self.settle(Err(error));
            return false;
        }
        *self.turn.lock() = Some(turn);
        true
    }

    /// Writes the snapshot if one is requested. On the isolate's thread; runs no JavaScript.
    pub fn serve(&self, isolate: Isolate) {
        let Some(turn) = self.take_turn() else { return };
        let settings = self.settings.lock().clone();
        let outcome = self.check_interval(settings.min_interval).and_then(|()| {
            let name = FileName::now(self.thread_id, settings.compression).next();
            in_process::write(turn, isolate, settings.dir.join(name), settings.compression)
        });
        // Signals that came while the file was written are answered by it.
        self.requested.store(false, Ordering::Release);
        self.settle(outcome);
    }

    /// Takes the request, if there is one and no other isolate is writing; that one will remind us.
    fn take_turn(&self) -> Option<Turn> {
        if !self.requested.load(Ordering::Acquire) {
            return None;
        }
        // The request stands until the turn is ours: whoever gives it back then sees it.
        let turn = Turn::take()?;
        self.requested.swap(false, Ordering::AcqRel).then_some(turn)
    }

    /// Tells stderr and JavaScript what became of a request.
    pub fn settle(&self, outcome: Outcome) {
        if outcome.is_ok() {
            *self.last.lock() = Some(Instant::now());
        }
        self.helper.say(self.line(&outcome));
        (self.deliver)(outcome);
        drop(self.turn.lock().take());
        self.helper.post(Box::new(tidy_up));
    }

    /// An error where the last snapshot by signal is too fresh.
    fn check_interval(&self, min_interval: Millis) -> Result<(), CaptureError> {
        let Some(last) = *self.last.lock() else { return Ok(()) };
        let since = Millis::from_secs(last.elapsed().as_secs_f64());
        if since < min_interval { Err(CaptureError::TooSoon { since, min_interval }) } else { Ok(()) }
    }

    fn line(&self, outcome: &Outcome) -> String {
        let of = match self.thread_id {
            0 => String::new(),
            id => format!(" of worker {id}"),
        };
        match outcome {
            Ok(captured) => format!(
                "leakguard: heap snapshot{of} written to {} ({}, {} nodes, blocked for {:.0} ms)",
                captured.file.display(),
                captured.bytes,
                captured.nodes,
                captured.pause.get(),
            ),
            Err(error) => format!("leakguard: no heap snapshot{of}: {error}"),
        }
    }
}
