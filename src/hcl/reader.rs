//! From a text to a [`Bake`]: the parser's tree with its places, held against [`Scan`].

use std::collections::{HashMap, HashSet};

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::parser::parse_body;
use hcl_edit::structure::{Block, Body};
use hcl_edit::template::{Element, Strip, Template};
use hcl_edit::visit::{Visit, visit_expr};

use super::{Attribute, BYTE_ORDER_MARK, Bake, Duplicate, Entry, Group, HclError, Kind, Scan, Target, Value, Variable};
use crate::text::Span;

/// Names that bake sets itself; a variable block of that name has no effect.
const BUILT_IN: [&str; 2] = ["BAKE_CMD_CONTEXT", "BAKE_LOCAL_PLATFORM"];

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
pub(super) struct Reader<'t> {
    text: &'t str,
    /// Length of the byte order mark, which HCL skips and hcl-edit does not know.
    shift: usize,
    pub(super) tree: Body,
    /// In order, without the line ends of `#` and `//`.
    pub(super) comments: Vec<Span>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, HclError> {
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

    pub(super) fn span(&self, range: Option<std::ops::Range<usize>>) -> Result<Span, HclError> {
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
    use crate::hcl::scan::comment;
    use crate::hcl::tests::NASTY;

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
}
