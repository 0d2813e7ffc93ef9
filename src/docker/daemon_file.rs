//! daemon.json: what the engine was told to do otherwise.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a daemon.json says of builds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DaemonFile {
    /// `features.buildkit`.
    pub buildkit: Option<bool>,
    /// `features.containerd-snapshotter`.
    pub containerd: Option<bool>,
    /// `builder.gc.enabled`.
    pub collects: Option<bool>,
    /// Whether `builder.gc` has limits or rules of its own.
    pub has_rules: bool,
}

/// Why it tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "lowercase", tag = "why", content = "said")]
pub enum Unread {
    #[error("is not there")]
    Missing,
    #[error("can't be read: {0}")]
    Unreadable(String),
    #[error("is not valid: {0}")]
    Invalid(String),
}

/// The file of an engine on this machine.
pub fn place(is_desktop: bool, is_rootless: bool, home: Option<&Path>, config: Option<&Path>) -> Option<PathBuf> {
    match (is_desktop, is_rootless) {
        (true, _) => Some(home?.join(".docker/daemon.json")),
        (_, true) => {
            let config = config.map(Path::to_owned).or_else(|| Some(home?.join(".config")))?;
            Some(config.join("docker/daemon.json"))
        }
        _ if cfg!(windows) => Some(PathBuf::from(r"C:\ProgramData\docker\config\daemon.json")),
        _ => Some(PathBuf::from("/etc/docker/daemon.json")),
    }
}

/// # Errors
/// A file that is missing, can't be read, or is not valid.
pub fn read(path: &Path) -> Result<DaemonFile, Unread> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Unread::Missing),
        Err(error) => Err(Unread::Unreadable(error.to_string())),
    }
}

/// # Errors
/// What is not valid in it.
pub fn parse(text: &str) -> Result<DaemonFile, Unread> {
    #[derive(Deserialize, Default)]
    struct Raw {
        features: Option<Features>,
        builder: Option<Builder>,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "kebab-case")]
    struct Features {
        buildkit: Option<bool>,
        containerd_snapshotter: Option<bool>,
    }
    #[derive(Deserialize, Default)]
    struct Builder {
        gc: Option<serde_json::Map<String, serde_json::Value>>,
    }
    // An empty file is no fault for the engine.
    if text.trim().is_empty() {
        return Ok(DaemonFile::default());
    }
    let raw: Raw = serde_json::from_str(text).map_err(|error| Unread::Invalid(error.to_string()))?;
    let features = raw.features.unwrap_or_default();
    let gc = raw.builder.unwrap_or_default().gc.unwrap_or_default();
    Ok(DaemonFile {
        buildkit: features.buildkit,
        containerd: features.containerd_snapshotter,
        collects: gc.get("enabled").and_then(serde_json::Value::as_bool),
        has_rules: gc.keys().any(|key| key != "enabled"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_and_the_collector_are_read() {
        let text = r#"{"features":{"buildkit":false,"containerd-snapshotter":true},"builder":{"gc":{"enabled":true,"defaultKeepStorage":"20GB"}},"registry-mirrors":["https://mirror.example"]}"#;
        let expected =
            DaemonFile { buildkit: Some(false), containerd: Some(true), collects: Some(true), has_rules: true };
        assert_eq!(parse(text), Ok(expected));
        assert_eq!(parse("{}"), Ok(DaemonFile::default()));
        assert_eq!(parse("\n"), Ok(DaemonFile::default()));
    }

    #[test]
    fn what_is_not_valid_is_said() {
        assert!(matches!(parse("{\"features\": {\"buildkit\": true,}}"), Err(Unread::Invalid(_))));
        assert!(matches!(parse("{\"features\": {\"buildkit\": \"yes\"}}"), Err(Unread::Invalid(_))));
        assert_eq!(read(Path::new("/nonexistent/daemon.json")), Err(Unread::Missing));
    }

    #[cfg(unix)]
    #[test]
    fn the_place_depends_on_the_kind_of_engine() {
        let (home, config) = (Path::new("/home/a"), Path::new("/cfg"));
        let place = |desktop, rootless, config| place(desktop, rootless, Some(home), config).unwrap();
        assert_eq!(place(false, false, None), Path::new("/etc/docker/daemon.json"));
        assert_eq!(place(false, true, None), Path::new("/home/a/.config/docker/daemon.json"));
        assert_eq!(place(false, true, Some(config)), Path::new("/cfg/docker/daemon.json"));
        assert_eq!(place(true, false, None), Path::new("/home/a/.docker/daemon.json"));
    }
}
