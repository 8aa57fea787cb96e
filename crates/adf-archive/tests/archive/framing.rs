//! Bodies that are no archive, or not a whole one, or more than one.

use adf_archive::Wanted;

use crate::craft::{Tar, app, gzip};
use crate::passing::{pass, refused};

#[test]
fn fault_25_bodies_that_are_no_archive_are_told_apart() {
    let html = b"<!DOCTYPE html><html><title>Sign in</title>";
    assert!(refused(html).contains("E137") && refused(html).contains("login page"));
    assert!(refused(b"PK\x03\x04zip").starts_with("E137 expected a gzip archive"));
    assert!(refused(b"").contains("empty"));
    assert!(refused(&gzip(b"")).contains("E139"));
    assert!(refused(&gzip(&[0; 1024])).contains("no entries"));
    assert!(refused(&gzip(b"just text, no tar at all")).starts_with("E139"));
}

#[test]
fn fault_26_every_truncation_is_an_error_and_never_a_build() {
    let whole = app().file("web-v1/data", &[7; 3000]).gz();
    for cut in 1..whole.len() {
        pass(&whole[..cut], &Wanted::default()).0.expect_err("cut");
    }
    let error = refused(&whole[..whole.len() - 20]);
    assert!(error.starts_with("E138 the archive is cut off after"), "{error}");
}

#[test]
fn fault_27_a_tar_that_was_cut_before_it_was_compressed_is_an_error() {
    let whole = app().file("web-v1/data", &[7; 3000]).ended();
    for cut in [512, 1024, 1536, 2000, 4608] {
        let error = refused(&gzip(&whole[..cut]));
        assert!(error.starts_with("E139"), "cut at {cut}: {error}");
    }
}

#[test]
fn attack_a03_what_follows_the_end_is_refused() {
    let good = app().gz();
    let second = [good.clone(), gzip(b"more")].concat();
    assert!(refused(&second).contains("second gzip member"));
    assert!(refused(&[good.clone(), vec![0; 512]].concat()).contains("more bytes"));
    let behind = [app().ended(), Tar::default().file("web-v1/hidden", b"x").ended()].concat();
    assert!(refused(&gzip(&behind)).contains("behind its end marker"));
}
