//! The tags of an MSBuild file.

/// A start tag: its name, its attributes with entities resolved, and the text up to the next tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Tag {
    /// An attribute; MSBuild doesn't tell upper from lower case.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The start tags of a file in order, comments and declarations aside.
///
/// # Errors
/// A text that is no XML, and what MSBuild files have no use for (CDATA, a document type).
pub fn tags(text: &str) -> Result<Vec<Tag>, String> {
    let mut found: Vec<Tag> = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(at) = rest.find('<') {
        if let Some(last) = found.last_mut().filter(|last| last.text.is_empty()) {
            last.text = entities(rest[..at].trim());
        }
        rest = &rest[at..];
        let skip = |end: &str| rest.find(end).map(|found| found + end.len()).ok_or("a tag has no end".to_owned());
        if rest.starts_with("<!--") {
            rest = &rest[skip("-->")?..];
        } else if rest.starts_with("<?") {
            rest = &rest[skip("?>")?..];
        } else if rest.starts_with("<!") {
            return Err("it holds more than tags".to_owned());
        } else if rest.starts_with("</") {
            rest = &rest[skip(">")?..];
            // Text behind an end tag belongs to no start tag.
            found.push(Tag { name: String::new(), attributes: Vec::new(), text: String::new() });
        } else {
            let (tag, length) = start_tag(rest)?;
            found.push(tag);
            rest = &rest[length..];
        }
    }
    found.retain(|tag| !tag.name.is_empty());
    Ok(found)
}

/// The tag at the start of `text` and its length in bytes.
fn start_tag(text: &str) -> Result<(Tag, usize), String> {
    let name_end =
        text[1..].find(|ch: char| ch.is_whitespace() || ch == '>' || ch == '/').ok_or("a tag has no end")? + 1;
    let mut tag = Tag { name: text[1..name_end].to_owned(), attributes: Vec::new(), text: String::new() };
    let mut at = name_end;
    loop {
        at += text[at..].len() - text[at..].trim_start_matches(|ch: char| ch.is_whitespace() || ch == '/').len();
        if text[at..].starts_with('>') {
            return Ok((tag, at + 1));
        }
        let equals = text[at..].find('=').ok_or("an attribute has no value")?;
        let name = text[at..at + equals].trim().to_owned();
        at += equals + 1;
        at += text[at..].len() - text[at..].trim_start().len();
        let quote =
            text[at..].chars().next().filter(|ch| matches!(ch, '"' | '\'')).ok_or("an attribute has no quotes")?;
        let end = text[at + 1..].find(quote).ok_or("an attribute has no end")?;
        tag.attributes.push((name, entities(&text[at + 1..at + 1 + end])));
        at += end + 2;
    }
}

fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    known.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_with_attributes_and_text() {
        let text = "\u{feff}<?xml version='1.0'?><!-- <No/> --><A b = 'x' c=\"1 &gt; 0\"><D>text</D> tail<E/></A>";
        let tags = tags(text).unwrap();
        let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["A", "D", "E"]);
        assert_eq!((tags[0].attribute("B"), tags[0].attribute("c")), (Some("x"), Some("1 > 0")));
        assert_eq!((tags[1].text.as_str(), tags[2].text.as_str()), ("text", ""));
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        for text in ["<a", "<a b>", "<a b=c>", "<!DOCTYPE x>", "<!-- a"] {
            assert!(tags(text).is_err(), "{text}");
        }
    }
}
