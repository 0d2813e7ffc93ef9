//! Paths, as the files of a build context and the commands of an install write them.

/// `path` as seen from `folder`, without `.` and with `..` only in front; `.` for the folder that the paths count from.
pub fn join(folder: &str, path: &str) -> String {
    let absolute = path.starts_with('/') || folder.starts_with('/');
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// The folder that holds `path`.
pub fn parent(path: &str) -> String {
    join(path, "..")
}

/// `path` as seen from `folder`, without `.` and `..`; `None` if it leads out of where both count from.
pub fn join_within(folder: &str, path: &str) -> Option<String> {
    let joined = join(folder, path);
    (joined != ".." && !joined.starts_with("../")).then_some(joined)
}

/// The folder of `path`; `.` if it has none.
pub fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }
}

/// Whether a repository, source or address is a place of the file system.
pub fn is_local(address: &str) -> bool {
    address.starts_with(['/', '.', '~']) || address.starts_with("file:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_leaving_the_root() {
        assert_eq!(join_within(".", "./a/../b").as_deref(), Some("b"));
        assert_eq!(join_within("a", "..").as_deref(), Some("."));
        assert_eq!(join_within("a", "../../b"), None);
        assert_eq!(join_within("a", "../../a"), None);
        assert_eq!(join_within("a", "/b/./c").as_deref(), Some("/b/c"));
        assert_eq!((folder("a/b"), folder("a"), folder("/a")), ("a", ".", "/"));
    }
}
