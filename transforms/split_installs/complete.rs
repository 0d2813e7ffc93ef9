//! Whether requirements files look as if they named everything that gets installed.
//!
//! This decides how a step is written: `--no-deps` takes no package along that the joint install would not, but only where the files name
//! what their packages bring is there anything left to gain from it.

use std::collections::BTreeSet;

/// Packages and some of what each of their versions of the last years brings on Linux. Source: `Requires-Dist` of their wheels.
const BRINGS: &[(&str, &[&str])] = &[
    ("accelerate", &["torch", "psutil", "safetensors"]),
    ("aiobotocore", &["aiohttp", "botocore", "wrapt"]),
    ("aiohttp", &["multidict", "yarl", "frozenlist"]),
    ("alembic", &["mako", "sqlalchemy", "typing-extensions"]),
    ("anthropic", &["httpx", "pydantic", "anyio", "distro", "typing-extensions"]),
    ("anyio", &["idna"]),
    ("azure-core", &["requests", "typing-extensions"]),
    ("azure-identity", &["azure-core", "cryptography", "msal", "msal-extensions"]),
    ("azure-storage-blob", &["azure-core", "cryptography"]),
    ("boto3", &["botocore", "s3transfer", "jmespath"]),
    ("botocore", &["jmespath", "python-dateutil", "urllib3"]),
    ("celery", &["kombu", "billiard", "vine"]),
    ("chromadb", &["onnxruntime", "tokenizers", "pydantic"]),
    ("datasets", &["pyarrow", "pandas", "dill", "fsspec"]),
    ("django", &["asgiref", "sqlparse"]),
    ("fastapi", &["starlette", "pydantic"]),
    ("flask", &["werkzeug", "jinja2", "itsdangerous"]),
    ("google-api-core", &["google-auth", "googleapis-common-protos", "protobuf", "requests"]),
    ("google-auth", &["pyasn1-modules"]),
    ("google-cloud-aiplatform", &["google-api-core", "protobuf"]),
    (
        "google-cloud-bigquery",
        &[
            "google-api-core",
            "google-auth",
            "google-cloud-core",
            "google-resumable-media",
            "packaging",
            "python-dateutil",
            "requests",
        ],
    ),
    (
        "google-cloud-storage",
        &["google-api-core", "google-auth", "google-cloud-core", "google-resumable-media", "requests"],
    ),
    ("googleapis-common-protos", &["protobuf"]),
    ("gradio", &["fastapi", "httpx", "numpy", "pandas", "pillow", "pydantic"]),
    ("httpx", &["httpcore", "anyio", "certifi", "idna"]),
    ("huggingface-hub", &["filelock", "fsspec", "pyyaml", "tqdm"]),
    ("jinja2", &["markupsafe"]),
    ("langchain", &["pydantic", "langchain-core"]),
    ("langchain-community", &["langchain-core", "numpy", "requests", "sqlalchemy"]),
    ("langchain-core", &["pydantic", "langsmith", "tenacity"]),
    ("langchain-openai", &["langchain-core", "openai", "tiktoken"]),
    ("langgraph", &["langchain-core"]),
    ("langsmith", &["httpx", "pydantic", "requests"]),
    ("librosa", &["numba", "scipy", "soundfile"]),
    ("lightgbm", &["numpy", "scipy"]),
    ("llama-index", &["llama-index-core"]),
    ("llama-index-core", &["httpx", "nltk", "pyyaml", "sqlalchemy", "tenacity", "tiktoken"]),
    ("matplotlib", &["contourpy", "cycler", "kiwisolver", "pyparsing"]),
    ("nltk", &["joblib", "regex", "tqdm"]),
    ("numba", &["llvmlite", "numpy"]),
    ("onnxruntime", &["flatbuffers", "numpy", "protobuf"]),
    ("openai", &["httpx", "pydantic", "distro"]),
    ("opencv-python", &["numpy"]),
    ("opencv-python-headless", &["numpy"]),
    ("opentelemetry-sdk", &["opentelemetry-api", "opentelemetry-semantic-conventions", "typing-extensions"]),
    ("pandas", &["numpy", "python-dateutil"]),
    ("pydantic", &["typing-extensions"]),
    ("pydantic-settings", &["pydantic", "python-dotenv"]),
    ("pytest", &["iniconfig", "pluggy", "packaging"]),
    ("python-dateutil", &["six"]),
    ("qdrant-client", &["httpx", "grpcio", "pydantic"]),
    ("requests", &["certifi", "idna", "urllib3"]),
    ("requests-oauthlib", &["oauthlib", "requests"]),
    ("s3fs", &["aiobotocore", "aiohttp", "fsspec"]),
    ("s3transfer", &["botocore"]),
    ("scikit-image", &["imageio", "networkx", "numpy", "pillow", "scipy"]),
    ("scikit-learn", &["joblib", "numpy", "scipy", "threadpoolctl"]),
    ("scipy", &["numpy"]),
    ("seaborn", &["matplotlib", "numpy", "pandas"]),
    ("sentence-transformers", &["torch", "transformers", "scikit-learn", "huggingface-hub"]),
    ("spacy", &["thinc", "srsly", "catalogue", "preshed"]),
    ("sqlalchemy", &["typing-extensions"]),
    ("sqlmodel", &["pydantic", "sqlalchemy"]),
    ("starlette", &["anyio"]),
    ("statsmodels", &["numpy", "pandas", "patsy", "scipy"]),
    ("streamlit", &["altair", "pandas", "protobuf", "tornado"]),
    ("tensorflow", &["absl-py", "h5py", "numpy", "protobuf"]),
    ("tokenizers", &["huggingface-hub"]),
    ("torch", &["typing-extensions", "networkx", "sympy", "filelock", "fsspec"]),
    ("torchaudio", &["torch"]),
    ("torchvision", &["torch", "numpy", "pillow"]),
    ("transformers", &["tokenizers", "huggingface-hub", "safetensors", "regex"]),
    ("typer", &["click", "typing-extensions"]),
    ("uvicorn", &["click", "h11"]),
    ("xgboost", &["numpy", "scipy"]),
    ("yarl", &["idna", "multidict"]),
];

/// Starts of names, and what packages with such a name may bring or hold to some versions.
const FAMILIES: &[(&str, &[&str])] = &[
    ("aiobotocore", &["boto3", "botocore"]),
    ("aioboto3", &["aiobotocore", "boto3", "botocore"]),
    ("apache-airflow", &["apache-airflow", "flask", "pydantic", "sqlalchemy"]),
    (
        "azure-",
        &[
            "azure-common",
            "azure-core",
            "azure-mgmt-core",
            "cryptography",
            "isodate",
            "msal",
            "msrest",
            "requests",
            "typing-extensions",
        ],
    ),
    ("boto3", &["botocore", "s3transfer"]),
    ("cupy", &["numpy"]),
    ("dbt-", &["dbt-adapters", "dbt-common", "dbt-core"]),
    ("django", &["django"]),
    ("dj-", &["django"]),
    ("faiss-", &["numpy", "packaging"]),
    ("fastapi", &["fastapi", "pydantic", "starlette", "typing-extensions"]),
    ("flask", &["flask", "jinja2", "markupsafe", "werkzeug"]),
    (
        "google-",
        &[
            "google-api-core",
            "google-auth",
            "google-cloud-core",
            "googleapis-common-protos",
            "grpcio",
            "grpcio-status",
            "proto-plus",
            "protobuf",
            "requests",
        ],
    ),
    ("grpcio-", &["grpcio", "protobuf"]),
    ("jax", &["jaxlib", "ml-dtypes", "numpy", "scipy"]),
    ("keras", &["numpy"]),
    (
        "langchain",
        &[
            "langchain",
            "langchain-core",
            "langchain-text-splitters",
            "langsmith",
            "numpy",
            "openai",
            "packaging",
            "pydantic",
            "requests",
            "sqlalchemy",
            "tenacity",
            "typing-extensions",
        ],
    ),
    ("langgraph", &["langchain-core", "langgraph-checkpoint", "langgraph-sdk", "pydantic"]),
    ("lightning", &["numpy", "torch", "torchmetrics", "typing-extensions"]),
    ("llama-", &["llama-index-core", "numpy", "openai", "pydantic", "typing-extensions"]),
    ("mkdocs-", &["jinja2", "markdown", "mkdocs"]),
    ("onnxruntime", &["numpy", "packaging", "protobuf"]),
    ("opencv-", &["numpy"]),
    (
        "opentelemetry-",
        &[
            "googleapis-common-protos",
            "grpcio",
            "opentelemetry-api",
            "opentelemetry-exporter-otlp-proto-common",
            "opentelemetry-instrumentation",
            "opentelemetry-proto",
            "opentelemetry-sdk",
            "opentelemetry-semantic-conventions",
            "opentelemetry-util-http",
            "packaging",
            "protobuf",
            "requests",
            "typing-extensions",
            "wrapt",
        ],
    ),
    ("pydantic", &["annotated-types", "pydantic", "pydantic-core", "typing-extensions", "typing-inspection"]),
    ("pytest-", &["packaging", "pluggy", "pytest"]),
    ("pytorch-", &["lightning-utilities", "numpy", "torch", "torchmetrics", "typing-extensions"]),
    ("sentry-sdk", &["certifi", "urllib3"]),
    ("spacy-", &["spacy"]),
    ("sphinx", &["docutils", "jinja2", "sphinx"]),
    ("sqlalchemy", &["greenlet", "sqlalchemy", "typing-extensions"]),
    (
        "tensor",
        &["grpcio", "keras", "ml-dtypes", "numpy", "protobuf", "tensorboard", "tensorflow", "typing-extensions"],
    ),
    ("torch", &["networkx", "numpy", "pillow", "sympy", "torch", "triton", "typing-extensions"]),
    ("transformers", &["numpy", "packaging", "pyyaml", "requests", "tqdm"]),
    ("uvicorn", &["httptools", "python-dotenv", "uvloop", "watchfiles", "websockets"]),
    ("vllm", &["numpy", "torch", "transformers", "xformers"]),
    ("xformers", &["torch"]),
];

/// Packages that bring nothing, or only where Python is old.
const ALONE: &[&str] = &[
    "annotated-types",
    "attrs",
    "certifi",
    "charset-normalizer",
    "click",
    "cycler",
    "filelock",
    "fsspec",
    "gunicorn",
    "h11",
    "idna",
    "joblib",
    "markupsafe",
    "networkx",
    "numpy",
    "orjson",
    "packaging",
    "pillow",
    "protobuf",
    "psutil",
    "pyparsing",
    "python-dotenv",
    "pytz",
    "pyyaml",
    "regex",
    "safetensors",
    "setuptools",
    "six",
    "sniffio",
    "threadpoolctl",
    "tqdm",
    "typing-extensions",
    "tzdata",
    "urllib3",
    "wheel",
];

/// A package of `step`, and one that it brings and that `all` does not name.
pub fn lacking(step: &BTreeSet<String>, all: &BTreeSet<String>) -> Option<(&'static str, &'static str)> {
    let rows = BRINGS.iter().filter(|(name, _)| step.contains(*name));
    rows.flat_map(|(name, brings)| brings.iter().map(move |one| (*name, *one))).find(|(_, one)| !all.contains(*one))
}

/// Whether a package of `step` may bring, by itself or by others, one that `all` names and `step` does not.
pub fn is_divided(step: &BTreeSet<String>, all: &BTreeSet<String>) -> bool {
    let mut known: BTreeSet<&str> = step.iter().map(String::as_str).collect();
    let mut open: Vec<&str> = known.iter().copied().collect();
    while let Some(name) = open.pop() {
        let own = BRINGS.iter().filter(|(row, _)| *row == name);
        let rows = own.chain(FAMILIES.iter().filter(|(start, _)| name.starts_with(start)));
        for one in rows.flat_map(|(_, brings)| brings.iter()) {
            if known.insert(one) {
                if all.contains(*one) {
                    return true;
                }
                open.push(one);
            }
        }
    }
    false
}

/// Whether anything shows that what `step` names is complete: a tool that lists everything wrote it (`texts`), or the table has
/// packages of it.
pub fn is_shown(step: &BTreeSet<String>, texts: &[&str]) -> bool {
    let written = |text: &&str| {
        ["# via", "autogenerated by pip-compile", "autogenerated by uv"].iter().any(|mark| text.contains(mark))
    };
    texts.iter().all(written)
        || BRINGS.iter().any(|(name, _)| step.contains(*name))
        || step.iter().all(|name| ALONE.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_packages_bring_is_followed() {
        let divided = [
            ("pydantic-settings", "typing-extensions"),
            ("langchain-openai", "pydantic-core"),
            ("boto3", "urllib3"),
            ("google-cloud-pubsub", "protobuf"),
            ("fastapi-users", "starlette"),
        ];
        for (step, other) in divided {
            assert!(is_divided(&names(&[step]), &names(&[step, other])), "{step} {other}");
        }
        assert!(!is_divided(&names(&["torch"]), &names(&["torch", "fastapi"])));
        assert!(!is_divided(&names(&["pydantic", "pydantic-settings"]), &names(&["pydantic", "pydantic-settings"])));
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(BRINGS.is_sorted_by_key(|(name, _)| name) && ALONE.is_sorted());
    }
}
