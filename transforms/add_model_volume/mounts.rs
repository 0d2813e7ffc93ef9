//! What is mounted in a service, in all the files that Compose loads together.

use super::files::Files;
use crate::facts::compose::{Volume, VolumeKind};
use crate::facts::copies::absolute;
use crate::facts::interpolation::interpolate;
use crate::text::LineIndex;
use crate::transform::ComposeContext;

/// A mount of a service.
pub struct Mounted {
    pub volume: Volume,
    /// Whether its target is known; then that is absolute and without a slash at its end.
    pub is_known: bool,
    /// `path:line`.
    pub place: String,
}

/// The mounts of a service, and services whose mounts it takes over.
pub struct Mounts {
    pub all: Vec<Mounted>,
    /// Why not all of them are known.
    pub doubt: Option<String>,
}

/// What is mounted in a service.
pub fn of(cx: &ComposeContext<'_>, files: &Files, service: &str) -> Mounts {
    let mut mounts = Mounts { all: Vec::new(), doubt: None };
    collect(cx, files, service, 0, &mut mounts);
    mounts
}

fn collect(cx: &ComposeContext<'_>, files: &Files, service: &str, depth: usize, mounts: &mut Mounts) {
    let runtime = cx.project.runtime(&files.base, service);
    let mut from: Vec<String> = Vec::new();
    if let Some(runtime) = runtime {
        mounts.all.extend(runtime.volumes.into_iter().map(|mount| Mounted {
            is_known: mount.is_known,
            place: mount.place.to_string(),
            volume: spelled(mount.volume),
        }));
        from.extend(runtime.volumes_from);
    }
    // The project knows this file as it was before the changes of this run, and a file that Compose loads only when told not at all.
    for (path, compose) in files.loaded(cx) {
        for own in compose.services.iter().filter(|own| own.name == service) {
            let known = cx.project.graph.composes.iter().find(|source| source.path == path && path != cx.path);
            let lines = known.map_or_else(|| LineIndex::new(cx.text), |source| source.lines.clone());
            mounts.all.extend(own.run.volumes.iter().map(|volume| {
                let target = interpolate(&volume.target);
                let volume = Volume { target: target.text.clone(), ..volume.clone() };
                let place = format!("{path}:{}", lines.line(volume.offset));
                Mounted { is_known: target.known().is_some(), place, volume: spelled(volume) }
            }));
            from.extend(own.run.volumes_from.iter().cloned());
        }
    }
    for other in from {
        let name = other.split(':').next().unwrap_or(&other);
        if name == "container" || depth > 4 {
            mounts.doubt = Some(format!("it takes over the mounts of `{other}`, which are not known"));
        } else {
            collect(cx, files, name, depth + 1, mounts);
        }
    }
}

fn spelled(volume: Volume) -> Volume {
    Volume { target: absolute("", &volume.target), ..volume }
}

impl Mounts {
    /// Why nothing is to be mounted on `directory`, if something speaks against it.
    pub fn against(&self, directory: &str) -> Option<String> {
        let known = self.all.iter().filter(|mounted| mounted.is_known);
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for mounted in known {
            let (target, what) = (&mounted.volume.target, described(&mounted.volume));
            let place = &mounted.place;
            if target == directory {
                return Some(format!("{what} is mounted on {directory} already ({place})"));
            }
            if within(directory, target) {
                return Some(format!("{directory} lies in {target}, on which {what} is mounted already ({place})"));
            }
            if within(target, directory) {
                return Some(format!(
                    "{what} is mounted on {target} ({place}), inside of {directory}, and a volume around it is for you to judge"
                ));
            }
        }
        if let Some(mounted) = self.all.iter().find(|mounted| !mounted.is_known) {
            return Some(format!(
                "{} mounts something on a path with a variable that has no value, which may be {directory}",
                mounted.place
            ));
        }
        self.doubt.clone()
    }
}

fn described(volume: &Volume) -> String {
    let source = volume.source.as_deref().unwrap_or_default();
    match volume.kind {
        VolumeKind::Bind => format!("the folder {source}"),
        VolumeKind::Named => format!("the volume {source}"),
        VolumeKind::Anonymous => "a volume without a name".to_owned(),
        VolumeKind::Tmpfs => "a tmpfs".to_owned(),
        VolumeKind::Other => "something".to_owned(),
    }
}
