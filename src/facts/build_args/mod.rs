//! Build arguments whose value changes with every commit, build or date, and which steps can't tell one value from another.

mod copied;
mod fetches;
mod installs;
mod past;
mod pip;
mod programs;

pub use copied::{Copied, brings_sources};
pub use past::{Past, past};

/// Names whose value changes with every commit, build or date, and that no dependency install is known to read. Not here: what tools
/// read (SOURCE_DATE_EPOCH, VERSION, BUILD_VERSION), what is meant to repeat steps (CACHEBUST), and what pins sources of others.
///
/// Source: the predefined variables of Jenkins, GitLab CI, GitHub Actions, CircleCI and Azure Pipelines; the label-schema and OCI
/// image annotations' usual arguments (VCS_REF, BUILD_DATE, REVISION).
const PER_COMMIT: &[&str] = &[
    "BUILDDATE",
    "BUILDNUMBER",
    "BUILDTIME",
    "BUILD_AT",
    "BUILD_BUILDID",
    "BUILD_BUILDNUMBER",
    "BUILD_COMMIT",
    "BUILD_COMMIT_HASH",
    "BUILD_COMMIT_SHA",
    "BUILD_DATE",
    "BUILD_DATETIME",
    "BUILD_EPOCH",
    "BUILD_GIT_COMMIT",
    "BUILD_GIT_SHA",
    "BUILD_HASH",
    "BUILD_ID",
    "BUILD_NO",
    "BUILD_NUM",
    "BUILD_NUMBER",
    "BUILD_REF",
    "BUILD_REVISION",
    "BUILD_SHA",
    "BUILD_SOURCEVERSION",
    "BUILD_STAMP",
    "BUILD_TAG",
    "BUILD_TIME",
    "BUILD_TIMESTAMP",
    "BUILD_TS",
    "BUILD_URL",
    "BUILT_AT",
    "CIRCLE_SHA1",
    "CI_BUILD_ID",
    "CI_BUILD_NUMBER",
    "CI_COMMIT_SHA",
    "CI_COMMIT_SHORT_SHA",
    "CI_COMMIT_TIMESTAMP",
    "CI_JOB_ID",
    "CI_PIPELINE_ID",
    "COMMIT",
    "COMMITHASH",
    "COMMITSHA",
    "COMMIT_DATE",
    "COMMIT_HASH",
    "COMMIT_ID",
    "COMMIT_MESSAGE",
    "COMMIT_SHA",
    "COMMIT_SHORT_SHA",
    "COMMIT_TIME",
    "COMMIT_TIMESTAMP",
    "DD_GIT_COMMIT_SHA",
    "DRONE_COMMIT_SHA",
    "GITCOMMIT",
    "GITHASH",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_SHA",
    "GITSHA",
    "GIT_COMMIT",
    "GIT_COMMIT_DATE",
    "GIT_COMMIT_HASH",
    "GIT_COMMIT_ID",
    "GIT_COMMIT_REV",
    "GIT_COMMIT_SHA",
    "GIT_COMMIT_SHORT",
    "GIT_COMMIT_TIME",
    "GIT_DESCRIBE",
    "GIT_HASH",
    "GIT_HEAD",
    "GIT_REV",
    "GIT_REVISION",
    "GIT_SHA",
    "GIT_SHA1",
    "GIT_SHORT_HASH",
    "GIT_SHORT_SHA",
    "HEROKU_SLUG_COMMIT",
    "IMAGE_CREATED",
    "LAST_COMMIT",
    "RELEASE_SHA",
    "RENDER_GIT_COMMIT",
    "REVISION",
    "RUN_ID",
    "SHORT_COMMIT",
    "SHORT_SHA",
    "SOURCE_COMMIT",
    "SOURCE_REVISION",
    "SOURCE_SHA",
    "VCS_COMMIT",
    "VCS_REF",
    "VCS_REVISION",
    "VCS_SHA",
    "VCS_TIMESTAMP",
    "VERCEL_GIT_COMMIT_SHA",
];

/// What a project puts in front of such a name.
const PREFIXES: &[&str] = &["APP_", "DOCKER_", "IMAGE_", "PROJECT_", "SERVICE_"];

/// Names whose value often changes with every commit, and as often names a branch, a release or what is built of others.
const PERHAPS: &[&str] = &[
    "COMMIT_REF",
    "CREATED",
    "GIT_REF",
    "GIT_TAG",
    "GIT_VERSION",
    "RELEASE",
    "SENTRY_RELEASE",
    "SHA",
    "SHA1",
    "TIMESTAMP",
];

/// Names that package managers for JavaScript take for a sign of CI, where pnpm and yarn then refuse to change the lock file.
///
/// Source: ci-info `index.js`, isCI; pnpm docs on `--frozen-lockfile`, yarn docs on `enableImmutableInstalls`.
const SIGNS_OF_CI: &[&str] = &["BUILD_ID", "BUILD_NUMBER", "CI_BUILD_ID", "CI_BUILD_NUMBER", "RUN_ID"];

/// Names of an image's environment that are read when it runs: by the application, and by what watches over it.
const AT_RUN_TIME: &[&str] = &[
    "APP_RELEASE",
    "APP_VERSION",
    "DD_GIT_COMMIT_SHA",
    "DD_GIT_REPOSITORY_URL",
    "DD_VERSION",
    "OTEL_RESOURCE_ATTRIBUTES",
    "SENTRY_RELEASE",
    "SERVICE_VERSION",
];

/// Variables of installers, compilers and the system; a name that ends in `_` stands for all that start with it.
const OF_INSTALLS: &[&str] = &[
    "APT_",
    "BASH_ENV",
    "BUNDLE_",
    "BUN_",
    "CARGO_",
    "CC",
    "CFLAGS",
    "CGO_",
    "CI",
    "CMAKE_",
    "COMPOSER_",
    "CONDA_",
    "CXX",
    "CXXFLAGS",
    "DEBIAN_",
    "DOTNET_",
    "GEM_",
    "GO",
    "GOFLAGS",
    "GOPROXY",
    "GRADLE_",
    "HATCH_",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "JAVA_",
    "LANG",
    "LC_",
    "LDFLAGS",
    "LD_",
    "MAKEFLAGS",
    "MAVEN_",
    "NODE_",
    "NO_PROXY",
    "NPM_",
    "NUGET_",
    "PATH",
    "PBR_",
    "PDM_",
    "PHP_",
    "PIPENV_",
    "PIP_",
    "PNPM_",
    "POETRY_",
    "PYTHON",
    "PYTHONPATH",
    "RUBY",
    "RUST",
    "SETUPTOOLS_",
    "SOURCE_DATE_EPOCH",
    "UV_",
    "VERSIONEER_",
    "YARN_",
];

/// Whether the value of a build argument changes with every commit or build. `more` are names that restow.toml adds.
pub fn is_per_commit(name: &str, more: &[String]) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_known = |name: &str| PER_COMMIT.binary_search(&name).is_ok();
    let bare = PREFIXES.iter().find_map(|prefix| upper.strip_prefix(prefix));
    is_known(&upper) || bare.is_some_and(is_known) || more.iter().any(|known| known == name)
}

/// Whether a name looks like one whose value changes with every commit, although no list has it.
pub fn looks_per_commit(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_known = |name: &str| PERHAPS.contains(&name);
    let bare = PREFIXES.iter().find_map(|prefix| upper.strip_prefix(prefix));
    ends_in_known_name(&upper) || is_known(&upper) || bare.is_some_and(is_known)
}

fn ends_in_known_name(upper: &str) -> bool {
    PER_COMMIT
        .iter()
        .any(|known| known.contains('_') && upper.strip_suffix(known).is_some_and(|rest| rest.ends_with('_')))
}

/// Whether package managers for JavaScript take the variable for a sign of CI.
pub fn is_sign_of_ci(name: &str) -> bool {
    SIGNS_OF_CI.contains(&name)
}

/// Who reads a variable while an image is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// No install; only the project's own steps and what the image runs.
    Project,
    /// No list has it.
    Unknown,
    /// Installers, compilers, the system.
    Installs,
}

/// Who reads the variable `name`.
pub fn read_by(name: &str, more: &[String]) -> ReadBy {
    let upper = name.to_ascii_uppercase();
    if is_per_commit(name, more) || AT_RUN_TIME.contains(&upper.as_str()) {
        return ReadBy::Project;
    }
    if OF_INSTALLS.iter().any(|known| upper == **known || known.ends_with('_') && upper.starts_with(*known)) {
        return ReadBy::Installs;
    }
    if ends_in_known_name(&upper) { ReadBy::Project } else { ReadBy::Unknown }
}

/// Whether `name` stands in `text` as a word of its own.
pub fn mentions(text: &str, name: &str) -> bool {
    let is_part = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

/// The variables that a Dockerfile word reads: the names behind `$` and `${`. One too many where a quote keeps it from being read.
pub fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('$') {
        let rest = text[at + 1..].trim_start_matches('{');
        let len = rest.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).unwrap_or(rest.len());
        if len > 0 {
            found.push(&rest[..len]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_nothing_that_installs_read() {
        assert!(PER_COMMIT.is_sorted());
        for name in PER_COMMIT {
            assert_eq!(read_by(name, &[]), ReadBy::Project, "{name}");
        }
        for name in [
            "SOURCE_DATE_EPOCH",
            "VERSION",
            "BUILD_VERSION",
            "CACHEBUST",
            "CACHE_DATE",
            "SETUPTOOLS_SCM_PRETEND_VERSION",
        ] {
            assert!(!is_per_commit(name, &[]), "{name}");
        }
    }

    #[test]
    fn names_are_known_in_any_case_with_a_prefix_and_from_restow_toml() {
        assert!(is_per_commit("git_sha", &[]) && is_per_commit("APP_GIT_SHA", &[]));
        assert!(!is_per_commit("MY_SHA", &[]) && is_per_commit("MY_SHA", &["MY_SHA".to_owned()]));
        assert!(
            looks_per_commit("NEXT_PUBLIC_GIT_SHA") && looks_per_commit("app_sha") && !looks_per_commit("GIT_SHA_URL")
        );
    }

    #[test]
    fn who_reads_a_variable_is_told_by_its_name() {
        assert_eq!(read_by("NEXT_PUBLIC_GIT_SHA", &[]), ReadBy::Project);
        assert_eq!(read_by("npm_config_x", &[]), ReadBy::Installs);
        assert_eq!(read_by("PATH", &[]), ReadBy::Installs);
        assert_eq!(read_by("VERSION", &[]), ReadBy::Unknown);
    }

    #[test]
    fn names_are_words_of_their_own() {
        assert!(mentions("echo ${GIT_SHA:-x}", "GIT_SHA") && mentions("GIT_SHA", "GIT_SHA"));
        assert!(!mentions("$MY_GIT_SHA $GIT_SHA1", "GIT_SHA"));
        assert_eq!(variables("a$B-${C:-$D}"), ["B", "C", "D"]);
    }
}
