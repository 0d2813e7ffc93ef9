//! The stand-in of the model hub, `tests/models/hub.py`, on a loopback port that stays the same between its starts.

use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/hub.py");

pub struct Hub {
    /// The repositories and the log.
    files: tempfile::TempDir,
    process: Option<Child>,
    port: u16,
}

impl Hub {
    /// A hub with these files, each `organisation/name/path` and its content, that answers.
    ///
    /// # Errors
    ///
    /// There is no `python3`.
    pub fn start(repositories: &[(&str, &str)]) -> io::Result<Hub> {
        let mut hub = Hub { files: tempfile::tempdir()?, process: None, port: 0 };
        for (path, content) in repositories {
            let path = hub.files.path().join("root").join(path);
            std::fs::create_dir_all(path.parent().expect("a folder"))?;
            std::fs::write(path, content)?;
        }
        hub.start_again()?;
        Ok(hub)
    }

    /// # Errors
    ///
    /// There is no `python3`.
    pub fn start_again(&mut self) -> io::Result<()> {
        let mut process = Command::new("python3")
            .args([SCRIPT, "--port", &self.port.to_string(), "--root"])
            .arg(self.files.path().join("root"))
            .arg("--log")
            .arg(self.log_file())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        self.process = Some(process);
        BufReader::new(stdout).read_line(&mut address)?;
        let port = address.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        self.port = port.unwrap_or_else(|| panic!("{SCRIPT} says {address:?} instead of its address"));
        Ok(())
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A line per request, since the first start.
    pub fn log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    fn log_file(&self) -> PathBuf {
        self.files.path().join("log")
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop();
    }
}
