//! Which steps are slow, and whether they find their downloads in a cache mount.

use super::Expense;
use crate::dockerfile::Keyword;
use crate::facts::managers::{Call, Verb};
use crate::facts::stages::Shell;
use crate::facts::{Facts, Run, caches, defeats};
use crate::shell::{self, Command};

/// Programs that compile or bundle, with the first words that they do it with; none where they always do.
const COMPILERS: &[(&str, &[&str])] = &[
    ("bazel", &["build"]),
    ("bun", &["build", "run build"]),
    ("cabal", &["build", "install"]),
    ("cargo", &["auditable", "b", "build", "chef cook", "install", "leptos", "rustc", "zigbuild"]),
    ("clang", &[]),
    ("cmake", &[]),
    ("configure", &[]),
    ("docker-php-ext-install", &[]),
    ("dotnet", &["build", "publish"]),
    ("esbuild", &[]),
    ("g++", &[]),
    ("gcc", &[]),
    ("go", &["build", "install"]),
    ("gradle", &[]),
    ("gradlew", &[]),
    ("javac", &[]),
    ("make", &[]),
    ("meson", &["compile"]),
    ("mix", &["compile", "release"]),
    ("mvn", &["compile", "install", "package", "verify"]),
    ("mvnw", &["compile", "install", "package", "verify"]),
    ("next", &["build"]),
    ("ng", &["build"]),
    ("ninja", &[]),
    ("npm", &["run build", "run compile"]),
    ("nx", &["build"]),
    ("pecl", &["install"]),
    ("phpize", &[]),
    ("pnpm", &["build", "run build"]),
    ("rustc", &[]),
    ("sbt", &[]),
    ("stack", &["build"]),
    ("swift", &["build"]),
    ("tsc", &[]),
    ("turbo", &["build", "run build"]),
    ("vite", &["build"]),
    ("webpack", &[]),
    ("yarn", &["build", "run build"]),
];

/// Programs that fetch something.
const FETCHERS: &[(&str, &[&str])] = &[
    ("aria2c", &[]),
    ("aws", &["s3 cp", "s3 sync"]),
    ("curl", &[]),
    ("git", &["clone"]),
    ("gsutil", &["cp"]),
    ("hf", &["download"]),
    ("huggingface-cli", &["download"]),
    ("wget", &[]),
];

/// Calls that download a model, in whatever program.
const MODELS: &[&str] =
    &["from_pretrained(", "hf_hub_download(", "load_model(", "nltk.download(", "snapshot_download(", "spacy download "];

/// What makes an instruction slow, if something does.
pub(super) fn of(facts: &Facts<'_>, instruction: usize, run: Option<&Run>) -> Option<Expense> {
    let Some(run) = run else {
        let instruction = &facts.file.instructions[instruction];
        let remote = instruction.keyword == Keyword::Add && instruction.args().contains("://");
        return remote.then_some(Expense::Download);
    };
    let read;
    let commands = match run.script() {
        Ok(script) => &script.commands,
        // It names no package manager, which is all that a RUN is usually read for.
        Err(_) if matches!(run.state.shell, Shell::Posix { .. }) && !run.is_exec() => {
            read = shell::parse(&run.text.text, false).unwrap_or_default();
            &read.commands
        }
        Err(_) => return None,
    };
    let does = |verb: Verb| run.calls().iter().any(|call| call.verb == verb);
    let is_in = |table| commands.iter().any(|command| calls(command, table));
    if is_in(COMPILERS) {
        return Some(Expense::Compilation);
    }
    if does(Verb::Install) {
        return Some(Expense::Install);
    }
    let fetches = does(Verb::Fetch) || is_in(FETCHERS) || MODELS.iter().any(|call| run.text.text.contains(call));
    fetches.then_some(Expense::Download)
}

fn calls(command: &Command, table: &[(&str, &[&str])]) -> bool {
    let Some(name) = command.name() else { return false };
    let Some((_, verbs)) = table.iter().find(|(program, _)| *program == name) else { return false };
    let words = command.arguments().iter().map(|word| word.raw.as_str()).filter(|word| !word.starts_with('-'));
    let said = words.collect::<Vec<_>>().join(" ");
    // `npm run build:css` is one too.
    let begins = |verb: &&&str| said.strip_prefix(**verb).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    // Goals of Maven come in any order.
    let is_word = |verb: &&str| said.split(' ').any(|word| word == *verb);
    verbs.is_empty() || verbs.iter().any(|verb| begins(&verb) || name.starts_with("mvn") && is_word(verb))
}

/// Whether every package manager of a RUN that downloads keeps its downloads in a cache mount, with nothing that empties or
/// circumvents it.
pub(super) fn finds_downloads(facts: &Facts<'_>, run: &Run) -> bool {
    let mut loading = run.calls().iter().filter(|call| matches!(call.verb, Verb::Install | Verb::Fetch)).peekable();
    loading.peek().is_some() && loading.all(|call| is_covered(facts, run, call))
}

fn is_covered(facts: &Facts<'_>, run: &Run, call: &Call) -> bool {
    let manager = call.manager;
    if manager.id == "apt" {
        return is_covered_apt(facts, run, call);
    }
    let calls: Vec<Call> = run.calls().iter().filter(|other| other.manager.id == manager.id).cloned().collect();
    let Ok(mounted) = caches::mounted(run, manager, &calls) else { return false };
    let covered: Vec<_> = mounted.iter().filter(|cache| caches::is_mounted(run, cache)).cloned().collect();
    // Of apk and dnf one of several usual places.
    let is_enough =
        if matches!(manager.id, "apk" | "dnf") { !covered.is_empty() } else { covered.len() == mounted.len() };
    !covered.is_empty() && is_enough && defeats::defeats(run, manager, &covered).is_ok_and(|found| found.is_empty())
}

/// Whether a mount holds the directory that apt keeps its archives in: one that the command names, or its own in an image that doesn't
/// empty it after each install.
fn is_covered_apt(facts: &Facts<'_>, run: &Run, call: &Call) -> bool {
    const NAMED: &str = "Dir::Cache::archives=";
    let is_mounted = |path: &str| run.mounts.iter().any(|mount| mount.is_cache() && mount.covers(path));
    let mut words = run.commands()[call.command].words.iter().map(|word| word.raw.as_str());
    if let Some(path) = words.find_map(|word| word.split_once(NAMED)).map(|(_, path)| path) {
        return is_mounted(path.trim_end_matches('/'));
    }
    let stages = facts.ancestors(run.stage);
    let mut so_far =
        facts.runs.iter().filter(|other| stages.contains(&other.stage) && other.instruction <= run.instruction);
    let is_kept = so_far.any(|other| other.text.text.contains("docker-clean"));
    let is_emptied = run.calls().iter().any(|other| other.manager.id == "apt" && other.verb == Verb::Clean);
    is_mounted("/var/cache/apt/archives") && is_kept && !is_emptied
}
