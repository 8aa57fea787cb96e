//! Whatever comes in: nothing panics, nothing dirty comes out, and memory stays within bounds.
//!
//! An input is taken for a tar, unless it looks like gzip: so the fuzzer spends its time on tar headers and not on
//! guessing checksums. What passes is read again by the tar crate and must be the same entries with clean paths.

#![no_main]

use std::collections::HashSet;
use std::io::{Read as _, Write as _};

use adf_archive::{ArchiveError, Known, Limits, Outlet, Settings, Summary, Wanted, repack};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;

/// Small enough that a fuzzer reaches each of them.
fn limits() -> Limits {
    Limits {
        unpacked: 1 << 20,
        ratio_from: 1 << 19,
        entries: 200,
        path_bytes: 1 << 14,
        head: 1 << 12,
        ..Limits::default()
    }
}

#[derive(Default)]
struct Seen {
    heads: usize,
    bytes: Vec<u8>,
    ended: bool,
}

impl Outlet for &mut Seen {
    fn head(&mut self, _: Settings) {
        assert_eq!(self.heads, 0, "two heads");
        self.heads += 1;
    }

    fn chunk(&mut self, chunk: Bytes) -> Result<(), ArchiveError> {
        assert!(self.heads == 1 && !self.ended, "a chunk before the head or behind the end");
        self.bytes.extend_from_slice(&chunk);
        // Long names cost blocks of their own, for each of the entries that there may be.
        assert!(self.bytes.len() < 4 << 20, "more came out than may go in");
        Ok(())
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        self.ended = true;
        Ok(())
    }
}

fuzz_target!(|data: &[u8]| {
    let archive = if data.starts_with(&[0x1f, 0x8b]) { data.to_vec() } else { gzip(data) };
    let mut wanted = Wanted { limits: limits(), preferred_ignore: data.len() % 2 == 0, ..Wanted::default() };
    // At most: an ignore file, a preferred one, and adf.toml come late one after the other.
    for _ in 0..4 {
        let mut seen = Seen::default();
        match repack(archive.as_slice(), None, &wanted, &mut seen) {
            Err(ArchiveError::Late(known)) => wanted.known = learnt(&wanted.known, *known),
            result => return judge(result, &seen),
        }
    }
    panic!("it never knows enough");
});

fn learnt(before: &Known, now: Known) -> Known {
    assert_ne!(*before, now, "late without anything new");
    now
}

fn judge(result: Result<Summary, ArchiveError>, seen: &Seen) {
    assert_eq!(result.is_ok(), seen.ended, "only a verified archive completes a build");
    let text = result.as_ref().map_or_else(ToString::to_string, |_| String::new());
    // Of adf.toml whole lines are shown.
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "a control character in {text:?}");
    if let Ok(summary) = result {
        let entries = check(&seen.bytes);
        assert!(entries <= summary.entries + 64 * summary.left_out, "entries came from nowhere");
    }
}

/// Every entry of what came out has a clean path and header, and its content is all there.
fn check(tar: &[u8]) -> usize {
    let (mut paths, mut count) = (HashSet::new(), 0);
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
        let bare = path.strip_suffix('/').unwrap_or(&path);
        assert!(bare.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path:?}");
        assert!(!path.chars().any(char::is_control), "{path:?}");
        let kind = entry.header().entry_type();
        assert!(kind.is_file() || kind.is_dir() || kind.is_symlink(), "{kind:?}");
        assert_eq!((entry.header().uid().ok(), entry.header().gid().ok()), (Some(0), Some(0)));
        assert!(paths.insert(bare.to_owned()) || kind.is_dir(), "{path:?} twice");
        let size = entry.header().size().expect("a size");
        assert_eq!(entry.read_to_end(&mut Vec::new()).expect("content") as u64, size);
        if kind.is_symlink() {
            let target = entry.link_name_bytes().expect("a target").into_owned();
            assert!(!target.is_empty() && !target.starts_with(b"/"), "{target:?}");
        }
        count += 1;
    }
    count
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&checksummed(tar)).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Makes the checksums right of what the fuzzer changed: it would hardly ever get past them.
fn checksummed(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..at + 512).filter(|block| block.iter().any(|b| *b != 0)) {
        let mut header = tar::Header::from_byte_slice(block).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
        let size = usize::try_from(header.entry_size().unwrap_or(0)).unwrap_or(usize::MAX);
        // A size may be anything; what lies behind the end is no block.
        let next = size.checked_next_multiple_of(512).and_then(|size| size.checked_add(at + 512));
        match next.filter(|next| *next < tar.len()) {
            Some(next) => at = next,
            None => break,
        }
    }
    tar
}
