//! What a bake file means: targets, how each is built and under which names; HCL and JSON alike.
//!
//! Source: docs.docker.com bake reference; `Target.Merge` in bake/bake.go of docker/buildx.

use crate::hcl;
use crate::text::Span;
use crate::yaml::{Node, Path, Step, Stream, YamlError, below};

/// A bake file.
#[derive(Debug, Clone)]
pub struct Bake {
    pub is_json: bool,
    pub targets: Vec<Target>,
    /// Name and targets.
    pub groups: Vec<(String, Vec<String>)>,
    pub comments: Vec<Span>,
    hcl: Option<hcl::Bake>,
    /// The tree of a JSON file.
    pub stream: Option<Stream>,
}

#[derive(Debug, Clone, Default)]
pub struct Target {
    pub name: String,
    /// Where its block starts.
    pub offset: usize,
    /// The way to its object in a JSON file.
    pub path: Path,
    /// Why no attribute can be added to it; none if one can.
    pub fixed: Option<String>,
    /// With variables at their defaults; none where it is computed. Inherited values count.
    pub context: Option<String>,
    pub dockerfile: Option<String>,
    pub stage: Option<String>,
    pub has_inline: bool,
    /// Its own; none where it has none.
    pub tags: Option<Vec<Tag>>,
    /// Targets that it inherits from, as written.
    pub inherits: Vec<String>,
    /// Names of `args` and `contexts` with their values where they are known.
    pub args: Vec<(String, Option<String>)>,
    pub contexts: Vec<(String, String)>,
    /// As written, inherited ones included; none where there are none.
    pub cache_from: Option<Vec<String>>,
    pub cache_to: Option<Vec<String>>,
    pub no_cache: bool,
    pub has_matrix: bool,
}

/// A name that the image gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// As written in the file, with its quotes.
    pub source: String,
    /// With variables at their defaults; none where it is computed.
    pub text: Option<String>,
}

impl Bake {
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The block of a target in an HCL file.
    pub fn block(&self, name: &str) -> Option<&hcl::Target> {
        self.hcl.as_ref()?.target(name)
    }

    /// The targets that a name means: a target, a group, or the groups in a group.
    pub fn expand(&self, name: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut open = vec![name];
        let mut seen: Vec<&str> = Vec::new();
        while let Some(name) = open.pop() {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            match self.groups.iter().find(|(group, _)| group == name) {
                Some((_, members)) => open.extend(members.iter().rev().map(String::as_str)),
                None => found.extend(self.target(name).map(|target| target.name.as_str())),
            }
        }
        found
    }
}

/// Reads a bake file. JSON starts with a brace.
///
/// # Errors
/// What is neither HCL nor JSON.
pub fn read(text: &str) -> Result<Bake, YamlError> {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') { json(text) } else { from_hcl(text) }
}

/// What an edit of an HCL file did: see [`hcl::check`].
///
/// # Errors
/// The first difference that was not declared.
pub fn check(before: &str, after: &str, added: &[(&str, &str, &str)]) -> Result<(), String> {
    hcl::check(before, after, added)
}

fn from_hcl(text: &str) -> Result<Bake, YamlError> {
    let bake = hcl::read(text).map_err(|error| YamlError {
        line: error.line,
        column: error.column,
        message: error.message,
    })?;
    let comments = hcl::Scan::new(text).map(|scan| scan.comments).unwrap_or_default();
    let targets = bake.targets.iter().map(|target| {
        let resolved = |name: &str| {
            let effective = bake.effective(&target.name, name)?;
            effective.last()?.attribute.value.resolved.clone()
        };
        let list = |name: &str| -> Option<Vec<String>> {
            let effective = bake.effective(&target.name, name)?;
            if effective.parts.is_empty() {
                return None;
            }
            let values = effective.parts.iter().flat_map(|part| match part.attribute.value.items() {
                Some(items) => items.iter().map(|item| entry(text, item)).collect(),
                None => vec![part.attribute.value.source(text).to_owned()],
            });
            Some(values.collect())
        };
        let pairs = |name: &str| -> Vec<(String, Option<String>)> {
            let parts = bake.effective(&target.name, name).map(|effective| effective.parts).unwrap_or_default();
            let entries = parts.iter().filter_map(|part| part.attribute.value.entries()).flatten();
            entries.filter_map(|entry| Some((entry.key.clone()?, entry.value.resolved.clone()))).collect()
        };
        let fixed = if bake.is_duplicate(&target.name) {
            Some(
                "two blocks define this target; bake joins them, and which value holds depends on their order"
                    .to_owned(),
            )
        } else {
            None
        };
        let tags = target.attribute("tags").map(|attribute| match attribute.value.items() {
            Some(items) => items
                .iter()
                .map(|item| Tag { source: item.source(text).to_owned(), text: item.resolved.clone() })
                .collect(),
            None => vec![Tag { source: attribute.value.source(text).to_owned(), text: None }],
        });
        Target {
            name: target.name.clone(),
            offset: target.span.start,
            path: Path::new(),
            fixed,
            context: resolved("context")
                .or_else(|| Some(".".to_owned()).filter(|_| is_unset(&bake, &target.name, "context"))),
            dockerfile: resolved("dockerfile")
                .or_else(|| Some("Dockerfile".to_owned()).filter(|_| is_unset(&bake, &target.name, "dockerfile"))),
            stage: resolved("target"),
            has_inline: !is_unset(&bake, &target.name, "dockerfile-inline"),
            tags,
            inherits: target
                .list("inherits")
                .unwrap_or_default()
                .iter()
                .filter_map(|item| item.resolved.clone())
                .collect(),
            args: pairs("args"),
            contexts: pairs("contexts").into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect(),
            cache_from: list("cache-from"),
            cache_to: list("cache-to"),
            no_cache: resolved("no-cache").as_deref() == Some("true"),
            has_matrix: target.has_matrix(),
        }
    });
    let targets = targets.collect();
    let groups = bake.groups.iter().map(|group| (group.name.clone(), group.targets.clone())).collect();
    Ok(Bake { is_json: false, targets, groups, comments, hcl: Some(bake), stream: None })
}

/// A cache entry in the form with commas, whichever form it has.
fn entry(text: &str, item: &hcl::Value) -> String {
    match item.entries() {
        Some(entries) => {
            let parts = entries.iter().filter_map(|entry| {
                let value = entry.value.resolved.clone().unwrap_or_else(|| entry.value.source(text).to_owned());
                Some(format!("{}={value}", entry.key.as_deref()?))
            });
            parts.collect::<Vec<_>>().join(",")
        }
        None => item.resolved.clone().unwrap_or_else(|| item.source(text).to_owned()),
    }
}

fn is_unset(bake: &hcl::Bake, target: &str, name: &str) -> bool {
    bake.effective(target, name).is_none_or(|effective| effective.parts.is_empty() && effective.sure)
}

fn json(text: &str) -> Result<Bake, YamlError> {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')) {
        return Err(YamlError { line: error.line(), column: error.column(), message: error.to_string() });
    }
    let stream = Stream::read(text)?;
    let root = &stream.documents[0];
    let path = vec![Step::Index(0), Step::key("target")];
    let blocks = root.get("target").map_or(&[][..], Node::pairs);
    let get = |name: &str, key: &str| inherited(blocks, name, key, 0);
    let scalar = |name: &str, key: &str| {
        get(name, key).and_then(Node::text).filter(|text| !text.contains("${")).map(str::to_owned)
    };
    let list = |node: &Node| -> Vec<String> { node.items().iter().filter_map(Node::text).map(str::to_owned).collect() };
    let pairs = |name: &str, key: &str| -> Vec<(String, Option<String>)> {
        let pairs = get(name, key).map_or(&[][..], Node::pairs);
        pairs
            .iter()
            .filter_map(|(key, value)| Some((key.text()?.to_owned(), value.text().map(str::to_owned))))
            .collect()
    };
    let with_defaults = |text: &str| {
        root.get("variable").map_or(&[][..], Node::pairs).iter().fold(text.to_owned(), |text, (name, variable)| match (
            name.text(),
            variable.get("default").and_then(Node::text),
        ) {
            (Some(name), Some(default)) => text.replace(&format!("${{{name}}}"), default),
            _ => text,
        })
    };
    let targets = blocks
        .iter()
        .filter_map(|(key, value)| {
            let name = key.text()?;
            let tags = value.get("tags").map(|tags| {
                let tag = |tag: &Node| Tag {
                    source: tag.span.of(text).to_owned(),
                    text: tag.text().map(&with_defaults).filter(|text| !text.contains("${")),
                };
                tags.items().iter().map(tag).collect()
            });
            let or = |key: &str, default: &str| match get(name, key) {
                Some(_) => scalar(name, key),
                None => Some(default.to_owned()),
            };
            Some(Target {
                name: name.to_owned(),
                offset: key.start,
                path: below(&path, name),
                fixed: (!value.is_mapping()).then(|| "it is no object".to_owned()),
                context: or("context", "."),
                dockerfile: or("dockerfile", "Dockerfile"),
                stage: scalar(name, "target"),
                has_inline: get(name, "dockerfile-inline").is_some(),
                tags,
                inherits: value.get("inherits").map(list).unwrap_or_default(),
                args: pairs(name, "args"),
                contexts: pairs(name, "contexts")
                    .into_iter()
                    .map(|(name, value)| (name, value.unwrap_or_default()))
                    .collect(),
                cache_from: get(name, "cache-from").map(list),
                cache_to: get(name, "cache-to").map(list),
                no_cache: get(name, "no-cache").and_then(Node::text) == Some("true"),
                has_matrix: value.get("matrix").is_some(),
            })
        })
        .collect();
    let groups =
        root.get("group").map_or(&[][..], Node::pairs).iter().filter_map(|(key, value)| {
            Some((key.text()?.to_owned(), value.get("targets").map(list).unwrap_or_default()))
        });
    let groups = groups.collect();
    Ok(Bake { is_json: true, targets, groups, comments: Vec::new(), hcl: None, stream: Some(stream) })
}

/// The value of a key of a target, its parents' where it has none; the last parent wins.
fn inherited<'a>(blocks: &'a [(Node, Node)], name: &str, key: &str, depth: usize) -> Option<&'a Node> {
    let (_, block) = blocks.iter().find(|(label, _)| label.text() == Some(name))?;
    if let Some(own) = block.get(key) {
        return Some(own);
    }
    let parents = block.get("inherits").filter(|_| depth < 32)?;
    parents.items().iter().rev().filter_map(Node::text).find_map(|parent| inherited(blocks, parent, key, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_both_forms() {
        let hcl = "variable \"TAG\" { default = \"1\" }\ngroup \"default\" { targets = [\"a\"] }\ntarget \"base\" {\n  context = \"src\"\n}\ntarget \"a\" {\n  inherits = [\"base\"]\n  tags = [\"x/a:${TAG}\"]\n}\n";
        let bake = read(hcl).unwrap();
        let a = bake.target("a").unwrap();
        assert_eq!(a.context.as_deref(), Some("src"));
        assert_eq!(a.tags.as_ref().unwrap()[0].text.as_deref(), Some("x/a:1"));
        assert_eq!(bake.expand("default"), ["a"]);
        let json = "{\"target\": {\"base\": {\"context\": \"src\"}, \"a\": {\"inherits\": [\"base\"], \"tags\": [\"x/a:1\"]}}}";
        let bake = read(json).unwrap();
        let a = bake.target("a").unwrap();
        assert_eq!((a.context.as_deref(), a.dockerfile.as_deref()), (Some("src"), Some("Dockerfile")));
        assert!(read("{\"target\": }").is_err());
    }
}
