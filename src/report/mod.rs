//! What is printed: text for people, patches and JSON for programs.

pub mod doctor;
pub mod forecast;
pub mod github;
pub mod json;
pub mod models;
pub mod patch;
pub mod services;
pub mod text;
pub mod verify;

use similar::TextDiff;

use crate::engine::Outcome;

/// Everything that a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// By shown path.
    pub files: Vec<FileReport>,
    pub errors: Vec<ErrorReport>,
}

#[derive(Debug)]
pub struct FileReport {
    /// As shown to people.
    pub path: String,
    /// As in patches: relative to the git root, or to the named folder.
    pub relative: String,
    pub outcome: Outcome,
    /// Whether the file is not there yet.
    pub is_new: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReport {
    pub path: String,
    /// From 1; 0 where there is no place in the file.
    pub line: usize,
    pub column: usize,
    pub message: String,
    /// Whether the run fails with it: the command line names the file, or `--strict` holds.
    pub fatal: bool,
}

impl ErrorReport {
    /// `path:line:column: message`.
    pub fn text(&self) -> String {
        match self.line {
            0 => format!("{}: {}", self.path, self.message),
            line => format!("{}:{line}:{}: {}", self.path, self.column, self.message),
        }
    }
}

/// Counts over a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub files: usize,
    pub changed: usize,
    pub changes: usize,
    pub held_back: usize,
    pub skipped: usize,
    pub errors: usize,
}

impl Report {
    pub fn counts(&self) -> Counts {
        let sum = |count: fn(&Outcome) -> usize| self.files.iter().map(|file| count(&file.outcome)).sum();
        Counts {
            files: self.files.len(),
            changed: self.files.iter().filter(|file| file.outcome.is_changed()).count(),
            changes: sum(|outcome| outcome.changes.iter().filter(|change| change.is_here()).count()),
            held_back: sum(|outcome| outcome.held_back.len()),
            skipped: sum(|outcome| outcome.skips.len()),
            errors: self.errors.len(),
        }
    }
}

impl Outcome {
    pub fn is_changed(&self) -> bool {
        self.before != self.after
    }

    /// The text before and after each change, in order.
    pub fn steps(&self) -> Vec<(String, String)> {
        let mut text = self.before.clone();
        let mut steps = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            let next = change.edits.apply(&text);
            steps.push((text, next.clone()));
            text = next;
        }
        steps
    }
}

/// The hunks of a unified diff, without file headers. Lines end at `\n` only, so that a lone carriage return stays
/// inside its line.
pub fn hunks(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    diff.unified_diff().context_radius(3).to_string()
}
