//! Whether a RUN does the same whatever the value of a build argument is.

use super::copied::Copied;
use super::programs::{is_plain, is_shell, only_asks};
use super::{fetches, installs, is_sign_of_ci, mentions};
use crate::dockerfile::Instruction;
use crate::facts::Facts;
use crate::facts::copies::absolute;
use crate::facts::managers::{self, Call, Verb};
use crate::facts::runs::{Run, Unreadable};
use crate::shell::{self, Command};

/// What a step makes of variables that it doesn't name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Past {
    /// It does the same with any value, and without.
    Free,
    /// It probably does: why somebody has to look, as the end of a sentence that starts with its line.
    Review(String),
    /// It may read them: why, in the same form.
    Never(String),
}

impl Past {
    fn rank(&self) -> u8 {
        match self {
            Past::Free => 0,
            Past::Review(_) => 1,
            Past::Never(_) => 2,
        }
    }

    /// The stronger one; the first of two that are alike.
    pub fn or(self, other: Past) -> Past {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// How a RUN takes the variables `names`. `copied` are the files that it finds, for each build context; none where no context is known.
pub fn past(facts: &Facts<'_>, run: &Run, names: &[String], copied: &[Copied<'_>]) -> Past {
    let instruction = &facts.file.instructions[run.instruction];
    let text = instruction.span.of(facts.text);
    if let Some(name) = names.iter().find(|name| mentions(text, name)) {
        return Past::Never(format!("uses {name}"));
    }
    let own = |mount: &&crate::facts::runs::Mount| {
        let source = mount.source.as_deref().unwrap_or(".").trim_matches('/');
        mount.kind == "bind" && mount.from.is_none() && matches!(source, "." | "")
    };
    if run.mounts.iter().any(|mount| own(&mount)) {
        return Past::Never("mounts the sources, so that every commit repeats it anyway".to_owned());
    }
    let commands = match commands(facts, run, instruction) {
        Ok(commands) => commands,
        Err(refusal) => return refusal,
    };
    let reader = Reader { text: &run.text.text, commands: &commands, names, copied, folder: None };
    // Without WORKDIR and a known image: as far as COPY is told from the same folder, it is one of its own.
    let mut folder = Some(absolute("", run.state.workdir.as_deref().unwrap_or("")));
    let (mut whole, mut fetched) = (Past::Free, Past::Free);
    for (command, call) in &commands {
        let reader = Reader { folder: folder.as_deref(), ..reader };
        whole = whole.or(reader.command(command, call.as_ref()));
        fetched = fetched.or(reader.fetches(command));
        if matches!(command.name(), Some("cd" | "pushd" | "popd")) {
            let to = command.arguments().first().and_then(|word| word.value.as_deref());
            let to = to.filter(|to| command.name() == Some("cd") && !to.starts_with(['-', '~']));
            folder = folder.zip(to).map(|(folder, to)| absolute(&folder, to));
        }
    }
    for inner in match substitutions(&run.text.text) {
        Ok(inner) => inner,
        Err(refusal) => return refusal,
    } {
        let Ok(script) = shell::parse(&inner, false) else {
            return Past::Never("holds a substitution that can't be read".to_owned());
        };
        let inner: Vec<(Command, Option<Call>)> = with_calls(facts, script.commands);
        let reader = Reader { commands: &inner, ..reader };
        for (command, call) in &inner {
            whole = whole.or(reader.command(command, call.as_ref()));
            fetched = fetched.or(reader.fetches(command));
        }
    }
    whole.or(fetched)
}

type Commands = Vec<(Command, Option<Call>)>;

/// The commands of a RUN, also of one that concerns no package manager.
fn commands(facts: &Facts<'_>, run: &Run, instruction: &Instruction) -> Result<Commands, Past> {
    let unreadable = |error: String| Past::Never(format!("can't be read: {error}"));
    match run.script() {
        Ok(script) => Ok(with_calls(facts, script.commands.clone())),
        Err(Unreadable::Irrelevant) => {
            if let crate::facts::stages::Shell::Other(name) = &run.state.shell {
                return Err(unreadable(format!("{name} runs it")));
            }
            let text = match &instruction.json {
                Some(words) => match words.as_slice() {
                    [program, option, script]
                        if is_shell(program.rsplit('/').next().unwrap_or("")) && option == "-c" =>
                    {
                        script.clone()
                    }
                    // Words of the array that a shell would read otherwise only make it more than it is.
                    words => words.join(" "),
                },
                None if !instruction.heredocs.is_empty() && run.form != crate::facts::runs::RunForm::Heredoc => {
                    return Err(unreadable("a heredoc is handed to a program".to_owned()));
                }
                None => run.text.text.clone(),
            };
            if text.starts_with("#!") {
                return Err(unreadable("its heredoc names its own interpreter".to_owned()));
            }
            let script = shell::parse(&text, false).map_err(|error| unreadable(error.to_string()))?;
            Ok(with_calls(facts, script.commands))
        }
        Err(error) => Err(unreadable(error.to_string())),
    }
}

fn with_calls(facts: &Facts<'_>, commands: Vec<Command>) -> Commands {
    let call = |(index, command): (usize, Command)| {
        let call = managers::call(&command, index, facts.knowledge.managers());
        (command, call)
    };
    commands.into_iter().enumerate().map(call).collect()
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    commands: &'a [(Command, Option<Call>)],
    names: &'a [String],
    copied: &'a [Copied<'a>],
    /// Where the command runs, absolute; `None` where that can't be told.
    folder: Option<&'a str>,
}

impl Reader<'_> {
    /// Whether a command fetches what may have changed.
    fn fetches(&self, command: &Command) -> Past {
        let all = self.commands.iter().map(|(command, _)| command);
        command.name().map_or(Past::Free, |name| fetches::of(command, name, all))
    }

    fn command(&self, command: &Command, call: Option<&Call>) -> Past {
        if command.words.is_empty() {
            return Past::Free;
        }
        if let Some(call) = call {
            return self.call(command, call);
        }
        let Some(name) = command.name() else {
            return Past::Never("runs a program whose name a variable holds".to_owned());
        };
        let arguments: Vec<&str> = command.arguments().iter().map(|word| word.raw.as_str()).collect();
        match name {
            "set" | "export" | "readonly" | "local" | "declare" | "typeset" => {
                let lists = arguments.is_empty() || arguments.iter().any(|word| *word == "-p" || *word == "-x");
                let sets = name == "set" && !arguments.is_empty() || arguments.iter().any(|word| word.contains('='));
                if lists && !sets {
                    Past::Never(format!("runs `{name}`, which lists every variable"))
                } else {
                    Past::Free
                }
            }
            "find" => {
                let run = arguments.iter().position(|word| matches!(*word, "-exec" | "-execdir" | "-ok"));
                match run.and_then(|at| arguments.get(at + 1)) {
                    Some(program) if !is_plain(program) => self.unknown(program),
                    _ => Past::Free,
                }
            }
            _ if is_shell(name) => self.shell(command),
            "python" | "python3" if arguments.iter().any(|word| matches!(*word, "-V" | "--version")) => Past::Free,
            "python" | "python3" if matches!(arguments.as_slice(), ["-m", "venv" | "ensurepip", ..]) => Past::Free,
            "python" | "python3" if matches!(arguments.first(), None | Some(&"-")) => self.downloaded(),
            "env" | "printenv" => Past::Never(format!("runs `{name}`, which lists every variable")),
            _ if is_plain(name) => Past::Free,
            _ => self.unknown(name),
        }
    }

    fn unknown(&self, program: &str) -> Past {
        Past::Never(format!("runs `{program}`, which may read it"))
    }

    /// A shell: the script in its `-c`, or what a pipe brings.
    fn shell(&self, command: &Command) -> Past {
        let inside = |other: &Command| {
            other.range != command.range
                && command.range.start <= other.range.start
                && other.range.end <= command.range.end
        };
        if self.commands.iter().any(|(other, _)| other.nested && inside(other)) {
            return Past::Free;
        }
        let mut arguments = command.arguments().iter().map(|word| word.raw.as_str());
        let own = arguments.clone().any(|word| word == "-c");
        match arguments.find(|word| !word.starts_with(['-', '+'])) {
            None if !own => self.downloaded(),
            // `bash -s -- --version 1`: the words are the script's.
            Some(_) if command.arguments().iter().any(|word| word.raw == "-s") => self.downloaded(),
            _ => {
                let said: Vec<&str> =
                    command.words[command.program..].iter().take(2).map(|word| word.raw.as_str()).collect();
                self.unknown(&said.join(" "))
            }
        }
    }

    /// A script that a pipe brings: somebody else's, if it was downloaded.
    fn downloaded(&self) -> Past {
        let downloads = mentions(self.text, "curl") || mentions(self.text, "wget");
        if downloads && !self.text.contains('<') {
            Past::Review("runs a script that it downloads".to_owned())
        } else {
            Past::Never("runs a script that may read it".to_owned())
        }
    }

    fn call(&self, command: &Command, call: &Call) -> Past {
        let id = call.manager.id;
        let said =
            command.words[command.program..].iter().take(3).map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
        match call.verb {
            _ if call.manager.system => installs::of_system(command, call),
            Verb::Clean => Past::Free,
            Verb::Other => {
                let words = command.words[call.arguments..].iter().map(|word| word.raw.as_str());
                match words.clone().find(|word| !word.starts_with('-')) {
                    None => Past::Free,
                    Some(word) if only_asks(word) || matches!((id, word), ("cargo", "new" | "init")) => Past::Free,
                    Some(_) => Past::Never(format!("runs `{said}`, which may run the project's scripts")),
                }
            }
            Verb::Install | Verb::Fetch => {
                if !managers::MANAGERS.iter().any(|known| known.id == id) {
                    return Past::Review(format!("runs {id}, which only restow.toml knows"));
                }
                let is_script = matches!(id, "npm" | "yarn" | "pnpm" | "bun");
                let mut past = match self.names.iter().find(|name| is_script && is_sign_of_ci(name)) {
                    Some(name) => Past::Review(format!(
                        "runs {id}, which takes {name} for a sign of CI and then may refuse to change its lock file"
                    )),
                    None => Past::Free,
                };
                if self.copied.is_empty() {
                    return past.or(installs::of(command, call, self.folder, None, self.names));
                }
                for copied in self.copied {
                    past = past.or(installs::of(command, call, self.folder, Some(copied), self.names));
                }
                past
            }
        }
    }
}

/// The texts of the command substitutions in a script.
fn substitutions(text: &str) -> Result<Vec<String>, Past> {
    if text.contains('`') || text.contains("<(") || text.contains(">(") {
        return Err(Past::Never("holds a substitution that can't be read".to_owned()));
    }
    let mut found = Vec::new();
    for (at, _) in text.match_indices("$(").filter(|(at, _)| !text[at + 2..].starts_with('(')) {
        let inner = &text[at + 2..];
        let mut depth = 1;
        let end = inner.char_indices().find(|(_, ch)| {
            depth += match ch {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        match end {
            Some((end, _)) => found.push(inner[..end].to_owned()),
            None => return Err(Past::Never("holds a substitution that can't be read".to_owned())),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
