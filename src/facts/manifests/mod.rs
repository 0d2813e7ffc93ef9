//! What a dependency install reads and writes: one file per ecosystem.
//!
//! An install is looked at with the files of the folder that it runs in, as the build has them before the install. Where it can't be
//! shown what the install reads, it is refused with a reason.

mod bundler;
mod cargo;
mod command_line;
mod composer;
mod dotnet;
mod folders;
mod go;
mod gradle;
mod maven;
mod node;
mod paths;
mod pip;
mod pipenv;
mod poetry;
mod pyproject;
mod requirement_files;
mod script;
mod uv;
mod variables;
mod words;

use super::managers::Call;
use super::runs::Run;
use crate::context::Entry;
use crate::shell::Command;
pub use node::LIFE_CYCLE;

/// The files of the image in front of an install. A path that starts with `/` is one of the image; others are relative to the folder
/// that the install runs in, and may lead out of it (`../package.json`). Nothing is known of what lies outside the copied sources.
pub trait Files {
    /// What stands at `path`.
    fn entry(&self, path: &str) -> Option<Entry>;
    /// The text of a file.
    fn text(&self, path: &str) -> Option<String>;
    /// The names in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String>;

    /// The RUNs in front of the install in its stage and in the stages that it is built on, in order; `None` where they aren't known.
    fn earlier(&self) -> Option<Vec<&Run>> {
        None
    }

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
        "bundler" => bundler::install,
        "cargo" => cargo::install,
        "composer" => composer::install,
        "go" => go::install,
        "gradle" => gradle::install,
        "maven" => maven::install,
        "npm" | "yarn" | "pnpm" | "bun" => node::install,
        "nuget" => dotnet::install,
        "pip" => pip::install,
        "pipenv" => pipenv::install,
        "poetry" => poetry::install,
        "uv" => uv::install,
        "pdm" if matches!(call.verb_text, "install" | "sync") => {
            return Err("which files pdm reads and writes is not known".to_owned());
        }
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
    use super::{Entry, Files, Install, Run};
    use crate::context::Tree;
    use crate::facts::{Facts, Knowledge, Scripts};

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
            self.0.names(folder).to_vec()
        }
    }

    /// The same with the RUNs in front of the install.
    pub struct InStage<'a>(pub Memory, pub Vec<&'a Run>);

    impl Files for InStage<'_> {
        fn entry(&self, path: &str) -> Option<Entry> {
            self.0.entry(path)
        }

        fn text(&self, path: &str) -> Option<String> {
            self.0.text(path)
        }

        fn names(&self, folder: &str) -> Vec<String> {
            self.0.names(folder)
        }

        fn earlier(&self) -> Option<Vec<&Run>> {
            Some(self.1.clone())
        }
    }

    /// What the last package manager call of a Dockerfile's last RUN reads and writes, with `files` in its folder.
    pub fn install(dockerfile: &str, files: &[(&str, &str)]) -> Result<Option<Install>, String> {
        let file = crate::dockerfile::read(dockerfile).unwrap();
        let knowledge = Knowledge::default();
        let scripts = Scripts::new();
        let facts = Facts::new(dockerfile, &file, &knowledge, &scripts);
        let (run, before) = facts.runs.split_last().unwrap();
        let call = run.calls().last().unwrap();
        let files = InStage(Memory(Tree::memory(files)), before.iter().collect());
        super::install(call, &run.commands()[call.command], run, &files)
    }

    /// The same for a RUN alone.
    pub fn run(command: &str, files: &[(&str, &str)]) -> Result<Option<Install>, String> {
        install(&format!("FROM x\nRUN {command}\n"), files)
    }

    /// Why an install is refused.
    pub fn why(command: &str, files: &[(&str, &str)]) -> String {
        run(command, files).unwrap_err()
    }
}
