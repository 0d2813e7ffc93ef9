//! Running a program in mind: which files it has, where it begins, what it loads.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::image;
use super::launch::{self, Command, Launch, Target};
use super::live::{self, Start};
use super::loads::{self, Found};
use super::program::{Program, Unit, Units, folder};
use super::scopes::Scopes;
use super::values::{Evaluator, Setting, Surroundings};
use crate::context::{BuildContext, join};
use crate::dockerfile::Keyword;
use crate::facts::Facts;
use crate::text::LineIndex;

/// Commands that are run in an image: those of a container, or of a RUN.
pub struct Task<'a> {
    pub facts: &'a Facts<'a>,
    /// The Dockerfile, relative to the root of the project.
    pub path: &'a str,
    pub stage: usize,
    /// The instruction that they are run by; none for a container.
    pub before: Option<usize>,
    pub context: &'a BuildContext<'a>,
    pub environment: BTreeMap<String, Setting>,
    /// Absolute, without a trailing slash.
    pub workdir: String,
    pub commands: Vec<Command>,
}

/// Words of which one stands in every program that loads a model.
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

impl Task<'_> {
    /// What the commands load. Where it can't be told what they run, everything in the image may be meant if `is_service`, and nothing
    /// else.
    pub fn run(&self, units: &Units, is_service: bool) -> Found {
        let files = image::files(self.facts, self.stage, self.before, self.context);
        let description = format!(
            "{is_service} {} {} {:?} {:?} {files:?}",
            self.context.folder, self.workdir, self.commands, self.environment
        );
        units.found(description, || self.find(&files, units, is_service))
    }

    fn find(&self, files: &BTreeMap<String, String>, units: &Units, is_service: bool) -> Found {
        let source = |path: &str| join(&self.context.folder, path);
        let has_signs = |(path, origin): (&String, &String)| {
            path.ends_with(".py") && units.has(&source(origin), &SIGNS, || self.context.text(origin))
        };
        let is_inline = self.commands.iter().any(|command| match command {
            Command::Words(words) => words.iter().any(|word| SIGNS.iter().any(|sign| word.contains(sign))),
            Command::Line(line) => SIGNS.iter().any(|sign| line.contains(sign)),
        });
        if !is_inline && !files.iter().any(has_signs) {
            return Found::default();
        }
        let workdir = &self.workdir;
        let text_of = |path: &str| files.get(path).and_then(|origin| self.context.text(origin));
        let variable = |name: &str| self.environment.get(name).and_then(|setting| setting.value.clone());
        let mut launches = launch::launches(&self.commands, workdir, &variable, &text_of);
        if !is_service && launches.found.is_empty() {
            return Found::default();
        }
        let roots = self.roots(&launches.found, &variable);
        let mut read: BTreeMap<String, Arc<Unit>> = BTreeMap::new();
        for (path, origin) in files.iter().filter(|(path, _)| path.ends_with(".py")) {
            if let Some(unit) = units.read(&source(origin), || self.context.text(origin)) {
                read.insert(path.clone(), unit);
            }
        }
        for (index, launch) in launches.found.iter_mut().enumerate() {
            if let Target::Code(code) = &launch.what {
                let path = format!("{workdir}/<command {index}>.py");
                if let Ok(body) = crate::python::read(code) {
                    let unit = Unit { source: self.path.to_owned(), lines: LineIndex::new(""), body };
                    read.insert(path.clone(), Arc::new(unit));
                }
                launch.what = Target::Script(path);
            }
        }
        // A script without an ending that Python runs.
        for launch in &launches.found {
            if let Target::Script(path) = &launch.what
                && !read.contains_key(path)
                && let Some(origin) = files.get(path)
                && let Some(unit) = units.read(&source(origin), || self.context.text(origin))
            {
                read.insert(path.clone(), unit);
            }
        }
        let program = Program::new(read, roots);
        let mut words: HashMap<usize, Vec<String>> = HashMap::new();
        let mut start = start(&program, &launches, &mut words, self.commands.is_empty());
        start.is_open &= is_service;
        let scopes = Scopes::new(&program);
        let in_project = |path: &str| {
            let origin = files.get(path)?;
            Some((source(origin), self.context.text(origin)?))
        };
        let word = |word: &str| self.place_of(word);
        let around = Surroundings { environment: &self.environment, workdir, words, text: &in_project, word: &word };
        let evaluator = Evaluator::new(&program, &scopes, &around);
        let live = live::live(&evaluator, &start);
        evaluator.set_live(live);
        let mut found = loads::find(&evaluator);
        if start.is_open || !is_service {
            return found;
        }
        let start = Start { beside: beside(&program, &start), ..start };
        let live = live::live(&evaluator, &start);
        evaluator.set_live(live);
        let more = loads::find(&evaluator);
        for mut load in more.loads {
            let is_known = found.loads.iter().any(|known| (&known.path, known.line) == (&load.path, load.line));
            if !is_known {
                load.is_aside = true;
                found.loads.push(load);
            }
        }
        found
    }

    /// Where the Dockerfile says a word of the command.
    fn place_of(&self, word: &str) -> Option<(String, usize)> {
        let facts = self.facts;
        let all =
            facts.ancestors(self.stage).into_iter().flat_map(|stage| facts.stages[stage].instructions.clone().rev());
        let is_command = |at: &usize| match self.before {
            Some(before) => *at == before,
            None => matches!(facts.file.instructions[*at].keyword, Keyword::Cmd | Keyword::Entrypoint),
        };
        let at = all.filter(is_command).find(|at| facts.file.instructions[*at].args().contains(word))?;
        Some((self.path.to_owned(), facts.line(at)))
    }

    /// Where absolute imports are looked for: beside the program, in the working folder, in PYTHONPATH.
    fn roots(&self, launches: &[Launch], variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let mut roots: Vec<String> = launches.iter().flat_map(|launch| launch.roots.iter().cloned()).collect();
        roots.push(self.workdir.clone());
        let paths = variable("PYTHONPATH").unwrap_or_default();
        let paths = paths.split(':').filter(|path| path.starts_with('/'));
        roots.extend(paths.map(|path| path.trim_end_matches('/').to_owned()));
        // What is installed from a folder of sources.
        roots.push(format!("{}/src", self.workdir));
        let mut seen = HashSet::new();
        roots.retain(|root| seen.insert(root.clone()));
        roots
    }
}

/// The modules below those that the program begins with: they belong to the service, though nothing is seen to import some of them.
fn beside(program: &Program, start: &Start) -> Vec<usize> {
    let folders: Vec<&str> = start.units.iter().map(|unit| folder(&program.paths[*unit])).collect();
    // Files right beside are as often scripts that somebody runs by hand.
    let is_below = |path: &str| {
        folders.iter().any(|folder| {
            path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') && rest.matches('/').count() > 1)
        })
    };
    (0..program.paths.len())
        .filter(|unit| is_below(&program.paths[*unit]) && !live::is_aside(&program.paths[*unit]))
        .collect()
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
