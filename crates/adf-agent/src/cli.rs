//! The command line: three commands, one of which is the daemon.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::agent::Agent;
use crate::check::check;
use crate::exit::Exit;
use crate::failpoint;
use crate::failure::{Kind, chain};
use crate::harden::harden;
use crate::lock::{LockError, lock};
use crate::log;
use crate::redact;
use crate::run::run;
use crate::settings::Settings;
use crate::status::{serve, status, text};
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
    /// How log lines are written; without it to the journal when systemd connected stderr to it, else readable.
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    log_format: Option<log::Format>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Boots the release and keeps it running, until SIGTERM. SIGHUP reads the config anew.
    Run,
    /// Prints what the agent of this instance is doing and since when; without one, its last receipt.
    Status {
        /// As one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Does everything up to the build, changes nothing, and prints what would run.
    Check,
}

pub async fn main(cli: Cli) -> Exit {
    let _points = failpoint::armed();
    log::init(cli.log_format);
    harden();
    let settings = match Settings::load(cli.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error, Exit::Usage),
    };
    match cli.command {
        // Boxed: the whole life of an agent is one large future.
        Command::Run => Box::pin(daemon(settings)).await,
        Command::Status { json } => print_status(&settings, json).await,
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
    let (stop, reload) = match (stop_signal(), signal(SignalKind::hangup())) {
        (Ok(stop), Ok(reload)) => (stop, reload),
        (Err(error), _) | (_, Err(error)) => return complain(&error, Exit::Transient),
    };
    let run_dir = settings.run_dir.clone();
    let agent = Arc::new(agent(settings));
    if let Err(error) = serve(&run_dir, agent.reporter.clone()) {
        // Without its socket the agent does all its work, and only its last receipt can be shown.
        tracing::warn!("adf-agent status will show the last receipt only: {}", chain(&error));
    }
    tokio::spawn(pass_on(reload, agent.clone()));
    let exit = Box::pin(run(&agent, stop)).await;
    drop(held);
    exit
}

fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}

/// SIGHUP during a boot is kept until the app serves.
async fn pass_on(mut reload: Signal, agent: Arc<Agent>) {
    while reload.recv().await.is_some() {
        agent.reload.notify_one();
    }
}

fn agent(settings: Settings) -> Agent {
    Agent::new(World::real(&settings), settings)
}

async fn print_status(settings: &Settings, json: bool) -> Exit {
    let status = match status(&settings.run_dir).await {
        Ok(status) => status,
        Err(error) => return complain(&error, Exit::Transient),
    };
    let shown =
        if json { serde_json::to_string_pretty(&status) } else { Ok(text(&status, Timestamp::now())) };
    match shown {
        Ok(shown) => println!("{}", redact::text(&shown)),
        Err(error) => return complain(&error, Exit::Transient),
    }
    Exit::Stopped
}

async fn print_check(settings: Settings) -> Exit {
    match check(&agent(settings)).await {
        Ok(lines) => {
            println!("{}", redact::text(&lines.join("\n")));
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
    eprintln!("adf-agent: {}", redact::text(&chain(error)));
    exit
}
