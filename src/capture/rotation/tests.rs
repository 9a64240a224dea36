use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::symlink,
    time::Duration,
};

use chrono::Local;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::capture::{Compression, FileName};

const ONE: &str = "Heap.20260304.050607.11.0.001.leakguard.heapsnapshot";

fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).expect("it exists");
    entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}

fn with_files(files: &[(&str, usize)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, size) in files {
        fs::write(dir.path().join(name), vec![0; *size]).expect("written");
    }
    dir
}

fn limits(max_files: u32, max_bytes: u64) -> Limits {
    Limits { max_files, max_bytes: Bytes::from_bytes(max_bytes) }
}

fn rotated(dir: &TempDir, limits: Limits, incoming: u64) -> Vec<String> {
    let removed = rotate(dir.path(), &limits, Bytes::from_bytes(incoming)).expect("done");
    removed
        .iter()
        .map(|path| {
            assert!(!path.exists());
            path.strip_prefix(dir.path()).expect("in it").to_string_lossy().into_owned()
        })
        .collect()
}

#[test]
fn the_names_we_give_are_ours() {
    for compression in [Compression::None, Compression::Gzip] {
        let name = FileName { time: Local::now(), thread_id: 12, compression }.next();
        assert!(stem(&name).is_some(), "{name}");
    }
    assert_eq!(stem(ONE), Some(("Heap.20260304.050607.11.0.001", 20_260_304_050_607, 1)));
}

#[test]
fn other_names_are_not() {
    for name in [
        "Heap.20260304.050607.11.0.001.heapsnapshot", // Node's own
        "Heap.20260304.050607.11.0.001.leakguard.heapsnapshot.gz.gz",
        "Heap.20260304.050607.11.0.001.leakguard.heapsnapshot.bak",
        "Heap.20260304.050607.11.0.001.leakguard.heapprofile",
        "aHeap.20260304.050607.11.0.001.leakguard.heapsnapshot",
        "heap.20260304.050607.11.0.001.leakguard.heapsnapshot",
        "Heap.2026034.050607.11.0.001.leakguard.heapsnapshot",
        "Heap.20260304.50607.11.0.001.leakguard.heapsnapshot",
        "Heap.20260304.050607.11.0.01.leakguard.heapsnapshot",
        "Heap.20260304.050607..0.001.leakguard.heapsnapshot",
        "Heap.20260304.050607.11.001.leakguard.heapsnapshot",
        "Heap.20260304.050607.11.0.0.001.leakguard.heapsnapshot",
        "Heap.20260304.050607.+1.0.001.leakguard.heapsnapshot",
        "Heap.20260304.050607.11.0.+01.leakguard.heapsnapshot",
        "Heap.20260304.050607.11.0.00١.leakguard.heapsnapshot",
        "Heap.20260304.050607.11.0.99999999999999999999999.leakguard.heapsnapshot",
        ".leakguard.heapsnapshot",
        "",
    ] {
        assert_eq!(stem(name), None, "{name}");
    }
}

#[test]
fn one_fewer_than_the_limit_stays_for_the_one_to_come() {
    let [two, three] = [
        "Heap.20260304.050607.7.0.002.leakguard.heapsnapshot.gz",
        "Heap.20260305.000000.3.1.001.leakguard.heapsnapshot",
    ];
    let files = [(ONE, 1), (two, 1), (three, 1)];
    assert!(rotated(&with_files(&files), limits(4, 100), 1).is_empty());
    assert_eq!(rotated(&with_files(&files), limits(3, 100), 1), [ONE]);
    assert_eq!(rotated(&with_files(&files), limits(2, 100), 1), [ONE, two]);
    assert_eq!(rotated(&with_files(&files), limits(100, 4), 3), [ONE, two]);
    assert_eq!(rotated(&with_files(&files), limits(0, 100), 0), [ONE, two, three]);
    assert_eq!(rotated(&with_files(&files), limits(100, 4), 5), [ONE, two, three]);
}

#[test]
fn a_report_goes_with_its_snapshot_and_counts() {
    let report = "Heap.20260304.050607.11.0.001.leakguard.json";
    let lone = "Heap.20250101.000000.11.0.001.leakguard.json";
    let dir = with_files(&[(ONE, 10), (report, 5), (lone, 50)]);
    assert!(rotated(&dir, limits(2, 16), 1).is_empty());
    let mut removed = rotated(&dir, limits(2, 15), 1);
    removed.sort();
    assert_eq!(removed, [ONE, report]);
    assert_eq!(names(dir.path()), BTreeSet::from([lone.to_owned()]));
}

#[test]
fn what_only_has_our_name_stays() {
    let dir = with_files(&[("precious", 3)]);
    let (link, folder) = (ONE.replace("001", "002"), ONE.replace("001", "003"));
    symlink("precious", dir.path().join(&link)).expect("made");
    fs::create_dir(dir.path().join(&folder)).expect("made");
    assert!(rotated(&dir, limits(1, 0), 1).is_empty());
    assert_eq!(names(dir.path()), BTreeSet::from(["precious".to_owned(), link, folder]));
}

#[test]
fn a_missing_folder_is_an_error() {
    let gone = rotate(Path::new("/no/such/folder"), &limits(1, 1), Bytes::ZERO);
    assert_eq!(gone.expect_err("missing").kind(), io::ErrorKind::NotFound);
}

/// Day, seconds since the epoch of the last change, sequence, size, whether packed, size of a report.
type Made = (u64, u64, u64, u64, bool, Option<u64>);

fn stem_of((day, _, sequence, ..): &Made) -> String {
    format!("Heap.2026030{day}.000000.1.0.{sequence:03}")
}

fn snapshot_of(made: &Made) -> String {
    format!("{}.leakguard.heapsnapshot{}", stem_of(made), if made.4 { ".gz" } else { "" })
}

/// Removes the one oldest snapshot as long as a limit is exceeded.
fn naive(mut made: Vec<Made>, limits: Limits, incoming: u64) -> Vec<Made> {
    loop {
        let bytes = made.iter().map(|made| made.3 + made.5.unwrap_or(0)).sum::<u64>() + incoming;
        let fits = made.len() < limits.max_files as usize && bytes <= limits.max_bytes.get();
        let oldest = made.iter().enumerate().min_by_key(|(_, made)| (made.0, made.1, made.2));
        match oldest {
            Some((index, _)) if !fits => made.swap_remove(index),
            _ => return made,
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_stays_is_what_a_naive_removal_leaves(
        made in proptest::collection::vec(
            (1..4_u64, 0..3_u64, 997..1003_u64, 0..20_u64, any::<bool>(), proptest::option::of(0..10_u64)), 0..10),
        max_files in 0..6_u32,
        max_bytes in 0..100_u64,
        incoming in 0..30_u64,
    ) {
        let mut seen = BTreeSet::new();
        let made: Vec<_> = made.into_iter().filter(|made| seen.insert(stem_of(made))).collect();
        let dir = with_files(&[("theirs.heapsnapshot", 70)]);
        for made in &made {
            let path = dir.path().join(snapshot_of(made));
            fs::write(&path, vec![0; made.3 as usize]).expect("written");
            let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(made.1);
            File::options().write(true).open(&path).and_then(|file| file.set_modified(changed)).expect("set");
            if let Some(size) = made.5 {
                let report = dir.path().join(format!("{}.leakguard.json", stem_of(made)));
                fs::write(report, vec![0; size as usize]).expect("written");
            }
        }
        let before = names(dir.path());
        let limits = limits(max_files, max_bytes);
        let removed = rotated(&dir, limits, incoming);

        let mut stay = BTreeSet::from(["theirs.heapsnapshot".to_owned()]);
        for made in naive(made, limits, incoming) {
            stay.insert(snapshot_of(&made));
            stay.extend(made.5.map(|_| format!("{}.leakguard.json", stem_of(&made))));
        }
        prop_assert_eq!(&names(dir.path()), &stay);
        prop_assert_eq!(before.difference(&stay).cloned().collect::<BTreeSet<_>>(), removed.into_iter().collect());
    }
}
