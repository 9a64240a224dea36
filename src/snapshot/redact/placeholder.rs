use std::io::Read;

/// No vowels: by chance no word comes out, neither one that V8 or an analysis looks for (`Map`, `table`) nor one to be ashamed of.
const ALPHABET: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

/// What stands in for texts: as many letters and digits, from a keyed hash, so that equal texts have equal ones and nobody without the key can
/// find the text by trying.
///
/// BLAKE3 with a key is a pseudorandom function that gives as many bytes as a text needs, in one primitive: with HMAC-SHA-2 the
/// stretching would be ours to invent, and SipHash is made for tables, not to keep secrets.
#[derive(Debug)]
pub(super) struct Placeholders {
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

impl Placeholders {
    pub(super) fn new(salt: &[u8; 32]) -> Self {
        Self { hasher: blake3::Hasher::new_keyed(salt), bytes: Vec::new() }
    }

    /// Appends the placeholder for a text in generalised UTF-8.
    pub(super) fn push(&mut self, text: &[u8], into: &mut Vec<u8>) {
        self.bytes.resize(utf16_length(text), 0);
        self.hasher.reset();
        self.hasher.update(text);
        // It fills any buffer and cannot fail.
        let _ = self.hasher.finalize_xof().read(&mut self.bytes);
        let letter = |&byte: &u8| ALPHABET[(usize::from(byte) * ALPHABET.len()) >> 8];
        into.extend(self.bytes.iter().map(letter));
    }
}

/// How long JavaScript says that a text is.
fn utf16_length(text: &[u8]) -> usize {
    text.iter().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholder(salt: u8, text: &str) -> String {
        let mut into = Vec::new();
        Placeholders::new(&[salt; 32]).push(text.as_bytes(), &mut into);
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn equal_texts_are_equal_within_a_file_and_only_there() {
        assert_eq!(placeholder(1, "password"), placeholder(1, "password"));
        assert_ne!(placeholder(1, "password"), placeholder(2, "password"));
        assert_ne!(placeholder(1, "password"), placeholder(1, "passwore"));
    }

    #[test]
    fn lengths_are_those_of_javascript() {
        for text in ["", "a", "größe", "名前", "a😀b", &"long ".repeat(205)] {
            assert_eq!(placeholder(1, text).len(), text.encode_utf16().count(), "{text}");
        }
        assert_eq!(utf16_length(b"a\xed\xa0\xbd"), 2);
    }
}
