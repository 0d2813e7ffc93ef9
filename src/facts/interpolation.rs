//! `$VAR`, `${VAR:-default}` and the like in values of compose files.
//!
//! Source: compose-spec `12-interpolation.md`; `${VAR:+replacement}` as in compose-go `template.go`.

/// A value with the variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpolated {
    /// With every variable unset: defaults stand in, `$$` is `$`.
    pub text: String,
    /// Variables without a default, which then are empty.
    pub bare: Vec<String>,
    /// Variables that must be set (`${VAR:?message}`); in `text` their own names in lower case stand in.
    pub required: Vec<String>,
    /// Whether any variable stands in it.
    pub variable: bool,
}

impl Interpolated {
    /// The text, if it does not depend on a variable without a default.
    pub fn known(&self) -> Option<&str> {
        (self.bare.is_empty() && self.required.is_empty()).then_some(&*self.text)
    }
}

/// Reads a value of a compose file, with every variable unset.
pub fn interpolate(value: &str) -> Interpolated {
    interpolate_with(value, &|_| None)
}

/// Reads a value of a compose file, with the variables set that `known` tells.
pub fn interpolate_with(value: &str, known: &dyn Fn(&str) -> Option<String>) -> Interpolated {
    let mut out = Interpolated { text: String::new(), bare: Vec::new(), required: Vec::new(), variable: false };
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        out.text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.text.push('$');
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let Some(end) = closing(inner) else {
                out.text.push_str("${");
                rest = inner;
                continue;
            };
            braces(&inner[..end], known, &mut out);
            rest = &inner[end + 1..];
        } else {
            let length = name_length(rest);
            if length == 0 {
                out.text.push('$');
                continue;
            }
            out.variable = true;
            match known(&rest[..length]) {
                Some(value) => out.text.push_str(&value),
                None => out.bare.push(rest[..length].to_owned()),
            }
            rest = &rest[length..];
        }
    }
    out.text.push_str(rest);
    out
}

fn name_length(text: &str) -> usize {
    if text.starts_with(|ch: char| ch.is_ascii_digit()) {
        return 0;
    }
    text.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).unwrap_or(text.len())
}

/// Where the brace closes that was opened in front of `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, ch) in text.char_indices() {
        match ch {
            '{' if before == '$' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        before = ch;
    }
    None
}

/// What stands between the braces.
fn braces(inner: &str, known: &dyn Fn(&str) -> Option<String>, out: &mut Interpolated) {
    out.variable = true;
    let (name, rest) = inner.split_at(name_length(inner));
    let operator = rest.strip_prefix(':').unwrap_or(rest);
    let set = known(name).filter(|value| rest.len() == operator.len() || !value.is_empty());
    let mut put = |text: &str| {
        let inner = interpolate_with(text, known);
        out.text.push_str(&inner.text);
        out.bare.extend(inner.bare);
        out.required.extend(inner.required);
    };
    match (operator.chars().next(), set) {
        (Some('+'), Some(_)) => put(&operator[1..]),
        // Empty as long as the variable is unset.
        (Some('+'), None) => {}
        (_, Some(value)) => out.text.push_str(&value),
        (Some('-'), None) => put(&operator[1..]),
        (Some('?'), None) => {
            out.text.push_str(&name.to_ascii_lowercase());
            out.required.push(name.to_owned());
        }
        (_, None) => out.bare.push(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_stand_in_for_variables() {
        for (value, text, bare, required) in [
            ("a:1", "a:1", vec![], vec![]),
            ("${A:-x}/y:${B-z}", "x/y:z", vec![], vec![]),
            ("$A/${B}", "/", vec!["A", "B"], vec![]),
            ("${A:?set it}:1", "a:1", vec![], vec!["A"]),
            ("${A:-${B:-c}}d", "cd", vec![], vec![]),
            ("${A:-${B}}", "", vec!["B"], vec![]),
            ("$$A ${A:+x}", "$A ", vec![], vec![]),
            ("a$ b${", "a$ b${", vec![], vec![]),
        ] {
            let found = interpolate(value);
            assert_eq!(
                (found.text.as_str(), found.bare, found.required),
                (
                    text,
                    bare.iter().map(|x: &&str| (*x).to_owned()).collect(),
                    required.iter().map(|x: &&str| (*x).to_owned()).collect()
                ),
                "{value}"
            );
        }
    }

    #[test]
    fn known_variables_take_their_values() {
        let known = |name: &str| match name {
            "A" => Some("x".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        };
        for (value, text) in [
            ("$A/${A}${A:-d}${A-d}${A:?m}${A:+y}", "x/xxxxy"),
            ("${E:-d}|${E-d}|${E:+y}|${E+y}", "d|||y"),
            ("${B:-$A}${B:-${E:-${A}}}", "xx"),
        ] {
            let found = interpolate_with(value, &known);
            assert_eq!((found.text.as_str(), found.known().is_some()), (text, true), "{value}");
        }
        assert_eq!(interpolate_with("$A$B", &known).bare, ["B"]);
    }
}
