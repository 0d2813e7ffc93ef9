//! The strings, heredocs and comments of a text, found without parsing it.

use std::collections::HashSet;

use crate::text::Span;

/// The strings, heredocs and comments of a text, found without parsing it.
#[derive(Debug, Default)]
pub struct Scan {
    /// In order, without the line ends of `#` and `//`.
    pub comments: Vec<Span>,
    /// Strings with their quotes, heredocs from `<<` to the closing word. Also those inside of `${}`.
    pub literals: HashSet<Span>,
}

/// What the scanner is inside of.
enum In<'t> {
    /// Open braces: the file, or `${` with 0.
    Code(usize),
    /// From an opening quote.
    String(usize),
    /// From `<<`, and the closing word.
    Heredoc(usize, &'t str),
}

impl Scan {
    /// # Errors
    /// The offset at which a string, heredoc, comment or brace is left open, a brace too many stands, or something
    /// stands behind the closing word of a heredoc: HCL wants that word alone on its line, hcl-edit does not.
    pub fn new(text: &str) -> Result<Self, usize> {
        let bytes = text.as_bytes();
        let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |length| from + length);
        let mut found = Self::default();
        let mut stack = vec![In::Code(0)];
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let depth = stack.len();
            match stack.last_mut() {
                None => return Err(at),
                Some(In::Code(braces)) => match rest {
                    [b'#', ..] | [b'/', b'/', ..] => {
                        let end = line_end(at);
                        found.comments.push(Span::new(at, end));
                        at = end;
                    }
                    [b'/', b'*', ..] => {
                        let end = at + text[at + 2..].find("*/").ok_or(at)? + 4;
                        found.comments.push(Span::new(at, end));
                        at = end;
                    }
                    [b'"', ..] => {
                        stack.push(In::String(at));
                        at += 1;
                    }
                    [b'<', b'<', ..] => {
                        let end = line_end(at);
                        let word = text[at + 2..end].trim_end_matches('\r');
                        let word = word.strip_prefix('-').unwrap_or(word);
                        if word.is_empty() {
                            return Err(at);
                        }
                        stack.push(In::Heredoc(at, word));
                        // The line end stays: it is what the closing word has to follow.
                        at = end;
                    }
                    [b'{', ..] => {
                        *braces += 1;
                        at += 1;
                    }
                    [b'}', ..] => {
                        match braces {
                            0 if depth == 1 => return Err(at),
                            0 => drop(stack.pop()),
                            _ => *braces -= 1,
                        }
                        at += 1;
                    }
                    _ => at += 1,
                },
                Some(In::String(_) | In::Heredoc(..))
                    if matches!(rest, [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..]) =>
                {
                    at += 3;
                }
                Some(In::String(_) | In::Heredoc(..)) if matches!(rest, [b'$' | b'%', b'{', ..]) => {
                    stack.push(In::Code(0));
                    at += 2;
                }
                Some(In::String(start)) => match rest {
                    [b'\\', _, ..] => at += 2,
                    [b'"', ..] => {
                        found.literals.insert(Span::new(*start, at + 1));
                        stack.pop();
                        at += 1;
                    }
                    _ => at += 1,
                },
                Some(In::Heredoc(start, word)) => {
                    at += 1;
                    if rest[0] != b'\n' {
                        continue;
                    }
                    let end = line_end(at);
                    let line = text[at..end].trim_end_matches([' ', '\t', '\r']);
                    let indented = line.trim_start_matches([' ', '\t']);
                    match indented.strip_prefix(*word) {
                        Some("") => {
                            found.literals.insert(Span::new(*start, at + line.len()));
                            stack.pop();
                            at = end;
                        }
                        // For hcl-edit the heredoc ends here, for HCL it goes on.
                        Some(more) if !more.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-') => {
                            return Err(at);
                        }
                        _ => {}
                    }
                }
            }
        }
        match stack.as_slice() {
            [In::Code(0)] => Ok(found),
            _ => Err(text.len()),
        }
    }
}

/// A comment without the line end's CR.
pub(super) fn comment(text: &str, span: Span) -> &str {
    let text = &text[span.start..span.end];
    text.strip_suffix('\r').unwrap_or(text)
}
