//! Who reads a directory of a stage later: COPY and mounts from it, later RUNs without the network, the container.

use super::Facts;
use super::managers::{Manager, Verb};
use super::runs::{Run, is_within};
use super::stages::{Variable, expand};
use crate::dockerfile::Keyword;

/// Something that reads a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Line of the file, from 1.
    pub line: usize,
    /// What it does, as the end of a sentence.
    pub what: String,
}

/// The first COPY, ADD or mount that takes `directory`, something in it or a parent of it out of `stage` or a stage built on
/// it.
pub fn copied(facts: &Facts<'_>, stage: usize, directory: &str) -> Option<Reader> {
    for (at, other) in facts.stages.iter().enumerate() {
        for index in other.instructions.clone() {
            let instruction = &facts.file.instructions[index];
            let line = instruction.start_line;
            let from = |name: &str| facts.stage_named(name, at).is_some_and(|source| facts.descends(source, stage));
            if matches!(instruction.keyword, Keyword::Copy | Keyword::Add) && instruction.flag("from").is_some_and(from) {
                let sources = match &instruction.json {
                    Some(strings) => strings.clone(),
                    None => instruction.words(facts.file.escape).into_iter().map(|word| word.raw).collect(),
                };
                let lookup = |name: &str| other.end.env.known(name);
                for source in &sources[..sources.len().saturating_sub(1)] {
                    let path = expand(source, facts.file.escape, &lookup);
                    let touches = path.as_deref().is_none_or(|path| overlaps(path, directory));
                    // A source that can't be told could be anything, but paths in variables are rarely caches.
                    if touches && path.is_some() {
                        return Some(Reader { line, what: format!("copies {source} out of the stage") });
                    }
                }
            }
        }
    }
    for run in &facts.runs {
        for mount in &run.mounts {
            let from = mount.from.as_deref().and_then(|name| facts.stage_named(name, run.stage));
            if from.is_some_and(|source| facts.descends(source, stage)) && mount.kind == "bind" {
                let source = mount.source.as_deref().unwrap_or("/");
                if overlaps(source, directory) {
                    let line = facts.file.instructions[run.instruction].start_line;
                    return Some(Reader { line, what: format!("mounts {source} of the stage") });
                }
            }
        }
    }
    None
}

/// Whether one of the two paths holds the other; a relative source counts from the root.
fn overlaps(source: &str, directory: &str) -> bool {
    let source = format!("/{}", source.trim_start_matches('/'));
    let fixed = source.split(['*', '?', '[']).next().unwrap_or("");
    let fixed = if fixed.len() < source.len() { fixed.rsplit_once('/').map_or("", |(folder, _)| folder) } else { fixed };
    is_within(fixed, directory) || is_within(directory, fixed)
}

/// The first RUN behind `run`, in its stage or one built on it, that calls `manager` where it can't download again; `run`
/// itself counts.
pub fn offline(facts: &Facts<'_>, run: &Run, manager: &Manager) -> Option<Reader> {
    for other in &facts.runs {
        if !(other.instruction >= run.instruction && facts.descends(other.stage, run.stage)) {
            continue;
        }
        let line = facts.file.instructions[other.instruction].start_line;
        for call in other.calls().iter().filter(|call| call.manager.id == manager.id) {
            if call.verb == Verb::Clean {
                continue;
            }
            if other.offline {
                return Some(Reader { line, what: "runs without a network".to_owned() });
            }
            let command = &other.commands()[call.command];
            let words = command.words.iter().skip(call.arguments).filter_map(|word| word.value.as_deref());
            if let Some(flag) = words.clone().find(|word| manager.offline_flags.contains(word)) {
                // Vendored modules need no module cache at all; what is built is still cached.
                if flag != "-mod=vendor" {
                    return Some(Reader { line, what: format!("runs with {flag}, so it must find everything in place") });
                }
            }
            if manager.id == "go" && is_off(other, command) {
                return Some(Reader { line, what: "runs with GOPROXY=off".to_owned() });
            }
        }
    }
    None
}

fn is_off(run: &Run, command: &crate::shell::Command) -> bool {
    if command.assignment("GOPROXY").is_some_and(|value| value == "off") {
        return true;
    }
    matches!(run.state.env.get("GOPROXY"), Some(Variable::Known(value)) if value == "off")
        || matches!(run.state.env.get("CARGO_NET_OFFLINE"), Some(Variable::Known(value)) if value == "true")
}

/// The words that the container of `stage` starts with, if they could read a store of `manager`: the manager itself, or
/// something that can't be seen through. `None` if the stage is no image or starts a plain program.
pub fn container(facts: &Facts<'_>, stage: usize, manager: &Manager) -> Option<Reader> {
    let last = facts.stages.len() - 1;
    if !facts.descends(last, stage) {
        return None;
    }
    let mut start = None;
    for at in facts.ancestors(last) {
        let instructions = facts.stages[at].instructions.clone().rev();
        let found = instructions.map(|index| &facts.file.instructions[index]).find(|ins| {
            matches!(ins.keyword, Keyword::Cmd | Keyword::Entrypoint)
        });
        if let Some(instruction) = found {
            start = Some(instruction);
            break;
        }
    }
    let Some(instruction) = start else {
        let line = facts.file.instructions[facts.stages[last].from].start_line;
        return Some(Reader { line, what: "starts a container without CMD of its own".to_owned() });
    };
    let words: Vec<String> = match &instruction.json {
        Some(strings) => strings.clone(),
        None => instruction.args().split_whitespace().map(str::to_owned).collect(),
    };
    let opaque = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or(word);
        manager.is_program(name) || name.ends_with(".sh") || matches!(name, "make" | "npm" | "yarn" | "bash" | "sh")
    };
    let word = words.iter().find(|word| opaque(word))?;
    Some(Reader { line: instruction.start_line, what: format!("starts the container with `{word}`, which may read it") })
}
