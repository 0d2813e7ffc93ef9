//! The models that a service loads when it runs: found in its Python, with the environment that its container has.

pub mod data;
mod image;
pub mod launch;
mod live;
pub mod loaders;
pub mod loads;
pub mod program;
mod scopes;
pub mod values;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use launch::Command;
pub use loaders::How;
pub use loads::{Found, Kept, Load, Unresolved};
pub use program::Units;
pub use values::{Given, Setting};

use self::launch::{Launch, Target};
use self::live::Start;
use self::program::{Program, folder};
use self::scopes::Scopes;
use self::values::{Evaluator, Surroundings};
use crate::context::{BuildContext, join};
use crate::dockerfile::Keyword;
use crate::facts::{Facts, Variable};
use crate::text::LineIndex;

/// How a container of an image is started, where a compose file says it.
#[derive(Debug, Clone, Default)]
pub struct Container {
    /// What the compose file sets.
    pub environment: BTreeMap<String, Setting>,
    /// None where it says nothing; an empty command where it takes away that of the image.
    pub entrypoint: Option<Option<Command>>,
    pub command: Option<Option<Command>>,
    pub workdir: Option<String>,
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

/// Words that stand in every file that loads a model.
const SIGNS: [&str; 24] = [
    "sentence_transformers",
    "transformers",
    "from_pretrained",
    "huggingface_hub",
    "HuggingFace",
    "fastembed",
    "FastEmbed",
    "whisper",
    "spacy",
    "nltk",
    "tiktoken",
    "torch.hub",
    "timm",
    "FlagEmbedding",
    "SentenceTransformer",
    "embedding_functions",
    "chromadb",
    "InstructorEmbedding",
    "keybert",
    "haystack",
    "vllm",
    "speechbrain",
    "open_clip",
    "TTS",
];

impl Service<'_> {
    /// What the container runs, and in which environment.
    fn environment(&self) -> BTreeMap<String, Setting> {
        let state = &self.facts.stages[self.stage].end;
        let mut all = BTreeMap::new();
        for (name, value) in state.env.all() {
            let value = match value {
                Variable::Known(value) => Some(value.clone()),
                Variable::Unknown => None,
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
        let files = image::files(self.facts, self.stage, self.context);
        let source = |path: &str| join(&self.context.folder, path);
        let has_signs = |(path, origin): (&String, &String)| {
            path.ends_with(".py") && units.has(&source(origin), &SIGNS, || self.context.text(origin))
        };
        if !files.iter().any(has_signs) {
            return Found::default();
        }
        let environment = self.environment();
        let workdir = self.workdir();
        let text_of = |path: &str| files.get(path).and_then(|origin| self.context.text(origin));
        let variable = |name: &str| environment.get(name).and_then(|setting| setting.value.clone());
        let commands = self.commands();
        let mut launches = launch::launches(&commands, &workdir, &variable, &text_of);
        let mut roots: Vec<String> = Vec::new();
        for launch in &launches.found {
            roots.extend(launch.roots.iter().cloned());
        }
        roots.push(workdir.clone());
        let paths = variable("PYTHONPATH").unwrap_or_default();
        roots.extend(
            paths.split(':').filter(|path| path.starts_with('/')).map(|path| path.trim_end_matches('/').to_owned()),
        );
        roots.push(format!("{workdir}/src"));
        let mut seen = std::collections::HashSet::new();
        roots.retain(|root| seen.insert(root.clone()));
        let mut read: BTreeMap<String, Arc<program::Unit>> = BTreeMap::new();
        for (path, origin) in files.iter().filter(|(path, _)| path.ends_with(".py")) {
            if let Some(unit) = units.read(&source(origin), || self.context.text(origin)) {
                read.insert(path.clone(), unit);
            }
        }
        for (index, launch) in launches.found.iter_mut().enumerate() {
            if let Target::Code(code) = &launch.what {
                let path = format!("{workdir}/<command {index}>.py");
                if let Ok(body) = crate::python::read(code) {
                    let unit = program::Unit { source: self.path.to_owned(), lines: LineIndex::new(""), body };
                    read.insert(path.clone(), Arc::new(unit));
                }
                launch.what = Target::Script(path);
            }
        }
        let program = Program::new(read, roots);
        let mut words: HashMap<usize, Vec<String>> = HashMap::new();
        let start = start(&program, &launches, &mut words, commands.is_empty());
        let scopes = Scopes::new(&program);
        let in_project = |path: &str| {
            let origin = files.get(path)?;
            Some((source(origin), self.context.text(origin)?))
        };
        let around = Surroundings { environment: &environment, workdir: &workdir, words, text: &in_project };
        let evaluator = Evaluator::new(&program, &scopes, &around);
        let live = live::live(&evaluator, &start);
        evaluator.set_live(live);
        loads::find(&evaluator)
    }
}

/// Where the program begins.
fn start(
    program: &Program,
    launches: &launch::Launches,
    words: &mut HashMap<usize, Vec<String>>,
    has_no_command: bool,
) -> Start {
    let mut start = Start { is_open: has_no_command, ..Start::default() };
    let mut is_missing = false;
    let mut take = |unit: usize, launch: &Launch, is_main: bool, start: &mut Start| {
        start.units.push(unit);
        if is_main {
            words.entry(unit).or_default().extend(launch.words.iter().cloned());
        }
    };
    for launch in &launches.found {
        match &launch.what {
            Target::Script(path) => match program.at(path) {
                Some(unit) => take(unit, launch, true, &mut start),
                None => is_missing = true,
            },
            Target::Module(name) => {
                let main = program.module(&format!("{name}.__main__"));
                match main.or_else(|| program.module(name)) {
                    Some(unit) => take(unit, launch, true, &mut start),
                    None => is_missing = true,
                }
            }
            Target::Object(name, object) => match program.module(name) {
                Some(unit) => {
                    start.names.extend(object.iter().cloned());
                    take(unit, launch, false, &mut start);
                }
                None => is_missing = true,
            },
            Target::Code(_) => {}
            Target::Open => start.is_open = true,
        }
    }
    // A command that leads nowhere that is known may lead anywhere.
    if start.units.is_empty() && (is_missing || !launches.unknown.is_empty()) {
        start.is_open = true;
    }
    if start.is_open {
        // Any file may be the one that is started.
        for (unit, path) in program.paths.iter().enumerate() {
            if !folder(path).is_empty() {
                words.entry(unit).or_default();
            }
        }
    }
    start
}
