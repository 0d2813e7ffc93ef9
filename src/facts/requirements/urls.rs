//! URLs: which ones pip knows, which ones lead off the disk, and their parts.

/// The scheme in front of a URL, in lower case.
pub fn scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.trim_start_matches(|ch| ch <= ' ').split_once(':')?;
    let letters = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    (letters && scheme.starts_with(|ch: char| ch.is_ascii_alphabetic())).then(|| scheme.to_ascii_lowercase())
}

/// The scheme, if pip knows a URL by it: of a download, or of a version control system and how to reach it.
pub fn known_scheme(text: &str) -> Option<String> {
    scheme(text).filter(|scheme| match scheme.split_once('+') {
        None => matches!(&**scheme, "file" | "ftp" | "http" | "https"),
        Some(("bzr", over)) => matches!(over, "file" | "ftp" | "http" | "https" | "lp" | "sftp" | "ssh"),
        Some(("git", over)) => matches!(over, "file" | "git" | "http" | "https" | "ssh"),
        Some(("hg", over)) => matches!(over, "file" | "http" | "https" | "ssh" | "static-http"),
        Some(("svn", over)) => matches!(over, "file" | "http" | "https" | "ssh" | "svn"),
        Some(_) => false,
    })
}

/// Whether it has a scheme, and not one of the disk. `git:` and the like pip takes for `git+git:` behind `-e`.
pub fn is_remote(target: &str) -> bool {
    scheme(target).is_some_and(|scheme| {
        let fetched = known_scheme(target).is_some() || matches!(&*scheme, "git" | "ssh" | "hg" | "svn" | "bzr");
        fetched && scheme.rsplit('+').next() != Some("file")
    })
}

/// Host, path, and the rest of a URL (or of a path, which has no host).
pub fn split_url(url: &str) -> (&str, &str) {
    let rest = match scheme(url) {
        Some(_) => url.split_once(':').map_or(url, |(_, rest)| rest),
        None => url,
    };
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    (host, path.split(['?', '#']).next().unwrap_or(path))
}

/// Refuses what Python and pip do: brackets in a host unless around an IPv6 address, and files of another host.
pub fn check_host(url: &str) -> Result<(), String> {
    let host = split_url(url).0;
    let mut fits = true;
    if host.contains(['[', ']']) {
        let address = host.rsplit('@').next().and_then(|host| host.strip_prefix('[')?.split_once(']'));
        fits = address.is_some_and(|(address, port)| {
            address.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || port.starts_with(':'))
        });
    }
    if scheme(url).as_deref() == Some("file") {
        fits &= url.starts_with("file:") && matches!(host, "" | "localhost");
    }
    if fits { Ok(()) } else { Err(format!("`{url}` is not a URL that pip can read")) }
}
