//! Paths: what pip takes for one, what it takes for an archive, and their parts.

/// On Linux: `C:\x` is no path.
pub fn looks_like_path(text: &str) -> bool {
    text.contains('/') || text.starts_with('.')
}

/// Parts `[…]` off the end.
pub fn split_extras(text: &str) -> (&str, Option<&str>) {
    let path = text.trim_end_matches('/');
    let Some(inner) = path.strip_suffix(']') else { return (text, None) };
    let open = inner.rfind('[').filter(|&open| open + 1 < inner.len() && !inner[open..].contains(']'));
    open.map_or((text, None), |open| (&path[..open], Some(&path[open..])))
}

/// The last part of a path once `.`, `..` and needless slashes are resolved; empty for the directory it starts from.
pub fn last_component(path: &str) -> &str {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.pop().unwrap_or_default()
}

/// Whether pip knows the file as an archive by the end of its name.
pub fn is_archive(file: &str) -> bool {
    ARCHIVES.contains(&&*extension(file).to_ascii_lowercase())
}

/// From the last dot on, or from `.tar` in front of it. Dots at the start of a name do not count.
pub fn extension(file: &str) -> &str {
    let stem = file.trim_start_matches('.');
    let hidden = file.len() - stem.len();
    let Some(dot) = stem.rfind('.') else { return "" };
    let at = hidden + dot;
    let before = &file.as_bytes()[..at];
    let tar = before.len() >= 4 && before[before.len() - 4..].eq_ignore_ascii_case(b".tar");
    &file[if tar { at - 4 } else { at }..]
}

/// Ends of file names by which pip knows an archive, in lower case.
const ARCHIVES: &[&str] =
    &[".zip", ".whl", ".tar.bz2", ".tbz", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"];
