//! What is in a heap snapshot: reading the file, and the numbers Chrome DevTools shows for it.

mod ahead;
mod bits;
mod classes;
mod closures;
mod collections;
mod detached;
mod difference;
mod distances;
mod dominated;
mod dominators;
mod ephemerons;
mod error;
mod essential;
mod functions;
mod graph;
mod groups;
mod heap;
mod hoards;
mod input;
mod listeners;
mod members;
mod meta;
mod naming;
mod open;
mod parse;
mod preview;
pub mod query;
mod redact;
mod sizes;
mod spare;
mod strings;
mod summary;
#[cfg(test)]
mod testing;
mod timers;

pub use ahead::ReadAhead;
pub use classes::{ClassGroup, Constructor};
pub use closures::{ClosureKind, Closures};
pub use collections::CollectionKind;
pub use difference::{ClassGrowth, Container, ContainerKind, Difference, Totals, Unit, Verdict, Work};
pub use distances::{SYSTEM_DISTANCE, UNREACHABLE};
pub use error::SnapshotFileError;
pub use functions::Place;
pub use graph::{EdgeType, Graph, Location, NodeType, ROOT};
pub use heap::Heap;
pub use open::unpack;
pub use parse::{ReadOptions, read};
pub use redact::{RedactError, RedactOptions, Redacted, redact};
pub use strings::Strings;
pub use summary::{ClassTotal, Collection, DuplicateString, Retainer, Summary, Suspect, TypeTotal};

/// Watches long work and may end it.
pub trait Observer: Sync {
    /// The work is at this stage; of reading, so many bytes are done. An error ends the work.
    fn progress(&self, stage: Stage, bytes: u64) -> Result<(), Cancelled>;
}

/// What takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading the file.
    Reading,
    /// Finding out who keeps whom.
    Dominators,
    /// Adding up sizes.
    Sizes,
    /// Measuring distances.
    Distances,
    /// Sorting nodes by class.
    Classes,
    /// Comparing it with others.
    Comparing,
}

/// The work is not wanted any more.
#[derive(Clone, Copy, Debug)]
pub struct Cancelled;

/// Nobody watches.
impl Observer for () {
    fn progress(&self, _: Stage, _: u64) -> Result<(), Cancelled> {
        Ok(())
    }
}
