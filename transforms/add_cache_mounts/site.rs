//! One RUN and one package manager: everything that speaks against a mount, and what the mount is.

use super::directories::{Directory, directories};
use super::place::place;
use super::refusals::{
    covered_but_useless, hard_defeat, moved_by_commands, moved_by_files, refuse_builder, refuse_distribution,
    refuse_syntax,
};
use super::special::{Special, apt_doubts, special};
use crate::dockerfile::Instruction;
use crate::facts::caches::{Account, Cache, account};
use crate::facts::cleanups::{self, Removed};
use crate::facts::defeats;
use crate::facts::managers::{Call, Manager};
use crate::facts::readers;
use crate::facts::runs::Run;
use crate::facts::stages::ArgumentIn;
use crate::transform::{DockerfileContext, Level};

/// A RUN that gets mounts for one manager.
pub(super) struct Site<'a> {
    pub run: &'a Run,
    pub instruction: &'a Instruction,
    pub manager: &'static Manager,
    pub calls: Vec<Call>,
    /// The mounts of one level; a manager may have a safe one and one for review.
    pub mounts: Vec<Mounted>,
    pub level: Level,
    /// Why it is not safe, for the reason.
    pub doubts: Vec<String>,
    /// Clean-ups that would fail on the mount.
    pub failing: Vec<Removed>,
    /// `--cache-dir=DIR` for every call.
    pub directory_flag: Option<String>,
    /// What only apt, apk and dnf need.
    pub special: Special,
}

pub(super) struct Mounted {
    pub target: String,
    /// Whether later commands read it as their dependencies.
    pub store: bool,
    pub flag: String,
    /// Why this one is not safe.
    pub doubts: Vec<String>,
}

/// What came of looking at a RUN for one manager.
pub(super) struct Verdict<'a> {
    pub sites: Vec<Site<'a>>,
    /// Reasons to leave the RUN, or one of the manager's directories, alone.
    pub refusals: Vec<String>,
}

impl<'a> Site<'a> {
    /// Looks at `calls`, all of `manager` and all in `run`.
    pub fn find(cx: &DockerfileContext<'a>, run: &'a Run, manager: &'static Manager, calls: Vec<Call>) -> Verdict<'a> {
        match Self::weigh(cx, run, manager, calls) {
            Ok(verdict) => verdict,
            Err(refusal) => Verdict { sites: Vec::new(), refusals: vec![refusal] },
        }
    }

    fn weigh(
        cx: &DockerfileContext<'a>,
        run: &'a Run,
        manager: &'static Manager,
        calls: Vec<Call>,
    ) -> Result<Verdict<'a>, String> {
        let facts = cx.facts;
        let who = accounts(run, &calls)?;
        let mut doubts = doubts_of_base(cx, run, who);
        doubts.extend(manager.review.map(str::to_owned));
        if manager.id == "dnf" && !cx.project.settings.keep_packages {
            doubts.push("packages are downloaded all the same, since dnf deletes what it has installed (cache.keep-packages in restow.toml tells it not to)".to_owned());
        }
        let directories = directories(cx, run, manager, &calls, &mut doubts)?;
        let uncovered: Vec<&Directory> = directories
            .iter()
            .filter(|dir| !run.mounts.iter().any(|mount| mount.is_cache() && mount.covers(&dir.cache.path)))
            .collect();
        if uncovered.is_empty() {
            covered_but_useless(cx, run, manager)?;
            return Ok(Verdict { sites: Vec::new(), refusals: Vec::new() });
        }
        refuse_builder(cx)?;
        refuse_syntax(cx)?;
        if manager.system && who != Account::Root && who != Account::Unknown {
            return Err(format!("{} runs as a user other than root here", manager.id));
        }
        if let Some(reader) = readers::offline(facts, run, manager) {
            return Err(format!("line {} {}", reader.line, reader.what));
        }
        refuse_distribution(cx, run, manager)?;
        if manager.id == "pip"
            && calls.iter().all(|call| run.commands()[call.command].words.iter().any(|word| word.raw == "--no-index"))
        {
            return Err("it downloads nothing (--no-index)".to_owned());
        }
        moved_by_commands(cx, run, manager)?;
        moved_by_files(cx, run, manager)?;

        let mut verdict = Verdict { sites: Vec::new(), refusals: Vec::new() };
        let mut accepted: Vec<(Mounted, Vec<Removed>)> = Vec::new();
        let mut directory_flag = None;
        let removed = cleanups::removed(run);
        for directory in uncovered {
            match place(cx, run, manager, &calls, directory, who, &removed) {
                Ok(placed) => {
                    directory_flag = placed.directory_flag.or(directory_flag);
                    accepted.push((placed.mounted, placed.failing));
                }
                Err(refusal) => verdict.refusals.push(refusal),
            }
        }
        if accepted.is_empty() {
            return Ok(verdict);
        }
        let cached: Vec<Cache> = accepted
            .iter()
            .map(|(mounted, _)| Cache {
                path: mounted.target.clone(),
                private: mounted.target.clone(),
                store: mounted.store,
            })
            .collect();
        for defeat in defeats::defeats(run, manager, &cached)? {
            if let Some(doubt) = hard_defeat(cx, run, &defeat)? {
                doubts.push(doubt);
            }
        }
        let special = special(cx, run, manager, &calls, &accepted)?;
        if let Special::Apt { .. } = special {
            doubts.extend(apt_doubts(cx, run));
        }
        // One change for what is safe, another for what needs a look.
        let (safe, review): (Vec<_>, Vec<_>) =
            accepted.into_iter().partition(|(mounted, _)| doubts.is_empty() && mounted.doubts.is_empty());
        for (level, part) in [(Level::Safe, safe), (Level::Review, review)] {
            if part.is_empty() {
                continue;
            }
            let (mounts, failing): (Vec<Mounted>, Vec<Vec<Removed>>) = part.into_iter().unzip();
            let mut why = doubts.clone();
            why.extend(mounts.iter().flat_map(|mounted| mounted.doubts.iter().cloned()));
            let mut seen = Vec::new();
            why.retain(|doubt| {
                !seen.contains(doubt) && {
                    seen.push(doubt.clone());
                    true
                }
            });
            let mut failing: Vec<Removed> = failing.into_iter().flatten().collect();
            failing.dedup();
            verdict.sites.push(Site {
                run,
                instruction: &facts.file.instructions[run.instruction],
                manager,
                calls: calls.clone(),
                mounts,
                level,
                doubts: why,
                failing,
                directory_flag: directory_flag.clone(),
                special: special.clone(),
            });
        }
        Ok(verdict)
    }
}

/// As whom all the calls run.
fn accounts(run: &Run, calls: &[Call]) -> Result<Account, String> {
    let who: Vec<Account> = calls.iter().map(|call| account(run, &run.commands()[call.command])).collect();
    if who.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("it runs as different users in this RUN".to_owned());
    }
    Ok(who[0])
}

fn doubts_of_base(cx: &DockerfileContext<'_>, run: &Run, who: Account) -> Vec<String> {
    let Some(image) = cx.facts.image(run.stage) else {
        return vec!["the stage starts from scratch, so nothing is known of it".to_owned()];
    };
    if image.known.is_none() {
        return vec![format!(
            "the base image {} is not known to restow (add it as [[base]] in restow.toml)",
            image.reference
        )];
    }
    if image.argument == ArgumentIn::Name {
        return vec!["a build argument can replace the base image".to_owned()];
    }
    if who == Account::Unknown || run.state.env.open {
        return vec![format!(
            "the default user and environment of {} are not the same for all its tags",
            image.reference
        )];
    }
    Vec::new()
}
