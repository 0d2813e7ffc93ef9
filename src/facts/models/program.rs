//! The Python files of a service as they lie in its image, and which file an import means.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::loads::Found;
use crate::python::{self, Block};
use crate::text::LineIndex;

/// A Python file.
#[derive(Debug)]
pub struct Unit {
    /// Relative to the root of the project.
    pub source: String,
    pub lines: LineIndex,
    pub body: Block,
}

/// Python files that were read, shared by the services of a run: each is read once.
#[derive(Debug, Clone, Default)]
pub struct Units {
    known: Arc<Mutex<HashMap<String, Option<Arc<Unit>>>>>,
    /// Whether a file holds one of the words that were asked for.
    signs: Arc<Mutex<HashMap<String, bool>>>,
    /// What programs were found to load, by all that they depend on beside the files' texts.
    found: Arc<Mutex<HashMap<String, Found>>>,
}

impl Units {
    /// The file at `source`, read from what `text` gives; none for what is no Python.
    pub fn read(&self, source: &str, text: impl FnOnce() -> Option<String>) -> Option<Arc<Unit>> {
        if let Some(known) = self.known().get(source) {
            return known.clone();
        }
        let unit = text().and_then(|text| {
            let body = python::read(&text).ok()?;
            Some(Arc::new(Unit { source: source.to_owned(), lines: LineIndex::new(&text), body }))
        });
        self.known().insert(source.to_owned(), unit.clone());
        unit
    }

    /// Whether the file at `source` holds one of `words`: a look that spares reading the others.
    pub fn has(&self, source: &str, words: &[&str], text: impl FnOnce() -> Option<String>) -> bool {
        if let Some(known) = lock(&self.signs).get(source) {
            return *known;
        }
        let has = text().is_some_and(|text| words.iter().any(|word| text.contains(word)));
        lock(&self.signs).insert(source.to_owned(), has);
        has
    }

    /// What the program of this description loads: it is the same from pass to pass, while the steps of the Dockerfile move.
    pub fn found(&self, description: String, find: impl FnOnce() -> Found) -> Found {
        if let Some(known) = lock(&self.found).get(&description) {
            return known.clone();
        }
        let found = find();
        lock(&self.found).insert(description, found.clone());
        found
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Option<Arc<Unit>>>> {
        lock(&self.known)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The Python files of a service.
#[derive(Debug, Default)]
pub struct Program {
    pub units: Vec<Arc<Unit>>,
    /// Where each lies in the image: absolute.
    pub paths: Vec<String>,
    by_path: HashMap<String, usize>,
    /// By the last part of the dotted name: `b` for `a/b.py` and `b/__init__.py`.
    by_name: HashMap<String, Vec<usize>>,
    /// Folders that hold Python files, and those above them.
    folders: HashSet<String>,
    /// Folders that absolute imports are looked for in, first the one of the entry point.
    pub roots: Vec<String>,
}

impl Program {
    /// `files`: where each lies in the image.
    pub fn new(files: BTreeMap<String, Arc<Unit>>, roots: Vec<String>) -> Self {
        let mut program = Self { roots, ..Self::default() };
        for (path, unit) in files {
            let index = program.units.len();
            if let Some(name) = module_parts(&path).last() {
                program.by_name.entry((*name).to_owned()).or_default().push(index);
            }
            let mut folder = path.as_str();
            while let Some((above, _)) = folder.rsplit_once('/') {
                program.folders.insert(above.to_owned());
                folder = above;
            }
            program.by_path.insert(path.clone(), index);
            program.paths.push(path);
            program.units.push(unit);
        }
        program
    }

    /// The file at a path of the image.
    pub fn at(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    fn module_at(&self, stem: &str) -> Option<usize> {
        self.at(&format!("{stem}.py")).or_else(|| self.at(&format!("{stem}/__init__.py")))
    }

    /// The file that the dotted name of an absolute import means: below one of the roots, else the only one that ends like it.
    pub fn module(&self, name: &str) -> Option<usize> {
        let path = name.replace('.', "/");
        let below = self.roots.iter().find_map(|root| self.module_at(&format!("{root}/{path}")));
        below.or_else(|| {
            // `foo` alone may well be a library of that name.
            name.contains('.').then(|| self.only_ending(&path)).flatten()
        })
    }

    fn only_ending(&self, path: &str) -> Option<usize> {
        let last = path.rsplit('/').next().unwrap_or(path);
        let candidates = self.by_name.get(last)?;
        // Where the image has another layout than the repository, the one that the repository has may be meant: somebody mounts it.
        let only = |place: &dyn Fn(usize) -> String| {
            let mut found = candidates.iter().filter(|index| {
                let parts = module_parts(&place(**index)).join("/");
                parts == path || parts.ends_with(&format!("/{path}"))
            });
            let first = found.next()?;
            found.next().is_none().then_some(*first)
        };
        only(&|index| self.paths[index].clone()).or_else(|| only(&|index| self.units[index].source.clone()))
    }

    /// The file next to another one, as seen from a file of this name.
    pub fn beside(&self, unit: usize, name: &str) -> Option<usize> {
        self.module_at(&format!("{}/{}", folder(&self.paths[unit]), name.replace('.', "/")))
    }

    /// The file that a relative import in `unit` means: `level` dots and a name, which may be empty.
    pub fn relative(&self, unit: usize, level: u32, name: &str) -> Option<usize> {
        let mut from = folder(&self.paths[unit]).to_owned();
        for _ in 1..level {
            from.truncate(from.rfind('/')?);
        }
        let path = name.replace('.', "/");
        if path.is_empty() {
            self.at(&format!("{from}/__init__.py"))
        } else {
            self.module_at(&format!("{from}/{path}"))
        }
    }

    /// The dotted name as seen from the entry point of what a relative import means.
    pub fn package(&self, unit: usize, level: u32, name: &str) -> String {
        let mut from = folder(&self.paths[unit]);
        for _ in 1..level {
            from = from.rsplit_once('/').map_or("", |(above, _)| above);
        }
        if name.is_empty() { from.to_owned() } else { format!("{from}/{}", name.replace('.', "/")) }
    }

    /// The submodule `name` of a folder at a path without an ending.
    pub fn below(&self, package: &str, name: &str) -> Option<usize> {
        self.module_at(&format!("{package}/{name}"))
    }

    /// Whether a folder of packages goes by the first name of a dotted name, so that what is not found in it is no library.
    pub fn owns(&self, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        self.roots.iter().any(|root| {
            let stem = format!("{root}/{first}");
            self.folders.contains(&stem) || self.module_at(&stem).is_some()
        })
    }

    /// The `__init__.py` files that an import of a unit runs too.
    pub fn packages_of(&self, unit: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = folder(&self.paths[unit]);
        while let Some(index) = self.at(&format!("{at}/__init__.py")) {
            found.push(index);
            at = folder(at);
        }
        found
    }
}

/// The folder of a path.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The parts of a module's path without `.py` and `__init__`.
fn module_parts(path: &str) -> Vec<&str> {
    let stem = path.strip_suffix(".py").unwrap_or(path);
    let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
    stem.split('/').filter(|part| !part.is_empty()).collect()
}
