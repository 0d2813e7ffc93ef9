//! What stands beside an install: looked up, and matched against the patterns of workspaces.

use super::paths::join;
use super::{Entry, Files, Install};

/// How far above the folder of an install its configuration is looked for.
const LEVELS: usize = 8;

/// `folder` and the folders above it, nearest first.
pub fn upwards(folder: &str) -> Vec<String> {
    let mut folders = vec![join(".", folder)];
    for _ in 0..LEVELS {
        let last = folders.last().map_or(".", String::as_str);
        let above = join(last, "..");
        if above == last {
            break;
        }
        folders.push(above);
    }
    folders
}

/// The folders above the one that an install runs in, nearest first.
pub fn above() -> Vec<String> {
    (1..=LEVELS).map(|level| vec![".."; level].join("/")).collect()
}

/// Puts `path` among `reads` if it is there.
///
/// # Errors
/// A link: what it leads to isn't copied with it.
pub fn take(reads: &mut Vec<String>, files: &dyn Files, path: &str) -> Result<bool, String> {
    match files.entry(path) {
        Some(Entry::File) => {
            if !reads.iter().any(|known| known == path) {
                reads.push(path.to_owned());
            }
            Ok(true)
        }
        Some(Entry::Link) => Err(format!("{path} is a link")),
        Some(Entry::Folder) | None => Ok(false),
    }
}

/// The folders that a pattern of a workspace means (`packages/*`), sorted.
///
/// # Errors
/// A pattern with more than `*` and `?` in it.
pub fn matching(files: &dyn Files, pattern: &str) -> Result<Vec<String>, String> {
    if pattern.contains("**") || pattern.contains(['[', '{', '!', '\\']) {
        return Err(format!("the pattern {pattern} is not read"));
    }
    let mut found = vec![".".to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let mut next = Vec::new();
        for folder in &found {
            if part.contains(['*', '?']) {
                let names = files.names(folder).into_iter().filter(|name| !name.starts_with('.') && fits(name, part));
                next.extend(names.map(|name| join(folder, &name)));
            } else {
                next.push(join(folder, part));
            }
        }
        found = next;
    }
    found.retain(|folder| files.entry(folder) == Some(Entry::Folder));
    Ok(found)
}

/// Whether a name is what a pattern with `*` and `?` means.
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| fits(&name[at..], rest))
        }
        Some(ch) => {
            let mut chars = name.chars();
            chars.next().is_some_and(|first| first == ch || ch == '?')
                && fits(chars.as_str(), &pattern[ch.len_utf8()..])
        }
    }
}

/// The files as they are seen from another folder.
pub struct Beneath<'a> {
    pub files: &'a dyn Files,
    pub folder: String,
}

impl Files for Beneath<'_> {
    fn entry(&self, path: &str) -> Option<Entry> {
        self.files.entry(&join(&self.folder, path))
    }

    fn text(&self, path: &str) -> Option<String> {
        self.files.text(&join(&self.folder, path))
    }

    fn names(&self, folder: &str) -> Vec<String> {
        self.files.names(&join(&self.folder, folder))
    }
}

impl Beneath<'_> {
    /// An install of this folder, as seen from the one around it.
    pub fn outside(&self, mut install: Install) -> Install {
        for paths in [&mut install.reads, &mut install.writes, &mut install.rewrites] {
            paths.iter_mut().for_each(|path| *path = join(&self.folder, path));
        }
        install
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;
    use crate::context::Tree;

    #[test]
    fn paths_are_joined_without_dots() {
        assert_eq!(join(".", "./a/../b/"), "b");
        assert_eq!((join("a", "../.."), join("a", "..")), ("..".to_owned(), ".".to_owned()));
        assert_eq!((join("/app", "../x"), join("a", "/b/./c")), ("/x".to_owned(), "/b/c".to_owned()));
        assert_eq!(upwards("a/b")[..4], ["a/b", "a", ".", ".."]);
        assert_eq!(upwards("/a"), ["/a", "/"]);
    }

    #[test]
    fn patterns_mean_folders() {
        let files = Memory(Tree::memory(&[("p/a/x", ""), ("p/ab/x", ""), ("p/f", ""), ("p/.hidden/x", "")]));
        assert_eq!(matching(&files, "p/*").unwrap(), ["p/a", "p/ab"]);
        assert_eq!(matching(&files, "./p/a?/").unwrap(), ["p/ab"]);
        assert_eq!(matching(&files, "p/a").unwrap(), ["p/a"]);
        assert!(matching(&files, "p/**").is_err());
    }
}
