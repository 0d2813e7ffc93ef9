//! `uv pip install` and `uv pip sync`.
//!
//! Source: uv docs/pip/{packages,compile,environments}.md; settings are read as for projects (docs/concepts/configuration-files.md).

use super::super::Install;
use super::super::folders::take;
use super::super::paths::join;
use super::super::pyproject::Document;
use super::super::requirement_files::take_with_includes;
use super::super::variables::Setting;
use super::settings::{Site, write_inside};
use crate::facts::requirements;

/// # Errors
/// Why it can't be told what the call reads, or why it needs the sources.
pub fn install(verb: &str, site: &Site<'_>) -> Result<Install, String> {
    let words = site.words;
    if words.has(&["-e", "--editable"]) {
        return Err("it installs the project itself".to_owned());
    }
    let mut install = Install::default();
    let mut named = words.paths(&["-r", "--requirements", "--requirement"])?;
    if verb == "pip sync" {
        named.extend(words.others.iter().map(String::as_str));
    } else {
        for word in &words.others {
            if requirements::read_argument(word).is_local() || word.starts_with(['.', '/']) {
                return Err(format!("it installs {word} from the sources"));
            }
        }
    }
    named.extend(words.paths(&[
        "-c",
        "--constraints",
        "--constraint",
        "-b",
        "--build-constraints",
        "--build-constraint",
    ])?);
    named.extend(words.paths(&["--overrides", "--override", "--excludes", "--exclude"])?);
    for name in ["UV_CONSTRAINT", "UV_BUILD_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE"] {
        if site.setting(name) != Setting::Unset {
            return Err(format!("{name} names a file that it reads"));
        }
    }
    for file in named {
        take_named(site, file, &mut install)?;
    }
    if words.has(&["--group"]) {
        take_named(site, "pyproject.toml", &mut install)?;
    }
    configured_above(site)?;
    let pyproject = Document::read(site.files, "pyproject.toml")?;
    if pyproject.as_ref().is_some_and(|document| document.get(&["tool", "uv"]).is_some()) {
        take(&mut install.reads, site.files, "pyproject.toml")?;
    }
    site.configure(pyproject.as_ref(), &mut install)?;
    write_environment(site, &mut install)?;
    Ok(install)
}

/// uv takes its settings from the nearest folder upwards that has some. Measured with constraint-dependencies.
///
/// # Errors
/// They lie above the folder that it runs in.
fn configured_above(site: &Site<'_>) -> Result<(), String> {
    const LEVELS: usize = 8;
    if site.files.is_file("pyproject.toml") || site.files.is_file("uv.toml") {
        return Ok(());
    }
    let mut up = String::new();
    for _ in 0..LEVELS {
        up.push_str("../");
        let project = format!("{up}pyproject.toml");
        let settings = format!("{up}uv.toml");
        let counts = site.files.text(&project).is_some_and(|text| text.contains("[tool.uv"));
        if counts || site.files.is_file(&settings) {
            return Err(format!("{} above it holds settings of uv", if counts { project } else { settings }));
        }
    }
    Ok(())
}

fn take_named(site: &Site<'_>, file: &str, install: &mut Install) -> Result<(), String> {
    let name = file.rsplit('/').next().unwrap_or(file);
    match name {
        "-" => Err("it reads requirements from another command".to_owned()),
        "setup.py" | "setup.cfg" => Err(format!("it builds the project to read {name}")),
        _ if name.starts_with("pylock") && name.ends_with(".toml") => Err(format!("restow doesn't read {name}")),
        _ if name.ends_with(".py") => Err(format!("it reads the metadata of the script {file}")),
        "pyproject.toml" => {
            let path = join(".", file);
            let document = Document::read(site.files, &path)?;
            let document = document.ok_or(format!("{path} is not among the copied sources"))?;
            take(&mut install.reads, site.files, &path)?;
            if document.get(&["project"]).is_none() || document.computed_dependencies().is_some() {
                return Err(format!("it builds the project to read its dependencies, which {path} doesn't list"));
            }
            document.refuse_local_requirements()?;
            document.refuse_local_paths(&["tool", "uv", "sources"])
        }
        _ => take_with_includes(&mut install.reads, site.files, file),
    }
}

/// The environment: one that is named, the active one, or `.venv`.
fn write_environment(site: &Site<'_>, install: &mut Install) -> Result<(), String> {
    let named = site.words.paths(&["-t", "--target", "--prefix"])?;
    for folder in &named {
        write_inside(folder, install);
    }
    let system = site.is_on(&["--system"], "UV_SYSTEM_PYTHON")?;
    if system || !named.is_empty() {
        return Ok(());
    }
    let pythons = site.words.values(&["-p", "--python"]);
    let paths: Vec<&str> = pythons.into_iter().flatten().filter(|python| python.contains('/')).collect();
    if let Some(python) = paths.last() {
        let folder = python.split("/bin/").next().unwrap_or(python);
        // A Python of the image itself holds no sources.
        if folder != "/usr" && folder != "/usr/local" {
            write_inside(folder, install);
        }
        return Ok(());
    }
    match site.setting("VIRTUAL_ENV") {
        Setting::Value(folder) if !folder.is_empty() => write_inside(&folder, install),
        Setting::Unknown => install.doubts.push("where VIRTUAL_ENV lies can't be told".to_owned()),
        _ => install.writes.push(".venv".to_owned()),
    }
    Ok(())
}
