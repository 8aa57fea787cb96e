//! Archives that people and attackers send, and what becomes of each.
//!
//! The oracle is the outlet: what would have reached Docker, and whether the stream was ended (only an ended
//! stream is a build).

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use adf_types::{Digest, TreeHasher};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use sha2::Digest as _;
use tar::{EntryType, Header};

use super::error::{ArchiveError, Cause};
use super::gate::Outlet;
use super::walk::repack;
use super::{Limits, Settings, Summary, Wanted};

/// A tar written by hand, so that it can be wrong.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn raw(mut self, name: &[u8], kind: EntryType, mode: u32, link: &[u8], data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().expect("gnu").name[..name.len()].copy_from_slice(name);
        header.as_gnu_mut().expect("gnu").linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(501);
        header.set_size(data.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, data: &[u8]) -> Self {
        self.raw(name.as_bytes(), EntryType::Regular, 0o644, b"", data)
    }

    fn folder(self, name: &str) -> Self {
        self.raw(name.as_bytes(), EntryType::Directory, 0o755, b"", b"")
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.raw(name.as_bytes(), EntryType::Symlink, 0o777, target.as_bytes(), b"")
    }

    fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut data = Vec::new();
        for (key, value) in records {
            let rest = format!(" {key}={value}\n");
            let digits = (rest.len() + 1..rest.len() + 10)
                .find(|n| n.to_string().len() + rest.len() == *n)
                .expect("a length");
            data.extend_from_slice(format!("{digits}{rest}").as_bytes());
        }
        self.raw(b"pax", EntryType::XHeader, 0o644, b"", &data)
    }

    fn ended(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }

    fn gz(self) -> Vec<u8> {
        gzip(&self.ended())
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).expect("in memory");
    encoder.finish().expect("in memory")
}

fn app() -> Tar {
    Tar::default().folder("web-v1/").file("web-v1/Dockerfile", b"FROM scratch\n")
}

/// What came out at the other end.
#[derive(Debug, Clone, Default)]
struct Seen {
    head: Option<Settings>,
    bytes: Vec<u8>,
    ended: bool,
}

struct Recorder(Arc<Mutex<Seen>>);

impl Outlet for Recorder {
    fn head(&mut self, settings: Settings) {
        self.0.lock().expect("one thread").head = Some(settings);
    }

    fn chunk(&mut self, chunk: Bytes) -> Result<(), ArchiveError> {
        self.0.lock().expect("one thread").bytes.extend_from_slice(&chunk);
        Ok(())
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        self.0.lock().expect("one thread").ended = true;
        Ok(())
    }
}

fn pass(archive: &[u8], wanted: &Wanted) -> (Result<Summary, ArchiveError>, Seen) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let result = repack(archive, None, wanted, Recorder(seen.clone()), &Cause::default());
    let seen = seen.lock().expect("one thread").clone();
    assert_eq!(result.is_ok(), seen.ended, "only a verified archive may complete a build: {result:?}");
    (result, seen)
}

fn refused(archive: &[u8]) -> String {
    pass(archive, &Wanted::default()).0.expect_err("must be refused").to_string()
}

/// `path mode owner kind` of every entry, as another unpacker reads them.
fn listing(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("a tar");
    entries
        .map(|e| {
            let e = e.expect("an entry");
            let h = e.header();
            let (mode, uid) = (h.mode().expect("a mode"), h.uid().expect("an owner"));
            format!("{} {mode:o} {uid} {:?}", e.path().expect("a path").display(), h.entry_type())
        })
        .collect()
}

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
fn bodies_that_are_no_archive_are_told_apart() {
    let html = b"<!DOCTYPE html><html><title>Sign in</title>";
    assert!(refused(html).contains("E137") && refused(html).contains("login page"));
    assert!(refused(b"PK\x03\x04zip").starts_with("E137 expected a gzip archive"));
    assert!(refused(b"").contains("empty"));
    assert!(refused(&gzip(b"")).contains("E139"));
    assert!(refused(&gzip(&[0; 1024])).contains("no entries"));
    assert!(refused(&gzip(b"just text, no tar at all")).starts_with("E139"));
}

#[test]
fn every_truncation_is_an_error_and_never_a_build() {
    let whole = app().file("web-v1/data", &[7; 3000]).gz();
    for cut in 1..whole.len() {
        pass(&whole[..cut], &Wanted::default()).0.expect_err("cut");
    }
    let error = refused(&whole[..whole.len() - 20]);
    assert!(error.starts_with("E138 the archive is cut off after"), "{error}");
}

#[test]
fn a_tar_that_was_cut_before_it_was_compressed_is_an_error() {
    let whole = app().file("web-v1/data", &[7; 3000]).ended();
    for cut in [512, 1024, 1536, 2000, 4608] {
        let error = refused(&gzip(&whole[..cut]));
        assert!(error.starts_with("E139"), "cut at {cut}: {error}");
    }
}

#[test]
fn what_follows_the_end_is_refused() {
    let good = app().gz();
    let second = [good.clone(), gzip(b"more")].concat();
    assert!(refused(&second).contains("second gzip member"));
    assert!(refused(&[good.clone(), vec![0; 512]].concat()).contains("more bytes"));
    let behind = [app().ended(), Tar::default().file("web-v1/hidden", b"x").ended()].concat();
    assert!(refused(&gzip(&behind)).contains("behind its end marker"));
}

#[test]
fn a_flipped_byte_is_never_a_build_when_the_digest_is_known() {
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
fn an_archive_without_a_dockerfile_names_its_root() {
    let error = refused(&Tar::default().folder("web-v1/").file("web-v1/src/Dockerfile", b"").gz());
    assert_eq!(
        error,
        "E108 no Dockerfile at the top of the archive (looked for ./Dockerfile; the archive's root is web-v1/)"
    );
}

#[test]
fn adf_toml_opens_the_gate_and_is_told() {
    let archive = app().file("web-v1/adf.toml", b"[run]\nport = 8080\n").gz();
    let (result, seen) = pass(&archive, &Wanted::default());
    result.expect("good");
    assert_eq!(seen.head.expect("given").parsed.run.port, Some(8080));
}

#[test]
fn a_bad_adf_toml_is_an_error_that_names_the_line() {
    let error = refused(&app().file("web-v1/adf.toml", b"[run]\nprot = 1\n").gz());
    assert!(error.contains("prot") && error.contains("line 2"), "{error}");
    assert!(refused(&app().file("web-v1/adf.toml", &[b'#'; 9000]).gz()).contains("longer than 8192"));
}

#[test]
fn an_adf_toml_behind_the_head_is_known_at_the_second_pass() {
    let limits = Limits { head: 100_000, ..Limits::default() };
    let archive =
        app().file("web-v1/Big", &vec![7; 300_000]).file("web-v1/adf.toml", b"[run]\nport = 1\n").gz();
    let first = pass(&archive, &Wanted { limits, ..Wanted::default() }).0.expect_err("late");
    let ArchiveError::LateSettings(settings) = first else { panic!("{first}") };
    let known = Wanted { known: Some((*settings).clone()), limits, ..Wanted::default() };
    let (second, seen) = pass(&archive, &known);
    second.expect("known now");
    assert_eq!(seen.head, Some(*settings));
    let other = app().file("web-v1/adf.toml", b"[run]\nport = 2\n").gz();
    assert_eq!(pass(&other, &known).0, Err(ArchiveError::SettingsChanged));
}

#[test]
fn bombs_are_stopped_by_their_limits() {
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
fn an_archive_that_unpacks_to_more_than_the_limit_is_stopped_at_the_limit() {
    let limits = Limits { unpacked: 1 << 20, ..Limits::default() };
    let archive = app().file("web-v1/big", &vec![1; 2 << 20]).gz();
    let (result, seen) = pass(&archive, &Wanted { limits, ..Wanted::default() });
    assert!(result.expect_err("too large").to_string().contains("more than 1048576 bytes"));
    assert!(seen.bytes.len() <= (1 << 20) + 4096);
}

#[test]
fn the_last_chunk_is_held_back_until_the_digest_is_verified() {
    let noise: Vec<u8> = (0..200_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let archive = app().file("web-v1/adf.toml", b"").file("web-v1/data", &noise).gz();
    let wanted = Wanted { digest: Some(Digest::Sha256([0; 32])), ..Wanted::default() };
    let (result, seen) = pass(&archive, &wanted);
    assert!(matches!(result, Err(ArchiveError::Digest { .. })));
    assert!(!seen.bytes.is_empty(), "the stream had begun");
    let (_, whole) = pass(&archive, &Wanted::default());
    assert!(seen.bytes.len() + 1024 < whole.bytes.len(), "the end marker was given away");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_input_panics_or_completes_by_chance(raw: Vec<u8>, zipped: bool) {
        let archive = if zipped { gzip(&raw) } else { raw };
        let _ = pass(&archive, &Wanted::default());
    }

    #[test]
    fn a_damaged_tar_never_panics(at in 0..2560_usize, value: u8) {
        let mut tar = app().link("web-v1/l", "x").file("web-v1/data", b"x").ended();
        tar[at] = value;
        let _ = pass(&gzip(&tar), &Wanted::default());
    }

    #[test]
    fn whatever_files_go_in_come_out_the_same(files in prop::collection::btree_map("[a-z]{1,8}(/[a-z]{1,8}){0,3}\\.x", prop::collection::vec(any::<u8>(), 0..600), 0..12)) {
        let tar = files.iter().fold(app(), |tar, (name, data)| tar.file(&format!("web-v1/{name}"), data));
        let (result, seen) = pass(&tar.gz(), &Wanted::default());
        result.expect("good");
        let mut archive = tar::Archive::new(seen.bytes.as_slice());
        let mut out = std::collections::BTreeMap::new();
        for entry in archive.entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let mut data = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut data).expect("its data");
            out.insert(entry.path().expect("a path").display().to_string(), data);
        }
        out.remove("Dockerfile");
        prop_assert_eq!(out, files);
    }
}
