//! How far a family of build arguments moves, and its change.

use super::family::{Family, Member, Seed};
use super::{has_value, installs};
use crate::context::BuildContext;
use crate::dockerfile::Keyword;
use crate::dockerfile::edits::{self, Part};
use crate::edit::{Edit, EditSet};
use crate::facts::Facts;
use crate::facts::build_args::{Copied, Past, ReadBy, brings_sources, mentions, past, read_by};
use crate::forecast::Theme;
use crate::text::Span;
use crate::transform::{Change, DockerfileContext, Effect, Level};

/// Why a family stays where it is.
pub enum Refusal {
    /// Nothing would be gained.
    Costless,
    Because(String),
}

/// What a line that copies the sources means for the installs below it.
const SOURCES: &str = "copies the sources, so every commit repeats the installs below it anyway";

/// What ends the way down.
struct Stop {
    reason: String,
    is_sources: bool,
}

/// Families that move behind one instruction.
pub struct Site<'a> {
    stage: usize,
    families: Vec<&'a Family>,
    pub behind: usize,
    /// The installs that are no longer repeated: indexes of instructions.
    pub installs: Vec<usize>,
    /// Why somebody has to look.
    pub doubts: Vec<String>,
    /// Build arguments above the same installs that move for review only.
    pub beside: Vec<String>,
}

impl<'a> Site<'a> {
    /// # Errors
    /// Why the family stays.
    pub fn find(
        cx: &DockerfileContext<'_>,
        stage: usize,
        family: &'a Family,
        contexts: &[&BuildContext<'_>],
    ) -> Result<Self, Refusal> {
        let facts = cx.facts;
        let Some(first) = family.members.first().map(|member| member.instruction) else {
            return Err(Refusal::Costless);
        };
        let below =
            |of: usize| facts.runs.iter().find(|run| run.stage == of && run.instruction > first && installs(run));
        let beneath =
            || facts.runs.iter().find(|run| run.stage != stage && facts.descends(run.stage, stage) && installs(run));
        let (is_here, elsewhere) = (below(stage).is_some(), beneath());
        if !is_here && elsewhere.is_none() {
            return Err(Refusal::Costless);
        }
        if family.seeds.iter().all(|seed| is_hidden(facts, stage, seed)) {
            return Err(Refusal::Costless);
        }
        if !family.seeds.iter().any(|seed| has_value(cx, &seed.name, seed.has_default)) {
            let names: Vec<&str> = family.seeds.iter().map(|seed| seed.name.as_str()).collect();
            let verb = if names.len() == 1 { "has" } else { "have" };
            return Err(Refusal::Because(format!(
                "{} {verb} no default and nothing in the repository passes a value, so no step is repeated",
                list(&names)
            )));
        }
        if let Some(line) = sources_above(facts, stage, first, contexts) {
            return Err(Refusal::Because(format!("line {line} {SOURCES}")));
        }
        if let (false, Some(run)) = (is_here, elsewhere) {
            return Err(Refusal::Because(format!(
                "the installs that it repeats stand in stages built on this one (line {}), and moving it there would take it from the others",
                facts.line(run.instruction)
            )));
        }
        Self::walk(cx, stage, family, contexts)
    }

    fn walk(
        cx: &DockerfileContext<'_>,
        stage: usize,
        family: &'a Family,
        contexts: &[&BuildContext<'_>],
    ) -> Result<Self, Refusal> {
        let facts = cx.facts;
        let mut moving: Vec<&Member> = Vec::new();
        let (mut passed, mut doubts) = (Vec::new(), Vec::new());
        let (mut safe, mut review): (Option<Self>, Option<Self>) = (None, None);
        let mut stop = None;
        let mut stops = |reason: String, is_sources: bool| stop = Some(Stop { reason, is_sources });
        let first = family.members.first().map_or(0, |member| member.instruction);
        for at in first..facts.stages[stage].instructions.end {
            let member = family.members.iter().find(|member| member.instruction == at);
            let line = facts.line(at);
            if let Some(member) = member {
                match admit(cx, &moving, member) {
                    Ok(doubt) => doubts.extend(doubt),
                    Err(reason) => {
                        stops(format!("line {line} {reason}"), false);
                        break;
                    }
                }
                if let Some(word) = wish(facts, at, &[]) {
                    doubts.push(format!("the comment above line {line} says `{word}`, so that a new value may be meant to repeat what is below"));
                }
                moving.push(member);
                continue;
            }
            let Some(run) = facts.runs.iter().find(|run| run.instruction == at) else {
                if let Some(reason) = barrier(facts, at, &moving) {
                    stops(format!("line {line} {reason}"), false);
                    break;
                }
                if brings_sources(facts, at, contexts) {
                    stops(format!("line {line} {SOURCES}"), true);
                    break;
                }
                continue;
            };
            if facts.file.instructions[at].is_open {
                stops(
                    format!("line {line} ends with a continuation character, so a line below it would belong to it"),
                    false,
                );
                break;
            }
            let copied: Vec<Copied<'_>> = contexts.iter().map(|context| Copied::before(facts, run, context)).collect();
            let names: Vec<String> = moving.iter().flat_map(|member| member.names.iter().cloned()).collect();
            match past(facts, run, &names, &copied) {
                Past::Never(reason) => {
                    stops(format!("line {line} {reason}"), false);
                    break;
                }
                Past::Review(reason) => doubts.push(format!("line {line} {reason}")),
                Past::Free => {}
            }
            if let Some(word) = wish(facts, at, &names) {
                doubts.push(format!(
                    "the comment above line {line} says `{word}`, so that a new value may be meant to repeat it"
                ));
            }
            if !installs(run) {
                continue;
            }
            passed.push(at);
            let site = Self {
                stage,
                families: vec![family],
                behind: at,
                installs: passed.clone(),
                doubts: doubts.clone(),
                beside: Vec::new(),
            };
            if doubts.is_empty() { safe = Some(site) } else { review = Some(site) }
        }
        // The safe way first; what is left of the way is for review.
        if let Some(site) = safe.or(review) {
            return Ok(site);
        }
        // Directly behind an install, with the sources next, it stands where it would be moved to.
        let above = facts.runs.iter().rev().find(|run| run.stage == stage && run.instruction < first);
        let is_sunk = above.is_some_and(|run| {
            let between = &facts.file.instructions[run.instruction + 1..first];
            installs(run)
                && between.iter().all(|ins| matches!(ins.keyword, Keyword::Arg | Keyword::Env | Keyword::Label))
        });
        match stop {
            Some(Stop { is_sources: true, .. }) if is_sunk => Err(Refusal::Costless),
            Some(stop) => Err(Refusal::Because(stop.reason)),
            None => Err(Refusal::Costless),
        }
    }

    /// Whether another family moves to the same place, and as surely.
    pub fn goes_with(&self, other: &Self) -> bool {
        self.behind == other.behind && self.doubts.is_empty() == other.doubts.is_empty()
    }

    pub fn join(&mut self, other: Self) {
        self.families.extend(other.families);
        self.installs.extend(other.installs);
        self.installs.sort_unstable();
        self.installs.dedup();
        for doubt in other.doubts {
            if !self.doubts.contains(&doubt) {
                self.doubts.push(doubt);
            }
        }
    }

    /// The first instruction that moves.
    pub fn first(&self) -> usize {
        self.members().first().map_or(self.behind, |member| member.instruction)
    }

    /// The build arguments that move.
    pub fn seeds(&self) -> Vec<&'a Seed> {
        let seeds = self.families.iter().flat_map(|family| &family.seeds);
        seeds.filter(|seed| seed.instruction < self.behind).collect()
    }

    /// What moves, in order.
    fn members(&self) -> Vec<&'a Member> {
        let all = self.families.iter().flat_map(|family| &family.members);
        let mut members: Vec<&Member> = all.filter(|member| member.instruction < self.behind).collect();
        members.sort_by_key(|member| member.instruction);
        members
    }

    /// # Errors
    /// An instruction that can't be split without losing a comment.
    pub fn change(&self, cx: &DockerfileContext<'_>) -> Result<Change, String> {
        let (text, file) = (cx.facts.text, cx.facts.file);
        let members = self.members();
        let is_moving = |at: usize| members.iter().any(|member| member.instruction == at && member.is_whole());
        let names: Vec<String> = members.iter().flat_map(|member| member.names.iter().cloned()).collect();
        let (mut parts, mut effects, mut edits) = (Vec::new(), Vec::new(), Vec::<Edit>::new());
        for member in &members {
            let at = member.instruction;
            let instruction = &file.instructions[at];
            if member.is_whole() {
                let comments = edits::comments_along(text, file, at, &is_moving, &names);
                parts.push(Part::Moved { instruction, comments, instead: &[] });
                effects.push(Effect::MoveInstruction { instruction: at, behind: self.behind, comments });
                continue;
            }
            let raw = |range: &std::ops::Range<usize>| &instruction.line.text[range.clone()];
            let words: Vec<&str> = member.pairs.iter().map(|pair| raw(&pair.range)).collect();
            let new = edits::new_instruction(text, file, instruction.keyword_span.of(text), &words);
            if file.comments.iter().any(|comment| instruction.span.contains(comment.start)) {
                return Err(format!("a comment stands inside line {}, of which a part would leave", cx.facts.line(at)));
            }
            for run in in_a_row(member) {
                // What comes next takes the place of the first: no keyword alone on its line.
                let next = member.others.iter().map(|other| other.range.start).find(|start| *start >= run.end);
                let is_first = member.others.iter().all(|other| other.range.start >= run.end);
                if let (true, Some(next)) = (is_first, next) {
                    let (gone, kept) = (instruction.line.span(run.clone()), instruction.line.span(next..next + 1));
                    edits.push(Edit::delete(Span::new(gone.start, kept.start)));
                    continue;
                }
                let span = instruction.line.span(run);
                let removal = edits::remove(text, file, instruction, span);
                edits.extend(
                    removal.ok_or_else(|| {
                        format!("a comment stands inside what would leave line {}", cx.facts.line(at))
                    })?,
                );
            }
            let gone = member.pairs.iter().map(|pair| Effect::RemovePair { instruction: at, name: pair.name.clone() });
            effects.extend(gone);
            effects.push(Effect::InsertInstruction { before: self.behind + 1, text: new.clone() });
            parts.push(Part::New(new));
        }
        edits.extend(edits::move_block_behind(text, &parts, &file.instructions[self.behind]));
        if EditSet::new(text, edits.iter().cloned()).is_err() {
            return Err("what would leave it and what stays can't be told apart".to_owned());
        }
        let mut seeds: Vec<&str> = self.seeds().iter().map(|seed| seed.name.as_str()).collect();
        seeds.dedup();
        Ok(Change {
            group: format!("sink{}:{}", self.stage, seeds.join("+")),
            title: format!("Move {} below the dependency installs", list(&seeds)),
            reason: self.reason(cx.facts),
            level: if self.doubts.is_empty() { Level::Safe } else { Level::Review },
            offset: file.instructions[self.first()].span.start,
            more: Vec::new(),
            edits,
            effects,
            beside: Vec::new(),
            shows: Some(Theme::BuildArgument),
        })
    }

    fn reason(&self, facts: &Facts<'_>) -> String {
        let lines: Vec<String> = self.installs.iter().map(|at| facts.line(*at).to_string()).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let of = if lines.len() == 1 { "install of line" } else { "installs of lines" };
        let gain = format!(
            "a new value repeats every later RUN, so that on a kept builder, and on hosted CI with an imported cache, each commit repeats the {of} {} (hosted CI that starts with an empty cache installs anyway)",
            list(&lines),
        );
        let gain = match self.beside.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => gain,
            beside => {
                format!("{gain}; it is saved once {}, which can move for review only, is moved too", list(beside))
            }
        };
        match self.doubts.as_slice() {
            [] => gain,
            doubts => format!("{gain}; for review because {}", doubts.join(", and ")),
        }
    }
}

/// What the comment directly above an instruction says of repeating steps: a name of a build argument, or a word for it.
fn wish(facts: &Facts<'_>, at: usize, names: &[String]) -> Option<String> {
    const WORDS: [&str; 7] = ["bust", "refresh", "fresh", "newest", "latest", "cache", "invalidat"];
    let instruction = &facts.file.instructions[at];
    let whole = edits::lines(facts.text, instruction, edits::comments_above(facts.text, instruction));
    let comment = facts.text.get(whole.start..instruction.span.start)?;
    let lower = comment.to_lowercase();
    let word = WORDS.iter().find(|word| lower.contains(**word)).map(|word| (*word).to_owned());
    word.or_else(|| names.iter().find(|name| mentions(comment, name)).cloned())
}

/// Words as a list in a sentence.
pub fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The moving pairs of an instruction as ranges of its joined line, neighbours in one.
fn in_a_row(member: &Member) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for pair in &member.pairs {
        let between = |from: usize| {
            member.others.iter().any(|other| from <= other.range.start && other.range.end <= pair.range.start)
        };
        match runs.last_mut() {
            Some(last) if !between(last.end) => last.end = pair.range.end,
            _ => runs.push(pair.range.clone()),
        }
    }
    runs
}

/// Takes a member along, if what it sets and reads allows that; gives why somebody has to look.
fn admit(cx: &DockerfileContext<'_>, moving: &[&Member], member: &Member) -> Result<Option<String>, String> {
    let more = &cx.project.settings.per_commit;
    for name in &member.names {
        if read_by(name, more) == ReadBy::Installs {
            return Err(format!("sets {name}, which installs read"));
        }
    }
    // A list of its own is read as a whole, and stays one.
    if cx.facts.file.instructions[member.instruction].keyword == Keyword::Env
        && member.pairs.len() + member.others.len() > 2
        && !member.is_whole()
    {
        return Err(format!(
            "sets {} beside other variables; give it an ENV of its own",
            list(&member.names.iter().map(String::as_str).collect::<Vec<_>>())
        ));
    }
    // What stays of a split instruction is passed by what moves.
    for other in &member.others {
        let all = || moving.iter().copied().chain([member]);
        let name = &other.name;
        if all().any(|of| of.names.contains(name) || of.reads.contains(name)) {
            return Err(format!("sets {name} beside what is made of it"));
        }
    }
    let unknown = member.names.iter().find(|name| read_by(name, more) == ReadBy::Unknown);
    Ok(unknown.map(|name| format!("it is not known which installs read {name}")))
}

/// Why nothing may pass an instruction other than RUN.
fn barrier(facts: &Facts<'_>, at: usize, moving: &[&Member]) -> Option<String> {
    let instruction = &facts.file.instructions[at];
    let text = instruction.span.of(facts.text);
    if let Some(name) = moving.iter().flat_map(|member| &member.names).find(|name| mentions(text, name)) {
        return Some(format!("uses {name}"));
    }
    let pairs = instruction.pairs(facts.file.escape);
    let sets = |of: &dyn Fn(&Member) -> &Vec<String>| {
        let mut names = pairs.iter().map(|pair| pair.name.trim_matches(['"', '\'']));
        names
            .find(|name| {
                moving.iter().any(|member| of(member).iter().any(|known| known.trim_matches(['"', '\'']) == *name))
            })
            .map(str::to_owned)
    };
    match instruction.keyword {
        Keyword::Arg | Keyword::Env => {
            sets(&|member| &member.reads).map(|name| format!("sets {name}, of which a value above it is made"))
        }
        Keyword::Label => sets(&|member| &member.labels).map(|name| format!("sets the label {name} too")),
        _ => None,
    }
}

/// Whether an ENV above sets the variable, which wins over the ARG.
fn is_hidden(facts: &Facts<'_>, stage: usize, seed: &Seed) -> bool {
    facts.ancestors(stage).into_iter().any(|of| {
        let above = facts.stages[of].instructions.clone().filter(|at| of != stage || *at < seed.instruction);
        let mut above = above.map(|at| &facts.file.instructions[at]).filter(|ins| ins.keyword == Keyword::Env);
        above.any(|ins| ins.pairs(facts.file.escape).iter().any(|pair| pair.name == seed.name))
    })
}

/// The line above a place of a stage that copies the sources.
fn sources_above(facts: &Facts<'_>, stage: usize, place: usize, contexts: &[&BuildContext<'_>]) -> Option<usize> {
    facts.ancestors(stage).into_iter().find_map(|of| {
        let mut instructions = facts.stages[of].instructions.clone().filter(|at| of != stage || *at < place);
        let at = instructions.find(|at| brings_sources(facts, *at, contexts))?;
        Some(facts.line(at))
    })
}
