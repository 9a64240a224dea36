use serde::Deserialize;
use serde_json::{Value, json};

use super::{Host, Terminal};
use crate::{
    report,
    snapshot::{SnapshotFileError, Summary},
};

/// The version of the JSON shape.
const VERSION: u32 = 1;

/// What is in a snapshot.
#[derive(Deserialize)]
pub(super) struct Analyze {
    /// None: standard input.
    file: Option<String>,
    /// The most rows of each kind.
    rows: usize,
    /// Whether to make do with a file that was cut off.
    partial: bool,
    /// None: no text is wanted.
    terminal: Option<Terminal>,
}

impl Analyze {
    pub(super) fn answer(&self, host: &Host) -> Result<Value, SnapshotFileError> {
        let heap = host.load(self.file.as_deref(), self.partial, 0.0..1.0)?;
        let summary = Summary::new(&heap, self.rows);
        let mut answer = json!(summary);
        answer["version"] = VERSION.into();
        if let Some(terminal) = self.terminal {
            answer["text"] = report::summary(&summary, terminal.into()).into();
        }
        Ok(answer)
    }
}
