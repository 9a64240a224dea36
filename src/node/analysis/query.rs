use serde::Deserialize;
use serde_json::{Value, json};

use super::{Host, Terminal};
use crate::{
    report,
    snapshot::{
        SnapshotFileError,
        query::{Query, Rows},
    },
};

/// The version of the JSON shapes.
const VERSION: u32 = 1;

/// A question about single things in a snapshot.
#[derive(Deserialize)]
pub(super) struct QueryFile {
    /// None: standard input.
    file: Option<String>,
    query: Query,
    #[serde(flatten)]
    rows: Rows,
    /// Whether to make do with a file that was cut off.
    partial: bool,
    /// None: no text is wanted.
    terminal: Option<Terminal>,
}

impl QueryFile {
    pub(super) fn answer(&self, host: &Host) -> Result<Value, SnapshotFileError> {
        let heap = host.load(self.file.as_deref(), self.partial, 0.0..1.0)?;
        let found = match self.query.answer(&heap, self.rows) {
            Ok(found) => found,
            Err(error) => {
                let (code, message) = ("ERR_LEAKGUARD_NOT_FOUND", error.to_string());
                return Ok(json!({ "error": { "code": code, "message": message } }));
            }
        };
        let mut answer = json!(found);
        answer["version"] = VERSION.into();
        if let Some(within) = heap.graph().cut_off_within() {
            answer["cutOffWithin"] = within.into();
        }
        if let Some(terminal) = self.terminal {
            answer["text"] = report::query(&found, terminal.into()).into();
        }
        Ok(answer)
    }
}
