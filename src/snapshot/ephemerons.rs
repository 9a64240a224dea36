use memchr::memmem;
use rustc_hash::FxHashMap;

use super::Strings;

/// The edges that V8 writes for an entry of a WeakMap: one from the table and one from the key, both to the value, and both named
/// `5 / part of key (Key @7) -> value (Value @9) pair in WeakMap (table @3)`, where only the number in front differs.
#[derive(Debug, Default)]
pub(super) struct Ephemerons(FxHashMap<u32, Ephemeron>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ephemeron {
    /// The id of the WeakMap's table.
    pub(super) table: u32,
    /// The same for both edges of an entry: the number of a string that has it all.
    pub(super) pair: u32,
}

impl Ephemerons {
    pub(super) fn find(strings: &Strings) -> Self {
        let mut found = FxHashMap::default();
        let mut pairs: FxHashMap<&[u8], u32> = FxHashMap::default();
        for number in 0..strings.len() as u32 {
            if let Some((table, pair)) = parse(strings.bytes(number)) {
                let pair = *pairs.entry(pair).or_insert(number);
                found.insert(number, Ephemeron { table, pair });
            }
        }
        Self(found)
    }

    /// What the name of an internal edge says.
    #[inline]
    pub(super) fn get(&self, name: u32) -> Option<Ephemeron> {
        if self.0.is_empty() { None } else { self.0.get(&name).copied() }
    }
}

/// What `.` does not match in DevTools' regular expression for these names: an entry with such text in its name is no entry there.
pub(super) const LINE_ENDS: [&[u8]; 4] = [b"\n", b"\r", "\u{2028}".as_bytes(), "\u{2029}".as_bytes()];

/// The table's id, and what both names of a pair have in common.
fn parse(name: &[u8]) -> Option<(u32, &[u8])> {
    let before = name.strip_suffix(b")")?;
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, table) = before.split_at(before.len() - digits);
    before.strip_suffix(b" pair in WeakMap (table @")?;
    let number = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let pair = &name[number..];
    let key = pair.strip_prefix(b" / part of key (").filter(|_| number > 0)?;
    memmem::find(key, b") -> value (")?;
    if LINE_ENDS.iter().any(|end| memmem::find(key, end).is_some()) {
        return None;
    }
    Some((std::str::from_utf8(table).ok()?.parse().ok()?, pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_a_pair_are_recognized() {
        let pair = " / part of key (Key @7) -> value (Value @9) pair in WeakMap (table @301)";
        let (one, other) = (format!("5{pair}"), format!("12{pair}"));
        assert_eq!(parse(one.as_bytes()), Some((301, pair.as_bytes())));
        assert_eq!(parse(other.as_bytes()), Some((301, pair.as_bytes())));
    }

    #[test]
    fn other_names_are_not() {
        for name in [
            "",
            "table",
            ")",
            "5 / part of key (Key @7) pair in WeakMap (table @x)",
            "pair in WeakMap (table @3)",
            "5 / part of key (Key @7) -> value (two\nlines @9) pair in WeakMap (table @3)",
            "5 / part of key (Key @7) -> value (two\u{2028}lines @9) pair in WeakMap (table @3)",
        ] {
            assert_eq!(parse(name.as_bytes()), None, "{name}");
        }
    }
}
