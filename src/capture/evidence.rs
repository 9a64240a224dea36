//! Snapshots that nobody asked for, taken to prove a suspicion: by forked children only, kept in memory, compared by the child that
//! takes the last one.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{MemfdFlags, memfd_create};

use super::{
    Asker, CaptureError, Compression, Estimate, FileName, FolderLock, Member, Packing, Target, Turn, course,
    fork::{Comparing, Task},
    forking::{Forking, NoChild},
    limit::file_size_limit,
    progress::{Phase, Progress},
};
use crate::{
    measure::{Bytes, Millis},
    snapshot::{Difference, Work},
    v8::Numerics,
};

/// They are kept packed: 20 bytes a node instead of 100.
const PACKING: Packing = Packing { compression: Compression::Gzip, redact: false };

/// A snapshot in memory, gone when it is dropped.
#[derive(Clone, Debug)]
pub struct Exhibit(Arc<File>);

impl Exhibit {
    /// What it takes of the memory.
    pub fn size(&self) -> Bytes {
        Bytes::from_bytes(self.0.metadata().map_or(0, |metadata| metadata.len()))
    }
}

/// A snapshot that is wanted as evidence.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Those that it is compared with, the oldest first, and how much work was done until each, and until now.
    pub compare: Option<(Vec<Exhibit>, Work)>,
    /// The most memory that the child may take.
    pub most_memory: Bytes,
    /// Whether a file is wanted as well.
    pub into_file: bool,
}

/// What came of an inspection.
#[derive(Debug)]
pub struct Inspected {
    /// The snapshot.
    pub exhibit: Exhibit,
    /// The difference, if it was compared.
    pub difference: Option<Difference>,
    /// The file, if one was wanted.
    pub file: Option<PathBuf>,
}

/// What an inspection has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InspectionCost {
    /// For how long the isolate's thread was blocked.
    pub pause: Millis,
    /// What the children took of the CPU.
    pub cpu: Millis,
}

/// Takes the snapshot that is wanted, on the thread that calls.
pub(super) fn run(
    member: &Arc<Member>,
    inspection: &Inspection,
    progress: &Arc<Progress>,
) -> (InspectionCost, Result<Inspected, CaptureError>) {
    let mut cost = InspectionCost::default();
    let outcome = inspect(member, inspection, progress, &mut cost);
    (cost, outcome)
}

fn inspect(
    member: &Arc<Member>,
    inspection: &Inspection,
    progress: &Arc<Progress>,
    cost: &mut InspectionCost,
) -> Result<Inspected, CaptureError> {
    let turn = Turn::wait(|| progress.is_aborted()).ok_or(CaptureError::Aborted)?;
    let (estimate, pause) = course::estimate(member, progress)?;
    let estimate = estimate.with_file_in_memory(PACKING.compression);
    admit(&estimate, inspection.most_memory)?;
    let file =
        inspection.into_file.then(|| FileBeside::create(member, &estimate, progress)).and_then(|file| {
            // The proof does not depend on it.
            file.inspect_err(|error| member.say(format!("leakguard: a snapshot is not kept: {error}"))).ok()
        });
    let exhibit = Exhibit(Arc::new(memory_file()?));
    let answer = memory_file()?;
    let mut forking = Forking {
        member,
        asker: Asker::Detector,
        progress,
        estimate,
        children: 1,
        most_memory: Some(inspection.most_memory),
        pause,
        cpu: Millis::ZERO,
    };
    let tasks = || {
        let mut tasks = Vec::new();
        if let Some(file) = &file {
            tasks.push(file.task()?);
        }
        let file = emptied(&exhibit.0)?;
        tasks.push(Task::Fill {
            file,
            packing: PACKING,
            limit: Some(inspection.most_memory),
            numerics: Numerics::Exposed,
        });
        if let Some((earlier, work)) = &inspection.compare {
            tasks.push(Task::Compare(Comparing {
                files: earlier.iter().chain([&exhibit]).map(|one| copy(&one.0)).collect::<Result<_, _>>()?,
                work: work.clone(),
                answer: emptied(&answer)?,
            }));
        }
        Ok(tasks)
    };
    let forked = forking.run(Path::new(MEMORY), tasks);
    *cost = InspectionCost { pause: forking.pause, cpu: forking.cpu };
    forked.map_err(|error| match error {
        NoChild::Final(error) => error,
        NoChild::Forking(reason) => CaptureError::Fork(reason),
    })?;
    progress.enter(Phase::Syncing);
    let file = file.map(FileBeside::publish).transpose()?;
    drop(turn);
    let difference = inspection.compare.is_some().then(|| difference_in(&answer)).transpose()?;
    Ok(Inspected { exhibit, difference, file })
}

/// Refuses what would most likely end at the child's limit. The estimate may be three times too high.
fn admit(estimate: &Estimate, most: Bytes) -> Result<(), CaptureError> {
    let needed = Bytes::from_bytes(estimate.memory.get() / 3);
    if needed > most { Err(CaptureError::OverMemory { needed, most }) } else { Ok(()) }
}

/// A file in the folder for snapshots, beside what is in memory.
struct FileBeside {
    path: PathBuf,
    target: Target,
    packing: Packing,
    limits: super::Limits,
    _lock: FolderLock,
}

impl FileBeside {
    fn create(member: &Member, estimate: &Estimate, progress: &Progress) -> Result<Self, CaptureError> {
        let settings = member.settings();
        course::on_disk(&settings.dir, *estimate, settings.packing.compression)?;
        let lock = course::lock(&settings.dir, progress)?;
        let name = FileName::now(member.thread_id(), settings.packing.compression).next();
        let path = settings.dir.join(name);
        let target = Target::create(&path)?;
        Ok(Self { path, target, packing: settings.packing, limits: settings.limits, _lock: lock })
    }

    fn task(&self) -> Result<Task, CaptureError> {
        let file = course::emptied(self.target.as_file(), &self.path)?;
        Ok(Task::Fill { file, packing: self.packing, limit: file_size_limit(), numerics: Numerics::Exposed })
    }

    fn publish(self) -> Result<PathBuf, CaptureError> {
        let dir = self.path.parent().unwrap_or(Path::new("/"));
        course::make_way(dir, self.limits, self.target.as_file())?;
        self.target.publish()?;
        Ok(self.path)
    }
}

/// What errors call it.
const MEMORY: &str = "memory";

fn memory_file() -> Result<File, CaptureError> {
    let file = memfd_create("leakguard-evidence", MemfdFlags::CLOEXEC);
    file.map(File::from).map_err(|error| failed(error.into()))
}

fn emptied(file: &File) -> Result<File, CaptureError> {
    course::emptied(file, Path::new(MEMORY))
}

fn copy(file: &File) -> Result<File, CaptureError> {
    file.try_clone().map_err(failed)
}

fn difference_in(mut file: &File) -> Result<Difference, CaptureError> {
    let mut json = Vec::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut json)).map_err(failed)?;
    serde_json::from_slice(&json).map_err(|error| failed(io::Error::from(error)))
}

fn failed(source: io::Error) -> CaptureError {
    CaptureError::Write { file: MEMORY.into(), source }
}
