//! `restow verify`: build before and after with this machine's engine, compare the images, and measure rebuilds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};

use super::images::inline;
use super::services::{Surveyed, survey};
use super::{Common, Format, print, run};
use crate::docker::Docker;
use crate::facts::compose::Compose;
use crate::facts::dotenv;
use crate::facts::interpolation::interpolate_with;
use crate::forecast::Theme;
use crate::project::Project;
use crate::project::graph::{Build, By, inside, parent};
use crate::report::{FileReport, verify as report};
use crate::verify::{Choice, Interrupt, Options, Place, Progress, Service, Session, Side, Verdict, Word};

/// What the arguments of the command are.
pub const PATHS: &str =
    "Repositories, folders, files, or names of services: a word that is no path is a service of the current folder";

/// The run was ended by Ctrl-C, as shells tell it.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    /// Play these scenarios only: nothing, code, manifest, install, base, build-argument, failure; or none
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub scenario: Option<Vec<String>>,
    /// Seconds that one build may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub timeout: u64,
    /// Leave images, containers, folders and the builder where they are
    #[arg(long)]
    pub keep: bool,
    /// Where to build: in a throw-away builder, in your own one, or in the first of them that works
    #[arg(long, value_enum, default_value_t = Where::Auto)]
    pub builder: Where,
    /// An option for every build, as in --build-option=--network=host (may be repeated)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub build_option: Vec<String>,
    /// An option for the driver of a throw-away builder, as in --driver-opt=image=IMAGE (may be repeated)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub driver_opt: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Where {
    Auto,
    Own,
    Throwaway,
}

/// # Errors
/// Misuse of the command line or of restow.toml, an engine that can't be used, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let options = options(arguments)?;
    let (common, names) = paths_and_names(arguments)?;
    let finished = run::run(&common)?;
    let surveyed = survey(&common)?;
    run::tell_errors(&finished.report.errors, common.quiet);
    let failed = run::status(&finished, super::DONE);
    let reports: Vec<(&FileReport, PathBuf)> =
        finished.report.files.iter().zip(finished.found.iter().map(|found| found.root.clone())).collect();
    let pending = pending(&reports, &surveyed, &names)?;
    if pending.is_empty() {
        let what = if names.is_empty() { "no Dockerfile has" } else { "the Dockerfiles of these services have no" };
        if common.format == Format::Json {
            print(&report::json(&[], None, &finished.report.errors)?)?;
        }
        if !common.quiet {
            let hint = if common.review { "" } else { " (of level safe; --review takes the others along)" };
            let _ = writeln!(std::io::stderr().lock(), "nothing to verify: {what} pending changes{hint}");
        }
        return Ok(failed);
    }
    let docker = Docker::find().ok_or_else(|| {
        anyhow!(
            "verify builds images, and neither docker nor podman is in PATH; install one (https://docs.docker.com/engine/install/), or use `restow forecast`, which builds nothing"
        )
    })?;
    let interrupt = Interrupt::default();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, interrupt.0.clone()).context("Ctrl-C can't be handled")?;
    }
    let waiting = Waiting::new(common.quiet);
    let tell = |progress: Progress<'_>| waiting.tell(progress);
    let (verdicts, described, is_interrupted) = {
        let mut session = match Session::open(&docker, &options, &interrupt, &tell) {
            Err(_) if interrupt.is_set() => return Ok(INTERRUPTED),
            session => session?,
        };
        let mut verdicts = Vec::new();
        for service in pending {
            match service {
                Err(refused) => verdicts.push(*refused),
                Ok(service) => match session.verify(&service) {
                    Ok(verdict) => verdicts.push(verdict),
                    Err(_) => break,
                },
            }
        }
        waiting.end();
        if interrupt.is_set() {
            let _ = writeln!(std::io::stderr().lock(), "interrupted; removing what was made");
        }
        (verdicts, session.builder(), interrupt.is_set())
    };
    let out = match common.format {
        Format::Json => report::json(&verdicts, Some(&described), &finished.report.errors)?,
        _ => report::text(&verdicts, &described),
    };
    print(&out)?;
    if is_interrupted {
        return Ok(INTERRUPTED);
    }
    if !common.quiet {
        let _ = writeln!(std::io::stderr().lock(), "{}", report::counts(&verdicts));
    }
    let is_bad = |verdict: &Verdict| matches!(verdict.verdict, Word::Differs | Word::Failed);
    Ok(if failed != super::DONE {
        failed
    } else if verdicts.iter().any(is_bad) {
        super::PENDING
    } else {
        super::DONE
    })
}

fn options(arguments: &Arguments) -> anyhow::Result<Options> {
    let names = Theme::ALL.map(Theme::name);
    for name in arguments.scenario.iter().flatten() {
        if !names.contains(&name.as_str()) && name != "none" {
            bail!("no scenario is called {name:?}; there are {}, none", names.join(", "));
        }
    }
    if !matches!(arguments.common.format, Format::Text | Format::Json) {
        bail!("verify prints no patches and annotations: --format is text or json");
    }
    Ok(Options {
        builder: match arguments.builder {
            Where::Auto => Choice::Auto,
            Where::Own => Choice::Own,
            Where::Throwaway => Choice::ThrowAway,
        },
        limit: Duration::from_secs(arguments.timeout),
        keep: arguments.keep,
        build_options: arguments.build_option.clone(),
        driver_options: arguments.driver_opt.clone(),
        scenarios: arguments.scenario.clone(),
    })
}

/// What is a path, and what is the name of a service.
fn paths_and_names(arguments: &Arguments) -> anyhow::Result<(Common, Vec<String>)> {
    let mut common = arguments.common.clone();
    if common.paths.iter().any(|path| path.as_os_str() == "-") {
        bail!("verify builds from a folder, so it reads no Dockerfile from standard input");
    }
    let is_name = |path: &PathBuf| !path.exists() && path.components().count() == 1;
    let names: Vec<PathBuf> = common.paths.extract_if(.., |path| is_name(path)).collect();
    if common.paths.is_empty() {
        common.paths.push(PathBuf::from("."));
    }
    Ok((common, names.iter().map(|name| name.to_string_lossy().into_owned()).collect()))
}

/// What has pending changes and can be built, or why it can't.
type Pending = Vec<Result<Service, Box<Verdict>>>;

fn pending(reports: &[(&FileReport, PathBuf)], surveyed: &Surveyed, names: &[String]) -> anyhow::Result<Pending> {
    let builds = surveyed.projects.values().flat_map(|project| &project.graph.builds);
    let known: Vec<&str> = builds.filter(|build| is_local(build)).map(|build| build.name.as_str()).collect();
    for name in names {
        if !known.contains(&name.as_str()) {
            let mut known: Vec<&str> = known.iter().copied().filter(|name| !name.is_empty()).collect();
            known.sort_unstable();
            known.dedup();
            bail!("{name} is neither a path nor a service that is built; there are {}", known.join(", "));
        }
    }
    let mut found = Vec::new();
    let mut seen: Vec<Key<'_>> = Vec::new();
    for (report, root) in reports.iter().filter(|(report, _)| report.outcome.is_changed() && !report.is_new) {
        let Some(project) = surveyed.projects.get(root) else { continue };
        let around = Around { root, project, surveyed, reports };
        let of_file = |build: &&Build| match build.is_inline {
            true => build.by == By::Compose && build.file == report.relative,
            false => build.dockerfile.as_deref() == Some(&report.relative),
        };
        let mut builds: Vec<&Build> = project.graph.builds.iter().filter(of_file).collect();
        // What CI alone builds is built as CI does.
        if builds.iter().any(|build| is_local(build)) {
            builds.retain(|build| is_local(build));
        }
        for build in builds {
            let is_wanted = names.is_empty() || names.contains(&build.name);
            let is_changed = !build.is_inline
                || inline(&report.outcome.before, &build.name) != inline(&report.outcome.after, &build.name);
            let key = Key {
                root,
                dockerfile: if build.is_inline { &build.name } else { &report.relative },
                context: build.context.as_deref(),
                target: build.target.as_deref(),
                args: &build.args,
            };
            if !is_wanted || !is_changed || seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let service = around.service(report, build);
            found.push(service.map_err(|reason| {
                Box::new(Verdict {
                    target: build.target.clone(),
                    ..Verdict::without(
                        name_of(build, report),
                        report.path.clone(),
                        build.context.clone().unwrap_or_default(),
                        Word::Refused,
                        reason,
                    )
                })
            }));
        }
    }
    Ok(found)
}

/// Builds that are the same.
#[derive(PartialEq, Eq)]
struct Key<'k> {
    root: &'k Path,
    dockerfile: &'k str,
    context: Option<&'k str>,
    target: Option<&'k str>,
    args: &'k [(String, Option<String>)],
}

fn is_local(build: &Build) -> bool {
    matches!(build.by, By::Compose | By::Bake | By::Nothing)
}

fn name_of(build: &Build, report: &FileReport) -> String {
    if build.name.is_empty() { report.path.clone() } else { build.name.clone() }
}

/// A repository, and what changes in it.
struct Around<'a> {
    root: &'a Path,
    project: &'a Project,
    surveyed: &'a Surveyed,
    reports: &'a [(&'a FileReport, PathBuf)],
}

impl Around<'_> {
    /// # Errors
    /// Why it can't be built here.
    fn service(&self, report: &FileReport, build: &Build) -> Result<Service, String> {
        let place = |path: &str| self.project.tree.place(path).and_then(|place| place.canonicalize().ok());
        let shown_context =
            build.context.clone().ok_or("its build context can't be told, or is not in the repository")?;
        let context = place(&shown_context)
            .filter(|context| context.is_dir())
            .ok_or_else(|| format!("its build context {shown_context} is no folder"))?;
        let compose = self.compose(build);
        let declared =
            compose.and_then(|compose| compose.services.iter().find(|service| service.name == build.name)?.any_build());
        if let Some(key) = declared.and_then(|build| build.private.first()) {
            return Err(format!(
                "its build has `{key}`, which verify does not pass on; name its Dockerfile without the compose file, and give --build-option"
            ));
        }
        let known = self.variables(build);
        let expand = |value: &str| interpolate_with(value, &|name| known(name)).text;
        let is_compose = build.by == By::Compose;
        let mut before = Side::default();
        let mut after = Side::default();
        let own_place = if build.is_inline {
            if !is_compose {
                return Err("its Dockerfile stands in a bake file".to_owned());
            }
            let text = |text: &str| inline(text, &build.name).map(|text| expand(&text));
            let both = (text(&report.outcome.before), text(&report.outcome.after));
            let (Some(old), Some(new)) = both else { return Err("its Dockerfile can't be read".to_owned()) };
            (before.text, after.text) = (old, new);
            Place::Outside("Dockerfile".to_owned())
        } else {
            before.text.clone_from(&report.outcome.before);
            after.text.clone_from(&report.outcome.after);
            let file = place(&report.relative).ok_or("its Dockerfile is not there")?;
            match file.strip_prefix(&context) {
                Ok(path) => Place::Inside(slashes(path)),
                Err(_) => {
                    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    let beside = file.with_file_name(format!("{name}.dockerignore"));
                    before.ignore = std::fs::read_to_string(&beside).ok();
                    after.ignore = self.after(&beside).or_else(|| before.ignore.clone());
                    Place::Outside(name)
                }
            }
        };
        for (other, path) in self.changed() {
            if let Ok(path) = path.strip_prefix(&context)
                && Place::Inside(slashes(path)) != own_place
            {
                after.files.insert(slashes(path), other.outcome.after.clone());
            }
        }
        let arguments = build.args.iter().filter_map(|(name, value)| {
            let value = match value {
                // What only a run of the workflow knows.
                Some(value) if value.contains("${{") => return None,
                Some(value) if is_compose => expand(value),
                Some(value) => value.clone(),
                None => known(name)?,
            };
            Some((name.clone(), Some(value)))
        });
        let contexts = build.contexts.iter().map(|(name, value)| self.named_context(build, name, &expand(value)));
        let settings = self
            .surveyed
            .loaded
            .iter()
            .find(|file| file.found.root == self.root && file.found.relative == report.relative)
            .map(|file| (*file.settings).clone())
            .unwrap_or_default();
        let mut knowledge = settings.knowledge;
        knowledge.replaced = build.contexts.iter().map(|(name, _)| name.clone()).collect();
        Ok(Service {
            name: name_of(build, report),
            dockerfile: report.path.clone(),
            shown_context,
            context,
            place: own_place,
            target: build.target.clone(),
            arguments: arguments.collect(),
            contexts: contexts.collect::<Result<_, _>>()?,
            network: declared.and_then(|build| build.network.as_deref()).map(expand),
            before,
            after,
            knowledge,
            per_commit: settings.per_commit,
        })
    }

    fn compose(&self, build: &Build) -> Option<&Compose> {
        let mut composes = self.project.graph.composes.iter();
        composes.find(|source| source.path == build.file).map(|source| &source.file)
    }

    /// What Compose knows of a variable: the environment, then `.env` beside the file.
    fn variables(&self, build: &Build) -> impl Fn(&str) -> Option<String> {
        let file = self.project.tree.text(&crate::context::join(&parent(&build.file), ".env")).unwrap_or_default();
        let file: BTreeMap<String, String> = dotenv::read(&file)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|variable| Some((variable.name, variable.value?)))
            .collect();
        move |name| std::env::var(name).ok().or_else(|| file.get(name).cloned())
    }

    fn named_context(&self, build: &Build, name: &str, value: &str) -> Result<(String, String), String> {
        let pass_on = |value: String| Ok((name.to_owned(), value));
        if value.starts_with("docker-image://") {
            return pass_on(value.to_owned());
        }
        let unplayed = || format!("its named context {name} is {value}, which verify can't hand to a single build");
        if value.contains("://") || value.starts_with("service:") || value.starts_with("target:") {
            return Err(unplayed());
        }
        let path = inside(&parent(&build.file), value).ok_or_else(unplayed)?;
        let place = self.project.tree.place(&path).and_then(|place| place.canonicalize().ok());
        pass_on(place.ok_or_else(unplayed)?.to_string_lossy().into_owned())
    }

    /// The files that change, with where they lie.
    fn changed(&self) -> impl Iterator<Item = (&FileReport, PathBuf)> {
        let here = self.reports.iter().filter(|(report, root)| report.outcome.is_changed() && root == self.root);
        here.filter_map(|(report, _)| {
            let place = self.project.tree.place(&report.relative)?;
            // One that is not there yet has no canonical path, and its folder has.
            let folder = place.parent()?.canonicalize().ok()?;
            Some((*report, folder.join(place.file_name()?)))
        })
    }

    fn after(&self, path: &Path) -> Option<String> {
        self.changed().find(|(_, place)| place == path).map(|(report, _)| report.outcome.after.clone())
    }
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// Tells what is going on: on a terminal in one line that is overwritten, else in a line per phase.
struct Waiting {
    is_quiet: bool,
    is_terminal: bool,
    /// What was told last, and since when.
    phase: RefCell<(String, Instant)>,
}

impl Waiting {
    fn new(is_quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { is_quiet, is_terminal, phase: RefCell::new((String::new(), Instant::now())) }
    }

    fn tell(&self, progress: Progress<'_>) {
        if self.is_quiet {
            return;
        }
        let phase = format!("{}: {}", progress.service, progress.phase);
        let mut last = self.phase.borrow_mut();
        let is_new = last.0 != phase;
        if is_new {
            *last = (phase, Instant::now());
        }
        let mut err = std::io::stderr().lock();
        if self.is_terminal {
            let step = progress.step.unwrap_or_default();
            let line = format!("{} ({} s) {step}", last.0, last.1.elapsed().as_secs());
            let line: String = line.chars().take(100).collect();
            let _ = write!(err, "\r\x1b[K{line}");
            let _ = err.flush();
        } else if is_new {
            let _ = writeln!(err, "{}", last.0);
        }
    }

    fn end(&self) {
        if self.is_terminal && !self.is_quiet {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
