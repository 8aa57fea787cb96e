//! What an archive may be at most.

use adf_archive::{Limits, Wanted};
use tar::EntryType;

use crate::craft::{Tar, app};
use crate::passing::pass;

#[test]
fn attack_a04_bombs_are_stopped_by_their_limits() {
    let limits = Limits {
        ratio_from: 1 << 20,
        unpacked: 64 << 20,
        entries: 50,
        path_bytes: 2048,
        ..Limits::default()
    };
    let wanted = Wanted { limits, ..Wanted::default() };
    let stopped = |tar: Tar| pass(&tar.gz(), &wanted).0.expect_err("a bomb").to_string();
    assert!(stopped(app().file("web-v1/zeros", &vec![0; 8 << 20])).contains("200 times"));
    let many = (0..60).fold(app(), |tar, n| tar.file(&format!("web-v1/{n}"), b""));
    assert!(stopped(many).contains("more than 50 entries"));
    let long = (0..40).fold(app(), |tar, n| tar.file(&format!("web-v1/{}{n}", "x".repeat(80)), b""));
    assert!(stopped(long).contains("paths are longer"));
    let name = vec![b'a'; 100_000];
    assert!(stopped(app().raw(b"L", EntryType::GNULongName, 0, b"", &name)).contains("longer than 65536"));
}

#[test]
fn attack_a04_an_archive_that_unpacks_to_more_than_the_limit_is_stopped_at_the_limit() {
    let limits = Limits { unpacked: 1 << 20, ..Limits::default() };
    let archive = app().file("web-v1/big", &vec![1; 2 << 20]).gz();
    let (result, seen) = pass(&archive, &Wanted { limits, ..Wanted::default() });
    assert!(result.expect_err("too large").to_string().contains("more than 1048576 bytes"));
    assert!(seen.bytes.len() <= (1 << 20) + 4096);
}
