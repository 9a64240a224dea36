use std::ffi::CStr;

use thiserror::Error;

use super::symbols::SYMBOLS;

/// V8 versions (major, minor) whose layouts were checked against their headers: Node 20, 22, 24 and 26.
const TESTED_VERSIONS: [(u32, u32); 4] = [(11, 3), (12, 4), (13, 6), (14, 6)];

/// What leakguard asks of V8 natively; each can fall back to JavaScript on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Heap and space statistics.
    Statistics,
    /// Callbacks at the start and the end of each garbage collection.
    GcEvents,
    /// Asking V8 to start incremental marking.
    MemoryPressure,
    /// The sampling heap profiler.
    Sampling,
    /// Writing a heap snapshot.
    Snapshot,
    /// Running code on the isolate's thread while JavaScript spins.
    Interrupt,
    /// Parking V8's workers, which lets a forked child take the snapshot.
    Fork,
    /// Being called when the heap is near its limit.
    NearHeapLimit,
}

impl Feature {
    /// Every feature, in the order `status()` shows them.
    pub const ALL: [Self; 8] = [
        Self::Statistics,
        Self::GcEvents,
        Self::MemoryPressure,
        Self::Sampling,
        Self::Snapshot,
        Self::Interrupt,
        Self::Fork,
        Self::NearHeapLimit,
    ];

    /// The name used in `status()`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Statistics => "statistics",
            Self::GcEvents => "gcEvents",
            Self::MemoryPressure => "memoryPressure",
            Self::Sampling => "sampling",
            Self::Snapshot => "snapshot",
            Self::Interrupt => "interrupt",
            Self::Fork => "fork",
            Self::NearHeapLimit => "nearHeapLimit",
        }
    }

    fn is_exported(self) -> bool {
        let s = &*SYMBOLS;
        let profiler = s.heap_profiler.is_some();
        s.try_current.is_some()
            && match self {
                Self::Statistics => {
                    s.heap_statistics.is_some()
                        && s.number_of_heap_spaces.is_some()
                        && s.heap_space_statistics.is_some()
                }
                Self::GcEvents => {
                    Self::Statistics.is_exported()
                        && s.add_gc_prologue.is_some()
                        && s.add_gc_epilogue.is_some()
                        && s.remove_gc_prologue.is_some()
                        && s.remove_gc_epilogue.is_some()
                }
                Self::MemoryPressure => s.heap_statistics.is_some() && s.adjust_external_memory.is_some(),
                Self::Sampling => {
                    profiler
                        && s.start_sampling.is_some()
                        && s.stop_sampling.is_some()
                        && s.allocation_profile.is_some()
                }
                Self::Snapshot => {
                    profiler
                        && s.take_snapshot.is_some()
                        && s.serialize_snapshot.is_some()
                        && s.snapshot_nodes.is_some()
                        && s.delete_snapshot.is_some()
                        && s.clear_object_ids.is_some()
                }
                Self::Interrupt => s.request_interrupt.is_some(),
                Self::NearHeapLimit => s.add_near_heap_limit.is_some() && s.remove_near_heap_limit.is_some(),
                Self::Fork => {
                    Self::Snapshot.is_exported()
                        && Self::Interrupt.is_exported()
                        && s.current_context.is_some()
                        && s.node_environment.is_some()
                        && s.node_platform.is_some()
                        && s.worker_threads.is_some()
                        && s.lock_region.is_some()
                        && s.unlock_region.is_some()
                        && (s.call_on_worker_thread.is_some() || s.post_on_worker_thread.is_some())
                }
            }
    }
}

/// Why a feature is not used natively.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No V8 in this process, or one that hides its version.
    #[error("this process exports no V8 version")]
    NoVersion,
    /// A V8 whose layouts nobody has checked.
    #[error("V8 {0} is not among the tested versions (those of Node 20, 22, 24 and 26)")]
    UntestedVersion(String),
    /// At least one function is missing.
    #[error("V8 {0} does not export what {1} needs")]
    NotExported(String, &'static str),
}

/// The running V8's version, for example `11.3.244.8-node.33`.
pub fn version() -> Option<String> {
    let version = SYMBOLS.version?;
    // SAFETY: `V8::GetVersion` takes nothing and needs no initialised V8.
    let text = unsafe { version() };
    // SAFETY: it returns a static NUL-terminated string.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// Why `feature` must not be used natively here, or `None` where symbols and version allow it.
///
/// A missing symbol is harmless; a silently changed layout is not, which is why only tested versions pass.
pub fn refusal(feature: Feature) -> Option<Refusal> {
    let Some(version) = version() else {
        return Some(Refusal::NoVersion);
    };
    if !is_tested(&version) {
        return Some(Refusal::UntestedVersion(version));
    }
    (!feature.is_exported()).then(|| Refusal::NotExported(version, feature.name()))
}

fn is_tested(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => TESTED_VERSIONS.contains(&(major, minor)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tested_versions_pass() {
        for (version, tested) in [
            ("11.3.244.8-node.33", true),
            ("14.6.202.34-node.21", true),
            ("14.1.146.11-node.19", false),
            ("15.0.1", false),
            ("11", false),
            ("", false),
            ("x.y", false),
        ] {
            assert_eq!(is_tested(version), tested, "{version}");
        }
    }

    #[test]
    fn outside_of_node_every_feature_is_refused() {
        for feature in Feature::ALL {
            assert_eq!(refusal(feature), Some(Refusal::NoVersion));
        }
    }
}
