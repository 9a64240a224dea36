use std::ffi::{c_char, c_int, c_void};

use once_cell::sync::Lazy;

/// A `v8::Isolate*`.
pub(super) type IsolatePtr = *mut c_void;
/// A `v8::HeapProfiler*`.
pub(super) type HeapProfilerPtr = *mut c_void;
/// A `const v8::HeapSnapshot*`.
pub(super) type HeapSnapshotPtr = *const c_void;
/// `v8::Isolate::GCCallbackWithData`: isolate, `GCType`, `GCCallbackFlags`, data.
pub(super) type GcCallback = unsafe extern "C" fn(IsolatePtr, c_int, c_int, *mut c_void);
/// `v8::InterruptCallback`: isolate, data.
pub(super) type InterruptCallback = unsafe extern "C" fn(IsolatePtr, *mut c_void);

type AddGcCallback = unsafe extern "C" fn(IsolatePtr, GcCallback, *mut c_void, c_int);
/// `v8::NearHeapLimitCallback`: data, the limit, the limit in the beginning -> the new limit.
pub(super) type NearHeapLimitCallback = unsafe extern "C" fn(*mut c_void, usize, usize) -> usize;
type AddNearHeapLimit = unsafe extern "C" fn(IsolatePtr, NearHeapLimitCallback, *mut c_void);
type RemoveNearHeapLimit = unsafe extern "C" fn(IsolatePtr, NearHeapLimitCallback, usize);
/// Platform, task (Node 20).
type CallOnWorkerThread = unsafe extern "C" fn(*mut c_void, *mut *mut c_void);
/// Platform, priority, task, source location (Node 22 and later).
type PostOnWorkerThread = unsafe extern "C" fn(*mut c_void, u8, *mut *mut c_void, *const c_void);
type RemoveGcCallback = unsafe extern "C" fn(IsolatePtr, GcCallback, *mut c_void);

macro_rules! symbols {
    ($($field:ident: $signature:ty = $name:literal;)*) => {
        /// V8's functions by their mangled names; `None` where this Node does not export one.
        pub(super) struct Symbols {
            $(pub(super) $field: Option<$signature>,)*
        }

        impl Symbols {
            fn resolve() -> Self {
                Self {
                    $($field: {
                        let address = lookup(concat!($name, "\0"));
                        // SAFETY: a null pointer becomes `None`; any other is the function of this exact mangled
                        // name, and the mangled name fixes the parameter types that the signature repeats.
                        unsafe { std::mem::transmute::<*mut c_void, Option<$signature>>(address) }
                    },)*
                }
            }
        }
    };
}

symbols! {
    version: unsafe extern "C" fn() -> *const c_char = "_ZN2v82V810GetVersionEv";
    try_current: unsafe extern "C" fn() -> IsolatePtr = "_ZN2v87Isolate13TryGetCurrentEv";
    heap_statistics: unsafe extern "C" fn(IsolatePtr, *mut c_void) =
        "_ZN2v87Isolate17GetHeapStatisticsEPNS_14HeapStatisticsE";
    number_of_heap_spaces: unsafe extern "C" fn(IsolatePtr) -> usize = "_ZN2v87Isolate18NumberOfHeapSpacesEv";
    heap_space_statistics: unsafe extern "C" fn(IsolatePtr, *mut c_void, usize) -> bool =
        "_ZN2v87Isolate22GetHeapSpaceStatisticsEPNS_19HeapSpaceStatisticsEm";
    add_gc_prologue: AddGcCallback =
        "_ZN2v87Isolate21AddGCPrologueCallbackEPFvPS0_NS_6GCTypeENS_15GCCallbackFlagsEPvES4_S2_";
    add_gc_epilogue: AddGcCallback =
        "_ZN2v87Isolate21AddGCEpilogueCallbackEPFvPS0_NS_6GCTypeENS_15GCCallbackFlagsEPvES4_S2_";
    remove_gc_prologue: RemoveGcCallback =
        "_ZN2v87Isolate24RemoveGCPrologueCallbackEPFvPS0_NS_6GCTypeENS_15GCCallbackFlagsEPvES4_";
    remove_gc_epilogue: RemoveGcCallback =
        "_ZN2v87Isolate24RemoveGCEpilogueCallbackEPFvPS0_NS_6GCTypeENS_15GCCallbackFlagsEPvES4_";
    adjust_external_memory: unsafe extern "C" fn(IsolatePtr, i64) -> i64 =
        "_ZN2v87Isolate37AdjustAmountOfExternalAllocatedMemoryEl";
    request_interrupt: unsafe extern "C" fn(IsolatePtr, InterruptCallback, *mut c_void) =
        "_ZN2v87Isolate16RequestInterruptEPFvPS0_PvES2_";
    heap_profiler: unsafe extern "C" fn(IsolatePtr) -> HeapProfilerPtr = "_ZN2v87Isolate15GetHeapProfilerEv";
    start_sampling: unsafe extern "C" fn(HeapProfilerPtr, u64, c_int, c_int) -> bool =
        "_ZN2v812HeapProfiler25StartSamplingHeapProfilerEmiNS0_13SamplingFlagsE";
    stop_sampling: unsafe extern "C" fn(HeapProfilerPtr) = "_ZN2v812HeapProfiler24StopSamplingHeapProfilerEv";
    allocation_profile: unsafe extern "C" fn(HeapProfilerPtr) -> *mut c_void =
        "_ZN2v812HeapProfiler20GetAllocationProfileEv";
    take_snapshot: unsafe extern "C" fn(HeapProfilerPtr, *const c_void) -> HeapSnapshotPtr =
        "_ZN2v812HeapProfiler16TakeHeapSnapshotERKNS0_19HeapSnapshotOptionsE";
    serialize_snapshot: unsafe extern "C" fn(HeapSnapshotPtr, *mut c_void, c_int) =
        "_ZNK2v812HeapSnapshot9SerializeEPNS_12OutputStreamENS0_19SerializationFormatE";
    snapshot_nodes: unsafe extern "C" fn(HeapSnapshotPtr) -> c_int = "_ZNK2v812HeapSnapshot13GetNodesCountEv";
    delete_snapshot: unsafe extern "C" fn(HeapSnapshotPtr) = "_ZN2v812HeapSnapshot6DeleteEv";
    clear_object_ids: unsafe extern "C" fn(HeapProfilerPtr) = "_ZN2v812HeapProfiler14ClearObjectIdsEv";
    add_near_heap_limit: AddNearHeapLimit = "_ZN2v87Isolate24AddNearHeapLimitCallbackEPFmPvmmES1_";
    remove_near_heap_limit: RemoveNearHeapLimit = "_ZN2v87Isolate27RemoveNearHeapLimitCallbackEPFmPvmmEm";
    current_context: unsafe extern "C" fn(IsolatePtr) -> *mut c_void = "_ZN2v87Isolate17GetCurrentContextEv";
    node_environment: unsafe extern "C" fn(*mut c_void) -> *mut c_void =
        "_ZN4node21GetCurrentEnvironmentEN2v85LocalINS0_7ContextEEE";
    node_platform: unsafe extern "C" fn(*mut c_void) -> *mut c_void =
        "_ZN4node23GetMultiIsolatePlatformEPNS_11EnvironmentE";
    worker_threads: unsafe extern "C" fn(*mut c_void) -> c_int = "_ZN4node12NodePlatform21NumberOfWorkerThreadsEv";
    call_on_worker_thread: CallOnWorkerThread =
        "_ZN4node12NodePlatform18CallOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EE";
    post_on_worker_thread: PostOnWorkerThread =
        "_ZN4node12NodePlatform26PostTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14default_deleteIS4_EERKNS1_14SourceLocationE";
    lock_region: unsafe extern "C" fn(*mut c_void) = "_ZN5cppgc8internal20PersistentRegionLockC1Ev";
    unlock_region: unsafe extern "C" fn(*mut c_void) = "_ZN5cppgc8internal20PersistentRegionLockD1Ev";
}

/// Resolved once, at first use.
pub(super) static SYMBOLS: Lazy<Symbols> = Lazy::new(Symbols::resolve);

/// The address of a symbol; `name` ends with a NUL.
fn lookup(name: &'static str) -> *mut c_void {
    debug_assert!(name.ends_with('\0'));
    // SAFETY: the name is NUL-terminated (every caller appends one) and dlsym only reads it.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_node_nothing_is_found_and_nothing_breaks() {
        assert!(SYMBOLS.version.is_none());
        assert!(SYMBOLS.take_snapshot.is_none());
    }
}
