//! A RUN that installs dependencies behind a copy of the sources, and all that speaks against moving the copy below it.

use super::layout::{Layout, Upper};
use super::needs::{Needed, Needs, short};
use crate::context::{BuildContext, Entry};
use crate::dockerfile::{Instruction, Keyword};
use crate::facts::copies::{Part, absolute, relative};
use crate::facts::managers::Verb;
use crate::facts::manifests::{self, Above};
use crate::facts::runs::Run;
use crate::facts::sources::{Brought, Sources, holds_code, is_code};
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
        doubts.dedup();
        ignores.sort();
        ignores.dedup();
        let layout = plans.swap_remove(0).1.layout;
        Ok(Some(Self { run, layout, doubts, ignores }))
    }
}

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
        // Not read because of its flags.
        Err(_) => copy.destination.is_some() && cx.facts.file.instructions[copy.instruction].heredocs.is_empty(),
    })
}

enum Refusal {
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
struct Look<'c, 'a> {
    cx: &'c DockerfileContext<'a>,
    run: &'c Run,
    context: &'c BuildContext<'c>,
    sources: Sources<'c>,
}

/// A file or folder that an install reads: where it lies in the image, the copy that brings it, and its path in the context.
struct Read<'s> {
    path: String,
    brought: &'s Brought<'s>,
    source: String,
}

impl<'c, 'a> Look<'c, 'a> {
    fn new(cx: &'c DockerfileContext<'a>, run: &'c Run, context: &'c BuildContext<'c>) -> Self {
        let sources = Sources::find(cx.facts, run.stage, run.instruction, context);
        Self { cx, run, context, sources }
    }

    fn instruction(&self, at: usize) -> &'c Instruction {
        &self.cx.facts.file.instructions[at]
    }

    fn line(&self, at: usize) -> usize {
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
                None => self.refused(&needs),
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
        let moving = self.moving(first.copy.instruction, &wide, &reads)?;
        self.between(&moving)?;
        if self.run.mounts.iter().any(|mount| mount.kind == "bind" && mount.from.is_none()) {
            return Err(Refusal::Reason("a bind mount gives it files of the build context".to_owned()));
        }
        let upper = self.upper(&needs, last, &moving)?;
        let mut doubts: Vec<String> =
            needs.installs.iter().flat_map(|needed| needed.install.doubts.iter().cloned()).collect();
        if !matches!(upper, Upper::Variant(_)) {
            for (needed, file) in
                needs.installs.iter().flat_map(|needed| needed.install.rewrites.iter().map(move |file| (needed, file)))
            {
                let said = &self.run.text.text[commands[needed.command].range.clone()];
                let said = short(&said.split_whitespace().collect::<Vec<_>>().join(" "));
                doubts.push(format!(
                    "`{said}` may rewrite {file}, and the copy of the sources behind it would bring the old one back"
                ));
            }
        }
        if self.run.state.env.open {
            doubts.push("the base image is not known, and with it its environment and user".to_owned());
        }
        let missing = moving.iter().flat_map(|brought| &brought.parts).find(|part| part.is_missing);
        if let Some(part) = missing {
            doubts.push(format!(
                "{} is not in the build context {}, so what it brings is not known",
                part.source, self.context.folder
            ));
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
    fn refused(&self, needs: &Needs<'_>) -> Result<Option<Plan>, Refusal> {
        let Some((_, reason)) = needs.blocked.as_ref().filter(|_| needs.blocked_call) else { return Ok(None) };
        let unread = self.sources.copies.iter().find_map(|brought| brought.unread.as_ref().map(|why| (brought, why)));
        if let Some((brought, why)) = unread {
            let line = self.line(brought.copy.instruction);
            return Err(Refusal::Reason(format!("what line {line} brings is not read: {why}")));
        }
        let is_folder = |brought: &Brought<'_>| brought.parts.iter().any(|part| part.is_folder);
        if self.sources.copies.iter().any(is_folder) { Err(reason.clone().into()) } else { Ok(None) }
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
            let is_project = installs.iter().any(|needed| relative(&needed.folder, &part.target).is_some());
            let is_plain = holds_reads && !is_project && !holds_code(self.context, &part.source);
            !is_read(&part.source) && !is_plain && (!is_system(&part.target) || has_own_reads && holds_reads)
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
            if !is_wide && !lies_over {
                continue;
            }
            if brought.unread.is_some() && brought.copy.from.is_none() {
                return Err(Refusal::Reason(format!("what line {} brings is not read", self.line(at))));
            }
            moving.push(brought);
        }
        Ok(moving)
    }

    /// Whether everything between the first copy that moves and the RUN stands there as well without the sources.
    fn between(&self, moving: &[&Brought<'_>]) -> Result<(), Refusal> {
        let Some(first) = moving.first().map(|brought| brought.copy.instruction) else { return Ok(()) };
        let targets: Vec<String> =
            moving.iter().flat_map(|brought| &brought.parts).map(|part| part.target.clone()).collect();
        for at in first + 1..self.run.instruction {
            let instruction = self.instruction(at);
            let stands = |what: &str| Err(Refusal::Reason(format!("line {} stands between: {what}", self.line(at))));
            let earlier = || moving.iter().filter(|brought| brought.copy.instruction < at);
            match instruction.keyword {
                Keyword::Env | Keyword::Arg => {
                    if earlier().any(|brought| self.instruction(brought.copy.instruction).line.text.contains('$')) {
                        return stands("it may change a variable that the copy of the sources uses");
                    }
                }
                Keyword::Workdir => {
                    let is_relative = |brought: &&Brought<'_>| {
                        brought.copy.words.as_ref().is_ok_and(|words| !words.raw_destination.starts_with('/'))
                    };
                    if earlier().any(|brought| is_relative(&brought)) {
                        return stands("the copy of the sources would go to another WORKDIR");
                    }
                }
                Keyword::Volume => return stands("a VOLUME may hold what the copy brings"),
                Keyword::Shell | Keyword::From | Keyword::Onbuild | Keyword::Unknown => {
                    return stands("it is not looked through");
                }
                Keyword::Run => {
                    let Some(other) = self.cx.facts.runs.iter().find(|run| run.instruction == at) else { continue };
                    self.passes(other, &targets)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a RUN between the sources and the install does without the sources.
    fn passes(&self, other: &Run, targets: &[String]) -> Result<(), Refusal> {
        let line = self.line(other.instruction);
        let sources = Sources::find(self.cx.facts, other.stage, other.instruction, self.context);
        let needs = Needs::find(other, &sources, targets)
            .map_err(|reason| Refusal::Reason(format!("the RUN in line {line} stands between: {reason}")))?;
        if let Some((_, reason)) = needs.blocked {
            return Err(Refusal::Reason(format!("the RUN in line {line} stands between: {reason}")));
        }
        if let Some(file) = needs.installs.iter().find_map(|needed| needed.install.reads.first()) {
            return Err(Refusal::Reason(format!(
                "the RUN in line {line} stands between, and reads {file} of the sources"
            )));
        }
        Ok(())
    }

    /// What stands above the sources.
    fn upper(&self, needs: &Needs<'_>, last: usize, moving: &[&Brought<'_>]) -> Result<Upper, Refusal> {
        let differing = needs.installs.iter().find(|needed| needed.install.above != Above::Itself);
        if let Some(needed) = differing {
            if needs.installs.len() > 1 {
                return Err(Refusal::Reason("it holds several installs, and one of them needs the sources".to_owned()));
            }
            let first = moving.first().map_or(0, |brought| brought.copy.instruction);
            let same = |run: &&Run| {
                let holds = run.stage == self.run.stage && run.instruction < first
                    || run.stage != self.run.stage && self.cx.facts.descends(self.run.stage, run.stage);
                holds
                    && run.calls().iter().any(|call| {
                        call.manager.id == needed.call.manager.id && matches!(call.verb, Verb::Install | Verb::Fetch)
                    })
            };
            if self.cx.facts.runs.iter().any(|run| same(&run)) {
                return Err(Refusal::Reason(
                    "its dependencies are installed in front of the sources already".to_owned(),
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

    /// Checks that nothing that an install writes can be overwritten by the copies that move behind it; gives what the .dockerignore
    /// lacks for that.
    fn ignored(&self, needs: &Needs<'_>, moving: &[&Brought<'_>]) -> Result<Option<(String, Vec<String>)>, Refusal> {
        let writes = needs
            .installs
            .iter()
            .flat_map(|needed| needed.install.writes.iter().map(move |path| absolute(&needed.folder, path)));
        let mut patterns: Vec<String> = Vec::new();
        for path in writes.chain(needs.makes.iter().cloned()) {
            for part in moving.iter().flat_map(|brought| &brought.parts) {
                if relative(&part.target, &path).is_some() {
                    return Err(Refusal::Reason(format!(
                        "the install writes {path}, and the sources are copied there"
                    )));
                }
                let Some(source) = part.source_of(&path) else { continue };
                if self.context.ignore.excludes_whole(&source) {
                    continue;
                }
                if self.context.ignore.excludes(&source) {
                    return Err(Refusal::Reason(format!(
                        "{} keeps {source} out but for something in it, which would lie over what the install writes",
                        self.context.ignore_path
                    )));
                }
                if self.context.has_on_disk(&source) {
                    return Err(Refusal::Reason(format!(
                        "{source} is in the build context, and its copy would lie over what the install writes"
                    )));
                }
                patterns.push(source);
            }
        }
        if patterns.is_empty() {
            return Ok(None);
        }
        patterns.sort();
        patterns.dedup();
        self.may_ignore(&patterns)?;
        Ok(Some((self.context.ignore_path.clone(), patterns)))
    }

    /// Whether no Dockerfile with this context copies what would be kept out.
    fn may_ignore(&self, patterns: &[String]) -> Result<(), Refusal> {
        for pattern in patterns {
            if pattern.contains(['*', '?', '[', '\\', '!', '#']) || pattern.trim() != pattern {
                return Err(Refusal::Reason(format!("{pattern} can't be written into a .dockerignore as it is")));
            }
            let name = pattern.rsplit('/').next().unwrap_or(pattern);
            let reader = self
                .cx
                .project
                .graph
                .dockerfiles
                .iter()
                .find(|(_, image)| image.copied.iter().any(|source| source.split('/').any(|part| part == name)));
            if let Some((path, _)) = reader {
                return Err(Refusal::Reason(format!(
                    "the install writes {pattern}, which the .dockerignore doesn't keep out and {path} copies"
                )));
            }
        }
        Ok(())
    }

    /// Whether the folders that the copies make keep their owner and mode: a folder that is there keeps its own, so the first to make
    /// it decides (measured with BuildKit 0.25).
    fn owners_stay(&self, moving: &[&Brought<'_>], instead: &[Vec<String>]) -> Result<(), Refusal> {
        for (brought, new) in moving.iter().zip(instead) {
            let instruction = self.instruction(brought.copy.instruction);
            let sets = instruction.flag("chown").is_some() || instruction.flag("chmod").is_some();
            let is_there = |destination: &String| {
                brought.copy.workdir.as_deref().is_some_and(|folder| relative(folder, destination).is_some())
            };
            if sets && new.is_empty() && !brought.copy.destination.as_ref().is_some_and(is_there) {
                return Err(Refusal::Reason(format!(
                    "the copy in line {} decides the owner of the folder that it makes, and something else would make it first",
                    self.line(brought.copy.instruction)
                )));
            }
        }
        Ok(())
    }

    /// The manifests that the copies which move must bring before: for each of these the instructions in its place.
    fn inserted(&self, reads: &[Read<'_>], moving: &[&Brought<'_>]) -> Result<Vec<Vec<String>>, Refusal> {
        let mut all = Vec::with_capacity(moving.len());
        for brought in moving {
            let mut groups: Vec<(String, Vec<&Read<'_>>)> = Vec::new();
            let mut instructions = Vec::new();
            for read in reads.iter().filter(|read| read.brought.copy.instruction == brought.copy.instruction) {
                if self.is_there_already(read, moving) {
                    continue;
                }
                if self.context.is_git_ignored(&read.source) {
                    return Err(Refusal::Reason(format!(
                        "it reads {}, which git ignores, so a COPY of it fails wherever it is missing",
                        read.source
                    )));
                }
                let plain = |ch: char| ch.is_ascii_alphanumeric() || "._-/@+".contains(ch);
                if !read.source.chars().all(plain) {
                    return Err(Refusal::Reason(format!("the name {} needs quotes in a COPY", read.source)));
                }
                let (folder, name) = read.path.rsplit_once('/').unwrap_or(("", &read.path));
                let is_folder = self.context.entry(&read.source) == Some(Entry::Folder);
                if is_folder || read.source.rsplit('/').next() != Some(name) {
                    instructions.push(self.copy(brought, &[&read.source], &read.path, is_folder)?);
                    continue;
                }
                match groups.iter_mut().find(|(known, _)| known == folder) {
                    Some((_, group)) => group.push(read),
                    None => groups.push((folder.to_owned(), vec![read])),
                }
            }
            let grouped = groups.iter().map(|(folder, group)| {
                let names: Vec<&str> = group.iter().map(|read| read.source.as_str()).collect();
                self.copy(brought, &names, folder, true)
            });
            let grouped: Vec<String> = grouped.collect::<Result<_, _>>()?;
            all.push(grouped.into_iter().chain(instructions).collect());
        }
        Ok(all)
    }

    /// Whether a copy that stays in front brings the same file to the same place.
    fn is_there_already(&self, read: &Read<'_>, moving: &[&Brought<'_>]) -> bool {
        let first = moving.first().map_or(0, |brought| brought.copy.instruction);
        let mut before = self.sources.copies.iter().filter(|brought| brought.copy.instruction < first);
        let last = before.rfind(|brought| {
            let is_closed = brought.copy.from.is_some() || brought.unread.is_some();
            let covers = |destination: &String| relative(&read.path, destination).is_some();
            brought.parts.iter().any(|part| part.source_of(&read.path).is_some())
                || is_closed && brought.copy.destination.as_ref().is_none_or(covers)
        });
        let source = |brought: &Brought<'_>| brought.parts.iter().rev().find_map(|part| part.source_of(&read.path));
        last.and_then(source).is_some_and(|source| source == read.source)
    }

    /// A COPY like another one, of a few files.
    fn copy(&self, like: &Brought<'_>, names: &[&str], target: &str, is_folder: bool) -> Result<String, Refusal> {
        let instruction = self.instruction(like.copy.instruction);
        let text = self.cx.facts.text;
        let words = like.copy.words.as_ref().map_err(|reason| Refusal::Reason(reason.clone()))?;
        let raw = &words.raw_destination;
        if raw.contains(['"', '\'', '\\', '`', ' ']) {
            return Err(Refusal::Reason(format!("the destination {raw} stands in quotes")));
        }
        let outside = || Refusal::Reason(format!("{target} lies outside of {raw}"));
        let rest = relative(target, &words.destination).ok_or_else(outside)?;
        let base = match raw.trim_end_matches('/') {
            "" => "/".to_owned(),
            raw => format!("{raw}/"),
        };
        let destination = match (rest.as_str(), is_folder) {
            (".", _) => base,
            (rest, true) => format!("{base}{rest}/"),
            (rest, false) => format!("{base}{rest}"),
        };
        let keyword = instruction.keyword_span.of(text);
        let keyword = if keyword.chars().all(|ch| ch.is_ascii_lowercase()) { "copy" } else { "COPY" };
        let flags: String = instruction.flags.iter().map(|flag| format!(" {}", flag.span.of(text))).collect();
        Ok(format!("{keyword}{flags} {} {destination}", names.join(" ")))
    }
}

/// Whether installs of the system or of a language write to a folder of the image, or the image can't be without it.
fn is_system(path: &str) -> bool {
    const WHOLE: [&str; 8] = ["", "/usr", "/usr/local", "/opt", "/var", "/home", "/root", "/tmp"];
    const BELOW: [&str; 10] = [
        "/usr/local/lib",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/usr/lib",
        "/usr/bin",
        "/usr/sbin",
        "/bin",
        "/sbin",
        "/lib",
        "/etc",
    ];
    WHOLE.contains(&path) || BELOW.iter().any(|folder| relative(path, folder).is_some())
}

/// The folder that an absolute path lies in; the root is empty.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
