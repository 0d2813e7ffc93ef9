//! What Maven reads before it has the dependencies. Always for review: what a build needs beside them (annotation processors, plugins
//! that choose at run time, providers of tests) is downloaded when it runs.
//!
//! Measured with Maven 3.8.7 and maven-dependency-plugin 3.5.0: `dependency:resolve` reads the pom.xml of the folder, of every module
//! and of the parents that a relative path names, fails when the folder of a module is missing, even with `-N`, and writes nothing
//! beside them; in a build of several modules it fails where one needs another. Not measured, because it needs a repository:
//! `dependency:go-offline`, which fails in the same way by MDEP-204 and MDEP-516.
//!
//! Read in Maven's documentation: `.mvn/maven.config`, `.mvn/jvm.config`, `.mvn/extensions.xml`; `relativePath` is `../pom.xml` unless
//! it is given, and empty for none.

mod pom;

use crate::facts::managers::Call;
use crate::facts::manifests::command_line::{as_word, comes_first, has, option, stands_alone};
use crate::facts::manifests::paths::{folder, join_within};
use crate::facts::manifests::{Above, Files, Install, script};
use crate::facts::runs::Run;
use crate::shell::Command;

/// Options that take the next word.
const WITH_VALUE: &[&str] = &[
    "-P",
    "--activate-profiles",
    "-s",
    "--settings",
    "-gs",
    "--global-settings",
    "-f",
    "--file",
    "-t",
    "--toolchains",
    "-D",
    "--define",
];
/// Others that take the next word and say nothing to the download.
const BUILD_ONLY_VALUE: &[&str] = &["-T", "--threads", "-l", "--log-file", "-b", "--builder"];
/// Options that choose among modules.
const MODULES: &[&str] = &["-pl", "--projects", "-rf", "--resume-from"];
/// Flags that say nothing to the download, by their beginning.
const BUILD_ONLY: &[&str] =
    &["-DskipTests", "-DskipITs", "-Dmaven.test.skip", "-Dmaven.javadoc.skip", "-B", "--batch-mode", "-am", "-T"];

/// What the goals of a call do.
#[derive(Debug, PartialEq)]
enum Goals {
    /// Download the project's dependencies.
    Download,
    Build,
    /// Nothing with them.
    None,
}

/// # Errors
/// Why it can't be told what it reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    let (goals, options) = read(call, command)?;
    if goals == Goals::None || has(&["-v", "--version", "-h", "--help"], call, command) {
        return Ok(None);
    }
    if has(&["-o", "--offline"], call, command) {
        return Err("it works offline, so there is nothing to download".to_owned());
    }
    let mut found = Install::default();
    let script = script::look(command, run, files, "mvnw")?;
    // `-fae` is no file.
    let fails = has(&["-fae", "-ff", "-fn"], call, command);
    let named = option(if fails { &["--file"] } else { &["-f", "--file"] }, call, command, run);
    let mut pom = match named {
        None => "pom.xml".to_owned(),
        Some(value) => value.and_then(|path| join_within(".", &path)).ok_or("its pom can't be told")?,
    };
    if files.is_folder(&pom) {
        pom.push_str("/pom.xml");
    }
    if !files.is_file(&pom) {
        return Err(format!("there is no {pom} in the folder"));
    }
    let mut modules = 0;
    pom::read(&pom, files, &mut found, &mut modules)?;
    configuration(folder(&pom), files, &mut found)?;
    wrapper(script.path.as_deref(), files, &mut found)?;
    for names in [["-s", "--settings"], ["-gs", "--global-settings"], ["-t", "--toolchains"]] {
        let Some(path) = option(&names, call, command, run) else { continue };
        let path = path.and_then(|path| join_within(".", &path)).ok_or("its settings can't be told")?;
        if files.is_file(&path) {
            found.reads.push(path);
        } else if !path.starts_with('/') {
            return Err(format!("{path} isn't there"));
        }
    }
    if let Some(repository) = option(&["-Dmaven.repo.local"], call, command, run) {
        found.writes.push(repository.and_then(|path| join_within(".", &path)).ok_or("its repository can't be told")?);
    }
    if goals == Goals::Download {
        found.doubts.push("plugins of the build may read files of the sources".to_owned());
        return Ok(Some(found));
    }
    if modules > 0 || has(MODULES, call, command) {
        return Err(
            "it has modules, and `dependency:go-offline` fails where one needs another that isn't built yet".to_owned()
        );
    }
    comes_first(call, files)?;
    stands_alone(call, command, run)?;
    found.above = Above::Other(format!("{} -B{options} dependency:go-offline", script.start));
    found.doubts.push(
        "`dependency:go-offline` downloads more than the build needs, not what plugins choose when they run, and may fail where the build doesn't"
            .to_owned(),
    );
    Ok(Some(found))
}

/// What the goals do, and the options that hold for the download too, each with a space in front.
fn read(call: &Call, command: &Command) -> Result<(Goals, String), String> {
    let (mut goals, mut options) = (Vec::new(), String::new());
    let mut words = command.words.get(call.arguments..).unwrap_or(&[]).iter();
    while let Some(word) = words.next() {
        let raw = word.raw.as_str();
        let value = if WITH_VALUE.contains(&raw) || BUILD_ONLY_VALUE.contains(&raw) || MODULES.contains(&raw) {
            words.next()
        } else {
            None
        };
        if !raw.starts_with('-') {
            goals.push(word.value.as_deref().ok_or_else(|| format!("the goal {raw} can't be told"))?);
        } else if BUILD_ONLY_VALUE.contains(&raw)
            || MODULES.contains(&raw)
            || BUILD_ONLY.iter().any(|flag| raw.starts_with(flag))
        {
        } else {
            for word in std::iter::once(word).chain(value) {
                options.push(' ');
                options.push_str(&as_word(word, command)?);
            }
        }
    }
    let dependency = |goal: &str| goal.starts_with("dependency:") || goal.contains("maven-dependency-plugin:");
    let nothing = |goal: &str| {
        let plugin = goal.split_once(':').map(|(plugin, _)| plugin);
        goal == "clean"
            || matches!(plugin, Some("wrapper" | "archetype" | "help" | "versions"))
            || goal.ends_with(":wrapper")
    };
    let kind = if goals.iter().all(|goal| nothing(goal)) {
        Goals::None
    } else if goals.iter().all(|goal| dependency(goal)) {
        let whole = |goal: &&str| matches!(goal.rsplit(':').next(), Some("go-offline" | "resolve" | "resolve-plugins"));
        if goals.iter().all(whole) { Goals::Download } else { Goals::None }
    } else {
        Goals::Build
    };
    Ok((kind, options))
}

/// The folder `.mvn` beside the pom, or the nearest above it.
fn configuration(root: &str, files: &dyn Files, found: &mut Install) -> Result<(), String> {
    let mut at = root;
    let settings = loop {
        let beside = join_within(at, ".mvn").ok_or("its .mvn can't be told")?;
        if files.is_folder(&beside) {
            break beside;
        }
        if matches!(at, "." | "/") {
            return Ok(());
        }
        at = folder(at);
    };
    let extensions = files.text(&format!("{settings}/extensions.xml")).unwrap_or_default();
    if ["jgitver", "polyglot", "git-", "tiles"].iter().any(|name| extensions.contains(name)) {
        return Err("an extension in .mvn reads more than the poms".to_owned());
    }
    let config = files.text(&format!("{settings}/maven.config")).unwrap_or_default();
    let names_files = config.split_whitespace().any(|word| {
        [
            "-s",
            "-gs",
            "-t",
            "-f",
            "--settings",
            "--global-settings",
            "--toolchains",
            "--file",
            "-Dmaven.repo.local",
            "-o",
        ]
        .iter()
        .any(|option| word == *option || word.starts_with(&format!("{option}=")))
    });
    if names_files {
        return Err(".mvn/maven.config names further files".to_owned());
    }
    found.reads.push(settings);
    Ok(())
}

/// What `./mvnw` needs. Older ones download their jar into `.mvn/wrapper`.
fn wrapper(path: Option<&str>, files: &dyn Files, found: &mut Install) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    let beside = join_within(folder(path), ".mvn").ok_or("its .mvn can't be told")?;
    if !files.is_file(&format!("{beside}/wrapper/maven-wrapper.properties")) {
        return Err(format!("{path} has no {beside}/wrapper/maven-wrapper.properties"));
    }
    if !found.reads.contains(&beside) {
        found.reads.push(beside.clone());
    }
    let jar = format!("{beside}/wrapper/maven-wrapper.jar");
    if files.text(path).is_none_or(|text| text.contains("maven-wrapper.jar")) && files.entry(&jar).is_none() {
        found.writes.push(jar);
    }
    found.reads.insert(0, path.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::manifests::memory::install as ask;

    const POM: &str = "<project><parent><artifactId>boot</artifactId><relativePath/></parent></project>";

    fn result(command: &str, files: &[(&str, &str)]) -> Result<Option<Install>, String> {
        ask(&format!("FROM maven:3.9-eclipse-temurin-21\nWORKDIR /app\nRUN {command}"), files)
    }

    #[test]
    fn the_download_comes_first_with_the_same_profiles_and_settings() {
        let files = [("pom.xml", POM), ("settings.xml", "<settings/>"), (".mvn/jvm.config", "-Xmx1g")];
        let found = result("mvn -B -q clean package -DskipTests -Pprod -s settings.xml -Drevision=1 -T 4", &files);
        let found = found.unwrap().unwrap();
        assert_eq!(found.reads, ["pom.xml", ".mvn", "settings.xml"]);
        let above = "mvn -B -q -Pprod -s settings.xml -Drevision=1 dependency:go-offline";
        assert_eq!(found.above, Above::Other(above.to_owned()));
        assert_eq!((found.writes.len(), found.doubts.len()), (0, 1));
    }

    #[test]
    fn a_download_is_moved_as_it_is() {
        let modules =
            "<project><!-- <module>x</module> --><modules><module>api</module><module>app</module></modules></project>";
        let files = [("pom.xml", modules), ("api/pom.xml", "<project/>"), ("app/pom.xml", POM), ("app/src/A.java", "")];
        let found = result("mvn dependency:go-offline -B", &files).unwrap().unwrap();
        assert_eq!(
            (found.above, found.reads),
            (Above::Itself, vec!["pom.xml".into(), "api/pom.xml".into(), "app/pom.xml".into()])
        );
        assert!(result("mvn package", &files).unwrap_err().contains("modules"));
        assert!(result("mvn dependency:resolve", &files[..2]).unwrap_err().contains("app"));
    }

    #[test]
    fn parents_in_the_sources_come_along() {
        let child = "<project><parent><artifactId>p</artifactId></parent></project>";
        let files = [("pom.xml", "<project/>"), ("svc/pom.xml", child)];
        assert_eq!(result("mvn -f svc/pom.xml package", &files).unwrap().unwrap().reads, ["svc/pom.xml", "pom.xml"]);
        assert_eq!(result("mvn package", &[("pom.xml", child)]).unwrap().unwrap().reads, ["pom.xml"]);
    }

    #[test]
    fn the_wrapper_comes_along_and_is_started_through_a_shell_where_it_has_no_mode() {
        let wrapper = ("mvnw", "#!/bin/sh\nmaven-wrapper.jar\n");
        let files = [("pom.xml", POM), wrapper, (".mvn/wrapper/maven-wrapper.properties", "")];
        let found = result("chmod +x mvnw && ./mvnw package", &files).unwrap().unwrap();
        assert_eq!(found.above, Above::Other("sh ./mvnw -B dependency:go-offline".to_owned()));
        assert_eq!(
            (found.reads, found.writes),
            (vec!["mvnw".into(), "pom.xml".into(), ".mvn".into()], vec![".mvn/wrapper/maven-wrapper.jar".into()])
        );
        let found = result("MAVEN_OPTS=-Xmx1g ./mvnw package", &files).unwrap().unwrap();
        assert_eq!(found.above, Above::Other("MAVEN_OPTS=-Xmx1g ./mvnw -B dependency:go-offline".to_owned()));
        assert!(result("sed -i 's/\\r$//' mvnw && ./mvnw package", &files).is_err());
        assert!(result("./mvnw package", &files[..2]).is_err());
    }

    #[test]
    fn what_needs_the_sources_is_refused() {
        for (pom, named) in [
            (
                "<project><dependencies><dependency><systemPath>${basedir}/x.jar</systemPath></dependency></dependencies></project>",
                "systemPath",
            ),
            (
                "<project><profiles><profile><activation><file><exists>x</exists></file></activation></profile></profiles></project>",
                "looks for files",
            ),
            (
                "<project><repositories><repository><url>file://${project.basedir}/repo</url></repository></repositories></project>",
                "repository",
            ),
        ] {
            let error = result("mvn package", &[("pom.xml", pom)]).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
        assert!(
            result("apt-get install -y maven && mvn package", &[("pom.xml", POM)]).unwrap_err().contains("apt-get")
        );
        assert!(result("mvn -fae package", &[("pom.xml", POM)]).is_ok());
        assert!(result("mvn -o package", &[("pom.xml", POM)]).is_err());
        assert!(result("mvn -s ci/settings.xml package", &[("pom.xml", POM)]).is_err());
        assert!(result("mvn package", &[]).is_err());
    }

    #[test]
    fn calls_that_download_nothing_of_the_project_are_none() {
        for command in [
            "mvn clean",
            "mvn wrapper:wrapper",
            "mvn -v",
            "mvn dependency:get -Dartifact=a:b:1",
            "mvn archetype:generate",
        ] {
            assert_eq!(result(command, &[("pom.xml", POM)]), Ok(None), "{command}");
        }
    }
}
