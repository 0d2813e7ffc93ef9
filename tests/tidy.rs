//! The house: layers, names, registration.

use std::path::{Path, PathBuf};

/// Top-level modules from the top down; each uses only those that stand below it.
const LAYERS: [&str; 24] = [
    "cli",
    "examples",
    "transforms",
    "report",
    "write",
    "discover",
    "engine",
    "transform",
    "verify",
    "forecast",
    "project",
    "config",
    "same_image",
    "facts",
    "context",
    "dockerfile",
    "shell",
    "yaml",
    "hcl",
    "python",
    "docker",
    "edit",
    "text",
    "main",
];
/// Uses that point upwards, with the reason why they stay.
const KNOWN: [(&str, &str, &str); 1] = [
    // The schema holds the builder's name; the project holds the settings that the schema gives.
    ("config", "project", "restow.toml names a builder, and a project has settings"),
];
/// Libraries that are called from one module only.
const LIBRARIES: [(&str, &str); 16] = [
    ("rable::", "src/shell"),
    ("similar::", "src/report"),
    ("tempfile::", "src/write.rs src/verify"),
    ("sha2::", "src/report src/same_image"),
    ("signal_hook::", "src/cli"),
    ("rustix::", "src/verify"),
    ("rayon::", "src/cli"),
    ("clap::", "src/cli src/main.rs"),
    ("anyhow::", "src/cli src/main.rs"),
    ("toml::", "src/config.rs src/facts/packages.rs src/facts/manifests src/facts/models/data.rs"),
    ("granit_parser::", "src/yaml"),
    ("serde_yaml::", "src/yaml"),
    ("hcl_edit::", "src/hcl"),
    ("ruff_python_parser::", "src/python"),
    ("ruff_python_ast::", "src/python"),
    ("ruff_text_size::", "src/python"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path: PathBuf = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The text without its tests and comments.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or(text);
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

fn layer(path: &str) -> String {
    if path.starts_with("transforms/") {
        return "transforms".to_owned();
    }
    let inner = path.trim_start_matches("src/");
    inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs").to_owned()
}

#[test]
fn arrows_point_downward_only() {
    let rank = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("transforms")) {
        let own = layer(&path);
        if own == "lib" || own == "main" {
            continue;
        }
        let Some(own_rank) = rank(&own) else { panic!("{path}: {own} is no layer") };
        for used in code(&text).split("crate::").skip(1) {
            let used: String = used.chars().take_while(|ch| ch.is_ascii_lowercase() || *ch == '_').collect();
            let Some(used_rank) = rank(&used) else { continue };
            let known = KNOWN.iter().any(|(from, to, _)| *from == own && *to == used);
            if used_rank < own_rank && !known {
                wrong.push(format!("{path} uses {used}"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn transforms_and_engine_do_not_see_each_other() {
    for (path, text) in sources("transforms") {
        assert!(!code(&text).contains("crate::engine"), "{path}");
    }
    for (path, text) in sources("src").iter().filter(|(path, _)| path.starts_with("src/engine/")) {
        assert!(!code(text).contains("crate::transforms"), "{path}");
    }
}

#[test]
fn transforms_never_import_one_another() {
    for (path, text) in sources("transforms") {
        if path == "transforms/mod.rs" {
            continue;
        }
        assert!(!code(&text).contains("crate::transforms"), "{path}");
    }
}

#[test]
fn every_transform_is_registered_and_named_alike() {
    let registry = std::fs::read_to_string(root().join("transforms/mod.rs")).unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join("transforms")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        if name == "mod" {
            continue;
        }
        let id = name.replace('_', "-");
        let pascal: String = name.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
        assert!(
            registry.contains(&format!("pub mod {name};")) && registry.contains(&format!("{name}::{pascal}")),
            "{name}"
        );
        assert!(restow::transforms::ids().contains(&id.as_str()), "{id}");
        found.push(id);
    }
    assert_eq!(found.len(), restow::transforms::ALL.len());
}

#[test]
fn libraries_are_called_from_one_place() {
    for (path, text) in sources("src").into_iter().chain(sources("transforms")) {
        for (library, places) in LIBRARIES {
            let used = code(&text).lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(&format!("use {library}"))
                    || !line.starts_with("//")
                        && line
                            .split(|ch: char| !(ch.is_alphanumeric() || ch == '_' || ch == ':'))
                            .any(|word| word.starts_with(library))
            });
            let allowed = places.split(' ').any(|place| path.starts_with(place));
            assert!(!used || allowed, "{path} uses {library}");
        }
    }
}

#[test]
fn names_say_what_a_thing_is() {
    for (path, _) in sources("src").into_iter().chain(sources("transforms")) {
        let name = path.rsplit('/').next().unwrap();
        for vague in ["util", "helper", "common.rs", "misc", "manager.rs"] {
            assert!(!name.contains(vague), "{path}");
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is() {
    for (path, text) in sources("src").into_iter().chain(sources("transforms")).chain(sources("tests")) {
        assert!(text.starts_with("//!"), "{path} has no module doc");
    }
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut section = "";
    let mut before = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]") && line.contains('=') {
            assert!(before.starts_with('#'), "{line}");
        }
        before = line;
    }
}
