use std::{fmt, iter::Sum, ops::AddAssign};

use serde::{Deserialize, Serialize};

/// A size in memory or on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// No bytes.
    pub const ZERO: Self = Self(0);

    /// A size given in bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// A size given in KiB (1,024 bytes).
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib * 1024)
    }

    /// A size given in MiB (1,048,576 bytes).
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib * 1024 * 1024)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of bytes as JavaScript sees it; exact up to 2^53.
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// What remains after `other` is taken away; never less than nothing.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::ZERO, |mut total, size| {
            total += size;
            total
        })
    }
}

/// Writes a size as a person would say it: `512 B`, `64.0 KiB`, `1.5 GiB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut amount = self.as_f64();
        for unit in ["B", "KiB", "MiB"] {
            if amount < 1024.0 {
                let digits = usize::from(unit != "B");
                return write!(f, "{amount:.digits$} {unit}");
            }
            amount /= 1024.0;
        }
        write!(f, "{amount:.1} GiB")
    }
}

/// A point in time or a duration, in milliseconds. Points in time count from the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(f64);

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);

    /// A time given in milliseconds.
    pub const fn from_millis(millis: f64) -> Self {
        Self(millis)
    }

    /// A time given in nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos as f64 / 1e6)
    }

    /// A time given in seconds.
    pub const fn from_secs(secs: f64) -> Self {
        Self(secs * 1e3)
    }

    /// The number of milliseconds.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The time from `earlier` to this one; negative when the clock went back.
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0 - earlier.0)
    }
}

impl AddAssign for Millis {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// A number as a person reads it: 1234567 as 1,234,567.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn sizes_read_like_a_person_says_them() {
        for (bytes, words) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (20 << 20, "20.0 MiB"),
            (3 << 29, "1.5 GiB"),
            (5 << 40, "5120.0 GiB"),
        ] {
            assert_eq!(Bytes::from_bytes(bytes).to_string(), words);
        }
    }

    #[test]
    fn taking_away_more_than_there_is_leaves_nothing() {
        assert_eq!(Bytes::from_kib(1).saturating_sub(Bytes::from_mib(1)), Bytes::ZERO);
    }
}
