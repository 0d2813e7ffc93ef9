//! Names of packages: normalised as PEP 503 says, and found in URLs and in the file names of wheels.

use super::grammar::Cursor;
use super::paths::extension;
use super::python::{is_space, unquoted};
use super::urls::{scheme, split_url};

/// Normalises the name of a package or of an extra as PEP 503 says.
pub fn normalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for ch in name.chars() {
        match ch {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            _ => out.push(ch.to_ascii_lowercase()),
        }
    }
    out
}

/// The name of the package behind a URL, if the URL tells.
pub fn project_of(url: &str) -> Result<Option<String>, String> {
    let path = unquoted(split_url(url).1);
    let path = path.trim_end_matches('/');
    let file = path.rsplit('/').next().unwrap_or(path);
    if extension(file) == ".whl" {
        return project_of_wheel(&unquoted(file)).map(Some);
    }
    // pip makes such a URL absolute, and the fragment gets lost on the way.
    if url.contains("../") && scheme(url).as_deref() == Some("file") {
        return Ok(None);
    }
    let Some(at) = url.match_indices("egg=").map(|(at, _)| at).find(|&at| url[..at].ends_with(['#', '&'])) else {
        return Ok(None);
    };
    let egg = &url[at + "egg=".len()..];
    let egg = egg.split('&').next().unwrap_or(egg);
    Ok(Some(normalised(Cursor::named(egg)?.name)))
}

/// The name of the package in a wheel: `name-version[-build]-python-abi-platform.whl`.
pub fn project_of_wheel(file: &str) -> Result<String, String> {
    let refused = || format!("`{file}` is not the name of a wheel");
    let parts: Vec<&str> = file.strip_suffix(".whl").ok_or_else(refused)?.split('-').collect();
    let (name, version, build, tags) = match *parts.as_slice() {
        [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
        [name, version, build, python, abi, platform] => (name, version, Some(build), [python, abi, platform]),
        _ => return Err(refused()),
    };
    let build_fits = build.is_none_or(|build| build.starts_with(|ch: char| ch.is_ascii_digit()));
    let filled = !name.is_empty() && tags.iter().all(|tag| !tag.is_empty() && !tag.contains(is_space));
    if !build_fits || !filled || name.contains(is_space) || version.contains(is_space) {
        return Err(refused());
    }
    let pinned = format!("{}=={}", name.replace('_', "-"), version.replace('_', "-"));
    Ok(normalised(Cursor::named(&pinned)?.name))
}
