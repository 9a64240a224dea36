//! The course of a capture, on a thread of its own: the turn, the file, a child or this process, the file's name.

use std::{
    fs::File,
    io::{self, Seek},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    Asker, CaptureError, Captured, Compression, Disk, Estimate, FileName, FolderLock, Limits, Member, Mode,
    Packing, Request, Room, Settings, Target, Turn,
    fork::{self, Child, ChildError, Order},
    in_process,
    limit::file_size_limit,
    packing::PackError,
    progress::{Phase, Progress},
    rotate,
};
use crate::{
    measure::{Bytes, Millis},
    v8::{Isolate, Platform, RegionLock},
};

/// A child that fails without a word gets a second try.
const CHILDREN: u32 = 2;
/// How often V8's workers are asked to park. Under load the slowest of 518 parkings took as long as they may be kept.
const PARKINGS: u32 = 5;
/// Between two such attempts.
const PARKING_AGAIN: Duration = Duration::from_millis(200);

/// How long one waits for others that write into the folder: a cluster's members take turns.
const FOLDER: Duration = Duration::from_secs(120);

/// Writes the snapshot that is asked for.
pub(super) fn run(
    member: &Arc<Member>,
    request: &Request,
    progress: &Arc<Progress>,
) -> Result<Captured, CaptureError> {
    let started = Instant::now();
    member.show(request.asker, progress);
    let turn = Turn::wait(|| progress.is_aborted()).ok_or(CaptureError::Aborted)?;
    let settings = member.settings();
    let path = request.file.clone().unwrap_or_else(|| own_name(member, request, &settings));
    let dir = path.parent().unwrap_or(Path::new("/"));
    let lock = FolderLock::wait(dir, FOLDER, &|| progress.is_aborted())?;
    let target = Target::create(&path)?;
    let (estimate, pause) = member.visit(progress, |isolate| {
        let (small, large) = isolate.small_and_large();
        Estimate::of(small, large)
    })?;
    let mut course = Course {
        member,
        asker: request.asker,
        packing: request.packing,
        path: &path,
        file: target.as_file(),
        progress,
        estimate: on_disk(dir, estimate, request.packing.compression)?,
        pause,
    };
    let mode = course.take(request.mode, settings.max_pause)?;
    let pause = course.pause;
    progress.enter(Phase::Syncing);
    member.show(request.asker, progress);
    if !matches!(request.asker, Asker::Call(_)) {
        make_way(dir, settings.limits, target.as_file())?;
    }
    let bytes = target.publish()?;
    drop((lock, turn));
    Ok(Captured {
        file: path,
        bytes,
        nodes: progress.nodes(),
        mode,
        pause,
        duration: Millis::from_secs(started.elapsed().as_secs_f64()),
        redacted: request.packing.redact,
    })
}

fn own_name(member: &Member, request: &Request, settings: &Settings) -> PathBuf {
    settings.dir.join(FileName::now(member.thread_id(), request.packing.compression).next())
}

/// Refuses a snapshot that the process itself takes, where memory or disk do not suffice.
pub fn admit_in_process(
    dir: &Path,
    estimate: Estimate,
    compression: Compression,
) -> Result<(), CaptureError> {
    Room::of_process(Path::new("/")).admit_in_process(&on_disk(dir, estimate, compression)?)
}

/// The estimate, with what the file takes of memory where the disk is in it; refused where the file does not fit.
fn on_disk(dir: &Path, estimate: Estimate, compression: Compression) -> Result<Estimate, CaptureError> {
    let Some(disk) = Disk::of(dir) else { return Ok(estimate) };
    disk.admit(dir, estimate.file(compression))?;
    Ok(if disk.in_memory { estimate.with_file_in_memory(compression) } else { estimate })
}

/// Has our oldest files make way for a whole one that is about to get its name. That they cannot be read or removed is no reason to lose it.
fn make_way(dir: &Path, limits: Limits, file: &File) -> Result<(), CaptureError> {
    let Ok(metadata) = file.metadata() else { return Ok(()) };
    let bytes = Bytes::from_bytes(metadata.len());
    if bytes > limits.max_bytes {
        return Err(CaptureError::OverLimit { bytes, max_bytes: limits.max_bytes });
    }
    let _ = rotate(dir, &limits, bytes);
    Ok(())
}

struct Course<'a> {
    member: &'a Arc<Member>,
    asker: Asker,
    packing: Packing,
    /// The name the file gets in the end.
    path: &'a Path,
    file: &'a File,
    progress: &'a Arc<Progress>,
    estimate: Estimate,
    /// For how long the isolate's thread was blocked.
    pause: Millis,
}

/// Why no child has filled the file.
enum NoChild {
    /// This would be the same in-process.
    Final(CaptureError),
    /// It has to do with forking.
    Forking(String),
}

impl From<CaptureError> for NoChild {
    fn from(error: CaptureError) -> Self {
        Self::Final(error)
    }
}

impl Course<'_> {
    /// Fills the file, and tells how.
    fn take(&mut self, mode: Mode, max_pause: Millis) -> Result<Mode, CaptureError> {
        if mode == Mode::InProcess {
            return self.in_process();
        }
        let reason = match self.fork() {
            Ok(()) => return Ok(Mode::Fork),
            Err(NoChild::Final(error)) => return Err(error),
            Err(NoChild::Forking(reason)) => reason,
        };
        if mode == Mode::Fork {
            return Err(CaptureError::Fork(reason));
        }
        let estimate = self.estimate.pause;
        if estimate > max_pause {
            return Err(CaptureError::WouldBlock { estimate, max_pause, reason });
        }
        self.rewind()?;
        self.in_process()
    }

    fn in_process(&mut self) -> Result<Mode, CaptureError> {
        Room::of_process(Path::new("/")).admit_in_process(&self.estimate)?;
        self.pause += in_process::write(self.member, self.packing, (self.path, self.file), self.progress)?;
        Ok(Mode::InProcess)
    }

    /// Has a child fill the file.
    fn fork(&mut self) -> Result<(), NoChild> {
        let platform = self.member.platform().map_err(|reason| NoChild::Forking(reason.to_owned()))?;
        let memory = Room::of_process(Path::new("/")).admit(&self.estimate)?;
        let file = self.file.try_clone().map_err(|error| self.failed(error))?;
        let order = Arc::new(Order {
            packing: self.packing,
            file,
            file_limit: file_size_limit(),
            memory,
            is_main_thread: self.member.thread_id() == 0,
            progress: Arc::clone(self.progress),
        });
        let mut errors = Vec::new();
        for _ in 0..CHILDREN {
            let child = self.bear(platform, &order)?;
            let show = || self.member.show(self.asker, self.progress);
            match child.watch(self.progress, &show) {
                Ok(()) => return Ok(()),
                Err(ChildError::Aborted) => return Err(CaptureError::Aborted.into()),
                Err(ChildError::Failed(failure)) => {
                    return Err(CaptureError::of_packing(PackError::from(failure), self.path).into());
                }
                Err(error) => errors.push(format!("{error} (it might take {memory})")),
            }
            self.rewind()?;
        }
        Err(NoChild::Forking(errors.join("; then ")))
    }

    /// Forks, as soon as V8's workers are parked.
    fn bear(&mut self, platform: Platform, order: &Arc<Order>) -> Result<Child, NoChild> {
        for attempt in 0..PARKINGS {
            if attempt > 0 {
                thread::sleep(PARKING_AGAIN);
            }
            // Before the workers are parked: it takes longer than they do.
            let kept = fork::kept_from_children()
                .map_err(|error| NoChild::Forking(format!("cannot read /proc/self/smaps: {error}")))?;
            let (parking, posting) = self.member.visit(self.progress, move |_| platform.park())?;
            self.pause += posting;
            let parking = parking.ok_or_else(|| NoChild::Forking("Node's platform takes no tasks".into()))?;
            if !parking.wait() {
                continue;
            }
            let (parking, order) = (Arc::new(parking), Arc::clone(order));
            let held = Arc::clone(&parking);
            let fork = move |isolate: Isolate| {
                // First, as whoever has it may wait for the workers.
                let lock = RegionLock::take()?;
                held.hold(|| fork::fork(isolate, &order, &kept, lock))
            };
            let (forked, forking) = self.member.visit(self.progress, fork)?;
            self.pause += forking;
            // From here on V8's workers go on.
            drop(parking);
            match forked {
                Some(Ok(child)) => return Ok(child),
                Some(Err(error)) => return Err(NoChild::Forking(format!("cannot fork: {error}"))),
                None => {}
            }
        }
        Err(NoChild::Forking("V8's workers could not be parked; they are busy".into()))
    }

    /// Empties the file for another attempt.
    fn rewind(&self) -> Result<(), CaptureError> {
        self.progress.restart();
        let mut file = self.file;
        file.set_len(0).and_then(|()| file.rewind()).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> CaptureError {
        CaptureError::Write { file: self.path.to_owned(), source }
    }
}
