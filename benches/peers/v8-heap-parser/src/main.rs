//! The crate v8-heap-parser at the work that leakguard is compared by: reads a file, finds dominators, retained sizes and classes. Writes what
//! it has used as JSON.

use std::{error::Error, fs};

/// Of CPU time in `/proc`.
const TICK_US: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: bench-v8-heap-parser FILE")?;
    let graph = v8_heap_parser::decode_slice(&fs::read(file)?)?;
    let classes = graph.get_class_groups(false).len();
    let retained = graph.retained_size(0);
    let (cpu, rss) = usage().ok_or("there is no /proc as on Linux")?;
    println!(r#"{{"cpu":{cpu},"rss":{rss},"classes":{classes},"retained":{retained}}}"#);
    // What is measured ends here: to free it all takes a while.
    std::process::exit(0);
}

/// User and system time in us, and the largest resident size in bytes.
fn usage() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let ticks = stat.rsplit(") ").next()?.split(' ').skip(11).take(2);
    let cpu = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * TICK_US;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some((cpu, peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024))
}
