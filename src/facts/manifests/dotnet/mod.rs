//! dotnet: `dotnet restore`, alone or in front of what builds, and `dotnet tool restore`.
//!
//! Sources: learn.microsoft.com, dotnet restore, dotnet build and dotnet publish (implicit restore), dotnet tool restore. Not
//! measured.

mod projects;
mod xml;

use super::folders::take;
use super::paths::join;
use super::variables::{Setting, setting};
use super::words::Words;
use super::{Above, Files, Install};
use crate::facts::managers::Call;
use crate::facts::runs::Run;
use crate::shell::{Command, ShellWord};
use projects::Reader;

/// Options that take the next word. Sources: `dotnet restore`, `dotnet build`, `dotnet publish`.
const VALUED: &[&str] = &[
    "-r",
    "--runtime",
    "-a",
    "--arch",
    "--os",
    "-s",
    "--source",
    "--packages",
    "--configfile",
    "--lock-file-path",
    "-v",
    "--verbosity",
    "-c",
    "--configuration",
    "-f",
    "--framework",
    "-o",
    "--output",
    "--version-suffix",
    "--manifest",
    "--artifacts-path",
    "--filter",
    "-l",
    "--logger",
    "--settings",
    "--project",
    "-p",
    "--property",
    "--tool-manifest",
    "--add-source",
    "--results-directory",
    "--launch-profile",
];

/// Options that restore takes as well, and that change what it downloads.
const RESTORED: [&str; 5] = ["-r", "--runtime", "-a", "--arch", "--os"];

/// # Errors
/// Why it can't be told what the call reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    let builds = match call.verb_text {
        "restore" => false,
        "tool restore" => return tools(call, command, run, files).map(Some),
        "build" | "publish" | "test" | "pack" | "run" => true,
        _ => return Ok(None),
    };
    let given = |flag: &str| command.words.iter().any(|word| word.raw == flag);
    if builds && (given("--no-restore") || given("--no-build")) {
        return Ok(None);
    }
    let earlier = run.calls().iter().filter(|other| other.command < call.command && other.manager.id == "nuget");
    if builds && earlier.into_iter().any(|other| other.verb_text == "restore") {
        return Ok(None);
    }
    let words = Words::read(call, command, run, VALUED)?;
    // `--self-contained` takes a value or none.
    let is_value = |word: &str| matches!(word, "true" | "false");
    let mut target = words.others.iter().filter(|word| !is_switch(word) && !is_value(word));
    let named = target.next().cloned();
    let named = match call.verb_text {
        "run" => words.paths(&["--project"])?.last().map(|path| (*path).to_owned()),
        _ if target.next().is_some() => return Err("it works on several projects".to_owned()),
        _ => named,
    };
    if words.has(&["--artifacts-path", "--lock-file-path"]) {
        return Err("an option moves what a restore writes".to_owned());
    }
    let locked = given("--locked-mode");
    let mut reader = Reader::new(files, locked);
    reader.target(named.as_deref())?;
    let mut install = reader.install;
    for file in words.paths(&["--configfile"])? {
        if file.contains('/') {
            return Err(format!("{file} may name sources relative to its own folder"));
        }
        let file = join(".", file);
        if !take(&mut install.reads, files, &file)? {
            return Err(format!("{file} is not among the copied sources"));
        }
    }
    let local = |source: &&str| !source.starts_with("http://") && !source.starts_with("https://");
    if let Some(source) = words.values(&["-s", "--source"]).into_iter().flatten().find(local) {
        return Err(format!("it takes packages from {source}"));
    }
    install.writes.extend(words.paths(&["--packages"])?.into_iter().map(|folder| join(".", folder)));
    match setting(run, command, "NUGET_PACKAGES") {
        Setting::Value(folder) => install.writes.push(join(".", &folder)),
        Setting::Unset => {}
        Setting::Unknown => install.doubts.push("where NUGET_PACKAGES puts the packages can't be told".to_owned()),
    }
    if given("--use-lock-file") && install.rewrites.is_empty() && !locked {
        install.doubts.push("--use-lock-file writes a lock file beside the project".to_owned());
    }
    if builds {
        install.above = Above::Other(restore(call, command, named.as_deref()));
        let doubt = "the build restores once more with its own properties, which may need more packages";
        install.doubts.push(doubt.to_owned());
    }
    dedup(&mut install);
    Ok(Some(install))
}

/// `/v:q`, `-nologo` and the like: MSBuild takes switches with a slash too.
fn is_switch(word: &str) -> bool {
    word.starts_with('/') && word[1..].contains(':') && !word[1..].contains('/')
}

/// `dotnet restore` of the same project with the words that it shares with `command`, as they are written.
fn restore(call: &Call, command: &Command, named: Option<&str>) -> String {
    let words = &command.words;
    let mut parts = vec![words[command.program].raw.clone(), "restore".to_owned()];
    let behind: Vec<&ShellWord> = words.iter().skip(call.arguments).collect();
    if let Some(named) = named {
        let written = behind.iter().find(|word| word.value.as_deref() == Some(named));
        parts.push(written.map_or(named.to_owned(), |word| word.raw.clone()));
    }
    let mut rest = behind.iter();
    while let Some(word) = rest.next() {
        let name = word.raw.split('=').next().unwrap_or("");
        if RESTORED.contains(&name) {
            parts.push(word.raw.clone());
            if name == word.raw {
                parts.extend(rest.next().map(|value| value.raw.clone()));
            }
        } else if ["-p:", "/p:", "--property:", "-property:", "/property:"]
            .iter()
            .any(|start| word.raw.starts_with(start))
        {
            parts.push(word.raw.clone());
        }
    }
    parts.join(" ")
}

fn tools(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Install, String> {
    let words = Words::read(call, command, run, VALUED)?;
    let mut reader = Reader::new(files, true);
    let named = words.paths(&["--tool-manifest"])?;
    let manifests = [".config/dotnet-tools.json", "dotnet-tools.json"];
    let mut found = false;
    for path in if named.is_empty() { manifests.to_vec() } else { named } {
        found |= take(&mut reader.install.reads, files, &join(".", path))?;
    }
    if !found {
        return Err("there is no dotnet-tools.json in the folder that it runs in".to_owned());
    }
    reader.configuration(".")?;
    Ok(reader.install)
}

fn dedup(install: &mut Install) {
    install.doubts.dedup();
    let mut seen = Vec::new();
    install.writes.retain(|path| {
        let new = !seen.contains(path);
        seen.push(path.clone());
        new
    });
}

#[cfg(test)]
mod tests {
    use super::super::memory::{run, why};
    use super::*;

    const PROJECT: &str =
        r#"<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="A" /></ItemGroup></Project>"#;

    #[test]
    fn a_restore_reads_the_projects_of_a_solution_and_what_is_found_upwards() {
        let solution = "Project(\"{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}\") = \"Web\", \"src\\Web\\Web.csproj\", \"{1}\"\nEndProject\n\
                        Project(\"{2150E333-8FDC-42A3-9474-1A3956D46DE8}\") = \"docs\", \"docs\", \"{2}\"\nEndProject\n";
        let web = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><!-- <Import Project=\"x\"/> -->\
                   <ItemGroup><ProjectReference Include=\"..\\Lib\\Lib.csproj\" /></ItemGroup></Project>";
        let files = [
            ("App.sln", solution),
            ("src/Web/Web.csproj", web),
            ("src/Web/packages.lock.json", "{}"),
            ("src/Lib/Lib.csproj", PROJECT),
            ("src/Directory.Build.props", "<Project><Import Project=\"common.props\" /></Project>"),
            ("src/common.props", "<Project></Project>"),
            (
                "NuGet.Config",
                "<configuration><packageSources><clear/><add key='a' value='https://a.example'/></packageSources></configuration>",
            ),
            ("global.json", "{}"),
            ("src/Web/Program.cs", ""),
        ];
        let install = run("dotnet restore", &files).unwrap().unwrap();
        let mut reads = install.reads;
        reads.sort();
        let mut expected: Vec<&str> = files[..8].iter().map(|(path, _)| *path).collect();
        expected.sort_unstable();
        assert_eq!(reads, expected);
        assert_eq!(install.writes, ["src/Web/obj", "src/Lib/obj"]);
        assert_eq!((install.rewrites, install.above), (vec!["src/Web/packages.lock.json".to_owned()], Above::Itself));
        assert!(install.doubts.is_empty());
        assert!(run("dotnet restore --locked-mode", &files).unwrap().unwrap().rewrites.is_empty());
    }

    #[test]
    fn a_build_gets_a_restore_above() {
        let files = [("src/A.csproj", PROJECT)];
        let install =
            run("dotnet publish \"src/A.csproj\" -c Release -r linux-x64 -o /out /p:UseAppHost=false", &files)
                .unwrap()
                .unwrap();
        let above = "dotnet restore \"src/A.csproj\" -r linux-x64 /p:UseAppHost=false";
        assert_eq!((install.above, install.doubts.len()), (Above::Other(above.to_owned()), 1));
        let contained = run("dotnet publish src --self-contained true", &files).unwrap().unwrap();
        assert_eq!(contained.above, Above::Other("dotnet restore src".to_owned()));
        assert_eq!(run("dotnet publish src --no-restore", &files), Ok(None));
        assert_eq!(run("dotnet restore src && dotnet publish src", &files), Ok(None));
    }

    #[test]
    fn a_tool_restore_reads_its_manifest() {
        let install =
            run("dotnet tool restore", &[(".config/dotnet-tools.json", "{}"), ("nuget.config", "")]).unwrap().unwrap();
        assert_eq!(install.reads, [".config/dotnet-tools.json", "nuget.config"]);
        assert_eq!((install.writes.len(), install.above), (0, Above::Itself));
    }

    #[test]
    fn what_only_msbuild_knows_is_refused() {
        let sdk = "<Project Sdk=\"Microsoft.NET.Sdk\">";
        for (body, reason) in [
            ("<ItemGroup><ProjectReference Include=\"$(Lib)/L.csproj\"/></ItemGroup>", "only MSBuild knows"),
            ("<ItemGroup><ProjectReference Include=\"../**/L.csproj\"/></ItemGroup>", "only MSBuild knows"),
            ("<Import Project=\"gone.props\"/>", "gone.props"),
            ("<PropertyGroup><UseArtifactsOutput>true</UseArtifactsOutput></PropertyGroup>", "UseArtifactsOutput"),
            ("<PropertyGroup><RestoreSources>feed</RestoreSources></PropertyGroup>", "feed"),
            ("<Target Name=\"X\" BeforeTargets=\"Restore\"/>", "target of its own"),
            ("<PropertyGroup><V>$([System.IO.File]::ReadAllText('v'))</V></PropertyGroup>", "other files"),
        ] {
            let text = format!("{sdk}{body}</Project>");
            let why = why("dotnet restore", &[("A.csproj", &text)]);
            assert!(why.contains(reason), "{why}");
        }
        assert!(
            why("dotnet restore", &[("A.csproj", "<Project><Import Project=\"x\"/></Project>")]).contains("no SDK")
        );
        assert!(why("dotnet restore", &[("A.csproj", PROJECT), ("B.sln", "")]).contains("several"));
        assert!(why("dotnet restore A.dcproj", &[("A.dcproj", "")]).contains("A.dcproj"));
        let feed = "<configuration><packageSources><add key='a' value='packages'/></packageSources></configuration>";
        assert!(why("dotnet restore", &[("A.csproj", PROJECT), ("nuget.config", feed)]).contains("packages"));
    }
}
