//! What COPY and ADD bring from the build context, and where it comes to lie in the image.
//!
//! Source: `dispatchCopy` in moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`, and the reference of COPY and ADD.

use super::stages::{State, expand};
use crate::context::{BuildContext, Entry, join};
use crate::dockerfile::{Dockerfile, Instruction, Keyword};

/// A COPY or ADD of a stage.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Index of the instruction in the file.
    pub instruction: usize,
    pub stage: usize,
    /// `--from`: a stage or an image, not the build context.
    pub from: Option<String>,
    /// What it takes and where to, or why that can't be told.
    pub words: Result<Words, String>,
    /// The destination, absolute and without a trailing slash, where that can be told; the root is empty.
    pub destination: Option<String>,
    /// The WORKDIR that it stands in, in the same spelling.
    pub workdir: Option<String>,
}

/// The words of a COPY, variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// As written, without quotes.
    pub sources: Vec<String>,
    /// The destination as written.
    pub raw_destination: String,
    /// Absolute, without a trailing slash; the root is empty.
    pub destination: String,
    /// Whether a file comes to lie in the destination under its own name: a slash at the end, or `.`.
    pub is_folder: bool,
}

/// One file or folder that comes from the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// In the context.
    pub source: String,
    /// In the image: absolute, without a trailing slash. Of a folder the content comes to lie in it.
    pub target: String,
    /// Taken from the name for what is missing.
    pub is_folder: bool,
    /// Whether it is named and not in the context as the repository has it: made before the build, or left out of the repository.
    pub is_missing: bool,
}

/// Reads the COPY or ADD at index `at` of the file's instructions.
pub fn read(file: &Dockerfile, at: usize, stage: usize, state: &State) -> Copy {
    let instruction = &file.instructions[at];
    let from = instruction.flag("from").map(str::to_owned);
    let words = words(file, instruction, state);
    let destination = match &words {
        Ok(words) => Some(words.destination.clone()),
        Err(_) => destination(file, instruction, state),
    };
    let workdir = state.workdir.as_deref().map(|folder| absolute("", folder));
    Copy { instruction: at, stage, from, words, destination, workdir }
}

/// The destination of a copy of which not everything is read.
fn destination(file: &Dockerfile, instruction: &Instruction, state: &State) -> Option<String> {
    let last = match &instruction.json {
        Some(strings) => strings.last()?.clone(),
        None => instruction.words(file.escape).pop()?.raw,
    };
    let path = expand(&last, file.escape, &|name| state.env.known(name))?;
    Some(absolute(state.workdir.as_deref()?, &path))
}

fn words(file: &Dockerfile, instruction: &Instruction, state: &State) -> Result<Words, String> {
    let unread = ["parents", "exclude", "keep-git-dir", "checksum", "unpack"];
    if let Some(flag) = instruction.flags.iter().find(|flag| unread.contains(&flag.name())) {
        return Err(format!("its flag --{} is not read", flag.name()));
    }
    if !instruction.heredocs.is_empty() {
        return Err("it writes a heredoc".to_owned());
    }
    let raw: Vec<String> = match &instruction.json {
        Some(strings) => strings.clone(),
        None => instruction.words(file.escape).into_iter().map(|word| word.raw).collect(),
    };
    let value = |word: &String| {
        let expanded = expand(word, file.escape, &|name| state.env.known(name));
        expanded.ok_or_else(|| format!("`{word}` depends on a value that is not known"))
    };
    let Some((raw_destination, sources)) = raw.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        return Err("it names no destination".to_owned());
    };
    let sources: Vec<String> = sources.iter().map(value).collect::<Result<_, _>>()?;
    let destination = value(raw_destination)?;
    if sources.iter().any(|source| source.contains("://") || source.starts_with("git@")) {
        return Err("it takes something from the network".to_owned());
    }
    let archive = |source: &String| {
        let lower = source.to_ascii_lowercase();
        [".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".gz", ".bz2", ".xz"].iter().any(|end| lower.ends_with(end))
    };
    if instruction.keyword == Keyword::Add && sources.iter().any(archive) {
        return Err("ADD unpacks the archive".to_owned());
    }
    let is_folder = destination.ends_with('/') || destination == "." || destination.ends_with("/.");
    let folder = state.workdir.as_deref().ok_or("the folder that it counts from is not known")?;
    let destination = absolute(folder, &destination);
    Ok(Words { sources, raw_destination: raw_destination.clone(), destination, is_folder })
}

/// `path` as seen from `folder`, without `.`, `..` and doubled slashes; the root is empty.
pub fn absolute(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().map(|part| format!("/{part}")).collect()
}

/// `path` relative to `folder`, both absolute as [`absolute`] makes them; `.` for the folder itself.
pub fn relative(path: &str, folder: &str) -> Option<String> {
    let rest = path.strip_prefix(folder)?;
    match rest.strip_prefix('/') {
        Some(rest) => Some(rest.to_owned()),
        None => rest.is_empty().then(|| ".".to_owned()),
    }
}

impl Copy {
    /// What comes from `context`, patterns resolved.
    ///
    /// # Errors
    /// Why it can't be told: an unread form, a source that leads over a link.
    pub fn parts(&self, context: &BuildContext<'_>) -> Result<Vec<Part>, String> {
        let words = self.words.clone()?;
        let mut parts = Vec::new();
        for source in &words.sources {
            let clean = absolute("", source);
            let clean = if clean.is_empty() { "." } else { &clean[1..] };
            // A pattern that nothing fits brings nothing.
            let found = if clean.contains(['*', '?', '[']) { matches(clean, context)? } else { vec![clean.to_owned()] };
            for path in found {
                let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
                let entry = context.entry(&path);
                let is_folder = match entry {
                    Some(Entry::Folder) => true,
                    Some(Entry::File) => false,
                    Some(Entry::Link) => return Err(format!("{path} is a link")),
                    None => source.ends_with('/') || !name.trim_start_matches('.').contains('.'),
                };
                let is_inside = words.is_folder || words.sources.len() > 1;
                let target = if is_inside && !is_folder {
                    format!("{}/{name}", words.destination)
                } else {
                    words.destination.clone()
                };
                parts.push(Part { source: path, target, is_folder, is_missing: entry.is_none() });
            }
        }
        Ok(parts)
    }
}

impl Part {
    /// Where in the context the path of the image comes from, if it comes from here.
    pub fn source_of(&self, path: &str) -> Option<String> {
        if !self.is_folder {
            return (self.target == path).then(|| self.source.clone());
        }
        relative(path, &self.target).map(|rest| join(&self.source, &rest))
    }
}

/// The paths of the context that a pattern names. Source: `filepath.Match` of Go, one path component at a time.
fn matches(pattern: &str, context: &BuildContext<'_>) -> Result<Vec<String>, String> {
    let mut found = vec![".".to_owned()];
    for part in pattern.split('/') {
        if part.contains(['[', '\\']) {
            return Err(format!("the pattern {pattern} is not read"));
        }
        let mut next = Vec::new();
        for folder in &found {
            if !part.contains(['*', '?']) {
                next.push(join(folder, part));
                continue;
            }
            let names = context.names(folder);
            next.extend(names.iter().filter(|name| is_match(part, name)).map(|name| join(folder, name)));
        }
        next.retain(|path| context.entry(path).is_some());
        found = next;
    }
    Ok(found)
}

/// Whether `name` fits a pattern of `*` and `?`.
pub fn is_match(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| is_match(rest, &name[at..])),
        '?' => name.chars().next().is_some_and(|ch| is_match(rest, &name[ch.len_utf8()..])),
        _ => name.strip_prefix(first).is_some_and(|name| is_match(rest, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Tree;
    use crate::facts::{Facts, Knowledge, Scripts};

    fn parts(dockerfile: &str, files: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let file = crate::dockerfile::read(dockerfile).unwrap();
        let knowledge = Knowledge::default();
        let scripts = Scripts::new();
        let facts = Facts::new(dockerfile, &file, &knowledge, &scripts);
        let tree = Tree::memory(files);
        let context = BuildContext::open(&tree, ".", "Dockerfile").unwrap();
        let parts = facts.copies[0].parts(&context)?;
        Ok(parts.into_iter().map(|part| (part.source, part.target)).collect())
    }

    fn pair(left: &str, right: &str) -> (String, String) {
        (left.to_owned(), right.to_owned())
    }

    #[test]
    fn files_keep_their_names_and_folders_lose_theirs() {
        let files = [("a.txt", ""), ("src/b.txt", ""), ("package.json", ""), ("package-lock.json", "")];
        let base = "FROM python:3.11\nWORKDIR /app\n";
        assert_eq!(parts(&format!("{base}COPY . .\n"), &files), Ok(vec![pair(".", "/app")]));
        assert_eq!(parts(&format!("{base}COPY src/ lib\n"), &files), Ok(vec![pair("src", "/app/lib")]));
        assert_eq!(parts(&format!("{base}COPY a.txt b\n"), &files), Ok(vec![pair("a.txt", "/app/b")]));
        assert_eq!(parts(&format!("{base}COPY [\"a.txt\", \"/x/\"]\n"), &files), Ok(vec![pair("a.txt", "/x/a.txt")]));
        assert_eq!(
            parts(&format!("{base}COPY package*.json ./\n"), &files),
            Ok(vec![pair("package-lock.json", "/app/package-lock.json"), pair("package.json", "/app/package.json")])
        );
        assert_eq!(
            parts(&format!("{base}ENV D=/d\nCOPY a.txt $D/x/../\n"), &files),
            Ok(vec![pair("a.txt", "/d/a.txt")])
        );
    }

    #[test]
    fn what_is_missing_is_told_by_its_name() {
        let text = "FROM python:3.11\nCOPY src lib b.txt none* /app/\n";
        let file = crate::dockerfile::read(text).unwrap();
        let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
        let facts = Facts::new(text, &file, &knowledge, &scripts);
        let tree = Tree::memory(&[("src/a", "")]);
        let context = BuildContext::open(&tree, ".", "Dockerfile").unwrap();
        let parts = facts.copies[0].parts(&context).unwrap();
        let told: Vec<(&str, bool, bool)> =
            parts.iter().map(|part| (part.source.as_str(), part.is_folder, part.is_missing)).collect();
        assert_eq!(told, [("src", true, false), ("lib", true, true), ("b.txt", false, true)]);
    }

    #[test]
    fn what_can_t_be_told_is_refused() {
        let files = [("a.txt", ""), ("a.tar", "")];
        for line in ["COPY --parents a.txt .", "ADD https://x/y .", "ADD a.tar .", "ARG X\nCOPY $X .", "COPY <<E a\nE"]
        {
            assert!(parts(&format!("FROM python:3.11\n{line}\n"), &files).is_err(), "{line}");
        }
    }

    #[test]
    fn a_path_of_the_image_is_found_in_the_context() {
        let folder = Part { source: "web".to_owned(), target: "/app".to_owned(), is_folder: true, is_missing: false };
        assert_eq!(folder.source_of("/app/a/b").as_deref(), Some("web/a/b"));
        assert_eq!(folder.source_of("/app").as_deref(), Some("web"));
        assert_eq!(folder.source_of("/apple"), None);
        let root = Part { source: ".".to_owned(), target: String::new(), is_folder: true, is_missing: false };
        assert_eq!(root.source_of("/a").as_deref(), Some("a"));
    }
}
