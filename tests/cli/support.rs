//! A folder of its own for every test, and the binary run inside it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// One safe change.
pub const PIP: &str = "FROM python:3.12-slim\nRUN pip install flask\n";
/// [`PIP`] after it, in a folder without other distributions.
pub const PIP_MOUNTED: &str =
    "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n";
/// One change, of level review.
pub const UNKNOWN: &str = "FROM acme/python:1\nRUN pip install flask\n";
/// Nothing to do.
pub const CLEAN: &str = "FROM python:3.12-slim\nCMD [\"python\"]\n";
/// No Dockerfile before it is rendered; refused at 2:1.
pub const TEMPLATE: &str = "# a template\n{% if slim %}\nFROM python:3.12-slim\n{% endif %}\n";
/// Three safe changes, two of them of one group.
pub const SEVERAL: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n# tools\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\nCMD [\"python\"]\n";
/// Every mount that restow adds starts so.
pub const MOUNT: &str = "--mount=type=cache";

/// A folder that is removed with the test.
pub struct Folder {
    folder: tempfile::TempDir,
}

/// What a program gave.
#[derive(Debug)]
pub struct Ran {
    /// -1 where a signal ended it.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let made = Self { folder: tempfile::Builder::new().prefix("restow-cli").tempdir().unwrap() };
        for (name, text) in files {
            made.write(name, text);
        }
        made
    }

    /// The same, as a git repository.
    pub fn repository(files: &[(&str, &str)]) -> Self {
        let made = Self::new(files);
        made.git(&["init", "-q", "."], "").expect(0);
        made
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub fn is_mounted(&self, name: &str) -> bool {
        self.read(name).contains(MOUNT)
    }

    /// All files but those of git, by relative path.
    pub fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if entry.file_name() == ".git" {
                    continue;
                }
                if entry.file_type().unwrap().is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.strip_prefix(self.root()).unwrap().to_owned(), std::fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    pub fn restow(&self, arguments: &[&str]) -> Ran {
        self.restow_in("", arguments)
    }

    pub fn restow_in(&self, folder: &str, arguments: &[&str]) -> Ran {
        run(command(&self.path(folder)).args(arguments), b"")
    }

    pub fn restow_on(&self, input: impl AsRef<[u8]>, arguments: &[&str]) -> Ran {
        run(command(self.root()).args(arguments), input.as_ref())
    }

    pub fn restow_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        run(command(self.root()).args(arguments).envs(variables.iter().copied()), b"")
    }

    /// The JSON report of `diff`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.restow(&[&["diff", "--format", "json"], arguments].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    pub fn git(&self, arguments: &[&str], input: &str) -> Ran {
        let mut git = Command::new("git");
        isolate(&mut git, self.root());
        run(git.args(["-c", "core.autocrlf=false"]).args(arguments), input.as_bytes())
    }

    /// GNU patch, where there is one.
    pub fn patch(&self, arguments: &[&str], input: &str) -> Option<Ran> {
        if Command::new("patch").arg("--version").output().is_err() {
            eprintln!("skipped: patch is not installed");
            return None;
        }
        let mut patch = Command::new("patch");
        isolate(&mut patch, self.root());
        Some(run(patch.args(arguments), input.as_bytes()))
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restow"));
    isolate(&mut command, folder);
    command
}

/// Nothing of the machine's settings.
fn isolate(command: &mut Command, folder: &Path) {
    command
        .current_dir(folder)
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for name in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "XDG_CONFIG_HOME",
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "RUST_BACKTRACE",
        "DOCKER_BUILDKIT",
        "COMPOSE_DOCKER_CLI_BUILD",
        "BUILDKIT_PROGRESS",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "BUILDX_BUILDER",
        "BUILDKIT_HOST",
        "COMPOSE_BAKE",
    ] {
        command.env_remove(name);
    }
}

fn run(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that does not read it may be gone already.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let err = String::from_utf8_lossy(&stderr).into_owned();
    let ran = Ran { code: status.code().unwrap_or(-1), out: String::from_utf8_lossy(&stdout).into_owned(), err };
    assert!(!ran.err.contains("panicked at") && ran.code != -1, "it panicked or was killed: {status}: {}", ran.err);
    ran
}

impl Ran {
    /// Itself, if it ended so.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\nstdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// The last line on standard error.
    pub fn counts(&self) -> &str {
        self.err.lines().last().unwrap_or("")
    }
}

/// Whether `text` holds all of `parts`.
#[track_caller]
pub fn assert_holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
