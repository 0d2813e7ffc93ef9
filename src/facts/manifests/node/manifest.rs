//! package.json: the root's, and those of its workspaces.

use serde_json::Value;

use super::super::not_copied;
use super::Files;
use crate::context::Entry;

/// A package.json.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The folder that it stands in, spelled as the install's paths are.
    pub folder: String,
    pub path: String,
    pub value: Value,
    pub text: String,
}

/// Where dependencies stand.
pub const SECTIONS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

impl Manifest {
    /// The one in `folder`.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn read(files: &dyn Files, folder: &str) -> Result<Self, String> {
        let path = at(folder, "package.json");
        match files.entry(&path) {
            None => return Err(not_copied(&path)),
            Some(Entry::File) => {}
            Some(_) => return Err(format!("{path} is no plain file")),
        }
        let text = files.text(&path).ok_or(format!("{path} can't be read"))?;
        let value: Value = serde_json::from_str(&text).map_err(|_| format!("{path} is no JSON"))?;
        if !value.is_object() {
            return Err(format!("{path} is no JSON object"));
        }
        Ok(Self { folder: folder.to_owned(), path, value, text })
    }

    /// The pairs of an object at `key` whose values are strings.
    pub fn strings(&self, key: &str) -> impl Iterator<Item = (&str, &str)> {
        let object = self.value.get(key).and_then(Value::as_object);
        object.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    pub fn script(&self, name: &str) -> Option<&str> {
        self.value.get("scripts")?.get(name)?.as_str()
    }

    /// What `name` is asked for as, in any section.
    pub fn dependency(&self, name: &str) -> Option<&str> {
        SECTIONS.iter().find_map(|section| self.value.get(section)?.get(name)?.as_str())
    }

    /// The patterns of `workspaces`, an array or an object with `packages`.
    ///
    /// # Errors
    /// Another form.
    pub fn workspaces(&self) -> Result<Vec<String>, String> {
        let list = match self.value.get("workspaces") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Object(object)) => object.get("packages").cloned().unwrap_or(Value::Array(Vec::new())),
            Some(list) => list.clone(),
        };
        serde_json::from_value(list).map_err(|_| format!("the workspaces of {} can't be read", self.path))
    }

    /// The version of `program` in `packageManager`, as far as its digits and dots go.
    pub fn package_manager(&self, program: &str) -> Option<&str> {
        self.value.get("packageManager")?.as_str()?.strip_prefix(program)?.strip_prefix('@')
    }
}

/// The first number in a version or range.
pub fn major(version: &str) -> Option<u32> {
    let digits = version.trim_start_matches(|ch: char| !ch.is_ascii_digit());
    digits.split(|ch: char| !ch.is_ascii_digit()).next()?.parse().ok()
}

/// `path` beneath `folder` without `.` and without what `..` takes back; `.` is the folder that the install runs in.
pub fn at(folder: &str, path: &str) -> String {
    let absolute = path.starts_with('/') || folder.starts_with('/');
    let parts = if path.starts_with('/') { "" } else { folder };
    let mut kept: Vec<&str> = Vec::new();
    for part in parts.split('/').chain(path.split('/')).filter(|part| !part.is_empty() && *part != ".") {
        match (part, kept.last()) {
            ("..", Some(last)) if *last != ".." => drop(kept.pop()),
            ("..", None) if absolute => {}
            _ => kept.push(part),
        }
    }
    match (absolute, kept.is_empty()) {
        (true, _) => format!("/{}", kept.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => kept.join("/"),
    }
}

/// The folders beneath `root` that hold a package.json and match the patterns of a workspace list, sorted. A pattern behind `!` takes
/// folders out again; what it takes out is not looked at.
///
/// Source: `@npmcli/map-workspaces`, pnpm `find-packages`, yarn berry `Workspace.ts`: none looks into node_modules.
///
/// # Errors
/// Patterns that aren't read, links, and more folders than a repository has.
pub fn expand(files: &dyn Files, root: &str, patterns: &[String]) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    for pattern in patterns {
        for pattern in braces(pattern) {
            let (out, plain) = pattern.strip_prefix('!').map_or((false, pattern.as_str()), |plain| (true, plain));
            let parts: Vec<&str> = plain.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
            if plain.starts_with('/') || plain.contains(['[', '(', '{', '\\']) || parts.contains(&"..") {
                return Err(format!("which folders the workspace pattern {pattern} means can't be told"));
            }
            if out {
                found.retain(|folder| !matches(&parts, &relative(root, folder)));
            } else {
                walk(files, root, &parts, &mut found, &mut 0)?;
            }
        }
    }
    found.retain(|folder| folder != root);
    found.sort();
    found.dedup();
    Ok(found)
}

fn relative<'a>(root: &str, folder: &'a str) -> Vec<&'a str> {
    let inner = if root == "." { folder } else { folder.strip_prefix(root).unwrap_or(folder) };
    inner.split('/').filter(|part| !part.is_empty()).collect()
}

/// `a/{b,c}` as `a/b` and `a/c`; one pair of braces.
fn braces(pattern: &str) -> Vec<String> {
    let split = pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match split {
        Some((before, (inner, after))) => inner.split(',').map(|part| format!("{before}{part}{after}")).collect(),
        None => vec![pattern.to_owned()],
    }
}

/// Folders that a walk looks at before it gives up.
const MOST: usize = 5000;

fn walk(
    files: &dyn Files,
    folder: &str,
    parts: &[&str],
    found: &mut Vec<String>,
    seen: &mut usize,
) -> Result<(), String> {
    *seen += 1;
    if *seen > MOST {
        return Err("its workspace patterns reach too many folders".to_owned());
    }
    let Some((&part, rest)) = parts.split_first() else {
        if files.entry(&at(folder, "package.json")).is_some() {
            found.push(folder.to_owned());
        } else if let Some(other) = ["package.json5", "package.yaml"].iter().find(|it| files.is_file(&at(folder, it))) {
            return Err(format!("{} isn't read", at(folder, other)));
        }
        return Ok(());
    };
    let children = |wanted: &dyn Fn(&str) -> bool| {
        let names = files.names(folder).into_iter().filter(|name| name != "node_modules" && wanted(name));
        let inside = names.map(|name| at(folder, &name));
        let kept = inside.filter_map(|path| match files.entry(&path)? {
            Entry::File => None,
            Entry::Folder => Some(Ok(path)),
            Entry::Link => Some(Err(path)),
        });
        kept.collect::<Vec<_>>()
    };
    if part == "**" {
        walk(files, folder, rest, found, seen)?;
        // None of the managers follows links here.
        for child in children(&|name| !name.starts_with('.')).into_iter().flatten() {
            walk(files, &child, parts, found, seen)?;
        }
        return Ok(());
    }
    let is_pattern = part.contains(['*', '?']);
    for child in children(&|name| if is_pattern { !name.starts_with('.') && glob(part, name) } else { name == part }) {
        match child {
            Ok(child) => walk(files, &child, rest, found, seen)?,
            Err(link) => return Err(format!("the workspace {link} is a link")),
        }
    }
    Ok(())
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            matches(rest, path) || path.split_first().is_some_and(|(_, deeper)| matches(pattern, deeper))
        }
        (Some((part, rest)), Some((name, deeper))) => glob(part, name) && matches(rest, deeper),
        _ => false,
    }
}

/// `*` and `?` in one name.
fn glob(pattern: &str, name: &str) -> bool {
    fn go(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => go(rest, name) || name.split_first().is_some_and(|(_, name)| go(pattern, name)),
            (Some((b'?', rest)), Some((_, name))) => go(rest, name),
            (Some((a, rest)), Some((b, name))) => a == b && go(rest, name),
            _ => false,
        }
    }
    go(pattern.as_bytes(), name.as_bytes())
}
