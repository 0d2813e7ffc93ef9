//! One bad file never stops the others.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;

use super::support::{Folder, PIP, PIP_MOUNTED, Ran, assert_holds};

/// Applies to a folder with the broken file among good ones, and sees the good ones done.
fn with_others(name: &str, text: &[u8]) -> (Folder, Ran) {
    let folder = Folder::new(&[("a/Dockerfile", PIP), ("z/Dockerfile", PIP)]);
    folder.write(name, text);
    for command in ["diff", "check"] {
        let ran = folder.restow(&[command, "--only", "add-cache-mounts"]);
        assert_holds(&ran.out, &["a/Dockerfile:2", "z/Dockerfile:2"]);
    }
    let ran = folder.restow(&["apply"]);
    assert_eq!(folder.read("a/Dockerfile"), PIP_MOUNTED);
    assert_eq!(folder.read("z/Dockerfile"), PIP_MOUNTED);
    (folder, ran)
}

#[test]
fn bytes_that_are_not_utf_8_do_not_stop_the_others() {
    let (folder, ran) = with_others("m/Dockerfile", b"FROM python:3.12-slim\nRUN pip install caf\xe9\n");
    assert_holds(&ran.expect(0).err, &["warning: m/Dockerfile:2:20: not UTF-8"]);
    assert_eq!(
        std::fs::read(folder.path("m/Dockerfile")).unwrap(),
        b"FROM python:3.12-slim\nRUN pip install caf\xe9\n"
    );
}

#[test]
fn fifty_megabytes_do_not_stop_the_others() {
    let text = format!("FROM python:3.12-slim\n{}", "# comment\n".repeat(5 << 20));
    let (folder, ran) = with_others("m/Dockerfile", text.as_bytes());
    assert_holds(&ran.expect(0).err, &["warning: m/Dockerfile: 52428822 bytes"]);
    assert_holds(&folder.restow(&["check", "m/Dockerfile"]).expect(2).err, &["error: m/Dockerfile: 52428822 bytes"]);
}

#[test]
fn an_unterminated_heredoc_does_not_stop_the_others() {
    let (_, ran) = with_others("m/Dockerfile", b"FROM python:3.12-slim\nRUN <<EOF\npip install flask\n");
    assert_holds(&ran.expect(0).err, &["warning: m/Dockerfile:2:", "unterminated heredoc"]);
}

#[test]
fn a_binary_file_does_not_stop_the_others() {
    let (folder, ran) = with_others("m/Dockerfile", b"\x00\x01\x02\x00\n\x00");
    assert_holds(&ran.expect(0).err, &["warning: m/Dockerfile:1:1: "]);
    folder.restow(&["check", "m/Dockerfile"]).expect(2);
}

#[test]
fn a_folder_without_permission_does_not_stop_the_others() {
    let folder = Folder::new(&[("a/Dockerfile", PIP), ("m/Dockerfile", PIP), ("z/Dockerfile", PIP)]);
    std::fs::set_permissions(folder.path("m"), std::fs::Permissions::from_mode(0o0)).unwrap();
    let is_root = std::fs::read_dir(folder.path("m")).is_ok();
    if !is_root {
        let ran = folder.restow(&["apply"]).expect(0);
        assert_holds(&ran.err, &["warning: ", "m: Permission denied"]);
        folder.restow(&["check", "--strict"]).expect(2);
        assert_eq!(folder.read("a/Dockerfile"), PIP_MOUNTED);
        assert_eq!(folder.read("z/Dockerfile"), PIP_MOUNTED);
    }
    std::fs::set_permissions(folder.path("m"), std::fs::Permissions::from_mode(0o755)).unwrap();
    if is_root {
        eprintln!("skipped: root may read everything");
    }
}

#[test]
fn a_folder_called_dockerfile_is_walked_and_not_read() {
    let folder = Folder::new(&[("Dockerfile/api.Dockerfile", PIP)]);
    assert_eq!(
        folder.restow(&["check"]).expect(1).out,
        "Dockerfile/api.Dockerfile:2: add-cache-mounts [safe] Mount the pip cache\n"
    );
}

#[test]
fn ten_thousand_continuation_lines_give_a_result() {
    let mut text = "FROM python:3.12-slim\nRUN pip install --no-cache-dir \\\n".to_owned();
    for at in 0..10_000 {
        writeln!(text, "  package{at} \\").unwrap();
    }
    text.push_str("  last\n");
    let (folder, ran) = with_others("m/Dockerfile", text.as_bytes());
    assert_holds(ran.expect(0).counts(), &["3 files read, 3 changed (4 changes)"]);
    let after = folder.read("m/Dockerfile");
    assert_holds(&after, &[super::support::MOUNT, "  package0 \\\n", "  package9999 \\\n  last\n"]);
    assert!(!after.contains("--no-cache-dir"));
}

#[test]
fn deep_nesting_in_a_run_gives_a_result() {
    for (open, close) in
        [("$(", ")"), ("(", ")"), ("{ ", ";}"), ("\"$(", ")\""), ("`", "`"), ("${a:-", "}"), ("if ", "")]
    {
        // As deep as BuildKit's longest line, 64 KiB, allows.
        let depth = 60_000 / (open.len() + close.len());
        let text = format!("FROM python:3.12-slim\nRUN {}pip install x{}\n", open.repeat(depth), close.repeat(depth));
        let (_, ran) = with_others("m/Dockerfile", text.as_bytes());
        assert_holds(ran.expect(0).counts(), &["3 files read, "]);
    }
}

#[test]
fn thousands_of_instructions_give_a_result_in_seconds() {
    let text: String = (0..1_000).map(|at| format!("RUN pip install package{at}\n")).collect();
    let start = std::time::Instant::now();
    let folder = Folder::new(&[("Dockerfile", &format!("FROM python:3.12-slim\n{text}"))]);
    let ran = folder.restow(&["diff", "--format", "patch"]).expect(0);
    assert_holds(ran.counts(), &["1 would change (1000 changes)"]);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn a_broken_compose_file_does_not_stop_the_dockerfiles() {
    with_others("compose.yml", b"services: [\n").1.expect(0);
    with_others("docker-compose.yaml", b"a: &a [*a, *a]\nservices: {web: {build: {dockerfile: 3}}}\n").1.expect(0);
}

#[test]
fn an_endless_link_does_not_stop_the_others() {
    let folder = Folder::new(&[("a/Dockerfile", PIP)]);
    std::os::unix::fs::symlink("Dockerfile", folder.path("Dockerfile")).unwrap();
    std::os::unix::fs::symlink("..", folder.path("a/up")).unwrap();
    let ran = folder.restow(&["apply"]).expect(0);
    assert_holds(ran.counts(), &["1 file read, 1 changed"]);
    assert_eq!(folder.read("a/Dockerfile"), PIP_MOUNTED);
}
