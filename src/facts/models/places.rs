//! Where libraries keep the files of models.

use super::loaders::How;
use super::loads::{Kept, Load};
use super::versions::Versions;

/// The folder in which a library looks for the files of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Absolute.
    pub path: String,
    pub kind: Kind,
    /// The variable, or the code, that says so; none for the library's own default.
    pub by: Option<String>,
}

/// What a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `models--organisation--name` of the hub.
    HuggingFace,
    /// The layout of sentence-transformers before version 2.3.
    SentenceTransformers,
    Whisper,
    Nltk,
    Tiktoken,
    FastEmbed,
    Torch,
}

/// What decides it.
pub struct Look<'a> {
    /// A variable of the environment: none where it is not set, no text where it is set to something that is not known.
    pub variable: &'a dyn Fn(&str) -> Option<Option<String>>,
    pub home: Option<&'a str>,
    pub versions: &'a Versions,
}

impl Look<'_> {
    /// The folder of a load; none where it can't be told, or where the library keeps its models among its packages.
    ///
    /// Source: the libraries, at the versions in docs/models.md.
    pub fn folder(&self, load: &Load) -> Option<Folder> {
        let kind = self.kind(load)?;
        if let Some(path) = &load.local {
            // The layout of sentence-transformers before 2.3 is one such folder per model, called so.
            let (above, name) = path.trim_end_matches('/').rsplit_once('/')?;
            let is_old_layout = name == load.id.value.replace('/', "_");
            return is_old_layout.then(|| Folder {
                path: above.to_owned(),
                kind: Kind::SentenceTransformers,
                by: None,
            });
        }
        match &load.kept {
            Kept::Unknown => return None,
            Kept::At(path) => {
                return Some(Folder { path: path.clone(), kind, by: Some(format!("{}:{}", load.path, load.line)) });
            }
            Kept::Nowhere => {}
        }
        let root = load.library.split('.').next().unwrap_or("");
        match kind {
            Kind::HuggingFace if root.starts_with("llama_index") && load.how == How::SentenceTransformers => self
                .first(
                    kind,
                    &[("LLAMA_INDEX_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/llama_index")],
                    "/.cache/llama_index",
                ),
            Kind::HuggingFace => {
                let mut variables = Vec::new();
                if load.how == How::SentenceTransformers {
                    variables.push(("SENTENCE_TRANSFORMERS_HOME", ""));
                }
                if root == "transformers" && !self.is_at_least_transformers_5() {
                    variables.extend([("TRANSFORMERS_CACHE", ""), ("PYTORCH_TRANSFORMERS_CACHE", "")]);
                }
                variables.extend([
                    ("HF_HUB_CACHE", ""),
                    ("HUGGINGFACE_HUB_CACHE", ""),
                    ("HF_HOME", "/hub"),
                    ("XDG_CACHE_HOME", "/huggingface/hub"),
                ]);
                let folder = self.first(kind, &variables, "/.cache/huggingface/hub")?;
                // What is built on transformers 4 reads its own files from the hub's cache, and the weights from there.
                let is_split = root != "transformers" && load.how != How::FasterWhisper && self.is_split(&folder);
                (!is_split).then_some(folder)
            }
            Kind::SentenceTransformers => self.first(
                kind,
                &[
                    ("SENTENCE_TRANSFORMERS_HOME", ""),
                    ("TORCH_HOME", "/sentence_transformers"),
                    ("XDG_CACHE_HOME", "/torch/sentence_transformers"),
                ],
                "/.cache/torch/sentence_transformers",
            ),
            Kind::Whisper => self.first(kind, &[("XDG_CACHE_HOME", "/whisper")], "/.cache/whisper"),
            Kind::Nltk => self.first(kind, &[("NLTK_DATA", "")], "/nltk_data"),
            Kind::Tiktoken => self
                .set(kind, &[("TIKTOKEN_CACHE_DIR", ""), ("DATA_GYM_CACHE_DIR", "")])
                .unwrap_or_else(|| Some(Folder { path: "/tmp/data-gym-cache".to_owned(), kind, by: None })),
            Kind::FastEmbed => self
                .set(kind, &[("FASTEMBED_CACHE_PATH", "")])
                .unwrap_or_else(|| Some(Folder { path: "/tmp/fastembed_cache".to_owned(), kind, by: None })),
            Kind::Torch => {
                self.first(kind, &[("TORCH_HOME", "/hub"), ("XDG_CACHE_HOME", "/torch/hub")], "/.cache/torch/hub")
            }
        }
    }

    fn kind(&self, load: &Load) -> Option<Kind> {
        Some(match load.how {
            How::SentenceTransformers if self.versions.is_below("sentence-transformers", 2, 3) => {
                Kind::SentenceTransformers
            }
            How::Hub | How::SentenceTransformers | How::FasterWhisper | How::Timm => Kind::HuggingFace,
            How::Whisper => Kind::Whisper,
            How::Nltk => Kind::Nltk,
            How::Tiktoken => Kind::Tiktoken,
            How::FastEmbed => Kind::FastEmbed,
            How::TorchHub => Kind::Torch,
            How::Spacy | How::Own => return None,
        })
    }

    /// Whether transformers is told of another folder than the hub's cache.
    fn is_split(&self, folder: &Folder) -> bool {
        let elsewhere = (self.variable)("TRANSFORMERS_CACHE").filter(|_| !self.is_at_least_transformers_5());
        elsewhere.is_some_and(|other| other.is_none_or(|other| other.trim_end_matches('/') != folder.path))
    }

    fn is_at_least_transformers_5(&self) -> bool {
        self.versions.pin("transformers").is_some_and(|version| {
            version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 5)
        })
    }

    /// The first variable that is set; none where no variable is, no folder where its value is not known.
    fn set(&self, kind: Kind, variables: &[(&str, &str)]) -> Option<Option<Folder>> {
        variables.iter().find_map(|(name, below)| match (self.variable)(name) {
            None => None,
            Some(Some(value)) if value.is_empty() => None,
            Some(value) => Some(value.filter(|value| value.starts_with('/')).map(|value| Folder {
                path: format!("{}{below}", value.trim_end_matches('/')),
                kind,
                by: Some((*name).to_owned()),
            })),
        })
    }

    fn first(&self, kind: Kind, variables: &[(&str, &str)], below_home: &str) -> Option<Folder> {
        self.set(kind, variables).unwrap_or_else(|| {
            Some(Folder { path: format!("{}{below_home}", self.home?.trim_end_matches('/')), kind, by: None })
        })
    }
}
