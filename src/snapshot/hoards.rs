use super::{
    CollectionKind, Heap,
    collections::{CollectionNames, collection},
    functions::Functions,
    listeners::listeners,
    naming::{Ways, label},
    timers::{Timers, timers},
};

/// Smaller collections are not worth a line.
const MIN_ENTRIES: u32 = 10;

/// A collection of any kind.
pub(super) struct Hoard {
    /// For timers, the one that retains most.
    pub(super) node: u32,
    kind: HoardKind,
    pub(super) entries: u32,
    pub(super) retained_size: u64,
}

enum HoardKind {
    Plain(CollectionKind),
    Listeners,
    /// With their callback.
    Timers(u32),
}

impl Hoard {
    pub(super) const fn kind(&self) -> CollectionKind {
        match self.kind {
            HoardKind::Plain(kind) => kind,
            HoardKind::Listeners => CollectionKind::Listeners,
            HoardKind::Timers(_) => CollectionKind::Timers,
        }
    }

    /// Where it hangs, in words.
    pub(super) fn path(&self, heap: &Heap, ways: &Ways, functions: &Functions) -> Vec<String> {
        let graph = heap.graph();
        match self.kind {
            HoardKind::Plain(_) | HoardKind::Listeners => ways.path(graph, self.node),
            HoardKind::Timers(callback) => {
                let place = functions.place(graph, callback);
                let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
                vec!["timers".into(), format!("{}{place}", label(graph, callback))]
            }
        }
    }
}

/// What holds many things by key, in a row, for an event or for later.
pub(super) fn hoards(heap: &Heap, functions: &Functions) -> Vec<Hoard> {
    let graph = heap.graph();
    let names = CollectionNames::find(graph);
    let listeners = listeners(graph);
    let plain = graph.nodes().filter_map(|node| {
        let (kind, entries) = collection(graph, names, node)?;
        let kind = if listeners.contains(&node) { HoardKind::Listeners } else { HoardKind::Plain(kind) };
        Some(Hoard { node, kind, entries, retained_size: heap.retained_size(node) })
    });
    let timers =
        timers(heap, functions).into_iter().map(|Timers { largest, callback, count, retained_size }| Hoard {
            node: largest,
            kind: HoardKind::Timers(callback),
            entries: count,
            retained_size,
        });
    plain.chain(timers).filter(|hoard| hoard.entries >= MIN_ENTRIES).collect()
}
