//! Adding attributes to a target, in the style of those that are there.

use hcl_edit::parser::parse_expr;

use super::{Attribute, BYTE_ORDER_MARK, Target, read};
use crate::edit::Edit;
use crate::text::Span;

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
    let mut tail =
        text.bytes().rev().zip(after.bytes().rev()).take(most).take_while(|(left, right)| left == right).count();
    while !text.is_char_boundary(text.len() - tail) || !after.is_char_boundary(after.len() - tail) {
        tail -= 1;
    }
    Ok(vec![Edit::replace(Span::new(head, text.len() - tail), &after[head..after.len() - tail])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hcl::check;
    use crate::hcl::tests::apply;

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
}
