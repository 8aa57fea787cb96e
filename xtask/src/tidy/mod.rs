//! `cargo xtask tidy`: the rules of ARCHITECTURE.md and CONTRIBUTING.md that no compiler checks.
//!
//! Neighbours: [`dependencies`] who may depend on whom, [`sources`] what a source file may hold, [`handbook`] what
//! docs/agent.md must explain, [`faults`] what must have a test, and [`crate::drawings`]. Lengths of functions, forbidden macros and unsafe code are
//! lints in Cargo.toml.
//! To add a rule: a function that returns what breaks it, one sentence each, and a line in [`violations`].

mod dependencies;
mod faults;
mod handbook;
mod sources;

use crate::drawings;
use crate::failure::{Failure, Result};
use crate::workspace;

pub(crate) fn run() -> Result<()> {
    let violations = violations()?;
    for violation in &violations {
        eprintln!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        many => Err(Failure::new(format!("{many} rules are broken"))),
    }
}

fn violations() -> Result<Vec<String>> {
    let sources = sources::read(workspace::root())?;
    let mut all = dependencies::violations(&workspace::metadata()?);
    all.extend(sources.iter().flat_map(sources::violations));
    all.extend(handbook::violations(workspace::root(), &sources)?);
    all.extend(faults::violations(&sources));
    all.extend(drawings::violations()?);
    Ok(all)
}
