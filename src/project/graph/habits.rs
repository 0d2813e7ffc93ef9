//! What scripts and workflows tell of how a project's compose files are used.

use super::Source;
use super::paths::{checkout, inside, parent};
use crate::facts::compose::INLINE_ARGUMENT;
use crate::facts::workflow::Workflow;

/// Uses of compose files. Places are `path:line`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Habits {
    /// Where builds are given the argument BUILDKIT_INLINE_CACHE, and for which folder that counts.
    inline_arguments: Vec<(String, String)>,
    /// Compose files that are loaded together.
    together: Vec<Vec<String>>,
    /// Compose files that `docker stack deploy` reads, or the folder where the file is not known; with the place.
    stacks: Vec<(String, String)>,
    /// Where Compose 1 is asked for, and for which folder that counts.
    compose_1: Vec<(String, String)>,
}

impl Habits {
    /// Reads scripts (path and text) and the `run` steps of workflows.
    pub(super) fn read(scripts: &[(String, String)], workflows: &[Source<Workflow>]) -> Self {
        let mut habits = Self::default();
        for (path, text) in scripts {
            habits.text(text, &parent(path), &scope(path), &|line| format!("{path}:{line}"));
        }
        for source in workflows {
            for step in source.file.steps() {
                let place = format!("{}:{}", source.path, source.lines.line(step.offset));
                let folder = step.folder.as_deref().unwrap_or(".");
                let checkout = checkout(&source.path);
                let folder = inside(&checkout, folder).unwrap_or_else(|| checkout.clone());
                habits.text(step.run.as_deref().unwrap_or(""), &folder, &checkout, &|_| place.clone());
                let inputs = step.with.iter().chain(&step.env).chain(&source.file.env);
                if inputs.clone().any(|(name, value)| name == INLINE_ARGUMENT || value.contains(INLINE_ARGUMENT))
                    && !step.is_action(crate::facts::workflow::BUILD_PUSH)
                {
                    habits.inline_arguments.push((place, checkout));
                }
            }
        }
        habits
    }

    fn text(&mut self, text: &str, folder: &str, scope: &str, place: &dyn Fn(usize) -> String) {
        let comment = |line: &str| line.trim_start().starts_with('#');
        let mut joined = String::new();
        for (index, line) in text.lines().enumerate() {
            if comment(line) {
                continue;
            }
            if line.contains(INLINE_ARGUMENT) {
                self.inline_arguments.push((place(index + 1), scope.to_owned()));
            }
            let old = ["docker/compose:1.", "docker-compose==1.", "compose/releases/download/1."];
            if old.iter().any(|word| line.contains(word)) {
                self.compose_1.push((place(index + 1), scope.to_owned()));
            }
            joined.push_str(line.trim_end_matches('\\'));
            if line.ends_with('\\') {
                joined.push(' ');
                continue;
            }
            self.command(&joined, folder, scope, &place(index + 1));
            joined.clear();
        }
        self.command(&joined, folder, scope, &place(text.lines().count()));
    }

    /// One command, continuations joined.
    fn command(&mut self, line: &str, folder: &str, scope: &str, place: &str) {
        let words: Vec<&str> =
            line.split([' ', '\t', '"', '\'', ',', '[', ']']).filter(|word| !word.is_empty()).collect();
        let values = |flags: &[&str]| -> Vec<String> {
            let mut found = Vec::new();
            for (at, word) in words.iter().enumerate() {
                let value = match word.split_once('=') {
                    Some((flag, value)) if flags.contains(&flag) => Some(value),
                    _ if flags.contains(word) => words.get(at + 1).copied(),
                    _ => None,
                };
                found.extend(value.and_then(|value| inside(folder, value)));
            }
            found
        };
        if line.contains("compose") {
            let files = values(&["-f", "--file"]);
            if files.len() > 1 {
                self.together.push(files);
            }
        }
        if let Some(list) = words.iter().find_map(|word| word.strip_prefix("COMPOSE_FILE=")) {
            let files: Vec<String> = list.split([':', ';']).filter_map(|file| inside(folder, file)).collect();
            if files.len() > 1 {
                self.together.push(files);
            }
        }
        if line.contains("docker stack deploy") || line.contains("docker stack up") {
            let files = values(&["-c", "--compose-file"]);
            let known: Vec<_> = files.into_iter().filter(|file| !file.contains('$')).collect();
            if known.is_empty() {
                self.stacks.push((scope.to_owned(), place.to_owned()));
            }
            self.stacks.extend(known.into_iter().map(|file| (file, place.to_owned())));
        }
    }

    /// Whether two compose files of different names may be loaded together: by a command, by their folder, or as a development container's.
    pub fn may_join(&self, left: &str, right: &str) -> bool {
        let named =
            |files: &Vec<String>| files.iter().any(|file| file == left) && files.iter().any(|file| file == right);
        let (left_folder, right_folder) = (parent(left), parent(right));
        let container =
            |inner: &str, outer: &str| inner.rsplit('/').next() == Some(".devcontainer") && parent(inner) == outer;
        left_folder == right_folder
            || container(&left_folder, &right_folder)
            || container(&right_folder, &left_folder)
            || self.together.iter().any(named)
    }

    /// Where `docker stack deploy` reads a compose file.
    pub fn stack(&self, path: &str) -> Option<&str> {
        self.stacks.iter().find(|(file, _)| file == path || lies_in(path, file)).map(|(_, place)| place.as_str())
    }

    /// Where builds of a file are given the argument BUILDKIT_INLINE_CACHE.
    pub fn inline_argument(&self, path: &str) -> Option<&str> {
        self.inline_arguments.iter().find(|(_, scope)| lies_in(path, scope)).map(|(place, _)| place.as_str())
    }

    /// Where Compose 1 is asked for.
    pub fn compose_1(&self, path: &str) -> Option<&str> {
        self.compose_1.iter().find(|(_, scope)| lies_in(path, scope)).map(|(place, _)| place.as_str())
    }
}

fn lies_in(path: &str, folder: &str) -> bool {
    folder == "." || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder that a script is about: its own, or the one above a folder of scripts.
fn scope(path: &str) -> String {
    let folder = parent(path);
    let name = folder.rsplit('/').next().unwrap_or(&folder);
    let is_for_scripts = matches!(
        name,
        ".ci"
            | ".circleci"
            | "bin"
            | "build"
            | "ci"
            | "deploy"
            | "docker"
            | "hack"
            | "infra"
            | "ops"
            | "scripts"
            | "tools"
    );
    if is_for_scripts { scope(&folder) } else { folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_tell_which_files_are_loaded_together() {
        let text = "up:\n\tdocker compose -f a.yml \\\n\t  -f deploy/b.yml up\n# -f c.yml -f d.yml compose\n\tdocker compose build \\\n\t  --build-arg BUILDKIT_INLINE_CACHE=1\n\tdocker stack deploy -c a.yml x\n";
        let habits = Habits::read(&[("Makefile".to_owned(), text.to_owned())], &[]);
        assert_eq!(habits.together, [["a.yml", "deploy/b.yml"]]);
        assert_eq!(habits.inline_argument("x/c.yml"), Some("Makefile:6"));
        assert_eq!((habits.stack("a.yml"), habits.stack("c.yml")), (Some("Makefile:7"), None));
        assert!(habits.may_join("a.yml", "deploy/b.yml") && habits.may_join("x/a.yml", "x/b.yml"));
        assert!(habits.may_join(".devcontainer/compose.yml", "compose.yml") && !habits.may_join("x/a.yml", "y/a.yml"));
    }
}
