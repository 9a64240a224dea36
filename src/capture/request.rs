use std::path::PathBuf;

use super::{Limits, Packing};
use crate::measure::{Bytes, Millis};

/// How a snapshot is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By a forked child where that is possible, else in-process where that does not take long.
    #[default]
    Auto,
    /// By a forked child, which blocks the thread for milliseconds.
    Fork,
    /// In this process, which blocks the thread for 2 to 3 s per million nodes.
    InProcess,
}

impl Mode {
    /// The name that JavaScript uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fork => "fork",
            Self::InProcess => "in-process",
        }
    }

    /// The mode of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Auto, Self::Fork, Self::InProcess].into_iter().find(|mode| mode.name() == name)
    }
}

/// Who asked for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The signal.
    Signal,
    /// We ourselves, as the heap is near its limit.
    NearHeapLimit,
    /// The detector, for evidence.
    Detector,
    /// JavaScript, which knows its call by this number.
    Call(u32),
}

/// A snapshot that is wanted.
#[derive(Clone, Debug)]
pub struct Request {
    /// By whom.
    pub asker: Asker,
    /// Where; a name of ours in `dir` if nothing else is said.
    pub file: Option<PathBuf>,
    /// How it is taken.
    pub mode: Mode,
    /// What is done to it on its way.
    pub packing: Packing,
}

/// How snapshots of an isolate are to be written.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder for files without one of their own; absolute.
    pub dir: PathBuf,
    /// How those by signal are taken.
    pub mode: Mode,
    /// What is done to those by signal on their way.
    pub packing: Packing,
    /// Least time between two snapshots by signal.
    pub min_interval: Millis,
    /// The longest pause that may be made where no child can be forked.
    pub max_pause: Millis,
    /// What snapshots by signal may take up in the folder.
    pub limits: Limits,
}

/// A snapshot that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// The file's final name.
    pub file: PathBuf,
    /// Its size.
    pub bytes: Bytes,
    /// How many nodes it has.
    pub nodes: u64,
    /// How it was taken: never `Auto`.
    pub mode: Mode,
    /// For how long the isolate's thread was blocked.
    pub pause: Millis,
    /// How long it took in all.
    pub duration: Millis,
    /// Whether what its strings say was left out.
    pub redacted: bool,
}
