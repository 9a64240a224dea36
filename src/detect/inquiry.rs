//! The course of a proof by snapshots: when each is taken, and when none is worth its price.
//!
//! ```text
//! idle --rises--> gathering: a first, a second (compared), a third (compared) --> concluded --after a while--> idle
//!   ^                 |              ^                                             |
//!   +--rises no more--+              +----------------nothing is due---------------+
//! ```

use std::collections::VecDeque;

use crate::{measure::Millis, snapshot::Difference};

/// So many snapshots are kept before the one that is compared with them.
const KEPT: usize = 2;
/// Between two snapshots: the time...
const LEAST_GAP: Millis = Millis::from_millis(6_000.0);
/// ... which is so many times what the child takes of the CPU at least...
const GAPS_PER_CPU: f64 = 1.0;
/// ... and the growth, in bytes and as a part of the memory.
const LEAST_GROWTH: f64 = 256.0 * 1024.0;
const LEAST_PART: f64 = 0.01;
/// From the first snapshot to the second it takes this time, or growth by this part: a fast leak soon makes snapshots dear.
const LEAST_SPAN: Millis = Millis::from_millis(12_000.0);
const FAST_PART: f64 = 0.25;
/// What rises no more for so long is given up.
const PATIENCE: Millis = Millis::from_millis(120_000.0);
/// A comparison speaks of what happens for so long.
const VALID: Millis = Millis::from_millis(120_000.0);
/// The rest after one that led to nothing; each further one is twice as long.
const FIRST_REST: Millis = Millis::from_millis(60_000.0);
const LONGEST_REST: Millis = Millis::from_millis(60.0 * 60e3);
/// After a snapshot that failed, cohorts have to do for so long; after each further one in a row for twice as long.
const FAILED_REST: Millis = Millis::from_millis(5.0 * 60e3);
/// A snapshot that takes longer than this is not waited for.
const LOST: Millis = Millis::from_millis(15.0 * 60e3);
const HOUR: Millis = Millis::from_millis(3600e3);
/// CPU time that is saved up while nothing happens, and is there at the start: what several proofs take on a small heap.
const MOST_CREDIT: Millis = Millis::from_millis(20_000.0);

/// What a suspicion may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InquiryLimits {
    /// The most snapshots in an hour.
    pub snapshots_per_hour: u32,
    /// The part of one core that children may take, over time.
    pub cpu_share: f64,
}

impl InquiryLimits {
    /// What one proof takes.
    pub const LEAST_SNAPSHOTS: u32 = KEPT as u32 + 1;
}

/// A snapshot that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// So many are kept already; it is compared with them.
    pub kept: usize,
    /// Whether it is the last one, which need not be kept.
    pub is_last: bool,
}

/// Where a proof stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing<'a> {
    /// Nothing is known yet, and will be; so it is since then.
    Open(Millis),
    /// Nothing can be known before some time is over.
    Postponed,
    /// Snapshots were compared: all that there will be, or a first two.
    Compared { difference: &'a Difference, is_last: bool },
    /// They were, a while ago, and this spoke against a leak.
    Rejected(&'a str),
    /// There are none now, because of this.
    Unavailable(&'a str),
}

/// What is known of the isolate's memory at a reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) time: Millis,
    /// Bytes, on the heap and kept by it.
    pub(super) bytes: f64,
    /// Whether a channel rises, or is suspect.
    pub(super) rises: bool,
    /// When the latest rise that is a trend began; none if there is none.
    pub(super) suspect_since: Option<Millis>,
}

#[derive(Debug)]
pub(super) struct Inquiry {
    /// The error says why there are no snapshots at all.
    limits: Result<InquiryLimits, String>,
    course: Course,
    rest_until: Millis,
    next_rest: Millis,
    next_failed_rest: Millis,
    /// CPU time to its credit, and when it was last added to.
    credit: (f64, Millis),
    /// Why the latest one led to nothing.
    rejected: String,
    /// Until when cohorts have to do, and why.
    failed: Option<(Millis, String)>,
    /// When snapshots were taken, in the last hour.
    times: VecDeque<Millis>,
    level: f64,
}

#[derive(Debug)]
enum Course {
    Idle,
    Gathering(Gathering),
    Concluded(Conclusion),
}

#[derive(Debug)]
struct Conclusion {
    time: Millis,
    difference: Box<Difference>,
    /// A leak was proved by it, and its snapshots are gone.
    is_proof: bool,
}

#[derive(Debug, Default)]
struct Gathering {
    began: Millis,
    /// When each was taken, and the level then.
    taken: Vec<(Millis, f64)>,
    /// When the one was asked for that is under way.
    asked: Option<Millis>,
    /// Whether it is time for the next one.
    is_due: bool,
    /// The last one is not taken before this...
    not_before: Millis,
    /// ... because of this.
    waits_for: Option<String>,
    /// When something last rose.
    risen: Millis,
    /// What a child took of the CPU.
    cpu: Millis,
    /// What the first two say.
    so_far: Option<Box<Difference>>,
}

impl Inquiry {
    pub(super) fn new(limits: Result<InquiryLimits, String>) -> Self {
        Self {
            limits,
            course: Course::Idle,
            rest_until: Millis::ZERO,
            next_rest: FIRST_REST,
            next_failed_rest: FAILED_REST,
            credit: (MOST_CREDIT.get(), Millis::ZERO),
            rejected: String::new(),
            failed: None,
            times: VecDeque::new(),
            level: 0.0,
        }
    }

    pub(super) fn limit(&mut self, limits: Result<InquiryLimits, String>) {
        self.limits = limits;
    }

    /// Takes in a reading.
    pub(super) fn note(&mut self, level: &Level) {
        self.level = level.bytes;
        self.save_up(level.time);
        if level.time.since(self.rest_until) > LONGEST_REST {
            self.next_rest = FIRST_REST;
        }
        match &self.course {
            Course::Concluded(conclusion)
                if level.time.since(conclusion.time) > VALID
                    || level.suspect_since.is_some_and(|since| !speaks_of(&conclusion.difference, since)) =>
            {
                self.course = Course::Idle;
            }
            // What rose is gone; another rise is another matter.
            Course::Gathering(Gathering { taken, asked: None, .. })
                if taken.first().is_some_and(|&(_, at_first)| level.bytes < at_first) =>
            {
                self.course = Course::Idle;
            }
            Course::Gathering(Gathering { asked: Some(asked), .. }) if level.time.since(*asked) > LOST => {
                self.failed(level.time, Millis::ZERO, "a snapshot was begun and never ended".into());
            }
            _ => {}
        }
        let may_begin = level.rises && self.may_begin(level.time);
        match &mut self.course {
            Course::Gathering(gathering) => {
                gathering.note(level);
                let is_over =
                    level.time > gathering.not_before && level.time.since(gathering.risen) > PATIENCE;
                if is_over && gathering.asked.is_none() {
                    self.rest(level.time, FIRST_REST, "it has stopped rising".into());
                }
            }
            Course::Idle if may_begin => {
                self.course = Course::Gathering(Gathering {
                    began: level.time,
                    is_due: true,
                    risen: level.time,
                    ..Gathering::default()
                });
            }
            _ => {}
        }
    }

    fn may_begin(&self, now: Millis) -> bool {
        self.limits.is_ok() && self.failed.is_none() && now >= self.rest_until && self.is_affordable()
    }

    fn is_affordable(&self) -> bool {
        self.credit.0 > 0.0 && self.has_budget(KEPT + 1)
    }

    fn save_up(&mut self, now: Millis) {
        let (saved, since) = self.credit;
        let share = self.limits.as_ref().map_or(0.0, |limits| limits.cpu_share);
        let earned = now.since(since).get().max(0.0) * share;
        self.credit = ((saved + earned).min(MOST_CREDIT.get()), now);
    }

    fn has_budget(&self, snapshots: usize) -> bool {
        self.limits
            .as_ref()
            .is_ok_and(|limits| self.times.len() + snapshots <= limits.snapshots_per_hour as usize)
    }

    /// The snapshot that is to be taken now, if any: `took` or `failed` has to follow.
    pub(super) fn due(&mut self, now: Millis) -> Option<Step> {
        while self.times.front().is_some_and(|&time| now.since(time) > HOUR) {
            self.times.pop_front();
        }
        if self.failed.as_ref().is_some_and(|(until, _)| now >= *until) {
            self.failed = None;
        }
        let has_budget = self.has_budget(1);
        let Course::Gathering(gathering) = &mut self.course else { return None };
        if !gathering.is_due || gathering.asked.is_some() {
            return None;
        }
        if !has_budget {
            self.course = Course::Idle;
            return None;
        }
        gathering.is_due = false;
        gathering.asked = Some(now);
        self.times.push_back(now);
        let kept = gathering.taken.len();
        Some(Step { kept, is_last: kept >= KEPT })
    }

    /// The snapshot was taken, for so much CPU; the difference is there if it was compared.
    pub(super) fn took(&mut self, now: Millis, cpu: Millis, difference: Option<Difference>) {
        self.credit.0 -= cpu.get();
        let Course::Gathering(gathering) = &mut self.course else { return };
        let Some(asked) = gathering.asked.take() else { return };
        gathering.cpu = cpu;
        if gathering.taken.len() < KEPT {
            gathering.taken.push((asked, self.level));
            gathering.so_far = difference.map(Box::new);
        } else if let Some(difference) = difference {
            let difference = Box::new(difference);
            self.course = Course::Concluded(Conclusion { time: now, difference, is_proof: false });
        }
        self.next_failed_rest = FAILED_REST;
    }

    /// The snapshot could not be taken, for so much CPU.
    pub(super) fn failed(&mut self, now: Millis, cpu: Millis, reason: String) {
        self.credit.0 -= cpu.get();
        self.course = Course::Idle;
        self.failed = Some((Millis::from_millis(now.get() + self.next_failed_rest.get()), reason));
        self.next_failed_rest = doubled(self.next_failed_rest);
    }

    /// The snapshot was given up, as somebody has asked for one.
    pub(super) fn interrupted(&mut self, now: Millis, cpu: Millis) {
        self.credit.0 -= cpu.get();
        self.rest(now, FIRST_REST, "a snapshot that was asked for came first".into());
    }

    /// What was compared says nothing before `seconds` are over: the last snapshot is taken again then.
    pub(super) fn postpone(&mut self, now: Millis, seconds: f64, reason: String, difference: &Difference) {
        if matches!(self.course, Course::Concluded(Conclusion { is_proof: true, .. })) {
            return self.reject(now, reason);
        }
        let not_before = Millis::from_millis(now.get() + seconds * 1e3);
        let times = difference.snapshots.iter().take(KEPT).map(|snapshot| Millis::from_secs(snapshot.work));
        self.course = Course::Gathering(Gathering {
            // The levels do not matter any more, but that it has risen since does.
            taken: times.map(|time| (time, self.level)).collect(),
            not_before,
            waits_for: Some(reason),
            risen: not_before,
            ..Gathering::default()
        });
    }

    /// It led to nothing.
    pub(super) fn reject(&mut self, now: Millis, reason: String) {
        self.rest(now, self.next_rest, reason);
        self.next_rest = doubled(self.next_rest);
    }

    fn rest(&mut self, now: Millis, rest: Millis, reason: String) {
        self.course = Course::Idle;
        self.rejected = reason;
        self.rest_until = later(self.rest_until, Millis::from_millis(now.get() + rest.get()));
    }

    /// A leak was proved: no more snapshots are needed, and the next one is looked into as eagerly as the first.
    pub(super) fn succeed(&mut self, now: Millis) {
        self.next_rest = FIRST_REST;
        match &mut self.course {
            Course::Gathering(gathering) => {
                self.course = match gathering.so_far.take() {
                    Some(difference) => {
                        Course::Concluded(Conclusion { time: now, difference, is_proof: true })
                    }
                    None => Course::Idle,
                };
            }
            Course::Concluded(conclusion) => conclusion.is_proof = true,
            Course::Idle => {}
        }
    }

    /// Where a proof of the rise that began then stands.
    pub(super) fn standing(&self, since: Millis, now: Millis) -> Standing<'_> {
        match self.standing_of_any(now) {
            Standing::Compared { difference, .. } if !speaks_of(difference, since) => Standing::Open(now),
            standing => standing,
        }
    }

    fn standing_of_any(&self, now: Millis) -> Standing<'_> {
        match (&self.limits, &self.failed, &self.course) {
            (_, _, Course::Concluded(Conclusion { difference, .. })) => {
                Standing::Compared { difference, is_last: true }
            }
            (Err(reason), ..) | (_, Some((_, reason)), _) => Standing::Unavailable(reason),
            (_, _, Course::Gathering(Gathering { so_far: Some(difference), .. })) => {
                Standing::Compared { difference, is_last: false }
            }
            (_, _, Course::Gathering(Gathering { waits_for: Some(_), .. })) => Standing::Postponed,
            (_, _, Course::Gathering(Gathering { began, .. })) => Standing::Open(*began),
            (_, _, Course::Idle) if now < self.rest_until => Standing::Rejected(&self.rejected),
            (_, _, Course::Idle) if !self.is_affordable() => {
                Standing::Unavailable("what these may cost is used up for the moment")
            }
            (_, _, Course::Idle) => Standing::Open(now),
        }
    }

    /// Whether the snapshots that were kept are not needed any more.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.course, Course::Idle | Course::Concluded(Conclusion { is_proof: true, .. }))
    }

    /// What a proof waits for, in a phrase.
    pub(super) fn awaits(&self, now: Millis) -> String {
        match &self.course {
            Course::Gathering(Gathering { waits_for: Some(reason), not_before, .. }) if now < *not_before => {
                format!("{reason}; it is looked at again in {:.0} s", not_before.since(now).get() / 1e3)
            }
            Course::Gathering(Gathering { taken, .. }) if !taken.is_empty() => {
                format!(
                    "{} of {} snapshots are taken; the next one follows as it grows",
                    taken.len(),
                    KEPT + 1
                )
            }
            _ => "a first snapshot is to be taken".into(),
        }
    }
}

impl Gathering {
    fn note(&mut self, level: &Level) {
        if level.rises {
            self.risen = later(self.risen, level.time);
        }
        if self.asked.is_some() || self.is_due {
            return;
        }
        let (Some(&(first, at_first)), Some(&(latest, before))) = (self.taken.first(), self.taken.last())
        else {
            self.is_due = true;
            return;
        };
        let gap = LEAST_GAP.get().max(self.cpu.get() * GAPS_PER_CPU);
        let has_risen = level.bytes - before >= LEAST_GROWTH.max(before * LEAST_PART);
        self.is_due = level.time.since(latest).get() >= gap
            && has_risen
            && level.time >= self.not_before
            && (level.suspect_since.is_some() || (self.taken.len() < KEPT && level.rises))
            && (level.time.since(first) >= LEAST_SPAN || level.bytes >= at_first * (1.0 + FAST_PART));
    }
}

/// Whether enough of what was compared lies within a rise that began then.
fn speaks_of(difference: &Difference, since: Millis) -> bool {
    let times = difference.snapshots.first().zip(difference.snapshots.last());
    times.is_some_and(|(first, last)| last.work - first.work.max(since.get() / 1e3) >= LEAST_GAP.get() / 1e3)
}

fn doubled(rest: Millis) -> Millis {
    Millis::from_millis((rest.get() * 2.0).min(LONGEST_REST.get()))
}

fn later(one: Millis, other: Millis) -> Millis {
    if one > other { one } else { other }
}
