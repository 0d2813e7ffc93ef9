//! What the commands of a RUN need of the sources that were copied before it.

use std::borrow::Cow;

use crate::facts::copies::{absolute, relative};
use crate::facts::managers::{Call, Verb};
use crate::facts::manifests::{self, Install};
use crate::facts::runs::{Run, Unreadable};
use crate::facts::sources::Sources;
use crate::facts::stages::Shell;
use crate::shell::{self, Command, Script};

/// What a RUN needs of the sources: the installs in it, up to the first command that needs the sources themselves.
pub struct Needs<'a> {
    pub script: Cow<'a, Script>,
    pub installs: Vec<Needed<'a>>,
    /// Folders that other commands make, absolute: virtual environments.
    pub makes: Vec<String>,
    /// The first command that needs the sources, and why.
    pub blocked: Option<(usize, String)>,
    /// Whether that command is an install.
    pub blocked_call: bool,
}

/// An install that needs its manifests only.
pub struct Needed<'a> {
    /// Index of the command in the script.
    pub command: usize,
    pub call: &'a Call,
    /// The folder that it runs in, absolute.
    pub folder: String,
    pub install: Install,
}

impl<'a> Needs<'a> {
    /// Looks at every command in order. `targets` are the folders of the image that the sources come to lie in, absolute.
    ///
    /// # Errors
    /// A script that is not read.
    pub fn find(run: &'a Run, sources: &Sources<'_>, targets: &[String]) -> Result<Self, String> {
        let script = script(run)?;
        let mut needs = Needs { script, installs: Vec::new(), makes: Vec::new(), blocked: None, blocked_call: false };
        let mut folder = run.state.workdir.as_deref().map(|folder| absolute("", folder));
        for at in 0..needs.script.commands.len() {
            let step = Step { run, sources, targets, script: &needs.script, command: &needs.script.commands[at], at };
            match step.look(&mut folder) {
                Ok(None) => {}
                Ok(Some(Found::Install(found))) => needs.installs.push(found),
                Ok(Some(Found::Makes(path))) => needs.makes.push(path),
                Err(reason) => {
                    needs.blocked = Some((at, reason));
                    let installs = |verb: Verb| matches!(verb, Verb::Install | Verb::Fetch);
                    needs.blocked_call = run.calls().iter().any(|call| call.command == at && installs(call.verb));
                    break;
                }
            }
        }
        Ok(needs)
    }
}

/// The commands of a RUN, of one in which no package manager stands too.
fn script(run: &Run) -> Result<Cow<'_, Script>, String> {
    match run.script() {
        Ok(script) => Ok(Cow::Borrowed(script)),
        Err(Unreadable::Irrelevant) if !run.is_exec() => {
            let Shell::Posix { errexit } = run.state.shell else { return Err(Unreadable::Irrelevant.to_string()) };
            shell::parse(&run.text.text, errexit).map(Cow::Owned).map_err(|error| error.to_string())
        }
        Err(reason) => Err(reason.to_string()),
    }
}

enum Found<'a> {
    Install(Needed<'a>),
    Makes(String),
}

/// A command at its place.
struct Step<'a, 's> {
    run: &'a Run,
    sources: &'s Sources<'s>,
    targets: &'s [String],
    script: &'s Script,
    command: &'s Command,
    at: usize,
}

impl<'a> Step<'a, '_> {
    /// What the command needs; follows `cd`.
    ///
    /// # Errors
    /// Why it needs the sources, or may.
    fn look(&self, folder: &mut Option<String>) -> Result<Option<Found<'a>>, String> {
        let said = || {
            let text = &self.run.text.text[self.command.range.clone()];
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        self.redirections().map_err(|target| format!("`{}` writes {target}", short(&said())))?;
        if let Some(inner) = substituted(&self.run.text.text[self.command.range.clone()]) {
            return Err(format!("`{}` runs `{inner}`, which may need the sources", short(&said())));
        }
        if self.command.name() == Some("cd") {
            *folder = self.changed(folder.as_deref());
            return if folder.is_some() {
                Ok(None)
            } else {
                Err(format!("where `{}` leads is not followed", short(&said())))
            };
        }
        let call = self.run.calls().iter().find(|call| call.command == self.at);
        if let Some(call) = call.filter(|call| matches!(call.verb, Verb::Install | Verb::Fetch)) {
            if call.manager.system {
                return match self.command.words[call.verb_word..].iter().find(|word| self.is_local(&word.raw)) {
                    Some(word) => Err(format!("`{}` installs {}", short(&said()), word.raw)),
                    None => Ok(None),
                };
            }
            let here = folder.clone().ok_or("the folder that it runs in is not known")?;
            let seen = self.sources.seen_from(&here);
            let found = manifests::install(call, self.command, self.run, &seen);
            return match found.map_err(|reason| format!("{}: {reason}", call.manager.id))? {
                Some(install) => Ok(Some(Found::Install(Needed { command: self.at, call, folder: here, install }))),
                None if is_self_contained(call, self.command) => Ok(None),
                None => Err(format!("`{}` works on the sources", short(&said()))),
            };
        }
        if call.is_some_and(|call| call.verb == Verb::Clean || call.manager.system) {
            return Ok(None);
        }
        match self.inert(folder.as_deref()) {
            Ok(made) => Ok(made.map(Found::Makes)),
            Err(()) => Err(format!("`{}` may need the sources", short(&said()))),
        }
    }

    /// Where `cd` leads, if it leads the commands behind it there too.
    fn changed(&self, folder: Option<&str>) -> Option<String> {
        let outermost = self.script.lists[self.command.list].outermost;
        let [target] = self.command.arguments() else { return None };
        let value = self.run.value(target).value.filter(|_| outermost && self.command.item.is_some())?;
        Some(absolute(folder?, &value))
    }

    /// # Errors
    /// What a redirection writes beside or in the sources.
    fn redirections(&self) -> Result<(), String> {
        let text = &self.run.text.text[self.command.range.clone()];
        let mut rest = text;
        while let Some(at) = rest.find('>') {
            rest = rest[at..].trim_start_matches(['>', '|', ' ']);
            let target: String =
                rest.chars().take_while(|ch| !ch.is_whitespace() && !matches!(ch, ';' | ')')).collect();
            let target = target.trim_matches(['"', '\'']);
            let harmless = target.starts_with('&') || target.starts_with('/') && !self.touches(target);
            if !harmless && !is_quoted(text, text.len() - rest.len()) {
                return Err(if target.is_empty() {
                    "to a place that is not known".to_owned()
                } else {
                    target.to_owned()
                });
            }
        }
        Ok(())
    }

    /// Whether an absolute path lies in the sources, or they lie in it.
    fn touches(&self, path: &str) -> bool {
        let path = absolute("", path);
        self.targets.iter().any(|target| relative(&path, target).is_some() || relative(target, &path).is_some())
    }

    /// Whether a word names a file: of the sources, or of a place that is not known.
    fn is_local(&self, raw: &str) -> bool {
        raw.contains('/')
            && !raw.contains("://")
            && !raw.starts_with('-')
            && (!raw.starts_with('/') || self.touches(raw))
            || raw.starts_with('$')
    }

    /// Whether a command needs nothing of the sources and changes nothing in them; the folder that it makes, if it makes one.
    fn inert(&self, folder: Option<&str>) -> Result<Option<String>, ()> {
        if self.command.words.is_empty() {
            return Ok(None);
        }
        let name = self.command.name().ok_or(())?;
        let words: Vec<Option<String>> =
            self.command.arguments().iter().map(|word| self.run.value(word).value).collect();
        let texts: Vec<&str> = words.iter().map(|word| word.as_deref().unwrap_or("")).collect();
        let operands = || {
            let arguments = self.command.arguments().iter().zip(&words);
            arguments.filter(|(word, _)| !word.raw.starts_with('-')).map(|(word, value)| (word.raw.as_str(), value))
        };
        let elsewhere = |raw: &str, value: &Option<String>| match value {
            Some(path) if path.starts_with('/') => !self.touches(path),
            _ => raw.starts_with("~/") && !self.run.state.home().is_none_or(|home| self.touches(&home)),
        };
        let ok = |yes: bool| if yes { Ok(None) } else { Err(()) };
        match name {
            "echo"
            | "true"
            | ":"
            | "set"
            | "export"
            | "useradd"
            | "adduser"
            | "groupadd"
            | "addgroup"
            | "usermod"
            | "groupmod"
            | "deluser"
            | "getent"
            | "id"
            | "whoami"
            | "uname"
            | "locale-gen"
            | "update-locale"
            | "dpkg-reconfigure"
            | "ldconfig"
            | "update-ca-certificates"
            | "apt-key"
            | "add-apt-repository"
            | "apt-mark"
            | "apt-cache"
            | "dpkg"
            | "update-alternatives"
            | "corepack"
            | "sleep"
            | "type"
            | "which"
            | "command"
            | "hash"
            | "unset"
            | "umask"
            | "printf"
            | "date"
            | "df"
            | "nproc"
            | "arch"
            | "alias" => Ok(None),
            "curl" => {
                let output = texts.iter().position(|word| matches!(*word, "-o" | "--output"));
                let remote = texts.iter().any(|word| {
                    word.starts_with('-') && !word.starts_with("--") && word.contains('O') || *word == "--remote-name"
                });
                let to = output.and_then(|at| words.get(at + 1).cloned());
                ok(!remote && to.is_none_or(|to| elsewhere("", &to)))
            }
            "wget" => {
                let to = texts.iter().position(|word| word.starts_with("-O") || word.starts_with("-qO"));
                let to = to.map(|at| match texts[at].split_once('O') {
                    Some((_, glued)) if !glued.is_empty() => glued,
                    _ => texts.get(at + 1).copied().unwrap_or(""),
                });
                ok(to.is_some_and(|to| to == "-" || elsewhere("", &Some(to.to_owned()))))
            }
            "rm" | "mkdir" | "rmdir" | "touch" | "ln" | "mv" | "cp" | "chmod" | "chown" | "tar" | "unzip"
            | "install" | "find" | "sed" | "cat" | "gpg" | "tee" | "ls" => {
                // A mode or an owner is no path.
                let skipped = usize::from(matches!(name, "chmod" | "chown" | "sed"));
                ok(operands().skip(skipped).all(|(raw, value)| elsewhere(raw, value)) && operands().count() > skipped)
            }
            "test" | "[" => {
                // Only what follows an operator such as -f, or holds a slash, is a path.
                let before = |at: usize| at.checked_sub(1).map_or("", |before| texts[before]);
                let is_path = |at: usize| {
                    let follows = before(at).starts_with('-') && !matches!(before(at), "-z" | "-n");
                    texts[at].contains('/') || follows
                };
                let mut all = 0..words.len();
                ok(all.all(|at| texts[at].starts_with('-') || !is_path(at) || elsewhere("", &words[at])))
            }
            "." | "source" => ok(operands().all(|(raw, _)| raw.ends_with("/activate") || raw.starts_with('/'))),
            "sh" | "bash" | "python" | "python3" | "node" if self.command.item.is_none() => {
                // What the network sends is run: `curl ... | sh`.
                ok(texts.iter().all(|word| word.starts_with('-') && *word != "-c" && *word != "-e"))
            }
            "python" | "python3" | "virtualenv" | "uv" => {
                let venv = match (name, texts.as_slice()) {
                    ("virtualenv", rest) | ("uv" | "python" | "python3", ["venv", rest @ ..]) => Some(rest),
                    ("python" | "python3", ["-m", "venv" | "virtualenv", rest @ ..]) => Some(rest),
                    _ => None,
                };
                if let Some(rest) = venv {
                    let path = rest.iter().rfind(|word| !word.starts_with('-')).copied();
                    let path = path.or((name == "uv").then_some(".venv")).ok_or(())?;
                    return Ok(Some(absolute(folder.ok_or(())?, path)));
                }
                let informs = matches!(texts.first(), Some(&("--version" | "-V")));
                let spacy = matches!(texts.as_slice(), ["-m", "spacy", "download", ..] | ["-m", "ensurepip", ..]);
                ok(informs || spacy || name == "uv" && texts.starts_with(&["python", "install"]))
            }
            "npm" | "yarn" | "pnpm" | "poetry" | "pip" | "pip3" | "composer" | "bundle" | "go" | "node" | "dotnet"
            | "ruby" | "php" | "java" | "mvn" | "git" => {
                let informs = matches!(texts.first(), Some(&("--version" | "-v" | "-V" | "version" | "--info")));
                let configures = matches!(texts.first(), Some(&"config")) && !texts.contains(&"--local");
                // The classic bundler's default scope for `config set` is the user's; npm's is too.
                let lists = matches!((name, texts.first()), ("pip" | "pip3", Some(&("list" | "freeze" | "check"))));
                ok(informs || configures || lists)
            }
            _ => Err(()),
        }
    }
}

/// Whether an install that reads no project files needs no sources: packages named on the command line.
fn is_self_contained(call: &Call, command: &Command) -> bool {
    let words: Vec<&str> =
        command.words[call.verb_word + 1..].iter().map(|word| word.raw.trim_matches(['"', '\''])).collect();
    let local =
        |word: &&str| word.starts_with('.') || word.starts_with('/') || word.contains('$') || word.ends_with(".gem");
    match call.manager.id {
        "npm" | "yarn" | "pnpm" | "bun" => {
            let global = words.iter().any(|word| matches!(*word, "-g" | "--global" | "--location=global"));
            (global || call.verb_text == "global add") && !words.iter().any(local)
        }
        "uv" => call.verb_text == "tool install" && !words.iter().any(local),
        "poetry" => call.verb_text.starts_with("self"),
        "composer" => call.verb_text.starts_with("global"),
        "gem" => !words.iter().any(|word| local(word) || matches!(*word, "-g" | "--file")),
        "cargo" => call.verb_text == "install" && !words.iter().any(|word| word.starts_with("--path") || local(word)),
        "go" => call.verb_text == "install" && words.iter().any(|word| word.contains('@')),
        "conda" => {
            let files = ["-f", "--file", "env", "."];
            !call.verb_text.starts_with("env")
                && !words.iter().any(|word| files.contains(word) || word.starts_with("--file="))
        }
        "nuget" => call.verb_text.starts_with("tool") && words.contains(&"-g"),
        _ => false,
    }
}

/// The program that a command substitution runs, unless it only tells something of the machine.
fn substituted(text: &str) -> Option<&str> {
    const INFORM: [&str; 10] =
        ["nproc", "uname", "arch", "dpkg", "lsb_release", "getconf", "id", "whoami", "date", "mktemp"];
    let mut rest = text;
    while let Some(at) = rest.find(['$', '`']) {
        let found = &rest[at..];
        let inner =
            found.strip_prefix('`').or_else(|| found.strip_prefix("$(").filter(|inner| !inner.starts_with('(')));
        rest = &found[1..];
        let Some(inner) = inner else { continue };
        let name =
            inner.trim_start().split(|ch: char| ch.is_whitespace() || matches!(ch, ')' | '`')).next().unwrap_or("");
        if !INFORM.contains(&name) && !(name.is_empty() && found.starts_with('`')) {
            return Some(name);
        }
        // Past the closing backquote, so that it is not taken for an opening one.
        if found.starts_with('`') {
            rest = inner.split_once('`').map_or("", |(_, rest)| rest);
        }
    }
    None
}

/// Whether the place lies in quotes: an odd number of them stands in front.
fn is_quoted(text: &str, at: usize) -> bool {
    let before = &text[..at.min(text.len())];
    before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1
}

/// A command as a reason quotes it.
pub fn short(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(MOST).collect::<String>().trim_end())
}
