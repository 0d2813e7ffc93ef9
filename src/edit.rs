//! Edits: replacements of byte spans, kept sorted and disjoint.

use crate::text::Span;

/// A replacement of `span` of the text before by `replacement`; an empty span is an insertion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub span: Span,
    pub replacement: String,
}

impl Edit {
    pub fn insert(offset: usize, text: impl Into<String>) -> Self {
        Self { span: Span::at(offset), replacement: text.into() }
    }

    pub fn delete(span: Span) -> Self {
        Self { span, replacement: String::new() }
    }

    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, replacement: text.into() }
    }
}

/// Why a set of edits could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("edits {0:?} and {1:?} overlap")]
    Overlap(Span, Span),
    #[error("edit {0:?} lies outside the text or splits a character")]
    OutOfBounds(Span),
}

/// Edits of one text: sorted, disjoint, in bounds and on character boundaries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditSet {
    edits: Vec<Edit>,
}

impl EditSet {
    /// Collects `edits` of `text`. Identical edits count once, so that two changes may share one.
    ///
    /// # Errors
    /// Overlapping edits, two different insertions at one place, and edits outside `text`.
    pub fn new(text: &str, edits: impl IntoIterator<Item = Edit>) -> Result<Self, EditError> {
        let mut edits: Vec<Edit> = edits.into_iter().collect();
        edits.sort();
        edits.dedup();
        for edit in &edits {
            let Span { start, end } = edit.span;
            if end > text.len() || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
                return Err(EditError::OutOfBounds(edit.span));
            }
        }
        for pair in edits.windows(2) {
            let (left, right) = (pair[0].span, pair[1].span);
            let same_place = left.is_empty() && right.is_empty() && left == right;
            if right.start < left.end || same_place {
                return Err(EditError::Overlap(left, right));
            }
        }
        Ok(Self { edits })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The text after the edits.
    pub fn apply(&self, text: &str) -> String {
        let grown: usize = self.edits.iter().map(|edit| edit.replacement.len()).sum();
        let mut out = String::with_capacity(text.len() + grown);
        let mut at = 0;
        for edit in &self.edits {
            out.push_str(&text[at..edit.span.start]);
            out.push_str(&edit.replacement);
            at = edit.span.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Where `offset` of the text after the edits stood before them. Inside a replacement: its start.
    pub fn before(&self, offset: usize) -> usize {
        let (mut old, mut new) = (0, 0);
        for edit in &self.edits {
            let kept = edit.span.start - old;
            if offset < new + kept {
                break;
            }
            new += kept;
            if offset < new + edit.replacement.len() {
                return edit.span.start;
            }
            new += edit.replacement.len();
            old = edit.span.end;
        }
        old + (offset - new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_in_order_of_place() {
        let set = EditSet::new("abcdef", [Edit::delete(Span::new(4, 5)), Edit::insert(1, "X")]).unwrap();
        assert_eq!(set.apply("abcdef"), "aXbcdf");
    }

    #[test]
    fn overlapping_and_outside_edits_are_refused() {
        let overlap = [Edit::delete(Span::new(0, 3)), Edit::delete(Span::new(2, 4))];
        assert!(matches!(EditSet::new("abcdef", overlap), Err(EditError::Overlap(..))));
        assert!(EditSet::new("abc", [Edit::insert(1, "x"), Edit::insert(1, "y")]).is_err());
        assert!(EditSet::new("abc", [Edit::delete(Span::new(2, 9))]).is_err());
        assert!(EditSet::new("é", [Edit::insert(1, "x")]).is_err());
    }

    #[test]
    fn places_are_found_again_before_the_edits() {
        let set = EditSet::new("abcdef", [Edit::insert(1, "XY"), Edit::delete(Span::new(3, 5))]).unwrap();
        assert_eq!(set.apply("abcdef"), "aXYbcf");
        assert_eq!((0..6).map(|at| set.before(at)).collect::<Vec<_>>(), [0, 1, 1, 1, 2, 5]);
    }
}
