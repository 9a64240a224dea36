//! What has grown between snapshots, worked out in the child: the memory that it takes is not the host's, and its end harms nobody.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
};

use super::child::is_child_of;
use crate::{
    capture::{
        packing::{Beating, PackError},
        progress::Progress,
    },
    snapshot::{Cancelled, Difference, Heap, Observer, ReadOptions, Stage, Work, read, unpack},
    v8::{HeapSnapshot, Isolate},
};

/// So many of each sort of containers are told.
const MOST: usize = 10;

/// A comparison of snapshots.
#[derive(Debug)]
pub(in crate::capture) struct Comparing {
    /// The snapshots, the oldest first; the last one is the child's own, filled by a task before this one.
    pub(in crate::capture) files: Vec<File>,
    /// How much work was done until each of them.
    pub(in crate::capture) work: Work,
    /// Where the `Difference` goes, as JSON; its classes are left out.
    pub(in crate::capture) answer: File,
}

impl Comparing {
    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().chain([&self.answer])
    }
}

pub(super) fn run(
    comparing: &Comparing,
    snapshot: HeapSnapshot,
    isolate: Isolate,
    progress: &Progress,
    parent: libc::pid_t,
) -> Result<(), PackError> {
    let watched = Watched { beating: Beating(progress), parent };
    let failed = || if progress.is_aborted() { PackError::Aborted } else { PackError::Compare };
    // Some 350 bytes a node, which the graphs need now.
    snapshot.forget(isolate);
    let heaps: Vec<Heap> =
        comparing.files.iter().map(|file| heap_in(file, &watched, &failed)).collect::<Result<_, _>>()?;
    let mut difference = Difference::new(&heaps, &comparing.work, &watched).map_err(|_| failed())?;
    difference.suspects.truncate(MOST);
    difference.others.truncate(MOST);
    difference.classes.clear();
    difference.noise.clear();
    let json = serde_json::to_vec(&difference).map_err(|_| PackError::Compare)?;
    (&comparing.answer).write_all(&json).map_err(PackError::Write)
}

/// Reads what a child has written.
fn heap_in(
    mut file: &File,
    watched: &Watched<'_>,
    failed: &dyn Fn() -> PackError,
) -> Result<Heap, PackError> {
    // The position is shared with whoever has written it.
    file.seek(SeekFrom::Start(0)).map_err(PackError::Write)?;
    let (reader, _) = unpack(file).map_err(PackError::Write)?;
    let graph = read(reader, ReadOptions::default(), watched).map_err(|_| failed())?;
    Heap::new(graph, watched).map_err(|_| failed())
}

/// Passes on that the comparison goes on, and stops it once nobody waits for it: a Worker's child does not end with the host.
struct Watched<'a> {
    beating: Beating<'a>,
    parent: libc::pid_t,
}

impl Observer for Watched<'_> {
    fn progress(&self, stage: Stage, done: u64) -> Result<(), Cancelled> {
        if !is_child_of(self.parent) {
            return Err(Cancelled);
        }
        self.beating.progress(stage, done)
    }
}
