use std::{
    ffi::CString,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{self, AtFlags, Dir, FileType, Mode, OFlags, Stat},
    process,
};

use crate::measure::Bytes;

/// A folder whose files may be removed, if they are ours. Held open, so that what is looked at and what is removed
/// are in the same place whatever becomes of the path.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// A regular file in the folder that belongs to our user.
#[derive(Debug)]
pub(super) struct OwnFile {
    pub(super) name: String,
    pub(super) size: Bytes,
    pub(super) modified: SystemTime,
    inode: u64,
}

impl Folder {
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(fs::open(dir, flags, Mode::empty())?))
    }

    /// The files of our user whose name is `wanted`; neither symbolic links nor folders.
    pub(super) fn own_files(&self, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<OwnFile>> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().ok().filter(|name| wanted(name)) else { continue };
            found.extend(self.own_file(name));
        }
        Ok(found)
    }

    /// The file with a lock of ours on it. None where someone else has one, or where there is no locking.
    pub(super) fn lock(&self, file: &OwnFile) -> Option<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = File::from(fs::openat(&self.0, &*file.name, flags, Mode::empty()).ok()?);
        let same = opened.metadata().is_ok_and(|data| data.ino() == file.inode);
        (same && opened.try_lock().is_ok()).then_some(opened)
    }

    /// Removes a file, if it still is what it was when it was found; whether it did.
    pub(super) fn remove(&self, file: &OwnFile) -> io::Result<bool> {
        if self.own_file(&file.name).is_none_or(|present| present.inode != file.inode) {
            return Ok(false);
        }
        match fs::unlinkat(&self.0, &*file.name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn own_file(&self, name: &str) -> Option<OwnFile> {
        let stat = fs::statat(&self.0, CString::new(name).ok()?, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let regular = FileType::from_raw_mode(stat.st_mode).is_file();
        let own = stat.st_uid == process::geteuid().as_raw();
        (regular && own).then(|| OwnFile {
            name: name.to_owned(),
            size: Bytes::from_bytes(stat.st_size.try_into().unwrap_or_default()),
            modified: modified(&stat),
            inode: stat.st_ino,
        })
    }
}

/// To the nanosecond: files are often made within the same second.
fn modified(stat: &Stat) -> SystemTime {
    let seconds = Duration::from_secs(stat.st_mtime.try_into().unwrap_or_default());
    UNIX_EPOCH + seconds + Duration::from_nanos(stat.st_mtime_nsec)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn only_regular_files_are_found() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("a.ours"), "four").expect("written");
        fs::write(dir.path().join("theirs"), "").expect("written");
        fs::create_dir(dir.path().join("folder.ours")).expect("made");
        symlink("a.ours", dir.path().join("link.ours")).expect("made");
        let files =
            Folder::open(dir.path()).and_then(|folder| folder.own_files(|name| name.ends_with(".ours")));
        let files = files.expect("readable");
        assert_eq!(files.len(), 1);
        assert_eq!((files[0].name.as_str(), files[0].size), ("a.ours", Bytes::from_bytes(4)));
        let modified =
            fs::metadata(dir.path().join("a.ours")).and_then(|data| data.modified()).expect("there");
        assert_eq!(files[0].modified, modified);
    }

    #[test]
    fn what_has_taken_the_place_of_a_file_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let [path, other] = ["a", "b"].map(|name| dir.path().join(name));
        fs::write(&path, "old").expect("written");
        let folder = Folder::open(dir.path()).expect("there");
        let files = folder.own_files(|_| true).expect("readable");
        fs::write(&other, "new").expect("written");
        fs::rename(&other, &path).expect("renamed");
        assert!(!folder.remove(&files[0]).expect("no error"));
        assert_eq!(fs::read_to_string(&path).expect("there"), "new");
        fs::remove_file(&path).expect("removed");
        assert!(!folder.remove(&files[0]).expect("no error"));
    }
}
