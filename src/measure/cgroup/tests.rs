//! Made-up file systems, shaped like those that the runtimes named in each test leave.

use tempfile::TempDir;

use super::*;

const V1_MOUNT: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
const V2_MOUNT: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
const V1_UNLIMITED: &str = "9223372036854771712";

/// A root directory with these files in it, and a machine of 16 GiB.
fn system(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, contents) in
        [("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n")].iter().chain(files)
    {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{contents}\n")).unwrap();
    }
    root
}

fn found(root: &TempDir) -> Cgroup {
    Cgroup::of_process(root.path()).expect("a memory controller")
}

fn reading(version: CgroupVersion, limit: Option<u64>, usage: Option<u64>) -> CgroupMemory {
    CgroupMemory { limit: limit.map(Bytes::from_bytes), usage: usage.map(Bytes::from_bytes), version }
}

#[test]
fn v2_has_its_limit_in_the_own_group() {
    let root = system(&[
        ("proc/self/cgroup", "0::/system.slice/shop.service"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/cgroup.controllers", "cpu memory"),
        ("sys/fs/cgroup/system.slice/memory.max", "max"),
        ("sys/fs/cgroup/system.slice/memory.current", "900"),
        ("sys/fs/cgroup/system.slice/shop.service/memory.max", "1073741824"),
        ("sys/fs/cgroup/system.slice/shop.service/memory.current", "700"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V2, Some(1 << 30), Some(700)));
}

#[test]
fn a_tighter_limit_around_the_own_group_wins_and_brings_its_usage() {
    let root = system(&[
        ("proc/self/cgroup", "0::/pod/container"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/pod/memory.max", "1000"),
        ("sys/fs/cgroup/pod/memory.current", "900"),
        ("sys/fs/cgroup/pod/container/memory.max", "2000"),
        ("sys/fs/cgroup/pod/container/memory.current", "700"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V2, Some(1000), Some(900)));
}

#[test]
fn of_equal_limits_the_innermost_counts() {
    let root = system(&[
        ("proc/self/cgroup", "0::/pod/container"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/pod/memory.max", "1000"),
        ("sys/fs/cgroup/pod/memory.current", "900"),
        ("sys/fs/cgroup/pod/container/memory.max", "1000"),
        ("sys/fs/cgroup/pod/container/memory.current", "700"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V2, Some(1000), Some(700)));
}

#[test]
fn a_changed_limit_is_seen_without_a_new_search() {
    let root = system(&[
        ("proc/self/cgroup", "0::/"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/memory.max", "1000"),
        ("sys/fs/cgroup/memory.current", "700"),
    ]);
    let cgroup = found(&root);
    fs::write(root.path().join("sys/fs/cgroup/memory.max"), "2000\n").unwrap();
    assert_eq!(cgroup.read(), reading(CgroupVersion::V2, Some(2000), Some(700)));
}

#[test]
fn a_namespaced_container_finds_itself_at_the_mount_point() {
    for path in ["0::/", "0::/../sibling", "0::/docker/4f2a", "0::/gone (deleted)"] {
        let root = system(&[
            ("proc/self/cgroup", path),
            ("proc/self/mountinfo", V2_MOUNT),
            ("sys/fs/cgroup/memory.max", "1000"),
            ("sys/fs/cgroup/memory.current", "700"),
            ("sys/fs/sibling/memory.max", "1"),
        ]);
        assert_eq!(found(&root).read(), reading(CgroupVersion::V2, Some(1000), Some(700)), "{path}");
    }
}

#[test]
fn a_mount_from_outside_of_the_namespace_is_read_at_its_top() {
    let root = system(&[
        ("proc/self/cgroup", "0::/"),
        ("proc/self/mountinfo", "30 23 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw"),
        ("sys/fs/cgroup/memory.max", "1000"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V2, Some(1000), None));
}

#[test]
fn docker_on_v1_mounts_only_the_own_group() {
    let mount =
        "712 700 0:32 /docker/4f2a /sys/fs/cgroup/memory ro,nosuid master:16 - cgroup cgroup rw,memory";
    let root = system(&[
        ("proc/self/cgroup", "11:cpu,cpuacct:/docker/4f2a\n4:hugetlb,memory:/docker/4f2a\n0::/"),
        ("proc/self/mountinfo", mount),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "700"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V1, Some(512 << 20), Some(700)));
}

#[test]
fn the_mount_that_shows_most_groups_is_taken() {
    let own = "712 700 0:32 /pod/container /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
    let host = "713 700 0:32 / /host\\040cgroup/memory ro - cgroup cgroup rw,memory";
    let root = system(&[
        ("proc/self/cgroup", "4:memory:/pod/container"),
        ("proc/self/mountinfo", &format!("{own}\n{host}")),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000"),
        ("host cgroup/memory/pod/memory.limit_in_bytes", "1000"),
        ("host cgroup/memory/pod/memory.usage_in_bytes", "900"),
        ("host cgroup/memory/pod/container/memory.limit_in_bytes", "2000"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V1, Some(1000), Some(900)));
}

#[test]
fn hybrid_systems_have_their_memory_controller_in_v1() {
    let root = system(&[
        ("proc/self/cgroup", "9:name=systemd:/\n4:memory:/shop\n0::/shop"),
        (
            "proc/self/mountinfo",
            &format!("{V1_MOUNT}\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"),
        ),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_UNLIMITED),
        ("sys/fs/cgroup/memory/shop/memory.limit_in_bytes", "1000"),
        ("sys/fs/cgroup/memory/shop/memory.usage_in_bytes", "700"),
        ("sys/fs/cgroup/unified/shop/cgroup.procs", "1"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V1, Some(1000), Some(700)));
}

#[test]
fn a_controller_that_v1_has_but_does_not_show_is_looked_for_in_v2() {
    let root = system(&[
        ("proc/self/cgroup", "4:memory:/shop\n0::/"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/memory.max", "1000"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V2, Some(1000), None));
}

#[test]
fn a_v1_group_that_does_not_count_its_children_does_not_bind_them() {
    let root = system(&[
        ("proc/self/cgroup", "4:memory:/pod/container"),
        ("proc/self/mountinfo", V1_MOUNT),
        ("sys/fs/cgroup/memory/pod/memory.use_hierarchy", "0"),
        ("sys/fs/cgroup/memory/pod/memory.limit_in_bytes", "1000"),
        ("sys/fs/cgroup/memory/pod/container/memory.limit_in_bytes", "2000"),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V1, Some(2000), None));
}

#[test]
fn no_limit_leaves_the_usage_of_the_own_group() {
    let above_machine = (32_u64 << 30).to_string();
    for limit in [V1_UNLIMITED, "9223372036854775807", &above_machine, "max", "", "-1", "many", "1e9"] {
        let root = system(&[
            ("proc/self/cgroup", "4:memory:/shop"),
            ("proc/self/mountinfo", V1_MOUNT),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_UNLIMITED),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "900"),
            ("sys/fs/cgroup/memory/shop/memory.limit_in_bytes", limit),
            ("sys/fs/cgroup/memory/shop/memory.usage_in_bytes", "700"),
        ]);
        assert_eq!(found(&root).read(), reading(CgroupVersion::V1, None, Some(700)), "{limit}");
    }
}

#[test]
fn a_limit_as_large_as_the_machine_is_one() {
    let root = system(&[
        ("proc/self/cgroup", "0::/"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/memory.max", &(16_u64 << 30).to_string()),
    ]);
    assert_eq!(found(&root).read(), reading(CgroupVersion::V2, Some(16 << 30), None));
}

fn headroom(limit: u64, free: u64) -> Headroom {
    Headroom { limit: Bytes::from_bytes(limit), free: Bytes::from_bytes(free) }
}

#[test]
fn every_group_with_a_limit_leaves_what_the_cache_does_not_need() {
    let root = system(&[
        ("proc/self/cgroup", "0::/pod/container"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/pod/memory.max", "1000"),
        ("sys/fs/cgroup/pod/memory.current", "950"),
        ("sys/fs/cgroup/pod/memory.stat", "anon 1\nfile 700\nactive_file 300\ninactive_file 400\n"),
        ("sys/fs/cgroup/pod/container/memory.max", "2000"),
        ("sys/fs/cgroup/pod/container/memory.high", "800"),
        ("sys/fs/cgroup/pod/container/memory.current", "700"),
    ]);
    let headrooms: Vec<_> = found(&root).headrooms().collect();
    assert_eq!(headrooms, [headroom(800, 100), headroom(1000, 450)]);
}

#[test]
fn in_v1_the_cache_of_the_children_counts_as_well() {
    let root = system(&[
        ("proc/self/cgroup", "4:memory:/shop"),
        ("proc/self/mountinfo", V1_MOUNT),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_UNLIMITED),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "900"),
        ("sys/fs/cgroup/memory/shop/memory.limit_in_bytes", "1000"),
        ("sys/fs/cgroup/memory/shop/memory.usage_in_bytes", "900"),
        ("sys/fs/cgroup/memory/shop/memory.stat", "inactive_file 1\ntotal_inactive_file 200\n"),
        ("sys/fs/cgroup/memory/shop/memory.oom.group", "1"),
    ]);
    assert_eq!(found(&root).headrooms().collect::<Vec<_>>(), [headroom(1000, 300)]);
    assert!(!found(&root).kills_whole_groups());
}

#[test]
fn a_group_that_uses_more_than_its_limit_leaves_nothing_and_one_without_usage_says_nothing() {
    let root = system(&[
        ("proc/self/cgroup", "0::/pod/container"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/pod/memory.max", "1000"),
        ("sys/fs/cgroup/pod/container/memory.max", "1000"),
        ("sys/fs/cgroup/pod/container/memory.current", "1001"),
    ]);
    assert_eq!(found(&root).headrooms().collect::<Vec<_>>(), [headroom(1000, 0)]);
}

#[test]
fn a_group_around_the_own_one_may_kill_all_of_it() {
    let root = system(&[
        ("proc/self/cgroup", "0::/pod/container"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/pod/memory.max", "max"),
        ("sys/fs/cgroup/pod/memory.oom.group", "0"),
        ("sys/fs/cgroup/pod/container/memory.max", "max"),
        ("sys/fs/cgroup/pod/container/memory.oom.group", "0"),
    ]);
    assert!(!found(&root).kills_whole_groups());
    fs::write(root.path().join("sys/fs/cgroup/pod/memory.oom.group"), "1\n").unwrap();
    assert!(found(&root).kills_whole_groups());
}

#[test]
fn without_a_memory_controller_there_is_nothing_to_read() {
    for (membership, mountinfo) in [
        ("0::/", ""),
        ("0::/", V2_MOUNT), // the topmost group has no memory.max
        ("", V2_MOUNT),
        ("4:cpu:/", V1_MOUNT),
        ("garbage\n::\n4:memory", "garbage\n - \n1 2 3 - cgroup2\n \\ \\0 \\999 - cgroup2 x y"),
    ] {
        let root = system(&[("proc/self/cgroup", membership), ("proc/self/mountinfo", mountinfo)]);
        assert!(Cgroup::of_process(root.path()).is_none(), "{membership} {mountinfo}");
    }
    assert!(Cgroup::of_process(Path::new("/nonexistent")).is_none());
}

#[test]
fn names_in_other_encodings_elsewhere_do_no_harm() {
    let root = system(&[("proc/self/cgroup", "0::/"), ("sys/fs/cgroup/memory.max", "1000")]);
    let mountinfo = [b"50 23 8:1 / /media/caf\xe9 rw - vfat /dev/sda1 rw\n", V2_MOUNT.as_bytes()].concat();
    fs::write(root.path().join("proc/self/mountinfo"), mountinfo).unwrap();
    assert_eq!(found(&root).read().limit, Some(Bytes::from_bytes(1000)));
}

#[test]
fn escapes_are_taken_back_and_other_backslashes_kept() {
    for (field, text) in
        [("/a\\040b\\134c", "/a b\\c"), ("/plain", "/plain"), ("\\", "\\"), ("\\9", "\\9"), ("\\é", "\\é")]
    {
        assert_eq!(unescape(field), text);
    }
}
