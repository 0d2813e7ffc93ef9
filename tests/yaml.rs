//! The nasty compose files and workflows of tests/yaml against expected.tsv, which says for each service and step what a careful maintainer
//! wants. tests/yaml_data.py judges the same files with PyYAML.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use restow::engine::{self, Outcome, Parsed};
use restow::examples;
use restow::text::LineIndex;
use restow::transform::{Example, Kind, Level, Transform};
use restow::transforms::add_cache_from::AddCacheFrom;
use restow::transforms::add_ci_cache::AddCiCache;

const TRANSFORMS: &[&dyn Transform] = &[&AddCacheFrom, &AddCiCache];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yaml")
}

/// For each fixture its services or steps, each with what is expected.
fn expected() -> BTreeMap<String, Vec<(String, String)>> {
    let text = std::fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let mut rows: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut cells = line.split('\t').map(str::to_owned);
        let (Some(file), Some(name), Some(want)) = (cells.next(), cells.next(), cells.next()) else { continue };
        rows.entry(file).or_default().push((name, want));
    }
    assert!(rows.len() > 150, "{} fixtures", rows.len());
    rows
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// The fixture as an example: a file of a project of its own, or one of the files of tests/yaml/projects/NAME.
fn example(file: &str) -> Example {
    let read = |path: &Path| leaked(std::fs::read_to_string(path).unwrap());
    let (path, files) = match file.strip_prefix("projects/").and_then(|rest| rest.split_once('/')) {
        Some((project, own)) => {
            let root = folder().join("projects").join(project);
            let mut files = Vec::new();
            let mut open = vec![root.clone()];
            while let Some(at) = open.pop() {
                for entry in std::fs::read_dir(at).unwrap().flatten() {
                    if entry.path().is_dir() {
                        open.push(entry.path());
                        continue;
                    }
                    let name = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                    if name != own {
                        files.push((leaked(name), read(&entry.path())));
                    }
                }
            }
            files.sort_unstable();
            (own.to_owned(), files)
        }
        None if file.starts_with("workflows/") => (".github/workflows/w.yml".to_owned(), Vec::new()),
        None => ("compose.yml".to_owned(), Vec::new()),
    };
    Example {
        name: leaked(file.to_owned()),
        path: leaked(path),
        before: read(&folder().join(file)),
        files: Vec::leak(files),
        config: "",
    }
}

/// What became of a service or step: `changed`, `refused`, or `untouched` where nothing was said of it.
fn found(example: &Example, outcome: &Outcome, name: &str) -> &'static str {
    if example.path.starts_with(".github") {
        let Ok(Parsed::Workflow(_, workflow)) = engine::read(Kind::Workflow, example.before) else { return "refused" };
        let Some((job, index)) = name.rsplit_once('.') else { return "untouched" };
        // An action has steps without a job.
        let Some(job) = workflow.jobs.iter().find(|known| known.id == job) else { return "untouched" };
        let step = &job.steps[index.parse::<usize>().unwrap()];
        let line = LineIndex::new(example.before).line(step.offset);
        let in_group = |line: usize| {
            // One change may hold several steps of a job, and stands at the first of them.
            outcome.changes.iter().any(|change| change.line == line)
        };
        let with_the_job = job.steps.iter().any(|other| in_group(LineIndex::new(example.before).line(other.offset)));
        return if in_group(line) {
            "changed"
        } else if outcome
            .skips
            .iter()
            .any(|skip| skip.line == line && !skip.reason.contains("has cache inputs already"))
        {
            "refused"
        } else if outcome.skips.iter().any(|skip| skip.line == line) {
            if with_the_job { "changed" } else { "refused" }
        } else {
            "untouched"
        };
    }
    if outcome.changes.iter().any(|change| change.title.ends_with(&format!("({name})"))) {
        "changed"
    } else if outcome.skips.iter().any(|skip| skip.reason.starts_with(&format!("`{name}`:"))) {
        "refused"
    } else {
        "untouched"
    }
}

#[test]
fn every_service_and_step_of_the_fixtures_is_changed_or_refused_as_expected() {
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::new());
    for (file, rows) in expected() {
        let example = example(&file);
        if restow::discover::kind_of(Path::new(example.path)).is_none() {
            continue;
        }
        let outcome = examples::run(TRANSFORMS, &example, Level::Review);
        if let Ok(outcome) = &outcome {
            assert!(outcome.faults.is_empty(), "{file}: {:?}", outcome.faults);
        }
        for (name, want) in rows {
            let got = outcome.as_ref().map_or("refused", |outcome| found(&example, outcome, &name));
            *counts.entry(got).or_insert(0) += 1;
            let fits = want == "either" || got == want || want == "untouched" && got == "refused";
            if !fits {
                wrong.push(format!("{file}: {name} is {got}, not {want}"));
            }
        }
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(counts["changed"] > 100 && counts["refused"] > 80, "{counts:?}");
}

#[test]
fn a_second_run_over_the_fixtures_changes_nothing() {
    for file in expected().keys() {
        let example = example(file);
        if restow::discover::kind_of(Path::new(example.path)).is_none() {
            continue;
        }
        let Ok(first) = examples::run(TRANSFORMS, &example, Level::Review) else { continue };
        let again = Example { before: leaked(first.after.clone()), ..example };
        let second = examples::run(TRANSFORMS, &again, Level::Review).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(first.after, second.after, "{file}");
    }
}
