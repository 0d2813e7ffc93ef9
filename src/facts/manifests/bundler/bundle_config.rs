//! Bundler's settings: `bundle config`, variables, `.bundle/config` and options.
//!
//! Source: bundler `lib/bundler/settings.rb`, bundle-config(1). See [`super::bundler`] for what was measured.

use crate::facts::managers::Call;
use crate::facts::manifests::command_line::{before, has, option};
use crate::facts::manifests::variables::{Setting, setting};
use crate::facts::manifests::{Files, Install};
use crate::facts::runs::{Run, Unreadable};
use crate::shell::Command;

/// What decides where gems go and whether the lock file stays.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub path: Option<String>,
    pub frozen: bool,
    pub deployment: bool,
}

impl Settings {
    /// Takes in one setting.
    ///
    /// # Errors
    /// A setting that puts files in places that are not looked at.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "path" => self.path = Some(value.to_owned()),
            "frozen" => self.frozen = is_true(value),
            "deployment" => self.deployment = is_true(value),
            key if matches!(
                key,
                "bin" | "gemfile" | "cache_path" | "cache_all" | "path.system" | "disable_shared_gems"
            ) || key.starts_with("local.") =>
            {
                return Err(format!("bundler's setting `{key}` changes what it reads or writes"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Source: `to_bool` in bundler `lib/bundler/settings.rb`.
fn is_true(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "" | "false" | "f" | "no" | "n" | "0")
}

/// `bundle config` in front of the install, in its RUN and in earlier ones.
pub(super) fn earlier(
    command: &Command,
    run: &Run,
    files: &dyn Files,
    settings: &mut Settings,
    found: &mut Install,
) -> Result<(), String> {
    let runs = files.earlier();
    if runs.is_none() {
        found.doubts.push("what earlier RUNs configured isn't known".to_owned());
    }
    let runs = runs.unwrap_or_default();
    for run in &runs {
        let unread = matches!(run.script(), Err(reason) if *reason != Unreadable::Irrelevant);
        if unread && run.text.text.contains("bundle") {
            return Err("an earlier RUN configures bundler in a way that is not read".to_owned());
        }
    }
    let own = before(command, run).map(|other| (other, run));
    let all = runs.iter().flat_map(|run| run.commands().iter().map(|other| (other, *run))).chain(own);
    for (other, its_run) in all {
        if !matches!(other.name(), Some("bundle" | "bundler")) {
            continue;
        }
        let values = other.arguments().iter().map(|word| its_run.value(word).value).collect::<Option<Vec<_>>>();
        let values = values.ok_or("an earlier `bundle` command can't be read")?;
        let mut words = values.iter().map(String::as_str).filter(|word| !word.starts_with("--"));
        match words.next() {
            Some("config") => {}
            Some(
                word @ ("lock" | "update" | "add" | "remove" | "init" | "plugin" | "cache" | "package" | "binstubs"),
            ) if its_run.instruction == run.instruction => {
                return Err(format!("`bundle {word}` stands in front of it in the RUN"));
            }
            _ => continue,
        }
        let mut key = words.next();
        if matches!(key, Some("unset" | "get" | "list")) || values.iter().any(|value| value == "--delete") {
            if matches!(key, Some("unset")) || values.iter().any(|value| value == "--delete") {
                return Err("an earlier `bundle config` takes a setting back".to_owned());
            }
            continue;
        }
        if key == Some("set") {
            key = words.next();
        }
        let value = words.collect::<Vec<_>>().join(" ");
        if let Some(key) = key.filter(|_| !value.is_empty()) {
            settings.set(&key.to_ascii_lowercase(), &value)?;
        }
    }
    Ok(())
}

pub(super) fn variables(command: &Command, run: &Run, settings: &mut Settings) -> Result<(), String> {
    for key in ["path", "frozen", "deployment", "bin", "cache_all", "path__system"] {
        let name = format!("BUNDLE_{}", key.to_ascii_uppercase());
        match setting(run, command, &name) {
            Setting::Unset => {}
            Setting::Value(value) => settings.set(&key.replace("__", "."), &value)?,
            Setting::Unknown => return Err(format!("{name} can't be told")),
        }
    }
    Ok(())
}

/// `.bundle/config`, and what the options of the command write into it.
pub(super) fn local_configuration(
    folder: &str,
    call: &Call,
    command: &Command,
    files: &dyn Files,
    settings: &mut Settings,
    found: &mut Install,
) -> Result<(), String> {
    let path = format!("{folder}/config");
    if files.entry(&path).is_none() {
        found.writes.push(folder.to_owned());
        return Ok(());
    }
    let text = files.text(&path).ok_or_else(|| format!("{path} can't be read"))?;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let key =
            key.trim().trim_matches('"').strip_prefix("BUNDLE_").unwrap_or("").to_ascii_lowercase().replace("__", ".");
        settings.set(&key, value.trim().trim_matches('"'))?;
    }
    found.doubts.push(format!("{path} is copied too, and a clone may not have it"));
    if command.words.get(call.arguments..).unwrap_or(&[]).iter().any(|word| word.raw.starts_with('-')) {
        found.rewrites.push(path.clone());
    }
    found.reads.push(path);
    Ok(())
}

pub(super) fn flags(call: &Call, command: &Command, run: &Run, settings: &mut Settings) -> Result<(), String> {
    if let Some(path) = option(&["--path"], call, command, run) {
        let path = path.ok_or("its --path can't be told")?;
        settings.path = Some(path);
    }
    for (key, value) in [("frozen", &mut settings.frozen), ("deployment", &mut settings.deployment)] {
        let (on, off) = (format!("--{key}"), format!("--no-{key}"));
        if option(&[&on], call, command, run).is_some() {
            *value = !has(&[&format!("--{key}=false")], call, command);
        }
        if has(&[&off], call, command) {
            *value = false;
        }
    }
    Ok(())
}
