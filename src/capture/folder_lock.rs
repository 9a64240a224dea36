use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::CaptureError;
use crate::measure::Millis;

/// A snapshot takes seconds: this much later does not matter, and twenty looks a second cost nothing.
const INTERVAL: Duration = Duration::from_millis(50);

/// The right to write a snapshot into a folder, among all processes that write there: a cluster whose members got
/// the signal at the same moment is not to dump, and to take memory for it, all at once.
///
/// It is an `flock(2)` on the folder itself, so nothing is left behind, and the kernel takes it back when the process
/// dies. It belongs to the open file description, which a forked child has as well (`O_CLOEXEC` is about `exec`): the
/// drop unlocks rather than closes, and the child, which may outlive us, replaces all of its descriptors.
#[derive(Debug)]
pub struct FolderLock {
    /// None where there is no locking.
    folder: Option<File>,
}

impl FolderLock {
    /// Waits for the right, for `patience` at most and until `aborted`. Sleeps: not on a thread that serves.
    ///
    /// A folder that cannot be locked (network file systems, folders that may not be read) is no reason to refuse.
    pub fn wait(dir: &Path, patience: Duration, aborted: &dyn Fn() -> bool) -> Result<Self, CaptureError> {
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(dir);
        // If it is not there at all, the writing will say so.
        let Ok(folder) = opened else { return Ok(Self { folder: None }) };
        let started = Instant::now();
        loop {
            if aborted() {
                return Err(CaptureError::Aborted);
            }
            match folder.try_lock() {
                Ok(()) => return Ok(Self { folder: Some(folder) }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(_)) => return Ok(Self { folder: None }),
            }
            let waited = started.elapsed();
            if waited >= patience {
                let waited = Millis::from_secs(waited.as_secs_f64());
                return Err(CaptureError::FolderBusy { dir: dir.to_owned(), waited });
            }
            thread::sleep(INTERVAL.min(patience - waited));
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // Nothing could be done about it; the descriptor is closed next.
            let _ = folder.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, fs, process::Command};

    use super::*;

    fn lock(dir: &Path) -> Result<FolderLock, CaptureError> {
        FolderLock::wait(dir, Duration::ZERO, &|| false)
    }

    #[test]
    fn there_is_one_at_a_time_in_a_folder() {
        let (dir, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let held = lock(dir.path()).expect("free");
        assert!(matches!(lock(dir.path()), Err(CaptureError::FolderBusy { .. })));
        assert!(lock(other.path()).is_ok());
        drop(held);
        assert!(lock(dir.path()).is_ok());
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0);
    }

    #[test]
    fn it_holds_across_processes() {
        let dir = tempfile::tempdir().expect("a folder");
        let try_elsewhere = || {
            let flock = Command::new("flock").arg("--nonblock").arg(dir.path()).arg("true").status();
            flock.map(|status| status.success())
        };
        // The command is in util-linux, which a small container may not have.
        if try_elsewhere().is_err() {
            return;
        }
        let held = lock(dir.path()).expect("free");
        assert!(!try_elsewhere().expect("there"));
        drop(held);
        assert!(try_elsewhere().expect("there"));
    }

    #[test]
    fn whoever_waits_gets_it_next() {
        let dir = tempfile::tempdir().expect("a folder");
        let held = Cell::new(Some(lock(dir.path()).expect("free")));
        let looks = Cell::new(0);
        let next = FolderLock::wait(dir.path(), Duration::from_secs(60), &|| {
            looks.set(looks.get() + 1);
            if looks.get() == 3 {
                held.take();
            }
            false
        });
        assert!(next.is_ok());
        assert_eq!(looks.get(), 3);
    }

    #[test]
    fn the_wait_can_be_aborted() {
        let dir = tempfile::tempdir().expect("a folder");
        let _held = lock(dir.path()).expect("free");
        let looks = Cell::new(0);
        let waited = FolderLock::wait(dir.path(), Duration::from_secs(60), &|| {
            looks.set(looks.get() + 1);
            looks.get() == 2
        });
        assert!(matches!(waited, Err(CaptureError::Aborted)));
    }

    #[test]
    fn patience_ends() {
        let dir = tempfile::tempdir().expect("a folder");
        let _held = lock(dir.path()).expect("free");
        let error = FolderLock::wait(dir.path(), Duration::from_millis(60), &|| false).expect_err("held");
        assert_eq!(error.code(), "ERR_LEAKGUARD_BUSY");
        let CaptureError::FolderBusy { waited, .. } = error else { panic!("{error}") };
        assert!(waited.get() >= 60.0);
    }

    #[test]
    fn a_copy_of_the_descriptor_as_a_forked_child_has_it_does_not_keep_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let held = lock(dir.path()).expect("free");
        let copy = held.folder.as_ref().expect("locked").try_clone().expect("copied");
        drop(held);
        assert!(lock(dir.path()).is_ok());
        drop(copy);
    }

    #[test]
    fn what_cannot_be_locked_is_let_through() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for path in [Path::new("/no/such/folder"), file.path()] {
            assert!(lock(path).is_ok_and(|held| held.folder.is_none()));
        }
    }
}
