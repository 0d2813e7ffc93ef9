//! How far a path has come in a regular expression.

use super::pieces::{Piece, is_word};

/// What follows the place that a `Run` has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Nothing,
    Char(char),
    /// Some character, not known which.
    Something,
}

/// What a place before `text` is followed by.
pub fn next_of(text: &str) -> Next {
    text.chars().next().map_or(Next::Nothing, Next::Char)
}

/// All the places among the pieces of a regular expression where a match may have come to after some text. (Following
/// all at once takes time in proportion to the text, whatever the pattern.)
#[derive(Debug, Clone)]
pub struct Run<'a> {
    pieces: &'a [Piece],
    /// As many as there are pieces, and one for the end.
    places: Vec<bool>,
}

impl<'a> Run<'a> {
    pub fn start(pieces: &'a [Piece], next: Next) -> Self {
        let mut places = vec![false; pieces.len() + 1];
        places[0] = true;
        let mut run = Self { pieces, places };
        run.settle(None, next);
        run
    }

    /// After any text that ends with a slash; perhaps too many places, never too few.
    pub fn after_any_folder(pieces: &'a [Piece], next: Next) -> Self {
        let mut run = Self { pieces, places: vec![true; pieces.len() + 1] };
        run.step('/');
        run.settle(Some('/'), next);
        run
    }

    pub fn union(&mut self, other: Self) {
        self.places.iter_mut().zip(other.places).for_each(|(place, other)| *place |= other);
    }

    /// Goes on over `text`, which `next` follows.
    pub fn feed(&mut self, text: &str, next: Next) {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            self.step(c);
            self.settle(Some(c), chars.peek().map_or(next, |c| Next::Char(*c)));
        }
    }

    fn step(&mut self, c: char) {
        let before = std::mem::replace(&mut self.places, vec![false; self.pieces.len() + 1]);
        for (at, piece) in self.pieces.iter().enumerate().filter(|(at, _)| before[*at]) {
            match piece {
                Piece::One(set) if set.holds(c) => self.places[at + 1] = true,
                Piece::Many(set) if set.holds(c) => self.places[at] = true,
                _ => {}
            }
        }
    }

    /// Adds the places that are reached without a character. They all lie further on, so one pass is enough.
    fn settle(&mut self, previous: Option<char>, next: Next) {
        for (at, piece) in self.pieces.iter().enumerate() {
            if !self.places[at] {
                continue;
            }
            let passes = match piece {
                Piece::One(_) => false,
                Piece::Many(_) => true,
                Piece::Perhaps(skipped) => {
                    self.places[at + 1 + skipped] = true;
                    true
                }
                Piece::Start => previous.is_none(),
                Piece::End => next == Next::Nothing,
                Piece::Edge(wanted) => {
                    let before = previous.is_some_and(is_word);
                    match next {
                        Next::Nothing => before == *wanted,
                        Next::Char(c) => (before != is_word(c)) == *wanted,
                        Next::Something => true,
                    }
                }
            };
            self.places[at + 1] |= passes;
        }
    }

    pub fn is_complete(&self) -> bool {
        self.places.last() == Some(&true)
    }

    /// False only if no more text can complete the match. (A place at the end does not count: it takes no more.)
    pub fn is_possible(&self) -> bool {
        self.places[..self.pieces.len()].contains(&true)
    }
}
