//! Where a call of a package manager keeps what it downloads.

use super::managers::{Call, Directory, Manager, Verb};
use super::runs::Run;
use super::stages::Variable;
use crate::shell::{Command, RunAs};

/// A directory that a call fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Absolute, without a trailing slash.
    pub path: String,
    /// The folder that holds nothing but the manager's own cache: `path`, or a parent of it.
    pub private: String,
    pub store: bool,
}

/// The account that a command runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    Root,
    /// Somebody else, by uid and gid as far as they are known.
    User {
        uid: Option<u32>,
        gid: Option<u32>,
    },
    /// The base image decides.
    Unknown,
}

/// As whom `command` of `run` runs.
pub fn account(run: &Run, command: &Command) -> Account {
    match command.run_as {
        RunAs::Root { .. } => Account::Root,
        RunAs::Other => Account::User { uid: None, gid: None },
        RunAs::Same => match &run.state.user {
            Some(user) if user.is_root() => Account::Root,
            Some(user) => Account::User { uid: user.uid, gid: user.gid },
            None => Account::Unknown,
        },
    }
}

/// The directories that `call` fills, as root or as the RUN's user.
///
/// # Errors
/// Why one of them can't be told, as a reason to leave the RUN alone.
pub fn caches(run: &Run, call: &Call) -> Result<Vec<Cache>, String> {
    let command = &run.commands()[call.command];
    let manager = call.manager;
    let filled = manager.directories.iter().filter(|directory| call.verb != Verb::Fetch || directory.fetched);
    let found: Result<Vec<Cache>, String> = filled.map(|directory| resolve(run, command, call, directory)).collect();
    let mut found = found?;
    if manager.id == "poetry" && keeps_environments_elsewhere(run) {
        // Nothing but downloads lies in the folder then: one mount does.
        for cache in &mut found {
            cache.path.clone_from(&cache.private);
        }
    }
    found.dedup();
    Ok(found)
}

/// The directories that all calls of a manager in a RUN fill or empty: where mounts for it stand.
///
/// # Errors
/// Why one of them can't be told.
pub fn mounted(run: &Run, manager: &'static Manager, calls: &[Call]) -> Result<Vec<Cache>, String> {
    if manager.id == "apk" || manager.id == "dnf" {
        // Which directory they use is a choice; any mount at a usual place counts.
        let usual = ["/etc/apk/cache", "/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"];
        let usual = usual.map(|path| Cache { path: path.to_owned(), private: path.to_owned(), store: false });
        return Ok(usual.into());
    }
    let mut found = Vec::new();
    for call in calls.iter().filter(|call| call.verb != Verb::Other) {
        for cache in caches(run, call)? {
            if !found.contains(&cache) {
                found.push(cache);
            }
        }
    }
    Ok(found)
}

/// Whether a cache mount of the RUN holds the directory.
pub fn is_mounted(run: &Run, cache: &Cache) -> bool {
    run.mounts.iter().any(|mount| mount.is_cache() && mount.covers(&cache.path))
}

fn resolve(run: &Run, command: &Command, call: &Call, directory: &Directory) -> Result<Cache, String> {
    let id = call.manager.id;
    if let Some(value) = directory.flag.and_then(|flag| flag_value(run, command, call, flag)) {
        let path = value.filter(|path| path.starts_with('/')).ok_or_else(|| {
            format!("{} of {id} names a directory that can't be told from the file", directory.flag.unwrap_or_default())
        })?;
        return cache(&path, "", directory, id);
    }
    if let Some(name) = directory.unsure_env.iter().find(|name| !matches!(variable(run, command, name), Set::No)) {
        return Err(format!("{name} may move the {id} cache"));
    }
    for &(name, suffix) in directory.env {
        match variable(run, command, name) {
            Set::No => {}
            Set::To(value) if value.is_empty() => {}
            Set::To(value) => return cache(&value, suffix, directory, id),
            Set::Unknown => {
                return Err(format!("{name} moves the {id} cache to a place that can't be told from the file"));
            }
        }
    }
    let root = match account(run, command) {
        Account::Root | Account::Unknown => true,
        Account::User { .. } => false,
    };
    let pattern = if root { directory.root } else { directory.user };
    if id == "conda"
        && let Some(prefix) = conda_prefix(run, command)
    {
        return cache(&prefix, "/pkgs", directory, id);
    }
    if pattern.is_empty() {
        return Err(format!("neither the file nor the base image tells where {id} keeps its cache"));
    }
    let Some(rest) = pattern.strip_prefix('~') else { return cache(pattern, "", directory, id) };
    let home = match (&command.run_as, account(run, command)) {
        (RunAs::Root { own_home: true }, _) => Some("/root".to_owned()),
        (RunAs::Root { own_home: false }, _) => {
            return Err("sudo may or may not keep the caller's HOME, so the cache directory can't be told".to_owned());
        }
        (RunAs::Other, _) => None,
        // An unknown base: the account that most images have; never `safe`.
        (RunAs::Same, Account::Unknown) if run.state.env.get("HOME").is_none() => Some("/root".to_owned()),
        (RunAs::Same, _) => match variable(run, command, "HOME") {
            Set::To(home) => Some(home),
            Set::Unknown => None,
            Set::No => run.state.home(),
        },
    };
    let home = home.ok_or_else(|| format!("the home of the user that runs {id} can't be told from the file"))?;
    cache(&home, rest, directory, id)
}

/// The root environment of conda: the one whose program is called by its path, else that of the base image.
fn conda_prefix(run: &Run, command: &Command) -> Option<String> {
    let program = command.words.get(command.program).and_then(|word| run.value(word).value)?;
    let called = ["/bin/conda", "/bin/mamba", "/condabin/conda"].iter().find_map(|end| program.strip_suffix(end));
    called.filter(|prefix| prefix.starts_with('/')).map(str::to_owned).or_else(|| run.state.conda_prefix.clone())
}

fn cache(base: &str, suffix: &str, directory: &Directory, id: &str) -> Result<Cache, String> {
    let path = format!("{}{suffix}", base.trim_end_matches('/'));
    if path == "/dev/null" {
        return Err(format!("the {id} cache is switched off (/dev/null)"));
    }
    let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '/' | '.' | '_' | '-' | '+' | '@');
    if !path.starts_with('/') || path.len() < 2 || !path.chars().all(plain) || path.contains("/../") {
        return Err(format!("the {id} cache directory {path} is not a plain absolute path"));
    }
    let private =
        path.strip_suffix(directory.beneath).filter(|private| !private.is_empty()).unwrap_or(&path).to_owned();
    Ok(Cache { path, private, store: directory.store })
}

/// The value of `--flag value` or `--flag=value` behind the program: `Some(None)` where it is not known.
fn flag_value(run: &Run, command: &Command, call: &Call, flag: &str) -> Option<Option<String>> {
    let words = &command.words[call.arguments.min(command.words.len())..];
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        let value = if word.raw == flag {
            words.get(at + 1).map(|next| run.value(next).value)
        } else if let Some(rest) = word.raw.strip_prefix(flag) {
            rest.strip_prefix('=').map(|_| {
                let whole = run.value(word).value;
                whole.and_then(|whole| whole.split_once('=').map(|(_, value)| value.to_owned()))
            })
        } else {
            None
        };
        found = value.or(found);
    }
    found
}

/// What a variable is for one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    No,
    To(String),
    Unknown,
}

/// The value of `name` that `command` sees: its own assignment, an `export` in the same RUN, ENV and ARG. npm's variables are
/// found in any case.
pub fn variable(run: &Run, command: &Command, name: &str) -> Set {
    if command.unset.iter().any(|unset| unset == name) {
        return Set::No;
    }
    if let Some(raw) = command.assignment(name) {
        let lookup = |name: &str| run.state.env.known(name);
        return crate::shell::expand(raw, &lookup).value.map_or(Set::Unknown, Set::To);
    }
    let exported = run.commands().iter().any(|other| {
        let exports = matches!(other.name(), Some("export" | "declare")) || other.words.is_empty();
        let sets = |word: &crate::shell::ShellWord| word.raw.split_once('=').is_some_and(|(key, _)| key == name);
        exports && other.words.iter().chain(&other.assignments).any(sets)
    });
    if exported {
        return Set::Unknown;
    }
    // sudo starts from an environment of its own.
    if matches!(command.run_as, RunAs::Root { .. }) {
        return Set::No;
    }
    let found =
        if name.starts_with("npm_config_") { run.state.env.get_any_case(name) } else { run.state.env.get(name) };
    match found {
        None => Set::No,
        Some(Variable::Known(value)) => Set::To(value.clone()),
        Some(Variable::Argument(None)) => Set::No,
        Some(Variable::Argument(Some(_)) | Variable::Unknown) => Set::Unknown,
    }
}

/// Whether poetry's virtual environments are known to lie outside its cache folder.
fn keeps_environments_elsewhere(run: &Run) -> bool {
    let is = |name: &str, values: &[&str]| {
        run.state.env.known(name).is_some_and(|value| values.contains(&value.to_ascii_lowercase().as_str()))
    };
    is("POETRY_VIRTUALENVS_CREATE", &["false", "0"])
        || is("POETRY_VIRTUALENVS_IN_PROJECT", &["true", "1"])
        || run.state.env.known("POETRY_VIRTUALENVS_PATH").is_some()
}
