//! A release's archive on its way into a Docker build: one pass, never on disk, never unpacked.
//!
//! ```text
//! Read -> gunzip -> tar entries checked -> fresh headers below the top folder -> [gate] -> Outlet
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `repack.rs` | the whole pass, and what must hold at its end |
//! | `gunzip.rs` | one gzip member, metered against bombs |
//! | `header.rs` | tar headers that have one reading only |
//! | `extension.rs` | GNU and PAX headers that belong to the next entry |
//! | `walk.rs`, `entry.rs` | tar entries in, checked entries out |
//! | `found.rs` | what is known of the archive so far, and what must hold at its end |
//! | `path.rs` | where an entry may stand and a link may lead |
//! | `tree.rs` | what stands where already |
//! | `ignore/` | `.dockerignore` |
//! | `content.rs`, `emit.rs` | a file's content, and entries with fresh headers |
//! | `gate.rs` | the way out: holds the head until adf.toml is known, and the last chunk until all is verified |
//! | `signature.rs` | minisign, bound to the release |
//!
//! Neighbours: the agent reads from the network and writes into a build request; this crate does no I/O, so that
//! it can be fuzzed and tested by itself.
//!
//! Two rules. An archive can neither write outside the build context nor exhaust memory: every limit is in
//! [`Limits`]. And an unverified byte never completes a build: the gate keeps the last chunk, and only a
//! stream that was told its end is a build.

mod content;
mod emit;
mod entry;
mod error;
mod extension;
mod found;
mod gate;
mod gunzip;
mod header;
mod ignore;
mod path;
mod repack;
mod signature;
mod tree;
mod walk;

pub use error::{ArchiveError, Limit, SourceError};
pub use gate::Outlet;
pub use ignore::Ignore;
pub use minisign_verify::PublicKey;
pub use repack::repack;
pub use signature::Signed;

use adf_types::{AdfToml, Digest};

/// What an archive may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after gunzip.
    pub unpacked: u64,
    /// Unpacked bytes per packed byte, judged once `ratio_from` bytes came out.
    pub ratio: u64,
    pub ratio_from: u64,
    pub entries: usize,
    /// Bytes of all paths together: they are kept in memory to find duplicates.
    pub path_bytes: usize,
    /// Bytes of one path.
    pub path: usize,
    /// Folders above an entry.
    pub depth: usize,
    /// Bytes of one PAX or GNU long name header.
    pub extension: u64,
    /// Bytes of adf.toml: it travels in the build request's query and as an image label.
    pub adf_toml: u64,
    /// Bytes of `.dockerignore`.
    pub ignore: u64,
    /// Bytes held back while adf.toml has not been seen.
    pub head: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked: 8 << 30,
            ratio: 200,
            ratio_from: 64 << 20,
            entries: 100_000,
            path_bytes: 16 << 20,
            path: 4096,
            depth: 64,
            extension: 64 << 10,
            adf_toml: 8 << 10,
            ignore: 64 << 10,
            head: 8 << 20,
        }
    }
}

/// The release's adf.toml: its text, for the image label, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    pub text: String,
    pub parsed: AdfToml,
}

impl Settings {
    pub fn parse(text: String) -> Result<Self, adf_types::AdfTomlError> {
        let parsed = AdfToml::parse(&text)?;
        Ok(Self { text, parsed })
    }
}

/// The files of the archive's root that decide about what may stand before them, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    pub settings: Option<Settings>,
    pub ignore: Option<Ignore>,
}

/// What is asked of an archive.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub digest: Option<Digest>,
    /// The signature that must hold.
    pub signed: Option<Signed>,
    /// From an earlier pass over the same archive, in which it came too late; see [`ArchiveError::Late`].
    pub known: Known,
    /// Whether `Dockerfile.dockerignore` is read instead of `.dockerignore`, as `BuildKit` does.
    pub preferred_ignore: bool,
    pub limits: Limits,
}

/// What an archive turned out to be. The digest is over its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub digest: Digest,
    pub entries: usize,
    pub unpacked: u64,
    /// Entries that `.dockerignore` kept out of the build.
    pub left_out: usize,
    /// The trusted comment of the signature, where one was asked for.
    pub signed: Option<String>,
    /// The text of its Dockerfile, of a long one the beginning.
    pub dockerfile: String,
}
