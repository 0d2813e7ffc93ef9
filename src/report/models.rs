//! `restow models`: which models the services load, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::ErrorReport;
use super::services::field;
use crate::facts::models::Given;

/// A service and the models that it loads.
#[derive(Debug, Serialize)]
pub struct Service {
    pub dockerfile: String,
    pub context: String,
    /// The compose service; none where no compose file builds the image.
    pub service: Option<String>,
    pub models: Vec<Model>,
    /// Encodings of tiktoken: fetched at run time as models are, of some megabytes.
    pub vocabularies: Vec<Model>,
    pub unresolved: Vec<Unresolved>,
}

#[derive(Debug, Serialize)]
pub struct Model {
    /// The dotted name of what loads it.
    pub library: String,
    pub id: String,
    pub revision: Option<String>,
    /// Where the id is written.
    pub path: String,
    pub line: usize,
    pub given: Given,
    pub in_image: bool,
    /// Why it is in the image, or why not.
    pub reason: String,
}

/// A load whose model can't be told.
#[derive(Debug, Serialize)]
pub struct Unresolved {
    pub library: String,
    pub path: String,
    pub line: usize,
    pub reason: String,
}

/// A block per service that loads something.
pub fn text(services: &[Service]) -> String {
    let mut out = String::new();
    for service in services {
        if service.models.is_empty() && service.vocabularies.is_empty() && service.unresolved.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = match &service.service {
            Some(name) => writeln!(out, "{name}  {}", service.dockerfile),
            None => writeln!(out, "{}", service.dockerfile),
        };
        for (name, models) in [("model", &service.models), ("vocabulary", &service.vocabularies)] {
            for model in models {
                let revision = model.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
                let state = if model.in_image { "in the image" } else { "not in the image" };
                field(name, &format!("{}{revision}", model.id), &mut out);
                field(
                    "",
                    &format!("{} ({}:{}, {})", model.library, model.path, model.line, words(model.given)),
                    &mut out,
                );
                field("", &format!("{state}: {}", model.reason), &mut out);
            }
        }
        for unresolved in &service.unresolved {
            let place = format!("{} ({}:{})", unresolved.library, unresolved.path, unresolved.line);
            field("unresolved", &format!("{place}: {}", unresolved.reason), &mut out);
        }
    }
    out
}

/// How an id is given, in words.
pub fn words(given: Given) -> &'static str {
    match given {
        Given::Literal => "written in the call",
        Given::Constant => "a constant",
        Given::DefaultArgument => "a default argument",
        Given::LibraryDefault => "the default of the library",
        Given::DataclassDefault => "the default of a data class",
        Given::SettingsDefault => "the default of a setting",
        Given::CommandLineDefault => "the default of an argument of the command line",
        Given::EnvironmentDefault => "the default of an environment variable",
        Given::ConfigurationFile => "a configuration file",
        Given::CommandLine => "an argument of the command line",
        Given::EnvFile => "an environment file",
        Given::DockerfileEnv => "ENV",
        Given::ComposeEnvironment => "the environment of the compose service",
    }
}

/// The JSON text.
///
/// # Errors
/// JSON that can't be made.
pub fn json(services: &[Service], errors: &[ErrorReport]) -> serde_json::Result<String> {
    super::json::services(services, errors)
}
