//! Mount the caches of package managers in the RUNs that use them.
//!
//! # Why
//!
//! A RUN that installs packages starts from nothing whenever it runs again: one more requirement, and every package is
//! downloaded and every wheel built anew. `RUN --mount=type=cache` gives the step a directory that the builder keeps from run
//! to run and that never enters the image.
//!
//! # What changes
//!
//! Every RUN that calls a package manager of the table to download gets `--mount=type=cache` for that manager's cache
//! directory, in front of its other flags. The target follows the user, HOME and the variables and flags that move the
//! cache; `id=`, `sharing=` and `uid=` are set where sharing would otherwise be wrong. apt gets a directory of its own for
//! archives (`-o Dir::Cache::archives=`), because the base image's docker-clean empties the usual one; apk's `--no-cache` gives way to
//! an updated index. A clean-up that would fail on the mount goes with it.
//!
//! # What is left alone
//!
//! Users other than root without a known uid; directories that a later step copies, or reads without a network; RUNs whose
//! shell can't be read with certainty; files for builders that refuse or ignore mounts; `cargo`'s target folder, poetry's
//! virtual environments, yarn's Plug'n'Play, BUNDLE_PATH; ONBUILD.
//!
//! # Safety
//!
//! Safe where the base image is known, the directory holds nothing but downloads (or is read by this step alone), and every
//! step that needs it can download again. A step whose only product is the directory (`go mod download`) is for review: its
//! layer was a cache that a registry can carry, a mount is not. docs/same-image.md says what "the same image" passes over.
//!
//! # References
//!
//! BuildKit's reference for `RUN --mount=type=cache`; the `source` of each row in src/facts/managers/table.rs; measurements on a real
//! builder in tests/real_build.rs.

mod directories;
mod examples;
mod place;
mod refusals;
mod site;
mod special;
mod stores;

use self::site::Site;
use self::special::Special;
use crate::dockerfile::edits;
use crate::edit::{Edit, EditSet};
use crate::facts::managers::{self, Call, Manager, Verb};
use crate::facts::runs::{Run, RunForm, Unreadable};
use crate::transform::run_edits::RunEdits;
use crate::transform::{Change, DockerfileContext, Effect, Findings, Kind, Level, Meta, Transform};

pub struct AddCacheMounts;

static META: Meta = Meta {
    id: "add-cache-mounts",
    kinds: &[Kind::Dockerfile],
    level: Level::Safe,
    prose: include_str!("mod.rs"),
    examples: examples::EXAMPLES,
};

impl Transform for AddCacheMounts {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn dockerfile(&self, cx: &DockerfileContext<'_>, out: &mut Findings) {
        for (ordinal, run) in cx.facts.runs.iter().enumerate() {
            let place = cx.facts.file.instructions[run.instruction].span;
            if let Err(reason) = run.script() {
                if *reason != Unreadable::Irrelevant
                    && cx
                        .facts
                        .knowledge
                        .named(&run.text.text)
                        .iter()
                        .any(|manager| managers::mentions(&run.text.text, manager))
                {
                    out.skip(place, reason.to_string());
                }
                continue;
            }
            let mut seen = Vec::new();
            // Each change puts its flags first: the last manager's go in first, so that they end in the order of the commands.
            for (manager, calls) in downloads(run).into_iter().rev() {
                seen.push(manager.id);
                let verdict = Site::find(cx, run, manager, calls);
                for site in &verdict.sites {
                    match change(cx, site, ordinal) {
                        Ok(change) => out.changes.push(change),
                        Err(refusal) => out.skip(place, format!("{}: {refusal}", manager.id)),
                    }
                }
                for refusal in verdict.refusals {
                    out.skip(place, format!("{}: {refusal}", manager.id));
                }
            }
            for manager in cx.facts.knowledge.named(&run.text.text) {
                // A mount of the author's for it shows that the calls are known of.
                let mounted = run
                    .mounts
                    .iter()
                    .any(|mount| mount.target.as_deref().is_some_and(|target| target.contains(manager.id)));
                if !seen.contains(&manager.id) && !mounted && managers::mentions(&run.text.text, manager) {
                    let id = manager.id;
                    out.skip(place, format!("{id}: it stands in a string, a substitution or behind another program, where its commands are not edited"));
                }
            }
        }
    }
}

/// The calls that download, by manager, in order of appearance.
fn downloads(run: &Run) -> Vec<(&'static Manager, Vec<Call>)> {
    let mut groups: Vec<(&'static Manager, Vec<Call>)> = Vec::new();
    for call in run.calls() {
        if !matches!(call.verb, Verb::Install | Verb::Fetch) {
            continue;
        }
        match groups.iter_mut().find(|(manager, _)| manager.id == call.manager.id) {
            Some((_, calls)) => calls.push(call.clone()),
            None => groups.push((call.manager, vec![call.clone()])),
        }
    }
    groups
}

/// Forces a fresh index, which `--no-cache` did: an index younger than four hours would be trusted otherwise.
const UPDATE_INDEX: &str = "apk update --cache-dir=/etc/apk/cache";

/// Edits and effects of one RUN, collected together.
struct Draft<'a> {
    cx: &'a DockerfileContext<'a>,
    site: &'a Site<'a>,
    out: RunEdits<'a>,
}

fn change(cx: &DockerfileContext<'_>, site: &Site<'_>, ordinal: usize) -> Result<Change, String> {
    let mut draft = Draft { cx, site, out: RunEdits::new(cx.facts, site.run) };
    draft.flags();
    let dropped = draft.failing_cleanups()?;
    draft.words();
    if EditSet::new(cx.facts.text, draft.out.edits.iter().cloned()).is_err() {
        return Err("the clean-ups that would have to go stand too close together".to_owned());
    }
    let what = match site.manager.id {
        "apt" => "package archives".to_owned(),
        "go" => match (site.mounts.iter().any(|m| m.target.ends_with("mod")), site.mounts.len()) {
            (true, 1) => "module cache".to_owned(),
            (false, 1) => "build cache".to_owned(),
            _ => "caches".to_owned(),
        },
        _ => "cache".to_owned(),
    };
    let suffix = if site.level == Level::Review && site.manager.id == "go" { ":modules" } else { "" };
    Ok(Change {
        group: format!("run{ordinal}:{}{suffix}", site.manager.id),
        title: match dropped.is_empty() {
            true => format!("Mount the {} {what}", site.manager.id),
            false => format!("Mount the {} {what} and drop {}", site.manager.id, dropped.join(" and ")),
        },
        reason: reason(site),
        level: site.level,
        offset: site.instruction.span.start,
        more: Vec::new(),
        edits: draft.out.edits,
        effects: draft.out.effects,
        beside: Vec::new(),
        shows: None,
    })
}

fn reason(site: &Site<'_>) -> String {
    let targets: Vec<&str> = site.mounts.iter().map(|mounted| mounted.target.as_str()).collect();
    let kept = match site.manager.id {
        "go" if targets.iter().all(|target| target.ends_with("go-build")) => "build results",
        "go" if targets.len() > 1 => "modules and build results",
        "go" => "modules",
        "cargo" | "maven" | "gradle" | "nuget" => "dependencies",
        "dnf" | "zypper" if site.special != Special::KeepPackages => "repository metadata",
        _ => "packages",
    };
    let mut text = format!(
        "a kept builder finds unchanged {kept} in {} when this step runs again; hosted CI starts with an empty mount and gains nothing",
        targets.join(" and ")
    );
    if !site.doubts.is_empty() {
        text.push_str("; for review because ");
        text.push_str(&site.doubts.join(", and because "));
    }
    text
}

impl Draft<'_> {
    fn flags(&mut self) {
        let (facts, site) = (self.cx.facts, self.site);
        let flags: Vec<String> = site.mounts.iter().map(|mounted| mounted.flag.clone()).collect();
        self.out.edits.extend(edits::insert_flags(
            facts.text,
            facts.file,
            site.instruction,
            &flags,
            self.words_to_come(),
        ));
        let instruction = site.run.instruction;
        self.out.effects.extend(flags.into_iter().map(|flag| Effect::AddFlag { instruction, flag }));
    }

    /// How long the words are that [`Self::words`] adds, in bytes.
    fn words_to_come(&self) -> usize {
        let calls = self.site.calls.len();
        match &self.site.special {
            Special::None => self.site.directory_flag.as_ref().map_or(0, |flag| (flag.len() + 1) * calls),
            Special::Apt { archives, keep } => {
                (archives.len() + 26) * calls + if *keep { 2 * archives.len() + 110 } else { 0 }
            }
            Special::Apk { update } => {
                if *update {
                    UPDATE_INDEX.len()
                } else {
                    0
                }
            }
            Special::KeepPackages => 21 * calls,
        }
    }

    /// Removes what would fail on the mount: a whole command, or one of its paths.
    fn failing_cleanups(&mut self) -> Result<Vec<String>, String> {
        let site = self.site;
        let mut done = Vec::new();
        let mut dropped = Vec::new();
        for removed in &site.failing {
            let command = &site.run.commands()[removed.command];
            let paths = command.arguments().iter().filter(|word| !word.raw.starts_with('-')).count();
            let failing = site.failing.iter().filter(|other| other.command == removed.command).count();
            if failing < paths {
                let range = command.words[removed.word].range.clone();
                dropped.push(format!("`rm {}`", removed.raw));
                self.out.remove_words(range)?;
            } else if !done.contains(&removed.command) {
                done.push(removed.command);
                let text: Vec<&str> = command.words.iter().map(|word| word.raw.as_str()).collect();
                dropped.push(format!("`{}`", text.join(" ")));
                self.out.remove_command(command)?;
            }
        }
        Ok(dropped)
    }

    /// Adds the words that the manager's commands need.
    fn words(&mut self) {
        let site = self.site;
        let run = site.run;
        if let Some(flag) = &site.directory_flag {
            for call in &site.calls {
                self.out.insert_words(call.command, call.verb_word, &[flag]);
            }
        }
        match &site.special {
            Special::None => {}
            Special::Apt { archives, keep } => {
                let option = format!("Dir::Cache::archives={archives}");
                for call in &site.calls {
                    self.out.insert_words(call.command, call.verb_word, &["-o", &option]);
                }
                if *keep {
                    let file = format!("{archives}/keep-cache");
                    let commands = [
                        format!("echo 'Binary::apt::APT::Keep-Downloaded-Packages \"true\";' > {file}"),
                        format!("export APT_CONFIG={file}"),
                    ];
                    // In front of everything, so that no condition or loop is entered.
                    let lists = run.script().map_or(&[][..], |script| &script.lists);
                    let start = lists
                        .iter()
                        .filter(|list| list.outermost)
                        .flat_map(|list| &list.items)
                        .map(|item| item.start)
                        .min();
                    self.before(start.unwrap_or(0), &commands);
                }
            }
            Special::Apk { update } => {
                for command in run.commands().iter().filter(|command| command.name() == Some("apk")) {
                    let adds = command
                        .words
                        .iter()
                        .any(|word| matches!(word.raw.as_str(), "add" | "upgrade" | "update" | "fix"));
                    for word in command.words.iter().filter(|word| adds && word.raw == "--no-cache") {
                        // Its removal can't fail: one word, no comment inside.
                        let _ = self.out.remove_words(word.range.clone());
                    }
                }
                if *update {
                    let first = &run.commands()[site.calls[0].command];
                    self.before(first.range.start, &[UPDATE_INDEX.to_owned()]);
                }
            }
            Special::KeepPackages => {
                for call in &site.calls {
                    self.out.insert_words(call.command, call.verb_word, &["--setopt=keepcache=1"]);
                }
            }
        }
    }

    /// Puts commands in front of what starts at `at` of the script.
    fn before(&mut self, at: usize, commands: &[String]) {
        let (facts, run) = (self.cx.facts, self.site.run);
        let offset = run.text.offset(at);
        if run.form == RunForm::Heredoc {
            let joined: String = commands.iter().map(|command| format!("{command} && ")).collect();
            self.out.edits.push(Edit::insert(offset, joined.clone()));
            self.out.effects.push(Effect::ReplaceText { instruction: run.instruction, range: at..at, with: joined });
            return;
        }
        let flags: usize = self.site.mounts.iter().map(|mounted| mounted.flag.len() + 1).sum();
        let wrap = edits::must_wrap(facts.text, self.site.instruction, flags + self.words_to_come());
        let edit = edits::chain_before(facts.text, facts.file, self.site.instruction, offset, commands, wrap);
        // The first command starts where the flags are put in: one insertion, flags first.
        match self.out.edits.iter_mut().find(|known| known.span.end == edit.span.start && !known.replacement.is_empty())
        {
            Some(known) => known.replacement.push_str(&edit.replacement),
            None => self.out.edits.push(edit),
        }
        let joined: String = commands.iter().map(|command| format!("{command} && ")).collect();
        self.out.effects.push(Effect::ReplaceText { instruction: run.instruction, range: at..at, with: joined });
    }
}
