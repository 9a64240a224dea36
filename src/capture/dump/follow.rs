use std::{path::PathBuf, time::Duration};

use super::{Refusal, proof::Armed, view::View};
use crate::capture::beacon::{Answer, Identity, Record, Stage, Thread, Written};

/// How often the process's beacon is looked at: often enough for a bar that moves, and nothing that the process could feel.
const PERIOD: Duration = Duration::from_millis(50);

/// What came of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct Dump {
    /// The process, as it sees itself.
    pub identity: Identity,
    /// Its threads that had leakguard when the signal was sent.
    pub threads: Vec<ThreadDump>,
}

/// What came of a thread's request.
#[derive(Clone, Debug, PartialEq)]
pub struct ThreadDump {
    /// Node's thread id: 0 on the main thread.
    pub thread_id: u32,
    /// The file, or why there is none.
    pub result: Result<Found, Failure>,
}

/// A file that is whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// As the process sees it.
    pub written: Written,
    /// As it can be opened from here.
    pub path: PathBuf,
}

/// Why a thread's file did not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The process said why.
    #[error("{message}")]
    Refused {
        /// A stable code.
        code: String,
        /// What it said.
        message: String,
    },
    /// The thread went away.
    #[error("the thread ended before its snapshot was written")]
    Left,
    /// The process went away.
    #[error("the process ended before the snapshot was written")]
    Ended,
    /// It gave the signal back.
    #[error(
        "leakguard was stopped in the process, or the process is ending, before the snapshot was written"
    )]
    Stopped,
    /// There were more answers than are kept.
    #[error("the process answered, but too many threads did at once; look into its `dir`")]
    Lost,
}

impl Failure {
    /// The stable code that JavaScript sees.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Left => "ERR_LEAKGUARD_THREAD_ENDED",
            Self::Ended => "ERR_LEAKGUARD_PROCESS_ENDED",
            Self::Stopped => "ERR_LEAKGUARD_NOT_ARMED",
            Self::Lost => "ERR_LEAKGUARD_ANSWER_LOST",
        }
    }
}

/// Proves that the process is armed, signals it, and waits for all of its threads; `tell` is told how far they are.
pub fn dump(pid: u32, tell: &mut dyn FnMut(&[Thread])) -> Result<Dump, Refusal> {
    let armed = Armed::prove(pid)?;
    // While it is there to be asked.
    let view = View::of(pid);
    let asked = armed.signal()?;
    let mut wait = Wait::new(&asked);
    loop {
        let mut gone = armed.ends_within(PERIOD) || !armed.beacon.is_held();
        // After both: what it said before it went away is read.
        if let Ok(record) = armed.beacon.read() {
            wait.look(&record);
            tell(&record.threads);
            gone |= !record.identity.open;
        }
        if wait.is_over() {
            break;
        }
        if gone {
            // A process that ends closes its files a moment before it has ended.
            let ended = armed.ends_within(PERIOD * 4);
            wait.give_up(if ended { Failure::Ended } else { Failure::Stopped });
            break;
        }
    }
    Ok(Dump { identity: asked.identity, threads: wait.into_threads(&view) })
}

/// Which threads have answered.
struct Wait {
    threads: Vec<(Thread, Option<Result<Written, Failure>>)>,
    /// The last answer that was seen.
    seen: u64,
    lost: bool,
}

impl Wait {
    /// For the threads of this record, taken before the signal.
    fn new(record: &Record) -> Self {
        let mut threads: Vec<_> = record.threads.iter().map(|&thread| (thread, None)).collect();
        threads.sort_by_key(|(thread, _)| thread.thread_id);
        Self {
            threads,
            seen: record.answers.iter().map(|answer| answer.sequence).max().unwrap_or(0),
            lost: false,
        }
    }

    /// A thread's first answer counts: a snapshot that was being written when the signal came answers it, too.
    fn look(&mut self, record: &Record) {
        let mut answers: Vec<&Answer> =
            record.answers.iter().filter(|answer| answer.sequence > self.seen).collect();
        answers.sort_by_key(|answer| answer.sequence);
        for answer in answers {
            self.lost |= answer.sequence != self.seen + 1;
            self.seen = answer.sequence;
            let mut asked = self.threads.iter_mut();
            if let Some((_, result)) = asked.find(|(thread, _)| thread.serial == answer.serial) {
                result.get_or_insert_with(|| match answer.result.clone() {
                    Ok(written) => Ok(written),
                    Err((code, message)) => Err(Failure::Refused { code, message }),
                });
            }
        }
        for (thread, result) in &mut self.threads {
            let now = record.threads.iter().find(|row| row.serial == thread.serial);
            match now {
                None => drop(result.get_or_insert(Err(Failure::Left))),
                Some(row) if self.lost && row.stage == Stage::Idle => {
                    result.get_or_insert(Err(Failure::Lost));
                }
                Some(_) => {}
            }
        }
    }

    fn give_up(&mut self, failure: Failure) {
        for (_, result) in &mut self.threads {
            result.get_or_insert(Err(failure.clone()));
        }
    }

    fn is_over(&self) -> bool {
        self.threads.iter().all(|(_, result)| result.is_some())
    }

    fn into_threads(self, view: &View) -> Vec<ThreadDump> {
        let dumped = self.threads.into_iter().map(|(thread, result)| ThreadDump {
            thread_id: thread.thread_id,
            result: result
                .unwrap_or(Err(Failure::Lost))
                .map(|written| Found { path: view.path_to(&written.file), written }),
        });
        dumped.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(serial: u64, thread_id: u32, stage: Stage) -> Thread {
        Thread { serial, thread_id, stage, done: 0, total: 0 }
    }

    fn file(sequence: u64, serial: u64, name: &str) -> Answer {
        Answer { sequence, serial, result: Ok(Written { file: name.into(), ..Written::default() }) }
    }

    fn refused(sequence: u64, serial: u64) -> Answer {
        Answer { sequence, serial, result: Err(("ERR_X".into(), "a word".into())) }
    }

    fn record(threads: &[Thread], answers: &[Answer]) -> Record {
        let identity = Identity { open: true, ..Identity::default() };
        Record { identity, threads: threads.to_vec(), answers: answers.to_vec() }
    }

    /// The file or the failure of each thread.
    fn outcomes(wait: Wait) -> Vec<(u32, Result<String, Failure>)> {
        let threads = wait.into_threads(&View::Same).into_iter();
        threads
            .map(|thread| (thread.thread_id, thread.result.map(|found| found.path.display().to_string())))
            .collect()
    }

    #[test]
    fn every_thread_that_was_asked_is_waited_for() {
        let threads = [thread(2, 7, Stage::Idle), thread(1, 0, Stage::Idle)];
        let old = file(4, 1, "/old");
        let mut wait = Wait::new(&record(&threads, std::slice::from_ref(&old)));
        wait.look(&record(&threads, std::slice::from_ref(&old)));
        assert!(!wait.is_over());
        wait.look(&record(&threads, &[old.clone(), file(5, 1, "/a")]));
        assert!(!wait.is_over());
        // A thread that came later is not waited for, whatever it answers.
        let three = [threads[0], threads[1], thread(3, 8, Stage::Building)];
        wait.look(&record(&three, &[old, file(5, 1, "/a"), file(6, 3, "/c"), refused(7, 2)]));
        assert!(wait.is_over());
        let word = Failure::Refused { code: "ERR_X".into(), message: "a word".into() };
        assert_eq!(outcomes(wait), [(0, Ok("/a".into())), (7, Err(word))]);
    }

    #[test]
    fn the_first_answer_counts() {
        let threads = [thread(1, 0, Stage::Writing)];
        let mut wait = Wait::new(&record(&threads, &[]));
        // Someone else asked at once again.
        wait.look(&record(&threads, &[refused(2, 1), file(1, 1, "/a")]));
        assert_eq!(outcomes(wait), [(0, Ok("/a".into()))]);
    }

    #[test]
    fn a_thread_that_leaves_is_not_waited_for() {
        let main = thread(1, 0, Stage::Building);
        let mut wait = Wait::new(&record(&[main, thread(2, 7, Stage::Requested)], &[]));
        // Its row and its id may be used again.
        wait.look(&record(&[main, thread(3, 7, Stage::Idle)], &[]));
        assert!(!wait.is_over());
        wait.look(&record(&[main], &[file(1, 1, "/a")]));
        assert_eq!(outcomes(wait), [(0, Ok("/a".into())), (7, Err(Failure::Left))]);
    }

    #[test]
    fn an_answer_before_leaving_counts() {
        let mut wait = Wait::new(&record(&[thread(2, 7, Stage::Idle)], &[]));
        wait.look(&record(&[], &[file(1, 2, "/b")]));
        assert_eq!(outcomes(wait), [(7, Ok("/b".into()))]);
    }

    #[test]
    fn answers_that_were_overwritten_are_missed() {
        let (idle, busy) = (thread(1, 0, Stage::Idle), thread(2, 7, Stage::Writing));
        let mut wait = Wait::new(&record(&[idle, busy], &[file(1, 1, "/old")]));
        wait.look(&record(&[idle, busy], &[refused(3, 9)]));
        assert!(!wait.is_over());
        wait.look(&record(&[idle, thread(2, 7, Stage::Idle)], &[refused(3, 9), file(4, 2, "/b")]));
        assert!(wait.is_over());
        assert_eq!(outcomes(wait), [(0, Err(Failure::Lost)), (7, Ok("/b".into()))]);
    }

    #[test]
    fn nobody_waits_for_a_process_that_has_stopped() {
        let threads = [thread(1, 0, Stage::Requested), thread(2, 7, Stage::Idle)];
        let mut wait = Wait::new(&record(&threads, &[]));
        wait.look(&record(&threads, &[file(1, 1, "/a")]));
        assert!(!wait.is_over());
        wait.give_up(Failure::Stopped);
        assert!(wait.is_over());
        assert_eq!(outcomes(wait), [(0, Ok("/a".into())), (7, Err(Failure::Stopped))]);
    }
}
