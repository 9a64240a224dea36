use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process,
    time::{Duration, SystemTime},
};

use tempfile::TempPath;

use super::folder::Folder;

const PREFIX: &str = ".leakguard-";
const SUFFIX: &str = ".tmp";

/// Younger ones may be about to be locked.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// Makes a file in `dir` under a name of its own, `.leakguard-PID-XXXXXX.tmp`, which is removed when it is dropped.
/// What processes left behind that were killed is removed first.
pub(super) fn create_in(dir: &Path) -> io::Result<(File, TempPath)> {
    remove_stale(dir);
    let mut refused = None;
    let named = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", process::id()))
        .suffix(SUFFIX)
        .make_in(dir, |path| {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
            file.inspect_err(|error| refused = error.raw_os_error())
        })
        // `tempfile` adds the temporary name to the system's words; the user asked for another name.
        .map_err(|error| refused.map_or(error, io::Error::from_raw_os_error))?;
    // Says that someone writes it; a forked child that does goes on saying so. Without locks, it is never removed.
    let _ = named.as_file().try_lock();
    Ok(named.into_parts())
}

/// Removes the temporary files that nobody writes. The lock tells, not the process's id: in a container that is
/// started anew the id is the same again, and in another container on the same volume it means another process.
fn remove_stale(dir: &Path) {
    // A folder that cannot be read may still be written to.
    let Ok(folder) = Folder::open(dir) else { return };
    for file in folder.own_files(is_temporary).unwrap_or_default() {
        let age = SystemTime::now().duration_since(file.modified).unwrap_or_default();
        if age > STALE_AFTER && folder.lock(&file).is_some() {
            let _ = folder.remove(&file);
        }
    }
}

fn is_temporary(name: &str) -> bool {
    let inner = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    inner.and_then(|inner| inner.split_once('-')).is_some_and(|(pid, random)| {
        !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()) && !random.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    fn make_old(file: &File) {
        let two_minutes_ago = SystemTime::now() - Duration::from_secs(120);
        file.set_modified(two_minutes_ago).expect("set");
    }

    fn old_file(dir: &Path, name: &str) -> PathBuf {
        let path = dir.join(name);
        make_old(&File::create(&path).expect("created"));
        path
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        let dead = old_file(dir.path(), ".leakguard-1-AbCdEf.tmp");
        let before_restart = old_file(dir.path(), &format!(".leakguard-{}-AbCdEf.tmp", process::id()));
        let (_file, path) = create_in(dir.path()).expect("writable");
        assert!(!dead.exists() && !before_restart.exists() && path.exists());
    }

    #[test]
    fn what_is_being_written_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, path) = create_in(dir.path()).expect("writable");
        make_old(&file);
        // As a forked child would hold it.
        let copy = file.try_clone().expect("copied");
        drop(file);
        let _other = create_in(dir.path()).expect("writable");
        assert!(path.exists());
        drop(copy);
        let _other = create_in(dir.path()).expect("writable");
        assert!(!path.exists());
    }

    #[test]
    fn young_ones_and_those_of_others_stay() {
        let dir = tempfile::tempdir().expect("a folder");
        let young = dir.path().join(".leakguard-1-AbCdEf.tmp");
        fs::write(&young, "").expect("written");
        let others =
            [".leakguard-.tmp", ".leakguard-x-a.tmp", ".leakguard-1-.tmp", ".leakguard-1-a.tmp2", "a.tmp"]
                .map(|name| old_file(dir.path(), name));
        let _file = create_in(dir.path()).expect("writable");
        assert!(young.exists());
        assert!(others.iter().all(|path| path.exists()));
    }
}
