//! The copies of manifests, and what a .dockerignore lacks beside them.

use super::needs::Needs;
use super::site::{Look, Read, Refusal};
use crate::context::Entry;
use crate::facts::copies::{absolute, relative};
use crate::facts::sources::Brought;

impl Look<'_, '_> {
    /// The manifests that the copies which move must bring before: for each of these the instructions in its place.
    pub fn inserted(&self, reads: &[Read<'_>], moving: &[&Brought<'_>]) -> Result<Vec<Vec<String>>, Refusal> {
        let mut all = Vec::with_capacity(moving.len());
        for brought in moving {
            let mut groups: Vec<(String, Vec<&Read<'_>>)> = Vec::new();
            let mut instructions = Vec::new();
            for read in reads.iter().filter(|read| read.brought.copy.instruction == brought.copy.instruction) {
                if self.is_there_already(read, moving) {
                    continue;
                }
                if self.context.is_left_out_of_git(&read.source) {
                    return Err(Refusal::Reason(format!(
                        "it reads {}, which is not in git, so a COPY of it fails wherever it is missing",
                        read.source
                    )));
                }
                let plain = |ch: char| ch.is_ascii_alphanumeric() || "._-/@+".contains(ch);
                if !read.source.chars().all(plain) {
                    return Err(Refusal::Reason(format!("the name {} needs quotes in a COPY", read.source)));
                }
                let (folder, name) = read.path.rsplit_once('/').unwrap_or(("", &read.path));
                let is_folder = self.context.entry(&read.source) == Some(Entry::Folder);
                if is_folder || read.source.rsplit('/').next() != Some(name) {
                    instructions.push(self.copy(brought, &[&read.source], &read.path, is_folder)?);
                    continue;
                }
                match groups.iter_mut().find(|(known, _)| known == folder) {
                    Some((_, group)) => group.push(read),
                    None => groups.push((folder.to_owned(), vec![read])),
                }
            }
            let grouped = groups.iter().map(|(folder, group)| {
                let names: Vec<&str> = group.iter().map(|read| read.source.as_str()).collect();
                self.copy(brought, &names, folder, true)
            });
            let grouped: Vec<String> = grouped.collect::<Result<_, _>>()?;
            all.push(grouped.into_iter().chain(instructions).collect());
        }
        Ok(all)
    }

    /// Whether a copy that stays in front brings the same file to the same place.
    fn is_there_already(&self, read: &Read<'_>, moving: &[&Brought<'_>]) -> bool {
        let first = moving.first().map_or(0, |brought| brought.copy.instruction);
        let mut before = self.sources.copies.iter().filter(|brought| brought.copy.instruction < first);
        let last = before.rfind(|brought| {
            let is_closed = brought.copy.from.is_some() || brought.unread.is_some();
            let covers = |destination: &String| relative(&read.path, destination).is_some();
            brought.parts.iter().any(|part| part.source_of(&read.path).is_some())
                || is_closed && brought.copy.destination.as_ref().is_none_or(covers)
        });
        let source = |brought: &Brought<'_>| brought.parts.iter().rev().find_map(|part| part.source_of(&read.path));
        last.and_then(source).is_some_and(|source| source == read.source)
    }

    /// A COPY like another one, of a few files.
    fn copy(&self, like: &Brought<'_>, names: &[&str], target: &str, is_folder: bool) -> Result<String, Refusal> {
        let instruction = self.instruction(like.copy.instruction);
        let text = self.cx.facts.text;
        let words = like.copy.words.as_ref().map_err(|reason| Refusal::Reason(reason.clone()))?;
        let raw = &words.raw_destination;
        if raw.contains(['"', '\'', '\\', '`', ' ']) {
            return Err(Refusal::Reason(format!("the destination {raw} stands in quotes")));
        }
        let outside = || Refusal::Reason(format!("{target} lies outside of {raw}"));
        let rest = relative(target, &words.destination).ok_or_else(outside)?;
        let base = match raw.trim_end_matches('/') {
            "" => "/".to_owned(),
            raw => format!("{raw}/"),
        };
        let destination = match (rest.as_str(), is_folder) {
            (".", _) => base,
            (rest, true) => format!("{base}{rest}/"),
            (rest, false) => format!("{base}{rest}"),
        };
        let keyword = instruction.keyword_span.of(text);
        let keyword = if keyword.chars().all(|ch| ch.is_ascii_lowercase()) { "copy" } else { "COPY" };
        let flags: String = instruction.flags.iter().map(|flag| format!(" {}", flag.span.of(text))).collect();
        Ok(format!("{keyword}{flags} {} {destination}", names.join(" ")))
    }

    /// Checks that nothing that an install writes can be overwritten by the copies that move behind it; gives what the .dockerignore
    /// lacks for that.
    pub fn ignored(
        &self,
        needs: &Needs<'_>,
        moving: &[&Brought<'_>],
    ) -> Result<Option<(String, Vec<String>)>, Refusal> {
        let writes = needs
            .installs
            .iter()
            .flat_map(|needed| needed.install.writes.iter().map(move |path| absolute(&needed.folder, path)));
        let mut patterns: Vec<String> = Vec::new();
        // A folder above the sources is none that only the install writes.
        let named = self.named_by_variables().into_iter().map(|(_, path)| path);
        let named = named.filter(|path| {
            moving.iter().flat_map(|brought| &brought.parts).all(|part| relative(&part.target, path).is_none())
        });
        for path in writes.chain(needs.makes.iter().cloned()).chain(named) {
            for part in moving.iter().flat_map(|brought| &brought.parts) {
                if relative(&part.target, &path).is_some() {
                    return Err(Refusal::Reason(format!(
                        "the install writes {path}, and the sources are copied there"
                    )));
                }
                let Some(source) = part.source_of(&path) else { continue };
                // Nothing lies where its folder isn't.
                let is_nowhere = source.rsplit_once('/').is_some_and(|(parent, _)| !self.context.has_on_disk(parent));
                if is_nowhere || self.context.ignore.excludes_whole(&source) {
                    continue;
                }
                if self.context.ignore.excludes(&source) {
                    return Err(Refusal::Reason(format!(
                        "{} keeps {source} out but for something in it, which would lie over what the install writes",
                        self.context.ignore_path
                    )));
                }
                if self.context.has_on_disk(&source) {
                    return Err(Refusal::Reason(format!(
                        "{source} is in the build context, and its copy would lie over what the install writes"
                    )));
                }
                patterns.push(source);
            }
        }
        if patterns.is_empty() {
            return Ok(None);
        }
        if self.context.ignore_is_link {
            return Err(Refusal::Reason(format!(
                "{} is a link, so that what it would have to keep out can't be added to it",
                self.context.ignore_path
            )));
        }
        patterns.sort();
        patterns.dedup();
        self.may_ignore(&patterns)?;
        Ok(Some((self.context.ignore_path.clone(), patterns)))
    }

    /// Whether no Dockerfile with this context copies what would be kept out.
    fn may_ignore(&self, patterns: &[String]) -> Result<(), Refusal> {
        for pattern in patterns {
            if pattern.contains(['*', '?', '[', '\\', '!', '#']) || pattern.trim() != pattern {
                return Err(Refusal::Reason(format!("{pattern} can't be written into a .dockerignore as it is")));
            }
            let names = |source: &String| {
                let path = absolute("", source);
                relative(&path, &absolute("", pattern)).is_some()
            };
            let reader = self.cx.project.graph.dockerfiles.iter().find(|(_, image)| image.copied.iter().any(names));
            if let Some((path, _)) = reader {
                return Err(Refusal::Reason(format!(
                    "the install writes {pattern}, which the .dockerignore doesn't keep out and {path} copies"
                )));
            }
        }
        Ok(())
    }
}
