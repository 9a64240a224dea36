use super::{Page, Text, size};
use crate::measure::grouped;
use crate::snapshot::query::{
    Answer, Classes, Dominated, Globals, ObjectDetails, Objects, Paths, Retainers, Thing, Variable,
};

/// The answer to a question about single things, for a terminal.
pub fn query(answer: &Answer, page: Page) -> String {
    let mut text = Text::new(page);
    match answer {
        Answer::Classes(answer) => classes(&mut text, answer),
        Answer::Objects(answer) => objects(&mut text, answer),
        Answer::Object(answer) => object(&mut text, answer),
        Answer::Retainers(answer) => retainers(&mut text, answer),
        Answer::Paths(answer) => paths(&mut text, answer),
        Answer::Dominates(answer) => dominates(&mut text, answer),
        Answer::Globals(answer) => globals(&mut text, answer),
    }
    text.finish()
}

fn classes(text: &mut Text, Classes { total, classes }: &Classes) {
    if *total == 0 {
        return text
            .line("No class fits. Names are compared letter by letter, large and small letters apart.");
    }
    columns(text, &["retained", "own size", "count"]);
    for class in classes {
        let place = class.location.as_ref().map(|place| format!("  {place}")).unwrap_or_default();
        text.entry(
            &[size(class.retained_size), size(class.shallow_size), grouped(class.count)],
            &format!("{}{place}", class.name),
        );
    }
    rest(text, classes.len(), *total);
}

fn objects(text: &mut Text, answer: &Objects) {
    let Objects { class, total, shallow_size, objects, similar } = answer;
    if *total == 0 && !similar.is_empty() {
        return text.line(&format!("There is no class {class}; there are {}.", similar.join(", ")));
    }
    if *total == 0 {
        return text.line(&format!(
            "No object of class {class} fits; `query FILE classes` lists the classes that there are."
        ));
    }
    text.line(&format!("{} of class {class}, {} together", grouped(*total as u64), size(*shallow_size)));
    columns(text, &["retained", "own size"]);
    objects.iter().for_each(|object| thing(text, "", object));
    rest(text, objects.len(), *total);
}

fn object(text: &mut Text, answer: &ObjectDetails) {
    heading(text, &answer.object);
    text.field("class", &format!("{} ({})", answer.object.class, answer.object.kind));
    text.field("retained", &size(answer.object.retained_size));
    let alone = if answer.self_size == answer.object.shallow_size {
        String::new()
    } else {
        format!(" (alone {})", size(answer.self_size))
    };
    text.field("own size", &format!("{}{alone}", size(answer.object.shallow_size)));
    text.field(
        "distance",
        &answer.object.distance.map_or_else(|| "-".into(), |distance| distance.to_string()),
    );
    if let Some(place) = &answer.location {
        text.field("written in", &format!("{place}:{}", place.column_number));
    }
    if answer.is_detached {
        text.field("detached", "yes: its owner has let go of it");
    }
    text.field("path", &answer.path);
    if let Some(dominator) = &answer.dominator {
        text.field("kept by", &format!("@{} {}", dominator.id, dominator.preview));
    }
    text.title("References");
    columns(text, &["retained", "own size"]);
    for reference in &answer.references {
        thing(text, &edge(reference.kind, &reference.name, " → "), &reference.to);
    }
    rest(text, answer.references.len(), answer.total);
}

fn retainers(text: &mut Text, Retainers { object, total, retainers }: &Retainers) {
    heading(text, object);
    text.title("Referred to by");
    columns(text, &["retained", "distance"]);
    for retainer in retainers {
        let from = &retainer.from;
        let whole = retainer.part_of.as_ref();
        let whole = whole.map(|whole| format!(" of @{} {}", whole.id, whole.preview)).unwrap_or_default();
        let weak = if retainer.is_weak { " (weak)" } else { "" };
        text.entry(
            &[size(from.retained_size), from.distance.map_or_else(|| "-".into(), |steps| steps.to_string())],
            &format!(
                "{}{weak} @{} {}{whole}",
                edge(retainer.kind, &retainer.name, " in"),
                from.id,
                from.preview
            ),
        );
    }
    rest(text, retainers.len(), *total);
}

fn paths(text: &mut Text, Paths { object, total, paths }: &Paths) {
    heading(text, object);
    if *total == 0 {
        text.line("Nothing keeps it: it is garbage, or only weak references lead to it.");
    }
    for path in paths {
        text.title(&path.words);
        for step in &path.steps {
            text.line(&format!(
                "  {}@{} {}",
                edge(step.kind, &step.name, " → "),
                step.to.id,
                step.to.preview
            ));
        }
    }
}

fn dominates(text: &mut Text, Dominated { object, total, immediate, classes }: &Dominated) {
    heading(text, object);
    text.line(&format!("Without it {} would be free.", size(object.retained_size)));
    if *total == 0 {
        return text.line("It keeps nothing but itself alive.");
    }
    text.title("Kept by it alone, immediately");
    columns(text, &["retained", "own size"]);
    immediate.iter().for_each(|object| thing(text, "", object));
    rest(text, immediate.len(), *total);
    text.title("All that it keeps, by class");
    columns(text, &["own sizes", "count"]);
    for class in classes {
        text.entry(&[size(class.shallow_size), grouped(class.count)], &class.name);
    }
}

fn globals(text: &mut Text, Globals { total, standard, globals }: &Globals) {
    if *total == 0 {
        text.line("The program has added no global variables.");
    } else {
        columns(text, &["retained", "own size"]);
        for global in globals {
            let word = if global.kind == Variable::Lexical { "let " } else { "" };
            thing(text, &format!("{word}{} = ", global.name), &global.value);
        }
        rest(text, globals.len(), *total);
    }
    if !globals.iter().any(|global| global.is_standard) {
        text.line(&format!("{standard} that every program has are left out (--all shows them)."));
    }
}

fn heading(text: &mut Text, object: &Thing) {
    text.line(&format!("@{} {}", object.id, object.preview));
}

fn columns(text: &mut Text, names: &[&str]) {
    text.entry(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(), "");
}

fn thing(text: &mut Text, before: &str, thing: &Thing) {
    text.entry(
        &[size(thing.retained_size), size(thing.shallow_size)],
        &format!("{before}@{} {}", thing.id, thing.preview),
    );
}

/// `.name`, `[1]`, or V8's word for what is its own.
fn edge(kind: &str, name: &str, then: &str) -> String {
    match kind {
        "property" => format!(".{name}{then}"),
        "element" => format!("[{name}]{then}"),
        "context" => format!("variable {name}{then}"),
        _ => format!("({kind} {name}){then}"),
    }
}

fn rest(text: &mut Text, shown: usize, total: usize) {
    if shown < total {
        text.line(&format!(
            "{} of {} are shown; --rows N shows more, --skip N begins later.",
            grouped(shown as u64),
            grouped(total as u64)
        ));
    }
}
