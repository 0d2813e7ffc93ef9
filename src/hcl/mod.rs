//! docker-bake.hcl: reading it with places, and adding attributes without loss.
//!
//! hcl-edit parses; nothing is printed back from its tree. All places are byte offsets in the text as given, a byte
//! order mark included. Two readers have to agree on a file: hcl-edit, and [`Scan`], which knows only strings, heredocs
//! and comments. Without it hcl-edit 0.10 would read an empty heredoc that is followed by another one of the same
//! closing word as one that holds all between them.

mod check;
mod edits;
mod inheritance;
mod reader;
mod scan;

pub use check::check;
pub use edits::{InsertError, insert_attribute, insert_attributes};
pub use inheritance::{Effective, Merge, Part, merge_of};
pub use reader::read;
pub use scan::Scan;

use crate::text::Span;

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

impl Bake {
    /// The first target block with this label.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// Whether more than one target block has this label.
    pub fn is_duplicate(&self, name: &str) -> bool {
        self.duplicates.iter().any(|duplicate| duplicate.kind == "target" && duplicate.name == name)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Edit;

    pub(in crate::hcl) fn apply(text: &str, edit: &Edit) -> String {
        format!("{}{}{}", &text[..edit.span.start], edit.replacement, &text[edit.span.end..])
    }

    pub(in crate::hcl) const NASTY: &str = r##"// größe "{ /* not a comment
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
