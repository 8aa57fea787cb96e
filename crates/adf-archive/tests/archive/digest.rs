//! What the archive must be: its digest, and the chunk that is kept until it is known.

use std::io::Write as _;

use adf_archive::{ArchiveError, Wanted};
use adf_types::{Digest, TreeHasher};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::Digest as _;

use crate::craft::app;
use crate::passing::pass;

#[test]
fn attack_a10_a_flipped_byte_is_never_a_build_when_the_digest_is_known() {
    let good = app().file("web-v1/data", &[7; 100]).gz();
    let wanted = Wanted { digest: Some(Digest::of_bytes(&good)), ..Wanted::default() };
    pass(&good, &wanted).0.expect("the right bytes");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        pass(&bad, &wanted).0.expect_err("flipped");
    }
}

#[test]
fn a_tree_digest_survives_recompression_and_nothing_else() {
    let mut tree = TreeHasher::default();
    tree.file("Dockerfile", false, sha2::Sha256::digest(b"FROM scratch\n").into());
    tree.link("l", "Dockerfile");
    let wanted = Wanted { digest: Some(tree.finish()), ..Wanted::default() };
    let tar = || app().link("web-v1/l", "Dockerfile");
    pass(&tar().gz(), &wanted).0.expect("the tree");
    let mut stored = GzEncoder::new(Vec::new(), Compression::none());
    stored.write_all(&tar().ended()).expect("in memory");
    pass(&stored.finish().expect("in memory"), &wanted).0.expect("the same tree, packed otherwise");
    let error = pass(&tar().file("web-v1/x", b"").gz(), &wanted).0.expect_err("one file more");
    assert!(error.to_string().starts_with("E140 release digest mismatch: want tree:"), "{error}");
}

#[test]
fn fault_28_the_last_chunk_is_held_back_until_the_digest_is_verified() {
    let noise: Vec<u8> = (0..200_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let archive = app().file("web-v1/adf.toml", b"").file("web-v1/data", &noise).gz();
    let wanted = Wanted { digest: Some(Digest::Sha256([0; 32])), ..Wanted::default() };
    let (result, seen) = pass(&archive, &wanted);
    assert!(matches!(result, Err(ArchiveError::Digest { .. })));
    assert!(!seen.bytes.is_empty(), "the stream had begun");
    let (_, whole) = pass(&archive, &Wanted::default());
    assert!(seen.bytes.len() + 1024 < whole.bytes.len(), "the end marker was given away");
}
