//! The rules, each as a small Dockerfile and what a real builder showed of it: C for CACHED, A for run again, ? for what depends on the
//! content. Measured with Docker 28.5.2 (BuildKit 0.26).

use super::{Edit, FirstInstall, Scenario, Subject, Theme, forecast, scenarios};
use crate::context::{BuildContext, Tree};
use crate::facts::{Facts, Knowledge, Scripts};

type Files<'f> = &'f [(&'f str, &'f str)];

fn with_subject<T>(dockerfile: &str, files: Files<'_>, look: impl FnOnce(&Subject<'_>) -> T) -> T {
    let file = crate::dockerfile::read(dockerfile).unwrap();
    let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
    let facts = Facts::new(dockerfile, &file, &knowledge, &scripts);
    let mut all = files.to_vec();
    all.push(("Dockerfile", dockerfile));
    let tree = Tree::memory(&all);
    let context = BuildContext::open(&tree, ".", "Dockerfile").unwrap();
    let subject = Subject {
        facts: &facts,
        context: &context,
        dockerfile: Some("Dockerfile"),
        target: None,
        arguments: &[],
        per_commit: &[],
    };
    look(&subject)
}

fn outcome(dockerfile: &str, files: Files<'_>, edit: Edit) -> Result<super::Outcome, String> {
    let scenario = Scenario { theme: Theme::Nothing, title: String::new(), edit };
    with_subject(dockerfile, files, |subject| forecast(subject, &scenario, false))
}

/// A letter per step.
fn letters(dockerfile: &str, files: Files<'_>, edit: Edit) -> String {
    let outcome = outcome(dockerfile, files, edit).unwrap();
    let letter = |status| match status {
        super::Status::Cached => 'C',
        super::Status::Depends => '?',
        super::Status::Again => 'A',
    };
    outcome.steps.iter().map(|step| letter(step.status)).collect()
}

fn touch(path: &str) -> Edit {
    Edit::Touch { path: path.to_owned() }
}

fn argument(value: &str) -> Edit {
    Edit::Argument { name: "V".to_owned(), value: value.to_owned() }
}

const FILES: Files<'_> = &[("a", "1"), ("b", "1"), ("s/c.py", "1"), (".dockerignore", "ignored\n"), ("ignored", "1")];

#[test]
fn a_copy_of_a_changed_file_runs_again_with_all_below_it() {
    let file = "FROM x\nRUN 1\nCOPY b /b\nRUN 2\nCOPY a /a\nRUN 3\nCOPY b /b2\nWORKDIR /w\nRUN 4\n";
    assert_eq!(letters(file, FILES, touch("a")), "CCCAAAAA");
    assert_eq!(letters(file, FILES, Edit::Nothing), "CCCCCCCC");
}

#[test]
fn what_no_copy_takes_changes_nothing() {
    assert_eq!(letters("FROM x\nCOPY s /s\nRUN 1\n", FILES, touch("a")), "CC");
    assert_eq!(letters("FROM x\nCOPY . /s\nRUN 1\n", FILES, touch("ignored")), "CC");
    assert_eq!(letters("FROM x\nCOPY . /s\nRUN 1\n", FILES, touch(".dockerignore")), "AA");
    assert_eq!(letters("FROM x\nCOPY s*/*.py /s/\nRUN 1\n", FILES, touch("s/c.py")), "AA");
    assert_eq!(letters("FROM x\nCOPY [ab] /s/\nRUN 1\n", FILES, touch("b")), "??");
    assert_eq!(letters("FROM x\nADD a /s/\nADD --chown=1 b /\nRUN 1\n", FILES, touch("b")), "CAA");
}

#[test]
fn a_copy_from_a_stage_looks_at_the_files() {
    let below = "FROM x\nRUN 0\nCOPY --from=b /x /x\nRUN 2\n";
    // Whatever the RUN makes of it.
    assert_eq!(letters(&format!("FROM x AS b\nCOPY a /in\nRUN 1\n{below}"), FILES, touch("a")), "AAC??");
    // The changed file itself.
    assert_eq!(letters(&format!("FROM x AS b\nRUN 1\nCOPY a /x\n{below}"), FILES, touch("a")), "CACAA");
    // Nothing that runs again can touch the path.
    assert_eq!(letters(&format!("FROM x AS b\nRUN 1\nCOPY a /in\nWORKDIR /w\n{below}"), FILES, touch("a")), "CAACCC");
    // A copy of the same files below a step that changed.
    assert_eq!(letters(&format!("FROM x AS b\nCOPY a /in\nCOPY b /x\n{below}"), FILES, touch("a")), "AACCC");
    // Nor can a stage that it is built on.
    let two = format!("FROM x AS p\nCOPY a /in\nFROM p AS b\nCOPY b /x\n{below}");
    assert_eq!(letters(&two, FILES, touch("a")), "AACCC");
}

#[test]
fn stages_that_the_target_does_not_need_have_no_steps() {
    let file = "FROM x AS unused\nRUN 1\nFROM x AS mounted\nRUN 2\nFROM x\nRUN --mount=from=mounted,target=/m 3\n";
    assert_eq!(letters(file, FILES, Edit::Nothing), "CC");
    assert_eq!(letters("FROM x AS a\nRUN 1\nFROM x\nCOPY --from=0 /x /x\n", FILES, Edit::Nothing), "CC");
}

#[test]
fn steps_that_two_stages_share_are_one() {
    let same = "RUN 1\nCOPY a /a\n";
    let file = format!("FROM x AS one\n{same}RUN 2\nFROM x\n{same}COPY --from=one /y /y\n");
    assert_eq!(letters(&file, FILES, Edit::Nothing), "CCCC");
    assert_eq!(letters(&file, FILES, touch("a")), "CAAA");
}

#[test]
fn a_linked_copy_is_shown_as_run_again_with_what_is_above_it() {
    let file = "FROM x\nCOPY a /a\nCOPY --link b /b\nRUN 1\n";
    assert_eq!(letters(file, FILES, touch("a")), "AAA");
    assert_eq!(letters(file, FILES, touch("b")), "CAA");
}

#[test]
fn build_arguments_are_part_of_every_later_run_of_the_stage() {
    assert_eq!(letters("FROM x\nARG V=1\nWORKDIR /w\nCOPY a /a\nRUN 1\nRUN 2\n", FILES, argument("2")), "CCAA");
    assert_eq!(letters("FROM x\nRUN 1\nARG V\nRUN 2\n", FILES, argument("2")), "CA");
    assert_eq!(letters("FROM x\nARG V=2\nRUN 1\n", FILES, argument("2")), "C");
    // The later one of ARG and ENV wins.
    assert_eq!(letters("FROM x\nARG V=1\nENV V=x\nRUN 1\n", FILES, argument("2")), "C");
    assert_eq!(letters("FROM x\nENV V=x\nARG V=1\nRUN 1\n", FILES, argument("2")), "A");
    assert_eq!(letters("FROM x\nENV V=2\nARG V\nRUN 1\n", FILES, argument("2")), "C");
    assert_eq!(letters("FROM x\nARG V=1\nUSER $V\nWORKDIR /w\nCOPY a /a\n", FILES, argument("2")), "AA");
    // By way of ENV, of a path, and of a stage that is built on.
    assert_eq!(letters("FROM x\nARG V=1\nENV W=$V\nENV V=x\nRUN 1\n", FILES, argument("2")), "A");
    assert_eq!(letters("FROM x\nARG V=1\nCOPY a /d/$V\nCOPY b /b\n", FILES, argument("2")), "AA");
    assert_eq!(letters("FROM x AS b\nARG V=1\nFROM b\nRUN 1\n", FILES, argument("2")), "A");
    // Before FROM it reaches what names it.
    assert_eq!(letters("ARG V=1\nFROM x\nRUN 1\n", FILES, argument("2")), "C");
    assert_eq!(letters("ARG V=1\nFROM x\nARG V\nRUN 1\n", FILES, argument("2")), "A");
    assert_eq!(letters("ARG V=1\nFROM x:$V\nRUN 1\n", FILES, argument("2")), "A");
    // What only labels and other stages name repeats nothing.
    assert_eq!(letters("FROM x\nRUN 1\nARG V=1\nLABEL v=$V\nCOPY a /a\n", FILES, argument("2")), "CC");
    assert_eq!(
        letters("FROM x AS o\nARG V=1\nRUN 1\nFROM x\nRUN 2\nCOPY --from=o /o /o\n", FILES, argument("2")),
        "AC?"
    );
}

#[test]
fn a_bind_mount_is_looked_at_by_content() {
    let run = |mount: &str| format!("FROM x\nRUN --mount=type=bind,{mount} 1\n");
    assert_eq!(letters(&run("source=a,target=/a"), FILES, touch("a")), "A");
    assert_eq!(letters(&run("source=a,target=/a"), FILES, touch("b")), "C");
    assert_eq!(letters(&run("target=/a"), FILES, touch("b")), "A");
    let stage = "FROM x AS b\nCOPY a /in\nRUN 1\nFROM x\nRUN --mount=from=b,source=/x,target=/x 2\n";
    assert_eq!(letters(stage, FILES, touch("a")), "AA?");
}

#[test]
fn another_base_image_repeats_what_stands_on_it() {
    let file = "FROM x AS b\nRUN 1\nFROM y\nCOPY a /a\nCOPY --from=b /x /x\n";
    let base = |name: &str| Edit::Base { reference: name.to_owned() };
    assert_eq!(letters(file, FILES, base("x")), "AC?");
    assert_eq!(letters(file, FILES, base("y")), "CAA");
}

#[test]
fn an_edit_of_the_first_install_changes_the_dockerfile_that_a_copy_of_everything_takes() {
    let install = |stage: Option<&str>| Edit::FirstInstall {
        install: FirstInstall { manager: "pip".to_owned(), stage: stage.map(str::to_owned) },
    };
    let file = "FROM x\nRUN 1\nRUN pip install y\nRUN pip install z\n";
    assert_eq!(letters(file, FILES, install(None)), "CAA");
    assert_eq!(letters("FROM x\nCOPY . .\nRUN pip install y\n", FILES, install(None)), "AA");
    // The install of the stage that is meant, where another one has come in front of it.
    let file = "FROM x AS models\nRUN pip install y\nFROM x\nRUN pip install z\nCOPY --from=models /m /m\n";
    assert_eq!(letters(file, FILES, install(None)), "CAA");
}

#[test]
fn a_retry_finds_what_the_broken_step_stood_on() {
    let failure = Edit::Failure { install: FirstInstall { manager: "pip".to_owned(), stage: None } };
    let file = "FROM x AS o\nRUN 1\nFROM x\nWORKDIR /w\nCOPY a /a\nRUN pip install y\nRUN 2\nCOPY --from=o /o /o\n";
    assert_eq!(letters(file, FILES, failure.clone()), "?CCAAA");
    // What takes the files of the broken stage finds those of an earlier build, if they are the same.
    let file = "FROM x AS b\nRUN pip install y\nRUN 1\nFROM x\nCOPY --from=b /o /o\nRUN 2\n";
    assert_eq!(letters(file, FILES, failure.clone()), "AA??");
    let file = "FROM x AS o\nRUN 1\nFROM x\nCOPY --from=o /o /o\nRUN pip install y\n";
    assert_eq!(letters(file, FILES, failure), "CCA");
}

#[test]
fn heredocs_and_other_forms_are_steps() {
    assert_eq!(
        letters("FROM x\nCOPY <<E /a\n1\nE\nRUN <<E\n1\nE\nRUN [\"a\"]\nADD http://h/f /f\n", FILES, touch("a")),
        "CCCC"
    );
    assert_eq!(
        letters("FROM x\nWORKDIR /\nWORKDIR w\nWORKDIR /w\nENV A=1\nLABEL b=1\nUSER 1\nCMD x\n", FILES, touch("a")),
        "CC"
    );
    assert!(outcome("FROM x\nONBUILD RUN 1\nRUN 2\n", FILES, Edit::Nothing).unwrap_err().contains("ONBUILD"));
}

#[test]
fn slow_steps_are_told_and_whether_they_find_their_downloads() {
    let told = |run: &str| {
        let outcome = outcome(&format!("FROM python:3.11-slim\nRUN {run}\n"), FILES, Edit::Nothing).unwrap();
        let step = &outcome.steps[0];
        (step.expense.map(super::Expense::name), step.finds_downloads)
    };
    let pip = "--mount=type=cache,target=/root/.cache/pip";
    assert_eq!(told("pip install x"), (Some("install"), false));
    assert_eq!(told(&format!("{pip} pip install x")), (Some("install"), true));
    assert_eq!(told(&format!("{pip} pip install --no-cache-dir x")), (Some("install"), false));
    assert_eq!(
        told(&format!("{pip} apt-get update && apt-get install -y y && pip install x")),
        (Some("install"), false)
    );
    let apt = "apt-get install -o Dir::Cache::archives=/var/cache/apt-archives -y y";
    assert_eq!(told(&format!("--mount=type=cache,target=/var/cache/apt-archives {apt}")), (Some("install"), true));
    let kept = "--mount=type=cache,target=/var/cache/apt rm -f /etc/apt/apt.conf.d/docker-clean; apt-get install -y y";
    assert_eq!(told(kept), (Some("install"), true));
    assert_eq!(told("--mount=type=cache,target=/var/cache/apt apt-get install -y y"), (Some("install"), false));
    assert_eq!(told("curl -o /x http://h/x"), (Some("download"), false));
    assert_eq!(told("make -j4"), (Some("compilation"), false));
    assert_eq!(told("npm run build"), (Some("compilation"), false));
    assert_eq!(told("npm run builder"), (None, false));
    assert_eq!(told("useradd app"), (None, false));
}

#[test]
fn empty_mounts_hold_nothing() {
    let file = "FROM python:3.11-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\n";
    let scenario = Scenario { theme: Theme::Nothing, title: String::new(), edit: Edit::Nothing };
    let outcome = with_subject(file, FILES, |subject| forecast(subject, &scenario, true)).unwrap();
    assert!(!outcome.steps[0].finds_downloads);
}

#[test]
fn the_scenarios_name_the_files_of_the_project() {
    let files: Files<'_> = &[
        ("requirements.txt", "x\n"),
        ("app/__init__.py", ""),
        ("app/main.py", ""),
        ("app/z.py", ""),
        ("README.md", ""),
    ];
    let file = "FROM python:3.11-slim\nARG GIT_COMMIT\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app app\n";
    let titles = with_subject(file, files, |subject| {
        scenarios(subject, None).into_iter().map(|scenario| scenario.title).collect::<Vec<_>>()
    });
    assert_eq!(
        titles,
        [
            "nothing changed",
            "application code (app/main.py)",
            "requirements.txt",
            "the first install (line 4)",
            "base image python:3.11-slim",
            "build argument GIT_COMMIT",
            "the first install breaks, then a retry",
        ]
    );
}
