//! The folders that a Dockerfile may be built from.

use super::Project;
use super::graph::parent;
use crate::context::BuildContext;
use crate::facts::Facts;

/// The build contexts of a Dockerfile: a change has to hold for each of them.
#[derive(Debug)]
pub struct BuildContexts<'a> {
    pub contexts: Vec<BuildContext<'a>>,
    /// Whether nothing in the repository names them: they are then the Dockerfile's own folder and those above it, of which not every
    /// one may be meant.
    pub is_guess: bool,
    /// Why a build from elsewhere is possible.
    pub doubt: Option<String>,
}

impl BuildContexts<'_> {
    /// The contexts that may be meant: of a guess those in which everything is that the COPYs of the Dockerfile name, or all where there
    /// is none.
    pub fn likely(&self, facts: &Facts<'_>) -> Vec<&BuildContext<'_>> {
        let copies = || facts.copies.iter().filter(|copy| copy.from.is_none());
        let is_whole = |context: &&BuildContext<'_>| {
            let mut parts = copies().filter_map(|copy| copy.parts(context).ok()).flatten();
            !parts.any(|part| part.is_missing)
        };
        let likely: Vec<_> = self.contexts.iter().filter(|context| !self.is_guess || is_whole(context)).collect();
        if likely.is_empty() { self.contexts.iter().collect() } else { likely }
    }
}

impl Project {
    /// The folders that the Dockerfile at `path` is built from.
    ///
    /// # Errors
    /// Nothing is known of the files around it, or one of the contexts can't be read.
    pub fn build_contexts(&self, path: &str) -> Result<BuildContexts<'_>, String> {
        if !self.tree.is_known() {
            return Err("nothing is known of the files around it".to_owned());
        }
        let named = self.graph.contexts(path);
        let is_guess = named.folders.is_empty();
        if is_guess && path.contains('#') {
            return Err("the build context of the service can't be told".to_owned());
        }
        let folders = if is_guess { self.and_above(&parent(path)) } else { named.folders };
        let contexts: Vec<BuildContext<'_>> =
            folders.iter().map(|folder| BuildContext::open(&self.tree, folder, path)).collect::<Result<_, _>>()?;
        let doubt = named.unknown.map(|place| format!("the build context that {place} names can't be told"));
        Ok(BuildContexts { contexts, is_guess, doubt })
    }

    /// A folder and those that it lies in, up to the root of the repository.
    fn and_above(&self, folder: &str) -> Vec<String> {
        let mut folders = vec![folder.to_owned()];
        while let Some(last) = folders.last().filter(|last| *last != ".") {
            let above = parent(last);
            // Outside of a repository the paths are those of the command line, and nothing above what was named is looked at.
            if self.tree.entry(&above).is_none_or(|entry| entry != crate::context::Entry::Folder) {
                break;
            }
            folders.push(above);
        }
        folders
    }
}
