//! From the paths of the command line to files: what is named, and what is found by walking folders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use ignore::overrides::{Override, OverrideBuilder};

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
                let kind = kind_of(path).unwrap_or(Kind::Dockerfile);
                add(path.clone(), kind, true, path.parent().unwrap_or(Path::new("")), &mut files);
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
        let configured = more.matched(relative, false).is_whitelist() || is_configured(path);
        let kind = if configured { Some(Kind::Dockerfile) } else { kind_of(path) };
        let Some(kind) = kind else { continue };
        if entry.file_type().is_some_and(|kind| kind.is_symlink()) && !path.is_file() {
            continue;
        }
        if kind == Kind::Compose {
            named_by_compose.extend(dockerfiles_of_compose(path));
        }
        add(path.to_owned(), kind, false, folder, files);
    }
    for path in named_by_compose {
        let inside = path
            .canonicalize()
            .ok()
            .zip(folder.canonicalize().ok())
            .is_some_and(|(path, folder)| path.starts_with(folder));
        if inside && path.is_file() {
            add(path, Kind::Dockerfile, false, folder, files);
        }
    }
}

/// The files found so far, and the repository of each folder that was asked for.
#[derive(Default)]
struct Files {
    found: BTreeMap<PathBuf, Found>,
    roots: HashMap<PathBuf, Option<PathBuf>>,
    /// Whether the command line names more than one path: outside a repository the paths then keep their names apart.
    several: bool,
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
}

impl Files {
    /// Takes each file once, by what it is and not by how it is called; links out of the repository and names that can't be
    /// written into a patch are reported instead.
    fn finish(self, mut errors: Vec<WalkError>) -> Discovery {
        let mut files: Vec<Found> = Vec::new();
        let mut targets: HashMap<PathBuf, usize> = HashMap::new();
        let mut roots: HashMap<PathBuf, PathBuf> = HashMap::new();
        for found in self.found.into_values() {
            let error = |message: &str| WalkError {
                path: found.shown.clone(),
                message: message.to_owned(),
                named: found.named,
            };
            if found.shown.to_str().is_none() {
                errors.push(error("its name is not UTF-8; rename it"));
                continue;
            }
            let Ok(target) = found.shown.canonicalize() else {
                errors.push(error("it can't be found any more"));
                continue;
            };
            let root = roots
                .entry(found.root.clone())
                .or_insert_with(|| found.root.canonicalize().unwrap_or_else(|_| found.root.clone()));
            if !target.starts_with(root) {
                errors.push(error("it leads out of the repository; name the file itself"));
                continue;
            }
            match targets.get(&target) {
                // The file itself stands for the links to it.
                Some(&at) if files[at].shown.is_symlink() && !found.shown.is_symlink() => {
                    files[at] = Found { named: found.named || files[at].named, ..found };
                }
                Some(&at) => files[at].named |= found.named,
                None => {
                    targets.insert(target, files.len());
                    files.push(found);
                }
            }
        }
        files.sort_by(|left, right| left.shown.cmp(&right.shown));
        Discovery { files, errors }
    }
}

fn add(shown: PathBuf, kind: Kind, named: bool, folder: &Path, files: &mut Files) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let shown = clean(&shown);
    let absolute = |path: &Path| std::path::absolute(path).map(|path| clean(&path)).unwrap_or_else(|_| path.to_owned());
    let place = absolute(&shown);
    let root = place.parent().and_then(|parent| files.repository(parent)).unwrap_or_else(|| folder.to_owned());
    let in_repository = root.join(".git").exists();
    let relative = match place.strip_prefix(absolute(&root)) {
        Ok(relative) if in_repository || !files.several => slashes(relative),
        _ => slashes(&shown),
    };
    let entry = files.found.entry(shown.clone()).or_insert(Found { shown, relative, kind, named, root });
    entry.named |= named;
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

/// The Dockerfiles that a compose file names.
fn dockerfiles_of_compose(path: &Path) -> Vec<PathBuf> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    if !text.contains("dockerfile") {
        return Vec::new();
    }
    let Ok(value) = serde_yaml::from_str::<serde_yaml::Value>(text.trim_start_matches('\u{feff}')) else {
        return Vec::new();
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let services = value.get("services").and_then(|services| services.as_mapping()).into_iter().flatten();
    let named = services.filter_map(|(_, service)| {
        let build = service.get("build")?;
        let dockerfile = build.get("dockerfile")?.as_str()?;
        let context = build.get("context").and_then(|context| context.as_str()).unwrap_or(".");
        let literal = !dockerfile.contains('$') && !context.contains('$') && !context.contains("://");
        literal.then(|| folder.join(context).join(dockerfile))
    });
    named.collect()
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
