//! The contract of the command line: doctor, on machines whose programs are played by scripts.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::support::{CLEAN, Folder, PIP, PIP_MOUNTED, Ran, assert_holds};

const COMPOSE: &str = "services:\n  api:\n    image: ghcr.io/acme/api:1\n    build: .\n";

/// Answers as Docker 28.5.2 gives them, in rootless mode so that its daemon.json lies in HOME.
const DOCKER: &str = r#"
case "$*" in
  --version) echo "Docker version 28.5.2, build ecc6942" ;;
  "version --format {{json .}}") echo '{"Client":{"Version":"28.5.2","Os":"linux","Context":"default"},"Server":{"Components":[{"Name":"Engine","Version":"28.5.2"}],"Version":"28.5.2","Os":"linux"}}' ;;
  "info --format {{json .}}") echo '{"Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"]],"OperatingSystem":"Debian GNU/Linux 12 (bookworm)","SecurityOptions":["name=seccomp,profile=builtin","name=rootless"]}' ;;
  "context inspect") echo '[{"Name":"default","Endpoints":{"docker":{"Host":"unix:///run/user/1000/docker.sock"}}}]' ;;
  "buildx version") echo "github.com/docker/buildx v0.29.1 a32761a" ;;
  "compose version --short") echo "2.40.3" ;;
  "buildx inspect")
    echo "Name:          default"
    echo "Driver:        docker"
    echo
    echo "Nodes:"
    echo "Name:             default"
    echo "Status:           running"
    echo "BuildKit version: v0.25.1"
    echo "GC Policy rule#0:"
    echo " All:            false"
    echo " Filters:        type==source.local,type==exec.cachemount,type==source.git.checkout"
    echo " Keep Duration:  48h0m0s"
    echo " Max Used Space: 3.346GiB" ;;
  "buildx du --verbose")
    echo "ID:           f46gwt5jh2w5om6xfn3dnhc7r"
    echo "Size:         20.98MB"
    echo "Type:         exec.cachemount"
    echo
    echo "Total:          20.98MB" ;;
  *) echo "docker: unknown command: docker $*" >&2; exit 1 ;;
esac
"#;

/// A folder with files, and with programs in `bin`, which is all there is in PATH.
struct Machine {
    folder: Folder,
}

impl Machine {
    fn new(files: &[(&str, &str)], programs: &[(&str, &str)]) -> Self {
        let made = Self { folder: Folder::new(files) };
        std::fs::create_dir(made.folder.path("bin")).unwrap();
        for (name, script) in programs {
            made.program(name, script);
        }
        made
    }

    /// Another process writes it: a file that this one has open for writing, in some thread's child too, can't be run.
    fn program(&self, name: &str, script: &str) {
        let path = self.folder.path("bin").join(name);
        let mut shell = Command::new("sh");
        shell.args(["-c", "cat > \"$1\" && chmod +x \"$1\"", "sh"]).arg(path).stdin(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}").as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn doctor(&self, arguments: &[&str]) -> Ran {
        self.doctor_with(&[], arguments)
    }

    fn doctor_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let (home, bin) = (self.folder.path("home"), self.folder.path("bin"));
        let own = [("HOME", home.to_str().unwrap()), ("PATH", bin.to_str().unwrap())];
        self.folder.restow_with(&[&own, variables].concat(), &[&["doctor"], arguments].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.doctor(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

#[test]
fn a_fine_machine_is_0() {
    let machine = Machine::new(&[("Dockerfile", PIP), ("compose.yaml", COMPOSE)], &[("docker", DOCKER)]);
    let ran = machine.doctor(&[]).expect(0);
    assert_holds(
        &ran.out,
        &[
            "pending  2 changes\n",
            "RUN --mount: in 1 change",
            "engine  ok\n",
            "Docker 28.5.2\n",
            "buildkit  ok\n",
            "on: the default since Docker 23, BuildKit 0.25.1",
            "cache-export  ok\n",
            "driver docker, Docker's own image store (overlay2)",
            "Compose 2.40.3",
            "21 MB in all, 21 MB of it in cache mounts",
            "environment  ok\n",
        ],
    );
    assert_eq!(ran.counts(), "9 checks: 9 ok; 2 changes pending");
}

#[test]
fn buildkit_switched_off_is_1_with_the_remedy() {
    let machine = Machine::new(&[("Dockerfile", PIP)], &[("docker", DOCKER)]);
    let ran = machine.doctor_with(&[("DOCKER_BUILDKIT", "0")], &["."]).expect(1);
    assert_holds(
        &ran.out,
        &["buildkit  problem\n", "1 pending change", "remedy      unset it: `unset DOCKER_BUILDKIT`"],
    );
    assert_holds(ran.counts(), &["1 problem"]);
}

#[test]
fn a_problem_is_1_only_where_a_change_meets_it() {
    let machine = Machine::new(&[("Dockerfile", CLEAN), ("b/Dockerfile", PIP_MOUNTED)], &[("docker", DOCKER)]);
    let off = [("DOCKER_BUILDKIT", "0")];
    let ran = machine.doctor_with(&off, &["Dockerfile"]).expect(0);
    assert_holds(&ran.out, &["pending  0 changes\n", "buildkit  warning\n"]);
    // A mount that was added before fails as one that is pending.
    let ran = machine.doctor_with(&off, &["b"]).expect(1);
    assert_holds(&ran.out, &["in 0 changes, and 1 there already", "1 place there already"]);
}

#[test]
fn what_the_cache_mode_writes_is_judged() {
    let machine = Machine::new(&[("Dockerfile", CLEAN), ("compose.yaml", COMPOSE)], &[("docker", DOCKER)]);
    machine.doctor(&[]).expect(0);
    let ran = machine.doctor(&["--cache-mode", "registry"]).expect(1);
    assert_holds(
        &ran.out,
        &["cache-export  problem\n", "docker buildx create --name restow --driver docker-container"],
    );
}

#[test]
fn a_machine_without_an_engine_is_1_if_changes_wait_for_one() {
    let machine = Machine::new(&[("Dockerfile", PIP), ("b/Dockerfile", CLEAN)], &[]);
    let ran = machine.doctor(&[]).expect(1);
    assert_holds(
        &ran.out,
        &["engine  problem\n", "neither docker nor podman is in PATH", "remedy      install Docker"],
    );
    let ran = machine.doctor(&["b"]).expect(0);
    assert_holds(&ran.out, &["engine  warning\n", "remedy      install Docker"]);
}

#[test]
fn a_socket_of_others_has_its_remedy() {
    let denied = r#"
case "$*" in
  version*) echo '{"Client":{"Version":"28.5.2","Os":"linux"},"Server":null}'
    echo "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock" >&2; exit 1 ;;
  "buildx version") echo "github.com/docker/buildx v0.29.1 a32761a" ;;
  *) exit 1 ;;
esac
"#;
    let machine = Machine::new(&[("Dockerfile", PIP)], &[("docker", denied)]);
    let ran = machine.doctor(&[]).expect(1);
    assert_holds(&ran.out, &["client 28.5.2; the engine does not let this user in", "usermod -aG docker"]);
    assert!(!ran.out.contains("cache-export"), "{}", ran.out);
}

#[test]
fn the_file_of_the_daemon_is_read() {
    let daemon = "{\"features\": {\"buildkit\": false, \"containerd-snapshotter\": true}}";
    let machine = Machine::new(
        &[("Dockerfile", PIP), ("home/.config/docker/daemon.json", daemon)],
        &[("docker", &DOCKER.replace("28.5.2", "20.10.24"))],
    );
    let ran = machine.doctor(&["Dockerfile"]).expect(1);
    assert_holds(&ran.out, &["off: \"features\": {\"buildkit\": false} in daemon.json", "the other image store"]);
}

#[test]
fn podman_under_the_name_of_docker_is_seen() {
    let script = r#"
case "$*" in
  --version) echo "podman version 4.3.1" ;;
  version*) echo '{"Client":{"APIVersion":"4.3.1","Version":"4.3.1","Os":"linux"}}' ;;
  *) exit 125 ;;
esac
"#;
    let machine = Machine::new(&[("Dockerfile", PIP)], &[("docker", script)]);
    let ran = machine.doctor(&[]).expect(0);
    assert_holds(&ran.out, &["podman 4.3.1", "cache-mounts  warning\n", "builder = \"podman\""]);
}

#[test]
fn answers_that_mean_nothing_are_no_panic() {
    for script in ["exit 1\n", "echo '{}'\n", "echo '[[[['\n", "echo\n", "printf '\\377\\376'\n"] {
        let machine = Machine::new(&[("Dockerfile", PIP)], &[("docker", script), ("docker-compose", script)]);
        assert_holds(&machine.doctor(&[]).expect(1).out, &["engine  problem\n"]);
    }
}

#[test]
fn json_holds_engine_needs_and_checks() {
    let machine = Machine::new(&[("Dockerfile", PIP), ("compose.yaml", COMPOSE)], &[("docker", DOCKER)]);
    let report = machine.json(&[]);
    assert_eq!(report["version"], 1);
    let engine = &report["engine"];
    assert_eq!((&engine["kind"], &engine["client"]), (&"docker".into(), &"28.5.2".into()));
    assert_eq!((&engine["server"]["version"], &engine["info"]["store"]), (&"28.5.2".into(), &"graphdriver".into()));
    assert_eq!((&engine["buildx"], &engine["compose"]), (&"0.29.1".into(), &"2.40.3".into()));
    assert_eq!(engine["docker_compose"], Value::Null);
    assert_eq!(engine["builder"]["rules"][0]["unused_seconds"], 172_800);
    assert_eq!(engine["usage"]["mounts"], 20_980_000);
    let pending = &report["pending"];
    assert_eq!((&pending["changes"], &pending["mounts"]["pending"]), (&2.into(), &1.into()));
    assert_eq!((&pending["inline"]["pending"], &pending["services"]), (&1.into(), &1.into()));
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        for key in ["id", "state", "found", "means"] {
            assert!(check[key].is_string(), "{check}");
        }
        assert!(check["touches"].is_u64() && check.get("remedy").is_some(), "{check}");
    }
    assert_eq!((&checks[0]["id"], &checks[0]["state"]), (&"engine".into(), &"ok".into()));
    assert_eq!(report["errors"], Value::Array(Vec::new()));
}

#[test]
fn a_path_that_is_missing_is_2_whatever_the_machine_has() {
    let machine = Machine::new(&[("Dockerfile", PIP)], &[]);
    let ran = machine.doctor(&["Dockerfile", "none/Dockerfile"]).expect(2);
    assert_holds(&ran.err, &["error: none/Dockerfile"]);
    assert_holds(&ran.out, &["engine  problem\n"]);
}

#[test]
fn patches_and_standard_input_are_misuse() {
    let machine = Machine::new(&[], &[]);
    assert_holds(&machine.doctor(&["--format", "patch"]).expect(2).err, &["doctor prints no patches"]);
    assert_holds(&machine.doctor(&["-"]).expect(2).err, &["reads none from standard input"]);
}
