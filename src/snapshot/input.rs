use std::io::{self, Read};

use memchr::memchr2;

use super::{Observer, SnapshotFileError, Stage};

/// So much is read at a time.
const BLOCK: usize = 1 << 18;
/// A number is never longer than this, nor is a keyword; so much can be looked at without asking for more.
const WINDOW: usize = 32;
/// So many digits always fit in 64 bits.
const LONGEST: usize = 19;

/// JSON as a stream: what has been read is forgotten, at most a block of it is held.
pub(super) struct Input<'a, R> {
    reader: R,
    /// A block, and zeros as wide as the window behind it.
    block: Box<[u8]>,
    at: usize,
    end: usize,
    /// Bytes read before this block.
    before: u64,
    is_over: bool,
    observer: &'a dyn Observer,
    /// Where in the snapshot we are, for errors.
    pub(super) within: &'static str,
}

impl<'a, R: Read> Input<'a, R> {
    pub(super) fn new(reader: R, observer: &'a dyn Observer) -> Self {
        Self {
            reader,
            block: vec![0; BLOCK + WINDOW].into_boxed_slice(),
            at: 0,
            end: 0,
            before: 0,
            is_over: false,
            observer,
            within: "its beginning",
        }
    }

    /// Bytes read so far.
    pub(super) const fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// Sees to it that a window's worth of bytes can be looked at, or all that is left.
    #[inline]
    fn look_ahead(&mut self) -> Result<(), SnapshotFileError> {
        if self.end - self.at >= WINDOW || self.is_over { Ok(()) } else { self.refill() }
    }

    #[cold]
    fn refill(&mut self) -> Result<(), SnapshotFileError> {
        self.block.copy_within(self.at..self.end, 0);
        self.before += self.at as u64;
        self.end -= self.at;
        self.at = 0;
        self.observer.progress(Stage::Reading, self.before).map_err(|_| SnapshotFileError::Cancelled)?;
        while self.end < WINDOW && !self.is_over {
            match self.reader.read(&mut self.block[self.end..BLOCK]) {
                Ok(0) => self.is_over = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A compressed file that was cut off.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.is_over = true,
                Err(error) => return Err(error.into()),
            }
        }
        self.block[self.end..self.end + WINDOW].fill(0);
        Ok(())
    }

    /// The next byte that is not white space, which stays where it is.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, SnapshotFileError> {
        loop {
            self.look_ahead()?;
            let byte = self.block[self.at];
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                _ if self.at == self.end => return Err(self.truncated()),
                _ => return Ok(byte),
            }
        }
    }

    /// Goes past `byte` if it comes next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Result<bool, SnapshotFileError> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Goes past `byte`, which has to come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), SnapshotFileError> {
        if self.take(byte)? { Ok(()) } else { Err(self.unexpected(format!("`{}`", char::from(byte)))) }
    }

    /// A whole number from 0.
    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, SnapshotFileError> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.unexpected("a whole number from 0"));
        }
        let mut value = 0_u64;
        let mut length = 0;
        for &byte in &self.block[self.at..self.at + WINDOW] {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            length += 1;
        }
        if length > LONGEST {
            return Err(self.unexpected("a number below 10^19"));
        }
        if self.at + length == self.end {
            return Err(self.truncated());
        }
        self.at += length;
        Ok(value)
    }

    /// Fills `row` if the next numbers are written as V8 writes a row that others follow, without white space in it, and the block
    /// has them all and more. Goes past the comma behind them; returns the offset before it. Otherwise stays where it is.
    #[inline(always)]
    pub(super) fn plain_row(&mut self, row: &mut [u64]) -> Option<u64> {
        let block = &self.block[self.at..self.end];
        let (mut length, mut behind) = plain_numbers(block, row)?;
        let offset = self.offset() + length as u64;
        length += 1;
        // Up to Node 22 each row has a line.
        if behind == b'\n' {
            behind = *block.get(length)?;
            length += 1;
        }
        if behind != b',' {
            return None;
        }
        self.at += length;
        Some(offset)
    }

    /// The numbers of a row, with commas between them.
    #[inline]
    pub(super) fn row(&mut self, row: &mut [u64]) -> Result<(), SnapshotFileError> {
        if let Some((length, _)) = plain_numbers(&self.block[self.at..self.end], row) {
            self.at += length;
            return Ok(());
        }
        for (field, value) in row.iter_mut().enumerate() {
            if field > 0 {
                self.expect(b',')?;
            }
            *value = self.number()?;
        }
        Ok(())
    }

    /// Appends the text of a string to `text`, as UTF-8; a lone surrogate, which V8 leaves where it cuts a string, as its
    /// three bytes in generalised UTF-8.
    pub(super) fn string(&mut self, text: &mut Vec<u8>) -> Result<(), SnapshotFileError> {
        self.expect(b'"')?;
        let mut high: Option<u16> = None;
        loop {
            self.look_ahead()?;
            let rest = &self.block[self.at..self.end];
            let plain = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            if plain > 0 {
                if let Some(high) = high.take() {
                    push_surrogate(text, high);
                }
                text.extend_from_slice(&rest[..plain]);
                self.at += plain;
                continue;
            }
            match rest.first() {
                None => return Err(self.truncated()),
                Some(b'"') => break,
                Some(_) => {}
            }
            let unit = self.escape()?;
            match (high.take(), unit) {
                (Some(high), 0xdc00..=0xdfff) => {
                    let code = 0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                    push_char(text, code);
                }
                (before, 0xd800..=0xdbff) => {
                    before.inspect(|&before| push_surrogate(text, before));
                    high = Some(unit);
                }
                (before, unit) => {
                    before.inspect(|&before| push_surrogate(text, before));
                    match unit {
                        0xdc00..=0xdfff => push_surrogate(text, unit),
                        _ => push_char(text, u32::from(unit)),
                    }
                }
            }
        }
        high.inspect(|&high| push_surrogate(text, high));
        self.at += 1;
        Ok(())
    }

    /// The UTF-16 unit of the escape sequence that comes next.
    fn escape(&mut self) -> Result<u16, SnapshotFileError> {
        let rest = &self.block[self.at..self.end];
        let (unit, length) = match rest.get(1) {
            Some(b'u') => match rest.get(2..6) {
                Some(digits) => {
                    let digits = std::str::from_utf8(digits).ok();
                    match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
                        Some(unit) => (unit, 6),
                        None => return Err(self.unexpected("four hexadecimal digits after `\\u`")),
                    }
                }
                None => return Err(self.truncated()),
            },
            Some(&letter) => match letter {
                b'"' | b'\\' | b'/' => (u16::from(letter), 2),
                b'b' => (0x08, 2),
                b'f' => (0x0c, 2),
                b'n' => (0x0a, 2),
                b'r' => (0x0d, 2),
                b't' => (0x09, 2),
                _ => return Err(self.unexpected("an escape sequence")),
            },
            None => return Err(self.truncated()),
        };
        self.at += length;
        Ok(unit)
    }

    /// Goes past a value of any kind, however deep. What it consists of goes to `into`, if wanted, up to `limit` bytes.
    pub(super) fn value(
        &mut self,
        mut into: Option<&mut Vec<u8>>,
        limit: usize,
    ) -> Result<(), SnapshotFileError> {
        let mut depth = 0_u64;
        let mut is_in_string = false;
        self.peek()?;
        loop {
            self.look_ahead()?;
            if self.at == self.end {
                return Err(self.truncated());
            }
            let byte = self.block[self.at];
            if !is_in_string && depth == 0 && matches!(byte, b',' | b'}' | b']') {
                return Ok(());
            }
            let mut length = 1;
            match byte {
                b'\\' if is_in_string => length = 2.min(self.end - self.at),
                b'"' => is_in_string = !is_in_string,
                b'[' | b'{' if !is_in_string => depth += 1,
                b']' | b'}' if !is_in_string => depth -= 1,
                _ => {}
            }
            if let Some(into) = &mut into {
                if into.len() + length > limit {
                    return Err(self.unexpected(format!("a value of at most {limit} bytes")));
                }
                into.extend_from_slice(&self.block[self.at..self.at + length]);
            }
            self.at += length;
            if depth == 0 && !is_in_string && matches!(byte, b']' | b'}' | b'"') {
                return Ok(());
            }
        }
    }

    /// The input ends where it must not.
    pub(super) const fn truncated(&self) -> SnapshotFileError {
        SnapshotFileError::Truncated { offset: self.before + self.end as u64, within: self.within }
    }

    /// Something else than `expected` comes next.
    pub(super) fn unexpected(&self, expected: impl Into<String>) -> SnapshotFileError {
        let found = &self.block[self.at..self.end.min(self.at + 16)];
        SnapshotFileError::Unexpected {
            offset: self.offset(),
            expected: expected.into(),
            found: match found {
                [] => "the end".into(),
                found => format!("`{}`", String::from_utf8_lossy(found).escape_debug()),
            },
        }
    }
}

/// Fills `row` with numbers that have nothing but a comma between them, if all are there and more. Tells how long they are, and the byte
/// behind.
#[inline(always)]
fn plain_numbers(block: &[u8], row: &mut [u64]) -> Option<(usize, u8)> {
    let mut length = 0;
    let mut behind = b',';
    for value in row {
        if behind != b',' {
            return None;
        }
        // As the width is fixed, the compiler checks once for all digits that they are there, which halves the time.
        let window = block.get(length..)?.first_chunk()?;
        let digits;
        (*value, digits) = plain_number(window)?;
        behind = window[digits];
        length += digits + 1;
    }
    Some((length.checked_sub(1)?, behind))
}

/// The number that a window begins with, and how many digits it has, if these are not too many.
#[inline(always)]
fn plain_number(window: &[u8; LONGEST + 1]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    let mut digits = 0;
    while digits <= LONGEST {
        let digit = window[digits].wrapping_sub(b'0');
        if digit > 9 {
            return (digits > 0).then_some((value, digits));
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        digits += 1;
    }
    None
}

/// `code` is no surrogate.
fn push_char(text: &mut Vec<u8>, code: u32) {
    let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_surrogate(text: &mut Vec<u8>, unit: u16) {
    text.extend_from_slice(&[0xed, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]);
}
