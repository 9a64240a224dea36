use super::{
    LeakKind,
    trend::{Point, Rise, Series, slope},
};
use crate::measure::{Bytes, Millis};

/// A rise shorter than this is a burst.
const MIN_WINDOW: Millis = Millis::from_millis(20_000.0);
/// A plateau lasts at least this, and half as long as the rise did.
const MIN_PLATEAU: Millis = Millis::from_millis(20_000.0);
/// For so long after an alarm frequent readings are wanted, to see whether the growth goes on.
const PROBATION: Millis = Millis::from_millis(120_000.0);
/// It takes this many readings to call it a plateau...
const PLATEAU_READINGS: usize = 5;
/// ... over which the growth is less than this part of what the alarm's rate would give.
const PLATEAU_PART: f64 = 0.1;

/// What grew is gone where no more than this part of it is left, in so many readings.
const RELIEF_PART: f64 = 0.25;
const RELIEF_READINGS: usize = 2;
/// A rise so many times as fast as the one at the alarm is another one, if it lasts for so many readings in this time.
const FASTER: f64 = 2.0;
const ACCELERATED_READINGS: usize = 6;
const ACCELERATION: Millis = Millis::from_millis(60_000.0);

/// Where a channel stands.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelState {
    /// No trend.
    Quiet,
    /// A trend, and what is missing to confirm it.
    Suspect {
        /// Where the rise began.
        since: Millis,
        /// What is missing.
        missing: String,
    },
    /// An alarm was raised and stands.
    Leaking {
        /// The leak's id.
        id: String,
    },
}

/// One channel of readings and what it makes of them.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) kind: LeakKind,
    pub(super) state: ChannelState,
    series: Series,
    /// Those that stand, the newest last.
    alarms: Vec<Alarm>,
}

/// What has to be known of an alarm to take it back.
#[derive(Clone, Debug)]
struct Alarm {
    /// The leak's id.
    id: String,
    raised: Millis,
    /// Units per millisecond.
    rate: f64,
    window: Millis,
    /// Where most of what grew is gone again.
    relief: f64,
}

/// A rise that is long and large enough to be examined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Suspicion {
    pub(super) since: Millis,
    pub(super) growth: f64,
    pub(super) readings: usize,
    pub(super) window: Millis,
    /// Units per millisecond.
    pub(super) rate: f64,
}

impl Channel {
    pub(super) fn new(kind: LeakKind) -> Self {
        Self { kind, state: ChannelState::Quiet, series: Series::default(), alarms: Vec::new() }
    }

    pub(super) fn push(&mut self, time: Millis, value: f64) {
        self.series.push(Point { time, value });
    }

    /// Whether frequent readings are wanted.
    pub(super) fn is_interesting(&self, now: Millis) -> bool {
        match self.alarms.last() {
            Some(alarm) => now.since(alarm.raised) < PROBATION,
            None => {
                matches!(self.state, ChannelState::Suspect { .. })
                    || self.series.is_rising(min_growth(self.kind))
            }
        }
    }

    /// The present rise; where an alarm stands, only one that is far faster: something else has begun to leak.
    pub(super) fn suspicion(&mut self, now: Millis) -> Option<Suspicion> {
        if let Some(alarm) = self.alarms.last() {
            return self.acceleration(now, alarm);
        }
        let suspicion = self.series.rise().and_then(|rise| self.examine(rise, now));
        if suspicion.is_none() {
            self.state = ChannelState::Quiet;
        }
        suspicion
    }

    fn acceleration(&self, now: Millis, alarm: &Alarm) -> Option<Suspicion> {
        let from = now.get() - ACCELERATION.get();
        let points = self.series.since(Millis::from_millis(from.max(alarm.raised.get())));
        let (first, last) = points.first().zip(points.last())?;
        let (growth, rate) = (last.value - first.value, slope(&points));
        let window = last.time.since(first.time);
        let is_faster = points.len() >= ACCELERATED_READINGS
            && window >= MIN_WINDOW
            && growth >= min_growth(self.kind)
            && rate >= alarm.rate * FASTER;
        let since = first.time;
        is_faster.then_some(Suspicion { since, growth, readings: points.len(), window, rate })
    }

    fn examine(&self, rise: Rise, now: Millis) -> Option<Suspicion> {
        let window = now.since(rise.from.time);
        let rate = slope(&self.series.since(rise.from.time));
        let is_worth_it = window >= MIN_WINDOW && rise.growth >= min_growth(self.kind) && rate > 0.0;
        is_worth_it.then_some(Suspicion {
            since: rise.from.time,
            growth: rise.growth,
            readings: rise.readings,
            window,
            rate,
        })
    }

    /// How much the channel has grown since `time`.
    pub(super) fn growth_since(&self, time: Millis) -> f64 {
        let points = self.series.since(time);
        points.last().zip(points.first()).map_or(0.0, |(last, first)| last.value - first.value)
    }

    /// Notes what is missing to confirm the present rise.
    pub(super) fn suspect(&mut self, since: Millis, missing: String) {
        if self.alarms.is_empty() {
            self.state = ChannelState::Suspect { since, missing };
        }
    }

    /// Whether an alarm for this leak stands here.
    pub(super) fn is_leaking(&self, id: &str) -> bool {
        self.alarms.iter().any(|alarm| alarm.id == id)
    }

    /// Whether an alarm can be raised: none stands.
    pub(super) const fn is_free(&self) -> bool {
        self.alarms.is_empty()
    }

    /// Raises an alarm for this leak, in the place of an earlier one for it.
    pub(super) fn raise(&mut self, id: String, now: Millis, suspicion: &Suspicion) {
        let level = self.series.latest().map_or(0.0, |point| point.value);
        let relief = level - suspicion.growth * (1.0 - RELIEF_PART);
        let &Suspicion { rate, window, .. } = suspicion;
        self.alarms.retain(|alarm| alarm.id != id);
        self.alarms.push(Alarm { id: id.clone(), raised: now, rate, window, relief });
        self.state = ChannelState::Leaking { id };
    }

    /// Takes the alarms back whose growth has ended; returns the ids of their leaks.
    pub(super) fn resolve(&mut self, now: Millis) -> Vec<String> {
        let (ended, standing): (Vec<Alarm>, Vec<Alarm>) = std::mem::take(&mut self.alarms)
            .into_iter()
            .partition(|alarm| self.is_level(now, alarm) || self.is_relieved(alarm));
        self.alarms = standing;
        if let Some(latest) = ended.last() {
            self.state = match self.alarms.last() {
                Some(alarm) => ChannelState::Leaking { id: alarm.id.clone() },
                None => {
                    self.series.forget_before(Millis::from_millis(now.get() - plateau(latest)));
                    ChannelState::Quiet
                }
            };
        }
        ended.into_iter().map(|alarm| alarm.id).collect()
    }

    /// Whether what grew is gone: somebody has cleared it.
    fn is_relieved(&self, alarm: &Alarm) -> bool {
        let points = self.series.since(alarm.raised);
        let latest = points.iter().rev().take(RELIEF_READINGS);
        points.len() >= RELIEF_READINGS && latest.into_iter().all(|point| point.value < alarm.relief)
    }

    /// Whether what grew at the alarm grows no more.
    fn is_level(&self, now: Millis, alarm: &Alarm) -> bool {
        let span = plateau(alarm);
        let from = Millis::from_millis(now.get() - span);
        if from < alarm.raised {
            return false;
        }
        let points = self.series.since(from);
        if points.len() < PLATEAU_READINGS {
            return false;
        }
        let middle = points.len() / 2;
        let growth = floor(&points[middle..]) - floor(&points[..middle]);
        growth < alarm.rate * span / 2.0 * PLATEAU_PART
    }
}

/// For how long there has to be no growth, in milliseconds.
fn plateau(alarm: &Alarm) -> f64 {
    (alarm.window.get() / 2.0).max(MIN_PLATEAU.get())
}

fn floor(points: &[Point]) -> f64 {
    points.iter().map(|point| point.value).fold(f64::INFINITY, f64::min)
}

/// Less growth than this, in bytes or contexts, is not worth waking anybody for.
fn min_growth(kind: LeakKind) -> f64 {
    match kind {
        LeakKind::Heap => Bytes::from_mib(1).as_f64(),
        LeakKind::External => Bytes::from_mib(4).as_f64(),
        LeakKind::Native => Bytes::from_mib(8).as_f64(),
        LeakKind::Contexts => 8.0,
    }
}
