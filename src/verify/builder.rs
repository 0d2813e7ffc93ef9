//! The builder that a run uses: one of its own that is thrown away, or the user's.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;

use super::log::Log;
use super::made::Made;
use super::process::{self, Ended, Failure, Interrupt, Next, Watched};
use super::{Options, Service};
use crate::docker::{self, Docker};
use crate::same_image::{self, Configuration, Image};

/// How long a question to the engine may take.
const QUESTION: Duration = Duration::from_secs(30);
/// How long making a builder may take: its image is pulled for that.
const BOOTSTRAP: Duration = Duration::from_secs(300);

/// Which builder to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// A throw-away one where it can be had and finds the base images, else the user's.
    #[default]
    Auto,
    Own,
    ThrowAway,
}

/// Why nothing can be built at all.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the engine doesn't answer ({0}); start it, or set DOCKER_HOST or `docker context use` to one that runs")]
    Silent(docker::Failure),
    #[error(
        "Docker {0} is too old: builds with cache mounts need 20.10 or later; update it (https://docs.docker.com/engine/install/)"
    )]
    TooOld(String),
    #[error(
        "this docker builds with BuildKit only through its plugin buildx, which is missing ({0}); install docker-buildx-plugin"
    )]
    NoBuildx(docker::Failure),
    #[error("no throw-away builder can be had ({0}); use --builder own")]
    NoThrowAway(docker::Failure),
    #[error("podman has no throw-away builders; use --builder own")]
    Podman,
}

/// The kind of a builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    ThrowAway,
    Own,
    Podman,
}

/// A builder, as a report tells of it.
#[derive(Debug, Clone, Serialize)]
pub struct Described {
    pub kind: Way,
    pub engine: docker::Kind,
    pub version: String,
    /// Why it is not a throw-away one, where one was wanted.
    pub reason: Option<String>,
    /// What it can't show.
    pub not_measured: Vec<String>,
    /// What stays behind in it.
    pub remains: Vec<String>,
}

/// A builder, ready.
pub struct Builder<'a> {
    docker: &'a Docker,
    options: &'a Options,
    pub interrupt: &'a Interrupt,
    pub made: Made<'a>,
    pub way: Way,
    has_buildx: bool,
    /// Whether it sees the images of the engine: its driver is `docker`.
    sees_images: bool,
    version: String,
    reason: Option<String>,
}

/// One build.
#[derive(Clone)]
pub struct Order<'o> {
    pub service: &'o Service,
    pub context: PathBuf,
    pub dockerfile: PathBuf,
    /// None where the image is of no interest.
    pub tag: Option<&'o str>,
    pub is_clean: bool,
    /// Keeps cache mounts apart from those of other builds.
    pub namespace: &'o str,
    /// A build argument instead of what the service passes.
    pub argument: Option<(&'o str, &'o str)>,
    /// An image, and what stands in for it.
    pub base: Option<(&'o str, &'o str)>,
}

impl<'a> Builder<'a> {
    /// Looks at the engine, and makes a builder where one is wanted.
    ///
    /// # Errors
    /// [`Unusable`], with what to do about it.
    pub fn open(
        docker: &'a Docker,
        options: &'a Options,
        interrupt: &'a Interrupt,
        id: String,
    ) -> Result<Self, Unusable> {
        let made = Made::new(docker, id, options.keep);
        let mut builder = Self {
            docker,
            options,
            interrupt,
            made,
            way: Way::Own,
            has_buildx: false,
            sees_images: true,
            version: String::new(),
            reason: None,
        };
        if docker.kind == docker::Kind::Podman {
            if options.builder == Choice::ThrowAway {
                return Err(Unusable::Podman);
            }
            builder.way = Way::Podman;
            let version = docker.ask(&["version", "--format", "{{.Client.Version}}"], QUESTION);
            version.map_err(Unusable::Silent)?.trim().clone_into(&mut builder.version);
            return Ok(builder);
        }
        let both = docker.ask(&["version", "--format", "{{.Client.Version}} {{.Server.Version}}"], QUESTION);
        let both = both.map_err(Unusable::Silent)?;
        let mut versions = both.split_whitespace();
        let (client, server) = (versions.next().unwrap_or(""), versions.next().unwrap_or(""));
        if let Some(old) = [client, server].into_iter().find(|version| release(version) < (20, 10)) {
            return Err(Unusable::TooOld(old.to_owned()));
        }
        server.clone_into(&mut builder.version);
        match docker.ask(&["buildx", "version"], QUESTION) {
            Ok(_) => builder.has_buildx = true,
            Err(failure) if release(client) >= (23, 0) => return Err(Unusable::NoBuildx(failure)),
            Err(failure) if options.builder == Choice::ThrowAway => return Err(Unusable::NoThrowAway(failure)),
            Err(_) => {}
        }
        if options.builder != Choice::Own && builder.has_buildx {
            match builder.make_throw_away() {
                Ok(()) => builder.way = Way::ThrowAway,
                Err(failure) if options.builder == Choice::ThrowAway => return Err(Unusable::NoThrowAway(failure)),
                Err(failure) => builder.fall_back(failure.to_string()),
            }
        }
        if builder.way == Way::Own {
            builder.look_at_own();
        }
        Ok(builder)
    }

    fn name(&self) -> String {
        format!("restow-verify-{}", self.made.id)
    }

    fn make_throw_away(&self) -> Result<(), docker::Failure> {
        let name = self.name();
        let mut arguments = vec!["buildx", "create", "--name", &name, "--driver", "docker-container"];
        // Its RUN steps have the network of its own container.
        if self.options.asks_for_host_network() {
            let allowed = "--allow-insecure-entitlement network.host";
            arguments.extend(["--driver-opt", "network=host", "--buildkitd-flags", allowed]);
        }
        arguments.extend(self.options.driver_options.iter().flat_map(|option| ["--driver-opt", option]));
        arguments.push("--bootstrap");
        self.made.note_builder(&name);
        let made = self.docker.ask(&arguments, BOOTSTRAP.min(self.options.limit));
        if made.is_err() {
            self.made.remove_builder();
        }
        made.map(drop)
    }

    /// Takes the user's builder instead of a throw-away one.
    pub fn fall_back(&mut self, reason: String) {
        self.made.remove_builder();
        self.way = Way::Own;
        self.reason = Some(reason);
        self.look_at_own();
    }

    fn look_at_own(&mut self) {
        let is_docker = |said: String| said.lines().any(|line| line.split_whitespace().eq(["Driver:", "docker"]));
        self.sees_images = !self.has_buildx || self.docker.ask(&["buildx", "inspect"], QUESTION).is_ok_and(is_docker);
    }

    pub fn describe(&self) -> Described {
        let (mut not_measured, mut remains) = (Vec::new(), Vec::new());
        match self.way {
            Way::ThrowAway => {
                not_measured.push("the time that it takes to load an image into the engine".to_owned());
            }
            Way::Own => {
                not_measured.push("pulling the base images, which the builder keeps".to_owned());
                not_measured.push(
                    "a failure in an empty cache: what stands above the first install and beside it is in the cache of the clean build".to_owned(),
                );
                remains.push(
                    "the build cache of these builds, with cache mounts of their own: the builder drops it by its own rules (`docker builder prune` would, with all the rest)".to_owned(),
                );
            }
            Way::Podman => {
                not_measured.push("the forecast, which is for BuildKit".to_owned());
                not_measured.push("empty cache mounts: podman keeps one set for all builds".to_owned());
                remains.push(
                    "podman's layers of these builds (`podman image prune` removes those without a name)".to_owned(),
                );
            }
        }
        if self.options.keep {
            remains.extend(self.made.kept().into_iter().map(|command| format!("kept, until `{command}`")));
        }
        Described {
            kind: self.way,
            engine: self.docker.kind,
            version: self.version.clone(),
            reason: self.reason.clone(),
            not_measured,
            remains,
        }
    }

    /// Empties the throw-away builder's own cache; the user's is never touched.
    fn empty(&self) {
        if self.way == Way::ThrowAway {
            let arguments = ["buildx", "prune", "--builder", &self.name(), "--all", "--force"];
            let _ = self.docker.ask(&arguments, BOOTSTRAP);
        }
    }

    /// Builds. `watch` sees the log as it grows, and may stop the build.
    ///
    /// # Errors
    /// [`Failure`]; a build that breaks is none.
    pub fn build(&self, order: &Order<'_>, watch: &mut dyn FnMut(&Log) -> Next) -> Result<(Log, Ended), Failure> {
        let service = order.service;
        let mut arguments: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|word| (*word).to_owned()));
        match self.way {
            Way::ThrowAway => {
                if order.is_clean {
                    self.empty();
                }
                add(&["buildx", "build", "--builder", &self.name(), "--progress=plain"]);
                if service.network.as_deref() == Some("host") || self.options.asks_for_host_network() {
                    add(&["--allow", "network.host"]);
                }
                add(&[if order.tag.is_some() { "--load" } else { "--output=type=cacheonly" }]);
            }
            Way::Own if self.has_buildx => add(&["buildx", "build", "--progress=plain", "--load"]),
            Way::Own => add(&["build", "--progress=plain"]),
            Way::Podman => add(&["build", "--layers"]),
        }
        if self.way != Way::ThrowAway && order.is_clean {
            add(&["--no-cache"]);
        }
        if self.way == Way::Own {
            add(&["--build-arg", &format!("BUILDKIT_CACHE_MOUNT_NS={}", order.namespace)]);
        }
        if let Some(tag) = order.tag {
            add(&["--tag", tag]);
        }
        add(&["--label", &self.made.label(), "--file", &order.dockerfile.to_string_lossy()]);
        if let Some(target) = &service.target {
            add(&["--target", target]);
        }
        if let Some(network) = &service.network {
            add(&["--network", network]);
        }
        let passed = service.arguments.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        let passed = passed.filter(|(name, _)| order.argument.is_none_or(|(other, _)| other != *name));
        for (name, value) in passed.chain(order.argument.map(|(name, value)| (name, Some(value)))) {
            let pair = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
            add(&["--build-arg", &pair]);
        }
        let contexts = service.contexts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in contexts.chain(order.base) {
            add(&["--build-context", &format!("{name}={value}")]);
        }
        self.options.build_options.iter().for_each(|option| add(&[option]));
        add(&[&order.context.to_string_lossy()]);
        self.watched(&arguments, watch)
    }

    fn watched(&self, arguments: &[String], watch: &mut dyn FnMut(&Log) -> Next) -> Result<(Log, Ended), Failure> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = self.docker.command(&arguments);
        for (name, value) in [
            ("DOCKER_BUILDKIT", "1"),
            ("BUILDX_NO_DEFAULT_ATTESTATIONS", "1"),
            ("PROGRESS_NO_TRUNC", "1"),
            ("NO_COLOR", "1"),
        ] {
            command.env(name, value);
        }
        let mut log = Log::default();
        let mut on_line = |line: Option<&str>| {
            if let Some(line) = line {
                log.line(line);
            }
            watch(&log)
        };
        let ended = process::run(&mut command, self.options.limit, self.interrupt, &mut on_line)?;
        Ok((log, ended))
    }

    /// An image on top of `reference` with one file more, as the value of `--build-context`.
    ///
    /// # Errors
    /// Why there is none, as a reason why the scenario isn't measured.
    pub fn changed_base(&self, reference: &str, folder: &Path, mark: &str) -> Result<String, NoBase> {
        if self.has_triggers(reference) {
            return Err(NoBase::Not(format!(
                "{reference} has ONBUILD instructions, which a new image on top of it would run"
            )));
        }
        let context = folder.join(format!("base-{mark}"));
        let write = || {
            std::fs::create_dir_all(&context)?;
            std::fs::write(context.join("mark"), mark)?;
            std::fs::write(context.join("Dockerfile"), format!("FROM {reference}\nCOPY mark /restow-verify\n"))
        };
        write().map_err(|error| NoBase::Not(format!("{}: {error}", context.display())))?;
        let tag = format!("restow-verify/base:{}-{mark}", self.made.id);
        let layout = folder.join(format!("layout-{mark}"));
        let output = format!("--output=type=oci,dest={},tar=false", layout.display());
        let is_image = self.sees_images && self.way != Way::ThrowAway;
        let name = self.name();
        let mut arguments = match self.way {
            Way::ThrowAway => vec!["buildx", "build", "--builder", &name, "--progress=plain"],
            Way::Own if self.has_buildx => vec!["buildx", "build", "--progress=plain"],
            Way::Own => vec!["build", "--progress=plain"],
            Way::Podman => vec!["build"],
        };
        let label = self.made.label();
        arguments.extend(["--tag", &tag, "--label", &label]);
        if !is_image {
            arguments.push(&output);
        }
        let shown = context.to_string_lossy();
        arguments.push(&shown);
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        let (log, ended) = self.watched(&arguments, &mut |_| Next::Go).map_err(NoBase::Broke)?;
        if !ended.is_success {
            let said = log.last().last().cloned().unwrap_or_default();
            return Err(NoBase::Not(format!("no image on top of {reference} can be built: {said}")));
        }
        if is_image {
            return Ok(format!("docker-image://{tag}"));
        }
        let index = std::fs::read_to_string(layout.join("index.json")).unwrap_or_default();
        let index: serde_json::Value = serde_json::from_str(&index).unwrap_or_default();
        let digest = index["manifests"][0]["digest"].as_str().unwrap_or_default();
        Ok(format!("oci-layout://{}@{digest}", layout.display()))
    }

    fn has_triggers(&self, reference: &str) -> bool {
        let said = self.docker.ask(&["image", "inspect", "--format", "{{json .Config.OnBuild}}", reference], QUESTION);
        said.is_ok_and(|said| !matches!(said.trim(), "null" | "[]" | ""))
    }

    /// Whether the engine has an image, so that only a builder that sees the engine's images finds it.
    pub fn has_image(&self, reference: &str) -> bool {
        self.docker.ask(&["image", "inspect", "--format", "{{.Id}}", reference], QUESTION).is_ok()
    }

    /// Reads an image, through a container that is never started.
    ///
    /// # Errors
    /// The engine's, in words.
    pub fn image(&self, tag: &str) -> Result<Image, String> {
        let said = |failure: docker::Failure| failure.to_string();
        let config =
            self.docker.ask(&["image", "inspect", "--format", "{{json .Config}}", tag], QUESTION).map_err(said)?;
        let config = serde_json::from_str(&config).map_err(|error| format!("the configuration of {tag}: {error}"))?;
        let name = format!("restow-verify-{}", tag.rsplit(['/', ':']).next().unwrap_or("image"));
        let label = self.made.label();
        // It needs some command, and never runs it.
        self.docker
            .ask(&["create", "--name", &name, "--label", &label, tag, "true"], QUESTION.max(BOOTSTRAP))
            .map_err(said)?;
        let tree = self.export(&name);
        self.made.remove_container(&name);
        Ok(Image { tree: tree?, configuration: Configuration::read(&config) })
    }

    fn export(&self, container: &str) -> Result<same_image::Tree, String> {
        let mut command = self.docker.command(&["export", container]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = process::spawn(&mut command).map_err(|failure| failure.to_string())?;
        let stream = child.stdout.take().map(|stream| Watched { stream, interrupt: self.interrupt });
        let tree = stream.map_or_else(|| Err(std::io::Error::other("no output")), same_image::read);
        if tree.is_err() {
            let _ = child.kill();
        }
        let status = child.wait();
        match tree {
            Ok(tree) if status.is_ok_and(|status| status.success()) => Ok(tree),
            Ok(_) => Err(format!("{} export failed", self.docker.kind.name())),
            Err(error) => Err(format!("{} export: {error}", self.docker.kind.name())),
        }
    }
}

/// Why there is no changed base image.
pub enum NoBase {
    Not(String),
    Broke(Failure),
}

/// Major and minor number of a version.
fn release(version: &str) -> (u32, u32) {
    let mut numbers = version.split(|ch: char| !ch.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
