#[cfg(test)]
mod proof_tests;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::{
    ChannelState, Leak, LeakKind, Pace, Reading,
    channel::{Channel, Suspicion},
    containers::{Finding, weigh_containers},
    describe::{Proof, describe, room},
    evidence::{CohortEvidence, Doubt, weigh},
    examination::Examination,
    inquiry::{Inquiry, InquiryLimits, Level, Standing, Step},
    other_sites::sites_of,
};
use crate::{
    allocation::SiteGrowth,
    measure::{Bytes, Millis},
    snapshot::Difference,
};

/// Snapshots that are awaited for longer are not waited for where a counter of its own shows the growth.
const PATIENCE: Millis = Millis::from_millis(60_000.0);
/// Rises that begin no further apart than this are taken for one leak, where nothing says otherwise.
const SAME_START: Millis = Millis::from_millis(20_000.0);
/// What a context takes, to compare rises: a fresh one has some 400 KB.
const CONTEXT: f64 = 400e3;

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

/// What came of a snapshot that the detector wanted.
#[derive(Debug)]
pub enum Inspection {
    /// It was taken, for so much CPU; the difference is there if it was compared, and so are the files if they are kept, of all that
    /// were.
    Taken(Millis, Option<Box<Difference>>, Vec<PathBuf>),
    /// It could not be taken, for so much CPU.
    Failed(Millis, String),
    /// It was given up, as somebody has asked for one.
    Interrupted(Millis),
}

/// A channel has gone from one state to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// When.
    pub time: Millis,
    /// Which channel.
    pub kind: LeakKind,
    /// The state it was in.
    pub from: ChannelState,
    /// The state it is in.
    pub to: ChannelState,
}

/// Watches one isolate.
#[derive(Debug)]
pub struct Detector {
    thread_id: u32,
    channels: [Channel; 4],
    standing: Vec<Leak>,
    raised: u32,
    examination: Examination,
    inquiry: Inquiry,
    latest: Option<Reading>,
    /// Of the snapshots of the latest inquiry.
    files: Vec<PathBuf>,
    transitions: Vec<Transition>,
}

impl Detector {
    /// A detector for the isolate of the thread with this Node id. `inquiries`: what proofs by snapshots may cost, or why there are none.
    pub fn new(thread_id: u32, inquiries: Result<InquiryLimits, String>) -> Self {
        let kinds = [LeakKind::Heap, LeakKind::External, LeakKind::Native, LeakKind::Contexts];
        Self {
            thread_id,
            channels: kinds.map(Channel::new),
            standing: Vec::new(),
            raised: 0,
            examination: Examination::default(),
            inquiry: Inquiry::new(inquiries),
            latest: None,
            files: Vec::new(),
            transitions: Vec::new(),
        }
    }

    /// Changes what proofs by snapshots may cost.
    pub fn limit_inquiries(&mut self, limits: Result<InquiryLimits, String>) {
        self.inquiry.limit(limits);
    }

    /// Takes in a reading. `growth_since` tells how the allocation sites have grown since a time; it is asked only when something is
    /// suspect, and answers `None` where there is no profile.
    pub fn observe(
        &mut self,
        reading: &Reading,
        growth_since: impl Fn(Millis) -> Option<Growth>,
    ) -> Vec<Verdict> {
        let before = self.channel_states();
        let mut verdicts = Vec::new();
        for index in 0..self.channels.len() {
            let Some(value) = value(self.channels[index].kind, reading) else { continue };
            self.channels[index].push(reading.time, value);
            for id in self.channels[index].resolve(reading.time) {
                verdicts.extend(self.take_back(&id, reading.time));
            }
        }
        self.latest = Some(*reading);
        let suspicions = self.suspicions(reading);
        let rises = self.channels.iter().any(|channel| channel.is_interesting(reading.time));
        self.inquiry.note(&Level {
            time: reading.time,
            bytes: reading.used.as_f64() + reading.external.as_f64(),
            rises: !suspicions.is_empty()
                || self
                    .channels
                    .iter()
                    .any(|channel| channel.is_free() && channel.is_interesting(reading.time)),
            suspect_since: suspicions
                .iter()
                .map(|(_, suspicion)| suspicion.since)
                .max_by(|a, b| a.get().total_cmp(&b.get())),
        });
        verdicts.extend(self.judge(reading, suspicions, &growth_since));
        self.examination.note(reading.time, rises, !verdicts.is_empty());
        self.note_transitions(before, reading.time);
        verdicts
    }

    /// The snapshot that is to be taken now, if any; `inspected` has to tell what came of it.
    pub fn due(&mut self, now: Millis) -> Option<Step> {
        self.inquiry.due(now)
    }

    /// Takes in what came of a snapshot.
    pub fn inspected(
        &mut self,
        now: Millis,
        inspection: Inspection,
        growth_since: impl Fn(Millis) -> Option<Growth>,
    ) -> Vec<Verdict> {
        match inspection {
            Inspection::Taken(cpu, difference, files) => {
                self.files = files;
                let is_first = difference.is_none();
                self.inquiry.took(now, cpu, difference.map(|difference| *difference));
                if is_first {
                    return Vec::new();
                }
            }
            Inspection::Failed(cpu, reason) => self.inquiry.failed(now, cpu, reason),
            Inspection::Interrupted(cpu) => self.inquiry.interrupted(now, cpu),
        }
        let Some(reading) = self.latest else { return Vec::new() };
        let before = self.channel_states();
        let suspicions = self.suspicions(&reading);
        let verdicts = self.judge(&reading, suspicions, &growth_since);
        self.note_transitions(before, now);
        verdicts
    }

    /// The present rises, the largest first: it is the one that is told if several have one cause.
    fn suspicions(&mut self, reading: &Reading) -> Vec<(usize, Suspicion)> {
        let mut suspicions: Vec<(usize, Suspicion)> = self
            .channels
            .iter_mut()
            .enumerate()
            .filter(|(_, channel)| value(channel.kind, reading).is_some())
            .filter_map(|(index, channel)| Some((index, channel.suspicion(reading.time)?)))
            .collect();
        let size = |(index, suspicion): &(usize, Suspicion)| match self.channels[*index].kind {
            LeakKind::Contexts => suspicion.growth * CONTEXT,
            _ => suspicion.growth,
        };
        suspicions.sort_by(|one, other| size(other).total_cmp(&size(one)));
        suspicions
    }

    fn judge(
        &mut self,
        reading: &Reading,
        suspicions: Vec<(usize, Suspicion)>,
        growth_since: &impl Fn(Millis) -> Option<Growth>,
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let (mut is_proved, mut rejected) = (false, None);
        for (index, suspicion) in suspicions {
            match self.prove(index, &suspicion, reading, growth_since) {
                Ok(proof) => {
                    is_proved |= !proof.retainers.is_empty();
                    verdicts.extend(self.raise(index, &suspicion, reading, proof));
                }
                Err(Missing { phrase, is_final }) => {
                    if is_final {
                        rejected = Some(phrase.clone());
                    }
                    self.channels[index].suspect(suspicion.since, phrase);
                }
            }
        }
        match (is_proved, rejected) {
            (true, _) => self.inquiry.succeed(reading.time),
            (false, Some(reason)) => self.inquiry.reject(reading.time, reason),
            (false, None) => {}
        }
        verdicts
    }

    /// What proves a suspicion, or what is missing.
    fn prove(
        &mut self,
        index: usize,
        suspicion: &Suspicion,
        reading: &Reading,
        growth_since: &impl Fn(Millis) -> Option<Growth>,
    ) -> Result<Proof, Missing> {
        let kind = self.channels[index].kind;
        let (cohort, sites) = match kind {
            LeakKind::Heap => self.cohort(index, suspicion, reading, growth_since),
            LeakKind::Native => (Err(Doubt::Unknown("it has no allocation sites")), Vec::new()),
            LeakKind::External | LeakKind::Contexts => {
                let growth = growth_since(suspicion.since).map_or_else(Vec::new, |growth| growth.sites);
                (
                    Err(Doubt::Unknown("its samples say nothing of who stays")),
                    sites_of(kind, growth, suspicion.growth),
                )
            }
        };
        let by_trend = || Proof { sites: sites.clone(), ..Proof::default() };
        let (difference, is_last) = match self.inquiry.standing(suspicion.since, reading.time) {
            Standing::Compared { difference, is_last } => (difference, is_last),
            Standing::Open(since) if kind != LeakKind::Heap && reading.time.since(since) > PATIENCE => {
                return Ok(by_trend());
            }
            Standing::Open(_) | Standing::Postponed => return self.awaited(reading),
            // What malloc has handed out is not in snapshots: nothing in them speaks against a leak of it.
            _ if kind == LeakKind::Native => return Ok(by_trend()),
            Standing::Rejected(reason) => return Err(reason.to_owned().into()),
            Standing::Unavailable(_) if kind != LeakKind::Heap => return Ok(by_trend()),
            Standing::Unavailable(reason) => {
                return alone(cohort, sites, suspicion).map_err(|doubt| {
                    format!("{doubt}, and there is no proof by snapshots: {reason}").into()
                });
            }
        };
        let room = room(kind, reading).unwrap_or(reading.heap_room);
        let finding = weigh_containers(difference, kind, suspicion.rate, room);
        match finding {
            Finding::Kept { is_certain: false, .. } if matches!(cohort, Err(Doubt::Contradicted(_))) => {
                Err(Missing::rejected(
                    "what grows in the snapshots cannot be told apart, and samples do not survive",
                ))
            }
            // Two snapshots do not show whether things that cannot be told apart grow with the work.
            Finding::Kept { is_certain, .. }
                if !is_last && (!is_certain || matches!(cohort, Err(Doubt::Contradicted(_)))) =>
            {
                self.awaited(reading)
            }
            Finding::Kept { retainers, is_certain } => {
                Ok(Proof { cohort: cohort.ok(), sites, retainers, is_certain })
            }
            _ if kind == LeakKind::Native => Ok(by_trend()),
            Finding::TooEarly { seconds, reason } => {
                let difference = difference.clone();
                self.inquiry.postpone(reading.time, seconds, reason.clone(), &difference);
                Err(reason.into())
            }
            Finding::Harmless(_) | Finding::Nothing if !is_last => self.awaited(reading),
            Finding::Harmless(reason) => Err(Missing::rejected(reason)),
            Finding::Nothing if kind != LeakKind::Heap => Ok(by_trend()),
            Finding::Nothing => alone(cohort, sites, suspicion)
                .map_err(|doubt| Missing::rejected(format!("no container explains the growth, and {doubt}"))),
        }
    }

    /// More snapshots have to come.
    fn awaited(&self, reading: &Reading) -> Result<Proof, Missing> {
        Err(self.inquiry.awaits(reading.time).into())
    }

    fn cohort(
        &self,
        index: usize,
        suspicion: &Suspicion,
        reading: &Reading,
        growth_since: &impl Fn(Millis) -> Option<Growth>,
    ) -> (Result<CohortEvidence, Doubt>, Vec<SiteGrowth>) {
        let Some(growth) = growth_since(suspicion.since) else {
            return (Err(Doubt::Unknown("no allocation profile is available to confirm it")), Vec::new());
        };
        let bytes = Bytes::from_bytes(self.channels[index].growth_since(growth.since) as u64);
        let grown = growth.sites.iter().filter(|site| site.growth_bytes > Bytes::ZERO).cloned().collect();
        (weigh(growth.sites, bytes, reading.time.since(growth.since)), grown)
    }

    /// Raises the alarm, unless the leak was told already as one of another kind.
    fn raise(
        &mut self,
        index: usize,
        suspicion: &Suspicion,
        reading: &Reading,
        proof: Proof,
    ) -> Option<Verdict> {
        let kind = self.channels[index].kind;
        let is_same = |leak: &&Leak| match proof.retainers.first() {
            Some(ours) if !leak.retainers.is_empty() => {
                leak.retainers.iter().any(|theirs| theirs.path == ours.path)
            }
            // Where nobody knows who keeps it: one of this kind, or one that began at the same time.
            _ => leak.kind == kind || (leak.start.get() - suspicion.since.get()).abs() < SAME_START.get(),
        };
        if let Some(leak) = self.standing.iter().find(is_same) {
            self.channels[index].raise(leak.id.clone(), reading.time, suspicion);
            return None;
        }
        self.raised += 1;
        let id = format!("{}-{}-{}", kind.name(), self.thread_id, self.raised);
        self.channels[index].raise(id.clone(), reading.time, suspicion);
        let mut leak = describe(id, kind, self.thread_id, reading, suspicion, proof);
        if !leak.retainers.is_empty() {
            leak.snapshots.clone_from(&self.files);
        }
        self.standing.push(leak.clone());
        Some(Verdict::Confirmed(Box::new(leak)))
    }

    /// Takes the leak back once no channel grows by it any more.
    fn take_back(&mut self, id: &str, now: Millis) -> Option<Verdict> {
        if self.channels.iter().any(|channel| channel.is_leaking(id)) {
            return None;
        }
        let index = self.standing.iter().position(|leak| leak.id == id)?;
        let mut leak = self.standing.swap_remove(index);
        leak.end = now;
        leak.reason = format!("{} It has stopped growing since.", leak.reason);
        Some(Verdict::Resolved(Box::new(leak)))
    }

    fn channel_states(&self) -> [ChannelState; 4] {
        self.channels.each_ref().map(|channel| channel.state.clone())
    }

    fn note_transitions(&mut self, before: [ChannelState; 4], time: Millis) {
        for (channel, from) in self.channels.iter().zip(before) {
            let is_same = std::mem::discriminant(&from) == std::mem::discriminant(&channel.state);
            if !is_same {
                let to = channel.state.clone();
                self.transitions.push(Transition { time, kind: channel.kind, from, to });
            }
        }
    }

    /// The transitions since this was asked last.
    pub fn take_transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.transitions)
    }

    /// How eagerly to help major GCs along.
    pub fn pace(&self) -> Pace {
        if self.examination.is_under_way() { Pace::Fast } else { Pace::Slow }
    }

    /// Whether snapshots that were kept are of no use any more.
    pub const fn needs_no_snapshots(&self) -> bool {
        self.inquiry.is_over()
    }

    /// Whether something rises, or is suspect already, that JavaScript allocates.
    pub fn wants_samples(&self, now: Millis) -> bool {
        self.channels.iter().any(|channel| channel.kind != LeakKind::Native && channel.is_interesting(now))
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

/// What a suspicion lacks.
struct Missing {
    phrase: String,
    /// Nothing more is expected of this proof.
    is_final: bool,
}

impl Missing {
    fn rejected(phrase: impl Into<String>) -> Self {
        Self { phrase: phrase.into(), is_final: true }
    }
}

impl From<String> for Missing {
    fn from(phrase: String) -> Self {
        Self { phrase, is_final: false }
    }
}

/// A proof by cohorts alone.
fn alone(
    cohort: Result<CohortEvidence, Doubt>,
    sites: Vec<SiteGrowth>,
    suspicion: &Suspicion,
) -> Result<Proof, &'static str> {
    match cohort {
        Ok(cohort) if cohort.is_strong(suspicion.window) => {
            Ok(Proof { cohort: Some(cohort), sites, ..Proof::default() })
        }
        Ok(_) => Err("what survives of the samples is not enough by itself"),
        Err(doubt) => Err(doubt.phrase()),
    }
}

fn value(kind: LeakKind, reading: &Reading) -> Option<f64> {
    match kind {
        LeakKind::Heap => Some(reading.used.as_f64()),
        LeakKind::External => Some(reading.external.as_f64()),
        LeakKind::Native => reading.native.map(Bytes::as_f64),
        LeakKind::Contexts => Some(reading.contexts as f64),
    }
}
