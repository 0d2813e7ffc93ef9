//! What each step of a build does, in words that are the same where the builder's key is the same.

use std::collections::BTreeSet;

use super::Subject;
use super::paths::{self, Coverage};
use super::values::Values;
use super::world::World;
use crate::dockerfile::{Instruction, Keyword};
use crate::facts::copies::absolute;
use crate::facts::{Base, Facts};

/// A stage that the target needs.
#[derive(Debug)]
pub(super) struct StageDefinition {
    pub stage: usize,
    /// The base image and its state, or nothing where it is another stage.
    pub base: String,
    /// The stage that it is built on.
    pub parent: Option<usize>,
    pub steps: Vec<Definition>,
}

/// What a step does.
#[derive(Debug)]
pub(super) struct Definition {
    /// Index of the instruction.
    pub instruction: usize,
    pub kind: Kind,
    /// All that is in its key but for the steps and files that it works on.
    pub own: String,
    /// Whether a file of the context that it takes has changed.
    pub context: Coverage,
    /// What it takes from other stages, by content: stage and path.
    pub takes: Vec<(usize, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Run,
    /// COPY and ADD: where to, absolute.
    Copy {
        destination: String,
    },
    Workdir,
}

/// The stages that the target needs, in the order of the file.
///
/// # Errors
/// No such target, and what is not forecast.
pub(super) fn needed(subject: &Subject<'_>) -> Result<Vec<usize>, String> {
    let facts = subject.facts;
    let last = facts.stages.len().checked_sub(1).ok_or("it has no stage")?;
    let target = match subject.target {
        None => last,
        Some(name) => facts.stage_named(name, facts.stages.len()).ok_or(format!("it has no stage {name}"))?,
    };
    let mut found = BTreeSet::new();
    let mut open = vec![target];
    while let Some(stage) = open.pop() {
        if !found.insert(stage) {
            continue;
        }
        if let Base::Stage(parent) = facts.stages[stage].base {
            open.push(parent);
        }
        for at in facts.stages[stage].instructions.clone() {
            let instruction = &facts.file.instructions[at];
            if instruction.keyword == Keyword::Onbuild {
                let line = facts.line(at);
                return Err(format!("line {line} is ONBUILD, whose steps belong to other builds and are not forecast"));
            }
            open.extend(sources(facts, instruction, stage));
        }
    }
    Ok(found.into_iter().collect())
}

/// The stages that an instruction takes something from.
fn sources(facts: &Facts<'_>, instruction: &Instruction, stage: usize) -> Vec<usize> {
    let copied = instruction.flag("from").filter(|_| matches!(instruction.keyword, Keyword::Copy | Keyword::Add));
    let run = instruction.flags.iter().filter(|flag| flag.name() == "mount" && instruction.keyword == Keyword::Run);
    let mounted = run.filter_map(|flag| option(flag.value().unwrap_or(""), &["from"]));
    copied.into_iter().chain(mounted).filter_map(|name| named(facts, name, stage)).collect()
}

fn named(facts: &Facts<'_>, name: &str, stage: usize) -> Option<usize> {
    facts.stage_named(name, stage).filter(|_| !facts.knowledge.is_replaced(name))
}

/// What the steps of `stages` do in `world`.
///
/// # Errors
/// What is not forecast.
pub(super) fn define(
    subject: &Subject<'_>,
    stages: &[usize],
    world: &World<'_>,
) -> Result<Vec<StageDefinition>, String> {
    let facts = subject.facts;
    let globals = Values::global(subject, world);
    let mut ends: Vec<(usize, Values)> = Vec::new();
    let mut defined = Vec::new();
    for &stage in stages {
        let (base, parent, mut values) = match &facts.stages[stage].base {
            Base::Stage(parent) => {
                let end = ends.iter().find(|(stage, _)| stage == parent).map(|(_, values)| values.clone());
                (String::new(), Some(*parent), end.unwrap_or_default())
            }
            Base::Scratch => ("scratch".to_owned(), None, Values::default()),
            Base::Image(image) => {
                let words = facts.file.instructions[facts.stages[stage].from].words(facts.file.escape);
                let raw = words.first().map_or("", |word| word.raw.as_str());
                let is_new = world.base == Some(image.reference.as_str());
                let reference = globals.expand(raw, facts.file.escape);
                (format!("{reference}\u{0}{is_new}"), None, Values::default())
            }
        };
        let mut steps = Vec::new();
        for at in facts.stages[stage].instructions.clone().skip(1) {
            let reader = Reader { subject, world, stage, at, instruction: &facts.file.instructions[at] };
            steps.extend(reader.step(&mut values, &globals)?);
        }
        ends.push((stage, values));
        defined.push(StageDefinition { stage, base, parent, steps });
    }
    Ok(defined)
}

struct Reader<'s, 'a> {
    subject: &'s Subject<'a>,
    world: &'s World<'s>,
    stage: usize,
    at: usize,
    instruction: &'a Instruction,
}

impl Reader<'_, '_> {
    /// The step that the instruction is, if it is one; `values` become those behind it.
    fn step(&self, values: &mut Values, globals: &Values) -> Result<Option<Definition>, String> {
        let (instruction, escape) = (self.instruction, self.subject.facts.file.escape);
        match instruction.keyword {
            Keyword::Env => values.set(instruction, escape),
            Keyword::Arg => values.arguments(self.subject, self.world, instruction, globals),
            Keyword::User => values.user = values.expand(instruction.args(), escape),
            Keyword::Shell => instruction.args().clone_into(&mut values.shell),
            Keyword::Workdir => {
                let path = values.expand(instruction.args(), escape);
                values.workdir = absolute(&values.workdir, &path);
                // The root is there already.
                if !values.workdir.is_empty() {
                    // Its owner is the user (measured).
                    let own = format!("WORKDIR {}\u{0}{}", values.workdir, values.user);
                    return Ok(Some(self.definition(Kind::Workdir, own)));
                }
            }
            Keyword::Run => return Ok(Some(self.run(values))),
            Keyword::Copy | Keyword::Add => return Ok(Some(self.copy(values))),
            _ => {}
        }
        Ok(None)
    }

    fn definition(&self, kind: Kind, own: String) -> Definition {
        let edited = if self.world.edited == Some(self.at) { "edited " } else { "" };
        Definition {
            instruction: self.at,
            kind,
            own: format!("{edited}{own}"),
            context: Coverage::None,
            takes: Vec::new(),
        }
    }

    fn run(&self, values: &Values) -> Definition {
        let facts = self.subject.facts;
        let mut takes = Vec::new();
        let mut context = Coverage::None;
        let mut flags = String::new();
        for flag in &self.instruction.flags {
            let value = values.expand(flag.value().unwrap_or(""), facts.file.escape);
            if flag.name() != "mount" {
                flags.push_str(&flag.text);
                continue;
            }
            let kind = option(&value, &["type"]).unwrap_or("bind");
            let target = option(&value, &["target", "dst", "destination"]).unwrap_or("");
            flags.push_str(&format!("--mount={kind},{}", absolute(&values.workdir, target)));
            // `id` is no part of the key (measured).
            for key in ["sharing", "uid", "gid", "mode", "rw", "readwrite", "ro", "readonly", "size", "required", "env"]
            {
                flags.extend(option(&value, &[key]).map(|given| format!(",{key}={given}")));
            }
            if kind != "bind" {
                continue;
            }
            let source = option(&value, &["source", "src"]).unwrap_or("");
            flags.push_str(&format!(",source={source}"));
            match option(&value, &["from"]) {
                None => context = context.max(paths::covers(source, &self.world.changed)),
                Some(name) => match named(facts, name, self.stage) {
                    Some(stage) => takes.push((stage, absolute("", source))),
                    None => flags.push_str(&format!(",from={name}")),
                },
            }
        }
        let bodies: Vec<&str> = self.instruction.heredocs.iter().map(|heredoc| heredoc.body.of(facts.text)).collect();
        let own = format!(
            "RUN {flags}\u{0}{}\u{0}{}\u{0}{}\u{0}{}\u{0}{}\u{0}{}",
            self.instruction.args(),
            bodies.join("\u{0}"),
            values.shell,
            values.user,
            values.workdir,
            values.environment()
        );
        Definition { takes, context, ..self.definition(Kind::Run, own) }
    }

    fn copy(&self, values: &Values) -> Definition {
        let (facts, instruction) = (self.subject.facts, self.instruction);
        let escape = facts.file.escape;
        let raw: Vec<String> = match &instruction.json {
            Some(strings) => strings.clone(),
            None => instruction.words(escape).into_iter().map(|word| word.raw).collect(),
        };
        let words: Vec<String> = raw.iter().map(|word| values.expand(word, escape)).collect();
        let (destination, sources) = words.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
        let destination = absolute(&values.workdir, destination);
        let flags: String =
            instruction.flags.iter().map(|flag| format!("{} ", values.expand(&flag.text, escape))).collect();
        let bodies: Vec<String> =
            instruction.heredocs.iter().map(|heredoc| values.expand(heredoc.body.of(facts.text), escape)).collect();
        let own = format!("COPY {flags}\u{0}{}\u{0}{destination}\u{0}{}", sources.join("\u{0}"), bodies.join("\u{0}"));
        let mut definition = self.definition(Kind::Copy { destination }, own);
        match instruction.flag("from") {
            Some(name) => {
                if let Some(stage) = named(facts, name, self.stage) {
                    definition.takes = sources.iter().map(|source| (stage, absolute("", source))).collect();
                }
            }
            None => {
                let all = sources.iter().filter(|source| !source.contains("://") && !source.starts_with("<<"));
                let covered = all.map(|source| paths::covers(source, &self.world.changed)).max();
                definition.context = covered.unwrap_or(Coverage::None);
                // What the patterns keep out is not worked out.
                let keeps_out = instruction.flags.iter().any(|flag| flag.name() == "exclude");
                if keeps_out && definition.context == Coverage::Whole {
                    definition.context = Coverage::Perhaps;
                }
            }
        }
        definition
    }
}

/// The value of an option of a mount, by any of its names; empty for one without a value.
fn option<'v>(mount: &'v str, names: &[&str]) -> Option<&'v str> {
    mount.split(',').find_map(|field| {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        names.iter().any(|name| key.trim().eq_ignore_ascii_case(name)).then_some(value)
    })
}
