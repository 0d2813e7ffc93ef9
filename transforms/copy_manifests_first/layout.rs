//! Where everything comes to stand: the copies of the manifests, the install, and the copies of the sources behind it.

use std::ops::Range;

use super::needs::{Needed, Needs};
use crate::dockerfile::Dockerfile;
use crate::dockerfile::edits::{self, Part};
use crate::edit::Edit;
use crate::facts::manifests::Above;
use crate::facts::runs::{Run, RunForm};
use crate::facts::sources::Brought;
use crate::shell::Script;
use crate::text::one_line;
use crate::transform::{DockerfileContext, Effect};

/// The new order; equal for two build contexts if the file is the same afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Indexes of the copies that move, with the comment lines that go along and the copies of manifests in their place.
    pub moves: Vec<(usize, usize, Vec<String>)>,
    pub upper: Upper,
    run: usize,
}

/// Longest line that is made of several commands, in columns.
const LONGEST_LINE: usize = 120;

/// What stands between the manifests and the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upper {
    /// The RUN itself.
    Itself,
    /// A RUN of its own; the RUN itself stays below.
    Variant(String),
    /// The first commands of the RUN, and the range of its script that goes from it.
    Part(String, Range<usize>),
}

impl Layout {
    pub fn new(
        cx: &DockerfileContext<'_>,
        run: &Run,
        moving: &[&Brought<'_>],
        instead: &[Vec<String>],
        upper: Upper,
    ) -> Self {
        let text = cx.facts.text;
        let moves = moving.iter().zip(instead).map(|(brought, instead)| {
            let instruction = &cx.facts.file.instructions[brought.copy.instruction];
            let comments = edits::comments_above(text, instruction);
            let place = edits::lines(text, instruction, comments);
            let goes = comments > 0 && describes_copy(&text[place.start..instruction.span.start]);
            (brought.copy.instruction, if goes { comments } else { 0 }, instead.clone())
        });
        Self { moves: moves.collect(), upper, run: run.instruction }
    }

    /// The manifests that get a copy of their own.
    pub fn manifests(&self) -> Vec<&str> {
        let words = self.moves.iter().flat_map(|(.., instead)| instead).flat_map(|text| {
            let words: Vec<&str> = text.split_whitespace().skip(1).filter(|word| !word.starts_with("--")).collect();
            words[..words.len().saturating_sub(1)].to_vec()
        });
        words.map(|word| word.rsplit('/').next().unwrap_or(word)).collect()
    }

    /// The edits, and what they do.
    pub fn edits(&self, text: &str, file: &Dockerfile, run: &Run) -> (Vec<Edit>, Vec<Effect>) {
        let at = |index: usize| &file.instructions[index];
        let insert = |before: usize, text: &String| Effect::InsertInstruction { before, text: text.clone() };
        let is_moving = |index: usize| self.moves.iter().any(|(moving, ..)| *moving == index);
        let first = self.moves.first().map_or(self.run, |(first, ..)| *first);
        let new = match &self.upper {
            Upper::Itself => None,
            Upper::Variant(new) | Upper::Part(new, _) => Some(new.clone()),
        };
        let (mut edits, mut effects) = (Vec::new(), Vec::new());
        let behind = match &new {
            None => self.run,
            Some(_) => (0..self.run).rev().find(|index| !is_moving(*index)).unwrap_or(0),
        };
        if behind < first {
            // Nothing stands between the sources and the install: what is new goes above them.
            let comments = self.moves.first().map_or(0, |(_, comments, _)| *comments);
            let all: Vec<String> =
                self.moves.iter().flat_map(|(.., instead)| instead.iter().cloned()).chain(new).collect();
            effects.extend(all.iter().map(|new| insert(first, new)));
            edits.push(edits::insert_above(text, at(first), comments, &all));
        } else {
            let new: Vec<String> = new.into_iter().collect();
            for (index, _, instead) in &self.moves {
                effects.extend(instead.iter().map(|new| insert(*index, new)));
            }
            effects.extend(new.iter().map(|new| insert(behind + 1, new)));
            effects.extend(self.moves.iter().map(|(index, comments, _)| Effect::MoveInstruction {
                instruction: *index,
                behind,
                comments: *comments,
            }));
            let moved = self.moves.iter().map(|(index, comments, instead)| Part::Moved {
                instruction: at(*index),
                comments: *comments,
                instead,
            });
            let parts: Vec<Part<'_>> = new.iter().cloned().map(Part::New).chain(moved).collect();
            edits.extend(edits::move_block_behind(text, &parts, at(behind)));
        }
        if let Upper::Part(_, range) = &self.upper {
            edits.push(Edit::delete(run.text.span(range.clone())));
            effects.push(Effect::ReplaceText { instruction: self.run, range: range.clone(), with: String::new() });
        }
        (edits, effects)
    }
}

/// Whether a comment is about the copy below it, and not the head of the whole install.
fn describes_copy(comment: &str) -> bool {
    let lower = comment.to_ascii_lowercase();
    let install = ["install", "depend", "requirement", "package"].iter().any(|word| lower.contains(word));
    let copy =
        ["copy", "source", "code", "files", "everything", "rest of", "project"].iter().any(|word| lower.contains(word));
    copy || !install
}

impl Upper {
    /// The install in a form that needs its manifests only; the commands in front of it that it depends on stay with it.
    ///
    /// # Errors
    /// A script of which the command can't be taken out.
    pub fn variant(
        cx: &DockerfileContext<'_>,
        run: &Run,
        needs: &Needs<'_>,
        needed: &Needed<'_>,
    ) -> Result<Self, String> {
        let script: &Script = &needs.script;
        let command = &script.commands[needed.command];
        if run.form != RunForm::Shell || command.nested || command.item.is_none() {
            return Err("the install can't be taken out of its RUN".to_owned());
        }
        let text = &run.text.text;
        let said = match &needed.install.above {
            Above::Itself => text[command.range.clone()].to_owned(),
            Above::WithWords(words) => {
                let at = command.words[needed.call.verb_word].range.end;
                format!("{} {}{}", &text[command.range.start..at], words.join(" "), &text[at..command.range.end])
            }
            Above::Other(other) => other.clone(),
        };
        let list = &script.lists[command.list];
        if !list.outermost || list.and.iter().any(|and| !and) {
            return Err("the install stands in a condition, a loop or behind `||`".to_owned());
        }
        let mut parts: Vec<String> = Vec::new();
        for before in &script.commands[..needed.command] {
            let carries = matches!(before.name(), Some("cd" | "export" | "." | "source" | "set" | "umask"));
            if !carries && !needs.installs.iter().any(|other| script.commands[other.command].range == before.range) {
                continue;
            }
            if before.list != command.list && !script.lists[before.list].outermost || before.item.is_none() {
                return Err("what the install depends on can't be taken along".to_owned());
            }
            parts.push(text[before.range.clone()].to_owned());
        }
        parts.push(said);
        let parts: Vec<String> = parts.iter().map(|part| one_line(part)).collect();
        let head = head(cx, run)?;
        let one = format!("{head}{}", parts.join(" && "));
        if parts.len() == 1 || one.len() <= LONGEST_LINE {
            return Ok(Upper::Variant(one));
        }
        let separator = format!(" {}{}    && ", cx.facts.file.escape, edits::line_break(cx.facts.text));
        Ok(Upper::Variant(format!("{head}{}", parts.join(&separator))))
    }

    /// The commands up to the last install as a RUN of their own.
    ///
    /// # Errors
    /// Why the RUN can't be divided there.
    pub fn split(cx: &DockerfileContext<'_>, run: &Run, needs: &Needs<'_>, last: usize) -> Result<Self, String> {
        let script: &Script = &needs.script;
        let command = &script.commands[last];
        let list = &script.lists[command.list];
        let instruction = &cx.facts.file.instructions[run.instruction];
        if run.form != RunForm::Shell || !instruction.heredocs.is_empty() {
            return Err("it is no plain shell form".to_owned());
        }
        if !list.alone || !list.outermost || list.and.iter().any(|and| !and) {
            return Err("its commands are not joined by && alone".to_owned());
        }
        let carries = |at: usize| {
            matches!(script.commands[at].name(), Some("cd" | "export" | "." | "source" | "set" | "umask"))
                || script.commands[at].words.is_empty()
        };
        // What changes the shell for the commands behind it is said in both; it stands in front of all.
        let kept = (0..=last).take_while(|at| carries(*at) && script.commands[*at].item == Some(*at)).count();
        if (kept..=last).any(carries) {
            return Err("a command in the middle changes the shell for those behind it".to_owned());
        }
        let stays = needs.blocked.as_ref().map_or(script.commands.len(), |(at, _)| *at);
        let rest = script.commands.get(stays).ok_or("nothing would be left of it")?;
        // Clean-ups directly behind the install go up with it.
        let item =
            rest.item.and_then(|item| item.checked_sub(1)).filter(|item| command.item.is_some_and(|own| own <= *item));
        let Some(item) = item.filter(|item| item + 1 < list.items.len()) else {
            return Err("the install stands inside of another command".to_owned());
        };
        let tail = &run.text.text[list.items[item + 1].start..];
        const REMOVES: [&str; 9] =
            ["rm", "purge", "remove", "autoremove", "uninstall", "del", "prune", "clean", "chown"];
        let removes = |word: &&str| REMOVES.contains(&word.trim_matches(|ch: char| !ch.is_ascii_alphanumeric()));
        if let Some(word) = tail.split_whitespace().find(removes) {
            return Err(format!("`{word}` behind it would leave what it removes or changes in the layer below"));
        }
        let (start, end, next) = (list.items[0].start, list.items[item].end, list.items[item + 1].start);
        let holds_comment = cx
            .facts
            .file
            .comments
            .iter()
            .any(|comment| instruction.span.start <= comment.start && comment.start < run.text.offset(next));
        if holds_comment {
            return Err("a comment stands among its commands".to_owned());
        }
        let above = run.text.span(start..end).of(cx.facts.text);
        let from = list.items.get(kept).map_or(start, |item| item.start);
        Ok(Upper::Part(format!("{}{above}", head(cx, run)?), from..next))
    }
}

/// The keyword and flags of a RUN as they stand in the file, up to its script.
fn head<'a>(cx: &DockerfileContext<'a>, run: &Run) -> Result<&'a str, String> {
    let instruction = &cx.facts.file.instructions[run.instruction];
    let end = run.text.offset(0);
    let holds_comment =
        cx.facts.file.comments.iter().any(|comment| instruction.span.start <= comment.start && comment.start < end);
    if holds_comment {
        return Err("a comment stands among its flags".to_owned());
    }
    Ok(&cx.facts.text[instruction.span.start..end])
}
