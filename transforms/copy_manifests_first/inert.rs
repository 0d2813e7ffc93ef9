//! Commands that need nothing of the sources.

use super::needs::Step;
use crate::facts::copies::absolute;
use crate::facts::managers::Call;
use crate::facts::manifests::Files;
use crate::shell::Command;

/// What a command does that is no install.
pub enum Inert {
    Nothing,
    /// It makes a folder: a virtual environment. Absolute.
    Makes(String),
    /// It reads a file that the sources may bring.
    Reads(String),
}

impl Step<'_, '_> {
    /// What a command does that needs nothing of the sources and changes nothing in them.
    ///
    /// # Errors
    /// A command of which that can't be told.
    pub fn inert(&self, folder: Option<&str>) -> Result<Inert, ()> {
        if self.command.words.is_empty() {
            return Ok(Inert::Nothing);
        }
        let name = self.command.name().ok_or(())?;
        let words: Vec<Option<String>> =
            self.command.arguments().iter().map(|word| self.run.value(word).value).collect();
        let texts: Vec<&str> = words.iter().map(|word| word.as_deref().unwrap_or("")).collect();
        let operands = || {
            let arguments = self.command.arguments().iter().zip(&words);
            arguments.filter(|(word, _)| !word.raw.starts_with('-')).map(|(word, value)| (word.raw.as_str(), value))
        };
        let elsewhere = |raw: &str, value: &Option<String>| match value {
            Some(path) if path.starts_with('/') => !self.touches(path),
            _ => raw.starts_with("~/") && !self.run.state.home().is_none_or(|home| self.touches(&home)),
        };
        let first = texts.first().copied().unwrap_or("");
        let is_inert = match name {
            _ if HARMLESS.contains(&name) => true,
            "dpkg" => ["--add-architecture", "--print-architecture", "--configure", "-l", "-s", "-L"].contains(&first),
            "apt-key" => first == "adv",
            "corepack" => {
                matches!(first, "enable" | "disable")
                    || first == "prepare" && texts.iter().any(|word| word.contains('@'))
            }
            "pecl" | "docker-php-ext-install" | "docker-php-ext-enable" | "docker-php-ext-configure" => {
                texts.iter().all(|word| !word.contains('/') || word.starts_with("--with"))
            }
            "curl" => {
                let output = texts.iter().position(|word| matches!(*word, "-o" | "--output"));
                let remote = texts.iter().any(|word| {
                    word.starts_with('-') && !word.starts_with("--") && word.contains('O') || *word == "--remote-name"
                });
                // `-d @file` sends one.
                let sends = texts.iter().any(|word| word.starts_with('@') || matches!(*word, "-T" | "-K" | "--config"));
                let to = output.and_then(|at| words.get(at + 1).cloned());
                !remote && !sends && to.is_none_or(|to| elsewhere("", &to))
            }
            "wget" => {
                let to = texts.iter().position(|word| word.starts_with("-O") || word.starts_with("-qO"));
                let to = to.map(|at| match texts[at].split_once('O') {
                    Some((_, glued)) if !glued.is_empty() => glued,
                    _ => texts.get(at + 1).copied().unwrap_or(""),
                });
                to.is_some_and(|to| to == "-" || elsewhere("", &Some(to.to_owned())))
            }
            "rm" | "mkdir" | "rmdir" | "touch" | "ln" | "mv" | "cp" | "chmod" | "chown" | "tar" | "unzip"
            | "install" | "find" | "sed" | "cat" | "gpg" | "tee" | "ls" => {
                // A mode or an owner is no path.
                let skipped = usize::from(matches!(name, "chmod" | "chown" | "sed"));
                operands().skip(skipped).all(|(raw, value)| elsewhere(raw, value)) && operands().count() > skipped
            }
            "test" | "[" => {
                // Only what follows an operator such as -f, or holds a slash in the file itself, is a path.
                let raws: Vec<&str> = self.command.arguments().iter().map(|word| word.raw.trim_matches('"')).collect();
                let before = |at: usize| at.checked_sub(1).map_or("", |before| raws[before]);
                let asks =
                    |at: usize| before(at).starts_with('-') && !matches!(before(at), "-z" | "-n" | "-eq" | "-ne");
                let compares = |at: usize| {
                    let operator = |word: Option<&&str>| matches!(word, Some(&("=" | "==" | "!=" | "-eq" | "-ne")));
                    operator(raws.get(at + 1)) || operator(at.checked_sub(1).and_then(|before| raws.get(before)))
                };
                (0..raws.len()).all(|at| {
                    raws[at].starts_with('-')
                        || compares(at)
                        || !asks(at) && !raws[at].contains('/')
                        || elsewhere("", &words[at])
                })
            }
            "." | "source" => {
                let here = folder.ok_or(())?;
                let seen = self.sources.seen_from(here);
                operands().all(|(raw, value)| {
                    let path = value.as_deref().unwrap_or(raw);
                    (raw.ends_with("/activate") || raw.starts_with('/')) && seen.entry(path).is_none()
                })
            }
            "sh" | "bash" | "python" | "python3" | "node" if self.command.item.is_none() => {
                // What the network sends is run: `curl ... | sh`.
                texts.iter().all(|word| word.starts_with('-') && *word != "-c" && *word != "-e")
            }
            "python" | "python3" | "virtualenv" | "uv" => {
                if let Some(path) = virtual_environment(name, &texts)? {
                    if name == "uv" {
                        let here = folder.ok_or(())?;
                        let seen = self.sources.seen_from(here);
                        if let Some(name) =
                            above(&seen, &[".python-version", ".python-versions", "pyproject.toml", "uv.toml"])
                        {
                            return Ok(Inert::Reads(name));
                        }
                    }
                    return Ok(Inert::Makes(absolute(folder.ok_or(())?, path)));
                }
                let informs = matches!(first, "--version" | "-V");
                let fetches = matches!(texts.as_slice(), ["-m", "spacy", "download", ..] | ["-m", "ensurepip", ..]);
                informs || fetches || name == "uv" && texts.starts_with(&["python", "install"]) && texts.len() > 2
            }
            "npm" | "poetry" | "pip" | "pip3" | "composer" | "bundle" | "go" | "node" | "dotnet" | "ruby" | "php"
            | "java" | "mvn" | "git" => {
                let informs = matches!(first, "--version" | "-v" | "-V" | "version" | "--info");
                // The classic bundler's default scope for `config set` is the user's; npm's is too.
                let configures =
                    first == "config" && !texts.iter().any(|word| word.contains("local") || word.contains("project"));
                let lists = matches!((name, first), ("pip" | "pip3", "list" | "freeze" | "check"));
                informs || configures || lists
            }
            "yarn" | "pnpm" => matches!(first, "--version" | "-v"),
            _ => false,
        };
        if is_inert { Ok(Inert::Nothing) } else { Err(()) }
    }
}

/// Programs that look at nothing in the folder that they run in, whatever their words are.
const HARMLESS: &[&str] = &[
    ":",
    "a2dismod",
    "a2enmod",
    "add-apt-repository",
    "addgroup",
    "adduser",
    "alias",
    "apt-cache",
    "apt-mark",
    "arch",
    "command",
    "date",
    "deluser",
    "df",
    "dpkg-reconfigure",
    "echo",
    "export",
    "false",
    "getent",
    "groupadd",
    "groupdel",
    "groupmod",
    "hash",
    "id",
    "ldconfig",
    "locale-gen",
    "nproc",
    "phpenmod",
    "printf",
    "set",
    "sleep",
    "true",
    "type",
    "umask",
    "uname",
    "unset",
    "update-alternatives",
    "update-ca-certificates",
    "update-locale",
    "useradd",
    "userdel",
    "usermod",
    "which",
    "whoami",
];

/// The folder of the virtual environment that a command makes.
///
/// # Errors
/// One whose folder can't be told.
fn virtual_environment<'t>(name: &str, texts: &[&'t str]) -> Result<Option<&'t str>, ()> {
    let rest = match (name, texts) {
        ("virtualenv", rest) | ("uv", ["venv", rest @ ..]) => rest,
        ("python" | "python3", ["-m", "venv" | "virtualenv", rest @ ..]) => rest,
        ("python" | "python3", ["-mvenv", rest @ ..]) => rest,
        _ => return Ok(None),
    };
    let path = rest.iter().rfind(|word| !word.starts_with('-')).copied();
    path.or((name == "uv").then_some(".venv")).map(Some).ok_or(())
}

/// The first of some files that stands in the folder, or in one above it.
fn above(files: &dyn Files, names: &[&str]) -> Option<String> {
    const LEVELS: usize = 8;
    let mut up = String::new();
    for _ in 0..LEVELS {
        if let Some(name) = names.iter().find(|name| files.entry(&format!("{up}{name}")).is_some()) {
            return Some(format!("{up}{name}"));
        }
        up.push_str("../");
    }
    None
}

/// A file among the sources that changes what an install of named packages does: which version of the manager or the toolchain it runs, and
/// where it looks. Source: corepack's and pnpm's documentation of `packageManager`, rustup's of overrides, Cargo's and NuGet's of
/// configuration; corepack and rustup were seen to act on it.
pub fn configuration(call: &Call, files: &dyn Files) -> Option<String> {
    let names: &[&str] = match call.manager.id {
        "yarn" | "pnpm" | "bun" => {
            &["package.json", ".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml", "bunfig.toml"]
        }
        "cargo" => &["rust-toolchain", "rust-toolchain.toml", ".cargo/config.toml", ".cargo/config"],
        "nuget" => &["global.json", "nuget.config", "NuGet.config", "NuGet.Config"],
        "uv" => &["uv.toml", ".python-version"],
        _ => return None,
    };
    above(files, names)
}

/// Whether an install that reads no project files needs no sources: packages named on the command line.
pub fn is_self_contained(call: &Call, command: &Command) -> bool {
    let words: Vec<&str> =
        command.words[call.verb_word + 1..].iter().map(|word| word.raw.trim_matches(['"', '\''])).collect();
    let local =
        |word: &&str| word.starts_with('.') || word.starts_with('/') || word.contains('$') || word.ends_with(".gem");
    match call.manager.id {
        "npm" | "yarn" | "pnpm" | "bun" => {
            let global = words.iter().any(|word| matches!(*word, "-g" | "--global" | "--location=global"));
            (global || call.verb_text == "global add") && !words.iter().any(local)
        }
        "uv" => call.verb_text == "tool install" && !words.iter().any(local),
        "poetry" => call.verb_text.starts_with("self"),
        "composer" => call.verb_text.starts_with("global"),
        "gem" => !words.iter().any(|word| local(word) || matches!(*word, "-g" | "--file")),
        "cargo" => call.verb_text == "install" && !words.iter().any(|word| word.starts_with("--path") || local(word)),
        "go" => call.verb_text == "install" && words.iter().any(|word| word.contains('@')),
        "conda" => {
            let files = ["-f", "--file", "env", "."];
            !call.verb_text.starts_with("env")
                && !words.iter().any(|word| files.contains(word) || word.starts_with("--file="))
        }
        "nuget" => call.verb_text.starts_with("tool") && words.contains(&"-g"),
        _ => false,
    }
}

/// The program that a command substitution runs, unless it only tells something of the machine.
pub fn substituted(text: &str) -> Option<&str> {
    const INFORM: [&str; 10] =
        ["nproc", "uname", "arch", "dpkg", "lsb_release", "getconf", "id", "whoami", "date", "apk"];
    let mut rest = text;
    while let Some(at) = rest.find(['$', '`']) {
        let found = &rest[at..];
        let inner =
            found.strip_prefix('`').or_else(|| found.strip_prefix("$(").filter(|inner| !inner.starts_with('(')));
        rest = &found[1..];
        let Some(inner) = inner else { continue };
        let name =
            inner.trim_start().split(|ch: char| ch.is_whitespace() || matches!(ch, ')' | '`')).next().unwrap_or("");
        let is_secret = name == "cat" && inner.trim_start().starts_with("cat /run/secrets/");
        let is_empty = name.is_empty() && found.starts_with('`');
        if !(INFORM.contains(&name) || is_secret || is_empty) {
            return Some(name);
        }
        // Past the closing backquote, so that it is not taken for an opening one.
        if found.starts_with('`') {
            rest = inner.split_once('`').map_or("", |(_, rest)| rest);
        }
    }
    None
}

/// Whether the place lies in quotes: an odd number of them stands in front.
pub fn is_quoted(text: &str, at: usize) -> bool {
    let before = &text[..at.min(text.len())];
    before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1
}
