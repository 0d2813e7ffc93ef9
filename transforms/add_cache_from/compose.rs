//! Services of a compose file.

use super::entries::{self, Entries, Subject};
use super::existing::{self, Missing};
use crate::config::CacheMode;
use crate::edit::Edit;
use crate::facts::compose::{Build, BuildKey, INLINE_ARGUMENT, Service};
use crate::facts::interpolation::interpolate;
use crate::project::graph::{self, is_default_compose, is_override, parent};
use crate::transform::{Change, ComposeContext, Effect, Level};
use crate::yaml::edits::{Layout, add_pairs, fill_list, joint, remove, wrap};
use crate::yaml::{Difference, New, Node, Step, below};

/// A service that gets entries.
pub struct Site<'a> {
    cx: &'a ComposeContext<'a>,
    service: &'a Service,
    build: &'a Build,
    entries: Entries,
    stages: Option<usize>,
    missing: Missing,
    edits: Vec<Edit>,
    effects: Vec<Effect>,
    inline_argument_goes: bool,
}

impl<'a> Site<'a> {
    /// All the rejections.
    pub fn find(cx: &'a ComposeContext<'a>, service: &'a Service, build: &'a Build) -> Result<Self, String> {
        let cache = &cx.project.settings.cache;
        if cache.mode(&service.name) == CacheMode::Off {
            return Err("its cache mode is off".to_owned());
        }
        if build.no_cache {
            return Err("`no_cache: true` asks for builds without a cache".to_owned());
        }
        let graph = &cx.project.graph;
        if cache.mode(&service.name) != CacheMode::Classic {
            if let Some(place) = graph.habits.stack(cx.path) {
                return Err(format!(
                    "{place} deploys the file with `docker stack`, whose schema refuses `cache_to`; use mode classic, or keep the entries in an override file"
                ));
            }
            if let Some(place) = graph.habits.compose_1(cx.path) {
                return Err(format!("{place} asks for Compose 1, which refuses `cache_to`; use Compose 2.4 or later"));
            }
        }
        let own = graph
            .builds
            .iter()
            .find(|other| other.by == graph::By::Compose && other.file == cx.path && other.name == service.name);
        let dockerfile = own.and_then(|own| own.dockerfile.as_deref());
        let image = image(cx, service);
        if let Some(reason) = &build.fixed {
            return Err(reason.clone());
        }
        let missing = existing::judge(cx.project, service, build, image.as_deref(), dockerfile)?;
        if matches!(service.build, BuildKey::Merged(_)) {
            return Err("its `build` comes from a merge key; write it out in the service".to_owned());
        }
        joined_with_others(cx, service)?;
        let subject =
            Subject { name: &service.name, image: image.as_deref(), resolved: resolved(image.as_deref()), dockerfile };
        let entries = entries::find(&subject, cx.project)?;
        if let Some(own) = own {
            let own = graph::Build { images: image.iter().cloned().collect(), ..own.clone() };
            if let Some(writer) = entries::existing_writer(&own, &entries, graph) {
                return Err(format!(
                    "{writer} writes {} already, and each would overwrite the other's cache",
                    entries.place
                ));
            }
            if let Some(other) = entries::rival(&own, cx.project) {
                let same = (&other.context, &other.dockerfile, &other.target, &other.args)
                    == (&own.context, &own.dockerfile, &own.target, &own.args);
                if same && own.dockerfile.is_some() {
                    return Err(format!(
                        "`{}` ({}:{}) is the same build and would write {} too; build in one of them and let the other use its `image`",
                        other.name, other.file, other.line, entries.place
                    ));
                }
                return Err(format!(
                    "`{}` ({}:{}) would write {} too, and each would overwrite the other's cache; give them different names, or build in one and let the other use its `image`",
                    other.name, other.file, other.line, entries.place
                ));
            }
        }
        let declined = build
            .inline_argument()
            .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "f"));
        if entries.mode == CacheMode::Inline && declined {
            return Err(format!(
                "{INLINE_ARGUMENT} is switched off in its `args`; remove it there, or use mode registry"
            ));
        }
        let stages = dockerfile.and_then(|path| graph.dockerfiles.get(path)).map(|image| image.stages);
        let mut site = Self {
            cx,
            service,
            build,
            entries,
            stages,
            missing,
            edits: Vec::new(),
            effects: Vec::new(),
            inline_argument_goes: false,
        };
        site.write(dockerfile)?;
        Ok(site)
    }

    /// Edits and effects.
    fn write(&mut self, dockerfile: Option<&str>) -> Result<(), String> {
        let (text, stream) = (self.cx.text, self.cx.stream);
        let parent = stream.node(&self.service.path).ok_or("its mapping was not found")?;
        let pair = parent.pair("build").ok_or("its `build` was not found")?;
        let mut near = vec![&pair.1, parent];
        near.extend(stream.documents.first());
        let layout = Layout::of(text, stream, &near);
        let list = |entries: &[String]| New::List(entries.iter().map(New::entry).collect());
        let mut pairs = Vec::new();
        if self.missing != Missing::Export {
            pairs.push(("cache_from", list(&self.entries.cache_from)));
        }
        if !self.entries.cache_to.is_empty() && self.missing != Missing::Import {
            pairs.push(("cache_to", list(&self.entries.cache_to)));
        }
        let at = |reason: String| format!("restow can't add a key to its `build`: {reason}");
        if self.build.is_short {
            self.edits = wrap(text, pair, parent.is_flow(), "context", &pairs, layout).map_err(at)?;
            let difference = Difference::Wrap { path: self.build.path.clone(), key: "context".to_owned() };
            self.effects.push(Effect::Data(difference));
        } else {
            // Lists that are there and empty are filled where they stand.
            let (there, new): (Vec<_>, Vec<_>) = pairs.iter().cloned().partition(|(key, _)| pair.1.get(key).is_some());
            for (key, value) in &there {
                let list = pair.1.get(key).ok_or("its list was not found")?;
                self.edits.extend(fill_list(text, list, value).map_err(at)?);
            }
            if !new.is_empty() {
                self.edits.extend(add_pairs(text, &pair.1, &new, layout).map_err(at)?);
            }
            self.remove_inline_argument(&pair.1, dockerfile);
        }
        if self.entries.mode == CacheMode::Inline
            && !self.inline_argument_goes
            && let Some(place) = self.inline_argument_stays()
        {
            return Err(format!(
                "{place} sets {INLINE_ARGUMENT}, and beside it `cache_to: [type=inline]` fails the build (\"duplicate cache exports\"); remove the argument there"
            ));
        }
        for (key, value) in pairs {
            self.effects.push(Effect::Data(Difference::Set { path: below(&self.build.path, key), value }));
        }
        Ok(())
    }

    /// Takes BUILDKIT_INLINE_CACHE out, where `cache_to` says the same or the builder does not know it.
    fn remove_inline_argument(&mut self, build: &Node, dockerfile: Option<&str>) {
        let stands_in = match self.entries.mode {
            CacheMode::Inline => self.build.writes_inline(),
            CacheMode::Classic => self.build.inline_argument().is_some(),
            _ => false,
        };
        let declared = dockerfile
            .and_then(|path| self.cx.project.graph.dockerfiles.get(path))
            .is_some_and(|image| image.arguments.iter().any(|name| name == INLINE_ARGUMENT));
        let Some(args) = build
            .get("args")
            .filter(|args| stands_in && !declared && args.tag.is_none() && !self.cx.stream.is_shared(args))
        else {
            return;
        };
        if self.build.args.iter().filter(|(name, _)| name == INLINE_ARGUMENT).count() != 1 {
            return;
        }
        let index = match args.is_sequence() {
            true => args
                .items()
                .iter()
                .position(|item| item.text().is_some_and(|text| text.split('=').next() == Some(INLINE_ARGUMENT))),
            false => args.pairs().iter().position(|(key, _)| key.text() == Some(INLINE_ARGUMENT)),
        };
        let Some(index) = index else { return };
        let path = below(&self.build.path, "args");
        let alone = args.items().len() + args.pairs().len() == 1;
        let (edit, path) = if alone {
            let at = build.pairs().iter().position(|(key, _)| key.text() == Some("args"));
            (at.map(|at| remove(self.cx.text, build, at)), path)
        } else {
            let step = match args.is_sequence() {
                true => Step::Index(index),
                false => Step::key(INLINE_ARGUMENT),
            };
            (Some(remove(self.cx.text, args, index)), path.into_iter().chain([step]).collect())
        };
        if let Some(Ok(edit)) = edit {
            self.edits = joint(self.cx.text, edit, std::mem::take(&mut self.edits));
            self.effects.push(Effect::Data(Difference::Remove { path }));
            self.inline_argument_goes = true;
        }
    }

    /// Where the argument still reaches the service from.
    fn inline_argument_stays(&self) -> Option<String> {
        let is_on = |build: &Build| {
            build
                .inline_argument()
                .is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "f"))
        };
        if is_on(self.build) {
            return Some("the service itself".to_owned());
        }
        let graph = &self.cx.project.graph;
        let joined = graph
            .composes
            .iter()
            .filter(|source| source.path != self.cx.path && graph.habits.may_join(&source.path, self.cx.path));
        for source in joined {
            let same = source.file.services.iter().find(|other| other.name == self.service.name);
            if same.and_then(Service::any_build).is_some_and(is_on) {
                return Some(source.path.clone());
            }
        }
        graph.habits.inline_argument(self.cx.path).map(str::to_owned)
    }

    pub fn change(self) -> Change {
        let mut reason = {
            let last = entries::recorded(self.build.target.as_deref(), self.stages);
            self.entries.reason(&self.cx.project.graph, &last, true)
        };
        match self.missing {
            Missing::Both => {}
            Missing::Export => {
                reason = format!(
                    "the service reads its own image already, but nothing writes a record into it, so `cache_from` finds nothing; {reason}"
                );
            }
            Missing::Import => {
                reason = format!("a record goes into the image already, but nothing reads it; {reason}");
            }
        }
        if self.inline_argument_goes {
            let why = match self.entries.mode {
                CacheMode::Classic => "means nothing to that builder",
                _ => "did the same unseen",
            };
            reason.push_str(&format!("; the argument {INLINE_ARGUMENT} {why} and goes"));
        }
        Change {
            group: format!("add-cache-from:{}", self.service.name),
            title: format!("{} ({})", self.entries.title(), self.service.name),
            reason,
            level: Level::Review,
            offset: self.build.offset,
            more: Vec::new(),
            edits: self.edits,
            effects: self.effects,
            beside: Vec::new(),
            shows: None,
        }
    }
}

/// Why a service that has no build of its own gets none, if it takes one over.
pub fn inherited(cx: &ComposeContext<'_>, service: &Service) -> Option<String> {
    let extends = service.extends.as_ref()?;
    let file = match &extends.file {
        None => cx.path.to_owned(),
        Some(file) => graph::inside(&parent(cx.path), file)?,
    };
    let source = cx.project.graph.composes.iter().find(|source| source.path == file)?;
    let base = source.file.services.iter().find(|other| other.name == extends.service)?;
    base.any_build()?;
    Some(format!(
        "it takes its `build` over from `{}` ({file}); entries belong there, and then both services read and write one place",
        base.name
    ))
}

/// The image of a service as written; where it has none, that of the file of its folder that Compose loads by itself.
fn image(cx: &ComposeContext<'_>, service: &Service) -> Option<String> {
    if service.image.is_some() {
        return service.image.clone();
    }
    let folder = parent(cx.path);
    let images = cx.project.graph.default_images();
    let found = images.iter().find(|(other, name, _)| *other == folder && *name == service.name);
    found.map(|(.., image)| (*image).to_owned())
}

/// The image with its variables at their defaults.
fn resolved(image: Option<&str>) -> Result<String, String> {
    let Some(image) = image else {
        return Err(
            "it has no `image`, and the default name depends on the project's; add `image: NAME:TAG`".to_owned()
        );
    };
    let found = interpolate(image);
    if let Some(name) = found.bare.first() {
        return Err(format!(
            "its image needs {name}, which has no default and would leave a broken reference; write ${{{name}:-default}}"
        ));
    }
    if let Some(name) = entries::changing(image) {
        return Err(format!(
            "its tag changes with {name} from build to build, so the entry would ask for an image that is not there yet; use mode registry with cache.registry, or a tag that stays"
        ));
    }
    Ok(found.text)
}

/// Whether other services get this one's lists, or give it theirs: lists append, and an entry must not be written twice.
fn joined_with_others(cx: &ComposeContext<'_>, service: &Service) -> Result<(), String> {
    let graph = &cx.project.graph;
    let folder = parent(cx.path);
    if let Some(extends) = &service.extends {
        let file = match &extends.file {
            None => Some(cx.path.to_owned()),
            Some(file) => graph::inside(&folder, file),
        };
        let base = graph.composes.iter().find(|source| Some(&source.path) == file.as_ref());
        let base = base.and_then(|source| source.file.services.iter().find(|other| other.name == extends.service));
        return match base {
            Some(base) if base.any_build().is_none() => Ok(()),
            Some(base) => Err(format!(
                "it extends `{}`, whose `build` it takes over: lists append, so entries here would stand beside those of `{}`; write the entries by hand, or end the extension",
                base.name, base.name
            )),
            None => Err(format!(
                "it extends `{}`, which was not found, so the lists that it would append to are not known",
                extends.service
            )),
        };
    }
    for source in &graph.composes {
        for other in &source.file.services {
            let Some(extends) = &other.extends else { continue };
            let file = match &extends.file {
                None => Some(source.path.clone()),
                Some(file) => graph::inside(&parent(&source.path), file),
            };
            if extends.service == service.name && file.as_deref() == Some(cx.path) {
                return Err(format!(
                    "`{}` ({}) extends it and would take over these entries, so that two services read and write one place; write the entries by hand, or end the extension",
                    other.name, source.path
                ));
            }
        }
    }
    let rank = |path: &str| match is_default_compose(path) {
        true if is_override(path) => 2,
        true => 0,
        false => 1,
    };
    let settings = &cx.project.settings.cache;
    for source in graph.composes.iter().filter(|source| source.path != cx.path) {
        if !graph.habits.may_join(&source.path, cx.path)
            || (rank(&source.path), rank(cx.path)) == (0, 0) && parent(&source.path) == folder
        {
            // Compose loads compose.yaml and not docker-compose.yml where both are there.
            continue;
        }
        let other = source.file.services.iter().find(|other| other.name == service.name);
        let Some(build) = other.and_then(Service::any_build) else { continue };
        let comes_first = rank(&source.path) < rank(cx.path);
        if !comes_first && (build.cache_from.is_some() || build.cache_to.is_some()) {
            return Err(format!(
                "{} gives it cache entries, and loaded together the lists append, so that each entry would stand twice; keep them in one of the files",
                source.path
            ));
        }
        let own = graph
            .builds
            .iter()
            .find(|build| build.by == graph::By::Compose && build.file == source.path && build.name == service.name);
        let image = own.and_then(|own| own.images.first()).map(String::as_str);
        let usable = resolved(image).is_ok() || settings.registry(&service.name).is_some();
        let gets = build.fixed.is_none()
            && !build.no_cache
            && usable
            && entries::written(&service.name, image, settings).is_some();
        if comes_first && gets {
            return Err(format!(
                "{} builds it too: loaded together their lists append, so the entries belong there; copy them if this file is used alone",
                source.path
            ));
        }
        if !comes_first && rank(&source.path) == rank(cx.path) && gets {
            return Err(format!(
                "{} builds it too, and whether both files are loaded together, so that their lists append, is not known; write the entries into one of them by hand",
                source.path
            ));
        }
    }
    Ok(())
}
