//! Install requirements files in steps of their own.
//!
//! # Why
//!
//! `pip install -r requirements.txt -r requirements-chat.txt` is one step: one more package for the web service, and the model's
//! gigabytes are installed again with it.
//!
//! # What changes
//!
//! Each file gets a COPY and a RUN of its own: first those that hold heavy packages, else in the order of the command. The last RUN is
//! the old one and names all files again, so that pip resolves them together and a conflict still fails. Where the files name
//! everything that their packages bring, or one file pins what the packages of another bring, the steps before it install with
//! `--no-deps`: just what one install would install too. With
//! `--prefix` the later steps get `PYTHONPATH`, without which pip doesn't see the earlier ones. Flags of the RUN, activated
//! environments, `cd`, `export`, `set` and the removal of caches are repeated. Several commands in one RUN get steps of their own as
//! they are. Of a long list of packages the heavy ones are installed first, if they are pinned.
//!
//! # What is left alone
//!
//! Files that come with a folder or with all sources: copy-manifests-first comes first. Files that an earlier step makes, that come
//! from another stage or by a mount. `--target`, `--root`, `--force-reinstall`. Requirements that need the sources. RUNs that remove
//! packages again behind the install, whose layer would keep them. Exec form, heredocs, `||`, pipes. What is in steps already. uv and
//! poetry, npm in several folders.
//!
//! # Safety
//!
//! Safe where every requirement in all files is pinned with `==` and they agree. A step with `--no-deps` installs a part of what the joint
//! resolve installs, in the same versions. Without it a step resolves alone, and the last one settles all versions as the joint resolve
//! does: what it replaces may have needed a package that then stays behind unused, and pip does not mark as requested what came along as a
//! dependency before (docs/same-image.md). For review are requirements without a pin, an option in one file that another step has to
//! repeat, and an unknown base image. Several commands in one RUN are the same commands in the same order afterwards: safe. A package that is built
//! from source without isolation may see the packages of an earlier step.
//!
//! # References
//!
//! pip's user guide on its resolver, `commands/install.py`, `resolution/resolvelib/resolver.py` and `operations/install/wheel.py`
//! (REQUESTED); measured with pip 24.0, plain, `--user`, `--prefix` and in a virtual environment.

mod already;
mod chain;
mod complete;
mod examples;
mod files;
mod judge;
mod list;
mod moves;
mod pip;
mod place;
mod prefix;
mod site;

use self::site::Site;
use crate::transform::{DockerfileContext, Findings, Kind, Level, Meta, Transform};

pub struct SplitInstalls;

static META: Meta = Meta {
    id: "split-installs",
    kinds: &[Kind::Dockerfile],
    level: Level::Safe,
    prose: include_str!("mod.rs"),
    examples: examples::EXAMPLES,
};

impl Transform for SplitInstalls {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn dockerfile(&self, cx: &DockerfileContext<'_>, out: &mut Findings) {
        for (ordinal, run) in cx.facts.runs.iter().enumerate() {
            let place = cx.facts.file.instructions[run.instruction].span;
            let change = match Site::find(cx, run) {
                Ok(None) => continue,
                Ok(Some(site)) => place::change(cx, &site, ordinal),
                Err(refusal) => Err(refusal),
            };
            match change {
                Ok(change) => {
                    out.changes.push(change);
                    // One at a time: the next pass sees the file with its new steps.
                    return;
                }
                Err(refusal) => out.skip(place, refusal),
            }
        }
    }
}
