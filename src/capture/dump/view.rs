use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::proof::folder_of;

/// How files of a process are seen from here.
#[derive(Clone, Debug)]
pub(super) enum View {
    /// By the same names.
    Same,
    /// Under another root: a container's, as a rule.
    Through(PathBuf),
}

impl View {
    /// That of this process.
    pub(super) fn of(pid: u32) -> Self {
        let root = folder_of(pid).join("root");
        let mounts = |folder: &Path| fs::read_link(folder.join("ns/mnt")).ok();
        let place = |root: &Path| fs::metadata(root).ok().map(|root| (root.dev(), root.ino()));
        let same_mounts = mounts(&folder_of(pid)) == mounts(Path::new("/proc/self"));
        if same_mounts && place(&root) == place(Path::new("/")) { Self::Same } else { Self::Through(root) }
    }

    /// The name by which this file can be opened from here.
    pub(super) fn path_to(&self, file: &Path) -> PathBuf {
        match self {
            Self::Same => file.to_owned(),
            Self::Through(root) => root.join(file.strip_prefix("/").unwrap_or(file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_our_view() {
        let view = View::of(std::process::id());
        assert_eq!(view.path_to(Path::new("/d/a")), Path::new("/d/a"));
    }

    #[test]
    fn another_root_stands_before() {
        let view = View::Through("/proc/815/root".into());
        assert_eq!(view.path_to(Path::new("/d/a")), Path::new("/proc/815/root/d/a"));
    }
}
