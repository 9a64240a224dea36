//! A snapshot without what its strings say: read once, written as it is read.
//!
//! Nodes and edges come first and refer to strings by number; the strings come last. So each use of a string is given a [`role`]
//! as it goes by, and a number that belongs to the string *in this role*: what a string says as a value and what it says as a
//! name are two strings in what is written. Beside that only what is needed to judge names is kept of [`nodes`] and of [`code`]. At the
//! end a [`verdict`] falls on each string in each of its roles: it stays, or a [`placeholder`] as long takes its place.
//!
//! Values never stay. A name stays if code or V8 has put it there: a function of a script from a file vouches for the strings
//! in its constants, V8 for those of its own roots and startup snapshot; code that was made of text at run time vouches for nothing.

mod code;
mod edges;
mod entry;
mod nodes;
mod output;
mod placeholder;
mod role;
mod sections;
mod standard;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};

use serde::Serialize;
use thiserror::Error;

use super::{Observer, SnapshotFileError};

/// How to redact.
#[derive(Clone, Copy, Debug)]
pub struct RedactOptions {
    /// What the placeholders of this file come from. Whoever knows it can find out whether a text was in the file.
    pub salt: [u8; 32],
    /// Whether the keys of objects that are used as dictionaries are replaced whatever they are.
    pub keys: bool,
}

impl RedactOptions {
    /// With a salt that nobody knows.
    pub fn new(keys: bool) -> io::Result<Self> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(io::Error::other)?;
        Ok(Self { salt, keys })
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Redacted {
    /// The number of nodes.
    pub nodes: u64,
    /// The number of edges.
    pub edges: u64,
    /// The number of different texts there were.
    pub strings: u64,
    /// How many texts were replaced, each counted once for being a value and once for being a name.
    pub replaced: u64,
}

/// Why a snapshot was not redacted.
#[derive(Debug, Error)]
pub enum RedactError {
    /// What was to be redacted cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotFileError),
    /// What was redacted cannot be written.
    #[error("cannot write: {0}")]
    Write(io::Error),
}

/// Copies the JSON text of a heap snapshot, as V8 writes it, without the contents of its strings.
pub fn redact(
    reader: impl Read,
    writer: impl Write,
    options: &RedactOptions,
    observer: &dyn Observer,
) -> Result<Redacted, RedactError> {
    sections::Redaction::new(reader, writer, options, observer).run()
}
