//! What a compose file means: its services, how each is built and under which image name.
//!
//! Source: compose-spec `build.md`, `05-services.md`, `10-fragments.md`, `13-merge.md`.

pub mod edits;
mod run;
mod volumes;

use super::ignores::Ignores;
use super::interpolation::interpolate;
use crate::text::Span;
use crate::yaml::{Node, NodeKind, Path, Step, Stream, YamlError, below};

pub use run::{Command, EnvFile, RunKeys, Setting, Text};
pub use volumes::{Volume, VolumeKind, kind as volume_kind};

/// A compose file.
#[derive(Debug, Clone, Default)]
pub struct Compose {
    /// In the order of the file, all documents.
    pub services: Vec<Service>,
    /// Files of `include`, as written.
    pub includes: Vec<String>,
    /// Names of the top-level `volumes`.
    pub volumes: Vec<String>,
    pub ignores: Ignores,
}

#[derive(Debug, Clone)]
pub struct Service {
    pub name: String,
    /// The way to its mapping.
    pub path: Path,
    /// Where its name stands.
    pub offset: usize,
    pub build: BuildKey,
    /// As written.
    pub image: Option<String>,
    pub extends: Option<Extends>,
    /// What it sets for its containers.
    pub run: RunKeys,
}

/// The other service that `extends` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extends {
    pub service: String,
    /// As written; none for this file.
    pub file: Option<String>,
}

/// How a service comes by its `build`.
#[derive(Debug, Clone)]
pub enum BuildKey {
    None,
    /// It stands in the service.
    Own(Build),
    /// A merge key or an alias brings it.
    Merged(Build),
}

#[derive(Debug, Clone)]
pub struct Build {
    /// The way to the value of `build`.
    pub path: Path,
    /// Where the key stands.
    pub offset: usize,
    /// Why no key can be added to it; none if one can.
    pub fixed: Option<String>,
    /// Whether it is the short form, a context and no more.
    pub is_short: bool,
    /// As written; `.` where a long form has none.
    pub context: Option<String>,
    pub dockerfile: Option<String>,
    pub has_inline: bool,
    /// The text of `dockerfile_inline`.
    pub inline: Option<String>,
    pub network: Option<String>,
    /// Which of `secrets` and `ssh` it has: they bring what only the user's machine knows.
    pub private: Vec<&'static str>,
    pub target: Option<String>,
    /// Name and value; no value where the environment gives it.
    pub args: Vec<(String, Option<String>)>,
    /// Name and value of `additional_contexts`.
    pub contexts: Vec<(String, String)>,
    pub tags: Vec<String>,
    /// None where the key is missing.
    pub cache_from: Option<Vec<String>>,
    pub cache_to: Option<Vec<String>>,
    pub no_cache: bool,
}

impl Service {
    /// Its build, wherever it stands.
    pub fn any_build(&self) -> Option<&Build> {
        match &self.build {
            BuildKey::None => None,
            BuildKey::Own(build) | BuildKey::Merged(build) => Some(build),
        }
    }
}

impl Build {
    /// The value of BUILDKIT_INLINE_CACHE among its arguments.
    pub fn inline_argument(&self) -> Option<&str> {
        let arg = self.args.iter().find(|(name, _)| name == INLINE_ARGUMENT)?;
        Some(arg.1.as_deref().unwrap_or(""))
    }

    /// Whether it writes cache metadata into its image.
    pub fn writes_inline(&self) -> bool {
        let by_key = self.cache_to.iter().flatten().any(|entry| entry_type(entry) == Some("inline"));
        by_key || self.inline_argument().is_some_and(|value| matches!(value, "1" | "true" | "True" | "t"))
    }
}

/// The build argument that buildx takes for `cache_to: type=inline`.
pub const INLINE_ARGUMENT: &str = "BUILDKIT_INLINE_CACHE";

/// The value of `type=` in a cache entry; none for a plain image name.
pub fn entry_type(entry: &str) -> Option<&str> {
    attribute(entry, "type")
}

/// The value of an attribute of a cache entry.
pub fn attribute<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    entry.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The image that an entry reads or writes: a plain name, or `ref=` of a registry entry.
pub fn entry_reference(entry: &str) -> Option<&str> {
    match entry_type(entry) {
        Some("registry") => attribute(entry, "ref"),
        Some(_) => None,
        None => Some(entry.trim()).filter(|entry| !entry.is_empty()),
    }
}

/// Reads a compose file.
///
/// # Errors
/// A template, and services that are no mapping.
pub fn read(text: &str, stream: &Stream) -> Result<Compose, YamlError> {
    if let Some(at) = template(text, stream) {
        return Err(YamlError::at(text, at, "a template; it is read only once it is rendered"));
    }
    let mut compose = Compose { ignores: Ignores::of_blocks(text, &stream.comments), ..Compose::default() };
    for (index, document) in stream.documents.iter().enumerate() {
        let root = vec![Step::Index(index)];
        for item in document.get("include").map_or(&[][..], Node::items) {
            let item = stream.resolve(item);
            let paths: Vec<&Node> = match item.get("path") {
                Some(path) if path.is_sequence() => path.items().iter().collect(),
                Some(path) => vec![path],
                None => vec![item],
            };
            compose.includes.extend(paths.iter().filter_map(|path| path.text()).map(str::to_owned));
        }
        let volumes = document.get("volumes").map(|volumes| stream.effective_pairs(volumes)).unwrap_or_default();
        compose.volumes.extend(volumes.into_iter().map(|(name, _)| name.to_owned()));
        let Some(services) = document.get("services") else {
            let old = document.pairs().iter().find(|(key, value)| {
                value.get("build").is_some() && key.text().is_some_and(|name| !name.starts_with("x-"))
            });
            if let Some((key, _)) = old.filter(|_| document.get("include").is_none()) {
                return Err(YamlError::at(
                    text,
                    key.start,
                    "services stand at the top, as in version 1 of the format, which Compose 2 does not read; put them under `services`",
                ));
            }
            continue;
        };
        let services = stream.resolve(services);
        if services.is_null() {
            continue;
        }
        if !services.is_mapping() {
            return Err(YamlError::at(text, services.start, "services is no mapping"));
        }
        let path = below(&root, "services");
        for (key, value) in services.pairs() {
            let Some(name) = key.text() else { continue };
            if name == "<<" || name.starts_with("x-") {
                continue;
            }
            compose.services.push(service(stream, name, key.start, below(&path, name), value));
        }
    }
    share(stream, &mut compose);
    Ok(compose)
}

fn service(stream: &Stream, name: &str, offset: usize, path: Path, value: &Node) -> Service {
    let node = stream.resolve(value);
    let image =
        stream.effective(node, "image").and_then(|(image, _)| stream.resolve(image).string()).map(str::to_owned);
    let extends = stream.effective(node, "extends").and_then(|(extends, _)| {
        let extends = stream.resolve(extends);
        match extends.text() {
            Some(service) => Some(Extends { service: service.to_owned(), file: None }),
            None => Some(Extends {
                service: extends.get("service")?.text()?.to_owned(),
                file: extends.get("file").and_then(Node::text).map(str::to_owned),
            }),
        }
    });
    let is_alias = matches!(value.kind, NodeKind::Alias(_));
    let build = match node.pair("build") {
        Some((key, found)) if !is_alias => BuildKey::Own(build(stream, found, key.start, below(&path, "build"))),
        Some((_, found)) => BuildKey::Merged(build(stream, found, offset, below(&path, "build"))),
        None => match stream.effective(node, "build") {
            Some((found, _)) => BuildKey::Merged(build(stream, found, offset, below(&path, "build"))),
            None => BuildKey::None,
        },
    };
    Service { name: name.to_owned(), path, offset, build, image, extends, run: run::read(stream, node) }
}

fn build(stream: &Stream, value: &Node, offset: usize, path: Path) -> Build {
    let node = stream.resolve(value);
    let fixed = if matches!(value.kind, NodeKind::Alias(_)) {
        Some("its `build` is an alias, and a key added to the anchor would hold for every service that names it; write the build out in the service".to_owned())
    } else if let Some(tag) = &value.tag {
        Some(format!("its `build` carries the tag {tag}; restow does not rewrite what stands under one"))
    } else if value.is_null() {
        Some("its `build` is empty; give it a context".to_owned())
    } else if stream.is_aliased(value) {
        Some("its `build` is an anchor that is named elsewhere, and a key added here would hold there too; write the build out in each service".to_owned())
    } else if !node.is_mapping() && node.string().is_none() {
        Some("its `build` is neither a path nor a mapping".to_owned())
    } else if node.text().is_some_and(|text| text.trim().is_empty()) {
        Some("its `build` is an empty path; give it a context".to_owned())
    } else {
        let lists = ["cache_from", "cache_to"].into_iter();
        // Inherited ones count: a list beside a merge key would hide them.
        let mut broken = lists.filter(|key| {
            stream.effective(node, key).is_some_and(|(list, _)| {
                let items = stream.resolve(list);
                let plain =
                    items.is_sequence() && items.items().iter().all(|item| stream.resolve(item).text().is_some());
                !plain || list.tag.is_some()
            })
        });
        broken.next().map(|key| format!("its `{key}` is no plain list of entries; mend it first"))
    };
    let is_short = node.text().is_some();
    let scalar =
        |key: &str| stream.effective(node, key).and_then(|(value, _)| stream.resolve(value).text()).map(str::to_owned);
    let list = |key: &str| {
        let (value, _) = stream.effective(node, key)?;
        let value = stream.resolve(value);
        if value.text().is_some() {
            return Some(vec![value.text()?.to_owned()]);
        }
        Some(value.items().iter().filter_map(|item| stream.resolve(item).text()).map(str::to_owned).collect())
    };
    let pairs = |key: &str| -> Vec<(String, Option<String>)> {
        let Some((value, _)) = stream.effective(node, key) else { return Vec::new() };
        let value = stream.resolve(value);
        match &value.kind {
            NodeKind::Sequence { items, .. } => items
                .iter()
                .filter_map(|item| stream.resolve(item).text())
                .map(|item| match item.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (item.to_owned(), None),
                })
                .collect(),
            _ => stream
                .effective_pairs(value)
                .into_iter()
                .map(|(name, value)| (name.to_owned(), stream.resolve(value).text().map(str::to_owned)))
                .collect(),
        }
    };
    let context = match node.text() {
        Some(short) => Some(short.to_owned()),
        None if node.is_mapping() => Some(scalar("context").unwrap_or_else(|| ".".to_owned())),
        None => None,
    };
    Build {
        path,
        offset,
        fixed,
        is_short,
        context,
        dockerfile: scalar("dockerfile"),
        has_inline: scalar("dockerfile_inline").is_some(),
        inline: scalar("dockerfile_inline"),
        network: scalar("network"),
        private: ["secrets", "ssh"].into_iter().filter(|key| stream.effective(node, key).is_some()).collect(),
        target: scalar("target"),
        args: pairs("args"),
        contexts: pairs("additional_contexts")
            .into_iter()
            .map(|(name, value)| (name, value.unwrap_or_default()))
            .collect(),
        tags: list("tags").unwrap_or_default(),
        cache_from: list("cache_from"),
        cache_to: list("cache_to"),
        no_cache: scalar("no_cache").is_some_and(|value| {
            let value = interpolate(&value).text.to_ascii_lowercase();
            matches!(value.as_str(), "true" | "yes" | "on" | "1")
        }),
    }
}

/// Marks builds that another service has too, by a merge key or an alias.
fn share(stream: &Stream, compose: &mut Compose) {
    let place = |service: &Service| -> Option<usize> {
        let node = stream.resolve(stream.node(&service.path)?);
        let (build, _) = stream.effective(node, "build")?;
        Some(stream.resolve(build).start)
    };
    let places: Vec<Option<usize>> = compose.services.iter().map(place).collect();
    for at in 0..compose.services.len() {
        let others: Vec<String> = places
            .iter()
            .enumerate()
            .filter(|(other, place)| *other != at && place.is_some() && **place == places[at])
            .map(|(other, _)| format!("`{}`", compose.services[other].name))
            .collect();
        let same_name = compose
            .services
            .iter()
            .enumerate()
            .any(|(other, service)| other != at && service.name == compose.services[at].name);
        let shares = stream.node(&compose.services[at].path).is_some_and(|node| node.tag.is_some());
        match &mut compose.services[at].build {
            BuildKey::Own(build) if build.fixed.is_none() => {
                build.fixed = if same_name {
                    Some("several documents of the file hold this service, and which of them wins depends on the order; keep one".to_owned())
                } else if shares {
                    Some("the service carries a tag, and restow does not rewrite what stands under one".to_owned())
                } else if !others.is_empty() {
                    Some(format!(
                        "a merge key gives its `build` to {} too, and a key added here would hold there; write the build out in each service",
                        others.join(", ")
                    ))
                } else {
                    None
                };
            }
            BuildKey::Merged(build) => {
                build.fixed = Some("its `build` comes from a merge key or an alias, and a key added there would hold for every service that names it; write the build out in the service".to_owned());
            }
            _ => {}
        }
    }
}

/// Where a file shows that it is a template: a mapping used as a key, or braces that are not a Go template of Docker's.
fn template(text: &str, stream: &Stream) -> Option<usize> {
    if let Some(node) = stream.template_key() {
        return Some(node.start);
    }
    text.match_indices("{{").map(|(at, _)| at).find(|&at| {
        let inner = text[at + 2..].trim_start();
        // `docker inspect` and log tags are written so, and are no placeholders of this file.
        let field = inner.strip_prefix('.').is_some_and(|rest| {
            rest.starts_with(|ch: char| ch.is_ascii_uppercase())
                && !["Values", "Release", "Chart"].iter().any(|name| rest.starts_with(name))
        });
        let function = ["json ", "range ", "index ", "end", "println", "join ", "upper ", "lower ", "split "];
        let comment = stream.comments.iter().any(|comment| comment.contains(at));
        let dollar = text[..at].ends_with('$');
        !(field || comment || dollar || function.iter().any(|name| inner.starts_with(name)))
    })
}

/// An inline Dockerfile of a build: the node of its text.
pub fn inline<'a>(stream: &'a Stream, build: &Build) -> Option<&'a Node> {
    stream.node(&below(&build.path, "dockerfile_inline"))
}

/// The Dockerfiles that a compose file names, relative to its folder; those that depend on a variable aside.
pub fn named_dockerfiles(text: &str) -> Vec<String> {
    let Ok(compose) = Stream::read(text).and_then(|stream| read(text, &stream)) else { return Vec::new() };
    let builds = compose.services.iter().filter_map(Service::any_build);
    let named = builds.filter_map(|build| {
        let context = interpolate(build.context.as_deref()?);
        let dockerfile = interpolate(build.dockerfile.as_deref()?);
        let (context, dockerfile) = (context.known()?, dockerfile.known()?);
        (!context.contains("://")).then(|| format!("{context}/{dockerfile}"))
    });
    named.collect()
}

/// The span of a service's block, for telling which service a line belongs to.
pub fn span(stream: &Stream, service: &Service) -> Span {
    let end = stream.node(&service.path).map_or(service.offset, Node::end);
    Span::new(service.offset, end.max(service.offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compose(text: &str) -> Compose {
        read(text, &Stream::read(text).unwrap()).unwrap()
    }

    fn fixed(text: &str) -> Vec<bool> {
        compose(text)
            .services
            .iter()
            .map(|service| service.any_build().is_some_and(|build| build.fixed.is_some()))
            .collect()
    }

    #[test]
    fn services_are_read_with_merges_and_both_forms() {
        let text = "x-b: &b\n  context: ./b\n  args: [A=1, B]\nservices:\n  a:\n    build: ./x\n    image: i:1\n  c:\n    build:\n      <<: *b\n      target: t\n";
        let compose = compose(text);
        let a = compose.services[0].any_build().unwrap();
        assert_eq!((a.context.as_deref(), a.is_short, a.fixed.is_none()), (Some("./x"), true, true));
        let c = compose.services[1].any_build().unwrap();
        assert_eq!((c.context.as_deref(), c.target.as_deref()), (Some("./b"), Some("t")));
        assert_eq!(c.args, [("A".to_owned(), Some("1".to_owned())), ("B".to_owned(), None)]);
        assert!(c.fixed.is_none());
    }

    #[test]
    fn shared_builds_are_fixed() {
        assert_eq!(fixed("services:\n  a: &a\n    build: .\n  b:\n    <<: *a\n"), [true, true]);
        assert_eq!(fixed("services:\n  a: &a\n    build: .\n  b:\n    <<: *a\n    build: ./b\n"), [false, false]);
        assert_eq!(fixed("services:\n  a:\n    build: &b .\n  b:\n    build: *b\n"), [true, true]);
        assert_eq!(fixed("services:\n  a:\n    build: &b .\n"), [false]);
        assert_eq!(fixed("services:\n  a:\n    build:\n  b:\n    build: !reset null\n"), [true, true]);
        assert_eq!(fixed("services:\n  a:\n    build: .\n---\nservices:\n  a:\n    build: .\n"), [true, true]);
    }

    #[test]
    fn templates_are_refused_and_docker_formats_are_not() {
        let refused = |text: &str| read(text, &Stream::read(text).unwrap()).is_err();
        assert!(refused("services:\n  a:\n    build: {{ ctx }}\n"));
        assert!(refused("services:\n  a:\n    image: \"{{ name }}\"\n"));
        assert!(refused("services:\n  a:\n    image: \"{{ .Values.name }}\"\n"));
        assert!(!refused("services:\n  a:\n    logging: {options: {tag: \"{{.Name}}/{{json .}}\"}}\n"));
    }

    #[test]
    fn entries_tell_their_image() {
        assert_eq!(entry_reference("a/b:c"), Some("a/b:c"));
        assert_eq!(entry_reference("type=registry,ref=a/b:c,mode=max"), Some("a/b:c"));
        assert_eq!(entry_reference("type=gha"), None);
    }
}
