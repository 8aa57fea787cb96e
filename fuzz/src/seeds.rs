//! Writes the hostile corpus of adf-archive's tests into a folder, each archive as a tar where it is a gzip of one:
//! that is what the fuzzer changes best.

use std::io::Read as _;
use std::path::Path;

#[path = "../../crates/adf-archive/tests/archive/corpus/mod.rs"]
#[expect(dead_code, reason = "what must become of an archive is of no interest here")]
mod corpus;
#[path = "../../crates/adf-archive/tests/archive/craft.rs"]
mod craft;

/// Larger ones only slow the fuzzer down.
const LARGEST: usize = 64 << 10;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).ok_or_else(|| std::io::Error::other("usage: seeds FOLDER"))?;
    std::fs::create_dir_all(&folder)?;
    for case in corpus::all() {
        let mut tar = Vec::new();
        let whole =
            flate2::read::GzDecoder::new(case.bytes.as_slice()).take(1 << 20).read_to_end(&mut tar).is_ok();
        let seed = if whole && !tar.is_empty() { tar } else { case.bytes };
        if seed.len() <= LARGEST {
            std::fs::write(Path::new(&folder).join(case.name), seed)?;
        }
    }
    Ok(())
}
