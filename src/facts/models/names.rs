//! From the names that people write to the repositories of the hub that they mean.

use super::loaders::How;
use super::loads::Load;

/// Names that sentence-transformers takes as they stand; any other name without an organisation is one of its own organisation.
///
/// Source: sentence-transformers `base/model.py`, `basic_transformer_models`: the same list in 2.2.2 and 6.2.0.
const AS_THEY_STAND: [&str; 68] = [
    "albert-base-v1",
    "albert-base-v2",
    "albert-large-v1",
    "albert-large-v2",
    "albert-xlarge-v1",
    "albert-xlarge-v2",
    "albert-xxlarge-v1",
    "albert-xxlarge-v2",
    "bert-base-cased-finetuned-mrpc",
    "bert-base-cased",
    "bert-base-chinese",
    "bert-base-german-cased",
    "bert-base-german-dbmdz-cased",
    "bert-base-german-dbmdz-uncased",
    "bert-base-multilingual-cased",
    "bert-base-multilingual-uncased",
    "bert-base-uncased",
    "bert-large-cased-whole-word-masking-finetuned-squad",
    "bert-large-cased-whole-word-masking",
    "bert-large-cased",
    "bert-large-uncased-whole-word-masking-finetuned-squad",
    "bert-large-uncased-whole-word-masking",
    "bert-large-uncased",
    "camembert-base",
    "ctrl",
    "distilbert-base-cased-distilled-squad",
    "distilbert-base-cased",
    "distilbert-base-german-cased",
    "distilbert-base-multilingual-cased",
    "distilbert-base-uncased-distilled-squad",
    "distilbert-base-uncased-finetuned-sst-2-english",
    "distilbert-base-uncased",
    "distilgpt2",
    "distilroberta-base",
    "gpt2-large",
    "gpt2-medium",
    "gpt2-xl",
    "gpt2",
    "openai-gpt",
    "roberta-base-openai-detector",
    "roberta-base",
    "roberta-large-mnli",
    "roberta-large-openai-detector",
    "roberta-large",
    "t5-11b",
    "t5-3b",
    "t5-base",
    "t5-large",
    "t5-small",
    "transfo-xl-wt103",
    "xlm-clm-ende-1024",
    "xlm-clm-enfr-1024",
    "xlm-mlm-100-1280",
    "xlm-mlm-17-1280",
    "xlm-mlm-en-2048",
    "xlm-mlm-ende-1024",
    "xlm-mlm-enfr-1024",
    "xlm-mlm-enro-1024",
    "xlm-mlm-tlm-xnli15-1024",
    "xlm-mlm-xnli15-1024",
    "xlm-roberta-base",
    "xlm-roberta-large-finetuned-conll02-dutch",
    "xlm-roberta-large-finetuned-conll02-spanish",
    "xlm-roberta-large-finetuned-conll03-english",
    "xlm-roberta-large-finetuned-conll03-german",
    "xlm-roberta-large",
    "xlnet-base-cased",
    "xlnet-large-cased",
];

/// Sizes of faster-whisper and their repositories. Source: faster-whisper 1.2.1 `utils.py`; the same since 0.10 as far as the names are
/// older.
const FASTER_WHISPER: [(&str, &str); 19] = [
    ("tiny.en", "Systran/faster-whisper-tiny.en"),
    ("tiny", "Systran/faster-whisper-tiny"),
    ("base.en", "Systran/faster-whisper-base.en"),
    ("base", "Systran/faster-whisper-base"),
    ("small.en", "Systran/faster-whisper-small.en"),
    ("small", "Systran/faster-whisper-small"),
    ("medium.en", "Systran/faster-whisper-medium.en"),
    ("medium", "Systran/faster-whisper-medium"),
    ("large-v1", "Systran/faster-whisper-large-v1"),
    ("large-v2", "Systran/faster-whisper-large-v2"),
    ("large-v3", "Systran/faster-whisper-large-v3"),
    ("large", "Systran/faster-whisper-large-v3"),
    ("distil-large-v2", "Systran/faster-distil-whisper-large-v2"),
    ("distil-medium.en", "Systran/faster-distil-whisper-medium.en"),
    ("distil-small.en", "Systran/faster-distil-whisper-small.en"),
    ("distil-large-v3", "Systran/faster-distil-whisper-large-v3"),
    ("distil-large-v3.5", "distil-whisper/distil-large-v3.5-ct2"),
    ("large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
    ("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
];

/// How the names of the organisation sentence-transformers begin, in lower case: what else is written without an organisation, such as the
/// name of a model behind an API, is none of them.
const OF_SENTENCE_TRANSFORMERS: [&str; 26] = [
    "all-",
    "paraphrase-",
    "multi-qa-",
    "distiluse-",
    "msmarco-",
    "stsb-",
    "nli-",
    "nq-",
    "quora-",
    "xlm-r-",
    "gtr-t5-",
    "sentence-t5-",
    "labse",
    "clip-vit-",
    "allenai-specter",
    "average_word_embeddings_",
    "bert-base-",
    "bert-large-",
    "roberta-base-",
    "roberta-large-",
    "distilbert-",
    "distilroberta-base-",
    "facebook-dpr-",
    "static-",
    "use-cmlm-",
    "embeddinggemma-300m-medical",
];

/// Whether a name without an organisation is one of the hub that a library takes so.
pub fn is_known_short(name: &str, how: How) -> bool {
    let lower = name.to_lowercase();
    let stands = AS_THEY_STAND.contains(&lower.as_str());
    match how {
        How::SentenceTransformers => stands || OF_SENTENCE_TRANSFORMERS.iter().any(|start| lower.starts_with(start)),
        How::FasterWhisper => FASTER_WHISPER.iter().any(|(size, _)| *size == name),
        _ => stands,
    }
}

impl Load {
    /// The id as people know it: of the hub with its organisation, else as the library takes it.
    pub fn name(&self) -> String {
        let id = &self.id.value;
        let is_short = !id.contains('/') && !AS_THEY_STAND.contains(&id.to_lowercase().as_str());
        if self.how == How::SentenceTransformers && is_short {
            return format!("sentence-transformers/{id}");
        }
        id.clone()
    }

    /// The repository of the hub that holds the files; none where the library has a way of its own.
    pub fn repository(&self) -> Option<String> {
        match self.how {
            How::Hub | How::SentenceTransformers => Some(self.name()),
            How::FasterWhisper if self.id.value.contains('/') => Some(self.id.value.clone()),
            How::FasterWhisper => {
                FASTER_WHISPER.iter().find(|(size, _)| *size == self.id.value).map(|(_, id)| (*id).to_owned())
            }
            _ => None,
        }
    }
}
