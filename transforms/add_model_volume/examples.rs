//! Examples: changed, and one unchanged for each reason to leave a service alone.

use crate::transform::Example;

type Files = &'static [(&'static str, &'static str)];

/// On top of compose.yml.
const fn on_top(name: &'static str, before: &'static str, files: Files) -> Example {
    Example { name, path: "compose.override.yml", before, files, config: "" }
}

const fn base(name: &'static str, before: &'static str, files: Files) -> Example {
    Example { name, path: "compose.yml", before, files, config: "" }
}

const fn configured(
    name: &'static str,
    path: &'static str,
    before: &'static str,
    files: Files,
    config: &'static str,
) -> Example {
    Example { name, path, before, files, config }
}

const COMPOSE: &str = "services:\n  api:\n    build: .\n    ports:\n      - 8000:8000\n";
const DOCKERFILE: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n";
const APP: &str = "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"BAAI/bge-small-en-v1.5\")\n";
const REQUIREMENTS: &str = "sentence-transformers==3.0.0\n";
const ON_TOP: &str = "services:\n  api:\n    volumes:\n      - ./app.py:/app/app.py\n";

const ONE: Files =
    &[("compose.yml", COMPOSE), ("Dockerfile", DOCKERFILE), ("requirements.txt", REQUIREMENTS), ("app.py", APP)];
const WITHOUT_COMPOSE: Files = &[("Dockerfile", DOCKERFILE), ("requirements.txt", REQUIREMENTS), ("app.py", APP)];

/// Of a user whom the image gives the cache directory.
const OWNED: &str = "FROM python:3.12-slim\nRUN useradd --uid 1000 --create-home app\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nENV HF_HOME=/models\nRUN mkdir -p /models && chown app /models\nCOPY app.py .\nUSER app\nCMD [\"python\", \"app.py\"]\n";
/// Of a user who gets nothing.
const FOREIGN: &str = "FROM python:3.12-slim\nRUN useradd --uid 1000 --create-home app\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nENV HF_HOME=/models\nCOPY app.py .\nUSER app\nCMD [\"python\", \"app.py\"]\n";
const BAKED: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('BAAI/bge-small-en-v1.5')\"\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n";
const BAKED_OTHER: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('BAAI/bge-base-en-v1.5')\"\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n";
const COPIED: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nENV HF_HOME=/models\nCOPY models/ /models/hub/\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n";
const WRITTEN: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nENV HF_HOME=/models\nRUN curl --create-dirs -o $HF_HOME/words.txt https://example.com/words.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n";
/// Whose models lie among the sources.
const AMONG: &str = "FROM python:3.12-slim\nWORKDIR /app\nENV HF_HOME=/app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n";

pub const EXAMPLES: &[Example] = &[
    on_top("into-the-override-file", ON_TOP, ONE),
    on_top(
        "a-service-that-the-override-file-does-not-name",
        "# Local settings.\nservices:\n  db:\n    ports: [\"5432:5432\"]\n",
        ONE,
    ),
    configured(
        "made-where-restow-toml-names-it",
        "compose.yml",
        COMPOSE,
        WITHOUT_COMPOSE,
        "[models]\noverride = \"compose.dev.yml\"\n",
    ),
    configured(
        "several-services-in-a-file-that-is-made",
        "compose.yml",
        "services:\n  api:\n    build: .\n  worker:\n    build: .\n    command: python app.py --worker\n  reader:\n    build: reader\n",
        &[
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
            ("reader/Dockerfile", OWNED),
            ("reader/requirements.txt", REQUIREMENTS),
            ("reader/app.py", APP),
        ],
        "[models]\noverride = \"compose.dev.yml\"\n",
    ),
    configured(
        "into-the-file-that-restow-toml-names",
        "compose.dev.yml",
        "services:\n  api:\n    command: python -m debugpy --listen 0.0.0.0:5678 app.py\n\nvolumes:\n  pg: {}\n",
        ONE,
        "[models]\noverride = \"compose.dev.yml\"\n",
    ),
    Example {
        name: "the-older-names",
        path: "deploy/docker-compose.override.yml",
        before: "services:\n  api: {volumes: [\"../app.py:/app/app.py\"]}\n",
        files: &[
            ("deploy/docker-compose.yml", "services:\n  api:\n    build: ..\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
        config: "",
    },
    on_top(
        "a-user-to-whom-the-image-gives-the-directory",
        ON_TOP,
        &[("compose.yml", COMPOSE), ("Dockerfile", OWNED), ("requirements.txt", REQUIREMENTS), ("app.py", APP)],
    ),
    on_top(
        "services-share-a-volume",
        "services:\n  api:\n    environment:\n      DEBUG: \"1\"\n\n  worker:\n    environment:\n      DEBUG: \"1\"\n",
        &[
            (
                "compose.yml",
                "services:\n  api:\n    build: .\n  worker:\n    build: .\n    command: python app.py --worker\n",
            ),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    on_top(
        "a-volume-for-each-user",
        "services:\n  api:\n  reader:\n",
        &[
            ("compose.yml", "services:\n  api:\n    build: .\n  reader:\n    build: reader\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
            ("reader/Dockerfile", OWNED),
            ("reader/requirements.txt", REQUIREMENTS),
            ("reader/app.py", APP),
        ],
    ),
    on_top(
        "a-volume-for-each-kind-of-cache",
        "services:\n    api:\n        restart: \"no\"\nvolumes:\n    pg:\n",
        &[
            ("compose.yml", COMPOSE),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", "torch==2.4.0\nnltk==3.9\n"),
            (
                "app.py",
                "import nltk\nimport torch\n\nnltk.download(\"punkt\")\nmodel = torch.hub.load(\"pytorch/vision\", \"resnet18\")\n",
            ),
        ],
    ),
    on_top(
        "a-name-that-is-declared-and-free",
        ON_TOP,
        &[
            ("compose.yml", "services:\n  api:\n    build: .\nvolumes:\n  huggingface-cache:\n    external: true\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    on_top(
        "a-name-in-use-for-something-else",
        ON_TOP,
        &[
            (
                "compose.yml",
                "services:\n  api:\n    build: .\n  proxy:\n    image: nginx:1.27\n    volumes:\n      - huggingface-cache:/var/cache/nginx\nvolumes:\n  huggingface-cache:\n",
            ),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base("left-alone-without-an-override-file", COMPOSE, WITHOUT_COMPOSE),
    base(
        "left-alone-a-variable-names-the-files",
        COMPOSE,
        &[
            (".env", "COMPOSE_FILE=compose.yml:compose.local.yml\n"),
            ("compose.override.yml", ON_TOP),
            ("compose.local.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-baked",
        COMPOSE,
        &[("compose.override.yml", ON_TOP), ("Dockerfile", BAKED), ("requirements.txt", REQUIREMENTS), ("app.py", APP)],
    ),
    on_top(
        "left-alone-baked-seen-from-the-override-file",
        ON_TOP,
        &[("compose.yml", COMPOSE), ("Dockerfile", BAKED), ("requirements.txt", REQUIREMENTS), ("app.py", APP)],
    ),
    base(
        "left-alone-another-model-is-baked",
        COMPOSE,
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", BAKED_OTHER),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-files-are-copied-there",
        COMPOSE,
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", COPIED),
            ("models/x", ""),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-files-are-written-there",
        COMPOSE,
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", WRITTEN),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-more-is-kept-there",
        COMPOSE,
        &[("compose.override.yml", ON_TOP), ("Dockerfile", AMONG), ("requirements.txt", REQUIREMENTS), ("app.py", APP)],
    ),
    base(
        "left-alone-nothing-is-fetched",
        COMPOSE,
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            (
                "app.py",
                "from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained(\"BAAI/bge-small-en-v1.5\", local_files_only=True)\n",
            ),
        ],
    ),
    base(
        "left-alone-a-user-without-the-directory",
        COMPOSE,
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", FOREIGN),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-mounted-already",
        "services:\n  api:\n    build: .\n    volumes:\n      - models:/root/.cache/huggingface/\nvolumes:\n  models:\n",
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-mounted-above-it",
        COMPOSE,
        &[
            ("compose.override.yml", "services:\n  api:\n    volumes:\n      - ~/.cache:/root/.cache\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-mounted-inside",
        COMPOSE,
        &[
            (
                "compose.override.yml",
                "services:\n  api:\n    volumes:\n      - {type: bind, source: ./hub, target: /root/.cache/huggingface/hub}\n",
            ),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-a-mount-that-is-not-known",
        COMPOSE,
        &[
            ("compose.override.yml", "services:\n  api:\n    volumes:\n      - models:${MODEL_DIR}\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-mounts-of-another-container",
        "services:\n  api:\n    build: .\n    volumes_from:\n      - container:models\n",
        &[
            ("compose.override.yml", "services:\n  api:\n    tty: true\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    Example {
        name: "left-alone-a-file-that-is-not-loaded-by-itself",
        path: "compose.prod.yml",
        before: COMPOSE,
        files: &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
        config: "",
    },
    Example {
        name: "left-alone-a-file-that-another-includes",
        path: "search/compose.yml",
        before: COMPOSE,
        files: &[
            ("compose.yml", "include:\n  - search/compose.yml\n"),
            ("search/compose.override.yml", ON_TOP),
            ("search/Dockerfile", DOCKERFILE),
            ("search/requirements.txt", REQUIREMENTS),
            ("search/app.py", APP),
        ],
        config: "",
    },
    base(
        "left-alone-a-comment-in-the-compose-file",
        "services:\n  # restow: ignore=add-model-volume -- a fresh start each time\n  api:\n    build: .\n",
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    on_top(
        "left-alone-a-comment-seen-from-the-override-file",
        ON_TOP,
        &[
            ("compose.yml", "services:\n  # restow: ignore=add-model-volume\n  api:\n    build: .\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    on_top(
        "left-alone-a-comment-in-the-override-file",
        "services:\n  # restow: ignore\n  api:\n    volumes:\n      - ./app.py:/app/app.py\n",
        ONE,
    ),
    on_top(
        "left-alone-a-list-that-others-share",
        "x-dev: &dev\n  volumes:\n    - ./app.py:/app/app.py\nservices:\n  api:\n    <<: *dev\n",
        ONE,
    ),
    base(
        "left-alone-told-to-stay-offline",
        "services:\n  api:\n    build: .\n    environment:\n      HF_HUB_OFFLINE: 1\n",
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    base(
        "left-alone-no-cache-directory",
        COMPOSE,
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", "spacy==3.7.5\n"),
            ("app.py", "import spacy\n\nnlp = spacy.load(\"en_core_web_sm\")\n"),
        ],
    ),
    base(
        "left-alone-an-override-file-that-is-not-read",
        COMPOSE,
        &[
            ("compose.override.yml", "services:\n  api:\n    image: {{ image }}\n"),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
    ),
    configured(
        "left-alone-a-name-that-compose-would-pass-over",
        "compose.yml",
        COMPOSE,
        &[
            ("compose.override.yml", ON_TOP),
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", REQUIREMENTS),
            ("app.py", APP),
        ],
        "[models]\noverride = \"docker-compose.override.yml\"\n",
    ),
    configured(
        "left-alone-a-name-of-no-compose-file",
        "compose.yml",
        COMPOSE,
        WITHOUT_COMPOSE,
        "[models]\noverride = \"dev.yml\"\n",
    ),
    configured(
        "left-alone-a-name-outside-of-the-repository",
        "compose.yml",
        COMPOSE,
        WITHOUT_COMPOSE,
        "[models]\noverride = \"../compose.dev.yml\"\n",
    ),
];
