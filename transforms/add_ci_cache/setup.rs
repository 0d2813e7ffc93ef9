//! The builder of a job: docker/setup-buildx-action, there or missing.

use super::step::Site;
use crate::facts::workflow::{BUILD_PUSH, Job, SETUP_BUILDX, Step, Workflow};
use crate::project::commands::{self, Command};
use crate::transform::{Change, Effect, Level, WorkflowContext};
use crate::yaml::edits::{Layout, insert_item};
use crate::yaml::{Difference, New, Step as YamlStep, below};

/// The setup step in front of a build, the nearest one.
pub fn before<'a>(job: &'a Job, step: &Step) -> Option<&'a Step> {
    job.steps[..step.index.min(job.steps.len())].iter().rev().find(|other| other.is_action(SETUP_BUILDX))
}

/// Whether a build uses a builder that can export, and that is not kept elsewhere.
///
/// # Errors
/// Why it can't, or need not.
pub fn check(job: &Job, setup: &Step, step: &Step) -> Result<(), String> {
    let driver = setup.input("driver").unwrap_or("docker-container");
    if driver == "docker" {
        return Err(
            "docker/setup-buildx-action is told `driver: docker`, which can't export a cache; take the line out"
                .to_owned(),
        );
    }
    if driver.contains("${{") {
        return Err(
            "the driver of docker/setup-buildx-action is computed, and `docker` can't export a cache; write it out"
                .to_owned(),
        );
    }
    if driver != "docker-container" || is_true(setup.input("keep-state")) {
        return Err(format!(
            "its builder (driver {driver}) is not made for the job alone and keeps a cache of its own"
        ));
    }
    let named = step.input("builder");
    if named.is_some_and(|builder| !builder.contains("steps.")) || is_false(setup.input("use")) && named.is_none() {
        return Err("it does not build with the builder of docker/setup-buildx-action, so restow can't tell whether a cache can be exported".to_owned());
    }
    let between = &job.steps[setup.index.min(step.index)..step.index];
    if between.iter().any(|other| other.run.as_deref().is_some_and(|run| run.contains("buildx use"))) {
        return Err("a script selects another builder in front of it (`docker buildx use`), so restow can't tell whether a cache can be exported".to_owned());
    }
    let plain = |condition: &Option<String>| {
        let text = condition.as_deref().unwrap_or("").trim();
        text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).unwrap_or(text).trim().to_owned()
    };
    if setup.condition.is_some() && plain(&setup.condition) != plain(&step.condition) {
        return Err("docker/setup-buildx-action runs under a condition that is not the build's, so the build may meet a builder that can't export; give both the same condition".to_owned());
    }
    if let Some(version) = setup.input("version").and_then(old_version) {
        return Err(format!(
            "Buildx is pinned to {version}, and the Actions cache needs 0.21 or later; raise the version"
        ));
    }
    Ok(())
}

/// Whether an input is on, as actions read it.
pub fn is_true(input: Option<&str>) -> bool {
    input.is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// Whether an input is off.
pub fn is_false(input: Option<&str>) -> bool {
    input.is_some_and(|text| text.eq_ignore_ascii_case("false"))
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
    if step.input("push").is_some() && !is_false(step.input("push")) {
        return Ok(false);
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
    check_others(cx, job, sites)?;
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
            "{}; Docker's own builder can't export a cache, hence docker/setup-buildx-action, whose builder leaves no image in the Docker engine and sees none that is there{load}{pin}",
            sites[0].reason
        ),
        level: Level::Review,
        offset: first.offset,
        more: sites.iter().map(|site| site.step.offset).collect(),
        edits,
        effects,
        beside: Vec::new(),
        shows: None,
    })
}

/// Whether other steps of the job would meet the new builder, or miss an image of the old one.
fn check_others(cx: &WorkflowContext<'_>, job: &Job, sites: &[Site<'_>]) -> Result<(), String> {
    let first = sites.iter().map(|site| site.step.index).min().unwrap_or(0);
    if let Some(later) = job.steps.iter().find(|step| step.is_action(SETUP_BUILDX)) {
        return Err(format!(
            "docker/setup-buildx-action (\"{}\") stands behind it; move it in front of the build",
            later.title()
        ));
    }
    let refuse = |why: &str| {
        Err(format!(
            "the job has no docker/setup-buildx-action, and {why}; add the action yourself, see that the job still works, and run restow again"
        ))
    };
    if job.has_services {
        return refuse("a builder of its own does not reach the containers of its `services`");
    }
    let env = job.env.iter().chain(&cx.workflow.env).map(|(_, value)| value.as_str());
    let inputs = job.steps.iter().flat_map(|step| step.with.iter().chain(&step.env)).map(|(_, value)| value.as_str());
    if env.chain(inputs).any(|value| value.contains("localhost") || value.contains("127.0.0.1")) {
        return refuse(
            "something in it is on the runner itself, which a builder of its own reaches only with `driver-opts: network=host`",
        );
    }
    for step in &job.steps[..first] {
        let action = step.action.as_deref().unwrap_or("");
        let other_builder = ["buildx", "docker-builder", "depot", "blacksmith", "nscloud"];
        if action.starts_with("./") || other_builder.iter().any(|name| action.contains(name)) {
            return refuse(&format!("\"{}\" may set up a builder, which another one would replace", step.title()));
        }
        let run = step.run.as_deref().unwrap_or("").to_ascii_lowercase();
        let words =
            || run.lines().map(str::trim).filter(|line| !line.starts_with('#')).filter(|line| !is_harmless(line));
        if action.starts_with("docker://")
            || action.contains("image-artifact")
            || words().any(|line| line.contains("docker") || line.contains("image"))
        {
            return refuse(&format!(
                "\"{}\" may leave an image in the Docker engine that a builder of its own does not see",
                step.title()
            ));
        }
    }
    for site in sites {
        if site.step.list("build-contexts").iter().any(|context| context.contains("docker-image://")) {
            return refuse(
                "its `build-contexts` may name an image of the Docker engine, which a builder of its own does not see",
            );
        }
    }
    let unloaded = |step: &Step| {
        let outputs = step.input("outputs").unwrap_or("");
        outputs.contains("type=image")
            || outputs.is_empty()
                && step.input("push").is_some()
                && !is_false(step.input("push"))
                && !is_true(step.input("load"))
    };
    for step in &job.steps[first..] {
        if sites.iter().any(|site| site.step.index == step.index) {
            continue;
        }
        let run = step.run.as_deref().unwrap_or("");
        let found = commands::in_script(run);
        let builds = run.contains("buildx")
            || found.iter().any(|(_, command)| matches!(command, Command::ComposeBuild { .. } | Command::Bake { .. }));
        if builds {
            return refuse(&format!(
                "\"{}\" would build with the new builder too, which does not see images of the Docker engine",
                step.title()
            ));
        }
        let before = sites.iter().filter(|site| site.step.index < step.index);
        if before.map(|site| site.step).any(unloaded) && !needs_no_image(step) {
            return refuse(&format!(
                "\"{}\" may use the image that the build leaves in the Docker engine beside pushing it, which a builder of its own does not",
                step.title()
            ));
        }
    }
    let builds: Vec<&Step> = job.steps.iter().filter(|step| step.is_action(BUILD_PUSH)).collect();
    let exports_elsewhere = |step: &Step| {
        let outputs = step.input("outputs").unwrap_or("");
        !outputs.is_empty()
            && !outputs.contains("type=image")
            && (!outputs.contains("type=docker") || outputs.contains("dest="))
    };
    let stays = |step: &&Step| !is_true(step.input("push")) && !exports_elsewhere(step);
    if builds.len() > 1 && builds[..builds.len() - 1].iter().any(stays) {
        return refuse(
            "it builds several images: with a builder of its own a later build would not find an earlier one that is not pushed as its base",
        );
    }
    Ok(())
}

/// Whether a line of a script logs in or asks, and no more.
fn is_harmless(line: &str) -> bool {
    ["docker login", "docker logout", "docker version", "docker info", "docker system"]
        .iter()
        .any(|word| line.contains(word))
}

/// Whether a step is known to have no use for an image in the Docker engine.
fn needs_no_image(step: &Step) -> bool {
    const ACTIONS: [&str; 9] = [
        "actions/",
        "docker/login-action",
        "docker/metadata-action",
        "docker/setup-qemu-action",
        "docker/build-push-action",
        "github/codeql-action",
        "peter-evans/",
        "softprops/action-gh-release",
        "sigstore/cosign-installer",
    ];
    const PROGRAMS: [&str; 28] = [
        "awk", "aws", "cat", "cd", "cosign", "cp", "curl", "cut", "date", "echo", "exit", "export", "gcloud", "gh",
        "git", "grep", "head", "helm", "jq", "kubectl", "ls", "mkdir", "mv", "printf", "sed", "sleep", "ssh", "test",
    ];
    if let Some(action) = &step.action {
        return ACTIONS.iter().any(|known| action.starts_with(known));
    }
    let Some(run) = &step.run else { return true };
    let plain = run.replace("${{", "$(").replace("}}", ")");
    let lines = plain.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.clone().all(|line| {
        let word = line.split([' ', ';']).next().unwrap_or("");
        !line.contains("docker") && (PROGRAMS.contains(&word) || is_harmless(line))
    })
}

/// What `uses:` shall say: as elsewhere in the project, and whether that was found.
fn uses(cx: &WorkflowContext<'_>) -> (String, bool) {
    let own = std::iter::once(cx.workflow);
    let others = cx.project.graph.workflows.iter().map(|source| &source.file);
    let mut steps = own.chain(others).flat_map(Workflow::steps);
    let found = steps.find(|step| step.is_action(SETUP_BUILDX)).and_then(|step| step.version.clone());
    let mut pins = cx.workflow.steps().filter_map(|step| step.version.as_deref());
    let is_pinned = pins.any(|version| version.len() == 40 && version.chars().all(|ch| ch.is_ascii_hexdigit()));
    match found.filter(|version| !version.is_empty()) {
        Some(version) => (format!("{SETUP_BUILDX}@{version}"), true),
        None => (format!("{SETUP_BUILDX}@v3"), !is_pinned),
    }
}
