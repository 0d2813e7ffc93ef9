//! Its examples.

use crate::transform::Example;

const PLAIN: Example = Example { name: "", path: "Dockerfile", before: "", files: &[], config: "" };
const PY: &[(&str, &str)] =
    &[("requirements.txt", "flask==3.0.3\n"), ("app.py", "import flask\n"), (".dockerignore", ".git\n.venv\n")];

pub const EXAMPLES: &[Example] = &[
    Example {
        name: "pip-requirements-with-what-they-include",
        before: r#"FROM python:3.12-slim
WORKDIR /app

# The service
COPY . .
RUN pip install --no-cache-dir -r requirements.txt

CMD ["python", "-m", "service"]
"#,
        files: &[
            ("requirements.txt", "-r requirements/base.txt\n-c constraints.txt\nflask==3.0.3\n"),
            ("requirements/base.txt", "click==8.1.7\n"),
            ("constraints.txt", "werkzeug==3.0.3\n"),
            ("service/__main__.py", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "owner-of-the-copy-is-kept",
        before: r#"FROM python:3.12-slim
RUN useradd --create-home --uid 1000 app
USER 1000
WORKDIR /srv/app
COPY --chown=1000:1000 . /srv/app
RUN pip install --user --no-cache-dir -r /srv/app/requirements.txt
"#,
        files: PY,
        ..PLAIN
    },
    Example {
        name: "system-packages-and-tools-stand-between",
        before: r#"FROM python:3.12-slim
COPY . /app
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
RUN pip install --upgrade pip
ENV PYTHONUNBUFFERED=1
RUN pip install -r requirements.txt
CMD ["python", "app.py"]
"#,
        files: PY,
        ..PLAIN
    },
    Example {
        name: "virtual-environment-that-the-dockerignore-keeps-out",
        before: r#"FROM python:3.12-slim
WORKDIR /app
COPY . .
RUN python -m venv .venv && .venv/bin/pip install -r requirements.txt
"#,
        files: PY,
        ..PLAIN
    },
    Example {
        name: "virtual-environment-that-the-dockerignore-lacks",
        before: r#"FROM python:3.12-slim
WORKDIR /app
COPY . .
RUN python -m venv venv && venv/bin/pip install -r requirements.txt
"#,
        files: PY,
        ..PLAIN
    },
    Example {
        name: "run-that-goes-on-is-divided",
        before: r#"FROM python:3.12-slim
WORKDIR /app

COPY . .
RUN pip install --no-cache-dir -r requirements.txt \
    && python manage.py collectstatic --noinput
"#,
        files: PY,
        ..PLAIN
    },
    Example {
        name: "several-copies-and-a-context-from-compose",
        path: "docker/api.Dockerfile",
        before: r#"FROM python:3.12-slim
WORKDIR /srv
COPY backend ./backend
COPY shared ./shared
# What it runs on
RUN pip install -r backend/requirements.txt
"#,
        files: &[
            (
                "compose.yaml",
                "services:\n  api:\n    build:\n      context: .\n      dockerfile: docker/api.Dockerfile\n",
            ),
            ("backend/requirements.txt", "flask==3.0.3\n"),
            ("backend/app.py", ""),
            ("shared/model.py", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "first-of-two-installs-is-seen-again-for-the-second",
        before: r#"FROM python:3.12-slim
WORKDIR /app
COPY . ./
RUN pip install -r requirements.txt
RUN pip install -r dev.txt
"#,
        files: &[("requirements.txt", "flask==3.0.3\n"), ("dev.txt", "pytest==8.2.0\n"), ("app.py", "")],
        ..PLAIN
    },
    Example {
        name: "packages-named-on-the-command-line",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install flask==3.0.3 gunicorn==22.0.0\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "base-that-is-not-known",
        before: "FROM registry.example.com/base/python\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "folder-that-is-not-in-the-repository",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt ./\nCOPY generated ./generated\nRUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-manifests-come-first-already",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\nCOPY . .\nRUN pip install --no-deps .\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-requirements-name-the-project-itself",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: &[("requirements.txt", "flask\n-e .\n"), ("setup.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-file-is-made-by-an-earlier-step",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY src ./src\nRUN pip install -r requirements.lock\n",
        files: &[("src/app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-dockerignore-keeps-the-manifest-out",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: &[("requirements.txt", "flask\n"), ("app.py", ""), (".dockerignore", "*.txt\n")],
        ..PLAIN
    },
    Example {
        name: "left-alone-script-of-the-project-stands-between",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN ./scripts/prepare.sh\nRUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-command-in-front-needs-the-sources",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN python tools/pin.py && pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-run-can-t-be-divided",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt; python manage.py migrate\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "cd-in-front-is-said-in-both-parts",
        before: "FROM python:3.12-slim\nCOPY . /app\nRUN cd /app && pip install -r requirements.txt && python manage.py migrate\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-shell-changes-in-the-middle",
        before: "FROM python:3.12-slim\nCOPY . /app\nRUN pip install --upgrade pip && cd /app && pip install -r requirements.txt && python manage.py migrate\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-owner-of-a-folder-that-workdir-would-make-first",
        before: "FROM python:3.12-slim\nCOPY --chown=1000:1000 . /app\nWORKDIR /app\nRUN pip install flask==3.0.3\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-workdir-between",
        before: "FROM python:3.12-slim\nWORKDIR /build\nCOPY . src\nWORKDIR /build/src\nRUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-variable-of-the-copy-changes-between",
        before: "FROM python:3.12-slim\nENV APP=/app\nCOPY . $APP\nENV APP=/other\nRUN pip install -r /app/requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-volume-between",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nVOLUME /app/data\nRUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-two-contexts-that-differ",
        path: "docker/Dockerfile",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: &[
            (
                "compose.yaml",
                "services:\n  a:\n    build:\n      context: a\n      dockerfile: ../docker/Dockerfile\n  b:\n    build:\n      context: b\n      dockerfile: ../docker/Dockerfile\n",
            ),
            ("a/requirements.txt", "flask\n"),
            ("b/requirements.txt", "-r more.txt\n"),
            ("b/more.txt", "flask\n"),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-sources-come-with-the-base-stage",
        before: "FROM python:3.12-slim AS base\nWORKDIR /app\nCOPY . .\n\nFROM base\nRUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-sources-go-to-the-root",
        before: "FROM python:3.12-slim\nCOPY . /\nRUN pip install -r /requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-bind-mount-of-the-context",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN --mount=type=bind,target=/src pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-manifest-comes-from-another-stage",
        before: "FROM python:3.12-slim AS lock\nRUN echo flask > /requirements.txt\n\nFROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCOPY --from=lock /requirements.txt ./requirements.txt\nRUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-virtual-environment-is-in-the-repository",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN python -m venv env && env/bin/pip install -r requirements.txt\n",
        files: &[("requirements.txt", "flask\n"), ("env/settings.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-wheels-of-the-repository",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install --no-index --find-links wheels -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-name-that-needs-quotes",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r \"all requirements.txt\"\n",
        files: &[("all requirements.txt", "flask\n"), ("app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-copy-with-unread-flags",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCOPY --exclude=*.md src ./src\nRUN pip install -r src/requirements.txt\n",
        files: &[("src/requirements.txt", "flask\n"), ("src/app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-inline-in-a-compose-file",
        path: "compose.yaml",
        before: "services:\n  app:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM python:3.12-slim\n        WORKDIR /app\n        COPY . .\n        RUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
];
