//! One pattern: how it is read, and what it matches or may match.
//!
//! Source: `moby/patternmatcher`.

mod classes;
mod parser;
mod pieces;
mod run;
mod syntax;
mod translation;

use parser::parse;
use pieces::{Piece, Set};
use run::{Next, Run, next_of};
use syntax::check_syntax;
use translation::translate;

pub use translation::Kind;

/// A line that keeps something out, or brings it back.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub exception: bool,
    /// Cleaned, without the `!`.
    pub text: String,
    pub kind: Kind,
    /// The same as a regular expression, whatever the kind; a path matches if one of the alternatives does.
    alternatives: Vec<Vec<Piece>>,
}

impl Pattern {
    /// Reads a normal form. If the pattern will never be `tried`, the regular expression may be a broken one.
    pub fn read(normal: &str, tried: bool) -> Result<Self, &'static str> {
        let (exception, text) = match normal.strip_prefix('!') {
            Some("") => return Err("an exception of nothing"),
            Some(text) => (true, text),
            None => (false, normal),
        };
        check_syntax(text)?;
        let (kind, regex) = translate(text);
        let literal = |text: &str| text.chars().map(|c| Piece::One(Set::of(c))).collect::<Vec<_>>();
        let alternatives = match kind {
            Kind::Exact => vec![literal(text)],
            Kind::Prefix => vec![[literal(text.trim_end_matches('*')), vec![Piece::Many(Set::all())]].concat()],
            Kind::Suffix => {
                let end = text.trim_start_matches('*');
                let anything = vec![Piece::Many(Set::all())];
                let at_top = end.strip_prefix('/').map(literal);
                at_top.into_iter().chain([[anything, literal(end)].concat()]).collect()
            }
            Kind::Regex if tried => parse(&regex)?,
            Kind::Regex => Vec::new(),
        };
        Ok(Self { exception, text: text.to_owned(), kind, alternatives })
    }

    pub fn matches(&self, path: &str) -> bool {
        match self.kind {
            Kind::Exact => path == self.text,
            Kind::Prefix => path.starts_with(self.text.trim_end_matches('*')),
            Kind::Suffix => {
                let end = self.text.trim_start_matches('*');
                path.ends_with(end) || end.strip_prefix('/') == Some(path)
            }
            Kind::Regex => self.alternatives.iter().any(|pieces| {
                let mut run = Run::start(pieces, next_of(path));
                run.feed(path, Next::Nothing);
                run.is_complete()
            }),
        }
    }

    /// Whether every path with the last name `name` matches.
    pub fn matches_every(&self, name: &str) -> bool {
        let end = self.text.trim_start_matches('*');
        self.kind == Kind::Suffix && (name.ends_with(end) || end.strip_prefix('/') == Some(name))
    }

    /// False only if no path beneath `folder` matches.
    pub fn may_match_beneath(&self, folder: &str) -> bool {
        self.alternatives.iter().any(|pieces| {
            let mut run = Run::start(pieces, next_of(folder));
            run.feed(folder, Next::Char('/'));
            run.feed("/", Next::Something);
            run.is_possible()
        })
    }

    /// False only if no path matches that has `name` among its names.
    pub fn may_match_in_any(&self, name: &str) -> bool {
        self.alternatives.iter().any(|pieces| {
            let mut at = Run::start(pieces, next_of(name));
            at.union(Run::after_any_folder(pieces, next_of(name)));
            let mut beneath = at.clone();
            at.feed(name, Next::Nothing);
            beneath.feed(name, Next::Char('/'));
            beneath.feed("/", Next::Something);
            at.is_complete() || beneath.is_possible()
        })
    }

    /// The text that fsutil compares with a directory's name to see whether an exception leads into it.
    pub fn without_last_wildcards(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}
