//! A long list of packages on the command line.

use super::already::installed;
use super::chain::Chain;
use super::pip;
use super::prefix::python_path;
use super::site::{GAINS, Site, Step, around, before, listed, of_its_own, reviewed, variables};
use crate::facts::managers::{Call, Verb};
use crate::facts::requirements::{self, Entry, is_heavy};
use crate::facts::runs::Run;
use crate::transform::{DockerfileContext, Level};

impl<'a> Site<'a> {
    /// A long list on the command line.
    pub(super) fn list(cx: &DockerfileContext<'a>, run: &'a Run) -> Result<Option<Self>, String> {
        let calls: Vec<&Call> =
            run.calls().iter().filter(|call| call.manager.id == "pip" && call.verb == Verb::Install).collect();
        let packages = |call: &Call| -> usize {
            let words = &run.commands()[call.command].words[call.verb_word + 1..];
            words.iter().filter(|word| !word.raw.starts_with('-')).count()
        };
        let long: Vec<&&Call> = calls.iter().filter(|call| packages(call) >= 4).collect();
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
        let (first, rest): (Vec<_>, Vec<_>) = install.requirements.iter().partition(|(_, entry)| heavy(entry));
        if first.is_empty() || rest.is_empty() || first.len() + rest.len() < 4 {
            return Ok(None);
        }
        let chain = Chain::read(run)?;
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
        for (_, entry) in &first {
            let Entry::Requirement(one) = entry else { continue };
            if installed(cx, run, &one.name) {
                return Err(format!("an earlier step installs {} already", one.name));
            }
        }
        chain.check(at, &[])?;
        variables(run)?;
        let assignment = match &install.prefix {
            Some(prefix) => Some(python_path(cx, run, &chain, at, prefix)?),
            None => None,
        };
        let without: Vec<usize> = rest.iter().map(|(word, _)| *word).collect();
        let own = chain.rewritten(at, &without, &[]);
        let names: Vec<&str> = first
            .iter()
            .filter_map(|(_, entry)| match entry {
                Entry::Requirement(one) => Some(one.name.as_str()),
                _ => None,
            })
            .collect();
        let mut doubts = vec![
            "the first step resolves its packages alone: what the others hold back is replaced in the last step, and what only the replaced version needed stays in the image"
                .to_owned(),
        ];
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
            title: format!("Install {} in {}", listed(&names), of_its_own(names.len())),
            reason: reviewed(why, &doubts),
            level: Level::Review,
            chain,
        }))
    }
}
