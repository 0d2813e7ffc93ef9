//! What a run looks at: the files, read as their kinds, their settings, and the project around them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use ignore::overrides::Override;
use rayon::prelude::*;

use super::Common;
use crate::config::{self, Config, ConfigError, Settings};
use crate::context::Tree;
use crate::discover::{self, Found, WalkError};
use crate::engine::{self, Outcome, Parsed};
use crate::project::graph::{Graph, Image, Source};
use crate::project::{Project, signs};
use crate::report::ErrorReport;
use crate::text::LineIndex;
use crate::transform::Kind;
use crate::transforms;

/// Larger files are none that people write, in bytes.
const LARGEST: u64 = 8 << 20;

/// Line, column (0 where there is no place) and message.
pub type Problem = (usize, usize, String);

/// A file that was read.
pub struct Loaded {
    pub found: Found,
    /// The text, and the text as it was read.
    pub read: Result<(String, Parsed), Problem>,
    pub settings: Arc<Settings>,
}

/// Reads files.
///
/// # Errors
/// A restow.toml that can't be read; what is wrong with single files stands in them.
pub fn load_all(files: Vec<Found>, configs: &Configs) -> Result<Vec<Loaded>, ConfigError> {
    let each = files.into_par_iter().map(|found| {
        let settings = configs.for_file(&found.shown)?;
        let read = load(&found.shown).and_then(|text| {
            let file =
                engine::read(found.kind, &text).map_err(|refusal| (refusal.line, refusal.column, refusal.message))?;
            Ok((text, file))
        });
        Ok(Loaded { found, read, settings })
    });
    each.collect()
}

/// What went wrong while walking.
pub fn walk_error(error: &WalkError, strict: bool) -> ErrorReport {
    let path = error.path.display().to_string();
    ErrorReport { path, line: 0, column: 0, message: error.message.clone(), fatal: error.named || strict }
}

/// Which build contexts to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contexts {
    /// Those that something names.
    Named,
    /// Those of Dockerfiles that nothing names too, for which the file system is searched.
    All,
}

/// What the files of each repository share. All of its files count, not only those that were named, so that naming one file gives the
/// same change as naming the whole.
pub fn projects(
    loaded: &[Loaded],
    common: &Common,
    configs: &Configs,
    more: &Override,
    contexts: Contexts,
) -> BTreeMap<PathBuf, Project> {
    let mut roots: BTreeMap<PathBuf, Vec<&Loaded>> = BTreeMap::new();
    for file in loaded {
        roots.entry(file.found.root.clone()).or_default().push(file);
    }
    let whole: Vec<PathBuf> = common.paths.iter().filter_map(|path| std::path::absolute(path).ok()).collect();
    roots
        .into_par_iter()
        .map(|(root, files)| {
            let settings = files.first().map(|file| (*file.settings).clone()).unwrap_or_default();
            let mut project = Project { settings, sign: signs::find(&root), ..Project::default() };
            let mut parts = Parts::default();
            for (found, text, file) in
                files.iter().filter_map(|file| file.read.as_ref().ok().map(|(text, read)| (&file.found, text, read)))
            {
                parts.add(&mut project, &found.relative, text, file);
            }
            let absolute = std::path::absolute(&root).unwrap_or_else(|_| root.clone());
            let is_repository = root.join(".git").exists();
            if is_repository && !whole.iter().any(|path| absolute.starts_with(path)) {
                let others =
                    discover::discover(std::slice::from_ref(&root), more, &|path| configs.names_dockerfile(path));
                for other in others.files {
                    if files.iter().any(|file| file.found.relative == other.relative) {
                        continue;
                    }
                    let Ok(text) = load(&other.shown) else { continue };
                    if let Ok(file) = engine::read(other.kind, &text) {
                        parts.add(&mut project, &other.relative, &text, &file);
                    }
                }
            }
            let base = Base::of(&root, files.iter().map(|file| &file.found));
            project.tree = Tree::folder(&root, &base.folder);
            let graph = parts.graph(&root, &base, contexts);
            let mut targets = targets(&root);
            targets.extend(graph.builds.iter().filter_map(|build| build.target.as_deref()).map(str::to_lowercase));
            project.targets = Arc::new(targets);
            project.graph = Arc::new(graph);
            (root, project)
        })
        .collect()
}

/// The graph of a file about whose surroundings nothing is known.
pub fn alone(path: &str, text: &str, file: &Parsed) -> Graph {
    let mut parts = Parts::default();
    parts.add(&mut Project::default(), path, text, file);
    parts.graph(Path::new(""), &Base::default(), Contexts::Named)
}

/// Where the paths of a graph count from.
#[derive(Debug, Clone, Default)]
pub struct Base {
    folder: PathBuf,
    /// The project's own folder where the paths start with it: several folders outside of a repository keep their names apart.
    within: Option<PathBuf>,
}

impl Base {
    /// For the files of one root.
    pub fn of<'a>(root: &Path, mut files: impl Iterator<Item = &'a Found>) -> Self {
        let is_dot = |part: &std::path::Component<'_>| matches!(part, std::path::Component::CurDir);
        let clean: PathBuf = root.components().filter(|part| !is_dot(part)).collect();
        let is_called = |found: &Found| Path::new(&found.relative) == found.shown && found.shown.starts_with(&clean);
        if !clean.as_os_str().is_empty() && files.all(is_called) {
            return Self { folder: PathBuf::new(), within: Some(clean) };
        }
        Self { folder: root.to_owned(), within: None }
    }

    /// Whether a path is there, in the project.
    pub fn exists(&self, path: &str) -> bool {
        let path = self.folder.join(path);
        self.within.as_ref().is_none_or(|within| path.starts_with(within)) && path.exists()
    }

    /// How a path below the root is called.
    fn called(&self, path: &str) -> String {
        match &self.within {
            Some(within) => format!("{}/{path}", within.display()),
            None => path.to_owned(),
        }
    }
}

/// What a graph is made of.
#[derive(Default)]
struct Parts {
    composes: Vec<Source<crate::facts::compose::Compose>>,
    bakes: Vec<Source<crate::facts::bake::Bake>>,
    workflows: Vec<Source<crate::facts::workflow::Workflow>>,
    dockerfiles: BTreeMap<String, Image>,
}

impl Parts {
    fn add(&mut self, project: &mut Project, path: &str, text: &str, file: &Parsed) {
        if let Parsed::Dockerfile(file) = file {
            project.note(text, file);
            self.dockerfiles.insert(path.to_owned(), Image::new(file));
            return;
        }
        let (path, lines) = (path.to_owned(), LineIndex::new(text));
        match file {
            Parsed::Dockerfile(_) => {}
            Parsed::Compose(_, file) => self.composes.push(Source { path, lines, file: file.clone() }),
            Parsed::Bake(file) => self.bakes.push(Source { path, lines, file: file.clone() }),
            Parsed::Workflow(_, file) => self.workflows.push(Source { path, lines, file: file.clone() }),
        }
    }

    fn graph(mut self, root: &Path, base: &Base, contexts: Contexts) -> Graph {
        self.composes.sort_by(|left, right| left.path.cmp(&right.path));
        self.bakes.sort_by(|left, right| left.path.cmp(&right.path));
        self.workflows.sort_by(|left, right| left.path.cmp(&right.path));
        let names_images = self.composes.iter().any(|source| {
            source.file.services.iter().any(|service| service.image.is_some() && service.any_build().is_some())
        }) || !self.bakes.is_empty();
        let takes_arguments = |image: &Image| !image.arguments.is_empty();
        let is_wanted = names_images || self.dockerfiles.values().any(takes_arguments);
        let mut scripts = if is_wanted && !root.as_os_str().is_empty() { signs::scripts(root) } else { Vec::new() };
        scripts.iter_mut().for_each(|(path, _)| *path = base.called(path));
        let exists = |path: &str| base.exists(path);
        let exists: Option<&dyn Fn(&str) -> bool> = (contexts == Contexts::All).then_some(&exists);
        Graph::new(self.composes, self.bakes, self.workflows, self.dockerfiles, &scripts, exists)
    }
}

/// A file as it was rewritten, for [`update`]; none where nothing later looks at it.
pub fn rewritten(found: &Found, outcome: &Outcome) -> Option<Parsed> {
    let is_seen = outcome.is_changed() && found.kind != Kind::Workflow;
    is_seen.then(|| engine::read(found.kind, &outcome.after).ok()).flatten()
}

/// Puts a file that was rewritten into the graph.
pub fn update(graph: &mut Graph, found: &Found, file: Parsed) {
    match file {
        Parsed::Dockerfile(file) => drop(graph.dockerfiles.insert(found.relative.clone(), Image::new(&file))),
        Parsed::Compose(_, file) => {
            for source in graph.composes.iter_mut().filter(|source| source.path == found.relative) {
                source.file = file.clone();
            }
        }
        Parsed::Bake(file) => {
            for source in graph.bakes.iter_mut().filter(|source| source.path == found.relative) {
                source.file = file.clone();
            }
        }
        Parsed::Workflow(..) => {}
    }
}

/// Stage names that compose files and build files at the root name as a target.
fn targets(root: &Path) -> std::collections::BTreeSet<String> {
    let names = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let names = names.filter(|name| {
        name.ends_with(".yml")
            || name.ends_with(".yaml")
            || name.ends_with(".hcl")
            || name.ends_with(".sh")
            || name == "Makefile"
            || name == "justfile"
    });
    let mut found = std::collections::BTreeSet::new();
    for text in names.filter_map(|name| signs::read(root, &name)) {
        for line in text.lines() {
            for mark in ["target:", "--target=", "--target ", "target ="] {
                if let Some((_, rest)) = line.split_once(mark) {
                    let word = rest.trim().trim_start_matches(['"', '\'']);
                    let name: String = word
                        .chars()
                        .take_while(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_' | '.'))
                        .collect();
                    found.insert(name.to_lowercase());
                }
            }
        }
    }
    found
}

/// The text of a file.
///
/// # Errors
/// A file that can't be read, is too large, or is not UTF-8.
pub fn load(path: &Path) -> Result<String, Problem> {
    let plain = |message: String| (0, 0, message);
    let size = std::fs::metadata(path).map_err(|error| plain(error.to_string()))?.len();
    if size > LARGEST {
        return Err(plain(format!("{size} bytes is more than people write; files over {LARGEST} bytes are not read")));
    }
    text(std::fs::read(path).map_err(|error| plain(error.to_string()))?)
}

/// The text of a file.
pub fn text(bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let (line, column) = crate::text::place_of_bad_byte(&error);
        (line, column, "not UTF-8; convert the file first".to_owned())
    })
}

/// The restow.toml that holds for a file.
pub struct Configs {
    fixed: Option<Config>,
    /// The nearest config of each folder, by its absolute path and by the path that it was called by.
    found: Mutex<HashMap<PathBuf, Nearest>>,
    default: Arc<Settings>,
}

type Nearest = Option<Arc<Config>>;

impl Configs {
    /// # Errors
    /// A `--config` that can't be read.
    pub fn new(common: &Common) -> anyhow::Result<Self> {
        let fixed = match &common.config {
            None => None,
            Some(path) => {
                let config = Config::read(&std::path::absolute(path)?, &transforms::ids())?;
                Some(config.with_context(|| format!("{}: no such file", path.display()))?)
            }
        };
        Ok(Self { fixed, found: Mutex::default(), default: Arc::default() })
    }

    /// # Errors
    /// A restow.toml that can't be read.
    pub fn for_file(&self, path: &Path) -> Result<Arc<Settings>, ConfigError> {
        let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let Some(config) = &self.fixed {
            return Ok(Arc::new(config.settings(&absolute())));
        }
        // Most folders have none above them: known by the folder as it is called.
        let folder = path.parent().unwrap_or(Path::new(""));
        let known = lock(&self.found).get(folder).cloned();
        let nearest = match known {
            Some(known) => known,
            None => {
                let nearest = self.nearest(absolute().parent().unwrap_or(Path::new("/")))?;
                lock(&self.found).insert(folder.to_owned(), nearest.clone());
                nearest
            }
        };
        Ok(nearest.map_or_else(|| Arc::clone(&self.default), |config| Arc::new(config.settings(&absolute()))))
    }

    fn nearest(&self, folder: &Path) -> Result<Nearest, ConfigError> {
        if let Some(known) = lock(&self.found).get(folder) {
            return Ok(known.clone());
        }
        let path = folder.join(config::NAME);
        let nearest = match (Config::read(&path, &transforms::ids())?, folder.parent()) {
            (Some(config), _) => Some(Arc::new(config)),
            (None, Some(parent)) => self.nearest(parent)?,
            (None, None) => None,
        };
        lock(&self.found).insert(folder.to_owned(), nearest.clone());
        Ok(nearest)
    }

    pub fn names_dockerfile(&self, path: &Path) -> bool {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let Some(config) = &self.fixed {
            return config.names_dockerfile(&absolute);
        }
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        // A restow.toml that can't be read is reported when the first file below it is.
        self.nearest(folder).ok().flatten().is_some_and(|config| config.names_dockerfile(&absolute))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
