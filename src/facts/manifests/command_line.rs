//! How an install stands in its RUN: what is in front of it, how its program is called, single options.

use super::Files;
use crate::facts::managers::{Call, Verb};
use crate::facts::runs::Run;
use crate::shell::{Command, ShellWord};

/// The commands of the RUN in front of `command`.
pub(super) fn before<'a>(command: &Command, run: &'a Run) -> impl Iterator<Item = &'a Command> {
    let start = command.range.start;
    run.commands().iter().filter(move |other| other.range.start < start)
}

/// Refuses an install that stays below a copy of itself, where an earlier RUN is such a copy, or downloads in another way already.
///
/// # Errors
/// An earlier RUN calls the same manager for it.
pub(super) fn comes_first(call: &Call, files: &dyn Files) -> Result<(), String> {
    let same = |other: &Call| {
        other.manager.id == call.manager.id
            && matches!(other.verb, Verb::Install | Verb::Fetch)
            && !other.verb_text.starts_with("global")
    };
    let earlier = files.earlier().unwrap_or_default();
    if earlier.iter().any(|run| run.calls().iter().any(same)) {
        return Err("its dependencies are installed in front of the sources already".to_owned());
    }
    Ok(())
}

/// Commands that leave nothing behind that an install needs or changes; `chmod` is looked at where it matters.
const HARMLESS: &[&str] =
    &["cd", "set", "echo", "printf", "pwd", "ls", "true", ":", "mkdir", "date", "java", "php", "ruby", "node", "chmod"];

/// Refuses an install whose RUN does something in front of it that a copy of the command alone, further up, would miss.
///
/// # Errors
/// The command in front, by name.
pub(super) fn stands_alone(call: &Call, command: &Command, run: &Run) -> Result<(), String> {
    let harmless = |other: &Command| {
        let name = other.name().unwrap_or("");
        let informs = other.arguments().first().and_then(|word| word.value.as_deref()).is_some_and(|word| {
            matches!(word, "--version" | "-v" | "-V" | "-version" | "clean" | "validate" | "diagnose")
        });
        HARMLESS.contains(&name) && other.assignments.is_empty() || call.manager.is_program(name) && informs
    };
    match before(command, run).find(|other| !harmless(other)) {
        Some(other) => {
            Err(format!("its RUN does something else in front of it (`{}`)", other.name().unwrap_or("a command")))
        }
        None => Ok(()),
    }
}

/// The value of the last of the options `names`: `--name value`, `--name=value`, and `-nvalue` for a letter. `None` if none stands
/// there, `Some(None)` if its value can't be told.
pub(super) fn option(names: &[&str], call: &Call, command: &Command, run: &Run) -> Option<Option<String>> {
    let words = command.words.get(call.arguments..).unwrap_or(&[]);
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        for name in names {
            if word.raw == **name {
                found = Some(words.get(at + 1).and_then(|next| run.value(next).value));
            } else if let Some(rest) = word.raw.strip_prefix(name) {
                let letter = name.len() == 2 && !rest.starts_with('=');
                if letter || rest.starts_with('=') {
                    let skip = name.len() + usize::from(!letter);
                    found = Some(run.value(word).value.and_then(|value| value.get(skip..).map(str::to_owned)));
                }
            }
        }
    }
    found
}

/// Whether one of the flags `names` stands behind the program.
pub(super) fn has(names: &[&str], call: &Call, command: &Command) -> bool {
    let words = command.words.get(call.arguments..).unwrap_or(&[]);
    words.iter().any(|word| names.contains(&word.value.as_deref().unwrap_or(&word.raw)))
}

/// How the program of `command` is called at the start of a command of a RUN in shell form: the assignments in front of it, and its
/// word.
///
/// # Errors
/// Another program runs it, or its words are strings of a JSON array that a shell would read otherwise.
pub(super) fn program(command: &Command) -> Result<String, String> {
    if command.program != 0 || !command.unset.is_empty() || command.nested {
        return Err("another program runs it".to_owned());
    }
    let mut text = String::new();
    for word in command.assignments.iter().chain(command.words.first()) {
        text.push_str(&as_word(word, command)?);
        text.push(' ');
    }
    text.truncate(text.trim_end().len());
    Ok(text)
}

/// A word of `command` for a RUN in shell form.
///
/// # Errors
/// A string of a JSON array that a shell would read otherwise.
pub(super) fn as_word(word: &ShellWord, command: &Command) -> Result<String, String> {
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "-_./:=,+@%".contains(ch);
    if command.form == crate::shell::Form::Exec && !word.raw.chars().all(plain) {
        return Err(format!("`{}` means something else to a shell", word.raw));
    }
    Ok(word.raw.clone())
}
