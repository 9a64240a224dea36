//! Reports for people.

mod difference;
mod heap_limit;
mod query;
mod summary;
mod text;

pub use difference::difference;
pub use heap_limit::{BEGINNING, HeapLimitReport, MajorGc, heap_limit};
pub use query::query;
pub use summary::summary;
pub use text::Page;
use text::{Text, size};
