//! A copy of a build context that builds may change: the user's own files are never written.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::process::Interrupt;
use super::{Service, Side};
use crate::context::{BuildContext, Dockerignore, Tree};

const CONTEXT: &str = "context";
const BESIDE: &str = "dockerfile";

/// Where the Dockerfile lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Its path in the context, with slashes.
    Inside(String),
    /// Its name.
    Outside(String),
}

/// One side of a service, in a temporary folder.
pub struct Copy {
    folder: tempfile::TempDir,
    place: Place,
    text: String,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct CopyError {
    pub path: PathBuf,
    pub error: io::Error,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |error| CopyError { path, error }
}

impl Copy {
    /// Copies what the builder gets of the context, and puts the texts of `side` into it.
    ///
    /// # Errors
    /// A file that can't be read, or a temporary folder that is full.
    pub fn make(service: &Service, side: &Side, name: &str, interrupt: &Interrupt) -> Result<Self, CopyError> {
        let folder = tempfile::Builder::new().prefix(name).tempdir().map_err(at(&std::env::temp_dir()))?;
        let copy = Self { folder, place: service.place.clone(), text: side.text.clone() };
        let context = copy.context();
        fs::create_dir(&context).map_err(at(&context))?;
        let walk = Walk { ignore: copy.ignore(service, side), interrupt };
        walk.folder(&service.context, &context, "")?;
        for (path, text) in &side.files {
            let path = context.join(path);
            write(&path, text)?;
        }
        if let (Place::Outside(name), Some(ignore)) = (&copy.place, &side.ignore) {
            write(&copy.folder.path().join(BESIDE).join(format!("{name}.dockerignore")), ignore)?;
        }
        copy.set_dockerfile(&copy.text)?;
        Ok(copy)
    }

    /// What the builder keeps out; nothing where it can't be read, since the builder then has its say.
    fn ignore(&self, service: &Service, side: &Side) -> Dockerignore {
        let text_of = |path: &str| {
            let known = side.files.get(path).cloned();
            known.or_else(|| fs::read_to_string(service.context.join(path)).ok())
        };
        let own = match &self.place {
            Place::Inside(path) => text_of(&format!("{path}.dockerignore")),
            Place::Outside(_) => side.ignore.clone(),
        };
        let text = own.or_else(|| text_of(".dockerignore")).unwrap_or_default();
        Dockerignore::read(&text).unwrap_or_default()
    }

    pub fn context(&self) -> PathBuf {
        self.folder.path().join(CONTEXT)
    }

    pub fn dockerfile(&self) -> PathBuf {
        match &self.place {
            Place::Inside(path) => self.context().join(path),
            Place::Outside(name) => self.folder.path().join(BESIDE).join(name),
        }
    }

    /// A folder of the copy that is no part of the context.
    pub fn beside(&self, name: &str) -> Result<PathBuf, CopyError> {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(folder)
    }

    /// The files, for [`Self::build_context`].
    pub fn tree(&self) -> Tree {
        Tree::folder(self.folder.path(), self.folder.path())
    }

    /// The build context as the builder sees it.
    ///
    /// # Errors
    /// A .dockerignore that can't be read.
    pub fn build_context<'t>(&self, tree: &'t Tree) -> Result<BuildContext<'t>, String> {
        let dockerfile = match &self.place {
            Place::Inside(path) => format!("{CONTEXT}/{path}"),
            Place::Outside(name) => format!("{BESIDE}/{name}"),
        };
        BuildContext::open(tree, CONTEXT, &dockerfile)
    }

    /// Gives the Dockerfile another text.
    ///
    /// # Errors
    /// It can't be written.
    pub fn set_dockerfile(&self, text: &str) -> Result<(), CopyError> {
        write(&self.dockerfile(), text)
    }

    /// Puts the Dockerfile back.
    ///
    /// # Errors
    /// It can't be written.
    pub fn reset_dockerfile(&self) -> Result<(), CopyError> {
        self.set_dockerfile(&self.text)
    }

    /// Adds line breaks to the end of a file of the context. Gives what it held before.
    ///
    /// # Errors
    /// It is no plain file of the copy, or can't be written.
    pub fn touch(&self, path: &str, breaks: usize) -> Result<Vec<u8>, CopyError> {
        let file = self.context().join(path);
        // Behind a link the user's own file may lie.
        let real = file.canonicalize().map_err(at(&file))?;
        let root = self.context().canonicalize().map_err(at(&file))?;
        if !real.starts_with(root) || !real.is_file() {
            return Err(at(&file)(io::Error::other("it is no plain file of the build context")));
        }
        let before = fs::read(&real).map_err(at(&file))?;
        let mut after = before.clone();
        after.resize(before.len() + breaks, b'\n');
        fs::write(&real, after).map_err(at(&file))?;
        Ok(before)
    }

    /// Gives a file of the context back what it held.
    ///
    /// # Errors
    /// It can't be written.
    pub fn restore(&self, path: &str, content: &[u8]) -> Result<(), CopyError> {
        let file = self.context().join(path);
        fs::write(&file, content).map_err(at(&file))
    }

    /// Leaves the folder where it is, and says where.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

fn write(path: &Path, text: &str) -> Result<(), CopyError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    // A link in the copy leads to the file of the user: it is replaced, not followed.
    if path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
        fs::remove_file(path).map_err(at(path))?;
    }
    fs::write(path, text).map_err(at(path))
}

struct Walk<'a> {
    ignore: Dockerignore,
    interrupt: &'a Interrupt,
}

impl Walk<'_> {
    fn folder(&self, from: &Path, to: &Path, path: &str) -> Result<(), CopyError> {
        let mut entries: BTreeMap<_, _> = BTreeMap::new();
        for entry in fs::read_dir(from).map_err(at(from))? {
            let entry = entry.map_err(at(from))?;
            entries.insert(entry.file_name(), entry.file_type().map_err(at(from))?);
        }
        for (name, kind) in entries {
            if self.interrupt.is_set() {
                return Err(at(from)(io::Error::other("interrupted")));
            }
            let (source, target) = (from.join(&name), to.join(&name));
            let path = below(path, &name);
            if kind.is_dir() {
                if self.ignore.excludes(&path) && self.ignore.excludes_whole(&path) {
                    continue;
                }
                fs::create_dir(&target).map_err(at(&target))?;
                self.folder(&source, &target, &path)?;
                keep_metadata(&source, &target).map_err(at(&target))?;
            } else if self.ignore.excludes(&path) && !path.ends_with(".dockerignore") {
                // Never sent.
            } else if kind.is_symlink() {
                link(&fs::read_link(&source).map_err(at(&source))?, &target).map_err(at(&target))?;
            } else if kind.is_file() {
                // Its mode comes along.
                fs::copy(&source, &target).map_err(at(&source))?;
                keep_metadata(&source, &target).map_err(at(&target))?;
            }
            // Sockets and the like are never sent.
        }
        Ok(())
    }
}

fn below(folder: &str, name: &OsStr) -> String {
    let name = name.to_string_lossy();
    if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") }
}

/// Mode, and the time at which it was changed: a RUN may ask what is newer.
fn keep_metadata(source: &Path, target: &Path) -> io::Result<()> {
    let meta = fs::metadata(source)?;
    if let (Ok(time), Ok(file)) = (meta.modified(), fs::File::open(target)) {
        // Some file systems keep no times.
        let _ = file.set_modified(time);
    }
    fs::set_permissions(target, meta.permissions())
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(to, at)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::facts::Knowledge;

    fn service(context: &Path, place: Place) -> Service {
        let side = |text: &str, files: &[(&str, &str)]| Side {
            text: text.to_owned(),
            files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
            ignore: None,
        };
        Service {
            name: "x".to_owned(),
            dockerfile: "Dockerfile".to_owned(),
            shown_context: ".".to_owned(),
            context: context.to_owned(),
            place,
            target: None,
            arguments: Vec::new(),
            contexts: Vec::new(),
            network: None,
            before: side("FROM a\n", &[]),
            after: side("FROM b\n", &[(".dockerignore", "node_modules\ndata\n")]),
            knowledge: Knowledge::default(),
            per_commit: Vec::new(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_copy_keeps_links_and_modes_and_leaves_out_what_is_never_sent() {
        let files = tempfile::tempdir().unwrap();
        let root = files.path();
        for (path, text) in
            [("Dockerfile", "FROM a\n"), (".dockerignore", "data\n"), ("data/big", "x"), ("app/run", "x")]
        {
            write(&root.join(path), text).unwrap();
        }
        fs::create_dir(root.join("node_modules")).unwrap();
        fs::set_permissions(root.join("app/run"), fs::Permissions::from_mode(0o750)).unwrap();
        std::os::unix::fs::symlink("app/run", root.join("start")).unwrap();
        let service = service(root, Place::Inside("Dockerfile".to_owned()));
        let interrupt = Interrupt::default();
        let before = Copy::make(&service, &service.before, "restow-test-", &interrupt).unwrap();
        assert_eq!(names(&before.context()), [".dockerignore", "Dockerfile", "app", "node_modules", "start"]);
        assert_eq!(fs::read_link(before.context().join("start")).unwrap(), Path::new("app/run"));
        let mode = fs::metadata(before.context().join("app/run")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
        let after = Copy::make(&service, &service.after, "restow-test-", &interrupt).unwrap();
        assert_eq!(names(&after.context()), [".dockerignore", "Dockerfile", "app", "start"]);
        assert_eq!(fs::read_to_string(after.dockerfile()).unwrap(), "FROM b\n");
        assert_eq!(fs::read_to_string(root.join("Dockerfile")).unwrap(), "FROM a\n");
    }

    #[test]
    fn edits_are_taken_back_and_never_reach_the_files_of_the_user() {
        let files = tempfile::tempdir().unwrap();
        let other = tempfile::NamedTempFile::new().unwrap();
        fs::write(other.path(), "mine").unwrap();
        write(&files.path().join("a.txt"), "a").unwrap();
        std::os::unix::fs::symlink(other.path(), files.path().join("link")).unwrap();
        std::os::unix::fs::symlink(other.path(), files.path().join("Dockerfile")).unwrap();
        let service = service(files.path(), Place::Inside("Dockerfile".to_owned()));
        let copy = Copy::make(&service, &service.before, "restow-test-", &Interrupt::default()).unwrap();
        let before = copy.touch("a.txt", 3).unwrap();
        assert_eq!(fs::read_to_string(copy.context().join("a.txt")).unwrap(), "a\n\n\n");
        copy.restore("a.txt", &before).unwrap();
        assert_eq!(fs::read_to_string(copy.context().join("a.txt")).unwrap(), "a");
        assert!(copy.touch("link", 1).is_err());
        assert_eq!(fs::read_to_string(other.path()).unwrap(), "mine");
    }

    #[test]
    fn a_dockerfile_outside_of_the_context_brings_its_own_dockerignore() {
        let files = tempfile::tempdir().unwrap();
        write(&files.path().join("a.txt"), "a").unwrap();
        write(&files.path().join("b.txt"), "b").unwrap();
        let mut service = service(files.path(), Place::Outside("x.Dockerfile".to_owned()));
        service.before.ignore = Some("b.txt\n".to_owned());
        let copy = Copy::make(&service, &service.before, "restow-test-", &Interrupt::default()).unwrap();
        assert_eq!(names(&copy.context()), ["a.txt"]);
        let tree = copy.tree();
        assert!(copy.build_context(&tree).unwrap().entry("a.txt").is_some());
        assert_eq!(names(copy.dockerfile().parent().unwrap()), ["x.Dockerfile", "x.Dockerfile.dockerignore"]);
    }
}
