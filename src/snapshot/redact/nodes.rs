use std::collections::TryReserveError;

use super::super::NodeType;

/// So many properties make an object a dictionary, as for the list of collections.
pub(super) const DICTIONARY: u32 = 24;

/// What is kept of the nodes for the edges that follow: a byte and a half each, four more for a string.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    types: Vec<NodeType>,
    edge_counts: EdgeCounts,
    strings: Ranked,
    /// The texts of the nodes that are strings, in order.
    texts: Vec<u32>,
    /// Nodes whose name matters at their edges, with it, in order.
    pub(super) named: Vec<(u32, u32)>,
}

impl Nodes {
    /// Sets memory aside for so many.
    pub(super) fn reserve(&mut self, count: usize) -> Result<(), TryReserveError> {
        self.types.try_reserve_exact(count)?;
        self.edge_counts.nibbles.try_reserve_exact(count.div_ceil(2))?;
        self.strings.words.try_reserve_exact(count.div_ceil(64))
    }

    #[inline]
    pub(super) fn push(&mut self, node_type: NodeType, name: u32, edges: u32) {
        let node = self.types.len() as u32;
        let is_string = node_type == NodeType::String;
        self.types.push(node_type);
        self.edge_counts.push(edges);
        self.strings.push(is_string);
        if is_string {
            self.texts.push(name);
        }
        let may_be_dictionary = node_type == NodeType::Object && edges >= DICTIONARY;
        if may_be_dictionary || matches!(node_type, NodeType::Code | NodeType::Synthetic) {
            self.named.push((node, name));
        }
    }

    pub(super) const fn len(&self) -> u32 {
        self.types.len() as u32
    }

    #[inline]
    pub(super) fn node_type(&self, node: u32) -> NodeType {
        self.types[node as usize]
    }

    /// The text of a node that is a string; none of others.
    #[inline]
    pub(super) fn text(&self, node: u32) -> Option<u32> {
        self.strings.rank(node).map(|rank| self.texts[rank])
    }

    /// How many edges go out from each node, in order.
    pub(super) fn edge_counts(&self) -> impl Iterator<Item = u32> + '_ {
        let mut large = self.edge_counts.large.iter();
        (0..self.types.len()).map(move |node| {
            match self.edge_counts.nibbles[node / 2] >> (node % 2 * 4) & EdgeCounts::LARGE {
                EdgeCounts::LARGE => large.next().copied().unwrap_or(0),
                count => u32::from(count),
            }
        })
    }
}

/// Half a byte each; those that do not fit stand aside.
#[derive(Debug, Default)]
struct EdgeCounts {
    nibbles: Vec<u8>,
    large: Vec<u32>,
    count: usize,
}

impl EdgeCounts {
    const LARGE: u8 = 15;

    fn push(&mut self, edges: u32) {
        let nibble = u8::try_from(edges).map_or(Self::LARGE, |edges| edges.min(Self::LARGE));
        if nibble == Self::LARGE {
            self.large.push(edges);
        }
        match self.nibbles.last_mut().filter(|_| self.count % 2 == 1) {
            Some(last) => *last |= nibble << 4,
            None => self.nibbles.push(nibble),
        }
        self.count += 1;
    }
}

/// A set of numbers of which each knows how many come before it.
#[derive(Debug, Default)]
struct Ranked {
    /// 64 numbers, and how many come before those.
    words: Vec<(u64, u32)>,
    bound: u32,
    count: u32,
}

impl Ranked {
    #[inline]
    fn push(&mut self, is_in: bool) {
        if self.bound.is_multiple_of(64) {
            self.words.push((0, self.count));
        }
        if let Some((word, _)) = self.words.last_mut() {
            *word |= u64::from(is_in) << (self.bound % 64);
        }
        self.bound += 1;
        self.count += u32::from(is_in);
    }

    #[inline]
    fn rank(&self, number: u32) -> Option<usize> {
        let (word, before) = self.words[number as usize / 64];
        let bit = 1_u64 << (number % 64);
        (word & bit != 0).then(|| before as usize + (word & (bit - 1)).count_ones() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_again() {
        let mut nodes = Nodes::default();
        let count = 500_u32;
        let is_string = |node: u32| node % 7 < 3;
        let edges = |node: u32| if node.is_multiple_of(5) { node * 1_000 } else { node % 20 };
        for node in 0..count {
            let node_type = if is_string(node) { NodeType::String } else { NodeType::Closure };
            nodes.push(node_type, node * 2, edges(node));
        }
        assert_eq!(nodes.len(), count);
        for node in 0..count {
            assert_eq!(nodes.text(node), is_string(node).then_some(node * 2));
        }
        assert!(nodes.edge_counts().eq((0..count).map(edges)));
    }
}
