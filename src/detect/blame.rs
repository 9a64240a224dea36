use std::sync::Arc;

use crate::{
    allocation::{Frame, Origin, SiteGrowth, Stack},
    measure::Bytes,
};

/// A smaller part than this is not attributed to an inlined function.
const MIN_SHARE: f64 = 0.1;

/// A function to name, and what is put down to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blamed {
    pub(super) site: Arc<Frame>,
    pub(super) stack: Arc<Stack>,
    pub(super) live_bytes: Bytes,
    pub(super) growth_bytes: Bytes,
    pub(super) samples: u32,
}

/// The functions to name for the growth of these sites, biggest first: those of the application and of packages, with
/// what V8 has inlined given back to its function. Node's own functions and V8 itself allocate on behalf of others; they are
/// named only where there is nobody else.
pub(super) fn blame(sites: &[SiteGrowth]) -> Vec<Blamed> {
    let is_users = |site: &&SiteGrowth| matches!(site.site.origin(), Origin::Application | Origin::Package);
    let mut users: Vec<&SiteGrowth> = sites.iter().filter(is_users).collect();
    if users.is_empty() {
        users = sites.iter().collect();
    }
    let mut blamed: Vec<Blamed> = Vec::new();
    for site in users {
        let mut own = Blamed {
            site: Arc::clone(&site.site),
            stack: Arc::clone(&site.stack),
            live_bytes: site.live_bytes,
            growth_bytes: site.growth_bytes,
            samples: site.samples,
        };
        for inlined in site.inlined.iter().filter(|inlined| inlined.share >= MIN_SHARE) {
            let bytes = Bytes::from_bytes((site.inlined_bytes.as_f64() * inlined.share) as u64);
            let samples = (f64::from(site.inlined_samples) * inlined.share).round() as u32;
            own.live_bytes = own.live_bytes.saturating_sub(bytes);
            own.growth_bytes = own.growth_bytes.saturating_sub(bytes);
            own.samples = own.samples.saturating_sub(samples);
            add(
                &mut blamed,
                Blamed {
                    site: Arc::clone(&inlined.site),
                    stack: Arc::clone(&inlined.stack),
                    live_bytes: bytes,
                    growth_bytes: bytes,
                    samples,
                },
            );
        }
        if own.samples > 0 {
            add(&mut blamed, own);
        }
    }
    blamed.sort_by_key(|blamed| std::cmp::Reverse(blamed.growth_bytes));
    blamed
}

fn add(blamed: &mut Vec<Blamed>, more: Blamed) {
    match blamed.iter_mut().find(|present| present.site == more.site) {
        Some(present) => {
            present.live_bytes += more.live_bytes;
            present.growth_bytes += more.growth_bytes;
            present.samples += more.samples;
        }
        None => blamed.push(more),
    }
}
