//! Taking and serializing a heap snapshot in this process (include/v8-profiler.h, `HeapSnapshot`).

use std::{
    ffi::{c_int, c_void},
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use thiserror::Error;

use super::{Isolate, sampling::heap_profiler, symbols::SYMBOLS};

/// `OutputStream::WriteResult`.
const CONTINUE: c_int = 0;
const ABORT: c_int = 1;
/// What `GetChunkSize` answers: V8 hands over this many bytes at a time.
const CHUNK_SIZE: c_int = 1 << 18;
/// `HeapSnapshot::kJSON`.
const JSON: c_int = 0;

/// Why no snapshot came of it.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A function of V8's is missing, or V8 returned nothing.
    #[error("V8 took no snapshot")]
    Unavailable,
    /// The sink refused a chunk; the rest was not written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Takes a snapshot of the isolate and streams it into `sink`. Blocks the isolate's thread: 2 to 4 s per million
/// objects. Afterwards V8 forgets the snapshot and the ids of its objects, without which every later
/// allocation would be tracked and allocation-heavy code would stay several times slower.
///
/// Returns the number of nodes. Fit for interrupts: runs no JavaScript.
pub fn write_snapshot(isolate: Isolate, sink: &mut dyn Write) -> Result<u64, SnapshotError> {
    let s = &*SYMBOLS;
    let (Some(take), Some(serialize), Some(count), Some(delete), Some(clear_ids)) =
        (s.take_snapshot, s.serialize_snapshot, s.snapshot_nodes, s.delete_snapshot, s.clear_object_ids)
    else {
        return Err(SnapshotError::Unavailable);
    };
    let profiler = heap_profiler(isolate).map_err(|_| SnapshotError::Unavailable)?;
    // `HeapSnapshotOptions` is 24 or 32 bytes of pointers and enums whose zeros are the defaults.
    let options = [0_u64; 8];
    // SAFETY: this isolate's own profiler, on its thread; V8 reads the options only during the call.
    let snapshot = unsafe { take(profiler, options.as_ptr().cast()) };
    if snapshot.is_null() {
        return Err(SnapshotError::Unavailable);
    }
    let mut stream = OutputStream { vtable: &raw const VTABLE.functions, sink, error: None };
    // SAFETY: the snapshot is alive; the stream has the vtable V8 expects and outlives the call.
    unsafe { serialize(snapshot, (&raw mut stream).cast(), JSON) };
    // SAFETY: the snapshot is alive.
    let nodes = unsafe { count(snapshot) };
    // SAFETY: the last use of the snapshot.
    unsafe { delete(snapshot) };
    // SAFETY: this isolate's own profiler, on its thread.
    unsafe { clear_ids(profiler) };
    match stream.error {
        Some(error) => Err(error.into()),
        None => Ok(u64::try_from(nodes).unwrap_or(0)),
    }
}

/// A `v8::OutputStream`: a vtable pointer, and behind it what is ours.
#[repr(C)]
struct OutputStream<'a> {
    vtable: *const StreamFunctions,
    sink: &'a mut dyn Write,
    error: Option<io::Error>,
}

/// The virtual functions of `v8::OutputStream` in the Itanium C++ ABI; a destructor takes two slots.
#[repr(C)]
struct StreamFunctions {
    destroy: unsafe extern "C" fn(*mut c_void),
    destroy_and_free: unsafe extern "C" fn(*mut c_void),
    end_of_stream: unsafe extern "C" fn(*mut c_void),
    chunk_size: unsafe extern "C" fn(*mut c_void) -> c_int,
    write_ascii_chunk: unsafe extern "C" fn(*mut c_void, *const u8, c_int) -> c_int,
    write_heap_stats_chunk: unsafe extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int,
}

/// A whole vtable: the functions stand behind the offset to the top and the type information.
#[repr(C)]
struct Vtable {
    offset_to_top: isize,
    type_info: usize,
    functions: StreamFunctions,
}

static VTABLE: Vtable = Vtable {
    offset_to_top: 0,
    type_info: 0,
    functions: StreamFunctions {
        destroy: nothing,
        destroy_and_free: nothing,
        end_of_stream: nothing,
        chunk_size,
        write_ascii_chunk,
        write_heap_stats_chunk: no_heap_stats,
    },
};

unsafe extern "C" fn nothing(_: *mut c_void) {}

unsafe extern "C" fn chunk_size(_: *mut c_void) -> c_int {
    CHUNK_SIZE
}

unsafe extern "C" fn no_heap_stats(_: *mut c_void, _: *const c_void, _: c_int) -> c_int {
    ABORT
}

unsafe extern "C" fn write_ascii_chunk(stream: *mut c_void, data: *const u8, size: c_int) -> c_int {
    // SAFETY: V8 passes back the stream that `write_snapshot` gave it, from within that call.
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
