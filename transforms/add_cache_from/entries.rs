//! Which entries a mode writes, and what they gain and cost.

use crate::config::{CacheMode, CacheSettings};
use crate::facts::bases;
use crate::facts::interpolation::interpolate;
use crate::project::graph::{Build, By, Graph, canonical};
use crate::project::{Builder, Project};

/// What one service or target reads and writes.
pub struct Entries {
    pub mode: CacheMode,
    /// As written: the image, the cache's reference, or the folder.
    pub place: String,
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
        (Builder::Kaniko, _) => return Err(format!("{}, which reads no `cache_from`; it has `--cache` and `--cache-repo`", why())),
        (Builder::Podman, _) => {
            return Err(format!("{}, whose `--cache-from` takes a repository without a tag and no inline record", why()));
        }
        (Builder::Classic, CacheMode::Classic) => {}
        (Builder::Classic, _) => {
            return Err(format!("{}, which reads `cache_from: [IMAGE]` and nothing else; use --cache-mode classic", why()));
        }
        _ => {}
    }
    if mode == CacheMode::Local || mode == CacheMode::Registry && settings.registry(subject.name).is_some() {
        if !is_name(subject.name) {
            return Err("its name can't stand in an image reference; use mode inline".to_owned());
        }
    } else {
        let resolved = subject.resolved.as_ref().map_err(Clone::clone)?;
        check_image(resolved, subject, project)?;
    }
    let entries = entries(mode, settings, subject.name, subject.image.unwrap_or(""))?;
    Ok(entries)
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
    Ok(Entries { mode, place, cache_from: vec![cache_from], cache_to })
}

/// Whether an image can be named as a cache at all.
fn check_image(image: &str, subject: &Subject<'_>, project: &Project) -> Result<(), String> {
    if image.contains('@') {
        return Err(format!("`{image}` names one finished image by its digest, which no build can be given; use a tag"));
    }
    let broken = image.is_empty()
        || image.starts_with(['/', ':'])
        || image.ends_with([':', '/'])
        || image.contains("//")
        || image.contains("/:")
        || image.contains(char::is_whitespace);
    if broken {
        return Err(format!("its image comes out as `{image}` when no variable is set, which is no image; give its variables defaults"));
    }
    if is_base(image, subject.dockerfile, &project.graph) {
        return Err(format!("`{image}` is a base image, which carries no record of this build; give `image` a name of your own"));
    }
    Ok(())
}

/// Whether a reference is an image that others publish: one of the table, or one that a Dockerfile of the project starts from.
pub fn is_base(reference: &str, dockerfile: Option<&str>, graph: &Graph) -> bool {
    let wanted = canonical(reference);
    let split = bases::split_reference(reference);
    let of_table = !split.repository.contains('/') && bases::lookup(split.repository).is_some();
    let own = dockerfile.and_then(|path| graph.dockerfiles.get(path));
    of_table || own.is_some_and(|image| image.bases.iter().any(|base| canonical(base) == wanted))
}

fn is_name(name: &str) -> bool {
    let plain = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit() || matches!(ch, '.' | '_' | '-');
    !name.is_empty() && name.chars().all(plain) && name.starts_with(|ch: char| ch.is_ascii_alphanumeric())
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
    let plain = interpolate(image).text;
    if !plain.contains('/') {
        return Err(format!(
            "`{plain}` names no registry, so a cache beside it would go to Docker Hub's own images, where nobody can push; set cache.registry, or give the image its registry"
        ));
    }
    match (slash, colon) {
        (_, Some(colon)) => Ok(&image[..colon]),
        (Some(_), None) => Ok(image),
        (None, None) => Err("its tag stands inside a variable, so there is no place for another one; set cache.registry".to_owned()),
    }
}

/// What the subject would write, in one spelling; none where it would write nothing.
pub fn written(name: &str, image: Option<&str>, settings: &CacheSettings) -> Option<String> {
    let entries = entries(settings.mode(name), settings, name, image.unwrap_or("")).ok()?;
    let place = if entries.mode == CacheMode::Local { entries.place } else { canonical(&entries.place) };
    (!place.starts_with(':')).then_some(place)
}

/// The other build that would write the same place.
pub fn rival<'a>(own: &Build, entries: &Entries, project: &'a Project) -> Option<&'a Build> {
    let settings = &project.settings.cache;
    let wanted = written(&own.name, own.images.first().map(String::as_str), settings)?;
    let _ = entries;
    let declared = project.graph.builds.iter().filter(|build| matches!(build.by, By::Compose | By::Bake));
    declared
        .filter(|other| (other.file != own.file || other.name != own.name) && !is_other_form(own, other))
        .find(|other| {
            let image = other.images.first().map(String::as_str);
            written(&other.name, image, settings).as_ref() == Some(&wanted)
        })
}

/// Whether two builds are one and the same image, written down for compose and for bake.
fn is_other_form(own: &Build, other: &Build) -> bool {
    own.by != other.by && own.dockerfile.is_some() && own.dockerfile == other.dockerfile && own.target == other.target
}

impl Entries {
    pub fn title(&self) -> String {
        let place = &self.place;
        match self.mode {
            CacheMode::Inline => format!("Keep the cache's record in the image {place} and read it from there"),
            CacheMode::Registry => format!("Keep the cache in {place}"),
            CacheMode::Local => format!("Keep the cache in the folder {place}"),
            CacheMode::Classic | CacheMode::Off => format!("Take layers from the image {place} with the classic builder"),
        }
    }

    /// What it gains and what it costs. `stages` are those of the Dockerfile, if it is known; `compose` tells whether Compose reads the
    /// file.
    pub fn reason(&self, graph: &Graph, stages: Option<usize>, compose: bool) -> String {
        let exporter = "on the docker driver without the containerd image store the build fails (\"Cache export is not supported for the docker driver\")";
        let compose = if compose { "; Compose before 2.4 refuses `cache_to`" } else { "" };
        match self.mode {
            CacheMode::Inline => {
                let gain = match graph.pusher(&self.place) {
                    Some(place) => format!(
                        "{place} pushes this image, so any builder that starts without a cache (hosted CI, a new machine) takes unchanged layers from it"
                    ),
                    None => "nothing found here pushes this image, so hosted CI gains nothing, and a kept builder only with the docker driver's own image store (not containerd's), after its cache was pruned or collected".to_owned(),
                };
                let last = match stages {
                    Some(stages) if stages > 1 => format!("; the record holds the layers of the last of {stages} stages only"),
                    _ => "; the record holds the layers of the last stage only".to_owned(),
                };
                format!("{gain}{last}, and goes into the image{compose}{}", ownership(&self.place))
            }
            CacheMode::Registry => format!(
                "a builder that starts without a cache (hosted CI, a new machine) takes the layers of all stages from there; a kept builder gains after it was pruned; every build then needs the right to push there, and {exporter}{compose}{}",
                ownership(&self.place)
            ),
            CacheMode::Local => format!(
                "a kept builder finds all stages there after its cache was pruned, hosted CI only if it restores the folder; the folder grows without bound, and {exporter}{compose}"
            ),
            CacheMode::Classic | CacheMode::Off => format!(
                "with DOCKER_BUILDKIT=0 a machine without the layers (hosted CI) takes them from this image once it was pulled; BuildKit finds nothing by this entry{}",
                ownership(&self.place)
            ),
        }
    }
}

/// Whose the reference must be.
fn ownership(reference: &str) -> String {
    let plain = interpolate(reference).text;
    let first = plain.split('/').next().unwrap_or("");
    let has_host = plain.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    match (has_host, plain.contains('/')) {
        (true, _) => format!("; {} must be yours, since whoever pushes there puts layers into this build", parent(&plain)),
        (false, true) => format!("; docker.io/{first} must be yours, since whoever pushes there puts layers into this build"),
        (false, false) => {
            let name = bases::split_reference(&plain).repository;
            format!("; where this machine does not hold it, a builder asks for docker.io/library/{name}, which is not yours: a name with a registry is better")
        }
    }
}

fn parent(reference: &str) -> &str {
    reference.rsplit_once('/').map_or(reference, |(parent, _)| parent)
}
