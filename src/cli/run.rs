//! The work that diff, check and apply share: find the files, rewrite them in parallel, collect a report.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use ignore::overrides::Override;
use rayon::prelude::*;

use super::survey::{self, Configs, Loaded};
use super::{Common, beside};
use crate::config::Settings;
use crate::context::{Context, Listings};
use crate::discover::{self, Found};
use crate::engine::{self, Input, Parsed};
use crate::project::{Project, signs};
use crate::report::{ErrorReport, FileReport, Report};
use crate::transform::{Kind, Level, Transform};
use crate::transforms;

/// Bytes of stack for a thread: the shell parser recurses.
pub const STACK: usize = 16 << 20;

/// What a run gave.
pub struct Finished {
    pub report: Report,
    /// The files in the order of the report.
    pub found: Vec<Found>,
    /// The text of standard input, if it was read.
    pub stdin: Option<String>,
    /// What speaks for another builder than BuildKit, once per repository.
    pub notes: Vec<String>,
    /// The projects as they stand, and as the changes leave them, by root; none for standard input.
    pub before: BTreeMap<PathBuf, Project>,
    pub after: BTreeMap<PathBuf, Project>,
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
    let kind = discover::kind_of(Path::new(&path)).unwrap_or(Kind::Dockerfile);
    let error = |line, column, message| ErrorReport { path: path.clone(), line, column, message, fatal: true };
    let found =
        Found { shown: PathBuf::from(&path), relative: path.clone(), kind, named: true, root: PathBuf::from(".") };
    match survey::text(bytes) {
        Err((line, column, message)) => report.errors.push(error(line, column, message)),
        Ok(text) => {
            let mut settings = (*configs.for_file(Path::new(&path))?).clone();
            settings.cache.forced = common.cache_mode;
            let (chosen, level) = choose(common, &settings);
            match engine::read(kind, &text) {
                Err(refusal) => report.errors.push(error(refusal.line, refusal.column, refusal.message)),
                Ok(file) => {
                    let root = discover::repository(Path::new("."));
                    let sign = root.and_then(|root| signs::find(&root));
                    let mut project = Project { settings, sign, ..Project::default() };
                    if let Some(file) = file.dockerfile() {
                        project.note(&text, file);
                    }
                    project.graph = Arc::new(survey::alone(&path, &text, &file));
                    notes.extend(project.builder_reason());
                    let input = Input {
                        path: &path,
                        text: &text,
                        file: &file,
                        context: &Context::nothing(),
                        project: &project,
                    };
                    let outcome = engine::rewrite(&input, &chosen, level);
                    report.files.push(FileReport {
                        path: path.clone(),
                        relative: path.clone(),
                        outcome,
                        is_new: false,
                    });
                }
            }
        }
    }
    let (before, after) = (BTreeMap::new(), BTreeMap::new());
    Ok(Finished { report, found: vec![found], stdin: Some(raw), notes, before, after })
}

/// The order in which kinds are rewritten: a transform sees the project as the earlier ones left it.
const PHASES: [&[Kind]; 3] = [&[Kind::Dockerfile], &[Kind::Compose, Kind::Bake], &[Kind::Workflow]];

fn files(common: &Common, configs: &Configs, more: &Override) -> anyhow::Result<Finished> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(common.jobs).stack_size(STACK).build().context("threads")?;
    let discovery = discover::discover(&common.paths, more, &|path| configs.names_dockerfile(path));
    let mut report = Report::default();
    report.errors.extend(discovery.errors.iter().map(|error| survey::walk_error(error, common.strict)));
    let progress = Progress::new(common, discovery.files.len());
    let loaded = pool.install(|| survey::load_all(discovery.files, configs))?;
    let mut projects = pool.install(|| survey::projects(&loaded, common, configs, more, survey::Contexts::Named));
    let before = projects.clone();
    let listings = Arc::new(Listings::default());
    let mut results: Vec<Option<Result<FileReport, ErrorReport>>> = loaded.iter().map(|_| None).collect();
    for kinds in PHASES {
        let indexes: Vec<usize> = (0..loaded.len()).filter(|at| kinds.contains(&loaded[*at].found.kind)).collect();
        let done: Vec<(usize, Result<FileReport, ErrorReport>, Option<Parsed>)> = pool.install(|| {
            let each = indexes.into_par_iter().map(|at| {
                let result = one(common, &loaded[at], &projects, &listings);
                let file = result.as_ref().ok().and_then(|file| survey::rewritten(&loaded[at].found, &file.outcome));
                progress.step();
                (at, result, file)
            });
            each.collect()
        });
        for (at, result, file) in done {
            let found = &loaded[at].found;
            if let (Ok(report), Some(project)) = (&result, projects.get_mut(&found.root))
                && report.outcome.is_changed()
            {
                project.tree.rewrite(&found.relative, &report.outcome.after);
            }
            if let (Some(file), Some(project)) = (file, projects.get_mut(&found.root)) {
                survey::update(Arc::make_mut(&mut project.graph), found, file);
            }
            results[at] = Some(result);
        }
    }
    progress.end();
    let mut found = Vec::new();
    for (loaded, result) in loaded.into_iter().zip(results) {
        match result {
            Some(Ok(file)) => {
                report.files.push(file);
                found.push(loaded.found);
            }
            Some(Err(error)) => report.errors.push(error),
            None => {}
        }
    }
    let changed: Vec<(&FileReport, &Found)> = report.files.iter().zip(&found).collect();
    for (file, place) in beside::collect(&changed, &projects) {
        if let Some(project) = projects.get_mut(&place.root) {
            project.tree.rewrite(&place.relative, &file.outcome.after);
        }
        report.files.push(file);
        found.push(place);
    }
    let notes = projects.values().filter_map(Project::builder_reason).collect();
    Ok(Finished { report, found, stdin: None, notes, before, after: projects })
}

fn one(
    common: &Common,
    loaded: &Loaded,
    projects: &BTreeMap<PathBuf, Project>,
    listings: &Arc<Listings>,
) -> Result<FileReport, ErrorReport> {
    let path = loaded.found.shown.display().to_string();
    let (text, file) = match &loaded.read {
        Ok(read) => read,
        Err((line, column, message)) => {
            let fatal = loaded.found.named || common.strict;
            return Err(ErrorReport { path, line: *line, column: *column, message: message.clone(), fatal });
        }
    };
    let (chosen, level) = choose(common, &loaded.settings);
    let mut settings = (*loaded.settings).clone();
    settings.cache.forced = common.cache_mode;
    let shared = projects.get(&loaded.found.root);
    settings.knowledge.replaced =
        shared.map(|shared| shared.graph.replaced(&loaded.found.relative).to_vec()).unwrap_or_default();
    let project = Project { settings, ..shared.cloned().unwrap_or_default() };
    let folder = loaded.found.shown.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let context = Context::folder(&loaded.found.root, folder, listings);
    let input = Input { path: &loaded.found.relative, text, file, context: &context, project: &project };
    let outcome = engine::rewrite(&input, &chosen, level);
    Ok(FileReport { path, relative: loaded.found.relative.clone(), outcome, is_new: false })
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
    tell_errors(&finished.report.errors, common.quiet);
    let mut err = std::io::stderr().lock();
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

/// Warnings, unless `quiet`, and errors, on standard error.
pub fn tell_errors(errors: &[ErrorReport], quiet: bool) {
    let mut err = std::io::stderr().lock();
    for error in errors {
        let word = if error.fatal { "error" } else { "warning" };
        if error.fatal || !quiet {
            let _ = writeln!(err, "{word}: {}", error.text());
        }
    }
}

/// The exit status as far as errors decide it.
pub fn status(finished: &Finished, otherwise: u8) -> u8 {
    if finished.report.errors.iter().any(|error| error.fatal) { super::FAILED } else { otherwise }
}
