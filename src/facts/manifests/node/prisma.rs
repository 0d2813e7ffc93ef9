//! Prisma: `prisma generate` as a script of the project, and the install script of @prisma/client, which runs it where it finds a
//! schema (up to version 6).
//!
//! Source: prisma docs, orm/prisma-schema/overview/location; `packages/client/scripts/postinstall.js`.

use super::Project;
use super::manifest::{Manifest, at, major};

/// `prisma generate` with `words` behind it.
///
/// # Errors
/// Whatever reads or writes more than a schema file and node_modules.
pub fn generate(project: &mut Project, manifest: &Manifest, words: &[&str]) -> Result<(), String> {
    let mut named = None;
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word.split_once('=') {
            _ if matches!(word, "--no-hints" | "--no-engine" | "--allow-no-models") => {}
            _ if word == "--schema" => named = words.next().copied(),
            Some(("--schema", path)) => named = Some(path),
            _ => return Err(format!("what `prisma generate {word}` reads isn't known")),
        }
    }
    let schema = named.map(|path| at(&manifest.folder, path)).or_else(|| find(project, manifest));
    match schema {
        Some(schema) => reads(project, manifest, &schema),
        None => Err("prisma generate is called, and no schema is where it looks for one".to_owned()),
    }
}

/// What @prisma/client does where it is a dependency of `manifest`.
///
/// # Errors
/// As [`generate`].
pub fn client(project: &mut Project, manifest: &Manifest) -> Result<(), String> {
    let Some(version) = manifest.dependency("@prisma/client") else { return Ok(()) };
    if major(version).is_some_and(|major| major >= 7) {
        return Ok(());
    }
    let root = project.manifests[0].clone();
    if let Some(schema) = find(project, &root) {
        return reads(project, &root, &schema);
    }
    match find(project, manifest) {
        Some(schema) => Err(format!("the install script of @prisma/client may read {schema}")),
        None => Ok(()),
    }
}

fn find(project: &Project, manifest: &Manifest) -> Option<String> {
    let named = manifest.value.get("prisma").and_then(|prisma| prisma.get("schema")).and_then(|path| path.as_str());
    if let Some(path) = named {
        return Some(at(&manifest.folder, path));
    }
    let places = ["prisma/schema.prisma", "schema.prisma", "prisma/schema"].map(|path| at(&manifest.folder, path));
    places.into_iter().find(|path| project.files.entry(path).is_some())
}

fn reads(project: &mut Project, manifest: &Manifest, schema: &str) -> Result<(), String> {
    let folders = [manifest.folder.clone(), at(&manifest.folder, ".config")];
    for folder in folders {
        let names = project.files.names(&folder);
        let inside = folder.ends_with(".config");
        let configures = |name: &&String| name.starts_with(if inside { "prisma." } else { "prisma.config." });
        if let Some(name) = names.iter().find(configures) {
            return Err(format!("prisma runs {}, which may need the sources", at(&folder, name)));
        }
    }
    if !project.files.is_file(schema) {
        return Err(format!("prisma generate reads {schema}, which is no plain file of the sources"));
    }
    let text = project.files.text(schema).ok_or(format!("{schema} can't be read"))?;
    let mut in_generator = false;
    for line in text.lines().map(str::trim) {
        in_generator = line.starts_with("generator ") || in_generator && line != "}";
        let (key, value) = line.split_once('=').map_or(("", ""), |(key, value)| (key.trim(), value.trim()));
        let value = value.split("//").next().unwrap_or("").trim();
        if in_generator && key == "output" {
            return Err(format!("prisma generate writes to {value} beside {schema}"));
        }
        if in_generator && key == "provider" && value != "\"prisma-client-js\"" {
            return Err(format!("{schema} runs the generator {value}"));
        }
    }
    project.reads(schema)?;
    project.doubt(
        "prisma generate notes in its client where a .env file lies, if one is copied with the sources".to_owned(),
    );
    Ok(())
}
