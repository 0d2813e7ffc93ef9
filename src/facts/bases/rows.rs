//! The table of base images, by ecosystem.

use super::{BaseImage, DefaultUser, KnownUser, tags};

/// What most rows share: root, Docker's own shell, nothing set.
const PLAIN: BaseImage = BaseImage {
    repositories: &[],
    covered: tags::every,
    user: DefaultUser::Root,
    users: &[],
    users_of_tag: tags::nobody,
    env: &[],
    conda_prefix: None,
    shell: &[],
    distribution: tags::told,
    apt_docker_clean: false,
    source: "",
};

/// An image built on official Debian, Ubuntu or Alpine images that runs as root.
const OFFICIAL: BaseImage = BaseImage { distribution: tags::debian, apt_docker_clean: true, ..PLAIN };

const NODE: KnownUser = KnownUser { name: "node", uid: 1000, gid: 1000, home: "/home/node" };
const VSCODE: KnownUser = KnownUser { name: "vscode", uid: 1000, gid: 1000, home: "/home/vscode" };

/// Red Hat's source-to-image builders: a number without a name in the minimal ones, HOME set in all.
const S2I: BaseImage = BaseImage {
    user: DefaultUser::Numeric { uid: 1001, gid: 0, home: Some("/opt/app-root/src") },
    env: &[("HOME", "/opt/app-root/src")],
    ..PLAIN
};

const S2I_NODE: BaseImage = BaseImage {
    source: "sclorg/s2i-nodejs-container 20/Dockerfile.rhel9, 20-minimal/Dockerfile.rhel9; sclorg/s2i-base-container \
             core/Dockerfile.rhel9",
    ..S2I
};

/// `off` switches pip's cache off too: any value but the empty one does.
const S2I_PYTHON: BaseImage = BaseImage {
    env: &[("HOME", "/opt/app-root/src"), ("PIP_NO_CACHE_DIR", "off")],
    source: "sclorg/s2i-python-container src/Dockerfile.template, src/Dockerfile-minimal.template; \
             sclorg/s2i-base-container core/Dockerfile.rhel9",
    ..S2I
};

const UBI: BaseImage = BaseImage {
    source: "sclorg/s2i-base-container core/Dockerfile.rhel{8,9,10} (installs packages without a USER)",
    ..PLAIN
};

const DEVCONTAINER: BaseImage = BaseImage {
    users: &[VSCODE],
    apt_docker_clean: true,
    source: "devcontainers/images src/*/.devcontainer/{Dockerfile,devcontainer.json}",
    ..PLAIN
};

const JOVYAN: KnownUser = KnownUser { name: "jovyan", uid: 1000, gid: 100, home: "/home/jovyan" };
const BASH_PIPEFAIL: &[&str] = &["/bin/bash", "-o", "pipefail", "-c"];
const BASH_STRICT: &[&str] = &["/bin/bash", "-o", "errexit", "-o", "nounset", "-o", "pipefail", "-c"];

/// All rows. No repository is in two of them.
pub static BASES: &[BaseImage] = &[
    // --- distributions ---
    BaseImage {
        repositories: &["debian"],
        distribution: tags::debian_image,
        source: "docker-library/official-images library/debian; debuerreotype/debuerreotype \
                 scripts/debuerreotype-minimizing-config",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["ubuntu"],
        users_of_tag: tags::ubuntu_users,
        distribution: tags::ubuntu_image,
        source: "docker-library/official-images library/ubuntu; docker-library/repo-info repos/ubuntu (docker-clean); \
                 mamba-org/micromamba-docker CHANGELOG.md (user of uid 1000)",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["bitnami/minideb"],
        source: "bitnami/minideb mkimage (docker-clean), import (no user)",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["buildpack-deps"],
        distribution: tags::buildpack_deps,
        source: "docker-library/buildpack-deps; docker-library/official-images library/buildpack-deps",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["alpine"],
        distribution: tags::alpine_image,
        source: "docker-library/official-images library/alpine",
        ..PLAIN
    },
    BaseImage {
        repositories: &["fedora", "registry.fedoraproject.org/fedora", "quay.io/fedora/fedora"],
        distribution: tags::fedora_image,
        source: "docker-library/official-images library/fedora",
        ..PLAIN
    },
    BaseImage {
        repositories: &[
            "rockylinux",
            "rockylinux/rockylinux",
            "quay.io/rockylinux/rockylinux",
            "almalinux",
            "quay.io/almalinuxorg/almalinux",
            "centos",
            "quay.io/centos/centos",
        ],
        distribution: tags::red_hat_image,
        source: "docker-library/official-images library/{rockylinux,almalinux,centos}",
        ..PLAIN
    },
    BaseImage {
        repositories: &["amazonlinux", "public.ecr.aws/amazonlinux/amazonlinux"],
        distribution: tags::amazon_image,
        source: "docker-library/official-images library/amazonlinux",
        ..PLAIN
    },
    BaseImage {
        repositories: &["opensuse/leap", "registry.opensuse.org/opensuse/leap"],
        distribution: tags::leap_image,
        source: "warewulf/warewulf-node-images leap/Containerfile.15, tumbleweed (zypper without USER)",
        ..PLAIN
    },
    BaseImage {
        repositories: &["opensuse/tumbleweed", "registry.opensuse.org/opensuse/tumbleweed"],
        distribution: tags::tumbleweed,
        source: "warewulf/warewulf-node-images leap/Containerfile.15, tumbleweed (zypper without USER)",
        ..PLAIN
    },
    BaseImage {
        repositories: &[
            "registry.access.redhat.com/ubi8",
            "registry.access.redhat.com/ubi8/ubi",
            "registry.access.redhat.com/ubi8-minimal",
            "registry.access.redhat.com/ubi8/ubi-minimal",
            "registry.redhat.io/ubi8",
            "registry.redhat.io/ubi8/ubi",
            "registry.redhat.io/ubi8-minimal",
            "registry.redhat.io/ubi8/ubi-minimal",
            "redhat/ubi8",
            "redhat/ubi8-minimal",
        ],
        distribution: tags::ubi8,
        ..UBI
    },
    BaseImage {
        repositories: &[
            "registry.access.redhat.com/ubi9",
            "registry.access.redhat.com/ubi9/ubi",
            "registry.access.redhat.com/ubi9-minimal",
            "registry.access.redhat.com/ubi9/ubi-minimal",
            "registry.redhat.io/ubi9",
            "registry.redhat.io/ubi9/ubi",
            "registry.redhat.io/ubi9-minimal",
            "registry.redhat.io/ubi9/ubi-minimal",
            "redhat/ubi9",
            "redhat/ubi9-minimal",
        ],
        distribution: tags::ubi9,
        ..UBI
    },
    BaseImage {
        repositories: &[
            "registry.access.redhat.com/ubi10",
            "registry.access.redhat.com/ubi10/ubi",
            "registry.access.redhat.com/ubi10-minimal",
            "registry.access.redhat.com/ubi10/ubi-minimal",
            "registry.redhat.io/ubi10",
            "registry.redhat.io/ubi10/ubi",
            "registry.redhat.io/ubi10-minimal",
            "registry.redhat.io/ubi10/ubi-minimal",
            "redhat/ubi10",
            "redhat/ubi10-minimal",
        ],
        distribution: tags::ubi10,
        ..UBI
    },
    // --- Python ---
    BaseImage {
        repositories: &["python"],
        source: "docker-library/python 3.*/{,slim-}{trixie,bookworm},alpine*/Dockerfile and history",
        ..OFFICIAL
    },
    BaseImage { repositories: &["pypy"], source: "docker-library/pypy Dockerfile-linux.template", ..OFFICIAL },
    BaseImage {
        repositories: &["ghcr.io/astral-sh/uv", "astral/uv"],
        covered: tags::uv_not_hardened,
        // the plain tags are built on nothing, so only a word tells a distribution
        distribution: tags::told,
        source: "astral-sh/uv Dockerfile, .github/workflows/build-docker.yml",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["tiangolo/uvicorn-gunicorn", "tiangolo/uvicorn-gunicorn-fastapi"],
        source: "tiangolo/uvicorn-gunicorn-docker, tiangolo/uvicorn-gunicorn-fastapi-docker docker-images/*.dockerfile",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["bitnami/python", "bitnami/node", "bitnamilegacy/python", "bitnamilegacy/node"],
        covered: tags::bitnami_debian_12,
        shell: BASH_STRICT,
        distribution: tags::told,
        source: "bitnami/containers bitnami/python/3.13/debian-12/Dockerfile, bitnami/node/22/debian-12/Dockerfile",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi8/python-*", "registry.redhat.io/ubi8/python-*"],
        distribution: tags::ubi8,
        ..S2I_PYTHON
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi9/python-*", "registry.redhat.io/ubi9/python-*"],
        distribution: tags::ubi9,
        ..S2I_PYTHON
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi10/python-*", "registry.redhat.io/ubi10/python-*"],
        distribution: tags::ubi10,
        ..S2I_PYTHON
    },
    BaseImage {
        repositories: &["public.ecr.aws/lambda/python", "amazon/aws-lambda-python"],
        distribution: tags::lambda_python,
        source: "aws/aws-lambda-base-images Dockerfile.python3.* (no USER, no HOME)",
        ..PLAIN
    },
    // --- conda and notebooks ---
    BaseImage {
        repositories: &["continuumio/miniconda3", "continuumio/anaconda3"],
        // Alpine variants have a user of their own
        covered: tags::conda_not_alpine,
        conda_prefix: Some("/opt/conda"),
        distribution: tags::conda_on_debian,
        source: "ContinuumIO/docker-images {miniconda3,anaconda3}/debian/Dockerfile and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["condaforge/miniforge3", "condaforge/mambaforge", "quay.io/condaforge/miniforge3"],
        env: &[("CONDA_DIR", "/opt/conda")],
        distribution: tags::ubuntu,
        source: "conda-forge/miniforge-images ubuntu/Dockerfile and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["mambaorg/micromamba", "ghcr.io/mamba-org/micromamba"],
        covered: tags::micromamba_has_new_uid,
        user: DefaultUser::Named(KnownUser { name: "mambauser", uid: 57439, gid: 57439, home: "/home/mambauser" }),
        env: &[("MAMBA_ROOT_PREFIX", "/opt/conda")],
        // a script that activates the environment and hands the command to bash
        shell: &["/usr/local/bin/_dockerfile_shell.sh"],
        distribution: tags::micromamba,
        source: "mamba-org/micromamba-docker {debian,fedora}.Dockerfile, _dockerfile_initialize_user_accounts.sh, \
                 CHANGELOG.md",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &[
            "quay.io/jupyter/docker-stacks-foundation",
            "quay.io/jupyter/base-notebook",
            "quay.io/jupyter/minimal-notebook",
            "quay.io/jupyter/scipy-notebook",
            "quay.io/jupyter/r-notebook",
            "quay.io/jupyter/julia-notebook",
            "quay.io/jupyter/tensorflow-notebook",
            "quay.io/jupyter/pytorch-notebook",
            "quay.io/jupyter/datascience-notebook",
            "quay.io/jupyter/pyspark-notebook",
            "quay.io/jupyter/all-spark-notebook",
            "jupyter/docker-stacks-foundation",
            "jupyter/base-notebook",
            "jupyter/minimal-notebook",
            "jupyter/scipy-notebook",
            "jupyter/r-notebook",
            "jupyter/julia-notebook",
            "jupyter/tensorflow-notebook",
            "jupyter/pytorch-notebook",
            "jupyter/datascience-notebook",
            "jupyter/pyspark-notebook",
            "jupyter/all-spark-notebook",
        ],
        covered: tags::jupyter_not_a_commit,
        user: DefaultUser::Named(JOVYAN),
        env: &[("HOME", "/home/jovyan"), ("CONDA_DIR", "/opt/conda")],
        shell: BASH_PIPEFAIL,
        distribution: tags::jupyter,
        source: "jupyter/docker-stacks images/docker-stacks-foundation/Dockerfile and history",
        ..OFFICIAL
    },
    // --- GPU ---
    BaseImage {
        repositories: &["nvidia/cuda", "nvcr.io/nvidia/cuda"],
        distribution: tags::told,
        source: "gitlab.com/nvidia/container-images/cuda dist/*/*/base/Dockerfile, in quotation",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["pytorch/pytorch"],
        distribution: tags::ubuntu,
        source: "pytorch/pytorch Dockerfile",
        ..OFFICIAL
    },
    // --- JavaScript ---
    BaseImage { repositories: &["node"], users: &[NODE], source: "nodejs/docker-node */*/Dockerfile", ..OFFICIAL },
    BaseImage {
        repositories: &["oven/bun"],
        covered: tags::has_a_shell,
        users: &[KnownUser { name: "bun", uid: 1000, gid: 1000, home: "/home/bun" }],
        source: "oven-sh/bun dockerhub/{debian,alpine}/Dockerfile",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["denoland/deno"],
        covered: tags::has_a_shell,
        // the user deno is 1993 on Debian and 1000 on Alpine, and has no home of its own on Debian
        env: &[("DENO_DIR", "/deno-dir/")],
        distribution: tags::told,
        source: "denoland/deno_docker {debian,ubuntu,alpine}.dockerfile",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi8/nodejs-*", "registry.redhat.io/ubi8/nodejs-*"],
        distribution: tags::ubi8,
        ..S2I_NODE
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi9/nodejs-*", "registry.redhat.io/ubi9/nodejs-*"],
        distribution: tags::ubi9,
        ..S2I_NODE
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi10/nodejs-*", "registry.redhat.io/ubi10/nodejs-*"],
        distribution: tags::ubi10,
        ..S2I_NODE
    },
    BaseImage {
        repositories: &["public.ecr.aws/lambda/nodejs", "amazon/aws-lambda-nodejs"],
        distribution: tags::lambda_node,
        source: "aws/aws-lambda-base-images Dockerfile.nodejs* (no USER, no HOME)",
        ..PLAIN
    },
    BaseImage {
        repositories: &["mcr.microsoft.com/playwright", "mcr.microsoft.com/playwright/python"],
        // the user pwuser is 1000 or 1001
        distribution: tags::ubuntu,
        source: "microsoft/playwright utils/docker/Dockerfile.noble; microsoft/playwright-python \
                 utils/docker/Dockerfile.jammy",
        ..OFFICIAL
    },
    // --- Go, Rust, Swift ---
    BaseImage {
        repositories: &["golang"],
        env: &[("GOPATH", "/go")],
        source: "docker-library/golang Dockerfile-linux.template and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["rust"],
        env: &[("CARGO_HOME", "/usr/local/cargo"), ("RUSTUP_HOME", "/usr/local/rustup")],
        source: "rust-lang/docker-rust Dockerfile-{debian,slim,alpine}.template",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["swift"],
        distribution: tags::ubuntu,
        source: "swiftlang/swift-docker 5.*, 6.*; docker-library/official-images library/swift and history",
        ..OFFICIAL
    },
    // --- Ruby, PHP, Perl ---
    BaseImage {
        repositories: &["ruby"],
        env: &[("GEM_HOME", "/usr/local/bundle"), ("BUNDLE_APP_CONFIG", "/usr/local/bundle")],
        source: "docker-library/ruby Dockerfile.template and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["php"],
        users_of_tag: tags::php_users,
        source: "docker-library/php Dockerfile-linux.template and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["composer"],
        covered: tags::composer_since_1_4,
        env: &[("COMPOSER_HOME", "/tmp"), ("COMPOSER_ALLOW_SUPERUSER", "1")],
        distribution: tags::alpine,
        source: "composer/docker {1.10,2.2,latest}/Dockerfile and history",
        ..PLAIN
    },
    BaseImage { repositories: &["perl"], source: "Perl/docker-perl", ..OFFICIAL },
    // --- Java ---
    BaseImage {
        repositories: &["eclipse-temurin"],
        distribution: tags::ubuntu,
        source: "adoptium/containers; docker-library/official-images library/eclipse-temurin and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["openjdk"],
        distribution: tags::openjdk,
        source: "docker-library/openjdk; docker-library/official-images library/openjdk and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["amazoncorretto", "public.ecr.aws/amazoncorretto/amazoncorretto"],
        distribution: tags::amazon,
        source: "corretto/corretto-docker; docker-library/official-images library/amazoncorretto and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["maven"],
        env: &[("MAVEN_CONFIG", "/root/.m2")],
        distribution: tags::maven,
        source: "carlossg/docker-maven Dockerfile-template and history; docker-library/official-images library/maven",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["gradle"],
        // the user gradle was 1000, 1001, 999 and 101; /root/.gradle is a link to /home/gradle/.gradle
        covered: tags::gradle_runs_as_root,
        distribution: tags::gradle,
        source: "keeganwitt/docker-gradle and history; docker-library/official-images library/gradle",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["sbtscala/scala-sbt"],
        // root, but HOME is /root or, since 2026, /home/sbtuser
        covered: tags::never,
        user: DefaultUser::Unknown,
        distribution: tags::by_jdk,
        source: "sbt/docker-sbt eclipse-temurin/Dockerfile, amazoncorretto/Dockerfile and history",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["clojure"],
        distribution: tags::told,
        source: "Quantisan/docker-clojure target; docker-library/official-images library/clojure",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["tomcat"],
        distribution: tags::by_jdk,
        source: "docker-library/tomcat; docker-library/official-images library/tomcat",
        ..OFFICIAL
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi8/openjdk-*", "registry.redhat.io/ubi8/openjdk-*"],
        user: DefaultUser::Named(KnownUser { name: "jboss", uid: 185, gid: 0, home: "/home/jboss" }),
        env: &[("HOME", "/home/jboss")],
        distribution: tags::ubi8,
        source: "jboss-container-images/openjdk branch ubi8 modules/user/{module.yaml,configure.sh}",
        ..PLAIN
    },
    BaseImage {
        repositories: &["registry.access.redhat.com/ubi9/openjdk-*", "registry.redhat.io/ubi9/openjdk-*"],
        user: DefaultUser::Named(KnownUser { name: "default", uid: 185, gid: 0, home: "/home/default" }),
        env: &[("HOME", "/home/default")],
        distribution: tags::ubi9,
        source: "jboss-container-images/openjdk branch ubi9 modules/user/{module.yaml,configure.sh}",
        ..PLAIN
    },
    // --- .NET ---
    BaseImage {
        repositories: &[
            "mcr.microsoft.com/dotnet/sdk",
            "mcr.microsoft.com/dotnet/aspnet",
            "mcr.microsoft.com/dotnet/runtime",
            "mcr.microsoft.com/dotnet/runtime-deps",
            "mcr.microsoft.com/dotnet/nightly/sdk",
            "mcr.microsoft.com/dotnet/nightly/aspnet",
            "mcr.microsoft.com/dotnet/nightly/runtime",
            "mcr.microsoft.com/dotnet/nightly/runtime-deps",
            "mcr.microsoft.com/dotnet/core/sdk",
            "mcr.microsoft.com/dotnet/core/aspnet",
            "mcr.microsoft.com/dotnet/core/runtime",
            "mcr.microsoft.com/dotnet/core/runtime-deps",
        ],
        covered: tags::dotnet_has_a_shell,
        users_of_tag: tags::dotnet_users,
        // nothing moves or disables NuGet's folders; NUGET_XMLDOC_MODE of the SDK only thins them
        distribution: tags::dotnet,
        source: "dotnet/dotnet-docker src/{runtime-deps,sdk}, README.sdk.md and history",
        ..OFFICIAL
    },
    // --- Haskell, Erlang, Elixir ---
    BaseImage { repositories: &["haskell"], source: "haskell/docker-haskell and history", ..OFFICIAL },
    BaseImage { repositories: &["erlang"], source: "erlang/docker-erlang-otp and history", ..OFFICIAL },
    BaseImage { repositories: &["elixir"], source: "erlef/docker-elixir and history", ..OFFICIAL },
    // --- servers ---
    BaseImage { repositories: &["nginx"], source: "nginx/docker-nginx", ..OFFICIAL },
    BaseImage { repositories: &["httpd"], source: "docker-library/httpd", ..OFFICIAL },
    BaseImage { repositories: &["postgres"], source: "docker-library/postgres", ..OFFICIAL },
    BaseImage { repositories: &["redis"], source: "docker-library/redis", ..OFFICIAL },
    // --- development containers ---
    BaseImage {
        repositories: &[
            "mcr.microsoft.com/devcontainers/base",
            "mcr.microsoft.com/devcontainers/cpp",
            "mcr.microsoft.com/devcontainers/java",
            "mcr.microsoft.com/devcontainers/dotnet",
            "mcr.microsoft.com/devcontainers/miniconda",
            "mcr.microsoft.com/devcontainers/anaconda",
        ],
        ..DEVCONTAINER
    },
    BaseImage {
        repositories: &["mcr.microsoft.com/devcontainers/python", "mcr.microsoft.com/devcontainers/php"],
        distribution: tags::debian,
        ..DEVCONTAINER
    },
    BaseImage {
        repositories: &[
            "mcr.microsoft.com/devcontainers/javascript-node",
            "mcr.microsoft.com/devcontainers/typescript-node",
        ],
        users: &[NODE],
        distribution: tags::debian,
        ..DEVCONTAINER
    },
    BaseImage {
        repositories: &["mcr.microsoft.com/devcontainers/go"],
        env: &[("GOPATH", "/go")],
        distribution: tags::debian,
        ..DEVCONTAINER
    },
    BaseImage {
        repositories: &["mcr.microsoft.com/devcontainers/rust"],
        env: &[("CARGO_HOME", "/usr/local/cargo"), ("RUSTUP_HOME", "/usr/local/rustup")],
        distribution: tags::debian,
        ..DEVCONTAINER
    },
];
