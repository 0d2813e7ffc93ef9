//! New steps on the lines on which people wrote the old one.

use std::ops::Range;

use crate::dockerfile::edits::line_break;
use crate::facts::runs::Run;

/// A command of a new step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What joins it to the command in front of it.
    pub joint: String,
    pub text: String,
}

/// The file that a RUN stands in.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'a> {
    pub text: &'a str,
    pub escape: char,
}

impl Layout<'_> {
    /// A space, or the line break that stands between two places of the file, with the indentation behind it.
    pub fn gap(&self, from: usize, to: usize) -> String {
        let Some(found) = self.text.get(from..to).and_then(|between| between.rfind('\n')) else {
            return " ".to_owned();
        };
        let line = &self.text[from + found + 1..];
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        format!(" {}{}{indent}", self.escape, line_break(self.text))
    }

    /// What stands between two parts of a script that an operator joins, with `&&` as the operator.
    pub fn joint(&self, run: &Run, between: Range<usize>) -> String {
        let text = &run.text.text;
        let operator = text[between.clone()].find(['&', ';']).map_or(between.start, |at| between.start + at);
        let width =
            text[operator..between.end].len() - text[operator..between.end].trim_start_matches(['&', ';']).len();
        let place = |at: usize| run.text.offset(at);
        let end = |at: usize| place(at - 1) + 1;
        let before = self.gap(end(between.start), place(operator));
        format!("{before}&&{}", self.gap(end(operator + width), place(between.end)))
    }

    /// A command as it is written, without comments and some of its words, and with others behind the place `behind`.
    pub fn command(
        &self,
        run: &Run,
        range: Range<usize>,
        without: &[Range<usize>],
        behind: usize,
        more: &[String],
    ) -> String {
        let mut out = String::new();
        let mut gap = None;
        let mut last: Option<usize> = None;
        for token in tokens(&run.text.text[range.clone()]) {
            let token = range.start + token.start..range.start + token.end;
            if let Some(end) = last {
                let own = self.gap(end, run.text.offset(token.start));
                // The line break in front of a word that goes is that of the next one.
                gap = gap.filter(|_| own == " ").or(Some(own));
            }
            last = Some(run.text.offset(token.end - 1) + 1);
            if without.iter().any(|word| word.contains(&token.start)) {
                continue;
            }
            if !out.is_empty() {
                out.push_str(gap.as_deref().unwrap_or(" "));
            }
            gap = None;
            out.push_str(&run.text.text[token.clone()]);
            if token.end == behind {
                more.iter().for_each(|word| {
                    out.push(' ');
                    out.push_str(word);
                });
            }
        }
        out
    }
}

/// What white space outside quotes parts.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, ch) in text.char_indices() {
        match quote {
            Some(open) if ch == open && !escaped => quote = None,
            None if matches!(ch, '"' | '\'') && !escaped => quote = Some(ch),
            None if ch.is_whitespace() && !escaped => {
                found.extend(start.take().map(|start| start..at));
                continue;
            }
            _ => {}
        }
        escaped = ch == '\\' && !escaped && quote != Some('\'');
        start.get_or_insert(at);
    }
    found.extend(start.map(|start| start..text.len()));
    found
}

/// White space outside quotes as one space each.
pub fn one_line(text: &str) -> String {
    tokens(text).into_iter().map(|token| &text[token]).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_inside_quotes_stays() {
        assert_eq!(one_line(" a   'b  c'\t \"d  e\" f\\ g"), "a 'b  c' \"d  e\" f\\ g");
    }

    #[test]
    fn a_line_break_keeps_the_indentation_behind_it() {
        let layout = Layout { text: "RUN a \\\n  # b\n\tc d", escape: '\\' };
        assert_eq!((layout.gap(5, 15), layout.gap(16, 17)), (" \\\n\t".to_owned(), " ".to_owned()));
    }
}
