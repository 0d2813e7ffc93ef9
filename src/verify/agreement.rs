//! Whether a build did what was forecast, step by step.

use serde::Serialize;

use super::log::{Log, Step};
use crate::dockerfile::Keyword;
use crate::facts::{Base, Facts};
use crate::forecast::{Outcome, Status};

/// A step of which the forecast and the measurement disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    pub side: &'static str,
    /// In the Dockerfile of that side, from 1.
    pub line: Option<usize>,
    pub step: String,
    pub forecast: &'static str,
    pub measured: &'static str,
}

/// A step's place: index of its stage, and which of the stage's steps it is, from 0.
pub type StepPlace = (usize, usize);

/// The place of an instruction, if it is a step.
pub fn place(facts: &Facts<'_>, instruction: usize) -> Option<StepPlace> {
    let stage = facts.stages.iter().position(|stage| stage.instructions.contains(&instruction))?;
    let is_step = |at: &usize| {
        matches!(facts.file.instructions[*at].keyword, Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir)
    };
    let mut steps = facts.stages[stage].instructions.clone().filter(is_step);
    Some((stage, steps.position(|at| at == instruction)?))
}

/// The step of the log at a place. `replaced` is the base image that a named context stands in for: BuildKit then counts no FROM.
///
/// Source: `prefixCommand` in moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`.
pub fn find<'l>(log: &'l Log, facts: &Facts<'_>, place: StepPlace, replaced: Option<&str>) -> Option<&'l Step> {
    let stage = &facts.stages[place.0];
    let has_from = match &stage.base {
        Base::Image(image) => {
            let is_meant = replaced.is_some_and(|reference| reference == image.reference);
            !is_meant && !facts.knowledge.is_replaced(&image.reference)
        }
        Base::Stage(_) | Base::Scratch => false,
    };
    let index = place.1 + 1 + usize::from(has_from);
    let number = format!("stage-{}", place.0);
    log.steps().find(|step| {
        let is_stage = step.stage == number
            || stage.name.as_deref() == Some(&step.stage)
            || step.stage.is_empty() && facts.stages.len() == 1;
        is_stage && step.index == index
    })
}

/// Where the log of a build disagrees with its forecast.
pub fn mismatches(
    outcome: &Outcome,
    facts: &Facts<'_>,
    log: &Log,
    replaced: Option<&str>,
    side: &'static str,
) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let mut seen: Vec<&Step> = Vec::new();
    for step in &outcome.steps {
        // Steps that two stages have in common stand in the log once, as one or the other of them.
        let twin = || log.steps().find(|other| without_mounts(&other.text) == step.text);
        let measured = place(facts, step.instruction).and_then(|place| find(log, facts, place, replaced)).or_else(twin);
        seen.extend(measured);
        let forecast = match step.status {
            Status::Cached => "cached",
            Status::Depends => "depends",
            Status::Again => "again",
        };
        let told = measured.map_or("not in the log", |step| if step.is_cached() { "cached" } else { "again" });
        if forecast != told && (forecast != "depends" || measured.is_none()) {
            found.push(Mismatch { side, line: Some(step.line), step: step.text.clone(), forecast, measured: told });
        }
    }
    let rest = log.steps().filter(|step| !seen.iter().any(|seen| std::ptr::eq(*seen, *step)));
    found.extend(rest.map(|step| Mismatch {
        side,
        line: None,
        step: step.name(),
        forecast: "no step",
        measured: if step.is_cached() { "cached" } else { "again" },
    }));
    found
}

/// As a forecast shows a step.
fn without_mounts(text: &str) -> String {
    text.split(' ').filter(|word| !word.starts_with("--mount=")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;
    use crate::facts::{Knowledge, Scripts};
    use crate::forecast;

    const TEXT: &str = "FROM python:3.11 AS a\nWORKDIR /app\nENV X=1\nRUN make\nFROM a AS b\nRUN test\nFROM python:3.11\nWORKDIR /app\nCOPY --from=a /app /app\n";
    const LOG: &str = "#5 [a 2/3] WORKDIR /app\n#5 CACHED\n#6 [a 3/3] RUN make\n#6 DONE 1.0s\n#7 [stage-2 3/3] COPY --from=a /app /app\n#7 DONE 1.0s\n";

    fn mismatches_of(statuses: [Status; 4], log: &str, replaced: Option<&str>) -> Vec<Mismatch> {
        let file = dockerfile::read(TEXT).unwrap();
        let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
        let facts = Facts::new(TEXT, &file, &knowledge, &scripts);
        let mut read = Log::default();
        log.lines().for_each(|line| read.line(line));
        let steps = [(1, "WORKDIR /app"), (3, "RUN make"), (7, "WORKDIR /app"), (8, "COPY --from=a /app /app")];
        let steps = steps.into_iter().zip(statuses).map(|((instruction, text), status)| forecast::Step {
            line: instruction + 1,
            instruction,
            text: text.to_owned(),
            status,
            expense: None,
            finds_downloads: false,
        });
        mismatches(&Outcome { steps: steps.collect() }, &facts, &read, replaced, "before")
    }

    #[test]
    fn steps_are_found_by_stage_and_order_and_twins_by_their_text() {
        use Status::{Again, Cached, Depends};
        assert_eq!(mismatches_of([Cached, Again, Cached, Depends], LOG, None), []);
        let found = mismatches_of([Cached, Cached, Again, Depends], LOG, None);
        let told: Vec<_> = found.iter().map(|found| (found.line, found.forecast, found.measured)).collect();
        assert_eq!(told, [(Some(4), "cached", "again"), (Some(8), "again", "cached")]);
    }

    #[test]
    fn a_base_that_a_context_stands_in_for_is_no_step() {
        use Status::{Again, Cached};
        let log = "#5 [a 1/3] WORKDIR /app\n#5 DONE 0.1s\n#6 [a 2/3] RUN make\n#6 DONE 1.0s\n#8 [stage-2 1/3] WORKDIR /app\n#8 CACHED\n#7 [stage-2 2/3] COPY --from=a /app /app\n#7 DONE 1.0s\n";
        assert_eq!(mismatches_of([Again, Again, Cached, Again], log, Some("python:3.11")), []);
        assert!(!mismatches_of([Again, Again, Cached, Again], log, None).is_empty());
    }

    #[test]
    fn what_is_on_one_side_only_is_a_mismatch() {
        use Status::{Again, Cached};
        let log = "#5 [a 2/3] WORKDIR /app\n#5 CACHED\n#6 [a 3/3] RUN make\n#6 DONE 1.0s\n#9 [b 1/1] RUN test\n#9 DONE 1.0s\n";
        let found = mismatches_of([Cached, Again, Cached, Again], log, None);
        let told: Vec<_> = found.iter().map(|found| (found.forecast, found.measured)).collect();
        assert_eq!(told, [("again", "not in the log"), ("no step", "again")]);
    }
}
