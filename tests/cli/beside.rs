//! Changes that add to a .dockerignore: made together with it, or not at all.

use std::os::unix::fs::PermissionsExt;

use super::support::{Folder, assert_holds};

const DOCKERFILE: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN python -m venv venv && venv/bin/pip install -r requirements.txt\n";
const AFTER: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt ./\nRUN python -m venv venv && venv/bin/pip install -r requirements.txt\nCOPY . .\n";
const ONLY: [&str; 3] = ["--review", "--only", "copy-manifests-first"];

fn folder() -> Folder {
    Folder::repository(&[("Dockerfile", DOCKERFILE), ("requirements.txt", "flask==3.0.3\n"), ("app.py", "")])
}

fn arguments<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    std::iter::once(command).chain(ONLY).chain(more.iter().copied()).collect()
}

#[test]
fn a_missing_dockerignore_is_made_and_the_patch_makes_the_same_one() {
    let applied = folder();
    applied.restow(&arguments("apply", &[])).expect(0);
    assert_eq!((applied.read("Dockerfile").as_str(), applied.read(".dockerignore").as_str()), (AFTER, "venv\n"));
    let mode = applied.path(".dockerignore").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    applied.restow(&arguments("check", &[])).expect(0);

    let patched = folder();
    let patch = patched.restow(&arguments("diff", &["--format", "patch"])).expect(0).out;
    assert_holds(&patch, &["new file mode 100644", "--- /dev/null", "+++ b/.dockerignore"]);
    patched.git(&["apply", "-"], &patch).expect(0);
    assert_eq!(patched.tree(), applied.tree());
    patched.git(&["apply", "-R", "-"], &patch).expect(0);
    assert_eq!(patched.tree(), folder().tree());
}

#[test]
fn lines_are_appended_once_for_dockerfiles_that_share_a_context() {
    let folder = folder();
    folder.write(".dockerignore", ".git");
    folder.write("worker.Dockerfile", DOCKERFILE);
    let ran = folder.restow(&arguments("apply", &[])).expect(0);
    assert_holds(&ran.out, &["Dockerfile: 1 change\n", "worker.Dockerfile: 1 change\n", ".dockerignore: 1 change\n"]);
    assert_eq!(folder.read(".dockerignore"), ".git\nvenv\n");
    assert_eq!(folder.read("worker.Dockerfile"), AFTER);
}

#[test]
fn the_own_dockerignore_of_a_dockerfile_is_the_one_that_gets_the_lines() {
    let folder = folder();
    folder.write(".dockerignore", "venv\n");
    folder.write("Dockerfile.dockerignore", ".git\n");
    folder.restow(&arguments("apply", &[])).expect(0);
    assert_eq!(
        (folder.read(".dockerignore").as_str(), folder.read("Dockerfile.dockerignore").as_str()),
        ("venv\n", ".git\nvenv\n")
    );
}

#[test]
fn the_dockerfile_stays_as_it_is_where_the_dockerignore_can_t_be_written() {
    let folder = folder();
    // A folder of that name: nothing is made over it, whoever runs the test.
    std::fs::create_dir(folder.path(".dockerignore")).unwrap();
    let ran = folder.restow(&arguments("diff", &["--why-not"])).expect(0);
    assert_holds(&ran.out, &[".dockerignore is no plain file"]);
    folder.restow(&arguments("apply", &[])).expect(0);
    assert_eq!(folder.read("Dockerfile"), DOCKERFILE);
}

#[test]
fn json_names_both_files_with_one_group() {
    let report = folder().json(&ONLY);
    let files = report["files"].as_array().unwrap();
    let of = |path: &str| files.iter().find(|file| file["path"] == path).unwrap();
    let (dockerfile, ignore) = (of("Dockerfile"), of(".dockerignore"));
    assert_eq!(ignore["kind"], "dockerignore");
    assert_eq!(dockerfile["changes"][0]["group"], ignore["changes"][0]["group"]);
    assert_eq!(ignore["edits"][0]["replacement"], "venv\n");
    assert_eq!(report["summary"]["changes"], 2);
}

#[test]
fn from_a_folder_below_the_root_the_file_is_found_and_shown() {
    let folder = Folder::repository(&[
        ("svc/docker/Dockerfile", DOCKERFILE),
        ("svc/compose.yaml", "services:\n  a:\n    build:\n      context: .\n      dockerfile: docker/Dockerfile\n"),
        ("svc/requirements.txt", "flask==3.0.3\n"),
    ]);
    let ran = folder.restow_in("svc/docker", &arguments("apply", &["Dockerfile"])).expect(0);
    assert_holds(&ran.out, &["Dockerfile: 1 change\n", ".dockerignore: 1 change\n"]);
    assert_eq!(
        (folder.read("svc/docker/Dockerfile").as_str(), folder.read("svc/.dockerignore").as_str()),
        (AFTER, "venv\n")
    );
}

#[test]
fn without_review_nothing_is_written_beside() {
    let folder = folder();
    folder.restow(&["apply", "--only", "copy-manifests-first"]).expect(0);
    assert_eq!(folder.tree(), self::folder().tree());
}
