//! The examples of sink-build-args.

use crate::transform::Example;

const fn example(name: &'static str, before: &'static str) -> Example {
    Example { name, path: "Dockerfile", before, files: &[], config: "" }
}

pub const EXAMPLES: &[Example] = &[
    Example {
        name: "commit-with-env-and-label",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_COMMIT=unknown\nENV GIT_COMMIT=$GIT_COMMIT\nLABEL org.opencontainers.image.revision=$GIT_COMMIT\nWORKDIR /app\nRUN apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY . .\nCMD [\"python\", \"app.py\"]\n",
        files: &[("requirements.txt", "flask==3.0.0\n")],
        config: "",
    },
    Example {
        name: "only-what-stands-above-moves",
        path: "Dockerfile",
        before: "FROM debian:bookworm-slim\n\n# When and from what this was built\nARG BUILD_DATE\nARG VCS_REF\n\nRUN apt-get update \\\n    && apt-get install -y curl\n\nCOPY bin/ /usr/local/bin/\n\nLABEL org.label-schema.build-date=$BUILD_DATE \\\n      org.label-schema.vcs-ref=$VCS_REF\n",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    build:\n      context: .\n      args:\n        VCS_REF: ${SHA:-}\n",
        )],
        config: "",
    },
    Example {
        name: "npm-without-life-cycle-scripts",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG APP_GIT_SHA\nENV NEXT_PUBLIC_GIT_SHA=${APP_GIT_SHA}\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n",
        files: &[
            ("package.json", "{\"scripts\":{\"build\":\"next build\"}}\n"),
            ("package-lock.json", "{}\n"),
            (
                ".github/workflows/image.yml",
                "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          build-args: APP_GIT_SHA=${{ github.sha }}\n",
            ),
        ],
        config: "",
    },
    Example {
        name: "npm-with-a-postinstall-script",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
        files: &[
            ("package.json", "{\"scripts\":{\"postinstall\":\"node stamp.js\"}}\n"),
            ("package-lock.json", "{}\n"),
        ],
        config: "",
    },
    Example {
        name: "sign-of-ci-past-pnpm",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG BUILD_NUMBER=0\nWORKDIR /app\nCOPY package.json pnpm-lock.yaml ./\nRUN corepack enable && pnpm install\nCOPY . .\n",
        files: &[("package.json", "{}\n"), ("pnpm-lock.yaml", "\n")],
        config: "",
    },
    Example {
        name: "dotnet-restore-for-review",
        path: "Dockerfile",
        before: "FROM mcr.microsoft.com/dotnet/sdk:8.0\nARG GIT_COMMIT=local\nWORKDIR /src\nCOPY api.csproj .\nRUN dotnet restore\nCOPY . .\nRUN dotnet publish -c Release -o /out\n",
        files: &[("api.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Web\" />\n")],
        config: "",
    },
    Example {
        name: "installs-of-the-project-for-review",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_COMMIT=local\nWORKDIR /app\nCOPY pyproject.toml setup.py ./\nRUN pip install -e .\nCOPY . .\n",
        files: &[("pyproject.toml", ""), ("setup.py", "")],
        config: "",
    },
    Example {
        name: "first-safe-then-for-review",
        path: "Dockerfile",
        before: "FROM maven:3-eclipse-temurin-21\nARG COMMIT_SHA=local\nRUN apt-get update && apt-get install -y git\nCOPY pom.xml .\nRUN mvn -B dependency:go-offline\nCOPY src src\nRUN mvn -B package\n",
        files: &[("pom.xml", "<project/>\n")],
        config: "",
    },
    example(
        "env-with-other-variables-is-split",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nENV PYTHONUNBUFFERED=1 \\\n    APP_GIT_SHA=$GIT_SHA\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "arg-with-several-names-is-split",
        "FROM python:3.12-slim\nARG EXTRAS=all GIT_SHA=dev BUILD_DATE=now\nLABEL date=$BUILD_DATE\nRUN pip install \"flask[$EXTRAS]==3.0.0\"\nCOPY . /app\n",
    ),
    Example {
        name: "composer-with-scripts",
        path: "Dockerfile",
        before: "FROM composer:2\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY composer.json composer.lock ./\nRUN composer install --no-dev\nCOPY . .\n",
        files: &[
            ("composer.json", "{\"scripts\":{\"post-install-cmd\":\"php stamp.php\"}}\n"),
            ("composer.lock", "{}\n"),
        ],
        config: "",
    },
    example(
        "chain-through-another-argument",
        "FROM alpine:3.20\nARG BUILD_NUMBER=0\nARG VERSION=1.4.${BUILD_NUMBER}\nLABEL version=$VERSION\nRUN apk add --no-cache ca-certificates\nCOPY app /app\n",
    ),
    Example {
        name: "each-stage-by-itself",
        path: "Dockerfile",
        before: "ARG GIT_COMMIT=dev\nFROM golang:1.23 AS build\nARG GIT_COMMIT\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build -ldflags \"-X main.commit=$GIT_COMMIT\" -o /app .\nFROM debian:bookworm-slim\nARG GIT_COMMIT\nENV GIT_COMMIT=${GIT_COMMIT}\nRUN apt-get update && apt-get install -y ca-certificates\nCOPY --from=build /app /app\n",
        files: &[("go.mod", "module x\n"), ("go.sum", "")],
        config: "",
    },
    example(
        "heredoc-and-exec-form",
        "FROM debian:bookworm-slim\nARG VCS_REF=none\nRUN <<EOF\nset -e\napt-get update\napt-get install -y python3-pip\nEOF\nRUN [\"pip\", \"install\", \"--break-system-packages\", \"flask==3.0.0\"]\nCOPY . /app\n",
    ),
    example(
        "comment-of-a-block-stays",
        "FROM python:3.12-slim\n\n# Production settings\nARG GIT_SHA=dev\nENV PYTHONUNBUFFERED=1\n\n# The commit that this was built from\nENV GIT_SHA=$GIT_SHA\nENV PORT=80\n\nRUN pip install flask==3.0.0\n\n# Sources\nCOPY . /app\n",
    ),
    Example {
        name: "name-from-restow-toml",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG FRONTEND_STAMP=dev\nRUN pip install flask==3.0.0\nCOPY . /app\n",
        files: &[],
        config: "[build-args]\nper-commit = [\"FRONTEND_STAMP\"]\n",
    },
    Example {
        name: "passed-by-a-makefile",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_SHA\nRUN pip install flask==3.0.0\nCOPY . /app\n",
        files: &[("Makefile", "image:\n\tdocker build \\\n\t  --build-arg GIT_SHA=$(shell git rev-parse HEAD) .\n")],
        config: "",
    },
    example(
        "up-to-the-script-that-could-read-it",
        "FROM debian:bookworm-slim\nARG GIT_SHA=dev\nRUN apt-get update && apt-get install -y gcc make\nCOPY setup.sh /tmp/\nRUN /tmp/setup.sh\nRUN apt-get install -y curl\n",
    ),
    example(
        "left-alone-no-value",
        "FROM python:3.12-slim\nARG GIT_COMMIT\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-used-by-a-step",
        "FROM python:3.12-slim\nARG GIT_COMMIT=dev\nRUN echo \"$GIT_COMMIT\" > /commit && pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-whole-environment",
        "FROM python:3.12-slim\nARG GIT_COMMIT=dev\nRUN printenv | sort && pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-script-of-the-project",
        "FROM python:3.12-slim\nARG GIT_COMMIT=dev\nCOPY bootstrap.sh /\nRUN sh /bootstrap.sh\nRUN pip install flask==3.0.0\n",
    ),
    Example {
        name: "left-alone-named-in-a-file-of-the-install",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG GIT_COMMIT=dev\nWORKDIR /app\nCOPY package.json .npmrc ./\nRUN npm install\nCOPY . .\n",
        files: &[("package.json", "{}\n"), (".npmrc", "user-agent=acme/${GIT_COMMIT}\n")],
        config: "",
    },
    example(
        "left-alone-used-by-a-path",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nWORKDIR /srv/$GIT_SHA\nRUN pip install flask==3.0.0\nCOPY . .\n",
    ),
    example(
        "left-alone-below-the-sources",
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nARG GIT_SHA=dev\nRUN pip install flask==3.0.0\n",
    ),
    Example {
        name: "left-alone-sources-in-between",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        files: &[("requirements.txt", "flask==3.0.0\n")],
        config: "",
    },
    example(
        "left-alone-installs-in-other-stages",
        "FROM ruby:3.3-slim AS base\nARG BUILD_COMMIT_SHA=dev\nENV BUILD_COMMIT_SHA=$BUILD_COMMIT_SHA\nFROM base AS build\nRUN apt-get update && apt-get install -y build-essential\nFROM base\nCOPY --from=build /usr/bin/make /usr/bin/make\n",
    ),
    example(
        "left-alone-value-made-of-something-below",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nLABEL version=$CHANNEL-$GIT_SHA\nARG CHANNEL=edge\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-same-label-below",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nLABEL revision=$GIT_SHA\nLABEL revision=fixed\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-made-of-its-neighbour",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nENV CHANNEL=edge COMMIT=$CHANNEL-$GIT_SHA\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-variable-that-installs-read",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nENV SETUPTOOLS_SCM_PRETEND_VERSION=0.0.0+$GIT_SHA GIT_SHA=$GIT_SHA\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-names-that-are-meant-to-repeat-or-are-read",
        "FROM python:3.12-slim\nARG CACHEBUST=1\nARG SOURCE_DATE_EPOCH=0\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    Example {
        name: "left-alone-name-in-no-list",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG NEXT_PUBLIC_GIT_SHA\nRUN npm install -g serve@14\nCOPY . /app\n",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    build:\n      context: .\n      args:\n        NEXT_PUBLIC_GIT_SHA: ${SHA:-}\n",
        )],
        config: "",
    },
    example(
        "left-alone-label-and-global-argument",
        "ARG GIT_SHA=dev\nFROM python:3.12-slim\nLABEL maintainer=acme\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-below-the-installs",
        "FROM python:3.12-slim\nRUN pip install flask==3.0.0\nARG GIT_SHA=dev\nENV GIT_SHA=$GIT_SHA\nCOPY . /app\n",
    ),
    example(
        "left-alone-one-of-a-list-of-variables",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nENV PORT=80 \\\n    COMMIT=$GIT_SHA \\\n    HOST=0.0.0.0\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "download-for-review",
        "FROM debian:bookworm-slim\nARG GIT_SHA=dev\nRUN apt-get update && apt-get install -y curl\nRUN curl -fsSL -o /usr/local/bin/tool https://acme.example/tool && apt-get install -y jq\nCOPY app /app\n",
    ),
    example(
        "clone-of-a-commit-named-in-full",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nRUN git clone https://acme.example/lib.git /lib && git -C /lib checkout 0123456789abcdef0123456789abcdef01234567 && pip install six==1.16.0\nCOPY . /app\n",
    ),
    example(
        "upgrade-of-the-system-for-review",
        "FROM debian:bookworm-slim\nARG BUILD_DATE=none\nRUN apt-get update && apt-get -y dist-upgrade && apt-get install -y curl\nCOPY app /app\n",
    ),
    example(
        "comment-that-wants-fresh-packages",
        "FROM debian:bookworm-slim\nARG BUILD_DATE=none\n# A new BUILD_DATE installs the packages again\nRUN apt-get update && apt-get install -y curl\nCOPY app /app\n",
    ),
    Example {
        name: "local-project-for-review",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY requirements.txt ./\nCOPY vendor/common-1.0.tar.gz vendor/\nRUN pip install -r requirements.txt\nCOPY . .\n",
        files: &[("requirements.txt", "flask==3.0.0\nvendor/common-1.0.tar.gz\n"), ("vendor/common-1.0.tar.gz", "")],
        config: "",
    },
    Example {
        name: "npm-with-a-dependencies-script",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
        files: &[
            ("package.json", "{\"scripts\":{\"dependencies\":\"node stamp.js\"}}\n"),
            ("package-lock.json", "{}\n"),
        ],
        config: "",
    },
    Example {
        name: "npm-in-the-folder-of-its-package",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY web/package.json web/package-lock.json web/\nRUN cd web && npm ci\nCOPY . .\n",
        files: &[("web/package.json", "{}\n"), ("web/package-lock.json", "{}\n")],
        config: "",
    },
    Example {
        name: "npm-in-a-folder-without-a-known-package",
        path: "Dockerfile",
        before: "FROM node:22-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY package.json package-lock.json ./\nADD https://acme.example/web.tar.gz /app/\nRUN npm --prefix web ci\nCOPY . .\n",
        files: &[("package.json", "{}\n"), ("package-lock.json", "{}\n")],
        config: "",
    },
    example(
        "split-env-closes-its-first-line",
        "FROM python:3.12-slim\nARG GIT_COMMIT=dev\nENV GIT_COMMIT=$GIT_COMMIT \\\n    PYTHONUNBUFFERED=1\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "comment-of-several-arguments-stays",
        "FROM python:3.12-slim\n\n# Build arguments (see the git hooks)\nARG EXTRAS=all\nARG GIT_SHA=dev\n\nRUN pip install \"flask[$EXTRAS]==3.0.0\"\nCOPY . /app\n",
    ),
    example(
        "comment-of-several-arguments-of-which-the-first-moves",
        "FROM python:3.12-slim\n\n# Git and version settings\nARG GIT_SHA=dev\nARG EXTRAS=all\n\nRUN pip install \"flask[$EXTRAS]==3.0.0\"\nCOPY . /app\n",
    ),
    Example {
        name: "passed-by-a-hook",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_SHA\nRUN pip install flask==3.0.0\nCOPY . /app\n",
        files: &[("hooks/build", "#!/bin/sh\ndocker build --build-arg GIT_SHA=$SOURCE_COMMIT -t $IMAGE_NAME .\n")],
        config: "",
    },
    example(
        "one-of-two-saves-the-first-install-only",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nARG BUILD_DATE=none\nRUN pip install flask==3.0.0\nRUN echo $BUILD_DATE > /date && pip install six==1.16.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-another-one-stays",
        "FROM python:3.12-slim\nARG BUILD_DATE=none\nRUN echo $BUILD_DATE > /date\nARG GIT_SHA=dev\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-clone",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nRUN git clone https://acme.example/repo.git /src && pip install six==1.16.0\nCOPY . /app\n",
    ),
    Example {
        name: "left-alone-requirement-from-a-branch",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\nCOPY . .\n",
        files: &[("requirements.txt", "flask==3.0.0\ncommon @ git+https://acme.example/common@main\n")],
        config: "",
    },
    example(
        "left-alone-package-from-a-repository",
        "FROM node:22-slim\nARG GIT_SHA=dev\nRUN npm install -g github:acme/tool\nCOPY . /app\n",
    ),
    Example {
        name: "left-alone-named-in-a-renamed-requirements-file",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_SHA=dev\nCOPY deploy/reqs /app/requirements.txt\nRUN pip install -r /app/requirements.txt\nCOPY . /app\n",
        files: &[("deploy/reqs", "acme-common @ https://acme.example/${GIT_SHA}/common-1.0.tar.gz\n")],
        config: "",
    },
    Example {
        name: "left-alone-named-in-an-included-requirements-file",
        path: "Dockerfile",
        before: "FROM python:3.12-slim\nARG GIT_SHA=dev\nCOPY requirements.pip base.pip /app/\nRUN pip install -r /app/requirements.pip\nCOPY . /app\n",
        files: &[("requirements.pip", "-r base.pip\n"), ("base.pip", "--index-url https://acme.example/${GIT_SHA}\n")],
        config: "",
    },
    example(
        "left-alone-comment-in-what-would-be-split",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nENV PORT=80 \\\n    # the commit\n    COMMIT=$GIT_SHA\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    example(
        "left-alone-name-in-no-list-with-a-neutral-default",
        "FROM python:3.12-slim\nARG SENTRY_RELEASE=unknown\nARG GIT_REF=main\nARG SHA=\"\"\nRUN pip install flask==3.0.0\nCOPY . /app\n",
    ),
    Example {
        name: "left-alone-dependency-from-a-repository-without-a-lock-file",
        path: "Dockerfile",
        before: "FROM ruby:3.3-slim\nARG GIT_SHA=dev\nWORKDIR /app\nCOPY Gemfile ./\nRUN bundle install\nCOPY . .\n",
        files: &[(
            "Gemfile",
            "source \"https://acme.example\"\ngem \"common\", git: \"https://acme.example/common\"\n",
        )],
        config: "",
    },
    example(
        "left-alone-install-that-the-file-ends-in",
        "FROM python:3.12-slim\nARG GIT_SHA=dev\nRUN pip install flask==3.0.0 \\\n",
    ),
];
