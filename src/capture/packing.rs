//! From V8's chunks to the file, in bounded memory: redaction, compression, counting.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    thread,
};

use flate2::write::GzEncoder;
use thiserror::Error;

use super::{
    Compression,
    progress::{Failure, Progress},
};
use crate::{
    measure::Bytes,
    snapshot::{Cancelled, Observer, RedactError, RedactOptions, SnapshotFileError, Stage, redact},
    v8::{HeapSnapshot, SnapshotError},
};

/// What is done to a snapshot on its way into the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packing {
    /// How it is compressed.
    pub compression: Compression,
    /// Whether what its strings say is left out.
    pub redact: bool,
}

/// Why the file was not filled.
#[derive(Debug, Error)]
pub(super) enum PackError {
    #[error("V8 serialized nothing")]
    Unavailable,
    #[error("it was given up")]
    Aborted,
    #[error("the file would be too large")]
    TooLarge,
    #[error(transparent)]
    Write(io::Error),
    #[error("what V8 wrote could not be redacted")]
    Redact,
    #[error("the snapshots could not be compared")]
    Compare,
}

impl PackError {
    /// As a child says it.
    pub(super) fn failure(&self) -> Failure {
        match self {
            Self::Unavailable => Failure::Unavailable,
            Self::Aborted => Failure::Aborted,
            Self::TooLarge => Failure::TooLarge,
            Self::Write(error) => Failure::Write(error.raw_os_error().unwrap_or(libc::EIO)),
            Self::Redact => Failure::Redact,
            Self::Compare => Failure::Compare,
        }
    }
}

impl From<Failure> for PackError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable => Self::Unavailable,
            Failure::Aborted => Self::Aborted,
            Failure::TooLarge => Self::TooLarge,
            Failure::Write(number) => Self::Write(io::Error::from_raw_os_error(number)),
            Failure::Redact => Self::Redact,
            Failure::Compare => Self::Compare,
        }
    }
}

/// Serializes the snapshot into `file`, at most `limit` bytes of it.
pub(super) fn pack(
    snapshot: &HeapSnapshot,
    packing: Packing,
    file: &File,
    limit: Option<Bytes>,
    progress: &Progress,
) -> Result<(), PackError> {
    let mut sink = Sink { file, progress, left: limit, refused: None };
    let mut buffer = BufWriter::with_capacity(1 << 18, &mut sink);
    let packed = match packing.compression {
        Compression::None => fill(snapshot, packing.redact, &mut buffer, progress),
        Compression::Gzip => {
            let mut gzip = GzEncoder::new(&mut buffer, flate2::Compression::fast());
            fill(snapshot, packing.redact, &mut gzip, progress)
                .and_then(|()| gzip.finish().map(drop).map_err(PackError::Write))
        }
    };
    let packed = packed.and_then(|()| buffer.flush().map_err(PackError::Write));
    // What is left in the buffer after an error is not worth another one.
    drop(buffer.into_parts());
    packed.map_err(|error| sink.refused.unwrap_or(error))
}

fn fill(
    snapshot: &HeapSnapshot,
    redacted: bool,
    sink: &mut (dyn Write + Send),
    progress: &Progress,
) -> Result<(), PackError> {
    if !redacted {
        return serialize(snapshot, sink);
    }
    let options = RedactOptions::new(true).map_err(PackError::Write)?;
    let (reader, mut writer) = io::pipe().map_err(PackError::Write)?;
    thread::scope(|scope| {
        let redacting = thread::Builder::new()
            .name("leakguard-redact".into())
            .spawn_scoped(scope, move || redact(reader, sink, &options, &Beating(progress)))
            .map_err(PackError::Write)?;
        let serialized = serialize(snapshot, &mut writer);
        drop(writer);
        match redacting.join() {
            Ok(Ok(_)) => serialized,
            Ok(Err(RedactError::Write(error))) => Err(PackError::Write(error)),
            Ok(Err(RedactError::Snapshot(SnapshotFileError::Cancelled))) => Err(PackError::Aborted),
            // What it makes of half a snapshot is not the cause.
            Ok(Err(RedactError::Snapshot(_))) => serialized.and(Err(PackError::Redact)),
            Err(_) => Err(PackError::Unavailable),
        }
    })
}

fn serialize(snapshot: &HeapSnapshot, sink: &mut dyn Write) -> Result<(), PackError> {
    snapshot.serialize(sink).map_err(|error| match error {
        SnapshotError::Unavailable => PackError::Unavailable,
        SnapshotError::Aborted => PackError::Aborted,
        SnapshotError::Write(error) => PackError::Write(error),
    })
}

/// Passes on that the work on a snapshot goes on, and stops it.
pub(super) struct Beating<'a>(pub(super) &'a Progress);

impl Observer for Beating<'_> {
    fn progress(&self, _: Stage, _: u64) -> Result<(), Cancelled> {
        self.0.beat();
        if self.0.is_aborted() { Err(Cancelled) } else { Ok(()) }
    }
}

/// The file: counts, stops where it has to, and stops before the process's limit for a file: one byte beyond it, the
/// kernel would end the process by SIGXFSZ.
struct Sink<'a> {
    file: &'a File,
    progress: &'a Progress,
    /// What may still be written; `None` where there is no limit.
    left: Option<Bytes>,
    /// Why nothing more is taken, where the system has no word for it.
    refused: Option<PackError>,
}

impl Write for Sink<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.progress.is_aborted() {
            self.refused = Some(PackError::Aborted);
            return Err(io::Error::other("given up"));
        }
        if let Some(left) = &mut self.left {
            let size = Bytes::from_bytes(data.len() as u64);
            if size > *left {
                self.refused = Some(PackError::TooLarge);
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            *left = left.saturating_sub(size);
        }
        let written = self.file.write(data)?;
        if let Some(left) = &mut self.left {
            *left = Bytes::from_bytes(left.get() + (data.len() - written) as u64);
        }
        self.progress.wrote(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_stops_before_the_limit() {
        let file = tempfile::tempfile().expect("a file");
        let progress = Progress::new().expect("a page");
        let left = Some(Bytes::from_bytes(10));
        let mut sink = Sink { file: &file, progress: &progress, left, refused: None };
        assert!(sink.write_all(&[0; 8]).is_ok());
        assert!(sink.write_all(&[0; 3]).is_err());
        assert!(matches!(sink.refused, Some(PackError::TooLarge)));
        assert_eq!(file.metadata().expect("readable").len(), 8);
        assert_eq!(progress.reported().bytes, Bytes::from_bytes(8));
    }

    #[test]
    fn writing_stops_when_it_is_given_up() {
        let file = tempfile::tempfile().expect("a file");
        let progress = Progress::new().expect("a page");
        let mut sink = Sink { file: &file, progress: &progress, left: None, refused: None };
        progress.abort();
        assert!(sink.write_all(&[0; 8]).is_err());
        assert!(matches!(sink.refused, Some(PackError::Aborted)));
    }
}
