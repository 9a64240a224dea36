use std::path::PathBuf;

use crate::capture::Phase;

/// What the process is. Its ids are those that it sees itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Whether the signal is handled. False once and for all when that ends.
    pub open: bool,
    /// Its id in the innermost namespace of process ids.
    pub pid: u32,
    /// When it was started, in clock ticks since the machine was: `/proc/PID/stat`, field 22. Tells it from a later process with
    /// its id.
    pub start_time: u64,
    /// The address of the signal handler, which is in the addon.
    pub handler: u64,
    /// The signal's number.
    pub signal: i32,
    /// The signal's name.
    pub signal_name: String,
    /// leakguard's version.
    pub version: String,
    /// The folder for files of the main thread, as the process sees it.
    pub dir: PathBuf,
    /// Threads for which there was no row left.
    pub unlisted: u64,
}

/// Where a thread's snapshot is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is asked for.
    #[default]
    Idle,
    /// Asked for; the thread has not got to it.
    Requested,
    /// The thread has got to it, and another one is being written.
    Waiting,
    /// V8 collects garbage.
    Collecting,
    /// V8 walks the heap.
    Building,
    /// The file is written.
    Writing,
    /// The file is written, and goes to the disk.
    Syncing,
}

impl Stage {
    pub(super) const ALL: [Self; 7] = [
        Self::Idle,
        Self::Requested,
        Self::Waiting,
        Self::Collecting,
        Self::Building,
        Self::Writing,
        Self::Syncing,
    ];
}

impl From<Phase> for Stage {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Waiting => Self::Waiting,
            Phase::Collecting => Self::Collecting,
            Phase::Building => Self::Building,
            Phase::Writing => Self::Writing,
            Phase::Syncing => Self::Syncing,
        }
    }
}

/// A thread that is dumped on the signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Tells it from others with its row, now or later; from 1.
    pub serial: u64,
    /// Node's thread id.
    pub thread_id: u32,
    /// Where its snapshot is.
    pub stage: Stage,
    /// What is done of this stage: nodes while building, bytes while writing.
    pub done: u64,
    /// What there is to do; 0 where nobody knows.
    pub total: u64,
}

/// A snapshot by signal that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The file, as the process sees it.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// How many nodes it has.
    pub nodes: u64,
    /// For how long the thread was blocked, in microseconds.
    pub pause_micros: u64,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) struct Answer {
    /// Counts the answers of this process, from 1.
    pub sequence: u64,
    /// [`Thread::serial`]
    pub serial: u64,
    /// The file, or the code and the message of the error.
    pub result: Result<Written, (String, String)>,
}

/// All that a beacon says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::capture) struct Record {
    /// The process.
    pub identity: Identity,
    /// The threads that are dumped on the signal.
    pub threads: Vec<Thread>,
    /// The last answers, in no order.
    pub answers: Vec<Answer>,
}
