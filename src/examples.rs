//! Running a transform's examples, for `explain`, the documentation and the tests.

use std::path::Path;

use crate::config::Config;
use crate::context::Context;
use crate::dockerfile;
use crate::engine::{self, Input, Outcome, Refusal};
use crate::project::Project;
use crate::transform::{Example, Level, Transform};

/// Runs `transforms` over an example, with its files and its restow.toml.
///
/// # Errors
/// A Dockerfile that BuildKit would refuse, and a restow.toml that can't be read.
pub fn run(transforms: &[&dyn Transform], example: &Example, allowed: Level) -> Result<Outcome, Refusal> {
    let path = Path::new("/repository/restow.toml");
    let config = Config::parse(example.config, path, &crate::transforms::ids()).map_err(|error| Refusal {
        line: error.line,
        column: error.column,
        message: error.message,
    })?;
    let settings = config.settings(Path::new("/repository/Dockerfile"));
    let mut project = Project { settings, ..Project::default() };
    for (name, text) in example.files.iter().copied().chain([("Dockerfile", example.before)]) {
        if crate::discover::kind_of(Path::new(name)) == Some(crate::transform::Kind::Dockerfile)
            && let Ok(file) = dockerfile::read(text)
        {
            project.note(text, &file);
        }
    }
    let context = Context::memory(example.files);
    let file = engine::read_dockerfile(example.before)?;
    let input = Input { path: "Dockerfile", text: example.before, file: &file, context: &context, project: &project };
    Ok(engine::rewrite(&input, transforms, allowed))
}
