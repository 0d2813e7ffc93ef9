//! Whether BuildKit builds, and whether buildx is there.

use super::{Check, Needs, State, many};
use crate::docker::daemon_file::Unread;
use crate::docker::machine::{Machine, Told};

const INSTALL_BUILDX: &str = "install buildx: the package docker-buildx-plugin of Docker's repositories, docker-buildx of Debian and Ubuntu, or https://docs.docker.com/go/buildx/";

/// Whether `docker build` uses BuildKit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildKit {
    On(String),
    /// The builder before it is used.
    Off(String),
    /// Builds fail.
    Broken(String),
    Unknown(String),
}

/// By docker/cli: `cmd/docker/builder.go`, and `BuildKitEnabled` of 20.10 and of later versions.
pub fn state(machine: &Machine) -> (BuildKit, &'static str) {
    const UNSET: &str = "unset it: `unset DOCKER_BUILDKIT`, and take it out of the profile that sets it";
    const SET: &str = "set it: `export DOCKER_BUILDKIT=1`, or \"features\": {\"buildkit\": true} in daemon.json and restart Docker; or update to Docker 23";
    let Some(client) = &machine.client else {
        return (BuildKit::Unknown("the version of the client is not told".to_owned()), "run `docker version`");
    };
    // Since 23 `docker build` means `docker buildx build`; the daemon's own setting is not looked at (measured with 28.5.2).
    let is_new = client.is_at_least(23, 0, 0);
    let no_buildx = is_new && machine.buildx == Told::Absent;
    match machine.variable("DOCKER_BUILDKIT").map(|value| (value, boolean(value))) {
        Some((value, None)) => {
            let why = format!("DOCKER_BUILDKIT={value} is neither true nor false, and every build fails by it");
            return (BuildKit::Broken(why), UNSET);
        }
        Some((value, Some(false))) => {
            let why = format!("off: DOCKER_BUILDKIT={value} switches it off");
            return (BuildKit::Off(why), if is_new { UNSET } else { SET });
        }
        Some((value, Some(true))) if no_buildx => {
            let why = format!("DOCKER_BUILDKIT={value} asks for it, buildx is not there, and every build fails by it");
            return (BuildKit::Broken(why), INSTALL_BUILDX);
        }
        Some((value, Some(true))) => return (BuildKit::On(format!("on: DOCKER_BUILDKIT={value}")), SET),
        None => {}
    }
    if is_new {
        return match &machine.buildx {
            Told::Absent => (
                BuildKit::Off("off: without buildx Docker falls back to the builder before it".to_owned()),
                INSTALL_BUILDX,
            ),
            Told::Is(_) => (BuildKit::On("on: the default since Docker 23".to_owned()), UNSET),
            Told::Unknown(why) => {
                (BuildKit::Unknown(format!("whether buildx is there is not told: {why}")), INSTALL_BUILDX)
            }
        };
    }
    if machine.has_alias && machine.buildx.known().is_some() {
        return (BuildKit::On("on: `docker buildx install` was called".to_owned()), SET);
    }
    let is_desktop = machine.info.known().is_some_and(|info| info.is_desktop);
    let feature = machine.daemon.as_ref().map(|file| file.buildkit);
    let found = match (feature, &machine.daemon_path) {
        (Ok(Some(true)), _) => BuildKit::On("on: daemon.json switches it on".to_owned()),
        (Ok(Some(false)), _) => BuildKit::Off("off: \"features\": {\"buildkit\": false} in daemon.json".to_owned()),
        (Ok(None) | Err(Unread::Missing), _) if is_desktop => BuildKit::On("on: Docker Desktop's default".to_owned()),
        (Ok(None) | Err(Unread::Missing), Some(_)) => {
            BuildKit::Off(format!("off: the default of the client, {client}, which is older than Docker 23"))
        }
        _ => BuildKit::Unknown(format!(
            "the engine decides for a client before Docker 23 ({client}), and its daemon.json can't be read"
        )),
    };
    (found, SET)
}

/// As Go reads booleans.
fn boolean(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

pub fn buildkit(machine: &Machine, needs: &Needs) -> Check {
    let needed = needs.buildkit();
    if machine.server.as_ref().is_ok_and(|server| server.os == "windows") {
        let means = "see engine";
        return Check::new("buildkit", State::Ok, "off: the engine runs Windows containers", means);
    }
    let check =
        |state, found: String, means: String| Check::new("buildkit", state, found, means).touching(needed.pending);
    let (state, remedy) = state(machine);
    match state {
        BuildKit::On(found) => {
            let version = machine.builder.known().and_then(|builder| builder.buildkit.as_ref());
            match version {
                // Dockerfile 1.2, with which RUN --mount came, is in BuildKit 0.8.
                Some(version) if !version.is_at_least(0, 8, 0) => check(
                    State::problem_if(needs.mounts.any()),
                    format!("{found}, BuildKit {version}"),
                    format!("before BuildKit 0.8, RUN --mount fails without a `# syntax` line: {}", many(needs.mounts)),
                )
                .remedy("make the builder anew: `docker buildx rm NAME`, `docker buildx create --name NAME --use`"),
                version => {
                    let version = version.map(|version| format!(", BuildKit {version}")).unwrap_or_default();
                    check(State::Ok, format!("{found}{version}"), means(needs, "works"))
                }
            }
        }
        BuildKit::Off(found) => {
            let means = if needed.any() {
                means(needs, "does not work")
            } else {
                "nothing here needs it: an order of steps helps every builder".to_owned()
            };
            check(State::problem_if(needed.any()), found, means).remedy(remedy)
        }
        BuildKit::Broken(found) => {
            let touched = needs.here();
            let state = State::problem_if(touched > 0 || needed.any());
            check(state, found, "nothing is built until that is mended".to_owned()).touching(touched).remedy(remedy)
        }
        BuildKit::Unknown(found) => {
            check(State::Unknown, found, format!("RUN --mount and `cache_to` need BuildKit: {}", many(needed)))
                .remedy(remedy)
        }
    }
}

/// What BuildKit, there or not, means for what needs it.
fn means(needs: &Needs, works: &str) -> String {
    let (mounts, caches) = (needs.mounts, needs.caches());
    let fails = if works == "works" { "" } else { " (the build stops with \"the --mount option requires BuildKit\")" };
    let ignored = if works == "works" { "" } else { " (the builder before BuildKit passes over it)" };
    match (mounts.any(), caches.any()) {
        (false, false) => "nothing here needs it".to_owned(),
        (true, false) => format!("RUN --mount {works}{fails}: {}", many(mounts)),
        (false, true) => format!("`cache_to` {works}{ignored}: {}", many(caches)),
        (true, true) => {
            format!("RUN --mount {works}{fails}: {}; `cache_to` {works}{ignored}: {}", many(mounts), many(caches))
        }
    }
}

pub fn buildx(machine: &Machine, needs: &Needs) -> Check {
    let caches = needs.caches();
    let check =
        |state, found: String, means: String| Check::new("buildx", state, found, means).touching(caches.pending);
    match &machine.buildx {
        Told::Is(version) => {
            let means = "`docker build`, bake and Compose reach BuildKit through it";
            check(State::Ok, format!("buildx {version}"), means.to_owned())
        }
        Told::Absent => {
            // Compose 2 brought a buildx of its own; version 5 does not.
            let own = machine.compose.known().or(machine.docker_compose.known());
            let has_own = own.is_some_and(|version| version.is_at_least(2, 0, 0) && !version.is_at_least(5, 0, 0));
            let means = match (caches.any(), has_own) {
                (true, false) => format!("cache entries of compose and bake files need it: {}", many(caches)),
                (true, true) => "Compose has one of its own; `docker buildx` and bake are missing".to_owned(),
                (false, _) => "no cache entry here needs it; for RUN --mount see buildkit".to_owned(),
            };
            check(State::problem_if(caches.any() && !has_own), "not installed, or it does not start".to_owned(), means)
                .remedy(INSTALL_BUILDX)
        }
        Told::Unknown(why) => check(State::Unknown, why.clone(), format!("cache entries need it: {}", many(caches))),
    }
}
