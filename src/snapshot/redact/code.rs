use rustc_hash::{FxHashMap, FxHashSet};

use super::super::Strings;

/// So many texts are remembered of a root: V8's startup snapshot has 8,000, an application's table of strings may have millions.
const MAX_TEXTS_OF_ROOT: usize = 1 << 16;
/// So many edges of code are remembered, 24 MiB of them; names that only others vouch for are lost.
const MAX_EDGES: usize = 1 << 21;

/// The roots under which stand the strings that V8 and Node were built with.
const ROOTS: [&[u8]; 4] =
    [b"(Read-only roots)", b"(Startup object cache)", b"(Shareable object cache)", b"(Eternal handles)"];
const SCRIPT: [&[u8]; 2] = [b"script", b"script_or_debug_info"];
/// What only a function has.
const OF_FUNCTION: [&[u8]; 3] = [b"name_or_scope_info", b"function_data", b"trusted_function_data"];
/// What a function has come across while it ran, the names of looked up properties among it.
const FEEDBACK: [&[u8]; 3] =
    [b"system / FeedbackVector", b"system / FeedbackCell", b"system / ClosureFeedbackCellArray"];

/// Who refers to strings and thereby says that they are code's: functions, and V8's own roots.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    edges: Vec<CodeEdge>,
    /// By the name of the root.
    roots: FxHashMap<u32, Vec<u32>>,
}

/// An edge of a node of the type code.
#[derive(Clone, Copy, Debug)]
struct CodeEdge {
    from: u32,
    /// What it is called, if not by a number.
    name: Option<u32>,
    to: Target,
}

/// Where an edge of code leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// To a string, which has this text.
    Text(u32),
    /// To a node of the type code.
    Code(u32),
}

/// What was found out about the code.
#[derive(Debug, Default)]
pub(super) struct Testimony {
    /// The texts that code or V8 itself has put there.
    pub(super) vouched: FxHashSet<u32>,
    /// The names of scripts.
    pub(super) scripts: FxHashSet<u32>,
}

impl Witnesses {
    /// A node of the type code refers to something. Comes in the order of the nodes.
    pub(super) fn note_code(&mut self, from: u32, name: Option<u32>, to: Target) {
        if self.edges.len() < MAX_EDGES {
            self.edges.push(CodeEdge { from, name, to });
        }
    }

    /// A root of this name refers to a text.
    pub(super) fn note_root(&mut self, root: u32, text: u32) {
        let texts = self.roots.entry(root).or_default();
        if texts.len() <= MAX_TEXTS_OF_ROOT {
            texts.push(text);
        }
    }

    /// Hears them all; `names` are those of the code's nodes.
    pub(super) fn testimony(self, names: &[(u32, u32)], strings: &Strings) -> Testimony {
        let mut testimony = Testimony::default();
        for (root, texts) in &self.roots {
            if ROOTS.contains(&strings.bytes(*root)) && texts.len() <= MAX_TEXTS_OF_ROOT {
                testimony.vouched.extend(texts);
            }
        }
        Code { edges: &self.edges, names, strings }.testify(&mut testimony);
        testimony
    }
}

struct Code<'a> {
    edges: &'a [CodeEdge],
    names: &'a [(u32, u32)],
    strings: &'a Strings,
}

impl Code<'_> {
    fn testify(&self, testimony: &mut Testimony) {
        let mut closed: FxHashSet<u32> = FxHashSet::default();
        let mut open = Vec::new();
        for edges in self.edges.chunk_by(|one, other| one.from == other.from) {
            let node = edges[0].from;
            if self.has(edges, &[b"source"]) {
                closed.insert(node);
                testimony.scripts.extend(self.name(node));
            }
            if self.has(edges, &OF_FUNCTION) || self.has(edges, &SCRIPT) {
                closed.insert(node);
                if self.is_from_file(node) {
                    open.push(node);
                }
            }
        }
        while let Some(node) = open.pop() {
            for edge in self.edges(node) {
                match edge.to {
                    Target::Text(text) => {
                        testimony.vouched.insert(text);
                    }
                    Target::Code(next) => {
                        let name = self.name(next).map_or(&[][..], |name| self.strings.bytes(name));
                        if !FEEDBACK.contains(&name) && closed.insert(next) {
                            open.push(next);
                        }
                    }
                }
            }
        }
    }

    fn edges(&self, node: u32) -> &[CodeEdge] {
        let start = self.edges.partition_point(|edge| edge.from < node);
        let edges = &self.edges[start..];
        &edges[..edges.partition_point(|edge| edge.from == node)]
    }

    fn name(&self, node: u32) -> Option<u32> {
        let index = self.names.binary_search_by_key(&node, |&(node, _)| node).ok()?;
        Some(self.names[index].1)
    }

    fn is_called(&self, edge: &CodeEdge, names: &[&[u8]]) -> bool {
        edge.name.is_some_and(|name| names.contains(&self.strings.bytes(name)))
    }

    fn has(&self, edges: &[CodeEdge], names: &[&[u8]]) -> bool {
        edges.iter().any(|edge| self.is_called(edge, names))
    }

    /// Whether a function's script is a file's. V8's own functions and those of native code have none.
    fn is_from_file(&self, function: u32) -> bool {
        let script = |node: u32| {
            self.edges(node).iter().find(|edge| self.is_called(edge, &SCRIPT)).and_then(|edge| {
                match edge.to {
                    Target::Code(script) => Some(script),
                    Target::Text(_) => None,
                }
            })
        };
        let Some(first) = script(function) else { return true };
        // While someone debugs, there is something between a function and its script.
        let name = self.name(script(first).unwrap_or(first));
        name.is_some_and(|name| is_file(self.strings.bytes(name)))
    }
}

/// Whether the name of a script is one of a file or of what was given to Node at its start, and not of code that was made of text at run time.
pub(super) fn is_file(name: &[u8]) -> bool {
    const STARTS: [&[u8]; 9] =
        [b"/", b"\\\\", b"node:", b"file:", b"http://", b"https://", b"electron/", b"[eval]", b"[stdin]"];
    let has_drive = matches!(name, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic());
    has_drive || STARTS.iter().any(|start| name.starts_with(start))
}
