//! What an entry may be, and what becomes of it.

use adf_archive::Wanted;
use adf_types::Digest;
use tar::EntryType;

use crate::craft::{Tar, app};
use crate::passing::{listing, pass, refused};

#[test]
fn a_good_archive_comes_out_below_its_top_folder_with_fresh_headers() {
    let archive = app()
        .raw(b"web-v1/run", EntryType::Regular, 0o4711, b"", b"#!")
        .link("web-v1/current", "bin/../run")
        .gz();
    let (result, seen) = pass(&archive, &Wanted::default());
    assert_eq!(result.expect("good").digest, Digest::of_bytes(&archive));
    assert_eq!(
        listing(&seen.bytes),
        ["Dockerfile 644 0 Regular", "run 755 0 Regular", "current 777 0 Symlink"]
    );
}

#[test]
fn an_archive_without_a_top_folder_is_taken_as_it_is() {
    for archive in [
        Tar::default().file("Dockerfile", b"FROM scratch\n").file("src/x", b"").gz(),
        Tar::default().folder("./").folder("./src/").file("./src/x", b"").file("./Dockerfile", b"").gz(),
    ] {
        let (result, seen) = pass(&archive, &Wanted::default());
        result.expect("good");
        assert!(listing(&seen.bytes).iter().any(|l| l.starts_with("Dockerfile ")));
    }
}

#[test]
fn what_git_archive_writes_is_read() {
    let mut tar = Tar::default().raw(
        b"pax_global_header",
        EntryType::XGlobalHeader,
        0o666,
        b"",
        b"52 comment=0123456789012345678901234567890123456789\n",
    );
    tar = tar.folder("web-v1/").file("web-v1/Dockerfile", b"FROM scratch\n");
    pass(&tar.gz(), &Wanted::default()).0.expect("good");
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = format!("web-v1/{}/x", "d".repeat(150));
    for tar in [
        app()
            .raw(b"././@LongLink", EntryType::GNULongName, 0, b"", format!("{long}\0").as_bytes())
            .file("cut", b"1"),
        app().pax(&[("path", &long), ("mtime", "1.5")]).file("cut", b"1"),
    ] {
        let (result, seen) = pass(&tar.gz(), &Wanted::default());
        result.expect("good");
        assert!(listing(&seen.bytes)[1].starts_with(&format!("{}/x ", "d".repeat(150))));
    }
}

#[test]
fn entries_that_leave_the_archive_are_refused() {
    let hostile: Vec<(&str, Tar)> = vec![
        ("climbs", app().file("web-v1/../../etc/passwd", b"")),
        ("climbs", app().file("web-v1/a/../../x", b"")),
        ("absolute", app().file("/etc/passwd", b"")),
        ("outside the archive's top folder", app().file("other/x", b"")),
        ("leaves the archive", app().link("web-v1/l", "../x")),
        ("leaves the archive", app().link("web-v1/a/l", "../../x")),
        ("leaves the archive", app().link("web-v1/l", "a/../../x")),
        ("absolute path", app().link("web-v1/l", "/etc/passwd")),
        ("hard link", app().raw(b"web-v1/h", EntryType::Link, 0o644, b"web-v1/Dockerfile", b"")),
        ("hard link", app().raw(b"web-v1/h", EntryType::Link, 0o644, b"/etc/passwd", b"")),
        ("device", app().raw(b"web-v1/d", EntryType::Char, 0o666, b"", b"")),
        ("device", app().raw(b"web-v1/d", EntryType::Block, 0o666, b"", b"")),
        ("named pipe", app().raw(b"web-v1/p", EntryType::Fifo, 0o666, b"", b"")),
        ("sparse", app().raw(b"web-v1/s", EntryType::GNUSparse, 0o666, b"", b"")),
        ("unknown kind", app().raw(b"web-v1/u", EntryType::new(b'Q'), 0o666, b"", b"")),
        ("twice", app().file("web-v1/Dockerfile", b"FROM evil\n")),
        ("twice", app().file("web-v1/./Dockerfile", b"FROM evil\n")),
        ("twice", app().link("web-v1/Dockerfile", "x")),
        ("not a folder", app().link("web-v1/l", "a").file("web-v1/l/x", b"")),
        ("twice", app().file("web-v1/a/x", b"").file("web-v1/a", b"")),
        ("control character", app().file("web-v1/a\x1b[2J", b"")),
        ("not UTF-8", app().raw(b"web-v1/\xff", EntryType::Regular, 0o644, b"", b"")),
        ("slash", app().file("web-v1/x/", b"data")),
        ("no name", app().file("", b"")),
        ("top folder and a file", app().file("web-v1", b"")),
        ("too deeply", app().pax(&[("path", &format!("web-v1/{}x", "d/".repeat(70)))]).file("cut", b"")),
        ("too long a path", app().pax(&[("path", &format!("web-v1/{}", "d".repeat(5000)))]).file("cut", b"")),
        ("climbs", app().pax(&[("path", "../x")]).file("web-v1/fine", b"")),
        ("leaves the archive", app().pax(&[("linkpath", "../x")]).link("web-v1/l", "fine")),
        ("two paths", app().pax(&[("path", "web-v1/a"), ("path", "web-v1/b")]).file("cut", b"")),
        ("two different sizes", app().pax(&[("size", "0")]).file("web-v1/a", &[b'x'; 512])),
        ("no number", app().pax(&[("size", "many")]).file("web-v1/a", b"")),
        ("sparse", app().pax(&[("GNU.sparse.major", "1")]).file("web-v1/a", b"")),
        ("global header", app().raw(b"g", EntryType::XGlobalHeader, 0, b"", b"10 path=x\n")),
        ("folder with content", app().raw(b"web-v1/f/", EntryType::Directory, 0o755, b"", b"data")),
    ];
    for (word, tar) in hostile {
        let error = refused(&tar.gz());
        assert!(error.contains(word), "expected \"{word}\": {error}");
    }
}

#[test]
fn an_archive_without_a_dockerfile_names_its_root() {
    let error = refused(&Tar::default().folder("web-v1/").file("web-v1/src/Dockerfile", b"").gz());
    assert_eq!(
        error,
        "E108 no Dockerfile at the top of the archive (looked for ./Dockerfile; the archive's root is web-v1/)"
    );
}
