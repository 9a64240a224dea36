use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::{
    capture::{Asker, Outcome},
    detect::{Transition, Verdict},
};

/// News for JavaScript.
#[derive(Debug)]
pub enum Letter {
    /// What became of a snapshot, in which thread, and who asked for it.
    Snapshot(u32, Asker, Arc<Outcome>),
    /// A leak was found or taken back.
    Verdict(Verdict),
    /// A channel of the detector, in this thread, has gone from one state to another.
    Transition(u32, Transition),
}

/// Letters for one thread's JavaScript, with the means to call it.
pub struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// The main thread's mailbox, while it has one.
static MAIN: Mutex<Weak<Mailbox>> = Mutex::new(Weak::new());

impl Mailbox {
    /// A mailbox for the thread whose event loop `wake` calls.
    pub fn new(wake: Box<dyn Fn() + Send + Sync>) -> Arc<Self> {
        Arc::new(Self { letters: Mutex::new(Vec::new()), wake })
    }

    /// Makes this the main thread's.
    pub fn become_main(self: &Arc<Self>) {
        *MAIN.lock() = Arc::downgrade(self);
    }

    /// The main thread's, if leakguard is armed there.
    pub fn of_main() -> Option<Arc<Self>> {
        MAIN.lock().upgrade()
    }

    /// Leaves a letter and calls the thread.
    pub fn post(&self, letter: Letter) {
        self.letters.lock().push(letter);
        self.wake();
    }

    /// Calls the thread.
    pub fn wake(&self) {
        (self.wake)();
    }

    /// Takes the letters.
    pub fn collect(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters.lock())
    }
}
