//! Which flavour of a package manager a project uses, from the files beside the Dockerfile.

use super::Facts;
use super::runs::Run;
use crate::context::Context;
use crate::dockerfile::Keyword;

/// What `yarn` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yarn {
    Classic,
    /// Version 2 and later, with the text of its .yarnrc.yml if there is one.
    Berry {
        major: Option<u32>,
        settings: String,
    },
    Unknown,
}

/// The folders of the context that COPY and ADD take something from, as written and without patterns.
pub fn copied_folders(facts: &Facts<'_>) -> Vec<String> {
    let mut folders = Vec::new();
    for instruction in &facts.file.instructions {
        let copies = matches!(instruction.keyword, Keyword::Copy | Keyword::Add) && instruction.flag("from").is_none();
        if !copies {
            continue;
        }
        let words: Vec<String> = match &instruction.json {
            Some(strings) => strings.clone(),
            None => instruction.words(facts.file.escape).into_iter().map(|word| word.raw).collect(),
        };
        for source in &words[..words.len().saturating_sub(1)] {
            let plain = source.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
            if plain.contains(['*', '?', '$', '"', '<']) || plain.contains("..") || plain.contains("://") {
                continue;
            }
            folders.push(plain.to_owned());
            if let Some((folder, _)) = plain.rsplit_once('/') {
                folders.push(folder.to_owned());
            }
        }
    }
    folders.sort();
    folders.dedup();
    folders
}

/// What `yarn` means in this project: from package.json's packageManager, .yarnrc.yml and the lock file.
pub fn yarn(facts: &Facts<'_>, run: &Run, context: &Context) -> Yarn {
    let folders = copied_folders(facts);
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let settings = context.find(".yarnrc.yml", &folders);
    let manifests = context.find("package.json", &folders);
    let named = manifests.iter().find_map(|(_, text)| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let version = value.get("packageManager")?.as_str()?.strip_prefix("yarn@")?.to_owned();
        version.split('.').next().and_then(|major| major.parse::<u32>().ok())
    });
    match named {
        Some(1) => return Yarn::Classic,
        Some(major) => {
            let settings = settings.first().map(|(_, text)| text.clone()).unwrap_or_default();
            return Yarn::Berry { major: Some(major), settings };
        }
        None => {}
    }
    if let Some((_, text)) = settings.first() {
        let major = text
            .split_once("releases/yarn-")
            .and_then(|(_, rest)| rest.split('.').next())
            .and_then(|major| major.parse().ok());
        return Yarn::Berry { major, settings: text.clone() };
    }
    let activated = facts.runs.iter().filter(|other| other.instruction <= run.instruction);
    let berry = activated.clone().any(|other| {
        other.text.text.contains("yarn set version")
            || other.text.text.contains("yarn@stable")
            || other.text.text.contains("yarn@berry")
    });
    if berry {
        return Yarn::Berry { major: None, settings: String::new() };
    }
    for (_, text) in context.find("yarn.lock", &folders) {
        if text.contains("# yarn lockfile v1") {
            return Yarn::Classic;
        }
        if text.contains("__metadata:") {
            return Yarn::Berry { major: None, settings: String::new() };
        }
    }
    // Flags that only the classic one has.
    let classic = [
        "--frozen-lockfile",
        "--pure-lockfile",
        "--production",
        "--network-timeout",
        "--ignore-optional",
        "yarn global add",
        "--non-interactive",
    ];
    if classic.iter().any(|flag| run.text.text.contains(flag))
        && (!manifests.is_empty() || run.text.text.contains("yarn global add"))
    {
        return Yarn::Classic;
    }
    Yarn::Unknown
}

/// The major version of pnpm, from packageManager or from the command that installs it.
pub fn pnpm_major(facts: &Facts<'_>, context: &Context) -> Option<u32> {
    let folders = copied_folders(facts);
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let named = context.find("package.json", &folders).iter().find_map(|(_, text)| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        Some(value.get("packageManager")?.as_str()?.strip_prefix("pnpm@")?.to_owned())
    });
    let installed = facts.runs.iter().find_map(|run| {
        let (_, rest) = run.text.text.split_once("pnpm@")?;
        Some(rest.to_owned())
    });
    let version = named.or(installed)?;
    version.split(|ch: char| !ch.is_ascii_digit()).next().and_then(|major| major.parse().ok())
}

/// The first line of a file beside the Dockerfile that sets one of `keys`: `path: key`.
pub fn setting(facts: &Facts<'_>, context: &Context, name: &str, keys: &[&str]) -> Option<String> {
    let folders = copied_folders(facts);
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    for (path, text) in context.find(name, &folders) {
        if name == "pyproject.toml" {
            let table: Option<toml::Table> = toml::from_str(&text).ok();
            let uv = table.as_ref().and_then(|table| table.get("tool")).and_then(|tool| tool.get("uv"));
            if let Some(key) = keys.iter().find(|key| uv.is_some_and(|uv| uv.get(**key).is_some())) {
                return Some(format!("{path} sets {key}"));
            }
            continue;
        }
        for line in text.lines() {
            let bare = line.trim_start().trim_start_matches(['"', '\'', '<']);
            let key = keys.iter().find(|key| {
                bare.strip_prefix(**key)
                    .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(['=', ':']))
                    || line.contains(&format!("key=\"{key}\""))
            });
            if let Some(key) = key {
                return Some(format!("{path} sets {key}"));
            }
        }
    }
    None
}
