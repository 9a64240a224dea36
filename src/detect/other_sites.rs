//! Who allocates what is not on the heap, by the objects that stand for it there.

use super::LeakKind;
use crate::{allocation::SiteGrowth, measure::Bytes};

/// The sites behind growth of this kind. Each Buffer and each ArrayBuffer has an object of some 200 bytes on the heap, which is sampled
/// like all others: where Node's own code made them on behalf of a site, that is it. `growth`, in bytes, is divided among the sites
/// by their samples.
pub(super) fn sites_of(kind: LeakKind, sites: Vec<SiteGrowth>, growth: f64) -> Vec<SiteGrowth> {
    let grown: Vec<SiteGrowth> = sites.into_iter().filter(|site| site.samples > 0).collect();
    match kind {
        LeakKind::External => divided(by_buffers(grown), growth),
        // A context is objects on the heap above all.
        LeakKind::Contexts | LeakKind::Heap => grown,
        LeakKind::Native => Vec::new(),
    }
}

/// Those that allocate through `node:buffer`; all, where there are none.
fn by_buffers(sites: Vec<SiteGrowth>) -> Vec<SiteGrowth> {
    let is_buffers = |site: &SiteGrowth| {
        site.stack
            .frames()
            .iter()
            .take_while(|frame| **frame != site.site)
            .any(|frame| frame.script_name == "node:buffer")
    };
    if sites.iter().any(is_buffers) { sites.into_iter().filter(is_buffers).collect() } else { sites }
}

fn divided(mut sites: Vec<SiteGrowth>, growth: f64) -> Vec<SiteGrowth> {
    let samples: u32 = sites.iter().map(|site| site.samples).sum();
    for site in &mut sites {
        let share = f64::from(site.samples) / f64::from(samples.max(1));
        site.growth_bytes = Bytes::from_bytes((growth * share) as u64);
        site.live_bytes = site.growth_bytes;
        // The parts of what was inlined go by bytes of the heap.
        site.inlined.clear();
    }
    sites.sort_by_key(|site| std::cmp::Reverse(site.growth_bytes));
    sites
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::allocation::{Frame, Stack};

    fn site(name: &str, samples: u32, inner: &str) -> SiteGrowth {
        let frame = |name: &str, script: &str| {
            Arc::new(Frame { function_name: name.into(), script_name: script.into(), ..Frame::default() })
        };
        let site = frame(name, "/app/server.js");
        let stack = Stack::of([frame("alloc", inner), Arc::clone(&site)]);
        SiteGrowth {
            site,
            stack: Arc::new(stack),
            live_bytes: Bytes::from_bytes(1),
            growth_bytes: Bytes::from_bytes(1),
            samples,
            thirds: [samples, 0, 0],
            survival: None,
            inlined_bytes: Bytes::ZERO,
            inlined_samples: 0,
            inlined: Vec::new(),
        }
    }

    fn told(sites: Vec<SiteGrowth>) -> Vec<(String, u64)> {
        let sites = sites_of(LeakKind::External, sites, 1_000.0);
        sites.iter().map(|site| (site.site.function_name.clone(), site.growth_bytes.get())).collect()
    }

    #[test]
    fn growth_of_buffers_is_divided_among_those_who_make_buffers() {
        let sites =
            vec![site("keep", 1, "node:buffer"), site("log", 9, "node:fs"), site("store", 3, "node:buffer")];
        assert_eq!(told(sites), [("store".into(), 750), ("keep".into(), 250)]);
        assert_eq!(told(vec![site("view", 2, "/app/server.js")]), [("view".into(), 1_000)]);
        assert!(told(vec![site("idle", 0, "node:buffer")]).is_empty());
    }
}
