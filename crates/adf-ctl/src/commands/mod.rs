//! One file per command: it reads the settings, calls what does the work, and prints one value.

mod ask;
mod completions;
mod config;
mod deploy;
mod history;
mod iam_policy;
mod init;
mod lock;
mod logs;
mod man;
mod plan;
mod release;
mod restart;
mod rollback;
mod ship;
mod status;
mod verify;

use std::path::PathBuf;

use crate::cli::{Cli, Command, ReleaseVerb};
use crate::context::Context;
use crate::error::CtlError;
use crate::printer::Printer;
use crate::settings::Settings;

pub use man::pages;
pub use ship::run as ship;

/// Runs the command that was typed.
pub async fn run(cli: Cli) -> Result<(), CtlError> {
    let printer = Printer::new(cli.settings.format());
    match cli.command {
        Command::Completions { shell } => {
            completions::run(shell);
            return Ok(());
        }
        Command::Man { dir } => return man::run(&dir, printer),
        _ => {}
    }
    let settings = Settings::find(&cli.settings, &start(&cli.command))?;
    if needs_app(&cli.command) {
        settings.app()?;
    }
    if let Command::IamPolicy(args) = cli.command {
        return iam_policy::run(&settings, args, printer);
    }
    let context = Context::open(settings, printer).await?;
    dispatch(&context, cli.command).await
}

/// Runs a command on a connection that is there already.
pub async fn dispatch(context: &Context, command: Command) -> Result<(), CtlError> {
    match command {
        Command::Init(args) => init::run(context, args).await,
        Command::Release(args) => release::run(context, args.verb).await,
        Command::Config(args) => config::run(context, args).await,
        Command::Plan(args) => plan::run(context, args).await,
        Command::Deploy(args) => Box::pin(deploy::run(context, args)).await,
        Command::Ship(args) => Box::pin(ship::run(context, args)).await,
        Command::Rollback(args) => Box::pin(rollback::run(context, args)).await,
        Command::Restart(args) => Box::pin(restart::run(context, args)).await,
        Command::Resume(_) => Box::pin(ask::resume(context)).await,
        Command::Abort(args) => Box::pin(rollback::abort(context, args)).await,
        Command::Pause(args) => Box::pin(ask::pause(context, args)).await,
        Command::Promote(_) => Box::pin(ask::promote(context)).await,
        Command::Status(args) => status::run(context, args).await,
        Command::History(args) => history::run(context, args).await,
        Command::Logs(args) => logs::run(context, args).await,
        Command::Verify => verify::run(context).await,
        Command::Lock(args) => lock::run(context, args.verb).await,
        Command::IamPolicy(_) | Command::Completions { .. } | Command::Man { .. } => Ok(()),
    }
}

/// All but the first `init` of an account; asked before AWS is, because the answer is in this folder.
fn needs_app(command: &Command) -> bool {
    !matches!(command, Command::Init(args) if args.capacity.is_none())
}

/// Where the search for `adf.toml` begins: in the repository a release is made from, else here.
fn start(command: &Command) -> PathBuf {
    if let Command::Ship(args) = command
        && let Some(repo) = &args.repo
    {
        return repo.clone();
    }
    if let Command::Release(release) = command
        && let ReleaseVerb::Create(args) = &release.verb
        && let Some(repo) = &args.repo
    {
        return repo.clone();
    }
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}
