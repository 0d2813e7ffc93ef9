//! What the packages of an exact step bring: installed with it, where somebody agrees.

use super::clashes;
use super::complete;
use super::files::{Closure, Files};
use super::judge::open_end;
use super::pip::{self, Install};
use super::site::{base_name, in_every_context, listed};
use crate::facts::managers::Verb;
use crate::facts::runs::Run;
use crate::forecast::Theme;
use crate::transform::run_edits::RunEdits;
use crate::transform::{Change, DockerfileContext, Level};

/// A step with `--no-deps` in front of one that names its files again leaves all that its packages bring to that one. Without the option
/// they stay installed when the other files change.
pub fn change(cx: &DockerfileContext<'_>, run: &Run, ordinal: usize) -> Option<Change> {
    let (install, command) = only_install(run)?;
    let option = run.commands()[command].words.iter().position(|word| word.raw == "--no-deps")?;
    if !install.requirements.is_empty() || clashes::checks(cx.facts.text) {
        return None;
    }
    let paths = |install: &Install| install.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    let own = paths(&install);
    let behind = cx.facts.runs.iter().filter(|other| other.stage == run.stage && other.instruction > run.instruction);
    let (later, all) = behind
        .filter_map(|other| Some((other, paths(&only_install(other)?.0))))
        .find(|(_, all)| all.len() > own.len() && own.iter().all(|path| all.contains(path)))?;
    let folder = run.state.workdir.clone()?;
    let named: Vec<&str> = all.iter().map(String::as_str).collect();
    let gains = in_every_context(cx, &mut Vec::new(), &named, |context| {
        let closure = |path: &String| Files { cx, run: later, context }.closure(&folder, path);
        let step: Vec<Closure> = own.iter().map(closure).collect::<Result<_, _>>()?;
        let whole: Vec<Closure> = all.iter().map(closure).collect::<Result<_, _>>()?;
        Ok(gains(&step, &whole))
    });
    if gains != Ok(true) {
        return None;
    }
    let mut out = RunEdits::new(cx.facts, run);
    out.remove_words(run.commands()[command].words[option].range.clone()).ok()?;
    let RunEdits { edits, effects, .. } = out;
    let names: Vec<&str> = own.iter().map(|path| base_name(path)).collect();
    let others: Vec<&str> = all.iter().filter(|path| !own.contains(path)).map(|path| base_name(path)).collect();
    Some(Change {
        group: format!("dependencies{ordinal}"),
        title: format!("Install what the packages of {} bring in the same step", listed(&names)),
        reason: format!(
            "no file names it, so a change of {} installs it again; for review because the step then resolves alone: what {} holds back is replaced in the last step, and what only the replaced version needed stays in the image",
            listed(&others),
            listed(&others)
        ),
        level: Level::Review,
        offset: cx.facts.file.instructions[run.instruction].span.start,
        more: Vec::new(),
        edits,
        effects,
        beside: Vec::new(),
        shows: Some(Theme::Manifest),
    })
}

/// The only pip install of a RUN that names files, and the index of its command.
fn only_install(run: &Run) -> Option<(Install, usize)> {
    let mut calls = run.calls().iter().filter(|call| call.manager.id == "pip" && call.verb == Verb::Install);
    let mut found = calls.by_ref().filter_map(|call| {
        let install = pip::read(run, call, &run.commands()[call.command]).ok()?;
        (!install.files.is_empty()).then_some((install, call.command))
    });
    let one = found.next()?;
    found.next().is_none().then_some(one)
}

/// Whether the packages of a step bring some that no file names, and none that another file pins.
fn gains(step: &[Closure], whole: &[Closure]) -> bool {
    let is_pinned = step.iter().all(|closure| open_end(closure).is_none());
    let is_hashed = step.iter().flat_map(|closure| &closure.requirements).any(|one| one.hashes > 0);
    let own = step.iter().flat_map(Closure::names).collect();
    let all = whole.iter().flat_map(Closure::names).collect();
    let texts: Vec<&str> = step.iter().flat_map(|closure| &closure.texts).map(String::as_str).collect();
    let is_open = complete::lacking(&own, &all).is_some() || !complete::is_shown(&own, &texts);
    is_pinned && !is_hashed && is_open && !complete::is_divided(&own, &all)
}
