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
fn fault_08_an_archive_without_a_dockerfile_names_its_root() {
    let error = refused(&Tar::default().folder("web-v1/").file("web-v1/src/Dockerfile", b"").gz());
    assert_eq!(
        error,
        "E108 no Dockerfile at the top of the archive (looked for ./Dockerfile; the archive's root is web-v1/)"
    );
}
