//! Reading Gradle's build scripts. They are Groovy or Kotlin, so this only looks for text that shows a file being read, a program being
//! run, or another script being applied; a script can still hide one, which is why Gradle's installs are always for review.

use crate::facts::manifests::Files;

/// What in a build script reads files or runs programs while the build is set up, by the text that shows it. What only looks like it is
/// refused too.
const READS: &[&str] = &[
    "file(",
    "files(",
    "fileTree",
    "zipTree",
    "File(",
    "Files.",
    "FileInputStream",
    "fileContents",
    ".text",
    "readText",
    "readLines",
    "eachLine",
    "withInputStream",
    "inputStream",
    "load(",
    "flatDir",
    "includeBuild",
    "includeFlat",
    "projectDir",
    "rootDir",
    "buildFileName",
    "execute()",
    "exec {",
    "exec{",
    "commandLine",
    "ProcessBuilder",
    "providers.exec",
    "listFiles",
    "eachFile",
    "eachDir",
    "walk",
    "git.",
    "grgit",
    "gitVersion",
    "versionDetails",
    "apply(from",
    "evaluate(",
    "mavenLocal",
    "com.android",
    "axion-release",
    "reckon",
    "nebula.release",
    "jgitver",
    "nemerosa.versioning",
];

/// A build script without its comments.
///
/// # Errors
/// It may read files.
pub(super) fn read(path: &str, files: &dyn Files) -> Result<String, String> {
    let text = files.text(path).ok_or_else(|| format!("{path} can't be read"))?;
    let text = without_comments(&text);
    if let Some(found) = READS.iter().find(|found| text.contains(*found)) {
        return Err(format!("{path} may read files or run programs (`{}`)", found.trim()));
    }
    let applied = text.lines().find(|line| {
        line.split_once("from")
            .is_some_and(|(front, rest)| front.trim_end().ends_with("apply") && rest.trim_start().starts_with(':'))
    });
    if let Some(line) = applied {
        return Err(format!("{path} applies another script (`{}`)", line.trim()));
    }
    Ok(text)
}

/// Strings keep what looks like a comment in them. A slashy string of Groovy may lose its end; nothing in one reads a file.
fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(ch) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
            continue;
        }
        let length = if matches!(ch, '"' | '\'') { string_length(rest, ch) } else { ch.len_utf8() };
        kept.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    kept
}

/// The length of the string that `text` starts with, quotes included.
fn string_length(text: &str, quote: char) -> usize {
    let triple = quote.to_string().repeat(3);
    if let Some(body) = text.strip_prefix(triple.as_str()) {
        return body.find(&triple).map_or(text.len(), |end| end + 6);
    }
    let mut escaped = false;
    for (at, ch) in text.char_indices().skip(1) {
        match ch {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            ch if ch == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The projects that a settings file includes.
///
/// # Errors
/// They can't be told from the text.
pub(super) fn included(text: &str, path: &str) -> Result<Vec<String>, String> {
    let unread = || format!("the projects of {path} can't be told");
    let mut projects = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("include") {
        let word_start = !rest[..at].ends_with(|ch: char| ch.is_alphanumeric() || ch == '_' || ch == '.');
        rest = &rest[at + "include".len()..];
        let call = rest.starts_with(|ch: char| ch.is_whitespace() || matches!(ch, '(' | '"' | '\''));
        if !word_start || !call {
            // `includeGroup`, `include_x`.
            if word_start && !rest.starts_with(|ch: char| ch.is_alphanumeric() || ch == '_') {
                return Err(unread());
            }
            continue;
        }
        let mut list = rest.trim_start();
        list = list.strip_prefix('(').unwrap_or(list).trim_start();
        loop {
            let quote = list.chars().next().filter(|ch| matches!(ch, '"' | '\'')).ok_or_else(unread)?;
            let (name, behind) = list[1..].split_once(quote).ok_or_else(unread)?;
            if name.is_empty() || name.contains(['$', '/', '\\', '\n']) {
                return Err(unread());
            }
            projects.push(name.to_owned());
            list = behind.trim_start_matches([' ', '\t']);
            match list.strip_prefix(',') {
                Some(behind) => list = behind.trim_start(),
                None => break,
            }
            // A comma may stand at the end of a Kotlin list.
            if list.starts_with(')') {
                break;
            }
        }
        if !(list.is_empty() || list.starts_with([')', '\n', ';', '\r'])) {
            return Err(unread());
        }
        rest = list;
    }
    Ok(projects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_no_comments() {
        assert_eq!(without_comments("url 'https://x' // y\n/* a\n b */ c"), "url 'https://x' \n c");
        assert_eq!(without_comments("a '\\'//' \"\"\"//\n\"\"\" //"), "a '\\'//' \"\"\"//\n\"\"\" ");
    }
}
