use std::{
    fs::File,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, Function},
    threadsafe_function::ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::{
    report::{self, Page},
    snapshot::{Cancelled, Heap, Observer, ReadOptions, SnapshotFileError, Stage, Summary, read, unpack},
};

/// The version of the JSON shape.
const VERSION: u32 = 1;
/// Analysing is done to this part when a stage begins; measured on files of 1 to 20 million nodes.
const BEGINNINGS: [(Stage, f64); 5] = [
    (Stage::Reading, 0.0),
    (Stage::Dominators, 0.5),
    (Stage::Sizes, 0.8),
    (Stage::Distances, 0.85),
    (Stage::Classes, 0.92),
];

/// How to analyse; validated by the shim.
#[napi(object)]
pub struct AnalyzeOptions {
    /// The most rows of each kind.
    pub rows: u32,
    /// Whether to make do with a file that was cut off.
    pub partial: bool,
    /// The width of a terminal; absent: no text is wanted.
    pub width: Option<u32>,
    /// Whether the terminal has colours.
    pub colour: bool,
    /// Whether the text shows all rows.
    pub full: bool,
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
    /// None: standard input.
    file: Option<String>,
    options: AnalyzeOptions,
    cancelled: Arc<AtomicBool>,
    progress: Option<Box<dyn Fn(f64) + Send + Sync>>,
}

/// Analyses a file, or standard input, on a thread of Node's pool. Answers JSON: the report, or `{ error: { code, message } }`.
#[napi(catch_unwind)]
pub fn analyze(
    file: Option<String>,
    options: AnalyzeOptions,
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
    Ok(AsyncTask::new(Analysis { file, options, cancelled: Arc::clone(&cancellation.asked), progress }))
}

impl Task for Analysis {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        Ok(self.answer().unwrap_or_else(|error| error_answer(&error)).to_string())
    }

    fn resolve(&mut self, _: Env, answer: String) -> Result<String> {
        Ok(answer)
    }
}

impl Analysis {
    fn answer(&self) -> std::result::Result<Value, SnapshotFileError> {
        let (input, size): (Box<dyn Read + Send>, _) = match &self.file {
            Some(file) => {
                let file = File::open(file)?;
                let on_disk = file.metadata()?;
                (Box::new(file), on_disk.is_file().then_some(on_disk.len()))
            }
            None => (Box::new(io::stdin()), None),
        };
        let (reader, is_packed) = unpack(input)?;
        // Of what is packed nobody knows the size.
        let size = size.filter(|_| !is_packed);
        let watch = Watch { analysis: self, size };
        let options = ReadOptions { size, partial: self.options.partial };
        let heap =
            Heap::new(read(reader, options, &watch)?, &watch).map_err(|_| SnapshotFileError::Cancelled)?;
        let summary = Summary::new(&heap, self.options.rows as usize);
        let text = self.options.width.map(|width| {
            let page = Page { width: width as usize, colour: self.options.colour, full: self.options.full };
            report::summary(&summary, page)
        });
        let mut answer = json!(summary);
        answer["version"] = VERSION.into();
        if let Some(text) = text {
            answer["text"] = text.into();
        }
        Ok(answer)
    }
}

/// Passes on how far it is.
struct Watch<'a> {
    analysis: &'a Analysis,
    size: Option<u64>,
}

impl Observer for Watch<'_> {
    fn progress(&self, stage: Stage, bytes: u64) -> std::result::Result<(), Cancelled> {
        if self.analysis.cancelled.load(Ordering::Relaxed) {
            return Err(Cancelled);
        }
        let Some(progress) = &self.analysis.progress else { return Ok(()) };
        let begun = BEGINNINGS.iter().position(|(known, _)| *known == stage).unwrap_or(0);
        let (start, end) = (BEGINNINGS[begun].1, BEGINNINGS.get(begun + 1).map_or(1.0, |next| next.1));
        let part = self
            .size
            .filter(|_| stage == Stage::Reading)
            .map_or(0.0, |size| bytes as f64 / size.max(1) as f64);
        progress(start + (end - start) * part.min(1.0));
        Ok(())
    }
}

fn error_answer(error: &SnapshotFileError) -> Value {
    let code = match error {
        SnapshotFileError::Cancelled => "ABORT_ERR",
        SnapshotFileError::Io(_) => "ERR_LEAKGUARD_FILE",
        SnapshotFileError::NoMemory { .. } => "ERR_LEAKGUARD_NO_ROOM",
        SnapshotFileError::Truncated { .. } | SnapshotFileError::Unexpected { .. } => {
            "ERR_LEAKGUARD_NOT_A_SNAPSHOT"
        }
    };
    json!({ "error": { "code": code, "message": error.to_string() } })
}
