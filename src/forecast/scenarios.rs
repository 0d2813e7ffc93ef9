//! What may change between two builds.

use super::first_install::{FirstInstall, first_install};
use super::{Outcome, Subject, definitions, forecast};
use crate::context::{BuildContext, Entry, join};
use crate::dockerfile::Keyword;
use crate::facts::build_args::is_per_commit;
use crate::facts::managers::Verb;
use crate::facts::sources::{Sources, is_code};
use crate::facts::{Base, manifests};

/// Something that changes between two builds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Scenario {
    pub theme: Theme,
    /// In words, with the file that it is about.
    pub title: String,
    pub edit: Edit,
}

impl Scenario {
    /// What changes, as the start of a sentence.
    pub fn cause(&self) -> String {
        match &self.edit {
            Edit::Nothing => "no change".to_owned(),
            Edit::Touch { path } if path == "./" => "a change of a copied file".to_owned(),
            Edit::Touch { path } if path.ends_with('/') => format!("a change in {path}"),
            Edit::Touch { path } => format!("a change of {path}"),
            Edit::FirstInstall { .. } => "a change of the first install".to_owned(),
            Edit::Base { reference } => format!("a new {reference}"),
            Edit::Argument { name, .. } => format!("a new {name}"),
            Edit::Failure { .. } => "a first install that breaks".to_owned(),
        }
    }
}

/// What a scenario is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    Nothing,
    Code,
    Manifest,
    Install,
    Base,
    BuildArgument,
    Failure,
}

impl Theme {
    pub const ALL: [Theme; 7] = [
        Theme::Nothing,
        Theme::Code,
        Theme::Manifest,
        Theme::Install,
        Theme::Base,
        Theme::BuildArgument,
        Theme::Failure,
    ];

    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Nothing => "nothing",
            Theme::Code => "code",
            Theme::Manifest => "manifest",
            Theme::Install => "install",
            Theme::Base => "base",
            Theme::BuildArgument => "build-argument",
            Theme::Failure => "failure",
        }
    }
}

/// What is done between two builds, to both versions of the Dockerfile alike.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    Nothing,
    /// A line break at the end of a file.
    Touch {
        /// In the context; with a slash at the end some file of a folder of which the repository has none.
        path: String,
    },
    /// A command that does nothing in front of the first install: see [`FirstInstall::edit`].
    FirstInstall {
        install: FirstInstall,
    },
    /// A base image with one file more.
    Base {
        reference: String,
    },
    /// Another value of a build argument.
    Argument {
        name: String,
        value: String,
    },
    /// The first install breaks half-way in the first build, and the build is started again.
    Failure {
        install: FirstInstall,
    },
}

/// More manifests than these are told apart by nobody.
const MOST_MANIFESTS: usize = 8;

/// The scenarios of an image. Manifests of which the builder makes the same, before and after, are one.
pub fn scenarios(before: &Subject<'_>, after: Option<&Subject<'_>>) -> Vec<Scenario> {
    let scenario = |theme, title: String, edit| Scenario { theme, title, edit };
    let mut found = vec![scenario(Theme::Nothing, "nothing changed".to_owned(), Edit::Nothing)];
    let manifests = manifests(before);
    if let Some(path) = code(before, &manifests) {
        found.push(scenario(Theme::Code, format!("application code ({path})"), Edit::Touch { path }));
    }
    let mut seen: Vec<(Vec<Option<Outcome>>, usize)> = Vec::new();
    for path in manifests {
        let touched = scenario(Theme::Manifest, path.clone(), Edit::Touch { path });
        let sides = [Some(before), after].into_iter().flatten();
        let outcomes: Vec<_> = sides.map(|side| forecast(side, &touched, false).ok()).collect();
        match seen.iter().find(|(known, _)| *known == outcomes) {
            Some((_, at)) => append(&mut found[*at].title, &touched.title),
            None if seen.len() < MOST_MANIFESTS => {
                seen.push((outcomes, found.len()));
                found.push(touched);
            }
            None => {}
        }
    }
    let install = FirstInstall::of(before);
    if let Some((install, run)) = install.clone().zip(first_install(before, None)) {
        let line = before.facts.line(run.instruction);
        let title = format!("the first install (line {line})");
        found.push(scenario(Theme::Install, title, Edit::FirstInstall { install }));
    }
    for reference in bases(before) {
        found.push(scenario(Theme::Base, format!("base image {}", shortened(&reference)), Edit::Base { reference }));
    }
    for name in per_commit(before) {
        let value = "restow-verify-another-value".to_owned();
        found.push(scenario(Theme::BuildArgument, format!("build argument {name}"), Edit::Argument { name, value }));
    }
    if let Some(install) = install {
        let title = "the first install breaks, then a retry".to_owned();
        found.push(scenario(Theme::Failure, title, Edit::Failure { install }));
    }
    found
}

/// A reference with the start of its digest.
fn shortened(reference: &str) -> String {
    const DIGITS: usize = 12;
    match reference.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@sha256:{}", digest.get(..DIGITS).unwrap_or(digest)),
        None => reference.to_owned(),
    }
}

/// `a`, `a and b`, `a, b and c`, `a, b and 4 more`.
fn append(title: &mut String, path: &str) {
    const MOST: usize = 3;
    let count = title.matches(", ").count() + title.matches(" and ").count() + 1;
    if let Some((start, more)) = title.rsplit_once(" and ") {
        let more = more.strip_suffix(" more").and_then(|number| number.parse::<usize>().ok());
        *title = match more {
            Some(number) => format!("{start} and {} more", number + 1),
            None if count < MOST => format!("{} and {path}", title.replace(" and ", ", ")),
            None => format!("{start} and 2 more"),
        };
    } else {
        title.push_str(&format!(" and {path}"));
    }
}

/// The files of the context that the installs read, in the order of the installs.
fn manifests(subject: &Subject<'_>) -> Vec<String> {
    let facts = subject.facts;
    let stages = definitions::needed(subject).unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for run in facts.runs.iter().filter(|run| stages.contains(&run.stage)) {
        let loading = |verb| matches!(verb, Verb::Install | Verb::Fetch);
        for call in run.calls().iter().filter(|call| loading(call.verb) && !call.manager.system) {
            let sources = Sources::find(facts, run.stage, run.instruction, subject.context);
            let folder = run.state.workdir.clone().unwrap_or_default();
            let seen = sources.seen_from(&folder);
            let origin = |path: &str| {
                let path = crate::facts::copies::absolute(&folder, path);
                sources.origin(&path).map(|(_, source)| source)
            };
            let reads = match manifests::install(call, &run.commands()[call.command], run, &seen) {
                Ok(Some(install)) => install.reads,
                // Of an install that takes the sources too, the files that are manifests by their names.
                Ok(None) | Err(_) => {
                    manifests::Files::names(&seen, ".").into_iter().filter(|name| is_manifest(name)).collect()
                }
            };
            let files = reads.iter().filter_map(|path| origin(path));
            let files = files.filter(|path| subject.context.entry(path) == Some(Entry::File));
            for path in files {
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
    }
    found
}

/// Names of files that say what is to be installed.
fn is_manifest(name: &str) -> bool {
    const NAMES: [&str; 28] = [
        "Cargo.lock",
        "Cargo.toml",
        "Gemfile",
        "Gemfile.lock",
        "Pipfile",
        "Pipfile.lock",
        "build.gradle",
        "build.gradle.kts",
        "bun.lock",
        "bun.lockb",
        "composer.json",
        "composer.lock",
        "constraints.txt",
        "environment.yml",
        "go.mod",
        "go.sum",
        "package-lock.json",
        "package.json",
        "pdm.lock",
        "pnpm-lock.yaml",
        "poetry.lock",
        "pom.xml",
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
        "uv.lock",
        "yarn.lock",
        "npm-shrinkwrap.json",
    ];
    NAMES.contains(&name)
        || name.contains("requirements") && name.ends_with(".txt")
        || name.ends_with(".csproj")
        || name.ends_with(".sln")
}

/// A file of the application that the build copies: of the deepest-reaching copy, the first in a folder that is no test.
fn code(subject: &Subject<'_>, manifests: &[String]) -> Option<String> {
    let stages = definitions::needed(subject).ok()?;
    let copies = subject.facts.copies.iter().filter(|copy| copy.from.is_none() && stages.contains(&copy.stage));
    let parts: Vec<_> = copies.filter_map(|copy| copy.parts(subject.context).ok()).flatten().collect();
    let mut files = Vec::new();
    for part in parts.iter().filter(|part| !part.is_missing) {
        if part.is_folder {
            walk(subject.context, &part.source, 0, &mut files);
        } else {
            files.push(part.source.clone());
        }
    }
    files.retain(|path| !manifests.contains(path) && Some(path.as_str()) != subject.dockerfile);
    let name = |path: &String| path.rsplit('/').next().unwrap_or(path).to_owned();
    let is_aside = |path: &&String| {
        path.split('/')
            .any(|part| matches!(part, "test" | "tests" | "docs" | "examples" | "scripts") || part.starts_with('.'))
    };
    let is_application = |path: &&String| is_code(&name(path));
    let mut application = files.iter().filter(is_application);
    let is_main = |path: &&String| {
        let name = name(path);
        let stem = name.split('.').next().unwrap_or("");
        matches!(stem.to_ascii_lowercase().as_str(), "main" | "app" | "index" | "server" | "__main__" | "program")
    };
    let is_inside = |path: &&String| !is_aside(path) && !path.ends_with("__init__.py");
    let preferred = application.clone().filter(is_inside);
    let preferred = preferred.clone().find(is_main).or_else(|| preferred.clone().next());
    // Folders that the repository doesn't have: built outside, or not checked out.
    let is_folder_of_code = |name: &str| !name.starts_with('.') && !is_aside(&&name.to_owned());
    let missing = || {
        let mut missing = parts.iter().filter(|part| part.is_missing && part.is_folder);
        missing.find(|part| is_folder_of_code(&part.source)).map(|part| format!("{}/", part.source))
    };
    // Of a folder that is there some file that isn't yet.
    let new = || parts.iter().find(|part| part.is_folder && !part.is_missing).map(|part| format!("{}/", part.source));
    let is_plain = |path: &&String| {
        let name = name(path);
        let lower = name.to_ascii_lowercase();
        let is_of_builds = ["dockerfile", "containerfile", "compose"].iter().any(|part| lower.contains(part));
        !is_manifest(&name) && !name.starts_with('.') && !is_of_builds
    };
    let mut plain = files.iter().filter(|path| is_plain(path) && !is_aside(path));
    let any = || plain.find(|path| subject.context.text(path).is_some()).cloned();
    preferred.or_else(|| application.next()).cloned().or_else(missing).or_else(any).or_else(new)
}

/// The files of a folder, those directly in it first.
fn walk(context: &BuildContext<'_>, folder: &str, depth: usize, found: &mut Vec<String>) {
    const DEEPEST: usize = 12;
    const MOST: usize = 2000;
    let paths: Vec<String> = context.names(folder).iter().map(|name| join(folder, name)).collect();
    let (folders, files): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| context.entry(path) == Some(Entry::Folder));
    found.extend(files.into_iter().filter(|path| context.entry(path) == Some(Entry::File)));
    for folder in folders {
        if depth < DEEPEST && found.len() < MOST {
            walk(context, &folder, depth + 1, found);
        }
    }
}

/// The images that the needed stages are built on, as FROM gives them.
fn bases(subject: &Subject<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for stage in definitions::needed(subject).unwrap_or_default() {
        if let Base::Image(image) = &subject.facts.stages[stage].base
            && !found.contains(&image.reference)
        {
            found.push(image.reference.clone());
        }
    }
    found
}

/// The build arguments whose value changes with every commit.
fn per_commit(subject: &Subject<'_>) -> Vec<String> {
    let facts = subject.facts;
    let arguments = facts.file.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Arg);
    let names = arguments.flat_map(|instruction| instruction.pairs(facts.file.escape)).map(|pair| pair.name);
    let mut found: Vec<String> = Vec::new();
    for name in names.filter(|name| is_per_commit(name, subject.per_commit)) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}
