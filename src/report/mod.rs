//! Reports for people.

mod difference;
mod query;
mod summary;
mod text;

pub use difference::difference;
pub use query::query;
pub use summary::summary;
pub use text::Page;
use text::{Text, size};
