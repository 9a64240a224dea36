use crate::{
    allocation::SiteGrowth,
    measure::{Bytes, Millis},
};

/// Of what a site allocated early in the rise, at least this part has to live on. Leaks measured .87 and more,
/// entries with a time to live .05 to .33, load ramps and rebuilds 0.
const MIN_SURVIVAL: f64 = 0.8;
/// Fewer samples than this over all surviving sites say nothing.
const MIN_SAMPLES: u32 = 8;
/// A site with a single sample is chance.
const MIN_SITE_SAMPLES: u32 = 2;
/// That so many young samples have no survivors among them is no chance.
const SAMPLES_OF_DOUBT: u32 = 40;
/// The surviving sites have to explain this part of the growth.
const MIN_SHARE: f64 = 0.4;

/// A profile that covers less of the rise than this does not show who stays.
const MIN_WINDOW: Millis = Millis::from_millis(15_000.0);

/// Cohorts that have to do alone must be stronger in each respect.
const STRONG_WINDOW: Millis = Millis::from_millis(30_000.0);
const STRONG_SAMPLES: u32 = 12;
const STRONG_SURVIVAL: f64 = 0.87;
const STRONG_SHARE: f64 = 0.5;

/// What the live samples say of a rise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CohortEvidence {
    /// The sites whose objects stay, biggest growth first.
    pub(super) sites: Vec<SiteGrowth>,
    /// The part of the early objects of these sites that still lives, weighted by growth.
    pub(super) survival: f64,
    /// How much of the growth these sites explain, at most 1.
    pub(super) share: f64,
    /// How many samples these sites have.
    pub(super) samples: u32,
}

impl CohortEvidence {
    /// Whether it suffices where no snapshots say who keeps the growth.
    pub(super) fn is_strong(&self, window: Millis) -> bool {
        window >= STRONG_WINDOW
            && self.samples >= STRONG_SAMPLES
            && self.survival >= STRONG_SURVIVAL
            && self.share >= STRONG_SHARE
    }
}

/// What cohorts say where they do not confirm a rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Too little is known.
    Unknown(&'static str),
    /// The growth is of something else.
    Contradicted(&'static str),
}

impl Doubt {
    /// A phrase.
    pub(super) const fn phrase(self) -> &'static str {
        match self {
            Self::Unknown(phrase) | Self::Contradicted(phrase) => phrase,
        }
    }
}

/// Whether a rise is explained by sites whose objects stay.
pub(super) fn weigh(sites: Vec<SiteGrowth>, growth: Bytes, window: Millis) -> Result<CohortEvidence, Doubt> {
    if window < MIN_WINDOW {
        return Err(Doubt::Unknown("the allocation profile is too young"));
    }
    let sampled: u32 = sites.iter().map(|site| site.samples).sum();
    let staying: Vec<SiteGrowth> = sites.into_iter().filter(stays).collect();
    let samples: u32 = staying.iter().map(|site| site.samples).sum();
    if samples < MIN_SAMPLES {
        let phrase = "too few sampled objects have survived so far";
        return Err(if sampled < SAMPLES_OF_DOUBT {
            Doubt::Unknown(phrase)
        } else {
            Doubt::Contradicted(phrase)
        });
    }
    let explained: Bytes = staying.iter().map(|site| site.growth_bytes).sum();
    let share = explained.as_f64() / growth.as_f64().max(1.0);
    if share < MIN_SHARE {
        return Err(Doubt::Unknown("the sampled objects that survive do not explain the growth"));
    }
    let weighted: f64 =
        staying.iter().map(|site| site.survival.unwrap_or(0.0) * site.growth_bytes.as_f64()).sum();
    Ok(CohortEvidence {
        samples,
        survival: weighted / explained.as_f64().max(1.0),
        share: share.min(1.0),
        sites: staying,
    })
}

/// Objects of a leak stay, and they come all the time: a cache that was filled once also stays.
fn stays(site: &SiteGrowth) -> bool {
    site.samples >= MIN_SITE_SAMPLES
        && site.survival.is_some_and(|survival| survival >= MIN_SURVIVAL)
        && (site.samples < 6 || site.thirds.iter().all(|&third| third * 10 >= site.samples))
}
