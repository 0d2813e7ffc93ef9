//! Image names in one spelling, and paths below the root of a project.

use crate::facts::bases::split_reference;
use crate::facts::interpolation::interpolate;

/// An image name in one spelling: without Docker Hub's own host, with the tag that is meant. Variables stand at their defaults.
pub fn canonical(reference: &str) -> String {
    let plain = interpolate(reference).text;
    let split = split_reference(&plain);
    match (split.tag, split.digest) {
        (_, Some(digest)) => format!("{}@{digest}", split.repository),
        (tag, None) => format!("{}:{}", split.repository, tag.unwrap_or("latest")),
    }
}

/// The folder that holds a file.
pub fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned()
}

/// `path` as written in a file of `folder`, relative to what `folder` is relative to; none if it leads out of that, is absolute or no
/// path.
pub fn inside(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/')
        || path.starts_with('~')
        || path.contains("://")
        || path.starts_with("git@")
        || path.contains("${{")
        || folder.contains("${{")
    {
        return None;
    }
    // Outside of a repository the folder is called as on the command line: `/srv/app`, `../app`.
    let top = if folder.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match parts.last() {
            Some(last) if part == ".." && *last != ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match part {
            ".." => drop(parts.pop().filter(|last| *last != "..")?),
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() && top.is_empty() { ".".to_owned() } else { format!("{top}{}", parts.join("/")) })
}

/// Whether Compose loads a file without being told.
pub fn is_default_compose(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, _) = name.rsplit_once('.').unwrap_or((name, ""));
    matches!(stem, "compose" | "docker-compose" | "compose.override" | "docker-compose.override")
}

/// Whether Compose loads a file on top of another without being told.
pub fn is_override(path: &str) -> bool {
    is_default_compose(path) && path.contains(".override.")
}

/// The folder that a workflow checks out: the one that `.github` stands in.
pub fn checkout(path: &str) -> String {
    match path.find(".github/workflows/") {
        Some(at) if path[..at].ends_with('/') => path[..at - 1].to_owned(),
        _ => ".".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_root() {
        assert_eq!(inside("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(inside(".", ".").as_deref(), Some("."));
        assert_eq!(inside("a", "../.."), None);
        assert_eq!(inside("a", "https://github.com/x/y.git"), None);
        assert_eq!(inside("a/${{ matrix.b }}", "c"), None);
        assert_eq!(inside("/srv/a", "../b").as_deref(), Some("/srv/b"));
        assert_eq!(inside("../a", "./b").as_deref(), Some("../a/b"));
        assert_eq!(inside("../a", "../../b"), None);
    }
}
