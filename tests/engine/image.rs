//! The same image: the part of docs/same-image.md that the projects in `tests/builds` need.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};

/// How far the comparison passes over a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PassOver {
    /// What it holds, not that it is there, its kind, mode and owner.
    Content,
    /// All of it.
    Path,
    /// All of it and all that lies in it.
    Tree,
}

fn passed_over(path: &str) -> Option<PassOver> {
    let at = |&&(known, how): &&(&str, PassOver)| match path.strip_prefix(known) {
        Some(rest) => rest.is_empty() || how == PassOver::Tree && rest.starts_with('/'),
        None => false,
    };
    PASSED_OVER.iter().find(at).map(|(_, how)| *how)
}

/// What is passed over, measured by building each project twice as it is. Times of files are never compared, and `*.pyc`
/// without the time of their source.
const PASSED_OVER: &[(&str, PassOver)] = &[
    // When each step ran, and the command line.
    ("var/log/apt/history.log", PassOver::Content),
    ("var/log/apt/term.log", PassOver::Content),
    ("var/log/dpkg.log", PassOver::Content),
    ("var/log/alternatives.log", PassOver::Content),
    // Inode numbers and times of the libraries.
    ("var/cache/ldconfig/aux-cache", PassOver::Content),
    // apt makes these in its archive directory, which the change moves into a mount; both are empty.
    ("var/cache/apt/archives/lock", PassOver::Path),
    ("var/cache/apt/archives/partial", PassOver::Path),
    // Caches of package managers, which the change moves into a mount.
    ("root/.npm", PassOver::Tree),
    ("home/node/.npm", PassOver::Tree),
    ("root/.cache/uv", PassOver::Tree),
    ("root/.composer/cache", PassOver::Tree),
];

/// The bytecode of a module of the interpreter, which is there if some run of pip imported the module: one that reads its cache imports
/// others.
fn is_interpreter_bytecode(path: &str) -> bool {
    path.starts_with("usr/local/lib/python") && !path.contains("/site-packages/") && path.ends_with(".pyc")
}

/// Sentences about the paths that aren't the same, sorted by path.
pub fn differences(before: &BTreeMap<String, Entry>, after: &BTreeMap<String, Entry>) -> Vec<String> {
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter_map(|path| {
            let passed_over = passed_over(path);
            match (before.get(path), after.get(path)) {
                _ if matches!(passed_over, Some(PassOver::Path | PassOver::Tree)) => None,
                (None, Some(_)) | (Some(_), None) if is_interpreter_bytecode(path) => None,
                (Some(old), Some(new)) if old == new => None,
                (Some(old), Some(new)) if passed_over == Some(PassOver::Content) && old.same_but_content(new) => None,
                (Some(old), Some(new)) => Some(format!("/{path}: {old} became {new}")),
                (Some(old), None) => Some(format!("/{path}: gone ({old})")),
                (None, Some(new)) => Some(format!("/{path}: new ({new})")),
                (None, None) => None,
            }
        })
        .collect()
}

/// One path of an image.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The tar type flag: `0` file, `1` hard link, `2` symbolic link, `5` directory.
    kind: char,
    mode: u64,
    pub uid: u64,
    pub gid: u64,
    size: u64,
    link: String,
    xattrs: BTreeMap<String, String>,
    /// Of the content; for `*.pyc` with the source's time set to zero. Nobody forges these files, so that the standard
    /// library's hash will do: it is fast in a debug build as well, which a SHA-256 over 200 MB per image isn't.
    digest: u64,
}

impl Entry {
    fn same_but_content(&self, other: &Entry) -> bool {
        Entry { size: other.size, digest: other.digest, ..self.clone() } == *other
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {} mode {:o} owner {}:{} size {}", self.kind, self.mode, self.uid, self.gid, self.size)?;
        if !self.link.is_empty() {
            write!(f, " -> {}", self.link)?;
        }
        if !self.xattrs.is_empty() {
            write!(f, " {:?}", self.xattrs)?;
        }
        write!(f, " content {:016x}", self.digest)
    }
}

/// The entries of a tar stream by path: ustar, with the extended headers of POSIX (`x`) and the long names of GNU (`L`, `K`).
///
/// # Errors
///
/// Whatever reading the stream gives, and an early end.
pub fn read_tar(mut stream: impl Read) -> io::Result<BTreeMap<String, Entry>> {
    const BLOCK: usize = 512;
    let mut tree = BTreeMap::new();
    // What an extension says about the entry after it.
    let mut extended: BTreeMap<String, String> = BTreeMap::new();
    let mut header = [0; BLOCK];
    loop {
        stream.read_exact(&mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            io::copy(&mut stream, &mut io::sink())?;
            return Ok(tree);
        }
        let [uid, gid, size] = [("uid", 108..116), ("gid", 116..124), ("size", 124..136)].map(|(key, field)| {
            let extension = extended.get(key).and_then(|value| value.parse().ok());
            extension.unwrap_or_else(|| number(&header[field]))
        });
        let mut content = vec![0; usize::try_from(size).expect("a size that fits in memory")];
        stream.read_exact(&mut content)?;
        let padding = content.len().next_multiple_of(BLOCK) - content.len();
        stream.read_exact(&mut vec![0; padding])?;

        match header[156] {
            b'x' => extended = pax_records(&content),
            b'L' => drop(extended.insert("path".to_owned(), text(&content))),
            b'K' => drop(extended.insert("linkpath".to_owned(), text(&content))),
            b'g' => {}
            flag => {
                let prefix = if header[257..263] == *b"ustar\0" { text(&header[345..500]) } else { String::new() };
                let short = text(&header[..100]);
                let path = extended.remove("path").unwrap_or_else(|| match prefix.is_empty() {
                    true => short,
                    false => format!("{prefix}/{short}"),
                });
                let path = path.trim_end_matches('/').to_owned();
                // Magic number, flags, time, size of the source: flags of zero say that the time is there.
                if path.ends_with(".pyc") && content.len() > 16 && content[4..8] == [0; 4] {
                    content[8..12].fill(0);
                }
                let mut hash = DefaultHasher::new();
                hash.write(&content);
                let entry = Entry {
                    kind: if flag == 0 { '0' } else { char::from(flag) },
                    mode: number(&header[100..108]) & 0o7777,
                    uid,
                    gid,
                    size,
                    link: extended.remove("linkpath").unwrap_or_else(|| text(&header[157..257])),
                    xattrs: extended
                        .iter()
                        .filter(|(key, _)| key.contains("xattr"))
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect(),
                    digest: hash.finish(),
                };
                tree.insert(path, entry);
                extended.clear();
            }
        }
    }
}

/// `LENGTH KEY=VALUE\n` records; LENGTH counts the whole record.
fn pax_records(mut content: &[u8]) -> BTreeMap<String, String> {
    let mut records = BTreeMap::new();
    while let Some(space) = content.iter().position(|byte| *byte == b' ') {
        let length = text(&content[..space]).parse().unwrap_or(content.len()).clamp(space + 2, content.len());
        let record = String::from_utf8_lossy(&content[space + 1..length - 1]);
        if let Some((key, value)) = record.split_once('=') {
            records.insert(key.to_owned(), value.to_owned());
        }
        content = &content[length..];
    }
    records
}

/// The field up to its first NUL.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// An octal field, or a binary one where its first bit is set.
fn number(field: &[u8]) -> u64 {
    if field[0] & 0x80 != 0 {
        return field[1..].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    u64::from_str_radix(text(field).trim(), 8).unwrap_or(0)
}
