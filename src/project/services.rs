//! What a compose service sets for its containers, all files and variables taken together.
//!
//! Source: compose-spec `05-services.md`, `13-merge.md`; compose-go `cli/options.go` (which files are loaded), `override/uncity.go`
//! (which entries replace each other), `types/project.go` (`env_file` below `environment`).

use std::collections::BTreeMap;

use super::Project;
use super::graph::{Source, inside, is_default_compose, parent};
use crate::context::join;
use crate::facts::compose::{Command, Compose, EnvFile, Service, Setting, Text, Volume, VolumeKind, volume_kind};
use crate::facts::dotenv;
use crate::facts::interpolation::interpolate_with;

/// The effective run-time settings of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// The files in which the service stands, in the order in which they are merged.
    pub files: Vec<String>,
    /// Every variable once, by name.
    pub environment: Vec<Variable>,
    /// Files of `env_file` that are not in the tree or can't be read: they may set any variable that `environment` of the service does
    /// not.
    pub missing: Vec<MissingFile>,
    pub volumes: Vec<Mount>,
    /// `SERVICE[:ro]` or `container:NAME[:ro]`, as written.
    pub volumes_from: Vec<String>,
    pub command: Command,
    pub entrypoint: Command,
    pub working_dir: Option<Value>,
    pub user: Option<Value>,
}

/// A variable of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub value: Value,
    pub place: Place,
    /// Whether a file of `env_file` sets it.
    pub by_file: bool,
}

/// A text after interpolation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Known(String),
    /// It depends on these variables of whoever starts Compose, which have no default.
    Unknown(Vec<String>),
}

impl Value {
    pub fn known(&self) -> Option<&str> {
        match self {
            Value::Known(text) => Some(text),
            Value::Unknown(_) => None,
        }
    }
}

/// Where something is set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the root of the project.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

/// A file of `env_file` that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFile {
    /// As written.
    pub path: String,
    pub required: bool,
    pub place: Place,
}

/// A mount of a service. Its source and target are interpolated; where a variable has no value it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub volume: Volume,
    /// Whether its target depends on no variable without a value.
    pub is_known: bool,
    pub place: Place,
}

/// The files that Compose looks for, the first one found wins. Source: compose-go `cli/options.go`.
const BASES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// The same for the file on top of it.
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

impl Project {
    /// The compose file that Compose loads by itself in a folder.
    pub fn default_compose(&self, folder: &str) -> Option<String> {
        self.first_of(folder, &BASES)
    }

    /// The compose file that Compose loads on top of that one.
    pub fn default_override(&self, folder: &str) -> Option<String> {
        self.first_of(folder, &OVERRIDES)
    }

    fn first_of(&self, folder: &str, names: &[&str]) -> Option<String> {
        let paths = names.iter().map(|name| join(folder, name));
        let is_read = |path: &String| self.compose_source(path).is_some();
        paths.into_iter().find(|path| self.tree.entry(path).is_some() || is_read(path))
    }

    fn compose_source(&self, path: &str) -> Option<&Source<Compose>> {
        self.graph.composes.iter().find(|source| source.path == path)
    }

    /// The compose files that the `.env` of a folder names (`COMPOSE_FILE`), in the order in which they are merged; none where it says
    /// nothing.
    pub fn named_composes(&self, folder: &str) -> Option<Vec<String>> {
        let variables = self.dotenv(folder);
        let list = variables.get("COMPOSE_FILE").filter(|list| !list.is_empty())?;
        let separator = variables.get("COMPOSE_PATH_SEPARATOR").map_or(":", |separator| separator.as_str());
        Some(list.split(separator).filter_map(|path| inside(folder, path)).collect())
    }

    /// The compose files that Compose loads together when it is asked for the one at `path`, in the order in which they are merged.
    pub fn loaded_together(&self, path: &str) -> Vec<&Source<Compose>> {
        let folder = parent(path);
        if let Some(named) = self.named_composes(&folder) {
            let is_named = named.iter().any(|named| named == path);
            let paths = if is_named { named } else { vec![path.to_owned()] };
            return paths.iter().filter_map(|path| self.compose_source(path)).collect();
        }
        let base = self.default_compose(&folder);
        let on_top = self.default_override(&folder).filter(|_| is_default_compose(path));
        let paths = match (base, on_top) {
            (Some(base), Some(on_top)) if base == path || on_top == path => vec![base, on_top],
            _ => vec![path.to_owned()],
        };
        paths.iter().filter_map(|path| self.compose_source(path)).collect()
    }

    /// What a service of the compose file at `path` sets for its containers, with the override file that Compose loads beside it; none
    /// where there is no such service.
    pub fn runtime(&self, path: &str, service: &str) -> Option<Runtime> {
        let sources = self.loaded_together(path);
        let first = sources.first()?;
        let mut layers = Layers::new(self);
        for source in &sources {
            layers.add(source, service, 0);
        }
        (!layers.files.is_empty()).then(|| layers.finish(&parent(&first.path)))
    }

    /// The variables of the `.env` of a folder, as far as their values are known.
    fn dotenv(&self, folder: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let text = self.tree.text(&join(folder, ".env")).unwrap_or_default();
        for variable in dotenv::read(&text).unwrap_or_default() {
            let Some(value) = &variable.value else { continue };
            let value = interpolate_with(value, &|name| found.get(name).cloned());
            if let Some(value) = value.known() {
                found.insert(variable.name, value.to_owned());
            }
        }
        found
    }
}

/// What stands in a compose file.
struct In<'a, T> {
    source: &'a Source<Compose>,
    item: &'a T,
}

impl<T> In<'_, T> {
    fn place(&self, offset: usize) -> Place {
        Place { file: self.source.path.clone(), line: self.source.lines.line(offset) }
    }
}

/// The keys of a service, from the lowest to the topmost that sets them.
struct Layers<'a> {
    project: &'a Project,
    files: Vec<String>,
    environment: Vec<In<'a, Setting>>,
    env_files: Vec<In<'a, EnvFile>>,
    volumes: Vec<In<'a, Volume>>,
    volumes_from: Vec<String>,
    command: Command,
    entrypoint: Command,
    working_dir: Option<&'a Text>,
    user: Option<&'a Text>,
}

impl<'a> Layers<'a> {
    fn new(project: &'a Project) -> Self {
        Self {
            project,
            files: Vec::new(),
            environment: Vec::new(),
            env_files: Vec::new(),
            volumes: Vec::new(),
            volumes_from: Vec::new(),
            command: Command::Missing,
            entrypoint: Command::Missing,
            working_dir: None,
            user: None,
        }
    }

    /// Puts the service of a file on top, and below that what it extends.
    fn add(&mut self, source: &'a Source<Compose>, name: &str, depth: usize) {
        let services = source.file.services.iter().filter(|service| service.name == name);
        for service in services {
            if depth == 0 && !self.files.contains(&source.path) {
                self.files.push(source.path.clone());
            }
            if let Some(extends) = service.extends.as_ref().filter(|_| depth < 16) {
                let other = match &extends.file {
                    None => Some(source),
                    Some(file) => {
                        let path = inside(&parent(&source.path), file);
                        path.and_then(|path| self.project.compose_source(&path))
                    }
                };
                if let Some(other) = other {
                    self.add(other, &extends.service, depth + 1);
                }
            }
            self.put(source, service);
        }
    }

    fn put(&mut self, source: &'a Source<Compose>, service: &'a Service) {
        let run = &service.run;
        for key in &run.replaced {
            match *key {
                "environment" => self.environment.clear(),
                "env_file" => self.env_files.clear(),
                "volumes" => self.volumes.retain(|mount| mount.item.kind == VolumeKind::Tmpfs),
                "tmpfs" => self.volumes.retain(|mount| mount.item.kind != VolumeKind::Tmpfs),
                "volumes_from" => self.volumes_from.clear(),
                "command" => self.command = Command::Missing,
                "entrypoint" => self.entrypoint = Command::Missing,
                "working_dir" => self.working_dir = None,
                _ => self.user = None,
            }
        }
        self.environment.extend(run.environment.iter().map(|item| In { source, item }));
        for item in &run.env_files {
            // Named again, a file keeps its rank.
            match self.env_files.iter_mut().find(|known| known.item.path == item.path) {
                Some(known) => *known = In { source, item },
                None => self.env_files.push(In { source, item }),
            }
        }
        self.volumes.extend(run.volumes.iter().map(|item| In { source, item }));
        self.volumes_from.extend(run.volumes_from.iter().cloned());
        if run.command != Command::Missing {
            self.command = run.command.clone();
        }
        if run.entrypoint != Command::Missing {
            self.entrypoint = run.entrypoint.clone();
        }
        self.working_dir = run.working_dir.as_ref().or(self.working_dir);
        self.user = run.user.as_ref().or(self.user);
    }

    /// The settings, with the variables of the `.env` in `folder`.
    fn finish(self, folder: &str) -> Runtime {
        let dotenv = self.project.dotenv(folder);
        let own = |name: &str| dotenv.get(name).cloned();
        let text = |text: &Text| value(&text.text, &own);
        let mut set: BTreeMap<String, Variable> = BTreeMap::new();
        for variable in &self.environment {
            let Setting { name, value: written, offset } = variable.item;
            let value = match written {
                Some(written) => value(written, &own),
                None => own(name).map_or_else(|| Value::Unknown(vec![name.clone()]), Value::Known),
            };
            let variable = Variable { name: name.clone(), value, place: variable.place(*offset), by_file: false };
            set.insert(name.clone(), variable);
        }
        let mut environment = BTreeMap::new();
        let mut missing = Vec::new();
        for file in &self.env_files {
            if let Err(gone) = self.read(file, &own, &set, &mut environment) {
                missing.push(gone);
            }
        }
        environment.extend(set);
        let mut volumes: Vec<Mount> = Vec::new();
        for mount in &self.volumes {
            let mount = interpolated(mount, &own);
            let same = |known: &&mut Mount| {
                known.volume.target.trim_end_matches('/') == mount.volume.target.trim_end_matches('/')
            };
            // Of two mounts on one place the later one counts.
            match volumes.iter_mut().find(same).filter(|_| mount.is_known) {
                Some(known) => *known = mount,
                None => volumes.push(mount),
            }
        }
        Runtime {
            files: self.files,
            environment: environment.into_values().collect(),
            missing,
            volumes,
            volumes_from: self.volumes_from,
            command: self.command,
            entrypoint: self.entrypoint,
            working_dir: self.working_dir.map(text),
            user: self.user.map(text),
        }
    }

    /// Adds the variables of a file of `env_file`.
    fn read(
        &self,
        file: &In<'_, EnvFile>,
        own: &dyn Fn(&str) -> Option<String>,
        set: &BTreeMap<String, Variable>,
        environment: &mut BTreeMap<String, Variable>,
    ) -> Result<(), MissingFile> {
        let named = value(&file.item.path, own);
        let path = named.known().and_then(|path| inside(&parent(&file.source.path), path));
        let missing = || MissingFile {
            path: file.item.path.clone(),
            required: file.item.required,
            place: file.place(file.item.offset),
        };
        let text = path.as_deref().and_then(|path| self.project.tree.text(path)).ok_or_else(missing)?;
        let variables =
            if file.item.is_raw { dotenv::raw(&text) } else { dotenv::read(&text).map_err(|_| missing())? };
        for variable in variables {
            let earlier = |name: &str| {
                let known = |variable: &Variable| variable.value.known().map(str::to_owned);
                own(name).or_else(|| set.get(name).and_then(known)).or_else(|| environment.get(name).and_then(known))
            };
            let value = match &variable.value {
                Some(written) => value(written, &earlier),
                None => own(&variable.name).map_or_else(|| Value::Unknown(vec![variable.name.clone()]), Value::Known),
            };
            let place = Place { file: path.clone().unwrap_or_default(), line: variable.line };
            let name = variable.name;
            environment.insert(name.clone(), Variable { name, value, place, by_file: true });
        }
        Ok(())
    }
}

fn value(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Value {
    let found = interpolate_with(text, known);
    match found.known() {
        Some(text) => Value::Known(text.to_owned()),
        None => {
            let mut names: Vec<String> = found.bare.into_iter().chain(found.required).collect();
            names.sort();
            names.dedup();
            Value::Unknown(names)
        }
    }
}

fn interpolated(mount: &In<'_, Volume>, known: &dyn Fn(&str) -> Option<String>) -> Mount {
    let mut volume = mount.item.clone();
    let target = interpolate_with(&volume.target, known);
    if let Some(source) = &volume.source {
        let source = interpolate_with(source, known).text;
        if volume.is_short {
            volume.kind = volume_kind(&source);
        }
        volume.source = Some(source);
    }
    let is_known = target.known().is_some();
    volume.target = target.text;
    Mount { place: mount.place(volume.offset), volume, is_known }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::context::Tree;
    use crate::facts::compose;
    use crate::project::Graph;
    use crate::text::LineIndex;
    use crate::yaml::Stream;

    fn project(files: &[(&str, &str)]) -> Project {
        let composes = files.iter().filter(|(path, _)| path.ends_with(".yml") || path.ends_with(".yaml"));
        let composes = composes.map(|(path, text)| Source {
            path: (*path).to_owned(),
            lines: LineIndex::new(text),
            file: compose::read(text, &Stream::read(text).unwrap()).unwrap(),
        });
        let graph = Graph::new(composes.collect(), Vec::new(), Vec::new(), BTreeMap::new(), &[], None);
        Project { graph: Arc::new(graph), tree: Tree::memory(files), ..Project::default() }
    }

    /// `NAME=value file:line`, `NAME?X file:line` where the value depends on X.
    fn environment(files: &[(&str, &str)], service: &str) -> Vec<String> {
        let runtime = project(files).runtime(files[0].0, service).unwrap();
        let shown = runtime.environment.iter().map(|variable| match &variable.value {
            Value::Known(value) => format!("{}={value} {}", variable.name, variable.place),
            Value::Unknown(names) => format!("{}?{} {}", variable.name, names.join(","), variable.place),
        });
        shown.collect()
    }

    #[test]
    fn files_of_variables_stand_below_the_environment() {
        let files = [
            (
                "a/compose.yml",
                "services:\n  s:\n    env_file: [one.env, two.env, ../../x.env, no.env]\n    environment:\n      B: $C\n      D: ${D:-d}\n      E:\n      F: ${F}\n      G:\n",
            ),
            ("a/one.env", "A=1\nB=file\nH=one\n"),
            ("a/two.env", "H=${A}-${C}-${B}\nI='$A'\n"),
            ("a/.env", "C=dotenv\nE=$C/e\n"),
        ];
        assert_eq!(
            environment(&files, "s"),
            [
                "A=1 a/one.env:1",
                "B=dotenv a/compose.yml:5",
                "D=d a/compose.yml:6",
                "E=dotenv/e a/compose.yml:7",
                "F?F a/compose.yml:8",
                "G?G a/compose.yml:9",
                "H=1-dotenv-dotenv a/two.env:1",
                "I=$A a/two.env:2",
            ]
        );
        let runtime = project(&files).runtime("a/compose.yml", "s").unwrap();
        let missing: Vec<&str> = runtime.missing.iter().map(|file| &*file.path).collect();
        assert_eq!(missing, ["../../x.env", "no.env"]);
        assert_eq!(runtime.missing[1].place.to_string(), "a/compose.yml:3");
    }

    #[test]
    fn the_override_file_stands_on_top() {
        let base =
            "services:\n  s:\n    command: a\n    environment: [A=1, B=2]\n    volumes: [./src:/app, vol:/data]\n";
        let on_top = "services:\n  s:\n    command: []\n    environment: {A: 3}\n    volumes: [wol:/data/, /tmp/x]\n";
        let files =
            [("docker-compose.yml", base), ("docker-compose.override.yml", on_top), ("compose.other.yml", on_top)];
        let found = ["A=3 docker-compose.override.yml:4", "B=2 docker-compose.yml:4"];
        assert_eq!(environment(&files, "s"), found);
        for path in ["docker-compose.yml", "docker-compose.override.yml"] {
            let runtime = project(&files).runtime(path, "s").unwrap();
            let mounts: Vec<(&str, Option<&str>)> =
                runtime.volumes.iter().map(|mount| (&*mount.volume.target, mount.volume.source.as_deref())).collect();
            assert_eq!(mounts, [("/app", Some("./src")), ("/data/", Some("wol")), ("/tmp/x", None)]);
            assert_eq!((runtime.command, runtime.files.len()), (Command::Empty, 2));
        }
        assert_eq!(project(&files).runtime("compose.other.yml", "s").unwrap().files, ["compose.other.yml"]);
    }

    #[test]
    fn compose_loads_one_base_and_one_override() {
        let text = "services:\n  s:\n    image: x\n";
        let files = [
            ("docker-compose.yml", text),
            ("compose.yml", text),
            ("docker-compose.override.yml", text),
            ("compose.override.yaml", text),
        ];
        let project = project(&files);
        let together = |path: &str| {
            project.loaded_together(path).into_iter().map(|source| source.path.clone()).collect::<Vec<_>>()
        };
        assert_eq!(together("compose.yml"), ["compose.yml", "compose.override.yaml"]);
        assert_eq!(together("docker-compose.yml"), ["docker-compose.yml"]);
        assert_eq!(together("docker-compose.override.yml"), ["docker-compose.override.yml"]);
        assert!(project.runtime("compose.yml", "t").is_none());
    }

    #[test]
    fn a_variable_of_the_folder_names_the_files() {
        let text = "services:\n  s:\n    image: x\n";
        let files = [
            ("docker-compose.yml", text),
            ("docker-compose.override.yml", text),
            ("docker-compose.dev.yml", text),
            (".env", "COMPOSE_FILE=docker-compose.yml:docker-compose.dev.yml\n"),
        ];
        let project = project(&files);
        let together = |path: &str| {
            project.loaded_together(path).into_iter().map(|source| source.path.clone()).collect::<Vec<_>>()
        };
        assert_eq!(together("docker-compose.dev.yml"), ["docker-compose.yml", "docker-compose.dev.yml"]);
        assert_eq!(together("docker-compose.override.yml"), ["docker-compose.override.yml"]);
    }

    #[test]
    fn extended_services_lie_below() {
        let files = [
            (
                "compose.yml",
                "services:\n  base:\n    environment: [A=1, B=1]\n    user: ${U:-1000}\n  s:\n    extends: base\n    environment: [A=2]\n  t:\n    extends: {service: u, file: common/c.yml}\n    environment: !override\n      X: 1\n",
            ),
            ("common/c.yml", "services:\n  u:\n    extends: v\n    environment: [A=3]\n  v:\n    env_file: e.env\n"),
            ("common/e.env", "E=1\n"),
        ];
        assert_eq!(environment(&files, "s"), ["A=2 compose.yml:7", "B=1 compose.yml:3"]);
        assert_eq!(environment(&files, "t"), ["E=1 common/e.env:1", "X=1 compose.yml:11"]);
        let runtime = project(&files).runtime("compose.yml", "s").unwrap();
        assert_eq!(runtime.user, Some(Value::Known("1000".to_owned())));
    }

    #[test]
    fn a_variable_tells_the_kind_of_a_mount() {
        let files = [
            (
                "compose.yml",
                "services:\n  s:\n    volumes: [\"${A}:/a\", \"${B}:/b\", \"${C:-c}:/c\", \"dd:${D}/d\"]\n",
            ),
            (".env", "A=./a\n"),
        ];
        let runtime = project(&files).runtime("compose.yml", "s").unwrap();
        let found: Vec<_> = runtime.volumes.iter().map(|mount| (mount.volume.kind, mount.is_known)).collect();
        use VolumeKind::{Bind, Named, Other};
        assert_eq!(found, [(Bind, true), (Other, true), (Named, true), (Named, false)]);
    }
}
