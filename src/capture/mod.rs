//! When, where and how a snapshot is written.
//!
//! A signal goes: handler -> eventfd -> helper thread -> every [`Member`] isolate, each by an interrupt (which
//! also comes through while JavaScript spins) and by a call to its event loop; whichever is first claims
//! the request and writes the file.
#![deny(unsafe_code)]

mod disk;
mod error;
mod file;
mod folder;
mod folder_lock;
mod helper;
mod in_process;
mod limit;
mod member;
mod room;
mod rotation;
mod signal;
mod temporary;

pub use disk::Disk;
pub use error::CaptureError;
pub use file::{Compression, FileName, Target};
pub use folder_lock::FolderLock;
pub use helper::{Helper, Job};
pub use in_process::{Captured, Turn, write};
pub use member::{Member, Outcome, Settings, tidy_up};
pub use room::{Estimate, Limiter, Room};
pub use rotation::{Limits, rotate};
pub use signal::{SignalError, SignalGuard};
