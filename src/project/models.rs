//! The models of the services that are built from a Dockerfile.

use std::collections::BTreeMap;

use super::Project;
use super::graph::{Build, By, is_override};
use super::services::{Runtime, Value};
use crate::context::BuildContext;
use crate::facts::Facts;
use crate::facts::compose;
use crate::facts::compose::VolumeKind;
use crate::facts::interpolation;
use crate::facts::models::presence::{self, Presence};
use crate::facts::models::versions::Versions;
use crate::facts::models::{Command, Container, Found, Given, Mounted, Service, Setting};

/// A service that is built from a Dockerfile, and what it loads.
#[derive(Debug, Clone)]
pub struct ServiceModels {
    /// Relative to the root of the project.
    pub context: String,
    /// The compose file and service; none where no compose file builds the image.
    pub compose: Option<(String, String)>,
    /// The index of the stage that is built.
    pub stage: usize,
    pub container: Container,
    /// What the compose files set; none where no compose file builds the image.
    pub runtime: Option<Runtime>,
    pub found: Found,
    /// For each load where it is.
    pub presence: Vec<Presence>,
    /// What it asks for of libraries; nothing where it loads nothing.
    pub versions: Versions,
}

impl Project {
    /// What the services that are built from the Dockerfile at `path` load, each with the environment of its container.
    ///
    /// # Errors
    /// Why its build contexts can't be told.
    pub fn models(&self, path: &str, facts: &Facts<'_>) -> Result<Vec<ServiceModels>, String> {
        let contexts = self.build_contexts(path)?;
        let named = self.graph.builds.iter().filter(|build| match path.split_once('#') {
            Some((file, service)) => build.is_inline && build.file == file && build.name == service,
            None => build.dockerfile.as_deref() == Some(path),
        });
        let named: Vec<&Build> = named.filter(|build| build.by != By::Nothing && build.context.is_some()).collect();
        let composed: Vec<&Build> = named.iter().copied().filter(|build| build.by == By::Compose).collect();
        let mut services: Vec<ServiceModels> = Vec::new();
        for build in if composed.is_empty() { &named } else { &composed } {
            // What an override file says is part of the service of the file below it.
            let is_on_top = build.by == By::Compose
                && is_override(&build.file)
                && composed.iter().any(|other| other.name == build.name && !is_override(&other.file));
            let folder = build.context.as_deref().unwrap_or(".");
            let Some(context) = contexts.contexts.iter().find(|context| context.folder == folder) else { continue };
            let Some(stage) = stage_of(facts, build.target.as_deref()) else { continue };
            if is_on_top {
                continue;
            }
            let is_known =
                build.by != By::Compose && services.iter().any(|known| known.context == folder && known.stage == stage);
            if !is_known {
                services.push(self.service(path, facts, context, stage, Some(build)));
            }
        }
        if services.is_empty() && !facts.stages.is_empty() {
            for context in contexts.likely(facts).into_iter().take(1) {
                services.push(self.service(path, facts, context, facts.stages.len() - 1, None));
            }
        }
        Ok(services)
    }

    fn service(
        &self,
        path: &str,
        facts: &Facts<'_>,
        context: &BuildContext<'_>,
        stage: usize,
        build: Option<&Build>,
    ) -> ServiceModels {
        let composed = build.filter(|build| build.by == By::Compose);
        let compose = composed.map(|build| (build.file.clone(), build.name.clone()));
        let runtime = compose.as_ref().and_then(|(file, service)| self.runtime(file, service));
        let arguments = build.map(arguments).unwrap_or_default();
        let container = Container { arguments, ..runtime.as_ref().map(container).unwrap_or_default() };
        let service = Service { facts, path, stage, context, container: &container };
        let found = service.loads(&self.units);
        let versions = if found.loads.is_empty() { Versions::default() } else { service.versions() };
        let presence = presence::of(&service, &found, &versions, &self.units);
        ServiceModels { context: context.folder.clone(), compose, stage, container, runtime, found, presence, versions }
    }
}

/// The stage that a build asks for by its name or number; the last one without.
fn stage_of(facts: &Facts<'_>, target: Option<&str>) -> Option<usize> {
    let last = facts.stages.len().checked_sub(1)?;
    let Some(target) = target else { return Some(last) };
    let by_name = facts
        .stages
        .iter()
        .position(|stage| stage.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(target)));
    by_name.or_else(|| target.parse().ok().filter(|index| *index <= last))
}

/// The build arguments that a build passes; no text where it depends on a variable without a default.
fn arguments(build: &Build) -> BTreeMap<String, Option<String>> {
    let read = |value: &String| match build.by {
        By::Compose => interpolation::interpolate(value).known().map(str::to_owned),
        _ => (!value.contains('$')).then(|| value.clone()),
    };
    build.args.iter().map(|(name, value)| (name.clone(), value.as_ref().and_then(read))).collect()
}

fn container(runtime: &Runtime) -> Container {
    let mut environment = BTreeMap::new();
    for variable in &runtime.environment {
        let given = if variable.by_file { Given::EnvFile } else { Given::ComposeEnvironment };
        let value = variable.value.known().map(str::to_owned);
        let setting = Setting { value, file: variable.place.file.as_str().into(), line: variable.place.line, given };
        environment.insert(variable.name.clone(), setting);
    }
    let workdir = match &runtime.working_dir {
        Some(Value::Known(folder)) => Some(folder.clone()),
        _ => None,
    };
    let user = runtime.user.as_ref().map(|user| user.known().map(str::to_owned));
    let mounts = runtime.volumes.iter().filter(|mount| mount.is_known).map(|mount| Mounted {
        target: mount.volume.target.trim_end_matches('/').to_owned(),
        is_bind: mount.volume.kind == VolumeKind::Bind,
        place: mount.place.to_string(),
    });
    let (entrypoint, command) = (command(&runtime.entrypoint), command(&runtime.command));
    let mounts = mounts.collect();
    Container { environment, entrypoint, command, workdir, user, mounts, ..Container::default() }
}

/// A command of a compose file: nothing said, the image's own, or another one.
fn command(command: &compose::Command) -> Option<Option<Command>> {
    match command {
        compose::Command::Missing | compose::Command::Image => None,
        compose::Command::Empty => Some(None),
        compose::Command::Line(line) => Some(Some(Command::Line(line.clone()))),
        compose::Command::Words(words) => Some(Some(Command::Words(words.clone()))),
    }
}
