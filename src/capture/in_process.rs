use std::{
    io::{self, Write},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use super::{CaptureError, Compression, Target, limit::file_size_limit};
use crate::{
    measure::{Bytes, Millis},
    v8::{Isolate, SnapshotError, write_snapshot},
};

/// A snapshot that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// The file's final name.
    pub file: PathBuf,
    /// Its size.
    pub bytes: Bytes,
    /// How many nodes it has.
    pub nodes: u64,
    /// For how long the isolate's thread was blocked.
    pub pause: Millis,
    /// How long it took in all.
    pub duration: Millis,
}

/// At most one snapshot of the process is written at a time: each takes some 350 bytes a node while it is.
static WRITING: AtomicBool = AtomicBool::new(false);

/// The right to write a snapshot, given back on drop.
#[derive(Debug)]
pub struct Turn(());

impl Turn {
    /// The right, unless someone has it.
    pub fn take() -> Option<Self> {
        WRITING.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).ok().map(|_| Self(()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        WRITING.store(false, Ordering::Release);
    }
}

/// Writes a snapshot of this thread's isolate to `path`, blocking the thread. Runs no JavaScript.
pub fn write(
    _turn: Turn,
    isolate: Isolate,
    path: PathBuf,
    compression: Compression,
) -> Result<Captured, CaptureError> {
    let started = Instant::now();
    let target = Target::create(&path)?;
    let mut nodes = 0;
    let bytes = target.fill(compression, |sink| {
        let mut bounded = Bounded { sink, left: file_size_limit() };
        nodes = write_snapshot(isolate, &mut bounded).map_err(|error| match error {
            SnapshotError::Unavailable => CaptureError::Unavailable,
            SnapshotError::Write(_) if bounded.left == Some(Bytes::ZERO) => {
                CaptureError::FileSizeLimit { limit: file_size_limit().unwrap_or_default() }
            }
            SnapshotError::Write(source) => CaptureError::Write { file: path.clone(), source },
        })?;
        Ok(())
    })?;
    let duration = Millis::from_nanos(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
    Ok(Captured { file: path, bytes, nodes, pause: duration, duration })
}

/// Stops before the process's limit for a file: one byte beyond it, the kernel would end the process by SIGXFSZ.
struct Bounded<'a> {
    sink: &'a mut dyn Write,
    /// What may still be written; `None` where there is no limit. Counted before compression, to be safe.
    left: Option<Bytes>,
}

impl Write for Bounded<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if let Some(left) = &mut self.left {
            let size = Bytes::from_bytes(data.len() as u64);
            if size > *left {
                *left = Bytes::ZERO;
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            *left = left.saturating_sub(size);
        }
        self.sink.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_stops_before_the_limit() {
        let mut sink = Vec::new();
        let mut bounded = Bounded { sink: &mut sink, left: Some(Bytes::from_bytes(10)) };
        assert!(bounded.write_all(&[0; 8]).is_ok());
        assert!(bounded.write_all(&[0; 3]).is_err());
        assert_eq!(sink.len(), 8);
    }

    #[test]
    fn there_is_one_turn_at_a_time() {
        let turn = Turn::take();
        assert!(turn.is_some());
        assert!(Turn::take().is_none());
        drop(turn);
        assert!(Turn::take().is_some());
    }
}
