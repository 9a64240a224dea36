use std::io::{Read, Write};

use super::{
    super::{
        EdgeType, NodeType,
        meta::{EdgeLayout, MAX_FIELDS},
    },
    RedactError,
    code::Target,
    nodes::{DICTIONARY, Nodes},
    role::{Marks, Role},
    sections::Redaction,
};

/// With so many edges before it has enough properties, an object is none that is used as a dictionary.
const PATIENCE: usize = 1 << 12;

/// An edge; its row stands aside.
#[derive(Clone, Copy)]
struct Edge {
    kind: EdgeType,
    name: u32,
    target: u32,
}

/// Where an edge goes out from.
#[derive(Clone, Copy)]
struct Source {
    node: u32,
    node_type: NodeType,
    /// Where it matters.
    name: Option<u32>,
    /// The role of its properties' names.
    properties: Role,
}

/// Which number the name `__proto__` has: V8 writes it as the last property of every object, and its text comes last of all. Whoever is wrong
/// about it takes it for a key of a dictionary, which would be one more entry than there is.
#[derive(Debug, Default)]
struct Prototype {
    /// The name that most objects so far had as their last.
    name: Option<u32>,
    majority: u64,
}

impl Prototype {
    /// By Boyer and Moore.
    fn vote(&mut self, name: u32) {
        if self.name == Some(name) {
            self.majority += 1;
        } else if self.majority == 0 {
            *self = Self { name: Some(name), majority: 1 };
        } else {
            self.majority -= 1;
        }
    }

    #[inline]
    fn is(&self, name: u32) -> bool {
        self.name == Some(name)
    }
}

impl<R: Read, W: Write> Redaction<'_, R, W> {
    pub(super) fn edges(&mut self) -> Result<(), RedactError> {
        self.input.within = "`edges`";
        let announced = self.described()?.edge_count;
        let layout = self.described()?.meta.edges().map_err(|missing| self.input.unexpected(missing))?;
        self.input.expect(b'[')?;
        self.output.text(b"[")?;
        let nodes = std::mem::take(&mut self.nodes);
        let mut named = nodes.named.iter().copied().peekable();
        let mut count = 0_u64;
        let mut row = [0; MAX_FIELDS];
        let mut waiting: Vec<([u64; MAX_FIELDS], Edge)> = Vec::new();
        let mut prototype = Prototype::default();
        for (node, edges) in (0..).zip(nodes.edge_counts()) {
            let name = named.next_if(|&(next, _)| next == node).map(|(_, name)| name);
            let node_type = nodes.node_type(node);
            let mut source = Source { node, node_type, name, properties: Role::NAME };
            let mut is_undecided = node_type == NodeType::Object && edges >= DICTIONARY;
            let mut properties = 0;
            let mut last_property = None;
            for left in (0..edges).rev() {
                if count > 0 {
                    self.input.expect(b',')?;
                }
                let edge = self.edge(&layout, &nodes, &mut row)?;
                count += 1;
                if edge.kind == EdgeType::Property {
                    last_property = Some(edge.name);
                }
                if !is_undecided {
                    self.pass(count == 1, source, (&mut row, edge), &layout, &nodes, &prototype)?;
                    continue;
                }
                // An object is a dictionary from some number of properties on: until then its edges wait.
                waiting.push((row, edge));
                properties += u32::from(match edge.kind {
                    EdgeType::Property => !prototype.is(edge.name),
                    kind => kind == EdgeType::Element,
                });
                let is_dictionary = properties >= DICTIONARY;
                if is_dictionary && let Some(class) = source.name {
                    source.properties = self.classes.role_of_keys(class);
                }
                if is_dictionary || left == 0 || waiting.len() >= PATIENCE {
                    is_undecided = false;
                    let first = count - waiting.len() as u64;
                    for (index, (mut row, edge)) in waiting.drain(..).enumerate() {
                        self.pass(
                            first + index as u64 == 0,
                            source,
                            (&mut row, edge),
                            &layout,
                            &nodes,
                            &prototype,
                        )?;
                    }
                }
            }
            if let Some(name) = last_property.filter(|_| node_type == NodeType::Object) {
                prototype.vote(name);
            }
        }
        if count != announced || self.input.peek()? != b']' {
            return Err(self
                .input
                .unexpected(format!("{announced} edges, as `edge_count` says, and {count}, as the nodes say"))
                .into());
        }
        self.input.expect(b']')?;
        self.output.text(b"]")?;
        self.redacted.edges = count;
        self.nodes = nodes;
        Ok(())
    }

    #[inline]
    fn edge(
        &mut self,
        layout: &EdgeLayout,
        nodes: &Nodes,
        row: &mut [u64; MAX_FIELDS],
    ) -> Result<Edge, RedactError> {
        self.input.row(&mut row[..layout.fields])?;
        let kind = usize::try_from(row[layout.kind]).ok().and_then(|kind| layout.kinds.get(kind)).copied();
        let Some(kind) = kind else {
            return Err(self.unexpected(
                format!("the number of one of {} edge types", layout.kinds.len()),
                row[layout.kind],
            ));
        };
        let fields = self.node_fields;
        let (target, rest) = (row[layout.target] / fields, row[layout.target] % fields);
        if rest != 0 || target >= u64::from(nodes.len()) {
            return Err(
                self.unexpected(format!("an edge to one of {} nodes", nodes.len()), row[layout.target])
            );
        }
        let name = if kind.is_numbered() { 0 } else { self.string_number(row[layout.name])? };
        Ok(Edge { kind, name, target: target as u32 })
    }

    /// Gives the name of an edge its role, and keeps what the edge says about other strings.
    #[inline]
    fn pass(
        &mut self,
        is_first: bool,
        source: Source,
        (row, edge): (&mut [u64; MAX_FIELDS], Edge),
        layout: &EdgeLayout,
        nodes: &Nodes,
        prototype: &Prototype,
    ) -> Result<(), RedactError> {
        let Edge { kind, name, target } = edge;
        let text = nodes.text(target);
        match kind {
            EdgeType::Property | EdgeType::Context | EdgeType::Element => {
                text.inspect(|&text| self.marks.mark(text, Marks::VALUE));
            }
            EdgeType::Internal if source.node_type == NodeType::Array => {
                text.inspect(|&text| self.marks.mark(text, Marks::VALUE));
            }
            _ => {}
        }
        let is_named = !kind.is_numbered();
        match source.node_type {
            NodeType::Code if kind != EdgeType::Weak => {
                let to = text
                    .map(Target::Text)
                    .or_else(|| (nodes.node_type(target) == NodeType::Code).then_some(Target::Code(target)));
                if let Some(to) = to {
                    self.witnesses.note_code(source.node, is_named.then_some(name), to);
                }
            }
            NodeType::Synthetic => {
                if let (Some(root), Some(text)) = (source.name, text) {
                    self.witnesses.note_root(root, text);
                }
            }
            _ => {}
        }
        if is_named {
            let role = match kind {
                EdgeType::Property if !prototype.is(name) => source.properties,
                _ => Role::NAME,
            };
            row[layout.name] = self.uses.number(name, role);
            match kind {
                EdgeType::Property | EdgeType::Context | EdgeType::Unknown => {}
                _ if text.is_some() => self.marks.mark(name, Marks::SYSTEM.and(Marks::TO_VALUE)),
                _ => self.marks.mark(name, Marks::SYSTEM),
            }
        }
        self.output.row(is_first, &row[..layout.fields])
    }
}
