//! `restow apply`: what is written, and what is refused.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::support::{Folder, PIP, PIP_MOUNTED, SEVERAL, TEMPLATE, UNKNOWN, assert_holds};

#[test]
fn apply_keeps_the_mode() {
    let folder = Folder::new(&[]);
    let modes = [("a", 0o755), ("b", 0o640), ("c", 0o600), ("d", 0o666), ("e", 0o444)];
    for (name, mode) in modes {
        let path = format!("{name}/Dockerfile");
        folder.write(&path, PIP);
        std::fs::set_permissions(folder.path(&path), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    folder.restow(&["apply"]).expect(0);
    for (name, mode) in modes {
        let path = format!("{name}/Dockerfile");
        assert_eq!(folder.read(&path), PIP_MOUNTED);
        assert_eq!(folder.path(&path).metadata().unwrap().permissions().mode() & 0o7777, mode, "{name}");
    }
}

#[test]
fn apply_follows_a_link_inside_the_repository() {
    let folder = Folder::repository(&[("docker/base", PIP)]);
    symlink("docker/base", folder.path("Dockerfile")).unwrap();
    folder.restow(&["apply"]).expect(0);
    assert!(folder.path("Dockerfile").is_symlink());
    assert!(!folder.path("docker/base").is_symlink());
    assert_eq!(folder.read("docker/base"), PIP_MOUNTED);
}

#[test]
fn apply_follows_a_named_link_upwards_inside_the_repository() {
    let folder = Folder::repository(&[("docker/base", PIP)]);
    std::fs::create_dir(folder.path("svc")).unwrap();
    symlink("../docker/base", folder.path("svc/Dockerfile")).unwrap();
    folder.restow_in("svc", &["apply", "Dockerfile"]).expect(0);
    assert!(folder.path("svc/Dockerfile").is_symlink());
    assert_eq!(folder.read("docker/base"), PIP_MOUNTED);
}

#[test]
fn a_link_and_its_target_are_one_file() {
    let folder = Folder::repository(&[("docker/Dockerfile", PIP)]);
    symlink("docker/Dockerfile", folder.path("Dockerfile")).unwrap();
    let ran = folder.restow(&["apply"]).expect(0);
    assert_holds(ran.counts(), &["1 changed (1 change)"]);
    assert_eq!(folder.read("docker/Dockerfile"), PIP_MOUNTED);
    assert!(folder.path("Dockerfile").is_symlink());
}

#[test]
fn a_file_that_is_named_twice_is_changed_once() {
    let folder = Folder::new(&[("svc/Dockerfile", PIP)]);
    let absolute = folder.path("svc/Dockerfile");
    let ran =
        folder.restow(&["apply", "svc/Dockerfile", "./svc/../svc/Dockerfile", absolute.to_str().unwrap()]).expect(0);
    assert_holds(ran.counts(), &["1 file read, 1 changed (1 change)"]);
    assert_eq!(folder.read("svc/Dockerfile"), PIP_MOUNTED);
}

#[test]
fn apply_refuses_a_link_out_of_the_repository_and_does_the_rest() {
    let outside = Folder::new(&[("Dockerfile", PIP)]);
    let folder = Folder::repository(&[("a/Dockerfile", PIP)]);
    symlink(outside.path("Dockerfile"), folder.path("Dockerfile")).unwrap();
    for _ in 0..2 {
        // Found by walking, so a warning; diff and check pass over it in the same way.
        let ran = folder.restow(&["apply"]).expect(0);
        assert_holds(&ran.err, &["warning: Dockerfile: ", "out of the repository"]);
        assert_eq!(outside.read("Dockerfile"), PIP);
        assert_eq!(folder.read("a/Dockerfile"), PIP_MOUNTED);
    }
    assert_eq!(folder.tree().len(), 2, "nothing is left beside the files");
}

#[test]
fn apply_refuses_a_folder_that_links_out_of_the_repository() {
    let outside = Folder::new(&[("Dockerfile", PIP)]);
    let folder = Folder::repository(&[]);
    symlink(outside.root(), folder.path("svc")).unwrap();
    let ran = folder.restow(&["apply", "svc/Dockerfile"]).expect(2);
    assert_holds(&ran.err, &["error: svc/Dockerfile: ", "out of the repository"]);
    assert_eq!(outside.read("Dockerfile"), PIP);
}

#[test]
fn a_second_apply_changes_nothing() {
    let folder = Folder::repository(&[
        ("Dockerfile", SEVERAL),
        ("b/Dockerfile", UNKNOWN),
        ("c/Dockerfile", "FROM golang:1.22\nCOPY . .\nRUN go mod download\nRUN go build ./...\nCMD [\"/app\"]\n"),
        (
            "d/Dockerfile",
            "FROM node:20-alpine\nRUN apk add --no-cache git && npm ci && npm cache clean --force\nCMD [\"node\"]\n",
        ),
    ]);
    for flags in [&[][..], &["--review"]] {
        assert!(!folder.restow(&[&["apply"], flags].concat()).expect(0).out.is_empty());
        let once = folder.tree();
        let ran = folder.restow(&[&["apply"], flags].concat()).expect(0);
        assert_eq!(ran.out, "");
        assert_holds(ran.counts(), &["4 files read, 0 changed (0 changes)"]);
        assert_eq!(folder.tree(), once);
        folder.restow(&[&["check"], flags].concat()).expect(0);
    }
}

#[test]
fn apply_on_standard_input_prints_the_new_text_and_nothing_else() {
    let folder = Folder::new(&[]);
    assert_eq!(folder.restow_on(PIP, &["apply", "-"]).expect(0).out, PIP_MOUNTED);
    let unusual = "\u{feff}FROM python:3.12-slim\r\nRUN pip install flask";
    assert_eq!(
        folder.restow_on(unusual, &["apply", "-"]).expect(0).out,
        "\u{feff}FROM python:3.12-slim\r\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask"
    );
    assert_eq!(folder.restow_on(UNKNOWN, &["apply", "-"]).expect(0).out, UNKNOWN);
    assert_holds(&folder.restow_on(UNKNOWN, &["apply", "-", "--review"]).expect(0).out, &["RUN --mount=type=cache"]);
    assert!(folder.tree().is_empty(), "nothing is written");
}

#[test]
fn standard_input_that_can_not_be_parsed_is_2_under_its_given_name() {
    let folder = Folder::new(&[]);
    for command in ["diff", "check", "apply"] {
        let ran = folder.restow_on(TEMPLATE, &[command, "-", "--stdin-name", "svc/Dockerfile"]).expect(2);
        assert_holds(&ran.err, &["error: svc/Dockerfile:2:1: unknown instruction"]);
    }
    assert_holds(
        &folder.restow_on(b"FROM a\n\xff", &["diff", "-"]).expect(2).err,
        &["error: Dockerfile:2:1: not UTF-8"],
    );
}

#[test]
fn diff_on_standard_input_shows_its_given_name() {
    let folder = Folder::new(&[]);
    let ran = folder.restow_on(PIP, &["diff", "-", "--stdin-name", "svc/web.Dockerfile", "--exit-code"]).expect(1);
    assert_holds(
        &ran.out,
        &["# add-cache-mounts svc/web.Dockerfile:2 [safe]", "--- a/svc/web.Dockerfile", "+RUN --mount"],
    );
    let patch =
        folder.restow_on(PIP, &["diff", "-", "--stdin-name", "svc/web.Dockerfile", "--format", "patch"]).expect(0).out;
    folder.write("svc/web.Dockerfile", PIP);
    folder.git(&["apply"], &patch).expect(0);
    assert_eq!(folder.read("svc/web.Dockerfile"), PIP_MOUNTED);
}

#[test]
fn settings_hold_for_standard_input_by_its_given_name() {
    let folder = Folder::new(&[("svc/restow.toml", "except = [\"add-cache-mounts\"]\n")]);
    assert_eq!(folder.restow_on(PIP, &["apply", "-", "--stdin-name", "svc/Dockerfile"]).expect(0).out, PIP);
    assert_eq!(folder.restow_on(PIP, &["apply", "-"]).expect(0).out, PIP_MOUNTED);
}
