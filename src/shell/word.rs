//! The value of a word: quotes and backslashes resolved, variables looked up.

/// What a word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The value with every known variable put in; `None` where something is left to the shell (an unknown variable,
    /// a command substitution, a brace or tilde-with-name expansion).
    pub value: Option<String>,
    /// Whether `*`, `?` or `[` stand outside quotes; they are kept in `value`.
    pub pattern: bool,
    /// Whether a variable was put in.
    pub variable: bool,
}

impl Expansion {
    /// The value of a word without any expansion or pattern.
    pub fn literal(self) -> Option<String> {
        if self.pattern || self.variable { None } else { self.value }
    }
}

/// Resolves `raw`. `lookup` gives a variable's value; `~` is looked up as `HOME`.
pub fn expand(raw: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Expansion {
    let mut out = Expansion { value: None, pattern: false, variable: false };
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    if let Some(after) = rest.strip_prefix('~') {
        if !(after.is_empty() || after.starts_with('/')) {
            return out;
        }
        let Some(home) = lookup("HOME") else {
            out.variable = true;
            return out;
        };
        out.variable = true;
        value.push_str(&home);
        rest = after;
    }
    let mut double = false;
    let mut chars = rest.char_indices();
    while let Some((at, ch)) = chars.next() {
        match ch {
            '\'' if !double => loop {
                match chars.next() {
                    Some((_, '\'')) => break,
                    Some((_, inner)) => value.push(inner),
                    None => return out,
                }
            },
            '"' => double = !double,
            '\\' => match chars.next() {
                Some((_, '\n')) => {}
                Some((_, escaped)) => {
                    if double && !matches!(escaped, '$' | '`' | '"' | '\\') {
                        value.push('\\');
                    }
                    value.push(escaped);
                }
                None => value.push('\\'),
            },
            '`' => return out,
            '$' => {
                let after = &rest[at + 1..];
                let (name, len) = match variable(after) {
                    Some(found) => found,
                    None if after.is_empty() || after.starts_with([' ', '"', '/', '.', ':']) => {
                        value.push('$');
                        continue;
                    }
                    None => return out,
                };
                out.variable = true;
                let Some(found) = lookup(name) else { return out };
                value.push_str(&found);
                for _ in 0..after[..len].chars().count() {
                    chars.next();
                }
            }
            '*' | '?' | '[' if !double => {
                out.pattern = true;
                value.push(ch);
            }
            '{' if !double && rest[at..].contains('}') && rest[at..].contains([',', '.']) => return out,
            _ => value.push(ch),
        }
    }
    if !double {
        out.value = Some(value);
    }
    out
}

/// `NAME` or `{NAME}` at the start of `text`: the name and the bytes it takes.
fn variable(text: &str) -> Option<(&str, usize)> {
    let named = |text: &str| {
        let len = text.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).unwrap_or(text.len());
        let digit = text.starts_with(|ch: char| ch.is_ascii_digit());
        (len > 0 && !digit).then_some(len)
    };
    match text.strip_prefix('{') {
        Some(inner) => {
            let len = named(inner)?;
            inner[len..].starts_with('}').then(|| (&inner[..len], len + 2))
        }
        None => named(text).map(|len| (&text[..len], len)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(raw: &str) -> Option<String> {
        let lookup = |name: &str| match name {
            "HOME" => Some("/root".to_owned()),
            "X" => Some("x".to_owned()),
            _ => None,
        };
        expand(raw, &lookup).value
    }

    #[test]
    fn quotes_and_known_variables_are_resolved() {
        assert_eq!(value("~/.cache").as_deref(), Some("/root/.cache"));
        assert_eq!(value("\"$X\"/'$X'/${X}y").as_deref(), Some("x/$X/xy"));
        assert_eq!(value(r"a\ b").as_deref(), Some("a b"));
    }

    #[test]
    fn what_only_the_shell_knows_has_no_value() {
        for raw in ["$Y", "${X:-y}", "$(pwd)", "`pwd`", "~bob/x", "{a,b}", "'open"] {
            assert_eq!(value(raw), None, "{raw}");
        }
    }

    #[test]
    fn patterns_are_marked() {
        assert!(expand("/tmp/*", &|_| None).pattern);
        assert!(!expand("'/tmp/*'", &|_| None).pattern);
    }
}
