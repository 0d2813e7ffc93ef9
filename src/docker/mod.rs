//! Docker, or podman, on this machine: where it is, what it answers, and what that means for changes of build files.

pub mod builder;
pub mod daemon_file;
pub mod engine;
pub mod judge;
pub mod machine;
pub mod size;
pub mod version;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a question may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// A container engine as its command line offers it.
#[derive(Debug, Clone)]
pub struct Docker {
    pub program: PathBuf,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Docker,
    Podman,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Docker => "docker",
            Kind::Podman => "podman",
        }
    }
}

/// What a program printed, however it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub is_success: bool,
    pub out: String,
    pub err: String,
}

/// Why a question to the engine has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{program} can't be run: {error}")]
    Unable { program: PathBuf, error: std::io::Error },
    #[error("{command} gave no answer within {} s", .limit.as_secs())]
    Late { command: String, limit: Duration },
    /// What it said last on standard error.
    #[error("{command} failed: {said}")]
    Failed { command: String, said: String },
}

impl Docker {
    /// The first of docker and podman in PATH; `docker` may be podman under another name.
    pub fn find() -> Option<Docker> {
        let mut found = [Kind::Docker, Kind::Podman]
            .into_iter()
            .find_map(|kind| Some(Docker { program: in_path(kind.name())?, kind }))?;
        if found.kind == Kind::Docker && found.ask(&["--version"], LIMIT).is_ok_and(|said| said.starts_with("podman")) {
            found.kind = Kind::Podman;
        }
        Some(found)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    /// What it prints on standard output.
    ///
    /// # Errors
    /// A program that can't be run, ends with another status than 0, or takes longer than `limit`.
    pub fn ask(&self, arguments: &[&str], limit: Duration) -> Result<String, Failure> {
        let answer = self.answer(arguments, limit)?;
        if answer.is_success {
            return Ok(answer.out);
        }
        let said = answer.err.trim().lines().last().unwrap_or("it ended with an error and said nothing").to_owned();
        Err(Failure::Failed { command: self.shown(arguments), said })
    }

    /// What it prints, also where it ends with another status than 0.
    ///
    /// # Errors
    /// A program that can't be run, or takes longer than `limit`.
    pub fn answer(&self, arguments: &[&str], limit: Duration) -> Result<Answer, Failure> {
        let unable = |error| Failure::Unable { program: self.program.clone(), error };
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(unable)?;
        let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let ended = wait(&mut child, limit).map_err(unable)?;
        let Some(is_success) = ended else { return Err(Failure::Late { command: self.shown(arguments), limit }) };
        let read = |thread: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&thread.join().unwrap_or_default()).into_owned()
        };
        Ok(Answer { is_success, out: read(out), err: read(err) })
    }

    fn shown(&self, arguments: &[&str]) -> String {
        format!("{} {}", self.name(), arguments.join(" "))
    }

    fn name(&self) -> String {
        let name = Path::new(&self.program).file_name();
        name.map_or_else(|| self.kind.name().to_owned(), |name| name.to_string_lossy().into_owned())
    }
}

/// A program by its name.
pub fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|program| program.is_file())
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Whether a process ended well; none where it had to be killed because it took longer than `limit`.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<bool>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if start.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
