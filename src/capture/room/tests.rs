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

/// One that takes a million bytes, and `aside` on top.
fn estimate(aside: u64) -> Estimate {
    Estimate {
        memory: Bytes::from_bytes(1_000_000),
        aside: Bytes::from_bytes(aside),
        ..Estimate::of(Bytes::ZERO)
    }
}

fn refusal(root: &TempDir, estimate: &Estimate) -> String {
    Room::of_process(root.path()).admit(estimate).expect_err("no room").to_string()
}

#[test]
fn an_estimate_grows_with_the_heap() {
    let estimate = Estimate::of(Bytes::from_bytes(47_000_000));
    assert_eq!(estimate.nodes, 1_000_000);
    assert_eq!(estimate.memory, Bytes::from_bytes(350_000_000));
    assert_eq!(estimate.aside, Bytes::from_bytes(4_700_000));
    assert_eq!(estimate.file(Compression::None), Bytes::from_bytes(55_000_000));
    assert_eq!(estimate.file(Compression::Gzip), Bytes::from_bytes(11_000_000));
    assert_eq!(estimate.with_file_in_memory(Compression::None).aside, Bytes::from_bytes(59_700_000));
    assert!((estimate.pause.get() - 3_000.0).abs() < 1e-6);
    assert_eq!(Estimate::of(Bytes::from_bytes(u64::MAX)).memory, Bytes::from_bytes(u64::MAX));
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
fn what_is_not_known_is_no_reason_to_refuse() {
    let room = Room::of_process(Path::new("/nonexistent"));
    assert_eq!(room.admit(&estimate(1)).expect("room"), Bytes::from_bytes(3_000_000));
}

#[test]
#[cfg(target_os = "linux")]
fn this_very_machine_has_a_limit() {
    let room = Room::of_process(Path::new("/"));
    assert!(room.admit(&Estimate::of(Bytes::from_bytes(1 << 60))).is_err());
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
