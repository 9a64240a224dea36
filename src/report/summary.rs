use super::{Page, Text, size};
use crate::{
    measure::grouped,
    snapshot::{ClosureKind, Summary},
};

/// A summary for a terminal: what is suspect first, then what holds most.
pub fn summary(summary: &Summary, page: Page) -> String {
    let mut text = Text::new(page);
    text.line(&format!(
        "{} nodes, {} edges, {} in all",
        grouped(summary.nodes.into()),
        grouped(summary.edges.into()),
        size(summary.total_size)
    ));
    if let Some(within) = summary.cut_off_within {
        text.line(&format!(
            "The file is cut off in the middle of {within}: all numbers are of what is there."
        ));
    }
    text.title(if summary.suspects.is_empty() { "Nothing is suspect" } else { "Suspects" });
    for suspect in &summary.suspects {
        text.row(&[size(suspect.retained_size)], &suspect.path);
        text.below(&suspect.reason);
    }
    text.table("Collections by retained size", &["retained", "entries"], &summary.collections, |row| {
        let alike =
            if row.alike > 0 { format!(" (and {} alike)", grouped(row.alike.into())) } else { String::new() };
        (vec![size(row.retained_size), grouped(row.entries.into())], format!("{}{alike}", row.path))
    });
    text.table("Closures and scopes by retained size", &["retained", "count"], &summary.closures, |row| {
        // The way to a scope ends with its place.
        let place = row.location.as_ref().filter(|_| row.kind == ClosureKind::Closure);
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        (vec![size(row.retained_size), grouped(row.count)], format!("{}{place}", row.path))
    });
    text.table("Classes by retained size", &["retained", "count"], &summary.classes, |row| {
        (vec![size(row.retained_size), grouped(row.count)], row.name.clone())
    });
    text.table("Single things by retained size", &["retained", "own size"], &summary.retainers, |row| {
        (vec![size(row.retained_size), size(row.shallow_size)], format!("{} (@{})", row.path, row.id))
    });
    if page.full {
        text.table("Types by own size", &["size", "count"], &summary.types, |row| {
            (vec![size(row.size), grouped(row.count)], row.kind.to_owned())
        });
        text.table("Repeated strings", &["size", "count"], &summary.duplicate_strings, |row| {
            (vec![size(row.size), grouped(row.count)], row.text.clone())
        });
        text.table("Detached", &["retained", "count"], &summary.detached, |row| {
            (vec![size(row.retained_size), grouped(row.count)], row.name.clone())
        });
    }
    text.finish()
}
