//! The new instructions of a site, and the edits that put them in.

use super::site::Site;
use super::wanted::Wanted;
use crate::dockerfile::{Instruction, edits};
use crate::facts::runs::is_within;
use crate::transform::{Change, Effect, Level};

/// The change.
pub fn change(site: &Site<'_>, is_offline: bool) -> Change {
    let facts = site.facts;
    let file = facts.file;
    let from = &file.instructions[facts.stages[site.target].from];
    let keyword = |name: &str| {
        let is_lower = from.keyword_span.of(facts.text).chars().all(|ch| ch.is_ascii_lowercase());
        if is_lower { name.to_lowercase() } else { name.to_owned() }
    };
    let stage = stage(site, &keyword);
    let own = own(site, &keyword, is_offline);
    let comments = comments_above(site, from);
    let mut above = stage.clone();
    // `insert_above` leaves an empty line in front of comments only.
    if comments == 0 {
        above.push(String::new());
    }
    let mut changed = vec![edits::insert_above(facts.text, from, comments, &above)];
    let mut effects: Vec<Effect> = stage
        .iter()
        .map(|text| Effect::InsertInstruction { before: facts.stages[site.target].from, text: text.clone() })
        .collect();
    let at = &file.instructions[site.before];
    changed.push(edits::insert_above(facts.text, at, comments_above(site, at), &own));
    effects.extend(own.iter().map(|text| Effect::InsertInstruction { before: site.before, text: text.clone() }));
    Change {
        group: format!("add-model-stage:{}", site.stage),
        title: title(site),
        reason: reason(site, is_offline),
        level: Level::Review,
        offset: at.span.start,
        more: Vec::new(),
        edits: changed,
        effects,
        beside: Vec::new(),
        shows: None,
    }
}

/// The comment lines directly above an instruction that are no parser directives.
fn comments_above(site: &Site<'_>, instruction: &Instruction) -> usize {
    let directive = site.facts.file.directives.iter().map(|directive| directive.line).max().unwrap_or(0);
    edits::comments_above(site.facts.text, instruction).min(instruction.start_line.saturating_sub(directive + 1))
}

fn stage(site: &Site<'_>, keyword: &dyn Fn(&str) -> String) -> Vec<String> {
    let file = site.facts.file;
    let end = edits::line_break(site.facts.text);
    let mut lines = vec![format!("{} {} {} {}", keyword("FROM"), site.base.join(" "), keyword("AS"), site.name)];
    let mut packages: Vec<String> = site.wanted.iter().filter_map(|wanted| wanted.package(&site.versions)).collect();
    packages.sort();
    packages.dedup();
    if !packages.is_empty() {
        let index = site.index.iter().map(|option| format!("{option} ")).collect::<String>();
        lines.push(format!("{} pip install {index}{}", keyword("RUN"), packages.join(" ")));
    }
    for wanted in &site.wanted {
        let (folder, _) = wanted.moved();
        let statements = wanted.statements(&folder);
        let mut head = keyword("RUN");
        let mut command = String::new();
        if wanted.is_of_the_hub() {
            if is_secret(site, wanted) {
                if takes_env_of_secret(site) {
                    head.push_str(" --mount=type=secret,id=hf_token,env=HF_TOKEN");
                } else {
                    head.push_str(" --mount=type=secret,id=hf_token");
                    command.push_str("HF_TOKEN=$(cat /run/secrets/hf_token) ");
                }
            }
            if let Some(endpoint) = &site.endpoint {
                command.push_str(&format!("HF_ENDPOINT={endpoint} "));
            }
        } else if statements.iter().any(|statement| statement.starts_with("urlretrieve")) {
            command.push_str(&format!("mkdir -p {folder} && "));
        }
        let joint = format!("; {}{end}    ", file.escape);
        let one = statements.join("; ");
        let code = if one.len() <= 150 { one } else { statements.join(&joint) };
        let after =
            wanted.afterwards(&folder).map(|after| format!(" {}{end}    && {after}", file.escape)).unwrap_or_default();
        lines.push(format!("{head} {command}python -c \"{code}\"{after}"));
    }
    lines
}

/// What the stage that runs gets.
fn own(site: &Site<'_>, keyword: &dyn Fn(&str) -> String, is_offline: bool) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    let mut variables: Vec<(&str, &str)> = Vec::new();
    for wanted in &site.wanted {
        let (folder, variable) = wanted.moved();
        // The whole of what the variable names: other files come to lie beside the models.
        let folder = variable.map_or(folder, |(_, value)| value.to_owned());
        if !folders.contains(&folder) {
            folders.push(folder);
        }
        variables.extend(variable.filter(|variable| !variables.contains(variable)));
    }
    // A folder comes with the one that it lies in.
    let all = folders.clone();
    folders.retain(|folder| !all.iter().any(|other| other != folder && is_within(folder, other)));
    let owner = owner(site);
    let is_numeric = owner.as_deref().is_none_or(|owner| owner.chars().all(|ch| ch.is_ascii_digit() || ch == ':'));
    let link = if is_numeric && takes_link(site) { "--link " } else { "" };
    let chown = owner.map(|owner| format!("--chown={owner} ")).unwrap_or_default();
    let mut lines: Vec<String> = folders
        .iter()
        .map(|folder| format!("{} --from={} {link}{chown}{folder} {folder}", keyword("COPY"), site.name))
        .collect();
    lines.extend(variables.iter().map(|(name, value)| format!("{} {name}={value}", keyword("ENV"))));
    if is_offline {
        lines.push(format!("{} HF_HUB_OFFLINE=1", keyword("ENV")));
    }
    lines
}

/// Whom the files belong to: the user that runs, where that is not root.
fn owner(site: &Site<'_>) -> Option<String> {
    let user = site.user.as_ref().filter(|user| !user.is_root())?;
    Some(match (user.uid, user.gid) {
        (Some(uid), gid) => format!("{uid}:{}", gid.unwrap_or(uid)),
        (None, _) => user.name.clone(),
    })
}

fn is_secret(site: &Site<'_>, wanted: &Wanted) -> bool {
    wanted.is_of_the_hub() && (wanted.is_gated() || site.has_token)
}

/// The minor version of the Dockerfile frontend that the file asks for, if it asks for one of Docker's; the newest for `:1`.
fn frontend(site: &Site<'_>) -> Option<u32> {
    let directive = site.facts.file.directives.iter().find(|directive| directive.key == "syntax")?;
    let tag = directive
        .value
        .strip_prefix("docker/dockerfile:")
        .or_else(|| directive.value.strip_prefix("docker.io/docker/dockerfile:"))?;
    let mut parts = tag.split(['.', '-']);
    (parts.next() == Some("1")).then(|| parts.next().map_or(Some(u32::MAX), |minor| minor.parse().ok())).flatten()
}

/// Source: Dockerfile reference, COPY --link: since 1.4.
fn takes_link(site: &Site<'_>) -> bool {
    frontend(site).is_some_and(|minor| minor >= 4)
}

/// Source: Dockerfile reference, RUN --mount=type=secret,env=: since 1.10.
fn takes_env_of_secret(site: &Site<'_>) -> bool {
    frontend(site).is_some_and(|minor| minor >= 10)
}

fn title(site: &Site<'_>) -> String {
    let mut names: Vec<&str> = site.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    names.dedup();
    match names.as_slice() {
        [one] => format!("Download {one} in a stage of its own"),
        [one, two] => format!("Download {one} and {two} in a stage of their own"),
        all => format!("Download {} models in a stage of their own", all.len()),
    }
}

fn reason(site: &Site<'_>, is_offline: bool) -> String {
    let listed: Vec<String> = site.wanted.iter().map(|wanted| format!("{} ({})", wanted.name, wanted.place)).collect();
    let listed = listed.join(", ");
    let mut reason = match site.repeated.as_slice() {
        [] => format!(
            "every new container downloads {listed}; a stage does so once, and again only when a model in it changes; the image grows by the files"
        ),
        [run, ..] => format!(
            "line {} downloads {listed} again whenever the install above it changes; a stage does so only when a model in it changes, and that line then finds the files",
            site.facts.line(site.facts.runs[*run].instruction)
        ),
    };
    reason.push_str("; a builder that starts empty downloads them in every build, and the build needs the hub");
    let secret = site.wanted.iter().any(|wanted| is_secret(site, wanted));
    if secret {
        reason.push_str(
            "; the token comes as a build secret: `secrets: [hf_token]` below `build` of the compose service with a top-level `secrets: {hf_token: {environment: HF_TOKEN}}`, or `secrets: hf_token=${{ secrets.HF_TOKEN }}` of docker/build-push-action",
        );
    }
    if !is_offline && site.is_whole && site.wanted.iter().any(Wanted::is_of_the_hub) {
        reason.push_str("; the start still asks the hub for newer files unless models.offline is true in restow.toml");
    }
    reason
}
