//! Download the models that a service loads in a stage of its own, and copy them into the image.
//!
//! # Why
//!
//! A service that loads a model of sentence-transformers, transformers, faster-whisper and the like downloads it when it starts, in every
//! new container: a start takes minutes, needs the hub, and fails with it.
//!
//! # What changes
//!
//! A stage in front of the one that runs: the base image of the service's Python with the downloader alone, one RUN per model, so that
//! neither a requirement nor a source file repeats it; another model or another revision repeats its RUN and those behind it. The files are copied
//! into the stage that runs, in front of the code, for the user that runs; the variable by which the library finds them (`HF_HOME`,
//! `SENTENCE_TRANSFORMERS_HOME` before version 2.3, `NLTK_DATA`, `TIKTOKEN_CACHE_DIR`, `FASTEMBED_CACHE_PATH`) is set where neither the
//! Dockerfile, a compose file nor the code has chosen a folder; else that folder is used. Weights come in one format where PyTorch reads
//! them and the repository has safetensors beside pickled ones. Models of spaCy become a pinned `pip install` behind the one that installs
//! spaCy. A RUN that downloads such models behind the install stays, and finds them: the copy comes in front of it.
//!
//! The models are those that the service's Python loads, as `restow models` prints them, with the environment of its container.
//!
//! # What is left alone
//!
//! Loads whose model can't be told, with their place. Models that are in the image already. Those that are there and of no use (another
//! model, under a cache mount, in another folder, in the home of another user) are told with their line and the remedy. Folders that a
//! volume or a folder of the host covers. Services of one image that load different models. Files whose code nothing imports.
//! torch.hub, timm and others that know the address of the weights only when they run; names that speak of 3 billion parameters and more;
//! adapters of peft, whose base model stands in their configuration. Stages that something names by number behind the new one.
//!
//! # Safety
//!
//! Always for review: the image grows, and the build needs the hub. Gated models get a secret mount, and the reason says how compose and
//! workflows hand it over. `HF_HUB_OFFLINE=1` is set only with `offline = true` below `[models]` in restow.toml, and only where every load
//! was resolved.
//!
//! # References
//!
//! docs/models.md: where each library keeps its files, measured and with sources.

mod examples;
mod place;
mod site;
mod wanted;

use std::collections::BTreeMap;

use crate::dockerfile::edits;
use crate::facts::models::presence::State;
use crate::facts::models::{How, Load};
use crate::project::models::ServiceModels;
use crate::text::Span;
use crate::transform::{Change, DockerfileContext, Effect, Findings, Kind, Level, Meta, Transform};

use site::Site;
use wanted::{Wanted, spacy_version};

pub struct AddModelStage;

static META: Meta = Meta {
    id: "add-model-stage",
    kinds: &[Kind::Dockerfile],
    level: Level::Review,
    prose: include_str!("mod.rs"),
    examples: examples::EXAMPLES,
};

impl Transform for AddModelStage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn dockerfile(&self, cx: &DockerfileContext<'_>, out: &mut Findings) {
        let Ok(services) = cx.project.models(cx.path, cx.facts) else { return };
        let mut stages: BTreeMap<usize, Vec<&ServiceModels>> = BTreeMap::new();
        for service in
            services.iter().filter(|service| !service.found.loads.is_empty() || !service.found.unresolved.is_empty())
        {
            stages.entry(service.stage).or_default().push(service);
        }
        for (stage, mut users) in stages {
            // Every service that runs the stage counts, also one that loads nothing: it would carry the models too.
            users.extend(services.iter().filter(|service| {
                service.stage == stage && service.found.loads.is_empty() && service.found.unresolved.is_empty()
            }));
            self.stage(cx, stage, &users, out);
        }
    }
}

impl AddModelStage {
    fn stage(&self, cx: &DockerfileContext<'_>, stage: usize, services: &[&ServiceModels], out: &mut Findings) {
        let from = cx.facts.file.instructions[cx.facts.stages[stage].from].span;
        for service in services {
            left_alone(cx, service, from, out);
        }
        match Site::find(cx, stage, services) {
            Ok(Some(site)) => {
                let is_offline = cx.project.settings.models.offline && site.is_whole;
                out.changes.push(place::change(&site, is_offline));
            }
            Ok(None) => {}
            Err(reason) => out.skip(from, reason),
        }
        if let Some(service) = services.first() {
            spacy(cx, service, services, out);
        }
    }
}

/// Says why loads of a service get nothing.
fn left_alone(cx: &DockerfileContext<'_>, service: &ServiceModels, from: Span, out: &mut Findings) {
    let facts = cx.facts;
    let mut say = |at: Span, reason: String| {
        let is_known = out.skips.iter().any(|skip| skip.offset == at.start && skip.reason == reason);
        if !is_known {
            out.skip(at, reason);
        }
    };
    for load in &service.found.unresolved {
        say(from, format!("{}:{} may load a model with {}: {}", load.path, load.line, load.library, load.reason));
    }
    for (load, presence) in service.found.loads.iter().zip(&service.presence) {
        let place = format!("{}:{} loads {}", load.path, load.line, load.name());
        if load.is_aside {
            say(from, format!("{place}, and nothing that the container starts is seen to import that file"));
            continue;
        }
        if load.is_fallback {
            continue;
        }
        match &presence.state {
            State::There { .. } => {}
            State::Missing if load.how == How::Spacy => {}
            State::Missing if load.is_second => {
                say(from, format!("{place} only where a folder of the code's own is missing"));
            }
            State::Missing => {
                let wanted = presence.folder.as_ref().map(|folder| Wanted::of(load, folder, &service.versions));
                if let Some(Err(reason)) = wanted {
                    say(from, format!("{place}: {reason}"));
                }
            }
            State::Wrong { line, why } => {
                let at = facts.file.instructions.iter().enumerate().find(|(at, _)| facts.line(*at) == *line);
                let at = at.map_or(from, |(_, instruction)| instruction.span);
                say(at, format!("{place}, and this {why}"));
            }
            State::Covered { .. } | State::Elsewhere(_) | State::Unknown(_) => {
                say(from, format!("{place}: {}", presence.reason()));
            }
        }
    }
}

/// Installs models of spaCy behind the install that brings spaCy.
fn spacy(cx: &DockerfileContext<'_>, service: &ServiceModels, services: &[&ServiceModels], out: &mut Findings) {
    let facts = cx.facts;
    let missing: Vec<&Load> = service
        .found
        .loads
        .iter()
        .zip(&service.presence)
        .filter(|(load, presence)| {
            load.how == How::Spacy && presence.state == State::Missing && !load.is_aside && !load.is_fallback
        })
        .map(|(load, _)| load)
        .collect();
    let from = facts.file.instructions[facts.stages[service.stage].from].span;
    let mut known: Vec<&str> = Vec::new();
    for load in missing {
        let model = load.id.value.as_str();
        if known.contains(&model) {
            continue;
        }
        known.push(model);
        let all_load_it = services.iter().all(|other| other.found.loads.iter().any(|load| load.id.value == model));
        match pinned(cx, service, load).filter(|_| all_load_it) {
            Some(change) => out.changes.push(change),
            None => out.skip(
                from,
                format!(
                    "{}:{} loads {model}, which is not in the image, and the version of spaCy that decides its own is not pinned where it is installed; put `RUN python -m spacy download {model}` behind the install",
                    load.path, load.line
                ),
            ),
        }
    }
}

fn pinned(cx: &DockerfileContext<'_>, service: &ServiceModels, load: &Load) -> Option<Change> {
    let facts = cx.facts;
    let model = &load.id.value;
    let spacy = service.versions.pin("spacy")?;
    let version = spacy_version(model, spacy)?;
    // The last install of pip in the stage that runs.
    let run = facts.runs.iter().rev().find(|run| {
        facts.descends(service.stage, run.stage)
            && run.calls().iter().any(|call| call.manager.id == "pip" && call.verb_text == "install")
    })?;
    let next = run.instruction + 1;
    let instruction = facts.file.instructions.get(next)?;
    if instruction.is_open || facts.file.instructions[run.instruction].is_open {
        return None;
    }
    let text = format!(
        "RUN pip install https://github.com/explosion/spacy-models/releases/download/{model}-{version}/{model}-{version}-py3-none-any.whl"
    );
    let behind = facts.file.instructions[run.instruction].span.end;
    let line_break = edits::line_break(facts.text);
    let offset = facts.file.instructions[run.instruction].span.start;
    Some(Change {
        group: format!("add-model-stage:{}:{model}", service.stage),
        title: format!("Install {model} {version}"),
        reason: format!(
            "{}:{} loads {model}, which is a package of its own that no requirement brings; {version} is the one that spaCy {spacy} asks for, and the image grows by it",
            load.path, load.line
        ),
        level: Level::Review,
        offset,
        more: Vec::new(),
        edits: vec![crate::edit::Edit::insert(behind, format!("{line_break}{text}"))],
        effects: vec![Effect::InsertInstruction { before: next, text }],
        beside: Vec::new(),
        shows: None,
    })
}
