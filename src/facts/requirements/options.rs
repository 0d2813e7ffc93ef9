//! The options on a line, read as Python's `optparse` reads them for pip.
//!
//! Source: pypa/pip `src/pip/_internal/req/req_file.py`.

/// Options that mean something behind a requirement only.
pub const OF_A_REQUIREMENT: &[&str] = &["--hash", "--global-option", "--config-settings"];

/// An option that stands on a line.
pub struct Given {
    /// The full spelling, with the dashes.
    pub name: &'static str,
    /// `None` for a switch.
    pub value: Option<String>,
}

/// Options as Python's `optparse` reads them. Words that are none are passed over, as is all behind `--`.
pub fn read_options(words: Vec<String>) -> Result<Vec<Given>, String> {
    let mut found = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let (name, takes_value, glued) = if word.starts_with("--") {
            let (spelling, glued) = match word.split_once('=') {
                Some((spelling, value)) => (spelling, Some(value.to_owned())),
                None => (&*word, None),
            };
            let (name, takes_value) = long_option(spelling)?;
            (name, takes_value, glued)
        } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
            let mut rest = short.chars();
            let name = rest.next().and_then(short_option).ok_or_else(|| format!("no such option: {word}"))?;
            (name, true, Some(rest.as_str().to_owned()).filter(|rest| !rest.is_empty()))
        } else {
            continue;
        };
        let value = match (takes_value, glued) {
            (true, glued) => {
                let value = glued.or_else(|| words.next()).ok_or_else(|| format!("{name} requires a value"))?;
                check_value(name, &value)?;
                Some(value)
            }
            (false, None) => None,
            (false, Some(_)) => return Err(format!("{name} does not take a value")),
        };
        found.push(Given { name, value });
    }
    Ok(found)
}

/// Spelling, what it stands for, and whether it takes a value.
const OPTIONS: &[(&str, &str, bool)] = &[
    ("--config-settings", "--config-settings", true),
    ("--constraint", "--constraint", true),
    ("--editable", "--editable", true),
    ("--extra-index-url", "--extra-index-url", true),
    ("--find-links", "--find-links", true),
    ("--global-option", "--global-option", true),
    ("--hash", "--hash", true),
    ("--index-url", "--index-url", true),
    ("--no-binary", "--no-binary", true),
    ("--no-index", "--no-index", false),
    ("--only-binary", "--only-binary", true),
    ("--pre", "--pre", false),
    ("--prefer-binary", "--prefer-binary", false),
    ("--pypi-url", "--index-url", true),
    ("--require-hashes", "--require-hashes", false),
    ("--requirement", "--requirement", true),
    ("--trusted-host", "--trusted-host", true),
    ("--use-feature", "--use-feature", true),
];

/// An option by its full spelling, or by a start of it that no other has.
fn long_option(spelling: &str) -> Result<(&'static str, bool), String> {
    if let Some(&(_, name, takes_value)) = OPTIONS.iter().find(|option| option.0 == spelling) {
        return Ok((name, takes_value));
    }
    let mut possible = OPTIONS.iter().filter(|option| option.0.starts_with(spelling));
    match (possible.next(), possible.next()) {
        (Some(&(_, name, takes_value)), None) => Ok((name, takes_value)),
        (None, _) => Err(format!("no such option: {spelling}")),
        _ => Err(format!("ambiguous option: {spelling}")),
    }
}

/// All of them take a value.
fn short_option(letter: char) -> Option<&'static str> {
    Some(match letter {
        'C' => "--config-settings",
        'c' => "--constraint",
        'e' => "--editable",
        'f' => "--find-links",
        'i' => "--index-url",
        'r' => "--requirement",
        _ => return None,
    })
}

fn check_value(name: &str, value: &str) -> Result<(), String> {
    let fits = match name {
        "--hash" => matches!(value.split_once(':'), Some(("sha256" | "sha384" | "sha512", _))),
        "--config-settings" => value.contains('='),
        "--no-binary" | "--only-binary" => !value.starts_with('-'),
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("{name} does not take `{value}`")) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{named, one, option};
    use super::super::{Entry, read};

    #[test]
    fn options_have_short_glued_and_shortened_spellings() {
        for text in ["-r x", "-rx", "--requirement x", "--requirement=x", "--requirem x", "-r 'x'", "-r x stray"] {
            assert_eq!(one(text), Entry::Include("x".to_owned()), "{text}");
        }
        assert_eq!(one("-r=x"), Entry::Include("=x".to_owned()));
        assert_eq!(one("--const c.txt"), Entry::Constraint("c.txt".to_owned()));
        assert_eq!(one("--pypi-url u"), option("--index-url", Some("u")));
        assert_eq!(one("-e .[dev]"), Entry::Editable(".[dev]".to_owned()));
    }

    #[test]
    fn several_options_on_a_line_are_several_entries() {
        let lines = read("--pre -i https://x --no-binary :all:");
        let entries: Vec<Entry> = lines.into_iter().map(|line| line.entry).collect();
        let index = option("--index-url", Some("https://x"));
        assert_eq!(entries, [option("--pre", None), index, option("--no-binary", Some(":all:"))]);
    }

    #[test]
    fn what_pip_ignores_on_a_line_is_left_out() {
        assert_eq!(one("-c c.txt -r a.txt -r b.txt --pre"), Entry::Include("a.txt".to_owned()));
        assert_eq!(named("a --pre -r b.txt").other_options, [] as [&str; 0]);
        assert_eq!(read("--hash=sha256:aa"), []);
    }

    #[test]
    fn options_of_a_requirement_stay_with_it() {
        let found = named("a==1 --global-option=-q -C 'k=v w'");
        assert_eq!(found.other_options, ["--global-option=-q", "--config-settings=k=v w"]);
    }
}
