use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    sync::atomic::Ordering,
};

use super::Host;
use crate::snapshot::{
    Cancelled, Heap, Observer, ReadAhead, ReadOptions, SnapshotFileError, Stage, read, unpack,
};

/// Analysing is done to this part when a stage begins; measured on files of 1 to 20 million nodes.
const BEGINNINGS: [(Stage, f64); 5] = [
    (Stage::Reading, 0.0),
    (Stage::Dominators, 0.5),
    (Stage::Sizes, 0.8),
    (Stage::Distances, 0.85),
    (Stage::Classes, 0.92),
];

/// What is read: a file's text, unpacked, and its size where it is known.
pub(super) struct Input {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) size: Option<u64>,
}

impl Input {
    /// Opens a file, or standard input where there is no name.
    pub(super) fn open(file: Option<&str>) -> io::Result<Self> {
        let (input, size): (Box<dyn Read + Send>, _) = match file {
            Some(file) => {
                let file = File::open(file)?;
                let on_disk = file.metadata()?;
                (Box::new(file), on_disk.is_file().then_some(on_disk.len()))
            }
            None => (Box::new(io::stdin()), None),
        };
        let (reader, is_packed) = unpack(input)?;
        if is_packed {
            // To unpack takes as long as all the rest. Nobody knows the size of what will come.
            return Ok(Self { reader: Box::new(ReadAhead::new(reader)?), size: None });
        }
        Ok(Self { reader, size })
    }
}

impl Host {
    /// Reads a snapshot and works out who keeps whom. It is the part `share` of the whole work.
    pub(super) fn load(
        &self,
        file: Option<&str>,
        partial: bool,
        share: Range<f64>,
    ) -> Result<Heap, SnapshotFileError> {
        let Input { reader, size } = Input::open(file)?;
        let watch = Watch { host: self, size, share };
        let options = ReadOptions { size, partial };
        Heap::new(read(reader, options, &watch)?, &watch).map_err(|_| SnapshotFileError::Cancelled)
    }

    /// Tells that so much is done, 0..1.
    pub(super) fn progress(&self, fraction: f64) -> Result<(), Cancelled> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Cancelled);
        }
        if let Some(progress) = &self.progress {
            progress(fraction);
        }
        Ok(())
    }
}

/// Passes on how far it is.
struct Watch<'a> {
    host: &'a Host,
    size: Option<u64>,
    share: Range<f64>,
}

impl Observer for Watch<'_> {
    fn progress(&self, stage: Stage, bytes: u64) -> Result<(), Cancelled> {
        let begun = BEGINNINGS.iter().position(|(known, _)| *known == stage).unwrap_or(0);
        let (start, end) = (BEGINNINGS[begun].1, BEGINNINGS.get(begun + 1).map_or(1.0, |next| next.1));
        let part = self
            .size
            .filter(|_| stage == Stage::Reading)
            .map_or(0.0, |size| bytes as f64 / size.max(1) as f64);
        let done = start + (end - start) * part.min(1.0);
        self.host.progress(self.share.start + (self.share.end - self.share.start) * done)
    }
}
