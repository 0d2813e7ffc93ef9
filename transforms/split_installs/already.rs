//! What is in steps already, by whomever, and what other managers install in ways of their own.

use std::collections::BTreeSet;

use super::chain::is_file_option;
use super::pip::{self, Install};
use crate::facts::managers::Verb;
use crate::facts::requirements::{self, Entry};
use crate::facts::runs::Run;
use crate::shell::Command;
use crate::transform::DockerfileContext;

/// What is said of a place that needs nothing more, in this run's own steps too: so it names no line.
pub const DONE: &str = "it is in steps already";

/// Whether an earlier RUN of the stage installs another requirements file.
pub fn separate(cx: &DockerfileContext<'_>, run: &Run) -> bool {
    other_step(cx, run, |other| other.instruction < run.instruction)
}

/// Whether a later RUN of the stage installs requirements files: what is said of steps is said of the last one.
pub fn goes_on(cx: &DockerfileContext<'_>, run: &Run) -> bool {
    other_step(cx, run, |other| other.instruction > run.instruction)
}

fn other_step(cx: &DockerfileContext<'_>, run: &Run, is_meant: impl Fn(&Run) -> bool) -> bool {
    let mut others = cx.facts.runs.iter().filter(|other| other.stage == run.stage && is_meant(other));
    let installs = |other: &&Run| {
        other.calls().iter().any(|call| {
            call.manager.id == "pip"
                && other.commands()[call.command].words.iter().any(|word| is_file_option(&word.raw))
        })
    };
    others.any(|other| installs(&other))
}

/// Checks that no earlier RUN installs one of the files.
///
/// # Errors
/// Whether it is all or a part of them.
pub fn in_steps(cx: &DockerfileContext<'_>, run: &Run, install: &Install, folder: &str) -> Result<(), String> {
    let place = |folder: &str, path: &str| crate::facts::copies::absolute(folder, path);
    let mut left: Vec<&str> = install.files.iter().map(|file| file.path.as_str()).collect();
    let earlier = cx.facts.runs.iter().filter(|other| other.instruction < run.instruction);
    for other in earlier.filter(|other| cx.facts.descends(run.stage, other.stage)) {
        for call in other.calls().iter().filter(|call| call.manager.id == "pip" && call.verb == Verb::Install) {
            let Ok(found) = pip::read(other, call, &other.commands()[call.command]) else { continue };
            // Its folder may differ by a `cd`: then the names decide.
            let there = other.state.workdir.as_deref().unwrap_or("/");
            let same = |path: &str| {
                let mut files = found.files.iter();
                files.any(|file| file.path == path || place(there, &file.path) == place(folder, path))
            };
            left.retain(|path| !same(path));
        }
    }
    match left.len() {
        count if count == install.files.len() => Ok(()),
        0 | 1 => Err(DONE.to_owned()),
        _ => Err("an earlier step installs a part of it already".to_owned()),
    }
}

/// Whether an earlier RUN installs a package of the list.
pub fn installed(cx: &DockerfileContext<'_>, run: &Run, name: &str) -> bool {
    let earlier = cx.facts.runs.iter().filter(|other| other.instruction < run.instruction);
    for other in earlier.filter(|other| cx.facts.descends(run.stage, other.stage)) {
        for call in other.calls().iter().filter(|call| call.manager.id == "pip" && call.verb == Verb::Install) {
            let words = &other.commands()[call.command].words[call.verb_word + 1..];
            let names = words
                .iter()
                .filter_map(|word| word.value.as_deref())
                .any(|word| matches!(requirements::read_argument(word), Entry::Requirement(one) if one.name == name));
            if names {
                return true;
            }
        }
    }
    false
}

/// Managers that install groups of one lock file, or several folders.
pub fn other_managers(run: &Run) -> Result<(), String> {
    for call in run.calls().iter().filter(|call| call.verb == Verb::Install) {
        let words = &run.commands()[call.command].words;
        let count = |test: fn(&str) -> bool| words.iter().filter(|word| test(&word.raw)).count();
        match call.manager.id {
            "uv" if call.verb_text == "pip install" && count(is_file_option) > 1 => {
                return Err("uv: it installs from its cache in little time, and what it does with what is installed already was not measured".to_owned());
            }
            "uv" | "poetry" => {
                let groups = ["--with", "--without", "--only", "--extra", "--extras", "--group", "-E"];
                let names = |raw: &str| groups.contains(&raw.split('=').next().unwrap_or(raw));
                if words.iter().any(|word| names(&word.raw)) {
                    return Err(format!(
                        "{}: its groups come from one lock file, any change of which repeats each step",
                        call.manager.id
                    ));
                }
            }
            id @ ("npm" | "yarn" | "pnpm") if has_folders(run, id) => {
                return Err(format!(
                    "{id}: the folders have lock files of their own, and only requirements files of pip are split"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a manager of npm's kind installs in more than one folder.
fn has_folders(run: &Run, id: &str) -> bool {
    let Ok(script) = run.script() else { return false };
    let is_outermost = |command: &Command| script.lists[command.list].outermost;
    let mut folders = BTreeSet::new();
    for call in run.calls().iter().filter(|call| call.manager.id == id && call.verb == Verb::Install) {
        let command = &script.commands[call.command];
        let is_global = |raw: &str| matches!(raw, "-g" | "--global" | "global" | "--location=global");
        if command.words.iter().any(|word| is_global(&word.raw)) {
            continue;
        }
        let mut folder = "/".to_owned();
        let mut enter = |path: &str| folder = crate::facts::copies::absolute(&folder, path);
        // What a subshell changes ends with it.
        let seen = |other: &&Command| is_outermost(other) || other.list == command.list;
        for other in script.commands[..call.command].iter().filter(seen).filter(|other| other.name() == Some("cd")) {
            other.arguments().iter().for_each(|to| enter(&to.raw));
        }
        for (at, word) in command.words.iter().enumerate() {
            let (name, glued) =
                word.raw.split_once('=').map_or((&*word.raw, None), |(name, value)| (name, Some(value)));
            if matches!(name, "--prefix" | "-C" | "--cwd" | "--dir") {
                enter(glued.or_else(|| command.words.get(at + 1).map(|next| &*next.raw)).unwrap_or(""));
            }
        }
        folders.insert(folder);
    }
    folders.len() > 1
}
