//! The files of a repository by their path from its root, read when they are asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ignore::WalkBuilder;
use ignore::gitignore::GitignoreBuilder;

/// Larger files are no manifests or lock files, in bytes.
const LARGEST: u64 = 32 << 20;

/// The files of a repository. Paths are relative to its root, with slashes; `.` is the root. Nothing outside it is looked at, and no
/// link is followed.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    source: Source,
    /// Texts of files that are not written yet, by their paths.
    rewritten: Arc<BTreeMap<String, String>>,
    /// What was looked at already, shared by the clones.
    known: Arc<Known>,
}

#[derive(Debug, Default)]
struct Known {
    entries: Mutex<HashMap<String, Option<Entry>>>,
    names: Mutex<HashMap<String, Arc<Vec<String>>>>,
    /// The index of the repository, where it can be read.
    index: OnceLock<Option<Vec<u8>>>,
}

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    Nothing,
    Memory(Arc<BTreeMap<String, String>>),
    Folder {
        /// Repository root, canonical.
        root: PathBuf,
        /// What the paths count from: the root, or the working folder where paths keep the names that they were called by.
        base: PathBuf,
    },
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    File,
    Folder,
    /// A link, or something behind one.
    Link,
}

impl Tree {
    /// Of files in memory; folders are what their paths name.
    pub fn memory(files: &[(&str, &str)]) -> Self {
        let owned = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned()));
        Self { source: Source::Memory(Arc::new(owned.collect())), ..Self::default() }
    }

    /// Of the repository at `root`, with paths that count from `base`.
    pub fn folder(root: &Path, base: &Path) -> Self {
        let here = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
        match (here(root).canonicalize(), here(base).canonicalize()) {
            (Ok(root), Ok(base)) => Self { source: Source::Folder { root, base }, ..Self::default() },
            _ => Self::default(),
        }
    }

    /// Lets a file have another text than the one on disk: what is looked at later sees what a run has made of it so far.
    pub fn rewrite(&mut self, path: &str, text: &str) {
        Arc::make_mut(&mut self.rewritten).insert(path.to_owned(), text.to_owned());
    }

    /// Whether anything can be seen.
    pub fn is_known(&self) -> bool {
        !matches!(self.source, Source::Nothing)
    }

    /// Where a path lies in the file system.
    pub fn place(&self, path: &str) -> Option<PathBuf> {
        match &self.source {
            Source::Folder { base, .. } => Some(base.join(path)),
            _ => None,
        }
    }

    /// What stands at `path`.
    pub fn entry(&self, path: &str) -> Option<Entry> {
        if self.rewritten.contains_key(path) {
            return Some(Entry::File);
        }
        match &self.source {
            Source::Nothing => None,
            Source::Memory(files) => {
                if files.contains_key(path) {
                    return Some(Entry::File);
                }
                let beneath = format!("{path}/");
                let is_folder = path == "." || files.keys().any(|name| name.starts_with(&beneath));
                is_folder.then_some(Entry::Folder)
            }
            Source::Folder { root, base } => {
                if let Some(known) = lock(&self.known.entries).get(path) {
                    return *known;
                }
                let entry = self.look(root, base, path);
                lock(&self.known.entries).insert(path.to_owned(), entry);
                entry
            }
        }
    }

    /// What the file system has at a path. A path is without links where that of its folder is.
    fn look(&self, root: &Path, base: &Path, path: &str) -> Option<Entry> {
        let place = base.join(path);
        let leads_out = path.split('/').any(|part| part == "..") || !place.starts_with(root);
        // Where paths count from elsewhere, the folders on the way to the root are none of it.
        if leads_out {
            return place.symlink_metadata().is_ok().then_some(Entry::Link);
        }
        let parent = path.rsplit_once('/').map_or(".", |(parent, _)| parent);
        if path != "." && base.join(parent).starts_with(root) && self.entry(parent) != Some(Entry::Folder) {
            let is_link = self.entry(parent) == Some(Entry::Link);
            return (is_link && place.symlink_metadata().is_ok()).then_some(Entry::Link);
        }
        let kind = place.symlink_metadata().ok()?.file_type();
        Some(match () {
            () if kind.is_symlink() => Entry::Link,
            () if kind.is_dir() => Entry::Folder,
            () => Entry::File,
        })
    }

    /// The text of the file that a link of the repository leads to, inside of it.
    pub fn text_behind_link(&self, path: &str) -> Option<String> {
        let Source::Folder { root, base } = &self.source else { return None };
        let place = base.join(path).canonicalize().ok().filter(|place| place.starts_with(root))?;
        let small = place.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
        small.then(|| std::fs::read_to_string(&place).ok()).flatten()
    }

    /// The text of a file; none for links, for what is no text, and for what is larger than configuration gets.
    pub fn text(&self, path: &str) -> Option<String> {
        if self.entry(path) != Some(Entry::File) {
            return None;
        }
        if let Some(text) = self.rewritten.get(path) {
            return Some(text.clone());
        }
        match &self.source {
            Source::Nothing => None,
            Source::Memory(files) => files.get(path).cloned(),
            Source::Folder { base, .. } => {
                let path = base.join(path);
                let small = path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
                small.then(|| std::fs::read_to_string(&path).ok()).flatten()
            }
        }
    }

    /// Whether git leaves a file out of the repository, by its index or by the .gitignore of the folders above it: it is then missing in
    /// other clones. What was not added yet counts as left out only where the index lists other files.
    pub fn is_left_out_of_git(&self, path: &str) -> bool {
        if let Some(index) = self.known.index.get_or_init(|| self.index()) {
            let mut entry = path.as_bytes().to_vec();
            entry.push(0);
            return !index.windows(entry.len()).any(|bytes| bytes == entry);
        }
        self.is_git_ignored(path)
    }

    /// The index of the repository, if its version writes each path out: entries end with their path and a zero byte.
    /// Source: gitformat-index(5).
    fn index(&self) -> Option<Vec<u8>> {
        let Source::Folder { root, base } = &self.source else { return None };
        let bytes = std::fs::read(root.join(".git/index")).ok()?;
        let version = bytes.get(4..8)?;
        (root == base && bytes.starts_with(b"DIRC") && matches!(version, [0, 0, 0, 2 | 3]) && bytes.len() > 32)
            .then_some(bytes)
    }

    fn is_git_ignored(&self, path: &str) -> bool {
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        let mut ignored = false;
        for folder in std::iter::once(".").chain(parents) {
            let Some(text) = self.text(&super::join(folder, ".gitignore")) else { continue };
            let mut builder = GitignoreBuilder::new("/");
            for line in text.lines() {
                // A line that git does not read either says nothing.
                let _ = builder.add_line(None, line);
            }
            let Ok(rules) = builder.build() else { continue };
            let below = if folder == "." { path } else { &path[folder.len() + 1..] };
            match rules.matched_path_or_any_parents(Path::new("/").join(below), false) {
                ignore::Match::Ignore(_) => ignored = true,
                ignore::Match::Whitelist(_) => ignored = false,
                ignore::Match::None => {}
            }
        }
        ignored
    }

    /// The texts of all files of the repository up to a size in bytes, but for what git leaves out and for other people's files; sorted
    /// by path.
    pub fn texts(&self, largest: u64) -> Vec<(String, String)> {
        const FOREIGN: [&str; 3] = [".git", "node_modules", "vendor"];
        match &self.source {
            Source::Nothing => Vec::new(),
            Source::Memory(files) => files.iter().map(|(path, text)| (path.clone(), text.clone())).collect(),
            Source::Folder { root, base } => {
                let walker = WalkBuilder::new(root)
                    .hidden(false)
                    .follow_links(false)
                    .max_filesize(Some(largest))
                    .filter_entry(|entry| entry.file_name().to_str().is_none_or(|name| !FOREIGN.contains(&name)))
                    .sort_by_file_path(std::cmp::Ord::cmp)
                    .build();
                let files = walker.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
                let read = files.filter_map(|entry| {
                    let path = entry.path();
                    let shown = path.strip_prefix(base).or_else(|_| path.strip_prefix(root)).ok()?;
                    let shown = shown.to_str()?.replace(std::path::MAIN_SEPARATOR, "/");
                    Some((shown, std::fs::read_to_string(path).ok()?))
                });
                read.collect()
            }
        }
    }

    /// The names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Arc<Vec<String>> {
        if let Some(known) = lock(&self.known.names).get(folder) {
            return Arc::clone(known);
        }
        let names = Arc::new(self.list(folder));
        lock(&self.known.names).insert(folder.to_owned(), Arc::clone(&names));
        names
    }

    fn list(&self, folder: &str) -> Vec<String> {
        if self.entry(folder) != Some(Entry::Folder) {
            return Vec::new();
        }
        let mut names: Vec<String> = match &self.source {
            Source::Nothing => Vec::new(),
            Source::Memory(files) => {
                let beneath = if folder == "." { String::new() } else { format!("{folder}/") };
                let inside = files.keys().filter_map(|path| path.strip_prefix(&beneath));
                inside.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect()
            }
            Source::Folder { base, .. } => {
                let entries = std::fs::read_dir(base.join(folder)).into_iter().flatten().flatten();
                entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
            }
        };
        names.sort();
        names.dedup();
        names
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_in_memory_are_what_paths_name() {
        let tree = Tree::memory(&[("a/b/c", "x"), ("a/d", "y")]);
        assert_eq!(
            (tree.entry("a/b"), tree.entry("a/b/c"), tree.entry("a/x")),
            (Some(Entry::Folder), Some(Entry::File), None)
        );
        assert_eq!(
            (tree.names("a").to_vec(), tree.names(".").to_vec()),
            (vec!["b".to_owned(), "d".to_owned()], vec!["a".to_owned()])
        );
    }

    #[test]
    fn a_file_that_was_rewritten_has_its_new_text() {
        let mut tree = Tree::memory(&[("a", "x")]);
        let before = tree.clone();
        tree.rewrite("a", "y");
        assert_eq!((tree.text("a").as_deref(), before.text("a").as_deref()), (Some("y"), Some("x")));
    }

    #[test]
    fn the_nearest_gitignore_has_the_last_word() {
        let tree = Tree::memory(&[
            (".gitignore", ".env\n/a/*.lock\n"),
            ("a/.gitignore", "!keep.lock\n"),
            ("a/b/.gitignore", "*\n"),
        ]);
        let ignored = |path: &str| tree.is_left_out_of_git(path);
        assert!(ignored(".env") && ignored("a/.env") && ignored("a/x.lock") && ignored("a/b/c"));
        assert!(!ignored("a/keep.lock") && !ignored("x.lock"));
    }

    #[test]
    fn a_file_that_the_index_does_not_list_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let run = std::process::Command::new("git").args(arguments).current_dir(folder.path()).output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        };
        git(&["init", "-q"]);
        for name in ["a", "b"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let tree = || Tree::folder(folder.path(), folder.path());
        assert!(!tree().is_left_out_of_git("b"));
        git(&["add", "a"]);
        assert!(tree().is_left_out_of_git("b") && !tree().is_left_out_of_git("a"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_seen_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("real")).unwrap();
        std::fs::write(folder.path().join("real/file"), "x").unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        let tree = Tree::folder(folder.path(), folder.path());
        assert_eq!(tree.text("real/file").as_deref(), Some("x"));
        assert_eq!(
            (tree.entry("link"), tree.entry("link/file"), tree.text("link/file")),
            (Some(Entry::Link), Some(Entry::Link), None)
        );
        assert_eq!(tree.text("../x"), None);
    }
}
