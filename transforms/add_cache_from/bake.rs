//! Targets of a bake file.

use super::entries::{self, Entries, Subject};
use crate::config::CacheMode;
use crate::edit::Edit;
use crate::facts::bake::{Tag, Target};
use crate::facts::compose::INLINE_ARGUMENT;
use crate::hcl;
use crate::project::graph::By;
use crate::transform::{BakeContext, Change, Effect, Level};
use crate::yaml::edits::{Layout, add_pairs, quoted};
use crate::yaml::{Difference, New, below};

/// A target that gets entries.
pub struct Site<'a> {
    cx: &'a BakeContext<'a>,
    target: &'a Target,
    entries: Entries,
    stages: Option<usize>,
    edits: Vec<Edit>,
    effects: Vec<Effect>,
}

impl<'a> Site<'a> {
    /// All the rejections.
    pub fn find(cx: &'a BakeContext<'a>, target: &'a Target) -> Result<Self, String> {
        let children: Vec<&str> = cx
            .bake
            .targets
            .iter()
            .filter(|other| other.inherits.contains(&target.name))
            .map(|other| other.name.as_str())
            .collect();
        if let Some(child) = children.first() {
            return Err(format!(
                "`{child}` inherits from it and would read and write its cache; the targets that inherit get entries of their own"
            ));
        }
        if target.no_cache {
            return Err("`no-cache = true` asks for builds without a cache".to_owned());
        }
        if target.has_matrix {
            return Err("its matrix makes several targets, which would share one cache; write entries with the matrix variable in them".to_owned());
        }
        if let (Some(_), _) | (_, Some(_)) = (&target.cache_from, &target.cache_to) {
            let all: Vec<&str> =
                target.cache_from.iter().chain(&target.cache_to).flatten().map(String::as_str).collect();
            return Err(format!(
                "it has cache entries already, its own or inherited, left as they are: {}",
                all.join(" ")
            ));
        }
        if let Some(reason) = &target.fixed {
            return Err(reason.clone());
        }
        if cx.project.settings.cache.mode(&target.name) == CacheMode::Classic {
            return Err(
                "bake builds with BuildKit only, which finds nothing by mode classic; use mode inline".to_owned()
            );
        }
        let graph = &cx.project.graph;
        let own = graph
            .builds
            .iter()
            .find(|build| build.by == By::Bake && build.file == cx.path && build.name == target.name);
        if let Some(own) = own {
            let by_hand = graph
                .in_ci(own)
                .find(|build| build.builder.as_ref().is_some_and(|builder| !builder.imports.is_empty()));
            if let Some(other) = by_hand {
                return Err(format!(
                    "{}:{} builds it with cache entries of its own, which would stand against those of the file",
                    other.file, other.line
                ));
            }
        }
        let tags = || target.tags.iter().flatten();
        let stays = |tag: &&Tag| tag.text.is_some() && entries::changing(&tag.source).is_none();
        let tag = tags().find(stays).or_else(|| tags().next());
        if let Some(name) = tag.filter(|tag| !stays(tag)).and_then(|tag| entries::changing(&tag.source)) {
            return Err(format!(
                "its tag changes with {name} from build to build, so the entry would ask for an image that is not there yet; add a tag that stays, or use mode registry with cache.registry"
            ));
        }
        let resolved = match tag {
            None => Err("it has no `tags`, so there is no image to name; add one".to_owned()),
            Some(tag) => tag.text.clone().ok_or_else(|| {
                format!("its tag {} is computed, so it is not known what it names; write a string with variables that have defaults", tag.source)
            }),
        };
        let source = tag.map(|tag| tag.source.trim_matches('"').to_owned());
        let dockerfile = own.and_then(|own| own.dockerfile.as_deref());
        let subject = Subject { name: &target.name, image: source.as_deref(), resolved, dockerfile };
        let entries = entries::find(&subject, cx.project)?;
        if let Some(own) = own
            && let Some(writer) = entries::existing_writer(own, &entries, graph)
        {
            return Err(format!(
                "{writer} writes {} already, and each would overwrite the other's cache",
                entries.place
            ));
        }
        if let Some(own) = own
            && let Some(other) = entries::rival(own, cx.project)
        {
            return Err(format!(
                "`{}` ({}:{}) would write {} too, and each would overwrite the other's cache; give them different names",
                other.name, other.file, other.line, entries.place
            ));
        }
        let argument = target
            .args
            .iter()
            .any(|(name, value)| name == INLINE_ARGUMENT && !matches!(value.as_deref().unwrap_or("1"), "0" | "false"));
        if let Some(place) = graph.habits.inline_argument(cx.path).filter(|_| entries.mode == CacheMode::Inline) {
            return Err(format!(
                "{place} gives builds the argument {INLINE_ARGUMENT}, and beside it `cache-to = [\"type=inline\"]` fails the build (\"duplicate cache exports\"); remove the argument there"
            ));
        }
        if entries.mode == CacheMode::Inline && argument {
            return Err(format!(
                "its `args` set {INLINE_ARGUMENT}, and beside it `cache-to = [\"type=inline\"]` fails the build (\"duplicate cache exports\"); remove the argument"
            ));
        }
        let stages = dockerfile.and_then(|path| graph.dockerfiles.get(path)).map(|image| image.stages);
        let mut site = Self { cx, target, entries, stages, edits: Vec::new(), effects: Vec::new() };
        site.write()?;
        Ok(site)
    }

    fn write(&mut self) -> Result<(), String> {
        let mut pairs = vec![("cache-from", self.entries.cache_from.clone())];
        if !self.entries.cache_to.is_empty() {
            pairs.push(("cache-to", self.entries.cache_to.clone()));
        }
        if let Some(stream) = &self.cx.bake.stream {
            let node = stream.node(&self.target.path).ok_or("its object was not found")?;
            let layout = Layout::of(self.cx.text, stream, &[node]);
            let list = |entries: &[String]| New::List(entries.iter().map(|entry| New::Quoted(entry.clone())).collect());
            let new: Vec<(&str, New)> = pairs.iter().map(|(key, entries)| (*key, list(entries))).collect();
            self.edits = add_pairs(self.cx.text, node, &new, layout)?;
            for (key, value) in new {
                let path = below(&self.target.path, key);
                self.effects.push(Effect::Data(Difference::Set { path, value }));
            }
            return Ok(());
        }
        let block = self.cx.bake.block(&self.target.name).ok_or("its block was not found")?;
        let values: Vec<(String, String)> = pairs
            .iter()
            .map(|(key, entries)| {
                let items: Vec<String> = entries.iter().map(|entry| quoted(entry)).collect();
                ((*key).to_owned(), format!("[{}]", items.join(", ")))
            })
            .collect();
        self.edits = hcl::insert_attributes(self.cx.text, block, &values).map_err(|error| error.to_string())?;
        self.effects = values
            .into_iter()
            .map(|(name, value)| Effect::AddAttribute { target: self.target.name.clone(), name, value })
            .collect();
        Ok(())
    }

    pub fn change(self) -> Change {
        Change {
            group: format!("add-cache-from:{}", self.target.name),
            title: format!("{} ({})", self.entries.title(), self.target.name),
            reason: {
                let last = entries::recorded(self.target.stage.as_deref(), self.stages);
                self.entries.reason(&self.cx.project.graph, &last, false)
            },
            level: Level::Review,
            offset: self.target.offset,
            more: Vec::new(),
            edits: self.edits,
            effects: self.effects,
            beside: Vec::new(),
            shows: None,
        }
    }
}
