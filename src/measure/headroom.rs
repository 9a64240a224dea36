use std::path::Path;

use super::{Bytes, process::kib_field};

/// What a limit of memory still leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// The limit; for the machine, its memory.
    pub limit: Bytes,
    /// What can be allocated below it without swapping. Memory that the kernel takes back when asked, such as
    /// the cache of files that are not in use, counts as free.
    pub free: Bytes,
}

impl Headroom {
    /// That of the machine. None where `/proc` is not mounted. `root` is the root of the file system, `/` but in
    /// tests.
    pub fn of_machine(root: &Path) -> Option<Self> {
        let meminfo = root.join("proc/meminfo");
        let limit = kib_field(&meminfo, "MemTotal:")?;
        Some(Self { limit, free: kib_field(&meminfo, "MemAvailable:")? })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_machine_says_what_is_available() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("proc")).unwrap();
        let meminfo = root.path().join("proc/meminfo");
        fs::write(&meminfo, "MemTotal: 4096 kB\nMemFree: 100 kB\nMemAvailable: 1024 kB\n").unwrap();
        let machine = Headroom { limit: Bytes::from_kib(4096), free: Bytes::from_kib(1024) };
        assert_eq!(Headroom::of_machine(root.path()), Some(machine));
        fs::write(&meminfo, "MemTotal: 4096 kB\nMemFree: 100 kB\n").unwrap();
        assert_eq!(Headroom::of_machine(root.path()), None);
        assert_eq!(Headroom::of_machine(Path::new("/nonexistent")), None);
    }
}
