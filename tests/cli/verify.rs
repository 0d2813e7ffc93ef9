//! `verify`, with a `docker` that only says what it was asked.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::support::{CLEAN, Folder, PIP, Ran, UNKNOWN, assert_holds};

/// Notes each call in `calls`. Its images hold what is in `before.tar` and `after.tar`, by the RUN of the Dockerfile that was built.
const DOCKER: &str = r#"#!/bin/sh
here=$(dirname "$0")
built() {
  while [ "$1" != --file ]; do shift; done
  if grep -q mount=type=cache "$2"; then cp "$here/after.tar" "$here/last.tar"; else cp "$here/before.tar" "$here/last.tar"; fi
  if [ -e "$here/slow" ]; then sleep 60; fi
  printf '#5 [2/2] RUN pip install flask\n#5 0.5   Downloading flask.whl (2.0 MB)\n#5 DONE 1.5s\n' >&2
}
echo "$*" >> "$here/calls"
case "$*" in
  --version) echo "Docker version 28.0.0" ;;
  "version "*) cat "$here/version" 2> /dev/null || echo 28.0.0 28.0.0 ;;
  "buildx version") [ ! -e "$here/no-buildx" ] || { echo "unknown command: docker buildx" >&2; exit 1; } ;;
  "buildx create"*) [ -e "$here/throw-away" ] || { echo "no image for it" >&2; exit 1; } ;;
  "buildx inspect"*) echo "Driver:  docker" ;;
  "buildx build --builder"*"--file"*)
    [ -e "$here/throw-away-finds-no-base" ] && { echo "ERROR: failed to resolve source metadata for x" >&2; exit 1; }
    built "$@" ;;
  "buildx build"*) built "$@" ;;
  "image inspect"*) echo '{"Env": ["A=1"]}' ;;
  "create "*) echo 4f2a ;;
  "export "*) cat "$here/last.tar" ;;
  "image ls"*) echo 11ee ;;
  "ps "*) echo 22ff ;;
esac
"#;

/// A folder with files, and an engine that is not one.
struct Machine {
    files: Folder,
    engine: Folder,
    /// Where temporary folders go.
    temporary: Folder,
}

impl Machine {
    fn new(files: &[(&str, &str)]) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let engine = Folder::new(&[("docker", DOCKER)]);
        std::fs::set_permissions(engine.path("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let machine = Self { files: Folder::new(files), engine, temporary: Folder::new(&[]) };
        machine.image("before.tar", &["app.py"]);
        machine.image("after.tar", &["app.py"]);
        machine
    }

    /// An image with empty files.
    fn image(&self, name: &str, files: &[&str]) {
        let content = Folder::new(&files.iter().map(|file| (*file, "")).collect::<Vec<_>>());
        let tar = Command::new("tar")
            .args(["--owner=0", "--group=0", "--mode=0644", "-cf"])
            .arg(self.engine.path(name))
            .arg("-C")
            .arg(content.root())
            .args(files)
            .status();
        assert!(tar.unwrap().success());
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        let path = format!("{}:/usr/bin:/bin", self.engine.root().display());
        [("PATH", path), ("TMPDIR", self.temporary.root().display().to_string())]
    }

    fn verify(&self, arguments: &[&str]) -> Ran {
        let variables = self.variables();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.files.restow_with(&variables, &[&["verify"], arguments].concat())
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(self.engine.path("calls")).unwrap_or_default()
    }

    /// That nothing of the run is left, as far as it can tell.
    #[track_caller]
    fn assert_removed(&self) {
        let calls = self.calls();
        assert_holds(
            &calls,
            &["rm --force --volumes 22ff", "image rm --force 11ee", "buildx rm --force restow-verify-"],
        );
        let left: Vec<PathBuf> = self.temporary.tree().into_keys().collect();
        assert!(left.is_empty() && self.temporary.root().read_dir().unwrap().next().is_none(), "{left:?}");
    }
}

#[test]
fn without_an_engine_it_says_what_to_do() {
    let machine = Machine::new(&[("Dockerfile", PIP)]);
    std::fs::remove_file(machine.engine.path("docker")).unwrap();
    let variables = [("PATH", "/nonexistent")];
    let ran = machine.files.restow_with(&variables, &["verify"]).expect(2);
    assert_holds(&ran.err, &["neither docker nor podman is in PATH", "install one", "restow forecast"]);
    assert_eq!(ran.out, "");
}

#[test]
fn where_nothing_is_pending_it_builds_nothing_and_needs_no_engine() {
    let folder = Folder::new(&[("Dockerfile", CLEAN)]);
    let ran = folder.restow_with(&[("PATH", "/nonexistent")], &["verify"]).expect(0);
    assert_holds(&ran.err, &["nothing to verify: no Dockerfile has pending changes"]);
    let folder = Folder::new(&[("Dockerfile", UNKNOWN)]);
    let ran = folder.restow_with(&[("PATH", "/nonexistent")], &["verify", "--format", "json"]).expect(0);
    assert_holds(&ran.out, &["\"services\": []"]);
    assert_holds(&ran.err, &["--review takes the others along"]);
}

#[test]
fn misuse_is_refused() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    for (arguments, said) in [
        (&["verify", "--scenario", "tuesday"][..], "there are nothing, code"),
        (&["verify", "--format", "patch"], "--format is text or json"),
        (&["verify", "-"], "no Dockerfile from standard input"),
        (&["verify", "web"], "web is neither a path nor a service"),
        (&["verify", "--builder", "mine"], "throwaway"),
    ] {
        assert_holds(&folder.restow(arguments).expect(2).err, &[said]);
    }
}

#[test]
fn an_engine_that_can_not_build_so_is_refused_with_the_remedy() {
    let machine = Machine::new(&[("Dockerfile", PIP)]);
    machine.engine.write("version", "19.03.8 19.03.8");
    assert_holds(&machine.verify(&[]).expect(2).err, &["Docker 19.03.8 is too old", "20.10"]);
    machine.engine.write("version", "28.0.0 28.0.0");
    machine.engine.write("no-buildx", "");
    assert_holds(&machine.verify(&[]).expect(2).err, &["install docker-buildx-plugin"]);
    std::fs::remove_file(machine.engine.path("no-buildx")).unwrap();
    assert_holds(&machine.verify(&["--builder", "throwaway"]).expect(2).err, &["no image for it", "--builder own"]);
}

#[test]
fn the_same_image_is_zero_and_another_one_is_one_with_the_paths() {
    let machine = Machine::new(&[("Dockerfile", PIP), ("compose.yml", "services:\n  web:\n    build: .\n")]);
    let ran = machine.verify(&["--scenario", "nothing"]).expect(0);
    assert_holds(
        &ran.out,
        &["web  Dockerfile, context .", "the same image: 1 path", "clean", "2.0", "nothing changed"],
    );
    assert_holds(&ran.out, &["your own builder", "why not a throw-away one", "remains: the build cache"]);
    assert_holds(&ran.err, &["web: before, clean build 2 of 2", "1 image: 1 the same"]);
    machine.assert_removed();
    let calls = machine.calls();
    assert_holds(&calls, &["--no-cache --build-arg BUILDKIT_CACHE_MOUNT_NS=restow-verify-", "--label restow-verify="]);
    assert!(!calls.contains("prune"), "{calls}");

    machine.image("after.tar", &["app.py", "new.py"]);
    let ran = machine.verify(&["web", "--scenario", "none", "--format", "json"]).expect(1);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let service = &json["services"][0];
    assert_eq!((service["verdict"].as_str(), json["builder"]["kind"].as_str()), (Some("differs"), Some("own")));
    assert_eq!(service["differences"][0]["path"], "/new.py");
    assert_eq!(service["scenarios"].as_array().unwrap().len(), 0);
    assert_eq!(machine.files.read("Dockerfile"), PIP);
}

#[test]
fn a_throw_away_builder_is_emptied_before_each_clean_build_and_goes() {
    let machine = Machine::new(&[("Dockerfile", PIP)]);
    machine.engine.write("throw-away", "");
    let ran = machine.verify(&["--scenario", "nothing,failure", "--build-option=--network=host"]).expect(0);
    assert_holds(&ran.out, &["a throw-away builder", "the same image"]);
    machine.assert_removed();
    let calls = machine.calls();
    let starting = |start: &str| calls.lines().filter(|call| call.starts_with(start)).collect::<Vec<_>>();
    assert_holds(
        starting("buildx create")[0],
        &["--driver docker-container", "--driver-opt network=host", "--bootstrap"],
    );
    let prunes = starting("buildx prune");
    assert!(prunes.iter().all(|call| call.starts_with("buildx prune --builder restow-verify-")), "{prunes:?}");
    let builds = starting("buildx build");
    assert!(builds.iter().all(|call| call.contains("--builder restow-verify-") && !call.contains("--no-cache")));
    assert!(builds.iter().all(|call| call.contains("--allow network.host") && !call.contains("CACHE_MOUNT_NS")));
    assert_eq!(builds.iter().filter(|call| call.contains(" --load ")).count(), 3);
    // The install of an engine that only says so can't be stopped: three attempts on each side.
    assert_eq!(prunes.len(), 3 + 2 * 3);
    assert!(calls.lines().last().unwrap().starts_with("buildx rm --force restow-verify-"));
}

#[test]
fn what_is_kept_is_told_with_the_commands_that_remove_it() {
    let machine = Machine::new(&[("Dockerfile", PIP)]);
    let ran = machine.verify(&["--scenario", "none", "--keep"]).expect(0);
    let folder = format!("`rm -r {}/restow-verify-", machine.temporary.root().display());
    assert_holds(
        &ran.out,
        &["docker image rm --force $(docker image ls --quiet --filter label=restow-verify=", &folder],
    );
    assert!(!machine.calls().contains("image rm") && !machine.calls().contains("rm --force --volumes"));
}

#[test]
fn a_base_image_that_only_the_engine_knows_is_built_on_in_the_own_builder() {
    let machine = Machine::new(&[("Dockerfile", PIP)]);
    machine.engine.write("throw-away", "");
    machine.engine.write("throw-away-finds-no-base", "");
    let ran = machine.verify(&["--scenario", "none"]).expect(0);
    assert_holds(
        &ran.out,
        &["your own builder", "python:3.12-slim is an image of this machine's engine", "the same image"],
    );
    let ran = machine.verify(&["--scenario", "none", "--builder", "throwaway"]).expect(1);
    assert_holds(&ran.out, &["failed: python:3.12-slim is an image of this machine's engine"]);
}

#[test]
fn what_can_not_be_played_is_refused_with_the_reason() {
    let compose = "services:\n  web:\n    build:\n      context: .\n      secrets: [token]\n";
    let machine = Machine::new(&[("Dockerfile", PIP), ("compose.yml", compose)]);
    let ran = machine.verify(&[]).expect(0);
    assert_holds(&ran.out, &["not built: its build has `secrets`"]);
    assert!(!machine.calls().contains("buildx build"));
}

#[test]
fn what_the_service_says_of_its_build_is_passed_on() {
    let compose = "services:\n  web:\n    build:\n      context: app\n      target: run\n      network: host\n      args: {TAG: \"${TAG:-3.12}\", MODE: fast}\n      additional_contexts: {lib: ./lib}\n";
    let dockerfile = format!("{} AS run\n{}", PIP.lines().next().unwrap(), PIP.lines().nth(1).unwrap());
    let machine =
        Machine::new(&[("app/Dockerfile", &dockerfile), ("lib/x", ""), ("compose.yml", compose), (".env", "TAG=9\n")]);
    machine.verify(&["--scenario", "none", "--build-option=--add-host=a:1.2.3.4"]).expect(0);
    let calls = machine.calls();
    let build = calls.lines().find(|call| call.starts_with("buildx build")).unwrap();
    assert_holds(
        build,
        &["--target run", "--network host", "--build-arg TAG=9", "--build-arg MODE=fast", "--add-host=a:1.2.3.4"],
    );
    assert_holds(build, &["--build-context lib=", "/lib "]);
    assert!(!build.contains(&machine.files.root().display().to_string()) || build.contains("--build-context lib="));
}

#[test]
fn ctrl_c_ends_the_build_and_removes_what_was_made() {
    let machine = Machine::new(&[("Dockerfile", PIP)]);
    machine.engine.write("slow", "");
    let mut child = Command::new(env!("CARGO_BIN_EXE_restow"))
        .args(["verify"])
        .current_dir(machine.files.root())
        .envs(machine.variables())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| machine.calls().contains("buildx build"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let start = Instant::now();
    let status = ended(&mut child);
    assert!(start.elapsed() < Duration::from_secs(40));
    assert_eq!(status, Some(130));
    machine.assert_removed();
}

fn until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ended(child: &mut Child) -> Option<i32> {
    child.wait().unwrap().code()
}
