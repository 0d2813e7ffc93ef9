//! Examples: changed, and one unchanged for each reason to leave a step alone.

use crate::transform::Example;

type Files = &'static [(&'static str, &'static str)];

const PATH: &str = ".github/workflows/build.yml";

const fn workflow(name: &'static str, before: &'static str) -> Example {
    Example { name, path: PATH, before, files: &[], config: "" }
}

const fn with_files(name: &'static str, before: &'static str, files: Files) -> Example {
    Example { name, path: PATH, before, files, config: "" }
}

const ONE: &str = "jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - name: Build
        uses: docker/build-push-action@v6
        with:
          context: .
          push: true
          tags: ghcr.io/acme/api:latest
";

pub const EXAMPLES: &[Example] = &[
    workflow("one-image", ONE),
    Example {
        name: "a-registry",
        path: PATH,
        before: ONE,
        files: &[],
        config: "[cache]\nregistry = \"ghcr.io/acme/cache\"\n",
    },
    with_files(
        "a-dockerfile-with-cache-mounts",
        ONE,
        &[("Dockerfile", "FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n")],
    ),
    with_files(
        "an-image-whose-record-compose-reads",
        ONE,
        &[(
            "compose.yaml",
            "services:\n  api:\n    image: ghcr.io/acme/api\n    build:\n      context: .\n      cache_from: [ghcr.io/acme/api]\n      cache_to: [type=inline]\n",
        )],
    ),
    workflow(
        "buildx-is-missing-and-the-image-is-used",
        r"jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - name: Check out
        uses: actions/checkout@v4

      # The image that the tests run in.
      - name: Build
        uses: docker/build-push-action@v6
        with:
          tags: acme/test

      - name: Test
        run: docker run --rm acme/test pytest
",
    ),
    workflow(
        "buildx-is-missing-and-the-image-is-pushed",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v4\n    - uses: docker/build-push-action@v6\n      with: {context: api, push: true, tags: 'acme/api:1'}\n",
    ),
    workflow(
        "a-matrix",
        r"jobs:
  build:
    runs-on: ${{ matrix.runner }}
    strategy:
      matrix:
        include:
          - {runner: ubuntu-24.04, platform: linux/amd64}
          - {runner: ubuntu-24.04-arm, platform: linux/arm64}
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          platforms: ${{ matrix.platform }}
          tags: ghcr.io/acme/api
          push: true
",
    ),
    workflow(
        "two-images-of-one-name",
        r"jobs:
  cpu:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          file: Dockerfile
          tags: ghcr.io/acme/api:cpu
  cuda:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          file: Dockerfile.cuda
          tags: ghcr.io/acme/api:cuda
",
    ),
    with_files(
        "one-service-built-by-two-workflows",
        "jobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with: {context: ., file: api/Dockerfile}\n",
        &[
            ("compose.yaml", "services:\n  shop:\n    build: {context: ., dockerfile: api/Dockerfile}\n"),
            (
                ".github/workflows/release.yml",
                "jobs:\n  push:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with: {context: ., file: api/Dockerfile}\n",
            ),
        ],
    ),
    workflow(
        "a-scope-is-missing",
        r"jobs:
  images:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          context: api
          cache-from: type=gha
          cache-to: type=gha,mode=max
      - uses: docker/build-push-action@v6
        with:
          context: web
          cache-from: |
            type=gha
            type=registry,ref=ghcr.io/acme/web
          cache-to: 'type=gha,mode=max'
",
    ),
    workflow(
        "no-inputs",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n      - run: echo done\n",
    ),
    with_files(
        "bake",
        r"jobs:
  b:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/bake-action@v6
        with:
          push: true
          set: |
            *.platform=linux/amd64
",
        &[(
            "docker-bake.hcl",
            "group \"default\" { targets = [\"api\", \"web\"] }\ntarget \"api\" {\n  context = \"api\"\n}\ntarget \"web\" {\n  context = \"web\"\n}\n",
        )],
    ),
    workflow(
        "left-alone-no-cache",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          no-cache: true\n",
    ),
    workflow(
        "left-alone-existing-entries",
        r"jobs:
  placeholder:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          tags: acme/app:latest
          cache-from: type=registry,ref=user/app:latest
          cache-to: type=inline
  matrix:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        file: [Dockerfile, Dockerfile.cuda]
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          file: ${{ matrix.file }}
          cache-from: type=registry,ref=acme/app:buildcache
          cache-to: type=registry,ref=acme/app:buildcache,mode=max,ignore-error=true
  fine:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          cache-from: type=gha,scope=app
          cache-to: type=gha,scope=app,mode=max,ignore-error=true
",
    ),
    workflow(
        "left-alone-one-build-pushed-to-two-places",
        r"jobs:
  b:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with: {context: ., push: true, tags: acme/app, cache-from: type=gha, cache-to: type=gha}
      - uses: docker/build-push-action@v6
        with: {context: ., push: true, tags: ghcr.io/acme/app, cache-from: type=gha, cache-to: type=gha}
",
    ),
    workflow(
        "left-alone-the-docker-driver",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n        with:\n          driver: docker\n      - uses: docker/build-push-action@v6\n        with:\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-setup-under-a-condition",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n        if: github.event_name == 'push'\n      - uses: docker/build-push-action@v6\n        with:\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-an-old-buildx",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v2\n        with:\n          version: v0.9.1\n      - uses: docker/build-push-action@v6\n        with:\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-an-old-action",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v1\n        with:\n          repository: acme/app\n",
    ),
    workflow(
        "left-alone-a-self-hosted-engine",
        "jobs:\n  b:\n    runs-on: [self-hosted, linux]\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-windows",
        "jobs:\n  b:\n    runs-on: windows-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-an-image-of-an-earlier-step",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build -t acme/base base\n      - uses: docker/build-push-action@v6\n        with:\n          push: true\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-a-registry-on-the-runner",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    services:\n      registry: {image: 'registry:2', ports: ['5000:5000']}\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          push: true\n          tags: localhost:5000/app\n",
    ),
    workflow(
        "left-alone-several-platforms-without-buildx",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          platforms: linux/amd64,linux/arm64\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-a-matrix-that-can-not-be-told-apart",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        platforms: ['linux/amd64,linux/arm64', 'linux/arm/v7,linux/386']\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          platforms: ${{ matrix.platforms }}\n",
    ),
    workflow(
        "left-alone-a-scan-of-an-image-that-is-pushed-now-and-then",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          push: ${{ github.event_name != 'pull_request' }}\n          tags: acme/app:1\n      - uses: aquasecurity/trivy-action@0.28.0\n        with:\n          image-ref: acme/app:1\n",
    ),
    workflow(
        "left-alone-an-own-setup-action",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./.github/actions/setup-docker\n      - uses: docker/build-push-action@v6\n        with:\n          push: true\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-a-kept-builder",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n        with:\n          driver: remote\n          endpoint: tcp://builder:1234\n      - uses: docker/build-push-action@v6\n        with:\n          push: true\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-a-computed-matrix",
        "jobs:\n  b:\n    runs-on: ${{ matrix.runner }}\n    strategy:\n      matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          context: ${{ matrix.app }}\n",
    ),
    workflow(
        "left-alone-a-reusable-workflow",
        "on:\n  workflow_call:\n    inputs:\n      app: {type: string}\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          context: ${{ inputs.app }}\n",
    ),
    workflow(
        "left-alone-pull-request-target",
        "on: pull_request_target\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          tags: acme/app\n",
    ),
    workflow(
        "left-alone-a-reader-of-the-cache-without-a-scope",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix: {app: [api, web]}\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          context: ${{ matrix.app }}\n          cache-from: type=gha\n          cache-to: type=gha,mode=max\n      - uses: docker/build-push-action@v6\n        with:\n          context: ${{ matrix.app }}\n          target: test\n          cache-from: type=gha\n",
    ),
    with_files(
        "left-alone-bake-targets-with-a-matrix",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/bake-action@v6\n",
        &[(
            "docker-bake.hcl",
            "group \"default\" { targets = [\"php\"] }\ntarget \"php\" {\n  matrix = { v = [\"8-1\", \"8-2\"] }\n  name = \"php-${v}\"\n}\n",
        )],
    ),
    workflow(
        "left-alone-a-shared-step",
        "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - &build\n        uses: docker/build-push-action@v6\n        with: {tags: acme/app}\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - *build\n",
    ),
    workflow(
        "left-alone-commands",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build -t acme/app .\n      - run: docker compose build\n      - run: docker buildx bake\n",
    ),
    with_files(
        "left-alone-bake-entries",
        "jobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/bake-action@v6\n",
        &[("docker-bake.hcl", "target \"default\" {\n  cache-to = [\"type=inline\"]\n}\n")],
    ),
];
