//! Which caches a builder writes and reads, and what becomes of its own.

use super::build::{BuildKit, state as buildkit};
use super::{Check, Needs, State, changes, many};
use crate::docker::builder::{Builder, Rule};
use crate::docker::engine::Store;
use crate::docker::machine::{Machine, Told};
use crate::docker::size;

/// What BuildKit's own default allows cache mounts, local sources and git checkouts together, in bytes.
const DEFAULT_LIMIT: u64 = 512_000_000;
/// Below this a few wheels of the larger kind fill the group.
const TIGHT: u64 = 1_000_000_000;

/// What a builder can export, as far as it tells: driver, image store of a docker driver.
enum Exports {
    All(String),
    InlineOnly(String),
    Unknown(String),
}

fn exports(machine: &Machine) -> Exports {
    let (driver, name) = match &machine.builder {
        Told::Is(builder) => (builder.driver.as_str(), builder.name.as_str()),
        // Without buildx there is the engine's own builder alone.
        Told::Absent => ("docker", "default"),
        Told::Unknown(why) => return Exports::Unknown(why.clone()),
    };
    let called = format!("builder {name}, driver {driver}");
    if driver != "docker" {
        return Exports::All(called);
    }
    match &machine.info {
        Told::Is(info) => {
            let called = format!("{called}, {} ({})", info.store.name(), info.storage);
            match info.store {
                Store::Containerd => Exports::All(called),
                Store::Graphdriver => Exports::InlineOnly(called),
            }
        }
        Told::Absent => Exports::Unknown("the image store is not told".to_owned()),
        Told::Unknown(why) => Exports::Unknown(format!("the image store is not told: {why}")),
    }
}

pub fn export(machine: &Machine, needs: &Needs) -> Check {
    let check = |state, found: String, means: String| {
        Check::new("cache-export", state, found, means).touching(needs.caches().pending)
    };
    match exports(machine) {
        Exports::All(found) => {
            let means = "`cache_to` of every type works: inline, registry, local, gha";
            check(State::Ok, found, format!("{means}: {}", many(needs.caches())))
        }
        Exports::InlineOnly(found) if needs.exports.any() => check(
            State::Problem,
            found,
            format!(
                "only `type=inline` can be written; with `type=registry` and `type=local` the build fails (\"Cache export is not supported for the docker driver\"): {}",
                many(needs.exports)
            ),
        )
        .touching(needs.exports.pending)
        .remedy("make a builder that can: `docker buildx create --name restow --driver docker-container --use`; or switch to the containerd image store (\"features\": {\"containerd-snapshotter\": true} in daemon.json); or stay with `--cache-mode inline`"),
        Exports::InlineOnly(found) => {
            check(State::Ok, found, format!("`type=inline` can be written, and nothing here asks for more: {}", many(needs.inline)))
        }
        Exports::Unknown(found) => {
            let state = if needs.caches().any() { State::Unknown } else { State::Ok };
            check(state, found, format!("which `cache_to` works can't be told: {}", many(needs.caches())))
        }
    }
}

pub fn import(machine: &Machine, needs: &Needs) -> Check {
    let (inline, imports) = (needs.inline, needs.imports);
    let check = |state, found: &str, means: String| {
        Check::new("cache-import", state, found, means).touching(inline.pending + imports)
    };
    if imports > 0 && matches!(buildkit(machine).0, BuildKit::On(_)) {
        let means = format!("`cache_from` alone is for the builder before it (mode classic): {}", changes(imports));
        return check(State::Warning, "BuildKit reads an image as cache only if the image carries a record", means)
            .remedy("choose a mode that writes what it reads: `--cache-mode inline` or `--cache-mode registry`");
    }
    let is_local_first = match exports(machine) {
        Exports::InlineOnly(_) => Some(true),
        Exports::All(_) => Some(false),
        Exports::Unknown(_) => None,
    };
    match is_local_first {
        Some(true) => check(
            State::Ok,
            "`cache_from` reads an image of this machine first, then asks its registry",
            format!("`type=inline` serves here without a push: {}", many(inline)),
        ),
        Some(false) if inline.any() => check(
            State::Warning,
            "`cache_from` asks a registry, not the images of this machine",
            format!("`type=inline` serves only images that are pushed: {}; a build without a push finds nothing, and goes on", many(inline)),
        )
        .remedy("push what is built (`docker compose build --push`), or use `--cache-mode registry`"),
        Some(false) => check(
            State::Ok,
            "`cache_from` asks a registry, not the images of this machine",
            "nothing here relies on an image of this machine".to_owned(),
        ),
        None => {
            let state = if inline.any() { State::Unknown } else { State::Ok };
            check(state, "not told", format!("where `cache_from` looks can't be told: {}", many(inline)))
        }
    }
}

/// The size of the builder's cache, and the rule that drops cache mounts.
pub fn collector(machine: &Machine, needs: &Needs) -> Check {
    let builder = machine.builder.known();
    let rule = builder.and_then(Builder::mount_rule);
    let is_off = builder.is_none_or(|builder| builder.driver == "docker")
        && machine.daemon.as_ref().is_ok_and(|file| file.collects == Some(false));
    let sizes = match machine.usage {
        Some(usage) => {
            format!("{} in all, {} of it in cache mounts", size::shown(usage.total), size::shown(usage.mounts))
        }
        None => "the size is not told".to_owned(),
    };
    let check = |state, rule: String, means: &str| {
        let found = format!("{sizes}; {rule}");
        Check::new("builder-cache", state, found, format!("{means}: {}", many(needs.mounts)))
            .touching(needs.mounts.pending)
    };
    if is_off {
        return check(
            State::Ok,
            "daemon.json switches the collector off".to_owned(),
            "cache mounts stay until they are pruned",
        );
    }
    let Some(rule) = rule else {
        let told = format!(
            "the builder tells no rule; BuildKit's default drops cache mounts unused for 48 h once they, local sources and git checkouts pass {} together",
            size::shown(DEFAULT_LIMIT)
        );
        let state = if needs.mounts.any() { State::Unknown } else { State::Ok };
        let check = check(state, told, "how long cache mounts stay can't be told");
        let is_stopped = builder.is_some_and(|builder| builder.status.as_deref() != Some("running"));
        return if is_stopped { check.remedy("start the builder: `docker buildx inspect --bootstrap`") } else { check };
    };
    let used = machine.usage.map_or(0, |usage| if rule.names_mounts() { usage.group } else { usage.total });
    let limit = rule.limit.unwrap_or(u64::MAX);
    let is_tight = limit <= TIGHT;
    let is_nearly_full = used > limit / 5 * 4;
    let means = if is_nearly_full {
        format!("{} are used already, so a mount that no build uses for that long goes", size::shown(used))
    } else if is_tight {
        "that is soon full, so a mount that no build uses for that long goes".to_owned()
    } else {
        "cache mounts have room".to_owned()
    };
    let state = State::warning_if(needs.mounts.any() && (is_tight || is_nearly_full));
    let check = check(state, words(rule), &means);
    if state == State::Warning { check.remedy(more_room(builder)) } else { check }
}

/// A rule in words.
fn words(rule: &Rule) -> String {
    let group = match (rule.names_mounts(), rule.types.len()) {
        (true, 1) => "cache mounts",
        (true, _) => "cache mounts, local sources and git checkouts",
        (false, _) => "all records, cache mounts with them (no rule names these),",
    };
    let unused = match rule.unused {
        Some(time) => format!(" unused for {} h", time.as_secs() / 3600),
        None => String::new(),
    };
    match rule.limit {
        Some(limit) => format!("{group}{unused} go once together they pass {}", size::shown(limit)),
        None => format!("{group}{unused} go"),
    }
}

fn more_room(builder: Option<&Builder>) -> &'static str {
    if builder.is_none_or(|builder| builder.driver == "docker") {
        // Measured with 28.5.2: the first rule then allows 13.8 %.
        "give the cache more room: \"builder\": {\"gc\": {\"enabled\": true, \"defaultReservedSpace\": \"100GB\"}} in daemon.json (`defaultKeepStorage` before Docker 28), and restart Docker; cache mounts get 14 % of it"
    } else {
        "make the builder anew with more room: `docker buildx create --buildkitd-config FILE --use`, with [[worker.oci.gcpolicy]], filters = [\"type==exec.cachemount\"] and reservedSpace = \"20GB\" in FILE (https://docs.docker.com/build/cache/garbage-collection/)"
    }
}
