//! Questions about single things in a snapshot: the classes, the objects of one, one object, who refers to it, what keeps it, what it
//! keeps, the global variables.

mod classes;
mod dominates;
mod globals;
mod object;
mod objects;
mod paths;
mod retainers;
mod thing;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Graph, Heap, preview::Previews};

pub use classes::{ClassRow, Classes};
pub use dominates::{Dominated, DominatedClass};
pub use globals::{Global, Globals, Variable};
pub use object::{ObjectDetails, Reference};
pub use objects::{Objects, PropertyFilter};
pub use paths::{Path, Paths, Step};
pub use retainers::{Retainer, Retainers};
pub use thing::Thing;

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Query {
    /// The classes whose name contains a text.
    Classes {
        /// None: all.
        name: Option<String>,
        /// So many objects at least.
        #[serde(default)]
        min_count: u64,
        /// So many bytes retained at least.
        #[serde(default)]
        min_size: u64,
    },
    /// The objects of a class.
    Objects {
        /// Its whole name.
        class: String,
        /// So many properties, elements or entries at least.
        #[serde(default)]
        min_count: u64,
        /// So many bytes retained at least.
        #[serde(default)]
        min_size: u64,
        /// A property that they have.
        property: Option<PropertyFilter>,
    },
    /// An object and what it refers to.
    Object {
        /// V8's.
        id: u32,
    },
    /// What refers to an object.
    Retainers {
        /// V8's.
        id: u32,
    },
    /// The ways from the root that keep an object.
    Paths {
        /// V8's.
        id: u32,
    },
    /// What would be free without an object.
    Dominates {
        /// V8's.
        id: u32,
    },
    /// Global variables.
    Globals {
        /// Also those that every program has.
        #[serde(default)]
        all: bool,
    },
}

/// Which rows of a long answer are wanted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Rows {
    /// So many at the most.
    pub rows: usize,
    /// So many are left out before.
    pub skip: usize,
}

impl Rows {
    fn of<T>(self, items: Vec<T>) -> impl Iterator<Item = T> {
        items.into_iter().skip(self.skip).take(self.rows)
    }
}

/// What the answer is.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Answer {
    /// To [`Query::Classes`].
    Classes(Classes),
    /// To [`Query::Objects`].
    Objects(Objects),
    /// To [`Query::Object`].
    Object(ObjectDetails),
    /// To [`Query::Retainers`].
    Retainers(Retainers),
    /// To [`Query::Paths`].
    Paths(Paths),
    /// To [`Query::Dominates`].
    Dominates(Dominated),
    /// To [`Query::Globals`].
    Globals(Globals),
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// No node has the id.
    #[error(
        "there is no object @{0} in this snapshot; take an id from what `query FILE objects CLASS` or `analyze` prints (ids of another snapshot are valid only if it is of the same process)"
    )]
    NoSuchId(u32),
}

impl Query {
    /// Answers from a heap.
    pub fn answer(&self, heap: &Heap, rows: Rows) -> Result<Answer, QueryError> {
        let reader = Reader { heap, graph: heap.graph(), previews: Previews::new(heap.graph()) };
        Ok(match self {
            Self::Classes { name, min_count, min_size } => {
                Answer::Classes(reader.classes(name.as_deref(), *min_count, *min_size, rows))
            }
            Self::Objects { class, min_count, min_size, property } => {
                Answer::Objects(reader.objects(class, *min_count, *min_size, property.as_ref(), rows))
            }
            Self::Object { id } => Answer::Object(reader.object(reader.node(*id)?, rows)),
            Self::Retainers { id } => Answer::Retainers(reader.retainers(reader.node(*id)?, rows)),
            Self::Paths { id } => Answer::Paths(reader.paths(reader.node(*id)?, rows)),
            Self::Dominates { id } => Answer::Dominates(reader.dominated(reader.node(*id)?, rows)),
            Self::Globals { all } => Answer::Globals(reader.globals(*all, rows)),
        })
    }
}

/// Looks things up.
struct Reader<'a> {
    heap: &'a Heap,
    graph: &'a Graph,
    previews: Previews<'a>,
}

impl Reader<'_> {
    fn node(&self, id: u32) -> Result<u32, QueryError> {
        self.graph.nodes().find(|&node| self.graph.id(node) == id).ok_or(QueryError::NoSuchId(id))
    }
}

#[cfg(test)]
mod tests;
