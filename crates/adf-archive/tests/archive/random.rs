//! Whatever comes in: nothing panics, and nothing completes by chance.

use adf_archive::Wanted;
use proptest::prelude::*;

use crate::craft::{app, gzip};
use crate::passing::pass;

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
