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
//! BuildKit's reference for `RUN --mount=type=cache`; the `source` of each row in src/facts/managers.rs; measurements on a real
//! builder in tests/real_build.rs.

mod examples;
mod site;

use self::site::{Site, Special};
use crate::dockerfile::edits;
use crate::edit::{Edit, EditSet};
use crate::facts::managers::{self, Call, EnvOverride, Manager, Verb};
use crate::facts::runs::{Run, RunForm, Unreadable};
use crate::shell::{Command, Form, Removal};
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
                if *reason != Unreadable::Irrelevant && managers::mention(&run.text.text, &cx.facts.knowledge.managers).is_some() {
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
            if let Some(manager) = managers::mention(&run.text.text, &cx.facts.knowledge.managers) {
                let known = run.calls().iter().any(|call| call.manager.id == manager);
                let mounted = run.mounts.iter().any(|mount| mount.target.as_deref().is_some_and(|target| target.contains(manager)));
                if !known && !mounted && !seen.contains(&manager) {
                    out.skip(place, format!("{manager}: it stands in a string, a substitution or behind another program, where its commands are not edited"));
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

/// Whether a path speaks of a cache, so that an `rm` of it is a clean-up.
pub(super) fn is_cache_path(raw: &str) -> bool {
    let raw = raw.to_ascii_lowercase();
    ["cache", "/lists", ".npm", ".cargo/registry", ".m2", ".gradle", ".nuget", "pkgs", "/tmp/*"].iter().any(|part| raw.contains(part))
}

/// Forces a fresh index, which `--no-cache` did: an index younger than four hours would be trusted otherwise.
const UPDATE_INDEX: &str = "apk update --cache-dir=/etc/apk/cache";

/// Edits and effects of one RUN, collected together.
struct Draft<'a> {
    cx: &'a DockerfileContext<'a>,
    site: &'a Site<'a>,
    edits: Vec<Edit>,
    effects: Vec<Effect>,
}

fn change(cx: &DockerfileContext<'_>, site: &Site<'_>, ordinal: usize) -> Result<Change, String> {
    let mut draft = Draft { cx, site, edits: Vec::new(), effects: Vec::new() };
    draft.flags();
    let dropped = draft.failing_cleanups()?;
    draft.words();
    if EditSet::new(cx.facts.text, draft.edits.iter().cloned()).is_err() {
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
        edits: draft.edits,
        effects: draft.effects,
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
        "a builder that keeps its cache finds unchanged {kept} in {} when this step runs again; hosted CI starts with an empty one and gains nothing",
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
        self.edits.extend(edits::insert_flags(facts.text, facts.file, site.instruction, &flags, self.words_to_come()));
        let instruction = site.run.instruction;
        self.effects.extend(flags.into_iter().map(|flag| Effect::AddFlag { instruction, flag }));
    }

    /// How long the words are that [`Self::words`] adds, in bytes.
    fn words_to_come(&self) -> usize {
        let calls = self.site.calls.len();
        match &self.site.special {
            Special::None => self.site.directory_flag.as_ref().map_or(0, |flag| (flag.len() + 1) * calls),
            Special::Apt { archives, keep } => (archives.len() + 26) * calls + if *keep { 2 * archives.len() + 110 } else { 0 },
            Special::Apk { update } => if *update { UPDATE_INDEX.len() } else { 0 },
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
                remove_words(self.cx, site.run, range, &mut self.edits, &mut self.effects)?;
            } else if !done.contains(&removed.command) {
                done.push(removed.command);
                let text: Vec<&str> = command.words.iter().map(|word| word.raw.as_str()).collect();
                dropped.push(format!("`{}`", text.join(" ")));
                remove_command(self.cx, site.run, command, &mut self.edits, &mut self.effects)?;
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
                insert_words(run, call.command, call.verb_word, &[flag], &mut self.edits, &mut self.effects);
            }
        }
        match &site.special {
            Special::None => {}
            Special::Apt { archives, keep } => {
                let option = format!("Dir::Cache::archives={archives}");
                for call in &site.calls {
                    insert_words(run, call.command, call.verb_word, &["-o", &option], &mut self.edits, &mut self.effects);
                }
                if *keep {
                    let file = format!("{archives}/keep-cache");
                    let commands = [
                        format!("echo 'Binary::apt::APT::Keep-Downloaded-Packages \"true\";' > {file}"),
                        format!("export APT_CONFIG={file}"),
                    ];
                    // In front of everything, so that no condition or loop is entered.
                    let lists = run.script().map_or(&[][..], |script| &script.lists);
                    let start = lists.iter().filter(|list| list.outermost).flat_map(|list| &list.items).map(|item| item.start).min();
                    self.before(start.unwrap_or(0), &commands);
                }
            }
            Special::Apk { update } => {
                for command in run.commands().iter().filter(|command| command.name() == Some("apk")) {
                    let adds = command.words.iter().any(|word| matches!(word.raw.as_str(), "add" | "upgrade" | "update" | "fix"));
                    for word in command.words.iter().filter(|word| adds && word.raw == "--no-cache") {
                        // Its removal can't fail: one word, no comment inside.
                        let _ = remove_words(self.cx, run, word.range.clone(), &mut self.edits, &mut self.effects);
                    }
                }
                if *update {
                    let first = &run.commands()[site.calls[0].command];
                    self.before(first.range.start, &[UPDATE_INDEX.to_owned()]);
                }
            }
            Special::KeepPackages => {
                for call in &site.calls {
                    insert_words(run, call.command, call.verb_word, &["--setopt=keepcache=1"], &mut self.edits, &mut self.effects);
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
            self.edits.push(Edit::insert(offset, joined.clone()));
            self.effects.push(Effect::ReplaceText { instruction: run.instruction, range: at..at, with: joined });
            return;
        }
        let flags: usize = self.site.mounts.iter().map(|mounted| mounted.flag.len() + 1).sum();
        let wrap = edits::must_wrap(facts.text, self.site.instruction, flags + self.words_to_come());
        let edit = edits::chain_before(facts.text, facts.file, self.site.instruction, offset, commands, wrap);
        // The first command starts where the flags are put in: one insertion, flags first.
        match self.edits.iter_mut().find(|known| known.span.end == edit.span.start && !known.replacement.is_empty()) {
            Some(known) => known.replacement.push_str(&edit.replacement),
            None => self.edits.push(edit),
        }
        let joined: String = commands.iter().map(|command| format!("{command} && ")).collect();
        self.effects.push(Effect::ReplaceText { instruction: run.instruction, range: at..at, with: joined });
    }
}

/// Puts `words` behind a word of a command: as shell words, or as strings of the JSON array.
fn insert_words(run: &Run, command: usize, word: usize, words: &[&str], edits: &mut Vec<Edit>, effects: &mut Vec<Effect>) {
    let command = &run.commands()[command];
    let end = command.words[word].range.end;
    let (at, text) = match command.form {
        Form::Shell => (end, words.iter().map(|word| format!(" {word}")).collect::<String>()),
        // Behind the closing quote.
        Form::Exec => (end + 1, words.iter().map(|word| format!(", \"{word}\"")).collect()),
    };
    edits.push(Edit::insert(run.text.offset(at), text.clone()));
    effects.push(Effect::ReplaceText { instruction: run.instruction, range: at..at, with: text });
}

/// Removes a range of a RUN's script text, with the white space or line that only served it.
pub(super) fn remove_words(
    cx: &DockerfileContext<'_>,
    run: &Run,
    range: std::ops::Range<usize>,
    edits: &mut Vec<Edit>,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let instruction = &cx.facts.file.instructions[run.instruction];
    let span = run.text.span(range.clone());
    let removal = edits::remove(cx.facts.text, cx.facts.file, instruction, span);
    edits.extend(removal.ok_or("a comment stands inside what would go")?);
    effects.push(Effect::ReplaceText { instruction: run.instruction, range, with: " ".to_owned() });
    Ok(())
}

/// Removes a command that always succeeds, with the operator that joined it; puts `true` in its place where it decides the exit
/// status.
pub(super) fn remove_command(
    cx: &DockerfileContext<'_>,
    run: &Run,
    command: &Command,
    edits: &mut Vec<Edit>,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let script = run.script().map_err(ToString::to_string)?;
    let text = &run.text.text;
    if script.removal(command) == Removal::True {
        let range = command.range.clone();
        if !script.lists[command.list].outermost {
            return Err(format!("`{}` decides an exit status inside a condition or a subshell", run.text.text[range].split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        if !run.text.is_contiguous(range.clone()) {
            return Err("a clean-up over several lines decides the exit status".to_owned());
        }
        edits.push(Edit::replace(run.text.span(range.clone()), "true"));
        effects.push(Effect::ReplaceText { instruction: run.instruction, range, with: "true".to_owned() });
        return Ok(());
    }
    let list = &script.lists[command.list];
    let item = command.item.unwrap_or(0);
    let range = if list.items.len() == 1 {
        // `clean;`: the semicolon goes too.
        let rest = &text[command.range.end..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let end = if rest[gap..].starts_with(';') { command.range.end + gap + 1 } else { command.range.end };
        command.range.start..end
    } else if item == 0 {
        command.range.start..list.items[1].start
    } else {
        let before = list.items[item - 1].end;
        let operator = text[before..command.range.start].find("&&").map_or(before, |at| before + at);
        let operator_offset = run.text.offset(operator);
        let line_start = cx.facts.text[..operator_offset].rfind('\n').map_or(0, |at| at + 1);
        let leads = cx.facts.text[line_start..operator_offset].trim().is_empty();
        if leads { operator..command.range.end } else { before..command.range.end }
    };
    remove_words(cx, run, range, edits, effects)
}

/// Whether a variable can be taken back for a command by an assignment in front of it.
pub(super) fn takes_assignment(fix: EnvOverride, command: &Command) -> bool {
    fix == EnvOverride::Empty && command.form == Form::Shell
}
