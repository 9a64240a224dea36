//! The signal handler. In it only what `signal-safety(7)` allows: atomics, `write`, `sigaction`, `kill`, and the
//! handler that was there before us.
#![allow(unsafe_code, reason = "installs a signal handler")]

use std::{
    ffi::{c_int, c_void},
    fs::File,
    io::{self, Read},
    mem::{ManuallyDrop, MaybeUninit},
    os::fd::{FromRawFd, RawFd},
    ptr,
    sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering},
};

use once_cell::sync::OnceCell;
use thiserror::Error;

use super::beacon::{self, Beacon};

/// An eventfd that wakes the helper thread. Never closed: a handler in flight may still write to it.
static DOORBELL: OnceCell<RawFd> = OnceCell::new();
/// The same for the handler; -1 until there is one.
static HANDLER_FD: AtomicI32 = AtomicI32::new(-1);
/// Signals that the helper has not seen yet.
static RECEIVED: AtomicU32 = AtomicU32::new(0);
/// Whether the handler passes signals to the helper; otherwise it only chains.
static LISTENING: AtomicBool = AtomicBool::new(false);
/// Whether a signal that the process sends itself is meant to end it.
static SELF_ENDS: AtomicBool = AtomicBool::new(false);
/// Whether the latest signal came from the process itself.
static FROM_SELF: AtomicBool = AtomicBool::new(false);
/// What was installed before us; leaked at each installation, as a handler in flight may read it.
static PREVIOUS: AtomicPtr<libc::sigaction> = AtomicPtr::new(ptr::null_mut());

/// Why the handler could not be installed.
#[derive(Debug, Error)]
pub enum SignalError {
    /// The system refused.
    #[error("the system does not let signal {0} be handled: {1}")]
    Refused(c_int, io::Error),
    /// Another guard holds it.
    #[error("leakguard already handles a signal in this process")]
    Taken,
}

/// The installed handler; dropping it puts back what was there before.
#[derive(Debug)]
pub struct SignalGuard {
    signal: c_int,
    /// Shows others that the signal is handled. None where there is no room for one.
    beacon: Option<Beacon>,
}

impl SignalGuard {
    /// Puts our handler before the one that is there, which goes on being called. `name` is the signal's.
    pub fn install(signal: c_int, name: String) -> Result<Self, SignalError> {
        let doorbell = Doorbell::of_process().map_err(|error| SignalError::Refused(signal, error))?;
        if LISTENING.swap(true, Ordering::AcqRel) {
            return Err(SignalError::Taken);
        }
        HANDLER_FD.store(doorbell.0, Ordering::Release);
        let mut guard = Self { signal, beacon: None };
        guard.reinstall()?;
        // Not before the signal is handled, and no longer.
        let handler = on_signal as *const () as usize;
        guard.beacon = Beacon::light(beacon::Signal { number: signal, name, handler });
        Ok(guard)
    }

    /// Puts our handler back on top after a runtime that does not chain has replaced it.
    pub fn reinstall(&self) -> Result<(), SignalError> {
        let present = current(self.signal).map_err(|error| SignalError::Refused(self.signal, error))?;
        if is_ours(&present) {
            return Ok(());
        }
        PREVIOUS.store(Box::into_raw(Box::new(present)), Ordering::Release);
        let mut action = present;
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        set(self.signal, &action).map_err(|error| SignalError::Refused(self.signal, error))
    }

    /// Whether a signal that the process sends itself from now on ends it, as it would without any handler.
    pub fn set_self_ends(&self, ends: bool) {
        SELF_ENDS.store(ends, Ordering::Release);
    }

    /// Whether the latest signal came from the process itself.
    pub fn was_from_self(&self) -> bool {
        FROM_SELF.load(Ordering::Acquire)
    }
}

impl Drop for SignalGuard {
    fn drop(&mut self) {
        drop(self.beacon.take());
        LISTENING.store(false, Ordering::Release);
        SELF_ENDS.store(false, Ordering::Release);
        // Someone who has put a handler on top of ours may call it: it then passes on, and does nothing else.
        if current(self.signal).is_ok_and(|present| is_ours(&present)) {
            let previous = PREVIOUS.load(Ordering::Acquire);
            // SAFETY: set by `reinstall`, never freed.
            if let Some(previous) = unsafe { previous.as_ref() } {
                let _ = set(self.signal, previous);
            }
        }
    }
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == on_signal as *const () as usize
}

fn current(signal: c_int) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::uninit();
    // SAFETY: asks only; the kernel fills the whole structure when it answers 0.
    if unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: filled, see above.
    Ok(unsafe { action.assume_init() })
}

fn set(signal: c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the structure is whole, and its handler lives as long as the process: the addon is never unmapped.
    match unsafe { libc::sigaction(signal, action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the address of this thread's errno, which a handler has to leave as it was.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    if LISTENING.load(Ordering::Acquire) {
        // SAFETY: the kernel passes the signal's information.
        let from_self = unsafe { is_from_self(info) };
        FROM_SELF.store(from_self, Ordering::Release);
        if from_self && SELF_ENDS.load(Ordering::Acquire) {
            end_by(signal);
        } else {
            RECEIVED.fetch_add(1, Ordering::AcqRel);
            Doorbell(HANDLER_FD.load(Ordering::Acquire)).ring();
        }
    }
    let previous = PREVIOUS.load(Ordering::Acquire);
    // SAFETY: set by `reinstall` before the handler was, never freed.
    if let Some(previous) = unsafe { previous.as_ref() } {
        // SAFETY: a handler that was installed for this signal, called as the kernel would.
        unsafe { call(previous, signal, info, context) };
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

/// # Safety
/// `info` is null or what the kernel passed to the handler.
unsafe fn is_from_self(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the caller's duty.
    let Some(info) = (unsafe { info.as_ref() }) else { return false };
    // SAFETY: signals by `kill`, the only ones with this code, carry the sender.
    let sender = (info.si_code == libc::SI_USER).then(|| unsafe { info.si_pid() });
    // SAFETY: always succeeds.
    sender == Some(unsafe { libc::getpid() })
}

/// Has the signal do what it does without a handler, once this handler has returned.
fn end_by(signal: c_int) {
    let Ok(mut action) = current(signal) else { return };
    action.sa_sigaction = libc::SIG_DFL;
    action.sa_flags = 0;
    if set(signal, &action).is_ok() {
        // SAFETY: always succeeds.
        let own = unsafe { libc::getpid() };
        // SAFETY: sends to this process only; the signal is blocked until the handler returns.
        unsafe { libc::kill(own, signal) };
    }
}

/// # Safety
/// `action` was in force for `signal`, and `info` and `context` come from the kernel.
unsafe fn call(action: &libc::sigaction, signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    type WithInfo = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    type Plain = extern "C" fn(c_int);
    let handler = action.sa_sigaction;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        return;
    }
    if action.sa_flags & libc::SA_SIGINFO != 0 {
        // SAFETY: the flag says that the address is a function of this type.
        let handler = unsafe { std::mem::transmute::<usize, WithInfo>(handler) };
        handler(signal, info, context);
    } else {
        // SAFETY: without the flag it is one of this type.
        let handler = unsafe { std::mem::transmute::<usize, Plain>(handler) };
        handler(signal);
    }
}

/// How many signals came since the last call.
pub(super) fn take_received() -> u32 {
    RECEIVED.swap(0, Ordering::AcqRel)
}

/// Keeps every signal away from this thread: they belong to the threads of the host.
pub(super) fn block_all() {
    let mut all = MaybeUninit::uninit();
    // SAFETY: fills the whole set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: the set is filled; no old set is asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), ptr::null_mut()) };
}

/// Wakes the helper thread; may be rung from a signal handler.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doorbell(RawFd);

impl Doorbell {
    /// The one of this process, made at first use.
    pub(super) fn of_process() -> io::Result<Self> {
        DOORBELL
            .get_or_try_init(|| {
                // SAFETY: makes a new descriptor.
                match unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) } {
                    -1 => Err(io::Error::last_os_error()),
                    fd => Ok(fd),
                }
            })
            .map(|&fd| Self(fd))
    }

    pub(super) fn ring(self) {
        let one = 1_u64;
        // SAFETY: eight bytes of a live variable; an eventfd takes 2^64 - 2 rings before it would block.
        unsafe { libc::write(self.0, (&raw const one).cast(), size_of::<u64>()) };
    }

    /// Waits for a ring; false when there will be none any more.
    pub(super) fn wait(self) -> bool {
        // SAFETY: the descriptor is open for the life of the process, and `ManuallyDrop` keeps it so.
        let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(self.0) });
        file.read_exact(&mut [0; size_of::<u64>()]).is_ok()
    }
}
