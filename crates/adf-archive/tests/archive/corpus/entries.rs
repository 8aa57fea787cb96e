//! What entries are and where they stand: names, links, kinds, duplicates.

use tar::EntryType;

use super::{Case, refused, tar_refused, tar_through};
use crate::craft::{Tar, app, gzip};

pub(super) fn cases() -> Vec<Case> {
    [names(), odd_names(), links(), kinds(), twice()].into_iter().flatten().collect()
}

fn file(name: &str) -> Tar {
    app().file(name, b"x")
}

fn names() -> Vec<Case> {
    let deep = format!("web-v1/{}x", "d/".repeat(70));
    let long = format!("web-v1/{}", "d".repeat(5000));
    vec![
        tar_refused("name-climbs", "climbs", file("web-v1/../../etc/passwd")),
        tar_refused("name-climbs-in-the-middle", "climbs", file("web-v1/a/../../x")),
        tar_refused("name-only-dots", "climbs", file("..")),
        tar_refused("name-absolute", "absolute", file("/etc/passwd")),
        tar_refused("name-absolute-doubled", "absolute", file("//etc/passwd")),
        tar_refused("name-other-top-folder", "outside the archive's top folder", file("other/x")),
        tar_refused("name-top-folder-is-a-file", "top folder and a file", file("web-v1")),
        tar_refused("name-empty", "no name", file("")),
        tar_refused(
            "name-not-utf-8",
            "not UTF-8",
            app().raw(b"web-v1/\xff", EntryType::Regular, 0o644, b"", b""),
        ),
        tar_refused("name-escape-sequence", "control character", file("web-v1/a\x1b[2J")),
        tar_refused("name-newline", "control character", file("web-v1/a\nb")),
        tar_refused("name-too-deep", "E143", app().long_name(&deep).file("web-v1/cut", b"")),
        tar_refused("name-too-long", "E143", app().long_name(&long).file("web-v1/cut", b"")),
        tar_refused("name-file-with-slash", "ends in a slash", file("web-v1/x/")),
        tar_refused(
            "name-v7-file-with-slash",
            "ends in a slash",
            app().edited("web-v1/x/", EntryType::Regular, b"", |header| {
                header[156] = 0;
                header[257..265].fill(0);
            }),
        ),
        refused("no-dockerfile", "E108", gzip(&Tar::default().folder("web-v1/").ended())),
    ]
}

fn odd_names() -> Vec<Case> {
    let flat = || Tar::default().folder("./").file("./Dockerfile", b"FROM scratch\n");
    vec![
        tar_through("name-plain", file("web-v1/x").folder("web-v1/f/").file("web-v1/f/y", &[7; 3000])),
        tar_through("name-dot-slash", flat().folder("./src/").file("./src/./x", b"x")),
        tar_through("name-doubled-slash", file("web-v1//a///x")),
        tar_through(
            "name-without-folder-entries",
            Tar::default().file("Dockerfile", b"").file("a/b/c", b"x"),
        ),
        tar_through("name-blanks", file("web-v1/ a  b ")),
        tar_through("name-backslash", file("web-v1/a\\b\\..\\c")),
        tar_through("name-dashes", file("web-v1/--checkpoint-action=exec")),
        tar_through("name-whiteout", file("web-v1/.wh.x").file("web-v1/.wh..wh..opq", b"")),
        tar_through(
            "name-case-differs",
            file("web-v1/README").file("web-v1/readme", b"y").file("web-v1/Readme/x", b""),
        ),
        tar_through("name-composed-and-decomposed", file("web-v1/\u{e9}").file("web-v1/e\u{301}", b"y")),
        tar_through("name-hundred-bytes", file(&format!("web-v1/{}", "n".repeat(93)))),
    ]
}

fn links() -> Vec<Case> {
    let link = |name: &str, target: &str| app().link(name, target);
    let leaves = "leaves the archive";
    vec![
        tar_through("link-inside", link("web-v1/l", "Dockerfile").link("web-v1/a/l", "../Dockerfile")),
        tar_through("link-dangling", link("web-v1/l", "nowhere/at/all")),
        tar_through("link-loop", link("web-v1/a", "b").link("web-v1/b", "a")),
        tar_through("link-to-itself", link("web-v1/a", "a/../a")),
        tar_through("link-winding-inside", link("web-v1/l", "bin/../run").folder("web-v1/bin/")),
        tar_refused("link-absolute", "absolute path", link("web-v1/l", "/etc/passwd")),
        tar_refused("link-climbs", leaves, link("web-v1/l", "../x")),
        tar_refused("link-climbs-from-below", leaves, link("web-v1/a/l", "../../x")),
        tar_refused("link-climbs-in-the-middle", leaves, link("web-v1/l", "a/../../x")),
        tar_refused("link-climbs-out-of-the-root", leaves, link("web-v1/l", "..")),
        tar_refused(
            "link-chain-climbs",
            leaves,
            link("web-v1/a/b/up", "../..").link("web-v1/out", "a/b/up/../x"),
        ),
        tar_refused(
            "link-chain-of-three",
            leaves,
            link("web-v1/d/s", ".").link("web-v1/d/t", "s/s").link("web-v1/e", "d/t/../../x"),
        ),
        tar_refused("link-empty", "empty", link("web-v1/l", "")),
        tar_refused(
            "link-not-utf-8",
            "not UTF-8",
            app().raw(b"web-v1/l", EntryType::Symlink, 0o777, b"\xff", b""),
        ),
        tar_refused("link-control-character", "control characters", link("web-v1/l", "a\x1b[2J")),
        tar_refused(
            "link-with-content",
            "with content",
            app().raw(b"web-v1/l", EntryType::Symlink, 0o777, b"x", &[0; 512]),
        ),
        tar_refused("link-written-through", "not a folder", link("web-v1/l", "a").file("web-v1/l/x", b"")),
        tar_refused("link-then-folder", "twice", link("web-v1/l", "a").folder("web-v1/l/")),
        tar_refused("folder-then-link", "twice", app().folder("web-v1/l/").link("web-v1/l", "a")),
        tar_refused("link-is-the-top-folder", "top folder and a file", link("web-v1", "x")),
        tar_refused("hard-link", "hard link", hard("web-v1/h", "web-v1/Dockerfile")),
        tar_refused("hard-link-outside", "hard link", hard("web-v1/h", "/etc/passwd")),
        tar_refused(
            "hard-link-chain",
            "hard link",
            link("web-v1/l", "Dockerfile").raw(b"web-v1/h", EntryType::Link, 0o644, b"web-v1/l", b""),
        ),
    ]
}

fn hard(name: &str, target: &str) -> Tar {
    app().raw(name.as_bytes(), EntryType::Link, 0o644, target.as_bytes(), b"")
}

fn kinds() -> Vec<Case> {
    let kind = |kind: u8| app().raw(b"web-v1/x", EntryType::new(kind), 0o666, b"", b"");
    vec![
        tar_refused("kind-character-device", "device", kind(b'3')),
        tar_refused("kind-block-device", "device", kind(b'4')),
        tar_refused("kind-pipe", "named pipe", kind(b'6')),
        tar_refused("kind-contiguous", "unknown kind", kind(b'7')),
        tar_refused("kind-unknown", "unknown kind", kind(b'Q')),
        tar_refused(
            "kind-folder-with-content",
            "with content",
            app().raw(b"web-v1/f/", EntryType::Directory, 0o755, b"", &[0; 512]),
        ),
        tar_through(
            "kind-old-file",
            app().edited("web-v1/x", EntryType::Regular, b"x", |header| header[156] = 0),
        ),
        tar_through("kind-odd-modes", app().raw(b"web-v1/x", EntryType::Regular, 0o6711, b"", b"x")),
    ]
}

fn twice() -> Vec<Case> {
    vec![
        tar_through("twice-a-folder", app().folder("web-v1/f/").folder("web-v1/f/").folder("web-v1/")),
        tar_refused("twice-a-file", "twice", file("web-v1/Dockerfile")),
        tar_refused("twice-by-another-spelling", "twice", file("web-v1/./Dockerfile")),
        tar_refused("twice-file-then-link", "twice", app().link("web-v1/Dockerfile", "x")),
        tar_refused("twice-file-then-folder", "twice", app().folder("web-v1/Dockerfile/")),
        tar_refused("twice-folder-then-file", "twice", file("web-v1/a/x").file("web-v1/a", b"")),
        tar_refused("twice-below-a-file", "not a folder", file("web-v1/Dockerfile/x")),
    ]
}
