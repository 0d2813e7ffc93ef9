//! The images that a run is about: each Dockerfile with each of its builds, as it stands and as the pending changes leave it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::run::Finished;
use crate::config::Settings;
use crate::context::BuildContext;
use crate::discover::Found;
use crate::dockerfile::Dockerfile;
use crate::engine;
use crate::facts::compose;
use crate::facts::{Facts, Scripts};
use crate::forecast::Subject;
use crate::project::Project;
use crate::project::graph::{Build, By};
use crate::report::forecast::Refused;
use crate::transform::Kind;
use crate::yaml::Stream;

/// An image that is built from a Dockerfile.
pub struct Image {
    /// The service, target or step that builds it; none for a Dockerfile that nothing names.
    pub service: Option<String>,
    /// As messages call it.
    pub shown: String,
    /// Relative to the root of the project.
    dockerfile: String,
    /// Whether the Dockerfile stands in a compose file.
    is_inline: bool,
    /// Relative to the root of the project.
    pub context: String,
    pub target: Option<String>,
    arguments: Vec<(String, Option<String>)>,
    before: Side,
    /// None where nothing is pending.
    after: Option<Side>,
}

/// An image's Dockerfile in one version, with the files around it.
struct Side {
    text: String,
    file: Dockerfile,
    /// With the files as this version has them.
    project: Arc<Project>,
}

impl Side {
    fn facts<'s>(&'s self, scripts: &Scripts) -> Facts<'s> {
        Facts::new(&self.text, &self.file, &self.project.settings.knowledge, scripts)
    }
}

/// The images of a run's Dockerfiles, in the order of the files and of what builds them.
pub fn images(finished: &Finished) -> (Vec<Image>, Vec<Refused>) {
    let share = |projects: &BTreeMap<PathBuf, Project>| -> BTreeMap<PathBuf, Arc<Project>> {
        projects.iter().map(|(root, project)| (root.clone(), Arc::new(project.clone()))).collect()
    };
    let (before, after) = (share(&finished.before), share(&finished.after));
    let (mut images, mut refused) = (Vec::new(), Vec::new());
    for (report, found) in finished.report.files.iter().zip(&finished.found) {
        let Some((old, new)) = before.get(&found.root).zip(after.get(&found.root)) else { continue };
        let is_inline = found.kind == Kind::Compose;
        if found.kind != Kind::Dockerfile && !is_inline {
            continue;
        }
        let mut settings = old.settings.clone();
        settings.knowledge.replaced = old.graph.replaced(&found.relative).to_vec();
        let outcome = &report.outcome;
        let builds = if is_inline { inline_builds(old, found) } else { builds(old, &found.relative) };
        for build in builds {
            let service = build.as_ref().filter(|build| build.by != By::Nothing).map(|build| build.name.clone());
            let refuse = |reason: String| Refused { service: service.clone(), dockerfile: report.path.clone(), reason };
            let text = |text: &str| match &build {
                Some(build) if is_inline => inline(text, &build.name),
                _ => Some(text.to_owned()),
            };
            let Some(before) = text(&outcome.before).and_then(|text| side(&text, old, &settings)) else {
                refused.extend(is_inline.then(|| refuse("its Dockerfile can't be read".to_owned())));
                continue;
            };
            let after = text(&outcome.after).filter(|after| *after != before.text);
            let after = after.and_then(|text| side(&text, new, &settings));
            match context(old, &found.relative, build.as_ref(), &before) {
                Ok(context) => images.push(Image {
                    service: service.clone(),
                    shown: report.path.clone(),
                    dockerfile: found.relative.clone(),
                    is_inline,
                    context,
                    target: build.as_ref().and_then(|build| build.target.clone()),
                    arguments: build.as_ref().map(|build| build.args.clone()).unwrap_or_default(),
                    before,
                    after,
                }),
                Err(reason) => refused.push(refuse(reason)),
            }
        }
    }
    (images, refused)
}

/// The builds whose Dockerfile stands in the compose file itself.
fn inline_builds(project: &Project, found: &Found) -> Vec<Option<Build>> {
    let inline = project.graph.builds.iter().filter(|build| build.is_inline && build.by == By::Compose);
    inline.filter(|build| build.file == found.relative).cloned().map(Some).collect()
}

/// The Dockerfile that stands in a service of a compose file, as written there.
pub fn inline(text: &str, service: &str) -> Option<String> {
    let compose = compose::read(text, &Stream::read(text).ok()?).ok()?;
    compose.services.iter().find(|known| known.name == service)?.any_build()?.inline.clone()
}

fn side(text: &str, project: &Arc<Project>, settings: &Settings) -> Option<Side> {
    let file = engine::read_dockerfile(text).ok()?;
    let mut project = (**project).clone();
    project.settings = settings.clone();
    Some(Side { text: text.to_owned(), file, project: Arc::new(project) })
}

/// What builds the Dockerfile, each way once; none where nothing names it.
fn builds(project: &Project, path: &str) -> Vec<Option<Build>> {
    let mut found: Vec<Option<Build>> = Vec::new();
    let named = project.graph.builds.iter().filter(|build| build.dockerfile.as_deref() == Some(path));
    for build in named.filter(|build| build.by != By::Nothing) {
        let is_same = |other: &Build| {
            (&other.context, &other.target, &other.args) == (&build.context, &build.target, &build.args)
                // A workflow builds what a compose file or a bake file declares.
                || build.builder.is_some() && (&other.context, &other.target) == (&build.context, &build.target)
        };
        if !found.iter().flatten().any(is_same) {
            found.push(Some(build.clone()));
        }
    }
    if found.is_empty() {
        found.push(None);
    }
    found
}

/// The folder that an image is built from.
fn context(project: &Project, path: &str, build: Option<&Build>, side: &Side) -> Result<String, String> {
    if let Some(build) = build {
        let unknown = || format!("{}:{}: its build context can't be told", build.file, build.line);
        let folder = build.context.clone().ok_or_else(unknown)?;
        BuildContext::open(&project.tree, &folder, path)?;
        return Ok(folder);
    }
    let contexts = project.build_contexts(path)?;
    let scripts = Scripts::none();
    let facts = Facts::new(&side.text, &side.file, &side.project.settings.knowledge, &scripts);
    let likely = contexts.likely(&facts);
    Ok(likely.first().ok_or("it has no build context")?.folder.clone())
}

impl Image {
    /// Looks at both versions.
    ///
    /// # Errors
    /// A build context that can't be read.
    pub fn look<T>(&self, look: impl FnOnce(&Subject<'_>, Option<&Subject<'_>>) -> T) -> Result<T, String> {
        let scripts = Scripts::new();
        let per_commit = &self.before.project.settings.per_commit;
        let (facts_before, context_before) = (self.before.facts(&scripts), self.open(&self.before)?);
        let before = Subject {
            facts: &facts_before,
            context: &context_before,
            dockerfile: context_before.inside(&self.dockerfile).filter(|_| !self.is_inline),
            target: self.target.as_deref(),
            arguments: &self.arguments,
            per_commit,
        };
        let Some(side) = &self.after else { return Ok(look(&before, None)) };
        let (facts_after, context_after) = (side.facts(&scripts), self.open(side)?);
        let after = Subject { facts: &facts_after, context: &context_after, ..before };
        Ok(look(&before, Some(&after)))
    }

    fn open<'s>(&self, side: &'s Side) -> Result<BuildContext<'s>, String> {
        BuildContext::open(&side.project.tree, &self.context, &self.dockerfile)
    }
}
