//! Made-up systems; see `measure/cgroup/tests.rs` for shapes that runtimes leave.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A machine with this much available of 1,000,000 KiB, and a group with these files.
fn system(available_kib: u64, group: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let meminfo = format!("MemTotal: 1000000 kB\nMemAvailable: {available_kib} kB\n");
    let mount = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
    let fixed = [
        ("proc/meminfo", meminfo.as_str()),
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/mountinfo", mount),
        ("sys/fs/cgroup/cgroup.procs", ""),
    ];
    for (path, contents) in fixed.iter().chain(group) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, contents).expect("written");
    }
    root
}

/// One that takes a million bytes, and `copied` on top.
fn estimate(copied: u64) -> Estimate {
    let (memory, copied) = (Bytes::from_bytes(1_000_000), Bytes::from_bytes(copied));
    Estimate { memory, copied, ..Estimate::of(Bytes::ZERO, Bytes::ZERO) }
}

fn refusal(root: &TempDir, estimate: &Estimate) -> String {
    Room::of_process(root.path()).admit(estimate).expect_err("no room").to_string()
}

#[test]
fn an_estimate_grows_with_the_heap() {
    let estimate = Estimate::of(Bytes::from_bytes(35_000_000), Bytes::from_bytes(8_000_000));
    assert_eq!(estimate.nodes, 1_000_000);
    assert_eq!(estimate.memory, Bytes::from_bytes(350_000_000 + 530_000_000));
    assert_eq!(estimate.copied, Bytes::from_bytes(4_300_000));
    assert_eq!(estimate.file(Compression::None), Bytes::from_bytes(100_000_000));
    assert_eq!(estimate.file(Compression::Gzip), Bytes::from_bytes(20_000_000));
    assert_eq!(estimate.file_in_memory, Bytes::ZERO);
    assert!((estimate.pause.get() - 4_000.0).abs() < 1e-6);
    assert_eq!(Estimate::of(Bytes::from_bytes(u64::MAX), Bytes::ZERO).memory, Bytes::from_bytes(u64::MAX));
}

#[test]
fn large_strings_make_no_nodes() {
    let [few, many] =
        [1 << 30, 1 << 40].map(|large| Estimate::of(Bytes::from_mib(1), Bytes::from_bytes(large)));
    assert_eq!(few.memory, many.memory);
}

/// Node 20: what is in use outside of and in the large object spaces; what the snapshot took, and its file.
#[test]
fn an_estimate_is_as_near_as_it_says() {
    for (shape, small, large, memory, file) in [
        ("3,000 Maps of 100", 42.4, 0.3, 304.0, 66.7),
        ("an array of 600,000 objects", 21.9, 7.2, 879.0, 62.4),
        ("an array of 400,000 closures", 41.2, 4.9, 764.0, 100.2),
        ("an array of 300,000 strings", 31.1, 3.4, 485.0, 52.4),
        ("60,000 records from JSON", 32.7, 7.5, 651.0, 74.7),
        ("a Map of 500,000 objects", 33.9, 14.9, 1_455.0, 84.8),
        ("an object with 500,000 keys", 18.1, 25.4, 1_280.0, 57.2),
        ("a list of 150,000 instances", 44.7, 0.3, 209.0, 51.5),
        ("nothing but Node", 2.7, 0.3, 31.0, 4.0),
    ] {
        let [small, large] = [small, large].map(|megabytes| Bytes::from_bytes((megabytes * 1e6) as u64));
        let estimate = Estimate::of(small, large);
        let ratio = |estimate: Bytes, megabytes: f64| estimate.as_f64() / 1e6 / megabytes;
        assert!((0.4..=2.9).contains(&ratio(estimate.memory, memory)), "{shape}");
        assert!((0.8..=2.7).contains(&ratio(estimate.file(Compression::None), file)), "{shape}");
    }
}

#[test]
fn the_machine_keeps_a_tenth() {
    let fits = system(100_000 + 1_000, &[]);
    let bound = Room::of_process(fits.path()).admit(&estimate(24_000)).expect("room");
    assert_eq!(bound, Bytes::from_bytes(1_000 * 1024 - 24_000));
    let tight = system(100_000 + 999, &[]);
    assert_eq!(
        refusal(&tight, &estimate(24_000)),
        "a snapshot needs about 1000.0 KiB of memory, but the machine with its 976.6 MiB has only 999.0 KiB to spare; \
         give the machine more memory, or ask while the heap is smaller"
    );
}

#[test]
fn the_container_counts_where_it_is_tighter() {
    let group = [("sys/fs/cgroup/memory.max", "10000000"), ("sys/fs/cgroup/memory.current", "8000001")];
    let error = refusal(&system(900_000, &group), &estimate(0));
    assert!(error.contains("the container with its limit of 9.5 MiB"), "{error}");
    assert!(error.contains("raise the container's limit"), "{error}");
    let group = [("sys/fs/cgroup/memory.max", "10000000"), ("sys/fs/cgroup/memory.current", "8000000")];
    let room = Room::of_process(system(900_000, &group).path());
    assert_eq!(room.admit(&estimate(0)).expect("room"), Bytes::from_bytes(1_000_000));
    assert!(refusal(&system(0, &group), &estimate(0)).contains("the machine"));
}

#[test]
fn twice_the_memory_where_the_child_would_take_the_process_with_it() {
    let group = |current| {
        [
            ("sys/fs/cgroup/memory.max", "10000000"),
            ("sys/fs/cgroup/memory.oom.group", "1\n"),
            ("sys/fs/cgroup/memory.current", current),
        ]
    };
    let room = Room::of_process(system(900_000, &group("6800000")).path());
    assert_eq!(room.admit(&estimate(100_000)).expect("room"), Bytes::from_bytes(1_000_000));
    let error = refusal(&system(900_000, &group("6800001")), &estimate(100_000));
    assert!(error.contains("needs about 2.1 MiB of memory (twice the estimate: memory.oom.group"), "{error}");
}

#[test]
fn in_process_the_worst_has_to_fit() {
    let room = |available_kib: u64| Room::of_process(system(100_000 + available_kib, &[]).path());
    assert!(room(2_930).admit_in_process(&estimate(u64::MAX)).is_ok());
    let error = room(2_929).admit_in_process(&estimate(0)).expect_err("no room");
    assert!(error.to_string().contains("needs about 2.9 MiB of memory, but the machine"), "{error}");
    assert!(Room::of_process(Path::new("/nonexistent")).admit_in_process(&estimate(0)).is_ok());
}

#[test]
fn a_file_in_memory_is_counted_and_kept_from_the_child() {
    let estimate = Estimate { nodes: 1_000, ..estimate(0) }.with_file_in_memory(Compression::None);
    assert_eq!(estimate.file_in_memory, Bytes::from_bytes(100_000));
    let room = |available_kib: u64| Room::of_process(system(100_000 + available_kib, &[]).path());
    assert_eq!(room(1_075).admit(&estimate).expect("room"), Bytes::from_bytes(1_075 * 1024 - 100_000));
    assert!(room(1_074).admit(&estimate).is_err());
    assert!(room(3_028).admit_in_process(&estimate).is_ok());
    assert!(room(3_027).admit_in_process(&estimate).is_err());
}

#[test]
fn what_is_not_known_is_no_reason_to_refuse() {
    let room = Room::of_process(Path::new("/nonexistent"));
    assert_eq!(room.admit(&estimate(1)).expect("room"), Bytes::from_bytes(3_000_000));
}

#[test]
#[cfg(target_os = "linux")]
fn this_very_machine_has_a_limit() {
    let room = Room::of_process(Path::new("/"));
    assert!(room.admit(&Estimate::of(Bytes::from_bytes(1 << 60), Bytes::ZERO)).is_err());
}

#[test]
fn a_refusal_to_block_names_both_times() {
    let error = CaptureError::WouldBlock {
        estimate: Millis::from_secs(12.04),
        max_pause: Millis::from_secs(1.0),
        reason: "V8 is not reached natively".into(),
    };
    assert_eq!(
        error.to_string(),
        "a snapshot in-process would stop this thread for about 12.0 s, more than `snapshot.maxPause` (1.0 s), and \
         none can be forked: V8 is not reached natively; raise `snapshot.maxPause`, or set the mode 'in-process' if \
         the thread may stop"
    );
}
