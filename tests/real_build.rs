//! Builds the projects in `tests/builds` before and after `restow apply`, on a real container engine.
//!
//! Each test holds restow to two promises: the image is the same (docs/same-image.md), and a rebuild does not repeat what
//! it need not. What that means depends on the transform. A mount ([`downloads_once`]): once the step above has changed,
//! nothing is downloaded that was there before. Another order of instructions ([`repeats_less`]): once something has
//! changed that the project's `case.toml` names, the installs that it names there are not executed again, and in the
//! Dockerfile as it was they are, so that the measurement can fail.
//!
//! Models are the exception ([`brings_its_models`]): the image gets them on purpose, and nothing else.

mod engine;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::{PoisonError, RwLock};

use restow::facts::{Facts, Knowledge, Scripts};
use restow::same_image::{Difference, Image, PassedOver, differences};
use serde::Deserialize;

use engine::hub::Hub;
use engine::{Build, Downloads, Engine, Fresh, engine, say, say_skipped, succeeded};

#[test]
fn a_pip_install_that_refused_its_cache_builds_the_same_image_and_downloads_once() {
    downloads_once("pip-no-cache-dir");
}

#[test]
fn an_apt_install_behind_docker_clean_builds_the_same_image_and_downloads_once() {
    downloads_once("apt-docker-clean");
}

#[test]
fn a_pip_install_by_a_numeric_user_builds_the_same_image_and_downloads_once() {
    downloads_once("numeric-user");
}

#[test]
fn a_pip_install_under_a_prefix_that_is_copied_builds_the_same_image_and_downloads_once() {
    downloads_once("prefix-multi-stage");
}

#[test]
fn a_pip_install_of_two_files_is_split_and_the_second_file_installs_its_own_packages_only() {
    repeats_less("two-requirements");
}

#[test]
fn a_pip_install_of_two_files_is_split_at_level_safe_with_what_no_file_names_in_the_last_step() {
    repeats_less("two-requirements-safe");
}

#[test]
fn a_pip_install_of_two_files_under_a_prefix_is_split_and_the_second_run_sees_what_the_first_installed() {
    repeats_less("two-requirements-prefix");
}

#[test]
fn a_pip_install_of_two_files_into_the_home_of_a_user_is_split() {
    repeats_less("two-requirements-user");
}

#[test]
fn a_pip_install_of_two_files_into_a_virtual_environment_is_split() {
    repeats_less("two-requirements-venv");
}

#[test]
fn a_pip_install_below_the_copy_of_all_sources_is_not_repeated_for_a_changed_source() {
    repeats_less("sources-before-pip");
}

#[test]
fn a_pip_install_below_the_copy_of_all_sources_to_another_owner_is_not_repeated_for_a_changed_source() {
    repeats_less("sources-before-pip-chown");
}

#[test]
fn an_npm_ci_below_the_copy_of_all_sources_is_not_repeated_for_a_changed_source() {
    repeats_less("sources-before-npm");
}

#[test]
fn a_uv_sync_below_the_copy_of_all_sources_is_not_repeated_for_a_changed_source() {
    repeats_less("sources-before-uv");
}

#[test]
fn a_composer_install_below_the_copy_of_all_sources_finds_its_packages_for_a_changed_source() {
    repeats_less("sources-before-composer");
}

#[test]
fn installs_below_the_commit_are_not_repeated_for_another_commit() {
    repeats_less("commit-above-installs");
}

#[test]
fn a_model_stage_lets_a_user_with_a_number_start_without_the_hub_and_downloads_once() {
    brings_its_models("model-stage-number", &[], 10001);
}

#[test]
fn a_model_stage_lets_a_user_with_a_name_start_without_the_hub_and_downloads_once() {
    brings_its_models("model-stage-name", &[("--uid 10001 ", ""), ("USER 10001", "USER app")], 1000);
}

#[test]
fn verify_tells_noise_and_what_is_changed_on_purpose_and_leaves_nothing_behind() {
    let Some(engine) = engine() else { return };
    // What another verify has not yet removed would look like something left.
    let _alone = COUNTERS.write().unwrap_or_else(PoisonError::into_inner);
    let mut project = Project::new("pip-no-cache-dir", engine);
    project.replace("COPY hello.py .", "COPY . .\nRUN date +%N > /stamp");
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let service = project.verify(&["--scenario=code"], temporary.path());
    let paths = |name: &str| -> Vec<&str> {
        let listed = service[name].as_array().expect("a list").iter();
        listed.filter_map(|difference| difference["path"].as_str()).collect()
    };
    assert_eq!((paths("noise"), paths("expected")), (vec!["/stamp"], vec!["/app/Dockerfile"]), "{service:#}");
    assert_eq!(service["verdict"], "same", "{service:#}");
    let left = std::fs::read_dir(temporary.path()).expect("the folder").count();
    assert_eq!((engine.left_by_verify().as_str(), left), ("", 0), "what is left");
}

/// One test per project: `restow verify` finds the same image, and every step of every scenario as it was forecast.
macro_rules! verified {
    ($($(#[$attribute:meta])* $test:ident: $project:literal,)*) => {
        $(#[test]
        $(#[$attribute])*
        fn $test() {
            is_as_forecast($project);
        })*
    };
}

verified! {
    a_pip_project_with_one_file_is_the_same_and_as_forecast: "pip-one-file",
    a_pip_project_with_two_files_is_the_same_and_as_forecast: "two-requirements",
    a_pip_project_under_a_prefix_is_the_same_and_as_forecast: "two-requirements-prefix",
    a_pip_project_in_the_home_of_a_user_is_the_same_and_as_forecast: "pip-user-multi-stage",
    a_pip_project_in_a_virtual_environment_is_the_same_and_as_forecast: "pip-venv-environment",
    a_pip_project_of_a_named_user_is_the_same_and_as_forecast: "pip-named-user",
    an_apt_project_is_the_same_and_as_forecast: "apt-docker-clean",
    #[ignore = "takes minutes: apt installs twice in each build"]
    a_project_with_two_apt_runs_is_the_same_and_as_forecast: "apt-two-runs",
    an_npm_project_is_the_same_and_as_forecast: "npm-manifests-first",
    a_pnpm_project_is_the_same_and_as_forecast: "pnpm-sources-first",
    #[ignore = "takes minutes: apt installs composer and PHP in each build"]
    a_composer_project_is_the_same_and_as_forecast: "sources-before-composer",
    a_uv_project_is_the_same_and_as_forecast: "sources-before-uv",
    a_go_project_is_the_same_and_as_forecast: "go-multi-stage",
    a_cargo_project_is_the_same_and_as_forecast: "cargo-multi-stage",
}

/// The index counts for everyone who asks: who reads its counters builds alone, all others side by side.
static COUNTERS: RwLock<()> = RwLock::new(());

fn downloads_once(name: &str) {
    let Some(engine) = engine() else { return };
    let _alone = COUNTERS.write().unwrap_or_else(PoisonError::into_inner);
    let project = Project::new(name, engine);
    let context = project.files.path();

    let before = engine.build(context, &project.original, &project.tag("before"), &Fresh::now(), &[]);
    assert!(
        before.downloads.0 > 0,
        "{name}: the build before shows no download, so the measurement is blind\n{}",
        before.log
    );
    let rewritten = project.apply(&[]);
    let after = engine.build(context, &rewritten, &project.tag("after"), &Fresh::now(), &[]);
    project.assert_same_image(&before, &after, &rewritten);

    let again = engine.build(context, &rewritten, &project.tag("again"), &Fresh::now(), &[]);
    assert!(again.reused > 0, "{name}: the rebuild used nothing from a cache\n{}", again.log);
    assert_eq!(again.downloads, Downloads(0), "{name}: the rebuild downloaded again\n{}", again.log);
    assert_eq!(again.files_served.unwrap_or(0), 0, "{name}: the index served files again\n{}", again.log);
}

#[test]
fn a_model_stage_brings_its_models_and_nothing_else_and_is_as_forecast() {
    let name = "model-stage";
    let Some(engine) = engine() else { return };
    if engine.index.is_none() {
        return say_skipped(&format!("{name}: its hub is for the engine of tests/builder.sh"));
    }
    let Ok(hub) = Hub::start(&MODELS) else {
        return say_skipped(&format!("{name}: its hub needs python3"));
    };
    let _beside_others = COUNTERS.read().unwrap_or_else(PoisonError::into_inner);
    let mut project = Project::new(name, engine);
    project.replace(HUB, &hub.address());
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let service = project.verify(&[], temporary.path());
    let differences = service["differences"].as_array().expect("a list");
    let paths = differences.iter().filter_map(|difference| difference["path"].as_str());
    let others: Vec<&str> = paths.filter(|path| !path.starts_with("/opt/huggingface")).collect();
    assert_eq!((&service["verdict"], others), (&"differs".into(), vec!["ENV HF_HOME"]), "{service:#}");
    told_as_forecast(name, &service);
}

fn is_as_forecast(name: &str) {
    let Some(engine) = engine() else { return };
    let _beside_others = COUNTERS.read().unwrap_or_else(PoisonError::into_inner);
    let Some(project) = Project::that_builds(name, engine) else { return };
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let service = project.verify(&[], temporary.path());
    assert_eq!(service["verdict"], "same", "{name}: {service:#}");
    told_as_forecast(name, &service);
    project.apply(&["--review"]);
}

/// Holds each scenario to its forecast, and says what was measured.
fn told_as_forecast(name: &str, service: &serde_json::Value) {
    let scenarios = service["scenarios"].as_array().expect("a list");
    let (mut exact, mut ranges) = (0, 0);
    for scenario in scenarios {
        assert_ne!(scenario["agrees"], false, "{name}: {scenario:#}");
        for side in [&scenario["before"], &scenario["after"]] {
            match side["forecast"].as_array() {
                Some(bounds) if bounds[0] == bounds[1] => exact += 1,
                Some(_) => ranges += 1,
                None => {}
            }
        }
        say(&format!("{name}: {}: {}", scenario["title"].as_str().unwrap_or_default(), story(scenario)));
    }
    // What can't be measured is a failure that is too quick to be had.
    assert!(
        exact + ranges + 2 >= 2 * scenarios.len() && exact > 0,
        "{name}: hardly anything was measured\n{service:#}"
    );
    say(&format!("{name}: {exact} counts as forecast, {ranges} within their range"));
}

/// What was done, and the steps CACHED before and after of those that there are.
fn story(scenario: &serde_json::Value) -> String {
    let side = |side: &serde_json::Value| match side["not_measured"].as_str() {
        Some(why) => why.to_owned(),
        None => format!("{}/{}", side["cached"], side["steps"]),
    };
    let edit = scenario["edit"].as_str().unwrap_or_default();
    format!("{edit}: CACHED {}, then {}", side(&scenario["before"]), side(&scenario["after"]))
}

fn repeats_less(name: &str) {
    let Some(engine) = engine() else { return };
    let _beside_others = COUNTERS.read().unwrap_or_else(PoisonError::into_inner);
    let Some(project) = Project::that_builds(name, engine) else { return };
    let case = Case::read(name);
    let rewritten = match case.level {
        Level::Safe => project.apply(&[]),
        Level::Review => project.apply(&["--review"]),
    };
    let context = project.files.path();
    // A copy of all sources would bring the Dockerfile along, which is not the same on purpose.
    std::fs::remove_file(context.join("Dockerfile")).expect("the Dockerfile is there");

    // Each file has a cache of its own: what the other one built can't hide an install that is repeated.
    let sides = [("before", &project.original, Fresh::now()), ("after", &rewritten, Fresh::now())];
    let both = |build_args: &[String]| {
        sides.each_ref().map(|(side, text, fresh)| engine.build(context, text, &project.tag(side), fresh, build_args))
    };

    let [before, after] = both(&[]);
    for build in [&before, &after] {
        assert!(!case.installs(build).is_empty(), "{name}: no RUN says {:?}\n{}", case.install, build.log);
    }
    project.assert_same_image(&before, &after, &rewritten);

    for (index, change) in case.change.iter().enumerate() {
        change.make(context);
        let builds = both(&change.build_args);
        let expectations = [&change.before, &change.after];
        for (((side, text, _), build), expected) in sides.iter().zip(&builds).zip(expectations) {
            let story = format!("{name}, change {}, {side}\n{}\nDockerfile:\n{text}", index + 1, build.log);
            assert_eq!(!case.installs(build).is_empty(), expected.again, "installed again, of {story}");
            if let Some(packages) = &expected.packages {
                assert_eq!(&build.packages(), packages, "packages that pip installed, of {story}");
            }
            if !expected.again {
                assert_eq!(build.downloads, Downloads(0), "downloads of {story}");
            }
        }
        let [before, after] = &builds;
        project.assert_same_image(before, after, &rewritten);
    }
}

/// What the hub has for `tests/builds/model-stage`. Only `tiny` is loaded by what can load every format.
const MODELS: [(&str, &str); 10] = [
    ("example/tiny/config.json", TINY),
    ("example/tiny/model.safetensors", "weights"),
    ("example/tiny/pytorch_model.bin", "the same weights"),
    ("example/tiny/onnx/model.onnx", "the same weights again"),
    ("example/encoder/config.json", "{}"),
    ("example/encoder/model.safetensors", "weights"),
    ("example/encoder/pytorch_model.bin", "the same weights"),
    ("example/encoder/pooling/pytorch_model.bin", "weights that nothing else holds"),
    ("example/encoder/onnx/model.onnx", "the same weights again"),
    ("example/other/config.json", "{}"),
];
/// Where its Dockerfile says that the hub is.
const HUB: &str = "http://127.0.0.1:3243";
const TINY: &str = r#"{"model_type": "tiny"}"#;

/// Builds `tests/builds/model-stage` with some words of its Dockerfile replaced, and runs it as the user `uid`.
fn brings_its_models(name: &str, words: &[(&str, &str)], uid: u64) {
    const OFFLINE: [&str; 3] = ["--network=none", "--env", "HF_HUB_OFFLINE=1"];
    let Some(engine) = engine() else { return };
    if engine.index.is_none() {
        // Another engine may run where this loopback interface isn't.
        return say_skipped(&format!("{name}: its hub is for the engine of tests/builder.sh"));
    }
    let Ok(mut hub) = Hub::start(&MODELS) else {
        return say_skipped(&format!("{name}: its hub needs python3"));
    };
    let _beside_others = COUNTERS.read().unwrap_or_else(PoisonError::into_inner);
    let mut project = Project::new("model-stage", engine);
    project.name = name.to_owned();
    project.replace(HUB, &hub.address());
    for (old, new) in words {
        project.replace(old, new);
    }
    let rewritten = project.apply(&["--review", "--only", "add-model-stage"]);
    let context = project.files.path();
    let says = |build: &Build<'_>, options: &[&str]| {
        let output = engine.run(&build.image, options);
        succeeded(&format!("{name}: docker run {options:?} of\n{rewritten}"), &output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let story = format!("config.json model.safetensors onnx/model.onnx pytorch_model.bin\n{TINY}\nuser {uid}\n");

    let before = engine.build(context, &project.original, &project.tag("before"), &Fresh::now(), &[]);
    assert_eq!(hub.log(), [""; 0], "{name}: the build before downloads models");
    let fresh = Fresh::now();
    let after = engine.build(context, &rewritten, &project.tag("after"), &fresh, &[]);
    let downloaded = hub.log();
    assert!(is_weights(&downloaded), "{name}: the hub was asked for {downloaded:#?}\nDockerfile:\n{rewritten}");
    project.assert_only_models_are_new(&before, &after, &rewritten, uid);

    // With the hub, both start; the image before downloads the weights for that.
    assert_eq!(says(&before, &["--network=host"]), story, "{name}: the image before");
    let asked = hub.log().split_off(downloaded.len());
    assert!(is_weights(&asked), "{name}: the image before asked for {asked:#?}");
    let so_far = hub.log().len();
    assert_eq!(says(&after, &["--network=host"]), story, "{name}: the image after");
    let asked = hub.log().split_off(so_far);
    assert!(!is_weights(&asked), "{name}: the image after asked for {asked:#?}");

    // Without it, one.
    hub.stop();
    let failed = engine.run(&before.image, &OFFLINE);
    let why = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && why.contains("LocalEntryNotFoundError"), "{name}: the image before: {why}");
    assert_eq!(says(&after, &OFFLINE), story, "{name}: the image after, offline");

    // Neither a requirement nor a source file asks it again.
    hub.start_again().expect("python3 was there");
    let so_far = hub.log().len();
    append(&context.join("requirements.txt"), "# later\n");
    append(&context.join("app.py"), "print('changed')\n");
    let again = engine.build(context, &rewritten, &project.tag("again"), &fresh, &[]);
    assert_eq!(again.executed(), ["pip install --no-cache-dir -r requirements.txt"], "{name}:\n{}", again.log);
    assert_eq!(hub.log().split_off(so_far), [""; 0], "{name}: a rebuild asked the hub\n{}", again.log);
    assert_eq!(says(&again, &OFFLINE), format!("{story}changed\n"), "{name}: the image of the rebuild");

    // Another model is all that is downloaded.
    let other = rewritten.replace("example/tiny", "example/other");
    let build = engine.build(context, &other, &project.tag("other"), &fresh, &[]);
    let runs = build.executed();
    assert!(runs.len() == 1 && runs[0].contains("'example/other'"), "{name}: executed {runs:#?}");
    let asked = hub.log().split_off(so_far);
    let is_other = |line: &String| line.contains("/example/other");
    assert!(!asked.is_empty() && asked.iter().all(is_other), "{name}: the hub was asked for {asked:#?}");
}

/// Whether the hub sent the content of weights.
fn is_weights(log: &[String]) -> bool {
    log.iter().any(|line| line.contains("GET /.lfs/"))
}

// ---- the projects -------------------------------------------------------------------------------------------

const PROJECTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/builds");

/// What is changed between two builds of a project, and what the second build may then repeat: its `case.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A RUN with this text is an install.
    install: String,
    /// What the log says when packages are installed, where a RUN with that text may also find them installed already.
    says: Option<String>,
    /// Which changes are made: those that are safe, or all.
    #[serde(default)]
    level: Level,
    /// Each on top of the one before it.
    change: Vec<Change>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Safe,
    #[default]
    Review,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Change {
    /// What is added to which files.
    #[serde(default)]
    append: BTreeMap<String, String>,
    #[serde(default)]
    build_args: Vec<String>,
    /// Of the Dockerfile as it was.
    before: Expected,
    /// Of the rewritten one.
    after: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Whether any install is executed again.
    again: bool,
    /// What pip says that it installs then.
    packages: Option<BTreeSet<String>>,
}

impl Case {
    fn read(name: &str) -> Case {
        let file = Path::new(PROJECTS).join(name).join("case.toml");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The installs that were executed.
    fn installs<'b>(&self, build: &'b Build<'_>) -> Vec<&'b str> {
        if self.says.as_ref().is_some_and(|says| !build.log.contains(says)) {
            return Vec::new();
        }
        build.executed().into_iter().filter(|run| run.contains(&self.install)).collect()
    }
}

impl Change {
    fn make(&self, context: &Path) {
        for (path, text) in &self.append {
            append(&context.join(path), text);
        }
    }
}

fn append(path: &Path, text: &str) {
    let file = std::fs::OpenOptions::new().append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// A copy of one folder of `tests/builds`.
struct Project {
    name: String,
    engine: &'static Engine,
    files: tempfile::TempDir,
    original: String,
}

impl Project {
    fn new(name: &str, engine: &'static Engine) -> Project {
        let files = tempfile::tempdir().expect("a temporary directory");
        copy_tree(&Path::new(PROJECTS).join(name), files.path());
        // No part of the build context.
        let _ = std::fs::remove_file(files.path().join("case.toml"));
        let mut project = Project { name: name.to_owned(), engine, files, original: String::new() };
        project.original = project.dockerfile();
        project
    }

    /// The project, if the engine has what it needs; `None` after saying what is missing.
    fn that_builds(name: &str, engine: &'static Engine) -> Option<Project> {
        let project = Project::new(name, engine);
        if let Some(base) = engine.missing_base(&project.original) {
            say_skipped(&format!("{name}: this engine has no {base} (tests/builder.sh says why)"));
            return None;
        }
        if !project.name_index() {
            say_skipped(&format!("{name}: its lock file needs the package index of tests/builder.sh"));
            return None;
        }
        Some(project)
    }

    /// Puts the engine's package index into the lock files that name one; false if they do and it has none.
    fn name_index(&self) -> bool {
        // Where tests/builder.sh has it by default.
        const USUAL: &str = "http://127.0.0.1:3241/";
        for lock in ["uv.lock", "composer.lock"] {
            let lock = self.files.path().join(lock);
            let Ok(text) = std::fs::read_to_string(&lock) else { continue };
            let Some(index) = &self.engine.index else { return false };
            std::fs::write(&lock, text.replace(USUAL, &format!("http://{index}/"))).expect("the lock file is written");
        }
        true
    }

    fn tag(&self, build: &str) -> String {
        format!("restow-test-{}-{build}", self.name)
    }

    fn dockerfile(&self) -> String {
        std::fs::read_to_string(self.files.path().join("Dockerfile")).expect("the Dockerfile")
    }

    /// The Dockerfile after `restow apply`, which changes it, and only once.
    fn apply(&self, options: &[&str]) -> String {
        let apply = || {
            let output = Command::new(env!("CARGO_BIN_EXE_restow"))
                .arg("apply")
                .args(options)
                .arg(".")
                .current_dir(self.files.path())
                .output()
                .expect("restow runs");
            succeeded("restow apply", &output);
            self.dockerfile()
        };
        let rewritten = apply();
        assert_ne!(self.original, rewritten, "{}: apply left the Dockerfile as it was", self.name);
        assert_eq!(rewritten, apply(), "{}: a second apply changed the Dockerfile again", self.name);
        rewritten
    }

    /// What `restow verify` tells of the project, whose folder for temporary files is `temporary`.
    fn verify(&self, options: &[&str], temporary: &Path) -> serde_json::Value {
        let output = Command::new(env!("CARGO_BIN_EXE_restow"))
            .args(["verify", "--review", "--builder=own", "--build-option=--network=host", "--format=json", "."])
            .args(options)
            .current_dir(self.files.path())
            .envs(self.engine.environment())
            .env("TMPDIR", temporary)
            .output()
            .expect("restow runs");
        let story = |what: &str| {
            let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
            format!("{}: {what}: {}\n{err}\n{out}", self.name, output.status)
        };
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", story("no JSON")));
        let services = report["services"].as_array().unwrap_or_else(|| panic!("{}", story("no services")));
        assert_eq!(services.len(), 1, "{}", story("one service"));
        services[0].clone()
    }

    /// In the Dockerfile, where `old` stands.
    fn replace(&mut self, old: &str, new: &str) {
        assert!(self.original.contains(old), "{}: the Dockerfile says nothing of {old}", self.name);
        self.original = self.original.replace(old, new);
        std::fs::write(self.files.path().join("Dockerfile"), &self.original).expect("the Dockerfile is written");
    }

    fn assert_only_models_are_new(&self, before: &Build<'_>, after: &Build<'_>, rewritten: &str, uid: u64) {
        const FOLDER: &str = "opt/huggingface";
        let name = &self.name;
        let [old, mut new] = [before, after].map(|build| self.engine.image(&build.image));
        let models: BTreeMap<_, _> = new.tree.extract_if(.., |path, _| path.starts_with(FOLDER)).collect();
        let found = self.differences(&old, &new, rewritten);
        let [home] = &found[..] else { panic!("{name}: more than models is new\n{}", texts(&found)) };
        assert_eq!(home.text(), format!("ENV HF_HOME: new (/{FOLDER})"), "{name}: what is new beside the models");
        for (path, entry) in &models {
            // The user may write beside them as well.
            assert_eq!((entry.uid, entry.gid), (uid, uid), "{name}: owner of /{path}");
        }
        let encoder: Vec<&str> = models
            .keys()
            .filter_map(|path| path.split_once("/models--example--encoder/snapshots/")?.1.split_once('/'))
            .map(|(_, path)| path)
            .collect();
        assert_eq!(
            encoder,
            ["config.json", "model.safetensors", "pooling", "pooling/pytorch_model.bin"],
            "{name}: files of a model for PyTorch"
        );
    }

    fn assert_same_image(&self, before: &Build<'_>, after: &Build<'_>, rewritten: &str) {
        let [old, new] = [before, after].map(|build| self.engine.image(&build.image));
        let found = self.differences(&old, &new, rewritten);
        let name = &self.name;
        assert!(found.is_empty(), "{name}: the image changed\n{}\nDockerfile:\n{rewritten}", texts(&found));
    }

    /// As docs/same-image.md compares.
    fn differences(&self, before: &Image, after: &Image, rewritten: &str) -> Vec<Difference> {
        let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
        let files =
            [self.original.as_str(), rewritten].map(|text| restow::dockerfile::read(text).expect("a Dockerfile"));
        let old = Facts::new(&self.original, &files[0], &knowledge, &scripts);
        let new = Facts::new(rewritten, &files[1], &knowledge, &scripts);
        differences(before, after, &PassedOver::of(&[&old, &new]))
    }
}

fn texts(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.text() + "\n").collect()
}

fn copy_tree(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a directory entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).expect("a directory");
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copied file");
        }
    }
}
