//! Reading a command as a call of a package manager.

use super::{Manager, Verb, is_version};
use crate::shell::{Command, ShellWord};

/// A command of a package manager.
#[derive(Debug, Clone)]
pub struct Call {
    pub manager: &'static Manager,
    /// Index of the command in the script.
    pub command: usize,
    pub verb: Verb,
    /// The command words as written in the table (`pip install` of uv), empty for a bare call.
    pub verb_text: &'static str,
    /// Index in the command's words of the last command word; for a bare call that of the program.
    pub verb_word: usize,
    /// Index in the command's words of the first one behind the program.
    pub arguments: usize,
}

/// The package manager call that `command` is, if it is one.
pub fn call(command: &Command, index: usize, managers: &[&'static Manager]) -> Option<Call> {
    let name = command.name()?;
    let words = &command.words;
    if is_python(name) {
        let mut at = command.program + 1;
        while let Some(value) = words.get(at).and_then(|word| word.value.as_deref()) {
            if value == "-m" {
                let module = words.get(at + 1)?.value.as_deref()?;
                let manager = managers.iter().find(|manager| manager.modules.contains(&module))?;
                return Some(read_call(manager, words, index, at + 2));
            }
            if !value.starts_with('-') {
                return None;
            }
            at += if matches!(value, "-W" | "-X") { 2 } else { 1 };
        }
        return None;
    }
    if name == "corepack" {
        // `corepack yarn install` runs the manager that package.json names.
        let inner = words.get(command.program + 1)?.value.as_deref()?;
        let manager =
            managers.iter().find(|manager| matches!(manager.id, "yarn" | "pnpm") && manager.is_program(inner))?;
        return Some(read_call(manager, words, index, command.program + 2));
    }
    let manager = managers.iter().find(|manager| manager.is_program(name))?;
    Some(read_call(manager, words, index, command.program + 1))
}

fn is_python(name: &str) -> bool {
    name.strip_prefix("python")
        .or_else(|| name.strip_prefix("pypy"))
        .is_some_and(|rest| rest.is_empty() || is_version(rest))
}

fn read_call(manager: &'static Manager, words: &[ShellWord], command: usize, arguments: usize) -> Call {
    let mut positions = Vec::new();
    let mut at = arguments;
    let mut informs = false;
    while let Some(word) = words.get(at) {
        match word.value.as_deref() {
            Some(value) if value.starts_with('-') || value.starts_with('+') => {
                informs |= matches!(value, "--version" | "-v" | "-V" | "--help" | "-h" | "-version");
                at += if manager.value_options.contains(&value) { 2 } else { 1 };
            }
            _ => {
                positions.push(at);
                at += 1;
            }
        }
    }
    let text = |at: &usize| words[*at].value.as_deref().unwrap_or("");
    let mut call = Call {
        manager,
        command,
        verb: manager.other,
        verb_text: "",
        verb_word: arguments.saturating_sub(1),
        arguments,
    };
    for &(verb_text, verb) in manager.verbs {
        let parts: Vec<&str> = verb_text.split(' ').collect();
        if positions.len() >= parts.len() && parts.iter().zip(&positions).all(|(part, at)| *part == text(at)) {
            call.verb = verb;
            call.verb_text = verb_text;
            call.verb_word = positions[parts.len() - 1];
            break;
        }
    }
    if positions.is_empty() {
        call.verb = if informs { Verb::Other } else { manager.bare };
    }
    match manager.id {
        "uv" if words[arguments - 1].value.as_deref() == Some("uvx") => call.verb = Verb::Fetch,
        "uv" if call.verb_text == "run" && words.iter().any(|word| word.raw.starts_with("--with")) => {
            call.verb = Verb::Fetch
        }
        // Only goals that fill the repository: the layer was the cache.
        "maven" if !positions.is_empty() => {
            let fetches = positions.iter().all(|at| {
                let goal = text(at);
                goal.contains("dependency") && goal.contains(':')
            });
            call.verb = if fetches { Verb::Fetch } else { Verb::Install };
        }
        "gradle" if !positions.is_empty() => {
            let fetches = positions.iter().all(|at| {
                matches!(
                    text(at).rsplit(':').next(),
                    Some(
                        "dependencies" | "help" | "wrapper" | "clean" | "resolveDependencies" | "downloadDependencies"
                    )
                )
            });
            call.verb = if fetches { Verb::Fetch } else { Verb::Install };
        }
        "go" if words.iter().any(|word| word.raw == "clean") => {
            let cache =
                words.iter().any(|word| matches!(word.raw.as_str(), "-cache" | "-modcache" | "--modcache" | "--cache"));
            call.verb = if cache { Verb::Clean } else { Verb::Other };
        }
        "nuget" if positions.first().is_some_and(|at| text(at).ends_with(".dll")) => call.verb = Verb::Other,
        // `dotnet nuget locals all --clear` empties, `--list` only tells.
        "nuget" if call.verb == Verb::Clean => {
            let clears = words.iter().any(|word| matches!(word.value.as_deref(), Some("--clear" | "-c")));
            call.verb = if clears { Verb::Clean } else { Verb::Other };
        }
        _ => {}
    }
    call
}
