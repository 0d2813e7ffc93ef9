//! Files that changes of other files add to: .dockerignore files, in which every pattern stands once, however many Dockerfiles share
//! them, and compose files that are not there yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::discover::Found;
use crate::edit::{Edit, EditSet};
use crate::engine::{Applied, Outcome};
use crate::facts::compose::edits::NewMount;
use crate::project::Project;
use crate::report::FileReport;
use crate::transform::{Beside, Kind};
use crate::yaml::Stream;

/// What the changes of `reports` do to files that are not among them, with where these lie.
pub fn collect(reports: &[(&FileReport, &Found)], projects: &BTreeMap<PathBuf, Project>) -> Vec<(FileReport, Found)> {
    let mut files: BTreeMap<(PathBuf, String), (FileReport, Found)> = BTreeMap::new();
    for (report, found) in reports {
        let Some(project) = projects.get(&found.root) else { continue };
        for change in &report.outcome.changes {
            for beside in &change.beside {
                let key = (found.root.clone(), beside.path().to_owned());
                let (file, _) = files.entry(key).or_insert_with(|| open(beside, found, project));
                match beside {
                    Beside::Ignore { patterns, .. } => append(file, &report.relative, change, patterns),
                    Beside::Mount { path, mount } => {
                        add_mount(&mut file.outcome, [&report.relative, path], change, mount);
                    }
                }
            }
        }
    }
    files.into_values().collect()
}

/// The compose files that the changes of one file make, by their path.
pub fn made(path: &str, outcome: &Outcome) -> BTreeMap<String, Outcome> {
    let mut files = BTreeMap::new();
    for change in &outcome.changes {
        for beside in &change.beside {
            if let Beside::Mount { path: other, mount } = beside {
                let file = files.entry(other.clone()).or_insert_with(|| empty(Kind::Compose, String::new()));
                add_mount(file, [path, other], change, mount);
            }
        }
    }
    files
}

fn empty(kind: Kind, text: String) -> Outcome {
    Outcome {
        kind,
        before: text.clone(),
        after: text,
        changes: Vec::new(),
        skips: Vec::new(),
        held_back: Vec::new(),
        faults: Vec::new(),
    }
}

fn open(beside: &Beside, from: &Found, project: &Project) -> (FileReport, Found) {
    let path = beside.path();
    let kind = match beside {
        Beside::Ignore { .. } => Kind::Dockerignore,
        Beside::Mount { .. } => Kind::Compose,
    };
    let text = project.tree.text(path);
    let place = project.tree.place(path).unwrap_or_else(|| PathBuf::from(path));
    let shown = shown(path, &place, from);
    let is_new = text.is_none();
    let outcome = empty(kind, text.unwrap_or_default());
    let report = FileReport { path: shown.display().to_string(), relative: path.to_owned(), outcome, is_new };
    (report, Found { shown, relative: path.to_owned(), kind, named: false, root: from.root.clone() })
}

/// The path as that of the file that is changed is shown.
fn shown(path: &str, place: &Path, from: &Found) -> PathBuf {
    let shown = from.shown.to_string_lossy();
    if let Some(before) = shown.strip_suffix(&from.relative) {
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
    let names = new.join(", ");
    let title = format!("Keep {names} out of the build context");
    let reason = format!(
        "the copy of the sources in {dockerfile} comes behind the install, and would lay what is there on the machine that builds over what the install writes"
    );
    let edit = Edit::insert(text.len(), lines);
    put(&mut file.outcome, change, title, reason, vec![edit]);
}

/// Puts the mount into a file that the same run makes.
fn add_mount(outcome: &mut Outcome, [compose, path]: [&str; 2], change: &Applied, mount: &NewMount) {
    let text = &outcome.after;
    let edits = if text.is_empty() {
        vec![Edit::insert(0, mount.file())]
    } else {
        let added = Stream::read(text)
            .map_err(|error| error.to_string())
            .and_then(|stream| mount.add(text, &stream).map(|addition| addition.edits));
        match added {
            Ok(edits) => edits,
            Err(reason) => {
                outcome.faults.push(format!("{}: {reason}; this change is dropped", change.transform));
                return;
            }
        }
    };
    let title = format!("Mount the volume {} in `{}`", mount.volume, mount.service);
    let reason = format!("{}; start it with `docker compose -f {compose} -f {path} up`", change.reason);
    put(outcome, change, title, reason, edits);
}

fn put(outcome: &mut Outcome, change: &Applied, title: String, reason: String, edits: Vec<Edit>) {
    let text = &outcome.after;
    let line = outcome.before.lines().count() + 1;
    // Insertions into the text as it stands are in bounds.
    let Ok(edits) = EditSet::new(text, edits) else { return };
    outcome.after = edits.apply(text);
    outcome.changes.push(Applied {
        id: change.id.clone(),
        group: change.group.clone(),
        transform: change.transform,
        title,
        reason,
        level: change.level,
        line,
        beside: Vec::new(),
        edits,
    });
}
