//! What a transform is, and what it gives back: changes with their declared effects, and places left alone.

pub mod run_edits;

use crate::edit::Edit;
use crate::facts::Facts;
use crate::facts::bake::Bake;
use crate::facts::compose::Compose;
use crate::facts::compose::edits::NewMount;
use crate::facts::workflow::Workflow;
use crate::forecast::Theme;
use crate::project::Project;
use crate::text::Span;
use crate::yaml::{Difference, Stream};

/// A rewrite of files. One file under `transforms/` each; [`crate::transforms::ALL`] lists them in application order.
pub trait Transform: Sync {
    fn meta(&self) -> &'static Meta;

    /// Proposes changes of one Dockerfile as it stands now.
    fn dockerfile(&self, cx: &DockerfileContext<'_>, out: &mut Findings) {
        let _ = (cx, out);
    }

    /// Proposes changes of one compose file as it stands now.
    fn compose(&self, cx: &ComposeContext<'_>, out: &mut Findings) {
        let _ = (cx, out);
    }

    /// Proposes changes of one bake file as it stands now.
    fn bake(&self, cx: &BakeContext<'_>, out: &mut Findings) {
        let _ = (cx, out);
    }

    /// Proposes changes of one workflow as it stands now.
    fn workflow(&self, cx: &WorkflowContext<'_>, out: &mut Findings) {
        let _ = (cx, out);
    }
}

/// What people see of a transform.
#[derive(Debug)]
pub struct Meta {
    pub id: &'static str,
    /// The file kinds that it edits.
    pub kinds: &'static [Kind],
    /// The highest level of its changes that needs no look: `Safe` if it has safe ones.
    pub level: Level,
    /// The transform's own file: its `//!` text is the documentation.
    pub prose: &'static str,
    pub examples: &'static [Example],
}

impl Meta {
    /// The first line of the documentation, without its full stop.
    pub fn summary(&self) -> &'static str {
        let line = self.prose.lines().next().unwrap_or("");
        line.trim_start_matches("//!").trim().trim_end_matches('.')
    }

    /// The documentation: the leading `//!` lines, without their marks.
    pub fn documentation(&self) -> String {
        let lines = self.prose.lines().take_while(|line| line.starts_with("//!"));
        lines
            .map(|line| line.strip_prefix("//! ").unwrap_or(line.trim_start_matches("//!")))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// A small file that shows one behaviour; run by the tests and by `explain`.
#[derive(Debug)]
pub struct Example {
    /// The snapshot's name.
    pub name: &'static str,
    /// Where the file stands in its repository; its name tells its kind.
    pub path: &'static str,
    pub before: &'static str,
    /// Other files of the repository: path and content.
    pub files: &'static [(&'static str, &'static str)],
    /// restow.toml, empty for none.
    pub config: &'static str,
}

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Dockerfile,
    Compose,
    Workflow,
    Bake,
    /// No transform reads one as its own; a change of a Dockerfile may add to it.
    Dockerignore,
}

/// How sure a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Shown from the files: the image is the same (docs/same-image.md), and builds on Docker 20.10 and later with
    /// BuildKit.
    Safe,
    /// Somebody has to look.
    Review,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Safe => "safe",
            Level::Review => "review",
        }
    }
}

/// A change: whole or not at all.
#[derive(Debug, Clone)]
pub struct Change {
    /// Changes of one group stand or fall together.
    pub group: String,
    /// Imperative, without a full stop.
    pub title: String,
    /// One sentence.
    pub reason: String,
    pub level: Level,
    /// The place it is about, in the text it was proposed for. A change without edits is about what stands there, and shows in the files
    /// of `beside`.
    pub offset: usize,
    /// Other places that it is about too: the further steps of a job that is changed as a whole, the instructions that move past the one
    /// at `offset`.
    pub more: Vec<usize>,
    pub edits: Vec<Edit>,
    pub effects: Vec<Effect>,
    /// What the change does to other files. It is made only together with that.
    pub beside: Vec<Beside>,
    /// The scenario in which it shows: how many steps that repeats, before and after, is put behind the reason.
    pub shows: Option<Theme>,
}

/// What a change does to a file that no transform reads as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// Patterns that a .dockerignore gets at its end, in lines of their own; the file is made where it is missing.
    Ignore {
        /// Relative to the root of the project.
        path: String,
        patterns: Vec<String>,
    },
    /// A volume for a service in a compose file that is not there yet.
    Mount {
        /// Relative to the root of the project.
        path: String,
        mount: NewMount,
    },
}

impl Beside {
    /// The file, relative to the root of the project.
    pub fn path(&self) -> &str {
        match self {
            Beside::Ignore { path, .. } | Beside::Mount { path, .. } => path,
        }
    }
}

/// What a change does to a file; the engine compares it with what it finds afterwards. `instruction` is an index into the
/// instructions before the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A flag in front of the others.
    AddFlag {
        instruction: usize,
        flag: String,
    },
    /// Words of the script of a RUN: byte ranges of its text that go or are replaced.
    ReplaceText {
        instruction: usize,
        range: std::ops::Range<usize>,
        with: String,
    },
    /// `name=value` of ENV.
    RemovePair {
        instruction: usize,
        name: String,
    },
    RemoveInstruction {
        instruction: usize,
    },
    /// A new instruction in front of an old one; the number of old ones stands for the end. `text` is the whole of it. What comes or
    /// moves to one place stands there in the order of the effects.
    InsertInstruction {
        before: usize,
        text: String,
    },
    /// An instruction that comes to stand behind another one, in front of the comments there, with as many of the comment lines
    /// directly above it as said.
    MoveInstruction {
        instruction: usize,
        behind: usize,
        comments: usize,
    },
    /// What differs in the data of a YAML or JSON file.
    Data(Difference),
    /// An attribute that a target of a bake file gets, with its value as written.
    AddAttribute {
        target: String,
        name: String,
        value: String,
    },
}

/// A place that looks like a candidate and is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    pub offset: usize,
    pub reason: String,
}

/// What one transform found in one file.
#[derive(Debug, Default)]
pub struct Findings {
    pub changes: Vec<Change>,
    pub skips: Vec<Skip>,
}

impl Findings {
    pub fn skip(&mut self, at: Span, reason: impl Into<String>) {
        self.skips.push(Skip { offset: at.start, reason: reason.into() });
    }
}

/// What a transform sees of a Dockerfile.
pub struct DockerfileContext<'a> {
    /// Relative to the root of the project; `FILE#SERVICE` for one that stands in a compose file.
    pub path: &'a str,
    pub facts: &'a Facts<'a>,
    /// The files beside it.
    pub context: &'a crate::context::Context,
    /// What is known of the repository around it.
    pub project: &'a Project,
}

/// What a transform sees of a compose file.
pub struct ComposeContext<'a> {
    /// Relative to the root of the project.
    pub path: &'a str,
    pub text: &'a str,
    pub stream: &'a Stream,
    pub compose: &'a Compose,
    pub project: &'a Project,
}

/// What a transform sees of a bake file.
pub struct BakeContext<'a> {
    /// Relative to the root of the project.
    pub path: &'a str,
    pub text: &'a str,
    pub bake: &'a Bake,
    pub project: &'a Project,
}

/// What a transform sees of a workflow.
pub struct WorkflowContext<'a> {
    /// Relative to the root of the project.
    pub path: &'a str,
    pub text: &'a str,
    pub stream: &'a Stream,
    pub workflow: &'a Workflow,
    pub project: &'a Project,
}
