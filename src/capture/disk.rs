use std::path::Path;

use rustix::fs;

use super::CaptureError;
use crate::measure::Bytes;

/// What stays free on a file system for everyone else: a share of it, and no more than this much.
const RESERVE_SHARE: u64 = 20;
const RESERVE_MOST: Bytes = Bytes::from_mib(1024);

/// `statfs(2)`: file systems whose files are in memory, and count against the container's limit.
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;

/// The file system that a folder is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its size; zero where it has none, or does not say, as some network file systems.
    pub total: Bytes,
    /// What a process without privileges may still write to it.
    pub free: Bytes,
    /// Whether its files take memory.
    pub in_memory: bool,
}

impl Disk {
    /// That of `dir`; none where there is no such folder. Asks the file system, which may take its time.
    pub fn of(dir: &Path) -> Option<Self> {
        let space = fs::statvfs(dir).ok()?;
        let blocks = |count: u64| Bytes::from_bytes(count.saturating_mul(space.f_frsize));
        let kind = fs::statfs(dir).ok()?.f_type;
        Some(Self {
            total: blocks(space.f_blocks),
            free: blocks(space.f_bavail),
            // The kernel's constants have 32 bits; as a signed number, one of them would be negative.
            in_memory: matches!(kind as u64 & 0xffff_ffff, TMPFS | RAMFS),
        })
    }

    /// Whether a file of this size in `dir` leaves enough for others.
    pub fn admit(&self, dir: &Path, file: Bytes) -> Result<(), CaptureError> {
        let reserve = Bytes::from_bytes(self.total.get() / RESERVE_SHARE).min(RESERVE_MOST);
        if self.total == Bytes::ZERO || file <= self.free.saturating_sub(reserve) {
            return Ok(());
        }
        Err(CaptureError::NoSpace { dir: dir.to_owned(), needed: file, free: self.free, reserve })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(total: Bytes, free: Bytes, file: Bytes) -> bool {
        Disk { total, free, in_memory: false }.admit(Path::new("/dumps"), file).is_ok()
    }

    #[test]
    fn a_twentieth_stays_free_on_small_file_systems_and_a_gigabyte_on_large_ones() {
        let (small, large) = (Bytes::from_mib(2_000), Bytes::from_mib(1 << 20));
        assert!(admitted(small, Bytes::from_mib(300), Bytes::from_mib(200)));
        assert!(!admitted(small, Bytes::from_mib(300), Bytes::from_mib(201)));
        assert!(admitted(large, Bytes::from_mib(1_324), Bytes::from_mib(300)));
        assert!(!admitted(large, Bytes::from_mib(1_324), Bytes::from_mib(301)));
        assert!(!admitted(small, Bytes::from_mib(50), Bytes::from_mib(1)));
        assert!(admitted(Bytes::ZERO, Bytes::ZERO, Bytes::from_mib(1)));
    }

    #[test]
    fn a_refusal_has_the_numbers() {
        let disk = Disk { total: Bytes::from_mib(2_000), free: Bytes::from_mib(300), in_memory: false };
        let error = disk.admit(Path::new("/dumps"), Bytes::from_mib(250)).expect_err("too large");
        assert_eq!(error.code(), "ERR_LEAKGUARD_NO_ROOM");
        assert_eq!(
            error.to_string(),
            "a snapshot of about 250.0 MiB does not fit into /dumps: 300.0 MiB are free there, of which 100.0 MiB \
             are left to others; make space, set another `dir`, or compress"
        );
    }

    #[test]
    fn a_folder_is_somewhere() {
        let disk = Disk::of(Path::new("/")).expect("known");
        assert!(disk.total > Bytes::ZERO && disk.free <= disk.total);
        assert_eq!(Disk::of(Path::new("/no/such/folder")), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn files_in_memory_are_known() {
        let shared = Path::new("/dev/shm");
        let mounts = std::fs::read_to_string("/proc/self/mounts").expect("readable");
        let is_tmpfs =
            mounts.lines().any(|line| line.split(' ').nth(1) == Some("/dev/shm") && line.contains(" tmpfs "));
        assert_eq!(Disk::of(shared).is_some_and(|disk| disk.in_memory), is_tmpfs);
    }
}
