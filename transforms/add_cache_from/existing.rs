//! Entries that are there already: what they find.

use super::entries::is_base;
use crate::facts::compose::{self, Build, Service, attribute, entry_reference, entry_type};
use crate::facts::interpolation::interpolate;
use crate::project::Project;
use crate::project::graph::{Graph, canonical};

/// What is missing beside the entries that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Neither list holds anything.
    Both,
    /// The record in the image that is read.
    Export,
    /// Reading the record that is written.
    Import,
}

/// Judges the entries of a service. `Ok` where half of what works is there.
///
/// # Errors
/// What the entries are worth, with the remedy.
pub fn judge(
    project: &Project,
    service: &Service,
    build: &Build,
    image: Option<&str>,
    dockerfile: Option<&str>,
) -> Result<Missing, String> {
    let graph = &project.graph;
    let (from, to) = (build.cache_from.clone().unwrap_or_default(), build.cache_to.clone().unwrap_or_default());
    if from.is_empty() && to.is_empty() {
        return Ok(Missing::Both);
    }
    let inline = project.settings.cache.mode(&service.name) == crate::config::CacheMode::Inline;
    if from.is_empty() {
        if inline && to.iter().all(|entry| entry == "type=inline") {
            return Ok(Missing::Import);
        }
        return Err(format!(
            "its `cache_to` writes {} and nothing reads that here, left as it is; add the `cache_from` to it, or remove `cache_to` to let restow write both",
            to.join(" ")
        ));
    }
    let reads_itself = image.is_some_and(|image| {
        let names = from.iter().flat_map(|entry| match entry_type(entry) {
            Some(_) => vec![entry.as_str()],
            // One string may name several images.
            None => entry.split(',').collect(),
        });
        names.filter_map(entry_reference).any(|entry| canonical(entry) == canonical(image))
    });
    if reads_itself && to.is_empty() && !build.writes_inline() && inline {
        return Ok(Missing::Export);
    }
    let verdicts: Vec<String> = from.iter().map(|entry| verdict(entry, build, image, dockerfile, graph)).collect();
    let exports = to.iter().filter(|entry| entry_type(entry) != Some("inline")).count();
    let export = if exports > 0 {
        "; its `cache_to` fails the build on the docker driver without the containerd image store"
    } else {
        ""
    };
    Err(format!("it has `cache_from` already, left as it is: {}{export}", verdicts.join("; ")))
}

/// What one entry finds.
pub fn verdict(entry: &str, build: &Build, image: Option<&str>, dockerfile: Option<&str>, graph: &Graph) -> String {
    let quoted = format!("`{entry}`");
    match entry_type(entry) {
        Some("gha") => return format!("{quoted} works inside GitHub Actions only"),
        Some("local") => {
            let source = attribute(entry, "src").unwrap_or("");
            let writes = build.cache_to.iter().flatten().any(|to| attribute(to, "dest") == Some(source));
            return match writes {
                true => format!("{quoted} reads what its `cache_to` writes"),
                false => format!("{quoted}: no `cache_to` here writes that folder"),
            };
        }
        Some("registry") | None => {}
        Some(_) => return format!("{quoted} is not judged"),
    }
    let Some(reference) = entry_reference(entry) else { return format!("{quoted} names no image; give it a ref") };
    let found = interpolate(reference);
    if let Some(name) = found.bare.first() {
        return format!("{quoted} needs {name}, which has no default here; write ${{{name}:-default}}");
    }
    if is_base(reference, dockerfile, graph) {
        return format!(
            "{quoted} is a base image, which carries no record of this build, so it finds nothing; remove it, give the service an `image`, and let restow write the entries"
        );
    }
    let own = image.is_some_and(|image| canonical(image) == canonical(reference));
    if let Some(writer) = writer(reference, graph) {
        return format!("{quoted} is written by {writer}");
    }
    if own && build.writes_inline() {
        return format!("{quoted} is the service's own image, and the record is written into it");
    }
    if !found.text.contains('/') {
        return format!(
            "{quoted} names no registry: it is a tag on one machine, and a builder that asks a registry finds docker.io/library/{} or nothing; nothing here writes a record into it either",
            found.text
        );
    }
    format!("{quoted}: nothing that restow can read here writes it; if nothing else does, it finds nothing")
}

/// What in the project writes a cache or a record to a reference.
fn writer(reference: &str, graph: &Graph) -> Option<String> {
    let wanted = canonical(reference);
    let writes = |entry: &str| entry_reference(entry).is_some_and(|entry| canonical(entry) == wanted);
    for source in &graph.composes {
        for service in &source.file.services {
            let Some(build) = service.any_build() else { continue };
            let exports = build.cache_to.iter().flatten().any(|entry| entry_type(entry).is_some() && writes(entry));
            let image = service.image.iter().chain(&build.tags).any(|image| canonical(image) == wanted);
            if exports || image && build.writes_inline() {
                return Some(format!("`{}` in {}", service.name, source.path));
            }
        }
    }
    for source in &graph.bakes {
        for target in &source.file.targets {
            let tagged =
                target.tags.iter().flatten().filter_map(|tag| tag.text.as_deref()).any(|tag| canonical(tag) == wanted);
            let to = target.cache_to.iter().flatten();
            if to.clone().any(|entry| writes(entry))
                || tagged && to.clone().any(|entry| compose::entry_type(entry) == Some("inline"))
            {
                return Some(format!("target `{}` in {}", target.name, source.path));
            }
        }
    }
    for source in &graph.workflows {
        for job in &source.file.jobs {
            for step in &job.steps {
                let to = step.list("cache-to");
                let to: Vec<String> = to.into_iter().map(|entry| source.file.expand(job, step, entry)).collect();
                let tagged =
                    step.list("tags").into_iter().any(|tag| canonical(&source.file.expand(job, step, tag)) == wanted);
                let inline = to.iter().any(|entry| entry_type(entry) == Some("inline"));
                if to.iter().any(|entry| writes(entry)) || tagged && inline {
                    return Some(format!("{}:{}", source.path, source.lines.line(step.offset)));
                }
            }
        }
    }
    None
}
