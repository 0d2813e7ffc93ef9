//! The regular expression of a pattern taken apart, in Go's syntax (`regexp/syntax`).

use super::classes::{parse_class, parse_escape, split_first};
use super::pieces::{Piece, Set};
use super::translation::ANY_FOLDERS;

/// Reads such regular expressions as `translate` makes, in Go's syntax (`regexp/syntax`) and as if a `$` followed.
/// The result is a list of alternatives, each to be matched against the whole path.
pub fn parse(regex: &str) -> Result<Vec<Vec<Piece>>, &'static str> {
    // Only the first alternative has the `^`, only the last the `$`.
    let mut alternatives = Vec::new();
    let mut pieces = Vec::new();
    let mut rest = regex.strip_prefix('^').unwrap_or(regex);
    // Where the piece begins that a `{2}` would repeat, if there is one.
    let mut repeatable = (rest.len() < regex.len()).then_some(0);
    while let Some(c) = rest.chars().next() {
        let here = pieces.len();
        let after = &rest[c.len_utf8()..];
        let mut last = Some(here);
        rest = after;
        match c {
            '(' => {
                pieces.extend([Piece::Perhaps(2), Piece::Many(Set::within_line()), Piece::One(Set::of('/'))]);
                rest = after.strip_prefix(&ANY_FOLDERS[1..]).ok_or("an unexpected group")?;
                last = None;
            }
            '.' => {
                pieces.push(Piece::Many(Set::within_line()));
                rest = after.strip_prefix('*').ok_or("an unexpected dot")?;
                last = None;
            }
            '[' => {
                let (set, after) = parse_class(after)?;
                match after.strip_prefix('*') {
                    Some(after) => {
                        pieces.push(Piece::Many(set));
                        rest = after;
                        last = None;
                    }
                    None => {
                        pieces.push(Piece::One(set));
                        rest = after;
                    }
                }
            }
            '^' => pieces.push(Piece::Start),
            '|' => {
                pieces.push(Piece::Many(Set::all()));
                alternatives.push(std::mem::take(&mut pieces));
                pieces.push(Piece::Many(Set::all()));
                last = None;
            }
            '{' => match parse_count(after) {
                Some((least, most, after)) => {
                    let from = repeatable.ok_or("a repetition of nothing or of a repetition")?;
                    repeat(&mut pieces, from, least, most)?;
                    rest = after;
                    last = None;
                }
                None => pieces.push(Piece::One(Set::of(c))),
            },
            '\\' => {
                let (escaped, after_letter) = split_first(after).ok_or("a backslash with nothing after it")?;
                rest = after_letter;
                match escaped {
                    'A' => pieces.push(Piece::Start),
                    'z' => pieces.push(Piece::End),
                    'b' | 'B' => pieces.push(Piece::Edge(escaped == 'b')),
                    'Q' => {
                        // Quoted up to `\E`; if there is none the `$` at the end is quoted as well.
                        let (quoted, after) = after_letter.split_once("\\E").unwrap_or((after_letter, ""));
                        pieces.extend(quoted.chars().map(|c| Piece::One(Set::of(c))));
                        if !after_letter.contains("\\E") {
                            pieces.extend([Piece::One(Set::of('$')), Piece::Many(Set::all())]);
                        }
                        // An empty quotation leaves what stood before it to be repeated.
                        last = if quoted.is_empty() { repeatable } else { Some(pieces.len() - 1) };
                        rest = after;
                    }
                    _ => {
                        let (member, after) = parse_escape(after)?;
                        pieces.push(Piece::One(Set { negated: false, members: vec![member] }));
                        rest = after;
                    }
                }
            }
            _ => pieces.push(Piece::One(Set::of(c))),
        }
        repeatable = last;
    }
    alternatives.push(pieces);
    Ok(alternatives)
}

/// The `2}`, `2,}` or `2,3}` of a repetition, and what follows it. None if it is no repetition but plain text.
fn parse_count(text: &str) -> Option<(usize, Option<usize>, &str)> {
    let (count, after) = text.split_once('}')?;
    // Go takes no number with a zero before it. One too large to read is refused with those that are too large.
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        (plain && (digits == "0" || !digits.starts_with('0'))).then(|| digits.parse().unwrap_or(usize::MAX))
    };
    Some(match count.split_once(',') {
        None => (number(count)?, Some(number(count)?), after),
        Some((least, "")) => (number(least)?, None, after),
        Some((least, most)) => (number(least)?, Some(number(most)?), after),
    })
}

fn repeat(pieces: &mut Vec<Piece>, from: usize, least: usize, most: Option<usize>) -> Result<(), &'static str> {
    if least > 1000 || most.is_some_and(|most| most > 1000 || most < least) {
        return Err("a repetition that is too large or backwards");
    }
    for piece in pieces.split_off(from) {
        pieces.extend(std::iter::repeat_n(piece.clone(), least));
        match (most, piece) {
            (None, Piece::One(set)) => pieces.push(Piece::Many(set)),
            (None, _) => {}
            (Some(most), piece) => {
                (least..most).for_each(|_| pieces.extend([Piece::Perhaps(1), piece.clone()]));
            }
        }
    }
    Ok(())
}
