//! The environment that a stage builds up, with the values of build arguments in it.
//!
//! Source: `dispatchArg` and `dispatchEnv` of dockerfile2llb; [`crate::facts::stages`] keeps what no build argument can change.

use std::collections::BTreeMap;

use super::Subject;
use super::world::World;
use crate::dockerfile::{Instruction, Keyword};
use crate::facts::build_args::variables;
use crate::facts::stages::expand;

/// What the instructions of a stage have set so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// ENV, and ARG that has a value.
    env: BTreeMap<String, String>,
    pub user: String,
    pub shell: String,
    /// Absolute, without a trailing slash; the root is empty.
    pub workdir: String,
}

impl Values {
    /// The environment as a RUN gets it.
    pub fn environment(&self) -> String {
        self.env.iter().map(|(name, value)| format!("{name}={value}\u{0}")).collect()
    }

    /// A Dockerfile word with its variables replaced. Names that nothing sets are empty; of a form that is not read, the word and the
    /// values of all that it names.
    pub fn expand(&self, raw: &str, escape: char) -> String {
        let value = |name: &str| self.env.get(name).cloned().unwrap_or_default();
        expand(raw, escape, &|name| Some(value(name))).unwrap_or_else(|| {
            let values = variables(raw).into_iter().map(value);
            std::iter::once(raw.to_owned()).chain(values).collect::<Vec<_>>().join("\u{0}")
        })
    }

    /// The values of ARGs before the first FROM.
    pub fn global(subject: &Subject<'_>, world: &World<'_>) -> Self {
        let mut values = Self::default();
        let instructions = &subject.facts.file.instructions;
        for instruction in instructions.iter().take_while(|instruction| instruction.keyword != Keyword::From) {
            if instruction.keyword == Keyword::Arg {
                values.arguments(subject, world, instruction, &Self::default());
            }
        }
        values
    }

    /// Sets what ENV sets.
    pub fn set(&mut self, instruction: &Instruction, escape: char) {
        // All values of one ENV see the environment before it.
        let before = self.clone();
        for pair in instruction.pairs(escape) {
            let value = before.expand(pair.value.as_deref().unwrap_or(""), escape);
            self.env.insert(pair.name, value);
        }
    }

    /// Sets what ARG sets: over an ENV above it, too (measured; the reference says otherwise). One without a value adds nothing.
    pub fn arguments(&mut self, subject: &Subject<'_>, world: &World<'_>, instruction: &Instruction, globals: &Self) {
        let escape = subject.facts.file.escape;
        for pair in instruction.pairs(escape) {
            let passed = match world.argument {
                Some((name, value)) if name == pair.name => Some(value.to_owned()),
                // Whatever the environment has, it has it in both builds.
                _ => {
                    let passed = subject.arguments.iter().rev().find(|(name, _)| *name == pair.name);
                    passed.map(|(_, value)| value.clone().unwrap_or_default())
                }
            };
            let default = || match &pair.value {
                Some(raw) => Some(self.expand(raw, escape)),
                None => globals.env.get(&pair.name).cloned(),
            };
            if let Some(value) = passed.or_else(default) {
                self.env.insert(pair.name, value);
            }
        }
    }
}
