//! What the commands on snapshot files do, each verb in a file of its own: a request comes as JSON, and an answer goes back as such.

mod analyze;
mod diff;
mod input;
mod query;
mod redact;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, Function},
    threadsafe_function::ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{report::Page, snapshot::SnapshotFileError};

/// What is wanted; made and validated by the shim.
#[derive(Deserialize)]
#[serde(tag = "verb", rename_all = "camelCase")]
enum Request {
    Analyze(analyze::Analyze),
    Diff(diff::Diff),
    Query(query::QueryFile),
    Redact(redact::Redact),
}

/// How a terminal wants to have the answer.
#[derive(Clone, Copy, Deserialize)]
struct Terminal {
    /// Characters in a line.
    width: usize,
    /// Whether there are colours.
    colour: bool,
    /// Whether all rows are wanted.
    full: bool,
}

impl From<Terminal> for Page {
    fn from(Terminal { width, colour, full }: Terminal) -> Self {
        Self { width, colour, full }
    }
}

/// Ends an analysis before it is done.
#[napi]
#[derive(Default)]
pub struct Cancellation {
    asked: Arc<AtomicBool>,
}

#[napi]
impl Cancellation {
    /// Nothing is cancelled yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends it soon.
    #[napi]
    pub fn cancel(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }
}

/// An analysis that waits for its thread.
pub struct Analysis {
    request: String,
    host: Host,
}

/// Whom the work is done for: may end it, and is told how far it is.
struct Host {
    cancelled: Arc<AtomicBool>,
    progress: Option<Box<dyn Fn(f64) + Send + Sync>>,
}

/// Does the work on a thread of Node's pool. Answers JSON: the result, or `{ error: { code, message } }`.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn analysis(
    request: String,
    cancellation: &Cancellation,
    progress: Option<Function<f64, ()>>,
) -> Result<AsyncTask<Analysis>> {
    let progress = progress
        .map(|progress| {
            let progress = progress
                .build_threadsafe_function::<f64>()
                .weak::<true>()
                .callee_handled::<false>()
                .max_queue_size::<4>()
                .build()?;
            let call: Box<dyn Fn(f64) + Send + Sync> = Box::new(move |fraction| {
                let _ = progress.call(fraction, ThreadsafeFunctionCallMode::NonBlocking);
            });
            Ok::<_, napi::Error>(call)
        })
        .transpose()?;
    let host = Host { cancelled: Arc::clone(&cancellation.asked), progress };
    Ok(AsyncTask::new(Analysis { request, host }))
}

impl Task for Analysis {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        let request = serde_json::from_str(&self.request)
            .map_err(|error| napi::Error::from_reason(format!("a request of the shim: {error}")))?;
        let answer = match request {
            Request::Analyze(analyze) => analyze.answer(&self.host),
            Request::Diff(diff) => diff.answer(&self.host),
            Request::Query(query) => query.answer(&self.host),
            Request::Redact(redact) => Ok(redact.answer(&self.host)),
        };
        Ok(answer.unwrap_or_else(|error| error_answer(&error)).to_string())
    }

    fn resolve(&mut self, _: Env, answer: String) -> Result<String> {
        Ok(answer)
    }
}

fn error_answer(error: &SnapshotFileError) -> Value {
    json!({ "error": { "code": code_of(error), "message": error.to_string() } })
}

fn code_of(error: &SnapshotFileError) -> &'static str {
    match error {
        SnapshotFileError::Cancelled => "ABORT_ERR",
        SnapshotFileError::Io(_) => "ERR_LEAKGUARD_FILE",
        SnapshotFileError::NoMemory { .. } => "ERR_LEAKGUARD_NO_ROOM",
        SnapshotFileError::Truncated { .. } | SnapshotFileError::Unexpected { .. } => {
            "ERR_LEAKGUARD_NOT_A_SNAPSHOT"
        }
        SnapshotFileError::InFile { error, .. } => code_of(error),
    }
}
