//! A long list of packages on the command line.

use std::collections::BTreeSet;

use super::already::{DONE, installed};
use super::chain::Chain;
use super::clashes::{self, checks, clash};
use super::judge::is_top;
use super::pip;
use super::prefix::python_path;
use super::site::{GAINS, Site, Step, around, before, builds_in_sight, listed, reviewed, variables};
use crate::facts::managers::{Call, Verb};
use crate::facts::requirements::{self, Entry, is_heavy};
use crate::facts::runs::Run;
use crate::transform::{DockerfileContext, Level};

/// From how many packages on a list is long.
const LONG: usize = 3;

fn all_names<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeSet<String> {
    let name = |entry: &Entry| match entry {
        Entry::Requirement(one) => Some(one.name.clone()),
        _ => None,
    };
    entries.filter_map(name).collect()
}

impl<'a> Site<'a> {
    /// A long list on the command line.
    pub(super) fn list(cx: &DockerfileContext<'a>, run: &'a Run) -> Result<Option<Self>, String> {
        let calls: Vec<&Call> =
            run.calls().iter().filter(|call| call.manager.id == "pip" && call.verb == Verb::Install).collect();
        let packages = |call: &Call| -> usize {
            let words = &run.commands()[call.command].words[call.verb_word + 1..];
            words.iter().filter(|word| !word.raw.starts_with('-')).count()
        };
        let long: Vec<&&Call> = calls.iter().filter(|call| packages(call) >= LONG).collect();
        let [call] = long.as_slice() else { return Ok(None) };
        let command = &run.commands()[call.command];
        let is_heavy_word = |text: &str| match requirements::read_argument(text) {
            Entry::Requirement(one) => is_heavy(&one.name),
            _ => false,
        };
        let words = || command.words[call.verb_word + 1..].iter().filter_map(|word| word.value.as_deref());
        if !words().any(|word| !word.starts_with('-') && is_heavy_word(word)) {
            return Ok(None);
        }
        let install = pip::read(run, call, command)?;
        let heavy = |entry: &Entry| matches!(entry, Entry::Requirement(one) if is_heavy(&one.name));
        let is_pinned = |entry: &Entry| matches!(entry, Entry::Requirement(one) if one.pin().is_some());
        let is_top_pin =
            |entry: &Entry| matches!(entry, Entry::Requirement(one) if is_top(&one.name) && one.pin().is_some());
        // Beside the gigabytes of those it matters little where the others without a pin are.
        let only_pinned = install.requirements.iter().any(|(_, entry)| is_top_pin(entry));
        let (first, rest): (Vec<_>, Vec<_>) =
            install.requirements.iter().partition(|(_, entry)| heavy(entry) && (is_pinned(entry) || !only_pinned));
        if first.is_empty() || rest.is_empty() || first.len() + rest.len() < LONG {
            return Ok(None);
        }
        let names: Vec<&str> = first
            .iter()
            .filter_map(|(_, entry)| match entry {
                Entry::Requirement(one) => Some(one.name.as_str()),
                _ => None,
            })
            .collect();
        let there = names.iter().filter(|name| installed(cx, run, name)).count();
        if there == names.len() {
            return Err(DONE.to_owned());
        }
        let chain = Chain::read(cx, run)?;
        let at = chain
            .items
            .iter()
            .position(|item| item.command.range == command.range)
            .ok_or("its commands don't simply follow one another with `&&`")?;
        let pinned = |entry: &Entry| match entry {
            Entry::Requirement(one) if one.pin().is_none() => Some(one.name.clone()),
            _ => None,
        };
        if let Some(name) = first.iter().find_map(|(_, entry)| pinned(entry)) {
            return Err(format!("{name} is not pinned, so that its own step would come to another version with time"));
        }
        if rest.iter().any(|(_, entry)| matches!(entry, Entry::Local(_) | Entry::Editable(_) | Entry::Unreadable(_))) {
            return Err("its list of packages names something that is not read".to_owned());
        }
        if there > 0 {
            return Err("an earlier step installs a part of it already".to_owned());
        }
        chain.check(at, &[])?;
        variables(run)?;
        let assignment = match &install.prefix {
            Some(prefix) => Some(python_path(cx, run, &chain, at, prefix)?),
            None => None,
        };
        let without: Vec<usize> = rest.iter().map(|(word, _)| *word).collect();
        let all: BTreeSet<String> = all_names(install.requirements.iter().map(|(_, entry)| entry));
        let step = names.iter().map(|name| (*name).to_owned()).collect();
        let alone = install.has(&["--no-deps", "--no-dependencies"]);
        // Every package of the step is pinned.
        let leave = !alone && checks(cx.facts.text);
        let more = if leave { vec!["--no-deps".to_owned()] } else { Vec::new() };
        let own = chain.rewritten(at, &without, &more);
        let mut doubts = vec!["the versions stand in both steps then and have to be changed together".to_owned()];
        if !leave && !alone {
            doubts.push(
                "the first step resolves its packages alone: what the others hold back is replaced in the last step, and what only the replaced version needed stays in the image"
                    .to_owned(),
            );
        }
        doubts.extend(clash(&step, &all).map(clashes::doubt));
        doubts.extend(builds_in_sight(run, &install));
        if run.state.env.open {
            doubts.push("the base image's environment is not known".to_owned());
        }
        let why = format!(
            "a change of the other packages then leaves {} installed {GAINS}, and a first build is a little slower; the last step names all packages again, so that a conflict still fails",
            listed(&names)
        );
        let commands = around(&chain, at, true, own);
        let gone = before(&chain, at);
        Ok(Some(Self {
            steps: vec![Step { brings: Vec::new(), commands }],
            brings: Vec::new(),
            gone,
            assignment: assignment.map(|text| (at, text)),
            title: format!("Install {} in a step of their own", listed(&names)),
            reason: reviewed(why, &doubts),
            level: Level::Review,
            chain,
        }))
    }
}
