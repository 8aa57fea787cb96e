//! The command line: three commands, one of which is the daemon.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::agent::Agent;
use crate::check::check;
use crate::exit::Exit;
use crate::failure::{Kind, chain};
use crate::lock::{LockError, lock};
use crate::log::{Format, to_stderr};
use crate::run::run;
use crate::settings::Settings;
use crate::status::{last_receipt, text};
use crate::world::World;

/// Fetches, builds and runs the release that this EC2 instance was launched with.
#[derive(Debug, Parser)]
#[command(
    name = "adf-agent",
    version,
    after_help = "Exit codes: 0 stopped on request; 1 a failure that may pass (systemd restarts); 2 usage; \
                  78 the release cannot run here (systemd does not restart)"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The agent's settings; without it /etc/adf/agent.toml, where that exists.
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    /// How log lines are written to stderr.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    log: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Boots the release and keeps it running, until SIGTERM.
    Run,
    /// Prints the last receipt of this instance.
    Status {
        /// As one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Does everything up to the build, changes nothing, and prints what would run.
    Check,
}

pub async fn main(cli: Cli) -> Exit {
    to_stderr(cli.log);
    let settings = match Settings::load(cli.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error, Exit::Usage),
    };
    match cli.command {
        Command::Run => daemon(settings).await,
        Command::Status { json } => print_status(&settings, json),
        Command::Check => print_check(settings).await,
    }
}

async fn daemon(settings: Settings) -> Exit {
    let held = match lock(&settings.run_dir) {
        Ok(held) => held,
        // The other agent does the work: that is success, and systemd must not restart this one.
        Err(error @ LockError::Held { .. }) => return complain(&error, Exit::Stopped),
        Err(error @ LockError::Io { .. }) => return complain(&error, Exit::Transient),
    };
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => return complain(&error, Exit::Transient),
    };
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let exit = run(&agent(settings), stop).await;
    drop(held);
    exit
}

fn agent(settings: Settings) -> Agent {
    Agent::new(World::real(&settings), settings)
}

fn print_status(settings: &Settings, json: bool) -> Exit {
    let receipt = match last_receipt(&settings.run_dir) {
        Ok(receipt) => receipt,
        Err(error) => return complain(&error, Exit::Transient),
    };
    let shown = if json { serde_json::to_string_pretty(&receipt) } else { Ok(text(&receipt)) };
    match shown {
        Ok(shown) => println!("{shown}"),
        Err(error) => return complain(&error, Exit::Transient),
    }
    Exit::Stopped
}

async fn print_check(settings: Settings) -> Exit {
    match check(&agent(settings)).await {
        Ok(lines) => {
            println!("{}", lines.join("\n"));
            Exit::Stopped
        }
        Err(failure) => {
            let exit = match failure.kind {
                Kind::Permanent => Exit::Permanent,
                Kind::Transient => Exit::Transient,
            };
            complain(&failure, exit)
        }
    }
}

fn complain(error: &dyn std::error::Error, exit: Exit) -> Exit {
    eprintln!("adf-agent: {}", chain(error));
    exit
}
