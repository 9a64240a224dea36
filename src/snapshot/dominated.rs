use super::spare::Spare;

/// By node, those it dominates immediately.
pub(super) struct Dominated {
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Dominated {
    pub(super) fn new(dominators: &[u32], spare: &mut Spare) -> Self {
        let mut starts = spare.filled(dominators.len() + 1, 0);
        for &dominator in &dominators[1..] {
            starts[dominator as usize] += 1;
        }
        // The counts become ends, and the ends beginnings as the places are taken from behind.
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut nodes = spare.filled(end as usize, 0);
        for (node, &dominator) in dominators.iter().enumerate().skip(1).rev() {
            let at = &mut starts[dominator as usize];
            *at -= 1;
            nodes[*at as usize] = node as u32;
        }
        Self { starts, nodes }
    }

    pub(super) fn of(&self, node: u32) -> &[u32] {
        &self.nodes[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }
}
