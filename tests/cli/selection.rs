//! Which changes are made: transforms, levels, comments.

use super::support::{Folder, MOUNT, PIP, PIP_MOUNTED, SEVERAL, UNKNOWN, assert_holds};

#[test]
fn only_runs_the_transforms_it_names() {
    let folder = Folder::new(&[("Dockerfile", SEVERAL)]);
    let ran = folder.restow(&["check", "--only", "add-cache-mounts"]).expect(1);
    assert_eq!(
        ran.out,
        "Dockerfile:4: add-cache-mounts [safe] Mount the pip cache\nDockerfile:6: add-cache-mounts [safe] Mount the apt package archives\n"
    );
    folder.restow(&["check", "--only", "drop-no-cache"]).expect(0);
    let both = folder.restow(&["diff", "--only", "drop-no-cache,add-cache-mounts"]).out;
    assert_eq!(both, folder.restow(&["diff"]).out, "their order is fixed");
}

#[test]
fn except_leaves_transforms_out() {
    let folder = Folder::new(&[("Dockerfile", SEVERAL)]);
    assert_eq!(
        folder.restow(&["diff", "--except", "drop-no-cache"]).out,
        folder.restow(&["diff", "--only", "add-cache-mounts"]).out
    );
    folder.restow(&["check", "--except", "drop-no-cache,add-cache-mounts"]).expect(0);
    folder.restow(&["check", "--only", "add-cache-mounts", "--except", "add-cache-mounts"]).expect(0);
}

#[test]
fn a_flag_is_dropped_only_under_a_mount_whoever_wrote_it() {
    let mounted = "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install --no-cache-dir flask\nRUN pip install --no-cache-dir django\n";
    let folder = Folder::new(&[("Dockerfile", mounted)]);
    folder.restow(&["apply", "--only", "drop-no-cache"]).expect(0);
    assert_eq!(folder.read("Dockerfile"), mounted.replacen("--no-cache-dir ", "", 1));
}

#[test]
fn review_shows_more_and_leaves_the_safe_changes_as_they_are() {
    let files = [
        ("Dockerfile", SEVERAL),
        ("b/Dockerfile", UNKNOWN),
        (
            "c/Dockerfile",
            "FROM python:3.12-slim AS a\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask\nFROM acme/base:2 AS b\nRUN pip install django\nFROM a\nRUN pip install --no-cache-dir x\nCMD [\"x\"]\n",
        ),
    ];
    let folder = Folder::repository(&files);
    let (safe, all) = (folder.json(&[]), folder.json(&["--review"]));
    let mut reviewed = 0;
    for (left, right) in safe["files"].as_array().unwrap().iter().zip(all["files"].as_array().unwrap()) {
        let safe: Vec<_> = left["changes"].as_array().unwrap().iter().collect();
        assert!(safe.iter().all(|change| change["level"] == "safe"));
        let (kept, more): (Vec<_>, Vec<_>) =
            right["changes"].as_array().unwrap().iter().partition(|change| change["level"] == "safe");
        assert_eq!(safe, kept, "{}", left["path"]);
        assert!(more.iter().all(|change| change["level"] == "review"));
        reviewed += more.len();
    }
    assert!(reviewed >= 2, "{all}");
    assert_eq!(safe["summary"]["held_back"], reviewed);
    assert_eq!(all["summary"]["held_back"], 0);
}

#[test]
fn applying_in_two_goes_gives_what_one_gives() {
    let files = [("Dockerfile", SEVERAL), ("b/Dockerfile", UNKNOWN)];
    let (twice, once) = (Folder::repository(&files), Folder::repository(&files));
    twice.restow(&["apply"]).expect(0);
    assert_eq!(twice.read("b/Dockerfile"), UNKNOWN);
    twice.restow(&["apply", "--review"]).expect(0);
    once.restow(&["apply", "--review"]).expect(0);
    assert!(once.is_mounted("b/Dockerfile"));
    assert_eq!(twice.tree(), once.tree());
}

#[test]
fn a_comment_holds_for_the_instruction_beneath_it() {
    let text = "FROM python:3.12-slim\n# restow: ignore\nRUN pip install a\nRUN pip install b\n\n#restow:ignore -- measured, it is slower\n# more words\n\nRUN pip install \\\n  c\n";
    let folder = Folder::new(&[("Dockerfile", text)]);
    let ran = folder.restow(&["check", "--review"]).expect(1);
    assert_eq!(ran.out, "Dockerfile:4: add-cache-mounts [safe] Mount the pip cache\n");
    folder.restow(&["apply"]).expect(0);
    assert_eq!(
        folder.read("Dockerfile"),
        text.replace("RUN pip install b", "RUN --mount=type=cache,target=/root/.cache/pip pip install b")
    );
}

#[test]
fn a_comment_with_ids_holds_for_these_transforms() {
    let rest = "RUN pip install --no-cache-dir flask\n";
    for (comment, wanted) in [
        (
            "# restow: ignore=drop-no-cache -- the flag is audited",
            "RUN --mount=type=cache,target=/root/.cache/pip pip install --no-cache-dir flask\n",
        ),
        ("# restow: ignore=add-cache-mounts", rest),
        ("# restow: ignore=drop-no-cache, add-cache-mounts -- both", rest),
        (
            "# restow: ignore=sink-build-args -- something else",
            "RUN --mount=type=cache,target=/root/.cache/pip pip install flask\n",
        ),
    ] {
        let folder = Folder::new(&[("Dockerfile", &format!("FROM python:3.12-slim\n{comment}\n{rest}"))]);
        folder.restow(&["apply"]).expect(0);
        assert_eq!(folder.read("Dockerfile"), format!("FROM python:3.12-slim\n{comment}\n{wanted}"));
    }
}

#[test]
fn a_comment_holds_for_the_whole_file_wherever_it_stands() {
    let before = "# syntax=docker/dockerfile:1\n";
    for text in [
        format!("{before}# restow: ignore-file\n{PIP}"),
        format!("{before}{PIP}# restow: ignore-file -- generated\n"),
        format!("{before}FROM python:3.12-slim\n# restow: ignore-file\nRUN pip install flask\n"),
    ] {
        let folder = Folder::new(&[("a/Dockerfile", &text), ("b/Dockerfile", PIP)]);
        folder.restow(&["apply", "--review"]).expect(0);
        assert_eq!(folder.read("a/Dockerfile"), text);
        assert_eq!(folder.read("b/Dockerfile"), PIP_MOUNTED);
    }
}

#[test]
fn what_only_looks_like_such_a_comment_is_none() {
    for text in [
        "FROM python:3.12-slim\n# restow: ignored\nRUN pip install flask\n",
        "FROM python:3.12-slim\n# please restow: ignore\nRUN pip install flask\n",
        "FROM python:3.12-slim\nRUN echo '# restow: ignore-file'\nRUN pip install flask\n",
        "FROM python:3.12-slim\nCOPY <<EOF /x\n# restow: ignore-file\nEOF\nRUN pip install flask\n",
        "FROM python:3.12-slim\nCOPY <<EOF /x\n# restow: ignore\nEOF\nRUN pip install flask\n",
    ] {
        let folder = Folder::new(&[("Dockerfile", text)]);
        folder.restow(&["apply"]).expect(0);
        assert_eq!(
            folder.read("Dockerfile"),
            text.replace("RUN pip", &format!("RUN {MOUNT},target=/root/.cache/pip pip"))
        );
    }
}

#[test]
fn an_ignored_place_is_reported_as_left_alone() {
    let folder =
        Folder::new(&[("Dockerfile", "FROM python:3.12-slim\n# restow: ignore -- slower\nRUN pip install flask\n")]);
    let ran = folder.restow(&["diff", "--why-not"]).expect(0);
    assert_holds(&ran.out, &["# add-cache-mounts Dockerfile:3 [left alone]", "restow: ignore"]);
}
