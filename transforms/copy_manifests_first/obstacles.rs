//! What speaks against a copy that moves behind an install: what stands between, owners, homes, and folders that others write.

use super::needs::Needs;
use super::site::{Look, Refusal};
use crate::dockerfile::Keyword;
use crate::facts::copies::{absolute, relative};
use crate::facts::managers::Verb;
use crate::facts::runs::Run;
use crate::facts::sources::{Brought, Sources};
use crate::facts::stages::{Variable, expand};
use crate::facts::users;
use crate::shell::Command;

impl Look<'_, '_> {
    /// Whether everything between the first copy that moves and the RUN stands there as well without the sources.
    pub fn between(&self, moving: &[&Brought<'_>]) -> Result<(), Refusal> {
        let Some(first) = moving.first().map(|brought| brought.copy.instruction) else { return Ok(()) };
        let targets: Vec<String> =
            moving.iter().flat_map(|brought| &brought.parts).map(|part| part.target.clone()).collect();
        for at in first + 1..self.run.instruction {
            let instruction = self.instruction(at);
            let stands = |what: &str| Err(Refusal::Reason(format!("line {} stands between: {what}", self.line(at))));
            let earlier = || moving.iter().filter(|brought| brought.copy.instruction < at);
            match instruction.keyword {
                Keyword::Env | Keyword::Arg
                    if earlier().any(|brought| self.instruction(brought.copy.instruction).line.text.contains('$')) =>
                {
                    return stands("it may change a variable that the copy of the sources uses");
                }
                Keyword::Workdir => {
                    let is_relative = |brought: &&Brought<'_>| {
                        brought.copy.words.as_ref().is_ok_and(|words| !words.raw_destination.starts_with('/'))
                    };
                    if earlier().any(is_relative) {
                        return stands("the copy of the sources would go to another WORKDIR");
                    }
                }
                Keyword::Volume => return stands("a VOLUME may hold what the copy brings"),
                Keyword::Shell | Keyword::From | Keyword::Onbuild | Keyword::Unknown => {
                    return stands("it is not looked through");
                }
                Keyword::Run => {
                    let Some(other) = self.cx.facts.runs.iter().find(|run| run.instruction == at) else { continue };
                    self.passes(other, &targets)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a RUN between the sources and the install does without the sources.
    fn passes(&self, other: &Run, targets: &[String]) -> Result<(), Refusal> {
        let line = self.line(other.instruction);
        let sources = Sources::find(self.cx.facts, other.stage, other.instruction, self.context);
        let needs = Needs::find(other, &sources, targets)
            .map_err(|reason| Refusal::Reason(format!("the RUN in line {line} stands between: {reason}")))?;
        if let Some((_, reason)) = needs.blocked {
            return Err(Refusal::Reason(format!("the RUN in line {line} stands between: {reason}")));
        }
        if let Some(file) = needs.installs.iter().find_map(|needed| needed.install.reads.first()) {
            return Err(Refusal::Reason(format!(
                "the RUN in line {line} stands between, and reads {file} of the sources"
            )));
        }
        Ok(())
    }

    /// Whether the folders that the copies make keep their owner and mode: a folder that is there keeps its own, so the first to make
    /// it decides (measured with BuildKit 0.25).
    pub fn owners_stay(&self, moving: &[&Brought<'_>], instead: &[Vec<String>]) -> Result<(), Refusal> {
        for (brought, new) in moving.iter().zip(instead) {
            let instruction = self.instruction(brought.copy.instruction);
            let sets = instruction.flag("chown").is_some() || instruction.flag("chmod").is_some();
            let is_there = |destination: &String| {
                brought.copy.workdir.as_deref().is_some_and(|folder| relative(folder, destination).is_some())
            };
            if sets && new.is_empty() && !brought.copy.destination.as_ref().is_some_and(is_there) {
                return Err(Refusal::Reason(format!(
                    "the copy in line {} decides the owner of the folder that it makes, and something else would make it first",
                    self.line(brought.copy.instruction)
                )));
            }
        }
        Ok(())
    }

    /// Whether the commands that a copy comes to stand behind leave its folder as the copy would find it, and see the same without it.
    pub fn passed_commands(&self, needs: &Needs<'_>, last: usize, moving: &[&Brought<'_>]) -> Result<(), Refusal> {
        let first = moving.first().map_or(0, |brought| brought.copy.instruction);
        let targets: Vec<&str> =
            moving.iter().flat_map(|brought| &brought.parts).map(|part| part.target.as_str()).collect();
        let between = self.cx.facts.runs.iter().filter(|run| {
            run.stage == self.run.stage && first < run.instruction && run.instruction < self.run.instruction
        });
        let own = needs.script.commands.iter().take(last + 1);
        for command in between.clone().flat_map(|run| run.commands()).chain(own) {
            if let Some(home) = makes_home(command) {
                let touches = |target: &&&str| relative(target, &home).is_some() || relative(&home, target).is_some();
                if let Some(target) = targets.iter().find(touches) {
                    return Err(Refusal::Reason(format!(
                        "`{}` makes {home}, and the sources are copied to {target}",
                        command.name().unwrap_or("")
                    )));
                }
            }
        }
        let installs = |run: &Run| {
            run.calls().iter().any(|call| call.manager.system && matches!(call.verb, Verb::Install | Verb::Fetch))
        };
        let served = targets.iter().find(|target| {
            ["/var/www", "/srv/www", "/srv/http"].iter().any(|folder| relative(target, folder).is_some())
        });
        if let (Some(target), true) = (served, installs(self.run) || between.clone().any(installs)) {
            return Err(Refusal::Reason(format!(
                "packages of the system may put files into {target}, where the sources are copied"
            )));
        }
        self.programs(needs)?;
        self.environment(&targets)
    }

    /// Whether PATH finds no program of the sources: also one of which only a part is known (`/app/bin:$PATH`).
    fn programs(&self, needs: &Needs<'_>) -> Result<(), Refusal> {
        let facts = self.cx.facts;
        let stages = facts.ancestors(self.run.stage);
        let env = facts.file.instructions.iter().enumerate().filter(|(at, instruction)| {
            let holds = |stage: &usize| facts.stages[*stage].instructions.contains(at);
            instruction.keyword == Keyword::Env && *at < self.run.instruction && stages.iter().any(holds)
        });
        let names: Vec<&str> = needs.script.commands.iter().filter_map(Command::name).collect();
        let pairs = env.flat_map(|(_, instruction)| instruction.pairs(facts.file.escape));
        let set = pairs.filter(|pair| pair.name == "PATH").filter_map(|pair| pair.value);
        let assigned = needs.script.commands.iter().filter_map(|command| command.assignment("PATH")).map(str::to_owned);
        for value in set.chain(assigned) {
            for part in value.trim_matches(['"', '\'']).split(':') {
                let known = |name: &str| self.run.state.env.known(name);
                let Some(folder) = expand(part, facts.file.escape, &known).filter(|part| part.starts_with('/')) else {
                    continue;
                };
                for name in names.iter().chain(&["node", "python", "python3", "ruby", "php"]) {
                    let path = absolute(&folder, name);
                    if self.sources.origin(&path).is_some() {
                        return Err(Refusal::Reason(format!("PATH finds {path}, which the sources bring")));
                    }
                }
            }
        }
        Ok(())
    }

    /// The paths that variables name which package managers read; what is not there yet is written.
    pub fn named_by_variables(&self) -> Vec<(&str, String)> {
        let folder = self.run.state.workdir.as_deref().unwrap_or("");
        let mut found = Vec::new();
        for (name, value) in self.run.state.env.all() {
            let Variable::Known(value) = value else { continue };
            if !is_read_by_installs(name) {
                continue;
            }
            let words = value.split([':', ' ', ',', '=']);
            let paths = words.map(|word| word.trim_start_matches("-I").trim_start_matches("-L"));
            found.extend(paths.filter(|path| path.starts_with(['/', '.'])).map(|path| (name, absolute(folder, path))));
        }
        found
    }

    /// Whether no variable has an install read a file that the copies bring.
    fn environment(&self, targets: &[&str]) -> Result<(), Refusal> {
        for (name, path) in self.named_by_variables() {
            let moves = targets.iter().any(|target| relative(&path, target).is_some_and(|rest| rest != "."));
            if moves && self.sources.origin(&path).is_some() {
                return Err(Refusal::Reason(format!("{name} names {path}, which the sources bring")));
            }
        }
        Ok(())
    }
}

/// Whether package managers, or the programs that they run, read a variable of this name.
fn is_read_by_installs(name: &str) -> bool {
    const STARTS: [&str; 22] = [
        "PIP_",
        "UV_",
        "POETRY_",
        "PIPENV_",
        "NPM_CONFIG_",
        "YARN_",
        "PNPM_",
        "BUN_",
        "BUNDLE_",
        "GEM_",
        "COMPOSER_",
        "CARGO_",
        "RUSTUP_",
        "GO",
        "MAVEN_",
        "GRADLE_",
        "NUGET_",
        "DOTNET_",
        "GIT_",
        "SSL_",
        "CURL_",
        "REQUESTS_",
    ];
    const NAMES: [&str; 20] = [
        "CFLAGS",
        "CXXFLAGS",
        "CPPFLAGS",
        "LDFLAGS",
        "CPATH",
        "LIBRARY_PATH",
        "PKG_CONFIG_PATH",
        "CC",
        "APT_CONFIG",
        "BASH_ENV",
        "ENV",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "NODE_OPTIONS",
        "NODE_EXTRA_CA_CERTS",
        "RUBYOPT",
        "JAVA_TOOL_OPTIONS",
        "PYTHONSTARTUP",
        "WGETRC",
        "NETRC",
    ];
    let upper = name.to_ascii_uppercase();
    STARTS.iter().any(|start| upper.starts_with(start))
        || NAMES.contains(&upper.as_str())
        || upper.ends_with("_CA_BUNDLE")
}

/// The home that a command makes for a new user, or hands to one.
fn makes_home(command: &Command) -> Option<String> {
    match command.name()? {
        "useradd" | "adduser" => users::created(command).and_then(|user| user.home),
        "usermod" => {
            let words: Vec<&str> = command.arguments().iter().filter_map(|word| word.value.as_deref()).collect();
            let at = words.iter().position(|word| matches!(*word, "-d" | "--home"))?;
            words.get(at + 1).map(|home| (*home).to_owned())
        }
        _ => None,
    }
}
