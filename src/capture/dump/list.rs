use std::{fs, path::PathBuf};

use super::{
    Refusal,
    proof::{Armed, folder_of},
};

/// A process that `dump` would signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmedProcess {
    /// Its id, as it is seen from here.
    pub pid: u32,
    /// The version of its leakguard.
    pub version: String,
    /// The signal it handles.
    pub signal: String,
    /// The folder for its files, as it sees it.
    pub dir: PathBuf,
    /// How many threads would be dumped.
    pub threads: usize,
    /// What it was started with.
    pub command: Vec<String>,
}

/// Who is armed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// By their ids.
    pub processes: Vec<ArmedProcess>,
    /// How many may not be looked into.
    pub hidden: usize,
}

/// Looks at every process that can be seen.
pub fn armed_processes() -> Result<Listing, Refusal> {
    let entries = fs::read_dir("/proc").map_err(|_| Refusal::NoProc)?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut pids: Vec<u32> = names.filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    let mut listing = Listing::default();
    for pid in pids {
        match Armed::prove(pid) {
            Ok(armed) => listing.processes.push(armed_process(&armed)),
            Err(Refusal::Hidden { .. }) => listing.hidden += 1,
            Err(error @ (Refusal::NoProc | Refusal::NoPidfd(_))) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(listing)
}

fn armed_process(armed: &Armed) -> ArmedProcess {
    let identity = &armed.record.identity;
    let command = fs::read(folder_of(armed.pid).join("cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command);
    ArmedProcess {
        pid: armed.pid,
        version: identity.version.clone(),
        signal: identity.signal_name.clone(),
        dir: identity.dir.clone(),
        threads: armed.record.threads.len(),
        command: command.trim_end_matches('\0').split('\0').map(str::to_owned).collect(),
    }
}
