use std::io::Write;

use super::{super::meta::MAX_FIELDS, RedactError};

/// So much is written at a time.
const BLOCK: usize = 1 << 18;
/// A row is no longer than this, with a comma and 20 digits for each of its numbers.
const MAX_ROW: usize = 21 * MAX_FIELDS;

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// JSON on its way out.
pub(super) struct Output<W> {
    writer: W,
    block: Box<[u8]>,
    at: usize,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, block: vec![0; BLOCK].into_boxed_slice(), at: 0 }
    }

    #[inline]
    pub(super) fn text(&mut self, text: &[u8]) -> Result<(), RedactError> {
        self.make_room(text.len())?;
        match self.block.get_mut(self.at..self.at + text.len()) {
            Some(room) => {
                room.copy_from_slice(text);
                self.at += text.len();
                Ok(())
            }
            None => self.writer.write_all(text).map_err(RedactError::Write),
        }
    }

    #[inline]
    pub(super) fn number(&mut self, number: u64) -> Result<(), RedactError> {
        self.row(true, &[number])
    }

    /// The numbers of a row; all but the first row of a list need a comma before them.
    #[inline]
    pub(super) fn row(&mut self, is_first: bool, numbers: &[u64]) -> Result<(), RedactError> {
        debug_assert!(numbers.len() <= MAX_FIELDS);
        self.make_room(MAX_ROW)?;
        let mut is_first = is_first;
        for &number in numbers {
            if !is_first {
                self.block[self.at] = b',';
                self.at += 1;
            }
            is_first = false;
            self.digits(number);
        }
        Ok(())
    }

    /// There is room for them.
    #[inline]
    fn digits(&mut self, number: u64) {
        let length = number.checked_ilog10().unwrap_or(0) as usize + 1;
        let digits = &mut self.block[self.at..self.at + length];
        let mut rest = number;
        for pair in digits.rchunks_mut(2) {
            match pair {
                [tens, ones] => {
                    [*tens, *ones] = PAIRS[(rest % 100) as usize];
                    rest /= 100;
                }
                [first] => *first = b'0' + rest as u8,
                _ => {}
            }
        }
        self.at += length;
    }

    /// A string, given in generalised UTF-8, as V8 writes it: in ASCII.
    pub(super) fn string(&mut self, text: &[u8]) -> Result<(), RedactError> {
        self.text(b"\"")?;
        let mut rest = text;
        while !rest.is_empty() {
            let is_special = |byte: &u8| !matches!(byte, 0x20..=0x7e) || matches!(byte, b'"' | b'\\');
            let (plain, after) = rest.split_at(rest.iter().position(is_special).unwrap_or(rest.len()));
            self.text(plain)?;
            rest = after;
            let Some(&byte) = rest.first() else { break };
            let mut length = 1;
            match byte {
                b'"' | b'\\' => self.text(&[b'\\', byte])?,
                b'\n' => self.text(b"\\n")?,
                b'\r' => self.text(b"\\r")?,
                b'\t' => self.text(b"\\t")?,
                0..=0x7f => self.escape(u16::from(byte))?,
                _ => {
                    let code;
                    (code, length) = decode(rest);
                    match code.checked_sub(0x1_0000) {
                        None => self.escape(code as u16)?,
                        Some(above) => {
                            self.escape(0xd800 | (above >> 10) as u16)?;
                            self.escape(0xdc00 | (above & 0x3ff) as u16)?;
                        }
                    }
                }
            }
            rest = &rest[length..];
        }
        self.text(b"\"")
    }

    fn escape(&mut self, unit: u16) -> Result<(), RedactError> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let [a, b, c, d] = [12, 8, 4, 0].map(|shift| DIGITS[usize::from(unit >> shift & 0xf)]);
        self.text(&[b'\\', b'u', a, b, c, d])
    }

    /// For so many bytes, if a block has as many.
    #[inline]
    fn make_room(&mut self, bytes: usize) -> Result<(), RedactError> {
        if self.block.len() - self.at >= bytes { Ok(()) } else { self.flush() }
    }

    #[cold]
    fn flush(&mut self) -> Result<(), RedactError> {
        self.writer.write_all(&self.block[..self.at]).map_err(RedactError::Write)?;
        self.at = 0;
        Ok(())
    }

    /// Nothing follows.
    pub(super) fn end(mut self) -> Result<(), RedactError> {
        self.flush()?;
        self.writer.flush().map_err(RedactError::Write)
    }
}

/// The first code point, which may be half a surrogate pair, and how many bytes it takes. What is no generalised UTF-8 is U+FFFD.
fn decode(text: &[u8]) -> (u32, usize) {
    let (length, start) = match text.first() {
        Some(&byte @ 0xc2..=0xdf) => (2, u32::from(byte & 0x1f)),
        Some(&byte @ 0xe0..=0xef) => (3, u32::from(byte & 0xf)),
        Some(&byte @ 0xf0..=0xf4) => (4, u32::from(byte & 7)),
        _ => return (0xfffd, 1),
    };
    match text.get(1..length) {
        Some(more) if more.iter().all(|byte| byte & 0xc0 == 0x80) => {
            (more.iter().fold(start, |code, &byte| code << 6 | u32::from(byte & 0x3f)), length)
        }
        _ => (0xfffd, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Output<&mut Vec<u8>>)) -> String {
        let mut bytes = Vec::new();
        let mut output = Output::new(&mut bytes);
        write(&mut output);
        output.end().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn strings_come_back() {
        let text = "a\"\\\n\r\t\u{8}\u{1f}\u{7f}é\u{2028}名😀";
        let json = written(|output| output.string(text.as_bytes()).unwrap());
        assert!(json.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn halves_of_characters_and_damage_stay_json() {
        assert_eq!(written(|output| output.string(b"a\xed\xa0\xbdb").unwrap()), r#""a\ud83db""#);
        assert_eq!(written(|output| output.string(b"\xff\xe4x").unwrap()), r#""\ufffd\ufffdx""#);
    }

    #[test]
    fn texts_of_any_length_and_numbers_come_out_in_order() {
        let numbers = [0, 9, 10, 99, 100, 12_345, 999_999_999, 1_000_000_000, u64::from(u32::MAX), u64::MAX];
        let long = "x".repeat(BLOCK + 1);
        let mut expected = String::new();
        let text = written(|output| {
            for _ in 0..BLOCK / 64 {
                for number in numbers {
                    output.number(number).unwrap();
                    output.text(b" ").unwrap();
                    expected.push_str(&format!("{number} "));
                }
            }
            output.text(long.as_bytes()).unwrap();
            expected.push_str(&long);
        });
        assert!(text == expected);
    }

    #[test]
    fn rows_are_separated() {
        let text = written(|output| {
            output.row(true, &[0, 12]).unwrap();
            output.row(false, &[u64::MAX]).unwrap();
        });
        assert_eq!(text, "0,12,18446744073709551615");
    }
}
