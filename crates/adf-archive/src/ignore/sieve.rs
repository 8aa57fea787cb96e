//! Which entries go on into the build, one after the other.

use std::collections::HashSet;

use super::{DOCKERIGNORE, Ignore};
use crate::gate::Fit;

#[derive(Debug, Default)]
pub(crate) struct Sieve {
    ignore: Option<Ignore>,
    /// Which patterns match the folder that was asked for last: entries of a folder come together.
    last: (String, Vec<bool>),
    /// Folders that went on, or were made for an entry that did.
    sent: HashSet<String>,
}

impl Sieve {
    pub(crate) fn new(known: Option<Ignore>) -> Self {
        Self { ignore: known, ..Self::default() }
    }

    /// What is known of the ignore file.
    pub(crate) fn ignore(&self) -> Option<&Ignore> {
        self.ignore.as_ref()
    }

    /// Whether the entry at `path` (below the root, `a/b`) goes on.
    pub(crate) fn passes(&mut self, path: &str) -> bool {
        let Some(ignore) = self.ignore.take() else { return true };
        let matches = self.matches(&ignore, path);
        let passes = !ignore.verdict(path, &matches);
        self.ignore = Some(ignore);
        passes
    }

    /// An ignore file was met; `seen` are the paths that were decided about without it.
    pub(crate) fn take<'a>(&mut self, found: Ignore, seen: impl Iterator<Item = &'a str>) -> Fit {
        match &self.ignore {
            Some(known) if *known == found => return Fit::Fits,
            Some(known) if known.file == found.file => return Fit::Changed,
            // The preferred one was met before, or is known from an earlier pass.
            Some(known) if known.file != DOCKERIGNORE => return Fit::Fits,
            _ => {}
        }
        let mut fresh = Self::new(Some(found));
        let fits = seen.into_iter().all(|path| self.passes(path) == fresh.passes(path));
        fresh.sent = std::mem::take(&mut self.sent);
        *self = fresh;
        if fits { Fit::Fits } else { Fit::Late }
    }

    /// The folders above `path` that were left out but are needed for it, outermost first.
    pub(crate) fn needed_folders<'a>(&mut self, path: &'a str) -> Vec<&'a str> {
        if !self.ignore.as_ref().is_some_and(Ignore::has_exceptions) {
            return Vec::new();
        }
        let folders: Vec<&str> = path.match_indices('/').map(|(slash, _)| &path[..slash]).collect();
        folders.into_iter().filter(|folder| !self.sent.contains(*folder) && !self.passes(folder)).collect()
    }

    /// A folder went on.
    pub(crate) fn sent(&mut self, folder: &str) {
        if self.ignore.as_ref().is_some_and(Ignore::has_exceptions) {
            self.sent.insert(folder.to_owned());
        }
    }

    /// Which patterns match the path or a folder above it.
    fn matches(&mut self, ignore: &Ignore, path: &str) -> Vec<bool> {
        let mut matches = match path.rsplit_once('/') {
            Some((folder, _)) => self.folder(ignore, folder),
            None => vec![false; ignore.exceptions.len()],
        };
        ignore.patterns.matches(path).iter().for_each(|index| matches[index] = true);
        matches
    }

    fn folder(&mut self, ignore: &Ignore, folder: &str) -> Vec<bool> {
        if self.last.0 != folder {
            self.last = (folder.to_owned(), self.matches(ignore, folder));
        }
        self.last.1.clone()
    }
}
