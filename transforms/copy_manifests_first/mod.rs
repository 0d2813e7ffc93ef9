//! Copy dependency manifests and install before the sources are copied.
//!
//! # Why
//!
//! `COPY . .` in front of `pip install -r requirements.txt` makes every change of any file repeat the install: the builder looks a step
//! up by what was copied before it. With only the manifests in front, a change of the sources finds the installed dependencies in the
//! cache, on a kept builder and on hosted CI that imports its layers.
//!
//! # What changes
//!
//! The copy of the sources moves behind the install, and a COPY of just what the install reads takes its place, with the same `--chown`
//! and `--chmod`: one COPY for each folder, since a COPY of several paths flattens them. The command stays what it was where it needs
//! nothing but its manifests (pip, npm, yarn, pnpm, bun, bundler, pipenv, dotnet restore). Where it also installs the project itself, a
//! form that doesn't is put above the sources and the command stays below (uv with `--no-install-project`, poetry with `--no-root`,
//! composer with `--no-scripts --no-autoloader`, `go mod download`, `mvn dependency:go-offline`, `gradle dependencies`). A RUN that goes
//! on with other commands, as `npm ci && npm run build` does, is divided behind the install.
//!
//! # What is left alone
//!
//! An install that needs the sources: `pip install .`, local requirements, a `postinstall` script, a local dependency. Commands between
//! the copy and the install, or in front of the install in its RUN, that are not known to do without the sources. Files that the
//! .dockerignore keeps out, that are made by an earlier step, or that can't be told apart from the sources. Two build contexts that would
//! need different copies. A folder that the install writes and that lies in the repository (`node_modules`, `vendor`), because the copy
//! would lie over it.
//!
//! # Safety
//!
//! Safe where the files of the build context show all of this: what the install reads is copied, it runs nothing of the sources, nothing
//! between changes what it sees, it can't rewrite a file that the later copy brings back (`npm ci`, `--frozen-lockfile`, `--locked`), and
//! every folder that it writes beside the sources is kept out by the .dockerignore. That a folder is absent from the repository says
//! nothing: it is there on the machine of whoever builds. If only those lines of the .dockerignore are missing, the change adds them and
//! is for review.
//!
//! # References
//!
//! BuildKit's reference on COPY and its cache; docs/guides/integration/docker.md of uv; faq.md of poetry; npm's scripts documentation;
//! moby/patternmatcher for .dockerignore. The files that each manager reads stand with their sources in src/facts/manifests/.

mod examples;
mod inert;
mod layout;
mod manifests;
mod needs;
mod obstacles;
mod site;

use self::examples::EXAMPLES;
use self::layout::Upper;
use self::site::Site;
use crate::forecast::Theme;
use crate::transform::{Beside, Change, DockerfileContext, Findings, Kind, Level, Meta, Transform};

pub struct CopyManifestsFirst;

static META: Meta = Meta {
    id: "copy-manifests-first",
    kinds: &[Kind::Dockerfile],
    level: Level::Safe,
    prose: include_str!("mod.rs"),
    examples: EXAMPLES,
};

impl Transform for CopyManifestsFirst {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn dockerfile(&self, cx: &DockerfileContext<'_>, out: &mut Findings) {
        let mut changed = Vec::new();
        for (ordinal, run) in cx.facts.runs.iter().enumerate() {
            match Site::find(cx, run) {
                Ok(None) => {}
                // The next pass sees what the first change of a stage leaves.
                Ok(Some(_)) if changed.contains(&run.stage) => {}
                Ok(Some(site)) => {
                    changed.push(run.stage);
                    out.changes.push(change(cx, ordinal, site));
                }
                Err(reason) => out.skip(cx.facts.file.instructions[run.instruction].span, reason),
            }
        }
    }
}

fn change(cx: &DockerfileContext<'_>, ordinal: usize, site: Site<'_>) -> Change {
    let (edits, effects) = site.layout.edits(cx.facts.text, cx.facts.file, site.run);
    let manifests = site.layout.manifests();
    let title = match manifests.as_slice() {
        [] => "Install before the sources are copied".to_owned(),
        [one] => format!("Copy {one} and install before the sources"),
        [one, two] => format!("Copy {one} and {two} and install before the sources"),
        [one, rest @ ..] => format!("Copy {one} and {} more and install before the sources", rest.len()),
    };
    let line = site.layout.moves.first().map_or(0, |(first, ..)| cx.facts.line(*first));
    let mut reason = format!(
        "the copy in line {line} comes first, so every change of the sources repeats this install; behind it a kept builder, and hosted CI that imports its layers, finds the install in the cache"
    );
    if let Upper::Variant(_) = site.layout.upper {
        reason.push_str("; what is left for the step below is the project itself");
    }
    if !site.doubts.is_empty() {
        reason.push_str("; for review because ");
        reason.push_str(&site.doubts.join(", and because "));
    }
    Change {
        group: format!("{}:sources{ordinal}", cx.path),
        title,
        reason,
        level: if site.doubts.is_empty() { Level::Safe } else { Level::Review },
        offset: cx.facts.file.instructions[site.run.instruction].span.start,
        more: site.layout.moves.iter().map(|(at, ..)| cx.facts.file.instructions[*at].span.start).collect(),
        edits,
        effects,
        beside: site.ignores.into_iter().map(|(path, patterns)| Beside::Ignore { path, patterns }).collect(),
        shows: Some(Theme::Code),
    }
}
