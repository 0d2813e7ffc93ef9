//! Words of instruction arguments, split as BuildKit's `parseWords` and `parseNameVal` split them.

use std::ops::Range;

/// A word as written, quotes and escapes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub raw: String,
    pub range: Range<usize>,
}

impl Word {
    pub(super) fn shifted(mut self, by: usize) -> Self {
        self.range = self.range.start + by..self.range.end + by;
        self
    }
}

/// `name=value` or `name value` of ENV, ARG and LABEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub name: String,
    /// As written; absent for `ARG name`.
    pub value: Option<String>,
    /// The whole `name=value` word; for the old form the whole arguments.
    pub range: Range<usize>,
}

/// Splits `text` at white space outside quotes.
pub fn split_words(text: &str, escape: char) -> Vec<Word> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut start: Option<usize> = None;
    let mut quote: Option<char> = None;
    while let Some((at, ch)) = chars.next() {
        match (start, quote) {
            (None, _) if ch.is_whitespace() => continue,
            (Some(from), None) if ch.is_whitespace() => {
                words.push(Word { raw: text[from..at].to_owned(), range: from..at });
                start = None;
                continue;
            }
            (None, _) => start = Some(at),
            _ => {}
        }
        match quote {
            Some(open) if ch == open => quote = None,
            Some('\'') => {}
            _ if ch == escape => {
                chars.next();
            }
            None if ch == '"' || ch == '\'' => quote = Some(ch),
            _ => {}
        }
    }
    if let Some(from) = start {
        words.push(Word { raw: text[from..].to_owned(), range: from..text.len() });
    }
    words
}

/// The pairs of ENV and LABEL.
///
/// # Errors
/// What `parseNameVal` refuses, in its words.
pub fn name_values(text: &str, escape: char, keyword: &str) -> Result<Vec<Pair>, String> {
    let words = split_words(text, escape);
    let Some(first) = words.first() else { return Ok(Vec::new()) };
    if !first.raw.contains('=') {
        let Some((name, value)) = text.split_once([' ', '\t', '\u{b}', '\u{c}', '\r']) else {
            return Err(format!("{keyword} must have two arguments"));
        };
        let value = value.trim_start_matches([' ', '\t', '\u{b}', '\u{c}', '\r']);
        return Ok(vec![Pair { name: name.to_owned(), value: Some(value.to_owned()), range: 0..text.len() }]);
    }
    words
        .into_iter()
        .map(|word| match word.raw.split_once('=') {
            Some((name, value)) => {
                Ok(Pair { name: name.to_owned(), value: Some(value.to_owned()), range: word.range.clone() })
            }
            None => Err(format!("can't find = in {:?}; must be of the form name=value", word.raw)),
        })
        .collect()
}

/// The pairs of ARG: `name` or `name=default`.
pub fn arguments(text: &str, escape: char) -> Vec<Pair> {
    let pair = |word: Word| {
        let (name, value) = match word.raw.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.raw.clone(), None),
        };
        Pair { name, value, range: word.range }
    };
    split_words(text, escape).into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raws(text: &str) -> Vec<String> {
        split_words(text, '\\').into_iter().map(|word| word.raw).collect()
    }

    #[test]
    fn words_end_at_white_space_outside_quotes() {
        assert_eq!(raws(r#"A="x y" B='\' C=a\ b"#), [r#"A="x y""#, r"B='\'", r"C=a\ b"]);
        assert_eq!(raws(""), Vec::<String>::new());
    }

    #[test]
    fn the_old_form_of_env_takes_the_rest_of_the_line() {
        let pairs = name_values("PATH /usr/bin  x", '\\', "ENV").unwrap();
        assert_eq!((pairs[0].name.as_str(), pairs[0].value.as_deref()), ("PATH", Some("/usr/bin  x")));
        assert!(name_values("PATH", '\\', "ENV").is_err());
        assert!(name_values("A=1 B", '\\', "ENV").is_err());
    }
}
