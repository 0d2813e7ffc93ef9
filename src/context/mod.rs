//! Files of a build context, read when they are asked for; never outside the repository, never over a link out of it. In memory
//! for tests.

mod build_context;
mod dockerignore;
mod tree;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use build_context::{BuildContext, join};
pub use dockerignore::{BadPattern, Dockerignore};
pub use tree::{Entry, Tree};

/// Larger files are no configuration, in bytes.
const LARGEST: u64 = 1 << 20;

/// What is known of folders, shared by the contexts of a run: each is looked at once.
#[derive(Debug, Default)]
pub struct Listings {
    names: Mutex<HashMap<PathBuf, Vec<String>>>,
    /// Behind all links.
    real: Mutex<HashMap<PathBuf, Option<PathBuf>>>,
}

impl Listings {
    fn real(&self, folder: &Path) -> Option<PathBuf> {
        let mut known = self.real.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(real) = known.get(folder) {
            return real.clone();
        }
        let real = folder.canonicalize().ok();
        known.insert(folder.to_owned(), real.clone());
        real
    }
}

/// The folders that a Dockerfile's COPY instructions may take from.
#[derive(Debug)]
pub struct Context {
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Standard input: nothing beside it is known.
    Nothing,
    Memory(HashMap<String, String>),
    Folder {
        /// Repository root, canonical.
        root: PathBuf,
        /// The Dockerfile's folder, canonical, inside `root`.
        folder: PathBuf,
        names: Arc<Listings>,
        /// What was found already: the folders that a Dockerfile copies from stay the same from pass to pass.
        found: Mutex<HashMap<String, Vec<(String, String)>>>,
    },
}

impl Context {
    pub fn nothing() -> Self {
        Self { source: Source::Nothing }
    }

    /// Files by their path relative to the root of the repository.
    pub fn memory(files: &[(&str, &str)]) -> Self {
        let owned = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned()));
        Self { source: Source::Memory(owned.collect()) }
    }

    /// The files around a Dockerfile in `folder` of the repository at `root`.
    pub fn folder(root: &Path, folder: &Path, names: &Arc<Listings>) -> Self {
        match (names.real(root), names.real(folder)) {
            (Some(root), Some(folder)) if folder.starts_with(&root) => {
                Self { source: Source::Folder { root, folder, names: Arc::clone(names), found: Mutex::default() } }
            }
            _ => Self::nothing(),
        }
    }

    /// Whether anything beside the Dockerfile can be seen.
    pub fn is_known(&self) -> bool {
        !matches!(self.source, Source::Nothing)
    }

    /// The text of every file called `name` in the folders that the build may take it from: the Dockerfile's own, its
    /// parents up to the repository, and `beneath` (folders as COPY sources name them) under each of these.
    pub fn find(&self, name: &str, beneath: &[&str]) -> Vec<(String, String)> {
        match &self.source {
            Source::Nothing => Vec::new(),
            Source::Memory(files) => {
                let mut found: Vec<_> = files
                    .iter()
                    .filter(|(path, _)| *path == name || path.ends_with(&format!("/{name}")))
                    .map(|(path, text)| (path.clone(), text.clone()))
                    .collect();
                found.sort();
                found
            }
            Source::Folder { root, folder, names, found: known } => {
                if let Some(found) = known.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
                    return found.clone();
                }
                let mut found = Vec::new();
                for base in folder.ancestors().take_while(|base| base.starts_with(root)) {
                    for below in std::iter::once("").chain(beneath.iter().copied()) {
                        let at = if below.is_empty() { base.to_owned() } else { base.join(below) };
                        if !lists(&at, name, names) {
                            continue;
                        }
                        let path = at.join(name);
                        let Ok(path) = path.canonicalize() else { continue };
                        let small = path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
                        if !small || !path.starts_with(root) {
                            continue;
                        }
                        let Ok(text) = std::fs::read_to_string(&path) else { continue };
                        let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                        if !found.iter().any(|(known, _)| *known == shown) {
                            found.push((shown, text));
                        }
                    }
                }
                known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), found.clone());
                found
            }
        }
    }
}

/// Whether `folder` has an entry `name`; each folder is listed once.
fn lists(folder: &Path, name: &str, names: &Listings) -> bool {
    if name.contains('/') {
        return folder.join(name).is_file();
    }
    let mut names = names.names.lock().unwrap_or_else(PoisonError::into_inner);
    let listed = names.entry(folder.to_owned()).or_insert_with(|| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    });
    listed.iter().any(|entry| entry == name)
}
