//! What is known of the services of compose files that load models.

use crate::dockerfile;
use crate::facts::copies::{absolute, relative};
use crate::facts::models::Load;
use crate::facts::models::places::{Folder, Kind};
use crate::facts::models::presence::{Presence, State};
use crate::facts::owners;
use crate::facts::{Facts, Scripts, User};
use crate::project::Project;
use crate::project::graph::{By, inside, parent};
use crate::project::models::ServiceModels;

/// A service that loads models.
#[derive(Debug)]
pub struct Loading {
    /// The compose file that builds it.
    pub file: String,
    pub service: String,
    pub dockerfile: String,
    /// At run time; none where not known.
    pub user: Option<User>,
    pub directories: Vec<Directory>,
    /// Where COPY instructions put files into its image, absolute, with `path:line`.
    pub copies: Vec<(String, String)>,
    /// Folders that hold more than models, absolute, with what they are.
    pub others: Vec<(String, &'static str)>,
    /// Why the first model that is kept in no cache directory has none.
    pub unkept: Option<String>,
}

/// A directory in which models of a service are kept.
#[derive(Debug)]
pub struct Directory {
    /// Absolute, without a slash at its end.
    pub path: String,
    pub kind: Kind,
    /// Whether the image gives it to the user of the container, or that is root.
    pub is_owned: bool,
    /// Each as `ID (path:line)`.
    pub models: Vec<String>,
    /// What the image has there already, as the start of a sentence.
    pub in_image: Option<String>,
}

/// A Dockerfile with what it says, and one of the services that are built from it.
struct Built<'a> {
    path: &'a str,
    facts: &'a Facts<'a>,
    models: &'a ServiceModels,
}

impl Loading {
    /// Whether it is the service of that name in the folder of that file.
    pub fn is(&self, file: &str, service: &str) -> bool {
        self.service == service && parent(&self.file) == parent(file)
    }
}

/// The services that load models, each once, of the compose files that may go together with the one at `path`.
pub fn all(project: &Project, path: &str) -> Vec<Loading> {
    let named = project.settings.models.override_file.as_deref();
    let is_near = |file: &str| {
        let folder = parent(file);
        folder == parent(path) || named.is_some_and(|named| inside(&folder, named).as_deref() == Some(path))
    };
    let builds = || project.graph.builds.iter().filter(|build| build.by == By::Compose && is_near(&build.file));
    let mut dockerfiles: Vec<&str> = builds().filter_map(|build| build.dockerfile.as_deref()).collect();
    dockerfiles.sort_unstable();
    dockerfiles.dedup();
    let mut loading: Vec<Loading> = Vec::new();
    for path in dockerfiles {
        let Some(text) = project.tree.text(path) else { continue };
        let Ok(file) = dockerfile::read(&text) else { continue };
        let scripts = Scripts::new();
        let facts = Facts::new(&text, &file, &project.settings.knowledge, &scripts);
        let services = project.known_models(path, &facts);
        loading.extend(services.iter().filter_map(|models| Built { path, facts: &facts, models }.loading()));
    }
    loading.retain(|loading| is_near(&loading.file));
    // In the order of the compose files, which decides who is named after whom.
    let place =
        |loading: &Loading| builds().position(|build| loading.file == build.file && loading.service == build.name);
    loading.sort_by_cached_key(place);
    let mut found: Vec<Loading> = Vec::new();
    for loading in loading {
        match found.iter_mut().find(|known| known.is(&loading.file, &loading.service)) {
            Some(known) => known.add(loading),
            None => found.push(loading),
        }
    }
    found
}

impl Loading {
    /// The same service in another file, which may build it from another Dockerfile.
    fn add(&mut self, other: Loading) {
        if self.user != other.user {
            self.user = None;
        }
        self.copies.extend(other.copies);
        self.others.extend(other.others);
        self.unkept = self.unkept.take().or(other.unkept);
        other.directories.into_iter().for_each(|directory| self.put(directory));
    }

    /// Adds a directory; one that lies in another is kept with that.
    fn put(&mut self, mut directory: Directory) {
        if let Some(known) = self.directories.iter_mut().find(|known| relative(&directory.path, &known.path).is_some())
        {
            known.take(directory);
            return;
        }
        let known = std::mem::take(&mut self.directories);
        for known in known {
            if relative(&known.path, &directory.path).is_some() {
                directory.take(known);
            } else {
                self.directories.push(known);
            }
        }
        self.directories.push(directory);
    }
}

impl Directory {
    fn take(&mut self, other: Directory) {
        self.is_owned &= other.is_owned || other.path != self.path;
        self.in_image = self.in_image.take().or(other.in_image);
        for model in other.models {
            if !self.models.contains(&model) {
                self.models.push(model);
            }
        }
    }
}

impl Built<'_> {
    /// None where it loads nothing, or no compose file builds it.
    fn loading(&self) -> Option<Loading> {
        let (file, service) = self.models.compose.clone()?;
        let loads = self.models.found.loads.iter().zip(&self.models.presence);
        let loads: Vec<(&Load, &Presence)> = loads.filter(|(load, _)| !load.is_aside && !load.is_fallback).collect();
        let mut loading = Loading {
            file,
            service,
            dockerfile: self.path.to_owned(),
            user: self.user(),
            directories: Vec::new(),
            copies: self.copies(),
            others: self.others(),
            unkept: None,
        };
        for (load, presence) in &loads {
            match (&presence.folder, &presence.state) {
                (_, State::Elsewhere(why)) | (None, State::Unknown(why)) => {
                    loading.unkept.get_or_insert_with(|| format!("{}: {why}", shown(load)));
                }
                (None, _) => {
                    loading.unkept.get_or_insert_with(|| format!("{} is kept in no cache directory", shown(load)));
                }
                (Some(folder), state) => loading.put(self.directory(load, folder, state, loading.user.as_ref())),
            }
        }
        (!loads.is_empty()).then_some(loading)
    }

    fn directory(&self, load: &Load, folder: &Folder, state: &State, user: Option<&User>) -> Directory {
        let path = mounted(folder);
        let (facts, stage) = (self.facts, self.models.stage);
        let id = load.name();
        let in_image = match state {
            State::There { .. } => Some(format!("{id} is in its image already")),
            State::Wrong { line, why } => {
                Some(format!("{id} is not in its image as it is loaded ({}:{line} {why})", self.path))
            }
            _ => owners::written_by(facts, stage, &path)
                .map(|at| format!("{}:{} writes to {path}", self.path, facts.line(at))),
        };
        let is_owned = user.is_some_and(|user| user.is_root() || owners::owns(facts, stage, user, &path));
        Directory { path, kind: folder.kind, is_owned, models: vec![shown(load)], in_image }
    }

    /// As whom the container runs; none where not known.
    fn user(&self) -> Option<User> {
        self.models.container.user(self.facts, self.models.stage)
    }

    fn copies(&self) -> Vec<(String, String)> {
        let stages = self.facts.ancestors(self.models.stage);
        let copies = self.facts.copies.iter().filter(|copy| stages.contains(&copy.stage));
        let known = copies.filter_map(|copy| {
            let target = copy.destination.clone()?;
            let target = if target.is_empty() { "/".to_owned() } else { target };
            Some((target, format!("{}:{}", self.path, self.facts.line(copy.instruction))))
        });
        known.collect()
    }

    fn others(&self) -> Vec<(String, &'static str)> {
        let container = &self.models.container;
        let state = &self.facts.stages[self.models.stage].end;
        let home = match container.environment.get("HOME") {
            Some(home) => home.value.clone(),
            None => state.env.known("HOME").or_else(|| self.user()?.home),
        };
        let workdir = container.workdir.clone().or_else(|| state.workdir.clone());
        let named = [(workdir, "the working folder of the container"), (home, "the home of its user")];
        let named = named.into_iter().filter_map(|(path, what)| Some((absolute("", &path?), what)));
        let common = COMMON.iter().map(|path| ((*path).to_owned(), "a folder of the whole system"));
        named.filter(|(path, _)| !path.is_empty()).chain(common).collect()
    }
}

/// Folders that every image has, for more than models.
const COMMON: [&str; 16] = [
    "/bin",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/tmp",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/share",
    "/var/cache",
    "/var/lib",
];

fn shown(load: &Load) -> String {
    format!("{} ({}:{})", load.name(), load.id.file, load.id.line)
}

/// The directory of a library for what it keeps in `folder`: the one that a variable of the library names, with more than the models
/// in it.
fn mounted(folder: &Folder) -> String {
    let path = absolute("", &folder.path);
    let is_below = matches!(folder.by.as_deref(), None | Some("HF_HOME" | "XDG_CACHE_HOME" | "TORCH_HOME"));
    match path.strip_suffix("/hub") {
        Some(above) if is_below && matches!(folder.kind, Kind::HuggingFace | Kind::Torch) => above.to_owned(),
        _ => path,
    }
}
