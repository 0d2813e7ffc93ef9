//! Package managers: one table, one row each.
//!
//! A row says how the manager is called, which of its commands download, where it keeps what it downloads, what moves
//! or defeats that cache, and what can go wrong. Everything that restow knows of a manager stands in its row; `[[manager]]`
//! in restow.toml adds rows.

mod call;
mod names;
mod table;

pub use call::{Call, call};
pub use names::{Names, mentions};
pub use table::MANAGERS;
pub(crate) use table::ROW;

/// A package manager.
#[derive(Debug, Clone)]
pub struct Manager {
    /// Its name in titles, reasons, ids and restow.toml.
    pub id: &'static str,
    pub programs: &'static [&'static str],
    /// Whether a version may follow the program's name (`pip3.11`).
    pub versioned: bool,
    /// `python -m NAME`.
    pub modules: &'static [&'static str],
    /// Options in front of the command word that take the next word.
    pub value_options: &'static [&'static str],
    /// Command words, longest first where one starts another.
    pub verbs: &'static [(&'static str, Verb)],
    /// What a call without a command word does.
    pub bare: Verb,
    /// What an unlisted command word does: goals and tasks of Maven and Gradle.
    pub other: Verb,
    /// Works as root only, on directories of the system.
    pub system: bool,
    pub directories: &'static [Directory],
    pub sharing: Sharing,
    /// Why a mount for it is always `review`, if it is.
    pub review: Option<&'static str>,
    /// Whether the cache holds what was built for one distribution or C library.
    pub binaries: bool,
    /// Flags that switch the cache off: the whole flag, and its shortest abbreviation.
    pub cache_off: &'static [(&'static str, &'static str)],
    /// Variables that switch the cache off, and how a RUN takes that back.
    pub cache_off_env: &'static [(&'static str, EnvOverride)],
    /// Flags with which it must find everything in its directories.
    pub offline_flags: &'static [&'static str],
    /// Files that may move or switch off the cache, and the keys that do.
    pub config_files: &'static [(&'static str, &'static [&'static str])],
    /// Commands that move the cache for good: leading words behind the program.
    pub config_commands: &'static [&'static str],
    /// The flag that gives the cache another directory for one command, if it has one that changes nothing else.
    pub directory_flag: Option<&'static str>,
    /// Where this was read.
    pub source: &'static str,
}

/// What a command of a package manager does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Downloads, and makes something of it.
    Install,
    /// Only fills its directories.
    Fetch,
    /// Empties its cache.
    Clean,
    Other,
}

/// How concurrent builds use one mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// BuildKit's default.
    Shared,
    Locked,
}

/// How a RUN overrides a variable that switches the cache off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvOverride {
    /// `NAME= command`: the empty string counts as unset.
    Empty,
    /// The manager refuses an empty value; only the ENV itself can go.
    None,
}

/// A directory that a manager fills.
#[derive(Debug, Clone)]
pub struct Directory {
    /// A flag that names it.
    pub flag: Option<&'static str>,
    /// Variables that move it, strongest first, with what is appended to their value.
    pub env: &'static [(&'static str, &'static str)],
    /// Variables with which it can't be told.
    pub unsure_env: &'static [&'static str],
    /// For root and for others; `~` is the home. Empty: can't be told.
    pub root: &'static str,
    pub user: &'static str,
    /// The part at the end that lies beneath the manager's private folder (`/cache` of `pypoetry/cache`).
    pub beneath: &'static str,
    /// Whether later commands read it as their dependencies: a store, not only a cache of downloads.
    pub store: bool,
    /// Whether [`Verb::Fetch`] fills it.
    pub fetched: bool,
}

impl Manager {
    /// Whether a program of this name is the manager.
    pub fn is_program(&self, name: &str) -> bool {
        self.programs.iter().any(|program| {
            name.strip_prefix(program).is_some_and(|rest| {
                rest.is_empty() || self.versioned && rest.starts_with('.') && is_version(&rest[1..])
            })
        })
    }

    /// The flag that `word` is an accepted spelling of, if it switches the cache off.
    pub fn switches_cache_off(&self, word: &str) -> Option<&'static str> {
        let spelled = |&&(whole, shortest): &&(&'static str, &'static str)| {
            word == whole || word.len() >= shortest.len() && word.starts_with(shortest) && whole.starts_with(word)
        };
        self.cache_off.iter().find(spelled).map(|&(whole, _)| whole)
    }
}

pub(super) fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::Verb::{Clean, Fetch, Install};
    use super::*;

    fn calls(text: &str) -> Vec<(&'static str, Verb, &'static str)> {
        let all: Vec<&Manager> = MANAGERS.iter().collect();
        let script = crate::shell::parse(text, false).unwrap();
        let found = script.commands.iter().enumerate().filter_map(|(index, command)| call(command, index, &all));
        found.map(|call| (call.manager.id, call.verb, call.verb_text)).collect()
    }

    #[test]
    fn calls_are_read_with_options_in_front_of_the_command_word() {
        assert_eq!(calls("python3.11 -m pip --timeout 9 install x"), [("pip", Install, "install")]);
        assert_eq!(calls("/opt/v/bin/pip3.12 install x"), [("pip", Install, "install")]);
        assert_eq!(calls("apt-get -qq -y -o A=b install x"), [("apt", Install, "install")]);
        assert_eq!(calls("npm --prefix web ci"), [("npm", Install, "ci")]);
        assert_eq!(calls("yarn --cwd web --frozen-lockfile"), [("yarn", Install, "")]);
        assert_eq!(
            calls("uv pip install x; uv cache clean"),
            [("uv", Install, "pip install"), ("uv", Clean, "cache clean")]
        );
    }

    #[test]
    fn what_does_not_download_is_told_apart() {
        assert_eq!(
            calls("yarn build; pip --version; go version; mvn -v"),
            [("yarn", Verb::Other, ""), ("pip", Verb::Other, ""), ("go", Verb::Other, ""), ("maven", Verb::Other, ""),]
        );
        assert_eq!(calls("mvn dependency:go-offline; mvn -q package"), [("maven", Fetch, ""), ("maven", Install, "")]);
        assert_eq!(calls("go mod download; go build ."), [("go", Fetch, "mod download"), ("go", Install, "build")]);
    }

    #[test]
    fn abbreviations_of_no_cache_dir_count_and_others_do_not() {
        let pip = &MANAGERS[0];
        assert_eq!(pip.switches_cache_off("--no-cache"), Some("--no-cache-dir"));
        assert_eq!(pip.switches_cache_off("--no-ca"), Some("--no-cache-dir"));
        assert_eq!(pip.switches_cache_off("--no-c"), None);
        assert_eq!(pip.switches_cache_off("--no-compile"), None);
    }

    #[test]
    fn the_cheap_look_sees_every_program_and_module() {
        let all: Vec<&Manager> = MANAGERS.iter().collect();
        for name in MANAGERS.iter().flat_map(|manager| manager.programs.iter().chain(manager.modules)) {
            assert!(Names::new(&all).may_concern(name), "{name}");
        }
    }

    #[test]
    fn every_row_is_complete() {
        for manager in MANAGERS {
            assert!(!manager.id.is_empty() && !manager.source.is_empty(), "{}", manager.id);
            assert!(!manager.programs.is_empty() && !manager.directories.is_empty(), "{}", manager.id);
        }
    }
}
