//! What is around the entries: gzip members, end markers, and what follows them.

use flate2::Crc;

use super::{Case, refused, through};
use crate::craft::{Tar, app, gzip, member};

const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;
const FRESERVED: u8 = 32;

pub(super) fn cases() -> Vec<Case> {
    [gzip_members(), gzip_headers(), ends()].into_iter().flatten().collect()
}

fn gzip_members() -> Vec<Case> {
    let good = app().gz();
    let changed = |at_end: usize| {
        let mut bytes = good.clone();
        let at = bytes.len() - at_end;
        bytes[at] ^= 1;
        bytes
    };
    vec![
        refused(
            "gzip-two-members",
            "E138 the archive has a second gzip member",
            [good.clone(), app().gz()].concat(),
        ),
        refused("gzip-split-in-two-members", "E139", split()),
        refused("gzip-second-member-empty", "a second gzip member", [good.clone(), gzip(b"")].concat()),
        refused(
            "gzip-trailing-garbage",
            "E138 the archive has more bytes",
            [good.as_slice(), b"garbage"].concat(),
        ),
        refused(
            "gzip-trailing-zeros",
            "E138 the archive has more bytes",
            [good.clone(), vec![0; 512]].concat(),
        ),
        refused("gzip-wrong-checksum", "E138 the archive is damaged", changed(8)),
        refused("gzip-wrong-length", "E138 the archive is damaged", changed(4)),
        refused("gzip-cut", "E138 the archive is cut off", good[..good.len() - 12].to_vec()),
        refused("gzip-cut-in-header", "E138 the archive is cut off", good[..6].to_vec()),
        refused("gzip-without-content", "E139", gzip(b"")),
        refused("gzip-in-gzip", "E139", gzip(&good)),
        refused("gzip-bomb", "E143", app().file("web-v1/zeros", &vec![0; 80 << 20]).gz()),
        refused("plain-tar", "E137", app().ended()),
        refused("empty", "E138 the archive is empty", Vec::new()),
    ]
}

/// One tar in two members: readers that stop after the first see half of it.
fn split() -> Vec<u8> {
    let tar = app().file("web-v1/x", b"x").ended();
    let (first, second) = tar.split_at(1024);
    [gzip(first), gzip(second)].concat()
}

fn gzip_headers() -> Vec<Case> {
    let tar = app().ended();
    let header = [0x1f, 0x8b, 8, FHCRC, 0, 0, 0, 0, 0, 255];
    let mut checksum = Crc::new();
    checksum.update(&header);
    let [low, high, ..] = checksum.sum().to_le_bytes();
    let mut method = app().gz();
    method[2] = 7;
    vec![
        through("gzip-extra-field", member(FEXTRA, b"\x04\0abcd", &tar)),
        through("gzip-name", member(FNAME, b"web.tar\0", &tar)),
        through("gzip-name-and-comment", member(FNAME | FCOMMENT, b"web.tar\0a comment\0", &tar)),
        through("gzip-header-checksum", member(FHCRC, &[low, high], &tar)),
        refused("gzip-header-checksum-wrong", "E138", member(FHCRC, &[low ^ 1, high], &tar)),
        refused("gzip-reserved-flag", "E138", member(FRESERVED, b"", &tar)),
        refused("gzip-extra-field-too-long", "E138", member(FEXTRA, b"\xff\xffab", &tar)),
        refused("gzip-other-method", "E138", method),
    ]
}

fn ends() -> Vec<Case> {
    let entries = || app().file("web-v1/x", &[7; 700]);
    let without = |blocks: usize| [entries().0, vec![0; blocks * 512]].concat();
    let cut = |at: usize| gzip(&entries().0[..at]);
    let behind = |more: &[u8]| gzip(&[&app().ended(), more].concat());
    let hidden = Tar::default().file("web-v1/hidden", b"x").ended();
    vec![
        through("end-one-block", gzip(&without(1))),
        through("end-whole-record", gzip(&without(20))),
        refused("end-missing", "E139 the archive ends inside its entries", gzip(&entries().0)),
        refused("end-entries-behind", "E139", behind(&hidden)),
        refused("end-entries-behind-one-block", "E139", gzip(&[app().0, vec![0; 512], hidden].concat())),
        refused("end-garbage-behind", "E139", behind(b"garbage")),
        refused("cut-in-header", "E139 the archive ends inside a header", cut(1700)),
        refused("cut-in-content", "E139 the archive ends inside x", cut(2200)),
        refused("cut-in-padding", "E139", cut(2760)),
        refused("no-entries", "E139 the archive has no entries", gzip(&[0; 1024])),
        refused("no-tar", "E139", gzip(b"just text, no tar at all")),
    ]
}
