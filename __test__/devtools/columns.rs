//! `columns FILE`: what leakguard works out of a heap snapshot, for a comparison with another engine. Writes to standard output, little
//! endian: the number of nodes (u32), then for each node its dominator (u32), shallow size (u64), retained size (u64) and distance (u32),
//! column by column; then the classes as JSON.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use leakguard::snapshot::{Heap, ReadOptions, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: columns FILE")?;
    let file = File::open(file)?;
    let size = file.metadata()?.len();
    let graph = read(file, ReadOptions { size: Some(size), partial: false }, &())?;
    let heap = Heap::new(graph, &()).map_err(|_| "cancelled")?;
    let mut out = BufWriter::new(io::stdout().lock());
    let nodes = heap.graph().nodes();
    out.write_all(&heap.graph().node_count().to_le_bytes())?;
    for node in nodes.clone() {
        out.write_all(&heap.dominator(node).to_le_bytes())?;
    }
    for node in nodes.clone() {
        out.write_all(&heap.shallow_size(node).to_le_bytes())?;
    }
    for node in nodes.clone() {
        out.write_all(&heap.retained_size(node).to_le_bytes())?;
    }
    for node in nodes {
        out.write_all(&heap.distance(node).to_le_bytes())?;
    }
    let classes: Vec<_> = heap
        .classes()
        .iter()
        .map(|class| {
            serde_json::json!({
                "name": class.name,
                "constructor": class.constructor.map(|place| [place.script_id, place.line, place.column]),
                "count": class.count,
                "shallowSize": class.shallow_size,
                "retainedSize": class.retained_size,
                "distance": class.distance,
            })
        })
        .collect();
    serde_json::to_writer(
        &mut out,
        &serde_json::json!({ "totalSize": heap.total_size(), "classes": classes }),
    )?;
    out.flush()?;
    Ok(())
}
