//! Promises over whole trees of files: those under tests/corpus, or those that CORPUS names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ignore::overrides::Override;
use restow::discover::discover;
use restow::dockerfile::{self, Keyword};
use restow::transform::Kind;

/// Transforms that move whole instructions.
const MOVING: [&str; 3] = ["copy-manifests-first", "split-installs", "sink-build-args"];

fn corpus() -> PathBuf {
    let own = format!("{}/tests/corpus", env!("CARGO_MANIFEST_DIR"));
    PathBuf::from(std::env::var("CORPUS").unwrap_or(own))
}

/// Every Dockerfile of the corpus with its text, by path relative to the corpus.
fn dockerfiles() -> BTreeMap<PathBuf, String> {
    let root = corpus();
    let found = discover(std::slice::from_ref(&root), &Override::empty(), &|_| false);
    let files = found.files.into_iter().filter(|found| found.kind == Kind::Dockerfile);
    let texts = files.filter_map(|found| {
        let text = std::fs::read_to_string(&found.shown).ok()?;
        Some((found.shown.strip_prefix(&root).unwrap().to_owned(), text))
    });
    let files: BTreeMap<PathBuf, String> = texts.collect();
    assert!(files.len() >= 10, "{} holds {} Dockerfiles", root.display(), files.len());
    files
}

/// A copy of every file that the discovery looks at, so that nothing in the corpus itself is touched.
fn copy() -> tempfile::TempDir {
    let root = corpus();
    let copy = tempfile::tempdir().unwrap();
    let found = discover(std::slice::from_ref(&root), &Override::empty(), &|_| false);
    for file in found.files {
        let target = copy.path().join(file.shown.strip_prefix(&root).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, std::fs::read(&file.shown).unwrap()).unwrap();
    }
    copy
}

fn restow(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_restow")).args(arguments).current_dir(folder).output().unwrap()
}

fn git(arguments: &[&str], folder: &Path) {
    let run = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(run.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

fn texts(folder: &Path, names: &BTreeMap<PathBuf, String>) -> BTreeMap<PathBuf, Vec<u8>> {
    names.keys().map(|name| (name.clone(), std::fs::read(folder.join(name)).unwrap())).collect()
}

#[test]
fn apply_has_no_fault_and_converges_and_git_applies_the_same_patch() {
    let names = dockerfiles();
    let applied = copy();
    // A repository of its own, so that both copies are read in the same way.
    git(&["init", "-q"], applied.path());
    let run = restow(&["apply", "--review", "."], applied.path());
    let err = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!err.contains("fault of restow"), "{err}");
    let again = restow(&["check", "--review", "."], applied.path());
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stdout));

    let patched = copy();
    git(&["init", "-q"], patched.path());
    let before = texts(patched.path(), &names);
    let patch = restow(&["diff", "--review", "--format", "patch", "."], patched.path()).stdout;
    let file = patched.path().join(".git/restow.patch");
    std::fs::write(&file, &patch).unwrap();
    let file = file.to_str().unwrap();
    git(&["apply", "--whitespace=nowarn", file], patched.path());
    let (left, right) = (texts(applied.path(), &names), texts(patched.path(), &names));
    let changed = left.iter().filter(|(name, text)| before[*name] != **text).count();
    assert!(changed > 0, "nothing was changed");
    for (name, text) in &left {
        assert!(*text == right[name], "{}: git apply gives another text than apply", name.display());
    }
    git(&["apply", "-R", "--whitespace=nowarn", file], patched.path());
    assert!(texts(patched.path(), &names) == before, "git apply -R doesn't take the changes back");
}

#[test]
fn instructions_that_other_readers_find_are_found() {
    let (mut second, mut third, mut differing) = (0, 0, Vec::new());
    let files = dockerfiles();
    for (name, text) in &files {
        let Ok(file) = dockerfile::read(text) else { continue };
        let ours: Vec<Keyword> = file.instructions.iter().map(|ins| ins.keyword).collect();
        // parse-dockerfile miscounts behind a byte order mark, and reads heredocs only right behind the flags.
        if let Ok(parsed) = parse_dockerfile::parse(text.trim_start_matches('\u{feff}')) {
            let theirs: Vec<Keyword> = parsed.instructions.iter().map(second_keyword).collect();
            second += 1;
            if theirs != ours {
                differing.push(format!("{}: parse-dockerfile", name.display()));
            }
        }
        if let Ok(parsed) = dockerfile_parser::Dockerfile::parse(text) {
            third += 1;
            if parsed.instructions.len() != ours.len() {
                differing.push(format!("{}: dockerfile-parser", name.display()));
            }
        }
    }
    // They read nine of ten real files and more; what they read otherwise is known to be theirs to mend.
    assert!(second * 10 >= files.len() * 8 && third * 10 >= files.len() * 5, "{second} and {third} of {}", files.len());
    assert!(differing.len() * 200 <= files.len() + 200, "{differing:#?}");
}

fn second_keyword(instruction: &parse_dockerfile::Instruction<'_>) -> Keyword {
    use parse_dockerfile::Instruction as Theirs;
    match instruction {
        Theirs::Add(_) => Keyword::Add,
        Theirs::Arg(_) => Keyword::Arg,
        Theirs::Cmd(_) => Keyword::Cmd,
        Theirs::Copy(_) => Keyword::Copy,
        Theirs::Entrypoint(_) => Keyword::Entrypoint,
        Theirs::Env(_) => Keyword::Env,
        Theirs::Expose(_) => Keyword::Expose,
        Theirs::From(_) => Keyword::From,
        Theirs::Healthcheck(_) => Keyword::Healthcheck,
        Theirs::Label(_) => Keyword::Label,
        Theirs::Maintainer(_) => Keyword::Maintainer,
        Theirs::Onbuild(_) => Keyword::Onbuild,
        Theirs::Run(_) => Keyword::Run,
        Theirs::Shell(_) => Keyword::Shell,
        Theirs::Stopsignal(_) => Keyword::Stopsignal,
        Theirs::User(_) => Keyword::User,
        Theirs::Volume(_) => Keyword::Volume,
        Theirs::Workdir(_) => Keyword::Workdir,
        _ => Keyword::Unknown,
    }
}

#[test]
fn every_span_is_the_text_that_it_stands_for() {
    for (name, text) in dockerfiles() {
        let Ok(file) = dockerfile::read(&text) else { continue };
        let mut end = 0;
        for ins in &file.instructions {
            assert!(ins.span.start >= end, "{}: instructions overlap", name.display());
            end = ins.span.end;
            let keyword = ins.keyword_span.of(&text);
            assert_eq!(Keyword::parse(keyword), ins.keyword, "{}", name.display());
            for flag in &ins.flags {
                assert!(flag.span.of(&text).starts_with("--"), "{}: {flag:?}", name.display());
            }
            for at in 0..ins.line.text.len() {
                let (ours, theirs) = (ins.line.text.as_bytes()[at], text.as_bytes()[ins.line.offset(at)]);
                assert_eq!(ours, theirs, "{}: byte {at} of the joined line", name.display());
            }
        }
    }
}

#[test]
fn lines_outside_the_hunks_are_byte_for_byte_the_same() {
    let names = dockerfiles();
    let folder = copy();
    let json = restow(&["diff", "--review", "--format", "json", "."], folder.path()).stdout;
    let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let mut edits = 0;
    for file in report["files"].as_array().unwrap() {
        let Some(before) = names.get(Path::new(file["path"].as_str().unwrap())) else { continue };
        for edit in file["edits"].as_array().unwrap() {
            edits += 1;
            let (start, end) = (edit["start"].as_u64().unwrap() as usize, edit["end"].as_u64().unwrap() as usize);
            // Every edit replaces lines of instructions that a change is about, or of the stage in which they move, and nothing else.
            let first = before[..start].matches('\n').count() + 1;
            let last = before[..end].matches('\n').count().max(first);
            let parsed = dockerfile::read(before).unwrap();
            let concerned = file["changes"].as_array().unwrap().iter().any(|change| {
                let line = change["line"].as_u64().unwrap() as usize;
                // What moves comes to stand elsewhere in its stage.
                if MOVING.contains(&change["transform"].as_str().unwrap()) {
                    let froms = parsed.instructions.iter().filter(|ins| ins.keyword == Keyword::From);
                    let starts: Vec<usize> = froms.map(|ins| ins.start_line).collect();
                    let of = |line: usize| starts.iter().filter(|start| **start <= line).count();
                    return of(first) == of(line) && of(last.saturating_sub(1).max(first)) == of(line);
                }
                let instruction = parsed.instructions.iter().find(|ins| ins.start_line == line);
                instruction.is_some_and(|ins| ins.start_line <= last && first <= ins.end_line + 1)
            });
            assert!(concerned, "{}: lines {first} to {last} are nobody's", file["path"]);
        }
    }
    assert!(edits > 0);
}
