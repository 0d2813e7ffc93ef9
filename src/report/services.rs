//! `restow services`: which file builds which image, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::ErrorReport;
use crate::facts::workflow::Runner;
use crate::project::graph::{Build, By, CiBuilder};

/// Columns of the text.
const WIDTH: usize = 100;

/// One build of one image, and who makes it in CI.
#[derive(Debug, Serialize)]
pub struct Service {
    /// Service, target, or job and step; none for a Dockerfile that nothing names.
    pub service: Option<String>,
    pub file: String,
    pub line: usize,
    /// None where it can't be told, or is not in the repository.
    pub context: Option<String>,
    pub dockerfile: Option<String>,
    pub target: Option<String>,
    /// The first of `images`.
    pub image: Option<String>,
    pub images: Vec<String>,
    pub by: By,
    pub ci: Vec<Ci>,
    /// Whether the Dockerfile stands in `file` itself.
    #[serde(skip)]
    pub is_inline: bool,
    /// Whether the Dockerfile is not where the build says.
    #[serde(skip)]
    pub is_missing: bool,
}

/// A place in a workflow that builds an image.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Ci {
    pub file: String,
    pub line: usize,
    /// Job and step.
    pub name: String,
    pub by: By,
    pub runner: Option<Runner>,
    pub keeps_cache: Option<bool>,
    /// `type=` of what it imports, or the name of an image.
    pub imports: Vec<String>,
    #[serde(skip)]
    pub builder: &'static str,
}

impl Ci {
    /// A build in CI; none for another one.
    pub fn of(build: &Build) -> Option<Self> {
        let builder = build.builder.as_ref()?;
        Some(Self {
            file: build.file.clone(),
            line: build.line,
            name: build.name.clone(),
            by: build.by,
            runner: Some(builder.runner).filter(|runner| *runner != Runner::Unknown),
            keeps_cache: builder.keeps_cache(),
            imports: builder.imports.clone(),
            builder: keeping(builder),
        })
    }

    /// How it is built, and from what cache.
    pub fn text(&self) -> String {
        let how = if self.by == By::Command { "a command" } else { "an action" };
        format!("{}:{} {} ({how}); builder: {}", self.file, self.line, self.name, self.cache())
    }

    /// Whether the builder keeps its cache, and what it imports.
    pub fn cache(&self) -> String {
        match self.imports.as_slice() {
            [] => format!("{}; imports no cache", self.builder),
            imports => format!("{}; imports {}", self.builder, imports.join(", ")),
        }
    }
}

/// Whether a builder still has its cache in the next run.
fn keeping(builder: &CiBuilder) -> &'static str {
    match (builder.keeps_cache(), builder.runner) {
        (Some(true), _) => "kept",
        (Some(false), Runner::Hosted) => "hosted, starts empty",
        (Some(false), _) => "made for the job and gone after it",
        (None, _) => "not known whether it keeps its cache",
    }
}

/// A block per service.
pub fn text(services: &[Service]) -> String {
    let mut out = String::new();
    for service in services {
        if !out.is_empty() {
            out.push('\n');
        }
        let place = format!("{}:{}", service.file, service.line);
        let _ = match &service.service {
            Some(name) => writeln!(out, "{name}  {place}"),
            None => writeln!(out, "{place}"),
        };
        for (name, value) in fields(service) {
            field(name, &value, &mut out);
        }
    }
    out
}

/// What is known of a service, as lines of a name and a text.
pub fn fields(service: &Service) -> Vec<(&'static str, String)> {
    let unknown = || "not known, or not in the repository".to_owned();
    let mut fields = vec![("context", service.context.clone().unwrap_or_else(unknown))];
    let dockerfile = match &service.dockerfile {
        Some(path) if service.is_missing => format!("{path} (not there)"),
        Some(path) => path.clone(),
        None if service.is_inline => "in the file itself".to_owned(),
        None => unknown(),
    };
    fields.push(("Dockerfile", dockerfile));
    fields.extend(service.target.clone().map(|target| ("target", target)));
    match service.images.as_slice() {
        [] => fields.push(("image", "no name".to_owned())),
        images => fields.extend(images.iter().map(|image| ("image", image.clone()))),
    }
    if service.by == By::Nothing {
        fields.push(("by", "no compose file, bake file or workflow names it".to_owned()));
    }
    match service.ci.as_slice() {
        [] if service.by == By::Nothing => {}
        [] => fields.push(("CI", "no workflow builds it".to_owned())),
        builds => fields.extend(builds.iter().map(|build| ("CI", build.text()))),
    }
    fields
}

/// A name and its text, with lines that end before [`WIDTH`] where words allow it.
pub fn field(name: &str, value: &str, out: &mut String) {
    let _ = write!(out, "  {name:11}");
    let mut column = 13;
    for (index, word) in value.split(' ').enumerate() {
        let length = word.chars().count() + 1;
        if index > 0 && column + length > WIDTH {
            let _ = write!(out, "\n{:13}", "");
            column = 13;
        }
        let _ = write!(out, " {word}");
        column += length;
    }
    out.push('\n');
}

/// The JSON text.
///
/// # Errors
/// JSON that can't be made.
pub fn json(services: &[Service], errors: &[ErrorReport]) -> serde_json::Result<String> {
    super::json::services(services, errors)
}
