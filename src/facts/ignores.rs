//! `# restow: ignore` comments.

use crate::dockerfile::Dockerfile;
use crate::text::{LineIndex, Span};

/// `# restow: ignore` comments of a file.
#[derive(Debug, Clone, Default)]
pub struct Ignores {
    /// Line of `restow: ignore-file`.
    pub whole_file: Option<usize>,
    /// What a comment speaks for, and the transforms it names (none: all).
    places: Vec<(Span, Vec<String>)>,
}

impl Ignores {
    /// Of a Dockerfile: a comment speaks for the instruction behind it, or the one that it stands in; other comments and empty lines may
    /// stand in between.
    pub fn of_dockerfile(text: &str, file: &Dockerfile) -> Self {
        Self::read(text, &file.comments, |comment| {
            file.instructions.iter().find(|ins| comment.start < ins.span.end).map(|ins| ins.span)
        })
    }

    /// Of a file of keys and blocks: a comment speaks for what it stands above or beside.
    pub fn of_blocks(text: &str, comments: &[Span]) -> Self {
        Self::read(text, comments, |comment| block(text, comment.start))
    }

    fn read(text: &str, comments: &[Span], place: impl Fn(&Span) -> Option<Span>) -> Self {
        let mut ignores = Self::default();
        for comment in comments {
            let body = comment.of(text).trim().trim_start_matches(['#', '/']).trim();
            let Some(rest) = body.strip_prefix("restow:").map(str::trim) else { continue };
            let rest = rest.split("--").next().unwrap_or(rest).trim();
            let ids = if rest == "ignore-file" {
                ignores.whole_file = Some(LineIndex::new(text).line(comment.start));
                continue;
            } else if rest == "ignore" {
                Vec::new()
            } else if let Some(ids) = rest.strip_prefix("ignore=") {
                ids.split(',').map(|id| id.trim().to_owned()).collect()
            } else {
                continue;
            };
            ignores.places.extend(place(comment).map(|place| (place, ids)));
        }
        ignores
    }

    /// Whether a comment speaks for what stands at `offset`, to `transform`.
    pub fn holds(&self, offset: usize, transform: &str) -> bool {
        let names = |ids: &[String]| ids.is_empty() || ids.iter().any(|id| id == transform);
        self.places.iter().any(|(place, ids)| place.contains(offset) && names(ids))
    }
}

/// The key, item or block that a comment stands above or beside: its line and the deeper ones behind it.
fn block(text: &str, comment: usize) -> Option<Span> {
    let line_start = text[..comment].rfind('\n').map_or(0, |at| at + 1);
    let beside = !text[line_start..comment].trim().is_empty();
    let is_empty = |line: &str| {
        let bare = line.trim();
        bare.is_empty() || bare.starts_with('#') || bare.starts_with("//")
    };
    let mut at = line_start;
    let mut found: Option<(usize, usize)> = None;
    let mut end = at;
    for (number, line) in text[line_start..].split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        if number == 0 && !beside || is_empty(line) {
            continue;
        }
        let column = line.len() - line.trim_start().len();
        match found {
            None => found = Some((start, column)),
            Some((first, own)) => {
                // The dashes of a list may stand in the column of its key.
                let list = column == own && line.trim_start().starts_with("- ");
                let in_list = list && !text[first + own..].starts_with("- ");
                if column <= own && !in_list {
                    break;
                }
            }
        }
        end = at;
    }
    found.map(|(start, _)| Span::new(start, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_comment_speaks_for_the_block_below_it() {
        let text = "services:\n  # restow: ignore=a -- why\n  x:\n    build:\n      context: .\n  y:\n    build: . # restow: ignore\n    image: z\n";
        let ignores = Ignores::of_blocks(text, &crate::yaml::Stream::read(text).unwrap().comments);
        let holds = |needle: &str, id: &str| ignores.holds(text.find(needle).unwrap(), id);
        assert!(holds("context", "a") && !holds("context", "b"));
        assert!(holds("build: .", "b") && !holds("image: z", "b"));
    }

    #[test]
    fn a_comment_above_an_instruction_speaks_for_it_alone() {
        let text = "FROM x\n# restow: ignore\n# more\n\nRUN a\nRUN b\n";
        let ignores = Ignores::of_dockerfile(text, &crate::dockerfile::read(text).unwrap());
        let holds = |needle: &str| ignores.holds(text.find(needle).unwrap(), "t");
        assert!(holds("RUN a") && !holds("RUN b") && !holds("FROM"));
    }
}
