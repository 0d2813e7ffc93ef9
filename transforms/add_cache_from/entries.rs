//! Which entries a mode writes, and what they gain and cost.

use crate::config::{CacheMode, CacheSettings};
use crate::facts::bases;
use crate::facts::compose::{entry_reference, entry_type};
use crate::facts::interpolation::interpolate;
use crate::project::graph::{Build, By, Graph, Pushed, canonical, parent};
use crate::project::{Builder, Project};

/// What one service or target reads and writes.
pub struct Entries {
    pub mode: CacheMode,
    /// As written: the image, the cache's reference, or the folder.
    pub place: String,
    /// The place with variables at their defaults.
    pub known: String,
    pub cache_from: Vec<String>,
    pub cache_to: Vec<String>,
}

/// Who would get the entries.
pub struct Subject<'a> {
    /// The service or target.
    pub name: &'a str,
    /// The image, as written in the file's own language; none where there is none.
    pub image: Option<&'a str>,
    /// The image with variables at their defaults, or why there is none to name.
    pub resolved: Result<String, String>,
    /// Of the Dockerfile it is built from, relative to the root.
    pub dockerfile: Option<&'a str>,
}

/// The entries for a subject.
///
/// # Errors
/// Why there are none, with the remedy.
pub fn find(subject: &Subject<'_>, project: &Project) -> Result<Entries, String> {
    let settings = &project.settings.cache;
    let mode = settings.mode(subject.name);
    let why = || project.builder_reason().unwrap_or_default();
    match (project.builder(), mode) {
        (_, CacheMode::Off) => return Err("its cache mode is off".to_owned()),
        (Builder::Kaniko, _) => {
            return Err(format!("{}, which reads no `cache_from`; it has `--cache` and `--cache-repo`", why()));
        }
        (Builder::Podman, _) => {
            return Err(format!(
                "{}, whose `--cache-from` takes a repository without a tag and no inline record",
                why()
            ));
        }
        (Builder::Classic, CacheMode::Classic) => {}
        (Builder::Classic, _) => {
            return Err(format!(
                "{}, which reads `cache_from: [IMAGE]` and nothing else; use --cache-mode classic",
                why()
            ));
        }
        _ => {}
    }
    if mode == CacheMode::Local || mode == CacheMode::Registry && settings.registry(subject.name).is_some() {
        if !is_component(subject.name) {
            return Err("its name can't stand in an image reference; use mode inline".to_owned());
        }
    } else {
        let resolved = subject.resolved.as_ref().map_err(Clone::clone)?;
        check_image(resolved, subject, project)?;
    }
    let resolved = subject.resolved.clone().unwrap_or_default();
    let mut entries = entries(mode, settings, subject.name, subject.image.unwrap_or(""))?;
    if mode == CacheMode::Registry && settings.registry(subject.name).is_none() {
        if !resolved.contains('/') {
            return Err(no_registry(&resolved));
        }
        if canonical(&resolved) == canonical(&format!("{}:buildcache", repository(&resolved)?)) {
            return Err(
                "its image has the tag `buildcache` already, which its cache would overwrite; set cache.registry"
                    .to_owned(),
            );
        }
        entries.known = format!("{}:buildcache", repository(&resolved)?);
    } else if matches!(mode, CacheMode::Inline | CacheMode::Classic) {
        entries.known = resolved;
    }
    Ok(entries)
}

fn no_registry(image: &str) -> String {
    format!(
        "`{image}` names no registry, so a cache beside it would go to Docker Hub's own images, where nobody can push; set cache.registry, or give the image its registry"
    )
}

/// The variable by which a tag changes with every build, as far as its name tells.
pub fn changing(image: &str) -> Option<String> {
    let names = image
        .split("${")
        .skip(1)
        .map(|rest| rest.chars().take_while(|ch| ch.is_ascii_alphanumeric() || *ch == '_').collect::<String>());
    const WORDS: [&str; 10] = [
        "SHA",
        "COMMIT",
        "BUILD_NUMBER",
        "BUILD_ID",
        "BUILD_NUM",
        "RUN_ID",
        "RUN_NUMBER",
        "DATE",
        "TIMESTAMP",
        "PIPELINE_ID",
    ];
    names.into_iter().find(|name| {
        let upper = name.to_ascii_uppercase();
        WORDS.iter().any(|word| {
            upper == *word || upper.ends_with(&format!("_{word}")) || upper.starts_with(&format!("{word}_"))
        })
    })
}

/// What `mode` writes for a service, without a look at anything else.
pub fn entries(mode: CacheMode, settings: &CacheSettings, name: &str, image: &str) -> Result<Entries, String> {
    let (place, cache_from, cache_to) = match mode {
        CacheMode::Off => return Err("its cache mode is off".to_owned()),
        CacheMode::Inline => (image.to_owned(), image.to_owned(), vec!["type=inline".to_owned()]),
        CacheMode::Classic => (image.to_owned(), image.to_owned(), Vec::new()),
        CacheMode::Registry => {
            let reference = match settings.registry(name) {
                Some(registry) => format!("{registry}/{name}:buildcache"),
                None => format!("{}:buildcache", repository(image)?),
            };
            let entry = format!("type=registry,ref={reference}");
            (reference, entry.clone(), vec![format!("{entry},mode=max")])
        }
        CacheMode::Local => {
            let folder = format!("{}/{name}", settings.directory());
            (folder.clone(), format!("type=local,src={folder}"), vec![format!("type=local,dest={folder},mode=max")])
        }
    };
    Ok(Entries { mode, known: interpolate(&place).text, place, cache_from: vec![cache_from], cache_to })
}

/// Whether an image can be named as a cache at all.
fn check_image(image: &str, subject: &Subject<'_>, project: &Project) -> Result<(), String> {
    if image.contains('@') {
        return Err(format!(
            "`{image}` names one finished image by its digest, which no build can be given; use a tag"
        ));
    }
    if !is_reference(image) {
        return Err(format!(
            "its image comes out as `{image}` when no variable is set, which is no image; give its variables defaults, and its name lower case"
        ));
    }
    if is_base(image, subject.dockerfile, &project.graph) {
        return Err(format!(
            "`{image}` is a base image, which carries no record of this build; give `image` a name of your own"
        ));
    }
    Ok(())
}

/// Whether a reference is an image that others publish: one of the table, or one that a Dockerfile of the project starts from.
pub fn is_base(reference: &str, dockerfile: Option<&str>, graph: &Graph) -> bool {
    let wanted = canonical(reference);
    let split = bases::split_reference(reference);
    let of_table = bases::lookup(split.repository).is_some();
    let own = dockerfile.and_then(|path| graph.dockerfiles.get(path));
    of_table || own.is_some_and(|image| image.bases.iter().any(|base| canonical(base) == wanted))
}

/// Whether a text is an image with or without a tag. Source: distribution/reference `regexp.go`.
fn is_reference(text: &str) -> bool {
    let (name, tag) = match text.rfind(':').filter(|at| !text[*at..].contains('/')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let word = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.' | '-');
    let tag_is_fine = tag
        .is_none_or(|tag| !tag.is_empty() && tag.len() <= 128 && !tag.starts_with(['.', '-']) && tag.chars().all(word));
    let mut parts: Vec<&str> = name.split('/').collect();
    if parts.len() > 1 && (parts[0].contains(['.', ':']) || parts[0] == "localhost") {
        let host = parts.remove(0);
        let port = host.split_once(':').map_or(Some(""), |(_, port)| Some(port)).unwrap_or("");
        if host.is_empty() || !port.chars().all(|ch| ch.is_ascii_digit()) {
            return false;
        }
    }
    tag_is_fine && parts.into_iter().all(is_component)
}

/// Whether a text may stand between the slashes of an image: words with `.`, `_`, `__` or dashes between them.
fn is_component(text: &str) -> bool {
    let lower = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit();
    let separators = text.split(lower).filter(|separator| !separator.is_empty());
    let fine = |separator: &str| matches!(separator, "." | "_" | "__") || separator.chars().all(|ch| ch == '-');
    text.starts_with(lower) && text.ends_with(lower) && separators.into_iter().all(fine)
}

/// An image as written, without its tag.
fn repository(image: &str) -> Result<&str, String> {
    let (mut depth, mut slash, mut colon) = (0_usize, None, None);
    for (at, ch) in image.char_indices() {
        match ch {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => (slash, colon) = (Some(at), None),
            ':' if depth == 0 => colon = Some(at),
            _ => {}
        }
    }
    match (slash, colon) {
        (_, Some(colon)) => Ok(&image[..colon]),
        (Some(_), None) => Ok(image),
        (None, None) if !image.contains("${") => Ok(image),
        (None, None) => {
            Err("its tag stands inside a variable, so there is no place for another one; set cache.registry".to_owned())
        }
    }
}

/// What the subject would write, in one spelling; none where it would write nothing.
pub fn written(name: &str, image: Option<&str>, settings: &CacheSettings) -> Option<String> {
    let entries = entries(settings.mode(name), settings, name, image.unwrap_or("")).ok()?;
    let place = if entries.mode == CacheMode::Local { entries.place } else { canonical(&entries.place) };
    (!place.starts_with(':')).then_some(place)
}

/// Where an existing `cache_to` writes the place already.
pub fn existing_writer(own: &Build, entries: &Entries, graph: &Graph) -> Option<String> {
    let wanted = canonical(&entries.known);
    let writes = |list: &Option<Vec<String>>| {
        let references = list.iter().flatten().filter(|entry| entry_type(entry) == Some("registry"));
        references.filter_map(|entry| entry_reference(entry)).any(|entry| canonical(entry) == wanted)
    };
    if !matches!(entries.mode, CacheMode::Registry) {
        return None;
    }
    for source in &graph.composes {
        for service in &source.file.services {
            let is_own = source.path == own.file && service.name == own.name;
            if !is_own && service.any_build().is_some_and(|build| writes(&build.cache_to)) {
                return Some(format!("`{}` in {}", service.name, source.path));
            }
        }
    }
    for source in &graph.bakes {
        for target in &source.file.targets {
            if !(source.path == own.file && target.name == own.name) && writes(&target.cache_to) {
                return Some(format!("target `{}` in {}", target.name, source.path));
            }
        }
    }
    for source in &graph.workflows {
        for job in &source.file.jobs {
            for step in &job.steps {
                let to: Vec<String> =
                    step.list("cache-to").into_iter().map(|entry| source.file.expand(job, step, entry)).collect();
                let same_build =
                    graph.of_step(&source.path, job, step).any(|build| graph.in_ci(own).any(|other| other == build));
                if writes(&Some(to)) && !same_build {
                    return Some(format!("{}:{}", source.path, source.lines.line(step.offset)));
                }
            }
        }
    }
    None
}

/// The other build that would write the same place.
pub fn rival<'a>(own: &Build, project: &'a Project) -> Option<&'a Build> {
    let settings = &project.settings.cache;
    let wanted = written(&own.name, own.images.first().map(String::as_str), settings)?;
    let declared = project.graph.builds.iter().filter(|build| matches!(build.by, By::Compose | By::Bake));
    declared
        .filter(|other| (other.file != own.file || other.name != own.name) && !is_other_form(own, other))
        .filter(|other| !is_variant(own, other))
        .find(|other| {
            let image = other.images.first().map(String::as_str);
            written(&other.name, image, settings).as_ref() == Some(&wanted)
        })
}

/// Whether two builds are one and the same image, written down for compose and for bake.
fn is_other_form(own: &Build, other: &Build) -> bool {
    own.by != other.by && own.dockerfile.is_some() && own.dockerfile == other.dockerfile && own.target == other.target
}

/// Whether two files of one folder hold the same service: then one of them gets the entries, if any.
fn is_variant(own: &Build, other: &Build) -> bool {
    own.name == other.name && parent(&own.file) == parent(&other.file) && own.by == other.by && own.file != other.file
}

impl Entries {
    pub fn title(&self) -> String {
        let place = &self.place;
        match self.mode {
            CacheMode::Inline => format!("Keep the cache's record in the image {place} and read it from there"),
            CacheMode::Registry => format!("Keep the cache in {place}"),
            CacheMode::Local => format!("Keep the cache in the folder {place}"),
            CacheMode::Classic | CacheMode::Off => {
                format!("Take layers from the image {place} with the classic builder")
            }
        }
    }

    /// What it gains and what it costs. `last` says which stage's layers an inline record holds; `compose` tells whether Compose reads
    /// the file.
    pub fn reason(&self, graph: &Graph, last: &str, compose: bool) -> String {
        let exporter = "on the docker driver without the containerd image store the build fails (\"Cache export is not supported for the docker driver\")";
        let allow = if compose || self.mode != CacheMode::Local {
            ""
        } else {
            "; bake asks for `--allow=fs=DIR` to write there"
        };
        let compose = if compose { "; Compose before 2.4 and `docker stack` refuse `cache_to`" } else { "" };
        match self.mode {
            CacheMode::Inline => {
                let gain = match graph.pusher(&self.known) {
                    Some(Pushed { place, has_record: true, .. }) => format!(
                        "this image is pushed at {place}, so a builder that starts empty (hosted CI, a new machine), whatever its driver, takes unchanged layers from it"
                    ),
                    Some(Pushed { place, .. }) => format!(
                        "this image is built and pushed at {place}: once that build writes a record too (`type=inline` in its `cache-to`), a builder that starts empty (hosted CI, a new machine), whatever its driver, takes unchanged layers from it; until then only a kept builder with the docker driver's own image store (not containerd's) gains, once its cache was pruned"
                    ),
                    None => "no push of exactly this image was found here: without one hosted CI gains nothing, and a kept builder only with the docker driver's own image store (not containerd's), once its cache was pruned, and by every other build only (one that was itself taken from the record writes a shorter one, moby/buildkit#1981)".to_owned(),
                };
                format!("{gain}; the image carries a record {last}{compose}{}", ownership(&self.known, &self.place))
            }
            CacheMode::Registry => format!(
                "a builder that starts empty (hosted CI, a new machine) takes the layers of all stages from there, a kept builder once its cache was pruned; every build then needs the right to push there, and {exporter}{compose}{}",
                ownership(&self.known, &self.place)
            ),
            CacheMode::Local => format!(
                "a kept builder finds all stages there once its cache was pruned, hosted CI only if it restores the folder; the folder grows without bound and is shared with every project whose service has this name, and {exporter}{compose}{allow}"
            ),
            CacheMode::Classic | CacheMode::Off => format!(
                "with DOCKER_BUILDKIT=0 Compose 1 hands this to the builder, which takes the layers of an image that was pulled before (hosted CI) or is still there (a kept builder); Compose 2 does not hand it on, and BuildKit finds nothing by it{}",
                ownership(&self.known, &self.place)
            ),
        }
    }
}

/// Which layers the record of an image holds.
pub fn recorded(target: Option<&str>, stages: Option<usize>) -> String {
    match (target, stages) {
        (_, Some(1)) => "of all its layers".to_owned(),
        (Some(target), _) => format!("of the layers of the stage {target} only"),
        (None, Some(stages)) => format!("of the layers of the last of {stages} stages only"),
        (None, None) => "of the layers of the last stage only".to_owned(),
    }
}

/// Whose the reference must be.
fn ownership(plain: &str, written: &str) -> String {
    let first = plain.split('/').next().unwrap_or("");
    let has_host = plain.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let danger = "since whoever pushes there puts layers into this build";
    if written.contains(":?") || written.contains('?') && written.contains("${") {
        return format!("; the repository that {written} names must be yours, {danger}");
    }
    match (has_host, plain.contains('/')) {
        (true, _) => format!("; {} must be yours, {danger}", parent(plain)),
        (false, true) => format!("; docker.io/{first} must be yours, {danger}"),
        (false, false) => {
            let name = bases::split_reference(plain).repository;
            format!(
                "; without a registry in the name, other builders ask for docker.io/library/{name}, which is not yours"
            )
        }
    }
}
