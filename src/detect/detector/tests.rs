use std::sync::Arc;

use super::*;
use crate::allocation::{Frame, Ledger, Profile, ProfileNode, Sample};
use crate::detect::{Evidence, blame::blame};

const MIB: f64 = 1024.0 * 1024.0;

/// A server as the detector sees it: a reading every five seconds.
struct Course {
    detector: Detector,
    ledger: Ledger,
    step: u32,
}

impl Course {
    fn new() -> Self {
        Self {
            detector: Detector::new(0, Err("nothing can be forked".into())),
            ledger: Ledger::default(),
            step: 0,
        }
    }

    /// One reading: megabytes used, and the ordinals of the samples alive, each of a megabyte, all by `remember`.
    fn reading(&mut self, mib: f64, alive: impl IntoIterator<Item = u64>) -> Vec<Verdict> {
        let time = Millis::from_secs(f64::from(self.step) * 5.0);
        self.step += 1;
        self.ledger.observe(time, &profile(alive));
        let reading = Reading {
            time,
            used: Bytes::from_bytes((mib * MIB) as u64),
            external: Bytes::from_mib(2),
            native: Some(Bytes::from_mib(10)),
            contexts: 1,
            heap_room: Bytes::from_mib(100),
            container_room: None,
        };
        self.observe(&reading)
    }

    fn observe(&mut self, reading: &Reading) -> Vec<Verdict> {
        let ledger = &self.ledger;
        self.detector.observe(reading, |asked| {
            let since = ledger.start().map(|start| if asked > start { asked } else { start })?;
            Some(Growth { since, sites: ledger.growth(since, reading.time) })
        })
    }
}

fn profile(alive: impl IntoIterator<Item = u64>) -> Profile {
    let node = |id, caller, name: &str| ProfileNode {
        id,
        caller,
        frame: Frame {
            function_name: name.into(),
            script_name: "/app/server.js".into(),
            script_id: 1,
            line: 5,
            column: 1,
        },
    };
    Profile {
        nodes: vec![node(1, None, ""), node(2, Some(0), "remember")],
        samples: alive
            .into_iter()
            .map(|ordinal| Sample { node_id: 2, ordinal, live_bytes: Bytes::from_mib(1), count: 1 })
            .collect(),
    }
}

fn confirmed(verdicts: &[Verdict]) -> Option<&Leak> {
    verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Confirmed(leak) => Some(&**leak),
        Verdict::Resolved(_) => None,
    })
}

#[test]
fn a_leak_is_confirmed_by_who_survives() {
    let mut course = Course::new();
    let mut found = None;
    for step in 0..12_u64 {
        let verdicts = course.reading(20.0 + 2.0 * step as f64, 1..=2 * step + 1);
        assert!(found.is_none() || verdicts.is_empty(), "a leak is told once");
        found = found.or_else(|| confirmed(&verdicts).cloned());
    }
    let leak = found.expect("it leaks");
    assert_eq!((leak.id.as_str(), leak.kind, leak.thread_id), ("heap-0-1", LeakKind::Heap, 0));
    assert_eq!(leak.evidence, [Evidence::Trend, Evidence::Cohort]);
    assert_eq!(leak.sites[0].frame.function_name, "remember");
    assert!(leak.reason.contains("remember (/app/server.js:5)"), "{}", leak.reason);
    // 2 MiB in 5 s, and 100 MiB are left.
    assert_eq!(leak.bytes_per_hour, 2 * 1024 * 1024 * 720);
    assert_eq!(leak.limit_in_ms, Some(250_000.0));
    assert!(leak.confidence > 0.9);
    assert_eq!(course.detector.standing().len(), 1);
}

#[test]
fn growth_whose_objects_pass_through_is_none() {
    let mut course = Course::new();
    for step in 0..40_u64 {
        // The heap follows the load; every object is gone two readings later.
        let verdicts = course.reading(20.0 + 2.0 * step as f64, 10 * step..10 * step + 20);
        assert_eq!(verdicts, []);
    }
    assert!(
        course
            .detector
            .states()
            .any(|(kind, state)| { kind == LeakKind::Heap && matches!(state, ChannelState::Suspect { .. }) })
    );
}

#[test]
fn without_a_profile_the_heap_stays_a_suspect() {
    let mut detector = Detector::new(0, Err("nothing can be forked".into()));
    let mut course = Course::new();
    for step in 0..20_u32 {
        course.step = step;
        let reading = Reading {
            time: Millis::from_secs(f64::from(step) * 5.0),
            used: Bytes::from_mib(20 + 2 * u64::from(step)),
            external: Bytes::ZERO,
            native: None,
            contexts: 1,
            heap_room: Bytes::from_mib(100),
            container_room: None,
        };
        assert_eq!(detector.observe(&reading, |_| None), []);
    }
    assert!(detector.wants_samples(Millis::from_secs(95.0)));
}

#[test]
fn a_plateau_takes_the_alarm_back_and_a_second_leak_has_a_new_id() {
    let mut course = Course::new();
    let level = |step: u64| step.min(14) + step.saturating_sub(40);
    let mut told = Vec::new();
    for step in 0..70_u64 {
        for verdict in course.reading(20.0 + 2.0 * level(step) as f64, 1..=2 * level(step) + 1) {
            told.push(match verdict {
                Verdict::Confirmed(leak) => format!("+{}", leak.id),
                Verdict::Resolved(leak) => format!("-{}", leak.id),
            });
        }
    }
    assert_eq!(told, ["+heap-0-1", "-heap-0-1", "+heap-0-2"]);
}

#[test]
fn other_channels_rest_on_their_trend() {
    for kind in [LeakKind::External, LeakKind::Native, LeakKind::Contexts] {
        let mut course = Course::new();
        let mut found = None;
        for step in 0..12_u64 {
            let grown = |channel| if kind == channel { step } else { 0 };
            let reading = Reading {
                time: Millis::from_secs(step as f64 * 5.0),
                used: Bytes::from_mib(20),
                external: Bytes::from_mib(2 + 3 * grown(LeakKind::External)),
                native: Some(Bytes::from_mib(10 + 3 * grown(LeakKind::Native))),
                contexts: 1 + 4 * grown(LeakKind::Contexts),
                heap_room: Bytes::from_mib(100),
                container_room: Some(Bytes::from_mib(60)),
            };
            found = found.or_else(|| confirmed(&course.observe(&reading)).cloned());
        }
        let leak = found.expect("it leaks");
        assert_eq!(
            (leak.kind, leak.evidence.as_slice(), leak.sites.len()),
            (kind, &[Evidence::Trend][..], 0)
        );
        assert_eq!(leak.limit_in_ms.is_none(), kind == LeakKind::Contexts);
    }
}

#[test]
fn a_tiny_growth_is_not_examined_for_ever() {
    let mut detector = Detector::new(0, Err("nothing can be forked".into()));
    let mut fast = 0;
    for step in 0..720_u32 {
        let reading = Reading {
            time: Millis::from_secs(f64::from(step) * 10.0),
            used: Bytes::from_bytes(((20.0 + 0.3 * f64::from(step)) * MIB) as u64),
            external: Bytes::ZERO,
            native: None,
            contexts: 1,
            heap_room: Bytes::from_mib(1_000),
            container_room: None,
        };
        detector.observe(&reading, |_| Some(Growth { since: Millis::ZERO, sites: Vec::new() }));
        fast += u32::from(detector.pace() == Pace::Fast);
    }
    // Two hours, of which it rests longer and longer.
    assert!(fast < 200, "{fast} of 720 readings");
}

#[test]
fn what_v8_inlined_is_given_back_in_the_blame() {
    let frame = |name: &str| {
        Arc::new(Frame {
            function_name: name.into(),
            script_name: "/app/server.js".into(),
            script_id: 1,
            line: 1,
            column: 1,
        })
    };
    let mut ledger = Ledger::default();
    ledger.observe(Millis::ZERO, &profile([]));
    ledger.observe(Millis::from_secs(1.0), &profile(1..=20));
    ledger.observe(Millis::from_secs(2.0), &profile(1..=20));
    let mut growth = ledger.growth(Millis::ZERO, Millis::from_secs(2.0));
    let callee = frame("callee");
    growth[0].inlined_bytes = growth[0].growth_bytes;
    growth[0].inlined_samples = growth[0].samples;
    growth[0].inlined = vec![crate::allocation::Inlined {
        site: Arc::clone(&callee),
        stack: Arc::clone(&growth[0].stack),
        share: 0.75,
    }];
    let blamed = blame(&growth);
    let told: Vec<_> = blamed.iter().map(|b| (b.site.function_name.as_str(), b.samples)).collect();
    assert_eq!(told, [("callee", 15), ("remember", 5)]);
}
