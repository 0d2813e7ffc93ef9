//! Package managers: one table, one row each.
//!
//! A row says how the manager is called, which of its commands download, where it keeps what it downloads, what moves
//! or defeats that cache, and what can go wrong. Everything that restow knows of a manager stands in its row; `[[manager]]`
//! in restow.toml adds rows.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::shell::{Command, ShellWord};

/// A package manager.
#[derive(Debug, Clone)]
pub struct Manager {
    /// Its name in titles, reasons, ids and restow.toml.
    pub id: &'static str,
    pub programs: &'static [&'static str],
    /// Whether a version may follow the program's name (`pip3.11`).
    pub versioned: bool,
    /// `python -m NAME`.
    pub modules: &'static [&'static str],
    /// Options in front of the command word that take the next word.
    pub value_options: &'static [&'static str],
    /// Command words, longest first where one starts another.
    pub verbs: &'static [(&'static str, Verb)],
    /// What a call without a command word does.
    pub bare: Verb,
    /// What an unlisted command word does: goals and tasks of Maven and Gradle.
    pub other: Verb,
    /// Works as root only, on directories of the system.
    pub system: bool,
    pub directories: &'static [Directory],
    pub sharing: Sharing,
    /// Why a mount for it is always `review`, if it is.
    pub review: Option<&'static str>,
    /// Whether the cache holds what was built for one distribution or C library.
    pub binaries: bool,
    /// Flags that switch the cache off: the whole flag, and its shortest abbreviation.
    pub cache_off: &'static [(&'static str, &'static str)],
    /// Variables that switch the cache off, and how a RUN takes that back.
    pub cache_off_env: &'static [(&'static str, EnvOverride)],
    /// Flags with which it must find everything in its directories.
    pub offline_flags: &'static [&'static str],
    /// Files that may move or switch off the cache, and the keys that do.
    pub config_files: &'static [(&'static str, &'static [&'static str])],
    /// Commands that move the cache for good: leading words behind the program.
    pub config_commands: &'static [&'static str],
    /// The flag that gives the cache another directory for one command, if it has one that changes nothing else.
    pub directory_flag: Option<&'static str>,
    /// Where this was read.
    pub source: &'static str,
}

/// What a command of a package manager does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Downloads, and makes something of it.
    Install,
    /// Only fills its directories.
    Fetch,
    /// Empties its cache.
    Clean,
    Other,
}

/// How concurrent builds use one mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// BuildKit's default.
    Shared,
    Locked,
}

/// How a RUN overrides a variable that switches the cache off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvOverride {
    /// `NAME= command`: the empty string counts as unset.
    Empty,
    /// The manager refuses an empty value; only the ENV itself can go.
    None,
}

/// A directory that a manager fills.
#[derive(Debug, Clone)]
pub struct Directory {
    /// A flag that names it.
    pub flag: Option<&'static str>,
    /// Variables that move it, strongest first, with what is appended to their value.
    pub env: &'static [(&'static str, &'static str)],
    /// Variables with which it can't be told.
    pub unsure_env: &'static [&'static str],
    /// For root and for others; `~` is the home. Empty: can't be told.
    pub root: &'static str,
    pub user: &'static str,
    /// The part at the end that lies beneath the manager's private folder (`/cache` of `pypoetry/cache`).
    pub beneath: &'static str,
    /// Whether later commands read it as their dependencies: a store, not only a cache of downloads.
    pub store: bool,
    /// Whether [`Verb::Fetch`] fills it.
    pub fetched: bool,
}

const CACHE: Directory =
    Directory { flag: None, env: &[], unsure_env: &[], root: "", user: "", beneath: "", store: false, fetched: true };

/// A row to start from.
pub(crate) const ROW: Manager = Manager {
    id: "",
    programs: &[],
    versioned: false,
    modules: &[],
    value_options: &[],
    verbs: &[],
    bare: Verb::Other,
    other: Verb::Other,
    system: false,
    directories: &[],
    sharing: Sharing::Shared,
    review: None,
    binaries: false,
    cache_off: &[],
    cache_off_env: &[],
    offline_flags: &[],
    config_files: &[],
    config_commands: &[],
    directory_flag: None,
    source: "",
};

use Verb::{Clean, Fetch, Install};

/// The table.
pub static MANAGERS: &[Manager] = &[
    Manager {
        id: "pip",
        programs: &["pip", "pip2", "pip3"],
        versioned: true,
        modules: &["pip"],
        value_options: &[
            "--python",
            "--log",
            "--proxy",
            "--retries",
            "--timeout",
            "--exists-action",
            "--trusted-host",
            "--cert",
            "--client-cert",
            "--cache-dir",
            "--use-feature",
            "--use-deprecated",
            "--keyring-provider",
        ],
        verbs: &[
            ("install", Install),
            ("wheel", Install),
            ("download", Install),
            ("cache purge", Clean),
            ("cache remove", Clean),
        ],
        directories: &[Directory {
            flag: Some("--cache-dir"),
            env: &[("PIP_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/pip")],
            root: "~/.cache/pip",
            user: "~/.cache/pip",
            ..CACHE
        }],
        binaries: true,
        cache_off: &[("--no-cache-dir", "--no-ca")],
        cache_off_env: &[("PIP_NO_CACHE_DIR", EnvOverride::Empty)],
        offline_flags: &[],
        config_files: &[("pip.conf", &["cache-dir"])],
        config_commands: &[
            "config set global.cache-dir",
            "config set global.no-cache-dir",
            "config set install.no-cache-dir",
        ],
        directory_flag: Some("--cache-dir"),
        source: "pip docs/html/topics/caching.md and configuration.md; cmdoptions.py for the abbreviations and PIP_NO_CACHE_DIR",
        ..ROW
    },
    Manager {
        id: "uv",
        programs: &["uv", "uvx"],
        modules: &["uv"],
        value_options: &["--directory", "--project", "--config-file", "--cache-dir", "--python", "-p", "--color"],
        verbs: &[
            ("pip install", Install),
            ("pip sync", Install),
            ("pip compile", Install),
            ("tool install", Install),
            ("tool run", Fetch),
            ("cache clean", Clean),
            ("cache prune", Clean),
            ("sync", Install),
            ("add", Install),
            ("lock", Install),
            ("run", Install),
            ("build", Install),
        ],
        directories: &[Directory {
            flag: Some("--cache-dir"),
            env: &[("UV_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/uv")],
            root: "~/.cache/uv",
            user: "~/.cache/uv",
            ..CACHE
        }],
        binaries: true,
        cache_off: &[("--no-cache", "--no-cache"), ("--no-cache-dir", "--no-cache-dir"), ("-n", "-n")],
        cache_off_env: &[("UV_NO_CACHE", EnvOverride::None)],
        offline_flags: &["--offline"],
        config_files: &[("uv.toml", &["cache-dir", "no-cache"]), ("pyproject.toml", &["cache-dir"])],
        directory_flag: Some("--cache-dir"),
        source: "uv docs/concepts/cache.md and docs/guides/integration/docker.md; an empty UV_NO_CACHE is refused (uv 0.9)",
        ..ROW
    },
    Manager {
        id: "poetry",
        programs: &["poetry"],
        modules: &["poetry"],
        value_options: &["-C", "--directory", "-P", "--project"],
        verbs: &[
            ("self add", Install),
            ("self update", Install),
            ("cache clear", Clean),
            ("install", Install),
            ("add", Install),
            ("update", Install),
            ("sync", Install),
            ("lock", Install),
        ],
        directories: &[
            Directory {
                env: &[("POETRY_CACHE_DIR", "/cache"), ("XDG_CACHE_HOME", "/pypoetry/cache")],
                root: "~/.cache/pypoetry/cache",
                user: "~/.cache/pypoetry/cache",
                beneath: "/cache",
                ..CACHE
            },
            Directory {
                env: &[("POETRY_CACHE_DIR", "/artifacts"), ("XDG_CACHE_HOME", "/pypoetry/artifacts")],
                root: "~/.cache/pypoetry/artifacts",
                user: "~/.cache/pypoetry/artifacts",
                beneath: "/artifacts",
                ..CACHE
            },
        ],
        sharing: Sharing::Locked,
        binaries: true,
        cache_off: &[("--no-cache", "--no-cache")],
        config_files: &[("poetry.toml", &["cache-dir"])],
        config_commands: &["config cache-dir"],
        source: "poetry docs/configuration.md: the default virtual environments lie in the same folder, so only `cache` and `artifacts` are mounted",
        ..ROW
    },
    Manager {
        id: "pipenv",
        programs: &["pipenv"],
        modules: &["pipenv"],
        value_options: &["--python"],
        verbs: &[("install", Install), ("sync", Install), ("update", Install), ("upgrade", Install)],
        directories: &[Directory {
            env: &[("PIPENV_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/pipenv")],
            root: "~/.cache/pipenv",
            user: "~/.cache/pipenv",
            ..CACHE
        }],
        sharing: Sharing::Locked,
        review: Some("pipenv's default cache directory was not confirmed in its source"),
        binaries: true,
        cache_off_env: &[("PIP_NO_CACHE_DIR", EnvOverride::Empty)],
        source: "pipenv docs on PIPENV_CACHE_DIR; actions/setup-python pipenv-cache.ts",
        ..ROW
    },
    Manager {
        id: "pdm",
        programs: &["pdm"],
        modules: &["pdm"],
        value_options: &["-p", "--project", "-c", "--config"],
        verbs: &[
            ("cache clear", Clean),
            ("install", Install),
            ("sync", Install),
            ("add", Install),
            ("update", Install),
            ("lock", Install),
        ],
        directories: &[Directory {
            env: &[("PDM_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/pdm")],
            root: "~/.cache/pdm",
            user: "~/.cache/pdm",
            ..CACHE
        }],
        sharing: Sharing::Locked,
        review: Some("pdm can install by links into its cache (install.cache), which a mount would leave dangling"),
        binaries: true,
        cache_off: &[("--no-cache", "--no-cache")],
        config_files: &[("pdm.toml", &["cache_dir", "install.cache", "cache"])],
        config_commands: &["config cache_dir", "config install.cache"],
        source: "pdm docs, configuration: cache_dir, install.cache",
        ..ROW
    },
    Manager {
        id: "conda",
        programs: &["conda", "mamba", "micromamba"],
        value_options: &["-n", "--name", "-p", "--prefix", "-r", "--root-prefix", "--rc-file", "--log-level"],
        verbs: &[
            ("env create", Install),
            ("env update", Install),
            ("install", Install),
            ("create", Install),
            ("update", Install),
            ("upgrade", Install),
            ("clean", Clean),
        ],
        directories: &[Directory {
            env: &[("CONDA_PKGS_DIRS", ""), ("MAMBA_ROOT_PREFIX", "/pkgs"), ("CONDA_DIR", "/pkgs")],
            ..CACHE
        }],
        sharing: Sharing::Locked,
        review: Some("conda copies instead of hard-linking from the mount, which its own records (conda-meta) note"),
        config_files: &[(".condarc", &["pkgs_dirs"])],
        config_commands: &["config --add pkgs_dirs", "config --set pkgs_dirs"],
        source: "conda docs, custom-env-and-pkg-locations",
        ..ROW
    },
    Manager {
        id: "npm",
        programs: &["npm"],
        value_options: &["--prefix", "-C", "--registry", "--loglevel", "--cache", "-w", "--workspace", "--userconfig"],
        verbs: &[
            ("cache clean", Clean),
            ("cache clear", Clean),
            ("cache rm", Clean),
            ("ci", Install),
            ("clean-install", Install),
            ("install", Install),
            ("i", Install),
            ("add", Install),
            ("update", Install),
            ("up", Install),
            ("install-test", Install),
        ],
        directories: &[Directory {
            flag: Some("--cache"),
            env: &[("npm_config_cache", "")],
            root: "~/.npm",
            user: "~/.npm",
            ..CACHE
        }],
        offline_flags: &["--offline"],
        config_files: &[(".npmrc", &["cache"])],
        config_commands: &["config set cache", "set cache", "config set offline"],
        source: "npm docs/lib/content/commands/npm-cache.md; content-addressed and checked",
        ..ROW
    },
    Manager {
        id: "yarn",
        programs: &["yarn", "yarnpkg"],
        value_options: &[
            "--cwd",
            "--modules-folder",
            "--network-timeout",
            "--cache-folder",
            "--registry",
            "--mutex",
            "--network-concurrency",
            "--preferred-cache-folder",
            "--use-yarnrc",
            "--global-folder",
            "--prefix",
        ],
        verbs: &[
            ("global add", Install),
            ("workspaces focus", Install),
            ("cache clean", Clean),
            ("install", Install),
            ("add", Install),
            ("upgrade", Install),
            ("up", Install),
            ("focus", Install),
        ],
        bare: Install,
        directories: &[Directory {
            flag: Some("--cache-folder"),
            env: &[("YARN_CACHE_FOLDER", "")],
            unsure_env: &["XDG_CACHE_HOME", "npm_config_cache"],
            root: "/usr/local/share/.cache/yarn",
            user: "~/.cache/yarn",
            beneath: "/yarn",
            ..CACHE
        }],
        sharing: Sharing::Locked,
        offline_flags: &["--offline"],
        config_files: &[(".yarnrc", &["cache-folder"]), (".npmrc", &["cache"])],
        config_commands: &["config set cache-folder"],
        source: "yarn 1 src/util/user-home-dir.js (root's home is /usr/local/share); yarnpkg/yarn#683 for the lock",
        ..ROW
    },
    Manager {
        id: "pnpm",
        programs: &["pnpm"],
        value_options: &["-C", "--dir", "--filter", "-F", "--store-dir", "--reporter", "--loglevel"],
        verbs: &[
            ("store prune", Clean),
            ("install", Install),
            ("i", Install),
            ("add", Install),
            ("update", Install),
            ("up", Install),
            ("deploy", Install),
            ("ci", Install),
            ("fetch", Fetch),
        ],
        directories: &[Directory {
            flag: Some("--store-dir"),
            env: &[("npm_config_store_dir", ""), ("PNPM_HOME", "/store"), ("XDG_DATA_HOME", "/pnpm/store")],
            root: "~/.local/share/pnpm/store",
            user: "~/.local/share/pnpm/store",
            ..CACHE
        }],
        offline_flags: &["--offline"],
        config_files: &[(".npmrc", &["store-dir"]), ("pnpm-workspace.yaml", &["storeDir"])],
        config_commands: &["config set store-dir"],
        source: "pnpm.io docs/docker.md and docs/settings/store.md",
        ..ROW
    },
    Manager {
        id: "bun",
        programs: &["bun"],
        value_options: &["--cwd", "--config", "-c"],
        verbs: &[
            ("pm cache rm", Clean),
            ("install", Install),
            ("i", Install),
            ("add", Install),
            ("update", Install),
            ("ci", Install),
        ],
        directories: &[Directory {
            flag: Some("--cache-dir"),
            env: &[("BUN_INSTALL_CACHE_DIR", ""), ("BUN_INSTALL", "/install/cache")],
            unsure_env: &["XDG_CACHE_HOME"],
            root: "~/.bun/install/cache",
            user: "~/.bun/install/cache",
            ..CACHE
        }],
        review: Some("bun's fallback from hard links to copies across the mount was not confirmed by a build"),
        cache_off: &[("--no-cache", "--no-cache")],
        config_files: &[("bunfig.toml", &["install.cache", "cache"])],
        source: "bun docs, install/cache",
        ..ROW
    },
    Manager {
        id: "apt",
        programs: &["apt-get", "apt"],
        value_options: &["-o", "--option", "-c", "--config-file", "-t", "--target-release", "--default-release", "-a"],
        verbs: &[
            ("install", Install),
            ("upgrade", Install),
            ("dist-upgrade", Install),
            ("full-upgrade", Install),
            ("build-dep", Install),
            ("reinstall", Install),
            ("clean", Clean),
            ("autoclean", Clean),
            ("distclean", Clean),
        ],
        system: true,
        directories: &[
            Directory { root: "/var/cache/apt/archives", beneath: "/archives", ..CACHE },
            Directory { root: "/var/lib/apt/lists", ..CACHE },
        ],
        sharing: Sharing::Locked,
        binaries: true,
        offline_flags: &["--no-download"],
        source: "apt.conf(5); measured: docker-clean leaves an archive directory of its own alone",
        ..ROW
    },
    Manager {
        id: "apk",
        programs: &["apk"],
        value_options: &[
            "-p",
            "--root",
            "-X",
            "--repository",
            "--arch",
            "--cache-dir",
            "--keys-dir",
            "--repositories-file",
            "--wait",
        ],
        verbs: &[("add", Install), ("upgrade", Install), ("fix", Install), ("cache clean", Clean)],
        system: true,
        directories: &[Directory { root: "/etc/apk/cache", ..CACHE }],
        sharing: Sharing::Locked,
        review: Some("it was read in apk's source and not yet built"),
        binaries: true,
        cache_off: &[("--no-cache", "--no-cache")],
        offline_flags: &["--no-network"],
        source: "apk-tools src/database.c: packages are kept where /etc/apk/cache is a directory",
        ..ROW
    },
    Manager {
        id: "dnf",
        programs: &["dnf", "dnf4", "dnf5", "yum", "microdnf"],
        value_options: &[
            "-c",
            "--config",
            "--setopt",
            "--enablerepo",
            "--disablerepo",
            "--repo",
            "--installroot",
            "--releasever",
            "-x",
            "--exclude",
        ],
        verbs: &[
            ("group install", Install),
            ("module install", Install),
            ("install", Install),
            ("update", Install),
            ("upgrade", Install),
            ("groupinstall", Install),
            ("localinstall", Install),
            ("reinstall", Install),
            ("distro-sync", Install),
            ("builddep", Install),
            ("swap", Install),
            ("makecache", Fetch),
            ("clean", Clean),
        ],
        system: true,
        directories: &[Directory { root: "/var/cache/dnf", ..CACHE }],
        sharing: Sharing::Locked,
        review: Some("it was read in dnf's documentation and not yet built"),
        binaries: true,
        offline_flags: &["-C", "--cacheonly"],
        source: "dnf5-caching(7), dnf.conf(5) keepcache",
        ..ROW
    },
    Manager {
        id: "zypper",
        programs: &["zypper"],
        value_options: &["-R", "--root", "--installroot", "-C", "--cache-dir", "-p", "--plus-repo"],
        verbs: &[
            ("install", Install),
            ("in", Install),
            ("update", Install),
            ("up", Install),
            ("dist-upgrade", Install),
            ("dup", Install),
            ("patch", Install),
            ("refresh", Fetch),
            ("ref", Fetch),
            ("clean", Clean),
        ],
        system: true,
        directories: &[Directory { root: "/var/cache/zypp", ..CACHE }],
        sharing: Sharing::Locked,
        review: Some("it was read in zypp.conf and not yet built"),
        binaries: true,
        offline_flags: &["--no-refresh"],
        source: "zypp.conf: cachedir, packagesdir",
        ..ROW
    },
    Manager {
        id: "go",
        programs: &["go"],
        value_options: &["-C"],
        verbs: &[
            ("mod download", Fetch),
            ("mod tidy", Fetch),
            ("mod vendor", Fetch),
            ("mod verify", Fetch),
            ("build", Install),
            ("install", Install),
            ("test", Install),
            ("run", Install),
            ("get", Install),
            ("generate", Install),
            ("vet", Install),
            ("list", Fetch),
            ("tool", Install),
        ],
        directories: &[
            Directory {
                env: &[("GOCACHE", ""), ("XDG_CACHE_HOME", "/go-build")],
                root: "~/.cache/go-build",
                user: "~/.cache/go-build",
                fetched: false,
                ..CACHE
            },
            Directory {
                env: &[("GOMODCACHE", ""), ("GOPATH", "/pkg/mod")],
                root: "~/go/pkg/mod",
                user: "~/go/pkg/mod",
                store: true,
                ..CACHE
            },
        ],
        binaries: true,
        offline_flags: &["-mod=vendor"],
        source: "go help cache, go help environment",
        ..ROW
    },
    Manager {
        id: "cargo",
        programs: &["cargo"],
        value_options: &["--color", "--config", "-Z", "-C"],
        verbs: &[
            ("chef cook", Install),
            ("build", Install),
            ("b", Install),
            ("install", Install),
            ("binstall", Install),
            ("test", Install),
            ("check", Install),
            ("run", Install),
            ("r", Install),
            ("rustc", Install),
            ("doc", Install),
            ("clippy", Install),
            ("bench", Install),
            ("auditable", Install),
            ("zigbuild", Install),
            ("component", Install),
            ("leptos", Install),
            ("fetch", Fetch),
            ("vendor", Fetch),
            ("update", Fetch),
            ("generate-lockfile", Fetch),
        ],
        directories: &[
            Directory {
                env: &[("CARGO_HOME", "/registry")],
                root: "~/.cargo/registry",
                user: "~/.cargo/registry",
                store: true,
                ..CACHE
            },
            Directory {
                env: &[("CARGO_HOME", "/git/db")],
                root: "~/.cargo/git/db",
                user: "~/.cargo/git/db",
                store: true,
                ..CACHE
            },
        ],
        sharing: Sharing::Locked,
        offline_flags: &["--offline", "--frozen"],
        source: "cargo guide, cargo-home.md; rust-lang/cargo#11376 for the lock outside registry/",
        ..ROW
    },
    Manager {
        id: "maven",
        programs: &["mvn", "mvnw"],
        value_options: &[
            "-f",
            "--file",
            "-pl",
            "--projects",
            "-s",
            "--settings",
            "-gs",
            "-P",
            "--activate-profiles",
            "-T",
            "--threads",
            "-l",
            "--log-file",
            "-t",
            "--toolchains",
        ],
        verbs: &[],
        other: Install,
        directories: &[Directory {
            flag: Some("-Dmaven.repo.local"),
            unsure_env: &["MAVEN_OPTS", "MAVEN_ARGS", "MAVEN_CLI_OPTS"],
            root: "~/.m2/repository",
            user: "~/.m2/repository",
            store: true,
            ..CACHE
        }],
        sharing: Sharing::Locked,
        review: Some("a kept local repository answers snapshots and version ranges from its cache for a day"),
        offline_flags: &["-o", "--offline"],
        source: "maven settings reference, localRepository; maven-resolver synccontextfactory for the lock",
        ..ROW
    },
    Manager {
        id: "gradle",
        programs: &["gradle", "gradlew"],
        value_options: &[
            "-p",
            "--project-dir",
            "-b",
            "--build-file",
            "-c",
            "--settings-file",
            "-g",
            "--gradle-user-home",
            "-I",
            "--init-script",
            "-x",
            "--exclude-task",
        ],
        verbs: &[],
        other: Install,
        directories: &[
            Directory {
                env: &[("GRADLE_USER_HOME", "/caches")],
                unsure_env: &["GRADLE_OPTS"],
                root: "~/.gradle/caches",
                user: "~/.gradle/caches",
                store: true,
                ..CACHE
            },
            Directory {
                env: &[("GRADLE_USER_HOME", "/wrapper")],
                unsure_env: &["GRADLE_OPTS"],
                root: "~/.gradle/wrapper",
                user: "~/.gradle/wrapper",
                store: true,
                ..CACHE
            },
        ],
        sharing: Sharing::Locked,
        review: Some("a kept cache answers changing modules and version ranges for a day"),
        offline_flags: &["--offline"],
        source: "gradle docs, directory layout; gradle/gradle#8375 for the lock",
        ..ROW
    },
    Manager {
        id: "nuget",
        programs: &["dotnet"],
        verbs: &[
            ("nuget locals", Clean),
            ("tool install", Install),
            ("tool restore", Fetch),
            ("restore", Fetch),
            ("build", Install),
            ("publish", Install),
            ("test", Install),
            ("pack", Install),
            ("run", Install),
            ("msbuild", Install),
            ("new", Verb::Other),
            ("dev-certs", Verb::Other),
            ("workload", Verb::Other),
            ("sln", Verb::Other),
            ("sdk", Verb::Other),
            ("nuget", Verb::Other),
            ("help", Verb::Other),
            ("exec", Verb::Other),
            ("build-server", Verb::Other),
        ],
        // Tools: `dotnet ef`, `dotnet swagger` read the packages of the project.
        other: Install,
        directories: &[Directory {
            env: &[("NUGET_PACKAGES", "")],
            unsure_env: &["RestorePackagesPath"],
            root: "~/.nuget/packages",
            user: "~/.nuget/packages",
            store: true,
            ..CACHE
        }],
        offline_flags: &["--no-restore", "--no-build"],
        config_files: &[
            ("nuget.config", &["globalPackagesFolder", "repositoryPath"]),
            ("NuGet.Config", &["globalPackagesFolder"]),
            ("NuGet.config", &["globalPackagesFolder"]),
        ],
        source: "learn.microsoft.com, managing the global packages and cache folders; dotnet-docker#3353 for --no-restore",
        ..ROW
    },
    Manager {
        id: "composer",
        programs: &["composer", "composer.phar"],
        value_options: &["-d", "--working-dir"],
        verbs: &[
            ("global require", Install),
            ("global install", Install),
            ("create-project", Install),
            ("clear-cache", Clean),
            ("clearcache", Clean),
            ("cc", Clean),
            ("install", Install),
            ("i", Install),
            ("update", Install),
            ("u", Install),
            ("require", Install),
            ("r", Install),
        ],
        directories: &[Directory {
            env: &[("COMPOSER_CACHE_DIR", ""), ("COMPOSER_HOME", "/cache")],
            root: "~/.composer/cache",
            user: "~/.composer/cache",
            ..CACHE
        }],
        sharing: Sharing::Locked,
        cache_off: &[("--no-cache", "--no-cache")],
        config_commands: &["config -g cache-dir", "config --global cache-dir", "config cache-dir"],
        config_files: &[("composer.json", &["cache-dir"])],
        source: "composer src/Composer/Factory.php getCacheDir: an existing ~/.composer/cache is used",
        ..ROW
    },
    Manager {
        id: "bundler",
        programs: &["bundle", "bundler"],
        verbs: &[("install", Install), ("update", Install), ("add", Install)],
        bare: Install,
        directories: &[Directory {
            env: &[("GEM_HOME", "/cache")],
            unsure_env: &["BUNDLE_PATH", "BUNDLE_DEPLOYMENT", "BUNDLE_USER_CACHE"],
            ..CACHE
        }],
        sharing: Sharing::Locked,
        review: Some("the place of downloaded gems was read in the image, not in bundler's documentation"),
        offline_flags: &["--local"],
        config_commands: &[
            "config path",
            "config set path",
            "config set --local path",
            "config set --global path",
            "config --global path",
            "config --local path",
            "config deployment",
            "config set deployment",
            "config set --local deployment",
            "config --global deployment",
        ],
        config_files: &[(".bundle/config", &["BUNDLE_PATH", "BUNDLE_DEPLOYMENT"])],
        source: "the ruby image sets GEM_HOME=/usr/local/bundle; gems are downloaded to its cache/",
        ..ROW
    },
    Manager {
        id: "gem",
        programs: &["gem"],
        verbs: &[("install", Install), ("update", Install)],
        directories: &[Directory { env: &[("GEM_HOME", "/cache")], ..CACHE }],
        sharing: Sharing::Locked,
        review: Some("the place of downloaded gems was read in the image, not in gem's documentation"),
        offline_flags: &["--local", "-l"],
        source: "the ruby image sets GEM_HOME=/usr/local/bundle; gems are downloaded to its cache/",
        ..ROW
    },
];

impl Manager {
    /// Whether a program of this name is the manager.
    pub fn is_program(&self, name: &str) -> bool {
        self.programs.iter().any(|program| {
            name.strip_prefix(program).is_some_and(|rest| {
                rest.is_empty() || self.versioned && rest.starts_with('.') && is_version(&rest[1..])
            })
        })
    }

    /// The flag that `word` is an accepted spelling of, if it switches the cache off.
    pub fn switches_cache_off(&self, word: &str) -> Option<&'static str> {
        let spelled = |&&(whole, shortest): &&(&'static str, &'static str)| {
            word == whole || word.len() >= shortest.len() && word.starts_with(shortest) && whole.starts_with(word)
        };
        self.cache_off.iter().find(spelled).map(|&(whole, _)| whole)
    }
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// A command of a package manager.
#[derive(Debug, Clone)]
pub struct Call {
    pub manager: &'static Manager,
    /// Index of the command in the script.
    pub command: usize,
    pub verb: Verb,
    /// The command words as written in the table (`pip install` of uv), empty for a bare call.
    pub verb_text: &'static str,
    /// Index in the command's words of the last command word; for a bare call that of the program.
    pub verb_word: usize,
    /// Index in the command's words of the first one behind the program.
    pub arguments: usize,
}

/// The package manager call that `command` is, if it is one.
pub fn call(command: &Command, index: usize, managers: &[&'static Manager]) -> Option<Call> {
    let name = command.name()?;
    let words = &command.words;
    if is_python(name) {
        let mut at = command.program + 1;
        while let Some(value) = words.get(at).and_then(|word| word.value.as_deref()) {
            if value == "-m" {
                let module = words.get(at + 1)?.value.as_deref()?;
                let manager = managers.iter().find(|manager| manager.modules.contains(&module))?;
                return Some(read_call(manager, words, index, at + 2));
            }
            if !value.starts_with('-') {
                return None;
            }
            at += if matches!(value, "-W" | "-X") { 2 } else { 1 };
        }
        return None;
    }
    if name == "corepack" {
        // `corepack yarn install` runs the manager that package.json names.
        let inner = words.get(command.program + 1)?.value.as_deref()?;
        let manager =
            managers.iter().find(|manager| matches!(manager.id, "yarn" | "pnpm") && manager.is_program(inner))?;
        return Some(read_call(manager, words, index, command.program + 2));
    }
    let manager = managers.iter().find(|manager| manager.is_program(name))?;
    Some(read_call(manager, words, index, command.program + 1))
}

fn is_python(name: &str) -> bool {
    name.strip_prefix("python")
        .or_else(|| name.strip_prefix("pypy"))
        .is_some_and(|rest| rest.is_empty() || is_version(rest))
}

fn read_call(manager: &'static Manager, words: &[ShellWord], command: usize, arguments: usize) -> Call {
    let mut positions = Vec::new();
    let mut at = arguments;
    let mut informs = false;
    while let Some(word) = words.get(at) {
        match word.value.as_deref() {
            Some(value) if value.starts_with('-') || value.starts_with('+') => {
                informs |= matches!(value, "--version" | "-v" | "-V" | "--help" | "-h" | "-version");
                at += if manager.value_options.contains(&value) { 2 } else { 1 };
            }
            _ => {
                positions.push(at);
                at += 1;
            }
        }
    }
    let text = |at: &usize| words[*at].value.as_deref().unwrap_or("");
    let mut call = Call {
        manager,
        command,
        verb: manager.other,
        verb_text: "",
        verb_word: arguments.saturating_sub(1),
        arguments,
    };
    for &(verb_text, verb) in manager.verbs {
        let parts: Vec<&str> = verb_text.split(' ').collect();
        if positions.len() >= parts.len() && parts.iter().zip(&positions).all(|(part, at)| *part == text(at)) {
            call.verb = verb;
            call.verb_text = verb_text;
            call.verb_word = positions[parts.len() - 1];
            break;
        }
    }
    if positions.is_empty() {
        call.verb = if informs { Verb::Other } else { manager.bare };
    }
    match manager.id {
        "uv" if words[arguments - 1].value.as_deref() == Some("uvx") => call.verb = Verb::Fetch,
        "uv" if call.verb_text == "run" && words.iter().any(|word| word.raw.starts_with("--with")) => {
            call.verb = Verb::Fetch
        }
        // Only goals that fill the repository: the layer was the cache.
        "maven" if !positions.is_empty() => {
            let fetches = positions.iter().all(|at| {
                let goal = text(at);
                goal.contains("dependency") && goal.contains(':')
            });
            call.verb = if fetches { Verb::Fetch } else { Verb::Install };
        }
        "gradle" if !positions.is_empty() => {
            let fetches = positions.iter().all(|at| {
                matches!(
                    text(at).rsplit(':').next(),
                    Some(
                        "dependencies" | "help" | "wrapper" | "clean" | "resolveDependencies" | "downloadDependencies"
                    )
                )
            });
            call.verb = if fetches { Verb::Fetch } else { Verb::Install };
        }
        "go" if words.iter().any(|word| word.raw == "clean") => {
            let cache =
                words.iter().any(|word| matches!(word.raw.as_str(), "-cache" | "-modcache" | "--modcache" | "--cache"));
            call.verb = if cache { Verb::Clean } else { Verb::Other };
        }
        "nuget" if positions.first().is_some_and(|at| text(at).ends_with(".dll")) => call.verb = Verb::Other,
        // `dotnet nuget locals all --clear` empties, `--list` only tells.
        "nuget" if call.verb == Verb::Clean => {
            let clears = words.iter().any(|word| matches!(word.value.as_deref(), Some("--clear" | "-c")));
            call.verb = if clears { Verb::Clean } else { Verb::Other };
        }
        _ => {}
    }
    call
}

/// Finds the names of managers, and what else makes a RUN worth reading, in one pass over a text.
#[derive(Debug, Clone)]
pub struct Names {
    search: AhoCorasick,
    /// For each pattern its manager; none for what only creates accounts or touches apt's configuration.
    managers: Vec<Option<usize>>,
}

impl Names {
    pub fn new(managers: &[&'static Manager]) -> Self {
        let named = managers.iter().enumerate();
        let named = named.flat_map(|(at, manager)| manager.programs.iter().map(move |name| (*name, Some(at))));
        let modules = managers.iter().enumerate();
        let modules = modules.flat_map(|(at, manager)| manager.modules.iter().map(move |name| (*name, Some(at))));
        let others = ["useradd", "adduser", "docker-clean"].map(|name| (name, None));
        let (patterns, managers): (Vec<&str>, Vec<Option<usize>>) = named.chain(modules).chain(others).unzip();
        // Names are short and few: building the automaton can't exceed its limits.
        let search = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&patterns);
        Self { search: search.unwrap_or_else(|_| unreachable!("a few short patterns")), managers }
    }

    /// A cheap look at a RUN's text before its shell is read: could it concern a package manager or an account?
    pub fn may_concern(&self, text: &str) -> bool {
        self.search.find_overlapping_iter(text).any(|found| is_word(text, found.start(), found.end()))
    }

    /// The managers whose name stands somewhere in `text`, in the order of the table.
    pub fn named(&self, text: &str, managers: &[&'static Manager]) -> Vec<&'static Manager> {
        let mut seen = vec![false; managers.len()];
        for found in self.search.find_overlapping_iter(text) {
            if !is_word(text, found.start(), found.end()) {
                continue;
            }
            if let Some(at) = self.managers[found.pattern().as_usize()] {
                seen[at] = true;
            }
        }
        managers.iter().zip(seen).filter(|(_, seen)| *seen).map(|(manager, _)| *manager).collect()
    }
}

/// Whether no letter or digit stands beside `start..end`: `mongo` is not `go`, `pip3.11` is `pip3`.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let joins = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !start.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(joins) && !bytes.get(end).is_some_and(joins)
}

/// Whether the manager's program and, in the same clause behind it, one of its downloading commands stand in `text`: a plain
/// search, for RUNs whose commands could not be read.
pub fn mentions(text: &str, manager: &Manager) -> bool {
    let ends = |ch: char| ch.is_whitespace() || matches!(ch, '(' | ')' | '"' | '\'' | '`' | ',' | '[' | ']');
    text.split(['\n', ';', '&', '|']).any(|clause| {
        let mut words = clause.split(ends).filter(|word| !word.is_empty());
        let mut before = "";
        while let Some(word) = words.next() {
            let name = word.rsplit('/').next().unwrap_or(word);
            // `uv pip install` is uv's.
            if !manager.is_program(name) || before == "uv" && manager.id == "pip" {
                before = name;
                continue;
            }
            before = name;
            let mut downloads = manager.verbs.iter().filter(|(_, verb)| matches!(verb, Verb::Install | Verb::Fetch));
            let first = |text: &'static str| text.split(' ').next().unwrap_or(text);
            // The command word stands behind options, of which the last may have taken a word of its own.
            let bare = words.clone().filter(|word| !word.starts_with('-') && !word.contains(['=', ':'])).take(2);
            if downloads.any(|(text, _)| bare.clone().any(|word| word == first(text))) {
                return true;
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<(&'static str, Verb, &'static str)> {
        let all: Vec<&Manager> = MANAGERS.iter().collect();
        let script = crate::shell::parse(text, false).unwrap();
        let found = script.commands.iter().enumerate().filter_map(|(index, command)| call(command, index, &all));
        found.map(|call| (call.manager.id, call.verb, call.verb_text)).collect()
    }

    #[test]
    fn calls_are_read_with_options_in_front_of_the_command_word() {
        assert_eq!(calls("python3.11 -m pip --timeout 9 install x"), [("pip", Install, "install")]);
        assert_eq!(calls("/opt/v/bin/pip3.12 install x"), [("pip", Install, "install")]);
        assert_eq!(calls("apt-get -qq -y -o A=b install x"), [("apt", Install, "install")]);
        assert_eq!(calls("npm --prefix web ci"), [("npm", Install, "ci")]);
        assert_eq!(calls("yarn --cwd web --frozen-lockfile"), [("yarn", Install, "")]);
        assert_eq!(
            calls("uv pip install x; uv cache clean"),
            [("uv", Install, "pip install"), ("uv", Clean, "cache clean")]
        );
    }

    #[test]
    fn what_does_not_download_is_told_apart() {
        assert_eq!(
            calls("yarn build; pip --version; go version; mvn -v"),
            [("yarn", Verb::Other, ""), ("pip", Verb::Other, ""), ("go", Verb::Other, ""), ("maven", Verb::Other, ""),]
        );
        assert_eq!(calls("mvn dependency:go-offline; mvn -q package"), [("maven", Fetch, ""), ("maven", Install, "")]);
        assert_eq!(calls("go mod download; go build ."), [("go", Fetch, "mod download"), ("go", Install, "build")]);
    }

    #[test]
    fn abbreviations_of_no_cache_dir_count_and_others_do_not() {
        let pip = &MANAGERS[0];
        assert_eq!(pip.switches_cache_off("--no-cache"), Some("--no-cache-dir"));
        assert_eq!(pip.switches_cache_off("--no-ca"), Some("--no-cache-dir"));
        assert_eq!(pip.switches_cache_off("--no-c"), None);
        assert_eq!(pip.switches_cache_off("--no-compile"), None);
    }

    #[test]
    fn the_cheap_look_sees_every_program_and_module() {
        let all: Vec<&Manager> = MANAGERS.iter().collect();
        for name in MANAGERS.iter().flat_map(|manager| manager.programs.iter().chain(manager.modules)) {
            assert!(Names::new(&all).may_concern(name), "{name}");
        }
    }

    #[test]
    fn every_row_is_complete() {
        for manager in MANAGERS {
            assert!(!manager.id.is_empty() && !manager.source.is_empty(), "{}", manager.id);
            assert!(!manager.programs.is_empty() && !manager.directories.is_empty(), "{}", manager.id);
        }
    }
}
