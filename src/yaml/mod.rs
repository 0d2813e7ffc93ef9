//! YAML without loss: keys and values with their spans in the file, comments, anchors and aliases. JSON is read the same way.
//!
//! `granit-parser` gives the positions; [`data`] reads the same text with a second, independent library.
//! Nothing is ever printed back from this tree: [`edits`] splice the text.

pub mod data;
pub mod edits;

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};

use crate::text::{Fragment, Span};

pub use data::{Difference, check};
pub use edits::New;

/// One step from a node to a child.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// The value of a key, by the key's text.
    Key(String),
    /// An item of a sequence; at the root: a document.
    Index(usize),
}

impl Step {
    pub fn key(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

/// The way from the stream to a node: a document's index first.
pub type Path = Vec<Step>;

/// `path` and one key more.
pub fn below(path: &[Step], key: &str) -> Path {
    path.iter().cloned().chain([Step::key(key)]).collect()
}

/// A node of the tree.
#[derive(Debug, Clone)]
pub struct Node {
    pub kind: NodeKind,
    /// The content, without anchor and tag. A block collection: from its first child to the end of its last.
    pub span: Span,
    /// Where it starts, anchor and tag included.
    pub start: usize,
    /// The number of the anchor that it carries.
    pub anchor: Option<usize>,
    /// The tag as written.
    pub tag: Option<String>,
}

#[derive(Debug, Clone)]
pub enum NodeKind {
    /// Null values are plain scalars too: `~`, `null`, or nothing.
    Scalar {
        text: String,
        style: Style,
    },
    Sequence {
        items: Vec<Node>,
        flow: bool,
    },
    Mapping {
        pairs: Vec<(Node, Node)>,
        flow: bool,
    },
    /// The number of the anchor that it names.
    Alias(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

/// All documents of a file.
#[derive(Debug, Clone)]
pub struct Stream {
    pub documents: Vec<Node>,
    /// From `#` to the end of the line, in order.
    pub comments: Vec<Span>,
    /// How often each anchor is named, by its number.
    aliases: HashMap<usize, usize>,
}

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// Counted from 1.
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl YamlError {
    /// An error at a byte offset of `text`.
    pub fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = crate::text::LineIndex::new(text).line_column(offset.min(text.len()));
        Self { line, column, message: message.into() }
    }
}

impl Stream {
    /// Reads all documents of `text`.
    ///
    /// # Errors
    /// What is not YAML, a template, and a key that stands twice in one mapping.
    pub fn read(text: &str) -> Result<Self, YamlError> {
        if let Some(at) = text.find("{%") {
            return Err(YamlError::at(text, at, "a template; it is read only once it is rendered"));
        }
        let options = granit_parser::options! { emit_anchor_events: true, max_buffered_comment_events: 1 << 20 };
        let mut builder = Builder { text, stack: Vec::new(), documents: Vec::new(), aliases: HashMap::new() };
        let mut comments = Vec::new();
        for next in Parser::new_from_str_with_options(text, options) {
            let (event, span) = next.map_err(|error| {
                let marker = error.marker();
                YamlError { line: marker.line(), column: marker.col() + 1, message: error.info().to_owned() }
            })?;
            let range = span.byte_range().unwrap_or(0..0);
            let here = Span::new(range.start, range.end.max(range.start));
            match event {
                Event::Comment(..) => comments.push(here),
                Event::Anchor(id, _) => builder.anchor(id, here.start),
                event => {
                    let tag = span.tag_span().and_then(|tag| tag.byte_range());
                    builder.event(event, here, tag)?;
                }
            }
        }
        Ok(Self { documents: builder.documents, comments, aliases: builder.aliases })
    }

    /// The node at `path`, as written: aliases and merge keys are not followed.
    pub fn node(&self, path: &[Step]) -> Option<&Node> {
        let (Step::Index(document), rest) = path.split_first()? else { return None };
        rest.iter().try_fold(self.documents.get(*document)?, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().get(*index),
        })
    }

    /// What an alias stands for; any other node itself.
    pub fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        match node.kind {
            NodeKind::Alias(id) => self.documents.iter().find_map(|root| root.anchored(id)).unwrap_or(node),
            _ => node,
        }
    }

    /// The value of `key` in a mapping, merge keys followed, and whether it came from one.
    pub fn effective<'a>(&'a self, mapping: &'a Node, key: &str) -> Option<(&'a Node, bool)> {
        self.effective_to(mapping, key, 16)
    }

    fn effective_to<'a>(&'a self, mapping: &'a Node, key: &str, depth: usize) -> Option<(&'a Node, bool)> {
        let mapping = self.resolve(mapping);
        if let Some(own) = mapping.get(key) {
            return Some((own, false));
        }
        let merged = mapping.get("<<").filter(|_| depth > 0)?;
        let merged = self.resolve(merged);
        let sources = match &merged.kind {
            NodeKind::Sequence { items, .. } => items.iter().collect(),
            _ => vec![merged],
        };
        sources.into_iter().find_map(|source| self.effective_to(source, key, depth - 1)).map(|(value, _)| (value, true))
    }

    /// All keys of a mapping with their values, merge keys followed, the mapping's own first.
    pub fn effective_pairs<'a>(&'a self, mapping: &'a Node) -> Vec<(&'a str, &'a Node)> {
        let mut found: Vec<(&str, &Node)> = Vec::new();
        let mut open = vec![(mapping, 0)];
        while let Some((node, depth)) = open.pop() {
            let node = self.resolve(node);
            for (key, value) in node.pairs() {
                let Some(name) = key.text() else { continue };
                if name == "<<" && depth < 16 {
                    let value = self.resolve(value);
                    match &value.kind {
                        NodeKind::Sequence { items, .. } => {
                            open.extend(items.iter().rev().map(|item| (item, depth + 1)));
                        }
                        _ => open.push((value, depth + 1)),
                    }
                } else if !found.iter().any(|(known, _)| *known == name) {
                    found.push((name, value));
                }
            }
        }
        found
    }

    /// Whether an alias names the anchor of `node`, or of something inside it.
    pub fn is_shared(&self, node: &Node) -> bool {
        let own = node.anchor.is_some_and(|id| self.aliases.contains_key(&id));
        own || match &node.kind {
            NodeKind::Sequence { items, .. } => items.iter().any(|item| self.is_shared(item)),
            NodeKind::Mapping { pairs, .. } => {
                pairs.iter().any(|(key, value)| self.is_shared(key) || self.is_shared(value))
            }
            _ => false,
        }
    }

    /// Whether an alias names the anchor that `node` itself carries.
    pub fn is_aliased(&self, node: &Node) -> bool {
        node.anchor.is_some_and(|id| self.aliases.contains_key(&id))
    }

    /// A mapping used as a key: what `{{ name }}` reads as.
    pub fn template_key(&self) -> Option<&Node> {
        self.documents.iter().find_map(Node::mapping_as_key)
    }
}

impl Node {
    /// The text of a scalar; none for null written as nothing.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar that YAML reads as a string.
    pub fn string(&self) -> Option<&str> {
        let text = self.text().filter(|_| self.tag.as_deref().is_none_or(|tag| tag == "!!str"))?;
        let plain = matches!(&self.kind, NodeKind::Scalar { style: Style::Plain, .. }) && self.tag.is_none();
        let other =
            matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") || text.parse::<f64>().is_ok();
        (!(plain && other)).then_some(text)
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar { text, style: Style::Plain }
            if self.tag.is_none() && matches!(text.as_str(), "~" | "null" | "Null" | "NULL" | ""))
    }

    /// The value of the mapping's own key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pair(key).map(|(_, value)| value)
    }

    /// The mapping's own key and value.
    pub fn pair(&self, key: &str) -> Option<&(Node, Node)> {
        self.pairs().iter().find(|(name, _)| matches!(&name.kind, NodeKind::Scalar { text, .. } if text == key))
    }

    pub fn pairs(&self) -> &[(Node, Node)] {
        match &self.kind {
            NodeKind::Mapping { pairs, .. } => pairs,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence { items, .. } => items,
            _ => &[],
        }
    }

    pub fn is_mapping(&self) -> bool {
        matches!(self.kind, NodeKind::Mapping { .. })
    }

    pub fn is_sequence(&self) -> bool {
        matches!(self.kind, NodeKind::Sequence { .. })
    }

    /// Whether it is a collection in brackets.
    pub fn is_flow(&self) -> bool {
        matches!(self.kind, NodeKind::Sequence { flow: true, .. } | NodeKind::Mapping { flow: true, .. })
    }

    /// Where its last byte ends, children included.
    pub fn end(&self) -> usize {
        match &self.kind {
            NodeKind::Sequence { items, flow: false } => items.last().map_or(self.span.end, Node::end),
            NodeKind::Mapping { pairs, flow: false } => pairs.last().map_or(self.span.end, |(_, value)| value.end()),
            _ => self.span.end,
        }
    }

    /// The node whose end is this node's end.
    pub fn last(&self) -> &Node {
        match &self.kind {
            NodeKind::Sequence { items, flow: false } => items.last().map_or(self, Node::last),
            NodeKind::Mapping { pairs, flow: false } => pairs.last().map_or(self, |(_, value)| value.last()),
            _ => self,
        }
    }

    /// A scalar's value with the place of each of its bytes; none where escapes, folding or quotes within make that more than a
    /// copy.
    pub fn fragment(&self, text: &str) -> Option<Fragment> {
        let NodeKind::Scalar { text: value, style } = &self.kind else { return None };
        let source = self.span.of(text);
        let mut fragment = Fragment::default();
        match style {
            Style::Plain => fragment.push(source, self.span.start),
            Style::Single | Style::Double => {
                fragment.push(source.get(1..source.len().checked_sub(1)?)?, self.span.start + 1);
            }
            Style::Literal => {
                // The first line's own indentation stands in front of the span.
                let line = text[..self.span.start].rfind('\n').map_or(0, |at| at + 1);
                let first = text.get(line..self.span.start)?;
                let indent = first.len();
                if !first.bytes().all(|byte| byte == b' ') {
                    return None;
                }
                let mut at = line;
                for line in text[line..self.span.end].split_inclusive('\n') {
                    let content = line.get(indent..).unwrap_or_else(|| line.trim_start_matches(' '));
                    let start = at + line.len() - content.len();
                    match content.strip_suffix("\r\n") {
                        Some(bare) => {
                            fragment.push(bare, start);
                            fragment.push("\n", start + bare.len() + 1);
                        }
                        None => fragment.push(content, start),
                    }
                    at += line.len();
                }
                if fragment.text.len() > value.len() {
                    fragment = fragment.slice(0..value.len());
                }
            }
            Style::Folded => return None,
        }
        (fragment.text == *value).then_some(fragment)
    }

    fn anchored(&self, id: usize) -> Option<&Node> {
        if self.anchor == Some(id) {
            return Some(self);
        }
        match &self.kind {
            NodeKind::Sequence { items, .. } => items.iter().find_map(|item| item.anchored(id)),
            NodeKind::Mapping { pairs, .. } => {
                pairs.iter().find_map(|(key, value)| key.anchored(id).or_else(|| value.anchored(id)))
            }
            _ => None,
        }
    }

    fn mapping_as_key(&self) -> Option<&Node> {
        match &self.kind {
            NodeKind::Sequence { items, .. } => items.iter().find_map(Node::mapping_as_key),
            NodeKind::Mapping { pairs, .. } => pairs.iter().find_map(|(key, value)| {
                if key.is_mapping() { Some(key) } else { key.mapping_as_key().or_else(|| value.mapping_as_key()) }
            }),
            _ => None,
        }
    }
}

/// Puts the tree together from events.
struct Builder<'a> {
    text: &'a str,
    /// Collections that are open, with the key that waits for its value.
    stack: Vec<(Node, Option<Node>)>,
    documents: Vec<Node>,
    aliases: HashMap<usize, usize>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span, tag: Option<std::ops::Range<usize>>) -> Result<(), YamlError> {
        let start = tag.as_ref().map_or(span.start, |tag| tag.start.min(span.start));
        let tag = tag.and_then(|tag| self.text.get(tag)).map(str::to_owned);
        let node = |kind| Node { kind, span, start, anchor: None, tag: tag.clone() };
        match event {
            Event::Alias(id) => {
                *self.aliases.entry(id).or_default() += 1;
                self.place(node(NodeKind::Alias(id)))
            }
            Event::Scalar(text, style, ..) => {
                let mut span = span;
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    // The indentation of the line behind it is not part of it.
                    let line = self.text[..span.end].rfind('\n').map_or(0, |at| at + 1);
                    if line > span.start && self.text[line..span.end].bytes().all(|byte| byte == b' ') {
                        span.end = line;
                    }
                }
                let node = |kind| Node { kind, span, start, anchor: None, tag: tag.clone() };
                let style = match style {
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                    _ => Style::Plain,
                };
                self.place(node(NodeKind::Scalar { text: text.into_owned(), style }))
            }
            Event::SequenceStart(..) => {
                let flow = span.of(self.text).starts_with('[');
                self.stack.push((node(NodeKind::Sequence { items: Vec::new(), flow }), None));
                Ok(())
            }
            Event::MappingStart(..) => {
                let flow = span.of(self.text).starts_with('{');
                self.stack.push((node(NodeKind::Mapping { pairs: Vec::new(), flow }), None));
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((mut node, _)) = self.stack.pop() else { return Ok(()) };
                node.span.end = if node.is_flow() { span.end } else { node.end().max(node.span.start) };
                self.place(node)
            }
            _ => Ok(()),
        }
    }

    /// The anchor that the latest node carries.
    fn anchor(&mut self, id: usize, start: usize) {
        let latest = match self.stack.last_mut() {
            // A collection that has just been opened.
            Some((node, None)) if node.items().is_empty() && node.pairs().is_empty() => Some(node),
            Some((_, Some(key))) => Some(key),
            Some((Node { kind: NodeKind::Sequence { items, .. }, .. }, _)) => items.last_mut(),
            Some((Node { kind: NodeKind::Mapping { pairs, .. }, .. }, _)) => pairs.last_mut().map(|(_, value)| value),
            Some(_) => None,
            None => self.documents.last_mut(),
        };
        if let Some(node) = latest {
            node.anchor = Some(id);
            node.start = node.start.min(start);
        }
    }

    fn place(&mut self, node: Node) -> Result<(), YamlError> {
        match self.stack.last_mut() {
            None => self.documents.push(node),
            Some((Node { kind: NodeKind::Sequence { items, .. }, .. }, _)) => items.push(node),
            Some((Node { kind: NodeKind::Mapping { pairs, .. }, .. }, key)) => match key.take() {
                None => {
                    let twice = pairs.iter().any(|(known, _)| match (&known.kind, &node.kind) {
                        (NodeKind::Scalar { text: left, .. }, NodeKind::Scalar { text: right, .. }) => left == right,
                        _ => false,
                    });
                    if twice {
                        let name = node.span.of(self.text);
                        return Err(YamlError::at(
                            self.text,
                            node.span.start,
                            format!("the key {name} stands twice in one mapping; keep one of them"),
                        ));
                    }
                    *key = Some(node);
                }
                Some(name) => pairs.push((name, node)),
            },
            Some(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Stream {
        Stream::read(text).unwrap()
    }

    #[test]
    fn spans_anchors_and_comments_are_found() {
        let text = "a: 1 # c\nb: &q\n  c: !t d\n  e: [x, 'y']\nf: *q\n";
        let stream = read(text);
        let root = &stream.documents[0];
        let b = root.get("b").unwrap();
        assert_eq!(b.span.of(text), "c: !t d\n  e: [x, 'y']");
        assert_eq!(&text[b.start..b.start + 2], "&q");
        assert_eq!(b.get("c").unwrap().tag.as_deref(), Some("!t"));
        assert!(stream.is_aliased(b));
        assert!(!stream.is_aliased(root));
        assert_eq!(stream.effective(root.get("f").unwrap(), "c").unwrap().0.text(), Some("d"));
        assert_eq!(stream.comments.iter().map(|span| span.of(text)).collect::<Vec<_>>(), ["# c"]);
    }

    #[test]
    fn anchors_of_keys_items_and_scalars_belong_to_them() {
        let text = "x: &a 1\ny:\n  - &b p\n  - q\nz: [*a, *b]\n";
        let stream = read(text);
        let root = &stream.documents[0];
        assert!(stream.is_aliased(root.get("x").unwrap()));
        let items = root.get("y").unwrap().items();
        assert!(stream.is_aliased(&items[0]) && !stream.is_aliased(&items[1]));
        assert!(stream.is_shared(root.get("y").unwrap()));
    }

    #[test]
    fn merge_keys_are_followed_and_own_keys_win() {
        let stream = read("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 9\n");
        let z = stream.documents[0].get("z").unwrap();
        let text = |key| stream.effective(z, key).and_then(|(node, merged)| Some((node.text()?.to_owned(), merged)));
        assert_eq!(text("a"), Some(("9".to_owned(), false)));
        assert_eq!(text("b"), Some(("2".to_owned(), true)));
        assert_eq!(text("c"), Some(("4".to_owned(), true)));
        assert_eq!(stream.effective_pairs(z).iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn duplicate_keys_and_templates_are_refused_with_their_place() {
        let error = Stream::read("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((error.line, error.column), (3, 1));
        assert!(Stream::read("{% if x %}\na: 1\n").is_err());
        assert!(read("a: {{ x }}\n").template_key().is_some());
    }

    #[test]
    fn a_scalar_knows_the_place_of_its_bytes() {
        for text in [
            "a: plain text\n",
            "a: 'single'\n",
            "a: \"double\"\n",
            "a: |\n  one\n    two\n\n  three\n",
            "a: |\r\n  one\r\n  two\r\n",
            "a: |-\n    x\n\n\nb: 1\n",
            "a: |+\n    x\n\n\nb: 1\n",
        ] {
            let stream = read(text);
            let node = stream.documents[0].get("a").unwrap();
            let fragment = node.fragment(text).unwrap_or_else(|| panic!("{text:?}"));
            for (at, byte) in fragment.text.bytes().enumerate() {
                assert_eq!(text.as_bytes()[fragment.offset(at)], byte, "{text:?} at {at}");
            }
        }
        for text in ["a: 'it''s'\n", "a: \"x\\ny\"\n", "a: >\n  x\n  y\n", "a: x\n  y\n"] {
            assert!(read(text).documents[0].get("a").unwrap().fragment(text).is_none(), "{text:?}");
        }
    }
}
