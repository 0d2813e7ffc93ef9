//! `restow diff`: show the changes; writes nothing.

use clap::Args;

use super::{Common, Format, print, run};
use crate::report::{self, github, json, patch, text};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    /// Exit with 1 if there are changes
    #[arg(long)]
    pub exit_code: bool,
    /// Show every change as its own diff, in order
    #[arg(long)]
    pub by_change: bool,
    /// Also show the places left alone, with their reasons
    #[arg(long)]
    pub why_not: bool,
}

/// # Errors
/// Misuse, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let finished = run::run(&arguments.common)?;
    let options = text::Options {
        by_change: arguments.by_change,
        why_not: arguments.why_not,
        color: arguments.common.color.is_on(),
    };
    print(&render(&finished.report, arguments.common.format, options)?)?;
    run::tell(&finished, &arguments.common, "would change");
    let pending = arguments.exit_code && finished.report.counts().changes > 0;
    Ok(run::status(&finished, if pending { super::PENDING } else { super::DONE }))
}

/// The report in one of the formats.
///
/// # Errors
/// JSON that can't be made.
pub fn render(report: &report::Report, format: Format, options: text::Options) -> anyhow::Result<String> {
    Ok(match format {
        Format::Text => text::report(report, options),
        Format::Patch => report.files.iter().map(patch::file).collect(),
        Format::Json => json::report(report)?,
        Format::Github => github::report(report),
    })
}
