//! Clauses: the operators of a specifier, each with a version that PEP 440 allows behind it.

use super::super::python::is_space;
use super::Cursor;

impl<'a> Cursor<'a> {
    /// What versions fit, perhaps in parentheses. A comma may be the last.
    pub fn clauses(&mut self) -> Result<Vec<String>, String> {
        let parenthesis = self.eat("(");
        self.skip_blank();
        let mut clauses = Vec::new();
        while let Some(clause) = self.clause() {
            // A version behind `===` may have commas in it, yet packaging splits at all of them later.
            for part in clause.split(',').map(|part| part.trim_matches(is_space)).filter(|part| !part.is_empty()) {
                let mut cursor = Cursor::new(part);
                cursor.clause().ok_or_else(|| cursor.unexpected())?;
                cursor.end()?;
                let operator = part.find(|ch| !matches!(ch, '=' | '<' | '>' | '!' | '~')).unwrap_or(part.len());
                let clause = format!("{}{}", &part[..operator], part[operator..].trim_start_matches(is_space));
                if !clauses.contains(&clause) {
                    clauses.push(clause);
                }
            }
            self.skip_blank();
            if !self.eat(",") {
                break;
            }
            self.skip_blank();
        }
        self.skip_blank();
        if parenthesis && !self.eat(")") { Err(self.unexpected()) } else { Ok(clauses) }
    }

    /// An operator and a version that fits it.
    fn clause(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let operator = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"].into_iter().find(|op| rest.starts_with(op))?;
        let after = after_version(operator, &rest[operator.len()..])?;
        let length = rest.len() - after.len();
        self.at += length;
        Some(&rest[..length])
    }
}

/// What follows the version at the start of `text`, taking as much as PEP 440 allows behind this operator.
fn after_version<'a>(operator: &str, text: &'a str) -> Option<&'a str> {
    let text = text.trim_start_matches(is_space);
    if operator == "===" {
        return Some(text.trim_start_matches(|ch| !(is_space(ch) || matches!(ch, ';' | ')'))));
    }
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let epoch = after_digits(text).and_then(|rest| rest.strip_prefix('!'));
    let mut rest = after_digits(epoch.unwrap_or(text))?;
    let mut parts = 1;
    while let Some(next) = rest.strip_prefix('.').and_then(after_digits) {
        rest = next;
        parts += 1;
    }
    if operator == "~=" && parts < 2 {
        return None;
    }
    let equality = matches!(operator, "==" | "!=");
    if equality && let Some(rest) = rest.strip_prefix(".*") {
        return Some(rest);
    }
    rest = after_label(rest, &["alpha", "beta", "preview", "pre", "a", "b", "c", "rc"]).unwrap_or(rest);
    let post = rest.strip_prefix('-').and_then(after_digits);
    rest = post.or_else(|| after_label(rest, &["post", "rev", "r"])).unwrap_or(rest);
    rest = after_label(rest, &["dev"]).unwrap_or(rest);
    if equality && let Some(mut local) = rest.strip_prefix('+').and_then(after_alphanumerics) {
        while let Some(next) = local.strip_prefix(['-', '_', '.']).and_then(after_alphanumerics) {
            local = next;
        }
        rest = local;
    }
    Some(rest)
}

/// At least one digit.
fn after_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|ch: char| ch.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// At least one letter or digit.
fn after_alphanumerics(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|ch: char| ch.is_ascii_alphanumeric());
    (rest.len() < text.len()).then_some(rest)
}

/// `-rc.1` and the like: a label with or without separators and a number.
fn after_label<'a>(text: &'a str, labels: &[&str]) -> Option<&'a str> {
    let separators = ['-', '_', '.'];
    let text = text.strip_prefix(separators).unwrap_or(text);
    let fits = |label: &&&str| text.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label));
    let label = labels.iter().find(fits)?;
    let rest = &text[label.len()..];
    let rest = rest.strip_prefix(separators).unwrap_or(rest);
    Some(after_digits(rest).unwrap_or(rest))
}
