use std::io::Write;

use super::RedactError;

/// So much is written at a time.
const BLOCK: usize = 1 << 18;
/// No number is longer.
const MAX_NUMBER: usize = 20;

/// JSON on its way out.
pub(super) struct Output<W> {
    writer: W,
    block: Vec<u8>,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, block: Vec::with_capacity(BLOCK + 2 * MAX_NUMBER) }
    }

    pub(super) fn text(&mut self, text: &[u8]) -> Result<(), RedactError> {
        self.block.extend_from_slice(text);
        self.make_room()
    }

    #[inline]
    pub(super) fn number(&mut self, number: u64) -> Result<(), RedactError> {
        self.block.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self.make_room()
    }

    /// The numbers of a row; all but the first row of a list need a comma before them.
    #[inline]
    pub(super) fn row(&mut self, is_first: bool, numbers: &[u64]) -> Result<(), RedactError> {
        let mut is_first = is_first;
        let mut buffer = itoa::Buffer::new();
        for &number in numbers {
            if !is_first {
                self.block.push(b',');
            }
            is_first = false;
            self.block.extend_from_slice(buffer.format(number).as_bytes());
        }
        self.make_room()
    }

    /// A string, given in generalised UTF-8, as V8 writes it: in ASCII.
    pub(super) fn string(&mut self, text: &[u8]) -> Result<(), RedactError> {
        self.block.push(b'"');
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            match byte {
                b'"' | b'\\' => self.block.extend_from_slice(&[b'\\', byte]),
                b'\n' => self.block.extend_from_slice(b"\\n"),
                b'\r' => self.block.extend_from_slice(b"\\r"),
                b'\t' => self.block.extend_from_slice(b"\\t"),
                0x20..=0x7e => self.block.push(byte),
                0..=0x7f => self.escape(u16::from(byte)),
                _ => {
                    let (code, length) = decode(rest);
                    match code.checked_sub(0x1_0000) {
                        None => self.escape(code as u16),
                        Some(above) => {
                            self.escape(0xd800 | (above >> 10) as u16);
                            self.escape(0xdc00 | (above & 0x3ff) as u16);
                        }
                    }
                    rest = &rest[length..];
                    continue;
                }
            }
            rest = after;
        }
        self.block.push(b'"');
        self.make_room()
    }

    fn escape(&mut self, unit: u16) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.block.extend_from_slice(b"\\u");
        self.block.extend([12, 8, 4, 0].map(|shift| DIGITS[usize::from(unit >> shift & 0xf)]));
    }

    #[inline]
    fn make_room(&mut self) -> Result<(), RedactError> {
        if self.block.len() < BLOCK { Ok(()) } else { self.flush() }
    }

    #[cold]
    fn flush(&mut self) -> Result<(), RedactError> {
        self.writer.write_all(&self.block).map_err(RedactError::Write)?;
        self.block.clear();
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
    fn rows_are_separated() {
        let text = written(|output| {
            output.row(true, &[0, 12]).unwrap();
            output.row(false, &[u64::MAX]).unwrap();
        });
        assert_eq!(text, "0,12,18446744073709551615");
    }
}
