//! The contract of the command line: formats.

use std::collections::HashSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::support::{Folder, MOUNT, PIP, SEVERAL, TEMPLATE, UNKNOWN, assert_holds};

fn folder() -> Folder {
    let folder = Folder::repository(&[
        ("Dockerfile", SEVERAL),
        ("b/Dockerfile", UNKNOWN),
        ("c/Dockerfile", TEMPLATE),
        ("d/Dockerfile", PIP),
        ("d/restow.toml", "builder = \"classic\"\n"),
        (
            "größe/Dockerfile",
            &format!("\u{feff}{}", SEVERAL.replace("# tools", "# Größe, 日本").replace('\n', "\r\n").trim_end()),
        ),
    ]);
    folder.write("e/Dockerfile", "FROM python:3.12-slim\nRUN pip install a\nRUN echo é\nRUN pip install --no-cache-dir b\nRUN echo c\n\n\n\n\n\n\n\nRUN pip install d");
    folder
}

#[track_caller]
fn keys(value: &Value, wanted: &[&str]) {
    let mut found: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted = wanted.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list: {value}"))
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn json_has_the_documented_fields_and_no_other() {
    let folder = folder();
    for arguments in [
        &["diff", "--format", "json"][..],
        &["check", "--format", "json"],
        &["diff", "--format", "json", "--review", "missing", "."],
    ] {
        let ran = folder.restow(arguments);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert!(ran.out.ends_with("}\n"));
        keys(&report, &["version", "files", "errors", "summary"]);
        assert_eq!(report["version"], 1);
        keys(&report["summary"], &["files", "changed", "changes", "held_back", "skipped", "errors"]);
        let (mut edits, mut changes, mut skips) = (0, 0, 0);
        for file in list(&report, "files") {
            keys(file, &["path", "kind", "sha256", "edits", "diff", "changes", "skipped"]);
            assert_eq!(file["kind"], "dockerfile");
            assert!(file["path"].is_string() && file["diff"].is_string());
            for edit in list(file, "edits") {
                keys(edit, &["start", "end", "replacement"]);
                edits += 1;
            }
            for change in list(file, "changes") {
                keys(change, &["id", "group", "transform", "title", "reason", "level", "line", "diff"]);
                assert!(
                    ["id", "group", "transform", "title", "reason", "diff"]
                        .iter()
                        .all(|key| change[*key].as_str().is_some_and(|text| !text.is_empty())),
                    "{change}"
                );
                assert!(change["level"] == "safe" || change["level"] == "review");
                assert!(change["line"].as_u64().unwrap() > 0);
                changes += 1;
            }
            for skip in list(file, "skipped") {
                keys(skip, &["transform", "line", "reason"]);
                assert!(skip["line"].as_u64().unwrap() > 0 && !skip["reason"].as_str().unwrap().is_empty());
                skips += 1;
            }
        }
        assert!(edits > 3 && changes > 5 && skips > 0, "{report}");
        for error in list(&report, "errors") {
            keys(error, &["path", "line", "column", "message"]);
        }
        let summary = &report["summary"];
        assert_eq!(count(&summary["files"]), list(&report, "files").len());
        assert_eq!(count(&summary["changes"]), changes);
        assert_eq!(
            count(&summary["changed"]),
            list(&report, "files").iter().filter(|file| !list(file, "edits").is_empty()).count()
        );
        assert_eq!(count(&summary["errors"]), list(&report, "errors").len());
    }
}

#[test]
fn json_names_errors_with_their_place() {
    let report = folder().json(&[]);
    let error = &list(&report, "errors")[0];
    assert_eq!((&error["path"], &error["line"], &error["column"]), (&"c/Dockerfile".into(), &2.into(), &1.into()));
    assert_holds(error["message"].as_str().unwrap(), &["unknown instruction"]);
}

#[test]
fn json_reports_what_is_left_alone_and_held_back() {
    let report = folder().json(&[]);
    let of =
        |path: &str| list(&report, "files").iter().find(|file| file["path"] == path).unwrap()["skipped"].to_string();
    assert_holds(&of("d/Dockerfile"), &["builder = \\\"classic\\\""]);
    assert_holds(&of("b/Dockerfile"), &["acme/python:1", "\"line\":2"]);
}

#[test]
fn edits_of_json_are_byte_offsets_that_give_what_apply_writes() {
    for flags in [&[][..], &["--review"]] {
        let folder = folder();
        let report = folder.json(flags);
        let mut expected = folder.tree();
        for file in list(&report, "files") {
            let path = file["path"].as_str().unwrap();
            let mut text = std::fs::read(folder.path(path)).unwrap();
            let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(file["sha256"], digest.as_str(), "{path}");
            let mut after = usize::MAX;
            for edit in list(file, "edits").iter().rev() {
                let (start, end) = (count(&edit["start"]), count(&edit["end"]));
                assert!(start <= end && end <= text.len() && end <= after, "sorted and disjoint: {file}");
                text.splice(start..end, edit["replacement"].as_str().unwrap().bytes());
                after = start;
            }
            expected.insert(path.into(), text);
        }
        folder.restow(&[&["apply"], flags].concat()).expect(0);
        assert_eq!(folder.tree(), expected);
        assert!(folder.is_mounted("größe/Dockerfile") && folder.is_mounted("e/Dockerfile"));
    }
}

#[test]
fn the_diff_of_json_is_the_patch() {
    let folder = folder();
    let report = folder.json(&[]);
    let diffs: String = list(&report, "files").iter().map(|file| file["diff"].as_str().unwrap()).collect();
    assert_holds(&diffs, &[MOUNT]);
    assert_eq!(diffs, folder.restow(&["diff", "--format", "patch"]).out);
}

fn ids(report: &Value) -> Vec<String> {
    let changes = list(report, "files").iter().flat_map(|file| list(file, "changes"));
    changes.map(|change| change["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ids_are_unique_and_stable_from_run_to_run() {
    let folder = folder();
    let first = ids(&folder.json(&["--review"]));
    assert!(first.len() >= 9, "{first:?}");
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), first.len(), "{first:?}");
    assert_eq!(ids(&folder.json(&["--review", "--jobs", "1"])), first);
    let safe = ids(&folder.json(&[]));
    assert!(safe.iter().all(|id| first.contains(id)), "the level does not change them");
    let inside = folder.restow_in("e", &["diff", "--format", "json"]).out;
    let inside = ids(&serde_json::from_str(&inside).unwrap());
    assert!(!inside.is_empty() && inside.iter().all(|id| first.contains(id)), "nor does the folder where restow runs");
}

#[test]
fn ids_are_unique_over_folders_that_are_no_repository() {
    let folder = Folder::new(&[("a/Dockerfile", PIP), ("b/Dockerfile", PIP)]);
    let found = ids(&folder.json(&["a", "b"]));
    assert_eq!(found.len(), 2);
    assert_ne!(found[0], found[1]);
}

#[test]
fn a_mount_and_the_flag_it_makes_useless_are_one_group() {
    let folder = Folder::new(&[("Dockerfile", SEVERAL)]);
    let report = folder.json(&[]);
    let changes = list(&report["files"][0], "changes");
    let group =
        |title: &str| changes.iter().find(|change| change["title"] == title).unwrap()["group"].as_str().unwrap();
    assert_eq!(group("Mount the pip cache"), group("Drop --no-cache-dir"));
    assert_ne!(group("Mount the pip cache"), group("Mount the apt package archives"));
}

#[test]
fn diffs_of_single_changes_in_order_give_the_final_text() {
    let files = [
        ("Dockerfile", SEVERAL.to_owned()),
        ("crlf/Dockerfile", SEVERAL.replace('\n', "\r\n")),
        ("open/Dockerfile", PIP.trim_end().to_owned()),
    ];
    let made = || {
        let folder = Folder::repository(&[]);
        files.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    };
    let (applied, by_json, by_text) = (made(), made(), made());
    let report = applied.json(&[]);
    let text = applied.restow(&["diff", "--by-change"]).expect(0).out;
    applied.restow(&["apply"]).expect(0);
    let mut steps = 0;
    for change in list(&report, "files").iter().flat_map(|file| list(file, "changes")) {
        by_json.git(&["apply", "--whitespace=nowarn"], change["diff"].as_str().unwrap()).expect(0);
        steps += 1;
    }
    assert_eq!(by_json.tree(), applied.tree());

    let parts: Vec<&str> = text.split("\n# ").skip(1).collect();
    assert_eq!(parts.len(), steps);
    assert!(parts.len() > files.len());
    for part in parts {
        let diff = &part[part.find("--- a/").unwrap()..];
        // What separates it from the next one.
        let diff = diff.strip_suffix('\n').filter(|diff| diff.ends_with('\n')).unwrap_or(diff);
        by_text.git(&["apply", "--whitespace=nowarn"], diff).expect(0);
    }
    assert_eq!(by_text.tree(), applied.tree());
}

#[test]
fn text_has_a_summary_then_each_file_with_its_changes_and_one_diff() {
    let folder = Folder::new(&[("Dockerfile", SEVERAL), ("b/Dockerfile", UNKNOWN)]);
    let out = folder.restow(&["diff", "--review"]).expect(0).out;
    let (summary, files) = out.split_once("\n\n").unwrap();
    let rows: Vec<Vec<&str>> = summary.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [
            vec!["transform", "level", "changes", "files"],
            vec!["add-cache-mounts", "safe", "2", "1"],
            vec!["add-cache-mounts", "review", "1", "1"],
            vec!["drop-no-cache", "safe", "1", "1"]
        ]
    );
    let heads: Vec<&str> =
        files.lines().filter(|line| line.starts_with("# ")).map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        heads,
        [
            "# add-cache-mounts Dockerfile:4 [safe] Mount the pip cache",
            "# add-cache-mounts Dockerfile:6 [safe] Mount the apt package archives",
            "# drop-no-cache Dockerfile:4 [safe] Drop --no-cache-dir",
            "# add-cache-mounts b/Dockerfile:2 [review] Mount the pip cache"
        ]
    );
    assert_eq!(files.matches("\n--- a/").count(), 2, "one diff for each file");
    assert!(
        files
            .lines()
            .filter(|line| line.starts_with("# "))
            .all(|line| line.contains("builder") || line.contains("mount")),
        "with their reasons"
    );
}

#[test]
fn a_reason_says_what_is_gained_on_both_kinds_of_builder() {
    let report = Folder::new(&[("Dockerfile", PIP)]).json(&[]);
    assert_holds(report["files"][0]["changes"][0]["reason"].as_str().unwrap(), &["a kept builder", "hosted CI"]);
}

#[test]
fn why_not_shows_what_is_left_alone_and_held_back() {
    let folder = folder();
    let plain = folder.restow(&["diff"]).out;
    let ran = folder.restow(&["diff", "--why-not"]).expect(0).out;
    assert_holds(
        &ran,
        &[
            "# add-cache-mounts d/Dockerfile:2 [left alone] pip: restow.toml says builder = \"classic\"",
            "# add-cache-mounts b/Dockerfile:2 [held back] Mount the pip cache: ",
        ],
    );
    assert!(!plain.contains("[left alone]") && !plain.contains("[held back]"));
}

#[test]
fn github_annotates_the_lines() {
    let folder = folder();
    let ran = folder.restow(&["diff", "--format", "github"]).expect(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[0].starts_with(
            "::warning file=Dockerfile,line=4,title=restow add-cache-mounts%3A Mount the pip cache::a kept builder"
        ),
        "{}",
        lines[0]
    );
    assert!(
        lines.iter().all(|line| line.starts_with("::warning file=") || line.starts_with("::error file=")),
        "{}",
        ran.out
    );
    assert_eq!(
        lines.iter().filter(|line| line.contains("title=restow ")).count(),
        count(&folder.json(&[])["summary"]["changes"])
    );
    let named = folder.restow(&["check", "--format", "github", "c/Dockerfile"]).expect(2);
    assert!(named.out.starts_with("::error file=c/Dockerfile,line=2"), "{}", named.out);
}

#[test]
fn github_shows_a_warning_as_a_warning() {
    let folder = Folder::new(&[("Dockerfile", TEMPLATE)]);
    let ran = folder.restow(&["check", "--format", "github"]).expect(0);
    assert!(ran.out.starts_with("::warning file=Dockerfile,line=2"), "{}", ran.out);
    let ran = folder.restow(&["check", "--format", "github", "--strict"]).expect(2);
    assert!(ran.out.starts_with("::error file=Dockerfile,line=2"), "{}", ran.out);
}
