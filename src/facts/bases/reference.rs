//! The parts of an image reference, with the spellings of one image brought together.

/// `[host/]path[:tag][@digest]`, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageReference<'a> {
    /// Without registry for Docker Hub (`python`, `nvidia/cuda`), with it for others (`quay.io/centos/centos`).
    pub repository: &'a str,
    pub tag: Option<&'a str>,
    /// `sha256:…`
    pub digest: Option<&'a str>,
}

impl<'a> ImageReference<'a> {
    /// The tag that is pulled: `latest` where none is written, unless a digest says which image it is.
    pub fn effective_tag(&self) -> Option<&'a str> {
        self.tag.or(if self.digest.is_none() { Some("latest") } else { None })
    }
}

/// Takes a reference apart and normalises the repository: the hosts of Docker Hub, the public mirrors of its official
/// images and the architecture organisations (`arm64v8/python`) are dropped. What stands in `${…}` is never split.
///
/// Source: distribution/reference `normalize.go`; docker-library/official-images `README.md` (architectures).
pub fn split_reference(reference: &str) -> ImageReference<'_> {
    let reference = reference.trim();
    let (rest, digest) = match last_outside_braces(reference, '@') {
        Some(at) => (&reference[..at], Some(&reference[at + 1..])),
        None => (reference, None),
    };
    let path_end = last_outside_braces(rest, '/').map_or(0, |slash| slash + 1);
    let (name, tag) = match last_outside_braces(&rest[path_end..], ':') {
        Some(colon) => (&rest[..path_end + colon], Some(&rest[path_end + colon + 1..])),
        None => (rest, None),
    };
    ImageReference { repository: normalise(name), tag: tag.filter(|tag| !tag.is_empty()), digest }
}

const DOCKER_HUB: &[&str] = &["docker.io/", "index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/"];

/// Mirrors that hold official images under a path of their own.
const MIRRORS_OF_OFFICIAL: &[&str] = &["public.ecr.aws/docker/library/", "mirror.gcr.io/library/"];

/// Organisations that hold the official images of one Linux architecture.
const ARCHITECTURES: &[&str] =
    &["amd64", "arm32v5", "arm32v6", "arm32v7", "arm64v8", "i386", "mips64le", "ppc64le", "riscv64", "s390x"];

fn normalise(name: &str) -> &str {
    if let Some(official) = strip_any(name, MIRRORS_OF_OFFICIAL).filter(|rest| !rest.contains('/')) {
        return official;
    }
    let name = strip_any(name, DOCKER_HUB).unwrap_or(name);
    match name.split_once('/') {
        Some((first, rest)) if !rest.contains('/') && (first == "library" || ARCHITECTURES.contains(&first)) => rest,
        _ => name,
    }
}

fn strip_any<'a>(name: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    prefixes.iter().find_map(|prefix| name.strip_prefix(prefix))
}

/// The byte offset of the last `wanted` that is not within `${…}`.
fn last_outside_braces(text: &str, wanted: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut found = None;
    for (at, ch) in text.char_indices() {
        match ch {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if ch == wanted && depth == 0 => found = Some(at),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(reference: &str) -> (&str, Option<&str>, Option<&str>) {
        let parts = split_reference(reference);
        (parts.repository, parts.tag, parts.digest)
    }

    #[test]
    fn a_tag_and_a_digest_are_taken_off() {
        assert_eq!(split("python"), ("python", None, None));
        assert_eq!(split("python:3.12-slim"), ("python", Some("3.12-slim"), None));
        assert_eq!(split("python@sha256:ab"), ("python", None, Some("sha256:ab")));
        assert_eq!(split("python:3@sha256:ab"), ("python", Some("3"), Some("sha256:ab")));
        assert_eq!(split("python:"), ("python", None, None));
    }

    #[test]
    fn a_port_is_not_a_tag() {
        assert_eq!(split("host:5000/a/b"), ("host:5000/a/b", None, None));
        assert_eq!(split("host:5000/a/b:tag@sha256:ab"), ("host:5000/a/b", Some("tag"), Some("sha256:ab")));
        assert_eq!(split("localhost:5000/python:3"), ("localhost:5000/python", Some("3"), None));
    }

    #[test]
    fn the_spellings_of_docker_hub_are_dropped() {
        for host in ["docker.io/library/", "index.docker.io/library/", "library/", "docker.io/"] {
            assert_eq!(split(&format!("{host}node:20")), ("node", Some("20"), None), "{host}");
        }
        assert_eq!(split("docker.io/nvidia/cuda").0, "nvidia/cuda");
    }

    #[test]
    fn mirrors_of_official_images_are_dropped() {
        assert_eq!(split("public.ecr.aws/docker/library/python:3").0, "python");
        assert_eq!(split("mirror.gcr.io/library/python:3").0, "python");
        assert_eq!(split("public.ecr.aws/lambda/python:3.12").0, "public.ecr.aws/lambda/python");
    }

    #[test]
    fn architecture_organisations_of_linux_are_dropped() {
        assert_eq!(split("arm64v8/python:3").0, "python");
        assert_eq!(split("docker.io/amd64/debian").0, "debian");
        assert_eq!(split("winamd64/python:3").0, "winamd64/python");
    }

    #[test]
    fn other_registries_and_organisations_keep_their_names() {
        assert_eq!(split("mcr.microsoft.com/dotnet/sdk:8.0").0, "mcr.microsoft.com/dotnet/sdk");
        assert_eq!(split("ghcr.io/library/python").0, "ghcr.io/library/python");
        assert_eq!(split("amd64/team/python").0, "amd64/team/python");
    }

    #[test]
    fn what_stands_in_braces_is_not_split() {
        assert_eq!(split("python:${V:-3.12}"), ("python", Some("${V:-3.12}"), None));
        assert_eq!(split("${R:-docker.io/library}/python:3"), ("${R:-docker.io/library}/python", Some("3"), None));
        assert_eq!(split("${IMAGE:-python:3}"), ("${IMAGE:-python:3}", None, None));
    }

    #[test]
    fn the_tag_is_latest_only_without_a_digest() {
        assert_eq!(split_reference("python").effective_tag(), Some("latest"));
        assert_eq!(split_reference("python@sha256:ab").effective_tag(), None);
    }
}
