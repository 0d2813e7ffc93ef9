//! The new instructions of a site, and the edits that put them in.

use super::files::Piece;
use super::site::Site;
use crate::dockerfile::edits;
use crate::edit::{Edit, EditSet};
use crate::transform::run_edits::RunEdits;
use crate::transform::{Change, DockerfileContext, Effect};

/// Longest line of a new RUN, in columns.
const LONGEST: usize = 120;

/// # Errors
/// A comment inside what would go.
pub fn change(cx: &DockerfileContext<'_>, site: &Site<'_>, ordinal: usize) -> Result<Change, String> {
    let facts = cx.facts;
    let run = site.chain.run;
    let instruction = &facts.file.instructions[run.instruction];
    let (mut changed, mut effects) = own(cx, site)?;
    let mut new = Vec::new();
    for (index, step) in site.steps.iter().enumerate() {
        // What the first step needs stays where it is.
        if index > 0 {
            new.extend(copies(cx, &step.brings));
        }
        new.push(command(cx, site, &step.commands));
    }
    new.extend(copies(cx, &site.brings));
    let moved: Vec<Piece> =
        site.steps.iter().skip(1).flat_map(|step| &step.brings).chain(&site.brings).copied().collect();
    // A list on the command line has no file.
    let moved = if site.steps.len() == 1 && site.brings.is_empty() { Vec::new() } else { moved };
    take_out(cx, &moved, &mut changed, &mut effects)?;
    changed.push(edits::insert_above(facts.text, instruction, 0, &new));
    effects.extend(new.into_iter().map(|text| Effect::InsertInstruction { before: run.instruction, text }));
    EditSet::new(facts.text, changed.clone()).map_err(|error| format!("it can't be edited: {error}"))?;
    Ok(Change {
        group: format!("split{ordinal}"),
        title: site.title.clone(),
        reason: site.reason.clone(),
        level: site.level,
        offset: instruction.span.start,
        more: Vec::new(),
        edits: changed,
        effects,
        beside: Vec::new(),
    })
}

/// What changes in the RUN itself.
fn own(cx: &DockerfileContext<'_>, site: &Site<'_>) -> Result<(Vec<Edit>, Vec<Effect>), String> {
    let items = &site.chain.items;
    let mut out = RunEdits::new(cx.facts, site.chain.run);
    let mut at = 0;
    while at < items.len() {
        if !site.gone.contains(&at) {
            at += 1;
            continue;
        }
        let first = at;
        while site.gone.contains(&at) {
            at += 1;
        }
        out.remove_words(items[first].command.range.start..items[at].command.range.start)?;
    }
    if let Some((install, assignment)) = &site.assignment {
        out.insert(items[*install].command.range.start, format!("{assignment} "));
    }
    Ok((out.edits, out.effects))
}

/// A RUN with the flags of the old one.
fn command(cx: &DockerfileContext<'_>, site: &Site<'_>, commands: &[String]) -> String {
    let text = cx.facts.text;
    let instruction = &cx.facts.file.instructions[site.chain.run.instruction];
    let keyword = instruction.keyword_span.of(text);
    let flags: Vec<&str> = instruction.flags.iter().map(|flag| flag.span.of(text)).collect();
    let mut words = vec![keyword];
    words.extend(&flags);
    let joined = commands.join(" && ");
    words.push(&joined);
    let line = words.join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let indent = edits::indent(text, cx.facts.file, instruction);
    let next = format!(" {}{}{indent}", cx.facts.file.escape, edits::line_break(text));
    let mut lines: Vec<String> = Vec::new();
    if flags.is_empty() {
        lines.push(format!("{keyword} {}", commands[0]));
    } else {
        lines.push(format!("{keyword} {}", flags.join(&next)));
        lines.push(commands[0].clone());
    }
    lines.extend(commands[1..].iter().map(|command| format!("&& {command}")));
    lines.join(&next)
}

/// COPYs of some words, one for each COPY that they come from.
fn copies(cx: &DockerfileContext<'_>, pieces: &[Piece]) -> Vec<String> {
    let facts = cx.facts;
    let mut by_copy: Vec<(usize, Vec<usize>)> = Vec::new();
    for piece in pieces {
        match by_copy.iter_mut().find(|(at, _)| *at == piece.instruction) {
            Some((_, sources)) => sources.push(piece.source),
            None => by_copy.push((piece.instruction, vec![piece.source])),
        }
    }
    by_copy.sort();
    let text = |(at, mut sources): (usize, Vec<usize>)| {
        let instruction = &facts.file.instructions[at];
        let mut words = vec![instruction.keyword_span.of(facts.text).to_owned()];
        words.extend(instruction.flags.iter().map(|flag| flag.span.of(facts.text).to_owned()));
        if instruction.json.is_some() {
            words.push(instruction.args().to_owned());
            return words.join(" ");
        }
        let all = instruction.words(facts.file.escape);
        sources.sort_unstable();
        words.extend(sources.into_iter().filter_map(|source| all.get(source)).map(|word| word.raw.clone()));
        words.extend(all.last().map(|word| word.raw.clone()));
        words.join(" ")
    };
    by_copy.into_iter().map(text).collect()
}

/// Takes words out of the COPYs that they stand in; a COPY without any left goes.
fn take_out(
    cx: &DockerfileContext<'_>,
    moved: &[Piece],
    changed: &mut Vec<Edit>,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let facts = cx.facts;
    let mut instructions: Vec<usize> = moved.iter().map(|piece| piece.instruction).collect();
    instructions.sort_unstable();
    instructions.dedup();
    for at in instructions {
        let instruction = &facts.file.instructions[at];
        let sources = facts.copies.iter().find(|copy| copy.instruction == at);
        let sources = sources.and_then(|copy| copy.words.as_ref().ok()).map_or(0, |words| words.sources.len());
        let mut own: Vec<usize> =
            moved.iter().filter(|piece| piece.instruction == at).map(|piece| piece.source).collect();
        own.sort_unstable();
        own.dedup();
        if own.len() == sources {
            if instruction.is_continued(facts.text)
                && facts.file.comments.iter().any(|comment| instruction.span.contains(comment.start))
            {
                return Err("a comment stands inside the COPY".to_owned());
            }
            changed.push(edits::remove_instruction(facts.text, instruction));
            effects.push(Effect::RemoveInstruction { instruction: at });
            continue;
        }
        let words = instruction.words(facts.file.escape);
        for source in own {
            let range = words[source].range.clone();
            let span = instruction.line.span(range.clone());
            let removal = edits::remove(facts.text, facts.file, instruction, span);
            changed.extend(removal.ok_or("a comment stands inside the COPY")?);
            let range = range.start - instruction.args.start..range.end - instruction.args.start;
            effects.push(Effect::ReplaceText { instruction: at, range, with: " ".to_owned() });
        }
    }
    Ok(())
}
