//! The container engine that the tests build on: the one in `RESTOW_BUILDER` (a directory filled by `tests/builder.sh
//! start`), or else the one that `docker` finds; without one, the tests are skipped.

pub mod hub;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use restow::same_image::{self, Configuration, Image, Tree};

pub struct Engine {
    /// What `env.sh` sets; empty for an engine that `docker` finds by itself.
    environment: Vec<(String, String)>,
    /// `host:port` of the counting package index that `tests/builder.sh` starts.
    pub index: Option<String>,
}

/// How often a package manager's log says that it fetches a package.
#[derive(Debug, PartialEq, Eq)]
pub struct Downloads(pub usize);

/// One build; its image is removed with it.
pub struct Build<'e> {
    engine: &'e Engine,
    pub image: String,
    pub log: String,
    pub downloads: Downloads,
    /// How often a package manager's log says that it takes packages from its cache.
    pub reused: usize,
    /// Distributions that the index sent, where there is one that counts.
    pub files_served: Option<u64>,
}

/// What makes every RUN of a build new: builds with the same value share what the engine keeps of them.
pub struct Fresh(String);

impl Fresh {
    pub fn now() -> Fresh {
        Fresh(SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_nanos().to_string())
    }
}

impl Build<'_> {
    /// The RUNs that were executed, and not taken from the engine's cache.
    pub fn executed(&self) -> Vec<&str> {
        // "#7 [builder 2/3] RUN make", and later "#7 CACHED" or "#7 DONE 1.2s".
        let mut runs: BTreeMap<&str, &str> = BTreeMap::new();
        let mut executed = Vec::new();
        for line in self.log.lines() {
            let Some((step, rest)) = line.split_once(' ') else { continue };
            if let Some((_, run)) = rest.split_once("] RUN ").filter(|_| rest.starts_with('[')) {
                runs.insert(step, run);
            } else if rest.starts_with("DONE ")
                && let Some(run) = runs.get(step)
            {
                executed.push(*run);
            }
        }
        executed
    }

    /// The packages that pip put somewhere, in all RUNs that were executed.
    pub fn packages(&self) -> BTreeSet<String> {
        self.log
            .lines()
            .filter_map(|line| line.split_once("Installing collected packages: "))
            .flat_map(|(_, packages)| packages.split(", ").map(str::to_owned))
            .collect()
    }
}

impl Drop for Build<'_> {
    fn drop(&mut self) {
        let _ = self.engine.docker().args(["rmi", "--force", &self.image]).output();
    }
}

/// The engine to build on, looked for once; `None` after saying so.
pub fn engine() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            let found = match std::env::var_os("RESTOW_BUILDER") {
                Some(directory) => Some(Engine::from_env_file(&PathBuf::from(directory).join("env.sh"))),
                None => Some(Engine { environment: Vec::new(), index: None }).filter(Engine::answers),
            };
            if found.is_none() {
                say_skipped("no container engine (start one with tests/builder.sh)");
            }
            found
        })
        .as_ref()
}

pub fn say_skipped(why: &str) {
    say(&format!("skipped: {why}"));
}

/// Not eprintln!, which the test harness shows for failures only.
pub fn say(what: &str) {
    let _ = writeln!(io::stderr(), "{what}");
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

    /// The base image that this engine neither has nor can pull: `tests/builder.sh` says why it could not make it.
    pub fn missing_base<'d>(&self, dockerfile: &'d str) -> Option<&'d str> {
        // Another engine pulls what it doesn't have.
        self.index.as_ref()?;
        let stages: Vec<&str> = dockerfile.lines().filter_map(|line| line.split_once(" AS ")).map(|(_, s)| s).collect();
        dockerfile
            .lines()
            .filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next())
            .filter(|base| !stages.contains(base))
            .find(|base| {
                let output = self.docker().args(["image", "inspect", base]).output().expect("docker runs");
                !output.status.success()
            })
    }

    /// Builds `dockerfile` with `context`.
    ///
    /// An argument under each FROM makes the steps below it new. `--no-cache` would do that as well, but with cache
    /// mounts that are new and empty.
    pub fn build<'e>(
        &'e self,
        context: &Path,
        dockerfile: &str,
        image: &str,
        fresh: &Fresh,
        build_args: &[String],
    ) -> Build<'e> {
        let mut busted = String::new();
        for line in dockerfile.split_inclusive('\n') {
            busted.push_str(line);
            if line.starts_with("FROM ") {
                busted.push_str(&format!("ARG BUST={}\n", fresh.0));
            }
        }

        if let Some(index) = &self.index {
            http_get(index, "/ctl?reset");
        }
        let mut child = self
            .docker()
            .args(["build", "--network=host", "--progress=plain", "--tag", image, "--file", "-"])
            .args(build_args.iter().flat_map(|argument| ["--build-arg", argument]))
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

    /// What a program needs to find it.
    pub fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The images, containers and builders that carry a label or name of `restow verify`.
    pub fn left_by_verify(&self) -> String {
        let lists: [&[&str]; 3] = [
            &["image", "ls", "--quiet", "--filter", "label=restow-verify"],
            &["ps", "--all", "--quiet", "--filter", "label=restow-verify"],
            &["buildx", "ls"],
        ];
        let lines = lists.map(|arguments| {
            let output = self.docker().args(arguments).output().expect("docker runs");
            String::from_utf8_lossy(&output.stdout).into_owned()
        });
        let [images, containers, builders] = lines;
        let builders: String = builders.lines().filter(|line| line.contains("restow-verify")).collect();
        images + &containers + &builders
    }

    /// What a container of the image starts with: user, environment, entry point, labels.
    pub fn configuration(&self, image: &str) -> Configuration {
        let output = self
            .docker()
            .args(["image", "inspect", "--format", "{{json .Config}}", image])
            .output()
            .expect("docker runs");
        succeeded("docker image inspect", &output);
        Configuration::read(&serde_json::from_slice(&output.stdout).expect("JSON from docker image inspect"))
    }

    /// All that is compared of an image.
    pub fn image(&self, image: &str) -> Image {
        Image { tree: self.tree(image), configuration: self.configuration(image) }
    }

    /// What a new container of the image prints, and how it ends.
    pub fn run(&self, image: &str, options: &[&str]) -> Output {
        self.docker().args(["run", "--rm"]).args(options).arg(image).output().expect("docker runs")
    }

    /// Every path of the image.
    pub fn tree(&self, image: &str) -> Tree {
        let output = self.docker().args(["create", image, "true"]).output().expect("docker runs");
        succeeded("docker create", &output);
        let container = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let mut export =
            self.docker().args(["export", &container]).stdout(Stdio::piped()).spawn().expect("docker runs");
        let tree = same_image::read(export.stdout.take().expect("a pipe"));
        let status = export.wait().expect("docker ends");
        let _ = self.docker().args(["rm", &container]).output();
        assert!(status.success(), "docker export of {image} failed");
        tree.unwrap_or_else(|error| panic!("the export of {image}: {error}"))
    }
}

pub fn succeeded(what: &str, output: &Output) {
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
