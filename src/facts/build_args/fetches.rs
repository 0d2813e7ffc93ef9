//! Steps that fetch what others may have changed since: a new value of a build argument above them may be there to make them do it again.

use super::past::Past;
use crate::facts::managers::Call;
use crate::shell::Command;

/// What a program that fetches does, seen with all commands of its RUN.
pub(super) fn of<'a>(command: &Command, name: &str, all: impl Iterator<Item = &'a Command>) -> Past {
    match name {
        "curl" | "wget" => Past::Review(format!("downloads with {name}, which a new value may be meant to repeat")),
        "date" => Past::Review("asks for the date, which a new value may be meant to bring up to now".to_owned()),
        "git" => git(command, all),
        _ => Past::Free,
    }
}

/// `git clone` and its like, unless a commit is named in full: by the command itself, or by a checkout for each of them.
fn git<'a>(command: &Command, all: impl Iterator<Item = &'a Command>) -> Past {
    let Some(verb) = verb(command) else { return Past::Free };
    if !is_fetch(command, verb) || is_pinned_by(command) {
        return Past::Free;
    }
    let (mut fetched, mut pinned) = (0, 0);
    for other in all.filter(|other| other.name() == Some("git")) {
        match self::verb(other) {
            Some("checkout" | "reset" | "switch") if is_pinned_by(other) => pinned += 1,
            Some("submodule") => {}
            Some(verb) if is_fetch(other, verb) && !is_pinned_by(other) => fetched += 1,
            _ => {}
        }
    }
    // The commit of a repository names those of its submodules.
    let follows = command.arguments().iter().any(|word| word.raw == "--remote");
    if pinned > 0 && fetched <= pinned && !follows {
        return Past::Free;
    }
    Past::Never(format!("runs `git {verb}` without a full commit hash, which a new value may be meant to repeat"))
}

fn verb(command: &Command) -> Option<&str> {
    let mut words = command.arguments().iter().map(|word| word.raw.as_str());
    while let Some(word) = words.next() {
        match word {
            "-C" | "-c" | "--git-dir" | "--work-tree" => drop(words.next()),
            _ if word.starts_with('-') => {}
            _ => return Some(word),
        }
    }
    None
}

fn is_fetch(command: &Command, verb: &str) -> bool {
    let has = |wanted: &str| command.arguments().iter().any(|word| word.raw == wanted);
    match verb {
        "clone" | "pull" | "fetch" | "submodule" | "ls-remote" => true,
        "remote" => has("update"),
        "lfs" => has("pull") || has("fetch"),
        "archive" => command.arguments().iter().any(|word| word.raw.starts_with("--remote")),
        _ => false,
    }
}

fn is_pinned_by(command: &Command) -> bool {
    command.arguments().iter().any(|word| is_pinned(&word.raw))
}

/// Whether a commit is named in full.
pub(super) fn is_pinned(text: &str) -> bool {
    let mut words = text.split(|ch: char| !ch.is_ascii_alphanumeric());
    words.any(|word| matches!(word.len(), 40 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A URL that a package is taken from: free with a full commit hash, a checksum, or a version in its file's name.
pub(super) fn of_url(url: &str) -> Past {
    if is_pinned(url) {
        return Past::Free;
    }
    if is_repository(url) {
        return Past::Never(format!(
            "fetches {} without a full commit hash, which a new value may be meant to repeat",
            short(url)
        ));
    }
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or(path);
    if file.ends_with(".whl") || file.contains(|ch: char| ch.is_ascii_digit()) {
        return Past::Free;
    }
    Past::Review(format!("downloads {}, which a new value may be meant to repeat", short(url)))
}

/// Whether a package is taken from a repository: pip's and npm's spellings.
///
/// Source: pip docs on VCS support; npm docs on package specifiers (npm-package-arg, hosted-git-info).
pub(super) fn is_repository(source: &str) -> bool {
    let starts = ["git+", "git:", "git@", "hg+", "svn+", "bzr+", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:"];
    let source = source.split_once(" @ ").map_or(source, |(_, url)| url.trim_start());
    let inner = ["@git+", "@github:", "@gitlab:", "@bitbucket:", "@hg+"];
    let path = source.split(['#', '?']).next().unwrap_or(source);
    starts.iter().any(|start| source.starts_with(start))
        || inner.iter().any(|inner| source.contains(inner))
        || path.contains("://") && (path.ends_with(".git") || path.contains(".git@"))
}

/// What the words of a call of another manager than pip name: repositories.
pub(super) fn of_words(call: &Call, words: &[&str]) -> Past {
    let is_script = matches!(call.manager.id, "npm" | "yarn" | "pnpm" | "bun");
    let mut past = Past::Free;
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        if is_repository(word) || is_script && is_of_github(word) {
            past = past.or(of_url_of_repository(word));
        }
    }
    let names_repository = matches!(call.manager.id, "cargo") && words.iter().any(|word| word.starts_with("--git"));
    if names_repository && !words.iter().any(|word| is_pinned(word)) {
        past = past.or(of_url_of_repository("a repository"));
    }
    past
}

fn of_url_of_repository(word: &str) -> Past {
    if is_pinned(word) {
        return Past::Free;
    }
    Past::Never(format!("fetches {} without a full commit hash, which a new value may be meant to repeat", short(word)))
}

/// `owner/name`, which npm takes from GitHub.
fn is_of_github(word: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_' | '.'))
    };
    let path = word.split('#').next().unwrap_or(word);
    path.split_once('/').is_some_and(|(owner, name)| !owner.contains('.') && plain(owner) && plain(name))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_an_index_are_no_repositories() {
        for word in [
            "serve@14",
            "npm@latest",
            "@angular/cli",
            "@acme/a@1",
            "./x/y",
            "../x",
            "https://x/y-1.0.tgz",
            "six==1.16.0",
        ] {
            assert!(!is_repository(word) && !is_of_github(word), "{word}");
        }
        for word in [
            "x/y",
            "x/y#main",
            "github:x/y",
            "a@github:x/y",
            "git@x:y/z.git",
            "https://x/y.git#main",
            "a @ git+https://x/y",
        ] {
            assert!(is_repository(word) || is_of_github(word), "{word}");
        }
    }
}
