//! The files that a requirements file brings in.

use super::paths::join;
use super::{Files, not_copied};
use crate::context::Entry as Found;
use crate::facts::requirements::{self, Entry};

/// Puts `file` and what it includes among `reads`; a URL needs no file.
///
/// # Errors
/// What is not there, can't be read, or takes a package from the sources.
pub fn take_with_includes(reads: &mut Vec<String>, files: &dyn Files, file: &str) -> Result<(), String> {
    if file.contains("://") {
        return if file.starts_with("file:") { Err(format!("{file} is read from the image")) } else { Ok(()) };
    }
    let path = join(".", file);
    if reads.contains(&path) {
        return Ok(());
    }
    match files.entry(&path) {
        Some(Found::File) => {}
        Some(Found::Link) => return Err(format!("{path} is a link")),
        Some(Found::Folder) => return Err(format!("{path} is a folder")),
        None => return Err(not_copied(&path)),
    }
    let text = files.text(&path).ok_or_else(|| format!("{path} can't be read"))?;
    reads.push(path.clone());
    for line in requirements::read(&text) {
        if line.entry.is_local() {
            return Err(format!("line {} of {path}, `{}`, names something of the sources", line.line, line.text));
        }
        match &line.entry {
            Entry::Include(named) | Entry::Constraint(named) => match requirements::nested(&path, named) {
                Some(nested) => take_with_includes(reads, files, &nested)?,
                None if named.starts_with("file:") => return Err(format!("{path} includes {named}")),
                None => {}
            },
            Entry::Editable(what) => {
                return Err(format!("line {} of {path} installs {what} into the folder that it runs in", line.line));
            }
            Entry::Unreadable(why) => return Err(format!("line {} of {path} can't be read: {why}", line.line)),
            _ => {}
        }
    }
    Ok(())
}
