use std::fmt::Write;

use crate::measure::Bytes;

/// So many rows of each table stand on the first screen.
const SHORT: usize = 4;
/// The margin of what stands below a row.
const BELOW: &str = "            ";

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

/// A page that is being written.
pub(super) struct Text {
    page: Page,
    out: String,
}

impl Text {
    pub(super) const fn new(page: Page) -> Self {
        Self { page, out: String::new() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", printable(&cut_end(line, self.page.width)));
    }

    /// A name and what it stands for, however long that is.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.out, "{}", printable(&format!("{name:>10}  {value}")));
    }

    pub(super) fn title(&mut self, title: &str) {
        let (on, off) = if self.page.colour { ("\x1b[1m", "\x1b[22m") } else { ("", "") };
        let title = printable(title);
        let _ = writeln!(self.out, "\n{on}{title}{off}");
    }

    pub(super) fn table<T>(
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

    /// What belongs to the row above, in as many lines as it takes.
    pub(super) fn below(&mut self, words: &str) {
        let room = self.page.width.saturating_sub(BELOW.len());
        let mut line = String::new();
        for word in words.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.line(&format!("{BELOW}{line}"));
                line.clear();
            }
            let gap = if line.is_empty() { "" } else { " " };
            line = format!("{line}{gap}{word}");
        }
        self.line(&format!("{BELOW}{line}"));
    }

    /// Numbers to the right, and a name, of which the end says more than the beginning.
    pub(super) fn row(&mut self, numbers: &[String], name: &str) {
        let numbers: String = numbers.iter().map(|number| format!("{number:>10}")).collect();
        let room = self.page.width.saturating_sub(numbers.len() + 2);
        let _ =
            writeln!(self.out, "{}", printable(&format!("{numbers}  {}", cut_start(name, room))).trim_end());
    }

    /// Numbers to the right, and a text, of which the beginning says more than the end.
    pub(super) fn entry(&mut self, numbers: &[String], text: &str) {
        let numbers: String = numbers.iter().map(|number| format!("{number:>10}")).collect();
        self.line(format!("{numbers}  {text}").trim_end());
    }
}

pub(super) fn size(bytes: u64) -> String {
    Bytes::from_bytes(bytes).to_string()
}

/// Names come from the file: a terminal must not obey them.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
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
    fn text_is_cut_to_the_width() {
        assert_eq!(cut_start("module /app/server.js › maps", 10), "…js › maps");
        assert_eq!(cut_end("module", 4), "mod…");
        assert_eq!((cut_start("abc", 3), cut_end("abc", 3)), ("abc".into(), "abc".into()));
    }
}
