//! The builder of a job: docker/setup-buildx-action, there or missing.

use super::step::Site;
use crate::facts::workflow::{BUILD_PUSH, Job, SETUP_BUILDX, Step};
use crate::project::commands::{self, Command};
use crate::transform::{Change, Effect, Level, WorkflowContext};
use crate::yaml::edits::{Layout, insert_item};
use crate::yaml::{Difference, New, Step as YamlStep, below};

/// The setup step in front of a build, the nearest one.
pub fn before<'a>(job: &'a Job, step: &Step) -> Option<&'a Step> {
    job.steps[..step.index.min(job.steps.len())].iter().rev().find(|other| other.is_action(SETUP_BUILDX))
}

/// Whether what a setup step makes can export for the build.
///
/// # Errors
/// Why it can't.
pub fn check(setup: &Step, step: &Step) -> Result<(), String> {
    if setup.input("driver") == Some("docker") {
        return Err(
            "docker/setup-buildx-action is told `driver: docker`, which can't export a cache; take the line out"
                .to_owned(),
        );
    }
    if setup.condition.is_some() && setup.condition != step.condition {
        return Err("docker/setup-buildx-action runs under a condition that is not the build's, so the build may meet a builder that can't export; give both the same condition".to_owned());
    }
    if let Some(version) = setup.input("version").and_then(old_version) {
        return Err(format!(
            "Buildx is pinned to {version}, and the Actions cache needs 0.21 or later; raise the version"
        ));
    }
    Ok(())
}

/// The pinned version of Buildx, if it is older than 0.21.
fn old_version(version: &str) -> Option<&str> {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    ((major, minor) < (0, 21)).then_some(version)
}

/// Whether a build that relied on Docker's own builder has to say `load: true` with another one, so that its image still lands in the
/// Docker engine.
///
/// # Errors
/// A build that can't be loaded.
pub fn must_load(step: &Step) -> Result<bool, String> {
    if step.input("load").is_some() || step.input("outputs").is_some() {
        return Ok(false);
    }
    match step.input("push") {
        None | Some("false") => {}
        Some(_) => return Ok(false),
    }
    if step.input("platforms").is_some_and(|platforms| platforms.contains([',', '\n']) || platforms.contains("${{")) {
        return Err("it builds for several platforms, and such an image can't be loaded into the Docker engine; add docker/setup-buildx-action to the job to let restow add a cache".to_owned());
    }
    Ok(true)
}

/// One change for all builds of a job that wait for a builder.
///
/// # Errors
/// Why a builder can't be set up there.
pub fn change(cx: &WorkflowContext<'_>, job: &Job, first: &Step, sites: &[Site<'_>]) -> Result<Change, String> {
    check_others(job, sites)?;
    let (uses, is_found) = uses(cx);
    let steps_path = below(&job.path, "steps");
    let sequence = cx.stream.node(&steps_path).ok_or("the steps were not found")?;
    let node = cx.stream.node(&first.path).ok_or("the step was not found")?;
    let layout = Layout::of(cx.text, cx.stream, &[node]);
    let mut item =
        vec![("name".to_owned(), New::plain("Set up Docker Buildx")), ("uses".to_owned(), New::plain(&*uses))];
    let named = job.steps.iter().filter(|step| step.name.is_some()).count();
    if named == 0 {
        item.remove(0);
    }
    if let Some(condition) =
        sites.iter().all(|site| site.step.condition == first.condition).then_some(()).and(first.condition.as_ref())
    {
        item.insert(item.len() - 1, ("if".to_owned(), New::plain(&**condition)));
    }
    let item = New::Map(item);
    let edit = insert_item(cx.text, cx.stream, sequence, first.index, &item, layout)
        .map_err(|reason| format!("restow can't put docker/setup-buildx-action in front of it: {reason}"))?;
    let mut edits: Vec<_> = sites.iter().flat_map(|site| site.edits.iter().cloned()).collect();
    edits.push(edit);
    let mut effects: Vec<Effect> = sites.iter().flat_map(|site| site.effects.iter().cloned()).collect();
    let path = steps_path.into_iter().chain([YamlStep::Index(first.index)]).collect();
    effects.push(Effect::Data(Difference::Insert { path, value: item }));
    let titles: Vec<&str> = sites.iter().map(|site| site.title.as_str()).collect();
    let loads = sites.iter().any(|site| matches!(must_load(site.step), Ok(true)));
    let load = if loads { ", and `load: true` puts the image there as before" } else { "" };
    let pin = if is_found { "" } else { "; pin the action as you pin others" };
    Ok(Change {
        group: format!("add-ci-cache:{}", first.offset),
        title: format!("Set up Buildx and {}", titles.join(" and ").replace("Keep the layers", "keep the layers")),
        reason: format!(
            "{}; Docker's own builder can't export a cache, hence docker/setup-buildx-action, whose builder leaves no image in the Docker engine{load}{pin}",
            sites[0].reason
        ),
        level: Level::Review,
        offset: first.offset,
        edits,
        effects,
    })
}

/// Whether other steps of the job would meet the new builder, or miss an image of the old one.
fn check_others(job: &Job, sites: &[Site<'_>]) -> Result<(), String> {
    let leaves_image = |step: &Step| {
        let unpushed = matches!(step.input("push"), None | Some("false")) && step.input("outputs").is_none();
        unpushed || step.input("load") == Some("true")
    };
    for (at, step) in job.steps.iter().enumerate() {
        let local =
            step.list("tags").into_iter().any(|tag| tag.starts_with("localhost") || tag.starts_with("127.0.0.1"));
        if local {
            return Err("it pushes to a registry on the runner itself, which a builder of its own reaches only with `driver-opts: network=host`; add docker/setup-buildx-action so, then run restow again".to_owned());
        }
        let run = step.run.as_deref().unwrap_or("");
        let used = uses_docker(run);
        let found = commands::in_script(run);
        let builds_by_buildx = run.contains("buildx")
            || found.iter().any(|command| matches!(command, Command::ComposeBuild { .. } | Command::Bake { .. }));
        let is_before = sites.iter().any(|site| at < site.step.index);
        let unloaded = sites
            .iter()
            .any(|site| site.step.index < at && !leaves_image(site.step) && site.step.input("outputs").is_none());
        let reason = if used && builds_by_buildx {
            "would build with the new builder too, which does not see images of the Docker engine"
        } else if used && is_before {
            "may leave an image in the Docker engine that a builder of its own does not see"
        } else if used && unloaded {
            "may use the image that the build leaves in the Docker engine beside pushing it, which a builder of its own does not"
        } else {
            continue;
        };
        return Err(format!(
            "the job has no docker/setup-buildx-action, and its step \"{}\" {reason}; add the action yourself where that is no matter, then run restow again",
            step.title()
        ));
    }
    let builds: Vec<&Step> = job.steps.iter().filter(|step| step.is_action(BUILD_PUSH)).collect();
    if builds.len() > 1 && builds[..builds.len() - 1].iter().any(|step| leaves_image(step)) {
        return Err("the job has no docker/setup-buildx-action and builds several images: with a builder of its own a later build would not find an earlier one's image as its base; add the action, then run restow again".to_owned());
    }
    Ok(())
}

/// Whether a script does something with docker beside logging in.
fn uses_docker(run: &str) -> bool {
    run.lines().map(str::trim).filter(|line| !line.starts_with('#')).any(|line| {
        let harmless = ["docker login", "docker logout", "docker version", "docker info"];
        (line.contains("docker ") || line.contains("docker-compose "))
            && !harmless.iter().any(|word| line.contains(word))
    })
}

/// What `uses:` shall say: as elsewhere in the project, and whether that was found.
fn uses(cx: &WorkflowContext<'_>) -> (String, bool) {
    let own = std::iter::once(cx.workflow);
    let others = cx.project.graph.workflows.iter().map(|source| &source.file);
    let mut steps = own.chain(others).flat_map(|workflow| &workflow.jobs).flat_map(|job| &job.steps);
    let found = steps.find(|step| step.is_action(SETUP_BUILDX)).and_then(|step| step.version.clone());
    let pins = cx.workflow.jobs.iter().flat_map(|job| &job.steps).filter_map(|step| step.version.as_deref());
    let is_pinned = pins.clone().any(|version| version.len() == 40 && version.chars().all(|ch| ch.is_ascii_hexdigit()));
    match found.filter(|version| !version.is_empty()) {
        Some(version) => (format!("{SETUP_BUILDX}@{version}"), true),
        None => (format!("{SETUP_BUILDX}@v3"), !is_pinned),
    }
}
