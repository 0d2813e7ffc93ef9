//! The arguments of one `pip install`.
//!
//! Source: pypa/pip `src/pip/_internal/cli/cmdoptions.py` and `commands/install.py`.

use std::ops::Range;

use crate::facts::managers::Call;
use crate::facts::requirements::{self, Entry};
use crate::facts::runs::Run;
use crate::shell::Command;

/// Options with a value that several steps may have as well as one.
const WITH_VALUE: &[&str] = &[
    "--abi",
    "--cache-dir",
    "--cert",
    "--client-cert",
    "--config-settings",
    "--default-timeout",
    "--exists-action",
    "--extra-index-url",
    "--find-links",
    "--global-option",
    "--implementation",
    "--index-url",
    "--keyring-provider",
    "--log",
    "--no-binary",
    "--only-binary",
    "--platform",
    "--prefix",
    "--progress-bar",
    "--proxy",
    "--pypi-url",
    "--python-version",
    "--retries",
    "--root-user-action",
    "--src",
    "--timeout",
    "--trusted-host",
    "--upgrade-strategy",
    "--use-deprecated",
    "--use-feature",
    "-C",
    "-f",
    "-i",
];

/// Options without a value of which the same holds.
const SWITCHES: &[&str] = &[
    "--break-system-packages",
    "--compile",
    "--disable-pip-version-check",
    "--isolated",
    "--no-build-isolation",
    "--no-cache",
    "--no-cache-dir",
    "--no-clean",
    "--no-color",
    "--no-compile",
    "--no-deps",
    "--no-dependencies",
    "--no-index",
    "--no-input",
    "--no-user",
    "--no-warn-conflicts",
    "--no-warn-script-location",
    "--pre",
    "--prefer-binary",
    "--quiet",
    "--require-hashes",
    "--require-virtualenv",
    "--upgrade",
    "--use-pep517",
    "--user",
    "--verbose",
    "-U",
    "-q",
    "-qq",
    "-qqq",
    "-v",
    "-vv",
    "-vvv",
];

/// Options under which a second step does other things than one step for all, and why.
const REFUSED: &[(&str, &str)] = &[
    ("--target", "pip never looks at what is in a --target folder, and console scripts get lost"),
    ("-t", "pip never looks at what is in a -t folder, and console scripts get lost"),
    ("--root", "pip never looks at what is under --root"),
    ("--force-reinstall", "--force-reinstall installs everything again in the last step"),
    ("--ignore-installed", "--ignore-installed installs everything again in the last step"),
    ("-I", "-I installs everything again in the last step"),
    ("--dry-run", "--dry-run installs nothing"),
    ("--report", "the report tells what one command installs"),
    ("--editable", "an editable install needs the sources"),
    ("-e", "an editable install needs the sources"),
    ("--group", "--group takes packages from pyproject.toml"),
];

/// What one `pip install` asks for. Numbers are indexes in the command's words.
#[derive(Debug, Clone, Default)]
pub struct Install {
    pub files: Vec<File>,
    /// Paths of `-c`.
    pub constraints: Vec<String>,
    /// Requirements on the command line, each with its word.
    pub requirements: Vec<(usize, Entry)>,
    pub prefix: Option<String>,
    /// Options that the command has, without their values.
    pub options: Vec<String>,
}

/// A requirements file on the command line.
#[derive(Debug, Clone)]
pub struct File {
    /// As the shell hands it over.
    pub path: String,
    /// `-r` and its path, or both in one word.
    pub words: Range<usize>,
}

impl Install {
    pub fn has(&self, options: &[&str]) -> bool {
        self.options.iter().any(|option| options.contains(&option.as_str()))
    }
}

/// Reads the words behind `install`.
///
/// # Errors
/// An option that is not read or that does not go with several steps.
pub fn read(run: &Run, call: &Call, command: &Command) -> Result<Install, String> {
    let mut found = Install::default();
    for word in &command.words[call.arguments..call.verb_word] {
        let plain = word.value.as_deref().is_some_and(|value| SWITCHES.contains(&value) || value.contains('='));
        if !plain {
            return Err(format!("`{}` in front of install is not read", word.raw));
        }
    }
    let mut at = call.verb_word + 1;
    while let Some(word) = command.words.get(at) {
        let value = |word: &crate::shell::ShellWord| run.value(word).value;
        let first = at;
        at += 1;
        if !word.raw.starts_with('-') {
            let Some(text) = value(word) else { return Err(unknown(&word.raw)) };
            found.requirements.push((first, requirements::read_argument(&text)));
            continue;
        }
        let (name, glued) = requirements::split_value(&word.raw);
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return Err((*why).to_owned());
        }
        let file = matches!(name, "-r" | "--requirement" | "-c" | "--constraint");
        if !file && !WITH_VALUE.contains(&name) {
            if !SWITCHES.contains(&name) || glued.is_some() {
                return Err(format!("its option `{}` is not read", word.raw));
            }
            found.options.push(name.to_owned());
            continue;
        }
        found.options.push(name.to_owned());
        let given = match glued {
            Some(glued) => {
                // The variables in a word are looked up in the word; only what stands behind the name counts.
                value(word)
                    .and_then(|whole| whole.strip_prefix(&word.raw[..word.raw.len() - glued.len()]).map(str::to_owned))
            }
            None => {
                let next = command.words.get(at).ok_or_else(|| format!("`{name}` has no value"))?;
                at += 1;
                value(next)
            }
        };
        match name {
            "-r" | "--requirement" => {
                let path = given.ok_or_else(|| unknown(&command.words[at - 1].raw))?;
                found.files.push(File { path, words: first..at });
            }
            "-c" | "--constraint" => {
                found.constraints.push(given.ok_or_else(|| unknown(&command.words[at - 1].raw))?);
            }
            "--prefix" => found.prefix = Some(given.ok_or_else(|| unknown(&command.words[at - 1].raw))?),
            _ => {}
        }
    }
    Ok(found)
}

fn unknown(raw: &str) -> String {
    format!("`{raw}` depends on a value that is not known")
}
