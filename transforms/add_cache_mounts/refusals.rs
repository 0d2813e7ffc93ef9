//! What speaks against any mount in a RUN: the builder, the frontend, the distribution, settings that move a cache.

use crate::facts::defeats::Defeat;
use crate::facts::managers::{EnvOverride, Manager};
use crate::facts::packages;
use crate::facts::runs::Run;
use crate::project::Builder;
use crate::transform::DockerfileContext;

/// A mount of the author's that keeps nothing: said, not mended.
pub(super) fn covered_but_useless(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
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

pub(super) fn refuse_builder(cx: &DockerfileContext<'_>) -> Result<(), String> {
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
pub(super) fn refuse_syntax(cx: &DockerfileContext<'_>) -> Result<(), String> {
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
pub(super) fn refuse_distribution(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
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
pub(super) fn moved_by_commands(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
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

pub(super) fn moved_by_files(cx: &DockerfileContext<'_>, run: &Run, manager: &Manager) -> Result<(), String> {
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

/// A defeat that drop-no-cache can't take away for sure.
pub(super) fn hard_defeat(cx: &DockerfileContext<'_>, run: &Run, defeat: &Defeat) -> Result<Option<String>, String> {
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
