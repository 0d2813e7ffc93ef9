//! The parts of a regular expression, and the sets of characters in them.

/// A part of a regular expression.
#[derive(Debug, Clone)]
pub enum Piece {
    /// One character of the set.
    One(Set),
    /// Any number of them.
    Many(Set),
    /// The next so many pieces may be left out together.
    Perhaps(usize),
    /// Nothing, at the beginning of the path.
    Start,
    /// Nothing, at its end.
    End,
    /// Nothing, where a word of ASCII letters begins or ends (or, if false, where none does).
    Edge(bool),
}

/// A set of characters.
#[derive(Debug, Clone)]
pub struct Set {
    pub negated: bool,
    pub members: Vec<Member>,
}

impl Set {
    pub fn of(c: char) -> Self {
        Self { negated: false, members: vec![Member::Range(c, c)] }
    }

    pub fn all() -> Self {
        Self { negated: true, members: Vec::new() }
    }

    /// Go's `.`
    pub fn within_line() -> Self {
        Self { negated: true, ..Self::of('\n') }
    }

    pub fn holds(&self, c: char) -> bool {
        self.negated
            != self.members.iter().any(|member| match member {
                Member::Range(low, high) => (*low..=*high).contains(&c),
                Member::Named(test, inside) => test(c) == *inside,
            })
    }
}

/// Some of the characters of a set.
#[derive(Debug, Clone)]
pub enum Member {
    Range(char, char),
    /// A class with a name, and whether it holds what is in it.
    Named(fn(char) -> bool, bool),
}

/// Whether Go's `\w` holds the character.
pub fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
