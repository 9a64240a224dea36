//! The child as its parent sees it: watched until it exits, ended where it stands still, never left a zombie.

use std::{
    fs, io,
    mem::MaybeUninit,
    thread,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{
    capture::progress::{Failure, Phase, Progress},
    measure::Millis,
};

/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);
/// A child that uses no CPU and gives no sign of life for so long is stuck.
const STILL: Duration = Duration::from_secs(5);
/// While it writes it may wait for a slow disk.
const STILL_WRITING: Duration = Duration::from_secs(60);
/// A child that only uses CPU may walk something large; not for so long.
const SILENT: Duration = Duration::from_secs(120);

/// Why nothing came of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(in crate::capture) enum ChildError {
    /// It said so itself.
    #[error("the child failed")]
    Failed(Failure),
    /// It was stuck, and was ended.
    #[error("the child stood still while {}", .0.name())]
    Stuck(Phase),
    /// A signal ended it.
    #[error("the child was ended by signal {signal} while {}", phase.name())]
    Killed {
        /// The signal.
        signal: i32,
        /// What it was doing.
        phase: Phase,
    },
    /// It exited without a word.
    #[error("the child exited while {}", .0.name())]
    Exited(Phase),
    /// It was told to stop.
    #[error("the capture was aborted")]
    Aborted,
}

/// A forked child. Dropped before it has exited, it is killed.
#[derive(Debug)]
pub(in crate::capture) struct Child {
    pid: libc::pid_t,
    is_gone: bool,
    /// Once it is gone.
    cpu: Millis,
}

/// How a child ended.
enum End {
    Exited(i32),
    Killed(i32),
    /// Somebody else has waited for it.
    Unknown,
}

impl Child {
    /// The child of this number, which nobody else waits for.
    pub(super) const fn new(pid: libc::pid_t) -> Self {
        Self { pid, is_gone: false, cpu: Millis::ZERO }
    }

    /// Waits until its tasks are done, calling `look` from time to time; ends the child where that comes to nothing. Tells what it took of
    /// the CPU, too.
    pub(in crate::capture) fn watch(
        mut self,
        progress: &Progress,
        look: &dyn Fn(),
    ) -> (Millis, Result<(), ChildError>) {
        let outcome = self.wait(progress, look);
        self.end_now();
        (self.cpu, outcome)
    }

    fn wait(&mut self, progress: &Progress, look: &dyn Fn()) -> Result<(), ChildError> {
        let mut life = Life::begin(Instant::now());
        loop {
            if let Some(end) = self.end() {
                return verdict(&end, progress);
            }
            if progress.is_aborted() {
                return Err(ChildError::Aborted);
            }
            let phase = progress.reported().phase;
            if life.is_stuck(Instant::now(), phase, progress.beats(), || cpu_ticks(self.pid)) {
                return Err(ChildError::Stuck(phase));
            }
            look();
            thread::sleep(LOOK);
        }
    }

    /// How it ended, if it did.
    fn end(&mut self) -> Option<End> {
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: asks for a child of ours, which is not given to anybody else before we are answered.
        let answer = unsafe { libc::wait4(self.pid, &raw mut status, libc::WNOHANG, usage.as_mut_ptr()) };
        match answer {
            0 => return None,
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => return None,
            _ => self.is_gone = true,
        }
        // SAFETY: zeros are a value of it, and the call fills it where it answers.
        let usage = unsafe { usage.assume_init() };
        self.cpu = seconds(usage.ru_utime);
        self.cpu += seconds(usage.ru_stime);
        Some(if answer == -1 {
            End::Unknown
        } else if libc::WIFSIGNALED(status) {
            End::Killed(libc::WTERMSIG(status))
        } else {
            End::Exited(libc::WEXITSTATUS(status))
        })
    }
}

impl Child {
    /// Ends it where it has not ended.
    fn end_now(&mut self) {
        if self.is_gone {
            return;
        }
        // SAFETY: nobody has waited for it, so that the number is still the child's.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        while self.end().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end_now();
    }
}

fn seconds(time: libc::timeval) -> Millis {
    Millis::from_secs(time.tv_sec as f64 + time.tv_usec as f64 / 1e6)
}

fn verdict(end: &End, progress: &Progress) -> Result<(), ChildError> {
    let phase = progress.reported().phase;
    match (end, progress.failure()) {
        (_, Some(failure)) => Err(ChildError::Failed(failure)),
        // Where nobody tells how children end (SIGCHLD ignored), it is known by what it did last.
        (End::Exited(0) | End::Unknown, None) if phase == Phase::Syncing => Ok(()),
        (&End::Killed(signal), None) => Err(ChildError::Killed { signal, phase }),
        (End::Exited(_) | End::Unknown, None) => Err(ChildError::Exited(phase)),
    }
}

/// The signs of life of a child.
struct Life {
    beats: u64,
    beaten: Instant,
    ticks: u64,
    ticked: Instant,
}

impl Life {
    const fn begin(now: Instant) -> Self {
        Self { beats: 0, beaten: now, ticks: 0, ticked: now }
    }

    fn is_stuck(&mut self, now: Instant, phase: Phase, beats: u64, ticks: impl FnOnce() -> u64) -> bool {
        if beats != self.beats {
            (self.beats, self.beaten, self.ticked) = (beats, now, now);
            return false;
        }
        let ticks = ticks();
        if ticks != self.ticks {
            (self.ticks, self.ticked) = (ticks, now);
        }
        let patience = if phase == Phase::Writing { STILL_WRITING } else { STILL };
        now - self.ticked > patience || now - self.beaten > SILENT
    }
}

/// The CPU time of a process, in the kernel's ticks (`proc_pid_stat(5)`, utime and stime).
fn cpu_ticks(pid: libc::pid_t) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may contain anything; utime is the twelfth field behind it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_ascii_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(from: Instant, seconds: u64) -> Instant {
        from + Duration::from_secs(seconds)
    }

    #[test]
    fn a_child_that_beats_or_works_is_left_alone() {
        let start = Instant::now();
        let mut life = Life::begin(start);
        for second in 1..300 {
            assert!(!life.is_stuck(seconds(start, second), Phase::Building, second, || 0), "beats");
        }
        let start = seconds(start, 299);
        for second in 1..120 {
            assert!(!life.is_stuck(seconds(start, second), Phase::Collecting, 299, || second), "works");
        }
    }

    #[test]
    fn a_child_that_stands_still_is_stuck_sooner_than_one_that_waits_for_the_disk() {
        for (phase, patience) in [(Phase::Collecting, STILL), (Phase::Writing, STILL_WRITING)] {
            let start = Instant::now();
            let mut life = Life::begin(start);
            assert!(!life.is_stuck(start, phase, 1, || 7));
            assert!(!life.is_stuck(start + Duration::from_secs(1), phase, 1, || 8));
            let last = start + Duration::from_secs(1) + patience;
            assert!(!life.is_stuck(last, phase, 1, || 8));
            assert!(life.is_stuck(last + Duration::from_millis(1), phase, 1, || 8), "{phase:?}");
        }
    }

    #[test]
    fn a_child_that_works_without_a_word_for_ever_is_stuck() {
        let start = Instant::now();
        let mut life = Life::begin(start);
        let stuck = (1..1000).find(|&s| life.is_stuck(seconds(start, s), Phase::Building, 0, || s));
        assert_eq!(stuck, Some(SILENT.as_secs() + 1));
    }

    #[test]
    fn what_a_child_says_counts_more_than_how_it_ends() {
        let progress = Progress::new().expect("a page");
        assert_eq!(verdict(&End::Exited(0), &progress), Err(ChildError::Exited(Phase::Waiting)));
        let killed = ChildError::Killed { signal: 9, phase: Phase::Waiting };
        assert_eq!(verdict(&End::Killed(9), &progress), Err(killed));
        assert_eq!(verdict(&End::Unknown, &progress), Err(ChildError::Exited(Phase::Waiting)));
        progress.enter(Phase::Syncing);
        assert_eq!(verdict(&End::Exited(0), &progress), Ok(()));
        assert_eq!(verdict(&End::Unknown, &progress), Ok(()));
        progress.fail(Failure::TooLarge);
        assert_eq!(verdict(&End::Exited(1), &progress), Err(ChildError::Failed(Failure::TooLarge)));
    }

    #[test]
    #[expect(clippy::zombie_processes, reason = "our handle waits for it")]
    fn a_real_child_is_waited_for_and_killed_with_its_handle() {
        let spawn = |command: &str| {
            let mut shell = std::process::Command::new("sh");
            let child = shell.arg("-c").arg(command).spawn().expect("sh is there");
            Child::new(child.id() as libc::pid_t)
        };
        let progress = Progress::new().expect("a page");
        assert_eq!(spawn("exit 0").watch(&progress, &|| ()).1, Err(ChildError::Exited(Phase::Waiting)));
        assert_eq!(spawn("exit 3").watch(&progress, &|| ()).1, Err(ChildError::Exited(Phase::Waiting)));
        let killed = ChildError::Killed { signal: libc::SIGKILL, phase: Phase::Waiting };
        assert_eq!(spawn("kill -9 $$").watch(&progress, &|| ()).1, Err(killed));
        let sleeper = spawn("exec sleep 1000");
        let pid = sleeper.pid;
        progress.abort();
        assert_eq!(sleeper.watch(&progress, &|| ()).1, Err(ChildError::Aborted));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "no zombie");
    }
}
