//! Programs that run another program: `sudo`, `env`, `time`, `exec`, `nice`, `xargs` and the like.

use std::ops::Range;

use super::{Command, Form, ShellWord};

/// As whom a command runs, next to the RUN's own user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAs {
    Same,
    /// `sudo`: root. `own_home` tells whether HOME is root's (`-H`, `-i`); plain sudo may keep the caller's.
    Root {
        own_home: bool,
    },
    /// `sudo -u`, `su`, `gosu`, `runuser`: somebody else.
    Other,
}

/// A program that runs its arguments.
struct Wrapper {
    name: &'static str,
    /// Options that take the next word.
    with_value: &'static [&'static str],
    /// Words between the options and the program.
    operands: usize,
}

const WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "sudo", with_value: &["-u", "-g", "-C", "-p", "-r", "-t", "-h", "-U"], operands: 0 },
    Wrapper { name: "env", with_value: &["-u", "-C", "--unset", "--chdir"], operands: 0 },
    Wrapper { name: "time", with_value: &["-f", "-o"], operands: 0 },
    Wrapper { name: "exec", with_value: &["-a"], operands: 0 },
    Wrapper { name: "command", with_value: &[], operands: 0 },
    Wrapper { name: "nice", with_value: &["-n"], operands: 0 },
    Wrapper { name: "ionice", with_value: &["-c", "-n"], operands: 0 },
    Wrapper { name: "nohup", with_value: &[], operands: 0 },
    Wrapper { name: "eatmydata", with_value: &[], operands: 0 },
    Wrapper { name: "chronic", with_value: &[], operands: 0 },
    Wrapper { name: "stdbuf", with_value: &["-i", "-o", "-e"], operands: 0 },
    Wrapper { name: "timeout", with_value: &["-s", "-k", "--signal", "--kill-after"], operands: 1 },
    Wrapper {
        name: "xargs",
        with_value: &["-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s", "--arg-file", "--max-args", "--max-procs"],
        operands: 0,
    },
    Wrapper { name: "gosu", with_value: &[], operands: 1 },
    Wrapper { name: "su-exec", with_value: &[], operands: 1 },
    Wrapper { name: "runuser", with_value: &["-u", "-g", "-G"], operands: 0 },
];

/// Builds a command: finds its program behind the wrappers, and collects what they change.
pub(super) fn resolve(
    range: Range<usize>,
    mut assignments: Vec<ShellWord>,
    words: Vec<ShellWord>,
    form: Form,
    list: usize,
    item: Option<usize>,
    nested: bool,
) -> Command {
    let (mut at, mut run_as, mut unset) = (0, RunAs::Same, Vec::new());
    while let Some(value) = words.get(at).and_then(|word| word.value.as_deref()) {
        let name = value.rsplit('/').next().unwrap_or(value);
        if name == "su" {
            run_as = RunAs::Other;
            break;
        }
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else { break };
        let mut next = at + 1;
        let (mut user, mut own_home) = (None, false);
        while let Some(option) = words.get(next).and_then(|word| word.value.as_deref()) {
            if !option.starts_with('-') || option == "-" {
                break;
            }
            next += 1;
            if option == "--" {
                break;
            }
            own_home |= !option.starts_with("--") && option.contains(['H', 'i']) || option == "--set-home";
            if option == "-i" && name == "env" {
                unset.push("*".to_owned());
            }
            if wrapper.with_value.contains(&option) {
                let given = words.get(next).and_then(|word| word.value.clone());
                match (name, option) {
                    ("sudo" | "runuser", "-u") => user = given,
                    ("env", "-u" | "--unset") => unset.extend(given),
                    _ => {}
                }
                next += 1;
            } else if let Some(name) = option.strip_prefix("--unset=") {
                unset.push(name.to_owned());
            }
        }
        next += wrapper.operands;
        if matches!(name, "env" | "sudo") {
            while let Some(word) = words.get(next).filter(|word| is_assignment(&word.raw)) {
                assignments.push(word.clone());
                next += 1;
            }
        }
        match name {
            "sudo" if user.as_deref().is_none_or(|user| user == "root") => run_as = RunAs::Root { own_home },
            "sudo" | "gosu" | "su-exec" | "runuser" => run_as = RunAs::Other,
            _ => {}
        }
        if next >= words.len() {
            break;
        }
        at = next;
    }
    Command { range, assignments, words, program: at, run_as, unset, form, list, item, nested, timed: false }
}

fn is_assignment(raw: &str) -> bool {
    let Some((name, _)) = raw.split_once('=') else { return false };
    !name.is_empty() && name.chars().all(|ch| ch.is_ascii_alphanumeric() || ch == '_')
}
