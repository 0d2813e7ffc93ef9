//! `--format text`: a summary, then each file's changes and diff, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{Counts, FileReport, Report, hunks};
use crate::engine::Applied;
use crate::transform::Level;

const HEAD: Style = Style::new().bold();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const PLACE: Style = AnsiColor::Cyan.on_default();
const QUIET: Style = Style::new().dimmed();

/// What to show beside the diffs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub by_change: bool,
    pub why_not: bool,
    pub color: bool,
}

/// The whole report.
pub fn report(report: &Report, options: Options) -> String {
    let mut out = summary(report);
    for file in &report.files {
        file_text(file, options, &mut out);
    }
    out
}

/// A table: transform, level, changes, files.
fn summary(report: &Report) -> String {
    let mut rows: BTreeMap<(&str, Level), (usize, Vec<&str>)> = BTreeMap::new();
    for file in &report.files {
        for change in file.outcome.changes.iter().filter(|change| change.is_here()) {
            let row = rows.entry((change.transform, change.level)).or_default();
            row.0 += 1;
            if row.1.last() != Some(&file.path.as_str()) {
                row.1.push(&file.path);
            }
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let width = rows.keys().map(|(id, _)| id.len()).max().unwrap_or(0).max("transform".len());
    let mut out = format!("{:width$}  level   changes  files\n", "transform");
    for ((id, level), (changes, files)) in rows {
        let _ = writeln!(out, "{id:width$}  {:6}  {changes:7}  {:5}", level.name(), files.len());
    }
    out.push('\n');
    out
}

fn file_text(file: &FileReport, options: Options, out: &mut String) {
    let outcome = &file.outcome;
    if options.by_change {
        let steps = outcome.changes.iter().zip(outcome.steps());
        for (change, (before, after)) in steps.filter(|(change, _)| change.is_here()) {
            headline(file, change, options, out);
            diff(&file.relative, &before, &after, options, out);
        }
    } else if outcome.is_changed() {
        for change in outcome.changes.iter().filter(|change| change.is_here()) {
            headline(file, change, options, out);
        }
        diff(&file.relative, &outcome.before, &outcome.after, options, out);
    }
    if options.why_not {
        for skip in &outcome.skips {
            let text = format!("# {} {}:{} [left alone] {}", skip.transform, file.path, skip.line, skip.reason);
            paint(&text, QUIET, options, out);
        }
        for held in &outcome.held_back {
            let text =
                format!("# {} {}:{} [held back] {}: {}", held.transform, file.path, held.line, held.title, held.reason);
            paint(&text, QUIET, options, out);
        }
        if !outcome.skips.is_empty() || !outcome.held_back.is_empty() {
            out.push('\n');
        }
    }
}

/// `# <transform> <path>:<line> [level] <title>: <reason>`.
pub fn line(path: &str, change: &Applied) -> String {
    format!(
        "# {} {path}:{} [{}] {}: {}",
        change.transform,
        change.line,
        change.level.name(),
        change.title,
        change.reason
    )
}

fn headline(file: &FileReport, change: &Applied, options: Options, out: &mut String) {
    paint(&line(&file.path, change), HEAD, options, out);
}

fn diff(path: &str, before: &str, after: &str, options: Options, out: &mut String) {
    paint(&format!("--- a/{path}"), HEAD, options, out);
    paint(&format!("+++ b/{path}"), HEAD, options, out);
    let hunks = hunks(before, after);
    if options.color {
        for line in hunks.split_inclusive('\n') {
            let style = match line.as_bytes().first() {
                Some(b'+') => ADDED,
                Some(b'-') => REMOVED,
                Some(b'@') => PLACE,
                _ => Style::new(),
            };
            let bare = line.trim_end_matches('\n');
            let _ = writeln!(out, "{style}{bare}{style:#}");
        }
    } else {
        out.push_str(&hunks);
    }
    out.push('\n');
}

fn paint(text: &str, style: Style, options: Options, out: &mut String) {
    let _ = if options.color { writeln!(out, "{style}{text}{style:#}") } else { writeln!(out, "{text}") };
}

/// The last line on standard error.
pub fn counts(counts: Counts, verb: &str) -> String {
    let files = |count: usize| format!("{count} file{}", if count == 1 { "" } else { "s" });
    let mut line = format!("{} read, {} {verb}", files(counts.files), counts.changed);
    let _ = write!(line, " ({} change{})", counts.changes, if counts.changes == 1 { "" } else { "s" });
    if counts.held_back > 0 {
        let _ = write!(line, "; {} held back for review (show with --review)", counts.held_back);
    }
    if counts.skipped > 0 {
        let _ = write!(line, "; {} left alone (reasons with diff --why-not)", counts.skipped);
    }
    if counts.errors > 0 {
        let _ = write!(line, "; {} error{}", counts.errors, if counts.errors == 1 { "" } else { "s" });
    }
    line
}
