//! pipenv: `pipenv install` and `pipenv sync`.
//!
//! Sources: pipenv docs/{commands,configuration}.md, `pipenv/cli/command.py` (.env is loaded by every command). Measured with
//! pipenv 2026.10: `install --deploy`, `sync` and `install` on Pipfile and Pipfile.lock alone give the environment of the whole sources.

use super::folders::take;
use super::pyproject::{Document, is_local_place};
use super::variables::{Setting, setting};
use super::words::Words;
use super::{Files, Install};
use crate::facts::managers::Call;
use crate::facts::runs::Run;
use crate::shell::Command;

/// Options that take the next word. Source: `pipenv install --help` of pipenv 2026.10.
const VALUED: &[&str] = &[
    "--python",
    "--pypi-mirror",
    "--extra-pip-args",
    "--resolver",
    "--categories",
    "--extras",
    "--config-settings",
    "-i",
    "--index",
    "-r",
    "--requirements",
    "-e",
    "--editable",
];

/// Tables of a Pipfile that list no packages.
const OTHER_TABLES: [&str; 5] = ["source", "requires", "scripts", "pipenv", "build-system"];

/// # Errors
/// Why it can't be told what the call reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    match call.verb_text {
        "install" | "sync" => {}
        "update" | "upgrade" => {
            return Err(format!(
                "pipenv {} rewrites Pipfile.lock, which the copy of the sources brings back",
                call.verb_text
            ));
        }
        _ => return Ok(None),
    }
    let words = Words::read(call, command, run, VALUED)?;
    if words.has(&["--help", "-h"]) {
        return Ok(None);
    }
    if words.has(&["-r", "--requirements", "-e", "--editable"]) || !words.others.is_empty() {
        return Err("it adds packages to Pipfile, which the copy of the sources brings back".to_owned());
    }
    for name in ["PIPENV_PIPFILE", "PIPENV_DOTENV_LOCATION"] {
        if setting(run, command, name) != Setting::Unset {
            return Err(format!("{name} names a file that it reads"));
        }
    }
    let is_on = |flag: &str, name: &str| {
        let on = setting(run, command, name).is_on().ok_or(format!("what {name} says can't be told"))?;
        Ok::<_, String>(on || words.has(&[flag]))
    };
    let ignores_pipfile = call.verb_text == "sync" || is_on("--ignore-pipfile", "PIPENV_IGNORE_PIPFILE")?;
    let without_lock = call.verb_text == "install" && is_on("--skip-lock", "PIPENV_SKIP_LOCK")?;
    let frozen = ignores_pipfile || words.has(&["--deploy"]);
    let mut install = Install::default();
    if !take(&mut install.reads, files, "Pipfile")? {
        return Err("there is no Pipfile in the folder that it runs in".to_owned());
    }
    let locked = take(&mut install.reads, files, "Pipfile.lock")?;
    match (locked, frozen) {
        _ if without_lock => {}
        (false, true) => return Err("it installs from Pipfile.lock, which is not among the copied sources".to_owned()),
        (false, false) => install.doubts.push(
            "there is no Pipfile.lock, so the versions are chosen anew when Pipfile changes, no longer when the code does".to_owned(),
        ),
        (true, false) => install.rewrites.push("Pipfile.lock".to_owned()),
        (true, true) => {}
    }
    take(&mut install.reads, files, ".env")?;
    take(&mut install.reads, files, ".python-version")?;
    check_pipfile(files)?;
    if locked {
        check_lock(files)?;
    }
    if !is_on("--system", "PIPENV_SYSTEM")? {
        match setting(run, command, "VIRTUAL_ENV") {
            Setting::Value(folder) if folder.starts_with('/') => install.writes.push(folder),
            Setting::Unknown => install.doubts.push("where VIRTUAL_ENV lies can't be told".to_owned()),
            _ => {}
        }
        install.writes.push(".venv".to_owned());
        match setting(run, command, "WORKON_HOME") {
            Setting::Value(folder) if folder.starts_with('/') => install.writes.push(folder),
            Setting::Unset => {}
            _ => install.doubts.push("where WORKON_HOME puts the virtual environment can't be told".to_owned()),
        }
    }
    Ok(Some(install))
}

fn check_pipfile(files: &dyn Files) -> Result<(), String> {
    let Some(pipfile) = Document::read(files, "Pipfile")? else { return Ok(()) };
    let sources = pipfile.get(&["source"]).and_then(toml::Value::as_array);
    let urls = sources.into_iter().flatten().filter_map(|source| source.get("url")).filter_map(toml::Value::as_str);
    // A variable in a URL is put in by pipenv.
    if let Some(place) = urls.into_iter().find(|url| is_local_place(url) && !url.starts_with('$')) {
        return Err(format!("Pipfile takes packages from {place} in the sources"));
    }
    for table in pipfile.table().keys().filter(|table| !OTHER_TABLES.contains(&table.as_str())) {
        pipfile.refuse_local_paths(&[table])?;
    }
    Ok(())
}

fn check_lock(files: &dyn Files) -> Result<(), String> {
    let text = files.text("Pipfile.lock").ok_or("Pipfile.lock is too large to be read")?;
    let lock: serde_json::Value = serde_json::from_str(&text).map_err(|_| "Pipfile.lock is no JSON")?;
    for (_, packages) in lock.as_object().into_iter().flatten().filter(|(name, _)| *name != "_meta") {
        for (name, package) in packages.as_object().into_iter().flatten() {
            let text = |key: &str| package.get(key).and_then(serde_json::Value::as_str);
            if text("path").is_some() || text("file").is_some_and(is_local_place) {
                return Err(format!("Pipfile.lock takes {name} from the sources"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Above;
    use super::super::memory::{run, why};

    const PIPFILE: (&str, &str) =
        ("Pipfile", "[packages]\nidna = '*'\nx = { git = 'https://x.example/x' }\n[requires]\n");
    const LOCK: (&str, &str) = ("Pipfile.lock", "{\"_meta\": {}, \"default\": {\"idna\": {\"version\": \"==3\"}}}");

    #[test]
    fn a_frozen_install_moves_as_it_is() {
        for command in
            ["pipenv install --deploy --system", "pipenv sync --system", "pipenv install --system --ignore-pipfile"]
        {
            let install = run(command, &[PIPFILE, LOCK]).unwrap().unwrap();
            assert_eq!(install.reads, ["Pipfile", "Pipfile.lock"], "{command}");
            assert_eq!(
                (install.above, install.writes.len(), install.rewrites.len()),
                (Above::Itself, 0, 0),
                "{command}"
            );
            assert!(install.doubts.is_empty(), "{command}");
        }
    }

    #[test]
    fn other_installs_may_lock_anew() {
        let install = run("pipenv install --dev", &[PIPFILE, LOCK, (".env", "")]).unwrap().unwrap();
        assert_eq!((install.rewrites, install.writes), (vec!["Pipfile.lock".to_owned()], vec![".venv".to_owned()]));
        assert_eq!(install.reads, ["Pipfile", "Pipfile.lock", ".env"]);
        assert_eq!(run("pipenv install", &[PIPFILE]).unwrap().unwrap().doubts.len(), 1);
    }

    #[test]
    fn what_comes_from_the_sources_is_refused() {
        let local = ("Pipfile", "[packages]\na = { path = '.', editable = true }\n");
        assert_eq!(why("pipenv sync", &[local, LOCK]), "Pipfile takes a package from . in the sources");
        let locked = ("Pipfile.lock", "{\"default\": {\"a\": {\"path\": \".\"}}}");
        assert_eq!(why("pipenv sync", &[PIPFILE, locked]), "Pipfile.lock takes a from the sources");
        assert!(why("pipenv install --deploy", &[PIPFILE]).contains("Pipfile.lock"));
        assert!(why("pipenv install idna", &[PIPFILE, LOCK]).contains("adds"));
    }
}
