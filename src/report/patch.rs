//! `--format patch`: for `git apply`, `git apply -R` and `patch -p1`.

use super::{FileReport, hunks};
use crate::engine::Outcome;

/// One file's patch; empty if it is unchanged.
pub fn file(report: &FileReport) -> String {
    let Outcome { before, after, .. } = &report.outcome;
    if report.is_new { creation(&report.relative, after) } else { patch(&report.relative, before, after) }
}

/// The patch that makes a file.
pub fn creation(path: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let (old, new) = (quoted("a/", path), quoted("b/", path));
    let tab = if path.contains(' ') { "\t" } else { "" };
    format!("diff --git {old} {new}\nnew file mode 100644\n--- /dev/null\n+++ {new}{tab}\n{}", hunks("", text))
}

/// The patch that turns `before` into `after`.
pub fn patch(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (old, new) = (quoted("a/", path), quoted("b/", path));
    // git ends a name with a tab where it holds a space, so that `patch` does not take what follows for a date.
    let tab = if path.contains(' ') { "\t" } else { "" };
    format!("diff --git {old} {new}\n--- {old}{tab}\n+++ {new}{tab}\n{}", hunks(before, after))
}

/// A name as git writes it: in quotes, with octal escapes, if it holds anything unusual.
fn quoted(prefix: &str, path: &str) -> String {
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    if path.bytes().all(plain) {
        return format!("{prefix}{path}");
    }
    let mut out = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            byte if plain(byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_names_are_quoted_as_git_does() {
        assert_eq!(quoted("a/", "x/Dockerfile"), "a/x/Dockerfile");
        assert_eq!(quoted("a/", "é\"/D"), "\"a/\\303\\251\\\"/D\"");
        assert!(patch("a b", "x\n", "y\n").contains("--- a/a b\t\n"));
    }

    #[test]
    fn a_missing_final_newline_and_a_lone_carriage_return_are_kept() {
        let diff = patch("D", "a\rb\nc", "a\rb\nd");
        assert!(diff.contains(" a\rb\n-c\n\\ No newline at end of file\n+d\n"), "{diff:?}");
    }
}
