//! V8's sampling heap profiler and the layout of what it returns (include/v8-profiler.h, `AllocationProfile`).

use std::{ffi::c_int, ffi::c_void, marker::PhantomData};

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::{
    Isolate,
    feature::version,
    symbols::{HeapProfilerPtr, SYMBOLS},
};
use crate::{
    allocation::{Frame, Profile, ProfileNode, Sample},
    measure::Bytes,
};

/// `v8::HeapProfiler::SamplingFlags`: live objects only, no forced GC.
const NO_FLAGS: c_int = 0;
/// What V8 calls the root of its call tree.
const ROOT_NAME: &str = "(root)";

/// Why the profiler could not do as asked. All of these are ordinary cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SamplingError {
    /// V8 runs one sampling heap profiler per isolate, and someone else has started it.
    #[error("another sampling heap profiler already runs in this isolate")]
    Busy,
    /// No profiler runs: someone else has stopped it, for example an inspector session.
    #[error("the sampling heap profiler was stopped from outside")]
    Stopped,
    /// What V8 returned does not look as it does on the tested versions.
    #[error("the profile does not have the expected layout")]
    Layout,
    /// A function of V8's is missing.
    #[error("this V8 offers no sampling heap profiler")]
    Unavailable,
}

/// A `v8::Local<v8::String>` within a profile; its bits are those of a `napi_value` in the same handle scope.
#[derive(Clone, Copy, Debug)]
pub struct LocalString<'a> {
    bits: *mut c_void,
    scope: PhantomData<&'a ()>,
}

impl LocalString<'_> {
    /// The bits, to be read through Node-API before the handle scope ends.
    pub const fn bits(self) -> *mut c_void {
        self.bits
    }
}

/// The running profiler. Dropping it stops the profiler, unless it belongs to someone else.
#[derive(Debug)]
pub struct SamplingProfiler {
    isolate: Isolate,
    /// Ours; none where someone else started the profiler.
    interval: Option<Bytes>,
}

impl SamplingProfiler {
    /// Starts V8's profiler: one sample every `interval` on average, stacks of at most `stack_depth` frames.
    pub fn start(isolate: Isolate, interval: Bytes, stack_depth: u32) -> Result<Self, SamplingError> {
        let start = SYMBOLS.start_sampling.ok_or(SamplingError::Unavailable)?;
        let profiler = heap_profiler(isolate)?;
        let depth = c_int::try_from(stack_depth).unwrap_or(c_int::MAX);
        // SAFETY: this isolate's own profiler, on its thread.
        let started = unsafe { start(profiler, interval.get(), depth, NO_FLAGS) };
        if started { Ok(Self { isolate, interval: Some(interval) }) } else { Err(SamplingError::Busy) }
    }

    /// Reads along with a profiler that someone else started; it is never stopped by us.
    pub const fn adopt(isolate: Isolate) -> Self {
        Self { isolate, interval: None }
    }

    /// Someone else has stopped ours and started theirs: reads along from now on.
    pub const fn disown(&mut self) {
        self.interval = None;
    }

    /// Whether we started it.
    pub const fn is_owned(&self) -> bool {
        self.interval.is_some()
    }

    /// The live samples now. `read` turns V8's strings into ours; the caller's handle scope must be open.
    pub fn profile(
        &mut self,
        mut read: impl FnMut(LocalString<'_>) -> String,
    ) -> Result<Profile, SamplingError> {
        let get = SYMBOLS.allocation_profile.ok_or(SamplingError::Unavailable)?;
        let profiler = heap_profiler(self.isolate)?;
        // SAFETY: this isolate's own profiler, on its thread, within a handle scope (the caller's duty, which
        // every Node-API callback fulfils).
        let raw = unsafe { get(profiler) };
        if raw.is_null() {
            // Whoever runs the next one, it is not ours.
            self.interval = None;
            return Err(SamplingError::Stopped);
        }
        let raw = RawProfile(raw.cast());
        let nodes = raw.nodes(&mut read)?;
        if nodes.first().is_none_or(|root| root.frame.function_name != ROOT_NAME) {
            return Err(SamplingError::Layout);
        }
        Ok(Profile { nodes, samples: raw.samples(self.interval)? })
    }
}

impl Drop for SamplingProfiler {
    fn drop(&mut self) {
        if let (true, Some(stop), Ok(profiler)) =
            (self.is_owned(), SYMBOLS.stop_sampling, heap_profiler(self.isolate))
        {
            // SAFETY: this isolate's own profiler, on its thread; stopping one that is stopped does nothing.
            unsafe { stop(profiler) };
        }
    }
}

/// The isolate's heap profiler, which V8 makes with the isolate.
pub(super) fn heap_profiler(isolate: Isolate) -> Result<HeapProfilerPtr, SamplingError> {
    let get = SYMBOLS.heap_profiler.ok_or(SamplingError::Unavailable)?;
    // SAFETY: `isolate` is the isolate of this thread.
    let profiler = unsafe { get(isolate.as_ptr()) };
    if profiler.is_null() { Err(SamplingError::Unavailable) } else { Ok(profiler) }
}

/// A `v8::AllocationProfile`; its virtual functions in order.
#[repr(C)]
struct ProfileVtable {
    root: unsafe extern "C" fn(*mut ProfileObject) -> *const RawNode,
    samples: unsafe extern "C" fn(*mut ProfileObject) -> *const RawVector,
    destroy: unsafe extern "C" fn(*mut ProfileObject),
    destroy_and_free: unsafe extern "C" fn(*mut ProfileObject),
}

#[repr(C)]
struct ProfileObject {
    vtable: *const ProfileVtable,
}

/// A `std::vector`: begin, end, end of capacity.
#[repr(C)]
struct RawVector {
    begin: *const u8,
    end: *const u8,
    capacity: *const u8,
}

/// A `v8::AllocationProfile::Node`.
#[repr(C)]
struct RawNode {
    name: *mut c_void,
    script_name: *mut c_void,
    script_id: i32,
    start_position: i32,
    line: i32,
    column: i32,
    id: u32,
    children: RawVector,
    allocations: RawVector,
}

const _: () = assert!(size_of::<RawNode>() == 88);

/// A `v8::AllocationProfile::Sample` up to what we read; Node 26 appends a flag.
#[repr(C)]
struct RawSample {
    node_id: u32,
    size: usize,
    count: u32,
    ordinal: u64,
}

const _: () = assert!(size_of::<RawSample>() == 32);

impl RawVector {
    /// How many elements of `stride` bytes there are.
    fn len(&self, stride: usize) -> Result<usize, SamplingError> {
        let bytes = (self.end as usize).checked_sub(self.begin as usize).ok_or(SamplingError::Layout)?;
        if !bytes.is_multiple_of(stride) || (self.capacity as usize) < self.end as usize {
            return Err(SamplingError::Layout);
        }
        Ok(bytes / stride)
    }
}

/// Frees the profile on drop.
struct RawProfile(*mut ProfileObject);

impl RawProfile {
    fn vtable(&self) -> &ProfileVtable {
        // SAFETY: `GetAllocationProfile` returned this object, which starts with its vtable pointer.
        let vtable = unsafe { (*self.0).vtable };
        // SAFETY: vtables live as long as the code they belong to.
        unsafe { &*vtable }
    }

    /// The call tree, callers first.
    fn nodes(
        &self,
        read: &mut impl FnMut(LocalString<'_>) -> String,
    ) -> Result<Vec<ProfileNode>, SamplingError> {
        // SAFETY: a virtual function of this very object.
        let root = unsafe { (self.vtable().root)(self.0) };
        let mut scripts: FxHashMap<i32, String> = FxHashMap::default();
        let mut nodes = Vec::new();
        let mut open = vec![(root, None)];
        while let Some((pointer, caller)) = open.pop() {
            // SAFETY: nodes belong to the profile and live as long as it does.
            let raw = unsafe { pointer.as_ref() }.ok_or(SamplingError::Layout)?;
            if raw.name.is_null() || raw.script_name.is_null() {
                return Err(SamplingError::Layout);
            }
            let mut text = |bits| read(LocalString { bits, scope: PhantomData });
            let script_name = match raw.script_id {
                0 => text(raw.script_name),
                id => scripts.entry(id).or_insert_with(|| text(raw.script_name)).clone(),
            };
            nodes.push(ProfileNode {
                id: raw.id,
                caller,
                frame: Frame {
                    function_name: text(raw.name),
                    script_name,
                    script_id: raw.script_id,
                    line: u32::try_from(raw.line).unwrap_or(0),
                    column: u32::try_from(raw.column).unwrap_or(0),
                },
            });
            let index = nodes.len() - 1;
            for child in 0..raw.children.len(size_of::<*const RawNode>())? {
                // SAFETY: `child` is below the vector's length.
                let slot = unsafe { raw.children.begin.cast::<*const RawNode>().add(child) };
                // SAFETY: an initialised element of the vector.
                open.push((unsafe { *slot }, Some(index)));
            }
        }
        Ok(nodes)
    }

    fn samples(&self, interval: Option<Bytes>) -> Result<Vec<Sample>, SamplingError> {
        // SAFETY: a virtual function of this very object; it returns a reference, hence never null.
        let vector = unsafe { (self.vtable().samples)(self.0) };
        // SAFETY: the vector belongs to the profile.
        let vector = unsafe { vector.as_ref() }.ok_or(SamplingError::Layout)?;
        let stride = sample_stride();
        (0..vector.len(stride)?)
            .map(|index| {
                // SAFETY: `index` is below the vector's length.
                let slot = unsafe { vector.begin.add(index * stride) };
                // SAFETY: an initialised element, aligned as the vector is, at least as large as `RawSample`.
                let raw = unsafe { &*slot.cast::<RawSample>() };
                Ok(Sample {
                    node_id: raw.node_id,
                    ordinal: raw.ordinal,
                    live_bytes: live_bytes(raw, interval),
                    count: raw.count,
                })
            })
            .collect()
    }
}

impl Drop for RawProfile {
    fn drop(&mut self) {
        let vtable = self.vtable();
        debug_assert!(vtable.destroy as usize != vtable.destroy_and_free as usize);
        // SAFETY: V8 gives the profile away; its deleting destructor frees it, once.
        unsafe { (vtable.destroy_and_free)(self.0) };
    }
}

/// The bytes that a sample stands for. An object of a size is sampled with the probability 1 - e^(-size/interval); V8 divides by
/// it too, but rounds to whole objects, which is off by up to a third for objects about as large as the interval.
fn live_bytes(sample: &RawSample, interval: Option<Bytes>) -> Bytes {
    let size = sample.size as f64;
    Bytes::from_bytes(match interval {
        Some(interval) => (size / -(-size / interval.as_f64()).exp_m1()).round() as u64,
        None => sample.size as u64 * u64::from(sample.count),
    })
}

/// Bytes from one sample to the next: 40 from V8 14.6 (Node 26) on, 32 before.
fn sample_stride() -> usize {
    let is_old = version().is_some_and(|v| ["11.", "12.", "13."].iter().any(|old| v.starts_with(old)));
    if is_old { 32 } else { 40 }
}
