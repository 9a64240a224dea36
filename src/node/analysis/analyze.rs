use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Host, Terminal};
use crate::{
    report::{self, HeapLimitReport},
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
        if let Some(file) = self.file.as_deref().filter(|file| is_heap_limit_report(file)) {
            return self.heap_limit_report(Path::new(file));
        }
        let heap = host.load(self.file.as_deref(), self.partial, 0.0..1.0)?;
        let summary = Summary::new(&heap, self.rows);
        let mut answer = json!(summary);
        answer["version"] = VERSION.into();
        if let Some(terminal) = self.terminal {
            answer["text"] = report::summary(&summary, terminal.into()).into();
        }
        Ok(answer)
    }

    /// What was written when the heap was near its limit.
    fn heap_limit_report(&self, file: &Path) -> Result<Value, SnapshotFileError> {
        let text = fs::read_to_string(file)?;
        let mut report: HeapLimitReport = serde_json::from_str(&text).map_err(io::Error::from)?;
        report.sites.truncate(self.rows);
        let snapshot = Some(file.with_file_name(&report.snapshot)).filter(|snapshot| snapshot.exists());
        let mut answer = json!(report);
        answer["snapshot"] = json!(snapshot);
        if let Some(terminal) = self.terminal {
            answer["text"] = report::heap_limit(&report, snapshot.is_some(), terminal.into()).into();
        }
        Ok(answer)
    }
}

fn is_heap_limit_report(file: &str) -> bool {
    let mut beginning = [0; report::BEGINNING.len()];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut beginning));
    read.is_ok() && beginning == report::BEGINNING.as_bytes()
}
