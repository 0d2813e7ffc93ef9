//! Drop flags, variables and clean-ups that defeat a mounted cache.
//!
//! # Why
//!
//! `pip install --no-cache-dir` was right as long as the cache would have landed in the image. Under a cache mount it keeps the
//! mount empty: nothing is saved, and the next build downloads everything again.
//!
//! # What changes
//!
//! In a RUN whose mount covers a manager's cache directory, whoever wrote the mount: flags that switch the cache off go, also
//! abbreviated; commands that empty it (`pip cache purge`, `npm cache clean --force`, `conda clean`) and `rm` of what lies in it go
//! out of `&&` chains, or become `true` where they decide the exit status. `ENV PIP_NO_CACHE_DIR` stays, because it is part of the
//! image, and the RUN overrides it (`PIP_NO_CACHE_DIR= pip install`); in a stage that no image inherits the ENV itself goes.
//!
//! # What is left alone
//!
//! Every RUN without such a mount: there the flag keeps the image small. `--no-binary`, `--force-reinstall` and other flags that
//! only look alike. A clean-up that removes other things too.
//!
//! # Safety
//!
//! Safe where the user and the environment are known: what the cache holds is under the mount and not in the image. Removing an ENV from
//! an image is for review.
//!
//! # References
//!
//! pip's `cmdoptions.py` (every value of PIP_NO_CACHE_DIR but the empty one disables the cache); the `cache_off` columns of
//! src/facts/managers/table.rs.

use crate::dockerfile::{Keyword, edits};
use crate::facts::Variable;
use crate::facts::caches::{self, Account, Cache, account};
use crate::facts::cleanups::is_cache_path;
use crate::facts::defeats::{self, Defeat};
use crate::facts::managers::{Call, EnvOverride, Manager, Verb};
use crate::facts::readers;
use crate::facts::runs::Run;
use crate::shell::Form;
use crate::text::one_line;
use crate::transform::run_edits::RunEdits;
use crate::transform::{Change, DockerfileContext, Effect, Example, Findings, Kind, Level, Meta, Transform};

pub struct DropNoCache;

static META: Meta = Meta {
    id: "drop-no-cache",
    kinds: &[Kind::Dockerfile],
    level: Level::Safe,
    prose: include_str!("drop_no_cache.rs"),
    examples: EXAMPLES,
};

impl Transform for DropNoCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn dockerfile(&self, cx: &DockerfileContext<'_>, out: &mut Findings) {
        for (ordinal, run) in cx.facts.runs.iter().enumerate() {
            if !run.mounts.iter().any(|mount| mount.is_cache()) {
                continue;
            }
            for manager in managers(run) {
                let place = cx.facts.file.instructions[run.instruction].span;
                match Site::find(cx, run, manager) {
                    Ok(None) => {}
                    Ok(Some(site)) => site.changes(cx, ordinal, out),
                    Err(refusal) => out.skip(place, format!("{}: {refusal}", manager.id)),
                }
            }
        }
        drop_variables(cx, out);
    }
}

fn managers(run: &Run) -> Vec<&'static Manager> {
    let mut found: Vec<&'static Manager> = Vec::new();
    for call in run.calls() {
        if !found.iter().any(|known| known.id == call.manager.id) {
            found.push(call.manager);
        }
    }
    found
}

/// A RUN with a mount that covers a manager's cache, and what keeps that cache empty.
struct Site<'a> {
    run: &'a Run,
    manager: &'static Manager,
    defeats: Vec<Defeat>,
    doubt: Option<String>,
}

impl<'a> Site<'a> {
    /// # Errors
    /// Why the RUN is left alone although something in it defeats a cache.
    fn find(cx: &DockerfileContext<'a>, run: &'a Run, manager: &'static Manager) -> Result<Option<Self>, String> {
        let calls: Vec<Call> = run.calls().iter().filter(|call| call.manager.id == manager.id).cloned().collect();
        let mounted = caches::mounted(run, manager, &calls);
        let covered: Vec<Cache> = match &mounted {
            Ok(caches) => caches.iter().filter(|cache| caches::is_mounted(run, cache)).cloned().collect(),
            Err(_) => Vec::new(),
        };
        if covered.is_empty() {
            // Without a mount over this manager's cache the flag keeps the image small.
            return Ok(None);
        }
        let defeats = defeats::defeats(run, manager, &covered)?;
        if defeats.is_empty() {
            return Ok(None);
        }
        let stuck = defeats.iter().find_map(|defeat| match defeat {
            Defeat::Variable { name, fix: EnvOverride::None, .. } => {
                Some(*name).filter(|name| removable(cx, run.stage, name).is_none())
            }
            _ => None,
        });
        if let Some(name) = stuck {
            return Err(format!("{name} switches the cache off as well, and can't be taken back for one step"));
        }
        let who = account(run, &run.commands()[calls[0].command]);
        if let Account::User { uid, .. } = who {
            let owned = run.mounts.iter().any(|mount| {
                covered.iter().any(|cache| mount.covers(&cache.path))
                    && mount.uid.is_some()
                    && mount.uid.as_deref() == uid.map(|uid| uid.to_string()).as_deref()
            });
            if !owned {
                return Err("it doesn't run as root and the mount belongs to root, so its cache is off anyway; give the mount uid= and gid=".to_owned());
            }
        }
        if let Some(reader) = readers::offline(cx.facts, run, manager) {
            return Err(format!("line {} {}", reader.line, reader.what));
        }
        let doubt = (who == Account::Unknown || run.state.env.open).then(|| {
            "the base image's user and environment are not known, so the mount may lie elsewhere than the cache"
                .to_owned()
        });
        Ok(Some(Self { run, manager, defeats, doubt }))
    }

    /// One change for each kind of defeat, all of the mount's group.
    fn changes(&self, cx: &DockerfileContext<'_>, ordinal: usize, out: &mut Findings) {
        let place = cx.facts.file.instructions[self.run.instruction].span;
        let flags: Vec<&Defeat> = self.defeats.iter().filter(|defeat| matches!(defeat, Defeat::Flag { .. })).collect();
        let variables: Vec<&Defeat> =
            self.defeats.iter().filter(|defeat| matches!(defeat, Defeat::Variable { .. })).collect();
        // Each clean-up by itself: two that follow one another can't go at once, and the next pass takes the second.
        let cleanups = self
            .defeats
            .iter()
            .filter(|defeat| matches!(defeat, Defeat::Clean { .. } | Defeat::Inside { .. }))
            .map(|defeat| (What::CleanUp, vec![defeat]));
        for (kind, defeats) in [(What::Flag, flags), (What::Variable, variables)].into_iter().chain(cleanups) {
            if defeats.is_empty() {
                continue;
            }
            match self.change(cx, ordinal, kind, &defeats) {
                Ok(Some(change)) => out.changes.push(change),
                Ok(None) => {}
                Err(refusal) => out.skip(place, format!("{}: {refusal}", self.manager.id)),
            }
        }
    }

    fn change(
        &self,
        cx: &DockerfileContext<'_>,
        ordinal: usize,
        kind: What,
        defeats: &[&Defeat],
    ) -> Result<Option<Change>, String> {
        let mut out = RunEdits::new(cx.facts, self.run);
        let mut names = Vec::new();
        for defeat in defeats {
            self.edit(cx, defeat, &mut out, &mut names)?;
        }
        let RunEdits { edits, effects, .. } = out;
        if edits.is_empty() {
            return Ok(None);
        }
        names.dedup();
        let names = names.join(" and ");
        let (title, why) = match kind {
            What::Flag => (
                format!("Drop {names}"),
                format!(
                    "it keeps the {} cache mount empty, so that a kept builder downloads again (hosted CI starts with an empty mount anyway), and under a mount nothing of the cache enters the image",
                    self.manager.id
                ),
            ),
            What::Variable => (
                format!("Override {names} for this step"),
                format!(
                    "it keeps the {} cache mount empty, so that a kept builder downloads again; the image keeps the variable",
                    self.manager.id
                ),
            ),
            What::CleanUp => (
                format!("Drop `{names}`"),
                format!(
                    "it would empty the {} cache mount that all builds share, and the mount is not in the image",
                    self.manager.id
                ),
            ),
        };
        let reason = match &self.doubt {
            Some(doubt) => format!("{why}; for review because {doubt}"),
            None => why,
        };
        Ok(Some(Change {
            group: format!("run{ordinal}:{}", self.manager.id),
            title,
            reason,
            level: if self.doubt.is_some() { Level::Review } else { Level::Safe },
            offset: cx.facts.file.instructions[self.run.instruction].span.start,
            more: Vec::new(),
            edits,
            effects,
            beside: Vec::new(),
            shows: None,
        }))
    }

    fn edit(
        &self,
        cx: &DockerfileContext<'_>,
        defeat: &Defeat,
        out: &mut RunEdits<'_>,
        names: &mut Vec<String>,
    ) -> Result<(), String> {
        let run = self.run;
        match defeat {
            Defeat::Flag { command, word } => {
                let command = &run.commands()[*command];
                let range = command.words[*word].range.clone();
                names.push(command.words[*word].value.clone().unwrap_or_default());
                match command.form {
                    Form::Shell => out.remove_words(range),
                    Form::Exec => {
                        // The string, its quotes, and the comma in front of it.
                        let start = command.words[*word - 1].range.end + 1;
                        out.remove_words(start..range.end + 1)
                    }
                }
            }
            Defeat::Variable { name, command, fix } => {
                let command = &run.commands()[*command];
                let assigns = *fix == EnvOverride::Empty && command.form == Form::Shell;
                if !assigns || removes_variable(cx, run, name) {
                    return Ok(());
                }
                names.push((*name).to_owned());
                out.insert(command.range.start, format!("{name}= "));
                Ok(())
            }
            Defeat::Clean { command } => {
                let command = &run.commands()[*command];
                names.push(one_line(&run.text.text[command.range.clone()]));
                out.remove_command(command)
            }
            Defeat::Inside { command, word } => {
                let command = &run.commands()[*command];
                let paths: Vec<&str> = command
                    .arguments()
                    .iter()
                    .filter(|word| !word.raw.starts_with('-'))
                    .map(|word| word.raw.as_str())
                    .collect();
                let inside = |raw: &str| {
                    self.defeats.iter().any(|other| matches!(other, Defeat::Inside { command: of, word } if run.commands()[*of].range == command.range && command.words[*word].raw == raw))
                };
                let others: Vec<&&str> = paths.iter().filter(|raw| !inside(raw)).collect();
                if others.is_empty() && is_cache_path(paths[0]) {
                    let whole = one_line(&run.text.text[command.range.clone()]);
                    if names.contains(&whole) {
                        return Ok(());
                    }
                    names.push(whole);
                    return out.remove_command(command);
                }
                let raw = &command.words[*word].raw;
                if !others.first().is_some_and(|first| is_cache_path(first)) {
                    return Err(format!("`rm` removes {raw} together with other things"));
                }
                names.push(format!("rm {raw}"));
                out.remove_words(command.words[*word].range.clone())
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum What {
    Flag,
    Variable,
    CleanUp,
}

/// Whether the ENV that sets `name` goes, so that the RUN needs no override: it is set in the RUN's own stage, no image inherits the
/// stage, and every call that it concerns has its mount.
fn removes_variable(cx: &DockerfileContext<'_>, run: &Run, name: &str) -> bool {
    removable(cx, run.stage, name).is_some_and(|(_, level)| level == Level::Safe)
}

/// The ENV of `stage` that can go, and how sure that is.
fn removable(cx: &DockerfileContext<'_>, stage: usize, name: &str) -> Option<(usize, Level)> {
    let facts = cx.facts;
    let escape = facts.file.escape;
    let sets = |index: &usize| {
        let instruction = &facts.file.instructions[*index];
        instruction.keyword == Keyword::Env
            && instruction.pairs(escape).iter().any(|pair| {
                pair.name == name && pair.value.as_deref().is_some_and(|value| !matches!(value, "" | "\"\"" | "''"))
            })
    };
    let mut found = facts.stages[stage].instructions.clone().filter(sets);
    let instruction = found.next().filter(|_| found.next().is_none())?;
    // Something else reads it: then it is not only pip's.
    let named = facts.file.instructions.iter().filter(|ins| ins.line.text.contains(name)).count();
    let concerned: Vec<&Run> =
        facts.runs.iter().filter(|run| run.instruction > instruction && facts.descends(run.stage, stage)).collect();
    let mounted_everywhere = concerned.iter().all(|run| {
        let calls = run.calls();
        let concerns = |call: &&Call| {
            call.manager.cache_off_env.iter().any(|(known, _)| *known == name)
                && matches!(call.verb, Verb::Install | Verb::Fetch)
        };
        calls.iter().filter(concerns).all(|call| {
            run.script().is_ok()
                && caches::caches(run, call)
                    .is_ok_and(|caches| caches.iter().all(|cache| caches::is_mounted(run, cache)))
        })
    });
    let unread = concerned.iter().any(|run| !matches!(run.script(), Ok(_) | Err(crate::facts::Unreadable::Irrelevant)));
    if !mounted_everywhere || unread || named > 1 {
        return None;
    }
    let target = facts.stages[stage].name.as_ref().is_some_and(|name| cx.project.targets.contains(name));
    let level = if facts.is_inherited(stage) || target { Level::Review } else { Level::Safe };
    Some((instruction, level))
}

/// Removes ENV pairs that switch a cache off, where nothing but mounted steps reads them.
fn drop_variables(cx: &DockerfileContext<'_>, out: &mut Findings) {
    let facts = cx.facts;
    let mut rows: Vec<(&'static str, EnvOverride)> =
        facts.knowledge.managers().iter().flat_map(|manager| manager.cache_off_env.iter().copied()).collect();
    rows.sort_by_key(|(name, _)| *name);
    rows.dedup_by_key(|(name, _)| *name);
    for (name, fix) in rows {
        for stage in 0..facts.stages.len() {
            let Some((index, level)) = removable(cx, stage, name) else { continue };
            let concerned = facts.runs.iter().any(|run| {
                run.instruction > index
                    && facts.descends(run.stage, stage)
                    && matches!(run.state.env.get(name), Some(Variable::Known(_) | Variable::Unknown))
                    && run.calls().iter().any(|call| {
                        matches!(call.verb, Verb::Install | Verb::Fetch)
                            && call.manager.cache_off_env.iter().any(|(known, _)| *known == name)
                    })
            });
            // In an image that is kept, an override in the RUN does; only where there is none must the ENV go.
            if !concerned || level == Level::Review && fix == EnvOverride::Empty {
                continue;
            }
            let instruction = &facts.file.instructions[index];
            let pairs = instruction.pairs(facts.file.escape);
            let Some(pair) = pairs.iter().find(|pair| pair.name == name) else { continue };
            let (edits, effect) = if pairs.len() == 1 {
                (
                    Some(vec![edits::remove_instruction(facts.text, instruction)]),
                    Effect::RemoveInstruction { instruction: index },
                )
            } else {
                let span = instruction.line.span(pair.range.clone());
                (
                    edits::remove(facts.text, facts.file, instruction, span),
                    Effect::RemovePair { instruction: index, name: name.to_owned() },
                )
            };
            let Some(edits) = edits else {
                out.skip(instruction.span, format!("{name}: a comment stands inside what would go"));
                continue;
            };
            let reason = match level {
                Level::Safe => "it keeps the cache mount of this stage empty, so that a kept builder downloads again, and no image inherits the stage's environment".to_owned(),
                Level::Review => "it keeps the cache mount empty, so that a kept builder downloads again, and can't be overridden in the step; for review because the image loses the variable".to_owned(),
            };
            out.changes.push(Change {
                group: format!("env{stage}:{name}"),
                title: format!("Drop ENV {name}"),
                reason,
                level,
                offset: instruction.span.start,
                more: Vec::new(),
                edits,
                effects: vec![effect],
                beside: Vec::new(),
                shows: None,
            });
        }
    }
}

const fn example(name: &'static str, before: &'static str) -> Example {
    Example { name, path: "Dockerfile", before, files: &[], config: "" }
}

const EXAMPLES: &[Example] = &[
    example(
        "pip-flag",
        "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install --no-cache-dir -r requirements.txt\n",
    ),
    example(
        "pip-abbreviation-on-its-own-line",
        "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install \\\n      --no-cache \\\n      flask>=2\n",
    ),
    example(
        "exec-form",
        "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip [\"pip\", \"install\", \"--no-cache-dir\", \"flask\"]\n",
    ),
    example(
        "purge-in-a-chain",
        "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install flask \\\n    # keep it small\n    && pip cache purge \\\n    && rm -rf /root/.cache/pip/*\n",
    ),
    example(
        "clean-up-that-decides-the-exit-status",
        "FROM node:22\nRUN --mount=type=cache,target=/root/.npm npm ci; npm cache clean --force\n",
    ),
    example(
        "variable-of-the-image-is-overridden",
        "FROM python:3.12-slim\nENV PIP_NO_CACHE_DIR=off\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n",
    ),
    example(
        "variable-of-a-builder-stage-goes",
        "FROM python:3.12-slim AS build\nENV PYTHONUNBUFFERED=1 \\\n    PIP_NO_CACHE_DIR=1 \\\n    PIP_DISABLE_PIP_VERSION_CHECK=1\nRUN --mount=type=cache,target=/root/.cache/pip pip install --prefix=/install flask\nFROM python:3.12-slim\nCOPY --from=build /install /usr/local\n",
    ),
    example(
        "uv-variable-goes-for-review",
        "FROM python:3.12-slim\nENV UV_NO_CACHE=1\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked\n",
    ),
    example("left-alone-without-a-mount", "FROM python:3.12-slim\nRUN pip install --no-cache-dir flask\n"),
    example(
        "left-alone-mount-of-another-manager",
        "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/uv pip install --no-cache-dir flask\n",
    ),
    example(
        "left-alone-mount-of-root-for-a-user",
        "FROM node:22\nUSER node\nRUN --mount=type=cache,target=/home/node/.npm npm ci && npm cache clean --force\n",
    ),
    example(
        "left-alone-clean-up-of-more",
        "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask && rm -rf build /root/.cache/pip/*\n",
    ),
    example(
        "left-alone-flags-that-look-alike",
        "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install --no-compile --no-deps --no-binary :all: flask\n",
    ),
];
