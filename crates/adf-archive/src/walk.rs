//! Tar entries in, checked entries with fresh headers out.
//!
//! Only folders, files and symbolic links pass: a release is a git tree, and git has nothing else. Owner,
//! group and odd mode bits are dropped; files are 0644, or 0755 where the owner may execute them.

use std::io::{self, Read};

use adf_types::{Digest, TreeHasher};
use sha2::{Digest as _, Sha256};
use tar::{Builder, Entry, EntryType, Header};

use crate::error::{ArchiveError, Cause, tar_error};
use crate::extension::{Extension, check_global};
use crate::gate::{Gate, Outlet};
use crate::gunzip::Gunzip;
use crate::path::{Root, check_link, shown};
use crate::tree::{Node, Tree};
use crate::{Limits, Settings, Summary, Wanted};

/// The whole pass: from compressed bytes to verified tar chunks. `content_type` is what the server called it, for
/// the message when it is no archive.
pub fn repack<R: Read, O: Outlet>(
    source: R,
    content_type: Option<String>,
    wanted: &Wanted,
    outlet: O,
) -> Result<Summary, ArchiveError> {
    let cause = &Cause::default();
    let mut gunzip = Gunzip::new(source, content_type, wanted.limits, cause.clone())?;
    let mut gate = Gate::new(outlet, wanted.known.clone(), wanted.limits.head, cause.clone());
    let walked = walk(&mut gunzip, &mut gate, wanted).map_err(|e| cause.take_or(|| e))?;
    drain(&mut gunzip).map_err(|e| cause.take_or(|| e))?;
    let (digest, unpacked) = gunzip.finish()?;
    verify(wanted, &digest, walked.tree)?;
    gate.release()?;
    Ok(Summary { digest, entries: walked.entries, unpacked })
}

fn verify(wanted: &Wanted, bytes: &Digest, tree: Option<Digest>) -> Result<(), ArchiveError> {
    let Some(want) = &wanted.digest else { return Ok(()) };
    let got = tree.unwrap_or_else(|| bytes.clone());
    if *want == got { Ok(()) } else { Err(ArchiveError::Digest { want: want.clone(), got }) }
}

/// Behind the end marker only zeros may stand: anything else is content that other unpackers might see.
fn drain(rest: &mut impl Read) -> Result<(), ArchiveError> {
    let mut buffer = [0; 8192];
    loop {
        match rest.read(&mut buffer).map_err(|e| ArchiveError::Damaged(e.to_string()))? {
            0 => return Ok(()),
            n if buffer[..n].iter().any(|b| *b != 0) => {
                return Err(ArchiveError::Tar("more entries behind its end marker".to_owned()));
            }
            _ => {}
        }
    }
}

struct Walked {
    entries: usize,
    tree: Option<Digest>,
}

fn walk<R: Read, O: Outlet>(
    gunzip: &mut Gunzip<R>,
    gate: &mut Gate<O>,
    wanted: &Wanted,
) -> Result<Walked, ArchiveError> {
    let mut out = Builder::new(gate);
    let mut walk = Walk::new(wanted);
    let passed = walk.entries(gunzip, &mut out).and_then(|()| out.finish().map_err(tar_error));
    if passed.is_err() {
        // A tar builder writes its end marker when it is dropped; it must not reach the build.
        out.get_mut().close();
    }
    passed?;
    walk.complete()
}

struct Walk {
    root: Root,
    tree: Tree,
    limits: Limits,
    hasher: Option<TreeHasher>,
    dockerfile: bool,
    entries: usize,
}

impl Walk {
    fn new(wanted: &Wanted) -> Self {
        let hasher = matches!(wanted.digest, Some(Digest::Tree(_))).then(TreeHasher::default);
        let (root, tree) = (Root::default(), Tree::default());
        Self { root, tree, limits: wanted.limits, hasher, dockerfile: false, entries: 0 }
    }

    fn entries<R: Read, O: Outlet>(
        &mut self,
        gunzip: &mut Gunzip<R>,
        out: &mut Builder<&mut Gate<O>>,
    ) -> Result<(), ArchiveError> {
        let mut archive = tar::Archive::new(&mut *gunzip);
        let mut extension = Extension::default();
        // Raw: extension headers come as entries of their own, see `extension`.
        for entry in archive.entries().map_err(tar_error)?.raw(true) {
            let entry = entry.map_err(tar_error)?;
            match entry.header().entry_type() {
                EntryType::XGlobalHeader => check_global(entry, &self.limits)?,
                EntryType::XHeader => extension.pax(entry, &self.limits)?,
                EntryType::GNULongName => extension.gnu_path(entry, &self.limits)?,
                EntryType::GNULongLink => extension.gnu_link(entry, &self.limits)?,
                _ => self.entry(entry, std::mem::take(&mut extension), out)?,
            }
        }
        if gunzip.ended() {
            return Err(ArchiveError::EndsInside("its entries, without an end marker".to_owned()));
        }
        Ok(())
    }

    fn entry<R: Read, O: Outlet>(
        &mut self,
        mut entry: Entry<'_, R>,
        extension: Extension,
        out: &mut Builder<&mut Gate<O>>,
    ) -> Result<(), ArchiveError> {
        let raw = extension.path.unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let size = entry.header().entry_size().map_err(tar_error)?;
        if extension.size.is_some_and(|other| other != size) {
            return Err(ArchiveError::entry(shown(&raw), "has two different sizes"));
        }
        self.entries += 1;
        match entry.header().entry_type() {
            EntryType::Directory => self.folder(&raw, size, entry.header(), out),
            EntryType::Regular if !raw.ends_with(b"/") => self.file(&raw, size, &mut entry, out),
            EntryType::Symlink => {
                let target = extension
                    .link
                    .or_else(|| entry.header().link_name_bytes().map(std::borrow::Cow::into_owned));
                self.link(&raw, &target.unwrap_or_default(), entry.header(), out)
            }
            EntryType::Link => Err(ArchiveError::entry(
                shown(&raw),
                "is a hard link; a release holds files, folders and symbolic links: pack with --hard-dereference",
            )),
            other => Err(ArchiveError::entry(
                shown(&raw),
                format!("is {}, which no release holds", describe(other)),
            )),
        }
    }

    fn folder<O: Outlet>(
        &mut self,
        raw: &[u8],
        size: u64,
        from: &Header,
        out: &mut Builder<&mut Gate<O>>,
    ) -> Result<(), ArchiveError> {
        if size != 0 {
            return Err(ArchiveError::entry(shown(raw), "is a folder with content"));
        }
        let path = self.root.place(raw, true, &self.limits)?;
        if path.is_empty() {
            return Ok(());
        }
        self.tree.add(&path, Node::Folder, &self.limits)?;
        let mut header = fresh(EntryType::Directory, 0o755, 0, from);
        out.append_data(&mut header, format!("{path}/"), io::empty()).map_err(tar_error)
    }

    fn file<R: Read, O: Outlet>(
        &mut self,
        raw: &[u8],
        size: u64,
        entry: &mut Entry<'_, R>,
        out: &mut Builder<&mut Gate<O>>,
    ) -> Result<(), ArchiveError> {
        let path = self.root.place(raw, false, &self.limits)?;
        self.tree.add(&path, Node::Leaf, &self.limits)?;
        self.dockerfile |= path == "Dockerfile";
        let executable = entry.header().mode().map_err(tar_error)? & 0o100 != 0;
        let mut header =
            fresh(EntryType::Regular, if executable { 0o755 } else { 0o644 }, size, entry.header());
        let hasher = self.hasher.is_some().then(Sha256::new);
        let content = if path == "adf.toml" {
            let text = self.settings(size, entry, out)?;
            copy(Content::new(text.as_bytes(), hasher), &mut header, &path, out)?
        } else {
            copy(Content::new(entry, hasher), &mut header, &path, out)?
        };
        if let (Some(tree), Some(content)) = (&mut self.hasher, content) {
            tree.file(&path, executable, content);
        }
        Ok(())
    }

    /// Reads adf.toml into memory and tells the gate.
    fn settings<R: Read, O: Outlet>(
        &self,
        size: u64,
        entry: &mut Entry<'_, R>,
        out: &mut Builder<&mut Gate<O>>,
    ) -> Result<String, ArchiveError> {
        if size > self.limits.adf_toml {
            return Err(ArchiveError::Limit(format!(
                "its adf.toml is longer than {} bytes",
                self.limits.adf_toml
            )));
        }
        let mut text = String::new();
        let read = entry.read_to_string(&mut text);
        read.map_err(|_| ArchiveError::entry("adf.toml", "is not UTF-8 text"))?;
        out.get_mut().settings(Settings::parse(text.clone())?)?;
        Ok(text)
    }

    fn link<O: Outlet>(
        &mut self,
        raw: &[u8],
        target: &[u8],
        from: &Header,
        out: &mut Builder<&mut Gate<O>>,
    ) -> Result<(), ArchiveError> {
        let path = self.root.place(raw, false, &self.limits)?;
        let target = check_link(&path, target, &self.limits)?;
        self.tree.add(&path, Node::Leaf, &self.limits)?;
        if let Some(tree) = &mut self.hasher {
            tree.link(&path, &target);
        }
        let mut header = fresh(EntryType::Symlink, 0o777, 0, from);
        out.append_link(&mut header, &path, &target).map_err(tar_error)
    }

    fn complete(self) -> Result<Walked, ArchiveError> {
        if self.entries == 0 {
            return Err(ArchiveError::NoEntries);
        }
        if !self.dockerfile {
            return Err(ArchiveError::NoDockerfile { root: self.root.folder() });
        }
        Ok(Walked { entries: self.entries, tree: self.hasher.map(|h| h.finish()) })
    }
}

/// Passes one file on and tells the hash of its content, where that is wanted.
fn copy<R: Read, O: Outlet>(
    mut content: Content<R>,
    header: &mut Header,
    path: &str,
    out: &mut Builder<&mut Gate<O>>,
) -> Result<Option<[u8; 32]>, ArchiveError> {
    let size = header.entry_size().map_err(tar_error)?;
    out.append_data(header, path, &mut content).map_err(tar_error)?;
    if content.read != size {
        return Err(ArchiveError::EndsInside(shown(path.as_bytes())));
    }
    Ok(content.hasher.map(|h| h.finalize().into()))
}

/// The content of one file, counted and, where a `tree:` digest is wanted, hashed.
struct Content<R> {
    inner: R,
    read: u64,
    hasher: Option<Sha256>,
}

impl<R> Content<R> {
    fn new(inner: R, hasher: Option<Sha256>) -> Self {
        Self { inner, read: 0, hasher }
    }
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.read += n as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buf[..n]);
        }
        Ok(n)
    }
}

/// A header with nothing of the archive's own but the time.
fn fresh(kind: EntryType, mode: u32, size: u64, from: &Header) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(from.mtime().unwrap_or_default());
    header.set_size(size);
    header
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a named pipe",
        EntryType::GNUSparse => "a sparse file",
        EntryType::Regular => "a file whose name ends in a slash",
        _ => "an entry of an unknown kind",
    }
}
