//! The models that a service loads when it runs: found in its Python, with the environment that its container has.

pub mod data;
pub mod downloads;
mod image;
pub mod launch;
mod live;
pub mod loaders;
pub mod loads;
mod names;
pub mod places;
pub mod presence;
pub mod program;
mod scopes;
mod task;
pub mod values;
pub mod versions;

use std::collections::{BTreeMap, BTreeSet};

pub use launch::Command;
pub use loaders::How;
pub use loads::{Found, Kept, Load, Unresolved};
pub use program::Units;
pub use values::{Given, Setting};

use self::task::Task;
use self::versions::Versions;
use crate::context::BuildContext;
use crate::dockerfile::Keyword;
use crate::facts::{Facts, User, Variable, stages};

/// How a container of an image is started, where a compose file says it.
#[derive(Debug, Clone, Default)]
pub struct Container {
    /// What the compose file sets.
    pub environment: BTreeMap<String, Setting>,
    /// None where it says nothing; an empty command where it takes away that of the image.
    pub entrypoint: Option<Option<Command>>,
    pub command: Option<Option<Command>>,
    pub workdir: Option<String>,
    /// None where it says nothing; no text where it is not known.
    pub user: Option<Option<String>>,
    /// What the compose file passes as build arguments; no text where it is not known.
    pub arguments: BTreeMap<String, Option<String>>,
    /// Where volumes are mounted, absolute, and what they are.
    pub mounts: Vec<Mounted>,
}

impl Container {
    /// A variable of the container, where `stage` is its image: none where nothing sets it, no text where its value is not known.
    pub fn variable(&self, facts: &Facts<'_>, stage: usize, name: &str) -> Option<Option<String>> {
        if let Some(setting) = self.environment.get(name) {
            return Some(setting.value.clone());
        }
        match facts.stages[stage].end.env.get(name)? {
            Variable::Known(value) => Some(Some(value.clone())),
            Variable::Unknown => Some(None),
            Variable::Argument(_) => None,
        }
    }

    /// The user of the container, where `stage` is its image; none where it is not known.
    pub fn user(&self, facts: &Facts<'_>, stage: usize) -> Option<User> {
        let state = &facts.stages[stage].end;
        match &self.user {
            Some(user) => user.as_ref().map(|user| User::named(user, &state.users)),
            None => state.user.clone(),
        }
    }
}

/// A volume of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Absolute, without a trailing slash.
    pub target: String,
    /// Whether it is a folder of the host; else a volume, which the image fills once.
    pub is_bind: bool,
    /// `path:line`.
    pub place: String,
}

/// A Dockerfile's stage as the image of a service.
#[derive(Clone, Copy)]
pub struct Service<'a> {
    pub facts: &'a Facts<'a>,
    /// The Dockerfile, relative to the root of the project.
    pub path: &'a str,
    /// The stage that is built.
    pub stage: usize,
    pub context: &'a BuildContext<'a>,
    pub container: &'a Container,
}

/// The value that an ENV of a stage takes from build arguments: those that are passed, else their defaults; none where it is not known.
pub fn by_arguments(
    facts: &Facts<'_>,
    stage: usize,
    name: &str,
    passed: &BTreeMap<String, Option<String>>,
) -> Option<String> {
    let file = facts.file;
    let pair_of = |at: usize, wanted: &str| {
        file.instructions[at].pairs(file.escape).into_iter().rev().find(|pair| pair.name == wanted)
    };
    let env = &facts.stages[stage].end.env;
    let argument = |wanted: &str, before: usize| {
        let declared = facts.ancestors(stage).into_iter().find_map(|stage| {
            let mut all = facts.stages[stage].instructions.clone().filter(|at| *at < before).rev();
            all.find_map(|at| (file.instructions[at].keyword == Keyword::Arg).then(|| pair_of(at, wanted)).flatten())
        })?;
        if let Some(value) = passed.get(wanted) {
            return value.clone();
        }
        let raw = match declared.value {
            Some(raw) => raw,
            // The one in front of the first stage has its default.
            None => {
                let first = facts.stages.first()?.from;
                let global = (0..first).rev().filter(|at| file.instructions[*at].keyword == Keyword::Arg);
                global.filter_map(|at| pair_of(at, wanted)).next()?.value?
            }
        };
        stages::expand(&raw, file.escape, &|name| env.known(name))
    };
    facts.ancestors(stage).into_iter().find_map(|stage| {
        let mut all = facts.stages[stage].instructions.clone().rev();
        all.find_map(|at| {
            let raw = (file.instructions[at].keyword == Keyword::Env).then(|| pair_of(at, name)).flatten()?.value?;
            let lookup = |wanted: &str| env.known(wanted).or_else(|| argument(wanted, at));
            Some(stages::expand(&raw, file.escape, &lookup))
        })
    })?
}

impl Service<'_> {
    /// What the container runs, and in which environment.
    fn environment(&self) -> BTreeMap<String, Setting> {
        let state = &self.facts.stages[self.stage].end;
        let mut all = BTreeMap::new();
        for (name, value) in state.env.all() {
            let value = match value {
                Variable::Known(value) => Some(value.clone()),
                Variable::Unknown => by_arguments(self.facts, self.stage, name, &self.container.arguments),
                // Build arguments are gone when the container runs.
                Variable::Argument(_) => continue,
            };
            let line = self.line_of(name);
            let setting = Setting { value, file: self.path.into(), line, given: Given::DockerfileEnv };
            all.insert(name.to_owned(), setting);
        }
        all.extend(self.container.environment.iter().map(|(name, setting)| (name.clone(), setting.clone())));
        all
    }

    /// The line of the ENV that sets a variable; that of FROM where the base image does.
    fn line_of(&self, name: &str) -> usize {
        let facts = self.facts;
        for stage in facts.ancestors(self.stage) {
            let instructions = facts.stages[stage].instructions.clone().rev();
            for at in instructions {
                let instruction = &facts.file.instructions[at];
                let sets = instruction.keyword == Keyword::Env
                    && instruction.pairs(facts.file.escape).iter().any(|pair| pair.name == name);
                if sets {
                    return facts.line(at);
                }
            }
        }
        facts.line(facts.stages[self.stage].from)
    }

    pub fn workdir(&self) -> String {
        let own = self.container.workdir.clone();
        own.or_else(|| self.facts.stages[self.stage].end.workdir.clone())
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_owned()
    }

    /// What the container is started with, the combined command first.
    fn commands(&self) -> Vec<Command> {
        let (mut entrypoint, mut command) = (None, None);
        let facts = self.facts;
        let mut chain = facts.ancestors(self.stage);
        chain.reverse();
        for stage in chain {
            for at in facts.stages[stage].instructions.clone() {
                let instruction = &facts.file.instructions[at];
                let read = || match &instruction.json {
                    Some(words) => Command::Words(words.clone()),
                    None => Command::Line(instruction.args().to_owned()),
                };
                match instruction.keyword {
                    Keyword::Entrypoint => (entrypoint, command) = (Some(read()), None),
                    Keyword::Cmd => command = Some(read()),
                    _ => {}
                }
            }
        }
        if let Some(own) = &self.container.entrypoint {
            (entrypoint, command) = (own.clone(), None);
        }
        if let Some(own) = &self.container.command {
            command = own.clone();
        }
        match (entrypoint, command) {
            (Some(Command::Words(first)), Some(Command::Words(rest))) => {
                let joined = first.iter().chain(&rest).cloned().collect();
                // A script that ends in `exec "$@"` runs the rest.
                vec![Command::Words(joined), Command::Words(rest)]
            }
            (Some(Command::Words(first)), Some(Command::Line(rest))) => {
                vec![Command::Words(first), Command::Line(rest)]
            }
            (Some(first), _) => vec![first],
            (None, Some(command)) => vec![command],
            (None, None) => Vec::new(),
        }
    }

    /// The loads of the service.
    pub fn loads(&self, units: &Units) -> Found {
        let task = Task {
            facts: self.facts,
            path: self.path,
            stage: self.stage,
            before: None,
            context: self.context,
            environment: self.environment(),
            workdir: self.workdir(),
            commands: self.commands(),
        };
        task.run(units, true)
    }

    /// What the service asks for of libraries: in the files that any stage gets, and on the command lines of pip.
    pub fn versions(&self) -> Versions {
        let mut versions = Versions::default();
        let mut paths = self.copied_files();
        let mounts = self.facts.runs.iter().flat_map(|run| &run.mounts).filter(|mount| mount.kind == "bind");
        paths.extend(mounts.filter_map(|mount| mount.source.clone()));
        paths.sort();
        paths.dedup();
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or(&path);
            let is_asked = name.contains("requirements") && (name.ends_with(".txt") || name.ends_with(".in"))
                || path.contains("requirements/") && name.ends_with(".txt")
                || matches!(name, "pyproject.toml" | "poetry.lock" | "uv.lock" | "pdm.lock");
            if let Some(text) = is_asked.then(|| self.context.text(&path)).flatten() {
                versions.read(&path, &text);
            }
        }
        for run in &self.facts.runs {
            for call in run.calls().iter().filter(|call| matches!(call.manager.id, "pip" | "uv")) {
                let words = &run.commands()[call.command].words[call.arguments..];
                let words = words.iter().filter_map(|word| word.value.as_deref());
                words.filter(|word| !word.starts_with('-')).for_each(|word| versions.word(word));
            }
        }
        versions
    }

    /// The files of the context that any stage gets, each once.
    fn copied_files(&self) -> Vec<String> {
        let stages = 0..self.facts.stages.len();
        let files = stages.flat_map(|stage| image::files(self.facts, stage, None, self.context).into_values());
        files.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// Names of spaCy's models among the requirements that are copied in.
    pub fn spacy_requirements(&self) -> Vec<String> {
        let mut found = Vec::new();
        for path in self.copied_files() {
            let name = path.rsplit('/').next().unwrap_or(&path);
            if name.contains("requirements") || matches!(name, "pyproject.toml" | "poetry.lock" | "uv.lock") {
                let text = self.context.text(&path).unwrap_or_default();
                let words = text.split(|ch: char| ch.is_whitespace() || matches!(ch, '"' | '\'' | ',' | '='));
                found.extend(words.filter_map(downloads::spacy_package));
            }
        }
        found
    }

    /// A variable of the container: see [`Container::variable`].
    pub fn variable(&self, name: &str) -> Option<Option<String>> {
        self.container.variable(self.facts, self.stage, name)
    }

    /// The user of the container; none where it is not known.
    pub fn user(&self) -> Option<User> {
        self.container.user(self.facts, self.stage)
    }

    /// The home of the container's user.
    pub fn home(&self) -> Option<String> {
        match self.variable("HOME") {
            Some(home) => home,
            None => self.user()?.home,
        }
    }
}
