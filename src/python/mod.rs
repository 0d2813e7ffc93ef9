//! Python files as a tree of statements and expressions with their places: as much of the language as says which values reach which
//! calls.

mod reader;

use std::fmt;

pub use reader::read;

/// Why a file is not Python that is read: a syntax error, at a byte offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    pub offset: usize,
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// A statement and where it starts, in bytes.
#[derive(Debug, Clone)]
pub struct Statement {
    pub offset: usize,
    pub kind: StatementKind,
}

pub type Block = Vec<Statement>;

#[derive(Debug, Clone)]
pub enum StatementKind {
    Import(Vec<Imported>),
    ImportFrom {
        /// None for `from . import x`.
        module: Option<String>,
        /// How many dots stand in front.
        level: u32,
        names: Vec<Imported>,
    },
    Assign {
        targets: Vec<Expression>,
        value: Expression,
    },
    /// `name: type` and `name: type = value`.
    Annotated {
        target: Expression,
        annotation: Expression,
        value: Option<Expression>,
    },
    /// `name += value` and the like.
    Augmented {
        target: Expression,
        value: Expression,
    },
    Function(Box<Function>),
    Class(Box<Class>),
    Return(Option<Expression>),
    Expression(Expression),
    /// Each branch with its test; `else` has none.
    If(Vec<(Option<Expression>, Block)>),
    /// `for target in source` and `while source`.
    Loop {
        target: Option<Expression>,
        source: Expression,
        body: Block,
        orelse: Block,
    },
    With {
        items: Vec<(Expression, Option<Expression>)>,
        body: Block,
    },
    Try {
        body: Block,
        handlers: Vec<(Option<Expression>, Block)>,
        orelse: Block,
        finally: Block,
    },
    /// `raise`, `break`, `continue`: nothing behind it in its block is run.
    Leave(Vec<Expression>),
    /// Anything else, with the expressions in it.
    Other(Vec<Expression>),
}

/// A name that an import brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Dotted for `import a.b`; `*` for all.
    pub name: String,
    pub alias: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Function {
    pub name: String,
    pub decorators: Vec<Expression>,
    pub parameters: Vec<Parameter>,
    pub body: Block,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub kind: ParameterKind,
    pub annotation: Option<Expression>,
    pub default: Option<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    Positional,
    KeywordOnly,
    /// `*args` and `**kwargs`.
    Rest,
}

#[derive(Debug, Clone)]
pub struct Class {
    pub name: String,
    pub decorators: Vec<Expression>,
    pub bases: Vec<Expression>,
    /// `metaclass=` and the like.
    pub keywords: Vec<(Option<String>, Expression)>,
    pub body: Block,
}

/// An expression and where it starts, in bytes.
#[derive(Debug, Clone)]
pub struct Expression {
    pub offset: usize,
    pub kind: ExpressionKind,
}

#[derive(Debug, Clone)]
pub enum ExpressionKind {
    Text(String),
    /// An f-string; pieces that are no literal are the expressions in it. `None` stands for one with a format or a conversion.
    Format(Vec<Option<Expression>>),
    /// A whole number that is not negative, if it is one.
    Number(Option<usize>),
    Bool(bool),
    None,
    Name(String),
    Attribute(Box<Expression>, String),
    Call(Box<Call>),
    Subscript(Box<Expression>, Box<Expression>),
    /// A list, tuple or set.
    Sequence(Vec<Expression>),
    /// A key is missing for `**other`.
    Dict(Vec<(Option<Expression>, Expression)>),
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Add(Box<Expression>, Box<Expression>),
    /// `/` of paths.
    Divide(Box<Expression>, Box<Expression>),
    Compare {
        left: Box<Expression>,
        operator: Comparison,
        right: Box<Expression>,
    },
    Conditional {
        test: Box<Expression>,
        body: Box<Expression>,
        orelse: Box<Expression>,
    },
    Lambda {
        parameters: Vec<Parameter>,
        body: Box<Expression>,
    },
    /// `name := value`.
    Named(String, Box<Expression>),
    Await(Box<Expression>),
    /// `*value`.
    Starred(Box<Expression>),
    Comprehension {
        elements: Vec<Expression>,
        generators: Vec<Generator>,
    },
    /// Anything else, with the expressions in it.
    Other(Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    In,
    NotIn,
    Is,
    IsNot,
    Other,
}

/// `for target in source if …` of a comprehension.
#[derive(Debug, Clone)]
pub struct Generator {
    pub target: Expression,
    pub source: Expression,
    pub tests: Vec<Expression>,
}

#[derive(Debug, Clone)]
pub struct Call {
    pub function: Expression,
    pub arguments: Vec<Expression>,
    /// A name is missing for `**other`.
    pub keywords: Vec<(Option<String>, Expression)>,
}

impl Call {
    /// The argument `name`, or the one at `position`, counted from 0; none where a starred argument stands in front.
    pub fn argument(&self, name: &str, position: Option<usize>) -> Option<&Expression> {
        if let Some((_, value)) = self.keywords.iter().find(|(known, _)| known.as_deref() == Some(name)) {
            return Some(value);
        }
        let before = self.arguments.get(..=position?)?;
        if before.iter().any(|argument| matches!(argument.kind, ExpressionKind::Starred(_))) {
            return None;
        }
        before.last()
    }

    pub fn keyword(&self, name: &str) -> Option<&Expression> {
        self.argument(name, None)
    }
}

impl Expression {
    /// The text of a literal.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn call(&self) -> Option<&Call> {
        match &self.kind {
            ExpressionKind::Call(call) => Some(call),
            _ => None,
        }
    }

    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The last name of `a`, `a.b` and `a.b.c`.
    pub fn last_name(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::Name(name) | ExpressionKind::Attribute(_, name) => Some(name),
            _ => None,
        }
    }

    /// The expressions directly in it; bodies of lambdas and comprehensions included.
    pub fn children(&self) -> Vec<&Expression> {
        use ExpressionKind as Kind;
        match &self.kind {
            Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) | Kind::None | Kind::Name(_) => Vec::new(),
            Kind::Format(parts) => parts.iter().flatten().collect(),
            Kind::Attribute(value, _)
            | Kind::Not(value)
            | Kind::Named(_, value)
            | Kind::Await(value)
            | Kind::Starred(value) => {
                vec![value]
            }
            Kind::Call(call) => {
                let mut all = vec![&call.function];
                all.extend(&call.arguments);
                all.extend(call.keywords.iter().map(|(_, value)| value));
                all
            }
            Kind::Subscript(left, right) | Kind::Add(left, right) | Kind::Divide(left, right) => vec![left, right],
            Kind::Compare { left, right, .. } => vec![left, right],
            Kind::Sequence(items) | Kind::Or(items) | Kind::And(items) | Kind::Other(items) => items.iter().collect(),
            Kind::Dict(pairs) => pairs.iter().flat_map(|(key, value)| key.iter().chain([value])).collect(),
            Kind::Conditional { test, body, orelse } => vec![test, body, orelse],
            Kind::Lambda { parameters, body } => {
                let mut all: Vec<_> = parameters.iter().filter_map(|parameter| parameter.default.as_ref()).collect();
                all.push(body);
                all
            }
            Kind::Comprehension { elements, generators } => {
                let mut all: Vec<&Expression> = elements.iter().collect();
                for generator in generators {
                    all.push(&generator.source);
                    all.extend(&generator.tests);
                }
                all
            }
        }
    }
}

impl Statement {
    /// The expressions directly in it: none of those in its blocks. Decorators, defaults, annotations and bases belong to a definition.
    pub fn expressions(&self) -> Vec<&Expression> {
        use StatementKind as Kind;
        match &self.kind {
            Kind::Import(_) | Kind::ImportFrom { .. } | Kind::Try { .. } => Vec::new(),
            Kind::Assign { targets, value } => targets.iter().chain([value]).collect(),
            Kind::Annotated { target, annotation, value } => {
                [target, annotation].into_iter().chain(value.as_ref()).collect()
            }
            Kind::Augmented { target, value } => vec![target, value],
            Kind::Function(function) => {
                let parameters = function.parameters.iter();
                let given = parameters
                    .flat_map(|parameter| parameter.default.as_ref().into_iter().chain(&parameter.annotation));
                function.decorators.iter().chain(given).collect()
            }
            Kind::Class(class) => {
                let keywords = class.keywords.iter().map(|(_, value)| value);
                class.decorators.iter().chain(&class.bases).chain(keywords).collect()
            }
            Kind::Return(value) => value.iter().collect(),
            Kind::Expression(value) => vec![value],
            Kind::If(branches) => branches.iter().filter_map(|(test, _)| test.as_ref()).collect(),
            Kind::Loop { target, source, .. } => target.iter().chain([source]).collect(),
            Kind::With { items, .. } => {
                items.iter().flat_map(|(value, target)| [value].into_iter().chain(target)).collect()
            }
            Kind::Leave(values) | Kind::Other(values) => values.iter().collect(),
        }
    }

    /// The blocks in it, in order; bodies of functions and classes included.
    pub fn blocks(&self) -> Vec<&Block> {
        use StatementKind as Kind;
        match &self.kind {
            Kind::Function(function) => vec![&function.body],
            Kind::Class(class) => vec![&class.body],
            Kind::If(branches) => branches.iter().map(|(_, block)| block).collect(),
            Kind::Loop { body, orelse, .. } => vec![body, orelse],
            Kind::With { body, .. } => vec![body],
            Kind::Try { body, handlers, orelse, finally } => {
                let mut all = vec![body];
                all.extend(handlers.iter().map(|(_, block)| block));
                all.extend([orelse, finally]);
                all
            }
            _ => Vec::new(),
        }
    }
}
