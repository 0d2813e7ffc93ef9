//! The contract of the command line: streams.

use super::support::{Folder, PIP, SEVERAL, TEMPLATE, UNKNOWN, assert_holds};

#[test]
fn standard_output_carries_only_the_result() {
    let folder = Folder::new(&[("Dockerfile", PIP), ("b/Dockerfile", TEMPLATE), ("c/Dockerfile", UNKNOWN)]);
    for format in ["text", "patch", "json", "github"] {
        let ran = folder.restow(&["diff", "--format", format]).expect(0);
        assert!(
            !ran.out.contains("files read")
                && !ran.out.contains("warning: ")
                && !ran.out.contains("held back for review (show"),
            "{}",
            ran.out
        );
        assert_holds(&ran.err, &["warning: b/Dockerfile:2:1", "2 files read, 1 would change (1 change); 1 held back"]);
    }
    let patch = folder.restow(&["diff", "--format", "patch"]).out;
    assert!(
        patch.lines().all(|line| ["diff --git ", "--- a/", "+++ b/", "@@ ", " ", "+", "-"]
            .iter()
            .any(|start| line.starts_with(start))),
        "{patch}"
    );
}

#[test]
fn the_last_line_on_standard_error_counts_and_names_the_flag_that_releases() {
    let folder = Folder::new(&[
        ("Dockerfile", SEVERAL),
        ("b/Dockerfile", UNKNOWN),
        ("c/Dockerfile", TEMPLATE),
        ("restow.toml", "[[override]]\nfiles = [\"d/**\"]\nbuilder = \"classic\"\n"),
        ("d/Dockerfile", PIP),
    ]);
    let ran = folder.restow(&["diff"]).expect(0);
    assert_eq!(
        ran.counts(),
        "3 files read, 1 would change (3 changes); 1 held back for review (show with --review); 1 left alone (reasons with diff --why-not); 1 error"
    );
    let ran = folder.restow(&["diff", "--review"]).expect(0);
    assert_holds(ran.counts(), &["3 files read, 2 would change (4 changes)"]);
    assert!(!ran.counts().contains("held back"), "{}", ran.counts());
    assert_holds(
        folder.restow(&["apply"]).expect(0).counts(),
        &["3 files read, 1 changed (3 changes); 1 held back for review"],
    );
}

#[test]
fn quiet_leaves_errors_only() {
    let folder = Folder::new(&[("a/Dockerfile", PIP), ("b/Dockerfile", TEMPLATE)]);
    let ran = folder.restow(&["check", "-q"]).expect(1);
    assert_eq!(ran.err, "");
    assert_holds(&ran.out, &["a/Dockerfile:2: add-cache-mounts"]);
    let ran = folder.restow(&["check", "-q", "b/Dockerfile"]).expect(2);
    assert!(ran.err.starts_with("error: b/Dockerfile:2:1: ") && ran.err.lines().count() == 1, "{}", ran.err);
}

#[test]
fn verbose_names_files_without_changes() {
    let folder = Folder::new(&[("a/Dockerfile", PIP), ("b/Dockerfile", UNKNOWN)]);
    assert!(!folder.restow(&["diff"]).err.contains("b/Dockerfile"));
    assert_holds(&folder.restow(&["diff", "-v"]).err, &["b/Dockerfile: unchanged"]);
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    let plain = folder.restow(&["diff"]).out;
    assert!(!plain.contains('\u{1b}'), "no colour in a pipe");
    let always = folder.restow(&["diff", "--color", "always"]).out;
    assert_holds(&always, &["\u{1b}[32m+RUN", "\u{1b}[31m-RUN"]);
    assert_eq!(without_colours(&always), plain, "colours add nothing else");
    let forced = [("CLICOLOR_FORCE", "1")];
    assert!(folder.restow_with(&forced, &["diff"]).out.contains('\u{1b}'), "auto asks the environment");
    assert_eq!(folder.restow_with(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &["diff"]).out, plain);
    assert_eq!(folder.restow_with(&forced, &["diff", "--color", "never"]).out, plain);
    assert!(
        folder.restow_with(&[("NO_COLOR", "1")], &["diff", "--color", "always"]).out.contains('\u{1b}'),
        "the flag wins"
    );
}

#[test]
fn formats_for_programs_have_no_colours() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    for format in ["patch", "json", "github"] {
        let ran = folder.restow(&["diff", "--color", "always", "--format", format]).expect(0);
        assert!(ran.out.contains("Mount the pip cache") || ran.out.contains(super::support::MOUNT));
        assert!(!ran.out.contains('\u{1b}') && !ran.out.contains("\\u001b"), "{}", ran.out);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let many: String = (0..400).map(|at| format!("RUN pip install package{at}\n")).collect();
    let folder = Folder::new(&[("Dockerfile", &format!("FROM python:3.12-slim\n{many}"))]);
    let script = format!("'{}' diff --format text | head -n 1; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_restow"));
    let output = std::process::Command::new("bash").args(["-c", &script]).current_dir(folder.root()).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out.lines().last(), Some("0"), "{out}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or(part, |(_, rest)| rest))
}
