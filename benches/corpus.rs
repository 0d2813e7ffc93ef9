//! How fast a tree of files is read and rewritten, next to reading its bytes alone: `CORPUS=FOLDER cargo bench`.

use std::path::PathBuf;

use ignore::overrides::Override;
use restow::context::Context;
use restow::discover::discover;
use restow::dockerfile;
use restow::engine::{self, Input};
use restow::project::Project;
use restow::transform::{Kind, Level};
use restow::transforms;

fn main() {
    divan::main();
}

fn texts() -> Vec<String> {
    let own = format!("{}/tests/corpus", env!("CARGO_MANIFEST_DIR"));
    let root = PathBuf::from(std::env::var("CORPUS").unwrap_or(own));
    let found = discover(&[root], &Override::empty(), &|_| false);
    let files = found.files.into_iter().filter(|found| found.kind == Kind::Dockerfile);
    files.filter_map(|found| std::fs::read_to_string(found.shown).ok()).collect()
}

/// The limit to compare with: a look at every byte.
#[divan::bench]
fn count_lines(bencher: divan::Bencher<'_, '_>) {
    let texts = texts();
    bencher.bench(|| texts.iter().map(|text| text.bytes().filter(|byte| *byte == b'\n').count()).sum::<usize>());
}

#[divan::bench]
fn read(bencher: divan::Bencher<'_, '_>) {
    let texts = texts();
    bencher.bench(|| texts.iter().filter(|text| dockerfile::read(text).is_ok()).count());
}

/// parse-dockerfile on the same texts, for comparison; it gives fewer spans and reads fewer files.
#[divan::bench]
fn read_by_parse_dockerfile(bencher: divan::Bencher<'_, '_>) {
    let texts = texts();
    bencher.bench(|| texts.iter().filter(|text| parse_dockerfile::parse(text).is_ok()).count());
}

#[divan::bench]
fn rewrite(bencher: divan::Bencher<'_, '_>) {
    let texts = texts();
    let project = Project::default();
    let context = Context::nothing();
    bencher.bench(|| {
        let outcomes = texts.iter().filter_map(|text| {
            let file = engine::read(Kind::Dockerfile, text).ok()?;
            let input = Input { path: "Dockerfile", text, file: &file, context: &context, project: &project };
            Some(engine::rewrite(&input, transforms::ALL, Level::Review).changes.len())
        });
        outcomes.sum::<usize>()
    });
}
