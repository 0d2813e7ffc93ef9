//! The contract of the command line: services.

use serde_json::{Value, json};

use super::support::{CLEAN, Folder, TEMPLATE, assert_holds};

const COMPOSE: &str = "services:\n  api:\n    build: ./api\n    image: ghcr.io/acme/api:${TAG:-1}\n  web:\n    build:\n      context: web\n      dockerfile_inline: |\n        FROM scratch\n      target: prod\n  far:\n    build: https://example.com/x.git\n  db:\n    image: postgres:16\n";
const BAKE: &str = "variable \"TAG\" { default = \"2\" }\ntarget \"tool\" {\n  context = \"tool\"\n  tags = [\"ghcr.io/acme/tool:${TAG}\", \"tool\"]\n}\n";
const WORKFLOW: &str = "on: push\njobs:\n  images:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - uses: docker/setup-buildx-action@v3\n      - name: Publish\n        uses: docker/build-push-action@v6\n        with:\n          context: api\n          cache-from: type=gha\n      - uses: docker/build-push-action@v6\n        with:\n          context: alone\n          tags: ghcr.io/acme/alone:1\n  kept:\n    runs-on: [self-hosted]\n    steps:\n      - run: docker buildx bake tool\n      - uses: docker/setup-buildx-action@v3\n      - run: docker compose build web\n";

/// A repository with everything in it.
fn everything() -> Folder {
    Folder::repository(&[
        ("compose.yaml", COMPOSE),
        ("docker-bake.hcl", BAKE),
        (".github/workflows/ci.yml", WORKFLOW),
        ("api/Dockerfile", CLEAN),
        ("tool/Dockerfile", CLEAN),
        ("alone/Dockerfile", CLEAN),
        ("deep/loose/Dockerfile", "FROM scratch\nCOPY src /src\n"),
        ("deep/src", ""),
    ])
}

#[track_caller]
fn report(folder: &Folder, arguments: &[&str]) -> Value {
    let ran = folder.restow(&[&["services", "--format", "json"], arguments].concat());
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[track_caller]
fn names(report: &Value) -> Vec<&str> {
    let services = report["services"].as_array().unwrap();
    services.iter().map(|row| row["service"].as_str().unwrap_or_else(|| row["file"].as_str().unwrap())).collect()
}

#[test]
fn json_says_which_file_builds_which_image_and_who_builds_it_in_ci() {
    let folder = everything();
    let report = report(&folder, &[]);
    assert_eq!((&report["version"], &report["errors"]), (&json!(1), &json!([])));
    assert_eq!(names(&report), ["api", "web", "far", "tool", "images, step 4", "deep/loose/Dockerfile"]);
    let ci = |line: usize, name: &str, by: &str, runner: &str, keeps: bool, imports: &[&str]| json!({"file": ".github/workflows/ci.yml", "line": line, "name": name, "by": by, "runner": runner, "keeps_cache": keeps, "imports": imports});
    let expected = json!([
        {"service": "api", "file": "compose.yaml", "line": 2, "context": "api", "dockerfile": "api/Dockerfile",
         "target": null, "image": "ghcr.io/acme/api:${TAG:-1}", "images": ["ghcr.io/acme/api:${TAG:-1}"],
         "by": "compose", "ci": [ci(8, "images, Publish", "step", "hosted", false, &["gha"])]},
        {"service": "web", "file": "compose.yaml", "line": 5, "context": "web", "dockerfile": null,
         "target": "prod", "image": null, "images": [],
         "by": "compose", "ci": [ci(22, "kept, step 3", "command", "kept", false, &[])]},
        {"service": "far", "file": "compose.yaml", "line": 11, "context": null, "dockerfile": null,
         "target": null, "image": null, "images": [], "by": "compose", "ci": []},
        {"service": "tool", "file": "docker-bake.hcl", "line": 2, "context": "tool", "dockerfile": "tool/Dockerfile",
         "target": null, "image": "ghcr.io/acme/tool:2", "images": ["ghcr.io/acme/tool:2", "tool"],
         "by": "bake", "ci": [ci(20, "kept, step 1", "command", "kept", true, &[])]},
        {"service": "images, step 4", "file": ".github/workflows/ci.yml", "line": 13, "context": "alone",
         "dockerfile": "alone/Dockerfile", "target": null, "image": "ghcr.io/acme/alone:1",
         "images": ["ghcr.io/acme/alone:1"], "by": "step",
         "ci": [ci(13, "images, step 4", "step", "hosted", false, &[])]},
        {"service": null, "file": "deep/loose/Dockerfile", "line": 1, "context": "deep",
         "dockerfile": "deep/loose/Dockerfile", "target": null, "image": null, "images": [], "by": "nothing", "ci": []},
    ]);
    assert_eq!(report["services"], expected, "{report:#}");
}

#[test]
fn text_is_a_block_per_service_that_fits_a_terminal() {
    let ran = everything().restow(&["services"]).expect(0);
    assert_eq!(
        ran.out.split("\n\n").next(),
        Some(
            "api  compose.yaml:2\n  context     api\n  Dockerfile  api/Dockerfile\n  image       ghcr.io/acme/api:${TAG:-1}\n  CI          .github/workflows/ci.yml:8 images, Publish (an action); builder: hosted, starts empty;\n              imports gha"
        )
    );
    assert_holds(
        &ran.out,
        &[
            "web  compose.yaml:5\n  context     web\n  Dockerfile  in the file itself\n  target      prod\n  image       no name\n",
            "kept, step 3 (a command); builder: made for the job and\n              gone after it; imports no cache\n",
            "far  compose.yaml:11\n  context     not known, or not in the repository\n",
            "  image       ghcr.io/acme/tool:2\n  image       tool\n",
            "kept, step 1 (a command); builder: kept; imports no cache\n",
            "\ndeep/loose/Dockerfile:1\n  context     deep\n",
            "  by          no compose file, bake file or workflow names it\n",
            "  CI          no workflow builds it\n",
        ],
    );
    assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{}", ran.out);
    assert_eq!(ran.counts(), "7 files read, 6 builds found");
}

#[test]
fn naming_a_part_shows_the_builds_that_concern_it() {
    let folder = everything();
    for (path, expected) in [
        ("api", &["api"][..]),
        ("api/Dockerfile", &["api"]),
        ("compose.yaml", &["api", "web", "far"]),
        ("docker-bake.hcl", &["tool"]),
        (".github", &["api", "web", "tool", "images, step 4"]),
        ("deep", &["deep/loose/Dockerfile"]),
    ] {
        let part = report(&folder, &[path]);
        assert_eq!(names(&part), expected, "{path}");
        let whole = report(&folder, &[]);
        for row in part["services"].as_array().unwrap() {
            assert!(whole["services"].as_array().unwrap().contains(row), "as in the whole: {row}");
        }
    }
}

#[test]
fn outside_of_a_repository_paths_count_from_the_argument() {
    let folder = Folder::new(&[("a/compose.yaml", "services: {x: {build: ./y}}\n"), ("a/y/Dockerfile", CLEAN)]);
    let report = report(&folder, &["a"]);
    let row = &report["services"][0];
    assert_eq!((&row["file"], &row["dockerfile"]), (&json!("compose.yaml"), &json!("y/Dockerfile")));
}

#[test]
fn several_folders_outside_of_a_repository_keep_their_names_apart() {
    let folder = Folder::new(&[]);
    for name in ["a", "b"] {
        folder.write(&format!("{name}/compose.yaml"), "services: {x: {build: ./y}}\n");
        for file in ["y/Dockerfile", "deep/Dockerfile"] {
            folder.write(&format!("{name}/{file}"), "FROM scratch\nCOPY f /\n");
        }
        folder.write(&format!("{name}/f"), "");
    }
    let absolute = folder.path("a").display().to_string();
    for (paths, a) in [(["a", "b"], "a"), (["./a", "b"], "a"), ([absolute.as_str(), "b"], absolute.as_str())] {
        let report = report(&folder, &paths);
        let rows = report["services"].as_array().unwrap();
        let row = rows.iter().find(|row| row["file"] == format!("{a}/compose.yaml")).unwrap();
        assert_eq!(
            (&row["context"], &row["dockerfile"]),
            (&json!(format!("{a}/y")), &json!(format!("{a}/y/Dockerfile")))
        );
        let loose = rows.iter().find(|row| row["file"] == format!("{a}/deep/Dockerfile")).unwrap();
        assert_eq!(loose["context"], a);
        assert_eq!(rows.len(), 4, "{report:#}");
        let ran = folder.restow(&["services", paths[0], paths[1]]).expect(0);
        assert!(!ran.out.contains("not there"), "{}", ran.out);
    }
    let inside = folder.restow_in("a", &["services", "../a", "../b"]).expect(0);
    assert_holds(&inside.out, &["x  ../a/compose.yaml:1\n  context     ../a/y\n  Dockerfile  ../a/y/Dockerfile\n"]);
}

#[test]
fn files_of_several_repositories_are_told_apart() {
    let folder = Folder::new(&[]);
    for name in ["a", "b"] {
        folder.git(&["init", "-q", name], "").expect(0);
        folder.write(&format!("{name}/compose.yaml"), "services: {x: {build: .}}\n");
        folder.write(&format!("{name}/Dockerfile"), CLEAN);
    }
    let report = report(&folder, &["b", "a"]);
    let files: Vec<&str> =
        report["services"].as_array().unwrap().iter().map(|row| row["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["a/compose.yaml", "b/compose.yaml"]);
    assert_eq!(
        (&report["services"][1]["context"], &report["services"][1]["dockerfile"]),
        (&json!("b"), &json!("b/Dockerfile"))
    );
}

#[test]
fn a_workflow_of_a_project_in_a_folder_builds_in_that_folder() {
    let folder = Folder::repository(&[
        ("sub/compose.yaml", "services: {api: {build: ./api}}\n"),
        ("sub/api/Dockerfile", CLEAN),
        (
            "sub/.github/workflows/ci.yml",
            "jobs:\n  b:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        include:\n          - {dir: api}\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: ${{ matrix.dir }}\n",
        ),
    ]);
    let report = report(&folder, &[]);
    assert_eq!(names(&report), ["api"]);
    assert_eq!(report["services"][0]["ci"][0]["file"], "sub/.github/workflows/ci.yml");
}

#[test]
fn the_order_of_paths_and_the_number_of_threads_change_nothing() {
    let folder = everything();
    for format in ["text", "json"] {
        let run =
            |arguments: &[&str]| folder.restow(&[&["services", "--format", format], arguments].concat()).expect(0).out;
        let first = run(&["."]);
        assert_eq!(first, run(&["--jobs", "1"]));
        assert_eq!(first, run(&["deep", "compose.yaml", "docker-bake.hcl", ".github", "alone"]));
        assert_eq!(first, run(&[".github", "alone", "docker-bake.hcl", "compose.yaml", "deep", "."]));
    }
}

#[test]
fn a_file_that_can_not_be_read_is_a_warning_when_walked_and_2_when_named() {
    let folder = everything();
    folder.write("broken/compose.yaml", "services: [\n");
    folder.write("broken/Dockerfile", TEMPLATE);
    let ran = folder.restow(&["services"]).expect(0);
    assert_holds(&ran.err, &["warning: broken/Dockerfile:2:1: unknown instruction", "warning: broken/compose.yaml:"]);
    assert_holds(ran.counts(), &["7 files read, 6 builds found; 2 errors"]);
    let report = report(&folder, &[]);
    assert_eq!(names(&report).len(), 6);
    assert_eq!(report["errors"][0]["path"], "broken/Dockerfile");
    assert!(report["errors"][1]["line"].as_u64().unwrap() > 0, "{report}");
    for arguments in [&["--strict"][..], &[".", "broken/compose.yaml"], &["broken/Dockerfile"], &["missing"]] {
        let ran = folder.restow(&[&["services"], arguments].concat()).expect(2);
        assert_holds(&ran.err, &["error: "]);
    }
}

#[test]
fn quiet_leaves_errors_only() {
    let folder = everything();
    folder.write("broken/Dockerfile", TEMPLATE);
    assert_eq!(folder.restow(&["services", "-q"]).expect(0).err, "");
    let ran = folder.restow(&["services", "-q", "broken/Dockerfile"]).expect(2);
    assert!(ran.err.starts_with("error: broken/Dockerfile:2:1: ") && ran.err.lines().count() == 1, "{}", ran.err);
}

#[test]
fn globs_and_settings_add_dockerfiles() {
    let folder = Folder::repository(&[("images/web.docker", CLEAN)]);
    assert_eq!(names(&report(&folder, &[])), [""; 0]);
    assert_eq!(names(&report(&folder, &["--dockerfile", "*.docker"])), ["images/web.docker"]);
    folder.write("other.toml", "dockerfiles = [\"images/*\"]\n");
    assert_eq!(names(&report(&folder, &["--config", "other.toml"])), ["images/web.docker"]);
}

#[test]
fn misuse_is_2_and_says_what_there_is() {
    let folder = everything();
    for format in ["patch", "github"] {
        let ran = folder.restow(&["services", "--format", format]).expect(2);
        assert_eq!(ran.out, "");
        assert_holds(&ran.err, &["error: ", "text or json"]);
    }
    assert_holds(&folder.restow(&["services", "-"]).expect(2).err, &["standard input"]);
    folder.write("restow.toml", "reveiw = true\n");
    assert_holds(&folder.restow(&["services"]).expect(2).err, &["restow.toml:1:1: ", "`reveiw`"]);
}
