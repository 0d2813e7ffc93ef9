//! poetry: `poetry install` and `poetry sync`.
//!
//! Sources: poetry docs/{cli,configuration,faq}.md; `_configure_package_metadata` in poetry-core `factory.py` (each command reads the
//! file of `[project] license`, measured; none reads the readme); `Env.get` in `src/poetry/utils/env/env_manager.py` (an existing .venv in the
//! project is used even where environments are switched off). Measured with poetry 2.5: `--no-root` on the manifests alone, then the
//! sources and the whole command, gives the environment of one step, for `install`, `sync --only main` and `package-mode = false`.

use super::folders::{Beneath, take};
use super::paths::join;
use super::pyproject::{Document, is_local_place};
use super::variables::{Setting, setting};
use super::words::Words;
use super::{Above, Files, Install};
use crate::facts::managers::Call;
use crate::facts::runs::Run;
use crate::shell::Command;

/// Options that take the next word. Source: `poetry install --help` of poetry 2.5.
const VALUED: &[&str] = &["--without", "--with", "--only", "-E", "--extras", "-P", "--project", "-C", "--directory"];

/// # Errors
/// Why it can't be told what the call reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    match call.verb_text {
        "install" | "sync" => {}
        "add" => return Err("poetry add changes pyproject.toml, which the copy of the sources brings back".to_owned()),
        "update" => {
            return Err("poetry update rewrites poetry.lock, which the copy of the sources brings back".to_owned());
        }
        _ => return Ok(None),
    }
    let words = Words::read(call, command, run, VALUED)?;
    if words.has(&["--dry-run", "--only-root", "--help", "-h"]) {
        return Ok(None);
    }
    if let Some(word) = words.others.first() {
        return Err(format!("restow doesn't know what {word} means to poetry {}", call.verb_text));
    }
    let folders = words.paths(&["-C", "--directory", "-P", "--project"])?;
    let folder = folders.iter().fold(".".to_owned(), |folder, next| join(&folder, next));
    let beneath = Beneath { files, folder };
    let mut install = project(&words, &beneath)?;
    write_environment(command, run, &mut install);
    Ok(Some(beneath.outside(install)))
}

fn project(words: &Words, files: &dyn Files) -> Result<Install, String> {
    let pyproject =
        Document::read(files, "pyproject.toml")?.ok_or("there is no pyproject.toml in the folder that it runs in")?;
    let mut install = Install::default();
    take(&mut install.reads, files, "pyproject.toml")?;
    if !take(&mut install.reads, files, "poetry.lock")? {
        let doubt = "there is no poetry.lock, so the versions are chosen anew when pyproject.toml changes, no longer when the code does";
        install.doubts.push(doubt.to_owned());
    }
    if take(&mut install.reads, files, "poetry.toml")? {
        let settings = Document::read(files, "poetry.toml")?;
        let moves = |settings: &Document| {
            settings.get(&["virtualenvs", "path"]).is_some() || settings.get(&["cache-dir"]).is_some()
        };
        if settings.is_some_and(|settings| moves(&settings)) {
            return Err("poetry.toml moves the virtual environments".to_owned());
        }
    }
    let poetry = pyproject.get(&["tool", "poetry"]).and_then(toml::Value::as_table);
    if poetry.is_none() && pyproject.get(&["project"]).is_none() {
        return Err("pyproject.toml names no project".to_owned());
    }
    if let Some(license) = pyproject.get(&["project", "license", "file"]).and_then(toml::Value::as_str) {
        let license = join(".", license);
        if !take(&mut install.reads, files, &license)? {
            return Err(format!("poetry reads {license}, which is not among the copied sources"));
        }
    }
    pyproject.refuse_local_requirements()?;
    for key in poetry.into_iter().flat_map(|poetry| poetry.keys()) {
        if matches!(key.as_str(), "dependencies" | "dev-dependencies" | "group" | "requires-plugins") {
            pyproject.refuse_local_paths(&["tool", "poetry", key])?;
        }
    }
    let sources = pyproject.get(&["tool", "poetry", "source"]).and_then(toml::Value::as_array);
    let urls = sources.into_iter().flatten().filter_map(|source| source.get("url")).filter_map(toml::Value::as_str);
    if let Some(place) = urls.into_iter().find(|url| is_local_place(url)) {
        return Err(format!("pyproject.toml takes packages from {place} in the sources"));
    }
    if pyproject.is_true(&["tool", "poetry-dynamic-versioning", "enable"]) {
        return Err("a plugin reads the version from the repository at each command of poetry".to_owned());
    }
    if pyproject.get(&["tool", "poetry", "requires-plugins"]).is_some() {
        install.writes.push(".poetry".to_owned());
    }
    check_lock(files)?;
    let without_root = words.has(&["--no-root"]) || pyproject.is_false(&["tool", "poetry", "package-mode"]);
    install.above = if without_root { Above::Itself } else { Above::WithWords(vec!["--no-root".to_owned()]) };
    Ok(install)
}

/// poetry refuses a lock file that doesn't belong to pyproject.toml, so one that is too large to be read says nothing new.
fn check_lock(files: &dyn Files) -> Result<(), String> {
    if files.text("poetry.lock").is_none() {
        return Ok(());
    }
    let lock = Document::read(files, "poetry.lock")?;
    let packages = lock.as_ref().and_then(|lock| lock.get(&["package"])).and_then(toml::Value::as_array);
    for package in packages.into_iter().flatten() {
        let source = |key: &str| package.get("source").and_then(|source| source.get(key)).and_then(toml::Value::as_str);
        if matches!(source("type"), Some("directory" | "file")) {
            return Err(format!(
                "poetry.lock takes a package from {} in the sources",
                source("url").unwrap_or("a folder")
            ));
        }
    }
    Ok(())
}

fn write_environment(command: &Command, run: &Run, install: &mut Install) {
    match setting(run, command, "VIRTUAL_ENV") {
        Setting::Value(folder) if !folder.is_empty() => {
            install.writes.push(join(".", &folder));
            return;
        }
        Setting::Unknown => install.doubts.push("where VIRTUAL_ENV lies can't be told".to_owned()),
        _ => {}
    }
    install.writes.push(".venv".to_owned());
    for (name, beneath) in [("POETRY_VIRTUALENVS_PATH", "."), ("POETRY_CACHE_DIR", "virtualenvs")] {
        match setting(run, command, name) {
            Setting::Value(folder) if folder.starts_with('/') => install.writes.push(join(&folder, beneath)),
            Setting::Unset => {}
            _ => install.doubts.push(format!("where {name} puts the virtual environment can't be told")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::{install as of, run, why};
    use super::*;

    const PACKAGE: (&str, &str) =
        ("pyproject.toml", "[tool.poetry]\nname = 'a'\nreadme = 'README.md'\n[tool.poetry.dependencies]\nidna = '*'\n");
    const LOCK: (&str, &str) = ("poetry.lock", "");

    #[test]
    fn the_root_is_installed_below_its_dependencies() {
        let settings = ("poetry.toml", "[virtualenvs]\nin-project = true\n");
        let install =
            run("poetry install --only main --extras \"$EXTRAS\"", &[PACKAGE, LOCK, settings]).unwrap().unwrap();
        assert_eq!(install.reads, ["pyproject.toml", "poetry.lock", "poetry.toml"]);
        assert_eq!(install.writes, [".venv"]);
        assert_eq!(install.above, Above::WithWords(vec!["--no-root".to_owned()]));
        assert!(install.doubts.is_empty());
    }

    #[test]
    fn without_a_root_the_command_moves_as_it_is() {
        assert_eq!(run("poetry sync --no-root", &[PACKAGE, LOCK]).unwrap().unwrap().above, Above::Itself);
        let modeless = ("pyproject.toml", "[project]\nname = 'a'\n[tool.poetry]\npackage-mode = false\n");
        assert_eq!(run("poetry install", &[modeless, LOCK]).unwrap().unwrap().above, Above::Itself);
    }

    #[test]
    fn the_license_file_is_read_by_every_command() {
        let licensed =
            ("pyproject.toml", "[project]\nname = 'a'\nreadme = 'README.md'\nlicense = { file = 'LICENSE' }\n");
        let install = run("poetry install", &[licensed, LOCK, ("LICENSE", ""), ("README.md", "")]).unwrap().unwrap();
        assert_eq!(install.reads, ["pyproject.toml", "poetry.lock", "LICENSE"]);
        assert!(why("poetry install", &[licensed, LOCK]).contains("LICENSE"));
    }

    #[test]
    fn a_missing_lock_file_is_a_doubt() {
        assert_eq!(run("poetry install", &[PACKAGE]).unwrap().unwrap().doubts.len(), 1);
    }

    #[test]
    fn what_comes_from_the_sources_is_refused() {
        let poetry = "[tool.poetry]\nname = 'a'\n";
        for more in [
            "[tool.poetry.dependencies]\nb = { path = 'b', develop = true }\n",
            "[tool.poetry.group.dev.dependencies]\nb = [{ path = 'b' }]\n",
            "[[tool.poetry.source]]\nname = 'x'\nurl = 'file:///wheels'\n",
            "[project]\ndependencies = ['b @ file:///b']\n",
            "[tool.poetry-dynamic-versioning]\nenable = true\n",
        ] {
            why("poetry install", &[("pyproject.toml", &format!("{poetry}{more}")), LOCK]);
        }
        let lock = ("poetry.lock", "[[package]]\nname = 'b'\n[package.source]\ntype = 'directory'\nurl = 'b'\n");
        assert_eq!(why("poetry install", &[PACKAGE, lock]), "poetry.lock takes a package from b in the sources");
        why("poetry add idna", &[PACKAGE, LOCK]);
        assert_eq!(run("poetry install --only-root", &[PACKAGE]), Ok(None));
    }

    #[test]
    fn the_environment_lies_where_variables_say() {
        let dockerfile = "FROM x\nENV POETRY_CACHE_DIR=/app/cache\nRUN poetry install -C api\n";
        let install = of(dockerfile, &[("api/pyproject.toml", PACKAGE.1), ("api/poetry.lock", "")]).unwrap().unwrap();
        assert_eq!(install.writes, ["api/.venv", "/app/cache/virtualenvs"]);
    }
}
