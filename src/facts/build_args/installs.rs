//! Which dependency installs run code of the project, and which files of it they read.

use super::copied::Copied;
use super::mentions;
use super::past::Past;
use crate::facts::managers::Call;
use crate::shell::Command;

/// An install of the system's packages: free but for packages that were copied in.
pub(super) fn of_system(command: &Command, call: &Call) -> Past {
    let words = command.words[call.arguments..].iter().map(|word| word.raw.as_str());
    let own = words.filter(|word| !word.starts_with('-')).find(|word| {
        word.starts_with("./")
            || [".deb", ".rpm", ".apk"].iter().any(|ending| word.ends_with(ending)) && !word.contains("://")
    });
    match own {
        Some(word) => review(format!("installs {word}, whose scripts may be the project's")),
        None => Past::Free,
    }
}

/// An install or fetch of a manager of the table. `copied` is what it finds, if that is known.
///
/// Source: npm docs on life cycle scripts (`npm ci` runs preinstall, install, postinstall, prepublish, preprepare, prepare and
/// postprepare of the project); pip docs on requirement files (`-e`, variables in `${X}`); MSBuild and Maven, where any variable is a
/// property.
pub(super) fn of(command: &Command, call: &Call, copied: Option<&Copied<'_>>, names: &[String]) -> Past {
    if let Some(read) = copied.and_then(|copied| read_by_name(copied, names)) {
        return read;
    }
    let words: Vec<&str> = command.words[call.arguments..].iter().map(|word| word.raw.as_str()).collect();
    let has = |flags: &[&str]| words.iter().any(|word| flags.contains(word));
    let behind: Vec<&str> = command.words[call.verb_word + 1..].iter().map(|word| word.raw.as_str()).collect();
    match (call.manager.id, call.verb_text) {
        ("pip", _) | ("uv", "pip install" | "pip sync") => pip(&behind, call.verb_text == "pip sync", copied),
        ("uv", "tool install") | ("poetry", "self add" | "self update") | ("gem", _) => Past::Free,
        ("uv", "run" | "tool run" | "") => Past::Never("runs a program through uv, which may read it".to_owned()),
        ("uv", "sync") if has(&["--no-install-project", "--no-install-workspace"]) => {
            project(copied, "pyproject.toml", LOCAL)
        }
        ("uv", "sync") => {
            project(copied, "pyproject.toml", &["[build-system]", "package = true", "path =", "workspace = true"])
        }
        ("poetry", "install" | "sync") if has(&["--no-root"]) => project(copied, "pyproject.toml", LOCAL),
        ("pipenv", "install" | "sync") => project(copied, "Pipfile", &["path =", "editable", "path="]),
        ("pdm", "install" | "sync") if has(&["--no-self", "--no-project"]) => project(copied, "pyproject.toml", LOCAL),
        ("conda", _) => match behind.iter().position(|word| matches!(*word, "-f" | "--file")) {
            None => Past::Free,
            Some(at) => project(copied, name_of(behind.get(at + 1).unwrap_or(&"")), &["-e ", "file:", "- ."]),
        },
        ("npm" | "yarn" | "pnpm" | "bun", verb) => {
            let apart = verb == "fetch" || verb == "global add" || has(&["-g", "--global", "--ignore-scripts"]);
            if apart { Past::Free } else { scripts(copied) }
        }
        ("composer", "global require" | "global install") => Past::Free,
        ("composer", "install") if has(&["--no-scripts"]) => Past::Free,
        ("composer", "install" | "i") => project(copied, "composer.json", &["\"scripts\""]),
        ("bundler", _) => project(copied, "Gemfile", &["ENV", "gemspec", "path:", ":path", "eval", "require_relative"]),
        ("go", "mod download" | "mod verify") | ("cargo", "fetch") => Past::Free,
        ("nuget", "tool install") if has(&["-g", "--global", "--tool-path"]) => Past::Free,
        ("nuget", _) => review("runs dotnet, where the project's files may read it as a property"),
        ("maven", _) => review("runs Maven, where a pom may read it"),
        ("gradle", _) => review("runs Gradle, where a build script may read it"),
        (id, verb) => review(format!("runs `{}`, which may build the project itself", format!("{id} {verb}").trim())),
    }
}

/// What a pyproject.toml says of packages that lie in the project.
const LOCAL: &[&str] = &["path =", "workspace = true", "path="];

fn review(why: impl Into<String>) -> Past {
    Past::Review(why.into())
}

fn name_of(path: &str) -> &str {
    path.trim_matches(['"', '\'']).rsplit('/').next().unwrap_or(path)
}

/// A configuration file that names a variable.
fn read_by_name(copied: &Copied<'_>, names: &[String]) -> Option<Past> {
    copied.configuration().find_map(|(path, text)| {
        let name = names.iter().find(|name| mentions(&text, name))?;
        Some(Past::Never(format!("may read {path}, which names {name}")))
    })
}

/// An install that is free if the project's file is there and says none of `doubts`.
fn project(copied: Option<&Copied<'_>>, name: &str, doubts: &[&str]) -> Past {
    let Some(texts) = copied.and_then(|copied| copied.texts(name)) else {
        return review(format!("reads {name}, which was not found"));
    };
    match doubts.iter().find(|doubt| texts.iter().any(|text| text.contains(**doubt))) {
        Some(doubt) => review(format!(
            "reads {name}, where `{}` may run code of the project",
            doubt.trim_matches(|ch: char| matches!(ch, '"' | ' ' | '='))
        )),
        None => Past::Free,
    }
}

/// The life cycle scripts of the project.
fn scripts(copied: Option<&Copied<'_>>) -> Past {
    let Some((copied, texts)) = copied.and_then(|copied| Some((copied, copied.texts("package.json")?))) else {
        return review("runs the scripts of a package.json that was not found");
    };
    if copied.has(".pnpmfile.cjs") {
        return review("runs .pnpmfile.cjs, which may read it");
    }
    for text in texts {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else {
            return review("runs the scripts of a package.json that can't be read");
        };
        let cycle = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];
        if let Some(script) =
            cycle.iter().find(|script| json.get("scripts").is_some_and(|all| all.get(script).is_some()))
        {
            return review(format!("runs the {script} script of package.json, which may read it"));
        }
    }
    Past::Free
}

/// `pip install`: free for packages by name and for requirement files that name no local project.
fn pip(words: &[&str], files_only: bool, copied: Option<&Copied<'_>>) -> Past {
    let mut past = Past::Free;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let word = word.trim_matches(['"', '\'']);
        let file = match word {
            "-r" | "--requirement" | "-c" | "--constraint" => words.next(),
            "-e" | "--editable" => return review("installs the project itself"),
            _ if word.starts_with("-e") || word.starts_with("--editable=") => {
                return review("installs the project itself");
            }
            _ => word
                .strip_prefix("--requirement=")
                .or_else(|| word.strip_prefix("--constraint="))
                .or_else(|| word.strip_prefix("-r").filter(|rest| !rest.is_empty())),
        };
        if let Some(file) = file {
            past = past.or(requirements(file, copied, 0));
        } else if VALUED.contains(&word) {
            words.next();
        } else if word.starts_with('-') || is_redirect(word) {
        } else if files_only {
            past = past.or(requirements(word, copied, 0));
        } else if is_local(word) {
            past = past.or(review("installs the project itself"));
        } else if word.starts_with('$') {
            past = past.or(review(format!("installs {word}, which can't be told")));
        }
    }
    past
}

/// Options of `pip install` and `uv pip install` that take the next word.
const VALUED: &[&str] = &[
    "--index-url",
    "-i",
    "--extra-index-url",
    "--find-links",
    "-f",
    "--target",
    "-t",
    "--prefix",
    "--root",
    "--platform",
    "--python-version",
    "--implementation",
    "--abi",
    "--no-binary",
    "--only-binary",
    "--trusted-host",
    "--cache-dir",
    "--timeout",
    "--retries",
    "--proxy",
    "--progress-bar",
    "--python",
    "-p",
    "--index-strategy",
    "--upgrade-package",
    "-P",
    "--torch-backend",
    "--src",
    "--upgrade-strategy",
    "--cert",
    "--client-cert",
    "--log",
    "--report",
    "--config-settings",
    "-C",
    "--global-option",
    "--exists-action",
    "-w",
    "--wheel-dir",
    "-d",
    "--dest",
    "--index",
];

fn is_redirect(word: &str) -> bool {
    word.starts_with(['>', '<']) || word.starts_with("2>")
}

/// Whether a requirement is a folder of the project, or an archive of one that is built.
fn is_local(word: &str) -> bool {
    let bare = word.split(['[', ';']).next().unwrap_or(word).trim();
    let is_path = bare == "."
        || bare.starts_with("./")
        || bare.starts_with("../")
        || bare.starts_with('/')
        || bare.ends_with('/');
    !bare.contains("://") && is_path && !bare.ends_with(".whl") || bare.contains("file:")
}

/// A requirement file, with those that it includes.
fn requirements(file: &str, copied: Option<&Copied<'_>>, depth: usize) -> Past {
    let name = name_of(file);
    let Some((copied, texts)) = copied.and_then(|copied| Some((copied, copied.texts(name)?))) else {
        return review(format!("reads {name}, which was not found"));
    };
    if depth > 8 {
        return review(format!("reads {name}, which includes itself"));
    }
    let mut past = Past::Free;
    for line in texts.iter().flat_map(|text| text.lines()) {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let included = ["--requirement", "--constraint", "-r", "-c"].iter().find_map(|flag| line.strip_prefix(flag));
        if let Some(rest) = included {
            past = past.or(requirements(rest.trim_start_matches('=').trim(), Some(copied), depth + 1));
        } else if line.starts_with("-e") || line.starts_with("--editable") || is_local(line) {
            past = past.or(review(format!("reads {name}, which names the project itself")));
        } else if line.contains("@ file:") || line.contains("@ .") {
            past = past.or(review(format!("reads {name}, which names a folder of the project")));
        }
    }
    past
}
