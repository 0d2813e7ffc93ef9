//! Which dependency installs run code of the project, and which files of it they read.

use super::copied::Copied;
use super::past::Past;
use super::{fetches, mentions, pip};
use crate::facts::copies::absolute;
use crate::facts::managers::Call;
use crate::facts::manifests::LIFE_CYCLE;
use crate::shell::{Command, ShellWord};

/// An install of the system's packages: free but for packages that were copied in, and for upgrades of all of them.
pub(super) fn of_system(command: &Command, call: &Call) -> Past {
    if matches!(call.verb_text, "upgrade" | "dist-upgrade" | "full-upgrade" | "update" | "up" | "dup" | "distro-sync") {
        let names = named(&command.words[call.verb_word + 1..], call.manager.value_options);
        if names.is_empty() {
            return review(format!(
                "upgrades the system's packages (`{} {}`), which a new value may be meant to repeat",
                call.manager.id, call.verb_text
            ));
        }
    }
    let ends = [".deb", ".rpm", ".apk"];
    let is_own = |word: &&str| {
        let is_path = ["./", "../", "/", "~", "$PWD/"].iter().any(|start| word.starts_with(start));
        is_path || ends.iter().any(|end| word.ends_with(end)) && !word.contains("://")
    };
    match named(&command.words[call.arguments..], call.manager.value_options).into_iter().find(is_own) {
        Some(word) => review(format!("installs {word}, whose scripts may be the project's")),
        None => Past::Free,
    }
}

/// The words that are no options, no values of `valued` ones and no redirections.
fn named<'a>(words: &'a [ShellWord], valued: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut words = words.iter().map(said);
    while let Some(word) = words.next() {
        if valued.contains(&word) || is_open_redirect(word) {
            words.next();
        } else if !word.starts_with('-') && !is_redirect(word) {
            found.push(word);
        }
    }
    found
}

/// A word without its quotes.
fn said(word: &ShellWord) -> &str {
    word.value.as_deref().unwrap_or_else(|| word.raw.trim_matches(['"', '\'']))
}

/// An install or fetch of a manager of the table. `copied` is what it finds, if that is known.
///
/// Source: npm docs on life cycle scripts (`npm ci` runs preinstall, install, postinstall, prepublish, preprepare, prepare and
/// postprepare of the project); pip docs on requirement files (`-e`, variables in `${X}`); MSBuild and Maven, where any variable is a
/// property.
pub(super) fn of(
    command: &Command,
    call: &Call,
    folder: Option<&str>,
    copied: Option<&Copied<'_>>,
    names: &[String],
) -> Past {
    if let Some(read) = copied.and_then(|copied| read_by_name(copied, names)) {
        return read;
    }
    let words: Vec<&str> = command.words[call.arguments..].iter().map(said).collect();
    let behind: Vec<&str> = command.words[call.verb_word + 1..].iter().map(said).collect();
    if matches!((call.manager.id, call.verb_text), ("pip", _) | ("uv", "pip install" | "pip sync")) {
        return pip::of(&behind, call.verb_text == "pip sync", copied, names);
    }
    let own = behind.iter().find(|word| is_local(word)).map(|word| own(word));
    fetches::of_words(call, &behind)
        .or(own.unwrap_or(Past::Free))
        .or(of_project(command, call, &words, &behind, folder, copied))
}

/// Whether a word of a command line is a path to a package.
fn is_local(word: &str) -> bool {
    let is_path = word == "." || ["./", "../", "file:", "link:", "portal:"].iter().any(|start| word.starts_with(start));
    let is_archive = [".tgz", ".tar.gz", ".zip", ".gem", ".crate"].iter().any(|end| word.ends_with(end));
    is_path || is_archive && !word.contains("://")
}

/// An install or fetch that is about what the project lists.
fn of_project(
    command: &Command,
    call: &Call,
    words: &[&str],
    behind: &[&str],
    folder: Option<&str>,
    copied: Option<&Copied<'_>>,
) -> Past {
    let has = |flags: &[&str]| words.iter().any(|word| flags.contains(word));
    match (call.manager.id, call.verb_text) {
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
            if apart { Past::Free } else { scripts(command, call, folder, copied) }
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

pub(super) fn review(why: impl Into<String>) -> Past {
    Past::Review(why.into())
}

pub(super) fn name_of(path: &str) -> &str {
    path.trim_matches(['"', '\'']).rsplit('/').next().unwrap_or(path)
}

/// A configuration file that names a variable.
fn read_by_name(copied: &Copied<'_>, names: &[String]) -> Option<Past> {
    copied.configuration().find_map(|(path, text)| {
        let name = names.iter().find(|name| mentions(&text, name))?;
        Some(Past::Never(format!("may read {path}, which names {name}")))
    })
}

/// How manifests name repositories, and the lock files that pin their commits.
const REPOSITORIES: &[&str] =
    &["git+", "git = \"", "git: \"", "git: '", ":git =>", "github: \"", "github: '", ":github =>"];
const LOCKED: &[&str] =
    &["Gemfile.lock", "Pipfile.lock", "composer.lock", "pdm.lock", "poetry.lock", "pylock.toml", "uv.lock"];

/// An install that is free if the project's file is there and says none of `doubts`.
fn project(copied: Option<&Copied<'_>>, name: &str, doubts: &[&str]) -> Past {
    let Some(texts) = copied.and_then(|copied| copied.texts(name)) else {
        return review(format!("reads {name}, which was not found"));
    };
    if !LOCKED.iter().any(|lock| copied.is_some_and(|copied| copied.has(lock))) {
        let is_open = |line: &str| REPOSITORIES.iter().any(|word| line.contains(word)) && !fetches::is_pinned(line);
        if let Some(line) = texts.iter().flat_map(|text| text.lines()).find(|line| is_open(line)) {
            return Past::Never(format!(
                "reads {name}, which names a repository without a full commit hash (`{}`), and a new value may be meant to fetch it again",
                line.trim()
            ));
        }
    }
    match doubts.iter().find(|doubt| texts.iter().any(|text| text.contains(**doubt))) {
        Some(doubt) => review(format!(
            "reads {name}, where `{}` may run code of the project",
            doubt.trim_matches(|ch: char| matches!(ch, '"' | ' ' | '='))
        )),
        None => Past::Free,
    }
}

/// The life cycle scripts of the project.
fn scripts(command: &Command, call: &Call, folder: Option<&str>, copied: Option<&Copied<'_>>) -> Past {
    let Some((copied, texts)) = copied.and_then(|copied| Some((copied, copied.texts("package.json")?))) else {
        return review("runs the scripts of a package.json that was not found");
    };
    match moved(command, call, folder) {
        Some(folder) if copied.stands_at(&absolute(&folder, "package.json")) => {}
        _ => return review("runs in a folder whose package.json was not found"),
    }
    if copied.has(".pnpmfile.cjs") {
        return review("runs .pnpmfile.cjs, which may read it");
    }
    if copied.has("binding.gyp") {
        return review("builds what binding.gyp says, which may read it");
    }
    let is_locked = LOCKS.iter().any(|lock| copied.has(lock));
    for text in texts {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else {
            return review("runs the scripts of a package.json that can't be read");
        };
        let mut kinds = ["dependencies", "devDependencies", "optionalDependencies"].iter().filter(|_| !is_locked);
        let newest = kinds.find_map(|kind| {
            let mut sources = json.get(kind)?.as_object()?.values().filter_map(|source| source.as_str());
            sources.find(|source| fetches::is_repository(source) && fetches::of_url(source) != Past::Free)
        });
        if let Some(source) = newest {
            return fetches::of_url(source);
        }
        let script = LIFE_CYCLE.iter().find(|script| json.get("scripts").is_some_and(|all| all.get(script).is_some()));
        if let Some(script) = script {
            return review(format!("runs the {script} script of package.json, which may read it"));
        }
    }
    Past::Free
}

const LOCKS: &[&str] =
    &["bun.lock", "bun.lockb", "npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock"];

/// The folder that a manager for JavaScript works in; `None` if it can't be told.
fn moved(command: &Command, call: &Call, folder: Option<&str>) -> Option<String> {
    let folder = folder?;
    let flags: &[&str] = match call.manager.id {
        "npm" => &["--prefix", "-C"],
        "pnpm" => &["--dir", "--prefix", "-C"],
        _ => &["--cwd"],
    };
    let mut words = command.words[call.arguments..].iter();
    let mut target = None;
    while let Some(word) = words.next() {
        let (name, given) = word.raw.split_once('=').map_or((word.raw.as_str(), false), |(name, _)| (name, true));
        if flags.contains(&name) {
            let value =
                if given { word.value.as_deref()?.split_once('=')?.1 } else { words.next()?.value.as_deref()? };
            target = Some(value.to_owned());
        }
    }
    Some(target.map_or_else(|| folder.to_owned(), |target| absolute(folder, &target)))
}

/// A package that lies in the project.
pub(super) fn own(word: &str) -> Past {
    let bare = word.trim_start_matches("--editable").trim_start_matches("-e").trim_start_matches([' ', '=']);
    let bare = bare.split('[').next().unwrap_or(bare);
    let is_itself = matches!(bare, "." | "./" | "$PWD");
    review(if is_itself { "installs the project itself".to_owned() } else { format!("installs {word} of the project") })
}

pub(super) fn is_redirect(word: &str) -> bool {
    word.starts_with(['>', '<', '&']) || word.starts_with("2>") || word.starts_with("1>")
}

/// A redirection whose target is the next word.
pub(super) fn is_open_redirect(word: &str) -> bool {
    is_redirect(word) && word.ends_with(['>', '<'])
}
