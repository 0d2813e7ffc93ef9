//! What only apt, apk and dnf need beside the mount.

use super::site::Mounted;
use crate::facts::cleanups::Removed;
use crate::facts::managers::{Call, Manager};
use crate::facts::readers;
use crate::facts::runs::Run;
use crate::transform::DockerfileContext;

/// Words that one manager's commands need to use the mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Special {
    None,
    /// The archive directory; whether `apt` itself is called and must be told to keep what it installed.
    Apt {
        archives: String,
        keep: bool,
    },
    /// `apk update` in front of the first `apk add`.
    Apk {
        update: bool,
    },
    /// `--setopt=keepcache=1`.
    KeepPackages,
}

pub(super) fn special(
    cx: &DockerfileContext<'_>,
    run: &Run,
    manager: &Manager,
    calls: &[Call],
    accepted: &[(Mounted, Vec<Removed>)],
) -> Result<Special, String> {
    match manager.id {
        "apt" => {
            let archives = accepted[0].0.target.clone();
            let mut keep = false;
            for call in calls {
                let command = &run.commands()[call.command];
                let raws = || command.words.iter().map(|word| word.raw.as_str());
                if raws().any(|raw| {
                    raw.to_ascii_lowercase().contains("dir::cache")
                        || raw.to_ascii_lowercase().contains("rootdir")
                        || matches!(raw, "-c" | "--config-file")
                        || raw.starts_with("--config-file=")
                        || matches!(raw, "-d" | "--download-only" | "--print-uris")
                }) {
                    return Err("it handles downloaded packages itself".to_owned());
                }
                if command.name() == Some("apt") {
                    keep = true;
                    if run.state.env.get("APT_CONFIG").is_some() || run.text.text.contains("APT_CONFIG") {
                        return Err("`apt` deletes what it has installed, and APT_CONFIG, which could tell it not to, is in use; use apt-get".to_owned());
                    }
                    if command.form != crate::shell::Form::Shell
                        || command.nested
                        || command.run_as != crate::shell::RunAs::Same
                    {
                        return Err("`apt` deletes what it has installed, and behind sudo or in a quoted script it can't be told not to; use apt-get".to_owned());
                    }
                }
            }
            let uses_archives = run.commands().iter().any(|command| {
                command.name() != Some("rm")
                    && command.words.iter().any(|word| word.raw.contains("/var/cache/apt/archives"))
            });
            if uses_archives {
                return Err("it handles downloaded packages in /var/cache/apt/archives itself".to_owned());
            }
            let home = None;
            if let Some(reader) = readers::named_later(cx.facts, run, "/var/cache/apt/archives", home)
                .or_else(|| readers::seeded(cx.facts, run.stage, "/var/cache/apt/archives", home))
            {
                return Err(format!("line {} {}", reader.line, reader.what));
            }
            Ok(Special::Apt { archives, keep })
        }
        "apk" => {
            let first = &run.commands()[calls[0].command];
            let script = run.script().map_err(ToString::to_string)?;
            let updates =
                first.words.iter().any(|word| matches!(word.raw.as_str(), "-U" | "--update" | "--update-cache"))
                    || run.commands()[..calls[0].command].iter().any(|command| {
                        command.name() == Some("apk") && command.words.iter().any(|word| word.raw == "update")
                    });
            if run
                .commands()
                .iter()
                .any(|command| command.name() == Some("apk") && command.words.iter().any(|word| word.raw == "--purge"))
            {
                return Err("`apk del --purge` may delete packages from the cache".to_owned());
            }
            if !updates && (first.run_as != crate::shell::RunAs::Same || !script.takes_command_before(first)) {
                return Err(
                    "the index must be updated in front of `apk add`, and there is no sure place for it".to_owned()
                );
            }
            Ok(Special::Apk { update: !updates })
        }
        "dnf" if cx.project.settings.keep_packages => Ok(Special::KeepPackages),
        _ => Ok(Special::None),
    }
}

/// What makes apt's mount a matter of review.
pub(super) fn apt_doubts(cx: &DockerfileContext<'_>, run: &Run) -> Option<String> {
    let chain = cx.facts.ancestors(run.stage);
    let touched = cx.facts.runs.iter().find(|other| {
        chain.contains(&other.stage)
            && other.instruction <= run.instruction
            && (other.text.text.contains("docker-clean") || other.text.text.contains("apt.conf.d"))
    });
    if let Some(other) = touched {
        let line = cx.facts.line(other.instruction);
        return Some(format!(
            "line {line} changes apt's configuration, so packages may be kept in the image on purpose"
        ));
    }
    let known = cx.facts.image(run.stage).and_then(|image| image.known.as_ref());
    known
        .filter(|known| !known.docker_clean)
        .map(|_| "the base image is not known to delete downloaded packages (docker-clean)".to_owned())
}
