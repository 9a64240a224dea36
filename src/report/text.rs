use std::fmt::Write;

use crate::{measure::Bytes, snapshot::Summary};

/// So many rows of each table stand on the first screen.
const SHORT: usize = 5;

/// What a terminal can show.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Characters in a line.
    pub width: usize,
    /// Whether it has colours.
    pub colour: bool,
    /// All rows, not only the first ones.
    pub full: bool,
}

/// A summary for a terminal: what is suspect first, then what holds most.
pub fn summary(summary: &Summary, page: Page) -> String {
    let mut text = Text { page, out: String::new() };
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
        text.line(&format!("{:>10}  {}", "", suspect.reason));
    }
    text.table("Collections by retained size", &["retained", "entries"], &summary.collections, |row| {
        let alike =
            if row.alike > 0 { format!(" (and {} alike)", grouped(row.alike.into())) } else { String::new() };
        (vec![size(row.retained_size), grouped(row.entries.into())], format!("{}{alike}", row.path))
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
    text.out
}

struct Text {
    page: Page,
    out: String,
}

impl Text {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", cut_end(line, self.page.width));
    }

    fn title(&mut self, title: &str) {
        let (on, off) = if self.page.colour { ("\x1b[1m", "\x1b[22m") } else { ("", "") };
        let _ = writeln!(self.out, "\n{on}{title}{off}");
    }

    fn table<T>(
        &mut self,
        title: &str,
        columns: &[&str],
        rows: &[T],
        cells: impl Fn(&T) -> (Vec<String>, String),
    ) {
        if rows.is_empty() {
            return;
        }
        self.title(title);
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        self.row(&columns, "");
        let shown = if self.page.full { rows.len() } else { SHORT.min(rows.len()) };
        for row in &rows[..shown] {
            let (numbers, name) = cells(row);
            self.row(&numbers, &name);
        }
    }

    /// Numbers to the right, and a name, of which the end says more than the beginning.
    fn row(&mut self, numbers: &[String], name: &str) {
        let numbers: String = numbers.iter().map(|number| format!("{number:>10}")).collect();
        let room = self.page.width.saturating_sub(numbers.len() + 2);
        let _ = writeln!(self.out, "{}", format!("{numbers}  {}", cut_start(name, room)).trim_end());
    }
}

fn size(bytes: u64) -> String {
    Bytes::from_bytes(bytes).to_string()
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn cut_end(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        text.into()
    } else {
        text.chars().take(width.max(1) - 1).chain(['…']).collect()
    }
}

fn cut_start(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        text.into()
    } else {
        std::iter::once('…').chain(text.chars().skip(length + 1 - width.max(1))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_text_is_cut_to_the_width() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(cut_start("module /app/server.js › maps", 10), "…js › maps");
        assert_eq!(cut_end("module", 4), "mod…");
        assert_eq!((cut_start("abc", 3), cut_end("abc", 3)), ("abc".into(), "abc".into()));
    }
}
