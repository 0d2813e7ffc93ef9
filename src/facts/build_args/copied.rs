//! The files of a build context that stand in the image in front of a RUN.

use crate::context::{BuildContext, Entry, join};
use crate::facts::Facts;
use crate::facts::copies::absolute;
use crate::facts::runs::Run;
use crate::facts::sources::{Sources, holds_code, is_code};

/// More files than an install reads; folders with more are the sources.
const MOST_FILES: usize = 400;
const DEEPEST: usize = 5;

/// Files of one build context that a RUN finds: what COPY and ADD brought, and what it mounts itself.
pub struct Copied<'a> {
    context: &'a BuildContext<'a>,
    files: Vec<File>,
}

struct File {
    /// The names that it goes by in the image.
    names: Vec<String>,
    /// In the context.
    path: String,
    /// In the image, where nothing else may hide it.
    place: Option<String>,
}

impl<'a> Copied<'a> {
    pub fn before(facts: &Facts<'_>, run: &Run, context: &'a BuildContext<'a>) -> Self {
        let mut copied = Self { context, files: Vec::new() };
        let sources = Sources::find(facts, run.stage, run.instruction, context);
        for part in sources.copies.iter().flat_map(|brought| &brought.parts) {
            copied.add(&part.source, Some(&part.target), Some(&sources));
        }
        for mount in run.mounts.iter().filter(|mount| mount.kind == "bind" && mount.from.is_none()) {
            copied.add(mount.source.as_deref().unwrap_or("."), mount.target.as_deref(), None);
        }
        copied
    }

    /// `above` are the copies, of which a later one may hide it.
    fn add(&mut self, source: &str, target: Option<&str>, above: Option<&Sources<'_>>) {
        let path = clean(source);
        let seen = |place: String, path: &str| {
            let is_there = above.is_none_or(|above| above.origin(&place).is_some_and(|(_, origin)| origin == path));
            is_there.then_some(place)
        };
        if self.context.entry(&path) == Some(Entry::Folder) {
            let mut inside = Vec::new();
            walk(self.context, &path, 0, &mut inside);
            for file in inside {
                let below = if path == "." { Some(file.as_str()) } else { file.strip_prefix(&format!("{path}/")) };
                let place = target.zip(below).and_then(|(target, below)| seen(absolute(target, below), &file));
                self.files.push(File { names: vec![name_of(&file).to_owned()], place, path: file });
            }
        } else if self.context.entry(&path) == Some(Entry::File) {
            let names = [Some(name_of(&path)), target.map(name_of)].into_iter().flatten().map(str::to_owned).collect();
            let place = target.and_then(|target| seen(absolute("", target), &path));
            self.files.push(File { names, path, place });
        }
    }

    /// The texts of all files of a name; `None` if there is none, or one that can't be read.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let named = self.files.iter().filter(|file| file.names.iter().any(|known| known == name));
        let texts: Option<Vec<String>> = named.map(|file| self.context.text(&file.path)).collect();
        texts.filter(|texts| !texts.is_empty())
    }

    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.names.iter().any(|known| known == name))
    }

    /// Whether one of them stands at a path of the image, as [`absolute`] makes it.
    pub fn stands_at(&self, place: &str) -> bool {
        self.files.iter().any(|file| file.place.as_deref() == Some(place))
    }

    /// The configuration files among them, with their paths and texts.
    pub fn configuration(&self) -> impl Iterator<Item = (&str, String)> {
        let files = self.files.iter().filter(|file| file.names.iter().any(|name| is_configuration(name)));
        files.filter_map(|file| Some((file.path.as_str(), self.context.text(&file.path)?)))
    }
}

fn name_of(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// A source as a path of the context: without `./` and slashes around it; `.` for the whole context.
fn clean(source: &str) -> String {
    let parts: Vec<&str> = source.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn walk(context: &BuildContext<'_>, folder: &str, depth: usize, out: &mut Vec<String>) {
    for name in context.names(folder) {
        if out.len() >= MOST_FILES || matches!(name.as_str(), ".git" | "node_modules") {
            continue;
        }
        let path = join(folder, &name);
        match context.entry(&path) {
            Some(Entry::Folder) if depth < DEEPEST => walk(context, &path, depth + 1, out),
            Some(Entry::File) => out.push(path),
            _ => {}
        }
    }
}

/// Folders of tools and manifests.
const NO_SOURCES: &[&str] = &[
    ".bundle",
    ".husky",
    ".mvn",
    ".yarn",
    "certs",
    "constraints",
    "gradle",
    "patches",
    "prisma",
    "requirements",
    "wheels",
];
/// Files without a dot in their names.
const PLAIN_FILES: &[&str] = &[
    "Brewfile",
    "CHANGELOG",
    "Gemfile",
    "LICENSE",
    "Makefile",
    "NOTICE",
    "Pipfile",
    "Procfile",
    "README",
    "Rakefile",
    "VERSION",
    "gradlew",
    "mvnw",
];
/// Whether an instruction copies sources, so that every commit repeats what stands below it anyway.
pub fn brings_sources(facts: &Facts<'_>, at: usize, contexts: &[&BuildContext<'_>]) -> bool {
    let Some(copy) = facts.copies.iter().find(|copy| copy.instruction == at && copy.from.is_none()) else {
        return false;
    };
    let Ok(words) = &copy.words else { return false };
    words.sources.iter().any(|source| {
        let path = clean(source);
        if path == "." || path == "*" {
            return true;
        }
        let name = name_of(&path);
        if NO_SOURCES.contains(&name) {
            return false;
        }
        let shown = contexts.iter().filter(|context| context.entry(&path).is_some());
        let mut shown = shown
            .map(|context| match context.entry(&path) {
                Some(Entry::Folder) => holds_code(context, &path),
                _ => is_code(name),
            })
            .peekable();
        if shown.peek().is_some() {
            return shown.any(|code| code);
        }
        is_code(name) || !name.contains(['.', '*', '$']) && !PLAIN_FILES.contains(&name)
    })
}

/// Whether installs read files of this name.
fn is_configuration(name: &str) -> bool {
    let endings = [
        ".cfg", ".cjs", ".conf", ".csproj", ".gemspec", ".gradle", ".in", ".json", ".kts", ".lock", ".props", ".toml",
        ".txt", ".xml", ".yaml", ".yml",
    ];
    endings.iter().any(|ending| name.ends_with(ending))
        || matches!(name, "Gemfile" | "Pipfile" | "setup.py" | ".npmrc" | ".yarnrc" | ".condarc")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Tree;
    use crate::facts::{Knowledge, Scripts};

    #[test]
    fn sources_are_folders_with_code_and_the_whole_context() {
        let tree = Tree::memory(&[("src/a.py", ""), ("reqs/a.txt", ""), ("main.go", ""), ("vite.config.ts", "")]);
        let context = BuildContext::open(&tree, ".", "Dockerfile").unwrap();
        let brings = |text: &str, contexts: &[&BuildContext<'_>]| {
            let text = format!("FROM python:3.12\n{text}\n");
            let file = crate::dockerfile::read(&text).unwrap();
            let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
            brings_sources(&Facts::new(&text, &file, &knowledge, &scripts), 1, contexts)
        };
        let known = [&context];
        for (text, wanted) in [
            ("COPY . .", true),
            ("COPY ./ /app/", true),
            ("COPY src /app", true),
            ("COPY reqs /app", false),
            ("COPY main.go ./", true),
            ("COPY vite.config.ts ./", false),
            ("COPY --from=x . .", false),
            ("COPY missing/ .", true),
            ("COPY package.json Gemfile ./", false),
        ] {
            assert_eq!(brings(text, &known), wanted, "{text}");
        }
        assert!(brings("COPY app app", &[]) && !brings("COPY requirements ./", &[]));
    }
}
