//! Requirements files of pip, and the requirements on its command line, read as pip reads them.
//!
//! Sources: pypa/pip `src/pip/_internal/req/req_file.py` (lines, comments, options) and `req/constructors.py` (what is
//! a path, what a URL), as of pip 24; PEP 508 and packaging's `_parser.py` (requirements and markers); PEP 440
//! (versions); PEP 503 (names). pip reads options with Python's `shlex` and `optparse`, so this does as well.
//!
//! Nothing here looks at the disk. Where pip asks whether a directory exists, it is taken to exist.

mod argument;
mod command_line;
mod grammar;
mod heavy;
mod lines;
mod names;
mod options;
mod paths;
mod python;
mod urls;

use argument::requirement;
use lines::{logical_lines, without_comment};
use options::{OF_A_REQUIREMENT, read_options};
use python::shell_words;
use urls::{is_remote, scheme};

pub use command_line::{split_value, takes_value};
pub use heavy::is_heavy;
pub use names::normalised;

/// One thing that a requirements file says.
///
/// A line with several options for the whole command becomes several of these, in the order written and with the same
/// `line` and `text`. A line that pip reads and then ignores (`--hash` without a requirement) becomes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The first of the physical lines, counted from 1 as Python counts them (a form feed ends a line too).
    pub line: usize,
    /// The physical lines joined, without the comment and the white space around, variables not expanded.
    pub text: String,
    /// What it says while no variable in it is set.
    pub entry: Entry,
}

/// What a line, or a word on the command line, asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A named requirement, to be found on an index.
    Requirement(Requirement),
    /// `-r`, `--requirement`: a path or a URL, as written. See [`nested`].
    Include(String),
    /// `-c`, `--constraint`: a path or a URL, as written. See [`nested`].
    Constraint(String),
    /// `-e`, `--editable`: a directory, perhaps with extras, or a URL, as written.
    Editable(String),
    /// A path without its extras, or a `file:` URL with or without a name in front (which is dropped).
    Local(String),
    /// Any other URL.
    Remote {
        /// Normalised as PEP 503 says: written in front, or from `#egg=`, or from the file name of a wheel.
        name: Option<String>,
        /// Without the marker.
        url: String,
    },
    /// An option for the whole command. Of several `--index-url` the last counts, of several `--find-links` on one
    /// line the first.
    Option {
        /// The full spelling, with the dashes.
        name: String,
        /// `None` for a switch.
        value: Option<String>,
    },
    /// pip refuses it, and with it the whole file, for the reason given.
    Unreadable(String),
}

/// A requirement with a name and without a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Normalised as PEP 503 says: lower case, one `-` between the parts.
    pub name: String,
    /// Normalised like the name, sorted, each once.
    pub extras: Vec<String>,
    /// The clauses in the order written, each once, without white space, joined by `,`; empty for any version.
    pub specifier: String,
    /// What follows the `;`, as written.
    pub marker: Option<String>,
    /// How many `--hash`.
    pub hashes: usize,
    /// `--config-settings=…` and `--global-option=…`, in the order written.
    pub other_options: Vec<String>,
}

impl Requirement {
    /// The version, if one `==` without a wildcard or one `===` is all the specifier says.
    ///
    /// This is about the package itself: what it depends on may still vary.
    pub fn pin(&self) -> Option<&str> {
        let version = self.specifier.strip_prefix("===").or_else(|| self.specifier.strip_prefix("=="))?;
        (!version.is_empty() && !version.contains(',') && !version.ends_with('*')).then_some(version)
    }
}

impl Line {
    /// Whether pip would put an environment variable in (`${NAME}` in upper case), so that `entry` may not hold.
    pub fn uses_variable(&self) -> bool {
        self.text.split("${").skip(1).any(|after| {
            after.split_once('}').is_some_and(|(name, _)| {
                let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
                !name.is_empty() && name.bytes().all(allowed)
            })
        })
    }
}

impl Entry {
    /// Whether installing it reads the disk besides other requirements files: paths, `file:` URLs, repositories on
    /// the disk, directories of archives.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Editable(target) => !is_remote(target),
            Self::Remote { url, .. } => !is_remote(url),
            Self::Option { name, value: Some(value) } => {
                matches!(&**name, "--find-links" | "--index-url" | "--extra-index-url") && !is_remote(value)
            }
            _ => false,
        }
    }
}

/// The path of a file named by `-r` or `-c` in `file`, as pip joins it: beside `file`, and not cleaned up.
/// `None` if either of them is a URL.
pub fn nested(file: &str, named: &str) -> Option<String> {
    let is_url = |path: &str| scheme(path).is_some_and(|scheme| matches!(&*scheme, "http" | "https" | "file"));
    if is_url(file) || is_url(named) {
        return None;
    }
    match file.rfind('/') {
        Some(slash) if !named.starts_with('/') => Some(format!("{}{named}", &file[..=slash])),
        _ => Some(named.to_owned()),
    }
}

/// Reads a requirements file. The byte order mark is not part of the text.
pub fn read(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for (line, joined) in logical_lines(text) {
        let text = without_comment(&joined);
        if !text.is_empty() {
            lines.extend(entries(text).into_iter().map(|entry| Line { line, text: text.to_owned(), entry }));
        }
    }
    lines
}

/// Reads a requirement on the command line: one word, as the shell hands it over. Options are not for this.
pub fn read_argument(word: &str) -> Entry {
    if word.starts_with('-') {
        return Entry::Unreadable(format!("`{word}` is an option"));
    }
    requirement(word, &[]).unwrap_or_else(Entry::Unreadable)
}

/// What one logical line says. Only what comes first of: requirement, `-e`, `-r`, `-c` has any effect in pip.
fn entries(text: &str) -> Vec<Entry> {
    // Options start at the first word with a dash; only spaces part words here.
    let options_at = if text.starts_with('-') { Some(0) } else { text.find(" -") };
    let (argument, options) = text.split_at(options_at.unwrap_or(text.len()));
    let options = match shell_words(options).and_then(read_options) {
        Ok(options) => options,
        Err(why) => return vec![Entry::Unreadable(why)],
    };
    if !argument.is_empty() {
        return vec![requirement(argument, &options).unwrap_or_else(Entry::Unreadable)];
    }
    let one = |name: &str| options.iter().find(|found| found.name == name).and_then(|found| found.value.clone());
    if let Some(target) = one("--editable") {
        return vec![Entry::Editable(target)];
    }
    if let Some(file) = one("--requirement") {
        return vec![Entry::Include(file)];
    }
    if let Some(file) = one("--constraint") {
        return vec![Entry::Constraint(file)];
    }
    let whole = options.into_iter().filter(|found| !OF_A_REQUIREMENT.contains(&found.name));
    whole.map(|found| Entry::Option { name: found.name.to_owned(), value: found.value }).collect()
}

#[cfg(test)]
mod tests;
