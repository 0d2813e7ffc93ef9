//! What a Dockerfile downloads of models while it is built, and where it leaves them.

use std::collections::BTreeMap;

use super::Service;
use super::launch::Command;
use super::loaders::How;
use super::loads::{Kept, Load};
use super::places::{Folder, Look};
use super::program::Units;
use super::task::Task;
use super::values::{Given, Setting, Text};
use super::versions::Versions;
use crate::facts::{Facts, Run, Variable};
use crate::shell;

/// A model that a RUN downloads.
#[derive(Debug, Clone)]
pub struct Download {
    pub load: Load,
    /// Index into [`Facts::runs`].
    pub run: usize,
    /// The folder that it comes to lie in, if that can be told.
    pub folder: Option<Folder>,
    /// Whether a mount of the RUN holds that folder, so that nothing of it is in the image.
    pub is_mounted: bool,
    /// Whether the program that it runs writes a copy to a folder of its own.
    pub is_saved: bool,
}

/// The downloads of all stages, in order.
pub fn find(service: &Service<'_>, versions: &Versions, units: &Units) -> Vec<Download> {
    let runs = service.facts.runs.iter().enumerate();
    runs.flat_map(|(index, run)| of_run(service, versions, units, index, run)).collect()
}

/// Words without which a RUN downloads no model.
const SIGNS: [&str; 10] = ["python", ".py", "spacy", "nltk", "huggingface", "hf ", "pip", "uv ", "en_core", "_core_"];

fn of_run(service: &Service<'_>, versions: &Versions, units: &Units, index: usize, run: &Run) -> Vec<Download> {
    let Service { facts, path, context, .. } = *service;
    if !SIGNS.iter().any(|sign| run.text.text.contains(sign)) {
        return Vec::new();
    }
    let commands = commands(facts, run);
    let state = &run.state;
    let line = facts.line(run.instruction);
    // Each with whether its program saves models, and the variables that this sets.
    let mut loads: Vec<(Load, bool, BTreeMap<String, Option<String>>)> = Vec::new();
    for words in &commands {
        let direct = direct(words, path, line);
        if !direct.is_empty() {
            loads.extend(direct.into_iter().map(|load| (load, false, BTreeMap::new())));
            continue;
        }
        let environment = state.env.all().into_iter().map(|(name, value)| {
            let value = match value {
                Variable::Known(value) => Some(value.clone()),
                Variable::Argument(default) => default.clone(),
                Variable::Unknown => super::by_arguments(facts, run.stage, name, &service.container.arguments),
            };
            let setting = Setting { value, file: path.into(), line, given: Given::DockerfileEnv };
            (name.to_owned(), setting)
        });
        let task = Task {
            facts,
            path,
            stage: run.stage,
            before: Some(run.instruction),
            context,
            environment: environment.collect(),
            workdir: state.workdir.clone().unwrap_or_default().trim_end_matches('/').to_owned(),
            commands: vec![Command::Words(words.clone())],
        };
        let found = task.run(units, false);
        let (saves, assigned) = (found.saves, found.assigned);
        loads.extend(found.loads.into_iter().map(|load| (load, saves, assigned.clone())));
    }
    let home = state.home();
    let downloads = loads.into_iter().map(|(load, is_saved, assigned)| {
        // What the program sets itself comes before what it is given.
        let variable = |name: &str| {
            let given = || {
                state.env.get(name).map(|value| match value {
                    Variable::Known(value) => Some(value.clone()),
                    Variable::Argument(default) => default.clone(),
                    Variable::Unknown => None,
                })
            };
            assigned.get(name).cloned().or_else(given)
        };
        let look = Look { variable: &variable, home: home.as_deref(), versions };
        let folder = look.folder(&load);
        let is_mounted = folder.as_ref().is_some_and(|folder| {
            let mut mounts =
                run.mounts.iter().filter(|mount| matches!(mount.kind.as_str(), "cache" | "tmpfs" | "bind"));
            mounts.any(|mount| mount.covers(&folder.path))
        });
        Download { load, run: index, folder, is_mounted, is_saved }
    });
    downloads.collect()
}

/// The commands of a RUN, each as its words; a heredoc that Python reads as the text behind `-c`.
fn commands(facts: &Facts<'_>, run: &Run) -> Vec<Vec<String>> {
    let instruction = &facts.file.instructions[run.instruction];
    if let Some(words) = &instruction.json {
        return vec![words.clone()];
    }
    let head = instruction.args();
    let first = head.split_whitespace().find(|word| !word.contains("<<") && *word != "-").unwrap_or("");
    if let ([heredoc], true) = (instruction.heredocs.as_slice(), first.contains("python")) {
        let body = heredoc.body.of(facts.text);
        return vec![vec![first.to_owned(), "-c".to_owned(), body.to_owned()]];
    }
    let environment = |name: &str| run.state.env.known(name);
    let Ok(script) = shell::parse(&run.text.text, false) else { return Vec::new() };
    let value = |word: &shell::ShellWord| {
        let expanded = || shell::expand(&word.raw, &environment).literal();
        word.value.clone().or_else(expanded).unwrap_or_else(|| word.raw.clone())
    };
    script.commands.iter().map(|command| command.words.iter().map(value).collect()).collect()
}

/// The folder of OpenAI's models.
const WHISPER: &str = "/whisper/models/";

/// What tools download that are made for it.
fn direct(words: &[String], path: &str, line: usize) -> Vec<Load> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let load = |library: &str, how: How, id: &str, kept: Kept, revision: Option<String>| Load {
        library: library.to_owned(),
        how,
        id: Text { value: id.to_owned(), file: path.into(), line, given: Given::Literal, variable: None },
        revision,
        path: path.to_owned(),
        line,
        kept,
        is_light: false,
        is_plain: true,
        is_second: false,
        is_fallback: false,
        is_local: false,
        local: None,
        repository: None,
        is_aside: false,
    };
    let name = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let is_python = name.starts_with("python");
    let at =
        |wanted: &[&str]| words.windows(wanted.len()).position(|window| window == wanted).map(|at| at + wanted.len());
    let option = |names: &[&str]| {
        let at = words.iter().position(|word| names.contains(word));
        let joined =
            words.iter().find_map(|word| names.iter().find_map(|name| word.strip_prefix(name)?.strip_prefix('=')));
        joined.or_else(|| words.get(at? + 1).copied())
    };
    if let Some(at) = at(&["spacy", "download"]) {
        let ids = words[at..].iter().filter(|word| !word.starts_with('-'));
        let plain = |id: &&str| {
            let cut = id.rfind('-').filter(|at| id[at + 1..].starts_with(|ch: char| ch.is_ascii_digit()));
            cut.map_or(*id, |at| &id[..at]).to_owned()
        };
        return ids.take(1).map(|id| load("spacy.cli.download", How::Spacy, &plain(id), Kept::Nowhere, None)).collect();
    }
    if let Some(at) = at(&["nltk.downloader"]).filter(|_| is_python) {
        let folder = option(&["-d"]);
        let kept = folder.map_or(Kept::Nowhere, |folder| Kept::At(folder.trim_end_matches('/').to_owned()));
        let ids = words[at..].iter().filter(|word| !word.starts_with('-') && Some(**word) != folder);
        return ids.map(|id| load("nltk.downloader", How::Nltk, id, kept.clone(), None)).collect();
    }
    if let Some(code) = words.iter().find(|word| word.contains(WHISPER)).filter(|_| is_python) {
        // `urlretrieve('…/whisper/models/SUM/NAME.pt', 'FOLDER/NAME.pt')`
        let texts: Vec<&str> = code.split('\'').filter(|text| text.ends_with(".pt")).collect();
        if let [from, to] = texts.as_slice()
            && let (Some((_, file)), Some((folder, _))) = (from.rsplit_once('/'), to.rsplit_once('/'))
        {
            let id = file.trim_end_matches(".pt");
            return vec![load("urllib.request.urlretrieve", How::Whisper, id, Kept::At(folder.to_owned()), None)];
        }
    }
    if matches!(name, "huggingface-cli" | "hf")
        && let Some(at) = at(&["download"])
    {
        // Into a folder of its own, in which no library looks.
        if option(&["--local-dir"]).is_some() {
            return Vec::new();
        }
        let kept =
            option(&["--cache-dir"]).map_or(Kept::Nowhere, |folder| Kept::At(folder.trim_end_matches('/').to_owned()));
        let id = words[at..].iter().find(|word| !word.starts_with('-') && word.contains('/'));
        let revision = option(&["--revision"]).map(str::to_owned);
        return id
            .map(|id| load("huggingface_hub.snapshot_download", How::Hub, id, kept, revision))
            .into_iter()
            .collect();
    }
    let is_pip = matches!(name, "pip" | "pip3" | "uv") || at(&["-m", "pip"]).is_some();
    if is_pip && words.contains(&"install") {
        return words
            .iter()
            .filter_map(|word| spacy_package(word))
            .map(|id| load("spacy", How::Spacy, &id, Kept::Nowhere, None))
            .collect();
    }
    Vec::new()
}

/// The model of spaCy that a requirement installs: `en-core-web-sm @ https://…`, the address of a wheel, or its bare name.
pub fn spacy_package(requirement: &str) -> Option<String> {
    let (name, address) =
        requirement.split_once('@').map_or((requirement, None), |(name, address)| (name, Some(address)));
    let is_address = address.is_none() && requirement.contains("://");
    let name = if is_address { requirement.rsplit('/').next().unwrap_or(requirement) } else { name };
    let end =
        name.find(|ch: char| !(ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.'))).unwrap_or(name.len());
    let name = &name[..end];
    let plain = name.replace('-', "_");
    let cut = plain.match_indices('_').find(|(at, _)| plain[at + 1..].starts_with(|ch: char| ch.is_ascii_digit()));
    let plain = cut.map_or(plain.as_str(), |(at, _)| &plain[..at]);
    let parts: Vec<&str> = plain.split('_').collect();
    let is_model = matches!(parts.as_slice(), [language, "core" | "dep" | "ent", kind, size]
        if language.len() <= 3 && matches!(*kind, "web" | "news" | "wiki" | "sci") && matches!(*size, "sm" | "md" | "lg" | "trf"));
    is_model.then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_of_spacy_are_told_from_other_packages() {
        for (requirement, model) in [
            ("en_core_web_sm", Some("en_core_web_sm")),
            ("en-core-web-sm==3.7.1", Some("en_core_web_sm")),
            (
                "https://github.com/x/releases/download/de_core_news_md-3.7.0/de_core_news_md-3.7.0-py3-none-any.whl",
                Some("de_core_news_md"),
            ),
            ("en-core-web-trf@https://example.com/x.whl", Some("en_core_web_trf")),
            ("spacy", None),
            ("google-cloud-core", None),
        ] {
            assert_eq!(spacy_package(requirement).as_deref(), model, "{requirement}");
        }
    }

    #[test]
    fn tools_that_download_are_read() {
        let found = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            direct(&words, "Dockerfile", 1).into_iter().map(|load| (load.id.value, load.kept)).collect::<Vec<_>>()
        };
        let at = |path: &str| Kept::At(path.to_owned());
        assert_eq!(found("python -m spacy download en_core_web_sm"), [("en_core_web_sm".to_owned(), Kept::Nowhere)]);
        assert_eq!(
            found("python3 -m nltk.downloader -d /usr/share/nltk_data punkt stopwords"),
            [("punkt".to_owned(), at("/usr/share/nltk_data")), ("stopwords".to_owned(), at("/usr/share/nltk_data"))]
        );
        assert_eq!(found("hf download BAAI/bge-m3 --cache-dir /m/"), [("BAAI/bge-m3".to_owned(), at("/m"))]);
        assert_eq!(found("huggingface-cli download a/b --local-dir /x"), []);
    }
}
