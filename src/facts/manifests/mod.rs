//! What a dependency install reads and writes: one file per ecosystem.
//!
//! An install is looked at with the files of the folder that it runs in, as the build has them before the install. Where it can't be
//! shown what the install reads, it is refused with a reason.

mod pip;

use super::managers::Call;
use super::runs::Run;
use crate::context::Entry;
use crate::shell::Command;

/// The files of the image in front of an install. A path that starts with `/` is one of the image; others are relative to the folder
/// that the install runs in. Nothing is known of what lies outside the copied sources.
pub trait Files {
    /// What stands at `path`.
    fn entry(&self, path: &str) -> Option<Entry>;
    /// The text of a file.
    fn text(&self, path: &str) -> Option<String>;
    /// The names in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String>;

    fn is_file(&self, path: &str) -> bool {
        self.entry(path) == Some(Entry::File)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.entry(path) == Some(Entry::Folder)
    }
}

/// A dependency install that can be told apart from the sources around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Install {
    /// The files and folders that it reads, in the order in which they are copied; relative to the folder that it runs in, or
    /// absolute. Each is there.
    pub reads: Vec<String>,
    /// The folders and files that it makes or changes beside the sources (`node_modules`, `packages/a/node_modules`, `.venv`), in the
    /// same spelling; none for what lies elsewhere in the image.
    pub writes: Vec<String>,
    /// Files among `reads` that it may rewrite (a lock file that isn't frozen): the copy of the sources would bring the old one back.
    pub rewrites: Vec<String>,
    /// What stands above the sources.
    pub above: Above,
    /// Why somebody has to look, one clause each (`its go.mod names modules of a private host`).
    pub doubts: Vec<String>,
}

/// What stands above the copy of the sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Above {
    /// The command itself: it needs nothing else.
    #[default]
    Itself,
    /// The command with these words behind its last command word; the command itself stays below.
    WithWords(Vec<String>),
    /// Another command; the command itself stays below.
    Other(String),
}

/// What `call` reads and writes. `None` for calls that install no dependencies of a project.
///
/// # Errors
/// Why it can't be told, or why the install needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    let read = match call.manager.id {
        "pip" => pip::install,
        _ => return Ok(None),
    };
    read(call, command, run, files)
}

/// Why an install is refused that reads a file which no COPY brings: the only such reason that says nothing of the install itself.
pub fn not_copied(path: &str) -> String {
    format!("{path}{NOT_COPIED}")
}

/// Whether a refusal is [`not_copied`].
pub fn is_not_copied(reason: &str) -> bool {
    reason.ends_with(NOT_COPIED)
}

const NOT_COPIED: &str = " is not among the files that the build copies from its context";

/// Files in memory, for tests.
#[cfg(test)]
pub(crate) mod memory {
    use super::{Entry, Files};
    use crate::context::Tree;

    /// The folder that the install runs in is the root.
    pub struct Memory(pub Tree);

    impl Files for Memory {
        fn entry(&self, path: &str) -> Option<Entry> {
            self.0.entry(path)
        }

        fn text(&self, path: &str) -> Option<String> {
            self.0.text(path)
        }

        fn names(&self, folder: &str) -> Vec<String> {
            self.0.names(folder)
        }
    }
}
