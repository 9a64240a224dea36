//! What the forked child does: makes itself harmless, takes the snapshot, fills the file, exits.
//!
//! It has one thread, and memory as the others left it: no lock that one of them may have held is taken here, which leaves
//! V8's own (its workers were parked, and nobody else had the lock that isolates share), malloc's (glibc and jemalloc make
//! theirs usable in the child), and what is made here. Nothing that the host
//! has registered for its end runs: it leaves by `_exit`.

use std::{
    fs::{self, OpenOptions},
    os::fd::{AsRawFd, RawFd},
    ptr,
};

use super::{
    Order,
    task::{self, Task},
};
use crate::{
    capture::{packing::PackError, progress::Phase},
    measure::Bytes,
    v8::{HeapSnapshot, Isolate, SnapshotError, give_way_at_heap_limit},
};

/// It works after everybody else.
const NICE: i32 = 10;
/// Signals' numbers are below this.
const SIGNALS: i32 = 65;

pub(super) fn run(isolate: Isolate, order: &Order, parent: libc::pid_t) -> ! {
    // A panic must not unwind into the host's copy.
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| write(isolate, order, parent)));
    let code = match outcome {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            order.progress.fail(error.failure());
            1
        }
        Err(_) => 2,
    };
    // SAFETY: ends the child, without the host's handlers.
    unsafe { libc::_exit(code) }
}

fn write(isolate: Isolate, order: &Order, parent: libc::pid_t) -> Result<(), PackError> {
    settle(order, parent).map_err(PackError::Write)?;
    give_way_at_heap_limit();
    let progress = &order.progress;
    progress.enter(Phase::Collecting);
    let goes_on = &mut |done, total| progress.built(done, total) && is_child_of(parent);
    let snapshot =
        HeapSnapshot::take(isolate, task::numerics(&order.tasks), goes_on).map_err(|error| match error {
            SnapshotError::Aborted => PackError::Aborted,
            _ => PackError::Unavailable,
        })?;
    progress.set_nodes(snapshot.nodes());
    progress.enter(Phase::Writing);
    task::run_all(&order.tasks, snapshot, isolate, progress, parent)?;
    progress.enter(Phase::Syncing);
    Ok(())
}

/// Makes the child harmless.
fn settle(order: &Order, parent: libc::pid_t) -> std::io::Result<()> {
    if order.is_main_thread {
        // SAFETY: takes a number. It goes by the end of the thread that forked, hence not for Workers.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    }
    if !is_child_of(parent) {
        return Err(std::io::ErrorKind::NotFound.into());
    }
    reset_signals();
    bound(libc::RLIMIT_CORE, Bytes::ZERO);
    bound(libc::RLIMIT_DATA, Bytes::from_bytes(data_size().get() + order.memory.get()));
    // When memory runs out the kernel is to choose the child. None of these is worth giving up for.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let _ = fs::write("/proc/self/comm", "leakguard-child");
    // SAFETY: of this process only.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    let kept: Vec<RawFd> = order.tasks.iter().flat_map(Task::files).map(AsRawFd::as_raw_fd).collect();
    detach(&kept)
}

pub(super) fn is_child_of(parent: libc::pid_t) -> bool {
    // SAFETY: always succeeds.
    unsafe { libc::getppid() == parent }
}

fn reset_signals() {
    for signal in 1..SIGNALS {
        // A reader that is gone is an error of writing, not the end.
        let action = if signal == libc::SIGPIPE { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: takes numbers; those that cannot be set are refused.
        unsafe { libc::signal(signal, action) };
    }
    let mut none = std::mem::MaybeUninit::uninit();
    // SAFETY: fills the whole set.
    unsafe { libc::sigemptyset(none.as_mut_ptr()) };
    // SAFETY: the set is filled.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut()) };
}

/// Lowers a limit; one that is lower already stays. Root could raise it.
fn bound(resource: libc::__rlimit_resource_t, most: Bytes) {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: fills the structure, or leaves it.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    let least = limit.rlim_cur.min(limit.rlim_max).min(most.get());
    let limit = libc::rlimit { rlim_cur: least, rlim_max: least };
    // SAFETY: reads the structure.
    unsafe { libc::setrlimit(resource, &raw const limit) };
}

/// What counts against `RLIMIT_DATA` already (`proc_pid_status(5)`, VmData).
fn data_size() -> Bytes {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmData:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    Bytes::from_kib(kib.unwrap_or(0))
}

/// Puts `/dev/null` in the place of every descriptor but those `kept`: sockets close for their peers when the host closes them, pipes end,
/// and nothing that libuv believes to be open is closed.
fn detach(kept: &[RawFd]) -> std::io::Result<()> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|&fd| !kept.contains(&fd) && fd != null.as_raw_fd()) {
        // SAFETY: the copy takes the place of a descriptor that only the host's copies of objects know. The one that the folder was
        // read by is closed by now, and its number is given to the copy.
        unsafe { libc::dup2(null.as_raw_fd(), fd) };
    }
    Ok(())
}
