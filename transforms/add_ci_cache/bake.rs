//! Steps that use docker/bake-action.

use super::entries::{self, Entries};
use super::scope::{self, Name};
use super::setup;
use super::step::{Site, add_inputs, dockerfiles, needs_setup, worth_it};
use crate::facts::workflow::{self, Job, Step};
use crate::transform::{Effect, WorkflowContext};
use crate::yaml::edits::{Layout, append_lines};
use crate::yaml::{Difference, New, below};

/// All the rejections, and the site.
pub fn find<'a>(cx: &WorkflowContext<'_>, job: &Job, step: &'a Step) -> Result<Site<'a>, String> {
    if let Some(reason) = &step.fixed {
        return Err(format!("{reason}; write the step out to let restow edit it"));
    }
    if setup::is_true(step.input("no-cache")) {
        return Err("`no-cache: true` asks for builds without a cache".to_owned());
    }
    let set = step.list("set");
    if set.iter().any(|line| line.contains(".cache-from") || line.contains(".cache-to") || line.contains(".no-cache")) {
        return Err("its `set` has cache lines already, left as they are".to_owned());
    }
    if set.iter().any(|line| line.starts_with("${{")) {
        return Err(
            "its `set` holds lines that are computed, which may be cache lines; add some by hand if they are not"
                .to_owned(),
        );
    }
    worth_it(cx, job, step)?;
    let graph = &cx.project.graph;
    let settings = &cx.project.settings.cache;
    let is_registry = settings.registry("").is_some();
    let known = |name: &str| graph.bakes.iter().find_map(|source| source.file.target(name));
    let input = step.input("targets").unwrap_or("").trim();
    // Each pattern with the target whose name its cache gets.
    let named: Vec<(String, Name)> = if input.contains("${{") {
        let keys = workflow::matrix_keys(input);
        let whole = input.starts_with("${{") && input.ends_with("}}") && input.matches("${{").count() == 1;
        let combinations = job.matrix.as_ref().and_then(|matrix| matrix.combinations.as_ref());
        let values: Option<Vec<String>> = combinations.zip(keys.first()).and_then(|(combinations, key)| {
            let value = |combination: &workflow::Combination| {
                combination.iter().rev().find(|(name, _)| name == key).and_then(|(_, value)| value.clone())
            };
            combinations.iter().map(value).collect()
        });
        let single = |name: &String| {
            known(name).is_some_and(|target| !target.has_matrix)
                && !graph.bakes.iter().any(|source| source.file.groups.iter().any(|(group, _)| group == name))
        };
        if !whole || keys.len() != 1 || !values.is_some_and(|values| values.iter().all(single)) {
            return Err("its `targets` are computed, so it is not known which targets would share a cache; write `set:` lines for each target by hand".to_owned());
        }
        vec![(input.to_owned(), scope::name(cx, job, step, is_registry)?)]
    } else {
        let targets = scope::targets(cx, cx.path, step);
        if targets.is_empty() {
            return Err("the bake file and the targets that it builds were not found among docker-bake.hcl and docker-bake.json, so there is nothing to name its caches after".to_owned());
        }
        if let Some(target) = targets.iter().find(|name| known(name).is_some_and(|target| target.has_matrix)) {
            return Err(format!(
                "its target `{target}` has a matrix in the bake file and comes out as several targets with other names; write `set:` lines for each by hand"
            ));
        }
        let name = |target: &String| scope::target_name(cx, job, step, target, is_registry);
        targets.iter().map(|target| Ok((target.clone(), name(target)?))).collect::<Result<_, String>>()?
    };
    let cached = graph.bakes.iter().flat_map(|source| &source.file.targets).find(|target| {
        let meant = named.iter().any(|(pattern, _)| *pattern == target.name || pattern.contains("${{"));
        meant && (target.cache_from.is_some() || target.cache_to.is_some())
    });
    if let Some(target) = cached {
        return Err(format!("the bake file gives `{}` cache entries of its own, left as they are", target.name));
    }
    if needs_setup(job, step)? {
        return Err("the job has no docker/setup-buildx-action, and Docker's own builder can't export a cache; add the action, and `load: true` where the images are used in the job, then run restow again".to_owned());
    }
    let mut lines = Vec::new();
    let mut places = Vec::new();
    for (pattern, name) in named {
        let entries = Entries::new(&name, settings);
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
            let (edit, value) = append_lines(cx.text, node, &lines, layout).map_err(|reason| {
                format!("restow can't add lines to its `set`: {reason}; write it as a block with `|`")
            })?;
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
