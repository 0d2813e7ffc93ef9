//! A build context: a folder of the repository as the builder gets it, without what its .dockerignore keeps out.

use super::dockerignore::Dockerignore;
use super::tree::{Entry, Tree};

/// A folder of the repository as the builder gets it. Paths are relative to it, with slashes; `.` is the folder itself.
#[derive(Debug, Clone)]
pub struct BuildContext<'a> {
    tree: &'a Tree,
    /// Relative to the root of the project.
    pub folder: String,
    /// The .dockerignore that holds, or that would if it were there; relative to the root of the project.
    pub ignore_path: String,
    /// Whether it is there.
    pub has_ignore: bool,
    /// Whether it is a link: what is behind it may be another file's business, such as that of git.
    pub ignore_is_link: bool,
    pub ignore: Dockerignore,
}

impl<'a> BuildContext<'a> {
    /// The context at `folder` for the Dockerfile at `dockerfile`; both relative to the root of the project.
    ///
    /// # Errors
    /// No such folder, and a .dockerignore that can't be read.
    ///
    /// Source: `Dockerfile.dockerignore` wins over the context's own one (moby/buildkit `frontend/dockerui/config.go`).
    pub fn open(tree: &'a Tree, folder: &str, dockerfile: &str) -> Result<Self, String> {
        if tree.entry(folder) != Some(Entry::Folder) {
            return Err(format!("the build context {folder} is no folder of the repository"));
        }
        let own = format!("{dockerfile}.dockerignore");
        let shared = join(folder, ".dockerignore");
        let ignore_path = if tree.entry(&own).is_some() { own } else { shared };
        let has_ignore = match tree.entry(&ignore_path) {
            None => false,
            Some(Entry::File | Entry::Link) => true,
            Some(Entry::Folder) => return Err(format!("{ignore_path} is no plain file")),
        };
        // The builder follows a link (measured with BuildKit 0.26).
        let read = || tree.text(&ignore_path).or_else(|| tree.text_behind_link(&ignore_path));
        let text = if has_ignore { read().ok_or(format!("{ignore_path} can't be read"))? } else { String::new() };
        let ignore_is_link = tree.entry(&ignore_path) == Some(Entry::Link);
        let ignore = Dockerignore::read(&text).map_err(|bad| format!("{ignore_path} can't be read: {bad}"))?;
        Ok(Self { tree, folder: folder.to_owned(), ignore_path, has_ignore, ignore_is_link, ignore })
    }

    /// What the builder finds at `path`. A folder that is kept out is there all the same where something in it may not be.
    pub fn entry(&self, path: &str) -> Option<Entry> {
        let entry = self.tree.entry(&join(&self.folder, path))?;
        let is_out = match entry {
            _ if path == "." => false,
            Entry::Folder => self.ignore.excludes(path) && self.ignore.excludes_whole(path),
            Entry::File | Entry::Link => self.ignore.excludes(path),
        };
        (!is_out).then_some(entry)
    }

    /// A path of the project as the context calls it; none for what lies outside.
    pub fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.folder.as_str() {
            "." => Some(path),
            folder => path.strip_prefix(folder)?.strip_prefix('/'),
        }
    }

    /// Whether something stands at `path` in the repository, whether the builder gets it or not.
    pub fn has_on_disk(&self, path: &str) -> bool {
        self.tree.entry(&join(&self.folder, path)).is_some()
    }

    /// Whether git leaves the file out of the repository.
    pub fn is_left_out_of_git(&self, path: &str) -> bool {
        self.tree.is_left_out_of_git(&join(&self.folder, path))
    }

    /// The text of a file that the builder finds.
    pub fn text(&self, path: &str) -> Option<String> {
        (self.entry(path) == Some(Entry::File)).then(|| self.tree.text(&join(&self.folder, path))).flatten()
    }

    /// The names that the builder finds in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names = self.tree.names(&join(&self.folder, folder)).to_vec();
        names.retain(|name| self.entry(&join(folder, name)).is_some());
        names
    }
}

/// `path` beneath `folder`, both relative and without `..`; `.` is nothing.
pub fn join(folder: &str, path: &str) -> String {
    match (folder, path) {
        (".", path) => path.to_owned(),
        (folder, ".") => folder.to_owned(),
        (folder, path) => format!("{folder}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_out_is_not_there() {
        let files = [
            (".dockerignore", "*\n!packages/*/package.json\n!a.txt\n"),
            ("a.txt", ""),
            ("b.txt", ""),
            ("packages/x/package.json", ""),
            ("packages/x/y.js", ""),
        ];
        let tree = Tree::memory(&files);
        let context = BuildContext::open(&tree, ".", "Dockerfile").unwrap();
        assert_eq!(context.names("."), ["a.txt", "packages"]);
        assert_eq!((context.names("packages/x"), context.entry("b.txt")), (vec!["package.json".to_owned()], None));
        assert!(context.has_on_disk("b.txt"));
    }

    #[test]
    fn the_dockerignore_beside_the_dockerfile_wins() {
        let files = [(".dockerignore", "a\n"), ("d/Dockerfile.dockerignore", "b\n"), ("a", ""), ("b", "")];
        let tree = Tree::memory(&files);
        let context = BuildContext::open(&tree, ".", "d/Dockerfile").unwrap();
        assert_eq!((context.entry("a"), context.entry("b")), (Some(Entry::File), None));
    }
}
