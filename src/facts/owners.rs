//! Folders that the commands of a Dockerfile make: whom they belong to, and what is written into them.

use super::copies::absolute;
use super::runs::{Run, is_within};
use super::{Facts, User};
use crate::shell::{self, Command, Script, ShellWord};

/// Whether the RUNs of a stage make exactly the folder at `path` and leave it to `user`. What a base image may have there is not known,
/// and a folder above it says nothing: what is mounted takes its owner from the folder that it is mounted on.
pub fn owns(facts: &Facts<'_>, stage: usize, user: &User, path: &str) -> bool {
    let mut owner = Owner::Missing;
    for run in runs(facts, stage) {
        if run.mounts.iter().any(|mount| mount.covers(path)) {
            continue;
        }
        if run.mounts.iter().any(|mount| mount.target.as_deref().is_some_and(|target| is_within(target, path))) {
            owner = owner.or_made(Owner::Unknown);
        }
        let Some(script) = script(run) else {
            if owner != Owner::Missing && run.text.text.contains(path) {
                owner = Owner::Unknown;
            }
            continue;
        };
        let users = &facts.stages[stage].end.users;
        for command in &script.commands {
            let next = Step { run, script: &script, command, users }.leaves(path, &owner);
            owner = if next == owner || is_certain(&script, command) { next } else { Owner::Unknown };
        }
    }
    matches!(owner, Owner::Of(owner) if is_same(&owner, user))
}

/// The first RUN of a stage with a command that names something in the folder at `path`, other than to make it or to give it away: an
/// index into the instructions.
pub fn written_by(facts: &Facts<'_>, stage: usize, path: &str) -> Option<usize> {
    const IDLE: [&str; 14] = [
        "mkdir", "install", "chown", "chmod", "chgrp", "rm", "rmdir", "ls", "du", "echo", "printf", "test", "[",
        "export",
    ];
    let writes = |run: &&Run| {
        let script = script(run).filter(|_| !run.mounts.iter().any(|mount| mount.covers(path)));
        script.is_some_and(|script| {
            script.commands.iter().any(|command| {
                let is_idle = command.name().is_none_or(|name| IDLE.contains(&name) || name.ends_with("useradd"));
                let step = Step { run, script: &script, command, users: &[] };
                !is_idle && command.arguments().iter().any(|word| step.names(word, path))
            })
        })
    };
    runs(facts, stage).into_iter().find(writes).map(|run| run.instruction)
}

/// The RUNs of a stage and of those that it is built on, in the order in which they are run.
fn runs<'f>(facts: &'f Facts<'_>, stage: usize) -> Vec<&'f Run> {
    let stages = facts.ancestors(stage);
    facts.runs.iter().filter(|run| stages.contains(&run.stage)).collect()
}

/// What a RUN does, also where no package manager stands in it; none where that is not read.
fn script(run: &Run) -> Option<Script> {
    match run.script() {
        Ok(script) => Some(script.clone()),
        Err(super::Unreadable::Irrelevant) => shell::parse(&run.text.text, true).ok(),
        Err(_) => None,
    }
}

/// Whether a command is run whatever happens, if the RUN succeeds.
fn is_certain(script: &Script, command: &Command) -> bool {
    let list = &script.lists[command.list];
    let Some(item) = command.item.filter(|_| !command.nested && list.outermost) else { return false };
    list.and.iter().take(item).all(|and| *and)
}

fn is_same(left: &User, right: &User) -> bool {
    match (left.uid, right.uid) {
        (Some(left), Some(right)) => left == right,
        _ => left.name == right.name,
    }
}

/// Whom a folder belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// Nothing has made it.
    Missing,
    Of(User),
    Unknown,
}

impl Owner {
    /// A folder that is there stays as it is.
    fn or_made(&self, by: Owner) -> Owner {
        if *self == Owner::Missing { by } else { self.clone() }
    }
}

/// A command of a RUN.
struct Step<'a> {
    run: &'a Run,
    script: &'a Script,
    command: &'a Command,
    users: &'a [User],
}

/// How an operand lies to a folder.
enum Operand {
    /// The folder itself.
    Itself,
    Inside,
    /// It lies in what the operand names; or may be one of what its pattern means.
    Above,
    Apart,
    Unknown,
}

impl Step<'_> {
    /// Whom the folder at `path` belongs to behind the command.
    fn leaves(&self, path: &str, owner: &Owner) -> Owner {
        let Some(name) = self.command.name() else { return owner.clone() };
        let words = self.command.arguments();
        let has = |short: char, long: &str| {
            words.iter().any(|word| {
                word.raw == long || word.raw.starts_with('-') && !word.raw.starts_with("--") && word.raw.contains(short)
            })
        };
        let own = || self.runs_as().map_or(Owner::Unknown, Owner::Of);
        let mut owner = owner.clone();
        match name {
            "mkdir" => {
                for operand in self.operands(&["-m", "--mode"]) {
                    if matches!(self.lies(operand, path), Operand::Itself | Operand::Inside) {
                        owner = owner.or_made(own());
                    }
                }
            }
            "install" if has('d', "--directory") => {
                let given = words.iter().position(|word| matches!(word.raw.as_str(), "-o" | "--owner"));
                let given = match given.map(|at| words.get(at + 1).and_then(|word| self.run.value(word).value)) {
                    Some(Some(name)) => Owner::Of(User::named(&name, self.users)),
                    Some(None) => Owner::Unknown,
                    None => own(),
                };
                for operand in self.operands(&["-o", "--owner", "-g", "--group", "-m", "--mode"]) {
                    match self.lies(operand, path) {
                        Operand::Itself => owner = given.clone(),
                        Operand::Inside => owner = owner.or_made(own()),
                        _ => {}
                    }
                }
            }
            "chown" => {
                let is_deep = has('R', "--recursive");
                let operands = self.operands(&["--from"]);
                let by_file = words.iter().any(|word| word.raw.starts_with("--reference"));
                let given = operands.first().and_then(|word| self.run.value(word).value);
                let given =
                    given.filter(|_| !by_file).map(|given| given.split([':', '.']).next().unwrap_or("").to_owned());
                let given = match given {
                    Some(name) if name.is_empty() => return owner,
                    Some(name) => Owner::Of(User::named(&name, self.users)),
                    None => Owner::Unknown,
                };
                for operand in operands.into_iter().skip(usize::from(!by_file)) {
                    let reached = match self.lies(operand, path) {
                        Operand::Itself => given.clone(),
                        Operand::Above if is_deep && operand.value.is_some() => given.clone(),
                        Operand::Above if is_deep => Owner::Unknown,
                        Operand::Unknown => Owner::Unknown,
                        _ => continue,
                    };
                    if owner != Owner::Missing {
                        owner = reached;
                    }
                }
            }
            "rm" | "rmdir" | "mv" => {
                let operands = self.operands(&[]);
                if operands.into_iter().any(|word| matches!(self.lies(word, path), Operand::Itself | Operand::Above)) {
                    owner = Owner::Missing;
                }
            }
            _ => {}
        }
        owner
    }

    /// As whom it is run.
    fn runs_as(&self) -> Option<User> {
        match self.command.run_as {
            shell::RunAs::Same => self.run.state.user.clone(),
            shell::RunAs::Root { .. } => Some(User::root()),
            shell::RunAs::Other => None,
        }
    }

    /// The words that are no options and no values of `options`.
    fn operands(&self, options: &[&str]) -> Vec<&ShellWord> {
        let mut operands = Vec::new();
        let mut words = self.command.arguments().iter();
        while let Some(word) = words.next() {
            if options.contains(&word.raw.as_str()) {
                words.next();
            } else if !word.raw.starts_with('-') {
                operands.push(word);
            }
        }
        operands
    }

    fn lies(&self, word: &ShellWord, path: &str) -> Operand {
        let value = self.run.value(word);
        let Some(text) = value.value.and_then(|text| self.whole(&text)) else { return Operand::Unknown };
        if value.pattern {
            let before = &text[..text.find(['*', '?', '[']).unwrap_or(text.len())];
            let folder = before.rsplit_once('/').map_or("", |(folder, _)| folder);
            return if path != folder && is_within(path, folder) { Operand::Above } else { Operand::Apart };
        }
        let text = absolute("", &text);
        if text == path {
            Operand::Itself
        } else if is_within(&text, path) {
            Operand::Inside
        } else if is_within(path, &text) {
            Operand::Above
        } else {
            Operand::Apart
        }
    }

    /// Whether a word, or what stands behind `=` in it, is a path in the folder at `path`.
    fn names(&self, word: &ShellWord, path: &str) -> bool {
        let Some(text) = self.run.value(word).value else { return false };
        let text = text.split_once('=').map_or(text.as_str(), |(_, value)| value);
        text.starts_with('/') && is_within(&absolute("", text), path)
    }

    /// From the root on; none behind `cd`.
    fn whole(&self, text: &str) -> Option<String> {
        if text.starts_with('/') {
            return Some(text.to_owned());
        }
        let start = self.command.range.start;
        let moves = self.script.commands.iter().any(|other| other.name() == Some("cd") && other.range.start < start);
        let folder = self.run.state.workdir.as_deref().filter(|_| !moves)?;
        Some(format!("{}/{text}", folder.trim_end_matches('/')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Knowledge, Scripts};

    const START: &str = "FROM python:3.12-slim\nRUN useradd --uid 1000 --create-home app\nENV HF_HOME=/models\n";

    fn with<T>(lines: &str, look: impl Fn(&Facts<'_>, &User) -> T) -> T {
        let text = format!("{START}{lines}\n");
        let file = crate::dockerfile::read(&text).unwrap();
        let knowledge = Knowledge::default();
        let facts = Facts::new(&text, &file, &knowledge, &Scripts::new());
        let user = User { name: "app".to_owned(), uid: Some(1000), gid: None, home: None };
        look(&facts, &user)
    }

    fn owned(lines: &str) -> bool {
        with(lines, |facts, user| owns(facts, facts.stages.len() - 1, user, "/models"))
    }

    #[test]
    fn a_folder_that_is_made_and_given_away_belongs_to_the_user() {
        assert!(owned("RUN mkdir -p /models && chown app /models"));
        assert!(owned("RUN mkdir /models\nRUN chown -R app:app $HF_HOME"));
        assert!(owned("RUN mkdir -p /models/hub && chown -R 1000:1000 /models"));
        assert!(owned("RUN install -d -o app -g app /models"));
        assert!(owned("USER app\nRUN mkdir -p /models"));
    }

    #[test]
    fn a_folder_belongs_to_nobody_before_it_is_made() {
        assert!(!owned("RUN chown -R app /models || true"));
        assert!(!owned("RUN mkdir -p /srv && chown -R app /srv"));
        assert!(!owned("RUN mkdir -p /models"));
        assert!(!owned("RUN mkdir -p /models && chown :app /models"));
        assert!(!owned("RUN mkdir -p /models/hub && chown app /models/hub"));
    }

    #[test]
    fn later_commands_decide() {
        assert!(!owned("RUN mkdir /models && chown app /models\nRUN chown -R root /models"));
        assert!(!owned("RUN mkdir /models && chown app /models\nRUN rm -rf /models"));
        assert!(!owned("RUN mkdir /models && chown app /models\nRUN chown -R $WHO /models"));
    }

    #[test]
    fn what_may_not_be_run_gives_nothing() {
        assert!(!owned("RUN mkdir /models; if [ -n \"$X\" ]; then chown app /models; fi"));
        assert!(!owned("RUN mkdir /models && test -e /x || chown app /models"));
        assert!(!owned("RUN --mount=type=cache,target=/models mkdir -p /models && chown app /models"));
    }

    #[test]
    fn a_command_that_names_a_file_in_it_writes_it() {
        let written = |lines: &str| with(lines, |facts, _| written_by(facts, 0, "/models").map(|at| facts.line(at)));
        assert_eq!(written("RUN curl -o /models/a.bin https://example.com/a.bin"), Some(4));
        assert_eq!(written("RUN fetch --to=$HF_HOME/a"), Some(4));
        assert_eq!(written("RUN mkdir -p /models && chown app /models && echo /models"), None);
        assert_eq!(written("RUN curl -o /models2/a.bin https://example.com/a.bin"), None);
    }
}
