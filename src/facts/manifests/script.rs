//! Start scripts that stand among the sources: `./mvnw`, `./gradlew`.

use super::Files;
use super::command_line::{before, program};
use super::paths::join_within;
use crate::facts::runs::Run;
use crate::shell::Command;

/// A start script.
pub(super) struct Script {
    /// Where it lies among the sources; `None` for a program of the image.
    pub path: Option<String>,
    /// How another command of the same program begins.
    pub start: String,
}

/// Looks at the program of `command`. `name` is what a script of the sources would be called.
///
/// # Errors
/// It isn't there, another program runs it, or an earlier command of the RUN changes it in another way than by its mode.
pub(super) fn look(command: &Command, run: &Run, files: &dyn Files, name: &str) -> Result<Script, String> {
    let start = program(command)?;
    let word = &command.words[command.program];
    let value = run.value(word).value.ok_or("its program can't be told")?;
    if !value.contains('/') {
        return Ok(Script { path: None, start });
    }
    let path = join_within(".", &value).ok_or("its program lies outside the sources")?;
    if !files.is_file(&path) {
        let of_the_image = path.starts_with('/') && !path.ends_with(name);
        return if of_the_image { Ok(Script { path: None, start }) } else { Err(format!("{value} isn't there")) };
    }
    let named = |other: &&Command| other.name() != Some(name) && other.words.iter().any(|word| word.raw.contains(name));
    let mut makes_executable = false;
    for other in before(command, run).filter(named) {
        if other.name() != Some("chmod") {
            return Err(format!("an earlier command of the RUN changes {name}"));
        }
        makes_executable = true;
    }
    if !makes_executable {
        return Ok(Script { path: Some(path), start });
    }
    // A shell needs no mode.
    if !files.text(&path).is_some_and(|text| text.starts_with("#!/bin/sh") && !text.contains('\r')) {
        return Err(format!("the RUN makes {name} executable first, and it is no plain script of /bin/sh"));
    }
    let start = match start.rsplit_once(' ') {
        Some((assignments, word)) => format!("{assignments} sh {word}"),
        None => format!("sh {start}"),
    };
    Ok(Script { path: Some(path), start })
}
