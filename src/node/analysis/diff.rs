use serde::Deserialize;
use serde_json::{Value, json};

use super::{Host, Terminal};
use crate::{
    report,
    snapshot::{Cancelled, Difference, Heap, Observer, SnapshotFileError, Stage, Unit, Work},
};

/// The version of the JSON shape.
const VERSION: u32 = 1;
/// Reading is done to this part when the comparing begins.
const READ: f64 = 0.8;

/// What has grown between snapshots of one process.
#[derive(Deserialize)]
pub(super) struct Diff {
    /// Two or three, the oldest first.
    files: Vec<String>,
    unit: Unit,
    /// By file, how much work was done until then.
    work: Vec<f64>,
    /// The most rows of each kind.
    rows: usize,
    /// None: no text is wanted.
    terminal: Option<Terminal>,
}

impl Diff {
    pub(super) fn answer(&self, host: &Host) -> Result<Value, SnapshotFileError> {
        let share = READ / self.files.len() as f64;
        let mut heaps: Vec<Heap> = Vec::new();
        for (file, number) in self.files.iter().zip(0_u32..) {
            let start = f64::from(number) * share;
            let heap = host.load(Some(file), false, start..start + share);
            heaps.push(heap.map_err(|error| error.in_file(file))?);
        }
        let work = Work { unit: self.unit, done: self.work.clone() };
        let compared = Difference::new(&heaps, &work, &Comparing(host));
        let mut difference = compared.map_err(|_| SnapshotFileError::Cancelled)?;
        difference.classes.truncate(self.rows);
        let mut answer = json!(difference);
        answer["version"] = VERSION.into();
        answer["unit"] = json!(self.unit);
        if let Some(terminal) = self.terminal {
            answer["text"] = report::difference(&difference, terminal.into()).into();
        }
        Ok(answer)
    }
}

/// Stops where nobody wants the answer any more. How long comparing takes hangs on what has grown.
struct Comparing<'a>(&'a Host);

impl Observer for Comparing<'_> {
    fn progress(&self, _: Stage, _: u64) -> Result<(), Cancelled> {
        self.0.progress(READ)
    }
}
