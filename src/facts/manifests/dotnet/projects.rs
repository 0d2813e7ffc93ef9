//! What a restore reads: the project or solution, what it references and imports, and the files that MSBuild and NuGet find by name.
//!
//! Sources: learn.microsoft.com, MSBuild: customize by directory (Directory.Build.props is looked for upwards), reserved properties;
//! NuGet: nuget.config settings (looked for upwards), central package management, packages.lock.json; .NET: global.json overview.

use super::super::folders::{take, upwards};
use super::super::paths::{join, parent};
use super::super::{Files, Install};
use super::xml::{Tag, tags};

/// Projects that a restore evaluates as SDK-style projects.
const PROJECTS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];

/// Files of an evaluation that are found by name, in the folder of a project or above.
const UPWARDS: [&str; 5] = [
    "Directory.Build.props",
    "Directory.Build.targets",
    "Directory.Packages.props",
    "Directory.Build.rsp",
    "global.json",
];

/// Properties that move what a restore reads or writes.
const MOVING: [&str; 7] = [
    "BaseIntermediateOutputPath",
    "MSBuildProjectExtensionsPath",
    "RestoreOutputPath",
    "RestorePackagesPath",
    "UseArtifactsOutput",
    "ArtifactsPath",
    "RestoreConfigFile",
];

/// The files that are read, and what they say.
pub struct Reader<'a> {
    pub files: &'a dyn Files,
    pub install: Install,
    /// Whether the lock files of NuGet can't be written.
    pub locked: bool,
    seen: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(files: &'a dyn Files, locked: bool) -> Self {
        Self { files, install: Install::default(), locked, seen: Vec::new() }
    }

    /// Reads the project or solution that `named` means, or the only one in the folder that it means.
    ///
    /// # Errors
    /// What can't be read, isn't there, or needs more than projects.
    pub fn target(&mut self, named: Option<&str>) -> Result<(), String> {
        let path = join(".", named.unwrap_or("."));
        if self.files.entry(&path).is_none() {
            return Err(format!("{path} is not among the copied sources"));
        }
        let path = if self.files.is_folder(&path) { self.only_project(&path)? } else { path };
        if path.ends_with(".sln") || path.ends_with(".slnx") { self.solution(&path) } else { self.project(&path) }
    }

    fn only_project(&self, folder: &str) -> Result<String, String> {
        let names = self.files.names(folder);
        let fits = |name: &&String| name.ends_with("proj") || name.ends_with(".sln") || name.ends_with(".slnx");
        let mut found = names.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(join(folder, only)),
            (None, _) => Err("there is no project and no solution in the folder that it runs in".to_owned()),
            _ => Err("there are several projects or solutions in the folder that it runs in".to_owned()),
        }
    }

    fn solution(&mut self, path: &str) -> Result<(), String> {
        let text = self.text(path)?;
        let folder = parent(path);
        for name in ["Directory.Solution.props", "Directory.Solution.targets"] {
            for folder in upwards(&folder) {
                take(&mut self.install.reads, self.files, &join(&folder, name))?;
            }
        }
        self.configuration(&folder)?;
        let projects = if path.ends_with(".slnx") { projects_of_slnx(&text)? } else { projects_of_sln(&text) };
        if projects.is_empty() {
            return Err(format!("{path} names no projects"));
        }
        projects.iter().try_for_each(|project| self.project(&join(&folder, &slashes(project))))
    }

    /// Reads a project and those that it references.
    fn project(&mut self, path: &str) -> Result<(), String> {
        if self.seen.iter().any(|seen| seen == path) {
            return Ok(());
        }
        self.seen.push(path.to_owned());
        if !PROJECTS.iter().any(|extension| path.ends_with(extension)) {
            return Err(format!("restow doesn't read projects such as {path}"));
        }
        let folder = parent(path);
        let references = self.evaluated(path, path)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        take(&mut self.install.reads, self.files, &format!("{path}.user"))?;
        if self.files.entry(&join(&folder, "packages.config")).is_some() {
            return Err(format!("{path} is of the kind with packages.config"));
        }
        for lock in ["packages.lock.json".to_owned(), format!("packages.{stem}.lock.json")] {
            let lock = join(&folder, &lock);
            if take(&mut self.install.reads, self.files, &lock)? && !self.locked {
                self.install.rewrites.push(lock);
            }
        }
        let mut more = Vec::new();
        for name in UPWARDS {
            for above in upwards(&folder) {
                let found = join(&above, name);
                if take(&mut self.install.reads, self.files, &found)?
                    && name.starts_with("Directory")
                    && !name.ends_with(".rsp")
                {
                    more.extend(self.evaluated_once(&found, path)?);
                }
            }
        }
        self.configuration(&folder)?;
        let obj = join(&folder, "obj");
        if !self.install.writes.contains(&obj) {
            self.install.writes.push(obj);
        }
        references.into_iter().chain(more).try_for_each(|reference| self.project(&reference))
    }

    fn evaluated_once(&mut self, path: &str, project: &str) -> Result<Vec<String>, String> {
        let key = format!("{path} of {}", parent(project));
        if self.seen.contains(&key) {
            return Ok(Vec::new());
        }
        self.seen.push(key);
        self.evaluated(path, project)
    }

    /// Reads a file that MSBuild evaluates for `project`, with its imports: the projects that it references.
    fn evaluated(&mut self, path: &str, project: &str) -> Result<Vec<String>, String> {
        let text = self.text(path)?;
        let tags = tags(&text).map_err(|why| format!("{path} can't be read: {why}"))?;
        if path == project && !is_sdk_style(&tags) {
            return Err(format!("{path} names no SDK: it is of the kind that imports everything itself"));
        }
        if text.contains("System.IO.") || text.contains("GetDirectoryNameOfFileAbove") {
            return Err(format!("{path} looks at other files while it is evaluated"));
        }
        let mut references = Vec::new();
        let mut looks = false;
        for tag in &tags {
            looks |= tag.attribute("Condition").is_some_and(|condition| condition.contains("Exists("));
            if let Some(name) = MOVING.iter().find(|name| tag.is(name)) {
                return Err(format!("{path} sets {name}, which moves what a restore writes"));
            }
            if tag.name.starts_with("Restore") && tag.name.contains("Sources") && !tag.text.split(';').all(is_remote) {
                return Err(format!("{path} takes packages from {}", tag.text));
            }
            if tag.is("RestorePackagesWithLockFile") && tag.text.eq_ignore_ascii_case("true") && !self.locked {
                let lock = join(&parent(project), "packages.lock.json");
                if self.files.entry(&lock).is_none() {
                    self.install.doubts.push(format!("a restore writes {lock}, which is not among the sources"));
                }
            }
            let hooks = ["BeforeTargets", "AfterTargets"].into_iter().filter_map(|name| tag.attribute(name));
            if hooks.into_iter().any(|targets| targets.contains("Restore") || targets.contains("CollectPackage")) {
                return Err(format!("{path} runs a target of its own during a restore"));
            }
            if tag.attribute("InitialTargets").is_some() {
                return Err(format!("{path} runs a target of its own during a restore"));
            }
            if tag.is("ProjectReference") {
                let Some(include) = tag.attribute("Include") else { continue };
                for reference in include.split(';').map(str::trim).filter(|reference| !reference.is_empty()) {
                    references.push(self.resolved(reference, path, project)?);
                }
            }
            if tag.is("Import") && tag.attribute("Sdk").is_none() {
                self.import(tag, path, project, &mut references)?;
            }
        }
        if looks {
            self.install.doubts.push(format!("{path} asks whether files exist, which is answered without the sources"));
        }
        Ok(references)
    }

    fn import(&mut self, tag: &Tag, path: &str, project: &str, references: &mut Vec<String>) -> Result<(), String> {
        let named = tag.attribute("Project").unwrap_or("");
        // The files that are looked for upwards are all read.
        if named.contains("GetPathOfFileAbove") && UPWARDS.iter().any(|name| named.contains(&format!("'{name}'"))) {
            return Ok(());
        }
        let imported = self.resolved(named, path, path)?;
        if self.files.entry(&imported).is_none()
            && tag.attribute("Condition").is_some_and(|text| text.contains("Exists("))
        {
            return Ok(());
        }
        references.extend(self.evaluated_once(&imported, project)?);
        Ok(())
    }

    /// A path in an MSBuild file, which counts from the folder of `base` if it is relative.
    fn resolved(&self, named: &str, file: &str, base: &str) -> Result<String, String> {
        let named = slashes(named.trim());
        let (folder, rest) = match named.strip_prefix("$(MSBuildThisFileDirectory)") {
            Some(rest) => (parent(file), rest.trim_start_matches('/')),
            None => match named.strip_prefix("$(MSBuildProjectDirectory)") {
                Some(rest) => (parent(base), rest.trim_start_matches('/')),
                None => (parent(base), named.as_str()),
            },
        };
        if rest.is_empty() || rest.contains(['$', '@', '%', '*', '?', ':']) {
            return Err(format!("{file} names {named}, which only MSBuild knows"));
        }
        Ok(join(&folder, rest))
    }

    /// The settings of NuGet and of the SDK for a folder.
    pub fn configuration(&mut self, folder: &str) -> Result<(), String> {
        for folder in upwards(folder) {
            for name in ["nuget.config", "NuGet.config", "NuGet.Config"] {
                let path = join(&folder, name);
                if !take(&mut self.install.reads, self.files, &path)? {
                    continue;
                }
                let text = self.text(&path)?;
                let tags = tags(&text).map_err(|why| format!("{path} can't be read: {why}"))?;
                for tag in tags.iter().filter(|tag| tag.is("add")) {
                    let key = tag.attribute("key").unwrap_or("");
                    let value = tag.attribute("value").unwrap_or("");
                    let moves =
                        ["globalPackagesFolder", "repositoryPath"].iter().any(|name| key.eq_ignore_ascii_case(name));
                    let place = value.starts_with('.') || value.contains('\\') || value.starts_with('/');
                    if moves || place && !is_remote(value) {
                        return Err(format!("{path} names the folder {value}"));
                    }
                }
                self.check_sources(&path, &text)?;
            }
            take(&mut self.install.reads, self.files, &join(&folder, "global.json"))?;
        }
        Ok(())
    }

    /// # Errors
    /// A source of packages that is a folder (`packages`, without a dot in front).
    fn check_sources(&self, path: &str, text: &str) -> Result<(), String> {
        let Some((_, sources)) = text.split_once("<packageSources") else { return Ok(()) };
        let sources = sources.split("</packageSources").next().unwrap_or(sources);
        let sources =
            tags(&format!("<packageSources{sources}")).map_err(|why| format!("{path} can't be read: {why}"))?;
        let values = sources.iter().filter(|tag| tag.is("add")).filter_map(|tag| tag.attribute("value"));
        match values.into_iter().find(|value| !is_remote(value)) {
            Some(value) => Err(format!("{path} takes packages from {value}")),
            None => Ok(()),
        }
    }

    fn text(&mut self, path: &str) -> Result<String, String> {
        if !take(&mut self.install.reads, self.files, path)? {
            return Err(format!("{path} is not among the copied sources"));
        }
        self.files.text(path).ok_or(format!("{path} can't be read"))
    }
}

/// Whether a project names its SDK.
fn is_sdk_style(tags: &[Tag]) -> bool {
    let mut sdks = tags.iter().filter(|tag| tag.is("Project") || tag.is("Import") || tag.is("Sdk"));
    sdks.any(|tag| tag.attribute("Sdk").is_some() || tag.is("Sdk") && tag.attribute("Name").is_some())
}

fn is_remote(place: &str) -> bool {
    let place = place.trim();
    place.is_empty() || place.starts_with("https://") || place.starts_with("http://") || place.starts_with("$(Restore")
}

fn slashes(path: &str) -> String {
    path.replace('\\', "/")
}

/// The projects of a solution, its folders aside. Source: learn.microsoft.com, solution (.sln) file.
fn projects_of_sln(text: &str) -> Vec<String> {
    const FOLDER: &str = "2150E333-8FDC-42A3-9474-1A3956D46DE8";
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("Project(\""));
    let lines = lines.filter(|line| !line.to_ascii_uppercase().contains(&format!("PROJECT(\"{{{FOLDER}}}\")")));
    lines.filter_map(|line| line.split('"').nth(5)).map(str::to_owned).collect()
}

fn projects_of_slnx(text: &str) -> Result<Vec<String>, String> {
    let tags = tags(text)?;
    Ok(tags.iter().filter(|tag| tag.is("Project")).filter_map(|tag| tag.attribute("Path")).map(str::to_owned).collect())
}
