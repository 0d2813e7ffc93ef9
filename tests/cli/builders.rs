//! Builders that refuse or ignore cache mounts.

use super::support::{Folder, MOUNT, PIP, assert_holds};

#[test]
fn builders_without_cache_mounts_get_none() {
    for (builder, what) in
        [("classic", "fails on --mount"), ("kaniko", "ignores --mount"), ("railway", "cache.id-prefix")]
    {
        let folder = Folder::new(&[("Dockerfile", PIP), ("restow.toml", &format!("builder = \"{builder}\"\n"))]);
        let ran = folder.restow(&["check", "--review"]).expect(0);
        assert_eq!(ran.out, "");
        assert_holds(ran.counts(), &["1 left alone"]);
        let ran = folder.restow(&["diff", "--why-not"]).expect(0);
        assert_holds(&ran.out, &["# add-cache-mounts Dockerfile:2 ", &format!("builder = \"{builder}\""), what]);
    }
}

#[test]
fn a_prefix_makes_ids_that_railway_takes() {
    let folder = Folder::new(&[
        ("Dockerfile", PIP),
        ("restow.toml", "builder = \"railway\"\n[cache]\nid-prefix = \"s/1234-\"\n"),
    ]);
    folder.restow(&["apply"]).expect(0);
    assert_holds(
        &folder.read("Dockerfile"),
        &["RUN --mount=type=cache,id=s/1234-pip", ",target=/root/.cache/pip pip install flask\n"],
    );
}

#[test]
fn a_prefix_does_not_make_classic_or_kaniko_take_mounts() {
    for builder in ["classic", "kaniko"] {
        let folder = Folder::new(&[
            ("Dockerfile", PIP),
            ("restow.toml", &format!("builder = \"{builder}\"\n[cache]\nid = \"always\"\nid-prefix = \"s/1234-\"\n")),
        ]);
        assert_eq!(folder.restow(&["check", "--review"]).expect(0).out, "");
    }
}

#[test]
fn ids_are_written_always_if_asked_for() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    assert!(!folder.restow(&["diff"]).out.contains(",id="));
    folder.write("restow.toml", "[cache]\nid = \"always\"\n");
    folder.restow(&["apply"]).expect(0);
    assert_holds(&folder.read("Dockerfile"), &["RUN --mount=type=cache,id=pip", ",target=/root/.cache/pip "]);
}

const SIGNS: [(&str, &str, &str, &str); 4] = [
    ("railway.toml", "[build]\nbuilder = \"DOCKERFILE\"\n", "railway.toml:1", "railway"),
    (
        ".gitlab-ci.yml",
        "build:\n  image:\n    name: gcr.io/kaniko-project/executor:debug\n",
        ".gitlab-ci.yml:3",
        "kaniko",
    ),
    (
        ".github/workflows/build.yml",
        "on: push\nenv:\n  DOCKER_BUILDKIT: 0\n",
        ".github/workflows/build.yml:3",
        "classic",
    ),
    ("Makefile", "image:\n\tDOCKER_BUILDKIT=0 docker build .\n", "Makefile:2", "classic"),
];

#[test]
fn signs_in_the_repository_are_respected_and_reported() {
    for (name, text, place, builder) in SIGNS {
        let folder = Folder::repository(&[("svc/Dockerfile", PIP), (name, text)]);
        for (inside, path) in [("", "."), ("", "svc"), ("", "svc/Dockerfile"), ("svc", ".")] {
            let ran = folder.restow_in(inside, &["diff", path]).expect(0);
            assert_eq!(ran.out, "", "{path} in {inside:?}");
            assert_holds(&ran.err, &[place, "diff --why-not"]);
            assert_eq!(ran.err.matches(place).count(), 1, "said once: {}", ran.err);
            let ran = folder.restow_in(inside, &["diff", "--why-not", path]).expect(0);
            assert_holds(&ran.out, &[&format!("{place} speaks for {builder}"), "builder in restow.toml"]);
        }
        let report = folder.json(&[]);
        let files = report["files"].as_array().unwrap();
        let dockerfile = files.iter().find(|file| file["path"] == "svc/Dockerfile").unwrap();
        assert_holds(dockerfile["skipped"][0]["reason"].as_str().unwrap(), &[place, builder]);
    }
}

#[test]
fn the_note_on_a_sign_is_about_the_repository_and_not_about_one_manager() {
    let (name, text, place, _) = SIGNS[1];
    let folder =
        Folder::repository(&[("Dockerfile", PIP), ("b/Dockerfile", "FROM node:20\nRUN npm ci\n"), (name, text)]);
    let ran = folder.restow(&["diff"]).expect(0);
    let notes: Vec<&str> = ran.err.lines().filter(|line| line.contains(place)).collect();
    assert_eq!(notes.len(), 1, "one note: {}", ran.err);
    assert!(notes[0].starts_with(&format!("note: {place} ")), "{notes:?}");
}

#[test]
fn settings_win_over_signs() {
    for (name, text, _, _) in SIGNS {
        let folder =
            Folder::repository(&[("svc/Dockerfile", PIP), (name, text), ("restow.toml", "builder = \"buildkit\"\n")]);
        assert_holds(&folder.restow(&["diff"]).expect(0).out, &[MOUNT]);
    }
}

#[test]
fn what_does_not_switch_buildkit_off_is_no_sign() {
    for (name, text) in [
        (".github/workflows/build.yml", "env:\n  DOCKER_BUILDKIT: 1\n"),
        ("Makefile", "# DOCKER_BUILDKIT=0 docker build .\n"),
        (".gitlab-ci.yml", "build:\n  # no gcr.io/kaniko-project/executor any more\n  image: docker\n"),
    ] {
        let folder = Folder::repository(&[("Dockerfile", PIP), (name, text)]);
        let ran = folder.restow(&["check"]).expect(1);
        assert!(!ran.err.contains("speaks for"), "{}", ran.err);
    }
}
