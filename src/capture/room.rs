use std::{fmt, path::Path};

use super::{CaptureError, Compression};
use crate::measure::{Bytes, Cgroup, Headroom, Millis};

/// The smallest objects make the most nodes: heaps of hash maps and small objects had 47 to 51 bytes a node, Node 20
/// to 24. Large objects are few, and are to be left out of the heap's size.
const HEAP_PER_NODE: u64 = 47;
/// What V8 allocates outside of the heap: 310 to 350 bytes a node, in-process or forked, Node 20 to 24.
const MEMORY_PER_NODE: u64 = 350;
/// The file without compression: 42 bytes a node with short strings, more with longer ones.
const FILE_PER_NODE: u64 = 55;
/// gzip -1 made 8.3 MB of 44 MB.
const GZIP_RATIO: u64 = 5;
/// 2 to 4 s for a million nodes, Node 20 to 24.
const PAUSE_PER_NODE: Millis = Millis::from_millis(0.003);
/// The share of the heap that the process writes to, and thereby doubles, while a forked child lives.
const WRITTEN_PERCENT: u64 = 10;
/// The share of a limit that stays free for the process to go on with.
const RESERVE_PERCENT: u64 = 10;
/// How far the estimate may be wrong where nothing else bounds the child: an object has 16 bytes at least, a third of
/// what is taken for granted above.
const UNBOUNDED_FACTOR: u64 = 3;

/// What a snapshot will take, judged by the size of the heap before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many nodes it will have.
    pub nodes: u64,
    /// Memory while it is written, wherever it is.
    pub memory: Bytes,
    /// Memory besides, that is not allocated by whoever writes it: for pages that the process writes to while a forked
    /// child has them as well, and for a file that is kept in memory.
    pub aside: Bytes,
    /// For how long the thread stops that takes it in-process.
    pub pause: Millis,
}

impl Estimate {
    /// For a heap with `heap` in use, large object spaces not counted.
    pub fn of(heap: Bytes) -> Self {
        let nodes = heap.get() / HEAP_PER_NODE;
        Self {
            nodes,
            memory: times(nodes, MEMORY_PER_NODE),
            aside: percent(heap, WRITTEN_PERCENT),
            pause: Millis::from_millis(nodes as f64 * PAUSE_PER_NODE.get()),
        }
    }

    /// The same with a file on a disk that is in memory.
    pub fn with_file_in_memory(mut self, compression: Compression) -> Self {
        self.aside += self.file(compression);
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

    /// Whether a snapshot fits; if so, what the child that takes it may allocate at most. Where no limit is known,
    /// every snapshot fits.
    pub fn admit(&self, estimate: &Estimate) -> Result<Bytes, CaptureError> {
        let Some((free, limiter)) = self.free else {
            return Ok(times(estimate.memory.get(), UNBOUNDED_FACTOR));
        };
        let factor = if self.doubled { 2 } else { 1 };
        let needed = times([estimate.memory, estimate.aside].into_iter().sum::<Bytes>().get(), factor);
        if needed > free {
            return Err(CaptureError::NoRoom { needed, free, limiter, doubled: self.doubled });
        }
        Ok(Bytes::from_bytes(free.get() / factor).saturating_sub(estimate.aside))
    }
}

fn unreserved(headroom: Headroom) -> Bytes {
    headroom.free.saturating_sub(percent(headroom.limit, RESERVE_PERCENT))
}

fn percent(of: Bytes, share: u64) -> Bytes {
    Bytes::from_bytes(of.get() / 100 * share)
}

const fn times(amount: u64, factor: u64) -> Bytes {
    Bytes::from_bytes(amount.saturating_mul(factor))
}

#[cfg(test)]
mod tests;
