//! The reader: physical lines to instructions, as BuildKit's `parser.Parse` joins them.

use super::heredoc::{Heredoc, openings};
use super::{Directive, Dockerfile, Flag, Instruction, Keyword, ReadError, words};
use crate::text::{Fragment, LineIndex, Span};

/// BuildKit's scanner refuses longer lines, in bytes (`bufio.MaxScanTokenSize` - 1).
const LONGEST_LINE: usize = 64 * 1024 - 1;
const BOM: char = '\u{feff}';

/// Reads a whole Dockerfile.
///
/// # Errors
/// What BuildKit's parser refuses: no instruction at all, a line of over 65,535 bytes, an unterminated heredoc, a
/// repeated or invalid parser directive, ENV and LABEL without `=`, a JSON form with something else than strings.
pub fn read(text: &str) -> Result<Dockerfile, ReadError> {
    let mut reader = Reader {
        text,
        at: if text.starts_with(BOM) { BOM.len_utf8() } else { 0 },
        line: 0,
        escape: '\\',
        directives: Vec::new(),
        directives_done: false,
        comments: Vec::new(),
    };
    let mut instructions = Vec::new();
    while let Some(instruction) = reader.instruction()? {
        instructions.push(instruction);
    }
    if instructions.is_empty() {
        return Err(ReadError { offset: 0, message: "file with no instructions".to_owned() });
    }
    Ok(Dockerfile {
        escape: reader.escape,
        directives: reader.directives,
        instructions,
        comments: reader.comments,
        lines: LineIndex::new(text),
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Lines read so far.
    line: usize,
    escape: char,
    directives: Vec<Directive>,
    directives_done: bool,
    comments: Vec<Span>,
}

/// A physical line without its line break.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn is_comment(self) -> bool {
        self.text.trim_start().starts_with('#')
    }

    fn span(self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }
}

impl<'a> Reader<'a> {
    fn error(&self, offset: usize, message: impl Into<String>) -> ReadError {
        ReadError { offset, message: message.into() }
    }

    fn next_line(&mut self) -> Result<Option<Line<'a>>, ReadError> {
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let rest = &self.text[self.at..];
        let whole = rest.find('\n').map_or(rest.len(), |end| end + 1);
        if whole > LONGEST_LINE + 1 {
            let message = format!("dockerfile line greater than maximum allowed size of {LONGEST_LINE}");
            return Err(self.error(self.at, message));
        }
        let line = Line { start: self.at, text: rest[..whole].trim_end_matches(['\r', '\n']) };
        self.at += whole;
        self.line += 1;
        Ok(Some(line))
    }

    /// The next instruction, or `None` at the end of the file.
    fn instruction(&mut self) -> Result<Option<Instruction>, ReadError> {
        let (first, start_line) = loop {
            let Some(line) = self.next_line()? else { return Ok(None) };
            self.directive(line)?;
            if line.is_comment() {
                self.comments.push(line.span());
                continue;
            }
            if !line.text.trim_start().is_empty() {
                break (line, self.line);
            }
        };
        let indent = first.text.len() - first.text.trim_start().len();
        let mut fragment = Fragment::default();
        let (kept, mut continued) = self.strip_continuation(&first.text[indent..]);
        fragment.push(kept, first.start + indent);
        let mut head_end = first.span().end;
        while continued {
            let Some(line) = self.next_line()? else { break };
            if line.is_comment() {
                self.comments.push(line.span());
                continue;
            }
            if line.text.trim_start().is_empty() {
                continue;
            }
            let (kept, more) = self.strip_continuation(line.text);
            fragment.push(kept, line.start);
            head_end = line.span().end;
            continued = more;
        }
        if fragment.text.trim().is_empty() {
            // A lone continuation character at the end of the file joins nothing.
            return self.instruction();
        }
        let mut instruction = self.node(fragment, head_end, start_line)?;
        instruction.is_open = continued;
        Ok(Some(instruction))
    }

    /// Text before a trailing escape character, and whether there was one:
    /// `([^\\])\\[ \t]*$|^\\[ \t]*$` with the file's escape character.
    fn strip_continuation<'t>(&self, line: &'t str) -> (&'t str, bool) {
        let trimmed = line.trim_end_matches([' ', '\t']);
        match trimmed.strip_suffix(self.escape) {
            Some(kept) if !kept.ends_with(self.escape) => (kept, true),
            _ => (line, false),
        }
    }

    /// Takes a parser directive; any other line ends the search for them.
    fn directive(&mut self, line: Line<'_>) -> Result<(), ReadError> {
        if self.directives_done {
            return Ok(());
        }
        // A script line may stand above the directives.
        if self.line == 1 && line.text.starts_with("#!") {
            return Ok(());
        }
        let parsed = line.text.strip_prefix('#').and_then(|rest| rest.split_once('=')).and_then(|(key, value)| {
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            (matches!(key.as_str(), "syntax" | "escape" | "check") && !value.is_empty())
                .then(|| (key, value.to_owned()))
        });
        let Some((key, value)) = parsed else {
            self.directives_done = true;
            return Ok(());
        };
        if self.directives.iter().any(|known| known.key == key) {
            return Err(self.error(line.start, format!("only one {key} parser directive can be used")));
        }
        if key == "escape" {
            self.escape = match value.as_str() {
                "\\" => '\\',
                "`" => '`',
                _ => {
                    let message = format!("invalid escape token {value:?} does not match ` or \\");
                    return Err(self.error(line.start, message));
                }
            };
        }
        self.directives.push(Directive { key, value, line: self.line });
        Ok(())
    }

    /// Splits a joined line into keyword, flags and arguments, and takes its heredocs.
    fn node(&mut self, line: Fragment, head_end: usize, start_line: usize) -> Result<Instruction, ReadError> {
        let text = line.text.as_str();
        let from = text.len() - text.trim_start().len();
        let to = text.trim_end().len();
        let keyword_len = text[from..to].find(['\t', '\u{b}', '\u{c}', '\r', ' ']).unwrap_or(to - from);
        let keyword = from..from + keyword_len;
        let rest = text[keyword.end..to].trim_start_matches(['\t', '\u{b}', '\u{c}', '\r', ' ']);
        let rest_start = to - rest.len();
        let (flags, args_start) = split_flags(&line, rest_start..to);
        let args_text = &text[args_start..to];
        let args_start = to - args_text.trim_start().len();
        let kind = Keyword::parse(&text[keyword.clone()]);
        let offset = line.offset(keyword.start);

        let json_allowed = matches!(
            kind,
            Keyword::Run
                | Keyword::Cmd
                | Keyword::Entrypoint
                | Keyword::Add
                | Keyword::Copy
                | Keyword::Volume
                | Keyword::Shell
        );
        let args = &text[args_start..to];
        let json_text = match kind {
            Keyword::Healthcheck => first_word(args).1,
            _ if json_allowed => args,
            _ => "",
        };
        let json = json_strings(json_text).map_err(|message| self.error(offset, message))?;
        check_pairs(kind, args, self.escape).map_err(|message| self.error(offset, message))?;

        let mut instruction = Instruction {
            keyword: kind,
            keyword_span: line.span(keyword),
            span: Span::new(offset, head_end.max(offset)),
            head_end,
            start_line,
            end_line: self.line,
            flags,
            args: args_start..to,
            json,
            heredocs: Vec::new(),
            is_open: false,
            line,
        };
        if may_hold_heredoc(&instruction) {
            self.heredocs(&mut instruction)?;
        }
        Ok(instruction)
    }

    fn heredocs(&mut self, instruction: &mut Instruction) -> Result<(), ReadError> {
        if !instruction.line.text.contains("<<") {
            return Ok(());
        }
        for opening in openings(&instruction.line.text) {
            let start = self.at;
            let terminator = loop {
                let Some(line) = self.next_line()? else {
                    return Err(self.error(instruction.span.start, "unterminated heredoc"));
                };
                let candidate = if opening.chomp { line.text.trim_start_matches('\t') } else { line.text };
                if candidate == opening.name {
                    break line;
                }
            };
            instruction.heredocs.push(Heredoc {
                name: opening.name,
                expand: opening.expand,
                chomp: opening.chomp,
                body: Span::new(start, terminator.start),
                terminator: terminator.span(),
            });
            instruction.span.end = terminator.span().end;
            instruction.end_line = self.line;
        }
        Ok(())
    }
}

/// The first word and what follows it.
fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// What `parseNameVal` refuses, also under ONBUILD.
fn check_pairs(keyword: Keyword, args: &str, escape: char) -> Result<(), String> {
    match keyword {
        Keyword::Env => words::name_values(args, escape, "ENV").map(drop),
        Keyword::Label => words::name_values(args, escape, "LABEL").map(drop),
        Keyword::Onbuild => {
            let (word, rest) = first_word(args);
            check_pairs(Keyword::parse(word), rest, escape)
        }
        _ => Ok(()),
    }
}

fn may_hold_heredoc(instruction: &Instruction) -> bool {
    match instruction.keyword {
        Keyword::Run | Keyword::Copy | Keyword::Add => instruction.json.is_none(),
        Keyword::Onbuild => {
            let (word, rest) = first_word(instruction.args());
            let inner = Keyword::parse(word);
            matches!(inner, Keyword::Run | Keyword::Copy | Keyword::Add) && !matches!(json_strings(rest), Ok(Some(_)))
        }
        _ => false,
    }
}

/// Takes words that start with `--` from `range` of the line, as `extractBuilderFlags` does: quotes group, a
/// backslash escapes, a bare `--` ends the flags. Returns the flags and where the arguments start.
fn split_flags(line: &Fragment, range: std::ops::Range<usize>) -> (Vec<Flag>, usize) {
    let text = &line.text[..range.end];
    let mut flags = Vec::new();
    let mut at = range.start;
    loop {
        at = range.end - text[at..].trim_start().len();
        if !text[at..].starts_with("--") {
            return (flags, at);
        }
        let start = at;
        let mut word = String::new();
        let mut quote = None;
        let mut chars = text[start..].char_indices();
        at = range.end;
        while let Some((offset, ch)) = chars.next() {
            match quote {
                None if ch.is_whitespace() => {
                    at = start + offset;
                    break;
                }
                None if ch == '"' || ch == '\'' => quote = Some(ch),
                Some(open) if ch == open => quote = None,
                _ if ch == '\\' => {
                    if let Some((_, escaped)) = chars.next() {
                        word.push(escaped);
                    }
                }
                _ => word.push(ch),
            }
        }
        if word == "--" {
            return (flags, at);
        }
        flags.push(Flag { text: word, span: line.span(start..at) });
        if at == range.end {
            return (flags, at);
        }
    }
}

/// The strings of a JSON array, `None` if the text is not JSON.
///
/// # Errors
/// An array with something else than strings in it, which BuildKit refuses.
fn json_strings(text: &str) -> Result<Option<Vec<String>>, String> {
    if !text.starts_with('[') {
        return Ok(None);
    }
    // Like Go's decoder, take the first value and pass over what follows it.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Vec<serde_json::Value>>();
    let Some(Ok(values)) = values.next() else { return Ok(None) };
    let strings: Option<Vec<String>> = values.into_iter().map(|value| value.as_str().map(str::to_owned)).collect();
    strings.map(Some).ok_or_else(|| "when using JSON array syntax, arrays must be comprised of strings only".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Vec<(String, usize, usize, Vec<String>, String)> {
        let show = |ins: &Instruction| {
            let flags = ins.flags.iter().map(|flag| flag.text.clone()).collect();
            (ins.keyword_span.of(text).to_owned(), ins.start_line, ins.end_line, flags, ins.args().to_owned())
        };
        read(text).unwrap().instructions.iter().map(show).collect()
    }

    #[test]
    fn comments_and_blank_lines_inside_a_continuation_are_dropped() {
        let text = "FROM x\nRUN a \\\n  # why\n\n  && b\n";
        assert_eq!(read_all(text)[1], ("RUN".into(), 2, 5, vec![], "a   && b".into()));
    }

    #[test]
    fn a_file_may_end_behind_a_continuation() {
        let last = |text: &str| read(text).unwrap().instructions.pop().unwrap().is_open;
        assert!(last("FROM x\nRUN a \\") && last("FROM x\nRUN a \\ \n\n# why\n"));
        assert!(!last("FROM x\nRUN a \\\n b\n") && !last("FROM x\nRUN a \\\\\n") && !last("FROM x\nRUN a"));
    }

    #[test]
    fn flags_end_at_the_first_other_word() {
        let text = "FROM x\nrun --mount=type=cache,target=/a \\\n --network=none pip --x\n";
        let flags = vec!["--mount=type=cache,target=/a".to_owned(), "--network=none".to_owned()];
        assert_eq!(read_all(text)[1], ("run".into(), 2, 3, flags, "pip --x".into()));
    }

    #[test]
    fn heredoc_bodies_are_not_instructions() {
        let text = "FROM x\nRUN <<A cat <<-B\nFROM y\nA\n# b\n\tB\nUSER z";
        let all = read_all(text);
        assert_eq!((all[1].1, all[1].2), (2, 6));
        assert_eq!(all[2].0, "USER");
    }

    #[test]
    fn the_escape_directive_changes_continuations() {
        let text = "# escape=`\nFROM x\nRUN dir C:\\\nRUN a `\n b\n";
        assert_eq!(read_all(text).len(), 3);
    }

    #[test]
    fn a_byte_order_mark_carriage_returns_and_a_missing_final_newline_are_read() {
        let text = "\u{feff}FROM x\r\nRUN a \\\r\n  b";
        let all = read_all(text);
        assert_eq!(all[0].0, "FROM");
        assert_eq!(all[1].4, "a   b");
    }

    #[test]
    fn refusals_are_those_of_buildkit() {
        for text in
            ["", "# x\n", "FROM x\nRUN <<EOF\n", "FROM x\nENV A\n", "FROM x\nRUN [\"a\", 1]\n", "# escape=x\nFROM y\n"]
        {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
