//! In which order the files of one command are installed, and what has to be shown for that.

use std::collections::BTreeSet;

use super::clashes::{self, clash};
use super::files::{Closure, Piece};
use super::pip::Install;
use crate::facts::requirements::{Entry, is_heavy};

/// How one command for several files becomes several steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What each step adds: an index into the files of the command. The last step is the command itself.
    pub order: Vec<usize>,
    /// What has to be copied in front of each step and was not before.
    pub brings: Vec<Vec<Piece>>,
    /// Options that a step gets so that it holds to what other files say, in the order of the steps.
    pub options: Vec<Vec<String>>,
    /// Whether the steps before the last leave dependencies to it.
    pub is_exact: bool,
    /// Why somebody has to look, one clause each.
    pub doubts: Vec<String>,
}

/// Options of a file that the command line takes as well.
const REPEATED: &[&str] = &[
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--trusted-host",
    "--pre",
    "--prefer-binary",
    "--no-binary",
    "--only-binary",
    "--no-index",
];

/// `is_checked` says that `pip check` looks at what is installed.
///
/// # Errors
/// Why the command stays one.
pub fn judge(install: &Install, closures: &[Closure], always: &Closure, is_checked: bool) -> Result<Judgement, String> {
    if let Some((closure, local)) =
        closures.iter().find_map(|closure| closure.local.as_ref().map(|local| (closure, local)))
    {
        return Err(format!("`{local}` in {} needs the sources", closure.shown));
    }
    if let Some(closure) = closures.iter().find(|closure| closure.requirements.is_empty() && closure.remote.is_none()) {
        return Err(format!("{} names no package", closure.shown));
    }
    let order = order(closures)?;
    let mut doubts = Vec::new();
    agree(closures, &mut doubts)?;
    hashes(closures)?;
    let mut known: Vec<Piece> = always.pieces.clone();
    let mut brings = Vec::new();
    for (step, &file) in order.iter().enumerate() {
        let mut new = if step == 0 { always.pieces.clone() } else { Vec::new() };
        for piece in &closures[file].pieces {
            if !known.contains(piece) {
                known.push(*piece);
                new.push(*piece);
            }
        }
        brings.push(new);
    }
    let earlier = &order[..order.len() - 1];
    let mut options = Vec::new();
    for &file in earlier {
        options.push(missing_options(closures, file)?);
    }
    if options.iter().any(|options| !options.is_empty()) {
        doubts.push(
            "an option in one file holds for the whole command, and the step that lacks the file repeats it: it has to be kept the same in both places"
                .to_owned(),
        );
    }
    let last = &closures[order[order.len() - 1]];
    let is_exact = exact(install, closures, earlier, &last.shown, is_checked, &mut doubts)?;
    if !is_exact {
        let foreign = closures
            .iter()
            .enumerate()
            .find(|(at, closure)| closure.names_constraints && earlier.iter().any(|step| step != at));
        if let Some((_, closure)) = foreign {
            return Err(format!("{} names constraints, which an earlier step would not hold to", closure.shown));
        }
    }
    let unpinned = closures.iter().find_map(|closure| {
        let free = closure.requirements.iter().find(|one| one.pin().is_none())?;
        Some(format!("{} doesn't pin {}", closure.shown, free.name))
    });
    doubts.extend(unpinned);
    if let Some((closure, address)) =
        closures.iter().find_map(|closure| closure.remote.as_ref().map(|address| (closure, address)))
    {
        doubts.push(format!("`{}` in {} is fetched again in the last step", shorten(address), closure.shown));
    }
    let all: BTreeSet<String> = closures.iter().flat_map(Closure::names).collect();
    let mut step = BTreeSet::new();
    doubts.extend(earlier.iter().find_map(|&file| {
        step.extend(closures[file].names());
        clash(&step, &all).map(clashes::doubt)
    }));
    let free =
        install.requirements.iter().any(|(_, entry)| !matches!(entry, Entry::Requirement(one) if one.pin().is_some()));
    if free {
        doubts.push("the command installs something else that it doesn't pin".to_owned());
    }
    let tools = ["pip", "setuptools", "wheel"];
    let replaced =
        earlier.iter().flat_map(|&file| &closures[file].requirements).find(|one| tools.contains(&one.name.as_str()));
    if let Some(one) = replaced {
        doubts.push(format!("the last step runs with the {} that the step before it installs", one.name));
    }
    Ok(Judgement { order, brings, options, is_exact, doubts })
}

/// Whether a package brings gigabytes.
pub fn is_top(name: &str) -> bool {
    const FAMILIES: &[&str] = &["jax", "nvidia-", "paddlepaddle", "tensorflow", "torch"];
    let is_top = FAMILIES.iter().any(|family| name.starts_with(family))
        || ["onnxruntime-gpu", "triton", "vllm", "xformers"].contains(&name);
    is_top && is_heavy(name)
}

fn shorten(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or(text)
}

/// Heavy files first, that with the most of the heaviest packages in front, then that with the most heavy ones, else as the command has
/// them; a file behind those that it includes.
fn order(closures: &[Closure]) -> Result<Vec<usize>, String> {
    let includes = |one: usize, other: usize| one != other && closures[one].paths.contains(&closures[other].paths[0]);
    let own = |at: usize| -> BTreeSet<String> {
        let mut names = closures[at].names();
        for other in (0..closures.len()).filter(|&other| includes(at, other)) {
            names.retain(|name| !closures[other].names().contains(name));
        }
        names
    };
    let count = |at: usize, test: fn(&str) -> bool| own(at).iter().filter(|name| test(name)).count();
    let heavy: Vec<(usize, usize)> = (0..closures.len()).map(|at| (count(at, is_top), count(at, is_heavy))).collect();
    let mut left: Vec<usize> = (0..closures.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let free = |at: &usize| !left.iter().any(|&other| includes(*at, other));
        // Of equals the first.
        let next = left.iter().copied().filter(free).rev().max_by_key(|&at| heavy[at]);
        let next = next.ok_or("the requirements files include one another")?;
        left.retain(|&at| at != next);
        order.push(next);
    }
    let paths: BTreeSet<&String> = closures.iter().map(|closure| &closure.paths[0]).collect();
    if paths.len() < closures.len() {
        return Err("it names one file twice".to_owned());
    }
    Ok(order)
}

/// Different pins of one package: the install fails with them and without them.
fn agree(closures: &[Closure], doubts: &mut Vec<String>) -> Result<(), String> {
    for (at, closure) in closures.iter().enumerate() {
        for one in &closure.requirements {
            for other in closures[at + 1..].iter().flat_map(|closure| &closure.requirements) {
                let (Some(pin), Some(different)) = (one.pin(), other.pin()) else { continue };
                if one.name != other.name || pin == different {
                    continue;
                }
                if one.marker.is_none() && other.marker.is_none() {
                    return Err(format!(
                        "the files pin {} to {pin} and to {different}, so that the install fails",
                        one.name
                    ));
                }
                doubts.push(format!("the files pin {} differently under different markers", one.name));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One hash anywhere switches checking on for all.
fn hashes(closures: &[Closure]) -> Result<(), String> {
    let all = || closures.iter().flat_map(|closure| &closure.requirements);
    let demanded = closures.iter().any(|closure| closure.options.iter().any(|(name, _)| name == "--require-hashes"));
    if !(demanded || all().any(|one| one.hashes > 0)) {
        return Ok(());
    }
    match all().find(|one| one.hashes == 0) {
        Some(one) => {
            Err(format!("other requirements have hashes and {} has none, so that the install fails", one.name))
        }
        None => Ok(()),
    }
}

/// What other files of the command say and `file` does not, as words of the command line.
fn missing_options(closures: &[Closure], file: usize) -> Result<Vec<String>, String> {
    let own = &closures[file].options;
    let mut words = Vec::new();
    for (at, closure) in closures.iter().enumerate() {
        for option in closure.options.iter().filter(|option| at != file && !own.contains(option)) {
            let (name, value) = option;
            // Every requirement has a hash then, which switches the same on.
            if name == "--require-hashes" {
                continue;
            }
            let shown = &closure.shown;
            if !REPEATED.contains(&name.as_str()) {
                return Err(format!("{name} in {shown} holds for the whole command"));
            }
            if name == "--index-url" && own.iter().any(|(own, _)| own == "--index-url") {
                return Err(format!("{shown} and {} name different indexes", closures[file].shown));
            }
            let Some(value) = value else {
                words.push(name.clone());
                continue;
            };
            let plain = |ch: char| ch.is_ascii_alphanumeric() || ":/._-+=~,".contains(ch);
            let is_local = name == "--find-links" && !value.contains("://");
            if is_local || !value.chars().all(plain) || value.starts_with('-') {
                return Err(format!("{name} in {shown} holds for the whole command and can't be repeated on its own"));
            }
            words.push(name.clone());
            words.push(value.clone());
        }
    }
    Ok(words)
}

/// What a file takes whose version or whose dependencies it leaves open.
pub(super) fn open_end(closure: &Closure) -> Option<String> {
    let shown = &closure.shown;
    if closure.requirements.iter().any(|one| one.pin().is_none()) {
        return Some(format!("{shown} is not pinned as a whole"));
    }
    let address = closure.remote.as_ref()?;
    Some(format!("{shown} takes `{}` and what comes with it", shorten(address)))
}

/// Whether the steps before the last install just what their files name, in the versions that the joint install has too.
///
/// # Errors
/// What `pip check` may then complain of.
fn exact(
    install: &Install,
    closures: &[Closure],
    earlier: &[usize],
    last: &str,
    is_checked: bool,
    doubts: &mut Vec<String>,
) -> Result<bool, String> {
    let alone = install.has(&["--no-deps", "--no-dependencies"]);
    for &file in earlier {
        let closure = &closures[file];
        if let Some(open) = open_end(closure) {
            if is_checked && !alone {
                return Err(format!(
                    "{open}, so that its own step may leave a package behind that `pip check` complains of"
                ));
            }
            doubts.push(format!(
                "{open}: its step resolves them alone, so that what {last} holds back is replaced in the last step, and what only the replaced version needed stays in the image"
            ));
            return Ok(false);
        }
    }
    Ok(true)
}
