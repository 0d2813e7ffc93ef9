//! Every example of every transform: its snapshot, and the promises that hold for all of them.
//!
//! A snapshot holds the diff, then title, reason and level of each change, and each reason to leave a place alone. Read it
//! before you accept it.

use restow::engine::{Outcome, check};
use restow::examples;
use restow::facts::managers::MANAGERS;
use restow::transform::{Example, Level, Transform};
use restow::transforms::{self, ALL};

fn every(mut test: impl FnMut(&'static dyn Transform, &'static Example)) {
    for transform in ALL {
        for example in transform.meta().examples {
            test(*transform, example);
        }
    }
}

fn run(transforms: &[&dyn Transform], example: &Example, level: Level) -> Outcome {
    match examples::run(transforms, example, level) {
        Ok(outcome) => outcome,
        Err(refusal) => panic!("{}: {refusal}", example.name),
    }
}

fn again(example: &Example, text: &str) -> Example {
    // Examples are static because transforms are; a text made by a test lives as long as the test process.
    Example {
        path: example.path,
        name: example.name,
        before: Box::leak(text.to_owned().into_boxed_str()),
        files: example.files,
        config: example.config,
    }
}

#[test]
fn examples_do_what_their_snapshots_say() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    every(|transform, example| {
        let id = transform.meta().id;
        settings.set_snapshot_path(format!("{}/snapshots/{id}", env!("CARGO_MANIFEST_DIR")));
        settings.bind(|| insta::assert_snapshot!(example.name, restow::cli::explain::run_example(transform, example)));
    });
}

#[test]
fn every_snapshot_belongs_to_an_example() {
    let mut known = Vec::new();
    every(|transform, example| known.push(format!("{}/{}.snap", transform.meta().id, example.name)));
    let root = format!("{}/snapshots", env!("CARGO_MANIFEST_DIR"));
    for folder in std::fs::read_dir(&root).unwrap().flatten() {
        for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
            let name = format!("{}/{}", folder.file_name().to_string_lossy(), file.file_name().to_string_lossy());
            assert!(known.contains(&name), "snapshots/{name} belongs to no example");
        }
    }
}

#[test]
fn examples_named_left_alone_are_left_alone_with_a_reason_and_the_others_change() {
    every(|transform, example| {
        let outcome = run(&[transform], example, Level::Review);
        if example.name.starts_with("left-alone") {
            assert!(outcome.changes.is_empty(), "{}: changed\n{}", example.name, outcome.after);
        } else {
            let makes_files = outcome.changes.iter().any(|change| change.edits.is_empty() && !change.beside.is_empty());
            assert!(outcome.is_changed() || makes_files, "{}: {:?}", example.name, outcome.skips);
        }
    });
}

#[test]
fn running_again_changes_nothing() {
    for level in [Level::Safe, Level::Review] {
        every(|_, example| {
            let first = run(ALL, example, level);
            let second = run(ALL, &again(example, &first.after), level);
            assert_eq!(first.after, second.after, "{}", example.name);
        });
    }
}

#[test]
fn no_change_does_anything_that_it_did_not_declare() {
    every(|_, example| {
        let outcome = run(ALL, example, Level::Review);
        assert!(outcome.faults.is_empty(), "{}: {:?}", example.name, outcome.faults);
    });
}

#[test]
fn an_undeclared_edit_is_noticed_in_every_changed_example() {
    every(|_, example| {
        let outcome = run(ALL, example, Level::Review);
        if outcome.is_changed() {
            assert!(check(&outcome.before, &outcome.after, &[]).is_err(), "{}", example.name);
        }
    });
}

#[test]
fn safe_changes_do_not_depend_on_what_else_is_allowed() {
    every(|_, example| {
        let safe = run(ALL, example, Level::Safe);
        let all = run(ALL, example, Level::Review);
        let titles = |outcome: &Outcome| -> Vec<(usize, String)> {
            let safe = outcome.changes.iter().filter(|change| change.level == Level::Safe);
            safe.map(|change| (change.line, change.title.clone())).collect()
        };
        let (alone, among) = (titles(&safe), titles(&all));
        assert!(alone.iter().all(|title| among.contains(title)), "{}: {alone:?} {among:?}", example.name);
    });
}

#[test]
fn lines_outside_the_hunks_stay_byte_for_byte() {
    every(|_, example| {
        let outcome = run(ALL, example, Level::Review);
        let mut after = outcome.after.split_inclusive('\n');
        // Every old line that the diff does not remove stands in the new text, in order.
        let diff = restow::report::hunks(&outcome.before, &outcome.after);
        let mut removed = Vec::new();
        let mut number = 0;
        for line in diff.lines() {
            match line.as_bytes().first() {
                Some(b'@') => number = line[4..].split([',', ' ']).next().unwrap().parse().unwrap(),
                Some(b'+' | b'\\') => {}
                first => {
                    removed.extend((first == Some(&b'-')).then_some(number));
                    number += 1;
                }
            }
        }
        for (index, line) in outcome.before.split_inclusive('\n').enumerate() {
            if !removed.contains(&(index + 1)) {
                assert!(after.any(|other| other == line), "{}: {line:?} is gone", example.name);
            }
        }
    });
}

#[test]
fn reasons_are_one_sentence_and_titles_are_imperative() {
    every(|_, example| {
        let outcome = run(ALL, example, Level::Review);
        for change in &outcome.changes {
            assert!(
                change.title.starts_with(|ch: char| ch.is_uppercase()) && !change.title.ends_with('.'),
                "{}",
                change.title
            );
            assert!(
                !change.reason.contains(". ") && !change.reason.ends_with('.') && !change.reason.contains('\n'),
                "{}",
                change.reason
            );
            assert!(change.reason.starts_with(|ch: char| ch.is_lowercase()), "{}", change.reason);
        }
        for skip in &outcome.skips {
            assert!(!skip.reason.is_empty() && !skip.reason.contains('\n'), "{}: {}", example.name, skip.reason);
        }
    });
}

#[test]
fn ids_of_changes_are_stable_and_unique() {
    every(|_, example| {
        let ids = |outcome: Outcome| -> Vec<String> { outcome.changes.into_iter().map(|change| change.id).collect() };
        let (first, second) = (ids(run(ALL, example, Level::Review)), ids(run(ALL, example, Level::Review)));
        assert_eq!(first, second);
        let mut unique = first.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), first.len(), "{}", example.name);
    });
}

#[test]
fn every_package_manager_has_an_example_that_mounts_its_cache() {
    let mut titles = Vec::new();
    every(|_, example| titles.extend(run(ALL, example, Level::Review).changes.into_iter().map(|change| change.title)));
    for manager in MANAGERS {
        let start = format!("Mount the {} ", manager.id);
        assert!(titles.iter().any(|title| title.starts_with(&start)), "no example mounts the {} cache", manager.id);
    }
}

#[test]
fn every_cache_directory_stands_in_the_page_on_the_same_image() {
    let page = std::fs::read_to_string(format!("{}/docs/same-image.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for manager in MANAGERS.iter().filter(|manager| manager.id != "apt") {
        for directory in manager.directories {
            let moved = directory.env.iter().map(|(name, suffix)| format!("`${name}{suffix}`"));
            let places = [directory.root, directory.user].into_iter().filter(|place| !place.is_empty());
            for place in moved.chain(places.map(|place| format!("`{place}`"))) {
                assert!(page.contains(&place), "docs/same-image.md doesn't name {place} of {}", manager.id);
            }
        }
    }
}

#[test]
fn the_documentation_is_up_to_date() {
    let root = env!("CARGO_MANIFEST_DIR");
    for (path, expected) in
        [("docs/transforms.md", restow::cli::explain::page()), ("docs/config.md", restow::config::documentation())]
    {
        let path = format!("{root}/{path}");
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            // Written so that the difference can be read and committed; the test fails all the same.
            std::fs::write(&path, &expected).unwrap();
            panic!("{path} was out of date and has been written anew; read and commit it");
        }
    }
}

#[test]
fn every_transform_has_both_kinds_of_examples() {
    assert_eq!(transforms::ids().len(), ALL.len());
    for transform in ALL {
        let meta = transform.meta();
        let left_alone = meta.examples.iter().filter(|example| example.name.starts_with("left-alone")).count();
        assert!(left_alone > 0 && left_alone < meta.examples.len(), "{}", meta.id);
        assert!(!meta.summary().is_empty() && meta.documentation().contains("# Safety"), "{}", meta.id);
    }
}
