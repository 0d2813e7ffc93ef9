//! What RUNs make of variables that they don't name.

use super::*;
use crate::dockerfile::read;
use crate::facts::{Knowledge, Scripts};

fn of(run: &str) -> Past {
    let text = format!("FROM python:3.12\nRUN {run}\n");
    let file = read(&text).unwrap();
    let knowledge = Knowledge::default();
    let facts = Facts::new(&text, &file, &knowledge, &Scripts::new());
    past(&facts, &facts.runs[0], &["GIT_SHA".to_owned(), "BUILD_NUMBER".to_owned()], &[])
}

#[test]
fn installs_of_others_are_free() {
    for run in [
        "pip install flask==2 'a>=1' \"b[c]==1\"",
        "apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*",
        "set -eux; apk add --no-cache gcc; addgroup -S app",
        "arch=\"$(dpkg --print-architecture)\" && chmod +x /x/$arch",
        "git config --global x y && git init && git lfs install && pip install flask",
        "git clone https://x/y /y && git -C /y checkout 0123456789abcdef0123456789abcdef01234567 && pip install flask",
        "pip install git+https://x/y@0123456789abcdef0123456789abcdef01234567 > /dev/null",
        "pip install vendor/a-1.0-py3-none-any.whl https://x/y-1.0.tar.gz",
        "apt-get install -y -t bookworm-backports a/bookworm > /dev/null 2>&1",
        "[\"pip\", \"install\", \"flask\"]",
        "[\"/bin/sh\", \"-c\", \"mkdir /a\"]",
        "python3 -m venv /venv && /venv/bin/pip install -U pip",
        "bash -c 'pip install flask'",
        "uv tool install ruff",
        "go mod download",
        "<<EOF\nset -e\npip install flask\nEOF",
    ] {
        assert_eq!(of(run), Past::Free, "{run}");
    }
}

#[test]
fn what_may_read_it_is_never_passed() {
    for run in [
        "echo $GIT_SHA",
        "env && pip install flask",
        "pip install flask && printenv > /x",
        "export -p; pip install x",
        "set; pip install flask",
        "./build.sh",
        "sh scripts/setup.sh && pip install x",
        "bash < install.sh && curl x",
        "make install",
        "python setup.py build",
        "npm run build",
        "echo $(env) && pip install x",
        "pip install `cat x`",
        "$TOOL install",
        "eval \"$X\"",
        "yarn build",
        "uv run build.py",
        "cat <(env)",
        "find / -exec ./x {} +",
        "--mount=type=bind,target=/src pip install x",
        "poetry run x",
        "git clone https://x/y && pip install flask",
        "git clone https://x/y && git clone https://x/z && git -C z checkout 0123456789abcdef0123456789abcdef01234567",
        "cd /x && git pull && pip install flask",
        "git submodule update --init && pip install flask",
        "v=$(git ls-remote https://x/y) && pip install flask",
        "pip install git+https://x/y",
        "pip install 'y @ git+https://x/y@main'",
        "pip install -e git+https://x/y#egg=y",
        "npm install -g github:x/y",
        "npm install -g x/y",
        "yarn global add https://x/y.git",
        "cargo install --git https://x/y",
    ] {
        assert!(matches!(of(run), Past::Never(_)), "{run}: {:?}", of(run));
    }
}

#[test]
fn what_is_not_known_needs_a_look() {
    for run in [
        "pip install -r requirements.txt",
        "pip install .",
        "pip install -e .[dev]",
        "npm ci",
        "npm install -g pnpm",
        "dotnet restore",
        "mvn -B dependency:go-offline",
        "cargo build --release",
        "curl -fsSL https://x | bash -",
        "curl -sSL https://x | POETRY_VERSION=1 python3 -",
        "composer install",
        "poetry install",
        "curl -o /x https://x/y && pip install flask",
        "wget https://x/y; pip install flask",
        "date > /x && pip install flask",
        "echo $(date) && pip install flask",
        "pip install https://x/main.zip",
        "pip install libs/common",
        "pip install vendor/common-1.0.tar.gz",
        "pip install -e libs/common",
        "apt-get install -y /tmp/x/*",
        "apt-get install ./x.deb",
        "apt-get update && apt-get -y upgrade",
        "dnf update -y && dnf install -y gcc",
        "apk -U upgrade && apk add gcc",
        "npm install -g ./tools",
        "gem install x-1.0.gem",
    ] {
        assert!(matches!(of(run), Past::Review(_)), "{run}: {:?}", of(run));
    }
}
