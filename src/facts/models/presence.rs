//! Whether a model is in the image where the service looks for it.

use super::downloads::{self, Download};
use super::loaders::How;
use super::loads::Load;
use super::places::{Folder, Kind, Look};
use super::program::Units;
use super::versions::Versions;
use super::{Found, Mounted, Service};
use crate::context::{Entry, join};
use crate::facts::copies::{absolute, relative};
use crate::facts::runs::is_within;

/// What is known of a load.
#[derive(Debug, Clone)]
pub struct Presence {
    /// Where the library looks for the files; none where it can't be told.
    pub folder: Option<Folder>,
    pub state: State,
}

/// Where a model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// In the image, where the service finds it.
    There {
        /// The RUN that downloads it, as an index into the runs; none where it comes otherwise.
        run: Option<usize>,
        how: String,
    },
    /// Downloaded at run time, into a folder that is in the image or is made.
    Missing,
    /// Something is there, and it is of no use.
    Wrong {
        line: usize,
        why: String,
    },
    /// A volume or a folder of the host lies over the place where it is looked for.
    Covered {
        place: String,
        is_bind: bool,
    },
    /// The code says that nothing is fetched, or looks in a folder of its own first.
    Elsewhere(String),
    Unknown(String),
}

impl Presence {
    pub fn is_there(&self) -> bool {
        matches!(self.state, State::There { .. })
    }

    /// One sentence.
    pub fn reason(&self) -> String {
        let at = self.folder.as_ref().map(|folder| format!(" to {}", folder.path)).unwrap_or_default();
        match &self.state {
            State::There { how, .. } => how.clone(),
            State::Missing => format!("downloaded{at} by every new container"),
            State::Wrong { line, why } => format!("line {line} {why}"),
            State::Covered { place, is_bind: true } => {
                format!(
                    "{place} mounts a folder of the host where it is looked for, which hides what the image has there"
                )
            }
            State::Covered { place, is_bind: false } => format!(
                "{place} mounts a volume where it is looked for, which is filled by the first download and then kept"
            ),
            State::Elsewhere(why) | State::Unknown(why) => why.clone(),
        }
    }
}

/// The presence of each load of `found`, in its order.
pub fn of(service: &Service<'_>, found: &Found, versions: &Versions, units: &Units) -> Vec<Presence> {
    if found.loads.is_empty() {
        return Vec::new();
    }
    let downloads = downloads::find(service, versions, units);
    let spacy = service.spacy_requirements();
    let judge = Judge { service, found, versions, downloads: &downloads, spacy: &spacy };
    found.loads.iter().map(|load| judge.presence(load)).collect()
}

struct Judge<'a> {
    service: &'a Service<'a>,
    found: &'a Found,
    versions: &'a Versions,
    downloads: &'a [Download],
    /// Models of spaCy among the requirements.
    spacy: &'a [String],
}

impl Judge<'_> {
    fn presence(&self, load: &Load) -> Presence {
        // What the program sets itself comes before what it is given.
        let variable = |name: &str| self.found.assigned.get(name).cloned().or_else(|| self.service.variable(name));
        let home = self.service.home();
        let folder = Look { variable: &variable, home: home.as_deref(), versions: self.versions }.folder(load);
        let state = self.state(load, folder.as_ref());
        Presence { folder, state }
    }

    fn state(&self, load: &Load, folder: Option<&Folder>) -> State {
        if load.how == How::Spacy {
            return self.of_spacy(load);
        }
        if let Some(saved) = self.downloads.iter().find(|download| download.is_saved && is_same(&download.load, load)) {
            let line = self.line(saved);
            if load.is_second {
                return State::There {
                    run: None,
                    how: format!("line {line} saves it to a folder in which the code looks first"),
                };
            }
        }
        if load.is_local {
            return State::Elsewhere("the code says local_files_only, so it fetches nothing".to_owned());
        }
        let Some(folder) = folder else {
            return State::Unknown(match load.how {
                How::Own => "the library downloads it in a way of its own, which is not followed".to_owned(),
                _ => "where the code keeps it can't be told".to_owned(),
            });
        };
        if let Some(mounted) = self.mounted(&folder.path) {
            return State::Covered { place: mounted.place.clone(), is_bind: mounted.is_bind };
        }
        if let Some(state) = self.downloaded(load, folder) {
            return state;
        }
        if let Some(how) = self.copied(load, folder) {
            return State::There { run: None, how };
        }
        State::Missing
    }

    fn line(&self, download: &Download) -> usize {
        let facts = self.service.facts;
        facts.line(facts.runs[download.run].instruction)
    }

    fn mounted(&self, folder: &str) -> Option<&Mounted> {
        self.service.container.mounts.iter().find(|mounted| is_within(folder, &mounted.target))
    }

    fn of_spacy(&self, load: &Load) -> State {
        let facts = self.service.facts;
        let mine = self.downloads.iter().filter(|download| download.load.how == How::Spacy);
        for download in mine.clone() {
            if download.load.id.value == load.id.value {
                let run = &facts.runs[download.run];
                if facts.descends(self.service.stage, run.stage) || self.is_carried(run.stage) {
                    let how = format!("line {} installs it among the packages", self.line(download));
                    return State::There { run: Some(download.run), how };
                }
            }
        }
        if self.spacy.contains(&load.id.value) {
            return State::There { run: None, how: "the requirements install it".to_owned() };
        }
        match mine.clone().next() {
            Some(other) => State::Wrong {
                line: self.line(other),
                why: format!("installs {} in its place; name the one that is loaded", other.load.id.value),
            },
            None => State::Missing,
        }
    }

    /// Whether packages of a stage are copied into the one that runs.
    fn is_carried(&self, stage: usize) -> bool {
        let facts = self.service.facts;
        facts.copies.iter().any(|copy| {
            let from = copy.from.as_deref().and_then(|name| facts.stage_named(name, copy.stage));
            from.is_some_and(|from| facts.descends(from, stage))
                && facts.descends(self.service.stage, copy.stage)
                && copy.words.as_ref().is_ok_and(|words| {
                    words.sources.iter().any(|source| {
                        ["site-packages", "/usr/local", "venv", "/opt", "/root/.local", "dist-packages"]
                            .iter()
                            .any(|part| source.contains(part))
                    })
                })
        })
    }

    /// What the Dockerfile's own downloads make of it.
    fn downloaded(&self, load: &Load, folder: &Folder) -> Option<State> {
        let facts = self.service.facts;
        let mut wrong: Option<State> = None;
        for download in self.downloads.iter().filter(|download| is_same(&download.load, load)) {
            let line = self.line(download);
            let run = &facts.runs[download.run];
            let Some(place) = &download.folder else { continue };
            let mut lies_in = Vec::new();
            if facts.descends(self.service.stage, run.stage) {
                lies_in.push(place.path.clone());
            }
            lies_in.extend(self.copied_from(run.stage, &place.path));
            if download.is_mounted {
                wrong.get_or_insert(State::Wrong {
                    line,
                    why: format!(
                        "downloads it to {}, which is a cache mount, so it is not in the image: take that mount away",
                        place.path
                    ),
                });
                continue;
            }
            if lies_in.is_empty() {
                wrong.get_or_insert(State::Wrong {
                    line,
                    why: format!("downloads it to {} of a stage from which it is not copied", place.path),
                });
            } else if lies_in.contains(&folder.path) {
                if let Some(why) = self.unreadable(folder) {
                    wrong.get_or_insert(State::Wrong { line, why });
                    continue;
                }
                return Some(State::There {
                    run: Some(download.run),
                    how: format!("line {line} downloads it to {}", folder.path),
                });
            } else {
                wrong.get_or_insert(State::Wrong {
                    line,
                    why: format!(
                        "downloads it to {}, and the service looks in {}{}; say the folder in front of that line",
                        lies_in[0],
                        folder.path,
                        said_by(folder)
                    ),
                });
            }
        }
        if wrong.is_some() {
            return wrong;
        }
        let other = self.downloads.iter().find(|download| {
            let is_used = self.found.loads.iter().any(|load| is_same(&download.load, load));
            download.load.how == load.how
                && !is_used
                && facts.descends(self.service.stage, facts.runs[download.run].stage)
        })?;
        Some(State::Wrong {
            line: self.line(other),
            why: format!("downloads {} in its place; name the one that is loaded", other.load.name()),
        })
    }

    /// Why the user of the container can't read what root downloaded there.
    fn unreadable(&self, folder: &Folder) -> Option<String> {
        let user = self.service.user()?;
        (!user.is_root() && is_within(&folder.path, "/root")).then(|| {
            format!(
                "downloads it to {}, which the user {} can't read; set HF_HOME to a folder of that user in front of it",
                folder.path, user.name
            )
        })
    }

    /// Where a folder of a stage comes to lie in the image that runs.
    fn copied_from(&self, stage: usize, folder: &str) -> Vec<String> {
        let facts = self.service.facts;
        let mut found = Vec::new();
        for copy in &facts.copies {
            let from = copy.from.as_deref().and_then(|name| facts.stage_named(name, copy.stage));
            let is_mine =
                from.is_some_and(|from| facts.descends(from, stage)) && facts.descends(self.service.stage, copy.stage);
            let (true, Ok(words)) = (is_mine, &copy.words) else { continue };
            for source in &words.sources {
                let source = absolute("", source);
                if let Some(rest) = relative(folder, &source) {
                    found.push(absolute(&words.destination, &rest));
                }
            }
        }
        found
    }

    /// Whether files of the build context are copied to where the library looks.
    fn copied(&self, load: &Load, folder: &Folder) -> Option<String> {
        let facts = self.service.facts;
        let name = match folder.kind {
            Kind::HuggingFace => format!("models--{}", load.repository()?.replace('/', "--")),
            Kind::Whisper => format!("{}.pt", load.id.value),
            Kind::SentenceTransformers => load.name().replace('/', "_"),
            _ => return None,
        };
        let path = absolute(&folder.path, &name);
        for copy in
            facts.copies.iter().filter(|copy| copy.from.is_none() && facts.descends(self.service.stage, copy.stage))
        {
            for part in copy.parts(self.service.context).unwrap_or_default() {
                let source = part.source_of(&path);
                let is_there = source.is_some_and(|source| {
                    self.service.context.entry(&source).is_some_and(|entry| entry != Entry::Link)
                });
                if is_there {
                    return Some(format!(
                        "line {} copies it from {}",
                        facts.line(copy.instruction),
                        join(&self.service.context.folder, &part.source)
                    ));
                }
            }
        }
        None
    }
}

fn said_by(folder: &Folder) -> String {
    folder.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default()
}

/// Whether a download brings what a load needs.
fn is_same(download: &Load, load: &Load) -> bool {
    let revision = load.revision.is_none() || load.revision == download.revision;
    match (download.repository(), load.repository()) {
        (Some(left), Some(right)) => left == right && revision && (!download.is_light || load.is_light),
        (None, None) => download.how == load.how && file_of(download) == file_of(load),
        _ => false,
    }
}

/// What a library calls the model where two names mean one file.
fn file_of(load: &Load) -> &str {
    // Source: `_MODELS` in openai-whisper 20250625.
    match (load.how, load.id.value.as_str()) {
        (How::Whisper, "turbo") => "large-v3-turbo",
        (How::Whisper, "large") => "large-v3",
        (_, name) => name,
    }
}
