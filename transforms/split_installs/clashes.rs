//! What shows only when two packages of one environment are looked at together: files that both write, and `pip check`.

use std::collections::BTreeSet;

/// Distributions that write the same paths, so that the one that is installed last wins. Source: the top-level names in their wheels.
#[rustfmt::skip]
const SAME_FILES: &[&[&str]] = &[
    &["attr", "attrs"],
    &["awesome-slugify", "python-slugify", "slugify", "unicode-slugify"],
    &["bson", "pymongo"],
    &["cupy", "cupy-cuda101", "cupy-cuda102", "cupy-cuda110", "cupy-cuda111", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x"],
    &["databricks-connect", "pyspark"],
    &["discord-py", "discord-py-self", "py-cord"],
    &["docx", "python-docx"],
    &["dotenv", "python-dotenv"],
    &["faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12"],
    &["ffmpeg", "ffmpeg-python", "python-ffmpeg"],
    &["filemagic", "libmagic", "magic", "python-magic", "python-magic-bin"],
    &["fitz", "pymupdf"],
    &["fpdf", "fpdf2"],
    &["gdal", "pygdal"],
    &["intel-tensorflow", "tensorflow", "tensorflow-aarch64", "tensorflow-cpu", "tensorflow-cpu-aws", "tensorflow-gpu",
      "tensorflow-intel", "tensorflow-rocm", "tf-nightly"],
    &["jose", "python-jose"],
    &["jwt", "pyjwt"],
    &["kafka", "kafka-python", "kafka-python-ng"],
    &["multipart", "python-multipart"],
    &["mxnet", "mxnet-cu101", "mxnet-cu102", "mxnet-cu112"],
    &["mysql-connector", "mysql-connector-python"],
    &["mysql-python", "mysqlclient"],
    &["onnxruntime", "onnxruntime-directml", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-training"],
    &["openai-whisper", "whisper"],
    &["opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python", "opencv-python-headless"],
    &["paddlepaddle", "paddlepaddle-gpu"],
    &["pdfminer", "pdfminer-six", "pdfminer3k"],
    &["pillow", "pillow-simd"],
    &["pinecone", "pinecone-client"],
    &["polars", "polars-lts-cpu", "polars-u64-idx"],
    &["psycopg2", "psycopg2-binary"],
    &["pycrypto", "pycryptodome"],
    &["pyserial", "serial"],
    &["python-telegram-bot", "telegram"],
    &["pytorch-triton", "pytorch-triton-rocm", "triton", "triton-nightly"],
    &["websocket", "websocket-client"],
    &["xgboost", "xgboost-cpu"],
];

/// A package of `step` and one that only a later step has, both of which write the same files.
pub fn clash(step: &BTreeSet<String>, all: &BTreeSet<String>) -> Option<(&'static str, &'static str)> {
    SAME_FILES.iter().find_map(|group| {
        let first = group.iter().find(|name| step.contains(**name))?;
        let later = group.iter().find(|name| all.contains(**name) && !step.contains(**name))?;
        Some((*first, *later))
    })
}

/// Why somebody has to look at a clash.
pub fn doubt((first, later): (&str, &str)) -> String {
    format!("{first} and {later} write the same files, and that of the last step now wins")
}

/// Whether a file of instructions runs `pip check`, in whatever form: pip's, uv's, that of a module.
pub fn checks(text: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let is_break = |ch: char| ch.is_whitespace() || "\"'`,;()[]{}&|\\".contains(ch);
    let words: Vec<&str> = code.flat_map(|line| line.split(is_break)).filter(|word| !word.is_empty()).collect();
    let is_pip = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        name.strip_prefix("pip").is_some_and(|rest| rest.chars().all(|ch| ch.is_ascii_digit() || ch == '.'))
    };
    words.iter().enumerate().filter(|(_, word)| is_pip(word)).any(|(at, _)| {
        // Behind an option one word may be its value.
        let behind = words[at + 1..].iter().take(6).take_while(|word| !is_pip(word));
        let mut after_option = true;
        for word in behind {
            if *word == "check" {
                return true;
            }
            let is_option = word.starts_with('-');
            if !is_option && (!after_option || words[at + 1] == *word) {
                return false;
            }
            after_option = is_option;
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_found_in_each_form() {
        let found = [
            "RUN pip check",
            "RUN pip install a && \\\n  python -m pip check",
            "RUN uv pip check",
            "RUN [\"/opt/venv/bin/pip3.11\", \"check\"]",
            "RUN pip --disable-pip-version-check check",
            "RUN pip --python /opt/venv check",
            "RUN <<EOF\npip check\nEOF",
        ];
        for text in found {
            assert!(checks(text), "{text}");
        }
        for text in
            ["# pip check", "RUN pip install check", "RUN pipenv check", "RUN pip install -q a && ./check", "RUN pip"]
        {
            assert!(!checks(text), "{text}");
        }
    }

    #[test]
    fn only_what_is_divided_clashes() {
        let names = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let both = names(&["slugify", "python-slugify", "six"]);
        assert_eq!(clash(&names(&["slugify"]), &both), Some(("slugify", "python-slugify")));
        assert_eq!((clash(&both, &both), clash(&names(&["six"]), &both)), (None, None));
    }
}
