use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;

use super::history::now;
use crate::{
    capture::{self, CaptureError, Exhibit, Inspected, InspectionCost, Member},
    detect::{Inspection, Step},
    measure::{Bytes, Millis},
    snapshot::{Unit, Work},
};

/// What came of a snapshot, left by the thread that took it.
type Answer = (InspectionCost, Result<Inspected, CaptureError>);

/// Has the snapshots taken that the detector wants, and keeps them until they are compared.
#[derive(Debug, Default)]
pub(super) struct Examiner {
    kept: Vec<(Exhibit, Millis)>,
    answer: Arc<Mutex<Option<Answer>>>,
    /// When the snapshot was asked for that is under way.
    asked: Option<Millis>,
    is_last: bool,
    files: Vec<PathBuf>,
    spent: Spent,
}

/// What snapshots for the detector have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// How many were taken.
    pub snapshots: u32,
    /// How many could not be.
    pub failed: u32,
    /// For how long they blocked the isolate's thread.
    pub pause: Millis,
    /// What their children took of the CPU.
    pub cpu: Millis,
}

impl Examiner {
    /// Has the snapshot taken. The error says why it cannot begin.
    pub(super) fn begin(
        &mut self,
        member: &Arc<Member>,
        step: Step,
        most_memory: Bytes,
        into_file: bool,
    ) -> Result<(), CaptureError> {
        let now = now();
        if step.kept == 0 {
            self.files.clear();
        }
        if self.kept.len() < step.kept {
            return Err(CaptureError::Aborted);
        }
        self.kept.truncate(step.kept);
        self.is_last = step.is_last;
        let times = self.kept.iter().map(|&(_, time)| time).chain([now]);
        let work = Work { unit: Unit::Seconds, done: times.map(|time| time.get() / 1e3).collect() };
        let earlier = self.kept.iter().map(|(exhibit, _)| exhibit.clone()).collect();
        let inspection = capture::Inspection {
            compare: (step.kept > 0).then_some((earlier, work)),
            most_memory,
            into_file,
        };
        let answer = Arc::default();
        self.answer = Arc::clone(&answer);
        member.inspect(inspection, move |cost, outcome| *answer.lock() = Some((cost, outcome)))?;
        self.asked = Some(now);
        Ok(())
    }

    /// What came of the snapshot, once that is known.
    pub(super) fn collect(&mut self) -> Option<Inspection> {
        let (cost, outcome) = self.answer.lock().take()?;
        let asked = self.asked.take()?;
        self.spent.pause += cost.pause;
        self.spent.cpu += cost.cpu;
        match outcome {
            Ok(Inspected { exhibit, difference, file }) => {
                self.spent.snapshots += 1;
                self.files.extend(file);
                if !self.is_last {
                    self.kept.push((exhibit, asked));
                }
                Some(Inspection::Taken(cost.cpu, difference.map(Box::new), self.files.clone()))
            }
            Err(CaptureError::Aborted) => Some(Inspection::Interrupted(cost.cpu)),
            Err(error) => {
                self.spent.failed += 1;
                Some(Inspection::Failed(cost.cpu, error.to_string()))
            }
        }
    }

    /// Lets go of what is kept.
    pub(super) fn clear(&mut self) {
        if self.asked.is_none() {
            self.kept.clear();
        }
    }

    /// What snapshots have cost.
    pub(super) const fn spent(&self) -> Spent {
        self.spent
    }

    /// What the snapshots that are kept take of the memory.
    pub(super) fn memory(&self) -> Bytes {
        self.kept.iter().map(|(exhibit, _)| exhibit.size()).sum()
    }
}
