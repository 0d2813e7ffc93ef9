//! Which values an expression may have: by its assignments, parameters, settings and configuration files, without running anything.

mod calls;
mod classes;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

pub use calls::wrapped;

use super::data::{Data, DataKind};
use super::program::{Program, folder};
use super::scopes::{Binding, Import, Place, ScopeId, ScopeKind, Scopes, What};
use crate::facts::copies::absolute;
use crate::python::{Comparison, Expression, ExpressionKind, Parameter};

/// How an id is given: by the last thing on its way that somebody may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    Literal,
    Constant,
    DefaultArgument,
    LibraryDefault,
    DataclassDefault,
    SettingsDefault,
    CommandLineDefault,
    EnvironmentDefault,
    ConfigurationFile,
    /// A word of the command that starts the service.
    CommandLine,
    /// A .env file that the program reads.
    EnvFile,
    DockerfileEnv,
    ComposeEnvironment,
}

/// A text and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    /// Relative to the root of the project.
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: usize,
    pub given: Given,
    /// The environment variable that it comes from, or is the default of.
    pub variable: Option<String>,
}

/// What an expression may be.
#[derive(Debug, Clone)]
pub enum Value<'p> {
    Text(Text),
    None,
    Bool(bool),
    /// A path in the file system; none where it is not known which.
    Path(Option<String>),
    /// A list or dictionary as written.
    Literal(Place<'p>),
    Data(Data),
    /// A module of the program.
    Unit(usize),
    /// A folder of modules: a path without an ending.
    Package(String),
    /// Something of a library, by its dotted name; `()` stands behind what a call of it gives.
    External(String),
    Class(ScopeId),
    Instance(ScopeId),
    Function(ScopeId),
    Lambda(Place<'p>),
    /// The environment variable of this name, which nothing in the repository sets: nothing, unless somebody sets it elsewhere.
    Unset(String),
    /// Why it is not known.
    Unknown(String),
}

/// A variable of the service's environment.
#[derive(Debug, Clone)]
pub struct Setting {
    /// None where it is set to something that is not known.
    pub value: Option<String>,
    /// `path:line`.
    pub file: Arc<str>,
    pub line: usize,
    pub given: Given,
}

/// What a program finds around it when it runs.
pub struct Surroundings<'a> {
    pub environment: &'a BTreeMap<String, Setting>,
    /// Absolute.
    pub workdir: &'a str,
    /// The words behind the program in the command that starts the service, by unit.
    pub words: HashMap<usize, Vec<String>>,
    /// The file of the image at an absolute path, as it is called in the project, and its text.
    pub text: &'a dyn Fn(&str) -> Option<(String, String)>,
    /// Where a word of the command stands: the file, relative to the root of the project, and the line.
    pub word: &'a dyn Fn(&str) -> Option<(String, usize)>,
}

/// An expression by its address, in a scope, inside a call.
type Key = (usize, ScopeId, usize);

/// A call whose function is looked into with what it is given.
#[derive(Debug)]
struct Frame<'p> {
    function: ScopeId,
    arguments: HashMap<&'p str, Vec<Value<'p>>>,
    id: usize,
}

/// Finds values.
pub struct Evaluator<'p> {
    pub program: &'p Program,
    pub scopes: &'p Scopes<'p>,
    pub around: &'p Surroundings<'p>,
    /// Scopes that are run; everything while they are looked for.
    pub live: RefCell<Option<HashSet<ScopeId>>>,
    /// Every call by the last name of what is called.
    calls: HashMap<&'p str, Vec<Place<'p>>>,
    known: RefCell<HashMap<Key, Vec<Value<'p>>>>,
    /// What was found inside a circle that is not closed yet, and the depth at which it began.
    passing: RefCell<HashMap<Key, (Vec<Value<'p>>, usize)>>,
    /// What is being looked for, and how deep.
    open: RefCell<HashMap<Key, usize>>,
    /// For each depth the least one that a circle leads back to.
    lowest: RefCell<Vec<usize>>,
    files: RefCell<HashMap<String, Option<Data>>>,
    /// The .env files that the program takes its environment from, each with whether it goes before that; none while nobody asked.
    dotenv: RefCell<Option<Vec<(Data, bool)>>>,
    frames: RefCell<Vec<Frame<'p>>>,
    /// For each class it and those that it is built on.
    ancestries: RefCell<HashMap<ScopeId, Vec<ScopeId>>>,
    /// For each class the names that it and those built on it go by.
    names: RefCell<HashMap<ScopeId, Vec<String>>>,
    /// How many functions go by a name.
    functions: HashMap<&'p str, usize>,
    next_frame: Cell<usize>,
    /// How many expressions were looked at.
    steps: Cell<usize>,
    /// Names of modules that are being looked for: two modules may import one from the other.
    importing: RefCell<HashSet<(usize, &'p str)>>,
}

/// Deeper than people write.
const DEEPEST: usize = 80;
/// More expressions than a program of ordinary size takes: a few seconds.
const MOST_STEPS: usize = 1_500_000;
/// More values than one name has for any purpose here.
const MOST: usize = 32;

impl<'p> Evaluator<'p> {
    pub fn new(program: &'p Program, scopes: &'p Scopes<'p>, around: &'p Surroundings<'p>) -> Self {
        let mut functions: HashMap<&'p str, usize> = HashMap::new();
        for scope in &scopes.all {
            if let ScopeKind::Function(function) = scope.kind {
                *functions.entry(&function.name).or_default() += 1;
            }
        }
        let mut calls: HashMap<&'p str, Vec<Place<'p>>> = HashMap::new();
        for place in &scopes.expressions {
            each(scopes, *place, &mut |place| {
                if let Some(name) = place.expression.call().and_then(|call| call.function.last_name()) {
                    calls.entry(name).or_default().push(place);
                }
            });
        }
        Self {
            program,
            scopes,
            around,
            live: RefCell::default(),
            calls,
            known: RefCell::default(),
            passing: RefCell::default(),
            open: RefCell::default(),
            lowest: RefCell::default(),
            files: RefCell::default(),
            dotenv: RefCell::default(),
            importing: RefCell::default(),
            frames: RefCell::default(),
            ancestries: RefCell::default(),
            names: RefCell::default(),
            functions,
            next_frame: Cell::new(1),
            steps: Cell::new(0),
        }
    }

    /// Forgets what was found while it was not known what is run.
    pub fn set_live(&self, live: HashSet<ScopeId>) {
        *self.live.borrow_mut() = Some(live);
        self.known.borrow_mut().clear();
        self.passing.borrow_mut().clear();
        *self.dotenv.borrow_mut() = None;
    }

    /// Calls by the last name of what is called, as far as they are run.
    pub fn calls_of(&self, name: &str) -> Vec<Place<'p>> {
        let live = self.live.borrow();
        let is_live = |place: &&Place<'p>| {
            live.as_ref().is_none_or(|live| live.contains(&self.scopes.statements_around(place.scope)))
        };
        self.calls.get(name).into_iter().flatten().filter(is_live).copied().collect()
    }

    /// The values that an expression may have; nothing where it goes in circles.
    pub fn values(&self, place: Place<'p>) -> Vec<Value<'p>> {
        let frame = self.frames.borrow().last().map_or(0, |frame| frame.id);
        let key = (std::ptr::from_ref(place.expression) as usize, place.scope, frame);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        if let Some((values, low)) = self.passing.borrow().get(&key) {
            self.leads_back(*low);
            return values.clone();
        }
        let depth = self.lowest.borrow().len();
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return vec![Value::Unknown("too much to follow".to_owned())];
        }
        if depth > DEEPEST {
            return vec![Value::Unknown("too many steps away".to_owned())];
        }
        let earlier = self.open.borrow().get(&key).copied();
        if let Some(earlier) = earlier {
            self.leads_back(earlier);
            return Vec::new();
        }
        self.open.borrow_mut().insert(key, depth);
        self.lowest.borrow_mut().push(usize::MAX);
        let mut values = self.find(place);
        values.truncate(MOST);
        self.open.borrow_mut().remove(&key);
        let low = self.lowest.borrow_mut().pop().unwrap_or(usize::MAX);
        if low >= depth {
            // Whatever circles there were began here: what was found inside them is looked for anew, with this known.
            self.passing.borrow_mut().retain(|_, (_, low)| *low < depth);
            self.known.borrow_mut().insert(key, values.clone());
        } else {
            self.passing.borrow_mut().insert(key, (values.clone(), low));
            self.leads_back(low);
        }
        values
    }

    fn leads_back(&self, depth: usize) {
        if let Some(lowest) = self.lowest.borrow_mut().last_mut() {
            *lowest = depth.min(*lowest);
        }
    }

    fn find(&self, place: Place<'p>) -> Vec<Value<'p>> {
        use ExpressionKind as Kind;
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        match &place.expression.kind {
            Kind::Text(text) => vec![self.text(place, text.clone())],
            Kind::None => vec![Value::None],
            Kind::Bool(value) => vec![Value::Bool(*value)],
            Kind::Name(name) => self.name(place.scope, name, place.expression.offset),
            Kind::Attribute(object, name) => {
                let objects = self.values(here(object));
                objects.into_iter().flat_map(|object| self.attribute(object, name)).collect()
            }
            Kind::Subscript(object, key) => self.subscript(place, object, key),
            Kind::Sequence(_) | Kind::Dict(_) | Kind::Comprehension { .. } => vec![Value::Literal(place)],
            Kind::Lambda { .. } => vec![Value::Lambda(place)],
            Kind::Call(call) => self.call(place, call),
            Kind::Await(value) | Kind::Named(_, value) => self.values(here(value)),
            Kind::Or(operands) => {
                let mut all = Vec::new();
                let mut unset: Option<String> = None;
                for operand in operands {
                    let mut values = self.values(here(operand));
                    if let Some(name) = &unset {
                        values = defaults_of(name, values);
                    }
                    unset = unset.or_else(|| {
                        values.iter().find_map(|value| match value {
                            Value::Unset(name) => Some(name.clone()),
                            _ => None,
                        })
                    });
                    let decided = matches!(values.as_slice(), [value] if is_true(value) == Some(true));
                    all.extend(
                        values
                            .into_iter()
                            .filter(|value| is_true(value) != Some(false) && !matches!(value, Value::Unset(_))),
                    );
                    if decided {
                        break;
                    }
                }
                if all.is_empty() { unset.map(Value::Unset).into_iter().collect() } else { all }
            }
            Kind::And(operands) => operands.last().map_or_else(Vec::new, |last| self.values(here(last))),
            Kind::Conditional { test, body, orelse } => match self.truth(here(test)) {
                Some(true) => self.values(here(body)),
                Some(false) => self.values(here(orelse)),
                None => {
                    let mut all = self.values(here(body));
                    all.extend(self.values(here(orelse)));
                    all
                }
            },
            Kind::Format(parts) => {
                let pieces = parts.iter().map(|part| part.as_ref().map(|part| self.values(here(part))));
                self.join(place, pieces.collect(), "an f-string of values that are not known")
            }
            Kind::Add(left, right) => {
                let pieces = vec![Some(self.values(here(left))), Some(self.values(here(right)))];
                self.join(place, pieces, "put together from values that are not known")
            }
            Kind::Divide(left, right) => {
                let folders = self.values(here(left));
                let names = self.values(here(right));
                vec![Value::Path(
                    self.path_of(&folders).zip(only_text(&names)).map(|(folder, name)| absolute(&folder, &name.value)),
                )]
            }
            Kind::Not(_) | Kind::Compare { .. } => self
                .truth(place)
                .map_or_else(|| vec![Value::Unknown("a test".to_owned())], |value| vec![Value::Bool(value)]),
            Kind::Number(_) | Kind::Starred(_) | Kind::Other(_) => vec![Value::Unknown("computed".to_owned())],
        }
    }

    /// A text that is written at a place.
    pub fn text(&self, place: Place<'p>, value: String) -> Value<'p> {
        let scope = &self.scopes.all[place.scope];
        let unit = &self.program.units[scope.unit];
        let line = unit.lines.line(place.expression.offset);
        Value::Text(Text { value, file: unit.source.as_str().into(), line, given: Given::Literal, variable: None })
    }

    /// The text that pieces give together; a path if one of them is.
    fn join(&self, place: Place<'p>, pieces: Vec<Option<Vec<Value<'p>>>>, why: &str) -> Vec<Value<'p>> {
        let mut whole: Option<Text> = None;
        for piece in pieces {
            let Some(values) = piece else { return vec![Value::Unknown(why.to_owned())] };
            if values.iter().any(|value| matches!(value, Value::Path(_))) {
                return vec![Value::Path(None)];
            }
            let Some(text) = only_text(&values) else { return vec![Value::Unknown(why.to_owned())] };
            whole = Some(match whole {
                None => text.clone(),
                Some(mut before) => {
                    before.value.push_str(&text.value);
                    if text.given > before.given {
                        before = Text { value: before.value, ..text.clone() };
                    }
                    before
                }
            });
        }
        match whole {
            Some(text) => vec![Value::Text(text)],
            None => vec![self.text(place, String::new())],
        }
    }

    /// Whether a test holds, where that can be told.
    pub fn truth(&self, place: Place<'p>) -> Option<bool> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        match &place.expression.kind {
            ExpressionKind::Not(value) => self.truth(here(value)).map(|value| !value),
            ExpressionKind::And(operands) => {
                let each: Vec<Option<bool>> = operands.iter().map(|operand| self.truth(here(operand))).collect();
                if each.contains(&Some(false)) {
                    return Some(false);
                }
                each.iter().all(|value| *value == Some(true)).then_some(true)
            }
            ExpressionKind::Or(operands) if operands.iter().all(|operand| self.truth(here(operand)).is_some()) => {
                Some(operands.iter().any(|operand| self.truth(here(operand)) == Some(true)))
            }
            ExpressionKind::Compare { left, operator, right } => {
                if let (Some("__name__"), Some("__main__")) = (left.name(), right.text()) {
                    return Some(self.around.words.contains_key(&self.scopes.all[place.scope].unit));
                }
                self.comparison(here(left), *operator, here(right))
            }
            _ => {
                if place.expression.last_name() == Some("TYPE_CHECKING") {
                    return Some(false);
                }
                let values = self.values(place);
                let mut truths = values.iter().map(is_true);
                let first = truths.next()??;
                truths.all(|truth| truth == Some(first)).then_some(first)
            }
        }
    }

    fn comparison(&self, left: Place<'p>, operator: Comparison, right: Place<'p>) -> Option<bool> {
        let lefts = self.values(left);
        if matches!(operator, Comparison::In | Comparison::NotIn) {
            let found = only_text(&lefts)?;
            let ExpressionKind::Sequence(items) = &right.expression.kind else { return None };
            let mut is_in = false;
            for item in items {
                is_in |= only_text(&self.values(Place { scope: right.scope, expression: item }))?.value == found.value;
            }
            return Some(is_in == (operator == Comparison::In));
        }
        let rights = self.values(right);
        let (lefts, rights) = (distinct(lefts), distinct(rights));
        let equal = match (lefts.as_slice(), rights.as_slice()) {
            ([Value::Text(left)], [Value::Text(right)]) => left.value == right.value,
            ([Value::Bool(left)], [Value::Bool(right)]) => left == right,
            ([Value::None], [Value::None]) => true,
            ([Value::Text(_) | Value::Bool(_)], [Value::None]) | ([Value::None], [Value::Text(_) | Value::Bool(_)]) => {
                false
            }
            _ => return None,
        };
        match operator {
            Comparison::Equal | Comparison::Is => Some(equal),
            Comparison::NotEqual | Comparison::IsNot => Some(!equal),
            _ => None,
        }
    }

    /// Whether tests around a place speak against it; none where they don't, and the test that does.
    pub fn excluded(&self, scope: ScopeId, offset: usize) -> Option<&'p Expression> {
        let around = self.scopes.statements_around(scope);
        let guards = self.scopes.guards_at(around, offset);
        let mut tests = guards.iter().flat_map(|guard| &guard.tests);
        tests
            .find(|(test, wanted)| self.truth(Place { scope: around, expression: test }) == Some(!wanted))
            .map(|(test, _)| *test)
    }

    fn name(&self, scope: ScopeId, name: &str, offset: usize) -> Vec<Value<'p>> {
        let (mut at, mut offset) = (scope, Some(offset));
        let mut is_first = true;
        loop {
            let here = &self.scopes.all[at];
            // Names of a class are not seen from its functions.
            let is_hidden = matches!(here.kind, ScopeKind::Class(_)) && !is_first;
            if !is_hidden && here.bindings.contains_key(name) {
                return self.bound(at, name, offset);
            }
            if let Some(found) = self.starred(at, name, &mut Vec::new()) {
                return found;
            }
            let Some(parent) = here.parent else { break };
            // A lambda is called later, a comprehension at once; both stand in the flow of their statements.
            if !matches!(here.kind, ScopeKind::Expression) {
                offset = None;
                is_first = false;
            }
            at = parent;
        }
        match name {
            "__file__" => vec![Value::Path(Some(self.program.paths[self.scopes.all[scope].unit].clone()))],
            "self" | "cls" => {
                self.scopes.class_around(scope).map_or_else(Vec::new, |class| vec![Value::Instance(class)])
            }
            _ => vec![Value::External(format!("builtins.{name}"))],
        }
    }

    /// A name that `from module import *` brings.
    fn starred(&self, scope: ScopeId, name: &str, seen: &mut Vec<usize>) -> Option<Vec<Value<'p>>> {
        let unit = self.scopes.all[scope].unit;
        self.scopes.all[scope].stars.iter().find_map(|import| {
            let target = self.module_of(unit, import.level, import.module).0?;
            if seen.contains(&target) {
                return None;
            }
            seen.push(target);
            let found = self.global_of(target, name, seen);
            (!found.is_empty()).then_some(found)
        })
    }

    /// A name of a module as other modules see it.
    pub fn global(&self, unit: usize, name: &str) -> Vec<Value<'p>> {
        self.global_of(unit, name, &mut vec![unit])
    }

    fn global_of(&self, unit: usize, name: &str, seen: &mut Vec<usize>) -> Vec<Value<'p>> {
        let scope = self.scopes.of_unit[unit];
        if self.scopes.all[scope].bindings.contains_key(name) {
            return self.bound(scope, name, None);
        }
        self.starred(scope, name, seen).unwrap_or_default()
    }

    fn bound(&self, scope: ScopeId, name: &str, offset: Option<usize>) -> Vec<Value<'p>> {
        let bindings = self.scopes.reaching(scope, name, offset);
        let holds = |binding: &&&Binding<'p>| {
            let guards = self.scopes.guards_of(scope, binding);
            let mut tests = guards.iter().flat_map(|guard| guard.tests.iter().copied());
            tests.all(|(test, wanted)| self.truth(Place { scope, expression: test }) != Some(!wanted))
        };
        // Tests are looked at only where there is a choice.
        let chosen: Vec<&Binding<'p>> =
            if bindings.len() > 1 { bindings.iter().filter(holds).copied().collect() } else { bindings };
        let mut values = Vec::new();
        for binding in chosen {
            let mut more = self.binding(scope, binding);
            // A parameter is given what the calls say, or its default.
            if !matches!(binding.what, What::Parameter(..)) {
                raise(&mut more, Given::Constant);
            }
            values.extend(more);
        }
        values
    }

    fn binding(&self, scope: ScopeId, binding: &Binding<'p>) -> Vec<Value<'p>> {
        match &binding.what {
            What::Value(expression) | What::Entered(expression) => self.values(Place { scope, expression }),
            What::Item(expression, index) => self.item(Place { scope, expression }, *index),
            What::Each(source, index) => {
                let parent = self.scopes.all[scope].parent;
                // The source of a comprehension is read outside of it.
                let scope = match self.scopes.all[scope].kind {
                    ScopeKind::Expression => parent.unwrap_or(scope),
                    _ => scope,
                };
                self.items(Place { scope, expression: source }, *index)
            }
            What::Parameter(parameter, index) => self.parameter(scope, parameter, *index),
            What::Import(import) => self.imported(self.scopes.all[scope].unit, *import),
            What::Function(function) => vec![Value::Function(*function)],
            What::Class(class) => vec![Value::Class(*class)],
            What::Unknown => vec![Value::Unknown("changed in place".to_owned())],
        }
    }

    fn item(&self, place: Place<'p>, index: usize) -> Vec<Value<'p>> {
        let mut found = Vec::new();
        for value in self.values(place) {
            match value {
                Value::Literal(Place { scope, expression }) => match &expression.kind {
                    ExpressionKind::Sequence(items) if index < items.len() => {
                        found.extend(self.values(Place { scope, expression: &items[index] }));
                    }
                    _ => found.push(Value::Unknown("one of several".to_owned())),
                },
                Value::External(name) if name.ends_with(".parse_known_args()") && index == 0 => {
                    found.push(Value::External(name));
                }
                other => found.push(unknown_like(other)),
            }
        }
        found
    }

    /// What a loop over an expression goes through; with an index, what stands there in each of it.
    fn items(&self, place: Place<'p>, index: Option<usize>) -> Vec<Value<'p>> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        if let Some(call) = place.expression.call() {
            if let (ExpressionKind::Attribute(object, method), []) = (&call.function.kind, call.arguments.as_slice())
                && matches!((method.as_str(), index), ("items", Some(0 | 1)) | ("keys" | "values", None))
            {
                return self.entries(here(object), method == "values" || index == Some(1));
            }
            match (call.function.name(), index, call.arguments.as_slice()) {
                (Some("enumerate"), Some(1), [source, ..]) => return self.items(here(source), None),
                (Some("zip"), Some(index), sources) if index < sources.len() => {
                    return self.items(here(&sources[index]), None);
                }
                (Some("sorted" | "list" | "set" | "tuple" | "reversed" | "tqdm"), _, [source, ..]) => {
                    return self.items(here(source), index);
                }
                _ => {}
            }
        }
        let mut found = Vec::new();
        for value in self.values(place) {
            if let Some(index) = index {
                let Value::Literal(Place { scope, expression }) = &value else {
                    found.push(unknown_like(value));
                    continue;
                };
                match &expression.kind {
                    ExpressionKind::Sequence(items) => {
                        for item in items {
                            found.extend(self.item(Place { scope: *scope, expression: item }, index));
                        }
                    }
                    _ => found.push(Value::Unknown("computed".to_owned())),
                }
                continue;
            }
            match value {
                Value::Literal(Place { scope, expression }) => match &expression.kind {
                    ExpressionKind::Sequence(items) => {
                        for item in items {
                            found.extend(self.values(Place { scope, expression: item }));
                        }
                    }
                    ExpressionKind::Dict(pairs) => {
                        for key in pairs.iter().filter_map(|(key, _)| key.as_ref()) {
                            found.extend(self.values(Place { scope, expression: key }));
                        }
                    }
                    _ => found.push(Value::Unknown("computed".to_owned())),
                },
                Value::Data(Data { kind: DataKind::List(items), .. }) => {
                    found.extend(items.into_iter().map(of_data));
                }
                other => found.push(unknown_like(other)),
            }
        }
        found
    }

    /// The keys of dictionaries, or their values.
    fn entries(&self, place: Place<'p>, are_values: bool) -> Vec<Value<'p>> {
        let mut found = Vec::new();
        for value in self.values(place) {
            match value {
                Value::Literal(Place { scope, expression }) => {
                    let ExpressionKind::Dict(pairs) = &expression.kind else {
                        found.push(Value::Unknown("computed".to_owned()));
                        continue;
                    };
                    for (key, value) in pairs {
                        match if are_values { Some(value) } else { key.as_ref() } {
                            Some(expression) => found.extend(self.values(Place { scope, expression })),
                            None => found.push(Value::Unknown("computed".to_owned())),
                        }
                    }
                }
                Value::Data(Data { kind: DataKind::Map(pairs), .. }) if are_values => {
                    found.extend(pairs.into_iter().map(|(_, value)| of_data(value)));
                }
                other => found.push(unknown_like(other)),
            }
        }
        found
    }

    /// The module that an import in `unit` means, and its path without an ending.
    pub fn module_of(&self, unit: usize, level: u32, module: &str) -> (Option<usize>, String) {
        let program = self.program;
        if level > 0 {
            return (program.relative(unit, level, module), program.package(unit, level, module));
        }
        // Scripts of one folder import one another by their bare names; modules of a package don't.
        let is_in_package = program.at(&format!("{}/__init__.py", folder(&program.paths[unit]))).is_some();
        let beside = || if module.contains('.') || is_in_package { None } else { program.beside(unit, module) };
        let root = program.roots.first().map_or("", String::as_str);
        (program.module(module).or_else(beside), format!("{root}/{}", module.replace('.', "/")))
    }

    fn imported(&self, unit: usize, import: Import<'p>) -> Vec<Value<'p>> {
        let Import { module, level, name } = import;
        let program = self.program;
        let (target, package) = self.module_of(unit, level, module);
        let Some(name) = name else {
            return match target {
                Some(unit) => vec![Value::Unit(unit)],
                None if level == 0 && !program.owns(module) => vec![Value::External(module.to_owned())],
                None => vec![Value::Package(package)],
            };
        };
        if let Some(target) = target {
            if self.importing.borrow_mut().insert((target, name)) {
                let found = self.global(target, name);
                self.importing.borrow_mut().remove(&(target, name));
                if !found.is_empty() {
                    return found;
                }
            }
            if let Some(below) = program.below(&stem(&program.paths[target]), name) {
                return vec![Value::Unit(below)];
            }
            return vec![Value::Unknown(format!("{name} is not found in {}", program.units[target].source))];
        }
        if let Some(below) = program.below(&package, name) {
            return vec![Value::Unit(below)];
        }
        if level == 0 && !program.owns(module) {
            return vec![Value::External(format!("{module}.{name}"))];
        }
        vec![Value::Unknown(format!("{module} is not in the image"))]
    }

    fn attribute(&self, object: Value<'p>, name: &str) -> Vec<Value<'p>> {
        match object {
            Value::Unit(unit) => {
                let found = self.global(unit, name);
                if !found.is_empty() {
                    return found;
                }
                let below = self.program.below(&stem(&self.program.paths[unit]), name);
                below.map_or_else(
                    || vec![Value::Unknown(format!("{name} is not found"))],
                    |unit| vec![Value::Unit(unit)],
                )
            }
            Value::Package(path) => match self.program.below(&path, name) {
                Some(unit) => vec![Value::Unit(unit)],
                None => vec![Value::Package(format!("{path}/{name}"))],
            },
            Value::External(library) if is_arguments(&library) => self.command_line_argument(&library, name),
            Value::External(library) => vec![Value::External(format!("{library}.{name}"))],
            Value::Class(class) | Value::Instance(class) => self.member(class, name),
            // Of an enumeration.
            Value::Text(text) if name == "value" => vec![Value::Text(text)],
            Value::Path(Some(path)) if name == "parent" => vec![Value::Path(Some(folder(&path).to_owned()))],
            Value::Path(_) => vec![Value::Path(None)],
            Value::Data(data) => data.get(name).cloned().map_or_else(Vec::new, |data| vec![of_data(data)]),
            other => vec![unknown_like(other)],
        }
    }

    fn subscript(&self, place: Place<'p>, object: &'p Expression, key: &'p Expression) -> Vec<Value<'p>> {
        let here = |expression: &'p Expression| Place { scope: place.scope, expression };
        let keys = self.values(here(key));
        let mut found = Vec::new();
        for value in self.values(here(object)) {
            match value {
                Value::External(name) if name == "sys.argv" => found.extend(self.command_line_word(place, key)),
                Value::External(name) if name == "os.environ" => match only_text(&keys) {
                    Some(name) => found.extend(self.variable(&name.value, None)),
                    None => found.push(Value::Unknown("a variable whose name is not known".to_owned())),
                },
                // A type with its parameters.
                Value::External(name) => found.push(Value::External(format!("{name}[]"))),
                Value::Class(class) => match only_text(&keys) {
                    Some(name) => found.extend(self.member(class, &name.value)),
                    None => found.push(Value::Class(class)),
                },
                Value::Literal(literal) => found.extend(self.entry(literal, &keys)),
                Value::Path(_) => found.push(Value::Path(None)),
                Value::Data(data) => match only_text(&keys).and_then(|key| data.get(&key.value).cloned()) {
                    Some(data) => found.push(of_data(data)),
                    None => found.push(Value::Unknown(format!("not found in {}", data.file))),
                },
                other => found.push(unknown_like(other)),
            }
        }
        found
    }

    /// The entry of a dictionary as written.
    fn entry(&self, literal: Place<'p>, keys: &[Value<'p>]) -> Vec<Value<'p>> {
        let ExpressionKind::Dict(pairs) = &literal.expression.kind else {
            return vec![Value::Unknown("one of several".to_owned())];
        };
        let Some(wanted) = only_text(keys) else {
            return vec![Value::Unknown("an entry of a dictionary by a key that is not known".to_owned())];
        };
        let here = |expression: &'p Expression| Place { scope: literal.scope, expression };
        for (key, value) in pairs.iter().rev() {
            let Some(key) = key else { continue };
            if only_text(&self.values(here(key))).is_some_and(|key| key.value == wanted.value) {
                let mut values = self.values(here(value));
                raise(&mut values, Given::Constant);
                return values;
            }
        }
        Vec::new()
    }

    /// An environment variable.
    pub fn variable(&self, name: &str, default: Option<Vec<Value<'p>>>) -> Vec<Value<'p>> {
        let default = default.map(|values| defaults_of(name, values));
        let known = self.around.environment.get(name);
        if let Some(found) = self.of_dotenv(known.is_some(), |read| read == name) {
            return vec![found];
        }
        match known {
            Some(setting) => match &setting.value {
                Some(value) => vec![Value::Text(Text {
                    value: value.clone(),
                    file: Arc::clone(&setting.file),
                    line: setting.line,
                    given: setting.given,
                    variable: Some(name.to_owned()),
                })],
                None => vec![Value::Unknown(format!(
                    "{name} is set at {}:{} to a value that is not known",
                    setting.file, setting.line
                ))],
            },
            None => default.unwrap_or_else(|| vec![Value::Unknown(format!("nothing in the repository sets {name}"))]),
        }
    }

    /// A variable that the program takes from a .env file with `load_dotenv`: those that are in its environment it leaves alone, unless
    /// it is told otherwise.
    ///
    /// Source: python-dotenv 1.0, `load_dotenv(override=False)` and `find_dotenv`.
    fn of_dotenv(&self, is_set: bool, is_it: impl Fn(&str) -> bool) -> Option<Value<'p>> {
        if self.dotenv.borrow().is_none() {
            // Its own arguments may be variables.
            *self.dotenv.borrow_mut() = Some(Vec::new());
            let files = self.dotenv_files();
            *self.dotenv.borrow_mut() = Some(files);
        }
        let files = self.dotenv.borrow();
        files.iter().flatten().find_map(|(data, overrides)| {
            let DataKind::Map(pairs) = &data.kind else { return None };
            let (_, value) = pairs.iter().rev().find(|(name, _)| (*overrides || !is_set) && is_it(name))?;
            let mut found = [of_data(value.clone())];
            raise(&mut found, Given::EnvFile);
            let [mut found] = found;
            if let Value::Text(text) = &mut found {
                text.variable = pairs.iter().find(|(name, _)| is_it(name)).map(|(name, _)| name.clone());
            }
            Some(found)
        })
    }

    fn dotenv_files(&self) -> Vec<(Data, bool)> {
        let mut found = Vec::new();
        for place in self.calls_of("load_dotenv") {
            let Some(call) = place.expression.call() else { continue };
            let here = |expression: &'p Expression| Place { scope: place.scope, expression };
            let is_it = self
                .values(here(&call.function))
                .iter()
                .any(|value| matches!(value, Value::External(name) if name.starts_with("dotenv.")));
            if !is_it || self.excluded(place.scope, place.expression.offset).is_some() {
                continue;
            }
            let is_found =
                |path: &Expression| path.call().is_some_and(|call| call.function.last_name() == Some("find_dotenv"));
            let file = match call.argument("dotenv_path", Some(0)).filter(|path| !is_found(path)) {
                Some(path) => self.path_of(&self.values(here(path))).and_then(|path| self.configuration(&path)),
                // The nearest one above the file that asks.
                None => {
                    let mut at = folder(&self.program.paths[self.scopes.all[place.scope].unit]);
                    loop {
                        let file = self.configuration(&format!("{at}/.env"));
                        if file.is_some() || at.is_empty() {
                            break file;
                        }
                        at = folder(at);
                    }
                }
            };
            let overrides = call
                .keyword("override")
                .is_some_and(|value| matches!(self.values(here(value)).as_slice(), [Value::Bool(true)]));
            found.extend(file.map(|file| (file, overrides)));
        }
        found
    }

    /// Every expression in one that is run: not the other side of `a if test else b` where the test can be told.
    pub fn each_run(&self, place: Place<'p>, visit: &mut dyn FnMut(Place<'p>)) {
        visit(place);
        let scope = self.scopes.inner(place.expression).unwrap_or(place.scope);
        let here = |expression: &'p Expression| Place { scope, expression };
        match &place.expression.kind {
            ExpressionKind::Conditional { test, body, orelse } => {
                self.each_run(here(test), visit);
                let truth = self.truth(here(test));
                if truth != Some(false) {
                    self.each_run(here(body), visit);
                }
                if truth != Some(true) {
                    self.each_run(here(orelse), visit);
                }
            }
            ExpressionKind::And(operands) => {
                for operand in operands {
                    self.each_run(here(operand), visit);
                    if self.truth(here(operand)) == Some(false) {
                        break;
                    }
                }
            }
            _ => {
                for child in place.expression.children() {
                    self.each_run(here(child), visit);
                }
            }
        }
    }

    /// A configuration file of the image.
    pub fn configuration(&self, path: &str) -> Option<Data> {
        let path = absolute(self.around.workdir, path);
        if let Some(known) = self.files.borrow().get(&path) {
            return known.clone();
        }
        let data = (self.around.text)(&path).and_then(|(source, text)| super::data::read(&source, &text));
        self.files.borrow_mut().insert(path, data.clone());
        data
    }

    /// The path that values stand for, if they are one.
    fn path_of(&self, values: &[Value<'p>]) -> Option<String> {
        match values {
            [Value::Path(path)] => path.clone(),
            [Value::Text(text)] => Some(absolute(self.around.workdir, &text.value)),
            _ => None,
        }
    }

    /// The values of a parameter: what the calls give, else its default.
    fn parameter(&self, scope: ScopeId, parameter: &'p Parameter, index: usize) -> Vec<Value<'p>> {
        let function = match self.scopes.all[scope].kind {
            ScopeKind::Function(function) => function,
            _ => return vec![Value::Unknown("a parameter of a lambda".to_owned())],
        };
        let parent = self.scopes.all[scope].parent;
        let class = parent.filter(|parent| matches!(self.scopes.all[*parent].kind, ScopeKind::Class(_)));
        let is_static = function.decorators.iter().any(|decorator| decorator.last_name() == Some("staticmethod"));
        if let (Some(class), 0, false) = (class, index, is_static) {
            return vec![if parameter.name == "cls" { Value::Class(class) } else { Value::Instance(class) }];
        }
        let given = self
            .frames
            .borrow()
            .iter()
            .rev()
            .find(|frame| frame.function == scope)
            .and_then(|frame| frame.arguments.get(parameter.name.as_str()).cloned());
        if let Some(given) = given {
            return given;
        }
        let default = || {
            parameter.default.as_ref().map(|default| {
                let mut values = self.values(Place { scope: parent.unwrap_or(scope), expression: default });
                raise(&mut values, Given::DefaultArgument);
                values
            })
        };
        let skipped = usize::from(class.is_some() && !is_static);
        let position = index.checked_sub(skipped);
        let calls = self.calls_to(scope, &function.name, class);
        let mut values = Vec::new();
        let mut is_left_out = calls.is_empty();
        for (call, shift) in &calls {
            let Some(call_of) = call.expression.call() else { continue };
            let argument = call_of.argument(&parameter.name, position.map(|position| position + shift));
            match argument {
                Some(argument) => values.extend(self.values(Place { scope: call.scope, expression: argument })),
                None => match self.spread(*call, &parameter.name) {
                    Some(more) => values.extend(more),
                    None => is_left_out = true,
                },
            }
        }
        // `def f(x=None): x or DEFAULT` is decided where it is used.
        if is_left_out {
            match default() {
                Some(more) => values.extend(more),
                None => values.extend(self.by_annotation(scope, parameter)),
            }
        }
        if values.is_empty() {
            values = self.by_annotation(scope, parameter);
        }
        values
    }

    /// What `**other` of a call gives for a name.
    fn spread(&self, call: Place<'p>, name: &str) -> Option<Vec<Value<'p>>> {
        let spreads = call.expression.call()?.keywords.iter().filter(|(keyword, _)| keyword.is_none());
        let mut found = None;
        for (_, spread) in spreads {
            for value in self.values(Place { scope: call.scope, expression: spread }) {
                match value {
                    Value::Data(data) => found = data.get(name).cloned().map(|data| vec![of_data(data)]).or(found),
                    Value::Literal(Place { scope, expression }) => {
                        let ExpressionKind::Dict(pairs) = &expression.kind else { continue };
                        let entry = pairs.iter().find(|(key, _)| key.as_ref().and_then(Expression::text) == Some(name));
                        if let Some((_, value)) = entry {
                            found = Some(self.values(Place { scope, expression: value }));
                        }
                    }
                    _ => return Some(vec![Value::Unknown("given in a dictionary that is not known".to_owned())]),
                }
            }
        }
        found
    }

    /// A parameter of a class of settings has the values of those.
    fn by_annotation(&self, scope: ScopeId, parameter: &'p Parameter) -> Vec<Value<'p>> {
        let parent = self.scopes.all[scope].parent.unwrap_or(scope);
        if let Some(annotation) = &parameter.annotation {
            let mut named = Vec::new();
            each(self.scopes, Place { scope: parent, expression: annotation }, &mut |place| {
                if place.expression.last_name().is_some() {
                    named.push(place);
                }
            });
            for place in named {
                if let [Value::Class(class)] = self.values(place).as_slice() {
                    return vec![Value::Instance(*class)];
                }
            }
        }
        vec![Value::Unknown(format!("the parameter {} that no call in the image gives", parameter.name))]
    }
}

/// Every expression in one, each with its scope.
pub fn each<'p>(scopes: &Scopes<'p>, place: Place<'p>, visit: &mut dyn FnMut(Place<'p>)) {
    visit(place);
    let scope = scopes.inner(place.expression).unwrap_or(place.scope);
    for child in place.expression.children() {
        each(scopes, Place { scope, expression: child }, visit);
    }
}

/// The text, if there is just one: what is nothing aside.
pub fn only_text<'v>(values: &'v [Value<'_>]) -> Option<&'v Text> {
    let mut found: Option<&Text> = None;
    for value in values {
        match value {
            Value::Text(text) if found.is_none_or(|before| before.value == text.value) => found = Some(text),
            Value::None | Value::Unset(_) => {}
            _ => return None,
        }
    }
    found
}

/// Values without those that are the same text or truth value as one before, and without variables that nothing sets, where something
/// else stands for these.
fn distinct(values: Vec<Value<'_>>) -> Vec<Value<'_>> {
    let mut kept: Vec<Value<'_>> = Vec::new();
    let has_others = values.iter().any(|value| !matches!(value, Value::Unset(_)));
    for value in values {
        if has_others && matches!(value, Value::Unset(_)) {
            continue;
        }
        let is_known = kept.iter().any(|known| match (known, &value) {
            (Value::Text(left), Value::Text(right)) => left.value == right.value,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::None, Value::None) => true,
            _ => false,
        });
        if !is_known {
            kept.push(value);
        }
    }
    kept
}

/// Values that hold where nothing sets an environment variable.
fn defaults_of<'p>(variable: &str, mut values: Vec<Value<'p>>) -> Vec<Value<'p>> {
    raise(&mut values, Given::EnvironmentDefault);
    for value in &mut values {
        if let Value::Text(text) = value {
            text.variable.get_or_insert_with(|| variable.to_owned());
        }
    }
    values
}

/// Marks texts as given in a way, unless another one says more.
pub fn raise(values: &mut [Value<'_>], given: Given) {
    for value in values {
        if let Value::Text(text) = value {
            text.given = text.given.max(given);
        }
    }
}

fn is_true(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Text(text) => Some(!text.value.is_empty()),
        Value::None => Some(false),
        Value::Bool(value) => Some(*value),
        Value::Class(_) | Value::Instance(_) | Value::Function(_) | Value::Lambda(_) | Value::Unit(_) => Some(true),
        Value::Unset(_)
        | Value::Path(_)
        | Value::External(_)
        | Value::Literal(_)
        | Value::Data(_)
        | Value::Package(_)
        | Value::Unknown(_) => None,
    }
}

fn unknown_like<'p>(value: Value<'p>) -> Value<'p> {
    match value {
        Value::Unknown(why) => Value::Unknown(why),
        Value::Path(_) => Value::Path(None),
        _ => Value::Unknown("computed".to_owned()),
    }
}

/// A value of a configuration file.
pub fn of_data<'p>(data: Data) -> Value<'p> {
    match &data.kind {
        DataKind::Text(text) => Value::Text(Text {
            value: text.clone(),
            file: Arc::clone(&data.file),
            line: data.line,
            given: Given::ConfigurationFile,
            variable: None,
        }),
        DataKind::Bool(value) => Value::Bool(*value),
        DataKind::Null => Value::None,
        DataKind::Map(_) | DataKind::List(_) => Value::Data(data),
        DataKind::Other => Value::Unknown(format!("no text in {}", data.file)),
    }
}

/// Whether a library's thing is the result of reading the command line.
fn is_arguments(name: &str) -> bool {
    name.ends_with(".parse_args()") || name.ends_with(".parse_known_args()")
}

fn stem(path: &str) -> String {
    let stem = path.strip_suffix(".py").unwrap_or(path);
    stem.strip_suffix("/__init__").unwrap_or(stem).to_owned()
}
