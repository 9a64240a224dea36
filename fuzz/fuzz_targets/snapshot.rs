//! Any bytes at all are read as a snapshot or refused, and what was read can be summed up.

#![no_main]

use leakguard::snapshot::{Heap, ReadOptions, Summary, read, unpack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for partial in [false, true] {
        let Ok((reader, _)) = unpack(bytes) else { return };
        let options = ReadOptions { size: Some(bytes.len() as u64), partial };
        if let Ok(graph) = read(reader, options, &())
            && let Ok(heap) = Heap::new(graph, &())
        {
            let _ = Summary::new(&heap, 10);
        }
    }
});
