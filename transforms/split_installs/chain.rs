//! The commands of a RUN around its installs: what may stand in front of a step, what is repeated in each, what stays behind.

use super::layout::{Layout, Part, one_line};
use super::pip::{self, Install};
use crate::facts::managers::{Call, Verb};
use crate::facts::runs::{Run, RunForm};
use crate::shell::Command;
use crate::transform::DockerfileContext;

/// Commands whose effect ends with the shell: each step needs them.
const STATE: &[&str] = &["cd", "export", "set", ".", "source", "umask"];
/// Programs that don't read requirements files.
const HARMLESS: &[&str] = &[
    "addgroup",
    "adduser",
    "echo",
    "groupadd",
    "locale-gen",
    "mkdir",
    "pwd",
    "true",
    "update-ca-certificates",
    "useradd",
    "virtualenv",
    "which",
];
/// Programs that take something away again.
const REMOVERS: &[&str] = &["rm", "rmdir", "find", "unlink"];

/// A RUN whose commands follow one another with `&&`.
#[derive(Debug)]
pub struct Chain<'a> {
    pub run: &'a Run,
    pub items: Vec<Item<'a>>,
    pub layout: Layout<'a>,
}

#[derive(Debug)]
pub struct Item<'a> {
    pub command: &'a Command,
    pub role: Role,
}

#[derive(Debug)]
pub enum Role {
    /// `pip install` with requirements files.
    Installs(Box<Install>),
    State,
    /// `rm -rf ~/.cache`: in each step.
    CleanUp,
    /// Doesn't read the files of the build context.
    Harmless,
    Removes,
    Other,
}

impl<'a> Chain<'a> {
    /// # Errors
    /// Another form of script, and an install whose arguments can't be read.
    pub fn read(cx: &DockerfileContext<'a>, run: &'a Run) -> Result<Self, String> {
        match run.form {
            RunForm::Shell => {}
            RunForm::Exec => return Err("it is in exec form, without a shell to chain commands".to_owned()),
            RunForm::Heredoc => return Err("its commands stand in a heredoc script".to_owned()),
        }
        let script = run.script().map_err(ToString::to_string)?;
        let plain = |command: &Command| {
            command.item.is_some()
                && !command.nested
                && script.lists[command.list].outermost
                && script.lists[command.list].and.iter().all(|and| *and)
        };
        let (last, leading) = script.lists.split_last().ok_or("it has no command")?;
        let settles = |list: &crate::shell::AndOrList| {
            list.items.len() == 1
                && script
                    .commands
                    .iter()
                    .any(|command| command.range.start == list.items[0].start && command.name() == Some("set"))
        };
        if !script.commands.iter().all(plain)
            || !leading.iter().all(settles)
            || script.commands.len() != last.items.len() + leading.len()
        {
            return Err("its commands don't simply follow one another with `&&`".to_owned());
        }
        let items = script.commands.iter().enumerate().map(|(index, command)| {
            let call = run.calls().iter().find(|call| call.command == index);
            let role = role(run, command, call)?;
            if is_redirected(run, command) && !matches!(role, Role::Other) {
                return Err("a command in it reads or writes a file of its own (`<` or `>`)".to_owned());
            }
            Ok(Item { command, role })
        });
        let layout = Layout { text: cx.facts.text, escape: cx.facts.file.escape };
        Ok(Self { run, items: items.collect::<Result<_, String>>()?, layout })
    }

    /// The indexes of the installs.
    pub fn installs(&self) -> Vec<usize> {
        let installs = |item: &Item<'_>| matches!(item.role, Role::Installs(..));
        (0..self.items.len()).filter(|&at| installs(&self.items[at])).collect()
    }

    /// Whether what stands in front of the last install, and behind it, goes with several steps; `files` are the requirements files.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, last: usize, files: &[&str]) -> Result<(), String> {
        for (at, item) in self.items.iter().enumerate() {
            let text = self.text(at);
            let names = |file: &&str| text.contains(file.rsplit('/').next().unwrap_or(file));
            if at < last && !matches!(item.role, Role::Installs(..)) && files.iter().any(names) {
                return Err(format!("`{}` in front of the install may read or change the files", short(&text)));
            }
            match item.role {
                Role::Other | Role::Removes if at < last => {
                    return Err(format!("`{}` in front of the install may read or change the files", short(&text)));
                }
                Role::Removes => {
                    return Err(format!("what `{}` removes would stay in the layer of an earlier step", short(&text)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The folder that the command at `at` runs in.
    ///
    /// # Errors
    /// A folder that can't be told.
    pub fn folder(&self, at: usize) -> Result<String, String> {
        let unknown = || "the folder that it runs in is not known".to_owned();
        let mut folder = self.run.state.workdir.clone().ok_or_else(unknown)?;
        for item in self.items[..at].iter().filter(|item| item.command.name() == Some("cd")) {
            let [to] = item.command.arguments() else { return Err(unknown()) };
            let to = self.run.value(to).value.filter(|to| to != "-").ok_or_else(unknown)?;
            folder = crate::facts::copies::absolute(&folder, &to);
        }
        Ok(folder)
    }

    /// A command in one line.
    pub fn text(&self, at: usize) -> String {
        one_line(&self.run.text.text[self.items[at].command.range.clone()])
    }

    /// The command at `at` on the lines on which it stands.
    pub fn part(&self, at: usize) -> Part {
        self.rewritten(at, &[], &[])
    }

    /// The command at `at` without some words and with others behind its command word.
    pub fn rewritten(&self, at: usize, without: &[usize], more: &[String]) -> Part {
        let command = self.items[at].command;
        let call = self.run.calls().iter().find(|call| self.run.commands()[call.command].range == command.range);
        let verb = call.map_or(command.program, |call| call.verb_word);
        let without: Vec<_> = without.iter().map(|word| command.words[*word].range.clone()).collect();
        let behind = command.words.get(verb).map_or(0, |word| word.range.end);
        let joint = match at.checked_sub(1) {
            Some(before) => self.layout.joint(self.run, self.items[before].command.range.end..command.range.start),
            None => " && ".to_owned(),
        };
        Part { joint, text: self.layout.command(self.run, command.range.clone(), &without, behind, more) }
    }
}

fn role(run: &Run, command: &Command, call: Option<&Call>) -> Result<Role, String> {
    let name = command.name().unwrap_or("");
    if let Some(call) = call {
        let files = command.words.iter().any(|word| is_file_option(&word.raw));
        return Ok(match (call.manager.id, call.verb) {
            ("pip", Verb::Install) if files => Role::Installs(Box::new(pip::read(run, call, command)?)),
            ("pip", Verb::Install) => {
                // `pip install .` reads the sources.
                let local = |word: &str| word.starts_with(['.', '/']) || word.contains("-e") || word.contains('$');
                let reads = command.words[call.verb_word + 1..].iter().any(|word| local(&word.raw));
                if reads { Role::Other } else { Role::Harmless }
            }
            ("pip", Verb::Clean) => Role::CleanUp,
            _ if command.words.iter().any(|word| {
                matches!(
                    word.raw.as_str(),
                    "purge" | "remove" | "autoremove" | "del" | "uninstall" | "erase" | "--purge"
                )
            }) =>
            {
                Role::Removes
            }
            ("apt" | "apk" | "dnf", _) => Role::Harmless,
            _ => Role::Other,
        });
    }
    if STATE.contains(&name) {
        return Ok(Role::State);
    }
    if REMOVERS.contains(&name) {
        let paths = || command.arguments().iter().filter(|word| !word.raw.starts_with('-'));
        let forced = command.arguments().iter().any(|word| word.raw.starts_with("-") && word.raw.contains('f'));
        // `/tmp/*` is none: requirements files often stand there.
        let kept = [".cache", "/var/cache/", "/var/lib/apt/lists"];
        let is_cache = |raw: &str| !raw.contains('$') && kept.iter().any(|part| raw.contains(part));
        let cache = name == "rm" && forced && paths().count() > 0 && paths().all(|word| is_cache(&word.raw));
        return Ok(if cache { Role::CleanUp } else { Role::Removes });
    }
    let makes_venv = name.starts_with("python")
        && command.arguments().iter().any(|word| matches!(word.raw.as_str(), "venv" | "ensurepip" | "virtualenv"));
    Ok(if makes_venv || HARMLESS.contains(&name) { Role::Harmless } else { Role::Other })
}

/// `-r`, with or without its path in the same word.
pub fn is_file_option(raw: &str) -> bool {
    raw == "--requirement" || raw.starts_with("--requirement=") || raw.starts_with("-r") && !raw.starts_with("-r=")
}

/// Whether all that a RUN does leaves the files of the build context alone and reads none of them.
pub fn is_harmless(run: &Run) -> bool {
    // A RUN without a package manager is not read by itself.
    let parsed;
    let script = match run.script() {
        Ok(script) => script,
        Err(_) if run.form == RunForm::Shell => {
            parsed = crate::shell::parse(&run.text.text, false);
            match &parsed {
                Ok(script) => script,
                Err(_) => return false,
            }
        }
        Err(_) => return false,
    };
    script.commands.iter().enumerate().all(|(index, command)| {
        let call = run.calls().iter().find(|call| call.command == index);
        matches!(role(run, command, call), Ok(Role::Harmless | Role::State | Role::CleanUp | Role::Installs(..)))
    })
}

fn is_redirected(run: &Run, command: &Command) -> bool {
    let mut rest = run.text.text[command.range.clone()].to_owned();
    for word in command.words.iter().chain(&command.assignments).rev() {
        let (start, end) = (word.range.start - command.range.start, word.range.end - command.range.start);
        if end <= rest.len() {
            rest.replace_range(start..end, &" ".repeat(end - start));
        }
    }
    rest.contains(['<', '>'])
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_files_are_seen_in_each_spelling() {
        for raw in ["-r", "-ra.txt", "--requirement", "--requirement=a.txt"] {
            assert!(is_file_option(raw), "{raw}");
        }
        for raw in ["-q", "--root", "--require-hashes", "--requirements-from-script"] {
            assert!(!is_file_option(raw), "{raw}");
        }
    }
}
