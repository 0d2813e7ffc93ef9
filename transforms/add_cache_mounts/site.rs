//! One RUN and one package manager: everything that speaks against a mount, and what the mount is.

use crate::config::Ids;
use crate::dockerfile::Instruction;
use crate::facts::caches::{self, Account, Cache, account};
use crate::facts::cleanups::{self, Relation, Removed};
use crate::facts::defeats::{self, Defeat};
use crate::facts::images;
use crate::facts::managers::{Call, EnvOverride, Manager, Sharing, Verb};
use crate::facts::packages::{self, Yarn};
use crate::facts::readers::{self, Start};
use crate::facts::runs::{Run, Unreadable, is_within};
use crate::facts::stages::ArgumentIn;
use crate::project::{self, Builder};
use crate::transform::{DockerfileContext, Level};

/// Folders that exist in every image and that everybody may enter.
const COMMON_FOLDERS: [&str; 8] = ["/", "/opt", "/var", "/var/cache", "/srv", "/mnt", "/tmp", "/var/lib"];
/// Stands for a cache in a home that is not known; always replaced by a place outside it.
const HOMELESS: &str = "/nonexistent/cache";
/// C toolchains and headers: with them, cached objects may depend on system headers that changed.
const C_PACKAGES: [&str; 8] = ["-dev", "-devel", "build-essential", "build-base", "gcc", "g++", "musl-dev", "clang"];

/// A RUN that gets mounts for one manager.
pub(super) struct Site<'a> {
    pub run: &'a Run,
    pub instruction: &'a Instruction,
    pub manager: &'static Manager,
    pub calls: Vec<Call>,
    /// The mounts of one level; a manager may have a safe one and one for review.
    pub mounts: Vec<Mounted>,
    pub level: Level,
    /// Why it is not safe, for the reason.
    pub doubts: Vec<String>,
    /// Clean-ups that would fail on the mount.
    pub failing: Vec<Removed>,
    /// `--cache-dir=DIR` for every call.
    pub directory_flag: Option<String>,
    /// What only apt, apk and dnf need.
    pub special: Special,
}

pub(super) struct Mounted {
    pub target: String,
    pub flag: String,
    /// Why this one is not safe.
    pub doubts: Vec<String>,
}

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

/// What came of looking at a RUN for one manager.
pub(super) struct Verdict<'a> {
    pub sites: Vec<Site<'a>>,
    /// Reasons to leave the RUN, or one of the manager's directories, alone.
    pub refusals: Vec<String>,
}

impl<'a> Site<'a> {
    /// Looks at `calls`, all of `manager` and all in `run`.
    pub fn find(cx: &DockerfileContext<'a>, run: &'a Run, manager: &'static Manager, calls: Vec<Call>) -> Verdict<'a> {
        match Self::weigh(cx, run, manager, calls) {
            Ok(verdict) => verdict,
            Err(refusal) => Verdict { sites: Vec::new(), refusals: vec![refusal] },
        }
    }

    fn weigh(
        cx: &DockerfileContext<'a>,
        run: &'a Run,
        manager: &'static Manager,
        calls: Vec<Call>,
    ) -> Result<Verdict<'a>, String> {
        let facts = cx.facts;
        let who = accounts(run, &calls)?;
        let mut doubts = doubts_of_base(cx, run, who);
        doubts.extend(manager.review.map(str::to_owned));
        if manager.id == "dnf" && !cx.project.settings.keep_packages {
            doubts.push("packages are downloaded all the same, since dnf deletes what it has installed (cache.keep-packages in restow.toml tells it not to)".to_owned());
        }
        let directories = directories(cx, run, manager, &calls, &mut doubts)?;
        let uncovered: Vec<&Directory> = directories
            .iter()
            .filter(|dir| !run.mounts.iter().any(|mount| mount.is_cache() && mount.covers(&dir.cache.path)))
            .collect();
        if uncovered.is_empty() {
            covered_but_useless(cx, run, manager)?;
            return Ok(Verdict { sites: Vec::new(), refusals: Vec::new() });
        }
        refuse_builder(cx)?;
        refuse_syntax(cx)?;
        if manager.system && who != Account::Root && who != Account::Unknown {
            return Err(format!("{} runs as a user other than root here", manager.id));
        }
        if let Some(reader) = readers::offline(facts, run, manager) {
            return Err(format!("line {} {}", reader.line, reader.what));
        }
        refuse_distribution(cx, run, manager)?;
        if manager.id == "pip"
            && calls.iter().all(|call| run.commands()[call.command].words.iter().any(|word| word.raw == "--no-index"))
        {
            return Err("it downloads nothing (--no-index)".to_owned());
        }
        moved_by_commands(cx, run, manager)?;
        moved_by_files(cx, run, manager)?;

        let mut verdict = Verdict { sites: Vec::new(), refusals: Vec::new() };
        let mut accepted: Vec<(Mounted, Vec<Removed>)> = Vec::new();
        let mut directory_flag = None;
        let removed = cleanups::removed(run);
        for directory in uncovered {
            match place(cx, run, manager, &calls, directory, who, &removed) {
                Ok(placed) => {
                    directory_flag = placed.directory_flag.or(directory_flag);
                    accepted.push((placed.mounted, placed.failing));
                }
                Err(refusal) => verdict.refusals.push(refusal),
            }
        }
        if accepted.is_empty() {
            return Ok(verdict);
        }
        let cached: Vec<Cache> = accepted
            .iter()
            .map(|(mounted, _)| Cache { path: mounted.target.clone(), private: mounted.target.clone(), store: false })
            .collect();
        for defeat in defeats::defeats(run, manager, &cached)? {
            if let Some(doubt) = hard_defeat(cx, run, &defeat)? {
                doubts.push(doubt);
            }
        }
        let special = special(cx, run, manager, &calls, &accepted)?;
        if let Special::Apt { .. } = special {
            doubts.extend(apt_doubts(cx, run));
        }
        // One change for what is safe, another for what needs a look.
        let (safe, review): (Vec<_>, Vec<_>) =
            accepted.into_iter().partition(|(mounted, _)| doubts.is_empty() && mounted.doubts.is_empty());
        for (level, part) in [(Level::Safe, safe), (Level::Review, review)] {
            if part.is_empty() {
                continue;
            }
            let (mounts, failing): (Vec<Mounted>, Vec<Vec<Removed>>) = part.into_iter().unzip();
            let mut why = doubts.clone();
            why.extend(mounts.iter().flat_map(|mounted| mounted.doubts.iter().cloned()));
            let mut seen = Vec::new();
            why.retain(|doubt| {
                !seen.contains(doubt) && {
                    seen.push(doubt.clone());
                    true
                }
            });
            let mut failing: Vec<Removed> = failing.into_iter().flatten().collect();
            failing.dedup();
            verdict.sites.push(Site {
                run,
                instruction: &facts.file.instructions[run.instruction],
                manager,
                calls: calls.clone(),
                mounts,
                level,
                doubts: why,
                failing,
                directory_flag: directory_flag.clone(),
                special: special.clone(),
            });
        }
        Ok(verdict)
    }
}

/// A directory that the calls fill, and the verbs that do.
struct Directory {
    cache: Cache,
    /// Whether every call only fetches: the layer was the cache.
    only_fetched: bool,
}

struct Placed {
    mounted: Mounted,
    failing: Vec<Removed>,
    directory_flag: Option<String>,
}

/// As whom all the calls run.
fn accounts(run: &Run, calls: &[Call]) -> Result<Account, String> {
    let who: Vec<Account> = calls.iter().map(|call| account(run, &run.commands()[call.command])).collect();
    if who.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("it runs as different users in this RUN".to_owned());
    }
    Ok(who[0])
}

fn doubts_of_base(cx: &DockerfileContext<'_>, run: &Run, who: Account) -> Vec<String> {
    let Some(image) = cx.facts.image(run.stage) else {
        return vec!["the stage starts from scratch, so nothing is known of it".to_owned()];
    };
    if image.known.is_none() {
        return vec![format!(
            "the base image {} is not known to restow (add it as [[base]] in restow.toml)",
            image.reference
        )];
    }
    if image.argument == ArgumentIn::Name {
        return vec!["a build argument can replace the base image".to_owned()];
    }
    if who == Account::Unknown || run.state.env.open {
        return vec![format!(
            "the default user and environment of {} are not the same for all its tags",
            image.reference
        )];
    }
    Vec::new()
}

/// The directories of all calls, each once.
fn directories(
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

fn all_vendored(run: &Run, calls: &[Call]) -> bool {
    calls.iter().all(|call| run.commands()[call.command].words.iter().any(|word| word.raw == "-mod=vendor"))
}

fn berry_cache(run: &Run, major: Option<u32>, settings: &str) -> Result<Cache, String> {
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

fn dnf_cache(cx: &DockerfileContext<'_>, run: &Run, calls: &[Call]) -> Result<Cache, String> {
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
fn apt_archives(run: &Run) -> String {
    let removed = cleanups::removed(run);
    let free = |candidate: &&&str| removed.iter().all(|removed| removed.relation(candidate) == Relation::Apart);
    let candidates = ["/var/cache/apt-archives", "/var/apt-archives", "/opt/apt-archives"];
    (*candidates.iter().find(free).unwrap_or(&candidates[0])).to_owned()
}

/// A mount of the author's that keeps nothing: said, not mended.
fn covered_but_useless(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
    if manager.id != "apt"
        || run
            .mounts
            .iter()
            .any(|mount| mount.covers("/var/cache/apt-archives") && !mount.covers("/var/cache/apt/archives"))
    {
        return Ok(());
    }
    let chain = cx.facts.ancestors(run.stage);
    let touched = cx.facts.runs.iter().any(|other| {
        chain.contains(&other.stage) && other.instruction <= run.instruction && other.text.text.contains("docker-clean")
    });
    let clean =
        cx.facts.image(run.stage).and_then(|image| image.known.as_ref()).is_some_and(|known| known.docker_clean);
    if clean && !touched && !run.text.text.contains("Dir::Cache") {
        return Err("its mount on /var/cache/apt keeps no packages, because docker-clean of the base image deletes them; remove that file first, or this mount for restow to write its own".to_owned());
    }
    Ok(())
}

fn refuse_builder(cx: &DockerfileContext<'_>) -> Result<(), String> {
    let Some(reason) = cx.project.builder_reason() else { return Ok(()) };
    match cx.project.builder() {
        Builder::Classic => Err(format!("{reason}, which fails on --mount")),
        Builder::Kaniko => Err(format!("{reason}, which ignores --mount, so that the cache would land in the layer")),
        Builder::Railway if cx.project.settings.id_prefix.is_empty() => Err(format!(
            "{reason}, which refuses a cache mount without the service's id; set cache.id-prefix = \"s/<service id>-\""
        )),
        Builder::Buildkit | Builder::Podman | Builder::Railway => Ok(()),
    }
}

/// A frontend pinned to a version before 1.2 has no cache mounts, an experimental one may differ.
fn refuse_syntax(cx: &DockerfileContext<'_>) -> Result<(), String> {
    let Some(directive) = cx.facts.file.directives.iter().find(|directive| directive.key == "syntax") else {
        return Ok(());
    };
    let image = directive.value.split_whitespace().next().unwrap_or("");
    let name = image.trim_start_matches("docker.io/").split('@').next().unwrap_or(image);
    let (repository, tag) = name.split_once(':').unwrap_or((name, "latest"));
    if !matches!(repository, "docker/dockerfile" | "docker/dockerfile-upstream") {
        return Err(format!("# syntax={} is a frontend of its own, and what it takes is not known", directive.value));
    }
    let version = tag.split('-').next().unwrap_or(tag);
    let mut numbers = version.split('.').map(|part| part.parse::<u32>());
    let old = match (numbers.next(), numbers.next()) {
        (Some(Ok(0)), _) => true,
        (Some(Ok(1)), Some(Ok(minor))) => minor < 2,
        _ => false,
    };
    if old || tag.contains("experimental") {
        return Err(format!("# syntax={} is older than cache mounts (1.2) or experimental", directive.value));
    }
    Ok(())
}

/// A system package manager that the base image, as far as its tag tells, doesn't have.
fn refuse_distribution(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
    use crate::facts::bases::Family;
    let known = cx.facts.image(run.stage).and_then(|image| image.known.as_ref());
    let Some(distribution) = known.and_then(|known| known.distribution.as_ref()) else { return Ok(()) };
    let fits = match manager.id {
        "apt" => matches!(distribution.family, Family::Debian | Family::Ubuntu),
        "apk" => distribution.family == Family::Alpine,
        "dnf" => matches!(distribution.family, Family::Fedora | Family::RedHat | Family::Amazon | Family::AzureLinux),
        "zypper" => distribution.family == Family::Suse,
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("the base image is {}, which has no {}", distribution.family.name(), manager.id))
    }
}

/// An earlier command of the stage that moves the cache for good.
fn moved_by_commands(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
    let chain = cx.facts.ancestors(run.stage);
    for other in
        cx.facts.runs.iter().filter(|other| chain.contains(&other.stage) && other.instruction <= run.instruction)
    {
        for command in other.commands() {
            let is_manager = command.name().is_some_and(|name| manager.is_program(name))
                || command.words.iter().any(|word| manager.modules.contains(&word.raw.as_str()));
            if !is_manager {
                continue;
            }
            let said: Vec<&str> = command.words.iter().map(|word| word.raw.as_str()).collect();
            let said = format!(" {} ", said.join(" ").replace('=', " "));
            if let Some(words) = manager.config_commands.iter().find(|words| said.contains(&format!(" {words} "))) {
                let line = cx.facts.line(other.instruction);
                return Err(format!(
                    "line {line} sets `{} {words}`, which may move or switch off the cache",
                    manager.id
                ));
            }
        }
    }
    Ok(())
}

fn moved_by_files(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
    for (name, keys) in manager.config_files {
        if let Some(place) = packages::setting(cx.facts, cx.context, name, keys) {
            return Err(format!("{place}, which may move or switch off the {} cache", manager.id));
        }
        let chain = cx.facts.ancestors(run.stage);
        let written =
            cx.facts.runs.iter().filter(|other| chain.contains(&other.stage) && other.instruction <= run.instruction);
        let sets = |text: &str| {
            text.contains(name)
                && keys.iter().any(|key| {
                    text.contains(&format!("{key}="))
                        || text.contains(&format!("{key} ="))
                        || text.contains(&format!("{key}:"))
                })
        };
        if let Some(other) = written.clone().find(|other| sets(&other.text.text)) {
            let line = cx.facts.line(other.instruction);
            return Err(format!("line {line} writes {name}, which may move or switch off the {} cache", manager.id));
        }
        // A configuration that is copied but can't be read proves nothing.
        if !cx.context.is_known()
            && cx.facts.text.contains(name)
            && *name != "pyproject.toml"
            && *name != "composer.json"
        {
            return Err(format!("{name} is named and can't be read here; it may move the {} cache", manager.id));
        }
    }
    Ok(())
}

/// Where one directory is mounted, and how sure that is.
fn place(
    cx: &DockerfileContext<'_>,
    run: &Run,
    manager: &'static Manager,
    calls: &[Call],
    directory: &Directory,
    who: Account,
    removed: &[Removed],
) -> Result<Placed, String> {
    let facts = cx.facts;
    let mut doubts = Vec::new();
    let mut target = directory.cache.path.clone();
    let mut private = directory.cache.private.clone();
    let mut owner = String::new();
    let mut directory_flag = None;
    let relocate = |target: &mut String, private: &mut String| -> Option<String> {
        let flag = manager.directory_flag?;
        let candidates = [format!("/var/cache/{}", manager.id), format!("/opt/cache/{}", manager.id)];
        let free = candidates
            .into_iter()
            .find(|candidate| removed.iter().all(|removed| removed.relation(candidate) == Relation::Apart))?;
        let given =
            calls.iter().any(|call| run.commands()[call.command].words.iter().any(|word| word.raw.starts_with(flag)));
        if given {
            return None;
        }
        target.clone_from(&free);
        private.clone_from(&free);
        Some(format!("{flag}={free}"))
    };
    if let Account::User { uid, gid } = who {
        let name = run.state.user.as_ref().map_or("another user", |user| user.name.as_str());
        let Some(uid) = uid else {
            return Err(format!(
                "it runs as {name}, whose uid the file doesn't tell, so a mount would belong to root and stay unused"
            ));
        };
        if cx.project.builder() == Builder::Podman {
            return Err(format!("it runs as {name}, and podman makes the folders above a mount private to root"));
        }
        owner = format!(",uid={uid},gid={}", gid.unwrap_or(uid));
        let parent = target.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = if parent.is_empty() { "/".to_owned() } else { parent.to_owned() };
        let by_image =
            cx.facts.image(run.stage).and_then(|image| image.known.as_ref()).and_then(|known| known.env.as_ref());
        let in_image = by_image.is_some_and(|env| env.iter().any(|(_, value)| *value == parent));
        let at_home = run.state.home().as_deref().map(|home| home.trim_end_matches('/')) == Some(parent.as_str());
        if !at_home && !in_image && !COMMON_FOLDERS.contains(&parent.as_str()) {
            directory_flag = relocate(&mut target, &mut private);
            if directory_flag.is_none() {
                return Err(format!(
                    "it runs as {name}, and a mount at {target} would make {parent} belong to root during the RUN"
                ));
            }
        }
    }
    let fails = |removed: &Removed, target: &str, private: &str| match removed.relation(target) {
        Relation::Itself => Some(true),
        // Above the directory, but within what is the manager's own.
        Relation::Above => Some(
            removed.relation(private) == Relation::Itself && private != target
                || removed.path.as_deref().is_some_and(|path| is_within(path, private) && !path.contains('*')),
        ),
        Relation::Apart | Relation::Inside => None,
    };
    let above = removed.iter().any(|removed| {
        fails(removed, &target, &private) == Some(false)
            || fails(removed, &target, &private) == Some(true) && !removed.editable
    });
    if above && directory_flag.is_none() {
        directory_flag = relocate(&mut target, &mut private);
        if directory_flag.is_none() {
            let what =
                removed.iter().find(|removed| matches!(removed.relation(&target), Relation::Itself | Relation::Above));
            let raw = what.map_or("", |removed| removed.raw.as_str());
            return Err(format!(
                "the RUN removes {raw}, which fails on a mount at {target} or beneath it, and more than the cache may lie there"
            ));
        }
    }
    let home = run.state.home();
    let kept: Vec<&str> = COMMON_FOLDERS
        .iter()
        .copied()
        .chain(["/usr", "/usr/local", "/root", "/home", "/etc"])
        .chain(home.as_deref())
        .collect();
    // Also where the mount is moved: what these commands touch was made by the cache that moves away.
    let touched = [target.as_str(), directory.cache.path.as_str()];
    if let Some(said) = touched.iter().find_map(|place| cleanups::disturbs(run, place, &kept)) {
        return Err(format!(
            "`{said}` in the same RUN touches {target} or a folder above it, which a mount would change"
        ));
    }
    if directory_flag.is_some() {
        let strict = removed
            .iter()
            .find(|removed| !removed.forced && removed.relation(&directory.cache.path) != Relation::Apart);
        if let Some(strict) = strict {
            return Err(format!(
                "the RUN removes {} without -f, which fails once the cache is mounted elsewhere",
                strict.raw
            ));
        }
    }
    let understood: Vec<usize> =
        run.calls().iter().filter(|call| call.manager.id == manager.id).map(|call| call.command).collect();
    if let Some(word) = cleanups::names(run, &target, &understood) {
        return Err(format!("the RUN names {word} in a way that is not understood"));
    }
    let failing: Vec<Removed> =
        removed.iter().filter(|removed| fails(removed, &target, &private) == Some(true)).cloned().collect();
    for removed in &failing {
        let command = &run.commands()[removed.command];
        let others: Vec<&str> = command
            .arguments()
            .iter()
            .filter(|word| !word.raw.starts_with('-') && word.raw != removed.raw)
            .map(|word| word.raw.as_str())
            .collect();
        let kept_is_cleanup = cleanups::is_cache_path(others.first().unwrap_or(&removed.raw.as_str()));
        if command.form == crate::shell::Form::Exec || !kept_is_cleanup {
            let with = if others.is_empty() { String::new() } else { format!(" together with {}", others.join(" ")) };
            return Err(format!("`rm` removes {}{with}, and would fail on the mount", removed.raw));
        }
    }
    if let Some(mount) = run.mounts.iter().find(|mount| {
        mount
            .target
            .as_deref()
            .is_none_or(|other| is_within(other, &target) || is_within(&target, other) && !mount.is_cache())
    }) {
        return Err(format!(
            "a mount at {} overlaps {target}",
            mount.target.as_deref().unwrap_or("a path that can't be told")
        ));
    }
    let own_place = directory_flag.is_some() || manager.id == "apt" || manager.id == "apk";
    if !own_place {
        if let Some(reader) = readers::copied(facts, run.stage, &target) {
            return Err(format!("line {} {}, and {target} with it", reader.line, reader.what));
        }
        if let Some(reader) = readers::seeded(facts, run.stage, &target, home.as_deref()) {
            return Err(format!("line {} {}", reader.line, reader.what));
        }
        if let Some(reader) = readers::named_later(facts, run, &target, home.as_deref()) {
            return Err(format!("line {} {}, which a mount would leave empty", reader.line, reader.what));
        }
        let runners: &[&str] = match manager.id {
            "npm" => &["npx"],
            "uv" => &["uvx"],
            _ => &[],
        };
        if let Some(reader) = readers::starts_with(facts, run.stage, runners) {
            return Err(format!("line {} {}, and what it needs would not be in the image", reader.line, reader.what));
        }
        if let Some(script) = scripts(run) {
            doubts.push(format!(
                "`{script}` in the same RUN can't be seen through, and fails if it removes the mounted directory"
            ));
        }
    }
    if let Some(unknown) = removed.iter().find(|removed| removed.is_unknown(run)) {
        doubts.push(format!("nothing tells what `rm {}` removes", unknown.raw));
    }
    if run
        .commands()
        .iter()
        .any(|command| command.words.first().is_some_and(|word| word.raw == "xargs") && command.name() == Some("rm"))
    {
        doubts.push("nothing tells what `xargs rm` removes".to_owned());
    }
    if directory.cache.store {
        doubts.extend(store_doubts(cx, run, manager, &target)?);
    }
    if directory.only_fetched {
        match opaque_after(cx, run) {
            Some(line) if !uses_later(cx, run, manager) => {
                return Err(format!("what it fetches is read by line {line}, which restow can't see through"));
            }
            _ => {}
        }
        if let Some(Start::Reads(reader)) = readers::container(facts, run.stage, manager)
            && !reader.what.contains("without CMD")
        {
            return Err(format!("line {} {}, and {target} would not be in the image", reader.line, reader.what));
        }
        doubts.push(
            "the layer was the cache: a hosted CI builder that restored it from a registry downloads again".to_owned(),
        );
    }
    if manager.id == "go" && !directory.cache.store {
        doubts.extend(cgo_doubt(cx, run));
    }
    let id = id(cx, run, manager, &target)?;
    let sharing = match manager.sharing {
        Sharing::Shared => "",
        Sharing::Locked => ",sharing=locked",
    };
    let flag = format!("--mount=type=cache{id},target={target}{sharing}{owner}");
    Ok(Placed { mounted: Mounted { target, flag, doubts }, failing, directory_flag })
}

/// A script of the project's own that runs in the same RUN.
fn scripts(run: &Run) -> Option<String> {
    run.commands().iter().find_map(|command| {
        let name = command.name()?;
        let script = match name {
            // `sh -c` gets its script in the file, where it is read.
            "sh" | "bash" | "dash" | "ash"
                if command.arguments().iter().any(|word| word.raw.starts_with('-') && word.raw.ends_with('c')) =>
            {
                return None;
            }
            "sh" | "bash" | "dash" | "ash" | "." | "source" => command
                .arguments()
                .iter()
                .find(|word| !word.raw.starts_with('-') && !word.raw.starts_with(['\'', '"']))?,
            _ if name.ends_with(".sh") => command.words.get(command.program)?,
            _ => return None,
        };
        (script.raw.contains(".sh") || name != "." && name != "source" && !script.raw.starts_with("<"))
            .then(|| script.raw.clone())
    })
}

/// A store that other steps, or the container, read: all of them are mounted, or none.
fn store_doubts(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager, target: &str) -> Result<Vec<String>, String> {
    let facts = cx.facts;
    let mut doubts = Vec::new();
    match readers::container(facts, run.stage, manager) {
        Some(Start::Reads(reader)) => {
            return Err(format!("line {} {}, and {target} would not be in the image", reader.line, reader.what));
        }
        Some(Start::Opaque(reader)) => doubts.push(format!("line {} {}", reader.line, reader.what)),
        None => {}
    }
    let line = |other: &Run| facts.line(other.instruction);
    let related = |other: &&Run| facts.descends(other.stage, run.stage) || facts.descends(run.stage, other.stage);
    let sharers: Vec<&Run> = facts
        .runs
        .iter()
        .filter(related)
        .filter(|other| {
            other
                .calls()
                .iter()
                .any(|call| call.manager.id == manager.id && matches!(call.verb, Verb::Install | Verb::Fetch))
        })
        .collect();
    for other in &sharers {
        let own = other
            .calls()
            .iter()
            .filter(|call| call.manager.id == manager.id && matches!(call.verb, Verb::Install | Verb::Fetch));
        let places = own.clone().map(|call| caches::caches(other, call).ok());
        let same = places.into_iter().all(|caches| {
            caches.is_some_and(|caches| {
                caches.iter().any(|cache| cache.path == target) || caches.iter().all(|cache| !cache.store)
            })
        });
        let offline = readers::offline(facts, other, manager).filter(|_| other.instruction < run.instruction);
        if !same && other.instruction != run.instruction {
            return Err(format!(
                "line {} uses {} in another place or as another user, and both must agree",
                line(other),
                manager.id
            ));
        }
        if let Some(reader) = offline {
            return Err(format!("line {} {}", reader.line, reader.what));
        }
        // What a project installs itself can't be downloaded again.
        let publishes = other.commands().iter().any(|command| {
            command.name().is_some_and(|name| manager.is_program(name))
                && command.words.iter().any(|word| {
                    let goal = word.raw.rsplit(':').next().unwrap_or("");
                    matches!(goal, "install" | "install-file" | "deploy" | "deploy-file" | "publishToMavenLocal")
                        && matches!(manager.id, "maven" | "gradle")
                })
        });
        if publishes && sharers.len() > 1 {
            return Err(format!(
                "line {} installs the project's own artifacts, which another step may need and can't download",
                line(other)
            ));
        }
    }
    if let Some(other) = facts.runs.iter().filter(related).find(|other| {
        other.calls().iter().all(|call| call.manager.id != manager.id)
            && crate::facts::managers::mentions(&other.text.text, manager)
    }) {
        return Err(format!("line {} uses {} in a form that can't be read", line(other), manager.id));
    }
    let unmounted = |other: &&&Run| {
        other.instruction != run.instruction
            && !other.mounts.iter().any(|mount| mount.is_cache() && mount.covers(target))
    };
    if let Some(other) = sharers.iter().find(unmounted) {
        doubts.push(format!("line {} shares what {} downloads through the layer today, and with both mounted a hosted CI builder downloads for each", line(other), manager.id));
    } else if let Some(at) = opaque_after(cx, run) {
        doubts.push(format!("line {at} can't be seen through and may read what {} downloads", manager.id));
    }
    Ok(doubts)
}

fn uses_later(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> bool {
    cx.facts.runs.iter().any(|other| {
        other.instruction > run.instruction
            && cx.facts.descends(other.stage, run.stage)
            && other.calls().iter().any(|call| call.manager.id == manager.id && call.verb != Verb::Clean)
    })
}

/// The line of the first later RUN of the stage, or of one built on it, whose programs could be anything.
fn opaque_after(cx: &DockerfileContext<'_>, run: &Run) -> Option<usize> {
    let facts = cx.facts;
    let later =
        facts.runs.iter().filter(|other| other.instruction > run.instruction && facts.descends(other.stage, run.stage));
    for other in later {
        let opaque = |word: &str| {
            let name = word.rsplit('/').next().unwrap_or(word);
            word.starts_with("./")
                || name.ends_with(".sh")
                || matches!(
                    name,
                    "make"
                        | "just"
                        | "task"
                        | "mage"
                        | "ninja"
                        | "cmake"
                        | "goreleaser"
                        | "tox"
                        | "nox"
                        | "rake"
                        | "ant"
                )
        };
        let found = match other.script() {
            Ok(script) => {
                script
                    .commands
                    .iter()
                    .any(|command| command.words.get(command.program).is_some_and(|word| opaque(&word.raw)))
                    || scripts(other).is_some()
            }
            Err(Unreadable::Irrelevant) => {
                let clauses = other.text.text.split(['\n', ';', '&', '|', '(']);
                clauses.filter_map(|clause| clause.split_whitespace().find(|word| !word.contains('='))).any(opaque)
            }
            Err(_) => true,
        };
        if found {
            return Some(facts.line(other.instruction));
        }
    }
    None
}

/// Go's build cache does not see changed C headers.
fn cgo_doubt(cx: &DockerfileContext<'_>, run: &Run) -> Option<String> {
    let off = run.state.env.known("CGO_ENABLED").as_deref() == Some("0")
        || run
            .commands()
            .iter()
            .filter(|command| command.name() == Some("go"))
            .all(|command| command.assignment("CGO_ENABLED") == Some("0"))
        || run.text.text.contains("export CGO_ENABLED=0");
    if off {
        return None;
    }
    let chain = cx.facts.ancestors(run.stage);
    let installs = cx.facts.runs.iter().find(|other| {
        chain.contains(&other.stage)
            && other.instruction <= run.instruction
            && other.calls().iter().any(|call| {
                matches!(call.manager.id, "apt" | "apk" | "dnf")
                    && other.commands()[call.command].words.iter().any(|word| {
                        C_PACKAGES.iter().any(|name| {
                            if name.starts_with('-') { word.raw.ends_with(name) } else { word.raw == *name }
                        })
                    })
            })
    })?;
    let line = cx.facts.line(installs.instruction);
    Some(format!(
        "line {line} installs C headers, whose change Go's build cache doesn't notice (set CGO_ENABLED=0 if no C is used)"
    ))
}

/// A defeat that drop-no-cache can't take away for sure.
fn hard_defeat(cx: &DockerfileContext<'_>, run: &Run, defeat: &Defeat) -> Result<Option<String>, String> {
    let Defeat::Variable { name, command, fix } = defeat else { return Ok(None) };
    let set_here = cx.facts.file.instructions.iter().any(|ins| {
        ins.keyword == crate::dockerfile::Keyword::Env
            && ins.pairs(cx.facts.file.escape).iter().any(|pair| pair.name == *name)
    });
    match fix {
        EnvOverride::Empty if run.commands()[*command].form == crate::shell::Form::Exec => {
            Err(format!("{name} switches the cache off, and the exec form can't take it back"))
        }
        EnvOverride::Empty => Ok(None),
        EnvOverride::None
            if cx.facts.file.instructions.iter().filter(|ins| ins.line.text.contains(name)).count() > 1 =>
        {
            Err(format!("{name} switches the cache off, and more than one instruction names it"))
        }
        EnvOverride::None if !set_here => {
            Err(format!("{name} switches the cache off, and it is not an ENV of this file"))
        }
        EnvOverride::None => Ok(Some(format!("ENV {name} switches the cache off and must go with it"))),
    }
}

/// `,id=...`, where one is needed.
fn id(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager, target: &str) -> Result<String, String> {
    let settings = &cx.project.settings;
    let mixed = manager.binaries && cx.project.is_mixed(manager.id);
    if !(manager.system || mixed || settings.ids == Ids::Always || !settings.id_prefix.is_empty()) {
        return Ok(String::new());
    }
    let last = target.rsplit('/').next().unwrap_or("cache").trim_start_matches('.');
    let name = if manager.directories.len() > 1 && manager.id != "apt" {
        format!("{}-{}", manager.id, last.trim_start_matches(&format!("{}-", manager.id)))
    } else {
        manager.id.to_owned()
    };
    let part = match manager.id {
        // apt takes an archive by its name and size alone: one directory per base image.
        "apt" => {
            let image = cx
                .facts
                .image(run.stage)
                .ok_or("the stage starts from scratch, so its packages can't be told apart from others")?;
            if image.reference.contains('$') {
                return Err("the base image is a build argument without a default, so its packages can't be told apart from others".to_owned());
            }
            format!("-{}", images::id_part(&image.reference))
        }
        _ if manager.binaries => {
            let distribution = project::distribution(cx.facts, run.stage);
            let distribution = distribution
                .ok_or("the base image is a build argument without a default, so its distribution can't be told")?;
            // A tag that doesn't tell the release may move from one to the next: then the image's name stands for it.
            let image = cx.facts.image(run.stage).map(|image| images::id_part(&image.reference));
            let distribution = if distribution.contains('-') { distribution } else { image.unwrap_or(distribution) };
            let architecture = match run.state.env.get("TARGETARCH") {
                Some(_) if manager.id == "apk" => "-$TARGETARCH",
                _ => "",
            };
            format!("-{distribution}{architecture}")
        }
        _ => String::new(),
    };
    Ok(format!(",id={}{name}{part}", settings.id_prefix))
}

fn special(
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
fn apt_doubts(cx: &DockerfileContext<'_>, run: &Run) -> Option<String> {
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
