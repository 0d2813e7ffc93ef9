//! Keep the build cache of GitHub Actions between runs.
//!
//! ## Why
//!
//! A hosted runner starts with an empty builder: every run repeats every step, however good the Dockerfile. `cache-from` and `cache-to` of
//! docker/build-push-action carry layers from run to run. Two images that write one cache overwrite each other, and without a
//! `scope` all of a repository's images write the same one.
//!
//! ## What changes
//!
//! - A docker/build-push-action step without cache gets `type=gha,scope=NAME,mode=max,ignore-error=true`, or with `cache.registry` in
//!   restow.toml `type=registry,ref=REGISTRY/NAME:buildcache,mode=max,ignore-error=true`. NAME is the image's or service's; in a
//!   matrix the values that tell the jobs apart are added; no two steps share one.
//! - Where no docker/setup-buildx-action stands in front of it, one is put there in the same change, because Docker's own builder can't
//!   export. What it builds is then not in the Docker engine by itself, so a step that neither pushes nor exports gets `load: true`.
//! - docker/bake-action gets `set:` lines for its targets, unless the bake file has entries.
//! - `type=gha` without `scope` gets one where several steps of the workflow, or several jobs of a matrix, would share it.
//!
//! ## What is left alone
//!
//! - Steps that have cache inputs: they are judged and reported. `no-cache: true`, `call: check`.
//! - Jobs without docker/setup-buildx-action where a new builder could miss something: other steps that use docker or an image that is
//!   pushed, `services`, anything on localhost, several builds, actions that may set up a builder, runners that are not known to be hosted.
//! - Builders that can't export (`driver: docker`), that are kept elsewhere (`remote`, `cloud`, `kubernetes`, `keep-state`), or that the
//!   step may not use; a setup step under another condition; old pinned versions of Buildx; version 1 of the action.
//! - Computed matrices whose values may not stand in an entry, reusable workflows whose callers decide what is built, bake targets with
//!   a matrix: their builds would share one cache.
//! - `pull_request_target`: a stranger's code would write the base branch's cache.
//! - Self-hosted runners that build with the engine's own builder: it keeps its cache.
//! - `docker build` and the like in `run:` steps: there the token of the Actions cache is not given to commands; use the action, or a
//!   registry cache.
//!
//! GitLab CI, CircleCI, Azure and others are not rewritten. There a registry is the common ground: log in, create a builder with
//! `docker buildx create --use`, and build with `--cache-from type=registry,ref=REGISTRY/NAME:buildcache` and `--cache-to
//! type=registry,ref=REGISTRY/NAME:buildcache,mode=max,ignore-error=true`; in GitLab CI `$CI_REGISTRY_IMAGE:buildcache` is such a reference.
//! `restow services` tells what builds what.
//!
//! ## Safety
//!
//! Always for review. A failed export does not fail the build (`ignore-error=true`), a failed import never does. The Actions cache holds
//! 10 GB a repository, and a branch sees its own caches and those of the default branch. Cache mounts are exported by no cache:
//! they start empty on every hosted runner.
//!
//! ## References
//!
//! - docs.docker.com build/cache/backends/gha, build/ci/github-actions/cache; docker/build-push-action `action.yml`
//! - docker/setup-buildx-action README (driver, load and push)

mod bake;
mod entries;
mod examples;
mod existing;
mod scope;
mod setup;
mod step;

use crate::facts::workflow::{BAKE, BUILD_PUSH, Job, Step};
use crate::project::commands::{self, Command};
use crate::text::Span;
use crate::transform::{Findings, Kind, Level, Meta, Transform, WorkflowContext};

pub struct AddCiCache;

static META: Meta = Meta {
    id: "add-ci-cache",
    kinds: &[Kind::Workflow],
    level: Level::Review,
    prose: include_str!("mod.rs"),
    examples: examples::EXAMPLES,
};

impl Transform for AddCiCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn workflow(&self, cx: &WorkflowContext<'_>, out: &mut Findings) {
        for job in &cx.workflow.jobs {
            self.job(cx, job, out);
        }
    }
}

impl AddCiCache {
    fn job(&self, cx: &WorkflowContext<'_>, job: &Job, out: &mut Findings) {
        let mut waiting: Vec<step::Site<'_>> = Vec::new();
        let mut refused_without_setup = false;
        for step in &job.steps {
            let found = if step.is_action(BUILD_PUSH) {
                step::Site::find(cx, job, step)
            } else if step.is_action(BAKE) {
                bake::find(cx, job, step)
            } else {
                if let Some(reason) = script(cx, job, step) {
                    out.skip(Span::at(step.offset), format!("{}: {reason}", step.title()));
                }
                continue;
            };
            match found {
                Ok(site) if site.needs_setup => waiting.push(site),
                Ok(site) => out.changes.push(site.change()),
                Err(reason) => {
                    refused_without_setup |= setup::before(job, step).is_none();
                    out.skip(Span::at(step.offset), format!("{}: {reason}", step.title()));
                }
            }
        }
        let Some(first) = waiting.first().map(|site| site.step) else { return };
        // One builder serves all builds behind it, so they stand or fall together.
        let change = if refused_without_setup {
            Err("the job has no docker/setup-buildx-action, and one would change the builder of another build of the job too, which is left alone".to_owned())
        } else {
            setup::change(cx, job, first, &waiting)
        };
        match change {
            Ok(change) => out.changes.push(change),
            Err(reason) => {
                for site in &waiting {
                    out.skip(Span::at(site.step.offset), format!("{}: {reason}", site.step.title()));
                }
            }
        }
    }
}

/// Why the builds in a step's commands are left alone.
fn script(cx: &WorkflowContext<'_>, job: &Job, step: &Step) -> Option<String> {
    let run = cx.workflow.expand(job, step, step.run.as_deref()?);
    let found = commands::in_script(&run);
    let what = found.iter().find_map(|(_, command)| match command {
        Command::Build { cache_from, .. } if cache_from.is_empty() => Some("docker build"),
        Command::ComposeBuild { .. } => Some("docker compose build"),
        Command::Bake { cache_from, .. } if cache_from.is_empty() => Some("docker buildx bake"),
        _ => None,
    })?;
    Some(format!(
        "{what} runs in a script, which restow does not rewrite, and a script is not given the token of the Actions cache; build with docker/build-push-action or docker/bake-action, or give the command a registry cache"
    ))
}
