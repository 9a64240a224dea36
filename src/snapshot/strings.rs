use std::{borrow::Cow, sync::OnceLock};

use rustc_hash::FxHashMap;

use super::SnapshotFileError;

/// The texts of a snapshot by number, one behind the other.
///
/// V8 cuts strings to 1,024 characters and may leave half of a character at the end, which no `str` can hold: the texts are in
/// generalised UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings {
    pub(super) texts: Vec<u8>,
    /// 4 GiB of different texts are enough: V8 cuts each to 1,024 characters.
    pub(super) ends: Vec<u32>,
    /// Those of the names below that occur.
    names: OnceLock<FxHashMap<&'static str, u32>>,
}

/// Names that V8 gives and that every analysis asks for: they are looked for together.
const NAMES: [&str; 29] = [
    "(map descriptors)",
    "Array",
    "Immediate",
    "Map",
    "Object",
    "Set",
    "Timeout",
    "__proto__",
    "_events",
    "_onImmediate",
    "_onTimeout",
    "constructor",
    "context",
    "elements",
    "name_or_scope_info",
    "parameters_and_registers",
    "previous",
    "properties",
    "prototype",
    "scope_info",
    "script",
    "script_or_debug_info",
    "shared",
    "sloppy_function_map",
    "system / Cell",
    "system / ExternalStringData",
    "system / NativeContext",
    "system / SourceTextModule",
    "table",
];

impl Strings {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text that was appended last is complete.
    pub(super) fn end(&mut self) -> Result<(), SnapshotFileError> {
        let bytes = self.texts.len();
        let end = u32::try_from(bytes)
            .map_err(|_| SnapshotFileError::NoMemory { what: "bytes of strings", count: bytes as u64 })?;
        self.ends.push(end);
        Ok(())
    }

    /// The bytes of a text; none where there is no such number.
    pub fn bytes(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(number).map_or(&[], |&end| &self.texts[start as usize..end as usize])
    }

    /// A text, with U+FFFD for what is no character.
    pub fn get(&self, number: u32) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes(number))
    }

    /// The number of a text, found by looking at all of them.
    pub fn find(&self, text: &str) -> Option<u32> {
        if NAMES.contains(&text) {
            return self.names.get_or_init(|| self.find_names()).get(text).copied();
        }
        (0..self.len() as u32).find(|&number| self.bytes(number) == text.as_bytes())
    }

    fn find_names(&self) -> FxHashMap<&'static str, u32> {
        let mut found = FxHashMap::default();
        for number in 0..self.len() as u32 {
            let text = self.bytes(number);
            if let Some(name) = NAMES.iter().find(|name| name.as_bytes() == text) {
                found.entry(*name).or_insert(number);
            }
        }
        found
    }
}
