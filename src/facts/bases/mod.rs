//! Base images: the default user, its home, the variables that move caches, and the distribution that a tag tells.
//!
//! The table holds only what its `source` says. A wrong entry puts a cache where the build cannot write or where the
//! tool does not look, an absent one only leaves a Dockerfile as it is: so whatever differs between tags of an image,
//! or could not be read, is unknown here. Rows speak of Linux images; nothing but the family is said of Windows tags.

mod reference;
mod rows;
mod tags;

pub use reference::{ImageReference, split_reference};
pub use rows::BASES;

/// A line of distributions that share a package manager and its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    Debian,
    Ubuntu,
    Alpine,
    Fedora,
    /// RHEL and UBI, CentOS, Rocky, Alma and Oracle Linux.
    RedHat,
    Amazon,
    Suse,
    /// Azure Linux, formerly CBL-Mariner.
    AzureLinux,
    Windows,
}

impl Family {
    /// The name in mount ids and restow.toml.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::Alpine => "alpine",
            Self::Fedora => "fedora",
            Self::RedHat => "redhat",
            Self::Amazon => "amazon",
            Self::Suse => "suse",
            Self::AzureLinux => "azurelinux",
            Self::Windows => "windows",
        }
    }

    /// The Linux family of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [Family; 8] = [
            Family::Debian,
            Family::Ubuntu,
            Family::Alpine,
            Family::Fedora,
            Family::RedHat,
            Family::Amazon,
            Family::Suse,
            Family::AzureLinux,
        ];
        ALL.into_iter().find(|family| family.name() == name)
    }

    /// The C library that binaries of the family are linked to; `None` for Windows.
    pub fn libc(self) -> Option<Libc> {
        match self {
            Self::Alpine => Some(Libc::Musl),
            Self::Windows => None,
            _ => Some(Libc::Glibc),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Libc {
    Glibc,
    Musl,
}

/// A distribution as far as a tag tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Distribution {
    pub family: Family,
    /// Codename or number as the tag gives it: `bookworm`, `22.04`, `3.20`, `9`. `None` where the tag names a moving
    /// target such as `latest` or `stable`. One release may appear under both its codename and its number.
    pub release: Option<String>,
}

/// A user with an entry in the image's `/etc/passwd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownUser {
    pub name: &'static str,
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    pub home: &'static str,
}

/// `root` is the same in every Linux image of the table.
pub const ROOT: KnownUser = KnownUser { name: "root", uid: 0, gid: 0, home: "/root" };

/// Who a RUN is before the Dockerfile has a USER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultUser {
    Root,
    Named(KnownUser),
    /// USER is a number in the image; `home` is what its HOME variable or its passwd entry says.
    Numeric {
        uid: u32,
        gid: u32,
        home: Option<&'static str>,
    },
    Unknown,
}

/// One row: images that are alike in all that is said here.
#[derive(Debug, Clone, Copy)]
pub struct BaseImage {
    /// Names as [`split_reference`] gives them. A `*` at the end stands for one or more characters but `/`.
    pub repositories: &'static [&'static str],
    /// The tags that `user`, `users`, `env` and `shell` hold for. `None` is a reference by digest alone.
    /// Ask through [`BaseImage::covers`], which knows of Windows tags and of variables in tags.
    pub covered: fn(tag: Option<&str>) -> bool,
    pub user: DefaultUser,
    /// Users beside root that are the same on every covered tag.
    pub users: &'static [KnownUser],
    /// Further users of one tag.
    pub users_of_tag: fn(tag: &str) -> &'static [KnownUser],
    /// Variables the image sets that name a home or a cache, or switch one off; the same on every covered tag.
    /// `PATH`, versions and locales are left out.
    pub env: &'static [(&'static str, &'static str)],
    /// Where conda's root environment lies, on images that no variable tells it of.
    pub conda_prefix: Option<&'static str>,
    /// The words of the image's SHELL; empty for Docker's own, `/bin/sh -c`.
    pub shell: &'static [&'static str],
    /// What the text of a tag tells; `None` where it does not tell the family for sure.
    /// Ask through [`BaseImage::distribution_of`].
    pub distribution: fn(tag: &str) -> Option<Distribution>,
    /// Whether the Debian and Ubuntu variants carry `/etc/apt/apt.conf.d/docker-clean`, which deletes downloaded
    /// packages after every apt run.
    pub apt_docker_clean: bool,
    /// Where it was read: repository and file.
    pub source: &'static str,
}

impl BaseImage {
    /// Whether `user`, `users`, `env` and `shell` hold for `tag`; `None` where only a digest is given.
    pub fn covers(&self, tag: Option<&str>) -> bool {
        match tag {
            Some(tag) if tag.contains('$') => (self.covered)(None),
            Some(tag) => !tags::is_windows(tag) && (self.covered)(Some(tag)),
            None => (self.covered)(None),
        }
    }

    /// Who runs before the Dockerfile has a USER.
    pub fn user_of(&self, tag: Option<&str>) -> DefaultUser {
        if self.covers(tag) { self.user } else { DefaultUser::Unknown }
    }

    /// The variables that name caches; `None` where the tag may set others.
    pub fn env_of(&self, tag: Option<&str>) -> Option<&'static [(&'static str, &'static str)]> {
        self.covers(tag).then_some(self.env)
    }

    /// All users that are sure to exist, root first; none where the tag is not covered.
    pub fn users_of(&self, tag: Option<&str>) -> Vec<KnownUser> {
        if !self.covers(tag) {
            return Vec::new();
        }
        let mut users = vec![ROOT];
        if let DefaultUser::Named(user) = self.user {
            users.push(user);
        }
        users.extend(self.users);
        let literal = tag.filter(|tag| !tag.contains('$'));
        users.extend(literal.map_or(&[][..], |tag| (self.users_of_tag)(tag)));
        if self.distribution_of(tag).is_some_and(|told| matches!(told.family, Family::Debian | Family::Ubuntu)) {
            // fixed numbers of the package base-passwd
            users.push(KnownUser { name: "www-data", uid: 33, gid: 33, home: "/var/www" });
        }
        users
    }

    /// The distribution; `None` where the tag does not tell its family, or only a digest is given.
    pub fn distribution_of(&self, tag: Option<&str>) -> Option<Distribution> {
        let tag = tag.filter(|tag| !tag.contains('$'))?;
        if tags::is_windows(tag) {
            return Some(Distribution { family: Family::Windows, release: None });
        }
        (self.distribution)(tag)
    }
}

/// The row of a normalised repository name (see [`split_reference`]). An exact name wins over one with `*`.
pub fn lookup(repository: &str) -> Option<&'static BaseImage> {
    let matching = |test: fn(&str, &str) -> bool| {
        BASES.iter().find(|row| row.repositories.iter().any(|name| test(name, repository)))
    };
    matching(|name, repository| name == repository).or_else(|| matching(matches_pattern))
}

fn matches_pattern(pattern: &str, repository: &str) -> bool {
    let rest = pattern.strip_suffix('*').and_then(|prefix| repository.strip_prefix(prefix));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(repository: &str) -> &'static BaseImage {
        lookup(repository).unwrap_or_else(|| panic!("no row for {repository}"))
    }

    fn told(reference: &str) -> Option<(Family, Option<String>)> {
        let reference = split_reference(reference);
        let told = row(reference.repository).distribution_of(reference.effective_tag());
        told.map(|told| (told.family, told.release))
    }

    fn release(family: Family, release: &str) -> Option<(Family, Option<String>)> {
        Some((family, Some(release.to_owned())))
    }

    fn named(repository: &str, tag: &str, name: &str) -> Option<(u32, u32, &'static str)> {
        let users = row(repository).users_of(Some(tag));
        users.iter().find(|user| user.name == name).map(|user| (user.uid, user.gid, user.home))
    }

    #[test]
    fn every_repository_has_one_row() {
        let mut names: Vec<_> = BASES.iter().flat_map(|row| row.repositories).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn every_repository_is_written_as_a_reference_is_normalised() {
        for name in BASES.iter().flat_map(|row| row.repositories) {
            let plain = name.replace('*', "x");
            assert_eq!(split_reference(&plain).repository, plain);
        }
    }

    #[test]
    fn an_official_image_is_found_behind_a_mirror() {
        for name in ["docker.io/library/rust:1", "public.ecr.aws/docker/library/rust:1", "arm64v8/rust:1"] {
            assert_eq!(row(split_reference(name).repository).env[0], ("CARGO_HOME", "/usr/local/cargo"));
        }
    }

    #[test]
    fn an_unknown_image_has_no_row() {
        for name in ["acme/python", "scratch", "ghcr.io/acme/node", "winamd64/python"] {
            assert!(lookup(split_reference(name).repository).is_none(), "{name}");
        }
    }

    #[test]
    fn a_star_matches_one_path_component_only() {
        assert_eq!(row("registry.access.redhat.com/ubi9/python-311").env_of(Some("1")).map(<[_]>::len), Some(2));
        assert!(lookup("registry.access.redhat.com/ubi9/python-311/extra").is_none());
        assert!(lookup("registry.access.redhat.com/ubi9/python-").is_none());
    }

    #[test]
    fn an_official_language_image_is_debian_unless_its_tag_says_otherwise() {
        assert_eq!(told("python"), Some((Family::Debian, None)));
        assert_eq!(told("python:3.12-slim"), Some((Family::Debian, None)));
        assert_eq!(told("python:3.12-slim-bookworm"), release(Family::Debian, "bookworm"));
        assert_eq!(told("python:3.12-alpine3.20"), release(Family::Alpine, "3.20"));
        assert_eq!(told("node:lts-alpine"), Some((Family::Alpine, None)));
        assert_eq!(told("php:8-apache"), Some((Family::Debian, None)));
        assert_eq!(told("php:8.3-fpm-alpine"), Some((Family::Alpine, None)));
        assert_eq!(told("nginx:1.27-alpine3.20-slim"), release(Family::Alpine, "3.20"));
        assert_eq!(told("composer:2"), Some((Family::Alpine, None)));
    }

    #[test]
    fn a_windows_tag_tells_its_family_and_nothing_else() {
        let golang = row("golang");
        for tag in ["1.22-nanoserver-ltsc2022", "1.22-windowsservercore"] {
            assert_eq!(golang.distribution_of(Some(tag)).map(|told| told.family), Some(Family::Windows));
            assert_eq!(golang.user_of(Some(tag)), DefaultUser::Unknown);
            assert_eq!(golang.env_of(Some(tag)), None);
        }
    }

    #[test]
    fn a_digest_alone_does_not_tell_the_distribution() {
        assert_eq!(told("python@sha256:00"), None);
        assert_eq!(told("python:3.12-bookworm@sha256:00"), release(Family::Debian, "bookworm"));
        assert_eq!(row("python").user_of(None), DefaultUser::Root);
    }

    #[test]
    fn a_variable_in_a_tag_tells_no_distribution() {
        assert_eq!(told("python:${VERSION}"), None);
        assert_eq!(told("python:${VERSION:-3.12-alpine}"), None);
        assert_eq!(row("gradle").user_of(Some("$VERSION")), DefaultUser::Unknown);
    }

    #[test]
    fn a_distribution_image_tells_its_release_as_the_tag_gives_it() {
        assert_eq!(told("debian:12.7-slim"), release(Family::Debian, "12"));
        assert_eq!(told("debian:bookworm-20240904-slim"), release(Family::Debian, "bookworm"));
        assert_eq!(told("debian:stable-slim"), Some((Family::Debian, None)));
        assert_eq!(told("debian"), Some((Family::Debian, None)));
        assert_eq!(told("ubuntu:22.04"), release(Family::Ubuntu, "22.04"));
        assert_eq!(told("ubuntu:noble-20240801"), release(Family::Ubuntu, "noble"));
        assert_eq!(told("ubuntu:rolling"), Some((Family::Ubuntu, None)));
        assert_eq!(told("alpine:3.20.3"), release(Family::Alpine, "3.20"));
        assert_eq!(told("alpine:3"), Some((Family::Alpine, None)));
        assert_eq!(told("alpine:edge"), release(Family::Alpine, "edge"));
        assert_eq!(told("fedora:41"), release(Family::Fedora, "41"));
        assert_eq!(told("rockylinux:9.3-minimal"), release(Family::RedHat, "9"));
        assert_eq!(told("quay.io/centos/centos:stream9"), release(Family::RedHat, "stream9"));
        assert_eq!(told("centos:centos7.9.2009"), release(Family::RedHat, "7"));
        assert_eq!(told("amazonlinux:2023.5.20240722.0"), release(Family::Amazon, "2023"));
        assert_eq!(told("buildpack-deps:22.04-curl"), release(Family::Ubuntu, "22.04"));
        assert_eq!(told("buildpack-deps:stable-scm"), Some((Family::Debian, None)));
        assert_eq!(told("opensuse/leap:15.6"), release(Family::Suse, "15.6"));
        assert_eq!(told("registry.access.redhat.com/ubi8/ubi-minimal:8.10"), release(Family::RedHat, "8"));
    }

    #[test]
    fn a_java_image_is_told_by_its_jdk() {
        assert_eq!(told("eclipse-temurin:21-jdk"), Some((Family::Ubuntu, None)));
        assert_eq!(told("eclipse-temurin:21-jdk-jammy"), release(Family::Ubuntu, "jammy"));
        assert_eq!(told("eclipse-temurin:21-jdk-alpine-3.21"), release(Family::Alpine, "3.21"));
        assert_eq!(told("eclipse-temurin:21-jdk-ubi9-minimal"), release(Family::RedHat, "9"));
        assert_eq!(told("amazoncorretto:21"), Some((Family::Amazon, None)));
        assert_eq!(told("amazoncorretto:21-al2023-jdk"), release(Family::Amazon, "2023"));
        assert_eq!(told("openjdk:8-jdk"), Some((Family::Debian, None)));
        assert_eq!(told("openjdk:8u292-jdk"), Some((Family::Debian, None)));
        assert_eq!(told("openjdk:17-jdk-slim"), Some((Family::Debian, None)));
        assert_eq!(told("openjdk:17-jdk-oraclelinux8"), release(Family::RedHat, "8"));
        assert_eq!(told("openjdk:17"), None);
    }

    #[test]
    fn a_maven_or_gradle_image_is_told_only_where_its_jdk_is() {
        assert_eq!(told("maven:3.9-eclipse-temurin-21"), Some((Family::Ubuntu, None)));
        assert_eq!(told("maven:3.9-eclipse-temurin-21-alpine"), Some((Family::Alpine, None)));
        assert_eq!(told("maven:3.9-amazoncorretto-21"), Some((Family::Amazon, None)));
        assert_eq!(told("maven:3.9-amazoncorretto-21-debian"), Some((Family::Debian, None)));
        assert_eq!(told("maven:3.8-jdk-11"), Some((Family::Debian, None)));
        assert_eq!(told("maven:3.8-openjdk-17-slim"), Some((Family::Debian, None)));
        for unsure in ["3", "latest", "3.8-openjdk-17", "3.8-jdk-11-openj9", "microsoft-openjdk-11"] {
            assert_eq!(told(&format!("maven:{unsure}")), None, "{unsure}");
        }
        assert_eq!(told("gradle:8.5-jdk17"), Some((Family::Ubuntu, None)));
        assert_eq!(told("gradle:jdk21-alpine"), Some((Family::Alpine, None)));
        assert_eq!(told("gradle:8-jdk21-corretto"), Some((Family::Amazon, None)));
        for unsure in ["gradle:4.10-jdk8", "gradle:8-jdk21-graal", "gradle:jdk10"] {
            assert_eq!(told(unsure), None, "{unsure}");
        }
    }

    #[test]
    fn a_dotnet_version_tells_the_distribution_that_was_its_default() {
        assert_eq!(told("mcr.microsoft.com/dotnet/sdk:8.0"), release(Family::Debian, "bookworm"));
        assert_eq!(told("mcr.microsoft.com/dotnet/sdk:7.0.400"), release(Family::Debian, "bullseye"));
        assert_eq!(told("mcr.microsoft.com/dotnet/core/sdk:3.1"), release(Family::Debian, "buster"));
        assert_eq!(told("mcr.microsoft.com/dotnet/sdk:10.0"), release(Family::Ubuntu, "noble"));
        assert_eq!(told("mcr.microsoft.com/dotnet/sdk:8.0-jammy"), release(Family::Ubuntu, "jammy"));
        assert_eq!(told("mcr.microsoft.com/dotnet/aspnet:8.0-alpine3.20"), release(Family::Alpine, "3.20"));
        assert_eq!(told("mcr.microsoft.com/dotnet/sdk:9.0-azurelinux3.0"), release(Family::AzureLinux, "3.0"));
        assert_eq!(told("mcr.microsoft.com/dotnet/sdk:latest"), None);
        assert_eq!(told("mcr.microsoft.com/dotnet/sdk:11.0-preview"), None);
    }

    #[test]
    fn a_gpu_image_is_told_by_the_end_of_its_tag() {
        assert_eq!(told("nvidia/cuda:12.2.0-devel-ubuntu22.04"), release(Family::Ubuntu, "22.04"));
        assert_eq!(told("nvcr.io/nvidia/cuda:12.2.0-base-ubi8"), release(Family::RedHat, "8"));
        assert_eq!(told("nvidia/cuda:12.2.0-base-rockylinux9"), release(Family::RedHat, "9"));
        assert_eq!(told("nvidia/cuda:9.0-base"), None);
        assert_eq!(told("pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime"), Some((Family::Ubuntu, None)));
    }

    #[test]
    fn a_python_tool_image_is_told_by_the_image_it_extends() {
        assert_eq!(told("ghcr.io/astral-sh/uv:python3.12-bookworm-slim"), release(Family::Debian, "bookworm"));
        assert_eq!(told("ghcr.io/astral-sh/uv:0.5-python3.12-alpine3.20"), release(Family::Alpine, "3.20"));
        assert_eq!(told("astral/uv:debian-slim"), Some((Family::Debian, None)));
        assert_eq!(told("ghcr.io/astral-sh/uv:0.5.1"), None);
        assert_eq!(told("ghcr.io/astral-sh/uv"), None);
        assert_eq!(told("mambaorg/micromamba:1.5.8"), Some((Family::Debian, None)));
        assert_eq!(told("mambaorg/micromamba:2.0-ubuntu24.04"), release(Family::Ubuntu, "24.04"));
        assert_eq!(told("mambaorg/micromamba:2.0-alpine3.20"), None);
        assert_eq!(told("mambaorg/micromamba:2.0-amazon2023"), release(Family::Amazon, "2023"));
        assert_eq!(told("condaforge/miniforge3:24.3.0-0"), Some((Family::Ubuntu, None)));
        assert_eq!(told("continuumio/miniconda3:4.12.0-alpine"), None);
        assert_eq!(told("jupyter/base-notebook:1386e2046833"), None);
        assert_eq!(told("public.ecr.aws/lambda/python:3.12"), release(Family::Amazon, "2023"));
        assert_eq!(told("public.ecr.aws/lambda/python:3.9"), Some((Family::Amazon, None)));
    }

    #[test]
    fn a_development_container_is_told_by_the_word_in_its_tag() {
        assert_eq!(told("mcr.microsoft.com/devcontainers/base:ubuntu-22.04"), release(Family::Ubuntu, "22.04"));
        assert_eq!(told("mcr.microsoft.com/devcontainers/base:2-debian12"), release(Family::Debian, "12"));
        assert_eq!(told("mcr.microsoft.com/devcontainers/base:alpine-3.20"), release(Family::Alpine, "3.20"));
        assert_eq!(told("mcr.microsoft.com/devcontainers/go:1-1.22-bookworm"), release(Family::Debian, "bookworm"));
    }

    #[test]
    fn a_user_that_differs_between_tags_is_told_by_the_tag() {
        assert_eq!(named("php", "8-fpm", "www-data"), Some((33, 33, "/var/www")));
        assert_eq!(named("php", "8-fpm-alpine", "www-data"), Some((82, 82, "/home/www-data")));
        assert_eq!(named("mcr.microsoft.com/dotnet/sdk", "8.0", "app"), Some((1654, 1654, "/home/app")));
        assert_eq!(named("mcr.microsoft.com/dotnet/sdk", "7.0", "app"), None);
        assert_eq!(named("ubuntu", "24.04", "ubuntu"), Some((1000, 1000, "/home/ubuntu")));
        assert_eq!(named("ubuntu", "22.04", "ubuntu"), None);
        assert_eq!(named("node", "20-alpine", "node"), Some((1000, 1000, "/home/node")));
        assert_eq!(named("node", "20", "root"), Some((0, 0, "/root")));
    }

    #[test]
    fn a_default_user_that_changed_is_known_only_after_the_change() {
        assert_eq!(row("gradle").user_of(Some("8.5-jdk17")), DefaultUser::Root);
        assert_eq!(row("gradle").user_of(Some("jdk21")), DefaultUser::Root);
        assert_eq!(row("gradle").user_of(Some("4.10-jdk8")), DefaultUser::Unknown);
        let micromamba = row("mambaorg/micromamba");
        assert!(matches!(micromamba.user_of(Some("1.5.8-jammy")), DefaultUser::Named(KnownUser { uid: 57439, .. })));
        assert_eq!(micromamba.user_of(Some("1.4.2")), DefaultUser::Unknown);
        assert_eq!(micromamba.user_of(Some("jammy")), DefaultUser::Unknown);
        assert_eq!(row("mcr.microsoft.com/dotnet/aspnet").user_of(Some("8.0-jammy-chiseled")), DefaultUser::Unknown);
    }
}
