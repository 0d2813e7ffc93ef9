//! Where one directory is mounted, for whom and under which id, and what stands in its way.

use super::directories::Directory;
use super::site::Mounted;
use super::stores::{cgo_doubt, opaque_after, store_doubts, uses_later};
use crate::config::Ids;
use crate::dockerfile::Keyword;
use crate::facts::caches::Account;
use crate::facts::cleanups::{self, Relation, Removed};
use crate::facts::images;
use crate::facts::managers::{Call, Manager, Sharing};
use crate::facts::readers::{self, Start};
use crate::facts::runs::{Run, is_within};
use crate::project::{self, Builder};
use crate::transform::DockerfileContext;

/// Folders that exist in every image and that everybody may enter.
pub(super) const COMMON_FOLDERS: [&str; 8] = ["/", "/opt", "/var", "/var/cache", "/srv", "/mnt", "/tmp", "/var/lib"];

pub(super) struct Placed {
    pub mounted: Mounted,
    pub failing: Vec<Removed>,
    pub directory_flag: Option<String>,
}

/// Where one directory is mounted, and how sure that is.
pub(super) fn place(
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
    refuse_crossing(cx, run, calls, directory, &target)?;
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
    Ok(Placed { mounted: Mounted { target, store: directory.cache.store, flag, doubts }, failing, directory_flag })
}

/// A mount hides what else lies at its target: the folder that the RUN works in, programs that the image starts, outputs that the
/// commands write there.
fn refuse_crossing(
    cx: &DockerfileContext<'_>,
    run: &Run,
    calls: &[Call],
    directory: &Directory,
    target: &str,
) -> Result<(), String> {
    const SYSTEM: [&str; 12] = [
        "/usr",
        "/usr/local",
        "/root",
        "/home",
        "/bin",
        "/usr/bin",
        "/usr/local/bin",
        "/lib",
        "/etc",
        "/var",
        "/opt",
        "/tmp",
    ];
    let home = run.state.home();
    if SYSTEM.contains(&target) || home.as_deref().map(|home| home.trim_end_matches('/')) == Some(target) {
        return Err(format!("its cache is {target} itself, where more than the cache lies"));
    }
    let moves = run.commands().iter().filter(|command| matches!(command.name(), Some("cd" | "pushd")));
    let folders = moves.filter_map(|command| command.arguments().first()).filter_map(|word| run.value(word).value);
    if let Some(folder) = folders.chain(run.state.workdir.clone()).find(|folder| is_within(folder, target)) {
        return Err(format!("it works in {folder}, which a mount at {target} would hide"));
    }
    // Some word that is no setting of the cache names the place.
    let names = |text: &str| {
        text.match_indices(target).any(|(at, _)| {
            let next = text[at + target.len()..].chars().next();
            next.is_none_or(|next| !(next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '.')))
        })
    };
    let settings: Vec<&str> =
        calls[0].manager.directories.iter().flat_map(|known| known.env).map(|(name, _)| *name).collect();
    for (index, ins) in cx.facts.file.instructions.iter().enumerate() {
        let concerns = match ins.keyword {
            Keyword::Env | Keyword::Arg => ins.pairs(cx.facts.file.escape).iter().any(|pair| {
                !settings.iter().any(|name| name.eq_ignore_ascii_case(&pair.name))
                    && pair.value.as_deref().is_some_and(names)
            }),
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck | Keyword::Volume => names(ins.args()),
            _ => false,
        };
        if concerns {
            return Err(format!("line {} names {target} or something in it", cx.facts.line(index)));
        }
    }
    let own = calls.iter().flat_map(|call| &run.commands()[call.command].words);
    let flags: Vec<&str> = calls[0].manager.directories.iter().filter_map(|known| known.flag).collect();
    if let Some(word) = own
        .filter(|word| names(&word.raw) && !flags.iter().any(|flag| word.raw.starts_with(flag)))
        .find(|word| word.raw != directory.cache.path)
    {
        return Err(format!("the command names {}, which lies in its cache", word.raw));
    }
    Ok(())
}

/// A script of the project's own that runs in the same RUN.
pub(super) fn scripts(run: &Run) -> Option<String> {
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

/// `,id=...`, where one is needed.
pub(super) fn id(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager, target: &str) -> Result<String, String> {
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
