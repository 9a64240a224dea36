//! What the kernel counts as memory of this process: `proc_pid_status(5)`, `proc_pid_smaps(5)`.
//!
//! `root` is the root of the file system, `/` but in tests. None where `/proc` does not have the number:
//! on other systems than Linux, and `pss` in kernels before 4.14 or without `CONFIG_PROC_PAGE_MONITOR`.

use std::{fs, path::Path};

use super::Bytes;

/// The resident set size: the pages of this process that are in memory, shared ones counted in full. Some
/// tens of microseconds. The number lags behind by up to some hundred KiB for each thread or core, since
/// the kernel collects it in batches.
pub fn rss(root: &Path) -> Option<Bytes> {
    // Not from `statm`: its unit is the page, whose size is not 4 KiB everywhere.
    kib_field(&root.join("proc/self/status"), "VmRSS:")
}

/// The proportional set size: as [`rss`], but each shared page divided by the number of processes that
/// share it. The kernel walks all page tables for it: 12 ms at 1 GB resident, with the lock held that
/// `mmap` waits for. Only on demand, and not on a thread that serves.
pub fn pss(root: &Path) -> Option<Bytes> {
    kib_field(&root.join("proc/self/smaps_rollup"), "Pss:")
}

/// The number in the line `<name>   <number> kB`; the kernel's kB has 1,024 bytes.
pub(super) fn kib_field(file: &Path, name: &str) -> Option<Bytes> {
    let text = fs::read(file).ok()?;
    let kib = String::from_utf8_lossy(&text)
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok())?;
    Some(Bytes::from_kib(kib))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(name: &str, contents: &[u8]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        fs::write(root.path().join("proc/self").join(name), contents).unwrap();
        root
    }

    #[test]
    fn reads_the_very_field() {
        let rollup = "00400000-7fff Rss:\nRss:    9 kB\nPss_Dirty:   3 kB\nPss:    5 kB\nPss_Anon:   2 kB\n";
        let root = with_file("smaps_rollup", rollup.as_bytes());
        assert_eq!(pss(root.path()), Some(Bytes::from_kib(5)));
        let status = b"Name:\tcaf\xe9\nVmHWM:\t   52000 kB\nVmRSS:\t   51234 kB\nRssAnon:\t 1 kB\n";
        let root = with_file("status", status);
        assert_eq!(rss(root.path()), Some(Bytes::from_kib(51234)));
    }

    #[test]
    fn says_none_where_there_is_no_number() {
        for contents in ["", "Pss:\n", "Pss: kB", "Pss: many kB", "Pss: 5 MB", "Pss: -5 kB"] {
            assert_eq!(pss(with_file("smaps_rollup", contents.as_bytes()).path()), None, "{contents}");
        }
        assert_eq!(pss(Path::new("/nonexistent")), None);
        assert_eq!(rss(Path::new("/nonexistent")), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_is_resident() {
        assert!(rss(Path::new("/")).unwrap() > Bytes::from_kib(256));
    }
}
