//! Where the files of a build context come to lie in the image of a stage.

use std::collections::BTreeMap;

use crate::context::{BuildContext, Entry, join};
use crate::facts::Facts;
use crate::facts::copies::{absolute, relative};

/// Folders in which nobody writes the code of a service.
const SKIPPED: [&str; 12] = [
    ".git",
    "node_modules",
    "__pycache__",
    ".venv",
    "venv",
    "site-packages",
    ".mypy_cache",
    ".pytest_cache",
    ".tox",
    "dist",
    ".next",
    ".idea",
];
/// More files than a service has.
const MOST: usize = 20_000;
const DEEPEST: usize = 14;

/// For each file of the image at the end of a stage that comes from the context: where it lies, and where it comes from.
///
/// `before`: as far as they are there when the instruction of this index is run.
pub fn files(
    facts: &Facts<'_>,
    stage: usize,
    before: Option<usize>,
    context: &BuildContext<'_>,
) -> BTreeMap<String, String> {
    let mut reader = Reader { facts, context, listed: BTreeMap::new() };
    reader.stage(stage, before.unwrap_or(usize::MAX), 0)
}

struct Reader<'a> {
    facts: &'a Facts<'a>,
    context: &'a BuildContext<'a>,
    /// Files below folders of the context, relative to them.
    listed: BTreeMap<String, Vec<String>>,
}

impl Reader<'_> {
    fn stage(&mut self, stage: usize, before: usize, depth: usize) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        if depth > 8 {
            return found;
        }
        let mut chain = self.facts.ancestors(stage);
        chain.reverse();
        let facts = self.facts;
        for copy in facts.copies.iter().filter(|copy| chain.contains(&copy.stage) && copy.instruction < before) {
            match &copy.from {
                None => {
                    for part in copy.parts(self.context).unwrap_or_default() {
                        if part.is_folder {
                            for name in self.list(&part.source) {
                                found.insert(absolute(&part.target, &name), join(&part.source, &name));
                            }
                        } else {
                            found.insert(part.target.clone(), part.source.clone());
                        }
                    }
                }
                Some(name) => {
                    let (Some(from), Ok(words)) = (facts.stage_named(name, copy.stage), &copy.words) else { continue };
                    let there = self.stage(from, usize::MAX, depth + 1);
                    for source in &words.sources {
                        let source = absolute("", source);
                        if let Some(origin) = there.get(&source) {
                            let name = source.rsplit('/').next().unwrap_or("");
                            let target = if words.is_folder {
                                format!("{}/{name}", words.destination)
                            } else {
                                words.destination.clone()
                            };
                            found.insert(target, origin.clone());
                            continue;
                        }
                        for (path, origin) in there.range(source.clone()..) {
                            let Some(rest) = relative(path, &source) else {
                                if path.starts_with(&source) { continue } else { break }
                            };
                            found.insert(absolute(&words.destination, &rest), origin.clone());
                        }
                    }
                }
            }
        }
        found
    }

    fn list(&mut self, folder: &str) -> Vec<String> {
        if let Some(known) = self.listed.get(folder) {
            return known.clone();
        }
        let mut found = Vec::new();
        self.walk(folder, "", 0, &mut found);
        self.listed.insert(folder.to_owned(), found.clone());
        found
    }

    fn walk(&self, folder: &str, below: &str, depth: usize, found: &mut Vec<String>) {
        for name in self.context.names(folder) {
            if found.len() >= MOST {
                return;
            }
            let path = join(folder, &name);
            let shown = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            match self.context.entry(&path) {
                Some(Entry::File) => found.push(shown),
                Some(Entry::Folder) if depth < DEEPEST && !SKIPPED.contains(&name.as_str()) => {
                    self.walk(&path, &shown, depth + 1, found);
                }
                _ => {}
            }
        }
    }
}
