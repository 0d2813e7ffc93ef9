//! Whether two images are the same, as docs/same-image.md says it.

mod configuration;
mod passed_over;
mod tar;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use configuration::{Configuration, FIELDS};
pub use passed_over::PassedOver;
pub use tar::{Entry, Kind, Tree, digest, read};

/// What is compared of an image.
#[derive(Debug, Clone, Default)]
pub struct Image {
    pub tree: Tree,
    pub configuration: Configuration,
}

/// In what two entries of one path may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// It is there on one side only.
    Presence,
    Type,
    Mode,
    Owner,
    Link,
    Content,
    /// Extended attributes.
    Attributes,
}

/// A path, or an instruction of the configuration, that isn't the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// With a slash in front; of the configuration the instruction.
    pub path: String,
    pub aspects: BTreeSet<Aspect>,
    /// What stands there; none where nothing does.
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Difference {
    /// As a sentence.
    pub fn text(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {before} became {after}", self.path),
            (Some(before), None) => format!("{}: gone ({before})", self.path),
            (None, after) => format!("{}: new ({})", self.path, after.as_deref().unwrap_or_default()),
        }
    }
}

/// The texts of files that differ on purpose, by SHA-256: what each had before, and what it has after; none where there is no such file.
pub type Expected = BTreeSet<(Option<[u8; 32]>, Option<[u8; 32]>)>;

/// How two images compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What counts, sorted by path, the configuration behind the paths.
    pub differences: Vec<Difference>,
    /// What differs as it does between two builds of the same file.
    pub noise: Vec<Difference>,
    /// Files of the build context that a change is about, where a copy brings them into the image.
    pub expected: Vec<Difference>,
}

/// Compares two images. `noise` is what differs between two builds of the first one.
pub fn compare(
    before: &Image,
    after: &Image,
    passed_over: &PassedOver,
    noise: &[Difference],
    expected: &Expected,
) -> Comparison {
    let noise: BTreeMap<&str, &BTreeSet<Aspect>> =
        noise.iter().map(|noise| (noise.path.as_str(), &noise.aspects)).collect();
    let mut found = Comparison::default();
    for (entries, difference) in differing(before, after, passed_over) {
        let is_noise = noise
            .get(difference.path.as_str())
            .is_some_and(|known| known.contains(&Aspect::Presence) || difference.aspects.is_subset(known));
        let is_content = difference.aspects.iter().all(|aspect| matches!(aspect, Aspect::Content | Aspect::Presence));
        if is_noise {
            found.noise.push(difference);
        } else if is_content && expected.contains(&entries) {
            found.expected.push(difference);
        } else {
            found.differences.push(difference);
        }
    }
    found
}

/// What differs between two images, sorted by path, the configuration behind the paths.
pub fn differences(before: &Image, after: &Image, passed_over: &PassedOver) -> Vec<Difference> {
    differing(before, after, passed_over).into_iter().map(|(_, difference)| difference).collect()
}

type Digests = (Option<[u8; 32]>, Option<[u8; 32]>);

/// The same, with the hashes of the contents.
fn differing(before: &Image, after: &Image, passed_over: &PassedOver) -> Vec<(Digests, Difference)> {
    let (old_tree, new_tree) = (&before.tree, &after.tree);
    let paths: BTreeSet<&String> = old_tree.keys().chain(new_tree.keys()).collect();
    let mut found = Vec::new();
    for path in paths {
        let (old, new) = (old_tree.get(path), new_tree.get(path));
        let mut aspects = aspects(old, new);
        aspects.retain(|aspect| !passed_over.passes(path, *aspect, old_tree, new_tree));
        if aspects.is_empty() {
            continue;
        }
        let shown = |entry: Option<&Entry>| entry.map(ToString::to_string);
        let digest = |entry: Option<&Entry>| entry.filter(|entry| entry.kind == Kind::File).map(|entry| entry.digest);
        let difference = Difference { path: format!("/{path}"), aspects, before: shown(old), after: shown(new) };
        found.push(((digest(old), digest(new)), difference));
    }
    for (path, old, new) in before.configuration.differences(&after.configuration) {
        let aspect = if old.is_some() && new.is_some() { Aspect::Content } else { Aspect::Presence };
        let difference = Difference { path, aspects: BTreeSet::from([aspect]), before: old, after: new };
        found.push(((None, None), difference));
    }
    found
}

fn aspects(old: Option<&Entry>, new: Option<&Entry>) -> BTreeSet<Aspect> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (None, None) => return BTreeSet::new(),
        _ => return BTreeSet::from([Aspect::Presence]),
    };
    let each = [
        (Aspect::Type, old.kind != new.kind || old.device != new.device),
        (Aspect::Mode, old.mode != new.mode),
        (Aspect::Owner, (old.uid, old.gid) != (new.uid, new.gid)),
        (Aspect::Link, old.link != new.link),
        (Aspect::Content, (old.size, old.digest) != (new.size, new.digest)),
        (Aspect::Attributes, old.attributes != new.attributes),
    ];
    each.into_iter().filter(|(_, differs)| *differs).map(|(aspect, _)| aspect).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str, mode: u64) -> Entry {
        Entry {
            kind: Kind::File,
            mode,
            uid: 0,
            gid: 0,
            size: text.len() as u64,
            link: String::new(),
            device: (0, 0),
            attributes: BTreeMap::new(),
            digest: digest(text),
        }
    }

    fn image(files: &[(&str, &str, u64)]) -> Image {
        let tree = files.iter().map(|(path, text, mode)| ((*path).to_owned(), file(text, *mode))).collect();
        Image { tree, ..Image::default() }
    }

    #[test]
    fn what_two_builds_of_the_same_file_differ_in_does_not_count_and_the_rest_of_the_path_does() {
        let first = image(&[("a", "1", 0o644), ("b", "1", 0o644), ("var/log/dpkg.log", "x", 0o644)]);
        let second = image(&[("a", "2", 0o644), ("b", "1", 0o644), ("var/log/dpkg.log", "y", 0o644)]);
        let passed = PassedOver::default();
        let noise = differences(&first, &second, &passed);
        assert_eq!(noise.iter().map(|noise| noise.path.as_str()).collect::<Vec<_>>(), ["/a"]);
        let after = image(&[("a", "3", 0o644), ("b", "2", 0o644), ("var/log/dpkg.log", "z", 0o600)]);
        let found = compare(&first, &after, &passed, &noise, &Expected::new());
        let paths: Vec<&str> = found.differences.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!(paths, ["/b", "/var/log/dpkg.log"]);
        assert_eq!(found.noise.len(), 1);
        let other_mode = image(&[("a", "3", 0o600), ("b", "1", 0o644), ("var/log/dpkg.log", "z", 0o644)]);
        assert_eq!(compare(&first, &other_mode, &passed, &noise, &Expected::new()).differences.len(), 1);
    }

    #[test]
    fn a_file_that_is_changed_on_purpose_is_expected_with_its_known_texts_only() {
        let expected = Expected::from([
            (Some(digest("FROM a\n")), Some(digest("FROM b\n"))),
            (None, Some(digest("node_modules\n"))),
        ]);
        let before = image(&[("app/Dockerfile", "FROM a\n", 0o644), ("app/x", "FROM a\n", 0o644)]);
        let after = image(&[
            ("app/.dockerignore", "node_modules\n", 0o644),
            ("app/Dockerfile", "FROM b\n", 0o644),
            ("app/x", "FROM c\n", 0o644),
        ]);
        let found = compare(&before, &after, &PassedOver::default(), &[], &expected);
        let paths = |all: &[Difference]| all.iter().map(|difference| difference.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&found.expected), ["/app/.dockerignore", "/app/Dockerfile"]);
        assert_eq!(paths(&found.differences), ["/app/x"]);
    }

    #[test]
    fn a_difference_reads_as_a_sentence() {
        let found = differences(&image(&[("a", "1", 0o644)]), &image(&[("b", "1", 0o755)]), &PassedOver::default());
        let texts: Vec<String> = found.iter().map(Difference::text).collect();
        assert_eq!(
            texts,
            [
                "/a: gone (file mode 644 owner 0:0 1 bytes, sha256 6b86b273ff34)",
                "/b: new (file mode 755 owner 0:0 1 bytes, sha256 6b86b273ff34)"
            ]
        );
    }
}
