use std::io;

use thiserror::Error;

use crate::capture::beacon::RecordError;

/// Why a process is not sent a signal.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Nobody has this id.
    #[error("there is no process {0}; `leakguard dump` lists those that are armed")]
    NoProcess(u32),
    /// A thread has this id.
    #[error("{thread} is a thread of process {process}: give {process}")]
    Thread {
        /// The id that was given.
        thread: u32,
        /// The process.
        process: u32,
    },
    /// It has ended, and its parent has not noticed.
    #[error("process {0} has ended, and only waits for its parent to take note (a zombie)")]
    Zombie(u32),
    /// Someone has stopped it.
    #[error(
        "process {0} is stopped and cannot answer; continue it (kill -CONT {0}, or leave the debugger) first"
    )]
    Suspended(u32),
    /// It ended while it was looked at.
    #[error("process {0} has ended")]
    Ended(u32),
    /// Another user's, or hidden otherwise.
    #[error(
        "process {pid}{owner} may not be looked into: {source}; run this command as its user, or as root with the \
         capability SYS_PTRACE (a process that has changed its user takes that, too)"
    )]
    Hidden {
        /// The process.
        pid: u32,
        /// ` of user ID`, where that is known.
        owner: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody could be told from anybody.
    #[error(
        "/proc is missing or is that of another namespace of process ids: run this command where `ps` shows the process"
    )]
    NoProc,
    /// Without it a signal may reach another process than was looked at.
    #[error("the system gives no pidfd: {0}; it takes Linux 5.3, and a sandbox that allows pidfd_open")]
    NoPidfd(io::Error),
    /// It has none of leakguard in it.
    #[error(
        "process {pid}{what} does not have leakguard loaded{hint}. A running process cannot be armed: start it with \
         `node --require leakguard APP.js` (or NODE_OPTIONS='--require leakguard')"
    )]
    NotLoaded {
        /// The process.
        pid: u32,
        /// Its program in brackets.
        what: String,
        /// More that is known.
        hint: String,
    },
    /// Loaded, but it handles no signal.
    #[error("process {pid} has leakguard loaded, but handles no signal for it: {why}")]
    NotArmed {
        /// The process.
        pid: u32,
        /// Why, and the remedy.
        why: String,
    },
    /// The signal has just been given back.
    #[error(
        "leakguard was stopped in process {0} (leakguard.stop(), or it is ending); start() arms it again"
    )]
    Stopped(u32),
    /// What it says of itself cannot be read.
    #[error("what process {pid} says of itself cannot be used: {source}")]
    Beacon {
        /// The process.
        pid: u32,
        /// What is wrong.
        source: RecordError,
    },
    /// A fork of an armed process, or a process that has taken the id of one.
    #[error(
        "process {pid} has the beacon of another process, {other} in its own numbering, of which it is a copy: only \
         that one is armed"
    )]
    Copy {
        /// The process.
        pid: u32,
        /// Whose beacon it is.
        other: u32,
    },
    /// The handler's code is not there.
    #[error("process {0} says that it is armed, but leakguard's addon is not mapped into it")]
    NotMapped(u32),
    /// The signal would do what it does without a handler.
    #[error(
        "process {pid} says that it is armed, but does not handle {signal}: someone has taken the handler away; \
         start it anew"
    )]
    NotCaught {
        /// The process.
        pid: u32,
        /// The signal's name.
        signal: String,
    },
    /// The system does not let us.
    #[error("process {pid} cannot be sent {signal}: {source}; run this command as its user or as root")]
    Send {
        /// The process.
        pid: u32,
        /// The signal's name.
        signal: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Refusal {
    /// The stable code that JavaScript sees.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoProcess(_) | Self::Zombie(_) | Self::Ended(_) | Self::Thread { .. } => {
                "ERR_LEAKGUARD_NO_PROCESS"
            }
            Self::Hidden { .. } | Self::Send { .. } => "ERR_LEAKGUARD_PERMISSION",
            Self::NoProc | Self::NoPidfd(_) => "ERR_LEAKGUARD_UNAVAILABLE",
            _ => "ERR_LEAKGUARD_NOT_ARMED",
        }
    }
}
