//! Taking and serializing a heap snapshot in this process (include/v8-profiler.h, `HeapSnapshot`).

use std::{
    ffi::{c_int, c_void},
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::NonNull,
};

use thiserror::Error;

use super::{
    Isolate,
    sampling::heap_profiler,
    symbols::SYMBOLS,
    vtable::{Vtable, nothing},
};

/// `OutputStream::WriteResult` and `ActivityControl::ControlOption`.
const CONTINUE: c_int = 0;
const ABORT: c_int = 1;
/// What `GetChunkSize` answers: V8 hands over this many bytes at a time.
const CHUNK_SIZE: c_int = 1 << 18;
/// `HeapSnapshot::kJSON`.
const JSON: c_int = 0;
/// `NumericsMode::kExposeNumericValues`: the upper half of the options' third word (the lower one is `HeapSnapshotMode`).
const EXPOSE_NUMERIC_VALUES: u64 = 1 << 32;

/// Whether a snapshot says what numbers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numerics {
    /// Small integers leave no trace, others no value.
    Hidden,
    /// All are nodes with their value: the file becomes a quarter larger.
    Exposed,
}

/// Why no snapshot came of it.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A function of V8's is missing, or V8 returned nothing without being told to stop.
    #[error("V8 took no snapshot")]
    Unavailable,
    /// Whoever was told of the progress wanted it to stop.
    #[error("the snapshot was given up")]
    Aborted,
    /// The sink refused a chunk; the rest was not written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// A snapshot that V8 has taken and keeps until it is forgotten: some 350 bytes a node.
#[derive(Debug)]
pub struct HeapSnapshot(NonNull<c_void>);

// SAFETY: V8 changes a snapshot no more once it is taken, and serializes it without the isolate's lock; it is forgotten
// on the isolate's thread only.
unsafe impl Send for HeapSnapshot {}

impl HeapSnapshot {
    /// Has V8 collect garbage and walk the heap, blocking the isolate's thread: 2 to 3 s per million nodes.
    /// `on_progress` is told (done, total) every 10,000 nodes and may end it by answering false.
    ///
    /// Fit for interrupts: runs no JavaScript.
    pub fn take(
        isolate: Isolate,
        numerics: Numerics,
        on_progress: &mut dyn FnMut(u32, u32) -> bool,
    ) -> Result<Self, SnapshotError> {
        let take = SYMBOLS.take_snapshot.ok_or(SnapshotError::Unavailable)?;
        let profiler = heap_profiler(isolate).map_err(|_| SnapshotError::Unavailable)?;
        let mut control =
            ActivityControl { vtable: ACTIVITY_CONTROL.functions(), on_progress, stopped: false };
        // `HeapSnapshotOptions` is 24 or 32 bytes: the control, and pointers and enums whose zeros are the defaults.
        let mut options = [0_u64; 8];
        options[0] = (&raw mut control).expose_provenance() as u64;
        if numerics == Numerics::Exposed {
            options[2] = EXPOSE_NUMERIC_VALUES;
        }
        // SAFETY: this isolate's own profiler, on its thread; V8 reads the options and calls the control only during the call.
        let snapshot = unsafe { take(profiler, options.as_ptr().cast()) };
        match NonNull::new(snapshot.cast_mut()) {
            Some(snapshot) => Ok(Self(snapshot)),
            None if control.stopped => Err(SnapshotError::Aborted),
            None => Err(SnapshotError::Unavailable),
        }
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> u64 {
        // SAFETY: V8 keeps the snapshot until `forget`.
        let nodes = SYMBOLS.snapshot_nodes.map(|count| unsafe { count(self.0.as_ptr()) });
        nodes.and_then(|nodes| u64::try_from(nodes).ok()).unwrap_or(0)
    }

    /// Streams it into `sink` as JSON. On any thread, while the isolate lives.
    pub fn serialize(&self, sink: &mut dyn Write) -> Result<(), SnapshotError> {
        let serialize = SYMBOLS.serialize_snapshot.ok_or(SnapshotError::Unavailable)?;
        let mut stream = OutputStream { vtable: OUTPUT_STREAM.functions(), sink, error: None };
        // SAFETY: the snapshot is alive; the stream has the vtable V8 expects and outlives the call.
        unsafe { serialize(self.0.as_ptr(), (&raw mut stream).cast(), JSON) };
        stream.error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Has V8 forget the snapshot and the ids of its objects, on the isolate's thread. Without the latter every later
    /// allocation would be tracked, and allocation-heavy code would stay several times slower.
    pub fn forget(self, isolate: Isolate) {
        if let Some(delete) = SYMBOLS.delete_snapshot {
            // SAFETY: the last use of the snapshot.
            unsafe { delete(self.0.as_ptr()) };
        }
        forget_ids(isolate);
    }
}

/// Has V8 forget the ids that a snapshot, also one that was given up, has handed out.
pub fn forget_ids(isolate: Isolate) {
    if let (Some(clear), Ok(profiler)) = (SYMBOLS.clear_object_ids, heap_profiler(isolate)) {
        // SAFETY: this isolate's own profiler, on its thread.
        unsafe { clear(profiler) };
    }
}

/// A `v8::ActivityControl`: a vtable pointer, and behind it what is ours.
#[repr(C)]
struct ActivityControl<'a> {
    vtable: *const ActivityControlFunctions,
    on_progress: &'a mut dyn FnMut(u32, u32) -> bool,
    stopped: bool,
}

/// The virtual functions of `v8::ActivityControl`.
#[repr(C)]
struct ActivityControlFunctions {
    destroy: unsafe extern "C" fn(*mut c_void),
    destroy_and_free: unsafe extern "C" fn(*mut c_void),
    report_progress: unsafe extern "C" fn(*mut c_void, u32, u32) -> c_int,
}

static ACTIVITY_CONTROL: Vtable<ActivityControlFunctions> =
    Vtable::new(ActivityControlFunctions { destroy: nothing, destroy_and_free: nothing, report_progress });

unsafe extern "C" fn report_progress(control: *mut c_void, done: u32, total: u32) -> c_int {
    // SAFETY: V8 passes back the control that `take` gave it, from within that call.
    let control = unsafe { &mut *control.cast::<ActivityControl<'_>>() };
    // A panic must not unwind into V8.
    let goes_on = catch_unwind(AssertUnwindSafe(|| (control.on_progress)(done, total))).unwrap_or(false);
    control.stopped |= !goes_on;
    if goes_on { CONTINUE } else { ABORT }
}

/// A `v8::OutputStream`: a vtable pointer, and behind it what is ours.
#[repr(C)]
struct OutputStream<'a> {
    vtable: *const OutputStreamFunctions,
    sink: &'a mut dyn Write,
    error: Option<io::Error>,
}

/// The virtual functions of `v8::OutputStream`.
#[repr(C)]
struct OutputStreamFunctions {
    destroy: unsafe extern "C" fn(*mut c_void),
    destroy_and_free: unsafe extern "C" fn(*mut c_void),
    end_of_stream: unsafe extern "C" fn(*mut c_void),
    chunk_size: unsafe extern "C" fn(*mut c_void) -> c_int,
    write_ascii_chunk: unsafe extern "C" fn(*mut c_void, *const u8, c_int) -> c_int,
    write_heap_stats_chunk: unsafe extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int,
}

static OUTPUT_STREAM: Vtable<OutputStreamFunctions> = Vtable::new(OutputStreamFunctions {
    destroy: nothing,
    destroy_and_free: nothing,
    end_of_stream: nothing,
    chunk_size,
    write_ascii_chunk,
    write_heap_stats_chunk: no_heap_stats,
});

unsafe extern "C" fn chunk_size(_: *mut c_void) -> c_int {
    CHUNK_SIZE
}

unsafe extern "C" fn no_heap_stats(_: *mut c_void, _: *const c_void, _: c_int) -> c_int {
    ABORT
}

unsafe extern "C" fn write_ascii_chunk(stream: *mut c_void, data: *const u8, size: c_int) -> c_int {
    // SAFETY: V8 passes back the stream that `serialize` gave it, from within that call.
    let stream = unsafe { &mut *stream.cast::<OutputStream<'_>>() };
    // SAFETY: V8 says that `size` bytes stand at `data`.
    let chunk = unsafe { std::slice::from_raw_parts(data, usize::try_from(size).unwrap_or(0)) };
    // A panic must not unwind into V8.
    let written = catch_unwind(AssertUnwindSafe(|| stream.sink.write_all(chunk)))
        .unwrap_or_else(|_| Err(io::Error::other("the sink panicked")));
    match written {
        Ok(()) => CONTINUE,
        Err(error) => {
            stream.error = Some(error);
            ABORT
        }
    }
}
