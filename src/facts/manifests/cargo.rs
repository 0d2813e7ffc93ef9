//! cargo: the downloads of a build (`cargo fetch`). Compiling the dependencies without the sources is left to tools made for it.
//!
//! Sources: The Cargo Book, reference/{manifest,cargo-targets,workspaces,config,source-replacement}.md. Measured with cargo 1.95:
//! `cargo fetch --locked` takes a manifest only where its targets are there (`no targets specified in the manifest`, `can't find …
//! bin`, `default-run target not found`, `links … does not have a custom build script`); empty files in their places are enough, and a
//! target with an explicit path needs none. So files that the sources have are created empty: the copy of the sources overwrites
//! each of them, and nothing is left behind.

use super::folders::{above, matching, take};
use super::paths::{join, parent};
use super::pyproject::{Document, find_string};
use super::variables::{Setting, setting};
use super::words::Words;
use super::{Above, Files, Install};
use crate::facts::managers::Call;
use crate::facts::runs::Run;
use crate::shell::Command;

/// Tables of a manifest that list dependencies.
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// # Errors
/// Why it can't be told what the call reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    match call.verb_text {
        "chef cook" => return Err("cargo-chef builds the dependencies from a recipe already".to_owned()),
        "build" | "b" | "test" | "check" | "run" | "r" | "rustc" | "doc" | "clippy" | "bench" | "fetch"
        | "auditable" | "zigbuild" | "leptos" => {}
        "install" if command.words.iter().any(|word| word.raw.starts_with("--path")) => {}
        _ => return Ok(None),
    }
    let raw = |index: usize| command.words.get(index).map_or("", |word| word.raw.as_str());
    let given = |flag: &str| command.words.iter().any(|word| word.raw == flag);
    if given("--offline") || given("--frozen") {
        return Ok(None);
    }
    let earlier = run.calls().iter().filter(|other| other.command < call.command && other.manager.id == "cargo");
    if earlier.into_iter().any(|other| matches!(other.verb_text, "fetch" | "chef cook" | "vendor")) {
        return Ok(None);
    }
    if let Some(word) = command.words.iter().find(|word| word.raw.starts_with("--manifest-path") || word.raw == "-C") {
        return Err(format!("{} moves the manifest that it reads", word.raw));
    }
    if call.verb_text == "install" {
        let words = Words::read(call, command, run, &["--path"])?;
        if words.paths(&["--path"])?.iter().any(|path| join(".", path) != ".") {
            return Err("--path moves the manifest that it reads".to_owned());
        }
    }
    let mut package = Package { files, install: Install::default(), stubs: Vec::new(), seen: Vec::new() };
    package.workspace()?;
    let Package { mut install, mut stubs, .. } = package;
    match setting(run, command, "CARGO_HOME") {
        Setting::Value(home) => install.writes.push(join(".", &home)),
        Setting::Unset => {}
        Setting::Unknown => install.doubts.push("where CARGO_HOME puts the crates can't be told".to_owned()),
    }
    stubs.sort();
    stubs.dedup();
    let mut folders: Vec<String> = stubs.iter().map(|stub| parent(stub)).filter(|folder| folder != ".").collect();
    folders.dedup();
    if let Some(path) = stubs.iter().chain(&folders).find(|path| !is_plain(path)) {
        return Err(format!("the name {path} needs quotes"));
    }
    let toolchain = Some(raw(command.program + 1)).filter(|word| word.starts_with('+')).map(|word| format!(" {word}"));
    let fetch = format!("{}{} fetch --locked", raw(command.program), toolchain.unwrap_or_default());
    let mut steps = Vec::new();
    if !folders.is_empty() {
        steps.push(format!("mkdir -p {}", folders.join(" ")));
    }
    if !stubs.is_empty() {
        steps.push(format!("touch {}", stubs.join(" ")));
    }
    steps.push(fetch);
    install.above = Above::Other(steps.join(" && "));
    install.doubts.push("only the downloads move: the crates are compiled below the sources as before".to_owned());
    if !stubs.is_empty() {
        install.doubts.push("cargo reads no manifest without its targets, so they are created empty first".to_owned());
    }
    if !given("--locked") {
        install.doubts.push("cargo fetch --locked fails where Cargo.lock is out of date".to_owned());
    }
    Ok(Some(install))
}

/// Whether a path is one word of the shell as it stands.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_'))
        && !path.starts_with('-')
}

/// The manifests of a workspace, read one after the other.
struct Package<'a> {
    files: &'a dyn Files,
    install: Install,
    /// Target files without which a manifest isn't taken.
    stubs: Vec<String>,
    seen: Vec<String>,
}

impl Package<'_> {
    fn workspace(&mut self) -> Result<(), String> {
        let files = self.files;
        let root =
            Document::read(files, "Cargo.toml")?.ok_or("there is no Cargo.toml in the folder that it runs in")?;
        take(&mut self.install.reads, files, "Cargo.toml")?;
        if !take(&mut self.install.reads, files, "Cargo.lock")? {
            return Err("there is no Cargo.lock, so each build chooses the versions anew".to_owned());
        }
        for name in ["rust-toolchain", "rust-toolchain.toml"] {
            take(&mut self.install.reads, files, name)?;
        }
        self.configuration()?;
        if root.get(&["workspace"]).is_none() {
            for folder in above() {
                let path = format!("{folder}/Cargo.toml");
                if Document::read(files, &path)?.is_some_and(|above| above.get(&["workspace"]).is_some()) {
                    return Err(format!("it belongs to the workspace of {path}"));
                }
            }
        }
        let excluded = root.strings(&["workspace", "exclude"]);
        let excluded: Vec<String> = excluded.into_iter().map(|path| join(".", path)).collect();
        for pattern in root.strings(&["workspace", "members"]) {
            let folders = matching(files, pattern)?;
            if folders.is_empty() {
                return Err(format!("its member {pattern} is not among the copied sources"));
            }
            for folder in folders.iter().filter(|folder| !excluded.contains(folder)) {
                let globbed = pattern.contains(['*', '?']);
                if !globbed || files.entry(&join(folder, "Cargo.toml")).is_some() {
                    self.package(folder)?;
                }
            }
        }
        self.package(".")
    }

    /// .cargo/config.toml here and above.
    fn configuration(&mut self) -> Result<(), String> {
        for name in [".cargo/config.toml", ".cargo/config"] {
            for folder in above() {
                let path = format!("{folder}/{name}");
                if self.files.entry(&path).is_some() {
                    return Err(format!("it reads {path} in a folder above"));
                }
            }
            if !take(&mut self.install.reads, self.files, name)? {
                continue;
            }
            let Some(config) = Document::read(self.files, name)? else { continue };
            let named = ["paths", "include"].into_iter().find(|key| config.get(&[key]).is_some());
            let sources = config.get(&["source"]).and_then(toml::Value::as_table);
            let local = sources.into_iter().flat_map(|sources| sources.values());
            let local = local.into_iter().any(|source| {
                ["directory", "local-registry"].iter().any(|key| source.get(key).is_some())
                    || find_string(source, &|text| text.starts_with("file:")).is_some()
            });
            if local || named.is_some() {
                return Err(format!("{name} takes crates or settings from the sources"));
            }
        }
        Ok(())
    }

    fn package(&mut self, folder: &str) -> Result<(), String> {
        if self.seen.iter().any(|seen| seen == folder) {
            return Ok(());
        }
        self.seen.push(folder.to_owned());
        if folder.starts_with("..") || folder.starts_with('/') {
            return Err(format!("it needs the crate {folder} outside the folder"));
        }
        let path = join(folder, "Cargo.toml");
        let manifest =
            Document::read(self.files, &path)?.ok_or_else(|| format!("{path} is not among the copied sources"))?;
        take(&mut self.install.reads, self.files, &path)?;
        if manifest.get(&["package"]).is_some() {
            self.targets(folder, &manifest)?;
        }
        let mut tables: Vec<&toml::Value> = DEPENDENCIES.iter().filter_map(|key| manifest.get(&[key])).collect();
        tables.extend(manifest.get(&["workspace", "dependencies"]));
        for targets in ["target", "patch"] {
            let inner = manifest.get(&[targets]).and_then(toml::Value::as_table);
            let inner = inner.into_iter().flat_map(|table| table.values());
            for table in inner {
                match targets {
                    "patch" => tables.push(table),
                    _ => tables.extend(DEPENDENCIES.iter().filter_map(|key| table.get(key))),
                }
            }
        }
        tables.extend(manifest.get(&["replace"]));
        let paths: Vec<String> = tables
            .into_iter()
            .filter_map(toml::Value::as_table)
            .flat_map(|table| table.values())
            .filter_map(|dependency| dependency.get("path").and_then(toml::Value::as_str))
            .map(|path| join(folder, path))
            .collect();
        paths.iter().try_for_each(|path| self.package(path))
    }

    /// Notes the files that must be there for the manifest to be read.
    fn targets(&mut self, folder: &str, manifest: &Document) -> Result<(), String> {
        let files = self.files;
        let mut found = Vec::new();
        let mut note = |path: &str| {
            let path = join(folder, path);
            let there = files.is_file(&path);
            if there {
                found.push(path);
            }
            there
        };
        let library = note("src/lib.rs");
        let program = note("src/main.rs");
        let named = manifest.get(&["package", "default-run"]).is_some();
        let inferred = |kind: &str| {
            let tables = manifest.get(&[kind]).and_then(toml::Value::as_array);
            let tables: Vec<&toml::Value> =
                tables.into_iter().flatten().filter(|target| target.get("path").is_none()).collect();
            tables
                .into_iter()
                .filter_map(|target| target.get("name"))
                .filter_map(toml::Value::as_str)
                .collect::<Vec<_>>()
        };
        let bins = join(folder, "src/bin");
        if named || !inferred("bin").is_empty() || !library && !program {
            for name in files.names(&bins) {
                let inner =
                    if name.ends_with(".rs") { format!("src/bin/{name}") } else { format!("src/bin/{name}/main.rs") };
                note(&inner);
            }
        }
        for (kind, place) in [("example", "examples"), ("test", "tests"), ("bench", "benches")] {
            for name in inferred(kind) {
                if !note(&format!("{place}/{name}.rs")) && !note(&format!("{place}/{name}/main.rs")) {
                    return Err(format!("its {kind} {name} is not among the copied sources"));
                }
            }
        }
        if manifest.get(&["package", "links"]).is_some() && manifest.get(&["package", "build"]).is_none() {
            note("build.rs");
        }
        let explicit = |table: &toml::Value| table.get("path").is_some();
        let bins = manifest.get(&["bin"]).and_then(toml::Value::as_array);
        let has_explicit = manifest.get(&["lib"]).is_some_and(explicit) || bins.into_iter().flatten().any(explicit);
        if found.is_empty() && !has_explicit {
            return Err(format!(
                "cargo reads {} only with its targets, which are not found",
                join(folder, "Cargo.toml")
            ));
        }
        self.stubs.extend(found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::{run, why};
    use super::*;

    const LOCK: (&str, &str) = ("Cargo.lock", "");

    fn above(files: &[(&str, &str)]) -> String {
        match run("cargo build --release --locked", files).unwrap().unwrap().above {
            Above::Other(command) => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_targets_of_the_sources_are_created_empty() {
        let package = ("Cargo.toml", "[package]\nname = 'a'\n");
        let files =
            [package, LOCK, ("src/main.rs", ""), ("src/lib.rs", ""), ("src/a.rs", ""), ("rust-toolchain.toml", "")];
        assert_eq!(above(&files), "mkdir -p src && touch src/lib.rs src/main.rs && cargo fetch --locked");
        let install = run("cargo +nightly build", &files).unwrap().unwrap();
        assert_eq!(install.reads, ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"]);
        assert!(
            matches!(install.above, Above::Other(command) if command.ends_with("&& cargo +nightly fetch --locked"))
        );
        assert_eq!((install.writes.len(), install.doubts.len()), (0, 3));
    }

    #[test]
    fn targets_with_a_path_need_no_file() {
        let package = ("Cargo.toml", "[package]\nname = 'a'\n[[bin]]\nname = 'b'\npath = 'b.rs'\n");
        assert_eq!(above(&[package, LOCK, ("b.rs", "")]), "cargo fetch --locked");
        let inferred = ("Cargo.toml", "[package]\nname = 'a'\ndefault-run = 'b'\nlinks = 'z'\n[[bench]]\nname = 'c'\n");
        let files =
            [inferred, LOCK, ("src/bin/b.rs", ""), ("src/bin/d/main.rs", ""), ("benches/c.rs", ""), ("build.rs", "")];
        assert_eq!(
            above(&files),
            "mkdir -p benches src/bin src/bin/d && touch benches/c.rs build.rs src/bin/b.rs src/bin/d/main.rs && cargo fetch --locked"
        );
    }

    #[test]
    fn a_workspace_brings_the_manifests_of_its_members() {
        let files = [
            ("Cargo.toml", "[workspace]\nmembers = ['crates/*']\nexclude = ['crates/c']\n"),
            LOCK,
            (".cargo/config.toml", "[build]\nrustflags = []\n"),
            ("crates/a/Cargo.toml", "[package]\nname = 'a'\n[dependencies]\nb = { path = '../../b' }\n"),
            ("crates/a/src/lib.rs", ""),
            ("crates/c/Cargo.toml", ""),
            ("b/Cargo.toml", "[package]\nname = 'b'\n"),
            ("b/src/lib.rs", ""),
        ];
        let install = run("cargo build", &files).unwrap().unwrap();
        assert_eq!(
            install.reads,
            ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "crates/a/Cargo.toml", "b/Cargo.toml"]
        );
        assert!(above(&files).starts_with("mkdir -p b/src crates/a/src && touch b/src/lib.rs crates/a/src/lib.rs"));
    }

    #[test]
    fn what_is_not_there_or_local_is_refused() {
        let package = ("Cargo.toml", "[package]\nname = 'a'\n");
        let main = ("src/main.rs", "");
        assert!(why("cargo build", &[package, main]).contains("no Cargo.lock"));
        assert!(why("cargo build", &[package, LOCK]).contains("targets"));
        let vendored = (".cargo/config.toml", "[source.vendored-sources]\ndirectory = 'vendor'\n");
        assert!(why("cargo build", &[package, LOCK, main, vendored]).contains("from the sources"));
        let path = ("Cargo.toml", "[package]\nname = 'a'\n[dependencies]\nb = { path = '../b' }\n");
        assert!(why("cargo build", &[path, LOCK, main]).contains("outside"));
        assert!(why("cargo build --manifest-path x/Cargo.toml", &[package, LOCK, main]).contains("--manifest-path"));
        assert!(why("cargo chef cook --release", &[package]).contains("cargo-chef"));
        for command in ["cargo install ripgrep", "cargo build --offline", "cargo fetch && cargo build"] {
            assert_eq!(run(command, &[package, LOCK, main]), Ok(None), "{command}");
        }
    }
}
