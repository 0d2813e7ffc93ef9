//! Any text: no panic, no fault, and the second run changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use restow::context::Context;
use restow::engine::{self, Input};
use restow::project::Project;
use restow::transform::Level;
use restow::transforms;

fuzz_target!(|text: &str| {
    let Ok(file) = engine::read_dockerfile(text) else { return };
    let (project, context) = (Project::default(), Context::nothing());
    let input = Input { path: "Dockerfile", text, file: &file, context: &context, project: &project };
    let first = engine::rewrite(&input, transforms::ALL, Level::Review);
    assert!(first.faults.is_empty(), "{:?}", first.faults);
    let file = engine::read_dockerfile(&first.after).expect("a rewritten file can be read");
    let input = Input { text: &first.after, file: &file, ..input };
    assert_eq!(engine::rewrite(&input, transforms::ALL, Level::Review).after, first.after);
});
