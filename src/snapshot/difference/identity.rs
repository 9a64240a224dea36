use rustc_hash::FxHashSet;

use super::side::{Side, hash};
use crate::snapshot::{
    EdgeType, NodeType,
    members::{Key, Member},
};

/// Of a member so many things are looked at...
const MOST_NODES: usize = 64;
/// ... at most so many properties or elements away...
const DEEPEST: u32 = 4;
/// ... and of each of them so many edges.
const MOST_EDGES: usize = 64;
/// Strings are put together from at most so many levels of parts.
const DEEPEST_TEXT: u32 = 6;

/// By what a member is known again in another snapshot.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// V8's id.
    pub(super) id: u32,
    /// A hash of the key's text, where the key has one.
    pub(super) key: Option<u64>,
    /// Hashes of the texts and numbers in it, each with the way to it.
    pub(super) tokens: Vec<u64>,
}

impl Identity {
    pub(super) fn of(side: &Side<'_>, member: &Member) -> Self {
        let graph = side.graph();
        let key = match member.key {
            Some(Key::Edge(edge)) => Some(hash(graph.strings().bytes(graph.edge_name(edge)))),
            Some(Key::Node(key)) if is_text(side, key) => text(side, key, 0),
            _ => None,
        };
        let known_by = match (member.value, member.key) {
            (Some(value), _) => Some(value),
            (None, Some(Key::Node(key))) => Some(key),
            _ => None,
        };
        let id = known_by.map_or(0, |node| graph.id(node));
        let mut tokens = member.value.map_or_else(Vec::new, |value| tokens(side, value));
        if let (Some(Key::Node(node)), None) = (member.key, key) {
            // What is in the key is not taken for what is in the value.
            tokens.extend(self::tokens(side, node).into_iter().map(|token| hash(("key", token))));
        }
        Self { id, key, tokens }
    }
}

fn is_text(side: &Side<'_>, node: u32) -> bool {
    matches!(
        side.graph().node_type(node),
        NodeType::String | NodeType::ConcatenatedString | NodeType::SlicedString | NodeType::Number
    )
}

/// A hash of a text or a number; none where the snapshot does not say it.
fn text(side: &Side<'_>, node: u32, depth: u32) -> Option<u64> {
    let graph = side.graph();
    let part = |name: &[u8]| {
        let part = graph.named(node, name).filter(|_| depth < DEEPEST_TEXT)?;
        text(side, part, depth + 1)
    };
    match graph.node_type(node) {
        NodeType::ConcatenatedString => {
            let parts = (part(b"first"), part(b"second"));
            (parts != (None, None)).then(|| hash(parts))
        }
        NodeType::SlicedString => part(b"parent"),
        NodeType::Number => graph.named(node, b"value").map(|value| hash(side.name(value))),
        _ => Some(side.name(node)).filter(|text| !text.is_empty()).map(hash),
    }
}

fn tokens(side: &Side<'_>, member: u32) -> Vec<u64> {
    if is_text(side, member) {
        return text(side, member, 0).into_iter().collect();
    }
    let graph = side.graph();
    let mut tokens = Vec::new();
    let mut seen: FxHashSet<u32> = std::iter::once(member).collect();
    let mut open = vec![(member, 0, 0_u64)];
    let mut at = 0;
    while let Some(&(node, depth, way)) = open.get(at).filter(|_| at < MOST_NODES) {
        at += 1;
        if depth >= DEEPEST {
            continue;
        }
        let edges = graph.edges(node).filter(|&edge| leads_on(side, node, edge, member));
        for edge in edges.take(MOST_EDGES) {
            let target = graph.target(edge);
            let label = match graph.edge_type(edge).is_numbered() {
                true => hash((2, graph.edge_name(edge))),
                false => hash(graph.strings().bytes(graph.edge_name(edge))),
            };
            if is_text(side, target) {
                tokens.extend(text(side, target, 0).map(|text| hash((way, label, text))));
                continue;
            }
            let is_thing = matches!(
                graph.node_type(target),
                NodeType::Object | NodeType::Closure | NodeType::Array | NodeType::Hidden
            );
            if is_thing && side.tree.dominates(member, target) && seen.insert(target) {
                // What V8 puts between, such as scopes and the registers of a generator, does not make it farther away.
                let step = u32::from(graph.edge_type(edge) != EdgeType::Internal);
                open.push((target, depth + step, hash((way, label))));
            }
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// Whether an edge leads to a part of the member, not to what all of its kind share.
fn leads_on(side: &Side<'_>, node: u32, edge: u32, member: u32) -> bool {
    let graph = side.graph();
    let target = graph.target(edge);
    let is_hidden = |node| graph.node_type(node) == NodeType::Hidden;
    match graph.edge_type(edge) {
        EdgeType::Weak => return false,
        EdgeType::Hidden if !is_hidden(node) => return false,
        _ => {}
    }
    // The next one of a chain of V8's own.
    if is_hidden(target) && graph.name(target) == graph.name(member) {
        return false;
    }
    if graph.edge_type(edge).is_numbered() {
        return true;
    }
    let name = graph.strings().bytes(graph.edge_name(edge));
    match graph.edge_type(edge) {
        EdgeType::Internal => is_inner_part(name),
        _ => ![b"__proto__".as_slice(), b"constructor", b"prototype"].contains(&name),
    }
}

/// V8's names for what belongs to a thing: its scope, its entries, what a promise or a generator goes on with.
fn is_inner_part(name: &[u8]) -> bool {
    const PARTS: [&[u8]; 13] = [
        b"context",
        b"table",
        b"reactions_or_result",
        b"fulfill_handler",
        b"reject_handler",
        b"promise_or_capability",
        b"parameters_and_registers",
        b"function",
        b"extension",
        b"bound_this",
        b"bound_function",
        b"bound_arguments",
        b"native_bind",
    ];
    PARTS.contains(&name) || (name.len() < 9 && name.first().is_some_and(u8::is_ascii_digit))
}
