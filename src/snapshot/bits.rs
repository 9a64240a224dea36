/// A set of numbers below some bound.
#[derive(Clone, Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// The empty set.
    pub(super) fn new(bound: u32) -> Self {
        Self(vec![0; (bound as usize).div_ceil(64)])
    }

    /// All numbers below the bound.
    pub(super) fn full(bound: u32) -> Self {
        Self(vec![u64::MAX; (bound as usize).div_ceil(64)])
    }

    #[inline]
    pub(super) fn has(&self, number: u32) -> bool {
        self.0[number as usize / 64] >> (number % 64) & 1 == 1
    }

    #[inline]
    pub(super) fn insert(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }

    #[inline]
    pub(super) fn remove(&mut self, number: u32) {
        self.0[number as usize / 64] &= !(1 << (number % 64));
    }

    /// Inserts a number; returns whether it is new.
    #[inline]
    pub(super) fn add(&mut self, number: u32) -> bool {
        let is_new = !self.has(number);
        self.insert(number);
        is_new
    }
}
