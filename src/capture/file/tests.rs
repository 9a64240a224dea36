use std::{
    env, fs,
    os::unix::fs::{MetadataExt, symlink},
    process::{Command, Stdio},
};

use chrono::TimeZone;
use tempfile::TempDir;

use super::*;

/// Both ways of making a file, whatever the file system would choose.
const WAYS: [fn(&Path) -> io::Result<Opened>; 2] = [unnamed, named];

/// A folder with a target in it, made in each way that the file system knows.
fn targets() -> impl Iterator<Item = (TempDir, Target)> {
    WAYS.into_iter().filter_map(|way| {
        let dir = tempfile::tempdir().expect("a folder");
        let target = match Target::create_by(&dir.path().join("a.heapsnapshot"), way) {
            Err(CaptureError::Dir { source, .. }) if source.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                return None;
            }
            target => target.expect("writable"),
        };
        Some((dir, target))
    })
}

fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir)
        .expect("it exists")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

fn write_two_bytes(sink: &mut dyn Write) -> Result<(), CaptureError> {
    sink.write_all(b"{}").map_err(|source| CaptureError::Write { file: PathBuf::new(), source })
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
    for (dir, target) in targets() {
        let path = target.path().to_owned();
        assert!(!path.exists());
        let inode = target.as_file().metadata().expect("open").ino();
        let bytes = target.fill(Compression::None, write_two_bytes);
        assert_eq!(bytes.expect("written"), Bytes::from_bytes(2));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::metadata(&path).expect("there").ino(), inode, "it was copied");
        assert_eq!(names(dir.path()), ["a.heapsnapshot"]);
        assert_eq!(fs::read_to_string(&path).expect("there"), "{}");
    }
}

#[test]
fn a_file_that_someone_else_fills_is_published() {
    for (dir, target) in targets() {
        let path = target.path().to_owned();
        let copy = target.as_file().try_clone().expect("copied");
        let echo = Command::new("echo").arg("-n").arg("12345").stdout(Stdio::from(copy)).status();
        assert!(echo.expect("run").success());
        assert_eq!(target.publish().expect("published"), Bytes::from_bytes(5));
        assert_eq!(fs::read_to_string(&path).expect("there"), "12345");
        assert_eq!(names(dir.path()), ["a.heapsnapshot"]);
    }
}

#[test]
fn a_file_without_a_name_leaves_nothing_behind_even_when_the_process_is_killed() {
    let dir = tempfile::tempdir().expect("a folder");
    // A file system that knows none has nothing to test.
    let Ok(target) = Target::create_by(&dir.path().join("a"), unnamed) else { return };
    target.as_file().write_all(b"{}").expect("written");
    assert!(names(dir.path()).is_empty());
}

#[test]
fn dropped_before_it_is_published_it_leaves_nothing_behind() {
    for (dir, target) in targets() {
        target.as_file().write_all(b"{}").expect("written");
        drop(target);
        assert!(names(dir.path()).is_empty());
    }
}

#[test]
fn a_failure_leaves_nothing_behind() {
    for (dir, target) in targets() {
        let failed = target.fill(Compression::Gzip, |_| Err(CaptureError::Unavailable));
        assert!(matches!(failed, Err(CaptureError::Unavailable)));
        assert!(names(dir.path()).is_empty());
    }
}

#[test]
fn what_cannot_be_named_is_copied() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a");
    let Ok(target) = Target::create_by(&path, unnamed) else { return };
    target.as_file().write_all(b"{}").expect("written");
    assert_eq!(target.publish_by(Path::new("/no/proc")).expect("published"), Bytes::from_bytes(2));
    assert_eq!(fs::read_to_string(&path).expect("there"), "{}");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names(dir.path()), ["a"]);
}

#[test]
fn nothing_is_overwritten() {
    for (dir, target) in targets() {
        let path = target.path().to_owned();
        fs::write(&path, "precious").expect("written");
        assert!(matches!(target.fill(Compression::None, write_two_bytes), Err(CaptureError::Exists(_))));
        assert!(matches!(Target::create(&path), Err(CaptureError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).expect("there"), "precious");
        assert_eq!(names(dir.path()), ["a.heapsnapshot"]);
    }
}

#[test]
fn a_symbolic_link_is_not_followed() {
    for (dir, target) in targets() {
        let (path, elsewhere) = (target.path().to_owned(), dir.path().join("elsewhere"));
        symlink(&elsewhere, &path).expect("made");
        assert!(matches!(target.fill(Compression::None, write_two_bytes), Err(CaptureError::Exists(_))));
        assert!(matches!(Target::create(&path), Err(CaptureError::Exists(_))));
        assert!(!elsewhere.exists());
    }
}

/// The umask is the whole process's: tried in one of its own, which runs this same test.
#[test]
fn the_mode_does_not_depend_on_the_umask() {
    const DIR: &str = "LEAKGUARD_TEST_DIR";
    if let Some(dir) = env::var_os(DIR) {
        for (index, way) in WAYS.into_iter().enumerate() {
            if let Ok(target) = Target::create_by(&Path::new(&dir).join(index.to_string()), way) {
                target.publish().expect("published");
            }
        }
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let name = "capture::file::tests::the_mode_does_not_depend_on_the_umask";
    let child = Command::new("sh")
        .args(["-c", "umask 0777; exec \"$@\"", "sh"])
        .arg(env::current_exe().expect("known"))
        .args(["--exact", name])
        .env(DIR, dir.path())
        .output()
        .expect("run");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let files = names(dir.path());
    assert!(files.contains(&"1".to_owned()), "{files:?}");
    assert!(files.iter().all(|name| mode(&dir.path().join(name)) == 0o600));
}

#[test]
fn a_name_that_no_file_can_have_is_refused_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    for way in WAYS {
        let target = Target::create_by(&dir.path().join("a".repeat(1_000)), way);
        assert!(matches!(target, Err(CaptureError::Dir { .. })));
    }
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
