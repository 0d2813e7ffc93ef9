//! What daemon.json and the environment change.

use super::{Check, State};
use crate::docker::daemon_file::{DaemonFile, Unread};
use crate::docker::engine::Store;
use crate::docker::machine::Machine;

pub fn daemon_file(machine: &Machine) -> Check {
    let check = |state, found: String, means: &str| Check::new("daemon-json", state, found, means);
    let Some(path) = &machine.daemon_path else {
        let found = "not looked for: the engine is not one of Docker on this machine".to_owned();
        return check(State::Ok, found, "what it sets is seen only in what the engine answers");
    };
    let path = path.display();
    match &machine.daemon {
        Ok(file) => settings(file, machine, &path.to_string()),
        Err(why @ Unread::Missing) => {
            check(State::Ok, format!("{path} {why}"), "the engine has its defaults, unless it was started with others")
        }
        Err(why @ Unread::Unreadable(_)) => {
            check(State::Unknown, format!("{path} {why}"), "what it sets is seen only in what the engine answers")
                .remedy(format!("read it: `sudo cat {path}`"))
        }
        Err(why @ Unread::Invalid(_)) => {
            check(State::Warning, format!("{path} {why}"), "the engine will not start with it again")
                .remedy(format!("mend it: `dockerd --validate --config-file {path}` says what is wrong"))
        }
    }
}

fn settings(file: &DaemonFile, machine: &Machine, path: &str) -> Check {
    let mut set = Vec::new();
    let flag = |name: &str, value: Option<bool>| value.map(|value| format!("{name} {value}"));
    set.extend(flag("features.buildkit", file.buildkit));
    set.extend(flag("features.containerd-snapshotter", file.containerd));
    set.extend(flag("builder.gc.enabled", file.collects));
    set.extend(file.has_rules.then(|| "limits or rules in builder.gc".to_owned()));
    let found =
        if set.is_empty() { format!("{path} sets nothing for builds") } else { format!("{path}: {}", set.join(", ")) };
    let store = machine.info.known().map(|info| info.store);
    let is_new = machine.client.as_ref().is_some_and(|client| client.is_at_least(23, 0, 0));
    if file.containerd.is_some() && store.is_some() && file.containerd != store.map(|store| store == Store::Containerd)
    {
        let means =
            "the engine still has the other image store: it was not restarted, or it was started with other settings";
        return Check::new("daemon-json", State::Warning, found, means)
            .remedy("restart it: `sudo systemctl restart docker`");
    }
    if file.buildkit == Some(false) {
        let means = if is_new {
            "clients from Docker 23 on do not look at features.buildkit; older ones build without BuildKit, and RUN --mount fails"
        } else {
            "without DOCKER_BUILDKIT=1 this client builds without BuildKit; see buildkit"
        };
        return Check::new("daemon-json", State::Warning, found, means).remedy(format!(
            "take \"buildkit\": false out of {path}, and restart Docker: `sudo systemctl restart docker`"
        ));
    }
    Check::new("daemon-json", State::Ok, found, "nothing in it keeps a change from working")
}

/// What the variables mean, in the order in which they are shown.
const MEANING: [(&str, &str); 8] = [
    ("DOCKER_BUILDKIT", "see buildkit"),
    ("COMPOSE_DOCKER_CLI_BUILD", "only docker-compose 1 looks at it; see compose"),
    ("BUILDKIT_PROGRESS", "how builds print; `plain` shows each CACHED step, `quiet` shows none"),
    ("DOCKER_HOST", "cache mounts lie with the engine that it names"),
    ("DOCKER_CONTEXT", "cache mounts lie with the engine of that context, unless DOCKER_HOST names another"),
    ("BUILDX_BUILDER", "`docker build` uses that builder too, and cache mounts lie with it"),
    ("BUILDKIT_HOST", "docker does not look at it, only buildctl and nerdctl do"),
    ("COMPOSE_BAKE", "Compose 2.33 to 2.40 builds with or without bake by it; the changes work either way"),
];

pub fn environment(machine: &Machine) -> Check {
    let set = || MEANING.iter().filter_map(|(name, means)| Some((name, machine.variable(name)?, means)));
    if set().count() == 0 {
        let names = "DOCKER_BUILDKIT, COMPOSE_DOCKER_CLI_BUILD and BUILDKIT_PROGRESS are not set, nor what chooses another engine or builder";
        return Check::new("environment", State::Ok, names, "builds run as the programs are set up");
    }
    let found: Vec<String> = set().map(|(name, value, _)| format!("{name}={value}")).collect();
    let means: Vec<String> = set().map(|(name, _, means)| format!("{name}: {means}")).collect();
    Check::new("environment", State::Ok, found.join(" "), means.join("; "))
}
