//! `restow apply`: write the changes.

use clap::Args;

use super::{Common, Format, diff, print, run};
use crate::report::{ErrorReport, text};
use crate::write;

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
    let mut failed = Vec::new();
    let mut kept = Vec::new();
    for (file, found) in std::mem::take(&mut finished.report.files).into_iter().zip(&finished.found) {
        if file.outcome.is_changed() {
            let outcome = &file.outcome;
            if let Err(error) = write::replace(&found.shown, &found.root, &outcome.before, &outcome.after) {
                failed.push(ErrorReport {
                    path: file.path,
                    line: 0,
                    column: 0,
                    message: error.to_string(),
                    fatal: true,
                });
                continue;
            }
        }
        kept.push(file);
    }
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
