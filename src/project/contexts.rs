//! The folders that a Dockerfile may be built from.

use super::Project;
use super::graph::parent;
use crate::context::BuildContext;

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

impl Project {
    /// The folders that the Dockerfile at `path` is built from.
    ///
    /// # Errors
    /// Nothing is known of the files around it, or one of the contexts can't be read.
    pub fn build_contexts(&self, path: &str) -> Result<BuildContexts<'_>, String> {
        if path.contains('#') {
            return Err("it stands in a compose file, and the files around it are not read".to_owned());
        }
        if !self.tree.is_known() {
            return Err("nothing is known of the files around it".to_owned());
        }
        let named = self.graph.contexts(path);
        let is_guess = named.folders.is_empty();
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
