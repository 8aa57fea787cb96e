//! `adf-ctl man`: the man pages of both command-line tools, made from their definitions.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::cli;
use crate::error::CtlError;
use crate::printer::Printer;

pub(super) fn run(dir: &Path, printer: Printer) -> Result<(), CtlError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source: io::Error| CtlError::Write { path, source }
    };
    fs::create_dir_all(dir).map_err(failed(dir))?;
    let pages = pages();
    for (name, page) in &pages {
        let path = dir.join(name);
        fs::write(&path, page).map_err(failed(&path))?;
    }
    printer.note(&format!("wrote {} man pages to {}", pages.len(), dir.display()));
    Ok(())
}

/// Every man page by file name, such as `adf-ctl-deploy.1`.
pub fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    add(&mut pages, cli::command());
    add(&mut pages, adf_config::cli::command());
    pages
}

fn add(pages: &mut BTreeMap<String, String>, root: clap::Command) {
    // The program sees its terminal; a man page must not depend on it.
    let mut root = root.disable_help_subcommand(true);
    root.build();
    add_below(pages, &root);
}

fn add_below(pages: &mut BTreeMap<String, String>, command: &clap::Command) {
    for below in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        add_below(pages, below);
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .date("")
        .render(&mut page)
        .expect("writing to memory does not fail");
    pages.insert(format!("{name}.1"), String::from_utf8_lossy(&page).into_owned());
}
