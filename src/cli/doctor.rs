//! `restow doctor`: what this machine's builder can do with the changes.

use std::io::Write;

use clap::Args;

use super::{Common, Format, cache_mode, print, run, services};
use crate::config::CacheMode;
use crate::docker::LIMIT;
use crate::docker::judge::{Needs, State, judge};
use crate::docker::machine::Machine;
use crate::dockerfile::Keyword;
use crate::engine::{self, Parsed};
use crate::facts::compose::entry_type;
use crate::report::{Report, doctor};
use crate::transform::Kind;

#[derive(Debug, Args)]
// Two groups of one name can't stand in one command.
#[group(id = "doctor")]
pub struct Arguments {
    #[command(flatten)]
    pub files: services::Arguments,
    /// What add-cache-from would write: inline, registry, local, classic or off [default: of restow.toml, else inline]
    #[arg(long, value_name = "MODE", value_parser = cache_mode)]
    pub cache_mode: Option<CacheMode>,
}

/// # Errors
/// Misuse of the command line or of restow.toml, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let common = Common {
        review: true,
        cache_mode: arguments.cache_mode,
        quiet: arguments.files.quiet,
        ..arguments.files.common("doctor")?
    };
    let finished = run::run(&common)?;
    let needs = needs(&finished.report);
    let machine = Machine::ask(LIMIT);
    let checks = judge(&machine, &needs);
    let errors = &finished.report.errors;
    let out = match arguments.files.format {
        Format::Json => doctor::json(&machine, &needs, &checks, errors)?,
        _ => doctor::text(&needs, &checks),
    };
    print(&out)?;
    run::tell_errors(errors, common.quiet);
    if !common.quiet {
        let mut err = std::io::stderr().lock();
        for note in &finished.notes {
            let _ = writeln!(err, "note: {note}");
        }
        let _ = writeln!(err, "{}", doctor::counts(&needs, &checks));
    }
    let has_problem = checks.iter().any(|check| check.state == State::Problem);
    Ok(run::status(&finished, if has_problem { super::PENDING } else { super::DONE }))
}

/// What the changes need of a builder, and what the files have already.
fn needs(report: &Report) -> Needs {
    let mut needs = Needs::default();
    for outcome in report.files.iter().map(|file| &file.outcome) {
        let there = Features::of(outcome.kind, &outcome.before);
        needs.mounts.there += there.mounts;
        needs.exports.there += there.exports;
        needs.inline.there += there.inline;
        needs.services += there.services;
        let steps = outcome.changes.iter().zip(outcome.steps());
        for (_, (before, after)) in steps.filter(|(change, _)| change.is_here()) {
            needs.changes += 1;
            match outcome.kind {
                Kind::Workflow => needs.ci += 1,
                Kind::Compose => needs.compose += 1,
                Kind::Dockerfile | Kind::Bake | Kind::Dockerignore => {}
            }
            let (before, after) = (Features::of(outcome.kind, &before), Features::of(outcome.kind, &after));
            let (exports, inline) = (after.exports > before.exports, after.inline > before.inline);
            needs.mounts.pending += usize::from(after.mounts > before.mounts);
            needs.exports.pending += usize::from(exports);
            needs.inline.pending += usize::from(inline && !exports);
            needs.imports += usize::from(after.imports > before.imports && !exports && !inline);
        }
    }
    needs
}

/// How often a file asks for something that not every builder does.
#[derive(Default)]
struct Features {
    /// `RUN --mount`.
    mounts: usize,
    exports: usize,
    inline: usize,
    imports: usize,
    /// With `build`, in a compose file.
    services: usize,
}

impl Features {
    fn of(kind: Kind, text: &str) -> Self {
        let mut found = Self::default();
        // Only files that were read as what they are have changes.
        let Ok(parsed) = engine::read(kind, text) else { return found };
        match parsed {
            Parsed::Dockerfile(file) => {
                let runs = file.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Run);
                let with = runs.filter(|run| run.flags.iter().any(|flag| flag.name() == "mount"));
                found.mounts = with.count();
            }
            Parsed::Compose(_, compose) => {
                for build in compose.services.iter().filter_map(|service| service.any_build()) {
                    found.services += 1;
                    found.caches(build.cache_from.as_deref(), build.cache_to.as_deref());
                }
                // Dockerfiles that stand in the file.
                found.mounts = text.matches("--mount=type=").count();
            }
            Parsed::Bake(bake) => {
                for target in &bake.targets {
                    found.caches(target.cache_from.as_deref(), target.cache_to.as_deref());
                }
            }
            Parsed::Workflow(..) => {}
        }
        found
    }

    fn caches(&mut self, from: Option<&[String]>, to: Option<&[String]>) {
        let to = to.unwrap_or_default();
        self.imports += from.map_or(0, <[String]>::len);
        self.inline += to.iter().filter(|entry| entry_type(entry) == Some("inline")).count();
        // Others, such as gha, are for CI.
        self.exports +=
            to.iter().filter(|entry| matches!(entry_type(entry), Some("registry" | "local") | None)).count();
    }
}
