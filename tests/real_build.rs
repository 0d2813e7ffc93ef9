//! Builds the projects in `tests/builds` before and after `restow apply`, on a real container engine.
//!
//! Each test holds restow to two promises: the image is the same (docs/same-image.md), and once the step above has
//! changed, the rebuild downloads nothing that it had before. The engine is the one in `RESTOW_BUILDER` (a directory
//! filled by `tests/builder.sh start`), or else the one that `docker` finds; without one, the tests are skipped.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn a_pip_install_that_refused_its_cache_builds_the_same_image_and_downloads_once() {
    check("pip-no-cache-dir");
}

#[test]
fn an_apt_install_behind_docker_clean_builds_the_same_image_and_downloads_once() {
    check("apt-docker-clean");
}

#[test]
fn a_pip_install_by_a_numeric_user_builds_the_same_image_and_downloads_once() {
    check("numeric-user");
}

#[test]
fn a_pip_install_under_a_prefix_that_is_copied_builds_the_same_image_and_downloads_once() {
    check("prefix-multi-stage");
}

fn check(name: &str) {
    let Some(engine) = engine() else { return };
    // The index counts for everyone who asks: one project at a time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());

    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/builds").join(name);
    let copy = tempfile::tempdir().expect("a temporary directory");
    copy_tree(&project, copy.path());
    let dockerfile = copy.path().join("Dockerfile");
    let text = || std::fs::read_to_string(&dockerfile).expect("the Dockerfile");

    let original = text();
    let before = engine.build(copy.path(), &original, &format!("restow-test-{name}-before"));
    assert!(
        before.downloads.0 > 0,
        "{name}: the build before shows no download, so the measurement is blind\n{}",
        before.log
    );

    apply(copy.path());
    let rewritten = text();
    assert_ne!(original, rewritten, "{name}: apply left the Dockerfile as it was");
    apply(copy.path());
    assert_eq!(rewritten, text(), "{name}: a second apply changed the Dockerfile again");

    let after = engine.build(copy.path(), &rewritten, &format!("restow-test-{name}-after"));
    let differences = differences(&engine.tree(&before.image), &engine.tree(&after.image));
    assert!(differences.is_empty(), "{name}: the image changed\n{}\nDockerfile:\n{rewritten}", differences.join("\n"));
    assert_eq!(
        engine.configuration(&before.image),
        engine.configuration(&after.image),
        "{name}: the image's configuration changed"
    );

    let again = engine.build(copy.path(), &rewritten, &format!("restow-test-{name}-again"));
    assert!(again.reused > 0, "{name}: the rebuild used nothing from a cache\n{}", again.log);
    assert_eq!(again.downloads, Downloads(0), "{name}: the rebuild downloaded again\n{}", again.log);
    assert_eq!(again.files_served.unwrap_or(0), 0, "{name}: the index served files again\n{}", again.log);
}

fn apply(project: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_restow"))
        .args(["apply", "."])
        .current_dir(project)
        .output()
        .expect("restow runs");
    succeeded("restow apply", &output);
}

fn copy_tree(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a directory entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).expect("a directory");
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copied file");
        }
    }
}

// ---- the engine ---------------------------------------------------------------------------------------------

struct Engine {
    /// What `env.sh` sets; empty for an engine that `docker` finds by itself.
    environment: Vec<(String, String)>,
    /// `host:port` of the counting package index that `tests/builder.sh` starts.
    index: Option<String>,
}

/// How often a package manager's log says that it fetches a package.
#[derive(Debug, PartialEq, Eq)]
struct Downloads(usize);

/// One build; its image is removed with it.
struct Build<'e> {
    engine: &'e Engine,
    image: String,
    log: String,
    downloads: Downloads,
    /// How often a package manager's log says that it takes packages from its cache.
    reused: usize,
    /// Distributions that the index sent, where there is one that counts.
    files_served: Option<u64>,
}

impl Drop for Build<'_> {
    fn drop(&mut self) {
        let _ = self.engine.docker().args(["rmi", "--force", &self.image]).output();
    }
}

/// The engine to build on, looked for once; `None` after saying so.
fn engine() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            let found = match std::env::var_os("RESTOW_BUILDER") {
                Some(directory) => Some(Engine::from_env_file(&PathBuf::from(directory).join("env.sh"))),
                None => Some(Engine { environment: Vec::new(), index: None }).filter(Engine::answers),
            };
            if found.is_none() {
                // Not eprintln!, which the test harness shows for failures only.
                let _ = writeln!(io::stderr(), "skipped: no container engine (start one with tests/builder.sh)");
            }
            found
        })
        .as_ref()
}

impl Engine {
    /// The engine that a directory of `tests/builder.sh` describes; whoever names one wants it used, so it must answer.
    fn from_env_file(file: &Path) -> Engine {
        let output = Command::new("sh").args(["-c", r#". "$1" && env -0"#, "sh"]).arg(file).output().expect("sh runs");
        succeeded(&format!("reading {}", file.display()), &output);
        let environment: Vec<(String, String)> = String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter_map(|variable| variable.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let index = environment
            .iter()
            .find(|(name, _)| name == "RESTOW_TEST_INDEX")
            .map(|(_, address)| address.trim_start_matches("http://").to_owned());
        let engine = Engine { environment, index };
        assert!(engine.answers(), "the engine of {} doesn't answer: tests/builder.sh start", file.display());
        engine
    }

    fn answers(&self) -> bool {
        self.docker().arg("info").output().is_ok_and(|output| output.status.success())
    }

    fn docker(&self) -> Command {
        let path = self.environment.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_str());
        // A command is looked up in our own PATH, not in the one that it is given.
        let program = path
            .into_iter()
            .flat_map(std::env::split_paths)
            .map(|directory| directory.join("docker"))
            .find(|program| program.is_file())
            .unwrap_or_else(|| PathBuf::from("docker"));
        let mut command = Command::new(program);
        command.envs(self.environment.iter().cloned()).env("DOCKER_BUILDKIT", "1");
        command
    }

    /// Builds `dockerfile` with `context`, every RUN afresh.
    ///
    /// An argument under each FROM makes the steps below it new. `--no-cache` would do that as well, but with cache
    /// mounts that are new and empty.
    fn build<'e>(&'e self, context: &Path, dockerfile: &str, image: &str) -> Build<'e> {
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_nanos();
        let mut busted = String::new();
        for line in dockerfile.split_inclusive('\n') {
            busted.push_str(line);
            if line.starts_with("FROM ") {
                busted.push_str(&format!("ARG BUST={stamp}\n"));
            }
        }

        if let Some(index) = &self.index {
            http_get(index, "/ctl?reset");
        }
        let mut child = self
            .docker()
            .args(["build", "--network=host", "--progress=plain", "--tag", image, "--file", "-"])
            .arg(context)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(busted.as_bytes()).expect("the Dockerfile is read");
        drop(stdin);
        let output = child.wait_with_output().expect("docker ends");
        succeeded(&format!("docker build of\n{dockerfile}"), &output);
        let files_served = self.index.as_ref().map(|index| {
            let counters: serde_json::Value = serde_json::from_str(&http_get(index, "/ctl")).expect("JSON at /ctl");
            counters["files"].as_u64().expect("the number of files")
        });

        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let (mut downloads, mut reused) = (0, 0);
        for line in log.lines() {
            // pip names each distribution; apt gives the sum, "0 B/441 kB" when every archive is there already.
            if line.contains("Need to get 0 B") || line.contains("Using cached ") {
                reused += 1;
            } else if line.contains("Need to get ") || line.contains("Downloading ") {
                downloads += 1;
            }
        }
        Build { engine: self, image: image.to_owned(), log, downloads: Downloads(downloads), reused, files_served }
    }

    /// What a container of the image starts with: user, environment, entry point, labels.
    fn configuration(&self, image: &str) -> serde_json::Value {
        let output = self
            .docker()
            .args(["image", "inspect", "--format", "{{json .Config}}", image])
            .output()
            .expect("docker runs");
        succeeded("docker image inspect", &output);
        serde_json::from_slice(&output.stdout).expect("JSON from docker image inspect")
    }

    /// Every path of the image.
    fn tree(&self, image: &str) -> BTreeMap<String, Entry> {
        let output = self.docker().args(["create", image, "true"]).output().expect("docker runs");
        succeeded("docker create", &output);
        let container = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let mut export =
            self.docker().args(["export", &container]).stdout(Stdio::piped()).spawn().expect("docker runs");
        let tree = read_tar(export.stdout.take().expect("a pipe"));
        let status = export.wait().expect("docker ends");
        let _ = self.docker().args(["rm", &container]).output();
        assert!(status.success(), "docker export of {image} failed");
        tree.unwrap_or_else(|error| panic!("the export of {image}: {error}"))
    }
}

fn succeeded(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The body of an answer on the loopback interface.
fn http_get(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap_or_else(|error| panic!("{host}: {error}"));
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).expect("a body")
}

// ---- the same image -----------------------------------------------------------------------------------------

/// How far the comparison passes over a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PassOver {
    /// What it holds, not that it is there, its kind, mode and owner.
    Content,
    /// All of it.
    Path,
}

/// The part of docs/same-image.md that these projects need, measured by building each of them twice as it is.
/// Times of files are never compared, and `*.pyc` without the time of their source.
const PASSED_OVER: &[(&str, PassOver)] = &[
    // When each step ran, and the command line.
    ("var/log/apt/history.log", PassOver::Content),
    ("var/log/apt/term.log", PassOver::Content),
    ("var/log/dpkg.log", PassOver::Content),
    // Inode numbers and times of the libraries.
    ("var/cache/ldconfig/aux-cache", PassOver::Content),
    // apt makes these in its archive directory, which the change moves into a mount; both are empty.
    ("var/cache/apt/archives/lock", PassOver::Path),
    ("var/cache/apt/archives/partial", PassOver::Path),
];

/// Sentences about the paths that aren't the same, sorted by path.
fn differences(before: &BTreeMap<String, Entry>, after: &BTreeMap<String, Entry>) -> Vec<String> {
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter_map(|path| {
            let passed_over = PASSED_OVER.iter().find(|(known, _)| known == path).map(|(_, how)| *how);
            match (before.get(path), after.get(path)) {
                _ if passed_over == Some(PassOver::Path) => None,
                (Some(old), Some(new)) if old == new => None,
                (Some(old), Some(new)) if passed_over == Some(PassOver::Content) && old.same_but_content(new) => None,
                (Some(old), Some(new)) => Some(format!("/{path}: {old} became {new}")),
                (Some(old), None) => Some(format!("/{path}: gone ({old})")),
                (None, Some(new)) => Some(format!("/{path}: new ({new})")),
                (None, None) => None,
            }
        })
        .collect()
}

/// One path of an image.
#[derive(Clone, Default, PartialEq, Eq)]
struct Entry {
    /// The tar type flag: `0` file, `1` hard link, `2` symbolic link, `5` directory.
    kind: char,
    mode: u64,
    uid: u64,
    gid: u64,
    size: u64,
    link: String,
    xattrs: BTreeMap<String, String>,
    /// Of the content; for `*.pyc` with the source's time set to zero. Nobody forges these files, so that the standard
    /// library's hash will do: it is fast in a debug build as well, which a SHA-256 over 200 MB per image isn't.
    digest: u64,
}

impl Entry {
    fn same_but_content(&self, other: &Entry) -> bool {
        Entry { size: other.size, digest: other.digest, ..self.clone() } == *other
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {} mode {:o} owner {}:{} size {}", self.kind, self.mode, self.uid, self.gid, self.size)?;
        if !self.link.is_empty() {
            write!(f, " -> {}", self.link)?;
        }
        if !self.xattrs.is_empty() {
            write!(f, " {:?}", self.xattrs)?;
        }
        write!(f, " content {:016x}", self.digest)
    }
}

/// The entries of a tar stream by path: ustar, with the extended headers of POSIX (`x`) and the long names of GNU (`L`, `K`).
///
/// # Errors
///
/// Whatever reading the stream gives, and an early end.
fn read_tar(mut stream: impl Read) -> io::Result<BTreeMap<String, Entry>> {
    const BLOCK: usize = 512;
    let mut tree = BTreeMap::new();
    // What an extension says about the entry after it.
    let mut extended: BTreeMap<String, String> = BTreeMap::new();
    let mut header = [0; BLOCK];
    loop {
        stream.read_exact(&mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            io::copy(&mut stream, &mut io::sink())?;
            return Ok(tree);
        }
        let [uid, gid, size] = [("uid", 108..116), ("gid", 116..124), ("size", 124..136)].map(|(key, field)| {
            let extension = extended.get(key).and_then(|value| value.parse().ok());
            extension.unwrap_or_else(|| number(&header[field]))
        });
        let mut content = vec![0; usize::try_from(size).expect("a size that fits in memory")];
        stream.read_exact(&mut content)?;
        let padding = content.len().next_multiple_of(BLOCK) - content.len();
        stream.read_exact(&mut vec![0; padding])?;

        match header[156] {
            b'x' => extended = pax_records(&content),
            b'L' => drop(extended.insert("path".to_owned(), text(&content))),
            b'K' => drop(extended.insert("linkpath".to_owned(), text(&content))),
            b'g' => {}
            flag => {
                let prefix = if header[257..263] == *b"ustar\0" { text(&header[345..500]) } else { String::new() };
                let short = text(&header[..100]);
                let path = extended.remove("path").unwrap_or_else(|| match prefix.is_empty() {
                    true => short,
                    false => format!("{prefix}/{short}"),
                });
                let path = path.trim_end_matches('/').to_owned();
                // Magic number, flags, time, size of the source: flags of zero say that the time is there.
                if path.ends_with(".pyc") && content.len() > 16 && content[4..8] == [0; 4] {
                    content[8..12].fill(0);
                }
                let mut hash = DefaultHasher::new();
                hash.write(&content);
                let entry = Entry {
                    kind: if flag == 0 { '0' } else { char::from(flag) },
                    mode: number(&header[100..108]) & 0o7777,
                    uid,
                    gid,
                    size,
                    link: extended.remove("linkpath").unwrap_or_else(|| text(&header[157..257])),
                    xattrs: extended
                        .iter()
                        .filter(|(key, _)| key.contains("xattr"))
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect(),
                    digest: hash.finish(),
                };
                tree.insert(path, entry);
                extended.clear();
            }
        }
    }
}

/// `LENGTH KEY=VALUE\n` records; LENGTH counts the whole record.
fn pax_records(mut content: &[u8]) -> BTreeMap<String, String> {
    let mut records = BTreeMap::new();
    while let Some(space) = content.iter().position(|byte| *byte == b' ') {
        let length = text(&content[..space]).parse().unwrap_or(content.len()).clamp(space + 2, content.len());
        let record = String::from_utf8_lossy(&content[space + 1..length - 1]);
        if let Some((key, value)) = record.split_once('=') {
            records.insert(key.to_owned(), value.to_owned());
        }
        content = &content[length..];
    }
    records
}

/// The field up to its first NUL.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// An octal field, or a binary one where its first bit is set.
fn number(field: &[u8]) -> u64 {
    if field[0] & 0x80 != 0 {
        return field[1..].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    u64::from_str_radix(text(field).trim(), 8).unwrap_or(0)
}
