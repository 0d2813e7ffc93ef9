//! What restow sees in an instruction of a Dockerfile.

use std::fmt::Write;

use super::Place;
use crate::config::Settings;
use crate::dockerfile::{Dockerfile, Instruction, Keyword};
use crate::facts::caches::{Account, account};
use crate::facts::{Base, Facts, Run, Scripts};

/// The instruction at a line; none where there is none.
pub fn at(source: &str, file: &Dockerfile, line: usize, settings: &Settings) -> Option<Place> {
    let holds = |ins: &Instruction| ins.start_line <= line && line <= ins.end_line;
    let at = file.instructions.iter().position(holds)?;
    let facts = Facts::new(source, file, &settings.knowledge, &Scripts::new());
    let instruction = &file.instructions[at];
    let mut text = instruction.keyword_span.of(source).to_uppercase();
    text.push('\n');
    if instruction.keyword == Keyword::Run
        && let Some(run) = facts.runs.iter().find(|run| run.instruction == at)
    {
        run_text(&facts, run, &mut text);
    }
    Some(Place { lines: (instruction.start_line, instruction.end_line), text })
}

fn run_text(facts: &Facts<'_>, run: &Run, out: &mut String) {
    let stage = &facts.stages[run.stage];
    let name = stage.name.as_deref().map_or_else(|| format!("number {}", run.stage), str::to_owned);
    let chain: Vec<String> = facts
        .ancestors(run.stage)
        .iter()
        .map(|at| match &facts.stages[*at].base {
            Base::Image(image) => {
                let known = if image.known.is_some() { "known" } else { "unknown" };
                format!("{} ({known} base image)", image.reference)
            }
            Base::Stage(parent) => facts.stages[*parent].name.clone().unwrap_or_else(|| parent.to_string()),
            Base::Scratch => "scratch".to_owned(),
        })
        .collect();
    let _ = writeln!(out, "  stage {name}, from {}", chain.join(", from "));
    let user = match &run.state.user {
        Some(user) => {
            let uid = user.uid.map_or_else(|| "unknown uid".to_owned(), |uid| format!("uid {uid}"));
            let home = run.state.home().map_or_else(|| "unknown home".to_owned(), |home| format!("home {home}"));
            format!("{} ({uid}, {home})", user.name)
        }
        None => "decided by the base image, which is not known".to_owned(),
    };
    let _ = writeln!(out, "  user {user}");
    for mount in &run.mounts {
        let _ = writeln!(
            out,
            "  mount {} at {}",
            mount.kind,
            mount.target.as_deref().unwrap_or("a path that can't be told")
        );
    }
    if let Err(reason) = run.script() {
        let _ = writeln!(out, "  commands not read: {reason}");
    }
    for call in run.calls() {
        let command = &run.commands()[call.command];
        let whom = match account(run, command) {
            Account::Root => "as root",
            Account::User { .. } => "not as root",
            Account::Unknown => "as a user that can't be told",
        };
        let caches = crate::facts::caches::caches(run, call);
        let place = match caches {
            Ok(caches) => caches.iter().map(|cache| cache.path.clone()).collect::<Vec<_>>().join(", "),
            Err(reason) => reason,
        };
        let _ = writeln!(out, "  {} {:?} {whom}; its cache: {place}", call.manager.id, call.verb);
    }
}
