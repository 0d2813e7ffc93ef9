//! What the text of a tag tells of the distribution: the words that mean the same in every image, and the defaults of
//! the images that need a rule of their own.

use super::{Distribution, Family, KnownUser};

/// Codenames that appear in tags, oldest first.
/// Source: docker-library/official-images `library/{debian,ubuntu,buildpack-deps}` and history.
const DEBIAN: &[&str] = &["wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "sid"];
const UBUNTU: &[&str] = &[
    "precise", "trusty", "vivid", "wily", "xenial", "yakkety", "zesty", "artful", "bionic", "cosmic", "disco", "eoan",
    "focal", "groovy", "hirsute", "impish", "jammy", "kinetic", "lunar", "mantic", "noble", "oracular", "plucky",
    "questing", "resolute", "stonking",
];

/// Words that name a distribution, with the number that may follow at once: `ubuntu22.04`, `ubi9`, `al2023`.
const NAMES: &[(&str, Family)] = &[
    ("alpine", Family::Alpine),
    ("debian", Family::Debian),
    ("ubuntu", Family::Ubuntu),
    ("fedora", Family::Fedora),
    ("ubi", Family::RedHat),
    ("rockylinux", Family::RedHat),
    ("almalinux", Family::RedHat),
    ("centos", Family::RedHat),
    ("oraclelinux", Family::RedHat),
    ("oracle", Family::RedHat),
    ("amazonlinux", Family::Amazon),
    ("amazon", Family::Amazon),
    ("al", Family::Amazon),
    ("opensuse", Family::Suse),
    ("azurelinux", Family::AzureLinux),
    ("mariner", Family::AzureLinux),
];

fn words(tag: &str) -> impl Iterator<Item = &str> {
    tag.split(['-', '_'])
}

fn has(tag: &str, word: &str) -> bool {
    words(tag).any(|other| other == word)
}

fn some(family: Family, release: Option<&str>) -> Option<Distribution> {
    Some(Distribution { family, release: release.map(str::to_owned) })
}

fn is_number(text: &str) -> bool {
    text.starts_with(|ch: char| ch.is_ascii_digit()) && text.chars().all(|ch| ch.is_ascii_digit() || ch == '.')
}

/// Major and minor number at the start of a tag: (8, 0) of `8.0.100-jammy`, (1, 0) of `1`. A `v` may precede them.
fn version(tag: &str) -> Option<(u32, u32)> {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let first = tag.split(|ch: char| !ch.is_ascii_digit() && ch != '.').next()?;
    let mut numbers = first.split('.').map(str::parse);
    let major = numbers.next()?.ok()?;
    Some((major, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

pub(super) fn is_windows(tag: &str) -> bool {
    words(tag).any(|word| ["windows", "nanoserver"].iter().any(|start| word.starts_with(start)))
}

/// The distribution that a word of the tag names.
pub(super) fn told(tag: &str) -> Option<Distribution> {
    let all: Vec<&str> = words(tag).collect();
    all.iter().enumerate().find_map(|(at, &word)| {
        if DEBIAN.contains(&word) {
            return some(Family::Debian, Some(word));
        }
        if UBUNTU.contains(&word) {
            return some(Family::Ubuntu, Some(word));
        }
        NAMES.iter().find_map(|&(name, family)| {
            let number = word.strip_prefix(name)?;
            let next = all.get(at + 1).copied();
            let release = match number {
                "" if name == "al" => return None,
                "" => next.filter(|next| is_release(family, next)),
                _ if is_number(number) => Some(number),
                _ => return None,
            };
            // 3.20.1 and 7.9.2009 are states of one release
            some(family, release.map(|release| shorten(family, release)))
        })
    })
}

/// Whether a word after the name is the release and not a version of something else: `debian-12`, `alpine-3.21`.
fn is_release(family: Family, word: &str) -> bool {
    is_number(word)
        && match family {
            Family::Alpine => word.starts_with("3."),
            Family::Debian => word.len() <= 2,
            Family::Ubuntu => word.len() == 5,
            _ => false,
        }
}

fn shorten(family: Family, release: &str) -> &str {
    let parts = match family {
        Family::Alpine => 2,
        Family::Debian | Family::Fedora | Family::RedHat | Family::Amazon => 1,
        _ => return release,
    };
    release.match_indices('.').nth(parts - 1).map_or(release, |(dot, _)| &release[..dot])
}

// --- images with a default family ---

pub(super) fn debian(tag: &str) -> Option<Distribution> {
    told(tag).or(some(Family::Debian, None))
}

pub(super) fn ubuntu(tag: &str) -> Option<Distribution> {
    told(tag).or(some(Family::Ubuntu, None))
}

pub(super) fn amazon(tag: &str) -> Option<Distribution> {
    told(tag).or(some(Family::Amazon, None))
}

pub(super) fn alpine(_: &str) -> Option<Distribution> {
    some(Family::Alpine, None)
}

pub(super) fn ubi8(_: &str) -> Option<Distribution> {
    some(Family::RedHat, Some("8"))
}

pub(super) fn ubi9(_: &str) -> Option<Distribution> {
    some(Family::RedHat, Some("9"))
}

pub(super) fn ubi10(_: &str) -> Option<Distribution> {
    some(Family::RedHat, Some("10"))
}

pub(super) fn tumbleweed(_: &str) -> Option<Distribution> {
    some(Family::Suse, None)
}

// --- the distributions' own images: the tag is the release ---

/// The number at the start of the tag.
fn leading_number(tag: &str) -> Option<&str> {
    words(tag).next().filter(|word| is_number(word))
}

pub(super) fn debian_image(tag: &str) -> Option<Distribution> {
    told(tag).or_else(|| some(Family::Debian, leading_number(tag).map(|release| shorten(Family::Debian, release))))
}

pub(super) fn ubuntu_image(tag: &str) -> Option<Distribution> {
    told(tag).or_else(|| some(Family::Ubuntu, leading_number(tag)))
}

pub(super) fn alpine_image(tag: &str) -> Option<Distribution> {
    let number = leading_number(tag).filter(|number| number.contains('.'));
    let release = if tag == "edge" { Some(tag) } else { number.map(|release| shorten(Family::Alpine, release)) };
    some(Family::Alpine, release)
}

pub(super) fn fedora_image(tag: &str) -> Option<Distribution> {
    some(Family::Fedora, leading_number(tag))
}

pub(super) fn red_hat_image(tag: &str) -> Option<Distribution> {
    let stream = words(tag).next().filter(|word| word.strip_prefix("stream").is_some_and(is_number));
    let number = leading_number(tag).map(|release| shorten(Family::RedHat, release));
    match stream {
        Some(stream) => some(Family::RedHat, Some(stream)),
        None => told(tag).or_else(|| some(Family::RedHat, number)),
    }
}

pub(super) fn amazon_image(tag: &str) -> Option<Distribution> {
    some(Family::Amazon, leading_number(tag).map(|release| shorten(Family::Amazon, release)))
}

pub(super) fn leap_image(tag: &str) -> Option<Distribution> {
    some(Family::Suse, leading_number(tag).filter(|number| number.contains('.')))
}

// --- images with rules of their own ---

/// Debian and Ubuntu share the repository; a plain number is an Ubuntu.
pub(super) fn buildpack_deps(tag: &str) -> Option<Distribution> {
    told(tag).or_else(|| match leading_number(tag) {
        Some(number) => some(Family::Ubuntu, Some(number)).filter(|_| is_release(Family::Ubuntu, number)),
        None => some(Family::Debian, None),
    })
}

/// Oracle Linux is the default from 12 on, at different times for different tags.
pub(super) fn openjdk(tag: &str) -> Option<Distribution> {
    let debian = has(tag, "slim") || version(tag).is_some_and(|(major, _)| major <= 11);
    told(tag).or(if debian { some(Family::Debian, None) } else { None })
}

/// The plain tags moved from openjdk (Debian) to Temurin (Ubuntu) in 2022.
pub(super) fn maven(tag: &str) -> Option<Distribution> {
    if let Some(told) = told(tag) {
        return Some(told);
    }
    if has(tag, "temurin") {
        return some(Family::Ubuntu, None);
    }
    if has(tag, "amazoncorretto") {
        return some(Family::Amazon, None);
    }
    let mut jdk = words(tag).skip_while(|word| version(word).is_some());
    let of_openjdk = matches!(jdk.next(), Some("jdk" | "openjdk"));
    let major = jdk.next().and_then(version).map(|(major, _)| major);
    match (of_openjdk, major, jdk.next()) {
        (true, Some(7..=11), None) | (true, Some(_), Some("slim")) => some(Family::Debian, None),
        _ => None,
    }
}

/// OpenJDK (Debian) until 5.4, then AdoptOpenJDK and Temurin (Ubuntu). GraalVM variants changed their base.
pub(super) fn gradle(tag: &str) -> Option<Distribution> {
    let first = words(tag).next().unwrap_or(tag);
    let jdk = first.strip_prefix("jdk").and_then(version).map(|(major, _)| major);
    let of_ubuntu = matches!(version(tag), Some((6.., _))) || tag == "latest" || matches!(jdk, Some(8 | 11..));
    told(tag).or_else(|| {
        if has(tag, "corretto") {
            some(Family::Amazon, None)
        } else if of_ubuntu && !has(tag, "graal") {
            some(Family::Ubuntu, None)
        } else {
            None
        }
    })
}

/// The default user was `gradle` until 5.4.1 and is root since, also in floating tags that are still built.
pub(super) fn gradle_runs_as_root(tag: Option<&str>) -> bool {
    let Some(tag) = tag else { return false };
    gradle(tag).is_some() && version(tag).is_none_or(|(major, _)| major >= 6)
}

/// The plain tag of a version is the Debian, or from 10 on the Ubuntu, that was current at its release.
pub(super) fn dotnet(tag: &str) -> Option<Distribution> {
    if let Some(told) = told(tag) {
        return Some(told);
    }
    match version(tag)? {
        (2, 1 | 2) => some(Family::Debian, Some("stretch")),
        (3, _) | (5, _) => some(Family::Debian, Some("buster")),
        (6 | 7, _) => some(Family::Debian, Some("bullseye")),
        (8 | 9, _) => some(Family::Debian, Some("bookworm")),
        (10, _) => some(Family::Ubuntu, Some("noble")),
        _ => None,
    }
}

/// Chiseled and distroless variants run as `app` and have no shell.
pub(super) fn dotnet_has_a_shell(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| !has(tag, "chiseled") && !has(tag, "distroless"))
}

pub(super) fn dotnet_users(tag: &str) -> &'static [KnownUser] {
    match version(tag) {
        Some((8.., _)) => &[KnownUser { name: "app", uid: 1654, gid: 1654, home: "/home/app" }],
        _ => &[],
    }
}

/// Debian's own www-data is known by the family.
pub(super) fn php_users(tag: &str) -> &'static [KnownUser] {
    match told(tag) {
        Some(Distribution { family: Family::Alpine, .. }) => {
            &[KnownUser { name: "www-data", uid: 82, gid: 82, home: "/home/www-data" }]
        }
        _ => &[],
    }
}

/// Ubuntu's image has a user of its own since 23.04.
pub(super) fn ubuntu_users(tag: &str) -> &'static [KnownUser] {
    let lunar = UBUNTU.iter().position(|name| *name == "lunar");
    let release = ubuntu_image(tag).and_then(|told| told.release);
    let has_it = release.is_some_and(|release| match version(&release) {
        Some(number) => number >= (23, 4),
        None => UBUNTU.iter().position(|name| *name == release) >= lunar,
    });
    if has_it { &[KnownUser { name: "ubuntu", uid: 1000, gid: 1000, home: "/home/ubuntu" }] } else { &[] }
}

/// Images that name the JDK they are built on where it is not their default.
pub(super) fn by_jdk(tag: &str) -> Option<Distribution> {
    told(tag).or_else(|| {
        if has(tag, "temurin") {
            some(Family::Ubuntu, None)
        } else if has(tag, "corretto") {
            some(Family::Amazon, None)
        } else {
            None
        }
    })
}

/// The Alpine variants run glibc beside musl, so that neither is true of them.
pub(super) fn conda_on_debian(tag: &str) -> Option<Distribution> {
    debian(tag).filter(|told| told.family != Family::Alpine)
}

pub(super) fn conda_not_alpine(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| conda_on_debian(tag).is_some())
}

pub(super) fn micromamba(tag: &str) -> Option<Distribution> {
    let plain = tag == "latest" || is_number(tag);
    match told(tag) {
        Some(told) if told.family == Family::Alpine => None,
        Some(told) => Some(told),
        None if plain => some(Family::Debian, None),
        None => None,
    }
}

/// The uid was 1000 before 1.5.0; a tag without a version may be an old one that is no longer built.
pub(super) fn micromamba_has_new_uid(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| tag == "latest" || version(tag) >= Some((1, 5)))
}

/// Tags that are a commit may be from before 2017, when the images were Debian.
pub(super) fn jupyter(tag: &str) -> Option<Distribution> {
    let commit = tag.len() == 12 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    if commit { None } else { ubuntu(tag) }
}

pub(super) fn jupyter_not_a_commit(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| jupyter(tag).is_some())
}

pub(super) fn lambda_python(tag: &str) -> Option<Distribution> {
    match version(tag) {
        Some((3, 12..)) => some(Family::Amazon, Some("2023")),
        _ => some(Family::Amazon, None),
    }
}

pub(super) fn lambda_node(tag: &str) -> Option<Distribution> {
    match version(tag) {
        Some((20.., _)) => some(Family::Amazon, Some("2023")),
        _ => some(Family::Amazon, None),
    }
}

/// Bases of hardened images are not public, so neither is their user.
pub(super) fn uv_not_hardened(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| !has(tag, "dhi"))
}

pub(super) fn has_a_shell(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| !words(tag).any(|word| matches!(word, "distroless" | "bin")))
}

/// COMPOSER_HOME was /composer until June 2017, when 1.4 was current.
pub(super) fn composer_since_1_4(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| version(tag).is_none_or(|version| version >= (1, 4)) || tag == "1")
}

/// Earlier images have another SHELL, later ones another distribution.
pub(super) fn bitnami_debian_12(tag: Option<&str>) -> bool {
    tag.is_some_and(|tag| told(tag) == some(Family::Debian, Some("12")))
}

pub(super) fn every(_: Option<&str>) -> bool {
    true
}

pub(super) fn never(_: Option<&str>) -> bool {
    false
}

pub(super) fn nobody(_: &str) -> &'static [KnownUser] {
    &[]
}
