//! Examples: changed, and one unchanged for each reason to leave a RUN alone.

use crate::transform::Example;

const fn example(name: &'static str, before: &'static str) -> Example {
    Example { name, path: "Dockerfile", before, files: &[], config: "" }
}

const fn with_files(
    name: &'static str,
    before: &'static str,
    files: &'static [(&'static str, &'static str)],
) -> Example {
    Example { name, path: "Dockerfile", before, files, config: "" }
}

const fn configured(name: &'static str, before: &'static str, config: &'static str) -> Example {
    Example { name, path: "Dockerfile", before, files: &[], config }
}

/// A Dockerfile inside a compose file.
const fn inline(name: &'static str, before: &'static str) -> Example {
    Example { name, path: "compose.yaml", before, files: &[], config: "" }
}

pub const EXAMPLES: &[Example] = &[
    inline(
        "an-inline-dockerfile",
        r#"services:
  api:
    build:
      context: .
      dockerfile_inline: |
        FROM python:3.12-slim

        # $$HOME is the build's, not compose's
        RUN echo "$$HOME" \
          && pip install flask
        RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
    ports:
      - 80:80
"#,
    ),
    inline(
        "left-alone-an-inline-dockerfile-whose-lines-are-not-its-own",
        r#"services:
  folded:
    build:
      dockerfile_inline: >
        FROM python:3.12-slim

        RUN pip install flask
  variable:
    build:
      dockerfile_inline: |
        FROM python:${V:-3.12}
        RUN pip install flask
  quoted:
    build:
      dockerfile_inline: "FROM python:3.12\nRUN pip install flask\n"
  broken:
    build:
      dockerfile_inline: |
        RUN pip install flask
"#,
    ),
    with_files(
        "a-named-context-in-the-place-of-the-base-image",
        r"FROM python:3.12-slim
RUN pip install flask
",
        &[(
            "compose.yaml",
            "services:\n  api:\n    build:\n      context: .\n      additional_contexts:\n        python:3.12-slim: docker-image://acme/python:hardened\n",
        )],
    ),
    example(
        "pip",
        r"FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
",
    ),
    example(
        "pip-by-module-in-a-virtual-environment",
        r#"FROM python:3.12-slim
RUN python3 -m venv /venv \
    && /venv/bin/python3 -m pip install --upgrade pip \
    && /venv/bin/pip3.12 install flask
"#,
    ),
    example(
        "pip-moved-by-the-environment",
        r"FROM python:3.12-slim
ENV XDG_CACHE_HOME=/opt/cache
RUN pip install flask
",
    ),
    example(
        "pip-as-a-user-with-a-uid",
        r"FROM python:3.12-slim
RUN useradd -m -u 1000 app
USER app
WORKDIR /home/app
RUN pip install --user flask
",
    ),
    example(
        "pip-beside-a-removed-folder",
        r"FROM python:3.12-slim
RUN pip install flask && python -m nltk.downloader punkt && rm -rf /root/.cache
",
    ),
    example(
        "pip-failing-clean-up-goes",
        r#"FROM python:3.12-slim
RUN apt-get update \
    && apt-get install -y gcc \
    && pip install flask \
    && rm -rf /var/lib/apt/lists/* /root/.cache/pip
"#,
    ),
    example(
        "pip-in-a-heredoc",
        r"FROM python:3.12-slim
RUN <<EOF
set -e
pip install flask
EOF
",
    ),
    example(
        "apt-in-a-heredoc-for-bash",
        r"FROM debian:bookworm-slim
RUN <<EOF bash -e
apt-get update
apt-get install -y curl
rm -rf /var/lib/apt/lists/*
EOF
",
    ),
    example(
        "pip-in-exec-form",
        r#"FROM python:3.12-slim
RUN ["pip", "install", "flask"]
"#,
    ),
    example(
        "pip-in-a-quoted-script",
        r"FROM python:3.12-slim
RUN bash -c 'pip install flask && pip install gunicorn'
",
    ),
    example(
        "pip-with-an-unquoted-version",
        r"FROM python:3.12-slim
RUN pip install flask>=2
",
    ),
    example(
        "pip-comment-inside-the-run",
        r#"FROM python:3.12-slim
RUN set -ex; \
    # the web framework
    pip install flask; \

    pip check
"#,
    ),
    example(
        "uv",
        r"FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-install-project
",
    ),
    example(
        "poetry-with-environments-in-the-project",
        r"FROM python:3.12-slim
ENV POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_CACHE_DIR=/tmp/poetry
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root && rm -rf $POETRY_CACHE_DIR
",
    ),
    example(
        "poetry-keeps-its-environments",
        r"FROM python:3.12-slim
RUN poetry install --no-root
",
    ),
    example(
        "pipenv",
        r"FROM python:3.12-slim
COPY Pipfile Pipfile.lock ./
RUN pipenv sync --system
",
    ),
    example(
        "pdm",
        r"FROM python:3.12-slim
COPY pyproject.toml pdm.lock ./
RUN pdm install --prod
",
    ),
    example(
        "gem",
        r"FROM ruby:3.3
RUN gem install rake
",
    ),
    example(
        "npm",
        r"FROM node:22-alpine AS build
COPY package.json package-lock.json ./
RUN npm ci
",
    ),
    example(
        "npm-as-the-user-of-the-image",
        r"FROM node:22
USER node
WORKDIR /home/node/app
RUN npm ci --omit=dev
",
    ),
    with_files(
        "yarn-1",
        r"FROM node:22
COPY package.json yarn.lock ./
RUN yarn install --frozen-lockfile
",
        &[("package.json", "{\"name\": \"web\"}\n"), ("yarn.lock", "# yarn lockfile v1\n")],
    ),
    with_files(
        "yarn-4-with-node-modules",
        r"FROM node:22
RUN yarn install --immutable
",
        &[("package.json", "{\"packageManager\": \"yarn@4.5.0\"}\n"), (".yarnrc.yml", "nodeLinker: node-modules\n")],
    ),
    with_files(
        "pnpm",
        r"FROM node:22
ENV PNPM_HOME=/pnpm
RUN corepack enable
COPY package.json pnpm-lock.yaml ./
RUN pnpm install --frozen-lockfile
",
        &[("package.json", "{\"packageManager\": \"pnpm@9.12.0\"}\n")],
    ),
    example(
        "bun",
        r"FROM oven/bun:1
COPY package.json bun.lock ./
RUN bun install --frozen-lockfile
",
    ),
    example(
        "apt",
        r#"FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/*
"#,
    ),
    example(
        "apt-beside-a-removed-cache",
        r"FROM ubuntu:24.04
RUN apt-get update && apt-get install -y curl && apt-get clean && rm -rf /var/cache/* /var/lib/apt/lists/*
",
    ),
    example(
        "apt-not-apt-get",
        r"FROM debian:bookworm-slim
RUN apt update && apt install -y curl
",
    ),
    example(
        "apt-behind-sudo",
        r"FROM debian:bookworm-slim
RUN useradd -m app
USER app
RUN sudo apt-get update && sudo apt-get install -y curl
",
    ),
    example(
        "apk",
        r#"FROM alpine:3.20
RUN apk add --no-cache curl \
    git
"#,
    ),
    example(
        "dnf",
        r"FROM fedora:42
RUN dnf install -y git && dnf clean all
",
    ),
    configured(
        "dnf-that-keeps-packages",
        r"FROM rockylinux:9
RUN dnf install -y git
",
        "[cache]\nkeep-packages = true\n",
    ),
    example(
        "zypper",
        r"FROM opensuse/leap:15.6
RUN zypper -n install git
",
    ),
    example(
        "go-in-one-step",
        r"FROM golang:1.24 AS build
ENV CGO_ENABLED=0
COPY . .
RUN go build -o /app .
FROM scratch
COPY --from=build /app /app
",
    ),
    example(
        "go-with-a-download-step",
        r"FROM golang:1.24 AS build
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -o /app .
FROM scratch
COPY --from=build /app /app
",
    ),
    example(
        "go-with-c-headers",
        r#"FROM golang:1.24-alpine AS build
RUN apk add -U build-base
COPY . .
RUN go build -o /app .
FROM alpine:3.20
COPY --from=build /app /app
CMD ["/app"]
"#,
    ),
    example(
        "cargo",
        r"FROM rust:1.85 AS build
COPY . .
RUN cargo build --release --locked
FROM debian:bookworm-slim
COPY --from=build /target/release/app /app
",
    ),
    example(
        "maven",
        r"FROM maven:3.9-eclipse-temurin-21 AS build
COPY . .
RUN mvn -q package
FROM eclipse-temurin:21-jre
COPY --from=build /target/app.jar /app.jar
",
    ),
    example(
        "gradle",
        r"FROM eclipse-temurin:21 AS build
COPY . .
RUN ./gradlew --no-daemon build
FROM eclipse-temurin:21-jre
COPY --from=build /build/libs/app.jar /app.jar
",
    ),
    example(
        "dotnet",
        r"FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
COPY . .
RUN dotnet publish -c Release -o /out
FROM mcr.microsoft.com/dotnet/aspnet:8.0
COPY --from=build /out /app
",
    ),
    example(
        "composer",
        r"FROM composer:2 AS vendor
COPY composer.json composer.lock ./
RUN composer install --no-dev --no-scripts
",
    ),
    example(
        "bundler",
        r"FROM ruby:3.3
COPY Gemfile Gemfile.lock ./
RUN bundle install
",
    ),
    example(
        "conda-in-its-own-image",
        r"FROM continuumio/miniconda3:24.7.1-0
COPY environment.yml .
RUN conda env create -f environment.yml && conda clean -afy
",
    ),
    example(
        "conda-called-by-its-path",
        r"FROM debian:bookworm-slim
ADD https://repo.example.com/miniconda.sh /tmp/
RUN bash /tmp/miniconda.sh -b -p /opt/conda
RUN /opt/conda/bin/conda install -y numpy
",
    ),
    example(
        "conda",
        r"FROM quay.io/jupyter/base-notebook:latest
USER root
RUN conda install -y numpy && conda clean -afy
",
    ),
    example(
        "two-managers-in-one-run",
        r"FROM python:3.12-slim
RUN apt-get update && apt-get install -y gcc && pip install flask
",
    ),
    example("carriage-returns-and-tabs", "FROM node:22\r\nRUN npm ci \\\r\n\t&& npm run build\r\n"),
    example(
        "other-escape-character",
        r"# escape=`
FROM node:22
RUN npm ci `
  && npm run build
",
    ),
    example(
        "existing-flags-come-after",
        r"FROM python:3.12-slim
RUN --mount=type=bind,source=requirements.txt,target=/r.txt pip install -r /r.txt
",
    ),
    example(
        "different-distributions-get-an-id",
        r"FROM python:3.12-slim-bookworm AS build
RUN pip install numpy
FROM python:3.12-alpine3.20
RUN pip install numpy
",
    ),
    configured(
        "always-an-id",
        r"FROM python:3.12-slim
RUN pip install flask
",
        "[cache]\nid = \"always\"\n",
    ),
    configured(
        "railway-with-a-service-id",
        r"FROM python:3.12-slim
RUN pip install flask
",
        "builder = \"railway\"\n[cache]\nid-prefix = \"s/abc-\"\n",
    ),
    example(
        "unknown-base-is-for-review",
        r"FROM registry.example.com/python:3.12
RUN pip install flask
",
    ),
    configured(
        "base-that-the-settings-vouch-for",
        r"FROM registry.example.com/python:3.12
RUN pip install flask
",
        "[[base]]\nimage = \"registry.example.com/python\"\ndistribution = \"debian\"\n",
    ),
    example(
        "base-from-an-argument-is-for-review",
        r"ARG BASE=python:3.12-slim
FROM $BASE
RUN pip install flask
",
    ),
    configured(
        "manager-of-the-settings",
        r"FROM debian:bookworm-slim
RUN conan install .
",
        "[[manager]]\nid = \"conan\"\nprograms = [\"conan\"]\ninstall = [\"install\"]\ncache = \"~/.conan2\"\n",
    ),
    example(
        "left-alone-user-without-a-uid",
        r"FROM python:3.12-slim
RUN useradd -m app
USER app
RUN pip install flask
",
    ),
    with_files(
        "left-alone-folder-above-the-mount-is-the-users",
        r"FROM node:22
USER node
RUN yarn install --frozen-lockfile
",
        &[("package.json", "{\"packageManager\": \"yarn@1.22.22\"}\n")],
    ),
    configured(
        "left-alone-podman-and-a-user",
        r"FROM node:22
USER node
RUN npm ci
",
        "builder = \"podman\"\n",
    ),
    example(
        "left-alone-copied-out-of-the-stage",
        r"FROM maven:3.9-eclipse-temurin-21 AS deps
RUN mvn package
FROM eclipse-temurin:21
COPY --from=deps /root/.m2 /root/.m2
",
    ),
    example(
        "left-alone-read-without-a-network",
        r"FROM golang:1.24 AS build
RUN go mod download
RUN --network=none go build -o /app .
",
    ),
    example(
        "left-alone-no-restore",
        r"FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
RUN dotnet restore
RUN dotnet publish --no-restore -o /out
",
    ),
    example(
        "left-alone-maven-offline",
        r"FROM maven:3.9-eclipse-temurin-21 AS build
RUN mvn dependency:go-offline
RUN mvn -o package
",
    ),
    example(
        "left-alone-maven-installs-its-own-artifacts",
        r"FROM maven:3.9-eclipse-temurin-21 AS build
RUN mvn install -pl lib
RUN mvn package -pl app
FROM eclipse-temurin:21
COPY --from=build /app.jar /app.jar
",
    ),
    example(
        "go-modules-stay-for-a-container-that-runs-go",
        r#"FROM golang:1.24
COPY . .
RUN go build ./...
CMD ["go", "run", "."]
"#,
    ),
    example(
        "go-modules-stay-where-a-copy-brings-them",
        r"FROM golang:1.24 AS build
COPY --from=modules /go/pkg/mod /go/pkg/mod
RUN CGO_ENABLED=0 go build -o /app .
",
    ),
    example(
        "pip-as-a-numeric-user-without-a-home",
        r"FROM python:3.12-slim
RUN python -m venv /venv && chown -R 1000 /venv
USER 1000
RUN /venv/bin/pip install flask
",
    ),
    example(
        "left-alone-container-runs-the-manager",
        r#"FROM rust:1.85
COPY . .
RUN cargo build
CMD ["cargo", "run"]
"#,
    ),
    example(
        "left-alone-seeded-by-a-copy",
        r"FROM maven:3.9-eclipse-temurin-21 AS build
COPY repository /root/.m2/repository
RUN mvn package
FROM eclipse-temurin:21
COPY --from=build /app.jar /app.jar
",
    ),
    example(
        "left-alone-script-that-names-the-cache",
        r#"FROM node:22
RUN npm ci && node -e "require('fs').rmSync('/root/.npm', {recursive: true})"
"#,
    ),
    example(
        "left-alone-named-by-a-later-step",
        r"FROM node:22
RUN npm ci
RUN chown -R node:node /root/.npm
",
    ),
    with_files(
        "left-alone-yarn-runs-from-its-cache",
        r"FROM node:22
RUN yarn install --immutable
",
        &[("package.json", "{\"packageManager\": \"yarn@4.5.0\"}\n")],
    ),
    example(
        "left-alone-yarn-of-unknown-version",
        r"FROM node:22
RUN yarn
",
    ),
    with_files(
        "left-alone-pnpm-global-virtual-store",
        r"FROM node:22
ENV PNPM_HOME=/pnpm
RUN pnpm install
",
        &[
            ("package.json", "{\"packageManager\": \"pnpm@10.12.1\"}\n"),
            ("pnpm-workspace.yaml", "enableGlobalVirtualStore: true\n"),
        ],
    ),
    with_files(
        "left-alone-cache-moved-by-a-file",
        r"FROM node:22
COPY .npmrc package.json ./
RUN npm ci
",
        &[(".npmrc", "cache=/var/npm\n")],
    ),
    example(
        "left-alone-cache-moved-by-a-command",
        r"FROM node:22
RUN npm config set cache /var/npm
RUN npm ci
",
    ),
    example(
        "left-alone-cache-moved-by-a-build-argument",
        r"FROM python:3.12-slim
ARG PIP_CACHE_DIR=/c
RUN pip install flask
",
    ),
    example(
        "left-alone-removes-more-than-the-cache",
        r"FROM golang:1.24 AS build
RUN CGO_ENABLED=0 go build -o /app . && rm -rf /root/.cache /src
",
    ),
    example(
        "left-alone-folder-is-made-in-the-run",
        r"FROM node:22
RUN mkdir /root/.npm && npm ci
",
    ),
    example(
        "left-alone-bundle-path",
        r"FROM ruby:3.3
ENV BUNDLE_PATH=/gems
RUN bundle install
",
    ),
    example(
        "left-alone-uv-links-into-its-cache",
        r"FROM python:3.12-slim
ENV UV_LINK_MODE=symlink
RUN uv sync
",
    ),
    example(
        "left-alone-pip-downloads-nothing",
        r"FROM python:3.12-slim
RUN pip install --no-index --find-links=/wheels flask
",
    ),
    example(
        "left-alone-apt-keeps-packages-itself",
        r"FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --download-only curl && cp /var/cache/apt/archives/*.deb /debs/
",
    ),
    example(
        "left-alone-apt-mounts-of-the-author",
        r#"FROM debian:bookworm-slim
RUN rm -f /etc/apt/apt.conf.d/docker-clean
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update && apt-get install -y curl
"#,
    ),
    example(
        "left-alone-apt-mount-that-keeps-nothing",
        r"FROM debian:bookworm-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update && apt-get install -y curl
",
    ),
    example(
        "left-alone-apk-on-debian",
        r"FROM debian:bookworm-slim
RUN if [ -f /sbin/apk ]; then apk add curl; fi
",
    ),
    example(
        "left-alone-dnf-of-unknown-version",
        r"FROM mcr.microsoft.com/openjdk/jdk:21-mariner
RUN dnf install -y git
",
    ),
    example(
        "left-alone-old-syntax",
        r"# syntax=docker/dockerfile:1.1-experimental
FROM python:3.12-slim
RUN pip install flask
",
    ),
    configured(
        "left-alone-classic-builder",
        r"FROM python:3.12-slim
RUN pip install flask
",
        "builder = \"classic\"\n",
    ),
    configured(
        "left-alone-kaniko",
        r"FROM python:3.12-slim
RUN pip install flask
",
        "builder = \"kaniko\"\n",
    ),
    configured(
        "left-alone-railway-without-a-service-id",
        r"FROM python:3.12-slim
RUN pip install flask
",
        "builder = \"railway\"\n",
    ),
    example(
        "left-alone-powershell",
        r#"FROM mcr.microsoft.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command"]
RUN pip install flask
"#,
    ),
    example(
        "left-alone-behind-another-program",
        r#"FROM python:3.12-slim
RUN su app -c "pip install flask" && eval "pip install gunicorn"
"#,
    ),
    example(
        "left-alone-heredoc-for-another-program",
        r#"FROM python:3.12-slim
RUN python3 <<EOF
import os
os.system("pip install flask")
EOF
"#,
    ),
    example(
        "left-alone-onbuild",
        r"FROM python:3.12-slim
ONBUILD RUN pip install -r requirements.txt
",
    ),
    example(
        "left-alone-cargo-as-a-user",
        r"FROM rust:1.85
RUN useradd -m -u 1000 app
USER app
WORKDIR /home/app
ENV CARGO_HOME=/home/app/.cargo
RUN cargo build
",
    ),
];
