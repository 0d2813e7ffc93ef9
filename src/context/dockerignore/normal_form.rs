//! What BuildKit does to a line before it reads it as a pattern: trimming and Go's `filepath.Clean`, both twice.

/// A line as the matcher gets it: trimmed, cleaned, without its leading slash, and `!` before it if it is an
/// exception. None if nothing is left of it.
///
/// It is trimmed and cleaned twice because BuildKit does so, in the reader and in the matcher, and the second time the
/// `!` counts as part of the first name: `/!a` is an exception, `!../../a` is none.
pub fn normal_form(line: &str) -> Option<String> {
    let line = line.trim();
    let (mark, rest) = match line.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", line),
    };
    let rest = if rest.is_empty() { String::new() } else { clean(rest) };
    let relative = if rest == "/" { "/" } else { rest.strip_prefix('/').unwrap_or(&rest) };
    let marked = format!("{mark}{relative}");
    let marked = marked.trim();
    (!marked.is_empty()).then(|| clean(marked))
}

/// The shortest path of the same meaning, as Go's `filepath.Clean` has it.
fn clean(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut kept: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => _ = kept.pop(),
            ".." if !root.is_empty() => {}
            _ => kept.push(name),
        }
    }
    let cleaned = format!("{root}{}", kept.join("/"));
    if cleaned.is_empty() { ".".to_owned() } else { cleaned }
}
