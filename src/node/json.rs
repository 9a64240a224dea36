pub(super) use serde_json::Value;
use serde_json::json;

use crate::{
    allocation::{Profile, Stack},
    capture::{Asker, CaptureError, Captured, Outcome},
    detect::{ChannelState, StackFrame, Verdict},
    measure::{Bytes, Millis},
    v8::SamplingError,
    watch::{Letter, SamplerState, Status},
};

/// A snapshot as `writeHeapSnapshot` returns it.
pub(super) fn captured(captured: &Captured) -> Value {
    json!({
        "file": captured.file,
        "bytes": captured.bytes,
        "nodes": captured.nodes,
        "mode": captured.mode.name(),
        "pauseMs": captured.pause,
        "durationMs": captured.duration,
        "redacted": captured.redacted,
    })
}

/// `{ error: { code, message } }`
pub(super) fn capture_error(error: &CaptureError) -> Value {
    json!({ "error": { "code": error.code(), "message": error.to_string() } })
}

/// `{ error: { code, message } }`
pub(super) fn sampling_error(error: SamplingError) -> Value {
    json!({ "error": { "code": "ERR_LEAKGUARD_UNAVAILABLE", "message": error.to_string() } })
}

/// `{ error: { code, message } }`
pub(super) fn not_sampling() -> Value {
    json!({ "error": { "code": "ERR_LEAKGUARD_UNAVAILABLE", "message": "sampling is off" } })
}

pub(super) fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Ok(done) => captured(done),
        Err(error) => capture_error(error),
    }
}

/// `{ type, threadId?, ... }`
pub(super) fn letter(letter: &Letter) -> Value {
    match letter {
        Letter::Snapshot(thread_id, asker, result) => {
            let (trigger, call) = match asker {
                Asker::Signal => ("signal", None),
                Asker::NearHeapLimit => ("nearHeapLimit", None),
                Asker::Detector => ("detector", None),
                Asker::Call(call) => ("call", Some(call)),
            };
            json!({
                "type": "snapshot",
                "threadId": thread_id,
                "trigger": trigger,
                "call": call,
                "outcome": outcome(result),
            })
        }
        Letter::Transition(thread_id, transition) => json!({
            "type": "detector",
            "threadId": thread_id,
            "kind": transition.kind,
            "time": transition.time,
            "from": channel(&transition.from)["state"],
            "to": channel(&transition.to),
        }),
        Letter::Verdict(Verdict::Confirmed(leak)) => json!({ "type": "leak", "leak": leak }),
        Letter::Verdict(Verdict::Resolved(leak)) => json!({ "type": "leakResolved", "leak": leak }),
    }
}

fn channel(state: &ChannelState) -> Value {
    match state {
        ChannelState::Quiet => json!({ "state": "quiet" }),
        ChannelState::Suspect { since, missing } => {
            json!({ "state": "suspect", "since": since, "missing": missing })
        }
        ChannelState::Leaking { id } => json!({ "state": "leaking", "id": id }),
    }
}

pub(super) fn status(status: &Status) -> Value {
    let channels: serde_json::Map<String, Value> =
        status.channels.iter().map(|(kind, state)| (kind.name().to_owned(), channel(state))).collect();
    let (state, error) = match status.sampler {
        Some(SamplerState::Owned) => ("owned", None),
        Some(SamplerState::Adopted) => ("adopted", None),
        Some(SamplerState::Off(error)) => ("off", Some(error.to_string())),
        None => ("off", None),
    };
    json!({
        "channels": channels,
        "sampler": {
            "state": state,
            "reason": error,
            "interval": status.interval,
            "samples": status.samples,
            "lost": status.profiles_lost,
        },
        "mallocOff": status.malloc_off,
        "cost": {
            "gcs": status.gcs,
            "gcCallbacksMs": status.in_gc,
            "ticks": status.ticks,
            "ticksMs": status.in_ticks,
            "profiles": status.profiles.0,
            "profilesMs": status.profiles.1,
            "helpedMajorGcs": status.helped.0,
            "helpedMajorGcsMs": status.helped.1,
            "snapshots": status.examined.snapshots,
            "snapshotsFailed": status.examined.failed,
            "snapshotsPauseMs": status.examined.pause,
            "snapshotsCpuMs": status.examined.cpu,
            "snapshotsKeptBytes": status.kept,
        },
    })
}

/// The profile as `heapProfile({ format: 'object' })` returns it: the allocation sites, biggest first.
pub(super) fn sites(profile: &Profile, since: Millis, interval: Option<Bytes>) -> Value {
    let sites: Vec<Value> = profile
        .sites()
        .iter()
        .map(|site| {
            let frame = StackFrame::from(&*site.site);
            let mut value = json!(frame);
            value["liveBytes"] = json!(site.live_bytes);
            value["liveObjects"] = json!(site.live_objects);
            value["samples"] = json!(site.samples);
            value["stack"] = stack(&site.stack);
            value
        })
        .collect();
    let live_bytes: Bytes = profile.samples.iter().map(|sample| sample.live_bytes).sum();
    json!({ "since": since, "samplingInterval": interval, "liveBytes": live_bytes, "sites": sites })
}

fn stack(stack: &Stack) -> Value {
    json!(StackFrame::of_stack(stack))
}
