//! Docker, or podman, on this machine: where it is, and what it answers.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
        let path = std::env::var_os("PATH")?;
        let programs = [Kind::Docker, Kind::Podman].into_iter().flat_map(|kind| {
            std::env::split_paths(&path).map(move |folder| (folder.join(kind.name()), kind)).collect::<Vec<_>>()
        });
        let (program, kind) = programs.into_iter().find(|(program, _)| program.is_file())?;
        let mut found = Docker { program, kind };
        if kind == Kind::Docker
            && found.ask(&["--version"], Duration::from_secs(20)).is_ok_and(|said| said.starts_with("podman"))
        {
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
        let shown = || format!("{} {}", self.name(), arguments.join(" "));
        let unable = |error| Failure::Unable { program: self.program.clone(), error };
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(unable)?;
        let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let ended = wait(&mut child, limit).map_err(unable)?;
        let Some(is_success) = ended else { return Err(Failure::Late { command: shown(), limit }) };
        let read = |thread: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&thread.join().unwrap_or_default()).into_owned()
        };
        let (out, err) = (read(out), read(err));
        if is_success {
            return Ok(out);
        }
        let said = err.trim().lines().last().unwrap_or("it ended with an error and said nothing").to_owned();
        Err(Failure::Failed { command: shown(), said })
    }

    fn name(&self) -> String {
        let name = Path::new(&self.program).file_name();
        name.map_or_else(|| self.kind.name().to_owned(), |name| name.to_string_lossy().into_owned())
    }
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
