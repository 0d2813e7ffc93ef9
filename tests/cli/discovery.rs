//! From paths to files.

use super::support::{Folder, PIP, assert_holds};

/// The files that check names, in order.
fn found(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let ran = folder.restow(&[&["check"], arguments].concat());
    ran.out.lines().map(|line| line.split(":2: ").next().unwrap().to_owned()).collect()
}

fn with_files(folder: &Folder, names: &[&str]) {
    for name in names {
        folder.write(name, PIP);
    }
}

#[test]
fn dockerfiles_are_found_by_their_names() {
    let folder = Folder::new(&[]);
    let names = [
        ".devcontainer/Dockerfile",
        "Containerfile",
        "Containerfile.dev",
        "Dockerfile",
        "Dockerfile.dev",
        "api.Dockerfile",
        "deep/er/and/deeper/Dockerfile",
        "web.dockerfile",
    ];
    with_files(&folder, &names);
    with_files(
        &folder,
        &[
            "Dockerfile.dockerignore",
            "api.Dockerfile.dockerignore",
            ".dockerignore",
            "Containerfile.dockerignore",
            "MyDockerfile",
            "Dockerfiles/notes.md",
            "NotAContainerfile",
            "Dockerfile-notes.txt.md",
            "build.docker",
        ],
    );
    assert_eq!(found(&folder, &[]), names);
}

#[test]
fn folders_of_other_people_are_passed_over_unless_named() {
    let folder = Folder::repository(&[]);
    with_files(
        &folder,
        &[
            "Dockerfile",
            "vendor/a/Dockerfile",
            "a/node_modules/b/Dockerfile",
            "a/testdata/Dockerfile",
            "module/Dockerfile",
            "vendored/Dockerfile",
            ".git/Dockerfile",
        ],
    );
    folder.write("module/.git", "gitdir: ../.git/modules/module\n");
    assert_eq!(found(&folder, &[]), ["Dockerfile", "vendored/Dockerfile"]);
    assert_eq!(found(&folder, &["a"]), [""; 0]);
    assert_eq!(found(&folder, &["vendor"]), ["vendor/a/Dockerfile"]);
    assert_eq!(found(&folder, &["a/testdata/Dockerfile"]), ["a/testdata/Dockerfile"]);
    assert_eq!(found(&folder, &["module"]), ["module/Dockerfile"]);
}

#[test]
fn a_linked_worktree_is_no_submodule_of_itself() {
    let folder = Folder::new(&[(".git", "gitdir: /nowhere\n"), ("Dockerfile", PIP)]);
    assert_eq!(found(&folder, &[]), ["Dockerfile"]);
}

#[test]
fn gitignore_holds_in_a_git_repository() {
    let folder =
        Folder::repository(&[(".gitignore", "/build/\n*.gen.Dockerfile\n"), ("svc/.gitignore", "Dockerfile.local\n")]);
    with_files(
        &folder,
        &["Dockerfile", "build/Dockerfile", "svc/Dockerfile", "svc/Dockerfile.local", "svc/x.gen.Dockerfile"],
    );
    assert_eq!(found(&folder, &[]), ["Dockerfile", "svc/Dockerfile"]);
    assert_eq!(found(&folder, &["svc"]), ["svc/Dockerfile"], "also from a folder beneath");
    assert_eq!(found(&folder, &["build/Dockerfile"]), ["build/Dockerfile"], "a named file is read");
}

#[test]
fn a_compose_file_names_dockerfiles() {
    let folder = Folder::new(&[(
        "compose.yaml",
        "services:\n  web:\n    build:\n      context: ./web\n      dockerfile: build/image\n  api:\n    build: {dockerfile: api.img}\n  gone: {build: {dockerfile: missing}}\n  far: {build: {context: 'https://example.com/x.git', dockerfile: remote}}\n  var: {build: {dockerfile: '${FILE}'}}\n",
    )]);
    with_files(&folder, &["web/build/image", "api.img", "other.img", "remote"]);
    assert_eq!(found(&folder, &[]), ["api.img", "web/build/image"]);
    assert!(folder.restow(&["check"]).err.lines().count() == 1, "a missing one is no failure");
    folder
        .write("deploy/docker-compose.prod.yml", "services: {x: {build: {context: .., dockerfile: docker/worker}}}\n");
    folder.write("docker/worker", PIP);
    assert_eq!(found(&folder, &[]), ["api.img", "docker/worker", "web/build/image"]);
}

#[test]
fn a_dockerfile_that_compose_names_is_read_once() {
    let folder = Folder::new(&[
        (
            "compose.yml",
            "services: {a: {build: {context: svc, dockerfile: ./Dockerfile}}, b: {build: {context: ., dockerfile: svc/../svc/Dockerfile}}}\n",
        ),
        ("svc/Dockerfile", PIP),
    ]);
    assert_eq!(found(&folder, &[]), ["svc/Dockerfile"]);
    assert_eq!(found(&folder, &["svc", "."]), ["svc/Dockerfile"]);
}

#[test]
fn a_compose_file_can_not_name_files_outside_of_the_folder() {
    let folder = Folder::new(&[
        ("repo/compose.yml", "services: {a: {build: {context: .., dockerfile: outside}}}\n"),
        ("outside", PIP),
    ]);
    let ran = folder.restow_in("repo", &["apply"]).expect(0);
    assert_holds(ran.counts(), &["1 file read, 0 changed"]);
    assert_eq!(folder.json(&["repo"])["files"][0]["path"], "repo/compose.yml", "the compose file itself");
    assert_eq!(folder.read("outside"), PIP);
}

#[test]
fn a_glob_adds_dockerfiles() {
    let folder = Folder::new(&[]);
    with_files(&folder, &["Dockerfile", "images/web.docker", "images/deep/api.docker", "web.img"]);
    assert_eq!(
        found(&folder, &["--dockerfile", "*.docker"]),
        ["Dockerfile", "images/deep/api.docker", "images/web.docker"]
    );
    assert_eq!(
        found(&folder, &["--dockerfile", "images/*.docker", "--dockerfile", "*.img"]),
        ["Dockerfile", "images/web.docker", "web.img"]
    );
    assert_eq!(found(&folder, &["--dockerfile", "*.nope"]), ["Dockerfile"]);
}

#[test]
fn any_named_file_is_read_as_a_dockerfile() {
    let folder = Folder::new(&[("image.txt", PIP)]);
    assert_eq!(found(&folder, &[]), [""; 0]);
    assert_eq!(found(&folder, &["image.txt"]), ["image.txt"]);
}

#[test]
fn the_order_of_paths_changes_nothing() {
    let folder = Folder::repository(&[]);
    with_files(&folder, &["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"]);
    folder.write("c/Dockerfile", PIP.replace("-slim", "-alpine"));
    let orders: [&[&str]; 5] =
        [&["a", "b", "c"], &["c", "b", "a"], &["b/Dockerfile", "c", "a", "b"], &["c", ".", "a/Dockerfile"], &["."]];
    for format in ["text", "patch", "json", "github"] {
        let outputs: Vec<String> = orders
            .iter()
            .map(|paths| folder.restow(&[&["diff", "--format", format], *paths].concat()).expect(0).out)
            .collect();
        assert_holds(&outputs[0], &["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"]);
        for other in &outputs[1..] {
            assert_eq!(&outputs[0], other);
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = Folder::repository(&[]);
    for at in 0..60 {
        let base = ["python:3.12-slim", "python:3.12-alpine", "acme/python:1", "ubuntu:22.04"][at % 4];
        folder.write(&format!("svc{at:02}/Dockerfile"), if at % 7 == 0 { "RUN broken\n".to_owned() } else { format!("FROM {base}\nRUN apt-get update && apt-get install -y curl\nRUN pip install --no-cache-dir package{at}\n") });
    }
    for format in ["text", "patch", "json", "github"] {
        let run =
            |jobs| folder.restow(&["diff", "--review", "--why-not", "--jobs", jobs, "--format", format]).expect(0);
        let (one, four, all) = (run("1"), run("4"), run("0"));
        assert_holds(&one.out, &["svc01/Dockerfile", "svc59/Dockerfile"]);
        assert_eq!((&one.out, &one.err), (&four.out, &four.err));
        assert_eq!((&one.out, &one.err), (&all.out, &all.err));
    }
}

/// The id of the pip mount that a file's diff adds.
#[track_caller]
fn id(file: &serde_json::Value) -> String {
    let diff = file["diff"].as_str().unwrap();
    let (_, rest) = diff.split_once("+RUN --mount=type=cache,id=pip-").unwrap_or_else(|| panic!("no id in {diff}"));
    rest.split_once(",target=").unwrap().0.to_owned()
}

#[test]
fn naming_one_file_gives_the_same_change_as_naming_the_repository() {
    let folder = Folder::repository(&[
        ("a/Dockerfile", PIP),
        ("b/Dockerfile", &PIP.replace("-slim", "-alpine")),
        ("c/web.docker", PIP),
    ]);
    let whole = folder.json(&["."]);
    let whole = whole["files"].as_array().unwrap();
    assert_ne!(id(&whole[0]), id(&whole[1]), "wheels of two C libraries are kept apart");
    for (at, path) in [(0, "a/Dockerfile"), (0, "a"), (1, "b/Dockerfile"), (1, "./b")] {
        assert_eq!(folder.json(&[path])["files"][0], whole[at], "{path}");
    }
    let from_inside = folder.restow_in("a", &["diff", "--format", "patch"]).out;
    assert_eq!(Some(from_inside.as_str()), whole[0]["diff"].as_str());
}

#[test]
fn naming_one_file_sees_the_files_that_globs_and_compose_add() {
    let alpine = PIP.replace("-slim", "-alpine");
    let compose = "services: {a: {build: {dockerfile: api.img}}}\n";
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 3] = [
        (&[("compose.yml", compose), ("api.img", &alpine)], &[]),
        (&[("web.docker", &alpine)], &["--dockerfile", "*.docker"]),
        (&[("web.docker", &alpine), ("restow.toml", "dockerfiles = [\"*.docker\"]\n")], &[]),
    ];
    for (files, flags) in cases {
        let folder = Folder::repository(&[("a/Dockerfile", PIP)]);
        for (name, text) in files {
            folder.write(name, text);
        }
        let whole = folder.json(flags);
        let whole =
            whole["files"].as_array().unwrap().iter().find(|file| file["path"] == "a/Dockerfile").unwrap().clone();
        id(&whole);
        assert_eq!(folder.json(&[flags, &["a/Dockerfile"]].concat())["files"][0], whole, "{files:?}");
    }
}
