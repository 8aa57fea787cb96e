//! `.dockerignore`, wherever it stands in the archive.

use adf_archive::{ArchiveError, Known, Limits, Wanted};
use adf_types::{Digest, TreeHasher};
use sha2::Digest as _;

use crate::craft::{Tar, app};
use crate::passing::{listing, pass, refused};

/// The paths that go into the build, read as often as it takes to know the ignore file.
fn sent(tar: Tar, wanted: &Wanted) -> (Vec<String>, usize) {
    let archive = tar.gz();
    let (mut wanted, mut passes) = (wanted.clone(), 1);
    loop {
        match pass(&archive, &wanted) {
            (Ok(_), seen) => {
                let paths = listing(&seen.bytes);
                return (
                    paths.iter().map(|line| line.split(' ').next().expect("a path").to_owned()).collect(),
                    passes,
                );
            }
            (Err(ArchiveError::Late(known)), _) if *known != wanted.known => {
                (wanted.known, passes) = (*known, passes + 1);
            }
            (Err(error), _) => panic!("{error}"),
        }
    }
}

fn files(tar: Tar, names: &[&str]) -> Tar {
    names.iter().fold(tar, |tar, name| tar.file(&format!("web-v1/{name}"), b"x"))
}

fn ignore(tar: Tar, text: &str) -> Tar {
    tar.file("web-v1/.dockerignore", text.as_bytes())
}

#[test]
fn what_is_left_out_does_not_reach_the_build() {
    let tar = files(
        ignore(app(), "node_modules\n*.log\nsecret\n"),
        &["app.js", "debug.log", "node_modules/a/b.js"],
    );
    let tar =
        tar.folder("web-v1/secret/").link("web-v1/secret/key", "../app.js").link("web-v1/current", "app.js");
    let (paths, passes) = sent(tar, &Wanted::default());
    assert_eq!(paths, ["Dockerfile", ".dockerignore", "app.js", "current"]);
    assert_eq!(passes, 1);
}

#[test]
fn a_folder_that_is_left_out_comes_along_for_what_is_let_in_below_it() {
    let tar = ignore(app(), "docs\n!docs/a/README.md\n").folder("web-v1/docs/").folder("web-v1/docs/a/");
    let tar = files(tar, &["docs/other.md", "docs/a/README.md", "docs/a/x", "z"]);
    let (paths, _) = sent(tar, &Wanted::default());
    assert_eq!(paths, ["Dockerfile", ".dockerignore", "docs/", "docs/a/", "docs/a/README.md", "z"]);
}

#[test]
fn an_ignore_file_that_comes_late_is_known_at_the_second_pass() {
    let names = ["app.js", "debug.log"];
    let (early, first) = sent(files(ignore(app(), "*.log\n"), &names), &Wanted::default());
    let (mut late, second) = sent(ignore(files(app(), &names), "*.log\n"), &Wanted::default());
    late.sort();
    let mut expected = early;
    expected.sort();
    assert_eq!((late, first, second), (expected, 1, 2));
}

#[test]
fn a_late_ignore_file_that_leaves_out_nothing_so_far_costs_no_second_pass() {
    let (_, passes) = sent(ignore(files(app(), &["app.js"]), "*.log\n"), &Wanted::default());
    assert_eq!(passes, 1);
}

#[test]
fn both_files_that_come_late_are_learnt_one_after_the_other() {
    let limits = Limits { head: 1000, ..Limits::default() };
    let noise: Vec<u8> = (0..300_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let tar =
        files(app().file("web-v1/Big", &noise), &["a.log"]).file("web-v1/adf.toml", b"[run]\nport = 1\n");
    let (paths, passes) = sent(ignore(tar, "*.log\nadf.toml\n"), &Wanted { limits, ..Wanted::default() });
    assert_eq!(
        paths,
        ["Dockerfile", "Big", ".dockerignore"],
        "adf.toml is read though the build does not get it"
    );
    assert_eq!(passes, 3);
}

#[test]
fn the_dockerfiles_own_ignore_file_takes_precedence_where_the_builder_reads_it() {
    let tar = || {
        ignore(files(app(), &["a.log", "a.txt"]), "*.log\n")
            .file("web-v1/Dockerfile.dockerignore", b"*.txt\n")
    };
    let buildkit = Wanted { preferred_ignore: true, ..Wanted::default() };
    let (paths, _) = sent(tar(), &buildkit);
    assert_eq!(paths, ["Dockerfile", "a.log", ".dockerignore", "Dockerfile.dockerignore"]);
    let (paths, _) = sent(tar(), &Wanted::default());
    assert_eq!(paths, ["Dockerfile", "a.txt", ".dockerignore", "Dockerfile.dockerignore"]);
}

#[test]
fn an_ignore_file_below_the_root_means_nothing() {
    let tar = files(app().file("web-v1/sub/.dockerignore", b"*\n"), &["sub/x"]);
    assert_eq!(sent(tar, &Wanted::default()).0, ["Dockerfile", "sub/.dockerignore", "sub/x"]);
}

#[test]
fn a_tree_digest_is_over_the_whole_archive() {
    let content = |data: &[u8]| sha2::Sha256::digest(data).into();
    let mut tree = TreeHasher::default();
    tree.file("Dockerfile", false, content(b"FROM scratch\n"));
    tree.file(".dockerignore", false, content(b"*.log\n"));
    tree.file("a.log", false, content(b"x"));
    tree.link("b.log", "a.log");
    let wanted = Wanted { digest: Some(tree.finish()), ..Wanted::default() };
    let tar = files(ignore(app(), "*.log\n"), &["a.log"]).link("web-v1/b.log", "a.log");
    assert!(matches!(wanted.digest, Some(Digest::Tree(_))));
    assert_eq!(sent(tar, &wanted).0, ["Dockerfile", ".dockerignore"]);
}

#[test]
fn an_ignore_file_that_changes_between_two_reads_ends_it() {
    let archive = ignore(files(app(), &["a.log"]), "*.log\n").gz();
    let Err(ArchiveError::Late(known)) = pass(&archive, &Wanted::default()).0 else { panic!("not late") };
    let wanted = Wanted { known: *known, ..Wanted::default() };
    for other in [ignore(app(), "*.txt\n"), app()] {
        assert_eq!(pass(&other.gz(), &wanted).0, Err(ArchiveError::Changed(".dockerignore")));
    }
    assert_ne!(wanted.known, Known::default());
}

#[test]
fn an_ignore_file_that_docker_would_not_take_is_refused() {
    let error = refused(&ignore(app(), "ok\n[a-\n").gz());
    assert_eq!(error, "E142 .dockerignore has a pattern that Docker does not take, \"[a-\": its [ has no ]");
    assert!(
        refused(&ignore(app(), &"x\n".repeat(40_000)).gz())
            .contains("its .dockerignore is longer than 65536 bytes")
    );
}
