//! What Gradle reads before it has the dependencies. Always for review.
//!
//! Measured with Gradle 4.4.1 and a Maven repository on loopback: `gradle dependencies` fetches the metadata of the dependencies (their
//! POMs) and not their jars, which come with `gradle classes`; `classes`, `assemble` and `build -x test` without sources fetch nothing.
//! It looks at settings.gradle, also in the folder above, build.gradle, gradle.properties and buildSrc (its files traced). It writes
//! `.gradle` beside the settings; builds write `build` into each project. Not measured: newer versions, and what comes along
//! in any case, the distribution that `./gradlew` downloads and the plugins of the build scripts.
//!
//! Read in Gradle's user guide: "The Directories and Files Gradle Uses", "Settings file", "Sharing dependency versions".

mod build_script;

use crate::facts::managers::Call;
use crate::facts::manifests::command_line::{as_word, comes_first, has, option, stands_alone};
use crate::facts::manifests::paths::{folder, join_within};
use crate::facts::manifests::{Above, Files, Install, script};
use crate::facts::runs::Run;
use crate::shell::Command;

/// Options that hold for the download too.
const KEPT: &[&str] = &["-p", "--project-dir", "-g", "--gradle-user-home"];
/// Others that take the next word.
const WITH_VALUE: &[&str] = &["-x", "--exclude-task", "--max-workers", "--console", "--warning-mode", "--priority"];
/// Options that name scripts or builds.
const SCRIPTS: &[&str] = &["-b", "--build-file", "-c", "--settings-file", "-I", "--init-script", "--include-build"];

/// Tasks that need no dependencies.
const NO_TASKS: &[&str] = &["wrapper", "clean", "help", "init", "tasks", "projects", "properties", "javaToolchains"];

/// # Errors
/// Why it can't be told what it reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    let (tasks, options) = read(call, command)?;
    let task = |task: &str| task.rsplit(':').next().unwrap_or("").to_owned();
    // `wrapper --gradle-version 8` has a value that looks like a task.
    let idle = tasks.iter().all(|name| NO_TASKS.contains(&task(name).as_str()))
        || tasks.first().is_some_and(|name| matches!(name.as_str(), "wrapper" | "init"));
    if idle || has(&["-v", "--version", "-h", "--help", "--stop", "--status", "-?"], call, command) {
        return Ok(None);
    }
    if has(&["--offline"], call, command) {
        return Err("it works offline, so there is nothing to download".to_owned());
    }
    if let Some(name) = SCRIPTS.iter().find(|name| option(&[name], call, command, run).is_some()) {
        return Err(format!("`{name}` names a script that is not read"));
    }
    let script = script::look(command, run, files, "gradlew")?;
    let mut found = Install::default();
    if let Some(path) = &script.path {
        let wrapper = join_within(folder(path), "gradle/wrapper").filter(|wrapper| files.is_folder(wrapper));
        wrapper.ok_or_else(|| format!("{path} has no gradle/wrapper"))?;
        found.reads.push(path.clone());
    }
    let root = match option(&["-p", "--project-dir"], call, command, run) {
        None => ".".to_owned(),
        Some(value) => value.and_then(|path| join_within(".", &path)).ok_or("its --project-dir can't be told")?,
    };
    project(&root, script.path.as_deref(), files, &mut found)?;
    if let Some(home) = option(&["-g", "--gradle-user-home"], call, command, run) {
        found.writes.push(home.and_then(|path| join_within(".", &path)).ok_or("its --gradle-user-home can't be told")?);
    }
    if tasks.iter().all(|name| matches!(task(name).as_str(), "dependencies" | "buildEnvironment")) {
        found.doubts.push(
            "`gradle dependencies` downloads the metadata of the dependencies, and their jars come with the build"
                .to_owned(),
        );
        return Ok(Some(found));
    }
    comes_first(call, files)?;
    stands_alone(call, command, run)?;
    found.above = Above::Other(format!("{}{options} --no-daemon dependencies", script.start));
    found.doubts.push(
        "`gradle dependencies` downloads Gradle itself, its plugins and the metadata of the dependencies, while their jars still come \
         with the build"
            .to_owned(),
    );
    Ok(Some(found))
}

/// The tasks, and the options that hold for the download too, each with a space in front.
fn read(call: &Call, command: &Command) -> Result<(Vec<String>, String), String> {
    let (mut tasks, mut options) = (Vec::new(), String::new());
    let mut words = command.words.get(call.arguments..).unwrap_or(&[]).iter();
    while let Some(word) = words.next() {
        let raw = word.raw.as_str();
        if !raw.starts_with('-') {
            tasks.push(word.value.clone().ok_or_else(|| format!("the task {raw} can't be told"))?);
            continue;
        }
        let kept = KEPT.contains(&raw);
        let takes = kept || WITH_VALUE.contains(&raw) || SCRIPTS.contains(&raw) || matches!(raw, "-P" | "-D");
        let value = if takes { words.next() } else { None };
        let property = raw.starts_with("-P")
            || raw.starts_with("-D")
            || KEPT.iter().any(|name| raw.starts_with(&format!("{name}=")));
        if kept || property {
            for word in std::iter::once(word).chain(value) {
                options.push(' ');
                options.push_str(&as_word(word, command)?);
            }
        }
    }
    Ok((tasks, options))
}

/// The build of the folder `root`.
fn project(root: &str, start: Option<&str>, files: &dyn Files, found: &mut Install) -> Result<(), String> {
    let at = |path: &str| join_within(root, path).ok_or_else(|| format!("{path} lies outside the sources"));
    for (folder, why) in
        [("buildSrc", "buildSrc holds code of the build"), ("build-logic", "build-logic holds code of the build")]
    {
        if files.entry(&at(folder)?).is_some() {
            return Err(why.to_owned());
        }
    }
    let settings = either(root, "settings.gradle", files)?;
    let mut projects = vec![root.to_owned()];
    if let Some(settings) = &settings {
        let text = build_script::read(settings, files)?;
        found.reads.push(settings.clone());
        for name in build_script::included(&text, settings)? {
            // `:a:b` lies in a/b, and `a` is a project too.
            let mut place = root.to_owned();
            for part in name.trim_start_matches(':').split(':') {
                place =
                    join_within(&place, part).ok_or_else(|| format!("the project {name} lies outside the sources"))?;
                if !projects.contains(&place) {
                    projects.push(place.clone());
                }
            }
        }
    } else if root != "."
        || ["../settings.gradle", "../settings.gradle.kts"].iter().any(|path| files.entry(path).is_some())
    {
        return Err(format!("{root} has no settings of its own, so Gradle looks for some above it"));
    }
    for project in &projects {
        match either(project, "build.gradle", files)? {
            Some(build) => {
                build_script::read(&build, files)?;
                found.reads.push(build);
            }
            None if project == root && settings.is_none() => return Err(format!("there is no build.gradle in {root}")),
            None => {}
        }
        for name in ["gradle.properties", "gradle.lockfile", "buildscript-gradle.lockfile"] {
            let path = join_within(project, name).unwrap_or_default();
            if files.is_file(&path) {
                found.reads.push(path);
            }
        }
        found.writes.extend(join_within(project, "build"));
    }
    let beside_start = start.and_then(|path| join_within(folder(path), "gradle"));
    for path in [Some(at("settings-gradle.lockfile")?), Some(at("gradle")?), beside_start].into_iter().flatten() {
        if files.entry(&path).is_some() && !found.reads.contains(&path) {
            found.reads.push(path);
        }
    }
    found.writes.insert(0, at(".gradle")?);
    Ok(())
}

/// `build.gradle` or `build.gradle.kts` of a folder.
fn either(root: &str, name: &str, files: &dyn Files) -> Result<Option<String>, String> {
    let paths = [name.to_owned(), format!("{name}.kts"), format!("{name}.dcl")];
    let found: Vec<String> =
        paths.iter().filter_map(|path| join_within(root, path)).filter(|path| files.entry(path).is_some()).collect();
    match found.as_slice() {
        [] => Ok(None),
        [path] if files.is_file(path) => Ok(Some(path.clone())),
        _ => Err(format!("{} is no plain file, or stands beside another", found.join(" and "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::manifests::memory::install as ask;

    const BUILD: &str = "plugins {\n  id 'java' // file(\n}\nrepositories { mavenCentral() }\ndependencies {\n  implementation 'a:b:1'\n}\n";

    fn result(command: &str, files: &[(&str, &str)]) -> Result<Option<Install>, String> {
        ask(&format!("FROM gradle:8-jdk21\nWORKDIR /app\nRUN {command}"), files)
    }

    #[test]
    fn the_build_scripts_of_all_projects_come_first() {
        let files = [
            ("settings.gradle.kts", "rootProject.name = \"x\"\ninclude(\":api\", \"lib:core\",\n)\n"),
            ("gradle.properties", "a=b"),
            ("gradle/libs.versions.toml", ""),
            ("api/build.gradle.kts", "plugins { java }\n"),
            ("lib/core/build.gradle", BUILD),
            ("src/A.java", ""),
        ];
        let found = result("gradle clean build -x test -Pprod --no-daemon", &files).unwrap().unwrap();
        let reads =
            ["settings.gradle.kts", "gradle.properties", "api/build.gradle.kts", "lib/core/build.gradle", "gradle"];
        assert_eq!(found.reads, reads);
        assert_eq!(found.writes, [".gradle", "build", "api/build", "lib/build", "lib/core/build"]);
        assert_eq!(found.above, Above::Other("gradle -Pprod --no-daemon dependencies".to_owned()));
        assert_eq!(found.doubts.len(), 1);
    }

    #[test]
    fn the_wrapper_comes_along() {
        let files =
            [("gradlew", "#!/bin/sh\n"), ("gradle/wrapper/gradle-wrapper.properties", ""), ("build.gradle", BUILD)];
        let found = result("chmod +x ./gradlew && ./gradlew bootJar", &files).unwrap().unwrap();
        assert_eq!(
            (found.reads, found.above),
            (
                vec!["gradlew".into(), "build.gradle".into(), "gradle".into()],
                Above::Other("sh ./gradlew --no-daemon dependencies".to_owned())
            )
        );
        assert!(result("./gradlew build", &files[..1]).is_err());
        assert_eq!(result("gradle dependencies", &files).unwrap().unwrap().above, Above::Itself);
    }

    #[test]
    fn scripts_that_may_read_files_are_refused() {
        for build in [
            "dependencies { implementation files('libs/a.jar') }",
            "apply from: 'gradle/x.gradle'",
            "apply plugin: 'java'\napply from : \"$x\"",
            "version = new File('VERSION').text",
            "def sha = 'git rev-parse HEAD'.execute().text",
        ] {
            assert!(result("gradle build", &[("build.gradle", build)]).is_err(), "{build}");
        }
        for settings in [
            "include(*dirs)",
            "includeBuild '../x'",
            "include 'a'\nproject(':a').projectDir = 1",
            "include \"$x\"",
            "fs.each { include it }",
        ] {
            let files = [("settings.gradle", settings), ("build.gradle", BUILD)];
            assert!(result("gradle build", &files).is_err(), "{settings}");
        }
        assert!(result("gradle build", &[("build.gradle", BUILD), ("buildSrc/build.gradle", "")]).is_err());
        assert!(result("gradle build -I init.gradle", &[("build.gradle", BUILD)]).is_err());
        assert!(result("gradle build", &[("src/A.java", "")]).is_err());
    }

    #[test]
    fn calls_that_need_no_dependencies_are_none() {
        for command in ["gradle clean", "gradle wrapper --gradle-version 8", "gradle --version"] {
            assert_eq!(result(command, &[("build.gradle", BUILD)]), Ok(None), "{command}");
        }
    }
}
