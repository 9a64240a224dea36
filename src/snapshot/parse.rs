use std::io::Read;

use super::{
    EdgeType, Graph, Location, Observer, SnapshotFileError,
    graph::Sizes,
    input::Input,
    meta::{EdgeLayout, Header, LocationLayout, MAX_FIELDS, NodeLayout},
};

/// The value of `snapshot` is at most so long; V8 writes 2 KB.
const MAX_HEADER: usize = 1 << 20;
/// A name of a section is.
const MAX_KEY: usize = 1 << 10;
/// Without knowing the size of the file, memory for at most so many rows is set aside before they were seen.
const MAX_BLIND_ROWS: u64 = 1 << 22;

/// How to read a snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// The size of the whole JSON text, where it is known.
    pub size: Option<u64>,
    /// Makes do with what is there of a file that was cut off.
    pub partial: bool,
}

/// Reads the JSON text of a heap snapshot as V8 writes it.
pub fn read(
    reader: impl Read,
    options: ReadOptions,
    observer: &dyn Observer,
) -> Result<Graph, SnapshotFileError> {
    let mut parser =
        Parser { input: Input::new(reader, observer), options, header: None, graph: Graph::default() };
    match parser.sections() {
        Ok(()) => parser.check(),
        Err(SnapshotFileError::Truncated { within, .. })
            if options.partial && !parser.graph.names.is_empty() =>
        {
            parser.graph.cut_off_within = Some(within);
            parser.make_do();
            Ok(())
        }
        Err(error) => Err(error),
    }?;
    let mut graph = parser.graph;
    graph.locations.sort_unstable_by_key(|location| location.node);
    Ok(graph)
}

struct Parser<'a, R> {
    input: Input<'a, R>,
    options: ReadOptions,
    header: Option<Header>,
    graph: Graph,
}

/// The largest number of a string that was asked for, and where.
#[derive(Clone, Copy, Default)]
struct Largest {
    number: u32,
    offset: u64,
}

impl Largest {
    const fn note(&mut self, number: u32, offset: u64) {
        if number > self.number {
            *self = Self { number, offset };
        }
    }
}

impl<R: Read> Parser<'_, R> {
    fn sections(&mut self) -> Result<(), SnapshotFileError> {
        if !self.input.take(b'{')? {
            return Err(self.input.unexpected("`{\"snapshot\":`, with which a heap snapshot begins"));
        }
        let mut key = Vec::new();
        let mut largest = Largest::default();
        loop {
            key.clear();
            self.input.string(&mut key)?;
            self.input.expect(b':')?;
            match key.as_slice() {
                b"snapshot" => self.header()?,
                b"nodes" => self.nodes(&mut largest)?,
                b"edges" => self.edges(&mut largest)?,
                b"locations" => self.locations()?,
                b"strings" => self.strings()?,
                _ => {
                    self.input.within = "a section between the others";
                    self.input.value(None, MAX_KEY)?;
                }
            }
            self.input.within = "the list of its sections";
            if !self.input.take(b',')? {
                self.input.expect(b'}')?;
                break;
            }
        }
        let strings = self.graph.strings.len();
        if self.header.is_none() || strings == 0 {
            return Err(self
                .input
                .unexpected("a heap snapshot with `snapshot`, `nodes`, `edges` and `strings`"));
        }
        if largest.number as usize >= strings {
            return Err(SnapshotFileError::Unexpected {
                offset: largest.offset,
                expected: format!("the number of one of the {strings} strings"),
                found: largest.number.to_string(),
            });
        }
        Ok(())
    }

    fn header(&mut self) -> Result<(), SnapshotFileError> {
        self.input.within = "`snapshot`";
        let start = self.input.offset();
        let mut text = Vec::new();
        self.input.value(Some(&mut text), MAX_HEADER)?;
        let header: Header =
            serde_json::from_slice(&text).map_err(|error| SnapshotFileError::Unexpected {
                offset: start,
                expected: "the description of a heap snapshot".into(),
                found: format!("JSON that is none: {error}"),
            })?;
        self.graph.extra_native_bytes = header.extra_native_bytes;
        self.header = Some(header);
        Ok(())
    }

    fn described(&self) -> Result<&Header, SnapshotFileError> {
        self.header.as_ref().ok_or_else(|| self.input.unexpected("`snapshot` before all else"))
    }

    /// How many rows to set memory aside for: as many as are announced, but no more than the file can hold.
    fn rows_to_expect(&self, announced: u64, fields: usize) -> usize {
        let possible = self.options.size.map_or(MAX_BLIND_ROWS, |size| size / (2 * fields as u64));
        usize::try_from(announced.min(possible)).unwrap_or(0)
    }

    fn nodes(&mut self, largest: &mut Largest) -> Result<(), SnapshotFileError> {
        self.input.within = "`nodes`";
        let header = self.described()?;
        let announced = header.node_count;
        let layout = header.meta.nodes().map_err(|missing| self.input.unexpected(missing))?;
        let rows = self.rows_to_expect(announced, layout.fields);
        let no_memory = |_| SnapshotFileError::NoMemory { what: "nodes", count: announced };
        let graph = &mut self.graph;
        graph.node_types.try_reserve_exact(rows).map_err(no_memory)?;
        graph.names.try_reserve_exact(rows).map_err(no_memory)?;
        graph.ids.try_reserve_exact(rows).map_err(no_memory)?;
        graph.detachedness.try_reserve_exact(rows).map_err(no_memory)?;
        graph.first_edges.try_reserve_exact(rows + 1).map_err(no_memory)?;
        graph.self_sizes = Sizes::with_capacity(rows).map_err(no_memory)?;
        graph.first_edges.push(0);
        let NodeLayout { fields, kind, name, id, self_size, edge_count, detachedness, kinds } = layout;
        let mut edges = 0_u64;
        let count = each_row(&mut self.input, fields, |row, offset| {
            let kind =
                *usize::try_from(row[kind]).ok().and_then(|kind| kinds.get(kind)).ok_or_else(|| {
                    unexpected(offset, format!("the number of one of {} node types", kinds.len()), row[kind])
                })?;
            edges = edges.saturating_add(row[edge_count]);
            let end = narrow(offset, edges)?;
            let name = narrow(offset, row[name])?;
            largest.note(name, offset);
            graph.node_types.push(kind);
            graph.names.push(name);
            graph.ids.push(narrow(offset, row[id])?);
            graph.self_sizes.push(row[self_size]);
            graph.first_edges.push(end);
            graph.detachedness.push(detachedness.map_or(0, |at| row[at] as u8));
            Ok(())
        })?;
        if count != announced {
            return Err(self
                .input
                .unexpected(format!("{announced} nodes, as `node_count` says; there are {count}")));
        }
        Ok(())
    }

    fn edges(&mut self, largest: &mut Largest) -> Result<(), SnapshotFileError> {
        self.input.within = "`edges`";
        let header = self.described()?;
        let announced = header.edge_count;
        let node_fields =
            header.meta.nodes().map_err(|missing| self.input.unexpected(missing))?.fields as u64;
        let EdgeLayout { fields, kind, name, target, kinds } =
            header.meta.edges().map_err(|missing| self.input.unexpected(missing))?;
        let rows = self.rows_to_expect(announced, fields);
        let no_memory = |_| SnapshotFileError::NoMemory { what: "edges", count: announced };
        let nodes = u64::from(self.graph.node_count());
        let owned = self.graph.first_edges.last().map_or(0, |&end| u64::from(end));
        let graph = &mut self.graph;
        graph.edge_types.try_reserve_exact(rows).map_err(no_memory)?;
        graph.edge_names.try_reserve_exact(rows).map_err(no_memory)?;
        graph.edge_targets.try_reserve_exact(rows).map_err(no_memory)?;
        let count = each_row(&mut self.input, fields, |row, offset| {
            let kind: EdgeType =
                *usize::try_from(row[kind]).ok().and_then(|kind| kinds.get(kind)).ok_or_else(|| {
                    unexpected(offset, format!("the number of one of {} edge types", kinds.len()), row[kind])
                })?;
            let name = narrow(offset, row[name])?;
            if !kind.is_numbered() {
                largest.note(name, offset);
            }
            let (node, rest) = (row[target] / node_fields, row[target] % node_fields);
            if rest != 0 || node >= nodes {
                return Err(unexpected(offset, format!("an edge to one of {nodes} nodes"), row[target]));
            }
            graph.edge_types.push(kind);
            graph.edge_names.push(name);
            graph.edge_targets.push(node as u32);
            Ok(())
        })?;
        if count != announced || count != owned {
            return Err(self.input.unexpected(format!(
                "{announced} edges, as `edge_count` says, and {owned}, as the nodes say; there are {count}"
            )));
        }
        Ok(())
    }

    fn locations(&mut self) -> Result<(), SnapshotFileError> {
        self.input.within = "`locations`";
        let header = self.described()?;
        let node_fields =
            header.meta.nodes().map_err(|missing| self.input.unexpected(missing))?.fields as u64;
        let LocationLayout { fields, node, script_id, line, column } =
            header.meta.locations().map_err(|missing| self.input.unexpected(missing))?;
        let nodes = u64::from(self.graph.node_count());
        let locations = &mut self.graph.locations;
        each_row(&mut self.input, fields, |row, offset| {
            let (index, rest) = (row[node] / node_fields, row[node] % node_fields);
            if rest != 0 || index >= nodes {
                return Err(unexpected(offset, format!("the location of one of {nodes} nodes"), row[node]));
            }
            locations.push(Location {
                node: index as u32,
                script_id: narrow(offset, row[script_id])?,
                line: narrow(offset, row[line])?,
                column: narrow(offset, row[column])?,
            });
            Ok(())
        })?;
        Ok(())
    }

    fn strings(&mut self) -> Result<(), SnapshotFileError> {
        self.input.within = "`strings`";
        self.input.expect(b'[')?;
        if self.input.take(b']')? {
            return Ok(());
        }
        let strings = &mut self.graph.strings;
        loop {
            let before = strings.texts.len();
            if let Err(error) = self.input.string(&mut strings.texts) {
                strings.texts.truncate(before);
                return Err(error);
            }
            strings.ends.push(strings.texts.len());
            if !self.input.take(b',')? {
                return self.input.expect(b']');
            }
        }
    }

    /// The columns are complete and agree.
    fn check(&self) -> Result<(), SnapshotFileError> {
        let graph = &self.graph;
        let owned = graph.first_edges.last().copied();
        if graph.names.is_empty() || owned != Some(graph.edge_count()) {
            return Err(self.input.unexpected("a heap snapshot with `nodes` and `edges`"));
        }
        Ok(())
    }

    /// Of a file that was cut off: the nodes without the edges that are missing.
    fn make_do(&mut self) {
        let graph = &mut self.graph;
        let nodes = graph.names.len();
        graph.first_edges.truncate(nodes + 1);
        let edges = graph.edge_count();
        graph.edge_types.truncate(edges as usize);
        graph.edge_names.truncate(edges as usize);
        for end in &mut graph.first_edges {
            *end = (*end).min(edges);
        }
    }
}

/// Reads `[1,2,3,...]` in rows of so many numbers. Each row is handed over with the offset behind it. Returns their number.
fn each_row<R: Read>(
    input: &mut Input<'_, R>,
    fields: usize,
    mut take: impl FnMut(&[u64; MAX_FIELDS], u64) -> Result<(), SnapshotFileError>,
) -> Result<u64, SnapshotFileError> {
    input.expect(b'[')?;
    if input.take(b']')? {
        return Ok(0);
    }
    let mut row = [0; MAX_FIELDS];
    let mut count = 0;
    loop {
        for (field, value) in row[..fields].iter_mut().enumerate() {
            if field > 0 {
                input.expect(b',')?;
            }
            *value = input.number()?;
        }
        take(&row, input.offset())?;
        count += 1;
        if !input.take(b',')? {
            input.expect(b']')?;
            return Ok(count);
        }
    }
}

fn narrow(offset: u64, number: u64) -> Result<u32, SnapshotFileError> {
    u32::try_from(number).map_err(|_| unexpected(offset, "numbers below 2^32".into(), number))
}

fn unexpected(offset: u64, expected: String, found: u64) -> SnapshotFileError {
    SnapshotFileError::Unexpected {
        offset,
        expected: format!("{expected} in the row that ends here"),
        found: found.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::{
        NodeType,
        testing::{graph, graphs, json, node, parse},
    };

    fn small() -> String {
        json(&[
            node(NodeType::Synthetic, "", 0, &[(EdgeType::Element, "1", 1)]),
            node(
                NodeType::Object,
                "Größe \"x\"\n",
                40,
                &[(EdgeType::Property, "größe", 2), (EdgeType::Weak, "w", 0)],
            ),
            node(NodeType::String, "text", 5_000_000_000, &[]),
        ])
    }

    #[test]
    fn reads_what_v8_writes() {
        let graph = parse(small().as_bytes()).unwrap();
        assert_eq!((graph.node_count(), graph.edge_count()), (3, 3));
        assert_eq!(graph.strings().get(graph.name(1)), "Größe \"x\"\n");
        assert_eq!(graph.self_size(2), 5_000_000_000);
        assert_eq!(graph.edges(1), 1..3);
        assert_eq!((graph.edge_type(1), graph.target(1)), (EdgeType::Property, 2));
        assert_eq!(
            graph.location(0).map(|place| (place.script_id, place.line, place.column)),
            Some((9, 4, 2))
        );
        assert_eq!(graph.extra_native_bytes(), 77);
    }

    #[test]
    fn text_is_taken_as_v8_cuts_it() {
        let text = small().replace("\"text\"", r#""a\ud83d\ude00\ud83d\u00e9\ude00b\ud83d""#);
        let graph = parse(text.as_bytes()).unwrap();
        let expected = b"a\xf0\x9f\x98\x80\xed\xa0\xbd\xc3\xa9\xed\xb8\x80b\xed\xa0\xbd";
        assert_eq!(graph.strings().bytes(graph.name(2)), expected);
        assert!(graph.strings().get(graph.name(2)).starts_with("a😀\u{fffd}"));
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused_with_the_place() {
        let text = small();
        for length in 0..text.len() {
            match parse(&text.as_bytes()[..length]) {
                Err(SnapshotFileError::Truncated { offset, .. }) => assert_eq!(offset, length as u64),
                other => panic!("cut to {length}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_file_cut_off_gives_what_is_there() {
        let text = small();
        let partial = ReadOptions { size: None, partial: true };
        let nodes = text.find("\"nodes\":[").unwrap() + "\"nodes\":[".len();
        let mut known = Vec::new();
        for length in nodes..text.len() {
            if let Ok(graph) = read(&text.as_bytes()[..length], partial, &()) {
                assert!(graph.cut_off_within().is_some());
                for node in graph.nodes() {
                    assert!(graph.edges(node).all(|edge| graph.target(edge) < graph.node_count()));
                    let _ = graph.strings().get(graph.name(node));
                }
                known.push((graph.node_count(), graph.edge_count()));
            }
        }
        assert!(known.is_sorted());
        assert_eq!((known.first(), known.last()), (Some(&(1, 0)), Some(&(3, 3))));
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_the_reason() {
        let good = small();
        for (text, expected) in [
            (
                "[1, 2]".into(),
                "at byte 0: expected `{\"snapshot\":`, with which a heap snapshot begins, found `[1, 2]`",
            ),
            ("{}".into(), "at byte 1: expected `\"`, found `}`"),
            (
                "{\"a\":{\"b\":[\"]\"]}}".into(),
                "expected a heap snapshot with `snapshot`, `nodes`, `edges` and `strings`",
            ),
            ("{\"nodes\":[1]}".into(), "expected `snapshot` before all else"),
            (
                "{\"snapshot\":5}".into(),
                "expected the description of a heap snapshot, found JSON that is none",
            ),
            (good.replace("\"self_size\"", "\"size\""), "expected `self_size` among the node_fields"),
            (
                good.replace("\"node_count\":3", "\"node_count\":4"),
                "expected 4 nodes, as `node_count` says; there are 3",
            ),
            (
                good.replace("\"edge_count\":3", "\"edge_count\":9"),
                "expected 9 edges, as `edge_count` says, and 3",
            ),
            (good.replace("5000000000", "123456789012345678901"), "expected a number below 10^19"),
            (good.replace("5000000000", "-5"), "expected a whole number from 0, found `-5"),
            (
                good.replace("\"locations\":[0,", "\"locations\":[60,"),
                "expected the location of one of 3 nodes",
            ),
            (
                good.replace("\"edges\":[1,1,6", "\"edges\":[1,1,7"),
                "expected an edge to one of 3 nodes in the row that ends here, found 7",
            ),
            (
                good.replace("\"edges\":[1,1,6", "\"edges\":[9,1,6"),
                "expected the number of one of 7 edge types",
            ),
            (good.replace("\"nodes\":[9,0", "\"nodes\":[9,900"), "expected the number of one of the"),
        ] {
            let error = parse(text.as_bytes()).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error:?} does not tell: {expected:?}");
        }
    }

    #[test]
    fn counts_that_lie_take_no_memory() {
        let text = small().replace("\"node_count\":3", "\"node_count\":4000000000");
        assert!(parse(text.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn blocks_may_end_anywhere(nodes in graphs(), size in 1..50_usize) {
            /// Gives a few bytes at a time.
            struct Drip<'a>(&'a [u8], usize);
            impl io::Read for Drip<'_> {
                fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                    let length = self.1.min(self.0.len()).min(into.len());
                    let (now, later) = self.0.split_at(length);
                    into[..length].copy_from_slice(now);
                    self.0 = later;
                    Ok(length)
                }
            }
            let text = json(&nodes);
            let dripped = read(Drip(text.as_bytes(), size), ReadOptions::default(), &()).unwrap();
            let whole = graph(&nodes);
            prop_assert_eq!(dripped.edge_targets, whole.edge_targets);
            prop_assert_eq!(dripped.strings, whole.strings);
            prop_assert_eq!(dripped.self_sizes, whole.self_sizes);
        }

        #[test]
        fn a_changed_byte_never_panics(nodes in graphs(), at in 0.0..1.0_f64, byte: u8) {
            let mut text = json(&nodes).into_bytes();
            let at = (text.len() as f64 * at) as usize;
            text[at] = byte;
            if let Ok(graph) = parse(&text) {
                let _ = crate::snapshot::Heap::new(graph, &());
            }
        }
    }
}
