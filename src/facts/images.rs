//! What is known of an image: its row of the table, or a `[[base]]` of restow.toml.

use ignore::overrides::OverrideBuilder;

use super::bases::{self, DefaultUser, Distribution};
use super::users::User;

/// A `[[base]]` of restow.toml, as the user vouches for it.
#[derive(Debug, Clone)]
pub struct KnownBase {
    /// Glob over the whole reference; without a tag in it, any tag.
    pub image: String,
    pub user: User,
    pub distribution: Option<Distribution>,
    pub env: Vec<(String, String)>,
}

/// What a RUN right behind FROM can rely on.
#[derive(Debug, Clone)]
pub struct BaseFacts {
    /// `None` where the image's user is not known for sure.
    pub user: Option<User>,
    pub users: Vec<User>,
    /// `None` where the image may set variables that are not listed.
    pub env: Option<Vec<(String, String)>>,
    /// Where conda's root environment lies, if no variable tells it.
    pub conda_prefix: Option<String>,
    /// The words of its SHELL; empty for Docker's own.
    pub shell: Vec<String>,
    pub distribution: Option<Distribution>,
    /// Whether `/etc/apt/apt.conf.d/docker-clean` is there on Debian and Ubuntu variants.
    pub docker_clean: bool,
}

/// The facts of `reference`, if anything is known of it; restow.toml wins over the table. `open_tag` tells that a build argument
/// may change the tag: then only what holds for every tag counts, the distribution of the default aside.
pub fn facts(reference: &str, open_tag: bool, known: &[KnownBase]) -> Option<BaseFacts> {
    if let Some(base) = known.iter().rev().find(|base| matches(&base.image, reference)) {
        return Some(BaseFacts {
            user: Some(base.user.clone()),
            users: vec![base.user.clone()],
            env: Some(base.env.clone()),
            conda_prefix: None,
            shell: Vec::new(),
            distribution: base.distribution.clone(),
            docker_clean: true,
        });
    }
    let split = bases::split_reference(reference);
    let row = bases::lookup(split.repository)?;
    let tag = split.effective_tag();
    let certain = if open_tag { None } else { tag };
    let owned = |user: &bases::KnownUser| User {
        name: user.name.to_owned(),
        uid: Some(user.uid),
        gid: Some(user.gid),
        home: Some(user.home.to_owned()),
    };
    let user = match &row.user_of(certain) {
        DefaultUser::Root => Some(User::root()),
        DefaultUser::Named(user) => Some(owned(user)),
        DefaultUser::Numeric { uid, gid, home } => {
            Some(User { name: uid.to_string(), uid: Some(*uid), gid: Some(*gid), home: home.map(str::to_owned) })
        }
        DefaultUser::Unknown => None,
    };
    let env =
        row.env_of(certain).map(|env| env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect());
    Some(BaseFacts {
        user,
        users: row.users_of(certain).iter().map(owned).collect(),
        env,
        conda_prefix: row.conda_prefix.filter(|_| row.covers(certain)).map(str::to_owned),
        shell: row.shell.iter().map(|word| (*word).to_owned()).collect(),
        distribution: row.distribution_of(tag),
        docker_clean: row.apt_docker_clean,
    })
}

/// Whether a `[[base]]` pattern means `reference`.
fn matches(pattern: &str, reference: &str) -> bool {
    let without_tag = {
        let name = reference.split('@').next().unwrap_or(reference);
        match name.rfind(':') {
            Some(colon) if !name[colon..].contains('/') => &name[..colon],
            _ => name,
        }
    };
    // Slashes are ordinary characters of a reference: put something in their place that globs do not stop at.
    let flat = |text: &str| text.replace('/', "\u{1}");
    let glob = |text: &str| {
        let mut builder = OverrideBuilder::new("/");
        builder.add(&flat(pattern)).ok()?;
        Some(builder.build().ok()?.matched(flat(text), false).is_whitelist())
    };
    pattern == reference || pattern == without_tag || glob(reference) == Some(true) || glob(without_tag) == Some(true)
}

/// `reference` as a part of a mount id: letters, digits, dots, dashes and underscores.
pub fn id_part(reference: &str) -> String {
    let split = bases::split_reference(reference);
    let digest = split.digest.map(|digest| digest.rsplit(':').next().unwrap_or(digest).chars().take(12).collect());
    let whole = match split.tag.map(str::to_owned).or(digest) {
        Some(tag) => format!("{}-{tag}", split.repository),
        None => split.repository.to_owned(),
    };
    whole.chars().map(|ch| if ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_') { ch } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_with_and_without_a_tag() {
        assert!(matches("registry.example.com/base/python", "registry.example.com/base/python:3.11"));
        assert!(matches("registry.example.com/*", "registry.example.com/base/python:3.11"));
        assert!(matches("acme/python:3.*", "acme/python:3.11"));
        assert!(!matches("acme/python:3.*", "acme/python:2.7"));
        assert!(!matches("acme/python", "acme/pythons:1"));
    }

    #[test]
    fn a_reference_becomes_an_id() {
        assert_eq!(id_part("python:3.11-slim"), "python-3.11-slim");
        assert_eq!(id_part("nvidia/cuda:12.1-base-ubuntu22.04"), "nvidia-cuda-12.1-base-ubuntu22.04");
    }
}
