//! From compose files, bake files, workflows and scripts to builds and pushes.

use std::collections::{BTreeMap, HashSet};

use super::paths::{canonical, checkout, inside, is_default_compose, parent};
use super::step_name;
use super::{Build, By, CiBuilder, Graph, Habits, Image, Pushed, Source};
use crate::facts::bake::Bake;
use crate::facts::compose::{Compose, INLINE_ARGUMENT};
use crate::facts::interpolation::interpolate;
use crate::facts::workflow::{BAKE, BUILD_PUSH, Job, SETUP_BUILDX, Step, Workflow};
use crate::project::commands::{self, Command};

impl Graph {
    /// Finds the builds in what was read. `exists` tells whether a path below the root is there; without it the contexts of
    /// Dockerfiles that nothing names are not looked for; `scripts` are other files that may
    /// push images, with their text.
    pub fn new(
        composes: Vec<Source<Compose>>,
        bakes: Vec<Source<Bake>>,
        workflows: Vec<Source<Workflow>>,
        dockerfiles: BTreeMap<String, Image>,
        scripts: &[(String, String)],
        exists: Option<&dyn Fn(&str) -> bool>,
    ) -> Self {
        let mut graph = Self { composes, bakes, workflows, dockerfiles, ..Self::default() };
        let mut builds: Vec<Build> = Vec::new();
        for source in &graph.composes {
            builds.extend(compose_builds(source));
        }
        let images = graph.default_images();
        for build in builds.iter_mut().filter(|build: &&mut Build| build.images.is_empty()) {
            let image = images.iter().find(|(folder, name, _)| *folder == parent(&build.file) && *name == build.name);
            build.images.extend(image.map(|(.., image)| (*image).to_owned()));
        }
        for source in &graph.bakes {
            builds.extend(bake_builds(source));
        }
        let mut pushed = Vec::new();
        let declared = builds.clone();
        for source in &graph.workflows {
            graph.workflow_builds(source, &declared, &mut builds, &mut pushed);
        }
        for (path, text) in scripts {
            for (line, command) in commands::in_lines(text) {
                let place = format!("{path}:{line}");
                let folder = parent(path);
                graph.pushes(&command, &folder, &place, &builds, &mut pushed);
            }
        }
        graph.habits = Habits::read(scripts, &graph.workflows);
        let texts = scripts.iter().map(|(_, text)| text.as_str());
        let steps = graph.workflows.iter().flat_map(|source| source.file.steps());
        let texts = texts.chain(steps.filter_map(|step| step.run.as_deref()));
        graph.passed = texts.flat_map(commands::build_arguments).map(str::to_owned).collect();
        let named: HashSet<String> = builds.iter().filter_map(|build| build.dockerfile.clone()).collect();
        for (path, image) in &graph.dockerfiles {
            if named.contains(path) {
                continue;
            }
            builds.push(Build {
                by: By::Nothing,
                file: path.clone(),
                line: 1,
                name: String::new(),
                context: exists.and_then(|exists| loose_context(path, image, exists)),
                dockerfile: Some(path.clone()),
                is_inline: false,
                target: None,
                images: Vec::new(),
                args: Vec::new(),
                contexts: Vec::new(),
                builder: None,
                declared: None,
            });
        }
        // `docker push` sends what `docker build` made, which has no record of its own accord.
        let plain = scripts.iter().flat_map(|(_, text)| commands::in_lines(text)).map(|(_, command)| command);
        let runs = graph.workflows.iter().flat_map(|source| source.file.steps());
        let plain = plain.chain(
            runs.filter_map(|step| step.run.as_deref()).flat_map(commands::in_script).map(|(_, command)| command),
        );
        let plain: Vec<String> = plain
            .filter_map(|command| match command {
                Command::Build { tags, args, .. } if !args.iter().any(|(name, _)| name == INLINE_ARGUMENT) => {
                    Some(tags)
                }
                _ => None,
            })
            .flatten()
            .map(|tag| canonical(&tag))
            .collect();
        for image in pushed.iter_mut().filter(|image| plain.contains(&canonical(&image.reference))) {
            image.has_record = false;
        }
        for build in builds.iter().filter(|build| !build.contexts.is_empty()) {
            let Some(path) = &build.dockerfile else { continue };
            let names = graph.replaced.entry(path.clone()).or_default();
            names.extend(build.contexts.iter().map(|(name, _)| name.clone()));
            names.sort();
            names.dedup();
        }
        graph.builds = builds;
        graph.pushed = pushed;
        graph
    }

    fn workflow_builds(
        &self,
        source: &Source<Workflow>,
        declared: &[Build],
        builds: &mut Vec<Build>,
        pushed: &mut Vec<Pushed>,
    ) {
        let workflow = &source.file;
        let base = checkout(&source.path);
        for job in &workflow.jobs {
            let (mut is_fresh, mut is_elsewhere) = (false, false);
            for step in &job.steps {
                if step.is_action(SETUP_BUILDX) {
                    let driver = step.input("driver").unwrap_or("docker-container");
                    let kept = step.input("keep-state") == Some("true") || step.input("cleanup") == Some("false");
                    is_elsewhere = matches!(driver, "remote" | "cloud");
                    is_fresh = driver != "docker" && !kept && !is_elsewhere;
                }
                let line = source.lines.line(step.offset);
                let place = format!("{}:{line}", source.path);
                if step.is_action(BUILD_PUSH) {
                    let pushes = step.input("push").is_some_and(|push| push != "false");
                    for found in places(workflow, job, step) {
                        if pushes {
                            let tags = found.tags.iter().cloned();
                            let inline = step.list("cache-to").contains(&"type=inline")
                                || step.list("build-args").iter().any(|arg| arg.starts_with(INLINE_ARGUMENT));
                            let place = || place.clone();
                            pushed.extend(tags.map(|reference| Pushed {
                                reference,
                                place: place(),
                                has_record: inline,
                            }));
                        }
                        let here = |path: Option<String>| path.and_then(|path| inside(&base, &path));
                        builds.push(Build {
                            by: By::Step,
                            file: source.path.clone(),
                            line,
                            name: step_name(job, step),
                            dockerfile: here(found.dockerfile),
                            context: here(found.context),
                            is_inline: false,
                            target: found.target,
                            images: found.tags,
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
                                is_elsewhere,
                                imports: imports(&step.list("cache-from")),
                            }),
                            declared: None,
                        });
                    }
                } else if step.is_action(BAKE) {
                    let set = step.list("set");
                    let mut entries: Vec<&str> = Vec::new();
                    for line in &set {
                        entries.extend(line.split_once(".cache-from=").map(|(_, entry)| entry));
                    }
                    let builder = CiBuilder { runner: job.runner, is_fresh, is_elsewhere, imports: imports(&entries) };
                    let folder = step.bake_folder();
                    let folder = inside(&base, folder).unwrap_or_else(|| folder.to_owned());
                    for name in self.bake_targets(step, &folder) {
                        let found = declared.iter().filter(|build| build.by == By::Bake && build.name == name);
                        for build in found {
                            if step.input("push").is_some_and(|push| push != "false") {
                                let images = build.images.iter();
                                pushed.extend(images.map(|image| Pushed {
                                    reference: image.clone(),
                                    place: place.clone(),
                                    has_record: true,
                                }));
                            }
                            builds.push(Build {
                                by: By::Step,
                                file: source.path.clone(),
                                line,
                                name: step_name(job, step),
                                builder: Some(builder.clone()),
                                declared: Some((build.file.clone(), build.name.clone())),
                                ..build.clone()
                            });
                        }
                    }
                } else if let Some(run) = &step.run {
                    let folder = step.folder.as_deref().or(job.folder.as_deref()).unwrap_or(".");
                    let folder = &inside(&base, folder).unwrap_or_else(|| folder.to_owned());
                    let run = workflow.expand(job, step, run);
                    for (moved, command) in commands::in_script(&run) {
                        let folder = &match inside(folder, &moved) {
                            Some(folder) => folder,
                            None => moved,
                        };
                        let imports = imports(&command.cache_from());
                        let builder = CiBuilder { runner: job.runner, is_fresh, is_elsewhere, imports };
                        self.pushes(&command, folder, &place, declared, pushed);
                        for build in self.built_by(&command, folder, declared) {
                            let origin = (build.by != By::Command).then(|| (build.file.clone(), build.name.clone()));
                            builds.push(Build {
                                by: By::Command,
                                file: source.path.clone(),
                                line,
                                name: step_name(job, step),
                                builder: Some(builder.clone()),
                                declared: origin,
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
                    declared: None,
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
        let mut add = |reference: &str, has_record: bool| {
            pushed.push(Pushed { reference: reference.to_owned(), place: place.to_owned(), has_record });
        };
        match command {
            Command::Push { reference } => add(reference, true),
            Command::Build { tags, push: true, args, .. } => {
                let has_record = args.iter().any(|(name, _)| name == INLINE_ARGUMENT);
                tags.iter().for_each(|tag| add(tag, has_record));
            }
            Command::ComposePush { files, services } => {
                let build = Command::ComposeBuild { files: files.clone(), services: services.clone() };
                for build in self.built_by(&build, folder, declared) {
                    build.images.iter().for_each(|image| add(image, true));
                }
            }
            Command::Bake { push: true, .. } => {
                for build in self.built_by(command, folder, declared) {
                    build.images.iter().for_each(|image| add(image, true));
                }
            }
            _ => {}
        }
    }
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
                declared: None,
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
            declared: None,
        }
    });
    builds.collect()
}

/// What a build step builds.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    /// Relative to the folder that the workflow checks out.
    context: Option<String>,
    dockerfile: Option<String>,
    target: Option<String>,
    tags: Vec<String>,
}

/// What a build step builds, for each combination of the matrix that it depends on.
fn places(workflow: &Workflow, job: &Job, step: &Step) -> Vec<Place> {
    let combinations = job.matrix.as_ref().and_then(|matrix| matrix.combinations.as_deref());
    let combinations = combinations.filter(|all| !all.is_empty()).unwrap_or(const { &[Vec::new()] });
    let mut found = Vec::new();
    for combination in combinations.iter().take(64) {
        let put = |text: &str| {
            let text = workflow.expand(job, step, text);
            combination.iter().fold(text, |text, (name, value)| match value {
                Some(value) => text
                    .replace(&format!("${{{{ matrix.{name} }}}}"), value)
                    .replace(&format!("${{{{matrix.{name}}}}}"), value),
                None => text,
            })
        };
        let get = |name: &str| step.input(name).map(put).filter(|value| !value.is_empty());
        let path = |name: &str| get(name).map(|path| path.replace("${{ github.workspace }}", "."));
        let context = path("context").unwrap_or_else(|| ".".to_owned());
        // The checkout as git has it, and a folder in it, in which the Dockerfile then is looked for.
        let (context, is_remote) = match context.strip_prefix("{{defaultContext}}") {
            Some(folder) => (inside(".", folder.trim_start_matches(':')), true),
            None => (inside(".", &context), false),
        };
        let dockerfile = match path("file") {
            Some(file) if is_remote => context.as_deref().and_then(|context| inside(context, &file)),
            Some(file) => inside(".", &file),
            None => context.as_deref().and_then(|context| inside(context, "Dockerfile")),
        };
        let place = Place {
            context,
            dockerfile,
            target: get("target"),
            tags: step.list("tags").into_iter().map(put).collect(),
        };
        if !found.contains(&place) {
            found.push(place);
        }
    }
    found
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
    use crate::text::LineIndex;
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
        Graph::new(composes, bakes, workflows, dockerfiles, &[], Some(&|_| true))
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
        let pusher = graph.pusher("ghcr.io/o/api:${TAG:-latest}").unwrap();
        assert_eq!((pusher.place.as_str(), pusher.has_record), (".github/workflows/a.yml:8", false));
        assert_eq!(graph.pusher("ghcr.io/o/api:2"), None);
        let loose: Vec<&str> =
            graph.builds.iter().filter(|build| build.by == By::Nothing).map(|build| build.file.as_str()).collect();
        assert_eq!(loose, ["other/Dockerfile"]);
        let step = graph.in_ci(api).next().unwrap().builder.as_ref().unwrap();
        assert_eq!((step.is_fresh, step.keeps_cache()), (true, Some(false)));
    }

    #[test]
    fn a_step_builds_what_its_matrix_says_in_the_folder_that_is_checked_out() {
        let text = "jobs:\n  b:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        include:\n          - {s: api, d: a}\n          - {s: web, d: w}\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: ${{ github.workspace }}/${{ matrix.d }}\n          push: true\n          tags: ghcr.io/o/${{ matrix.s }}:1\n      - uses: docker/build-push-action@v6\n        with:\n          context: '{{defaultContext}}:sub'\n          file: x.Dockerfile\n";
        let workflow = workflow::read(text, &Stream::read(text).unwrap()).unwrap();
        let workflows = vec![source("examples/x/.github/workflows/a.yml", text, workflow)];
        let graph = Graph::new(Vec::new(), Vec::new(), workflows, BTreeMap::new(), &[], Some(&|_| true));
        let files: Vec<&str> = graph.builds.iter().filter_map(|build| build.dockerfile.as_deref()).collect();
        assert_eq!(files, ["examples/x/a/Dockerfile", "examples/x/w/Dockerfile", "examples/x/sub/x.Dockerfile"]);
        assert_eq!(graph.builds[1].images, ["ghcr.io/o/web:1"]);
        assert!(graph.pusher("ghcr.io/o/api:1").is_some() && graph.pusher("ghcr.io/o/db:1").is_none());
    }

    #[test]
    fn a_command_builds_the_services_that_it_names_wherever_their_dockerfiles_stand() {
        let compose = "services:\n  a:\n    build:\n      dockerfile_inline: FROM x\n  b:\n    build:\n      dockerfile_inline: FROM y\n";
        let workflow = "jobs:\n  b:\n    runs-on: self-hosted\n    steps:\n      - run: docker compose -f deploy/compose.yml build a\n";
        let graph = graph(compose, workflow, "", &[]);
        let count = |at: usize| graph.in_ci(&graph.builds[at]).count();
        assert_eq!((count(0), count(1)), (1, 0));
    }

    #[test]
    fn arguments_are_passed_by_builds_and_scripts() {
        let compose =
            "services:\n  api:\n    build:\n      context: ../api\n      args:\n        GIT_SHA: ${GIT_SHA:-}\n";
        let scripts = [("Makefile".to_owned(), "ARGS := \\\n  --build-arg VCS_REF=$(shell git)\n".to_owned())];
        let parsed = compose::read(compose, &Stream::read(compose).unwrap()).unwrap();
        let composes = vec![source("deploy/compose.yml", compose, parsed)];
        let graph = Graph::new(composes, Vec::new(), Vec::new(), BTreeMap::new(), &scripts, None);
        assert!(graph.passes("api/Dockerfile", "GIT_SHA") && !graph.passes("web/Dockerfile", "GIT_SHA"));
        assert!(graph.passes("web/Dockerfile", "VCS_REF") && !graph.passes("web/Dockerfile", "OTHER"));
    }

    #[test]
    fn a_builder_keeps_its_cache_where_it_outlives_the_job() {
        let keeps = |runner: &str, with: &str| {
            let workflow = format!(
                "jobs:\n  b:\n    runs-on: {runner}\n    steps:\n      - uses: docker/setup-buildx-action@v3\n        with: {with}\n      - uses: docker/build-push-action@v6\n"
            );
            let graph = graph("services: {}\n", &workflow, "", &[]);
            graph.builds[0].builder.as_ref().unwrap().keeps_cache()
        };
        assert_eq!(keeps("ubuntu-latest", "{}"), Some(false));
        assert_eq!(keeps("ubuntu-latest", "{driver: remote}"), None);
        assert_eq!(keeps("self-hosted", "{}"), Some(false));
        assert_eq!(keeps("self-hosted", "{driver: docker}"), Some(true));
        assert_eq!(keeps("self-hosted", "{cleanup: false}"), Some(true));
        assert_eq!(keeps("big-machine", "{}"), Some(false));
        assert_eq!(keeps("big-machine", "{driver: docker}"), None);
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
