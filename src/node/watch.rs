use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use napi::{
    Env, Error, Result, Status,
    bindgen_prelude::{Buffer, Either, Function},
    threadsafe_function::ThreadsafeFunctionCallMode,
};
use napi_derive::napi;

use super::{gc_event::NativeGcEvent, json, strings::reader};
use crate::{
    allocation::{PprofMeta, Profile, encode_heapprofile, encode_pprof},
    capture::{
        self, Asker, CaptureError, Captured, Compression, Estimate, Limits, Mode, Packing, Request, Settings,
        SignalGuard,
    },
    detect::InquiryLimits,
    measure::{Bytes, Millis, pss},
    v8::{self, Feature, NearHeapLimit},
    watch::{Config, IsolateWatch, Letter, SamplerState, SamplingConfig, act_near_heap_limit, now},
};

/// What to arm; validated by the shim.
#[napi(object)]
pub struct WatchOptions {
    /// Node's thread id: 0 on the main thread.
    pub thread_id: u32,
    /// The features to use natively, by the names of `probe`.
    pub native: Vec<String>,
    /// Whether to look for leaks.
    pub detect: bool,
    /// The most snapshots that the detector may take in an hour.
    pub snapshots_per_hour: u32,
    /// The part of one core that their children may take, over time.
    pub cpu_share: f64,
    /// The most memory that one of these children may use, in bytes.
    pub inquiry_memory: f64,
    /// Whether snapshots that proofs rest on are kept as files.
    pub keep_snapshots: bool,
    /// Mean bytes between two samples; absent: no sampling.
    pub sampling_interval: Option<f64>,
    /// The most frames that a stack has.
    pub stack_depth: u32,
    /// Absolute.
    pub dir: String,
    /// How snapshots by signal are taken: `auto`, `fork` or `in-process`.
    pub mode: String,
    /// Whether snapshots by signal are compressed.
    pub gzip: bool,
    /// Whether snapshots by signal are redacted.
    pub redact: bool,
    /// The longest pause in-process where no child can be forked, in milliseconds.
    pub max_pause_ms: f64,
    /// Least time between two snapshots by signal, in milliseconds.
    pub min_interval_ms: f64,
    /// How many snapshots may be in the folder after one by signal.
    pub max_files: u32,
    /// How many bytes they may have together.
    pub max_bytes: f64,
    /// Whether to act when the heap is near its limit.
    pub near_heap_limit: bool,
}

/// malloc's own accounting, in bytes.
#[napi(object)]
pub struct NativeMalloc {
    /// Handed out to the program.
    pub in_use: f64,
    /// Held in free blocks.
    pub free: f64,
    /// Of `in_use`, what is mapped block by block.
    pub mapped: f64,
}

/// The control group's numbers, in bytes.
#[napi(object)]
pub struct NativeCgroup {
    /// Absent where only the machine limits.
    pub limit: Option<f64>,
    /// What is used of it.
    pub usage: Option<f64>,
}

/// What JavaScript wrote in our stead.
#[napi(object)]
pub struct WrittenByJavaScript {
    pub file: String,
    pub bytes: f64,
    pub nodes: f64,
    pub pause_ms: f64,
    pub duration_ms: f64,
    pub redacted: bool,
}

/// A snapshot that JavaScript asks for.
#[napi(object)]
pub struct CaptureOptions {
    /// Absolute; absent: a name of ours in the folder for files.
    pub file: Option<String>,
    /// `auto`, `fork` or `in-process`.
    pub mode: String,
    pub gzip: bool,
    pub redact: bool,
}

/// How far a capture is.
#[napi(object)]
pub struct CaptureProgress {
    /// `waiting`, `collecting`, `building`, `writing` or `syncing`.
    pub phase: String,
    /// How much of the phase is done, 0..1, where that is known.
    pub fraction: Option<f64>,
    /// Bytes written.
    pub bytes: f64,
}

/// An isolate under watch, until `close()` or the end of its environment.
#[napi]
pub struct Watch {
    inner: Rc<RefCell<Option<IsolateWatch>>>,
    near_heap_limit: Rc<RefCell<Option<NearHeapLimit>>>,
    signal: Rc<RefCell<Option<SignalGuard>>>,
}

#[napi]
impl Watch {
    /// Arms this thread's isolate. `wake` is called on its event loop when there are letters or a snapshot is due.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, options: WatchOptions, wake: Function<(), ()>) -> Result<Self> {
        let wake = wake
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .callee_handled::<false>()
            .max_queue_size::<1>()
            .build()?;
        // A full queue means that the call is on its way already.
        let wake = Box::new(move || {
            let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        });
        let watch = IsolateWatch::arm(config(&options), wake).map_err(failed)?;
        let inner = Rc::new(RefCell::new(Some(watch)));
        let signal = Rc::new(RefCell::new(None));
        let near_heap_limit = Rc::new(RefCell::new(None));
        let at_end = (Rc::clone(&inner), Rc::clone(&signal), Rc::clone(&near_heap_limit));
        env.add_env_cleanup_hook(at_end, |(inner, signal, near_heap_limit)| {
            drop(near_heap_limit.take());
            drop(signal.take());
            drop(inner.take());
        })?;
        let watch = Self { inner, near_heap_limit, signal };
        watch.watch_heap_limit(&options);
        Ok(watch)
    }

    /// Goes over to other options; the history and the profile so far stay. The routes do not change.
    #[napi(catch_unwind)]
    pub fn configure(&self, env: Env, options: WatchOptions) -> Result<()> {
        self.watch_heap_limit(&options);
        self.with(|watch| watch.configure(config(&options), reader(&env)))
    }

    /// Takes everything back.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        drop(self.near_heap_limit.take());
        drop(self.signal.take());
        drop(self.inner.take());
    }

    /// The regular look at the readings. `profile` is a `Profile` as JSON, where `wantsProfile` asked for one.
    #[napi(catch_unwind)]
    pub fn tick(&self, env: Env, profile: Option<String>) -> Result<()> {
        let profile = profile.map(|json| parse(&json)).transpose()?;
        self.with(|watch| {
            for verdict in watch.tick(profile, reader(&env)) {
                watch.announce(Letter::Verdict(verdict));
            }
        })
    }

    /// Whether a major GC has come that was not looked at yet, and a profile from outside is wanted.
    #[napi(catch_unwind)]
    pub fn wants_profile(&self) -> Result<bool> {
        self.with(|watch| watch.wants_profile())
    }

    /// Whether something rises, and frequent readings are worth their price.
    #[napi(catch_unwind)]
    pub fn examines(&self) -> Result<bool> {
        self.with(|watch| watch.examines())
    }

    /// Records a GC that JavaScript observed, where there are no native callbacks.
    #[napi(catch_unwind)]
    pub fn record_gc(&self, event: NativeGcEvent) -> Result<()> {
        self.with(|watch| {
            if let Some(event) = event.to_event() {
                watch.history().record(event);
            }
        })
    }

    /// The major GCs kept, oldest first.
    #[napi(catch_unwind)]
    pub fn history(&self) -> Result<Vec<NativeGcEvent>> {
        let events = self.with(|watch| watch.history().majors())?;
        Ok(events.iter().map(NativeGcEvent::from).collect())
    }

    /// How many GCs there were.
    #[napi(catch_unwind)]
    pub fn gc_count(&self) -> Result<f64> {
        self.with(|watch| watch.history().count() as f64)
    }

    /// The GCs since `gcCount()` was `seen`, oldest first.
    #[napi(catch_unwind)]
    pub fn gcs_since(&self, seen: f64) -> Result<Vec<NativeGcEvent>> {
        let events = self.with(|watch| watch.history().since(seen as u64))?;
        Ok(events.iter().map(NativeGcEvent::from).collect())
    }

    /// The news, each as JSON.
    #[napi(catch_unwind)]
    pub fn letters(&self) -> Result<Vec<String>> {
        self.with(|watch| {
            watch.mailbox().collect().iter().map(|letter| json::letter(letter).to_string()).collect()
        })
    }

    /// Does what captures have to do on this thread. True if JavaScript has to write a snapshot in our stead.
    #[napi(catch_unwind)]
    pub fn serve(&self) -> Result<bool> {
        let (isolate, member) = self.with(|watch| (watch.isolate(), Arc::clone(watch.member())))?;
        if let Some(isolate) = isolate {
            member.receive(isolate);
        }
        Ok(member.claim())
    }

    /// Has a snapshot written, which `call` names from now on; a letter tells what becomes of it. Returns the error as JSON where
    /// it cannot begin.
    #[napi(catch_unwind)]
    pub fn capture(&self, call: u32, options: CaptureOptions) -> Result<Option<String>> {
        let member = self.with(|watch| Arc::clone(watch.member()))?;
        let request = Request {
            asker: Asker::Call(call),
            file: options.file.map(PathBuf::from),
            mode: Mode::of_name(&options.mode).unwrap_or_default(),
            packing: packing(options.gzip, options.redact),
        };
        Ok(member.begin(request).err().map(|error| json::capture_error(&error).to_string()))
    }

    /// Gives up the snapshot of this call.
    #[napi(catch_unwind)]
    pub fn abort_capture(&self, call: u32) -> Result<()> {
        self.with(|watch| watch.member().abort(Asker::Call(call)))
    }

    /// How far the snapshot of this call is, while it is under way.
    #[napi(catch_unwind)]
    pub fn capture_progress(&self, call: u32) -> Result<Option<CaptureProgress>> {
        let progress = self.with(|watch| watch.member().progress(Asker::Call(call)))?;
        Ok(progress.map(|progress| {
            let reported = progress.reported();
            CaptureProgress {
                phase: reported.phase.name().to_owned(),
                fraction: reported.fraction,
                bytes: reported.bytes.as_f64(),
            }
        }))
    }

    /// Tells what became of a snapshot that JavaScript wrote in our stead; without `written`, `code` and `message`
    /// say why there is none.
    #[napi(catch_unwind)]
    pub fn settle(
        &self,
        written: Option<WrittenByJavaScript>,
        code: Option<String>,
        message: Option<String>,
    ) -> Result<()> {
        let member = self.with(|watch| Arc::clone(watch.member()))?;
        let outcome = match written {
            Some(written) => Ok(Captured {
                file: PathBuf::from(written.file),
                bytes: Bytes::from_bytes(written.bytes as u64),
                nodes: written.nodes as u64,
                mode: Mode::InProcess,
                pause: Millis::from_millis(written.pause_ms),
                duration: Millis::from_millis(written.duration_ms),
                redacted: written.redacted,
            }),
            None => Err(CaptureError::JavaScript {
                code: code.unwrap_or_default(),
                message: message.unwrap_or_default(),
            }),
        };
        member.settle(Asker::Signal, outcome);
        Ok(())
    }

    /// Installs the handler of the signal with this number and name. Main thread only.
    #[napi(catch_unwind)]
    pub fn handle_signal(&self, signal: i32, name: String) -> Result<()> {
        let guard = SignalGuard::install(signal, name).map_err(failed)?;
        *self.signal.borrow_mut() = Some(guard);
        Ok(())
    }

    /// Takes the signal handler back.
    #[napi(catch_unwind)]
    pub fn ignore_signal(&self) {
        drop(self.signal.take());
    }

    /// Puts the handler back after libuv has replaced it.
    #[napi(catch_unwind)]
    pub fn reinstall_signal(&self) -> Result<()> {
        self.signal.borrow().as_ref().map_or(Ok(()), |guard| guard.reinstall().map_err(failed))
    }

    /// Whether the latest signal came from this process.
    #[napi(catch_unwind)]
    pub fn signal_was_from_self(&self) -> bool {
        self.signal.borrow().as_ref().is_some_and(SignalGuard::was_from_self)
    }

    /// Whether a signal that the process sends itself from now on ends it.
    #[napi(catch_unwind)]
    pub fn set_self_ends(&self, ends: bool) {
        if let Some(guard) = self.signal.borrow().as_ref() {
            guard.set_self_ends(ends);
        }
    }

    /// The live samples as JSON: by site (`object`) or as DevTools has them (`heapprofile`). `profile` is one from
    /// outside, where we do not drive the profiler ourselves; `since` belongs to it.
    #[napi(catch_unwind)]
    pub fn heap_profile(
        &self,
        env: Env,
        as_sites: bool,
        profile: Option<String>,
        since: Option<f64>,
    ) -> Result<String> {
        Ok(match self.live_profile(&env, profile, since)? {
            Ok(live) if as_sites => json::sites(&live.profile, live.since, live.interval).to_string(),
            Ok(live) => encode_heapprofile(&live.profile),
            Err(error) => error.to_string(),
        })
    }

    /// The live samples as gzipped `profile.proto`; the error as JSON.
    #[napi(catch_unwind)]
    pub fn pprof(
        &self,
        env: Env,
        profile: Option<String>,
        since: Option<f64>,
    ) -> Result<Either<Buffer, String>> {
        Ok(match self.live_profile(&env, profile, since)? {
            Ok(live) => {
                let meta = PprofMeta {
                    time: live.since,
                    duration: live.now.since(live.since),
                    sampling_interval: live.interval.unwrap_or_default(),
                };
                Either::A(encode_pprof(&live.profile, meta).into())
            }
            Err(error) => Either::B(error.to_string()),
        })
    }

    /// malloc's accounting, read on the helper thread; waits for it for at most `patienceMs`.
    #[napi(catch_unwind)]
    pub fn malloc(&self, patience_ms: u32) -> Result<Option<NativeMalloc>> {
        self.with(|watch| {
            let accounting = watch.malloc()?.read(Duration::from_millis(u64::from(patience_ms)))?;
            Some(NativeMalloc {
                in_use: accounting.in_use.as_f64(),
                free: accounting.free.as_f64(),
                mapped: accounting.mapped.as_f64(),
            })
        })
    }

    /// The control group's limit and usage.
    #[napi(catch_unwind)]
    pub fn cgroup(&self) -> Result<NativeCgroup> {
        self.with(|watch| {
            let memory = watch.cgroup();
            NativeCgroup {
                limit: memory.and_then(|memory| memory.limit).map(Bytes::as_f64),
                usage: memory.and_then(|memory| memory.usage).map(Bytes::as_f64),
            }
        })
    }

    /// What the watch says of itself, as JSON.
    #[napi(catch_unwind)]
    pub fn status(&self) -> Result<String> {
        self.with(|watch| json::status(&watch.status()).to_string())
    }

    /// Has the helper thread write a line to stderr.
    #[napi(catch_unwind)]
    pub fn say(&self, line: String) -> Result<()> {
        self.with(|watch| watch.helper().say(line))
    }

    fn watch_heap_limit(&self, options: &WatchOptions) {
        let name = Feature::NearHeapLimit.name();
        let is_wanted = options.near_heap_limit && options.native.iter().any(|native| native == name);
        let is_there = self.near_heap_limit.borrow().is_some();
        if is_wanted && !is_there {
            *self.near_heap_limit.borrow_mut() = act_near_heap_limit(&self.inner);
        } else if !is_wanted {
            drop(self.near_heap_limit.take());
        }
    }

    fn live_profile(
        &self,
        env: &Env,
        profile: Option<String>,
        since: Option<f64>,
    ) -> Result<std::result::Result<LiveProfile, json::Value>> {
        let now = now();
        if let Some(profile) = profile {
            let since = Millis::from_millis(since.unwrap_or(now.get()));
            let profile = parse(&profile)?;
            return self.with(|watch| {
                let interval = watch.config().sampling.map(|sampling| sampling.interval);
                Ok(LiveProfile { profile, since, now, interval })
            });
        }
        self.with(|watch| {
            let sampler = watch.sampler().ok_or_else(json::not_sampling)?;
            let profile = sampler.read_all(now, reader(env)).map_err(json::sampling_error)?;
            let interval = (sampler.state() == SamplerState::Owned).then(|| sampler.interval());
            Ok(LiveProfile { profile, since: sampler.since(), now, interval })
        })
    }

    fn with<T>(&self, run: impl FnOnce(&mut IsolateWatch) -> T) -> Result<T> {
        match self.inner.borrow_mut().as_mut() {
            Some(watch) => Ok(run(watch)),
            None => Err(failed("the watch is closed")),
        }
    }
}

/// Why a snapshot that JavaScript takes has no room in memory or in `dir`, as JSON; nothing if it has. `small` and `large` are
/// the bytes in use outside of V8's spaces for large objects, and in them.
#[napi(catch_unwind)]
pub fn room_refusal(dir: String, small: f64, large: f64, gzip: bool) -> Option<String> {
    let estimate = Estimate::of(Bytes::from_bytes(small as u64), Bytes::from_bytes(large as u64));
    let refused = capture::admit_in_process(Path::new(&dir), estimate, compression(gzip)).err();
    refused.map(|error| json::capture_error(&error).to_string())
}

/// Has our oldest snapshots in `dir` make way for one of `incoming` bytes.
#[napi(catch_unwind)]
pub fn rotate(dir: String, max_files: u32, max_bytes: f64, incoming: f64) {
    let incoming = Bytes::from_bytes(incoming as u64);
    // That they cannot be read or removed is no reason to lose the new one.
    let _ = capture::rotate(Path::new(&dir), &limits(max_files, max_bytes), incoming);
}

/// Lets V8's workers go that wait for a fork: the environment begins to exit, and would wait for them.
#[napi]
pub fn release_parked() {
    v8::release_all();
}

/// The name of the next snapshot file.
#[napi(catch_unwind)]
pub fn next_file_name(thread_id: u32, gzip: bool) -> String {
    capture::FileName::now(thread_id, compression(gzip)).next()
}

/// The live samples and what has to be known of them.
struct LiveProfile {
    profile: Profile,
    since: Millis,
    now: Millis,
    /// None where someone else has set it.
    interval: Option<Bytes>,
}

fn parse(profile: &str) -> Result<Profile> {
    serde_json::from_str(profile).map_err(failed)
}

/// The process's proportional set size in bytes: its private memory and its share of what is shared.
#[napi(catch_unwind)]
pub fn proportional_set_size() -> Option<f64> {
    pss(std::path::Path::new("/")).map(Bytes::as_f64)
}

fn config(options: &WatchOptions) -> Config {
    Config {
        thread_id: options.thread_id,
        native: Feature::ALL
            .into_iter()
            .filter(|feature| options.native.iter().any(|name| name == feature.name()))
            .collect(),
        detect: options.detect,
        inquiries: InquiryLimits {
            snapshots_per_hour: options.snapshots_per_hour,
            cpu_share: options.cpu_share,
        },
        inquiry_memory: Bytes::from_bytes(options.inquiry_memory as u64),
        keep_snapshots: options.keep_snapshots,
        sampling: options.sampling_interval.map(|interval| SamplingConfig {
            interval: Bytes::from_bytes(interval as u64),
            stack_depth: options.stack_depth,
        }),
        snapshots: Settings {
            dir: PathBuf::from(&options.dir),
            mode: Mode::of_name(&options.mode).unwrap_or_default(),
            packing: packing(options.gzip, options.redact),
            max_pause: Millis::from_millis(options.max_pause_ms),
            limits: limits(options.max_files, options.max_bytes),
            min_interval: Millis::from_millis(options.min_interval_ms),
        },
    }
}

fn limits(max_files: u32, max_bytes: f64) -> Limits {
    Limits { max_files, max_bytes: Bytes::from_bytes(max_bytes as u64) }
}

fn packing(gzip: bool, redact: bool) -> Packing {
    Packing { compression: compression(gzip), redact }
}

fn compression(gzip: bool) -> Compression {
    if gzip { Compression::Gzip } else { Compression::None }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Status::GenericFailure, error.to_string())
}
