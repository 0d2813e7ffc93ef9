//! `restow models` on small services, one for each way in which a model's id is given, each library that loads models, and each way in
//! which a model comes into an image or doesn't.
//!
//! A fixture is a folder below tests/models/fixtures; its `expected.json` lists all that has to be found there, and nothing else may be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a fixture expects of itself; the rest of it is the service.
const EXPECTED: &str = "expected.json";

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/fixtures");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Copies a folder, without what it expects.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != EXPECTED {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What `restow models` reports of a service, which is put where no repository is around it.
fn report(fixture: &Path) -> Result<Value, String> {
    let folder = tempfile::Builder::new().prefix("restow-models").tempdir().unwrap();
    copy(fixture, folder.path());
    let run = Command::new(env!("CARGO_BIN_EXE_restow"))
        .args(["models", ".", "--format", "json"])
        .current_dir(folder.path())
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    if !run.status.success() || said.contains("panicked at") {
        return Err(format!("{}: {said}", run.status));
    }
    serde_json::from_slice(&run.stdout).map_err(|error| format!("{error}: {said}"))
}

/// One line per model: `models`, `vocabularies` and `unresolved` of the report as they are compared.
fn found(report: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for service in report["services"].as_array().unwrap() {
        for list in LISTS {
            for entry in service[list].as_array().into_iter().flatten() {
                lines.insert(line(list, &service["service"], entry));
            }
        }
    }
    lines
}

const LISTS: [&str; 3] = ["models", "vocabularies", "unresolved"];

fn expected(fixture: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(fixture.join(EXPECTED)).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", fixture.display()));
    let known = expected.as_object().unwrap().keys().all(|key| LISTS.contains(&key.as_str()));
    assert!(known, "{}: a list that nothing compares", fixture.display());
    let lists = LISTS.iter().flat_map(|list| {
        let entries = expected[*list].as_array().into_iter().flatten();
        entries.map(|entry| line(list, &entry["service"], entry))
    });
    lists.collect()
}

fn line(list: &str, service: &Value, entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or("-");
    let service = service.as_str().map(|name| format!("{name}: ")).unwrap_or_default();
    let place = format!("{}:{}", text("path"), entry["line"]);
    if list == "unresolved" {
        return format!("{service}{place} unresolved");
    }
    let kind = if list == "vocabularies" { " (vocabulary)" } else { "" };
    let revision = entry["revision"].as_str().map(|revision| format!("@{revision}")).unwrap_or_default();
    let there = if entry["in_image"] == true { "in the image" } else { "not in the image" };
    format!("{service}{place} {}{revision}{kind}, {}, {there}, by {}", text("id"), text("given"), text("library"))
}

/// Whether a line that is expected, which names the end of a library's dotted name, stands for one that was found.
fn is_met(expected: &str, found: &str) -> bool {
    let Some(((left, library), (right, dotted))) = expected.rsplit_once(" by ").zip(found.rsplit_once(" by ")) else {
        return expected == found;
    };
    left == right && (dotted == library || dotted.ends_with(&format!(".{library}")))
}

#[test]
fn each_service_gives_the_models_that_it_loads_and_no_others() {
    let mut failures = Vec::new();
    let fixtures = fixtures();
    for fixture in &fixtures {
        let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
        let report = match report(fixture) {
            Ok(report) => report,
            Err(why) => {
                failures.push(format!("{name}: {why}"));
                continue;
            }
        };
        let (expected, found) = (expected(fixture), found(&report));
        let missing: Vec<&String> =
            expected.iter().filter(|line| !found.iter().any(|found| is_met(line, found))).collect();
        let wrong: Vec<&String> =
            found.iter().filter(|found| !expected.iter().any(|line| is_met(line, found))).collect();
        if !missing.is_empty() || !wrong.is_empty() {
            failures.push(format!("{name}\n  missing: {missing:#?}\n  not expected: {wrong:#?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} fixtures\n{}", failures.len(), fixtures.len(), failures.join("\n"));
}

#[test]
fn a_service_gives_the_same_report_each_time() {
    for fixture in fixtures().iter().step_by(10) {
        assert_eq!(report(fixture), report(fixture), "{}", fixture.display());
    }
}

#[test]
fn every_library_of_the_table_is_loaded_by_a_service() {
    let table =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/facts/models/loaders.rs")).unwrap();
    let list = table.split_once("pub const LOADERS").unwrap().1.split_once("\n];").unwrap().0;
    // `loader(ROOTS, "name", …`: the first text behind the list of roots.
    let names: BTreeSet<&str> = list
        .split("loader(")
        .skip(1)
        .filter_map(|row| {
            let behind = if row.starts_with("&[") { row.split_once("],")?.1 } else { row.split_once(',')?.1 };
            behind.split('"').nth(1)
        })
        .collect();
    assert!(names.len() > 40, "{names:?}");
    let loaded: BTreeSet<String> = fixtures().iter().flat_map(|fixture| expected(fixture)).collect();
    // Gives an address, and loads nothing.
    let missing: Vec<&&str> = names
        .iter()
        .filter(|name| {
            **name != "hf_hub_url"
                && !loaded.iter().any(|line| line.ends_with(&format!(" {name}")) || line.ends_with(&format!(".{name}")))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
