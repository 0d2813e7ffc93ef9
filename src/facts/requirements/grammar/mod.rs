//! The grammar of PEP 508, by which a requirement with a name is taken apart.
//!
//! Sources: PEP 508 and packaging's `_parser.py`.

mod markers;
mod versions;

/// A requirement taken apart.
pub struct Named<'a> {
    pub name: &'a str,
    pub extras: Vec<String>,
    pub url: Option<&'a str>,
    /// Each an operator and a version, without white space and only once.
    pub clauses: Vec<String>,
}

/// A place in the text, moved on by what the grammar has there.
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub fn named(text: &'a str) -> Result<Named<'a>, String> {
        let mut cursor = Self::new(text);
        cursor.skip_blank();
        let name = cursor.identifier().ok_or_else(|| cursor.unexpected())?;
        cursor.skip_blank();
        let extras = cursor.extras()?;
        cursor.skip_blank();
        let mut named = Named { name, extras, url: None, clauses: Vec::new() };
        if cursor.eat("@") {
            cursor.skip_blank();
            let rest = cursor.rest();
            let url = rest.split([' ', '\t']).next().filter(|url| !url.is_empty());
            let url = url.ok_or_else(|| cursor.unexpected())?;
            cursor.at += url.len();
            named.url = Some(url);
        } else {
            named.clauses = cursor.clauses()?;
        }
        cursor.skip_blank();
        if cursor.eat(";") {
            cursor.marker(0)?;
        }
        cursor.end()?;
        Ok(named)
    }

    pub fn end(&self) -> Result<(), String> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.unexpected()) }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// White space is only this much in the grammar, though within a clause it is all that Python knows.
    fn skip_blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let there =
            self.rest().starts_with(word) && self.is_boundary(self.at) && self.is_boundary(self.at + word.len());
        there && self.eat(word)
    }

    /// The name of a package or an extra. It ends at a boundary, so `_` may be the last of it but not `-`.
    fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if !rest.starts_with(|ch: char| ch.is_ascii_alphanumeric()) {
            return None;
        }
        let allowed = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-');
        let longest = rest.find(|ch| !allowed(ch)).unwrap_or(rest.len());
        let length = (1..=longest).rev().find(|&length| self.is_boundary(self.at + length))?;
        self.at += length;
        Some(&rest[..length])
    }

    fn extras(&mut self) -> Result<Vec<String>, String> {
        let mut extras = Vec::new();
        if !self.eat("[") {
            return Ok(extras);
        }
        self.skip_blank();
        if let Some(first) = self.identifier() {
            extras.push(first.to_owned());
            self.skip_blank();
            while self.eat(",") {
                self.skip_blank();
                extras.push(self.identifier().ok_or_else(|| self.unexpected())?.to_owned());
                self.skip_blank();
            }
        }
        self.skip_blank();
        if self.eat("]") { Ok(extras) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> String {
        format!("`{}` does not continue as PEP 508 says at `{}`", self.text, self.rest())
    }

    /// `\b` of Python's regular expressions.
    fn is_boundary(&self, at: usize) -> bool {
        let in_word = |ch: char| ch.is_alphanumeric() || ch == '_';
        let (before, after) = self.text.split_at(at);
        before.chars().next_back().is_some_and(in_word) != after.chars().next().is_some_and(in_word)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::refused;

    #[test]
    fn a_line_that_the_grammar_does_not_have_is_refused() {
        let lines = [
            "a=1",
            "a==",
            "a 1",
            "a>=1.*",
            "a>1+x",
            "a[b",
            "a;bad",
            "a; os_name=='x",
            "a==1)",
            "-a",
            "--req x",
            "htps://x",
        ];
        for text in lines.into_iter().chain(["--no", "--pre=1", "-r", "-r 'x", "a --hash=md5:x", "a -C k", "C:\\x"]) {
            assert!(refused(text), "{text}");
        }
        let deep = format!("a;{}os_name=='x'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(refused(&deep));
    }
}
