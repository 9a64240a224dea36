mod rows;

use std::io::Read;

use rows::{Places, each_row, narrow, unexpected};

use super::{
    EdgeType, Graph, Location, Observer, SnapshotFileError,
    graph::{EdgeEnd, MAX_NODES, Sizes},
    input::Input,
    meta::{EdgeLayout, Header, LocationLayout, NodeLayout},
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
        if announced > MAX_NODES {
            return Err(SnapshotFileError::NoMemory { what: "nodes", count: announced });
        }
        let no_memory = |_| SnapshotFileError::NoMemory { what: "nodes", count: announced };
        let graph = &mut self.graph;
        graph.node_types.try_reserve_exact(rows).map_err(no_memory)?;
        graph.names.try_reserve_exact(rows).map_err(no_memory)?;
        graph.ids.try_reserve_exact(rows).map_err(no_memory)?;
        graph.first_edges.try_reserve_exact(rows + 1).map_err(no_memory)?;
        graph.self_sizes = Sizes::with_capacity(rows).map_err(no_memory)?;
        graph.first_edges.push(0);
        let NodeLayout { fields, kind, name, id, self_size, edge_count, detachedness, kinds } = layout;
        let mut edges = 0_u64;
        let count = each_row(&mut self.input, fields, |row, offset| {
            let kind =
                *usize::try_from(row[kind]).ok().and_then(|kind| kinds.get(kind)).ok_or_else(|| {
                    unexpected(
                        offset,
                        format_args!("the number of one of {} node types", kinds.len()),
                        row[kind],
                    )
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
            if let Some(state) = detachedness.map(|at| row[at] as u8).filter(|&state| state != 0) {
                graph.detachedness.push((graph.names.len() as u32 - 1, state));
            }
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
        let node_fields = header.meta.nodes().map_err(|missing| self.input.unexpected(missing))?.fields;
        let EdgeLayout { fields, kind, name, target, kinds } =
            header.meta.edges().map_err(|missing| self.input.unexpected(missing))?;
        let rows = self.rows_to_expect(announced, fields);
        let no_memory = |_| SnapshotFileError::NoMemory { what: "edges", count: announced };
        let places = Places::new(self.graph.node_count(), node_fields);
        let owned = self.graph.first_edges.last().map_or(0, |&end| u64::from(end));
        let graph = &mut self.graph;
        graph.edge_names.try_reserve_exact(rows).map_err(no_memory)?;
        graph.edge_ends.try_reserve_exact(rows).map_err(no_memory)?;
        let count = each_row(&mut self.input, fields, |row, offset| {
            let kind: EdgeType =
                *usize::try_from(row[kind]).ok().and_then(|kind| kinds.get(kind)).ok_or_else(|| {
                    unexpected(
                        offset,
                        format_args!("the number of one of {} edge types", kinds.len()),
                        row[kind],
                    )
                })?;
            let name = narrow(offset, row[name])?;
            if !kind.is_numbered() {
                largest.note(name, offset);
            }
            let Some(node) = places.node(row[target]) else {
                let nodes = places.nodes;
                return Err(unexpected(offset, format_args!("an edge to one of {nodes} nodes"), row[target]));
            };
            graph.edge_names.push(name);
            graph.edge_ends.push(EdgeEnd::new(kind, node));
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
        let node_fields = header.meta.nodes().map_err(|missing| self.input.unexpected(missing))?.fields;
        let LocationLayout { fields, node, script_id, line, column } =
            header.meta.locations().map_err(|missing| self.input.unexpected(missing))?;
        let places = Places::new(self.graph.node_count(), node_fields);
        let locations = &mut self.graph.locations;
        each_row(&mut self.input, fields, |row, offset| {
            let Some(node) = places.node(row[node]) else {
                let nodes = places.nodes;
                return Err(unexpected(
                    offset,
                    format_args!("the location of one of {nodes} nodes"),
                    row[node],
                ));
            };
            locations.push(Location {
                node,
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
            strings.end()?;
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
        graph.edge_names.truncate(edges as usize);
        for end in &mut graph.first_edges {
            *end = (*end).min(edges);
        }
    }
}

#[cfg(test)]
mod tests;
