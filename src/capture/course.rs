//! The course of a capture, on a thread of its own: the turn, the file, a child or this process, the file's name.

use std::{
    fs::File,
    io::Seek,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Asker, CaptureError, Captured, Compression, Disk, Estimate, FileName, FolderLock, Limits, Member, Mode,
    Packing, Request, Room, Settings, Target, Turn,
    fork::Task,
    forking::{Forking, NoChild},
    in_process,
    limit::file_size_limit,
    progress::{Phase, Progress},
    rotate,
};
use crate::{
    measure::{Bytes, Millis},
    v8::Numerics,
};

/// A child that fails without a word gets a second try.
const CHILDREN: u32 = 2;
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
    let lock = lock(dir, progress)?;
    let target = Target::create(&path)?;
    let (estimate, pause) = estimate(member, progress)?;
    let forking = Forking {
        member,
        asker: request.asker,
        progress,
        estimate: on_disk(dir, estimate, request.packing.compression)?,
        children: CHILDREN,
        most_memory: None,
        pause,
        cpu: Millis::ZERO,
    };
    let mut course = Course { forking, packing: request.packing, path: &path, file: target.as_file() };
    let mode = course.take(request.mode, settings.max_pause)?;
    let pause = course.forking.pause;
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

/// Waits for the right to write into the folder.
pub(super) fn lock(dir: &Path, progress: &Progress) -> Result<FolderLock, CaptureError> {
    FolderLock::wait(dir, FOLDER, &|| progress.is_aborted())
}

fn own_name(member: &Member, request: &Request, settings: &Settings) -> PathBuf {
    settings.dir.join(FileName::now(member.thread_id(), request.packing.compression).next())
}

/// What a snapshot of the heap as it is will take; and for how long asking has blocked the isolate's thread.
pub(super) fn estimate(
    member: &Arc<Member>,
    progress: &Arc<Progress>,
) -> Result<(Estimate, Millis), CaptureError> {
    member.visit(progress, |isolate| {
        let (small, large) = isolate.small_and_large();
        Estimate::of(small, large)
    })
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
pub(super) fn on_disk(
    dir: &Path,
    estimate: Estimate,
    compression: Compression,
) -> Result<Estimate, CaptureError> {
    let Some(disk) = Disk::of(dir) else { return Ok(estimate) };
    disk.admit(dir, estimate.file(compression))?;
    Ok(if disk.in_memory { estimate.with_file_in_memory(compression) } else { estimate })
}

/// Has our oldest files make way for a whole one that is about to get its name. That they cannot be read or removed is no reason to lose it.
pub(super) fn make_way(dir: &Path, limits: Limits, file: &File) -> Result<(), CaptureError> {
    let Ok(metadata) = file.metadata() else { return Ok(()) };
    let bytes = Bytes::from_bytes(metadata.len());
    if bytes > limits.max_bytes {
        return Err(CaptureError::OverLimit { bytes, max_bytes: limits.max_bytes });
    }
    let _ = rotate(dir, &limits, bytes);
    Ok(())
}

struct Course<'a> {
    forking: Forking<'a>,
    packing: Packing,
    /// The name the file gets in the end.
    path: &'a Path,
    file: &'a File,
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
        let estimate = self.forking.estimate.pause;
        if estimate > max_pause {
            return Err(CaptureError::WouldBlock { estimate, max_pause, reason });
        }
        self.rewind()?;
        self.in_process()
    }

    fn in_process(&mut self) -> Result<Mode, CaptureError> {
        let Forking { member, progress, .. } = self.forking;
        Room::of_process(Path::new("/")).admit_in_process(&self.forking.estimate)?;
        self.forking.pause += in_process::write(member, self.packing, (self.path, self.file), progress)?;
        Ok(Mode::InProcess)
    }

    /// Has a child fill the file.
    fn fork(&mut self) -> Result<(), NoChild> {
        let (packing, file, path) = (self.packing, self.file, self.path);
        self.forking.run(path, || {
            let (file, numerics) = (emptied(file, path)?, Numerics::Hidden);
            Ok(vec![Task::Fill { file, packing, limit: file_size_limit(), numerics }])
        })
    }

    /// Empties the file for another attempt.
    fn rewind(&self) -> Result<(), CaptureError> {
        self.forking.progress.restart();
        emptied(self.file, self.path).map(drop)
    }
}

/// A copy of a file that is to be called `path`, which is empty from now on.
pub(super) fn emptied(mut file: &File, path: &Path) -> Result<File, CaptureError> {
    let emptied = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.try_clone());
    emptied.map_err(|source| CaptureError::Write { file: path.to_owned(), source })
}
