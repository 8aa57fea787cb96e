//! The hostile corpus, and what other readers make of what passes.

use std::io::Read as _;
use std::path::Path;

use adf_archive::Wanted;

use crate::corpus::{self, Case, Fate};
use crate::passing::pass;
use crate::readers::{Seen, gnu_tar, python, tidy};

/// What we let through, in the words of the other readers.
fn emitted(tar: &[u8]) -> Vec<Seen> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("a tar");
    let seen = entries.map(|entry| {
        let mut entry = entry.expect("an entry");
        let kind = match entry.header().entry_type() {
            tar::EntryType::Regular => 'f',
            tar::EntryType::Directory => 'd',
            tar::EntryType::Symlink => 'l',
            other => panic!("{other:?} was let through"),
        };
        let target = entry.link_name_bytes().map(|t| String::from_utf8_lossy(&t).into_owned());
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
        let size = entry.read_to_end(&mut Vec::new()).expect("its content") as u64;
        (kind, tidy(&path), size, target.unwrap_or_default())
    });
    seen.collect()
}

/// A listing below the archive's root, which is no entry of its own.
fn below_root(listing: Vec<Seen>) -> Vec<Seen> {
    let stripped = listing.into_iter().map(|(kind, path, size, target)| {
        let below = path.strip_prefix("web-v1").map(|rest| rest.trim_start_matches('/').to_owned());
        (kind, below.unwrap_or(path), size, target)
    });
    stripped.filter(|(_, path, ..)| !path.is_empty()).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

#[test]
fn attack_a01_every_hostile_archive_meets_its_fate() {
    let cases = corpus::all();
    assert!(cases.len() >= 45, "{} archives", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(misjudged).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn misjudged(case: &Case) -> Option<String> {
    let (result, seen) = pass(&case.bytes, &Wanted::default());
    let met = match (&result, case.fate) {
        (Ok(_), Fate::Through) => seen.ended,
        (Err(error), Fate::Refused(words)) => {
            let text = error.to_string();
            !seen.ended && text.contains(words) && !text.chars().any(char::is_control)
        }
        _ => false,
    };
    (!met).then(|| format!("{}: expected {:?}, got {result:?}", case.name, case.fate))
}

#[test]
fn attack_a02_what_passes_is_read_alike_by_gnu_tar_and_python() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (sent, came_out) = (dir.path().join("sent"), dir.path().join("came-out"));
    for folder in [&sent, &came_out] {
        std::fs::create_dir(folder).expect("made");
    }
    let cases: Vec<Case> = corpus::all().into_iter().filter(|case| case.fate == Fate::Through).collect();
    for case in &cases {
        write(&sent, case.name, &case.bytes);
        write(&came_out, case.name, &pass(&case.bytes, &Wanted::default()).1.bytes);
    }
    let (python_sent, python_out) = (python(&sent), python(&came_out));
    for case in &cases {
        let ours = emitted(&std::fs::read(came_out.join(case.name)).expect("written"));
        assert!(!ours.is_empty(), "{}", case.name);
        let readings = [
            ("GNU tar, sent", gnu_tar(&sent.join(case.name))),
            ("Python, sent", python_sent[case.name].clone()),
            ("GNU tar, came out", gnu_tar(&came_out.join(case.name))),
            ("Python, came out", python_out[case.name].clone()),
        ];
        for (reader, reading) in readings {
            assert_eq!(reading.map(below_root), Ok(ours.clone()), "{}: {reader}", case.name);
        }
    }
}
