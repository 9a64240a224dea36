//! `leakguard dump`: work on Node's pool, whose answers are JSON: the result, or `{ error: { code, message } }`.

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, Function},
    threadsafe_function::ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::capture::dump::{
    ArmedProcess, Dump, Failure, Found, Listing, Refusal, Stage, Thread, ThreadDump, armed_processes, dump,
};

/// The version of the JSON shapes.
const VERSION: u32 = 1;

/// A request for snapshots that waits for its thread.
pub struct DumpTask {
    pid: u32,
    progress: Box<dyn Fn(String) + Send>,
}

/// A look at all processes that waits for its thread.
pub struct ListTask(());

/// Asks an armed process for its snapshots, and waits for them. `progress` is told how far its threads are, as JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn dump_process(pid: u32, progress: Function<String, ()>) -> Result<AsyncTask<DumpTask>> {
    let progress = progress
        .build_threadsafe_function::<String>()
        .weak::<true>()
        .callee_handled::<false>()
        .max_queue_size::<4>()
        .build()?;
    let progress = Box::new(move |threads| {
        let _ = progress.call(threads, ThreadsafeFunctionCallMode::NonBlocking);
    });
    Ok(AsyncTask::new(DumpTask { pid, progress }))
}

/// The processes that are armed.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn list_armed_processes() -> AsyncTask<ListTask> {
    AsyncTask::new(ListTask(()))
}

impl Task for DumpTask {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        let pid = self.pid;
        let mut tell = |threads: &[Thread]| (self.progress)(progress_of(threads).to_string());
        Ok(answer(dump(pid, &mut tell).map(|dump| dump_of(pid, &dump))))
    }

    fn resolve(&mut self, _: Env, answer: String) -> Result<String> {
        Ok(answer)
    }
}

impl Task for ListTask {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        Ok(answer(armed_processes().map(|listing| listing_of(&listing))))
    }

    fn resolve(&mut self, _: Env, answer: String) -> Result<String> {
        Ok(answer)
    }
}

fn answer(answer: std::result::Result<Value, Refusal>) -> String {
    match answer {
        Ok(value) => value.to_string(),
        Err(refusal) => error_of(refusal.code(), &refusal).to_string(),
    }
}

fn error_of(code: &str, message: &dyn std::fmt::Display) -> Value {
    json!({ "error": { "code": code, "message": message.to_string() } })
}

fn dump_of(pid: u32, Dump { identity, threads }: &Dump) -> Value {
    json!({
        "version": VERSION,
        "pid": pid,
        "leakguard": identity.version,
        "signal": identity.signal_name,
        "dir": identity.dir.to_string_lossy(),
        "unlisted": identity.unlisted,
        "threads": threads.iter().map(thread_of).collect::<Vec<_>>(),
    })
}

fn thread_of(ThreadDump { thread_id, result }: &ThreadDump) -> Value {
    let mut value = match result {
        Ok(found) => found_of(found),
        Err(failure) => failure_of(failure),
    };
    value["threadId"] = (*thread_id).into();
    value
}

fn found_of(Found { written, path }: &Found) -> Value {
    json!({
        "file": written.file.to_string_lossy(),
        "path": path.to_string_lossy(),
        "bytes": written.bytes,
        "nodes": written.nodes,
        "pauseMs": written.pause_micros as f64 / 1e3,
    })
}

fn failure_of(failure: &Failure) -> Value {
    error_of(failure.code(), failure)
}

fn progress_of(threads: &[Thread]) -> Value {
    let threads = threads.iter().map(|thread| {
        json!({
            "threadId": thread.thread_id,
            "stage": stage_of(thread.stage),
            "done": thread.done,
            "total": thread.total,
        })
    });
    threads.collect()
}

fn stage_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Idle => "idle",
        Stage::Requested => "requested",
        Stage::Waiting => "waiting",
        Stage::Collecting => "collecting",
        Stage::Building => "building",
        Stage::Writing => "writing",
        Stage::Syncing => "syncing",
    }
}

fn listing_of(Listing { processes, hidden }: &Listing) -> Value {
    json!({
        "version": VERSION,
        "processes": processes.iter().map(process_of).collect::<Vec<_>>(),
        "hidden": hidden,
    })
}

fn process_of(process: &ArmedProcess) -> Value {
    json!({
        "pid": process.pid,
        "leakguard": process.version,
        "signal": process.signal,
        "dir": process.dir.to_string_lossy(),
        "threads": process.threads,
        "command": process.command,
    })
}
