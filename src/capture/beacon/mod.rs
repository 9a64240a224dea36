//! What an armed process says of itself to those who look from outside: that it handles the signal, where its files go, how far each
//! thread's snapshot is, and what became of the last ones.
//!
//! It stands in a memfd that `/proc/PID/fd` shows. There is one while a [`SignalGuard`](super::SignalGuard) holds it, and no
//! longer, so that who finds it knows that the signal is handled. `record` says what is in it, `layout` where, `memory` owns
//! the pages, and `board` is what the process writes from.
//!
//! Nothing here is for a signal handler. A forked copy of the process writes nothing and takes no lock, and who looks at it
//! finds a beacon with another process's id.

mod board;
mod layout;
mod memory;
mod record;

pub(super) use board::{Beacon, Signal, begun, ended, joined, left, moved, progress, requested};
pub use layout::RecordError;
pub(super) use layout::{LOCK, NAME, SIZE, decode};
pub(super) use record::{Answer, Record};
pub use record::{Identity, Stage, Thread, Written};
