//! What a `.dockerignore` keeps out of the build context, decided the way BuildKit decides it.
//!
//! Three pieces of BuildKit act one after the other, and this module keeps their order:
//! `moby/patternmatcher/ignorefile` reads the lines, `moby/patternmatcher` turns each into a comparison or a Go
//! regular expression, and `tonistiigi/fsutil` (`filter.go`) walks the tree from the top and hands each path what
//! matched its directory. The rules written here follow from those sources and were compared with a real engine.
//!
//! Several of them are surprising, and are kept on purpose:
//! - A pattern with a wildcard is translated to a regular expression character by character, also inside `[..]`, so
//!   `[*]` is no class with a star in it, and `|`, `^`, `{2}`, `\d`, `[[:alpha:]]` mean what they mean in Go there.
//!   A pattern without wildcards is compared as it stands.
//! - A pattern is tried on a path only if it could change the verdict so far, and what was not tried on a directory
//!   is not remembered for what lies beneath. After `a/b`, a `!a` does not bring `a/b` back.
//! - An excluded directory is not entered at all when no exception seems to lead into it.
//!
//! Paths are those of Linux and macOS. On Windows BuildKit reads backslashes otherwise.

mod normal_form;
mod pattern;

use std::fmt;

use normal_form::normal_form;
use pattern::{Kind, Pattern};

/// The patterns of a `.dockerignore` file, in the order in which they act.
///
/// Invariant: every pattern is one that BuildKit can evaluate.
#[derive(Debug, Clone, Default)]
pub struct Dockerignore {
    patterns: Vec<Pattern>,
}

/// A line for which BuildKit refuses the whole build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPattern {
    /// The number of the line, from 1.
    pub line: usize,
    /// The pattern as BuildKit sees it: trimmed and cleaned.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".dockerignore line {}: pattern `{}`: {}", self.line, self.pattern, self.why)
    }
}

impl std::error::Error for BadPattern {}

impl Dockerignore {
    /// Reads the text of a `.dockerignore`.
    ///
    /// # Errors
    ///
    /// A pattern that BuildKit refuses (it then refuses the build). Two cases are stricter here than there. BuildKit
    /// notices a pattern that Go's regular expressions cannot take (`*[b-a]`) only when a path of the context gets as
    /// far as that pattern; here it is refused unless no path can. And the Unicode classes `\pL` are refused.
    pub fn read(text: &str) -> Result<Self, BadPattern> {
        let mut patterns: Vec<Pattern> = Vec::new();
        for (index, line) in text.split('\n').enumerate() {
            let bad = |pattern: &str, why| BadPattern { line: index + 1, pattern: pattern.to_owned(), why };
            if line.len() > LONGEST_LINE {
                return Err(bad("", "the line is too long"));
            }
            let line = if index == 0 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
            // Only in the first column: ` #x` is a pattern.
            if line.starts_with('#') {
                continue;
            }
            if let Some(normal) = normal_form(line) {
                // An exception is tried only on what is excluded so far, so one with nothing before it never is.
                let tried = !normal.starts_with('!') || patterns.iter().any(|p| !p.exception);
                patterns.push(Pattern::read(&normal, tried).map_err(|why| bad(&normal, why))?);
            }
        }
        Ok(Self { patterns })
    }

    /// Whether `path` (relative to the build context, with slashes, no leading `./`) is kept out of the context.
    ///
    /// True of a directory does not say that no such directory arrives: if something beneath it is brought back by
    /// an exception, its parents come along. The context itself (the empty path) is never kept out.
    pub fn excludes(&self, path: &str) -> bool {
        let mut matched = vec![false; self.patterns.len()];
        let mut excluded = false;
        for here in self_and_parents(path) {
            // What the walk does not enter, no later pattern can bring back.
            if excluded && !self.enters(parent(here)) {
                return true;
            }
            excluded = self.visit(here, &mut matched);
        }
        excluded
    }

    /// Whether `folder` and everything that may ever lie beneath it is kept out.
    ///
    /// Conservative: true only if shown, whatever the tree holds. It does not rest on BuildKit's leaving a directory
    /// unentered, which it sometimes does although an exception leads there.
    ///
    /// After `node_modules/*` this is false of `node_modules`: the contents are excluded, the directory is not, and
    /// it is copied empty.
    pub fn excludes_whole(&self, folder: &str) -> bool {
        let mut matched = vec![false; self.patterns.len()];
        let excluded = self_and_parents(folder).fold(false, |_, here| self.visit(here, &mut matched));
        // All beneath inherits this match, so only an exception after it can bring something back.
        let last = self.patterns.iter().zip(&matched).rposition(|(p, matched)| *matched && !p.exception);
        match last {
            Some(last) if excluded => {
                self.patterns[last..].iter().all(|p| !p.exception || !p.may_match_beneath(folder))
            }
            _ => false,
        }
    }

    /// Whether every directory called `name`, at any depth, is kept out whole (`**/node_modules` without an exception
    /// that could reach into one, or bring back a directory above one).
    ///
    /// Conservative: true only if shown. Of the patterns that could show it only those count that BuildKit compares
    /// by their literal end (`**/name`, `**ame`, `**`); in others (`**/nam*`) the `**` does not cross a directory
    /// with a line break in its name.
    pub fn excludes_everywhere(&self, name: &str) -> bool {
        if name.is_empty() || name.contains('/') {
            return false;
        }
        let Some(cover) = self.patterns.iter().position(|p| !p.exception && p.matches_every(name)) else {
            return false;
        };
        let exactly = format!("**/{name}");
        self.patterns.iter().enumerate().filter(|(_, p)| p.exception).all(|(index, exception)| {
            let before = &self.patterns[..index];
            // An exception before the cover may bring back a directory above: the cover is then tried again beneath.
            // One after it may not, unless nothing but a directory of this name could have been excluded by then.
            let harmless_above = || index < cover || before.iter().all(|p| p.exception || p.text == exactly);
            self.is_idle(index) || (!exception.may_match_in_any(name) && harmless_above())
        })
    }

    /// Whether the file has an exception (`!`) at all.
    pub fn has_exceptions(&self) -> bool {
        self.patterns.iter().any(|p| p.exception)
    }

    /// The verdict on `path`. `matched` says of each pattern whether it matched the parent directory, and afterwards
    /// whether it matched `path`.
    fn visit(&self, path: &str, matched: &mut [bool]) -> bool {
        let mut excluded = false;
        for (pattern, matched) in self.patterns.iter().zip(matched) {
            // Not tried is not matched, also for what lies beneath.
            *matched = *matched || (pattern.exception == excluded && pattern.matches(path));
            if *matched {
                excluded = !pattern.exception;
            }
        }
        excluded
    }

    /// Whether BuildKit walks into the excluded directory `folder`, looking for exceptions. It always does if one of
    /// them has a wildcard other than a last `/*` or `/**`; otherwise it compares names. (`!a/*/**` loses both, so
    /// it brings nothing back from an excluded `a/b`.)
    fn enters(&self, folder: &str) -> bool {
        let mut exceptions = self.patterns.iter().filter(|p| p.exception).map(Pattern::without_last_wildcards);
        exceptions.clone().any(|text| text.contains(['*', '[', ']', '?', '^', '\\']))
            || exceptions.any(|text| is_at_or_beneath(text, folder))
    }

    /// Whether the exception at `index` is shown never to act: nothing is excluded before it, or the one path that it
    /// names is not excluded when its turn comes.
    fn is_idle(&self, index: usize) -> bool {
        let exception = &self.patterns[index];
        if self.patterns[..index].iter().all(|p| p.exception) {
            return true;
        }
        let mut matched = vec![false; self.patterns.len()];
        self_and_parents(&exception.text).for_each(|here| _ = self.visit(here, &mut matched));
        exception.kind == Kind::Exact && !matched[index]
    }
}

/// A line longer than this stops Go's line scanner, and with it the build.
const LONGEST_LINE: usize = 64 * 1024 - 1;

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The directories above `path`, from the top, and `path` itself. Nothing for the empty path.
fn self_and_parents(path: &str) -> impl Iterator<Item = &str> {
    let whole = (!path.is_empty()).then_some(path);
    path.match_indices('/').map(|(at, _)| &path[..at]).chain(whole)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_at_or_beneath(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
