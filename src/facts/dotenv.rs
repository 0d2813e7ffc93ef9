//! Files of variables, such as `.env`, as Compose reads them.
//!
//! Source: compose-go `dotenv/parser.go`.

/// A variable of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// Variables in it are not replaced; what stands in single quotes has none, so that its `$` is written `$$`. None for a bare name,
    /// which takes its value from whoever starts Compose.
    pub value: Option<String>,
    /// Counted from 1.
    pub line: usize,
}

/// Why a file can't be read: Compose refuses it too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct DotenvError {
    pub line: usize,
    pub message: &'static str,
}

/// The variables of the file in its order; the later of two of the same name counts.
///
/// # Errors
/// The first statement that Compose would refuse.
pub fn read(text: &str) -> Result<Vec<Variable>, DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at = text.len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let line = text[..at].matches('\n').count() + 1;
        let refuse = |message| DotenvError { line, message };
        if rest.is_empty() {
            return Ok(found);
        }
        let end_of_line = rest.find('\n').map_or(text.len(), |end| at + end);
        if rest.starts_with('#') {
            at = end_of_line;
            continue;
        }
        let exported = rest.strip_prefix("export").filter(|rest| rest.starts_with(is_space));
        let statement = exported.map_or(rest, |rest| rest.trim_start_matches(is_space));
        let start = text.len() - statement.len();
        let name_ends = statement.find(['=', ':', '\n']).unwrap_or(statement.len());
        let name = statement[..name_ends].trim_end();
        if !name.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '_' | '.' | '-' | '[' | ']')) {
            return Err(refuse("a name of letters, digits and underscores is wanted"));
        }
        let name = name.to_owned();
        if matches!(statement[name_ends..].chars().next(), None | Some('\n')) {
            found.push(Variable { name, value: None, line });
            at = start + name_ends;
            continue;
        }
        let value = statement[name_ends + 1..].trim_start_matches(is_space);
        let start = text.len() - value.len();
        let (value, end) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let (inner, length) = quoted(&value[1..], quote).ok_or(refuse("a quote is not closed"))?;
                let inner = if quote == '"' { unescape(&inner) } else { inner.replace('$', "$$") };
                (inner, start + 1 + length)
            }
            _ => {
                let line = value.split('\n').next().unwrap_or_default();
                (line.split(" #").next().unwrap_or_default().trim_end().to_owned(), start + line.len())
            }
        };
        found.push(Variable { name, value: Some(value), line });
        at = end;
    }
}

/// The variables of a file whose values are taken as they are (`format: raw`): `NAME=VALUE` and bare names, lines of their own.
pub fn raw(text: &str) -> Vec<Variable> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_start()));
    let statements = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    statements
        .map(|(line, text)| match text.split_once('=') {
            Some((name, value)) => Variable { name: name.to_owned(), value: Some(value.replace('$', "$$")), line },
            None => Variable { name: text.trim_end().to_owned(), value: None, line },
        })
        .collect()
}

/// White space within a line.
fn is_space(ch: char) -> bool {
    ch != '\n' && ch.is_whitespace()
}

/// What stands in front of the closing quote, with that quote's escapes undone, and the length to behind it.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut escaped = false;
    for (at, ch) in text.char_indices() {
        match ch {
            _ if ch == quote && !escaped => return Some((out, at + 1)),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            _ if escaped && ch != quote => out.extend(['\\', ch]),
            _ => out.push(ch),
        }
        escaped = false;
    }
    None
}

/// The escapes of double quotes; `\$` comes out as `$$`.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let octal = rest.strip_prefix('0').and_then(|digits| digits.get(..3)).and_then(|digits| {
            let code = u8::from_str_radix(digits, 8).ok()?;
            Some((char::from(code), 4))
        });
        let simple = rest.chars().next().and_then(|ch| match ch {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '"' | '\\' => Some(ch),
            _ => None,
        });
        if rest.starts_with('$') {
            out.push_str("$$");
            rest = &rest[1..];
        } else if let Some((ch, length)) = simple.map(|ch| (ch, 1)).or(octal) {
            out.push(ch);
            rest = &rest[length..];
        } else {
            out.push('\\');
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, Option<String>)> {
        read(text).unwrap().into_iter().map(|variable| (variable.name, variable.value)).collect()
    }

    #[test]
    fn values_are_read_as_compose_reads_them() {
        for (line, name, value) in [
            ("A=1", "A", "1"),
            ("A = 1 ", "A", "1"),
            ("export A=x y", "A", "x y"),
            ("exported=1", "exported", "1"),
            ("A: yaml", "A", "yaml"),
            ("A=x # c", "A", "x"),
            ("A=x#y", "A", "x#y"),
            ("A=", "A", ""),
            ("A='a # $B'", "A", "a # $$B"),
            ("A=\"a # $B\" # c", "A", "a # $B"),
            ("A=\"l\\nm \\\"q\\\" \\$X \\\\ \\0101 \\z\"", "A", "l\nm \"q\" $$X \\ A \\z"),
            ("A=\"two\nlines\"", "A", "two\nlines"),
            ("A=${B:-c}/d", "A", "${B:-c}/d"),
            ("a.b-c=1", "a.b-c", "1"),
        ] {
            assert_eq!(values(line), [(name.to_owned(), Some(value.to_owned()))], "{line}");
        }
    }

    #[test]
    fn statements_know_their_lines() {
        let text = "\u{feff}# c\r\n\r\nA=1\r\nB=\"x\ny\"\nC\n  # c\nexport D='z'\nE";
        let found: Vec<_> =
            read(text).unwrap().into_iter().map(|found| (found.name, found.value, found.line)).collect();
        let some = |text: &str| Some(text.to_owned());
        let expected =
            [("A", some("1"), 3), ("B", some("x\ny"), 4), ("C", None, 6), ("D", some("z"), 8), ("E", None, 9)];
        assert_eq!(found, expected.map(|(name, value, line)| (name.to_owned(), value, line)));
    }

    #[test]
    fn raw_values_are_taken_as_they_are() {
        let found = raw("# c\nA='x' # y\nB=$A\nC\n");
        let found: Vec<_> = found.iter().map(|found| (&*found.name, found.value.as_deref(), found.line)).collect();
        assert_eq!(found, [("A", Some("'x' # y"), 2), ("B", Some("$$A"), 3), ("C", None, 4)]);
    }

    #[test]
    fn what_compose_refuses_is_refused() {
        for (text, line) in [("A=1\nB C=2\n", 2), ("A=\"x\n", 1), ("{A}=1\n", 1), ("A='x' y z\n", 1)] {
            assert_eq!(read(text).unwrap_err().line, line, "{text:?}");
        }
    }
}
