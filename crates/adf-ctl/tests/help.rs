//! What `--help`, the man pages and docs/exit-codes.md say, so that a change of them is seen in review.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use adf_ctl::ExitCode;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The help of the command and of everything below it, by full name.
fn helps(command: &mut clap::Command, found: &mut BTreeMap<String, String>) {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.clone().term_width(100).render_long_help().to_string();
    found.insert(name, help);
    for below in command.get_subcommands_mut().filter(|c| c.get_name() != "help") {
        helps(below, found);
    }
}

#[test]
fn the_help_of_every_command_is_the_documented_one() {
    let mut found = BTreeMap::new();
    let mut root = adf_ctl::cli::command();
    root.build();
    helps(&mut root, &mut found);
    assert!(found.contains_key("adf-ctl-release-create"), "{:?}", found.keys());
    for (name, help) in found {
        insta::assert_snapshot!(name, help);
    }
}

#[test]
fn every_command_has_a_man_page_that_is_up_to_date() {
    let pages = adf_ctl::commands::pages();
    assert!(pages.contains_key("adf-config.1") && pages.contains_key("adf-ctl-deploy.1"));
    for (name, page) in pages {
        let written = fs::read_to_string(docs().join("man").join(&name)).unwrap_or_default();
        assert!(written == page, "docs/man/{name} is out of date; run: cargo xtask man");
    }
}

#[test]
fn no_man_page_is_left_of_a_command_that_is_gone() {
    let pages = adf_ctl::commands::pages();
    for entry in fs::read_dir(docs().join("man")).expect("docs/man") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(pages.contains_key(&name), "docs/man/{name} documents no command; remove it");
    }
}

#[test]
fn every_exit_code_is_documented() {
    let rows = ExitCode::ALL.map(|code| format!("| {} | {} |", code.code(), code.meaning()));
    let table = format!("| code | meaning |\n| --- | --- |\n{}\n", rows.join("\n"));
    let written = fs::read_to_string(docs().join("exit-codes.md")).expect("docs/exit-codes.md");
    assert!(written.contains(&table), "docs/exit-codes.md must hold:\n{table}");
}
