//! Which parts of a program are run when it starts as it does.
//!
//! A function counts as run where its name stands in what is run: calls are not followed one by one, so that nothing is missed which is
//! called over a variable of whatever type.

use std::collections::{HashMap, HashSet};

use super::scopes::{Place, ScopeId, ScopeKind, What};
use super::values::Evaluator;
use crate::python::{Block, ExpressionKind, Function, StatementKind};

/// Where a program begins.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Modules that are loaded first.
    pub units: Vec<usize>,
    /// Modules that count too, though nothing among the others imports them.
    pub beside: Vec<usize>,
    /// Names of theirs that the server or runner calls.
    pub names: Vec<String>,
    /// Whether every module counts: it is not known where the program begins.
    pub is_open: bool,
}

/// Decorators that leave a function to its callers.
const QUIET: [&str; 16] = [
    "property",
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "cached_property",
    "lru_cache",
    "cache",
    "contextmanager",
    "asynccontextmanager",
    "wraps",
    "setter",
    "override",
    "overload",
    "retry",
    "singledispatch",
    "inference_mode",
];

/// The scopes that are run.
pub fn live<'p>(evaluator: &Evaluator<'p>, start: &Start) -> HashSet<ScopeId> {
    let scopes = evaluator.scopes;
    if start.is_open {
        return (0..scopes.all.len()).filter(|scope| !is_test(evaluator, scopes.all[*scope].unit)).collect();
    }
    let mut search = Search {
        evaluator,
        live: HashSet::new(),
        pending: Vec::new(),
        used: start.names.iter().cloned().collect(),
        waiting: HashMap::new(),
        places: HashMap::new(),
    };
    for place in &scopes.expressions {
        search.places.entry(place.scope).or_default().push(*place);
    }
    for unit in start.units.iter().chain(&start.beside) {
        search.unit(*unit);
    }
    search.run();
    search.live
}

struct Search<'e, 'p> {
    evaluator: &'e Evaluator<'p>,
    live: HashSet<ScopeId>,
    pending: Vec<ScopeId>,
    /// Names in what is run.
    used: HashSet<String>,
    /// Functions and classes that are run once their name is used.
    waiting: HashMap<String, Vec<ScopeId>>,
    places: HashMap<ScopeId, Vec<Place<'p>>>,
}

impl<'p> Search<'_, 'p> {
    fn unit(&mut self, unit: usize) {
        let program = self.evaluator.program;
        for unit in std::iter::once(unit).chain(program.packages_of(unit)) {
            self.add(self.evaluator.scopes.of_unit[unit]);
        }
    }

    fn add(&mut self, scope: ScopeId) {
        if self.live.insert(scope) {
            self.pending.push(scope);
        }
    }

    fn run(&mut self) {
        while let Some(scope) = self.pending.pop() {
            self.names_in(scope);
            let body: &'p Block = match self.evaluator.scopes.all[scope].kind {
                ScopeKind::Unit(body) => body,
                ScopeKind::Function(function) => &function.body,
                ScopeKind::Class(class) => &class.body,
                ScopeKind::Expression => continue,
            };
            self.block(scope, body);
            self.imports(scope);
        }
    }

    fn is_run(&self, scope: ScopeId, offset: usize) -> bool {
        self.evaluator.excluded(scope, offset).is_none()
    }

    /// Takes the names in the expressions of a scope.
    fn names_in(&mut self, scope: ScopeId) {
        let places = self.places.remove(&scope).unwrap_or_default();
        let mut names: Vec<String> = Vec::new();
        let mut modules: Vec<usize> = Vec::new();
        for place in places {
            if !self.is_run(scope, place.expression.offset) {
                continue;
            }
            self.evaluator.each_run(place, &mut |place| match &place.expression.kind {
                ExpressionKind::Name(name) | ExpressionKind::Attribute(_, name) => {
                    names.push(name.clone());
                    if let Some(originals) = self.evaluator.scopes.aliases.get(name.as_str()) {
                        names.extend(originals.iter().map(|original| (*original).to_owned()));
                    }
                }
                // `uvicorn.run("app.main:app")`, `include=["app.tasks"]`, `import_module("app.x")`.
                ExpressionKind::Text(text) => modules.extend(self.module_in(text)),
                _ => {}
            });
        }
        for unit in modules {
            self.unit(unit);
        }
        for name in names {
            self.use_name(name);
        }
    }

    fn module_in(&self, text: &str) -> Option<usize> {
        let (module, object) = super::launch::module_and_object(text);
        let is_dotted = module.contains('.') || object.is_some();
        let is_name = module.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '_' | '.'));
        if !is_dotted || !is_name || module.is_empty() || module.ends_with(".py") {
            return None;
        }
        self.evaluator.program.module(module)
    }

    fn use_name(&mut self, name: String) {
        for scope in self.waiting.remove(&name).unwrap_or_default() {
            self.add(scope);
        }
        self.used.insert(name);
    }

    /// Takes the definitions among the statements of a scope.
    fn block(&mut self, scope: ScopeId, block: &'p Block) {
        for statement in block {
            match &statement.kind {
                StatementKind::Function(function) => {
                    let Some(inner) = self.evaluator.scopes.defined(statement) else { continue };
                    if !self.is_run(scope, statement.offset) {
                        continue;
                    }
                    let is_called = self.used.contains(&function.name) || self.is_called_by_others(scope, function);
                    self.define(&function.name, inner, is_called);
                }
                StatementKind::Class(class) => {
                    let Some(inner) = self.evaluator.scopes.defined(statement) else { continue };
                    let is_settings = class.name == "Config" || class.name == "Meta";
                    self.define(&class.name, inner, is_settings || self.used.contains(&class.name));
                }
                _ => {
                    for inner in statement.blocks() {
                        self.block(scope, inner);
                    }
                }
            }
        }
    }

    fn define(&mut self, name: &str, scope: ScopeId, is_run: bool) {
        if is_run {
            self.add(scope);
        } else {
            self.waiting.entry(name.to_owned()).or_default().push(scope);
        }
    }

    /// Whether somebody calls a function by other ways than its name: a decorator hands it on, a library calls it as a method of its own
    /// class, Python does.
    fn is_called_by_others(&self, scope: ScopeId, function: &Function) -> bool {
        let is_handed_on = function.decorators.iter().any(|decorator| {
            let name = decorator.last_name().or_else(|| decorator.call()?.function.last_name());
            name.is_none_or(|name| !QUIET.contains(&name))
        });
        if is_handed_on || function.name.starts_with("__") && function.name.ends_with("__") {
            return true;
        }
        if !matches!(self.evaluator.scopes.all[scope].kind, ScopeKind::Class(_)) {
            return false;
        }
        const OWN: [&str; 10] = [
            "ABC",
            "object",
            "Enum",
            "BaseModel",
            "BaseSettings",
            "Protocol",
            "NamedTuple",
            "TypedDict",
            "Exception",
            "Generic",
        ];
        let bases = self.evaluator.library_bases(scope);
        bases.iter().any(|base| {
            let last = base.trim_end_matches("[]").rsplit('.').next().unwrap_or(base);
            !OWN.contains(&last)
        })
    }

    /// Loads the modules that a scope imports.
    fn imports(&mut self, scope: ScopeId) {
        let here = &self.evaluator.scopes.all[scope];
        let mut units = Vec::new();
        let mut taken = Vec::new();
        for binding in here.bindings.values().flatten() {
            let What::Import(import) = &binding.what else { continue };
            if self.is_run(scope, binding.offset) {
                taken.push(*import);
            }
        }
        taken.extend(&here.stars);
        for import in taken {
            units.extend(self.evaluator.modules_of(here.unit, import));
        }
        for (module, offset) in &here.loaded {
            if self.is_run(scope, *offset) {
                units.extend(self.evaluator.program.module(module));
            }
        }
        for unit in units {
            self.unit(unit);
        }
    }
}

impl<'p> Evaluator<'p> {
    /// The modules that an import loads.
    fn modules_of(&self, unit: usize, import: super::scopes::Import<'p>) -> Vec<usize> {
        let mut found = Vec::new();
        let program = self.program;
        let (target, _) = self.module_of(unit, import.level, import.module);
        found.extend(target);
        if let Some(name) = import.name {
            let below = match target {
                Some(target) if program.paths[target].ends_with("/__init__.py") => {
                    program.below(super::program::folder(&program.paths[target]), name)
                }
                Some(_) => None,
                None if import.level > 0 => program.below(&program.package(unit, import.level, import.module), name),
                None => program.module(&format!("{}.{name}", import.module)),
            };
            found.extend(below);
        }
        found
    }
}

/// Whether a module is one of tests, examples or notebooks.
fn is_test(evaluator: &Evaluator<'_>, unit: usize) -> bool {
    is_aside(&evaluator.program.paths[unit])
}

/// Whether a path is that of tests, examples, notebooks or benchmarks, which no service runs.
pub fn is_aside(path: &str) -> bool {
    const FOLDERS: [&str; 16] = [
        "tests",
        "test",
        "testing",
        "examples",
        "example",
        "notebooks",
        "notebook",
        "docs",
        "benchmarks",
        "benchmark",
        "migrations",
        "alembic",
        "demo",
        "demos",
        "playground",
        "experiments",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = super::program::folder(path);
    folder.split('/').any(|part| FOLDERS.contains(&part))
        || name.starts_with("test_")
        || name.ends_with("_test.py")
        || matches!(name, "conftest.py" | "setup.py" | "noxfile.py")
}
