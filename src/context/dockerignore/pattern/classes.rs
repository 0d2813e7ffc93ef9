//! Classes and escapes in a regular expression, in Go's syntax (`regexp/syntax`).

use super::pieces::{Member, Set, is_word};

/// A class, from behind its `[`, and what follows it.
pub fn parse_class(text: &str) -> Result<(Set, &str), &'static str> {
    const OPEN: &str = "a class that is not closed once its wildcards are translated";
    let negated = text.starts_with('^');
    let mut rest = if negated { &text[1..] } else { text };
    let mut members = Vec::new();
    loop {
        if !members.is_empty()
            && let Some(after) = rest.strip_prefix(']')
        {
            return Ok((Set { negated, members }, after));
        }
        if let Some((name, after)) = rest.strip_prefix("[:").and_then(|named| named.split_once(":]")) {
            members.push(posix_class(name).ok_or("an unknown class name")?);
            rest = after;
            continue;
        }
        let (low, after) = parse_member(rest, OPEN)?;
        rest = after;
        let Member::Range(low, _) = low else {
            members.push(low);
            continue;
        };
        let high = rest.strip_prefix('-').filter(|high| !high.is_empty() && !high.starts_with(']'));
        match high.map(|high| parse_member(high, OPEN)).transpose()? {
            None => members.push(Member::Range(low, low)),
            Some((Member::Range(high, _), after)) if low <= high => {
                members.push(Member::Range(low, high));
                rest = after;
            }
            Some(_) => return Err("a range that does not go upwards"),
        }
    }
}

/// What stands behind a backslash, in a class or not.
pub fn parse_escape(text: &str) -> Result<(Member, &str), &'static str> {
    const UNKNOWN: &str = "a backslash before a letter or digit that means nothing to Go's regular expressions";
    let (c, after) = split_first(text).ok_or("a backslash with nothing after it")?;
    let digits = |radix, most| text.chars().take(most).take_while(|c: &char| c.is_digit(radix)).count();
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).ok_or(UNKNOWN);
    let (literal, after) = match c {
        'd' | 'D' => return Ok((Member::Named(|c| c.is_ascii_digit(), c == 'd'), after)),
        's' | 'S' => return Ok((Member::Named(|c| "\t\n\x0C\r ".contains(c), c == 's'), after)),
        'w' | 'W' => return Ok((Member::Named(is_word, c == 'w'), after)),
        'a' => ('\x07', after),
        'f' => ('\x0C', after),
        'n' => ('\n', after),
        'r' => ('\r', after),
        't' => ('\t', after),
        'v' => ('\x0B', after),
        'x' => match after.get(..2) {
            Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => (number(hex, 16)?, &after[2..]),
            _ => return Err(UNKNOWN),
        },
        // A single digit other than zero would refer back, which Go does not know.
        '0'..='7' if c == '0' || digits(8, 2) == 2 => {
            let (octal, after) = text.split_at(digits(8, 3));
            (number(octal, 8)?, after)
        }
        'p' | 'P' => return Err("a Unicode class, which is not supported here"),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => (c, after),
        _ => return Err(UNKNOWN),
    };
    Ok((Member::Range(literal, literal), after))
}

/// The first character and what follows it.
pub fn split_first(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    chars.next().map(|c| (c, chars.as_str()))
}

fn parse_member<'a>(text: &'a str, missing: &'static str) -> Result<(Member, &'a str), &'static str> {
    match split_first(text).ok_or(missing)? {
        ('\\', after) => parse_escape(after),
        (c, after) => Ok((Member::Range(c, c), after)),
    }
}

fn posix_class(name: &str) -> Option<Member> {
    let (name, inside) = name.strip_prefix('^').map_or((name, true), |name| (name, false));
    let test: fn(char) -> bool = match name {
        "alnum" => |c| c.is_ascii_alphanumeric(),
        "alpha" => |c| c.is_ascii_alphabetic(),
        "ascii" => |c| c.is_ascii(),
        "blank" => |c| c == ' ' || c == '\t',
        "cntrl" => |c| c.is_ascii_control(),
        "digit" => |c| c.is_ascii_digit(),
        "graph" => |c| c.is_ascii_graphic(),
        "lower" => |c| c.is_ascii_lowercase(),
        "print" => |c| c.is_ascii_graphic() || c == ' ',
        "punct" => |c| c.is_ascii_punctuation(),
        "space" => |c| "\t\n\x0B\x0C\r ".contains(c),
        "upper" => |c| c.is_ascii_uppercase(),
        "word" => is_word,
        "xdigit" => |c| c.is_ascii_hexdigit(),
        _ => return None,
    };
    Some(Member::Named(test, inside))
}
