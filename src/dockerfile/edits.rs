//! Edits of a Dockerfile's text. All knowledge of continuations, indentation and line ends lives here.

mod blocks;

pub use blocks::{Part, comments_along, move_block_behind, new_instruction};

use super::{Dockerfile, Instruction, Keyword};
use crate::edit::Edit;
use crate::text::Span;

/// Longest line that a new flag may make of a RUN that stands on one line, in columns.
const LONGEST_LINE: usize = 120;
const INDENT: &str = "    ";

/// The line break that the file uses.
pub fn line_break(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The indentation of the instruction's first continued line; of the file's first one if it is not continued.
pub fn indent(text: &str, file: &Dockerfile, instruction: &Instruction) -> String {
    let own = first_continued_indent(text, instruction);
    let any = || {
        file.instructions
            .iter()
            .filter(|ins| ins.keyword == Keyword::Run)
            .find_map(|ins| first_continued_indent(text, ins))
    };
    own.or_else(any).unwrap_or_else(|| INDENT.to_owned())
}

fn first_continued_indent(text: &str, instruction: &Instruction) -> Option<String> {
    let head = &text[instruction.span.start..instruction.head_end];
    head.split('\n').skip(1).find_map(|line| {
        let bare = line.trim_start();
        let len = line.len() - bare.len();
        (!bare.trim_end().is_empty() && !bare.starts_with('#') && len > 0).then(|| line[..len].to_owned())
    })
}

/// Puts `flags` in front of the instruction's other flags and arguments: each on a line of its own where the
/// instruction is continued over lines or would grow too long, else on the keyword's line.
///
/// `more` is what other edits will add to the instruction, in bytes.
pub fn insert_flags(
    text: &str,
    file: &Dockerfile,
    instruction: &Instruction,
    flags: &[String],
    more: usize,
) -> Vec<Edit> {
    let keyword_end = instruction.keyword_span.end;
    let line_end = text[keyword_end..].find('\n').map_or(text.len(), |len| keyword_end + len);
    let line_end = keyword_end + text[keyword_end..line_end].trim_end_matches('\r').len();
    let rest = &text[keyword_end..line_end];
    let gap = rest.len() - rest.trim_start().len();
    let separator = format!(" {}{}{}", file.escape, line_break(text), indent(text, file, instruction));
    let bare = rest.trim();
    if bare.len() == file.escape.len_utf8() && bare.starts_with(file.escape) {
        // `RUN \`: the first flag takes the place behind the keyword, the continuation follows it.
        let at = keyword_end + gap;
        return vec![Edit::insert(at, format!("{} ", flags.join(&separator)))];
    }
    let at = keyword_end + gap;
    let added: usize = more + flags.iter().map(|flag| flag.len() + 1).sum::<usize>();
    let heredoc = !instruction.heredocs.is_empty();
    let column = text[..instruction.span.start]
        .rfind('\n')
        .map_or(instruction.span.start, |start| instruction.span.start - start - 1);
    let whole = column + (instruction.head_end - instruction.span.start) + added;
    let one_line = !instruction.is_continued(text) && (heredoc || flags.len() == 1 && whole <= LONGEST_LINE);
    if one_line {
        return vec![Edit::insert(at, format!("{} ", flags.join(" ")))];
    }
    let mut edits = vec![Edit::insert(at, format!("{}{separator}", flags.join(&separator)))];
    if !instruction.is_continued(text) && !instruction.flags.is_empty() && !instruction.args.is_empty() {
        // A RUN that is broken into lines gets its command on one of its own, behind the flags that were there.
        let last = instruction.flags[instruction.flags.len() - 1].span.end;
        edits.push(Edit::replace(Span::new(last, instruction.line.offset(instruction.args.start)), separator));
    }
    edits
}

/// Removes the text of `span`, which lies inside `instruction`, and what only served it: white space beside it, lines
/// that would be left empty, a continuation that would lead nowhere. `None` if a comment stands inside the span.
pub fn remove(text: &str, file: &Dockerfile, instruction: &Instruction, span: Span) -> Option<Vec<Edit>> {
    let inside = |comment: &&Span| comment.start < span.end && span.start < comment.end;
    if file.comments.iter().any(|comment| inside(&comment)) {
        return None;
    }
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[span.end..].find('\n').map_or(text.len(), |len| span.end + len);
    let before = &text[line_start..span.start];
    let after = text[span.end..line_end].trim_end_matches('\r');
    let first_line = line_start <= instruction.span.start;
    let in_body = instruction.heredocs.iter().any(|heredoc| heredoc.body.contains(span.start));
    let leads_on = is_continuation(after, file.escape);
    let nothing_after = after.trim().is_empty();
    if before.trim().is_empty() && !first_line && (leads_on || nothing_after) {
        if leads_on || in_body && !ends_with_continuation(text, line_start, file.escape) {
            let end = if line_end < text.len() { line_end + 1 } else { line_end };
            return Some(vec![Edit::delete(Span::new(line_start, end))]);
        }
        return remove_last_line(text, file, instruction, line_start, line_end);
    }
    if after.trim_start().starts_with('#') {
        // A comment of the shell must not come to stand at the start of a line, where it would be one of the Dockerfile.
        return None;
    }
    if text[span.range()].ends_with(char::is_whitespace) && !nothing_after && !leads_on {
        return Some(vec![Edit::delete(span)]);
    }
    if text[span.range()].starts_with(char::is_whitespace) && !before.trim().is_empty() {
        // The white space in front of what goes is part of it; that behind it stays between its neighbours.
        return Some(vec![Edit::delete(span)]);
    }
    let gap_before = before.len() - before.trim_end().len();
    let gap_after = after.len() - after.trim_start().len();
    let start_of_words = before.trim().is_empty();
    let span = if start_of_words || gap_before == 0 {
        Span::new(span.start, span.end + if leads_on { 0 } else { gap_after })
    } else {
        Span::new(span.start - gap_before, span.end)
    };
    Some(vec![Edit::delete(span)])
}

/// Removes the last line of a continued instruction together with the continuation that leads to it; comment lines in
/// between stay where they are.
fn remove_last_line(
    text: &str,
    file: &Dockerfile,
    instruction: &Instruction,
    line_start: usize,
    line_end: usize,
) -> Option<Vec<Edit>> {
    let line_end = line_start + text[line_start..line_end].trim_end_matches('\r').len();
    let mut edits = Vec::new();
    let mut end = line_start;
    while end > instruction.span.start {
        let newline = end - 1;
        let start = text[..newline].rfind('\n').map_or(0, |at| at + 1);
        let line = &text[start..newline];
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') {
            end = start;
            continue;
        }
        let kept = line.trim_end().strip_suffix(file.escape)?.trim_end();
        let code_end = start + kept.len();
        let break_start = start + line.trim_end_matches('\r').len();
        if end == line_start {
            return Some(vec![Edit::delete(Span::new(code_end, line_end))]);
        }
        edits.push(Edit::delete(Span::new(code_end, break_start)));
        let last_break = if text[..line_start].ends_with("\r\n") { line_start - 2 } else { line_start - 1 };
        edits.push(Edit::delete(Span::new(last_break, line_end)));
        return Some(edits);
    }
    None
}

fn is_continuation(rest: &str, escape: char) -> bool {
    let bare = rest.trim();
    bare.len() == escape.len_utf8() && bare.starts_with(escape)
}

fn ends_with_continuation(text: &str, line_start: usize, escape: char) -> bool {
    text[..line_start].trim_end().ends_with(escape)
}

/// Removes a whole instruction with its lines.
pub fn remove_instruction(text: &str, instruction: &Instruction) -> Edit {
    let start = text[..instruction.span.start].rfind('\n').map_or(0, |at| at + 1);
    let mut end = text[instruction.span.end..].find('\n').map_or(text.len(), |len| instruction.span.end + len + 1);
    // Between two empty lines one of them goes too.
    let blank_before = start == 0 || text[..start].ends_with("\n\n") || text[..start].ends_with("\n\r\n");
    let blank_after = text[end..].starts_with('\n') || text[end..].starts_with("\r\n");
    if blank_before && blank_after {
        end += if text[end..].starts_with('\r') { 2 } else { 1 };
    }
    Edit::delete(Span::new(start, end))
}

/// How many comment lines stand directly above an instruction, with no empty line between.
pub fn comments_above(text: &str, instruction: &Instruction) -> usize {
    let mut start = line_start(text, instruction.span.start);
    let mut count = 0;
    while start > 0 {
        let above = line_start(text, start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        count += 1;
        start = above;
    }
    count
}

/// The lines of an instruction with as many comment lines above it as said, without the last line break.
pub fn lines(text: &str, instruction: &Instruction, comments: usize) -> Span {
    let mut start = line_start(text, instruction.span.start);
    for _ in 0..comments {
        start = line_start(text, start.saturating_sub(1));
    }
    let end = text[instruction.span.end..].find('\n').map_or(text.len(), |len| instruction.span.end + len);
    Span::new(start, start + text[start..end].trim_end_matches('\r').len())
}

/// New instructions, one text each, in lines of their own above an instruction and as many of its comment lines as said.
pub fn insert_above(text: &str, instruction: &Instruction, comments: usize, new: &[String]) -> Edit {
    let place = lines(text, instruction, comments);
    let end = line_break(text);
    let blank = if comments > 0 { end } else { "" };
    Edit::insert(place.start, new.iter().map(|line| format!("{line}{end}")).collect::<String>() + blank)
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |at| at + 1)
}

/// Where the line behind the one that ends at or after `offset` starts; the end of the text for the last one.
fn next_line(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |len| offset + len + 1)
}

fn is_blank(text: &str, line: usize) -> bool {
    text[line..].lines().next().is_some_and(|line| line.trim().is_empty())
}

/// `commands`, each followed by `&&`, to stand in front of the command at `at`: on lines of their own where the instruction is
/// continued over lines, or is going to be (`wrap`).
pub fn chain_before(
    text: &str,
    file: &Dockerfile,
    instruction: &Instruction,
    at: usize,
    commands: &[String],
    wrap: bool,
) -> Edit {
    let leading = text[instruction.span.start..instruction.head_end]
        .lines()
        .skip(1)
        .any(|line| line.trim_start().starts_with("&&"));
    let line_start = text[..at].rfind('\n').map_or(0, |start| start + 1);
    let first_on_line = line_start > instruction.span.start && text[line_start..at].trim().is_empty();
    let wrap = wrap || instruction.is_continued(text);
    let indent = if first_on_line { text[line_start..at].to_owned() } else { indent(text, file, instruction) };
    let separator = match (wrap, leading) {
        (false, _) => " && ".to_owned(),
        (true, true) => format!(" {}{}{indent}&& ", file.escape, line_break(text)),
        (true, false) => format!(" && {}{}{indent}", file.escape, line_break(text)),
    };
    let joined: String = commands.iter().map(|command| format!("{command}{separator}")).collect();
    Edit::insert(at, joined)
}

/// Whether `instruction` stands on one line that would grow too long with `more` bytes.
pub fn must_wrap(text: &str, instruction: &Instruction, more: usize) -> bool {
    let column = text[..instruction.span.start]
        .rfind('\n')
        .map_or(instruction.span.start, |start| instruction.span.start - start - 1);
    !instruction.is_continued(text)
        && instruction.heredocs.is_empty()
        && column + (instruction.head_end - instruction.span.start) + more > LONGEST_LINE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::read;
    use crate::edit::EditSet;

    fn removed(text: &str, part: &str) -> Option<String> {
        let file = read(text).unwrap();
        let start = text.find(part).unwrap();
        let instruction = file.instructions.iter().rev().find(|ins| ins.span.start <= start).unwrap();
        let edits = remove(text, &file, instruction, Span::new(start, start + part.len()))?;
        Some(EditSet::new(text, edits).unwrap().apply(text))
    }

    fn flagged(text: &str, flags: &[&str]) -> String {
        let file = read(text).unwrap();
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        EditSet::new(text, insert_flags(text, &file, &file.instructions[0], &flags, 0)).unwrap().apply(text)
    }

    #[test]
    fn a_word_goes_with_the_space_before_it() {
        assert_eq!(removed("RUN pip --x a\n", "--x").as_deref(), Some("RUN pip a\n"));
        assert_eq!(removed("RUN pip a --x\n", "--x").as_deref(), Some("RUN pip a\n"));
        assert_eq!(removed("RUN pip a --x \\\n b\n", "--x").as_deref(), Some("RUN pip a \\\n b\n"));
    }

    #[test]
    fn a_word_alone_on_its_line_takes_the_line_with_it() {
        assert_eq!(removed("RUN pip \\\n  --x \\\n  a\n", "--x").as_deref(), Some("RUN pip \\\n  a\n"));
        assert_eq!(removed("RUN pip \\\r\n  --x\r\nUSER b", "--x").as_deref(), Some("RUN pip\r\nUSER b"));
        assert_eq!(
            removed("RUN pip \\\n  # why\n  --x\nUSER b\n", "--x").as_deref(),
            Some("RUN pip\n  # why\nUSER b\n")
        );
    }

    #[test]
    fn a_clause_over_lines_leaves_the_continuation_of_the_next() {
        let text = "RUN a \\\n && rm x \\\n && b\n";
        assert_eq!(removed(text, "&& rm x").as_deref(), Some("RUN a \\\n && b\n"));
        assert_eq!(removed("RUN a && \\\n  rm x\n", " && \\\n  rm x").as_deref(), Some("RUN a\n"));
        assert_eq!(removed("RUN a \\\n # c\n && rm x\n", "a \\\n # c\n && rm x"), None);
    }

    #[test]
    fn flags_follow_the_layout_of_the_run() {
        assert_eq!(flagged("RUN pip x\n", &["--m"]), "RUN --m pip x\n");
        assert_eq!(flagged("RUN pip x \\\n\t&& y\n", &["--m"]), "RUN --m \\\n\tpip x \\\n\t&& y\n");
        assert_eq!(flagged("RUN \\\n  pip x\n", &["--m"]), "RUN --m \\\n  pip x\n");
        assert_eq!(flagged("RUN a\n", &["--m", "--n"]), "RUN --m \\\n    --n \\\n    a\n");
        assert_eq!(flagged("RUN --a b\n", &["--m", "--n"]), "RUN --m \\\n    --n \\\n    --a \\\n    b\n");
        assert_eq!(flagged("RUN <<EOF\na\nEOF\n", &["--m", "--n"]), "RUN --m --n <<EOF\na\nEOF\n");
    }

    #[test]
    fn an_instruction_goes_with_one_of_two_empty_lines() {
        let text = "FROM a\n\nENV X=1\n\nRUN b\n";
        let file = read(text).unwrap();
        let edit = remove_instruction(text, &file.instructions[1]);
        assert_eq!(EditSet::new(text, [edit]).unwrap().apply(text), "FROM a\n\nRUN b\n");
    }
}
