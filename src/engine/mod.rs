//! The engine: runs transforms over a file until nothing changes, and checks every change against what it declared.

mod check;
mod ignores;

use std::collections::HashSet;

pub use check::check;

use self::check::check_read;
use self::ignores::Ignores;
use crate::context::Context;
use crate::dockerfile::{self, Dockerfile};
use crate::edit::EditSet;
use crate::facts::{Facts, Scripts};
use crate::project::Project;
use crate::text::LineIndex;
use crate::transform::{Change, DockerfileContext, Effect, Findings, Kind, Level, Skip, Transform};

/// More passes than any file needs; reaching it is our bug.
const MOST_PASSES: usize = 64;

/// A file and what surrounds it.
pub struct Input<'a> {
    /// As shown to people.
    pub path: &'a str,
    pub text: &'a str,
    /// `text` as [`read_dockerfile`] reads it.
    pub file: &'a Dockerfile,
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
    /// The edits, in the text as the changes before this one left it.
    pub edits: EditSet,
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

/// Why a file can't be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Counted from 1.
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// Reads a Dockerfile, and refuses one that BuildKit would refuse to build.
///
/// # Errors
/// What BuildKit's parser refuses, unknown instructions, and instructions before the first FROM.
pub fn read_dockerfile(text: &str) -> Result<Dockerfile, Refusal> {
    let refusal = |offset: usize, message: String| {
        let (line, column) = LineIndex::new(text).line_column(offset.min(text.len()));
        Refusal { line, column, message }
    };
    let file = dockerfile::read(text).map_err(|error| refusal(error.offset, error.message))?;
    let mut started = false;
    for instruction in &file.instructions {
        let word = instruction.keyword_span.of(text);
        match instruction.keyword {
            dockerfile::Keyword::Unknown => {
                let hint = if text.contains("{{") || text.contains("{%") {
                    "; a template is read only once it is rendered"
                } else {
                    ""
                };
                return Err(refusal(instruction.span.start, format!("unknown instruction {word:?}{hint}")));
            }
            dockerfile::Keyword::From => {
                started = true;
                let words = instruction.words(file.escape).len();
                if words != 1 && words != 3 {
                    let message = "FROM requires either one or three arguments".to_owned();
                    return Err(refusal(instruction.span.start, message));
                }
            }
            dockerfile::Keyword::Arg => {}
            _ if !started => {
                let message = format!("no build stage in current context: {word} stands before the first FROM");
                return Err(refusal(instruction.span.start, message));
            }
            _ => {}
        }
    }
    if !started {
        return Err(refusal(0, "no FROM in the file".to_owned()));
    }
    Ok(file)
}

/// Rewrites one Dockerfile with `transforms`, in their order, up to `allowed`.
///
/// Safe changes are computed first and on their own, so that they do not depend on `allowed`.
pub fn rewrite(input: &Input<'_>, transforms: &[&dyn Transform], allowed: Level) -> Outcome {
    if let Some(line) = Ignores::new(input.text, input.file).whole_file {
        let skip = |transform: &&dyn Transform| Located {
            transform: transform.meta().id,
            line,
            reason: "restow: ignore-file".to_owned(),
        };
        return Outcome { skips: transforms.iter().map(skip).collect(), ..Outcome::unchanged(input.text) };
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
            scripts: Scripts::new(),
            rejected: &rejected,
        };
        match run.run_to_fixpoint() {
            Ok((skips, held_back)) => {
                let Run { text, steps, .. } = run;
                return finish(input, text, steps, skips, held_back, faults);
            }
            Err(Fault::Damage { transform, group, message }) => {
                faults.push(format!("{transform}: {message}; this change is dropped"));
                rejected.insert(group);
            }
            Err(Fault::Endless) => {
                faults.push(format!("no end after {MOST_PASSES} passes; the file keeps its text"));
                return Outcome { faults, ..Outcome::unchanged(input.text) };
            }
        }
    }
}

impl Outcome {
    fn unchanged(text: &str) -> Self {
        Self {
            kind: Kind::Dockerfile,
            before: text.to_owned(),
            after: text.to_owned(),
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
    file: Option<Dockerfile>,
    scripts: Scripts,
    /// Groups with a change that did something else than it declared: none of their changes is made.
    rejected: &'a HashSet<String>,
}

/// What each transform found in one text.
type Found = Vec<(&'static str, Findings)>;
type Remains = (Vec<(&'static str, usize, String)>, Vec<(&'static str, Change)>);

impl Run<'_> {
    fn run_to_fixpoint(&mut self) -> Result<Remains, Fault> {
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
                let mut facts = Facts::new(&self.text, file, &self.input.project.settings.knowledge, &self.scripts);
                if !self.steps.is_empty() {
                    facts.set_lines(file.instructions.iter().map(|ins| self.line_on_disk(ins.span.start)).collect());
                }
                let ignores = Ignores::new(&self.text, file);
                while found.len() < count && wanted.is_empty() {
                    let at = next % count;
                    let id = self.transforms[at].meta().id;
                    let findings = self.look(self.transforms[at], &facts, &ignores);
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
        let eligible: Vec<&Change> = eligible.filter(|change| !self.rejected.contains(&change.group)).collect();
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
        self.input.file.lines.line(origin.min(self.input.text.len()))
    }

    fn look(&self, transform: &dyn Transform, facts: &Facts<'_>, ignores: &Ignores) -> Findings {
        let mut findings = Findings::default();
        let cx = DockerfileContext { facts, context: self.input.context, project: self.input.project };
        transform.dockerfile(&cx, &mut findings);
        let id = transform.meta().id;
        let ignored: Vec<usize> = findings
            .changes
            .iter()
            .map(|change| change.offset)
            .filter(|offset| ignores.holds(facts.file, *offset, id))
            .collect();
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
            text = set.apply(&text);
            let mut change = change;
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
    faults: Vec<String>,
) -> Outcome {
    let lines = &input.file.lines;
    let sets: Vec<&EditSet> = steps.iter().map(|(_, _, set)| set).collect();
    let origin = |offset: usize, before: usize| {
        let first = sets[..before].iter().rev().fold(offset, |at, set| set.before(at));
        lines.line(first.min(input.text.len()))
    };
    let mut seen = HashSet::new();
    let mut changes = Vec::with_capacity(steps.len());
    for (index, (transform, change, set)) in steps.iter().enumerate() {
        let place = set.iter().next().map_or(change.offset, |edit| edit.span.start);
        let line = origin(place, index);
        let holds = |ins: &&dockerfile::Instruction| ins.start_line <= line && line <= ins.end_line;
        let holder = input.file.instructions.iter().find(holds);
        let line = holder.map_or(line, |ins| ins.start_line);
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
            edits: set.clone(),
        });
    }
    let all = sets.len();
    let mut skips: Vec<Located> = skips
        .into_iter()
        .map(|(transform, offset, reason)| Located { transform, line: origin(offset, all), reason })
        .collect();
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
        .collect();
    Outcome { kind: Kind::Dockerfile, before: input.text.to_owned(), after, changes, skips, held_back, faults }
}

/// Stable from run to run as long as the place it is about is: FNV-1a, 64 bit, which no release of a library changes.
fn stable_id(path: &str, transform: &str, change: &Change, copy: usize) -> String {
    let parts = [path, transform, &change.group, &change.title].map(str::as_bytes);
    let bytes = parts.into_iter().flat_map(|part| part.iter().copied().chain([0])).chain(copy.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_buildkit_would_not_build_is_refused() {
        for text in ["RUN a\n", "ARG A\n", "FROM x\nFOO b\n", "FROM a b\n", "{% if x %}\nFROM y\n"] {
            assert!(read_dockerfile(text).is_err(), "{text:?}");
        }
        assert!(read_dockerfile("ARG A\nFROM x\n").is_ok());
    }
}
