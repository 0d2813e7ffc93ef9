//! Whether the COPY of a requirements file can go down to the RUN that installs it.

use super::chain::is_harmless;
use super::files::Piece;
use super::site::base_name;
use crate::dockerfile::Keyword;
use crate::facts::runs::Run;
use crate::transform::DockerfileContext;

/// Whether the COPYs of `moved` can go down to the RUN.
///
/// # Errors
/// What stands between.
pub fn movable(cx: &DockerfileContext<'_>, run: &Run, moved: &[Piece]) -> Result<(), String> {
    let facts = cx.facts;
    for piece in moved {
        let instruction = &facts.file.instructions[piece.instruction];
        let Some(copy) = facts.copies.iter().find(|copy| copy.instruction == piece.instruction) else { continue };
        let words = copy.words.as_ref().map_err(Clone::clone)?;
        if words.sources.len() > 1 && !words.is_folder {
            return Err(format!(
                "line {} copies several files to a folder without a slash at its end",
                facts.line(piece.instruction)
            ));
        }
        let source = words.sources[piece.source].trim_start_matches("./");
        let name = base_name(source);
        if let Some(line) = copied_too(cx, run, moved, source) {
            return Err(format!("line {line} copies {name} too, and a change of it repeats all behind that"));
        }
        let is_relative = !words.raw_destination.starts_with('/');
        for at in piece.instruction + 1..run.instruction {
            let between = &facts.file.instructions[at];
            let line = facts.line(at);
            match between.keyword {
                Keyword::Workdir if is_relative => {
                    return Err(format!("line {line} changes the folder that the COPY counts from"));
                }
                Keyword::Env | Keyword::Arg if instruction.line.text.contains('$') => {
                    return Err(format!("line {line} may change what the COPY names"));
                }
                Keyword::Run => {
                    let other = facts.runs.iter().find(|other| other.instruction == at);
                    if between.line.text.contains(name) || !other.is_some_and(is_harmless) {
                        return Err(format!(
                            "line {line} stands between the COPY and the install, and may read {name}"
                        ));
                    }
                }
                Keyword::Unknown | Keyword::Onbuild => {
                    return Err(format!("line {line} stands between the COPY and the install"));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The line of another COPY in front of the RUN that brings the same source, by itself or with a folder.
fn copied_too(cx: &DockerfileContext<'_>, run: &Run, moved: &[Piece], source: &str) -> Option<usize> {
    let earlier = cx.facts.copies.iter().filter(|copy| copy.instruction < run.instruction && copy.from.is_none());
    for copy in earlier.filter(|copy| cx.facts.descends(run.stage, copy.stage)) {
        let Ok(words) = &copy.words else { continue };
        let brings = words.sources.iter().enumerate().any(|(at, other)| {
            let other = other.trim_start_matches("./").trim_matches('/');
            let is_moved = moved.contains(&Piece { instruction: copy.instruction, source: at });
            let holds =
                matches!(other, "" | ".") || source.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
            !is_moved && (holds || other == source)
        });
        if brings {
            return Some(cx.facts.line(copy.instruction));
        }
    }
    None
}
