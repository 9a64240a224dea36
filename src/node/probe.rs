use napi_derive::napi;

use crate::{
    measure::Bytes,
    v8::{Feature, Isolate, refusal},
};

/// What JavaScript reports of the heap, for the self-check. From `process.memoryUsage()`, where Node reads the same structure through
/// V8's own headers; `node:v8` would cost 4 ms to load.
#[napi(object)]
pub struct Reported {
    /// `heapTotal`
    pub heap_total: f64,
    /// `heapUsed`
    pub heap_used: f64,
    /// `external`
    pub external: f64,
}

/// Whether a feature may be used natively.
#[napi(object)]
pub struct NativeFeature {
    /// The feature's name in `status()`.
    pub name: String,
    /// Why not; absent where it may.
    pub refusal: Option<String>,
}

/// Which of V8's features may be used natively in this isolate: by symbol, by tested version, and by comparison
/// with what JavaScript reports.
#[napi(catch_unwind)]
pub fn probe(reported: Reported) -> Vec<NativeFeature> {
    let disagreement = disagreement(&reported);
    Feature::ALL
        .into_iter()
        .map(|feature| NativeFeature {
            name: feature.name().to_owned(),
            refusal: refusal(feature)
                .map(|refusal| refusal.to_string())
                .or_else(|| disagreement.map(|what| format!("self-check failed: {what}"))),
        })
        .collect()
}

/// What we read natively and JavaScript reports otherwise. One layout that is off casts doubt on all.
fn disagreement(reported: &Reported) -> Option<&'static str> {
    if refusal(Feature::Statistics).is_some() {
        return None;
    }
    let Some(isolate) = Isolate::current() else { return Some("this thread has no isolate") };
    let Some(own) = isolate.statistics() else { return Some("no statistics") };
    // Between the two readings the heap may have grown by a page or two, or have been collected.
    let agree = |own: Bytes, reported: f64| {
        (own.as_f64() - reported).abs() <= 0.5 * reported.max(Bytes::from_mib(1).as_f64())
    };
    let has_space =
        |name| (0..isolate.space_count()).filter_map(|i| isolate.space(i)).any(|space| space.name == name);
    if !agree(own.total, reported.heap_total) {
        Some("total_heap_size differs from heapTotal")
    } else if !agree(own.used, reported.heap_used) {
        Some("used_heap_size differs from heapUsed")
    } else if !agree(own.external, reported.external) {
        Some("external_memory differs from external")
    } else if own.heap_size_limit < own.total || own.native_contexts == 0 {
        Some("heap_size_limit or number_of_native_contexts is impossible")
    } else if !has_space("old_space") || !has_space("new_space") {
        Some("the heap spaces have other names")
    } else {
        None
    }
}
