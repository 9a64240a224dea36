use std::{fmt, path::Path};

use super::{CaptureError, Compression};
use crate::measure::{Bytes, Cgroup, Headroom, Millis};

// The numbers were measured with `v8.writeHeapSnapshot()` and heaps of twenty shapes (objects, arrays, Maps,
// dictionaries, closures, promises, strings, parsed JSON; in few large collections and in many small ones; 40,000 to 1.4
// million nodes) on Node 20, 24 and 26. From them the estimate of memory is 0.4 to 2.9 times the truth, that of the
// pause 0.5 to 3.3, that of the file 0.8 to 2.7; more for heaps that are little but large strings or numbers.

/// Outside of the large object spaces: 27 to 90, most often 35 to 45.
const HEAP_PER_NODE: u64 = 35;
/// In large object spaces are the slots of large collections, of 8 bytes; about half of them are in use.
const LARGE_PER_NAME: u64 = 16;
/// What V8 allocates outside of the heap, in-process or forked: 260 to 350 bytes a node where collections are small.
const MEMORY_PER_NODE: u64 = 350;
/// V8 formats the index of a slot into a buffer of 1,024 bytes (`StringsStorage::GetVFormatted`) and keeps it, once for
/// each index that occurs: a Map of 500,000 took 1,455 MB.
const MEMORY_PER_NAME: u64 = 1_060;
/// The file without compression: 65 to 160 bytes a node, the more the fewer bytes of the heap a node has.
const FILE_PER_NODE: u64 = 100;
/// gzip -1 made 8.3 MB of 44 MB.
const GZIP_RATIO: u64 = 5;
/// In microseconds of CPU, a node took 2 to 5 where collections are small,
const PAUSE_PER_NODE: Millis = Millis::from_millis(0.0025);
/// and up to 13 where they are large.
const PAUSE_PER_NAME: Millis = Millis::from_millis(0.003);
/// The share of the heap that the process writes to, and thereby doubles, while a forked child lives.
const WRITTEN_PERCENT: u64 = 10;
/// The share of a limit that stays free for the process to go on with.
const RESERVE_PERCENT: u64 = 10;
/// How far below the truth the estimate may be, where nothing bounds what is allocated.
const UNBOUNDED_FACTOR: u64 = 3;

/// What a snapshot will take, judged by the size of the heap before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many nodes it will have.
    pub nodes: u64,
    /// Memory while it is written, wherever it is.
    pub memory: Bytes,
    /// Memory for pages that the process writes to while a forked child has them as well.
    pub copied: Bytes,
    /// Memory for the file, where it is kept in memory.
    pub file_in_memory: Bytes,
    /// For how long the thread stops that takes it in-process.
    pub pause: Millis,
}

impl Estimate {
    /// For a heap with `large` in use in its large object spaces and `small` in the others.
    pub fn of(small: Bytes, large: Bytes) -> Self {
        let nodes = small.get() / HEAP_PER_NODE;
        // Large strings are in large object spaces as well, but what is named is a node.
        let names = nodes.min(large.get() / LARGE_PER_NAME);
        let pause = nodes as f64 * PAUSE_PER_NODE.get() + names as f64 * PAUSE_PER_NAME.get();
        Self {
            nodes,
            memory: total([times(nodes, MEMORY_PER_NODE), times(names, MEMORY_PER_NAME)]),
            copied: percent(total([small, large]), WRITTEN_PERCENT),
            file_in_memory: Bytes::ZERO,
            pause: Millis::from_millis(pause),
        }
    }

    /// The same with a file on a disk that is in memory.
    pub fn with_file_in_memory(mut self, compression: Compression) -> Self {
        self.file_in_memory = self.file(compression);
        self
    }

    /// The size of the file.
    pub fn file(&self, compression: Compression) -> Bytes {
        let plain = times(self.nodes, FILE_PER_NODE);
        match compression {
            Compression::None => plain,
            Compression::Gzip => Bytes::from_bytes(plain.get() / GZIP_RATIO),
        }
    }
}

/// Who has no more memory to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiter {
    /// A control group around the process, with its limit.
    Container(Bytes),
    /// All memory that there is.
    Machine(Bytes),
}

impl Limiter {
    /// What to do about it.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Container(_) => "raise the container's limit",
            Self::Machine(_) => "give the machine more memory",
        }
    }
}

impl fmt::Display for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(limit) => write!(f, "the container with its limit of {limit}"),
            Self::Machine(memory) => write!(f, "the machine with its {memory}"),
        }
    }
}

/// The memory that a snapshot may take without harm to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What is free below the tightest limit, less the reserve; none where nothing is known.
    free: Option<(Bytes, Limiter)>,
    /// A kill of the child would be one of the process: it has to be twice as unlikely.
    doubled: bool,
}

impl Room {
    /// Reads it. `root` is the root of the file system, `/` but in tests.
    pub fn of_process(root: &Path) -> Self {
        let cgroup = Cgroup::of_process(root);
        let groups = cgroup.iter().flat_map(Cgroup::headrooms);
        let groups = groups.map(|headroom| (unreserved(headroom), Limiter::Container(headroom.limit)));
        let machine = Headroom::of_machine(root)
            .map(|headroom| (unreserved(headroom), Limiter::Machine(headroom.limit)));
        Self {
            free: groups.chain(machine).min_by_key(|&(free, _)| free),
            doubled: cgroup.as_ref().is_some_and(Cgroup::kills_whole_groups),
        }
    }

    /// Whether a forked snapshot fits; if so, what the child may allocate at most, which is to be made its limit: the
    /// estimate may be too low. Where no limit is known, every snapshot fits.
    pub fn admit(&self, estimate: &Estimate) -> Result<Bytes, CaptureError> {
        let Some((free, limiter)) = self.free else {
            return Ok(times(estimate.memory.get(), UNBOUNDED_FACTOR));
        };
        let factor = if self.doubled { 2 } else { 1 };
        let beside = total([estimate.copied, estimate.file_in_memory]);
        let needed = times(total([estimate.memory, beside]).get(), factor);
        if needed > free {
            return Err(CaptureError::NoRoom { needed, free, limiter, doubled: self.doubled });
        }
        Ok(Bytes::from_bytes(free.get() / factor).saturating_sub(beside))
    }

    /// Whether a snapshot fits that the process itself takes, where nothing stops it short of the kernel's kill.
    pub fn admit_in_process(&self, estimate: &Estimate) -> Result<(), CaptureError> {
        let needed = total([times(estimate.memory.get(), UNBOUNDED_FACTOR), estimate.file_in_memory]);
        match self.free {
            Some((free, limiter)) if needed > free => {
                Err(CaptureError::NoRoom { needed, free, limiter, doubled: false })
            }
            _ => Ok(()),
        }
    }
}

fn unreserved(headroom: Headroom) -> Bytes {
    headroom.free.saturating_sub(percent(headroom.limit, RESERVE_PERCENT))
}

fn total(sizes: [Bytes; 2]) -> Bytes {
    sizes.into_iter().sum()
}

fn percent(of: Bytes, share: u64) -> Bytes {
    Bytes::from_bytes(of.get() / 100 * share)
}

const fn times(amount: u64, factor: u64) -> Bytes {
    Bytes::from_bytes(amount.saturating_mul(factor))
}

#[cfg(test)]
mod tests;
