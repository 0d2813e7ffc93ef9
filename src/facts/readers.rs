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
            let line = facts.line(index);
            let from = |name: &str| facts.stage_named(name, at).is_some_and(|source| facts.descends(source, stage));
            if matches!(instruction.keyword, Keyword::Copy | Keyword::Add) && instruction.flag("from").is_some_and(from)
            {
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
                    let line = facts.line(run.instruction);
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
    let fixed =
        if fixed.len() < source.len() { fixed.rsplit_once('/').map_or("", |(folder, _)| folder) } else { fixed };
    is_within(fixed, directory) || is_within(directory, fixed)
}

/// The first RUN behind `run`, in its stage or one built on it, that calls `manager` where it can't download again; `run`
/// itself counts.
pub fn offline(facts: &Facts<'_>, run: &Run, manager: &Manager) -> Option<Reader> {
    for other in &facts.runs {
        if !(other.instruction >= run.instruction && facts.descends(other.stage, run.stage)) {
            continue;
        }
        let line = facts.line(other.instruction);
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
                    return Some(Reader {
                        line,
                        what: format!("runs with {flag}, so it must find everything in place"),
                    });
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

/// The first COPY or ADD that brings something into `directory`, or brings it as a whole, in `stage` or a stage it is built on:
/// a mount would hide it. Copies into the home or the root are passed over.
pub fn seeded(facts: &Facts<'_>, stage: usize, directory: &str, home: Option<&str>) -> Option<Reader> {
    let chain = facts.ancestors(stage);
    let mut folder = "/".to_owned();
    for at in chain.into_iter().rev() {
        for index in facts.stages[at].instructions.clone() {
            let instruction = &facts.file.instructions[index];
            if instruction.keyword == Keyword::Workdir {
                let known = |name: &str| facts.stages[at].end.env.known(name);
                match expand(instruction.args(), facts.file.escape, &known) {
                    Some(path) if path.starts_with('/') => folder = path,
                    Some(path) => folder = format!("{}/{path}", folder.trim_end_matches('/')),
                    None => {}
                }
            }
            if !matches!(instruction.keyword, Keyword::Copy | Keyword::Add) {
                continue;
            }
            let target = match &instruction.json {
                Some(strings) => strings.last().cloned(),
                None => instruction.words(facts.file.escape).last().map(|word| word.raw.clone()),
            };
            let state = &facts.stages[at].end;
            let Some(target) = target.and_then(|raw| expand(&raw, facts.file.escape, &|name| state.env.known(name)))
            else {
                continue;
            };
            let absolute = match target.trim_start_matches("./") {
                path if path.starts_with('/') => path.to_owned(),
                "." | "" => folder.clone(),
                path => format!("{}/{path}", folder.trim_end_matches('/')),
            };
            let bare = absolute.trim_end_matches('/');
            if bare.is_empty() || home.is_some_and(|home| home.trim_end_matches('/') == bare) {
                continue;
            }
            if is_within(bare, directory) || is_within(directory, bare) {
                return Some(Reader {
                    line: facts.line(index),
                    what: format!("copies something to {target}, which a mount would hide"),
                });
            }
        }
    }
    None
}

/// The first later RUN of the stage, or of one built on it, that names `directory`, something in it, or a folder above it that
/// only the cache made, in another way than `rm -f` and `mkdir -p`.
pub fn named_later(facts: &Facts<'_>, run: &Run, directory: &str, home: Option<&str>) -> Option<Reader> {
    const EXISTING: [&str; 14] = [
        "",
        "/",
        "/root",
        "/home",
        "/usr",
        "/usr/local",
        "/usr/local/share",
        "/var",
        "/var/cache",
        "/var/lib",
        "/opt",
        "/etc",
        "/tmp",
        "/go",
    ];
    let home = home.map(|home| home.trim_end_matches('/'));
    let mut places = vec![directory.to_owned()];
    let mut above = directory;
    while let Some((parent, _)) = above.rsplit_once('/') {
        if EXISTING.contains(&parent) || home == Some(parent) {
            break;
        }
        places.push(parent.to_owned());
        above = parent;
    }
    let later =
        facts.runs.iter().filter(|other| other.instruction > run.instruction && facts.descends(other.stage, run.stage));
    for other in later {
        if other.mounts.iter().any(|mount| mount.is_cache() && mount.covers(directory)) {
            continue;
        }
        let line = facts.line(other.instruction);
        if let Some(said) = super::cleanups::takes_along(other, directory) {
            return Some(Reader { line, what: format!("takes a folder above it along (`{said}`)") });
        }
        let workdir = other.state.workdir.as_deref().unwrap_or("/").trim_end_matches('/');
        for clause in other.text.text.split(['\n', ';', '&', '|']) {
            let words: Vec<&str> = clause.split_whitespace().collect();
            let harmless = match words.iter().find(|word| !word.contains('=')) {
                Some(&"rm") => words.iter().any(|word| word.starts_with('-') && word.contains('f')),
                Some(&"mkdir") => words.iter().any(|word| word.starts_with('-') && word.contains('p')),
                _ => false,
            };
            let named = words.iter().find(|word| {
                let bare = word.trim_matches(['"', '\'', '(', ')', '`', '$', '{', '}', ',', '[', ']']);
                let spelled = match (
                    bare.strip_prefix("~/")
                        .or_else(|| bare.strip_prefix("HOME}/"))
                        .or_else(|| bare.strip_prefix("HOME/")),
                    home,
                ) {
                    (Some(rest), Some(home)) => format!("{home}/{rest}"),
                    _ if bare.starts_with('.')
                        && bare.len() > 1
                        && !bare.starts_with("./")
                        && !bare.starts_with("..") =>
                    {
                        format!("{workdir}/{bare}")
                    }
                    _ => bare.to_owned(),
                };
                let path = spelled.trim_end_matches(['/', '*']).trim_end_matches('/');
                path.contains(directory) || places.iter().any(|place| place == path)
            });
            if let Some(word) = named.filter(|_| !harmless) {
                return Some(Reader { line: facts.line(other.instruction), what: format!("names {word}") });
            }
        }
    }
    None
}

/// How a container could read what a stage leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It starts the manager itself, or inherits its start.
    Reads(Reader),
    /// It starts something that can't be seen through.
    Opaque(Reader),
}

/// How the containers of `stage`, and of stages built on it, start: those that are the last stage or have a CMD or ENTRYPOINT of
/// their own. `None` if none of them could read a store of `manager`.
pub fn container(facts: &Facts<'_>, stage: usize, manager: &Manager) -> Option<Start> {
    let last = facts.stages.len() - 1;
    let starts = |ins: &&crate::dockerfile::Instruction| matches!(ins.keyword, Keyword::Cmd | Keyword::Entrypoint);
    let mut opaque = None;
    for image in (0..facts.stages.len()).filter(|at| facts.descends(*at, stage)) {
        let own = facts.stages[image]
            .instructions
            .clone()
            .map(|index| &facts.file.instructions[index])
            .any(|ins| starts(&ins));
        if image != last && !own {
            continue;
        }
        let chain = facts.ancestors(image);
        let found: Vec<_> = chain
            .iter()
            .map(|at| {
                facts.stages[*at]
                    .instructions
                    .clone()
                    .filter(|index| starts(&&facts.file.instructions[*index]))
                    .collect::<Vec<_>>()
            })
            .find(|found| !found.is_empty())
            .unwrap_or_default();
        if found.is_empty() {
            let line = facts.line(facts.stages[image].from);
            return Some(Start::Reads(Reader {
                line,
                what: "gives an image without CMD of its own, whose containers may read it".to_owned(),
            }));
        }
        for index in found {
            match start(&facts.file.instructions[index], facts.line(index), manager) {
                Some(Start::Opaque(reader)) => opaque = Some(Start::Opaque(reader)),
                Some(reads) => return Some(reads),
                None => {}
            }
        }
    }
    opaque
}

/// The first CMD or ENTRYPOINT of an image built from `stage` that starts one of `programs`.
pub fn starts_with(facts: &Facts<'_>, stage: usize, programs: &[&str]) -> Option<Reader> {
    let stages = (0..facts.stages.len()).filter(|at| facts.descends(*at, stage));
    let mut instructions = stages.flat_map(|at| facts.stages[at].instructions.clone());
    instructions.find_map(|index| {
        let instruction = &facts.file.instructions[index];
        if !matches!(instruction.keyword, Keyword::Cmd | Keyword::Entrypoint) {
            return None;
        }
        let word = programs.iter().find(|program| {
            instruction.args().split(|ch: char| !(ch.is_alphanumeric() || ch == '-')).any(|word| word == **program)
        })?;
        Some(Reader { line: facts.line(index), what: format!("starts the container with `{word}`") })
    })
}

fn start(instruction: &crate::dockerfile::Instruction, line: usize, manager: &Manager) -> Option<Start> {
    /// Programs that run something built, and read nothing of a package manager's.
    const PLAIN: [&str; 12] = [
        "java",
        "nginx",
        "node",
        "python",
        "python3",
        "gunicorn",
        "uvicorn",
        "php",
        "ruby",
        "dumb-init",
        "tini",
        "catalina.sh",
    ];
    let words: Vec<String> = match &instruction.json {
        Some(strings) => strings.clone(),
        None => instruction.args().split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect(),
    };
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    // `dotnet app.dll` runs what was published.
    let assembly = words.iter().any(|word| word.ends_with(".dll"));
    if let Some(word) = words.iter().find(|word| manager.is_program(&name(word))) {
        let reader = Reader { line, what: format!("starts the container with `{word}`, which may read it") };
        return Some(if assembly { Start::Opaque(reader) } else { Start::Reads(reader) });
    }
    let script = words.iter().find(|word| word.ends_with(".sh") && name(word) != "catalina.sh");
    let first = words.first()?;
    let plain = PLAIN.contains(&name(first).as_str()) || first.starts_with(['/', '.', '-']) && script.is_none();
    if plain {
        return None;
    }
    let word = script.unwrap_or(first);
    Some(Start::Opaque(Reader {
        line,
        what: format!("starts the container with `{word}`, which can't be seen through"),
    }))
}
