//! `adf-config` from a parsed command line to a printed result.

use adf_store::Store;

use crate::cli::Cli;
use crate::connect::{connect, store};
use crate::error::ConfigError;
use crate::printer::Printer;
use crate::{list, set, unset};

pub async fn run(cli: Cli) -> Result<(), ConfigError> {
    let sdk = connect(cli.region.as_deref()).await?;
    run_on(&store(&sdk), cli).await
}

async fn run_on(store: &Store, cli: Cli) -> Result<(), ConfigError> {
    let printer = Printer::new(cli.format());
    let release = cli.release.as_ref();
    if !cli.set.is_empty() {
        let done = set::set(store, &cli.app, release, cli.set).await?;
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
