//! When, where and how a snapshot is written.
//!
//! A signal goes: handler -> eventfd -> helper thread -> every [`Member`] isolate. A snapshot has a thread of its own, which
//! waits for its turn and reaches the isolate's thread by visits, each by an interrupt (which also comes through while
//! JavaScript spins) and by a call to its event loop: to park V8's workers, and to fork. The child fills the file; the
//! thread watches it, and gives the file its name. What comes of it also goes to the `beacon`, for [`dump`] in another process.
#![deny(unsafe_code)]

mod beacon;
mod course;
mod disk;
pub mod dump;
mod error;
mod evidence;
mod file;
mod folder;
mod folder_lock;
mod fork;
mod forking;
mod helper;
mod in_process;
mod limit;
mod member;
mod packing;
mod progress;
mod request;
mod room;
mod rotation;
mod signal;
mod temporary;
mod turn;

pub use course::admit_in_process;
pub use disk::Disk;
pub use error::CaptureError;
pub use evidence::{Exhibit, Inspected, Inspection, InspectionCost};
pub use file::{Compression, FileName, Target};
pub use folder_lock::FolderLock;
pub use helper::{Helper, Job};
pub use member::{Member, Outcome, Reach};
pub use packing::Packing;
pub use progress::{Phase, Progress, Reported};
pub use request::{Asker, Captured, Mode, Request, Settings};
pub use room::{Estimate, Limiter, Room};
pub use rotation::{Limits, rotate};
pub use signal::{SignalError, SignalGuard};
pub use turn::Turn;
