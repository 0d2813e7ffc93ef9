//! Stages in order: what each is built on, and the environment, user and shell that every RUN sees.
//!
//! Source: `dispatchEnv`, `dispatchArg`, `dispatchUser` and `dispatchShell` in moby/buildkit
//! `frontend/dockerfile/dockerfile2llb/convert.go`.

use std::sync::Arc;

use super::Knowledge;
use super::bases::{self, Distribution, Family};
use super::copies::{self, Copy};
use super::images::{self, BaseFacts};
use super::runs::{self, Run, Scripts};
use super::users::{self, User};
use crate::dockerfile::{Dockerfile, Instruction, Keyword};

/// A build stage.
#[derive(Debug, Clone)]
pub struct Stage {
    pub name: Option<String>,
    /// Index of its FROM.
    pub from: usize,
    /// Indexes of its instructions, FROM included.
    pub instructions: std::ops::Range<usize>,
    pub base: Base,
    /// The state after its last instruction.
    pub end: Arc<State>,
}

/// What a stage is built on.
#[derive(Debug, Clone)]
pub enum Base {
    Image(Box<ImageBase>),
    Stage(usize),
    Scratch,
}

/// An image, and what is known of it.
#[derive(Debug, Clone)]
pub struct ImageBase {
    /// The reference with the defaults of build arguments put in; as written where one has no default.
    pub reference: String,
    /// Which part of the reference a build argument may change.
    pub argument: ArgumentIn,
    /// What the table or restow.toml knows of it.
    pub known: Option<BaseFacts>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentIn {
    Nothing,
    Tag,
    Name,
}

/// A variable of a RUN's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// Set by ENV, or by the base image.
    Known(String),
    /// Set by ARG: the default, if it has one. The build may pass another value.
    Argument(Option<String>),
    /// Set to something that depends on what is not known.
    Unknown,
}

/// Variables in effect. Copies share what they have in common, because every RUN keeps the environment that it finds.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    last: Option<Arc<Setting>>,
    /// Whether the base image may set more that is not listed.
    pub open: bool,
}

#[derive(Debug)]
struct Setting {
    name: String,
    value: Variable,
    before: Option<Arc<Setting>>,
}

impl Environment {
    fn find(&self, wanted: impl Fn(&str) -> bool) -> Option<&Variable> {
        let mut at = self.last.as_deref();
        while let Some(setting) = at {
            if wanted(&setting.name) {
                return Some(&setting.value);
            }
            at = setting.before.as_deref();
        }
        None
    }

    /// Every variable with its value in effect.
    pub fn all(&self) -> Vec<(&str, &Variable)> {
        let mut all: Vec<(&str, &Variable)> = Vec::new();
        let mut at = self.last.as_deref();
        while let Some(setting) = at {
            if !all.iter().any(|(name, _)| *name == setting.name) {
                all.push((&setting.name, &setting.value));
            }
            at = setting.before.as_deref();
        }
        all
    }

    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.find(|known| known == name)
    }

    /// Names in any case, as npm reads `npm_config_cache`.
    pub fn get_any_case(&self, name: &str) -> Option<&Variable> {
        self.find(|known| known.eq_ignore_ascii_case(name))
    }

    /// The value of a variable that no build argument can change.
    pub fn known(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(Variable::Known(value)) => Some(value.clone()),
            _ => None,
        }
    }

    fn set(&mut self, name: &str, value: Variable) {
        let before = self.last.take();
        self.last = Some(Arc::new(Setting { name: name.to_owned(), value, before }));
    }
}

/// What an instruction finds.
#[derive(Debug, Clone)]
pub struct State {
    pub env: Environment,
    /// `None` where the base image decides and is not known.
    pub user: Option<User>,
    /// Users that the base image has and that earlier RUNs created.
    pub users: Arc<Vec<User>>,
    pub shell: Shell,
    pub workdir: Option<String>,
    /// Where conda's root environment lies, if the base image tells it other than by a variable.
    pub conda_prefix: Option<String>,
}

/// What runs the shell form of RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shell {
    /// A POSIX shell; whether it is started with `-e`.
    Posix { errexit: bool },
    /// PowerShell, cmd, or something else that is not read.
    Other(String),
}

impl State {
    /// The home of the RUN's user: HOME if it is set, else that of the account.
    pub fn home(&self) -> Option<String> {
        match self.env.get("HOME") {
            Some(Variable::Known(home)) => Some(home.clone()),
            Some(_) => None,
            None => self.user.as_ref().and_then(|user| user.home.clone()),
        }
    }
}

/// What [`resolve`] gives.
pub struct Resolved {
    pub stages: Vec<Stage>,
    pub runs: Vec<Run>,
    pub copies: Vec<Copy>,
}

/// Resolves all stages, and all RUNs and COPYs in them.
pub fn resolve(text: &str, file: &Dockerfile, knowledge: &Knowledge, scripts: &Scripts) -> Resolved {
    let mut resolver = Resolver {
        text,
        file,
        knowledge,
        scripts,
        globals: Environment::default(),
        stages: Vec::new(),
        runs: Vec::new(),
        copies: Vec::new(),
    };
    let mut at = 0;
    while at < file.instructions.len() && file.instructions[at].keyword != Keyword::From {
        let instruction = &file.instructions[at];
        if instruction.keyword == Keyword::Arg {
            resolver.global_arguments(instruction);
        }
        at += 1;
    }
    while at < file.instructions.len() {
        let rest = &file.instructions[at + 1..];
        let end = rest
            .iter()
            .position(|ins| ins.keyword == Keyword::From)
            .map_or(file.instructions.len(), |len| at + 1 + len);
        resolver.stage(at..end);
        at = end;
    }
    Resolved { stages: resolver.stages, runs: resolver.runs, copies: resolver.copies }
}

struct Resolver<'a> {
    text: &'a str,
    file: &'a Dockerfile,
    knowledge: &'a Knowledge,
    scripts: &'a Scripts,
    /// ARGs before the first FROM.
    globals: Environment,
    stages: Vec<Stage>,
    runs: Vec<Run>,
    copies: Vec<Copy>,
}

impl Resolver<'_> {
    fn global_arguments(&mut self, instruction: &Instruction) {
        for pair in instruction.pairs(self.file.escape) {
            let default = pair.value.and_then(|raw| {
                expand(&raw, self.file.escape, &|name| match self.globals.get(name) {
                    Some(Variable::Argument(default)) => default.clone(),
                    _ => None,
                })
            });
            self.globals.set(&pair.name, Variable::Argument(default));
        }
    }

    fn stage(&mut self, instructions: std::ops::Range<usize>) {
        let from = &self.file.instructions[instructions.start];
        let words = from.words(self.file.escape);
        let reference = words.first().map_or("", |word| word.raw.as_str());
        let named = words.len() >= 3 && words[1].raw.eq_ignore_ascii_case("as");
        let name = named.then(|| words[2].raw.to_lowercase());
        let base = self.base(reference);
        let mut state = match &base {
            Base::Stage(parent) => (*self.stages[*parent].end).clone(),
            Base::Scratch => State::of_image(None),
            Base::Image(image) => {
                let mut state = State::of_image(image.known.as_ref());
                // Microsoft's Windows images have no tag that says so.
                if image.reference.contains("/windows/")
                    || image.reference.contains("windowsservercore")
                    || image.reference.contains("nanoserver")
                {
                    state.shell = Shell::Other("a Windows base image".to_owned());
                }
                state
            }
        };
        // ARGs of a base stage hold in the stages built on it, global ones only where they are named again.
        let index = self.stages.len();
        let mut shared = Arc::new(state.clone());
        let mut changed = false;
        for at in instructions.clone().skip(1) {
            let instruction = &self.file.instructions[at];
            if instruction.keyword == Keyword::Run {
                if changed {
                    shared = Arc::new(state.clone());
                    changed = false;
                }
                let run =
                    runs::read(self.text, self.file, at, index, Arc::clone(&shared), self.knowledge, self.scripts);
                let created: Vec<User> = run.commands().iter().filter_map(users::created).collect();
                changed |= !created.is_empty();
                if !created.is_empty() {
                    Arc::make_mut(&mut state.users).extend(created);
                }
                self.runs.push(run);
            } else if matches!(instruction.keyword, Keyword::Copy | Keyword::Add) {
                self.copies.push(copies::read(self.file, at, index, &state));
            } else {
                changed |= self.apply(instruction, &mut state);
            }
        }
        self.stages.push(Stage { name, from: instructions.start, instructions, base, end: Arc::new(state) });
    }

    fn base(&self, raw: &str) -> Base {
        let default = |name: &str| match self.globals.get(name) {
            Some(Variable::Argument(default)) => default.clone(),
            _ => None,
        };
        let marked = |name: &str| self.globals.get(name).map(|_| MARK.to_string());
        let escape = self.file.escape;
        let reference = expand(raw, escape, &default);
        let with_marks = expand(raw, escape, &marked).unwrap_or_else(|| MARK.to_string());
        let spelled = reference.clone().unwrap_or_else(|| raw.to_owned());
        if let Some(index) =
            self.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&spelled.to_lowercase()))
        {
            if self.knowledge.is_replaced(&spelled) {
                return Base::Image(Box::new(ImageBase {
                    reference: spelled,
                    argument: ArgumentIn::Name,
                    known: None,
                }));
            }
            return Base::Stage(index);
        }
        if spelled.eq_ignore_ascii_case("scratch") {
            return Base::Scratch;
        }
        let split = bases::split_reference(&with_marks);
        let argument = if reference.is_none() || split.repository.contains(MARK) {
            ArgumentIn::Name
        } else if with_marks.contains(MARK) {
            ArgumentIn::Tag
        } else {
            ArgumentIn::Nothing
        };
        let known = reference
            .as_deref()
            .filter(|reference| !self.knowledge.is_replaced(reference))
            .and_then(|reference| images::facts(reference, argument != ArgumentIn::Nothing, &self.knowledge.bases));
        Base::Image(Box::new(ImageBase { reference: spelled, argument, known }))
    }

    /// Applies ENV, ARG, USER, SHELL and WORKDIR; tells whether the state changed.
    fn apply(&self, instruction: &Instruction, state: &mut State) -> bool {
        let escape = self.file.escape;
        match instruction.keyword {
            Keyword::Env => {
                let pairs = instruction.pairs(escape);
                // All values of one ENV see the environment before it.
                let before = state.env.clone();
                for pair in pairs {
                    let value = pair.value.and_then(|raw| expand(&raw, escape, &|name| before.known(name)));
                    state.env.set(&pair.name, value.map_or(Variable::Unknown, Variable::Known));
                }
            }
            Keyword::Arg => {
                for pair in instruction.pairs(escape) {
                    let default = match pair.value {
                        Some(raw) => expand(&raw, escape, &|name| state.env.known(name)),
                        None => match self.globals.get(&pair.name) {
                            Some(Variable::Argument(default)) => default.clone(),
                            _ => None,
                        },
                    };
                    // What stands above it holds where the build passes nothing and there is no default, and gives way otherwise (measured).
                    let value = match (state.env.get(&pair.name), default) {
                        (Some(Variable::Unknown), _) => Variable::Unknown,
                        (Some(Variable::Known(before) | Variable::Argument(Some(before))), None) => {
                            Variable::Argument(Some(before.clone()))
                        }
                        (_, default) => Variable::Argument(default),
                    };
                    state.env.set(&pair.name, value);
                }
            }
            Keyword::User => {
                let raw = instruction.args();
                state.user = match expand(raw, escape, &|name| state.env.known(name)) {
                    Some(name) if !name.is_empty() => Some(User::named(&name, &state.users)),
                    _ => Some(User { name: raw.to_owned(), uid: None, gid: None, home: None }),
                };
            }
            Keyword::Shell => {
                let words = instruction.json.clone().unwrap_or_default();
                state.shell = shell_of(&words);
            }
            Keyword::Workdir => {
                let path = expand(instruction.args(), escape, &|name| state.env.known(name));
                state.workdir = match (path, state.workdir.take()) {
                    (Some(path), _) if path.starts_with('/') => Some(path),
                    (Some(path), Some(old)) => Some(format!("{}/{path}", old.trim_end_matches('/'))),
                    _ => None,
                };
            }
            _ => return false,
        }
        true
    }
}

/// Stands for the value of a build argument while looking where it lands.
const MARK: char = '\u{e000}';

impl State {
    fn of_image(known: Option<&BaseFacts>) -> Self {
        let listed = known.and_then(|known| known.env.as_ref());
        let mut env = Environment { open: listed.is_none(), ..Environment::default() };
        let conda_prefix = known.and_then(|known| known.conda_prefix.clone());
        let mut users = vec![User::root()];
        let mut user = None;
        let mut shell = Shell::Posix { errexit: false };
        for (name, value) in listed.into_iter().flatten() {
            env.set(name, Variable::Known(value.clone()));
        }
        if let Some(known) = known {
            if !known.shell.is_empty() {
                shell = shell_of(&known.shell);
            }
            users.extend(known.users.iter().cloned());
            user = known.user.clone();
            users.extend(user.clone());
            if matches!(&known.distribution, Some(Distribution { family: Family::Windows, .. })) {
                shell = Shell::Other("a Windows base image".to_owned());
            }
        }
        Self { env, user, users: Arc::new(users), shell, workdir: Some("/".to_owned()), conda_prefix }
    }
}

fn shell_of(words: &[String]) -> Shell {
    let program = words.first().map_or("", |word| word.rsplit(['/', '\\']).next().unwrap_or(word));
    match program {
        // The last is micromamba's: it activates the environment and hands the text to bash.
        "sh" | "bash" | "dash" | "ash" | "zsh" | "busybox" | "_dockerfile_shell.sh" => {
            let errexit = words[1..].iter().any(|word| {
                word.starts_with('-') && !word.starts_with("--") && word.contains('e') || word == "errexit"
            });
            Shell::Posix { errexit }
        }
        _ => Shell::Other(format!("SHELL {}", words.first().map_or("[]", String::as_str))),
    }
}

/// Expands a Dockerfile word: quotes and escapes resolved, `$X`, `${X}`, `${X:-y}`, `${X-y}` and `${X:+y}` replaced.
/// `None` where a variable is not known.
pub fn expand(raw: &str, escape: char, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.char_indices().peekable();
    let mut quote = None;
    while let Some((at, ch)) = chars.next() {
        match ch {
            '\'' | '"' if quote == Some(ch) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(ch),
            _ if quote == Some('\'') => out.push(ch),
            _ if ch == escape => {
                let next = chars.next();
                if quote == Some('"') && !next.is_some_and(|(_, next)| matches!(next, '"' | '$') || next == escape) {
                    out.push(ch);
                }
                out.extend(next.map(|(_, next)| next));
            }
            '$' => {
                let after = &raw[at + 1..];
                if let Some(inner) = after.strip_prefix('{') {
                    let end = inner.find('}')?;
                    let body = &inner[..end];
                    for _ in 0..body.chars().count() + 2 {
                        chars.next();
                    }
                    let name_len =
                        body.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).unwrap_or(body.len());
                    let (name, modifier) = body.split_at(name_len);
                    let value = lookup(name);
                    if modifier.is_empty() {
                        out.push_str(&value?);
                    } else if let Some(word) = modifier.strip_prefix(":-") {
                        out.push_str(&value.filter(|value| !value.is_empty()).unwrap_or_else(|| word.to_owned()));
                    } else if let Some(word) = modifier.strip_prefix('-') {
                        out.push_str(&value.unwrap_or_else(|| word.to_owned()));
                    } else {
                        return None;
                    }
                } else {
                    let len = after.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).unwrap_or(after.len());
                    if len == 0 {
                        out.push('$');
                        continue;
                    }
                    for _ in 0..len {
                        chars.next();
                    }
                    out.push_str(&lookup(&after[..len])?);
                }
            }
            _ => out.push(ch),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::read;

    fn stages(text: &str) -> (Vec<Stage>, Vec<Run>) {
        let resolved = resolve(text, &read(text).unwrap(), &Knowledge::default(), &Scripts::new());
        (resolved.stages, resolved.runs)
    }

    #[test]
    fn dockerfile_words_expand_with_defaults() {
        let lookup = |name: &str| (name == "V").then(|| "3.11".to_owned());
        assert_eq!(expand("python:${V}-slim", '\\', &lookup).as_deref(), Some("python:3.11-slim"));
        assert_eq!(expand("${W:-x}/$V", '\\', &lookup).as_deref(), Some("x/3.11"));
        assert_eq!(expand("\"a b\"\\$V'$V'", '\\', &lookup).as_deref(), Some("a b$V$V"));
        assert_eq!(expand("$W", '\\', &lookup), None);
    }

    #[test]
    fn a_stage_inherits_environment_and_user() {
        let text = "ARG V=3.11\nFROM python:$V AS base\nENV A=1 B=$A\nUSER 1000\nFROM base\nRUN x\n";
        let (stages, runs) = stages(text);
        assert!(matches!(stages[1].base, Base::Stage(0)));
        let state = &runs[0].state;
        assert_eq!(state.env.known("A").as_deref(), Some("1"));
        assert_eq!(state.env.get("B"), Some(&Variable::Unknown));
        assert_eq!(state.user.as_ref().and_then(|user| user.uid), Some(1000));
        let Base::Image(image) = &stages[0].base else { panic!() };
        assert_eq!((image.reference.as_str(), image.argument), ("python:3.11", ArgumentIn::Tag));
    }

    #[test]
    fn a_base_from_an_argument_is_marked() {
        let (stages, _) = stages("ARG B=python:3\nFROM $B\nFROM ${C}\n");
        let Base::Image(image) = &stages[0].base else { panic!() };
        assert_eq!(image.argument, ArgumentIn::Name);
        let Base::Image(image) = &stages[1].base else { panic!() };
        assert!(image.known.is_none());
    }

    #[test]
    fn a_windows_shell_is_not_read() {
        let (_, runs) = stages("FROM x\nSHELL [\"powershell\", \"-Command\"]\nRUN pip install x\n");
        assert!(runs[0].script().is_err());
    }
}
