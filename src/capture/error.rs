use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::{limit::file_size_limit, packing::PackError, room::Limiter};
use crate::measure::{Bytes, Millis};

/// Why no snapshot file came of a request.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The folder cannot take the file.
    #[error("cannot write into {dir}: {source}; make the folder writable or set another `dir`")]
    Dir {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed half-way; the partial file is gone.
    #[error("cannot write the snapshot to {file}: {source}; the partial file was removed")]
    Write {
        /// The name it would have had.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of this name exists.
    #[error("{0} exists already and is not overwritten; choose another name")]
    Exists(PathBuf),
    /// The process may not write files as large as this one.
    #[error("the snapshot is larger than {limit}, the process's limit for a file (ulimit -f)")]
    FileSizeLimit {
        /// `RLIMIT_FSIZE`.
        limit: Bytes,
    },
    /// The memory that a snapshot takes is not there.
    #[error(
        "a snapshot needs about {needed} of memory{}, but {limiter} has only {free} to spare; {}, or ask while the \
         heap is smaller",
        if *doubled { " (twice the estimate: memory.oom.group lets the kernel kill the whole container)" } else { "" },
        limiter.remedy()
    )]
    NoRoom {
        /// What it takes, with what is asked for on top for safety.
        needed: Bytes,
        /// What is free, less a reserve.
        free: Bytes,
        /// Who has no more.
        limiter: Limiter,
        /// Whether twice the estimate is asked for.
        doubled: bool,
    },
    /// It takes more memory than the detector may use.
    #[error("a snapshot needs {needed} of memory at least, more than `detect.maxMemory` ({most}); raise it")]
    OverMemory {
        /// What it takes, by a low estimate.
        needed: Bytes,
        /// The option.
        most: Bytes,
    },
    /// The disk space that its file takes is not there.
    #[error(
        "a snapshot of about {needed} does not fit into {dir}: {free} are free there, of which {reserve} are left to \
         others; make space, set another `dir`, or compress"
    )]
    NoSpace {
        /// The folder.
        dir: PathBuf,
        /// The size of the file.
        needed: Bytes,
        /// What is free.
        free: Bytes,
        /// What of it has to stay free.
        reserve: Bytes,
    },
    /// It is larger than all snapshots together may be.
    #[error(
        "the snapshot has {bytes}, more than `snapshot.maxBytes` ({max_bytes}) lets all of them have; raise it, or compress"
    )]
    OverLimit {
        /// Its size.
        bytes: Bytes,
        /// The option.
        max_bytes: Bytes,
    },
    /// It can only be taken in the process itself, which would stop for too long.
    #[error(
        "a snapshot in-process would stop this thread for about {:.1} s, more than `snapshot.maxPause` ({:.1} s), \
         and none can be forked: {reason}; raise `snapshot.maxPause`, or set the mode 'in-process' if the thread may stop",
        estimate.get() / 1e3, max_pause.get() / 1e3
    )]
    WouldBlock {
        /// How long it would stop.
        estimate: Millis,
        /// How long it may.
        max_pause: Millis,
        /// Why there is no other way.
        reason: String,
    },
    /// Another process writes one into the same folder.
    #[error(
        "another process still wrote a snapshot into {dir} after {:.0} s of waiting; wait for it, or set another `dir`",
        waited.get() / 1e3
    )]
    FolderBusy {
        /// The folder.
        dir: PathBuf,
        /// How long we waited for it.
        waited: Millis,
    },
    /// What V8 wrote could not be redacted.
    #[error("the snapshot could not be redacted, and was not written")]
    Redact,
    /// What grew between snapshots could not be worked out.
    #[error("the snapshots could not be compared")]
    Compare,
    /// A snapshot that this caller asked for is being written.
    #[error("a snapshot of this thread is being written; wait for it")]
    Busy,
    /// It was given up: by its caller, by `stop()`, or with its thread.
    #[error("the snapshot was given up: by its caller, by stop(), or because its thread ended")]
    Aborted,
    /// No child took it.
    #[error("no forked child could take the snapshot: {0}")]
    Fork(String),
    /// The thread that writes it cannot be started.
    #[error("cannot start the thread that writes the snapshot: {0}")]
    Thread(io::Error),
    /// The last one was a moment ago.
    #[error(
        "the last snapshot by signal was {:.1} s ago; `snapshot.minInterval` asks for {:.1} s between two",
        since.get() / 1e3, min_interval.get() / 1e3
    )]
    TooSoon {
        /// Time since the last one.
        since: Millis,
        /// Time there has to be.
        min_interval: Millis,
    },
    /// JavaScript was to write it in our stead and failed.
    #[error("{message}")]
    JavaScript {
        /// The code that its caller sees as well.
        code: String,
        /// What it said.
        message: String,
    },
    /// V8 gave none.
    #[error("V8 took no snapshot")]
    Unavailable,
}

impl CaptureError {
    /// As it concerns the file that was to be called `path`.
    pub(super) fn of_packing(error: PackError, path: &Path) -> Self {
        match error {
            PackError::Unavailable => Self::Unavailable,
            PackError::Aborted => Self::Aborted,
            PackError::TooLarge => Self::FileSizeLimit { limit: file_size_limit().unwrap_or_default() },
            PackError::Write(source) => Self::Write { file: path.to_owned(), source },
            PackError::Redact => Self::Redact,
            PackError::Compare => Self::Compare,
        }
    }

    /// The stable code that JavaScript sees.
    pub fn code(&self) -> &str {
        match self {
            Self::Dir { .. } => "ERR_LEAKGUARD_DIR",
            Self::JavaScript { code, .. } => code,
            Self::Write { .. } | Self::FileSizeLimit { .. } | Self::Redact => "ERR_LEAKGUARD_WRITE",
            Self::Exists(_) => "ERR_LEAKGUARD_EXISTS",
            Self::NoRoom { .. } | Self::NoSpace { .. } | Self::OverLimit { .. } | Self::OverMemory { .. } => {
                "ERR_LEAKGUARD_NO_ROOM"
            }
            Self::WouldBlock { .. } => "ERR_LEAKGUARD_WOULD_BLOCK",
            Self::Busy | Self::FolderBusy { .. } => "ERR_LEAKGUARD_BUSY",
            Self::TooSoon { .. } => "ERR_LEAKGUARD_TOO_SOON",
            Self::Aborted => "ABORT_ERR",
            Self::Fork(_) => "ERR_LEAKGUARD_FORK",
            Self::Unavailable | Self::Compare | Self::Thread(_) => "ERR_LEAKGUARD_UNAVAILABLE",
        }
    }
}
