use super::Bytes;

/// What V8 says of an isolate's heap (`v8::HeapStatistics`), as far as leakguard uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapStatistics {
    /// Committed for the heap.
    pub total: Bytes,
    /// Live and not yet collected objects.
    pub used: Bytes,
    /// Where V8 gives up with "heap out of memory".
    pub heap_size_limit: Bytes,
    /// V8's own `malloc` use.
    pub malloced: Bytes,
    /// Memory outside of the heap that its objects keep alive, such as the contents of Buffers.
    pub external: Bytes,
    /// Contexts alive, among them one per `vm.createContext()`.
    pub native_contexts: u64,
    /// Contexts that were detached but are still kept alive.
    pub detached_contexts: u64,
}

/// What V8 says of one space of the heap (`v8::HeapSpaceStatistics`), as far as leakguard uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapSpace {
    /// V8's name, such as `old_space`.
    pub name: String,
    /// Committed for the space.
    pub size: Bytes,
    /// Used in the space.
    pub used: Bytes,
}
