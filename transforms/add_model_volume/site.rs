//! A cache directory of a service that gets a volume.

use super::ID;
use super::files::Files;
use super::loads::{Directory, Loading};
use super::mounts;
use super::names::{Chosen, Names};
use crate::edit::Edit;
use crate::facts::compose::edits::{NewMount, is_plain_path};
use crate::facts::copies::relative;
use crate::text::Span;
use crate::transform::{Beside, Change, ComposeContext, Effect, Findings, Level};

/// A cache directory that gets a volume.
pub struct Site<'a> {
    cx: &'a ComposeContext<'a>,
    loading: &'a Loading,
    directory: &'a Directory,
    /// Relative to the root of the project.
    target: String,
    exists: bool,
    chosen: Chosen,
    /// Whether the file at hand is the one below a file that is still to be made.
    is_below: bool,
}

impl<'a> Site<'a> {
    /// All the rejections but those of the place in the file.
    pub fn find(
        cx: &'a ComposeContext<'a>,
        loading: &'a Loading,
        directory: &'a Directory,
        files: &Files,
        names: &mut Names,
    ) -> Result<Self, String> {
        let path = &directory.path;
        if is_ignored(cx, files, &loading.service) {
            return Err("a comment says restow: ignore".to_owned());
        }
        if !is_plain_path(path) {
            return Err(format!("its model cache {path} can't be written as a mount"));
        }
        let hides = format!("a volume on {path}, filled from the image once, would hide what later images bring there");
        if let Some(what) = &directory.in_image {
            return Err(format!("{what}, and {hides}"));
        }
        let into = |target: &str| relative(target, path).is_some();
        if let Some((other, what)) = loading.others.iter().find(|(other, _)| into(other)) {
            return Err(format!(
                "its models are kept in {path}, which has more in it ({other} is {what}), and a volume would hide that; keep them in a directory of their own"
            ));
        }
        if let Some((target, place)) = loading.copies.iter().find(|(target, _)| into(target)) {
            return Err(format!("{place} copies files to {target}, and {hides}"));
        }
        if let Some(reason) = mounts::of(cx, files, &loading.service).against(path) {
            return Err(reason);
        }
        if !directory.is_owned {
            let (who, name) = match &loading.user {
                Some(user) => (format!("it runs as `{}`", user.name), user.name.as_str()),
                None => ("it is not known as whom it runs".to_owned(), "USER"),
            };
            return Err(format!(
                "{who}, and its image does not give {path} to that user, so that a fresh volume would belong to root and could not be written; add `RUN mkdir -p {path} && chown {name} {path}` to {} in front of USER",
                loading.dockerfile
            ));
        }
        if let Some(variable) = offline(cx, files, &loading.service) {
            return Err(format!("{variable} tells it to download nothing, so there is nothing to keep"));
        }
        let target = files.target.as_ref().map_err(Clone::clone)?;
        let chosen =
            names.choose(directory.kind, loading).ok_or("every name for its volume is in use for something else")?;
        let is_below = cx.path == files.base && !target.exists;
        Ok(Self { cx, loading, directory, target: target.path.clone(), exists: target.exists, chosen, is_below })
    }

    /// Proposes the change where it belongs: in the file that takes the volume; in the compose file below it, where that is still to be made.
    pub fn report(self, out: &mut Findings) {
        let mount = NewMount {
            service: self.loading.service.clone(),
            volume: self.chosen.volume.clone(),
            target: self.directory.path.clone(),
            is_declared: !self.chosen.is_declared,
        };
        if self.exists && self.cx.path == self.target {
            match mount.add(self.cx.text, self.cx.stream) {
                Ok(addition) => {
                    let effects = addition.differences.into_iter().map(Effect::Data).collect();
                    out.changes.push(self.change(addition.offset, addition.edits, effects, Vec::new()));
                }
                Err(reason) => {
                    let reason = format!("`{}` gets no volume for its model cache: {reason}", self.loading.service);
                    out.skip(Span::at(self.offset()), reason);
                }
            }
        } else if self.is_below {
            let beside = vec![Beside::Mount { path: self.target.clone(), mount }];
            out.changes.push(self.change(self.offset(), Vec::new(), Vec::new(), beside));
        }
    }

    /// Where the service stands in the file at hand; where it does not, the first one.
    fn offset(&self) -> usize {
        let mut services = self.cx.compose.services.iter();
        let own = services.clone().find(|service| service.name == self.loading.service);
        own.or_else(|| services.next()).map_or(0, |service| service.offset)
    }

    fn change(&self, offset: usize, edits: Vec<Edit>, effects: Vec<Effect>, beside: Vec<Beside>) -> Change {
        let (service, path) = (&self.loading.service, &self.directory.path);
        let place = if self.exists { String::new() } else { format!(" ({})", self.target) };
        Change {
            group: format!("{ID}:{service}:{path}"),
            title: format!("Keep {path} of `{service}` in the volume {}{place}", self.chosen.volume),
            reason: self.reason(),
            level: Level::Review,
            offset,
            more: Vec::new(),
            edits,
            effects,
            beside,
            shows: None,
        }
    }

    fn reason(&self) -> String {
        let models = &self.directory.models;
        let more = models.len().saturating_sub(2);
        let mut listed = models[..models.len() - more].join(" and ");
        if more > 0 {
            listed = format!("{} and {more} more", listed.replace(" and ", ", "));
        }
        let shared = match self.chosen.shared.as_slice() {
            [] => String::new(),
            others => format!(", together with `{}`", others.join("`, `")),
        };
        format!(
            "every new container downloads {listed} again, and the volume keeps that on this machine{shared}; image builds, hosted CI and production gain nothing; remove the volume once the image brings models to {} itself, because it would hide them",
            self.directory.path
        )
    }
}

/// Whether a comment in one of the files speaks for the service. The file that the change is in is looked at with the change.
fn is_ignored(cx: &ComposeContext<'_>, files: &Files, service: &str) -> bool {
    let is_target = files.target.as_ref().is_ok_and(|target| target.path == cx.path);
    files.loaded(cx).iter().any(|(file, compose)| {
        let mut here = compose.services.iter().filter(|other| other.name == service);
        !(is_target && *file == cx.path)
            && (compose.ignores.whole_file.is_some() || here.any(|service| compose.ignores.holds(service.offset, ID)))
    })
}

/// The variable that keeps a service from downloading, if one does.
fn offline(cx: &ComposeContext<'_>, files: &Files, service: &str) -> Option<&'static str> {
    let runtime = cx.project.runtime(&files.base, service)?;
    ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].into_iter().find(|name| {
        let set = runtime.environment.iter().find(|variable| variable.name == *name);
        let value = set.and_then(|variable| variable.value.known()).unwrap_or_default().to_ascii_uppercase();
        matches!(value.as_str(), "1" | "ON" | "YES" | "TRUE")
    })
}
