use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{
    ClassGroup, Closures, Heap, NodeType, ROOT,
    bits::Bits,
    closures::closures,
    functions::Functions,
    hoards::hoards,
    naming::{Ways, label, place_of},
};

/// A node whose heaviest child has less than this part of what it retains holds it together: taking it away is what helps.
const SPREAD: f64 = 0.8;
/// So many times as many collections are looked at as there are rows, as many of them may be alike.
const LIKENESSES: usize = 100;
/// A collection is suspect if it retains this part of the heap...
const SUSPECT_PART: f64 = 0.05;
/// ... and has so many entries.
const SUSPECT_ENTRIES: u32 = 100;

/// What is in a snapshot. Sizes are in bytes.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The number of nodes.
    pub nodes: u32,
    /// The number of edges.
    pub edges: u32,
    /// Everything together.
    pub total_size: u64,
    /// Of that, what is outside of the heap and belongs to no node.
    pub extra_native_bytes: u64,
    /// In the middle of what the file ends, if it was cut off; then all numbers are of what is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_off_within: Option<&'static str>,
    /// By V8's types of nodes, the largest first.
    pub types: Vec<TypeTotal>,
    /// The classes that retain most, the largest first.
    pub classes: Vec<ClassTotal>,
    /// The single things that retain most, the largest first.
    pub retainers: Vec<Retainer>,
    /// The collections that retain most, the largest first.
    pub collections: Vec<Collection>,
    /// The functions whose closures or scopes retain most, the largest first.
    pub closures: Vec<Closures>,
    /// The texts that stand in the heap several times, the largest waste first.
    pub duplicate_strings: Vec<DuplicateString>,
    /// Things whose owner has let go of them, by class.
    pub detached: Vec<ClassTotal>,
    /// What probably leaks, the likeliest first.
    pub suspects: Vec<Suspect>,
}

/// All nodes of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeTotal {
    /// V8's name of the type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How many.
    pub count: u64,
    /// Their own sizes.
    pub size: u64,
}

/// All nodes of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassTotal {
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Their own sizes.
    pub shallow_size: u64,
    /// What would be free without all of them.
    pub retained_size: u64,
}

/// A thing and where it hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retainer {
    /// V8's id of the node.
    pub id: u32,
    /// Its class.
    pub class: String,
    /// The way to it, in words.
    pub path: String,
    /// Its own size.
    pub shallow_size: u64,
    /// What would be free without it.
    pub retained_size: u64,
}

/// A collection and where it hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    /// V8's id of the node.
    pub id: u32,
    /// `Map`, `Set`, `Array`, `Object` (one that is used as a dictionary), `Listeners` (of an EventEmitter for one event) or `Timers` (with
    /// the same callback).
    pub kind: &'static str,
    /// The way to it, in words.
    pub path: String,
    /// How many entries it has.
    pub entries: u32,
    /// What would be free without it.
    pub retained_size: u64,
    /// How many more there are at the same place of things alike, of those that were looked at.
    pub alike: u32,
}

/// A text that stands in the heap several times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DuplicateString {
    /// Its beginning.
    pub text: String,
    /// How often.
    pub count: u64,
    /// All of them together.
    pub size: u64,
}

/// What probably leaks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspect {
    /// V8's id of the node.
    pub id: u32,
    /// The way to it, in words.
    pub path: String,
    /// What would be free without it.
    pub retained_size: u64,
    /// Why it is suspect, in words.
    pub reason: String,
}

impl Summary {
    /// Sums up a heap, with at most `rows` rows of each kind.
    pub fn new(heap: &Heap, rows: usize) -> Self {
        let graph = heap.graph();
        let ways = Ways::new(graph);
        let functions = Functions::find(graph);
        let collections = collections(heap, &ways, &functions, rows);
        Self {
            nodes: graph.node_count(),
            edges: graph.edge_count(),
            total_size: heap.total_size(),
            extra_native_bytes: graph.extra_native_bytes(),
            cut_off_within: graph.cut_off_within(),
            types: types(heap),
            classes: top(heap.classes().iter(), rows, |class| class.retained_size)
                .into_iter()
                .map(total)
                .collect(),
            retainers: retainers(heap, &ways, rows),
            closures: closures(heap, &ways, &functions, rows),
            duplicate_strings: duplicate_strings(heap, rows),
            detached: detached(heap, rows),
            suspects: suspects(heap, &collections),
            collections,
        }
    }
}

/// The largest items that are not nothing.
fn top<T>(items: impl Iterator<Item = T>, rows: usize, size: impl Fn(&T) -> u64) -> Vec<T> {
    top_of(items, rows, size, |_| true)
}

/// The largest of the items that are not nothing and that are wanted, which is asked only where it matters.
fn top_of<T>(
    items: impl Iterator<Item = T>,
    rows: usize,
    size: impl Fn(&T) -> u64,
    is_wanted: impl Fn(&T) -> bool,
) -> Vec<T> {
    let mut largest: Vec<T> = Vec::new();
    let mut least = 0;
    let keep_largest = |items: &mut Vec<T>| {
        items.sort_by_key(|item| Reverse(size(item)));
        items.truncate(rows);
    };
    for item in items {
        if size(&item) <= least || !is_wanted(&item) {
            continue;
        }
        largest.push(item);
        if largest.len() / 2 >= rows {
            keep_largest(&mut largest);
            least = largest.last().map_or(0, &size);
        }
    }
    keep_largest(&mut largest);
    largest
}

fn total(class: &ClassGroup) -> ClassTotal {
    ClassTotal {
        name: class.name.clone(),
        count: class.count,
        shallow_size: class.shallow_size,
        retained_size: class.retained_size,
    }
}

fn types(heap: &Heap) -> Vec<TypeTotal> {
    let mut totals = NodeType::NAMES.map(|(_, kind)| TypeTotal { kind, count: 0, size: 0 });
    for node in heap.graph().nodes() {
        let total = &mut totals[heap.graph().node_type(node) as usize];
        total.count += 1;
        total.size += heap.shallow_size(node);
    }
    top(totals.into_iter(), usize::MAX, |total| total.size)
}

/// Things that users know: no roots, and none of V8's own. The text of a string says nothing of whose it is.
fn is_users(heap: &Heap, node: u32) -> bool {
    let name = heap.graph().strings().bytes(heap.graph().name(node));
    node != ROOT
        && match heap.graph().node_type(node) {
            NodeType::String => true,
            NodeType::Object | NodeType::Closure | NodeType::Native => {
                !name.starts_with(b"system /") && !name.starts_with(b"(")
            }
            _ => false,
        }
}

fn retainers(heap: &Heap, ways: &Ways, rows: usize) -> Vec<Retainer> {
    let graph = heap.graph();
    let mut heaviest = vec![0_u64; graph.nodes().len()];
    for node in graph.nodes().filter(|&node| node != ROOT) {
        let child = &mut heaviest[heap.dominator(node) as usize];
        *child = (*child).max(heap.retained_size(node));
    }
    let holds_together =
        |node: u32| (heaviest[node as usize] as f64) < heap.retained_size(node) as f64 * SPREAD;
    let is_wanted = |&node: &u32| is_users(heap, node) && holds_together(node);
    top_of(graph.nodes(), rows, |&node| heap.retained_size(node), is_wanted)
        .into_iter()
        .map(|node| Retainer {
            id: graph.id(node),
            class: heap.classes()[heap.class(node) as usize].name.clone(),
            path: ways.path(graph, node).join(" › "),
            shallow_size: heap.shallow_size(node),
            retained_size: heap.retained_size(node),
        })
        .collect()
}

fn collections(heap: &Heap, ways: &Ways, functions: &Functions, rows: usize) -> Vec<Collection> {
    let mut collections: Vec<Collection> = Vec::new();
    // Of those that hang in the same place of things alike, such as the list that each entry of a Map has, the largest stands for all.
    let mut known: FxHashMap<String, usize> = FxHashMap::default();
    let hoards = hoards(heap, functions).into_iter();
    for hoard in top(hoards, rows * LIKENESSES, |hoard| hoard.retained_size) {
        let path = hoard.path(heap, ways, functions);
        let index = *known.entry(place_of(&path).join(" › ")).or_insert(collections.len());
        if let Some(present) = collections.get_mut(index) {
            present.alike += 1;
        } else if index < rows {
            collections.push(Collection {
                id: heap.graph().id(hoard.node),
                kind: hoard.kind().name(),
                path: path.join(" › "),
                entries: hoard.entries,
                retained_size: hoard.retained_size,
                alike: 0,
            });
        }
    }
    collections
}

fn duplicate_strings(heap: &Heap, rows: usize) -> Vec<DuplicateString> {
    let graph = heap.graph();
    // V8 writes equal texts once, so that equal numbers mean equal texts.
    let texts = graph.strings().len() as u32;
    let strings = || {
        graph.nodes().filter(|&node| graph.node_type(node) == NodeType::String && graph.name(node) < texts)
    };
    let (mut seen, mut seen_again) = (Bits::new(texts), Bits::new(texts));
    for name in strings().map(|node| graph.name(node)) {
        if !seen.add(name) {
            seen_again.insert(name);
        }
    }
    let mut counts: FxHashMap<u32, (u64, u64, u32)> = FxHashMap::default();
    for node in strings().filter(|&node| seen_again.has(graph.name(node))) {
        let (count, size, _) = counts.entry(graph.name(node)).or_insert((0, 0, node));
        *count += 1;
        *size += heap.shallow_size(node);
    }
    let mut repeated: Vec<_> = counts.into_values().collect();
    repeated.sort_unstable_by_key(|&(count, size, node)| (Reverse(size - size / count), node));
    repeated.truncate(rows);
    repeated
        .into_iter()
        .map(|(count, size, node)| DuplicateString { text: label(graph, node), count, size })
        .collect()
}

fn detached(heap: &Heap, rows: usize) -> Vec<ClassTotal> {
    let detached = heap.classes().iter().filter(|class| class.name.starts_with("Detached "));
    top(detached, rows, |class| class.retained_size).into_iter().map(total).collect()
}

fn suspects(heap: &Heap, collections: &[Collection]) -> Vec<Suspect> {
    let is_suspect = |collection: &&Collection| {
        collection.entries >= SUSPECT_ENTRIES
            && collection.retained_size as f64 >= heap.total_size() as f64 * SUSPECT_PART
            && !collection.path.contains("node:")
    };
    collections
        .iter()
        .filter(is_suspect)
        .map(|collection| Suspect {
            id: collection.id,
            path: collection.path.clone(),
            retained_size: collection.retained_size,
            reason: format!(
                "{} entries of {} B each on average keep {:.0} % of the heap",
                collection.entries,
                collection.retained_size / u64::from(collection.entries.max(1)),
                collection.retained_size as f64 / heap.total_size().max(1) as f64 * 100.0,
            ),
        })
        .collect()
}
