//! The contract of the command line: forecast.

use super::support::{Folder, assert_holds};

const DOCKERFILE: &str = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nRUN pip install --no-cache-dir -r requirements.txt\nCMD [\"python\", \"app.py\"]\n";
const FILES: [(&str, &str); 4] = [
    ("api/Dockerfile", DOCKERFILE),
    ("api/requirements.txt", "flask==3.0.0\n"),
    ("api/app.py", "import flask\n"),
    ("api/.dockerignore", "Dockerfile\n"),
];

fn json(folder: &Folder, options: &[&str]) -> serde_json::Value {
    let ran = folder.restow(&[&["forecast", "--format", "json", "."], options].concat()).expect(0);
    serde_json::from_str(&ran.out).unwrap()
}

fn scenario<'j>(report: &'j serde_json::Value, name: &str) -> &'j serde_json::Value {
    let scenarios = report["images"][0]["scenarios"].as_array().unwrap();
    scenarios.iter().find(|scenario| scenario["scenario"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[test]
fn the_table_has_a_row_per_scenario_before_and_after_the_pending_changes() {
    let folder = Folder::new(&FILES);
    let ran = folder.restow(&["forecast", "."]).expect(0);
    let code = ran.out.lines().find(|line| line.contains("application code (app.py)")).unwrap();
    let cells: Vec<&str> = code.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells, ["application code (app.py)", "1 of 3", "3 of 4", "1 install", "-"]);
    assert_holds(&ran.out, &["api/Dockerfile (context api)", "base image python:3.11-slim"]);
    assert_holds(&ran.err, &["1 image, 0 not forecast"]);
    assert_eq!(std::fs::read_to_string(folder.path("api/Dockerfile")).unwrap(), DOCKERFILE);
}

#[test]
fn json_names_each_step_that_runs_again_and_what_makes_it_slow() {
    let folder = Folder::new(&FILES);
    let report = json(&folder, &[]);
    assert_eq!((&report["version"], &report["images"][0]["steps"]["after"]), (&1.into(), &4.into()));
    let code = scenario(&report, "code");
    assert_eq!(code["edit"]["touch"]["path"], "app.py");
    assert_eq!((&code["before"]["cached"], &code["after"]["cached"]), (&[1, 1].into(), &[3, 3].into()));
    let install = &code["before"]["again"][1];
    assert_eq!(
        (&install["line"], &install["status"], &install["expense"]),
        (&4.into(), &"again".into(), &"install".into())
    );
    assert_eq!(install["finds_downloads"], false);
    let manifest = scenario(&report, "manifest");
    assert_eq!(manifest["after"]["again"][1]["finds_downloads"], true);
}

#[test]
fn empty_mounts_find_nothing_and_now_leaves_the_changes_out() {
    let folder = Folder::new(&FILES);
    let report = json(&folder, &["--empty-mounts"]);
    assert_eq!(scenario(&report, "manifest")["after"]["again"][1]["finds_downloads"], false);
    let report = json(&folder, &["--now"]);
    assert!(scenario(&report, "code")["after"].is_null());
    let report = json(&folder, &["--scenario", "code,base"]);
    assert_eq!(report["images"][0]["scenarios"].as_array().unwrap().len(), 2);
}

#[test]
fn verbose_lists_the_steps() {
    let folder = Folder::new(&FILES);
    let ran = folder.restow(&["forecast", "-v", "--scenario", "code", "."]).expect(0);
    assert_holds(&ran.out, &["before again       4  RUN pip install --no-cache-dir -r requirements.txt (install)"]);
}

#[test]
fn services_are_told_apart_by_target_and_arguments() {
    let compose = "services:\n  web:\n    build:\n      context: api\n      target: base\n  job:\n    build: api\n";
    let dockerfile =
        format!("FROM python:3.11-slim AS base\nRUN echo\n{}", DOCKERFILE.replace("python:3.11-slim", "base"));
    let mut files = FILES.to_vec();
    files[0].1 = &dockerfile;
    files.push(("compose.yml", compose));
    let report = json(&Folder::new(&files), &["--now"]);
    let steps = |at: usize| (&report["images"][at]["service"], &report["images"][at]["steps"]["before"]);
    assert_eq!((steps(0), steps(1)), ((&"web".into(), &1.into()), (&"job".into(), &4.into())));
}

#[test]
fn what_is_not_forecast_is_told() {
    let folder = Folder::new(&[("Dockerfile", "FROM x\nONBUILD RUN y\nRUN z\n")]);
    let ran = folder.restow(&["forecast", "."]).expect(0);
    assert_holds(&ran.err, &["note: Dockerfile: not forecast: line 2 is ONBUILD", "0 images, 1 not forecast"]);
    let report = json(&folder, &[]);
    assert_eq!(report["refused"][0]["dockerfile"], "Dockerfile");
}

#[test]
fn a_dockerfile_that_stands_in_a_compose_file_is_forecast_too() {
    let compose = "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM python:3.11-slim\n        COPY a /a\n        RUN pip install --no-cache-dir x\n";
    let folder = Folder::new(&[("compose.yml", compose), ("a", "1\n")]);
    let report = json(&folder, &[]);
    assert_eq!((&report["images"][0]["service"], &report["images"][0]["steps"]["before"]), (&"web".into(), &2.into()));
    let install = scenario(&report, "install");
    assert_eq!(install["before"]["again"][0]["finds_downloads"], false);
    assert_eq!(install["after"]["again"][0]["finds_downloads"], true);
}

#[test]
fn misuse_is_told() {
    let folder = Folder::new(&FILES);
    assert_holds(&folder.restow(&["forecast", "--format", "patch"]).expect(2).err, &["forecast prints no patches"]);
    assert_holds(&folder.restow(&["forecast", "-"]).expect(2).err, &["reads no Dockerfile from standard input"]);
    assert_holds(
        &folder.restow(&["forecast", "--scenario", "x"]).expect(2).err,
        &["there are nothing, code, manifest"],
    );
    folder.restow(&["forecast", "missing"]).expect(2);
}
