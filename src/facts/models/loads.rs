//! The loads of a program: which calls load a model, and which one.

use std::collections::{BTreeMap, BTreeSet};

use super::loaders::{self, How, Loader, is_hub_id};
use super::names::is_known_short;
use super::scopes::Place;
use super::values::{Evaluator, Given, Text, Value, only_text};
use crate::python::{Call, Expression, ExpressionKind};

/// A model that is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The dotted name of what loads it.
    pub library: String,
    pub how: How,
    /// As the program gives it.
    pub id: Text,
    pub revision: Option<String>,
    /// Where it is loaded: the file, relative to the root of the project, and the line.
    pub path: String,
    pub line: usize,
    pub kept: Kept,
    /// Whether only tokenizer and configuration are loaded.
    pub is_light: bool,
    /// Whether no argument of the call speaks of a format of the weights.
    pub is_plain: bool,
    /// Whether the code looks for a folder of its own first, and loads this where that is missing.
    pub is_second: bool,
    /// Whether it is loaded by its own only where loading another one failed.
    pub is_fallback: bool,
    /// Whether the code says that nothing is fetched.
    pub is_local: bool,
    /// The folder of its own that a download is given: no cache of the library.
    pub local: Option<String>,
    /// Of torch.hub: the repository.
    pub repository: Option<String>,
    /// Whether nothing that is started is seen to import its file.
    pub is_aside: bool,
}

/// What the code says about where the files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Nothing: the library decides.
    Nowhere,
    At(String),
    /// Somewhere that is not known.
    Unknown,
}

/// A load whose model can't be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    pub library: String,
    pub path: String,
    pub line: usize,
    pub reason: String,
}

/// What the loads of a program are.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub loads: Vec<Load>,
    pub unresolved: Vec<Unresolved>,
    /// Environment variables that the program sets itself, with their values where these are known.
    pub assigned: BTreeMap<String, Option<String>>,
    /// Whether it writes models to folders of its own.
    pub saves: bool,
}

/// Finds the loads in what is run.
pub fn find(evaluator: &Evaluator<'_>) -> Found {
    let mut found = Found::default();
    let scopes = evaluator.scopes;
    for place in &scopes.expressions {
        let around = scopes.statements_around(place.scope);
        if evaluator.live.borrow().as_ref().is_some_and(|live| !live.contains(&around)) {
            continue;
        }
        evaluator.each_run(*place, &mut |place| {
            if let Some(call) = place.expression.call() {
                Site { evaluator, place, call }.read(&mut found);
            }
        });
    }
    for (scope, name, value) in &scopes.assigned {
        let around = scopes.statements_around(*scope);
        let is_live = evaluator.live.borrow().as_ref().is_none_or(|live| live.contains(&around));
        let of = |expression| evaluator.values(Place { scope: *scope, expression });
        if let (true, Some(name)) = (is_live, only_text(&of(*name))) {
            let values = of(*value);
            let value = match values.as_slice() {
                [Value::Path(path)] => path.clone(),
                values => only_text(values).map(|text| text.value.clone()),
            };
            found.assigned.insert(name.value.clone(), value);
        }
    }
    found.saves = ["save", "save_pretrained"].iter().any(|name| !evaluator.calls_of(name).is_empty());
    // `except LookupError: nltk.download(…)` is how it is loaded where nothing in front of it loads anything.
    let firsts: BTreeSet<(String, How)> =
        found.loads.iter().filter(|load| !load.is_fallback).map(|load| (load.path.clone(), load.how)).collect();
    for load in &mut found.loads {
        load.is_fallback &= firsts.contains(&(load.path.clone(), load.how));
    }
    let mut known = BTreeSet::new();
    found.loads.retain(|load| {
        known.insert((load.library.clone(), load.id.value.clone(), load.revision.clone(), load.path.clone(), load.line))
    });
    found.loads.sort_by(|left, right| {
        (&left.path, left.line, &left.id.value).cmp(&(&right.path, right.line, &right.id.value))
    });
    found.unresolved.sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
    found.unresolved.dedup();
    found
}

/// A call, and where it stands.
struct Site<'e, 'p> {
    evaluator: &'e Evaluator<'p>,
    place: Place<'p>,
    call: &'p Call,
}

impl<'p> Site<'_, 'p> {
    fn values(&self, expression: &'p Expression) -> Vec<Value<'p>> {
        self.evaluator.values(Place { scope: self.place.scope, expression })
    }

    fn read(&self, found: &mut Found) {
        // `to_thread(SentenceTransformer, NAME)` calls what it is given.
        let (callee, shift) =
            super::values::wrapped(self.call).map_or((&self.call.function, 0), |(callee, shift)| (callee, shift));
        let mut names: Vec<String> = Vec::new();
        let is_named_so = callee.last_name().is_some_and(|name| name == "from_pretrained");
        if let ExpressionKind::Attribute(object, method) = &callee.kind
            && object.call().is_some_and(|call| call.function.name() == Some("super"))
            && method == "__init__"
        {
            let class = self.evaluator.scopes.class_around(self.place.scope);
            names.extend(class.map(|class| self.evaluator.library_bases(class)).unwrap_or_default());
        } else {
            for value in self.values(callee) {
                match value {
                    Value::External(name) => names.push(name),
                    // A class of the program that is a library's class with nothing of its own to say.
                    Value::Class(class) => names.extend(self.inherited(class, "__init__", "")),
                    Value::Unknown(_) if is_named_so => names.push("from_pretrained".to_owned()),
                    _ => {}
                }
            }
            if let (true, ExpressionKind::Attribute(object, _)) = (is_named_so, &callee.kind) {
                for value in self.values(object) {
                    if let Value::Class(class) = value {
                        names.extend(self.inherited(class, "from_pretrained", ".from_pretrained"));
                    }
                }
                if names.is_empty() && self.values(callee).is_empty() {
                    names.push("from_pretrained".to_owned());
                }
            }
        }
        names.sort();
        names.dedup();
        let loaders: Vec<(String, &'static Loader)> =
            names.into_iter().filter_map(|name| Some((name.clone(), loaders::of(&name)?))).collect();
        for (name, loader) in loaders {
            self.load(&name, loader, shift, found);
        }
    }

    /// The bases of libraries that a class leaves a method to.
    fn inherited(&self, class: usize, method: &str, suffix: &str) -> Vec<String> {
        let scopes = &self.evaluator.scopes.all;
        let has_own =
            self.evaluator.ancestry(class).into_iter().any(|class| scopes[class].bindings.contains_key(method));
        if has_own {
            return Vec::new();
        }
        self.evaluator.library_bases(class).into_iter().map(|base| format!("{base}{suffix}")).collect()
    }

    fn argument(&self, loader: &Loader, shift: usize) -> Option<&'p Expression> {
        let named = loader.arguments.iter().find_map(|name| self.call.keyword(name));
        named.or_else(|| self.call.argument("", Some(loader.position? + shift)))
    }

    fn load(&self, name: &str, loader: &'static Loader, shift: usize, found: &mut Found) {
        let unit = &self.evaluator.program.units[self.evaluator.scopes.all[self.place.scope].unit];
        let line = unit.lines.line(self.place.expression.offset);
        let unresolved =
            |reason: String| Unresolved { library: name.to_owned(), path: unit.source.clone(), line, reason };
        if let Some(test) = self.evaluator.excluded(self.place.scope, self.place.expression.offset) {
            let test_line = unit.lines.line(test.offset);
            found
                .unresolved
                .push(unresolved(format!("not reached as the service is set up: the test in line {test_line} fails")));
            return;
        }
        if loader.how == How::Timm {
            let pretrained = self.call.argument("pretrained", Some(1 + shift)).map(|value| self.values(value));
            if !matches!(pretrained.as_deref(), Some([Value::Bool(true)])) {
                return;
            }
        }
        let Some(argument) = self.argument(loader, shift) else {
            match loader.default {
                Some(id) => {
                    let mut value = self.evaluator.text(self.place, id.to_owned());
                    if let Value::Text(text) = &mut value {
                        text.given = Given::LibraryDefault;
                        found.loads.push(self.described(name, loader, text.clone(), false));
                    }
                }
                None if name.ends_with(".pipeline") => {
                    found
                        .unresolved
                        .push(unresolved("no model is named: the default of the task differs by version".to_owned()));
                }
                None if loader.how == How::Nltk => {}
                None => {
                    let is_spread = self.call.keywords.iter().any(|(keyword, _)| keyword.is_none())
                        || self
                            .call
                            .arguments
                            .iter()
                            .any(|argument| matches!(argument.kind, ExpressionKind::Starred(_)));
                    if is_spread {
                        found.unresolved.push(unresolved("its arguments are handed over as a whole".to_owned()));
                    }
                }
            }
            return;
        };
        let mut values = self.values(argument);
        // A list of several: nltk.download(["punkt", "stopwords"]).
        let mut several = Vec::new();
        for value in &values {
            if let Value::Literal(Place { scope, expression }) = value
                && let ExpressionKind::Sequence(items) = &expression.kind
            {
                several.extend(
                    items.iter().flat_map(|item| self.evaluator.values(Place { scope: *scope, expression: item })),
                );
            }
        }
        if loader.how == How::Nltk {
            values.extend(several);
        }
        let has_path = values.iter().any(|value| matches!(value, Value::Path(_)));
        let mut ids: Vec<Text> = Vec::new();
        let mut unknown: Option<String> = None;
        let mut unset: Option<String> = None;
        let mut has_local = has_path;
        for value in values {
            match value {
                Value::Text(text) => {
                    if self.is_id(loader, &text.value) {
                        if !ids.iter().any(|known| known.value == text.value) {
                            ids.push(text);
                        }
                    } else {
                        has_local = true;
                    }
                }
                Value::Unknown(why) => unknown = Some(why),
                Value::Unset(name) => unset = Some(name),
                // A model that is loaded already, and no id.
                Value::External(name) if name.split_once("()").is_some_and(|(made, _)| loaders::of(made).is_some()) => {
                }
                Value::External(_) | Value::Data(_) => unknown = Some("computed".to_owned()),
                _ => {}
            }
        }
        if let Some(why) = unknown {
            found.unresolved.push(unresolved(why));
            // Something else may be loaded in its place: what is known is not certain.
            if ids.iter().all(|id| id.given == Given::Literal && id.line == line) {
                return;
            }
        }
        if ids.is_empty() {
            if let (Some(name), false) = (unset, has_local) {
                found.unresolved.push(unresolved(format!("nothing in the repository sets {name}")));
            }
            return;
        }
        found.loads.extend(ids.into_iter().map(|id| self.described(name, loader, id, has_local)));
    }

    fn is_id(&self, loader: &Loader, text: &str) -> bool {
        if loader.how == How::Whisper
            || loader.how == How::FasterWhisper
            || loader.how == How::Hub
            || loader.how == How::SentenceTransformers
        {
            let workdir = self.evaluator.around.workdir;
            let path = crate::facts::copies::absolute(workdir, text);
            let is_there = ["config.json", "modules.json", "model.bin", "adapter_config.json", "model_index.json"]
                .iter()
                .any(|name| (self.evaluator.around.text)(&format!("{path}/{name}")).is_some());
            let is_named = text.contains('/') || loader.how == How::Whisper || is_known_short(text, loader.how);
            return is_hub_id(text) && is_named && !is_there;
        }
        match loader.how {
            How::Spacy => is_hub_id(text) && !text.contains('/'),
            How::Own => !text.starts_with(['.', '/']) && !text.is_empty(),
            _ => is_hub_id(text),
        }
    }

    fn described(&self, name: &str, loader: &'static Loader, id: Text, is_second: bool) -> Load {
        let unit = &self.evaluator.program.units[self.evaluator.scopes.all[self.place.scope].unit];
        let text_of = |argument: &str| {
            let value = self.call.keyword(argument)?;
            let values = self.values(value);
            only_text(&values).map(|text| text.value.clone())
        };
        let kept = match loader.kept.and_then(|argument| self.call.keyword(argument)) {
            None => Kept::Nowhere,
            Some(value) => match self.values(value).as_slice() {
                [Value::None] => Kept::Nowhere,
                [Value::Path(Some(path))] => Kept::At(path.clone()),
                [Value::Text(text)] if text.value.starts_with('~') => Kept::Unknown,
                [Value::Text(text)] => {
                    Kept::At(crate::facts::copies::absolute(self.evaluator.around.workdir, &text.value))
                }
                _ => Kept::Unknown,
            },
        };
        let around = self.evaluator.scopes.statements_around(self.place.scope);
        let guards = self.evaluator.scopes.guards_at(around, self.place.expression.offset);
        let last = |name: &str| name.rsplit('.').nth(1).map(str::to_owned);
        let class = last(name).unwrap_or_default();
        let is_light = name.ends_with(".from_pretrained")
            && ["Tokenizer", "Processor", "Config", "FeatureExtractor"].iter().any(|end| class.contains(end));
        let is_local = self
            .call
            .keyword("local_files_only")
            .is_some_and(|value| matches!(self.values(value).as_slice(), [Value::Bool(true)]));
        Load {
            library: name.to_owned(),
            how: loader.how,
            id,
            revision: text_of("revision"),
            path: unit.source.clone(),
            line: unit.lines.line(self.place.expression.offset),
            kept,
            is_light,
            is_plain: !self.call.keywords.iter().any(|(name, _)| {
                matches!(
                    name.as_deref(),
                    None | Some(
                        "backend"
                            | "from_tf"
                            | "from_flax"
                            | "use_safetensors"
                            | "use_onnx"
                            | "gguf_file"
                            | "model_kwargs"
                    )
                )
            }),
            is_second,
            is_fallback: guards.iter().any(|guard| guard.handles),
            is_local,
            is_aside: false,
            local: text_of("local_dir"),
            repository: text_of("repo_or_dir").or_else(|| {
                let first = (loader.how == How::TorchHub).then(|| self.call.arguments.first()).flatten()?;
                only_text(&self.values(first)).map(|text| text.value.clone())
            }),
        }
    }
}
