//! `restow models`: which models the services load, and which are in their images.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rayon::prelude::*;

use super::services::{Arguments, Surveyed, prefix, survey};
use super::survey::Loaded;
use super::{Format, print, run};
use crate::config::Settings;
use crate::dockerfile::Dockerfile;
use crate::facts::models::presence::Presence;
use crate::facts::models::{How, Load};
use crate::facts::{Facts, Scripts};
use crate::project::Project;
use crate::project::models::ServiceModels;
use crate::report::models::{self, Model, Service, Unresolved};

/// # Errors
/// Misuse of the command line or of restow.toml, and a standard output that can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    let common = arguments.common("models")?;
    let Surveyed { loaded, projects, errors } = survey(&common)?;
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(common.jobs).stack_size(run::STACK).build().context("threads")?;
    let mut found = Vec::new();
    for (root, project) in &projects {
        let prefix = if projects.len() > 1 && root.join(".git").exists() { prefix(root) } else { String::new() };
        let files: Vec<&Loaded> = loaded.iter().filter(|file| file.found.root == *root).collect();
        let mut services = pool.install(|| list(&files, project));
        services.iter_mut().for_each(|service| put_in_front(&prefix, service));
        if let Some(below) = below(&common.paths, root) {
            services.iter_mut().for_each(|service| cut_off(&below, service));
        }
        found.extend(services);
    }
    let out = match arguments.format {
        Format::Json => models::json(&found, &errors)?,
        _ => models::text(&found),
    };
    print(&out)?;
    run::tell_errors(&errors, arguments.quiet);
    if !arguments.quiet {
        let loading = found.iter().filter(|service| !service.models.is_empty() || !service.unresolved.is_empty());
        let models = found.iter().flat_map(|service| &service.models);
        let missing = models.clone().filter(|model| !model.in_image).count();
        let unresolved: usize = found.iter().map(|service| service.unresolved.len()).sum();
        let (services, models) = (loading.count(), models.count());
        let _ = writeln!(
            std::io::stderr().lock(),
            "{} of {} load models: {models} found, {missing} not in the image, {unresolved} unresolved",
            services,
            many(found.len(), "service"),
        );
    }
    Ok(if errors.iter().any(|error| error.fatal) { super::FAILED } else { super::DONE })
}

fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn list(files: &[&Loaded], project: &Project) -> Vec<Service> {
    let each = files.par_iter().map(|file| {
        let Ok((text, read)) = &file.read else { return Vec::new() };
        let Some(dockerfile) = read.dockerfile() else { return Vec::new() };
        of_file(&file.found.relative, text, dockerfile, &file.settings, project)
    });
    let mut seen = BTreeSet::new();
    let all: Vec<Vec<Service>> = each.collect();
    let mut services: Vec<Service> = all.into_iter().flatten().collect();
    // The same service in several compose files.
    services.retain(|service| seen.insert(serde_json::to_string(service).unwrap_or_default()));
    services
}

fn of_file(path: &str, text: &str, dockerfile: &Dockerfile, settings: &Settings, project: &Project) -> Vec<Service> {
    let scripts = Scripts::new();
    let facts = Facts::new(text, dockerfile, &settings.knowledge, &scripts);
    let services = project.models(path, &facts).unwrap_or_default();
    let described = services.iter().map(|service| Service {
        dockerfile: path.to_owned(),
        context: service.context.clone(),
        service: service.compose.as_ref().map(|(_, name)| name.clone()),
        models: listed(service, false),
        vocabularies: listed(service, true),
        unresolved: service
            .found
            .unresolved
            .iter()
            .map(|load| Unresolved {
                library: load.library.clone(),
                path: load.path.clone(),
                line: load.line,
                reason: load.reason.clone(),
            })
            .collect(),
    });
    described.collect()
}

/// The models of a service; or the vocabularies of tokenizers, which are files of some megabytes and no models.
fn listed(service: &ServiceModels, vocabularies: bool) -> Vec<Model> {
    let loads = service.found.loads.iter().zip(&service.presence);
    let wanted = loads.filter(|(load, _)| (load.how == How::Tiktoken) == vocabularies && !load.is_fallback);
    wanted.map(|(load, presence)| describe(load, presence)).collect()
}

fn describe(load: &Load, presence: &Presence) -> Model {
    Model {
        library: load.library.clone(),
        id: load.name(),
        revision: load.revision.clone(),
        path: load.id.file.to_string(),
        line: load.id.line,
        given: load.id.given,
        in_image: presence.is_there(),
        reason: reason(load, presence),
    }
}

fn reason(load: &Load, presence: &Presence) -> String {
    let mut reason = presence.reason();
    if load.is_aside {
        reason.push_str("; nothing that the container starts is seen to import the file that loads it");
    }
    reason
}

/// The one folder that was named, where it lies below the root: paths count from it.
fn below(paths: &[PathBuf], root: &Path) -> Option<String> {
    let [path] = paths else { return None };
    let (path, root) = (path.canonicalize().ok()?, root.canonicalize().ok()?);
    let below = path.strip_prefix(&root).ok().filter(|_| path.is_dir())?.to_str()?.to_owned();
    (!below.is_empty()).then_some(below)
}

fn cut_off(folder: &str, service: &mut Service) {
    let cut = |path: &mut String| {
        if path == folder {
            ".".clone_into(path);
        } else if let Some(rest) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) {
            *path = rest.to_owned();
        }
    };
    paths_of(service).into_iter().for_each(cut);
}

fn paths_of(service: &mut Service) -> Vec<&mut String> {
    let mut paths = vec![&mut service.dockerfile, &mut service.context];
    paths.extend(service.models.iter_mut().chain(&mut service.vocabularies).map(|model| &mut model.path));
    paths.extend(service.unresolved.iter_mut().map(|load| &mut load.path));
    paths
}

fn put_in_front(prefix: &str, service: &mut Service) {
    if prefix.is_empty() {
        return;
    }
    let put = |path: &mut String| *path = if path == "." { prefix.to_owned() } else { format!("{prefix}/{path}") };
    paths_of(service).into_iter().for_each(put);
}
