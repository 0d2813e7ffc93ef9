//! uv: `uv sync` and `uv pip`.
//!
//! Sources: uv docs/guides/integration/docker.md (intermediate layers), docs/concepts/projects/{sync,workspaces,config}.md.
//! Measured with uv 0.13: `--no-install-project` (`--no-install-workspace`) on the manifests alone, then the sources and the whole
//! command, gives the environment of one step, `uv_cache.json` (a time stamp) and its line in RECORD aside. `--frozen` needs no
//! metadata of the project; `--locked` builds the project where its dependencies are dynamic, not where only its version is.

mod pip;
mod settings;

use super::folders::{self, Beneath, take};
use super::paths::join;
use super::pyproject::{Document, is_local_place};
use super::variables::{Setting, setting};
use super::words::Words;
use super::{Above, Files, Install};
use crate::facts::managers::{Call, Verb};
use crate::facts::runs::Run;
use crate::shell::Command;
use settings::{Site, VALUED, write_inside};

/// # Errors
/// Why it can't be told what the call reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    if call.verb != Verb::Install {
        return Ok(None);
    }
    let words = match call.verb_text {
        "sync" | "pip install" | "pip sync" => Words::read(call, command, run, VALUED)?,
        "add" => return Err("uv add changes pyproject.toml, which the copy of the sources brings back".to_owned()),
        _ => return Ok(None),
    };
    if words.has(&["--dry-run", "--check", "--help", "-h"]) {
        return Ok(None);
    }
    let mut folders = words.paths(&["--directory"])?;
    if call.verb_text == "sync" {
        folders.extend(words.paths(&["--project"])?);
    } else if words.has(&["--project"]) {
        return Err("--project moves its settings".to_owned());
    }
    for name in ["UV_PROJECT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY"] {
        if setting(run, command, name) != Setting::Unset {
            return Err(format!("{name} moves the project"));
        }
    }
    let folder = folders.iter().fold(".".to_owned(), |folder, next| join(&folder, next));
    let beneath = Beneath { files, folder };
    let site = Site { words: &words, command, run, files: &beneath };
    let found = if call.verb_text == "sync" { sync(&site) } else { pip::install(call.verb_text, &site) };
    Ok(Some(beneath.outside(found?)))
}

fn sync(site: &Site<'_>) -> Result<Install, String> {
    let Site { words, files, .. } = *site;
    if let Some(word) = words.others.first() {
        return Err(format!("restow doesn't know what {word} means to uv sync"));
    }
    if words.has(&["--script"]) {
        return Err("it installs what a script of the sources names".to_owned());
    }
    let pyproject =
        Document::read(files, "pyproject.toml")?.ok_or("there is no pyproject.toml in the folder that it runs in")?;
    let mut install = Install::default();
    take(&mut install.reads, files, "pyproject.toml")?;
    let locked = take(&mut install.reads, files, "uv.lock")?;
    let frozen = site.is_on(&["--frozen"], "UV_FROZEN")?;
    let checked = site.is_on(&["--locked"], "UV_LOCKED")?;
    match (locked, frozen || checked) {
        (false, true) => return Err("it installs from uv.lock, which is not among the copied sources".to_owned()),
        (false, false) => install.doubts.push(
            "there is no uv.lock, so the versions are chosen anew when pyproject.toml changes, no longer when the code does"
                .to_owned(),
        ),
        (true, false) => install.rewrites.push("uv.lock".to_owned()),
        (true, true) => {}
    }
    for name in [".python-version", ".python-versions"] {
        take(&mut install.reads, files, name)?;
    }
    site.configure(Some(&pyproject), &mut install)?;
    let members = workspace(&pyproject, files)?;
    let mut manifests = vec![pyproject];
    for member in &members {
        let path = join(member, "pyproject.toml");
        take(&mut install.reads, files, &path)?;
        manifests.extend(Document::read(files, &path)?);
    }
    for manifest in &manifests {
        manifest.refuse_local_requirements()?;
        manifest.refuse_local_paths(&["tool", "uv", "sources"])?;
        if let Some(field) = manifest.computed_dependencies().filter(|_| !frozen) {
            return Err(format!("its {field} are dynamic, so uv builds the project to check uv.lock"));
        }
    }
    let pyproject = &manifests[0];
    let locked_as_package = check_lock(files, &members, frozen, &mut install)?;
    write_environment(site, &mut install);
    let nothing_local = site.is_on(&["--no-install-workspace", "--no-install-local"], "UV_NO_INSTALL_WORKSPACE")?
        || site.is_on(&[], "UV_NO_INSTALL_LOCAL")?;
    let without_project = nothing_local || site.is_on(&["--no-install-project"], "UV_NO_INSTALL_PROJECT")?;
    let has_workspace = pyproject.get(&["tool", "uv", "workspace"]).is_some();
    install.above = if has_workspace && !nothing_local {
        Above::WithWords(vec!["--no-install-workspace".to_owned()])
    } else if has_workspace || without_project || !is_package(pyproject) && !locked_as_package {
        Above::Itself
    } else {
        Above::WithWords(vec!["--no-install-project".to_owned()])
    };
    Ok(install)
}

/// Whether uv installs the project itself. Source: docs/concepts/projects/config.md, build systems.
fn is_package(pyproject: &Document) -> bool {
    let built = pyproject.get(&["build-system"]).is_some();
    pyproject.is_true(&["tool", "uv", "package"]) || built && !pyproject.is_false(&["tool", "uv", "package"])
}

/// The folders of the workspace's members, the root aside.
fn workspace(pyproject: &Document, files: &dyn Files) -> Result<Vec<String>, String> {
    if pyproject.is_false(&["tool", "uv", "managed"]) {
        return Err("pyproject.toml says that uv doesn't manage the project".to_owned());
    }
    if pyproject.get(&["tool", "uv", "workspace"]).is_none() {
        for folder in folders::above() {
            let path = format!("{folder}/pyproject.toml");
            let Some(above) = Document::read(files, &path)? else { continue };
            if above.get(&["tool", "uv", "workspace"]).is_some() {
                return Err(format!("it belongs to the workspace of {path}"));
            }
        }
        if pyproject.get(&["project"]).is_none() {
            return Err("pyproject.toml has no [project] table".to_owned());
        }
        return Ok(Vec::new());
    }
    let listed = |key: &str| -> Result<Vec<String>, String> {
        let patterns = pyproject.strings(&["tool", "uv", "workspace", key]);
        let found: Result<Vec<_>, _> = patterns.into_iter().map(|pattern| folders::matching(files, pattern)).collect();
        Ok(found?.concat())
    };
    let excluded = listed("exclude")?;
    let mut members = listed("members")?;
    members.retain(|folder| {
        let named = files.is_file(&join(folder, "pyproject.toml"));
        named && !excluded.iter().any(|other| other == folder) && folder != "."
    });
    members.dedup();
    if members.iter().any(|member| member.starts_with("..") || member.starts_with('/')) {
        return Err("a member of its workspace lies outside the folder".to_owned());
    }
    Ok(members)
}

/// Whether the lock file has the project as a package.
///
/// # Errors
/// Packages in it that are taken from the sources.
fn check_lock(files: &dyn Files, members: &[String], frozen: bool, install: &mut Install) -> Result<bool, String> {
    if !files.is_file("uv.lock") {
        return Ok(false);
    }
    if files.text("uv.lock").is_none() {
        if frozen {
            install.doubts.push(
                "uv.lock is too large to be read, and --frozen doesn't compare it with pyproject.toml".to_owned(),
            );
        }
        return Ok(false);
    }
    let lock = Document::read(files, "uv.lock")?;
    let packages = lock.as_ref().and_then(|lock| lock.get(&["package"])).and_then(toml::Value::as_array);
    let mut root = false;
    for package in packages.into_iter().flatten() {
        let Some(source) = package.get("source").and_then(toml::Value::as_table) else { continue };
        for (kind, place) in source {
            let Some(place) = place.as_str() else { continue };
            let local = match kind.as_str() {
                "editable" | "directory" | "virtual" => place != "." && !members.iter().any(|member| member == place),
                "path" => true,
                "registry" | "url" => is_local_place(place),
                _ => false,
            };
            if local {
                return Err(format!("uv.lock takes a package from {place} in the sources"));
            }
            root |= place == "." && kind != "virtual";
        }
    }
    Ok(root)
}

/// The virtual environment. Source: docs/concepts/projects/config.md, project environment path.
fn write_environment(site: &Site<'_>, install: &mut Install) {
    if site.words.has(&["--active"]) {
        match site.setting("VIRTUAL_ENV") {
            Setting::Value(folder) => return write_inside(&folder, install),
            Setting::Unset => {}
            Setting::Unknown => install.doubts.push("where VIRTUAL_ENV lies can't be told".to_owned()),
        }
    }
    match site.setting("UV_PROJECT_ENVIRONMENT") {
        Setting::Value(folder) if !folder.is_empty() => write_inside(&folder, install),
        Setting::Unknown => {
            install.doubts.push("where UV_PROJECT_ENVIRONMENT puts the packages can't be told".to_owned())
        }
        _ => install.writes.push(".venv".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::{install as of, run, why};
    use super::*;

    const VIRTUAL: (&str, &str) = ("pyproject.toml", "[project]\nname = 'a'\ndependencies = ['idna']\n");
    const PACKAGE: (&str, &str) =
        ("pyproject.toml", "[project]\nname = 'a'\ndynamic = ['version']\n[build-system]\nrequires = ['hatchling']\n");
    const LOCK: (&str, &str) = ("uv.lock", "version = 1\n");

    fn words(word: &str) -> Above {
        Above::WithWords(vec![word.to_owned()])
    }

    fn with_pyproject(text: &str) -> String {
        why("uv sync --frozen", &[("pyproject.toml", text), LOCK])
    }

    #[test]
    fn a_package_is_installed_below_its_dependencies() {
        let files = [PACKAGE, LOCK, (".python-version", "3.12"), ("uv.toml", ""), ("README.md", "")];
        let install = run("uv sync --locked --no-dev --extra cpu", &files).unwrap().unwrap();
        assert_eq!(install.reads, ["pyproject.toml", "uv.lock", ".python-version", "uv.toml"]);
        assert_eq!((install.writes, install.above), (vec![".venv".to_owned()], words("--no-install-project")));
        assert!(install.rewrites.is_empty() && install.doubts.is_empty());
    }

    #[test]
    fn a_project_that_is_no_package_moves_as_it_is() {
        for command in ["uv sync --frozen", "UV_LOCKED=1 uv sync"] {
            let install = run(command, &[VIRTUAL, LOCK]).unwrap().unwrap();
            assert_eq!((install.above, install.rewrites), (Above::Itself, vec![]), "{command}");
        }
        let without = run("uv sync --frozen --no-install-project", &[PACKAGE, LOCK]).unwrap().unwrap();
        assert_eq!(without.above, Above::Itself);
        // Older versions took every project for a package; their lock files say so.
        let old = ("uv.lock", "[[package]]\nname = 'a'\nsource = { editable = '.' }\n");
        assert_eq!(run("uv sync --frozen", &[VIRTUAL, old]).unwrap().unwrap().above, words("--no-install-project"));
    }

    #[test]
    fn a_lock_file_that_is_not_frozen_may_be_rewritten() {
        assert_eq!(run("uv sync", &[PACKAGE, LOCK]).unwrap().unwrap().rewrites, ["uv.lock"]);
        let unlocked = run("uv sync", &[PACKAGE]).unwrap().unwrap();
        assert_eq!((unlocked.rewrites.len(), unlocked.doubts.len()), (0, 1));
        assert!(why("uv sync --frozen", &[PACKAGE]).contains("uv.lock"));
        let dockerfile = "FROM x\nARG UV_FROZEN\nRUN uv sync\n";
        assert_eq!(of(dockerfile, &[PACKAGE, LOCK]).unwrap_err(), "what UV_FROZEN says can't be told");
    }

    #[test]
    fn a_workspace_brings_the_manifests_of_its_members() {
        let root = "[project]\nname = 'a'\n[build-system]\n[tool.uv.workspace]\nmembers = ['packages/*']\nexclude = ['packages/c']\n\
                    [tool.uv.sources]\nb = { workspace = true }\n";
        let files = [
            ("pyproject.toml", root),
            ("uv.lock", "[[package]]\nname = 'b'\nsource = { editable = 'packages/b' }\n"),
            ("packages/b/pyproject.toml", "[project]\nname = 'b'\n"),
            ("packages/c/pyproject.toml", "[project]\nname = 'c'\n"),
            ("packages/d/README.md", ""),
        ];
        let install = run("uv sync --frozen --no-install-project", &files).unwrap().unwrap();
        assert_eq!(install.reads, ["pyproject.toml", "uv.lock", "packages/b/pyproject.toml"]);
        assert_eq!(install.above, words("--no-install-workspace"));
        let already = run("uv sync --frozen --no-install-workspace", &files).unwrap().unwrap();
        assert_eq!(already.above, Above::Itself);
    }

    #[test]
    fn what_comes_from_the_sources_is_refused() {
        let project = "[project]\nname = 'a'\n";
        for more in [
            "[tool.uv.sources]\nb = { path = 'b' }\n",
            "[tool.uv.sources]\nb = [{ path = 'b', marker = 'x' }]\n",
            "dependencies = ['b @ file:///x']\n",
            "[tool.uv]\nfind-links = ['wheels']\n",
            "[[tool.uv.index]]\nname = 'x'\nurl = 'wheels'\n",
            "[tool.uv]\nmanaged = false\n",
        ] {
            with_pyproject(&format!("{project}{more}"));
        }
        let lock = ("uv.lock", "[[package]]\nname = 'b'\nsource = { directory = 'b' }\n");
        assert_eq!(why("uv sync --frozen", &[VIRTUAL, lock]), "uv.lock takes a package from b in the sources");
        assert!(run("uv sync --frozen --index https://x.example/simple", &[VIRTUAL, LOCK]).is_ok());
        assert!(why("uv sync --frozen --find-links wheels", &[VIRTUAL, LOCK]).contains("wheels"));
    }

    #[test]
    fn dynamic_dependencies_need_the_sources_unless_the_lock_is_frozen() {
        let dynamic = ("pyproject.toml", "[project]\nname = 'a'\ndynamic = ['dependencies']\n[build-system]\n");
        assert!(why("uv sync --locked", &[dynamic, LOCK]).contains("dynamic"));
        assert!(run("uv sync --frozen", &[dynamic, LOCK]).is_ok());
    }

    #[test]
    fn the_environment_lies_where_the_variable_says() {
        let dockerfile = "FROM x\nENV UV_PROJECT_ENVIRONMENT=/opt/venv\nRUN uv sync --frozen --directory api\n";
        let files = [("api/pyproject.toml", VIRTUAL.1), ("api/uv.lock", "")];
        let install = of(dockerfile, &files).unwrap().unwrap();
        assert_eq!(install.reads, ["api/pyproject.toml", "api/uv.lock"]);
        assert_eq!(install.writes, ["/opt/venv"]);
    }

    #[test]
    fn words_that_only_the_build_knows_are_refused() {
        assert!(why("uv sync --frozen $MORE", &[VIRTUAL, LOCK]).contains("$MORE"));
        assert!(run("uv sync --frozen --extra $GPU --group=$X", &[VIRTUAL, LOCK]).is_ok());
    }

    #[test]
    fn requirement_files_come_with_what_they_include() {
        let files = [("r/a.txt", "-r b.txt\n-c c.txt\nidna==3.7\n"), ("r/b.txt", "x"), ("r/c.txt", ""), ("x", "")];
        let install = run("uv pip install --system -r r/a.txt x", &files).unwrap().unwrap();
        assert_eq!(
            (install.reads, install.writes.len()),
            (vec!["r/a.txt".to_owned(), "r/b.txt".into(), "r/c.txt".into()], 0)
        );
        assert_eq!(install.above, Above::Itself);
        let synced = run("uv pip sync r/c.txt", &files).unwrap().unwrap();
        assert_eq!((synced.reads, synced.writes), (vec!["r/c.txt".to_owned()], vec![".venv".to_owned()]));
    }

    #[test]
    fn what_builds_the_project_is_refused() {
        let files = [("r.txt", "-e ./lib\n"), PACKAGE];
        assert_eq!(why("uv pip install -e .", &files), "it installs the project itself");
        assert_eq!(why("uv pip install '.[x]'", &files), "it installs .[x] from the sources");
        assert!(why("uv pip install -r r.txt", &files).contains("./lib"));
        assert!(why("uv pip install -r gone.txt", &files).contains("gone.txt"));
        assert!(run("uv pip install -r pyproject.toml", &files).is_ok());
        let dynamic = [("pyproject.toml", "[project]\ndynamic = ['dependencies']\n")];
        assert!(why("uv pip install -r pyproject.toml", &dynamic).contains("builds the project"));
    }

    #[test]
    fn other_calls_install_nothing_of_a_project() {
        for command in ["uv run app.py", "uv tool install x", "uv lock", "uvx ruff"] {
            assert_eq!(run(command, &[PACKAGE]), Ok(None), "{command}");
        }
    }
}
