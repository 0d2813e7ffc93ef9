//! What the comparison passes over: the list of docs/same-image.md, for the Dockerfiles at hand.

use std::collections::BTreeSet;

use super::Aspect;
use super::tar::{Entry, Kind, Tree};
use crate::facts::caches::caches;
use crate::facts::managers::{Directory, Manager};
use crate::facts::stages::State;
use crate::facts::{Facts, Variable};

/// Where restow lets apt keep archives.
const APT_ARCHIVES: [&str; 3] = ["/var/cache/apt-archives", "/var/apt-archives", "/opt/apt-archives"];
/// Which of them dnf and yum use depends on the distribution and its release.
const DNF_CACHES: [&str; 3] = ["/var/cache/libdnf5", "/var/cache/dnf", "/var/cache/yum"];
/// Where a mount for pip or uv goes that can't stand at the usual place.
const OTHER_PLACES: [&str; 2] = ["/var/cache/", "/opt/cache/"];

/// Files that say when a step ran, or where the builder had them: measured by building files twice as they are.
const OTHER_CONTENT: [&str; 5] = [
    "var/log/apt/history.log",
    "var/log/apt/term.log",
    "var/log/dpkg.log",
    "var/log/alternatives.log",
    "var/cache/ldconfig/aux-cache",
];

/// Paths have no slash in front, as in a [`Tree`].
#[derive(Debug, Clone, Default)]
pub struct PassedOver {
    /// Cache directories: with all that lies in them.
    caches: BTreeSet<String>,
    /// Where a cache mount stands.
    mounts: BTreeSet<String>,
    /// The folders that a cache mount lies in.
    parents: BTreeSet<String>,
    /// The folders that a cache directory lies in.
    above: BTreeSet<String>,
}

impl PassedOver {
    /// For images that are built from these Dockerfiles.
    pub fn of(files: &[&Facts<'_>]) -> Self {
        let mut found = Self::default();
        for facts in files {
            let mut in_play: Vec<&Manager> = Vec::new();
            for run in &facts.runs {
                for call in run.calls() {
                    if !in_play.iter().any(|known| known.id == call.manager.id) {
                        in_play.push(call.manager);
                    }
                    // apt's own archives and lists are compared, a few files aside.
                    if call.manager.id != "apt" {
                        let caches = caches(run, call).unwrap_or_default();
                        caches.iter().for_each(|cache| found.pass_tree(&cache.path));
                    }
                }
                for mount in run.mounts.iter().filter(|mount| mount.is_cache()) {
                    let Some(target) = &mount.target else { continue };
                    let target = target.trim_matches('/');
                    found.mounts.insert(target.to_owned());
                    found.parents.extend(folders_above(target));
                }
            }
            // A script that is not read may call them too, as another user.
            let states = facts.runs.iter().map(|run| &*run.state).chain(facts.stages.iter().map(|stage| &*stage.end));
            for state in states {
                in_play.iter().for_each(|manager| found.pass_manager(manager, state));
            }
        }
        found
    }

    fn pass_tree(&mut self, path: &str) {
        let path = path.trim_matches('/');
        if !path.is_empty() {
            self.caches.insert(path.to_owned());
            self.above.extend(folders_above(path));
        }
    }

    fn pass_manager(&mut self, manager: &Manager, state: &State) {
        match manager.id {
            "apt" => return APT_ARCHIVES.iter().for_each(|place| self.pass_tree(place)),
            "dnf" => return DNF_CACHES.iter().for_each(|place| self.pass_tree(place)),
            "pip" | "uv" => OTHER_PLACES.iter().for_each(|place| self.pass_tree(&format!("{place}{}", manager.id))),
            _ => {}
        }
        for place in manager.directories.iter().flat_map(|directory| places(directory, state)) {
            self.pass_tree(&place);
        }
    }

    /// Whether a path is passed over with all that lies in it.
    pub fn is_cache(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.chain([path]).any(|folder| self.caches.contains(folder))
    }

    /// Whether a difference in `aspect` at `path` doesn't count.
    pub fn passes(&self, path: &str, aspect: Aspect, before: &Tree, after: &Tree) -> bool {
        if self.is_cache(path) || is_apt_archive(path) {
            return true;
        }
        let hollow = || [before, after].into_iter().all(|tree| self.is_hollow(path, tree));
        match aspect {
            Aspect::Presence => {
                let is_trace = self.mounts.contains(path) || self.parents.contains(path);
                // A cache that went elsewhere leaves no folder behind that was made for it alone.
                let is_for_cache = || {
                    self.above.contains(path)
                        && hollow()
                        && (self.holds_cache(path, before) || self.holds_cache(path, after))
                };
                is_trace && hollow() || is_for_cache() || is_interpreter_bytecode(path)
            }
            Aspect::Mode if self.parents.contains(path) => true,
            Aspect::Owner if self.parents.contains(path) => hollow(),
            Aspect::Mode | Aspect::Owner => path == "var/cache/apt/archives/partial",
            Aspect::Content => OTHER_CONTENT.contains(&path),
            Aspect::Type | Aspect::Link | Aspect::Attributes => false,
        }
    }

    fn holds_cache(&self, path: &str, tree: &Tree) -> bool {
        beneath(path, tree).any(|(other, _)| self.is_cache(other))
    }

    /// Whether a folder, where it is there, holds nothing but what is passed over.
    fn is_hollow(&self, path: &str, tree: &Tree) -> bool {
        let Some(entry) = tree.get(path) else { return true };
        entry.kind == Kind::Folder
            && beneath(path, tree).all(|(other, entry)| {
                let is_trace =
                    self.mounts.contains(other) || self.parents.contains(other) || self.above.contains(other);
                self.is_cache(other) || is_trace && entry.kind == Kind::Folder
            })
    }
}

/// What lies in a folder.
fn beneath<'t>(path: &str, tree: &'t Tree) -> impl Iterator<Item = (&'t String, &'t Entry)> {
    let start = format!("{path}/");
    tree.range(start.clone()..).take_while(move |(other, _)| other.starts_with(&start))
}

fn folders_above(path: &str) -> impl Iterator<Item = String> {
    path.match_indices('/').map(|(at, _)| path[..at].to_owned())
}

/// Where a directory may be: what each of its variables says, and the usual place.
fn places(directory: &Directory, state: &State) -> Vec<String> {
    let mut found = Vec::new();
    for (name, suffix) in directory.env {
        let value = if name.starts_with("npm_config_") { state.env.get_any_case(name) } else { state.env.get(name) };
        if let Some(Variable::Known(value) | Variable::Argument(Some(value))) = value
            && value.starts_with('/')
        {
            found.push(format!("{}{suffix}", value.trim_end_matches('/')));
        }
    }
    let home = state.home().unwrap_or_else(|| "/root".to_owned());
    for pattern in [directory.root, directory.user].into_iter().filter(|pattern| !pattern.is_empty()) {
        found.push(match pattern.strip_prefix('~') {
            Some(rest) => format!("{}{rest}", home.trim_end_matches('/')),
            None => pattern.to_owned(),
        });
    }
    found
}

/// The archives are elsewhere now, and so is apt's lock file.
fn is_apt_archive(path: &str) -> bool {
    let name = path.strip_prefix("var/cache/apt/archives/");
    name.is_some_and(|name| name == "lock" || name.ends_with(".deb") && !name.contains('/'))
}

/// The bytecode of a module of the interpreter, which is there if some run imported the module, and the folder that was made for it.
fn is_interpreter_bytecode(path: &str) -> bool {
    let is_library = path.starts_with("lib/python") || path.contains("/lib/python");
    let is_package = path.contains("/site-packages/") || path.contains("/dist-packages/");
    let is_bytecode = path.ends_with("/__pycache__") || path.contains("/__pycache__/") && path.ends_with(".pyc");
    is_library && !is_package && is_bytecode
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dockerfile;
    use crate::facts::managers::MANAGERS;
    use crate::facts::{Knowledge, Scripts};

    fn of(text: &str) -> PassedOver {
        let file = dockerfile::read(text).unwrap();
        let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
        PassedOver::of(&[&Facts::new(text, &file, &knowledge, &scripts)])
    }

    #[test]
    fn caches_lie_in_the_home_of_the_user_and_where_the_environment_says() {
        let passed = of(
            "FROM python:3.11-slim\nENV UV_CACHE_DIR=/c/uv\nRUN useradd -m -u 1000 app\nRUN pip install a && uv sync\nUSER app\nRUN pip install b\n",
        );
        for path in ["root/.cache/pip/x/y", "home/app/.cache/pip", "c/uv/z", "var/cache/pip/x"] {
            assert!(passed.is_cache(path), "{path}");
        }
        for path in ["root/.cache", "root/.cache/pipx", "root/.npm/x", "home/app/.local/lib/x"] {
            assert!(!passed.is_cache(path), "{path}");
        }
    }

    #[test]
    fn every_directory_of_the_page_is_passed_over_where_its_manager_is_called() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/same-image.md")).unwrap();
        for manager in MANAGERS {
            let (program, verb) = (manager.programs[0], manager.verbs.first().map_or("", |(verb, _)| verb));
            for directory in manager.directories.iter().filter(|_| manager.id != "apt") {
                let variables = directory.env.iter().map(|(name, suffix)| {
                    (format!("`${name}{suffix}`"), format!("ENV {name}=/moved\n"), format!("moved{suffix}"))
                });
                let usual = [directory.root].into_iter().filter(|place| !place.is_empty());
                let usual = usual.map(|place| {
                    (format!("`{place}`"), String::new(), place.replace('~', "root").trim_matches('/').to_owned())
                });
                for (named, line, path) in variables.chain(usual) {
                    assert!(page.contains(&named), "{named}");
                    let text = format!("FROM python:3.11-slim\n{line}RUN {program} {verb} x\n");
                    assert!(of(&text).is_cache(&path), "{path} of\n{text}");
                }
            }
        }
        let apt = of("FROM debian:12\nRUN apt-get install -y x\n");
        let places = APT_ARCHIVES.iter().all(|place| page.contains(place) && apt.is_cache(place.trim_matches('/')));
        assert!(places && DNF_CACHES.iter().all(|place| page.contains(place)));
        assert!(OTHER_CONTENT.iter().all(|path| page.contains(&format!("/{path}"))));
    }

    fn folder() -> Entry {
        Entry {
            kind: Kind::Folder,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 0,
            link: String::new(),
            device: (0, 0),
            attributes: BTreeMap::new(),
            digest: [0; 32],
        }
    }

    #[test]
    fn traces_of_a_mount_are_folders_that_hold_nothing_else() {
        let passed = of("FROM debian:12\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\n");
        let tree = |paths: &[&str]| -> Tree { paths.iter().map(|path| ((*path).to_owned(), folder())).collect() };
        let (before, after) = (tree(&["root"]), tree(&["root", "root/.cache", "root/.cache/pip"]));
        assert!(passed.passes("root/.cache", Aspect::Presence, &before, &after));
        assert!(passed.passes("root/.cache", Aspect::Owner, &before, &after));
        let other = tree(&["root", "root/.cache", "root/.cache/models"]);
        assert!(!passed.passes("root/.cache", Aspect::Presence, &before, &other));
        assert!(!passed.passes("root/.cache", Aspect::Owner, &before, &other));
        assert!(passed.passes("root/.cache", Aspect::Mode, &before, &other));
        assert!(!passed.passes("root/.config", Aspect::Mode, &before, &other));
    }

    #[test]
    fn a_folder_that_was_made_for_a_cache_goes_with_it_and_an_empty_one_does_not() {
        let passed = of("FROM python:3.11-slim\nRUN useradd -m app\nUSER app\nRUN pip install x\n");
        let tree = |paths: &[&str]| -> Tree { paths.iter().map(|path| ((*path).to_owned(), folder())).collect() };
        let before = tree(&["home/app", "home/app/.cache", "home/app/.cache/pip", "home/app/.local"]);
        let after = tree(&["home/app", "home/app/.local"]);
        assert!(passed.passes("home/app/.cache", Aspect::Presence, &before, &after));
        assert!(!passed.passes("home/app/.local", Aspect::Presence, &before, &after));
        let empty = tree(&["home/app", "home/app/.cache", "home/app/.local"]);
        assert!(!passed.passes("home/app/.cache", Aspect::Presence, &empty, &after));
    }

    #[test]
    fn bytecode_of_the_interpreter_may_be_there_or_not_and_that_of_packages_may_not() {
        let passes = |path: &str, aspect| PassedOver::default().passes(path, aspect, &Tree::new(), &Tree::new());
        assert!(passes("usr/local/lib/python3.11/__pycache__/_strptime.cpython-311.pyc", Aspect::Presence));
        assert!(!passes("usr/local/lib/python3.11/__pycache__/_strptime.cpython-311.pyc", Aspect::Content));
        assert!(!passes("usr/local/lib/python3.11/site-packages/x/__pycache__/a.cpython-311.pyc", Aspect::Presence));
    }
}
