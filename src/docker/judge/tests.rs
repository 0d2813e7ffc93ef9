//! Every rule, on machines made by hand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::docker::builder::{Builder, Rule, Usage};
use crate::docker::daemon_file::{DaemonFile, Unread};
use crate::docker::engine::{Info, Server, Silence, Store};
use crate::docker::machine::Told;
use crate::docker::version::Version;

const NOTHING: Needs = Needs {
    changes: 0,
    mounts: Count { pending: 0, there: 0 },
    exports: Count { pending: 0, there: 0 },
    inline: Count { pending: 0, there: 0 },
    imports: 0,
    compose: 0,
    ci: 0,
    services: 0,
};
const MOUNTS: Needs = Needs { changes: 2, mounts: Count { pending: 2, there: 0 }, ..NOTHING };
const EXPORTS: Needs =
    Needs { changes: 1, exports: Count { pending: 1, there: 0 }, compose: 1, services: 1, ..NOTHING };
const INLINE: Needs = Needs { changes: 1, inline: Count { pending: 1, there: 0 }, compose: 1, services: 1, ..NOTHING };
/// Service with mounts.
const BUILT_BY_COMPOSE: Needs = Needs { services: 1, ..MOUNTS };

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

/// Docker of a version on both sides, with buildx, Compose 2 and its own builder.
fn docker(text: &str) -> Machine {
    let server = Server { version: version(text), os: "linux".to_owned(), is_podman: false };
    let info =
        Info { storage: "overlay2".to_owned(), store: Store::Graphdriver, is_rootless: false, is_desktop: false };
    let rule = Rule {
        types: ["source.local", "exec.cachemount", "source.git.checkout"].map(str::to_owned).to_vec(),
        unused: Some(Duration::from_secs(48 * 3600)),
        limit: Some(3_600_000_000),
    };
    let builder = Builder {
        name: "default".to_owned(),
        driver: "docker".to_owned(),
        status: Some("running".to_owned()),
        buildkit: None,
        rules: vec![rule],
    };
    Machine {
        kind: Some(Kind::Docker),
        client: Some(version(text)),
        server: Ok(server),
        info: Told::Is(info),
        buildx: Told::Is(version("0.29.1")),
        compose: Told::Is(version("2.40.3")),
        builder: Told::Is(builder),
        usage: Some(Usage { total: 2_000_000_000, mounts: 100_000_000, group: 200_000_000 }),
        daemon_path: Some(PathBuf::from("/etc/docker/daemon.json")),
        ..Machine::bare(BTreeMap::new())
    }
}

fn podman(text: &str) -> Machine {
    Machine { kind: Some(Kind::Podman), client: Some(version(text)), ..Machine::bare(BTreeMap::new()) }
}

trait With: Sized {
    fn with(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl With for Machine {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

fn variable(machine: Machine, name: &str, value: &str) -> Machine {
    machine.with(|machine| drop(machine.environment.insert(name.to_owned(), value.to_owned())))
}

fn containerd(machine: Machine) -> Machine {
    machine.with(|machine| {
        let Told::Is(info) = &mut machine.info else { panic!() };
        info.store = Store::Containerd;
        info.storage = "overlayfs".to_owned();
    })
}

fn driver(machine: Machine, name: &str) -> Machine {
    machine.with(|machine| {
        let Told::Is(builder) = &mut machine.builder else { panic!() };
        builder.driver = name.to_owned();
    })
}

fn features(machine: Machine, file: DaemonFile) -> Machine {
    machine.with(|machine| machine.daemon = Ok(file))
}

#[track_caller]
fn check(machine: &Machine, needs: &Needs, id: &str) -> Check {
    let checks = judge(machine, needs);
    let found = checks.iter().find(|check| check.id == id);
    found.unwrap_or_else(|| panic!("no check {id} in {checks:#?}")).clone()
}

#[track_caller]
fn assert_state(machine: &Machine, needs: &Needs, id: &str, state: State) -> Check {
    let check = check(machine, needs, id);
    assert_eq!(check.state, state, "{check:#?}");
    assert!(state != State::Problem || check.remedy.is_some(), "a problem without remedy: {check:#?}");
    check
}

#[test]
fn a_fine_machine_has_no_problem() {
    for needs in [NOTHING, MOUNTS, INLINE, BUILT_BY_COMPOSE] {
        for machine in [docker("23.0.6"), docker("28.5.2")] {
            let checks = judge(&machine, &needs);
            assert!(checks.iter().all(|check| check.state == State::Ok), "{checks:#?}");
            assert_eq!(checks.len(), 9);
        }
    }
    let check = check(&docker("28.5.2"), &MOUNTS, "buildkit");
    assert_eq!(check.touches, 2);
    assert!(check.means.contains("2 pending changes"), "{check:?}");
}

#[test]
fn a_machine_without_an_engine_is_a_problem_only_for_what_is_built_here() {
    let machine = Machine::bare(BTreeMap::new());
    let missing = assert_state(&machine, &MOUNTS, "engine", State::Problem);
    assert!(missing.remedy.unwrap().contains("docs.docker.com"));
    assert_state(&machine, &NOTHING, "engine", State::Warning);
    assert_state(&machine, &Needs { changes: 1, ci: 1, ..NOTHING }, "engine", State::Warning);
    assert_state(&machine, &Needs { mounts: Count { pending: 0, there: 1 }, ..NOTHING }, "engine", State::Problem);
    let ids: Vec<&str> = judge(&machine, &MOUNTS).iter().map(|check| check.id).collect();
    assert_eq!(ids, ["engine", "environment"]);
}

#[test]
fn an_engine_that_does_not_answer_has_the_remedy_for_its_reason() {
    let silent = |silence| docker("28.5.2").with(|machine| machine.server = Err(silence));
    for (silence, remedy) in [
        (Silence::Denied("permission denied".to_owned()), "usermod -aG docker"),
        (Silence::Stopped("Cannot connect".to_owned()), "systemctl start docker"),
        (Silence::Late("docker version gave no answer within 10 s".to_owned()), "systemctl restart docker"),
        (Silence::Other("boom".to_owned()), "`docker version`"),
    ] {
        let machine = silent(silence);
        let check = assert_state(&machine, &MOUNTS, "engine", State::Problem);
        assert!(check.remedy.unwrap().contains(remedy));
        assert!(judge(&machine, &MOUNTS).iter().all(|check| !matches!(check.id, "buildkit" | "cache-export")));
    }
    let elsewhere = silent(Silence::Stopped("Cannot connect".to_owned()))
        .with(|machine| machine.endpoint = Some("tcp://10.0.0.1:2376".to_owned()));
    let check = check(&elsewhere, &MOUNTS, "engine");
    assert!(check.remedy.unwrap().contains("DOCKER_HOST"));
}

#[test]
fn an_engine_that_is_too_old_for_mounts_says_so() {
    for (text, says) in [("19.03.15", "# syntax"), ("18.09.9", "# syntax"), ("17.12.1-ce", "no BuildKit")] {
        let check = assert_state(&docker(text), &MOUNTS, "engine", State::Problem);
        assert!(check.means.contains(says), "{check:?}");
    }
    assert_state(&docker("19.03.15"), &NOTHING, "engine", State::Warning);
    assert_state(&docker("20.10.0"), &MOUNTS, "engine", State::Ok);
}

#[test]
fn windows_containers_are_built_without_buildkit() {
    let machine = docker("28.5.2").with(|machine| {
        let Ok(server) = &mut machine.server else { panic!() };
        server.os = "windows".to_owned();
    });
    assert_state(&machine, &MOUNTS, "engine", State::Problem);
    assert_state(&machine, &NOTHING, "engine", State::Warning);
}

#[test]
fn the_variable_switches_buildkit_off_and_on() {
    for value in ["0", "false", "F"] {
        let machine = variable(docker("28.5.2"), "DOCKER_BUILDKIT", value);
        let check = assert_state(&machine, &MOUNTS, "buildkit", State::Problem);
        assert!(check.remedy.unwrap().contains("unset DOCKER_BUILDKIT"));
        assert_state(&machine, &NOTHING, "buildkit", State::Warning);
        assert!(judge(&machine, &MOUNTS).iter().all(|check| check.id != "cache-export"));
    }
    assert_state(&variable(docker("20.10.24"), "DOCKER_BUILDKIT", "1"), &MOUNTS, "buildkit", State::Ok);
    let broken =
        assert_state(&variable(docker("28.5.2"), "DOCKER_BUILDKIT", "yes"), &MOUNTS, "buildkit", State::Problem);
    assert!(broken.found.contains("neither true nor false"));
}

#[test]
fn docker_before_23_builds_without_buildkit_unless_it_is_told() {
    let off = assert_state(&docker("20.10.24"), &MOUNTS, "buildkit", State::Problem);
    assert!(off.remedy.unwrap().contains("export DOCKER_BUILDKIT=1"));
    let on = DaemonFile { buildkit: Some(true), ..DaemonFile::default() };
    assert_state(&features(docker("20.10.24"), on), &MOUNTS, "buildkit", State::Ok);
    let alias = docker("20.10.24").with(|machine| machine.has_alias = true);
    assert_state(&alias, &MOUNTS, "buildkit", State::Ok);
    let desktop = docker("20.10.24").with(|machine| {
        let Told::Is(info) = &mut machine.info else { panic!() };
        info.is_desktop = true;
    });
    assert_state(&desktop, &MOUNTS, "buildkit", State::Ok);
    let unread = docker("20.10.24").with(|machine| machine.daemon = Err(Unread::Unreadable("denied".to_owned())));
    assert_state(&unread, &MOUNTS, "buildkit", State::Unknown);
    let elsewhere = docker("20.10.24").with(|machine| machine.daemon_path = None);
    assert_state(&elsewhere, &MOUNTS, "buildkit", State::Unknown);
}

/// Measured: the client of 28.5.2 builds with BuildKit on an engine with the feature off, the one of 20.10.24 does not.
#[test]
fn the_feature_of_the_daemon_counts_for_old_clients_only() {
    let off = DaemonFile { buildkit: Some(false), ..DaemonFile::default() };
    assert_state(&features(docker("28.5.2"), off.clone()), &MOUNTS, "buildkit", State::Ok);
    assert_state(&features(docker("28.5.2"), off.clone()), &MOUNTS, "daemon-json", State::Warning);
    let old = assert_state(&features(docker("20.10.24"), off.clone()), &MOUNTS, "buildkit", State::Problem);
    assert!(old.found.contains("daemon.json"));
    // The client decides, not the engine.
    let mixed = features(docker("28.5.2"), off).with(|machine| machine.client = Some(version("20.10.24")));
    assert_state(&mixed, &MOUNTS, "buildkit", State::Problem);
}

#[test]
fn without_buildx_a_new_client_falls_back() {
    let machine = docker("28.5.2").with(|machine| {
        machine.buildx = Told::Absent;
        machine.builder = Told::Absent;
    });
    let check = assert_state(&machine, &MOUNTS, "buildkit", State::Problem);
    assert!(check.remedy.unwrap().contains("docker-buildx"));
    let asked = variable(machine, "DOCKER_BUILDKIT", "1");
    let broken = assert_state(&asked, &Needs { changes: 1, ..NOTHING }, "buildkit", State::Problem);
    assert!(broken.found.contains("every build fails"));
    let old = variable(docker("20.10.24"), "DOCKER_BUILDKIT", "1").with(|machine| machine.buildx = Told::Absent);
    assert_state(&old, &MOUNTS, "buildkit", State::Ok);
    // Compose 2 has a buildx of its own.
    assert_state(&old, &INLINE, "buildx", State::Warning);
    assert_state(&old.with(|machine| machine.compose = Told::Absent), &INLINE, "buildx", State::Problem);
    let untold = docker("28.5.2").with(|machine| machine.buildx = Told::Unknown("late".to_owned()));
    assert_state(&untold, &MOUNTS, "buildkit", State::Unknown);
    assert_state(&untold, &MOUNTS, "buildx", State::Unknown);
}

#[test]
fn an_old_builder_refuses_mounts() {
    let machine = docker("28.5.2").with(|machine| {
        let Told::Is(builder) = &mut machine.builder else { panic!() };
        builder.buildkit = Some(version("v0.7.2"));
    });
    assert_state(&machine, &MOUNTS, "buildkit", State::Problem);
}

#[test]
fn only_inline_is_written_by_the_docker_driver_with_dockers_own_store() {
    let check = assert_state(&docker("28.5.2"), &EXPORTS, "cache-export", State::Problem);
    assert!(check.means.contains("Cache export is not supported for the docker driver"));
    assert!(check.remedy.unwrap().contains("docker buildx create"));
    assert_state(&docker("28.5.2"), &INLINE, "cache-export", State::Ok);
    assert_state(&containerd(docker("29.0.1")), &EXPORTS, "cache-export", State::Ok);
    for name in ["docker-container", "kubernetes", "remote", "cloud"] {
        assert_state(&driver(docker("28.5.2"), name), &EXPORTS, "cache-export", State::Ok);
    }
    let untold = docker("28.5.2").with(|machine| machine.info = Told::Unknown("late".to_owned()));
    assert_state(&untold, &EXPORTS, "cache-export", State::Unknown);
    assert_state(&untold, &MOUNTS, "cache-export", State::Ok);
}

#[test]
fn inline_serves_a_local_image_with_dockers_own_store_only() {
    assert_state(&docker("28.5.2"), &INLINE, "cache-import", State::Ok);
    for machine in [containerd(docker("28.5.2")), driver(docker("28.5.2"), "docker-container")] {
        let check = assert_state(&machine, &INLINE, "cache-import", State::Warning);
        assert!(check.remedy.unwrap().contains("--push"));
        assert_state(&machine, &MOUNTS, "cache-import", State::Ok);
    }
    let classic = Needs { changes: 1, imports: 1, compose: 1, services: 1, ..NOTHING };
    assert_state(&docker("28.5.2"), &classic, "cache-import", State::Warning);
    let off = variable(docker("28.5.2"), "DOCKER_BUILDKIT", "0");
    assert!(judge(&off, &classic).iter().all(|check| check.id != "cache-import" && check.state != State::Problem));
}

#[test]
fn compose_is_judged_by_its_version_and_that_of_buildx() {
    let with = |text: &str| docker("28.5.2").with(|machine| machine.compose = Told::Is(version(text)));
    assert_state(&with("2.3.4"), &INLINE, "compose", State::Problem);
    assert_state(&with("2.3.4"), &BUILT_BY_COMPOSE, "compose", State::Ok);
    let old_buildx = |text: &str| with(text).with(|machine| machine.buildx = Told::Is(version("0.16.2")));
    assert_state(&old_buildx("2.40.3"), &BUILT_BY_COMPOSE, "compose", State::Problem);
    assert_state(&old_buildx("2.40.3"), &MOUNTS, "compose", State::Ok);
    assert_state(&old_buildx("2.40.1"), &BUILT_BY_COMPOSE, "compose", State::Ok);
    let without = with("5.0.0").with(|machine| machine.buildx = Told::Absent);
    assert_state(&without, &BUILT_BY_COMPOSE, "compose", State::Problem);
}

#[test]
fn the_compose_of_python_refuses_entries_and_may_build_without_buildkit() {
    let first = |text: &str| {
        docker("28.5.2").with(|machine| {
            machine.compose = Told::Absent;
            machine.docker_compose = Told::Is(version(text));
        })
    };
    assert_state(&first("1.29.2"), &INLINE, "compose", State::Problem);
    assert_state(&first("1.29.2"), &BUILT_BY_COMPOSE, "compose", State::Warning);
    assert_state(&first("1.29.2"), &MOUNTS, "compose", State::Ok);
    assert_state(&first("1.27.4"), &BUILT_BY_COMPOSE, "compose", State::Problem);
    let told = variable(first("1.27.4"), "COMPOSE_DOCKER_CLI_BUILD", "1");
    assert_state(&told, &BUILT_BY_COMPOSE, "compose", State::Warning);
    let off = variable(first("1.29.2"), "COMPOSE_DOCKER_CLI_BUILD", "0");
    let check = assert_state(&off, &BUILT_BY_COMPOSE, "compose", State::Problem);
    assert!(check.means.contains("COMPOSE_DOCKER_CLI_BUILD=0"));
    // Beside the newer one it is a trap, no more.
    let both = docker("28.5.2").with(|machine| machine.docker_compose = Told::Is(version("1.29.2")));
    assert_state(&both, &INLINE, "compose", State::Warning);
}

#[test]
fn a_missing_compose_matters_only_where_services_are_built() {
    let without = docker("28.5.2").with(|machine| machine.compose = Told::Absent);
    assert_state(&without, &INLINE, "compose", State::Problem);
    assert_state(&without, &MOUNTS, "compose", State::Ok);
    let program = without.clone().with(|machine| machine.docker_compose = Told::Is(version("2.29.7")));
    assert_state(&program, &INLINE, "compose", State::Ok);
    let untold = without.with(|machine| machine.compose = Told::Unknown("late".to_owned()));
    assert_state(&untold, &INLINE, "compose", State::Unknown);
}

#[test]
fn the_file_of_the_daemon_is_told_with_its_remedy() {
    let with = |why| docker("28.5.2").with(|machine| machine.daemon = Err(why));
    assert_state(&with(Unread::Missing), &MOUNTS, "daemon-json", State::Ok);
    let check = assert_state(&with(Unread::Unreadable("denied".to_owned())), &MOUNTS, "daemon-json", State::Unknown);
    assert!(check.remedy.unwrap().contains("sudo cat /etc/docker/daemon.json"));
    assert_state(&with(Unread::Invalid("line 3".to_owned())), &MOUNTS, "daemon-json", State::Warning);
    let restart = DaemonFile { containerd: Some(true), ..DaemonFile::default() };
    let check = assert_state(&features(docker("28.5.2"), restart.clone()), &MOUNTS, "daemon-json", State::Warning);
    assert!(check.remedy.unwrap().contains("systemctl restart docker"));
    assert_state(&features(containerd(docker("28.5.2")), restart), &MOUNTS, "daemon-json", State::Ok);
    let elsewhere = docker("28.5.2").with(|machine| machine.daemon_path = None);
    assert_state(&elsewhere, &MOUNTS, "daemon-json", State::Ok);
}

#[test]
fn the_collector_is_told_with_its_limit() {
    let check = assert_state(&docker("28.5.2"), &MOUNTS, "builder-cache", State::Ok);
    assert!(check.found.contains("2 GB in all, 100 MB of it in cache mounts"), "{check:?}");
    assert!(check.found.contains("unused for 48 h go once together they pass 3.6 GB"), "{check:?}");
    let limited = |bytes| {
        docker("28.5.2").with(|machine| {
            let Told::Is(builder) = &mut machine.builder else { panic!() };
            builder.rules[0].limit = Some(bytes);
        })
    };
    // BuildKit's own default.
    let tight = assert_state(&limited(512_000_000), &MOUNTS, "builder-cache", State::Warning);
    assert!(tight.remedy.unwrap().contains("defaultReservedSpace"));
    let own = driver(limited(512_000_000), "docker-container");
    assert!(
        assert_state(&own, &MOUNTS, "builder-cache", State::Warning).remedy.unwrap().contains("--buildkitd-config")
    );
    assert_state(&limited(512_000_000), &NOTHING, "builder-cache", State::Ok);
    let full = docker("28.5.2").with(|machine| {
        machine.usage = Some(Usage { total: 9_000_000_000, mounts: 3_000_000_000, group: 3_100_000_000 });
    });
    assert_state(&full, &MOUNTS, "builder-cache", State::Warning);
}

#[test]
fn a_collector_that_tells_no_rule_is_not_guessed() {
    let silent = docker("20.10.24").with(|machine| {
        let Told::Is(builder) = &mut machine.builder else { panic!() };
        builder.rules.clear();
        machine.usage = None;
    });
    let check = assert_state(&silent, &MOUNTS, "builder-cache", State::Unknown);
    assert!(check.found.contains("the size is not told") && check.found.contains("512 MB"), "{check:?}");
    let stopped = silent.with(|machine| {
        let Told::Is(builder) = &mut machine.builder else { panic!() };
        builder.status = Some("inactive".to_owned());
    });
    assert!(check_remedy(&stopped).contains("--bootstrap"));
    let off = features(docker("28.5.2"), DaemonFile { collects: Some(false), ..DaemonFile::default() });
    assert_state(&off, &MOUNTS, "builder-cache", State::Ok);
    let unnamed = docker("28.5.2").with(|machine| {
        let Told::Is(builder) = &mut machine.builder else { panic!() };
        builder.rules = vec![Rule { types: Vec::new(), unused: None, limit: Some(20_000_000_000) }];
    });
    let check = assert_state(&unnamed, &MOUNTS, "builder-cache", State::Ok);
    assert!(check.found.contains("no rule names these"), "{check:?}");
}

fn check_remedy(machine: &Machine) -> String {
    check(machine, &MOUNTS, "builder-cache").remedy.unwrap()
}

#[test]
fn podman_has_mounts_with_limits_and_no_entries() {
    for text in ["4.3.1", "5.7.0"] {
        assert_state(&podman(text), &MOUNTS, "engine", State::Ok);
        let check = assert_state(&podman(text), &MOUNTS, "cache-mounts", State::Warning);
        assert!(check.remedy.unwrap().contains("builder = \"podman\""));
        assert_state(&podman(text), &INLINE, "cache-export", State::Problem);
        assert_state(&podman(text), &MOUNTS, "cache-export", State::Ok);
        assert_state(&podman(text), &NOTHING, "cache-mounts", State::Ok);
    }
    assert_state(&podman("3.4.4"), &MOUNTS, "engine", State::Problem);
    let unread = podman("4.3.1").with(|machine| machine.client = None);
    assert_state(&unread, &MOUNTS, "engine", State::Unknown);
    let behind = docker("28.5.2").with(|machine| {
        let Ok(server) = &mut machine.server else { panic!() };
        server.is_podman = true;
        server.version = version("4.3.1");
    });
    let check = assert_state(&behind, &MOUNTS, "engine", State::Warning);
    assert!(check.remedy.unwrap().contains("podman build"));
}

#[test]
fn the_environment_is_listed_with_what_it_means() {
    let check = check(&docker("28.5.2"), &MOUNTS, "environment");
    assert!(check.found.contains("are not set"));
    let machine = variable(variable(docker("28.5.2"), "BUILDKIT_PROGRESS", "plain"), "BUILDX_BUILDER", "ci");
    let check = assert_state(&machine, &MOUNTS, "environment", State::Ok);
    assert_eq!(check.found, "BUILDKIT_PROGRESS=plain BUILDX_BUILDER=ci");
    assert!(check.means.contains("each CACHED step") && check.means.contains("`docker build` uses that builder"));
}

#[test]
fn every_remedy_is_imperative() {
    let needs = Needs { exports: EXPORTS.exports, inline: INLINE.inline, services: 1, compose: 1, ..MOUNTS };
    let machines = [
        Machine::bare(BTreeMap::new()),
        docker("17.12.1"),
        docker("20.10.24"),
        variable(docker("28.5.2"), "DOCKER_BUILDKIT", "0"),
        docker("28.5.2"),
        podman("3.4.4"),
        podman("5.7.0"),
    ];
    let remedies = machines.iter().flat_map(|machine| judge(machine, &needs)).filter_map(|check| check.remedy);
    for remedy in remedies {
        let first = remedy.split(' ').next().unwrap();
        assert!(first.chars().all(|ch| ch.is_ascii_lowercase()) && !first.ends_with("ing"), "{remedy}");
    }
}
