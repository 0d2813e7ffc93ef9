//! `restow check`: one line per pending change; for CI.

use clap::Args;

use super::{Common, Format, diff, print, run};
use crate::report::text;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
}

/// # Errors
/// Misuse, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let finished = run::run(&arguments.common)?;
    let out = match arguments.common.format {
        Format::Text => {
            let files = finished.report.files.iter();
            let lines = files.flat_map(|file| {
                file.outcome.changes.iter().filter(|change| change.is_here()).map(|change| {
                    let (level, title) = (change.level.name(), &change.title);
                    format!("{}:{}: {} [{level}] {title}\n", file.path, change.line, change.transform)
                })
            });
            lines.collect()
        }
        format => diff::render(&finished.report, format, text::Options::default())?,
    };
    print(&out)?;
    run::tell(&finished, &arguments.common, "would change");
    let pending = finished.report.counts().changes > 0;
    Ok(run::status(&finished, if pending { super::PENDING } else { super::DONE }))
}
