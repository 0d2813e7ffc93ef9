//! Scripts that run during an install, and whether they need more than the manifests.
//!
//! Which ones run was measured with npm 8, 10 and 11, yarn 1.22, yarn 3 and 4, pnpm 8, 9, 10 and 12, and bun 1.4.

use super::manifest::{Manifest, at, major};
use super::options::Action;
use super::prisma;
use super::{Program, Project};
use crate::shell;

/// How deep scripts may name one another.
const DEEPEST: usize = 8;

/// The scripts of a project that some version of some program runs while it installs.
pub const LIFE_CYCLE: &[&str] = &[
    "pnpm:devPreinstall",
    "preinstall",
    "install",
    "postinstall",
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
    "dependencies",
];

/// The scripts of a package.json that `program` runs.
fn names(project: &Project, is_root: bool) -> &'static [&'static str] {
    const OLD: &[&str] = &["preinstall", "install", "postinstall"];
    let ignored = project.options.ignore_scripts;
    match project.program {
        _ if project.options.action == Action::Fetch => &[],
        // npm 8 and 10 run the `prepare` of a workspace under --ignore-scripts too; npm 11 doesn't.
        Program::Npm if ignored && !is_root => &["preprepare", "prepare", "postprepare"],
        _ if ignored => &[],
        Program::Berry => OLD,
        Program::Classic if project.options.production => OLD,
        _ => LIFE_CYCLE,
    }
}

/// Looks at all scripts of the packages that the install runs, and at install scripts of dependencies that are known to look at the
/// project around them.
///
/// # Errors
/// Scripts that may need the sources.
pub fn read(project: &mut Project) -> Result<(), String> {
    for (index, manifest) in project.manifests.clone().iter().enumerate() {
        let names = names(project, index == 0);
        for name in names {
            if let Some(script) = manifest.script(name) {
                judge(project, manifest, name, script, 0)?;
            }
        }
        if names.contains(&"install") {
            let binding = at(&manifest.folder, "binding.gyp");
            if project.files.entry(&binding).is_some() {
                return Err(format!("{binding} makes it build the package itself"));
            }
            dependencies(project, manifest)?;
        }
    }
    Ok(())
}

fn judge(project: &mut Project, manifest: &Manifest, name: &str, script: &str, depth: usize) -> Result<(), String> {
    let refused = || format!("the {name} script of {} (`{}`) may need the sources", manifest.path, shorten(script));
    let joined = script.replace("&&", ";").replace("||", ";");
    if depth > DEEPEST || joined.contains(['<', '>', '|', '&', '`', '$', '(', '\\', '{', '*']) {
        return Err(refused());
    }
    for part in joined.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let parsed = shell::parse(part, false).map_err(|_| refused())?;
        let [command] = parsed.commands.as_slice() else { return Err(refused()) };
        let words: Option<Vec<&str>> =
            command.words[command.program..].iter().map(|word| word.value.as_deref()).collect();
        let words = words.filter(|_| command.assignments.is_empty()).ok_or_else(refused)?;
        if !run(project, manifest, name, &words, depth)? {
            return Err(refused());
        }
    }
    Ok(())
}

fn shorten(script: &str) -> String {
    match script.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", &script[..at]),
        None => script.to_owned(),
    }
}

/// Whether a command needs no more than what the project then lists.
fn run(project: &mut Project, manifest: &Manifest, name: &str, words: &[&str], depth: usize) -> Result<bool, String> {
    let Some((&program, rest)) = words.split_first() else { return Ok(false) };
    let first = rest.first().copied().unwrap_or("");
    match program {
        "true" | ":" | "exit" | "echo" | "only-allow" | "is-ci" | "opencollective-postinstall" => Ok(true),
        // They download browsers of the version that node_modules names.
        "playwright" | "cypress" => Ok(first == "install"),
        // Measured with husky 8 and 9: without .git it does nothing; with it, .git/config and .husky/_ change.
        "husky" => {
            project.doubt(format!(
                "the {name} script of {} calls husky, which changes .git where it is copied",
                manifest.path
            ));
            Ok(matches!(first, "" | "install") && rest.len() <= 1)
        }
        "patch-package" => patch_package(project, manifest, rest),
        "prisma" if first == "generate" => {
            prisma::generate(project, manifest, &rest[1..])?;
            Ok(true)
        }
        "npx" | "bunx" => {
            let rest: Vec<&str> = rest.iter().copied().skip_while(|word| word.starts_with('-')).collect();
            run(project, manifest, name, &rest, depth)
        }
        "npm" | "pnpm" | "yarn" | "bun" => {
            let is_run = matches!(first, "run" | "run-script");
            let is_exec = matches!(first, "exec" | "dlx" | "x");
            let inner = if is_run || is_exec { &rest[1..] } else { rest };
            let Some(&called) = inner.first() else { return Ok(false) };
            let script = manifest.script(called).filter(|_| !is_exec && inner.len() == 1);
            match script {
                Some(script) => {
                    for hook in [format!("pre{called}"), format!("post{called}")] {
                        if let Some(script) = manifest.script(&hook) {
                            judge(project, manifest, name, script, depth + 1)?;
                        }
                    }
                    judge(project, manifest, name, script, depth + 1)?;
                    Ok(true)
                }
                // A program of node_modules; commands of the managers themselves are none that `run` knows.
                None if program != "npm" || is_exec => run(project, manifest, name, inner, depth + 1),
                None => Ok(false),
            }
        }
        _ => Ok(false),
    }
}

/// `patch-package` reads its patches and writes to node_modules only.
fn patch_package(project: &mut Project, manifest: &Manifest, words: &[&str]) -> Result<bool, String> {
    let mut folder = "patches";
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--error-on-fail" => {}
            "--patch-dir" => folder = words.next().copied().unwrap_or(folder),
            _ => return Ok(false),
        }
    }
    let folder = at(&manifest.folder, folder);
    if project.files.is_folder(&folder) {
        project.reads(&folder)?;
    }
    Ok(true)
}

/// Packages whose own install scripts look at the project: they set up hooks in .git.
const HOOKS: [&str; 7] =
    ["simple-git-hooks", "lefthook", "@evilmartians/lefthook", "@arkweid/lefthook", "yorkie", "pre-commit", "ghooks"];

fn dependencies(project: &mut Project, manifest: &Manifest) -> Result<(), String> {
    let old_husky = manifest.dependency("husky").and_then(major).is_some_and(|major| major < 5);
    let hooks = HOOKS.into_iter().find(|name| manifest.dependency(name).is_some());
    if let Some(name) = hooks.or(old_husky.then_some("husky")) {
        project.doubt(format!("the install script of {name} changes .git where it is copied"));
    }
    if manifest.dependency("@sveltejs/kit").is_some() {
        return Err("the install script of @sveltejs/kit reads svelte.config.js and writes .svelte-kit".to_owned());
    }
    if manifest.dependency("msw").is_some() && manifest.value.get("msw").is_some() {
        return Err("the install script of msw writes its worker into the sources".to_owned());
    }
    if manifest.dependency("nx").is_some() && project.files.entry(&at(&project.folder, "nx.json")).is_some() {
        project.doubt("the install script of nx looks at nx.json".to_owned());
    }
    // It may come with another package.
    let names = project.files.names(&project.folder);
    let configures = |name: &&String| name.starts_with(".puppeteerrc") || name.starts_with("puppeteer.config.");
    if let Some(name) = names.iter().find(configures) {
        return Err(format!("the install script of puppeteer reads {name}"));
    }
    prisma::client(project, manifest)
}
