//! What a change gains, in numbers: steps that a scenario repeats, before and after.

use super::parsed::read_dockerfile;
use crate::context::BuildContext;
use crate::dockerfile::Dockerfile;
use crate::facts::{Facts, Scripts};
use crate::forecast::{self, Gain, Subject, Theme};
use crate::project::Project;

/// The scenario of a theme in which the Dockerfile at `path` gains most by becoming `after`. None where nothing is known of the files
/// around it, and where nothing is gained.
pub fn gain(project: &Project, path: &str, before: &str, after: &str, theme: Theme, scripts: &Scripts) -> Option<Gain> {
    let (old, new) = (read_dockerfile(before).ok()?, read_dockerfile(after).ok()?);
    let (old, new) = (facts(before, &old, project, scripts), facts(after, &new, project, scripts));
    let contexts = project.build_contexts(path).ok()?;
    let context: &BuildContext<'_> = contexts.likely(&old).first()?;
    let mut builds = project.graph.builds.iter().filter(|build| build.dockerfile.as_deref() == Some(path));
    let build = builds.find(|build| build.context.as_deref() == Some(context.folder.as_str()));
    let before = Subject {
        facts: &old,
        context,
        dockerfile: context.inside(path),
        target: build.and_then(|build| build.target.as_deref()),
        arguments: build.map_or(&[], |build| build.args.as_slice()),
        per_commit: &project.settings.per_commit,
    };
    forecast::gain(&before, &Subject { facts: &new, ..before }, theme)
}

fn facts<'a>(text: &'a str, file: &'a Dockerfile, project: &'a Project, scripts: &Scripts) -> Facts<'a> {
    Facts::new(text, file, &project.settings.knowledge, scripts)
}
