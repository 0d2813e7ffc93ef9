//! A RUN: the text its shell is given, the commands in it, and its mounts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::Knowledge;
use super::managers::{self, Call};
use super::stages::{Shell, State, expand};
use crate::dockerfile::{Dockerfile, Instruction};
use crate::shell::{self, Script, ShellWord};
use crate::text::{Fragment, Span};

/// A RUN instruction of a stage.
#[derive(Debug, Clone)]
pub struct Run {
    /// Index of the instruction in the file.
    pub instruction: usize,
    pub stage: usize,
    /// The state that it finds.
    pub state: Arc<State>,
    /// The text given to the shell, with its way back to the file.
    pub text: Fragment,
    parsed: Arc<Parsed>,
    pub mounts: Vec<Mount>,
    pub form: RunForm,
    /// `--network=none`.
    pub offline: bool,
}

/// What the shell text of a RUN says: the same for the same text, so it is read once per file however often a pass looks
/// at it.
#[derive(Debug)]
struct Parsed {
    script: Result<Script, Unreadable>,
    calls: Vec<Call>,
}

type KnownScripts = HashMap<(String, bool), Arc<Parsed>>;

/// The scripts of a file that were read already.
#[derive(Debug)]
pub struct Scripts {
    /// By text and whether the shell starts with `-e`; `None` where scripts are not wanted at all.
    known: Option<RefCell<KnownScripts>>,
}

impl Scripts {
    pub fn new() -> Self {
        Self { known: Some(RefCell::default()) }
    }

    /// Reads no script: for a look at stages and bases only.
    pub fn none() -> Self {
        Self { known: None }
    }
}

impl Default for Scripts {
    fn default() -> Self {
        Self::new()
    }
}

/// How a RUN is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunForm {
    Shell,
    Exec,
    /// The body of its only heredoc is the script.
    Heredoc,
}

/// Why the commands of a RUN were not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("{0} runs it, and only POSIX shells are read")]
    Shell(String),
    #[error("a heredoc is handed to another program, and only plain `RUN <<EOF` scripts are read")]
    Heredoc,
    #[error("{0}")]
    Syntax(String),
    /// No package manager and no account command stands in it.
    #[error("nothing in it concerns a package manager")]
    Irrelevant,
}

/// A `--mount` flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// `bind` where it is not named.
    pub kind: String,
    /// Absolute, without a trailing slash; `None` where it depends on an unknown variable.
    pub target: Option<String>,
    pub from: Option<String>,
    pub source: Option<String>,
    pub uid: Option<String>,
    pub read_only: bool,
    pub span: Span,
}

impl Mount {
    /// A cache mount that can be written.
    pub fn is_cache(&self) -> bool {
        self.kind == "cache" && !self.read_only
    }

    /// Whether `dir` is the target or lies beneath it.
    pub fn covers(&self, dir: &str) -> bool {
        self.target.as_deref().is_some_and(|target| is_within(dir, target))
    }
}

/// Whether `path` is `folder` or lies beneath it; both absolute.
pub fn is_within(path: &str, folder: &str) -> bool {
    let (path, folder) = (path.trim_end_matches('/'), folder.trim_end_matches('/'));
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads the RUN at index `at` of the file's instructions.
pub fn read(
    text: &str,
    file: &Dockerfile,
    at: usize,
    stage: usize,
    state: Arc<State>,
    knowledge: &Knowledge,
    scripts: &Scripts,
) -> Run {
    let instruction = &file.instructions[at];
    let mounts = instruction.flags.iter().filter(|flag| flag.name() == "mount");
    let mounts = mounts.map(|flag| mount(flag.value().unwrap_or(""), flag.span, file.escape, &state)).collect();
    let (form, fragment) = script_text(text, instruction);
    let parsed = parse(text, instruction, form, &fragment, &state, knowledge, scripts);
    let offline = instruction.flag("network") == Some("none");
    Run { instruction: at, stage, state, text: fragment, parsed, mounts, form, offline }
}

fn parse(
    text: &str,
    ins: &Instruction,
    form: RunForm,
    fragment: &Fragment,
    state: &State,
    knowledge: &Knowledge,
    scripts: &Scripts,
) -> Arc<Parsed> {
    let finish = |script: Result<Script, Unreadable>| {
        let commands = script.as_ref().map_or(&[][..], |script| &script.commands);
        let calls = commands.iter().enumerate();
        let calls = calls.filter_map(|(index, command)| managers::call(command, index, knowledge.managers())).collect();
        Arc::new(Parsed { script, calls })
    };
    let Some(known) = scripts.known.as_ref().filter(|_| knowledge.may_concern(&fragment.text)) else {
        return finish(Err(Unreadable::Irrelevant));
    };
    if form == RunForm::Exec {
        return finish(Ok(shell::exec(exec_words(ins))));
    }
    let named_shell = ins.script_heredoc().and_then(|(_, options)| options);
    let errexit = match (&state.shell, named_shell) {
        (Shell::Other(name), _) => return finish(Err(Unreadable::Shell(name.clone()))),
        (Shell::Posix { .. }, Some(options)) => options.contains('e'),
        (Shell::Posix { errexit }, None) => *errexit,
    };
    if !ins.heredocs.is_empty() {
        // With other words on the line, line and bodies go to the shell together, which reads the heredocs itself.
        let interpreter =
            form == RunForm::Heredoc && named_shell.is_none() && is_foreign_script(ins.heredocs[0].body.of(text));
        if interpreter || form == RunForm::Shell && feeds_a_program(ins) {
            return finish(Err(Unreadable::Heredoc));
        }
    }
    let key = (fragment.text.clone(), errexit);
    if let Some(parsed) = known.borrow().get(&key) {
        return Arc::clone(parsed);
    }
    let script = shell::parse(&fragment.text, errexit).map_err(|error| Unreadable::Syntax(error.to_string()));
    let parsed = finish(script);
    known.borrow_mut().insert(key, Arc::clone(&parsed));
    parsed
}

/// The text that the shell is given: the arguments, or the body of the only heredoc, or both.
fn script_text(text: &str, ins: &Instruction) -> (RunForm, Fragment) {
    if ins.json.is_some() {
        return (RunForm::Exec, ins.line.clone());
    }
    if let Some((heredoc, _)) = ins.script_heredoc() {
        let mut body = Fragment::default();
        body.push(heredoc.body.of(text), heredoc.body.start);
        return (RunForm::Heredoc, body);
    }
    let mut whole = ins.line.slice(ins.args.clone());
    if let Some(last) = ins.heredocs.last() {
        let first = &ins.heredocs[0];
        whole.push("\n", ins.head_end);
        whole.push(&text[first.body.start..last.terminator.end], first.body.start);
    }
    (RunForm::Shell, whole)
}

/// Whether a heredoc on the line is the script of a program that is not read, or of a shell in a form that is not.
fn feeds_a_program(ins: &Instruction) -> bool {
    let mut words = ins.args().split_whitespace().filter(|word| !word.contains("<<"));
    let first = words.next().unwrap_or("");
    let name = first.rsplit('/').next().unwrap_or(first);
    ins.args().starts_with("<<")
        || matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "python" | "python3" | "perl")
}

fn is_foreign_script(body: &str) -> bool {
    body.strip_prefix("#!").is_some_and(|rest| {
        let line = rest.lines().next().unwrap_or("").trim();
        let program = line.split_whitespace().next().unwrap_or("");
        let name = program.rsplit('/').next().unwrap_or(program);
        let name = if name == "env" { line.split_whitespace().nth(1).unwrap_or("") } else { name };
        !matches!(name, "sh" | "bash" | "dash" | "ash")
    })
}

/// The strings of an exec form with the places of their contents in the joined line.
fn exec_words(ins: &Instruction) -> Vec<ShellWord> {
    let values = ins.json.clone().unwrap_or_default();
    let mut ranges = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (at, byte) in ins.line.text.bytes().enumerate().take(ins.args.end).skip(ins.args.start) {
        match (byte, start) {
            _ if escaped => escaped = false,
            (b'\\', Some(_)) => escaped = true,
            (b'"', Some(from)) => {
                ranges.push(from..at);
                start = None;
            }
            (b'"', None) => start = Some(at + 1),
            (b']', None) => break,
            _ => {}
        }
    }
    if ranges.len() != values.len() {
        return Vec::new();
    }
    let word = |(range, value): (std::ops::Range<usize>, String)| ShellWord {
        raw: ins.line.text[range.clone()].to_owned(),
        range,
        value: Some(value),
    };
    ranges.into_iter().zip(values).map(word).collect()
}

impl Run {
    /// Whether the commands are strings of a JSON array.
    pub fn is_exec(&self) -> bool {
        self.form == RunForm::Exec
    }

    /// The script, or why it was not read.
    pub fn script(&self) -> Result<&Script, &Unreadable> {
        self.parsed.script.as_ref()
    }

    /// The package manager calls, in order.
    pub fn calls(&self) -> &[Call] {
        &self.parsed.calls
    }

    /// The commands, none if they could not be read.
    pub fn commands(&self) -> &[shell::Command] {
        self.parsed.script.as_ref().map_or(&[], |script| &script.commands)
    }

    /// The value of a shell word with ENV and the user's home put in; build arguments stay unknown.
    pub fn value(&self, word: &ShellWord) -> shell::Expansion {
        if self.form == RunForm::Exec || matches!(word.value, Some(ref value) if *value == word.raw) {
            return shell::Expansion { value: word.value.clone(), pattern: false, variable: false };
        }
        let assigned = |name: &str| {
            self.commands().iter().any(|command| {
                let sets = |word: &ShellWord| word.raw.split_once('=').is_some_and(|(key, _)| key == name);
                command.assignments.iter().any(sets)
                    || matches!(command.name(), Some("export" | "local" | "read" | "declare"))
                        && command.words.iter().any(sets)
            })
        };
        shell::expand(&word.raw, &|name| match name {
            _ if assigned(name) => None,
            "HOME" => self.state.home(),
            _ => self.state.env.known(name),
        })
    }
}

fn mount(value: &str, span: Span, escape: char, state: &State) -> Mount {
    let mut mount =
        Mount { kind: "bind".to_owned(), target: None, from: None, source: None, uid: None, read_only: false, span };
    let mut id = None;
    for field in value.split(',') {
        let (key, value) = field.split_once('=').map_or((field, ""), |(key, value)| (key, value));
        let expanded = expand(value, escape, &|name| state.env.known(name));
        match key.trim().to_ascii_lowercase().as_str() {
            "type" => mount.kind = value.to_ascii_lowercase(),
            "target" | "dst" | "destination" => mount.target = expanded.and_then(|path| absolute(&path, state)),
            "from" => mount.from = Some(value.to_owned()),
            "source" | "src" => mount.source = expanded,
            "uid" => mount.uid = expanded,
            "id" => id = expanded,
            "ro" | "readonly" => mount.read_only = value.is_empty() || value == "true" || value == "1",
            _ => {}
        }
    }
    // Where BuildKit puts them without a target; an environment variable takes no place at all.
    let default = match mount.kind.as_str() {
        "secret" => Some(format!("/run/secrets/{}", id.unwrap_or_default())),
        "ssh" => Some("/run/buildkit".to_owned()),
        _ => None,
    };
    mount.target = mount.target.or(default);
    mount
}

fn absolute(path: &str, state: &State) -> Option<String> {
    let joined = match path.strip_prefix('/') {
        Some(_) => path.to_owned(),
        None => format!("{}/{path}", state.workdir.as_deref()?.trim_end_matches('/')),
    };
    let trimmed = joined.trim_end_matches('/');
    Some(if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() })
}
