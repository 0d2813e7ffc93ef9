//! pyproject.toml and other TOML files that installs read.

use super::Files;

/// A TOML file.
#[derive(Debug)]
pub struct Document {
    path: String,
    table: toml::Table,
}

impl Document {
    /// Reads the file at `path`; `None` if there is none.
    ///
    /// # Errors
    /// A file that is no TOML, or too large to be a manifest.
    pub fn read(files: &dyn Files, path: &str) -> Result<Option<Self>, String> {
        if files.entry(path).is_none() {
            return Ok(None);
        }
        let text = files.text(path).ok_or(format!("{path} can't be read"))?;
        let text = text.trim_start_matches('\u{feff}');
        let table = toml::from_str(text).map_err(|_| format!("{path} is no TOML"))?;
        Ok(Some(Self { path: path.to_owned(), table }))
    }

    pub fn table(&self) -> &toml::Table {
        &self.table
    }

    /// The value behind `keys`.
    pub fn get(&self, keys: &[&str]) -> Option<&toml::Value> {
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(self.table.get(*first)?, |value, key| value.get(*key))
    }

    pub fn is_true(&self, keys: &[&str]) -> bool {
        self.get(keys).and_then(toml::Value::as_bool) == Some(true)
    }

    pub fn is_false(&self, keys: &[&str]) -> bool {
        self.get(keys).and_then(toml::Value::as_bool) == Some(false)
    }

    /// The strings of a list.
    pub fn strings(&self, keys: &[&str]) -> Vec<&str> {
        let list = self.get(keys).and_then(toml::Value::as_array);
        list.into_iter().flatten().filter_map(toml::Value::as_str).collect()
    }

    /// Which of the lists of packages a build of the project computes.
    pub fn computed_dependencies(&self) -> Option<&str> {
        let dynamic = self.strings(&["project", "dynamic"]);
        dynamic.into_iter().find(|field| matches!(*field, "dependencies" | "optional-dependencies" | "requires-python"))
    }

    /// # Errors
    /// A dependency of `[project]`, of the groups or of `[build-system]` that names a file.
    pub fn refuse_local_requirements(&self) -> Result<(), String> {
        let lists: [&[&str]; 8] = [
            &["project", "dependencies"],
            &["project", "optional-dependencies"],
            &["dependency-groups"],
            &["tool", "uv", "dev-dependencies"],
            &["tool", "uv", "override-dependencies"],
            &["tool", "uv", "constraint-dependencies"],
            &["tool", "uv", "build-constraint-dependencies"],
            &["tool", "pdm", "dev-dependencies"],
        ];
        for list in lists {
            let Some(value) = self.get(list) else { continue };
            if let Some(text) = find_string(value, &|text| is_local_requirement(text)) {
                return Err(format!("{} names {text}, which lies in the sources", self.path));
            }
        }
        Ok(())
    }

    /// # Errors
    /// A table or list behind `keys` with an entry that has a local `path`, `directory` or `file`.
    pub fn refuse_local_paths(&self, keys: &[&str]) -> Result<(), String> {
        match self.get(keys).and_then(find_path) {
            Some(path) => Err(format!("{} takes a package from {path} in the sources", self.path)),
            None => Ok(()),
        }
    }
}

/// Whether a requirement names a file or folder (`a @ file:///x`, `-e ./x`).
fn is_local_requirement(text: &str) -> bool {
    let url = text.split_once('@').map_or("", |(_, url)| url.trim_start());
    text.starts_with("-e") || text.contains("file:") || url.starts_with(['.', '/']) || url.starts_with("${")
}

/// Whether an index or a place of archives is no URL of another machine; a bare name means one that is configured.
pub fn is_local_place(value: &str) -> bool {
    let place = match value.split_once('=') {
        Some((name, url)) if !name.contains([':', '/']) => url,
        _ => value,
    };
    place.starts_with("file:") || !place.contains("://")
}

/// The first string for which `wanted` holds.
pub fn find_string<'a>(value: &'a toml::Value, wanted: &dyn Fn(&str) -> bool) -> Option<&'a str> {
    match value {
        toml::Value::String(text) => wanted(text).then_some(text.as_str()),
        toml::Value::Array(items) => items.iter().find_map(|item| find_string(item, wanted)),
        toml::Value::Table(table) => table.values().find_map(|item| find_string(item, wanted)),
        _ => None,
    }
}

/// The first local path that a dependency table takes a package from.
fn find_path(value: &toml::Value) -> Option<&str> {
    match value {
        toml::Value::Array(items) => items.iter().find_map(find_path),
        toml::Value::Table(table) => table.iter().find_map(|(key, item)| match (key.as_str(), item.as_str()) {
            ("path" | "directory", Some(path)) => Some(path),
            ("file" | "url", Some(path)) if is_local_place(path) => Some(path),
            (_, Some(_)) => None,
            (_, None) => find_path(item),
        }),
        _ => None,
    }
}
