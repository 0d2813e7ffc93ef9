//! How many steps of a build are CACHED after a change, told from the files: BuildKit's rules without BuildKit.
//!
//! A step is what the builder's log numbers (RUN, COPY, ADD, WORKDIR). Its key in the cache is what it does ([`definitions`]) and the keys
//! of what it works on; a COPY looks at the files themselves. So a scenario is two worlds, before and after the edit, and a step is
//! CACHED where the two agree on it and on all that it stands on.
//!
//! Source: `solver/` and `frontend/dockerfile/dockerfile2llb/convert.go` of moby/buildkit; each rule is held by a real build in
//! tests/real_build.rs or by an example in `tests`.

mod contents;
mod definitions;
mod expense;
mod first_install;
mod paths;
mod scenarios;
mod statuses;
mod summary;
#[cfg(test)]
mod tests;
mod values;
mod world;

use crate::context::BuildContext;
use crate::facts::Facts;

pub use first_install::{FirstInstall, first_install};
pub use scenarios::{Edit, Scenario, Theme, scenarios};
pub use summary::{Gain, gain};

/// An image that is built: a Dockerfile with a context, a target and arguments.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub facts: &'a Facts<'a>,
    pub context: &'a BuildContext<'a>,
    /// The Dockerfile's path in the context, where it lies in it.
    pub dockerfile: Option<&'a str>,
    /// Name or number of the stage; none for the last one.
    pub target: Option<&'a str>,
    /// Build arguments that the build passes; one without a value comes from the environment.
    pub arguments: &'a [(String, Option<String>)],
    /// Names that restow.toml adds to those that change with every commit.
    pub per_commit: &'a [String],
}

/// What a second build finds in the cache that the first one left.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// RUN, COPY, ADD and WORKDIR in every stage that the target needs, in the order of the file. What two stages have in common is one
    /// step.
    pub steps: Vec<Step>,
}

/// A step of a build.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// On which the instruction starts in the Dockerfile, from 1.
    pub line: usize,
    /// Index of the instruction.
    #[serde(skip)]
    pub instruction: usize,
    /// The instruction on one line.
    pub text: String,
    pub status: Status,
    /// What makes the step slow, if something does.
    pub expense: Option<Expense>,
    /// Whether the step, where it runs again, finds its downloads in a cache mount.
    pub finds_downloads: bool,
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Cached,
    /// Cached where the steps that it stands on, run again, give the same files.
    Depends,
    Again,
}

/// What makes a step slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Expense {
    Install,
    Download,
    Compilation,
}

impl Expense {
    pub fn name(self) -> &'static str {
        match self {
            Expense::Install => "install",
            Expense::Download => "download",
            Expense::Compilation => "compilation",
        }
    }
}

impl Outcome {
    /// The least and the most steps that are CACHED.
    pub fn cached(&self) -> (usize, usize) {
        let least = self.steps.iter().filter(|step| step.status == Status::Cached).count();
        let most = self.steps.iter().filter(|step| step.status != Status::Again).count();
        (least, most)
    }

    /// The least and the most steps that run again.
    pub fn again(&self) -> (usize, usize) {
        let (least, most) = self.cached();
        (self.steps.len() - most, self.steps.len() - least)
    }

    /// The slow steps that run again, or may.
    pub fn expensive(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.expense.is_some() && step.status != Status::Cached)
    }
}

/// What the build of `subject` finds in the cache that its first build left, after what `scenario` does. With `empty_mounts` the layers
/// are kept and every cache mount is empty, as on hosted CI that imports its cache.
///
/// # Errors
/// Why it can't be told.
pub fn forecast(subject: &Subject<'_>, scenario: &Scenario, empty_mounts: bool) -> Result<Outcome, String> {
    let stages = definitions::needed(subject)?;
    let statuses = match &scenario.edit {
        Edit::Failure { install } => {
            let broken = first_install(subject, Some(install)).ok_or("there is no install that could fail")?;
            statuses::after_failure(
                &definitions::define(subject, &stages, &world::World::default())?,
                broken.instruction,
            )
        }
        edit => {
            let before = definitions::define(subject, &stages, &world::World::default())?;
            let after = definitions::define(subject, &stages, &world::World::after(subject, edit)?)?;
            statuses::compare(subject, &before, &after)
        }
    };
    let facts = subject.facts;
    let steps = statuses.into_iter().map(|(instruction, status)| {
        let run = facts.runs.iter().find(|run| run.instruction == instruction);
        let expense = expense::of(facts, instruction, run);
        Step {
            line: facts.line(instruction),
            instruction,
            text: one_line(facts, instruction),
            status,
            expense,
            finds_downloads: !empty_mounts && run.is_some_and(|run| expense::finds_downloads(facts, run)),
        }
    });
    Ok(Outcome { steps: steps.collect() })
}

/// An instruction without its mounts, white space joined.
fn one_line(facts: &Facts<'_>, instruction: usize) -> String {
    let instruction = &facts.file.instructions[instruction];
    let keyword = instruction.keyword_span.of(facts.text).to_uppercase();
    let flags = instruction.flags.iter().filter(|flag| flag.name() != "mount").map(|flag| flag.text.clone());
    let words = instruction.args().split_whitespace().map(str::to_owned);
    let body = instruction.script_heredoc().map(|(heredoc, _)| heredoc.body.of(facts.text));
    let first =
        body.and_then(|body| body.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')));
    let all = std::iter::once(keyword).chain(flags).chain(words).chain(first.map(str::to_owned));
    all.collect::<Vec<_>>().join(" ")
}
