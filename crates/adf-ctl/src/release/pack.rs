//! A tar stream becomes an archive: compressed, digested, and looked at, in one pass.
//!
//! The same tar stream gives the same bytes: gzip's header carries neither time nor name.

use std::io::{self, Read, Write};

use adf_types::{Digest, TreeHasher};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use tar::{Archive, Entry, EntryType};

/// The owner's execute bit, the only part of a mode that git keeps.
const EXECUTABLE: u32 = 0o100;

/// A finished archive and what was seen in it.
#[derive(Debug)]
pub struct Packed {
    /// The tar stream, gzip-compressed.
    pub bytes: Vec<u8>,
    /// `sha256:` over `bytes`.
    pub digest: Digest,
    /// `tree:` over the entries below the top folder.
    pub tree: Digest,
    pub has_dockerfile: bool,
    /// The text of `adf.toml` in the top folder.
    pub adf_toml: Option<String>,
}

/// Packs a tar stream whose entries are all below `top_folder` (which ends with a slash).
pub fn pack(tar: impl Read, top_folder: &str) -> io::Result<Packed> {
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    let mut tee = Tee { from: tar, to: gzip };
    let mut seen = Seen::default();
    for entry in Archive::new(&mut tee).entries()? {
        seen.entry(entry?, top_folder)?;
    }
    // The reader of entries stops at the first end mark; the padding after it belongs to the stream.
    io::copy(&mut tee, &mut io::sink())?;
    let bytes = tee.to.finish()?;
    Ok(Packed {
        digest: Digest::of_bytes(&bytes),
        tree: seen.tree.finish(),
        has_dockerfile: seen.has_dockerfile,
        adf_toml: seen.adf_toml,
        bytes,
    })
}

#[derive(Default)]
struct Seen {
    tree: TreeHasher,
    has_dockerfile: bool,
    adf_toml: Option<String>,
}

impl Seen {
    fn entry(&mut self, mut entry: Entry<'_, impl Read>, top_folder: &str) -> io::Result<()> {
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::Directory) {
            return Ok(());
        }
        let full = text(&entry.path_bytes())?;
        let path = full.strip_prefix(top_folder).unwrap_or(&full).to_owned();
        match kind {
            EntryType::Symlink => {
                let target =
                    entry.link_name_bytes().ok_or_else(|| invalid(&path, "a link without target"))?;
                self.tree.link(&path, &text(&target)?);
            }
            EntryType::Regular => self.file(&mut entry, &path)?,
            _ => return Err(invalid(&path, "neither file, folder nor symbolic link")),
        }
        Ok(())
    }

    fn file(&mut self, entry: &mut Entry<'_, impl Read>, path: &str) -> io::Result<()> {
        let executable = entry.header().mode()? & EXECUTABLE != 0;
        let mut hasher = Sha256::new();
        if path == "adf.toml" {
            let mut content = String::new();
            entry.read_to_string(&mut content)?;
            hasher.update(&content);
            self.adf_toml = Some(content);
        } else {
            let mut chunk = [0; 16 * 1024];
            loop {
                let read = entry.read(&mut chunk)?;
                if read == 0 {
                    break;
                }
                hasher.update(&chunk[..read]);
            }
        }
        self.has_dockerfile |= path == "Dockerfile";
        self.tree.file(path, executable, hasher.finalize().into());
        Ok(())
    }
}

fn text(path: &[u8]) -> io::Result<String> {
    String::from_utf8(path.to_vec())
        .map_err(|_| invalid(&String::from_utf8_lossy(path), "a name that is not UTF-8"))
}

fn invalid(path: &str, problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is {problem}", path.escape_debug()))
}

/// Hands on what is read, and compresses it on the way.
struct Tee<R> {
    from: R,
    to: GzEncoder<Vec<u8>>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(&buffer[..read])?;
        Ok(read)
    }
}
