//! docker-bake.hcl: reading it with places, and adding attributes without loss.
//!
//! hcl-edit parses; nothing is printed back from its tree. All places are byte offsets in the text as given, a byte
//! order mark included. Two readers have to agree on a file: hcl-edit, and [`Scan`], which knows only strings, heredocs
//! and comments. Without it hcl-edit 0.10 would read an empty heredoc that is followed by another one of the same
//! closing word as one that holds all between them.

use std::collections::{HashMap, HashSet};

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::parser::{parse_body, parse_expr};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::template::{Element, Strip, Template};
use hcl_edit::visit::{Visit, visit_expr};

use crate::edit::Edit;
use crate::text::Span;

/// Names that bake sets itself; a variable block of that name has no effect.
const BUILT_IN: [&str; 2] = ["BAKE_CMD_CONTEXT", "BAKE_LOCAL_PLATFORM"];

/// How many parents above each other are followed; real files have three or four.
const MAX_PARENTS: usize = 100;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct HclError {
    pub offset: usize,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    pub message: String,
}

impl HclError {
    fn new(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let offset = offset.min(text.len());
        let before = &text.as_bytes()[..offset];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Self { offset, line, column, message: message.into() }
    }
}

/// Why an attribute could not be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    #[error("target {0} already has the attribute {1}")]
    AlreadySet(String, String),
    #[error("{0} is not an attribute name")]
    NotAName(String),
    #[error("not an HCL expression: {0}")]
    NotAValue(String),
    #[error("target {0} does not stand at its place in this text")]
    OtherText(String),
}

/// A bake file. Only what one file says: other files that bake merges in, the environment and `--set` are not known
/// here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bake {
    pub targets: Vec<Target>,
    pub groups: Vec<Group>,
    pub variables: Vec<Variable>,
    /// Attributes outside any block: constants, which the environment does not override.
    pub globals: Vec<Attribute>,
    /// Second and later blocks of a kind and name. Bake merges them; callers that edit should refuse the file or the
    /// name.
    pub duplicates: Vec<Duplicate>,
}

/// A block whose kind and name were already taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// `target`, `group`, `variable` or `function`.
    pub kind: String,
    pub name: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub span: Span,
    /// With variables replaced by their defaults.
    pub targets: Vec<String>,
    /// Whether `targets` is all of them: false when the list or an item of it is computed.
    pub complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub span: Span,
    /// The default if it is a literal string, whole number or boolean. The environment overrides it.
    pub default: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The label. With a matrix the target itself is called otherwise, and this is the name of the group of them.
    pub name: String,
    /// The label as written, with its quotes.
    pub name_span: Span,
    /// From the word `target` to the closing brace, inclusive.
    pub span: Span,
    /// Between the braces.
    pub body: Span,
    /// Whether the body has no lines of its own: `target "x" {}` or `target "x" { context = "." }`.
    pub one_line: bool,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub key_span: Span,
    pub value: Value,
}

/// A value: of an attribute, of an object's key, or an item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The expression as written, without blanks and comments around it; a heredoc up to its closing word.
    pub span: Span,
    pub kind: Kind,
    /// The value if it is a literal string, whole number or boolean.
    pub text: Option<String>,
    /// `text`, or the string that results when every variable in it has its literal default. `None` with a function, a
    /// condition, an operator, a variable that is not known, or one that the target's matrix sets.
    pub resolved: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// As if the attribute were not there.
    Null,
    Bool(bool),
    Number,
    /// A string without `${}`, quoted or a heredoc.
    String,
    /// A string with `${}` or `%{}`.
    Template,
    List(Vec<Value>),
    Object(Vec<Entry>),
    /// Anything that has to be evaluated: a variable, a function call, a condition, a `for`, an operator.
    Computed,
}

/// A key of an object and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `None` if the key is computed.
    pub key: Option<String>,
    pub value: Value,
}

/// How bake joins the values of one attribute from a target and its parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The last value stands.
    Override,
    /// All lists, one behind the other. Of `attest`, `secret` and `resources` later items replace earlier ones of the
    /// same identity.
    Append,
    /// Objects, later keys over earlier ones.
    Keys,
    /// Not inherited.
    Own,
}

/// What a target has of one attribute, its parents' included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective<'a> {
    pub merge: Merge,
    /// Where it comes from, in the order in which bake joins them; one at most with `Merge::Override` and `Merge::Own`.
    /// Empty: not set.
    pub parts: Vec<Part<'a>>,
    /// False when the file alone does not say: a parent that is unknown, computed, given twice or too far up, or a
    /// value that may turn out null.
    pub sure: bool,
}

impl<'a> Effective<'a> {
    /// The part that wins, or the last of those that are joined.
    pub fn last(&self) -> Option<Part<'a>> {
        self.parts.last().copied()
    }
}

/// An attribute, and the target that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    pub target: &'a Target,
    pub attribute: &'a Attribute,
}

impl Bake {
    /// The first target block with this label.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// Whether more than one target block has this label.
    pub fn is_duplicate(&self, name: &str) -> bool {
        self.duplicates.iter().any(|duplicate| duplicate.kind == "target" && duplicate.name == name)
    }

    /// What the target `name` has of `attribute` after inheritance; `None` if there is no such target.
    ///
    /// Parents count in the order of `inherits`, each with its own parents, and the target itself last. A parent that
    /// is reached again while it is being looked at counts as empty, as in bake.
    pub fn effective(&self, name: &str, attribute: &str) -> Option<Effective<'_>> {
        let target = self.target(name)?;
        let mut walk = Walk { bake: self, attribute, merge: merge_of(attribute), seen: HashMap::new(), sure: true };
        let parts = walk.target(target, 0);
        Some(Effective { merge: walk.merge, parts, sure: walk.sure })
    }
}

impl Target {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The items if the attribute is set here to a list in brackets.
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        self.attribute(name)?.value.items()
    }

    /// The entries if the attribute is set here to an object in braces: `args`, `contexts`, `labels`.
    pub fn map(&self, name: &str) -> Option<&[Entry]> {
        self.attribute(name)?.value.entries()
    }

    /// The value if the attribute is set here to a literal string, whole number or boolean.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.value.text.as_deref()
    }

    /// As [`Target::text`], with variables replaced by their defaults.
    pub fn resolved(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.value.resolved.as_deref()
    }

    /// Whether bake makes several targets of this block.
    pub fn has_matrix(&self) -> bool {
        self.attribute("matrix").is_some()
    }
}

impl Value {
    /// The value as written; empty if `text` is not the text that was read.
    pub fn source<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span.start..self.span.end).unwrap_or("")
    }

    pub fn items(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key of an object.
    pub fn entry(&self, key: &str) -> Option<&Value> {
        let found = self.entries()?.iter().find(|entry| entry.key.as_deref() == Some(key))?;
        Some(&found.value)
    }

    /// Whether evaluating it may give null, which bake takes for "not set".
    fn may_be_null(&self) -> bool {
        self.kind == Kind::Computed && self.resolved.is_none()
    }
}

/// How bake joins an attribute over `inherits`: `Target.Merge` in bake/bake.go of docker/buildx.
pub fn merge_of(attribute: &str) -> Merge {
    match attribute {
        "args" | "contexts" | "labels" | "extra-hosts" => Merge::Keys,
        "annotations" | "attest" | "cache-from" | "entitlements" | "no-cache-filter" | "policy" | "resources"
        | "secret" | "ssh" | "ulimits" => Merge::Append,
        "inherits" | "matrix" | "name" => Merge::Own,
        _ => Merge::Override,
    }
}

/// One walk over the parents of a target.
struct Walk<'a, 'n> {
    bake: &'a Bake,
    attribute: &'n str,
    merge: Merge,
    /// What each target gave; nothing while it is still being looked at, which ends cycles.
    seen: HashMap<&'a str, Vec<Part<'a>>>,
    sure: bool,
}

impl<'a> Walk<'a, '_> {
    fn target(&mut self, target: &'a Target, depth: usize) -> Vec<Part<'a>> {
        if let Some(parts) = self.seen.get(target.name.as_str()) {
            return parts.clone();
        }
        self.seen.insert(&target.name, Vec::new());
        if self.bake.is_duplicate(&target.name) {
            self.sure = false;
        }
        let mut parts = Vec::new();
        if self.merge != Merge::Own {
            for parent in self.parents(target, depth) {
                for part in self.target(parent, depth + 1) {
                    self.add(&mut parts, part);
                }
            }
        }
        if let Some(attribute) = target.attribute(self.attribute)
            && attribute.value.kind != Kind::Null
        {
            self.sure &= !attribute.value.may_be_null();
            self.add(&mut parts, Part { target, attribute });
        }
        self.seen.insert(&target.name, parts.clone());
        parts
    }

    fn parents(&mut self, target: &'a Target, depth: usize) -> Vec<&'a Target> {
        let Some(inherits) = target.attribute("inherits").filter(|attribute| attribute.value.kind != Kind::Null) else {
            return Vec::new();
        };
        let Some(items) = inherits.value.items().filter(|_| depth < MAX_PARENTS) else {
            self.sure = false;
            return Vec::new();
        };
        let mut parents = Vec::new();
        for item in items {
            // A variable's default names the parent, but the environment may name another.
            self.sure &= item.text.is_some();
            match item.resolved.as_deref().and_then(|name| self.bake.target(name)) {
                Some(parent) => parents.push(parent),
                None => self.sure = false,
            }
        }
        parents
    }

    /// Appends a part. One that is reached on two ways counts once: keeping it twice would change nothing that bake
    /// keeps, and would double the list with every such pair of ways.
    fn add(&self, parts: &mut Vec<Part<'a>>, part: Part<'a>) {
        match self.merge {
            Merge::Override | Merge::Own => parts.clear(),
            Merge::Keys => parts.retain(|other| other.target.span != part.target.span),
            Merge::Append if parts.iter().any(|other| other.target.span == part.target.span) => return,
            Merge::Append => {}
        }
        parts.push(part);
    }
}

/// Reads a bake file.
///
/// # Errors
/// What is not HCL, attributes or object keys given twice in one place, target, group and variable blocks without
/// exactly one label, and texts in which the parser and [`Scan`] see different strings.
pub fn read(text: &str) -> Result<Bake, HclError> {
    let reader = Reader::new(text)?;
    let body = &reader.tree;
    let mut bake = Bake { targets: vec![], groups: vec![], variables: vec![], globals: vec![], duplicates: vec![] };

    // Variables may stand behind the targets that use them.
    let mut known: HashMap<String, Option<String>> = HashMap::new();
    for block in body.blocks().filter(|block| block.ident.as_str() == "variable") {
        let attributes = reader.attributes(&block.body, &Scope::default())?;
        let default = attributes.into_iter().find(|attribute| attribute.name == "default").and_then(|it| it.value.text);
        let (name, _) = reader.label(block)?;
        // Which of two blocks wins is bake's business.
        let first = !known.contains_key(&name);
        known.insert(name.clone(), default.clone().filter(|_| first));
        bake.variables.push(Variable { name, span: reader.span(block.span())?, default });
    }
    bake.globals = reader.attributes(body, &Scope::default())?;
    for global in &bake.globals {
        known.insert(global.name.clone(), global.value.text.clone());
    }
    for name in BUILT_IN {
        known.insert(name.to_owned(), None);
    }

    let mut names: HashSet<(String, String)> = HashSet::new();
    for block in body.blocks() {
        let (kind, span) = (block.ident.as_str(), reader.span(block.span())?);
        if !["target", "group", "variable", "function"].contains(&kind) {
            continue;
        }
        let (name, name_span) = reader.label(block)?;
        if !names.insert((kind.to_owned(), name.clone())) {
            bake.duplicates.push(Duplicate { kind: kind.to_owned(), name: name.clone(), span });
        }
        let scope = Scope { known: Some(&known), matrix: Matrix::of(&block.body) };
        match kind {
            "group" => {
                let attributes = reader.attributes(&block.body, &scope)?;
                bake.groups.push(group(name, span, &attributes));
            }
            "target" => {
                let attributes = reader.attributes(&block.body, &scope)?;
                let body = reader.braces(name_span, span)?;
                let one_line = block.body.prefer_oneline();
                bake.targets.push(Target { name, name_span, span, body, one_line, attributes });
            }
            _ => {}
        }
    }
    Ok(bake)
}

fn group(name: String, span: Span, attributes: &[Attribute]) -> Group {
    let list = attributes.iter().find(|attribute| attribute.name == "targets").map(|attribute| &attribute.value);
    let items = list.and_then(Value::items);
    let targets: Vec<String> = items.unwrap_or(&[]).iter().filter_map(|item| item.resolved.clone()).collect();
    let complete = list.is_none() || items.is_some_and(|items| items.len() == targets.len());
    Group { name, span, targets, complete }
}

/// The variables that an expression sees.
#[derive(Default)]
struct Scope<'a> {
    /// `None` where bake gives no variables a value yet.
    known: Option<&'a HashMap<String, Option<String>>>,
    matrix: Matrix,
}

/// The variables that a target's matrix sets, over those of the file.
#[derive(Default)]
enum Matrix {
    #[default]
    None,
    Keys(HashSet<String>),
    Unknown,
}

impl Matrix {
    fn of(body: &Body) -> Self {
        let Some(attribute) = body.get_attribute("matrix") else { return Self::None };
        let Some(object) = attribute.value.as_object() else { return Self::Unknown };
        object.iter().map(|(key, _)| key_of(key)).collect::<Option<_>>().map_or(Self::Unknown, Self::Keys)
    }
}

impl Scope<'_> {
    fn value(&self, variable: &str) -> Option<String> {
        match &self.matrix {
            Matrix::Unknown => return None,
            Matrix::Keys(keys) if keys.contains(variable) => return None,
            _ => {}
        }
        self.known?.get(variable)?.clone()
    }
}

/// An object's key if it is not computed.
fn key_of(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(ident) => Some(ident.as_str().to_owned()),
        ObjectKey::Expression(Expression::String(string)) => Some(string.as_str().to_owned()),
        ObjectKey::Expression(_) => None,
    }
}

/// A parsed text, and the way from the parser's places to the text's.
struct Reader<'t> {
    text: &'t str,
    /// Length of the byte order mark, which HCL skips and hcl-edit does not know.
    shift: usize,
    tree: Body,
    /// In order, without the line ends of `#` and `//`.
    comments: Vec<Span>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Result<Self, HclError> {
        let rest = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let shift = text.len() - rest.len();
        let tree = parse_body(rest)
            .map_err(|error| HclError::new(text, error.location().offset() + shift, error.message().to_owned()))?;
        let scan = Scan::new(text)
            .map_err(|offset| HclError::new(text, offset, "a string, heredoc or comment is not clear"))?;
        let mut literals = Literals { shift, scan: &scan, unknown: None };
        literals.visit_body(&tree);
        if let Some(offset) = literals.unknown {
            return Err(HclError::new(text, offset, "a string or heredoc ends elsewhere than seems"));
        }
        Ok(Self { text, shift, tree, comments: scan.comments })
    }

    fn span(&self, range: Option<std::ops::Range<usize>>) -> Result<Span, HclError> {
        let span = range.map(|range| (range.start + self.shift, range.end + self.shift));
        match span {
            Some((start, end)) if self.text.get(start..end).is_some() => Ok(Span::new(start, end)),
            _ => Err(HclError::new(self.text, 0, "the parser gives no place for a part of this file")),
        }
    }

    /// The only label of a block.
    fn label(&self, block: &Block) -> Result<(String, Span), HclError> {
        match block.labels.as_slice() {
            [label] => Ok((label.as_str().to_owned(), self.span(label.span())?)),
            labels => {
                let message = format!("a {} block has one label, not {}", block.ident.as_str(), labels.len());
                Err(HclError::new(self.text, self.span(block.span())?.start, message))
            }
        }
    }

    /// What is between the braces of a block. Behind the label there may be comments, with braces in them.
    fn braces(&self, label: Span, block: Span) -> Result<Span, HclError> {
        let missing = |at| HclError::new(self.text, at, "expected the braces of the block");
        let mut at = label.end;
        loop {
            let rest = self.text.get(at..block.end).unwrap_or("");
            let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let rest = &rest[blank..];
            at += blank;
            if rest.starts_with('{') {
                break;
            }
            match rest.strip_prefix("/*").and_then(|comment| comment.find("*/")) {
                Some(length) => at += length + 4,
                None => return Err(missing(at)),
            }
        }
        let end = block.end - 1;
        let closed = self.text.as_bytes().get(end) == Some(&b'}') && at < end;
        if closed { Ok(Span::new(at + 1, end)) } else { Err(missing(end)) }
    }

    fn attributes(&self, body: &Body, scope: &Scope<'_>) -> Result<Vec<Attribute>, HclError> {
        body.attributes()
            .map(|attribute| {
                let key_span = self.span(attribute.key.span())?;
                let name = attribute.key.as_str().to_owned();
                Ok(Attribute { name, key_span, value: self.value(&attribute.value, scope)? })
            })
            .collect()
    }

    /// hcl-edit refuses expressions nested deeper than 64 levels, so this does not run out of stack.
    fn value(&self, expression: &Expression, scope: &Scope<'_>) -> Result<Value, HclError> {
        let span = self.span(expression.span())?;
        let literal = |kind, text: Option<String>| Value { span, kind, resolved: text.clone(), text };
        Ok(match expression {
            Expression::Null(_) => literal(Kind::Null, None),
            Expression::Bool(value) => literal(Kind::Bool(*value.value()), Some(value.value().to_string())),
            Expression::Number(_) => literal(Kind::Number, whole_number(&self.text[span.start..span.end])),
            Expression::String(value) => literal(Kind::String, Some(value.value().clone())),
            Expression::StringTemplate(template) => self.template(span, template, scope),
            Expression::HeredocTemplate(heredoc) => {
                // Where the parser takes indentation away, it turns CRLF into LF and counts lines of blanks otherwise
                // than HCL does.
                let source = &self.text[span.start..span.end];
                let blank = |line: &str| !line.is_empty() && line.trim().is_empty();
                let altered = source.starts_with("<<-") && (source.contains('\r') || source.lines().any(blank));
                let value = self.template(span, &heredoc.template, scope);
                if altered { Value { text: None, resolved: None, ..value } } else { value }
            }
            Expression::Array(array) => {
                let items = array.iter().map(|item| self.value(item, scope)).collect::<Result<_, _>>()?;
                literal(Kind::List(items), None)
            }
            Expression::Object(object) => {
                let entries = object
                    .iter()
                    .map(|(key, value)| Ok(Entry { key: key_of(key), value: self.value(value.expr(), scope)? }));
                literal(Kind::Object(entries.collect::<Result<_, HclError>>()?), None)
            }
            Expression::Parenthesis(inner) => Value { span, ..self.value(inner.inner(), scope)? },
            Expression::Variable(name) => {
                Value { span, kind: Kind::Computed, text: None, resolved: scope.value(name.as_str()) }
            }
            _ => literal(Kind::Computed, None),
        })
    }

    fn template(&self, span: Span, template: &Template, scope: &Scope<'_>) -> Value {
        let literal = template.iter().all(Element::is_literal);
        let resolved: Option<String> = template.iter().map(|element| resolve(element, scope)).collect();
        let kind = if literal { Kind::String } else { Kind::Template };
        Value { span, kind, text: resolved.clone().filter(|_| literal), resolved }
    }
}

fn resolve(element: &Element, scope: &Scope<'_>) -> Option<String> {
    match element {
        Element::Literal(text) => Some(text.to_string()),
        // A `~` takes blanks away from the neighbouring text.
        Element::Interpolation(interpolation) if interpolation.strip == Strip::None => match &interpolation.expr {
            Expression::Variable(name) => scope.value(name.as_str()),
            Expression::String(text) => Some(text.value().clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Digits that a string conversion leaves as they are.
fn whole_number(source: &str) -> Option<String> {
    let plain = source == "0" || (!source.starts_with('0') && source.bytes().all(|byte| byte.is_ascii_digit()));
    plain.then(|| source.to_owned())
}

/// Adds the line `name = value_source` at the end of a target's body, behind comments that stand there.
///
/// Indentation, line end, the blanks around `=` and the column of `=` are those of the attributes above. A body without
/// lines of its own gets some, since HCL allows one attribute there. `value_source` is taken as it is.
///
/// # Errors
/// An attribute that the target already has, a name or a value that is not HCL, and a target of another text.
pub fn insert_attribute(text: &str, target: &Target, name: &str, value_source: &str) -> Result<Edit, InsertError> {
    if target.attribute(name).is_some() {
        return Err(InsertError::AlreadySet(target.name.clone(), name.to_owned()));
    }
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !starts || !name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '-') {
        return Err(InsertError::NotAName(name.to_owned()));
    }
    parse_expr(value_source).map_err(|error| InsertError::NotAValue(error.message().to_owned()))?;
    let other_text = || InsertError::OtherText(target.name.clone());
    let body = text.get(target.body.start..target.body.end).ok_or_else(other_text)?;
    let head = text.get(target.span.start..target.body.start).ok_or_else(other_text)?;
    if !head.starts_with("target") || !head.ends_with('{') || !text[target.body.end..].starts_with('}') {
        return Err(other_text());
    }

    let eol = eol(text, target.span.start);
    let outer = indent_at(text, target.span.start).unwrap_or("");
    let last_own_line = target.attributes.iter().rev().find_map(|it| indent_at(text, it.key_span.start));
    let indent = match last_own_line.filter(|_| !target.one_line) {
        Some(indent) => indent.to_owned(),
        None => format!("{outer}{}", unit(text)),
    };

    if target.one_line {
        let kept = body.trim_matches([' ', '\t']);
        let kept = if kept.is_empty() { String::new() } else { format!("{indent}{kept}{eol}") };
        let line = format!("{indent}{name}{}{value_source}", equals(text, target, name, None));
        return Ok(Edit::replace(target.body, format!("{eol}{kept}{line}{eol}{outer}")));
    }

    let close = target.body.end;
    let line_start = text[..close].rfind('\n').map_or(0, |at| at + 1);
    if line_start < target.body.start || !text[line_start..close].trim().is_empty() {
        // A comment before the brace: `*/ }`.
        let start = target.body.start + body.trim_end_matches([' ', '\t']).len();
        let line = format!("{indent}{name}{}{value_source}", equals(text, target, name, None));
        return Ok(Edit::replace(Span::new(start, close), format!("{eol}{line}{eol}{outer}")));
    }
    let at = behind_last_text(text, target.body.start, line_start);
    let line = format!("{indent}{name}{}{value_source}", equals(text, target, name, Some(at)));
    Ok(Edit::insert(at, format!("{line}{eol}")))
}

/// The start of the blank lines that end at `line_start`, not reaching over the line of `first`.
fn behind_last_text(text: &str, first: usize, line_start: usize) -> usize {
    let mut at = line_start;
    while let Some(before) = text[..at].strip_suffix('\n') {
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        if start < first || !text[start..at].trim().is_empty() {
            break;
        }
        at = start;
    }
    at
}

/// The line end of the line with `offset`, or of the first line of the text.
fn eol(text: &str, offset: usize) -> &'static str {
    let end = text.get(offset..).and_then(|rest| rest.find('\n')).map(|at| offset + at).or_else(|| text.find('\n'));
    if end.is_some_and(|end| text[..end].ends_with('\r')) { "\r\n" } else { "\n" }
}

/// The blanks before `offset` if nothing else stands before it on its line.
fn indent_at(text: &str, offset: usize) -> Option<&str> {
    let before = text.get(..offset)?;
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    line.bytes().all(|byte| byte == b' ' || byte == b'\t').then_some(line)
}

/// One step of indentation: that of the first line that is indented more than the line above it, which opens a block.
fn unit(text: &str) -> &str {
    let indent = |line: &'_ str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut above: Option<&str> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(above) = above.filter(|above| above.trim_end().ends_with('{'))
            && indent(line) > indent(above)
        {
            return &line[indent(above)..indent(line)];
        }
        above = Some(line);
    }
    "  "
}

/// What stands between the new attribute's name and its value. `at` is where the new line starts, if it may follow the
/// column of the lines above it.
fn equals(text: &str, target: &Target, name: &str, at: Option<usize>) -> String {
    let gaps: Vec<Gap> = target.attributes.iter().filter_map(|attribute| Gap::of(text, attribute)).collect();
    let Some(last) = gaps.last().filter(|_| gaps.len() == target.attributes.len()) else { return " = ".to_owned() };
    let after = if last.after.is_empty() { "" } else { " " };
    if last.before.is_empty() {
        return format!("={after}");
    }
    let mut padding = 1;
    let mut below = at.unwrap_or(last.end);
    // Attributes on adjacent lines with `=` in one column, from the last one up.
    for gap in gaps.iter().rev() {
        let adjacent = text.get(gap.end..below).unwrap_or("").matches('\n').count() == 1;
        if !adjacent || gap.column() != last.column() {
            break;
        }
        if gap.before.len() > 1 {
            padding = last.column().saturating_sub(name.len()).max(1);
        }
        below = gap.start;
    }
    format!("{:padding$}={after}", "")
}

/// The blanks around the `=` of an attribute.
struct Gap<'t> {
    /// Start of the name.
    start: usize,
    /// End of the value.
    end: usize,
    name: &'t str,
    before: &'t str,
    after: &'t str,
}

impl<'t> Gap<'t> {
    /// `None` if there is a comment between name and value, or a tab, whose width is not known.
    fn of(text: &'t str, attribute: &Attribute) -> Option<Self> {
        let (key, value) = (attribute.key_span, attribute.value.span);
        let (before, after) = text.get(key.end..value.start)?.split_once('=')?;
        let blank = before.bytes().chain(after.bytes()).all(|byte| byte == b' ');
        let name = text.get(key.start..key.end)?;
        blank.then_some(Self { start: key.start, end: value.end, name, before, after })
    }

    fn column(&self) -> usize {
        self.name.chars().count() + self.before.len()
    }
}

/// Adds several attributes at the end of a target's body, as [`insert_attribute`] does one.
///
/// # Errors
/// As [`insert_attribute`].
pub fn insert_attributes(text: &str, target: &Target, new: &[(String, String)]) -> Result<Vec<Edit>, InsertError> {
    let mut after = text.to_owned();
    for (name, value) in new {
        let other_text = || InsertError::OtherText(target.name.clone());
        let bake = read(&after).map_err(|_| other_text())?;
        let target = bake.target(&target.name).ok_or_else(other_text)?;
        let edit = insert_attribute(&after, target, name, value)?;
        after.replace_range(edit.span.start..edit.span.end, &edit.replacement);
    }
    // All of them stand at one place: what lies between the common start and the common end.
    let mut head = text.bytes().zip(after.bytes()).take_while(|(left, right)| left == right).count();
    while !text.is_char_boundary(head) || !after.is_char_boundary(head) {
        head -= 1;
    }
    let most = text.len().min(after.len()) - head;
    let mut tail = text.bytes().rev().zip(after.bytes().rev()).take(most).take_while(|(left, right)| left == right).count();
    while !text.is_char_boundary(text.len() - tail) || !after.is_char_boundary(after.len() - tail) {
        tail -= 1;
    }
    Ok(vec![Edit::replace(Span::new(head, text.len() - tail), &after[head..after.len() - tail])])
}

/// Compares a file before and after attributes were added to it: `added` holds the target, the attribute and the value
/// as written. Independent of [`read`] and [`insert_attribute`].
///
/// All else has to be as before: blocks and attributes in their order with their values, comments word for word, and
/// every byte that is not blank.
///
/// # Errors
/// The first difference, as a sentence.
pub fn check(before: &str, after: &str, added: &[(&str, &str, &str)]) -> Result<(), String> {
    let trees = [("before", before), ("after", after)]
        .map(|(when, text)| Reader::new(text).map_err(|error| format!("the file {when} cannot be read: {error}")));
    let [old, new] = trees;
    let (old, new) = (old?, new?);
    let mut expected = Vec::with_capacity(added.len());
    for (index, (target, attribute, source)) in added.iter().enumerate() {
        if added[..index].iter().any(|other| (other.0, other.1) == (*target, *attribute)) {
            return Err(format!("{attribute} of target {target} is declared twice"));
        }
        let value = parse_expr(source).map_err(|error| format!("{source} is not a value: {}", error.message()))?;
        expected.push(Expected { target, attribute, value, place: None });
    }
    compare(&old.tree, &new, &new.tree, &mut expected)?;

    let mut places = Vec::with_capacity(expected.len());
    for entry in &expected {
        places.push(entry.place.ok_or_else(|| format!("{} of target {} is missing", entry.attribute, entry.target))?);
    }
    places.sort();
    let outside = |span: &Span| !places.iter().any(|place| place.start <= span.start && span.end <= place.end);
    let old_comments = old.comments.iter().map(|span| comment(before, *span));
    let new_comments = new.comments.iter().filter(|span| outside(span)).map(|span| comment(after, *span));
    if !old_comments.eq(new_comments) {
        return Err("the comments differ".to_owned());
    }

    let mut kept = String::with_capacity(after.len());
    let mut at = 0;
    for place in &places {
        kept.push_str(after.get(at..place.start).ok_or("two added attributes overlap")?);
        at = place.end;
    }
    kept.push_str(&after[at..]);
    let visible = |text: &str| -> String { text.chars().filter(|char| !char.is_whitespace()).collect() };
    if visible(before) != visible(&kept) {
        return Err("text outside the added attributes differs".to_owned());
    }
    Ok(())
}

/// An attribute that has to be there afterwards, and where it was found.
struct Expected<'a> {
    target: &'a str,
    attribute: &'a str,
    value: Expression,
    place: Option<Span>,
}

/// Compares the structure of two files.
fn compare(old: &Body, new_reader: &Reader<'_>, new: &Body, expected: &mut [Expected<'_>]) -> Result<(), String> {
    let (old, new): (Vec<_>, Vec<_>) = (old.iter().collect(), new.iter().collect());
    if old.len() != new.len() {
        return Err(format!("{} blocks and attributes became {}", old.len(), new.len()));
    }
    for (old, new) in old.into_iter().zip(new) {
        match (old, new) {
            (Structure::Block(old), Structure::Block(new)) if old.ident == new.ident && old.labels == new.labels => {
                let labels: Vec<&str> = old.labels.iter().map(|label| label.as_str()).collect();
                let name = match (old.ident.as_str(), labels.as_slice()) {
                    ("target", [name]) => Some(*name),
                    _ => None,
                };
                let mut rest = old.body.iter();
                for item in new.body.iter() {
                    let declared = item.as_attribute().and_then(|attribute| {
                        let same =
                            |it: &&mut Expected<'_>| Some(it.target) == name && it.attribute == attribute.key.as_str();
                        Some((attribute, expected.iter_mut().find(same)?))
                    });
                    let Some((attribute, entry)) = declared else {
                        if rest.next() != Some(item) {
                            return Err(format!("block {} {} differs", old.ident.as_str(), labels.join(" ")));
                        }
                        continue;
                    };
                    let (target, key) = (entry.target, entry.attribute);
                    if old.body.has_attribute(key) || entry.place.is_some() {
                        return Err(format!("{key} of target {target} is there twice or was there before"));
                    }
                    if attribute.value != entry.value {
                        return Err(format!("{key} of target {target} has another value than declared"));
                    }
                    let (from, to) = (new_reader.span(attribute.key.span()), new_reader.span(attribute.value.span()));
                    let (from, to) = (from.map_err(|error| error.message)?, to.map_err(|error| error.message)?);
                    entry.place = Some(Span::new(from.start, to.end));
                }
                if rest.next().is_some() {
                    return Err(format!("block {} {} lost something", old.ident.as_str(), labels.join(" ")));
                }
            }
            (Structure::Attribute(old), Structure::Attribute(new)) if old == new => {}
            _ => return Err("a block or attribute differs or stands elsewhere".to_owned()),
        }
    }
    Ok(())
}

/// A comment without the line end's CR.
fn comment(text: &str, span: Span) -> &str {
    let text = &text[span.start..span.end];
    text.strip_suffix('\r').unwrap_or(text)
}

/// The strings, heredocs and comments of a text, found without parsing it.
#[derive(Debug, Default)]
pub struct Scan {
    /// In order, without the line ends of `#` and `//`.
    pub comments: Vec<Span>,
    /// Strings with their quotes, heredocs from `<<` to the closing word. Also those inside of `${}`.
    pub literals: HashSet<Span>,
}

/// What the scanner is inside of.
enum In<'t> {
    /// Open braces: the file, or `${` with 0.
    Code(usize),
    /// From an opening quote.
    String(usize),
    /// From `<<`, and the closing word.
    Heredoc(usize, &'t str),
}

impl Scan {
    /// # Errors
    /// The offset at which a string, heredoc, comment or brace is left open, a brace too many stands, or something
    /// stands behind the closing word of a heredoc: HCL wants that word alone on its line, hcl-edit does not.
    pub fn new(text: &str) -> Result<Self, usize> {
        let bytes = text.as_bytes();
        let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |length| from + length);
        let mut found = Self::default();
        let mut stack = vec![In::Code(0)];
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let depth = stack.len();
            match stack.last_mut() {
                None => return Err(at),
                Some(In::Code(braces)) => match rest {
                    [b'#', ..] | [b'/', b'/', ..] => {
                        let end = line_end(at);
                        found.comments.push(Span::new(at, end));
                        at = end;
                    }
                    [b'/', b'*', ..] => {
                        let end = at + text[at + 2..].find("*/").ok_or(at)? + 4;
                        found.comments.push(Span::new(at, end));
                        at = end;
                    }
                    [b'"', ..] => {
                        stack.push(In::String(at));
                        at += 1;
                    }
                    [b'<', b'<', ..] => {
                        let end = line_end(at);
                        let word = text[at + 2..end].trim_end_matches('\r');
                        let word = word.strip_prefix('-').unwrap_or(word);
                        if word.is_empty() {
                            return Err(at);
                        }
                        stack.push(In::Heredoc(at, word));
                        // The line end stays: it is what the closing word has to follow.
                        at = end;
                    }
                    [b'{', ..] => {
                        *braces += 1;
                        at += 1;
                    }
                    [b'}', ..] => {
                        match braces {
                            0 if depth == 1 => return Err(at),
                            0 => drop(stack.pop()),
                            _ => *braces -= 1,
                        }
                        at += 1;
                    }
                    _ => at += 1,
                },
                Some(In::String(_) | In::Heredoc(..))
                    if matches!(rest, [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..]) =>
                {
                    at += 3;
                }
                Some(In::String(_) | In::Heredoc(..)) if matches!(rest, [b'$' | b'%', b'{', ..]) => {
                    stack.push(In::Code(0));
                    at += 2;
                }
                Some(In::String(start)) => match rest {
                    [b'\\', _, ..] => at += 2,
                    [b'"', ..] => {
                        found.literals.insert(Span::new(*start, at + 1));
                        stack.pop();
                        at += 1;
                    }
                    _ => at += 1,
                },
                Some(In::Heredoc(start, word)) => {
                    at += 1;
                    if rest[0] != b'\n' {
                        continue;
                    }
                    let end = line_end(at);
                    let line = text[at..end].trim_end_matches([' ', '\t', '\r']);
                    let indented = line.trim_start_matches([' ', '\t']);
                    match indented.strip_prefix(*word) {
                        Some("") => {
                            found.literals.insert(Span::new(*start, at + line.len()));
                            stack.pop();
                            at = end;
                        }
                        // For hcl-edit the heredoc ends here, for HCL it goes on.
                        Some(more) if !more.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-') => {
                            return Err(at);
                        }
                        _ => {}
                    }
                }
            }
        }
        match stack.as_slice() {
            [In::Code(0)] => Ok(found),
            _ => Err(text.len()),
        }
    }
}

/// Looks for a string of the parser that is none for the scanner.
struct Literals<'s> {
    shift: usize,
    scan: &'s Scan,
    unknown: Option<usize>,
}

impl Visit for Literals<'_> {
    fn visit_expr(&mut self, node: &Expression) {
        let literal =
            matches!(node, Expression::String(_) | Expression::StringTemplate(_) | Expression::HeredocTemplate(_));
        if let Some(range) = node.span().filter(|_| literal) {
            let (start, end) = (range.start + self.shift, range.end + self.shift);
            if self.unknown.is_none() && (start > end || !self.scan.literals.contains(&Span::new(start, end))) {
                self.unknown = Some(start);
            }
        }
        visit_expr(self, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, edit: &Edit) -> String {
        format!("{}{}{}", &text[..edit.span.start], edit.replacement, &text[edit.span.end..])
    }

    /// Adds `name = value` to the target `x`, and has the result checked.
    fn add(text: &str, name: &str, value: &str) -> String {
        let bake = read(text).unwrap();
        let target = bake.target("x").unwrap();
        let after = apply(text, &insert_attribute(text, target, name, value).unwrap());
        check(text, &after, &[("x", name, value)]).unwrap();
        assert!(read(&after).unwrap().target("x").unwrap().attribute(name).is_some());
        after
    }

    fn cache(text: &str) -> String {
        add(text, "cache-from", "[\"a\"]")
    }

    /// Every place that `read` gives has to be that of the thing itself: reading it alone gives the same.
    fn check_places(text: &str) -> usize {
        fn values(text: &str, value: &Value, count: &mut usize) {
            let source = value.source(text);
            assert_eq!(source, source.trim());
            // A heredoc's end is a line of its own.
            let alone = read(&format!("target \"t\" {{\na = {source}\n}}\n"))
                .unwrap_or_else(|error| panic!("{source}: {error}"));
            let alone = &alone.targets[0].attributes[0].value;
            assert_eq!(std::mem::discriminant(&alone.kind), std::mem::discriminant(&value.kind), "{source}");
            assert_eq!(alone.text, value.text, "{source}");
            *count += 1;
            value.items().unwrap_or(&[]).iter().for_each(|item| values(text, item, count));
            value.entries().unwrap_or(&[]).iter().for_each(|entry| values(text, &entry.value, count));
        }
        let mut count = 0;
        for target in &read(text).unwrap().targets {
            let block = &text[target.span.start..target.span.end];
            assert!(block.starts_with("target") && block.ends_with('}'), "{block}");
            assert_eq!(text[target.name_span.start..target.name_span.end].trim_matches('"'), target.name);
            assert_eq!((&text[target.body.start - 1..target.body.start], target.body.end), ("{", target.span.end - 1));
            for attribute in &target.attributes {
                assert_eq!(&text[attribute.key_span.start..attribute.key_span.end], attribute.name);
                values(text, &attribute.value, &mut count);
            }
        }
        count
    }

    const NASTY: &str = r##"// größe "{ /* not a comment
/* a "string" and a { brace
*/
variable "TAG" { default = "v1" } # behind
variable "N" {
  default = 3
}
variable "EMPTY" {}
variable FN { default = upper("a") }
local = "l"
target "x" /* { */ { # first
  context    = "./größe" // "quoted
  dockerfile = "a${TAG}-${N}" # é
  args = { /* { */ A = "1", "B" : "é\"}", # }
    C = null /* } */
    (TAG) = 2
  }
  tags       = [ # [
    "ü:${TAG}", TAG, upper(TAG), "a${ TAG == "}" ? "\"}" : /* } */ "b" }", # ]
    { type = "registry", ref = "r:${TAG}" },
  ]
  dockerfile-inline = <<EOT
FROM a # not a comment
RUN echo "${TAG}" $${TAG} /* neither
  EOTX }
EOT
  labels = {
    x = <<-E
      é
        b
    E
  }
  platforms = ["linux/amd64"]
}
group "default" { targets = ["x", "${TAG}", EMPTY] }
"##;

    #[test]
    fn places_are_bytes_with_every_kind_of_text() {
        let crlf = NASTY.replace('\n', "\r\n");
        for text in [NASTY.to_owned(), crlf, format!("\u{feff}{NASTY}")] {
            assert_eq!(check_places(&text), 20);
            let words: Vec<&str> =
                Scan::new(&text).unwrap().comments.iter().map(|span| comment(&text, *span)).collect();
            assert_eq!(words.len(), 13, "{words:?}");
            assert_eq!(words[0], "// größe \"{ /* not a comment");
        }
        for text in
            ["target x {}", "\u{feff}target \"x\" { a = 1 }", "target \"x\" {}\r\n", "target\t\"x\"\t{\r\n\r\n}"]
        {
            check_places(text);
        }
    }

    #[test]
    fn values_are_read_and_resolved() {
        let bake = read(NASTY).unwrap();
        let target = bake.target("x").unwrap();
        assert_eq!(target.text("context"), Some("./größe"));
        assert_eq!((target.text("dockerfile"), target.resolved("dockerfile")), (None, Some("av1-3")));
        let tags = target.list("tags").unwrap();
        let resolved: Vec<Option<&str>> = tags.iter().map(|tag| tag.resolved.as_deref()).collect();
        assert_eq!(resolved, [Some("ü:v1"), Some("v1"), None, None, None]);
        assert_eq!(tags[0].source(NASTY), "\"ü:${TAG}\"");
        assert_eq!(tags[4].source(NASTY), r#"{ type = "registry", ref = "r:${TAG}" }"#);
        assert_eq!(tags[4].entry("ref").unwrap().resolved.as_deref(), Some("r:v1"));
        let args = target.map("args").unwrap();
        let keys: Vec<Option<&str>> = args.iter().map(|entry| entry.key.as_deref()).collect();
        assert_eq!(keys, [Some("A"), Some("B"), Some("C"), None]);
        assert_eq!(args[1].value.text.as_deref(), Some("é\"}"));
        assert_eq!(args[2].value.kind, Kind::Null);
        let inline = "FROM a # not a comment\nRUN echo \"v1\" ${TAG} /* neither\n  EOTX }\n";
        assert_eq!(target.resolved("dockerfile-inline"), Some(inline));
        assert_eq!(target.map("labels").unwrap()[0].value.text.as_deref(), Some("é\n  b\n"));
        for unclear in ["<<-E\n    a\n  \n  E", "<<-E\r\n    a\r\n  E"] {
            let bake = read(&format!("target \"x\" {{\n  a = {unclear}\n}}")).unwrap();
            assert_eq!((bake.targets[0].text("a"), &bake.targets[0].attributes[0].value.kind), (None, &Kind::String));
        }
        let defaults: Vec<Option<&str>> = bake.variables.iter().map(|it| it.default.as_deref()).collect();
        assert_eq!(defaults, [Some("v1"), Some("3"), None, None]);
        assert_eq!(
            (bake.groups[0].targets.as_slice(), bake.groups[0].complete),
            (&["x".into(), "v1".into()][..], false)
        );
        assert_eq!(bake.globals[0].name, "local");
    }

    #[test]
    fn a_matrix_hides_variables() {
        let text = r#"
variable "A" { default = "a" }
variable "B" { default = "b" }
target "x" {
  matrix = {
    A = ["1"]
  }
  context = "${A}"
  target = "${B}"
}
"#;
        let bake = read(text).unwrap();
        let target = bake.target("x").unwrap();
        assert!(target.has_matrix());
        assert_eq!((target.resolved("context"), target.resolved("target")), (None, Some("b")));
        let computed = text.replace("{\n    A = [\"1\"]\n  }", "f()");
        assert_eq!(read(&computed).unwrap().target("x").unwrap().resolved("target"), None);
    }

    #[test]
    fn what_is_ambiguous_is_refused_or_flagged() {
        for text in [
            "target \"x\" {\n  a = 1\n  a = 2\n}",
            "target \"x\" {\n  a = {\n b = 1\n b = 2\n}\n}",
            "target {}",
            "target \"x\" \"y\" {}",
            "variable {}",
            "target \"x\" { a = 1\n b = 2 }",
            "target \"x\" {",
            "{\"target\": {}}",
            "a = <<E\nE\nE x\nE\n",
            "a = f(<<E\nE)\n",
            "a = \"${\"",
            // hcl-edit reads one heredoc.
            "target \"x\" {\n  a = <<E\nE\n  b = <<E\nE\n}\n",
            "a = \"\\q\"",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("target \"x\" {\n  a = <<E\nE\n}\n").is_ok());
        let error = read("\u{feff}a = 1\né = \"ü\" ?").unwrap_err();
        assert_eq!((error.line, error.offset > 9), (2, true), "{error}");
        let bake = read("target \"x\" {}\ntarget x {}\nvariable \"x\" {}\n").unwrap();
        assert_eq!(bake.duplicates, [Duplicate { kind: "target".into(), name: "x".into(), span: Span::new(14, 25) }]);
        assert!(bake.is_duplicate("x"));
        assert!(!bake.effective("x", "a").unwrap().sure);
        let twice =
            read("variable \"A\" { default = \"1\" }\nvariable \"A\" { default = \"2\" }\ntarget \"x\" { a = A }")
                .unwrap();
        assert_eq!(twice.targets[0].resolved("a"), None);
        assert!(read(&format!("a = {}1{}", "[".repeat(5000), "]".repeat(5000))).is_err());
    }

    #[test]
    fn parents_are_followed_as_bake_does() {
        let text = r#"
target "a" { 
  tags = ["a"]
  args = { A = 1 }
  cache-from = ["a"]
}
target "b" {
  inherits = ["a"]
  tags = ["b"]
  cache-from = ["b"]
}
target "c" {
  inherits = ["a"]
  args = { A = 2 }
}
target "d" {
  inherits = ["b", "c"]
  cache-from = ["d"]
  tags = null
}
target "loop" {
  inherits = ["pool"]
  tags = ["l"]
}
target "pool" { inherits = ["loop", "pool"] }
target "lost" { inherits = ["nobody"] }
target "free" { 
  inherits = f()
  tags = f()
}
"#;
        let bake = read(text).unwrap();
        let of = |target: &str, attribute: &str| -> (Vec<&str>, bool) {
            let effective = bake.effective(target, attribute).unwrap();
            (effective.parts.iter().map(|part| part.target.name.as_str()).collect(), effective.sure)
        };
        // The later parent has it from the common parent, and that stands.
        assert_eq!(of("d", "tags"), (vec!["a"], true));
        assert_eq!(of("d", "cache-from"), (vec!["a", "b", "d"], true));
        assert_eq!(of("d", "args"), (vec!["a", "c"], true));
        assert_eq!(of("d", "context"), (vec![], true));
        assert_eq!(of("d", "inherits"), (vec!["d"], true));
        assert_eq!(of("pool", "tags"), (vec!["loop"], true));
        assert_eq!(of("lost", "tags"), (vec![], false));
        assert_eq!(of("free", "tags"), (vec!["free"], false));
        assert_eq!(bake.effective("nobody", "tags"), None);
        assert_eq!(bake.effective("d", "tags").unwrap().last().unwrap().attribute.value.source(text), "[\"a\"]");
    }

    #[test]
    fn many_parents_end() {
        let mut wide = "target \"t0\" { cache-from = [\"a\"] }\n".to_owned();
        let mut long = wide.clone();
        for n in 1..3000 {
            wide += &format!("target \"t{n}\" {{ inherits = [\"t{0}\", \"t{0}\"] }}\n", n - 1);
            long += &format!("target \"t{n}\" {{ inherits = [\"t{}\"] }}\n", n - 1);
        }
        let wide = read(&wide).unwrap();
        assert_eq!(wide.effective("t90", "cache-from").unwrap().parts.len(), 1);
        assert!(!read(&long).unwrap().effective("t2999", "cache-from").unwrap().sure);
    }

    #[test]
    fn an_attribute_goes_below_the_others() {
        let text = "target \"x\" {\n  context = \".\"\n  tags = [\"a\"]\n}\n";
        assert_eq!(cache(text), "target \"x\" {\n  context = \".\"\n  tags = [\"a\"]\n  cache-from = [\"a\"]\n}\n");
        let crlf = "target \"x\" {\r\n\ttags = [\r\n\t\t\"a\"\r\n\t]\r\n\r\n}";
        assert_eq!(cache(crlf), crlf.replace("]\r\n", "]\r\n\tcache-from = [\"a\"]\r\n"));
        let tight = "target \"x\" {\n    a=1\n}";
        assert_eq!(cache(tight), "target \"x\" {\n    a=1\n    cache-from=[\"a\"]\n}");
    }

    #[test]
    fn bodies_without_lines_get_some() {
        assert_eq!(cache("target \"x\" {}"), "target \"x\" {\n  cache-from = [\"a\"]\n}");
        assert_eq!(
            cache("\u{feff}target \"x\" { context = \".\" } # c\r\n"),
            "\u{feff}target \"x\" {\r\n  context = \".\"\r\n  cache-from = [\"a\"]\r\n} # c\r\n"
        );
        assert_eq!(
            cache("group \"g\" {\n\ttargets = []\n}\ntarget x {/* a */ context = [\n1 ] /* b */}"),
            "group \"g\" {\n\ttargets = []\n}\n\
             target x {\n\t/* a */ context = [\n1 ] /* b */\n\tcache-from = [\"a\"]\n}"
        );
        assert_eq!(cache("target \"x\" { # c\n}"), "target \"x\" { # c\n  cache-from = [\"a\"]\n}");
        assert_eq!(cache("target \"x\" {\n\n\n}"), "target \"x\" {\n  cache-from = [\"a\"]\n\n\n}");
    }

    #[test]
    fn comments_and_heredocs_may_stand_last() {
        let comment = "target \"x\" {\n  a = 1 // b\n  # tags = []\n  /* c\n\n  */\n}\n";
        assert_eq!(cache(comment), comment.replace("*/\n", "*/\n  cache-from = [\"a\"]\n"));
        let brace = "target \"x\" {\n  a = 1\n  /* c\n  */ }\n";
        assert_eq!(cache(brace), "target \"x\" {\n  a = 1\n  /* c\n  */\n  cache-from = [\"a\"]\n}\n");
        let heredoc = "target \"x\" {\n  dockerfile-inline = <<-E\n    FROM a\n\n  E\n}\n";
        assert_eq!(cache(heredoc), heredoc.replace("  E\n", "  E\n  cache-from = [\"a\"]\n"));
        assert_eq!(
            add("target \"x\" {}", "dockerfile-inline", "<<E\nFROM a\nE"),
            "target \"x\" {\n  dockerfile-inline = <<E\nFROM a\nE\n}"
        );
    }

    #[test]
    fn the_column_of_equals_signs_is_kept() {
        let aligned = "target \"x\" {\n  a = 1\n\n  context        = \".\"\n  no-cache-from  = []\n}\n";
        assert_eq!(cache(aligned), aligned.replace("[]\n", "[]\n  cache-from     = [\"a\"]\n"));
        let too_narrow = "target \"x\" {\n  context = \".\"\n  tags    = []\n}\n";
        assert_eq!(cache(too_narrow), too_narrow.replace("[]\n", "[]\n  cache-from = [\"a\"]\n"));
        let alone = "target \"x\" {\n  context-of-it = \".\"\n}\n";
        assert_eq!(cache(alone), alone.replace(".\"\n", ".\"\n  cache-from = [\"a\"]\n"));
        let apart = "target \"x\" {\n  contexts-of-all = {}\n  tags            = [\n  ]\n\n  # c\n}\n";
        assert_eq!(cache(apart), apart.replace("# c\n", "# c\n  cache-from = [\"a\"]\n"));
    }

    #[test]
    fn insertions_that_make_no_sense_are_refused() {
        let text = "target \"x\" { context = \".\" }";
        let bake = read(text).unwrap();
        let insert =
            |text: &str, name: &str, value: &str| insert_attribute(text, &bake.targets[0], name, value).unwrap_err();
        assert!(matches!(insert(text, "context", "1"), InsertError::AlreadySet(..)));
        assert!(matches!(insert(text, "a b", "1"), InsertError::NotAName(..)));
        assert!(matches!(insert(text, "", "1"), InsertError::NotAName(..)));
        assert!(matches!(insert(text, "a", "1\nb = 2"), InsertError::NotAValue(..)));
        assert!(matches!(insert("target", "a", "1"), InsertError::OtherText(..)));
        assert!(matches!(insert("é".repeat(40).as_str(), "a", "1"), InsertError::OtherText(..)));
    }

    #[test]
    fn the_check_finds_every_other_change() {
        let before = "# c\ntarget \"x\" {\n  a = [\"b c\"] // d e\n}\ntarget \"y\" {\n}\n";
        let after = before.replace("d e\n", "d e\n  t = 1\n");
        let declared = [("x", "t", "1")];
        assert_eq!(check(before, &after, &declared), Ok(()));
        assert_eq!(check(before, before, &[]), Ok(()));
        for (from, to) in [
            ("# c", "# d"),
            ("# c", "// c"),
            ("# c\n", ""),
            ("d e", "d  e"),
            ("b c", "b  c"),
            ("[\"b c\"]", "[\"b c\",]"),
            ("a =", "aa ="),
            ("t = 1", "t = 2"),
            ("t = 1", "t = 1\n  u = 1"),
            ("  t = 1\n", ""),
            ("\"y\" {\n", "\"y\" {\n  t = 1\n"),
            ("target \"y\" {\n}\n", ""),
            ("target \"y\"", "target y"),
            ("}\ntarget \"y\"", "}\ntarget \"z\" {}\ntarget \"y\""),
            ("t = 1", "t = 1 # new"),
            ("t = 1", "t = 1 }"),
        ] {
            let changed = after.replace(from, to);
            assert_ne!(changed, after);
            assert!(check(before, &changed, &declared).is_err(), "{from} -> {to}");
        }
        assert!(check(before, &after, &[]).is_err());
        assert!(check(before, &after, &[("y", "t", "1")]).is_err());
        assert!(check(before, &after, &[("x", "t", "1"), ("x", "t", "1")]).is_err());
        assert!(check(&after, &after, &declared).is_err());
    }

    /// Reading, adding and checking must end well or with an error on any text.
    #[test]
    fn damaged_files_do_no_harm() {
        let texts = [NASTY.to_owned(), format!("\u{feff}{}", NASTY.replace('\n', "\r\n"))];
        for text in &texts {
            for (at, _) in text.char_indices().step_by(7) {
                for damaged in [text[..at].to_owned(), text[at..].to_owned(), {
                    let mut damaged = text.clone();
                    damaged.remove(at);
                    damaged
                }] {
                    let Ok(bake) = read(&damaged) else { continue };
                    for target in &bake.targets {
                        let Ok(edit) = insert_attribute(&damaged, target, "cache-to", "[\"a\"]") else { continue };
                        let after = apply(&damaged, &edit);
                        check(&damaged, &after, &[(&target.name, "cache-to", "[\"a\"]")]).unwrap();
                        let _ = insert_attribute(text, target, "cache-to", "[]");
                    }
                }
            }
        }
    }
}
