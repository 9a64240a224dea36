//! The memory limit and usage of the control group the process is in, versions 1 and 2.
//!
//! Sources: the kernel's `admin-guide/cgroup-v2.rst` and `cgroup-v1/memory.rst`, `cgroups(7)`,
//! `cgroup_namespaces(7)`, `proc_pid_mountinfo(5)`.

#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::{Bytes, Headroom, process::kib_field};

/// Version 1 says "no limit" with the greatest multiple of the page size below 2^63
/// (`PAGE_COUNTER_MAX`); this bound is below it for every page size and above every machine.
const NO_LIMIT_FROM: Bytes = Bytes::from_bytes(1 << 62);

/// The interface that the memory controller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupVersion {
    /// One hierarchy per controller; also the memory controller of a hybrid system.
    V1,
    /// The unified hierarchy.
    V2,
}

impl CgroupVersion {
    const fn limit_file(self) -> &'static str {
        match self {
            Self::V1 => "memory.limit_in_bytes",
            Self::V2 => "memory.max",
        }
    }

    const fn usage_file(self) -> &'static str {
        match self {
            Self::V1 => "memory.usage_in_bytes",
            Self::V2 => "memory.current",
        }
    }

    /// The line of `memory.stat` with the cached files of the whole group that are taken back first.
    const fn inactive_file(self) -> &'static str {
        match self {
            Self::V1 => "total_inactive_file ",
            Self::V2 => "inactive_file ",
        }
    }
}

/// One reading of the memory controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CgroupMemory {
    /// What the group may use before the kernel kills in it; none where only the machine limits.
    pub limit: Option<Bytes>,
    /// What the group with that limit uses, or the process's own group where there is no limit. This
    /// is the number that the kernel holds against the limit: it counts all processes of the group
    /// and the page cache, which is reclaimed before anything is killed.
    pub usage: Option<Bytes>,
    /// Where the numbers are from.
    pub version: CgroupVersion,
}

/// The control groups that bind the memory of this process, found once and read often.
///
/// Only what is visible is known: a container's own mount hides the groups above the container.
#[derive(Clone, Debug)]
pub struct Cgroup {
    version: CgroupVersion,
    /// Directories of the own group first, then of those around it; never empty.
    groups: Vec<PathBuf>,
    physical_memory: Option<Bytes>,
}

impl Cgroup {
    /// Finds the groups of this process. `root` is the root of the file system, `/` but in tests.
    ///
    /// None where no memory controller is to be seen: on other systems than Linux, in the topmost
    /// group of version 2, and where `/proc` or `/sys/fs/cgroup` are not mounted.
    pub fn of_process(root: &Path) -> Option<Self> {
        let memberships = read_text(&root.join("proc/self/cgroup"))?;
        let mounts = read_text(&root.join("proc/self/mountinfo"))?;
        // A controller belongs to one hierarchy at a time, and only version 1 names it.
        let (version, groups) = [CgroupVersion::V1, CgroupVersion::V2].into_iter().find_map(|version| {
            let path = memberships.lines().find_map(|line| membership(line, version))?;
            let mounts: Vec<_> =
                mounts.lines().filter_map(|line| Mount::parse(line, version, root)).collect();
            let mut groups = visible_groups(path, &mounts)?;
            groups.retain(|group| group.join(version.limit_file()).is_file());
            (!groups.is_empty()).then_some((version, groups))
        })?;
        Some(Self { version, groups, physical_memory: kib_field(&root.join("proc/meminfo"), "MemTotal:") })
    }

    /// Reads the files: two for each level of nesting at most, some microseconds each. Limits are read
    /// anew because orchestrators change them while the process runs.
    pub fn read(&self) -> CgroupMemory {
        let tightest = self
            .groups
            .iter()
            .filter_map(|group| Some((group, self.limit_of(group)?)))
            .min_by_key(|&(_, limit)| limit);
        let group = tightest.map_or(&self.groups[0], |(group, _)| group);
        CgroupMemory {
            limit: tightest.map(|(_, limit)| limit),
            usage: read_bytes(&group.join(self.version.usage_file())),
            version: self.version,
        }
    }

    /// What each group with a limit leaves, as far as it can be read.
    ///
    /// `memory.high` counts as a limit: above it nothing is killed, but everything in the group is slowed down.
    pub fn headrooms(&self) -> impl Iterator<Item = Headroom> {
        self.groups.iter().filter_map(|group| {
            let limit =
                [self.limit_of(group), self.limit_in(group, "memory.high")].into_iter().flatten().min()?;
            let used = read_bytes(&group.join(self.version.usage_file()))?;
            let used = used.saturating_sub(self.inactive_file_of(group).unwrap_or_default());
            Some(Headroom { limit, free: limit.saturating_sub(used) })
        })
    }

    /// Whether the kernel, out of memory, kills all processes of a group together (`memory.oom.group`).
    pub fn kills_whole_groups(&self) -> bool {
        self.version == CgroupVersion::V2
            && self.groups.iter().any(|group| {
                fs::read_to_string(group.join("memory.oom.group")).is_ok_and(|text| text.trim() == "1")
            })
    }

    fn inactive_file_of(&self, group: &Path) -> Option<Bytes> {
        let stat = fs::read_to_string(group.join("memory.stat")).ok()?;
        let line = stat.lines().find_map(|line| line.strip_prefix(self.version.inactive_file()))?;
        Some(Bytes::from_bytes(line.trim().parse().ok()?))
    }

    fn limit_of(&self, group: &Path) -> Option<Bytes> {
        self.limit_in(group, self.version.limit_file())
    }

    /// The limit in a file of the group.
    fn limit_in(&self, group: &Path, file: &str) -> Option<Bytes> {
        let limit = read_bytes(&group.join(file))?;
        // Equal is a limit: LXCFS shows the container's limit as the machine's memory.
        let above_machine = self.physical_memory.is_some_and(|physical| limit > physical);
        (limit < NO_LIMIT_FROM && !above_machine).then_some(limit)
    }
}

/// The path in a line `id:controllers:path` of `/proc/self/cgroup`, where the line is about memory.
fn membership(line: &str, version: CgroupVersion) -> Option<&Path> {
    let mut fields = line.splitn(3, ':');
    let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let about_memory = match version {
        CgroupVersion::V1 => controllers.split(',').any(|controller| controller == "memory"),
        CgroupVersion::V2 => id == "0" && controllers.is_empty(),
    };
    about_memory.then_some(Path::new(path))
}

/// A place where the hierarchy, or a branch of it, is mounted.
struct Mount {
    /// The group at the top of the mount, as seen from the root of the cgroup namespace.
    top: PathBuf,
    point: PathBuf,
}

impl Mount {
    /// Reads a line of `/proc/self/mountinfo`:
    /// `id parent device top point options [tag...] - type source super-options`.
    fn parse(line: &str, version: CgroupVersion, root: &Path) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (top, point) = (unescape(place.next()?), unescape(place.next()?));
        let mut kind = kind.split(' ');
        let (file_system, super_options) = (kind.next()?, kind.nth(1)?);
        let has_memory = match version {
            CgroupVersion::V1 => {
                file_system == "cgroup" && super_options.split(',').any(|option| option == "memory")
            }
            CgroupVersion::V2 => file_system == "cgroup2",
        };
        let point = root.join(point.trim_start_matches('/'));
        has_memory.then(|| Self { top: top.into(), point })
    }

    /// The directories from the group at `path` up to the top of the mount, where they are in it.
    fn groups_of(&self, path: &Path) -> Option<Vec<PathBuf>> {
        let below_top = path.strip_prefix(&self.top).ok()?;
        // `..` stands for groups outside of the cgroup namespace, not for a directory.
        if below_top.components().any(|part| part == Component::ParentDir) {
            return None;
        }
        let own = self.point.join(below_top);
        let around = own.ancestors().skip(1).take_while(|group| group.starts_with(&self.point));
        let binding = around.take_while(|group| counts_children(group));
        own.is_dir().then(|| std::iter::once(own.as_path()).chain(binding).map(Path::to_owned).collect())
    }
}

/// The groups around the one at `path`, through the mount that shows most of them. Where none shows it
/// (the path is the host's, the mount the container's), a mount's top is the nearest there is.
fn visible_groups(path: &Path, mounts: &[Mount]) -> Option<Vec<PathBuf>> {
    let shown = mounts.iter().filter_map(|mount| mount.groups_of(path)).max_by_key(Vec::len);
    shown.or_else(|| Some(vec![mounts.first()?.point.clone()]))
}

/// Whether a group's limit binds the groups in it: always, but for version 1 with `use_hierarchy` off.
fn counts_children(group: &Path) -> bool {
    read_bytes(&group.join("memory.use_hierarchy")) != Some(Bytes::ZERO)
}

/// A file with one number; none for `max` and where there is no such file.
fn read_bytes(file: &Path) -> Option<Bytes> {
    Some(Bytes::from_bytes(fs::read_to_string(file).ok()?.trim().parse().ok()?))
}

/// A file with paths in it, any of which may be in an encoding other than UTF-8.
fn read_text(file: &Path) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(file).ok()?).into_owned())
}

/// Takes back the kernel's `\ooo` for the bytes that would break up a line of mountinfo.
fn unescape(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(u8::is_ascii) {
            Some(byte) => {
                text.push(char::from(byte));
                text.push_str(&part[3..]);
            }
            None => {
                text.push('\\');
                text.push_str(part);
            }
        }
    }
    text
}
