use std::fs::File;

use super::compare::{self, Comparing};
use crate::{
    capture::{
        packing::{PackError, Packing, pack},
        progress::Progress,
    },
    measure::Bytes,
    v8::{HeapSnapshot, Isolate, Numerics},
};

/// What a child does with its snapshot.
#[derive(Debug)]
pub(in crate::capture) enum Task {
    /// Fills a file.
    Fill {
        /// Without a name, or under a temporary one.
        file: File,
        /// What becomes of V8's chunks.
        packing: Packing,
        /// The most bytes that the file may have.
        limit: Option<Bytes>,
        /// Whether numbers are in it.
        numerics: Numerics,
    },
    /// Compares it with earlier ones, once it is in a file.
    Compare(Comparing),
}

impl Task {
    /// The files that the child needs.
    pub(super) fn files(&self) -> Vec<&File> {
        match self {
            Self::Fill { file, .. } => vec![file],
            Self::Compare(comparing) => comparing.files().collect(),
        }
    }
}

/// Whether numbers have to be in the snapshot.
pub(super) fn numerics(tasks: &[Task]) -> Numerics {
    let exposes = |task: &Task| match task {
        Task::Fill { numerics, .. } => *numerics == Numerics::Exposed,
        Task::Compare(_) => false,
    };
    if tasks.iter().any(exposes) { Numerics::Exposed } else { Numerics::Hidden }
}

/// Does them all: comparing last, as it takes the place of the snapshot.
pub(super) fn run_all(
    tasks: &[Task],
    snapshot: HeapSnapshot,
    isolate: Isolate,
    progress: &Progress,
    parent: libc::pid_t,
) -> Result<(), PackError> {
    let mut last = None;
    for task in tasks {
        match task {
            Task::Fill { file, packing, limit, .. } => pack(&snapshot, *packing, file, *limit, progress)?,
            Task::Compare(comparing) => last = Some(comparing),
        }
    }
    match last {
        Some(comparing) => compare::run(comparing, snapshot, isolate, progress, parent),
        None => Ok(()),
    }
}
