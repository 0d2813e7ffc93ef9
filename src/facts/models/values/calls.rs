//! What calls give, and which calls reach a function.

use std::collections::HashMap;

use super::{Evaluator, Frame, Given, Value, of_data, only_text, raise};
use crate::facts::copies::absolute;
use crate::facts::models::program::folder;
use crate::facts::models::scopes::{Place, ScopeId, ScopeKind};
use crate::python::{Call, Expression, ExpressionKind};

/// Functions of libraries that call another one: by their last name, and where it stands among their arguments.
const WRAPPERS: [(&str, usize); 8] = [
    ("to_thread", 0),
    ("run_in_executor", 1),
    ("run_in_threadpool", 0),
    ("run_sync", 0),
    ("submit", 0),
    ("partial", 0),
    ("apply", 0),
    ("spawn", 0),
];
/// Functions that read an environment variable, with a default behind its name.
const ENVIRONMENT: [&str; 16] = [
    "os.getenv",
    "os.environ.get",
    "os.environ.setdefault",
    "os.environ.pop",
    "decouple.config",
    "decouple.Config()()",
    "decouple.AutoConfig()()",
    "starlette.config.Config()()",
    "starlette.config.Config().get",
    "environs.Env()()",
    "environs.Env().str",
    "environ.Env()()",
    "environ.Env().str",
    "environ.get",
    "prettyconf.config",
    "os.getenvb",
];
/// Functions that read a configuration file which they are given open, or by its path.
const READERS: [&str; 17] = [
    "yaml.safe_load",
    "yaml.load",
    "yaml.full_load",
    "json.load",
    "json.loads",
    "toml.load",
    "toml.loads",
    "tomllib.load",
    "tomllib.loads",
    "tomli.load",
    "tomli.loads",
    "omegaconf.OmegaConf.load",
    "dotenv.dotenv_values",
    "ruamel.yaml.YAML().load",
    "orjson.loads",
    "box.Box.from_yaml",
    "yaml.unsafe_load",
];
/// What gives back its first argument, or one much like it.
const THROUGH: [&str; 9] = [
    "builtins.str",
    "builtins.dict",
    "copy.copy",
    "copy.deepcopy",
    "types.SimpleNamespace",
    "omegaconf.OmegaConf.create",
    "box.Box",
    "pydantic.SecretStr",
    "typing.Final",
];

/// What a wrapper calls, and at which of its arguments those of that begin.
pub fn wrapped(call: &Call) -> Option<(&Expression, usize)> {
    let name = call.function.last_name()?;
    let (_, position) = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name)?;
    Some((call.arguments.get(*position)?, position + 1))
}

impl<'p> Evaluator<'p> {
    pub(super) fn call(&self, place: Place<'p>, call: &'p Call) -> Vec<Value<'p>> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        if let ExpressionKind::Attribute(object, method) = &call.function.kind
            && let Some(found) = self.method(place, object, method, call)
        {
            return found;
        }
        let mut found = Vec::new();
        for callee in self.values(here(&call.function)) {
            match callee {
                Value::Function(function) => found.extend(self.returned_to(function, place, call)),
                Value::Class(class) if self.is_enumeration(class) => {
                    found.extend(call.arguments.first().map(|value| self.values(here(value))).unwrap_or_default());
                }
                Value::Instance(class) => {
                    let called = self.member(class, "__call__");
                    for value in called {
                        if let Value::Function(function) = value {
                            found.extend(self.returned(function));
                        }
                    }
                }
                Value::External(name) => found.extend(self.library_call(place, &name, call)),
                other => found.extend(self.made_by(other)),
            }
        }
        found
    }

    /// What calling a value without arguments gives.
    fn made_by(&self, value: Value<'p>) -> Vec<Value<'p>> {
        match value {
            Value::Function(function) => self.returned(function),
            Value::Class(class) => vec![Value::Instance(class)],
            Value::Lambda(lambda) => match &lambda.expression.kind {
                ExpressionKind::Lambda { body, .. } => {
                    let scope = self.scopes.inner(lambda.expression).unwrap_or(lambda.scope);
                    self.values(Place { scope, expression: body })
                }
                _ => Vec::new(),
            },
            other => vec![super::unknown_like(other)],
        }
    }

    /// What a function of the program gives back.
    fn returned(&self, function: ScopeId) -> Vec<Value<'p>> {
        if self.scopes.returns.contains_key(&function) { self.returns_of(function) } else { vec![Value::None] }
    }

    /// The values behind the `return`s of a function that tests don't exclude.
    pub(super) fn returns_of(&self, function: ScopeId) -> Vec<Value<'p>> {
        let returns = self.scopes.returns.get(&function).into_iter().flatten();
        let held = returns.filter(|value| self.excluded(function, value.offset).is_none());
        held.flat_map(|value| self.values(Place { scope: function, expression: value })).collect()
    }

    /// What a function of the program gives back to a call.
    fn returned_to(&self, function: ScopeId, place: Place<'p>, call: &'p Call) -> Vec<Value<'p>> {
        const DEEPEST: usize = 2;
        // Each looks at its function anew: with more of them, what all calls give together is good enough.
        const MOST: usize = 2_000;
        let ScopeKind::Function(definition) = self.scopes.all[function].kind else { return Vec::new() };
        let is_spread = call.arguments.iter().any(|argument| matches!(argument.kind, ExpressionKind::Starred(_)))
            || call.keywords.iter().any(|(name, _)| name.is_none());
        let is_inside = self.frames.borrow().iter().any(|frame| frame.function == function);
        if definition.parameters.is_empty()
            || is_spread
            || is_inside
            || self.frames.borrow().len() >= DEEPEST
            || self.next_frame.get() > MOST
        {
            return self.returned(function);
        }
        let parent = self.scopes.all[function].parent.unwrap_or(function);
        let is_method = matches!(self.scopes.all[parent].kind, ScopeKind::Class(_));
        let is_static = definition.decorators.iter().any(|decorator| decorator.last_name() == Some("staticmethod"));
        let skipped = usize::from(is_method && !is_static);
        let mut arguments = HashMap::new();
        for (index, parameter) in definition.parameters.iter().enumerate().skip(skipped) {
            let values = match call.argument(&parameter.name, Some(index - skipped)) {
                Some(argument) => self.values(Place { scope: place.scope, expression: argument }),
                None => match &parameter.default {
                    Some(default) => {
                        let mut values = self.values(Place { scope: parent, expression: default });
                        raise(&mut values, Given::DefaultArgument);
                        values
                    }
                    None => continue,
                },
            };
            arguments.insert(parameter.name.as_str(), values);
        }
        let id = self.next_frame.get();
        self.next_frame.set(id + 1);
        self.frames.borrow_mut().push(Frame { function, arguments, id });
        let found = self.returned(function);
        self.frames.borrow_mut().pop();
        found
    }

    /// Methods of texts, paths, dictionaries and configuration files.
    fn method(&self, place: Place<'p>, object: &'p Expression, method: &str, call: &'p Call) -> Option<Vec<Value<'p>>> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        let known = [
            "strip",
            "lstrip",
            "rstrip",
            "lower",
            "upper",
            "get",
            "resolve",
            "absolute",
            "open",
            "read_text",
            "joinpath",
            "get_secret_value",
            "expanduser",
            "title",
            "pop",
            "as_posix",
            "read",
        ];
        if !known.contains(&method) {
            return None;
        }
        let mut found = Vec::new();
        for value in self.values(here(object)) {
            match value {
                Value::Text(mut text) => {
                    text.value = match method {
                        "strip" | "lstrip" | "rstrip" if call.arguments.is_empty() => text.value.trim().to_owned(),
                        "lower" => text.value.to_lowercase(),
                        "upper" => text.value.to_uppercase(),
                        "get_secret_value" => text.value,
                        _ => return Some(vec![Value::Unknown("computed".to_owned())]),
                    };
                    found.push(Value::Text(text));
                }
                Value::Path(Some(path)) => found.push(match method {
                    "resolve" | "absolute" | "open" | "read_text" | "expanduser" | "as_posix" | "read" => {
                        Value::Path(Some(path))
                    }
                    "joinpath" => Value::Path(self.joined(Some(path), place, &call.arguments)),
                    _ => Value::Path(None),
                }),
                Value::Path(None) => found.push(Value::Path(None)),
                Value::Data(data) if matches!(method, "get" | "pop") => {
                    let keys = call.arguments.first().map(|key| self.values(here(key))).unwrap_or_default();
                    match only_text(&keys).and_then(|key| data.get(&key.value).cloned()) {
                        Some(data) => found.push(of_data(data)),
                        None => found.extend(self.default_of(place, call)),
                    }
                }
                Value::Literal(literal) if matches!(method, "get" | "pop") => {
                    let keys = call.arguments.first().map(|key| self.values(here(key))).unwrap_or_default();
                    let entry = self.entry(literal, &keys);
                    if entry.is_empty() {
                        found.extend(self.default_of(place, call));
                    } else {
                        found.extend(entry);
                    }
                }
                Value::None => {}
                Value::Unset(name) => found.push(Value::Unset(name)),
                Value::Unknown(why) => found.push(Value::Unknown(why)),
                _ => return None,
            }
        }
        (!found.is_empty()).then_some(found)
    }

    fn default_of(&self, place: Place<'p>, call: &'p Call) -> Vec<Value<'p>> {
        match call.argument("default", Some(1)) {
            Some(default) => {
                let mut values = self.values(Place { scope: place.scope, expression: default });
                raise(&mut values, Given::DefaultArgument);
                values
            }
            None => vec![Value::None],
        }
    }

    fn library_call(&self, place: Place<'p>, name: &str, call: &'p Call) -> Vec<Value<'p>> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        let first = || call.arguments.first().map(|argument| self.values(here(argument)));
        if ENVIRONMENT.contains(&name) {
            let given = call.argument("key", Some(0)).map(|argument| self.values(here(argument))).unwrap_or_default();
            let Some(variable) = only_text(&given) else {
                return vec![Value::Unknown("a variable whose name is not known".to_owned())];
            };
            let default = call.argument("default", Some(1)).map(|default| self.values(here(default)));
            // Without a default it is nothing.
            let default =
                default.or_else(|| name.starts_with("os.").then(|| vec![Value::Unset(variable.value.clone())]));
            return self.variable(&variable.value, default);
        }
        if READERS.contains(&name) {
            let path = first().and_then(|values| self.path_of(&values));
            let path = path.or_else(|| (name == "dotenv.dotenv_values").then(|| ".env".to_owned()));
            let Some(path) = path else { return vec![Value::Unknown("read from a file that is not known".to_owned())] };
            return match self.configuration(&path) {
                Some(data) => vec![of_data(data)],
                None => vec![Value::Unknown(format!("read from {path}, which is not in the image"))],
            };
        }
        if THROUGH.contains(&name) {
            if call.arguments.is_empty() && !call.keywords.is_empty() {
                return vec![Value::Literal(place)];
            }
            return first().unwrap_or_default();
        }
        match name {
            "os.path.join" | "pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath" => {
                vec![Value::Path(self.joined(None, place, &call.arguments))]
            }
            "os.path.dirname" => {
                vec![Value::Path(first().and_then(|values| self.path_of(&values)).map(|path| folder(&path).to_owned()))]
            }
            "os.path.expanduser" => vec![Value::Path(first().and_then(|values| match values.as_slice() {
                // Whose home it is depends on who runs it.
                [Value::Text(text)] if text.value.starts_with('~') => None,
                values => self.path_of(values),
            }))],
            "pathlib.Path.home" => vec![Value::Path(None)],
            "os.path.abspath" | "os.path.realpath" | "os.path.normpath" | "builtins.open" | "io.open" => {
                vec![Value::Path(first().and_then(|values| self.path_of(&values)))]
            }
            "os.getcwd" | "pathlib.Path.cwd" => vec![Value::Path(Some(self.around.workdir.to_owned()))],
            "os.path.exists" | "os.path.isdir" | "os.path.isfile" => vec![Value::Unknown("a test".to_owned())],
            "builtins.getattr" => self.getattr(place, call),
            "typing.cast" => call.arguments.get(1).map(|value| self.values(here(value))).unwrap_or_default(),
            "builtins.bool" => vec![Value::Unknown("computed".to_owned())],
            "fastapi.Depends" | "fastapi.params.Depends" | "fastapi.Security" => {
                let Some(provider) = call.arguments.first() else { return Vec::new() };
                self.values(here(provider)).into_iter().flat_map(|value| self.made_by(value)).collect()
            }
            _ if is_field(name) => self.field_default(place, call).unwrap_or_default(),
            _ => vec![Value::External(format!("{name}()"))],
        }
    }

    fn getattr(&self, place: Place<'p>, call: &'p Call) -> Vec<Value<'p>> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        let [object, name, rest @ ..] = call.arguments.as_slice() else { return Vec::new() };
        let names = self.values(here(name));
        let Some(name) = only_text(&names) else { return vec![Value::Unknown("computed".to_owned())] };
        let objects = self.values(here(object));
        let found: Vec<Value<'p>> =
            objects.into_iter().flat_map(|object| self.attribute(object, &name.value)).collect();
        let is_known = found.iter().any(|value| !matches!(value, Value::Unknown(_)));
        match rest.first() {
            Some(default) if !is_known => self.values(here(default)),
            _ => found,
        }
    }

    /// The default of `Field(…)` and `field(…)`; none where it is required.
    pub(super) fn field_default(&self, place: Place<'p>, call: &'p Call) -> Option<Vec<Value<'p>>> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        if let Some(factory) = call.keyword("default_factory").or_else(|| call.keyword("factory")) {
            return Some(self.values(here(factory)).into_iter().flat_map(|value| self.made_by(value)).collect());
        }
        let default = call.argument("default", Some(0))?;
        (!matches!(default.kind, ExpressionKind::Other(_))).then(|| self.values(here(default)))
    }

    fn joined(&self, start: Option<String>, place: Place<'p>, parts: &'p [Expression]) -> Option<String> {
        let mut path = start.unwrap_or_else(|| self.around.workdir.to_owned());
        for part in parts {
            let values = self.values(Place { scope: place.scope, expression: part });
            if matches!(values.as_slice(), [Value::Text(text)] if text.value.starts_with('~')) {
                return None;
            }
            let next = match values.as_slice() {
                [Value::Path(next)] => next.clone()?,
                [Value::Text(text)] => text.value.clone(),
                _ => return None,
            };
            path = absolute(&path, &next);
        }
        Some(path)
    }

    /// Calls that reach a function, each with the number of its arguments that are not for the function; `class` is the one that it is a
    /// method of.
    pub fn calls_to(&self, function: ScopeId, name: &str, class: Option<ScopeId>) -> Vec<(Place<'p>, usize)> {
        let mut found = Vec::new();
        let mut names = vec![name.to_owned()];
        if let (Some(class), "__init__" | "__new__") = (class, name) {
            names = self.class_names(class);
            names.push("__init__".to_owned());
        }
        let aliases = self
            .scopes
            .aliases
            .iter()
            .filter(|(_, originals)| originals.iter().any(|original| names.iter().any(|name| name == original)));
        let aliases: Vec<String> = aliases.map(|(alias, _)| (*alias).to_owned()).collect();
        names.extend(aliases);
        for name in &names {
            for place in self.calls_of(name) {
                let Some(call) = place.expression.call() else { continue };
                if self.reaches(place, &call.function, function, class) {
                    found.push((place, 0));
                }
            }
        }
        for (wrapper, _) in WRAPPERS {
            for place in self.calls_of(wrapper) {
                let Some((callee, shift)) = place.expression.call().and_then(wrapped) else { continue };
                let is_called_so = callee.last_name().is_some_and(|last| names.iter().any(|name| name == last));
                if is_called_so && self.reaches(place, callee, function, class) {
                    found.push((place, shift));
                }
            }
        }
        found
    }

    fn reaches(&self, place: Place<'p>, callee: &'p Expression, function: ScopeId, class: Option<ScopeId>) -> bool {
        let is_super = matches!(&callee.kind, ExpressionKind::Attribute(object, _)
            if object.call().is_some_and(|call| call.function.name() == Some("super")));
        if is_super {
            let own = self.scopes.class_around(place.scope);
            return own.zip(class).is_some_and(|(own, class)| own != class && self.ancestry(own).contains(&class));
        }
        let values = self.values(Place { scope: place.scope, expression: callee });
        let mut is_open = values.is_empty();
        for value in &values {
            match value {
                Value::Function(other) if *other == function => return true,
                Value::Class(other) | Value::Instance(other) => {
                    let builds = class.is_some_and(|class| self.ancestry(*other).contains(&class))
                        && self
                            .member(*other, "__init__")
                            .iter()
                            .any(|value| matches!(value, Value::Function(init) if *init == function));
                    if builds {
                        return true;
                    }
                }
                Value::Unknown(_) => is_open = true,
                Value::External(name) => is_open |= may_be_own(name),
                _ => {}
            }
        }
        // A method of something that is not known: the only one of its name.
        let ScopeKind::Function(definition) = self.scopes.all[function].kind else { return false };
        is_open
            && class.is_some()
            && matches!(callee.kind, ExpressionKind::Attribute(..))
            && !definition.name.starts_with("__")
            && self.functions.get(definition.name.as_str()) == Some(&1)
    }

    /// An argument of the command line: what the command says, else its default.
    pub(super) fn command_line_argument(&self, parser: &str, name: &str) -> Vec<Value<'p>> {
        if !parser.contains("parse_args") && !parser.contains("parse_known_args") {
            return Vec::new();
        }
        let mut values = Vec::new();
        for place in self.calls_of("add_argument") {
            let Some(call) = place.expression.call() else { continue };
            let flags: Vec<&str> = call.arguments.iter().filter_map(Expression::text).collect();
            let dest = call.keyword("dest").and_then(Expression::text).map(str::to_owned);
            let long = flags.iter().find(|flag| flag.starts_with("--")).or(flags.first());
            let own = dest.or_else(|| long.map(|flag| flag.trim_start_matches('-').replace('-', "_")));
            if own.as_deref() != Some(name) {
                continue;
            }
            let unit = self.scopes.all[place.scope].unit;
            let words = self.around.words.get(&unit);
            let given = words.and_then(|words| {
                let at = words.iter().position(|word| flags.contains(&word.as_str()));
                let joined = words.iter().find_map(|word| {
                    flags.iter().find_map(|flag| word.strip_prefix(flag)?.strip_prefix('=').map(str::to_owned))
                });
                joined.or_else(|| words.get(at? + 1).cloned())
            });
            if let Some(given) = given {
                values.push(self.word(place, given));
            } else if let Some(default) = call.keyword("default") {
                let mut more = self.values(Place { scope: place.scope, expression: default });
                raise(&mut more, Given::CommandLineDefault);
                values.extend(more);
            } else {
                values.push(Value::Unknown(format!("an argument of the command line, {name}, without a default")));
            }
        }
        if values.is_empty() { vec![Value::Unknown("an argument of the command line".to_owned())] } else { values }
    }

    /// `sys.argv[1]`.
    pub(super) fn command_line_word(&self, place: Place<'p>, key: &'p Expression) -> Vec<Value<'p>> {
        let words = &self.around.words;
        let own = words.get(&self.scopes.all[place.scope].unit);
        // The program has one command line, whichever of its files asks.
        let words = own.or_else(|| words.values().next().filter(|_| words.len() == 1));
        let ExpressionKind::Number(Some(index)) = key.kind else { return vec![Value::Unknown("computed".to_owned())] };
        match index.checked_sub(1).and_then(|index| words?.get(index)) {
            Some(word) => vec![self.word(place, word.clone())],
            None => vec![Value::Unknown(format!("word {index} of the command line, which is not known"))],
        }
    }

    /// A word of the command line, with the place where that is written.
    fn word(&self, place: Place<'p>, word: String) -> Value<'p> {
        let at = (self.around.word)(&word);
        let mut value = [self.text(place, word)];
        raise(&mut value, Given::CommandLine);
        let [mut value] = value;
        if let (Value::Text(text), Some((file, line))) = (&mut value, at) {
            (text.file, text.line) = (file.into(), line);
        }
        value
    }

    /// The names that a class and those built on it go by.
    pub(super) fn class_names(&self, class: ScopeId) -> Vec<String> {
        if let Some(known) = self.names.borrow().get(&class) {
            return known.clone();
        }
        let mut names = vec!["cls".to_owned()];
        for (index, scope) in self.scopes.all.iter().enumerate() {
            if let ScopeKind::Class(definition) = scope.kind
                && (index == class || self.ancestry(index).contains(&class))
            {
                names.push(definition.name.clone());
            }
        }
        self.names.borrow_mut().insert(class, names.clone());
        names
    }
}

/// Whether what a call of a library gives may be something of the program: what it is asked to keep or to look up, unlike the methods of a
/// client.
fn may_be_own(name: &str) -> bool {
    const KEEPERS: [&str; 16] = [
        "asyncio",
        "builtins",
        "concurrent",
        "contextlib",
        "contextvars",
        "dependency_injector",
        "fastapi",
        "flask",
        "functools",
        "importlib",
        "injector",
        "multiprocessing",
        "ray",
        "starlette",
        "streamlit",
        "threading",
    ];
    name.contains("()") && name.split(['.', '(']).next().is_some_and(|root| KEEPERS.contains(&root))
}

/// Whether a library's thing describes a field.
pub fn is_field(name: &str) -> bool {
    matches!(
        name,
        "pydantic.Field"
            | "dataclasses.field"
            | "attr.ib"
            | "attrs.field"
            | "attr.field"
            | "pydantic.v1.Field"
            | "sqlmodel.Field"
            | "pydantic.fields.Field"
            | "fastapi.Query"
            | "fastapi.Form"
            | "fastapi.Body"
            | "typer.Option"
            | "typer.Argument"
    )
}
