use super::graph::Sizes;

/// Lists of numbers that have served: the next ones take over their memory, as the system needs 2 to 3 us for a page that is new, which
/// was a third of all the time.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<Vec<u32>>);

impl Spare {
    /// Takes a list that has served.
    pub(super) fn keep(&mut self, list: Vec<u32>) {
        self.0.push(list);
    }

    /// An empty list with room for so many numbers.
    pub(super) fn empty(&mut self, room: usize) -> Vec<u32> {
        let suits = |&index: &usize| self.0[index].capacity() >= room;
        match (0..self.0.len()).filter(suits).min_by_key(|&index| self.0[index].capacity()) {
            Some(index) => {
                let mut list = self.0.swap_remove(index);
                list.clear();
                // What is too much is the system's again.
                list.shrink_to(room);
                list
            }
            None => Vec::with_capacity(room),
        }
    }

    /// A list of so many numbers, all alike.
    pub(super) fn filled(&mut self, count: usize, number: u32) -> Vec<u32> {
        let mut list = self.empty(count);
        list.resize(count, number);
        list
    }

    /// The same sizes again.
    pub(super) fn copy(&mut self, sizes: &Sizes) -> Sizes {
        let mut small = self.empty(sizes.small.len());
        small.extend_from_slice(&sizes.small);
        Sizes { small, large: sizes.large.clone() }
    }
}
