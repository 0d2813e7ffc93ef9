//! Markers: what may stand behind the `;` of a requirement.
//!
//! Sources: PEP 508 and packaging's `_parser.py`.

use super::Cursor;

impl Cursor<'_> {
    pub fn marker(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err("parentheses go too deep".to_owned());
        }
        self.marker_atom(depth)?;
        while self.eat_word("or") || self.eat_word("and") {
            self.marker_atom(depth)?;
        }
        Ok(())
    }

    fn marker_atom(&mut self, depth: usize) -> Result<(), String> {
        self.skip_blank();
        if self.eat("(") {
            self.marker(depth + 1)?;
            if !self.eat(")") {
                return Err(self.unexpected());
            }
        } else {
            self.marker_value()?;
            self.skip_blank();
            self.marker_operator()?;
            self.skip_blank();
            self.marker_value()?;
        }
        self.skip_blank();
        Ok(())
    }

    fn marker_value(&mut self) -> Result<(), String> {
        if VARIABLES.iter().any(|variable| self.eat_word(variable)) {
            return Ok(());
        }
        let rest = self.rest();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let inner = quote.and_then(|quote| rest[1..].split_once(quote)).map(|(inner, _)| inner);
        let inner = inner.ok_or_else(|| self.unexpected())?;
        // Python reads it as a literal: one line, and a last backslash would escape the quote.
        let backslashes = inner.len() - inner.trim_end_matches('\\').len();
        if backslashes % 2 == 1 || inner.contains(['\n', '\r']) {
            return Err(self.unexpected());
        }
        self.at += inner.len() + 2;
        Ok(())
    }

    fn marker_operator(&mut self) -> Result<(), String> {
        if self.eat_word("not") {
            let before = self.at;
            self.skip_blank();
            return if self.at > before && self.eat_word("in") { Ok(()) } else { Err(self.unexpected()) };
        }
        let found = self.eat_word("in")
            || ["===", "==", "~=", "!=", "<=", ">=", "<", ">"].into_iter().any(|operator| self.eat(operator));
        if found { Ok(()) } else { Err(self.unexpected()) }
    }
}

/// How deep parentheses in a marker may go. Python gives up as well, somewhat further down.
const DEPTH: usize = 100;

/// What a marker may ask for, in the spelling of PEP 508 or an older one.
const VARIABLES: &[&str] = &[
    "python_version",
    "python_full_version",
    "os.name",
    "os_name",
    "sys.platform",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform.version",
    "platform_version",
    "platform.machine",
    "platform_machine",
    "platform.python_implementation",
    "platform_python_implementation",
    "python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
];
