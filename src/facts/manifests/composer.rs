//! What `composer install` reads and writes.
//!
//! Measured with composer 2.5.5: `composer install --no-scripts --no-autoloader` beside composer.json and composer.lock alone, then the
//! sources, then the whole command gives the files that the command alone gives: with and without a git repository, with `--no-dev`,
//! `-o`, `-a`, `--prefer-dist`, `--no-scripts`, `--no-autoloader`. Only the random suffix in the names of the autoloader's classes
//! differs, as it does between any two runs. `--no-autoloader` wins over `-o` and `-a`. The lock file is not written. Scripts on single
//! packages (`post-package-install` and the like) don't run, because the second run has no packages to install. Plugins run in both,
//! `--no-scripts` or not. A real build of it is `tests/builds/sources-before-composer`.
//!
//! The first run looks at composer.json, composer.lock and `.git` in the folder (its files traced); from `.git` comes only the version
//! of the project itself in vendor/composer/installed.php, which the second run writes anew.
//!
//! Read in composer's documentation: a path repository links or copies the package from the sources.

use serde_json::Value;

use super::command_line::{comes_first, has, option, stands_alone};
use super::paths::{folder, is_local, join_within};
use super::{Above, Files, Install};
use crate::facts::managers::Call;
use crate::facts::manifests::variables::{Setting, setting};
use crate::facts::runs::Run;
use crate::shell::Command;

/// Events that only the run sees that installs the packages.
/// Source: composer documentation, "Scripts", package events, and `pre-operations-exec`, `pre-file-download` of installers.
const PACKAGE_EVENTS: &[&str] = &[
    "pre-package-install",
    "post-package-install",
    "pre-package-update",
    "post-package-update",
    "pre-package-uninstall",
    "post-package-uninstall",
    "pre-operations-exec",
    "pre-file-download",
    "post-file-download",
    "pre-pool-create",
];

/// Keys of `extra` with which plugins read files of the sources or write beside them, by the plugin that reads them.
const EXTRA: &[(&str, &str)] = &[
    ("patches", "composer-patches applies files of the sources"),
    ("patches-file", "composer-patches applies files of the sources"),
    ("composer-patches", "composer-patches applies files of the sources"),
    ("enable-patching", "composer-patches applies files of other packages"),
    ("merge-plugin", "composer-merge-plugin reads further composer.json files"),
    ("drupal-scaffold", "drupal-scaffold writes files beside the sources"),
    ("bamarni-bin", "bamarni/composer-bin-plugin reads further composer.json files"),
    ("magento-root-dir", "the Magento installer writes files beside the sources"),
    ("magento-deploystrategy", "the Magento installer writes files beside the sources"),
    ("wordpress-install-dir", "the WordPress installer writes beside the sources"),
    ("webroot-dir", "an installer writes beside the sources"),
    ("asset-installer-paths", "an installer writes beside the sources"),
    ("asset-repositories", "an installer writes beside the sources"),
    ("mouf", "an installer writes beside the sources"),
    ("studio", "Studio takes packages from the sources"),
];

/// Types of packages that go into the vendor folder. Source: composer documentation, "Schema", type; the others that are usual.
const PLAIN: &[&str] = &[
    "library",
    "project",
    "metapackage",
    "composer-plugin",
    "composer-installer",
    "php-ext",
    "symfony-bundle",
    "phpstan-extension",
    "phpcodesniffer-standard",
    "psalm-plugin",
    "yii2-extension",
];

/// # Errors
/// Why it can't be told what it reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    if has(&["--dry-run", "--help", "-h", "--version", "-V", "--no-install", "--download-only"], call, command) {
        return Ok(None);
    }
    match call.verb_text {
        "install" | "i" => {}
        "update" | "u" => return Err("`composer update` changes composer.lock".to_owned()),
        "require" | "r" => return Err("`composer require` changes composer.json".to_owned()),
        _ => return Ok(None),
    }
    let mut found = Install::default();
    let root = match option(&["-d", "--working-dir"], call, command, run) {
        None => ".".to_owned(),
        Some(value) => value.and_then(|path| join_within(".", &path)).ok_or("its --working-dir can't be told")?,
    };
    let at = |path: &str| join_within(&root, path).ok_or_else(|| format!("{path} lies outside the sources"));
    let manifest = match known("COMPOSER", command, run)? {
        Some(name) if !name.is_empty() => at(&name)?,
        _ => at("composer.json")?,
    };
    if !files.is_file(&manifest) {
        return Err(format!("there is no {manifest} in the folder"));
    }
    let text = files.text(&manifest).ok_or_else(|| format!("{manifest} can't be read"))?;
    let json: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| format!("{manifest} can't be read"))?;
    let lock = format!("{}.lock", manifest.strip_suffix(".json").unwrap_or(&manifest));

    own_program(command, files, &mut found)?;
    found.reads.push(manifest.clone());
    let mut packages = None;
    if files.is_file(&lock) {
        found.reads.push(lock.clone());
        packages = locked(&lock, json["name"].as_str().unwrap_or(""), files)?;
    } else {
        found.doubts.push(format!("there is no {lock}, so the step keeps the versions of the day it ran"));
    }
    for name in ["auth.json", "symfony.lock", "patches.lock.json"] {
        let name = at(name)?;
        if files.is_file(&name) {
            found.reads.push(name);
        }
    }
    repositories(&json)?;
    scripts(&json, call, command, &mut found)?;
    if !has(&["--no-plugins"], call, command) {
        plugins(&json, packages.as_deref(), &mut found)?;
    }
    writes(&json, &root, command, run, &mut found)?;

    let missing: Vec<String> = ["--no-scripts", "--no-autoloader"]
        .into_iter()
        .filter(|flag| !has(&[flag], call, command))
        .map(str::to_owned)
        .collect();
    if !missing.is_empty() {
        comes_first(call, files)?;
        stands_alone(call, command, run)?;
        found.above = Above::WithWords(missing);
    }
    Ok(Some(found))
}

fn known(name: &str, command: &Command, run: &Run) -> Result<Option<String>, String> {
    match setting(run, command, name) {
        Setting::Unset => Ok(None),
        Setting::Value(value) => Ok(Some(value)),
        Setting::Unknown => Err(format!("{name} can't be told")),
    }
}

/// `./composer.phar` of the sources.
fn own_program(command: &Command, files: &dyn Files, found: &mut Install) -> Result<(), String> {
    let word = command.words.get(command.program).map_or("", |word| word.value.as_deref().unwrap_or(""));
    if let Some(path) = word.contains('/').then(|| join_within(".", word)).flatten() {
        if files.is_file(&path) {
            found.reads.push(path);
        } else if !word.starts_with('/') {
            return Err(format!("{word} isn't there"));
        }
    }
    Ok(())
}

/// The packages of the lock file, `None` if it can't be read.
///
/// # Errors
/// A package that comes out of the sources, or one that asks for a version of the project, which composer learns from its repository.
fn locked(lock: &str, project: &str, files: &dyn Files) -> Result<Option<Vec<Package>>, String> {
    let Some(json) = files.text(lock).and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
        return Ok(None);
    };
    let mut packages = Vec::new();
    for package in ["packages", "packages-dev"].iter().flat_map(|key| list(&json, key)) {
        let name = package["name"].as_str().unwrap_or("").to_owned();
        if package["require"].get(project).is_some() {
            return Err(format!("{name} asks for a version of {project} itself"));
        }
        for kind in ["dist", "source"] {
            if package[kind]["type"] == "path" || package[kind]["url"].as_str().is_some_and(is_local) {
                return Err(format!("{name} comes out of the sources"));
            }
        }
        packages.push(Package { name, kind: package["type"].as_str().unwrap_or("library").to_owned() });
    }
    Ok(Some(packages))
}

/// A package of a lock file.
struct Package {
    name: String,
    /// `library`, `composer-plugin`, or what an installer looks at.
    kind: String,
}

fn list<'a>(json: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    json.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn repositories(json: &Value) -> Result<(), String> {
    let named = json.get("repositories");
    let listed = named.and_then(Value::as_array).into_iter().flatten();
    let mapped = named.and_then(Value::as_object).into_iter().flat_map(|map| map.values());
    for repository in listed.chain(mapped) {
        let kind = repository["type"].as_str().unwrap_or("");
        let address = repository["url"].as_str().unwrap_or("");
        if matches!(kind, "path" | "artifact") || is_local(address) {
            return Err(format!("composer.json takes packages from {address}"));
        }
        let package = repository.get("package").map(Value::to_string).unwrap_or_default();
        if kind == "package"
            && ["\"type\":\"path\"", "\"url\":\"/", "\"url\":\".", "\"url\":\"file:"]
                .iter()
                .any(|part| package.contains(part))
        {
            return Err("composer.json describes a package that comes out of the sources".to_owned());
        }
    }
    Ok(())
}

fn scripts(json: &Value, call: &Call, command: &Command, found: &mut Install) -> Result<(), String> {
    if has(&["--no-scripts"], call, command) {
        return Ok(());
    }
    let named = |event: &str| json["scripts"].get(event).is_some();
    if let Some(event) = PACKAGE_EVENTS.iter().find(|event| named(event)) {
        return Err(format!("its script {event} runs with the packages and needs the sources"));
    }
    if named("pre-install-cmd") {
        found.doubts.push("its script pre-install-cmd comes to run behind the download of the packages".to_owned());
    }
    Ok(())
}

/// Plugins run with `--no-scripts` too, and nothing tells what they read.
fn plugins(json: &Value, packages: Option<&[Package]>, found: &mut Install) -> Result<(), String> {
    let extra = json["extra"].as_object();
    if let Some((_, why)) = EXTRA.iter().find(|(key, _)| extra.is_some_and(|extra| extra.contains_key(*key))) {
        return Err((*why).to_owned());
    }
    let allowed = &json["config"]["allow-plugins"];
    let names: Vec<&str> = match (packages, allowed) {
        (Some(packages), _) => {
            let plugins = packages
                .iter()
                .filter(|package| matches!(package.kind.as_str(), "composer-plugin" | "composer-installer"));
            plugins.map(|package| package.name.as_str()).filter(|name| allowed[*name] != false).collect()
        }
        (None, Value::Bool(true)) => vec!["any"],
        (None, Value::Object(map)) => {
            map.iter().filter(|(_, value)| **value == true).map(|(name, _)| name.as_str()).collect()
        }
        // Before composer 2.2 nothing had to be allowed.
        (None, Value::Null) => vec!["what it requires"],
        _ => Vec::new(),
    };
    if names.is_empty() {
        return Ok(());
    }
    let placed = packages.into_iter().flatten().find(|package| !PLAIN.contains(&package.kind.as_str()));
    if let Some(package) = placed.filter(|_| extra.is_none_or(|extra| !extra.contains_key("installer-paths"))) {
        return Err(format!("a plugin may put {} ({}) beside the sources", package.name, package.kind));
    }
    found.doubts.push(format!("composer runs plugins ({}), which may read the sources", names.join(", ")));
    Ok(())
}

/// Where the packages go, with their programs.
fn writes(json: &Value, root: &str, command: &Command, run: &Run, found: &mut Install) -> Result<(), String> {
    let configured = |key: &str| json["config"][key].as_str().map(str::to_owned);
    let vendor = known("COMPOSER_VENDOR_DIR", command, run)?.or_else(|| configured("vendor-dir"));
    let vendor = vendor.unwrap_or_else(|| "vendor".to_owned());
    let bin = known("COMPOSER_BIN_DIR", command, run)?.or_else(|| configured("bin-dir"));
    let home = [vendor.as_str(), bin.as_deref().unwrap_or("")].into_iter().find(|path| path.contains(['$', '~']));
    if let Some(path) = home {
        return Err(format!("it installs into {path}, which can't be told"));
    }
    let place =
        |path: &str| join_within(root, path).ok_or_else(|| format!("it installs into {path}, outside the sources"));
    let mut add = |path: String| {
        let inside = found.writes.iter().any(|known| path == *known || path.starts_with(&format!("{known}/")));
        if !inside {
            found.writes.push(path);
        }
    };
    let vendor = place(&vendor)?;
    if vendor == root || vendor == "." {
        return Err("it installs into the folder of the sources".to_owned());
    }
    add(vendor.clone());
    if let Some(bin) = bin {
        // `{$vendor-dir}/bin` was refused with the other variables.
        add(place(&bin)?);
    }
    let paths = json["extra"]["installer-paths"].as_object();
    for path in paths.into_iter().flat_map(|map| map.keys()) {
        // `web/modules/{$name}/`: the packages share a folder with the project's own.
        let fixed = path.split(['{', '$']).next().unwrap_or("").trim_end_matches('/');
        let inside = place(if fixed.is_empty() { "." } else { fixed })?;
        if inside == "." || !path.contains('{') && inside == folder(&inside) {
            return Err(format!("installer-paths puts packages into {path}"));
        }
        add(inside);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::memory::install as ask;
    use super::*;

    const PHP: &str = "FROM php:8.3\nWORKDIR /app\nRUN ";
    const LOCK: &str = r#"{"packages":[{"name":"a/b","dist":{"type":"zip","url":"https://example/b.zip"}}]}"#;

    fn result(command: &str, composer: &str) -> Result<Option<Install>, String> {
        ask(&format!("{PHP}{command}"), &[("composer.json", composer), ("composer.lock", LOCK), ("auth.json", "{}")])
    }

    #[test]
    fn the_packages_are_installed_without_scripts_and_autoloader() {
        let found =
            result("composer install --no-dev -o", r#"{"require":{"a/b":"^1"},"autoload":{"files":["x.php"]}}"#);
        let found = found.unwrap().unwrap();
        assert_eq!(found.reads, ["composer.json", "composer.lock", "auth.json"]);
        assert_eq!((found.writes, found.rewrites, found.doubts), (vec!["vendor".to_owned()], vec![], vec![]));
        assert_eq!(found.above, Above::WithWords(vec!["--no-scripts".to_owned(), "--no-autoloader".to_owned()]));
        let found = result("composer i --no-scripts", "{}").unwrap().unwrap();
        assert_eq!(found.above, Above::WithWords(vec!["--no-autoloader".to_owned()]));
        let found = result("composer install --no-autoloader --no-scripts", "{}").unwrap().unwrap();
        assert_eq!(found.above, Above::Itself);
    }

    #[test]
    fn other_folders_and_names_are_followed() {
        let files =
            [("api/my.json", r#"{"config":{"vendor-dir":"lib/vendor","bin-dir":"bin"}}"#), ("api/my.lock", "{}")];
        let found = ask(&format!("{PHP}COMPOSER=my.json composer -d api install"), &files).unwrap().unwrap();
        assert_eq!(found.reads, ["api/my.json", "api/my.lock"]);
        assert_eq!(found.writes, ["api/lib/vendor", "api/bin"]);
        let found = ask(&format!("{PHP}composer install --working-dir=$X"), &files);
        assert!(found.is_err());
    }

    #[test]
    fn packages_and_plugins_that_need_the_sources_are_refused() {
        for (composer, named) in [
            (r#"{"repositories":[{"type":"path","url":"packages/*"}]}"#, "packages/*"),
            (r#"{"repositories":{"x":{"type":"vcs","url":"../x"}}}"#, "../x"),
            (r#"{"repositories":[{"packagist":false},{"type":"artifact","url":"zips"}]}"#, "zips"),
            (r#"{"extra":{"patches":{"a/b":{"fix":"patches/a.patch"}}}}"#, "composer-patches"),
            (r#"{"extra":{"merge-plugin":{"include":["modules/*/composer.json"]}}}"#, "merge"),
            (r#"{"scripts":{"post-package-install":"@php x.php"}}"#, "post-package-install"),
            (r#"{"config":{"vendor-dir":"$HOME/v"}}"#, "$HOME"),
            (r#"{"extra":{"installer-paths":{"{$name}/":["type:x"]}}}"#, "installer-paths"),
            ("{", "composer.json"),
        ] {
            let error = result("composer install", composer).unwrap_err();
            assert!(error.contains(named), "{composer}: {error}");
        }
        let path = r#"{"packages-dev":[{"name":"me/lib","dist":{"type":"path","url":"lib"}}]}"#;
        let error =
            ask(&format!("{PHP}composer install"), &[("composer.json", "{}"), ("composer.lock", path)]).unwrap_err();
        assert_eq!(error, "me/lib comes out of the sources");
    }

    #[test]
    fn what_can_not_be_shown_is_doubted() {
        let flex = r#"{"packages":[{"name":"symfony/flex","type":"composer-plugin"}]}"#;
        let files = [("composer.json", r#"{"scripts":{"pre-install-cmd":"x"}}"#), ("composer.lock", flex)];
        let found = ask(&format!("{PHP}composer install"), &files).unwrap().unwrap();
        assert_eq!(found.doubts.len(), 2);
        assert!(found.doubts[1].contains("(symfony/flex)"));
        let found = ask(&format!("{PHP}composer install --no-plugins --no-scripts"), &files).unwrap().unwrap();
        assert!(found.doubts.is_empty());
        let refused =
            [("composer.json", r#"{"config":{"allow-plugins":{"symfony/flex":false}}}"#), ("composer.lock", flex)];
        assert!(ask(&format!("{PHP}composer install"), &refused).unwrap().unwrap().doubts.is_empty());
        let unread = [("composer.json", r#"{"config":{"allow-plugins":{"a/b":true}}}"#), ("composer.lock", "")];
        assert_eq!(ask(&format!("{PHP}composer install"), &unread).unwrap().unwrap().doubts.len(), 1);
        let found = ask(&format!("{PHP}composer install --no-plugins"), &[("composer.json", "{}")]).unwrap().unwrap();
        assert_eq!(found.doubts, ["there is no composer.lock, so the step keeps the versions of the day it ran"]);
    }

    #[test]
    fn packages_that_an_installer_may_place_are_refused() {
        let lock = r#"{"packages":[{"name":"composer/installers","type":"composer-plugin"},{"name":"a/p","type":"wordpress-plugin"}]}"#;
        let error =
            ask(&format!("{PHP}composer install"), &[("composer.json", "{}"), ("composer.lock", lock)]).unwrap_err();
        assert_eq!(error, "a plugin may put a/p (wordpress-plugin) beside the sources");
    }

    #[test]
    fn a_run_that_sets_composer_up_first_is_refused() {
        for front in
            ["composer config -g repos.x composer https://x", "apk add composer", "composer require a/b", "X=1"]
        {
            assert!(result(&format!("{front} && composer install"), "{}").is_err(), "{front}");
        }
        assert!(result("cd . && composer --version && composer install", "{}").is_ok());
    }

    #[test]
    fn a_second_install_is_left_where_it_is() {
        let split = "composer install --no-scripts --no-autoloader\nRUN composer install";
        assert_eq!(result(split, "{}").unwrap_err(), "its dependencies are installed in front of the sources already");
    }

    #[test]
    fn a_package_that_asks_for_the_project_is_refused() {
        let lock = r#"{"packages":[{"name":"a/b","require":{"me/x":"dev-main"}}]}"#;
        let files = [("composer.json", r#"{"name":"me/x"}"#), ("composer.lock", lock)];
        let error = ask(&format!("{PHP}composer install"), &files).unwrap_err();
        assert_eq!(error, "a/b asks for a version of me/x itself");
    }

    #[test]
    fn packages_outside_vendor_are_told() {
        let paths =
            r#"{"extra":{"installer-paths":{"web/modules/contrib/{$name}":["type:drupal-module"],"web/core":["x"]}}}"#;
        let found = result("composer install", paths).unwrap().unwrap();
        assert_eq!(found.writes, ["vendor", "web/core", "web/modules/contrib"]);
    }

    #[test]
    fn calls_that_install_nothing_of_the_project_are_none() {
        for command in [
            "composer dump-autoload",
            "composer create-project a/b .",
            "composer global require a/b",
            "composer install --dry-run",
        ] {
            assert_eq!(result(command, "{}"), Ok(None), "{command}");
        }
        assert!(result("composer update", "{}").is_err());
    }
}
