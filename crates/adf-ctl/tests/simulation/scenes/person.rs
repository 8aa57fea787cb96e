//! One command of one operator: what was typed, parsed and run as the binary does it, on a machine that may die.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adf_ctl::cli::{Cli, Command};
use adf_ctl::context::Context;
use adf_ctl::deploy::clock::Clock;
use adf_ctl::deploy::stop::Stop;
use adf_ctl::printer::{Printer, Terminal as _};
use adf_ctl::report::{Explain as _, render};
use adf_ctl::settings::Settings;
use adf_ctl::{CtlError, ExitCode, commands};
use clap::Parser as _;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::paper::Paper;
use crate::link::{Link, Party};
use crate::scenario::Weather;
use crate::stage::Stage;

/// What is done to an operator's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fall {
    Dies,
    /// The lid is closed: nothing runs, time goes on.
    Sleeps(Duration),
    /// Ctrl-C.
    Stops,
}

/// The way to a machine on which a command runs.
#[derive(Debug)]
pub(super) struct Machine(mpsc::UnboundedSender<Fall>);

impl Machine {
    /// Answers whether there was a command to hit.
    pub(super) fn falls(&self, fall: Fall) -> bool {
        self.0.send(fall).is_ok()
    }
}

pub(super) struct Typed {
    pub(super) stage: Arc<Stage>,
    pub(super) folder: std::path::PathBuf,
    pub(super) who: String,
    pub(super) line: String,
    pub(super) weather: Weather,
    pub(super) paper: &'static Paper,
}

/// The machine, and the command to be run on it.
pub(super) fn sit(typed: Typed) -> (Machine, impl Future<Output = ()>) {
    let (machine, falls) = mpsc::unbounded_channel();
    (Machine(machine), run(typed, falls))
}

async fn run(typed: Typed, mut falls: mpsc::UnboundedReceiver<Fall>) {
    let paper = typed.paper;
    let (stopper, stop) = watch::channel(false);
    let mut command = Box::pin(command(&typed, stop));
    let code = loop {
        tokio::select! {
            biased;
            fall = falls.recv() => match fall {
                Some(Fall::Dies) => return paper.write("(the process is gone)"),
                Some(Fall::Stops) => {
                    paper.write("^C");
                    stopper.send_replace(true);
                }
                Some(Fall::Sleeps(lasts)) => {
                    paper.write("(the machine sleeps)");
                    sleep(lasts).await;
                    paper.write("(the machine is awake)");
                }
                None => std::future::pending().await,
            },
            code = &mut command => break code,
        }
    };
    paper.write(&format!("exit code {}: {}", code.code(), code.meaning()));
}

/// What `main` does.
async fn command(typed: &Typed, stop: watch::Receiver<bool>) -> ExitCode {
    let words = shlex::split(&typed.line).expect("quotes come in pairs");
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            typed.paper.stderr(&error.to_string());
            return ExitCode::Usage;
        }
    };
    let format = cli.settings.format();
    match Box::pin(on_the_link(typed, cli, stop)).await {
        Ok(()) => ExitCode::Done,
        Err(error) => {
            typed.paper.stderr(&render(&error, format));
            error.exit_code()
        }
    }
}

async fn on_the_link(typed: &Typed, cli: Cli, stop: watch::Receiver<bool>) -> Result<(), CtlError> {
    let printer = Printer::at(cli.settings.format(), typed.paper);
    let settings = Settings::find(&cli.settings, Path::new(&typed.folder))?;
    let stage = &typed.stage;
    let link = Link::new(stage, &typed.who, Party::Operator, typed.weather);
    let clock = Clock::starting_at(stage.cloud.now());
    let context = Context::on(&link.sdk_config(), settings, printer).played(clock, Stop::when(stop));
    if let Command::Restart(args) = &cli.command {
        stage.oracle.rests(args.at_once.of(stage.group().desired));
    }
    Box::pin(commands::dispatch(&context, cli.command)).await
}
