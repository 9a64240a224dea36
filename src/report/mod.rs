//! Reports for people.

mod text;

pub use text::{Page, summary};
