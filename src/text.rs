//! Text and places in it: byte spans, line numbers, and the way back from a piece of logical text to the file.

use std::ops::Range;

/// Byte offsets in a file, half-open: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// A span of `start..end`; `start` must not lie behind `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end);
        Self { start, end }
    }

    /// An empty span: the place of an insertion.
    pub const fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub const fn len(self) -> usize {
        self.end - self.start
    }

    pub const fn contains(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }

    pub fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }

    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Where each line of a text starts. Lines end with `\n` only, as BuildKit and git see them.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    pub fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { starts }
    }

    /// The line that holds `offset`, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// Line and column of `offset`, both counted from 1; columns count bytes.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        (line, offset - self.starts[line - 1] + 1)
    }

    /// The offset at which `line` (from 1) starts, if the text has that line.
    pub fn start_of(&self, line: usize) -> Option<usize> {
        self.starts.get(line.checked_sub(1)?).copied()
    }
}

/// A piece of logical text, such as an instruction joined from continued lines, that knows where in the file
/// each of its bytes stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    pub text: String,
    /// Starts of the contiguous pieces: (offset in `text`, offset in the file), both ascending.
    pieces: Vec<(usize, usize)>,
}

impl Fragment {
    /// Appends `text`, which stands at `offset` of the file.
    pub fn push(&mut self, text: &str, offset: usize) {
        if text.is_empty() {
            return;
        }
        let contiguous = self.pieces.last().is_some_and(|&(at, file)| file + (self.text.len() - at) == offset);
        if !contiguous {
            self.pieces.push((self.text.len(), offset));
        }
        self.text.push_str(text);
    }

    /// The part of the fragment in `range`.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut out = Self::default();
        let first = self.pieces.partition_point(|&(start, _)| start <= range.start).saturating_sub(1);
        for (index, &(start, _)) in self.pieces.iter().enumerate().skip(first) {
            let end = self.pieces.get(index + 1).map_or(self.text.len(), |next| next.0);
            let (from, to) = (start.max(range.start), end.min(range.end));
            if from < to {
                out.push(&self.text[from..to], self.offset(from));
            }
        }
        out
    }

    /// The file offset of the byte at `at`. Past the end of the text: just behind its last byte.
    pub fn offset(&self, at: usize) -> usize {
        if at >= self.text.len() && !self.text.is_empty() {
            return self.offset(self.text.len() - 1) + 1;
        }
        let piece = self.pieces.partition_point(|&(start, _)| start <= at);
        match piece.checked_sub(1) {
            Some(index) => self.pieces[index].1 + (at - self.pieces[index].0),
            None => 0,
        }
    }

    /// The file span of `range`; it may reach over line continuations.
    pub fn span(&self, range: Range<usize>) -> Span {
        if range.is_empty() {
            return Span::at(self.offset(range.start));
        }
        Span::new(self.offset(range.start), self.offset(range.end - 1) + 1)
    }

    /// Whether `range` stands in the file without a line continuation in it.
    pub fn is_contiguous(&self, range: Range<usize>) -> bool {
        range.is_empty() || self.span(range.clone()).len() == range.len()
    }
}

/// Line and column, from 1, of the first byte that is not UTF-8.
pub fn place_of_bad_byte(error: &std::string::FromUtf8Error) -> (usize, usize) {
    let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

/// A text on one line, with single spaces.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let index = LineIndex::new("ab\ncd\n");
        assert_eq!(index.line_column(0), (1, 1));
        assert_eq!(index.line_column(2), (1, 3));
        assert_eq!(index.line_column(3), (2, 1));
        assert_eq!(index.line_column(6), (3, 1));
        assert_eq!(index.start_of(2), Some(3));
        assert_eq!(index.start_of(9), None);
    }

    #[test]
    fn a_fragment_finds_its_bytes_in_the_file() {
        let mut fragment = Fragment::default();
        fragment.push("pip ", 4);
        fragment.push("install", 14);
        assert_eq!(fragment.text, "pip install");
        assert_eq!(fragment.span(0..3), Span::new(4, 7));
        assert_eq!(fragment.span(4..11), Span::new(14, 21));
        assert_eq!(fragment.span(11..11), Span::at(21));
        assert!(!fragment.is_contiguous(0..11));
        assert!(fragment.is_contiguous(4..11));
    }
}
