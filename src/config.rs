//! restow.toml: the one schema, and the settings that it gives a file.

use std::path::{Path, PathBuf};

use ignore::overrides::{Override, OverrideBuilder};
use serde::Deserialize;

use crate::facts::Knowledge;
use crate::facts::bases::{Distribution, Family};
use crate::facts::images::KnownBase;
use crate::facts::managers::{Directory, EnvOverride, Manager, Sharing, Verb};
use crate::facts::users::User;
use crate::project::Builder;

/// The file's name.
pub const NAME: &str = "restow.toml";

/// One key of the schema, for docs/config.md.
pub struct Field {
    pub key: &'static str,
    pub values: &'static str,
    pub default: &'static str,
    pub text: &'static str,
}

const fn field(key: &'static str, values: &'static str, default: &'static str, text: &'static str) -> Field {
    Field { key, values, default, text }
}

/// Every key that restow.toml may hold.
pub const FIELDS: &[Field] = &[
    field("only", "list of transform ids", "all", "Run these transforms and no others. `--only` wins."),
    field("except", "list of transform ids", "none", "Leave these transforms out. `--except` adds to it."),
    field("review", "true or false", "false", "Include changes of level review, like `--review`."),
    field(
        "dockerfiles",
        "list of globs",
        "none",
        "More files to read as Dockerfiles, like `--dockerfile`; relative to restow.toml.",
    ),
    field(
        "builder",
        "\"buildkit\", \"podman\", \"classic\", \"kaniko\", \"railway\"",
        "by signs in the repository, else buildkit",
        "Who builds the images. classic and kaniko get no cache mounts: the one refuses them, the other ignores them, so that caches would land in layers. railway needs `cache.id-prefix`. podman gets none for users other than root, because it makes parent folders of a mount private to root.",
    ),
    field(
        "cache.id",
        "\"auto\" or \"always\"",
        "\"auto\"",
        "Whether a cache mount gets an `id=` only where sharing its default one would be wrong, or always.",
    ),
    field(
        "cache.id-prefix",
        "text",
        "none",
        "Put in front of every id that restow writes; Railway wants `s/<service id>-`.",
    ),
    field(
        "cache.keep-packages",
        "true or false",
        "false",
        "Let dnf and yum keep downloaded packages in the mount (`--setopt=keepcache=1`), not only repository metadata.",
    ),
    field(
        "cache.mode",
        "\"inline\", \"registry\", \"local\", \"classic\", \"off\"",
        "\"registry\" if cache.registry is set, else \"inline\"",
        "What add-cache-from writes into compose and bake files; see docs/transforms.md. `--cache-mode` wins.",
    ),
    field(
        "cache.registry",
        "registry and path, such as \"ghcr.io/acme/cache\"",
        "none",
        "Where caches are pushed: add-cache-from and add-ci-cache then use REGISTRY/SERVICE:buildcache. The registry must be one that your builds are logged in to.",
    ),
    field(
        "cache.directory",
        "absolute path",
        "\"/tmp/.buildx-cache\"",
        "The folder of the caches of mode local, outside of every build context.",
    ),
    field(
        "cache.service",
        "list of tables: name, mode, registry",
        "none",
        "`[[cache.service]]`: mode and registry for the services and bake targets of that name.",
    ),
    field(
        "build-args.per-commit",
        "list of names",
        "none",
        "Build arguments whose value changes with every commit or build and that no dependency install reads; sink-build-args moves them like the ones that it knows.",
    ),
    field(
        "models.offline",
        "true or false",
        "false",
        "Let add-model-stage set HF_HUB_OFFLINE=1 where every model that a service loads is in its image.",
    ),
    field(
        "models.override",
        "path of a compose file",
        "the override file that Compose loads by itself",
        "The compose file that add-model-volume writes volumes for development into, such as \"compose.dev.yml\"; relative to the folder of the compose file that it goes on top of, and made where it is missing.",
    ),
    field(
        "override.files",
        "list of globs",
        "required",
        "`[[override]]`: the files, relative to restow.toml, for which the keys beside it replace those above.",
    ),
    field("override.only", "list of transform ids", "", "As `only`."),
    field("override.except", "list of transform ids", "", "As `except`."),
    field("override.review", "true or false", "", "As `review`."),
    field("override.builder", "as builder", "", "As `builder`."),
    field("override.cache-mode", "as cache.mode", "", "As `cache.mode`."),
    field("override.cache-registry", "as cache.registry", "", "As `cache.registry`."),
    field(
        "base.image",
        "glob",
        "required",
        "`[[base]]`: an image that you vouch for; matched with and without its tag. Changes that depend on user, home or distribution can then be safe on it.",
    ),
    field("base.user", "name", "\"root\"", "The user that a RUN has behind FROM."),
    field("base.uid", "number", "0 for root, else unknown", "Its uid."),
    field("base.gid", "number", "the uid", "Its gid."),
    field("base.home", "absolute path", "/root for root, else unknown", "Its home."),
    field(
        "base.distribution",
        "\"debian\", \"ubuntu\", \"alpine\", \"fedora\", \"redhat\", \"amazon\", \"suse\"",
        "unknown",
        "The distribution family. For Debian and Ubuntu you also vouch for /etc/apt/apt.conf.d/docker-clean.",
    ),
    field("base.release", "text", "unknown", "The release, as part of mount ids."),
    field(
        "base.env",
        "table",
        "none",
        "Variables that the image sets and that move caches (HOME, PIP_CACHE_DIR, ...).",
    ),
    field(
        "manager.id",
        "name",
        "required",
        "`[[manager]]`: a package manager beside the table; its changes are always of level review.",
    ),
    field("manager.programs", "list of names", "required", "What its program is called."),
    field("manager.install", "list of command words", "required", "Its commands that download."),
    field("manager.clean", "list of command words", "none", "Its commands that empty the cache."),
    field("manager.cache", "path", "required", "Its cache directory; `~` is the home of the user."),
    field("manager.cache-env", "list of variables", "none", "Variables that move the directory."),
    field("manager.no-cache", "list of flags", "none", "Flags that switch the cache off."),
    field("manager.offline", "list of flags", "none", "Flags with which it must find everything in place."),
    field("manager.sharing", "\"shared\" or \"locked\"", "\"locked\"", "How concurrent builds use the mount."),
];

/// restow.toml as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Schema {
    only: Option<Vec<String>>,
    #[serde(default)]
    except: Vec<String>,
    review: Option<bool>,
    #[serde(default)]
    dockerfiles: Vec<String>,
    builder: Option<Builder>,
    #[serde(default)]
    cache: CacheSchema,
    #[serde(default)]
    build_args: BuildArgsSchema,
    #[serde(default)]
    models: ModelSettings,
    #[serde(default, rename = "override")]
    overrides: Vec<OverrideSchema>,
    #[serde(default, rename = "base")]
    bases: Vec<BaseSchema>,
    #[serde(default, rename = "manager")]
    managers: Vec<ManagerSchema>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CacheSchema {
    #[serde(default)]
    id: Ids,
    #[serde(default)]
    id_prefix: String,
    #[serde(default)]
    keep_packages: bool,
    mode: Option<CacheMode>,
    registry: Option<String>,
    directory: Option<String>,
    #[serde(default, rename = "service")]
    services: Vec<CacheService>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BuildArgsSchema {
    #[serde(default)]
    per_commit: Vec<String>,
}

/// What is known of models that services load.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSettings {
    /// Whether services whose models are all in the image may be told to stay offline.
    #[serde(default)]
    pub offline: bool,
    /// The compose file for development, as written.
    #[serde(rename = "override")]
    pub override_file: Option<String>,
}

/// What add-cache-from writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheMode {
    /// The image carries the metadata of its own layers.
    Inline,
    /// A cache of all stages under a tag of its own.
    Registry,
    /// A cache in a folder of the machine.
    Local,
    /// For the builder before BuildKit.
    Classic,
    Off,
}

impl CacheMode {
    /// All of them, with their names.
    pub const ALL: [(&'static str, CacheMode); 5] = [
        ("inline", CacheMode::Inline),
        ("registry", CacheMode::Registry),
        ("local", CacheMode::Local),
        ("classic", CacheMode::Classic),
        ("off", CacheMode::Off),
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode)
    }
}

/// A row of `[[cache.service]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CacheService {
    pub name: String,
    pub mode: Option<CacheMode>,
    pub registry: Option<String>,
}

/// Where caches go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheSettings {
    /// Of the command line: wins over the rows too.
    pub forced: Option<CacheMode>,
    pub mode: Option<CacheMode>,
    pub registry: Option<String>,
    pub directory: Option<String>,
    pub services: Vec<CacheService>,
}

impl CacheSettings {
    /// The mode for a service.
    pub fn mode(&self, service: &str) -> CacheMode {
        let by_registry = self.registry(service).map(|_| CacheMode::Registry);
        let row = self.services.iter().find(|row| row.name == service).and_then(|row| row.mode);
        self.forced.or(row).or(self.mode).or(by_registry).unwrap_or(CacheMode::Inline)
    }

    /// The registry for a service, without a slash at its end.
    pub fn registry(&self, service: &str) -> Option<&str> {
        let row = self.services.iter().find(|row| row.name == service).and_then(|row| row.registry.as_deref());
        row.or(self.registry.as_deref())
            .map(|registry| registry.trim_end_matches('/'))
            .filter(|registry| !registry.is_empty())
    }

    /// The folder for mode local.
    pub fn directory(&self) -> &str {
        self.directory.as_deref().unwrap_or("/tmp/.buildx-cache").trim_end_matches('/')
    }
}

/// When a mount gets an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ids {
    #[default]
    Auto,
    Always,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OverrideSchema {
    files: Vec<String>,
    only: Option<Vec<String>>,
    except: Option<Vec<String>>,
    review: Option<bool>,
    builder: Option<Builder>,
    cache_mode: Option<CacheMode>,
    cache_registry: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BaseSchema {
    image: String,
    user: Option<String>,
    uid: Option<u32>,
    gid: Option<u32>,
    home: Option<String>,
    distribution: Option<String>,
    release: Option<String>,
    #[serde(default)]
    env: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ManagerSchema {
    id: String,
    programs: Vec<String>,
    install: Vec<String>,
    #[serde(default)]
    clean: Vec<String>,
    cache: String,
    #[serde(default)]
    cache_env: Vec<String>,
    #[serde(default)]
    no_cache: Vec<String>,
    #[serde(default)]
    offline: Vec<String>,
    sharing: Option<String>,
}

/// A restow.toml that was read.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Its folder; globs count from there.
    folder: PathBuf,
    schema: Schema,
    knowledge: Knowledge,
}

/// What holds for one file.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub only: Option<Vec<String>>,
    pub except: Vec<String>,
    pub review: bool,
    pub builder: Option<Builder>,
    pub ids: Ids,
    pub id_prefix: String,
    pub keep_packages: bool,
    pub cache: CacheSettings,
    /// Build arguments whose value changes with every commit or build, beside those that are known.
    pub per_commit: Vec<String>,
    pub models: ModelSettings,
    pub knowledge: Knowledge,
}

/// What is wrong with a restow.toml.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {message}", path.display())]
pub struct ConfigError {
    pub path: PathBuf,
    /// Counted from 1.
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl Config {
    /// Reads the file at `path`; `None` if there is none.
    ///
    /// # Errors
    /// A file that can't be read, and what [`Config::parse`] refuses.
    pub fn read(path: &Path, ids: &[&str]) -> Result<Option<Self>, ConfigError> {
        let fail = |line, column, message| ConfigError { path: path.to_owned(), line, column, message };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(fail(1, 1, error.to_string())),
        };
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(&text, path, ids).map(Some),
            Err(error) => {
                let (line, column) = crate::text::place_of_bad_byte(&error);
                Err(fail(line, column, "not UTF-8; convert the file first".to_owned()))
            }
        }
    }

    /// Reads the text of a restow.toml in `folder`. `ids` are the transforms that exist.
    ///
    /// # Errors
    /// TOML that can't be parsed, unknown keys, values and transform ids.
    pub fn parse(text: &str, path: &Path, ids: &[&str]) -> Result<Self, ConfigError> {
        let fail = |offset: usize, message: String| {
            let (line, column) = crate::text::LineIndex::new(text).line_column(offset.min(text.len()));
            ConfigError { path: path.to_owned(), line, column, message }
        };
        let schema: Schema = toml::from_str(text)
            .map_err(|error| fail(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
        let named = schema.only.iter().flatten().chain(&schema.except);
        let named = named.chain(
            schema.overrides.iter().flat_map(|other| other.only.iter().flatten().chain(other.except.iter().flatten())),
        );
        for id in named {
            if !ids.contains(&id.as_str()) {
                let message = format!("no transform is called {id:?}; there are {}", ids.join(", "));
                return Err(fail(text.find(id.as_str()).unwrap_or(0), message));
            }
        }
        let caches = &schema.cache;
        let registries = caches.registry.iter().chain(caches.services.iter().filter_map(|row| row.registry.as_ref()));
        let registries = registries.chain(schema.overrides.iter().filter_map(|other| other.cache_registry.as_ref()));
        for registry in registries {
            if registry.is_empty() || registry.contains("://") || registry.contains([',', ' ', '"']) {
                let message =
                    format!("{registry:?} is no registry; write a host and a path, such as \"ghcr.io/acme/cache\"");
                return Err(fail(text.find(registry.as_str()).unwrap_or(0), message));
            }
        }
        if let Some(directory) =
            caches.directory.as_ref().filter(|path| !path.starts_with('/') || path.contains([',', ' ']))
        {
            let message = format!("cache.directory {directory:?} must be an absolute path without commas and spaces");
            return Err(fail(text.find(directory.as_str()).unwrap_or(0), message));
        }
        let (mut bases, mut managers) = (Vec::new(), Vec::new());
        for base in &schema.bases {
            let known = known_base(base).map_err(|message| fail(text.find(&base.image).unwrap_or(0), message))?;
            bases.push(known);
        }
        for row in &schema.managers {
            let manager = manager(row).map_err(|message| fail(text.find(&row.id).unwrap_or(0), message))?;
            managers.push(manager);
        }
        let knowledge = if bases.is_empty() && managers.is_empty() {
            Knowledge::default()
        } else {
            Knowledge::new(bases, &managers)
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let config = Self { folder, schema, knowledge };
        for patterns in config.schema.overrides.iter().map(|other| &other.files).chain([&config.schema.dockerfiles]) {
            globs(&config.folder, patterns).map_err(|message| fail(0, message))?;
        }
        Ok(config)
    }

    /// What holds for `path`, an absolute path or one relative to the same folder as the config's own.
    pub fn settings(&self, path: &Path) -> Settings {
        let mut settings = Settings {
            only: self.schema.only.clone(),
            except: self.schema.except.clone(),
            review: self.schema.review.unwrap_or(false),
            builder: self.schema.builder,
            ids: self.schema.cache.id,
            id_prefix: self.schema.cache.id_prefix.clone(),
            keep_packages: self.schema.cache.keep_packages,
            cache: CacheSettings {
                forced: None,
                mode: self.schema.cache.mode,
                registry: self.schema.cache.registry.clone(),
                directory: self.schema.cache.directory.clone(),
                services: self.schema.cache.services.clone(),
            },
            per_commit: self.schema.build_args.per_commit.clone(),
            models: self.schema.models.clone(),
            knowledge: self.knowledge.clone(),
        };
        for other in &self.schema.overrides {
            let matches =
                globs(&self.folder, &other.files).is_ok_and(|globs| globs.matched(path, false).is_whitelist());
            if matches {
                settings.only = other.only.clone().or(settings.only);
                settings.except = other.except.clone().unwrap_or(settings.except);
                settings.review = other.review.unwrap_or(settings.review);
                settings.builder = other.builder.or(settings.builder);
                settings.cache.mode = other.cache_mode.or(settings.cache.mode);
                settings.cache.registry = other.cache_registry.clone().or(settings.cache.registry);
            }
        }
        settings
    }

    /// Whether `dockerfiles` names the file.
    pub fn names_dockerfile(&self, path: &Path) -> bool {
        !self.schema.dockerfiles.is_empty()
            && globs(&self.folder, &self.schema.dockerfiles)
                .is_ok_and(|globs| globs.matched(path, false).is_whitelist())
    }
}

fn globs(folder: &Path, patterns: &[String]) -> Result<Override, String> {
    let mut builder = OverrideBuilder::new(folder);
    for pattern in patterns {
        builder.add(pattern).map_err(|error| error.to_string())?;
    }
    builder.build().map_err(|error| error.to_string())
}

fn known_base(base: &BaseSchema) -> Result<KnownBase, String> {
    let name = base.user.clone().unwrap_or_else(|| "root".to_owned());
    let root = name == "root" || base.uid == Some(0);
    let uid = base.uid.or(root.then_some(0)).or_else(|| name.parse().ok());
    let home = base.home.clone().or_else(|| root.then(|| "/root".to_owned()));
    if home.as_deref().is_some_and(|home| !home.starts_with('/')) {
        return Err(format!("the home of base {:?} must be an absolute path", base.image));
    }
    let distribution = match base.distribution.as_deref() {
        None => None,
        Some(text) => {
            let family = Family::from_name(text).ok_or_else(|| {
                format!(
                    "distribution {text:?} is not known; use debian, ubuntu, alpine, fedora, redhat, amazon or suse"
                )
            })?;
            Some(Distribution { family, release: base.release.clone() })
        }
    };
    Ok(KnownBase {
        image: base.image.clone(),
        user: User { name, uid, gid: base.gid.or(uid), home },
        distribution,
        env: base.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
    })
}

/// Makes a row of the table. Rows live as long as the process, like the table they extend; a run reads few configs.
fn manager(row: &ManagerSchema) -> Result<&'static Manager, String> {
    let text = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let list =
        |words: &[String]| -> &'static [&'static str] { Box::leak(words.iter().map(|word| text(word)).collect()) };
    if !(row.cache.starts_with('/') || row.cache.starts_with("~/")) {
        return Err(format!("the cache of manager {:?} must start with / or ~/", row.id));
    }
    let sharing = match row.sharing.as_deref() {
        None | Some("locked") => Sharing::Locked,
        Some("shared") => Sharing::Shared,
        Some(other) => return Err(format!("sharing {other:?} is not known; use \"shared\" or \"locked\"")),
    };
    let verbs = row
        .install
        .iter()
        .map(|word| (text(word), Verb::Install))
        .chain(row.clean.iter().map(|word| (text(word), Verb::Clean)));
    let cache: &'static str = text(&row.cache);
    let env = row.cache_env.iter().map(|name| (text(name), ""));
    let directory = Directory {
        flag: None,
        env: Box::leak(env.collect()),
        unsure_env: &[],
        root: cache,
        user: cache,
        beneath: "",
        store: false,
        fetched: true,
    };
    let no_variables: &'static [(&'static str, EnvOverride)] = &[];
    Ok(Box::leak(Box::new(Manager {
        id: text(&row.id),
        programs: list(&row.programs),
        verbs: Box::leak(verbs.collect()),
        directories: Box::leak(Box::new([directory])),
        sharing,
        review: Some("restow.toml vouches for it, restow does not know it"),
        binaries: true,
        cache_off: Box::leak(row.no_cache.iter().map(|flag| (text(flag), text(flag))).collect()),
        cache_off_env: no_variables,
        offline_flags: list(&row.offline),
        source: NAME,
        ..crate::facts::managers::ROW
    })))
}

/// The page docs/config.md.
pub fn documentation() -> String {
    let mut page = String::from(
        "# restow.toml\n\n<!-- Written from the schema in src/config.rs by `cargo test`; edit it there. -->\n\nThe nearest restow.toml upwards from a file holds for it. A key that is not listed here is an error. The command\nline wins over the file.\n\n| key | values | default | what it does |\n|---|---|---|---|\n",
    );
    for field in FIELDS {
        let values = field.values.replace('|', "\\|");
        page.push_str(&format!("| `{}` | {} | {} | {} |\n", field.key, values, field.default, field.text));
    }
    page.push_str("\n## An example\n\n```toml\n");
    page.push_str(EXAMPLE);
    page.push_str("```\n");
    page
}

/// A restow.toml with every key.
pub const EXAMPLE: &str = r#"only = ["add-cache-mounts", "drop-no-cache"]
except = []
review = false
dockerfiles = ["docker/*.docker"]
builder = "buildkit"

[cache]
id = "auto"
id-prefix = ""
keep-packages = false
mode = "registry"
registry = "registry.example.com/cache"
directory = "/var/cache/buildx"

[[cache.service]]
name = "worker"
mode = "off"

[build-args]
per-commit = ["FRONTEND_STAMP"]

[models]
offline = false
override = "compose.dev.yml"

[[override]]
files = ["legacy/**"]
only = ["add-cache-mounts"]
except = []
review = true
builder = "classic"
cache-mode = "classic"
cache-registry = "registry.example.com/legacy"

[[base]]
image = "registry.example.com/base/python"
user = "app"
uid = 1000
gid = 1000
home = "/home/app"
distribution = "debian"
release = "bookworm"
env = { PIP_CACHE_DIR = "/var/cache/pip" }

[[manager]]
id = "conan"
programs = ["conan"]
install = ["install"]
clean = ["remove"]
cache = "~/.conan2"
cache-env = ["CONAN_HOME"]
no-cache = []
offline = ["--no-remote"]
sharing = "locked"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 2] = ["add-cache-mounts", "drop-no-cache"];

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("/repo/restow.toml"), &IDS)
    }

    #[test]
    fn the_example_holds_every_documented_key_and_no_other() {
        parse(EXAMPLE).unwrap();
        let value: toml::Table = toml::from_str(EXAMPLE).unwrap();
        let mut keys = Vec::new();
        for (key, value) in &value {
            let inner = match value {
                toml::Value::Array(items) => items.first().and_then(toml::Value::as_table),
                toml::Value::Table(table) => Some(table),
                _ => None,
            };
            match inner {
                Some(table) => keys.extend(table.keys().map(|inner| format!("{key}.{inner}"))),
                None => keys.push(key.clone()),
            }
        }
        let mut documented: Vec<String> = FIELDS.iter().map(|field| field.key.to_owned()).collect();
        keys.sort();
        documented.sort();
        assert_eq!(keys, documented);
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place() {
        let error = parse("review = true\nreveiw = true\n").unwrap_err();
        assert_eq!((error.line, error.column), (2, 1));
        assert!(error.message.contains("reveiw"), "{}", error.message);
        assert!(parse("only = [\"add-cach-mounts\"]").unwrap_err().message.contains("add-cache-mounts, drop-no-cache"));
    }

    #[test]
    fn overrides_hold_for_their_files() {
        let config = parse("[[override]]\nfiles = [\"legacy/**\"]\nbuilder = \"classic\"\n").unwrap();
        assert_eq!(config.settings(Path::new("/repo/legacy/a/Dockerfile")).builder, Some(Builder::Classic));
        assert_eq!(config.settings(Path::new("/repo/Dockerfile")).builder, None);
    }
}
