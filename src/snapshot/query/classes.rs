use std::cmp::Reverse;

use serde::Serialize;

use super::{Reader, Rows};
use crate::snapshot::{ClassGroup, Place};

/// The classes that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Classes {
    /// How many there are.
    pub total: usize,
    /// Those of exactly that name first, then what retains most.
    pub classes: Vec<ClassRow>,
}

/// The objects of a class together. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassRow {
    /// Its name.
    pub name: String,
    /// Where its constructor is written, where V8 knows; two classes may have one name.
    pub location: Option<Place>,
    /// How many.
    pub count: u64,
    /// Their own sizes.
    pub shallow_size: u64,
    /// What would be free without all of them.
    pub retained_size: u64,
}

impl Reader<'_> {
    pub(super) fn classes(&self, name: Option<&str>, min_count: u64, min_size: u64, rows: Rows) -> Classes {
        let part = name.unwrap_or_default();
        let mut found: Vec<&ClassGroup> = self
            .heap
            .classes()
            .iter()
            .filter(|class| class.count >= min_count.max(1) && class.retained_size >= min_size)
            .filter(|class| class.name.contains(part))
            .collect();
        found.sort_by_key(|class| (Some(class.name.as_str()) != name, Reverse(class.retained_size)));
        Classes {
            total: found.len(),
            classes: rows
                .of(found)
                .map(|class| ClassRow {
                    name: class.name.clone(),
                    location: class.constructor.map(|place| {
                        self.previews.functions().place_of(
                            self.graph,
                            place.script_id,
                            place.line,
                            place.column,
                        )
                    }),
                    count: class.count,
                    shallow_size: class.shallow_size,
                    retained_size: class.retained_size,
                })
                .collect(),
        }
    }
}
