//! A RUN that installs several requirements files at once: everything that speaks against splitting it, and its steps.

use super::already::{DONE, goes_on, in_steps, other_managers, separate};
use super::chain::{Chain, Role, is_file_option};
use super::clashes;
use super::files::{Closure, Files, Piece};
use super::judge::{self, Judgement};
use super::layout::Part;
use super::moves::movable;
use super::pip::Install;
use super::prefix::python_path;
use crate::facts::Variable;
use crate::facts::managers::{Call, Verb};
use crate::facts::runs::Run;
use crate::transform::{DockerfileContext, Level};

/// Variables that give pip an option with which steps differ from one command.
const VARIABLES: &[&str] = &[
    "PIP_CONSTRAINT",
    "PIP_DRY_RUN",
    "PIP_FORCE_REINSTALL",
    "PIP_IGNORE_INSTALLED",
    "PIP_PREFIX",
    "PIP_REQUIREMENT",
    "PIP_ROOT",
    "PIP_TARGET",
];

/// A RUN that becomes several, with the text of each.
pub struct Site<'a> {
    pub chain: Chain<'a>,
    /// The steps in front of the RUN.
    pub steps: Vec<Step>,
    /// What is copied directly in front of the RUN.
    pub brings: Vec<Piece>,
    /// Commands that go from the RUN, as indexes.
    pub gone: Vec<usize>,
    /// What the RUN's own install gets in front of it: the index of the command, and an assignment.
    pub assignment: Option<(usize, String)>,
    pub title: String,
    pub reason: String,
    pub level: Level,
}

/// A step in front of the RUN: what is copied for it, and its commands.
pub struct Step {
    pub brings: Vec<Piece>,
    pub commands: Vec<Part>,
}

pub(super) const GAINS: &str =
    "on a kept builder, while hosted CI starts with an empty cache and gains only from what it imports";

impl<'a> Site<'a> {
    /// # Errors
    /// Why the RUN is left alone although it installs several files or a heavy list.
    pub fn find(cx: &DockerfileContext<'a>, run: &'a Run) -> Result<Option<Self>, String> {
        let pip = || run.calls().iter().filter(|call| call.manager.id == "pip" && call.verb == Verb::Install);
        let named =
            |call: &&Call| run.commands()[call.command].words.iter().filter(|word| is_file_option(&word.raw)).count();
        other_managers(run)?;
        match pip().map(|call| named(&call)).sum::<usize>() {
            0 => Self::list(cx, run),
            1 if separate(cx, run) && !goes_on(cx, run) => Err(DONE.to_owned()),
            1 => Ok(None),
            _ => {
                let chain = Chain::read(cx, run)?;
                let installs = chain.installs();
                match installs.as_slice() {
                    [one] => match Self::joint(cx, chain, *one) {
                        Err(refusal) if refusal == DONE && goes_on(cx, run) => Ok(None),
                        found => found.map(Some),
                    },
                    [] => Err("its commands don't simply follow one another with `&&`".to_owned()),
                    _ => Self::sequence(cx, chain, &installs).map(Some),
                }
            }
        }
    }

    /// One command for several files.
    fn joint(cx: &DockerfileContext<'a>, chain: Chain<'a>, at: usize) -> Result<Self, String> {
        let run = chain.run;
        let Role::Installs(install) = &chain.items[at].role else { return Err("it installs no file".to_owned()) };
        let install = install.clone();
        let paths: Vec<&str> = install.files.iter().map(|file| file.path.as_str()).collect();
        chain.check(at, &paths)?;
        variables(run)?;
        let folder = chain.folder(at)?;
        in_steps(cx, run, &install, &folder)?;
        let mut doubts = Vec::new();
        let is_checked = clashes::checks(cx.facts.text);
        let judgement = in_every_context(cx, &mut doubts, &paths, |context| {
            let files = Files { cx, run, context };
            let mut closures = Vec::new();
            for file in &install.files {
                closures.push(files.closure(&folder, &file.path)?);
            }
            let mut always = Closure::default();
            for path in &install.constraints {
                files.constraint(&folder, path, &mut always)?;
            }
            judge::judge(&install, &closures, &always, is_checked)
        })?;
        let Judgement { order, brings, options, is_exact, doubts: more } = judgement;
        doubts.extend(more);
        doubts.extend(builds_in_sight(run, &install));
        let moved: Vec<Piece> = brings[1..].iter().flatten().copied().collect();
        if moved.is_empty() {
            return Err("no COPY can move below the first step".to_owned());
        }
        movable(cx, run, &moved)?;
        let assignment = match &install.prefix {
            Some(prefix) => Some(python_path(cx, run, &chain, at, prefix)?),
            None => None,
        };
        if run.state.env.open {
            doubts.push("the base image's environment is not known".to_owned());
        }
        let leave = is_exact && !install.has(&["--no-deps", "--no-dependencies"]);
        let mut steps = Vec::new();
        for (step, &file) in order[..order.len() - 1].iter().enumerate() {
            let known = &order[..=step];
            let without: Vec<usize> = install
                .files
                .iter()
                .enumerate()
                .filter(|(index, _)| !known.contains(index))
                .flat_map(|(_, file)| file.words.clone())
                .chain(install.requirements.iter().map(|(word, _)| *word))
                .collect();
            let mut words: Vec<String> = if leave { vec!["--no-deps".to_owned()] } else { Vec::new() };
            words.extend(options[step].iter().cloned());
            let mut command = chain.rewritten(at, &without, &words);
            if let Some(assignment) = assignment.as_ref().filter(|_| step > 0) {
                command.text = format!("{assignment} {}", command.text);
            }
            let _ = file;
            steps.push(Step { brings: brings[step].clone(), commands: around(&chain, at, step == 0, command) });
        }
        let first: Vec<&str> =
            order[..order.len() - 1].iter().map(|&file| base_name(&install.files[file].path)).collect();
        let last = base_name(&install.files[order[order.len() - 1]].path);
        let rest = if leave { " and what no file names" } else { "" };
        let how = if leave {
            "; the step takes no dependencies along, and the last one names all files again, so that together they come to what one install comes to"
        } else {
            "; the last step names all files again, so that a conflict still fails"
        };
        let why = format!(
            "a change of {last} then reinstalls only its own packages{rest} {GAINS}, and a first build is a little slower{how}"
        );
        let gone = before(&chain, at);
        Ok(Self {
            steps,
            brings: brings[order.len() - 1].clone(),
            gone,
            assignment: assignment.map(|text| (at, text)),
            title: format!("Install {} in {}", listed(&first), of_its_own(first.len())),
            reason: reviewed(why, &doubts),
            level: level(&doubts),
            chain,
        })
    }

    /// Several commands for one or more files each: the same commands in steps of their own.
    fn sequence(cx: &DockerfileContext<'a>, chain: Chain<'a>, installs: &[usize]) -> Result<Self, String> {
        let run = chain.run;
        let last = installs[installs.len() - 1];
        let mut doubts = Vec::new();
        let named = installs.iter().filter_map(|&at| match &chain.items[at].role {
            Role::Installs(install) => Some(install.files.iter().map(|file| file.path.as_str())),
            _ => None,
        });
        let paths: Vec<&str> = named.flatten().collect();
        chain.check(last, &paths)?;
        let brings = in_every_context(cx, &mut doubts, &paths, |context| {
            let files = Files { cx, run, context };
            let mut known: Vec<Piece> = Vec::new();
            let mut brings = Vec::new();
            for &at in installs {
                let Role::Installs(install) = &chain.items[at].role else { continue };
                let folder = chain.folder(at)?;
                let mut pieces = Vec::new();
                let mut always = Closure::default();
                for path in &install.constraints {
                    files.constraint(&folder, path, &mut always)?;
                }
                pieces.extend(always.pieces);
                for file in &install.files {
                    pieces.extend(files.closure(&folder, &file.path)?.pieces);
                }
                pieces.retain(|piece| !known.contains(piece));
                known.extend(pieces.iter().copied());
                brings.push(pieces);
            }
            Ok(brings)
        })?;
        if brings[1..].iter().any(Vec::is_empty) {
            return Err("its later commands install files that the earlier ones name too".to_owned());
        }
        let moved: Vec<Piece> = brings[1..].iter().flatten().copied().collect();
        movable(cx, run, &moved)?;
        let mut steps = Vec::new();
        let mut from = 0;
        for (step, &at) in installs[..installs.len() - 1].iter().enumerate() {
            let state = before_state(&chain, from);
            let own = (from..=at).map(|item| chain.part(item));
            let mut commands: Vec<Part> = state.into_iter().chain(own).collect();
            commands.extend(clean_ups(&chain, last));
            steps.push(Step { brings: brings[step].clone(), commands });
            from = at + 1;
        }
        let gone = (0..from).filter(|&item| !matches!(chain.items[item].role, Role::State)).collect();
        let why = format!(
            "a change of a later file then repeats its own command only {GAINS}; the commands stay the same and in the same order, with more layers: a package that a later command replaces stays in the layer of the earlier one"
        );
        Ok(Self {
            steps,
            brings: brings[installs.len() - 1].clone(),
            gone,
            assignment: None,
            title: "Install each requirements file in a step of its own".to_owned(),
            reason: reviewed(why, &doubts),
            level: level(&doubts),
            chain,
        })
    }
}

/// The commands of one step around its install.
pub(super) fn around(chain: &Chain<'_>, at: usize, is_first: bool, install: Part) -> Vec<Part> {
    let keeps = |item: &usize| is_first || matches!(chain.items[*item].role, Role::State);
    let mut commands: Vec<Part> = (0..at).filter(keeps).map(|item| chain.part(item)).collect();
    commands.push(install);
    commands.extend(clean_ups(chain, at));
    commands
}

fn clean_ups(chain: &Chain<'_>, last: usize) -> Vec<Part> {
    let behind = last + 1..chain.items.len();
    behind.filter(|&at| matches!(chain.items[at].role, Role::CleanUp)).map(|at| chain.part(at)).collect()
}

/// What goes from the RUN because the first step does it.
pub(super) fn before(chain: &Chain<'_>, at: usize) -> Vec<usize> {
    (0..at).filter(|&item| !matches!(chain.items[item].role, Role::State)).collect()
}

fn before_state(chain: &Chain<'_>, from: usize) -> Vec<Part> {
    (0..from).filter(|&item| matches!(chain.items[item].role, Role::State)).map(|item| chain.part(item)).collect()
}

fn level(doubts: &[String]) -> Level {
    if doubts.is_empty() { Level::Safe } else { Level::Review }
}

pub(super) fn reviewed(why: String, doubts: &[String]) -> String {
    if doubts.is_empty() { why } else { format!("{why}; for review because {}", doubts.join(", and ")) }
}

pub(super) fn listed(names: &[&str]) -> String {
    if names.len() > 4 {
        return format!("{} and {} more", names[..3].join(", "), names.len() - 3);
    }
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

pub(super) fn of_its_own(count: usize) -> &'static str {
    if count == 1 { "a step of its own" } else { "steps of their own" }
}

pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_set(run: &Run, name: &str) -> bool {
    let assigned = run.commands().iter().any(|command| {
        command.assignment(name).is_some()
            || command.words.iter().any(|word| word.raw.split('=').next() == Some(name) && word.raw.contains('='))
    });
    assigned || matches!(run.state.env.get(name), Some(Variable::Known(_) | Variable::Argument(_) | Variable::Unknown))
}

pub(super) fn variables(run: &Run) -> Result<(), String> {
    match VARIABLES.iter().find(|name| is_set(run, name)) {
        Some(name) => Err(format!("{name} gives each of its commands an option that only goes with one step")),
        None => Ok(()),
    }
}

/// Whether an option or a variable lets pip build from source with what is installed in sight.
pub(super) fn builds_in_sight(run: &Run, install: &Install) -> Option<String> {
    let is_so = install.has(&["--no-build-isolation", "--no-binary"])
        || ["PIP_NO_BUILD_ISOLATION", "PIP_NO_BINARY"].iter().any(|name| is_set(run, name));
    is_so.then(|| "what the last step builds from source may see the packages of the first".to_owned())
}

/// What `judge` says for each build context, if they all agree.
pub(super) fn in_every_context<T: PartialEq>(
    cx: &DockerfileContext<'_>,
    doubts: &mut Vec<String>,
    files: &[&str],
    judge: impl Fn(&crate::context::BuildContext<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let contexts = cx.project.build_contexts(cx.path)?;
    let mut found: Option<T> = None;
    let mut refusal = None;
    for context in contexts.likely(cx.facts) {
        match judge(context) {
            Ok(verdict) if found.as_ref().is_none_or(|known| *known == verdict) => found = Some(verdict),
            Ok(_) => {
                return Err(
                    "its requirements files say different things in the folders that it may be built from".to_owned()
                );
            }
            // Of folders that nothing names those without the files are not meant.
            Err(why) if contexts.is_guess && !has_files(cx, files, context) => {
                refusal.get_or_insert(why);
            }
            Err(why) => return Err(why),
        }
    }
    doubts.extend(contexts.doubt.clone());
    found.ok_or_else(|| refusal.unwrap_or_else(|| "it has no build context".to_owned()))
}

/// Whether what the COPYs of some files name is in a folder.
fn has_files(cx: &DockerfileContext<'_>, files: &[&str], context: &crate::context::BuildContext<'_>) -> bool {
    let names = |at: usize| {
        let text = &cx.facts.file.instructions[at].line.text;
        files.iter().any(|file| text.contains(base_name(file)))
    };
    let own = cx.facts.copies.iter().filter(|copy| copy.from.is_none() && names(copy.instruction));
    own.filter(|copy| copy.words.is_ok())
        .all(|copy| copy.parts(context).is_ok_and(|parts| !parts.iter().any(|part| part.is_missing)))
}
