//! Files that changes of Dockerfiles add to: every pattern once, however many Dockerfiles share the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::discover::Found;
use crate::edit::{Edit, EditSet};
use crate::engine::{Applied, Outcome};
use crate::project::Project;
use crate::report::FileReport;
use crate::transform::{Beside, Kind};

/// What the changes of `reports` do to files that are not among them, with where these lie.
pub fn collect(reports: &[(&FileReport, &Found)], projects: &BTreeMap<PathBuf, Project>) -> Vec<(FileReport, Found)> {
    let mut files: BTreeMap<(PathBuf, String), (FileReport, Found)> = BTreeMap::new();
    for (report, found) in reports {
        let Some(project) = projects.get(&found.root) else { continue };
        for change in &report.outcome.changes {
            for Beside::Ignore { path, patterns } in &change.beside {
                let key = (found.root.clone(), path.clone());
                let (file, _) = files.entry(key).or_insert_with(|| open(path, found, project));
                append(file, &report.relative, change, patterns);
            }
        }
    }
    files.into_values().collect()
}

fn open(path: &str, dockerfile: &Found, project: &Project) -> (FileReport, Found) {
    let text = project.tree.text(path);
    let place = project.tree.place(path).unwrap_or_else(|| PathBuf::from(path));
    let shown = shown(path, &place, dockerfile);
    let outcome = Outcome {
        kind: Kind::Dockerignore,
        before: text.clone().unwrap_or_default(),
        after: text.clone().unwrap_or_default(),
        changes: Vec::new(),
        skips: Vec::new(),
        held_back: Vec::new(),
        faults: Vec::new(),
    };
    let report =
        FileReport { path: shown.display().to_string(), relative: path.to_owned(), outcome, is_new: text.is_none() };
    let root = dockerfile.root.clone();
    (report, Found { shown, relative: path.to_owned(), kind: Kind::Dockerignore, named: false, root })
}

/// The path as the Dockerfile's own is shown.
fn shown(path: &str, place: &Path, dockerfile: &Found) -> PathBuf {
    let shown = dockerfile.shown.to_string_lossy();
    if let Some(before) = shown.strip_suffix(&dockerfile.relative) {
        return PathBuf::from(format!("{before}{path}"));
    }
    let here = std::env::current_dir().ok().and_then(|folder| folder.canonicalize().ok());
    here.and_then(|here| place.strip_prefix(here).ok()).unwrap_or(place).to_owned()
}

fn append(file: &mut FileReport, dockerfile: &str, change: &Applied, patterns: &[String]) {
    let text = &file.outcome.after;
    let new: Vec<&str> = patterns
        .iter()
        .map(String::as_str)
        .filter(|pattern| !text.lines().any(|line| line.trim() == *pattern))
        .collect();
    if new.is_empty() {
        return;
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines = String::new();
    if !text.is_empty() && !text.ends_with('\n') {
        lines.push_str(end);
    }
    for pattern in &new {
        lines.push_str(pattern);
        lines.push_str(end);
    }
    // An insertion at the end of the text is in bounds.
    let Ok(edits) = EditSet::new(text, [Edit::insert(text.len(), lines)]) else { return };
    let names = new.join(", ");
    file.outcome.after = edits.apply(text);
    file.outcome.changes.push(Applied {
        id: change.id.clone(),
        group: change.group.clone(),
        transform: change.transform,
        title: format!("Keep {names} out of the build context"),
        reason: format!(
            "the copy of the sources in {dockerfile} comes behind the install, and would lay what is there on the machine that builds over what the install writes"
        ),
        level: change.level,
        line: file.outcome.before.lines().count() + 1,
        beside: Vec::new(),
        edits,
    });
}
