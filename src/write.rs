//! Writing a file whole or not at all.

use std::io::Write;
use std::path::Path;

/// Why a file was not written. Its old text stands.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("it changed since it was read; run again")]
    Changed,
    #[error("it leads out of the repository; name the file itself")]
    Outside,
    #[error("its owner can't be kept: {0}; run as its owner")]
    Owner(std::io::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Replaces the text of `path`, which was `before`, by `after`: through a temporary file beside it, keeping mode and owner,
/// following a link to its target inside `root`.
///
/// # Errors
/// [`WriteError`]; the file is unchanged then.
pub fn replace(path: &Path, root: &Path, before: &str, after: &str) -> Result<(), WriteError> {
    let target = path.canonicalize()?;
    if !root.canonicalize().is_ok_and(|root| target.starts_with(root)) {
        return Err(WriteError::Outside);
    }
    let meta = target.metadata()?;
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".restow-").tempfile_in(folder)?;
    file.write_all(after.as_bytes())?;
    file.as_file().set_permissions(meta.permissions())?;
    keep_owner(file.path(), &meta)?;
    file.as_file().sync_all()?;
    // As late as can be: an editor may have saved the file meanwhile.
    if std::fs::read(&target)? != before.as_bytes() {
        return Err(WriteError::Changed);
    }
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a file that is not there yet, with `text`, inside `root`.
///
/// # Errors
/// [`WriteError`]; there is no such file then. [`WriteError::Changed`] where there is one meanwhile.
pub fn create(path: &Path, root: &Path, text: &str) -> Result<(), WriteError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !root.canonicalize().is_ok_and(|root| folder.canonicalize().is_ok_and(|folder| folder.starts_with(root))) {
        return Err(WriteError::Outside);
    }
    let mut file = tempfile::Builder::new().prefix(".restow-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As a new file of an editor: the temporary one is its owner's alone.
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => WriteError::Changed,
        _ => WriteError::Io(error.error),
    })?;
    Ok(())
}

#[cfg(unix)]
fn keep_owner(path: &Path, meta: &std::fs::Metadata) -> Result<(), WriteError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let own = std::fs::metadata(path)?;
    if (own.uid(), own.gid()) != (meta.uid(), meta.gid()) {
        chown(path, Some(meta.uid()), Some(meta.gid())).map_err(WriteError::Owner)?;
        // Changing the owner clears the set-id bits.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(meta.mode()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &std::fs::Metadata) -> Result<(), WriteError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_since_it_was_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        std::fs::write(&path, "new").unwrap();
        assert!(matches!(replace(&path, folder.path(), "old", "x"), Err(WriteError::Changed)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_made_only_where_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dockerignore");
        create(&path, folder.path(), "a\n").unwrap();
        assert!(matches!(create(&path, folder.path(), "b\n"), Err(WriteError::Changed)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\n");
        let outside = tempfile::tempdir().unwrap();
        assert!(matches!(create(&outside.path().join("x"), folder.path(), "a"), Err(WriteError::Outside)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_inside_the_repository_only() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        std::fs::write(&real, "a").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, folder.path().join("link")).unwrap();
        replace(&folder.path().join("link"), folder.path(), "a", "b").unwrap();
        assert!(folder.path().join("link").is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "b");
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);

        let far = outside.path().join("far");
        std::fs::write(&far, "a").unwrap();
        symlink(&far, folder.path().join("out")).unwrap();
        assert!(matches!(replace(&folder.path().join("out"), folder.path(), "a", "b"), Err(WriteError::Outside)));
    }
}
