//! npm, yarn (classic and berry), pnpm and bun: what an install reads and writes.
//!
//! An install of these managers reads package.json, its lock file, its settings, patches, and the package.json of every workspace. What
//! else it needs stands in scripts, in dependencies on folders and in programs (`bin`) of workspaces: with the file of such a program
//! missing, all of them leave the link out of node_modules/.bin and succeed (measured; also npm, yarn and bun make the file executable).
//!
//! Trees of installs with all files and with the listed ones were compared for npm 6, 8, 10 and 11, yarn 1.22, 3 and 4, pnpm 8, 9, 10 and
//! 12, and bun 1.4.

mod manifest;
mod options;
mod prisma;
mod scripts;
mod settings;
mod sources;
#[cfg(test)]
mod tests;

use super::{Above, Files, Install};
use crate::context::Entry;
use crate::facts::managers::Call;
use crate::facts::runs::Run;
use crate::shell::Command;
use manifest::{Manifest, at, major};
use options::{Action, Options};
pub use scripts::LIFE_CYCLE;
use settings::Settings;

/// What a command of these managers means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Npm,
    /// yarn 1.
    Classic,
    /// yarn 2 and later.
    Berry,
    Pnpm,
    Bun,
}

/// The project that is installed, and what was found so far.
struct Project<'a> {
    files: &'a dyn Files,
    program: Program,
    options: Options,
    /// The folder of the root package.
    folder: String,
    /// The root's first.
    manifests: Vec<Manifest>,
    install: Install,
}

/// What an install reads and writes; `None` where no project is installed.
///
/// # Errors
/// Why it can't be told, or why the install needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    let options = match options::read(call, command, run) {
        Ok(Some(options)) => options,
        other => return other.map(|_| None),
    };
    let folder = at(".", &options.folder);
    if let Some(adds) = &options.adds {
        // Without a project it fetches what it names, whatever the sources are.
        return match files.entry(&at(&folder, "package.json")) {
            None => Ok(None),
            Some(_) => Err(format!("`{adds}` changes package.json")),
        };
    }
    let root = Manifest::read(files, &folder)?;
    let mut doubts = Vec::new();
    let program = match call.manager.id {
        "npm" => Program::Npm,
        "yarn" => yarn(files, &folder, &root, &mut doubts),
        "pnpm" => Program::Pnpm,
        _ => Program::Bun,
    };
    let above = Above::Itself;
    let install = Install { reads: vec![root.path.clone()], above, doubts, ..Install::default() };
    let mut project = Project { files, program, options, folder, manifests: vec![root], install };
    project.elsewhere(command, run)?;
    project.berry_is_frozen(command, run);
    let settings = settings::read(&mut project)?;
    project.workspaces(&settings)?;
    project.lock(call)?;
    project.lock_of_another()?;
    sources::read(&mut project, &settings)?;
    scripts::read(&mut project)?;
    project.writes(&settings, command, run)?;
    Ok(Some(project.install))
}

/// Which yarn it is: what its settings or package.json name, or what wrote the lock file.
fn yarn(files: &dyn Files, folder: &str, root: &Manifest, doubts: &mut Vec<String>) -> Program {
    let settings = files.text(&at(folder, ".yarnrc.yml"));
    let version = root.package_manager("yarn").and_then(major);
    // yarn 1 starts the yarn that `yarnPath` names.
    if settings.as_ref().is_some_and(|text| text.contains("yarnPath")) || version.is_some_and(|major| major > 1) {
        return Program::Berry;
    }
    if version == Some(1) {
        return Program::Classic;
    }
    let lock = files.text(&at(folder, "yarn.lock")).unwrap_or_default();
    if settings.is_some() || lock.contains("__metadata:") {
        return Program::Berry;
    }
    if !lock.contains("# yarn lockfile v1") {
        doubts.push("neither package.json nor a lock file tells which yarn it is".to_owned());
    }
    Program::Classic
}

impl Project<'_> {
    /// Adds a file or folder that the install reads.
    ///
    /// # Errors
    /// It isn't there, or is a link.
    fn reads(&mut self, path: &str) -> Result<(), String> {
        match self.files.entry(path) {
            None => Err(format!("it reads {path}, which isn't among the copied sources")),
            Some(Entry::Link) => Err(format!("it reads {path}, which is a link")),
            Some(_) => {
                if !self.install.reads.iter().any(|known| known == path) {
                    self.install.reads.push(path.to_owned());
                }
                Ok(())
            }
        }
    }

    /// npm fills in from a yarn.lock what its own lock file lacks. Measured: the integrity of packages.
    fn lock_of_another(&mut self) -> Result<(), String> {
        let path = at(&self.folder, "yarn.lock");
        if self.program == Program::Npm && self.files.entry(&path).is_some() { self.reads(&path) } else { Ok(()) }
    }

    fn doubt(&mut self, reason: String) {
        if !self.install.doubts.contains(&reason) {
            self.install.doubts.push(reason);
        }
    }

    /// Files above the project and in the home that would take part, and downloads that are kept among the sources.
    ///
    /// Source: `loadLocalPrefix` in `@npmcli/config`, `resolveWorkspaceRoot` and `rc.js` of yarn 1, `findProjectCwd` and
    /// `findRcFiles` of berry's Configuration.ts, pnpm `find-workspace-dir`.
    ///
    /// # Errors
    /// Such a file is among the sources.
    fn elsewhere(&self, command: &Command, run: &Run) -> Result<(), String> {
        let own_lock = self.files.entry(&at(&self.folder, "yarn.lock")).is_some();
        let names: &[&str] = match self.program {
            Program::Npm if self.options.folder_is_named => &[],
            Program::Npm | Program::Bun => &["package.json"],
            Program::Classic => &["package.json", ".npmrc", ".yarnrc"],
            Program::Berry if own_lock => &[".yarnrc.yml"],
            Program::Berry => &["package.json", "yarn.lock", ".yarnrc.yml"],
            Program::Pnpm => &["pnpm-workspace.yaml", "package.json"],
        };
        let mut folder = self.folder.clone();
        for _ in 0..8 {
            let above = at(&folder, "..");
            if above == folder {
                break;
            }
            folder = above;
            for path in names.iter().map(|name| at(&folder, name)) {
                // Any other package.json above is none of the install's business.
                let is_root = |text: String| text.contains("\"workspaces\"");
                // corepack and the managers themselves take the version from the nearest file that names one.
                let names_version = matches!(self.program, Program::Classic | Program::Pnpm)
                    && self.manifests[0].value.get("packageManager").is_none()
                    && self.files.text(&path).is_some_and(|text| text.contains("\"packageManager\""));
                let counts = !path.ends_with("package.json")
                    || names_version
                    || self.program == Program::Berry
                    || self.files.text(&path).is_none_or(is_root);
                if self.files.entry(&path).is_some() && counts {
                    return Err(format!("{path} above it may take part in the install"));
                }
            }
        }
        let stores = ["npm_config_cache", "npm_config_store_dir", "YARN_CACHE_FOLDER", "BUN_INSTALL_CACHE_DIR"];
        let stores = stores.into_iter().filter_map(|name| options::variable(name, command, run)).flatten();
        for store in stores.chain(self.options.stores.clone()) {
            let mut folder = store.as_str();
            while let Some((above, _)) = folder.rsplit_once('/') {
                if !folder.starts_with('/') || self.files.entry(folder).is_some() {
                    return Err(format!("it keeps its downloads in {store}, among the sources"));
                }
                folder = above;
            }
            if !store.starts_with('/') {
                return Err(format!("it keeps its downloads in {store}, among the sources"));
            }
        }
        let Some(home) = run.state.home().filter(|home| run.state.workdir.as_ref() != Some(home)) else {
            return Ok(());
        };
        for name in [".npmrc", ".yarnrc", ".yarnrc.yml", ".bunfig.toml", ".config/pnpm/rc"] {
            let path = at(&home, name);
            if self.files.entry(&path).is_some() {
                return Err(format!("{path} is among the sources and may take part in the install"));
            }
        }
        Ok(())
    }

    /// Source: `enableImmutableInstalls` of berry's `plugin-essentials`: on where `ci-info` sees a CI.
    fn berry_is_frozen(&mut self, command: &Command, run: &Run) {
        let is_on = |name: &str| matches!(options::variable(name, command, run), Some(Some(value)) if value == "true" || value == "1");
        let immutable = is_on("CI") || is_on("YARN_ENABLE_IMMUTABLE_INSTALLS");
        self.options.frozen |= self.program == Program::Berry && immutable;
    }

    /// Every workspace's package.json.
    fn workspaces(&mut self, settings: &Settings) -> Result<(), String> {
        let patterns = match self.program {
            _ if self.options.no_workspaces => return Ok(()),
            Program::Pnpm => settings.workspaces.clone().unwrap_or_default(),
            _ => self.manifests[0].workspaces()?,
        };
        for folder in manifest::expand(self.files, &self.folder, &patterns)? {
            let workspace = Manifest::read(self.files, &folder)?;
            if self.program == Program::Berry && !workspace.workspaces()?.is_empty() {
                return Err(format!("{} has workspaces of its own", workspace.path));
            }
            self.reads(&workspace.path)?;
            // Source: `readLocalConfig` in pnpm's recursive install.
            let own = at(&folder, ".npmrc");
            if self.program == Program::Pnpm && self.files.entry(&own).is_some() {
                self.reads(&own)?;
                settings::npmrc(self, &own)?;
            }
            self.manifests.push(workspace);
        }
        Ok(())
    }

    /// The lock file, and whether it may be rewritten.
    fn lock(&mut self, call: &Call) -> Result<(), String> {
        if self.options.no_lock {
            self.doubt(self.unlocked());
            return Ok(());
        }
        let frozen = self.options.frozen;
        let names: &[&str] = match self.program {
            Program::Npm => &["npm-shrinkwrap.json", "package-lock.json"],
            Program::Classic | Program::Berry => &["yarn.lock"],
            Program::Pnpm => &["pnpm-lock.yaml"],
            Program::Bun => &["bun.lock", "bun.lockb"],
        };
        let is_there = |name: &&&str| self.files.entry(&at(&self.folder, name)).is_some();
        let mut locks: Vec<&str> = names.iter().find(is_there).into_iter().copied().collect();
        // Measured: yarn 1 and bun go on without a lock file.
        let demands = frozen && matches!(self.program, Program::Npm | Program::Pnpm | Program::Berry)
            || self.options.action == Action::Fetch;
        if locks.is_empty() && demands {
            let command = format!("{} {}", call.manager.programs[0], call.verb_text);
            let name = names.last().unwrap_or(&"");
            return Err(format!("{} needs {name}, which isn't among the copied sources", command.trim_end()));
        }
        if self.program == Program::Bun && locks.is_empty() {
            let foreign = ["package-lock.json", "yarn.lock", "pnpm-lock.yaml"];
            if let Some(name) = foreign.iter().find(|name| self.files.entry(&at(&self.folder, name)).is_some()) {
                return Err(format!("bun may take its versions from {name}"));
            }
        }
        // Measured with npm 10: without a lock file of its own it takes yarn's, and it keeps both up to date.
        let keeps = frozen || self.options.keeps_lock;
        if self.program == Program::Npm
            && self.files.is_file(&at(&self.folder, "yarn.lock"))
            && (locks.is_empty() || !keeps)
        {
            locks.push("yarn.lock");
        }
        if locks.is_empty() {
            self.doubt(self.unlocked());
        }
        for name in locks {
            let path = at(&self.folder, name);
            self.reads(&path)?;
            if !keeps {
                self.install.rewrites.push(path);
            }
        }
        Ok(())
    }

    fn unlocked(&self) -> String {
        "it reads no lock file: today a change of any source takes the newest versions, then only a change of package.json does"
            .to_owned()
    }

    /// What comes out, and which manifests yarn berry may write anew.
    fn writes(&mut self, settings: &Settings, command: &Command, run: &Run) -> Result<(), String> {
        let folder = self.folder.clone();
        let linker = match options::variable("YARN_NODE_LINKER", command, run) {
            Some(value) => value.ok_or("which linker yarn uses isn't known")?,
            None => settings.linker.clone().unwrap_or("pnp".to_owned()),
        };
        if self.program != Program::Berry || linker != "pnp" {
            let all = if self.options.action == Action::Fetch { 1 } else { self.manifests.len() };
            let modules = self.manifests[..all].iter().map(|manifest| at(&manifest.folder, "node_modules"));
            self.install.writes.extend(modules);
        }
        if self.program != Program::Berry {
            return Ok(());
        }
        if linker == "pnp" {
            self.install
                .writes
                .extend([".pnp.cjs", ".pnp.loader.mjs", ".yarn/unplugged"].map(|name| at(&folder, name)));
        }
        self.install.writes.push(at(&folder, ".yarn/install-state.gz"));
        let version = self.manifests[0].package_manager("yarn").and_then(major).or(settings.yarn);
        let is_global = match options::variable("YARN_ENABLE_GLOBAL_CACHE", command, run) {
            Some(value) => value.as_deref() == Some("true") || value.as_deref() == Some("1"),
            None => settings.global_cache.unwrap_or(version.is_some_and(|major| major >= 4)),
        };
        let cache = at(&folder, ".yarn/cache");
        if !is_global && options::variable("YARN_CACHE_FOLDER", command, run).is_none() {
            if self.files.entry(&cache).is_some() {
                return Err(format!("the archives in {cache} are part of the sources, and yarn adds to them"));
            }
            self.install.writes.push(cache);
        }
        if version.is_none_or(|major| major < 3) {
            self.install.writes.push(at(&folder, ".yarn/build-state.yml"));
        }
        if self.options.action != Action::Focus {
            let odd = self.manifests.iter().filter(|manifest| !sources::is_as_yarn_writes_it(manifest));
            self.install.rewrites.extend(odd.map(|manifest| manifest.path.clone()).collect::<Vec<_>>());
        }
        Ok(())
    }
}
