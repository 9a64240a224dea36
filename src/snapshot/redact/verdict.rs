use std::hash::Hasher;

use memchr::memmem;
use rustc_hash::{FxHashSet, FxHasher};

use super::{
    super::{Strings, bits::Bits},
    code::{Testimony, is_file},
    entry::{Entry, keep_line_end},
    placeholder::Placeholders,
    role::{Classes, MarkedTexts, Marks, Role, Uses},
    standard::{PROTOTYPES, SOUGHT, STANDARD},
    words::Words,
};

/// What V8 writes around a name.
const WRAPPERS: [(&[u8], &[u8]); 8] = [
    (b"get ", b""),
    (b"set ", b""),
    (b"bound ", b""),
    (b"Detached ", b""),
    (b"global / ", b""),
    (b"<symbol ", b">"),
    (b"<private symbol ", b">"),
    (b"[", b"]"),
];

/// What verdicts rest on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    pub(super) strings: &'a Strings,
    pub(super) testimony: &'a Testimony,
    pub(super) marks: &'a MarkedTexts,
    pub(super) uses: &'a Uses,
    pub(super) classes: &'a Classes,
    /// Whether the keys of dictionaries are values, too.
    pub(super) keys: bool,
}

/// Decides what of a string stays in which role.
#[derive(Debug)]
pub(super) struct Verdicts<'a> {
    evidence: Evidence<'a>,
    vouched: FxHashSet<&'a [u8]>,
    words: Words,
    values: Hashes,
    placeholders: Placeholders,
}

impl<'a> Verdicts<'a> {
    pub(super) fn new(evidence: Evidence<'a>, salt: &[u8; 32]) -> Self {
        let standard = STANDARD.iter().map(|name| name.as_bytes());
        let texts = evidence.testimony.vouched.iter().map(|&text| evidence.strings.bytes(text));
        let vouched: FxHashSet<&[u8]> = standard.chain(texts).collect();
        let mut words = Words::default();
        vouched.iter().for_each(|text| words.learn(text));
        let values = Hashes::new(evidence.strings, evidence.marks);
        Self { evidence, vouched, words, values, placeholders: Placeholders::new(salt) }
    }

    /// Appends what is written in place of a string in a role, under a number.
    pub(super) fn push(&mut self, number: u64, string: u32, role: Role, into: &mut Vec<u8>) {
        let text = self.evidence.strings.bytes(string);
        match role {
            Role::WORD if self.is_standard(text) => into.extend_from_slice(text),
            Role::NAME => self.push_name_of(string, into),
            _ => match role.key_of() {
                Some(class) => {
                    let is_first =
                        SOUGHT.contains(&text) && !self.evidence.uses.is_name_before(string, number);
                    if is_first || (self.is_dictionary(class) && !PROTOTYPES.contains(&text)) {
                        self.push_key(text, into);
                    } else {
                        self.push_name_of(string, into);
                    }
                }
                None => self.placeholders.push(text, into),
            },
        }
    }

    fn push_name_of(&mut self, string: u32, into: &mut Vec<u8>) {
        let text = self.evidence.strings.bytes(string);
        let marks = self.evidence.marks.get(string);
        if marks.has(Marks::SYSTEM) {
            self.push_system(text, marks.has(Marks::TO_VALUE), into);
        } else if marks.has(Marks::NATIVE) {
            self.push_native(text, into);
        } else if marks.has(Marks::CODE) {
            self.push_code(string, into);
        } else {
            self.push_name(text, into);
        }
    }

    fn is_dictionary(&self, class: usize) -> bool {
        let name = self.evidence.classes.name(class);
        self.evidence.keys && name.is_none_or(|name| self.evidence.strings.bytes(name) == b"Object")
    }

    fn is_standard(&self, text: &[u8]) -> bool {
        STANDARD.iter().any(|name| name.as_bytes() == text)
    }

    fn push_key(&mut self, text: &[u8], into: &mut Vec<u8>) {
        match unwrap(text) {
            Some((before, inner, after)) => {
                into.extend_from_slice(before);
                if inner.starts_with(b"Symbol.") && self.is_standard(inner) {
                    into.extend_from_slice(inner);
                } else {
                    self.placeholders.push(inner, into);
                }
                into.extend_from_slice(after);
            }
            None => self.placeholders.push(text, into),
        }
    }

    fn push_name(&mut self, text: &[u8], into: &mut Vec<u8>) {
        let is_code = text.is_empty()
            || self.vouched.contains(text)
            || (self.words.know(text) && !self.values.may_have(text));
        if is_code {
            into.extend_from_slice(text);
        } else if let Some((before, inner, after)) = unwrap(text) {
            into.extend_from_slice(before);
            self.push_name(inner, into);
            into.extend_from_slice(after);
        } else {
            self.placeholders.push(text, into);
        }
    }

    fn push_code(&mut self, string: u32, into: &mut Vec<u8>) {
        let text = self.evidence.strings.bytes(string);
        if self.evidence.testimony.scripts.contains(&string) && is_file(text) {
            // What follows a file's name in its address is data.
            let end = if text.starts_with(b"/") {
                text.len()
            } else {
                text.iter().position(|byte| matches!(byte, b'?' | b'#')).map_or(text.len(), |at| at + 1)
            };
            into.extend_from_slice(&text[..end]);
            self.placeholders.push(&text[end..], into);
        } else if let Some(data) = text.strip_prefix(b"data:") {
            into.extend_from_slice(b"data:");
            self.placeholders.push(data, into);
        } else if let Some((what, of)) = code_of(text) {
            into.extend_from_slice(what);
            self.push_name(of, into);
            into.push(b')');
        } else if is_system_code(text) {
            into.extend_from_slice(text);
        } else {
            self.push_name(text, into);
        }
    }

    fn push_system(&mut self, text: &[u8], leads_to_value: bool, into: &mut Vec<u8>) {
        if let Some(entry) = Entry::parse(text) {
            self.push_entry(&entry, leads_to_value, into);
        } else if let Some((what, of)) = code_of(text) {
            into.extend_from_slice(what);
            self.push_name(of, into);
            into.push(b')');
        } else if text.starts_with(b"<symbol ") {
            self.push_name(text, into);
        } else {
            into.extend_from_slice(text);
        }
    }

    /// Both names of an entry of a WeakMap stay a pair.
    fn push_entry(&mut self, entry: &Entry, leads_to_value: bool, into: &mut Vec<u8>) {
        into.extend_from_slice(entry.start);
        let start = into.len();
        self.push_name(entry.key, into);
        keep_line_end(entry.key, start, into);
        into.extend_from_slice(entry.between);
        let start = into.len();
        if leads_to_value || entry.end.is_empty() {
            self.placeholders.push(entry.value, into);
        } else {
            self.push_name(entry.value, into);
        }
        keep_line_end(entry.value, start, into);
        into.extend_from_slice(entry.end);
    }

    fn push_native(&mut self, text: &[u8], into: &mut Vec<u8>) {
        let (detached, rest) = match text.strip_prefix(b"Detached ") {
            Some(rest) => (&text[..text.len() - rest.len()], rest),
            None => (&[][..], text),
        };
        into.extend_from_slice(detached);
        // An element of a document, with its attributes.
        if let Some(tag) = rest.strip_prefix(b"<") {
            let end = tag.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-');
            let (tag, more) = tag.split_at(end.unwrap_or(tag.len()));
            into.push(b'<');
            into.extend_from_slice(tag);
            match more.strip_prefix(b" ") {
                Some(attributes) => {
                    let (attributes, close) = match attributes.strip_suffix(b">") {
                        Some(attributes) => (attributes, b">".as_slice()),
                        None => (attributes, b"".as_slice()),
                    };
                    into.push(b' ');
                    self.placeholders.push(attributes, into);
                    into.extend_from_slice(close);
                }
                None if more == b">" => into.push(b'>'),
                None => self.placeholders.push(more, into),
            }
            return;
        }
        // `Node / Environment`, `Document / https://...`.
        let owner = memmem::find(rest, b" / ").map_or(0, |at| at + 3);
        let (owner, what) = rest.split_at(owner);
        for part in [owner, what] {
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" /:_-<>,*&()".contains(byte);
            if part.iter().all(is_plain) && memmem::find(part, b"//").is_none() {
                into.extend_from_slice(part);
            } else {
                self.placeholders.push(part, into);
            }
        }
    }
}

/// The texts that are values, by a bit of their hash: two bytes each. One that is none may be taken for one.
#[derive(Debug)]
struct Hashes {
    bits: Bits,
    bound: u32,
}

impl Hashes {
    const BITS_PER_TEXT: usize = 16;

    fn new(strings: &Strings, marks: &MarkedTexts) -> Self {
        let count = marks.with(Marks::VALUE).count();
        let bound = (count * Self::BITS_PER_TEXT).clamp(64, u32::MAX as usize) as u32;
        let mut hashes = Self { bits: Bits::new(bound), bound };
        for text in marks.with(Marks::VALUE) {
            let hash = hashes.hash(strings.bytes(text));
            hashes.bits.insert(hash);
        }
        hashes
    }

    fn hash(&self, text: &[u8]) -> u32 {
        let mut hasher = FxHasher::default();
        hasher.write(text);
        (hasher.finish() % u64::from(self.bound)) as u32
    }

    fn may_have(&self, text: &[u8]) -> bool {
        self.bits.has(self.hash(text))
    }
}

/// `get size` is `size` with something around it.
fn unwrap(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    WRAPPERS.iter().find_map(|(before, after)| {
        let inner = text.strip_prefix(*before)?.strip_suffix(*after)?;
        (!inner.is_empty()).then(|| {
            let (before, rest) = text.split_at(before.len());
            let (inner, after) = rest.split_at(inner.len());
            (before, inner, after)
        })
    })
}

/// `(code for handle)`, `(instruction stream for handle)`.
fn code_of(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_suffix(b")").filter(|text| text.starts_with(b"("))?;
    let at = memmem::find(inner, b" for ")? + " for ".len();
    Some(inner.split_at(at))
}

/// `system / BytecodeArray`, `(constant pool)`.
fn is_system_code(text: &[u8]) -> bool {
    let inner = match text.strip_prefix(b"system / ") {
        Some(name) => Some(name),
        None => text.strip_prefix(b"(").and_then(|text| text.strip_suffix(b")")),
    };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" -_().".contains(byte);
    inner.is_some_and(|inner| inner.iter().all(is_plain))
}
