use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use super::{
    Refusal,
    beacon_file::BeaconFile,
    diagnosis::why_no_beacon,
    maps::code_at,
    status::{Status, start_time},
};
use crate::capture::beacon::Record;

/// A process that is proven to handle the signal for leakguard.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) pid: u32,
    pidfd: OwnedFd,
    pub(super) beacon: BeaconFile,
    /// What it said when it was proven.
    pub(super) record: Record,
}

/// What the kernel says of a process. All of it is of the same one, as long as its pidfd is alive afterwards.
struct Evidence {
    status: Status,
    start_time: u64,
    maps: String,
}

impl Armed {
    /// Looks, and sends nothing.
    pub(super) fn prove(pid: u32) -> Result<Self, Refusal> {
        // Whose ids these are; else /proc/PID may be someone else.
        if fs::read_link("/proc/self").ok() != Some(PathBuf::from(process::id().to_string())) {
            return Err(Refusal::NoProc);
        }
        // First of all: from here on nobody can take the process's place.
        let pidfd = open_pidfd(pid)?;
        let looked = Self::look(pid);
        if ends_within(&pidfd, Duration::ZERO) {
            return Err(Refusal::Ended(pid));
        }
        looked.map(|(beacon, record)| Self { pid, pidfd, beacon, record })
    }

    fn look(pid: u32) -> Result<(BeaconFile, Record), Refusal> {
        let status = read_status(pid)?;
        match status.state {
            'Z' | 'X' => return Err(Refusal::Zombie(pid)),
            'T' | 't' => return Err(Refusal::Suspended(pid)),
            _ => {}
        }
        let hidden = |source| hidden(pid, Some(&status), source);
        let folder = folder_of(pid);
        let beacons = BeaconFile::find_all(&folder.join("fd")).map_err(hidden)?;
        // Where there are several, two copies of leakguard are loaded.
        let mut refusal = None;
        for beacon in beacons {
            let verdict = beacon
                .read()
                .map_err(|source| Refusal::Beacon { pid, source })
                .and_then(|record| check(pid, &record, &Evidence::of(pid)?).map(|()| record));
            match verdict {
                Ok(record) => return Ok((beacon, record)),
                Err(error) => refusal = Some(error),
            }
        }
        match refusal {
            Some(refusal) => Err(refusal),
            None => Err(why_no_beacon(pid, &status)?),
        }
    }

    /// Sends the signal that it handles, after one more look, which it returns. What is left to chance is that the process gives its
    /// handler back in the microseconds between.
    pub(super) fn signal(&self) -> Result<Record, Refusal> {
        let sent = self.look_and_signal();
        if sent.is_err() && self.ends_within(Duration::ZERO) { Err(Refusal::Ended(self.pid)) } else { sent }
    }

    fn look_and_signal(&self) -> Result<Record, Refusal> {
        let pid = self.pid;
        let record = self.beacon.read().map_err(|source| Refusal::Beacon { pid, source })?;
        let name = || record.identity.signal_name.clone();
        let signal = Signal::from_named_raw(record.identity.signal)
            .ok_or_else(|| Refusal::NotCaught { pid, signal: name() })?;
        if !self.beacon.is_held() {
            return Err(Refusal::Stopped(pid));
        }
        check(pid, &record, &Evidence::of(pid)?)?;
        pidfd_send_signal(&self.pidfd, signal).map_err(|error| Refusal::Send {
            pid,
            signal: name(),
            source: error.into(),
        })?;
        Ok(record)
    }

    /// Waits for as long for its end; true if it came.
    pub(super) fn ends_within(&self, patience: Duration) -> bool {
        ends_within(&self.pidfd, patience)
    }
}

impl Evidence {
    fn of(pid: u32) -> Result<Self, Refusal> {
        let folder = folder_of(pid);
        let read = |name| fs::read(folder.join(name)).map_err(|source| hidden(pid, None, source));
        let maps = String::from_utf8_lossy(&read("maps")?).into_owned();
        let start_time = start_time(&read("stat")?).ok_or(Refusal::NoProc)?;
        // Last, to be the latest.
        Ok(Self { maps, start_time, status: read_status(pid)? })
    }
}

/// Whether a beacon is that of this process, and its signal is handled by the addon.
fn check(pid: u32, record: &Record, evidence: &Evidence) -> Result<(), Refusal> {
    let Record { identity, .. } = record;
    let Evidence { status, start_time, maps } = evidence;
    if identity.pid != status.inner_pid || identity.start_time != *start_time {
        return Err(Refusal::Copy { pid, other: identity.pid });
    }
    if !identity.open {
        return Err(Refusal::Stopped(pid));
    }
    if code_at(maps, identity.handler).is_none() {
        return Err(Refusal::NotMapped(pid));
    }
    if !status.catches(identity.signal) {
        return Err(Refusal::NotCaught { pid, signal: identity.signal_name.clone() });
    }
    Ok(())
}

pub(super) fn folder_of(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

fn read_status(pid: u32) -> Result<Status, Refusal> {
    let text = fs::read(folder_of(pid).join("status")).map_err(|source| hidden(pid, None, source))?;
    Status::parse(&text).ok_or(Refusal::NoProc)
}

fn hidden(pid: u32, status: Option<&Status>, source: io::Error) -> Refusal {
    let owner = status.map(|status| format!(" of user {}", status.uid)).unwrap_or_default();
    Refusal::Hidden { pid, owner, source }
}

fn open_pidfd(pid: u32) -> Result<OwnedFd, Refusal> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Refusal::NoProcess(pid))?;
    pidfd_open(raw, PidfdFlags::empty()).map_err(|error| {
        let process = read_status(pid).ok().map(|status| status.tgid).filter(|&process| process != pid);
        match (error, process) {
            // What the kernel says to a thread's id depends on its version.
            (Errno::INVAL | Errno::NOENT | Errno::SRCH, Some(process)) => {
                Refusal::Thread { thread: pid, process }
            }
            (Errno::SRCH, None) => Refusal::NoProcess(pid),
            (error, _) => Refusal::NoPidfd(error.into()),
        }
    })
}

fn ends_within(pidfd: &OwnedFd, patience: Duration) -> bool {
    let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
    let timeout = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
    // A pidfd can be read once the process has ended.
    poll(&mut polled, Some(&timeout)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests;
