//! What a command of a RUN finds in a variable.

use crate::facts::runs::Run;
use crate::facts::stages::Variable;
use crate::shell::{Command, ShellWord};

/// What a command finds in a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    Unset,
    Value(String),
    /// Set to something that only the build knows, or perhaps set.
    Unknown,
}

impl Setting {
    /// Whether it switches something on; `None` where only the build knows.
    pub fn is_on(&self) -> Option<bool> {
        match self {
            Self::Unset => Some(false),
            Self::Value(value) => {
                Some(!matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "f" | "no" | "n" | "off"))
            }
            Self::Unknown => None,
        }
    }
}

/// The variable `name` as `command` finds it: in front of it, in the RUN before it, and in the image. A base image that isn't known is
/// taken to set nothing.
pub fn setting(run: &Run, command: &Command, name: &str) -> Setting {
    find(run, command, &|key| key == name, run.state.env.get(name))
}

/// The same with names in any case, as npm reads `npm_config_cache`.
pub fn setting_in_any_case(run: &Run, command: &Command, name: &str) -> Setting {
    find(run, command, &|key| key.eq_ignore_ascii_case(name), run.state.env.get_any_case(name))
}

fn find(run: &Run, command: &Command, is_it: &dyn Fn(&str) -> bool, in_image: Option<&Variable>) -> Setting {
    let sets = |word: &ShellWord| word.raw.split_once('=').is_some_and(|(key, _)| is_it(key));
    let of = |word: &ShellWord| match run.value(word).value.or_else(|| word.value.clone()) {
        Some(value) => Setting::Value(value.split_once('=').map(|(_, value)| value.to_owned()).unwrap_or_default()),
        None => Setting::Unknown,
    };
    if let Some(word) = command.assignments.iter().rev().find(|word| sets(word)) {
        return of(word);
    }
    if command.unset.iter().any(|unset| is_it(unset) || unset == "*") {
        return Setting::Unset;
    }
    let earlier = || run.commands().iter().filter(|other| other.range.start < command.range.start);
    let changes = |other: &Command| {
        let bare = other.words.is_empty() && other.assignments.iter().any(sets);
        let named = other.words.iter().any(|word| sets(word) || is_it(&word.raw));
        bare || named && matches!(other.name(), Some("export" | "unset" | "declare" | "read"))
    };
    if let Some(last) = earlier().rfind(|other| changes(other)) {
        let exported = last.words.iter().rev().find(|word| sets(word)).filter(|_| last.name() == Some("export"));
        return exported.map_or(Setting::Unknown, of);
    }
    match in_image {
        None => Setting::Unset,
        Some(Variable::Known(value)) => Setting::Value(value.clone()),
        Some(_) => Setting::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Knowledge, Scripts};

    fn of(dockerfile: &str, name: &str) -> Setting {
        let text = format!("FROM python:3.12\n{dockerfile}\n");
        let file = crate::dockerfile::read(&text).unwrap();
        let (knowledge, scripts) = (Knowledge::default(), Scripts::new());
        let facts = Facts::new(&text, &file, &knowledge, &scripts);
        let run = facts.runs.last().unwrap();
        let call = run.calls().last().unwrap();
        setting(run, &run.commands()[call.command], name)
    }

    #[test]
    fn the_nearest_setting_counts() {
        let value = |text: &str| Setting::Value(text.to_owned());
        assert_eq!(of("ENV A=1\nRUN pip install x", "A"), value("1"));
        assert_eq!(of("ENV A=1\nRUN A=2 pip install x", "A"), value("2"));
        assert_eq!(of("ENV A=1\nRUN export A=3 && pip install x", "A"), value("3"));
        assert_eq!(of("ENV A=1\nRUN env -u A pip install x", "A"), Setting::Unset);
        assert_eq!(of("RUN A=1; pip install x", "A"), Setting::Unknown);
        assert_eq!(of("ARG A\nRUN pip install x", "A"), Setting::Unknown);
        assert_eq!(of("RUN pip install x", "A"), Setting::Unset);
    }
}
