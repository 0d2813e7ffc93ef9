//! One requirement with what stands around it: whether it is a name, a path or a URL, and its marker and options.
//!
//! Source: pypa/pip `src/pip/_internal/req/constructors.py`.

use super::grammar::Cursor;
use super::names::{normalised, project_of, project_of_wheel};
use super::options::{Given, OF_A_REQUIREMENT};
use super::paths::{extension, is_archive, last_component, looks_like_path, split_extras};
use super::python::{is_space, unquoted};
use super::urls::{check_host, known_scheme};
use super::{Entry, Requirement};

/// What a requirement asks for, with the options behind it; or why pip refuses it.
pub fn requirement(text: &str, options: &[Given]) -> Result<Entry, String> {
    // In a URL the `;` may stand for itself.
    let url_scheme = known_scheme(text);
    let separator = if url_scheme.is_some() { "; " } else { ";" };
    let (text, marker) = match text.split_once(separator) {
        Some((text, marker)) => (text, Some(marker.trim_matches(is_space)).filter(|marker| !marker.is_empty())),
        None => (text, None),
    };
    if let Some(marker) = marker {
        let mut cursor = Cursor::new(marker);
        cursor.marker(0)?;
        cursor.end()?;
    }
    let text = text.trim_matches(is_space);
    check_host(text)?;
    if let Some(scheme) = url_scheme {
        let name = project_of(text)?;
        let url = text.to_owned();
        return Ok(if scheme == "file" { Entry::Local(url) } else { Entry::Remote { name, url } });
    }

    let (path, extras) = split_extras(text);
    let path_extras = extras.map(|extras| Ok::<_, String>(Cursor::named(&format!("x{extras}"))?.extras)).transpose()?;
    let file = last_component(path);
    // `name@file.zip` is a requirement with a URL, which a later step may refuse.
    let has_url = text.split_once('@').is_some_and(|(name, _)| !looks_like_path(name));
    if is_archive(file) && !has_url {
        if extension(file) == ".whl" {
            project_of_wheel(&unquoted(file))?;
        }
        return Ok(Entry::Local(path.to_owned()));
    }

    // `htps://x` would be a directory, if there were such a one.
    let is_odd_url = text.contains("://") && !text.starts_with(['.', '/']);
    let named = match Cursor::named(text) {
        Ok(named) => named,
        Err(_) if looks_like_path(text) && !is_odd_url => return Ok(Entry::Local(path.to_owned())),
        Err(why) => return Err(why),
    };
    let name = normalised(named.name);
    if let Some(url) = named.url {
        check_host(url)?;
        return match known_scheme(url).as_deref() {
            Some("file") => Ok(Entry::Local(url.to_owned())),
            Some(_) => Ok(Entry::Remote { name: Some(name), url: url.to_owned() }),
            None => Err(format!("`{url}` is not a URL that pip can fetch")),
        };
    }
    let mut extras: Vec<String> = path_extras.unwrap_or(named.extras).iter().map(|extra| normalised(extra)).collect();
    extras.sort_unstable();
    extras.dedup();
    let of_it = options.iter().filter(|option| OF_A_REQUIREMENT.contains(&option.name));
    let (hashes, others): (Vec<_>, Vec<_>) = of_it.partition(|option| option.name == "--hash");
    let written = |option: &Given| format!("{}={}", option.name, option.value.as_deref().unwrap_or_default());
    Ok(Entry::Requirement(Requirement {
        name,
        extras,
        specifier: named.clauses.join(","),
        marker: marker.map(str::to_owned),
        hashes: hashes.len(),
        other_options: others.into_iter().map(written).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::Entry;
    use super::super::tests::{named, one, refused, remote};

    #[test]
    fn names_and_extras_are_normalised_and_markers_kept() {
        let found = named("Zope._Interface[B_c, a ,a] >=5, <6 ; os_name=='x' and ('a' not in sys_platform)");
        assert_eq!((&*found.name, found.extras), ("zope-interface", vec!["a".to_owned(), "b-c".to_owned()]));
        assert_eq!(found.specifier, ">=5,<6");
        assert_eq!(found.marker.as_deref(), Some("os_name=='x' and ('a' not in sys_platform)"));
    }

    #[test]
    fn paths_and_archives_are_local() {
        for text in [".", "..", "./x", "../x", "/x", "x/y", "x.tar.gz", "a-1.0-py3-none-any.whl", "file:x"] {
            assert_eq!(one(text), Entry::Local(text.to_owned()), "{text}");
        }
        assert_eq!(one("./x[extra]; os_name=='x'"), Entry::Local("./x".to_owned()));
        assert_eq!(one("name @ file:///x"), Entry::Local("file:///x".to_owned()));
        assert!(refused("x.whl"), "it lacks the version and the tags");
    }

    #[test]
    fn urls_tell_a_name_in_front_behind_or_in_a_wheel() {
        assert_eq!(one("a@https://x/y.zip"), remote(Some("a"), "https://x/y.zip"));
        assert_eq!(one("A_b @ git+https://x@v1 ; os_name=='x'"), remote(Some("a-b"), "git+https://x@v1"));
        assert_eq!(one("git+ssh://git@x/y.git"), remote(None, "git+ssh://git@x/y.git"));
        assert_eq!(one("https://x/A-1-py3-none-any.whl"), remote(Some("a"), "https://x/A-1-py3-none-any.whl"));
        assert_eq!(one("https://x/a;b"), remote(None, "https://x/a;b"));
    }
}
