//! Commands inside a RUN: their words, operators and prefixes, with ranges in the text that the shell is given.
//!
//! `rable` reads the shell; this module turns its tree into a flat list of simple commands that know their place in
//! the `&&` and `;` lists around them. Ranges are byte ranges of the text that was passed in.

mod prefix;
mod word;

use std::ops::Range;

pub use prefix::RunAs;
pub use word::{Expansion, expand};

use rable::{ListItem, ListOperator, Node, NodeKind};

/// A script's simple commands in reading order, and the and-or lists that they stand in.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub commands: Vec<Command>,
    pub lists: Vec<AndOrList>,
}

/// A simple command.
#[derive(Debug, Clone)]
pub struct Command {
    pub range: Range<usize>,
    /// `NAME=value` in front of the command, also behind `env` and `sudo`.
    pub assignments: Vec<ShellWord>,
    pub words: Vec<ShellWord>,
    /// Index in `words` of the program, seen through `sudo`, `env`, `time`, `exec` and the like.
    pub program: usize,
    pub run_as: RunAs,
    /// Names that `env -u` or `env -i` (every name: `*`) takes away.
    pub unset: Vec<String>,
    pub form: Form,
    /// Where the command stands.
    pub list: usize,
    /// Its index in the list, if it is an item of the list itself (not inside a pipeline, loop or condition).
    pub item: Option<usize>,
    /// Whether it stands in a quoted `sh -c` string.
    pub nested: bool,
    /// Whether `time` stands in front of it: a keyword in bash, a program in other shells, which takes no assignment.
    pub timed: bool,
}

/// How a command is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Words of a shell script.
    Shell,
    /// Strings of a JSON array.
    Exec,
}

/// A word as written.
#[derive(Debug, Clone)]
pub struct ShellWord {
    pub range: Range<usize>,
    pub raw: String,
    /// Its value, if nothing in it is left to the shell: no expansion, no pattern.
    pub value: Option<String>,
}

/// Items joined by `&&` and `||`.
#[derive(Debug, Clone)]
pub struct AndOrList {
    pub items: Vec<Range<usize>>,
    /// The operators between the items: `true` for `&&`.
    pub and: Vec<bool>,
    /// Whether the list's exit status is that of the whole script or of the compound command around it.
    pub last: bool,
    /// Whether other lists stand beside it in the same sequence.
    pub alone: bool,
    /// Whether `set -e` holds when the list starts.
    pub errexit: bool,
    /// Whether the list stands in the script itself, not in a loop, condition, subshell or function.
    pub outermost: bool,
    /// Whether a failure of the list ends the script: false inside conditions and pipelines.
    pub top: bool,
}

/// How a command that always succeeds may be taken out without changing when the script fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Together with one operator beside it.
    Item,
    /// Only by putting `true` in its place.
    True,
}

/// Deeper nesting than any Dockerfile has; the parser recurses.
const DEEPEST: usize = 64;

/// Why a script was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShellError {
    #[error("the shell text can't be parsed: {0}")]
    Syntax(String),
    #[error("the shell text is nested more than {DEEPEST} levels deep")]
    Depth,
}

impl Command {
    /// The program's name without its folder. The folder may hold variables (`$VENV/bin/pip`), the name may not.
    pub fn name(&self) -> Option<&str> {
        let word = self.words.get(self.program)?;
        if let Some(value) = word.value.as_deref() {
            return Some(value.rsplit('/').next().unwrap_or(value));
        }
        let (_, name) = word.raw.trim_matches('"').rsplit_once('/')?;
        let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-' | '_');
        (!name.is_empty() && name.chars().all(plain)).then_some(name)
    }

    /// The words behind the program.
    pub fn arguments(&self) -> &[ShellWord] {
        self.words.get(self.program + 1..).unwrap_or(&[])
    }

    /// The value of the last assignment of `name` in front of the command, as written.
    pub fn assignment(&self, name: &str) -> Option<&str> {
        self.assignments
            .iter()
            .rev()
            .find_map(|word| word.raw.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
    }
}

impl Script {
    /// How `command`, which always succeeds, may be removed.
    pub fn removal(&self, command: &Command) -> Removal {
        let Some(item) = command.item else { return Removal::True };
        let list = &self.lists[command.list];
        let last_item = item + 1 == list.items.len();
        if list.items.len() == 1 {
            // `a; clean; b`: nothing reads its status. `a; clean`: it hides a failure of `a`, unless `set -e` holds.
            let unread = !list.last || list.errexit;
            return if list.top && !list.alone && unread { Removal::Item } else { Removal::True };
        }
        if list.and.iter().any(|and| !and) {
            return Removal::True;
        }
        // Under `set -e` a failure in front of `&&` does not end the script; as the last item it would.
        if last_item && list.errexit && !list.last {
            return Removal::True;
        }
        Removal::Item
    }

    /// Whether a command may be put in front of `command` with `&&` so that it runs exactly when `command` does and a
    /// failure of either is a failure of the list.
    pub fn takes_command_before(&self, command: &Command) -> bool {
        let Some(item) = command.item else { return false };
        command.form == Form::Shell
            && self.lists[command.list].outermost
            && self.lists[command.list].and[..item].iter().all(|and| *and)
    }
}

/// Reads a script. `errexit` tells whether the shell is started with `-e`.
///
/// # Errors
/// A text that is no shell script.
pub fn parse(text: &str, errexit: bool) -> Result<Script, ShellError> {
    let mut script = Script::default();
    parse_into(text, 0, errexit, false, &mut script)?;
    script.commands.sort_by_key(|command| command.range.start);
    Ok(script)
}

fn parse_into(text: &str, shift: usize, errexit: bool, nested: bool, script: &mut Script) -> Result<(), ShellError> {
    if depth(text) > DEEPEST {
        return Err(ShellError::Depth);
    }
    let nodes = rable::parse(text, true).map_err(|error| ShellError::Syntax(error.to_string()))?;
    let mut walker = Walker { text, offsets: char_offsets(text), shift, errexit, nested, script };
    walker.sequence(nodes.iter().collect(), true, true, true);
    Ok(())
}

/// The command of an exec-form RUN: `words` are the strings with the ranges of their contents.
pub fn exec(words: Vec<ShellWord>) -> Script {
    let mut script = Script::default();
    let Some((first, last)) = words.first().zip(words.last()) else { return script };
    let range = first.range.start..last.range.end;
    script.lists.push(AndOrList {
        items: vec![range.clone()],
        and: Vec::new(),
        last: true,
        alone: true,
        errexit: false,
        outermost: true,
        top: true,
    });
    let command = prefix::resolve(range, Vec::new(), words, Form::Exec, 0, Some(0), false);
    nested_script(&command, 0, &mut script);
    script.commands.push(command);
    script.commands.sort_by_key(|command| command.range.start);
    script
}

/// An upper bound of how deep the constructs of a script are nested.
fn depth(text: &str) -> usize {
    let (mut brackets, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'{' => brackets += 1,
            b')' | b'}' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(brackets);
    }
    let (mut words, mut deepest_words) = (0_usize, 0);
    for word in text.split(|ch: char| ch.is_whitespace() || ch == ';') {
        match word {
            "if" | "while" | "until" | "for" | "case" | "{" | "!" => words += 1,
            "fi" | "done" | "esac" | "}" => words = words.saturating_sub(1),
            _ => {}
        }
        deepest_words = deepest_words.max(words);
    }
    // Backquotes nest only with backslashes in front of them.
    deepest.max(deepest_words)
}

/// rable counts characters; this gives the byte offset of each, and one more for the end. Empty for ASCII.
fn char_offsets(text: &str) -> Vec<usize> {
    if text.is_ascii() {
        return Vec::new();
    }
    text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len())).collect()
}

struct Walker<'a> {
    text: &'a str,
    offsets: Vec<usize>,
    /// Where `text` starts in the text that the caller passed.
    shift: usize,
    errexit: bool,
    nested: bool,
    script: &'a mut Script,
}

impl Walker<'_> {
    fn byte(&self, index: usize) -> usize {
        if self.offsets.is_empty() {
            index.min(self.text.len())
        } else {
            self.offsets[index.min(self.offsets.len() - 1)]
        }
    }

    fn range(&self, node: &Node) -> Range<usize> {
        self.byte(node.span.start)..self.byte(node.span.end)
    }

    fn shifted(&self, range: &Range<usize>) -> Range<usize> {
        range.start + self.shift..range.end + self.shift
    }

    fn word(&self, node: &Node) -> ShellWord {
        let range = self.range(node);
        let raw = self.text[range.clone()].to_owned();
        let value = expand(&raw, &|_| None).literal();
        ShellWord { range: self.shifted(&range), raw, value }
    }

    /// Commands joined by `;`, `&` and line breaks.
    fn sequence(&mut self, nodes: Vec<&Node>, last: bool, top: bool, outermost: bool) {
        let mut lists = Vec::new();
        for node in nodes {
            split_sequence(node, &mut lists);
        }
        lists.retain(|(node, _)| !matches!(node.kind, NodeKind::Empty | NodeKind::Comment { .. }));
        let count = lists.len();
        for (index, (node, background)) in lists.into_iter().enumerate() {
            self.and_or(node, last && index + 1 == count, count == 1, top && !background, outermost && !background);
        }
    }

    fn and_or(&mut self, node: &Node, last: bool, alone: bool, top: bool, outermost: bool) {
        let (mut items, mut and) = (Vec::new(), Vec::new());
        split_and_or(node, &mut items, &mut and);
        let list = self.script.lists.len();
        let ranges = items.iter().map(|item| self.shifted(&self.range(item))).collect();
        self.script.lists.push(AndOrList { items: ranges, and, last, alone, errexit: self.errexit, outermost, top });
        for (index, item) in items.into_iter().enumerate() {
            self.item(item, list, Some(index), top);
        }
    }

    fn item(&mut self, node: &Node, list: usize, item: Option<usize>, top: bool) {
        match &node.kind {
            NodeKind::Command { assignments, words, redirects: _ } => {
                let range = self.range(node);
                let assignments = assignments.iter().map(|word| self.word(word)).collect();
                let words: Vec<ShellWord> = words.iter().map(|word| self.word(word)).collect();
                self.note_errexit(&words);
                let range = self.shifted(&range);
                let command = prefix::resolve(range, assignments, words, Form::Shell, list, item, self.nested);
                nested_script(&command, 0, self.script);
                self.script.commands.push(command);
            }
            NodeKind::Time { pipeline, .. } => {
                let from = self.script.commands.len();
                self.item(pipeline, list, None, top);
                self.script.commands[from..].iter_mut().for_each(|command| command.timed = true);
            }
            NodeKind::Pipeline { commands, .. } => {
                for command in commands {
                    self.item(command, list, None, false);
                }
            }
            NodeKind::Negation { pipeline } => self.item(pipeline, list, None, false),
            NodeKind::BraceGroup { body, .. } => self.sequence(vec![body], true, top, false),
            NodeKind::Subshell { body, .. } => {
                let errexit = self.errexit;
                self.sequence(vec![body], true, top, false);
                self.errexit = errexit;
            }
            NodeKind::If { condition, then_body, else_body, .. } => {
                self.sequence(vec![condition], true, false, false);
                self.sequence(vec![then_body], true, top, false);
                if let Some(body) = else_body {
                    self.sequence(vec![body], true, top, false);
                }
            }
            NodeKind::While { condition, body, .. } | NodeKind::Until { condition, body, .. } => {
                self.sequence(vec![condition], true, false, false);
                self.sequence(vec![body], true, top, false);
            }
            NodeKind::For { body, .. } | NodeKind::ForArith { body, .. } | NodeKind::Select { body, .. } => {
                self.sequence(vec![body], true, top, false);
            }
            NodeKind::Case { patterns, .. } => {
                for body in patterns.iter().filter_map(|pattern| pattern.body.as_ref()) {
                    self.sequence(vec![body], true, top, false);
                }
            }
            NodeKind::Function { body, .. } => self.sequence(vec![body], true, false, false),
            NodeKind::List { .. } => self.sequence(vec![node], true, top, false),
            _ => {}
        }
    }

    fn note_errexit(&mut self, words: &[ShellWord]) {
        if words.first().and_then(|word| word.value.as_deref()) != Some("set") {
            return;
        }
        let mut arguments = words[1..].iter().filter_map(|word| word.value.as_deref());
        while let Some(argument) = arguments.next() {
            let named = (argument.ends_with('o') && argument.len() > 1) && arguments.clone().next() == Some("errexit");
            match argument.as_bytes().first() {
                Some(b'-') if named || argument.contains('e') => self.errexit = true,
                Some(b'+') if named || argument.contains('e') => self.errexit = false,
                _ => {}
            }
        }
    }
}

/// Reads the quoted script of `sh -c '...'`, where its quoting leaves every byte as it stands.
fn nested_script(command: &Command, depth: usize, script: &mut Script) {
    let shells = ["sh", "bash", "dash", "ash", "zsh"];
    if depth > 2 || !command.name().is_some_and(|name| shells.contains(&name)) {
        return;
    }
    let mut errexit = false;
    let mut arguments = command.arguments().iter();
    let string = loop {
        let Some(word) = arguments.next() else { return };
        let Some(value) = word.value.as_deref().filter(|value| value.starts_with('-')) else { return };
        errexit |= !value.starts_with("--") && value.contains('e');
        if value == "-o" || value == "-O" {
            arguments.next();
        } else if value.ends_with('c') && !value.starts_with("--") {
            match arguments.next() {
                Some(word) => break word,
                None => return,
            }
        }
    };
    let (inner, start) = match command.form {
        Form::Exec => (string.raw.as_str(), string.range.start),
        Form::Shell => {
            let quote = string.raw.chars().next().filter(|ch| matches!(ch, '"' | '\''));
            let Some(quote) = quote else { return };
            let Some(inner) = string.raw[1..].strip_suffix(quote) else { return };
            if inner.contains(quote) || quote == '"' && inner.contains(['`', '$']) {
                return;
            }
            (inner, string.range.start + 1)
        }
    };
    if inner.contains('\\') {
        return;
    }
    let mut inside = Script::default();
    if parse_into(inner, start, errexit, true, &mut inside).is_err() {
        return;
    }
    let lists = script.lists.len();
    script.lists.append(&mut inside.lists);
    script.commands.extend(inside.commands.into_iter().map(|mut command| {
        command.list += lists;
        command
    }));
}

/// Splits a list at `;` and `&`; tells of each part whether it runs in the background.
fn split_sequence<'n>(node: &'n Node, out: &mut Vec<(&'n Node, bool)>) {
    match &node.kind {
        NodeKind::List { items } if items.iter().any(is_sequence) => {
            for item in items {
                let background = matches!(item.operator, Some(ListOperator::Background));
                let from = out.len();
                split_sequence(&item.command, out);
                if background && let Some(part) = out[from..].last_mut() {
                    part.1 = true;
                }
            }
        }
        _ => out.push((node, false)),
    }
}

fn is_sequence(item: &ListItem) -> bool {
    matches!(item.operator, Some(ListOperator::Semi | ListOperator::Background))
}

fn split_and_or<'n>(node: &'n Node, items: &mut Vec<&'n Node>, and: &mut Vec<bool>) {
    match &node.kind {
        NodeKind::List { items: parts } if !parts.iter().any(is_sequence) => {
            for part in parts {
                split_and_or(&part.command, items, and);
                match part.operator {
                    Some(ListOperator::And) => and.push(true),
                    Some(ListOperator::Or) => and.push(false),
                    _ => {}
                }
            }
        }
        _ => items.push(node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        parse(text, false).unwrap().commands.iter().filter_map(|cmd| cmd.name().map(str::to_owned)).collect()
    }

    fn removal(text: &str, name: &str) -> Removal {
        let script = parse(text, false).unwrap();
        let command = script.commands.iter().find(|cmd| cmd.name() == Some(name)).unwrap();
        script.removal(command)
    }

    #[test]
    fn commands_are_seen_through_prefixes_and_compounds() {
        assert_eq!(names("sudo -E env A=1 pip install x && (apk add y; z) || true"), ["pip", "apk", "z", "true"]);
        assert_eq!(names("if a; then b; else c; fi; for i in 1; do d; done"), ["a", "b", "c", "d"]);
        assert_eq!(names("bash -exc 'pip install x && y'"), ["bash", "pip", "y"]);
        assert_eq!(names("$CMD install && /opt/venv/bin/pip install"), ["pip"]);
        assert_eq!(names("\"$VENV/bin/pip\" install && ${V}/bin/$P install"), ["pip"]);
    }

    #[test]
    fn ranges_count_bytes_behind_other_characters() {
        let text = "echo 'é' && pip install ü";
        let script = parse(text, false).unwrap();
        let pip = &script.commands[1];
        assert_eq!(&text[pip.words[0].range.clone()], "pip");
        assert_eq!(&text[pip.words[2].range.clone()], "ü");
    }

    #[test]
    fn a_clean_up_leaves_an_and_chain_without_a_trace() {
        assert_eq!(removal("a && clean", "clean"), Removal::Item);
        assert_eq!(removal("a && clean && b", "clean"), Removal::Item);
        assert_eq!(removal("a; clean; b", "clean"), Removal::Item);
        assert_eq!(removal("set -e; a; clean", "clean"), Removal::Item);
    }

    #[test]
    fn a_clean_up_that_decides_the_exit_status_becomes_true() {
        assert_eq!(removal("a; clean", "clean"), Removal::True);
        assert_eq!(removal("a || clean", "clean"), Removal::True);
        assert_eq!(removal("if a; then clean; fi", "clean"), Removal::True);
        assert_eq!(removal("set -e; a && clean; b", "clean"), Removal::True);
        assert_eq!(removal("a | clean", "clean"), Removal::True);
    }
}
