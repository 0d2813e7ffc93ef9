//! The check after each change: what differs must have been declared.

use std::collections::BTreeMap;

use super::Parsed;
use crate::dockerfile::{self, Dockerfile};
use crate::facts::bake;
use crate::text::Span;
use crate::transform::Effect;
use crate::yaml::{self, Difference};

/// Compares the instructions of a Dockerfile after a change with those before it: anything that differs and was not declared is an error.
///
/// # Errors
/// The first difference that no effect declares.
pub fn check(before: &str, after: &str, effects: &[Effect]) -> Result<(), String> {
    let old = dockerfile::read(before).map_err(|error| error.to_string())?;
    check_dockerfile(before, &old, after, effects).map(drop)
}

/// [`check`] for a text of any kind that was read already; gives the new text as it is read.
pub(super) fn check_read(before: &str, old: &Parsed, after: &str, effects: &[Effect]) -> Result<Parsed, String> {
    let kind = old.kind();
    match old {
        Parsed::Dockerfile(old) => return check_dockerfile(before, old, after, effects).map(Parsed::Dockerfile),
        Parsed::Compose(..) | Parsed::Workflow(..) => yaml::check(before, after, &differences(effects)?)?,
        Parsed::Bake(bake) if bake.is_json => yaml::check(before, after, &differences(effects)?)?,
        Parsed::Bake(_) => {
            let added: Vec<(&str, &str, &str)> = effects
                .iter()
                .map(|effect| match effect {
                    Effect::AddAttribute { target, name, value } => {
                        Ok((target.as_str(), name.as_str(), value.as_str()))
                    }
                    other => Err(format!("{other:?} is no effect on a bake file")),
                })
                .collect::<Result<_, String>>()?;
            bake::check(before, after, &added)?;
        }
    }
    let new = super::read(kind, after).map_err(|error| format!("the result can't be read: {}", error.message))?;
    let texts = |text: &str, file: &Parsed| -> Vec<String> {
        file.comments().iter().map(|comment| comment.of(text).trim().to_owned()).collect()
    };
    if texts(before, old) != texts(after, &new) {
        return Err("comments differ".to_owned());
    }
    Ok(new)
}

/// The declared differences, in the order in which their paths hold: what is put into a list shifts the items behind it, so that comes
/// last, from the back.
fn differences(effects: &[Effect]) -> Result<Vec<Difference>, String> {
    let mut sorted = Vec::with_capacity(effects.len());
    let mut inserted = Vec::new();
    for effect in effects {
        match effect {
            Effect::Data(Difference::Insert { path, value }) => inserted.push((path.clone(), value.clone())),
            Effect::Data(difference) => sorted.push(difference.clone()),
            other => return Err(format!("{other:?} is no effect on data")),
        }
    }
    inserted.sort_by_key(|(path, _)| {
        std::cmp::Reverse(match path.last() {
            Some(yaml::Step::Index(index)) => *index,
            _ => 0,
        })
    });
    sorted.extend(inserted.into_iter().map(|(path, value)| Difference::Insert { path, value }));
    Ok(sorted)
}

fn check_dockerfile(before: &str, old: &Dockerfile, after: &str, effects: &[Effect]) -> Result<Dockerfile, String> {
    let new = dockerfile::read(after).map_err(|error| format!("the result can't be read: {error}"))?;
    if old.escape != new.escape || old.directives != new.directives {
        return Err("parser directives differ".to_owned());
    }
    let order = order(old, effects)?;
    let comments = comments(old, &order);
    let same_comments = comments.len() == new.comments.len()
        && comments.iter().zip(&new.comments).all(|(old, new)| old.of(before).trim() == new.of(after).trim());
    if !same_comments {
        return Err("comments differ".to_owned());
    }
    let expected = expected(before, old, effects, &order)?;
    if expected.len() != new.instructions.len() {
        return Err(format!("{} instructions instead of {}", new.instructions.len(), expected.len()));
    }
    for (want, found) in expected.iter().zip(&new.instructions) {
        let same = match want {
            // Nothing was declared: the same bytes are the same instruction.
            Expected::Untouched(ins) if ins.span.of(before) == found.span.of(after) => true,
            Expected::Untouched(ins) => Model::new(before, ins) == Model::new(after, found),
            Expected::Changed(model) => **model == Model::new(after, found),
        };
        if !same {
            let keyword = found.keyword_span.of(after);
            return Err(format!("{keyword} differs: {:?} instead of {want:?}", Model::new(after, found)));
        }
    }
    Ok(new)
}

/// What stands in a file after a change, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot<'a> {
    Old(usize),
    /// The last comment lines in front of an old instruction, as many as said, and it.
    Moved(usize, usize),
    Inserted(&'a str),
    /// The comment lines in front of an old instruction, but for as many of the last ones as said.
    Comments(usize, usize),
}

/// The order of old, moved and new instructions that the effects promise.
fn order<'a>(old: &Dockerfile, effects: &'a [Effect]) -> Result<Vec<Slot<'a>>, String> {
    let count = old.instructions.len();
    let moves: Vec<(usize, usize, usize)> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::MoveInstruction { instruction, behind, comments } => Some((*instruction, *behind, *comments)),
            _ => None,
        })
        .collect();
    let moved = |at: usize| moves.iter().find(|(instruction, ..)| *instruction == at);
    if moves.iter().any(|(at, behind, _)| *at >= count || *behind >= count || moved(*behind).is_some()) {
        return Err("an instruction that moves behind none, or behind one that moves too".to_owned());
    }
    let mut order = Vec::with_capacity(count + effects.len());
    for at in 0..=count {
        order.extend(effects.iter().filter_map(|effect| match effect {
            Effect::MoveInstruction { instruction, behind, comments } if behind + 1 == at => {
                Some(Slot::Moved(*instruction, *comments))
            }
            Effect::InsertInstruction { before, text } if *before == at => Some(Slot::Inserted(text)),
            _ => None,
        }));
        order.push(Slot::Comments(at, moved(at).map_or(0, |(.., comments)| *comments)));
        if at < count && moved(at).is_none() {
            order.push(Slot::Old(at));
        }
    }
    Ok(order)
}

/// The comments in the order that the slots promise.
fn comments(old: &Dockerfile, order: &[Slot<'_>]) -> Vec<Span> {
    let count = old.instructions.len();
    let between = |from: usize, to: usize| -> Vec<Span> {
        old.comments.iter().filter(|comment| comment.start >= from && comment.start < to).copied().collect()
    };
    let leading = |at: usize| {
        let from = at.checked_sub(1).map_or(0, |last| old.instructions[last].span.end);
        let to = if at < count { old.instructions[at].span.start } else { usize::MAX };
        between(from, to)
    };
    let inside = |at: usize| between(old.instructions[at].span.start, old.instructions[at].span.end);
    let mut comments = Vec::with_capacity(old.comments.len());
    for slot in order {
        match *slot {
            Slot::Old(at) => comments.extend(inside(at)),
            Slot::Moved(at, along) => {
                let leading = leading(at);
                comments.extend_from_slice(&leading[leading.len().saturating_sub(along)..]);
                comments.extend(inside(at));
            }
            Slot::Inserted(_) => {}
            Slot::Comments(at, along) => {
                let leading = leading(at);
                comments.extend_from_slice(&leading[..leading.len().saturating_sub(along)]);
            }
        }
    }
    comments
}

/// What an instruction must be after a change.
#[derive(Debug)]
enum Expected<'a> {
    Untouched(&'a dockerfile::Instruction),
    Changed(Box<Model>),
}

/// What an instruction says, white space between words aside.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model {
    keyword: String,
    flags: Vec<String>,
    words: Vec<String>,
    json: Option<Vec<String>>,
    bodies: Vec<Vec<String>>,
}

impl Model {
    fn new(text: &str, ins: &dockerfile::Instruction) -> Self {
        Self {
            keyword: ins.keyword_span.of(text).to_owned(),
            flags: ins.flags.iter().map(|flag| flag.text.clone()).collect(),
            // The strings of the JSON form are all that it says.
            words: if ins.json.is_some() { Vec::new() } else { words(ins.args()) },
            json: ins.json.as_deref().map(plain_strings),
            bodies: ins.heredocs.iter().map(|heredoc| words_of_body(heredoc.body.of(text))).collect(),
        }
    }
}

/// Words, with shell operators as words of their own whether or not white space stands around them.
fn words(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 16);
    for ch in text.chars() {
        if matches!(ch, '&' | '|' | ';' | '(' | ')' | '"' | '\'') {
            spaced.extend([' ', ch, ' ']);
        } else {
            spaced.push(ch);
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Strings of the JSON form, white space inside a quoted script aside.
fn plain_strings(strings: &[String]) -> Vec<String> {
    strings.iter().map(|string| words(string).join(" ")).collect()
}

fn words_of_body(text: &str) -> Vec<String> {
    words(text).into_iter().filter(|word| word != "\\").collect()
}

/// A range of a script and what stands there afterwards.
type Replacement<'a> = (std::ops::Range<usize>, &'a str);

/// The instructions that the effects promise.
fn expected<'a>(
    before: &str,
    old: &'a Dockerfile,
    effects: &[Effect],
    order: &[Slot<'_>],
) -> Result<Vec<Expected<'a>>, String> {
    let mut models: BTreeMap<usize, Option<Model>> = BTreeMap::new();
    for effect in effects {
        let at = match effect {
            Effect::AddFlag { instruction, .. }
            | Effect::ReplaceText { instruction, .. }
            | Effect::RemovePair { instruction, .. }
            | Effect::RemoveInstruction { instruction } => *instruction,
            Effect::InsertInstruction { .. } | Effect::MoveInstruction { .. } => continue,
            Effect::Data(_) | Effect::AddAttribute { .. } => return Err("no effect on a Dockerfile".to_owned()),
        };
        models.entry(at).or_insert_with(|| Some(Model::new(before, &old.instructions[at])));
    }
    // Texts are rebuilt from all replacements of one instruction, last one first.
    let mut texts: Vec<(usize, Vec<Replacement<'_>>)> = Vec::new();
    for effect in effects {
        match effect {
            Effect::AddFlag { instruction, flag } => {
                let model = models
                    .get_mut(instruction)
                    .and_then(Option::as_mut)
                    .ok_or("a flag for an instruction that goes")?;
                let at = effects
                    .iter()
                    .filter_map(|other| match other {
                        Effect::AddFlag { instruction: same, flag } if same == instruction => Some(flag),
                        _ => None,
                    })
                    .position(|other| other == flag)
                    .unwrap_or(0);
                model.flags.insert(at.min(model.flags.len()), flag.clone());
            }
            Effect::ReplaceText { instruction, range, with } => {
                match texts.iter_mut().find(|(at, _)| at == instruction) {
                    Some((_, replacements)) => replacements.push((range.clone(), with)),
                    None => texts.push((*instruction, vec![(range.clone(), with)])),
                }
            }
            Effect::RemovePair { instruction, name } => {
                let ins = &old.instructions[*instruction];
                let model =
                    models.get_mut(instruction).and_then(Option::as_mut).ok_or("a pair of an instruction that goes")?;
                let pair = ins.pairs(old.escape).into_iter().find(|pair| pair.name == *name).ok_or("no such pair")?;
                let raw = &ins.line.text[pair.range.clone()];
                let start =
                    model.words.iter().position(|word| words(raw).first() == Some(word)).ok_or("no such word")?;
                let count = words(raw).len();
                model.words.drain(start..start + count);
            }
            Effect::RemoveInstruction { instruction } => drop(models.insert(*instruction, None)),
            Effect::InsertInstruction { .. }
            | Effect::MoveInstruction { .. }
            | Effect::Data(_)
            | Effect::AddAttribute { .. } => {}
        }
    }
    for (instruction, mut replacements) in texts {
        let ins = &old.instructions[instruction];
        let model =
            models.get_mut(&instruction).and_then(Option::as_mut).ok_or("a text of an instruction that goes")?;
        replacements.sort_by_key(|(range, _)| std::cmp::Reverse((range.start, range.end)));
        let (mut text, in_body) = script_text(before, ins);
        for (range, with) in replacements {
            if range.end > text.len() {
                return Err("a replacement outside the script".to_owned());
            }
            text.replace_range(range, with);
        }
        if in_body {
            model.bodies[0] = words_of_body(&text);
        } else if ins.json.is_some() {
            let args = text.get(ins.args.start..).unwrap_or("");
            model.json = serde_json::from_str::<Vec<String>>(args).ok().as_deref().map(plain_strings);
        } else {
            model.words = words(&text);
        }
    }
    let mut all = Vec::with_capacity(order.len());
    for slot in order {
        match *slot {
            Slot::Old(at) | Slot::Moved(at, _) => match models.remove(&at) {
                None => all.push(Expected::Untouched(&old.instructions[at])),
                Some(model) => all.extend(model.map(|model| Expected::Changed(Box::new(model)))),
            },
            Slot::Inserted(text) => all.push(Expected::Changed(Box::new(inserted(text, old.escape)?))),
            Slot::Comments(..) => {}
        }
    }
    Ok(all)
}

/// A new instruction, as the file's escape character has it read.
fn inserted(text: &str, escape: char) -> Result<Model, String> {
    let text = format!("# escape={escape}\n{text}\n");
    let file = dockerfile::read(&text).map_err(|error| format!("a new instruction can't be read: {error}"))?;
    match file.instructions.as_slice() {
        [instruction] if file.comments.len() == 1 => Ok(Model::new(&text, instruction)),
        _ => Err(format!("{} instructions in the place of a new one", file.instructions.len())),
    }
}

/// The text that [`Effect::ReplaceText`] counts in, and whether it is a heredoc's body: the same choice as in
/// `facts::runs`.
fn script_text(text: &str, ins: &dockerfile::Instruction) -> (String, bool) {
    if ins.json.is_some() {
        return (ins.line.text.clone(), false);
    }
    match ins.script_heredoc() {
        Some((heredoc, _)) => (heredoc.body.of(text).to_owned(), true),
        None => (ins.args().to_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undeclared_difference_is_found() {
        let before = "FROM x\n# c\nRUN a b\nUSER c\n";
        assert!(check(before, before, &[]).is_ok());
        for after in [
            "FROM x\n# c\nRUN a\nUSER c\n",
            "FROM x\nRUN a b\nUSER c\n",
            "FROM x\n# c\nRUN a b\n",
            "FROM x\n# c\nrun a b\nUSER c\n",
            "FROM x\n# c\nRUN --mount=type=cache,target=/x a b\nUSER c\n",
        ] {
            assert!(check(before, after, &[]).is_err(), "{after:?}");
        }
    }

    #[test]
    fn declared_effects_are_allowed_and_required() {
        let before = "FROM x\nRUN a --no b\n";
        let effects = [
            Effect::AddFlag { instruction: 1, flag: "--mount=type=cache,target=/x".to_owned() },
            Effect::ReplaceText { instruction: 1, range: 2..7, with: String::new() },
        ];
        assert!(check(before, "FROM x\nRUN --mount=type=cache,target=/x \\\n  a b\n", &effects).is_ok());
        assert!(check(before, "FROM x\nRUN a b\n", &effects).is_err());
        assert!(check(before, before, &effects).is_err());
    }

    #[test]
    fn instructions_come_and_move_with_their_comments_only_as_declared() {
        let before = "FROM x\n# all\nCOPY . .\n# c\nRUN a\n# d\nCMD b\n";
        let effects = [
            Effect::InsertInstruction { before: 1, text: "COPY p .".to_owned() },
            Effect::MoveInstruction { instruction: 1, behind: 2, comments: 1 },
        ];
        let after = "FROM x\nCOPY p .\n# c\nRUN a\n# all\nCOPY . .\n# d\nCMD b\n";
        check(before, after, &effects).unwrap();
        for wrong in [
            "FROM x\nCOPY p .\n# c\nRUN a\nCOPY . .\n# d\nCMD b\n",
            "FROM x\nCOPY p .\n# all\n# c\nRUN a\nCOPY . .\n# d\nCMD b\n",
            "FROM x\nCOPY q .\n# c\nRUN a\n# all\nCOPY . .\n# d\nCMD b\n",
            "FROM x\nCOPY p .\n# c\nRUN a\n# d\nCMD b\n# all\nCOPY . .\n",
            before,
        ] {
            assert!(check(before, wrong, &effects).is_err(), "{wrong:?}");
        }
        assert!(check(before, after, &effects[..1]).is_err());
    }

    #[test]
    fn what_comes_to_one_place_keeps_the_order_of_the_effects() {
        let before = "FROM x\nARG A\nENV B=1 C=$A\nLABEL d=$C\nRUN a\nCMD b\n";
        let effects = [
            Effect::MoveInstruction { instruction: 1, behind: 4, comments: 0 },
            Effect::RemovePair { instruction: 2, name: "C".to_owned() },
            Effect::InsertInstruction { before: 5, text: "ENV C=$A".to_owned() },
            Effect::MoveInstruction { instruction: 3, behind: 4, comments: 0 },
        ];
        check(before, "FROM x\nENV B=1\nRUN a\nARG A\nENV C=$A\nLABEL d=$C\nCMD b\n", &effects).unwrap();
        for wrong in [
            "FROM x\nENV B=1\nRUN a\nENV C=$A\nARG A\nLABEL d=$C\nCMD b\n",
            "FROM x\nENV B=1\nRUN a\nARG A\nLABEL d=$C\nENV C=$A\nCMD b\n",
        ] {
            assert!(check(before, wrong, &effects).is_err(), "{wrong:?}");
        }
    }
}
