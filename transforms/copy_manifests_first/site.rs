//! A RUN that installs dependencies behind a copy of the sources, and all that speaks against moving the copy below it.

use std::collections::HashSet;

use super::layout::{Layout, Upper};
use super::needs::{Needed, Needs, short};
use crate::context::BuildContext;
use crate::dockerfile::Instruction;
use crate::facts::copies::{Part, absolute, relative};
use crate::facts::managers::Verb;
use crate::facts::manifests::{self, Above};
use crate::facts::runs::Run;
use crate::facts::sources::{Brought, Sources, holds_code, is_code};
use crate::text::one_line;
use crate::transform::DockerfileContext;

/// A change that holds for every build context of the Dockerfile.
pub struct Site<'a> {
    pub run: &'a Run,
    pub layout: Layout,
    /// Why somebody has to look, one clause each.
    pub doubts: Vec<String>,
    /// Folders that a .dockerignore must keep out: its path, and patterns.
    pub ignores: Vec<(String, Vec<String>)>,
}

/// What one build context gives.
struct Plan {
    layout: Layout,
    doubts: Vec<String>,
    ignore: Option<(String, Vec<String>)>,
}

impl<'a> Site<'a> {
    /// A RUN of which nothing is worth saying gives `None`.
    ///
    /// # Errors
    /// Why the RUN is left alone.
    pub fn find(cx: &DockerfileContext<'a>, run: &'a Run) -> Result<Option<Self>, String> {
        let installs = |verb: Verb| matches!(verb, Verb::Install | Verb::Fetch);
        if !run.calls().iter().any(|call| installs(call.verb)) || !follows_a_wide_copy(cx, run) {
            return Ok(None);
        }
        if cx.facts.file.instructions[run.instruction].is_open {
            return Err(OPEN.to_owned());
        }
        let found = cx.project.build_contexts(cx.path)?;
        let mut plans: Vec<(&BuildContext<'_>, Plan)> = Vec::new();
        let mut refusal = None;
        for context in found.likely(cx.facts) {
            match Look::new(cx, run, context).plan() {
                Ok(Some(plan)) => plans.push((context, plan)),
                Ok(None) => {}
                Err(Refusal::Elsewhere(reason)) if found.is_guess => drop(refusal.get_or_insert(reason)),
                Err(Refusal::Elsewhere(reason) | Refusal::Reason(reason)) => return Err(reason),
            }
        }
        let Some((context, first)) = plans.first() else {
            return refusal.map_or(Ok(None), Err);
        };
        if let Some((other, _)) = plans.iter().find(|(_, plan)| plan.layout != first.layout) {
            return Err(format!(
                "it is built from {} and from {}, and the installs read different files there",
                context.folder, other.folder
            ));
        }
        let mut doubts: Vec<String> = plans.iter().flat_map(|(_, plan)| plan.doubts.iter().cloned()).collect();
        doubts.extend(found.doubt.clone());
        let own = crate::project::graph::parent(cx.path);
        if found.is_guess && !plans.iter().any(|(context, _)| context.folder == own) {
            doubts.push(format!("nothing in the repository says that it is built from {}", context.folder));
        }
        let mut ignores: Vec<(String, Vec<String>)> =
            plans.iter().filter_map(|(_, plan)| plan.ignore.clone()).collect();
        if let Some((path, patterns)) = ignores.first() {
            if found.is_guess && plans.len() > 1 {
                return Err(format!(
                    "the .dockerignore doesn't keep out {}, which it writes, and nothing says which folder it is built from",
                    patterns.join(" and ")
                ));
            }
            doubts.push(format!("{path} does not keep {} out of the build context yet", patterns.join(" and ")));
        }
        let mut said = HashSet::new();
        doubts.retain(|doubt| said.insert(doubt.clone()));
        ignores.sort();
        ignores.dedup();
        let layout = plans.swap_remove(0).1.layout;
        Ok(Some(Self { run, layout, doubts, ignores }))
    }
}

/// Why nothing moves behind the last instruction of some files.
const OPEN: &str = "the file ends behind its continuation character, so a line below it would belong to it";

/// Whether a copy from the context stands in front of the RUN that may bring more than manifests: by its words alone.
fn follows_a_wide_copy(cx: &DockerfileContext<'_>, run: &Run) -> bool {
    let stages = cx.facts.ancestors(run.stage);
    let before = |copy: &&crate::facts::Copy| {
        stages.contains(&copy.stage) && copy.instruction < run.instruction && copy.from.is_none()
    };
    cx.facts.copies.iter().filter(before).any(|copy| match &copy.words {
        Ok(words) => words.sources.iter().any(|source| {
            let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or("");
            !name.trim_start_matches('.').contains('.') || is_code(name) || name == "*"
        }),
        // Not read because of its flags or its variables.
        Err(_) => {
            let instruction = &cx.facts.file.instructions[copy.instruction];
            instruction.heredocs.is_empty() && !instruction.args().contains("://")
        }
    })
}

pub enum Refusal {
    /// What the copies name is not in this context: it may not be the one that is meant.
    Elsewhere(String),
    Reason(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        if manifests::is_not_copied(&reason) { Refusal::Elsewhere(reason) } else { Refusal::Reason(reason) }
    }
}

/// A RUN with one build context.
pub struct Look<'c, 'a> {
    pub cx: &'c DockerfileContext<'a>,
    pub run: &'c Run,
    pub context: &'c BuildContext<'c>,
    pub sources: Sources<'c>,
}

/// A file or folder that an install reads: where it lies in the image, the copy that brings it, and its path in the context.
pub struct Read<'s> {
    pub path: String,
    pub brought: &'s Brought<'s>,
    pub source: String,
}

impl<'c, 'a> Look<'c, 'a> {
    fn new(cx: &'c DockerfileContext<'a>, run: &'c Run, context: &'c BuildContext<'c>) -> Self {
        let sources = Sources::find(cx.facts, run.stage, run.instruction, context);
        Self { cx, run, context, sources }
    }

    pub fn instruction(&self, at: usize) -> &'c Instruction {
        &self.cx.facts.file.instructions[at]
    }

    pub fn line(&self, at: usize) -> usize {
        self.cx.facts.line(at)
    }

    /// # Errors
    /// Why the RUN is left alone.
    fn plan(&self) -> Result<Option<Plan>, Refusal> {
        let own = |brought: &&Brought<'_>| brought.copy.stage == self.run.stage && brought.copy.from.is_none();
        let folders: Vec<&Part> =
            self.sources.copies.iter().flat_map(|brought| brought.parts.iter().filter(|part| part.is_folder)).collect();
        let targets: Vec<String> =
            folders.iter().map(|part| part.target.clone()).filter(|target| !is_system(target)).collect();
        let needs = Needs::find(self.run, &self.sources, &targets).map_err(Refusal::Reason)?;
        let commands = &needs.script.commands;
        let until = needs.blocked.as_ref().map_or(commands.len(), |(at, _)| *at);
        let calls = self.run.calls().iter().filter(|call| matches!(call.verb, Verb::Install | Verb::Fetch));
        let last = calls.filter(|call| call.command < until).map(|call| call.command).next_back();
        let reads = self.reads(&needs.installs)?;
        let wide: Vec<&Brought<'_>> =
            self.sources.copies.iter().filter(|brought| self.is_wide(brought, &reads, &needs.installs)).collect();
        let Some(first) = wide.iter().find(|brought| own(brought)) else {
            return match wide.first() {
                Some(brought) => Err(Refusal::Reason(format!(
                    "the sources are copied in line {}, in a stage that this one is built on",
                    self.line(brought.copy.instruction)
                ))),
                None => self.refused(&needs, &reads),
            };
        };
        let Some(last) = last else {
            let reason = needs.blocked.map_or_else(String::new, |(_, reason)| reason);
            // An install that is refused says so itself; another command stands in front of one.
            return Err(if needs.blocked_call {
                reason.into()
            } else {
                Refusal::Reason(format!("{reason}, in front of the install"))
            });
        };
        if wide.iter().any(|brought| !own(brought)) {
            return Err(Refusal::Reason("the sources are copied in a stage that this one is built on, too".to_owned()));
        }
        self.is_not_done(&needs, first.copy.instruction)?;
        let moving = self.moving(first.copy.instruction, &wide, &reads)?;
        self.between(&moving)?;
        self.passed_commands(&needs, last, &moving)?;
        if self.run.mounts.iter().any(|mount| mount.kind == "bind" && mount.from.is_none()) {
            return Err(Refusal::Reason("a bind mount gives it files of the build context".to_owned()));
        }
        let upper = self.upper(&needs, last)?;
        let mut doubts: Vec<String> =
            needs.installs.iter().flat_map(|needed| needed.install.doubts.iter().cloned()).collect();
        if !matches!(upper, Upper::Variant(_)) {
            for (needed, file) in
                needs.installs.iter().flat_map(|needed| needed.install.rewrites.iter().map(move |file| (needed, file)))
            {
                let said = &self.run.text.text[commands[needed.command].range.clone()];
                let said = short(&one_line(said));
                doubts.push(format!(
                    "`{said}` may rewrite {file}, and the copy of the sources behind it would bring the old one back"
                ));
            }
        }
        if let Some(id) = needs.bare.first() {
            doubts.push(format!("what else {id} looks at in the folder that it runs in is not known"));
        }
        if self.run.state.env.open {
            doubts.push("the base image is not known, and with it its environment and user".to_owned());
        }
        let missing = moving.iter().flat_map(|brought| &brought.parts).find(|part| part.is_missing);
        if let Some(part) = missing {
            doubts.push(format!("{} is not in the build context, so what it brings is not known", part.source));
        }
        let ignore = self.ignored(&needs, &moving)?;
        let instead = self.inserted(&reads, &moving)?;
        self.owners_stay(&moving, &instead)?;
        let layout = Layout::new(self.cx, self.run, &moving, &instead, upper);
        Ok(Some(Plan { layout, doubts, ignore }))
    }

    /// What there is to say of a RUN that no copy of sources stands in front of, as far as that can be told.
    ///
    /// # Errors
    /// Its install is refused, and it may be that a copy brings what it needs.
    fn refused(&self, needs: &Needs<'_>, reads: &[Read<'_>]) -> Result<Option<Plan>, Refusal> {
        let Some((_, reason)) = needs.blocked.as_ref().filter(|_| needs.blocked_call) else {
            return self.plain_folder(reads);
        };
        let unread = self.sources.copies.iter().find_map(|brought| brought.unread.as_ref().map(|why| (brought, why)));
        if let Some((brought, why)) = unread {
            let line = self.line(brought.copy.instruction);
            return Err(Refusal::Reason(format!("what line {line} brings is not read: {why}")));
        }
        let is_folder = |brought: &Brought<'_>| brought.parts.iter().any(|part| part.is_folder);
        if self.sources.copies.iter().any(is_folder) { Err(reason.clone().into()) } else { Ok(None) }
    }

    /// # Errors
    /// A folder without code stands in front of an install of the project: it may hold what the install needs.
    fn plain_folder(&self, reads: &[Read<'_>]) -> Result<Option<Plan>, Refusal> {
        let is_plain = |part: &&Part| {
            part.is_folder && !is_system(&part.target) && !reads.iter().any(|read| part.source_of(&read.path).is_some())
        };
        let own = self.sources.copies.iter().filter(|brought| brought.copy.stage == self.run.stage);
        let found = own
            .flat_map(|brought| brought.parts.iter().map(move |part| (brought, part)))
            .find(|(_, part)| is_plain(part));
        match found.filter(|_| !reads.is_empty()) {
            Some((brought, part)) => Err(Refusal::Reason(format!(
                "{}, which line {} copies, holds no code, and the install may need it",
                part.source,
                self.line(brought.copy.instruction)
            ))),
            None => Ok(None),
        }
    }

    /// Where everything that the installs read comes from.
    fn reads(&self, installs: &[Needed<'_>]) -> Result<Vec<Read<'_>>, Refusal> {
        let mut reads: Vec<Read<'_>> = Vec::new();
        for needed in installs {
            for file in &needed.install.reads {
                let path = absolute(&needed.folder, file);
                if reads.iter().any(|read| read.path == path) {
                    continue;
                }
                let origin = self.sources.origin(&path);
                let (brought, source) = origin.ok_or_else(|| Refusal::Elsewhere(manifests::not_copied(file)))?;
                reads.push(Read { path, brought, source });
            }
        }
        Ok(reads)
    }

    /// Whether a copy brings sources: code, or a folder that holds more than manifests.
    fn is_wide(&self, brought: &Brought<'_>, reads: &[Read<'_>], installs: &[Needed<'_>]) -> bool {
        let is_read = |source: &str| reads.iter().any(|read| read.source == source);
        let has_own_reads = reads.iter().any(|read| read.brought.copy.instruction == brought.copy.instruction);
        brought.parts.iter().any(|part| {
            if !part.is_folder {
                return !is_read(&part.source) && is_code(&part.source) && !is_system(folder_of(&part.target));
            }
            // A folder of requirements files or patches is none of sources.
            let holds_reads = reads.iter().any(|read| part.source_of(&read.path).is_some());
            let here = self.run.state.workdir.as_deref().map(|folder| absolute("", folder));
            let mut folders = installs.iter().map(|needed| needed.folder.as_str()).chain(here.as_deref());
            let is_project = folders.any(|folder| relative(folder, &part.target).is_some());
            // Nor are certificates, keys and settings.
            let is_plain =
                !is_project && part.source != "." && !part.is_missing && !holds_code(self.context, &part.source);
            !is_read(&part.source) && !is_plain && (!is_system(&part.target) || has_own_reads && holds_reads)
        })
    }

    /// Whether a copy brings only files that a wide one brings to the same places, with the same flags: it may stay in front.
    fn repeats(&self, brought: &Brought<'_>, wide: &[&Brought<'_>]) -> bool {
        let flags = |at: usize| self.instruction(at).flags.iter().map(|flag| flag.text.as_str()).collect::<Vec<_>>();
        let own = flags(brought.copy.instruction);
        !brought.parts.is_empty()
            && brought.parts.iter().all(|part| {
                let same = |other: &&&Brought<'_>| {
                    let mut parts = other.parts.iter().rev();
                    flags(other.copy.instruction) == own
                        && parts.find_map(|wide| wide.source_of(&part.target)).as_ref() == Some(&part.source)
                };
                !part.is_folder && wide.iter().any(|other| same(&other))
            })
    }

    /// Whether a copy brings folders of the project in which no install reads anything.
    fn is_folder_of_project(&self, brought: &Brought<'_>, reads: &[Read<'_>]) -> bool {
        let is_read = |part: &Part| reads.iter().any(|read| part.source_of(&read.path).is_some());
        !brought.parts.is_empty()
            && brought.parts.iter().all(|part| part.is_folder && !is_system(&part.target) && !is_read(part))
    }

    /// The copies that go below: the wide ones, and those behind them that lay something over what they bring.
    fn moving<'s>(
        &'s self,
        first: usize,
        wide: &[&'s Brought<'s>],
        reads: &[Read<'_>],
    ) -> Result<Vec<&'s Brought<'s>>, Refusal> {
        let targets: Vec<&str> =
            wide.iter().flat_map(|brought| &brought.parts).map(|part| part.target.as_str()).collect();
        if let Some(target) = targets.iter().find(|target| is_system(target)) {
            let name = if target.is_empty() { "/" } else { target };
            return Err(Refusal::Reason(format!("the sources are copied to {name}, where installs write too")));
        }
        let overlaps = |path: &str| {
            targets.iter().any(|target| relative(path, target).is_some() || relative(target, path).is_some())
        };
        let mut moving = Vec::new();
        for brought in self.sources.copies.iter().filter(|brought| brought.copy.stage == self.run.stage) {
            let at = brought.copy.instruction;
            let is_wide = wide.iter().any(|other| other.copy.instruction == at)
                || at > first && self.is_folder_of_project(brought, reads);
            let lies_over = at > first
                && match &brought.copy.from {
                    None if brought.unread.is_none() => brought.parts.iter().any(|part| overlaps(&part.target)),
                    _ => brought.copy.destination.as_deref().is_none_or(overlaps),
                };
            if !is_wide && (!lies_over || self.repeats(brought, wide)) {
                continue;
            }
            if brought.unread.is_some() && brought.copy.from.is_none() {
                return Err(Refusal::Reason(format!("what line {} brings is not read", self.line(at))));
            }
            moving.push(brought);
        }
        Ok(moving)
    }

    /// Whether a form of the install that needs no sources doesn't stand in front of them already.
    fn is_not_done(&self, needs: &Needs<'_>, first: usize) -> Result<(), Refusal> {
        let Some(needed) = needs.installs.iter().find(|needed| needed.install.above != Above::Itself) else {
            return Ok(());
        };
        let fetches = |run: &Run| {
            run.calls().iter().any(|call| {
                call.manager.id == needed.call.manager.id && matches!(call.verb, Verb::Install | Verb::Fetch)
            })
        };
        let mut earlier = self.cx.facts.runs.iter().filter(|run| {
            run.stage == self.run.stage && run.instruction < first
                || run.stage != self.run.stage && self.cx.facts.descends(self.run.stage, run.stage)
        });
        if earlier.any(fetches) {
            return Err(Refusal::Reason("its dependencies are installed in front of the sources already".to_owned()));
        }
        Ok(())
    }

    /// What stands above the sources.
    fn upper(&self, needs: &Needs<'_>, last: usize) -> Result<Upper, Refusal> {
        let differing = needs.installs.iter().find(|needed| needed.install.above != Above::Itself);
        if let Some(needed) = differing {
            if needs.installs.len() > 1 {
                return Err(Refusal::Reason("it holds several installs, and one of them needs the sources".to_owned()));
            }
            let is_fetch = matches!(needed.install.above, Above::Other(_));
            if is_fetch && self.run.mounts.iter().any(|mount| mount.is_cache()) {
                return Err(Refusal::Reason(
                    "its cache mount holds what it downloads, so a step of its own would leave nothing in its layer"
                        .to_owned(),
                ));
            }
            return Upper::variant(self.cx, self.run, needs, needed).map_err(Refusal::Reason);
        }
        match &needs.blocked {
            None => Ok(Upper::Itself),
            Some((_, reason)) if needs.installs.iter().all(|needed| needed.install.reads.is_empty()) => {
                Err(Refusal::Reason(reason.clone()))
            }
            Some((_, reason)) => Upper::split(self.cx, self.run, needs, last)
                .map_err(|why| Refusal::Reason(format!("{reason}, in the same RUN, which can't be divided: {why}"))),
        }
    }
}

/// Whether installs of the system or of a language read or write a folder of the image, or the image can't be without it.
pub fn is_system(path: &str) -> bool {
    const WHOLE: [&str; 8] = ["", "/usr", "/usr/local", "/opt", "/var", "/home", "/root", "/tmp"];
    const BELOW: [&str; 15] = [
        "/usr/local/lib",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/usr/local/share",
        "/usr/local/etc",
        "/usr/lib",
        "/usr/bin",
        "/usr/sbin",
        "/usr/share",
        "/var/lib",
        "/var/cache",
        "/bin",
        "/sbin",
        "/lib",
        "/etc",
    ];
    // `/root/.config`, `/home/app/.ssh`
    let in_home = |rest: &str| rest.strip_prefix('/').is_some_and(|rest| rest.starts_with('.'));
    let is_setting = path.strip_prefix("/root").is_some_and(in_home)
        || path.strip_prefix("/home/").and_then(|rest| rest.find('/').map(|at| &rest[at..])).is_some_and(in_home);
    WHOLE.contains(&path) || BELOW.iter().any(|folder| relative(path, folder).is_some()) || is_setting
}

/// The folder that an absolute path lies in; the root is empty.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
