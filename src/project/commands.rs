//! Docker commands in scripts: what they build and what they push.

use crate::shell;

/// A command that builds or pushes images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `docker build`, `docker buildx build`.
    Build {
        context: Option<String>,
        file: Option<String>,
        target: Option<String>,
        tags: Vec<String>,
        args: Vec<(String, Option<String>)>,
        push: bool,
        cache_from: Vec<String>,
    },
    /// `docker compose build`, `docker compose up --build`.
    ComposeBuild {
        files: Vec<String>,
        services: Vec<String>,
    },
    ComposePush {
        files: Vec<String>,
        services: Vec<String>,
    },
    /// `docker buildx bake`.
    Bake {
        targets: Vec<String>,
        push: bool,
        /// What `--set` gives, exports included.
        cache_from: Vec<String>,
    },
    /// `docker push`.
    Push {
        reference: String,
    },
}

impl Command {
    pub fn cache_from(&self) -> Vec<&str> {
        match self {
            Command::Build { cache_from, .. } | Command::Bake { cache_from, .. } => {
                cache_from.iter().map(String::as_str).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The commands of a shell script, as far as it can be read, each with the folder that `cd` has led to.
pub fn in_script(text: &str) -> Vec<(String, Command)> {
    if !text.contains("docker") {
        return Vec::new();
    }
    // Expressions of the workflow are no shell.
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        let end = rest[at..].find("}}").map_or(rest.len(), |end| at + end + 2);
        plain.push_str(&rest[..at]);
        plain.push_str("$EXPRESSION");
        rest = &rest[end..];
    }
    plain.push_str(rest);
    match shell::parse(&plain, false) {
        Ok(script) => {
            let mut folder = ".".to_owned();
            // Behind `cd` in a subshell or a condition: the list that it holds for.
            let mut inner: Option<(usize, String)> = None;
            let mut found = Vec::new();
            for command in &script.commands {
                let words: Vec<String> = command.words[command.program.min(command.words.len())..]
                    .iter()
                    .map(|word| word.value.clone().unwrap_or_else(|| word.raw.trim_matches('"').to_owned()))
                    .collect();
                let here = match &inner {
                    Some((list, inner)) if *list == command.list => inner.clone(),
                    _ => folder.clone(),
                };
                if matches!(command.name(), Some("cd" | "pushd" | "popd")) {
                    let known = words.get(1).filter(|to| !to.contains(['$', '-', '~']) && !to.starts_with('/'));
                    let to = known.map_or_else(|| UNKNOWN.to_owned(), |to| format!("{here}/{to}"));
                    if script.lists.get(command.list).is_some_and(|list| list.outermost) {
                        folder = to;
                    } else {
                        // Whether it lasts behind its list is not told.
                        inner = Some((command.list, to));
                        folder = UNKNOWN.to_owned();
                    }
                    continue;
                }
                found.extend(read(&words).map(|command| (here, command)));
            }
            found
        }
        Err(_) => in_lines(&plain).into_iter().map(|(_, command)| (UNKNOWN.to_owned(), command)).collect(),
    }
}

/// The names behind `--build-arg` anywhere in a text: also in variables and lists that a build is put together from.
pub fn build_arguments(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("--build-arg").filter_map(|(at, flag)| {
        let rest = text[at + flag.len()..]
            .trim_start_matches(|ch: char| matches!(ch, '=' | '"' | '\'' | ',' | '\\') || ch.is_whitespace());
        let end = rest.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    })
}

/// A folder that can't be told: no path, so that nothing is found in it.
const UNKNOWN: &str = "${{ unknown }}";

/// The commands of a file that is no plain shell script (Makefile, Jenkinsfile, CI file), with their lines from 1: each line on its own.
pub fn in_lines(text: &str) -> Vec<(usize, Command)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        if bare.starts_with('#') || bare.starts_with("//") {
            continue;
        }
        let Some(at) = line.find("docker") else { continue };
        let words = line[at..].split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned());
        let words: Vec<String> = words
            .take_while(|word| !matches!(word.as_str(), "&&" | "||" | ";" | "|"))
            .filter(|word| word != "\\")
            .collect();
        found.extend(read(&words).map(|command| (index + 1, command)));
    }
    found
}

/// Flags of `docker` and `docker compose` in front of the command that take a value.
const GLOBAL: [&str; 12] = [
    "--context",
    "-c",
    "--host",
    "-H",
    "--log-level",
    "-l",
    "--config",
    "--profile",
    "--env-file",
    "--project-directory",
    "-p",
    "--project-name",
];
/// Flags of `docker build` that take a value and are of no interest here.
const VALUED: [&str; 27] = [
    "--add-host",
    "--allow",
    "--annotation",
    "--attest",
    "--build-context",
    "--builder",
    "--cache-to",
    "--cgroup-parent",
    "--iidfile",
    "--label",
    "--metadata-file",
    "--network",
    "--no-cache-filter",
    "-o",
    "--output",
    "--platform",
    "--progress",
    "--provenance",
    "--sbom",
    "--secret",
    "--shm-size",
    "--ssh",
    "--ulimit",
    "-m",
    "--memory",
    "--cpuset-cpus",
    "--set",
];

fn read(words: &[String]) -> Option<Command> {
    let (program, mut rest) = words.split_first()?;
    let program = program.rsplit('/').next().unwrap_or(program);
    let mut files = Vec::new();
    if program == "docker-compose" {
        skip_global(&mut rest, &mut files);
        return compose(rest, files);
    }
    if program != "docker" {
        return None;
    }
    skip_global(&mut rest, &mut files);
    let (command, rest) = rest.split_first()?;
    match command.as_str() {
        "compose" => {
            let mut rest = rest;
            skip_global(&mut rest, &mut files);
            compose(rest, files)
        }
        "build" => Some(build(rest)),
        "push" => rest
            .iter()
            .find(|word| !word.starts_with('-'))
            .map(|reference| Command::Push { reference: reference.clone() }),
        "image" | "buildx" | "builder" => match rest.split_first()? {
            (word, rest) if word == "build" || word == "b" => Some(build(rest)),
            (word, rest) if word == "push" => rest
                .iter()
                .find(|word| !word.starts_with('-'))
                .map(|reference| Command::Push { reference: reference.clone() }),
            (word, rest) if word == "bake" => Some(bake(rest)),
            _ => None,
        },
        _ => None,
    }
}

/// Drops flags in front of the command; files of `-f` are kept.
fn skip_global(rest: &mut &[String], files: &mut Vec<String>) {
    while let Some((word, more)) = rest.split_first() {
        if !word.starts_with('-') {
            return;
        }
        let takes_file = matches!(word.as_str(), "-f" | "--file");
        if let Some(file) = word.strip_prefix("--file=") {
            files.push(file.to_owned());
        }
        *rest = more;
        if takes_file || GLOBAL.contains(&word.as_str()) {
            let Some((value, more)) = rest.split_first() else { return };
            if takes_file {
                files.push(value.clone());
            }
            *rest = more;
        }
    }
}

fn compose(words: &[String], files: Vec<String>) -> Option<Command> {
    let (command, rest) = words.split_first()?;
    let services = rest.iter().filter(|word| !word.starts_with('-') && !word.contains('=')).cloned().collect();
    match command.as_str() {
        "build" => Some(Command::ComposeBuild { files, services }),
        "push" => Some(Command::ComposePush { files, services }),
        "up" | "run" | "create" if rest.iter().any(|word| word == "--build") => {
            Some(Command::ComposeBuild { files, services: if command == "up" { services } else { Vec::new() } })
        }
        _ => None,
    }
}

fn bake(words: &[String]) -> Command {
    let mut targets = Vec::new();
    let mut cache_from = Vec::new();
    let push = words.iter().any(|word| word == "--push");
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let set = match word.strip_prefix("--set=") {
            Some(set) => Some(set.to_owned()),
            None if word == "--set" => rest.next().cloned(),
            None => None,
        };
        if let Some(set) = set {
            // What is exported there is meant to be imported, too.
            let entry = set.split_once(".cache-from=").or_else(|| set.split_once(".cache-to="));
            cache_from.extend(entry.map(|(_, entry)| entry.to_owned()));
        } else if matches!(word.as_str(), "-f" | "--file") || VALUED.contains(&word.as_str()) {
            rest.next();
        } else if !word.starts_with('-') && !word.contains('$') {
            targets.push(word.clone());
        }
    }
    Command::Bake { targets, push, cache_from }
}

fn build(words: &[String]) -> Command {
    let (mut context, mut file, mut target) = (None, None, None);
    let (mut tags, mut args, mut cache_from) = (Vec::new(), Vec::new(), Vec::new());
    let mut push = false;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (name, inner) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || inner.clone().or_else(|| rest.next().cloned());
        match name {
            "-f" | "--file" => file = value(),
            "-t" | "--tag" => tags.extend(value()),
            "--target" => target = value(),
            "--cache-from" => cache_from.extend(value()),
            "--build-arg" => args.extend(value().map(|arg| match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            })),
            "--push" => push = inner.as_deref() != Some("false"),
            name if VALUED.contains(&name) => drop(value()),
            name if name.starts_with('-') && name != "-" => {}
            _ => context = Some(word.clone()),
        }
    }
    Command::Build { context, file, target, tags, args, push, cache_from }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_and_pushes_are_read_from_scripts() {
        let found = in_script(
            "set -e\ndocker build -t a:1 --build-arg V=2 -f x/D \\\n  --target=t x && docker push a:1\ndocker compose -f c.yml build api\n",
        );
        let found: Vec<Command> = found.into_iter().map(|(_, command)| command).collect();
        let [Command::Build { context, file, target, tags, args, .. }, push, compose] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!((context.as_deref(), file.as_deref(), target.as_deref()), (Some("x"), Some("x/D"), Some("t")));
        assert_eq!((tags.as_slice(), args.len()), (&["a:1".to_owned()][..], 1));
        assert_eq!(push, &Command::Push { reference: "a:1".to_owned() });
        assert_eq!(
            compose,
            &Command::ComposeBuild { files: vec!["c.yml".to_owned()], services: vec!["api".to_owned()] }
        );
    }

    #[test]
    fn folders_are_followed() {
        let folders = |text: &str| in_script(text).into_iter().map(|(folder, _)| folder).collect::<Vec<_>>();
        assert_eq!(folders("docker build .\ncd api && docker build ."), [".", "./api"]);
        assert_eq!(folders("cd $X; docker build ."), [UNKNOWN]);
        assert_eq!(folders("(cd a && docker build .)\ndocker build ."), ["./a", UNKNOWN]);
    }

    #[test]
    fn expressions_of_a_workflow_do_not_hide_a_command() {
        let found = in_script("docker buildx build --push -t x:${{ github.sha }} .\n");
        assert!(
            matches!(&found[..], [(_, Command::Build { push: true, context: Some(context), .. })] if context == ".")
        );
    }

    #[test]
    fn lines_of_other_files_are_read_one_by_one() {
        let found = in_lines("push:\n\t@docker push reg/a:1 && echo\n# docker push no\n");
        assert_eq!(found, [(2, Command::Push { reference: "reg/a:1".to_owned() })]);
    }
}
