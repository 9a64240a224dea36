#[cfg(test)]
mod tests;

use super::{
    ChannelState, Evidence, Leak, LeakKind, Pace, Reading,
    blame::{Blamed, blame},
    channel::{Channel, Suspicion},
    evidence::{CohortEvidence, weigh},
    leak::LeakSite,
};
use crate::{
    allocation::SiteGrowth,
    measure::{Bytes, Millis},
};

/// Sites listed in a leak.
const MAX_SITES: usize = 10;
/// A suspicion is looked into at the fast pace for this long; then the detector rests before it does so again.
const EXAMINATION: Millis = Millis::from_millis(5.0 * 60e3);
/// The first rest; each further one is twice as long.
const FIRST_REST: Millis = Millis::from_millis(5.0 * 60e3);
/// The longest rest.
const LONGEST_REST: Millis = Millis::from_millis(60.0 * 60e3);

/// What a reading has led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It leaks.
    Confirmed(Box<Leak>),
    /// The leak of this id turned out to be a plateau.
    Resolved(Box<Leak>),
}

/// How the allocation sites have grown.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// Since when: later than asked for where the profile is younger.
    pub since: Millis,
    /// Biggest growth first.
    pub sites: Vec<SiteGrowth>,
}

/// Watches one isolate.
#[derive(Debug)]
pub struct Detector {
    thread_id: u32,
    channels: [Channel; 4],
    standing: Vec<Leak>,
    raised: u32,
    examination: Examination,
}

/// Keeps a steady app with a tiny growth from being examined again and again.
#[derive(Debug)]
struct Examination {
    since: Option<Millis>,
    rest_until: Millis,
    next_rest: Millis,
}

impl Detector {
    /// A detector for the isolate of the thread with this Node id.
    pub fn new(thread_id: u32) -> Self {
        let kinds = [LeakKind::Heap, LeakKind::External, LeakKind::Native, LeakKind::Contexts];
        Self {
            thread_id,
            channels: kinds.map(Channel::new),
            standing: Vec::new(),
            raised: 0,
            examination: Examination { since: None, rest_until: Millis::ZERO, next_rest: FIRST_REST },
        }
    }

    /// Takes in a reading. `growth_since` tells how the allocation sites have grown since a time; it is asked only
    /// when the heap is suspect, and answers `None` where there is no profile.
    pub fn observe(
        &mut self,
        reading: &Reading,
        growth_since: impl Fn(Millis) -> Option<Growth>,
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for channel in &mut self.channels {
            let value = match channel.kind {
                LeakKind::Heap => Some(reading.used.as_f64()),
                LeakKind::External => Some(reading.external.as_f64()),
                LeakKind::Native => reading.native.map(Bytes::as_f64),
                LeakKind::Contexts => Some(reading.contexts as f64),
            };
            let Some(value) = value else { continue };
            channel.push(reading.time, value);
            if let Some(id) = channel.resolve(reading.time)
                && let Some(index) = self.standing.iter().position(|leak| leak.id == id)
            {
                let mut leak = self.standing.swap_remove(index);
                leak.end = reading.time;
                leak.reason = format!("{} It has stopped growing since.", leak.reason);
                verdicts.push(Verdict::Resolved(Box::new(leak)));
            }
            let Some(suspicion) = channel.suspicion(reading.time) else { continue };
            let cohort = match channel.kind {
                LeakKind::Heap => {
                    let weighed = growth_since(suspicion.since)
                        .ok_or("no allocation profile is available to confirm it")
                        .and_then(|growth| {
                            let bytes = Bytes::from_bytes(channel.growth_since(growth.since) as u64);
                            weigh(growth.sites, bytes, reading.time.since(growth.since))
                        });
                    match weighed {
                        Ok(cohort) => Some(cohort),
                        Err(missing) => {
                            channel.state = ChannelState::Suspect { since: suspicion.since, missing };
                            continue;
                        }
                    }
                }
                _ => None,
            };
            self.raised += 1;
            let id = format!("{}-{}-{}", channel.kind.name(), self.thread_id, self.raised);
            channel.raise(id.clone(), reading.time, &suspicion);
            let leak = describe(id, channel.kind, self.thread_id, reading, &suspicion, cohort.as_ref());
            self.standing.push(leak.clone());
            verdicts.push(Verdict::Confirmed(Box::new(leak)));
        }
        let interesting = self.channels.iter().any(|channel| channel.is_interesting(reading.time));
        self.examination.note(reading.time, interesting, !verdicts.is_empty());
        verdicts
    }

    /// How eagerly to help major GCs along.
    pub fn pace(&self) -> Pace {
        if self.examination.since.is_some() { Pace::Fast } else { Pace::Slow }
    }

    /// Whether the heap rises, or is suspect already.
    pub fn is_heap_interesting(&self, now: Millis) -> bool {
        self.channels.iter().any(|channel| channel.kind == LeakKind::Heap && channel.is_interesting(now))
    }

    /// Where each channel stands.
    pub fn states(&self) -> impl Iterator<Item = (LeakKind, &ChannelState)> {
        self.channels.iter().map(|channel| (channel.kind, &channel.state))
    }

    /// The leaks that were raised and not taken back.
    pub fn standing(&self) -> &[Leak] {
        &self.standing
    }
}

impl Examination {
    fn note(&mut self, now: Millis, interesting: bool, has_verdict: bool) {
        if has_verdict {
            let since = interesting.then_some(now);
            *self = Self { since, rest_until: Millis::ZERO, next_rest: FIRST_REST };
        } else if !interesting {
            self.since = None;
        } else if let Some(since) = self.since {
            if now.since(since) > EXAMINATION {
                self.since = None;
                self.rest_until = Millis::from_millis(now.get() + self.next_rest.get());
                self.next_rest = Millis::from_millis((self.next_rest.get() * 2.0).min(LONGEST_REST.get()));
            }
        } else if now >= self.rest_until {
            self.since = Some(now);
        }
    }
}

fn describe(
    id: String,
    kind: LeakKind,
    thread_id: u32,
    reading: &Reading,
    suspicion: &Suspicion,
    cohort: Option<&CohortEvidence>,
) -> Leak {
    let room = match kind {
        LeakKind::Heap => {
            Some(reading.container_room.map_or(reading.heap_room, |c| c.min(reading.heap_room)))
        }
        LeakKind::External | LeakKind::Native => reading.container_room,
        LeakKind::Contexts => None,
    };
    // Without cohorts, more readings in a row are all there is to trust.
    let by_trend = 0.5 + 0.02 * (suspicion.readings.min(20) as f64);
    let blamed = cohort.map(|cohort| blame(&cohort.sites)).unwrap_or_default();
    let sites: Vec<LeakSite> = blamed.iter().take(MAX_SITES).map(LeakSite::from).collect();
    Leak {
        id,
        kind,
        thread_id,
        start: suspicion.since,
        end: reading.time,
        growth: suspicion.growth as u64,
        reason: reason(kind, suspicion, cohort.zip(blamed.first())),
        bytes_per_hour: (suspicion.rate * 3_600_000.0) as u64,
        confidence: cohort.map_or(by_trend, |c| c.survival * (0.6 + 0.39 * c.share)),
        limit_in_ms: room.map(|room| (room.as_f64() / suspicion.rate).round()),
        evidence: match cohort {
            Some(_) => vec![Evidence::Trend, Evidence::Cohort],
            None => vec![Evidence::Trend],
        },
        sites,
    }
}

fn reason(kind: LeakKind, suspicion: &Suspicion, proof: Option<(&CohortEvidence, &Blamed)>) -> String {
    let bytes = Bytes::from_bytes(suspicion.growth as u64);
    let (what, amount) = match kind {
        LeakKind::Heap => ("The heap", bytes.to_string()),
        LeakKind::External => ("External memory (Buffers, ArrayBuffers)", bytes.to_string()),
        LeakKind::Native => ("Native memory (malloc, less external)", bytes.to_string()),
        LeakKind::Contexts => ("The number of contexts", format!("{:.0}", suspicion.growth)),
    };
    let trend = format!(
        "{what} grew by {amount} in {:.0} s, over {} readings after major GCs in a row.",
        suspicion.window.get() / 1e3,
        suspicion.readings,
    );
    let Some((cohort, top)) = proof else { return trend };
    format!(
        "{trend} Of the objects sampled early in that time {:.0} % are still alive; most come from {} ({}:{}).",
        cohort.survival * 100.0,
        top.site.display_name(),
        top.site.script_name,
        top.site.line,
    )
}
