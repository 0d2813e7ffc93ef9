//! `--format json`: the contract for programs, version 1.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Counts, ErrorReport, Report, patch};
use crate::transform::{Kind, Level};

#[derive(Serialize)]
struct Root<'a> {
    version: u32,
    files: Vec<File<'a>>,
    errors: Vec<Error<'a>>,
    summary: Counts,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    kind: Kind,
    sha256: String,
    edits: Vec<Edit>,
    diff: String,
    changes: Vec<Change<'a>>,
    skipped: Vec<Skipped<'a>>,
}

/// The JSON text of what a command lists by service.
///
/// # Errors
/// JSON that can't be made.
pub(super) fn services<T: Serialize>(services: &[T], errors: &[ErrorReport]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Root<'a, T> {
        version: u32,
        services: &'a [T],
        errors: Vec<Error<'a>>,
    }
    let root = Root { version: 1, services, errors: self::errors(errors) };
    serde_json::to_string_pretty(&root).map(|text| text + "\n")
}

/// Byte offsets in the text with the file's sha256.
#[derive(Serialize)]
struct Edit {
    start: usize,
    end: usize,
    replacement: String,
}

#[derive(Serialize)]
struct Change<'a> {
    id: &'a str,
    group: &'a str,
    transform: &'a str,
    title: &'a str,
    reason: &'a str,
    level: Level,
    line: usize,
    diff: String,
}

#[derive(Serialize)]
struct Skipped<'a> {
    transform: &'a str,
    line: usize,
    reason: String,
}

#[derive(Serialize)]
pub(super) struct Error<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
}

/// The report as one JSON document, with a final line break.
///
/// # Errors
/// None that is known of; serialisation of these types can't fail.
pub fn report(report: &Report) -> Result<String, serde_json::Error> {
    let files = report.files.iter().map(|file| {
        let outcome = &file.outcome;
        let changes = outcome.changes.iter().zip(outcome.steps()).map(|(change, (before, after))| Change {
            id: &change.id,
            group: &change.group,
            transform: change.transform,
            title: &change.title,
            reason: &change.reason,
            level: change.level,
            line: change.line,
            diff: if file.is_new && before.is_empty() {
                patch::creation(&file.relative, &after)
            } else {
                patch::patch(&file.relative, &before, &after)
            },
        });
        let held = outcome.held_back.iter().map(|held| Skipped {
            transform: held.transform,
            line: held.line,
            reason: format!("held back for review: {}: {}", held.title, held.reason),
        });
        let skipped = outcome.skips.iter().map(|skip| Skipped {
            transform: skip.transform,
            line: skip.line,
            reason: skip.reason.clone(),
        });
        File {
            path: &file.path,
            kind: outcome.kind,
            sha256: Sha256::digest(outcome.before.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
            edits: edits(&outcome.before, &outcome.after),
            diff: patch::file(file),
            changes: changes.collect(),
            skipped: skipped.chain(held).collect(),
        }
    });
    let root = Root { version: 1, files: files.collect(), errors: errors(&report.errors), summary: report.counts() };
    serde_json::to_string_pretty(&root).map(|text| text + "\n")
}

pub(super) fn errors(errors: &[ErrorReport]) -> Vec<Error<'_>> {
    let each = errors.iter().map(|error| Error {
        path: &error.path,
        line: error.line,
        column: error.column,
        message: &error.message,
    });
    each.collect()
}

/// The difference as replacements of whole lines.
fn edits(before: &str, after: &str) -> Vec<Edit> {
    if before == after {
        return Vec::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let offsets = |lines: &[&str]| -> Vec<usize> {
        let ends = lines.iter().scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        });
        std::iter::once(0).chain(ends).collect()
    };
    let (old_at, new_at) = (offsets(&old), offsets(&new));
    let ops = similar::capture_diff_slices(similar::Algorithm::Myers, &old, &new);
    let changed = ops.iter().filter(|op| op.tag() != similar::DiffTag::Equal);
    changed
        .map(|op| Edit {
            start: old_at[op.old_range().start],
            end: old_at[op.old_range().end],
            replacement: after[new_at[op.new_range().start]..new_at[op.new_range().end]].to_owned(),
        })
        .collect()
}
