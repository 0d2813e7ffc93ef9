//! Build arguments that change with every commit, and the ENV, LABEL and ARG that carry their values.

use crate::dockerfile::{Keyword, Pair};
use crate::facts::Facts;
use crate::facts::build_args::{is_per_commit, variables};

/// Build arguments of one stage that hang together, with all that reads them in ARG, ENV and LABEL.
#[derive(Debug, Default)]
pub struct Family {
    /// The build arguments that change with every commit.
    pub seeds: Vec<Seed>,
    /// In order.
    pub members: Vec<Member>,
}

/// A build argument that changes with every commit.
#[derive(Debug, Clone)]
pub struct Seed {
    pub name: String,
    pub instruction: usize,
    pub has_default: bool,
}

/// An instruction that belongs to a family, wholly or with some of its pairs.
#[derive(Debug)]
pub struct Member {
    pub instruction: usize,
    /// Those that move.
    pub pairs: Vec<Pair>,
    /// Those that stay.
    pub others: Vec<Pair>,
    /// Variables that the moving pairs set.
    pub names: Vec<String>,
    /// Labels that they set.
    pub labels: Vec<String>,
    /// Variables that they read.
    pub reads: Vec<String>,
}

impl Member {
    /// Whether the instruction moves as it stands.
    pub fn is_whole(&self) -> bool {
        self.others.is_empty()
    }
}

/// The families of a stage, in the order of their first instructions. `more` are names that restow.toml adds.
pub fn families(facts: &Facts<'_>, stage: usize, more: &[String]) -> Vec<Family> {
    let escape = facts.file.escape;
    let mut families: Vec<Family> = Vec::new();
    for at in facts.stages[stage].instructions.clone().skip(1) {
        let instruction = &facts.file.instructions[at];
        let keyword = instruction.keyword;
        let pairs = instruction.pairs(escape);
        let value = |pair: &Pair| pair.value.clone().unwrap_or_default();
        let owners = |pair: &Pair| -> Vec<usize> {
            let value = value(pair);
            let read = variables(&value);
            let owns = |family: &Family| {
                let mut names = family.members.iter().flat_map(|member| &member.names);
                names.any(|name| read.contains(&name.as_str()) || keyword == Keyword::Arg && *name == pair.name)
            };
            families.iter().enumerate().filter(|(_, family)| owns(family)).map(|(index, _)| index).collect()
        };
        let is_seed = |pair: &Pair| keyword == Keyword::Arg && is_per_commit(&pair.name, more);
        let belongs: Vec<bool> = pairs.iter().map(|pair| is_seed(pair) || !owners(pair).is_empty()).collect();
        if !belongs.contains(&true) {
            continue;
        }
        let mut meant: Vec<usize> = pairs.iter().flat_map(owners).collect();
        meant.sort_unstable();
        meant.dedup();
        let seeds: Vec<Seed> = pairs
            .iter()
            .filter(|pair| is_seed(pair))
            .map(|pair| Seed { name: pair.name.clone(), instruction: at, has_default: pair.value.is_some() })
            .collect();
        // A label costs nothing and says the same wherever it stands: all of its instruction goes along.
        let goes = |index: usize| belongs[index] || keyword == Keyword::Label;
        let (mut moving, mut others) = (Vec::new(), Vec::new());
        for (index, pair) in pairs.into_iter().enumerate() {
            if goes(index) { moving.push(pair) } else { others.push(pair) }
        }
        let names: Vec<String> = moving.iter().map(|pair| pair.name.clone()).collect();
        let reads = moving.iter().flat_map(|pair| variables(pair.value.as_deref().unwrap_or("")));
        let reads = reads.map(str::to_owned).collect();
        let (names, labels) = if keyword == Keyword::Label { (Vec::new(), names) } else { (names, Vec::new()) };
        let member = Member { instruction: at, pairs: moving, others, names, labels, reads };
        let mut joined = Family::default();
        for index in meant.iter().rev() {
            let family = families.remove(*index);
            joined.seeds.extend(family.seeds);
            joined.members.extend(family.members);
        }
        joined.seeds.extend(seeds);
        joined.members.push(member);
        joined.seeds.sort_by_key(|seed| seed.instruction);
        joined.members.sort_by_key(|member| member.instruction);
        families.push(joined);
    }
    families.sort_by_key(|family| family.members.first().map(|member| member.instruction));
    families
}
