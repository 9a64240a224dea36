//! Where a thing hangs, said as a person would: the cheapest way from a root, in words.

mod costs;
mod labels;
mod names;
mod scopes;

pub(super) use labels::{is_global, is_store_edge, label, place_of};

use super::{EdgeType, Graph, NodeType, ROOT};
use costs::{cheapest, step_cost};
use labels::{is_module, is_storage, key_label, key_of};
use names::{Names, is_among};
use scopes::Scopes;

/// No way, or no edge.
const NONE: u32 = u32::MAX;
/// What a store of AsyncLocalStorage is to whom it was handed on.
const STORE: &str = "AsyncLocalStorage store";

/// The cheapest way to every node.
#[derive(Debug)]
pub(super) struct Ways {
    /// By node, the last edge of the way.
    edges: Vec<u32>,
    scopes: Scopes,
    names: Names,
}

impl Ways {
    pub(super) fn new(graph: &Graph) -> Self {
        let names = Names::find(graph);
        Self { edges: cheapest(graph, names), scopes: Scopes::find(graph, names), names }
    }

    /// The edges from a root to the node.
    fn to(&self, graph: &Graph, node: u32) -> Vec<u32> {
        let mut way = Vec::new();
        let mut at = node;
        while at != ROOT && self.edges[at as usize] != NONE {
            let edge = self.edges[at as usize];
            way.push(edge);
            at = graph.source(edge);
        }
        way.reverse();
        way
    }

    /// The way in words, beginning at the module, the function or the root that it goes out from.
    pub(super) fn path(&self, graph: &Graph, node: u32) -> Vec<String> {
        self.words(graph, &self.to(graph, node), node)
    }

    /// What a step along an edge costs.
    pub(super) fn cost(&self, graph: &Graph, source: u32, edge: u32) -> usize {
        step_cost(graph, self.names, source, edge)
    }

    /// A way from a root to the node in words.
    pub(super) fn words(&self, graph: &Graph, way: &[u32], node: u32) -> Vec<String> {
        // The last scope on the way says where we are better than what leads to it.
        let anchor = way.iter().rposition(|&edge| self.is_anchor(graph, graph.source(edge))).unwrap_or(0);
        let mut path = Vec::new();
        let Some(&first) = way.get(anchor) else { return vec![label(graph, node)] };
        path.push(self.anchor(graph, graph.source(first)));
        for at in anchor..way.len() {
            self.step(graph, &way[..=at], &mut path);
        }
        collapsed(path)
    }

    /// The last edge of the way to a node; none where no way leads there.
    pub(super) fn last_edge(&self, node: u32) -> Option<u32> {
        Some(self.edges[node as usize]).filter(|&edge| edge != NONE)
    }

    /// What the closures of the function share whose variables a scope has, where V8 still knows it.
    pub(super) fn owner(&self, graph: &Graph, scope: u32) -> Option<u32> {
        let scope_info = graph.internal(scope, self.names.scope_info)?;
        self.scopes.owners.get(&scope_info).copied()
    }

    /// The same of a function that knows the file: where V8 has thrown away what it knows of the scope's, one written in it.
    pub(super) fn witness(&self, graph: &Graph, scope: u32) -> Option<u32> {
        self.owner(graph, scope).or_else(|| self.scopes.inner.get(&scope).copied())
    }

    /// A closure of a function.
    pub(super) fn closure(&self, shared: u32) -> Option<u32> {
        self.scopes.closures.get(&shared).copied()
    }

    /// Whether ways are told from here on.
    pub(super) fn is_anchor(&self, graph: &Graph, node: u32) -> bool {
        graph.is_context(node)
            || graph.node_type(node) == NodeType::Synthetic
            || is_global(graph, node)
            || is_module(graph, node)
            || self.is_named(graph, node, self.names.source_text_module)
    }

    fn is_named(&self, graph: &Graph, node: u32, name: Option<u32>) -> bool {
        name == Some(graph.name(node))
    }

    /// A module, a function's scope or a root, in words.
    pub(super) fn anchor(&self, graph: &Graph, node: u32) -> String {
        if is_global(graph, node) {
            return "globalThis".into();
        }
        if is_module(graph, node)
            && let Some(file) = graph.named(node, b"filename")
        {
            return format!("module {}", graph.strings.get(graph.name(file)));
        }
        if self.is_named(graph, node, self.names.source_text_module)
            && let Some(file) = self.file_of_module(graph, node)
        {
            return format!("module {file}");
        }
        if !graph.is_context(node) {
            return label(graph, node);
        }
        let owner = self.owner(graph, node);
        let file = self
            .witness(graph, node)
            .and_then(|function| graph.internal(function, self.names.script))
            .map(|script| graph.strings.get(graph.name(script)))
            .filter(|file| !file.is_empty());
        let name = owner.map(|owner| graph.strings.get(graph.name(owner)));
        let name = name.filter(|name| !name.is_empty() && !name.starts_with('('));
        let is_outermost =
            graph.internal(node, self.names.previous).is_none_or(|previous| !graph.is_context(previous));
        match (name, file) {
            (None, Some(file)) if is_outermost => format!("module {file}"),
            (name, file) => {
                let line = owner
                    .and_then(|owner| self.closure(owner))
                    .and_then(|closure| graph.location(closure))
                    .map(|location| format!(":{}", location.line + 1));
                let name = match (name, owner) {
                    (Some(name), _) => format!("{name}()"),
                    (None, Some(_)) => "anonymous function".into(),
                    (None, None) => "a scope".into(),
                };
                file.map_or_else(
                    || name.clone(),
                    |file| format!("{name} ({file}{})", line.unwrap_or_default()),
                )
            }
        }
    }

    /// The file of an ES module: its code is that of a function or, once it runs, of a generator.
    fn file_of_module<'a>(&self, graph: &'a Graph, module: u32) -> Option<std::borrow::Cow<'a, str>> {
        graph.edges(module).map(|edge| graph.target(edge)).find_map(|code| {
            let function = graph.named(code, b"function").unwrap_or(code);
            let shared = graph.internal(function, self.names.shared).unwrap_or(function);
            let script = graph.internal(shared, self.names.script)?;
            Some(graph.strings.get(graph.name(script))).filter(|file| !file.is_empty())
        })
    }

    /// The name by which an ES module exports what a cell holds.
    fn export_name(&self, graph: &Graph, module: u32, cell: u32) -> Option<u32> {
        let tables = graph.edges(module).map(|edge| graph.target(edge));
        tables.filter(|&table| graph.node_type(table) == NodeType::Array).find_map(|table| {
            let edge = graph.edges(table).find(|&edge| graph.target(edge) == cell)?;
            let name = key_of(graph, edge).filter(|&name| graph.node_type(name) == NodeType::String)?;
            Some(graph.name(name))
        })
    }

    /// What the last edge of a way adds to the path.
    fn step(&self, graph: &Graph, way: &[u32], path: &mut Vec<String>) {
        let Some((&edge, before)) = way.split_last() else { return };
        let (source, target) = (graph.source(edge), graph.target(edge));
        let name = Some(graph.edge_name(edge));
        let is_part_of_module = |node| self.is_named(graph, node, self.names.source_text_module);
        if is_part_of_module(source) || self.is_named(graph, target, self.names.cell) {
            return;
        }
        if self.is_named(graph, source, self.names.cell) {
            let module = before.iter().map(|&edge| graph.source(edge)).rfind(|&node| is_part_of_module(node));
            let export = module.and_then(|module| self.export_name(graph, module, source));
            let export = export.map_or_else(|| "export".into(), |name| graph.strings.get(name));
            path.push(format!("{export} :{}", label(graph, target)));
            return;
        }
        match graph.edge_type(edge) {
            EdgeType::Element => path.push(format!("[{}] :{}", graph.edge_name(edge), label(graph, target))),
            EdgeType::Property if is_store_edge(graph, edge) => {
                path.push(format!("{STORE} :{}", label(graph, target)));
            }
            EdgeType::Property if path.last().is_some_and(|step| step.starts_with("_events :")) => {
                path.pop();
                path.push("_events".into());
                path.push(format!("listeners of {:?}", graph.strings.get(graph.edge_name(edge))));
                if graph.node_type(target) == NodeType::Closure {
                    path.push(label(graph, target));
                }
            }
            EdgeType::Property | EdgeType::Context => {
                path.push(format!("{} :{}", graph.strings.get(graph.edge_name(edge)), label(graph, target)));
            }
            // Which of a root's things it is, and where a generator keeps its variables, says nothing.
            EdgeType::Internal
                if is_among(
                    name,
                    [
                        self.names.table,
                        self.names.elements,
                        self.names.properties,
                        self.names.parameters_and_registers,
                    ],
                ) => {}
            _ if graph.node_type(source) == NodeType::Synthetic => path.push(label(graph, target)),
            EdgeType::Internal if name == self.names.context => path.push(self.anchor(graph, target)),
            EdgeType::Internal if name == self.names.previous => path.push(self.anchor(graph, target)),
            EdgeType::Internal => match graph.edge_number(edge) {
                Some(_) if graph.node_type(source) == NodeType::Array => {
                    match self.key(graph, edge, before) {
                        Some(key) if is_storage(graph, key) => {
                            path.push(format!("{STORE} :{}", label(graph, target)));
                        }
                        key => {
                            path.extend(key.and_then(|key| key_label(graph, key)));
                            path.push(label(graph, target));
                        }
                    }
                }
                _ => path.push(format!(
                    "({}) :{}",
                    graph.strings.get(graph.edge_name(edge)),
                    label(graph, target)
                )),
            },
            _ => {
                let variable =
                    self.variable(graph, edge).map(|name| format!("{} :", graph.strings.get(name)));
                path.push(format!("{}{}", variable.unwrap_or_default(), label(graph, target)));
            }
        }
    }

    /// The key of an entry, if the edge leads to a value in the table of a Map.
    fn key(&self, graph: &Graph, edge: u32, before: &[u32]) -> Option<u32> {
        let is_table = before.last().is_some_and(|&edge| Some(graph.edge_name(edge)) == self.names.table);
        key_of(graph, edge).filter(|_| is_table)
    }

    /// The name of the variable that an edge of a scope stands for, where V8 names it only in the scope's description.
    pub(super) fn variable(&self, graph: &Graph, edge: u32) -> Option<u32> {
        let source = graph.source(edge);
        if graph.edge_type(edge) != EdgeType::Hidden || !graph.is_context(source) {
            return None;
        }
        let description = graph.internal(source, self.names.scope_info)?;
        let is_its_name = |&named: &u32| {
            graph.edge_type(named) == EdgeType::Hidden
                && graph.edge_name(named) == graph.edge_name(edge)
                && graph.node_type(graph.target(named)) == NodeType::String
        };
        graph.edges(description).find(is_its_name).map(|named| graph.name(graph.target(named)))
    }
}

/// A path on which steps that repeat each other, as in a linked list, are told once.
fn collapsed(path: Vec<String>) -> Vec<String> {
    let mut steps: Vec<(String, usize)> = Vec::new();
    for step in path {
        match steps.last_mut() {
            Some((last, count)) if *last == step => *count += 1,
            _ => steps.push((step, 1)),
        }
    }
    let told = |(step, count)| if count > 1 { format!("{step} (×{count})") } else { step };
    steps.into_iter().map(told).collect()
}
