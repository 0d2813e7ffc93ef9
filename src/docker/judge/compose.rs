//! Which Compose there is, and with what it builds.

use super::build::{BuildKit, state as buildkit};
use super::{Check, Needs, State, many};
use crate::docker::machine::{Machine, Told};
use crate::docker::version::Version;

const INSTALL: &str = "install Compose 2 and call it as `docker compose`: the package docker-compose-plugin of Docker's repositories, docker-compose-v2 of Ubuntu, or https://docs.docker.com/compose/install/";

pub fn check(machine: &Machine, needs: &Needs) -> Check {
    let program = &machine.docker_compose;
    match (&machine.compose, program) {
        (Told::Is(version), _) => plugin(version, machine, needs),
        (_, Told::Is(version)) if version.is_at_least(2, 0, 0) => plugin(version, machine, needs),
        (_, Told::Is(version)) => first(version, machine, needs),
        (Told::Unknown(why), _) | (_, Told::Unknown(why)) => {
            let state = if needs.services > 0 { State::Unknown } else { State::Ok };
            of(needs, state, format!("its version is not told: {why}"), services(needs))
        }
        (Told::Absent, Told::Absent) if needs.services == 0 => {
            of(needs, State::Ok, "not installed", "no compose file here builds an image")
        }
        (Told::Absent, Told::Absent) => {
            let means = format!("{}, and can't be built so here", services(needs));
            of(needs, State::problem_if(needs.compose > 0), "not installed", means).remedy(INSTALL)
        }
    }
}

fn of(needs: &Needs, state: State, found: impl Into<String>, means: impl Into<String>) -> Check {
    Check::new("compose", state, found, means).touching(needs.compose)
}

fn services(needs: &Needs) -> String {
    match needs.services {
        1 => "1 service is built by Compose".to_owned(),
        count => format!("{count} services are built by Compose"),
    }
}

/// Version 2 and later.
fn plugin(version: &Version, machine: &Machine, needs: &Needs) -> Check {
    let found = format!("Compose {version}");
    let caches = needs.caches();
    if !version.is_at_least(2, 4, 0) && caches.any() && needs.services > 0 {
        let means = format!("before Compose 2.4 a file with `cache_to` is refused: {}", many(caches));
        return of(needs, State::Problem, found, means).remedy("update Compose to 2.4 or later");
    }
    let is_at_stake = needs.compose > 0 || needs.services > 0 && needs.mounts.any();
    // docker/compose `pkg/compose/build_bake.go`: since 2.40.2 an older buildx is an error.
    let old = machine.buildx.known().filter(|buildx| !buildx.is_at_least(0, 17, 0));
    if let Some(buildx) = old.filter(|_| version.is_at_least(2, 40, 2)) {
        let means = format!("`docker compose build` refuses to work with buildx {buildx}; {}", services(needs));
        let state = if needs.services == 0 { State::Ok } else { State::problem_if(is_at_stake) };
        return of(needs, state, found, means).touching(needs.here()).remedy("update buildx to 0.17 or later");
    }
    // Version 5 has no builder of its own any more.
    if version.is_at_least(5, 0, 0) && machine.buildx == Told::Absent && needs.services > 0 {
        let means = format!("without buildx it builds without BuildKit, and RUN --mount fails; {}", services(needs));
        return of(needs, State::problem_if(is_at_stake), found, means)
            .touching(needs.here())
            .remedy("install buildx: https://docs.docker.com/go/buildx/");
    }
    if let Some(first) = machine.docker_compose.known().filter(|other| !other.is_at_least(2, 0, 0)) {
        let means =
            "the old program refuses `cache_to` and may build without BuildKit; what calls `docker-compose` gets it";
        let state = State::warning_if(needs.services > 0);
        return of(needs, state, format!("{found}, and the program docker-compose {first}"), means)
            .remedy("call `docker compose`, and remove docker-compose");
    }
    let means = if needs.services == 0 { "no compose file here builds an image".to_owned() } else { services(needs) };
    of(needs, State::Ok, found, means)
}

/// Version 1, the Python program.
fn first(version: &Version, machine: &Machine, needs: &Needs) -> Check {
    let found = format!("docker-compose {version} alone, out of support since 2023");
    let check = |state, means: String| of(needs, state, found.clone(), means).remedy(INSTALL);
    if needs.services == 0 {
        return of(needs, State::Ok, found, "no compose file here builds an image");
    }
    if needs.caches().any() {
        return check(State::Problem, format!("it refuses a file with `cache_to`: {}", many(needs.caches())));
    }
    let variable = machine.variable("COMPOSE_DOCKER_CLI_BUILD");
    // CHANGELOG.md of docker/compose 1.29.2: known since 1.25, on since 1.28.
    let calls_docker = match variable {
        Some(value) => !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "f" | "no" | "n" | "off"),
        None => version.is_at_least(1, 28, 0),
    };
    let is_on = calls_docker && version.is_at_least(1, 25, 0) && matches!(buildkit(machine).0, BuildKit::On(_));
    if !is_on && needs.mounts.any() {
        let why = match variable {
            Some(value) if !calls_docker => format!("COMPOSE_DOCKER_CLI_BUILD={value} keeps it from BuildKit"),
            _ => "it does not build with BuildKit".to_owned(),
        };
        let means = format!("{why}, and RUN --mount fails: {}", many(needs.mounts));
        return check(State::Problem, means)
            .touching(needs.mounts.pending)
            .remedy(format!("{INSTALL}; until then `export COMPOSE_DOCKER_CLI_BUILD=1 DOCKER_BUILDKIT=1`"));
    }
    check(State::Warning, format!("{}; it calls `docker build`", services(needs)))
}
