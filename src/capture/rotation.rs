use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::folder::{Folder, OwnFile};
use crate::measure::Bytes;

const SNAPSHOT_ENDINGS: [&str; 2] = [".leakguard.heapsnapshot", ".leakguard.heapsnapshot.gz"];
const REPORT_ENDING: &str = ".leakguard.json";

/// What snapshots may take up in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many snapshots; the one to come always counts as one.
    pub max_files: u32,
    /// How much they take together, with their reports.
    pub max_bytes: Bytes,
}

/// Removes the oldest of our snapshots in `dir`, so that one of `incoming` bytes more keeps to the limits; if it does
/// not by itself, all of them. Returns the files that are gone.
///
/// Ours are the regular files of our user with [`FileName`](super::FileName)'s names, from any process, each with
/// the report of the same name beside it.
pub fn rotate(dir: &Path, limits: &Limits, incoming: Bytes) -> io::Result<Vec<PathBuf>> {
    let folder = Folder::open(dir)?;
    let mut dumps = dumps(folder.own_files(|name| stem(name).is_some())?);
    dumps.sort_by_key(|dump| dump.age);
    let mut count = dumps.iter().map(|dump| dump.snapshots).sum::<usize>().saturating_add(1);
    let mut bytes = dumps.iter().map(|dump| dump.size).chain([incoming]).sum::<Bytes>();
    let mut removed = Vec::new();
    for dump in dumps {
        if count <= limits.max_files as usize && bytes <= limits.max_bytes {
            break;
        }
        for file in &dump.files {
            if folder.remove(file)? {
                removed.push(dir.join(&file.name));
            }
        }
        count -= dump.snapshots;
        bytes = bytes.saturating_sub(dump.size);
    }
    Ok(removed)
}

/// The files of one stem: a snapshot, perhaps a packed copy that someone made of it, perhaps a report.
#[derive(Debug)]
struct Dump {
    /// The moment in the name; then, as clocks go back and several are made in a second, that of the last change and
    /// the number that the process gave it.
    age: (u64, SystemTime, u64),
    snapshots: usize,
    size: Bytes,
    files: Vec<OwnFile>,
}

fn dumps(files: Vec<OwnFile>) -> Vec<Dump> {
    let mut by_stem = BTreeMap::<String, Vec<OwnFile>>::new();
    for file in files {
        if let Some((stem, ..)) = stem(&file.name) {
            by_stem.entry(stem.to_owned()).or_default().push(file);
        }
    }
    let dumps = by_stem.into_values().filter_map(|files| {
        let (_, time, sequence) = stem(&files.first()?.name)?;
        let snapshots: Vec<_> = files.iter().filter(|file| !file.name.ends_with(REPORT_ENDING)).collect();
        // A report whose snapshot is gone was kept by someone.
        let modified = snapshots.iter().map(|file| file.modified).max()?;
        let (age, snapshots) = ((time, modified, sequence), snapshots.len());
        Some(Dump { age, snapshots, size: files.iter().map(|file| file.size).sum(), files })
    });
    dumps.collect()
}

/// What a snapshot and its report have in common, with the moment and the sequence in it, where the whole name is one
/// of ours: `Heap.YYYYMMDD.HHMMSS.PID.TID.SEQ` before the ending.
fn stem(name: &str) -> Option<(&str, u64, u64)> {
    let stem =
        SNAPSHOT_ENDINGS.iter().chain([&REPORT_ENDING]).find_map(|ending| name.strip_suffix(ending))?;
    let fields: Vec<_> = stem.strip_prefix("Heap.")?.split('.').collect();
    let [date, time, pid, thread, sequence] = fields[..] else { return None };
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = date.len() == 8 && time.len() == 6 && sequence.len() >= 3;
    if !whole || ![date, time, pid, thread, sequence].iter().all(is_number) {
        return None;
    }
    let moment = date.parse::<u64>().ok()? * 1_000_000 + time.parse::<u64>().ok()?;
    Some((stem, moment, sequence.parse().ok()?))
}

#[cfg(test)]
mod tests;
