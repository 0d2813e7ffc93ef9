//! `restow services`: which file builds which image, from which context, who builds it in CI.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use super::survey::{self, Base, Configs, Loaded};
use super::{Common, Format, print, run};
use crate::discover;
use crate::project::Project;
use crate::project::graph::{Build, By, Graph};
use crate::report::ErrorReport;
use crate::report::services::{self, Ci, Service};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Repositories, folders or files
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Use this restow.toml instead of the nearest one upwards from each file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read files that match as Dockerfiles too (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub dockerfile: Vec<String>,
    /// Threads; 0 for one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// How to print: text or json
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true)]
    pub format: Format,
    /// A file found in a folder that can't be parsed is an error too
    #[arg(long)]
    pub strict: bool,
    /// Errors only on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

impl Arguments {
    /// Which files to look at.
    ///
    /// # Errors
    /// A format and a path that a command which looks at files beside one another can't do with.
    pub fn common(&self, command: &str) -> anyhow::Result<Common> {
        if !matches!(self.format, Format::Text | Format::Json) {
            bail!("{command} prints no patches and annotations: --format is text or json");
        }
        if self.paths.iter().any(|path| path.as_os_str() == "-") {
            bail!("{command} looks at files beside one another, so it reads none from standard input");
        }
        Ok(Common {
            config: self.config.clone(),
            dockerfile: self.dockerfile.clone(),
            jobs: self.jobs,
            strict: self.strict,
            ..Common::new(self.paths.clone())
        })
    }
}

/// # Errors
/// Misuse of the command line or of restow.toml, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let common = arguments.common("services")?;
    let Surveyed { loaded, projects, errors } = survey(&common)?;
    let mut found = Vec::new();
    for (root, project) in &projects {
        let files = || loaded.iter().map(|file| &file.found).filter(|found| found.root == *root);
        let named: BTreeSet<&str> = files().map(|found| found.relative.as_str()).collect();
        let base = Base::of(root, files());
        let mut services = list(&project.graph, &named, &|path| base.exists(path));
        if projects.len() > 1 && root.join(".git").exists() {
            let prefix = prefix(root);
            services.iter_mut().for_each(|service| put_in_front(&prefix, service));
        }
        found.extend(services);
    }
    let out = match arguments.format {
        Format::Json => services::json(&found, &errors)?,
        _ => services::text(&found),
    };
    print(&out)?;
    run::tell_errors(&errors, arguments.quiet);
    if !arguments.quiet {
        let mut err = std::io::stderr().lock();
        for note in projects.values().filter_map(Project::builder_reason) {
            let _ = writeln!(err, "note: {note}");
        }
        let read = loaded.iter().filter(|file| file.read.is_ok()).count();
        let _ = writeln!(err, "{}", counts(read, found.len(), errors.len()));
    }
    Ok(if errors.iter().any(|error| error.fatal) { super::FAILED } else { super::DONE })
}

/// The files, their projects, and what went wrong.
pub struct Surveyed {
    pub loaded: Vec<Loaded>,
    /// By root.
    pub projects: BTreeMap<PathBuf, Project>,
    pub errors: Vec<ErrorReport>,
}

/// Reads the files and what is around them.
///
/// # Errors
/// Misuse of the command line or of restow.toml.
pub fn survey(common: &Common) -> anyhow::Result<Surveyed> {
    let configs = Configs::new(common)?;
    let more = discover::dockerfile_globs(&common.dockerfile).context("--dockerfile")?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(common.jobs).stack_size(run::STACK);
    let pool = threads.build().context("threads")?;
    let discovery = discover::discover(&common.paths, &more, &|path| configs.names_dockerfile(path));
    let mut errors: Vec<ErrorReport> =
        discovery.errors.iter().map(|error| survey::walk_error(error, common.strict)).collect();
    let loaded = pool.install(|| survey::load_all(discovery.files, &configs))?;
    let projects = pool.install(|| survey::projects(&loaded, common, &configs, &more, survey::Contexts::All));
    for file in &loaded {
        if let Err((line, column, message)) = &file.read {
            let path = file.found.shown.display().to_string();
            let fatal = file.found.named || common.strict;
            errors.push(ErrorReport { path, line: *line, column: *column, message: message.clone(), fatal });
        }
    }
    Ok(Surveyed { loaded, projects, errors })
}

/// The last line on standard error.
fn counts(files: usize, builds: usize, errors: usize) -> String {
    let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut line = format!("{} read, {} found", many(files, "file"), many(builds, "build"));
    if errors > 0 {
        line = format!("{line}; {}", many(errors, "error"));
    }
    line
}

/// The builds that concern `files`: services, targets, what workflows build beside them, and Dockerfiles that nothing names.
fn list(graph: &Graph, files: &BTreeSet<&str>, exists: &dyn Fn(&str) -> bool) -> Vec<Service> {
    let mut covered: Vec<&Build> = Vec::new();
    let mut found = Vec::new();
    for build in &graph.builds {
        let is_covered = covered.iter().any(|other| std::ptr::eq(*other, build));
        if is_covered && build.builder.is_some() {
            continue;
        }
        covered.extend(graph.in_ci(build));
        let service = describe(graph, build, exists);
        let concerns = files.contains(service.file.as_str())
            || service.dockerfile.as_deref().is_some_and(|path| files.contains(path))
            || service.ci.iter().any(|ci| files.contains(ci.file.as_str()));
        if concerns {
            found.push(service);
        }
    }
    found
}

/// A build, and who makes it in CI.
pub fn describe(graph: &Graph, build: &Build, exists: &dyn Fn(&str) -> bool) -> Service {
    let mut ci: Vec<Ci> = Vec::new();
    for found in Ci::of(build).into_iter().chain(graph.in_ci(build).filter_map(Ci::of)) {
        if !ci.contains(&found) {
            ci.push(found);
        }
    }
    ci.sort_by(|left, right| (&left.file, left.line).cmp(&(&right.file, right.line)));
    Service {
        service: Some(build.name.clone()).filter(|_| build.by != By::Nothing),
        file: build.file.clone(),
        line: build.line,
        context: build.context.clone(),
        dockerfile: build.dockerfile.clone(),
        target: build.target.clone(),
        image: build.images.first().cloned(),
        images: build.images.clone(),
        by: build.by,
        ci,
        is_inline: build.is_inline,
        is_missing: build.dockerfile.as_deref().is_some_and(|path| !exists(path)),
    }
}

/// How the files of a repository are called beside those of others: from the current folder where that is above it.
pub fn prefix(root: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    root.strip_prefix(here).unwrap_or(root).to_string_lossy().into_owned()
}

fn put_in_front(prefix: &str, service: &mut Service) {
    if prefix.is_empty() {
        return;
    }
    let put = |path: &mut String| *path = if path == "." { prefix.to_owned() } else { format!("{prefix}/{path}") };
    put(&mut service.file);
    service.context.iter_mut().chain(&mut service.dockerfile).for_each(put);
    service.ci.iter_mut().for_each(|ci| put(&mut ci.file));
}
