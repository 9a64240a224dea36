#![allow(unsafe_code, reason = "asks the system for a limit")]

use crate::measure::Bytes;

/// The process's limit for a file's size, where there is one.
pub(super) fn file_size_limit() -> Option<Bytes> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the structure.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
    (asked == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then(|| Bytes::from_bytes(limit.rlim_cur))
}
