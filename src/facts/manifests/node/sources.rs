//! Dependencies on what lies in the sources: folders, archives, patches, and programs of workspaces.

use serde_json::Value;

use super::manifest::{Manifest, SECTIONS, at};
use super::options::Action;
use super::settings::Settings;
use super::{Program, Project};
use crate::yaml::{Node, NodeKind, Stream};

/// Lists the patches and archives that manifests name.
///
/// # Errors
/// A dependency on sources.
pub fn read(project: &mut Project, settings: &Settings) -> Result<(), String> {
    let root = project.manifests[0].clone();
    for value in &settings.overrides {
        local(project, &root, value)?;
    }
    for patch in &settings.patches {
        project.reads(&at(&root.folder, patch))?;
    }
    for (index, manifest) in project.manifests.clone().iter().enumerate() {
        for section in SECTIONS {
            for (_, version) in manifest.strings(section) {
                local(project, manifest, version)?;
            }
        }
        let nested = manifest.value.get("pnpm");
        let nested =
            [nested.and_then(|pnpm| pnpm.get("overrides")), nested.and_then(|pnpm| pnpm.get("packageExtensions"))];
        for replaced in
            ["overrides", "resolutions"].map(|key| manifest.value.get(key)).into_iter().chain(nested).flatten()
        {
            let mut found = Vec::new();
            strings(replaced, &mut found);
            for version in found {
                local(project, manifest, version)?;
            }
        }
        let own = manifest.value.get("pnpm").and_then(|pnpm| pnpm.get("patchedDependencies"));
        for patches in [own, manifest.value.get("patchedDependencies")].into_iter().flatten() {
            let mut found = Vec::new();
            strings(patches, &mut found);
            for patch in found {
                project.reads(&at(&manifest.folder, patch))?;
            }
        }
        if index > 0 && project.options.action != Action::Fetch {
            workspace(project, manifest)?;
        } else if project.program == Program::Berry && manifest.value.get("bin").is_some() {
            return Err(format!("yarn links the bin of {}: without its file the link is left out", manifest.path));
        }
    }
    Ok(())
}

fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Object(object) => object.values().for_each(|value| strings(value, found)),
        Value::Array(items) => items.iter().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// Looks at one version as package.json writes it.
fn local(project: &mut Project, manifest: &Manifest, version: &str) -> Result<(), String> {
    let refused = || Err(format!("{} depends on {version}", manifest.path));
    if let Some(patch) = version.strip_prefix("patch:") {
        return patches(project, manifest, patch);
    }
    if version.starts_with("workspace:") {
        let has_workspaces = project.manifests.len() > 1;
        return if has_workspaces { Ok(()) } else { refused() };
    }
    let is_path = version.starts_with(['.', '/', '~']) && !is_range(version);
    let (is_file, path) = version.strip_prefix("file:").map_or((is_path, version), |path| (true, path));
    let is_archive = [".tgz", ".tar.gz", ".tar"].iter().any(|end| path.ends_with(end)) && !path.contains("://");
    if is_archive && !path.starts_with(['/', '~']) {
        return project.reads(&at(&manifest.folder, path));
    }
    let elsewhere = ["link:", "portal:", "exec:", "git+file:"].iter().any(|scheme| version.starts_with(scheme));
    if is_file || elsewhere { refused() } else { Ok(()) }
}

/// `~1.2` and the like.
fn is_range(version: &str) -> bool {
    version
        .trim_start_matches(['~', '>', '=', ' ', 'v'])
        .starts_with(|ch: char| ch.is_ascii_digit() || ch == '*' || ch == 'x')
        && !version.starts_with(['.', '/'])
}

/// The files in `patch:NAME@npm%3A1.0.0#PATH&PATH::…` of yarn berry.
fn patches(project: &mut Project, manifest: &Manifest, patch: &str) -> Result<(), String> {
    let Some((_, rest)) = patch.split_once('#') else { return Ok(()) };
    let rest = rest.split("::").next().unwrap_or(rest);
    for path in rest.split('&') {
        let path = path.strip_prefix("optional!").unwrap_or(path);
        if path.starts_with("builtin<") || path.starts_with("~builtin<") {
            continue;
        }
        let path = match path.strip_prefix("~/") {
            Some(path) => at(&project.folder, path),
            None => at(&manifest.folder, path),
        };
        project.reads(&path)?;
    }
    Ok(())
}

/// What of a workspace an install links or copies.
fn workspace(project: &Project, manifest: &Manifest) -> Result<(), String> {
    let has = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let directories = manifest.value.get("directories").and_then(|value| value.get("bin"));
    if has(manifest.value.get("bin")) || has(directories) {
        return Err(format!("{} has a bin: without its file the install leaves out the link", manifest.path));
    }
    let published = manifest.value.get("publishConfig");
    let linked = ["directory", "bin"].iter().any(|key| has(published.and_then(|config| config.get(key))));
    if project.program == Program::Pnpm && linked {
        return Err(format!("{} has a publishConfig that pnpm links by", manifest.path));
    }
    let injected = manifest.value.get("dependenciesMeta").map(Value::to_string);
    if injected.is_some_and(|meta| meta.contains("\"injected\":true")) {
        return Err(format!("{} has workspaces copied into node_modules", manifest.path));
    }
    Ok(())
}

/// Whether yarn berry, which writes each package.json anew where its form is another, leaves this one alone: indented as JavaScript does,
/// a line break at the end, dependencies sorted, nothing empty. Measured: it does so with --immutable too.
///
/// Source: `exportTo` in berry's Manifest.ts.
pub fn is_as_yarn_writes_it(manifest: &Manifest) -> bool {
    let text = &manifest.text;
    let Ok(stream) = Stream::read(text) else { return false };
    let Some(root) = stream.documents.first() else { return false };
    let maps = ["dependenciesMeta", "peerDependenciesMeta", "browser", "bin"];
    let sorted = maps.iter().chain(&SECTIONS).all(|name| {
        let keys = root.get(name).map(|map| map.pairs().iter().filter_map(|(key, _)| key.text()).collect::<Vec<_>>());
        keys.is_none_or(|keys| keys.is_sorted())
    });
    let is_empty = |node: &Node| match &node.kind {
        NodeKind::Mapping { pairs, .. } => pairs.is_empty(),
        _ => node.is_sequence() && node.items().is_empty(),
    };
    let full = root.pairs().iter().all(|(key, value)| key.text() == Some("files") || !is_empty(value));
    sorted && full && !text.contains("\\u") && !text.contains("\\/") && *text == indented(text)
}

/// JSON text in the form of `JSON.stringify` with the indentation that it has, and a line break at the end.
fn indented(text: &str) -> String {
    let indent: String = match text.split_once('\n') {
        Some((_, rest)) => rest.chars().take_while(|ch| matches!(ch, ' ' | '\t')).collect(),
        None => "  ".to_owned(),
    };
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0_usize, false, false);
    let mut chars = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&indent.repeat(depth));
    };
    while let Some(ch) = chars.next() {
        if in_string {
            out.push(ch);
            in_string = escaped || ch != '"';
            escaped = !escaped && ch == '\\';
            continue;
        }
        match ch {
            '"' => {
                in_string = true;
                out.push(ch);
            }
            '{' | '[' => {
                while chars.next_if(|ch| ch.is_whitespace()).is_some() {}
                out.push(ch);
                match chars.next_if(|ch| matches!(ch, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(ch);
            }
            ',' => {
                out.push(ch);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ if ch.is_whitespace() => {}
            _ => out.push(ch),
        }
    }
    out.push('\n');
    out
}
