//! Which entries a step gets, and what they gain and cost.

use super::scope::Name;
use crate::config::CacheSettings;
use crate::facts::workflow::{Job, Runner};
use crate::project::graph::Graph;

/// What a build reads and writes.
pub struct Entries {
    pub cache_from: String,
    pub cache_to: String,
    /// What people call the place.
    pub place: String,
    pub is_registry: bool,
}

impl Entries {
    pub fn new(name: &Name, settings: &CacheSettings) -> Self {
        match settings.registry(&name.base) {
            Some(registry) => {
                let matrix: String = name.matrix.iter().map(|key| format!("-${{{{ matrix.{key} }}}}")).collect();
                let reference = format!("{registry}/{}:buildcache{matrix}", name.base);
                Self {
                    cache_from: format!("type=registry,ref={reference}"),
                    cache_to: format!("type=registry,ref={reference},mode=max,ignore-error=true"),
                    place: reference,
                    is_registry: true,
                }
            }
            None => {
                let scope = name.scope();
                Self {
                    cache_from: format!("type=gha,scope={scope}"),
                    cache_to: format!("type=gha,scope={scope},mode=max,ignore-error=true"),
                    place: scope,
                    is_registry: false,
                }
            }
        }
    }

    pub fn title(&self, step: &str) -> String {
        match self.is_registry {
            true => format!("Keep the layers of \"{step}\" in {}", self.place),
            false => format!("Keep the layers of \"{step}\" in the Actions cache, scope {}", self.place),
        }
    }
}

/// What a job gains, and what it does not.
pub fn reason(job: &Job, dockerfiles: &[String], is_registry: bool, graph: &Graph) -> String {
    let gain = match job.runner {
        Runner::Hosted => {
            "hosted CI starts with an empty builder in every run and then takes unchanged steps of all stages from there"
        }
        Runner::Kept => {
            "the builder is made for this job and gone after it, kept runner or not, and then takes unchanged steps of all stages from there"
        }
        Runner::Unknown => {
            "a runner that starts with an empty builder (hosted CI) then takes unchanged steps of all stages from there"
        }
    };
    let cost = match is_registry {
        true => {
            "the job must be logged in to that registry before the build; where it may not push (a fork's pull request) `ignore-error=true` keeps the build going"
        }
        false => {
            "the Actions cache holds 10 GB a repository and is kept apart by branch; `ignore-error=true` because a failed export would fail the build"
        }
    };
    let mounted: Vec<&str> = dockerfiles
        .iter()
        .filter(|path| graph.dockerfiles.get(*path).is_some_and(|image| image.cache_mounts))
        .map(String::as_str)
        .collect();
    let mounts = match mounted.is_empty() {
        true => String::new(),
        false => format!(
            "; the cache mounts of {} are exported by no cache and start empty in every hosted run, so layers are all that is kept",
            mounted.join(", ")
        ),
    };
    format!("{gain}; {cost}{mounts}")
}
