//! Which directories the calls fill, where the table alone doesn't tell.

use crate::facts::caches::{self, Cache};
use crate::facts::cleanups::{self, Relation};
use crate::facts::managers::{Call, Manager, Verb};
use crate::facts::packages::{self, Yarn};
use crate::facts::runs::Run;
use crate::transform::DockerfileContext;

/// Stands for a cache in a home that is not known; always replaced by a place outside it.
pub(super) const HOMELESS: &str = "/nonexistent/cache";

/// A directory that the calls fill, and the verbs that do.
pub(super) struct Directory {
    pub cache: Cache,
    /// Whether every call only fetches: the layer was the cache.
    pub only_fetched: bool,
}

/// The directories of all calls, each once.
pub(super) fn directories(
    cx: &DockerfileContext<'_>,
    run: &Run,
    manager: &Manager,
    calls: &[Call],
    doubts: &mut Vec<String>,
) -> Result<Vec<Directory>, String> {
    let mut found: Vec<Directory> = Vec::new();
    let plain = match manager.id {
        "yarn" => match packages::yarn(cx.facts, run, cx.context) {
            Yarn::Classic => None,
            Yarn::Unknown => return Err(
                "nothing tells whether this is yarn 1 or a later one, and they keep their caches in different places"
                    .to_owned(),
            ),
            Yarn::Berry { major, settings } => {
                doubts.push("yarn 2 and later was read in its documentation and not yet built".to_owned());
                Some(berry_cache(run, major, &settings)?)
            }
        },
        "dnf" => Some(dnf_cache(cx, run, calls)?),
        "apt" => {
            let archives = Cache { path: apt_archives(run), private: apt_archives(run), store: false };
            // Any mount of apt's own archive directory is the author's way to the same end.
            let own = run.mounts.iter().any(|mount| mount.is_cache() && mount.covers("/var/cache/apt/archives"));
            if own {
                return Ok(vec![Directory {
                    cache: Cache { path: "/var/cache/apt/archives".to_owned(), private: String::new(), store: false },
                    only_fetched: false,
                }]);
            }
            Some(archives)
        }
        _ => None,
    };
    if let Some(cache) = plain {
        return Ok(vec![Directory { cache, only_fetched: false }]);
    }
    if manager.id == "pnpm" {
        match packages::pnpm_major(cx.facts, cx.context) {
            Some(7..=10) => {}
            Some(major) => doubts.push(format!("pnpm {major} may keep its store elsewhere")),
            None => doubts.push(
                "the version of pnpm, and so the place of its store, is not told by packageManager or its installation"
                    .to_owned(),
            ),
        }
        let global = packages::setting(cx.facts, cx.context, "pnpm-workspace.yaml", &["enableGlobalVirtualStore"])
            .or_else(|| packages::setting(cx.facts, cx.context, ".npmrc", &["enable-global-virtual-store"]));
        if let Some(place) = global {
            return Err(format!("{place}: node_modules would link into the mount"));
        }
    }
    let linked = run.text.text.contains("link-mode") || run.text.text.contains("UV_LINK_MODE");
    if manager.id == "uv" && linked && run.text.text.contains("symlink") {
        return Err("uv is told to link the environment into its cache (symlink)".to_owned());
    }
    if manager.id == "uv" && run.state.env.known("UV_LINK_MODE").as_deref() == Some("symlink") {
        return Err("UV_LINK_MODE=symlink links the environment into the cache".to_owned());
    }
    if manager.id == "composer"
        && run.state.env.get("COMPOSER_HOME").is_none()
        && run.state.env.get("COMPOSER_CACHE_DIR").is_none()
    {
        if calls.iter().any(|call| call.verb_text.starts_with("global")) {
            return Err("a mount in ~/.composer would move the place of composer's global packages; set COMPOSER_HOME"
                .to_owned());
        }
        doubts.push("neither COMPOSER_HOME nor COMPOSER_CACHE_DIR is set, so composer chooses its cache by what it finds in the home".to_owned());
    }
    for call in calls {
        let caches = match caches::caches(run, call) {
            // A user without a known home: the manager's own flag says where, so the home does not matter.
            Err(_)
                if manager.directory_flag.is_some()
                    && run.state.user.as_ref().is_some_and(|user| !user.is_root() && user.home.is_none())
                    && run.state.env.get("HOME").is_none() =>
            {
                vec![Cache { path: HOMELESS.to_owned(), private: HOMELESS.to_owned(), store: false }]
            }
            found => found?,
        };
        for cache in caches {
            let fetches = call.verb == Verb::Fetch;
            match found.iter_mut().find(|known| known.cache == cache) {
                Some(known) => known.only_fetched &= fetches,
                None => found.push(Directory { cache, only_fetched: fetches }),
            }
        }
    }
    if manager.id == "go"
        && (all_vendored(run, calls)
            || run.state.env.known("GOFLAGS").is_some_and(|flags| flags.contains("-mod=vendor")))
    {
        found.retain(|directory| !directory.cache.store);
    }
    Ok(found)
}

pub(super) fn all_vendored(run: &Run, calls: &[Call]) -> bool {
    calls.iter().all(|call| run.commands()[call.command].words.iter().any(|word| word.raw == "-mod=vendor"))
}

pub(super) fn berry_cache(run: &Run, major: Option<u32>, settings: &str) -> Result<Cache, String> {
    let line = |key: &str| {
        settings.lines().find_map(|line| {
            line.trim()
                .strip_prefix(key)
                .and_then(|rest| rest.trim_start().strip_prefix(':'))
                .map(|value| value.trim().to_owned())
        })
    };
    match line("nodeLinker").as_deref() {
        Some("node-modules" | "pnpm") => {}
        _ => {
            return Err(
                "yarn 2 and later runs from its cache (Plug'n'Play) unless .yarnrc.yml says nodeLinker: node-modules"
                    .to_owned(),
            );
        }
    }
    let global = match line("enableGlobalCache").as_deref() {
        Some("true") => true,
        Some(_) => false,
        None => major.is_some_and(|major| major >= 4),
    };
    if !global
        || line("cacheFolder").is_some()
        || line("globalFolder").is_some()
        || run.state.env.get("YARN_GLOBAL_FOLDER").is_some()
    {
        return Err(
            "yarn keeps its cache inside the project (enableGlobalCache) or in a folder of its own choice".to_owned()
        );
    }
    let home = run.state.home().ok_or("the home of the user that runs yarn can't be told from the file")?;
    let path = format!("{}/.yarn/berry/cache", home.trim_end_matches('/'));
    Ok(Cache { private: path.clone(), path, store: false })
}

pub(super) fn dnf_cache(cx: &DockerfileContext<'_>, run: &Run, calls: &[Call]) -> Result<Cache, String> {
    use crate::facts::bases::Family;
    let unknown = || {
        "the base image's tag doesn't tell whether dnf 4 or 5 runs, and they keep their caches in different places"
            .to_owned()
    };
    if run.commands()[calls[0].command].name() == Some("microdnf") {
        return Err("microdnf keeps its cache in different places in its releases".to_owned());
    }
    let distribution = cx
        .facts
        .image(run.stage)
        .and_then(|image| image.known.as_ref())
        .and_then(|known| known.distribution.as_ref())
        .ok_or_else(unknown)?;
    let number: Option<u32> = distribution
        .release
        .as_deref()
        .map(|release| release.trim_start_matches("stream"))
        .and_then(|release| release.split('.').next()?.parse().ok());
    let path = match (distribution.family, number) {
        (Family::Fedora, Some(41..) | None) => "/var/cache/libdnf5",
        (Family::Fedora, Some(_)) => "/var/cache/dnf",
        (Family::RedHat, Some(..=7)) => "/var/cache/yum",
        (Family::RedHat, Some(8..=10)) => "/var/cache/dnf",
        (Family::Amazon, Some(2023)) => "/var/cache/dnf",
        (Family::Amazon, Some(_)) => "/var/cache/yum",
        _ => return Err(unknown()),
    };
    Ok(Cache { path: path.to_owned(), private: path.to_owned(), store: false })
}

/// A directory for archives beneath nothing that the RUN removes.
pub(super) fn apt_archives(run: &Run) -> String {
    let removed = cleanups::removed(run);
    let free = |candidate: &&&str| removed.iter().all(|removed| removed.relation(candidate) == Relation::Apart);
    let candidates = ["/var/cache/apt-archives", "/var/apt-archives", "/opt/apt-archives"];
    (*candidates.iter().find(free).unwrap_or(&candidates[0])).to_owned()
}
