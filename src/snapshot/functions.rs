use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{Graph, NodeType};

/// A place in a script, as stacks name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The script's path or URL; empty where V8 does not say.
    pub script_name: String,
    /// From 1.
    pub line_number: u32,
    /// From 1.
    pub column_number: u32,
}

/// Where functions are written.
#[derive(Clone, Debug)]
pub(super) struct Functions {
    shared: Option<u32>,
    script: Option<u32>,
    /// By V8's number for a script, the node that has its name.
    scripts: FxHashMap<u32, u32>,
}

impl Functions {
    pub(super) fn find(graph: &Graph) -> Self {
        let script = graph.strings.find("script_or_debug_info").or_else(|| graph.strings.find("script"));
        let mut functions =
            Self { shared: graph.strings.find("shared"), script, scripts: FxHashMap::default() };
        for location in &graph.locations {
            if let Some(script) = functions.script(graph, location.node) {
                functions.scripts.entry(location.script_id).or_insert(script);
            }
        }
        functions
    }

    /// What all closures of the same function share.
    pub(super) fn shared(&self, graph: &Graph, closure: u32) -> Option<u32> {
        graph.internal(closure, self.shared).filter(|_| graph.node_type(closure) == NodeType::Closure)
    }

    /// V8's bare name of a function, of which this is what its closures share.
    pub(super) fn name(&self, graph: &Graph, shared: Option<u32>) -> String {
        let name = shared.map(|shared| graph.strings.get(graph.name(shared)));
        // What has no name is called by V8's words for its code.
        name.filter(|name| !name.is_empty() && !name.starts_with('('))
            .map_or_else(|| "(anonymous)".into(), Into::into)
    }

    /// Whether a function is written in JavaScript.
    pub(super) fn has_script(&self, graph: &Graph, shared: u32) -> bool {
        graph.internal(shared, self.script).is_some_and(|script| graph.node_type(script) == NodeType::Code)
    }

    /// Whether a function, of which this is what its closures share, is written neither in Node nor in V8.
    pub(super) fn is_of_the_program(&self, graph: &Graph, shared: u32) -> bool {
        let script =
            graph.internal(shared, self.script).map(|script| graph.strings.bytes(graph.name(script)));
        script.is_some_and(|name| {
            !name.is_empty() && !name.starts_with(b"node:") && !name.starts_with(b"internal/")
        })
    }

    /// Where a function or an object's constructor is written, where V8 knows.
    pub(super) fn place(&self, graph: &Graph, node: u32) -> Option<Place> {
        let location = graph.location(node)?;
        Some(self.place_of(graph, location.script_id, location.line, location.column))
    }

    /// A place by V8's numbers.
    pub(super) fn place_of(&self, graph: &Graph, script_id: u32, line: u32, column: u32) -> Place {
        let script = self.scripts.get(&script_id);
        Place {
            script_name: script
                .map_or_else(String::new, |&script| graph.strings.get(graph.name(script)).into_owned()),
            line_number: line.saturating_add(1),
            column_number: column.saturating_add(1),
        }
    }

    fn script(&self, graph: &Graph, closure: u32) -> Option<u32> {
        let shared = self.shared(graph, closure)?;
        graph.internal(shared, self.script).filter(|&script| graph.node_type(script) == NodeType::Code)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let script = if self.script_name.is_empty() { "(unknown script)" } else { &self.script_name };
        write!(formatter, "{script}:{}", self.line_number)
    }
}
