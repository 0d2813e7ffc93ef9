//! `restow doctor`: what this machine's builder can do with the changes, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::services::field;
use super::{ErrorReport, json};
use crate::docker::judge::{Check, Count, Needs, State};
use crate::docker::machine::Machine;

/// What the changes need, then a block per check.
pub fn text(needs: &Needs, checks: &[Check]) -> String {
    let mut out = String::new();
    pending(needs, &mut out);
    for check in checks {
        let _ = writeln!(out, "\n{}  {}", check.id, check.state.name());
        field("found", &check.found, &mut out);
        field("means", &check.means, &mut out);
        if let Some(remedy) = &check.remedy {
            field("remedy", remedy, &mut out);
        }
    }
    out
}

fn pending(needs: &Needs, out: &mut String) {
    let _ = writeln!(out, "pending  {}", many(needs.changes, "change"));
    let counted = [
        ("mounts", needs.mounts, "RUN --mount"),
        ("exports", needs.exports, "`cache_to` in a registry or a folder"),
        ("inline", needs.inline, "`cache_to: [type=inline]`"),
    ];
    for (name, count, what) in counted.into_iter().filter(|(_, count, _)| count.any()) {
        let Count { pending, there } = count;
        let already = if there > 0 { format!(", and {there} there already") } else { String::new() };
        field(name, &format!("{what}: in {}{already}", many(pending, "change")), out);
    }
    if needs.imports > 0 {
        field("imports", &format!("`cache_from` of an image alone: in {}", many(needs.imports, "change")), out);
    }
    if needs.ci > 0 {
        let where_to = "in workflows: CI builds them, and nothing here speaks of its builders";
        field("CI", &format!("{} {where_to}", many(needs.ci, "change")), out);
    }
}

fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The last line on standard error.
pub fn counts(needs: &Needs, checks: &[Check]) -> String {
    let of = |state: State| checks.iter().filter(|check| check.state == state).count();
    let mut line = format!("{}: {} ok", many(checks.len(), "check"), of(State::Ok));
    for (state, word) in [(State::Warning, "warning"), (State::Problem, "problem")] {
        if of(state) > 0 {
            let _ = write!(line, ", {}", many(of(state), word));
        }
    }
    if of(State::Unknown) > 0 {
        let _ = write!(line, ", {} unknown", of(State::Unknown));
    }
    let _ = write!(line, "; {} pending", many(needs.changes, "change"));
    line
}

/// The JSON text.
///
/// # Errors
/// JSON that can't be made.
pub fn json(machine: &Machine, needs: &Needs, checks: &[Check], errors: &[ErrorReport]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Root<'a> {
        version: u32,
        engine: &'a Machine,
        pending: &'a Needs,
        checks: &'a [Check],
        errors: Vec<json::Error<'a>>,
    }
    let root = Root { version: 1, engine: machine, pending: needs, checks, errors: json::errors(errors) };
    serde_json::to_string_pretty(&root).map(|text| text + "\n")
}
