//! Which file builds which image: compose services, bake targets, workflow steps, commands in workflows, and Dockerfiles that none of them
//! names.

use std::collections::BTreeMap;

use super::commands::{self, Command};
use crate::dockerfile::{Dockerfile, Keyword};
use crate::facts::bake::Bake;
use crate::facts::bases::split_reference;
use crate::facts::compose::{Compose, INLINE_ARGUMENT};
use crate::facts::interpolation::interpolate;
use crate::facts::workflow::{BAKE, BUILD_PUSH, Job, Runner, SETUP_BUILDX, Step, Workflow};
use crate::text::LineIndex;

/// The builds of a project. All paths are relative to its root, with slashes; the root itself is `.`.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub composes: Vec<Source<Compose>>,
    pub bakes: Vec<Source<Bake>>,
    pub workflows: Vec<Source<Workflow>>,
    pub dockerfiles: BTreeMap<String, Image>,
    pub builds: Vec<Build>,
    pub pushed: Vec<Pushed>,
    /// Where a script or workflow gives builds the argument BUILDKIT_INLINE_CACHE: `path:line`.
    pub inline_argument: Option<String>,
}

/// A file that was read, and where its lines start.
#[derive(Debug, Clone)]
pub struct Source<T> {
    pub path: String,
    pub lines: LineIndex,
    pub file: T,
}

/// What a Dockerfile tells of its image without being built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Images that FROM names, as written; stages aside.
    pub bases: Vec<String>,
    pub stages: usize,
    pub cache_mounts: bool,
    /// Sources of COPY and ADD that come from the context, as written.
    pub copied: Vec<String>,
    /// Names of ARG.
    pub arguments: Vec<String>,
}

/// One build of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    pub by: By,
    /// The file that asks for it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Service, target, or job and step; empty for a Dockerfile that nothing names.
    pub name: String,
    /// None where it can't be told, or is not in the repository.
    pub context: Option<String>,
    pub dockerfile: Option<String>,
    /// Whether the Dockerfile stands in the file itself.
    pub is_inline: bool,
    pub target: Option<String>,
    /// Names of the image, as written.
    pub images: Vec<String>,
    pub args: Vec<(String, Option<String>)>,
    pub contexts: Vec<(String, String)>,
    /// For builds in CI: on what.
    pub builder: Option<CiBuilder>,
}

/// Who asks for a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Compose,
    Bake,
    /// A step of a workflow that uses an action.
    Step,
    /// A command in a step of a workflow.
    Command,
    /// Nobody that was found.
    Nothing,
}

/// The builder of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiBuilder {
    pub runner: Runner,
    /// Whether docker/setup-buildx-action makes a builder for the job, which goes with it.
    pub is_fresh: bool,
    /// `type=` of what it imports, or the name of an image.
    pub imports: Vec<String>,
}

impl CiBuilder {
    /// Whether the builder still has its cache in the next run: yes, no, or not known.
    pub fn keeps_cache(&self) -> Option<bool> {
        match self.runner {
            Runner::Hosted => Some(false),
            Runner::Kept => Some(!self.is_fresh),
            Runner::Unknown => None,
        }
    }
}

/// An image that something in the repository pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// As written, variables of the workflow replaced.
    pub reference: String,
    /// `path:line`.
    pub place: String,
}

impl Image {
    pub fn new(file: &Dockerfile) -> Self {
        let mut image = Self::default();
        let mut names: Vec<String> = Vec::new();
        for instruction in &file.instructions {
            match instruction.keyword {
                Keyword::From => {
                    let words = instruction.words(file.escape);
                    let Some(base) = words.first() else { continue };
                    image.stages += 1;
                    if !names.iter().any(|name| name.eq_ignore_ascii_case(&base.raw)) && base.raw != "scratch" {
                        image.bases.push(base.raw.clone());
                    }
                    names.extend(words.get(2).map(|word| word.raw.clone()));
                }
                Keyword::Arg => {
                    let names = instruction.pairs(file.escape).into_iter().map(|pair| pair.name);
                    image.arguments.extend(names);
                }
                Keyword::Run => {
                    let mounts = instruction.flags.iter().filter(|flag| flag.text.starts_with("--mount="));
                    image.cache_mounts |= mounts.clone().any(|flag| flag.text.contains("type=cache"));
                }
                Keyword::Copy | Keyword::Add if instruction.flag("from").is_none() => {
                    let words: Vec<String> = match &instruction.json {
                        Some(strings) => strings.clone(),
                        None => instruction.words(file.escape).into_iter().map(|word| word.raw).collect(),
                    };
                    let sources = &words[..words.len().saturating_sub(1)];
                    let local = sources.iter().filter(|source| !source.contains("://") && !source.starts_with("<<"));
                    image.copied.extend(local.cloned());
                }
                _ => {}
            }
        }
        image
    }
}

impl Graph {
    /// Finds the builds in what was read. `exists` tells whether a path below the root is there; `scripts` are other files that may
    /// push images, with their text.
    pub fn new(
        composes: Vec<Source<Compose>>,
        bakes: Vec<Source<Bake>>,
        workflows: Vec<Source<Workflow>>,
        dockerfiles: BTreeMap<String, Image>,
        scripts: &[(String, String)],
        exists: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut graph = Self { composes, bakes, workflows, dockerfiles, ..Self::default() };
        let mut builds = Vec::new();
        for source in &graph.composes {
            builds.extend(compose_builds(source));
        }
        for source in &graph.bakes {
            builds.extend(bake_builds(source));
        }
        let mut pushed = Vec::new();
        for source in &graph.workflows {
            graph.workflow_builds(source, &builds.clone(), &mut builds, &mut pushed);
        }
        for (path, text) in scripts {
            for (line, command) in commands::in_lines(text) {
                let place = format!("{path}:{line}");
                let folder = parent(path);
                graph.pushes(&command, &folder, &place, &builds, &mut pushed);
            }
        }
        graph.inline_argument = scripts.iter().find_map(|(path, text)| {
            let line = text.lines().position(|line| line.contains(INLINE_ARGUMENT) && line.contains("compose"))?;
            Some(format!("{path}:{}", line + 1))
        });
        for source in &graph.workflows {
            let steps = source.file.jobs.iter().flat_map(|job| &job.steps);
            let mut runs = steps.filter(|step| {
                let run = step.run.as_deref().unwrap_or("");
                run.contains(INLINE_ARGUMENT) && run.contains("compose")
            });
            if let Some(step) = runs.next() {
                graph.inline_argument = Some(format!("{}:{}", source.path, source.lines.line(step.offset)));
            }
        }
        let named: Vec<String> = builds.iter().filter_map(|build| build.dockerfile.clone()).collect();
        for (path, image) in &graph.dockerfiles {
            if named.contains(path) {
                continue;
            }
            builds.push(Build {
                by: By::Nothing,
                file: path.clone(),
                line: 1,
                name: String::new(),
                context: loose_context(path, image, exists),
                dockerfile: Some(path.clone()),
                is_inline: false,
                target: None,
                images: Vec::new(),
                args: Vec::new(),
                contexts: Vec::new(),
                builder: None,
            });
        }
        graph.builds = builds;
        graph.pushed = pushed;
        graph
    }

    /// Where something pushes exactly this image.
    pub fn pusher(&self, reference: &str) -> Option<&str> {
        let wanted = canonical(reference);
        self.pushed.iter().find(|pushed| canonical(&pushed.reference) == wanted).map(|pushed| pushed.place.as_str())
    }

    /// The builds of one Dockerfile.
    pub fn of_dockerfile<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Build> + 'a {
        self.builds.iter().filter(move |build| build.dockerfile.as_deref() == Some(path))
    }

    /// The builds in CI that build what `build` builds.
    pub fn in_ci<'a>(&'a self, build: &'a Build) -> impl Iterator<Item = &'a Build> + 'a {
        self.builds.iter().filter(move |other| {
            let same_file = other.dockerfile.is_some() && other.dockerfile == build.dockerfile;
            let same_target = other.target.is_none() || build.target.is_none() || other.target == build.target;
            // A command that builds services names them.
            let same_service = other.by != By::Command || other.images.is_empty() || same_file;
            other.builder.is_some() && same_file && same_target && same_service
        })
    }

    fn workflow_builds(
        &self,
        source: &Source<Workflow>,
        declared: &[Build],
        builds: &mut Vec<Build>,
        pushed: &mut Vec<Pushed>,
    ) {
        let workflow = &source.file;
        for job in &workflow.jobs {
            let mut is_fresh = false;
            for step in &job.steps {
                if step.is_action(SETUP_BUILDX) {
                    let driver = step.input("driver").unwrap_or("docker-container");
                    let kept = step.input("keep-state") == Some("true") || step.input("cleanup") == Some("false");
                    is_fresh = driver != "docker" && !kept;
                }
                let line = source.lines.line(step.offset);
                let place = format!("{}:{line}", source.path);
                if step.is_action(BUILD_PUSH) {
                    for (context, file, target) in places(workflow, job, step) {
                        let images: Vec<String> =
                            step.list("tags").into_iter().map(|tag| workflow.expand(job, step, tag)).collect();
                        builds.push(Build {
                            by: By::Step,
                            file: source.path.clone(),
                            line,
                            name: format!("{}, {}", job.id, step.title()),
                            dockerfile: dockerfile_of_step(context.as_deref(), file.as_deref()),
                            context: context.as_deref().and_then(|context| inside(".", context)),
                            is_inline: false,
                            target,
                            images,
                            args: step
                                .list("build-args")
                                .into_iter()
                                .map(|arg| match arg.split_once('=') {
                                    Some((name, value)) => (name.to_owned(), Some(workflow.expand(job, step, value))),
                                    None => (arg.to_owned(), None),
                                })
                                .collect(),
                            contexts: step
                                .list("build-contexts")
                                .into_iter()
                                .filter_map(|context| context.split_once('='))
                                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                                .collect(),
                            builder: Some(CiBuilder {
                                runner: job.runner,
                                is_fresh,
                                imports: imports(&step.list("cache-from")),
                            }),
                        });
                    }
                    if step.input("push").is_some_and(|push| push != "false") {
                        for tag in step.list("tags") {
                            pushed.push(Pushed { reference: workflow.expand(job, step, tag), place: place.clone() });
                        }
                    }
                } else if step.is_action(BAKE) {
                    let set = step.list("set");
                    let mut entries: Vec<&str> = Vec::new();
                    for line in &set {
                        entries.extend(line.split_once(".cache-from=").map(|(_, entry)| entry));
                    }
                    let builder = CiBuilder { runner: job.runner, is_fresh, imports: imports(&entries) };
                    let folder = step.input("workdir").or(step.input("source")).unwrap_or(".");
                    for name in self.bake_targets(step, folder) {
                        let found = declared.iter().filter(|build| build.by == By::Bake && build.name == name);
                        for build in found {
                            if step.input("push").is_some_and(|push| push != "false") {
                                let images = build.images.iter();
                                pushed.extend(
                                    images.map(|image| Pushed { reference: image.clone(), place: place.clone() }),
                                );
                            }
                            builds.push(Build {
                                by: By::Step,
                                file: source.path.clone(),
                                line,
                                name: format!("{}, {}", job.id, step.title()),
                                builder: Some(builder.clone()),
                                ..build.clone()
                            });
                        }
                    }
                } else if let Some(run) = &step.run {
                    let folder = step.folder.as_deref().or(job.folder.as_deref()).unwrap_or(".");
                    let run = workflow.expand(job, step, run);
                    for command in commands::in_script(&run) {
                        let builder =
                            CiBuilder { runner: job.runner, is_fresh, imports: imports(&command.cache_from()) };
                        self.pushes(&command, folder, &place, declared, pushed);
                        for build in self.built_by(&command, folder, declared) {
                            builds.push(Build {
                                by: By::Command,
                                file: source.path.clone(),
                                line,
                                name: format!("{}, {}", job.id, step.title()),
                                builder: Some(builder.clone()),
                                ..build
                            });
                        }
                    }
                }
            }
        }
    }

    /// The targets that a step of docker/bake-action builds.
    pub fn bake_targets(&self, step: &Step, folder: &str) -> Vec<String> {
        let wanted = step.list("targets");
        let wanted: Vec<&str> = wanted.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
        let files = step.list("files");
        let mut found = Vec::new();
        for source in &self.bakes {
            let is_meant = if files.is_empty() {
                parent(&source.path) == inside(".", folder).unwrap_or_default()
            } else {
                files.iter().any(|file| inside(folder, file).as_deref() == Some(&source.path))
            };
            if !is_meant {
                continue;
            }
            let names = if wanted.is_empty() { vec!["default"] } else { wanted.clone() };
            found.extend(names.iter().flat_map(|name| source.file.expand(name)).map(str::to_owned));
        }
        found.sort();
        found.dedup();
        found
    }

    /// What a command builds.
    fn built_by(&self, command: &Command, folder: &str, declared: &[Build]) -> Vec<Build> {
        let here = inside(".", folder).unwrap_or_else(|| folder.to_owned());
        match command {
            Command::Build { context, file, target, tags, args, .. } => {
                let context = context.as_deref().filter(|context| !context.contains('$'));
                let file = file.as_deref().map(|file| if file.contains('$') { None } else { inside(folder, file) });
                let dockerfile = match file {
                    Some(file) => file,
                    None => context.and_then(|context| inside(folder, &format!("{context}/Dockerfile"))),
                };
                vec![Build {
                    by: By::Command,
                    file: String::new(),
                    line: 0,
                    name: String::new(),
                    context: context.and_then(|context| inside(folder, context)),
                    dockerfile,
                    is_inline: false,
                    target: target.clone(),
                    images: tags.clone(),
                    args: args.clone(),
                    contexts: Vec::new(),
                    builder: None,
                }]
            }
            Command::ComposeBuild { files, services } => {
                let meant = |build: &&Build| {
                    let named = files.iter().any(|file| inside(folder, file).as_deref() == Some(&*build.file));
                    let default = files.is_empty() && parent(&build.file) == here && is_default_compose(&build.file);
                    build.by == By::Compose
                        && (named || default)
                        && (services.is_empty() || services.contains(&build.name))
                };
                declared.iter().filter(meant).cloned().collect()
            }
            Command::Bake { targets, .. } => {
                let mut found = Vec::new();
                for source in self.bakes.iter().filter(|source| parent(&source.path) == here) {
                    let names = if targets.is_empty() { vec!["default".to_owned()] } else { targets.clone() };
                    for name in names.iter().flat_map(|name| source.file.expand(name)) {
                        let build =
                            |build: &&Build| build.by == By::Bake && build.file == source.path && build.name == name;
                        found.extend(declared.iter().filter(build).cloned());
                    }
                }
                found
            }
            Command::Push { .. } | Command::ComposePush { .. } => Vec::new(),
        }
    }

    /// What a command pushes.
    fn pushes(&self, command: &Command, folder: &str, place: &str, declared: &[Build], pushed: &mut Vec<Pushed>) {
        let mut add = |reference: &str| {
            pushed.push(Pushed { reference: reference.to_owned(), place: place.to_owned() });
        };
        match command {
            Command::Push { reference } => add(reference),
            Command::Build { tags, push: true, .. } => tags.iter().for_each(|tag| add(tag)),
            Command::ComposePush { files, services } => {
                let build = Command::ComposeBuild { files: files.clone(), services: services.clone() };
                for build in self.built_by(&build, folder, declared) {
                    build.images.iter().for_each(|image| add(image));
                }
            }
            Command::Bake { push: true, .. } => {
                for build in self.built_by(command, folder, declared) {
                    build.images.iter().for_each(|image| add(image));
                }
            }
            _ => {}
        }
    }
}

/// An image name in one spelling: without Docker Hub's own host, with the tag that is meant. Variables stand at their defaults.
pub fn canonical(reference: &str) -> String {
    let plain = interpolate(reference).text;
    let split = split_reference(&plain);
    match (split.tag, split.digest) {
        (_, Some(digest)) => format!("{}@{digest}", split.repository),
        (tag, None) => format!("{}:{}", split.repository, tag.unwrap_or("latest")),
    }
}

/// The folder that holds a file.
pub fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned()
}

/// `path` as written in a file of `folder`, relative to the root; none if it leads out of it, is absolute or no path.
pub fn inside(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/')
        || path.starts_with('~')
        || path.contains("://")
        || path.starts_with("git@")
        || path.contains("${{")
    {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// Whether Compose loads a file without being told.
pub fn is_default_compose(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, _) = name.rsplit_once('.').unwrap_or((name, ""));
    matches!(stem, "compose" | "docker-compose" | "compose.override" | "docker-compose.override")
}

fn compose_builds(source: &Source<Compose>) -> Vec<Build> {
    let folder = parent(&source.path);
    let services = source.file.services.iter().filter_map(|service| Some((service, service.any_build()?)));
    services
        .map(|(service, build)| {
            let context = build.context.as_deref().map(interpolate);
            let context = context.as_ref().and_then(|context| inside(&folder, context.known()?));
            let dockerfile = match &build.dockerfile {
                _ if build.has_inline => None,
                Some(file) => {
                    let file = interpolate(file);
                    file.known().and_then(|file| inside(context.as_deref()?, file))
                }
                None => context.as_deref().and_then(|context| inside(context, "Dockerfile")),
            };
            Build {
                by: By::Compose,
                file: source.path.clone(),
                line: source.lines.line(service.offset),
                name: service.name.clone(),
                context,
                dockerfile,
                is_inline: build.has_inline,
                target: build.target.as_deref().map(|target| interpolate(target).text),
                images: service.image.iter().chain(&build.tags).cloned().collect(),
                args: build.args.clone(),
                contexts: build.contexts.clone(),
                builder: None,
            }
        })
        .collect()
}

fn bake_builds(source: &Source<Bake>) -> Vec<Build> {
    let folder = parent(&source.path);
    let builds = source.file.targets.iter().map(|target| {
        let context = target.context.as_deref().and_then(|context| inside(&folder, context));
        let dockerfile = match (&target.dockerfile, &context) {
            (Some(file), Some(context)) if !target.has_inline => inside(context, file),
            _ => None,
        };
        Build {
            by: By::Bake,
            file: source.path.clone(),
            line: source.lines.line(target.offset),
            name: target.name.clone(),
            context,
            dockerfile,
            is_inline: target.has_inline,
            target: target.stage.clone(),
            images: target
                .tags
                .iter()
                .flatten()
                .map(|tag| tag.text.clone().unwrap_or_else(|| tag.source.clone()))
                .collect(),
            args: target.args.clone(),
            contexts: target.contexts.clone(),
            builder: None,
        }
    });
    builds.collect()
}

/// Context, file and target of a build step, for each combination of the matrix that they depend on.
fn places(workflow: &Workflow, job: &Job, step: &Step) -> Vec<(Option<String>, Option<String>, Option<String>)> {
    let get = |name: &str| step.input(name).map(|value| workflow.expand(job, step, value));
    let (context, file, target) = (get("context").or_else(|| Some(".".to_owned())), get("file"), get("target"));
    let plain = (context, file, target);
    let uses_matrix = [&plain.0, &plain.1, &plain.2]
        .iter()
        .any(|value| value.as_ref().is_some_and(|value| value.contains("matrix.")));
    let combinations = job.matrix.as_ref().and_then(|matrix| matrix.combinations.as_ref());
    let Some(combinations) = combinations.filter(|_| uses_matrix) else { return vec![plain] };
    let mut found = Vec::new();
    for combination in combinations.iter().take(64) {
        let put = |value: &Option<String>| {
            value.as_ref().map(|value| {
                combination.iter().fold(value.clone(), |value, (name, text)| {
                    let text = text.as_deref().unwrap_or("");
                    value
                        .replace(&format!("${{{{ matrix.{name} }}}}"), text)
                        .replace(&format!("${{{{matrix.{name}}}}}"), text)
                })
            })
        };
        let place = (put(&plain.0), put(&plain.1), put(&plain.2));
        if !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

fn dockerfile_of_step(context: Option<&str>, file: Option<&str>) -> Option<String> {
    match file {
        Some(file) => inside(".", file),
        None => inside(context?, "Dockerfile"),
    }
}

/// The kinds of caches that entries import.
fn imports(entries: &[&str]) -> Vec<String> {
    let kind = |entry: &&str| match entry.split(',').find_map(|part| part.trim().strip_prefix("type=")) {
        Some(kind) => kind.to_owned(),
        None => (*entry).to_owned(),
    };
    let mut kinds: Vec<String> = entries.iter().map(kind).collect();
    kinds.dedup();
    kinds
}

/// The folder that a Dockerfile nobody names is built in: its own or the nearest parent in which all its COPY sources exist.
fn loose_context(path: &str, image: &Image, exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let plain = |source: &String| !source.contains(['$', '*', '?', '[', '"']);
    let sources: Vec<&String> = image.copied.iter().filter(|source| plain(source)).collect();
    let own = parent(path);
    let mut folder = own.clone();
    loop {
        let all = sources.iter().all(|source| {
            let source = source.trim_start_matches('/');
            inside(&folder, source).is_some_and(|path| exists(&path))
        });
        if all {
            return Some(folder);
        }
        if folder == "." {
            return None;
        }
        folder = parent(&folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{bake, compose, workflow};
    use crate::yaml::Stream;

    fn source<T>(path: &str, text: &str, file: T) -> Source<T> {
        Source { path: path.to_owned(), lines: LineIndex::new(text), file }
    }

    fn graph(compose_text: &str, workflow_text: &str, bake_text: &str, files: &[&str]) -> Graph {
        let composes = vec![source(
            "deploy/compose.yml",
            compose_text,
            compose::read(compose_text, &Stream::read(compose_text).unwrap()).unwrap(),
        )];
        let workflows = vec![source(
            ".github/workflows/a.yml",
            workflow_text,
            workflow::read(workflow_text, &Stream::read(workflow_text).unwrap()).unwrap(),
        )];
        let bakes = vec![source("docker-bake.hcl", bake_text, bake::read(bake_text).unwrap())];
        let dockerfiles = files.iter().map(|path| ((*path).to_owned(), Image::default())).collect();
        Graph::new(composes, bakes, workflows, dockerfiles, &[], &|_| true)
    }

    #[test]
    fn builds_are_found_and_brought_together() {
        let compose = "services:\n  api:\n    build: ../api\n    image: ghcr.io/o/api:${TAG:-latest}\n";
        let workflow = "jobs:\n  b:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix: {s: [api, web]}\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          context: ./${{ matrix.s }}\n          push: true\n          tags: ghcr.io/o/api\n      - run: docker build -t x -f web/Dockerfile . && docker compose -f deploy/compose.yml build\n";
        let bake = "target \"web\" {\n  context = \"web\"\n}\n";
        let graph = graph(compose, workflow, bake, &["api/Dockerfile", "web/Dockerfile", "other/Dockerfile"]);
        let api = &graph.builds[0];
        assert_eq!((api.by, api.dockerfile.as_deref(), api.line), (By::Compose, Some("api/Dockerfile"), 2));
        let ci: Vec<(By, usize)> = graph.in_ci(api).map(|build| (build.by, build.line)).collect();
        assert_eq!(ci, [(By::Step, 8), (By::Command, 13)]);
        assert_eq!(graph.pusher("ghcr.io/o/api:${TAG:-latest}"), Some(".github/workflows/a.yml:8"));
        assert_eq!(graph.pusher("ghcr.io/o/api:2"), None);
        let loose: Vec<&str> =
            graph.builds.iter().filter(|build| build.by == By::Nothing).map(|build| build.file.as_str()).collect();
        assert_eq!(loose, ["other/Dockerfile"]);
        let step = graph.in_ci(api).next().unwrap().builder.as_ref().unwrap();
        assert_eq!((step.is_fresh, step.keeps_cache()), (true, Some(false)));
    }

    #[test]
    fn paths_stay_inside_the_root() {
        assert_eq!(inside("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(inside(".", ".").as_deref(), Some("."));
        assert_eq!(inside("a", "../.."), None);
        assert_eq!(inside("a", "https://github.com/x/y.git"), None);
    }

    #[test]
    fn a_loose_dockerfile_is_built_where_its_sources_are() {
        let image = Image { copied: vec!["src/app".to_owned()], ..Image::default() };
        assert_eq!(
            loose_context("docker/x/Dockerfile", &image, &|path| path == "docker/src/app").as_deref(),
            Some("docker")
        );
        assert_eq!(loose_context("docker/x/Dockerfile", &image, &|_| false), None);
    }
}
