//! What keeps a mounted cache empty: flags and variables that switch it off, and clean-ups in the same RUN.

use super::caches::{self, Cache, Set};
use super::cleanups::{self, Relation};
use super::managers::{Call, EnvOverride, Manager, Verb};
use super::runs::Run;
use super::stages::Variable;
use crate::shell::Command;

/// One thing that defeats a manager's cache in a RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defeat {
    /// A flag of a call: indexes of the command and of its word.
    Flag { command: usize, word: usize },
    /// ENV or ARG switches the cache off for this call.
    Variable { name: &'static str, command: usize, fix: EnvOverride },
    /// `pip cache purge`, `conda clean`: a command that only empties the cache.
    Clean { command: usize },
    /// `rm` of something inside the mounted directory: indexes of the command and of its word.
    Inside { command: usize, word: usize },
}

/// Everything that defeats `manager`'s caches, which `mounted` lists, in `run`.
///
/// # Errors
/// What can't be taken away, as a reason to leave the RUN alone.
pub fn defeats(run: &Run, manager: &'static Manager, mounted: &[Cache]) -> Result<Vec<Defeat>, String> {
    let mut out = Vec::new();
    for call in run.calls().iter().filter(|call| call.manager.id == manager.id) {
        match call.verb {
            Verb::Clean
                if manager.system
                    && manager.id == "apt"
                    && !mounted.iter().any(|cache| cache.path.starts_with("/var/cache/apt")) => {}
            Verb::Clean => {
                let command = &run.commands()[call.command];
                if !is_plain_clean_up(call, command) {
                    let text: Vec<&str> = command.words.iter().map(|word| word.raw.as_str()).collect();
                    return Err(format!("`{}` empties the cache in a form that is not edited", text.join(" ")));
                }
                if manager.id == "go" {
                    refuse_partial_go_clean(command, mounted)?;
                }
                cleanups::removable(run, command)?;
                out.push(Defeat::Clean { command: call.command });
            }
            Verb::Install | Verb::Fetch => {
                flags(run, call, &mut out)?;
                variables(run, call, &mut out)?;
            }
            Verb::Other => {}
        }
    }
    let clears =
        |command: &Command| command.name() == Some("pipenv") && command.words.iter().any(|word| word.raw == "--clear");
    if matches!(manager.id, "pip" | "pipenv") && run.commands().iter().any(clears) {
        return Err("`pipenv --clear` removes the caches of pip and pipenv".to_owned());
    }
    for removed in cleanups::removed(run) {
        let inside = mounted.iter().any(|cache| removed.relation(&cache.path) == Relation::Inside);
        if inside && removed.editable {
            cleanups::removable(run, &run.commands()[removed.command])?;
            out.push(Defeat::Inside { command: removed.command, word: removed.word });
        }
    }
    Ok(out)
}

/// `go clean` empties what its flags name: all of that must be mounted, and nothing else may be named.
fn refuse_partial_go_clean(command: &Command, mounted: &[Cache]) -> Result<(), String> {
    for word in command.arguments().iter().filter(|word| word.raw.starts_with('-')) {
        let covered = match word.raw.trim_start_matches('-') {
            "modcache" => mounted.iter().any(|cache| cache.store),
            "cache" => mounted.iter().any(|cache| !cache.store),
            _ => false,
        };
        if !covered {
            return Err(format!("`go clean {}` empties more than what is mounted", word.raw));
        }
    }
    Ok(())
}

/// Whether a clean-up calls the manager by its plain name and in its usual words, so that it can mean nothing else.
fn is_plain_clean_up(call: &Call, command: &Command) -> bool {
    let first = command.words.first().map_or("", |word| word.raw.as_str());
    let program = command.words.get(command.program).map_or("", |word| word.raw.as_str());
    let plain = call.manager.programs.contains(&program) || matches!(program, "python" | "python3");
    let usual = !matches!(
        (call.manager.id, call.verb_text),
        ("npm", "cache clear" | "cache rm") | ("composer", "cc") | ("pdm", _)
    );
    plain && usual && (first == program || first == "sudo") && command.assignments.is_empty()
}

fn flags(run: &Run, call: &Call, out: &mut Vec<Defeat>) -> Result<(), String> {
    let command = &run.commands()[call.command];
    for (at, word) in command.words.iter().enumerate().skip(call.arguments) {
        let Some(value) = word.value.as_deref() else {
            if holds_flag(run, call.manager, &word.raw) {
                return Err(format!("{} may hold a flag that switches the cache off", word.raw));
            }
            continue;
        };
        // Behind the command word `-n` means something else (`uv pip install -n` does not exist, `uv run x -n` is x's).
        let elsewhere = value == "-n" && at >= call.verb_word;
        if !elsewhere && call.manager.switches_cache_off(value).is_some() {
            out.push(Defeat::Flag { command: call.command, word: at });
        } else if value.split_once('=').is_some_and(|(flag, _)| call.manager.switches_cache_off(flag).is_some()) {
            return Err(format!("`{value}` switches the cache off in a form that is not edited"));
        }
    }
    Ok(())
}

/// Whether a variable in `raw` is set, by ENV, ARG or in the RUN, to something with a flag that switches the cache off.
fn holds_flag(run: &Run, manager: &Manager, raw: &str) -> bool {
    let names = raw.split('$').skip(1).map(|rest| rest.trim_start_matches('{'));
    let mut names =
        names.map(|rest| rest.split(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).next().unwrap_or(""));
    names.any(|name| {
        let value = match run.state.env.get(name) {
            Some(Variable::Known(value) | Variable::Argument(Some(value))) => value.clone(),
            _ => run
                .text
                .text
                .split_once(&format!("{name}="))
                .map_or_else(String::new, |(_, rest)| rest.split([';', '&', '\n']).next().unwrap_or("").to_owned()),
        };
        value.split([' ', '"', '\'']).any(|word| manager.switches_cache_off(word).is_some())
    })
}

fn variables(run: &Run, call: &Call, out: &mut Vec<Defeat>) -> Result<(), String> {
    let command = &run.commands()[call.command];
    // An explicit directory on the command line wins over the variable (measured with pip 24.0).
    if call.manager.directory_flag.is_some_and(|flag| command.words.iter().any(|word| word.raw.starts_with(flag))) {
        return Ok(());
    }
    for &(name, fix) in call.manager.cache_off_env {
        match caches::variable(run, command, name) {
            Set::No => {}
            Set::To(value) if value.is_empty() => {}
            _ if command.assignment(name).is_some() => {
                return Err(format!("the command itself sets {name}"));
            }
            _ if matches!(run.state.env.get(name), None | Some(Variable::Argument(None))) => {
                return Err(format!("the RUN exports {name}"));
            }
            _ if command.timed => {
                return Err(format!("{name} switches the cache off, and behind `time` it can't be taken back"));
            }
            _ => out.push(Defeat::Variable { name, command: call.command, fix }),
        }
    }
    Ok(())
}
