//! The files of a build context that stand in the image in front of a RUN.

use crate::context::{BuildContext, Entry, join};
use crate::dockerfile::{Instruction, Keyword};
use crate::facts::Facts;
use crate::facts::runs::Run;

/// More files than an install reads; folders with more are the sources.
const MOST_FILES: usize = 400;
const DEEPEST: usize = 5;

/// Files of one build context that a RUN finds: what COPY and ADD brought, and what it mounts itself.
pub struct Copied<'a> {
    context: &'a BuildContext<'a>,
    /// The names that a file goes by in the image, and its path in the context.
    files: Vec<(Vec<String>, String)>,
}

impl<'a> Copied<'a> {
    pub fn before(facts: &Facts<'_>, run: &Run, context: &'a BuildContext<'a>) -> Self {
        let mut copied = Self { context, files: Vec::new() };
        for stage in facts.ancestors(run.stage) {
            for at in facts.stages[stage].instructions.clone() {
                if stage == run.stage && at > run.instruction {
                    break;
                }
                let (sources, target) = operands(&facts.file.instructions[at], facts.file.escape);
                let renamed =
                    (sources.len() == 1 && !target.ends_with(['/', '.'])).then(|| name_of(&target).to_owned());
                for source in sources {
                    copied.add(&source, renamed.as_deref());
                }
            }
        }
        for mount in run.mounts.iter().filter(|mount| mount.kind == "bind" && mount.from.is_none()) {
            let renamed = mount.target.as_deref().map(name_of);
            copied.add(mount.source.as_deref().unwrap_or("."), renamed);
        }
        copied
    }

    fn add(&mut self, source: &str, renamed: Option<&str>) {
        for path in expand(self.context, source) {
            if self.context.entry(&path) == Some(Entry::Folder) {
                let mut inside = Vec::new();
                walk(self.context, &path, 0, &mut inside);
                self.files.extend(inside.into_iter().map(|path| (vec![name_of(&path).to_owned()], path)));
            } else if self.context.entry(&path) == Some(Entry::File) {
                let names = [Some(name_of(&path)), renamed].into_iter().flatten().map(str::to_owned).collect();
                self.files.push((names, path));
            }
        }
    }

    /// The texts of all files of a name; `None` if there is none, or one that can't be read.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let named = self.files.iter().filter(|(names, _)| names.iter().any(|known| known == name));
        let texts: Option<Vec<String>> = named.map(|(_, path)| self.context.text(path)).collect();
        texts.filter(|texts| !texts.is_empty())
    }

    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|(names, _)| names.iter().any(|known| known == name))
    }

    /// The configuration files among them, with their paths and texts.
    pub fn configuration(&self) -> impl Iterator<Item = (&str, String)> {
        let files = self.files.iter().filter(|(_, path)| is_configuration(name_of(path)));
        files.filter_map(|(_, path)| Some((path.as_str(), self.context.text(path)?)))
    }
}

fn name_of(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// The sources in the build context, and the target, of COPY and ADD; nothing for other instructions.
fn operands(instruction: &Instruction, escape: char) -> (Vec<String>, String) {
    let copies = matches!(instruction.keyword, Keyword::Copy | Keyword::Add) && instruction.flag("from").is_none();
    if !copies {
        return (Vec::new(), String::new());
    }
    let plain = |raw: String| raw.trim_matches(['"', '\'']).to_owned();
    let mut words: Vec<String> = match &instruction.json {
        Some(strings) => strings.clone(),
        None => instruction.words(escape).into_iter().map(|word| plain(word.raw)).collect(),
    };
    let target = words.pop().unwrap_or_default();
    words.retain(|source| !source.contains("://") && !source.starts_with("<<"));
    (words, target)
}

/// A source as a path of the context: without `./` and slashes around it; `.` for the whole context.
fn clean(source: &str) -> String {
    let parts: Vec<&str> = source.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// The paths that a source means: itself, or what its pattern matches.
fn expand(context: &BuildContext<'_>, source: &str) -> Vec<String> {
    let mut found = vec![".".to_owned()];
    for part in clean(source).split('/') {
        let is_pattern = part.contains(['*', '?', '[']);
        found = found
            .iter()
            .flat_map(|folder| {
                if is_pattern {
                    let names = context.names(folder).into_iter().filter(|name| matches(part, name));
                    names.map(|name| join(folder, &name)).collect()
                } else {
                    vec![join(folder, part)]
                }
            })
            .take(MOST_FILES)
            .collect();
    }
    found
}

/// Whether a pattern of `*` and `?` matches a name; a class counts as any one character.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            name.char_indices().any(|(at, _)| matches(rest, &name[at..])) || matches(rest, "")
        }
        Some('[') => {
            let end = pattern.find(']').map_or(pattern.len(), |end| end + 1);
            name.chars().next().is_some_and(|ch| matches(&pattern[end..], &name[ch.len_utf8()..]))
        }
        Some(first) => name.chars().next().is_some_and(|ch| {
            (first == '?' || first == ch) && matches(&pattern[first.len_utf8()..], &name[ch.len_utf8()..])
        }),
    }
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
/// Endings of files that are the program, and no manifest or configuration of one.
const CODE: &[&str] = &[
    "c", "cc", "cpp", "cs", "css", "ex", "fs", "go", "h", "html", "java", "jsx", "kt", "php", "py", "rb", "rs",
    "scala", "svelte", "swift", "ts", "tsx", "vue",
];

/// Whether an instruction copies sources, so that every commit repeats what stands below it anyway.
pub fn brings_sources(instruction: &Instruction, escape: char, contexts: &[BuildContext<'_>]) -> bool {
    let (sources, _) = operands(instruction, escape);
    sources.iter().any(|source| {
        let path = clean(source);
        if path == "." || path == "*" {
            return true;
        }
        let name = name_of(&path);
        if NO_SOURCES.contains(&name) {
            return false;
        }
        let shown = contexts.iter().filter(|context| context.entry(&path).is_some());
        let mut shown = shown.map(|context| holds_code(context, &path)).peekable();
        if shown.peek().is_some() {
            return shown.any(|code| code);
        }
        is_code(name) || !name.contains(['.', '*', '$']) && !PLAIN_FILES.contains(&name)
    })
}

fn holds_code(context: &BuildContext<'_>, path: &str) -> bool {
    if context.entry(path) != Some(Entry::Folder) {
        return is_code(name_of(path));
    }
    let mut files = Vec::new();
    walk(context, path, 0, &mut files);
    files.len() >= MOST_FILES || files.iter().any(|path| is_code(name_of(path)))
}

fn is_code(name: &str) -> bool {
    let is_setting = name == "setup.py" || name == "conftest.py" || name.contains(".config.") || name.contains(".d.ts");
    !is_setting && name.rsplit_once('.').is_some_and(|(_, ending)| CODE.contains(&ending))
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

    #[test]
    fn patterns_match_names() {
        assert!(matches("package*.json", "package-lock.json") && matches("*.txt", "a.txt") && matches("a?c", "abc"));
        assert!(!matches("package*.json", "pack.json") && !matches("*.txt", "a.in") && matches("[ab].txt", "a.txt"));
    }

    #[test]
    fn sources_are_folders_with_code_and_the_whole_context() {
        let tree = Tree::memory(&[("src/a.py", ""), ("reqs/a.txt", ""), ("main.go", ""), ("vite.config.ts", "")]);
        let context = BuildContext::open(&tree, ".", "Dockerfile").unwrap();
        let brings = |text: &str, contexts: &[BuildContext<'_>]| {
            let file = crate::dockerfile::read(text).unwrap();
            brings_sources(&file.instructions[0], '\\', contexts)
        };
        let known = [context];
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
