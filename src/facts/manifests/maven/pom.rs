//! Reading a pom.xml far enough to tell which other files its model takes in.
//!
//! Source: Maven's POM reference: parent, modules, profiles, dependencies of scope `system`, repositories.

use crate::context::Entry;
use crate::facts::manifests::paths::{folder, is_local, join_within};
use crate::facts::manifests::{Files, Install};

/// More poms than any project of one image has.
const MOST: usize = 200;

/// Adds `path`, its parents and its modules to what is read, and counts the modules.
///
/// # Errors
/// What needs the sources, or lies where it can't be copied from.
pub(super) fn read(path: &str, files: &dyn Files, found: &mut Install, modules: &mut usize) -> Result<(), String> {
    if found.reads.iter().any(|known| known == path) {
        return Ok(());
    }
    if found.reads.len() > MOST {
        return Err("it has too many poms".to_owned());
    }
    let text = files.text(path).ok_or_else(|| format!("{path} can't be read"))?;
    let text = without_comments(&text);
    found.reads.push(path.to_owned());
    if !elements(&text, "systemPath").is_empty() {
        return Err(format!("{path} names a library of the sources (systemPath)"));
    }
    if text.contains("<activation>") && ["exists", "missing"].iter().any(|name| !elements(&text, name).is_empty()) {
        return Err(format!("a profile of {path} looks for files"));
    }
    if elements(&text, "url").iter().any(|url| is_local(url) || url.contains("basedir}")) {
        return Err(format!("{path} names a repository among the sources"));
    }
    if text.contains("<!ENTITY") {
        return Err(format!("{path} has entities"));
    }
    let here = folder(path);
    if let Some(parent) = blocks(&text, "parent").first() {
        let named = elements(parent, "relativePath");
        let empty = parent.contains("<relativePath/>")
            || parent.contains("<relativePath />")
            || named.iter().any(|path| path.is_empty());
        let relative = named.first().map_or("../pom.xml", |path| path.as_str());
        let place = join_within(here, relative);
        if place.is_none() && !empty && files.entry(relative).is_some() {
            return Err(format!("the parent of {path} lies outside the folder that it runs in"));
        }
        // Where nothing is, Maven looks in the repository.
        if let Some(mut parent) = place.filter(|_| !empty) {
            if files.is_folder(&parent) {
                parent = join_within(&parent, "pom.xml").unwrap_or_default();
            }
            match files.entry(&parent) {
                Some(Entry::File) => read(&parent, files, found, &mut 0)?,
                Some(Entry::Link) => return Err(format!("{parent} is a link")),
                _ => {}
            }
        }
    }
    for module in elements(&text, "module") {
        if module.contains("${") {
            return Err(format!("{path} names a module that can't be told"));
        }
        // `<module>` is also a word of other configuration.
        let Some(place) = join_within(here, &module) else {
            return Err(format!("the module {module} lies outside the sources"));
        };
        let pom = if files.is_file(&place) { place } else { format!("{place}/pom.xml") };
        if files.is_file(&pom) {
            *modules += 1;
            read(&pom, files, found, modules)?;
        } else if blocks(&text, "modules").iter().any(|block| elements(block, "module").contains(&module)) {
            return Err(format!("the module {module} isn't there"));
        }
    }
    Ok(())
}

fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((front, behind)) = rest.split_once("<!--") {
        kept.push_str(front);
        rest = behind.split_once("-->").map_or("", |(_, behind)| behind);
    }
    kept + rest
}

/// The contents of every element of this name.
fn blocks<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once(&open) {
        let Some((block, behind)) = behind.split_once(&close) else { break };
        found.push(block);
        rest = behind;
    }
    found
}

fn elements(text: &str, name: &str) -> Vec<String> {
    blocks(text, name).into_iter().map(|block| block.trim().to_owned()).collect()
}
