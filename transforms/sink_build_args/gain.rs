//! What is gained where several build arguments stand above the same installs.

use super::family::Seed;
use super::site::{Site, list};
use crate::facts::Facts;

/// A build argument that changes with every commit and stays where it is.
#[derive(Clone)]
pub struct Staying {
    pub name: String,
    pub instruction: usize,
}

impl Staying {
    pub fn of(seed: &Seed) -> Self {
        Self { name: seed.name.clone(), instruction: seed.instruction }
    }
}

/// Takes away the sites that save no install, because another build argument above the same ones stays there, and gives the reason for
/// each.
pub fn without_gain<'a>(
    facts: &Facts<'_>,
    sites: &mut Vec<Site<'a>>,
    mut staying: Vec<Staying>,
) -> Vec<(Site<'a>, String)> {
    let mut gone = Vec::new();
    // One that is taken away stays too.
    while let Some((at, other)) = repeated(sites, &staying) {
        let site = sites.remove(at);
        let (name, line) = (other.name, facts.line(other.instruction));
        let seeds = site.seeds();
        let reason = format!(
            "{name} of line {line} changes as often, can't move below them and repeats the same installs, so nothing is gained by moving {}",
            list(&seeds.iter().map(|seed| seed.name.as_str()).collect::<Vec<_>>())
        );
        staying.extend(seeds.iter().map(|seed| Staying::of(seed)));
        gone.push((site, reason));
    }
    // Behind the first that another one repeats all others are repeated too.
    let bounds: Vec<(usize, bool, Vec<String>)> = sites
        .iter()
        .map(|site| {
            let names = site.seeds().iter().map(|seed| seed.name.clone()).collect();
            (site.behind, site.doubts.is_empty(), names)
        })
        .collect();
    for (index, site) in sites.iter_mut().enumerate() {
        let others = bounds.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, bound)| bound);
        let nearest = others.clone().map(|bound| bound.0);
        let nearest = nearest.chain(staying.iter().map(|other| other.instruction)).min();
        site.installs.retain(|at| nearest.is_none_or(|nearest| *at <= nearest));
        if site.doubts.is_empty() {
            site.beside = others.filter(|bound| !bound.1).flat_map(|bound| bound.2.clone()).collect();
        }
    }
    gone
}

/// The first site none of whose installs is saved, and the build argument that repeats them.
fn repeated(sites: &[Site<'_>], staying: &[Staying]) -> Option<(usize, Staying)> {
    sites.iter().enumerate().find_map(|(at, site)| {
        let first = *site.installs.first()?;
        let stays = staying.iter().find(|other| other.instruction < first);
        let short = || sites.iter().find(|other| other.behind < first)?.seeds().first().copied();
        Some((at, stays.cloned().or_else(|| short().map(Staying::of))?))
    })
}
