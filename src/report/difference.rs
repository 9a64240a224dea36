use super::{Page, Text, size};
use crate::{
    measure::grouped,
    snapshot::{ClassGrowth, Container, Difference, Verdict},
};

/// A difference for a terminal: what keeps the growth first.
pub fn difference(difference: &Difference, page: Page) -> String {
    let mut text = Text::new(page);
    for (number, snapshot) in difference.snapshots.iter().enumerate() {
        let name = ["baseline", "target", "final"].get(number).copied().unwrap_or_default();
        text.line(&format!(
            "{name:<9} {} nodes, {} in all",
            grouped(snapshot.nodes.into()),
            size(snapshot.total_size)
        ));
    }
    text.title(if difference.suspects.is_empty() { "Nothing is suspect" } else { "Suspects" });
    containers(&mut text, &difference.suspects);
    if !difference.others.is_empty() && (page.full || difference.suspects.is_empty()) {
        text.title("Grown, but no suspect");
        containers(&mut text, &difference.others);
    }
    classes(&mut text, "Classes by growth", &difference.classes);
    if page.full {
        classes(&mut text, "What V8 has come to know of the program", &difference.noise);
    }
    text.finish()
}

fn containers(text: &mut Text, containers: &[Container]) {
    for container in containers {
        let what = match container.verdict {
            Verdict::Confirmed => "confirmed",
            Verdict::Probable => "probable",
            Verdict::Filling => "filling",
            Verdict::Expiring => "expiring",
            Verdict::Healthy => "healthy",
        };
        text.row(&[format!("+{}", size(container.growth)), what.to_owned()], &container.path);
        text.below(&container.reason);
    }
}

fn classes(text: &mut Text, title: &str, classes: &[ClassGrowth]) {
    text.table(title, &["grown by", "more"], classes, |class| {
        let gained = |list: &[u64]| {
            list.last().copied().unwrap_or(0) as i64 - list.first().copied().unwrap_or(0) as i64
        };
        let more = gained(&class.counts);
        let sign = if more < 0 { "-" } else { "" };
        (
            vec![
                size(gained(&class.shallow_sizes).unsigned_abs()),
                format!("{sign}{}", grouped(more.unsigned_abs())),
            ],
            class.name.clone(),
        )
    });
}
