//! `# restow: ignore` comments.

use crate::dockerfile::Dockerfile;

/// `# restow: ignore` comments of a file.
pub(super) struct Ignores {
    /// Line of `restow: ignore-file`.
    pub whole_file: Option<usize>,
    /// Line of the comment, and the transforms it names (none: all).
    lines: Vec<(usize, Vec<String>)>,
}

impl Ignores {
    pub fn new(text: &str, file: &Dockerfile) -> Self {
        let mut ignores = Self { whole_file: None, lines: Vec::new() };
        for comment in &file.comments {
            let body = comment.of(text).trim().trim_start_matches('#').trim();
            let Some(rest) = body.strip_prefix("restow:").map(str::trim) else { continue };
            let rest = rest.split("--").next().unwrap_or(rest).trim();
            if rest == "ignore-file" {
                ignores.whole_file = Some(file.lines.line(comment.start));
            } else if rest == "ignore" {
                ignores.lines.push((file.lines.line(comment.start), Vec::new()));
            } else if let Some(ids) = rest.strip_prefix("ignore=") {
                let ids = ids.split(',').map(|id| id.trim().to_owned()).collect();
                ignores.lines.push((file.lines.line(comment.start), ids));
            }
        }
        ignores
    }

    /// Whether a comment above the instruction at `offset` speaks for `transform`. Other comments and empty lines may stand
    /// in between.
    pub fn holds(&self, file: &Dockerfile, offset: usize, transform: &str) -> bool {
        if self.lines.is_empty() {
            return false;
        }
        let at = file.instructions.partition_point(|ins| ins.span.start <= offset).saturating_sub(1);
        let start = file.instructions[at].start_line;
        let end = file.instructions[at].end_line;
        let above = at.checked_sub(1).map_or(0, |before| file.instructions[before].end_line);
        self.lines.iter().any(|(line, ids)| {
            let near = above < *line && *line < start || start <= *line && *line <= end;
            near && (ids.is_empty() || ids.iter().any(|id| id == transform))
        })
    }
}
