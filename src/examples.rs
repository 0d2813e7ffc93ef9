//! Running a transform's examples, for `explain`, the documentation and the tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::context::{Context, Tree};
use crate::discover::kind_of;
use crate::dockerfile;
use crate::engine::{self, Input, Outcome, Parsed, Refusal};
use crate::project::graph::{Graph, Image, Source};
use crate::project::{Project, signs};
use crate::text::LineIndex;
use crate::transform::{Example, Kind, Level, Transform};

/// Runs `transforms` over an example, with its files and its restow.toml.
///
/// # Errors
/// A file that can't be read, and a restow.toml that can't be.
pub fn run(transforms: &[&dyn Transform], example: &Example, allowed: Level) -> Result<Outcome, Refusal> {
    let path = Path::new("/repository/restow.toml");
    let config = Config::parse(example.config, path, &crate::transforms::ids()).map_err(|error| Refusal {
        line: error.line,
        column: error.column,
        message: error.message,
    })?;
    let settings = config.settings(&Path::new("/repository").join(example.path));
    let mut project = Project { settings, ..Project::default() };
    let files = || example.files.iter().copied().chain([(example.path, example.before)]);
    let (mut composes, mut bakes, mut workflows) = (Vec::new(), Vec::new(), Vec::new());
    let mut dockerfiles = BTreeMap::new();
    let mut scripts = Vec::new();
    for (name, text) in files() {
        let Some(kind) = kind_of(Path::new(name)) else {
            if signs::may_push(name) {
                scripts.push((name.to_owned(), text.to_owned()));
            }
            continue;
        };
        if kind == Kind::Dockerfile {
            if let Ok(file) = dockerfile::read(text) {
                project.note(text, &file);
                dockerfiles.insert(name.to_owned(), Image::new(&file));
            }
            continue;
        }
        let (path, lines) = (name.to_owned(), LineIndex::new(text));
        match engine::read(kind, text) {
            Ok(Parsed::Compose(_, file)) => composes.push(Source { path, lines, file }),
            Ok(Parsed::Bake(file)) => bakes.push(Source { path, lines, file }),
            Ok(Parsed::Workflow(_, file)) => workflows.push(Source { path, lines, file }),
            _ => {}
        }
    }
    let exists = |path: &str| files().any(|(name, _)| name == path || name.starts_with(&format!("{path}/")));
    project.graph = Arc::new(Graph::new(composes, bakes, workflows, dockerfiles, &scripts, Some(&exists)));
    project.settings.knowledge.replaced = project.graph.replaced(example.path).to_vec();
    let everything: Vec<(&str, &str)> = files().collect();
    project.tree = Tree::memory(&everything);
    let context = Context::memory(example.files);
    let kind = kind_of(Path::new(example.path)).unwrap_or(Kind::Dockerfile);
    let file = engine::read(kind, example.before)?;
    let input = Input { path: example.path, text: example.before, file: &file, context: &context, project: &project };
    Ok(engine::rewrite(&input, transforms, allowed))
}
