use memchr::memmem;

use super::super::ephemerons::LINE_ENDS;

/// The name of an edge of a WeakMap's entry, in pieces that make up the whole: see [`super::super::ephemerons`].
pub(super) struct Entry<'a> {
    pub(super) start: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) between: &'a [u8],
    pub(super) value: &'a [u8],
    /// Empty if V8 has cut the name, which it does at 1,024 bytes; it then is no entry to DevTools.
    pub(super) end: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = text[digits..].strip_prefix(b" / part of key (").filter(|_| digits > 0)?;
        let start = &text[..text.len() - rest.len()];
        let arrow = b") -> value (";
        let at = memmem::find_iter(rest, arrow).find_map(|at| Some((named(&rest[..at])?, at + arrow.len())));
        let Some((key, value_at)) = at else {
            return Some(Self { start, key: &[], between: &[], value: rest, end: &[] });
        };
        let (between, value) = (&rest[key..value_at], &rest[value_at..]);
        let length = Self::value(value);
        let (value, end) = value.split_at(length.unwrap_or(value.len()));
        Some(Self { start, key: &rest[..key], between, value, end })
    }

    /// How long the value's name is, if all that has to follow does.
    fn value(text: &[u8]) -> Option<usize> {
        let before = text.strip_suffix(b")")?;
        let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let before = before[..before.len() - digits].strip_suffix(b") pair in WeakMap (table @")?;
        named(before).filter(|_| digits > 0)
    }
}

/// How long the name is in `name @7`.
fn named(text: &[u8]) -> Option<usize> {
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let name = text[..text.len() - digits].strip_suffix(b" @")?;
    (digits > 0).then_some(name.len())
}

/// What has a line end in its name is no entry to DevTools, and has to stay none.
pub(super) fn keep_line_end(text: &[u8], start: usize, into: &mut [u8]) {
    let has_line_end = LINE_ENDS.iter().any(|end| memmem::find(text, end).is_some());
    if has_line_end && let Some(first) = into.get_mut(start) {
        *first = b'\n';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_taken_apart() {
        let parts = |text: &str| {
            let entry = Entry::parse(text.as_bytes())?;
            let parts = [entry.start, entry.key, entry.between, entry.value, entry.end];
            assert_eq!(parts.concat(), text.as_bytes());
            Some(parts.map(|part| String::from_utf8(part.to_vec()).unwrap()))
        };
        let whole =
            parts("5 / part of key (Key @7) -> value (a @3) -> value (b @9) pair in WeakMap (table @3)");
        assert_eq!(
            whole.unwrap().map(|part| part.leak() as &str),
            [
                "5 / part of key (",
                "Key",
                " @7) -> value (",
                "a @3) -> value (b",
                " @9) pair in WeakMap (table @3)"
            ]
        );
        let cut = parts("5 / part of key (Key @7) -> value (very long").unwrap();
        assert_eq!((cut[1].as_str(), cut[3].as_str(), cut[4].as_str()), ("Key", "very long", ""));
        let cut = parts("5 / part of key (very long").unwrap();
        assert_eq!((cut[1].as_str(), cut[3].as_str()), ("", "very long"));
        assert!(parts("part of key (x").is_none());
    }
}
