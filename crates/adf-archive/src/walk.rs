//! Tar entries in, checked entries out.
//!
//! Only folders, files and symbolic links pass: a release is a git tree, and git has nothing else.

use std::io::Read;

use tar::{Entry, EntryType, Header};

use crate::Wanted;
use crate::emit::Emit;
use crate::error::{ArchiveError, tar_error};
use crate::extension::{Extension, check_global};
use crate::found::{Found, Walked};
use crate::gate::{Gate, Outlet};
use crate::gunzip::Gunzip;
use crate::header::{Numbers, numbers};
use crate::path::shown;

pub(crate) fn walk<R: Read, O: Outlet>(
    gunzip: &mut Gunzip<'_, R>,
    gate: &mut Gate<O>,
    wanted: &Wanted,
) -> Result<Walked, ArchiveError> {
    let mut walk = Walk::new(wanted, Emit::new(gate));
    let passed = walk.entries(gunzip);
    let Walk { out, found, .. } = walk;
    out.finish(passed)?;
    found.complete(wanted)
}

pub(crate) struct Walk<'w, 'g, O: Outlet> {
    pub(crate) wanted: &'w Wanted,
    pub(crate) out: Emit<'g, O>,
    pub(crate) found: Found,
}

/// One entry, its extension headers taken in.
pub(crate) struct Item {
    pub(crate) raw: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) numbers: Numbers,
}

impl<'w, 'g, O: Outlet> Walk<'w, 'g, O> {
    fn new(wanted: &'w Wanted, out: Emit<'g, O>) -> Self {
        Self { wanted, out, found: Found::new(wanted) }
    }

    fn entries<R: Read>(&mut self, gunzip: &mut Gunzip<'_, R>) -> Result<(), ArchiveError> {
        let mut archive = tar::Archive::new(&mut *gunzip);
        let limits = &self.wanted.limits;
        let mut extension = Extension::default();
        // Raw: extension headers come as entries of their own, see `extension`.
        for entry in archive.entries().map_err(tar_error)?.raw(true) {
            let entry = entry.map_err(tar_error)?;
            let numbers = numbers(entry.header())?;
            match entry.header().entry_type() {
                EntryType::XGlobalHeader if extension.is_some() => return Err(dangling()),
                EntryType::XGlobalHeader => check_global(entry, limits)?,
                EntryType::XHeader => extension.pax(entry, limits)?,
                EntryType::GNULongName => extension.gnu_path(entry, limits)?,
                EntryType::GNULongLink => extension.gnu_link(entry, limits)?,
                _ => self.entry(entry, numbers, std::mem::take(&mut extension))?,
            }
        }
        if extension.is_some() {
            return Err(dangling());
        }
        if gunzip.ended() {
            return Err(ArchiveError::EndsInside("its entries, without an end marker".to_owned()));
        }
        Ok(())
    }

    fn entry<R: Read>(
        &mut self,
        mut entry: Entry<'_, R>,
        numbers: Numbers,
        extension: Extension,
    ) -> Result<(), ArchiveError> {
        let header = entry.header();
        let kind = header.entry_type();
        let raw = extension.path.unwrap_or_else(|| header.path_bytes().into_owned());
        if extension.size.is_some_and(|other| other != numbers.size) {
            return Err(ArchiveError::entry(shown(&raw), "has two different sizes"));
        }
        let target = extension.link.unwrap_or_else(|| link_field(header));
        check_shape(kind, &raw, numbers.size)?;
        self.found.entries += 1;
        let item = Item { raw, target, numbers };
        match kind {
            EntryType::Directory => self.folder(&item),
            EntryType::Symlink => self.link(&item),
            _ => self.file(&item, &mut entry),
        }
    }
}

fn link_field(header: &Header) -> Vec<u8> {
    header.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// What an entry of its kind may have. Readers differ about the rest: whether a link has content that is to be
/// skipped, whether a slash makes a folder of a file.
fn check_shape(kind: EntryType, raw: &[u8], size: u64) -> Result<(), ArchiveError> {
    let problem = match kind {
        EntryType::Directory | EntryType::Symlink if size != 0 => "is a folder or link with content",
        EntryType::Regular if raw.ends_with(b"/") => "is a file whose name ends in a slash",
        EntryType::Symlink if raw.ends_with(b"/") => "is a link whose name ends in a slash",
        EntryType::Directory | EntryType::Regular | EntryType::Symlink => return Ok(()),
        EntryType::Link => {
            "is a hard link; a release holds files, folders and symbolic links: pack with --hard-dereference"
        }
        EntryType::Char | EntryType::Block => "is a device, which no release holds",
        EntryType::Fifo => "is a named pipe, which no release holds",
        EntryType::GNUSparse => "is a sparse file; pack without --sparse",
        _ => "is an entry of an unknown kind, which no release holds",
    };
    Err(ArchiveError::entry(shown(raw), problem))
}

fn dangling() -> ArchiveError {
    ArchiveError::Tar("an extension header without its entry".to_owned())
}
