//! Proofs by snapshots: recorded courses with snapshots made by hand.

use super::*;
use crate::{
    detect::Evidence,
    snapshot::{Container, ContainerKind, Totals, Verdict as ContainerVerdict},
};

const MIB: f64 = 1024.0 * 1024.0;
const LIMITS: InquiryLimits = InquiryLimits { snapshots_per_hour: 24, cpu_share: 0.02 };

/// A server with a reading every four seconds; a snapshot of it takes one of them.
struct Course<F> {
    detector: Detector,
    /// What the snapshots until now show, by their number.
    containers: F,
    mib: Box<dyn Fn(u32) -> f64>,
    /// Whether it is external memory that changes.
    is_external: bool,
    taken: Vec<(Millis, f64)>,
    ids: Vec<String>,
    leaks: Vec<Leak>,
    snapshots: Vec<u32>,
}

impl<F: Fn(&[(Millis, f64)]) -> Vec<Container>> Course<F> {
    fn new(mib: impl Fn(u32) -> f64 + 'static, containers: F) -> Self {
        Self {
            detector: Detector::new(0, Ok(LIMITS)),
            containers,
            mib: Box::new(mib),
            is_external: false,
            taken: Vec::new(),
            ids: Vec::new(),
            leaks: Vec::new(),
            snapshots: Vec::new(),
        }
    }

    fn run(&mut self, steps: std::ops::Range<u32>) {
        for step in steps {
            let now = Millis::from_secs(f64::from(step) * 4.0);
            let mib = (self.mib)(step);
            let bytes = Bytes::from_bytes((mib * MIB) as u64);
            let reading = Reading {
                time: now,
                used: if self.is_external { Bytes::from_mib(20) } else { bytes },
                external: if self.is_external { bytes } else { Bytes::ZERO },
                native: None,
                contexts: 1,
                heap_room: Bytes::from_mib(1_000),
                container_room: None,
            };
            let mut verdicts = self.detector.observe(&reading, |_| None);
            if let Some(Step { kept, is_last }) = self.detector.due(now) {
                self.snapshots.push(step);
                self.taken.truncate(kept);
                self.taken.push((now, mib));
                let difference = (kept > 0).then(|| Box::new(self.difference()));
                if is_last {
                    self.taken.pop();
                }
                let taken = Inspection::Taken(Millis::from_millis(500.0), difference, Vec::new());
                verdicts.extend(self.detector.inspected(now, taken, |_| None));
            }
            for verdict in verdicts {
                match verdict {
                    Verdict::Confirmed(leak) => {
                        self.ids.push(format!("+{}", leak.id));
                        self.leaks.push(*leak);
                    }
                    Verdict::Resolved(leak) => self.ids.push(format!("-{}", leak.id)),
                }
            }
        }
    }

    fn difference(&self) -> Difference {
        let snapshots = self.taken.iter().map(|(time, mib)| Totals {
            nodes: 1,
            edges: 1,
            total_size: (mib * MIB) as u64,
            work: time.get() / 1e3,
        });
        let (suspects, others) =
            (self.containers)(&self.taken).into_iter().partition(|container| container.verdict.is_suspect());
        Difference {
            snapshots: snapshots.collect(),
            ids_match: false,
            suspects,
            others,
            classes: Vec::new(),
            noise: Vec::new(),
        }
    }

    fn missing(&self) -> String {
        match &self.detector.channels[usize::from(self.is_external)].state {
            ChannelState::Suspect { missing, .. } => missing.clone(),
            state => format!("{state:?}"),
        }
    }
}

/// One that explains all the growth.
fn container(path: &str, taken: &[(Millis, f64)], verdict: ContainerVerdict) -> Container {
    let bytes: Vec<u64> = taken.iter().map(|(_, mib)| (mib * MIB) as u64).collect();
    Container {
        id: 1,
        path: path.into(),
        kind: ContainerKind::Map,
        class_name: "Session".into(),
        function: None,
        verdict,
        populations: taken.iter().map(|(_, mib)| (mib * 100.0) as u64).collect(),
        growth: bytes.last().zip(bytes.first()).map_or(0, |(last, first)| last - first),
        bytes,
        rate: 1.0,
        removed: Some(0),
        capacity: None,
        due_in: None,
        reason: "as it was made".into(),
    }
}

/// 1 MiB a reading, for ever.
fn climb(step: u32) -> f64 {
    20.0 + f64::from(step)
}

#[test]
fn members_that_stay_prove_a_leak_with_two_snapshots() {
    let mut course =
        Course::new(climb, |taken| vec![container("byId :Map", taken, ContainerVerdict::Confirmed)]);
    course.run(0..12);
    assert_eq!(course.ids, ["+heap-0-1"]);
    let leak = &course.leaks[0];
    assert_eq!(leak.evidence, [Evidence::Trend, Evidence::Snapshot]);
    assert_eq!(leak.retainers[0].path, "byId :Map");
    assert!(leak.reason.contains("byId :Map keeps it: as it was made."), "{}", leak.reason);
    assert!(leak.confidence > 0.9);
    assert!(course.detector.needs_no_snapshots());
    // None is taken while the alarm stands.
    course.run(12..200);
    assert_eq!((course.ids.len(), course.snapshots.len()), (1, 2));
}

#[test]
fn what_cannot_be_told_apart_takes_three_and_longer() {
    let mut course = Course::new(climb, |taken| {
        // Two snapshots do not show whether the growth goes on.
        let verdict = if taken.len() < 3 { ContainerVerdict::Healthy } else { ContainerVerdict::Probable };
        vec![container("rows", taken, verdict)]
    });
    course.run(0..30);
    assert_eq!((course.ids.as_slice(), course.snapshots.len()), (&["+heap-0-1".to_owned()][..], 4));
    assert!(course.taken[0].0.since(course.leaks[0].end).get() <= -45e3);
    assert!((0.7..0.9).contains(&course.leaks[0].confidence));
}

#[test]
fn what_cannot_be_told_apart_must_not_slow_down() {
    // From the second snapshot on it gains this part of what it did before.
    let alarms = |part: f64| {
        let mut course = Course::new(climb, move |taken| {
            let second = taken[1.min(taken.len() - 1)].0;
            let gained =
                |time: Millis| time.get().min(second.get()) + (time.get() - second.get()).max(0.0) * part;
            let populations = taken.iter().map(|(time, _)| gained(*time) as u64).collect();
            vec![Container { populations, ..container("pool", taken, ContainerVerdict::Probable) }]
        });
        course.run(0..20);
        (course.snapshots.len(), course.ids.len(), course.missing())
    };
    let (snapshots, told, missing) = alarms(0.6);
    assert_eq!((snapshots, told), (3, 0));
    assert_eq!(missing, "pool: as it was made, and it slows down");
    assert_eq!(alarms(0.9).1, 1);
}

#[test]
fn what_is_turned_over_is_dismissed_and_looked_at_again_less_and_less() {
    let mut course = Course::new(climb, |taken| vec![container("queue", taken, ContainerVerdict::Healthy)]);
    course.run(0..900);
    assert_eq!(course.ids, [""; 0]);
    assert_eq!(course.missing(), "queue: as it was made");
    // An hour.
    assert!((6..=18).contains(&course.snapshots.len()), "{:?}", course.snapshots);
}

#[test]
fn a_cache_below_its_capacity_is_none_unless_memory_ends_before() {
    let filling = |capacity| {
        move |taken: &[(Millis, f64)]| {
            let cache = container("cache", taken, ContainerVerdict::Filling);
            vec![Container { capacity: Some(capacity), ..cache }]
        }
    };
    // 100 members a MiB, and 1,000 MiB are left.
    let mut course = Course::new(climb, filling(20_000));
    course.run(0..100);
    assert_eq!(course.ids, [""; 0]);
    let mut course = Course::new(climb, filling(200_000));
    course.run(0..100);
    assert_eq!(course.ids, ["+heap-0-1"]);
}

#[test]
fn nothing_is_said_before_a_time_to_live_is_over() {
    // Members may live for 200 s; nobody removes them.
    let mut course = Course::new(climb, |taken| {
        let span =
            taken.last().zip(taken.first()).map_or(0.0, |(last, first)| last.0.since(first.0).get() / 1e3);
        let due_in = Some(200.0 - span).filter(|&due_in| due_in > 0.0);
        let verdict = if due_in.is_some() { ContainerVerdict::Expiring } else { ContainerVerdict::Confirmed };
        vec![Container { due_in, ..container("sessions", taken, verdict) }]
    });
    course.run(0..48);
    assert_eq!(course.ids, [""; 0]);
    assert!(
        course.missing().starts_with("sessions: as it was made; it is looked at again in"),
        "{}",
        course.missing()
    );
    course.run(48..80);
    assert_eq!(course.ids, ["+heap-0-1"]);
    assert_eq!(course.snapshots.len(), 3);
}

#[test]
fn a_rise_that_ends_is_given_up() {
    let mut course = Course::new(|step| 20.0 + f64::from(step.min(4)), |_| Vec::new());
    course.run(0..80);
    assert_eq!((course.ids.len(), course.snapshots.len()), (0, 1));
    assert!(course.detector.needs_no_snapshots());
}

#[test]
fn a_plateau_takes_it_back_and_the_next_rise_is_proved_anew() {
    let level = |step: u32| 20.0 + f64::from(step.min(12) + step.saturating_sub(80));
    let mut course =
        Course::new(level, |taken| vec![container("byId :Map", taken, ContainerVerdict::Confirmed)]);
    course.run(0..110);
    assert_eq!(course.ids, ["+heap-0-1", "-heap-0-1", "+heap-0-2"]);
}

#[test]
fn where_a_snapshot_fails_cohorts_have_to_do() {
    let mut course = Course::new(climb, |_| Vec::new());
    course.run(0..4);
    assert_eq!(course.snapshots.len(), 1);
    let now = Millis::from_secs(16.0);
    course.detector.inspected(now, Inspection::Failed(Millis::ZERO, "no room".into()), |_| None);
    course.run(4..20);
    assert_eq!(course.snapshots.len(), 1);
    assert!(course.missing().ends_with("there is no proof by snapshots: no room"), "{}", course.missing());
}

#[test]
fn transitions_are_told() {
    let mut course =
        Course::new(climb, |taken| vec![container("byId :Map", taken, ContainerVerdict::Confirmed)]);
    course.run(0..12);
    let states: Vec<bool> = course
        .detector
        .take_transitions()
        .iter()
        .map(|transition| matches!(transition.to, ChannelState::Leaking { .. }))
        .collect();
    assert_eq!(states.last(), Some(&true));
    assert_eq!(course.detector.take_transitions(), []);
}

#[test]
fn a_second_leak_is_told_while_the_first_stands_and_both_end() {
    // From the 40th reading on five times as fast, to the 90th.
    let level = |step: u32| 20.0 + f64::from(step.min(90) + 4 * step.min(90).saturating_sub(40));
    let mut course = Course::new(level, |taken| {
        let is_second = taken.first().is_some_and(|(time, _)| time.get() > 160e3);
        let path = if is_second { "second :Map" } else { "first :Map" };
        vec![container(path, taken, ContainerVerdict::Confirmed)]
    });
    course.run(0..160);
    assert_eq!(course.ids, ["+heap-0-1", "+heap-0-2", "-heap-0-1", "-heap-0-2"]);
    assert_eq!(course.leaks[1].retainers[0].path, "second :Map");
}

#[test]
fn a_leak_that_becomes_faster_is_no_other_one() {
    let level = |step: u32| 20.0 + f64::from(step + 4 * step.saturating_sub(40));
    let mut course =
        Course::new(level, |taken| vec![container("first :Map", taken, ContainerVerdict::Confirmed)]);
    course.run(0..200);
    assert_eq!(course.ids, ["+heap-0-1"]);
}

#[test]
fn memory_is_bounded_however_often_something_is_suspected() {
    // Rises of two minutes, without end.
    let level = |step: u32| 20.0 + f64::from(step % 30);
    let mut course = Course::new(level, |taken| vec![container("queue", taken, ContainerVerdict::Healthy)]);
    for thousand in 0..10 {
        course.run(thousand * 1_000..(thousand + 1) * 1_000);
        assert!(course.detector.take_transitions().len() < 1_000);
    }
    // Eleven hours.
    assert!(
        course.snapshots.len() <= 11 * LIMITS.snapshots_per_hour as usize + 3,
        "{}",
        course.snapshots.len()
    );
    assert!(course.detector.standing.is_empty());
}

#[test]
fn a_leak_that_is_cleared_is_taken_back_at_once() {
    let level = |step: u32| if step < 14 { climb(step) } else { 20.5 };
    let mut course =
        Course::new(level, |taken| vec![container("byId :Map", taken, ContainerVerdict::Confirmed)]);
    course.run(0..16);
    assert_eq!(course.ids, ["+heap-0-1", "-heap-0-1"]);
}

#[test]
fn external_memory_that_snapshots_explain_is_no_leak_by_its_trend() {
    let verdicts = [
        (ContainerVerdict::Healthy, None),
        (ContainerVerdict::Filling, None),
        (ContainerVerdict::Expiring, Some(2_000.0)),
    ];
    for (verdict, due_in) in verdicts {
        let capacity = (verdict == ContainerVerdict::Filling).then_some(50_000);
        let mut course = Course::new(climb, move |taken| {
            vec![Container { due_in, capacity, ..container("thumbs :Map", taken, verdict) }]
        });
        course.is_external = true;
        course.run(0..120);
        assert_eq!(course.ids, [""; 0], "{verdict:?}");
        assert!(course.missing().contains("thumbs :Map: as it was made"), "{}", course.missing());
    }
}

#[test]
fn external_memory_that_nothing_on_the_heap_explains_is_a_leak_by_its_trend() {
    let mut course = Course::new(climb, |_| Vec::new());
    course.is_external = true;
    course.run(0..20);
    assert_eq!(course.ids, ["+external-0-1"]);
    assert_eq!(course.leaks[0].evidence, [Evidence::Trend]);
}

#[test]
fn who_asks_for_a_snapshot_comes_first() {
    let mut course =
        Course::new(climb, |taken| vec![container("byId :Map", taken, ContainerVerdict::Confirmed)]);
    course.run(0..4);
    let interrupted = Inspection::Interrupted(Millis::ZERO);
    course.detector.inspected(Millis::from_secs(16.0), interrupted, |_| None);
    course.run(4..16);
    assert_eq!((course.ids.len(), course.snapshots.len()), (0, 1));
    // A minute later it is tried again.
    course.run(16..40);
    assert_eq!(course.ids, ["+heap-0-1"]);
}

#[test]
fn what_was_seen_in_one_rise_proves_no_other() {
    // Six rises of 20 readings, each gone before the next.
    let level = |step: u32| 20.0 + f64::from(step % 20);
    let mut course = Course::new(level, |taken| {
        vec![container(
            &format!("rise {} :Map", taken[0].0.get() as u32 / 80_000),
            taken,
            ContainerVerdict::Confirmed,
        )]
    });
    course.detector.inquiry.limit(Ok(InquiryLimits { snapshots_per_hour: 1_000, cpu_share: 1.0 }));
    course.run(0..120);
    for (number, leak) in course.leaks.iter().enumerate() {
        assert_eq!(leak.retainers[0].path, format!("rise {number} :Map"));
    }
    assert_eq!(
        (course.leaks.len(), course.ids.len(), course.snapshots.len()),
        (6, 11, 12),
        "{:?}",
        course.ids
    );
}
