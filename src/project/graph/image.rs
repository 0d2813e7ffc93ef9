//! What a Dockerfile tells of its image without being built.

use crate::dockerfile::{Dockerfile, Keyword};

/// What a Dockerfile tells of its image without being built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Images that FROM names, as written; stages aside.
    pub bases: Vec<String>,
    pub stages: usize,
    pub cache_mounts: bool,
    /// Sources of COPY and ADD that come from the context, as written.
    pub copied: Vec<String>,
    /// Names of ARG.
    pub arguments: Vec<String>,
}

impl Image {
    pub fn new(file: &Dockerfile) -> Self {
        let mut image = Self::default();
        let mut names: Vec<String> = Vec::new();
        for instruction in &file.instructions {
            match instruction.keyword {
                Keyword::From => {
                    let words = instruction.words(file.escape);
                    let Some(base) = words.first() else { continue };
                    image.stages += 1;
                    if !names.iter().any(|name| name.eq_ignore_ascii_case(&base.raw)) && base.raw != "scratch" {
                        image.bases.push(base.raw.clone());
                    }
                    names.extend(words.get(2).map(|word| word.raw.clone()));
                }
                Keyword::Arg => {
                    let names = instruction.pairs(file.escape).into_iter().map(|pair| pair.name);
                    image.arguments.extend(names);
                }
                Keyword::Run => {
                    let mounts = instruction.flags.iter().filter(|flag| flag.text.starts_with("--mount="));
                    image.cache_mounts |= mounts.clone().any(|flag| flag.text.contains("type=cache"));
                }
                Keyword::Copy | Keyword::Add if instruction.flag("from").is_none() => {
                    let words: Vec<String> = match &instruction.json {
                        Some(strings) => strings.clone(),
                        None => instruction.words(file.escape).into_iter().map(|word| word.raw).collect(),
                    };
                    let sources = &words[..words.len().saturating_sub(1)];
                    let local = sources.iter().filter(|source| !source.contains("://") && !source.starts_with("<<"));
                    image.copied.extend(local.cloned());
                }
                _ => {}
            }
        }
        image
    }
}
