//! Layouts of `v8::HeapStatistics` and `v8::HeapSpaceStatistics` (include/v8-statistics.h): plain `size_t`
//! fields whose accessors are inline, so that their offsets are the only native way in.

use std::ffi::{CStr, c_char, c_void};

use super::{Isolate, symbols::SYMBOLS};
use crate::measure::{Bytes, HeapSpace, HeapStatistics};

/// The structure has 14 words up to Node 24 and 15 on Node 26; the rest is room for what may come.
type RawHeapStatistics = [u64; 32];

/// name, size, used, available, physical, and room.
#[repr(C)]
struct RawHeapSpace {
    name: *const c_char,
    size: u64,
    used: u64,
    available: u64,
    physical: u64,
    room: [u64; 11],
}

impl Isolate {
    /// The isolate's heap statistics now. Neither allocates nor runs JavaScript: fit for GC callbacks.
    pub fn statistics(self) -> Option<HeapStatistics> {
        let read = SYMBOLS.heap_statistics?;
        let mut raw: RawHeapStatistics = [0; 32];
        // SAFETY: `self` is the isolate of this thread, and the zeroed buffer is larger than the structure of
        // every tested version, whose constructor only writes zeros.
        unsafe { read(self.as_ptr(), raw.as_mut_ptr().cast::<c_void>()) };
        Some(HeapStatistics {
            total: Bytes::from_bytes(raw[0]),
            used: Bytes::from_bytes(raw[4]),
            heap_size_limit: Bytes::from_bytes(raw[5]),
            malloced: Bytes::from_bytes(raw[6]),
            external: Bytes::from_bytes(raw[7]),
            native_contexts: raw[10],
            detached_contexts: raw[11],
        })
    }

    /// How many heap spaces there are.
    pub fn space_count(self) -> usize {
        // SAFETY: `self` is the isolate of this thread.
        SYMBOLS.number_of_heap_spaces.map_or(0, |count| unsafe { count(self.as_ptr()) })
    }

    /// One heap space by its index. Neither allocates (but for the name) nor runs JavaScript.
    pub fn space(self, index: usize) -> Option<HeapSpace> {
        let raw = self.raw_space(index)?;
        // SAFETY: V8 gives static NUL-terminated names.
        let name = unsafe { CStr::from_ptr(raw.name) };
        Some(HeapSpace {
            name: name.to_string_lossy().into_owned(),
            size: Bytes::from_bytes(raw.size),
            used: Bytes::from_bytes(raw.used),
        })
    }

    /// What is in use outside of the spaces for large objects, and in them.
    pub fn small_and_large(self) -> (Bytes, Bytes) {
        let spaces = (0..self.space_count()).filter_map(|index| self.space(index));
        spaces.fold((Bytes::ZERO, Bytes::ZERO), |(mut small, mut large), space| {
            *(if space.name.contains("large_object") { &mut large } else { &mut small }) += space.used;
            (small, large)
        })
    }

    /// The committed and the used bytes of one heap space. Allocates nothing: fit for GC callbacks.
    pub fn space_sizes(self, index: usize) -> Option<(Bytes, Bytes)> {
        self.raw_space(index).map(|raw| (Bytes::from_bytes(raw.size), Bytes::from_bytes(raw.used)))
    }

    fn raw_space(self, index: usize) -> Option<RawHeapSpace> {
        let read = SYMBOLS.heap_space_statistics?;
        let mut raw = RawHeapSpace {
            name: std::ptr::null(),
            size: 0,
            used: 0,
            available: 0,
            physical: 0,
            room: [0; 11],
        };
        // SAFETY: `self` is the isolate of this thread; the buffer is larger than the structure (40 bytes on all
        // tested versions); an index out of range makes V8 return false.
        let found = unsafe { read(self.as_ptr(), (&raw mut raw).cast::<c_void>(), index) };
        (found && !raw.name.is_null()).then_some(raw)
    }
}
