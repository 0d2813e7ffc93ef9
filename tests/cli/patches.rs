//! The contract of the command line: patches.

use super::support::{Folder, PIP, SEVERAL, assert_holds};

/// Paths, and texts with something in them that is easily lost.
fn unusual() -> Vec<(&'static str, String)> {
    vec![
        ("Dockerfile", SEVERAL.to_owned()),
        ("crlf/Dockerfile", SEVERAL.replace('\n', "\r\n")),
        (
            "mixed/Dockerfile",
            "FROM python:3.12-slim\r\nRUN pip install flask\n# a\rb\nRUN pip install \\\r\n  django\r\n".to_owned(),
        ),
        ("bom/Dockerfile", format!("\u{feff}{PIP}")),
        ("open/Dockerfile", PIP.trim_end().to_owned()),
        ("open-crlf/Dockerfile", PIP.trim_end().replace('\n', "\r\n")),
        (
            "tabs/Dockerfile",
            "# escape=`\n\nfrom python:3.12-slim\n\trun\tpip install `\n\t# why\n\t\tflask   \n\n\n".to_owned(),
        ),
        ("a folder/my app.Dockerfile", PIP.to_owned()),
        ("größe/日本.Dockerfile", PIP.replace("flask", "flask # naïve")),
        ("quo\"te/Dockerfile", PIP.to_owned()),
        ("tab\there/Dockerfile", PIP.to_owned()),
        (
            "heredoc/Dockerfile",
            "FROM python:3.12-slim\nRUN <<EOF\npip install flask\n--- a/x\n+++ b/x\nEOF\n".to_owned(),
        ),
    ]
}

fn repository() -> Folder {
    let folder = Folder::repository(&[]);
    for (name, text) in unusual() {
        folder.write(name, text);
    }
    folder
}

#[test]
fn diff_writes_nothing() {
    let folder = repository();
    let before = folder.tree();
    for format in ["text", "patch", "json", "github"] {
        folder.restow(&["diff", "--review", "--by-change", "--why-not", "--format", format]).expect(0);
        folder.restow(&["check", "--review", "--format", format]).expect(1);
    }
    folder.restow(&["explain", "Dockerfile:4"]).expect(0);
    assert_eq!(folder.tree(), before);
}

#[test]
fn apply_writes_what_git_makes_of_the_patch_and_git_takes_it_back() {
    for flags in [&[][..], &["--review"], &["--only", "add-cache-mounts"]] {
        let (patched, applied) = (repository(), repository());
        let before = patched.tree();
        let patch = patched.restow(&[&["diff", "--format", "patch"], flags].concat()).expect(0).out;
        applied.restow(&[&["apply"], flags].concat()).expect(0);
        patched.git(&["apply", "--whitespace=nowarn"], &patch).expect(0);
        let after = patched.tree();
        for (path, text) in &applied.tree() {
            assert_eq!(String::from_utf8_lossy(text), String::from_utf8_lossy(&after[path]), "{}", path.display());
            // Only the heredoc may be too hard.
            assert!(before[path] != *text || path.starts_with("heredoc"), "{} is unchanged", path.display());
        }
        assert_eq!(applied.tree().len(), before.len(), "nothing is left beside the files");
        patched.git(&["apply", "-R", "--whitespace=nowarn"], &patch).expect(0);
        assert_eq!(patched.tree(), before);
    }
}

#[test]
fn patch_p1_accepts_the_patch() {
    let (patched, applied) = (repository(), repository());
    let patch = patched.restow(&["diff", "--format", "patch"]).expect(0).out;
    let Some(ran) = patched.patch(&["-p1", "--no-backup-if-mismatch"], &patch) else { return };
    let ran = ran.expect(0);
    assert!(!ran.out.contains("fuzz") && !ran.out.contains("offset"), "{}", ran.out);
    applied.restow(&["apply"]).expect(0);
    assert_eq!(patched.tree(), applied.tree());
}

#[test]
fn line_ends_marks_and_missing_newlines_survive_apply() {
    let folder = repository();
    folder.restow(&["apply"]).expect(0);
    let crlf = folder.read("crlf/Dockerfile");
    assert!(crlf.contains("--mount") && crlf.matches('\n').count() == crlf.matches("\r\n").count(), "{crlf:?}");
    assert!(folder.read("bom/Dockerfile").starts_with("\u{feff}FROM python:3.12-slim\nRUN --mount"));
    assert!(folder.read("open/Dockerfile").ends_with("pip install flask"));
    assert!(folder.read("open-crlf/Dockerfile").ends_with("pip install flask"));
    assert_holds(
        &folder.read("mixed/Dockerfile"),
        &["FROM python:3.12-slim\r\n", "# a\rb\n", "pip install flask\n", "\\\r\n  django\r\n"],
    );
    assert_holds(&folder.read("tabs/Dockerfile"), &["# escape=`\n\nfrom ", "\n\t# why\n\t\tflask   \n\n\n"]);
}

#[test]
fn paths_of_a_patch_count_from_the_git_root_wherever_restow_runs() {
    let folder = Folder::repository(&[("svc/api/Dockerfile", PIP)]);
    let whole = folder.restow(&["diff", "--format", "patch"]).expect(0).out;
    assert_holds(
        &whole,
        &[
            "diff --git a/svc/api/Dockerfile b/svc/api/Dockerfile\n--- a/svc/api/Dockerfile\n+++ b/svc/api/Dockerfile\n@@ ",
        ],
    );
    for (inside, path) in [
        ("", "svc"),
        ("", "svc/api/Dockerfile"),
        ("svc", "."),
        ("svc", "./api/../api"),
        ("svc/api", "Dockerfile"),
        ("svc/api", "../.."),
    ] {
        assert_eq!(
            folder.restow_in(inside, &["diff", "--format", "patch", path]).expect(0).out,
            whole,
            "{path} in {inside:?}"
        );
    }
}

#[test]
fn paths_of_a_patch_count_from_the_named_folder_outside_a_repository() {
    let folder = Folder::new(&[("svc/api/Dockerfile", PIP)]);
    let patch = folder.restow(&["diff", "--format", "patch", "svc"]).expect(0).out;
    assert_holds(&patch, &["--- a/api/Dockerfile\n+++ b/api/Dockerfile\n"]);
    if let Some(ran) = folder.patch(&["-p1", "-d", "svc"], &patch) {
        ran.expect(0);
        assert_eq!(folder.read("svc/api/Dockerfile"), super::support::PIP_MOUNTED);
    }
}

#[test]
fn a_patch_of_a_link_and_its_target_names_the_file_once() {
    let folder = Folder::repository(&[("docker/Dockerfile", PIP)]);
    std::os::unix::fs::symlink("docker/Dockerfile", folder.path("Dockerfile")).unwrap();
    let patch = folder.restow(&["diff", "--format", "patch"]).expect(0).out;
    folder.git(&["apply"], &patch).expect(0);
    assert_eq!(folder.read("docker/Dockerfile"), super::support::PIP_MOUNTED);
    assert!(folder.path("Dockerfile").is_symlink());
}

#[test]
fn a_backslash_in_a_name_is_a_backslash() {
    let folder = Folder::repository(&[("back\\slash/Dockerfile", PIP)]);
    let patch = folder.restow(&["diff", "--format", "patch"]).expect(0).out;
    assert_holds(&patch, &["--- \"a/back\\\\slash/Dockerfile\"\n"]);
    folder.git(&["apply"], &patch).expect(0);
    assert_eq!(folder.read("back\\slash/Dockerfile"), super::support::PIP_MOUNTED);
}

#[test]
fn a_name_that_is_not_utf_8_is_patched_or_reported() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::repository(&[]);
    let name = std::ffi::OsStr::from_bytes(b"a\xff.Dockerfile");
    let path = folder.root().join(name);
    if std::fs::write(&path, PIP).is_err() {
        return;
    }
    let ran = folder.restow(&["diff", "--format", "patch"]).expect(0);
    assert!(!ran.out.is_empty() || ran.err.contains("warning: "), "passed over in silence: {ran:?}");
    if !ran.out.is_empty() {
        folder.git(&["apply"], &ran.out).expect(0);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), super::support::PIP_MOUNTED);
    }
}
