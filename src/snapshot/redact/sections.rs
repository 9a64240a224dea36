use std::io::{Read, Write};

use serde_json::Value;

use super::{
    super::{
        Observer, SnapshotFileError, Strings,
        input::Input,
        meta::{Header, MAX_FIELDS, NodeLayout},
    },
    RedactError, RedactOptions, Redacted,
    code::Witnesses,
    nodes::Nodes,
    output::Output,
    role::{Classes, MarkedTexts, Marks, Role, Uses},
    verdict::{Evidence, Verdicts},
};

/// V8 writes 2 KB.
const MAX_HEADER: usize = 1 << 20;
/// Strings are numbered as they are used; in a file that is damaged or made up, a number may be anything.
const MIN_STRINGS: u64 = 1 << 24;

/// A snapshot on its way from one file to the other.
pub(super) struct Redaction<'a, R, W> {
    pub(super) input: Input<'a, R>,
    pub(super) output: Output<W>,
    options: &'a RedactOptions,
    header: Option<Header>,
    pub(super) node_fields: u64,
    pub(super) nodes: Nodes,
    pub(super) uses: Uses,
    pub(super) classes: Classes,
    pub(super) witnesses: Witnesses,
    pub(super) marks: MarkedTexts,
    pub(super) redacted: Redacted,
}

impl<'a, R: Read, W: Write> Redaction<'a, R, W> {
    pub(super) fn new(reader: R, writer: W, options: &'a RedactOptions, observer: &'a dyn Observer) -> Self {
        Self {
            input: Input::new(reader, observer),
            output: Output::new(writer),
            options,
            header: None,
            node_fields: 1,
            nodes: Nodes::default(),
            uses: Uses::default(),
            classes: Classes::default(),
            witnesses: Witnesses::default(),
            marks: MarkedTexts::default(),
            redacted: Redacted::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<Redacted, RedactError> {
        if !self.input.take(b'{')? {
            return Err(self.input.unexpected("`{\"snapshot\":`, with which a heap snapshot begins").into());
        }
        self.output.text(b"{")?;
        let mut done: Vec<Vec<u8>> = Vec::new();
        loop {
            let mut key = Vec::new();
            self.input.string(&mut key)?;
            self.input.expect(b':')?;
            let is_late = done.last().is_some_and(|last| last == b"strings")
                || (key == b"nodes" && done.iter().any(|done| done == b"edges"));
            if is_late || done.contains(&key) {
                return Err(self
                    .input
                    .unexpected("every section once, `nodes` before `edges` and `strings` at the end")
                    .into());
            }
            self.output.string(&key)?;
            self.output.text(b":")?;
            match key.as_slice() {
                b"snapshot" => self.snapshot()?,
                b"nodes" => self.nodes()?,
                b"edges" => self.edges()?,
                b"trace_function_infos" => self.functions()?,
                b"strings" => self.strings()?,
                _ => self.numbers()?,
            }
            done.push(key);
            self.input.within = "the list of its sections";
            if !self.input.take(b',')? {
                self.input.expect(b'}')?;
                break;
            }
            self.output.text(b",\n")?;
        }
        let is_there = |section: &&[u8]| done.iter().any(|done| done == section);
        if ![b"snapshot".as_slice(), b"nodes", b"edges", b"strings"].iter().all(is_there) {
            return Err(self
                .input
                .unexpected("a heap snapshot with `snapshot`, `nodes`, `edges` and `strings`")
                .into());
        }
        self.output.text(b"}")?;
        self.output.end()?;
        Ok(self.redacted)
    }

    pub(super) fn described(&self) -> Result<&Header, SnapshotFileError> {
        self.header.as_ref().ok_or_else(|| self.input.unexpected("`snapshot` before all else"))
    }

    /// What the sections are; V8 writes no texts but the names of fields and types.
    fn snapshot(&mut self) -> Result<(), RedactError> {
        self.input.within = "`snapshot`";
        let offset = self.input.offset();
        let mut text = Vec::new();
        self.input.value(Some(&mut text), MAX_HEADER)?;
        let not_one = |error: serde_json::Error| SnapshotFileError::Unexpected {
            offset,
            expected: "the description of a heap snapshot".into(),
            found: format!("JSON that is none: {error}"),
        };
        self.header = Some(serde_json::from_slice(&text).map_err(not_one)?);
        let mut value: Value = serde_json::from_slice(&text).map_err(not_one)?;
        if let Some(members) = value.as_object_mut() {
            let before = members.len();
            members.retain(|name, value| name == "meta" || value.is_number());
            if members.len() < before {
                text = value.to_string().into_bytes();
            }
        }
        self.output.text(&text)
    }

    fn nodes(&mut self) -> Result<(), RedactError> {
        self.input.within = "`nodes`";
        let announced = self.described()?.node_count;
        let layout = self.described()?.meta.nodes().map_err(|missing| self.input.unexpected(missing))?;
        let NodeLayout { fields, kind, name, edge_count, kinds, .. } = layout;
        self.node_fields = fields as u64;
        let no_memory = SnapshotFileError::NoMemory { what: "nodes", count: announced };
        match u32::try_from(announced).ok().map(|count| self.nodes.reserve(count as usize)) {
            Some(Ok(())) => {}
            _ => return Err(no_memory.into()),
        }
        let mut row = [0; MAX_FIELDS];
        self.list(|redaction, is_first| {
            redaction.input.row(&mut row[..fields])?;
            let Some(&node_type) = usize::try_from(row[kind]).ok().and_then(|kind| kinds.get(kind)) else {
                return Err(redaction
                    .unexpected(format!("the number of one of {} node types", kinds.len()), row[kind]));
            };
            let Ok(edges) = u32::try_from(row[edge_count]) else {
                return Err(redaction.unexpected("numbers below 2^32".into(), row[edge_count]));
            };
            let text = redaction.string_number(row[name])?;
            row[name] = redaction.uses.number(text, Role::of_node(node_type));
            redaction.marks.mark(text, Marks::of_node(node_type));
            redaction.nodes.push(node_type, text, edges);
            redaction.output.row(is_first, &row[..fields])
        })?;
        let count = u64::from(self.nodes.len());
        if count != announced {
            return Err(self
                .input
                .unexpected(format!("{announced} nodes, as `node_count` says; there are {count}"))
                .into());
        }
        self.redacted.nodes = count;
        Ok(())
    }

    /// The functions on the stacks of allocations.
    fn functions(&mut self) -> Result<(), RedactError> {
        self.input.within = "`trace_function_infos`";
        let (fields, name, script) =
            self.described()?.meta.functions().map_err(|missing| self.input.unexpected(missing))?;
        let mut row = [0; MAX_FIELDS];
        self.list(|redaction, is_first| {
            redaction.input.row(&mut row[..fields])?;
            let (function_name, script_name) =
                (redaction.string_number(row[name])?, redaction.string_number(row[script])?);
            row[name] = redaction.uses.number(function_name, Role::NAME);
            row[script] = redaction.uses.number(script_name, Role::NAME);
            redaction.marks.mark(script_name, Marks::CODE);
            redaction.output.row(is_first, &row[..fields])
        })
    }

    /// What consists of numbers only, however deep. Texts, which V8 does not write here, are emptied.
    fn numbers(&mut self) -> Result<(), RedactError> {
        self.input.within = "a section between the others";
        let mut depth = 0_u64;
        loop {
            match self.input.peek()? {
                b'"' => {
                    self.input.string(&mut Vec::new())?;
                    self.output.text(b"\"\"")?;
                }
                b'0'..=b'9' => {
                    let number = self.input.number()?;
                    self.output.number(number)?;
                }
                byte @ (b'[' | b']' | b'{' | b'}') => {
                    self.input.expect(byte)?;
                    self.output.text(&[byte])?;
                    match byte {
                        b'[' | b'{' => depth += 1,
                        _ => depth = depth.saturating_sub(1),
                    }
                }
                byte @ (b',' | b':') if depth > 0 => {
                    self.input.expect(byte)?;
                    self.output.text(&[byte])?;
                    continue;
                }
                _ => return Err(self.input.unexpected("whole numbers and lists of them").into()),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn strings(&mut self) -> Result<(), RedactError> {
        self.input.within = "`strings`";
        let mut strings = Strings::default();
        self.input.expect(b'[')?;
        if !self.input.take(b']')? {
            loop {
                self.input.string(&mut strings.texts)?;
                strings.end()?;
                if !self.input.take(b',')? {
                    break;
                }
            }
            self.input.expect(b']')?;
        }
        if self.uses.strings() > strings.len() {
            return Err(self
                .input
                .unexpected(format!(
                    "{} strings or more, as nodes and edges say; there are {}",
                    self.uses.strings(),
                    strings.len()
                ))
                .into());
        }
        let testimony = std::mem::take(&mut self.witnesses).testimony(&self.nodes.named, &strings);
        let evidence = Evidence {
            strings: &strings,
            testimony: &testimony,
            marks: &self.marks,
            uses: &self.uses,
            classes: &self.classes,
            keys: self.options.keys,
        };
        let mut verdicts = Verdicts::new(evidence, &self.options.salt);
        self.output.text(b"[")?;
        let mut text = Vec::new();
        for (index, used) in self.uses.iter().enumerate() {
            text.clear();
            if let Some((string, role)) = used {
                verdicts.push(index as u64, string, role, &mut text);
                self.redacted.replaced += u64::from(text != strings.bytes(string));
            }
            if index > 0 {
                self.output.text(b",\n")?;
            }
            self.output.string(&text)?;
        }
        self.redacted.strings = strings.len() as u64;
        self.output.text(b"]")
    }

    /// `[1,2,3,...]`: `take` reads and writes a row, and is told whether it is the first.
    fn list(
        &mut self,
        mut take: impl FnMut(&mut Self, bool) -> Result<(), RedactError>,
    ) -> Result<(), RedactError> {
        self.input.expect(b'[')?;
        self.output.text(b"[")?;
        if !self.input.take(b']')? {
            let mut is_first = true;
            loop {
                take(self, is_first)?;
                is_first = false;
                if !self.input.take(b',')? {
                    break;
                }
            }
            self.input.expect(b']')?;
        }
        self.output.text(b"]")
    }

    #[inline]
    pub(super) fn string_number(&self, number: u64) -> Result<u32, RedactError> {
        match u32::try_from(number) {
            Ok(string) if number < MIN_STRINGS.max(self.input.offset()) => Ok(string),
            _ => Err(self.unexpected("the number of a string".into(), number)),
        }
    }

    #[cold]
    pub(super) fn unexpected(&self, expected: String, found: u64) -> RedactError {
        RedactError::Snapshot(SnapshotFileError::Unexpected {
            offset: self.input.offset(),
            expected: format!("{expected} in the row that ends here"),
            found: found.to_string(),
        })
    }
}
