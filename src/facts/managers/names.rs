//! A plain search for managers in a text, before or instead of reading its commands.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{Manager, Verb};

/// Finds the names of managers, and what else makes a RUN worth reading, in one pass over a text.
#[derive(Debug, Clone)]
pub struct Names {
    search: AhoCorasick,
    /// For each pattern its manager; none for what only creates accounts or touches apt's configuration.
    managers: Vec<Option<usize>>,
}

impl Names {
    pub fn new(managers: &[&'static Manager]) -> Self {
        let named = managers.iter().enumerate();
        let named = named.flat_map(|(at, manager)| manager.programs.iter().map(move |name| (*name, Some(at))));
        let modules = managers.iter().enumerate();
        let modules = modules.flat_map(|(at, manager)| manager.modules.iter().map(move |name| (*name, Some(at))));
        let others = ["useradd", "adduser", "docker-clean"].map(|name| (name, None));
        let (patterns, managers): (Vec<&str>, Vec<Option<usize>>) = named.chain(modules).chain(others).unzip();
        // Names are short and few: building the automaton can't exceed its limits.
        let search = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&patterns);
        Self { search: search.unwrap_or_else(|_| unreachable!("a few short patterns")), managers }
    }

    /// A cheap look at a RUN's text before its shell is read: could it concern a package manager or an account?
    pub fn may_concern(&self, text: &str) -> bool {
        self.search.find_overlapping_iter(text).any(|found| is_word(text, found.start(), found.end()))
    }

    /// The managers whose name stands somewhere in `text`, in the order of the table.
    pub fn named(&self, text: &str, managers: &[&'static Manager]) -> Vec<&'static Manager> {
        let mut seen = vec![false; managers.len()];
        for found in self.search.find_overlapping_iter(text) {
            if !is_word(text, found.start(), found.end()) {
                continue;
            }
            if let Some(at) = self.managers[found.pattern().as_usize()] {
                seen[at] = true;
            }
        }
        managers.iter().zip(seen).filter(|(_, seen)| *seen).map(|(manager, _)| *manager).collect()
    }
}

/// Whether no letter or digit stands beside `start..end`: `mongo` is not `go`, `pip3.11` is `pip3`.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let joins = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !start.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(joins) && !bytes.get(end).is_some_and(joins)
}

/// Whether the manager's program and, in the same clause behind it, one of its downloading commands stand in `text`: a plain
/// search, for RUNs whose commands could not be read.
pub fn mentions(text: &str, manager: &Manager) -> bool {
    let ends = |ch: char| ch.is_whitespace() || matches!(ch, '(' | ')' | '"' | '\'' | '`' | ',' | '[' | ']');
    text.split(['\n', ';', '&', '|']).any(|clause| {
        let mut words = clause.split(ends).filter(|word| !word.is_empty());
        let mut before = "";
        while let Some(word) = words.next() {
            let name = word.rsplit('/').next().unwrap_or(word);
            // `uv pip install` is uv's.
            if !manager.is_program(name) || before == "uv" && manager.id == "pip" {
                before = name;
                continue;
            }
            before = name;
            let mut downloads = manager.verbs.iter().filter(|(_, verb)| matches!(verb, Verb::Install | Verb::Fetch));
            let first = |text: &'static str| text.split(' ').next().unwrap_or(text);
            // The command word stands behind options, of which the last may have taken a word of its own.
            let bare = words.clone().filter(|word| !word.starts_with('-') && !word.contains(['=', ':'])).take(2);
            if downloads.any(|(text, _)| bare.clone().any(|word| word == first(text))) {
                return true;
            }
        }
        false
    })
}
