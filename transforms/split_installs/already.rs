//! What is in steps already, by whomever, and what other managers install in ways of their own.

use super::chain::is_file_option;
use super::pip::{self, Install};
use crate::facts::managers::Verb;
use crate::facts::requirements::{self, Entry};
use crate::facts::runs::Run;
use crate::transform::DockerfileContext;

/// The line of an earlier RUN of the stage that installs another requirements file.
pub fn separate(cx: &DockerfileContext<'_>, run: &Run) -> Option<usize> {
    let mut others =
        cx.facts.runs.iter().filter(|other| other.stage == run.stage && other.instruction < run.instruction);
    let installs = |other: &&Run| {
        other.calls().iter().any(|call| {
            call.manager.id == "pip"
                && other.commands()[call.command].words.iter().any(|word| is_file_option(&word.raw))
        })
    };
    others.find(installs).map(|other| cx.facts.line(other.instruction))
}

/// Whether an earlier RUN installs one of the files by itself.
pub fn in_steps(cx: &DockerfileContext<'_>, run: &Run, install: &Install, folder: &str) -> bool {
    let place = |folder: &str, path: &str| crate::facts::copies::absolute(folder, path);
    let own: Vec<String> = install.files.iter().map(|file| place(folder, &file.path)).collect();
    let earlier = cx.facts.runs.iter().filter(|other| other.instruction < run.instruction);
    for other in earlier.filter(|other| cx.facts.descends(run.stage, other.stage)) {
        for call in other.calls().iter().filter(|call| call.manager.id == "pip" && call.verb == Verb::Install) {
            let Ok(found) = pip::read(other, call, &other.commands()[call.command]) else { continue };
            // Its folder may differ by a `cd`: then the names decide.
            let there = other.state.workdir.as_deref().unwrap_or("/");
            let same =
                |path: &str| own.contains(&place(there, path)) || install.files.iter().any(|file| file.path == path);
            if found.files.iter().any(|file| same(&file.path)) {
                return true;
            }
        }
    }
    false
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
            id @ ("npm" | "yarn" | "pnpm") => {
                let same = run.calls().iter().filter(|other| other.manager.id == id && other.verb == Verb::Install);
                if same.count() > 1 {
                    return Err(format!(
                        "{id}: the folders have lock files of their own, and only requirements files of pip are split"
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
