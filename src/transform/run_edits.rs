//! Edits of the commands in a RUN, each with the effect that it declares.

use super::Effect;
use crate::dockerfile::edits;
use crate::edit::Edit;
use crate::facts::Facts;
use crate::facts::cleanups;
use crate::facts::runs::Run;
use crate::shell::{Command, Form, Removal};
use crate::text::one_line;

/// Edits of one RUN's script, collected for one change.
pub struct RunEdits<'a> {
    facts: &'a Facts<'a>,
    run: &'a Run,
    pub edits: Vec<Edit>,
    pub effects: Vec<Effect>,
}

impl<'a> RunEdits<'a> {
    pub fn new(facts: &'a Facts<'a>, run: &'a Run) -> Self {
        Self { facts, run, edits: Vec::new(), effects: Vec::new() }
    }

    /// Puts `words` behind a word of a command: as shell words, or as strings of the JSON array.
    pub fn insert_words(&mut self, command: usize, word: usize, words: &[&str]) {
        let command = &self.run.commands()[command];
        let end = command.words[word].range.end;
        let (at, text) = match command.form {
            Form::Shell => (end, words.iter().map(|word| format!(" {word}")).collect::<String>()),
            // Behind the closing quote.
            Form::Exec => (end + 1, words.iter().map(|word| format!(", \"{word}\"")).collect()),
        };
        self.insert(at, text);
    }

    /// Puts `text` in at a place of the script.
    pub fn insert(&mut self, at: usize, text: String) {
        self.edits.push(Edit::insert(self.run.text.offset(at), text.clone()));
        self.replaced(at..at, text);
    }

    fn replaced(&mut self, range: std::ops::Range<usize>, with: String) {
        self.effects.push(Effect::ReplaceText { instruction: self.run.instruction, range, with });
    }

    /// Removes a range of the script, with the white space or line that only served it.
    ///
    /// # Errors
    /// A comment inside the range, which must not be lost.
    pub fn remove_words(&mut self, range: std::ops::Range<usize>) -> Result<(), String> {
        let instruction = &self.facts.file.instructions[self.run.instruction];
        let span = self.run.text.span(range.clone());
        let removal = edits::remove(self.facts.text, self.facts.file, instruction, span);
        self.edits.extend(removal.ok_or("a comment stands inside what would go")?);
        self.replaced(range, " ".to_owned());
        Ok(())
    }

    /// Removes a command that always succeeds, with the operator that joined it; puts `true` in its place where it decides the
    /// exit status of the whole script.
    ///
    /// # Errors
    /// Places where neither is sure.
    pub fn remove_command(&mut self, command: &Command) -> Result<(), String> {
        cleanups::removable(self.run, command)?;
        let script = self.run.script().map_err(ToString::to_string)?;
        let text = &self.run.text.text;
        let said = || one_line(&text[command.range.clone()]);
        if script.removal(command) == Removal::True {
            let range = command.range.clone();
            if !self.run.text.is_contiguous(range.clone()) {
                return Err(format!("`{}` decides the exit status and stands on several lines", said()));
            }
            self.edits.push(Edit::replace(self.run.text.span(range.clone()), "true"));
            self.replaced(range, "true".to_owned());
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
            let offset = self.run.text.offset(operator);
            let line_start = self.facts.text[..offset].rfind('\n').map_or(0, |at| at + 1);
            let leads = self.facts.text[line_start..offset].trim().is_empty();
            if leads { operator..command.range.end } else { before..command.range.end }
        };
        self.remove_words(range)
    }
}
