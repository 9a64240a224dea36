use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use parking_lot::Mutex;

use super::{
    Answer, Identity, Stage, Thread, Written,
    layout::{
        self, IDENTITY_AT, MAX_THREADS, answer_at, encode_answer, encode_identity, encode_thread, thread_at,
    },
    memory::Memory,
};
use crate::capture::Outcome;

/// The process that `BOARD` belongs to: a forked copy has it as well, perhaps locked by a thread that it does not have.
static OWNER: AtomicU32 = AtomicU32::new(0);

static BOARD: Mutex<Board> = Mutex::new(Board::new());

/// What is known of the threads, and the beacon that shows it while there is one.
struct Board {
    memory: Option<Memory>,
    identity: Option<Identity>,
    /// A thread has its row until it leaves; the first free one is taken.
    rows: Vec<Option<Thread>>,
    dir: PathBuf,
    serial: u64,
    sequence: u64,
    unlisted: u64,
}

/// The signal that is handled, and where.
#[derive(Clone, Debug)]
pub(in crate::capture) struct Signal {
    /// Its number.
    pub(in crate::capture) number: i32,
    /// Its name.
    pub(in crate::capture) name: String,
    /// The handler's address.
    pub(in crate::capture) handler: usize,
}

/// Shows the process to those who look from outside, until it is dropped.
#[derive(Debug)]
pub(in crate::capture) struct Beacon(());

impl Beacon {
    /// None where the system gives no memory for it: nothing but `leakguard dump` needs it.
    pub(in crate::capture) fn light(signal: Signal) -> Option<Self> {
        OWNER.store(process::id(), Ordering::Release);
        let mut board = BOARD.lock();
        board.light(signal)?;
        Some(Self(()))
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        on_board(Board::put_out);
    }
}

/// An isolate is dumped on the signal. Told after that is so, as who is seen here is waited for; `dir` is where its files go.
pub(in crate::capture) fn joined(thread_id: u32, dir: &Path) {
    OWNER.store(process::id(), Ordering::Release);
    on_board(|board| board.join(thread_id, dir));
}

/// The isolate no longer is.
pub(in crate::capture) fn left(thread_id: u32) {
    on_board(|board| board.leave(thread_id));
}

/// Files of an isolate go to another folder.
pub(in crate::capture) fn moved(thread_id: u32, dir: &Path) {
    on_board(|board| board.set_dir(thread_id, dir));
}

/// The signal came.
pub(in crate::capture) fn requested(thread_id: u32) {
    on_board(|board| board.request(thread_id));
}

/// The isolate's snapshot is begun.
pub(in crate::capture) fn begun(thread_id: u32) {
    on_board(|board| board.update(thread_id, Stage::Building, 0, 0));
}

/// How far a snapshot is: a share of `total`, or bytes where that is 0. Not in a forked child: there it
/// does nothing.
pub(in crate::capture) fn progress(thread_id: u32, stage: Stage, done: u64, total: u64) {
    on_board(|board| board.update(thread_id, stage, done, total));
}

/// A request was answered; a file that is told of is whole.
pub(in crate::capture) fn ended(thread_id: u32, outcome: &Outcome) {
    on_board(|board| board.answer(thread_id, outcome));
}

fn on_board(change: impl FnOnce(&mut Board)) {
    if OWNER.load(Ordering::Acquire) == process::id() {
        change(&mut BOARD.lock());
    }
}

impl Board {
    const fn new() -> Self {
        Self {
            memory: None,
            identity: None,
            rows: Vec::new(),
            dir: PathBuf::new(),
            serial: 0,
            sequence: 0,
            unlisted: 0,
        }
    }

    fn light(&mut self, signal: Signal) -> Option<()> {
        let memory = Memory::new().ok()?;
        self.identity = Some(Identity {
            open: true,
            pid: process::id(),
            start_time: own_start_time()?,
            handler: signal.handler as u64,
            signal: signal.number,
            signal_name: signal.name,
            version: env!("CARGO_PKG_VERSION").into(),
            dir: self.dir.clone(),
            unlisted: self.unlisted,
        });
        self.memory = Some(memory);
        self.show_identity();
        for row in 0..self.rows.len() {
            self.show(row);
        }
        let head = layout::head().map(|(at, word)| (at, word.to_le_bytes()));
        self.write(&head.each_ref().map(|(at, word)| (*at, word.as_slice())));
        Some(())
    }

    fn put_out(&mut self) {
        if let Some(identity) = &mut self.identity {
            // Who has it open sees this, although the pages are no longer ours.
            identity.open = false;
        }
        self.show_identity();
        self.identity = None;
        self.memory = None;
    }

    fn join(&mut self, thread_id: u32, dir: &Path) {
        self.set_dir(thread_id, dir);
        self.serial += 1;
        let thread = Thread { serial: self.serial, thread_id, ..Thread::default() };
        let row = match self.rows.iter().position(Option::is_none) {
            Some(row) => row,
            None if self.rows.len() < MAX_THREADS => {
                self.rows.push(None);
                self.rows.len() - 1
            }
            None => return self.set_unlisted(self.unlisted + 1),
        };
        self.rows[row] = Some(thread);
        self.show(row);
    }

    fn leave(&mut self, thread_id: u32) {
        let Some(row) = self.row_of(thread_id) else {
            return self.set_unlisted(self.unlisted.saturating_sub(1));
        };
        self.rows[row] = None;
        self.show(row);
    }

    fn set_unlisted(&mut self, unlisted: u64) {
        self.unlisted = unlisted;
        self.show_identity();
    }

    fn set_dir(&mut self, thread_id: u32, dir: &Path) {
        if thread_id == 0 {
            dir.clone_into(&mut self.dir);
            self.show_identity();
        }
    }

    /// A snapshot that is being written goes on, and answers it.
    fn request(&mut self, thread_id: u32) {
        let row = self.row_of(thread_id).and_then(|row| self.rows[row]);
        if row.is_some_and(|thread| thread.stage == Stage::Idle) {
            self.update(thread_id, Stage::Requested, 0, 0);
        }
    }

    fn update(&mut self, thread_id: u32, stage: Stage, done: u64, total: u64) {
        let Some(row) = self.row_of(thread_id) else { return };
        if let Some(thread) = &mut self.rows[row] {
            *thread = Thread { stage, done, total, ..*thread };
        }
        self.show(row);
    }

    fn answer(&mut self, thread_id: u32, outcome: &Outcome) {
        let Some(row) = self.row_of(thread_id) else { return };
        let Some(thread) = &mut self.rows[row] else { return };
        *thread = Thread { serial: thread.serial, thread_id, ..Thread::default() };
        self.sequence += 1;
        let result = match outcome {
            Ok(captured) => Ok(Written {
                file: captured.file.clone(),
                bytes: captured.bytes.get(),
                nodes: captured.nodes,
                pause_micros: (captured.pause.get() * 1e3) as u64,
            }),
            Err(error) => Err((error.code().to_owned(), error.to_string())),
        };
        let answer = Answer { sequence: self.sequence, serial: thread.serial, result };
        // At once: who sees that the thread is idle sees the answer, too.
        let (thread, at) = (encode_thread(thread), answer_at(answer.sequence));
        self.write(&[(at, &encode_answer(&answer)), (thread_at(row), &thread)]);
    }

    fn row_of(&self, thread_id: u32) -> Option<usize> {
        self.rows.iter().position(|row| row.is_some_and(|thread| thread.thread_id == thread_id))
    }

    fn show_identity(&mut self) {
        let Some(identity) = &mut self.identity else { return };
        self.dir.clone_into(&mut identity.dir);
        identity.unlisted = self.unlisted;
        let bytes = encode_identity(identity);
        self.write(&[(IDENTITY_AT, &bytes)]);
    }

    fn show(&self, row: usize) {
        self.write(&[(thread_at(row), &encode_thread(&self.rows[row].unwrap_or_default()))]);
    }

    fn write(&self, parts: &[(usize, &[u8])]) {
        if let Some(memory) = &self.memory {
            memory.write(parts);
        }
    }
}

/// `/proc/self/stat`, field 22. None without `/proc`, and then nobody could find us either.
fn own_start_time() -> Option<u64> {
    crate::capture::dump::start_time(&fs::read("/proc/self/stat").ok()?)
}

#[cfg(test)]
mod tests;
