//! Which file takes the volumes.

use crate::context::join;
use crate::discover::kind_of;
use crate::facts::compose::Compose;
use crate::project::Project;
use crate::project::graph::{inside, is_override, parent};
use crate::transform::{ComposeContext, Kind};

/// The compose files of a folder that concern development.
#[derive(Debug)]
pub struct Files {
    /// The one that Compose loads by itself.
    pub base: String,
    /// The one on top of it that takes the volumes, or why there is none.
    pub target: Result<Target, String>,
}

/// The file that takes the volumes.
#[derive(Debug)]
pub struct Target {
    /// Relative to the root of the project.
    pub path: String,
    pub exists: bool,
}

impl Files {
    /// The files for a service that stands in `file`.
    ///
    /// # Errors
    /// Why no override file would stand on top of `file`, as a reason.
    pub fn of(cx: &ComposeContext<'_>, file: &str) -> Result<Self, String> {
        let project = cx.project;
        let folder = parent(file);
        let named = project.named_composes(&folder);
        let base = match &named {
            Some(named) => named.first().cloned(),
            None => project.default_compose(&folder),
        };
        let target = base.as_deref().map(|base| target(project, &folder, base, named.as_deref()));
        let is_target = matches!(&target, Some(Ok(target)) if target.path == file);
        let is_top = match &named {
            Some(named) => named.iter().any(|named| named == file),
            None => project.default_override(&folder).is_some_and(|on_top| on_top == file),
        };
        let Some((base, target)) = base.zip(target).filter(|(base, _)| base == file || is_top || is_target) else {
            return Err("Compose does not load this file by itself, so an override file would not stand on top of it; mount a volume in the file that you develop with".to_owned());
        };
        let includer = project.graph.composes.iter().find(|source| {
            let mut included = source.file.includes.iter();
            included.any(|path| inside(&parent(&source.path), path).as_deref() == Some(&base))
        });
        if let Some(includer) = includer {
            return Err(format!(
                "{} includes {base}, and Compose then loads no override file on top of it; mount a volume in one of them by hand",
                includer.path
            ));
        }
        Ok(Self { base, target })
    }

    /// Whether the file at `path` is among them.
    pub fn concern(&self, path: &str) -> bool {
        self.base == path || self.target.as_ref().is_ok_and(|target| target.path == path)
    }

    /// The files that may be loaded together, as they stand now.
    pub fn loaded<'a>(&self, cx: &'a ComposeContext<'_>) -> Vec<(&'a str, &'a Compose)> {
        let together = cx.project.loaded_together(&self.base).into_iter().map(|source| source.path.as_str());
        let target = self.target.as_ref().ok().and_then(|target| {
            let source = cx.project.graph.composes.iter().find(|source| source.path == target.path)?;
            Some(source.path.as_str())
        });
        let mut paths: Vec<&str> = together.chain(target).collect();
        paths.dedup();
        let read = |path: &'a str| -> Option<(&'a str, &'a Compose)> {
            if path == cx.path {
                return Some((path, cx.compose));
            }
            let source = cx.project.graph.composes.iter().find(|source| source.path == path)?;
            Some((path, &source.file))
        };
        paths.into_iter().filter_map(read).collect()
    }
}

/// The file on top of `base`; `named` are the files that a variable of the folder names.
fn target(project: &Project, folder: &str, base: &str, named: Option<&[String]>) -> Result<Target, String> {
    let on_top = project.default_override(folder);
    let is_read = |path: &str| project.graph.composes.iter().any(|source| source.path == path);
    let unread = |path: &str| {
        format!("{path} is there, but it is left out of the repository or can't be read; mount a volume there by hand")
    };
    let Some(name) = &project.settings.models.override_file else {
        if let Some(named) = named.filter(|named| on_top.as_ref().is_none_or(|path| !named.contains(path))) {
            return Err(format!(
                "COMPOSE_FILE of {} names the files that Compose loads ({}), none of them an override file; say in restow.toml which is for development (`[models] override = \"compose.dev.yml\"`)",
                join(folder, ".env"),
                named.join(", ")
            ));
        }
        return match on_top {
            Some(path) if is_read(&path) => Ok(Target { path, exists: true }),
            Some(path) => Err(unread(&path)),
            None => {
                let stem = base.rsplit('/').next().unwrap_or(base);
                let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
                Err(format!(
                    "no override file stands beside {base} that could take a volume for its model cache; make {stem}.override.yml, which Compose loads by itself everywhere, or name a file for development in restow.toml (`[models] override = \"compose.dev.yml\"`), which restow makes"
                ))
            }
        };
    };
    let Some(path) = inside(folder, name).filter(|path| path != base) else {
        return Err(format!("restow.toml names {name}, which is no file to put on top of {base}"));
    };
    if kind_of(path.as_ref()) != Some(Kind::Compose) {
        return Err(format!(
            "restow.toml names {name}, which is not called like a compose file (compose*.yml, docker-compose*.yml)"
        ));
    }
    if let Some(other) = on_top.filter(|other| is_override(&path) && *other != path) {
        return Err(format!(
            "restow.toml names {name}, and Compose loads only one override file, of these two {other}"
        ));
    }
    let exists = project.tree.entry(&path).is_some() || is_read(&path);
    if exists && !is_read(&path) {
        return Err(unread(&path));
    }
    Ok(Target { path, exists })
}
