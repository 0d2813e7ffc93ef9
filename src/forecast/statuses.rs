//! What becomes of each step: by comparing two worlds, or after a build that broke.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::contents::Contents;
use super::definitions::{Definition, StageDefinition};
use super::paths::Coverage;
use super::{Status, Subject};

/// What became of the steps of a stage, and of what it is built on.
#[derive(Debug)]
pub(super) struct Compared {
    /// Whether the base image is another one.
    pub base: Status,
    /// As many as the stage has steps: what becomes of it, and what of that is its own doing.
    pub steps: Vec<(Status, Status)>,
}

/// The instructions of the steps and what becomes of them where `before` becomes `after`; a step that two stages share only once.
pub(super) fn compare(
    subject: &Subject<'_>,
    before: &[StageDefinition],
    after: &[StageDefinition],
) -> Vec<(usize, Status)> {
    let mut compared: BTreeMap<usize, Compared> = BTreeMap::new();
    for (old, new) in before.iter().zip(after) {
        let base = if old.base == new.base { Status::Cached } else { Status::Again };
        let inherited = new.parent.and_then(|parent| compared.get(&parent)).map_or(base, Compared::end);
        let mut done = Compared { base: inherited, steps: Vec::new() };
        for (old, new) in old.steps.iter().zip(&new.steps) {
            let contents = Contents { subject, stages: after, compared: &compared };
            let own = own(old, new);
            let taken = new.takes.iter().map(|(stage, path)| contents.of(*stage, path)).max();
            let own = own.max(taken.unwrap_or(Status::Cached));
            let above = done.end();
            let status = own.max(above);
            done.steps.push((status, own));
        }
        compared.insert(new.stage, done);
    }
    let all = after.iter().zip(keys(after)).flat_map(|(stage, keys)| {
        let steps = compared[&stage.stage].steps.iter().map(|(status, _)| *status);
        stage.steps.iter().map(|step| step.instruction).zip(steps).zip(keys)
    });
    let mut seen = HashSet::new();
    all.filter(|(_, key)| seen.insert(*key)).map(|(step, _)| step).collect()
}

impl Compared {
    /// What becomes of what comes next.
    fn end(&self) -> Status {
        self.steps.last().map_or(self.base, |(status, _)| *status)
    }
}

/// What the edit does to a step itself.
fn own(old: &Definition, new: &Definition) -> Status {
    if old.own != new.own {
        return Status::Again;
    }
    match new.context {
        Coverage::None => Status::Cached,
        Coverage::Perhaps => Status::Depends,
        Coverage::Whole => Status::Again,
    }
}

/// For each stage the keys of its steps: steps with the same key are one.
fn keys(stages: &[StageDefinition]) -> Vec<Vec<u64>> {
    let hash = |parts: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        parts(&mut hasher);
        hasher.finish()
    };
    let mut ends: BTreeMap<usize, u64> = BTreeMap::new();
    let mut all = Vec::new();
    for stage in stages {
        let mut last = match stage.parent.and_then(|parent| ends.get(&parent)) {
            Some(end) => *end,
            None => hash(&|hasher| stage.base.hash(hasher)),
        };
        let mut keys = Vec::new();
        for step in &stage.steps {
            let above = last;
            let takes: Vec<_> = step.takes.iter().map(|(stage, path)| (ends.get(stage), path)).collect();
            last = hash(&|hasher| (above, &step.own, &takes).hash(hasher));
            keys.push(last);
        }
        ends.insert(stage.stage, last);
        all.push(keys);
    }
    all
}

/// What a build finds after one that broke at an instruction: what that one stands on is there, what stood beside it may be, and so may
/// what takes its files, which an earlier build may have made alike.
pub(super) fn after_failure(stages: &[StageDefinition], broken: usize) -> Vec<(usize, Status)> {
    let mut below: Vec<(usize, Option<Status>)> = Vec::new();
    // What becomes of what stands on the broken step, by stage.
    let mut hit: BTreeMap<usize, Option<Status>> = BTreeMap::new();
    for stage in stages {
        let mut so_far = stage.parent.and_then(|parent| hit.get(&parent).copied().flatten());
        for step in &stage.steps {
            if step.instruction == broken {
                so_far = Some(Status::Again);
            }
            let takes = step.takes.iter().any(|(stage, _)| hit.get(stage).is_some_and(Option::is_some));
            so_far = so_far.or(takes.then_some(Status::Depends));
            below.push((step.instruction, so_far));
        }
        hit.insert(stage.stage, so_far);
    }
    let above = stands_on(stages, broken);
    let mut seen = HashSet::new();
    let keys = keys(stages).into_iter().flatten();
    let steps = below.into_iter().zip(keys).filter(|(_, key)| seen.insert(*key));
    steps
        .map(|((instruction, is_below), _)| {
            let beside = if above.contains(&instruction) { Status::Cached } else { Status::Depends };
            (instruction, is_below.unwrap_or(beside))
        })
        .collect()
}

/// The instructions of the steps that a step stands on, its own among them.
fn stands_on(stages: &[StageDefinition], instruction: usize) -> HashSet<usize> {
    let mut found = HashSet::new();
    let holds = |stage: &&StageDefinition| stage.steps.iter().any(|step| step.instruction == instruction);
    let mut open: Vec<(usize, Option<usize>)> =
        stages.iter().find(holds).map(|stage| (stage.stage, Some(instruction))).into_iter().collect();
    while let Some((at, until)) = open.pop() {
        let Some(stage) = stages.iter().find(|stage| stage.stage == at) else { continue };
        open.extend(stage.parent.map(|parent| (parent, None)));
        for step in stage.steps.iter().filter(|step| until.is_none_or(|until| step.instruction <= until)) {
            found.insert(step.instruction);
            open.extend(step.takes.iter().map(|(stage, _)| (*stage, None)));
        }
    }
    found
}
