//! `restow apply`: write the changes.

use std::collections::HashSet;

use clap::Args;

use super::{Common, Format, diff, print, run};
use crate::discover::Found;
use crate::report::{ErrorReport, FileReport, text};
use crate::transform::Kind;
use crate::write::{self, WriteError};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
}

/// # Errors
/// Misuse, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut finished = run::run(&arguments.common)?;
    if let Some(text) = &finished.stdin {
        // A text that can't be read comes out as it went in, so that a pipe loses nothing.
        print(finished.report.files.first().map_or(text, |file| &file.outcome.after))?;
        run::tell(&finished, &arguments.common, "changed");
        return Ok(run::status(&finished, super::DONE));
    }
    let (kept, failed) = write_all(std::mem::take(&mut finished.report.files), &finished.found);
    finished.report.files = kept;
    finished.report.errors.extend(failed);
    let out = match arguments.common.format {
        Format::Text => {
            let changed = finished.report.files.iter().filter(|file| file.outcome.is_changed());
            let line =
                |path: &str, count: usize| format!("{path}: {count} change{}\n", if count == 1 { "" } else { "s" });
            changed.map(|file| line(&file.path, file.outcome.changes.len())).collect()
        }
        format => diff::render(&finished.report, format, text::Options::default())?,
    };
    print(&out)?;
    run::tell(&finished, &arguments.common, "changed");
    Ok(run::status(&finished, super::DONE))
}

/// Writes the files that changed: first those that others depend on. What could not be written is an error, and so is what depends on
/// it.
fn write_all(files: Vec<FileReport>, found: &[Found]) -> (Vec<FileReport>, Vec<ErrorReport>) {
    let (mut kept, mut failed) = (Vec::new(), Vec::new());
    let (beside, others): (Vec<_>, Vec<_>) =
        files.into_iter().zip(found).partition(|(file, _)| file.is_new || file.outcome.kind == Kind::Dockerignore);
    let mut missing: Vec<(String, String)> = Vec::new();
    let mut written: Vec<(FileReport, &Found)> = Vec::new();
    for (file, found) in beside {
        match write(&file, found) {
            Ok(()) => written.push((file, found)),
            Err(error) => {
                let groups = file.outcome.changes.iter().map(|change| change.group.clone());
                missing.extend(groups.map(|group| (group, file.path.clone())));
                failed.push(failure(&file.path, error.to_string()));
            }
        }
    }
    let mut made: HashSet<String> = HashSet::new();
    for (file, found) in others {
        let lacks = missing.iter().find(|(group, _)| file.outcome.changes.iter().any(|change| change.group == *group));
        let result = match lacks {
            Some((_, path)) => Err(format!("left as it is, because {path} could not be written")),
            None => write(&file, found).map_err(|error| error.to_string()),
        };
        match result {
            Ok(()) => {
                made.extend(file.outcome.changes.iter().map(|change| change.group.clone()));
                kept.push(file);
            }
            Err(message) => failed.push(failure(&file.path, message)),
        }
    }
    for (file, found) in written {
        if file.outcome.changes.iter().any(|change| made.contains(&change.group)) {
            kept.push(file);
        } else if let Err(error) = undo(&file, found) {
            failed.push(failure(&file.path, format!("it was written and could not be taken back: {error}")));
        }
    }
    (kept, failed)
}

fn failure(path: &str, message: String) -> ErrorReport {
    ErrorReport { path: path.to_owned(), line: 0, column: 0, message, fatal: true }
}

fn write(file: &FileReport, found: &Found) -> Result<(), WriteError> {
    match &file.outcome {
        outcome if !outcome.is_changed() => Ok(()),
        outcome if file.is_new => write::create(&found.shown, &found.root, &outcome.after),
        outcome => write::replace(&found.shown, &found.root, &outcome.before, &outcome.after),
    }
}

fn undo(file: &FileReport, found: &Found) -> Result<(), WriteError> {
    if file.is_new {
        return Ok(std::fs::remove_file(&found.shown)?);
    }
    write::replace(&found.shown, &found.root, &file.outcome.after, &file.outcome.before)
}
