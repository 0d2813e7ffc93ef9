//! What services load, looked for once: a file is looked at anew after each of its changes, and its Dockerfiles stay as they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Project;
use super::models::ServiceModels;
use crate::facts::Facts;

/// Services by the path and the text of their Dockerfile. A copy starts empty, because it may go with other settings.
#[derive(Debug, Default)]
pub struct KnownModels(Mutex<HashMap<(String, String), Services>>);

type Services = Arc<Vec<ServiceModels>>;

impl Clone for KnownModels {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Project {
    /// As [`Project::models`]; nothing where the build contexts can't be told.
    pub fn known_models(&self, path: &str, facts: &Facts<'_>) -> Services {
        let lock = || self.known_models.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (path.to_owned(), facts.text.to_owned());
        if let Some(known) = lock().get(&key) {
            return Arc::clone(known);
        }
        let services = Arc::new(self.models(path, facts).unwrap_or_default());
        lock().insert(key, Arc::clone(&services));
        services
    }
}
