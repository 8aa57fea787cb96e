//! adf.toml, wherever it stands in the archive.

use adf_archive::{ArchiveError, Limits, Wanted};

use crate::craft::app;
use crate::passing::{pass, refused};

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
    let colourful = refused(&app().file("web-v1/adf.toml", b"[run]\n\x1b[31mprot = 1\n").gz());
    assert!(colourful.contains("line 2") && !colourful.contains('\x1b'), "{colourful}");
    assert!(refused(&app().file("web-v1/adf.toml", &[b'#'; 9000]).gz()).contains("longer than 8192"));
}

#[test]
fn an_adf_toml_behind_the_head_is_known_at_the_second_pass() {
    let limits = Limits { head: 100_000, ..Limits::default() };
    let archive =
        app().file("web-v1/Big", &vec![7; 300_000]).file("web-v1/adf.toml", b"[run]\nport = 1\n").gz();
    let first = pass(&archive, &Wanted { limits, ..Wanted::default() }).0.expect_err("late");
    let ArchiveError::Late(found) = first else { panic!("{first}") };
    let known = Wanted { known: (*found).clone(), limits, ..Wanted::default() };
    let (second, seen) = pass(&archive, &known);
    second.expect("known now");
    assert_eq!(seen.head, found.settings);
    let other = app().file("web-v1/adf.toml", b"[run]\nport = 2\n").gz();
    assert_eq!(pass(&other, &known).0, Err(ArchiveError::Changed("adf.toml")));
}
