//! What an edit did to a file, found without [`super::read`] and the edits.

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::parser::parse_expr;
use hcl_edit::structure::{Body, Structure};

use super::reader::Reader;
use super::scan::comment;
use crate::text::Span;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
