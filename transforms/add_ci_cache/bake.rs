//! Steps that use docker/bake-action.

use super::entries::{self, Entries};
use super::scope::{self, Name};
use super::step::{Site, add_inputs, dockerfiles, needs_setup};
use crate::facts::workflow::{Job, Step};
use crate::project::graph;
use crate::transform::{Effect, WorkflowContext};
use crate::yaml::edits::{Layout, append_lines};
use crate::yaml::{Difference, New, below};

/// All the rejections, and the site.
pub fn find<'a>(cx: &WorkflowContext<'_>, job: &Job, step: &'a Step) -> Result<Site<'a>, String> {
    if let Some(reason) = &step.fixed {
        return Err(format!("{reason}; write the step out to let restow edit it"));
    }
    if step.input("no-cache") == Some("true") {
        return Err("`no-cache: true` asks for builds without a cache".to_owned());
    }
    let set = step.list("set");
    if set.iter().any(|line| line.contains(".cache-from") || line.contains(".cache-to") || line.contains(".no-cache")) {
        return Err("its `set` has cache lines already, left as they are".to_owned());
    }
    let graph = &cx.project.graph;
    let folder = step.input("workdir").or(step.input("source")).unwrap_or(".");
    let targets = graph::inside(&graph::checkout(cx.path), folder)
        .map(|folder| graph.bake_targets(step, &folder))
        .unwrap_or_default();
    let settings = &cx.project.settings.cache;
    let by_matrix = step.input("targets").filter(|targets| targets.starts_with("${{") && targets.ends_with("}}"));
    if targets.is_empty() && by_matrix.is_none() {
        return Err(
            "the bake file and the targets that it builds were not found, so there is nothing to name its caches after"
                .to_owned(),
        );
    }
    let cached = graph.bakes.iter().flat_map(|source| &source.file.targets).find(|target| {
        (targets.contains(&target.name) || by_matrix.is_some())
            && (target.cache_from.is_some() || target.cache_to.is_some())
    });
    if let Some(target) = cached {
        return Err(format!("the bake file gives `{}` cache entries of its own, left as they are", target.name));
    }
    if needs_setup(job, step)? {
        return Err("the job has no docker/setup-buildx-action, and Docker's own builder can't export a cache; add the action, then run restow again".to_owned());
    }
    let is_registry = settings.registry("").is_some();
    let matrix = scope::name(cx, job, step, is_registry)?.matrix;
    let named: Vec<(String, String)> = match by_matrix {
        Some(_) => vec![("*".to_owned(), scope::name(cx, job, step, is_registry)?.base)],
        None if targets.len() == 1 => vec![("*".to_owned(), targets[0].clone())],
        None => targets.iter().map(|target| (target.clone(), target.clone())).collect(),
    };
    let taken: Vec<String> = graph
        .workflows
        .iter()
        .flat_map(|source| {
            source.file.jobs.iter().flat_map(|job| &job.steps).map(move |step| (source.path.as_str(), step))
        })
        .filter(|(path, other)| !(*path == cx.path && other.index == step.index && other.offset == step.offset))
        .flat_map(|(_, step)| scope::scopes(step))
        .collect();
    let mut lines = Vec::new();
    let mut places = Vec::new();
    for (pattern, base) in named {
        let base = if taken.contains(&base) { format!("{base}-{}", job.id) } else { base };
        let entries = Entries::new(&Name { base, matrix: matrix.clone() }, settings);
        lines.push(format!("{pattern}.cache-from={}", entries.cache_from));
        lines.push(format!("{pattern}.cache-to={}", entries.cache_to));
        places.push(entries.place);
    }
    let (edits, effects) = match cx.stream.node(&step.path).and_then(|node| node.get("with")?.get("set")) {
        None => {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            add_inputs(cx, step, vec![("set", New::Lines(text))])?
        }
        Some(node) => {
            let layout = Layout::of(cx.text, cx.stream, &[]);
            let (edit, value) = append_lines(cx.text, node, &lines, layout)
                .map_err(|reason| format!("restow can't add lines to its `set`: {reason}"))?;
            let path = below(&below(&step.path, "with"), "set");
            (vec![edit], vec![Effect::Data(Difference::Set { path, value: New::plain(value) })])
        }
    };
    Ok(Site {
        step,
        needs_setup: false,
        title: format!("Keep the layers of the bake targets in the cache {}", places.join(", ")),
        reason: entries::reason(job, &dockerfiles(cx, job, step), is_registry, graph),
        edits,
        effects,
    })
}
