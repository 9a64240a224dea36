//! Any bytes at all are read as a snapshot or refused, and what was read can be summed up compared with itself, and redacted.

#![no_main]

use leakguard::snapshot::{Difference, Heap, ReadOptions, RedactOptions, Summary, Unit, Work, read, redact, unpack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = redact(bytes, std::io::sink(), &RedactOptions { salt: [7; 32], keys: true }, &());
    for partial in [false, true] {
        let Ok((reader, _)) = unpack(bytes) else { return };
        let options = ReadOptions { size: Some(bytes.len() as u64), partial };
        if let Ok(graph) = read(reader, options, &())
            && let Ok(heap) = Heap::new(graph, &())
        {
            let _ = Summary::new(&heap, 10);
            let other = Heap::new(heap.graph().clone(), &());
            let heaps: Vec<Heap> = std::iter::once(heap).chain(other).collect();
            let done = (0..heaps.len()).map(|number| number as f64).collect();
            let _ = Difference::new(&heaps, &Work { unit: Unit::Snapshots, done });
        }
    }
});
