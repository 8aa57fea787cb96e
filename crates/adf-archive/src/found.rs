//! What is known of an archive while it is read, and what must hold once its end was reached.

use adf_types::{Digest, TreeHasher};

use crate::entry::ADF_TOML;
use crate::error::ArchiveError;
use crate::ignore::{DOCKERIGNORE, Sieve};
use crate::path::Root;
use crate::tree::Tree;
use crate::{Settings, Wanted};

/// What a walk to the end of the archive found.
pub(crate) struct Walked {
    pub(crate) entries: usize,
    pub(crate) left_out: usize,
    pub(crate) tree: Option<Digest>,
    pub(crate) dockerfile: String,
}

/// What is known of the archive so far.
pub(crate) struct Found {
    pub(crate) root: Root,
    pub(crate) tree: Tree,
    pub(crate) sieve: Sieve,
    pub(crate) settings: Option<Settings>,
    pub(crate) hasher: Option<TreeHasher>,
    /// The beginning of its text.
    pub(crate) dockerfile: Option<String>,
    pub(crate) entries: usize,
    pub(crate) left_out: usize,
    pub(crate) ignore_met: bool,
}

impl Found {
    pub(crate) fn new(wanted: &Wanted) -> Self {
        Self {
            root: Root::default(),
            tree: Tree::default(),
            sieve: Sieve::new(wanted.known.ignore.clone()),
            settings: None,
            hasher: matches!(wanted.digest, Some(Digest::Tree(_))).then(TreeHasher::default),
            dockerfile: None,
            entries: 0,
            left_out: 0,
            ignore_met: false,
        }
    }

    /// What must hold once the end was reached.
    pub(crate) fn complete(self, wanted: &Wanted) -> Result<Walked, ArchiveError> {
        if self.entries == 0 {
            return Err(ArchiveError::NoEntries);
        }
        let Some(dockerfile) = self.dockerfile else {
            return Err(ArchiveError::NoDockerfile { root: self.root.folder() });
        };
        if wanted.known.settings.is_some() && self.settings.is_none() {
            return Err(ArchiveError::Changed(ADF_TOML));
        }
        if wanted.known.ignore.is_some() && !self.ignore_met {
            return Err(ArchiveError::Changed(DOCKERIGNORE));
        }
        self.tree.check_links()?;
        let tree = self.hasher.map(|hasher| hasher.finish());
        Ok(Walked { entries: self.entries, left_out: self.left_out, tree, dockerfile })
    }
}
