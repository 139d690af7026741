//! The folder that a report goes to.

use std::io;
use std::path::{Path, PathBuf};

/// A folder that can be written to. It is made before the first run, so that none is made in vain,
/// and is gone again if nothing came of it.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if it is not there, and sees that files can be made in it.
    pub(super) fn open(path: PathBuf) -> Result<Self, String> {
        let made = std::fs::create_dir_all(&path);
        let folder = Self(path);
        made.and_then(|()| tempfile::tempfile_in(folder.path()))
            .map_err(|error| folder.unusable(&error))?;
        Ok(folder)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What to say when it cannot be written to.
    pub(super) fn unusable(&self, error: &io::Error) -> String {
        let path = self.0.display();
        format!(
            "the report cannot be written to folder {path}: {error}; --output names another, \
             --no-report does without"
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Fails, as it should, for one that holds anything.
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_goes_and_a_filled_one_stays() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        drop(Folder::open(path.clone()).unwrap());
        assert!(!path.exists());
        let folder = Folder::open(path.clone()).unwrap();
        std::fs::write(folder.path().join("report.json"), "{}").unwrap();
        drop(folder);
        assert!(path.exists());
    }

    #[test]
    fn what_cannot_be_a_folder_is_named_with_the_way_out() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = Folder::open(path).unwrap_err();
            assert!(
                error.contains("file") && error.contains("--output"),
                "{error}"
            );
        }
        assert!(file.is_file(), "it is left alone");
    }
}
