//! What `pip install` and its like read and build, by the words of the command and the requirement files.

use super::copied::Copied;
use super::installs::{is_open_redirect, is_redirect, name_of, own, review};
use super::past::Past;
use super::{fetches, mentions};
use crate::facts::requirements::{self, Entry};

/// `pip install`: free for packages by name and for requirement files that name no local project.
pub(super) fn of(words: &[&str], files_only: bool, copied: Option<&Copied<'_>>, names: &[String]) -> Past {
    let mut past = Past::Free;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let file = match word {
            "-r" | "--requirement" | "-c" | "--constraint" => words.next(),
            _ => word
                .strip_prefix("--requirement=")
                .or_else(|| word.strip_prefix("--constraint="))
                .or_else(|| word.strip_prefix("-r").filter(|rest| !rest.is_empty())),
        };
        let editable = match word {
            "-e" | "--editable" => words.next(),
            _ => word.strip_prefix("--editable=").or_else(|| word.strip_prefix("-e").filter(|_| !word.contains("--"))),
        };
        past = past.or(if let Some(file) = file {
            requirement_file(file, copied, names, 0)
        } else if let Some(target) = editable {
            requirement(&Entry::Editable(target.to_owned()), target)
        } else if requirements::takes_value(word) || OF_UV.contains(&word) || is_open_redirect(word) {
            words.next();
            Past::Free
        } else if word.starts_with('-') || is_redirect(word) {
            Past::Free
        } else if files_only {
            requirement_file(word, copied, names, 0)
        } else if word.starts_with('$') {
            review(format!("installs {word}, which can't be told"))
        } else {
            requirement(&requirements::read_argument(word), word)
        });
    }
    past
}

/// One requirement of pip.
fn requirement(entry: &Entry, written: &str) -> Past {
    match entry {
        Entry::Local(path) if path.ends_with(".whl") => Past::Free,
        _ if entry.is_local() => own(written),
        Entry::Editable(url) => fetches::of_url(url),
        Entry::Remote { url, .. } => fetches::of_url(url),
        // The version may be a variable.
        Entry::Unreadable(_) if written.contains('/') && !written.contains("://") => own(written),
        Entry::Unreadable(_) if written.contains("://") => fetches::of_url(written),
        _ => Past::Free,
    }
}

/// Options of `uv pip install` alone that take the next word.
const OF_UV: &[&str] = &["-p", "--index-strategy", "--upgrade-package", "-P", "--torch-backend", "--index"];

/// A requirement file, with those that it includes.
fn requirement_file(file: &str, copied: Option<&Copied<'_>>, names: &[String], depth: usize) -> Past {
    let name = name_of(file);
    let Some((copied, texts)) = copied.and_then(|copied| Some((copied, copied.texts(name)?))) else {
        return review(format!("reads {name}, which was not found"));
    };
    if depth > 8 {
        return review(format!("reads {name}, which includes itself"));
    }
    let mut past = Past::Free;
    for text in &texts {
        if let Some(known) = names.iter().find(|known| mentions(text, known)) {
            return Past::Never(format!("reads {name}, which names {known}"));
        }
        for line in requirements::read(text) {
            past = past.or(match &line.entry {
                Entry::Include(file) | Entry::Constraint(file) if file.contains("://") => fetches::of_url(file),
                Entry::Include(file) | Entry::Constraint(file) => {
                    requirement_file(file, Some(copied), names, depth + 1)
                }
                entry => match requirement(entry, &line.text) {
                    Past::Review(why) => review(format!("reads {name}, which {why}")),
                    Past::Never(why) => Past::Never(format!("reads {name}, which {why}")),
                    Past::Free => Past::Free,
                },
            });
        }
    }
    past
}
