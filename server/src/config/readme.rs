//! README's configuration tables, written from the table of keys.

use std::fmt::Write;

use crate::config::key::{Key, State, Update};
use crate::config::table::{Area, BROKER_AREAS, GROUP_AREAS, TOPIC_AREAS};
use crate::config::value::in_words;

/// Markdown for every key: honoured ones in tables, the others by reason.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::new();
    for area in areas() {
        honoured_table(&mut out, area);
    }
    out.push_str("**Accepted without effect**, each with a notice at start when set:\n\n");
    by_reason(&mut out, |state| match state {
        State::Inert(why) => Some(why),
        _ => None,
    });
    out.push_str("\n**Refused** unless left at their defaults:\n\n");
    by_reason(&mut out, |state| match state {
        State::Refused(why) => Some(why),
        _ => None,
    });
    out
}

fn areas() -> impl Iterator<Item = &'static Area> {
    BROKER_AREAS.iter().chain(TOPIC_AREAS).chain(GROUP_AREAS)
}

fn honoured_table(out: &mut String, area: &Area) {
    let mut rows = area
        .keys
        .iter()
        .filter(|key| key.state == State::Honoured)
        .peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "### {}\n", area.title);
    out.push_str("| key | default | type and bounds | what it is for |\n");
    out.push_str("|---|---|---|---|\n");
    for key in rows {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            key.name,
            shown_default(key),
            kind_and_bounds(key),
            prose(key)
        );
    }
    out.push('\n');
}

fn shown_default(key: &Key) -> String {
    match (key.synonym, key.default) {
        (Some(synonym), _) => format!("`{synonym}`"),
        (None, None) => "none".to_owned(),
        (None, Some("")) => "empty".to_owned(),
        (None, Some(value)) => format!("`{}`", value.replace(',', ", ")),
    }
}

fn kind_and_bounds(key: &Key) -> String {
    let mut text = key.kind.name().to_owned();
    if !key.unit.is_empty() {
        let _ = write!(text, ", {}", key.unit);
    }
    let bounds = in_words(key.bounds);
    if !bounds.is_empty() {
        let _ = write!(text, "; {bounds}");
    }
    text
}

fn prose(key: &Key) -> String {
    let mut text = key.doc.to_owned();
    if let Some(cost) = key.memory {
        let _ = write!(text, " Memory: {cost}.");
    }
    if key.update == Update::ClusterWide {
        text.push_str(" *Changes while the broker runs.*");
    }
    text
}

fn by_reason(out: &mut String, reason: impl Fn(State) -> Option<&'static str>) {
    let mut reasons: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for key in areas().flat_map(|area| area.keys) {
        let Some(why) = reason(key.state) else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) if names.contains(&key.name) => {}
            Some((_, names)) => names.push(key.name),
            None => reasons.push((why, vec![key.name])),
        }
    }
    for (why, names) in reasons {
        let _ = writeln!(out, "- {why}: `{}`", names.join("`, `"));
    }
}
