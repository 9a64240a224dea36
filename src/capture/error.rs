use std::{io, path::PathBuf};

use thiserror::Error;

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
    /// Another snapshot of this process is being written.
    #[error("a snapshot of this process is being written; wait for it")]
    Busy,
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
    /// The stable code that JavaScript sees.
    pub fn code(&self) -> &str {
        match self {
            Self::Dir { .. } => "ERR_LEAKGUARD_DIR",
            Self::JavaScript { code, .. } => code,
            Self::Write { .. } | Self::FileSizeLimit { .. } => "ERR_LEAKGUARD_WRITE",
            Self::Exists(_) => "ERR_LEAKGUARD_EXISTS",
            Self::Busy => "ERR_LEAKGUARD_BUSY",
            Self::TooSoon { .. } => "ERR_LEAKGUARD_TOO_SOON",
            Self::Unavailable => "ERR_LEAKGUARD_UNAVAILABLE",
        }
    }
}
