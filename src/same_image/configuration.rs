//! The configuration of an image, as far as docs/same-image.md compares it.

use std::collections::BTreeMap;

use serde_json::Value;

/// The instruction that sets it, and the field of `docker image inspect`.
pub const FIELDS: [(&str, &str); 12] = [
    ("ENV", "Env"),
    ("USER", "User"),
    ("WORKDIR", "WorkingDir"),
    ("CMD", "Cmd"),
    ("ENTRYPOINT", "Entrypoint"),
    ("LABEL", "Labels"),
    ("EXPOSE", "ExposedPorts"),
    ("VOLUME", "Volumes"),
    ("ONBUILD", "OnBuild"),
    ("SHELL", "Shell"),
    ("HEALTHCHECK", "Healthcheck"),
    ("STOPSIGNAL", "StopSignal"),
];

/// What each instruction has set; of ENV and LABEL by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    set: BTreeMap<String, Value>,
}

impl Configuration {
    /// From the `Config` of `docker image inspect`.
    pub fn read(config: &Value) -> Self {
        let mut set = BTreeMap::new();
        for (instruction, field) in FIELDS {
            match &config[field] {
                Value::Null => {}
                Value::String(text) if text.is_empty() => {}
                Value::Array(items) if items.is_empty() => {}
                Value::Array(items) if instruction == "ENV" => {
                    for variable in items.iter().filter_map(Value::as_str) {
                        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
                        set.insert(format!("ENV {name}"), Value::from(value));
                    }
                }
                Value::Object(entries) if matches!(instruction, "LABEL" | "EXPOSE" | "VOLUME") => {
                    let named = entries.iter().map(|(name, value)| (format!("{instruction} {name}"), value.clone()));
                    set.extend(named);
                }
                value => drop(set.insert(instruction.to_owned(), value.clone())),
            }
        }
        Self { set }
    }

    /// What differs: the instruction with its name, and the value on each side.
    pub fn differences(&self, after: &Self) -> Vec<(String, Option<String>, Option<String>)> {
        let shown = |set: &BTreeMap<String, Value>, key: &str| {
            set.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let mut keys: Vec<&String> = self.set.keys().chain(after.set.keys()).collect();
        keys.sort();
        keys.dedup();
        let differing = keys.into_iter().filter(|key| self.set.get(*key) != after.set.get(*key));
        differing.map(|key| (key.clone(), shown(&self.set, key), shown(&after.set, key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_compared_by_name() {
        let read = |text: &str| Configuration::read(&serde_json::from_str(text).unwrap());
        let before = read(r#"{"Env": ["A=1", "B=x=y"], "Cmd": ["a"], "Labels": null, "User": ""}"#);
        let after = read(r#"{"Env": ["B=x=y", "A=2"], "Cmd": ["a"], "Labels": {"v": "1"}, "Hostname": "h"}"#);
        assert_eq!(
            before.differences(&after),
            [
                ("ENV A".to_owned(), Some("1".to_owned()), Some("2".to_owned())),
                ("LABEL v".to_owned(), None, Some("1".to_owned())),
            ]
        );
        assert_eq!(before.differences(&before), []);
    }
}
