//! A file system as a tar stream gives it, read without holding a file in memory: ustar, with the extended headers of POSIX (`x`) and
//! the long names of GNU (`L`, `K`).

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

const BLOCK: usize = 512;
/// Longest extended header that is read, in bytes: names and attributes are far shorter.
const LONGEST: u64 = 1 << 20;

/// What stands at each path, without a slash in front.
pub type Tree = BTreeMap<String, Entry>;

/// One path of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub mode: u64,
    pub uid: u64,
    pub gid: u64,
    /// In bytes.
    pub size: u64,
    /// Where a symbolic link leads to.
    pub link: String,
    /// Major and minor number of a device.
    pub device: (u64, u64),
    /// Extended attributes: file capabilities, say.
    pub attributes: BTreeMap<String, String>,
    /// SHA-256 of the content; of `*.pyc` with the time of their source set to zero.
    pub digest: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hard links are files: what they lead to is read as theirs.
    File,
    Link,
    Folder,
    Character,
    Block,
    Pipe,
    Other(char),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::File => "file",
            Kind::Link => "link",
            Kind::Folder => "folder",
            Kind::Character => "character device",
            Kind::Block => "block device",
            Kind::Pipe => "pipe",
            Kind::Other(flag) => return write!(f, "type {flag}"),
        })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mode {:o} owner {}:{}", self.kind, self.mode, self.uid, self.gid)?;
        if self.kind == Kind::File {
            write!(f, " {} bytes, sha256 {}", self.size, hexadecimal(&self.digest[..6]))?;
        }
        if !self.link.is_empty() {
            write!(f, " -> {}", self.link)?;
        }
        if self.device != (0, 0) {
            write!(f, " device {}:{}", self.device.0, self.device.1)?;
        }
        for (name, value) in &self.attributes {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// SHA-256 of a text.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The entries of a tar stream by path.
///
/// # Errors
/// Whatever reading the stream gives, an early end, and headers that are none.
pub fn read(mut stream: impl Read) -> io::Result<Tree> {
    let mut tree = Tree::new();
    // What an extension says about the entry behind it.
    let mut extended: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut header = [0; BLOCK];
    loop {
        stream.read_exact(&mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            io::copy(&mut stream, &mut io::sink())?;
            return Ok(tree);
        }
        let [uid, gid, size] = [("uid", 108..116), ("gid", 116..124), ("size", 124..136)].map(|(key, field)| {
            let extension = extended.get(key).and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
            extension.unwrap_or_else(|| number(&header[field]))
        });
        match header[156] {
            b'x' => extended = pax_records(&whole(&mut stream, size)?),
            b'L' => drop(extended.insert("path".to_owned(), until_nul(&whole(&mut stream, size)?).to_owned())),
            b'K' => drop(extended.insert("linkpath".to_owned(), until_nul(&whole(&mut stream, size)?).to_owned())),
            b'g' => drop(whole(&mut stream, size)?),
            flag => {
                let path = path(&header, &mut extended);
                let digest = content(&mut stream, size, path.ends_with(".pyc"))?;
                let link = extended.remove("linkpath").map_or_else(|| text(&header[157..257]), |link| text(&link));
                let attributes = extended.iter().filter_map(|(key, value)| {
                    let name = key.strip_prefix("SCHILY.xattr.").or_else(|| key.strip_prefix("LIBARCHIVE.xattr."))?;
                    Some((name.to_owned(), value.escape_ascii().to_string()))
                });
                let entry = Entry {
                    kind: match flag {
                        0 | b'0' | b'7' => Kind::File,
                        b'2' => Kind::Link,
                        b'3' => Kind::Character,
                        b'4' => Kind::Block,
                        b'5' => Kind::Folder,
                        b'6' => Kind::Pipe,
                        other => Kind::Other(char::from(other)),
                    },
                    mode: number(&header[100..108]) & 0o7777,
                    uid,
                    gid,
                    size,
                    link,
                    device: match flag {
                        b'3' | b'4' => (number(&header[329..337]), number(&header[337..345])),
                        _ => (0, 0),
                    },
                    attributes: attributes.collect(),
                    digest,
                };
                extended.clear();
                // A hard link stands behind what it leads to.
                let entry = match tree.get(entry.link.trim_start_matches("./").trim_start_matches('/')) {
                    Some(target) if flag == b'1' => target.clone(),
                    _ => entry,
                };
                if !path.is_empty() {
                    tree.insert(path, entry);
                }
            }
        }
    }
}

fn path(header: &[u8; BLOCK], extended: &mut BTreeMap<String, Vec<u8>>) -> String {
    let prefix = if header[257..263] == *b"ustar\0" { text(&header[345..500]) } else { String::new() };
    let short = text(&header[..100]);
    let path = match extended.remove("path") {
        Some(path) => text(&path),
        None if prefix.is_empty() => short,
        None => format!("{prefix}/{short}"),
    };
    let path = path.trim_end_matches('/').trim_start_matches("./").trim_start_matches('/');
    if path == "." { String::new() } else { path.to_owned() }
}

/// The content of an extended header.
fn whole(stream: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    if size > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("an extended header of {size} bytes")));
    }
    let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
    stream.read_exact(&mut content)?;
    skip_padding(stream, size)?;
    Ok(content)
}

/// The hash of a file's content; the stream then stands at the next header.
fn content(stream: &mut impl Read, size: u64, is_bytecode: bool) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut buffer = [0; 64 << 10];
    let mut rest = size;
    while rest > 0 {
        let length = usize::try_from(rest).unwrap_or(usize::MAX).min(buffer.len());
        let part = &mut buffer[..length];
        stream.read_exact(part)?;
        // Magic number, flags, time, size of the source: flags of zero say that the time is there.
        if is_bytecode && rest == size && part.len() > 16 && part[4..8] == [0; 4] {
            part[8..12].fill(0);
        }
        hash.update(&*part);
        rest -= length as u64;
    }
    skip_padding(stream, size)?;
    Ok(hash.finalize().into())
}

fn skip_padding(stream: &mut impl Read, size: u64) -> io::Result<()> {
    let beyond = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    let mut padding = [0; BLOCK];
    if beyond > 0 {
        stream.read_exact(&mut padding[beyond..])?;
    }
    Ok(())
}

/// `LENGTH KEY=VALUE\n` records; LENGTH counts the whole record.
fn pax_records(mut content: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut records = BTreeMap::new();
    while let Some(space) = content.iter().position(|byte| *byte == b' ') {
        let length = text(&content[..space]).parse::<usize>().unwrap_or(0);
        let Some(record) = content.get(space + 1..length.saturating_sub(1)) else { break };
        if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
            records.insert(text(&record[..equals]), record[equals + 1..].to_vec());
        }
        content = &content[length..];
    }
    records
}

fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// The field up to its first NUL; what is no UTF-8 is escaped, so that two names stay two.
fn text(field: &[u8]) -> String {
    let field = until_nul(field);
    std::str::from_utf8(field).map_or_else(|_| field.escape_ascii().to_string(), str::to_owned)
}

/// An octal field, or a binary one where its first bit is set.
fn number(field: &[u8]) -> u64 {
    if field[0] & 0x80 != 0 {
        let first = u64::from(field[0] & 0x7f);
        return field[1..].iter().fold(first, |value, byte| value << 8 | u64::from(*byte));
    }
    u64::from_str_radix(text(field).trim(), 8).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(path: &str, flag: u8, size: usize, link: &str) -> Vec<u8> {
        let mut header = vec![0; BLOCK];
        header[..path.len()].copy_from_slice(path.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[108..115].copy_from_slice(b"0001750");
        header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        header[156] = flag;
        header[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header[257..263].copy_from_slice(b"ustar\0");
        header
    }

    fn file(path: &str, flag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = block(path, flag, content.len(), "");
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    fn tree(parts: &[Vec<u8>]) -> Tree {
        let mut bytes = parts.concat();
        bytes.extend([0; 2 * BLOCK]);
        read(&bytes[..]).unwrap()
    }

    #[test]
    fn long_names_of_both_kinds_are_read() {
        let long = format!("{}/end", "folder".repeat(30));
        let record = |text: String| {
            let length = text.len() + 5;
            format!("{length} {text}\n")
        };
        let pax = record(format!("path=x/{long}"));
        let found = tree(&[
            file("short", b'L', format!("{long}\0").as_bytes()),
            file("cut", b'0', b"gnu"),
            file("PaxHeaders", b'x', pax.as_bytes()),
            file("cut", b'0', b"pax"),
            file("./plain", b'0', b""),
        ]);
        let paths: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(paths, [long.as_str(), "plain", &format!("x/{long}")]);
        assert_eq!(found[&long].digest, digest("gnu"));
        assert_eq!((found["plain"].uid, found["plain"].mode), (0o1750, 0o644));
    }

    #[test]
    fn a_hard_link_is_the_file_that_it_leads_to() {
        let found = tree(&[file("a", b'0', b"content"), block("b", b'1', 0, "a"), block("c", b'2', 0, "a")]);
        assert_eq!(found["a"], found["b"]);
        assert_eq!((found["c"].kind, found["c"].link.as_str()), (Kind::Link, "a"));
    }

    #[test]
    fn attributes_of_a_file_are_kept_and_end_with_it() {
        let record = "42 SCHILY.xattr.security.capability=\u{1}\0\0\u{2}v\n";
        assert_eq!(record.len(), 42);
        let found = tree(&[file("p", b'x', record.as_bytes()), file("ping", b'0', b""), file("other", b'0', b"")]);
        assert_eq!(found["ping"].attributes["security.capability"], "\\x01\\x00\\x00\\x02v");
        assert!(found["other"].attributes.is_empty());
    }

    #[test]
    fn the_time_of_the_source_is_no_part_of_bytecode() {
        let bytecode = |flags: u8, time: u8| [&[7, 7, 7, 7, flags, 0, 0, 0, time][..], &[1; 20]].concat();
        let of = |content: &[u8]| tree(&[file("a.pyc", b'0', content)])["a.pyc"].digest;
        assert_eq!(of(&bytecode(0, 1)), of(&bytecode(0, 2)));
        assert_ne!(of(&bytecode(1, 1)), of(&bytecode(1, 2)), "a hash of the source stands there instead");
    }

    #[test]
    fn a_stream_that_is_cut_is_an_error() {
        let mut bytes = file("a", b'0', &[1; 700]);
        bytes.truncate(900);
        assert_eq!(read(&bytes[..]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(read(&file("p", b'x', b"999999 path=x\n")[..]).is_err());
    }
}
