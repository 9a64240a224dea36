//! How far a capture is: a page of memory that a forked child shares, atomics only.
#![allow(unsafe_code, reason = "maps a page that a forked child shares")]

use std::{
    io,
    ptr::{self, NonNull},
    sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering},
};

use crate::measure::Bytes;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// For the turn, the folder, the thread, V8's workers.
    Waiting,
    /// V8 collects garbage.
    Collecting,
    /// V8 walks the heap.
    Building,
    /// The file is written.
    Writing,
    /// The file is made durable and gets its name.
    Syncing,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Waiting, Self::Collecting, Self::Building, Self::Writing, Self::Syncing];

    /// The name that JavaScript sees.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Collecting => "collecting",
            Self::Building => "building",
            Self::Writing => "writing",
            Self::Syncing => "syncing",
        }
    }
}

/// What a child says of its failure before it exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// V8 gave no snapshot.
    Unavailable,
    /// It was told to stop.
    Aborted,
    /// The file would be larger than a process may write.
    TooLarge,
    /// The file cannot be written: the system's error number.
    Write(i32),
    /// The text of the snapshot could not be redacted.
    Redact,
    /// The snapshots could not be compared.
    Compare,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reported {
    /// What is being done.
    pub phase: Phase,
    /// How much of the phase is done, 0..1, where that is known.
    pub fraction: Option<f64>,
    /// What was written.
    pub bytes: Bytes,
}

#[derive(Default)]
#[repr(C)]
struct Page {
    phase: AtomicU32,
    done: AtomicU32,
    total: AtomicU32,
    failure: AtomicU32,
    error_number: AtomicI32,
    aborted: AtomicBool,
    nodes: AtomicU64,
    bytes: AtomicU64,
    /// Changes with every sign of life.
    beat: AtomicU64,
}

/// The page. A forked child writes into the same one.
#[derive(Debug)]
pub struct Progress(NonNull<Page>);

// SAFETY: everything in the page is atomic.
unsafe impl Send for Progress {}
// SAFETY: as above.
unsafe impl Sync for Progress {}

impl Progress {
    /// A new page: waiting, nothing done.
    pub fn new() -> io::Result<Self> {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, anywhere.
        let page = unsafe { libc::mmap(ptr::null_mut(), size_of::<Page>(), access, kind, -1, 0) };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // Zeros are what `Page::default()` is.
        NonNull::new(page.cast()).map(Self).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    fn page(&self) -> &Page {
        // SAFETY: mapped until drop, and never but by atomics.
        unsafe { self.0.as_ref() }
    }

    /// Has whoever works on it stop.
    pub fn abort(&self) {
        self.page().aborted.store(true, Ordering::Release);
    }

    /// Whether it has to stop.
    pub fn is_aborted(&self) -> bool {
        self.page().aborted.load(Ordering::Acquire)
    }

    /// Goes over to another phase.
    pub fn enter(&self, phase: Phase) {
        let page = self.page();
        page.done.store(0, Ordering::Relaxed);
        page.total.store(0, Ordering::Relaxed);
        page.phase.store(phase as u32, Ordering::Release);
        self.beat();
    }

    /// V8 has walked so much of the heap. False if it has to stop.
    pub fn built(&self, done: u32, total: u32) -> bool {
        let page = self.page();
        if self.reported().phase == Phase::Collecting {
            self.enter(Phase::Building);
        }
        page.total.store(total, Ordering::Relaxed);
        page.done.store(done, Ordering::Relaxed);
        self.beat();
        !self.is_aborted()
    }

    /// The snapshot has so many nodes.
    pub fn set_nodes(&self, nodes: u64) {
        self.page().nodes.store(nodes, Ordering::Release);
    }

    /// How many nodes the snapshot has.
    pub fn nodes(&self) -> u64 {
        self.page().nodes.load(Ordering::Acquire)
    }

    /// So much more was written.
    pub fn wrote(&self, size: usize) {
        self.page().bytes.fetch_add(size as u64, Ordering::Relaxed);
        self.beat();
    }

    /// A sign of life.
    pub fn beat(&self) {
        self.page().beat.fetch_add(1, Ordering::Relaxed);
    }

    /// A number that changes with every sign of life.
    pub fn beats(&self) -> u64 {
        self.page().beat.load(Ordering::Relaxed)
    }

    /// Starts anew, with another child.
    pub fn restart(&self) {
        let page = self.page();
        page.bytes.store(0, Ordering::Relaxed);
        page.failure.store(0, Ordering::Relaxed);
        self.enter(Phase::Waiting);
    }

    /// Leaves word of a failure.
    pub fn fail(&self, failure: Failure) {
        let (kind, number) = match failure {
            Failure::Unavailable => (1, 0),
            Failure::Aborted => (2, 0),
            Failure::TooLarge => (3, 0),
            Failure::Write(number) => (4, number),
            Failure::Redact => (5, 0),
            Failure::Compare => (6, 0),
        };
        self.page().error_number.store(number, Ordering::Relaxed);
        self.page().failure.store(kind, Ordering::Release);
    }

    /// The word that was left.
    pub fn failure(&self) -> Option<Failure> {
        match self.page().failure.load(Ordering::Acquire) {
            1 => Some(Failure::Unavailable),
            2 => Some(Failure::Aborted),
            3 => Some(Failure::TooLarge),
            4 => Some(Failure::Write(self.page().error_number.load(Ordering::Relaxed))),
            5 => Some(Failure::Redact),
            6 => Some(Failure::Compare),
            _ => None,
        }
    }

    /// How far it is.
    pub fn reported(&self) -> Reported {
        let page = self.page();
        let phase = page.phase.load(Ordering::Acquire);
        let (done, total) = (page.done.load(Ordering::Relaxed), page.total.load(Ordering::Relaxed));
        Reported {
            phase: Phase::ALL.into_iter().find(|&known| known as u32 == phase).unwrap_or(Phase::Waiting),
            fraction: (total > 0).then(|| (f64::from(done) / f64::from(total)).min(1.0)),
            bytes: Bytes::from_bytes(page.bytes.load(Ordering::Relaxed)),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and used by nobody else any more.
        unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<Page>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_told() {
        let progress = Progress::new().expect("a page");
        let reported = progress.reported();
        assert_eq!(reported, Reported { phase: Phase::Waiting, fraction: None, bytes: Bytes::ZERO });
        progress.enter(Phase::Collecting);
        let beats = progress.beats();
        assert!(progress.built(1, 4));
        assert!(progress.beats() > beats);
        assert_eq!(progress.reported().phase, Phase::Building);
        assert_eq!(progress.reported().fraction, Some(0.25));
        progress.enter(Phase::Writing);
        progress.wrote(10);
        let reported = progress.reported();
        assert_eq!(
            reported,
            Reported { phase: Phase::Writing, fraction: None, bytes: Bytes::from_bytes(10) }
        );
        progress.abort();
        assert!(!progress.built(2, 4));
    }

    #[test]
    fn a_failure_is_told_until_the_next_attempt() {
        let progress = Progress::new().expect("a page");
        assert_eq!(progress.failure(), None);
        for failure in [
            Failure::Unavailable,
            Failure::Aborted,
            Failure::TooLarge,
            Failure::Write(libc::ENOSPC),
            Failure::Redact,
            Failure::Compare,
        ] {
            progress.fail(failure);
            assert_eq!(progress.failure(), Some(failure));
        }
        progress.restart();
        assert_eq!(progress.failure(), None);
    }
}
