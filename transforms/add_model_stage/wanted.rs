//! What the stage has to download, and by which command.

use crate::facts::models::loads::Kept;
use crate::facts::models::places::{Folder, Kind};
use crate::facts::models::presence::{Presence, State};
use crate::facts::models::versions::Versions;
use crate::facts::models::{How, Load};

/// A model that the stage downloads.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub how: How,
    /// As people know it.
    pub name: String,
    /// As the downloader takes it.
    id: String,
    revision: Option<String>,
    /// Where the service looks for it.
    pub folder: Folder,
    /// Whether only weights that PyTorch reads are needed.
    is_torch: bool,
    /// Whether no weights are needed.
    is_light: bool,
    /// `path:line` of the id.
    pub place: String,
    /// The function or class that loads it.
    library: String,
}

/// What two services have to agree on.
pub type Key = (String, Option<String>, String);

impl Wanted {
    /// What a load needs of the stage, looked for in `folder`.
    ///
    /// # Errors
    /// Why there is no sure way to download it without the service's own code.
    pub fn of(load: &Load, folder: &Folder, versions: &Versions) -> Result<Self, String> {
        let root = load.library.split('.').next().unwrap_or("");
        let name = load.name();
        let id = match load.how {
            How::Hub | How::SentenceTransformers | How::FasterWhisper => {
                load.repository().ok_or(format!("{name} is no repository of the hub that is known"))?
            }
            How::Whisper => {
                whisper_file(&name).ok_or(format!("{name} is no model of openai-whisper that is known"))?;
                name.clone()
            }
            How::Nltk | How::Tiktoken | How::FastEmbed => load.id.value.clone(),
            How::TorchHub | How::Timm => {
                return Err(format!("the weights of {name} come from an address that only {root} knows when it runs"));
            }
            How::Spacy | How::Own => return Err(format!("{root} downloads {name} in a way of its own")),
        };
        if root == "peft" {
            return Err(format!("{name} names its base model in its own configuration, which is not at hand"));
        }
        if root == "transformers" && versions.is_below("transformers", 4, 22) {
            return Err("transformers before 4.22 keeps files in a layout that only its own download makes".to_owned());
        }
        if folder.kind == Kind::SentenceTransformers && !name.starts_with("sentence-transformers/") {
            return Err(format!(
                "sentence-transformers before 2.3 finds a model in its folder only where that has a modules.json, which is not known of {name}"
            ));
        }
        if let Some(size) = billions(&id).filter(|size| *size >= LARGE) {
            return Err(format!(
                "its name says {size} billion parameters, which is more than an image should carry; a volume keeps it better"
            ));
        }
        let is_torch = matches!(
            root,
            "sentence_transformers"
                | "transformers"
                | "langchain"
                | "keybert"
                | "haystack"
                | "chromadb"
                | "InstructorEmbedding"
        ) || root.starts_with("langchain_")
            || root.starts_with("llama_index");
        let other_format = ["TF", "Flax", "ORT", "OV"]
            .iter()
            .any(|prefix| load.library.split('.').any(|part| part.starts_with(prefix) && part != "TFIDF"));
        let name = match load.how {
            How::FasterWhisper => id.clone(),
            How::Whisper => format!("{name} of openai-whisper"),
            How::Nltk => format!("{name} of NLTK"),
            How::Tiktoken => format!("{name} of tiktoken"),
            _ => name,
        };
        Ok(Self {
            how: load.how,
            name,
            id,
            revision: load.revision.clone(),
            folder: folder.clone(),
            is_torch: is_torch && !other_format && load.is_plain && !versions.is_below("transformers", 4, 30),
            is_light: load.is_light,
            place: format!("{}:{}", load.id.file, load.id.line),
            library: load.library.rsplit('.').find(|part| *part != "from_pretrained").unwrap_or("").to_owned(),
        })
    }

    pub fn key(&self) -> Key {
        (self.id.clone(), self.revision.clone(), self.folder.path.clone())
    }

    /// Takes another load of the same files along.
    pub fn join(&mut self, other: &Self) {
        self.is_torch &= other.is_torch;
        self.is_light &= other.is_light;
    }

    /// The folder in which the stage has to leave it so that the service finds it: moved from the library's own place to one of the
    /// image's, with the variable that says so, where nobody has chosen a place.
    pub fn moved(&self) -> (String, Option<(&'static str, &'static str)>) {
        let path = &self.folder.path;
        if self.folder.by.is_some() {
            return (path.clone(), None);
        }
        let llama = path.ends_with("/llama_index");
        match self.folder.kind {
            Kind::HuggingFace if llama => {
                ("/opt/llama-index".to_owned(), Some(("LLAMA_INDEX_CACHE_DIR", "/opt/llama-index")))
            }
            Kind::HuggingFace => ("/opt/huggingface/hub".to_owned(), Some(("HF_HOME", "/opt/huggingface"))),
            Kind::SentenceTransformers => (
                "/opt/sentence-transformers".to_owned(),
                Some(("SENTENCE_TRANSFORMERS_HOME", "/opt/sentence-transformers")),
            ),
            Kind::Nltk => ("/opt/nltk_data".to_owned(), Some(("NLTK_DATA", "/opt/nltk_data"))),
            Kind::Tiktoken => ("/opt/tiktoken".to_owned(), Some(("TIKTOKEN_CACHE_DIR", "/opt/tiktoken"))),
            Kind::FastEmbed => ("/opt/fastembed".to_owned(), Some(("FASTEMBED_CACHE_PATH", "/opt/fastembed"))),
            // No variable moves these without moving others too.
            Kind::Whisper | Kind::Torch => (path.clone(), None),
        }
    }

    /// The package that downloads it, as a requirement of pip; none where Python's own library does.
    pub fn package(&self, versions: &Versions) -> Option<String> {
        let pinned = |name: &str| match versions.pin(name) {
            Some(version) => format!("{name}=={version}"),
            None => name.to_owned(),
        };
        match self.how {
            // What 0.x writes is read by 0.14 to 2.4, and its folders can be copied one by one; later ones share files between them.
            How::Hub | How::SentenceTransformers | How::FasterWhisper => {
                let pin = versions.pin("huggingface-hub").filter(|pin| {
                    let mut parts = pin.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
                    parts.next() == Some(0) && parts.next().is_some_and(|minor| minor >= 23)
                });
                Some(pin.map_or_else(|| "\"huggingface_hub<1\"".to_owned(), |pin| format!("huggingface_hub=={pin}")))
            }
            How::Nltk => Some(pinned("nltk")),
            How::Tiktoken => Some(pinned("tiktoken")),
            How::FastEmbed => Some(pinned("fastembed")),
            _ => None,
        }
    }

    /// The statements of Python that download it into `folder`.
    pub fn statements(&self, folder: &str) -> Vec<String> {
        let id = quoted(&self.id);
        let revision =
            self.revision.as_ref().map(|revision| format!(", revision={}", quoted(revision))).unwrap_or_default();
        let cache = format!("cache_dir={}", quoted(folder));
        match self.how {
            How::Whisper => {
                let (sum, file) = whisper_file(&self.id).unwrap_or_default();
                vec![
                    "from urllib.request import urlretrieve".to_owned(),
                    format!(
                        "urlretrieve('https://openaipublic.azureedge.net/main/whisper/models/{sum}/{file}', {})",
                        quoted(&format!("{folder}/{file}"))
                    ),
                ]
            }
            How::Nltk => vec![
                "import sys, nltk".to_owned(),
                format!("sys.exit(not nltk.download({id}, download_dir={}))", quoted(folder)),
            ],
            How::Tiktoken => {
                let function = if self.library == "encoding_for_model" { "encoding_for_model" } else { "get_encoding" };
                vec![
                    "import os, tiktoken".to_owned(),
                    format!("os.environ['TIKTOKEN_CACHE_DIR'] = {}", quoted(folder)),
                    format!("tiktoken.{function}({id})"),
                ]
            }
            How::FastEmbed => {
                let class = match self.library.as_str() {
                    "SparseTextEmbedding" | "LateInteractionTextEmbedding" | "ImageEmbedding" => self.library.as_str(),
                    "TextCrossEncoder" => {
                        return vec![
                            "from fastembed.rerank.cross_encoder import TextCrossEncoder".to_owned(),
                            format!("TextCrossEncoder({id}, {cache})"),
                        ];
                    }
                    "Bm25" | "FastEmbedSparse" | "fastembed_sparse_encoder" => "SparseTextEmbedding",
                    _ => "TextEmbedding",
                };
                vec![format!("from fastembed import {class}"), format!("{class}({id}, {cache})")]
            }
            How::FasterWhisper => vec![
                "from huggingface_hub import snapshot_download".to_owned(),
                format!(
                    "snapshot_download({id}{revision}, {cache}, allow_patterns=['config.json', 'preprocessor_config.json', 'model.bin', 'tokenizer.json', 'vocabulary.*'])"
                ),
            ],
            _ if self.folder.kind == Kind::SentenceTransformers => {
                let own = format!("{folder}/{}", self.id.replace('/', "_"));
                vec![
                    "from huggingface_hub import snapshot_download".to_owned(),
                    format!(
                        "snapshot_download({id}{revision}, local_dir={}, ignore_patterns=['*.h5', '*.msgpack', '*.ot', 'onnx/*', 'openvino/*'])",
                        quoted(&own)
                    ),
                ]
            }
            _ if self.is_light => vec![
                "from huggingface_hub import snapshot_download".to_owned(),
                format!(
                    "snapshot_download({id}{revision}, {cache}, ignore_patterns=['*.safetensors', '*.bin', '*.pt', '*.h5', '*.msgpack', '*.ot', '*.onnx*', '*.gguf', 'openvino/*'])"
                ),
            ],
            _ if self.is_torch => vec![
                "from huggingface_hub import list_repo_files, snapshot_download".to_owned(),
                format!("files = list_repo_files({id}{revision})"),
                "safe = {name.rpartition('/')[0] for name in files if name.endswith('.safetensors')}".to_owned(),
                "twice = [name for name in files if name.endswith('.bin') and name.rpartition('/')[0] in safe]"
                    .to_owned(),
                format!(
                    "snapshot_download({id}{revision}, {cache}, ignore_patterns=twice + ['*.h5', '*.msgpack', '*.ot', 'onnx/*', 'openvino/*'])"
                ),
            ],
            _ => vec![
                "from huggingface_hub import snapshot_download".to_owned(),
                format!("snapshot_download({id}{revision}, {cache})"),
            ],
        }
    }

    /// A command behind Python's, where its files need one.
    pub fn afterwards(&self, folder: &str) -> Option<String> {
        // Time stamps and locks of the download.
        (self.folder.kind == Kind::SentenceTransformers).then(|| format!("rm -rf {folder}/*/.cache"))
    }

    pub fn is_of_the_hub(&self) -> bool {
        matches!(self.how, How::Hub | How::SentenceTransformers | How::FasterWhisper)
    }

    /// Whether its organisation gives it only to those who have agreed to something.
    pub fn is_gated(&self) -> bool {
        const GATED: [&str; 14] = [
            "google/gemma",
            "google/embeddinggemma",
            "google/medgemma",
            "google/paligemma",
            "google/shieldgemma",
            "meta-llama/",
            "mistralai/",
            "pyannote/",
            "black-forest-labs/FLUX.1-dev",
            "stabilityai/stable-diffusion-3",
            "bigcode/starcoder",
            "CohereForAI/",
            "nvidia/Llama",
            "codellama/",
        ];
        self.is_of_the_hub() && GATED.iter().any(|start| self.id.starts_with(start))
    }
}

/// More parameters than this, in billions, and the files are larger than an image should be.
const LARGE: f64 = 3.0;

/// How many billions of parameters a name speaks of: `Mistral-7B-Instruct` 7, `Qwen3-0.6B` 0.6.
fn billions(id: &str) -> Option<f64> {
    let parts = id.split(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '.'));
    parts.filter_map(|part| part.strip_suffix(['B', 'b'])?.parse::<f64>().ok()).next()
}

/// A string of Python in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Checksum and file of a model of openai-whisper. Source: `_MODELS` in openai-whisper 20250625.
fn whisper_file(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "tiny.en" => ("d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03", "tiny.en.pt"),
        "tiny" => ("65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9", "tiny.pt"),
        "base.en" => ("25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead", "base.en.pt"),
        "base" => ("ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e", "base.pt"),
        "small.en" => ("f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872", "small.en.pt"),
        "small" => ("9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794", "small.pt"),
        "medium.en" => ("d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f", "medium.en.pt"),
        "medium" => ("345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1", "medium.pt"),
        "large-v1" => ("e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a", "large-v1.pt"),
        "large-v2" => ("81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524", "large-v2.pt"),
        "large-v3" | "large" => ("e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb", "large-v3.pt"),
        "large-v3-turbo" | "turbo" => {
            ("aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a", "large-v3-turbo.pt")
        }
        _ => return None,
    })
}

/// Whether a load waits for the stage.
pub fn is_missing(load: &Load, presence: &Presence) -> bool {
    !load.is_aside
        && !load.is_fallback
        && !load.is_second
        && load.how != How::Spacy
        && presence.state == State::Missing
        && load.kept != Kept::Unknown
}

/// The version of a model of spaCy that is made for a version of spaCy. Source: `compatibility.json` of explosion/spacy-models: the first
/// one that is listed is what `spacy download` takes.
pub fn spacy_version(model: &str, spacy: &str) -> Option<&'static str> {
    let mut parts = spacy.split('.');
    let minor = format!("{}.{}", parts.next()?, parts.next()?);
    let is_english = model.starts_with("en_core_web_");
    let is_transformer = model.ends_with("_trf");
    Some(match minor.as_str() {
        "3.8" => "3.8.0",
        "3.7" if is_english && is_transformer => "3.7.3",
        "3.7" if is_transformer => "3.7.2",
        "3.7" if is_english => "3.7.1",
        "3.7" => "3.7.0",
        "3.6" if is_transformer => "3.6.1",
        "3.6" => "3.6.0",
        "3.5" => "3.5.0",
        "3.4" if is_english => "3.4.1",
        "3.4" => "3.4.0",
        "3.3" => "3.3.0",
        "3.2" => "3.2.0",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_names() {
        for (id, size) in [
            ("mistralai/Mistral-7B-Instruct-v0.2", Some(7.0)),
            ("Qwen/Qwen3-Embedding-0.6B", Some(0.6)),
            ("BAAI/bge-m3", None),
            ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", None),
            ("google/embeddinggemma-300m", None),
        ] {
            assert_eq!(billions(id), size, "{id}");
        }
    }

    #[test]
    fn each_version_of_spacy_has_its_version_of_a_model() {
        assert_eq!(spacy_version("en_core_web_sm", "3.7.5"), Some("3.7.1"));
        assert_eq!(spacy_version("de_core_news_md", "3.7.2"), Some("3.7.0"));
        assert_eq!(spacy_version("en_core_web_sm", "2.3"), None);
    }
}
