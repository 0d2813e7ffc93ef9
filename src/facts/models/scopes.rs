//! Scopes of a program and what binds the names in them.

use std::collections::HashMap;

use super::program::Program;
use crate::python::{Block, Class, Expression, ExpressionKind, Function, Parameter, Statement, StatementKind};

pub type ScopeId = usize;

/// A module, function, class, lambda or comprehension.
#[derive(Debug)]
pub struct Scope<'p> {
    pub unit: usize,
    pub parent: Option<ScopeId>,
    pub kind: ScopeKind<'p>,
    pub bindings: HashMap<&'p str, Vec<Binding<'p>>>,
    /// Of a class: what its methods assign to `self.NAME`, each with the scope of the method.
    pub members: HashMap<&'p str, Vec<(ScopeId, &'p Expression)>>,
    /// Of a class: its fields with their types, and their values where they have one.
    pub fields: Vec<(&'p str, &'p Expression, Option<&'p Expression>)>,
    /// Modules of `import a.b`, whole, and where.
    pub loaded: Vec<(&'p str, usize)>,
    /// Modules that are imported with `*`.
    pub stars: Vec<Import<'p>>,
    /// Blocks of its statements by the offset of their first statement.
    blocks: HashMap<usize, Guard<'p>>,
}

#[derive(Debug, Clone, Copy)]
pub enum ScopeKind<'p> {
    Unit(&'p Block),
    Function(&'p Function),
    Class(&'p Class),
    /// A lambda or comprehension.
    Expression,
}

/// What decides whether a block is run.
#[derive(Debug, Clone, Default)]
pub struct Guard<'p> {
    /// Tests and what they have to give.
    pub tests: Vec<(&'p Expression, bool)>,
    /// Whether it handles an exception.
    pub handles: bool,
    /// Where the block stands that holds it; none for the scope's own.
    parent: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct Binding<'p> {
    pub offset: usize,
    /// The block that it stands in; none for the scope's own.
    pub block: Option<usize>,
    pub what: What<'p>,
}

/// What a name is bound to.
#[derive(Debug, Clone)]
pub enum What<'p> {
    Value(&'p Expression),
    /// One item of what is unpacked.
    Item(&'p Expression, usize),
    /// Every item in turn; with an index, what stands there in each.
    Each(&'p Expression, Option<usize>),
    /// What a `with` gives.
    Entered(&'p Expression),
    Parameter(&'p Parameter, usize),
    Import(Import<'p>),
    Function(ScopeId),
    Class(ScopeId),
    Unknown,
}

/// What an import brings.
#[derive(Debug, Clone, Copy)]
pub struct Import<'p> {
    pub module: &'p str,
    pub level: u32,
    /// None for the module itself.
    pub name: Option<&'p str>,
}

/// A call and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    pub scope: ScopeId,
    pub expression: &'p Expression,
}

/// All scopes of a program.
#[derive(Debug, Default)]
pub struct Scopes<'p> {
    pub all: Vec<Scope<'p>>,
    /// For each unit its own scope.
    pub of_unit: Vec<ScopeId>,
    /// Expressions at the top of statements, each with its scope.
    pub expressions: Vec<Place<'p>>,
    /// The scope of each lambda and comprehension, by the address of its expression.
    inner: HashMap<*const Expression, ScopeId>,
    /// The scope of each function and class, by the address of what it is.
    defined: HashMap<usize, ScopeId>,
    /// `os.environ[NAME] = VALUE` and the like: where, the name, the value.
    pub assigned: Vec<(ScopeId, &'p Expression, &'p Expression)>,
    /// For each function and class: its returns.
    pub returns: HashMap<ScopeId, Vec<&'p Expression>>,
    /// Every name that an import gives another one.
    pub aliases: HashMap<&'p str, Vec<&'p str>>,
}

impl<'p> Scopes<'p> {
    pub fn new(program: &'p Program) -> Self {
        let mut scopes = Self::default();
        for (index, unit) in program.units.iter().enumerate() {
            let scope = scopes.add(index, None, ScopeKind::Unit(&unit.body));
            scopes.of_unit.push(scope);
            scopes.block(scope, None, &unit.body);
        }
        scopes
    }

    fn add(&mut self, unit: usize, parent: Option<ScopeId>, kind: ScopeKind<'p>) -> ScopeId {
        self.all.push(Scope {
            unit,
            parent,
            kind,
            bindings: HashMap::new(),
            members: HashMap::new(),
            fields: Vec::new(),
            loaded: Vec::new(),
            stars: Vec::new(),
            blocks: HashMap::new(),
        });
        self.all.len() - 1
    }

    fn bind(&mut self, scope: ScopeId, name: &'p str, offset: usize, block: Option<usize>, what: What<'p>) {
        self.all[scope].bindings.entry(name).or_default().push(Binding { offset, block, what });
    }

    fn block(&mut self, scope: ScopeId, at: Option<usize>, block: &'p Block) {
        let (mut at, mut left) = (at, None);
        for statement in block {
            // What stands behind `if x: return` is run where x is false.
            if let Some(test) = left.take() {
                let key = statement.offset;
                self.all[scope].blocks.insert(key, Guard { tests: vec![(test, false)], handles: false, parent: at });
                at = Some(key);
            }
            self.statement(scope, at, statement);
            if let StatementKind::If(branches) = &statement.kind
                && let [(Some(test), body)] = branches.as_slice()
                && leaves(body)
            {
                left = Some(test);
            }
        }
    }

    fn nested(
        &mut self,
        scope: ScopeId,
        at: Option<usize>,
        block: &'p Block,
        tests: Vec<(&'p Expression, bool)>,
        handles: bool,
    ) {
        let Some(first) = block.first() else { return };
        let key = first.offset;
        self.all[scope].blocks.insert(key, Guard { tests, handles, parent: at });
        self.block(scope, Some(key), block);
    }

    fn statement(&mut self, scope: ScopeId, at: Option<usize>, statement: &'p Statement) {
        use StatementKind as Kind;
        let offset = statement.offset;
        for expression in statement.expressions() {
            self.expression(scope, at, expression);
        }
        match &statement.kind {
            Kind::Import(names) => {
                for imported in names {
                    self.all[scope].loaded.push((&imported.name, offset));
                    let (name, module) = match &imported.alias {
                        Some(alias) => (alias.as_str(), imported.name.as_str()),
                        // `import a.b` binds `a`.
                        None => {
                            let first = imported.name.split('.').next().unwrap_or(&imported.name);
                            (first, first)
                        }
                    };
                    let what = What::Import(Import { module, level: 0, name: None });
                    self.bind(scope, name, offset, at, what);
                }
            }
            Kind::ImportFrom { module, level, names } => {
                let module = module.as_deref().unwrap_or("");
                for imported in names {
                    if imported.name == "*" {
                        self.all[scope].stars.push(Import { module, level: *level, name: None });
                        continue;
                    }
                    let name = imported.alias.as_deref().unwrap_or(&imported.name);
                    if let Some(alias) = imported.alias.as_deref().filter(|alias| *alias != imported.name) {
                        self.aliases.entry(alias).or_default().push(&imported.name);
                    }
                    let what = What::Import(Import { module, level: *level, name: Some(&imported.name) });
                    self.bind(scope, name, offset, at, what);
                }
            }
            Kind::Assign { targets, value } => {
                for target in targets {
                    self.target(scope, at, target, offset, &|| What::Value(value), Some(value));
                }
            }
            Kind::Annotated { target, annotation, value } => {
                if let ExpressionKind::Name(name) = &target.kind {
                    self.all[scope].fields.push((name, annotation, value.as_ref()));
                }
                if let Some(value) = value {
                    self.target(scope, at, target, offset, &|| What::Value(value), Some(value));
                }
            }
            Kind::Augmented { target, .. } => self.target(scope, at, target, offset, &|| What::Unknown, None),
            Kind::Function(function) => {
                let inner = self.add(self.all[scope].unit, Some(scope), ScopeKind::Function(function));
                self.defined.insert(std::ptr::from_ref::<Function>(function) as usize, inner);
                self.bind(scope, &function.name, offset, at, What::Function(inner));
                for (index, parameter) in function.parameters.iter().enumerate() {
                    self.bind(inner, &parameter.name, 0, None, What::Parameter(parameter, index));
                }
                self.block(inner, None, &function.body);
            }
            Kind::Class(class) => {
                let inner = self.add(self.all[scope].unit, Some(scope), ScopeKind::Class(class));
                self.defined.insert(std::ptr::from_ref::<Class>(class) as usize, inner);
                self.bind(scope, &class.name, offset, at, What::Class(inner));
                self.block(inner, None, &class.body);
            }
            Kind::Return(Some(value)) => self.returns.entry(scope).or_default().push(value),
            Kind::If(branches) => {
                let mut before: Vec<(&'p Expression, bool)> = Vec::new();
                for (test, body) in branches {
                    let mut tests = before.clone();
                    tests.extend(test.as_ref().map(|test| (test, true)));
                    self.nested(scope, at, body, tests, false);
                    before.extend(test.as_ref().map(|test| (test, false)));
                }
            }
            Kind::Loop { target, source, body, orelse } => {
                if let Some(target) = target {
                    self.target(scope, at, target, offset, &|| What::Each(source, None), None);
                }
                self.nested(scope, at, body, Vec::new(), false);
                self.nested(scope, at, orelse, Vec::new(), false);
            }
            Kind::With { items, body } => {
                for (value, target) in items {
                    if let Some(target) = target {
                        self.target(scope, at, target, offset, &|| What::Entered(value), None);
                    }
                }
                // Its body is run as the statements around it.
                self.block(scope, at, body);
            }
            Kind::Try { body, handlers, orelse, finally } => {
                self.nested(scope, at, body, Vec::new(), false);
                for (_, handler) in handlers {
                    self.nested(scope, at, handler, Vec::new(), true);
                }
                self.nested(scope, at, orelse, Vec::new(), false);
                self.nested(scope, at, finally, Vec::new(), false);
            }
            _ => {}
        }
    }

    fn target(
        &mut self,
        scope: ScopeId,
        at: Option<usize>,
        target: &'p Expression,
        offset: usize,
        what: &dyn Fn() -> What<'p>,
        value: Option<&'p Expression>,
    ) {
        match &target.kind {
            ExpressionKind::Name(name) => {
                // `global x` in a function is not followed: the module's own value counts.
                self.bind(scope, name, offset, at, what());
            }
            ExpressionKind::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    let part = || match what() {
                        What::Value(value) => What::Item(value, index),
                        What::Each(source, None) => What::Each(source, Some(index)),
                        _ => What::Unknown,
                    };
                    self.target(scope, at, item, offset, &part, None);
                }
            }
            ExpressionKind::Attribute(object, name) => {
                let is_own = object.name().is_some_and(|object| matches!(object, "self" | "cls"));
                if let (Some(value), Some(class), true) = (value, self.class_around(scope), is_own) {
                    self.all[class].members.entry(name).or_default().push((scope, value));
                }
            }
            ExpressionKind::Subscript(object, key) => {
                if let (Some(value), Some("environ")) = (value, object.last_name()) {
                    self.assigned.push((scope, key, value));
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, scope: ScopeId, at: Option<usize>, expression: &'p Expression) {
        self.expressions.push(Place { scope, expression });
        self.inside(scope, at, expression);
    }

    /// Scopes and names inside an expression.
    fn inside(&mut self, scope: ScopeId, at: Option<usize>, expression: &'p Expression) {
        let mut inner = scope;
        match &expression.kind {
            ExpressionKind::Lambda { parameters, .. } => {
                inner = self.add(self.all[scope].unit, Some(scope), ScopeKind::Expression);
                for (index, parameter) in parameters.iter().enumerate() {
                    self.bind(inner, &parameter.name, 0, None, What::Parameter(parameter, index));
                }
            }
            ExpressionKind::Comprehension { generators, .. } => {
                inner = self.add(self.all[scope].unit, Some(scope), ScopeKind::Expression);
                for generator in generators {
                    self.target(inner, None, &generator.target, 0, &|| What::Each(&generator.source, None), None);
                }
            }
            ExpressionKind::Named(name, value) => {
                self.bind(scope, name, expression.offset, at, What::Value(value));
            }
            ExpressionKind::Call(call) => {
                let is_default = call.function.last_name() == Some("setdefault")
                    && matches!(&call.function.kind, ExpressionKind::Attribute(object, _) if object.last_name() == Some("environ"));
                if let (true, [name, value]) = (is_default, call.arguments.as_slice()) {
                    self.assigned.push((scope, name, value));
                }
            }
            _ => {}
        }
        if inner != scope {
            self.inner.insert(std::ptr::from_ref(expression), inner);
        }
        for child in expression.children() {
            self.inside(inner, at, child);
        }
    }

    /// The scope that the parts of a lambda or comprehension stand in.
    pub fn inner(&self, expression: &Expression) -> Option<ScopeId> {
        self.inner.get(&std::ptr::from_ref(expression)).copied()
    }

    /// The scope of a statement's function or class.
    pub fn defined(&self, statement: &Statement) -> Option<ScopeId> {
        let key = match &statement.kind {
            StatementKind::Function(function) => std::ptr::from_ref::<Function>(function) as usize,
            StatementKind::Class(class) => std::ptr::from_ref::<Class>(class) as usize,
            _ => return None,
        };
        self.defined.get(&key).copied()
    }

    /// The class whose method a scope is or stands in.
    pub fn class_around(&self, scope: ScopeId) -> Option<ScopeId> {
        let mut at = scope;
        loop {
            match self.all[at].kind {
                ScopeKind::Class(_) if at != scope => return Some(at),
                _ => at = self.all[at].parent?,
            }
        }
    }

    /// The scope whose statements an expression of `scope` belongs to: not a lambda, not a comprehension.
    pub fn statements_around(&self, scope: ScopeId) -> ScopeId {
        let mut at = scope;
        while let (ScopeKind::Expression, Some(parent)) = (self.all[at].kind, self.all[at].parent) {
            at = parent;
        }
        at
    }

    /// The blocks that an offset of a scope stands in, outermost first, by the offset of their first statement.
    pub fn blocks_at(&self, scope: ScopeId, offset: usize) -> Vec<usize> {
        let scope = &self.all[scope];
        let mut at = match scope.kind {
            ScopeKind::Unit(block) => innermost(block, offset),
            ScopeKind::Function(function) => innermost(&function.body, offset),
            ScopeKind::Class(class) => innermost(&class.body, offset),
            ScopeKind::Expression => Vec::new(),
        };
        at.retain(|key| scope.blocks.contains_key(key));
        at.dedup();
        at
    }

    /// What decides whether an offset of a scope is run, outermost first.
    pub fn guards_at(&self, scope: ScopeId, offset: usize) -> Vec<&Guard<'p>> {
        self.blocks_at(scope, offset).iter().filter_map(|key| self.all[scope].blocks.get(key)).collect()
    }

    /// What decides whether a binding is made.
    pub fn guards_of(&self, scope: ScopeId, binding: &Binding<'p>) -> Vec<&Guard<'p>> {
        let mut found = Vec::new();
        let mut at = binding.block;
        while let Some(guard) = at.and_then(|at| self.all[scope].blocks.get(&at)) {
            found.push(guard);
            at = guard.parent;
        }
        found
    }

    /// The bindings of a name in a scope that may hold at `offset` of it; at its end for none.
    pub fn reaching(&self, scope: ScopeId, name: &str, offset: Option<usize>) -> Vec<&Binding<'p>> {
        let Some(bindings) = self.all[scope].bindings.get(name) else { return Vec::new() };
        let around = offset.map_or_else(Vec::new, |offset| self.blocks_at(scope, offset));
        let mut reaching: Vec<&Binding<'p>> = Vec::new();
        for binding in bindings {
            if offset.is_some_and(|offset| binding.offset > offset) {
                continue;
            }
            // What is always run on the way hides what came before it.
            if binding.block.is_none_or(|block| around.contains(&block)) {
                reaching.clear();
            }
            reaching.push(binding);
        }
        // In a loop, or where the order is not the one of the text.
        if reaching.is_empty() { bindings.iter().collect() } else { reaching }
    }
}

/// Whether what stands behind a block is not run when the block was.
fn leaves(block: &Block) -> bool {
    matches!(block.last().map(|last| &last.kind), Some(StatementKind::Return(_) | StatementKind::Leave(_)))
}

/// The blocks around an offset, by the offset of their first statement and of every statement on the way, outermost first.
fn innermost(block: &Block, offset: usize) -> Vec<usize> {
    let mut keys = Vec::new();
    let mut block = block;
    loop {
        keys.extend(block.iter().map(|statement| statement.offset).filter(|start| *start <= offset));
        let Some(statement) = block.iter().rev().find(|statement| statement.offset <= offset) else { return keys };
        if matches!(statement.kind, StatementKind::Function(_) | StatementKind::Class(_)) {
            return keys;
        }
        let mut inside =
            statement.blocks().into_iter().filter(|inner| inner.first().is_some_and(|first| first.offset <= offset));
        let Some(next) = inside.next_back() else { return keys };
        block = next;
    }
}
