use napi_derive::napi;

use crate::v8::{Feature, Isolate, refusal, version};

/// What JavaScript reports of the heap, for the self-check.
#[napi(object)]
pub struct Reported {
    /// `v8.getHeapStatistics().heap_size_limit`
    pub heap_size_limit: f64,
    /// `v8.getHeapStatistics().number_of_native_contexts`
    pub native_contexts: f64,
    /// `v8.getHeapStatistics().total_heap_size`
    pub total_heap_size: f64,
    /// `v8.getHeapSpaceStatistics()[i].space_name`
    pub space_names: Vec<String>,
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

/// V8's version as the native side sees it.
#[napi(catch_unwind)]
pub fn v8_version() -> Option<String> {
    version()
}

/// What we read natively and JavaScript reports otherwise. One layout that is off casts doubt on all.
fn disagreement(reported: &Reported) -> Option<&'static str> {
    if refusal(Feature::Statistics).is_some() {
        return None;
    }
    let Some(isolate) = Isolate::current() else { return Some("this thread has no isolate") };
    let Some(own) = isolate.statistics() else { return Some("no statistics") };
    // Between the two readings the heap may have grown by a page or two, or have been collected.
    let ratio = own.total.as_f64() / reported.total_heap_size.max(1.0);
    let names = (0..isolate.space_count()).filter_map(|index| isolate.space(index)).map(|space| space.name);
    if own.heap_size_limit.as_f64() != reported.heap_size_limit {
        Some("heap_size_limit differs")
    } else if own.native_contexts as f64 != reported.native_contexts {
        Some("number_of_native_contexts differs")
    } else if !(0.5..=2.0).contains(&ratio) || own.used > own.total {
        Some("total_heap_size differs")
    } else if !names.eq(reported.space_names.iter().cloned()) {
        Some("the heap spaces differ")
    } else {
        None
    }
}
