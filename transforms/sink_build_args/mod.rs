//! Move build arguments that change with every commit below the dependency installs.
//!
//! # Why
//!
//! The value of an ARG is part of the environment of every later RUN of its stage, and of its cache key, whether the RUN uses it or
//! not. `ARG GIT_COMMIT` at the top of a stage makes every commit install all dependencies again.
//!
//! # What changes
//!
//! An ARG whose value changes with every commit, build or date (GIT_COMMIT, GIT_SHA, VCS_REF, BUILD_DATE, BUILD_NUMBER and their like;
//! `[build-args] per-commit` in restow.toml adds names) moves directly behind the last dependency install that it stands above, with
//! the ENV, LABEL and ARG that carry its value, in their order. An ENV that sets other variables too is split: these stay. Each stage
//! by itself.
//!
//! # What is left alone
//!
//! An argument that no build gives a value: no default, and nothing in the repository passes it. ARG in front of the first FROM, and
//! LABEL alone: they repeat nothing. Installs below the copy of the sources, which every commit repeats anyway. What a step in between
//! uses: by its name, through `env` or `export -p`, or in a script of the project, which is never passed. Values that
//! would change on the way, because something in between sets what they are made of. Names that installs read (SOURCE_DATE_EPOCH,
//! SETUPTOOLS_SCM_PRETEND_VERSION, PATH) or that are meant to repeat steps (CACHEBUST). Installs in stages that are built on this one:
//! the ARG would have to leave its stage. Steps that fetch a repository without a full commit hash (`git clone`, `git+https:`,
//! `github:`): a new value may be what makes them fetch it again. Arguments beside another one that repeats the same installs and can't
//! move.
//!
//! # Safety
//!
//! Safe past steps whose every command is an install that the table of managers knows and that runs no code of the project, or a
//! command that no such variable changes: packages by name, requirement files without local projects, `npm ci` where package.json has
//! no life cycle scripts. These files are read in the build context. For review past dotnet, Maven, Gradle, cargo and go, installs of
//! the project itself, downloads (`curl`, `wget`, scripts), the date, upgrades of the system, steps whose comment wishes for something
//! new, and for ENV names of which it is not known who reads them. Variables and labels of the image
//! stay the same; only their order may differ.
//!
//! # References
//!
//! `dispatchArg` and `dispatchEnv` in moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`; "Impact on build caching" in the
//! Dockerfile reference; ci-info, with which npm, pnpm and yarn take BUILD_NUMBER for a sign of CI.

mod examples;
mod family;
mod gain;
mod site;

use crate::dockerfile::Keyword;
use crate::facts::Facts;
use crate::facts::build_args::looks_per_commit;
use crate::facts::managers::Verb;
use crate::facts::runs::Run;
use crate::transform::{DockerfileContext, Findings, Kind, Level, Meta, Transform};

use family::{Family, families};
use gain::Staying;
use site::{Refusal, Site};

pub struct SinkBuildArgs;

static META: Meta = Meta {
    id: "sink-build-args",
    kinds: &[Kind::Dockerfile],
    level: Level::Safe,
    prose: include_str!("mod.rs"),
    examples: examples::EXAMPLES,
};

impl Transform for SinkBuildArgs {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn dockerfile(&self, cx: &DockerfileContext<'_>, out: &mut Findings) {
        let facts = cx.facts;
        if !facts.file.instructions.iter().any(|ins| ins.keyword == Keyword::Arg) {
            return;
        }
        let contexts = cx.project.build_contexts(cx.path).ok();
        let contexts = contexts.as_ref().map(|contexts| contexts.likely(facts)).unwrap_or_default();
        for stage in 0..facts.stages.len() {
            let families = families(facts, stage, &cx.project.settings.per_commit);
            let mut sites: Vec<Site<'_>> = Vec::new();
            let mut staying: Vec<Staying> = Vec::new();
            for family in &families {
                let Some(seed) = family.seeds.first() else { continue };
                match Site::find(cx, stage, family, &contexts) {
                    Ok(site) => match sites.iter_mut().find(|other| other.goes_with(&site)) {
                        Some(other) => other.join(site),
                        None => sites.push(site),
                    },
                    Err(Refusal::Costless) => {}
                    Err(Refusal::Because(reason)) => {
                        let given = family.seeds.iter().find(|seed| has_value(cx, &seed.name, seed.has_default));
                        staying.extend(given.map(Staying::of));
                        out.skip(facts.file.instructions[seed.instruction].span, reason);
                    }
                }
            }
            for (site, reason) in gain::without_gain(facts, &mut sites, staying) {
                out.skip(facts.file.instructions[site.first()].span, reason);
            }
            for site in sites {
                match site.change(cx) {
                    Ok(change) => out.changes.push(change),
                    Err(reason) => out.skip(facts.file.instructions[site.first()].span, reason),
                }
            }
            look_alikes(cx, stage, &families, out);
        }
    }
}

/// Whether a RUN installs or fetches something.
fn installs(run: &Run) -> bool {
    run.calls().iter().any(|call| matches!(call.verb, Verb::Install | Verb::Fetch))
}

/// Whether a build gives the argument a value: its default, that of the global one, or what the repository passes.
fn has_value(cx: &DockerfileContext<'_>, name: &str, has_default: bool) -> bool {
    has_default
        || cx.project.graph.passes(cx.path, name)
        || has_global_default(cx.facts, name)
        || cx.project.passing.names(&cx.project.tree, cx.path, name)
}

fn has_global_default(facts: &Facts<'_>, name: &str) -> bool {
    let globals = facts.file.instructions.iter().take_while(|ins| ins.keyword != Keyword::From);
    let mut pairs = globals.flat_map(|ins| ins.pairs(facts.file.escape));
    pairs.any(|pair| pair.name == name && pair.value.is_some())
}

/// A default that stands for none: builds are meant to pass another.
fn is_neutral(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'']).to_ascii_lowercase();
    matches!(bare.as_str(), "" | "dev" | "local" | "n/a" | "na" | "none" | "null" | "undefined" | "unknown" | "unset")
}

/// Notes build arguments that look like ones that change with every commit and stand in no list.
fn look_alikes(cx: &DockerfileContext<'_>, stage: usize, families: &[Family], out: &mut Findings) {
    let facts = cx.facts;
    for at in facts.stages[stage].instructions.clone().skip(1) {
        let instruction = &facts.file.instructions[at];
        let is_member = families.iter().any(|family| family.members.iter().any(|member| member.instruction == at));
        if instruction.keyword != Keyword::Arg || is_member {
            continue;
        }
        for pair in instruction.pairs(facts.file.escape) {
            let repeats = facts.runs.iter().any(|run| run.stage == stage && run.instruction > at && installs(run));
            // One with another default pins something.
            let is_open = match &pair.value {
                None => has_value(cx, &pair.name, false),
                Some(value) => is_neutral(value),
            };
            if repeats && looks_per_commit(&pair.name) && is_open {
                let reason = format!(
                    "{} is not known to change with every commit; if it does, name it in per-commit of [build-args] in restow.toml",
                    pair.name
                );
                out.skip(instruction.span, reason);
            }
        }
    }
}
