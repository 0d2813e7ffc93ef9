//! Which file builds which image: compose services, bake targets, workflow steps, commands in workflows, and Dockerfiles that none of them
//! names.

mod builds;
mod habits;
mod image;
mod paths;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::bake::Bake;
use crate::facts::compose::{Compose, entry_reference};
use crate::facts::workflow::{Job, Runner, Step, Workflow};
use crate::text::LineIndex;

pub use habits::Habits;
pub use image::Image;
pub use paths::{canonical, checkout, inside, is_default_compose, is_override, parent};

/// The builds of a project. All paths are relative to its root, with slashes; the root itself is `.`.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub composes: Vec<Source<Compose>>,
    pub bakes: Vec<Source<Bake>>,
    pub workflows: Vec<Source<Workflow>>,
    pub dockerfiles: BTreeMap<String, Image>,
    pub builds: Vec<Build>,
    pub pushed: Vec<Pushed>,
    pub habits: Habits,
    /// For each Dockerfile that has some: the named contexts of its builds.
    replaced: BTreeMap<String, Vec<String>>,
    /// Names of build arguments that scripts and steps pass to builds of whatever Dockerfile.
    passed: BTreeSet<String>,
}

/// A file that was read, and where its lines start.
#[derive(Debug, Clone)]
pub struct Source<T> {
    pub path: String,
    pub lines: LineIndex,
    pub file: T,
}

/// One build of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    pub by: By,
    /// The file that asks for it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Service, target, or job and step; empty for a Dockerfile that nothing names.
    pub name: String,
    /// None where it can't be told, or is not in the repository.
    pub context: Option<String>,
    pub dockerfile: Option<String>,
    /// Whether the Dockerfile stands in the file itself.
    pub is_inline: bool,
    pub target: Option<String>,
    /// Names of the image, as written.
    pub images: Vec<String>,
    pub args: Vec<(String, Option<String>)>,
    pub contexts: Vec<(String, String)>,
    /// For builds in CI: on what.
    pub builder: Option<CiBuilder>,
    /// For builds in CI of a service or target: its file and name.
    pub declared: Option<(String, String)>,
}

/// Who asks for a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Compose,
    Bake,
    /// A step of a workflow that uses an action.
    Step,
    /// A command in a step of a workflow.
    Command,
    /// Nobody that was found.
    Nothing,
}

/// The builder of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiBuilder {
    pub runner: Runner,
    /// Whether docker/setup-buildx-action makes a builder for the job, which goes with it.
    pub is_fresh: bool,
    /// Whether docker/setup-buildx-action connects to a builder that is no part of the job.
    pub is_elsewhere: bool,
    /// `type=` of what it imports, or the name of an image.
    pub imports: Vec<String>,
}

impl CiBuilder {
    /// Whether the builder still has its cache in the next run: yes, no, or not known.
    pub fn keeps_cache(&self) -> Option<bool> {
        match self.runner {
            _ if self.is_elsewhere => None,
            Runner::Hosted => Some(false),
            _ if self.is_fresh => Some(false),
            Runner::Kept => Some(true),
            Runner::Unknown => None,
        }
    }
}

/// The build contexts of a Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contexts {
    /// Relative to the root of the project, sorted.
    pub folders: Vec<String>,
    /// `path:line` of a build whose context can't be told.
    pub unknown: Option<String>,
}

/// An image that something in the repository pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// As written, variables of the workflow replaced.
    pub reference: String,
    /// `path:line`.
    pub place: String,
    /// Whether the build that it comes from may have written a cache record into it.
    pub has_record: bool,
}

impl Graph {
    /// What pushes exactly this image, first what may push it with a cache record.
    pub fn pusher(&self, reference: &str) -> Option<&Pushed> {
        let wanted = canonical(reference);
        let mut found = self.pushed.iter().filter(|pushed| canonical(&pushed.reference) == wanted);
        let first = found.clone().next()?;
        Some(found.find(|pushed| pushed.has_record).unwrap_or(first))
    }

    /// The service or target that reads an image's cache record: its name and file.
    pub fn reader_of(&self, reference: &str) -> Option<(&str, &str)> {
        let wanted = canonical(reference);
        let reads = |entries: &Option<Vec<String>>| {
            entries.iter().flatten().filter_map(|entry| entry_reference(entry)).any(|entry| canonical(entry) == wanted)
        };
        let services = self.composes.iter().flat_map(|source| {
            let services = source
                .file
                .services
                .iter()
                .filter(|service| service.any_build().is_some_and(|build| reads(&build.cache_from)));
            services.map(|service| (service.name.as_str(), source.path.as_str()))
        });
        let targets = self.bakes.iter().flat_map(|source| {
            let targets = source.file.targets.iter().filter(|target| reads(&target.cache_from));
            targets.map(|target| (target.name.as_str(), source.path.as_str()))
        });
        services.chain(targets).next()
    }

    /// What a step of a workflow builds: several images where a matrix says so.
    pub fn of_step<'a>(&'a self, path: &'a str, job: &Job, step: &Step) -> impl Iterator<Item = &'a Build> + 'a {
        let name = step_name(job, step);
        self.builds.iter().filter(move |build| build.by == By::Step && build.file == path && build.name == name)
    }

    /// Folder, service and image of the services in files that Compose loads by itself: other files of the folder leave `image` to
    /// them.
    pub fn default_images(&self) -> Vec<(String, &str, &str)> {
        let default =
            self.composes.iter().filter(|source| is_default_compose(&source.path) && !is_override(&source.path));
        let services = default.flat_map(|source| source.file.services.iter().map(move |service| (source, service)));
        services
            .filter_map(|(source, service)| {
                Some((parent(&source.path), service.name.as_str(), service.image.as_deref()?))
            })
            .collect()
    }

    /// The build contexts of a Dockerfile, as far as something in the repository names them. `FILE#SERVICE` is the one that stands in a
    /// compose file.
    pub fn contexts(&self, path: &str) -> Contexts {
        let mut contexts = Contexts::default();
        let builds = self.builds.iter().filter(|build| match path.split_once('#') {
            Some((file, service)) => build.is_inline && build.file == file && build.name == service,
            None => build.dockerfile.as_deref() == Some(path),
        });
        for build in builds.filter(|build| build.by != By::Nothing) {
            match &build.context {
                Some(folder) => contexts.folders.push(folder.clone()),
                None => contexts.unknown = Some(format!("{}:{}", build.file, build.line)),
            }
        }
        contexts.folders.sort();
        contexts.folders.dedup();
        contexts
    }

    /// Named contexts that builds of a Dockerfile put in the place of its images and stages.
    pub fn replaced(&self, path: &str) -> &[String] {
        self.replaced.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether something in the repository passes a build argument to a build of a Dockerfile.
    pub fn passes(&self, path: &str, name: &str) -> bool {
        let meant = |build: &&Build| build.dockerfile.as_deref().is_none_or(|file| file == path);
        let mut builds = self.builds.iter().filter(meant);
        self.passed.contains(name) || builds.any(|build| build.args.iter().any(|(arg, _)| arg == name))
    }

    /// The builds in CI that build what `build` builds.
    pub fn in_ci<'a>(&'a self, build: &'a Build) -> impl Iterator<Item = &'a Build> + 'a {
        self.builds.iter().filter(move |other| {
            let same_file = other.dockerfile.is_some() && other.dockerfile == build.dockerfile;
            let same_target = other.target.is_none() || build.target.is_none() || other.target == build.target;
            let names_it =
                other.declared.as_ref().is_some_and(|(file, name)| *file == build.file && *name == build.name);
            other.builder.is_some() && (names_it || same_file && same_target)
        })
    }
}

/// What the builds of a step are called. A title and no line, so that they are found again when a change has moved the step.
fn step_name(job: &Job, step: &Step) -> String {
    format!("{}, {}", job.id, step.title())
}
