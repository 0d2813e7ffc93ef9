//! pip: requirements files, and what they include.
//!
//! Its options and its files are read by `facts/requirements`, which names the sources.

use super::requirement_files::take_with_includes;
use super::{Files, Install};
use crate::facts::caches::{Account, account};
use crate::facts::managers::Call;
use crate::facts::requirements::{self, Entry, split_value, takes_value};
use crate::facts::runs::Run;
use crate::facts::stages::Variable;
use crate::shell::Command;

/// Options that name what pip writes.
const FOLDERS: [&str; 12] = [
    "--target",
    "-t",
    "--prefix",
    "--root",
    "--src",
    "--source",
    "--wheel-dir",
    "-w",
    "--dest",
    "-d",
    "--log",
    "--report",
];

/// What `pip install`, `pip wheel` and `pip download` read and write. Other commands install nothing.
///
/// # Errors
/// Local requirements, files that are not there, and words that can't be told.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    if !matches!(call.verb_text, "install" | "wheel" | "download") {
        return Ok(None);
    }
    // Options that the environment sets: those that name files.
    for name in [
        "PIP_CONSTRAINT",
        "PIP_BUILD_CONSTRAINT",
        "PIP_REQUIREMENT",
        "PIP_CONFIG_FILE",
        "PIP_FIND_LINKS",
        "PIP_EDITABLE",
    ] {
        let value = command.assignment(name).map(str::to_owned).or_else(|| match run.state.env.get(name)? {
            Variable::Known(value) => Some(value.clone()),
            _ => Some(String::new()),
        });
        if let Some(value) = value.filter(|value| !value.contains("://") && value != "/dev/null") {
            return Err(format!("{name} names the file {value}"));
        }
    }
    let mut install = Install::default();
    let mut words = command.words[call.verb_word + 1..].iter();
    let mut places_wheels = false;
    while let Some(word) = words.next() {
        let value = run.value(word).value;
        let value = value.ok_or_else(|| format!("`{}` depends on a value that is not known", word.raw))?;
        let (option, glued) = split_value(&value);
        let mut argument = || match glued {
            Some(glued) => Ok(glued.to_owned()),
            None => words
                .next()
                .and_then(|word| run.value(word).value)
                .ok_or_else(|| format!("what follows {option} is not known")),
        };
        match option {
            "-r" | "--requirement" | "-c" | "--constraint" => {
                take_with_includes(&mut install.reads, files, &argument()?)?
            }
            "-e" | "--editable" => return Err(format!("`{option} {}` installs from the sources", argument()?)),
            "-f" | "--find-links" => {
                let place = argument()?;
                if !place.contains("://") {
                    return Err(format!("--find-links {place} reads a local folder"));
                }
            }
            "--group" | "--requirements-from-script" => return Err(format!("what {option} reads is not looked at")),
            option if FOLDERS.contains(&option) => {
                places_wheels |= matches!(option, "--wheel-dir" | "-w" | "--dest" | "-d");
                install.writes.push(argument()?);
            }
            option if takes_value(option) => drop(argument()?),
            option if option.starts_with('-') => {}
            requirement => match requirements::read_argument(requirement) {
                Entry::Requirement(_) => {}
                Entry::Remote { url, .. } if !url.starts_with("file:") => {}
                Entry::Unreadable(reason) => return Err(format!("`{requirement}` can't be read: {reason}")),
                _ => return Err(format!("`pip {} {requirement}` installs from the sources", call.verb_text)),
            },
        }
    }
    if call.verb_text != "install" && !places_wheels {
        return Err(format!("`pip {}` leaves its files in the folder that it runs in", call.verb_text));
    }
    install.writes.extend(destinations(command, run));
    Ok(Some(install))
}

/// Folders that the environment has pip write to: a virtual environment, a user's packages, the cache.
fn destinations(command: &Command, run: &Run) -> Vec<String> {
    let mut folders = Vec::new();
    let env = &run.state.env;
    for name in ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_SRC", "PIP_CACHE_DIR", "PYTHONUSERBASE", "VIRTUAL_ENV"] {
        folders.extend(env.known(name));
    }
    // `/app/.venv/bin/pip`, or the same folder in PATH.
    let program = command.words.get(command.program).and_then(|word| run.value(word).value);
    folders.extend(program.as_deref().and_then(environment_of));
    folders.extend(env.known("PATH").iter().flat_map(|path| path.split(':')).filter_map(|folder| {
        folder.strip_suffix("/bin").filter(|root| !matches!(*root, "" | "/usr" | "/usr/local")).map(str::to_owned)
    }));
    if let Some(home) = run.state.home() {
        folders.push(format!("{home}/.cache"));
        if account(run, command) != Account::Root || command.words.iter().any(|word| word.raw == "--user") {
            folders.push(format!("{home}/.local"));
        }
    }
    folders
}

/// The virtual environment that a program lies in: `venv/bin/pip` gives `venv`.
fn environment_of(program: &str) -> Option<String> {
    let (folder, _) = program.rsplit_once('/')?;
    let root = folder.strip_suffix("/bin")?;
    (!matches!(root, "" | "/usr" | "/usr/local")).then(|| root.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;
    use crate::context::Tree;
    use crate::facts::{Facts, Knowledge, Scripts};

    fn read(run: &str, files: &[(&str, &str)]) -> Result<Option<Install>, String> {
        let text = format!("FROM python:3.11\nWORKDIR /app\nRUN {run}\n");
        let file = crate::dockerfile::read(&text).unwrap();
        let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
        let facts = Facts::new(&text, &file, &knowledge, &scripts);
        let run = &facts.runs[0];
        let call = &run.calls()[0];
        install(call, &run.commands()[call.command], run, &Memory(Tree::memory(files)))
    }

    fn reads(run: &str, files: &[(&str, &str)]) -> Vec<String> {
        read(run, files).unwrap().unwrap().reads
    }

    #[test]
    fn requirements_files_come_with_what_they_include() {
        let files = [
            ("requirements.txt", "-r reqs/base.txt\nflask\n"),
            ("reqs/base.txt", "-c ../c.txt\nx==1\n"),
            ("c.txt", "y==2\n"),
        ];
        assert_eq!(
            reads("pip install --no-cache-dir -r requirements.txt", &files),
            ["requirements.txt", "reqs/base.txt", "c.txt"]
        );
        assert_eq!(reads("pip install -rc.txt --constraint=c.txt a 'b>1'", &files), ["c.txt"]);
        assert_eq!(reads("pip install --upgrade pip", &files), [""; 0]);
    }

    #[test]
    fn what_needs_the_sources_is_refused() {
        let files = [
            ("a.txt", "-e .\n"),
            ("b.txt", "./lib\n"),
            ("c.txt", "x @ file:///app/x\n"),
            ("d.txt", "--find-links wheels\n"),
        ];
        for run in [
            "-r a.txt",
            "-r b.txt",
            "-r c.txt",
            "-r d.txt",
            ".",
            "-e .",
            "./x",
            "-r missing.txt",
            "-r $WHICH",
            "-f wheels x",
            "--group dev",
        ] {
            assert!(read(&format!("pip install {run}"), &files).is_err(), "{run}");
        }
    }

    #[test]
    fn folders_that_are_written_are_named() {
        let install = read("venv/bin/pip install --target=lib x", &[]).unwrap().unwrap();
        assert!(install.writes.starts_with(&["lib".to_owned(), "venv".to_owned()]), "{:?}", install.writes);
    }
}
