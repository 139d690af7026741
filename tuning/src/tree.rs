//! Reading `/proc` and `/sys` below a root, which is `/` on a real host and a folder in tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file tree that holds `proc` and `sys`. Whatever cannot be read is `None`.
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The machine's own tree.
    pub(crate) fn host() -> Tree {
        Tree::at(Path::new("/"))
    }

    /// A tree whose `/` is `root`.
    pub(crate) fn at(root: &Path) -> Tree {
        Tree {
            root: root.to_owned(),
        }
    }

    /// Where an absolute path of the tree lies on disk.
    pub(crate) fn locate(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.root
            .join(absolute.strip_prefix("/").unwrap_or(absolute))
    }

    /// The whole text of a file, its trailing blanks cut.
    pub(crate) fn text(&self, absolute: impl AsRef<Path>) -> Option<String> {
        let text = fs::read_to_string(self.locate(absolute)).ok()?;
        Some(text.trim_end().to_owned())
    }

    /// A file that holds one value, such as a number under `/proc/sys`.
    pub(crate) fn value<T: FromStr>(&self, absolute: impl AsRef<Path>) -> Option<T> {
        self.text(absolute)?.trim().parse().ok()
    }

    /// The choice in brackets of a file such as `none [mq-deadline] kyber`; a lone word counts too.
    pub(crate) fn choice(&self, absolute: impl AsRef<Path>) -> Option<String> {
        let text = self.text(absolute)?;
        let mut words = text.split_whitespace();
        let chosen = words
            .clone()
            .find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
        match chosen {
            Some(word) => Some(word.to_owned()),
            None => words
                .next()
                .filter(|_| words.next().is_none())
                .map(str::to_owned),
        }
    }

    /// The folder a path leads to once its links are followed, as an absolute path of the tree.
    pub(crate) fn resolve(&self, absolute: impl AsRef<Path>) -> Option<PathBuf> {
        let resolved = fs::canonicalize(self.locate(absolute)).ok()?;
        let root = fs::canonicalize(&self.root).ok()?;
        Some(Path::new("/").join(resolved.strip_prefix(root).ok()?))
    }

    /// Whether something is there.
    pub(crate) fn holds(&self, absolute: impl AsRef<Path>) -> bool {
        self.locate(absolute).exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_the_word_in_brackets_or_the_only_word() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::at(folder.path());
        for (text, choice) in [
            ("none [mq-deadline] kyber bfq\n", Some("mq-deadline")),
            ("none\n", Some("none")),
            ("none kyber\n", None),
            ("", None),
        ] {
            fs::write(folder.path().join("scheduler"), text).unwrap();
            assert_eq!(tree.choice("/scheduler").as_deref(), choice, "{text:?}");
        }
        assert_eq!(tree.choice("/absent"), None);
    }

    #[test]
    fn links_are_followed_inside_the_tree_only() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::at(folder.path());
        fs::create_dir_all(folder.path().join("devices/vda")).unwrap();
        std::os::unix::fs::symlink("devices/vda", folder.path().join("inside")).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("outside")).unwrap();
        assert_eq!(tree.resolve("/inside"), Some(PathBuf::from("/devices/vda")));
        assert_eq!(tree.resolve("/outside"), None);
    }
}
