//! The words of a call, told apart: its options with their values, and the rest.

use crate::facts::managers::Call;
use crate::facts::runs::Run;
use crate::shell::{Command, ShellWord};

/// The words of a call behind its command words.
#[derive(Debug, Default)]
pub struct Words {
    options: Vec<(String, Option<String>)>,
    /// What is no option and no value of one.
    pub others: Vec<String>,
}

impl Words {
    /// Reads the words; `valued` are the options that take the next word. The value of an option may be unknown.
    ///
    /// # Errors
    /// A word that only the build knows, where it may be an option.
    pub fn read(call: &Call, command: &Command, run: &Run, valued: &[&str]) -> Result<Self, String> {
        let mut words = Self::default();
        let mut verb_words = call.verb_text.split_whitespace().count();
        let mut rest = command.words.get(call.arguments..).unwrap_or(&[]).iter();
        while let Some(word) = rest.next() {
            let Some(value) = known(run, word) else {
                let Some((name, _)) = word.raw.split_once('=').filter(|_| word.raw.starts_with("--")) else {
                    return Err(format!("what {} adds to the command can't be told", word.raw));
                };
                words.options.push((name.to_owned(), None));
                continue;
            };
            if !value.starts_with('-') || value == "-" {
                if verb_words > 0 {
                    verb_words -= 1;
                } else {
                    words.others.push(value);
                }
                continue;
            }
            if value.starts_with("--") {
                match value.split_once('=') {
                    Some((name, value)) => words.options.push((name.to_owned(), Some(value.to_owned()))),
                    None if valued.contains(&value.as_str()) => {
                        let value_of = rest.next().and_then(|word| known(run, word));
                        words.options.push((value, value_of));
                    }
                    None => words.options.push((value, None)),
                }
                continue;
            }
            let short: String = value.chars().take(2).collect();
            if !valued.contains(&value.as_str()) && valued.contains(&short.as_str()) {
                let attached = value[short.len()..].trim_start_matches('=').to_owned();
                words.options.push((short, Some(attached)));
            } else if valued.contains(&value.as_str()) {
                let value_of = rest.next().and_then(|word| known(run, word));
                words.options.push((value, value_of));
            } else {
                words.options.push((value, None));
            }
        }
        Ok(words)
    }

    /// Whether one of `names` is given.
    pub fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(name, _)| names.contains(&name.as_str()))
    }

    /// The values of the options `names`, in order; `None` for one that only the build knows.
    pub fn values(&self, names: &[&str]) -> Vec<Option<&str>> {
        let named = self.options.iter().filter(|(name, _)| names.contains(&name.as_str()));
        named.map(|(_, value)| value.as_deref()).collect()
    }

    /// The values of the options `names`, each of which names a file or folder.
    ///
    /// # Errors
    /// A value that only the build knows.
    pub fn paths(&self, names: &[&str]) -> Result<Vec<&str>, String> {
        let values = self.values(names).into_iter();
        values.map(|value| value.ok_or(format!("the value of {} can't be told", names[0]))).collect()
    }
}

/// The one word that the shell makes of `word`; `None` where it isn't known or may be none or several.
fn known(run: &Run, word: &ShellWord) -> Option<String> {
    let expansion = run.value(word);
    let value = expansion.value.filter(|_| !expansion.pattern)?;
    let quoted = word.raw.contains('"');
    let splits = expansion.variable && !quoted && (value.is_empty() || value.contains(char::is_whitespace));
    (!splits).then_some(value)
}
