//! `adf-config` from a parsed command line to a printed result.

use adf_store::Store;

use crate::cli::Cli;
use crate::connect::{connect, store};
use crate::error::ConfigError;
use crate::printer::Printer;
use crate::set::Assignment;
use crate::{list, set, unset};

pub async fn run(cli: Cli) -> Result<(), ConfigError> {
    let assignments = set::assignments(&cli.set)?;
    let sdk = connect(cli.region.as_deref()).await?;
    run_on(&store(&sdk), cli, assignments).await
}

async fn run_on(store: &Store, cli: Cli, assignments: Vec<Assignment>) -> Result<(), ConfigError> {
    let printer = Printer::new(cli.format());
    let release = cli.release.as_ref();
    if !assignments.is_empty() {
        let done = set::set(store, &cli.app, release, assignments).await?;
        printer.note(&done.summary());
        printer.data(&done);
    } else if !cli.delete.is_empty() {
        let done = unset::unset(store, &cli.app, release, cli.delete).await?;
        printer.note(&done.summary());
        printer.data(&done);
    } else {
        printer.data(&list::list(store, &cli.app, release).await?);
    }
    Ok(())
}
