//! Examples: changed, and one unchanged for each reason to leave a service or target alone.

use crate::transform::Example;

type Files = &'static [(&'static str, &'static str)];

const fn compose(name: &'static str, before: &'static str) -> Example {
    Example { name, path: "compose.yaml", before, files: &[], config: "" }
}

const fn with_files(name: &'static str, before: &'static str, files: Files) -> Example {
    Example { name, path: "compose.yaml", before, files, config: "" }
}

const fn configured(name: &'static str, before: &'static str, config: &'static str) -> Example {
    Example { name, path: "compose.yaml", before, files: &[], config }
}

const fn bake(name: &'static str, before: &'static str) -> Example {
    Example { name, path: "docker-bake.hcl", before, files: &[], config: "" }
}

const API: &str = "services:
  api:
    build:
      context: ./api
    image: ghcr.io/acme/api:1.2
";

pub const EXAMPLES: &[Example] = &[
    with_files(
        "inline-where-a-makefile-pushes",
        r"services:
  # The public one.
  api:
    build: ./api   # two stages
    image: ghcr.io/acme/api:${TAG:-latest}
    ports:
      - 8000:8000
",
        &[
            ("Makefile", "push:\n\tdocker compose build\n\tdocker push ghcr.io/acme/api:latest\n"),
            (
                "api/Dockerfile",
                "FROM golang:1.24 AS build\nRUN go build ./...\nFROM scratch\nCOPY --from=build /x /x\n",
            ),
        ],
    ),
    with_files(
        "inline-where-a-workflow-builds-and-pushes-by-itself",
        API,
        &[(
            ".github/workflows/ci.yml",
            "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with: {context: ./api, push: true, tags: 'ghcr.io/acme/api:1.2'}\n",
        )],
    ),
    compose("inline-on-one-machine-only", "services:\n  api:\n    build: .\n    image: acme-api\n"),
    with_files(
        "the-only-file-with-an-image",
        "services:\n  api:\n    build: .\n    image: ghcr.io/acme/api:prod\n",
        &[("compose.override.yaml", "services:\n  api:\n    environment: {A: b}\n")],
    ),
    compose(
        "comments-stay-with-what-they-are-under",
        "services:\n  api:\n    image: ghcr.io/acme/api\n    build:\n      context: .\n      args:\n        - A=1\n        # - B=2\n      # the rest\n    restart: always\n",
    ),
    compose(
        "the-argument-becomes-visible",
        r#"services:
  api:
    image: ghcr.io/acme/api
    build:
      context: .
      args:
        BUILDKIT_INLINE_CACHE: 1
  web:
    image: ghcr.io/acme/web
    build:
      context: web
      args:
        - NODE_ENV=production
        - BUILDKIT_INLINE_CACHE=1
"#,
    ),
    compose(
        "only-the-export-is-missing",
        "services:\n  api:\n    image: ghcr.io/acme/api\n    build:\n      context: .\n      cache_from:\n        - ghcr.io/acme/api:latest\n",
    ),
    compose(
        "only-the-import-is-missing",
        "services:\n  api:\n    image: ghcr.io/acme/api\n    build:\n      context: .\n      cache_to: [type=inline]\n",
    ),
    compose(
        "layouts",
        r#"services:
    four:
        image: ghcr.io/acme/four
        build:
            context: .
            args:
            - A=1
    flow: {image: ghcr.io/acme/flow, build: ./flow}
    "quoted":
        image: 'ghcr.io/acme/quoted'
        "build": './a b'
    block:
        image: ghcr.io/acme/block
        build: {
            context: .,
            target: run   # the last
        }
"#,
    ),
    compose(
        "an-inherited-fragment-beside-an-own-build",
        "x-common: &common\n  restart: always\nservices:\n  api:\n    <<: *common\n    build: .\n    image: ghcr.io/acme/api\n",
    ),
    configured("registry", API, "[cache]\nregistry = \"registry.example.com/cache\"\n"),
    configured("registry-beside-the-image", API, "[cache]\nmode = \"registry\"\n"),
    configured("local", API, "[cache]\nmode = \"local\"\n"),
    configured(
        "classic",
        "services:\n  api:\n    image: ghcr.io/acme/api\n    build:\n      context: .\n      args:\n        BUILDKIT_INLINE_CACHE: 1\n        A: b\n",
        "[cache]\nmode = \"classic\"\n",
    ),
    configured(
        "a-mode-for-one-service",
        "services:\n  api:\n    image: ghcr.io/acme/api\n    build: .\n  worker:\n    image: ghcr.io/acme/worker\n    build: worker\n",
        "[[cache.service]]\nname = \"worker\"\nregistry = \"registry.example.com/cache\"\n",
    ),
    Example {
        name: "an-override-file-with-the-only-build",
        path: "compose.override.yaml",
        before: "services:\n  api:\n    build: .\n",
        files: &[("compose.yaml", "services:\n  api:\n    image: ghcr.io/acme/api:1\n")],
        config: "",
    },
    bake(
        "bake",
        r#"variable "TAG" {
  default = "latest"
}

target "api" {
  context = "api"
  tags    = ["ghcr.io/acme/api:${TAG}"]
}
"#,
    ),
    Example {
        name: "bake-json",
        path: "docker-bake.json",
        before: "{\n  \"target\": {\n    \"api\": {\n      \"tags\": [\"ghcr.io/acme/api:1\"]\n    }\n  }\n}\n",
        files: &[],
        config: "",
    },
    compose("left-alone-without-an-image", "services:\n  api:\n    build: ./api\n"),
    compose("left-alone-a-variable-without-default", "services:\n  api:\n    build: .\n    image: ${REGISTRY}/api:1\n"),
    compose(
        "left-alone-a-digest",
        "services:\n  api:\n    build: .\n    image: ghcr.io/acme/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
    ),
    with_files(
        "left-alone-a-base-image",
        "services:\n  api:\n    build: .\n    image: ghcr.io/acme/base:1\n  db:\n    build: ./db\n    image: postgres:16\n",
        &[("Dockerfile", "FROM ghcr.io/acme/base:1\n")],
    ),
    compose(
        "left-alone-two-services-with-one-image",
        "services:\n  api:\n    build: .\n    image: ghcr.io/acme/app\n  worker:\n    build: ./worker\n    image: ghcr.io/acme/app:latest\n",
    ),
    compose(
        "left-alone-a-shared-build",
        "services:\n  api: &api\n    build: .\n    image: ghcr.io/acme/api\n  worker:\n    <<: *api\n    image: ghcr.io/acme/worker\n",
    ),
    compose(
        "left-alone-an-alias",
        "x-build: &build\n  context: .\nservices:\n  api:\n    build: *build\n    image: ghcr.io/acme/api\n",
    ),
    compose("left-alone-a-tag", "services:\n  api:\n    build: !reset null\n    image: ghcr.io/acme/api\n"),
    compose("left-alone-an-empty-build", "services:\n  api:\n    build:\n    image: ghcr.io/acme/api\n"),
    compose(
        "left-alone-no-cache",
        "services:\n  api:\n    build:\n      context: .\n      no_cache: true\n    image: ghcr.io/acme/api\n",
    ),
    compose(
        "left-alone-extended",
        "services:\n  base:\n    build: .\n    image: ghcr.io/acme/api\n  api:\n    extends: base\n    image: ghcr.io/acme/api:dev\n",
    ),
    Example {
        name: "left-alone-an-override-of-the-same-service",
        path: "compose.override.yaml",
        before: "services:\n  api:\n    build:\n      context: .\n      target: dev\n",
        files: &[("compose.yaml", "services:\n  api:\n    build: .\n    image: ghcr.io/acme/api:1\n")],
        config: "",
    },
    with_files(
        "left-alone-the-argument-comes-from-elsewhere",
        "services:\n  api:\n    build: .\n    image: ghcr.io/acme/api\n",
        &[("Makefile", "build:\n\tdocker compose build --build-arg BUILDKIT_INLINE_CACHE=1\n")],
    ),
    with_files(
        "left-alone-docker-stack",
        API,
        &[("deploy.sh", "docker stack deploy \\\n  --compose-file compose.yaml acme\n")],
    ),
    with_files("left-alone-compose-1", API, &[(".gitlab-ci.yml", "build:\n  image: docker/compose:1.29.2\n")]),
    compose(
        "left-alone-a-tag-that-changes-with-every-build",
        "services:\n  api:\n    build: .\n    image: ghcr.io/acme/api:${GIT_SHA:-dev}\n",
    ),
    Example {
        name: "left-alone-files-that-may-be-loaded-together",
        path: "compose.prod.yaml",
        before: "services:\n  api:\n    build: .\n    image: ghcr.io/acme/api:prod\n",
        files: &[("compose.build.yaml", "services:\n  api:\n    build: .\n    image: ghcr.io/acme/api:build\n")],
        config: "",
    },
    with_files(
        "left-alone-entries-in-the-override-file",
        API,
        &[("compose.override.yaml", "services:\n  api:\n    build:\n      cache_to: [type=inline]\n")],
    ),
    Example {
        name: "left-alone-a-cache-that-another-build-writes",
        path: "compose.yaml",
        before: "services:\n  api:\n    build: .\n  web:\n    build:\n      context: web\n      cache_to: ['type=registry,ref=ghcr.io/acme/cache/api:buildcache']\n",
        files: &[],
        config: "[cache]\nregistry = \"ghcr.io/acme/cache\"\n",
    },
    with_files(
        "left-alone-existing-entries",
        r"services:
  base-image:
    build:
      context: .
      cache_from:
        - python:3.12-slim
  local-tag:
    build:
      context: .
      cache_from:
        - type=registry,ref=app-api:latest
  unset:
    build:
      context: .
      cache_from:
        - type=registry,ref=${CACHE}/api
  nobody:
    build:
      context: .
      cache_from:
        - ghcr.io/acme/cache:api
  written:
    build:
      context: .
      cache_from:
        - type=registry,ref=ghcr.io/acme/cache:ci
",
        &[(
            ".github/workflows/ci.yml",
            "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          cache-to: type=registry,ref=ghcr.io/acme/cache:ci,mode=max\n",
        )],
    ),
    configured("left-alone-mode-off", API, "[cache]\nmode = \"off\"\n"),
    configured(
        "left-alone-no-registry-to-push-to",
        "services:\n  api:\n    build: .\n    image: api\n",
        "[cache]\nmode = \"registry\"\n",
    ),
    configured("left-alone-another-builder", API, "builder = \"podman\"\n"),
    compose(
        "left-alone-by-a-comment",
        "services:\n  # restow: ignore=add-cache-from -- built once a year\n  api:\n    build: .\n    image: ghcr.io/acme/api\n",
    ),
    bake(
        "left-alone-bake",
        r#"target "base" {
  tags = ["ghcr.io/acme/base"]
}

target "child" {
  inherits = ["base"]
  tags     = [format("ghcr.io/acme/%s", "child")]
}

target "untagged" {
  context = "."
}

target "several" {
  matrix = { v = ["1", "2"] }
  name   = "several-${v}"
  tags   = ["ghcr.io/acme/several:${v}"]
}

target "cached" {
  tags       = ["ghcr.io/acme/cached"]
  cache-from = ["type=registry,ref=ghcr.io/acme/cache"]
}
"#,
    ),
];
