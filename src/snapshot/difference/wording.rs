//! What a developer understands of a container that grows.

use rustc_hash::FxHashSet;

use super::{
    record::{Container, ContainerKind, Unit, Verdict},
    side::Side,
    trie::LONGEST_REPETITION,
};
use crate::{
    measure::{Bytes, grouped},
    snapshot::{
        EdgeType, NodeType, ROOT,
        naming::{is_store_edge, label, place_of},
    },
};

/// A member's callback is looked for in so many things that belong to it.
const MOST_NODES: usize = 60;

pub(super) fn class_name(side: &Side<'_>, node: u32) -> String {
    let graph = side.graph();
    match graph.node_type(node) {
        NodeType::Closure => side.function(node),
        NodeType::Object if graph.is_context(node) => format!("scope of {}", side.ways.anchor(graph, node)),
        NodeType::Object | NodeType::Native => label(graph, node),
        NodeType::Hidden => graph.strings().get(graph.name(node)).trim_start_matches("system / ").into(),
        NodeType::ConcatenatedString | NodeType::SlicedString => "string".into(),
        node_type => node_type.name().into(),
    }
}

/// The way to a collection; without what tells entries from each other where several are meant.
pub(super) fn place(side: &Side<'_>, node: u32, is_one_of_many: bool) -> Vec<String> {
    let path = side.ways.path(side.graph(), node);
    if is_one_of_many { place_of(&path) } else { path }
}

/// The way to what holds things without being a collection; none if several do.
pub(super) fn held_place(side: &Side<'_>, holder: Option<u32>, example: u32) -> Vec<String> {
    let graph = side.graph();
    let Some(holder) = holder else {
        let mut path = vec!["several holders".to_owned()];
        path.extend(place_of(&side.ways.path(graph, example)));
        return path;
    };
    if side.ways.is_anchor(graph, holder) {
        let edge = graph.edges(holder).find(|&edge| graph.target(edge) == example);
        let role =
            edge.and_then(|edge| side.role(edge)).map(|role| String::from_utf8_lossy(role).into_owned());
        return std::iter::once(side.ways.anchor(graph, holder)).chain(role).collect();
    }
    side.ways.path(graph, holder)
}

/// The way to the first of things that hang on each other. `example` is any of them.
pub(super) fn head_place(side: &Side<'_>, example: u32) -> Vec<String> {
    let kind = side.kind(example);
    let (mut head, mut at, mut steps) = (example, example, 0);
    while at != ROOT && steps <= LONGEST_REPETITION {
        at = side.heap.dominator(at);
        steps += 1;
        if side.kind(at) == kind {
            (head, steps) = (at, 0);
        }
    }
    let mut path = side.ways.path(side.graph(), head);
    // That a promise keeps a list of reactions is V8's affair.
    while path.len() > 1 && path.last().is_some_and(|step| step.contains(":system / Promise")) {
        path.pop();
    }
    path
}

pub(super) fn collection_kind(side: &Side<'_>, node: u32) -> ContainerKind {
    let graph = side.graph();
    if let Some(edge) = side.ways.last_edge(node) {
        let holder = side.ways.last_edge(graph.source(edge));
        let is_of_events = |edge| {
            graph.edge_type(edge) == EdgeType::Property
                && graph.strings().bytes(graph.edge_name(edge)) == b"_events"
        };
        if graph.edge_type(edge) == EdgeType::Property && holder.is_some_and(is_of_events) {
            return ContainerKind::Listeners;
        }
    }
    match (side.name(node), graph.named(node, b"table").is_some()) {
        (b"Array", _) => ContainerKind::Array,
        (b"Set", true) => ContainerKind::Set,
        (_, true) if side.name(node).ends_with(b"Set") => ContainerKind::Set,
        (_, true) => ContainerKind::Map,
        _ => ContainerKind::Object,
    }
}

pub(super) fn held_kind(side: &Side<'_>, example: u32, is_chain: bool) -> ContainerKind {
    let graph = side.graph();
    let name = side.name(example);
    match graph.node_type(example) {
        NodeType::Object if [b"Timeout".as_slice(), b"Immediate"].contains(&name) => ContainerKind::Timers,
        NodeType::Object if name == b"Promise" => ContainerKind::Promises,
        NodeType::Hidden if side.is_promise_part(example) => ContainerKind::Promises,
        _ if is_chain => ContainerKind::Chain,
        _ => ContainerKind::Things,
    }
}

/// The application's function that a member holds: its callback, its listener, the function that waits in it.
pub(super) fn function(side: &Side<'_>, member: u32) -> Option<String> {
    const SHARED: [&[u8]; 6] = [b"__proto__", b"constructor", b"map", b"shared", b"feedback_cell", b"code"];
    let graph = side.graph();
    let mut seen: FxHashSet<u32> = std::iter::once(member).collect();
    let mut open = vec![member];
    let mut at = 0;
    while let Some(&node) = open.get(at).filter(|_| at < MOST_NODES) {
        at += 1;
        if graph.node_type(node) == NodeType::Closure && side.is_users(node) {
            return Some(side.function(node));
        }
        for edge in graph.edges(node).filter(|&edge| graph.edge_type(edge) != EdgeType::Weak) {
            let target = graph.target(edge);
            let name = match graph.edge_type(edge).is_numbered() {
                true => &[][..],
                false => graph.strings().bytes(graph.edge_name(edge)),
            };
            if SHARED.contains(&name) {
                continue;
            }
            // A generator knows the function it runs, which is not its own.
            if name == b"function" && graph.node_type(target) == NodeType::Closure && side.is_users(target) {
                return Some(side.function(target));
            }
            if side.tree.dominates(member, target) && seen.insert(target) {
                open.push(target);
            }
        }
    }
    None
}

/// Whether a member keeps a store that AsyncLocalStorage has handed on to it.
pub(super) fn keeps_store(side: &Side<'_>, member: u32) -> bool {
    let graph = side.graph();
    graph.edges(member).any(|edge| {
        let target = graph.target(edge);
        (is_store_edge(graph, edge) || side.name(target) == b"AsyncContextFrame")
            && side.tree.dominates(member, target)
    })
}

/// What has happened, in a sentence. `keep_stores`: the members keep stores of AsyncLocalStorage.
pub(super) fn reason(container: &Container, keep_stores: bool, unit: Unit) -> String {
    let populations: Vec<String> = container.populations.iter().copied().map(grouped).collect();
    let things = match container.kind {
        ContainerKind::Listeners => "listeners",
        ContainerKind::Timers => "timers",
        ContainerKind::Promises => "promises",
        ContainerKind::Chain => "things in a chain",
        ContainerKind::Things => "things",
        _ => "entries",
    };
    let ends = container.populations.last().zip(container.populations.first());
    let gained = ends.map_or(0, |(last, first)| last.saturating_sub(*first));
    let size = Bytes::from_bytes(container.growth / gained.max(1));
    let rate = rate(container.rate, unit);
    let function = container.function.as_ref().map(|function| match container.kind {
        ContainerKind::Listeners => format!(", all {function}"),
        ContainerKind::Timers => format!("; they run {function}"),
        ContainerKind::Promises => format!("; {function} waits for each"),
        _ => format!("; each holds {function}"),
    });
    let stores = if keep_stores { "; each keeps a store of AsyncLocalStorage" } else { "" };
    let function = function.unwrap_or_default() + stores;
    format!("{} {things}, {rate}{size} each{function}; {}", populations.join(" → "), course(container))
}

fn rate(rate: f64, unit: Unit) -> String {
    match unit {
        Unit::Work => format!("{rate:.2} more per unit of work, "),
        Unit::Seconds => format!("{} more a minute, ", grouped((rate * 60.0) as u64)),
        Unit::Snapshots => String::new(),
    }
}

fn course(container: &Container) -> String {
    let first = container.populations.first().copied().unwrap_or(0);
    let now = container.populations.last().copied().unwrap_or(0);
    match (container.verdict, container.removed, container.capacity) {
        (Verdict::Filling, _, Some(capacity)) => {
            format!("nothing removed yet, {} of {}: still filling", grouped(now), grouped(capacity))
        }
        (Verdict::Expiring, ..) => {
            let due_in = container.due_in.unwrap_or_default();
            format!("nothing removed yet, but by their time to live none has to go for another {due_in:.0} s")
        }
        (_, Some(0), _) => format!("none of the first {} was removed", grouped(first)),
        (Verdict::Confirmed, Some(removed), _) => {
            format!("{} of the first {} were removed, the rest stays", grouped(removed), grouped(first))
        }
        (_, Some(removed), _) => {
            format!("{} of the first {} were removed: they come and go", grouped(removed), grouped(first))
        }
        (Verdict::Probable, None, _) => "they cannot be told from each other, but grow with the work".into(),
        (_, None, _) => "they cannot be told from each other, and do not grow with the work".into(),
    }
}
