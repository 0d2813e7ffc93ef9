//! The examples of add-model-stage.

use crate::transform::Example;

pub const EXAMPLES: &[Example] = &[
    Example {
        name: "sentence-transformers-short-name",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "user-with-a-number",
        path: "Dockerfile",
        before: "# syntax=docker/dockerfile:1\nFROM python:3.12-slim\nRUN useradd --create-home --uid 10001 api\nWORKDIR /srv\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n\n# The service itself.\nCOPY app.py .\nUSER api\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "user-by-name-behind-its-creation",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /srv\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nRUN useradd --create-home api\nUSER api\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "id-of-the-settings-and-the-compose-file",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py settings.py ./\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nfrom settings import settings\n\nmodel = SentenceTransformer(settings.embedding_model)\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
            (
                "settings.py",
                "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n    embedding_model: str = \"BAAI/bge-small-en-v1.5\"\n\n\nsettings = Settings()\n",
            ),
            (
                "compose.yaml",
                "services:\n  api:\n    build: .\n    environment:\n      EMBEDDING_MODEL: BAAI/bge-base-en-v1.5\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "folder-that-the-dockerfile-has-chosen",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nENV HF_HOME=/models\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "folder-that-the-code-has-chosen",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\", cache_folder=\"/data/models\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "old-layout-before-2-3",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==2.2.2\nhuggingface_hub==0.23.4\n"),
        ],
        config: "",
    },
    Example {
        name: "revision",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from transformers import AutoModel, AutoTokenizer\n\nREVISION = \"5c38ec7c405ec4b44b94cc5a9bb96e735b38267a\"\ntokenizer = AutoTokenizer.from_pretrained(\"BAAI/bge-small-en-v1.5\", revision=REVISION)\nmodel = AutoModel.from_pretrained(\"BAAI/bge-small-en-v1.5\", revision=REVISION)\n",
            ),
            ("requirements.txt", "transformers==4.46.0\n"),
        ],
        config: "",
    },
    Example {
        name: "tokenizer-only",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from transformers import AutoTokenizer\n\ntokenizer = AutoTokenizer.from_pretrained(\"BAAI/bge-small-en-v1.5\")\n",
            ),
            ("requirements.txt", "transformers==4.46.0\n"),
        ],
        config: "",
    },
    Example {
        name: "several-libraries",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "import nltk\nimport tiktoken\nimport whisper\nfrom fastembed import TextEmbedding\nfrom faster_whisper import WhisperModel\n\nnltk.download(\"punkt_tab\")\nencoding = tiktoken.get_encoding(\"cl100k_base\")\nspeech = whisper.load_model(\"base\")\nfast = WhisperModel(\"small\")\nembed = TextEmbedding(\"BAAI/bge-small-en-v1.5\")\n",
            ),
            (
                "requirements.txt",
                "fastembed==0.7.4\nfaster-whisper==1.1.0\nopenai-whisper==20240930\nnltk==3.9.1\ntiktoken==0.9.0\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "gated",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained(\"google/embeddinggemma-300m\")\n",
            ),
            ("requirements.txt", "transformers==4.56.0\n"),
        ],
        config: "",
    },
    Example {
        name: "gated-with-a-newer-frontend",
        path: "Dockerfile",
        before: "# syntax=docker/dockerfile:1\nFROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained(\"google/embeddinggemma-300m\")\n",
            ),
            ("requirements.txt", "transformers==4.56.0\n"),
        ],
        config: "",
    },
    Example {
        name: "index-and-mirror",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nENV HF_ENDPOINT=https://hub.example.com\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -i https://pip.example.com/simple -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "index-of-some-packages",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --index-url https://wheels.example.com/cpu torch\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "folder-in-another-one",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nENV HF_HOME=/models\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import CrossEncoder, SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\", cache_folder=\"/models\")\nrank = CrossEncoder(\"BAAI/bge-reranker-base\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "a-name-that-means-another-file",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            ("app.py", "import whisper\n\nmodel = whisper.load_model(\"turbo\")\n"),
            ("requirements.txt", "openai-whisper==20240930\n"),
        ],
        config: "",
    },
    Example {
        name: "base-without-a-python-of-its-own",
        path: "Dockerfile",
        before: "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\nRUN apt-get update && apt-get install -y python3 python3-pip\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python3\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "several-stages",
        path: "Dockerfile",
        before: "ARG PYTHON=3.12\nFROM python:${PYTHON} AS build\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --prefix=/install -r requirements.txt\n\n# What runs.\nFROM python:${PYTHON}-slim\nWORKDIR /app\nCOPY --from=build /install /usr/local\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "stage-of-that-name",
        path: "Dockerfile",
        before: "FROM alpine:3.20 AS models\nRUN touch /x\n\nFROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "download-behind-the-install",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n# Fetch the model while building.\nRUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('all-MiniLM-L6-v2')\"\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "offline",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "[models]\noffline = true\n",
    },
    Example {
        name: "lower-case",
        path: "Dockerfile",
        before: "from python:3.12-slim\nworkdir /app\ncopy requirements.txt .\nrun pip install -r requirements.txt\ncopy app.py .\ncmd [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "windows-line-ends",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\r\nWORKDIR /app\r\nCOPY requirements.txt .\r\nRUN pip install -r requirements.txt\r\nCOPY app.py .\r\nCMD [\"python\", \"app.py\"]\r\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "spacy-model-by-the-version-of-spacy",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            ("app.py", "import spacy\n\nnlp = spacy.load(\"en_core_web_sm\")\n"),
            ("requirements.txt", "spacy==3.7.5\n"),
        ],
        config: "",
    },
    Example {
        name: "two-services-with-one-model",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
            (
                "compose.yaml",
                "services:\n  api:\n    build: .\n  worker:\n    build: .\n    command: [python, worker.py]\n",
            ),
            (
                "worker.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "left-alone-already-in-the-image",
        path: "Dockerfile",
        before: "FROM python:3.12-slim AS models\nRUN pip install \"huggingface_hub<1\"\nRUN python -c \"from huggingface_hub import snapshot_download; snapshot_download('sentence-transformers/all-MiniLM-L6-v2', cache_dir='/m/hub')\"\n\nFROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY --from=models /m /m\nENV HF_HOME=/m\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-under-a-cache-mount",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN --mount=type=cache,target=/root/.cache/huggingface python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('all-MiniLM-L6-v2')\"\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-another-model",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('all-mpnet-base-v2')\"\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-another-folder",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('all-MiniLM-L6-v2')\"\nENV HF_HOME=/models\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-home-of-another-user",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('all-MiniLM-L6-v2')\"\nRUN useradd --uid 1000 app\nENV HOME=/root\nCOPY app.py .\nUSER app\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-volume-over-the-folder",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
            (
                "compose.yaml",
                "services:\n  api:\n    build: .\n    volumes:\n      - hf:/root/.cache/huggingface\nvolumes:\n  hf:\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "left-alone-folder-of-the-host-over-it",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
            (
                "compose.yaml",
                "services:\n  api:\n    build: .\n    volumes:\n      - ~/.cache/huggingface:/root/.cache/huggingface\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "left-alone-services-with-different-models",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "import os\n\nfrom sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(os.environ[\"MODEL\"])\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
            (
                "compose.yaml",
                "services:\n  small:\n    build: .\n    environment:\n      MODEL: BAAI/bge-small-en-v1.5\n  base:\n    build: .\n    environment:\n      MODEL: BAAI/bge-base-en-v1.5\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "left-alone-id-that-nothing-sets",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "import os\n\nfrom sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(os.environ[\"MODEL\"])\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-folder-in-the-home-of-whoever-runs-it",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "import os\n\nimport whisper\n\nmodel = whisper.load_model(\"base\", download_root=os.path.expanduser(\"~/models\"))\n",
            ),
            ("requirements.txt", "openai-whisper==20240930\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-another-folder-for-transformers",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nENV HF_HOME=/models TRANSFORMERS_CACHE=/models\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-id-of-a-request",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from flask import Flask, request\nfrom sentence_transformers import SentenceTransformer\n\napp = Flask(__name__)\n\n\n@app.post(\"/\")\ndef embed():\n    return SentenceTransformer(request.json[\"model\"]).encode(request.json[\"text\"]).tolist()\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-path-instead-of-an-id",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"./models/minilm\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-branch-that-is-not-taken",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "import os\n\nif os.getenv(\"PROVIDER\", \"openai\") == \"local\":\n    from sentence_transformers import SentenceTransformer\n\n    model = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-file-that-nothing-imports",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            ("app.py", "print(1)\n"),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
            (
                "tools/embed.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "left-alone-stage-by-its-number",
        path: "Dockerfile",
        before: "FROM python:3.12-slim AS base\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\n\nFROM alpine:3.20\nRUN echo 1 > /x\n\nFROM base\nCOPY --from=1 /x /x\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-name-of-many-parameters",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from transformers import AutoModelForCausalLM\n\nmodel = AutoModelForCausalLM.from_pretrained(\"Qwen/Qwen2.5-7B-Instruct\")\n",
            ),
            ("requirements.txt", "transformers==4.46.0\n"),
        ],
        config: "",
    },
    Example {
        name: "model-beside-an-adapter-of-peft",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from peft import PeftModel\nfrom transformers import AutoModel\n\nmodel = PeftModel.from_pretrained(AutoModel.from_pretrained(\"BAAI/bge-small-en-v1.5\"), \"example/adapter\")\n",
            ),
            ("requirements.txt", "peft==0.13.0\ntransformers==4.46.0\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-address-that-only-torch-hub-knows",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            ("app.py", "import torch\n\nmodel = torch.hub.load(\"ultralytics/yolov5\", \"yolov5s\")\n"),
            ("requirements.txt", "torch==2.5.0\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-transformers-before-4-22",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained(\"bert-base-uncased\")\n",
            ),
            ("requirements.txt", "transformers==4.5.0\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-old-sentence-transformers-without-modules",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"BAAI/bge-small-en\")\n",
            ),
            ("requirements.txt", "sentence-transformers==2.2.2\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-local-files-only",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained(\"BAAI/bge-small-en-v1.5\", local_files_only=True)\n",
            ),
            ("requirements.txt", "transformers==4.46.0\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-spacy-without-a-pin",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            ("app.py", "import spacy\n\nnlp = spacy.load(\"en_core_web_sm\")\n"),
            ("requirements.txt", "spacy>=3.7\n"),
        ],
        config: "",
    },
    Example {
        name: "left-alone-spacy-model-of-the-requirements",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            ("app.py", "import spacy\n\nnlp = spacy.load(\"en_core_web_sm\")\n"),
            (
                "requirements.txt",
                "spacy==3.7.5\nen_core_web_sm @ https://github.com/explosion/spacy-models/releases/download/en_core_web_sm-3.7.1/en_core_web_sm-3.7.1-py3-none-any.whl\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "left-alone-saved-into-a-folder-of-its-own",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('all-MiniLM-L6-v2').save('/app/model')\"\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
        files: &[
            (
                "app.py",
                "import os\n\nfrom sentence_transformers import SentenceTransformer\n\nLOCAL = \"/app/model\"\nmodel = SentenceTransformer(LOCAL if os.path.exists(LOCAL) else \"all-MiniLM-L6-v2\")\n",
            ),
            ("requirements.txt", "sentence-transformers==3.4.1\n"),
        ],
        config: "",
    },
];
