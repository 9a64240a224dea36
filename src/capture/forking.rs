//! Having a forked child take a snapshot: room for it, V8's workers parked, a second child where the first one fails.

use std::{path::Path, sync::Arc, thread, time::Duration};

use super::{
    Asker, CaptureError, Estimate, Member, Room,
    fork::{self, Child, ChildError, Order, Task},
    packing::PackError,
    progress::Progress,
};
use crate::{
    measure::{Bytes, Millis},
    v8::{Isolate, Platform, RegionLock},
};

/// How often V8's workers are asked to park. Under load the slowest of 518 parkings took as long as they may be kept.
const PARKINGS: u32 = 5;
/// Between two such attempts.
const PARKING_AGAIN: Duration = Duration::from_millis(200);

/// Why no child has done its tasks.
pub(super) enum NoChild {
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

/// A snapshot that a child is to take.
pub(super) struct Forking<'a> {
    pub(super) member: &'a Arc<Member>,
    pub(super) asker: Asker,
    pub(super) progress: &'a Arc<Progress>,
    pub(super) estimate: Estimate,
    /// How many children may try it: where one fails without a word, the next may not.
    pub(super) children: u32,
    /// The most memory that a child may take, where room alone does not bound it.
    pub(super) most_memory: Option<Bytes>,
    /// For how long the isolate's thread was blocked.
    pub(super) pause: Millis,
    /// What children have taken of the CPU.
    pub(super) cpu: Millis,
}

impl Forking<'_> {
    /// Has a child do what `tasks` makes anew for each; errors of writing concern the file that is to be called `path`.
    pub(super) fn run(
        &mut self,
        path: &Path,
        tasks: impl Fn() -> Result<Vec<Task>, CaptureError>,
    ) -> Result<(), NoChild> {
        let platform = self.member.platform().map_err(|reason| NoChild::Forking(reason.to_owned()))?;
        let room = Room::of_process(Path::new("/")).admit(&self.estimate)?;
        let memory = self.most_memory.map_or(room, |most| room.min(most));
        let mut errors = Vec::new();
        for _ in 0..self.children {
            let order = Arc::new(Order {
                tasks: tasks()?,
                memory,
                is_main_thread: self.member.thread_id() == 0,
                progress: Arc::clone(self.progress),
            });
            let child = self.bear(platform, &order)?;
            let show = || self.member.show(self.asker, self.progress);
            let (cpu, outcome) = child.watch(self.progress, &show);
            self.cpu += cpu;
            match outcome {
                Ok(()) => return Ok(()),
                Err(ChildError::Aborted) => return Err(CaptureError::Aborted.into()),
                Err(ChildError::Failed(failure)) => {
                    return Err(CaptureError::of_packing(PackError::from(failure), path).into());
                }
                Err(error) => errors.push(format!("{error} (it might take {memory})")),
            }
            self.progress.restart();
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
}
