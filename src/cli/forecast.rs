//! `restow forecast`: how many steps are CACHED in each scenario, before and after the pending changes.

use std::io::Write;

use anyhow::{Context as _, bail};
use clap::Args;
use rayon::prelude::*;

use super::images::{self, Image};
use super::{Common, Format, print, run};
use crate::forecast::{self, Theme};
use crate::report::forecast::{self as report, Counts, Refused, Scenario, Side};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    /// Only as the files stand, without the pending changes
    #[arg(long)]
    pub now: bool,
    /// As on hosted CI that imports its layers: every cache mount starts empty
    #[arg(long)]
    pub empty_mounts: bool,
    /// Only these scenarios: nothing, code, manifest, install, base, build-argument, failure
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = theme)]
    pub scenario: Vec<Theme>,
}

/// The scenario that a name means.
///
/// # Errors
/// No such scenario.
pub fn theme(name: &str) -> Result<Theme, String> {
    let names = Theme::ALL.map(Theme::name);
    let found = Theme::ALL.into_iter().find(|theme| theme.name() == name);
    found.ok_or_else(|| format!("there are {}", names.join(", ")))
}

/// # Errors
/// Misuse of the command line or of restow.toml, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let common = &arguments.common;
    if !matches!(common.format, Format::Text | Format::Json) {
        bail!("forecast prints no patches and annotations: --format is text or json");
    }
    if common.paths.iter().any(|path| path.as_os_str() == "-") {
        bail!("forecast looks at the files of the build context, so it reads no Dockerfile from standard input");
    }
    let finished = run::run(common)?;
    let (images, mut refused) = images::images(&finished);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(common.jobs).stack_size(run::STACK);
    let pool = threads.build().context("threads")?;
    let each: Vec<Result<report::Image, Refused>> =
        pool.install(|| images.par_iter().map(|image| one(arguments, image)).collect());
    let mut found = Vec::new();
    for image in each {
        match image {
            Ok(image) => found.push(image),
            Err(reason) => refused.push(reason),
        }
    }
    let errors = &finished.report.errors;
    print(&match common.format {
        Format::Json => report::json(&found, &refused, errors)?,
        _ => report::text(&found, common.verbose),
    })?;
    run::tell_errors(errors, common.quiet);
    if !common.quiet {
        let mut err = std::io::stderr().lock();
        for refused in &refused {
            let _ = writeln!(err, "note: {}: not forecast: {}", refused.name(), refused.reason);
        }
        for note in &finished.notes {
            let _ = writeln!(err, "note: {note}");
        }
        let counts = finished.report.counts();
        let more = if counts.held_back > 0 && !arguments.now {
            format!("; {} more changes with --review", counts.held_back)
        } else {
            String::new()
        };
        let images = if found.len() == 1 { "1 image".to_owned() } else { format!("{} images", found.len()) };
        let _ = writeln!(err, "{images}, {} not forecast{more}", refused.len());
    }
    Ok(run::status(&finished, super::DONE))
}

fn one(arguments: &Arguments, image: &Image) -> Result<report::Image, Refused> {
    let looked = image.look(|before, after| {
        let after = after.filter(|_| !arguments.now);
        let mut scenarios = forecast::scenarios(before, after);
        scenarios.retain(|found| arguments.scenario.is_empty() || arguments.scenario.contains(&found.theme));
        let mut rows = Vec::new();
        let mut steps = Counts { before: 0, after: None };
        for scenario in scenarios {
            let side = |subject| forecast::forecast(subject, &scenario, arguments.empty_mounts);
            let before = Side::new(&side(before)?);
            let after = after.map(side).transpose()?.as_ref().map(Side::new);
            steps = Counts { before: before.steps, after: after.as_ref().map(|side| side.steps) };
            rows.push(Scenario { scenario: scenario.theme, title: scenario.title, edit: scenario.edit, before, after });
        }
        Ok((steps, rows))
    });
    match looked.and_then(|looked| looked) {
        Ok((steps, scenarios)) => Ok(report::Image {
            service: image.service.clone(),
            dockerfile: image.shown.clone(),
            context: image.context.clone(),
            target: image.target.clone(),
            steps,
            scenarios,
        }),
        Err(reason) => Err(Refused { service: image.service.clone(), dockerfile: image.shown.clone(), reason }),
    }
}
