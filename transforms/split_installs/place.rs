//! The new instructions of a site, and the edits that put them in.

use super::chain::Chain;
use super::files::Piece;
use super::layout::Part;
use super::site::Site;
use crate::dockerfile::edits;
use crate::edit::{Edit, EditSet};
use crate::forecast::Theme;
use crate::text::Span;
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
    let runs: Vec<String> = site.steps.iter().map(|step| command(cx, site, &step.commands)).collect();
    let brings = |step: usize| site.steps.get(step).map_or(&site.brings, |step| &step.brings);
    // COPYs that stand in front of the RUN one by one stay, each with a step above it and above its comments.
    let mut kept = runs.len();
    let mut target = run.instruction;
    let mut comments = 0;
    let mut places: Vec<(usize, usize, Vec<String>)> = Vec::new();
    while kept > 0 && target > 0 && is_whole(cx, brings(kept), target - 1) && is_beside(cx, target) {
        if kept < runs.len() {
            places.push((target, comments, vec![runs[kept].clone()]));
        }
        target -= 1;
        kept -= 1;
        comments = edits::comments_above(facts.text, &facts.file.instructions[target]);
    }
    let mut moved: Vec<Piece> = (1..=kept).flat_map(brings).copied().collect();
    let along = commented(cx, (1..=kept).map(brings), &moved, target, comments);
    moved.retain(|piece| !along.iter().any(|(at, _)| *at == piece.instruction));
    take_out(cx, &moved, &mut changed, &mut effects)?;
    let mut new = Vec::new();
    for step in 0..=kept {
        // What the first step needs stays where it is.
        let pieces = if step > 0 { brings(step).as_slice() } else { &[] };
        match along.iter().find(|(at, _)| pieces.iter().any(|piece| piece.instruction == *at)) {
            Some(&(at, above)) => {
                let lines = edits::lines(facts.text, &facts.file.instructions[at], above);
                changed.push(remove_lines(facts.text, lines));
                new.push(format!("{}{}", edits::line_break(facts.text), lines.of(facts.text)));
                effects.push(Effect::MoveInstruction { instruction: at, behind: target - 1, comments: above });
            }
            None => {
                for text in copies(cx, pieces) {
                    effects.push(Effect::InsertInstruction { before: target, text: text.clone() });
                    new.push(text);
                }
            }
        }
        if let Some(text) = runs.get(step) {
            effects.push(Effect::InsertInstruction { before: target, text: text.clone() });
            new.push(text.clone());
        }
    }
    changed.push(edits::insert_above(facts.text, &facts.file.instructions[target], comments, &new));
    for (before, comments, new) in places {
        changed.push(edits::insert_above(facts.text, &facts.file.instructions[before], comments, &new));
        effects.extend(new.into_iter().map(|text| Effect::InsertInstruction { before, text }));
    }
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
        shows: Some(Theme::Manifest),
    })
}

/// Whether the instruction at `at` is a COPY of just the files said.
fn is_whole(cx: &DockerfileContext<'_>, pieces: &[Piece], at: usize) -> bool {
    let copy = cx.facts.copies.iter().find(|copy| copy.instruction == at);
    let sources = copy.and_then(|copy| copy.words.as_ref().ok()).map_or(0, |words| words.sources.len());
    let is_in = |source: usize| pieces.contains(&Piece { instruction: at, source });
    sources > 0 && (0..sources).all(is_in) && pieces.iter().all(|piece| piece.instruction == at)
}

/// COPYs that go down to `target` as a whole, each with as many of the comment lines above it as said.
fn commented<'a>(
    cx: &DockerfileContext<'_>,
    brings: impl Iterator<Item = &'a Vec<Piece>>,
    moved: &[Piece],
    target: usize,
    comments: usize,
) -> Vec<(usize, usize)> {
    let (text, file) = (cx.facts.text, cx.facts.file);
    let Some(behind) = target.checked_sub(1) else { return Vec::new() };
    // Comments that stay above the target would come to stand above those that move.
    let between = file.instructions[behind].span.end..file.instructions[target].span.start;
    let leading = file.comments.iter().filter(|comment| between.contains(&comment.start)).count();
    if leading != comments || moved.iter().any(|piece| piece.instruction == behind) {
        return Vec::new();
    }
    let whole = |pieces: &Vec<Piece>| {
        let at = pieces.first()?.instruction;
        let above = edits::comments_above(text, &file.instructions[at]);
        // Directly above another instruction the comment is about both.
        let next = file.instructions.get(at + 1)?.span.start;
        let is_alone = text[file.instructions[at].span.end..next].matches('\n').count() > 1;
        (above > 0 && is_alone && is_whole(cx, pieces, at)).then_some((at, above))
    };
    brings.filter_map(whole).collect()
}

/// Removes whole lines; of two empty lines that they stand between one goes too.
fn remove_lines(text: &str, lines: Span) -> Edit {
    let next = |at: usize| text[at..].find('\n').map_or(text.len(), |len| at + len + 1);
    let mut end = next(lines.end);
    let before = text[..lines.start].trim_end_matches([' ', '\t', '\r', '\n']);
    let has_blank = text[before.len()..lines.start].matches('\n').count() > 1;
    if has_blank && text[end..next(end)].trim().is_empty() {
        end = next(end);
    }
    Edit::delete(Span::new(lines.start, end))
}

/// Whether a COPY belongs to what stands behind it: by its place, or because it can't leave the comment above it.
fn is_beside(cx: &DockerfileContext<'_>, behind: usize) -> bool {
    let (text, copy) = (cx.facts.text, &cx.facts.file.instructions[behind - 1]);
    let next = edits::lines(text, &cx.facts.file.instructions[behind], 0).start;
    let has_blank = text[copy.span.end..next].lines().skip(1).any(|line| line.trim().is_empty());
    !has_blank || edits::comments_above(text, copy) > 0
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
fn command(cx: &DockerfileContext<'_>, site: &Site<'_>, commands: &[Part]) -> String {
    let text = cx.facts.text;
    let Chain { run, items, layout } = &site.chain;
    let instruction = &cx.facts.file.instructions[run.instruction];
    let keyword = instruction.keyword_span.of(text);
    let mut line = keyword.to_owned();
    let mut end = instruction.keyword_span.end;
    for flag in &instruction.flags {
        line.push_str(&layout.gap(end, flag.span.start));
        line.push_str(flag.span.of(text));
        end = flag.span.end;
    }
    line.push_str(&layout.gap(end, run.text.offset(items[0].command.range.start)));
    for (at, part) in commands.iter().enumerate() {
        line.push_str(if at == 0 { "" } else { &part.joint });
        line.push_str(&part.text);
    }
    if line.chars().count() <= LONGEST || line.contains('\n') {
        return line;
    }
    let indent = edits::indent(text, cx.facts.file, instruction);
    let next = format!(" {}{}{indent}", cx.facts.file.escape, edits::line_break(text));
    let flags: Vec<&str> = instruction.flags.iter().map(|flag| flag.span.of(text)).collect();
    let mut lines: Vec<String> = Vec::new();
    if flags.is_empty() {
        lines.push(format!("{keyword} {}", commands[0].text));
    } else {
        lines.push(format!("{keyword} {}", flags.join(&next)));
        lines.push(commands[0].text.clone());
    }
    lines.extend(commands[1..].iter().map(|part| format!("&& {}", part.text)));
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
