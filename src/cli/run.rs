//! The work that diff, check and apply share: find the files, rewrite them in parallel, collect a report.

use std::collections::{BTreeMap, HashMap};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use ignore::overrides::Override;
use rayon::prelude::*;

use super::Common;
use crate::config::{self, Config, ConfigError, Settings};
use crate::context::{Context, Listings};
use crate::discover::{self, Found};
use crate::dockerfile::{self, Dockerfile};
use crate::engine::{self, Input};
use crate::project::{Project, signs};
use crate::report::{ErrorReport, FileReport, Report};
use crate::transform::{Kind, Level, Transform};
use crate::transforms;

/// Larger files are no Dockerfiles, in bytes.
const LARGEST: u64 = 8 << 20;

/// Bytes of stack for a thread: the shell parser recurses.
const STACK: usize = 16 << 20;

/// What a run gave.
pub struct Finished {
    pub report: Report,
    /// The files in the order of the report.
    pub found: Vec<Found>,
    /// The text of standard input, if it was read.
    pub stdin: Option<String>,
    /// What speaks for another builder than BuildKit, once per repository.
    pub notes: Vec<String>,
}

/// Does the work.
///
/// # Errors
/// Misuse of the command line or of restow.toml; what is wrong with single files is in the report.
pub fn run(common: &Common) -> anyhow::Result<Finished> {
    let known = transforms::ids();
    for id in common.only.iter().flatten().chain(&common.except) {
        if !known.contains(&id.as_str()) {
            bail!("no transform is called {id:?}; there are {}", known.join(", "));
        }
    }
    let configs = Configs::new(common)?;
    if common.paths.iter().any(|path| path.as_os_str() == "-") {
        if common.paths.len() > 1 {
            bail!("`-` can't be named together with other paths");
        }
        return stdin(common, &configs);
    }
    let more = discover::dockerfile_globs(&common.dockerfile).context("--dockerfile")?;
    files(common, &configs, &more)
}

fn stdin(common: &Common, configs: &Configs) -> anyhow::Result<Finished> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("standard input")?;
    let mut report = Report::default();
    let mut notes = Vec::new();
    let raw = String::from_utf8_lossy(&bytes).into_owned();
    let path = common.stdin_name.clone();
    let error = |line, column, message| ErrorReport { path: path.clone(), line, column, message, fatal: true };
    let found = Found {
        shown: PathBuf::from(&path),
        relative: path.clone(),
        kind: Kind::Dockerfile,
        named: true,
        root: PathBuf::from("."),
    };
    match text(bytes) {
        Err((line, column, message)) => report.errors.push(error(line, column, message)),
        Ok(text) => {
            let settings = (*configs.for_file(Path::new(&path))?).clone();
            let (chosen, level) = choose(common, &settings);
            match engine::read_dockerfile(&text) {
                Err(refusal) => report.errors.push(error(refusal.line, refusal.column, refusal.message)),
                Ok(file) => {
                    let root = discover::repository(Path::new("."));
                    let sign = root.and_then(|root| signs::find(&root));
                    let mut project = Project { settings, sign, ..Project::default() };
                    project.note(&text, &file);
                    notes.extend(project.builder_reason());
                    let input = Input {
                        path: &path,
                        text: &text,
                        file: &file,
                        context: &Context::nothing(),
                        project: &project,
                    };
                    let outcome = engine::rewrite(&input, &chosen, level);
                    report.files.push(FileReport { path: path.clone(), relative: path.clone(), outcome });
                }
            }
        }
    }
    Ok(Finished { report, found: vec![found], stdin: Some(raw), notes })
}

/// Line, column (0 where there is no place) and message.
pub type Problem = (usize, usize, String);

/// A Dockerfile that was read.
struct Loaded {
    found: Found,
    /// The text, and the text as it was read.
    read: Result<(String, Dockerfile), Problem>,
    settings: Arc<Settings>,
}

fn files(common: &Common, configs: &Configs, more: &Override) -> anyhow::Result<Finished> {
    let discovery = discover::discover(&common.paths, more, &|path| configs.names_dockerfile(path));
    let mut report = Report::default();
    for error in discovery.errors {
        let path = error.path.display().to_string();
        report.errors.push(ErrorReport {
            path,
            line: 0,
            column: 0,
            message: error.message,
            fatal: error.named || common.strict,
        });
    }
    let (dockerfiles, others): (Vec<Found>, Vec<Found>) =
        discovery.files.into_iter().partition(|found| found.kind == Kind::Dockerfile);
    report.errors.extend(others.iter().filter(|found| found.named).filter_map(unparsable));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(common.jobs).stack_size(STACK).build().context("threads")?;
    let listings = Arc::new(Listings::default());
    let progress = Progress::new(common, dockerfiles.len());
    let loaded: Vec<Loaded> = pool.install(|| {
        dockerfiles
            .into_par_iter()
            .map(|found| {
                let settings = configs.for_file(&found.shown)?;
                let read = load(&found.shown).and_then(|text| {
                    let file = engine::read_dockerfile(&text)
                        .map_err(|refusal| (refusal.line, refusal.column, refusal.message))?;
                    Ok((text, file))
                });
                Ok(Loaded { found, read, settings })
            })
            .collect::<Result<_, ConfigError>>()
    })?;
    let projects = pool.install(|| projects(&loaded, common, configs, more));
    let results: Vec<(Found, Result<FileReport, ErrorReport>)> = pool.install(|| {
        loaded
            .into_par_iter()
            .map(|loaded| {
                let result = one(common, &loaded, &projects, &listings);
                progress.step();
                (loaded.found, result)
            })
            .collect()
    });
    progress.end();
    let mut found = Vec::new();
    for (place, result) in results {
        match result {
            Ok(file) => {
                report.files.push(file);
                found.push(place);
            }
            Err(error) => report.errors.push(error),
        }
    }
    let notes = projects.values().filter_map(Project::builder_reason).collect();
    Ok(Finished { report, found, stdin: None, notes })
}

/// A named compose, workflow or bake file is at least parsed, so that a mistake in it does not pass for "nothing to do".
fn unparsable(found: &Found) -> Option<ErrorReport> {
    let path = found.shown.display().to_string();
    let error = |(line, column, message)| ErrorReport { path: path.clone(), line, column, message, fatal: true };
    let text = match load(&found.shown) {
        Ok(text) => text,
        Err(problem) => return Some(error(problem)),
    };
    let is_json = found.shown.extension().is_some_and(|extension| extension == "json");
    match found.kind {
        Kind::Bake if is_json => serde_json::from_str::<serde_json::Value>(&text)
            .err()
            .map(|wrong| error((wrong.line(), wrong.column(), wrong.to_string()))),
        Kind::Compose | Kind::Workflow => {
            let documents = serde_yaml::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
            let wrong = documents
                .into_iter()
                .find_map(|document| <serde_yaml::Value as serde::Deserialize>::deserialize(document).err())?;
            let (line, column) = wrong.location().map_or((1, 1), |place| (place.line(), place.column()));
            Some(error((line, column, wrong.to_string())))
        }
        Kind::Bake | Kind::Dockerfile => None,
    }
}

fn one(
    common: &Common,
    loaded: &Loaded,
    projects: &BTreeMap<PathBuf, Project>,
    listings: &Arc<Listings>,
) -> Result<FileReport, ErrorReport> {
    let path = loaded.found.shown.display().to_string();
    let fatal = loaded.found.named || common.strict;
    let error = |(line, column, message)| ErrorReport { path: path.clone(), line, column, message, fatal };
    let (text, file) = loaded.read.as_ref().map_err(|problem| error(problem.clone()))?;
    let (chosen, level) = choose(common, &loaded.settings);
    let shared = projects.get(&loaded.found.root);
    let project = Project { settings: (*loaded.settings).clone(), ..shared.cloned().unwrap_or_default() };
    let folder = loaded.found.shown.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let context = Context::folder(&loaded.found.root, folder, listings);
    let input = Input { path: &loaded.found.relative, text, file, context: &context, project: &project };
    let outcome = engine::rewrite(&input, &chosen, level);
    Ok(FileReport { path: path.clone(), relative: loaded.found.relative.clone(), outcome })
}

/// What the Dockerfiles of each repository share. All of its Dockerfiles count, not only those that were named, so that naming
/// one file gives the same change as naming the whole.
fn projects(loaded: &[Loaded], common: &Common, configs: &Configs, more: &Override) -> BTreeMap<PathBuf, Project> {
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
            for (text, file) in files.iter().filter_map(|file| file.read.as_ref().ok()) {
                project.note(text, file);
            }
            let absolute = std::path::absolute(&root).unwrap_or_else(|_| root.clone());
            let is_repository = root.join(".git").exists();
            if is_repository && !whole.iter().any(|path| absolute.starts_with(path)) {
                let others =
                    discover::discover(std::slice::from_ref(&root), more, &|path| configs.names_dockerfile(path));
                for other in others.files.iter().filter(|other| other.kind == Kind::Dockerfile) {
                    let Ok(text) = load(&other.shown) else { continue };
                    if let Ok(file) = dockerfile::read(&text) {
                        project.note(&text, &file);
                    }
                }
            }
            project.targets = targets(&root);
            (root, project)
        })
        .collect()
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

/// The transforms to run on a file, and the highest level.
fn choose(common: &Common, settings: &Settings) -> (Vec<&'static dyn Transform>, Level) {
    let only = common.only.as_ref().or(settings.only.as_ref());
    let wanted = |id: &str| {
        only.is_none_or(|only| only.iter().any(|name| name == id))
            && !common.except.iter().any(|name| name == id)
            && (common.only.is_some() || !settings.except.iter().any(|name| name == id))
    };
    let chosen = transforms::ALL.iter().copied().filter(|transform| wanted(transform.meta().id)).collect();
    let level = if common.review || settings.review { Level::Review } else { Level::Safe };
    (chosen, level)
}

pub fn load(path: &Path) -> Result<String, Problem> {
    let plain = |message: String| (0, 0, message);
    let size = std::fs::metadata(path).map_err(|error| plain(error.to_string()))?.len();
    if size > LARGEST {
        return Err(plain(format!("{size} bytes is no Dockerfile; files over {LARGEST} bytes are not read")));
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

    fn names_dockerfile(&self, path: &Path) -> bool {
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

/// A progress line on a terminal when a run takes longer than a second.
struct Progress {
    total: usize,
    done: AtomicUsize,
    start: Instant,
    on: bool,
}

impl Progress {
    fn new(common: &Common, total: usize) -> Self {
        let on = !common.quiet && std::io::stderr().is_terminal();
        Self { total, done: AtomicUsize::new(0), start: Instant::now(), on }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.on && done.is_multiple_of(64) && self.start.elapsed() > Duration::from_secs(1) {
            let _ = write!(std::io::stderr(), "\r{done} of {} files", self.total);
        }
    }

    fn end(&self) {
        if self.on && self.start.elapsed() > Duration::from_secs(1) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// Warnings, faults and the counts, on standard error.
pub fn tell(finished: &Finished, common: &Common, verb: &str) {
    let mut err = std::io::stderr().lock();
    for error in &finished.report.errors {
        let word = if error.fatal { "error" } else { "warning" };
        if error.fatal || !common.quiet {
            let _ = writeln!(err, "{word}: {}", error.text());
        }
    }
    for file in &finished.report.files {
        for fault in &file.outcome.faults {
            let _ = writeln!(err, "warning: {}: a fault of restow itself, please report it: {fault}", file.path);
        }
        if common.verbose && !file.outcome.is_changed() {
            let _ = writeln!(err, "{}: unchanged", file.path);
        }
    }
    if common.quiet {
        return;
    }
    for note in &finished.notes {
        let _ = writeln!(err, "note: {note}");
    }
    let _ = writeln!(err, "{}", crate::report::text::counts(finished.report.counts(), verb));
}

/// The exit status as far as errors decide it.
pub fn status(finished: &Finished, otherwise: u8) -> u8 {
    if finished.report.errors.iter().any(|error| error.fatal) { super::FAILED } else { otherwise }
}
