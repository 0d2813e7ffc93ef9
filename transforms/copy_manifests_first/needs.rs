//! What the commands of a RUN need of the sources that were copied before it.

use std::borrow::Cow;

use super::inert::{Inert, configuration, is_quoted, is_self_contained, substituted};

use crate::facts::copies::{absolute, relative};
use crate::facts::managers::{Call, Verb};
use crate::facts::manifests::{self, Files, Install};
use crate::facts::runs::{Run, Unreadable};
use crate::facts::sources::Sources;
use crate::facts::stages::Shell;
use crate::shell::{self, Command, Script};
use crate::text::one_line;

/// What a RUN needs of the sources: the installs in it, up to the first command that needs the sources themselves.
pub struct Needs<'a> {
    pub script: Cow<'a, Script>,
    pub installs: Vec<Needed<'a>>,
    /// Folders that other commands make, absolute: virtual environments.
    pub makes: Vec<String>,
    /// Managers that install packages named on the command line, other than pip: what else they look at is not known as well.
    pub bare: Vec<&'static str>,
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
        let mut needs = Needs {
            script,
            installs: Vec::new(),
            makes: Vec::new(),
            bare: Vec::new(),
            blocked: None,
            blocked_call: false,
        };
        let mut folder = run.state.workdir.as_deref().map(|folder| absolute("", folder));
        for at in 0..needs.script.commands.len() {
            let step = Step { run, sources, targets, script: &needs.script, command: &needs.script.commands[at], at };
            match step.look(&mut folder) {
                Ok(None) => {}
                Ok(Some(Found::Install(found))) => needs.installs.push(found),
                Ok(Some(Found::Makes(path))) => needs.makes.push(path),
                Ok(Some(Found::Bare(id))) => needs.bare.push(id),
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
    Bare(&'static str),
}

/// A command at its place.
pub(super) struct Step<'a, 's> {
    pub run: &'a Run,
    pub sources: &'s Sources<'s>,
    targets: &'s [String],
    script: &'s Script,
    pub command: &'s Command,
    at: usize,
}

impl<'a> Step<'a, '_> {
    /// What the command needs; follows `cd`.
    ///
    /// # Errors
    /// Why it needs the sources, or may.
    fn look(&self, folder: &mut Option<String>) -> Result<Option<Found<'a>>, String> {
        let said = || one_line(&self.run.text.text[self.command.range.clone()]);
        self.redirections().map_err(|what| format!("`{}` {what}", short(&said())))?;
        if self.command.words[..self.command.program.min(self.command.words.len())]
            .iter()
            .any(|word| word.raw == "xargs")
        {
            return Err(format!("`{}` takes its words from elsewhere", short(&said())));
        }
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
                let words = &self.command.words[self.command.program + 1..];
                let here = folder.as_deref().unwrap_or("/");
                let seen = self.sources.seen_from(here);
                let local = words.iter().enumerate().find(|(at, word)| {
                    let value = word.value.as_deref().unwrap_or("");
                    let named = value.split_once('=').map_or(value, |(_, value)| value);
                    // A folder may be called like a package; behind an option it is one.
                    let option = at
                        .checked_sub(1)
                        .is_some_and(|before| words[before].raw.starts_with("--") || words[before].raw == "-c");
                    let is_there =
                        seen.is_file(named) || (option || named != value) && !named.is_empty() && seen.is_folder(named);
                    self.is_local(&word.raw) || is_there
                });
                return match local {
                    Some((_, word)) => Err(format!("`{}` takes {} from the sources", short(&said()), word.raw)),
                    None => Ok(None),
                };
            }
            let here = folder.clone().ok_or("the folder that it runs in is not known")?;
            let seen = self.sources.seen_from(&here);
            let found = manifests::install(call, self.command, self.run, &seen);
            return match found.map_err(|reason| format!("{}: {reason}", call.manager.id))? {
                Some(install) => {
                    if let Some(file) = self.file_named(call, &install, &here, &seen) {
                        return Err(format!("`{}` takes {file} from the sources", short(&said())));
                    }
                    Ok(Some(Found::Install(Needed { command: self.at, call, folder: here, install })))
                }
                None if is_self_contained(call, self.command) => match configuration(call, &seen) {
                    Some(path) => Err(format!("`{}` reads {path} of the sources", short(&said()))),
                    None => Ok(Some(Found::Bare(call.manager.id))),
                },
                None => Err(format!("`{}` works on the sources", short(&said()))),
            };
        }
        if call.is_some_and(|call| call.verb == Verb::Clean || call.manager.system) {
            return Ok(None);
        }
        match self.inert(folder.as_deref()) {
            Ok(Inert::Nothing) => Ok(None),
            Ok(Inert::Makes(path)) => Ok(Some(Found::Makes(path))),
            Ok(Inert::Reads(name)) => Err(format!("`{}` reads {name} of the sources", short(&said()))),
            Err(()) => Err(format!("`{}` may need the sources", short(&said()))),
        }
    }

    /// A file of the sources that an install takes beside what it is known to read: named by an option or an assignment, found by
    /// PYTHONPATH, or the program itself.
    fn file_named(&self, call: &Call, install: &Install, here: &str, seen: &dyn Files) -> Option<String> {
        let read: Vec<String> = install.reads.iter().map(|path| absolute(here, path)).collect();
        let known = |path: &str| read.contains(&absolute(here, path));
        let program = self.command.words.get(self.command.program)?;
        let words = self.command.words[self.command.program..].iter().chain(&self.command.assignments);
        for word in words {
            let value = self.run.value(word).value.unwrap_or_default();
            let value = value.split_once('=').map_or(value.as_str(), |(_, value)| value).trim_start_matches(['@', ':']);
            let is_program = word.range == program.range && !value.contains('/');
            if !value.is_empty() && !is_program && !known(value) && seen.is_file(value) {
                return Some(value.to_owned());
            }
        }
        let is_python = matches!(call.manager.id, "pip" | "uv" | "poetry" | "pipenv");
        let path = self.run.state.env.known("PYTHONPATH").filter(|_| is_python).unwrap_or_default();
        for folder in path.split(':').filter(|folder| !folder.is_empty()) {
            let counts = |name: &&String| {
                name.ends_with(".dist-info") || name.ends_with(".egg-info") || name.ends_with("customize.py")
            };
            if let Some(name) = seen.names(folder).iter().find(counts) {
                return Some(name.clone());
            }
        }
        None
    }

    /// Where `cd` leads, if it leads the commands behind it there too.
    fn changed(&self, folder: Option<&str>) -> Option<String> {
        let outermost = self.script.lists[self.command.list].outermost;
        let [target] = self.command.arguments() else { return None };
        let value = self.run.value(target).value.filter(|_| outermost && self.command.item.is_some())?;
        Some(absolute(folder?, &value))
    }

    /// # Errors
    /// What a redirection writes beside or in the sources, or reads.
    fn redirections(&self) -> Result<(), String> {
        let text = &self.run.text.text[self.command.range.clone()];
        for (at, _) in text.match_indices('<') {
            let is_heredoc = text[at..].starts_with("<<") || text[..at].ends_with('<');
            let source = text[at + 1..].trim_start();
            if !is_heredoc && !is_quoted(text, at) && !source.starts_with("/dev/") {
                let source: String = source.chars().take_while(|ch| !ch.is_whitespace()).collect();
                return Err(format!("reads {source}"));
            }
        }
        let mut rest = text;
        while let Some(at) = rest.find('>') {
            rest = rest[at..].trim_start_matches(['>', '|', ' ']);
            let target: String =
                rest.chars().take_while(|ch| !ch.is_whitespace() && !matches!(ch, ';' | ')')).collect();
            let target = target.trim_matches(['"', '\'']);
            let harmless = target.starts_with('&') || target.starts_with('/') && !self.touches(target);
            if !harmless && !is_quoted(text, text.len() - rest.len()) {
                return Err(if target.is_empty() {
                    "writes to a place that is not known".to_owned()
                } else {
                    format!("writes {target}")
                });
            }
        }
        Ok(())
    }

    /// Whether an absolute path lies in the sources, or they lie in it.
    pub fn touches(&self, path: &str) -> bool {
        let path = absolute("", path);
        self.targets.iter().any(|target| relative(&path, target).is_some() || relative(target, &path).is_some())
    }

    /// Whether a word names a file: of the sources, or of a place that is not known.
    fn is_local(&self, raw: &str) -> bool {
        let raw = raw.trim_matches(['"', '\'']);
        let is_package = [".apk", ".rpm", ".deb"].iter().any(|end| raw.ends_with(end)) || raw.contains('*');
        let is_path = raw.contains('/') && !raw.contains("://") || is_package;
        is_path && !raw.starts_with('-') && (!raw.starts_with('/') || self.touches(raw)) || raw.starts_with('$')
    }
}

/// A command as a reason quotes it.
pub fn short(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(MOST).collect::<String>().trim_end())
}
