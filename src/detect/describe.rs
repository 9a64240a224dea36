//! A leak, from what was found.

use super::{
    LeakKind, Reading,
    blame::{Blamed, blame},
    channel::Suspicion,
    containers,
    evidence::CohortEvidence,
    leak::{Evidence, Leak, LeakRetainer, LeakSite},
};
use crate::{allocation::SiteGrowth, measure::Bytes};

/// Sites listed in a leak.
const MAX_SITES: usize = 10;

/// What supports a suspicion.
#[derive(Clone, Debug, Default)]
pub(super) struct Proof {
    /// The sites whose objects stay.
    pub(super) cohort: Option<CohortEvidence>,
    /// Who allocates what is alive, where no cohort is there to say who stays.
    pub(super) sites: Vec<SiteGrowth>,
    /// Who keeps it; empty where nobody knows.
    pub(super) retainers: Vec<LeakRetainer>,
    /// Whether the retainers' members were seen to stay.
    pub(super) is_certain: bool,
}

/// The leak that a suspicion turned out to be.
pub(super) fn describe(
    id: String,
    kind: LeakKind,
    thread_id: u32,
    reading: &Reading,
    suspicion: &Suspicion,
    proof: Proof,
) -> Leak {
    let blamed = blame(proof.cohort.as_ref().map_or(&proof.sites, |cohort| &cohort.sites));
    let sites: Vec<LeakSite> = blamed.iter().take(MAX_SITES).map(LeakSite::from).collect();
    let mut evidence = vec![Evidence::Trend];
    evidence.extend(proof.cohort.as_ref().map(|_| Evidence::Cohort));
    if !proof.retainers.is_empty() {
        evidence.push(Evidence::Snapshot);
    }
    Leak {
        id,
        kind,
        thread_id,
        start: suspicion.since,
        end: reading.time,
        growth: suspicion.growth as u64,
        reason: reason(kind, suspicion, &proof, blamed.first()),
        bytes_per_hour: (suspicion.rate * 3_600_000.0) as u64,
        confidence: confidence(suspicion, &proof),
        limit_in_ms: room(kind, reading).map(|room| (room.as_f64() / suspicion.rate).round()),
        evidence,
        sites,
        retainers: proof.retainers,
        snapshots: Vec::new(),
    }
}

/// What is left until the limit that growth of this kind reaches first.
pub(super) fn room(kind: LeakKind, reading: &Reading) -> Option<Bytes> {
    match kind {
        LeakKind::Heap => {
            Some(reading.container_room.map_or(reading.heap_room, |room| room.min(reading.heap_room)))
        }
        LeakKind::External | LeakKind::Native => reading.container_room,
        LeakKind::Contexts => None,
    }
}

fn confidence(suspicion: &Suspicion, proof: &Proof) -> f64 {
    // Without a proof, more readings in a row are all there is to trust.
    let by_trend = 0.5 + 0.02 * (suspicion.readings.min(20) as f64);
    let by_cohort =
        proof.cohort.as_ref().map_or(by_trend, |cohort| cohort.survival * (0.6 + 0.39 * cohort.share));
    match (proof.retainers.is_empty(), proof.is_certain) {
        (true, _) => by_cohort,
        (false, true) => by_cohort.max(0.9) + 0.05,
        (false, false) => by_cohort.max(0.7),
    }
    .min(0.99)
}

fn reason(kind: LeakKind, suspicion: &Suspicion, proof: &Proof, top: Option<&Blamed>) -> String {
    let bytes = Bytes::from_bytes(suspicion.growth as u64);
    let (what, amount) = match kind {
        LeakKind::Heap => ("The heap", bytes.to_string()),
        LeakKind::External => ("External memory (Buffers, ArrayBuffers)", bytes.to_string()),
        LeakKind::Native => ("Native memory (malloc, less external)", bytes.to_string()),
        LeakKind::Contexts => ("The number of contexts", format!("{:.0}", suspicion.growth)),
    };
    let mut reason = format!(
        "{what} grew by {amount} in {:.0} s, over {} readings after major GCs in a row.",
        suspicion.window.get() / 1e3,
        suspicion.readings,
    );
    if let Some(retainer) = proof.retainers.first() {
        reason += &format!(" {}", containers::sentence(retainer));
    }
    let place =
        |top: &Blamed| format!("{} ({}:{})", top.site.display_name(), top.site.script_name, top.site.line);
    match (&proof.cohort, top) {
        (Some(cohort), Some(top)) => {
            reason += &format!(
                " Of the objects sampled early in that time {:.0} % are still alive; most come from {}.",
                cohort.survival * 100.0,
                place(top),
            );
        }
        (None, Some(top)) => reason += &format!(" Most of what is sampled comes from {}.", place(top)),
        _ => {}
    }
    reason
}
