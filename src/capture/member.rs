use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    Asker, CaptureError, Captured, Helper, Inspected, Inspection, InspectionCost, Request, Settings, Turn,
    beacon, course, evidence,
    progress::{Progress, Reported},
    signal,
};
use crate::{
    measure::Millis,
    v8::{HeapSnapshot, Isolate, Platform, RemoteIsolate},
};

/// How soon someone who waits for the isolate's thread looks whether it was given up.
const LOOK: Duration = Duration::from_millis(50);
/// Signals that come no further apart than this are a burst.
const BURST: Duration = Duration::from_secs(1);
/// What a share is told in.
const PER_MILLE: f64 = 1_000.0;
/// What the capture's thread needs: frames of V8's serializer and of ours, none deep.
const STACK: usize = 1 << 20;

/// What became of a request.
pub type Outcome = Result<Captured, CaptureError>;

/// Something to be done on the isolate's thread.
type Visit = Box<dyn FnOnce(Isolate) + Send>;

/// How an isolate is reached from other threads.
pub struct Reach {
    /// `None` where V8 cannot be interrupted or the snapshot is not ours to take: JavaScript has to write it then.
    pub isolate: Option<RemoteIsolate>,
    /// Whose workers are parked when a child is forked, or why none can be.
    pub platform: Result<Platform, String>,
    /// Calls the isolate's event loop from any thread.
    pub wake: Box<dyn Fn() + Send + Sync>,
    /// Tells JavaScript what became of a request.
    pub deliver: Box<dyn Fn(Asker, Outcome) + Send + Sync>,
}

/// An isolate whose snapshots are written, when the signal comes and when JavaScript asks.
pub struct Member {
    thread_id: u32,
    reach: Reach,
    helper: Arc<Helper>,
    settings: Mutex<Settings>,
    /// A signal that JavaScript has to serve.
    requested: AtomicBool,
    last: Mutex<Option<Instant>>,
    /// When a signal was last told that it came too soon.
    refused: Mutex<Option<Instant>>,
    /// Held while JavaScript writes in our stead.
    turn: Mutex<Option<Turn>>,
    visits: Mutex<VecDeque<Visit>>,
    under_way: Mutex<Vec<(Asker, Arc<Progress>)>>,
    /// Held while a snapshot of the isolate is read off its thread.
    desk: Mutex<Desk>,
}

/// What belongs to the isolate and is used by another thread.
#[derive(Default)]
pub(super) struct Desk {
    /// The isolate has left: nothing of it may be touched any more.
    has_left: bool,
    /// A snapshot that V8 keeps until it is forgotten on the isolate's thread.
    pub(super) snapshot: Option<HeapSnapshot>,
}

static MEMBERS: Mutex<Vec<Arc<Member>>> = Mutex::new(Vec::new());

/// Asks every member for a snapshot.
pub(super) fn request_all() {
    let members = MEMBERS.lock().clone();
    for member in members {
        beacon::requested(member.thread_id);
        member.answer_signal();
    }
}

/// What is left to do after a snapshot that JavaScript wrote: reminds the members that still owe one because of it.
pub(super) fn remind() {
    for member in MEMBERS.lock().iter().filter(|member| member.requested.load(Ordering::Acquire)) {
        (member.reach.wake)();
    }
}

impl Member {
    /// Enlists this thread's isolate.
    pub fn join(thread_id: u32, reach: Reach, helper: Arc<Helper>, settings: Settings) -> Arc<Self> {
        let member = Arc::new(Self {
            thread_id,
            reach,
            helper,
            settings: Mutex::new(settings),
            requested: AtomicBool::new(false),
            last: Mutex::new(None),
            refused: Mutex::new(None),
            turn: Mutex::new(None),
            visits: Mutex::default(),
            under_way: Mutex::default(),
            desk: Mutex::default(),
        });
        MEMBERS.lock().push(Arc::clone(&member));
        beacon::joined(thread_id, &member.settings.lock().dir);
        member
    }

    /// Strikes the isolate off, and gives up what is under way. Must happen on its thread before it is disposed of.
    pub fn leave(self: &Arc<Self>, isolate: Option<Isolate>) {
        MEMBERS.lock().retain(|member| !Arc::ptr_eq(member, self));
        self.requested.store(false, Ordering::Release);
        for (_, progress) in &*self.under_way.lock() {
            progress.abort();
        }
        // Who reads a snapshot off the thread stops at its next chunk.
        let mut desk = self.desk.lock();
        desk.has_left = true;
        if let (Some(snapshot), Some(isolate)) = (desk.snapshot.take(), isolate) {
            snapshot.forget(isolate);
        }
        drop(desk);
        self.visits.lock().clear();
        beacon::left(self.thread_id);
        self.end_turn();
    }

    /// Gives the turn back that JavaScript had, and has those reminded who could not have it.
    fn end_turn(&self) {
        drop(self.turn.lock().take());
        self.helper.post(Box::new(remind));
    }

    /// Replaces the settings.
    pub fn set(&self, settings: Settings) {
        beacon::moved(self.thread_id, &settings.dir);
        *self.settings.lock() = settings;
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.settings.lock().clone()
    }

    /// Has a line written to stderr.
    pub(super) fn say(&self, line: String) {
        self.helper.say(line);
    }

    /// Node's thread id: 0 on the main thread.
    pub const fn thread_id(&self) -> u32 {
        self.thread_id
    }

    /// Whose workers are parked when a child is forked, or why none can be.
    pub fn platform(&self) -> Result<Platform, &str> {
        self.reach.platform.as_ref().copied().map_err(String::as_str)
    }

    /// Has the snapshot written that the signal asks for.
    fn answer_signal(self: &Arc<Self>) {
        if self.reach.isolate.is_none() {
            self.requested.store(true, Ordering::Release);
            (self.reach.wake)();
            return;
        }
        let Settings { mode, packing, min_interval, .. } = self.settings();
        let request = Request { asker: Asker::Signal, file: None, mode, packing };
        match self.check_interval(min_interval).and_then(|()| self.begin(request)) {
            // Signals that come while a file is written are answered by it.
            Ok(()) | Err(CaptureError::Busy) => {}
            Err(error) => self.refuse(error),
        }
    }

    /// Tells that a signal is not answered; those that come in a burst are told once.
    fn refuse(&self, error: CaptureError) {
        let told = self.refused.lock().replace(Instant::now());
        if told.is_none_or(|told| told.elapsed() > BURST) {
            self.settle(Asker::Signal, Err(error));
        } else {
            beacon::ended(self.thread_id, &Err(error));
        }
    }

    /// Has a snapshot written by a thread of its own, which `deliver`s what becomes of it.
    /// What the detector has had begun gives way to it.
    pub fn begin(self: &Arc<Self>, request: Request) -> Result<(), CaptureError> {
        let asker = request.asker;
        for member in &*MEMBERS.lock() {
            member.abort(Asker::Detector);
        }
        self.spawn(asker, move |member, progress| {
            let outcome = course::run(member, &request, progress);
            member.done(asker);
            member.settle(asker, outcome);
        })
    }

    /// Has a snapshot taken as evidence by a thread of its own, which hands to `deliver` what becomes of it.
    pub fn inspect(
        self: &Arc<Self>,
        inspection: Inspection,
        deliver: impl FnOnce(InspectionCost, Result<Inspected, CaptureError>) + Send + 'static,
    ) -> Result<(), CaptureError> {
        self.spawn(Asker::Detector, move |member, progress| {
            let (cost, outcome) = evidence::run(member, &inspection, progress);
            member.done(Asker::Detector);
            deliver(cost, outcome);
        })
    }

    fn spawn(
        self: &Arc<Self>,
        asker: Asker,
        work: impl FnOnce(&Arc<Self>, &Arc<Progress>) + Send + 'static,
    ) -> Result<(), CaptureError> {
        let progress = Arc::new(Progress::new().map_err(CaptureError::Thread)?);
        {
            let mut under_way = self.under_way.lock();
            if under_way.iter().any(|(other, _)| *other == asker) {
                return Err(CaptureError::Busy);
            }
            under_way.push((asker, Arc::clone(&progress)));
        }
        let member = Arc::clone(self);
        let body = move || {
            signal::block_all();
            work(&member, &progress);
        };
        let thread = thread::Builder::new().name("leakguard-capture".into()).stack_size(STACK).spawn(body);
        thread.map(drop).map_err(|error| {
            self.done(asker);
            CaptureError::Thread(error)
        })
    }

    fn done(&self, asker: Asker) {
        self.under_way.lock().retain(|(other, _)| *other != asker);
    }

    /// Shows those who look from outside how far a snapshot by signal is.
    pub(super) fn show(&self, asker: Asker, progress: &Progress) {
        if asker != Asker::Signal {
            return;
        }
        let Reported { phase, fraction, bytes } = progress.reported();
        let (done, total) =
            fraction.map_or((bytes.get(), 0), |fraction| ((fraction * PER_MILLE) as u64, PER_MILLE as u64));
        beacon::progress(self.thread_id, phase.into(), done, total);
    }

    /// Gives up what this asker has asked for.
    pub fn abort(&self, asker: Asker) {
        if let Some(progress) = self.progress(asker) {
            progress.abort();
        }
    }

    /// How far the snapshot is that this asker has asked for.
    pub fn progress(&self, asker: Asker) -> Option<Arc<Progress>> {
        let under_way = self.under_way.lock();
        under_way.iter().find(|(other, _)| *other == asker).map(|(_, progress)| Arc::clone(progress))
    }

    /// Has `run` run on the isolate's thread, and waits for it. Returns what it returned, and for how long it blocked the thread.
    pub(super) fn visit<T: Send + 'static>(
        self: &Arc<Self>,
        progress: &Arc<Progress>,
        run: impl FnOnce(Isolate) -> T + Send + 'static,
    ) -> Result<(T, Millis), CaptureError> {
        let (sender, receiver) = sync_channel(1);
        let given_up = Arc::clone(progress);
        self.visits.lock().push_back(Box::new(move |isolate| {
            if given_up.is_aborted() {
                return;
            }
            let started = Instant::now();
            let value = run(isolate);
            let _ = sender.send((value, Millis::from_secs(started.elapsed().as_secs_f64())));
        }));
        self.knock();
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) if !progress.is_aborted() => {}
                Err(_) => return Err(CaptureError::Aborted),
            }
        }
    }

    /// Calls the isolate's thread, in both ways: by interrupt, which comes through while JavaScript spins, and by its event loop.
    #[allow(unsafe_code, reason = "interrupts reach into a live isolate")]
    fn knock(self: &Arc<Self>) {
        let members = MEMBERS.lock();
        if !members.iter().any(|member| Arc::ptr_eq(member, self)) {
            self.visits.lock().clear();
            return;
        }
        if let Some(isolate) = &self.reach.isolate {
            let member = Arc::clone(self);
            // SAFETY: members strike themselves off before their isolate is disposed of, and both that and this
            // happen under the lock of `MEMBERS`.
            unsafe { isolate.request_interrupt(Box::new(move |isolate| member.receive(isolate))) };
        }
        (self.reach.wake)();
    }

    /// Does what is to be done on the isolate's thread; runs no JavaScript.
    pub fn receive(&self, isolate: Isolate) {
        while let Some(visit) = { self.visits.lock().pop_front() } {
            visit(isolate);
        }
    }

    /// On the isolate's thread: waits for what this asker has asked for, doing what it needs of this thread.
    pub fn finish(&self, asker: Asker, isolate: Isolate, patience: Duration) {
        let end = Instant::now() + patience;
        while let Some(progress) = self.progress(asker) {
            if Instant::now() > end {
                progress.abort();
            }
            self.receive(isolate);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Has `read` read what belongs to the isolate; the isolate stays until it is done. None once it has left.
    pub(super) fn at_desk<T>(&self, read: impl FnOnce(&mut Desk) -> T) -> Option<T> {
        let mut desk = self.desk.lock();
        (!desk.has_left).then(|| read(&mut desk))
    }

    /// Takes the request by signal, if there is one, for JavaScript to serve: it then has to `settle` it.
    pub fn claim(&self) -> bool {
        if !self.requested.load(Ordering::Acquire) {
            return false;
        }
        // The request stands until the turn is ours: whoever gives it back then reminds us.
        let Some(turn) = Turn::take() else { return false };
        *self.turn.lock() = Some(turn);
        if !self.requested.swap(false, Ordering::AcqRel) {
            self.end_turn();
            return false;
        }
        if let Err(error) = self.check_interval(self.settings().min_interval) {
            self.end_turn();
            self.refuse(error);
            return false;
        }
        beacon::begun(self.thread_id);
        true
    }

    /// Tells stderr and JavaScript what became of a request.
    pub fn settle(&self, asker: Asker, outcome: Outcome) {
        if asker == Asker::Signal {
            beacon::ended(self.thread_id, &outcome);
            if outcome.is_ok() {
                *self.last.lock() = Some(Instant::now());
            }
        }
        if !matches!(asker, Asker::Call(_)) {
            self.helper.say(self.line(&outcome));
        }
        (self.reach.deliver)(asker, outcome);
        self.end_turn();
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
