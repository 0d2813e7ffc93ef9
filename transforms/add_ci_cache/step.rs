//! Steps that use docker/build-push-action.

use super::entries::{self, Entries};
use super::{existing, scope, setup};
use crate::edit::Edit;
use crate::facts::workflow::{Job, Runner, Step};
use crate::transform::{Change, Effect, Level, WorkflowContext};
use crate::yaml::edits::{Layout, add_pairs, fill_null};
use crate::yaml::{Difference, New, below};

/// A step that gets entries.
pub struct Site<'a> {
    pub step: &'a Step,
    /// Whether a builder that can export has to be set up in front of it.
    pub needs_setup: bool,
    pub title: String,
    pub reason: String,
    pub edits: Vec<Edit>,
    pub effects: Vec<Effect>,
}

impl<'a> Site<'a> {
    /// All the rejections.
    pub fn find(cx: &WorkflowContext<'_>, job: &Job, step: &'a Step) -> Result<Self, String> {
        if let Some(reason) = &step.fixed {
            return Err(format!("{reason}; write the step out to let restow edit it"));
        }
        if step.major() == Some(1) {
            return Err(
                "version 1 of docker/build-push-action has no cache inputs and no BuildKit; use a later one".to_owned()
            );
        }
        if ["repository", "dockerfile", "tag_with_ref"].iter().any(|input| step.input(input).is_some()) {
            return Err("its inputs are those of version 1 of docker/build-push-action, which has no cache inputs; use a later one".to_owned());
        }
        if setup::is_true(step.input("no-cache")) {
            return Err("`no-cache: true` asks for builds without a cache; remove it to let restow add one".to_owned());
        }
        if step.input("call").is_some_and(|call| call != "build") {
            return Err("its `call` asks for a check, not for an image".to_owned());
        }
        if step.input("cache-from").is_some() || step.input("cache-to").is_some() {
            return existing::find(cx, job, step);
        }
        worth_it(cx, job, step)?;
        let needs_setup = needs_setup(job, step)?;
        let settings = &cx.project.settings.cache;
        let name = scope::name(cx, job, step, settings.registry("").is_some())?;
        let entries = Entries::new(&name, settings);
        let dockerfiles = dockerfiles(cx, job, step);
        let mut pairs = Vec::new();
        if needs_setup && setup::must_load(step)? {
            pairs.push(("load", New::Flag(true)));
        }
        pairs.push(("cache-from", New::plain(&*entries.cache_from)));
        let reader = reader(cx, job, step);
        pairs.push((
            "cache-to",
            match &reader {
                Some(_) => New::Lines(format!("{}\ntype=inline\n", entries.cache_to)),
                None => New::plain(&*entries.cache_to),
            },
        ));
        let (edits, effects) = add_inputs(cx, step, pairs)?;
        let mut reason = entries::reason(job, &dockerfiles, entries.is_registry, &cx.project.graph);
        if has_inputs_in_comments(cx, job, step) {
            reason.push_str("; cache inputs stand in comments there: see why somebody has taken them out");
        }
        if let Some((service, file)) = &reader {
            reason.push_str(&format!(
                "; `type=inline` too, because `{service}` in {file} reads the record of the image that is pushed here"
            ));
        }
        Ok(Self { step, needs_setup, title: entries.title(&step.title()), reason, edits, effects })
    }

    pub fn change(self) -> Change {
        Change {
            group: format!("add-ci-cache:{}", self.step.offset),
            title: self.title,
            reason: self.reason,
            level: Level::Review,
            offset: self.step.offset,
            more: Vec::new(),
            edits: self.edits,
            effects: self.effects,
            beside: Vec::new(),
            shows: None,
        }
    }
}

/// Whether docker/setup-buildx-action is missing in front of a step.
///
/// # Errors
/// A builder that can't export, or that another change would not help.
pub fn needs_setup(job: &Job, step: &Step) -> Result<bool, String> {
    if job.labels.iter().any(|label| label.to_ascii_lowercase().contains("windows")) {
        return Err("it runs on Windows, where BuildKit has no builder that can export a cache".to_owned());
    }
    let Some(before) = setup::before(job, step) else {
        match job.runner {
            Runner::Hosted => {}
            Runner::Kept => return Err("the self-hosted runner's own builder keeps its cache between runs".to_owned()),
            Runner::Unknown => return Err("it is not known whether its runner is new in every run; one that is kept keeps its builder's cache; add docker/setup-buildx-action to let restow add a cache".to_owned()),
        }
        return Ok(true);
    };
    setup::check(job, before, step)?;
    Ok(false)
}

/// Whether a cache of this step is one that others may read, and that its owners want.
///
/// # Errors
/// Why not.
pub fn worth_it(cx: &WorkflowContext<'_>, job: &Job, step: &Step) -> Result<(), String> {
    let started_by = |event: &str| cx.workflow.events.iter().any(|name| name == event);
    if started_by("pull_request_target") {
        return Err("the workflow runs on `pull_request_target`, with the cache of the base branch: a stranger's pull request could put layers into it; give it a cache by hand, if at all".to_owned());
    }
    let decisive = ["context", "file", "target", "tags", "platforms", "build-args", "targets", "files"];
    let by_caller = decisive.iter().filter_map(|input| step.input(input)).any(|value| {
        let value = cx.workflow.expand(job, step, value);
        value
            .split("${{")
            .skip(1)
            .filter_map(|rest| rest.split("}}").next())
            .any(|expression| expression.contains("inputs."))
    });
    if started_by("workflow_call") && by_caller {
        return Err("the callers of this workflow decide by `inputs` what it builds, and would share one cache; put entries with such an input in".to_owned());
    }
    Ok(())
}

/// Whether cache inputs of the step stand in comments.
fn has_inputs_in_comments(cx: &WorkflowContext<'_>, job: &Job, step: &Step) -> bool {
    let next = job.steps.get(step.index + 1).map_or(step.end, |next| next.offset);
    let line_end = cx.text[next.min(cx.text.len())..].find('\n').map_or(cx.text.len(), |at| next + at);
    cx.stream.comments.iter().filter(|comment| step.offset < comment.start && comment.start < line_end).any(|comment| {
        let text = comment.of(cx.text).trim_start_matches(['#', ' ']);
        text.starts_with("cache-from") || text.starts_with("cache-to")
    })
}

/// The service or target that reads the record of an image which a step pushes: its name and file.
fn reader(cx: &WorkflowContext<'_>, job: &Job, step: &Step) -> Option<(String, String)> {
    if step.input("push").is_none() || setup::is_false(step.input("push")) {
        return None;
    }
    let mut own = cx.project.graph.of_step(cx.path, job, step);
    own.find_map(|build| build.images.iter().find_map(|image| cx.project.graph.reader_of(image)))
        .map(|(service, file)| (service.to_owned(), file.to_owned()))
}

/// The Dockerfiles that a step builds.
pub fn dockerfiles(cx: &WorkflowContext<'_>, job: &Job, step: &Step) -> Vec<String> {
    let own = cx.project.graph.of_step(cx.path, job, step);
    let mut found: Vec<String> = own.filter_map(|build| build.dockerfile.clone()).collect();
    found.sort();
    found.dedup();
    found
}

/// Inputs for a step.
///
/// # Errors
/// Why they can't be written there.
pub fn add_inputs(
    cx: &WorkflowContext<'_>,
    step: &Step,
    pairs: Vec<(&str, New)>,
) -> Result<(Vec<Edit>, Vec<Effect>), String> {
    let node = cx.stream.node(&step.path).ok_or("the step was not found")?;
    let with = node.get("with");
    let mut near = vec![node];
    near.extend(cx.stream.documents.first());
    let layout = Layout::of(cx.text, cx.stream, &near);
    let path = below(&step.path, "with");
    let at = |reason: String| format!("restow can't add an input to it: {reason}");
    match with {
        Some(with) if with.is_mapping() => {
            let edits = add_pairs(cx.text, with, &pairs, layout).map_err(at)?;
            let effects =
                pairs.into_iter().map(|(key, value)| Effect::Data(Difference::Set { path: below(&path, key), value }));
            Ok((edits, effects.collect()))
        }
        Some(_) => {
            let pair = node.pair("with").ok_or("its inputs were not found")?;
            let edits = fill_null(cx.text, pair, &pairs, layout).map_err(at)?;
            let inputs = New::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
            Ok((edits, vec![Effect::Data(Difference::Set { path, value: inputs })]))
        }
        None => {
            let inputs = New::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
            let edits = add_pairs(cx.text, node, &[("with", inputs.clone())], layout).map_err(at)?;
            Ok((edits, vec![Effect::Data(Difference::Set { path, value: inputs })]))
        }
    }
}
