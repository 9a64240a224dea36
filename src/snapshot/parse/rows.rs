//! Lists of numbers that are tables.

use std::{fmt, io::Read};

use super::super::{SnapshotFileError, input::Input, meta::MAX_FIELDS};

/// Reads `[1,2,3,...]` in rows of so many numbers. Each row is handed over with the offset behind it. Returns their number.
#[inline(always)]
pub(super) fn each_row<R: Read>(
    input: &mut Input<'_, R>,
    fields: usize,
    mut take: impl FnMut(&[u64; MAX_FIELDS], u64) -> Result<(), SnapshotFileError>,
) -> Result<u64, SnapshotFileError> {
    input.expect(b'[')?;
    if input.take(b']')? {
        return Ok(0);
    }
    let mut row = [0; MAX_FIELDS];
    let mut count = 0;
    loop {
        // The compiler makes loops of their own for the rows that V8 writes most.
        let plain = match fields {
            3 => input.plain_row(&mut row[..3]),
            6 => input.plain_row(&mut row[..6]),
            7 => input.plain_row(&mut row[..7]),
            _ => input.plain_row(&mut row[..fields]),
        };
        let offset = plain.map_or_else(|| any_row(input, &mut row[..fields]), Ok)?;
        take(&row, offset)?;
        count += 1;
        if plain.is_none() && !input.take(b',')? {
            input.expect(b']')?;
            return Ok(count);
        }
    }
}

/// A row with white space anywhere, the last one, one that is not in the block as a whole, or none. Returns the offset behind it.
#[cold]
fn any_row<R: Read>(input: &mut Input<'_, R>, row: &mut [u64]) -> Result<u64, SnapshotFileError> {
    input.row(row)?;
    Ok(input.offset())
}

/// How nodes are told in edges and locations: by the place of their row in the list of numbers.
pub(super) struct Places {
    pub(super) nodes: u64,
    fields: u64,
    /// 2^64 / `fields`, rounded up. To multiply takes a fourth of the time that it takes to divide.
    inverse: u64,
}

impl Places {
    /// `fields` is more than one, or there would be no nodes.
    pub(super) const fn new(nodes: u32, fields: usize) -> Self {
        Self { nodes: nodes as u64, fields: fields as u64, inverse: u64::MAX / fields as u64 + 1 }
    }

    /// The node whose row begins at a place. Exact for all places below 2^64 / `fields`, behind which there are no rows.
    #[inline(always)]
    pub(super) fn node(&self, place: u64) -> Option<u32> {
        let node = ((u128::from(place) * u128::from(self.inverse)) >> 64) as u64;
        (node < self.nodes && node * self.fields == place).then_some(node as u32)
    }
}

#[inline(always)]
pub(super) fn narrow(offset: u64, number: u64) -> Result<u32, SnapshotFileError> {
    u32::try_from(number).map_err(|_| unexpected(offset, format_args!("numbers below 2^32"), number))
}

#[cold]
pub(super) fn unexpected(offset: u64, expected: fmt::Arguments<'_>, found: u64) -> SnapshotFileError {
    SnapshotFileError::Unexpected {
        offset,
        expected: format!("{expected} in the row that ends here"),
        found: found.to_string(),
    }
}
