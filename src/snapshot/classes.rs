use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::{Graph, Location, NodeType, ROOT, bits::Bits, dominated::Dominated, graph::Sizes, spare::Spare};

/// No class.
const NONE: u32 = u32::MAX;

/// The nodes of one class together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassGroup {
    /// The constructor's name, or V8's word in parentheses for what has none.
    pub name: String,
    /// Where the constructor is written, where V8 knows; classes of the same name in different places are different.
    pub constructor: Option<Constructor>,
    /// How many nodes with a size of their own.
    pub count: u64,
    /// Their own sizes in bytes.
    pub shallow_size: u64,
    /// What would be free without all of them.
    pub retained_size: u64,
    /// The least distance of one of them.
    pub distance: u32,
}

/// A place in a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Constructor {
    /// V8's number for the script.
    pub script_id: u32,
    /// From 0.
    pub line: u32,
    /// From 0.
    pub column: u32,
}

/// The classes, and each node's.
#[derive(Debug, Default)]
pub(super) struct Classes {
    pub(super) groups: Vec<ClassGroup>,
    /// By node.
    pub(super) of: Vec<u32>,
}

/// What makes a class.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    /// All nodes of a type.
    Type(NodeType),
    /// A name, perhaps of something detached, perhaps with the constructor's place.
    Name(u32, bool, Option<Constructor>),
    /// The name of an element of a document without its attributes, perhaps with the constructor's place.
    Element(String, Option<Constructor>),
}

pub(super) fn classes(
    graph: &Graph,
    detached: &Bits,
    shallow: &Sizes,
    retained: &Sizes,
    distances: &[u32],
    dominators: &[u32],
    spare: &mut Spare,
) -> Classes {
    let mut classes = assign(graph, detached, spare);
    for node in graph.nodes().filter(|&node| shallow.get(node) > 0) {
        let group = &mut classes.groups[classes.of[node as usize] as usize];
        group.count += 1;
        group.shallow_size += shallow.get(node);
        group.distance = group.distance.min(distances[node as usize]);
    }
    add_retained_sizes(&mut classes, shallow, retained, &Dominated::new(dominators, spare));
    classes
}

fn assign(graph: &Graph, detached: &Bits, spare: &mut Spare) -> Classes {
    let mut classes = Classes { groups: Vec::new(), of: spare.empty(graph.nodes().len()) };
    let mut known: FxHashMap<Key, u32> = FxHashMap::default();
    let mut of_types = [NONE; NodeType::NAMES.len()];
    // What comes next wants a list of this size.
    let mut of_names = spare.empty(graph.strings.len().max(graph.nodes().len() + 1));
    of_names.resize(graph.strings.len(), NONE);
    let mut locations = graph.locations.iter().peekable();
    for node in graph.nodes() {
        while locations.next_if(|location| location.node < node).is_some() {}
        let location = locations.peek().filter(|location| location.node == node).copied();
        let node_type = graph.node_type(node);
        // For most, the type or the name says it all.
        let short_cut = match node_type {
            NodeType::Object | NodeType::Native if location.is_some() || detached.has(node) => None,
            NodeType::Object | NodeType::Native => of_names.get_mut(graph.name(node) as usize),
            _ => of_types.get_mut(node_type as usize),
        };
        let class = match short_cut {
            Some(&mut class) if class != NONE => class,
            _ => {
                let key = key(graph, detached, node, location);
                let class = *known.entry(key).or_insert_with_key(|key| {
                    classes.groups.push(group(graph, key));
                    classes.groups.len() as u32 - 1
                });
                short_cut.into_iter().for_each(|short_cut| *short_cut = class);
                class
            }
        };
        classes.of.push(class);
    }
    spare.keep(of_names);
    classes
}

fn key(graph: &Graph, detached: &Bits, node: u32, location: Option<&Location>) -> Key {
    let node_type = graph.node_type(node);
    if !matches!(node_type, NodeType::Object | NodeType::Native) {
        return Key::Type(node_type);
    }
    let constructor = location.filter(|_| node_type == NodeType::Object).map(|location| Constructor {
        script_id: location.script_id,
        line: location.line,
        column: location.column,
    });
    let name = graph.name(node);
    let is_detached = detached.has(node);
    let text = graph.strings.bytes(name);
    // One that V8 calls detached already is no element to DevTools when its state says so, too.
    if text.starts_with(b"<") || (text.starts_with(b"Detached <") && !is_detached) {
        let text = String::from_utf8_lossy(text);
        let text = if is_detached { Cow::Owned(format!("Detached {text}")) } else { text };
        let tag = text.find('<').unwrap_or(0);
        let element = match text[tag..].find(' ') {
            Some(end) => format!("{}>", &text[..tag + end]),
            None => text.into_owned(),
        };
        return Key::Element(element, constructor);
    }
    Key::Name(name, is_detached, constructor)
}

fn group(graph: &Graph, key: &Key) -> ClassGroup {
    let (name, constructor) = match key {
        Key::Type(NodeType::Hidden) => ("(system)".into(), None),
        Key::Type(NodeType::Code) => ("(compiled code)".into(), None),
        Key::Type(NodeType::Closure) => ("Function".into(), None),
        Key::Type(NodeType::RegExp) => ("RegExp".into(), None),
        Key::Type(node_type) => (format!("({})", node_type.name()), None),
        Key::Name(name, false, constructor) => (graph.strings.get(*name).into_owned(), *constructor),
        Key::Name(name, true, constructor) => {
            (format!("Detached {}", graph.strings.get(*name)), *constructor)
        }
        Key::Element(name, constructor) => (name.clone(), *constructor),
    };
    ClassGroup { name, constructor, count: 0, shallow_size: 0, retained_size: 0, distance: u32::MAX }
}

/// A node adds to its class what it retains, unless another of the class dominates it and has added it already.
fn add_retained_sizes(classes: &mut Classes, shallow: &Sizes, retained: &Sizes, dominated: &Dominated) {
    let Classes { groups, of: class_of } = classes;
    // Of these classes a node was counted further up.
    let mut counted = vec![false; groups.len()];
    let mut count = |node: u32, counted: &[bool]| {
        let class = class_of[node as usize];
        let counts = !counted[class as usize] && shallow.get(node) > 0;
        if counts {
            groups[class as usize].retained_size += retained.get(node);
        }
        counts.then_some(class)
    };
    let mut open = vec![ROOT];
    // Where the open nodes below a counted one begin, and its class.
    let mut below: Vec<(usize, u32)> = Vec::new();
    while let Some(node) = open.pop() {
        if let Some(class) = count(node, &counted) {
            counted[class as usize] = true;
            below.push((open.len(), class));
        }
        for &child in dominated.of(node) {
            // Most dominate nothing and are done at once.
            if dominated.of(child).is_empty() {
                count(child, &counted);
            } else {
                open.push(child);
            }
        }
        while let Some(&(start, class)) = below.last().filter(|(start, _)| *start == open.len()) {
            debug_assert_eq!(start, open.len());
            counted[class as usize] = false;
            below.pop();
        }
    }
}
