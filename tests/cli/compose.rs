//! The contract of the command line for compose files, bake files and workflows.

use super::support::{CLEAN, Folder, PIP, assert_holds};

const COMPOSE: &str = "# the stack\nservices:\n  api:\n    build: ./api # ours\n    image: ghcr.io/acme/api:1\n";
const COMPOSE_INLINE: &str = "# the stack\nservices:\n  api:\n    build:\n      context: ./api # ours\n      cache_from:\n        - \"ghcr.io/acme/api:1\"\n      cache_to:\n        - type=inline\n    image: ghcr.io/acme/api:1\n";
const BAKE: &str = "target \"tool\" {\n  context = \"tool\"\n  tags = [\"ghcr.io/acme/tool:1\"]\n}\n";
const WORKFLOW: &str = "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          context: alone\n          push: true\n          tags: ghcr.io/acme/alone:1\n";

fn every_kind() -> Folder {
    Folder::repository(&[
        (".github/workflows/ci.yml", WORKFLOW),
        ("alone/Dockerfile", CLEAN),
        ("api/Dockerfile", CLEAN),
        ("compose.yaml", COMPOSE),
        ("docker-bake.hcl", BAKE),
        ("tool/Dockerfile", CLEAN),
    ])
}

#[test]
fn changes_outside_of_dockerfiles_are_held_back_for_review() {
    let folder = every_kind();
    let before = folder.tree();
    assert_eq!(folder.restow(&["check"]).expect(0).out, "");
    assert_holds(folder.restow(&["apply"]).expect(0).counts(), &["6 files read, 0 changed", "3 held back for review"]);
    assert_eq!(folder.tree(), before);
    let ran = folder.restow(&["check", "--review"]).expect(1);
    let places: Vec<&str> = ran.out.lines().map(|line| line.split(" [review]").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            ".github/workflows/ci.yml:8: add-ci-cache",
            "compose.yaml:4: add-cache-from",
            "docker-bake.hcl:1: add-cache-from"
        ]
    );
}

#[test]
fn apply_writes_what_diff_shows_and_a_second_run_changes_nothing() {
    let folder = every_kind();
    let patch = folder.restow(&["diff", "--review", "--format", "patch"]).expect(0).out;
    let twin = every_kind();
    twin.git(&["apply", "-"], &patch).expect(0);
    folder.restow(&["apply", "--review"]).expect(0);
    assert_eq!(folder.tree(), twin.tree());
    assert_eq!(folder.read("compose.yaml"), COMPOSE_INLINE);
    assert_holds(
        &folder.read("docker-bake.hcl"),
        &["  cache-from = [\"ghcr.io/acme/tool:1\"]\n  cache-to = [\"type=inline\"]\n}\n"],
    );
    assert_holds(&folder.read(".github/workflows/ci.yml"), &["          cache-from: type=gha,scope=alone\n"]);
    for command in [&["check", "--review"][..], &["apply", "--review"]] {
        assert_holds(folder.restow(command).expect(0).counts(), &["(0 changes)"]);
    }
    folder.git(&["apply", "-R", "-"], &patch).expect(0);
    assert_eq!(folder.tree(), every_kind().tree());
}

#[test]
fn json_names_the_kind_of_every_file() {
    let report = every_kind().json(&["--review"]);
    let kinds: Vec<(&str, &str, usize)> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let text = |key: &str| file[key].as_str().unwrap();
            (text("path"), text("kind"), file["changes"].as_array().unwrap().len())
        })
        .collect();
    let expected = [
        (".github/workflows/ci.yml", "workflow", 1),
        ("alone/Dockerfile", "dockerfile", 0),
        ("api/Dockerfile", "dockerfile", 0),
        ("compose.yaml", "compose", 1),
        ("docker-bake.hcl", "bake", 1),
        ("tool/Dockerfile", "dockerfile", 0),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn only_and_except_choose_among_the_kinds() {
    let folder = every_kind();
    let ran = folder.restow(&["check", "--review", "--only", "add-ci-cache"]).expect(1);
    assert!(ran.out.starts_with(".github/") && ran.out.lines().count() == 1, "{}", ran.out);
    let ran = folder.restow(&["check", "--review", "--except", "add-cache-from"]).expect(1);
    assert!(ran.out.starts_with(".github/") && ran.out.lines().count() == 1, "{}", ran.out);
}

#[test]
fn the_cache_mode_decides_what_is_written() {
    for (mode, there, missing) in [
        ("inline", &["- \"ghcr.io/acme/api:1\"\n", "- type=inline\n"][..], "type=registry"),
        ("registry", &["- \"type=registry,ref=ghcr.io/acme/api:buildcache\"\n", "buildcache,mode=max\"\n"], "inline"),
        (
            "local",
            &["type=local,src=/tmp/.buildx-cache/api", "type=local,dest=/tmp/.buildx-cache/api,mode=max"],
            "inline",
        ),
        ("classic", &["- \"ghcr.io/acme/api:1\"\n"], "cache_to"),
    ] {
        let folder = every_kind();
        folder.restow(&["apply", "--review", "--cache-mode", mode, "compose.yaml"]).expect(0);
        let after = folder.read("compose.yaml");
        assert_holds(&after, there);
        assert!(!after.contains(missing), "{after}");
        let settings = every_kind();
        settings.write("restow.toml", format!("[cache]\nmode = \"{mode}\"\n"));
        settings.restow(&["apply", "--review", "compose.yaml"]).expect(0);
        assert_eq!(settings.read("compose.yaml"), after, "the key is the flag");
    }
    let folder = every_kind();
    folder.restow(&["apply", "--review", "--cache-mode", "off", "compose.yaml", "docker-bake.hcl"]).expect(0);
    assert_eq!((folder.read("compose.yaml").as_str(), folder.read("docker-bake.hcl").as_str()), (COMPOSE, BAKE));
    let ran = folder.restow(&["diff", "--review", "--why-not", "--cache-mode", "off", "compose.yaml"]).expect(0);
    assert_holds(&ran.out, &["# add-cache-from compose.yaml:4 ", "`api`", "off"]);
}

#[test]
fn an_unknown_cache_mode_is_2_and_names_those_that_exist() {
    let ran = every_kind().restow(&["diff", "--cache-mode", "gha"]).expect(2);
    assert_eq!(ran.out, "");
    assert_holds(&ran.err, &["gha", "inline, registry, local, classic, off"]);
}

#[test]
fn a_registry_in_settings_holds_for_services_targets_and_workflows() {
    let folder = every_kind();
    folder.write("restow.toml", "[cache]\nregistry = \"registry.example.com/cache/\"\n");
    folder.restow(&["apply", "--review"]).expect(0);
    for (file, name) in [("compose.yaml", "api"), ("docker-bake.hcl", "tool"), (".github/workflows/ci.yml", "alone")] {
        assert_holds(
            &folder.read(file),
            &[&format!("type=registry,ref=registry.example.com/cache/{name}:buildcache"), "mode=max"],
        );
    }
    let flag = every_kind();
    flag.write("restow.toml", "[cache]\nregistry = \"registry.example.com/cache\"\n");
    flag.restow(&["apply", "--review", "--cache-mode", "inline", "compose.yaml"]).expect(0);
    assert_eq!(flag.read("compose.yaml"), COMPOSE_INLINE, "the command line wins");
}

#[test]
fn a_service_row_and_an_override_hold_for_theirs_only() {
    let folder = every_kind();
    folder.write("restow.toml", "[[cache.service]]\nname = \"api\"\nmode = \"off\"\n");
    let ran = folder.restow(&["check", "--review", "--only", "add-cache-from"]).expect(1);
    assert!(ran.out.starts_with("docker-bake.hcl:1: ") && ran.out.lines().count() == 1, "{}", ran.out);
    folder.write("restow.toml", "[[override]]\nfiles = [\"*.hcl\"]\ncache-mode = \"off\"\n");
    let ran = folder.restow(&["check", "--review", "--only", "add-cache-from"]).expect(1);
    assert!(ran.out.starts_with("compose.yaml:4: ") && ran.out.lines().count() == 1, "{}", ran.out);
    folder.write("restow.toml", "[[override]]\nfiles = [\"*.hcl\"]\ncache-registry = \"r.example.com/c\"\n");
    folder.restow(&["apply", "--review", "--only", "add-cache-from"]).expect(0);
    assert_eq!(folder.read("compose.yaml"), COMPOSE_INLINE);
    assert_holds(&folder.read("docker-bake.hcl"), &["ref=r.example.com/c/tool:buildcache"]);
}

#[test]
fn cache_keys_that_are_wrong_are_2_with_their_place() {
    for (text, place, cause) in [
        ("[cache]\nmode = \"gha\"\n", "2:8", "registry"),
        ("[cache]\n\nregisrty = \"x\"\n", "3:1", "`regisrty`"),
        ("[cache]\nregistry = 3\n", "2:12", "string"),
        ("[[cache.service]]\nmode = \"off\"\n", "1:1", "`name`"),
        ("[[cache.service]]\nname = \"a\"\nmood = \"off\"\n", "3:1", "`mood`"),
        ("[[override]]\nfiles = [\"a\"]\ncache-mode = \"no\"\n", "3:14", "off"),
    ] {
        let folder = every_kind();
        folder.write("restow.toml", text);
        for command in ["diff", "check", "apply"] {
            let ran = folder.restow(&[command, "--review"]).expect(2);
            assert_eq!(ran.out, "");
            assert_holds(&ran.err, &[&format!("restow.toml:{place}: "), cause]);
        }
        assert_eq!(folder.read("compose.yaml"), COMPOSE);
    }
}

#[test]
fn a_file_that_can_not_be_parsed_is_a_warning_when_walked_and_2_when_named() {
    for (name, text, place, cause) in [
        ("compose.yml", "services:\n  a:\n    image: x\n    image: y\n", "4:5", "image"),
        ("docker-compose.prod.yml", "services:\n  {% if x %}\n", "2:3", "template"),
        ("compose.web.yaml", "services:\n  a:\n    image: {{ image }}\n", "3:", "template"),
        ("docker-bake.hcl", "target \"a\" {\n", "1:13", "block body"),
        ("docker-bake.json", "{\"target\": }\n", "1:12", ""),
        (".github/workflows/a.yml", "jobs:\n  b: [\n", "", ""),
    ] {
        let folder = Folder::new(&[("Dockerfile", PIP), (name, text)]);
        let ran = folder.restow(&["check"]).expect(1);
        assert_holds(&ran.err, &[&format!("warning: {name}:{place}"), cause, "; 1 error"]);
        assert_holds(&ran.out, &["Dockerfile:2: add-cache-mounts"]);
        for arguments in [&["check", "--strict"][..], &["check", name], &["apply", ".", name]] {
            let ran = folder.restow(arguments).expect(2);
            assert_holds(&ran.err, &[&format!("error: {name}:{place}"), cause]);
        }
        assert_eq!(folder.read(name), text);
        assert!(folder.is_mounted("Dockerfile"), "the others are done");
    }
}

#[test]
fn a_comment_holds_a_change_off() {
    for (name, from, to) in [
        ("compose.yaml", "  api:\n", "  # restow: ignore -- by hand\n  api:\n"),
        ("compose.yaml", "  api:\n", "  # restow: ignore=add-cache-from\n  api:\n"),
        ("compose.yaml", "# ours", "# restow: ignore"),
        ("compose.yaml", "# the stack", "# restow: ignore-file"),
        ("docker-bake.hcl", "target", "# restow: ignore\ntarget"),
        ("docker-bake.hcl", "target", "// restow: ignore-file\ntarget"),
        (
            ".github/workflows/ci.yml",
            "      - uses: docker/build-push",
            "      # restow: ignore\n      - uses: docker/build-push",
        ),
        (".github/workflows/ci.yml", "on: push", "on: push # restow: ignore-file"),
    ] {
        let folder = every_kind();
        let text = folder.read(name).replacen(from, to, 1);
        folder.write(name, &text);
        let ran = folder.restow(&["diff", "--review", "--why-not", name]).expect(0);
        assert!(!ran.out.contains("+++"), "{}", ran.out);
        assert_holds(&ran.out, &[&format!("{name}:"), "restow: ignore"]);
        folder.restow(&["apply", "--review"]).expect(0);
        assert_eq!(folder.read(name), text);
    }
}

#[test]
fn a_comment_speaks_for_its_service_and_its_transform_only() {
    let two = format!("{COMPOSE}  web:\n    build: ./web\n    image: ghcr.io/acme/web:1\n");
    let folder = Folder::new(&[("compose.yaml", &two.replacen("  api:\n", "  # restow: ignore\n  api:\n", 1))]);
    let ran = folder.restow(&["check", "--review"]).expect(1);
    assert_holds(&ran.out, &["compose.yaml:8: add-cache-from", "(web)"]);
    assert_eq!(ran.out.lines().count(), 1);
    folder.write("compose.yaml", COMPOSE.replacen("  api:\n", "  # restow: ignore=add-cache-mounts\n  api:\n", 1));
    folder.restow(&["check", "--review"]).expect(1);
}

#[test]
fn standard_input_is_what_its_name_says() {
    let folder = Folder::new(&[]);
    let run = |command: &str, name: &str, text: &str| {
        folder.restow_on(text, &[command, "--review", "--stdin-name", name, "-"]).expect(0)
    };
    assert_eq!(run("apply", "compose.yaml", COMPOSE).out, COMPOSE_INLINE);
    assert_eq!(run("apply", "deploy/docker-compose.prod.yml", COMPOSE).out, COMPOSE_INLINE);
    assert_holds(&run("diff", "compose.yaml", COMPOSE).out, &["+++ b/compose.yaml\n", "+        - type=inline\n"]);
    assert_holds(&run("apply", "docker-bake.hcl", BAKE).out, &["  cache-to = [\"type=inline\"]\n"]);
    assert_holds(&run("apply", ".github/workflows/ci.yml", WORKFLOW).out, &["cache-to: type=gha"]);
    let ran = folder.restow_on("services: [\n", &["apply", "--stdin-name", "compose.yaml", "-"]).expect(2);
    assert_eq!(ran.out, "services: [\n", "a pipe loses nothing");
    assert_holds(&ran.err, &["error: compose.yaml:"]);
}

#[test]
fn a_named_file_is_what_its_content_says() {
    let folder = Folder::new(&[("deploy/stack.yml", COMPOSE), ("ci/build.yaml", WORKFLOW), ("images.hcl", BAKE)]);
    assert_holds(folder.restow(&["check", "--review"]).expect(0).counts(), &["0 files read"]);
    for (name, transform) in
        [("deploy/stack.yml", "add-cache-from"), ("ci/build.yaml", "add-ci-cache"), ("images.hcl", "add-cache-from")]
    {
        assert_holds(&folder.restow(&["check", "--review", name]).expect(1).out, &[name, transform]);
    }
}

#[test]
fn an_inline_dockerfile_is_rewritten_by_the_transforms_for_dockerfiles() {
    let text = "services:\n  api:\n    build:\n      dockerfile_inline: |\n        FROM python:3.12-slim\n        RUN pip install $${LIB:-flask}\n";
    let folder = Folder::new(&[("compose.yaml", text)]);
    let ran = folder.restow(&["check"]).expect(1);
    assert_holds(&ran.out, &["compose.yaml:6: add-cache-mounts [safe]"]);
    folder.restow(&["apply"]).expect(0);
    let mount = "RUN --mount=type=cache,target=/root/.cache/pip pip install $${LIB:-flask}\n";
    assert_eq!(folder.read("compose.yaml"), text.replace("RUN pip install $${LIB:-flask}\n", mount));
}

#[test]
fn bytes_around_a_change_stay() {
    let text = COMPOSE.replace('\n', "\r\n").replace("# the stack", "\u{feff}# größe\t ");
    let folder = Folder::new(&[("compose.yaml", text.trim_end())]);
    folder.restow(&["apply", "--review"]).expect(0);
    let after = folder.read("compose.yaml");
    assert_eq!(after.trim_end(), after, "no line end at the end, as before");
    let expected = COMPOSE_INLINE.replace('\n', "\r\n").replace("# the stack", "\u{feff}# größe\t ");
    assert_eq!(after, expected.trim_end());
}
