//! `engine FILE`: where the time goes when a heap snapshot is analysed. Prints the CPU time (user and system, all threads) and the wall
//! time of each stage, and the largest resident size so far.

use std::{
    fs::{self, File},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use leakguard::snapshot::{Cancelled, Heap, Observer, ReadOptions, Stage, Summary, read};

/// The kernel's unit of CPU time in `/proc` is the same on every Linux.
const TICK_MS: u64 = 10;
const ROWS: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = File::open(std::env::args_os().nth(1).ok_or("usage: engine FILE")?)?;
    let size = file.metadata()?.len();
    let watch = Watch(Mutex::new(Phase::begin("start")));
    let graph = read(file, ReadOptions { size: Some(size), partial: false }, &watch)?;
    let heap = Heap::new(graph, &watch).map_err(|_| "cancelled")?;
    watch.turn_to("summary");
    let summary = Summary::new(&heap, ROWS);
    watch.turn_to("end");
    println!("{} nodes, {} edges", summary.nodes, summary.edges);
    Ok(())
}

/// Tells of a stage when the next one begins.
struct Watch(Mutex<Phase>);

struct Phase {
    name: &'static str,
    begin: Instant,
    cpu_ms: u64,
}

impl Phase {
    fn begin(name: &'static str) -> Self {
        Self { name, begin: Instant::now(), cpu_ms: cpu_ms().unwrap_or(0) }
    }
}

impl Watch {
    fn turn_to(&self, name: &'static str) {
        let mut phase = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if phase.name == name {
            return;
        }
        let next = Phase::begin(name);
        let cpu = next.cpu_ms - phase.cpu_ms;
        let wall = next.begin.duration_since(phase.begin).as_millis();
        println!("{:12}{cpu:6} ms CPU {wall:6} ms {:6} MiB", phase.name, peak_mib().unwrap_or(0));
        *phase = next;
    }
}

impl Observer for Watch {
    fn progress(&self, stage: Stage, _: u64) -> Result<(), Cancelled> {
        self.turn_to(match stage {
            Stage::Reading => "reading",
            Stage::Dominators => "dominators",
            Stage::Sizes => "sizes",
            Stage::Distances => "distances",
            Stage::Classes => "classes",
            Stage::Comparing => "comparing",
        });
        Ok(())
    }
}

/// User and system time of this process: the fields 14 and 15 of `/proc/self/stat`, the second of which, its name, may have blanks.
fn cpu_ms() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields = stat.rsplit(") ").next()?.split(' ').skip(11).take(2);
    Some(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * TICK_MS)
}

fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
}
