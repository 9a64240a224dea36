use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Frame, Profile, Stack, stack::StackTable};
use crate::measure::Bytes;

/// A function and what it allocated that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationSite {
    /// The function.
    pub site: Arc<Frame>,
    /// The heaviest of its allocating stacks.
    pub stack: Arc<Stack>,
    /// An estimate, as are the objects: the relative error is about 1 / sqrt(samples).
    pub live_bytes: Bytes,
    /// How many objects.
    pub live_objects: u64,
    /// The number of samples behind the estimates.
    pub samples: u32,
}

impl Profile {
    /// The live bytes by allocation site, biggest first.
    pub fn sites(&self) -> Vec<AllocationSite> {
        let stacks = StackTable::default().stacks_of(self, |_| true);
        let mut of_stacks: FxHashMap<&Arc<Stack>, (Bytes, u64, u32)> = FxHashMap::default();
        for sample in &self.samples {
            if let Some(stack) = stacks.get(&sample.node_id) {
                let (bytes, objects, samples) = of_stacks.entry(stack).or_default();
                *bytes += sample.live_bytes;
                *objects += u64::from(sample.count);
                *samples += 1;
            }
        }
        let mut heaviest_first: Vec<_> = of_stacks.into_iter().collect();
        heaviest_first.sort_by_key(|&(_, (bytes, ..))| std::cmp::Reverse(bytes));
        let mut sites: FxHashMap<&Arc<Frame>, AllocationSite> = FxHashMap::default();
        for (stack, (bytes, objects, samples)) in heaviest_first {
            let Some(frame) = stack.site() else { continue };
            let site = sites.entry(frame).or_insert_with(|| AllocationSite {
                site: Arc::clone(frame),
                stack: Arc::clone(stack),
                live_bytes: Bytes::ZERO,
                live_objects: 0,
                samples: 0,
            });
            site.live_bytes += bytes;
            site.live_objects += objects;
            site.samples += samples;
        }
        let mut sites: Vec<AllocationSite> = sites.into_values().collect();
        sites.sort_by(|a, b| {
            (b.live_bytes, &a.site.script_name, a.site.line).cmp(&(
                a.live_bytes,
                &b.site.script_name,
                b.site.line,
            ))
        });
        sites
    }
}
