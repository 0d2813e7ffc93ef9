//! Directories that other steps, or the container, read: what must hold so that all of them can do without.

use super::place::scripts;
use crate::facts::caches;
use crate::facts::managers::{Manager, Verb};
use crate::facts::readers::{self, Start};
use crate::facts::runs::{Run, Unreadable};
use crate::transform::DockerfileContext;

/// C toolchains and headers: with them, cached objects may depend on system headers that changed.
pub(super) const C_PACKAGES: [&str; 8] =
    ["-dev", "-devel", "build-essential", "build-base", "gcc", "g++", "musl-dev", "clang"];

/// A store that other steps, or the container, read: all of them are mounted, or none.
pub(super) fn store_doubts(
    cx: &DockerfileContext<'_>,
    run: &Run,
    manager: &Manager,
    target: &str,
) -> Result<Vec<String>, String> {
    let facts = cx.facts;
    let mut doubts = Vec::new();
    match readers::container(facts, run.stage, manager) {
        Some(Start::Reads(reader)) => {
            return Err(format!("line {} {}, and {target} would not be in the image", reader.line, reader.what));
        }
        Some(Start::Opaque(reader)) => doubts.push(format!("line {} {}", reader.line, reader.what)),
        None => {}
    }
    let line = |other: &Run| facts.line(other.instruction);
    let related = |other: &&Run| facts.descends(other.stage, run.stage) || facts.descends(run.stage, other.stage);
    let sharers: Vec<&Run> = facts
        .runs
        .iter()
        .filter(related)
        .filter(|other| {
            other
                .calls()
                .iter()
                .any(|call| call.manager.id == manager.id && matches!(call.verb, Verb::Install | Verb::Fetch))
        })
        .collect();
    for other in &sharers {
        let own = other
            .calls()
            .iter()
            .filter(|call| call.manager.id == manager.id && matches!(call.verb, Verb::Install | Verb::Fetch));
        let places = own.clone().map(|call| caches::caches(other, call).ok());
        let same = places.into_iter().all(|caches| {
            caches.is_some_and(|caches| {
                caches.iter().any(|cache| cache.path == target) || caches.iter().all(|cache| !cache.store)
            })
        });
        let offline = readers::offline(facts, other, manager).filter(|_| other.instruction < run.instruction);
        if !same && other.instruction != run.instruction {
            return Err(format!(
                "line {} uses {} in another place or as another user, and both must agree",
                line(other),
                manager.id
            ));
        }
        if let Some(reader) = offline {
            return Err(format!("line {} {}", reader.line, reader.what));
        }
        // What a project installs itself can't be downloaded again.
        let publishes = other.commands().iter().any(|command| {
            command.name().is_some_and(|name| manager.is_program(name))
                && command.words.iter().any(|word| {
                    let goal = word.raw.rsplit(':').next().unwrap_or("");
                    matches!(goal, "install" | "install-file" | "deploy" | "deploy-file" | "publishToMavenLocal")
                        && matches!(manager.id, "maven" | "gradle")
                })
        });
        if publishes && sharers.len() > 1 {
            return Err(format!(
                "line {} installs the project's own artifacts, which another step may need and can't download",
                line(other)
            ));
        }
    }
    if let Some(other) = facts.runs.iter().filter(related).find(|other| {
        other.calls().iter().all(|call| call.manager.id != manager.id)
            && crate::facts::managers::mentions(&other.text.text, manager)
    }) {
        return Err(format!("line {} uses {} in a form that can't be read", line(other), manager.id));
    }
    let unmounted = |other: &&&Run| {
        other.instruction != run.instruction
            && !other.mounts.iter().any(|mount| mount.is_cache() && mount.covers(target))
    };
    if let Some(other) = sharers.iter().find(unmounted) {
        doubts.push(format!("line {} shares what {} downloads through the layer today, and with both mounted a hosted CI builder downloads for each", line(other), manager.id));
    } else if let Some(at) = opaque_after(cx, run) {
        doubts.push(format!("line {at} can't be seen through and may read what {} downloads", manager.id));
    }
    Ok(doubts)
}

pub(super) fn uses_later(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> bool {
    cx.facts.runs.iter().any(|other| {
        other.instruction > run.instruction
            && cx.facts.descends(other.stage, run.stage)
            && other.calls().iter().any(|call| call.manager.id == manager.id && call.verb != Verb::Clean)
    })
}

/// The line of the first later RUN of the stage, or of one built on it, whose programs could be anything.
pub(super) fn opaque_after(cx: &DockerfileContext<'_>, run: &Run) -> Option<usize> {
    let facts = cx.facts;
    let later =
        facts.runs.iter().filter(|other| other.instruction > run.instruction && facts.descends(other.stage, run.stage));
    for other in later {
        let opaque = |word: &str| {
            let name = word.rsplit('/').next().unwrap_or(word);
            word.starts_with("./")
                || name.ends_with(".sh")
                || matches!(
                    name,
                    "make"
                        | "just"
                        | "task"
                        | "mage"
                        | "ninja"
                        | "cmake"
                        | "goreleaser"
                        | "tox"
                        | "nox"
                        | "rake"
                        | "ant"
                )
        };
        let found = match other.script() {
            Ok(script) => {
                script
                    .commands
                    .iter()
                    .any(|command| command.words.get(command.program).is_some_and(|word| opaque(&word.raw)))
                    || scripts(other).is_some()
            }
            Err(Unreadable::Irrelevant) => {
                let clauses = other.text.text.split(['\n', ';', '&', '|', '(']);
                clauses.filter_map(|clause| clause.split_whitespace().find(|word| !word.contains('='))).any(opaque)
            }
            Err(_) => true,
        };
        if found {
            return Some(facts.line(other.instruction));
        }
    }
    None
}

/// Go's build cache does not see changed C headers.
pub(super) fn cgo_doubt(cx: &DockerfileContext<'_>, run: &Run) -> Option<String> {
    let off = run.state.env.known("CGO_ENABLED").as_deref() == Some("0")
        || run
            .commands()
            .iter()
            .filter(|command| command.name() == Some("go"))
            .all(|command| command.assignment("CGO_ENABLED") == Some("0"))
        || run.text.text.contains("export CGO_ENABLED=0");
    if off {
        return None;
    }
    let chain = cx.facts.ancestors(run.stage);
    let installs = cx.facts.runs.iter().find(|other| {
        chain.contains(&other.stage)
            && other.instruction <= run.instruction
            && other.calls().iter().any(|call| {
                matches!(call.manager.id, "apt" | "apk" | "dnf")
                    && other.commands()[call.command].words.iter().any(|word| {
                        C_PACKAGES.iter().any(|name| {
                            if name.starts_with('-') { word.raw.ends_with(name) } else { word.raw == *name }
                        })
                    })
            })
    })?;
    let line = cx.facts.line(installs.instruction);
    Some(format!(
        "line {line} installs C headers, whose change Go's build cache doesn't notice (set CGO_ENABLED=0 if no C is used)"
    ))
}
