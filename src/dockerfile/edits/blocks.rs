//! Several instructions that move to one place.

use super::{INDENT, LONGEST_LINE, comments_above, is_blank, line_break, line_start, lines, next_line};
use crate::dockerfile::{Dockerfile, Instruction, Keyword};
use crate::edit::Edit;
use crate::text::Span;

/// A part of a block that comes to stand behind an instruction.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// An instruction with as many comment lines above it as said; it goes from where it stands, and new instructions may take its
    /// place there.
    Moved { instruction: &'a Instruction, comments: usize, instead: &'a [String] },
    /// A new instruction: the whole of it, without a line break at its end.
    New(String),
}

/// Moves instructions directly behind another one, as one block in the order of `parts`. Where they stood, an empty line that only set
/// them apart goes; where they come to stand, the block is set apart if what follows is, or at the end of the file if they were.
pub fn move_block_behind(text: &str, parts: &[Part<'_>], behind: &Instruction) -> Vec<Edit> {
    let end = line_break(text);
    let mut edits: Vec<Edit> = Vec::new();
    let mut block = String::new();
    let mut removed: Vec<Span> = Vec::new();
    let mut was_apart = false;
    for part in parts {
        let (lines, is_apart) = match part {
            Part::Moved { instruction, comments, instead } => {
                let place = lines(text, instruction, *comments);
                let whole = Span::new(place.start, next_line(text, place.end));
                let is_apart = place.start > 0 && is_blank(text, line_start(text, place.start - 1));
                match removed.last_mut() {
                    _ if !instead.is_empty() => edits.push(Edit::replace(place, instead.join(end))),
                    Some(last) if last.end == whole.start => last.end = whole.end,
                    _ => removed.push(whole),
                }
                (place.of(text), is_apart)
            }
            Part::New(new) => (new.as_str(), false),
        };
        was_apart |= is_apart;
        if is_apart && !block.is_empty() {
            block.push_str(end);
        }
        block.push_str(lines);
        block.push_str(end);
    }
    for place in removed {
        let blank_before = place.start == 0 || is_blank(text, line_start(text, place.start - 1));
        let both = blank_before && place.end < text.len() && is_blank(text, place.end);
        edits.push(Edit::delete(Span::new(place.start, if both { next_line(text, place.end) } else { place.end })));
    }
    let at = next_line(text, lines(text, behind, 0).end);
    let is_last = at == text.len();
    let blank = if is_last && was_apart || !is_last && is_blank(text, at) { end } else { "" };
    edits.push(Edit::insert(
        at,
        if is_last && !text.ends_with('\n') {
            format!("{end}{blank}{}", block.trim_end_matches(['\r', '\n']))
        } else {
            format!("{blank}{block}")
        },
    ));
    edits
}

/// Comments of linters, which are about the next instruction only.
const MARKS: [&str; 4] = ["hadolint", "shellcheck", "checkov:", "restow:"];
/// What a comment speaks of that is about build arguments and labels.
const TOPICS: [&str; 10] =
    ["build arg", "build date", "build info", "commit", "git", "metadata", "revision", "sha", "vcs", "version"];

/// What a comment speaks of that is about the commit or the date alone, and what it says where it is about several things.
const OF_ONE: [&str; 4] = ["build date", "commit", "revision", "sha"];
const OF_SEVERAL: [&str; 8] = [" and ", " args", "arguments", ",", "info", "metadata", "settings", "variables"];

/// How many of the comment lines directly above an instruction go along when it moves: all, unless they head a block of which other
/// instructions stay and speak of something else than `names` and versions; where other ARGs stay below an ARG, they have to speak of it
/// alone. `moves` tells whether an instruction moves too.
pub fn comments_along(
    text: &str,
    file: &Dockerfile,
    at: usize,
    moves: &dyn Fn(usize) -> bool,
    names: &[String],
) -> usize {
    let instruction = &file.instructions[at];
    let count = comments_above(text, instruction);
    let whole = lines(text, instruction, count);
    let above: Vec<&str> = text[whole.start..line_start(text, instruction.span.start)].lines().collect();
    let mut stays = false;
    let mut others: Vec<String> = Vec::new();
    let mut end = next_line(text, lines(text, instruction, 0).end);
    for (index, next) in file.instructions.iter().enumerate().skip(at + 1) {
        if lines(text, next, 0).start != end {
            break;
        }
        stays |= !moves(index);
        if !moves(index) && next.keyword == Keyword::Arg && instruction.keyword == Keyword::Arg {
            others.extend(next.pairs(file.escape).into_iter().map(|pair| pair.name));
        }
        end = next_line(text, lines(text, next, 0).end);
    }
    let speaks = above.iter().any(|line| {
        let lower = line.to_lowercase();
        let has = |topics: &[&str]| topics.iter().any(|topic| lower.contains(topic));
        match others.is_empty() {
            true => names.iter().any(|name| line.contains(name)) || has(&TOPICS),
            false if others.iter().any(|name| line.contains(name)) => false,
            false => names.iter().any(|name| line.contains(name)) || has(&OF_ONE) && !has(&OF_SEVERAL),
        }
    });
    if !stays || speaks {
        return count;
    }
    above.iter().rev().take_while(|line| MARKS.iter().any(|mark| line.contains(mark))).count()
}

/// An instruction on one line, or with each word on a line of its own where that grows too long.
pub fn new_instruction(text: &str, file: &Dockerfile, keyword: &str, words: &[&str]) -> String {
    let line = format!("{keyword} {}", words.join(" "));
    if line.len() <= LONGEST_LINE || words.len() == 1 {
        return line;
    }
    format!("{keyword} {}", words.join(&format!(" {}{}{INDENT}", file.escape, line_break(text))))
}

#[cfg(test)]
mod tests {
    use super::comments_above;
    use super::*;
    use crate::dockerfile::read;
    use crate::edit::EditSet;

    fn moved(text: &str, which: &[usize], new: &[&str], behind: usize) -> String {
        let file = read(text).unwrap();
        let moved = which.iter().map(|at| {
            let instruction = &file.instructions[*at];
            Part::Moved { instruction, comments: comments_above(text, instruction), instead: &[] }
        });
        let parts: Vec<Part<'_>> = moved.chain(new.iter().map(|text| Part::New((*text).to_owned()))).collect();
        let edits = move_block_behind(text, &parts, &file.instructions[behind]);
        EditSet::new(text, edits).unwrap().apply(text)
    }

    #[test]
    fn instructions_in_a_row_move_as_one_block() {
        assert_eq!(
            moved("FROM a\n\n# c\nARG A\nENV A=$A\n\nRUN b\n\n# d\nCMD c\n", &[1, 2], &[], 3),
            "FROM a\n\nRUN b\n\n# c\nARG A\nENV A=$A\n\n# d\nCMD c\n"
        );
        assert_eq!(
            moved("FROM a\nARG A\nENV A=$A\nRUN b\nCMD c\n", &[1, 2], &[], 3),
            "FROM a\nRUN b\nARG A\nENV A=$A\nCMD c\n"
        );
        assert_eq!(
            moved("FROM a\r\nARG A\r\nRUN b\r\n", &[1], &["ENV B=$A"], 2),
            "FROM a\r\nRUN b\r\nARG A\r\nENV B=$A\r\n"
        );
    }

    #[test]
    fn a_comment_that_heads_a_block_of_others_stays() {
        let along = |text: &str| {
            let file = read(text).unwrap();
            comments_along(text, &file, 1, &|at| at == 1, &["GIT_SHA".to_owned()])
        };
        assert_eq!(along("FROM a\n# what it is\nARG GIT_SHA\n\nENV A=1\n"), 1);
        assert_eq!(along("FROM a\n# production\nARG GIT_SHA\nENV A=1\n"), 0);
        assert_eq!(along("FROM a\n# the commit\nARG GIT_SHA\nENV A=1\n"), 1);
        assert_eq!(along("FROM a\n# production\n# hadolint ignore=DL1\nARG GIT_SHA\nENV A=1\n"), 1);
        assert_eq!(along("FROM a\n# production\nARG GIT_SHA\n# more\nENV A=1\n"), 1);
    }

    #[test]
    fn instructions_apart_from_one_another_keep_their_order_and_distance() {
        assert_eq!(
            moved("FROM a\n\nARG A\n\nRUN b\n\nLABEL a=$A\n\nRUN c\n\nRUN d", &[1, 3], &[], 5),
            "FROM a\n\nRUN b\n\nRUN c\n\nRUN d\n\nARG A\n\nLABEL a=$A"
        );
    }

    fn replaced(text: &str, at: usize, instead: &[&str], behind: usize) -> String {
        let file = read(text).unwrap();
        let (instruction, behind) = (&file.instructions[at], &file.instructions[behind]);
        let instead: Vec<String> = instead.iter().map(|text| (*text).to_owned()).collect();
        let part = Part::Moved { instruction, comments: comments_above(text, instruction), instead: &instead };
        EditSet::new(text, move_block_behind(text, &[part], behind)).unwrap().apply(text)
    }

    #[test]
    fn new_instructions_take_the_place_of_one_that_moves() {
        assert_eq!(
            replaced("FROM a\nCOPY . .\nRUN b\nCMD c\n", 1, &["COPY d ."], 2),
            "FROM a\nCOPY d .\nRUN b\nCOPY . .\nCMD c\n"
        );
        assert_eq!(
            replaced("FROM a\n\n# all\nCOPY . .\n\nRUN b\n\nCMD c\n", 1, &["COPY d ."], 2),
            "FROM a\n\nCOPY d .\n\nRUN b\n\n# all\nCOPY . .\n\nCMD c\n"
        );
        assert_eq!(replaced("FROM a\n\nCOPY . .\n\nRUN b", 1, &[], 2), "FROM a\n\nRUN b\n\nCOPY . .");
        assert_eq!(
            replaced("FROM a\r\nCOPY . .\r\nRUN b\r\n", 1, &["COPY d ."], 2),
            "FROM a\r\nCOPY d .\r\nRUN b\r\nCOPY . .\r\n"
        );
        assert_eq!(
            replaced("FROM a\nCOPY . .\nRUN b \\\n  c\nCMD d\n", 1, &[], 2),
            "FROM a\nRUN b \\\n  c\nCOPY . .\nCMD d\n"
        );
    }

    #[test]
    fn what_is_new_comes_first_where_it_is_named_first() {
        let text = "FROM a\nCOPY b b\nCOPY c c\nENV d=e\nRUN f\n";
        let file = read(text).unwrap();
        let instead = ["COPY b/x b/".to_owned()];
        let parts = [
            Part::New("RUN g".to_owned()),
            Part::Moved { instruction: &file.instructions[1], comments: 0, instead: &instead },
            Part::Moved { instruction: &file.instructions[2], comments: 0, instead: &[] },
        ];
        let after = EditSet::new(text, move_block_behind(text, &parts, &file.instructions[3])).unwrap().apply(text);
        assert_eq!(after, "FROM a\nCOPY b/x b/\nENV d=e\nRUN g\nCOPY b b\nCOPY c c\nRUN f\n");
    }
}
