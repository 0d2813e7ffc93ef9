//! The files that a RUN finds because COPY and ADD brought them from the build context.

use super::Facts;
use super::copies::{Copy, Part, absolute, relative};
use super::manifests::Files;
use super::runs::Run;
use crate::context::{BuildContext, Entry, join};

/// What the copies in front of a RUN brought, with one build context.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    context: &'a BuildContext<'a>,
    /// In order.
    pub copies: Vec<Brought<'a>>,
    /// The RUNs in front of it, in order.
    earlier: Vec<&'a Run>,
}

/// What one COPY or ADD brought.
#[derive(Debug, Clone)]
pub struct Brought<'a> {
    pub copy: &'a Copy,
    /// Empty for what comes from a stage or an image, and for what is not read.
    pub parts: Vec<Part>,
    /// Why what comes from the context is not read.
    pub unread: Option<String>,
}

impl<'a> Sources<'a> {
    /// What a RUN at index `before` of the file's instructions finds in `stage`, that of the stages it is built on included.
    pub fn find(facts: &'a Facts<'a>, stage: usize, before: usize, context: &'a BuildContext<'a>) -> Self {
        let stages = facts.ancestors(stage);
        let copies = facts.copies.iter().filter(|copy| stages.contains(&copy.stage) && copy.instruction < before);
        let copies = copies.map(|copy| {
            let parts = if copy.from.is_some() { Ok(Vec::new()) } else { copy.parts(context) };
            let (parts, unread) = parts.map_or_else(|reason| (Vec::new(), Some(reason)), |parts| (parts, None));
            Brought { copy, parts, unread }
        });
        let earlier = facts.runs.iter().filter(|run| stages.contains(&run.stage) && run.instruction < before);
        Self { context, copies: copies.collect(), earlier: earlier.collect() }
    }

    /// The copy that a path of the image comes from, and the path in the context.
    pub fn origin(&self, path: &str) -> Option<(&Brought<'a>, String)> {
        for brought in self.copies.iter().rev() {
            if let Some(source) = brought.parts.iter().rev().find_map(|part| part.source_of(path))
                && self.context.entry(&source).is_some()
            {
                return Some((brought, source));
            }
            // What comes from another stage, or is not read, may hide it.
            let is_closed = brought.copy.from.is_some() || brought.unread.is_some();
            let covers = |destination: &String| relative(path, destination).is_some();
            let hides = is_closed && brought.copy.destination.as_ref().is_none_or(covers);
            if hides {
                return None;
            }
        }
        None
    }

    /// The files as a command in `folder` of the image finds them.
    pub fn seen_from<'s>(&'s self, folder: &'s str) -> Seen<'s, 'a> {
        Seen { sources: self, folder }
    }
}

/// Whether people write code in a file of this name: no manifest, no configuration.
pub fn is_code(name: &str) -> bool {
    const ENDS: [&str; 38] = [
        "py", "pyx", "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "vue", "svelte", "astro", "go", "rs", "rb",
        "erb", "php", "java", "kt", "kts", "scala", "groovy", "cs", "fs", "vb", "razor", "cshtml", "c", "h", "cc",
        "cpp", "hpp", "swift", "ex", "exs", "html", "css",
    ];
    let is_setting = matches!(name, "setup.py" | "conftest.py" | ".pnpmfile.cjs")
        || name.contains(".config.")
        || name.contains(".d.ts")
        || name.ends_with(".gradle.kts");
    !is_setting && name.rsplit_once('.').is_some_and(|(_, end)| ENDS.contains(&end))
}

/// Whether a folder of the context holds files that people write code in.
pub fn holds_code(context: &BuildContext<'_>, folder: &str) -> bool {
    fn within(context: &BuildContext<'_>, folder: &str, depth: usize) -> bool {
        const DEEPEST: usize = 6;
        context.names(folder).iter().any(|name| {
            let path = join(folder, name);
            match context.entry(&path) {
                Some(Entry::Folder) => depth < DEEPEST && within(context, &path, depth + 1),
                _ => is_code(name),
            }
        })
    }
    within(context, folder, 0)
}

/// The files as a command in a folder of the image finds them.
pub struct Seen<'s, 'a> {
    sources: &'s Sources<'a>,
    /// Absolute.
    folder: &'s str,
}

impl Files for Seen<'_, '_> {
    fn earlier(&self) -> Option<Vec<&Run>> {
        Some(self.sources.earlier.clone())
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        let (_, source) = self.sources.origin(&absolute(self.folder, path))?;
        self.sources.context.entry(&source)
    }

    fn text(&self, path: &str) -> Option<String> {
        let (_, source) = self.sources.origin(&absolute(self.folder, path))?;
        self.sources.context.text(&source)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let path = absolute(self.folder, folder);
        let mut names = Vec::new();
        for part in self.sources.copies.iter().flat_map(|brought| &brought.parts) {
            if let Some(source) = part.source_of(&path).filter(|_| part.is_folder) {
                names.extend(self.sources.context.names(&source));
            } else if let Some(rest) = relative(&part.target, &path).filter(|rest| rest != ".") {
                names.extend(rest.split('/').next().map(str::to_owned));
            }
        }
        names.sort();
        names.dedup();
        names.retain(|name| self.entry(&join(folder, name)).is_some());
        names
    }
}
