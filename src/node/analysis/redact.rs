use std::{
    io::{self, BufWriter, ErrorKind, Write},
    path::Path,
    thread,
    time::Duration,
};

use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Host, error_answer, input::Input};
use crate::{
    capture::{CaptureError, Compression, Target},
    measure::Bytes,
    snapshot::{Cancelled, Observer, RedactError, RedactOptions, Redacted, SnapshotFileError, Stage, redact},
};

/// A snapshot without what its strings say.
#[derive(Deserialize)]
pub(super) struct Redact {
    /// None: standard input.
    file: Option<String>,
    /// None: standard output.
    output: Option<String>,
    /// Whether the keys of dictionaries are replaced.
    keys: bool,
    /// Whether to pack the output.
    gzip: bool,
}

/// Why there is no output.
enum Failure {
    Snapshot(SnapshotFileError),
    Capture(CaptureError),
}

impl From<CaptureError> for Failure {
    fn from(error: CaptureError) -> Self {
        Self::Capture(error)
    }
}

impl From<SnapshotFileError> for Failure {
    fn from(error: SnapshotFileError) -> Self {
        Self::Snapshot(error)
    }
}

impl Redact {
    pub(super) fn answer(&self, host: &Host) -> Value {
        match self.run(host) {
            Ok((bytes, redacted)) => {
                let mut answer = json!(redacted);
                answer["file"] = self.output.clone().into();
                answer["bytes"] = bytes.get().into();
                answer
            }
            Err(Failure::Snapshot(error)) => error_answer(&error),
            Err(Failure::Capture(error)) => {
                json!({ "error": { "code": error.code(), "message": error.to_string() } })
            }
        }
    }

    fn run(&self, host: &Host) -> Result<(Bytes, Redacted), Failure> {
        let path = Path::new(self.output.as_deref().unwrap_or("standard output"));
        let Input { reader, size } = Input::open(self.file.as_deref()).map_err(SnapshotFileError::Io)?;
        let options = RedactOptions::new(self.keys).map_err(SnapshotFileError::Io)?;
        let mut redacted = Redacted::default();
        let write = |sink: &mut dyn Write| {
            redacted =
                redact(reader, sink, &options, &Reading { host, size }).map_err(|error| match error {
                    RedactError::Snapshot(error) => Failure::Snapshot(error),
                    RedactError::Write(source) => CaptureError::Write { file: path.into(), source }.into(),
                })?;
            Ok(())
        };
        let compression = if self.gzip { Compression::Gzip } else { Compression::None };
        let bytes = match self.output {
            Some(_) => Target::create(path)?.fill(compression, write),
            None => to_stdout(compression, write),
        }?;
        Ok((bytes, redacted))
    }
}

/// Tells how much is read.
struct Reading<'a> {
    host: &'a Host,
    size: Option<u64>,
}

impl Observer for Reading<'_> {
    fn progress(&self, _: Stage, bytes: u64) -> Result<(), Cancelled> {
        let part = self.size.map_or(0.0, |size| bytes as f64 / size.max(1) as f64);
        self.host.progress(part.min(1.0))
    }
}

fn to_stdout(
    compression: Compression,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<Bytes, Failure> {
    let failed = |source| CaptureError::Write { file: "standard output".into(), source };
    let mut stdout = Stdout::default();
    match compression {
        Compression::None => write(&mut stdout)?,
        Compression::Gzip => {
            let buffer = BufWriter::with_capacity(1 << 16, &mut stdout);
            let mut gzip = GzEncoder::new(buffer, flate2::Compression::fast());
            write(&mut gzip)?;
            gzip.finish().and_then(|mut buffer| buffer.flush()).map_err(failed)?;
        }
    }
    Ok(Bytes::from_bytes(stdout.written))
}

/// Standard output, which Node may have told not to wait for slow readers: then we do.
#[derive(Default)]
struct Stdout {
    written: u64,
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match io::stdout().write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(1));
                }
                result => return result.inspect(|&written| self.written += written as u64),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match io::stdout().flush() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(1));
                }
                result => return result,
            }
        }
    }
}
