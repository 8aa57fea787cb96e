//! Headers that say more about the next entry: PAX, GNU long names, sparse files.

use tar::EntryType;

use super::{Case, tar_refused, tar_through};
use crate::craft::{Tar, app};

pub(super) fn cases() -> Vec<Case> {
    [pax(), pax_records(), globals(), gnu(), sparse()].into_iter().flatten().collect()
}

fn cut(tar: Tar) -> Tar {
    tar.file("web-v1/cut", b"x")
}

fn pax() -> Vec<Case> {
    let file = |records: &[(&str, &str)], data: &[u8]| app().pax(records).file("web-v1/cut", data);
    let two = |first: &[(&str, &str)], second: &[(&str, &str)]| cut(app().pax(first).pax(second));
    vec![
        tar_through("pax-path", file(&[("path", "web-v1/a name with é"), ("mtime", "1.5")], b"x")),
        tar_through("pax-linkpath", app().pax(&[("linkpath", "Dockerfile")]).link("web-v1/l", "cut")),
        tar_through("pax-size-equal", file(&[("size", "3")], b"abc")),
        tar_through(
            "pax-unknown-records",
            file(&[("SCHILY.xattr.user.x", "y"), ("LIBARCHIVE.creationtime", "1")], b"x"),
        ),
        tar_refused("pax-size-smaller", "two different sizes", file(&[("size", "0")], &[b'x'; 1024])),
        tar_refused("pax-size-larger", "two different sizes", file(&[("size", "1024")], b"")),
        tar_refused(
            "pax-size-hides-entries",
            "two different sizes",
            app().pax(&[("size", "1024")]).file("web-v1/a", b"").file("web-v1/b", b""),
        ),
        tar_refused(
            "pax-size-for-long-name",
            "both GNU and PAX",
            cut(app().pax(&[("size", "1024")]).long_name("web-v1/x")),
        ),
        tar_refused("pax-path-climbs", "climbs", file(&[("path", "web-v1/../../x")], b"x")),
        tar_refused("pax-path-empty", "no name", file(&[("path", "")], b"x")),
        tar_refused("pax-path-twice", "two paths", file(&[("path", "web-v1/a"), ("path", "web-v1/b")], b"x")),
        tar_refused("pax-path-with-nul", "control character", file(&[("path", "web-v1/a\0b")], b"x")),
        tar_refused("pax-path-with-newline", "control character", file(&[("path", "web-v1/a\nb")], b"x")),
        tar_refused(
            "pax-two-headers",
            "two extension headers",
            two(&[("mtime", "1")], &[("path", "web-v1/a")]),
        ),
        tar_refused(
            "pax-then-gnu-name",
            "both GNU and PAX",
            cut(app().pax(&[("path", "web-v1/a")]).long_name("web-v1/b")),
        ),
        tar_refused(
            "gnu-name-then-pax",
            "two extension headers",
            cut(app().long_name("web-v1/b").pax(&[("path", "web-v1/a")])),
        ),
        tar_refused("pax-dangling", "without its entry", app().pax(&[("path", "web-v1/a")])),
        tar_refused(
            "pax-before-global",
            "without its entry",
            cut(app().pax(&[("path", "web-v1/a")]).global(b"11 comment=\n")),
        ),
        tar_refused(
            "pax-linkpath-climbs",
            "leaves the archive",
            app().pax(&[("linkpath", "../x")]).link("web-v1/l", "cut"),
        ),
    ]
}

fn pax_records() -> Vec<Case> {
    let raw = |data: &[u8]| cut(app().pax_raw(data));
    let list = "no list of records";
    vec![
        tar_through("pax-no-records", raw(b"")),
        tar_refused("pax-length-too-long", list, raw(b"99 path=web-v1/a\n")),
        tar_refused("pax-length-too-short", list, raw(b"9 path=web-v1/a\n")),
        tar_refused("pax-length-zero", list, raw(b"0 path=web-v1/a\n")),
        tar_refused("pax-length-signed", list, raw(b"+18 path=web-v1/a\n")),
        tar_refused("pax-length-leading-zero", list, raw(b"018 path=web-v1/a\n")),
        tar_refused("pax-length-overflows", list, raw(b"99999999999999999999999 path=a\n")),
        tar_refused("pax-no-equals", list, raw(b"10 web-v1\n")),
        tar_refused("pax-no-key", list, raw(b"6 =ab\n")),
        tar_refused("pax-no-newline", list, raw(b"16 path=web-v1/a")),
        tar_refused("pax-nul-behind", list, raw(b"17 path=web-v1/a\n\0\0\0")),
        tar_refused("pax-size-no-number", "no number", raw(b"11 size=1e\n")),
        tar_refused("pax-size-negative", "no number", raw(b"11 size=-1\n")),
        tar_refused("pax-charset", "hdrcharset", raw(b"21 hdrcharset=BINARY\n")),
        tar_refused("pax-filetype", "SCHILY.filetype", raw(b"26 SCHILY.filetype=sparse\n")),
        tar_refused("pax-huge", "E143", raw(&[b'1'; 70_000])),
    ]
}

fn globals() -> Vec<Case> {
    let before = |data: &[u8]| {
        Tar::default().global(data).folder("web-v1/").file("web-v1/Dockerfile", b"FROM scratch\n")
    };
    let named = "global header that names";
    vec![
        tar_through("global-comment", before(b"52 comment=0123456789012345678901234567890123456789\n")),
        tar_refused("global-path", named, before(b"17 path=web-v1/a\n")),
        tar_refused("global-linkpath", named, before(b"14 linkpath=a\n")),
        tar_refused("global-size", named, before(b"10 size=0\n")),
        tar_refused("global-volume", "GNU.volume", before(b"22 GNU.volume.label=x\n")),
    ]
}

fn gnu() -> Vec<Case> {
    let long = format!("web-v1/{}/x", "d".repeat(150));
    let target = format!("{}/x", "d".repeat(150));
    let kind = |kind: u8, data: &[u8]| app().raw(b"web-v1/x", EntryType::new(kind), 0o644, b"", data);
    vec![
        tar_through("gnu-long-name", cut(app().long_name(&long))),
        tar_through("gnu-long-link", app().long_link(&target).link("web-v1/l", "cut")),
        tar_through("gnu-both", app().long_link(&target).long_name(&long).link("web-v1/l", "cut")),
        tar_refused("gnu-two-names", "two paths", cut(app().long_name(&long).long_name("web-v1/other"))),
        tar_refused("gnu-name-dangling", "without its entry", app().long_name(&long)),
        tar_refused("gnu-name-climbs", "climbs", cut(app().long_name("web-v1/../../x"))),
        tar_refused("gnu-name-with-nul", "control character", cut(app().long_name("web-v1/a\0b"))),
        tar_refused("gnu-name-huge", "E143", app().long_name(&"a".repeat(70_000)).file("web-v1/x", b"")),
        tar_refused("gnu-volume", "unknown kind", kind(b'V', b"")),
        tar_refused("gnu-multi-volume", "unknown kind", kind(b'M', b"x")),
        tar_refused("gnu-folder-dump", "unknown kind", kind(b'D', b"Yx\0\0")),
        tar_refused("gnu-old-long-names", "unknown kind", kind(b'N', b"")),
        tar_refused("solaris-extension", "unknown kind", kind(b'X', b"17 path=web-v1/a\n")),
    ]
}

fn sparse() -> Vec<Case> {
    let file = |records: &[(&str, &str)]| app().pax(records).file("web-v1/s", b"1\n0\n0\n");
    vec![
        tar_refused(
            "sparse-gnu-old",
            "sparse",
            app().raw(b"web-v1/s", EntryType::GNUSparse, 0o644, b"", b""),
        ),
        tar_refused(
            "sparse-pax-0.0",
            "sparse",
            file(&[("GNU.sparse.size", "1"), ("GNU.sparse.numblocks", "0")]),
        ),
        tar_refused(
            "sparse-pax-0.1",
            "sparse",
            file(&[("GNU.sparse.map", "0,1"), ("GNU.sparse.name", "web-v1/evil")]),
        ),
        tar_refused(
            "sparse-pax-1.0",
            "sparse",
            file(&[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")]),
        ),
    ]
}
