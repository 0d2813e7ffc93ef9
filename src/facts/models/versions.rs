//! Which versions of libraries a service installs, as far as its requirements say.

use std::collections::BTreeMap;

use super::data::{Data, DataKind};
use crate::facts::requirements::{self, Entry, normalised};

/// For each library, by its normalised name, what is asked for.
#[derive(Debug, Clone, Default)]
pub struct Versions(BTreeMap<String, String>);

impl Versions {
    /// Takes what a file of requirements, a pyproject.toml or a lock file says.
    pub fn read(&mut self, path: &str, text: &str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name {
            "poetry.lock" | "uv.lock" | "pdm.lock" => self.lock(text),
            "pyproject.toml" => self.pyproject(text),
            _ if name.ends_with(".txt") || name.ends_with(".in") => {
                for line in requirements::read(text) {
                    self.entry(line.entry);
                }
            }
            _ => {}
        }
    }

    /// Takes a word of `pip install`.
    pub fn word(&mut self, word: &str) {
        self.entry(requirements::read_argument(word));
    }

    fn entry(&mut self, entry: Entry) {
        if let Entry::Requirement(requirement) = entry {
            self.add(&requirement.name, &requirement.specifier);
        }
    }

    /// An exact version says more than a range, a range more than nothing.
    fn add(&mut self, name: &str, specifier: &str) {
        let known = self.0.entry(name.to_owned()).or_default();
        if !known.starts_with("==") && (specifier.starts_with("==") || known.is_empty()) {
            specifier.clone_into(known);
        }
    }

    /// Lock files of poetry, uv and pdm have one `name` and one `version` below each `[[package]]`. They are large: read line by line.
    fn lock(&mut self, text: &str) {
        let value = |line: &str, key: &str| {
            let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
            Some(rest.trim_matches('"').to_owned())
        };
        let mut name: Option<String> = None;
        for line in text.lines() {
            if line.starts_with("[[package]]") {
                name = None;
            } else if let Some(found) = value(line, "name") {
                name.get_or_insert(found);
            } else if let (Some(version), Some(known)) = (value(line, "version"), &name) {
                self.add(&normalised(known), &format!("=={version}"));
                name = None;
            }
        }
    }

    fn pyproject(&mut self, text: &str) {
        let Some(data) = super::data::read("pyproject.toml", text) else { return };
        if let Some(Data { kind: DataKind::List(items), .. }) =
            data.get("project").and_then(|table| table.get("dependencies"))
        {
            for item in items {
                if let DataKind::Text(text) = &item.kind {
                    self.word(text);
                }
            }
        }
        let poetry = data.get("tool").and_then(|tool| tool.get("poetry")).and_then(|poetry| poetry.get("dependencies"));
        if let Some(Data { kind: DataKind::Map(pairs), .. }) = poetry {
            for (name, value) in pairs {
                let version = match &value.kind {
                    DataKind::Text(text) => Some(text.clone()),
                    _ => value.get("version").and_then(|version| match &version.kind {
                        DataKind::Text(text) => Some(text.clone()),
                        _ => None,
                    }),
                };
                let Some(version) = version else { continue };
                let exact =
                    version.chars().next().is_some_and(|ch| ch.is_ascii_digit()) && !version.contains(['*', ',']);
                let specifier = if exact { format!("=={version}") } else { version };
                self.add(&normalised(name), &specifier);
            }
        }
    }

    /// The exact version that is asked for.
    pub fn pin(&self, name: &str) -> Option<&str> {
        let pin = self.0.get(name)?.strip_prefix("==")?;
        (!pin.contains([',', '*', '='])).then_some(pin)
    }

    /// Whether a library is among the requirements.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether what is asked for is older than a version: by its pin, or an upper bound at or below it. No where nothing is said.
    pub fn is_below(&self, name: &str, major: u32, minor: u32) -> bool {
        let Some(specifier) = self.0.get(name) else { return false };
        specifier.split(',').any(|clause| {
            let clause = clause.trim();
            let (operator, version) =
                clause.split_at(clause.find(|ch: char| ch.is_ascii_digit()).unwrap_or(clause.len()));
            let Some(version) = parts(version) else { return false };
            match operator.trim() {
                "==" | "~=" | "<=" | "===" | "^" | "~" => version < (major, minor),
                "<" => version <= (major, minor),
                _ => false,
            }
        })
    }
}

fn parts(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|part| part.chars().take_while(char::is_ascii_digit).collect::<String>());
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0);
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_says_more_than_a_range() {
        let mut versions = Versions::default();
        versions.read("requirements.txt", "sentence-transformers>=2.2\nhuggingface_hub==0.23.4\ntransformers<4.30\n");
        versions.read("poetry.lock", "[[package]]\nname = \"sentence-transformers\"\nversion = \"2.2.2\"\n");
        assert_eq!(versions.pin("sentence-transformers"), Some("2.2.2"));
        assert_eq!(versions.pin("huggingface-hub"), Some("0.23.4"));
        assert!(versions.is_below("sentence-transformers", 2, 3) && !versions.is_below("sentence-transformers", 2, 2));
        assert!(versions.is_below("transformers", 4, 30) && !versions.is_below("torch", 2, 0));
    }
}
