use std::{path::Path, rc::Rc, sync::Arc, time::Instant};

use super::{
    Density, History, Letter, Mailbox, MallocMonitor, Sampler, SamplerState, Spent,
    density::Moment,
    examiner::Examiner,
    history::{Recorder, now},
};
use crate::{
    allocation::{Ledger, Profile, SiteGrowth},
    capture::{Asker, Helper, Member, Reach, Settings},
    detect::{
        ChannelState, Detector, GcBudget, Growth, InquiryLimits, Inspection, LeakKind, Pace, Reading, Verdict,
    },
    measure::{Bytes, Cgroup, GcEvent, GcKind, Millis},
    v8::{Feature, GcCallbacks, Isolate, LocalString, Platform, refusal},
};

/// How to sample allocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplingConfig {
    /// The mean number of bytes between two samples.
    pub interval: Bytes,
    /// The most frames that a stack has.
    pub stack_depth: u32,
}

/// What is to be armed.
#[derive(Clone, Debug)]
pub struct Config {
    /// Node's thread id: 0 on the main thread.
    pub thread_id: u32,
    /// V8's features that are used natively.
    pub native: Vec<Feature>,
    /// Whether to look for leaks.
    pub detect: bool,
    /// What proofs by snapshots may cost.
    pub inquiries: InquiryLimits,
    /// The most memory that a child which takes such a snapshot may use.
    pub inquiry_memory: Bytes,
    /// Whether the snapshots that proofs rest on are kept as files.
    pub keep_snapshots: bool,
    /// How to sample allocations, if at all.
    pub sampling: Option<SamplingConfig>,
    /// How to write snapshots when the signal comes.
    pub snapshots: Settings,
}

/// An isolate under watch. Dropping it takes everything back: GC callbacks, the profiler, the seat among those
/// that the signal reaches.
pub struct IsolateWatch {
    config: Config,
    isolate: Option<Isolate>,
    history: Rc<History>,
    // Dropped in this order: nothing may call into what is already gone.
    callbacks: Option<GcCallbacks>,
    sampler: Option<Sampler>,
    member: Arc<Member>,
    mailbox: Arc<Mailbox>,
    malloc: Option<MallocMonitor>,
    helper: Arc<Helper>,
    cgroup: Option<Cgroup>,
    ledger: Ledger,
    detector: Detector,
    examiner: Examiner,
    budget: GcBudget,
    density: Density,
    seen_majors: u64,
    seen_gcs: u64,
    last_tick: Millis,
    spent: Millis,
    ticks: u32,
}

/// What a watch says of itself.
#[derive(Clone, Debug)]
pub struct Status {
    /// Where each channel of the detector stands.
    pub channels: Vec<(LeakKind, ChannelState)>,
    /// Who samples; none where sampling is off.
    pub sampler: Option<SamplerState>,
    /// The sampling interval at the moment; none where it is not ours.
    pub interval: Option<Bytes>,
    /// Live samples known to the detector.
    pub samples: usize,
    /// How often the profile was lost to someone who stopped the profiler.
    pub profiles_lost: u32,
    /// Why malloc's accounting is off, if it is.
    pub malloc_off: Option<&'static str>,
    /// What the GC callbacks took.
    pub in_gc: Millis,
    /// How many GCs there were.
    pub gcs: u64,
    /// What the regular look at the readings took, profiles included.
    pub in_ticks: Millis,
    /// How many such looks there were.
    pub ticks: u32,
    /// What reading profiles took, and how often.
    pub profiles: (u32, Millis),
    /// How many major GCs were helped along, and what they cost by estimate.
    pub helped: (u32, Millis),
    /// What snapshots for proofs have cost.
    pub examined: Spent,
    /// What the snapshots that are kept for a proof take of the memory.
    pub kept: Bytes,
}

impl IsolateWatch {
    /// Arms the isolate of this thread. `wake` calls its event loop from any thread.
    pub fn arm(config: Config, wake: Box<dyn Fn() + Send + Sync>) -> std::io::Result<Self> {
        let helper = Helper::hold()?;
        let mailbox = Mailbox::new(wake);
        if config.thread_id == 0 {
            mailbox.become_main();
        }
        let uses = |feature| config.native.contains(&feature);
        let isolate = Isolate::current();
        let history = Rc::new(History::default());
        let callbacks = isolate
            .filter(|_| uses(Feature::GcEvents))
            .and_then(|isolate| GcCallbacks::install(isolate, Box::new(Recorder(Rc::clone(&history)))));
        let sampler = isolate.and_then(|isolate| start_sampler(isolate, &config));
        let interruptible = uses(Feature::Snapshot) && uses(Feature::Interrupt);
        let remote = isolate.filter(|_| interruptible).map(Isolate::remote);
        let member = enlist(&config, remote, &mailbox, &helper);
        let malloc = (config.thread_id == 0).then(|| MallocMonitor::new(Arc::clone(&helper)));
        Ok(Self {
            detector: Detector::new(config.thread_id, inquiries(&config, &member)),
            isolate,
            history,
            callbacks,
            sampler,
            member,
            mailbox,
            malloc,
            helper,
            cgroup: Cgroup::of_process(Path::new("/")),
            ledger: Ledger::default(),
            examiner: Examiner::default(),
            budget: GcBudget::default(),
            density: Density::default(),
            seen_majors: 0,
            seen_gcs: 0,
            last_tick: now(),
            spent: Millis::ZERO,
            ticks: 0,
            config,
        })
    }

    /// Goes over to another configuration; what was gathered so far stays. Thread and routes do not change.
    pub fn configure(&mut self, config: Config, read: impl FnMut(LocalString<'_>) -> String) {
        self.member.set(config.snapshots.clone());
        self.detector.limit_inquiries(inquiries(&config, &self.member));
        let before = std::mem::replace(&mut self.config, config);
        if before.detect && !self.config.detect {
            self.member.abort(Asker::Detector);
            self.examiner = Examiner::default();
            self.detector = Detector::new(self.config.thread_id, inquiries(&self.config, &self.member));
        }
        if before.sampling == self.config.sampling {
            return;
        }
        self.ledger.restart();
        match (&mut self.sampler, self.config.sampling) {
            (Some(sampler), Some(sampling))
                if before.sampling.map(|s| s.stack_depth) == Some(sampling.stack_depth) =>
            {
                sampler.set_interval(sampling.interval, now(), read);
            }
            (sampler, _) => {
                // V8 samples once per isolate: the old profiler has to go first.
                *sampler = None;
                *sampler = self.isolate.and_then(|isolate| start_sampler(isolate, &self.config));
            }
        }
    }

    /// What is armed.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The GC events so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The GC events, for whoever may need them while the watch is busy.
    pub(super) fn shared_history(&self) -> Rc<History> {
        Rc::clone(&self.history)
    }

    /// Who allocated what is alive, as far as the latest profile knows.
    pub(super) fn all_growth(&self) -> Vec<SiteGrowth> {
        self.ledger.start().map_or_else(Vec::new, |start| self.ledger.growth(start, now()))
    }

    /// This thread's isolate, where we know it.
    pub const fn isolate(&self) -> Option<Isolate> {
        self.isolate
    }

    /// The isolate's seat among those that the signal reaches.
    pub const fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// News for JavaScript.
    pub const fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// The helper thread.
    pub const fn helper(&self) -> &Arc<Helper> {
        &self.helper
    }

    /// malloc's accounting; on the main thread only.
    pub const fn malloc(&self) -> Option<&MallocMonitor> {
        self.malloc.as_ref()
    }

    /// The profiler, where it is driven natively.
    pub const fn sampler(&mut self) -> Option<&mut Sampler> {
        self.sampler.as_mut()
    }

    /// Whether a major GC has come that was not looked at yet, and a profile from outside is wanted for it.
    pub fn wants_profile(&self) -> bool {
        self.config.detect
            && self.config.sampling.is_some()
            && self.sampler.is_none()
            && self.history.major_count() != self.seen_majors
    }

    /// Whether something rises, and frequent readings are worth their price.
    pub fn examines(&self) -> bool {
        self.config.detect && self.detector.pace() == Pace::Fast
    }

    /// The regular look, once a second or so: has V8 collect if that is worthwhile, and after each major GC judges
    /// the readings. `profile` is one from outside, where we do not drive the profiler ourselves.
    pub fn tick(
        &mut self,
        profile: Option<Profile>,
        mut read: impl FnMut(LocalString<'_>) -> String,
    ) -> Vec<Verdict> {
        if !self.config.detect {
            return Vec::new();
        }
        let started = Instant::now();
        let majors = self.history.major_count();
        let mut verdicts = match self.history.latest_major() {
            Some(major) if majors != self.seen_majors => {
                self.seen_majors = majors;
                self.judge(&major, profile, &mut read)
            }
            latest => {
                self.help(latest);
                Vec::new()
            }
        };
        verdicts.extend(self.examine());
        self.adapt_sampling(read);
        for transition in self.detector.take_transitions() {
            self.announce(Letter::Transition(self.config.thread_id, transition));
        }
        self.spent += Millis::from_secs(started.elapsed().as_secs_f64());
        self.ticks += 1;
        verdicts
    }

    fn judge(
        &mut self,
        major: &GcEvent,
        profile: Option<Profile>,
        read: impl FnMut(LocalString<'_>) -> String,
    ) -> Vec<Verdict> {
        // The survivors of the dense beginning are worth a reading in any case: the next change of the interval ends them.
        let is_closing = self.density.closing_since().is_some();
        let profile = profile.or_else(|| {
            let sampler = self.sampler.as_mut().filter(|sampler| is_closing || sampler.is_due())?;
            sampler.read(major.time, read).ok()
        });
        if let Some(profile) = profile
            && !self.ledger.observe(major.time, &profile)
            && let Some(sampler) = &mut self.sampler
        {
            sampler.disown();
        }
        let statistics = major.reading.statistics;
        let reading = Reading {
            time: major.time,
            used: statistics.used,
            external: statistics.external,
            native: self
                .malloc
                .as_ref()
                .and_then(MallocMonitor::latest)
                .map(|malloc| malloc.in_use.saturating_sub(statistics.external)),
            contexts: statistics.native_contexts,
            heap_room: statistics.heap_size_limit.saturating_sub(statistics.used),
            container_room: self.container_room(),
        };
        if let Some(malloc) = &self.malloc {
            malloc.request();
        }
        let growth = growth_since(&self.ledger, major.time);
        self.detector.observe(&reading, growth)
    }

    /// Has snapshots taken that the detector wants, and tells it what came of them.
    fn examine(&mut self) -> Vec<Verdict> {
        let now = now();
        let mut verdicts = Vec::new();
        if let Some(inspection) = self.examiner.collect() {
            verdicts = self.detector.inspected(now, inspection, growth_since(&self.ledger, now));
        }
        if let Some(step) = self.detector.due(now) {
            let Config { inquiry_memory, keep_snapshots, .. } = self.config;
            if let Err(error) = self.examiner.begin(&self.member, step, inquiry_memory, keep_snapshots) {
                let failed = Inspection::Failed(Millis::ZERO, error.to_string());
                verdicts.extend(self.detector.inspected(now, failed, growth_since(&self.ledger, now)));
            }
        } else if self.detector.needs_no_snapshots() {
            self.examiner.clear();
        }
        verdicts
    }

    /// Goes over to the sampling interval that suits the moment.
    fn adapt_sampling(&mut self, mut read: impl FnMut(LocalString<'_>) -> String) {
        let owned = self.sampler.as_mut().filter(|sampler| sampler.state() == SamplerState::Owned);
        let Some((sampler, sampling)) = owned.zip(self.config.sampling) else { return };
        let now = now();
        let events = self.history.since(self.seen_gcs);
        self.seen_gcs = self.history.count();
        // Each scavenge comes when one half of new space is full.
        let scavenges = events.iter().filter(|event| event.reading.kind == GcKind::Scavenge);
        let allocated = scavenges.map(|event| event.reading.new_space.get() / 2).sum();
        let last_major = self.history.latest_major().map(|major| major.time);
        let interval = self.density.choose(&Moment {
            now,
            normal: sampling.interval,
            allocated: Bytes::from_bytes(allocated),
            elapsed: now.since(std::mem::replace(&mut self.last_tick, now)),
            rises: self.detector.wants_samples(now),
            last_major,
        });
        if interval != sampler.interval() {
            sampler.set_interval(interval, now, read);
            self.ledger.restart();
        } else if self.density.closing_since() == Some(now)
            && let Ok(profile) = sampler.read(now, &mut read)
        {
            // Who of these outlives the coming major GC has stayed.
            self.ledger.observe(last_major.unwrap_or(Millis::ZERO), &profile);
        }
    }

    fn help(&mut self, latest: Option<GcEvent>) {
        let uses = self.config.native.contains(&Feature::MemoryPressure);
        let Some(isolate) = self.isolate.filter(|isolate| uses && isolate.takes_suggestions()) else {
            return;
        };
        let present = self.history.latest().map_or(Bytes::ZERO, |event| event.reading.old_space);
        let before = latest.map_or(Bytes::ZERO, |event| event.reading.old_space);
        let used = latest.map_or(present, |event| event.reading.statistics.used);
        // The end of a leak shows in readings that have not grown.
        let grown = self.detector.standing().is_empty().then(|| present.saturating_sub(before));
        let last = latest.map(|event| event.time);
        let pace = if self.density.closing_since().is_some() { Pace::Fast } else { self.detector.pace() };
        if self.budget.may_help(now(), pace, used, grown, last) {
            isolate.suggest_major_gc();
        }
    }

    /// What is left until the container's limit.
    fn container_room(&self) -> Option<Bytes> {
        let memory = self.cgroup.as_ref()?.read();
        Some(memory.limit?.saturating_sub(memory.usage?))
    }

    /// The control group's limit and usage.
    pub fn cgroup(&self) -> Option<crate::measure::CgroupMemory> {
        self.cgroup.as_ref().map(Cgroup::read)
    }

    /// Hands news of the detector to the main thread where leakguard is armed there, else keeps it on this thread.
    pub fn announce(&self, letter: Letter) {
        match Mailbox::of_main() {
            Some(main) if self.config.thread_id != 0 => main.post(letter),
            _ => self.mailbox.post(letter),
        }
    }

    /// What the watch says of itself.
    pub fn status(&self) -> Status {
        Status {
            channels: self.detector.states().map(|(kind, state)| (kind, state.clone())).collect(),
            sampler: self.sampler.as_ref().map(Sampler::state),
            interval: self
                .sampler
                .as_ref()
                .filter(|sampler| sampler.state() == SamplerState::Owned)
                .map(Sampler::interval),
            samples: self.ledger.len(),
            profiles_lost: self.sampler.as_ref().map_or(0, Sampler::lost),
            malloc_off: self.malloc.as_ref().and_then(MallocMonitor::off),
            in_gc: self.history.spent(),
            gcs: self.history.count(),
            in_ticks: self.spent,
            ticks: self.ticks,
            profiles: self.sampler.as_ref().map_or((0, Millis::ZERO), Sampler::spent),
            helped: self.budget.spent(),
            examined: self.examiner.spent(),
            kept: self.examiner.memory(),
        }
    }
}

impl Drop for IsolateWatch {
    fn drop(&mut self) {
        // First of all: after this no interrupt reaches the isolate any more.
        self.member.leave(self.isolate);
        drop(self.callbacks.take());
        drop(self.sampler.take());
    }
}

/// How the allocation sites have grown since a time.
fn growth_since(ledger: &Ledger, now: Millis) -> impl Fn(Millis) -> Option<Growth> {
    move |asked| {
        let since = ledger.start().map(|start| if asked > start { asked } else { start })?;
        Some(Growth { since, sites: ledger.growth(since, now) })
    }
}

/// What proofs by snapshots may cost, or why there are none.
fn inquiries(config: &Config, member: &Member) -> Result<InquiryLimits, String> {
    member.platform().map_err(str::to_owned)?;
    let snapshots = config.inquiries.snapshots_per_hour;
    if snapshots < InquiryLimits::LEAST_SNAPSHOTS {
        return Err(format!(
            "a proof takes up to three, and the option detect.snapshotsPerHour is {snapshots}"
        ));
    }
    Ok(config.inquiries)
}

fn start_sampler(isolate: Isolate, config: &Config) -> Option<Sampler> {
    let sampling = config.sampling.filter(|_| config.native.contains(&Feature::Sampling))?;
    Some(Sampler::start(isolate, sampling.interval, sampling.stack_depth, now()))
}

fn enlist(
    config: &Config,
    remote: Option<crate::v8::RemoteIsolate>,
    mailbox: &Arc<Mailbox>,
    helper: &Arc<Helper>,
) -> Arc<Member> {
    let thread_id = config.thread_id;
    let (to_wake, to_post) = (Arc::downgrade(mailbox), Arc::downgrade(mailbox));
    let wake = Box::new(move || {
        if let Some(mailbox) = to_wake.upgrade() {
            mailbox.wake();
        }
    });
    let deliver = Box::new(move |asker, outcome| {
        let outcome = Arc::new(outcome);
        // Whoever called waits on its own thread.
        let main = Mailbox::of_main().filter(|_| thread_id != 0 && !matches!(asker, Asker::Call(_)));
        for mailbox in to_post.upgrade().into_iter().chain(main) {
            mailbox.post(Letter::Snapshot(thread_id, asker, Arc::clone(&outcome)));
        }
    });
    let platform = if config.native.contains(&Feature::Fork) {
        let platform = Isolate::current().and_then(Platform::of);
        platform.ok_or_else(|| "Node's platform is not as expected".to_owned())
    } else {
        let refusal = refusal(Feature::Fork);
        Err(refusal.map_or_else(|| "forking is off".to_owned(), |refusal| refusal.to_string()))
    };
    let reach = Reach { isolate: remote, platform, wake, deliver };
    Member::join(thread_id, reach, Arc::clone(helper), config.snapshots.clone())
}
