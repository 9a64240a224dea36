//! What is mapped (`proc_pid_maps(5)`, `proc_pid_smaps(5)`), and what of it a forked child gets.
//!
//! Node has the kernel keep V8's heap from forked children (`MADV_DONTFORK`). For a moment it is let through.
#![allow(unsafe_code, reason = "advises the kernel about mappings")]

use std::{fs, io};

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::capture) struct Range {
    start: usize,
    end: usize,
}

/// The ranges that forked children do not get. The kernel walks all page tables for it: 150 ms at 1 GB, on a thread of ours.
pub(in crate::capture) fn kept_from_children() -> io::Result<Vec<Range>> {
    Ok(marked(&fs::read_to_string("/proc/self/smaps")?))
}

fn marked(smaps: &str) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut latest = None;
    for line in smaps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            ranges.extend(latest.take().filter(|_| flags.split_ascii_whitespace().any(|flag| flag == "dc")));
        } else if let Some((range, _)) = mapping(line) {
            latest = Some(range);
        }
    }
    ranges
}

/// The private anonymous mappings, in the order of their addresses.
fn private_anonymous(maps: &str) -> impl Iterator<Item = Range> {
    maps.lines().filter_map(|line| {
        let (range, rest) = mapping(line)?;
        let mut fields = rest.split_ascii_whitespace();
        let (access, inode, name) = (fields.next()?, fields.nth(2)?, fields.next());
        // Those with a name in brackets are the kernel's: stack, heap, vdso.
        let is_anonymous = inode == "0" && name.is_none_or(|name| name.starts_with("[anon"));
        (access.ends_with('p') && is_anonymous).then_some(range)
    })
}

/// `start-end rest`
fn mapping(line: &str) -> Option<(Range, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some((Range { start: number(start)?, end: number(end)? }, rest))
}

/// V8's heap, let through to the children that are forked until this is dropped.
#[derive(Debug)]
pub(super) struct LetThrough {
    /// To be kept from children again.
    again: Vec<Range>,
}

impl LetThrough {
    /// Lets all private anonymous memory through. `kept` is what [`kept_from_children`] found a moment ago.
    ///
    /// Only what is mapped just as it was then is kept from children again: what has been mapped in the place of something
    /// else since may be memory that they need. V8's newest pages so become visible to children, which costs them nothing
    /// but page tables.
    pub(super) fn open(kept: &[Range]) -> io::Result<Self> {
        let maps = fs::read_to_string("/proc/self/maps")?;
        let mut again = Vec::with_capacity(kept.len());
        for range in private_anonymous(&maps) {
            advise(range, libc::MADV_DOFORK);
            if kept.binary_search(&range).is_ok() {
                again.push(range);
            }
        }
        Ok(Self { again })
    }
}

impl Drop for LetThrough {
    fn drop(&mut self) {
        for &range in &self.again {
            advise(range, libc::MADV_DONTFORK);
        }
    }
}

/// What the kernel refuses (mappings of devices) is none of V8's.
fn advise(range: Range, advice: libc::c_int) {
    let address = std::ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: changes what children get, not what this process sees; of an address that is unmapped by now, nothing.
    unsafe { libc::madvise(address, range.end - range.start, advice) };
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
1000-3000 rw-p 00000000 00:00 0
Size:                  8 kB
VmFlags: rd wr mr mw me dc ac sd
3000-4000 r-xp 00001000 08:01 42                         /usr/bin/node
VmFlags: rd ex mr mw me sd
5000-6000 rw-p 00000000 00:00 0                          [heap]
VmFlags: rd wr mr mw me ac sd
7000-9000 ---p 00000000 00:00 0
VmFlags: mr mw me dc nr sd
";

    #[test]
    fn what_children_do_not_get_is_found() {
        assert_eq!(
            marked(SMAPS),
            [Range { start: 0x1000, end: 0x3000 }, Range { start: 0x7000, end: 0x9000 }]
        );
    }

    #[test]
    fn private_anonymous_memory_is_told_from_the_rest() {
        let maps = "\
1000-3000 rw-p 00000000 00:00 0
3000-4000 r-xp 00001000 08:01 42                         /usr/bin/node
4000-5000 rw-s 00000000 00:01 77                         /dev/zero (deleted)
5000-6000 rw-p 00000000 00:00 0                          [heap]
6000-7000 rw-s 00000000 00:00 0
7000-9000 ---p 00000000 00:00 0                          [anon:v8]
a000-b000 rw-p 00000000 00:05 9                          /memfd:x (deleted)
";
        let found: Vec<_> = private_anonymous(maps).map(|range| range.start).collect();
        assert_eq!(found, [0x1000, 0x7000]);
    }

    #[test]
    fn a_mark_is_taken_away_and_comes_back() {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // Room around it keeps the kernel from joining it to a neighbour.
        // SAFETY: a new mapping, anywhere.
        let room = unsafe { libc::mmap(std::ptr::null_mut(), 3 << 16, libc::PROT_NONE, kind, -1, 0) };
        assert_ne!(room, libc::MAP_FAILED);
        let start = room.expose_provenance() + (1 << 16);
        let range = Range { start, end: start + (1 << 16) };
        let inner = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: within the room, which nobody uses.
        let mapped = unsafe { libc::mmap(inner, 1 << 16, access, kind | libc::MAP_FIXED, -1, 0) };
        assert_eq!(mapped, inner);
        advise(range, libc::MADV_DONTFORK);

        let kept = kept_from_children().expect("readable");
        assert!(kept.contains(&range));
        let open = LetThrough::open(&kept).expect("readable");
        assert!(!kept_from_children().expect("readable").contains(&range));
        drop(open);
        assert!(kept_from_children().expect("readable").contains(&range));
    }
}
