//! Cache inputs that are there already: what they do, and the scope that some miss.

use super::step::Site;
use super::{scope, setup};
use crate::edit::Edit;
use crate::facts::compose::{attribute, entry_reference, entry_type};
use crate::facts::workflow::{Job, Step};
use crate::project::graph::canonical;
use crate::transform::{Effect, WorkflowContext};
use crate::yaml::{Difference, New, below};

/// A step that lacks a scope; else what its entries are worth, as an error.
pub fn find<'a>(cx: &WorkflowContext<'_>, job: &Job, step: &'a Step) -> Result<Site<'a>, String> {
    if step.list("cache-from").is_empty() && step.list("cache-to").is_empty() {
        return Err("its cache inputs are there and empty; remove them to let restow write some".to_owned());
    }
    if is_unscoped(step) && shares_its_scope(cx, job, step) {
        return add_scope(cx, job, step);
    }
    Err(format!("it has cache inputs already, left as they are: {}", judge(cx, job, step)))
}

/// Whether a step writes the Actions cache without a scope.
fn is_unscoped(step: &Step) -> bool {
    let to = step.list("cache-to");
    let mut entries = step.list("cache-from").into_iter().chain(to.iter().copied());
    let bare = |entry: &str| entry_type(entry) != Some("gha") || attribute(entry, "scope").is_none();
    to.iter().any(|entry| entry_type(entry) == Some("gha")) && entries.all(bare)
}

/// Whether a step only reads the Actions cache that has no scope.
fn reads_unscoped(step: &Step) -> bool {
    let bare = |entry: &&str| entry_type(entry) == Some("gha") && attribute(entry, "scope").is_none();
    step.list("cache-to").is_empty() && step.list("cache-from").iter().any(bare)
}

/// Whether another build of the workflow writes the same unnamed scope.
fn shares_its_scope(cx: &WorkflowContext<'_>, job: &Job, step: &Step) -> bool {
    let in_matrix = job.is_several();
    let others = cx.workflow.steps();
    // Two steps that build the same, to push it to two places, may share one.
    let differs = |other: &&Step| {
        let inputs = ["context", "file", "target", "build-args", "build-contexts"];
        inputs.iter().any(|input| other.input(input) != step.input(input))
    };
    in_matrix || others.filter(|other| other.offset != step.offset).filter(differs).any(is_unscoped)
}

fn add_scope<'a>(cx: &WorkflowContext<'_>, job: &Job, step: &'a Step) -> Result<Site<'a>, String> {
    let reader = cx.workflow.steps().find(|other| reads_unscoped(other));
    if let Some(reader) = reader {
        return Err(format!(
            "it writes the Actions cache without a scope, which another build of this workflow writes too, but \"{}\" reads it so and would find nothing under a scope; give each build and its readers a scope by hand",
            reader.title()
        ));
    }
    if setup::before(job, step).is_none() {
        return Err("it writes the Actions cache without a scope, which another build of this workflow writes too, but no docker/setup-buildx-action stands in front of it, and Docker's own builder can't export a cache; add the action first".to_owned());
    }
    let name = scope::name(cx, job, step, false)?;
    let scope = name.scope();
    let node = cx.stream.node(&step.path).and_then(|node| node.get("with")).ok_or("its inputs were not found")?;
    let (mut edits, mut effects) = (Vec::new(), Vec::new());
    for input in ["cache-from", "cache-to"] {
        let Some(value) = node.get(input) else { continue };
        let fragment = value.fragment(cx.text).ok_or_else(|| {
            format!("`{input}: type=gha` has no scope, and another build writes the same cache; the value is written in a way that restow does not edit, so add `,scope={scope}` by hand")
        })?;
        let mut after = String::new();
        let mut at = 0;
        for line in fragment.text.split_inclusive('\n') {
            let bare = line.trim_end();
            after.push_str(bare);
            if entry_type(bare.trim()) == Some("gha") {
                let more = format!(",scope={scope}");
                edits.push(Edit::insert(fragment.span(at..at + bare.len()).end, &*more));
                after.push_str(&more);
            }
            after.push_str(&line[bare.len()..]);
            at += line.len();
        }
        effects.push(Effect::Data(Difference::Set {
            path: below(&below(&step.path, "with"), input),
            value: New::plain(after),
        }));
    }
    let place = if job.matrix.is_some() { "the jobs of its matrix" } else { "several builds of this workflow" };
    Ok(Site {
        step,
        needs_setup: false,
        title: format!("Give the Actions cache of \"{}\" the scope {scope}", step.title()),
        reason: format!(
            "without a scope {place} write one cache, and the last one overwrites the others, so hosted CI finds the layers of one image at most"
        ),
        edits,
        effects,
    })
}

/// What the entries of a step do.
fn judge(cx: &WorkflowContext<'_>, job: &Job, step: &Step) -> String {
    let expand = |entries: Vec<&str>| -> Vec<String> {
        entries.into_iter().map(|entry| cx.workflow.expand(job, step, entry)).collect()
    };
    let (from, to) = (expand(step.list("cache-from")), expand(step.list("cache-to")));
    let tags = expand(step.list("tags"));
    let inline = to.iter().any(|entry| entry_type(entry) == Some("inline"));
    let in_matrix = job.is_several();
    let mut words = Vec::new();
    for entry in &from {
        let Some(reference) = entry_reference(entry) else { continue };
        let wanted = canonical(reference);
        if matches!(wanted.as_str(), "user/app:latest" | "user/app:buildcache" | "username/app:latest") {
            words.push(format!("`{reference}` is the placeholder of Docker's documentation; name your own image"));
            continue;
        }
        if reference.contains("${{") {
            continue;
        }
        let written = to.iter().any(|entry| entry_reference(entry).is_some_and(|to| canonical(to) == wanted))
            || inline && tags.iter().any(|tag| canonical(tag) == wanted);
        let steps = || cx.project.graph.workflows.iter().flat_map(|source| source.file.steps());
        let writes = |entry: &str| entry_reference(entry).is_some_and(|to| canonical(to) == wanted);
        let elsewhere = steps().any(|other| other.list("cache-to").into_iter().any(writes));
        // Computed entries may be what writes it.
        let computed = steps().any(|other| other.input("cache-to").is_some_and(|to| to.contains("${{")));
        if !written && !elsewhere && !computed {
            words.push(format!("nothing that restow can read here writes a cache to `{reference}`, so it finds nothing unless something else does"));
        }
    }
    for entry in &to {
        let shared = entry_reference(entry).filter(|reference| in_matrix && !reference.contains("${{"));
        if let Some(reference) = shared {
            words.push(format!("every job of the matrix writes `{reference}`, and the last one overwrites the others; put a matrix value into the tag"));
        }
        if matches!(entry_type(entry), Some("gha" | "registry" | "local")) && attribute(entry, "ignore-error").is_none()
        {
            words.push("a failed export fails the build; `ignore-error=true` prevents that".to_owned());
        }
        if entry_type(entry) == Some("inline") {
            words.push("`type=inline` keeps the layers of the last stage only".to_owned());
        }
    }
    if to.is_empty() {
        words.push("it has no `cache-to`, so it reads what something else has to write".to_owned());
    }
    if from.is_empty() {
        words.push("it has no `cache-from`, so it writes a cache that it never reads".to_owned());
    }
    let mut seen = Vec::new();
    words.retain(|word| {
        let new = !seen.contains(word);
        seen.push(word.clone());
        new
    });
    if words.is_empty() { "they work as far as restow can see".to_owned() } else { words.join("; ") }
}
