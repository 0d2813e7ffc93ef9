//! Which files of a context a COPY takes.

use crate::facts::copies::{absolute, is_match};

/// Whether a step takes a changed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coverage {
    None,
    /// It can't be told.
    Perhaps,
    Whole,
}

/// Whether a source of COPY (a file, a folder, a pattern) takes one of `files`.
pub(super) fn covers(source: &str, files: &[&str]) -> Coverage {
    // The mark of --parents that ends what is not repeated in the image.
    let source = source.replace("/./", "/");
    let clean = absolute("", &source);
    let wanted: Vec<&str> = clean.split('/').filter(|part| !part.is_empty()).collect();
    files.iter().map(|file| covers_one(&wanted, file)).max().unwrap_or(Coverage::None)
}

fn covers_one(wanted: &[&str], file: &str) -> Coverage {
    if wanted.iter().any(|part| part.contains(['[', '\\', '\u{0}']) || *part == "**") {
        return Coverage::Perhaps;
    }
    let parts: Vec<&str> = file.split('/').collect();
    let fits = parts.len() >= wanted.len() && wanted.iter().zip(&parts).all(|(pattern, name)| is_match(pattern, name));
    if fits { Coverage::Whole } else { Coverage::None }
}

/// Whether two absolute paths are the same or one lies beneath the other; the root is empty.
pub(super) fn overlap(left: &str, right: &str) -> bool {
    let beneath = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    beneath(left, right) || beneath(right, left)
}

/// The part of a path in front of its first pattern.
pub(super) fn plain_start(path: &str) -> &str {
    match path.find(['*', '?', '[']) {
        Some(at) => path[..at].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => path,
    }
}
