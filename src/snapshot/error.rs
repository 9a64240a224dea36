use std::io;

use thiserror::Error;

/// Why a snapshot cannot be read.
#[derive(Debug, Error)]
pub enum SnapshotFileError {
    /// The file or the stream could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The input ends before the snapshot does.
    #[error(
        "at byte {offset}: the snapshot ends here, in the middle of {within}: it was cut off while it was written or copied"
    )]
    Truncated {
        /// Bytes read, after decompression.
        offset: u64,
        /// What the snapshot lacks the rest of.
        within: &'static str,
    },
    /// The input is something else, or damaged.
    #[error("at byte {offset}: expected {expected}, found {found}")]
    Unexpected {
        /// Where, after decompression.
        offset: u64,
        /// What should stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// There is not enough memory for as many nodes and edges as the file says it has.
    #[error("no memory for {what}: {count} of them")]
    NoMemory {
        /// Nodes or edges.
        what: &'static str,
        /// How many the file announces.
        count: u64,
    },
    /// The caller does not want it any more.
    #[error("cancelled")]
    Cancelled,
    /// One of several files cannot be read.
    #[error("{file}: {error}")]
    InFile {
        /// Which one.
        file: String,
        /// Why.
        error: Box<SnapshotFileError>,
    },
}

impl SnapshotFileError {
    /// The same, with the file it is about.
    pub fn in_file(self, file: &str) -> Self {
        match self {
            Self::Cancelled => self,
            error => Self::InFile { file: file.into(), error: Box::new(error) },
        }
    }
}
