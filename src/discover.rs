//! From the paths of the command line to files: what is named, and what is found by walking folders.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ignore::WalkBuilder;
use ignore::overrides::{Override, OverrideBuilder};

use crate::facts::compose;
use crate::transform::Kind;

/// Folders that hold other people's files.
const FOREIGN: [&str; 4] = ["vendor", "node_modules", "testdata", ".git"];

/// A file to work on.
#[derive(Debug, Clone)]
pub struct Found {
    /// As shown: what was named, with what lies beneath it.
    pub shown: PathBuf,
    /// Relative to the git root, or to the named folder outside a repository; with slashes.
    pub relative: String,
    pub kind: Kind,
    /// Whether the command line names the file itself.
    pub named: bool,
    /// The root of the repository that it is in, or the named folder.
    pub root: PathBuf,
}

/// Files, and what could not be looked into.
#[derive(Debug, Default)]
pub struct Discovery {
    /// By shown path, each file once.
    pub files: Vec<Found>,
    pub errors: Vec<WalkError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkError {
    pub path: PathBuf,
    pub message: String,
    /// Whether the command line names the path.
    pub named: bool,
}

/// Globs of `--dockerfile`.
///
/// # Errors
/// A glob that can't be read.
pub fn dockerfile_globs(globs: &[String]) -> Result<Override, ignore::Error> {
    let mut builder = OverrideBuilder::new("");
    for glob in globs {
        builder.add(glob)?;
    }
    builder.build()
}

/// Finds the files under `paths`. `more` are globs beside the known names.
pub fn discover(paths: &[PathBuf], more: &Override, is_configured: &dyn Fn(&Path) -> bool) -> Discovery {
    let mut files = Files { several: paths.len() > 1, ..Files::default() };
    let mut errors = Vec::new();
    for path in paths {
        match std::fs::metadata(path) {
            Err(error) => errors.push(WalkError { path: path.clone(), message: error.to_string(), named: true }),
            Ok(meta) if meta.is_dir() => walk(path, more, is_configured, &mut files, &mut errors),
            Ok(_) => {
                let kind = kind_of(path).unwrap_or_else(|| kind_by_content(path));
                let base = path.parent().unwrap_or(Path::new(""));
                files.add(path.clone(), kind, true, base, path.is_symlink());
            }
        }
    }
    files.finish(errors)
}

fn walk(
    folder: &Path,
    more: &Override,
    is_configured: &dyn Fn(&Path) -> bool,
    files: &mut Files,
    errors: &mut Vec<WalkError>,
) {
    let walker = WalkBuilder::new(folder)
        .hidden(false)
        .sort_by_file_name(std::cmp::Ord::cmp)
        .filter_entry(|entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if entry.depth() == 0 || !is_folder {
                return true;
            }
            let foreign = entry.file_name().to_str().is_some_and(|name| FOREIGN.contains(&name));
            // A submodule has a file `.git`, a repository of its own a folder.
            !foreign && !entry.path().join(".git").is_file()
        })
        .build();
    let mut named_by_compose = Vec::new();
    for entry in walker {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error_path(&error).unwrap_or_else(|| folder.to_owned());
                errors.push(WalkError { path, message: plain(&error), named: false });
                continue;
            }
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file() || kind.is_symlink()) {
            continue;
        }
        let path = entry.path();
        let relative = path.strip_prefix(folder).unwrap_or(path);
        let is_named = || more.matched(relative, false).is_whitelist() || is_configured(path);
        let Some(kind) = kind_of(path).or_else(|| is_named().then_some(Kind::Dockerfile)) else { continue };
        let is_link = entry.path_is_symlink();
        if is_link && !path.is_file() {
            continue;
        }
        if kind == Kind::Compose {
            named_by_compose.extend(dockerfiles_of_compose(path));
        }
        files.add(path.to_owned(), kind, false, folder, is_link);
    }
    for path in named_by_compose {
        let inside = path
            .canonicalize()
            .ok()
            .zip(folder.canonicalize().ok())
            .is_some_and(|(path, folder)| path.starts_with(folder));
        if inside && path.is_file() {
            let is_link = path.is_symlink();
            files.add(path, Kind::Dockerfile, false, folder, is_link);
        }
    }
}

/// The files found so far, and what is known of their folders.
#[derive(Default)]
struct Files {
    found: Vec<(Found, bool)>,
    shown: HashSet<OsString>,
    folders: HashMap<OsString, Rc<Folder>>,
    roots: HashMap<PathBuf, Option<PathBuf>>,
    /// Whether the command line names more than one path: outside a repository the paths then keep their names apart.
    several: bool,
}

/// What all files of a folder share.
struct Folder {
    root: PathBuf,
    /// From the root to the folder; `None` where the shown path stands for itself.
    relative: Option<PathBuf>,
    /// Behind all links, and whether that is inside the root.
    real: std::io::Result<PathBuf>,
    inside: bool,
}

impl Files {
    /// The nearest folder from `folder` upwards that holds `.git`.
    fn repository(&mut self, folder: &Path) -> Option<PathBuf> {
        if let Some(known) = self.roots.get(folder) {
            return known.clone();
        }
        let found = if folder.join(".git").exists() {
            Some(folder.to_owned())
        } else {
            folder.parent().and_then(|parent| self.repository(parent))
        };
        self.roots.insert(folder.to_owned(), found.clone());
        found
    }

    /// What is known of `folder`, found under the named path `base`.
    fn folder(&mut self, folder: &Path, base: &Path) -> Rc<Folder> {
        if let Some(known) = self.folders.get(folder.as_os_str()) {
            return Rc::clone(known);
        }
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let absolute = |path: &Path| std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| clean(&path));
        let place = absolute(here);
        let repository = self.repository(&place);
        let in_repository = repository.is_some();
        let root = repository.unwrap_or_else(|| base.to_owned());
        let relative = place.strip_prefix(absolute(&root)).ok().map(Path::to_owned);
        let relative = relative.filter(|_| in_repository || !self.several);
        let real = here.canonicalize();
        let inside = real.as_ref().is_ok_and(|real| root.canonicalize().is_ok_and(|root| real.starts_with(root)));
        let known = Rc::new(Folder { root, relative, real, inside });
        self.folders.insert(folder.as_os_str().to_owned(), Rc::clone(&known));
        known
    }

    fn add(&mut self, shown: PathBuf, kind: Kind, named: bool, base: &Path, is_link: bool) {
        let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
        let shown = clean(&shown);
        if !self.shown.insert(shown.as_os_str().to_owned()) {
            if let Some((known, _)) =
                self.found.iter_mut().find(|(known, _)| known.shown.as_os_str() == shown.as_os_str())
            {
                known.named |= named;
            }
            return;
        }
        let folder = self.folder(shown.parent().unwrap_or(Path::new("")), base);
        let relative = match (&folder.relative, shown.file_name()) {
            (Some(relative), Some(name)) => slashes(&relative.join(name)),
            _ => slashes(&shown),
        };
        self.found.push((Found { shown, relative, kind, named, root: folder.root.clone() }, is_link));
    }

    /// Takes each file once, by what it is and not by how it is called; links out of the repository and names that can't be
    /// written into a patch are reported instead.
    fn finish(mut self, mut errors: Vec<WalkError>) -> Discovery {
        let mut files: Vec<(Found, bool)> = Vec::new();
        let mut targets: HashMap<OsString, usize> = HashMap::new();
        for (found, is_link) in std::mem::take(&mut self.found) {
            let error = |message: &str| WalkError {
                path: found.shown.clone(),
                message: message.to_owned(),
                named: found.named,
            };
            if found.shown.to_str().is_none() {
                errors.push(error("its name is not UTF-8; rename it"));
                continue;
            }
            let folder = self.folder(found.shown.parent().unwrap_or(Path::new("")), &found.root);
            let target = match (&folder.real, found.shown.file_name()) {
                (Ok(real), Some(name)) if !is_link => Ok((real.join(name), folder.inside)),
                _ => found.shown.canonicalize().map(|real| {
                    let inside = found.root.canonicalize().is_ok_and(|root| real.starts_with(root));
                    (real, inside)
                }),
            };
            let (target, inside) = match target {
                Ok(target) => target,
                Err(problem) => {
                    errors.push(error(&problem.to_string()));
                    continue;
                }
            };
            if !inside {
                errors.push(error("it leads out of the repository; name the file itself"));
                continue;
            }
            match targets.get(target.as_os_str()) {
                // The file itself stands for the links to it.
                Some(&at) if files[at].1 && !is_link => {
                    let named = found.named || files[at].0.named;
                    files[at] = (Found { named, ..found }, false);
                }
                Some(&at) => files[at].0.named |= found.named,
                None => {
                    targets.insert(target.into_os_string(), files.len());
                    files.push((found, is_link));
                }
            }
        }
        let mut files: Vec<Found> = files.into_iter().map(|(found, _)| found).collect();
        files.sort_by(|left, right| left.shown.as_os_str().cmp(right.shown.as_os_str()));
        Discovery { files, errors }
    }
}

/// A path with slashes. On other systems than Windows a backslash is a character like any other.
fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// The nearest folder from `path` upwards that holds `.git`.
pub fn repository(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    absolute.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// `path` without `.` components, and with `..` resolved where something stands before it.
fn clean(path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_encoded_bytes();
    let dots = bytes.starts_with(b"./") || bytes == b"." || bytes.windows(2).any(|pair| pair == b"/." || pair == b"//");
    if !dots && bytes.last() != Some(&b'/') {
        return path.to_owned();
    }
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir
                if matches!(out.components().next_back(), Some(std::path::Component::Normal(_))) =>
            {
                out.pop();
            }
            _ => out.push(part),
        }
    }
    out
}

/// What the name of a file says it is.
pub fn kind_of(path: &Path) -> Option<Kind> {
    let lower = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let is_yaml = lower.ends_with(".yml") || lower.ends_with(".yaml");
    if lower.ends_with(".dockerignore") {
        return None;
    }
    if lower == "dockerfile"
        || lower.starts_with("dockerfile.")
        || lower.ends_with(".dockerfile")
        || lower.starts_with("containerfile")
        || lower.ends_with(".containerfile")
    {
        return Some(Kind::Dockerfile);
    }
    if is_yaml && (lower.starts_with("compose") || lower.starts_with("docker-compose")) {
        return Some(Kind::Compose);
    }
    if matches!(lower.as_str(), "docker-bake.hcl" | "docker-bake.json") {
        return Some(Kind::Bake);
    }
    let in_workflows = path.parent().is_some_and(|folder| folder.ends_with(".github/workflows"));
    (is_yaml && in_workflows).then_some(Kind::Workflow)
}

/// What a file is that was named and whose name does not tell.
fn kind_by_content(path: &Path) -> Kind {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("yml" | "yaml") => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let has = |key: &str| text.lines().any(|line| line.starts_with(key));
            if has("jobs:") && !has("services:") { Kind::Workflow } else { Kind::Compose }
        }
        Some("hcl" | "json") => Kind::Bake,
        _ => Kind::Dockerfile,
    }
}

/// The Dockerfiles that a compose file names.
fn dockerfiles_of_compose(path: &Path) -> Vec<PathBuf> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    if !text.contains("dockerfile") {
        return Vec::new();
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    compose::named_dockerfiles(&text).into_iter().map(|named| folder.join(named)).collect()
}

fn error_path(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        _ => None,
    }
}

fn plain(error: &ignore::Error) -> String {
    match error.io_error() {
        Some(io) => io.to_string(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_kind() {
        for (name, kind) in [
            ("Dockerfile", Some(Kind::Dockerfile)),
            ("Dockerfile.dev", Some(Kind::Dockerfile)),
            ("api.Dockerfile", Some(Kind::Dockerfile)),
            ("api.dockerfile", Some(Kind::Dockerfile)),
            ("Containerfile", Some(Kind::Dockerfile)),
            ("Dockerfile.dockerignore", None),
            ("docker-compose.dev.yml", Some(Kind::Compose)),
            ("compose.yaml", Some(Kind::Compose)),
            (".github/workflows/ci.yml", Some(Kind::Workflow)),
            ("docker-bake.hcl", Some(Kind::Bake)),
            ("ci.yml", None),
        ] {
            assert_eq!(kind_of(Path::new(name)), kind, "{name}");
        }
    }
}
