//! Where a thing hangs, said as a person would: the cheapest way from a root, in words.

use rustc_hash::FxHashMap;

use super::{EdgeType, Graph, NodeType, ROOT};

/// No way, or no edge.
const NONE: u32 = u32::MAX;
/// What a store of AsyncLocalStorage is to whom it was handed on.
const STORE: &str = "AsyncLocalStorage store";
/// No step costs more.
const DEAREST: usize = 40;

/// What a step along an edge costs: cheap are the ways a developer thinks in, dear are V8's own.
mod cost {
    /// No step costs less.
    pub(super) const NAMED: usize = 1;
    pub(super) const STORAGE: usize = 2;
    pub(super) const OUTER_SCOPE: usize = 3;
    pub(super) const INTERNAL: usize = 6;
    pub(super) const HIDDEN: usize = 8;
    pub(super) const PROTOTYPE: usize = 12;
    pub(super) const CODE: usize = 30;
    pub(super) const TRANSIENT: usize = super::DEAREST;
}

/// The cheapest way to every node.
#[derive(Debug)]
pub(super) struct Ways {
    /// By node, the last edge of the way.
    edges: Vec<u32>,
    scopes: Scopes,
    names: EdgeNames,
}

/// A function that has a scope, or whose scope is a module's.
#[derive(Clone, Debug, Default)]
struct Scopes {
    /// By ScopeInfo, the function's SharedFunctionInfo.
    owners: FxHashMap<u32, u32>,
    /// By SharedFunctionInfo, a closure of it.
    closures: FxHashMap<u32, u32>,
    /// By scope, the SharedFunctionInfo of a function written in it.
    inner: FxHashMap<u32, u32>,
}

/// The numbers of the names that matter, where they occur.
#[derive(Clone, Copy, Debug)]
struct EdgeNames {
    table: Option<u32>,
    context: Option<u32>,
    elements: Option<u32>,
    properties: Option<u32>,
    previous: Option<u32>,
    proto: Option<u32>,
    constructor: Option<u32>,
    prototype: Option<u32>,
    scope_info: Option<u32>,
    shared: Option<u32>,
    name_or_scope_info: Option<u32>,
    script: Option<u32>,
}

impl EdgeNames {
    fn find(graph: &Graph) -> Self {
        let find = |name| graph.strings.find(name);
        Self {
            table: find("table"),
            context: find("context"),
            elements: find("elements"),
            properties: find("properties"),
            previous: find("previous"),
            proto: find("__proto__"),
            constructor: find("constructor"),
            prototype: find("prototype"),
            scope_info: find("scope_info"),
            shared: find("shared"),
            name_or_scope_info: find("name_or_scope_info"),
            script: find("script_or_debug_info").or_else(|| find("script")),
        }
    }
}

impl Graph {
    /// The node that an internal edge of this name leads to.
    pub(super) fn internal(&self, node: u32, name: Option<u32>) -> Option<u32> {
        let is_it =
            |&edge: &u32| self.edge_type(edge) == EdgeType::Internal && Some(self.edge_name(edge)) == name;
        self.edges(node).find(is_it).map(|edge| self.target(edge))
    }

    /// Whether the node is a scope: the variables of a function that closures share.
    pub(super) fn is_context(&self, node: u32) -> bool {
        self.node_type(node) == NodeType::Object
            && self.strings.bytes(self.name(node)).starts_with(b"system / Context")
    }

    /// The node an edge goes out from.
    pub(super) fn source(&self, edge: u32) -> u32 {
        self.first_edges.partition_point(|&first| first <= edge) as u32 - 1
    }
}

impl Ways {
    pub(super) fn new(graph: &Graph) -> Self {
        let names = EdgeNames::find(graph);
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
        for &edge in &way[anchor..] {
            self.step(graph, edge, &mut path);
        }
        path
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
                let name = name.map_or_else(|| "a scope".into(), |name| format!("{name}()"));
                file.map_or_else(
                    || name.clone(),
                    |file| format!("{name} ({file}{})", line.unwrap_or_default()),
                )
            }
        }
    }

    /// What an edge adds to the path.
    fn step(&self, graph: &Graph, edge: u32, path: &mut Vec<String>) {
        let (source, target) = (graph.source(edge), graph.target(edge));
        let name = Some(graph.edge_name(edge));
        match graph.edge_type(edge) {
            EdgeType::Element => path.push(format!("[{}] :{}", graph.edge_name(edge), label(graph, target))),
            EdgeType::Property if is_store_edge(graph, edge) => {
                path.push(format!("{STORE} :{}", label(graph, target)));
            }
            EdgeType::Property if path.last().is_some_and(|step| step.starts_with("_events :")) => {
                path.pop();
                path.push(format!("listeners of {:?}", graph.strings.get(graph.edge_name(edge))));
                if graph.node_type(target) == NodeType::Closure {
                    path.push(label(graph, target));
                }
            }
            EdgeType::Property | EdgeType::Context => {
                path.push(format!("{} :{}", graph.strings.get(graph.edge_name(edge)), label(graph, target)));
            }
            EdgeType::Internal
                if is_among(name, [self.names.table, self.names.elements, self.names.properties]) => {}
            EdgeType::Internal if name == self.names.context => path.push(self.anchor(graph, target)),
            EdgeType::Internal if name == self.names.previous => path.push(self.anchor(graph, target)),
            EdgeType::Internal => match graph.edge_number(edge) {
                Some(_) if graph.node_type(source) == NodeType::Array => match key_of(graph, edge) {
                    Some(key) if is_storage(graph, key) => {
                        path.push(format!("{STORE} :{}", label(graph, target)));
                    }
                    key => {
                        path.extend(key.and_then(|key| key_label(graph, key)));
                        path.push(label(graph, target));
                    }
                },
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

impl Graph {
    /// The name of a named edge as a number, if it is one.
    pub(super) fn edge_number(&self, edge: u32) -> Option<u32> {
        if self.edge_type(edge).is_numbered() {
            return Some(self.edge_name(edge));
        }
        std::str::from_utf8(self.strings.bytes(self.edge_name(edge))).ok()?.parse().ok()
    }
}

/// The key of an entry of a Map, when the edge leads to its value: V8 writes a table in order, the key right before the value.
fn key_of(graph: &Graph, edge: u32) -> Option<u32> {
    let before = edge.checked_sub(1).filter(|&before| graph.edges(graph.source(edge)).contains(&before))?;
    let is_its_key = graph.edge_number(before)?.checked_add(1) == graph.edge_number(edge);
    Some(graph.target(before)).filter(|_| is_its_key)
}

fn key_label(graph: &Graph, key: u32) -> Option<String> {
    match graph.node_type(key) {
        NodeType::String => Some(format!("{:?}", shortened(&graph.strings.get(graph.name(key))))),
        NodeType::Object => Some(format!("{} (key)", label(graph, key))),
        _ => None,
    }
}

/// Whether the property is the one by which Node (until 22) hands on what AsyncLocalStorage stores.
pub(super) fn is_store_edge(graph: &Graph, edge: u32) -> bool {
    graph.edge_type(edge) == EdgeType::Property
        && graph.strings.bytes(graph.edge_name(edge)).starts_with(b"<symbol kResourceStore")
}

/// Whether a key of a Map is an AsyncLocalStorage, as in the frames by which Node (from 24 on) hands on what these store.
fn is_storage(graph: &Graph, key: u32) -> bool {
    graph.node_type(key) == NodeType::Object && graph.strings.bytes(graph.name(key)) == b"AsyncLocalStorage"
}

/// A path without what tells entries from each other.
pub(super) fn place_of(path: &[String]) -> Vec<String> {
    let is_entry = |step: &String| step.starts_with(['"', '[']);
    path.iter().map(|step| if is_entry(step) { "*".into() } else { step.clone() }).collect()
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        text.into()
    } else {
        text.chars().take(LONGEST).chain(['…']).collect()
    }
}

/// What a node is, in a word or two.
pub(super) fn label(graph: &Graph, node: u32) -> String {
    let name = graph.strings.get(graph.name(node));
    match graph.node_type(node) {
        NodeType::String | NodeType::ConcatenatedString | NodeType::SlicedString => {
            format!("{:?}", shortened(&name))
        }
        NodeType::Closure if name.is_empty() => "anonymous function".into(),
        NodeType::Closure => format!("{name}()"),
        node_type if name.is_empty() => format!("({})", node_type.name()),
        _ => shortened(&name),
    }
}

pub(super) fn is_global(graph: &Graph, node: u32) -> bool {
    let name = graph.strings.bytes(graph.name(node));
    graph.node_type(node) == NodeType::Object
        && (name == b"global" || name.starts_with(b"global / ") || name.starts_with(b"global (global"))
}

/// One of CommonJS' modules, which knows its file.
fn is_module(graph: &Graph, node: u32) -> bool {
    graph.node_type(node) == NodeType::Object
        && graph.strings.bytes(graph.name(node)) == b"Module"
        && graph.named(node, b"filename").is_some_and(|file| graph.node_type(file) == NodeType::String)
}

fn is_among<const N: usize>(name: Option<u32>, names: [Option<u32>; N]) -> bool {
    name.is_some() && names.contains(&name)
}

impl Scopes {
    fn find(graph: &Graph, names: EdgeNames) -> Self {
        let mut scopes = Self::default();
        for node in graph.nodes() {
            match graph.node_type(node) {
                NodeType::Closure => {
                    if let Some(shared) = graph.internal(node, names.shared) {
                        scopes.closures.entry(shared).or_insert(node);
                        if let Some(context) = graph.internal(node, names.context) {
                            scopes.inner.entry(context).or_insert(shared);
                        }
                    }
                }
                NodeType::Code => {
                    let scope_info = graph.internal(node, names.name_or_scope_info);
                    if let Some(scope_info) =
                        scope_info.filter(|&info| graph.node_type(info) == NodeType::Code)
                    {
                        scopes.owners.entry(scope_info).or_insert(node);
                    }
                }
                _ => {}
            }
        }
        scopes
    }
}

/// By node, the last edge of the cheapest way from the root (Dial's algorithm: a ring of lists by cost).
fn cheapest(graph: &Graph, names: EdgeNames) -> Vec<u32> {
    let mut edges = vec![NONE; graph.nodes().len()];
    let mut costs = vec![u32::MAX; graph.nodes().len()];
    let mut ring: Vec<Vec<u32>> = vec![Vec::new(); DEAREST + 1];
    costs[ROOT as usize] = 0;
    ring[0].push(ROOT);
    let mut waiting = 1_usize;
    let mut now = 0_u32;
    while waiting > 0 {
        let slot = now as usize % ring.len();
        while let Some(node) = ring[slot].pop() {
            waiting -= 1;
            if costs[node as usize] != now {
                continue;
            }
            for edge in graph.edges(node).filter(|&edge| graph.edge_type(edge) != EdgeType::Weak) {
                let target = graph.target(edge) as usize;
                if costs[target] <= now + cost::NAMED as u32 {
                    continue;
                }
                let cost = step_cost(graph, names, node, edge);
                if now + (cost as u32) < costs[target] {
                    costs[target] = now + cost as u32;
                    edges[target] = edge;
                    let slot = (now as usize + cost) % ring.len();
                    ring[slot].push(target as u32);
                    waiting += 1;
                }
            }
        }
        now += 1;
    }
    edges
}

fn step_cost(graph: &Graph, names: EdgeNames, node: u32, edge: u32) -> usize {
    let target = graph.target(edge);
    let name = Some(graph.edge_name(edge));
    if graph.node_type(target) == NodeType::Synthetic {
        let root = graph.strings.bytes(graph.name(target));
        let is_transient =
            [b"(Stack roots)".as_slice(), b"(Handle scope)", b"(Compilation cache)"].contains(&root);
        return if is_transient { cost::TRANSIENT } else { cost::NAMED };
    }
    // A map by address that V8 itself has at the moment may hold anything.
    if graph.node_type(node) == NodeType::Synthetic
        && graph.edge_type(edge) == EdgeType::Internal
        && graph.strings.bytes(graph.edge_name(edge)).ends_with(b"IdentityMapBase")
    {
        return cost::TRANSIENT;
    }
    if graph.edge_type(edge) == EdgeType::Internal {
        if is_among(name, [names.table, names.context]) {
            return cost::NAMED;
        }
        if is_among(name, [names.elements, names.properties]) {
            return cost::STORAGE;
        }
        if name.is_some() && name == names.previous {
            return cost::OUTER_SCOPE;
        }
    }
    if matches!(graph.node_type(target), NodeType::Code | NodeType::ObjectShape | NodeType::Hidden) {
        return cost::CODE;
    }
    match graph.edge_type(edge) {
        EdgeType::Property if is_among(name, [names.proto, names.constructor, names.prototype]) => {
            cost::PROTOTYPE
        }
        EdgeType::Property | EdgeType::Context | EdgeType::Element | EdgeType::Shortcut => cost::NAMED,
        EdgeType::Hidden if graph.is_context(node) => cost::NAMED,
        EdgeType::Internal if graph.edge_number(edge).is_some() => cost::NAMED,
        EdgeType::Internal => cost::INTERNAL,
        _ => cost::HIDDEN,
    }
}
