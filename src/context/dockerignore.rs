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

use std::fmt;

/// A line longer than this stops Go's line scanner, and with it the build.
const LONGEST_LINE: usize = 64 * 1024 - 1;

const BYTE_ORDER_MARK: char = '\u{FEFF}';

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

/// A line as the matcher gets it: trimmed, cleaned, without its leading slash, and `!` before it if it is an
/// exception. None if nothing is left of it.
///
/// It is trimmed and cleaned twice because BuildKit does so, in the reader and in the matcher, and the second time the
/// `!` counts as part of the first name: `/!a` is an exception, `!../../a` is none.
fn normal_form(line: &str) -> Option<String> {
    let line = line.trim();
    let (mark, rest) = match line.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", line),
    };
    let rest = if rest.is_empty() { String::new() } else { clean(rest) };
    let relative = if rest == "/" { "/" } else { rest.strip_prefix('/').unwrap_or(&rest) };
    let marked = format!("{mark}{relative}");
    let marked = marked.trim();
    (!marked.is_empty()).then(|| clean(marked))
}

/// The shortest path of the same meaning, as Go's `filepath.Clean` has it.
fn clean(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut kept: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => _ = kept.pop(),
            ".." if !root.is_empty() => {}
            _ => kept.push(name),
        }
    }
    let cleaned = format!("{root}{}", kept.join("/"));
    if cleaned.is_empty() { ".".to_owned() } else { cleaned }
}

/// How BuildKit compares a pattern with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No wildcard: the same text.
    Exact,
    /// The only wildcard is a last `**`: what stands before it begins the path.
    Prefix,
    /// The only wildcard is a first `**`: what stands after it ends the path.
    Suffix,
    /// Everything else is a regular expression.
    Regex,
}

#[derive(Debug, Clone)]
struct Pattern {
    exception: bool,
    /// Cleaned, without the `!`.
    text: String,
    kind: Kind,
    /// The same as a regular expression, whatever the kind; a path matches if one of the alternatives does.
    alternatives: Vec<Vec<Piece>>,
}

impl Pattern {
    /// Reads a normal form. If the pattern will never be `tried`, the regular expression may be a broken one.
    fn read(normal: &str, tried: bool) -> Result<Self, &'static str> {
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

    fn matches(&self, path: &str) -> bool {
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
    fn matches_every(&self, name: &str) -> bool {
        let end = self.text.trim_start_matches('*');
        self.kind == Kind::Suffix && (name.ends_with(end) || end.strip_prefix('/') == Some(name))
    }

    /// False only if no path beneath `folder` matches.
    fn may_match_beneath(&self, folder: &str) -> bool {
        self.alternatives.iter().any(|pieces| {
            let mut run = Run::start(pieces, next_of(folder));
            run.feed(folder, Next::Char('/'));
            run.feed("/", Next::Something);
            run.is_possible()
        })
    }

    /// False only if no path matches that has `name` among its names.
    fn may_match_in_any(&self, name: &str) -> bool {
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
    fn without_last_wildcards(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

/// Refuses what Go's `filepath.Match` refuses: a class that is empty or not closed, a bare `-` or `]` where one of its
/// characters should be, a backslash at the end.
fn check_syntax(pattern: &str) -> Result<(), &'static str> {
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c == '\\' && rest.next().is_none() {
            return Err("a backslash with nothing after it");
        }
        if c == '[' {
            let inside = rest.as_str();
            let after =
                after_class(inside.strip_prefix('^').unwrap_or(inside)).ok_or("a `[` without a proper class")?;
            rest = after.chars();
        }
    }
    Ok(())
}

/// What follows the class whose first character `rest` begins with.
fn after_class(rest: &str) -> Option<&str> {
    let mut rest = after_class_char(rest)?;
    loop {
        if let Some(high) = rest.strip_prefix('-') {
            rest = after_class_char(high)?;
        }
        if let Some(after) = rest.strip_prefix(']') {
            return Some(after);
        }
        rest = after_class_char(rest)?;
    }
}

fn after_class_char(rest: &str) -> Option<&str> {
    let mut chars = rest.chars();
    match chars.next()? {
        '-' | ']' => return None,
        '\\' => _ = chars.next()?,
        _ => {}
    }
    Some(chars.as_str())
}

/// The regular expression that BuildKit makes of a pattern, without the `$` at its end, and whether it uses it.
///
/// Classes are not recognised: what stands in one is translated like everything else. Of the characters that mean
/// something to Go's regular expressions, `{`, `|`, `}` and `^` are left as they are: `^` because it negates classes,
/// the others because BuildKit's table of characters to escape ends at 63 (its entries beyond are shifted away).
fn translate(pattern: &str) -> (Kind, String) {
    let mut kind = Kind::Exact;
    let mut regex = String::from("^");
    // Go's text scanner skips a byte order mark.
    let pattern = pattern.strip_prefix(BYTE_ORDER_MARK).unwrap_or(pattern);
    let mut chars = pattern.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                let last = chars.peek().is_none();
                regex.push_str(if last { ".*" } else { ANY_FOLDERS });
                kind = match kind {
                    _ if first => Kind::Suffix,
                    Kind::Exact if last => Kind::Prefix,
                    _ => Kind::Regex,
                };
            }
            '*' | '?' => {
                regex.push_str(if c == '*' { "[^/]*" } else { "[^/]" });
                kind = Kind::Regex;
            }
            '.' | '+' | '(' | ')' | '$' => regex.extend(['\\', c]),
            '\\' => {
                regex.push(c);
                regex.extend(chars.next());
                kind = Kind::Regex;
            }
            _ => {
                regex.push(c);
                if matches!(c, '[' | ']') {
                    kind = Kind::Regex;
                }
            }
        }
        first = false;
    }
    (kind, regex)
}

/// The translation of a `**` that is not last.
const ANY_FOLDERS: &str = "(.*/)?";

/// A part of a regular expression.
#[derive(Debug, Clone)]
enum Piece {
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

#[derive(Debug, Clone)]
struct Set {
    negated: bool,
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
enum Member {
    Range(char, char),
    /// A class with a name, and whether it holds what is in it.
    Named(fn(char) -> bool, bool),
}

impl Set {
    fn of(c: char) -> Self {
        Self { negated: false, members: vec![Member::Range(c, c)] }
    }

    fn all() -> Self {
        Self { negated: true, members: Vec::new() }
    }

    /// Go's `.`
    fn within_line() -> Self {
        Self { negated: true, ..Self::of('\n') }
    }

    fn holds(&self, c: char) -> bool {
        self.negated
            != self.members.iter().any(|member| match member {
                Member::Range(low, high) => (*low..=*high).contains(&c),
                Member::Named(test, inside) => test(c) == *inside,
            })
    }
}

/// Reads such regular expressions as `translate` makes, in Go's syntax (`regexp/syntax`) and as if a `$` followed.
/// The result is a list of alternatives, each to be matched against the whole path.
fn parse(regex: &str) -> Result<Vec<Vec<Piece>>, &'static str> {
    // Only the first alternative has the `^`, only the last the `$`.
    let mut alternatives = Vec::new();
    let mut pieces = Vec::new();
    let mut rest = regex.strip_prefix('^').unwrap_or(regex);
    // Where the piece begins that a `{2}` would repeat, if there is one.
    let mut repeatable = (rest.len() < regex.len()).then_some(0);
    while let Some(c) = rest.chars().next() {
        let here = pieces.len();
        let after = &rest[c.len_utf8()..];
        let mut last = Some(here);
        rest = after;
        match c {
            '(' => {
                pieces.extend([Piece::Perhaps(2), Piece::Many(Set::within_line()), Piece::One(Set::of('/'))]);
                rest = after.strip_prefix(&ANY_FOLDERS[1..]).ok_or("an unexpected group")?;
                last = None;
            }
            '.' => {
                pieces.push(Piece::Many(Set::within_line()));
                rest = after.strip_prefix('*').ok_or("an unexpected dot")?;
                last = None;
            }
            '[' => {
                let (set, after) = parse_class(after)?;
                match after.strip_prefix('*') {
                    Some(after) => {
                        pieces.push(Piece::Many(set));
                        rest = after;
                        last = None;
                    }
                    None => {
                        pieces.push(Piece::One(set));
                        rest = after;
                    }
                }
            }
            '^' => pieces.push(Piece::Start),
            '|' => {
                pieces.push(Piece::Many(Set::all()));
                alternatives.push(std::mem::take(&mut pieces));
                pieces.push(Piece::Many(Set::all()));
                last = None;
            }
            '{' => match parse_count(after) {
                Some((least, most, after)) => {
                    let from = repeatable.ok_or("a repetition of nothing or of a repetition")?;
                    repeat(&mut pieces, from, least, most)?;
                    rest = after;
                    last = None;
                }
                None => pieces.push(Piece::One(Set::of(c))),
            },
            '\\' => {
                let (escaped, after_letter) = split_first(after).ok_or("a backslash with nothing after it")?;
                rest = after_letter;
                match escaped {
                    'A' => pieces.push(Piece::Start),
                    'z' => pieces.push(Piece::End),
                    'b' | 'B' => pieces.push(Piece::Edge(escaped == 'b')),
                    'Q' => {
                        // Quoted up to `\E`; if there is none the `$` at the end is quoted as well.
                        let (quoted, after) = after_letter.split_once("\\E").unwrap_or((after_letter, ""));
                        pieces.extend(quoted.chars().map(|c| Piece::One(Set::of(c))));
                        if !after_letter.contains("\\E") {
                            pieces.extend([Piece::One(Set::of('$')), Piece::Many(Set::all())]);
                        }
                        // An empty quotation leaves what stood before it to be repeated.
                        last = if quoted.is_empty() { repeatable } else { Some(pieces.len() - 1) };
                        rest = after;
                    }
                    _ => {
                        let (member, after) = parse_escape(after)?;
                        pieces.push(Piece::One(Set { negated: false, members: vec![member] }));
                        rest = after;
                    }
                }
            }
            _ => pieces.push(Piece::One(Set::of(c))),
        }
        repeatable = last;
    }
    alternatives.push(pieces);
    Ok(alternatives)
}

fn split_first(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    chars.next().map(|c| (c, chars.as_str()))
}

/// The `2}`, `2,}` or `2,3}` of a repetition, and what follows it. None if it is no repetition but plain text.
fn parse_count(text: &str) -> Option<(usize, Option<usize>, &str)> {
    let (count, after) = text.split_once('}')?;
    // Go takes no number with a zero before it. One too large to read is refused with those that are too large.
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        (plain && (digits == "0" || !digits.starts_with('0'))).then(|| digits.parse().unwrap_or(usize::MAX))
    };
    Some(match count.split_once(',') {
        None => (number(count)?, Some(number(count)?), after),
        Some((least, "")) => (number(least)?, None, after),
        Some((least, most)) => (number(least)?, Some(number(most)?), after),
    })
}

fn repeat(pieces: &mut Vec<Piece>, from: usize, least: usize, most: Option<usize>) -> Result<(), &'static str> {
    if least > 1000 || most.is_some_and(|most| most > 1000 || most < least) {
        return Err("a repetition that is too large or backwards");
    }
    for piece in pieces.split_off(from) {
        pieces.extend(std::iter::repeat_n(piece.clone(), least));
        match (most, piece) {
            (None, Piece::One(set)) => pieces.push(Piece::Many(set)),
            (None, _) => {}
            (Some(most), piece) => {
                (least..most).for_each(|_| pieces.extend([Piece::Perhaps(1), piece.clone()]));
            }
        }
    }
    Ok(())
}

/// A class, from behind its `[`, and what follows it.
fn parse_class(text: &str) -> Result<(Set, &str), &'static str> {
    const OPEN: &str = "a class that is not closed once its wildcards are translated";
    let negated = text.starts_with('^');
    let mut rest = if negated { &text[1..] } else { text };
    let mut members = Vec::new();
    loop {
        if !members.is_empty()
            && let Some(after) = rest.strip_prefix(']')
        {
            return Ok((Set { negated, members }, after));
        }
        if let Some((name, after)) = rest.strip_prefix("[:").and_then(|named| named.split_once(":]")) {
            members.push(posix_class(name).ok_or("an unknown class name")?);
            rest = after;
            continue;
        }
        let (low, after) = parse_member(rest, OPEN)?;
        rest = after;
        let Member::Range(low, _) = low else {
            members.push(low);
            continue;
        };
        let high = rest.strip_prefix('-').filter(|high| !high.is_empty() && !high.starts_with(']'));
        match high.map(|high| parse_member(high, OPEN)).transpose()? {
            None => members.push(Member::Range(low, low)),
            Some((Member::Range(high, _), after)) if low <= high => {
                members.push(Member::Range(low, high));
                rest = after;
            }
            Some(_) => return Err("a range that does not go upwards"),
        }
    }
}

fn parse_member<'a>(text: &'a str, missing: &'static str) -> Result<(Member, &'a str), &'static str> {
    match split_first(text).ok_or(missing)? {
        ('\\', after) => parse_escape(after),
        (c, after) => Ok((Member::Range(c, c), after)),
    }
}

/// What stands behind a backslash, in a class or not.
fn parse_escape(text: &str) -> Result<(Member, &str), &'static str> {
    const UNKNOWN: &str = "a backslash before a letter or digit that means nothing to Go's regular expressions";
    let (c, after) = split_first(text).ok_or("a backslash with nothing after it")?;
    let digits = |radix, most| text.chars().take(most).take_while(|c: &char| c.is_digit(radix)).count();
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).ok_or(UNKNOWN);
    let (literal, after) = match c {
        'd' | 'D' => return Ok((Member::Named(|c| c.is_ascii_digit(), c == 'd'), after)),
        's' | 'S' => return Ok((Member::Named(|c| "\t\n\x0C\r ".contains(c), c == 's'), after)),
        'w' | 'W' => return Ok((Member::Named(is_word, c == 'w'), after)),
        'a' => ('\x07', after),
        'f' => ('\x0C', after),
        'n' => ('\n', after),
        'r' => ('\r', after),
        't' => ('\t', after),
        'v' => ('\x0B', after),
        'x' => match after.get(..2) {
            Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => (number(hex, 16)?, &after[2..]),
            _ => return Err(UNKNOWN),
        },
        // A single digit other than zero would refer back, which Go does not know.
        '0'..='7' if c == '0' || digits(8, 2) == 2 => {
            let (octal, after) = text.split_at(digits(8, 3));
            (number(octal, 8)?, after)
        }
        'p' | 'P' => return Err("a Unicode class, which is not supported here"),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => (c, after),
        _ => return Err(UNKNOWN),
    };
    Ok((Member::Range(literal, literal), after))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn posix_class(name: &str) -> Option<Member> {
    let (name, inside) = name.strip_prefix('^').map_or((name, true), |name| (name, false));
    let test: fn(char) -> bool = match name {
        "alnum" => |c| c.is_ascii_alphanumeric(),
        "alpha" => |c| c.is_ascii_alphabetic(),
        "ascii" => |c| c.is_ascii(),
        "blank" => |c| c == ' ' || c == '\t',
        "cntrl" => |c| c.is_ascii_control(),
        "digit" => |c| c.is_ascii_digit(),
        "graph" => |c| c.is_ascii_graphic(),
        "lower" => |c| c.is_ascii_lowercase(),
        "print" => |c| c.is_ascii_graphic() || c == ' ',
        "punct" => |c| c.is_ascii_punctuation(),
        "space" => |c| "\t\n\x0B\x0C\r ".contains(c),
        "upper" => |c| c.is_ascii_uppercase(),
        "word" => is_word,
        "xdigit" => |c| c.is_ascii_hexdigit(),
        _ => return None,
    };
    Some(Member::Named(test, inside))
}

/// What follows the place that a `Run` has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Nothing,
    Char(char),
    /// Some character, not known which.
    Something,
}

fn next_of(text: &str) -> Next {
    text.chars().next().map_or(Next::Nothing, Next::Char)
}

/// All the places among the pieces of a regular expression where a match may have come to after some text. (Following
/// all at once takes time in proportion to the text, whatever the pattern.)
#[derive(Debug, Clone)]
struct Run<'a> {
    pieces: &'a [Piece],
    /// As many as there are pieces, and one for the end.
    places: Vec<bool>,
}

impl<'a> Run<'a> {
    fn start(pieces: &'a [Piece], next: Next) -> Self {
        let mut places = vec![false; pieces.len() + 1];
        places[0] = true;
        let mut run = Self { pieces, places };
        run.settle(None, next);
        run
    }

    /// After any text that ends with a slash; perhaps too many places, never too few.
    fn after_any_folder(pieces: &'a [Piece], next: Next) -> Self {
        let mut run = Self { pieces, places: vec![true; pieces.len() + 1] };
        run.step('/');
        run.settle(Some('/'), next);
        run
    }

    fn union(&mut self, other: Self) {
        self.places.iter_mut().zip(other.places).for_each(|(place, other)| *place |= other);
    }

    /// Goes on over `text`, which `next` follows.
    fn feed(&mut self, text: &str, next: Next) {
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

    fn is_complete(&self) -> bool {
        self.places.last() == Some(&true)
    }

    /// False only if no more text can complete the match. (A place at the end does not count: it takes no more.)
    fn is_possible(&self) -> bool {
        self.places[..self.pieces.len()].contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Dockerignore {
        Dockerignore::read(text).unwrap()
    }

    /// Of some paths, those that are kept out.
    fn excluded<'a>(text: &str, paths: &[&'a str]) -> Vec<&'a str> {
        let file = file(text);
        paths.iter().copied().filter(|path| file.excludes(path)).collect()
    }

    #[test]
    fn an_empty_file_keeps_nothing_out() {
        assert_eq!(excluded("\n  \n# all of it\n", &["a", "a/b"]), Vec::<&str>::new());
        assert!(!Dockerignore::default().excludes("a"));
        assert!(!file("**").excludes(""), "the context itself is never kept out");
    }

    #[test]
    fn a_comment_starts_in_the_first_column_only() {
        assert_eq!(excluded("#a\n #b\n\\#c", &["#a", "#b", "#c"]), ["#b", "#c"]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_start_of_the_file_only() {
        assert_eq!(excluded("\u{FEFF}a\n\u{FEFF}b", &["a", "b", "\u{FEFF}b"]), ["a", "\u{FEFF}b"]);
    }

    #[test]
    fn a_pattern_is_trimmed_and_cleaned() {
        for text in ["node_modules/", "/node_modules", " ./node_modules/. ", "a/..//node_modules\r\n"] {
            assert_eq!(excluded(text, &["node_modules", "node_modules/x", "a/node_modules"]).len(), 2, "{text:?}");
        }
    }

    #[test]
    fn a_second_cleaning_takes_the_mark_for_a_part_of_the_name() {
        assert_eq!(excluded("*\n/!a", &["a", "b"]), ["b"]);
        assert_eq!(excluded("!../../a", &["a", "b"]), ["a"]);
    }

    #[test]
    fn two_stars_cross_folders_and_one_does_not() {
        let paths = ["n", "a/n", "a/b/n", "an"];
        assert_eq!(excluded("n", &paths), ["n"]);
        assert_eq!(excluded("*/n", &paths), ["a/n"]);
        assert_eq!(excluded("**/n", &paths), ["n", "a/n", "a/b/n"]);
        assert_eq!(excluded("**n", &paths), paths);
        assert_eq!(excluded("a**", &paths), ["a/n", "a/b/n", "an"]);
    }

    #[test]
    fn the_last_match_wins() {
        let paths = ["a.md", "README.md", "c"];
        assert_eq!(excluded("*.md\n!README.md", &paths), ["a.md"]);
        assert_eq!(excluded("*.md\n!README.md\nREAD*", &paths), ["a.md", "README.md"]);
        assert_eq!(excluded("!README.md\n*.md", &paths), ["a.md", "README.md"]);
    }

    #[test]
    fn an_exception_reaches_into_an_excluded_folder() {
        assert_eq!(excluded("a\n!a/b", &["a", "a/b", "a/b/c", "a/c"]), ["a", "a/c"]);
    }

    #[test]
    fn an_exception_that_was_not_tried_on_a_folder_does_not_count_beneath() {
        assert_eq!(excluded("a/b\n!a", &["a", "a/b"]), ["a/b"]);
        let twice = "**/n\n!**/n/keep\n**/n";
        assert_eq!(excluded(twice, &["n", "n/x", "n/keep"]), ["n", "n/x"]);
    }

    #[test]
    fn a_folder_is_not_entered_for_an_exception_that_lost_two_wildcards() {
        assert_eq!(excluded("c\n!c/*/**", &["c/d", "c/d/e"]), ["c/d", "c/d/e"]);
        // A wildcard elsewhere has every folder entered.
        assert_eq!(excluded("c\n!c/*/**\n!*.x", &["c/d", "c/d/e"]), ["c/d"]);
    }

    #[test]
    fn wildcards_and_classes_match_single_characters() {
        assert_eq!(excluded("[a-c]?", &["ax", "cé", "dx", "a/", "a"]), ["ax", "cé"]);
        assert_eq!(excluded("[^a]", &["a", "b"]), ["b"]);
        assert_eq!(excluded("[!a]", &["!", "a", "b"]), ["!", "a"]);
        assert_eq!(excluded("\\*\\[", &["*[", "x["]), ["*["]);
    }

    #[test]
    fn a_star_in_a_class_is_translated_too() {
        assert_eq!(excluded("[*]", &["*", "]", "[/^]"]), ["]", "[/^]"]);
    }

    #[test]
    fn characters_of_regular_expressions_act_only_beside_a_wildcard() {
        assert_eq!(excluded("b|x", &["b|x", "b"]), ["b|x"]);
        assert_eq!(excluded("b|x*", &["b|x", "bar", "ax", "c"]), ["b|x", "bar", "ax"]);
        assert_eq!(excluded("ab{2}*", &["abb", "ab{2}", "ab"]), ["abb"]);
        assert_eq!(excluded("x\\d", &["x1", "xd"]), ["x1"]);
        assert_eq!(excluded("[[:digit:]]*", &["1x", "d"]), ["1x"]);
        assert_eq!(excluded("a.b*\na+?", &["a.b", "aXb", "a+c", "aac"]), ["a.b", "a+c"]);
        assert_eq!(excluded("a\\Q*", &["a[^/]*$z", "ax"]), ["a[^/]*$z"]);
    }

    #[test]
    fn what_buildkit_refuses_is_refused_with_its_line() {
        for text in ["[", "a[]", "[a-]", "[-a]", "a\\", "!", "//!", "*[b-a]", "\\e", "*{2}", "x{1001}*", "[[:no:]]"] {
            let refusal = Dockerignore::read(&format!("# first\n{text}")).unwrap_err();
            assert_eq!(refusal.line, 2, "{refusal}");
        }
        assert!(Dockerignore::read(&"a".repeat(LONGEST_LINE + 1)).is_err());
    }

    #[test]
    fn a_broken_expression_that_is_never_tried_is_accepted() {
        assert!(file("!*[b-a]\na").excludes("a"));
    }

    #[test]
    fn a_folder_is_whole_only_without_an_exception_that_could_reach_into_it() {
        assert!(file("a").excludes_whole("a"));
        assert!(file("a").excludes_whole("a/b/c"));
        assert!(file("a\n!b\n!*.md\n!ab\n!c/**").excludes_whole("a"));
        for exception in ["a", "a/b", "**/b", "*/b", "a/**", "**", "a?b|a/", "**b"] {
            assert!(!file(&format!("a\n!{exception}")).excludes_whole("a"), "{exception}");
        }
        assert!(file("a\n!a/b\na/*").excludes_whole("a/c"));
        assert!(!file("").excludes_whole("a"));
    }

    #[test]
    fn a_folder_whose_contents_alone_are_excluded_is_not_whole() {
        let contents = file("node_modules/*");
        assert!(!contents.excludes("node_modules") && !contents.excludes_whole("node_modules"));
        assert!(contents.excludes_whole("node_modules/a"));
    }

    #[test]
    fn a_name_is_excluded_everywhere_by_two_stars_before_it() {
        for text in
            ["**/n", "**/n/", "**", "*\n!src\n!a.md\n**/n", "**/n\n!README.md", "!x/n\n**/n", "*\n!src\n**/n\n!src/a"]
        {
            assert!(file(text).excludes_everywhere("n"), "{text:?}");
        }
        for text in ["n", "*/n", "**/n/*", "**/n\n!**/n/keep", "**/n\n!a/n", "**/n\n!**/*.md", "*\n**/n\n!src"] {
            assert!(!file(text).excludes_everywhere("n"), "{text:?}");
        }
    }

    #[test]
    fn a_folder_above_can_be_brought_back_together_with_what_it_holds() {
        assert_eq!(excluded("*\n**/n\n!a", &["n", "a", "a/n"]), ["n"]);
        assert_eq!(excluded("*\n!a\n**/n", &["n", "a", "a/n"]), ["n", "a/n"]);
    }

    #[test]
    fn exceptions_are_reported() {
        assert!(file("!a").has_exceptions());
        assert!(!file("\\!a").has_exceptions());
    }

    /// Patterns from a small alphabet, and every path of it up to four names deep.
    #[test]
    fn what_is_said_of_a_folder_holds_for_every_path_beneath_it() {
        const NAMES: [&str; 3] = ["a", "b", "n"];
        const PARTS: [&str; 9] = ["a", "b", "n", "*", "**", "?", "a*", "**b", "[ab]"];
        let mut paths: Vec<String> = NAMES.iter().map(|name| name.to_string()).collect();
        for from in [0, 3, 12] {
            let deeper: Vec<_> = paths[from..].iter().flat_map(|p| NAMES.map(|name| format!("{p}/{name}"))).collect();
            paths.extend(deeper);
        }
        let mut seed: u64 = 1;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let (mut whole, mut everywhere) = (0, 0);
        for _ in 0..1200 {
            let mut text = String::new();
            for line in 0..=random(5) {
                let names: Vec<_> = (0..=random(3)).map(|_| PARTS[random(PARTS.len())]).collect();
                let start = ["", "", "", "**/n\n", "**/"][random(5)];
                let mark = if line > 0 && random(2) == 0 { "!" } else { "" };
                text += &format!("{mark}{start}{}\n", names.join("/"));
            }
            let Ok(file) = Dockerignore::read(&text) else { continue };
            let kept: Vec<_> = paths.iter().filter(|path| !file.excludes(path)).collect();
            for folder in paths.iter().filter(|folder| file.excludes_whole(folder)) {
                whole += 1;
                assert!(!kept.iter().any(|path| is_at_or_beneath(path, folder)), "{folder} in {text:?}");
            }
            if file.excludes_everywhere("n") {
                everywhere += 1;
                assert!(!kept.iter().any(|path| path.split('/').any(|name| name == "n")), "{text:?}");
            }
        }
        assert!(whole > 1000 && everywhere > 50, "{whole} {everywhere}");
    }
}
