//! Names of volumes: one for each kind of cache, shared by the services that run as the same user.

use super::files::Files;
use super::loads::Loading;
use super::mounts;
use crate::facts::User;
use crate::facts::compose::VolumeKind;
use crate::facts::models::places::Kind;
use crate::project::graph::parent;
use crate::transform::ComposeContext;

/// Who writes into a volume: what another writes he may not be able to read or to add to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Writer {
    Uid(u32),
    /// An account of an image whose number is not known.
    Named {
        dockerfile: String,
        name: String,
    },
    Unknown {
        service: String,
    },
}

impl Writer {
    fn of(loading: &Loading) -> Self {
        match &loading.user {
            Some(User { uid: Some(uid), .. }) => Writer::Uid(*uid),
            Some(user) => Writer::Named { dockerfile: loading.dockerfile.clone(), name: user.name.clone() },
            None => Writer::Unknown { service: loading.service.clone() },
        }
    }
}

/// A use of a volume that is there or is about to come.
#[derive(Debug)]
struct Use {
    volume: String,
    service: String,
    /// None for what is no cache of models.
    cache: Option<(Kind, Writer)>,
}

/// The names in use in files that are loaded together.
#[derive(Debug, Default)]
pub struct Names {
    uses: Vec<Use>,
    declared: Vec<String>,
}

/// What the volume for a kind of cache is called.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::HuggingFace => "huggingface-cache",
        Kind::SentenceTransformers => "sentence-transformers-cache",
        Kind::Torch => "torch-cache",
        Kind::Nltk => "nltk-data",
        Kind::Tiktoken => "tiktoken-cache",
        Kind::Whisper => "whisper-cache",
        Kind::FastEmbed => "fastembed-cache",
    }
}

/// A name that was chosen.
pub struct Chosen {
    pub volume: String,
    /// Whether one of the files declares it already.
    pub is_declared: bool,
    /// Other services that use it.
    pub shared: Vec<String>,
}

impl Names {
    /// Those of the files at hand; `all` are the services that load models.
    pub fn of(cx: &ComposeContext<'_>, files: &Files, all: &[Loading]) -> Self {
        let mut names = Self::default();
        for (_, compose) in files.loaded(cx) {
            names.declared.extend(compose.volumes.iter().cloned());
            for service in &compose.services {
                let loading = all.iter().find(|loading| {
                    let is_near = parent(&loading.file) == parent(&files.base) || files.concern(&loading.file);
                    loading.service == service.name && is_near
                });
                for mounted in mounts::of(cx, files, &service.name).all {
                    let (VolumeKind::Named, Some(volume)) = (mounted.volume.kind, mounted.volume.source) else {
                        continue;
                    };
                    let cache = loading.and_then(|loading| {
                        let target = &mounted.volume.target;
                        let directory = loading.directories.iter().find(|found| found.path == *target)?;
                        Some((directory.kind, Writer::of(loading)))
                    });
                    names.uses.push(Use { volume, service: service.name.clone(), cache });
                }
            }
        }
        names
    }

    /// A name for a cache of a service: one that the service does not use yet, and nobody for anything else or as another user.
    pub fn choose(&mut self, kind: Kind, loading: &Loading) -> Option<Chosen> {
        let (plain, service) = (name(kind), &loading.service);
        let user = loading.user.as_ref().filter(|user| !user.is_root());
        let user = user.map(|user| format!("{plain}-{}", user.name));
        let candidates = [Some(plain.to_owned()), user, Some(format!("{plain}-{service}"))];
        let cache = (kind, Writer::of(loading));
        let fits = |volume: &String| {
            let mut uses = self.uses.iter().filter(|used| used.volume == *volume);
            let is_name = volume.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.' | '-'));
            is_name && uses.all(|used| used.service != *service && used.cache.as_ref() == Some(&cache))
        };
        let volume = candidates.into_iter().flatten().find(fits)?;
        let others = self.uses.iter().filter(|used| used.volume == volume && used.service != *service);
        let mut shared: Vec<String> = others.map(|used| used.service.clone()).collect();
        shared.sort();
        shared.dedup();
        self.uses.push(Use { volume: volume.clone(), service: service.clone(), cache: Some(cache) });
        Some(Chosen { is_declared: self.declared.contains(&volume), volume, shared })
    }
}
