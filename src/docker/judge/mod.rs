//! What a machine means for changes of build files: one check per thing that can keep them from working.

mod build;
mod cache;
mod compose;
mod engine;
mod settings;

use serde::Serialize;

use self::build::BuildKit;
use super::Kind;
use super::machine::Machine;

/// How many places need the same of a builder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Changes that are proposed.
    pub pending: usize,
    /// Places that the files have already.
    pub there: usize,
}

impl Count {
    pub fn any(self) -> bool {
        self.pending + self.there > 0
    }
}

impl std::ops::Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count { pending: self.pending + other.pending, there: self.there + other.there }
    }
}

/// What the files of a tree and the changes of them need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Changes in all.
    pub changes: usize,
    /// `RUN --mount`.
    pub mounts: Count,
    /// `cache_to` in a registry or a folder, in compose and bake files.
    pub exports: Count,
    /// `cache_to: [type=inline]`.
    pub inline: Count,
    /// Changes that add `cache_from` with nothing that writes it, for the builder before BuildKit.
    pub imports: usize,
    /// Changes in compose files.
    pub compose: usize,
    /// Changes in workflows. CI builds them, not this machine.
    pub ci: usize,
    /// Services that Compose builds.
    pub services: usize,
}

impl Needs {
    /// Changes that show in builds on this machine.
    pub fn here(&self) -> usize {
        self.changes - self.ci
    }

    /// What only BuildKit does.
    fn buildkit(&self) -> Count {
        self.mounts + self.caches()
    }

    fn caches(&self) -> Count {
        self.exports + self.inline
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    /// Worth knowing; no change fails by it.
    Warning,
    /// Keeps a change from working.
    Problem,
    /// It can't be told.
    Unknown,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
            State::Unknown => "unknown",
        }
    }

    /// A problem where something is at stake, else a warning.
    fn problem_if(is_at_stake: bool) -> Self {
        if is_at_stake { State::Problem } else { State::Warning }
    }

    /// A warning where something is at stake, else nothing to speak of.
    fn warning_if(is_at_stake: bool) -> Self {
        if is_at_stake { State::Warning } else { State::Ok }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub id: &'static str,
    pub state: State,
    /// What the machine has.
    pub found: String,
    /// What that means for the changes.
    pub means: String,
    /// Pending changes that it concerns.
    pub touches: usize,
    /// Imperative; with the command where one is enough.
    pub remedy: Option<String>,
}

impl Check {
    fn new(id: &'static str, state: State, found: impl Into<String>, means: impl Into<String>) -> Self {
        Self { id, state, found: found.into(), means: means.into(), touches: 0, remedy: None }
    }

    fn touching(self, changes: usize) -> Self {
        Self { touches: changes, ..self }
    }

    fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// All checks, the ones that others rest on first.
pub fn judge(machine: &Machine, needs: &Needs) -> Vec<Check> {
    let mut checks = vec![engine::check(machine, needs)];
    match (machine.kind, &machine.server) {
        (None, _) => {}
        (Some(Kind::Podman), _) => checks.extend(engine::podman(needs)),
        (Some(Kind::Docker), Ok(server)) if server.is_podman => checks.extend(engine::podman(needs)),
        (Some(Kind::Docker), Ok(_)) => {
            checks.push(build::buildkit(machine, needs));
            checks.push(build::buildx(machine, needs));
            // Another builder reads and writes caches otherwise; what it does is said above.
            if !matches!(build::state(machine).0, BuildKit::Off(_) | BuildKit::Broken(_)) {
                checks.push(cache::export(machine, needs));
                checks.push(cache::import(machine, needs));
            }
            checks.push(compose::check(machine, needs));
            checks.push(settings::daemon_file(machine));
            checks.push(cache::collector(machine, needs));
        }
        // What the engine itself would have to tell is not asked for twice.
        (Some(Kind::Docker), Err(_)) => {
            checks.push(build::buildx(machine, needs));
            checks.push(compose::check(machine, needs));
            checks.push(settings::daemon_file(machine));
        }
    }
    checks.push(settings::environment(machine));
    checks
}

/// `1 pending change`, `3 places there already`, or both.
fn many(count: Count) -> String {
    match (count.pending, count.there) {
        (0, 0) => "nothing here needs it".to_owned(),
        (pending, 0) => changes(pending),
        (0, there) => places(there),
        (pending, there) => format!("{} and {}", changes(pending), places(there)),
    }
}

fn changes(count: usize) -> String {
    format!("{count} pending change{}", if count == 1 { "" } else { "s" })
}

fn places(count: usize) -> String {
    format!("{count} place{} there already", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
