//! Its examples.

use crate::transform::Example;

const PLAIN: Example = Example { name: "", path: "Dockerfile", before: "", files: &[], config: "" };
const PY: &[(&str, &str)] =
    &[("requirements.txt", "flask==3.0.3\n"), ("app.py", "import flask\n"), (".dockerignore", ".git\n.venv\n")];

const LOCK: &str = "{\"lockfileVersion\":3,\"packages\":{}}\n";

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
        name: "certificates-stay-in-front",
        before: "FROM python:3.12-slim\nCOPY certs /usr/local/share/ca-certificates/\nRUN update-ca-certificates\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: &[("certs/ca.crt", ""), ("requirements.txt", "flask==3.0.3\n"), ("app.py", "")],
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
        name: "npm-ci-with-node-modules-kept-out",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"index.js\"]\n",
        files: &[
            ("package.json", "{\"name\":\"web\",\"dependencies\":{\"left-pad\":\"1.3.0\"}}\n"),
            ("package-lock.json", LOCK),
            (".npmrc", "fund=false\n"),
            (".dockerignore", "**/node_modules\n"),
            ("index.js", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "npm-install-that-may-rewrite-its-lock-file",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm install && npm run build\n",
        files: &[("package.json", "{\"name\":\"web\"}\n"), ("package-lock.json", LOCK), ("index.js", "")],
        ..PLAIN
    },
    Example {
        name: "yarn-workspaces",
        before: "FROM node:20-slim\nWORKDIR /repo\nCOPY . .\nRUN yarn install --frozen-lockfile\nRUN yarn build\n",
        files: &[
            ("package.json", "{\"private\":true,\"workspaces\":[\"packages/*\"]}\n"),
            ("packages/a/package.json", "{\"name\":\"a\",\"version\":\"1.0.0\"}\n"),
            ("packages/b/package.json", "{\"name\":\"b\",\"version\":\"1.0.0\"}\n"),
            ("packages/b/index.js", ""),
            ("yarn.lock", "# yarn lockfile v1\n"),
            (".dockerignore", "**/node_modules\n"),
        ],
        ..PLAIN
    },
    Example {
        name: "pnpm-with-settings-and-patches",
        before: "FROM node:20-slim\nRUN corepack enable\nWORKDIR /app\nCOPY . .\nRUN pnpm install --frozen-lockfile\n",
        files: &[
            (
                "package.json",
                "{\"name\":\"web\",\"packageManager\":\"pnpm@9.1.0\",\"pnpm\":{\"patchedDependencies\":{\"a@1.0.0\":\"patches/a.patch\"}}}\n",
            ),
            ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
            ("patches/a.patch", "x\n"),
            (".npmrc", "hoist=false\n"),
            (".dockerignore", "**/node_modules\n"),
            ("index.ts", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "bun",
        before: "FROM oven/bun:1\nWORKDIR /app\nCOPY . .\nRUN bun install --frozen-lockfile\n",
        files: &[
            ("package.json", "{\"name\":\"web\"}\n"),
            ("bun.lock", "{}\n"),
            (".dockerignore", "node_modules\n"),
            ("index.ts", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "uv-without-the-project-itself",
        before: "FROM python:3.12-slim\nRUN pip install uv==0.8.0\nWORKDIR /app\nCOPY . .\nRUN uv sync --frozen --no-dev\n",
        files: &[
            (
                "pyproject.toml",
                "[project]\nname = \"service\"\nversion = \"1.0\"\ndependencies = [\"flask\"]\n\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
            ),
            (
                "uv.lock",
                "version = 1\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"service\"\nversion = \"1.0\"\nsource = { editable = \".\" }\n",
            ),
            (".python-version", "3.12\n"),
            (".dockerignore", ".venv\n"),
            ("service/__init__.py", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "poetry-without-the-root",
        before: "FROM python:3.12-slim\nRUN pip install poetry==1.8.3 && poetry config virtualenvs.create false\nWORKDIR /app\nCOPY . .\nRUN poetry install --only main\n",
        files: &[
            (
                "pyproject.toml",
                "[tool.poetry]\nname = \"service\"\nversion = \"1.0\"\n\n[tool.poetry.dependencies]\npython = \"^3.12\"\n",
            ),
            ("poetry.lock", "content-hash = \"0\"\n"),
            (".dockerignore", ".venv\n"),
            ("service/__init__.py", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "pipenv-that-must-agree-with-its-lock-file",
        before: "FROM python:3.12-slim\nRUN pip install pipenv\nWORKDIR /app\nCOPY . .\nRUN pipenv install --deploy --system\n",
        files: &[
            ("Pipfile", "[packages]\nflask = \"*\"\n"),
            ("Pipfile.lock", "{}\n"),
            (".dockerignore", ".venv\n"),
            ("app.py", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "composer-without-scripts-and-autoloader",
        before: "FROM composer:2\nWORKDIR /app\nCOPY . .\nRUN composer install --no-dev --optimize-autoloader\n",
        files: &[
            (
                "composer.json",
                "{\"require\":{\"monolog/monolog\":\"^3.0\"},\"autoload\":{\"psr-4\":{\"App\\\\\":\"src/\"}}}\n",
            ),
            ("composer.lock", "{\"packages\":[],\"packages-dev\":[]}\n"),
            (".dockerignore", "vendor\n"),
            ("src/App.php", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "bundler-with-a-frozen-lock-file",
        before: "FROM ruby:3.3\nENV BUNDLE_FROZEN=1\nWORKDIR /app\nCOPY . .\nRUN bundle install --jobs 4\n",
        files: &[
            ("Gemfile", "source \"https://rubygems.example\"\ngem \"rake\"\n"),
            ("Gemfile.lock", "GEM\n  specs:\n    rake (13.2.1)\n"),
            ("app.rb", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "dotnet-projects-keep-their-folders",
        before: "FROM mcr.microsoft.com/dotnet/sdk:8.0\nWORKDIR /src\nCOPY . .\nRUN dotnet restore api/api.csproj\nRUN dotnet publish api/api.csproj --no-restore -c Release -o /out\n",
        files: &[
            (
                "api/api.csproj",
                "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup><ProjectReference Include=\"..\\lib\\lib.csproj\" /></ItemGroup></Project>\n",
            ),
            ("lib/lib.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"></Project>\n"),
            ("Directory.Build.props", "<Project></Project>\n"),
            (".dockerignore", "**/bin\n**/obj\n"),
            ("api/Program.cs", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "go-modules",
        before: "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN go build -o /out/app ./cmd/app\n",
        files: &[
            ("go.mod", "module example.com/app\n\ngo 1.22\n\nrequire github.com/google/uuid v1.6.0\n"),
            ("go.sum", "x\n"),
            ("cmd/app/main.go", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "maven-goes-offline-first",
        before: "FROM maven:3.9-eclipse-temurin-21\nWORKDIR /app\nCOPY . .\nRUN mvn -B -DskipTests package\n",
        files: &[
            (
                "pom.xml",
                "<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1</version></project>\n",
            ),
            ("src/main/java/A.java", ""),
            (".dockerignore", "target\n"),
        ],
        ..PLAIN
    },
    Example {
        name: "gradle-with-its-catalogue",
        before: "FROM gradle:8-jdk21\nWORKDIR /app\nCOPY . .\nRUN gradle --no-daemon build\n",
        files: &[
            ("settings.gradle", "rootProject.name = 'app'\n"),
            ("build.gradle", "plugins { id 'java' }\n"),
            ("gradle/libs.versions.toml", "[versions]\n"),
            ("src/main/java/A.java", ""),
            (".dockerignore", ".gradle\nbuild\n"),
        ],
        ..PLAIN
    },
    Example {
        name: "cargo-fetches-with-empty-targets",
        before: "FROM rust:1.80\nWORKDIR /app\nCOPY . .\nRUN cargo build --release --locked\n",
        files: &[
            ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\n"),
            ("Cargo.lock", "version = 3\n"),
            ("src/main.rs", ""),
            (".dockerignore", "target\n"),
        ],
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
        name: "inline-in-a-compose-file",
        path: "compose.yaml",
        before: "services:\n  app:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM python:3.12-slim\n        WORKDIR /app\n        COPY . .\n        RUN pip install -r requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-script-of-the-package-needs-the-sources",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files: &[
            ("package.json", "{\"name\":\"web\",\"scripts\":{\"postinstall\":\"node tools/setup.js\"}}\n"),
            ("package-lock.json", LOCK),
            ("tools/setup.js", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-dependency-in-the-repository",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files: &[
            ("package.json", "{\"name\":\"web\",\"dependencies\":{\"lib\":\"file:lib\"}}\n"),
            ("package-lock.json", LOCK),
            ("lib/index.js", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-installed-folder-is-in-the-repository",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files: &[
            ("package.json", "{\"name\":\"web\"}\n"),
            ("package-lock.json", LOCK),
            ("node_modules/own/index.js", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-dockerignore-brings-something-back",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files: &[
            ("package.json", "{\"name\":\"web\"}\n"),
            ("package-lock.json", LOCK),
            (".dockerignore", "node_modules\n!node_modules/own\n"),
            ("index.js", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-other-dockerfile-copies-the-folder",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files: &[
            ("package.json", "{\"name\":\"web\"}\n"),
            ("package-lock.json", LOCK),
            ("local.Dockerfile", "FROM node:20-slim\nCOPY node_modules /app/node_modules\n"),
            ("index.js", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-manifest-that-git-ignores",
        before: "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files: &[
            ("package.json", "{\"name\":\"web\"}\n"),
            ("package-lock.json", LOCK),
            (".npmrc", "fund=false\n"),
            (".gitignore", ".npmrc\nnode_modules\n"),
            (".dockerignore", "node_modules\n"),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-dependencies-come-first-by-hand",
        before: "FROM composer:2\nWORKDIR /app\nCOPY composer.json composer.lock ./\nRUN composer install --no-scripts --no-autoloader\nCOPY . .\nRUN composer install\n",
        files: &[("composer.json", "{}\n"), ("composer.lock", "{}\n"), ("src/App.php", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-go-vendor",
        before: "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN go build ./...\n",
        files: &[("go.mod", "module example.com/app\n"), ("vendor/modules.txt", ""), ("main.go", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-maven-modules",
        before: "FROM maven:3.9-eclipse-temurin-21\nWORKDIR /app\nCOPY . .\nRUN mvn -B package\n",
        files: &[
            (
                "pom.xml",
                "<project><packaging>pom</packaging><modules><module>a</module><module>b</module></modules></project>\n",
            ),
            ("a/pom.xml", "<project></project>\n"),
            ("b/pom.xml", "<project></project>\n"),
        ],
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
        name: "left-alone-install-reads-standard-input",
        before: "FROM debian:bookworm-slim\nWORKDIR /app\nCOPY . .\nRUN apt-get update && xargs apt-get install -y < packages.txt\n",
        files: &[("packages.txt", "curl\n"), ("app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-option-names-a-file-of-the-sources",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install --cert ca.pem -r requirements.txt\n",
        files: &[("requirements.txt", "flask\n"), ("ca.pem", ""), ("app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-variable-names-a-file-of-the-sources",
        before: "FROM python:3.12-slim\nENV REQUESTS_CA_BUNDLE=/app/ca.pem\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: &[("requirements.txt", "flask\n"), ("ca.pem", ""), ("app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-path-finds-a-program-of-the-sources",
        before: "FROM node:20-slim\nENV PATH=/app/bin:$PATH\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files: &[
            ("package.json", "{\"name\":\"web\"}\n"),
            ("package-lock.json", LOCK),
            ("bin/npm", ""),
            (".dockerignore", "node_modules\n"),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-python-finds-packages-among-the-sources",
        before: "FROM python:3.12-slim\nENV PYTHONPATH=/app\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: &[("requirements.txt", "flask\n"), ("idna-3.7.dist-info/METADATA", ""), ("app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-package-file-of-the-sources",
        before: "FROM debian:bookworm-slim\nWORKDIR /app\nCOPY . .\nRUN apt-get update && apt-get install -y ./tool.deb\n",
        files: &[("tool.deb", ""), ("app.py", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-version-of-the-manager-stands-in-the-sources",
        before: "FROM node:20-slim\nRUN corepack enable\nWORKDIR /app\nCOPY . .\nRUN pnpm add -g turbo\n",
        files: &[("package.json", "{\"packageManager\":\"pnpm@9.15.0\"}\n"), ("index.ts", "")],
        ..PLAIN
    },
    Example {
        name: "left-alone-version-of-python-stands-in-the-sources",
        before: "FROM python:3.12-slim\nRUN pip install uv\nWORKDIR /app\nCOPY . .\nRUN uv venv && uv pip install -r requirements.txt\n",
        files: &[("requirements.txt", "flask\n"), (".python-version", "3.11\n"), (".dockerignore", ".venv\n")],
        ..PLAIN
    },
    Example {
        name: "left-alone-folder-without-code",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY config ./config\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\n",
        files: &[("config/pip.conf", ""), ("requirements.txt", "flask\n")],
        ..PLAIN
    },
    Example {
        name: "left-alone-sources-in-the-home-of-a-new-user",
        before: "FROM python:3.12-slim\nCOPY . /home/app\nRUN useradd -m app && pip install -r /home/app/requirements.txt\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-rest-of-the-run-removes-packages",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN apt-get update && apt-get install -y gcc && pip install -r requirements.txt && python setup.py build_ext && apt-get purge -y gcc\n",
        files: PY,
        ..PLAIN
    },
    Example {
        name: "left-alone-cache-mount-holds-what-is-fetched",
        before: "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build ./...\n",
        files: &[
            ("go.mod", "module example.com/app\n\nrequire github.com/google/uuid v1.6.0\n"),
            ("go.sum", "x\n"),
            ("main.go", ""),
        ],
        ..PLAIN
    },
    Example {
        name: "left-alone-copy-is-to-be-ignored",
        before: "FROM python:3.12-slim\nWORKDIR /app\n# restow: ignore=copy-manifests-first -- the sources pin what is installed\nCOPY . .\nRUN pip install -r requirements.txt\n",
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
        name: "left-alone-install-that-the-file-ends-in",
        before: "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt \\\n",
        files: PY,
        ..PLAIN
    },
];
