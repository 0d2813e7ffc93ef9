//! The engine: runs transforms over a file until nothing changes, and checks every change against what it declared.

mod check;
mod gains;
mod inline;
mod parsed;

use std::collections::HashSet;

pub use check::check;
pub use parsed::{Parsed, Refusal, read, read_dockerfile};

use self::check::check_read;
use self::inline::Inline;
use crate::context::Context;
use crate::dockerfile;
use crate::edit::EditSet;
use crate::facts::ignores::Ignores;
use crate::facts::{Facts, Scripts};
use crate::project::Project;
use crate::text::LineIndex;
use crate::transform::{
    BakeContext, Beside, Change, ComposeContext, DockerfileContext, Effect, Findings, Kind, Level, Skip, Transform,
    WorkflowContext,
};

/// More passes than any file needs; reaching it is our bug.
const MOST_PASSES: usize = 64;

/// A file and what surrounds it.
pub struct Input<'a> {
    /// Relative to the root of the project.
    pub path: &'a str,
    pub text: &'a str,
    /// `text` as [`read`] reads it.
    pub file: &'a Parsed,
    pub context: &'a Context,
    pub project: &'a Project,
}

/// What became of a file.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub kind: Kind,
    /// The text before and after.
    pub before: String,
    pub after: String,
    pub changes: Vec<Applied>,
    pub skips: Vec<Located>,
    /// Changes of a higher level than was asked for, as they were proposed at the end.
    pub held_back: Vec<HeldBack>,
    /// Changes that did something else than they declared: our bugs. The file keeps its text there.
    pub faults: Vec<String>,
}

/// A change that was made.
#[derive(Debug, Clone)]
pub struct Applied {
    pub id: String,
    pub group: String,
    pub transform: &'static str,
    pub title: String,
    pub reason: String,
    pub level: Level,
    /// Line of the text before all changes, from 1.
    pub line: usize,
    /// What it does to other files.
    pub beside: Vec<Beside>,
    /// The edits, in the text as the changes before this one left it.
    pub edits: EditSet,
}

impl Applied {
    /// Whether it shows in this file, and not in others alone.
    pub fn is_here(&self) -> bool {
        !self.edits.is_empty()
    }
}

/// A place that was left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub transform: &'static str,
    /// Line of the text before all changes, from 1.
    pub line: usize,
    pub reason: String,
}

/// A change that `--review` would make.
#[derive(Debug, Clone)]
pub struct HeldBack {
    pub transform: &'static str,
    pub line: usize,
    pub title: String,
    pub reason: String,
}

/// Rewrites one file with `transforms`, in their order, up to `allowed`.
///
/// Safe changes are computed first and on their own, so that they do not depend on `allowed`.
pub fn rewrite(input: &Input<'_>, transforms: &[&dyn Transform], allowed: Level) -> Outcome {
    if let Some(line) = input.file.ignores(input.text).whole_file {
        let skip = |transform: &&dyn Transform| Located {
            transform: transform.meta().id,
            line,
            reason: "restow: ignore-file".to_owned(),
        };
        return Outcome { skips: transforms.iter().map(skip).collect(), ..Outcome::unchanged(input) };
    }
    let mut rejected: HashSet<String> = HashSet::new();
    let mut faults = Vec::new();
    loop {
        let mut run = Run {
            input,
            transforms,
            allowed,
            text: input.text.to_owned(),
            steps: Vec::new(),
            file: None,
            lines: LineIndex::new(input.text),
            scripts: Scripts::new(),
            inline: Inline::default(),
            rejected: &rejected,
        };
        match run.run_to_fixpoint() {
            Ok((skips, held_back)) => {
                let Run { text, steps, inline, .. } = run;
                return finish(input, text, steps, skips, held_back, inline, faults);
            }
            Err(Fault::Damage { transform, group, message }) => {
                faults.push(format!("{transform}: {message}; this change is dropped"));
                rejected.insert(group);
            }
            Err(Fault::Endless) => {
                faults.push(format!("no end after {MOST_PASSES} passes; the file keeps its text"));
                return Outcome { faults, ..Outcome::unchanged(input) };
            }
        }
    }
}

impl Outcome {
    fn unchanged(input: &Input<'_>) -> Self {
        Self {
            kind: input.file.kind(),
            before: input.text.to_owned(),
            after: input.text.to_owned(),
            changes: Vec::new(),
            skips: Vec::new(),
            held_back: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// What went wrong: always our bug.
enum Fault {
    Damage { transform: &'static str, group: String, message: String },
    Endless,
}

/// One attempt at a file.
struct Run<'a> {
    input: &'a Input<'a>,
    transforms: &'a [&'a dyn Transform],
    allowed: Level,
    text: String,
    steps: Vec<(&'static str, Change, EditSet)>,
    /// `text` as it is read; none as long as it is the input's.
    file: Option<Parsed>,
    /// Of the input's text.
    lines: LineIndex,
    scripts: Scripts,
    /// What was found in Dockerfiles that stand in the file.
    inline: Inline,
    /// Groups with a change that did something else than it declared: none of their changes is made.
    rejected: &'a HashSet<String>,
}

/// What each transform found in one text.
type Found = Vec<(&'static str, Findings)>;
type Remains = (Vec<(&'static str, usize, String)>, Vec<(&'static str, Change)>);

impl Run<'_> {
    fn run_to_fixpoint(&mut self) -> Result<Remains, Fault> {
        self.rewrite_inline()?;
        let mut found = Vec::new();
        for level in [Level::Safe, Level::Review] {
            if level <= self.allowed {
                found = self.passes(level)?;
            }
        }
        Ok(self.remains(found))
    }

    /// Runs the transforms in their order, again and again, until each has seen the same text and changed nothing. Gives what each
    /// found in it.
    fn passes(&mut self, level: Level) -> Result<Found, Fault> {
        let count = self.transforms.len();
        let mut next = 0;
        for _ in 0..MOST_PASSES * count.max(1) {
            let mut found: Vec<(usize, &'static str, Findings)> = Vec::with_capacity(count);
            let mut wanted = Vec::new();
            {
                let file = self.file.as_ref().unwrap_or(self.input.file);
                let facts = file.dockerfile().map(|file| {
                    let mut facts = Facts::new(&self.text, file, &self.input.project.settings.knowledge, &self.scripts);
                    if !self.steps.is_empty() {
                        facts
                            .set_lines(file.instructions.iter().map(|ins| self.line_on_disk(ins.span.start)).collect());
                    }
                    facts
                });
                let ignores = file.ignores(&self.text);
                while found.len() < count && wanted.is_empty() {
                    let at = next % count;
                    let id = self.transforms[at].meta().id;
                    let findings = self.look(self.transforms[at], file, facts.as_ref(), &ignores);
                    wanted = self.eligible(id, &findings, level)?;
                    found.push((at, id, findings));
                    next += 1;
                }
            }
            if wanted.is_empty() {
                found.sort_by_key(|(at, ..)| *at);
                return Ok(found.into_iter().map(|(_, id, findings)| (id, findings)).collect());
            }
            self.apply(self.transforms[(next - 1) % count].meta().id, wanted)?;
        }
        Err(Fault::Endless)
    }

    /// The changes to make now: up to `level`, of no group that was rejected, and not touching one another.
    fn eligible(&self, id: &'static str, found: &Findings, level: Level) -> Result<Vec<Change>, Fault> {
        let eligible = found.changes.iter().filter(|change| change.level <= level);
        // What a change does to other files alone does not show in this one: it is made once.
        let is_made = |change: &Change| {
            change.edits.is_empty() && self.steps.iter().any(|(_, made, _)| made.group == change.group)
        };
        let eligible: Vec<&Change> =
            eligible.filter(|change| !self.rejected.contains(&change.group) && !is_made(change)).collect();
        for change in &eligible {
            if let Err(error) = EditSet::new(&self.text, change.edits.iter().cloned()) {
                return Err(Fault::Damage { transform: id, group: change.group.clone(), message: error.to_string() });
            }
        }
        Ok(without_collisions(eligible.into_iter().cloned().collect()))
    }

    /// The line of the file on disk that the text at `offset` comes from.
    fn line_on_disk(&self, offset: usize) -> usize {
        let origin = self.steps.iter().rev().fold(offset, |at, (_, _, set)| set.before(at));
        self.lines.line(origin.min(self.input.text.len()))
    }

    fn look(&self, transform: &dyn Transform, file: &Parsed, facts: Option<&Facts<'_>>, ignores: &Ignores) -> Findings {
        let mut findings = Findings::default();
        let (path, text, project) = (self.input.path, self.text.as_str(), self.input.project);
        match (file, facts) {
            (Parsed::Dockerfile(_), Some(facts)) => {
                let cx = DockerfileContext { path, facts, context: self.input.context, project };
                transform.dockerfile(&cx, &mut findings);
            }
            (Parsed::Dockerfile(_), None) => {}
            (Parsed::Compose(stream, compose), _) => {
                transform.compose(&ComposeContext { path, text, stream, compose, project }, &mut findings);
            }
            (Parsed::Workflow(stream, workflow), _) => {
                transform.workflow(&WorkflowContext { path, text, stream, workflow, project }, &mut findings);
            }
            (Parsed::Bake(bake), _) => {
                transform.bake(&BakeContext { path, text, bake, project }, &mut findings);
            }
        }
        let id = transform.meta().id;
        // Of a Dockerfile also what moves along.
        let holds = |change: &Change| {
            let more = change.more.iter().filter(|_| facts.is_some());
            std::iter::once(&change.offset).chain(more).any(|offset| ignores.holds(*offset, id))
        };
        let ignored: Vec<usize> =
            findings.changes.iter().filter(|change| holds(change)).map(|change| change.offset).collect();
        findings.changes.retain(|change| !ignored.contains(&change.offset));
        for offset in ignored {
            findings.skips.push(Skip { offset, reason: "a comment says restow: ignore".to_owned() });
        }
        findings
    }

    /// Applies changes of one pass one after another, and checks them together; singly where that fails.
    fn apply(&mut self, id: &'static str, changes: Vec<Change>) -> Result<(), Fault> {
        let all = changes.iter().flat_map(|change| change.edits.iter().cloned());
        let together = EditSet::new(&self.text, all);
        let effects: Vec<Effect> = changes.iter().flat_map(|change| change.effects.iter().cloned()).collect();
        let old = self.file.as_ref().unwrap_or(self.input.file);
        let try_out = |edits: &EditSet, effects: &[Effect]| {
            let after = edits.apply(&self.text);
            check_read(&self.text, old, &after, effects).map(|file| (after, file))
        };
        let checked = together.map_err(|error| error.to_string()).and_then(|edits| try_out(&edits, &effects));
        let (after, file) = match checked {
            Ok(after) => after,
            Err(message) => {
                // Find the one that is wrong, so that the others are kept.
                let wrong = changes.iter().find(|change| {
                    let alone = EditSet::new(&self.text, change.edits.iter().cloned());
                    alone.map_or(true, |edits| try_out(&edits, &change.effects).is_err())
                });
                let wrong = wrong.unwrap_or(&changes[0]);
                return Err(Fault::Damage { transform: id, group: wrong.group.clone(), message });
            }
        };
        // Each change's edits, moved to where the ones before it left the text.
        let mut done: Vec<(usize, isize)> = Vec::new();
        let mut text = self.text.clone();
        for change in changes {
            let moved = change.edits.iter().map(|edit| {
                let shift: isize = done.iter().filter(|(at, _)| *at <= edit.span.start).map(|(_, delta)| delta).sum();
                let mut edit = edit.clone();
                edit.span.start = edit.span.start.saturating_add_signed(shift);
                edit.span.end = edit.span.end.saturating_add_signed(shift);
                edit
            });
            let Ok(set) = EditSet::new(&text, moved) else {
                return Err(Fault::Damage {
                    transform: id,
                    group: change.group,
                    message: "its edits can't be applied one by one".to_owned(),
                });
            };
            let before = text;
            text = set.apply(&before);
            let mut change = change;
            let shown = change.shows.and_then(|theme| {
                let Input { project, path, .. } = self.input;
                gains::gain(project, path, &before, &text, theme, &self.scripts)
            });
            if let Some(gain) = shown {
                change.reason.push_str("; ");
                change.reason.push_str(&gain.text());
            }
            let shift: isize = done.iter().filter(|(at, _)| *at <= change.offset).map(|(_, delta)| delta).sum();
            change.offset = change.offset.saturating_add_signed(shift);
            for place in &mut change.more {
                let before = done.iter().filter(|(at, _)| *at <= *place);
                *place = place.saturating_add_signed(before.map(|(_, delta)| delta).sum());
            }
            // What depends on a change that needs a look needs one too.
            if self.steps.iter().any(|(_, before, _)| before.group == change.group && before.level == Level::Review) {
                if change.level == Level::Safe {
                    change.reason.push_str("; for review because the mount that it goes with is");
                }
                change.level = Level::Review;
            }
            for edit in &change.edits {
                done.push((edit.span.start, edit.replacement.len() as isize - edit.span.len() as isize));
            }
            self.steps.push((id, change, set));
        }
        debug_assert_eq!(text, after);
        self.text = after;
        self.file = Some(file);
        Ok(())
    }

    /// What the transforms still see in the end: places left alone, and changes of a higher level.
    fn remains(&self, found: Found) -> Remains {
        let (mut skips, mut held_back) = (Vec::new(), Vec::new());
        for (id, findings) in found {
            skips.extend(findings.skips.into_iter().map(|skip| (id, skip.offset, skip.reason)));
            let held = findings.changes.into_iter().filter(|change| change.level > self.allowed);
            held_back.extend(held.map(|change| (id, change)));
        }
        (skips, held_back)
    }
}

/// Takes changes in their order as long as their edits do not touch those taken before; the rest waits for the next pass.
fn without_collisions(changes: Vec<Change>) -> Vec<Change> {
    let mut taken: Vec<Change> = Vec::new();
    for change in changes {
        let free = taken.iter().all(|other| {
            other.edits.iter().all(|left| {
                change.edits.iter().all(|right| {
                    let apart = left.span.end < right.span.start || right.span.end < left.span.start;
                    apart && left.span != right.span
                })
            })
        });
        if free {
            taken.push(change);
        }
    }
    taken
}

fn finish(
    input: &Input<'_>,
    after: String,
    steps: Vec<(&'static str, Change, EditSet)>,
    skips: Vec<(&'static str, usize, String)>,
    held_back: Vec<(&'static str, Change)>,
    inline: Inline,
    faults: Vec<String>,
) -> Outcome {
    let lines = LineIndex::new(input.text);
    let sets: Vec<&EditSet> = steps.iter().map(|(_, _, set)| set).collect();
    let origin = |offset: usize, before: usize| {
        let first = sets[..before].iter().rev().fold(offset, |at, set| set.before(at));
        lines.line(first.min(input.text.len()))
    };
    let mut seen = HashSet::new();
    let mut changes = Vec::with_capacity(steps.len());
    for (index, (transform, change, set)) in steps.iter().enumerate() {
        let line = match input.file.dockerfile() {
            Some(file) => {
                let line = origin(set.iter().next().map_or(change.offset, |edit| edit.span.start), index);
                let holds = |ins: &&dockerfile::Instruction| ins.start_line <= line && line <= ins.end_line;
                file.instructions.iter().find(holds).map_or(line, |ins| ins.start_line)
            }
            None => origin(change.offset, index),
        };
        let mut id = stable_id(input.path, transform, change, 0);
        let mut copy = 0;
        while !seen.insert(id.clone()) {
            copy += 1;
            id = stable_id(input.path, transform, change, copy);
        }
        changes.push(Applied {
            id,
            group: change.group.clone(),
            transform,
            title: change.title.clone(),
            reason: change.reason.clone(),
            level: change.level,
            line,
            beside: change.beside.clone(),
            edits: set.clone(),
        });
    }
    let all = sets.len();
    let mut skips: Vec<Located> = skips
        .into_iter()
        .map(|(transform, offset, reason)| Located { transform, line: origin(offset, all), reason })
        .chain(inline.skips)
        .collect();
    // Nor is a step that the same run has put in order: what it is like now says nothing of the file as it was.
    let settled: Vec<(&str, usize)> = steps
        .iter()
        .enumerate()
        .filter(|(_, (_, change, _))| input.file.dockerfile().is_some() && !change.more.is_empty())
        .map(|(index, (transform, change, _))| (*transform, origin(change.offset, index)))
        .collect();
    skips.retain(|left| !settled.contains(&(left.transform, left.line)));
    if input.file.dockerfile().is_none() {
        // A service or step that was changed is no candidate that was passed over.
        skips.retain(|left| {
            !changes.iter().any(|change| change.transform == left.transform && change.line == left.line)
        });
    }
    skips.sort_by_key(|left| left.line);
    skips.dedup();
    let held_back = held_back
        .into_iter()
        .map(|(transform, change)| HeldBack {
            transform,
            line: origin(change.offset, all),
            title: change.title,
            reason: change.reason,
        })
        .chain(inline.held_back)
        .collect();
    let faults = faults.into_iter().chain(inline.faults).collect();
    Outcome { kind: input.file.kind(), before: input.text.to_owned(), after, changes, skips, held_back, faults }
}

/// Stable from run to run as long as the place it is about is: FNV-1a, 64 bit, which no release of a library changes.
fn stable_id(path: &str, transform: &str, change: &Change, copy: usize) -> String {
    let parts = [path, transform, &change.group, &change.title].map(str::as_bytes);
    let bytes = parts.into_iter().flat_map(|part| part.iter().copied().chain([0])).chain(copy.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}
