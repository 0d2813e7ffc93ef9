//! Everything that matters for builds on this machine, asked for once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::builder::{self, Builder, Usage};
use super::daemon_file::{self, DaemonFile, Unread};
use super::engine::{self, Info, Server, Silence};
use super::version::Version;
use super::{Docker, Failure, Kind, in_path};

/// Variables that decide how builds run.
pub const VARIABLES: [&str; 8] = [
    "DOCKER_BUILDKIT",
    "COMPOSE_DOCKER_CLI_BUILD",
    "BUILDKIT_PROGRESS",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "BUILDX_BUILDER",
    "BUILDKIT_HOST",
    "COMPOSE_BAKE",
];

/// The answer to a question that may have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<T> {
    Is(T),
    /// It is not there.
    Absent,
    /// Why it can't be told.
    Unknown(String),
}

impl<T> Told<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Told::Is(value) => Some(value),
            Told::Absent | Told::Unknown(_) => None,
        }
    }
}

impl<T: Serialize> Serialize for Told<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.known().serialize(serializer)
    }
}

/// What a machine has to build with.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// None without docker and podman.
    pub kind: Option<Kind>,
    pub client: Option<Version>,
    #[serde(serialize_with = "answering")]
    pub server: Result<Server, Silence>,
    pub info: Told<Info>,
    /// The address of the engine, without a user's name.
    pub endpoint: Option<String>,
    pub buildx: Told<Version>,
    /// `docker compose`.
    pub compose: Told<Version>,
    /// The program `docker-compose`.
    pub docker_compose: Told<Version>,
    /// The builder that buildx, bake and Compose use.
    pub builder: Told<Builder>,
    /// What its cache takes.
    pub usage: Option<Usage>,
    /// Where the engine's daemon.json stands; none where the engine is on another machine, or can't be told.
    pub daemon_path: Option<PathBuf>,
    #[serde(serialize_with = "read")]
    pub daemon: Result<DaemonFile, Unread>,
    /// Whether `docker build` means `docker buildx build` by the client's configuration (`docker buildx install`).
    pub has_alias: bool,
    /// Those of [`VARIABLES`] that are set and not empty.
    pub environment: BTreeMap<String, String>,
}

fn answering<S: Serializer>(server: &Result<Server, Silence>, serializer: S) -> Result<S::Ok, S::Error> {
    server.as_ref().ok().serialize(serializer)
}

fn read<S: Serializer>(daemon: &Result<DaemonFile, Unread>, serializer: S) -> Result<S::Ok, S::Error> {
    daemon.as_ref().ok().serialize(serializer)
}

impl Machine {
    /// One without anything to build with.
    pub fn bare(environment: BTreeMap<String, String>) -> Self {
        Self {
            kind: None,
            client: None,
            server: Err(Silence::Stopped("neither docker nor podman is in PATH".to_owned())),
            info: Told::Absent,
            endpoint: None,
            buildx: Told::Absent,
            compose: Told::Absent,
            docker_compose: Told::Absent,
            builder: Told::Absent,
            usage: None,
            daemon_path: None,
            daemon: Err(Unread::Missing),
            has_alias: false,
            environment,
        }
    }

    /// Asks this machine. No question takes longer than `limit`.
    pub fn ask(limit: Duration) -> Self {
        let set = |name: &&str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            Some(((*name).to_owned(), without_user(value)))
        };
        let mut machine = Self::bare(VARIABLES.iter().filter_map(set).collect());
        machine.docker_compose = standalone(limit);
        let Some(docker) = Docker::find() else { return machine };
        machine.kind = Some(docker.kind);
        match docker.answer(&["version", "--format", "{{json .}}"], limit) {
            Ok(answer) => (machine.client, machine.server) = engine::versions(&answer),
            Err(failure @ Failure::Late { .. }) => machine.server = Err(Silence::Late(failure.to_string())),
            Err(failure) => machine.server = Err(Silence::Other(failure.to_string())),
        }
        if docker.kind == Kind::Podman {
            return machine;
        }
        machine.has_alias = has_alias();
        machine.ask_docker(&docker, limit);
        machine.find_daemon_file();
        machine
    }

    /// The questions that only Docker answers, at the same time.
    fn ask_docker(&mut self, docker: &Docker, limit: Duration) {
        let answers = self.server.is_ok();
        std::thread::scope(|scope| {
            let buildx = scope.spawn(|| plugin(docker, &["buildx", "version"], limit));
            let compose = scope.spawn(|| plugin(docker, &["compose", "version", "--short"], limit));
            let endpoint = scope.spawn(|| docker.ask(&["context", "inspect"], limit));
            if answers {
                let info = scope.spawn(|| docker.ask(&["info", "--format", "{{json .}}"], limit));
                let builder = scope.spawn(|| docker.answer(&["buildx", "inspect"], limit));
                let usage = scope.spawn(|| docker.ask(&["buildx", "du", "--verbose"], limit));
                self.info = match info.join() {
                    Ok(Ok(out)) => engine::info(&out).map_or_else(|| unknown("docker info tells no driver"), Told::Is),
                    Ok(Err(failure)) => unknown(&failure.to_string()),
                    Err(_) => unknown("docker info was not read"),
                };
                self.builder = match builder.join() {
                    Ok(Ok(answer)) => builder::inspect(&answer.out).map_or_else(
                        || unknown(answer.err.lines().last().unwrap_or("docker buildx inspect tells no driver")),
                        Told::Is,
                    ),
                    Ok(Err(failure)) => unknown(&failure.to_string()),
                    Err(_) => unknown("docker buildx inspect was not read"),
                };
                self.usage = usage.join().ok().and_then(Result::ok).and_then(|out| builder::usage(&out));
            }
            self.buildx = buildx.join().unwrap_or_else(|_| unknown("docker buildx version was not read"));
            self.compose = compose.join().unwrap_or_else(|_| unknown("docker compose version was not read"));
            self.endpoint =
                endpoint.join().ok().and_then(Result::ok).and_then(|out| engine::endpoint(&out)).map(without_user);
        });
        if self.buildx == Told::Absent {
            self.builder = Told::Absent;
            if answers {
                let df = docker.ask(&["system", "df", "-v", "--format", "{{json .}}"], limit);
                self.usage = df.ok().and_then(|out| builder::usage_of_engine(&out));
            }
        }
    }

    fn find_daemon_file(&mut self) {
        let is_podman = self.server.as_ref().is_ok_and(|server| server.is_podman);
        if !self.is_local() || is_podman {
            return;
        }
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (home, config) = (home(), variable("XDG_CONFIG_HOME"));
        let info = self.info.known();
        let is = |what: fn(&Info) -> bool| info.is_some_and(what);
        self.daemon_path = daemon_file::place(
            is(|info| info.is_desktop),
            is(|info| info.is_rootless),
            home.as_deref(),
            config.as_deref(),
        );
        if let Some(path) = &self.daemon_path {
            self.daemon = daemon_file::read(path);
        }
    }

    /// Whether the engine runs on this machine, as far as its address tells.
    pub fn is_local(&self) -> bool {
        let address = self.endpoint.as_ref().or_else(|| self.environment.get("DOCKER_HOST"));
        address.is_none_or(|address| address.starts_with("unix:") || address.starts_with("npipe:"))
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }
}

fn unknown<T>(why: &str) -> Told<T> {
    Told::Unknown(why.trim().to_owned())
}

fn home() -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The version of a plugin of the engine's client. A client that does not know the command has none.
fn plugin(docker: &Docker, arguments: &[&str], limit: Duration) -> Told<Version> {
    match docker.answer(arguments, limit) {
        Ok(answer) if answer.is_success => {
            Version::parse(&answer.out).map_or_else(|| unknown("its version can't be read"), Told::Is)
        }
        // Which words it says depends on the version; all of them are about the command itself.
        Ok(_) => Told::Absent,
        Err(failure) => unknown(&failure.to_string()),
    }
}

/// `docker-compose`, which is a program of its own.
fn standalone(limit: Duration) -> Told<Version> {
    let Some(program) = in_path("docker-compose") else { return Told::Absent };
    let program = Docker { program, kind: Kind::Docker };
    match program.ask(&["version", "--short"], limit) {
        Ok(out) => Version::parse(&out).map_or_else(|| unknown("its version can't be read"), Told::Is),
        Err(failure) => unknown(&failure.to_string()),
    }
}

/// Whether the client's configuration makes `docker build` a command of buildx.
fn has_alias() -> bool {
    let folder = std::env::var_os("DOCKER_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = folder.or_else(|| Some(home()?.join(".docker")));
    folder.and_then(|folder| std::fs::read_to_string(Path::new(&folder).join("config.json")).ok()).is_some_and(|text| {
        let config: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        config["aliases"]["builder"].as_str() == Some("buildx")
    })
}

/// `ssh://user@host` without the user: nobody else's business.
fn without_user(address: String) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let host = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
            format!("{scheme}://{host}{}", &rest[end..])
        }
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_its_user() {
        for (address, expected) in [
            ("ssh://me:secret@host:22/run", "ssh://host:22/run"),
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("tcp://10.0.0.1:2376", "tcp://10.0.0.1:2376"),
            ("odd", "odd"),
        ] {
            assert_eq!(without_user(address.to_owned()), expected);
        }
    }

    #[test]
    fn an_engine_elsewhere_is_not_local() {
        let mut machine = Machine::bare(BTreeMap::new());
        assert!(machine.is_local());
        machine.environment.insert("DOCKER_HOST".to_owned(), "tcp://10.0.0.1:2376".to_owned());
        assert!(!machine.is_local());
        machine.endpoint = Some("unix:///run/user/1000/docker.sock".to_owned());
        assert!(machine.is_local());
    }
}
