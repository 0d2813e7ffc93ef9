//! Commands in a RUN that remove files, and what they do to a directory that is mounted.

use super::runs::Run;

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
        let operands: Vec<usize> = (first..command.words.len()).filter(|at| !command.words[*at].raw.starts_with('-')).collect();
        let removed: Vec<usize> = match name {
            "cd" | "pushd" => {
                let target = operands.first().and_then(|at| run.value(&command.words[*at]).value);
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
                let deletes = command.words.iter().any(|word| word.raw == "-delete" || word.raw == "rm" || word.raw.ends_with("/rm"));
                let paths = (first..command.words.len()).take_while(|at| !command.words[*at].raw.starts_with(['-', '(', '!', '\\']));
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
            out.push(Removed { command: index, word, raw, path, editable: name == "rm" });
        }
    }
    out
}

impl Removed {
    /// How the path lies to `directory`. A path that can't be told counts as a parent if it speaks of a cache.
    pub fn relation(&self, directory: &str) -> Relation {
        match &self.path {
            Some(path) => relation(path, directory),
            None if self.raw.to_ascii_lowercase().contains("cache") => Relation::Above,
            None => Relation::Apart,
        }
    }
}

/// How `path`, which may hold patterns, lies to `directory`.
fn relation(path: &str, directory: &str) -> Relation {
    let parts = |text: &str| -> Vec<String> {
        text.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let (path, directory) = (parts(path), parts(directory));
    let shared = path.iter().zip(&directory).take_while(|(pattern, name)| glob(pattern, name)).count();
    if shared == directory.len() && path.len() > directory.len() {
        Relation::Inside
    } else if shared < path.len() {
        Relation::Apart
    } else if path.len() == directory.len() {
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
            ("/root/.cache/*", Relation::Itself),
            ("/root/*", Relation::Apart),
            ("/root/.*", Relation::Above),
            ("/", Relation::Above),
            ("/root/.cache/pi", Relation::Apart),
            ("/tmp/*", Relation::Apart),
        ] {
            assert_eq!(relation(path, dir), expected, "{path}");
        }
    }
}
