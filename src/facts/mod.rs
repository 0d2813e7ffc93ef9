//! What a Dockerfile means: stages and their bases, the environment and user of every RUN, the commands in it, the
//! package managers among them, and who reads what they leave behind.

pub mod bake;
pub mod bases;
pub mod build_args;
pub mod caches;
pub mod cleanups;
pub mod compose;
pub mod copies;
pub mod defeats;
pub mod dotenv;
pub mod ignores;
pub mod images;
pub mod interpolation;
pub mod managers;
pub mod manifests;
pub mod models;
pub mod owners;
pub mod packages;
pub mod readers;
pub mod requirements;
pub mod runs;
pub mod sources;
pub mod stages;
pub mod users;
pub mod workflow;

use std::sync::{Arc, LazyLock};

use crate::dockerfile::Dockerfile;
use stages::Resolved;

pub use copies::Copy;
pub use runs::{Run, RunForm, Scripts, Unreadable};
pub use stages::{Base, Environment, ImageBase, Stage, State, Variable};
pub use users::User;

/// What is known beside the file: the tables, and the rows that restow.toml adds.
#[derive(Debug, Clone)]
pub struct Knowledge {
    pub bases: Vec<images::KnownBase>,
    /// Images and stages of the file at hand that a build puts a named context in the place of (`additional_contexts`, `contexts`,
    /// `build-contexts`): nothing is known of those.
    pub replaced: Vec<String>,
    /// The table first, in its order.
    managers: Vec<&'static managers::Manager>,
    names: Arc<managers::Names>,
}

impl Knowledge {
    pub fn new(bases: Vec<images::KnownBase>, more: &[&'static managers::Manager]) -> Self {
        let managers: Vec<_> = managers::MANAGERS.iter().chain(more.iter().copied()).collect();
        let names = Arc::new(managers::Names::new(&managers));
        Self { bases, replaced: Vec::new(), managers, names }
    }

    /// Whether a named context stands in for an image or stage. Source: `NamedContext` in moby/buildkit `frontend/dockerui/context.go`.
    pub fn is_replaced(&self, name: &str) -> bool {
        let parts = |text: &str| {
            let split = bases::split_reference(text);
            (split.repository.to_lowercase(), split.effective_tag().map(str::to_owned))
        };
        !self.replaced.is_empty() && self.replaced.iter().any(|other| parts(other) == parts(name))
    }

    pub fn managers(&self) -> &[&'static managers::Manager] {
        &self.managers
    }

    /// See [`managers::Names::may_concern`].
    pub fn may_concern(&self, text: &str) -> bool {
        self.names.may_concern(text)
    }

    /// See [`managers::Names::named`].
    pub fn named(&self, text: &str) -> Vec<&'static managers::Manager> {
        self.names.named(text, &self.managers)
    }
}

impl Default for Knowledge {
    fn default() -> Self {
        /// The table alone is the same for every file: its names are prepared once.
        static TABLE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::new(Vec::new(), &[]));
        TABLE.clone()
    }
}

/// The facts of one Dockerfile, as `text` stands now.
#[derive(Debug)]
pub struct Facts<'a> {
    pub text: &'a str,
    pub file: &'a Dockerfile,
    pub knowledge: &'a Knowledge,
    pub stages: Vec<Stage>,
    /// Every RUN in order, ONBUILD ones aside.
    pub runs: Vec<Run>,
    /// Every COPY and ADD in order, ONBUILD ones aside.
    pub copies: Vec<Copy>,
    /// For each instruction the line that people know it by: where it starts in the file on disk.
    lines: Vec<usize>,
}

impl<'a> Facts<'a> {
    pub fn new(text: &'a str, file: &'a Dockerfile, knowledge: &'a Knowledge, scripts: &Scripts) -> Self {
        let Resolved { stages, runs, copies } = stages::resolve(text, file, knowledge, scripts);
        let lines = file.instructions.iter().map(|ins| ins.start_line).collect();
        Self { text, file, knowledge, stages, runs, copies, lines }
    }

    /// Sets the lines of the instructions in the file on disk, where `text` has moved them.
    pub fn set_lines(&mut self, lines: Vec<usize>) {
        debug_assert_eq!(lines.len(), self.file.instructions.len());
        self.lines = lines;
    }

    /// The line of the file on disk on which an instruction starts.
    pub fn line(&self, instruction: usize) -> usize {
        self.lines[instruction]
    }

    /// The image at the end of a stage's chain of bases.
    pub fn image(&self, stage: usize) -> Option<&ImageBase> {
        match &self.stages[stage].base {
            Base::Image(image) => Some(image),
            Base::Stage(parent) => self.image(*parent),
            Base::Scratch => None,
        }
    }

    /// `stage` and the stages it is built on, nearest first.
    pub fn ancestors(&self, stage: usize) -> Vec<usize> {
        let mut chain = vec![stage];
        while let Base::Stage(parent) = self.stages[*chain.last().unwrap_or(&stage)].base {
            chain.push(parent);
        }
        chain
    }

    /// Whether `stage` is `of` or is built on it.
    pub fn descends(&self, stage: usize, of: usize) -> bool {
        self.ancestors(stage).contains(&of)
    }

    /// Whether an image may come out of `stage` or out of one built on it: it is the last one, or named as a base.
    pub fn is_inherited(&self, stage: usize) -> bool {
        stage + 1 == self.stages.len()
            || self.stages.iter().any(|other| matches!(other.base, Base::Stage(parent) if parent == stage))
    }

    /// The stage that `name` of `--from` or FROM means for an instruction of stage `at`: a name, or a number.
    pub fn stage_named(&self, name: &str, at: usize) -> Option<usize> {
        let earlier = &self.stages[..at.min(self.stages.len())];
        let by_name = earlier
            .iter()
            .rposition(|stage| stage.name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name)));
        by_name.or_else(|| name.parse().ok().filter(|&index: &usize| index < at))
    }
}
