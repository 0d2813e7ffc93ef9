//! What a run makes in the engine, and its removal at the end: also after Ctrl-C, and after an error.

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::docker::{Docker, Kind};

/// The label of everything that a run makes; its value is the run's own.
pub const LABEL: &str = "restow-verify";

/// How long one removal may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Removes what a run made when it goes.
pub struct Made<'a> {
    docker: &'a Docker,
    pub id: String,
    builder: RefCell<Option<String>>,
    /// Folders that `--keep` leaves.
    folders: RefCell<Vec<PathBuf>>,
    keep: bool,
}

impl<'a> Made<'a> {
    pub fn new(docker: &'a Docker, id: String, keep: bool) -> Self {
        Self { docker, id, builder: RefCell::new(None), folders: RefCell::default(), keep }
    }

    /// `restow-verify=4711-2a`.
    pub fn label(&self) -> String {
        format!("{LABEL}={}", self.id)
    }

    /// Notes a builder before it is made.
    pub fn note_builder(&self, name: &str) {
        *self.builder.borrow_mut() = Some(name.to_owned());
    }

    /// Notes a folder that stays.
    pub fn note_folder(&self, folder: PathBuf) {
        self.folders.borrow_mut().push(folder);
    }

    pub fn remove_builder(&self) {
        if let Some(name) = self.builder.borrow_mut().take() {
            self.quietly(&["buildx", "rm", "--force", &name]);
        }
    }

    /// Removes an image that is looked at no more. Podman's layers would go with it, and later builds are to find them: there it goes in
    /// the end.
    pub fn remove_image(&self, tag: &str) {
        if !self.keep && self.docker.kind != Kind::Podman {
            self.quietly(&["image", "rm", "--force", tag]);
        }
    }

    pub fn remove_container(&self, name: &str) {
        if !self.keep {
            // With the volumes that its image asks for.
            self.quietly(&["rm", "--force", "--volumes", name]);
        }
    }

    /// What `--keep` leaves behind, as commands that remove it.
    pub fn kept(&self) -> Vec<String> {
        let name = self.docker.kind.name();
        let mut commands = vec![
            format!("{name} rm --force --volumes $({name} ps --all --quiet --filter label={})", self.label()),
            format!("{name} image rm --force $({name} image ls --quiet --filter label={})", self.label()),
        ];
        commands.extend(self.builder.borrow().iter().map(|builder| format!("{name} buildx rm {builder}")));
        commands.extend(self.folders.borrow().iter().map(|folder| format!("rm -r {}", folder.display())));
        commands
    }

    /// The ids that a command lists.
    fn listed(&self, arguments: &[&str]) -> Vec<String> {
        let filter = format!("label={}", self.label());
        let arguments = [arguments, &["--quiet", "--filter", &filter]].concat();
        let mut command = self.docker.command(&arguments);
        apart(&mut command);
        let output = command.stdin(Stdio::null()).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).split_whitespace().map(str::to_owned).collect()
    }

    /// Runs a command whose failure changes nothing.
    fn quietly(&self, arguments: &[&str]) {
        let mut command = self.docker.command(arguments);
        apart(&mut command);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = child else { return };
        let start = Instant::now();
        while child.try_wait().is_ok_and(|status| status.is_none()) {
            if start.elapsed() > PATIENCE {
                let _ = child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A second Ctrl-C must not end the removal.
fn apart(command: &mut std::process::Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        let containers = self.listed(&["ps", "--all"]);
        containers.iter().for_each(|container| self.remove_container(container));
        let mut images = self.listed(&["image", "ls"]);
        images.dedup();
        images.iter().for_each(|image| self.quietly(&["image", "rm", "--force", image]));
        self.remove_builder();
    }
}
