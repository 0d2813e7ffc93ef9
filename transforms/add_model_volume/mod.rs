//! Keep model caches in a named volume while developing.
//!
//! ## Why
//!
//! A service that loads its models at run time downloads them whenever its container is made anew: after each build, and after each
//! `docker compose down`. A named volume on the library's cache directory keeps them on the machine, whatever becomes of containers and
//! images.
//!
//! ## What changes
//!
//! The override file that Compose loads by itself on top of the compose file (`compose.override.yml`, `docker-compose.override.yml`), or the
//! file that restow.toml names, gets a mount for the service and the declaration of the volume:
//!
//! ```toml
//! [models]
//! override = "compose.dev.yml"
//! ```
//!
//! That file is made where it is missing; an override file is not, because Compose then loads it everywhere. Services that keep the same
//! kind of cache as the same user share one volume: what one has downloaded the others find.
//!
//! ## What is left alone
//!
//! - No override file, and none named in restow.toml; one that Compose would pass over beside the one that is there, or that
//!   `COMPOSE_FILE` in `.env` does not name.
//! - Models that are in the image: a fresh volume is filled from the image once, and hides what later images bring. The same where the
//!   Dockerfile copies or writes anything into the directory.
//! - A directory in which more is kept than models: the working folder, a home, `/tmp`.
//! - A directory on which something is mounted already, or that lies in or around such a mount, in any of the files that Compose loads
//!   together; and where that can't be told (`volumes_from` of a container, a target with a variable in it).
//! - A user other than root to whom the image does not give the directory: a fresh volume then belongs to root. In the Dockerfile
//!   `RUN mkdir -p DIR && chown USER DIR` in front of USER is the remedy.
//! - Files that Compose does not load by itself, and those that another one includes: no override file stands on top of them.
//! - Services that share their keys by an anchor, an alias or a merge key in the override file.
//! - Services that are told to stay offline.
//!
//! ## Safety
//!
//! Always for review. No image changes. Containers that are started with the override file see the volume in the place of what their image
//! has in the directory: once the image brings models itself, the volume has to go (`docker volume rm`). The files in it are shared by
//! all services that mount it, and grow with every model that was ever loaded.
//!
//! ## References
//!
//! - compose-spec 05-services.md (`volumes`), 13-merge.md (mounts of two files on one target), docker/compose (which override file is loaded)
//! - docs.docker.com: engine/storage/volumes (a fresh volume takes content and owner from the image)

mod examples;
mod files;
mod loads;
mod mounts;
mod names;
mod site;

use crate::text::Span;
use crate::transform::{ComposeContext, Findings, Kind, Level, Meta, Transform};

use files::Files;
use loads::Loading;
use names::Names;
use site::Site;

pub struct AddModelVolume;

const ID: &str = "add-model-volume";

static META: Meta = Meta {
    id: ID,
    kinds: &[Kind::Compose],
    level: Level::Review,
    prose: include_str!("mod.rs"),
    examples: examples::EXAMPLES,
};

impl Transform for AddModelVolume {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compose(&self, cx: &ComposeContext<'_>, out: &mut Findings) {
        let all = loads::all(cx.project, cx.path);
        let mut known: Vec<(String, Names)> = Vec::new();
        for loading in &all {
            let files = match Files::of(cx, &loading.file) {
                Ok(files) => files,
                Err(reason) => {
                    left_alone(cx, loading, &reason, out);
                    continue;
                }
            };
            if !files.concern(cx.path) && cx.path != loading.file {
                continue;
            }
            let at = known.iter().position(|(base, _)| *base == files.base).unwrap_or_else(|| {
                known.push((files.base.clone(), Names::of(cx, &files, &all)));
                known.len() - 1
            });
            let names = &mut known[at].1;
            if loading.directories.is_empty() {
                left_alone(cx, loading, loading.unkept.as_deref().unwrap_or_default(), out);
            }
            for directory in &loading.directories {
                match Site::find(cx, loading, directory, &files, names) {
                    Ok(site) => site.report(out),
                    Err(reason) => left_alone(cx, loading, &reason, out),
                }
            }
        }
    }
}

/// Reports a service in the file in which it stands.
fn left_alone(cx: &ComposeContext<'_>, loading: &Loading, reason: &str, out: &mut Findings) {
    if cx.path != loading.file {
        return;
    }
    let service = cx.compose.services.iter().find(|service| service.name == loading.service);
    if let Some(service) = service {
        out.skip(Span::at(service.offset), format!("`{}`: {reason}", loading.service));
    }
}
