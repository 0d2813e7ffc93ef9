//! A stage of the Dockerfile that runs, the models that it lacks, and where everything goes.

use super::wanted::{Key, Wanted, is_missing};
use crate::dockerfile::Keyword;
use crate::facts::models::How;
use crate::facts::models::places::Kind;
use crate::facts::models::presence::State;
use crate::facts::models::versions::Versions;
use crate::facts::runs::is_within;
use crate::facts::{Base, Facts, User};
use crate::project::models::ServiceModels;
use crate::transform::DockerfileContext;

/// The stage that gets the models.
pub struct Site<'a> {
    pub facts: &'a Facts<'a>,
    /// The stage that is built and run.
    pub stage: usize,
    /// The stage whose instructions get the copy: it, or one that it is built on.
    pub target: usize,
    pub wanted: Vec<Wanted>,
    pub versions: Versions,
    /// The instruction that the copy comes in front of.
    pub before: usize,
    /// RUNs that download models behind an install, and find them from now on.
    pub repeated: Vec<usize>,
    pub user: Option<User>,
    /// What FROM names, with its flags, as written.
    pub base: Vec<String>,
    pub name: String,
    /// A mirror that the service is told of.
    pub endpoint: Option<String>,
    /// Options of pip that name an index.
    pub index: Vec<String>,
    /// Whether a token is at hand for the download.
    pub has_token: bool,
    /// Whether every load of every service was resolved.
    pub is_whole: bool,
}

impl<'a> Site<'a> {
    /// `services`: those that run `stage`.
    ///
    /// # Errors
    /// Why nothing is added.
    pub fn find(cx: &DockerfileContext<'a>, stage: usize, services: &[&ServiceModels]) -> Result<Option<Self>, String> {
        let facts = cx.facts;
        let Some(first) = services.first() else { return Ok(None) };
        let user = first.container.user(facts, stage);
        let mut sets: Vec<(Vec<Wanted>, Vec<usize>)> = Vec::new();
        for service in services {
            if service.container.user(facts, stage) != user {
                return Err("the services that use it run as different users".to_owned());
            }
            sets.push(wanted(facts, stage, service));
        }
        let keys = |set: &[Wanted]| set.iter().map(Wanted::key).collect::<Vec<Key>>();
        let (set, repeated) = sets[0].clone();
        if let Some(other) = sets.iter().position(|(other, _)| keys(other) != keys(&set)) {
            return Err(format!(
                "{} and {} are built from it and load different models, so that one image can't hold those of each; give each a build target of its own",
                called(first),
                called(services[other])
            ));
        }
        if set.is_empty() {
            return Ok(None);
        }
        let variable = |name: &str| first.container.variable(facts, stage, name);
        let has_token = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN", "HUGGINGFACEHUB_API_TOKEN"]
            .iter()
            .any(|name| variable(name).is_some());
        let (target, before) = place(cx, stage, services, &repeated, user.as_ref())?;
        check_numbers(cx, facts, target)?;
        let is_whole = services.iter().all(|service| service.found.unresolved.is_empty());
        Ok(Some(Self {
            facts,
            stage,
            target,
            wanted: set,
            versions: first.versions.clone(),
            before,
            repeated,
            user,
            base: base(facts, stage),
            name: free_name(facts),
            endpoint: variable("HF_ENDPOINT").flatten(),
            index: index_options(facts, stage),
            has_token,
            is_whole,
        }))
    }
}

fn called(service: &ServiceModels) -> String {
    service.compose.as_ref().map_or_else(|| "the image".to_owned(), |(_, name)| name.clone())
}

/// What a service needs, sorted, and the RUNs that download it behind an install.
fn wanted(facts: &Facts<'_>, stage: usize, service: &ServiceModels) -> (Vec<Wanted>, Vec<usize>) {
    let mut found: Vec<Wanted> = Vec::new();
    let mut repeated: Vec<usize> = Vec::new();
    for (load, presence) in service.found.loads.iter().zip(&service.presence) {
        let Some(folder) = &presence.folder else { continue };
        let from = match &presence.state {
            State::There { run: Some(run), .. } if is_repeated(facts, stage, service, *run) => Some(*run),
            _ if is_missing(load, presence) => None,
            _ => continue,
        };
        // Why not is told by the transform.
        let Ok(mut wanted) = Wanted::of(load, folder, &service.versions) else { continue };
        if has_its_download(facts, &wanted) {
            continue;
        }
        if let Some(run) = from {
            // It stays where the Dockerfile has it.
            wanted.folder.by.get_or_insert_with(|| "the Dockerfile".to_owned());
            if !repeated.contains(&run) {
                repeated.push(run);
            }
        }
        match found.iter_mut().find(|known| known.key() == wanted.key()) {
            Some(known) => known.join(&wanted),
            None => found.push(wanted),
        }
    }
    found.sort_by_key(Wanted::key);
    repeated.sort_unstable();
    (found, repeated)
}

/// Whether a RUN holds the very statement that a stage would: what it gives is then not seen as it is, and another one would not be either.
fn has_its_download(facts: &Facts<'_>, wanted: &Wanted) -> bool {
    let statements = wanted.statements(&wanted.moved().0);
    statements.last().is_some_and(|last| facts.runs.iter().any(|run| run.text.text.contains(last.as_str())))
}

/// Whether a RUN of the stage downloads models of the hub that the service loads, behind an install.
fn is_repeated(facts: &Facts<'_>, stage: usize, service: &ServiceModels, run: usize) -> bool {
    let place = &facts.runs[run];
    let own: Vec<_> = service
        .found
        .loads
        .iter()
        .zip(&service.presence)
        .filter(|(_, presence)| matches!(presence.state, State::There { run: Some(other), .. } if other == run))
        .collect();
    let is_of_hub = own.iter().all(|(load, presence)| {
        matches!(load.how, How::Hub | How::SentenceTransformers | How::FasterWhisper)
            && presence.folder.as_ref().is_some_and(|folder| folder.kind == Kind::HuggingFace)
    });
    let is_behind_install =
        facts.runs[..run].iter().any(|other| facts.descends(stage, other.stage) && !other.calls().is_empty());
    facts.descends(stage, place.stage) && is_of_hub && is_behind_install
}

/// The image that the service's Python comes from, as FROM names it, or one with the same Python.
fn base(facts: &Facts<'_>, stage: usize) -> Vec<String> {
    let root = facts.ancestors(stage).last().copied().unwrap_or(stage);
    let Base::Image(image) = &facts.stages[root].base else { return vec!["python:3.12-slim".to_owned()] };
    let from = &facts.file.instructions[facts.stages[root].from];
    let name = image.reference.split('@').next().unwrap_or("");
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.split(':').next() == Some("python") {
        let mut words: Vec<String> = from.flags.iter().map(|flag| flag.text.clone()).collect();
        words.extend(from.words(facts.file.escape).first().map(|word| word.raw.clone()));
        return words;
    }
    // `uv:python3.12-bookworm-slim`, `miniconda3`, `cuda:12.1-runtime`: any Python downloads the same files.
    let version = name.split("python").nth(1).map(|rest| {
        let rest = rest.trim_start_matches(['-', ':']);
        rest.chars().take_while(|ch| ch.is_ascii_digit() || *ch == '.').collect::<String>()
    });
    let version =
        version.map(|version| version.trim_end_matches('.').to_owned()).filter(|version| version.starts_with("3."));
    vec![format!("python:{}-slim", version.as_deref().unwrap_or("3.12"))]
}

fn free_name(facts: &Facts<'_>) -> String {
    let is_taken = |name: &str| {
        facts.stages.iter().any(|stage| stage.name.as_deref() == Some(name))
            || facts.copies.iter().any(|copy| copy.from.as_deref() == Some(name))
    };
    let names = ["models", "model-files", "downloaded-models"];
    names.iter().find(|name| !is_taken(name)).map_or_else(|| "restow-models".to_owned(), |name| (*name).to_owned())
}

/// Where the copy comes: in front of the copy of the code that loads the models, so that no change of the code repeats it.
fn place(
    cx: &DockerfileContext<'_>,
    stage: usize,
    services: &[&ServiceModels],
    repeated: &[usize],
    user: Option<&User>,
) -> Result<(usize, usize), String> {
    let facts = cx.facts;
    let chain = facts.ancestors(stage);
    let mut before: Option<(usize, usize)> = None;
    if let Some(run) = repeated.first() {
        let run = &facts.runs[*run];
        before = Some((run.stage, run.instruction));
    }
    if before.is_none() {
        let contexts = cx.project.build_contexts(cx.path)?;
        let mut copies: Vec<_> = facts.copies.iter().filter(|copy| chain.contains(&copy.stage)).collect();
        copies.sort_by_key(|copy| copy.instruction);
        let loads: Vec<&str> =
            services.iter().flat_map(|service| &service.found.loads).map(|load| load.path.as_str()).collect();
        for copy in copies {
            let brings = match &copy.from {
                Some(_) => copy.words.as_ref().is_ok_and(|words| {
                    // Code that another stage has prepared.
                    let folder = facts.stages[stage].end.workdir.as_deref().unwrap_or("/");
                    is_within(&words.destination, folder) || words.destination.is_empty()
                }),
                None => contexts.contexts.iter().any(|context| {
                    copy.parts(context).unwrap_or_default().iter().any(|part| {
                        let source = crate::context::join(&context.folder, &part.source);
                        loads.iter().any(|path| {
                            *path == source
                                || source == "."
                                || path.strip_prefix(&source).is_some_and(|rest| rest.starts_with('/'))
                        })
                    })
                }),
            };
            if brings {
                before = Some((copy.stage, copy.instruction));
                break;
            }
        }
    }
    // Without such a copy: at the end of what is built, in front of what only says how it is run.
    let (target, mut at) = before.unwrap_or_else(|| {
        let instructions = facts.stages[stage].instructions.clone();
        let keywords = [Keyword::Cmd, Keyword::Entrypoint, Keyword::Expose, Keyword::Healthcheck, Keyword::User];
        let first = instructions.clone().skip(1).find(|at| keywords.contains(&facts.file.instructions[*at].keyword));
        (stage, first.unwrap_or(instructions.end))
    });
    // A name of a user is known only behind the RUN that makes it.
    if let Some(user) = user.filter(|user| user.uid.is_none()) {
        let maker = facts.runs.iter().filter(|run| run.stage == target).find(|run| {
            run.commands()
                .iter()
                .any(|command| crate::facts::users::created(command).is_some_and(|made| made.name == user.name))
        });
        match maker {
            Some(maker) => at = at.max(maker.instruction + 1),
            None => {
                let is_there = facts.stages[target].end.users.iter().any(|known| known.name == user.name);
                if !is_there {
                    return Err(format!("the user {} has no number, and where it is made can't be told", user.name));
                }
            }
        }
    }
    if at >= facts.file.instructions.len() {
        return Err("there is no place in front of an instruction for the copy".to_owned());
    }
    if facts.file.instructions.iter().any(|instruction| instruction.is_open) {
        return Err("the file ends in its continuation character".to_owned());
    }
    Ok((target, at))
}

/// # Errors
/// Something counts the stages behind which a new one comes.
fn check_numbers(cx: &DockerfileContext<'_>, facts: &Facts<'_>, target: usize) -> Result<(), String> {
    let is_shifted = |name: &str| name.parse::<usize>().is_ok_and(|index| index >= target);
    let by_copy = facts.copies.iter().find(|copy| copy.from.as_deref().is_some_and(is_shifted));
    if let Some(copy) = by_copy {
        let line = facts.line(copy.instruction);
        return Err(format!(
            "line {line} names a stage by its number, which a new stage in front of it would change; give that stage a name"
        ));
    }
    let by_mount =
        facts.runs.iter().find(|run| run.mounts.iter().any(|mount| mount.from.as_deref().is_some_and(is_shifted)));
    if let Some(run) = by_mount {
        let line = facts.line(run.instruction);
        return Err(format!(
            "line {line} names a stage by its number, which a new stage in front of it would change; give that stage a name"
        ));
    }
    let by_target =
        cx.project.graph.builds.iter().find(|build| {
            build.dockerfile.as_deref() == Some(cx.path) && build.target.as_deref().is_some_and(is_shifted)
        });
    match by_target {
        Some(build) => {
            Err(format!("{}:{} names its target by a number, which a new stage would change", build.file, build.line))
        }
        None => Ok(()),
    }
}

/// Options of pip that name an index, where every install of the service has the same: what some of them get from elsewhere, such as
/// builds of PyTorch, is no index for all.
fn index_options(facts: &Facts<'_>, stage: usize) -> Vec<String> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for run in facts.runs.iter().filter(|run| facts.descends(stage, run.stage)) {
        for call in run.calls().iter().filter(|call| call.manager.id == "pip" && call.verb_text == "install") {
            let words: Vec<&str> =
                run.commands()[call.command].words.iter().map(|word| word.value.as_deref().unwrap_or("$")).collect();
            let mut found = Vec::new();
            for (at, word) in words.iter().enumerate() {
                let takes = matches!(*word, "-i" | "--index-url" | "--trusted-host");
                let joined = word.starts_with("--index-url=") || word.starts_with("--trusted-host=");
                if takes && let Some(value) = words.get(at + 1) {
                    found.push(format!("{word} {value}"));
                } else if joined {
                    found.push((*word).to_owned());
                }
            }
            all.push(found);
        }
    }
    let first = all.first().cloned().unwrap_or_default();
    let is_of_all = !first.is_empty() && all.iter().all(|other| *other == first);
    if is_of_all && !first.iter().any(|option| option.contains(['$', '(']) || option.contains("pytorch")) {
        return first;
    }
    let url = facts.stages[stage].end.env.known("PIP_INDEX_URL");
    url.map(|url| vec![format!("--index-url {url}")]).unwrap_or_default()
}
