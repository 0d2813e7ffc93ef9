//! go: `go mod download`, alone or in front of what builds.
//!
//! Sources: go.dev/ref/mod (go mod download, go.work, vendoring, replace, GOPRIVATE) and `go help environment`. Not measured.

use super::folders::{Beneath, above, take};
use super::paths::join;
use super::variables::{Setting, setting};
use super::words::Words;
use super::{Above, Files, Install};
use crate::facts::managers::Call;
use crate::facts::runs::Run;
use crate::shell::Command;

/// Where public modules come from: hosts, and domains that only name public ones.
const PUBLIC: &[&str] = &[
    "bitbucket.org",
    "cel.dev",
    "cloud.google.com",
    "cuelang.org",
    "dario.cat",
    "entgo.io",
    "filippo.io",
    "gitee.com",
    "github.com",
    "gitlab.com",
    "go.etcd.io",
    "go.mongodb.org",
    "go.opencensus.io",
    "go.opentelemetry.io",
    "go.temporal.io",
    "go.uber.org",
    "go.yaml.in",
    "golang.org",
    "gonum.org",
    "google.golang.org",
    "gopkg.in",
    "gorm.io",
    "honnef.co",
    "istio.io",
    "k8s.io",
    "knative.dev",
    "lukechampine.com",
    "modernc.org",
    "mvdan.cc",
    "nhooyr.io",
    "rsc.io",
    "sigs.k8s.io",
    "xorm.io",
];

/// Flags of the build commands that take the next word. Source: `go help build`.
const VALUED: &[&str] = &[
    "-C",
    "-o",
    "-p",
    "-asmflags",
    "-buildmode",
    "-buildvcs",
    "-compiler",
    "-covermode",
    "-coverpkg",
    "-exec",
    "-gccgoflags",
    "-gcflags",
    "-installsuffix",
    "-ldflags",
    "-mod",
    "-modfile",
    "-overlay",
    "-pgo",
    "-pkgdir",
    "-reuse",
    "-run",
    "-tags",
    "-toolexec",
];

/// # Errors
/// Why it can't be told what the call reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    let itself = match call.verb_text {
        "mod download" => true,
        "build" | "install" | "test" | "run" | "vet" => false,
        "mod tidy" | "get" if files.is_file("go.mod") => {
            return Err(format!("go {} changes go.mod, which the copy of the sources brings back", call.verb_text));
        }
        "mod vendor" => return Err("go mod vendor reads every source file for its imports".to_owned()),
        _ => return Ok(None),
    };
    let words =
        Words::read(call, command, run, VALUED).or_else(|why| if itself { Err(why) } else { Ok(Words::default()) })?;
    let of_a_version = words.others.iter().any(|word| word.contains('@'));
    let earlier = run.calls().iter().filter(|other| other.command < call.command && other.manager.id == "go");
    let downloaded = earlier.into_iter().any(|other| other.verb_text.starts_with("mod "));
    if of_a_version || !itself && downloaded {
        return Ok(None);
    }
    refuse_settings(call, command, run)?;
    let folder = match words.paths(&["-C"])?.last() {
        Some(folder) => join(".", folder),
        None => ".".to_owned(),
    };
    let beneath = Beneath { files, folder: folder.clone() };
    let mut install = module(&beneath)?;
    for name in ["GOMODCACHE", "GOPATH"] {
        match setting(run, command, name) {
            Setting::Value(value) if name == "GOPATH" => install.writes.push(join(&value, "pkg/mod")),
            Setting::Value(value) => install.writes.push(join(".", &value)),
            Setting::Unset => {}
            Setting::Unknown => install.doubts.push(format!("where {name} puts the modules can't be told")),
        }
    }
    let mut install = beneath.outside(install);
    if !itself {
        let program = &command.words[command.program].raw;
        let flag = if folder == "." { String::new() } else { format!(" -C {folder}") };
        install.above = Above::Other(format!("{program}{flag} mod download"));
        install.doubts.push(
            "go mod download brings every module that go.mod names, also those that this build doesn't use".to_owned(),
        );
    } else {
        install.doubts.push("whether every module is public can't be told for sure".to_owned());
    }
    Ok(Some(install))
}

/// # Errors
/// Variables and flags that take modules from somewhere else.
fn refuse_settings(call: &Call, command: &Command, run: &Run) -> Result<(), String> {
    let private = ["GOPRIVATE", "GONOSUMDB", "GONOSUMCHECK", "GONOPROXY", "GOINSECURE", "GOAUTH"];
    if let Some(name) = private.iter().find(|name| setting(run, command, name) != Setting::Unset) {
        return Err(format!("{name} says that it has private modules"));
    }
    if run.text.text.contains("insteadOf") || run.text.text.contains(".netrc") {
        return Err("its modules need credentials".to_owned());
    }
    match setting(run, command, "GOFLAGS") {
        Setting::Unset => {}
        Setting::Value(flags) if !flags.contains("-mod") => {}
        _ => return Err("GOFLAGS may take the modules from somewhere else".to_owned()),
    }
    if matches!(setting(run, command, "GO111MODULE"), Setting::Value(value) if value == "off") {
        return Err("GO111MODULE=off: the build reads no go.mod".to_owned());
    }
    if setting(run, command, "GOWORK") != Setting::Unset {
        return Err("GOWORK names a workspace".to_owned());
    }
    let moved = |word: &str| {
        ["-mod=vendor", "-modfile", "-overlay"].iter().any(|flag| word.trim_start_matches('-').starts_with(&flag[1..]))
    };
    let words = command.words.get(call.arguments..).unwrap_or(&[]);
    match words.iter().find(|word| word.raw.starts_with('-') && moved(&word.raw)) {
        Some(word) => Err(format!("{} takes the modules from somewhere else", word.raw)),
        None => Ok(()),
    }
}

/// The module in this folder.
fn module(files: &dyn Files) -> Result<Install, String> {
    let mut install = Install::default();
    if !take(&mut install.reads, files, "go.mod")? {
        return Err("there is no go.mod in the folder that it runs in".to_owned());
    }
    take(&mut install.reads, files, "go.sum")?;
    for folder in std::iter::once(".".to_owned()).chain(above()) {
        let path = join(&folder, "go.work");
        if files.entry(&path).is_some() {
            return Err(format!("{path} joins several modules"));
        }
    }
    if files.entry("vendor").is_some() {
        return Err("the modules come from vendor/".to_owned());
    }
    let text = files.text("go.mod").ok_or("go.mod can't be read")?;
    let mut block = String::new();
    let mut hosts: Vec<String> = Vec::new();
    let mut required = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or("").trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        let (verb, rest) = match words.as_slice() {
            [")"] => {
                block.clear();
                continue;
            }
            [verb, "("] => {
                block = (*verb).to_owned();
                continue;
            }
            rest @ [_, ..] if !block.is_empty() => (block.as_str(), rest),
            [verb, rest @ ..] => (*verb, rest),
            [] => continue,
        };
        match verb {
            "replace" => {
                let target = rest.iter().skip_while(|word| **word != "=>").nth(1).unwrap_or(&"").trim_matches('"');
                if target.starts_with(['.', '/']) {
                    return Err(format!("go.mod takes a module from {target}"));
                }
                hosts.push(target.to_owned());
            }
            "require" => {
                required = true;
                hosts.extend(rest.first().map(|module| module.trim_matches('"').to_owned()));
            }
            _ => {}
        }
    }
    if !required {
        return Err("go.mod names no modules to download".to_owned());
    }
    let host = |module: &str| module.split('/').next().unwrap_or("").to_owned();
    let mut unknown: Vec<String> = hosts.iter().map(|module| host(module)).collect();
    unknown.retain(|host| !PUBLIC.contains(&host.as_str()));
    unknown.sort();
    unknown.dedup();
    if !unknown.is_empty() {
        install.doubts.push(format!("whether the modules of {} are public can't be told", unknown.join(", ")));
    }
    Ok(install)
}

#[cfg(test)]
mod tests {
    use super::super::memory::{install as of, run, why};
    use super::*;

    const MODULE: (&str, &str) = (
        "go.mod",
        "module m.example/a\n\ngo 1.22\n\nrequire (\n\tgithub.com/x/y v1.0.0 // indirect\n\tgolang.org/x/net v0.1.0\n)\n\
         replace github.com/x/y => github.com/z/y v1.0.1\n",
    );

    #[test]
    fn a_download_moves_as_it_is() {
        let install = run("go mod download", &[MODULE, ("go.sum", "")]).unwrap().unwrap();
        assert_eq!((install.reads, install.above), (vec!["go.mod".to_owned(), "go.sum".to_owned()], Above::Itself));
        assert!(install.writes.is_empty());
    }

    #[test]
    fn a_build_gets_a_download_above() {
        let install = run("CGO_ENABLED=0 go build -ldflags=\"-X $V\" -o /a ./cmd/a", &[MODULE]).unwrap().unwrap();
        assert_eq!((install.above, install.doubts.len()), (Above::Other("go mod download".to_owned()), 1));
        assert_eq!(run("go mod download && go build .", &[MODULE]), Ok(None));
        assert_eq!(run("go install github.com/x/y@latest", &[MODULE]), Ok(None));
        let beneath = run("go build -C api .", &[("api/go.mod", MODULE.1)]).unwrap().unwrap();
        assert_eq!(
            (beneath.reads, beneath.above),
            (vec!["api/go.mod".to_owned()], Above::Other("go -C api mod download".to_owned()))
        );
    }

    #[test]
    fn unknown_hosts_are_a_doubt() {
        let module = ("go.mod", "module a\nrequire git.corp.example/x/y v1.0.0\n");
        let doubts = run("go build", &[module]).unwrap().unwrap().doubts;
        assert_eq!(doubts[0], "whether the modules of git.corp.example are public can't be told");
    }

    #[test]
    fn modules_from_elsewhere_are_refused() {
        for (more, text) in [
            ("vendor/modules.txt", ""),
            ("go.work", ""),
            ("go.mod", "module a\nreplace x => ./x\n"),
            ("go.mod", "module a\n"),
        ] {
            why("go build .", &[MODULE, (more, text)]);
        }
        why("go build -mod=vendor .", &[MODULE]);
        why("go mod tidy", &[MODULE]);
        assert_eq!(run("go get github.com/x/y", &[]), Ok(None));
        why("go build .", &[]);
        for variable in ["GOPRIVATE=x", "GOFLAGS=-mod=mod", "GOWORK=/x"] {
            assert!(of(&format!("FROM x\nENV {variable}\nRUN go build .\n"), &[MODULE]).is_err(), "{variable}");
        }
    }
}
