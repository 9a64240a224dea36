use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process,
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};

use chrono::Local;

use super::{History, IsolateWatch};
use crate::{
    capture::{Asker, CaptureError, Compression, FileName, Helper, Member, Mode, Request, Settings, Target},
    detect::named_sites,
    measure::{Bytes, Cgroup},
    report::{HeapLimitReport, MajorGc},
    v8::{Answer, Isolate, NearHeapLimit},
};

/// The limit is raised twice by this much at most, the second time when we step aside: V8 calls whoever was there before us when
/// that is used up. Not by less: V8 gives up at once where a new generation of 16 MiB does not fit.
const RAISE: Bytes = Bytes::from_mib(16);
/// What V8 needs of a raise at least to go on for a while.
const ROOM: Bytes = Bytes::from_mib(4);
/// Where the heap reaches the limit again, the thread waits so long for the snapshot: after that the process ends.
const PATIENCE: Duration = Duration::from_secs(120);
/// Major GCs in the report.
const HISTORY: usize = 64;
/// Sites in the report.
const SITES: usize = 20;
/// The version of the report's shape.
const VERSION: u32 = 1;

/// Acts once when the heap of this thread's isolate comes near its limit, until the guard is dropped: raises the limit a
/// little, writes a report, has a child write a snapshot, and steps aside. None where V8 does not offer it.
pub fn act_near_heap_limit(watch: &Rc<RefCell<Option<IsolateWatch>>>) -> Option<NearHeapLimit> {
    let (isolate, mut acting) = {
        let inner = watch.borrow();
        let inner = inner.as_ref()?;
        let acting = Acting {
            watch: Rc::downgrade(watch),
            history: inner.shared_history(),
            member: Arc::clone(inner.member()),
            helper: Arc::clone(inner.helper()),
            has_begun: false,
            raise: Bytes::ZERO,
        };
        (inner.isolate()?, acting)
    };
    NearHeapLimit::install(
        isolate,
        Box::new(move |isolate, limit, initial| acting.act(isolate, limit, initial)),
    )
}

struct Acting {
    /// May be in use when the call comes: reading a profile allocates as well.
    watch: Weak<RefCell<Option<IsolateWatch>>>,
    history: Rc<History>,
    member: Arc<Member>,
    helper: Arc<Helper>,
    has_begun: bool,
    raise: Bytes,
}

impl Acting {
    fn act(&mut self, isolate: Isolate, limit: Bytes, initial: Bytes) -> Answer {
        if !self.has_begun {
            self.has_begun = true;
            self.raise = raise();
            self.begin(isolate, limit, initial);
            // A young generation that was promoted at once may have gone far beyond the limit.
            let used = isolate.statistics().unwrap_or_default().used;
            if sum(used, ROOM) < sum(limit, self.raise) {
                return Answer::Stay(sum(limit, self.raise));
            }
            self.raise = sum(self.raise, self.raise);
        }
        // The process ends when we step aside, or this thread does: what was begun is finished first.
        self.member.finish(Asker::NearHeapLimit, isolate, PATIENCE);
        Answer::StepAside(sum(limit, self.raise))
    }

    fn begin(&self, isolate: Isolate, limit: Bytes, initial: Bytes) {
        let settings = self.member.settings();
        let name = FileName::now(self.member.thread_id(), settings.packing.compression).next();
        let file = settings.dir.join(&name);
        let report = self.report(isolate, limit, initial, &name);
        let used = report.used;
        let written = write(&report_beside(&file), &report);
        self.helper.say(match written {
            Ok(path) => format!(
                "leakguard: the heap is near its limit ({used} of {limit}); report written to {}",
                path.display()
            ),
            Err(error) => {
                format!("leakguard: the heap is near its limit ({used} of {limit}); no report: {error}")
            }
        });
        let Settings { packing, .. } = settings;
        // Never in-process: the thread has something better to do, and no memory.
        let request = Request { asker: Asker::NearHeapLimit, file: Some(file), mode: Mode::Fork, packing };
        if let Err(error) = self.member.begin(request) {
            self.member.settle(Asker::NearHeapLimit, Err(error));
        }
    }

    fn report(
        &self,
        isolate: Isolate,
        limit: Bytes,
        initial_limit: Bytes,
        snapshot: &str,
    ) -> HeapLimitReport {
        let statistics = isolate.statistics().unwrap_or_default();
        let majors = self.history.majors();
        let cgroup = Cgroup::of_process(Path::new("/")).map(|cgroup| cgroup.read());
        let growth =
            self.watch.upgrade().and_then(|watch| Some(watch.try_borrow().ok()?.as_ref()?.all_growth()));
        let mut sites = named_sites(&growth.unwrap_or_default());
        sites.truncate(SITES);
        HeapLimitReport {
            leakguard: env!("CARGO_PKG_VERSION").into(),
            version: VERSION,
            time: Local::now().to_rfc3339(),
            pid: process::id(),
            thread_id: self.member.thread_id(),
            limit,
            initial_limit,
            raised_by: sum(self.raise, self.raise),
            used: statistics.used,
            external: statistics.external,
            contexts: (statistics.native_contexts, statistics.detached_contexts),
            container: cgroup.and_then(|memory| memory.limit.zip(memory.usage)),
            history: majors[majors.len().saturating_sub(HISTORY)..].iter().map(MajorGc::from).collect(),
            sites,
            snapshot: snapshot.to_owned(),
        }
    }
}

/// By how much the limit may be raised each time: in all not by more than half of what the container has left.
fn raise() -> Bytes {
    let room = Cgroup::of_process(Path::new("/"))
        .and_then(|cgroup| cgroup.headrooms().map(|headroom| headroom.free).min())
        .map_or(RAISE, |free| Bytes::from_bytes(free.get() / 4).min(RAISE));
    // Without any, nobody else would be called.
    room.max(Bytes::from_mib(1))
}

fn sum(a: Bytes, b: Bytes) -> Bytes {
    [a, b].into_iter().sum()
}

/// `Heap.….leakguard.json` beside `Heap.….leakguard.heapsnapshot`.
fn report_beside(snapshot: &Path) -> PathBuf {
    let name = snapshot.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    snapshot.with_file_name(format!("{}.json", stem.strip_suffix(".heapsnapshot").unwrap_or(stem)))
}

fn write(path: &Path, report: &HeapLimitReport) -> Result<PathBuf, CaptureError> {
    let failed = |source| CaptureError::Write { file: path.to_owned(), source };
    Target::create(path)?.fill(Compression::None, |sink| {
        serde_json::to_writer(&mut *sink, report).map_err(|error| failed(error.into()))?;
        sink.write_all(b"\n").map_err(failed)
    })?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_has_the_name_of_the_snapshot() {
        for packed in ["", ".gz"] {
            let snapshot = format!("/dumps/Heap.1.2.3.4.005.leakguard.heapsnapshot{packed}");
            assert_eq!(
                report_beside(Path::new(&snapshot)),
                Path::new("/dumps/Heap.1.2.3.4.005.leakguard.json")
            );
        }
    }

    #[test]
    fn the_limit_is_raised_by_no_more_than_is_said() {
        assert!((Bytes::from_mib(1)..=RAISE).contains(&raise()));
    }
}
