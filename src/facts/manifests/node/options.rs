//! The command words of an install: which folder, which lock, which scripts.

use crate::facts::managers::{Call, Verb};
use crate::facts::manifests::variables::{Setting, setting_in_any_case};
use crate::facts::runs::Run;
use crate::shell::Command;

/// Which command of which program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Install,
    /// `npm ci`, `bun ci`, `pnpm ci`: the lock file must be there and stays as it is.
    Clean,
    /// `yarn workspaces focus`.
    Focus,
    /// `pnpm fetch`: only the lock file counts, and no script runs.
    Fetch,
}

/// What the words and the environment of an install say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub action: Action,
    /// The folder that it works in; `.` is the one that it runs in.
    pub folder: String,
    /// Whether an option names that folder: npm then looks for no workspace root above it.
    pub folder_is_named: bool,
    /// The lock file must fit, or the install fails.
    pub frozen: bool,
    /// The lock file is read and never written.
    pub keeps_lock: bool,
    /// The lock file is neither read nor written.
    pub no_lock: bool,
    pub ignore_scripts: bool,
    pub production: bool,
    /// Only the root package, whatever workspaces there are.
    pub no_workspaces: bool,
    /// Folders of downloads that options name.
    pub stores: Vec<String>,
    /// The packages that it puts into package.json.
    pub adds: Option<String>,
}

/// Reads the words. `None` where no project is installed: another command, or packages for the whole image.
///
/// # Errors
/// Options that aren't known, and commands that change the project.
pub fn read(call: &Call, command: &Command, run: &Run) -> Result<Option<Options>, String> {
    if !matches!(call.verb, Verb::Install | Verb::Fetch) {
        return Ok(None);
    }
    let id = call.manager.id;
    let mut options = Options {
        action: Action::Install,
        folder: ".".to_owned(),
        folder_is_named: false,
        frozen: false,
        keeps_lock: false,
        no_lock: false,
        ignore_scripts: false,
        production: false,
        no_workspaces: false,
        stores: Vec::new(),
        adds: None,
    };
    let mut names = Vec::new();
    let mut global = call.verb_text == "global add";
    let mut unknown = None;
    let known = Known::of(id);
    let mut words = command.words[call.arguments..].iter();
    while let Some(word) = words.next() {
        let value = run.value(word);
        let Some(text) = value.value.filter(|_| !value.pattern) else {
            // `npm@$VERSION` is a package, whatever the version is.
            let is_name =
                word.raw.trim_start_matches('"').starts_with(|ch: char| ch.is_ascii_alphanumeric() || ch == '@');
            if !is_name {
                return Err(format!("what `{}` stands for isn't known", word.raw));
            }
            names.push(word.raw.clone());
            continue;
        };
        if !text.starts_with('-') {
            names.push(text);
            continue;
        }
        let (name, given) = text.split_once('=').map_or((text.as_str(), None), |(name, value)| (name, Some(value)));
        let mut value = || match given {
            Some(given) => Some(given.to_owned()),
            None => words.next().and_then(|word| run.value(word).value),
        };
        let is_on = given.is_none_or(|given| given == "true");
        match name {
            "--global" | "-g" => global |= is_on,
            "--location" if id == "npm" => global |= value().as_deref() == Some("global"),
            "--prefix" | "-C" if id == "npm" => options.moves(value())?,
            "--cwd" if id == "yarn" || id == "bun" => options.moves(value())?,
            "--dir" | "--prefix" | "-C" if id == "pnpm" => options.moves(value())?,
            "--ignore-scripts" => options.ignore_scripts = is_on,
            "--frozen-lockfile" | "--immutable" | "--immutable-cache" if id != "npm" => options.frozen = is_on,
            "--no-frozen-lockfile" | "--no-immutable" if id != "npm" => options.frozen = false,
            "--pure-lockfile" if id == "yarn" => options.keeps_lock = is_on,
            "--no-save" if id == "bun" || id == "npm" => options.keeps_lock = is_on,
            "--save" if id == "npm" && given == Some("false") => options.keeps_lock = true,
            "--no-lockfile" if id == "yarn" => options.no_lock = is_on,
            "--no-package-lock" | "--no-shrinkwrap" if id == "npm" => options.no_lock = is_on,
            "--package-lock" | "--shrinkwrap" if id == "npm" => options.no_lock = !is_on,
            "--mode" if id == "yarn" && given == Some("skip-build") => options.ignore_scripts = true,
            "--ignore-workspace" if id == "pnpm" => options.no_workspaces = is_on,
            "--filter" | "-F" if id == "pnpm" || id == "bun" => {
                if value().is_none_or(|filter| filter.contains('[')) {
                    return Err("its filter asks git for what changed".to_owned());
                }
            }
            "--cache"
            | "--cache-folder"
            | "--global-folder"
            | "--preferred-cache-folder"
            | "--store-dir"
            | "--cache-dir"
                if given.is_some() || name != "--cache" || id == "npm" =>
            {
                options.stores.push(value().ok_or("where it keeps its downloads isn't known")?);
            }
            "--production" | "--prod" | "-P" | "-p" => options.production |= is_on,
            _ if known.is_switch(name) => {}
            _ if known.valued.contains(&name) => drop(value()),
            _ => unknown = unknown.or(Some(text.clone())),
        }
    }
    for part in call.verb_text.split(' ').filter(|part| !part.is_empty()) {
        if names.first().is_none_or(|name| name != part) {
            return Err("its options can't be read".to_owned());
        }
        names.remove(0);
    }
    let written = format!("{} {}", call.manager.programs[0], call.verb_text);
    if let Some(local) = names.iter().find(|name| is_local(name)).filter(|_| call.verb_text != "workspaces focus") {
        return Err(format!("it installs `{local}` from the sources"));
    }
    if global {
        return Ok(None);
    }
    options.action = match (id, call.verb_text) {
        ("npm", "ci" | "clean-install") | ("pnpm" | "bun", "ci") => Action::Clean,
        ("npm" | "pnpm" | "bun", "install" | "i") | ("yarn", "" | "install") => Action::Install,
        ("yarn", "workspaces focus") => Action::Focus,
        ("pnpm", "fetch") => Action::Fetch,
        ("pnpm", "deploy") => return Err("pnpm deploy copies the sources of a workspace".to_owned()),
        _ if names.is_empty() => return Err(format!("{written} changes the lock file")),
        _ => Action::Install,
    };
    if !names.is_empty() && matches!(options.action, Action::Install) {
        options.adds = Some(format!("{} {}", written.trim_end(), names.join(" ")));
        return Ok(Some(options));
    }
    if let Some(unknown) = unknown {
        return Err(format!("what its option {unknown} reads isn't known"));
    }
    // Measured with bun 1.4: a lock file that doesn't fit fails the install.
    options.frozen |= options.action == Action::Clean || id == "bun" && options.production;
    options.keeps_lock |= matches!(options.action, Action::Focus | Action::Fetch);
    options.read_environment(id, command, run)?;
    Ok(Some(options))
}

/// Whether `name` stands for something in the image instead of a package of a registry.
fn is_local(name: &str) -> bool {
    name.starts_with(['.', '/', '~'])
        || ["file:", "link:", "portal:", "git+file:"].iter().any(|scheme| name.contains(scheme))
        || !name.contains("://") && [".tgz", ".tar.gz", ".tar"].iter().any(|end| name.ends_with(end))
}

/// The value of a variable in front of the command, or of the environment; `Some(None)` where it is set to something unknown.
pub fn variable(name: &str, command: &Command, run: &Run) -> Option<Option<String>> {
    match setting_in_any_case(run, command, name) {
        Setting::Unset => None,
        Setting::Value(value) => Some(Some(value)),
        Setting::Unknown => Some(None),
    }
}

impl Options {
    fn moves(&mut self, folder: Option<String>) -> Result<(), String> {
        self.folder = folder.ok_or("its folder isn't known")?;
        self.folder_is_named = true;
        Ok(())
    }

    fn read_environment(&mut self, id: &str, command: &Command, run: &Run) -> Result<(), String> {
        // `npm_config_*` moves files and switches as a line of .npmrc does.
        let moves =
            ["userconfig", "globalconfig", "cafile", "install_links", "script_shell", "modules_dir", "lockfile_dir"];
        let moves = moves.iter().map(|key| format!("npm_config_{key}"));
        let yarn = ["CACHE_FOLDER", "RC_FILENAME", "IGNORE_PATH", "LOCKFILE_FILENAME", "YARN_PATH"];
        let moves = moves.chain(yarn.iter().filter(|_| id == "yarn").map(|key| format!("YARN_{key}")));
        for name in moves {
            let value = variable(&name, command, run);
            let is_elsewhere =
                value.as_ref().is_none_or(|value| value.as_deref().is_some_and(|text| text.starts_with('/')));
            if !is_elsewhere || value.is_some() && !name.ends_with("CACHE_FOLDER") {
                return Err(format!("the variable {name} says which files it reads"));
            }
        }
        if let Some(value) = variable("NODE_OPTIONS", command, run) {
            let loads = |text: &str| {
                ["-r", "--require", "--import", "--loader", "--env-file"].iter().any(|it| text.contains(it))
            };
            if value.as_deref().is_none_or(loads) {
                return Err("NODE_OPTIONS may load a file of the sources".to_owned());
            }
        }
        let is_on =
            |name: &str| matches!(variable(name, command, run), Some(Some(value)) if value == "true" || value == "1");
        self.ignore_scripts |= is_on("npm_config_ignore_scripts");
        if matches!(variable("npm_config_package_lock", command, run), Some(Some(value)) if value == "false") {
            self.no_lock = true;
        }
        // Source: `isCI` of ci-info; pnpm and yarn berry freeze the lock file where it holds.
        if self.action == Action::Install && is_on("CI") && id == "pnpm" {
            self.frozen = true;
        }
        Ok(())
    }
}

/// Options that change neither what is read nor where it is put, without those that [`read`] looks at.
struct Known {
    switches: &'static [&'static str],
    valued: &'static [&'static str],
}

impl Known {
    fn is_switch(&self, name: &str) -> bool {
        let positive = name.strip_prefix("--no-").map(|rest| format!("--{rest}"));
        self.switches.contains(&name) || positive.is_some_and(|name| self.switches.contains(&name.as_str()))
    }

    fn of(id: &str) -> Self {
        match id {
            "npm" => Self { switches: NPM_SWITCHES, valued: NPM_VALUED },
            "yarn" => Self { switches: YARN_SWITCHES, valued: YARN_VALUED },
            "pnpm" => Self { switches: PNPM_SWITCHES, valued: PNPM_VALUED },
            _ => Self { switches: BUN_SWITCHES, valued: BUN_VALUED },
        }
    }
}

/// Source: npm docs, using-npm/config; the last five are flags of other programs, which npm takes without a word.
#[rustfmt::skip]
const NPM_SWITCHES: &[&str] = &[
    "--audit", "--fund", "--force", "-f", "--legacy-peer-deps", "--strict-peer-deps", "--prefer-offline", "--prefer-online",
    "--offline", "--optional", "--dev", "--progress", "--silent", "-s", "--quiet", "-q", "--verbose", "-d", "-dd", "-ddd",
    "--unsafe-perm", "--bin-links", "--foreground-scripts", "--update-notifier", "--color", "--engine-strict", "--strict-ssl",
    "--build-from-source", "--save-exact", "-E", "--save-dev", "-D", "--save", "-S", "--save-prod", "--json",
    "--workspaces", "-ws", "--include-workspace-root", "-iwr", "--rebuild-bundle", "--timing", "--prefer-dedupe",
    "--frozen-lockfile", "--non-interactive", "--ignore-engines", "--yes", "-y", "--allow-root",
];
#[rustfmt::skip]
const NPM_VALUED: &[&str] = &[
    "--omit", "--include", "--only", "--also", "--loglevel", "--registry", "--fetch-timeout", "--fetch-retries", "--maxsockets",
    "--fetch-retry-mintimeout", "--fetch-retry-maxtimeout", "--fetch-retry-factor", "--cpu", "--os", "--libc", "--workspace", "-w",
    "--network-timeout", "--install-strategy", "--python", "--target_arch", "--target_platform", "--cache-min", "--audit-level",
    "--replace-registry-host", "--node-gyp",
];
/// Source: yarn 1 `src/cli/index.js` and `commands/install.js`; berry `commands/install.ts`.
#[rustfmt::skip]
const YARN_SWITCHES: &[&str] = &[
    "--non-interactive", "--ignore-engines", "--ignore-optional", "--ignore-platform", "--progress", "--silent", "-s", "--verbose",
    "--check-files", "--force", "--prefer-offline", "--offline", "--bin-links", "--link-duplicates", "--audit", "--emoji", "--json",
    "--skip-integrity-check", "--strict-semver", "--disable-pnp", "--interactive", "--check-cache", "--check-resolutions",
    "--refresh-lockfile", "--inline-builds", "--all", "-A",
];
#[rustfmt::skip]
const YARN_VALUED: &[&str] = &["--network-timeout", "--registry", "--mutex", "--network-concurrency", "--otp"];
/// Source: pnpm.io, cli/install and cli/fetch.
#[rustfmt::skip]
const PNPM_SWITCHES: &[&str] = &[
    "--prefer-frozen-lockfile", "--dev", "-D", "--optional", "--offline", "--prefer-offline", "--recursive", "-r",
    "--shamefully-hoist", "--strict-peer-dependencies", "--auto-install-peers", "--silent", "-s", "--force", "--side-effects-cache",
    "--verify-store-integrity", "--aggregate-output", "--stream", "--use-stderr", "--color", "--yes", "--hoist", "--audit", "--fund",
    "--fail-if-no-match", "--dangerously-allow-all-builds", "--ignore-pnpmfile", "--trust-lockfile",
];
#[rustfmt::skip]
const PNPM_VALUED: &[&str] = &[
    "--reporter", "--loglevel", "--network-concurrency", "--child-concurrency", "--registry", "--package-import-method",
    "--public-hoist-pattern", "--hoist-pattern", "--workspace-concurrency", "--fetch-timeout", "--fetch-retries", "--cpu", "--os",
    "--libc",
];
/// Source: bun docs, cli/install.
#[rustfmt::skip]
const BUN_SWITCHES: &[&str] = &[
    "--silent", "--quiet", "--verbose", "--progress", "--cache", "--force", "-f", "--summary", "--verify", "--dev", "--optional",
];
#[rustfmt::skip]
const BUN_VALUED: &[&str] = &[
    "--omit", "--linker", "--backend", "--concurrent-scripts", "--network-concurrency", "--registry", "--cpu", "--os",
    "--minimum-release-age",
];
