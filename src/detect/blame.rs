use std::sync::Arc;

use crate::{
    allocation::{Frame, Origin, SiteGrowth, Stack},
    measure::Bytes,
};

/// A smaller part than this is not attributed to an inlined function.
const MIN_SHARE: f64 = 0.05;

/// A function to name, and what is put down to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blamed {
    pub(super) site: Arc<Frame>,
    pub(super) stack: Arc<Stack>,
    pub(super) live_bytes: Bytes,
    pub(super) growth_bytes: Bytes,
    pub(super) samples: u32,
    /// The function that it was inlined into, if that was seen.
    within: Option<Arc<Frame>>,
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
            within: None,
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
                    within: Some(Arc::clone(&site.site)),
                },
            );
        }
        if own.samples > 0 {
            add(&mut blamed, own);
        }
    }
    blamed.sort_by_key(|blamed| std::cmp::Reverse(blamed.growth_bytes));
    behind_their_hosts(blamed)
}

/// Moves what was inlined up behind the function that it was inlined into, if that grew more: how the growth divides between the two
/// is an estimate, and either may be the one to look at.
fn behind_their_hosts(mut blamed: Vec<Blamed>) -> Vec<Blamed> {
    let mut ordered: Vec<Blamed> = Vec::with_capacity(blamed.len());
    while !blamed.is_empty() {
        let first = blamed.remove(0);
        let is_within = |other: &mut Blamed| other.within.as_ref() == Some(&first.site);
        let inlined: Vec<Blamed> = blamed.extract_if(.., is_within).collect();
        ordered.push(first);
        ordered.extend(inlined);
    }
    ordered
}

fn add(blamed: &mut Vec<Blamed>, more: Blamed) {
    match blamed.iter_mut().find(|present| present.site == more.site) {
        Some(present) => {
            present.live_bytes += more.live_bytes;
            present.growth_bytes += more.growth_bytes;
            present.samples += more.samples;
            present.within = present.within.take().or(more.within);
        }
        None => blamed.push(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(name: &str, growth: u64, within: Option<&str>) -> Blamed {
        let frame = |name: &str| Arc::new(Frame { function_name: name.into(), ..Frame::default() });
        Blamed {
            site: frame(name),
            stack: Arc::new(Stack::default()),
            live_bytes: Bytes::ZERO,
            growth_bytes: Bytes::from_bytes(growth),
            samples: 1,
            within: within.map(frame),
        }
    }

    #[test]
    fn what_was_inlined_stands_behind_its_host_or_before_it() {
        let order = |sites: Vec<Blamed>| -> Vec<String> {
            behind_their_hosts(sites).iter().map(|blamed| blamed.site.function_name.clone()).collect()
        };
        let sites = vec![
            blamed("a", 9, None),
            blamed("b", 8, None),
            blamed("c", 7, Some("b")),
            blamed("d", 1, Some("a")),
        ];
        assert_eq!(order(sites), ["a", "d", "b", "c"]);
        assert_eq!(
            order(vec![blamed("d", 9, Some("a")), blamed("b", 8, None), blamed("a", 7, None)]),
            ["d", "b", "a"]
        );
    }
}
