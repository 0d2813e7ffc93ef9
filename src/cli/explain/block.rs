//! What restow sees in a service of a compose file, a target of a bake file, a job or a step of a workflow.

use super::Place;
use crate::cli::services::describe;
use crate::cli::survey::Loaded;
use crate::config::CacheMode;
use crate::engine::Parsed;
use crate::facts::bake::Bake;
use crate::facts::compose::{self, Compose};
use crate::facts::workflow::{Job, Runner, Step, Workflow};
use crate::project::Project;
use crate::project::graph::{Build, By};
use crate::report::services::{Ci, field, fields};
use crate::text::{LineIndex, Span};
use crate::yaml::{Node, Stream};

/// A file and what surrounds it.
pub struct Around<'a> {
    pub source: &'a str,
    pub file: &'a Parsed,
    pub loaded: &'a Loaded,
    pub project: &'a Project,
}

/// What stands at a line.
///
/// # Errors
/// Why nothing does, as the end of a sentence.
pub fn at(around: &Around<'_>, line: usize) -> Result<Place, String> {
    match around.file {
        Parsed::Dockerfile(_) => Err("stands in a Dockerfile".to_owned()),
        Parsed::Compose(stream, compose) => around.service(stream, compose, line),
        Parsed::Bake(bake) => around.target(bake, line),
        Parsed::Workflow(stream, workflow) => around.step_or_job(stream, workflow, line),
    }
}

impl Around<'_> {
    fn service(&self, stream: &Stream, compose: &Compose, line: usize) -> Result<Place, String> {
        let spans = compose.services.iter().map(|service| (service, self.lines(compose::span(stream, service))));
        let found = spans.into_iter().find(|(_, lines)| holds(*lines, line));
        let (service, lines) =
            found.ok_or_else(|| format!("stands in no service; the file has {}", compose.services.len()))?;
        let mut text = format!("service {}\n", service.name);
        match self.build(By::Compose, &service.name, lines.0) {
            Some(build) => self.describe(build, &mut text),
            None => {
                let image = service.image.as_deref().unwrap_or("none");
                field("image", image, &mut text);
                field("build", "none, so the image comes from elsewhere", &mut text);
            }
        }
        Ok(Place { lines, text })
    }

    fn target(&self, bake: &Bake, line: usize) -> Result<Place, String> {
        let span = |target: &crate::facts::bake::Target| match (bake.block(&target.name), &bake.stream) {
            (Some(block), _) => block.span,
            (None, Some(stream)) => {
                let end = stream.node(&target.path).map_or(target.offset, Node::end);
                Span::new(target.offset, end.max(target.offset))
            }
            (None, None) => Span::at(target.offset),
        };
        let spans = bake.targets.iter().map(|target| (target, self.lines(span(target))));
        let found = spans.into_iter().find(|(_, lines)| holds(*lines, line));
        let (target, lines) =
            found.ok_or_else(|| format!("stands in no target; the file has {}", bake.targets.len()))?;
        let mut text = format!("target {}\n", target.name);
        if let Some(build) = self.build(By::Bake, &target.name, lines.0) {
            self.describe(build, &mut text);
        }
        if !target.inherits.is_empty() {
            field("inherits", &target.inherits.join(", "), &mut text);
        }
        Ok(Place { lines, text })
    }

    fn step_or_job(&self, stream: &Stream, workflow: &Workflow, line: usize) -> Result<Place, String> {
        let span = |path: &[crate::yaml::Step], offset: usize| {
            let end = stream.node(path).map_or(offset, Node::end);
            self.lines(Span::new(offset, end.max(offset)))
        };
        let jobs = workflow.jobs.iter().map(|job| (job, span(&job.path, job.offset)));
        let found = jobs.into_iter().find(|(_, lines)| holds(*lines, line));
        let (job, lines) = found.ok_or_else(|| format!("stands in no job; the file has {}", workflow.jobs.len()))?;
        let steps = job.steps.iter().map(|step| (step, span(&step.path, step.offset)));
        Ok(match steps.into_iter().find(|(_, lines)| holds(*lines, line)) {
            Some((step, lines)) => Place { lines, text: self.step(job, step, lines.0) },
            None => Place { lines, text: self.job(job, lines) },
        })
    }

    fn step(&self, job: &Job, step: &Step, line: usize) -> String {
        let mut text = format!("job {}, {}\n", job.id, step.title());
        if let Some(action) = &step.action {
            let version = step.version.as_deref().filter(|version| !version.is_empty());
            field("uses", &version.map_or_else(|| action.clone(), |version| format!("{action}@{version}")), &mut text);
        }
        field("runner", runner(job.runner), &mut text);
        let builds: Vec<&Build> = self.ci_builds().filter(|build| build.line == line).collect();
        for build in &builds {
            if let Some((file, name)) = &build.declared {
                field("builds", &format!("{name} of {file}"), &mut text);
            }
            let mut service = describe(&self.project.graph, build, &|path| self.exists(path));
            // The step itself is what is described.
            service.ci.clear();
            for (name, value) in fields(&service).into_iter().filter(|(name, _)| *name != "CI") {
                field(name, &value, &mut text);
            }
            if let Some(ci) = Ci::of(build) {
                field("builder", &ci.cache(), &mut text);
            }
        }
        if builds.is_empty() {
            field("builds", "no image that restow can see", &mut text);
        }
        text
    }

    fn job(&self, job: &Job, lines: (usize, usize)) -> String {
        let mut text = format!("job {}\n", job.id);
        field("runner", runner(job.runner), &mut text);
        for build in self.ci_builds().filter(|build| holds(lines, build.line)) {
            let what = match &build.declared {
                Some((file, name)) => format!("{name} of {file}"),
                None => build.dockerfile.clone().unwrap_or_else(|| "a Dockerfile that can't be told".to_owned()),
            };
            field("builds", &format!("{what}, at line {}", build.line), &mut text);
        }
        text
    }

    fn describe(&self, build: &Build, text: &mut String) {
        for (name, value) in fields(&describe(&self.project.graph, build, &|path| self.exists(path))) {
            field(name, &value, text);
        }
        let mode = self.loaded.settings.cache.mode(&build.name);
        let name = CacheMode::ALL.iter().find(|(_, known)| *known == mode).map_or("", |(name, _)| name);
        field("cache mode", name, text);
    }

    /// The service or target of this file that starts at a line.
    fn build(&self, by: By, name: &str, line: usize) -> Option<&Build> {
        let path = &self.loaded.found.relative;
        let mut builds = self.project.graph.builds.iter();
        builds.find(|build| build.by == by && build.file == *path && build.name == name && build.line == line)
    }

    /// The builds of this workflow.
    fn ci_builds(&self) -> impl Iterator<Item = &Build> {
        let path = &self.loaded.found.relative;
        self.project.graph.builds.iter().filter(move |build| build.builder.is_some() && build.file == *path)
    }

    fn exists(&self, path: &str) -> bool {
        self.loaded.found.root.join(path).exists()
    }

    /// First and last line of a span, without the blank lines at its end.
    fn lines(&self, span: Span) -> (usize, usize) {
        let index = LineIndex::new(self.source);
        let text = self.source.get(span.start..span.end).unwrap_or("").trim_end();
        (index.line(span.start), index.line(span.start + text.len()))
    }
}

fn holds(lines: (usize, usize), line: usize) -> bool {
    lines.0 <= line && line <= lines.1
}

fn runner(runner: Runner) -> &'static str {
    match runner {
        Runner::Hosted => "hosted, new for every job",
        Runner::Kept => "self-hosted, outlives the job",
        Runner::Unknown => "not known whether it outlives the job",
    }
}
