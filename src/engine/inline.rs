//! Dockerfiles that stand in a compose file (`dockerfile_inline`): read as Dockerfiles, rewritten by the same transforms, and put
//! back line by line, with `$` doubled again.

use super::{Fault, HeldBack, Input, Located, Parsed, Run, rewrite};
use crate::context::Context;
use crate::edit::{Edit, EditSet};
use crate::facts::compose;
use crate::text::Span;
use crate::transform::{Change, Effect, Kind};
use crate::yaml::{Difference, New, NodeKind, Style, below};

/// What was found in inline Dockerfiles beside the changes.
#[derive(Debug, Default)]
pub(super) struct Inline {
    pub skips: Vec<Located>,
    pub held_back: Vec<HeldBack>,
    pub faults: Vec<String>,
}

/// An inline Dockerfile as it stands in its file.
struct Place {
    /// The literal block, whole lines.
    span: Span,
    /// Columns in front of each line.
    indent: usize,
    /// Line of its first line, from 1.
    line: usize,
    /// The Dockerfile, `$$` read as `$`.
    text: String,
}

impl Run<'_> {
    /// Rewrites every inline Dockerfile of a compose file.
    pub(super) fn rewrite_inline(&mut self) -> Result<(), Fault> {
        let Parsed::Compose(_, compose) = self.input.file else { return Ok(()) };
        let transforms: Vec<_> = self
            .transforms
            .iter()
            .copied()
            .filter(|transform| transform.meta().kinds.contains(&Kind::Dockerfile))
            .collect();
        let Some(first) = transforms.first().map(|transform| transform.meta().id) else { return Ok(()) };
        let ids: Vec<(usize, String)> = compose
            .services
            .iter()
            .enumerate()
            .filter(|(_, service)| service.any_build().is_some_and(|build| build.has_inline))
            .map(|(at, service)| (at, service.name.clone()))
            .collect();
        for (service, name) in ids {
            let place = match self.inline_place(service) {
                Ok(place) => place,
                Err((line, reason)) => {
                    self.inline.skips.push(Located { transform: first, line, reason });
                    continue;
                }
            };
            let file = match super::read_dockerfile(&place.text) {
                Ok(file) => Parsed::Dockerfile(file),
                Err(refusal) => {
                    let line = place.line + refusal.line.saturating_sub(1);
                    let reason = format!("the inline Dockerfile can't be read: {}", refusal.message);
                    self.inline.skips.push(Located { transform: first, line, reason });
                    continue;
                }
            };
            let path = format!("{}#{name}", self.input.path);
            let input = Input {
                path: &path,
                text: &place.text,
                file: &file,
                context: &Context::nothing(),
                project: self.input.project,
            };
            let outcome = rewrite(&input, &transforms, self.allowed);
            let line = |inner: usize| place.line + inner.saturating_sub(1);
            self.inline.skips.extend(outcome.skips.into_iter().map(|skip| Located { line: line(skip.line), ..skip }));
            self.inline
                .held_back
                .extend(outcome.held_back.into_iter().map(|held| HeldBack { line: line(held.line), ..held }));
            self.inline.faults.extend(outcome.faults);
            for applied in outcome.changes {
                if self.rejected.contains(&format!("{name}:{}", applied.group)) {
                    continue;
                }
                self.put_back(service, &name, applied)?;
            }
        }
        Ok(())
    }

    /// Makes a change of an inline Dockerfile in the file around it.
    fn put_back(&mut self, service: usize, name: &str, applied: super::Applied) -> Result<(), Fault> {
        let group = format!("{name}:{}", applied.group);
        let fault = |message: String| Fault::Damage { transform: applied.transform, group: group.clone(), message };
        let place = self.inline_place(service).map_err(|(_, reason)| fault(reason))?;
        let after = applied.edits.apply(&place.text);
        let Parsed::Compose(_, compose) = self.file.as_ref().unwrap_or(self.input.file) else { return Ok(()) };
        let Some(build) = compose.services[service].any_build() else { return Ok(()) };
        let path = below(&build.path, "dockerfile_inline");
        let edit = place.edit(&self.text, &after);
        let set = EditSet::new(&self.text, [edit.clone()]).map_err(|error| fault(error.to_string()))?;
        let text = set.apply(&self.text);
        let effect = Difference::Set { path, value: New::Lines(after.replace('$', "$$")) };
        let old = self.file.as_ref().unwrap_or(self.input.file);
        let effects = [Effect::Data(effect)];
        let file = super::check_read(&self.text, old, &text, &effects).map_err(fault)?;
        let offset = edit.span.start;
        self.steps.push((
            applied.transform,
            Change {
                group,
                title: format!("{} (in the inline Dockerfile of {name})", applied.title),
                reason: applied.reason,
                level: applied.level,
                offset,
                more: Vec::new(),
                edits: vec![edit],
                effects: effects.to_vec(),
                beside: applied.beside,
                shows: None,
            },
            set,
        ));
        self.text = text;
        self.file = Some(file);
        Ok(())
    }

    /// The inline Dockerfile of a service as it stands now; else a line of the file on disk and the reason why it can't be rewritten.
    fn inline_place(&self, service: usize) -> Result<Place, (usize, String)> {
        let Parsed::Compose(stream, compose) = self.file.as_ref().unwrap_or(self.input.file) else {
            return Err((1, "no compose file".to_owned()));
        };
        let service = &compose.services[service];
        let refuse = |offset: usize, reason: &str| (self.line_on_disk(offset), reason.to_owned());
        let Some(build) = service.any_build() else { return Err(refuse(service.offset, "no build")) };
        if let Some(reason) = &build.fixed {
            return Err(refuse(
                build.offset,
                &format!("the inline Dockerfile of `{}` is left alone: {reason}", service.name),
            ));
        }
        let Some(node) = compose::inline(stream, build) else {
            return Err(refuse(build.offset, "its inline Dockerfile comes from a merge key"));
        };
        let NodeKind::Scalar { text: value, style: Style::Literal } = &node.kind else {
            return Err(refuse(
                node.start,
                "the inline Dockerfile is no literal block (`|`), so its lines are not those of the file",
            ));
        };
        if stream.is_aliased(node) {
            return Err(refuse(node.start, "the inline Dockerfile is an anchor that is named elsewhere"));
        }
        if self.text.contains('\r') {
            return Err(refuse(node.start, "the inline Dockerfile stands in a file with CRLF line ends"));
        }
        let start = self.text[..node.span.start].rfind('\n').map_or(0, |at| at + 1);
        let indent = node.span.start - start;
        let single = value.replace("$$", "").contains('$');
        if single {
            return Err(refuse(
                node.start,
                "compose puts a variable (a single `$`) into the inline Dockerfile, so its text is not known; write `$$` for a `$` of the Dockerfile's own",
            ));
        }
        let span = Span::new(start, node.span.end);
        if !span.of(&self.text).ends_with('\n') {
            // Readers of YAML differ in whether its last line then has a line break.
            return Err(refuse(node.start, "the inline Dockerfile ends the file without a line break; add one"));
        }
        let regular = span.of(&self.text).lines().all(|line| line.trim().is_empty() || line.len() > indent);
        let same = span.of(&self.text).lines().map(|line| line.get(indent..).unwrap_or("")).eq(value.lines());
        if !regular || !same {
            return Err(refuse(
                node.start,
                "the lines of the inline Dockerfile could not be told apart from their indentation",
            ));
        }
        Ok(Place { span, indent, line: self.line_on_disk(start), text: value.replace("$$", "$") })
    }
}

impl Place {
    /// The edit that turns the Dockerfile into `after`: the lines that differ, nothing else.
    fn edit(&self, text: &str, after: &str) -> Edit {
        let old: Vec<&str> = self.span.of(text).split_inclusive('\n').collect();
        // With `|-` the last line of the Dockerfile has no line break, and the line of the file has one.
        let before: Vec<&str> = self.text.lines().collect();
        let new: Vec<&str> = after.lines().collect();
        let head = before.iter().zip(&new).take_while(|(left, right)| left == right).count();
        let most = before.len().min(new.len()) - head;
        let tail =
            before.iter().rev().zip(new.iter().rev()).take(most).take_while(|(left, right)| left == right).count();
        let start = self.span.start + old[..head].iter().map(|line| line.len()).sum::<usize>();
        let end = start + old[head..before.len() - tail].iter().map(|line| line.len()).sum::<usize>();
        let spaces = " ".repeat(self.indent);
        let mut lines = String::new();
        for line in &new[head..new.len() - tail] {
            if !line.trim().is_empty() {
                lines.push_str(&spaces);
            }
            lines.push_str(&line.replace('$', "$$"));
            lines.push('\n');
        }
        Edit::replace(Span::new(start, end), lines)
    }
}
