//! What differs from the first build.

use super::{Edit, Subject, first_install};

/// What differs from the first build; nothing by default.
#[derive(Debug, Default)]
pub(super) struct World<'a> {
    /// Files of the context with another content. What the .dockerignore keeps out never arrives.
    pub changed: Vec<&'a str>,
    /// A base image with other files, as FROM gives it.
    pub base: Option<&'a str>,
    pub argument: Option<(&'a str, &'a str)>,
    /// An instruction with another text.
    pub edited: Option<usize>,
}

impl<'a> World<'a> {
    /// The world after an edit.
    ///
    /// # Errors
    /// The edit can't be made.
    pub fn after(subject: &Subject<'a>, edit: &'a Edit) -> Result<Self, String> {
        let context = subject.context;
        // What the repository doesn't have is made before the build.
        let is_made = |path: &str| !context.has_on_disk(path) && !context.ignore.excludes(path);
        let arrives = |path: &&str| path.ends_with('/') || context.entry(path).is_some() || is_made(path);
        let dockerfile = || subject.dockerfile.into_iter().filter(arrives).collect();
        Ok(match edit {
            Edit::Nothing | Edit::Failure { .. } => Self::default(),
            Edit::Touch { path } => {
                Self { changed: Some(path.as_str()).into_iter().filter(arrives).collect(), ..Self::default() }
            }
            Edit::FirstInstall { install } => {
                let found = first_install(subject, Some(install)).ok_or("there is no install that can be edited")?;
                Self { changed: dockerfile(), edited: Some(found.instruction), ..Self::default() }
            }
            Edit::Base { reference } => Self { base: Some(reference), ..Self::default() },
            Edit::Argument { name, value } => Self { argument: Some((name, value)), ..Self::default() },
        })
    }
}
