//! Install requirements files in steps of their own.
//!
//! # Why
//!
//! `pip install -r requirements.txt -r requirements-chat.txt` is one step: one more package for the web service, and the model's
//! gigabytes are installed again with it.
//!
//! # What changes
//!
//! Each file gets a COPY and a RUN of its own: first those that hold the heaviest packages (torch, tensorflow, CUDA), then other heavy
//! ones, else in the order of the command. The last RUN is the old one and names all files again, so that pip resolves them together
//! and a conflict still fails. Where the files are pinned, the steps before it install with `--no-deps`: just what one install would
//! install too. What their packages bring comes with the last step then; where no file names that, a second change, for review, lets
//! the steps bring it along. With `--prefix` the later steps get `PYTHONPATH`, without which pip doesn't see the earlier ones. Flags of
//! the RUN, activated environments, `cd`, `export`, `set` and the removal of caches are repeated. Several commands in one RUN get steps
//! of their own as they are. Of a long list of packages the heavy ones are installed first, if they are pinned; where torch or its like
//! is pinned, other heavy ones without a pin stay with the rest.
//!
//! # What is left alone
//!
//! Files that come with a folder or with all sources: copy-manifests-first comes first. Files that an earlier step makes, that come
//! from another stage or by a mount. `--target`, `--root`, `--force-reinstall`. Requirements that need the sources. RUNs that remove
//! packages again behind the install, whose layer would keep them. Requirements without a pin where the file runs `pip check`. Exec
//! form, heredocs, `||`, pipes. What is in steps already. uv and poetry, npm in several folders.
//!
//! # Safety
//!
//! Safe where every requirement in all files is pinned with `==` and they agree: a step with `--no-deps` installs a part of what the joint
//! resolve installs, in the same versions, and the image is the same (measured). A step that resolves alone is for review: the last one
//! settles all versions as the joint resolve does, but what it replaces may have needed a package that then stays behind, of which
//! `pip check` may complain, and pip does not mark as requested what came along as a dependency before. For review are also
//! requirements without a pin, an option in one file that another step has to repeat, two packages in different files that write the
//! same paths (psycopg2 and psycopg2-binary), builds without isolation, and an unknown base image. Several commands in one RUN are the
//! same commands in the same order afterwards: safe. A package that is built from source without isolation may see the packages of an
//! earlier step.
//!
//! # References
//!
//! pip's user guide on its resolver, `commands/install.py`, `resolution/resolvelib/resolver.py` and `operations/install/wheel.py`
//! (REQUESTED); measured with pip 24.0, plain, `--user`, `--prefix` and in a virtual environment.

mod already;
mod chain;
mod clashes;
mod complete;
mod dependencies;
mod examples;
mod files;
mod judge;
mod layout;
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
            if let Some(change) = dependencies::change(cx, run, ordinal) {
                out.changes.push(change);
                continue;
            }
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
