//! Versions as programs print them.

use serde::{Serialize, Serializer};

/// A version: the text, and the numbers at its front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// As printed, without a leading `v`: `28.5.2+dfsg4`.
    pub text: String,
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Version {
    /// The first word of `text` that starts like a version: `github.com/docker/buildx v0.29.1 a32761a` holds `0.29.1`.
    pub fn parse(text: &str) -> Option<Self> {
        text.split([' ', ',', '\n', '\t']).find_map(Self::word)
    }

    fn word(word: &str) -> Option<Self> {
        let word = word.trim().trim_start_matches('v');
        let mut numbers = word.split('.').map(|part| {
            let end = part.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(part.len());
            part[..end].parse::<u32>().ok()
        });
        let (major, minor) = (numbers.next()??, numbers.next()??);
        let patch = numbers.next().flatten().unwrap_or(0);
        Some(Self { text: word.to_owned(), major, minor, patch })
    }

    /// Whether it is this version or a later one.
    pub fn is_at_least(&self, major: u32, minor: u32, patch: u32) -> bool {
        (self.major, self.minor, self.patch) >= (major, minor, patch)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (printed, text, numbers) in [
            ("28.5.2+dfsg4", "28.5.2+dfsg4", (28, 5, 2)),
            ("github.com/docker/buildx 0.29.1+ds1 0.29.1+ds1-4", "0.29.1+ds1", (0, 29, 1)),
            ("github.com/docker/buildx v0.12.1 30feaa1", "0.12.1", (0, 12, 1)),
            ("docker-compose version 1.29.2, build unknown", "1.29.2", (1, 29, 2)),
            ("v2.40.3-desktop.1\n", "2.40.3-desktop.1", (2, 40, 3)),
            ("podman version 4.3.1", "4.3.1", (4, 3, 1)),
            ("v0.8+unknown", "0.8+unknown", (0, 8, 0)),
        ] {
            let version = Version::parse(printed).unwrap();
            assert_eq!((version.text.as_str(), (version.major, version.minor, version.patch)), (text, numbers));
        }
        for printed in ["", "unknown", "dev", "a1.2"] {
            assert_eq!(Version::parse(printed), None, "{printed}");
        }
    }

    #[test]
    fn versions_are_compared_by_number() {
        let version = Version::parse("2.9.10").unwrap();
        assert!(version.is_at_least(2, 9, 9) && version.is_at_least(2, 9, 10) && !version.is_at_least(2, 10, 0));
    }
}
