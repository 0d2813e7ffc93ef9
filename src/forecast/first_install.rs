//! The first install of a Dockerfile.

use super::Subject;
use super::definitions;
use crate::facts::managers::Verb;
use crate::facts::{Run, RunForm};

/// Which install is meant, in both versions of a Dockerfile: by its manager and its stage.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FirstInstall {
    pub manager: String,
    /// Name of the stage; none for one without a name.
    pub stage: Option<String>,
}

/// The first install of the stages that the target needs: the one that `like` describes, where the Dockerfile has it.
pub fn first_install<'a>(subject: &Subject<'a>, like: Option<&FirstInstall>) -> Option<&'a Run> {
    let facts = subject.facts;
    let stages = definitions::needed(subject).ok()?;
    let mut installs = facts.runs.iter().filter(|run| stages.contains(&run.stage) && manager(run).is_some());
    let is_meant = |run: &&Run| {
        like.is_none_or(|like| {
            manager(run) == Some(like.manager.as_str()) && facts.stages[run.stage].name == like.stage
        })
    };
    installs.clone().find(is_meant).or_else(|| installs.next())
}

impl FirstInstall {
    /// The first install of `subject`.
    pub fn of(subject: &Subject<'_>) -> Option<Self> {
        let run = first_install(subject, None)?;
        let stage = subject.facts.stages[run.stage].name.clone();
        Some(Self { manager: manager(run)?.to_owned(), stage })
    }

    /// Where in the Dockerfile's text the install is edited, in bytes, and what comes to stand there: a command that does nothing, in
    /// front of the others. None for a JSON array, and for a heredoc that another program reads.
    pub fn edit(&self, subject: &Subject<'_>) -> Option<(usize, &'static str)> {
        let run = first_install(subject, Some(self))?;
        match run.form {
            RunForm::Exec => None,
            RunForm::Heredoc => Some((run.text.offset(0), ":\n")),
            RunForm::Shell => Some((run.text.offset(0), ": && ")),
        }
    }
}

/// The package manager that a RUN installs with.
fn manager(run: &Run) -> Option<&'static str> {
    let mut calls = run.calls().iter();
    calls.find(|call| matches!(call.verb, Verb::Install | Verb::Fetch)).map(|call| call.manager.id)
}
