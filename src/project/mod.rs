//! What is known of the repository around a file: its settings, the builder it is meant for, and what its Dockerfiles share.

pub mod commands;
pub mod contexts;
pub mod graph;
pub mod known_models;
pub mod models;
pub mod passing;
pub mod services;
pub mod signs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::Settings;
use crate::context::Tree;
use crate::dockerfile::Dockerfile;
use crate::facts::models::Units;
use crate::facts::{Facts, Scripts, images, managers};

pub use graph::Graph;
pub use passing::Passing;
pub use signs::{Builder, Sign};

/// A repository, or the folder that was named.
#[derive(Debug, Clone, Default)]
pub struct Project {
    pub settings: Settings,
    /// What in the repository speaks for a builder other than BuildKit, if something does.
    pub sign: Option<Sign>,
    /// For each manager whose cache holds binaries: the distributions that its RUNs build on.
    pub distributions: Arc<BTreeMap<&'static str, BTreeSet<String>>>,
    /// Which file builds which image.
    pub graph: Arc<Graph>,
    /// Its files.
    pub tree: Tree,
    /// Python files of it that were read.
    pub units: Units,
    /// What its services load, as far as a file asked for it.
    pub known_models: known_models::KnownModels,
    /// Where its files speak of build arguments.
    pub passing: Passing,
    /// Stage names that compose files and scripts build by name.
    pub targets: Arc<BTreeSet<String>>,
}

impl Project {
    /// The builder that the changes are for: from restow.toml, else from the signs, else BuildKit.
    pub fn builder(&self) -> Builder {
        self.settings.builder.or(self.sign.as_ref().map(|sign| sign.builder)).unwrap_or(Builder::Buildkit)
    }

    /// Why the builder is not BuildKit, as a reason; `None` if it is.
    pub fn builder_reason(&self) -> Option<String> {
        match (self.settings.builder, &self.sign) {
            (Some(Builder::Buildkit), _) | (None, None) => None,
            (Some(builder), _) => Some(format!("restow.toml says builder = \"{}\"", builder.name())),
            (None, Some(sign)) => Some(format!(
                "{} speaks for {} (set builder in restow.toml if the image is built with BuildKit)",
                sign.place,
                sign.builder.name()
            )),
        }
    }

    /// Adds what one Dockerfile of the repository contributes: by a plain search of its RUNs, which may see a manager too many and
    /// then only costs an id.
    pub fn note(&mut self, text: &str, file: &Dockerfile) {
        let knowledge = &self.settings.knowledge;
        let binary = |manager: &&'static managers::Manager| manager.binaries && !manager.system;
        if !knowledge.named(text).iter().any(binary) {
            return;
        }
        let facts = Facts::new(text, file, knowledge, &Scripts::none());
        let mut found = Vec::new();
        for run in &facts.runs {
            for manager in knowledge.named(&run.text.text).iter().filter(|manager| binary(manager)) {
                if managers::mentions(&run.text.text, manager) {
                    found.push((manager.id, distribution(&facts, run.stage).unwrap_or_else(|| "unknown".to_owned())));
                }
            }
        }
        let distributions = Arc::make_mut(&mut self.distributions);
        for (manager, distribution) in found {
            distributions.entry(manager).or_default().insert(distribution);
        }
    }

    /// Whether the manager's RUNs of this repository build on more than one distribution or C library.
    pub fn is_mixed(&self, manager: &str) -> bool {
        self.distributions.get(manager).is_some_and(|seen| seen.len() > 1)
    }
}

/// The distribution of a stage as a part of a mount id: family and, where the tag tells it, release.
pub fn distribution(facts: &Facts<'_>, stage: usize) -> Option<String> {
    let image = facts.image(stage)?;
    let known = image.known.as_ref().and_then(|known| known.distribution.as_ref());
    match known {
        Some(distribution) => {
            let family = distribution.family.name();
            Some(match &distribution.release {
                Some(release) => format!("{family}-{release}"),
                None => family.to_owned(),
            })
        }
        None if image.reference.contains('$') => None,
        None => Some(images::id_part(&image.reference)),
    }
}
