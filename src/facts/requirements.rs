//! Requirements files of pip, and the requirements on its command line, read as pip reads them.
//!
//! Sources: pypa/pip `src/pip/_internal/req/req_file.py` (lines, comments, options) and `req/constructors.py` (what is
//! a path, what a URL), as of pip 24; PEP 508 and packaging's `_parser.py` (requirements and markers); PEP 440
//! (versions); PEP 503 (names). pip reads options with Python's `shlex` and `optparse`, so this does as well.
//!
//! Nothing here looks at the disk. Where pip asks whether a directory exists, it is taken to exist.

/// One thing that a requirements file says.
///
/// A line with several options for the whole command becomes several of these, in the order written and with the same
/// `line` and `text`. A line that pip reads and then ignores (`--hash` without a requirement) becomes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The first of the physical lines, counted from 1 as Python counts them (a form feed ends a line too).
    pub line: usize,
    /// The physical lines joined, without the comment and the white space around, variables not expanded.
    pub text: String,
    /// What it says while no variable in it is set.
    pub entry: Entry,
}

/// What a line, or a word on the command line, asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A named requirement, to be found on an index.
    Requirement(Requirement),
    /// `-r`, `--requirement`: a path or a URL, as written. See [`nested`].
    Include(String),
    /// `-c`, `--constraint`: a path or a URL, as written. See [`nested`].
    Constraint(String),
    /// `-e`, `--editable`: a directory, perhaps with extras, or a URL, as written.
    Editable(String),
    /// A path without its extras, or a `file:` URL with or without a name in front (which is dropped).
    Local(String),
    /// Any other URL.
    Remote {
        /// Normalised as PEP 503 says: written in front, or from `#egg=`, or from the file name of a wheel.
        name: Option<String>,
        /// Without the marker.
        url: String,
    },
    /// An option for the whole command. Of several `--index-url` the last counts, of several `--find-links` on one
    /// line the first.
    Option {
        /// The full spelling, with the dashes.
        name: String,
        /// `None` for a switch.
        value: Option<String>,
    },
    /// pip refuses it, and with it the whole file, for the reason given.
    Unreadable(String),
}

/// A requirement with a name and without a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Normalised as PEP 503 says: lower case, one `-` between the parts.
    pub name: String,
    /// Normalised like the name, sorted, each once.
    pub extras: Vec<String>,
    /// The clauses in the order written, each once, without white space, joined by `,`; empty for any version.
    pub specifier: String,
    /// What follows the `;`, as written.
    pub marker: Option<String>,
    /// How many `--hash`.
    pub hashes: usize,
    /// `--config-settings=…` and `--global-option=…`, in the order written.
    pub other_options: Vec<String>,
}

impl Requirement {
    /// The version, if one `==` without a wildcard or one `===` is all the specifier says.
    ///
    /// This is about the package itself: what it depends on may still vary.
    pub fn pin(&self) -> Option<&str> {
        let version = self.specifier.strip_prefix("===").or_else(|| self.specifier.strip_prefix("=="))?;
        (!version.is_empty() && !version.contains(',') && !version.ends_with('*')).then_some(version)
    }
}

impl Line {
    /// Whether pip would put an environment variable in (`${NAME}` in upper case), so that `entry` may not hold.
    pub fn uses_variable(&self) -> bool {
        self.text.split("${").skip(1).any(|after| {
            after.split_once('}').is_some_and(|(name, _)| {
                let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
                !name.is_empty() && name.bytes().all(allowed)
            })
        })
    }
}

impl Entry {
    /// Whether installing it reads the disk besides other requirements files: paths, `file:` URLs, repositories on
    /// the disk, directories of archives.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Editable(target) => !is_remote(target),
            Self::Remote { url, .. } => !is_remote(url),
            Self::Option { name, value: Some(value) } => {
                matches!(&**name, "--find-links" | "--index-url" | "--extra-index-url") && !is_remote(value)
            }
            _ => false,
        }
    }
}

/// The path of a file named by `-r` or `-c` in `file`, as pip joins it: beside `file`, and not cleaned up.
/// `None` if either of them is a URL.
pub fn nested(file: &str, named: &str) -> Option<String> {
    let is_url = |path: &str| scheme(path).is_some_and(|scheme| matches!(&*scheme, "http" | "https" | "file"));
    if is_url(file) || is_url(named) {
        return None;
    }
    match file.rfind('/') {
        Some(slash) if !named.starts_with('/') => Some(format!("{}{named}", &file[..=slash])),
        _ => Some(named.to_owned()),
    }
}

/// Reads a requirements file. The byte order mark is not part of the text.
pub fn read(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for (line, joined) in logical_lines(text) {
        let text = without_comment(&joined);
        if !text.is_empty() {
            lines.extend(entries(text).into_iter().map(|entry| Line { line, text: text.to_owned(), entry }));
        }
    }
    lines
}

/// Reads a requirement on the command line: one word, as the shell hands it over. Options are not for this.
pub fn read_argument(word: &str) -> Entry {
    if word.starts_with('-') {
        return Entry::Unreadable(format!("`{word}` is an option"));
    }
    requirement(word, &[]).unwrap_or_else(Entry::Unreadable)
}

/// Whether a package, named as PEP 503 normalises, is large or slow to install.
pub fn is_heavy(name: &str) -> bool {
    HEAVY_FAMILIES.iter().any(|family| name.starts_with(family)) || HEAVY.binary_search(&name).is_ok()
}

/// Packages that take about 50 MB or more once installed, alone or with what they always bring, or that most often
/// are compiled on the spot for minutes. Sizes are from memory of wheels for Linux, not measured. Sorted.
#[rustfmt::skip]
const HEAVY: &[&str] = &[
    "accelerate", "ale-py", "allennlp", "ansible", "apache-airflow", "apache-beam", "apache-flink", "apache-tvm",
    "arcgis", "auto-gptq", "autoawq", "autogluon", "av", "azure-cli", "azure-mgmt-compute", "azure-mgmt-network",
    "bertopic", "bitsandbytes", "bokeh", "cartopy", "catboost", "chromadb", "cmake", "coqui-tts", "ctranslate2", "cupy",
    "cvxpy", "dask-cuda", "databricks-connect", "datasets", "deepface", "deepspeed", "demucs", "detectron2", "dgl",
    "diffusers", "dlib", "docling", "duckdb", "easyocr", "evaluate", "exllamav2", "face-recognition", "fairseq",
    "faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12", "fastai", "fastembed", "faster-whisper",
    "flagembedding", "flair", "flash-attn", "flax", "gdal", "gensim", "geopandas", "gliner", "google-api-python-client",
    "google-cloud-aiplatform", "gradio", "grpcio-tools", "gymnasium", "h2o", "h5py", "haystack-ai", "insightface",
    "jax", "jax-cuda11-plugin", "jax-cuda12-pjrt", "jax-cuda12-plugin", "jaxlib", "jupyter", "jupyterlab", "kaleido",
    "keras", "kornia", "langchain-community", "langchain-huggingface", "librosa", "lightgbm", "lightning",
    "llama-cpp-python", "llama-index", "llama-index-core", "llvmlite", "magic-pdf", "manim", "marker-pdf", "matplotlib",
    "mediapipe", "mlflow", "mlx", "mmcv", "mmcv-full", "mmdet", "modin", "moviepy", "mxnet", "mxnet-cu101",
    "mxnet-cu102", "mxnet-cu112", "nemo-toolkit", "notebook", "numba", "numpy", "onnx", "onnxruntime",
    "onnxruntime-directml", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-training", "open-clip-torch",
    "open3d", "openai-whisper", "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless", "openvino", "optimum", "paddleocr", "paddlepaddle", "paddlepaddle-gpu", "pandas", "peft",
    "playwright", "plotly", "polars", "polars-lts-cpu", "polars-u64-idx", "prophet", "pyannote-audio", "pyarrow",
    "pycaret", "pymc", "pymupdf", "pyqt5", "pyqt5-qt5", "pyqt6", "pyqt6-qt6", "pyqtwebengine", "pyside2", "pyside6",
    "pyside6-addons", "pyside6-essentials", "pyspark", "pytorch-lightning", "pyvista", "qiskit", "rapidocr",
    "rapidocr-onnxruntime", "rasa", "rasterio", "ray", "rdkit", "rdkit-pypi", "sagemaker", "scikit-image",
    "scikit-learn", "scipy", "seaborn", "semgrep", "sentence-transformers", "sglang", "shap", "sktime",
    "snowflake-snowpark-python", "spacy", "spacy-transformers", "speechbrain", "stable-baselines3", "stanza",
    "statsmodels", "streamlit", "surya-ocr", "sympy", "tables", "tensorboard", "tensorflow", "tensorflow-addons",
    "tensorflow-cpu", "tensorflow-cpu-aws", "tensorflow-gpu", "tensorflow-hub", "tensorflow-intel", "tensorflow-io",
    "tensorflow-model-optimization", "tensorflow-probability", "tensorflow-rocm", "tensorflow-serving-api",
    "tensorflow-text", "tensorrt", "tensorrt-cu11", "tensorrt-cu12", "tensorrt-llm", "tf-keras", "tf-nightly",
    "tflite-runtime", "theano", "thinc", "timm", "torch", "torch-geometric", "torch-scatter", "torch-sparse",
    "torch-tensorrt", "torchaudio", "torchdata", "torchmetrics", "torchtext", "torchvision", "transformers", "triton",
    "trl", "tts", "ultralytics", "umap-learn", "unbabel-comet", "unsloth", "unstructured", "unstructured-inference",
    "uwsgi", "vllm", "vtk", "whisperx", "wordcloud", "wxpython", "xarray", "xformers", "xgboost", "xgboost-cpu",
    "yolov5",
];

/// Starts of names that are all heavy. Not all of `nvidia-`: `nvidia-ml-py` is small.
const HEAVY_FAMILIES: &[&str] = &[
    "cudf-",
    "cuml-",
    "cupy-",
    "nvidia-cu",
    "nvidia-dali",
    "nvidia-nccl",
    "nvidia-npp",
    "nvidia-nv",
    "nvidia-tensorrt",
];

/// Ends of file names by which pip knows an archive, in lower case.
const ARCHIVES: &[&str] =
    &[".zip", ".whl", ".tar.bz2", ".tbz", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"];

// Lines

/// What Python's `str.splitlines` splits at, besides `\r\n`.
fn ends_line(ch: char) -> bool {
    matches!(ch, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// White space as Python has it, which counts four separators that Unicode's property leaves out.
fn is_space(ch: char) -> bool {
    ch.is_whitespace() || matches!(ch, '\x1c'..='\x1f')
}

fn physical_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(ends_line) {
        lines.push(&rest[..at]);
        rest = &rest[at..];
        rest = rest.strip_prefix("\r\n").unwrap_or_else(|| rest.strip_prefix(ends_line).unwrap_or(rest));
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Lines with the ones they continue joined to them, and the number of the first. A comment is not continued, but it
/// does end what was being continued.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in physical_lines(text).into_iter().enumerate() {
        let comment = line.trim_start_matches(is_space).starts_with('#');
        let (first, mut joined) = open.take().unwrap_or_else(|| (index + 1, String::new()));
        if line.ends_with('\\') && !comment {
            // pip strips them off the start as well.
            joined.push_str(line.trim_matches('\\'));
            open = Some((first, joined));
            continue;
        }
        if comment {
            // Else the `#` could come to stand right behind a word.
            joined.push(' ');
        }
        joined.push_str(line);
        lines.push((first, joined));
    }
    lines.extend(open);
    lines
}

fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    let mut end = line.len();
    for (at, ch) in line.char_indices() {
        if ch == '#' && is_space(before) {
            end = at;
            break;
        }
        before = ch;
    }
    line[..end].trim_matches(is_space)
}

/// What one logical line says. Only what comes first of: requirement, `-e`, `-r`, `-c` has any effect in pip.
fn entries(text: &str) -> Vec<Entry> {
    // Options start at the first word with a dash; only spaces part words here.
    let options_at = if text.starts_with('-') { Some(0) } else { text.find(" -") };
    let (argument, options) = text.split_at(options_at.unwrap_or(text.len()));
    let options = match shell_words(options).and_then(read_options) {
        Ok(options) => options,
        Err(why) => return vec![Entry::Unreadable(why)],
    };
    if !argument.is_empty() {
        return vec![requirement(argument, &options).unwrap_or_else(Entry::Unreadable)];
    }
    let one = |name: &str| options.iter().find(|found| found.name == name).and_then(|found| found.value.clone());
    if let Some(target) = one("--editable") {
        return vec![Entry::Editable(target)];
    }
    if let Some(file) = one("--requirement") {
        return vec![Entry::Include(file)];
    }
    if let Some(file) = one("--constraint") {
        return vec![Entry::Constraint(file)];
    }
    let whole = options.into_iter().filter(|found| !OF_A_REQUIREMENT.contains(&found.name));
    whole.map(|found| Entry::Option { name: found.name.to_owned(), value: found.value }).collect()
}

// Options

/// Spelling, what it stands for, and whether it takes a value.
const OPTIONS: &[(&str, &str, bool)] = &[
    ("--config-settings", "--config-settings", true),
    ("--constraint", "--constraint", true),
    ("--editable", "--editable", true),
    ("--extra-index-url", "--extra-index-url", true),
    ("--find-links", "--find-links", true),
    ("--global-option", "--global-option", true),
    ("--hash", "--hash", true),
    ("--index-url", "--index-url", true),
    ("--no-binary", "--no-binary", true),
    ("--no-index", "--no-index", false),
    ("--only-binary", "--only-binary", true),
    ("--pre", "--pre", false),
    ("--prefer-binary", "--prefer-binary", false),
    ("--pypi-url", "--index-url", true),
    ("--require-hashes", "--require-hashes", false),
    ("--requirement", "--requirement", true),
    ("--trusted-host", "--trusted-host", true),
    ("--use-feature", "--use-feature", true),
];

/// Options that mean something behind a requirement only.
const OF_A_REQUIREMENT: &[&str] = &["--hash", "--global-option", "--config-settings"];

struct Given {
    name: &'static str,
    value: Option<String>,
}

/// Words as Python's `shlex.split` makes them, in POSIX mode and without comments.
fn shell_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        match ch {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("nothing behind a backslash")?),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a quotation is not closed")? {
                        end if end == ch => break,
                        '\\' if ch == '"' => {
                            let escaped = chars.next().ok_or("nothing behind a backslash")?;
                            if !matches!(escaped, '\\' | '"') {
                                word.push('\\');
                            }
                            word.push(escaped);
                        }
                        plain => word.push(plain),
                    }
                }
            }
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Options as Python's `optparse` reads them. Words that are none are passed over, as is all behind `--`.
fn read_options(words: Vec<String>) -> Result<Vec<Given>, String> {
    let mut found = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let (name, takes_value, glued) = if word.starts_with("--") {
            let (spelling, glued) = match word.split_once('=') {
                Some((spelling, value)) => (spelling, Some(value.to_owned())),
                None => (&*word, None),
            };
            let (name, takes_value) = long_option(spelling)?;
            (name, takes_value, glued)
        } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
            let mut rest = short.chars();
            let name = rest.next().and_then(short_option).ok_or_else(|| format!("no such option: {word}"))?;
            (name, true, Some(rest.as_str().to_owned()).filter(|rest| !rest.is_empty()))
        } else {
            continue;
        };
        let value = match (takes_value, glued) {
            (true, glued) => {
                let value = glued.or_else(|| words.next()).ok_or_else(|| format!("{name} requires a value"))?;
                check_value(name, &value)?;
                Some(value)
            }
            (false, None) => None,
            (false, Some(_)) => return Err(format!("{name} does not take a value")),
        };
        found.push(Given { name, value });
    }
    Ok(found)
}

/// An option by its full spelling, or by a start of it that no other has.
fn long_option(spelling: &str) -> Result<(&'static str, bool), String> {
    if let Some(&(_, name, takes_value)) = OPTIONS.iter().find(|option| option.0 == spelling) {
        return Ok((name, takes_value));
    }
    let mut possible = OPTIONS.iter().filter(|option| option.0.starts_with(spelling));
    match (possible.next(), possible.next()) {
        (Some(&(_, name, takes_value)), None) => Ok((name, takes_value)),
        (None, _) => Err(format!("no such option: {spelling}")),
        _ => Err(format!("ambiguous option: {spelling}")),
    }
}

/// All of them take a value.
fn short_option(letter: char) -> Option<&'static str> {
    Some(match letter {
        'C' => "--config-settings",
        'c' => "--constraint",
        'e' => "--editable",
        'f' => "--find-links",
        'i' => "--index-url",
        'r' => "--requirement",
        _ => return None,
    })
}

fn check_value(name: &str, value: &str) -> Result<(), String> {
    let fits = match name {
        "--hash" => matches!(value.split_once(':'), Some(("sha256" | "sha384" | "sha512", _))),
        "--config-settings" => value.contains('='),
        "--no-binary" | "--only-binary" => !value.starts_with('-'),
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("{name} does not take `{value}`")) }
}

// Requirements, paths and URLs

fn requirement(text: &str, options: &[Given]) -> Result<Entry, String> {
    // In a URL the `;` may stand for itself.
    let url_scheme = known_scheme(text);
    let separator = if url_scheme.is_some() { "; " } else { ";" };
    let (text, marker) = match text.split_once(separator) {
        Some((text, marker)) => (text, Some(marker.trim_matches(is_space)).filter(|marker| !marker.is_empty())),
        None => (text, None),
    };
    if let Some(marker) = marker {
        let mut cursor = Cursor::new(marker);
        cursor.marker(0)?;
        cursor.end()?;
    }
    let text = text.trim_matches(is_space);
    check_host(text)?;
    if let Some(scheme) = url_scheme {
        let name = project_of(text)?;
        let url = text.to_owned();
        return Ok(if scheme == "file" { Entry::Local(url) } else { Entry::Remote { name, url } });
    }

    let (path, extras) = split_extras(text);
    let path_extras = extras.map(|extras| Ok::<_, String>(Cursor::named(&format!("x{extras}"))?.extras)).transpose()?;
    let file = last_component(path);
    // `name@file.zip` is a requirement with a URL, which a later step may refuse.
    let has_url = text.split_once('@').is_some_and(|(name, _)| !looks_like_path(name));
    if is_archive(file) && !has_url {
        if extension(file) == ".whl" {
            project_of_wheel(&unquoted(file))?;
        }
        return Ok(Entry::Local(path.to_owned()));
    }

    // `htps://x` would be a directory, if there were such a one.
    let is_odd_url = text.contains("://") && !text.starts_with(['.', '/']);
    let named = match Cursor::named(text) {
        Ok(named) => named,
        Err(_) if looks_like_path(text) && !is_odd_url => return Ok(Entry::Local(path.to_owned())),
        Err(why) => return Err(why),
    };
    let name = normalised(named.name);
    if let Some(url) = named.url {
        check_host(url)?;
        return match known_scheme(url).as_deref() {
            Some("file") => Ok(Entry::Local(url.to_owned())),
            Some(_) => Ok(Entry::Remote { name: Some(name), url: url.to_owned() }),
            None => Err(format!("`{url}` is not a URL that pip can fetch")),
        };
    }
    let mut extras: Vec<String> = path_extras.unwrap_or(named.extras).iter().map(|extra| normalised(extra)).collect();
    extras.sort_unstable();
    extras.dedup();
    let of_it = options.iter().filter(|option| OF_A_REQUIREMENT.contains(&option.name));
    let (hashes, others): (Vec<_>, Vec<_>) = of_it.partition(|option| option.name == "--hash");
    let written = |option: &Given| format!("{}={}", option.name, option.value.as_deref().unwrap_or_default());
    Ok(Entry::Requirement(Requirement {
        name,
        extras,
        specifier: named.clauses.join(","),
        marker: marker.map(str::to_owned),
        hashes: hashes.len(),
        other_options: others.into_iter().map(written).collect(),
    }))
}

/// Normalises the name of a package or of an extra as PEP 503 says.
fn normalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for ch in name.chars() {
        match ch {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            _ => out.push(ch.to_ascii_lowercase()),
        }
    }
    out
}

/// The scheme in front of a URL, in lower case.
fn scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.trim_start_matches(|ch| ch <= ' ').split_once(':')?;
    let letters = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    (letters && scheme.starts_with(|ch: char| ch.is_ascii_alphabetic())).then(|| scheme.to_ascii_lowercase())
}

/// The scheme, if pip knows a URL by it: of a download, or of a version control system and how to reach it.
fn known_scheme(text: &str) -> Option<String> {
    scheme(text).filter(|scheme| match scheme.split_once('+') {
        None => matches!(&**scheme, "file" | "ftp" | "http" | "https"),
        Some(("bzr", over)) => matches!(over, "file" | "ftp" | "http" | "https" | "lp" | "sftp" | "ssh"),
        Some(("git", over)) => matches!(over, "file" | "git" | "http" | "https" | "ssh"),
        Some(("hg", over)) => matches!(over, "file" | "http" | "https" | "ssh" | "static-http"),
        Some(("svn", over)) => matches!(over, "file" | "http" | "https" | "ssh" | "svn"),
        Some(_) => false,
    })
}

/// Whether it has a scheme, and not one of the disk. `git:` and the like pip takes for `git+git:` behind `-e`.
fn is_remote(target: &str) -> bool {
    scheme(target).is_some_and(|scheme| {
        let fetched = known_scheme(target).is_some() || matches!(&*scheme, "git" | "ssh" | "hg" | "svn" | "bzr");
        fetched && scheme.rsplit('+').next() != Some("file")
    })
}

/// Host, path, and the rest of a URL (or of a path, which has no host).
fn split_url(url: &str) -> (&str, &str) {
    let rest = match scheme(url) {
        Some(_) => url.split_once(':').map_or(url, |(_, rest)| rest),
        None => url,
    };
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    (host, path.split(['?', '#']).next().unwrap_or(path))
}

/// Refuses what Python and pip do: brackets in a host unless around an IPv6 address, and files of another host.
fn check_host(url: &str) -> Result<(), String> {
    let host = split_url(url).0;
    let mut fits = true;
    if host.contains(['[', ']']) {
        let address = host.rsplit('@').next().and_then(|host| host.strip_prefix('[')?.split_once(']'));
        fits = address.is_some_and(|(address, port)| {
            address.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || port.starts_with(':'))
        });
    }
    if scheme(url).as_deref() == Some("file") {
        fits &= url.starts_with("file:") && matches!(host, "" | "localhost");
    }
    if fits { Ok(()) } else { Err(format!("`{url}` is not a URL that pip can read")) }
}

/// The name of the package behind a URL, if the URL tells.
fn project_of(url: &str) -> Result<Option<String>, String> {
    let path = unquoted(split_url(url).1);
    let path = path.trim_end_matches('/');
    let file = path.rsplit('/').next().unwrap_or(path);
    if extension(file) == ".whl" {
        return project_of_wheel(&unquoted(file)).map(Some);
    }
    // pip makes such a URL absolute, and the fragment gets lost on the way.
    if url.contains("../") && scheme(url).as_deref() == Some("file") {
        return Ok(None);
    }
    let Some(at) = url.match_indices("egg=").map(|(at, _)| at).find(|&at| url[..at].ends_with(['#', '&'])) else {
        return Ok(None);
    };
    let egg = &url[at + "egg=".len()..];
    let egg = egg.split('&').next().unwrap_or(egg);
    Ok(Some(normalised(Cursor::named(egg)?.name)))
}

/// The name of the package in a wheel: `name-version[-build]-python-abi-platform.whl`.
fn project_of_wheel(file: &str) -> Result<String, String> {
    let refused = || format!("`{file}` is not the name of a wheel");
    let parts: Vec<&str> = file.strip_suffix(".whl").ok_or_else(refused)?.split('-').collect();
    let (name, version, build, tags) = match *parts.as_slice() {
        [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
        [name, version, build, python, abi, platform] => (name, version, Some(build), [python, abi, platform]),
        _ => return Err(refused()),
    };
    let build_fits = build.is_none_or(|build| build.starts_with(|ch: char| ch.is_ascii_digit()));
    let filled = !name.is_empty() && tags.iter().all(|tag| !tag.is_empty() && !tag.contains(is_space));
    if !build_fits || !filled || name.contains(is_space) || version.contains(is_space) {
        return Err(refused());
    }
    let pinned = format!("{}=={}", name.replace('_', "-"), version.replace('_', "-"));
    Ok(normalised(Cursor::named(&pinned)?.name))
}

/// Resolves `%xx`.
fn unquoted(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let code = if byte == b'%' { after.get(..2) } else { None };
        let code = code.filter(|code| code.iter().all(u8::is_ascii_hexdigit));
        match code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// On Linux: `C:\x` is no path.
fn looks_like_path(text: &str) -> bool {
    text.contains('/') || text.starts_with('.')
}

/// Parts `[…]` off the end.
fn split_extras(text: &str) -> (&str, Option<&str>) {
    let path = text.trim_end_matches('/');
    let Some(inner) = path.strip_suffix(']') else { return (text, None) };
    let open = inner.rfind('[').filter(|&open| open + 1 < inner.len() && !inner[open..].contains(']'));
    open.map_or((text, None), |open| (&path[..open], Some(&path[open..])))
}

/// The last part of a path once `.`, `..` and needless slashes are resolved; empty for the directory it starts from.
fn last_component(path: &str) -> &str {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.pop().unwrap_or_default()
}

fn is_archive(file: &str) -> bool {
    ARCHIVES.contains(&&*extension(file).to_ascii_lowercase())
}

/// From the last dot on, or from `.tar` in front of it. Dots at the start of a name do not count.
fn extension(file: &str) -> &str {
    let stem = file.trim_start_matches('.');
    let hidden = file.len() - stem.len();
    let Some(dot) = stem.rfind('.') else { return "" };
    let at = hidden + dot;
    let before = &file.as_bytes()[..at];
    let tar = before.len() >= 4 && before[before.len() - 4..].eq_ignore_ascii_case(b".tar");
    &file[if tar { at - 4 } else { at }..]
}

// The grammar of PEP 508

/// How deep parentheses in a marker may go. Python gives up as well, somewhat further down.
const DEPTH: usize = 100;

const VARIABLES: &[&str] = &[
    "python_version",
    "python_full_version",
    "os.name",
    "os_name",
    "sys.platform",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform.version",
    "platform_version",
    "platform.machine",
    "platform_machine",
    "platform.python_implementation",
    "platform_python_implementation",
    "python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
];

/// A requirement taken apart.
struct Named<'a> {
    name: &'a str,
    extras: Vec<String>,
    url: Option<&'a str>,
    /// Each an operator and a version, without white space and only once.
    clauses: Vec<String>,
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// White space is only this much in the grammar, though within a clause it is all that Python knows.
    fn skip_blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    fn end(&self) -> Result<(), String> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> String {
        format!("`{}` does not continue as PEP 508 says at `{}`", self.text, self.rest())
    }

    /// `\b` of Python's regular expressions.
    fn is_boundary(&self, at: usize) -> bool {
        let in_word = |ch: char| ch.is_alphanumeric() || ch == '_';
        let (before, after) = self.text.split_at(at);
        before.chars().next_back().is_some_and(in_word) != after.chars().next().is_some_and(in_word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let there =
            self.rest().starts_with(word) && self.is_boundary(self.at) && self.is_boundary(self.at + word.len());
        there && self.eat(word)
    }

    /// The name of a package or an extra. It ends at a boundary, so `_` may be the last of it but not `-`.
    fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if !rest.starts_with(|ch: char| ch.is_ascii_alphanumeric()) {
            return None;
        }
        let allowed = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-');
        let longest = rest.find(|ch| !allowed(ch)).unwrap_or(rest.len());
        let length = (1..=longest).rev().find(|&length| self.is_boundary(self.at + length))?;
        self.at += length;
        Some(&rest[..length])
    }

    fn named(text: &'a str) -> Result<Named<'a>, String> {
        let mut cursor = Self::new(text);
        cursor.skip_blank();
        let name = cursor.identifier().ok_or_else(|| cursor.unexpected())?;
        cursor.skip_blank();
        let extras = cursor.extras()?;
        cursor.skip_blank();
        let mut named = Named { name, extras, url: None, clauses: Vec::new() };
        if cursor.eat("@") {
            cursor.skip_blank();
            let rest = cursor.rest();
            let url = rest.split([' ', '\t']).next().filter(|url| !url.is_empty());
            let url = url.ok_or_else(|| cursor.unexpected())?;
            cursor.at += url.len();
            named.url = Some(url);
        } else {
            named.clauses = cursor.clauses()?;
        }
        cursor.skip_blank();
        if cursor.eat(";") {
            cursor.marker(0)?;
        }
        cursor.end()?;
        Ok(named)
    }

    fn extras(&mut self) -> Result<Vec<String>, String> {
        let mut extras = Vec::new();
        if !self.eat("[") {
            return Ok(extras);
        }
        self.skip_blank();
        if let Some(first) = self.identifier() {
            extras.push(first.to_owned());
            self.skip_blank();
            while self.eat(",") {
                self.skip_blank();
                extras.push(self.identifier().ok_or_else(|| self.unexpected())?.to_owned());
                self.skip_blank();
            }
        }
        self.skip_blank();
        if self.eat("]") { Ok(extras) } else { Err(self.unexpected()) }
    }

    /// What versions fit, perhaps in parentheses. A comma may be the last.
    fn clauses(&mut self) -> Result<Vec<String>, String> {
        let parenthesis = self.eat("(");
        self.skip_blank();
        let mut clauses = Vec::new();
        while let Some(clause) = self.clause() {
            // A version behind `===` may have commas in it, yet packaging splits at all of them later.
            for part in clause.split(',').map(|part| part.trim_matches(is_space)).filter(|part| !part.is_empty()) {
                let mut cursor = Cursor::new(part);
                cursor.clause().ok_or_else(|| cursor.unexpected())?;
                cursor.end()?;
                let operator = part.find(|ch| !matches!(ch, '=' | '<' | '>' | '!' | '~')).unwrap_or(part.len());
                let clause = format!("{}{}", &part[..operator], part[operator..].trim_start_matches(is_space));
                if !clauses.contains(&clause) {
                    clauses.push(clause);
                }
            }
            self.skip_blank();
            if !self.eat(",") {
                break;
            }
            self.skip_blank();
        }
        self.skip_blank();
        if parenthesis && !self.eat(")") { Err(self.unexpected()) } else { Ok(clauses) }
    }

    /// An operator and a version that fits it.
    fn clause(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let operator = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"].into_iter().find(|op| rest.starts_with(op))?;
        let after = after_version(operator, &rest[operator.len()..])?;
        let length = rest.len() - after.len();
        self.at += length;
        Some(&rest[..length])
    }

    fn marker(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err("parentheses go too deep".to_owned());
        }
        self.marker_atom(depth)?;
        while self.eat_word("or") || self.eat_word("and") {
            self.marker_atom(depth)?;
        }
        Ok(())
    }

    fn marker_atom(&mut self, depth: usize) -> Result<(), String> {
        self.skip_blank();
        if self.eat("(") {
            self.marker(depth + 1)?;
            if !self.eat(")") {
                return Err(self.unexpected());
            }
        } else {
            self.marker_value()?;
            self.skip_blank();
            self.marker_operator()?;
            self.skip_blank();
            self.marker_value()?;
        }
        self.skip_blank();
        Ok(())
    }

    fn marker_value(&mut self) -> Result<(), String> {
        if VARIABLES.iter().any(|variable| self.eat_word(variable)) {
            return Ok(());
        }
        let rest = self.rest();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let inner = quote.and_then(|quote| rest[1..].split_once(quote)).map(|(inner, _)| inner);
        let inner = inner.ok_or_else(|| self.unexpected())?;
        // Python reads it as a literal: one line, and a last backslash would escape the quote.
        let backslashes = inner.len() - inner.trim_end_matches('\\').len();
        if backslashes % 2 == 1 || inner.contains(['\n', '\r']) {
            return Err(self.unexpected());
        }
        self.at += inner.len() + 2;
        Ok(())
    }

    fn marker_operator(&mut self) -> Result<(), String> {
        if self.eat_word("not") {
            let before = self.at;
            self.skip_blank();
            return if self.at > before && self.eat_word("in") { Ok(()) } else { Err(self.unexpected()) };
        }
        let found = self.eat_word("in")
            || ["===", "==", "~=", "!=", "<=", ">=", "<", ">"].into_iter().any(|operator| self.eat(operator));
        if found { Ok(()) } else { Err(self.unexpected()) }
    }
}

/// What follows the version at the start of `text`, taking as much as PEP 440 allows behind this operator.
fn after_version<'a>(operator: &str, text: &'a str) -> Option<&'a str> {
    let text = text.trim_start_matches(is_space);
    if operator == "===" {
        return Some(text.trim_start_matches(|ch| !(is_space(ch) || matches!(ch, ';' | ')'))));
    }
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let epoch = after_digits(text).and_then(|rest| rest.strip_prefix('!'));
    let mut rest = after_digits(epoch.unwrap_or(text))?;
    let mut parts = 1;
    while let Some(next) = rest.strip_prefix('.').and_then(after_digits) {
        rest = next;
        parts += 1;
    }
    if operator == "~=" && parts < 2 {
        return None;
    }
    let equality = matches!(operator, "==" | "!=");
    if equality && let Some(rest) = rest.strip_prefix(".*") {
        return Some(rest);
    }
    rest = after_label(rest, &["alpha", "beta", "preview", "pre", "a", "b", "c", "rc"]).unwrap_or(rest);
    let post = rest.strip_prefix('-').and_then(after_digits);
    rest = post.or_else(|| after_label(rest, &["post", "rev", "r"])).unwrap_or(rest);
    rest = after_label(rest, &["dev"]).unwrap_or(rest);
    if equality && let Some(mut local) = rest.strip_prefix('+').and_then(after_alphanumerics) {
        while let Some(next) = local.strip_prefix(['-', '_', '.']).and_then(after_alphanumerics) {
            local = next;
        }
        rest = local;
    }
    Some(rest)
}

/// At least one digit.
fn after_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|ch: char| ch.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// At least one letter or digit.
fn after_alphanumerics(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|ch: char| ch.is_ascii_alphanumeric());
    (rest.len() < text.len()).then_some(rest)
}

/// `-rc.1` and the like: a label with or without separators and a number.
fn after_label<'a>(text: &'a str, labels: &[&str]) -> Option<&'a str> {
    let separators = ['-', '_', '.'];
    let text = text.strip_prefix(separators).unwrap_or(text);
    let fits = |label: &&&str| text.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label));
    let label = labels.iter().find(fits)?;
    let rest = &text[label.len()..];
    let rest = rest.strip_prefix(separators).unwrap_or(rest);
    Some(after_digits(rest).unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Entry {
        let mut lines = read(text);
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0).entry
    }

    fn named(text: &str) -> Requirement {
        match one(text) {
            Entry::Requirement(requirement) => requirement,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn pin(text: &str) -> Option<String> {
        named(text).pin().map(str::to_owned)
    }

    fn option(name: &str, value: Option<&str>) -> Entry {
        Entry::Option { name: name.to_owned(), value: value.map(str::to_owned) }
    }

    fn remote(name: Option<&str>, url: &str) -> Entry {
        Entry::Remote { name: name.map(str::to_owned), url: url.to_owned() }
    }

    fn refused(text: &str) -> bool {
        matches!(one(text), Entry::Unreadable(_))
    }

    #[test]
    fn an_empty_file_says_nothing() {
        for text in ["", "\n\n", "# only\n  # comments\n", "\\\n"] {
            assert_eq!(read(text), [], "{text:?}");
        }
    }

    #[test]
    fn lines_end_where_python_ends_them_and_are_counted_from_one() {
        let lines = read("a\r\nb\rc\x0cd\n\ne");
        let numbers: Vec<(usize, &str)> = lines.iter().map(|line| (line.line, &*line.text)).collect();
        assert_eq!(numbers, [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (6, "e")]);
    }

    #[test]
    fn a_continued_line_has_the_number_of_its_first_and_all_its_hashes() {
        let lines = read("# top\nrich==13.7.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb  # both\nb");
        assert_eq!((lines.len(), lines[0].line, lines[1].line), (2, 2, 5));
        assert_eq!(lines[0].text, "rich==13.7.1     --hash=sha256:aa     --hash=sha256:bb");
        assert_eq!(named("rich==13.7.1 \\\n --hash=sha256:aa --hash sha512:bb").hashes, 2);
    }

    #[test]
    fn a_comment_ends_a_continued_line_and_is_not_continued_itself() {
        let text: Vec<String> = read("a \\\n# x\n# y \\\nb\nc # z \\\nd").into_iter().map(|line| line.text).collect();
        assert_eq!(text, ["a", "b", "c"]);
    }

    #[test]
    fn a_comment_needs_white_space_in_front() {
        assert_eq!(one("--extra-index-url https://x  # comment"), option("--extra-index-url", Some("https://x")));
        assert_eq!(one("https://x/a#egg=Some_Name"), remote(Some("some-name"), "https://x/a#egg=Some_Name"));
    }

    #[test]
    fn a_version_is_pinned_by_one_equality_without_a_wildcard() {
        for text in ["torch==2.1.0", "torch == 2.1.0", "torch===2.1.0", "torch (==2.1.0)", "torch==2.1.0,"] {
            assert_eq!(pin(text).as_deref(), Some("2.1.0"), "{text}");
        }
        assert_eq!(pin("torch==2.1.0+cpu ; python_version < '3.9'").as_deref(), Some("2.1.0+cpu"));
        for text in ["torch", "torch==2.*", "torch>=2", "torch~=2.1", "torch==2.1,!=2.1.1", "torch===2.*", "torch==="] {
            assert_eq!(pin(text), None, "{text}");
        }
    }

    #[test]
    fn names_and_extras_are_normalised_and_markers_kept() {
        let found = named("Zope._Interface[B_c, a ,a] >=5, <6 ; os_name=='x' and ('a' not in sys_platform)");
        assert_eq!((&*found.name, found.extras), ("zope-interface", vec!["a".to_owned(), "b-c".to_owned()]));
        assert_eq!(found.specifier, ">=5,<6");
        assert_eq!(found.marker.as_deref(), Some("os_name=='x' and ('a' not in sys_platform)"));
    }

    #[test]
    fn a_line_that_the_grammar_does_not_have_is_refused() {
        let lines = [
            "a=1",
            "a==",
            "a 1",
            "a>=1.*",
            "a>1+x",
            "a[b",
            "a;bad",
            "a; os_name=='x",
            "a==1)",
            "-a",
            "--req x",
            "htps://x",
        ];
        for text in lines.into_iter().chain(["--no", "--pre=1", "-r", "-r 'x", "a --hash=md5:x", "a -C k", "C:\\x"]) {
            assert!(refused(text), "{text}");
        }
        let deep = format!("a;{}os_name=='x'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(refused(&deep));
    }

    #[test]
    fn options_have_short_glued_and_shortened_spellings() {
        for text in ["-r x", "-rx", "--requirement x", "--requirement=x", "--requirem x", "-r 'x'", "-r x stray"] {
            assert_eq!(one(text), Entry::Include("x".to_owned()), "{text}");
        }
        assert_eq!(one("-r=x"), Entry::Include("=x".to_owned()));
        assert_eq!(one("--const c.txt"), Entry::Constraint("c.txt".to_owned()));
        assert_eq!(one("--pypi-url u"), option("--index-url", Some("u")));
        assert_eq!(one("-e .[dev]"), Entry::Editable(".[dev]".to_owned()));
    }

    #[test]
    fn several_options_on_a_line_are_several_entries() {
        let lines = read("--pre -i https://x --no-binary :all:");
        let entries: Vec<Entry> = lines.into_iter().map(|line| line.entry).collect();
        let index = option("--index-url", Some("https://x"));
        assert_eq!(entries, [option("--pre", None), index, option("--no-binary", Some(":all:"))]);
    }

    #[test]
    fn what_pip_ignores_on_a_line_is_left_out() {
        assert_eq!(one("-c c.txt -r a.txt -r b.txt --pre"), Entry::Include("a.txt".to_owned()));
        assert_eq!(named("a --pre -r b.txt").other_options, [] as [&str; 0]);
        assert_eq!(read("--hash=sha256:aa"), []);
    }

    #[test]
    fn options_of_a_requirement_stay_with_it() {
        let found = named("a==1 --global-option=-q -C 'k=v w'");
        assert_eq!(found.other_options, ["--global-option=-q", "--config-settings=k=v w"]);
    }

    #[test]
    fn paths_and_archives_are_local() {
        for text in [".", "..", "./x", "../x", "/x", "x/y", "x.tar.gz", "a-1.0-py3-none-any.whl", "file:x"] {
            assert_eq!(one(text), Entry::Local(text.to_owned()), "{text}");
        }
        assert_eq!(one("./x[extra]; os_name=='x'"), Entry::Local("./x".to_owned()));
        assert_eq!(one("name @ file:///x"), Entry::Local("file:///x".to_owned()));
        assert!(refused("x.whl"), "it lacks the version and the tags");
    }

    #[test]
    fn urls_tell_a_name_in_front_behind_or_in_a_wheel() {
        assert_eq!(one("a@https://x/y.zip"), remote(Some("a"), "https://x/y.zip"));
        assert_eq!(one("A_b @ git+https://x@v1 ; os_name=='x'"), remote(Some("a-b"), "git+https://x@v1"));
        assert_eq!(one("git+ssh://git@x/y.git"), remote(None, "git+ssh://git@x/y.git"));
        assert_eq!(one("https://x/A-1-py3-none-any.whl"), remote(Some("a"), "https://x/A-1-py3-none-any.whl"));
        assert_eq!(one("https://x/a;b"), remote(None, "https://x/a;b"));
    }

    #[test]
    fn local_things_are_told_from_remote_ones() {
        for text in ["./x", "-e .", "-e src/x", "-f ./wheels", "-i file:///x", "git+file:///x", "-e file:x"] {
            assert!(one(text).is_local(), "{text}");
        }
        for text in ["a==1", "-e git+https://x#egg=a", "-f https://x", "https://x/a.zip", "-r x", "--trusted-host h"] {
            assert!(!one(text).is_local(), "{text}");
        }
    }

    #[test]
    fn only_upper_case_variables_are_expanded() {
        for (text, uses) in [("a==${V_1}", true), ("-r ${v}/${D}", true), ("a==${v}", false), ("$V ${} ${V", false)] {
            assert_eq!(read(text)[0].uses_variable(), uses, "{text}");
        }
    }

    #[test]
    fn a_nested_file_lies_beside_the_one_that_names_it() {
        assert_eq!(nested("req/dev.txt", "../base.txt").as_deref(), Some("req/../base.txt"));
        assert_eq!(nested("dev.txt", "base.txt").as_deref(), Some("base.txt"));
        assert_eq!(nested("req/dev.txt", "/base.txt").as_deref(), Some("/base.txt"));
        assert_eq!(nested("req/dev.txt", "https://x/base.txt"), None);
    }

    #[test]
    fn an_argument_is_one_requirement_as_it_stands() {
        let Entry::Requirement(found) = read_argument("torch==2.1; python_version<'3.9'") else { panic!() };
        assert_eq!((found.pin(), found.marker.as_deref()), (Some("2.1"), Some("python_version<'3.9'")));
        assert_eq!(read_argument("./x"), Entry::Local("./x".to_owned()));
        assert!(matches!(read_argument("-e"), Entry::Unreadable(_)));
        assert!(matches!(read_argument("a # no comment"), Entry::Unreadable(_)));
    }

    #[test]
    fn the_heavy_packages_are_sorted_and_normalised() {
        assert!(HEAVY.is_sorted_by(|a, b| a < b));
        assert!(HEAVY.iter().all(|name| normalised(name) == *name));
        assert!(is_heavy("torch") && is_heavy("nvidia-cublas-cu12") && !is_heavy("flask") && !is_heavy("nvidia-ml-py"));
    }
}
