//! The requirements files of one command: what they say, and where they come from.

use std::collections::BTreeSet;

use crate::context::BuildContext;
use crate::dockerfile::Keyword;
use crate::facts::copies::{absolute, relative};
use crate::facts::requirements::{self, Entry, Requirement};
use crate::facts::runs::Run;
use crate::transform::DockerfileContext;

/// Files that include one another are not followed further.
const DEEPEST: usize = 12;

/// A word of a COPY that brings one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub instruction: usize,
    /// Index of the source among the sources.
    pub source: usize,
}

/// A requirements file with all that it includes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closure {
    /// As the command names it.
    pub shown: String,
    /// Absolute paths in the image: the file itself first, then those that it names, constraints among them.
    pub paths: Vec<String>,
    /// What brings each of them.
    pub pieces: Vec<Piece>,
    pub texts: Vec<String>,
    pub requirements: Vec<Requirement>,
    /// Options for the whole command.
    pub options: Vec<(String, Option<String>)>,
    pub names_constraints: bool,
    /// A requirement that is an address.
    pub remote: Option<String>,
    /// A requirement that needs the sources.
    pub local: Option<String>,
}

impl Closure {
    pub fn names(&self) -> BTreeSet<String> {
        self.requirements.iter().map(|one| one.name.clone()).collect()
    }
}

/// The requirements files that a RUN finds in the image, brought from one build context.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    pub cx: &'a DockerfileContext<'a>,
    pub run: &'a Run,
    pub context: &'a BuildContext<'a>,
}

impl Files<'_> {
    /// Reads the file at `path` of the image, and all that it includes.
    ///
    /// # Errors
    /// A file that is not brought by a COPY that names it, and lines that can't be read.
    pub fn closure(&self, folder: &str, path: &str) -> Result<Closure, String> {
        let mut found = Closure { shown: path.to_owned(), ..Closure::default() };
        self.follow(&absolute(folder, path), path, false, 0, &mut found)?;
        Ok(found)
    }

    /// Adds a file of constraints: its place, not what it says.
    ///
    /// # Errors
    /// As for [`Files::closure`].
    pub fn constraint(&self, folder: &str, path: &str, found: &mut Closure) -> Result<(), String> {
        self.follow(&absolute(folder, path), path, true, 0, found)
    }

    fn follow(
        &self,
        path: &str,
        shown: &str,
        constrains: bool,
        depth: usize,
        found: &mut Closure,
    ) -> Result<(), String> {
        if found.paths.iter().any(|known| known == path) {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err(format!("{shown} includes too many files"));
        }
        if shown.contains("://") {
            return Err(format!("{shown} is not a file of the build context"));
        }
        let (piece, source) = self.origin(path, shown)?;
        let text = self.context.text(&source).ok_or_else(|| format!("{source} can't be read"))?;
        found.paths.push(path.to_owned());
        found.pieces.push(piece);
        let lines = requirements::read(&text);
        found.texts.extend((!constrains).then_some(text));
        for line in lines {
            if line.uses_variable() {
                return Err(format!("line {} of {source} depends on a variable", line.line));
            }
            match line.entry {
                Entry::Include(named) | Entry::Constraint(named) if named.contains("://") => {
                    return Err(format!("{source} names the address of another file"));
                }
                Entry::Include(named) => {
                    let next = requirements::nested(path, &named).unwrap_or(named.clone());
                    self.follow(&absolute("", &next), &named, constrains, depth + 1, found)?;
                }
                Entry::Constraint(named) => {
                    found.names_constraints = true;
                    let next = requirements::nested(path, &named).unwrap_or(named.clone());
                    self.follow(&absolute("", &next), &named, true, depth + 1, found)?;
                }
                Entry::Unreadable(why) => return Err(format!("line {} of {source} can't be read: {why}", line.line)),
                _ if constrains => {}
                Entry::Requirement(one) => found.requirements.push(one),
                Entry::Local(_) | Entry::Editable(_) => found.local = Some(line.text),
                Entry::Remote { .. } => found.remote = Some(line.text),
                Entry::Option { name, value } => found.options.push((name, value)),
            }
        }
        Ok(())
    }

    /// The word of a COPY that brings a file, and where the file lies in the context.
    fn origin(&self, path: &str, shown: &str) -> Result<(Piece, String), String> {
        let Self { cx, run, context } = *self;
        let facts = cx.facts;
        let mut missing = None;
        if let Some(mount) = run.mounts.iter().find(|mount| mount.covers(path)) {
            return Err(format!("{shown} stands under a {} mount, and there is no COPY to split", mount.kind));
        }
        let copies = facts.copies.iter().rev();
        for copy in copies.filter(|copy| copy.instruction < run.instruction && facts.descends(run.stage, copy.stage)) {
            let line = facts.line(copy.instruction);
            if copy.words.as_ref().is_ok_and(|words| relative(path, &words.destination).is_none()) {
                continue;
            }
            if copy.from.is_some() {
                return Err(format!("{shown} may come from another stage or image (line {line})"));
            }
            let parts = match copy.parts(context) {
                Ok(parts) => parts,
                Err(why) => return Err(format!("what line {line} brings can't be told: {why}")),
            };
            let lacks = parts.iter().find(|part| part.is_missing && !part.is_folder && part.target == path);
            if let Some(part) = lacks.filter(|_| missing.is_none()) {
                let why = if context.has_on_disk(&part.source) { ", whose .dockerignore keeps it out" } else { "" };
                let folder = if context.folder == "." { String::new() } else { format!(" {}", context.folder) };
                missing = Some(format!(
                    "{} was not found in the build context{folder}{why}, so that what line {line} brings can't be told",
                    part.source
                ));
            }
            let Some((source, part)) = parts
                .iter()
                .enumerate()
                .rev()
                .find(|(_, part)| part.source_of(path).is_some_and(|source| context.entry(&source).is_some()))
            else {
                continue;
            };
            if part.is_folder {
                return Err(format!(
                    "{shown} comes with a folder (line {line}), any change of which repeats the install; \
                 with a COPY of its own in front it can be split"
                ));
            }
            let words = copy.words.as_ref().map_err(Clone::clone)?;
            if words.sources.len() != parts.len() || words.sources.iter().any(|word| word.contains(['*', '?', '['])) {
                return Err(format!("{shown} comes by a pattern (line {line}), which names all files at once"));
            }
            if copy.stage != run.stage {
                return Err(format!("{shown} comes with a stage that this one is built on (line {line})"));
            }
            let instruction = &facts.file.instructions[copy.instruction];
            if instruction.json.is_some() && words.sources.len() > 1 {
                return Err(format!("{shown} comes by a COPY in JSON form (line {line})"));
            }
            let name = path.rsplit('/').next().unwrap_or(path);
            let between = facts.runs.iter().filter(|other| {
                other.stage == run.stage && (copy.instruction..run.instruction).contains(&other.instruction)
            });
            for other in between.filter(|other| other.text.text.contains(name)) {
                let reads = other.calls().iter().any(|call| call.manager.id == "pip");
                if !reads || other.text.text.contains('>') {
                    return Err(format!("line {} may change {shown}", facts.line(other.instruction)));
                }
            }
            let piece = Piece { instruction: copy.instruction, source };
            return Ok((piece, part.source_of(path).unwrap_or_default()));
        }
        if let Some(missing) = missing {
            return Err(missing);
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let maker = facts.file.instructions[..run.instruction].iter().enumerate().rev();
        let maker = maker.filter(|(_, ins)| matches!(ins.keyword, Keyword::Run | Keyword::Add | Keyword::Copy));
        let maker = maker.map(|(at, ins)| (at, ins.line.text.contains(name))).find(|(_, names)| *names);
        Err(match maker {
            Some((at, _)) => format!("{shown} is made or brought in line {}, which can't be split", facts.line(at)),
            None => format!("no COPY brings {shown} from the build context {}", context.folder),
        })
    }
}
