//! Signs in a repository that its images are not built by BuildKit.

use std::path::Path;

/// Who builds the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Builder {
    Buildkit,
    Podman,
    /// Docker's builder before BuildKit: refuses `--mount`.
    Classic,
    /// Ignores `--mount`, so that a cache would land in the layer.
    Kaniko,
    /// Refuses a cache mount whose id does not start with the service's.
    Railway,
}

impl Builder {
    pub fn name(self) -> &'static str {
        match self {
            Builder::Buildkit => "buildkit",
            Builder::Podman => "podman",
            Builder::Classic => "classic",
            Builder::Kaniko => "kaniko",
            Builder::Railway => "railway",
        }
    }
}

/// Something that speaks for a builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    pub builder: Builder,
    /// `path:line`.
    pub place: String,
}

/// Files at the root that say how images are built.
const FILES: &[&str] = &[
    "railway.toml",
    "railway.json",
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    "cloudbuild.yaml",
    "cloudbuild.yml",
    "Jenkinsfile",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    ".circleci/config.yml",
    ".travis.yml",
    "Makefile",
    "makefile",
    "Taskfile.yml",
    "justfile",
    ".env",
    "skaffold.yaml",
    ".drone.yml",
    ".woodpecker.yml",
];
/// Larger files are no build configuration, in bytes.
const LARGEST: u64 = 1 << 20;

/// The first sign at the root of a repository.
pub fn find(root: &Path) -> Option<Sign> {
    let workflows = std::fs::read_dir(root.join(".github/workflows")).into_iter().flatten().flatten();
    let mut workflows: Vec<String> = workflows
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
        .map(|name| format!(".github/workflows/{name}"))
        .collect();
    workflows.sort();
    let names = FILES.iter().map(|name| (*name).to_owned()).chain(workflows);
    names.filter_map(|name| read(root, &name).and_then(|text| sign(&name, &text))).next()
}

/// Whether a file, by its path, may hold commands that build and push images.
pub fn may_push(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let named =
        FILES.iter().any(|file| *file == path || *file == name) && !name.starts_with("railway.") && name != ".env";
    named || name.ends_with(".sh") || name.ends_with(".mk") || name == "package.json"
}

/// Folders beside the root in which such files stand.
const SCRIPT_FOLDERS: [&str; 13] =
    ["", ".ci", "bin", "build", "ci", "deploy", "docker", "hack", "infra", "infra/ci", "ops", "scripts", "tools"];

/// Files that may hold commands that build and push images, by their path below the root, with their text.
pub fn scripts(root: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for folder in SCRIPT_FOLDERS {
        let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        for name in names.filter(|name| may_push(name)) {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            found.extend(read(root, &path).filter(|text| text.contains("docker")).map(|text| (path, text)));
        }
    }
    let environment = read(root, ".env").filter(|text| text.contains("COMPOSE_FILE="));
    found.extend(environment.map(|text| (".env".to_owned(), text)));
    found.extend(read(root, ".circleci/config.yml").map(|text| (".circleci/config.yml".to_owned(), text)));
    found.sort();
    found
}

/// The text of a build file, if it is there.
pub fn read(root: &Path, name: &str) -> Option<String> {
    let path = root.join(name);
    let meta = std::fs::metadata(&path).ok().filter(|meta| meta.is_file() && meta.len() <= LARGEST);
    meta.and_then(|_| std::fs::read_to_string(path).ok())
}

fn sign(name: &str, text: &str) -> Option<Sign> {
    if name.starts_with("railway.") {
        // A railway.toml that names another builder than Dockerfiles does not build them.
        return Some(Sign { builder: Builder::Railway, place: format!("{name}:1") });
    }
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim();
        if bare.starts_with('#') || bare.starts_with("//") {
            continue;
        }
        let builder = if bare.contains("kaniko-project/executor") || bare.contains("kaniko/executor") {
            Builder::Kaniko
        } else if is_buildkit_off(bare) || is_before_buildkit(bare) && !text.contains("COMPOSE_DOCKER_CLI_BUILD") {
            Builder::Classic
        } else {
            continue;
        };
        return Some(Sign { builder, place: format!("{name}:{}", index + 1) });
    }
    None
}

/// Programs that build without BuildKit: Compose 1, and version 1 of docker/build-push-action.
fn is_before_buildkit(line: &str) -> bool {
    let compose = ["docker/compose:1.", "docker-compose==1.", "compose/releases/download/1."];
    let action = line.split("docker/build-push-action@v1").nth(1);
    compose.iter().any(|word| line.contains(word))
        || action.is_some_and(|rest| !rest.starts_with(|ch: char| ch.is_ascii_digit()))
}

/// `DOCKER_BUILDKIT=0`, `DOCKER_BUILDKIT: "0"`, `DOCKER_BUILDKIT: 'false'`.
fn is_buildkit_off(line: &str) -> bool {
    let Some((_, rest)) = line.split_once("DOCKER_BUILDKIT") else { return false };
    let value = rest.trim_start_matches([' ', ':', '=', '?', '"', '\'', '\t']);
    let word: String = value.chars().take_while(|ch| ch.is_ascii_alphanumeric()).collect();
    rest.trim_start().starts_with([':', '=', '?']) && matches!(word.as_str(), "0" | "false")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_are_read_from_build_files() {
        let found = |name, text| sign(name, text).map(|sign| (sign.builder, sign.place));
        assert_eq!(
            found(".gitlab-ci.yml", "a:\n  image: gcr.io/kaniko-project/executor:debug\n"),
            Some((Builder::Kaniko, ".gitlab-ci.yml:2".to_owned()))
        );
        assert_eq!(
            found("Makefile", "\tDOCKER_BUILDKIT=0 docker build .\n").map(|found| found.0),
            Some(Builder::Classic)
        );
        assert_eq!(found("x.yml", "DOCKER_BUILDKIT: '0'\n").map(|found| found.0), Some(Builder::Classic));
        assert_eq!(found("ci.yml", "image: docker/compose:1.29.2\n").map(|found| found.0), Some(Builder::Classic));
        assert_eq!(
            found("x.yml", "- uses: docker/build-push-action@v1\n").map(|found| found.0),
            Some(Builder::Classic)
        );
        assert_eq!(found("x.yml", "- uses: docker/build-push-action@v10\n"), None);
        assert_eq!(found("x.yml", "DOCKER_BUILDKIT: 1\n# DOCKER_BUILDKIT=0\n"), None);
        assert_eq!(found("railway.toml", ""), Some((Builder::Railway, "railway.toml:1".to_owned())));
    }
}
