//! Names that no two builds share.

use crate::facts::workflow::{self, BAKE, BUILD_PUSH, Combination, Job, Step, Workflow};
use crate::project::graph::{self, By, parent};
use crate::transform::WorkflowContext;

/// What tells a cache from all others of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Letters, digits, dots, dashes and underscores.
    pub base: String,
    /// Matrix values that tell the jobs apart, as expressions name them: `platform`, `image.name`.
    pub matrix: Vec<String>,
}

impl Name {
    /// As the scope of the Actions cache.
    pub fn scope(&self) -> String {
        let matrix: String = self.matrix.iter().map(|key| format!("-${{{{ matrix.{key} }}}}")).collect();
        format!("{}{matrix}", self.base)
    }
}

/// A build that may need a name.
struct Candidate<'a> {
    path: &'a str,
    job: &'a Job,
    step: &'a Step,
    base: String,
}

/// The name of a step's cache.
///
/// # Errors
/// A matrix whose jobs can't be told apart.
pub fn name(cx: &WorkflowContext<'_>, job: &Job, step: &Step, for_registry: bool) -> Result<Name, String> {
    let base = unique(cx, job, step, &base(cx, cx.path, cx.workflow, job, step));
    Ok(Name { base, matrix: matrix_keys(job, step, for_registry)? })
}

/// The name of the cache of one target that a step bakes.
///
/// # Errors
/// A matrix whose jobs can't be told apart.
pub fn target_name(
    cx: &WorkflowContext<'_>,
    job: &Job,
    step: &Step,
    target: &str,
    for_registry: bool,
) -> Result<Name, String> {
    let base = unique(cx, job, step, &clean(target));
    Ok(Name { base, matrix: matrix_keys(job, step, for_registry)? })
}

/// The targets that a step of docker/bake-action builds.
pub fn targets(cx: &WorkflowContext<'_>, path: &str, step: &Step) -> Vec<String> {
    let folder = graph::inside(&graph::checkout(path), step.bake_folder());
    folder.map(|folder| cx.project.graph.bake_targets(step, &folder)).unwrap_or_default()
}

/// The base name of a step, made different from those of all other steps.
fn unique(cx: &WorkflowContext<'_>, job: &Job, step: &Step, own: &str) -> String {
    let workflows: Vec<(&str, &Workflow)> = cx
        .project
        .graph
        .workflows
        .iter()
        .map(|source| (source.path.as_str(), if source.path == cx.path { cx.workflow } else { &source.file }))
        .collect();
    let mut taken = Vec::new();
    let mut candidates = Vec::new();
    for (path, workflow) in workflows {
        for job in &workflow.jobs {
            for step in &job.steps {
                let used = scopes(step);
                if !used.is_empty() {
                    taken.extend(used);
                } else if step.is_action(BUILD_PUSH) {
                    candidates.push(Candidate { path, job, step, base: base(cx, path, workflow, job, step) });
                } else if step.is_action(BAKE) {
                    for target in targets(cx, path, step) {
                        candidates.push(Candidate { path, job, step, base: clean(&target) });
                    }
                }
            }
        }
    }
    let is_own =
        |other: &Candidate<'_>| other.path == cx.path && other.job.id == job.id && other.step.index == step.index;
    let own = forms(own, cx.path, job, step);
    let others: Vec<[String; 7]> = candidates
        .iter()
        .filter(|other| !is_own(other))
        .map(|other| forms(&other.base, other.path, other.job, other.step))
        .collect();
    let is_free = |name: &&String| {
        let used = taken.iter().any(|scope| scope == *name || scope.starts_with(&format!("{name}-${{{{")));
        !name.is_empty() && !used && !others.iter().flatten().any(|other| other == *name)
    };
    own.iter().find(is_free).unwrap_or(&own[6]).clone()
}

/// The names that a step's cache may get, the shortest first; the last one is the step's alone. What there is no such name for is empty.
fn forms(base: &str, path: &str, job: &Job, step: &Step) -> [String; 7] {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = clean(file.rsplit_once('.').map_or(file, |(stem, _)| stem));
    let title = clean(&masked(&step.title()).replace(MASK, ""));
    let id = clean(&job.id);
    let literal = |input: &str| step.input(input).filter(|value| !value.contains("${{"));
    let detail = literal("target").map(clean).or_else(|| {
        let file = literal("file")?.rsplit('/').next()?;
        let (head, tail) = file.split_once('.')?;
        Some(clean(if head.eq_ignore_ascii_case("dockerfile") { tail } else { head }))
    });
    let detail = detail.filter(|detail| !detail.is_empty() && detail != base);
    [
        base.to_owned(),
        detail.map(|detail| format!("{base}-{detail}")).unwrap_or_default(),
        format!("{base}-{id}"),
        format!("{base}-{stem}"),
        if title.len() <= 32 && !title.is_empty() { format!("{base}-{title}") } else { String::new() },
        format!("{base}-{stem}-{id}"),
        format!("{base}-{stem}-{id}-{}", step.index + 1),
    ]
}

/// Scopes that a step names already.
pub fn scopes(step: &Step) -> Vec<String> {
    let inputs = ["cache-from", "cache-to", "set"].into_iter().flat_map(|input| step.list(input));
    let entries = inputs.filter_map(|entry| entry.split(',').find_map(|part| part.trim().strip_prefix("scope=")));
    entries.map(str::to_owned).collect()
}

/// What a step's image is called: by its tags, its service, its folder, its Dockerfile, its job.
fn base(cx: &WorkflowContext<'_>, path: &str, workflow: &Workflow, job: &Job, step: &Step) -> String {
    let last = |image: &str| {
        let image = masked(image);
        let name = image.rsplit('/').next().unwrap_or(&image);
        let name = clean(&name.split(['@', ':']).next().unwrap_or(name).replace(MASK, ""));
        (!name.is_empty()).then_some(name)
    };
    let tags = step.list("tags");
    let by_tag = tags.iter().find_map(|tag| {
        let tag = masked(&workflow.expand(job, step, tag));
        tag.split(',').find_map(|tag| last(tag.trim()))
    });
    let by_metadata = || {
        let id = tags.iter().find_map(|tag| tag.split("steps.").nth(1)?.split('.').next())?;
        let metadata = job.steps.iter().find(|other| other.id.as_deref() == Some(id))?;
        metadata.list("images").into_iter().filter(|image| !image.starts_with('#')).find_map(|image| {
            let image = masked(&workflow.expand(job, metadata, image));
            let image = image.split([',', '#']).next().unwrap_or("").trim().trim_start_matches("name=").to_owned();
            last(&image)
        })
    };
    let builds = || cx.project.graph.of_step(path, job, step);
    let by_service = || {
        let dockerfile = builds().next()?.dockerfile.as_ref()?;
        if builds().any(|build| build.dockerfile.as_ref() != Some(dockerfile)) {
            return None;
        }
        let mut services = cx.project.graph.builds.iter().filter(|other| {
            matches!(other.by, By::Compose | By::Bake) && other.dockerfile.as_ref() == Some(dockerfile)
        });
        let first = services.next()?;
        services.all(|other| other.name == first.name).then(|| clean(&first.name))
    };
    let literal = |input: &str| step.input(input).filter(|value| !value.contains("${{") && !value.contains("://"));
    let by_file = || {
        let file = literal("file")?;
        let name = file.rsplit('/').next().unwrap_or(file);
        match name.split_once('.') {
            Some((head, tail)) if head.eq_ignore_ascii_case("dockerfile") => Some(clean(tail)),
            Some((head, tail)) if tail.eq_ignore_ascii_case("dockerfile") => Some(clean(head)),
            _ => Some(parent(file)).filter(|folder| folder != ".").and_then(|folder| last(&folder)),
        }
    };
    let by_context = || {
        let context = literal("context")?.trim_end_matches('/');
        last(context).filter(|name| !name.trim_matches(['.', '-']).is_empty())
    };
    by_tag
        .or_else(by_metadata)
        .or_else(by_service)
        .or_else(by_context)
        .or_else(by_file)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| clean(&job.id))
}

/// Stands for an expression.
const MASK: char = '\u{1}';

/// The text with each `${{ … }}` as one character.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        let end = rest[at..].find("}}").map_or(rest.len(), |end| at + end + 2);
        out.push_str(&rest[..at]);
        out.push(MASK);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// As a part of an image reference: words of lower-case letters and digits with a dot, underscore or dash between them.
fn clean(name: &str) -> String {
    let mut out = String::new();
    let mut separators = String::new();
    for ch in name.chars().map(|ch| ch.to_ascii_lowercase()) {
        if ch.is_ascii_alphanumeric() {
            if !out.is_empty() && !separators.is_empty() {
                out.push(match separators.as_str() {
                    "." => '.',
                    "_" => '_',
                    _ => '-',
                });
            }
            separators.clear();
            out.push(ch);
        } else {
            separators.push(ch);
        }
    }
    out.truncate(60);
    out.trim_end_matches(['.', '_', '-']).to_owned()
}

/// The matrix values that tell the jobs of a step apart.
fn matrix_keys(job: &Job, step: &Step, for_registry: bool) -> Result<Vec<String>, String> {
    let Some(matrix) = &job.matrix else { return Ok(Vec::new()) };
    let Some(combinations) = &matrix.combinations else {
        // Values that are not known must be such that people put into a name, and there must be no others.
        let named = named_by(step, &["tags", "context", "file", "target", "targets"]);
        if named.is_empty() || for_registry || job.named_keys.iter().any(|key| !named.contains(key)) {
            return Err("its matrix is computed, so it is not known which of its values tell the jobs apart and may stand in a cache entry; put entries with a matrix value in".to_owned());
        }
        return Ok(named);
    };
    let named = named_by(step, &["tags", "context", "file", "target", "platforms", "build-args", "targets"]);
    distinct(combinations, &named, for_registry)
}

fn distinct(combinations: &[Combination], named: &[String], for_registry: bool) -> Result<Vec<String>, String> {
    let fits = |value: &str| {
        let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-');
        let in_scope = |ch: char| plain(ch) || matches!(ch, '/' | ':' | '+' | '@');
        !value.is_empty() && value.chars().all(|ch| if for_registry { plain(ch) } else { in_scope(ch) })
    };
    let get = |combination: &Combination, key: &str| {
        combination.iter().rev().find(|(name, _)| name == key).and_then(|(_, value)| value.clone())
    };
    let mut keys: Vec<String> = named.to_vec();
    for (name, _) in combinations.iter().flatten() {
        if !keys.contains(name) {
            keys.push(name.clone());
        }
    }
    // A value that is missing in one of the jobs comes out empty there, which is a value too.
    keys.retain(|key| combinations.iter().all(|combination| get(combination, key).is_none_or(|value| fits(&value))));
    keys.retain(|key| {
        combinations.iter().all(|combination| {
            combination.iter().any(|(name, value)| name == key && value.is_some())
                || !combination.iter().any(|(name, _)| name == key)
        })
    });
    let count = |keys: &[String]| {
        let mut tuples: Vec<Vec<Option<String>>> =
            combinations.iter().map(|combination| keys.iter().map(|key| get(combination, key)).collect()).collect();
        tuples.sort();
        tuples.dedup();
        tuples.len()
    };
    let mut chosen: Vec<String> = Vec::new();
    for key in keys {
        if count(&chosen) == combinations.len() {
            break;
        }
        let mut more = chosen.clone();
        more.push(key);
        if count(&more) > count(&chosen) {
            chosen = more;
        }
    }
    // The value of a matrix with one job is named all the same, where the step names it: another may follow.
    if combinations.len() == 1 {
        chosen.extend(named.iter().find(|key| get(&combinations[0], key).is_some_and(|value| fits(&value))).cloned());
    }
    if combinations.len() < 2 || count(&chosen) == combinations.len() {
        Ok(chosen)
    } else {
        let plain = if for_registry { "letters, digits, dots and dashes" } else { "one word, no list, no comma" };
        Err(format!(
            "the jobs of its matrix can't be told apart by values that may stand in a cache entry ({plain}); put entries with a matrix value in"
        ))
    }
}

/// The matrix values that inputs of a step name.
fn named_by(step: &Step, inputs: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for key in inputs.iter().filter_map(|input| step.input(input)).flat_map(workflow::matrix_keys) {
        if !found.contains(&key) {
            found.push(key);
        }
    }
    found
}
