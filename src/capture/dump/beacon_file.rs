use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::fs::{SealFlags, fcntl_get_seals};

use crate::capture::beacon::{LOCK, NAME, Record, RecordError, SIZE, decode};

/// How often it is read again while the process is writing to it, which takes it some microseconds.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// A beacon that is open; it can be read even after its process has ended.
#[derive(Debug)]
pub(super) struct BeaconFile {
    /// Where the process has it.
    link: PathBuf,
    /// Its device and inode.
    identity: (u64, u64),
    file: File,
}

impl BeaconFile {
    /// The beacons in the folder `/proc/PID/fd`. An error where one may not look.
    pub(super) fn find_all(fds: &Path) -> io::Result<Vec<Self>> {
        let prefix = format!("/memfd:{NAME}");
        let mut found = Vec::new();
        for entry in fs::read_dir(fds)? {
            let link = entry?.path();
            // Descriptors come and go.
            let Ok(target) = fs::read_link(&link) else { continue };
            if target.to_string_lossy().starts_with(&prefix) {
                found.extend(Self::open(link)?);
            }
        }
        Ok(found)
    }

    /// None for whatever only has the name.
    fn open(link: PathBuf) -> io::Result<Option<Self>> {
        // To open a pipe or a device could block, or do something.
        if !fs::metadata(&link).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        let file =
            OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(&link)?;
        let metadata = file.metadata()?;
        let sealed = fcntl_get_seals(&file).is_ok_and(|seals| seals.contains(SealFlags::SHRINK));
        let usable = sealed && metadata.is_file();
        Ok(usable.then(|| Self { link, identity: (metadata.dev(), metadata.ino()), file }))
    }

    /// What it says at one moment.
    pub(super) fn read(&self) -> Result<Record, RecordError> {
        let mut bytes = vec![0; SIZE];
        for _ in 0..ATTEMPTS {
            let before = self.lock();
            // One of another layout may be shorter; its beginning tells.
            let length = self.file.read_at(&mut bytes, 0).unwrap_or(0);
            if before.is_some() && before == self.lock() {
                return decode(&bytes[..length]);
            }
            thread::sleep(PAUSE);
        }
        Err(RecordError::Damaged)
    }

    /// None while the process is writing.
    fn lock(&self) -> Option<u64> {
        let mut word = [0; size_of::<u64>()];
        self.file.read_exact_at(&mut word, LOCK as u64).ok()?;
        let lock = u64::from_le_bytes(word);
        lock.is_multiple_of(2).then_some(lock)
    }

    /// Whether the process still has it: not after it gave it up, or went over to another program.
    pub(super) fn is_held(&self) -> bool {
        fs::metadata(&self.link).is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity)
    }
}
