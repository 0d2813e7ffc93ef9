//! The contract of the command line: exit codes.

use super::support::{CLEAN, Folder, PIP, TEMPLATE, UNKNOWN, assert_holds};

#[test]
fn nothing_to_do_is_0() {
    let folder = Folder::new(&[("Dockerfile", CLEAN)]);
    for arguments in [&["check"][..], &["diff"], &["diff", "--exit-code"], &["apply"]] {
        let ran = folder.restow(arguments).expect(0);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert_holds(ran.counts(), &["1 file read, 0 "]);
    }
}

#[test]
fn a_folder_without_files_is_0() {
    let ran = Folder::new(&[]).restow(&["check"]).expect(0);
    assert_holds(ran.counts(), &["0 files read"]);
}

#[test]
fn check_with_pending_changes_is_1() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    let ran = folder.restow(&["check"]).expect(1);
    assert_eq!(ran.out, "Dockerfile:2: add-cache-mounts [safe] Mount the pip cache\n");
    for format in ["patch", "json", "github"] {
        folder.restow(&["check", "--format", format]).expect(1);
    }
}

#[test]
fn check_counts_only_changes_of_the_wanted_level() {
    let folder = Folder::new(&[("Dockerfile", UNKNOWN)]);
    assert_eq!(folder.restow(&["check"]).expect(0).out, "");
    let ran = folder.restow(&["check", "--review"]).expect(1);
    assert_eq!(ran.out, "Dockerfile:2: add-cache-mounts [review] Mount the pip cache\n");
}

#[test]
fn diff_with_pending_changes_is_1_only_if_asked_for() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    let plain = folder.restow(&["diff"]).expect(0);
    let asked = folder.restow(&["diff", "--exit-code"]).expect(1);
    assert_holds(&plain.out, &["+RUN --mount=type=cache"]);
    assert_eq!(plain.out, asked.out);
}

#[test]
fn apply_that_wrote_is_0() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    folder.restow(&["apply"]).expect(0);
    assert!(folder.is_mounted("Dockerfile"));
}

#[test]
fn a_named_file_that_is_missing_is_2_with_path_and_cause() {
    let folder = Folder::new(&[]);
    for command in ["diff", "check", "apply"] {
        let ran = folder.restow(&[command, "svc/Dockerfile"]).expect(2);
        assert_eq!(ran.out, "");
        assert_holds(&ran.err, &["error: svc/Dockerfile: No such file or directory"]);
    }
}

#[test]
fn a_named_link_to_nowhere_is_2() {
    let folder = Folder::new(&[]);
    std::os::unix::fs::symlink("nowhere", folder.path("Dockerfile")).unwrap();
    assert_holds(&folder.restow(&["check", "Dockerfile"]).expect(2).err, &["error: Dockerfile: No such file"]);
}

#[test]
fn a_named_file_that_can_not_be_parsed_is_2_with_its_place_and_cause() {
    for (text, place, cause) in [
        (TEMPLATE, ":2:1: ", "unknown instruction \"{%\"; a template is read only once it is rendered"),
        ("FROM a\nRUN <<EOF\necho\n", ":2:", "unterminated heredoc"),
        ("RUN a\n", ":1:1: ", "before the first FROM"),
        ("FROM a b\n", ":1:1: ", "FROM requires either one or three arguments"),
        ("", ":1:1: ", "no instructions"),
        ("ARG A\n", ":1:1: ", "no FROM"),
    ] {
        let folder = Folder::new(&[("svc/Dockerfile", text)]);
        for command in ["diff", "check", "apply"] {
            let ran = folder.restow(&[command, "svc/Dockerfile"]).expect(2);
            assert_holds(&ran.err, &[&format!("error: svc/Dockerfile{place}"), cause]);
            assert_eq!(ran.out, "");
        }
        assert_eq!(folder.read("svc/Dockerfile"), text);
    }
}

#[test]
fn a_named_file_that_is_not_utf_8_is_2_with_its_place() {
    let folder = Folder::new(&[]);
    folder.write("Dockerfile", b"FROM a\nRUN \xff\n");
    let ran = folder.restow(&["check", "Dockerfile"]).expect(2);
    assert_holds(&ran.err, &["error: Dockerfile:2:5: not UTF-8"]);
}

#[test]
fn a_named_compose_file_that_can_not_be_parsed_is_2_with_its_place() {
    let folder = Folder::new(&[("compose.yml", "services:\n  web: [\n")]);
    let ran = folder.restow(&["check", "compose.yml"]).expect(2);
    assert_holds(&ran.err, &["error: compose.yml:"]);
}

#[test]
fn a_template_found_by_walking_is_a_warning_and_an_error_only_if_strict() {
    let folder = Folder::new(&[("Dockerfile", TEMPLATE), ("b/Dockerfile", CLEAN)]);
    let ran = folder.restow(&["check"]).expect(0);
    assert_holds(&ran.err, &["warning: Dockerfile:2:1: unknown instruction", "1 error"]);
    let ran = folder.restow(&["check", "--strict"]).expect(2);
    assert_holds(&ran.err, &["error: Dockerfile:2:1: unknown instruction"]);
}

#[test]
fn naming_a_file_beside_its_folder_makes_its_failure_count() {
    let folder = Folder::new(&[("Dockerfile", TEMPLATE)]);
    folder.restow(&["check", "."]).expect(0);
    for paths in [[".", "Dockerfile"], ["Dockerfile", "."]] {
        let ran = folder.restow(&["check", paths[0], paths[1]]).expect(2);
        assert_eq!(ran.err.matches("unknown instruction").count(), 1, "{}", ran.err);
    }
}

#[test]
fn failure_wins_over_pending_changes() {
    let folder = Folder::new(&[("a/Dockerfile", PIP), ("b/Dockerfile", TEMPLATE)]);
    for arguments in
        [&["check", "a", "b/Dockerfile"][..], &["check", "--strict"], &["diff", "--exit-code", "a", "missing"]]
    {
        let ran = folder.restow(arguments).expect(2);
        assert_holds(&ran.out, &["a/Dockerfile:2"]);
    }
    let ran = folder.restow(&["apply", "missing", "b/Dockerfile", "a"]).expect(2);
    assert_holds(&ran.err, &["missing: ", "b/Dockerfile:2:1: "]);
    assert_eq!(folder.read("a/Dockerfile"), super::support::PIP_MOUNTED);
}

#[test]
fn an_unknown_transform_is_2_and_names_those_that_exist() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    for flag in ["--only", "--except"] {
        for command in ["diff", "check", "apply"] {
            let ran = folder.restow(&[command, flag, "add-cache-mount"]).expect(2);
            assert_eq!(ran.out, "");
            assert_holds(&ran.err, &["\"add-cache-mount\"", "add-cache-mounts", "drop-no-cache"]);
        }
    }
    assert_eq!(folder.read("Dockerfile"), PIP);
}

#[test]
fn misuse_is_2() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    for arguments in [
        &["--nope"][..],
        &[],
        &["diff", "--format", "xml"],
        &["diff", "--jobs", "many"],
        &["diff", "-", "Dockerfile"],
        &["diff", "--dockerfile", "a{"],
        &["nope"],
    ] {
        let ran = folder.restow(arguments).expect(2);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
    assert_eq!(folder.read("Dockerfile"), PIP);
    assert_holds(&folder.restow(&["--help"]).expect(0).out, &["diff", "check", "apply", "transforms", "explain"]);
}
