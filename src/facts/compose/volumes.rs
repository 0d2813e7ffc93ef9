//! Mounts of a service, in short and long syntax.
//!
//! Source: compose-spec `05-services.md`; compose-go `format/volume.go`.

use super::run::Text;
use crate::facts::interpolation::interpolate;
use crate::yaml::{Node, Stream};

/// A mount of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// With variables at their defaults.
    pub kind: VolumeKind,
    /// As written: a path of the host, or the name of a volume.
    pub source: Option<String>,
    /// As written: a path in the container.
    pub target: String,
    pub read_only: bool,
    /// Whether a fresh volume stays empty instead of taking what the image has at that place.
    pub no_copy: bool,
    /// Whether it is written in the short syntax, so that the source tells the kind.
    pub is_short: bool,
    /// Where it stands.
    pub offset: usize,
}

/// What is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeKind {
    Bind,
    Named,
    Anonymous,
    Tmpfs,
    /// A named pipe, an image, a cluster volume, or a source that only a variable tells.
    Other,
}

/// Reads an item of `volumes`.
pub(super) fn read(stream: &Stream, item: &Node) -> Option<Volume> {
    let node = stream.resolve(item);
    if let Some(text) = node.text() {
        return short(text, item.start);
    }
    let value = |node: &Node, key: &str| -> Option<String> {
        let (value, _) = stream.effective(node, key)?;
        stream.resolve(value).text().map(str::to_owned)
    };
    let is_set = |node: &Node, key: &str| value(node, key).as_deref() == Some("true");
    let source = value(node, "source");
    let kind = match value(node, "type").as_deref() {
        Some("bind") => VolumeKind::Bind,
        Some("volume") | None if source.is_none() => VolumeKind::Anonymous,
        Some("volume") | None => VolumeKind::Named,
        Some("tmpfs") => VolumeKind::Tmpfs,
        Some(_) => VolumeKind::Other,
    };
    let options = stream.effective(node, "volume").map(|(options, _)| stream.resolve(options));
    Some(Volume {
        kind,
        source,
        target: value(node, "target")?,
        read_only: is_set(node, "read_only"),
        no_copy: options.is_some_and(|options| is_set(options, "nocopy")),
        is_short: false,
        offset: item.start,
    })
}

/// An entry of `tmpfs`: a path, and options behind a colon.
pub(super) fn tmpfs(entry: &Text) -> Volume {
    let target = entry.text.split(':').next().unwrap_or_default().to_owned();
    Volume {
        kind: VolumeKind::Tmpfs,
        source: None,
        target,
        read_only: false,
        no_copy: false,
        is_short: false,
        offset: entry.offset,
    }
}

/// Reads `[SOURCE:]TARGET[:OPTIONS]`; none for what Compose refuses.
pub fn short(text: &str, offset: usize) -> Option<Volume> {
    let parts = parts(text);
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => return None,
    };
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let has = |option: &str| options.split(',').any(|given| given == option);
    Some(Volume {
        kind: source.map_or(VolumeKind::Anonymous, kind),
        source: source.map(str::to_owned),
        target: target.to_owned(),
        read_only: has("ro"),
        no_copy: has("nocopy"),
        is_short: true,
        offset,
    })
}

/// What the source of the short syntax means.
pub fn kind(source: &str) -> VolumeKind {
    let source = interpolate(source).text;
    let mut chars = source.chars();
    let is_drive = source.len() > 1 && chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some(':');
    match source.chars().next() {
        None => VolumeKind::Other,
        Some('.' | '/' | '~') => VolumeKind::Bind,
        Some(_) if is_drive || source.starts_with("\\\\") => VolumeKind::Bind,
        Some(_) => VolumeKind::Named,
    }
}

/// The sections between the colons; those in variables and behind a drive letter are none.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, ch) in text.char_indices() {
        match ch {
            '$' if text[at..].starts_with("${") => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ':' if depth == 0 => {
                let mut section = text[start..at].chars();
                let is_drive = section.next().is_some_and(char::is_alphabetic) && section.next().is_none();
                if !is_drive {
                    found.push(&text[start..at]);
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_syntax_tells_binds_from_names() {
        use VolumeKind::{Anonymous, Bind, Named, Other};
        for (text, kind, source, target) in [
            ("/data", Anonymous, None, "/data"),
            ("a/b", Anonymous, None, "a/b"),
            (".:/app", Bind, Some("."), "/app"),
            ("./a:/b:ro", Bind, Some("./a"), "/b"),
            ("../a:/b", Bind, Some("../a"), "/b"),
            ("~/.cache:/root/.cache", Bind, Some("~/.cache"), "/root/.cache"),
            ("/a:/b:z,ro", Bind, Some("/a"), "/b"),
            ("C:\\a:/b", Bind, Some("C:\\a"), "/b"),
            ("models:/m", Named, Some("models"), "/m"),
            ("${D:-./d}:/m", Bind, Some("${D:-./d}"), "/m"),
            ("${D:-d}:${T:-/t}", Named, Some("${D:-d}"), "${T:-/t}"),
            ("${D}:/m", Other, Some("${D}"), "/m"),
            ("${D}/x:/m", Bind, Some("${D}/x"), "/m"),
        ] {
            let found = short(text, 0).unwrap();
            assert_eq!((found.kind, found.source.as_deref(), &*found.target), (kind, source, target), "{text}");
        }
        assert!(short("./a:/b:ro", 0).unwrap().read_only && short("aa:/b:nocopy", 0).unwrap().no_copy);
        assert_eq!((short("aa::b", 0), short("aa:bb:ro:x", 0)), (None, None));
    }

    #[test]
    fn the_long_syntax_names_its_type() {
        let text = "- {type: bind, source: ./a, target: /a}\n- {type: volume, source: v, target: /v, read_only: true, volume: {nocopy: true}}\n- {type: volume, target: /w}\n- {type: tmpfs, target: /t}\n- {type: npipe, source: x, target: /n}\n- {type: bind}\n- vv:/x\n";
        let stream = Stream::read(text).unwrap();
        let found: Vec<_> = stream.documents[0].items().iter().filter_map(|item| read(&stream, item)).collect();
        let kinds: Vec<_> = found.iter().map(|volume| volume.kind).collect();
        use VolumeKind::{Anonymous, Bind, Named, Other, Tmpfs};
        assert_eq!(kinds, [Bind, Named, Anonymous, Tmpfs, Other, Named]);
        assert!(found[1].read_only && found[1].no_copy && !found[0].read_only);
        assert_eq!(&text[found[5].offset..][..5], "vv:/x");
    }
}
