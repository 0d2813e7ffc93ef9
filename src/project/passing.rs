//! Files of a repository that speak of build arguments in whatever language: hooks, pipelines, task runners, documentation.

use std::sync::{Arc, OnceLock};

use crate::context::Tree;
use crate::facts::build_args::mentions;

/// Larger files configure no builds, in bytes.
const LARGEST: u64 = 128 << 10;
/// How many lines above and below a word for build arguments belong to it.
const ABOVE: usize = 6;
const BELOW: usize = 12;
/// Such words, in lower case: of the command, of pipelines and task runners, of fly.toml and Docker's libraries.
const WORDS: [&str; 4] = ["build-arg", "build_arg", "buildarg", "build.arg"];

/// The lines around every word for build arguments, by the path of the file. Read when they are first asked for, once.
#[derive(Debug, Clone, Default)]
pub struct Passing(Arc<OnceLock<Vec<(String, String)>>>);

impl Passing {
    /// Whether a file speaks of passing the build argument `name` to the Dockerfile at `path`.
    pub fn names(&self, tree: &Tree, path: &str, name: &str) -> bool {
        let known = self.0.get_or_init(|| {
            let texts = tree.texts(LARGEST);
            texts.into_iter().filter_map(|(path, text)| around(&path, &text).map(|lines| (path, lines))).collect()
        });
        known.iter().any(|(file, lines)| (file == path || !is_dockerfile(file)) && mentions(lines, name))
    }
}

fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.contains("dockerfile") || name.contains("containerfile")
}

fn around(path: &str, text: &str) -> Option<String> {
    let has_word = |line: &str| {
        let line = line.to_ascii_lowercase();
        WORDS.iter().any(|word| line.contains(word))
    };
    // What restow.toml says of build arguments gives them no value.
    if path.rsplit('/').next() == Some("restow.toml") || !has_word(text) {
        return None;
    }
    // A Dockerfile declares them; how it is built stands in its comments.
    let in_comments = is_dockerfile(path);
    let lines: Vec<&str> = text.lines().filter(|line| !in_comments || line.trim_start().starts_with('#')).collect();
    let mut found = String::new();
    let mut taken = 0;
    for at in (0..lines.len()).filter(|at| has_word(lines[*at])) {
        let end = (at + BELOW + 1).min(lines.len());
        for line in lines.get(at.saturating_sub(ABOVE).max(taken)..end).into_iter().flatten() {
            found.push_str(line);
            found.push('\n');
        }
        taken = end;
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_file_may_pass_a_build_argument() {
        for (path, text) in [
            ("hooks/build", "#!/bin/sh\ndocker build --build-arg GIT_SHA=$SOURCE_COMMIT .\n"),
            ("azure-pipelines.yml", "    arguments: --build-arg GIT_SHA=$(Build.SourceVersion)\n"),
            ("skaffold.yaml", "docker:\n  buildArgs:\n    GIT_SHA: '{{.COMMIT}}'\n"),
            (".drone.yml", "settings:\n  build_args:\n  - GIT_SHA=$DRONE_COMMIT\n"),
            ("fly.toml", "[build.args]\n  GIT_SHA = \"x\"\n"),
            ("tasks.py", "client.images.build(\n    path='.',\n    buildargs={'GIT_SHA': sha},\n)\n"),
            ("pom.xml", "<buildArgs>\n<GIT_SHA>${sha}</GIT_SHA>\n</buildArgs>\n"),
            ("web/Dockerfile", "# docker build --build-arg GIT_SHA=$(git rev-parse HEAD) .\nFROM x\nARG GIT_SHA\n"),
        ] {
            let names = |name| Passing::default().names(&Tree::memory(&[(path, text)]), "web/Dockerfile", name);
            assert!(names("GIT_SHA") && !names("SHA"), "{path}");
        }
        for (path, text) in [
            ("other/Dockerfile", "# docker build --build-arg GIT_SHA=x .\nFROM x\n"),
            ("web/Dockerfile", "FROM x\n# build-args\nARG GIT_SHA\n"),
            ("restow.toml", "[build-args]\nper-commit = [\"GIT_SHA\"]\n"),
            ("ci.py", &format!("x = '--build-arg'\n{}GIT_SHA = 1\n", "\n".repeat(40))),
        ] {
            assert!(!Passing::default().names(&Tree::memory(&[(path, text)]), "web/Dockerfile", "GIT_SHA"), "{path}");
        }
    }
}
