//! Tokens of Ruby, as far as Gemfiles need it. What could hide other tokens (heredocs, commands, most percent literals) is refused.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Label(String),
    Symbol(String),
    /// Whether something is put into it.
    Text(String, bool),
    Operator(String),
    Line,
}

/// Appends the tokens of `text`.
///
/// # Errors
/// What is not read, by name.
pub(super) fn tokenize(text: &str, tokens: &mut Vec<Token>) -> Result<(), String> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(&ch) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or('\n');
        let line_start = at == 0 || chars[at - 1] == '\n';
        match ch {
            '=' if line_start && chars[at..].starts_with(&['=', 'b', 'e', 'g', 'i', 'n']) => {
                return Err("a block comment".to_owned());
            }
            '\n' | ';' => {
                tokens.push(Token::Line);
                at += 1;
            }
            '#' => at += chars[at..].iter().take_while(|ch| **ch != '\n').count(),
            '\\' if next == '\n' => at += 2,
            ch if ch.is_whitespace() => at += 1,
            '"' | '\'' => {
                at = string(&chars, at + 1, ch, None, ch == '"', tokens)?;
                if chars.get(at) == Some(&':') && chars.get(at + 1) != Some(&':') {
                    return Err("a quoted label".to_owned());
                }
            }
            '%' if matches!(next, 'w' | 'i' | 'q') && chars.get(at + 2).is_some_and(|open| "[({<".contains(*open)) => {
                let open = chars[at + 2];
                let close = match open {
                    '[' => ']',
                    '(' => ')',
                    '{' => '}',
                    _ => '>',
                };
                at = string(&chars, at + 3, close, Some(open), false, tokens)?;
            }
            '`' => return Err("a command".to_owned()),
            '%' if next.is_alphabetic() || "[({<".contains(next) => return Err("a percent literal".to_owned()),
            '<' if next == '<' && chars.get(at + 2).is_some_and(|ch| "~-\"'".contains(*ch) || ch.is_uppercase()) => {
                return Err("a heredoc".to_owned());
            }
            '$' | '@' => return Err(format!("a variable with `{ch}`")),
            '/' if regex_may_start(tokens.last()) => {
                let body = chars[at + 1..].iter().take_while(|ch| **ch != '\n').collect::<Vec<_>>();
                let end = (0..body.len()).find(|&end| *body[end] == '/' && (end == 0 || *body[end - 1] != '\\'));
                let end = end.ok_or("a regular expression")?;
                if body[..end].windows(2).any(|pair| *pair[0] == '#' && *pair[1] == '{') {
                    return Err("a regular expression".to_owned());
                }
                tokens.push(Token::Text(String::new(), false));
                at += end + 2;
                at += chars[at..].iter().take_while(|ch| ch.is_ascii_lowercase()).count();
            }
            ':' if next == ':' => at += 2,
            ':' if next == '"' || next == '\'' => {
                at = string(&chars, at + 2, next, None, next == '"', tokens)?;
                if let Some(Token::Text(text, _)) = tokens.pop() {
                    tokens.push(Token::Symbol(text));
                }
            }
            ':' if is_name(next) => {
                let length = name_length(&chars[at + 1..]);
                tokens.push(Token::Symbol(chars[at + 1..at + 1 + length].iter().collect()));
                at += 1 + length;
            }
            ch if is_name(ch) => {
                let length = name_length(&chars[at..]);
                let word: String = chars[at..at + length].iter().collect();
                at += length;
                if ch.is_ascii_digit() {
                    continue;
                }
                if word == "__END__" {
                    break;
                }
                if chars.get(at) == Some(&':') && chars.get(at + 1) != Some(&':') {
                    tokens.push(Token::Label(word));
                    at += 1;
                } else {
                    tokens.push(Token::Word(word));
                }
            }
            _ => {
                let pair: String = [ch, next].iter().collect();
                let double =
                    matches!(pair.as_str(), "=>" | "==" | "=~" | "!=" | "!~" | "&." | "&&" | "||" | "<=" | ">=" | "->");
                at += if double { 2 } else { 1 };
                tokens.push(Token::Operator(if double { pair } else { ch.to_string() }));
            }
        }
    }
    Ok(())
}

fn is_name(ch: char) -> bool {
    ch.is_alphanumeric() || ch == '_'
}

/// The length of a name with the `?` or `!` at its end.
fn name_length(chars: &[char]) -> usize {
    let length = chars.iter().take_while(|ch| is_name(**ch)).count();
    let mark = chars.get(length).is_some_and(|ch| matches!(ch, '?' | '!'));
    // `a ? b : c` has a space in front of its mark, `x!=y` and `x?:` do not end in one.
    length + usize::from(mark && !matches!(chars.get(length + 1), Some('=' | ':')))
}

fn regex_may_start(last: Option<&Token>) -> bool {
    match last {
        None | Some(Token::Line | Token::Operator(_) | Token::Label(_)) => true,
        Some(Token::Word(word)) => matches!(word.as_str(), "if" | "unless" | "when" | "and" | "or" | "not"),
        _ => false,
    }
}

/// Reads a string whose contents start at `at`, and what is put into it; returns the place behind it.
fn string(
    chars: &[char],
    mut at: usize,
    close: char,
    open: Option<char>,
    interpolates: bool,
    tokens: &mut Vec<Token>,
) -> Result<usize, String> {
    let (mut text, mut inner, mut depth) = (String::new(), Vec::new(), 0);
    let mut interpolated = false;
    while let Some(&ch) = chars.get(at) {
        match ch {
            '\\' => {
                text.extend(chars.get(at + 1));
                at += 2;
            }
            '#' if interpolates && chars.get(at + 1) == Some(&'{') => {
                interpolated = true;
                let code: String = chars[at + 2..].iter().take_while(|ch| **ch != '}').collect();
                if code.contains(['{', '"', '\'']) && !code.contains("File.read(") && !code.contains("ENV") {
                    return Err("a nested string".to_owned());
                }
                tokenize(&code, &mut inner)?;
                at += 3 + code.chars().count();
            }
            ch if Some(ch) == open => {
                depth += 1;
                at += 1;
            }
            ch if ch == close && depth > 0 => {
                depth -= 1;
                at += 1;
            }
            ch if ch == close => {
                tokens.push(Token::Text(text, interpolated));
                tokens.append(&mut inner);
                return Ok(at + 1);
            }
            ch => {
                text.push(ch);
                at += 1;
            }
        }
    }
    Err("a string without an end".to_owned())
}
