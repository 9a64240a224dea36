//! Reports for people.

mod difference;
mod summary;
mod text;

pub use difference::difference;
pub use summary::summary;
pub use text::Page;
use text::{Text, size};
