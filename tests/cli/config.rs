//! restow.toml.

use super::support::{CLEAN, Folder, MOUNT, PIP, PIP_MOUNTED, SEVERAL, UNKNOWN, assert_holds};

#[test]
fn an_unknown_key_is_2_with_file_line_and_column() {
    for (text, place, key) in [
        ("review = true\nreveiw = true\n", "2:1", "reveiw"),
        ("[cache]\n\n  ids = \"auto\"\n", "3:3", "ids"),
        ("[[override]]\nfiles = [\"a\"]\ndockerfiles = []\n", "3:1", "dockerfiles"),
        ("[[base]]\nimage = \"a\"\nuser-name = \"b\"\n", "3:1", "user-name"),
    ] {
        let folder = Folder::new(&[("svc/Dockerfile", PIP), ("svc/restow.toml", text)]);
        for command in ["diff", "check", "apply"] {
            let ran = folder.restow(&[command]).expect(2);
            assert_eq!(ran.out, "");
            assert_holds(&ran.err, &[&format!("svc/restow.toml:{place}: "), &format!("`{key}`")]);
        }
        assert_eq!(folder.read("svc/Dockerfile"), PIP);
        let ran = folder.restow(&["check", "--config", "svc/restow.toml", "svc"]).expect(2);
        assert_holds(&ran.err, &[&format!("svc/restow.toml:{place}: ")]);
    }
}

#[test]
fn wrong_values_are_2_with_their_place() {
    for (text, place, cause) in [
        ("review = 1\n", "1:10", "boolean"),
        ("builder = \"podmann\"\n", "1:11", "podman"),
        ("only = [\n", "", ""),
        ("# why\nonly = [\"drop-no-cach\"]\n", "2:", "drop-no-cache"),
        ("[[base]]\nimage = \"a\"\ndistribution = \"debain\"\n", "", "debian"),
        ("[[manager]]\nid = \"a\"\nprograms = [\"a\"]\ninstall = [\"a\"]\ncache = \"a\"\n", "", "~/"),
    ] {
        let folder = Folder::new(&[("Dockerfile", PIP), ("restow.toml", text)]);
        let ran = folder.restow(&["check"]).expect(2);
        assert_holds(&ran.err, &[&format!("restow.toml:{place}"), cause]);
    }
}

#[test]
fn settings_that_can_not_be_read_are_2_and_not_passed_over() {
    let folder = Folder::new(&[("Dockerfile", PIP)]);
    assert_holds(&folder.restow(&["check", "--config", "missing.toml"]).expect(2).err, &["missing.toml"]);
    folder.write("restow.toml", b"except = [\"add-cache-mounts\"]\n# \xff\n");
    assert_holds(&folder.restow(&["check"]).expect(2).err, &["restow.toml"]);
}

#[test]
fn the_nearest_one_upwards_holds_and_no_other() {
    let folder = Folder::new(&[
        ("restow.toml", "except = [\"add-cache-mounts\"]\n"),
        ("Dockerfile", PIP),
        ("a/b/Dockerfile", PIP),
        ("c/restow.toml", "review = true\n"),
        ("c/d/Dockerfile", UNKNOWN),
    ]);
    for (inside, path) in [("", "."), ("a", ".."), ("c/d", "../..")] {
        let ran = folder.restow_in(inside, &["check", path]).expect(1);
        assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
        assert_holds(&ran.out, &["Dockerfile:2: add-cache-mounts [review]"]);
    }
    assert_holds(&folder.restow_in("c/d", &["check"]).expect(1).out, &["Dockerfile:2: add-cache-mounts [review]"]);
    folder.restow_in("a/b", &["check"]).expect(0);
}

#[test]
fn config_on_the_command_line_takes_the_place_of_the_nearest() {
    let folder = Folder::new(&[
        ("restow.toml", "except = [\"add-cache-mounts\"]\n"),
        ("Dockerfile", PIP),
        ("ci/other.toml", ""),
    ]);
    folder.restow(&["check"]).expect(0);
    folder.restow(&["check", "--config", "ci/other.toml"]).expect(1);
}

#[test]
fn the_command_line_wins_over_settings() {
    let folder = Folder::new(&[
        ("restow.toml", "only = [\"drop-no-cache\"]\nexcept = [\"add-cache-mounts\"]\n"),
        ("Dockerfile", PIP),
    ]);
    folder.restow(&["check"]).expect(0);
    assert_holds(&folder.restow(&["check", "--only", "add-cache-mounts"]).expect(1).out, &["add-cache-mounts"]);
}

#[test]
fn an_override_holds_for_its_files_only() {
    let folder = Folder::new(&[
        (
            "restow.toml",
            "[[override]]\nfiles = [\"old/**\"]\nexcept = [\"add-cache-mounts\"]\n\n[[override]]\nfiles = [\"new/*.Dockerfile\"]\nreview = true\n\n[[override]]\nfiles = [\"ci/Dockerfile\"]\nbuilder = \"kaniko\"\n",
        ),
        ("Dockerfile", PIP),
        ("old/a/Dockerfile", PIP),
        ("new/a.Dockerfile", UNKNOWN),
        ("new/Dockerfile", UNKNOWN),
        ("ci/Dockerfile", PIP),
    ]);
    let expected = "Dockerfile:2: add-cache-mounts [safe] Mount the pip cache\nnew/a.Dockerfile:2: add-cache-mounts [review] Mount the pip cache\n";
    assert_eq!(folder.restow(&["check"]).expect(1).out, expected);
    let inside = folder.restow_in("new", &["check", "a.Dockerfile", "../old", "../ci/Dockerfile"]).expect(1);
    assert_eq!(inside.out, "a.Dockerfile:2: add-cache-mounts [review] Mount the pip cache\n");
}

#[test]
fn a_base_that_is_vouched_for_makes_its_changes_safe() {
    let folder = Folder::new(&[("Dockerfile", UNKNOWN)]);
    assert_eq!(folder.restow(&["check"]).expect(0).out, "");
    for image in ["acme/python", "acme/python:1", "acme/*", "acme/python:*"] {
        folder.write("restow.toml", format!("[[base]]\nimage = \"{image}\"\ndistribution = \"debian\"\n"));
        let ran = folder.restow(&["check"]).expect(1);
        assert_eq!(ran.out, "Dockerfile:2: add-cache-mounts [safe] Mount the pip cache\n", "{image}");
    }
    for image in ["acme/pythons", "python", "acme/python:2"] {
        folder.write("restow.toml", format!("[[base]]\nimage = \"{image}\"\ndistribution = \"debian\"\n"));
        folder.restow(&["check"]).expect(0);
    }
}

#[test]
fn a_base_says_user_home_and_environment() {
    let folder = Folder::new(&[
        ("Dockerfile", UNKNOWN),
        (
            "restow.toml",
            "[[base]]\nimage = \"acme/python\"\nuser = \"app\"\nuid = 1234\ngid = 4321\nhome = \"/srv/app\"\nenv = { PIP_CACHE_DIR = \"/srv/app/pip\" }\n",
        ),
    ]);
    folder.restow(&["apply"]).expect(0);
    assert_holds(&folder.read("Dockerfile"), &["target=/srv/app/pip", "uid=1234,gid=4321"]);
}

#[test]
fn a_manager_row_adds_a_package_manager_for_review() {
    let text = "FROM python:3.12-slim\nRUN fetcher --quiet grab --cold lib\nRUN fetcher list\n";
    let folder = Folder::new(&[("Dockerfile", text)]);
    assert_eq!(folder.restow(&["check", "--review"]).expect(0).out, "");
    folder.write("restow.toml", "[[manager]]\nid = \"fetcher\"\nprograms = [\"fetcher\"]\ninstall = [\"grab\"]\ncache = \"~/.fetcher\"\nno-cache = [\"--cold\"]\nsharing = \"shared\"\n");
    assert_eq!(folder.restow(&["check"]).expect(0).out, "", "restow does not know it, so it is never safe");
    folder.restow(&["apply", "--review"]).expect(0);
    let after = folder.read("Dockerfile");
    assert_holds(
        &after,
        &["RUN --mount=type=cache,target=/root/.fetcher fetcher --quiet grab lib\n", "\nRUN fetcher list\n"],
    );
}

#[test]
fn dockerfiles_are_named_by_globs() {
    let folder = Folder::new(&[
        ("restow.toml", "dockerfiles = [\"images/*.docker\"]\n"),
        ("images/web.docker", PIP),
        ("other/web.docker", PIP),
    ]);
    for (inside, path) in [("", "."), ("images", "."), ("other", "..")] {
        let ran = folder.restow_in(inside, &["check", path]).expect(1);
        assert!(
            ran.out.ends_with("web.docker:2: add-cache-mounts [safe] Mount the pip cache\n")
                && ran.out.lines().count() == 1,
            "{}",
            ran.out
        );
        assert!(!ran.out.contains("other/"), "{}", ran.out);
    }
}

#[test]
fn review_in_settings_is_the_flag() {
    let folder = Folder::new(&[("restow.toml", "review = true\n"), ("Dockerfile", UNKNOWN), ("b/Dockerfile", CLEAN)]);
    assert_holds(&folder.restow(&["diff"]).expect(0).out, &[MOUNT, "[review]"]);
}

#[test]
fn only_and_except_in_settings_choose_transforms() {
    for setting in ["only = [\"add-cache-mounts\"]\n", "except = [\"drop-no-cache\"]\n"] {
        let folder = Folder::new(&[("restow.toml", setting), ("Dockerfile", SEVERAL)]);
        folder.restow(&["apply"]).expect(0);
        assert_holds(&folder.read("Dockerfile"), &["pip install --no-cache-dir -r", "target=/root/.cache/pip"]);
    }
}

#[test]
fn settings_are_found_from_a_file_named_elsewhere() {
    let folder = Folder::new(&[
        ("a/restow.toml", "except = [\"add-cache-mounts\"]\n"),
        ("a/Dockerfile", PIP),
        ("b/Dockerfile", PIP),
    ]);
    folder.restow_in("b", &["apply", "../a/Dockerfile", "Dockerfile"]).expect(0);
    assert_eq!(folder.read("a/Dockerfile"), PIP);
    assert_eq!(folder.read("b/Dockerfile"), PIP_MOUNTED);
}
