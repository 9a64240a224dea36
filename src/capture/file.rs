use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufWriter, Seek, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use chrono::{DateTime, Local};
use flate2::write::GzEncoder;
use rustix::fs::{AtFlags, CWD, linkat};
use tempfile::TempPath;

use super::{CaptureError, temporary};
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

/// Where a snapshot goes: a file of mode 0600 without a name, which gets one only when it is whole. Dropped before,
/// or killed, it leaves nothing behind. Where the file system has no such files, it has a temporary name meanwhile.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    file: File,
    temporary: Option<TempPath>,
}

/// A file to write to, and its temporary name if it has one.
type Opened = (File, Option<TempPath>);

impl Target {
    /// Opens a file in `path`'s folder.
    pub fn create(path: &Path) -> Result<Self, CaptureError> {
        // What keeps one from being made for another reason keeps the other as well, and is told of that one.
        Self::create_by(path, |dir| unnamed(dir).or_else(|_| named(dir)))
    }

    fn create_by(path: &Path, open: impl Fn(&Path) -> io::Result<Opened>) -> Result<Self, CaptureError> {
        let dir = folder_of(path);
        // A symbolic link that leads nowhere is something as well.
        match path.symlink_metadata() {
            Ok(_) => return Err(CaptureError::Exists(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(CaptureError::Dir { dir: dir.to_owned(), source }),
        }
        let (file, temporary) =
            open(dir).map_err(|source| CaptureError::Dir { dir: dir.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, temporary })
    }

    /// Has `write` fill the file and publishes it. Returns its size.
    pub fn fill<E: From<CaptureError>>(
        self,
        compression: Compression,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Bytes, E> {
        let failed = |source| CaptureError::Write { file: self.path.clone(), source };
        let mut buffer = BufWriter::with_capacity(1 << 18, &self.file);
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
        Ok(self.publish()?)
    }

    /// Syncs the file and gives it its name. Returns its size.
    pub fn publish(self) -> Result<Bytes, CaptureError> {
        self.publish_by(Path::new(DESCRIPTORS))
    }

    fn publish_by(self, descriptors: &Path) -> Result<Bytes, CaptureError> {
        let Self { path, file, temporary } = self;
        let failed = |source| CaptureError::Write { file: path.clone(), source };
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let named = match temporary {
            Some(temporary) => rename(temporary, &path),
            None => link(&file, descriptors, &path).or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Err(error),
                // Without /proc, and in some sandboxes, a file cannot be named afterwards.
                _ => rename(copy(&file, &path)?, &path),
            }),
        };
        named.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CaptureError::Exists(path.clone()),
            _ => failed(error),
        })?;
        sync_folder(&path);
        Ok(Bytes::from_bytes(bytes))
    }

    /// The file, for whoever fills it without us.
    pub fn as_file(&self) -> &File {
        &self.file
    }

    /// The name the file gets in the end.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A snapshot holds the application's secrets.
const MODE: u32 = 0o600;

/// Where the kernel shows the open files of the process.
const DESCRIPTORS: &str = "/proc/self/fd";

/// A file without a name (`O_TMPFILE`). It can be read as well, to be copied if it cannot be named.
fn unnamed(dir: &Path) -> io::Result<Opened> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_TMPFILE).mode(MODE);
    Ok((for_owner_only(options.open(dir)?), None))
}

fn named(dir: &Path) -> io::Result<Opened> {
    let (file, path) = temporary::create_in(dir)?;
    Ok((for_owner_only(file), Some(path)))
}

/// Sets the mode, whatever the umask takes away and the folder's default ACL adds. A file system without modes has
/// none to set.
fn for_owner_only(file: File) -> File {
    let _ = file.set_permissions(Permissions::from_mode(MODE));
    file
}

/// Names a file that has no name; never overwrites, nor follows a link at `path`.
fn link(file: &File, descriptors: &Path, path: &Path) -> io::Result<()> {
    let descriptor = descriptors.join(file.as_raw_fd().to_string());
    Ok(linkat(CWD, descriptor, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

fn rename(temporary: TempPath, path: &Path) -> io::Result<()> {
    temporary.persist_noclobber(path).map_err(|error| error.error)
}

/// A copy under a temporary name beside `path`.
fn copy(mut file: &File, path: &Path) -> io::Result<TempPath> {
    let (copy, temporary) = temporary::create_in(folder_of(path))?;
    let mut copy = for_owner_only(copy);
    file.rewind()?;
    io::copy(&mut file, &mut copy)?;
    copy.sync_all()?;
    Ok(temporary)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the new name durable. A folder that cannot be synced (some network file systems) is no error: the file
/// is whole either way.
fn sync_folder(path: &Path) {
    let _ = File::open(folder_of(path)).and_then(|dir| dir.sync_all());
}

#[cfg(test)]
mod tests;
