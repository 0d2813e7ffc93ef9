//! Building an image before and after the changes, from clean and again, on this machine's engine: whether the images are the same, and
//! what a rebuild costs.

mod agreement;
mod builder;
mod copy;
mod log;
mod made;
mod play;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

pub use agreement::Mismatch;
pub use builder::{Choice, Described, Unusable, Way};
pub use copy::Place;
pub use made::LABEL;
pub use play::{Interrupted, Session};
pub use process::Interrupt;

use crate::facts::Knowledge;
use crate::same_image::Difference;

/// How to build.
#[derive(Debug, Clone)]
pub struct Options {
    pub builder: Choice,
    /// Of one build.
    pub limit: Duration,
    /// Leave images, builder and folders where they are.
    pub keep: bool,
    /// Passed on to every build, as written.
    pub build_options: Vec<String>,
    /// Options of the driver of a throw-away builder, as `docker buildx create --driver-opt` takes them.
    pub driver_options: Vec<String>,
    /// Themes of the scenarios to play; none for all.
    pub scenarios: Option<Vec<String>>,
}

impl Options {
    /// Whether RUN steps are to use the machine's own network.
    fn asks_for_host_network(&self) -> bool {
        let words: Vec<&str> = self.build_options.iter().map(String::as_str).collect();
        words.contains(&"--network=host") || words.windows(2).any(|pair| pair == ["--network", "host"])
    }
}

/// What is built: one image, before and after.
#[derive(Debug, Clone)]
pub struct Service {
    /// The compose service or bake target; the Dockerfile's path where it has no name.
    pub name: String,
    /// As shown to people.
    pub dockerfile: String,
    pub shown_context: String,
    /// The folder of the build context.
    pub context: PathBuf,
    pub place: Place,
    pub target: Option<String>,
    /// Build arguments; without a value where the environment gives it.
    pub arguments: Vec<(String, Option<String>)>,
    /// Named contexts, as the builder takes them.
    pub contexts: Vec<(String, String)>,
    pub network: Option<String>,
    pub before: Side,
    pub after: Side,
    pub knowledge: Knowledge,
    /// Names that restow.toml adds to the build arguments that change with every commit.
    pub per_commit: Vec<String>,
}

/// The files of one side, as far as they are not those on disk.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// Of the Dockerfile.
    pub text: String,
    /// Texts of other files, by their paths in the context.
    pub files: BTreeMap<String, String>,
    /// The text of the .dockerignore of the Dockerfile's own name, where both lie outside of the context.
    pub ignore: Option<String>,
}

/// What became of a service.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub service: String,
    pub dockerfile: String,
    pub context: String,
    pub target: Option<String>,
    pub verdict: Word,
    /// Why it was refused, or how the build failed.
    pub reason: Option<String>,
    /// Paths of the image before.
    pub paths: usize,
    pub differences: Vec<Difference>,
    pub noise: Vec<Difference>,
    pub expected: Vec<Difference>,
    /// The builds from clean.
    pub clean: Option<Clean>,
    pub scenarios: Vec<Played>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    Same,
    Differs,
    Failed,
    Refused,
}

impl Verdict {
    /// Of a service that is not built, or whose build failed.
    pub fn without(service: String, dockerfile: String, context: String, word: Word, reason: String) -> Self {
        Self {
            service,
            dockerfile,
            context,
            target: None,
            verdict: word,
            reason: Some(reason),
            paths: 0,
            differences: Vec::new(),
            noise: Vec::new(),
            expected: Vec::new(),
            clean: None,
            scenarios: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Clean {
    pub before: Measured,
    pub after: Measured,
}

/// A scenario, played on both sides.
#[derive(Debug, Clone, Serialize)]
pub struct Played {
    pub scenario: &'static str,
    pub title: String,
    /// What was done, in words.
    pub edit: String,
    pub before: Outcome,
    pub after: Outcome,
    /// Whether the forecast holds on both sides; none where there is none, or nothing to compare it with.
    pub agrees: Option<bool>,
    pub mismatch: Vec<Mismatch>,
}

/// What came out on one side.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    Measured(Measured),
    Not {
        /// Why.
        not_measured: String,
    },
}

impl Outcome {
    pub fn measured(&self) -> Option<&Measured> {
        match self {
            Outcome::Measured(measured) => Some(measured),
            Outcome::Not { .. } => None,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// RUN, COPY, ADD and WORKDIR that were CACHED, and all of them.
    pub cached: usize,
    pub steps: usize,
    /// Least and most that the forecast says.
    pub forecast: Option<(usize, usize)>,
    /// From the start of the client to its end.
    pub seconds: f64,
    /// As the package managers' logs tell.
    pub bytes: Option<u64>,
}

/// What is going on, for whoever waits.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    pub service: &'a str,
    /// `before, clean build 1 of 2`.
    pub phase: &'a str,
    /// The step of the build that is under way.
    pub step: Option<&'a str>,
}
