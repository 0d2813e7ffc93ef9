//! The contract of the command line: explain.

use super::support::{Folder, PIP, TEMPLATE, UNKNOWN, assert_holds};

#[test]
fn transforms_are_listed_with_level_kinds_and_a_line() {
    let ran = Folder::new(&[]).restow(&["transforms"]).expect(0);
    let ids: Vec<&str> = ran.out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    let wanted: Vec<&str> = restow::transforms::ids();
    assert_eq!(ids, wanted, "in the order of application");
    for line in ran.out.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(matches!(words[1], "safe" | "review"), "{line}");
        assert!(
            words[2].split(',').all(|kind| matches!(kind, "dockerfile" | "compose" | "bake" | "workflow")),
            "{line}"
        );
        assert!(words.len() > 5, "{line}");
    }
    assert_eq!(ran.err, "");
}

#[test]
fn explain_prints_a_transforms_documentation_with_before_and_after() {
    let folder = Folder::new(&[]);
    for id in restow::transforms::ids() {
        let ran = folder.restow(&["explain", id]).expect(0);
        assert_holds(&ran.out, &[&format!("# {id}\n"), "Why", "What is left alone", "Safety", "```diff\n", "\n+"]);
    }
    let ran = folder.restow(&["explain", "add-cache-mounts"]).expect(0);
    assert_holds(&ran.out, &["\n-RUN", "\n+RUN", "\n```dockerfile\n"]);
    let ran = folder.restow(&["explain", "add-cache-from"]).expect(0);
    assert_holds(&ran.out, &["\n+      cache_from:", "\n```yaml\n"]);
}

#[test]
fn explain_prints_what_restow_sees_at_a_line() {
    let folder =
        Folder::new(&[("svc/Dockerfile", "FROM python:3.12-slim AS app\nRUN pip install \\\n  flask\nCOPY . .\n")]);
    for line in ["svc/Dockerfile:2", "svc/Dockerfile:3"] {
        let ran = folder.restow(&["explain", line]).expect(0);
        assert_holds(
            &ran.out,
            &[
                "svc/Dockerfile:2-3 RUN",
                "python:3.12-slim",
                "root",
                "/root/.cache/pip",
                "# add-cache-mounts svc/Dockerfile:2 [safe] Mount the pip cache: ",
            ],
        );
    }
    let ran = folder.restow(&["explain", "svc/Dockerfile:4"]).expect(0);
    assert!(!ran.out.contains("would change"), "{}", ran.out);
    assert_holds(&ran.out, &["svc/Dockerfile:4-4 COPY", "nothing to change"]);
}

#[test]
fn explain_says_why_a_line_is_held_back_or_left_alone() {
    let folder =
        Folder::new(&[("Dockerfile", UNKNOWN), ("b/Dockerfile", PIP), ("b/restow.toml", "builder = \"kaniko\"\n")]);
    let ran = folder.restow(&["explain", "Dockerfile:2"]).expect(0);
    assert_holds(&ran.out, &["[review]", "the base image acme/python:1 is not known"]);
    let ran = folder.restow(&["explain", "b/Dockerfile:2"]).expect(0);
    assert_holds(&ran.out, &["left alone", "builder = \"kaniko\"", "ignores --mount"]);
}

#[test]
fn explain_says_that_a_comment_holds_a_change_off() {
    let folder = Folder::new(&[(
        "Dockerfile",
        "FROM python:3.12-slim\n# restow: ignore=add-cache-mounts -- the mirror is local\nRUN pip install flask\n",
    )]);
    let ran = folder.restow(&["explain", "Dockerfile:3"]).expect(0);
    assert_holds(&ran.out, &["restow: ignore"]);
    folder.write("Dockerfile", format!("# restow: ignore-file\n{PIP}"));
    assert_holds(&folder.restow(&["explain", "Dockerfile:3"]).expect(0).out, &["restow: ignore-file"]);
}

#[test]
fn explain_knows_the_bases_and_managers_of_settings() {
    let folder = Folder::new(&[
        ("Dockerfile", "FROM acme/python:1\nRUN fetcher grab lib\n"),
        (
            "restow.toml",
            "[[base]]\nimage = \"acme/python\"\nuser = \"app\"\nuid = 1234\nhome = \"/srv/app\"\n[[manager]]\nid = \"fetcher\"\nprograms = [\"fetcher\"]\ninstall = [\"grab\"]\ncache = \"~/.fetcher\"\n",
        ),
    ]);
    let ran = folder.restow(&["explain", "Dockerfile:2"]).expect(0);
    assert_holds(&ran.out, &["would change", "app (uid 1234, home /srv/app)", "/srv/app/.fetcher"]);
    assert!(!ran.out.contains("unknown base image"), "{}", ran.out);
}

#[test]
fn explain_shows_a_service_who_builds_it_and_what_would_change_in_it() {
    let folder = Folder::repository(&[
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n    image: ghcr.io/acme/api:1\n\n  web:\n    build: ./web\n  db:\n    image: postgres:16\n",
        ),
        ("api/Dockerfile", PIP),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  images:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - name: Publish\n        uses: docker/build-push-action@v6\n        with:\n          context: api\n",
        ),
        ("docker-bake.hcl", "# tools\ntarget \"tool\" {\n  target = \"x\"\n}\n"),
    ]);
    for line in ["compose.yaml:2", "compose.yaml:4"] {
        let ran = folder.restow(&["explain", line]).expect(0);
        assert_holds(
            &ran.out,
            &[
                "compose.yaml:2-4 service api\n  context     api\n  Dockerfile  api/Dockerfile\n  image       ghcr.io/acme/api:1\n",
                "  CI          .github/workflows/ci.yml:6 images, Publish (an action); builder: hosted, starts empty;",
                "  cache mode  inline\n",
                "would change\n  # add-cache-from compose.yaml:3 [review] ",
            ],
        );
    }
    let ran = folder.restow(&["explain", "compose.yaml:7"]).expect(0);
    assert_holds(&ran.out, &["compose.yaml:6-7 service web\n", "left alone\n  # add-cache-from compose.yaml:7 `web`"]);
    assert!(!ran.out.contains("`api`"), "{}", ran.out);
    let ran = folder.restow(&["explain", "compose.yaml:9"]).expect(0);
    assert_holds(&ran.out, &["compose.yaml:8-9 service db\n", "postgres:16", "nothing to change here"]);
    let ran = folder.restow(&["explain", "docker-bake.hcl:3"]).expect(0);
    assert_holds(
        &ran.out,
        &["docker-bake.hcl:2-4 target tool\n", "  target      x\n", "# add-cache-from docker-bake.hcl:2 "],
    );
    for line in ["6", "9"] {
        let ran = folder.restow(&["explain", &format!(".github/workflows/ci.yml:{line}")]).expect(0);
        assert_holds(
            &ran.out,
            &[
                ".github/workflows/ci.yml:6-9 job images, Publish\n  uses        docker/build-push-action@v6\n",
                "  Dockerfile  api/Dockerfile\n",
                "  builder     hosted, starts empty; imports no cache\n",
                "would change\n  # add-ci-cache .github/workflows/ci.yml:6 [review] ",
            ],
        );
    }
    let ran = folder.restow(&["explain", ".github/workflows/ci.yml:3"]).expect(0);
    assert_holds(&ran.out, &["ci.yml:2-9 job images\n", "  builds      api/Dockerfile, at line 6\n", "would change"]);
}

#[test]
fn explain_of_a_line_outside_of_all_blocks_is_2() {
    let folder = Folder::new(&[
        ("compose.yaml", "services:\n  api:\n    build: ./api\n"),
        ("docker-bake.hcl", "# c\ntarget \"x\" {}\n"),
        ("docker-bake.json", "{\n\"target\": {\"x\": {}}}\n"),
        (".github/workflows/ci.yml", "on: push\njobs:\n  b:\n    steps: []\n"),
        ("b/compose.yaml", "services: [\n"),
    ]);
    for (place, cause) in [
        ("compose.yaml:1", "compose.yaml:1 stands in no service; the file has 1"),
        ("compose.yaml:99", "compose.yaml:99 stands in no service"),
        ("docker-bake.hcl:1", "stands in no target; the file has 1"),
        ("docker-bake.json:1", "stands in no target; the file has 1"),
        (".github/workflows/ci.yml:1", "stands in no job; the file has 1"),
        ("b/compose.yaml:1", "b/compose.yaml:"),
        ("b:1", "a folder has no lines"),
    ] {
        let ran = folder.restow(&["explain", place]).expect(2);
        assert_eq!(ran.out, "");
        assert_holds(&ran.err, &["error: ", cause]);
    }
    folder.restow(&["explain", "docker-bake.json:2"]).expect(0);
}

#[test]
fn explain_of_nothing_is_2() {
    let folder = Folder::new(&[("Dockerfile", PIP), ("b/Dockerfile", TEMPLATE)]);
    folder.write("c/Dockerfile", b"FROM a\n\xff\n");
    for (what, cause) in [
        ("add-cache-mount", "add-cache-mounts, drop-no-cache"),
        ("missing:1", "missing: No such file"),
        ("Dockerfile:99", "Dockerfile:99"),
        ("Dockerfile:0", "Dockerfile:0"),
        ("b/Dockerfile:1", "b/Dockerfile:2:1: unknown instruction"),
        ("c/Dockerfile:1", "c/Dockerfile:2:1: not UTF-8"),
    ] {
        let ran = folder.restow(&["explain", what]).expect(2);
        assert_eq!(ran.out, "");
        assert_holds(&ran.err, &["error: ", cause]);
    }
}
