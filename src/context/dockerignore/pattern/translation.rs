//! The regular expression that BuildKit makes of a pattern, character by character.

use super::super::BYTE_ORDER_MARK;

/// How BuildKit compares a pattern with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No wildcard: the same text.
    Exact,
    /// The only wildcard is a last `**`: what stands before it begins the path.
    Prefix,
    /// The only wildcard is a first `**`: what stands after it ends the path.
    Suffix,
    /// Everything else is a regular expression.
    Regex,
}

/// The regular expression that BuildKit makes of a pattern, without the `$` at its end, and whether it uses it.
///
/// Classes are not recognised: what stands in one is translated like everything else. Of the characters that mean
/// something to Go's regular expressions, `{`, `|`, `}` and `^` are left as they are: `^` because it negates classes,
/// the others because BuildKit's table of characters to escape ends at 63 (its entries beyond are shifted away).
pub fn translate(pattern: &str) -> (Kind, String) {
    let mut kind = Kind::Exact;
    let mut regex = String::from("^");
    // Go's text scanner skips a byte order mark.
    let pattern = pattern.strip_prefix(BYTE_ORDER_MARK).unwrap_or(pattern);
    let mut chars = pattern.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                let last = chars.peek().is_none();
                regex.push_str(if last { ".*" } else { ANY_FOLDERS });
                kind = match kind {
                    _ if first => Kind::Suffix,
                    Kind::Exact if last => Kind::Prefix,
                    _ => Kind::Regex,
                };
            }
            '*' | '?' => {
                regex.push_str(if c == '*' { "[^/]*" } else { "[^/]" });
                kind = Kind::Regex;
            }
            '.' | '+' | '(' | ')' | '$' => regex.extend(['\\', c]),
            '\\' => {
                regex.push(c);
                regex.extend(chars.next());
                kind = Kind::Regex;
            }
            _ => {
                regex.push(c);
                if matches!(c, '[' | ']') {
                    kind = Kind::Regex;
                }
            }
        }
        first = false;
    }
    (kind, regex)
}

/// The translation of a `**` that is not last.
pub const ANY_FOLDERS: &str = "(.*/)?";
