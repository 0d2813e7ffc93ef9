//! Commands in a RUN that remove files, and what they do to a directory that is mounted.

use super::runs::Run;
use crate::shell::{Command, Form, Removal};

/// A path that a command removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Index of the command in the script.
    pub command: usize,
    /// Index of the path among the command's words.
    pub word: usize,
    /// As written.
    pub raw: String,
    /// Absolute; patterns kept. `None` where it can't be told.
    pub path: Option<String>,
    /// Whether it is an operand of `rm -r`; other commands (`find -delete`, `mv`) are not edited.
    pub editable: bool,
    /// Whether a missing path is no failure (`rm -f`).
    pub forced: bool,
}

/// How a removed path lies to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Nothing to do with it.
    Apart,
    /// Beneath it: on a mount, the shared cache is emptied.
    Inside,
    /// The directory itself: on a mount, `rm` fails.
    Itself,
    /// A parent: on a mount, `rm` fails.
    Above,
}

/// Every path that a command of the RUN removes.
pub fn removed(run: &Run) -> Vec<Removed> {
    let mut out = Vec::new();
    let mut folder = run.state.workdir.clone();
    for (index, command) in run.commands().iter().enumerate() {
        let Some(name) = command.name() else { continue };
        let first = command.program + 1;
        let operands: Vec<usize> =
            (first..command.words.len()).filter(|at| !command.words[*at].raw.starts_with('-')).collect();
        let removed: Vec<usize> = match name {
            "cd" | "pushd" | "popd" => {
                let target = operands.first().and_then(|at| run.value(&command.words[*at]).value);
                let target = target.filter(|_| name == "cd" && lasts(run, command));
                folder = match (target, folder.take()) {
                    (Some(path), _) if path.starts_with('/') => Some(path),
                    (Some(path), Some(old)) => Some(format!("{}/{path}", old.trim_end_matches('/'))),
                    _ => None,
                };
                continue;
            }
            "rm" | "rmdir" | "shred" => operands,
            "mv" => operands[..operands.len().saturating_sub(1)].to_vec(),
            "find" => {
                let deletes = command
                    .words
                    .iter()
                    .any(|word| word.raw == "-delete" || word.raw == "rm" || word.raw.ends_with("/rm"));
                let paths = (first..command.words.len())
                    .take_while(|at| !command.words[*at].raw.starts_with(['-', '(', '!', '\\']));
                if deletes { paths.collect() } else { continue }
            }
            _ => continue,
        };
        for word in removed {
            let value = run.value(&command.words[word]).value;
            let path = value.and_then(|value| match value.strip_prefix('/') {
                Some(_) => Some(value),
                None => folder.as_ref().map(|folder| format!("{}/{value}", folder.trim_end_matches('/'))),
            });
            let raw = command.words[word].raw.clone();
            let forced = name == "rm"
                && command.words.iter().any(|word| {
                    word.raw.starts_with('-') && !word.raw.starts_with("--") && word.raw.contains('f')
                        || word.raw == "--force"
                });
            out.push(Removed { command: index, word, raw, path, editable: name == "rm", forced });
        }
    }
    out
}

impl Removed {
    /// How the path lies to `directory`. A path that can't be told counts as a parent if it speaks of a cache, unless it
    /// lies in a home and the directory does not.
    pub fn relation(&self, directory: &str) -> Relation {
        let in_home =
            ["~/", "$HOME/", "\"$HOME/", "${HOME}/", "\"${HOME}/"].iter().any(|home| self.raw.starts_with(home));
        match &self.path {
            Some(path) => relation(path, directory),
            None if in_home && !directory.starts_with("/root") && !directory.starts_with("/home") => Relation::Apart,
            None if self.raw.to_ascii_lowercase().contains("cache") => Relation::Above,
            None => Relation::Apart,
        }
    }

    /// Whether nothing tells what is removed: a variable that is neither set in the file nor made by `mktemp`.
    pub fn is_unknown(&self, run: &Run) -> bool {
        if self.path.is_some() || self.raw.starts_with('~') {
            return false;
        }
        let Some((_, rest)) = self.raw.split_once('$') else { return false };
        let name: String =
            rest.trim_start_matches('{').chars().take_while(|ch| ch.is_ascii_alphanumeric() || *ch == '_').collect();
        let temporary = run.text.text.contains(&format!("{name}=\"$(mktemp"))
            || run.text.text.contains(&format!("{name}=$(mktemp"))
            || run.text.text.contains(&format!("{name}=`mktemp"));
        !temporary
    }
}

/// Whether a command that only removes can be taken out of the script without changing anything else.
///
/// # Errors
/// What speaks against it.
pub fn removable(run: &Run, command: &Command) -> Result<(), String> {
    let text = &run.text.text;
    let said = || command.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
    if command.form == Form::Exec {
        return Err(format!("`{}` stands in exec form, where it is not edited", said()));
    }
    let leaves = run
        .commands()
        .iter()
        .any(|other| matches!(other.name(), Some("exit" | "return")) && other.arguments().is_empty());
    if text.contains("$?") || leaves {
        return Err(format!("`{}` can't go, because the RUN looks at exit statuses ($?, exit)", said()));
    }
    let mut written = text[command.range.clone()].to_owned();
    for quiet in ["/dev/null", "2>&1", "2>", "&>", "1>", ">>"] {
        written = written.replace(quiet, "");
    }
    if written.trim_end().trim_end_matches('>').contains('>') {
        return Err(format!("`{}` can't go, because it writes its output to a file", said()));
    }
    if text[command.range.end..].trim_start_matches([' ', '\t', ';']).starts_with(')') {
        return Err(format!("`{}` stands at the end of a subshell, where it is not edited", said()));
    }
    let script = run.script().map_err(ToString::to_string)?;
    let list = &script.lists[command.list];
    let alone = list.outermost && list.items.len() == 1 && command.item.is_some();
    if !alone && script.removal(command) == Removal::True {
        return Err(format!("`{}` decides an exit status in a condition, a pipe or a subshell", said()));
    }
    Ok(())
}

/// Whether a change of folder by `command` holds for every command behind it: it stands in the script itself, and nothing in
/// front of it in its list can pass it over.
fn lasts(run: &Run, command: &Command) -> bool {
    let Ok(script) = run.script() else { return false };
    let list = &script.lists[command.list];
    let first = command.item == Some(0);
    // Behind `&&` it is passed over when something fails; then the rest of a pure chain is passed over too.
    let whole_chain = list.alone && list.and.iter().all(|and| *and) && command.item.is_some();
    list.outermost && list.top && (first || whole_chain || list.errexit && list.and.iter().all(|and| *and))
}

/// A command that names `directory` in a way that nothing here understands (`npx rimraf /root/.npm`, a script in a string).
/// The manager's own calls and plain removals are understood.
pub fn names(run: &Run, directory: &str, understood: &[usize]) -> Option<String> {
    let home = run.state.home();
    let in_home = home.as_deref().and_then(|home| directory.strip_prefix(home.trim_end_matches('/')));
    let spellings = std::iter::once(directory.to_owned()).chain(
        in_home.into_iter().flat_map(|rest| [format!("~{rest}"), format!("$HOME{rest}"), format!("~root{rest}")]),
    );
    let spellings: Vec<String> = spellings.collect();
    let commands = run.commands().iter().enumerate();
    let others = commands.filter(|(index, command)| {
        !understood.contains(index) && !matches!(command.name(), Some("rm" | "cd" | "echo" | "export" | "sh" | "bash"))
    });
    others
        .flat_map(|(_, command)| command.words.iter().chain(&command.assignments))
        .find(|word| spellings.iter().any(|spelling| word.raw.contains(spelling.as_str())))
        .map(|word| word.raw.clone())
}

/// A word as an absolute path: relative ones from WORKDIR, or from the last plain `cd` in front of it.
fn resolve(run: &Run, word: &crate::shell::ShellWord) -> Option<String> {
    let value = run.value(word).value?;
    if value.starts_with('/') {
        return Some(value);
    }
    let moves =
        run.commands().iter().filter(|command| command.name() == Some("cd") && command.range.start < word.range.start);
    let folder = match moves.into_iter().next_back() {
        Some(command) => {
            command.arguments().first().and_then(|word| run.value(word).value).filter(|path| path.starts_with('/'))
        }
        None => run.state.workdir.clone(),
    };
    Some(format!("{}/{value}", folder?.trim_end_matches('/')))
}

/// A command that copies a folder above `directory` as a whole, so that what is missing there would be missing in the copy. By
/// the words of the text, because RUNs without a package manager are not read any further.
pub fn takes_along(run: &Run, directory: &str) -> Option<String> {
    let mut folder = run.state.workdir.clone();
    for clause in run.text.text.split(['\n', ';', '&', '|']) {
        let words: Vec<&str> = clause.split_whitespace().map(|word| word.trim_matches(['"', '\'', '(', ')'])).collect();
        let Some((name, operands)) = words.split_first() else { continue };
        let operands: Vec<&str> =
            operands.iter().copied().filter(|word| !word.starts_with('-') && !word.is_empty()).collect();
        if *name == "cd" {
            folder = operands.first().filter(|path| path.starts_with('/')).map(|path| (*path).to_owned());
            continue;
        }
        let sources = match *name {
            "cp" | "mv" | "rsync" => &operands[..operands.len().saturating_sub(1)],
            "tar" | "zip" | "cpio" => operands.as_slice(),
            _ => continue,
        };
        let above = |path: &&&str| {
            let absolute = match (path.starts_with('/'), &folder) {
                (true, _) => (**path).to_owned(),
                (false, Some(folder)) => format!("{}/{path}", folder.trim_end_matches('/')),
                (false, None) => return false,
            };
            relation(&absolute, directory) == Relation::Above
        };
        if sources.iter().any(|path| above(&path)) {
            return Some(words.join(" "));
        }
    }
    None
}

/// A command, beside removals, that needs `directory` or a folder above it to be absent, takes everything in it along, or gives
/// it to somebody: `mkdir`, `ln`, `git clone`, `useradd -m`, `chown -R`, `cp -r`, `tar`. `kept` are folders that exist in any image.
pub fn disturbs(run: &Run, directory: &str, kept: &[&str]) -> Option<String> {
    const NAMES: [&str; 14] = [
        "mkdir", "ln", "git", "chown", "chmod", "chgrp", "cp", "mv", "tar", "rsync", "install", "touch", "unzip",
        "cpio",
    ];
    for command in run.commands() {
        let Some(name) = command.name() else { continue };
        let words = command.arguments();
        let said = || words.iter().fold(name.to_owned(), |said, word| said + " " + &word.raw);
        if let Some(user) = super::users::created(command) {
            let above = user.home.as_deref().is_some_and(|home| super::runs::is_within(directory, home));
            if above {
                return Some(said());
            }
            continue;
        }
        if !NAMES.contains(&name) {
            continue;
        }
        let recursive = matches!(name, "tar" | "rsync" | "cpio")
            || words.iter().any(|word| {
                word.raw.starts_with('-') && !word.raw.starts_with("--") && word.raw.contains(['R', 'r', 'a'])
                    || word.raw == "--recursive"
            });
        for word in words.iter().filter(|word| !word.raw.starts_with('-')) {
            let Some(path) = resolve(run, word) else { continue };
            let touches = match relation(&path, directory) {
                Relation::Apart => false,
                Relation::Above => recursive || !kept.contains(&path.trim_end_matches('/')) && path != "/",
                Relation::Itself | Relation::Inside => true,
            };
            if touches {
                return Some(said());
            }
        }
    }
    None
}

/// Whether a path speaks of a cache, so that an `rm` of it is a clean-up and nothing else.
pub fn is_cache_path(raw: &str) -> bool {
    let raw = raw.to_ascii_lowercase();
    ["cache", "/lists", ".npm", ".cargo/registry", ".m2", ".gradle", ".nuget", "pkgs", "/tmp/*"]
        .iter()
        .any(|part| raw.contains(part))
}

/// How `path`, which may hold patterns, lies to `directory`.
fn relation(path: &str, directory: &str) -> Relation {
    let parts = |text: &str| -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
            match part {
                ".." => drop(parts.pop()),
                _ => parts.push(part.to_owned()),
            }
        }
        parts
    };
    let (path, directory) = (parts(path), parts(directory));
    let shared = path.iter().zip(&directory).take_while(|(pattern, name)| glob(pattern, name)).count();
    if shared == directory.len() && path.len() > directory.len() {
        Relation::Inside
    } else if shared < path.len() {
        Relation::Apart
    } else if path.len() == directory.len() && !path.last().is_some_and(|last| last.contains(['*', '?', '['])) {
        Relation::Itself
    } else {
        Relation::Above
    }
}

/// A shell pattern over one path component; a leading dot needs a dot. `[` matches anything, to be on the safe side.
fn glob(pattern: &str, name: &str) -> bool {
    fn matches(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.first(), name.first()) {
            (None, None) => true,
            (Some(b'['), _) => true,
            (Some(b'*'), _) => matches(&pattern[1..], name) || !name.is_empty() && matches(pattern, &name[1..]),
            (Some(b'?'), Some(_)) => matches(&pattern[1..], &name[1..]),
            (Some(left), Some(right)) => left == right && matches(&pattern[1..], &name[1..]),
            _ => false,
        }
    }
    let hidden = name.starts_with('.') && !pattern.starts_with('.');
    !hidden && matches(pattern.as_bytes(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_placed_against_a_directory() {
        let dir = "/root/.cache/pip";
        for (path, expected) in [
            ("/root/.cache/pip", Relation::Itself),
            ("/root/.cache/pip/", Relation::Itself),
            ("/root/.cache/pip/*", Relation::Inside),
            ("/root/.cache", Relation::Above),
            ("/root/.cache/*", Relation::Above),
            ("/root/.cache/p*", Relation::Above),
            ("/root/*", Relation::Apart),
            ("/root/.*", Relation::Above),
            ("/", Relation::Above),
            ("/root/.cache/pi", Relation::Apart),
            ("/tmp/*", Relation::Apart),
            ("/root/../root/.cache", Relation::Above),
        ] {
            assert_eq!(relation(path, dir), expected, "{path}");
        }
    }
}
