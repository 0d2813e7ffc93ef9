//! What `uv sync` and `uv pip` have in common: options, configuration files, indexes and the environment.

use super::super::folders::{above, take};
use super::super::paths::join;
use super::super::pyproject::{Document, find_string, is_local_place};
use super::super::variables::{Setting, setting};
use super::super::words::Words;
use super::super::{Files, Install};
use crate::facts::runs::Run;
use crate::shell::Command;

/// Options of `uv sync` and `uv pip` that take the next word. Source: `uv sync --help`, `uv pip install --help` of uv 0.13.
pub const VALUED: &[&str] = &[
    "--extra",
    "--output-format",
    "--no-extra",
    "--group",
    "--no-group",
    "--only-group",
    "--no-editable-package",
    "--no-install-package",
    "--only-install-package",
    "--package",
    "--script",
    "--python-platform",
    "--python-version",
    "--index",
    "--default-index",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--index-strategy",
    "--keyring-provider",
    "-P",
    "--upgrade-package",
    "--upgrade-group",
    "--resolution",
    "--prerelease",
    "--prerelease-package",
    "--fork-strategy",
    "--exclude-newer",
    "--exclude-newer-package",
    "--no-sources-package",
    "--reinstall-package",
    "--link-mode",
    "-C",
    "--config-setting",
    "--config-settings",
    "--config-settings-package",
    "--config-setting-package",
    "--no-build-isolation-package",
    "--no-build-package",
    "--no-binary-package",
    "--no-binary",
    "--only-binary",
    "--cache-dir",
    "--refresh-package",
    "-p",
    "--python",
    "--python-preference",
    "--python-fetch",
    "--color",
    "--allow-insecure-host",
    "--trusted-host",
    "--directory",
    "--project",
    "--config-file",
    "-r",
    "--requirements",
    "--requirement",
    "-e",
    "--editable",
    "-c",
    "--constraints",
    "--constraint",
    "--overrides",
    "--override",
    "--excludes",
    "--exclude",
    "-b",
    "--build-constraints",
    "--build-constraint",
    "--cert",
    "-t",
    "--target",
    "--prefix",
    "--torch-backend",
];

/// A call of uv, with the files of the folder that it works on.
pub struct Site<'a> {
    pub words: &'a Words,
    pub command: &'a Command,
    pub run: &'a Run,
    pub files: &'a dyn Files,
}

impl Site<'_> {
    pub fn setting(&self, name: &str) -> Setting {
        setting(self.run, self.command, name)
    }

    /// Whether one of the flags or the variable switches something on.
    ///
    /// # Errors
    /// A variable that only the build knows.
    pub fn is_on(&self, flags: &[&str], variable: &str) -> Result<bool, String> {
        let on = self.setting(variable).is_on().ok_or(format!("what {variable} says can't be told"))?;
        Ok(on || self.words.has(flags))
    }

    /// Adds the configuration files, and refuses what they, the options and the variables take from the sources.
    ///
    /// # Errors
    /// Local indexes, and configuration in a folder above.
    pub fn configure(&self, pyproject: Option<&Document>, install: &mut Install) -> Result<(), String> {
        if self.setting("UV_CONFIG_FILE") != Setting::Unset {
            return Err("UV_CONFIG_FILE names its configuration".to_owned());
        }
        for path in self.words.paths(&["--config-file"])? {
            let path = join(".", path);
            if !take(&mut install.reads, self.files, &path)? {
                return Err(format!("{path} is not among the copied sources"));
            }
            let document = Document::read(self.files, &path)?;
            document.map_or(Ok(()), |document| self.check(&document, &[], install))?;
        }
        let own = take(&mut install.reads, self.files, "uv.toml")?;
        if let Some(document) = Document::read(self.files, "uv.toml")? {
            self.check(&document, &[], install)?;
        }
        let tool = pyproject.filter(|document| document.get(&["tool", "uv"]).is_some());
        if let Some(document) = tool {
            self.check(document, &["tool", "uv"], install)?;
        }
        if !own && tool.is_none() {
            for folder in above() {
                let path = format!("{folder}/uv.toml");
                if self.files.entry(&path).is_some() {
                    return Err(format!("it reads {path} in a folder above"));
                }
            }
        }
        self.refuse_local_indexes()?;
        for folder in self.words.paths(&["--cache-dir"])? {
            write_inside(folder, install);
        }
        for name in ["UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR"] {
            if let Setting::Value(folder) = self.setting(name) {
                write_inside(&folder, install);
            }
        }
        Ok(())
    }

    /// `prefix` leads to the settings in a file.
    fn check(&self, document: &Document, prefix: &[&str], install: &mut Install) -> Result<(), String> {
        let get = |key: &[&str]| document.get(&[prefix, key].concat());
        for key in ["find-links", "index-url", "extra-index-url"] {
            for key in [&[key][..], &["pip", key]] {
                let Some(value) = get(key) else { continue };
                if let Some(place) = find_string(value, &is_local_place) {
                    return Err(format!("its settings take packages from {place} in the sources"));
                }
            }
        }
        for index in get(&["index"]).and_then(toml::Value::as_array).into_iter().flatten() {
            if let Some(place) = index.get("url").and_then(toml::Value::as_str).filter(|url| is_local_place(url)) {
                return Err(format!("its settings take packages from {place} in the sources"));
            }
        }
        if let Some(folder) = get(&["cache-dir"]).and_then(toml::Value::as_str) {
            write_inside(folder, install);
        }
        Ok(())
    }

    fn refuse_local_indexes(&self) -> Result<(), String> {
        let options = ["-f", "--find-links", "--index", "--default-index", "-i", "--index-url", "--extra-index-url"];
        if let Some(place) = self.words.values(&options).into_iter().flatten().find(|place| is_local_place(place)) {
            return Err(format!("it takes packages from {place} in the sources"));
        }
        for name in ["UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"] {
            let Setting::Value(places) = self.setting(name) else { continue };
            if let Some(place) = places.split([' ', ',']).find(|place| !place.is_empty() && is_local_place(place)) {
                return Err(format!("{name} takes packages from {place} in the sources"));
            }
        }
        Ok(())
    }
}

/// Notes a folder that is written, where it may lie beside the sources.
pub fn write_inside(folder: &str, install: &mut Install) {
    if !folder.starts_with('~') && !folder.is_empty() {
        install.writes.push(join(".", folder));
    }
}
