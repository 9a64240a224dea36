use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use chrono::{DateTime, Local};
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use super::CaptureError;
use crate::measure::Bytes;

/// How a snapshot file is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As V8 writes it.
    #[default]
    None,
    /// `gzip -1`: a fifth of the size for twice the time of writing.
    Gzip,
}

/// Numbers the files of this process.
static SEQUENCE: AtomicU32 = AtomicU32::new(1);

/// `Heap.YYYYMMDD.HHMMSS.PID.TID.SEQ.leakguard.heapsnapshot`, in local time: Node's own habit, plus the mark by
/// which our files are known.
#[derive(Clone, Debug)]
pub struct FileName {
    /// When the snapshot was asked for.
    pub time: DateTime<Local>,
    /// Node's thread id: 0 on the main thread.
    pub thread_id: u32,
    /// How it is packed.
    pub compression: Compression,
}

impl FileName {
    /// For a snapshot that is asked for now.
    pub fn now(thread_id: u32, compression: Compression) -> Self {
        Self { time: Local::now(), thread_id, compression }
    }

    /// The next name.
    pub fn next(&self) -> String {
        let suffix = match self.compression {
            Compression::None => "",
            Compression::Gzip => ".gz",
        };
        format!(
            "Heap.{}.{}.{}.{:03}.leakguard.heapsnapshot{suffix}",
            self.time.format("%Y%m%d.%H%M%S"),
            process::id(),
            self.thread_id,
            SEQUENCE.fetch_add(1, Ordering::Relaxed),
        )
    }
}

/// Where a snapshot goes: a temporary file beside the final name, mode 0600, which gets that name only when it
/// is whole. Dropped before, it leaves nothing behind.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    file: NamedTempFile<File>,
}

impl Target {
    /// Opens the temporary file in `path`'s folder.
    pub fn create(path: &Path) -> Result<Self, CaptureError> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.exists() {
            return Err(CaptureError::Exists(path.to_owned()));
        }
        let mut refused = None;
        let file = tempfile::Builder::new()
            .prefix(".leakguard-")
            .suffix(".tmp")
            .make_in(dir, |path| {
                let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
                file.inspect_err(|error| refused = error.raw_os_error())
            })
            // `tempfile` adds the temporary name to the system's words; the user asked for another name.
            .map_err(|error| refused.map_or(error, io::Error::from_raw_os_error))
            .map_err(|source| CaptureError::Dir { dir: dir.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Has `write` fill the file, syncs it and gives it its name. Returns its size.
    pub fn fill<E: From<CaptureError>>(
        self,
        compression: Compression,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Bytes, E> {
        let Self { path, file } = self;
        let failed = |source| CaptureError::Write { file: path.clone(), source };
        let mut buffer = BufWriter::with_capacity(1 << 18, file.as_file());
        match compression {
            Compression::None => write(&mut buffer)?,
            Compression::Gzip => {
                let mut gzip = GzEncoder::new(&mut buffer, flate2::Compression::fast());
                write(&mut gzip)?;
                gzip.finish().map_err(failed)?;
            }
        }
        buffer.flush().map_err(failed)?;
        drop(buffer);
        file.as_file().sync_all().map_err(failed)?;
        let bytes = file.as_file().metadata().map_err(failed)?.len();
        file.persist_noclobber(&path).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => CaptureError::Exists(path.clone()),
            _ => failed(error.error),
        })?;
        sync_folder(&path);
        Ok(Bytes::from_bytes(bytes))
    }

    /// The name the file gets in the end.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the new name durable. A folder that cannot be synced (some network file systems) is no error: the file
/// is whole either way.
fn sync_folder(path: &Path) {
    if let Some(dir) = path.parent() {
        let _ = File::open(dir).and_then(|dir| dir.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use chrono::TimeZone;

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        fs::read_dir(dir)
            .expect("it exists")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn names_follow_nodes_habit() {
        let time = Local.with_ymd_and_hms(2026, 3, 4, 5, 6, 7).single().expect("a valid time");
        let name = FileName { time, thread_id: 2, compression: Compression::Gzip }.next();
        let pid = process::id();
        assert!(name.starts_with(&format!("Heap.20260304.050607.{pid}.2.")), "{name}");
        assert!(name.ends_with(".leakguard.heapsnapshot.gz"), "{name}");
    }

    #[test]
    fn a_whole_file_appears_under_its_name_for_its_owner_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.heapsnapshot");
        let target = Target::create(&path).expect("writable");
        assert!(!path.exists());
        let bytes = target.fill(Compression::None, |sink| {
            sink.write_all(b"{}").map_err(|source| CaptureError::Write { file: PathBuf::new(), source })
        });
        assert_eq!(bytes.expect("written"), Bytes::from_bytes(2));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(names(dir.path()), ["a.heapsnapshot"]);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a folder");
        let target = Target::create(&dir.path().join("a")).expect("writable");
        let failed = target.fill(Compression::Gzip, |_| Err(CaptureError::Unavailable));
        assert!(matches!(failed, Err(CaptureError::Unavailable)));
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn nothing_is_overwritten() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        let target = Target::create(&path).expect("writable");
        fs::write(&path, "precious").expect("written");
        assert!(matches!(target.fill(Compression::None, |_| Ok(())), Err(CaptureError::Exists(_))));
        assert!(matches!(Target::create(&path), Err(CaptureError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).expect("there"), "precious");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Target::create(Path::new("/no/such/folder/a")).expect_err("missing");
        assert_eq!(
            error.to_string(),
            "cannot write into /no/such/folder: No such file or directory (os error 2); \
             make the folder writable or set another `dir`"
        );
    }
}
