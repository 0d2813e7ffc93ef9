//! What .npmrc, .yarnrc, .yarnrc.yml, pnpm-workspace.yaml and bunfig.toml say of an install.

use super::manifest::{at, major};
use super::options::Action;
use super::{Program, Project};
use crate::yaml::{Node, Stream};

/// What the settings of a project add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `packages` of pnpm-workspace.yaml.
    pub workspaces: Option<Vec<String>>,
    /// yarn berry's `nodeLinker`.
    pub linker: Option<String>,
    /// yarn berry's `enableGlobalCache`.
    pub global_cache: Option<bool>,
    /// Patches that pnpm-workspace.yaml names.
    pub patches: Vec<String>,
    /// Versions that pnpm-workspace.yaml puts in the place of others, as package.json's `overrides` do.
    pub overrides: Vec<String>,
    /// The major version of yarn that `yarnPath` names.
    pub yarn: Option<u32>,
}

/// Reads the settings that stand in the project's folder, and lists their files and the ones that these name.
///
/// # Errors
/// Settings that read or write elsewhere in the sources, and files that aren't read.
pub fn read(project: &mut Project) -> Result<Settings, String> {
    let mut settings = Settings::default();
    let names: &[&str] = match project.program {
        Program::Npm => &[".npmrc"],
        Program::Classic => &[".yarnrc", ".npmrc", ".corepack.env"],
        Program::Berry => &[".yarnrc.yml", ".env.yarn", ".corepack.env"],
        Program::Pnpm => &["pnpm-workspace.yaml", ".npmrc", ".pnpmfile.cjs", ".pnpmfile.mjs", ".corepack.env"],
        Program::Bun => &["bunfig.toml", ".npmrc"],
    };
    for name in names {
        let path = at(&project.folder, name);
        if project.files.entry(&path).is_none() {
            continue;
        }
        project.reads(&path)?;
        if *name == ".npmrc" {
            npmrc(project, &path)?;
            continue;
        }
        let text = project.files.text(&path).ok_or(format!("{path} can't be read"))?;
        match *name {
            ".yarnrc" => yarnrc(project, &path, &text)?,
            ".yarnrc.yml" => berry(project, &path, &text, &mut settings)?,
            "pnpm-workspace.yaml" => pnpm(project, &path, &text, &mut settings)?,
            "bunfig.toml" => bunfig(project, &path, &text)?,
            ".pnpmfile.cjs" | ".pnpmfile.mjs" if text.contains("require(") || text.contains("import") => {
                return Err(format!("{path} may load other files of the sources"));
            }
            _ => {}
        }
    }
    if project.program == Program::Bun {
        let names = project.files.names(&project.folder);
        if let Some(name) = names.iter().find(|name| *name == ".env" || name.starts_with(".env.")) {
            project.doubt(format!("bun loads {name} before it installs"));
        }
    }
    Ok(settings)
}

/// Keys with which an install reads or writes other places, or copies sources.
#[rustfmt::skip]
const ELSEWHERE: [&str; 26] = [
    "cafile", "certfile", "keyfile", "cert-file", "userconfig", "globalconfig", "prefix", "node-options", "script-shell",
    "install-links", "modules-dir", "lockfile-dir", "virtual-store-dir", "shared-workspace-lockfile", "pnpmfile",
    "global-pnpmfile", "dir", "git-branch-lockfile", "inject-workspace-packages", "onload-script", "package-lock-only",
    "yarn-offline-mirror", "lockfile", "cache-folder", "lockfile-only", "merge-git-branch-lockfiles",
];

/// One setting in npm's spelling (`ignore-scripts`).
fn setting(project: &mut Project, path: &str, key: &str, value: &str) -> Result<(), String> {
    let last = key.rsplit(':').next().unwrap_or(key).trim_end_matches("[]");
    let elsewhere =
        matches!(last, "cache" | "cache-dir" | "store-dir") && !value.starts_with('/') && !value.starts_with('~');
    let default = match last {
        "shared-workspace-lockfile" | "lockfile" => "true",
        "install-links" | "inject-workspace-packages" | "git-branch-lockfile" | "package-lock-only" => "false",
        _ => "",
    };
    if elsewhere || ELSEWHERE.contains(&last) && value != default || last == "node-linker" && value == "pnp" {
        return Err(format!("{path} sets {last}"));
    }
    match (last, value) {
        ("ignore-scripts", "true") => project.options.ignore_scripts = true,
        ("package-lock" | "shrinkwrap", "false") if project.program == Program::Npm => project.options.no_lock = true,
        ("frozen-lockfile", "true") if project.program == Program::Pnpm => project.options.frozen = true,
        _ => {}
    }
    Ok(())
}

/// Reads one .npmrc.
///
/// # Errors
/// As [`read`].
pub fn npmrc(project: &mut Project, path: &str) -> Result<(), String> {
    let text = project.files.text(path).ok_or(format!("{path} can't be read"))?;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        let (key, value) =
            line.split_once('=').map_or((line, "true"), |(key, value)| (key.trim_end(), value.trim_start()));
        setting(project, path, key, value.trim_matches(['"', '\'']))?;
    }
    Ok(())
}

fn yarnrc(project: &mut Project, path: &str, text: &str) -> Result<(), String> {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let (key, value) = (key.trim_matches('"'), value.trim().trim_matches('"'));
        match key {
            "yarn-path" => {
                let version = value.rsplit('/').next().and_then(|name| name.strip_prefix("yarn-")).and_then(major);
                if version != Some(1) {
                    return Err(format!("{path} names {value}, which may be another yarn"));
                }
                project.reads(&at(&project.folder.clone(), value))?;
            }
            "--install.frozen-lockfile" | "--frozen-lockfile" => project.options.frozen |= value == "true",
            "--install.ignore-scripts" | "--ignore-scripts" | "ignore-scripts" => {
                project.options.ignore_scripts |= value == "true";
            }
            "--install.production" | "--install.ignore-engines" | "--ignore-engines" | "ignore-engines" => {}
            _ if key.starts_with("--add.") || key.starts_with("version-") || key.starts_with("save-") => {}
            _ if key.ends_with("registry") || key.starts_with("--run.") => {}
            "network-timeout"
            | "network-concurrency"
            | "lastUpdateCheck"
            | "disable-self-update-check"
            | "strict-ssl"
            | "workspaces-experimental"
            | "child-concurrency"
            | "env"
            | "email"
            | "username"
            | "init-license" => {}
            _ => return Err(format!("{path} sets {key}")),
        }
    }
    Ok(())
}

/// The pairs of a YAML file's mapping.
fn pairs(stream: &Stream) -> Vec<(&str, &Node)> {
    stream.documents.first().map(|root| stream.effective_pairs(root)).unwrap_or_default()
}

fn yaml(path: &str, text: &str) -> Result<Stream, String> {
    Stream::read(text).map_err(|_| format!("{path} can't be read"))
}

/// `nodeLinker` as `node-linker`.
fn dashed(key: &str) -> String {
    let mut out = String::new();
    for ch in key.chars() {
        if ch.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(ch.to_ascii_lowercase());
    }
    out
}

fn pnpm(project: &mut Project, path: &str, text: &str, settings: &mut Settings) -> Result<(), String> {
    let stream = yaml(path, text)?;
    let pairs = pairs(&stream);
    for (key, value) in &pairs {
        match *key {
            "packages" => {
                let items: Option<Vec<_>> = value.items().iter().map(|item| item.text().map(str::to_owned)).collect();
                settings.workspaces = Some(items.ok_or(format!("the packages of {path} can't be read"))?);
            }
            "patchedDependencies" => {
                settings.patches.extend(value.pairs().iter().filter_map(|(_, patch)| Some(patch.text()?.to_owned())));
            }
            "overrides" => {
                settings.overrides.extend(value.pairs().iter().filter_map(|(_, to)| Some(to.text()?.to_owned())));
            }
            _ => setting(project, path, &dashed(key), value.text().unwrap_or(""))?,
        }
    }
    // Measured: without any key pnpm 8 and 9 take all folders; pnpm 10 and 12 the root alone, as with other keys only (an error before).
    if settings.workspaces.is_none() && pairs.is_empty() {
        settings.workspaces = Some(vec!["**".to_owned()]);
    }
    Ok(())
}

fn berry(project: &mut Project, path: &str, text: &str, settings: &mut Settings) -> Result<(), String> {
    let stream = yaml(path, text)?;
    let folder = project.folder.clone();
    for (key, value) in pairs(&stream) {
        let text = value.text().unwrap_or("");
        match key {
            "yarnPath" => {
                settings.yarn = text.rsplit('/').next().and_then(|name| name.strip_prefix("yarn-")).and_then(major);
                project.reads(&at(&folder, text))?;
            }
            "plugins" => plugins(project, path, value)?,
            "nodeLinker" => settings.linker = Some(text.to_owned()),
            "enableGlobalCache" => settings.global_cache = Some(text == "true"),
            "enableImmutableInstalls" if project.options.action == Action::Install => {
                project.options.frozen |= text == "true";
            }
            "cacheFolder"
            | "lockfileFilename"
            | "pnpDataPath"
            | "pnpUnpluggedFolder"
            | "installStatePath"
            | "virtualFolder"
            | "deferredVersionFolder"
            | "injectEnvironmentFiles"
            | "patchFolder"
            | "ignorePath"
            | "httpsCaFilePath"
            | "httpsCertFilePath"
            | "httpsKeyFilePath"
            | "caFilePath"
            | "networkSettings"
            | "rcFilename"
            | "bstatePath"
            | "constraintsPath" => return Err(format!("{path} sets {key}")),
            "enableConstraintsChecks" if text == "true" => return Err(format!("{path} sets {key}")),
            _ => {}
        }
    }
    Ok(())
}

/// Plugins of yarn itself that add commands only.
const COMMANDS: [&str; 6] = ["workspace-tools", "interactive-tools", "typescript", "version", "stage", "constraints"];

fn plugins(project: &mut Project, path: &str, list: &Node) -> Result<(), String> {
    let folder = project.folder.clone();
    for plugin in list.items() {
        let named = plugin.text().or_else(|| plugin.get("path").and_then(Node::text));
        let file = named.ok_or(format!("the plugins of {path} can't be read"))?;
        project.reads(&at(&folder, file))?;
        let spec = plugin.get("spec").and_then(Node::text).unwrap_or(file);
        if !COMMANDS.iter().any(|known| spec == format!("@yarnpkg/plugin-{known}")) {
            project.doubt(format!("yarn runs its plugin {file} in the install"));
        }
    }
    Ok(())
}

/// The keys of bunfig.toml, line by line: the file is small, and what isn't known here is refused.
fn bunfig(project: &mut Project, path: &str, text: &str) -> Result<(), String> {
    let mut table = "";
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
            continue;
        }
        let (key, value) = line.split_once('=').map_or((line, ""), |(key, value)| (key.trim(), value.trim()));
        let is_install = table == "install" || table.starts_with("install.");
        if !is_install {
            // Other tables speak of `bun run` and `bun test`.
            if key.starts_with("install") {
                return Err(format!("{path} sets {key}"));
            }
            continue;
        }
        match key {
            "frozenLockfile" => project.options.frozen |= value == "true",
            "ignoreScripts" => project.options.ignore_scripts |= value == "true",
            "production" => project.options.frozen |= value == "true",
            "registry"
            | "token"
            | "username"
            | "password"
            | "url"
            | "optional"
            | "dev"
            | "peer"
            | "exact"
            | "auto"
            | "linker"
            | "saveTextLockfile"
            | "disable"
            | "disableManifest"
            | "concurrentScripts"
            | "minimumReleaseAge"
            | "linkWorkspacePackages"
            | "backend" => {}
            _ if table == "install.scopes" || table.starts_with("install.scopes.") => {}
            _ => return Err(format!("{path} sets {key}")),
        }
    }
    Ok(())
}
