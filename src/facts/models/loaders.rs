//! What loads models: functions and classes of libraries, the argument that names the model, and how the files come.

/// How a library comes by a model's files, and keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// A repository of the Hugging Face hub, in its cache.
    Hub,
    /// The same, with short names, and a layout of its own before version 2.3.
    SentenceTransformers,
    /// A file of OpenAI's by its name.
    Whisper,
    /// A repository of the hub, by the name of the size.
    FasterWhisper,
    /// A package of pip's.
    Spacy,
    Nltk,
    Tiktoken,
    FastEmbed,
    TorchHub,
    Timm,
    /// By a way of the library's own that nothing here follows.
    Own,
}

/// A function or class that loads a model.
#[derive(Debug)]
pub struct Loader {
    /// First parts of the dotted name, any of which may be meant: an underscore at the end stands for any name that begins so.
    pub roots: &'static [&'static str],
    /// The last part of the dotted name, or its last two.
    pub name: &'static str,
    /// Names of the argument that gives the id.
    pub arguments: &'static [&'static str],
    /// Where that argument stands, counted from 0.
    pub position: Option<usize>,
    /// The id without the argument.
    pub default: Option<&'static str>,
    pub how: How,
    /// The argument that says where the files are kept.
    pub kept: Option<&'static str>,
}

const fn loader(
    roots: &'static [&'static str],
    name: &'static str,
    arguments: &'static [&'static str],
    position: Option<usize>,
    how: How,
) -> Loader {
    Loader { roots, name, arguments, position, default: None, how, kept: None }
}

impl Loader {
    const fn default(mut self, id: &'static str) -> Self {
        self.default = Some(id);
        self
    }

    const fn kept(mut self, argument: &'static str) -> Self {
        self.kept = Some(argument);
        self
    }
}

const ST: &[&str] = &["sentence_transformers"];
const LANGCHAIN: &[&str] = &["langchain", "langchain_"];
const LLAMA: &[&str] = &["llama_index", "llama_index_"];
const CHROMA: &[&str] = &["chromadb"];
const FASTEMBED: &[&str] = &["fastembed"];
const FLAG: &[&str] = &["FlagEmbedding"];
const HAYSTACK: &[&str] = &["haystack", "haystack_"];

/// All loaders but `from_pretrained`, which is one of whatever class it belongs to.
///
/// Sources: the libraries' own sources, at the versions that docs/models.md names.
pub const LOADERS: &[Loader] = &[
    loader(ST, "SentenceTransformer", &["model_name_or_path"], Some(0), How::SentenceTransformers).kept("cache_folder"),
    loader(ST, "SparseEncoder", &["model_name_or_path"], Some(0), How::SentenceTransformers).kept("cache_folder"),
    loader(ST, "CrossEncoder", &["model_name", "model_name_or_path"], Some(0), How::Hub).kept("cache_folder"),
    loader(&["transformers", "optimum"], "pipeline", &["model"], Some(1), How::Hub),
    loader(&["huggingface_hub"], "snapshot_download", &["repo_id"], Some(0), How::Hub).kept("cache_dir"),
    loader(&["huggingface_hub"], "hf_hub_download", &["repo_id"], Some(0), How::Hub).kept("cache_dir"),
    loader(&["huggingface_hub"], "hf_hub_url", &["repo_id"], Some(0), How::Own),
    loader(LANGCHAIN, "HuggingFaceEmbeddings", &["model_name", "model"], None, How::SentenceTransformers)
        .default("sentence-transformers/all-mpnet-base-v2")
        .kept("cache_folder"),
    loader(LANGCHAIN, "SentenceTransformerEmbeddings", &["model_name"], None, How::SentenceTransformers)
        .default("sentence-transformers/all-mpnet-base-v2")
        .kept("cache_folder"),
    loader(LANGCHAIN, "HuggingFaceBgeEmbeddings", &["model_name"], None, How::SentenceTransformers)
        .default("BAAI/bge-large-en")
        .kept("cache_folder"),
    loader(LANGCHAIN, "HuggingFaceInstructEmbeddings", &["model_name"], None, How::SentenceTransformers)
        .default("hkunlp/instructor-large")
        .kept("cache_folder"),
    loader(LANGCHAIN, "HuggingFaceCrossEncoder", &["model_name"], None, How::Hub).default("BAAI/bge-reranker-base"),
    loader(LANGCHAIN, "HuggingFacePipeline.from_model_id", &["model_id"], Some(0), How::Hub),
    loader(LANGCHAIN, "SentenceTransformersTokenTextSplitter", &["model_name"], None, How::SentenceTransformers)
        .default("sentence-transformers/all-mpnet-base-v2"),
    loader(LANGCHAIN, "FastEmbedEmbeddings", &["model_name"], None, How::FastEmbed)
        .default("BAAI/bge-small-en-v1.5")
        .kept("cache_dir"),
    loader(LANGCHAIN, "FastEmbedSparse", &["model_name"], None, How::FastEmbed)
        .default("Qdrant/bm25")
        .kept("cache_dir"),
    loader(LLAMA, "HuggingFaceEmbedding", &["model_name"], Some(0), How::SentenceTransformers).kept("cache_folder"),
    loader(LLAMA, "SentenceTransformerRerank", &["model"], None, How::Hub)
        .default("cross-encoder/stsb-distilroberta-base"),
    loader(LLAMA, "FlagEmbeddingReranker", &["model"], None, How::Hub),
    loader(LLAMA, "FastEmbedEmbedding", &["model_name"], Some(0), How::FastEmbed)
        .default("BAAI/bge-small-en-v1.5")
        .kept("cache_dir"),
    loader(LLAMA, "fastembed_sparse_encoder", &["model_name"], Some(0), How::FastEmbed)
        .default("Qdrant/bm25")
        .kept("cache_dir"),
    loader(LLAMA, "HuggingFaceLLM", &["model_name"], None, How::Hub),
    loader(CHROMA, "SentenceTransformerEmbeddingFunction", &["model_name"], Some(0), How::SentenceTransformers)
        .default("all-MiniLM-L6-v2"),
    loader(CHROMA, "InstructorEmbeddingFunction", &["model_name"], Some(0), How::SentenceTransformers)
        .default("hkunlp/instructor-base"),
    loader(CHROMA, "DefaultEmbeddingFunction", &[], None, How::Own).default("all-MiniLM-L6-v2"),
    loader(CHROMA, "ONNXMiniLM_L6_V2", &[], None, How::Own).default("all-MiniLM-L6-v2"),
    loader(FASTEMBED, "TextEmbedding", &["model_name"], Some(0), How::FastEmbed)
        .default("BAAI/bge-small-en-v1.5")
        .kept("cache_dir"),
    loader(FASTEMBED, "SparseTextEmbedding", &["model_name"], Some(0), How::FastEmbed).kept("cache_dir"),
    loader(FASTEMBED, "LateInteractionTextEmbedding", &["model_name"], Some(0), How::FastEmbed).kept("cache_dir"),
    loader(FASTEMBED, "ImageEmbedding", &["model_name"], Some(0), How::FastEmbed).kept("cache_dir"),
    loader(FASTEMBED, "TextCrossEncoder", &["model_name"], Some(0), How::FastEmbed).kept("cache_dir"),
    loader(FASTEMBED, "Bm25", &["model_name"], Some(0), How::FastEmbed).kept("cache_dir"),
    loader(&["whisper"], "load_model", &["name"], Some(0), How::Whisper).kept("download_root"),
    loader(&["faster_whisper"], "WhisperModel", &["model_size_or_path"], Some(0), How::FasterWhisper)
        .kept("download_root"),
    loader(&["faster_whisper"], "download_model", &["size_or_id"], Some(0), How::FasterWhisper).kept("cache_dir"),
    loader(&["whisperx"], "load_model", &["whisper_arch"], Some(0), How::FasterWhisper).kept("download_root"),
    loader(&["spacy"], "load", &["name"], Some(0), How::Spacy),
    loader(&["spacy"], "cli.download", &["model"], Some(0), How::Spacy),
    loader(&["nltk"], "download", &["info_or_id"], Some(0), How::Nltk).kept("download_dir"),
    loader(&["tiktoken"], "get_encoding", &["encoding_name"], Some(0), How::Tiktoken),
    loader(&["tiktoken"], "encoding_for_model", &["model_name"], Some(0), How::Tiktoken),
    loader(&["torch"], "hub.load", &["model"], Some(1), How::TorchHub),
    loader(&["timm"], "create_model", &["model_name"], Some(0), How::Timm),
    loader(FLAG, "BGEM3FlagModel", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "FlagModel", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "FlagLLMModel", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "FlagICLModel", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "FlagReranker", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "FlagLLMReranker", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "LayerWiseFlagLLMReranker", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "FlagAutoModel.from_finetuned", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(FLAG, "FlagAutoReranker.from_finetuned", &["model_name_or_path"], Some(0), How::Hub).kept("cache_dir"),
    loader(&["InstructorEmbedding"], "INSTRUCTOR", &["model_name_or_path"], Some(0), How::SentenceTransformers)
        .kept("cache_folder"),
    loader(&["keybert"], "KeyBERT", &["model"], Some(0), How::SentenceTransformers).default("all-MiniLM-L6-v2"),
    loader(HAYSTACK, "SentenceTransformersTextEmbedder", &["model"], Some(0), How::SentenceTransformers)
        .default("sentence-transformers/all-mpnet-base-v2"),
    loader(HAYSTACK, "SentenceTransformersDocumentEmbedder", &["model"], Some(0), How::SentenceTransformers)
        .default("sentence-transformers/all-mpnet-base-v2"),
    loader(HAYSTACK, "TransformersSimilarityRanker", &["model"], Some(0), How::Hub)
        .default("cross-encoder/ms-marco-MiniLM-L-6-v2"),
    loader(&["vllm"], "LLM", &["model"], Some(0), How::Hub),
    loader(&["speechbrain"], "from_hparams", &["source"], Some(0), How::Own),
    loader(&["TTS"], "TTS", &["model_name"], Some(0), How::Own),
    loader(&["open_clip"], "create_model_and_transforms", &["model_name"], Some(0), How::Own),
];

/// Loads by an id of the hub, whatever class it belongs to.
pub const FROM_PRETRAINED: Loader = Loader {
    roots: &[],
    name: "from_pretrained",
    arguments: &[
        "pretrained_model_name_or_path",
        "model_name_or_path",
        "model_id",
        "repo_id",
        "model_name",
        "model",
        "checkpoint_path",
        "checkpoint",
        "backbone_repo",
    ],
    position: Some(0),
    default: None,
    how: How::Hub,
    kept: Some("cache_dir"),
};

/// The same where a model that is already there comes first.
const FROM_PRETRAINED_ONTO: Loader =
    Loader { arguments: &["model_id"], position: Some(1), name: "from_pretrained", ..FROM_PRETRAINED };

/// The loader that the dotted name of a library's thing means.
pub fn of(name: &str) -> Option<&'static Loader> {
    let root = name.split('.').next().unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    if last == "from_pretrained" {
        let onto = root == "peft" && name.contains("Peft");
        return Some(if onto { &FROM_PRETRAINED_ONTO } else { &FROM_PRETRAINED });
    }
    LOADERS.iter().find(|loader| {
        let is_root = |known: &&str| match known.strip_suffix('_') {
            Some(start) => root.strip_prefix(start).is_some_and(|rest| rest.starts_with('_')),
            None => root == *known,
        };
        let is_name = name == loader.name || name.strip_suffix(loader.name).is_some_and(|rest| rest.ends_with('.'));
        is_name && loader.roots.iter().any(is_root)
    })
}

/// Whether a text can be an id of the hub: a name, or an organisation and a name.
pub fn is_hub_id(text: &str) -> bool {
    const ENDS: [&str; 14] = [
        ".pt",
        ".pth",
        ".onnx",
        ".bin",
        ".gguf",
        ".ggml",
        ".safetensors",
        ".json",
        ".pkl",
        ".joblib",
        ".h5",
        ".ckpt",
        ".zip",
        ".model",
    ];
    // Organisations of these names do not exist: they are folders.
    const FOLDERS: [&str; 18] = [
        "models",
        "model",
        "data",
        "checkpoints",
        "checkpoint",
        "weights",
        "output",
        "outputs",
        "app",
        "saved_models",
        "saved_model",
        "artifacts",
        "cache",
        "pretrained",
        "pretrained_models",
        "local",
        "assets",
        "resources",
    ];
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-'))
    };
    let mut parts = text.split('/');
    let (first, second, third) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    let is_folder = second.is_some() && FOLDERS.contains(&first.to_ascii_lowercase().as_str());
    third.is_none()
        && is_part(first)
        && second.is_none_or(is_part)
        && !is_folder
        && text.len() <= 96
        && !ENDS.iter().any(|end| text.ends_with(end))
        && text.chars().any(|ch| ch.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_are_known_by_library_and_name() {
        for (name, found) in [
            ("sentence_transformers.SentenceTransformer", Some("SentenceTransformer")),
            ("sentence_transformers.cross_encoder.CrossEncoder", Some("CrossEncoder")),
            ("langchain_huggingface.HuggingFaceEmbeddings", Some("HuggingFaceEmbeddings")),
            ("langchain.embeddings.HuggingFaceEmbeddings", Some("HuggingFaceEmbeddings")),
            ("langchainx.HuggingFaceEmbeddings", None),
            ("langchain_huggingface.HuggingFaceEndpointEmbeddings", None),
            ("transformers.AutoModel.from_pretrained", Some("from_pretrained")),
            ("torch.hub.load", Some("hub.load")),
            ("torch.load", None),
            ("spacy.load", Some("load")),
            ("mlflow.pyfunc.load_model", None),
            ("whisper.load_model", Some("load_model")),
        ] {
            assert_eq!(of(name).map(|loader| loader.name), found, "{name}");
        }
    }

    #[test]
    fn a_path_is_no_id() {
        for id in ["gpt2", "BAAI/bge-m3", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "intfloat/e5-base-v2"] {
            assert!(is_hub_id(id), "{id}");
        }
        for path in
            ["./m", "/models/x", "models/x", "a/b/c", "x.onnx", "", "../x", "https://x/y", "a b", "~/x", "C:\\x"]
        {
            assert!(!is_hub_id(path), "{path}");
        }
    }
}
