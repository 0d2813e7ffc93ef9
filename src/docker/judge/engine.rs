//! Whether there is an engine, whether it answers, and whether it is young enough.

use super::{Check, Needs, State, changes, many};
use crate::docker::Kind;
use crate::docker::engine::{Server, Silence};
use crate::docker::machine::Machine;

const INSTALL: &str =
    "install Docker 23 or later with buildx (https://docs.docker.com/engine/install/), or podman 4 or later";

pub fn check(machine: &Machine, needs: &Needs) -> Check {
    let at_stake = needs.here() > 0 || needs.buildkit().any();
    let nothing = |found: String| {
        let means = if at_stake {
            format!("nothing can be built here, so none of the {} in build files can be tried", changes(needs.here()))
        } else {
            "nothing can be built here, and no pending change waits for it".to_owned()
        };
        Check::new("engine", State::problem_if(at_stake), found, means).touching(needs.here())
    };
    match (machine.kind, &machine.server) {
        (None, _) => nothing("neither docker nor podman is in PATH".to_owned()).remedy(INSTALL),
        (Some(Kind::Podman), _) => own_podman(machine, needs),
        (Some(Kind::Docker), Err(silence)) => nothing(client(machine, silence)).remedy(mend(machine, silence)),
        (Some(Kind::Docker), Ok(server)) => answering(machine, server, needs),
    }
}

fn client(machine: &Machine, silence: &Silence) -> String {
    match &machine.client {
        Some(client) => format!("client {client}; {silence}"),
        None => silence.to_string(),
    }
}

fn mend(machine: &Machine, silence: &Silence) -> String {
    if !machine.is_local() {
        return "start the engine that DOCKER_HOST or the context names and make it reachable, or choose another one: `docker context ls`, `docker context use default`, `unset DOCKER_HOST`".to_owned();
    }
    match silence {
        Silence::Denied(_) => {
            "join the group of the socket and log in again: `sudo usermod -aG docker \"$USER\"` (its members are as good as root), or use rootless Docker".to_owned()
        }
        Silence::Stopped(_) => "start it: `sudo systemctl start docker`, or Docker Desktop".to_owned(),
        Silence::Late(_) => "look at what it does, and restart it: `sudo systemctl restart docker`".to_owned(),
        Silence::Other(_) => "run `docker version` and read what it says".to_owned(),
    }
}

fn answering(machine: &Machine, server: &Server, needs: &Needs) -> Check {
    let name = if server.is_podman { "podman" } else { "Docker" };
    let mut found = format!("{name} {}", server.version);
    if let Some(client) = machine.client.as_ref().filter(|client| **client != server.version) {
        found.push_str(&format!(", client {client}"));
    }
    if let Some(address) = machine.endpoint.as_ref().filter(|_| !machine.is_local()) {
        found.push_str(&format!(", at {address}"));
    }
    let (mounts, pending) = (needs.mounts, needs.mounts.pending);
    if server.os == "windows" {
        return Check::new(
            "engine",
            State::problem_if(mounts.any()),
            format!("{found}, Windows containers"),
            format!("Windows containers are built without BuildKit; RUN --mount fails there: {}", many(mounts)),
        )
        .touching(pending)
        .remedy(
            "switch to Linux containers: `& \"$Env:ProgramFiles\\Docker\\Docker\\DockerCli.exe\" -SwitchLinuxEngine`",
        );
    }
    if server.is_podman {
        return Check::new(
            "engine",
            State::warning_if(needs.here() > 0),
            found,
            "the client is Docker's, and podman builds through Docker's old interface: BuildKit's own features are not there, and buildx finds no builder",
        )
        .touching(needs.here())
        .remedy("build with `podman build`");
    }
    // The Dockerfile reader that knows RUN --mount came with 20.10; between 18.09 and it, a `# syntax` line brings it.
    if !server.version.is_at_least(20, 10, 0) {
        let means = if server.version.is_at_least(18, 9, 0) {
            "before Docker 20.10, RUN --mount needs BuildKit and `# syntax=docker/dockerfile:1` at the top of the Dockerfile, which restow does not write"
        } else {
            "before Docker 18.09 there is no BuildKit, and RUN --mount fails"
        };
        return Check::new("engine", State::problem_if(mounts.any()), found, format!("{means}: {}", many(mounts)))
            .touching(pending)
            .remedy("update to Docker 23 or later: https://docs.docker.com/engine/install/");
    }
    let means = match needs.here() {
        0 => "no pending change waits for it".to_owned(),
        count => format!("new enough for the {}", changes(count)),
    };
    Check::new("engine", State::Ok, found, means).touching(needs.here())
}

fn own_podman(machine: &Machine, needs: &Needs) -> Check {
    let Some(version) = &machine.client else {
        let why = machine.server.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let means = "nothing can be said of the changes";
        return Check::new("engine", State::Unknown, format!("podman; {why}"), means)
            .touching(needs.here())
            .remedy("run `podman version` and read what it says");
    };
    let found = format!("podman {version}");
    // Buildah 1.24, which is podman 4.0, is the first with `RUN --mount=type=cache`.
    if !version.is_at_least(4, 0, 0) {
        let means = format!("before podman 4.0, RUN --mount=type=cache fails: {}", many(needs.mounts));
        return Check::new("engine", State::problem_if(needs.mounts.any()), found, means)
            .touching(needs.mounts.pending)
            .remedy("update to podman 4 or later");
    }
    Check::new("engine", State::Ok, found, "it builds with Buildah, which has cache mounts of its own")
        .touching(needs.here())
}

/// What Buildah does otherwise than BuildKit.
pub fn podman(needs: &Needs) -> Vec<Check> {
    let own = "set `builder = \"podman\"` in restow.toml, so that restow leaves alone what podman can't do";
    let mounts = Check::new(
        "cache-mounts",
        State::warning_if(needs.mounts.any()),
        "Buildah keeps cache mounts in TMPDIR, by default /var/tmp/buildah-cache-UID; how much is not told",
        "a CI job that starts empty starts without them; folders above a mount belong to root alone, so a RUN of another user can't enter them; SELinux may deny a mount",
    )
    .touching(needs.mounts.pending);
    let caches = needs.caches();
    let entries = Check::new(
        "cache-export",
        State::problem_if(caches.any()),
        "Buildah reads no inline record and takes a repository without a tag as cache",
        format!("`cache_from` and `cache_to` as restow writes them are for BuildKit: {}", many(caches)),
    )
    .touching(caches.pending)
    .remedy(own);
    let entries = if caches.any() { entries } else { Check { state: State::Ok, remedy: None, ..entries } };
    vec![if needs.mounts.any() { mounts.remedy(own) } else { mounts }, entries]
}
