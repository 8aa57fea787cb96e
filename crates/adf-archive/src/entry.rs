//! What becomes of one entry: checked, counted, and passed on or left out.

use std::io::{self, Read};

use tar::Entry;

use crate::content::{Content, text};
use crate::error::{ArchiveError, tar_error};
use crate::gate::{Fit, Outlet};
use crate::header::Numbers;
use crate::ignore::{DOCKERIGNORE, Ignore, PREFERRED};
use crate::path::{check_link, shown};
use crate::walk::{Item, Walk};
use crate::{Known, Settings};

pub(crate) const ADF_TOML: &str = "adf.toml";

const DOCKERFILE: &str = "Dockerfile";

/// What is kept of the Dockerfile's text; one that is longer is passed on all the same.
const DOCKERFILE_TEXT: u64 = 64 << 10;

impl<O: Outlet> Walk<'_, '_, O> {
    pub(crate) fn folder(&mut self, item: &Item) -> Result<(), ArchiveError> {
        let path = self.found.root.place(&item.raw, true, &self.wanted.limits)?;
        if path.is_empty() {
            return Ok(());
        }
        self.found.tree.folder(&path, &self.wanted.limits)?;
        if !self.found.sieve.passes(&path) {
            self.found.left_out += 1;
            return Ok(());
        }
        self.folders_above(&path, item.numbers.mtime)?;
        self.found.sieve.sent(&path);
        self.out.folder(&path, item.numbers.mtime)
    }

    pub(crate) fn file<R: Read>(
        &mut self,
        item: &Item,
        entry: &mut Entry<'_, R>,
    ) -> Result<(), ArchiveError> {
        let path = self.found.root.place(&item.raw, false, &self.wanted.limits)?;
        self.found.tree.file(&path, &self.wanted.limits)?;
        match path.as_str() {
            ADF_TOML => {
                let text = text(ADF_TOML, self.wanted.limits.adf_toml, item.numbers.size, entry)?;
                self.settings(Settings::parse(text.clone())?)?;
                self.content(&path, item, text.as_bytes())
            }
            DOCKERIGNORE => self.ignore(DOCKERIGNORE, item, entry),
            PREFERRED if self.wanted.preferred_ignore => self.ignore(PREFERRED, item, entry),
            DOCKERFILE => {
                let mut head = Vec::new();
                entry.by_ref().take(DOCKERFILE_TEXT).read_to_end(&mut head).map_err(tar_error)?;
                self.found.dockerfile = Some(String::from_utf8_lossy(&head).into_owned());
                self.content(&path, item, head.as_slice().chain(entry))
            }
            _ => self.content(&path, item, entry),
        }
    }

    /// Passes a file's content on, or only looks at it where it is left out.
    fn content(&mut self, path: &str, item: &Item, content: impl Read) -> Result<(), ArchiveError> {
        let Numbers { mode, size, mtime } = item.numbers;
        let executable = mode & 0o100 != 0;
        let mut content = Content::new(content, self.found.hasher.is_some());
        if self.found.sieve.passes(path) {
            self.folders_above(path, mtime)?;
            self.out.file(path, executable, size, mtime, &mut content)?;
        } else {
            self.found.left_out += 1;
            io::copy(&mut content, &mut io::sink()).map_err(tar_error)?;
        }
        let (read, hash) = content.finish();
        if read != size {
            return Err(ArchiveError::EndsInside(shown(path.as_bytes())));
        }
        if let (Some(hasher), Some(hash)) = (&mut self.found.hasher, hash) {
            hasher.file(path, executable, hash);
        }
        Ok(())
    }

    pub(crate) fn link(&mut self, item: &Item) -> Result<(), ArchiveError> {
        let path = self.found.root.place(&item.raw, false, &self.wanted.limits)?;
        let target = check_link(&path, &item.target, &self.wanted.limits)?;
        self.found.tree.link(&path, &target, &self.wanted.limits)?;
        if let Some(hasher) = &mut self.found.hasher {
            hasher.link(&path, &target);
        }
        if !self.found.sieve.passes(&path) {
            self.found.left_out += 1;
            return Ok(());
        }
        self.folders_above(&path, item.numbers.mtime)?;
        self.out.link(&path, &target, item.numbers.mtime)
    }

    /// A folder that is left out comes along for what is let in below it, as in Docker.
    fn folders_above(&mut self, path: &str, mtime: u64) -> Result<(), ArchiveError> {
        for folder in self.found.sieve.needed_folders(path) {
            self.found.sieve.sent(folder);
            self.out.folder(folder, mtime)?;
        }
        Ok(())
    }

    fn settings(&mut self, found: Settings) -> Result<(), ArchiveError> {
        let fit = self.out.gate().settings(&found)?;
        self.found.settings = Some(found);
        self.fits(fit, ADF_TOML)
    }

    fn ignore<R: Read>(
        &mut self,
        file: &'static str,
        item: &Item,
        entry: &mut Entry<'_, R>,
    ) -> Result<(), ArchiveError> {
        let text = text(file, self.wanted.limits.ignore, item.numbers.size, entry)?;
        let fit = self.found.sieve.take(Ignore::parse(file, text.clone())?, self.found.tree.paths());
        self.found.ignore_met |= self.found.sieve.ignore().is_some_and(|ignore| ignore.file == file);
        self.fits(fit, file)?;
        self.content(file, item, text.as_bytes())
    }

    /// What came too late is told to the caller together with all else that is known by now.
    fn fits(&self, fit: Fit, file: &'static str) -> Result<(), ArchiveError> {
        match fit {
            Fit::Fits => Ok(()),
            Fit::Changed => Err(ArchiveError::Changed(file)),
            Fit::Late => Err(ArchiveError::Late(Box::new(Known {
                settings: self.found.settings.clone().or_else(|| self.wanted.known.settings.clone()),
                ignore: self.found.sieve.ignore().cloned(),
            }))),
        }
    }
}
