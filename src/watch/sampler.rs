use std::time::{Duration, Instant};

use crate::{
    allocation::Profile,
    measure::{Bytes, Millis},
    v8::{Isolate, LocalString, SamplingError, SamplingProfiler},
};

/// Reading the profile may take this part of the time.
const SHARE: f64 = 0.003;
/// Readings closer together than this tell nothing new.
const MIN_GAP: Duration = Duration::from_secs(2);

/// Who samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamplerState {
    /// We started V8's profiler.
    Owned,
    /// Someone else did; we read along.
    Adopted,
    /// Nobody, and V8 does not let us.
    Off(SamplingError),
}

/// V8's sampling heap profiler over the life of an isolate: started by us, adopted from someone else, stopped
/// behind our back and started again.
#[derive(Debug)]
pub struct Sampler {
    isolate: Isolate,
    interval: Bytes,
    stack_depth: u32,
    profiler: Option<SamplingProfiler>,
    since: Millis,
    frozen: Option<Profile>,
    frozen_since: Option<Millis>,
    error: SamplingError,
    lost: u32,
    not_before: Option<Instant>,
    spent: Millis,
    reads: u32,
}

impl Sampler {
    /// Starts sampling, or adopts the profiler that runs.
    pub fn start(isolate: Isolate, interval: Bytes, stack_depth: u32, now: Millis) -> Self {
        let mut sampler = Self {
            isolate,
            interval,
            stack_depth,
            profiler: None,
            since: now,
            frozen: None,
            frozen_since: None,
            error: SamplingError::Stopped,
            lost: 0,
            not_before: None,
            spent: Millis::ZERO,
            reads: 0,
        };
        sampler.begin(now);
        sampler
    }

    fn begin(&mut self, now: Millis) {
        self.since = now;
        match SamplingProfiler::start(self.isolate, self.interval, self.stack_depth) {
            Ok(profiler) => self.profiler = Some(profiler),
            Err(SamplingError::Busy) => self.profiler = Some(SamplingProfiler::adopt(self.isolate)),
            Err(error) => self.error = error,
        }
    }

    /// Whether reading the profile now tells something new and stays within its share of the time.
    pub fn is_due(&self) -> bool {
        self.not_before.is_none_or(|time| Instant::now() >= time)
    }

    /// The live samples of the profiler that runs now. A profiler that was stopped from outside is started again,
    /// and the profile is then nearly empty.
    pub fn read(
        &mut self,
        now: Millis,
        mut read: impl FnMut(LocalString<'_>) -> String,
    ) -> Result<Profile, SamplingError> {
        let started = Instant::now();
        let mut profile = self.profiler.as_mut().ok_or(self.error)?.profile(&mut read);
        if profile == Err(SamplingError::Stopped) {
            self.lost += 1;
            self.begin(now);
            profile = self.profiler.as_mut().ok_or(self.error)?.profile(&mut read);
        }
        if let Err(error) = profile {
            self.profiler = None;
            self.error = error;
        }
        let took = started.elapsed();
        self.spent += Millis::from_secs(took.as_secs_f64());
        self.reads += 1;
        self.not_before = Some(Instant::now() + took.div_f64(SHARE).max(MIN_GAP));
        profile
    }

    /// Everything sampled since `since()`: what runs now, and what was frozen before.
    pub fn read_all(
        &mut self,
        now: Millis,
        read: impl FnMut(LocalString<'_>) -> String,
    ) -> Result<Profile, SamplingError> {
        let profile = self.read(now, read)?;
        Ok(match &self.frozen {
            Some(frozen) => frozen.merge(&profile),
            None => profile,
        })
    }

    /// Goes on with another interval. V8 can only start over, which would lose the profile so far: it is frozen as
    /// the old cohort. A profiler of someone else's is left as it is.
    pub fn set_interval(
        &mut self,
        interval: Bytes,
        now: Millis,
        read: impl FnMut(LocalString<'_>) -> String,
    ) {
        if interval == self.interval || self.state() != SamplerState::Owned {
            return;
        }
        if let Ok(profile) = self.read_all(now, read) {
            self.frozen_since.get_or_insert(self.since);
            self.frozen = Some(profile);
        }
        self.profiler = None;
        self.interval = interval;
        self.begin(now);
    }

    /// The profile turned out to be of another run: someone has stopped our profiler and started theirs.
    pub fn disown(&mut self) {
        if let Some(profiler) = self.profiler.as_mut().filter(|profiler| profiler.is_owned()) {
            profiler.disown();
            self.lost += 1;
        }
    }

    /// Since when there are samples, the frozen ones included.
    pub fn since(&self) -> Millis {
        self.frozen_since.unwrap_or(self.since)
    }

    /// The mean number of bytes between two samples.
    pub const fn interval(&self) -> Bytes {
        self.interval
    }

    /// The most frames that a stack has.
    pub const fn stack_depth(&self) -> u32 {
        self.stack_depth
    }

    /// Who samples.
    pub fn state(&self) -> SamplerState {
        match &self.profiler {
            Some(profiler) if profiler.is_owned() => SamplerState::Owned,
            Some(_) => SamplerState::Adopted,
            None => SamplerState::Off(self.error),
        }
    }

    /// How often the profile was lost because someone else stopped the profiler.
    pub const fn lost(&self) -> u32 {
        self.lost
    }

    /// How often the profile was read, and what that took.
    pub const fn spent(&self) -> (u32, Millis) {
        (self.reads, self.spent)
    }
}
