//! Whether what a stage holds at a path is still the same: a COPY from a stage looks at the files, not at how they were made.

use std::collections::BTreeMap;

use super::definitions::{Definition, Kind, StageDefinition};
use super::paths::{Coverage, overlap, plain_start};
use super::statuses::Compared;
use super::{Status, Subject};
use crate::facts::copies::relative;

pub(super) struct Contents<'c, 'a> {
    pub subject: &'c Subject<'a>,
    pub stages: &'c [StageDefinition],
    /// The stages in front of the one that asks.
    pub compared: &'c BTreeMap<usize, Compared>,
}

impl Contents<'_, '_> {
    /// Whether the files at `path` (absolute, the root empty, perhaps with patterns) of a stage are the same: `Again` where they are known
    /// to differ.
    pub fn of(&self, stage: usize, path: &str) -> Status {
        let Some((definition, compared)) =
            self.stages.iter().find(|known| known.stage == stage).zip(self.compared.get(&stage))
        else {
            return Status::Depends;
        };
        let below = match definition.parent {
            Some(parent) => self.of(parent, path),
            // What another base image has there is not known.
            None => compared.base.min(Status::Depends),
        };
        definition.steps.iter().zip(&compared.steps).fold(below, |so_far, (step, (status, own))| {
            if *status == Status::Cached {
                return so_far;
            }
            match &step.kind {
                Kind::Workdir => so_far,
                // What it made it may have removed or made anew.
                Kind::Run => Status::Depends,
                Kind::Copy { destination } => so_far.max(self.copied(step, destination, *own, path)),
            }
        })
    }

    /// Whether a copy that runs again brings something else to `path`.
    fn copied(&self, step: &Definition, destination: &str, own: Status, path: &str) -> Status {
        let plain = plain_start(path);
        // Above a step that changed, a copy brings what it brought before.
        if own == Status::Cached || !overlap(destination, plain) {
            return Status::Cached;
        }
        if step.context != Coverage::Whole || plain != path {
            return Status::Depends;
        }
        let facts = self.subject.facts;
        let copy = facts.copies.iter().find(|copy| copy.instruction == step.instruction);
        let Some(Ok(parts)) = copy.map(|copy| copy.parts(self.subject.context)) else { return Status::Depends };
        // A step whose own text has changed brings everything to another place, or otherwise: not worked out.
        let lands = |part: &crate::facts::copies::Part| relative(&part.target, path).is_some();
        if parts.iter().all(lands) { Status::Again } else { Status::Depends }
    }
}
