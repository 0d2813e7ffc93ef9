//! Volumes for model caches: in the override file that is there, or in a file that is made.

use super::support::{Folder, assert_holds};

const COMPOSE: &str = "services:\n  api:\n    build: .\n  worker:\n    build: .\n";
const MADE: &str = "services:\n  api:\n    volumes:\n      - huggingface-cache:/root/.cache/huggingface\n  worker:\n    volumes:\n      - huggingface-cache:/root/.cache/huggingface\n\nvolumes:\n  huggingface-cache:\n";
const ONLY: [&str; 3] = ["--review", "--only", "add-model-volume"];

fn folder(more: &[(&str, &str)]) -> Folder {
    let folder = Folder::repository(&[
        ("docker-compose.yml", COMPOSE),
        (
            "Dockerfile",
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD [\"python\", \"app.py\"]\n",
        ),
        ("requirements.txt", "sentence-transformers==3.0.0\n"),
        (
            "app.py",
            "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"BAAI/bge-small-en-v1.5\")\n",
        ),
    ]);
    for (name, text) in more {
        folder.write(name, text);
    }
    folder
}

fn named() -> Folder {
    folder(&[("restow.toml", "[models]\noverride = \"docker-compose.dev.yml\"\n")])
}

fn arguments<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    std::iter::once(command).chain(ONLY).chain(more.iter().copied()).collect()
}

#[test]
fn a_named_file_is_made_and_the_patch_makes_the_same_one() {
    let applied = named();
    let ran = applied.restow(&arguments("apply", &[])).expect(0);
    assert_eq!(ran.out, "docker-compose.dev.yml: 2 changes\n");
    assert_eq!(applied.read("docker-compose.dev.yml"), MADE);
    assert_eq!(applied.read("docker-compose.yml"), COMPOSE);
    applied.restow(&arguments("check", &[])).expect(0);

    let patched = named();
    patched.restow(&arguments("check", &[])).expect(1);
    let patch = patched.restow(&arguments("diff", &["--format", "patch"])).expect(0).out;
    assert_holds(&patch, &["new file mode 100644", "+++ b/docker-compose.dev.yml"]);
    assert_eq!(patched.restow(&arguments("check", &[])).out.lines().count(), 2);
    patched.git(&["apply", "-"], &patch).expect(0);
    assert_eq!(patched.tree(), applied.tree());
    patched.git(&["apply", "-R", "-"], &patch).expect(0);
    assert_eq!(patched.tree(), named().tree());
}

#[test]
fn the_diff_shows_the_file_and_the_reasons() {
    let folder = named();
    let out = folder.restow(&arguments("diff", &[])).expect(0).out;
    assert_holds(
        &out,
        &[
            "+++ b/docker-compose.dev.yml",
            "# add-model-volume docker-compose.dev.yml:1 [review] Mount the volume huggingface-cache in `api`: ",
            "BAAI/bge-small-en-v1.5 (app.py:3)",
            "`docker compose -f docker-compose.yml -f docker-compose.dev.yml up`",
        ],
    );
    assert!(!out.contains("+++ b/docker-compose.yml"), "{out}");
    let changes = folder.restow(&arguments("diff", &["--by-change"])).expect(0).out;
    assert_eq!(changes.matches("+++ b/").count(), 2, "{changes}");
    let out = folder.restow(&["explain", "docker-compose.yml:2"]).expect(0).out;
    assert_holds(&out, &["would change", "Keep /root/.cache/huggingface of `api`"]);
}

#[test]
fn json_names_both_files_with_one_group() {
    let report = named().json(&ONLY);
    let files = report["files"].as_array().unwrap();
    let of = |path: &str| files.iter().find(|file| file["path"] == path).unwrap();
    let (base, made) = (of("docker-compose.yml"), of("docker-compose.dev.yml"));
    assert_eq!(base["changes"][0]["group"], made["changes"][0]["group"]);
    assert_eq!((base["edits"].as_array().unwrap().len(), &base["diff"]), (0, &serde_json::json!("")));
}

#[test]
fn the_override_file_that_is_there_gets_the_volume() {
    let on_top = "services:\n  api:\n    environment: {DEBUG: 1}\n";
    let folder = folder(&[("docker-compose.override.yml", on_top)]);
    folder.restow(&arguments("apply", &[])).expect(0);
    let after = format!(
        "{on_top}    volumes:\n      - huggingface-cache:/root/.cache/huggingface\n  worker:\n    volumes:\n      - huggingface-cache:/root/.cache/huggingface\n\nvolumes:\n  huggingface-cache:\n"
    );
    assert_eq!(folder.read("docker-compose.override.yml"), after);
    assert_eq!(folder.read("docker-compose.yml"), COMPOSE);
    folder.restow(&arguments("check", &[])).expect(0);
}

#[test]
fn nothing_is_made_without_being_asked_and_the_reason_names_both_remedies() {
    let folder = folder(&[]);
    let before = folder.tree();
    let ran = folder.restow(&arguments("diff", &["--why-not"])).expect(0);
    assert_holds(&ran.out, &["docker-compose.yml:2", "docker-compose.override.yml", "[models] override"]);
    folder.restow(&arguments("apply", &[])).expect(0);
    assert_eq!(folder.tree(), before);
}

#[test]
fn an_override_file_that_git_ignores_is_not_passed_over() {
    let folder = folder(&[
        (".gitignore", "compose.override.yml\n"),
        ("compose.override.yml", "services: {}\n"),
        ("restow.toml", "[models]\noverride = \"docker-compose.override.yml\"\n"),
    ]);
    let before = folder.tree();
    let ran = folder.restow(&arguments("diff", &["--why-not"])).expect(0);
    assert_holds(&ran.out, &["Compose loads only one override file, of these two compose.override.yml"]);
    folder.restow(&arguments("apply", &[])).expect(0);
    assert_eq!(folder.tree(), before);
}
