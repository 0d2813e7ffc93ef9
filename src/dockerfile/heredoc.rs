//! Heredocs: which words open one, and where its body stands.
//!
//! Source: `ParseHeredoc` and `heredocsFromLine` in moby/buildkit `frontend/dockerfile/parser/parser.go`.

use crate::text::Span;

/// A heredoc of RUN, COPY or ADD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The terminator, quotes removed.
    pub name: String,
    /// Whether variables in the body are expanded: no part of the delimiter was quoted.
    pub expand: bool,
    /// `<<-`: leading tabs are stripped.
    pub chomp: bool,
    /// The body's lines, the last line break included.
    pub body: Span,
    /// The terminator's line, without its line break.
    pub terminator: Span,
}

/// An opening word before its body is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening {
    pub name: String,
    pub expand: bool,
    pub chomp: bool,
}

/// The heredocs that `line` opens, in order; none if its quotes do not close.
pub(super) fn openings(line: &str) -> Vec<Opening> {
    match shell_words(line) {
        Some(words) => words.iter().filter_map(|word| opening(word)).collect(),
        None => Vec::new(),
    }
}

/// `^(\d*)<<(-?)\s*([^<]*)$`
fn opening(word: &str) -> Option<Opening> {
    let rest = word.trim_start_matches(|ch: char| ch.is_ascii_digit()).strip_prefix("<<")?;
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim_start();
    if rest.contains('<') || rest.is_empty() {
        return None;
    }
    let (name, quoted) = unquote(rest)?;
    if !quoted && (name.is_empty() || name.chars().any(char::is_whitespace)) {
        return None;
    }
    Some(Opening { name, expand: !quoted, chomp })
}

/// Removes quotes and backslashes; tells whether there were any.
fn unquote(word: &str) -> Option<(String, bool)> {
    let (mut name, mut quoted) = (String::new(), false);
    let mut chars = word.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '\'' | '"' => {
                quoted = true;
                loop {
                    match chars.next()? {
                        end if end == ch => break,
                        '\\' if ch == '"' => name.push(chars.next()?),
                        inner => name.push(inner),
                    }
                }
            }
            '\\' => {
                quoted = true;
                name.push(chars.next()?);
            }
            _ => name.push(ch),
        }
    }
    Some((name, quoted))
}

/// Words as BuildKit's shell lexer splits them with raw quotes and escapes; `None` where a quote does not close.
fn shell_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            _ if ch.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            '\'' => {
                word.push(ch);
                loop {
                    let inner = chars.next()?;
                    word.push(inner);
                    if inner == '\'' {
                        break;
                    }
                }
            }
            '"' => {
                word.push(ch);
                loop {
                    let inner = chars.next()?;
                    word.push(inner);
                    match inner {
                        '"' => break,
                        '\\' => word.push(chars.next()?),
                        _ => {}
                    }
                }
            }
            '\\' => {
                word.push(ch);
                if let Some(next) = chars.next() {
                    word.push(next);
                }
            }
            '$' if chars.peek() == Some(&'{') => {
                word.push(ch);
                let mut depth = 0;
                for inner in chars.by_ref() {
                    word.push(inner);
                    match inner {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => word.push(ch),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<(String, bool, bool)> {
        openings(line).into_iter().map(|open| (open.name, open.expand, open.chomp)).collect()
    }

    #[test]
    fn several_heredocs_open_on_one_line() {
        assert_eq!(names("cat <<EOF 3<<-'B' > f"), [("EOF".to_owned(), true, false), ("B".to_owned(), false, true)]);
    }

    #[test]
    fn a_here_string_and_a_shift_open_none() {
        assert!(names("cat <<<EOF").is_empty());
        assert!(names("echo $((1<<2))x").is_empty());
        assert!(names("echo \"<<EOF").is_empty());
    }
}
